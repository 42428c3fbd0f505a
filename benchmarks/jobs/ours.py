"""genomevedic."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from jobs.found import Counted, Found, Measured, Timed

MEASURES = ("length", "gc", "quality")
ALL_BUT_PLACES = ("color", "size", "metadata", "length", "gc", "quality")
# `stream` goes through the file so many times, as a list of sources, in batches.
TIMES = 25


def read(**options: Any) -> Callable[[], Callable[[str], Found]]:
    """`read_fastq`, all default columns where `columns` does not say otherwise."""

    def make() -> Callable[[str], Found]:
        import genomevedic as gv

        settings = {"layout": "composition", "threads": 1} | options

        def run(path: str) -> Found:
            particles = gv.read_fastq(path, **settings)
            more = {"nbytes": particles.nbytes}
            return Measured(particles.length, particles.gc, particles.quality, True, more)

        return run

    return make


def read_by_engine(engine: str) -> Callable[[str], Found]:
    """`read_fastq` where one engine inflates. The choice is no public argument."""
    from genomevedic import _core

    _core.Reader = functools.partial(_core.Reader, engine=engine)
    return read()()


def stream() -> Callable[[str], Found]:
    """`scan_fastq` over many times the file."""
    import genomevedic as gv

    def run(path: str) -> Found:
        reads = bases = 0
        with gv.scan_fastq([path] * TIMES, layout="composition", threads=1) as reader:
            for batch in reader.batches():
                reads += len(batch)
                bases += int(batch.length.sum())
        return Counted(reads, bases, {"times": TIMES})

    return run


def small() -> Callable[[str], Found]:
    """`read_fastq` of the file's bytes: the median of many calls."""
    import statistics
    import time
    from pathlib import Path

    import genomevedic as gv

    def run(path: str) -> Found:
        data = Path(path).read_bytes()
        calls = []
        for _ in range(2000):
            started = time.perf_counter()
            gv.read_fastq(data, threads=1)
            calls.append(time.perf_counter() - started)
        return Timed(statistics.median(calls))

    return run


OURS = {
    "gv": read(),
    "gv-3": read(columns=MEASURES),
    "gv-no-place": read(columns=ALL_BUT_PLACES),
    "gv-flowcell": read(layout="flowcell"),
    "gv-threads-2": read(threads=2),
    "gv-stream": stream,
    "gv-small": small,
    # What follows a colon in the job's name is the argument.
    "gv-simd": lambda name: read(simd=name)(),
    "gv-engine": read_by_engine,
}
