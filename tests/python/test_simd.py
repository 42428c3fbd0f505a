"""Every kernel variant gives what the scalar one gives, bit for bit."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import genomevedic as gv
from support import SHARED_READS, make_records, needs_shared_reads

VARIANTS = gv.show_config("dict")["simd_variants"]
OTHERS = [variant for variant in VARIANTS if variant != "scalar"]


def outcome(text: object, simd: str, **options: object) -> object:
    """What a reading gives: all columns as bytes, or the whole error."""
    try:
        p = gv.read_fastq(text, simd=simd, columns=gv.COLUMNS, **options)
    except gv.errors.GenomeVedicError as error:
        return type(error), str(error), dict(error.context)
    columns = [p[name].tobytes() for name in gv.COLUMNS[:8]]
    texts = [p[name].tolist() for name in gv.COLUMNS[8:]]
    return columns, texts, p.stats.as_dict() | {"seconds": None}


def test_the_variants_of_this_machine() -> None:
    assert VARIANTS[-2:] == ["swar", "scalar"]
    assert gv.show_config("dict")["simd"] == VARIANTS[0]


@pytest.mark.parametrize("variant", OTHERS)
def test_reads_of_every_length(variant: str) -> None:
    chance = random.Random(7)
    for length in [*range(200), 255, 256, 257, 2039, 2040, 2041, 5000]:
        sequence = bytes(chance.choices(b"ACGTacgtUuNn.-RYK", k=length))
        quality = bytes(chance.choices(range(33, 127), k=length))
        for end in (b"\n", b"\r\n", b""):
            text = b"@r\n%s%s+\n%s%s" % (sequence, end or b"\n", quality, end)
            assert outcome(text, variant) == outcome(text, "scalar")


@pytest.mark.parametrize("variant", OTHERS)
@pytest.mark.parametrize("encoding", ["phred33", "phred64"])
def test_every_byte_at_every_place(variant: str, encoding: str) -> None:
    """A bad byte must be seen in whole vectors, in the last part of one, and at the edges."""
    length = 150
    good = bytearray(b"@r\n" + b"ACGTN" * 30 + b"\n+\n" + b"hIJKLh" * 25 + b"\n@s\nA\n+\nh\n")
    places = [3, 4, 34, 35, 66, 67, 68, 131, 150, 152, 156, 157, 219, 220, 283, 284, 305]
    assert all(good[place] != 10 for place in places) and len(good) > 2 * length
    for place in places:
        for byte in [*range(70), *range(120, 140), 255]:
            text = good.copy()
            text[place] = byte
            found = outcome(text, variant, encoding=encoding)
            assert found == outcome(text, "scalar", encoding=encoding), (place, byte)


@pytest.mark.parametrize("variant", OTHERS)
@given(data=st.data())
def test_damaged_records(variant: str, data: st.DataObject) -> None:
    records = make_records(8, seed=data.draw(st.integers(0, 1000)), longest=300)
    text = bytearray(b"".join(records))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place] = data.draw(st.sampled_from(b"\n\r@+ACGTN\0 \x7f\x80\xff!~"))
    assert outcome(text, variant) == outcome(text, "scalar")


@needs_shared_reads
@pytest.mark.parametrize("variant", OTHERS)
@pytest.mark.parametrize("name", ["illumina_casava18", "long_reads_no_coordinates"])
def test_real_reads(variant: str, name: str) -> None:
    path = SHARED_READS / f"{name}.fastq.gz"
    assert outcome(path, variant) == outcome(path, "scalar")
