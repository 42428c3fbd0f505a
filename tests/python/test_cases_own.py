"""The project's own small files, one a rule (tests/data/manifest.tsv)."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

import genomevedic as gv
from compare import assert_same_columns, check, drain, place_of
from reference import ALL_COLUMNS, read
from support import DATA, OwnCase, case_name, make_records, own_cases

CASES = own_cases()
BUILTIN = {
    "FastqFormatError": ValueError,
    "QualityMismatchError": ValueError,
    "TruncatedFileError": EOFError,
}


def test_every_file_is_in_the_manifest() -> None:
    files = {path.name for path in DATA.iterdir() if path.name.startswith(("y_", "n_", "i_"))}
    assert files == {case.path.name for case in CASES}


@pytest.mark.parametrize("case", [c for c in CASES if c.error is None], ids=case_name)
def test_accepted(case: OwnCase) -> None:
    particles = gv.read_fastq(case.path, **case.options)
    assert len(particles) == case.records
    assert particles.stats.bases == case.bases
    check(case.path.read_bytes(), **case.options)


@pytest.mark.parametrize("case", [c for c in CASES if c.error is not None], ids=case_name)
def test_rejected(case: OwnCase) -> None:
    with pytest.raises(gv.errors.GenomeVedicError) as caught:
        gv.read_fastq(case.path, **case.options)
    error = caught.value
    assert place_of(error) == case.fault
    assert isinstance(error, BUILTIN[case.error])
    assert isinstance(error, gv.errors.FastqFormatError)
    assert os.fspath(error.path) == os.fspath(case.path)


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_same_in_gzip_and_under_any_name(case: OwnCase, tmp_path: Path) -> None:
    """The format is told by the first bytes; places count in the decompressed text."""
    path = tmp_path / "reads.txt"
    path.write_bytes(gzip.compress(case.path.read_bytes(), mtime=0))
    if case.error is None:
        assert len(gv.read_fastq(path, **case.options)) == case.records
    else:
        with pytest.raises(gv.errors.GenomeVedicError) as caught:
            gv.read_fastq(path, **case.options)
        assert place_of(caught.value) == case.fault


@pytest.mark.parametrize("case", [c for c in CASES if c.error is not None], ids=case_name)
def test_scanning_gives_the_sound_records_first(case: OwnCase) -> None:
    table = read([case.path.read_bytes()], **case.options)
    with gv.scan_fastq(case.path, columns=ALL_COLUMNS, **case.options) as reader:
        batches, error = drain(reader)
    assert error is not None
    assert place_of(error) == case.fault
    assert len(batches) <= 1
    assert sum(map(len, batches)) == len(table)
    for batch in batches:
        assert_same_columns(batch, table)


def test_a_fault_in_the_second_source_counts_within_it() -> None:
    sources = [DATA / "y_blank_tail.fastq", DATA / "n_header_without_at_later.fastq"]
    with pytest.raises(gv.errors.FastqFormatError) as caught:
        gv.read_fastq(sources)
    assert (caught.value.line, caught.value.record, caught.value.offset) == (5, 2, 16)
    assert os.fspath(caught.value.path) == os.fspath(sources[1])


def test_the_longest_record_allowed() -> None:
    text = b"@r1\nACGT\n+\nIIII\n@r2\n" + b"A" * 500 + b"\n+\n" + b"I" * 500 + b"\n"
    assert len(gv.read_fastq(text, max_record_bytes=5000)) == 2
    with pytest.raises(gv.errors.RecordTooLongError) as caught:
        gv.read_fastq(text, max_record_bytes=200)
    assert caught.value.record == 2


def test_the_cap_holds_where_no_line_ends() -> None:
    with pytest.raises(gv.errors.RecordTooLongError):
        gv.read_fastq(b"@r1\n" + b"A" * 100_000, max_record_bytes=1000)


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 4, 100])
def test_limit_reads_nothing_after(limit: int) -> None:
    """The fault after the third record is met only by who reads on."""
    text = b"".join(make_records(3, seed=21)) + b"no record\n"
    table = check(text, limit=limit)
    assert (table.fault is not None) == (limit > 3)


def test_limit_counts_kept_records_over_sources() -> None:
    sources = [b"".join(make_records(20, seed=s)) for s in (1, 2, 3)]
    everything = check(sources, min_quality=45.0)
    assert 10 < len(everything) < 60
    for limit in (1, len(everything) // 2, len(everything), 1000):
        assert len(check(sources, min_quality=45.0, limit=limit)) == min(limit, len(everything))


@pytest.mark.parametrize("layout", ["composition", "spiral", "grid"])
def test_ordinals_run_over_sources(layout: str) -> None:
    plain = [b"".join(make_records(n, seed=n)) for n in (5, 0, 9, 1)]
    sources = [plain[0], plain[1], gzip.compress(plain[2], mtime=0), plain[3]]
    table = check(sources, layout=layout, min_quality=40.0)
    assert table.stats["reads"] == 15
    assert table.columns["metadata"] != list(range(len(table)))


def test_min_quality_at_the_very_mean() -> None:
    text = b"@a\nACG\n+\nIIJ\n@b\nACG\n+\nIII\n"
    mean = 121 / 3
    assert gv.read_fastq(text, min_quality=mean)["metadata"].tolist() == [0]
    assert len(gv.read_fastq(text, min_quality=40.0)) == 2
    assert len(gv.read_fastq(text, min_quality=40.334)) == 0


def test_empty_reads_pass_only_a_filter_of_zero() -> None:
    text = b"@a\n\n+\n\n"
    assert len(check(text)) == 1
    assert len(check(text, min_quality=-3.0)) == 1
    assert len(check(text, min_quality=0.001)) == 0
