"""Counts particles in a grid with genomevedic and its peers, in turns, and prints a table.

    python benchmarks/voxels.py                ten million rows, a minute
    python benchmarks/voxels.py --rows 1e8     genomevedic alone: 2 GB of columns

Each contender gets the same float32 columns, x and y being views of the positions. Beside other
work on the machine the processor time tells more than the clock; a ratio is the median of those of
the rounds. Counts of genomevedic that are not those of numpy.histogramdd stop the script, as do
those of a peer with more than one row of ten thousand elsewhere: boost-histogram and fast-histogram
compute bins without looking at their edges.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import genomevedic as gv

BINS = 512
BOUNDS = [(0.0, 1.0), (-0.5, 0.5)]
MOST_ROWS_OF_PEERS = 20_000_000

Job = Callable[[gv.Particles], Any]


def make_particles(rows: int) -> gv.Particles:
    chance = np.random.default_rng(1)
    position = np.empty((rows, 3), dtype=np.float32)
    for axis, middle in enumerate((0.4, 0.0, 0.0)):
        position[:, axis] = chance.standard_normal(rows, dtype=np.float32) * 0.12 + middle
    columns = {
        "position": position,
        "quality": chance.random(rows, dtype=np.float32) * 40,
        "gc": chance.random(rows, dtype=np.float32),
    }
    return gv.Particles(columns, gv.layouts.Composition())


def own(values: list[str], threads: int) -> Job:
    def run(p: gv.Particles) -> Any:
        return gv.voxelize(p, bins=BINS, bounds=BOUNDS, sums=values, threads=threads).counts

    return run


def by_numpy(is_weighted: bool) -> Job:
    def run(p: gv.Particles) -> Any:
        sample = p.position[:, :2]
        counts, _ = np.histogramdd(sample, BINS, BOUNDS)
        if is_weighted:
            np.histogramdd(sample, BINS, BOUNDS, weights=p.quality)
        return counts

    return run


def by_fast_histogram(is_weighted: bool) -> Job:
    from fast_histogram import histogram2d

    def run(p: gv.Particles) -> Any:
        x, y = p.position[:, 0], p.position[:, 1]
        counts = histogram2d(x, y, BINS, BOUNDS)
        if is_weighted:
            histogram2d(x, y, BINS, BOUNDS, weights=p.quality)
        return counts

    return run


def by_boost_histogram(is_weighted: bool) -> Job:
    import boost_histogram as bh

    def run(p: gv.Particles) -> Any:
        axes = [bh.axis.Regular(BINS, *bounds) for bounds in BOUNDS]
        x, y = p.position[:, 0], p.position[:, 1]
        if is_weighted:
            mean = bh.Histogram(*axes, storage=bh.storage.Mean()).fill(x, y, sample=p.quality)
            return mean.view().count
        return bh.Histogram(*axes, storage=bh.storage.Int64()).fill(x, y).view()

    return run


def contenders(are_peers_wanted: bool) -> dict[str, dict[str, Job]]:
    jobs: dict[str, dict[str, Job]] = {}
    for job, values in (("counts", []), ("counts, quality", ["quality"])):
        jobs[job] = {
            "genomevedic": own(values, 1),
            "genomevedic, 2 threads": own(values, 2),
        }
        if not are_peers_wanted:
            continue
        jobs[job]["numpy.histogramdd"] = by_numpy(bool(values))
        for name, make in (
            ("fast-histogram", by_fast_histogram),
            ("boost-histogram", by_boost_histogram),
        ):
            try:
                jobs[job][name] = make(bool(values))
            except ImportError:
                print(f"{name} is not installed")
    jobs["counts, quality, gc"] = {
        "genomevedic": own(["quality", "gc"], 1),
        "genomevedic, 2 threads": own(["quality", "gc"], 2),
    }
    return jobs


def measure(jobs: dict[str, Job], p: gv.Particles, rounds: int) -> dict[str, list[Any]]:
    """Seconds by the clock and of processors, of each contender in each round."""
    found: dict[str, list[Any]] = {name: [] for name in jobs}
    names = list(jobs)
    for i in range(rounds + 1):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            clock, processor = time.perf_counter(), time.process_time()
            counts = jobs[name](p)
            took = time.perf_counter() - clock, time.process_time() - processor
            if i == 0:
                check(name, counts, p)
            else:
                found[name].append(took)
    return found


_expected: dict[int, Any] = {}


def check(name: str, counts: Any, p: gv.Particles) -> None:
    if len(p) > MOST_ROWS_OF_PEERS:
        return
    if id(p) not in _expected:
        _expected[id(p)] = np.histogramdd(p.position[:, :2].astype(float), BINS, BOUNDS)[0]
    wrong = np.abs(np.asarray(counts) - _expected[id(p)]).sum() / 2
    if wrong > (0 if name.startswith("genomevedic") else len(p) * 1e-4):
        raise SystemExit(f"{name} puts {wrong:.0f} of {len(p):,} rows elsewhere")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e7)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = int(options.rows)
    p = make_particles(rows)
    print(f"{rows:,} rows, {BINS} x {BINS} bins, {options.rounds} rounds\n")
    print("| job | | M rows/s of processor time | ratio | s by the clock |")
    print("|---|---|---:|---:|---:|")
    for job, jobs in contenders(rows <= MOST_ROWS_OF_PEERS).items():
        found = measure(jobs, p, options.rounds)
        ours = [processor for _, processor in found["genomevedic"]]
        for name, times in found.items():
            rate = rows / statistics.median(processor for _, processor in times) / 1e6
            ratio = statistics.median(
                mine / theirs for mine, (_, theirs) in zip(ours, times, strict=True)
            )
            clock = statistics.median(clock for clock, _ in times)
            print(f"| {job} | {name} | {rate:.1f} | {ratio:.2f} | {clock:.2f} |")


if __name__ == "__main__":
    main()
