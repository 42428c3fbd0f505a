"""Times from reads to pictures, and what a picture costs while a file is read.

    python benchmarks/pictures.py                     three tables: some 6 minutes, 2 GB of memory
    python benchmarks/pictures.py --particles 1e7     a smaller density
    python benchmarks/pictures.py --only flowcell     one of flowcell, density, live

* **flowcell**: a FASTQ file of a million reads, in the page cache, to a saved PNG, in a process
  that has imported Matplotlib and nothing of genomevedic. Each round is a process of its own.
* **density**: particles in memory, normally distributed in space, to a saved PNG.
* **live**: `gv.plot.live` over a stream, and a loop over its batches that does no more than count
  them, in turn. One thread reads, and frames are drawn into memory (the Agg backend). Processor
  time is that of this process, which other work on the machine does not add to.

The table is written to standard output; it needs the extra ``plot``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from report import machine
from scale import count, make_buffer, versions

import genomevedic as gv

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
from make_runs import write_flow_cell

TARGETS = {
    "flowcell": "≤ 2 s",
    "density": "≤ 5 s",
    "live": "≤ 5 %",
}

# Run in a process of its own: what is timed begins after Matplotlib is there.
FLOWCELL = """
import json, sys, time
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
begun = time.perf_counter()
import genomevedic as gv
figure = plt.figure(figsize=(11, 6.2), layout="constrained")
gv.plot.flowcell(sys.argv[1])
figure.savefig(sys.argv[2])
print(json.dumps(time.perf_counter() - begun))
"""


def main() -> None:
    options = parse_arguments()
    rows = []
    for what, measure in {"flowcell": flowcell, "density": density, "live": live}.items():
        if options.only in (None, what):
            first, *more = measure(options)
            rows += [(first[0], TARGETS[what], first[1]), *((a, "", b) for a, b in more)]
    print(f"{datetime.date.today().isoformat()}. {machine()}. {versions()}.\n")
    print("| | asked | measured |", "|---|---:|---:|", sep="\n")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=tuple(TARGETS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--particles", type=count, default=100_000_000, help="of the density (1e8)")
    parser.add_argument("--stream", type=count, default=1_000_000_000, help="reads of live (1e9)")
    return parser.parse_args()


def spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def flowcell(options: argparse.Namespace) -> list[tuple[str, str]]:
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        run, picture = Path(folder) / "run.fastq", Path(folder) / "run.png"
        # 3,744 tiles, less what bubbles have taken.
        write_flow_cell(run, 268)
        reads = len(gv.read_fastq(run, columns=["length"]))
        run.read_bytes()
        for _ in range(options.rounds):
            command = [sys.executable, "-c", FLOWCELL, str(run), str(picture)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds.append(json.loads(done.stdout))
    return [(f"{reads:,} reads in a file to a flow cell in a PNG", spread(seconds))]


def density(options: argparse.Namespace) -> list[tuple[str, str]]:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    particles = make_particles(options.particles)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for color in ("count", "gc"):
            seconds = []
            for _ in range(options.rounds):
                begun = time.perf_counter()
                figure = plt.figure(figsize=(8, 5.5), layout="constrained")
                image = gv.plot.density(particles, color=color)
                figure.savefig(Path(folder) / "density.png")
                seconds.append(time.perf_counter() - begun)
                if color == "count" and image.get_array().sum() != len(particles):
                    raise SystemExit("the density does not hold every particle")
                plt.close(figure)
            what = "their number" if color == "count" else "their mean GC"
            label = f"{len(particles):,} particles to a density of {what} in a PNG"
            rows.append((label, spread(seconds)))
    return rows


def make_particles(number: int) -> gv.Particles:
    rng = np.random.default_rng(1)
    position = np.empty((number, 3), np.float32)
    for start in range(0, number, 10_000_000):
        part = position[start : start + 10_000_000]
        part[:] = rng.standard_normal(part.shape, np.float32)
    columns = {"position": position, "gc": rng.random(number, np.float32)}
    return gv.Particles(columns, gv.layouts.Composition())


def live(options: argparse.Namespace) -> list[tuple[str, str]]:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    buffer = make_buffer()
    source = [buffer.text] * -(-options.stream // buffer.reads)
    costs: dict[str, list[float]] = {"processor": [], "clock": []}
    frames: list[float] = []
    shown = 0
    for _ in range(options.rounds):
        with gv.scan_fastq(source, threads=1) as reader:
            plain = timed(lambda reader=reader: sum(len(batch) for batch in reader.batches()))
        figure = plt.figure(figsize=(8, 5.5), layout="constrained")
        drawn_at: list[float] = []
        figure.canvas.mpl_connect(
            "draw_event", lambda _, at=drawn_at: at.append(time.perf_counter())
        )
        with gv.scan_fastq(source, threads=1) as reader, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            drawn = timed(lambda reader=reader: gv.plot.live(reader))
        shown = int(plt.gca().images[0].get_array().sum())
        plt.close(figure)
        # The last one is drawn when all is read, however soon after the one before.
        frames.append(1 / np.diff(drawn_at[:-1]).min())
        for kind, of_it, without in zip(costs, drawn, plain, strict=True):
            costs[kind].append(of_it / without - 1)
    reads = len(source) * buffer.reads
    what = f"`live` over {reads:,} reads, beside batches that nobody looks at"
    return [
        (f"{what}: processor time", percentages(costs["processor"])),
        ("the same by the clock", percentages(costs["clock"])),
        ("frames a second, where they came fastest", f"{max(frames):.1f}"),
        ("reads in its picture at the end", f"{shown:,}"),
    ]


def timed(job: Callable[[], object]) -> tuple[float, float]:
    """Return what a job takes of the processor, and by the clock."""
    clock, processor = time.perf_counter(), time.process_time()
    job()
    return time.process_time() - processor, time.perf_counter() - clock


def percentages(costs: list[float]) -> str:
    return f"{statistics.median(costs):.1%} ({min(costs):.1%} to {max(costs):.1%})"


if __name__ == "__main__":
    main()
