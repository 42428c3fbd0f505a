"""The framing of gzip and BGZF: which bytes are taken, what they hold, what is refused."""

from __future__ import annotations

import warnings
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import genomevedic as gv
from compare import check
from genomevedic import _core
from reference import deframe
from support import (
    END_BLOCK,
    GzipCase,
    ReadIntoPieces,
    always,
    bgzf,
    bgzf_block,
    gzip_cases,
    gzip_member,
    make_records,
    spoiled,
)

ENGINES = gv.show_config("dict")["inflate_engines"]
GOOD = [case for case in gzip_cases() if case.payload is not None]
WRONG = [case for case in gzip_cases() if case.payload is None]
BUILTIN = {"BadGzipError": OSError, "TruncatedFileError": EOFError}


def name_of(case: GzipCase) -> str:
    return case.name


def inflate(data: bytes, engine: str | None = None) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gv.errors.MissingEndBlockWarning)
        return _core.inflate(data, engine)


def outcome(data: bytes, engine: str) -> bytes | str:
    """The payload, or the name of the error."""
    try:
        return inflate(data, engine)
    except gv.errors.GenomeVedicError as error:
        return type(error).__name__


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", GOOD, ids=name_of)
def test_taken(case: GzipCase, engine: str) -> None:
    assert inflate(case.data, engine) == case.payload


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", WRONG, ids=name_of)
def test_refused(case: GzipCase, engine: str) -> None:
    with pytest.raises(gv.errors.GenomeVedicError) as caught:
        inflate(case.data, engine)
    kind = type(caught.value).__name__
    assert kind in case.errors
    assert isinstance(caught.value, BUILTIN[kind])


@pytest.mark.parametrize("case", [c for c in GOOD if c.name != "a member a byte"], ids=name_of)
def test_read_as_fastq(case: GzipCase) -> None:
    assert check(case.data).fault is None


@pytest.mark.parametrize("case", WRONG, ids=name_of)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_refused_in_pieces(case: GzipCase, size: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gv.errors.MissingEndBlockWarning)
        with pytest.raises(gv.errors.GenomeVedicError) as caught:
            gv.read_fastq(ReadIntoPieces(case.data, always(size)()))
    assert type(caught.value).__name__ in case.errors


def test_engine_by_default_is_one_of_them() -> None:
    text = b"".join(make_records(9, seed=4))
    assert ENGINES
    assert inflate(gzip_member(text)) == text


def test_unknown_engine() -> None:
    with pytest.raises((ValueError, NotImplementedError)):
        inflate(gzip_member(b"text"), "no such engine")


@pytest.mark.parametrize("engine", ENGINES)
def test_large_and_well_packed(engine: str) -> None:
    """A thousandfold: the output grows far beyond the input."""
    text = b"@r1\n" + b"A" * 4_000_000 + b"\n+\n" + b"I" * 4_000_000 + b"\n"
    data = gzip_member(text, level=9)
    assert len(data) < 20_000
    assert zlib.crc32(inflate(data, engine)) == zlib.crc32(text)
    assert len(gv.read_fastq(data)) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_full_bgzf_blocks(engine: str) -> None:
    """Blocks of 65,280 bytes, as bgzip writes them, and one of 65,536 bytes of output."""
    text = b"".join(make_records(3000, seed=6))
    blocks = [text[i : i + 65280] for i in range(0, len(text), 65280)]
    assert inflate(bgzf(*blocks), engine) == text
    assert inflate(bgzf(bytes(65536)), engine) == bytes(65536)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("form", ["gzip", "bgzf"])
def test_every_byte_spoiled(form: str, engine: str) -> None:
    """One wrong bit anywhere is refused, or lies where it changes nothing (time, name, system)."""
    text = b"@r1\nACGTACGTAAAA\n+\nIIIIIIIIIIII\n"
    if form == "gzip":
        data = gzip_member(text, name=b"reads")
        free = {4, 5, 6, 7, 8, 9, *range(10, 15)}
    else:
        data = bgzf_block(text)
        # Spoiling the subfield's letters or length leaves a plain member.
        free = {4, 5, 6, 7, 8, 9, 12, 13, 14, 15}
    # The last byte of the deflate stream may end in bits that mean nothing.
    last = len(data) - 9
    for at in range(len(data)):
        found = outcome(spoiled(data, at), engine)
        if at < 2:
            assert found == spoiled(data, at), "without the magic bytes it is plain text"
        elif at in free:
            assert found == text, at
        elif at != last or found != text:
            assert found in ("BadGzipError", "TruncatedFileError"), at


PARTS = st.tuples(
    st.binary(max_size=200),
    st.sampled_from(["gzip", "bgzf", "stored"]),
)


def framed(parts: list[tuple[bytes, str]]) -> bytes:
    make = {"gzip": gzip_member, "bgzf": bgzf_block, "stored": lambda p: gzip_member(p, level=0)}
    return b"".join(make[how](payload) for payload, how in parts)


@given(st.lists(PARTS, min_size=1, max_size=5), st.integers(0, 3))
def test_any_members(parts: list[tuple[bytes, str]], padding: int) -> None:
    data = framed(parts) + bytes(padding)
    expected = b"".join(payload for payload, _ in parts)
    assert deframe(data).payload == expected
    for engine in ENGINES:
        assert inflate(data, engine) == expected


@given(st.lists(PARTS, min_size=1, max_size=3), st.data())
def test_damaged_members(parts: list[tuple[bytes, str]], data: st.DataObject) -> None:
    """All engines and the oracle agree on what damaged bytes hold, or that they are damaged."""
    whole = framed(parts)
    at = data.draw(st.integers(2, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    damaged = whole[:at] + bytes([byte]) + whole[at + 1 :]
    damaged = damaged[: data.draw(st.sampled_from([len(whole), at, at + 1]))]
    expected = deframe(damaged)
    undamaged = b"".join(payload for payload, _ in parts)
    for engine in ENGINES:
        found = outcome(damaged, engine)
        if expected.fault is None:
            assert found == expected.payload
        else:
            # Some decoders overlook a code that zlib refuses. Where the text is what its checksum
            # and length say, nothing is lost.
            assert found in ("BadGzipError", "TruncatedFileError", undamaged)


def test_much_padding_and_many_empty_blocks_can_be_interrupted_and_are_read_through() -> None:
    """The core comes back to look at signals every 32 MiB, and loses nothing."""
    text = b"@r\nACGT\n+\nIIII\n"
    for data in (gzip_member(text) + bytes(80 << 20), END_BLOCK * 3_000_000 + bgzf(text)):
        assert len(gv.read_fastq(data)) == 1
        assert _core.inflate(data) == text
