"""The oracle is held against expectations made by hand, before anything is held against it."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct

import pytest

from reference import Record, deframe, parse, read
from reference.appearance import color, size
from reference.measures import Measures, float32, is_kept, measure
from reference.places import composition, spiral
from support import (
    END_BLOCK,
    SHARED_CASES,
    SHARED_READS,
    GzipCase,
    OwnCase,
    SharedCase,
    bgzf,
    case_name,
    gzip_cases,
    make_records,
    needs_shared_cases,
    needs_shared_reads,
    own_cases,
    shared_cases,
)


def measured(sequence: bytes, qualities: bytes, encoding: str = "phred33") -> Measures:
    return measure(Record(b"", sequence, qualities), encoding)


@pytest.mark.parametrize("case", own_cases(), ids=case_name)
def test_own_cases(case: OwnCase) -> None:
    parsed = parse(case.path.read_bytes(), **case.options)
    if case.error is not None:
        fault = parsed.fault
        assert fault is not None
        assert (fault.kind, fault.line, fault.record, fault.offset, fault.field) == case.fault
    else:
        assert parsed.fault is None
        assert len(parsed.records) == case.records
        assert sum(len(record.sequence) for record in parsed.records) == case.bases
        assert all(len(record.sequence) == len(record.qualities) for record in parsed.records)


@pytest.mark.parametrize("case", shared_cases("fastq_", "ok"), ids=case_name)
def test_shared_cases_accepted(case: SharedCase) -> None:
    parsed = parse(case.path.read_bytes())
    assert parsed.fault is None
    assert len(parsed.records) == case.records
    assert sum(len(record.sequence) for record in parsed.records) == case.bases
    assert (parsed.first_wrapped is not None) == (case.expectation == "ok-multiline")


@pytest.mark.parametrize("case", shared_cases("fastq_", "error"), ids=case_name)
def test_shared_cases_rejected(case: SharedCase) -> None:
    fault = parse(case.path.read_bytes()).fault
    assert fault is not None
    if "(0-based)" in case.note:
        assert fault.line == int(case.note.split("==")[1].split()[0]) + 1


@pytest.mark.parametrize("case", shared_cases("gzip/", "ok"), ids=case_name)
def test_shared_gzip_cases(case: SharedCase) -> None:
    frames = deframe(case.path.read_bytes())
    assert frames.fault is None
    digest = hashlib.sha256(frames.payload).hexdigest()[:16]
    assert f"len={len(frames.payload)} sha256[:16]={digest}" == case.payload


@pytest.mark.parametrize("case", gzip_cases(), ids=lambda case: case.name)
def test_gzip_cases(case: GzipCase) -> None:
    frames = deframe(case.data)
    if case.payload is None:
        assert frames.fault is not None
        assert frames.fault.kind in case.errors
    else:
        assert frames.fault is None
        assert frames.payload == case.payload


@needs_shared_reads
@pytest.mark.parametrize(
    ("file", "reads"),
    [
        ("illumina_casava18.fastq.gz", 10000),
        ("paired_1.fastq.gz", 2500),
        ("paired_2.fastq.gz", 2500),
        ("long_reads_no_coordinates.fastq.gz", 4000),
    ],
)
def test_shared_reads(file: str, reads: int) -> None:
    """Every fourth line of these files begins a record, as their README counts them."""
    data = (SHARED_READS / file).read_bytes()
    text = deframe(data).payload
    assert text == gzip.decompress(data)
    lines = text.split(b"\n")
    parsed = parse(text)
    assert parsed.fault is None
    assert [record.name for record in parsed.records] == [line[1:] for line in lines[0:-1:4]]
    assert [record.sequence for record in parsed.records] == lines[1::4]
    assert [record.qualities for record in parsed.records] == lines[3::4]
    assert len(parsed.records) == reads


@needs_shared_cases
@pytest.mark.parametrize("stem", ["longreads", "wrapping"])
def test_wrapped_files_hold_what_their_unwrapped_twins_hold(stem: str) -> None:
    folder = SHARED_CASES / "fastq_valid" / "biopython"
    wrapped = parse((folder / f"{stem}_original_sanger.fastq").read_bytes())
    straight = parse((folder / f"{stem}_as_sanger.fastq").read_bytes())
    assert wrapped.first_wrapped == 0
    assert straight.first_wrapped is None
    assert wrapped.records == straight.records


@needs_shared_cases
@pytest.mark.parametrize("stem", ["illumina_full_range", "misc_dna", "wrapping"])
def test_phred64_files_measure_as_their_phred33_twins(stem: str) -> None:
    folder = SHARED_CASES / "fastq_valid" / "biopython"
    new = parse((folder / f"{stem}_as_sanger.fastq").read_bytes())
    old = parse((folder / f"{stem}_as_illumina.fastq").read_bytes(), encoding="phred64")
    assert new.fault is None
    assert old.fault is None
    twins = zip(new.records, old.records, strict=True)
    assert all(measure(a) == measure(b, "phred64") for a, b in twins)


def test_records_by_hand() -> None:
    parsed = parse(b"@r1 x\nAC\nGT\n+r1 x\n@I\n+I\n@r2\r\nA\r\n+\r\n~\r\n")
    assert parsed.records == [Record(b"r1 x", b"ACGT", b"@I+I"), Record(b"r2", b"A", b"~")]
    assert parsed.first_wrapped == 0
    assert parsed.fault is None


def test_every_cut_is_a_fault_or_whole_records() -> None:
    records = make_records(12, seed=5)
    text = b"".join(records)
    ends = [len(b"".join(records[: i + 1])) for i in range(len(records))]
    for cut in range(len(text) + 1):
        parsed = parse(text[:cut])
        if parsed.fault is None:
            # Whole up to the newline of the last record, which may be missing.
            assert cut in (0, *ends, *(end - 1 for end in ends))
            assert len(parsed.records) == sum(cut >= end - 1 for end in ends)
        else:
            assert parsed.fault.kind == "TruncatedFileError"
            assert parsed.fault.offset == cut
            assert parsed.fault.line == text[:cut].count(b"\n") + 1


def test_bgzf_end_block() -> None:
    assert deframe(bgzf(b"text")).missing_end_block is False
    assert deframe(bgzf(b"text", end=b"")).missing_end_block is True
    assert deframe(bgzf(b"text") + bgzf(b"more", end=b"")).missing_end_block is True
    assert deframe(END_BLOCK).missing_end_block is False
    assert deframe(gzip.compress(b"text")).missing_end_block is False
    formats = [deframe(data).format for data in (b"text", gzip.compress(b""), END_BLOCK)]
    assert formats == ["plain", "gzip", "bgzf"]


def test_measures_by_hand() -> None:
    read = measured(b"AaCcGgTtUuNn-", b"I" * 13)
    assert (read.a, read.c, read.g, read.t, read.known) == (2, 2, 2, 4, 10)
    assert read.gc == 0.4
    assert (read.length, read.phred_sum, read.quality) == (13, 520, 40.0)
    assert read.error_quality == pytest.approx(40.0, rel=1e-15)


def test_mean_error_probability() -> None:
    """Q10 and Q20 are errors of 0.1 and 0.01: 0.055 in the mean, which is Q12.596."""
    read = measured(b"AC", b"+5")
    assert read.quality == 15.0
    assert read.error_quality == pytest.approx(-10 * math.log10(0.055), rel=1e-15)
    assert measured(b"AC", b"JT", "phred64").error_quality == read.error_quality
    assert measured(b"AC", b"JT", "phred64").quality == 15.0


def test_measures_that_do_not_exist() -> None:
    empty = measured(b"", b"")
    assert math.isnan(empty.gc)
    assert math.isnan(empty.quality)
    assert math.isnan(empty.error_quality)
    unknown = measured(b"NNN", b"III")
    assert math.isnan(unknown.gc)
    assert unknown.quality == 40.0


def test_filter() -> None:
    read = measured(b"ACG", b"IIJ")
    assert is_kept(read, 40.0)
    assert is_kept(read, 121 / 3)
    assert not is_kept(read, math.nextafter(121 / 3, 50))
    empty = measured(b"", b"")
    assert is_kept(empty, 0.0)
    assert is_kept(empty, -1.0)
    assert not is_kept(empty, 1e-300)


@pytest.mark.parametrize(
    ("gc", "expected"),
    [
        (0.0, (0, 0, 1, 1)),
        (0.2, (0, 0.5, 1, 1)),
        (0.4, (0, 1, 1, 1)),
        (0.45, (0, 1, 0.5, 1)),
        (0.5, (0, 1, 0, 1)),
        (0.55, (0.5, 1, 0, 1)),
        (0.6, (1, 1, 0, 1)),
        (0.8, (1, 0.5, 0, 1)),
        (1.0, (1, 0, 0, 1)),
        (math.nan, (0.5, 0.5, 0.5, 1)),
    ],
)
def test_color(gc: float, expected: tuple[float, ...]) -> None:
    assert color(gc) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        (-5.0, 0.5),
        (0.0, 0.5),
        (5.0, 0.625),
        (10.0, 0.75),
        (20.0, 1.125),
        (30.0, 1.5),
        (35.0, 1.75),
        (40.0, 2.0),
        (93.0, 2.0),
        (math.nan, 0.5),
    ],
)
def test_size(quality: float, expected: float) -> None:
    assert size(quality) == expected


@pytest.mark.parametrize("stop", [0.4, 0.5, 0.6])
def test_color_is_continuous(stop: float) -> None:
    below = [float32(value) for value in color(math.nextafter(stop, 0))]
    above = [float32(value) for value in color(math.nextafter(stop, 1))]
    assert below == pytest.approx(above, abs=1e-14)


@pytest.mark.parametrize(
    ("sequence", "place"),
    [
        (b"A", (1, 1, 1)),
        (b"T", (1, 1, 1)),
        (b"u", (1, 1, 1)),
        (b"C", (1, -1, -1)),
        (b"G", (1, -1, -1)),
        (b"AC", (0, 1, 0)),
        (b"GT", (0, 1, 0)),
        (b"AG", (1, 0, 0)),
        (b"CT", (1, 0, 0)),
        (b"AT", (0, 0, 1)),
        (b"ACGT", (0, 0, 0)),
        (b"AAANN", (1, 1, 1)),
        (b"AACG", (0.5, 0.5, 0)),
    ],
)
def test_composition(sequence: bytes, place: tuple[float, ...]) -> None:
    found = composition(measured(sequence, b"I" * len(sequence)))
    assert found == place
    assert not any(value == 0 and math.copysign(1, value) < 0 for value in found)


def test_composition_of_nothing_known() -> None:
    assert all(math.isnan(value) for value in composition(measured(b"NN", b"II")))


def test_composition_is_blind_to_the_strand_and_tells_gc() -> None:
    partner = bytes.maketrans(b"ACGT", b"TGCA")
    for record in parse(b"".join(make_records(40, seed=9))).records:
        sequence = bytes(base for base in record.sequence.upper() if base in b"ACGT")
        if not sequence:
            continue
        forward = measured(sequence, b"I" * len(sequence))
        reverse = measured(sequence.translate(partner)[::-1], b"I" * len(sequence))
        assert composition(forward) == composition(reverse)
        assert composition(forward)[2] == pytest.approx(1 - 2 * forward.gc, abs=1e-15)


def test_spiral() -> None:
    assert spiral(0) == (math.sqrt(0.5), 0.0, 0.0)
    x, y, z = spiral(7)
    assert x * x + y * y == pytest.approx(7.5)
    assert math.atan2(y, x) == pytest.approx(math.remainder(2.399963 * 7, math.tau))
    assert z == 0.0


def test_float32_rounds_to_nearest() -> None:
    assert float32(1 + 2**-24) == 1.0
    assert float32(1 + 3 * 2**-24) == 1 + 2**-22
    assert struct.pack("<f", float32(0.1)) == b"\xcd\xcc\xcc\x3d"
    assert math.isnan(float32(math.nan))


def test_statistics_by_hand() -> None:
    first = b"@a\nGGCN\n+\nIIII\n@b\nAT\n+\n!!\n@c\n\n+\n\n"
    second = gzip.compress(b"@d\nNN\n+\n++\n")
    table = read([first, second])
    assert table.columns["metadata"] == [0, 1, 2, 3]
    assert table.stats == {
        "reads": 4,
        "kept": 4,
        "filtered": 0,
        "bases": 8,
        "unknown_bases": 3,
        "unknown_reads": 2,
        "bytes_in": len(first) + len(second),
        "text_bytes": len(first) + 11,
        "mean_length": 2.0,
        "mean_quality": 180 / 8,
        "mean_gc": 3 / 5,
        "sources": 2,
        "missing_end_blocks": 0,
        "wrapped": False,
    }
    filtered = read([first, second], min_quality=10)
    assert filtered.columns["metadata"] == [0, 3]
    assert (filtered.stats["kept"], filtered.stats["filtered"]) == (2, 2)
    assert filtered.stats["mean_quality"] == 180 / 6
    limited = read([first, b"no FASTQ"], min_quality=0.5, limit=1)
    assert limited.fault is None
    assert limited.columns["name"] == [b"a"]


def test_rows_before_a_fault() -> None:
    table = read([b"@a\nA\n+\nI\n", b"@b\nA\n+\nI\n@c\nA\n-\nI\n"])
    assert table.columns["name"] == [b"a", b"b"]
    assert table.fault_source == 1
    assert table.fault is not None
    assert (table.fault.record, table.fault.line, table.fault.offset) == (2, 7, 14)


def test_unconfirmed_wrapped_records_are_not_rows_before_a_fault() -> None:
    table = read([b"@a\nACGT\n+\nII\nII\n@b\nA\n-\nI\n"])
    assert table.fault is not None
    assert (table.fault.kind, table.fault.line) == ("QualityMismatchError", 4)
    assert table.columns["name"] == []
