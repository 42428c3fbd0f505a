"""Input handed over by a file object in pieces of any size, and taken in batches of any size."""

from __future__ import annotations

import functools
import io
from pathlib import Path

import pytest

import genomevedic as gv
from compare import assert_same_columns, assert_same_fault
from genomevedic import _core
from reference import ALL_COLUMNS, Table, read
from support import (
    Pieces,
    ReadIntoPieces,
    ReadPieces,
    always,
    at_random,
    bgzf,
    gzip_member,
    make_records,
)

FORMATS = ("plain", "crlf", "wrapped", "gzip", "members", "bgzf")
OBJECTS = (ReadIntoPieces, ReadPieces)


@functools.cache
def sample(form: str, count: int) -> tuple[bytes, Table]:
    """A file of ``count`` records and what the oracle reads in it."""
    text = b"".join(make_records(count, seed=count, newline=b"\r\n" if form == "crlf" else b"\n"))
    if form == "wrapped":
        text = b"".join(wrapped_record(i) for i in range(count))
    third = len(text) // 3
    parts = (text[:third], text[third : 2 * third], text[2 * third :])
    if form == "gzip":
        text = gzip_member(text, name=b"reads.fastq", header_crc=True)
    elif form == "members":
        text = b"".join(map(gzip_member, (parts[0], b"", *parts[1:])))
    elif form == "bgzf":
        text = bgzf(*parts)
    table = read([text])
    assert table.fault is None
    return text, table


def wrapped_record(i: int) -> bytes:
    name = f"read {i}".encode()
    return b"@" + name + b"\nACGTN\nGGC\n+" + name + b"\n@+II5\n+@" + bytes([33 + i % 94]) + b"\n"


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("form", FORMATS)
def test_small_pieces(form: str, kind: type[Pieces]) -> None:
    data, table = sample(form, 40)
    for size in range(1, 65):
        particles = gv.read_fastq(kind(data, always(size)()), columns=ALL_COLUMNS)
        assert_same_columns(particles, table)


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("size", [4095, 4096, 4097])
@pytest.mark.parametrize("form", FORMATS)
def test_pieces_about_a_page(form: str, size: int, kind: type[Pieces]) -> None:
    data, table = sample(form, 300)
    particles = gv.read_fastq(kind(data, always(size)()), columns=ALL_COLUMNS)
    assert_same_columns(particles, table)
    assert particles.stats.bytes_in == len(data)


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("form", FORMATS)
def test_random_pieces(form: str, seed: int, kind: type[Pieces]) -> None:
    data, table = sample(form, 300)
    sizes = at_random(seed, largest=(7, 100, 999, 5000, 70000)[seed])
    particles = gv.read_fastq(kind(data, sizes()), columns=ALL_COLUMNS)
    assert_same_columns(particles, table)


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 64])
def test_faults_in_pieces(size: int, kind: type[Pieces]) -> None:
    """A fault lies where it lies, however the text arrives."""
    data = b"".join(make_records(20, seed=8))
    for at in range(0, len(data), 11):
        spoiled = data[:at] + b"\x01" + data[at + 1 :]
        fault = read([spoiled]).fault
        if fault is None:
            assert len(gv.read_fastq(kind(spoiled, always(size)()))) == 20
            continue
        with pytest.raises(gv.errors.FastqFormatError) as caught:
            gv.read_fastq(kind(spoiled, always(size)()))
        assert_same_fault(caught.value, fault)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 50, 299, 300, 301, 10**6])
@pytest.mark.parametrize("form", FORMATS)
def test_batches_of_any_size(form: str, batch_size: int) -> None:
    data, table = sample(form, 300)
    with gv.scan_fastq(data, columns=ALL_COLUMNS) as reader:
        batches = list(reader.batches(batch_size))
        stats = reader.stats
    full, rest = divmod(300, batch_size)
    assert [len(batch) for batch in batches] == [batch_size] * full + [rest] * (rest > 0)
    assert_same_columns(gv.Particles.concat(batches), table)
    assert stats.reads == 300


