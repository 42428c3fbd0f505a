"""Input cut at every byte: an error, or exactly the whole records before the cut."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from itertools import accumulate, pairwise

import pytest

import genomevedic as gv
from compare import assert_same_fault, read_quietly
from reference import parse
from support import END_BLOCK, bgzf_block, gzip_member, make_records

COLUMNS = ("metadata", "name", "sequence", "qualities", "gc")


@dataclass(frozen=True)
class Whole:
    """A file, and after how many of its bytes how many whole records may be read without error.

    ``warned`` holds the cuts at which nothing but the missing end block tells that something is
    gone.
    """

    data: bytes
    records: list[bytes]
    sound_cuts: dict[int, int]
    warned: frozenset[int] = frozenset()


def ends_of(records: list[bytes]) -> list[int]:
    return list(accumulate(map(len, records)))


def plain(newline: bytes) -> Whole:
    """A cut may lie between records, or within the last line end of one (a missing newline)."""
    records = make_records(50, seed=50, longest=16, newline=newline)
    text = b"".join(records)
    cuts = {0: 0}
    for count, end in enumerate(ends_of(records), 1):
        cuts.update((end - missing, count) for missing in range(len(newline) + 1))
    return Whole(text, records, cuts)


def single_gzip() -> Whole:
    records = make_records(50, seed=51, longest=16)
    data = gzip_member(b"".join(records), name=b"reads.fastq", header_crc=True)
    return Whole(data, records, {0: 0, len(data): 50})


def pieces_of(records: list[bytes]) -> list[tuple[bytes, int | None]]:
    """The text in nine parts; beside each the records whole after it, None within a record."""
    text = b"".join(records)
    ends = ends_of(records)
    within = (ends[9] + 7, ends[24] - 9)
    places = sorted([0, *within, *(ends[count - 1] for count in (5, 10, 20, 30, 40, 50))])
    whole = {end: count for count, end in enumerate(ends, 1)}
    parts = [(text[a:b], whole.get(b)) for a, b in pairwise(places)]
    return [*parts[:3], (b"", parts[2][1]), *parts[3:]]


def many_members() -> Whole:
    records = make_records(50, seed=52, longest=16)
    data = b""
    cuts = {0: 0}
    for part, whole in pieces_of(records):
        data += gzip_member(part)
        if whole is not None:
            cuts[len(data)] = whole
    return Whole(data, records, cuts)


def blocked() -> Whole:
    records = make_records(50, seed=53, longest=16)
    data = b""
    cuts = {0: 0}
    for part, whole in pieces_of(records):
        if part:
            data += bgzf_block(part)
        if whole is not None:
            cuts[len(data)] = whole
    warned = frozenset(cut for cut in cuts if cut > 0)
    cuts[len(data) + len(END_BLOCK)] = 50
    return Whole(data + END_BLOCK, records, cuts, warned)


FILES = {
    "plain": plain(b"\n"),
    "plain CRLF": plain(b"\r\n"),
    "gzip": single_gzip(),
    "gzip members": many_members(),
    "bgzf": blocked(),
}


@pytest.mark.parametrize("kind", FILES)
def test_whole(kind: str) -> None:
    whole = FILES[kind]
    particles, warned = read_quietly(whole.data, columns=COLUMNS)
    assert len(particles) == 50
    assert warned == 0
    text = b"".join(whole.records)
    expected = parse(text).records
    assert [name.encode() for name in particles["name"]] == [record.name for record in expected]
    if kind.startswith("gzip"):
        assert gzip.decompress(whole.data) == text


@pytest.mark.parametrize("kind", FILES)
def test_cut_at_every_byte(kind: str) -> None:
    whole = FILES[kind]
    everything, _ = read_quietly(whole.data, columns=COLUMNS)
    read_without_error = {}
    for cut in range(len(whole.data) + 1):
        data = whole.data[:cut]
        if cut not in whole.sound_cuts:
            refused(data, plain=kind.startswith("plain"))
            continue
        particles, warned = read_quietly(data, columns=COLUMNS)
        assert particles == everything[: len(particles)]
        assert bool(warned) == (cut in whole.warned), cut
        assert particles.stats.missing_end_blocks == int(cut in whole.warned), cut
        read_without_error[cut] = len(particles)
    assert read_without_error == whole.sound_cuts


def refused(data: bytes, plain: bool) -> None:
    """A cut is named as one; of a gzip file a single byte is left no magic to know it by."""
    with pytest.raises(gv.errors.FastqFormatError) as caught:
        read_quietly(data, columns=COLUMNS)
    if plain:
        fault = parse(data).fault
        assert fault is not None
        assert_same_fault(caught.value, fault)
    elif len(data) > 1:
        assert isinstance(caught.value, gv.errors.TruncatedFileError)


def test_missing_end_block_warns() -> None:
    text = b"@r1\nACGT\n+\nIIII\n"
    with pytest.warns(gv.errors.MissingEndBlockWarning):
        particles = gv.read_fastq(bgzf_block(text))
    assert len(particles) == 1
    assert particles.stats.missing_end_blocks == 1
    assert issubclass(gv.errors.MissingEndBlockWarning, UserWarning)


def test_missing_end_blocks_are_counted_over_sources() -> None:
    text = b"@r1\nACGT\n+\nIIII\n"
    sources = [bgzf_block(text), bgzf_block(text) + END_BLOCK, text, bgzf_block(text)]
    particles, warned = read_quietly(sources)
    assert len(particles) == 4
    assert warned >= 1
    assert particles.stats.missing_end_blocks == 2
