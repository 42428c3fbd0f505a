r"""Read names to the fields they carry, by regular expressions and in the plainest way.

A name is the header line after its ``@``: bytes, in no particular encoding. The grammars are tried
in the order of the table and the first whose form and bounds fit the whole first word is taken.

==================  ==========================================================================
illumina-1.8        ``instrument:run:flowcell:lane:tile:x:y[:UMI][/read] [read:Y:control:index]``
element             the same, from an instrument that begins with ``AV``, in lane 1 or 2
singular            the same, from an instrument that begins with ``G4-``
illumina-1.3        ``instrument:lane:tile:x:y[#index][/read]``, x and y may be negative
nanopore-guppy      ``uuid key=value ...``
nanopore-dorado     ``uuid tag:type:value ...``: any word of this form makes it this grammar
pacbio              ``movie/zmw/ccs[/fwd or /rev]`` or ``movie/zmw/start_end``
pacbio-rs2          the same with a movie of the RS II
mgi                 ``<prefix>L#C###R###[_]<ordinal>[#index][/read]``
stereo-seq          an MGI name and exactly two hexadecimal words
ultima              ``004733_1-X0003-1345904491``
==================  ==========================================================================

A word ends at a space or tab; in Nanopore names at a vertical tab, form feed or carriage return
too. Digits are 0 to 9. Numbers have at most 9 digits (the zmw 10), leading zeros included, and no
sign but the minus of an old Illumina name.

A name that begins with the number an archive gave (``SRR``, ``ERR``, ``DRR``) is what follows that
word and its white space; where nothing follows it is of no grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

PLACED = {
    "illumina-1.8": "flowcell",
    "element": "flowcell",
    "singular": "flowcell",
    "illumina-1.3": "flowcell",
    "mgi": "mgi",
    "pacbio": "pacbio",
}
MAX_LANE = 255
MAX_TILE = {"singular": 999_999}
MAX_TILE_ELSEWHERE = 99_999
MAX_CHANNEL = 65_535
MAX_ZMW = 2**32 - 2
UNKNOWN_FILTER = 255


@dataclass(frozen=True)
class Name:
    """What a name says. What it does not say: 0, `UNKNOWN_FILTER`, empty, or None.

    ``number`` may be 0 in a name that is parsed (tile 1100); x, y, zmw and ``start_time``
    (microseconds since 1970 UTC) may be 0 too, so theirs is None.
    """

    grammar: str
    renamed: bool = False
    lane: int = 0
    tile: int = 0
    surface: int = 0
    swath: int = 0
    camera: int = 0
    number: int = 0
    column: int = 0
    row: int = 0
    x: int | None = None
    y: int | None = None
    read: int = 0
    filtered: int = UNKNOWN_FILTER
    index: bytes = b""
    channel: int = 0
    start_time: int | None = None
    barcode: bytes = b""
    flow_cell_id: bytes = b""
    zmw: int | None = None

    @property
    def layout(self) -> str | None:
        """The layout whose coordinates the name holds, or None."""
        if self.grammar.startswith("nanopore"):
            return "nanopore" if self.channel else None
        return PLACED.get(self.grammar)


WORD = rb"[^ \t]"
ARCHIVE = re.compile(rb"[SED]RR[0-9]+(?:\.[0-9]+)*(?:/[12])?(?:[ \t]+(.*))?", re.DOTALL)
CASAVA = re.compile(
    rb"([^: \t]+):[^: \t]+:[^: \t]+:([0-9]{1,9}):([0-9]{1,9}):([0-9]{1,9}):([0-9]{1,9})"
    rb"(?::[A-Za-z0-9_+-]+|(?:_[A-Za-z0-9+-]+)+)?(?:/([12]))?"
)
CASAVA_SECOND = re.compile(rb"([12]):([YN]):[0-9]+:(" + WORD + rb"*)")
OLD_ILLUMINA = re.compile(
    rb"[^: \t]+:([0-9]{1,9}):([0-9]{1,9}):(-?[0-9]{1,9}):(-?[0-9]{1,9})"
    rb"(?:#([^ \t/]*))?(?:/([12]))?"
)
UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NANOPORE_SPACE = re.compile(rb"[ \t\v\f\r]+")
DORADO_TAG = re.compile(rb"[A-Za-z][A-Za-z0-9]:[AifZHB]:.*", re.DOTALL)
PACBIO = re.compile(
    rb"(m[0-9]{5,}[^/ \t]*)/([0-9]{1,10})/(?:ccs(?:/(?:fwd|rev))?|[0-9]+_[0-9]+)", re.DOTALL
)
RS2_MOVIE = re.compile(rb"m[0-9]{6}_.*_s[0-9]+_p[0-9]+", re.DOTALL)
MGI = re.compile(
    WORD + rb"*L([0-9])C([0-9]{3})R([0-9]{3})_?[0-9]+"
    rb"(?:#([ACGTNacgtn]+(?:\+[ACGTNacgtn]+)?))?(?:/([12]))?"
)
STEREO_TAIL = re.compile(rb"[ \t]+[0-9A-Fa-f]+[ \t]+[0-9A-Fa-f]+[ \t]*")
ULTIMA = re.compile(rb"[0-9]+_[0-9]+-[A-Z][0-9]+-[0-9]+")
TIME = re.compile(
    rb"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    rb"(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))?"
)


def parse(header: bytes) -> Name | None:
    """The name's fields, or None where it fits no grammar."""
    archive = ARCHIVE.fullmatch(header)
    if archive is None:
        return parse_original(header)
    original = None if archive[1] is None else parse_original(archive[1])
    return None if original is None else replace(original, renamed=True)


