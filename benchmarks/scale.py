"""Streams three billion reads in constant memory, or reads a hundred million at once.

    python benchmarks/scale.py                         three billion, in batches: some 2 minutes
    python benchmarks/scale.py --through readinto      the same through a Python file object
    python benchmarks/scale.py --at-once 1e8           into memory: 5.2 GB of columns
    python benchmarks/scale.py --reads 1e8 --picture   a short stream, and its picture

Every read is parsed, checked, measured, placed and written into all default columns. Its text alone
is not new: one buffer of 60,000 Illumina-like reads, made of random numbers with a fixed seed, is
read again and again: as a list that names the same bytes so many times, which is quicker and what
is done where nothing is said, or as a file object without an end whose readinto() copies from it.
The buffer is no whole number of batches, so batches begin anywhere in it.

What is read is compared with the text: after every batch the ordinals and the sums of bases, G and
C, and Phred scores, all of them whole numbers, and at every line of the CSV each value of that
batch. Where something differs, the script stops.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from data import binned_scores, illumina
from numpy.typing import NDArray
from report import machine
from session import HERE

import genomevedic as gv

SEED = 4
BUFFER_READS = 60_000
LAYOUT = "composition"
# position 3 x 4, colour 4 x 4, size 4, ordinal 8, length 4, GC 4 and quality 4
LEAST_BYTES = 52
# By then every buffer and pool is there.
WARM = 10_000_000
# The beginning and the end that are compared: one part in so many of all reads.
EDGE = 20

PICTURE = HERE.parent / "docs" / "gallery" / "scale.png"


def main() -> None:
    options = parse_arguments()
    load = os.getloadavg()[0]
    buffer = make_buffer()
    figures = {
        "machine": machine(),
        "versions": versions(),
        "text": f"{buffer.reads:,} reads, {len(buffer.text) / 1e6:.1f} MB, through "
        + ("a list of bytes" if options.through == "bytes" else "readinto()"),
    }
    if options.at_once:
        figures |= at_once(buffer, options)
    else:
        path = options.out / f"{options.through}.csv"
        stream(buffer, options, path)
        figures |= summary(path)
        if options.picture:
            draw(path, options.picture)
    figures["load"] = f"{load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
    print(f"| {datetime.date.today().isoformat()} | |", "|---|---|", sep="\n")
    for what, figure in figures.items():
        print(f"| {what} | {figure} |")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reads", type=count, default=3_000_000_000, help="to stream (3e9)")
    parser.add_argument("--at-once", type=count, metavar="READS", help="read so many into memory")
    parser.add_argument(
        "--through", choices=["bytes", "readinto"], default="bytes", help="a list, or a file object"
    )
    parser.add_argument("--batch", type=count, default=50_000, help="particles in one (50000)")
    parser.add_argument("--threads", type=count, default=1, help="that read bytes (1)")
    default = HERE.parent / "build" / "scale"
    parser.add_argument("--out", type=Path, default=default, help="folder of the CSV (build/scale)")
    parser.add_argument(
        "--picture",
        type=Path,
        nargs="?",
        const=PICTURE,
        metavar="PNG",
        help="draw the curve, docs/gallery/scale.png where no name is given",
    )
    return parser.parse_args()


def count(text: str) -> int:
    """A number as people write large ones: 3e9."""
    number = float(text)
    if number < 1 or number != int(number):
        raise argparse.ArgumentTypeError(f"{text} is no number of things")
    return int(number)


def versions() -> str:
    config = gv.show_config("dict")
    return (
        f"genomevedic {config['version']} ({config['compiler']}; kernels {config['simd']}), "
        f"Python {platform.python_version()}, NumPy {np.__version__}"
    )


# ------------------------------------------------------------------------------------------------
# What is read
# ------------------------------------------------------------------------------------------------


@dataclass
class Buffer:
    """A text, what its reads add up to, and its particles."""

    text: bytes
    sums: dict[str, NDArray[np.int64]]  # of the first 0, 1, 2, ... reads
    particles: gv.Particles

    @property
    def reads(self) -> int:
        return len(self.particles)

    def check_sums(self, stats: Any, reads: int) -> None:
        """So many reads must have been read, and must add up to what the text says."""
        replays, rest = divmod(reads, self.reads)
        for name, sums in self.sums.items():
            expected = replays * int(sums[-1]) + int(sums[rest])
            found = getattr(stats, name)
            if found != expected:
                raise SystemExit(f"{name} of {reads:,} reads is {found:,}, not {expected:,}")

    def check_columns(self, batch: gv.Particles, first: int) -> None:
        """Every value must be that of the read which stands there, to the bit."""
        ordinals = np.arange(first, first + len(batch), dtype=np.uint64)
        rows = ordinals % np.uint64(self.reads)
        for name in gv.DEFAULT_COLUMNS:
            expected = ordinals if name == "metadata" else getattr(self.particles, name)[rows]
            if not np.array_equal(getattr(batch, name).view("u4"), expected.view("u4")):
                raise SystemExit(f"{name} of the reads from {first:,} on is not that of the text")


def make_buffer() -> Buffer:
    # In a process of its own, so that what this takes is not in the figures.
    with ProcessPoolExecutor(max_workers=1) as other:
        text, sums = other.submit(make_text).result()
    # Read by the scalar kernels, which are the specification of the others.
    particles = gv.read_fastq(text, layout=LAYOUT, threads=1, simd="scalar").copy()
    return Buffer(text, sums, particles)


def make_text() -> tuple[bytes, dict[str, NDArray[np.int64]]]:
    """A text, and the sums as plain Python finds them in it."""
    text = b"".join(chunk for chunk, _ in illumina(BUFFER_READS, SEED, binned_scores()))
    lines = text.splitlines()
    sequences, qualities = lines[1::4], lines[3::4]
    each = {
        "reads": [1 for _ in sequences],
        "kept": [1 for _ in sequences],
        "bases": [len(line) for line in sequences],
        "gc_bases": [line.count(b"G") + line.count(b"C") for line in sequences],
        "phred_sum": [sum(line) - 33 * len(line) for line in qualities],
    }
    return text, {name: np.cumsum([0, *values]) for name, values in each.items()}


class Replay:
    """A binary file that says the same again and again, without an end."""

    def __init__(self, text: bytes) -> None:
        self._text = memoryview(text)
        self._at = 0

    def readinto(self, out: memoryview) -> int:
        size = min(len(out), len(self._text) - self._at)
        out[:size] = self._text[self._at : self._at + size]
        self._at = (self._at + size) % len(self._text)
        return size


def source(buffer: Buffer, through: str, reads: int) -> Any:
    return [buffer.text] * -(-reads // buffer.reads) if through == "bytes" else Replay(buffer.text)


# ------------------------------------------------------------------------------------------------
# In batches
# ------------------------------------------------------------------------------------------------

# The lines of the CSV, one every ten million reads. reads, seconds and cpu_seconds (of all threads
# of this process) count from the beginning, hit_rate is that of all pools since the line before;
# resident is VmRSS, used and idle are gv.memory.stats()'s, in bytes.
COLUMNS = ("reads", "seconds", "cpu_seconds", "resident", "hit_rate", "used", "idle")


def stream(buffer: Buffer, options: argparse.Namespace, path: Path) -> None:
    """Goes through all reads and writes the CSV. Nothing is kept, as memory is what is measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    total = options.reads
    step = max(min(WARM, total // EDGE), 1)
    replayed = source(buffer, options.through, total)
    done, gets, hits = 0, *pool_counts()
    with (
        path.open("w", newline="") as file,
        gv.scan_fastq(replayed, layout=LAYOUT, limit=total, threads=options.threads) as reader,
    ):
        lines = csv.writer(file)
        lines.writerow(COLUMNS)
        started, cpu_started = time.perf_counter(), time.process_time()
        for batch in reader.batches(options.batch):
            first, done = done, done + len(batch)
            if batch.metadata[0] != first or batch.metadata[-1] != done - 1:
                raise SystemExit(f"the ordinals of the batch at {first:,} are wrong")
            buffer.check_sums(batch.stats, done)
            is_due = done // step > first // step or done == total
            if is_due:
                seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_started
                gets_before, hits_before, (gets, hits) = gets, hits, pool_counts()
                hit_rate = (hits - hits_before) / max(gets - gets_before, 1)
                memory = gv.memory.stats()
                sizes = own_memory("VmRSS"), f"{hit_rate:.6f}", memory.used, memory.idle
                lines.writerow((done, f"{seconds:.4f}", f"{cpu:.4f}", *sizes))
                file.flush()
            if is_due or first == 0:
                buffer.check_columns(batch, first)
    if done != total:
        raise SystemExit(f"{done:,} reads came, not {total:,}")


def pool_counts() -> tuple[int, int]:
    """Pieces asked for and pieces found in all pools."""
    pools = gv.memory.stats().pools.values()
    return sum(pool.gets for pool in pools), sum(pool.hits for pool in pools)


def own_memory(name: str) -> int:
    """Bytes of this process: VmRSS is what is resident, VmHWM the most that ever was."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"/proc/self/status does not say {name}")


def load_table(path: Path) -> NDArray[Any]:
    return np.atleast_1d(np.genfromtxt(path, delimiter=",", names=True))


def summary(path: Path) -> dict[str, str]:
    table = load_table(path)
    reads, resident = table["reads"], table["resident"] / 1e6
    total = int(reads[-1])
    warm = int(np.argmax(reads >= min(WARM, total)))
    part = f"the first and the last {100 // EDGE} %"
    then = f"{int(reads[warm]):,} reads"
    after, hits = resident[warm:], table["hit_rate"][warm + 1 :]
    return {
        "reads": f"{total:,}",
        "seconds": f"{table['seconds'][-1]:.1f}, {table['cpu_seconds'][-1]:.1f} of processor time",
        "mean rate": f"{total / table['seconds'][-1] / 1e6:.2f} M reads/s",
        f"rate in {part}": edges(table, "seconds"),
        "the same, of processor time": edges(table, "cpu_seconds"),
        f"resident after {then}": f"{after[0]:.2f} MB",
        "resident at the end": f"{after[-1]:.2f} MB, {after[-1] / after[0]:.4f} ×",
        "resident in between": f"{after.min():.2f} to {after.max():.2f} MB",
        f"pool hits after {then}": f"{hits.min():.2%} at least" if hits.size else "–",
    }


def edges(table: NDArray[Any], clock: str) -> str:
    """The rates at the beginning and at the end, and what the second is of the first."""
    reads, seconds = np.append(0, table["reads"]), np.append(0, table[clock])
    part = reads[-1] / EDGE
    bounds = np.array([[0, part], [reads[-1] - part, reads[-1]]])
    first, last = part / np.diff(np.interp(bounds, reads, seconds))[:, 0]
    return f"{first / 1e6:.2f} and {last / 1e6:.2f} M reads/s, {last / first:.3f} ×"


# ------------------------------------------------------------------------------------------------
# At once
# ------------------------------------------------------------------------------------------------


def at_once(buffer: Buffer, options: argparse.Namespace) -> dict[str, str]:
    reads = options.at_once
    replayed = source(buffer, options.through, reads)
    before = own_memory("VmRSS")
    started = time.perf_counter()
    particles = gv.read_fastq(replayed, layout=LAYOUT, limit=reads, threads=options.threads)
    seconds = time.perf_counter() - started
    peak = own_memory("VmHWM")
    columns = particles.nbytes
    if len(particles) != reads:
        raise SystemExit(f"{len(particles):,} reads came, not {reads:,}")
    buffer.check_sums(particles.stats, reads)
    for first in range(0, reads, buffer.reads):
        buffer.check_columns(particles[first : first + buffer.reads], first)
    return {
        "reads": f"{len(particles):,}",
        "seconds": f"{seconds:.1f}",
        "mean": f"{reads / seconds / 1e6:.2f} M reads/s",
        "columns": f"{columns / 1e6:,.1f} MB, {columns / reads:.4f} bytes a particle",
        "the least there can be": f"{LEAST_BYTES} bytes a particle",
        "resident before": f"{before / 1e6:.1f} MB: interpreter, NumPy, the text",
        "peak resident": f"{peak / 1e6:,.1f} MB, {peak / columns:.4f} × the columns",
        "peak beyond columns and start": f"{(peak - columns - before) / 1e6:.1f} MB",
    }


# ------------------------------------------------------------------------------------------------
# The picture
# ------------------------------------------------------------------------------------------------


def draw(path: Path, picture: Path) -> None:
    """Rates and memory over the reads, from the CSV."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    table = load_table(path)
    reads, resident = table["reads"] / 1e9, table["resident"] / 1e6
    steps = np.diff(table["reads"], prepend=0) / 1e6
    figure, (above, below) = plt.subplots(2, sharex=True, figsize=(8, 5.4), layout="constrained")
    for clock, style in {
        "cpu_seconds": {"color": "#1f5f9e", "linewidth": 1.4, "label": "of processor time"},
        "seconds": {"color": "#7fb3dd", "linewidth": 1.0, "label": "of time, on a shared machine"},
    }.items():
        above.plot(reads, steps / np.diff(table[clock], prepend=0), **style)
    above.set_ylabel("million reads per second")
    above.legend(loc="lower right", ncols=2, frameon=False)
    below.plot(reads, resident, color="#b5471b", linewidth=1.6)
    below.set_ylabel("resident memory, MB")
    below.set_xlabel("reads streamed, billions")
    first, last = f"{table['reads'][0] / 1e6:,.0f} million", f"{reads[-1]:g} billion"
    for at, when, shift, align in ((0, first, 6, "left"), (-1, last, -6, "right")):
        below.annotate(
            f"{resident[at]:.2f} MB after {when}",
            (reads[at], resident[at]),
            (shift, 7),
            textcoords="offset points",
            ha=align,
        )
    for ax in (above, below):
        ax.set_xlim(0, reads[-1])
        ax.set_ylim(0, 1.2 * max(line.get_ydata().max() for line in ax.lines))
        ax.grid(color="0.9", linewidth=0.8)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
