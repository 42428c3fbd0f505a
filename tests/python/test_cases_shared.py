"""Files from other projects' test suites and real reads, where they stand beside the repository."""

from __future__ import annotations

import hashlib

import pytest

import genomevedic as gv
from compare import assert_same_fault, check
from genomevedic import _core
from reference import read
from support import (
    SHARED_READS,
    SharedCase,
    case_name,
    needs_shared_cases,
    needs_shared_reads,
    shared_cases,
)

ENGINES = gv.show_config("dict")["inflate_engines"]


@needs_shared_cases
def test_there_are_cases() -> None:
    assert len(shared_cases("fastq_", "ok")) > 50
    assert len(shared_cases("fastq_", "error")) > 40


@pytest.mark.parametrize("case", shared_cases("fastq_", "ok"), ids=case_name)
def test_accepted(case: SharedCase) -> None:
    particles = gv.read_fastq(case.path, layout="composition")
    assert len(particles) == case.records
    assert particles.stats.bases == case.bases
    assert particles.stats.wrapped == (case.expectation == "ok-multiline")
    check(case.path.read_bytes())


@pytest.mark.parametrize("case", shared_cases("fastq_", "error"), ids=case_name)
def test_rejected(case: SharedCase) -> None:
    with pytest.raises(gv.errors.FastqFormatError) as caught:
        gv.read_fastq(case.path)
    fault = read([case.path.read_bytes()]).fault
    assert fault is not None
    assert_same_fault(caught.value, fault)
    if "(0-based)" in case.note:
        assert caught.value.line == int(case.note.split("==")[1].split()[0]) + 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", shared_cases("gzip/", "ok"), ids=case_name)
def test_gzip_payload(case: SharedCase, engine: str) -> None:
    payload = _core.inflate(case.path.read_bytes(), engine)
    digest = hashlib.sha256(payload).hexdigest()[:16]
    assert f"len={len(payload)} sha256[:16]={digest}" == case.payload


@pytest.mark.parametrize(
    "case", [c for c in shared_cases("gzip/", "ok") if c.records is not None], ids=case_name
)
def test_gzip_records(case: SharedCase) -> None:
    assert len(gv.read_fastq(case.path)) == case.records


@needs_shared_reads
@pytest.mark.parametrize("layout", ["auto", "composition", "spiral"])
@pytest.mark.parametrize(
    ("file", "reads"),
    [
        ("illumina_casava18.fastq.gz", 10000),
        ("paired_1.fastq.gz", 2500),
        ("paired_2.fastq.gz", 2500),
        ("long_reads_no_coordinates.fastq.gz", 4000),
    ],
)
def test_real_reads(file: str, reads: int, layout: str) -> None:
    table = check((SHARED_READS / file).read_bytes(), layout=layout)
    assert len(table) == reads


@needs_shared_reads
def test_real_reads_in_a_row() -> None:
    sources = [(SHARED_READS / f"paired_{i}.fastq.gz").read_bytes() for i in (1, 2)]
    table = check(sources, min_quality=30.0)
    assert 0 < len(table) < 5000
    assert table.stats["reads"] == 5000