def parse_original(header: bytes) -> Name | None:
    first = re.split(rb"[ \t]", header, maxsplit=1)[0]
    rest = header[len(first) :]
    return (
        casava(first, rest)
        or old_illumina(first)
        or nanopore(header)
        or pacbio(first)
        or mgi(first, rest)
        or ultima(first)
    )


def casava(first: bytes, rest: bytes) -> Name | None:
    match = CASAVA.fullmatch(first)
    if match is None:
        return None
    instrument = match[1]
    lane, tile, x, y = (int(match[i]) for i in range(2, 6))
    if instrument.startswith(b"AV") and lane in (1, 2):
        grammar = "element"
    elif instrument.startswith(b"G4-"):
        grammar = "singular"
    else:
        grammar = "illumina-1.8"
    if not is_flow_cell(grammar, lane, tile):
        return None
    name = Name(grammar, lane=lane, tile=tile, x=x, y=y, read=int(match[6] or 0))
    name = decode_tile(name)
    second = rest.strip(b" \t").replace(b"\t", b" ").split(b" ")[0]
    if tail := CASAVA_SECOND.fullmatch(second):
        name = replace(name, read=int(tail[1]), filtered=int(tail[2] == b"Y"), index=tail[3])
    return name


def old_illumina(first: bytes) -> Name | None:
    match = OLD_ILLUMINA.fullmatch(first)
    if match is None:
        return None
    lane, tile, x, y = (int(match[i]) for i in range(1, 5))
    if not is_flow_cell("illumina-1.3", lane, tile):
        return None
    read = int(match[6] or 0)
    name = Name("illumina-1.3", lane=lane, tile=tile, x=x, y=y, read=read, index=match[5] or b"")
    return decode_tile(name)


def is_flow_cell(grammar: str, lane: int, tile: int) -> bool:
    return 1 <= lane <= MAX_LANE and 1 <= tile <= MAX_TILE.get(grammar, MAX_TILE_ELSEWHERE)