@pytest.mark.parametrize("form", FORMATS)
def test_every_way_to_hand_over_the_same_bytes(form: str, tmp_path: Path) -> None:
    data, table = sample(form, 300)
    path = tmp_path / "reads"
    path.write_bytes(data)
    with path.open("rb") as buffered, path.open("rb", buffering=0) as raw:
        sources = [
            path,
            str(path),
            data,
            bytearray(data),
            memoryview(data),
            io.BytesIO(data),
            buffered,
            raw,
            [data],
            (path,),
        ]
        for source in sources:
            assert_same_columns(gv.read_fastq(source, columns=ALL_COLUMNS), table)


def test_sources_of_many_kinds_in_a_row() -> None:
    forms = [sample(form, 40)[0] for form in FORMATS]
    table = read(forms)
    sources = [
        kind(data, always(size)())
        for data, kind, size in zip(forms, OBJECTS * 3, (3, 50, 64, 1, 4096, 17), strict=True)
    ]
    assert_same_columns(gv.read_fastq(sources, columns=ALL_COLUMNS), table)


def test_a_file_object_is_read_from_where_it_stands() -> None:
    data, table = sample("plain", 40)
    stream = io.BytesIO(b"not FASTQ at all" + data)
    stream.seek(16)
    assert_same_columns(gv.read_fastq(stream, columns=ALL_COLUMNS), table)


class FailsAtTheEnd(ReadPieces):
    """Gives all it has, and then fails instead of ending."""

    def read(self, size: int = -1) -> bytes:
        piece = super().read(size)
        if not piece:
            raise OSError("the disk is gone")
        return piece


@pytest.mark.parametrize("size", [1, 7, 100, 333, 500, 10**6])
def test_records_before_a_failing_read_do_not_depend_on_the_pieces(size: int) -> None:
    """Before the fix, text at hand was dropped when the source failed while more was wanted."""
    data = b"".join(b"@r%d\n%s\n+\n%s\n" % (i, b"A" * 100, b"I" * 100) for i in range(5))
    with gv.scan_fastq(FailsAtTheEnd(data, always(size)())) as reader:
        batches = reader.batches()
        assert len(next(batches)) == 5
        with pytest.raises(gv.errors.SourceReadError):
            next(batches)


@pytest.mark.parametrize("size", [*range(1, 300, 7), 10**6])
def test_the_first_fault_is_told_however_the_input_comes(size: int) -> None:
    """A record that breaks the format, and behind it a member whose checksum is wrong."""
    text = b"".join(make_records(3, seed=4)) + b"@r\nACGT\n+\nII\n"
    data = gzip_member(text) + gzip_member(b"@s\nA\n+\nI\n", crc=1)
    with gv.scan_fastq(ReadPieces(data, always(size)())) as reader:
        batches = reader.batches()
        assert len(next(batches)) == 3
        with pytest.raises(gv.errors.QualityMismatchError):
            next(batches)


def test_a_long_header_in_single_bytes_is_read_once() -> None:
    """Before the fix, a gzip header was parsed anew with each byte of it."""
    data = gzip_member(b"@r\nA\n+\nI\n", extra=bytes(60_000), name=b"n" * 150_000)
    assert len(gv.read_fastq(ReadPieces(data, always(1)()))) == 1


def test_a_reader_that_met_a_fault_stays_at_it() -> None:
    """Before the fix, the core could be asked to read on, and made up what it read."""
    text = b"".join(wrapped_record(i) for i in range(60))
    core = _core.Reader((("<bytes>", text), ("<bytes>", text)), ("length",), memory_limit=40)
    with pytest.raises(gv.errors.MemoryLimitError):
        core.advance(10**9, 10**9)
    assert core.rows == 10
    with pytest.raises(gv.errors.MemoryLimitError):
        core.advance(10**9, 10**9)
    assert core.rows == 10


def test_progress_and_signals_have_their_moment_between_sources() -> None:
    seen: list[int] = []
    text = b"".join(make_records(10, seed=1))
    gv.read_fastq([text] * 20, progress=lambda done, total: seen.append(done))
    assert len(seen) >= 20
