"""Small readings without number, a fifth of them with a fault: nothing is left of any."""

from __future__ import annotations

import gc
import gzip
import io
import os
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import genomevedic as gv
from genomevedic.errors import on
from genomevedic.memory import Arena
from support import bgzf, make_records

SOUND = b"".join(make_records(20, seed=9, longest=80))
PLACED = b"".join(
    b"@M:1:FC:1:1101:%d:2000 1:N:0:A\nACGT\n+\nIIII\n" % (1000 + i) for i in range(20)
)
HALF = len(SOUND) // 2
BAD = SOUND + b"@bad\nA C\n+\nIII\n" + SOUND


class Failing(io.RawIOBase):
    """Gives half its text, and then fails."""

    def __init__(self, text: bytes) -> None:
        self.text = io.BytesIO(text[:HALF])

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        got = self.text.readinto(buffer)
        if got == 0:
            raise ConnectionResetError("gone")
        return got


class Rounds:
    """Readings of all kinds. Each says how many reads came of it."""

    def __init__(self, folder: Path) -> None:
        self.plain, self.packed, self.bad = (folder / n for n in ("a.fastq", "b.gz", "c.fastq"))
        self.plain.write_bytes(SOUND)
        self.packed.write_bytes(bgzf(SOUND[:HALF], SOUND[HALF:]))
        self.bad.write_bytes(BAD)
        self.cut = gzip.compress(SOUND)[:-20]
        self.gzip = gzip.compress(SOUND)
        self.arena = Arena("1 MiB")

    def sound(self) -> list[Callable[[], int]]:
        return [
            lambda: len(gv.read_fastq(SOUND)),
            lambda: len(gv.read_fastq(self.plain, columns=gv.COLUMNS)),
            lambda: len(gv.read_fastq(self.packed, arena=self.arena)),
            lambda: len(gv.read_fastq(io.BytesIO(self.gzip), columns=["gc", "name"])),
            lambda: len(gv.read_fastq([self.plain, SOUND])) // 2,
            lambda: len(gv.read_fastq(PLACED, layout="flowcell")),
            lambda: sum(map(len, gv.scan_fastq(self.plain).batches(7))),
        ]

    def faulty(self) -> list[Callable[[], int]]:
        return [
            lambda: len(gv.read_fastq(BAD, on_error="skip")) // 2,
            lambda: len(gv.read_fastq(self.bad, on_error=lambda error: "skip")) // 2,
            lambda: raises(gv.errors.FastqFormatError, self.bad),
            lambda: raises(gv.errors.FastqFormatError, BAD * 3, on_error="skip", max_errors=1),
            lambda: raises(gv.errors.TruncatedFileError, self.cut, on_error="skip"),
            lambda: raises(gv.errors.TruncatedFileError, SOUND[:-3]),
            lambda: raises(gv.errors.SourceReadError, Failing(SOUND)),
            lambda: raises(gv.errors.SourceReadError, Failing(b"x" + BAD), on_error="skip"),
            lambda: raises(gv.errors.SourceNotFoundError, "no such file"),
            lambda: raises(gv.errors.MemoryLimitError, SOUND, memory_limit=100),
            self.retried,
            self.dropped,
            self.handled,
            self.logged,
        ]

    def retried(self) -> int:
        held = [self.arena.empty(self.arena.available, "u1")]

        def let_go(error: object) -> str:
            held.clear()
            return "retry"

        with on("ARENA_FULL", let_go):
            return len(gv.read_fastq(self.plain, arena=self.arena))

    def dropped(self) -> int:
        batches = gv.scan_fastq(self.bad).batches(7)
        return len(next(batches)) + 13

    def handled(self) -> int:
        with on("INVALID_FASTQ", lambda error: "skip"):
            return len(gv.read_fastq(self.bad)) // 2

    def logged(self) -> int:
        with gv.scan_fastq(BAD * 30, on_error="skip") as reader:
            count = len(reader.read())
            try:
                reader.errors.raise_if_any()
            except ExceptionGroup as group:
                return count // 60 if len(group.exceptions) == 20 else 0
        return 0


def raises(kind: type[Exception], source: object, **options: Any) -> int:
    try:
        gv.read_fastq(source, **options)
    except kind:
        return 20
    return 0


def counted(folder: Path, rounds: int) -> Iterator[tuple[int, int, int]]:
    """Memory, descriptors and threads of this process after each hundredth of the readings."""
    chance, kinds, process = random.Random(6), Rounds(folder), psutil.Process()
    sound, faulty = kinds.sound(), kinds.faulty()
    for number in range(1, rounds + 1):
        reading = chance.choice(faulty if chance.random() < 0.2 else sound)
        assert reading() == 20, number
        if number % (rounds // 100) == 0:
            gc.collect()
            yield process.memory_info().rss, process.num_fds(), process.num_threads()


def check(folder: Path, rounds: int, settling: int) -> None:
    """`settling`: hundredths of the readings in which allocators find what they need."""
    gc.collect()  # what other tests left in cycles
    used = gv.memory.stats().used
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(counted(folder, rounds))
    settled, *later = found[settling:]
    for resident, descriptors, threads in later:
        assert (descriptors, threads) == settled[1:]
        if "GV_ASAN" not in os.environ:
            assert abs(resident - settled[0]) <= settled[0] / 100
    assert gv.memory.stats().used == used


def test_three_thousand_readings(tmp_path: Path) -> None:
    check(tmp_path, 3_000, settling=50)


@pytest.mark.soak
def test_a_hundred_thousand_readings(tmp_path: Path) -> None:
    check(tmp_path, 100_000, settling=10)