def decode_tile(name: Name) -> Name:
    """Take the tile's number apart as its maker writes it.

    Element's five digits are surface, row and column. The rows are many (21 and more are seen) and
    the columns few (1 to 5), so a row counts along the lane as Illumina's number does, and a column
    across it as a swath.
    """
    tile = name.tile
    if name.grammar == "singular" or (name.grammar == "element" and tile < 10_000):
        return replace(name, number=tile)
    if name.grammar == "element":
        surface, row, column = tile // 10_000, tile // 100 % 100, tile % 100
        return replace(name, surface=surface, swath=column, number=row)
    digits = str(tile)
    if len(digits) <= 3:
        return replace(name, surface=1, swath=1, number=tile)
    surface, swath, number = int(digits[0]), int(digits[1]), int(digits[-2:])
    camera = int(digits[2]) if len(digits) == 5 else 0
    return replace(name, surface=surface, swath=swath, camera=camera, number=number)


def nanopore(header: bytes) -> Name | None:
    words = NANOPORE_SPACE.split(header)
    if not UUID.fullmatch(words[0]):
        return None
    if any(DORADO_TAG.fullmatch(word) for word in words[1:]):
        return Name(
            "nanopore-dorado",
            channel=channel(value_of(words, b"ch:i:")),
            start_time=microseconds(value_of(words, b"st:Z:")),
            barcode=value_of(words, b"BC:Z:"),
        )
    return Name(
        "nanopore-guppy",
        channel=channel(value_of(words, b"ch=")),
        start_time=microseconds(value_of(words, b"start_time=")),
        barcode=value_of(words, b"barcode="),
        flow_cell_id=value_of(words, b"flow_cell_id="),
    )


def value_of(words: list[bytes], key: bytes) -> bytes:
    """What follows ``key`` in the first word behind the UUID that begins with it, or nothing."""
    for word in words[1:]:
        if word.startswith(key):
            return word[len(key) :]
    return b""


def channel(text: bytes) -> int:
    if not re.fullmatch(rb"[0-9]{1,9}", text) or int(text) > MAX_CHANNEL:
        return 0
    return int(text)


def microseconds(text: bytes) -> int | None:
    """ISO 8601 to microseconds since 1970 UTC; further digits of a fraction are cut off.

    The calendar is counted year by year. There are no leap seconds and no hour 24, a year 0 is
    none, and an offset from UTC is less than a day.
    """
    match = TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= days_in_month(year, month):
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = int(((match[7] or b"") + b"000000")[:6])
    offset = 0
    if match[8] is not None:
        if int(match[9]) > 23 or int(match[10]) > 59:
            return None
        offset = int(match[9]) * 60 + int(match[10])
        offset = -offset if match[8] == b"-" else offset
    minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset
    return (minutes * 60 + second) * 1_000_000 + fraction


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def days_since_1970(year: int, month: int, day: int) -> int:
    days = 0
    for y in range(1970, year):
        days += 366 if is_leap(y) else 365
    for y in range(year, 1970):
        days -= 366 if is_leap(y) else 365
    for m in range(1, month):
        days += days_in_month(year, m)
    return days + day - 1


def pacbio(first: bytes) -> Name | None:
    match = PACBIO.fullmatch(first)
    if match is None or int(match[2]) > MAX_ZMW:
        return None
    grammar = "pacbio-rs2" if RS2_MOVIE.fullmatch(match[1]) else "pacbio"
    return Name(grammar, zmw=int(match[2]))


def mgi(first: bytes, rest: bytes) -> Name | None:
    match = MGI.fullmatch(first)
    if match is None:
        return None
    lane, column, row = int(match[1]), int(match[2]), int(match[3])
    tile = 1000 * column + row
    if lane == 0 or tile == 0:
        return None
    return Name(
        "stereo-seq" if STEREO_TAIL.fullmatch(rest) else "mgi",
        lane=lane,
        tile=tile,
        column=column,
        row=row,
        read=int(match[5] or 0),
        index=match[4] or b"",
    )


def ultima(first: bytes) -> Name | None:
    return Name("ultima") if ULTIMA.fullmatch(first) else None
