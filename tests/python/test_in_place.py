"""Files looked at in place: nobody waits for a reader that pauses, and a cut file is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import genomevedic as gv

RECORD = b"@read\n%s\n+\n%s\n" % (b"ACGTTGCA" * 20, b"IIIIFFFF" * 20)
READS = 20_000  # 6.6 MB: enough for several threads

pytestmark = pytest.mark.parametrize("threads", [1, 2])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "reads.fastq"
    path.write_bytes(RECORD * READS)
    return path


def open_at_once(path: Path) -> None:
    """Open a file for writing; BlockingIOError where that would have to wait."""
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))


def test_nobody_waits_for_a_reader_that_pauses(path: Path, threads: int) -> None:
    with gv.scan_fastq(path, threads=threads) as reader:
        rows = 0
        for batch in reader.batches(5_000):
            rows += len(batch)
            if threads == 1:  # other threads may be looking ahead
                open_at_once(path)
    assert rows == READS
    open_at_once(path)


def test_a_file_cut_between_two_batches(path: Path, threads: int) -> None:
    size = path.stat().st_size
    with gv.scan_fastq(path, threads=threads) as reader:
        batches = reader.batches(2_000)
        next(batches)
        os.truncate(path, size - 1_500_000 - 7)
        with pytest.raises(gv.errors.TruncatedFileError) as caught:
            list(batches)
    assert caught.value.context["offset"] == size - 1_500_000 - 7


def test_a_file_that_others_keep_opening(path: Path, threads: int) -> None:
    """Who opens the file for writing waits for a moment, and the reader gives way."""
    program = "import sys\nwhile True: open(sys.argv[1], 'r+b').close()"
    with subprocess.Popen([sys.executable, "-c", program, str(path)]) as others:
        try:
            expected = gv.read_fastq(RECORD * READS, threads=1)
            for _ in range(20):
                found = gv.read_fastq(path, threads=threads)
                assert len(found) == READS
                assert found.position.tobytes() == expected.position.tobytes()
                assert found.metadata.tobytes() == expected.metadata.tobytes()
        finally:
            others.kill()


def test_a_file_that_grows_while_it_is_read(path: Path, threads: int) -> None:
    with gv.scan_fastq(path, threads=threads) as reader:
        batches = reader.batches(2_000)
        rows = len(next(batches))
        with path.open("ab") as file:
            file.write(RECORD * 50)
        rows += sum(len(batch) for batch in batches)
    assert rows == READS + 50
