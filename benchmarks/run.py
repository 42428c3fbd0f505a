"""Reads the same file with genomevedic and its peers, in turns, and writes the table of README.md.

    make bench                       the whole
    make bench BENCH_ARGS=--quick    a small file and fewer rounds, to try it out

All contenders run in one session, one round after another, because the machine's speed drifts:
what counts is the ratio within a round. Files are in the page cache. The *same job* is the length,
GC content and mean quality of every read, in arrays; genomevedic's default columns are more work.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import dnaio

import genomevedic as gv

sys.path.insert(0, str(Path(__file__).parent))
from data import illumina

HERE = Path(__file__).parent
BEGIN, END = "<!-- table begins -->", "<!-- table ends -->"


@dataclass
class Contender:
    """Something that goes through a file and returns the number of reads, to be checked."""

    name: str
    work: str
    run: Callable[[Path], int]
    seconds: list[float] = field(default_factory=list)


def read_only(path: Path) -> int:
    """The limit: read() into one reused buffer."""
    buffer = bytearray(512 * 1024)
    with path.open("rb", buffering=0) as stream:
        while stream.readinto(buffer):
            pass
    return -1


def word_count(path: Path) -> int:
    out = subprocess.run(["wc", "-l", path], capture_output=True, text=True, check=True).stdout
    return int(out.split()[0]) // 4


def dnaio_parse(path: Path) -> int:
    with dnaio.open(path) as records:
        return sum(1 for _ in records)


def dnaio_measures(path: Path) -> int:
    lengths, gcs, qualities = array("I"), array("f"), array("f")
    with dnaio.open(path) as records:
        for record in records:
            sequence = record.sequence
            n = len(sequence)
            gc = sequence.count("G") + sequence.count("C")
            known = gc + sequence.count("A") + sequence.count("T")
            lengths.append(n)
            gcs.append(gc / known if known else float("nan"))
            quality = sum(record.qualities_as_bytes()) / n - 33 if n else float("nan")
            qualities.append(quality)
    return len(lengths)


def contenders() -> list[Contender]:
    measures = ("length", "gc", "quality")
    return [
        Contender("read() into a reused buffer", "limit", read_only),
        Contender("wc -l", "counts line ends", word_count),
        Contender(
            "genomevedic, default columns",
            "same job and position, color, size, ordinal",
            lambda path: len(gv.read_fastq(path, threads=1)),
        ),
        Contender(
            "genomevedic, length gc quality",
            "same job",
            lambda path: len(gv.read_fastq(path, threads=1, columns=measures)),
        ),
        Contender("dnaio, parse only", "records, nothing computed", dnaio_parse),
        Contender("dnaio, measures in Python", "same job", dnaio_measures),
    ]


def measure(path: Path, reads: int, rounds: int) -> list[Contender]:
    all_of_them = contenders()
    for turn in range(rounds + 1):
        for contender in all_of_them:
            started = time.perf_counter()
            found = contender.run(path)
            seconds = time.perf_counter() - started
            if found not in (-1, reads):
                raise SystemExit(f"{contender.name} found {found} reads of {reads}")
            if turn > 0:  # the first round warms the page cache
                contender.seconds.append(seconds)
    return all_of_them


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")


def table(results: list[Contender], size: int, reads: int, rounds: int) -> str:
    by_name = {each.name: each for each in results}
    base = by_name["wc -l"].seconds
    config = gv.show_config("dict")
    lines = [
        f"{reads:,} reads of 150 bases, {size / 1e9:.2f} GB of plain text in the page cache, "
        f"{rounds} interleaved rounds, one thread. "
        f"{processor()}, {os.cpu_count()} cores, Python {config['python']}, "
        f"genomevedic {config['version']} (kernels: {config['simd']}, {config['compiler']}), "
        f"dnaio {version('dnaio')}, NumPy {config['numpy']}. "
        "Medians; the ratio is the median of the ratios within each round.",
        "",
        "| who | work | GB/s | million reads/s | × `wc -l` |",
        "|---|---|---:|---:|---:|",
    ]
    for each in results:
        seconds = statistics.median(each.seconds)
        ratio = statistics.median(b / s for b, s in zip(base, each.seconds, strict=True))
        lines.append(
            f"| {each.name} | {each.work} | {size / seconds / 1e9:.2f} "
            f"| {reads / seconds / 1e6:.2f} | {ratio:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small file, and no README")
    parser.add_argument("--data", type=Path, help="where the generated file is kept")
    options = parser.parse_args()
    reads, rounds = (100_000, 3) if options.quick else (1_500_000, 7)
    folder = options.data or Path(tempfile.gettempdir()) / "genomevedic-bench"
    folder.mkdir(parents=True, exist_ok=True)
    path = illumina(folder / f"illumina-{reads}.fastq", reads)
    results = measure(path, reads, rounds)
    text = table(results, path.stat().st_size, reads, rounds)
    print(text)
    if not options.quick:
        readme = HERE / "README.md"
        before, rest = readme.read_text().split(BEGIN)
        readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
