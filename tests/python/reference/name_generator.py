"""Read names of every grammar, sound ones and spoilt ones, the same for the same seed.

About half of the names are sound; the others have numbers at and beyond their bounds, are cut
short, or have bytes put in, taken out or changed. No name holds a line feed or ends with a carriage
return, so each survives as the header line of a FASTQ record.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

EDGES = (
    *(b"0 00 000000000 1 01 9 10 000000001 0000000001 255 256 0255 999 1000 9999 10000".split()),
    *(b"65535 65536 99999 100000 999999 1000000 999999999 1000000000 2147483648".split()),
    *(b"4294967294 4294967295 4294967296 9999999999 18446744073709551616 1000000000000".split()),
    *(b"-1 -0 +1 1.0 1e3 0x10 -999999999 -1000000000 x".split()),
    b"",
    b"\xb2",
)
INTERESTING = b":/#_-+ \t\v\f\r\0 .=|;@ACGTNacgtn0123456789LCRSmzZYNirst\x80\xff"
UMIS = (
    *(b":ACGT :ACGT+TTGA :rACGT :ACGT+rTTGA :AC_GT :AC-GT _ACGT _ACGT_TTAA _AC+GT".split()),
    *(b": _ __AC _AC_ :AC:GT :L1C001R0010 #ACGT ;umi=AC :AC.GT".split()),
)
SLASHES = (b"/1", b"/2", b"/0", b"/3", b"/", b"/1/2", b"/11")
SECONDS = (
    *(b"1:N:0:ACGT 2:Y:18:ACGT+TTGA 1:N:0: 2:N:0:1 1:N:0:a:b 1:Y:000000000000000000000:N".split()),
    *(b"1:N:0 3:N:0:A 0:N:0:A 11:N:0:A 1:n:0:A 1:X:0:A 1:N::A 1:N:x:A 1:N:-1:A :N:0:A".split()),
    *(b"length=100 BX:Z:ACGT-1 1 1:N:0:\xff\x80 1:N:0:A\r 1:NN:0:A".split(b" ")),
)
SPACES = (b" ", b" ", b" ", b"\t", b"  ", b" \t ")
NANOPORE_SPACES = (b" ", b" ", b"\t", b"\t", b"  ", b"\v", b"\f", b"\r", b" \t\v\f\r ", b"\x1c")
YEARS = (1, 1600, 1900, 1969, 1970, 2000, 2019, 2020, 2023, 2024, 2026, 2100, 9999, 0)
FRACTIONS = (
    *(b".1 .12 .123 .1234 .12345 .123456 .1234567 .999999999999999999999 .000 .0000009".split()),
    *(b"", b"", b"", b".", b",5", b".x", b".1.2"),
)
ZONES = (
    *(b"Z Z Z +00:00 -00:00 +01:00 -05:30 +14:00 -23:59 +23:59".split()),
    *(b"", b"", b"z", b"+24:00", b"+01:60", b"+0100", b"+01", b" UTC", b"ZZ", b"+1:00", b"*01:00"),
)

Random = random.Random


def mostly(rng: Random, sound: bytes, others: tuple[bytes, ...], chance: float = 0.1) -> bytes:
    return rng.choice(others) if rng.random() < chance else sound


def number(rng: Random, low: int, high: int) -> bytes:
    """A number of the range, its size even on a scale of digits; now and then an edge."""
    chance = rng.random()
    if chance < 0.04:
        return rng.choice(EDGES)
    if chance < 0.08:
        return b"%d" % rng.choice((low, low + 1, high - 1, high))
    value = rng.randint(low, min(high, 10 ** rng.randint(1, len(str(high)))) if high > 9 else high)
    if chance < 0.12:
        return b"%0*d" % (rng.randint(1, 11), value)
    return b"%d" % value


def letters(rng: Random, alphabet: bytes, low: int, high: int) -> bytes:
    return bytes(rng.choices(alphabet, k=rng.randint(low, high)))


INSTRUMENTS = (
    *(b"A00001 LH00223 VH00445 NB501550 M02007 HWI-ST1234 ST-E00493 K00311 aa,HWI-7".split()),
    *(b"A AV AV1 AVITI1 AV240405 av240405 XAV1 G4 G4- G4-014 G4_014 g4-014 SRR1 SRR1.2".split()),
    *(b"m12345 004733_1-X0003-1 \xff\x80 L1C001R0010 bd8655fb-383c-45cc-bff3-eb1dc86533e0".split()),
)


def tile(rng: Random) -> bytes:
    if rng.random() < 0.6:
        digits = rng.choice(((2, 6, 99), (2, 6, 99), (2, 3, 6, 99)))
        return b"".join(
            b"%02d" % rng.randint(0, d) if d == 99 else b"%d" % rng.randint(1, d) for d in digits
        )
    return number(rng, 1, 99_999 if rng.random() < 0.8 else 999_999)


def casava(rng: Random) -> bytes:
    name = b":".join(
        (
            rng.choice(INSTRUMENTS),
            rng.choice((b"1", b"136", b"Run-12", b"r_1", b"0080", b""))
            if rng.random() < 0.3
            else b"8",
            rng.choice((b"FC706VJ", b"000000000-AW0NA", b"HABCDDSX2", b"F" * 40, b"\xe9")),
            number(rng, 1, 8 if rng.random() < 0.8 else 255),
            tile(rng),
            number(rng, 0, 999_999_999 if rng.random() < 0.1 else 60_000),
            number(rng, 0, 999_999_999 if rng.random() < 0.1 else 60_000),
        )
    )
    if rng.random() < 0.25:
        name += rng.choice(UMIS)
    if rng.random() < 0.15:
        name += rng.choice(SLASHES)
    if rng.random() < 0.7:
        name += rng.choice(SPACES) + rng.choice(SECONDS)
        if rng.random() < 0.2:
            name += rng.choice(SPACES) + b"more words"
    return name


def old_illumina(rng: Random) -> bytes:
    def coordinate() -> bytes:
        sign = b"-" if rng.random() < 0.2 else b""
        return sign + number(rng, 0, 999_999_999 if rng.random() < 0.1 else 20_000)

    name = b":".join(
        (
            rng.choice((*INSTRUMENTS, b"HWUSI-EAS100R", b"071112_SLXA-EAS1_s_7")),
            number(rng, 1, 8 if rng.random() < 0.8 else 255),
            tile(rng) if rng.random() < 0.5 else number(rng, 1, 330),
            coordinate(),
            coordinate(),
        )
    )
    if rng.random() < 0.5:
        name += rng.choice((b"#0", b"#ACGTAC", b"#", b"#AC+GT", b"#a:b#c", b"#A/B", b"#\xff"))
    if rng.random() < 0.5:
        name += rng.choice(SLASHES[:2]) if rng.random() < 0.8 else rng.choice(SLASHES)
    return name


def mgi(rng: Random) -> bytes:
    prefix = rng.choice(
        (b"V300019058", b"CL100025298", b"E1", b"8A_V1", b"L9C001R002", b"", b"a:b")
    )
    name = b"%sL%sC%sR%s%s%s" % (
        prefix,
        mostly(rng, b"%d" % rng.randint(1, 9), (b"0", b"10", b"", b"x")),
        mostly(rng, b"%03d" % rng.randint(0, 999), (b"00", b"0001", b"000")),
        mostly(rng, b"%03d" % rng.randint(0, 999), (b"00", b"000", b"0x0")),
        rng.choice((b"", b"", b"_", b"__") if rng.random() < 0.1 else (b"", b"_")),
        mostly(rng, b"%d" % rng.getrandbits(rng.randint(1, 40)), (b"", b"0" * 30, b"x", b"9" * 40)),
    )
    if rng.random() < 0.3:
        name += rng.choice(
            (b"#ACGT", b"#ACGTN+acgtn", b"#", b"#AC+", b"#+AC", b"#AC+GT+AC", b"#ACU")
        )
    if rng.random() < 0.4:
        name += rng.choice(SLASHES)
    if rng.random() < 0.3:
        words = rng.randint(1, 3)
        for _ in range(words):
            name += rng.choice(SPACES)
            name += mostly(
                rng, letters(rng, b"0123456789ABCDEFabcdef", 1, 12), (b"0x1", b"G", b"1:N:0:A")
            )
        name += rng.choice((b"", b"", b" ", b"\t "))
    return name


def ultima(rng: Random) -> bytes:
    return b"%s_%s-%s%s-%s" % (
        number(rng, 1, 999_999),
        number(rng, 1, 4),
        mostly(rng, letters(rng, b"ABXZ", 1, 1), (b"x", b"", b"XX", b"UGAv")),
        number(rng, 1, 9999),
        number(rng, 0, 4_294_967_296),
    ) + (rng.choice((b" a", b"_ACGT", b"/1", b"\t")) if rng.random() < 0.1 else b"")


def uuid(rng: Random) -> bytes:
    text = b"%032x" % rng.getrandbits(128)
    if rng.random() < 0.05:
        text = text.upper()
    parts = [text[:8], text[8:12], text[12:16], text[16:20], text[20:]]
    return mostly(rng, b"-", (b"", b"_", b"--"), 0.02).join(parts)


def timestamp(rng: Random) -> bytes:
    year = rng.choice(YEARS) if rng.random() < 0.3 else rng.randint(1970, 2030)
    if rng.random() < 0.1:
        day = rng.choice(((2, 28), (2, 29), (2, 30), (4, 31), (12, 31), (1, 0), (0, 1), (13, 1)))
    else:
        day = (rng.randint(1, 12), rng.randint(1, 28))
    clock = (rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59))
    if rng.random() < 0.05:
        clock = rng.choice(((24, 0, 0), (23, 60, 0), (23, 59, 60), (23, 59, 59), (0, 0, 0)))
    text = b"%04d-%02d-%02dT%02d:%02d:%02d" % (year, *day, *clock)
    text += rng.choice(FRACTIONS) + rng.choice(ZONES)
    return text if rng.random() > 0.03 else text.replace(rng.choice((b"T", b"-", b":")), b" ", 1)


def guppy_word(rng: Random) -> bytes:
    kind = rng.randrange(10)
    if kind < 3:
        return b"ch=" + number(rng, 1, 3000 if rng.random() < 0.9 else 65_535)
    if kind < 5:
        return b"start_time=" + timestamp(rng)
    if kind == 5:
        return b"barcode=" + rng.choice((b"barcode01", b"unclassified", b"", b"\xff", b"a=b"))
    if kind == 6:
        return b"flow_cell_id=" + rng.choice((b"FAL10820", b"PAM93185", b"AFB123", b""))
    return rng.choice(
        (
            *(b"runid=91c917 read=29 sampleid=a ch xch=4 CH=5 ch==6 start_time barcode".split()),
            *(b"ch:i ch:i=5 c:i:5 flow_cell_id parent_read_id=x barcode_alias=b channel=7".split()),
        )
    )


def dorado_word(rng: Random) -> bytes:
    kind = rng.randrange(10)
    if kind < 3:
        return b"ch:i:" + number(rng, 1, 3000 if rng.random() < 0.9 else 65_535)
    if kind < 5:
        return b"st:Z:" + timestamp(rng)
    if kind == 5:
        return b"BC:Z:" + rng.choice((b"barcode01", b"", b"\x80", b"a:b"))
    return rng.choice(
        (
            *(b"qs:f:12.5 RG:Z:run_model mx:i:2 rn:i:5 pi:Z:x pa:B:i,1 ch:Z:5 ch:I:5".split()),
            *(b"st:i:5 1a:i:5 a1:i:5 A:i:5 qs:x:1 qs:f qs:f: ch:i: ch=12 start_time=x".split()),
        )
    )


def nanopore(rng: Random) -> bytes:
    writer: Callable[[Random], bytes] = rng.choice((guppy_word, guppy_word, dorado_word))
    name = uuid(rng)
    for _ in range(rng.choice((0, 1, 2, 3, 4, 6, 9))):
        word = writer(rng) if rng.random() < 0.97 else dorado_word(rng)
        name += rng.choice(NANOPORE_SPACES) + word
    return name


def pacbio(rng: Random) -> bytes:
    movie = rng.choice(
        (
            *(b"m64011_190830_220126 m84011_220902_175841_s1 m12345 m6401_1_2 64011_1_2".split()),
            *(b"m140928_184123_42139_c1_s1_p0 m140928__s1_p0 m140928_s1_p0 m14092_1_s1_p0".split()),
            *(b"m140928_x_s1_p0x m1409281_x_s1_p0 m140928_\xff_s10_p20 M64011_1_2".split()),
        )
    )
    tail = rng.choice(
        (
            *(b"ccs ccs ccs ccs/fwd ccs/rev 0_1223 10_2000 0_0".split()),
            *(b"ccs/ ccs/up CCS ccs/0_10 0-1 _1 1_ ccs/fwd/1 transcript 0_1_2".split()),
        )
    )
    name = b"/".join((movie, number(rng, 0, 4_294_967_294), tail))
    return name + (rng.choice((b" RQ=0.9", b"\tnp=3", b" ", b"x")) if rng.random() < 0.2 else b"")


def other(rng: Random) -> bytes:
    if rng.random() < 0.5:
        return letters(rng, INTERESTING, 0, 40)
    return rng.choice((b"1", b"read_17 length=75", b"ZEWTM:00130:07001", b"chr1:1:2:3:4:5", b""))


GRAMMARS: tuple[Callable[[Random], bytes], ...] = (
    *(casava, casava, casava, old_illumina, mgi, nanopore, nanopore, pacbio, ultima, other),
)


def renamed(rng: Random, name: bytes) -> bytes:
    number_given = rng.choice(
        (
            *(b"SRR001666.1 ERR5285403.15 DRR7.3.1 SRR1 SRR9.1/1 ERR1.2/2".split()),
            *(b"XRR1.1 SRR.1 SRR1. SRR1.1/3 srr1.1 SRR1.x SRR SRR1..2 SRR1.1_label".split()),
        )
    )
    return number_given + rng.choice((*SPACES, b"", b"\v")) + name


def spoilt(rng: Random, name: bytes) -> bytes:
    """One to three small changes."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(name))
        kind = rng.randrange(7)
        if kind == 0:
            name = name[:at]
        elif kind == 1:
            name = name[:at] + name[at + 1 :]
        elif kind == 2:
            name = name[:at] + bytes((rng.choice(INTERESTING),)) + name[at:]
        elif kind == 3:
            name = name[:at] + bytes((rng.choice(INTERESTING),)) + name[at + 1 :]
        elif kind == 4:
            end = at + rng.randint(1, 8)
            name = name[:end] + name[at:]
        elif kind == 5:
            name = name[at:]
        else:
            name = name[:at] + bytes((rng.getrandbits(8),)) + name[at + 1 :]
    return name


def generate(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield ``count`` names."""
    rng = random.Random(seed)
    for _ in range(count):
        name = rng.choice(GRAMMARS)(rng)
        if rng.random() < 0.1:
            name = renamed(rng, name)
        if rng.random() < 0.3:
            name = spoilt(rng, name)
        yield name.replace(b"\n", b"\t").rstrip(b"\r")


def huge_names(size: int = 1_000_000) -> list[bytes]:
    """Names of about ``size`` bytes: each part that may be long in a sound name, and other ones."""
    uuid_text = b"bd8655fb-383c-45cc-bff3-eb1dc86533e0"
    return [
        b"A" * size + b":1:F:1:1101:5:6 1:N:0:ACGT",
        b"A1:1:F:1:1101:5:6:" + b"ACGT" * (size // 4) + b" 1:N:0:ACGT",
        b"A1:1:F:1:1101:5:6" + b"_ACGT" * (size // 5),
        b"A1:1:F:1:1101:5:6" + b" " * size + b"2:Y:0:ACGT",
        b"A1:1:F:1:1101:5:6 1:N:0:" + b"A" * size,
        b"A1:1:F:1:1101:5:6 1:N:" + b"0" * size + b":A",
        b"A1:1:F:1:1101:" + b"0" * size + b":6",
        b"HWI:1:1101:5:6#" + b"A" * size + b"/2",
        b"V" * size + b"L1C002R0030000001/1",
        b"L1C001R001" * (size // 10),
        b"V3L1C002R003" + b"0" * size,
        b"V3L1C002R0031 " + b"A" * size + b" 7E1B2",
        uuid_text + b" a=b" * (size // 4) + b" ch=17",
        uuid_text + b" qs:f:1" * (size // 7) + b" ch:i:17",
        uuid_text + b" start_time=2020-01-01T00:00:00." + b"1" * size + b"Z",
        uuid_text + b" barcode=" + b"b" * size,
        b"m64011" + b"_" * size + b"/17/ccs",
        b"m123456_" + b"_s1" * (size // 3) + b"_p0/17/0_1",
        b"m64011/17/0_" + b"1" * size,
        b"0" * size + b"_1-X0003-1",
        b"SRR1" + b".1" * (size // 2) + b" A1:1:F:1:1101:5:6",
        b"SRR1.1" + b" " * size + b"A1:1:F:1:1101:5:6",
        b":" * size,
        b" " * size,
        b"\xff" * size,
    ]
