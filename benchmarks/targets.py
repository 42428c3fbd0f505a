"""The targets, computed from the results of one session: speed, memory, and what places cost."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from session import Result

Results = dict[tuple[str, str, str], dict[str, Result]]

ILLUMINA = ("illumina", "plain", "whole")
NANOPORE = ("nanopore", "plain", "whole")
MEGA = ("illumina", "plain", "1 MB")
KILO = ("illumina", "plain", "1 kB")
PROBES = ("sparse", "plain", "10 GB")
MB = 1e6
# Of those that targets name, who may use more than one thread.
HELPED = ("gv-threads-2", "peek")


class Missing(Exception):
    """A figure was not measured; the message says why."""


@dataclass
class Target:
    """One condition: `measured` is at least, or at most, `bound` (None asks for a figure only)."""

    number: int
    what: str
    measured: Callable[[], float]
    bound: float | None
    at_least: bool = True
    unit: str = "×"
    note: Callable[[], str] = str

    def row(self) -> str:
        sign = "≥" if self.at_least else "≤"
        asked = "measured" if self.bound is None else f"{sign} {self.show(self.bound)}"
        try:
            value = self.measured()
            note = self.note()
        except Missing as why:
            return f"| {self.number} | {self.what} | {asked} | not measured: {why} | – |"
        if self.bound is None:
            met = "–"
        else:
            is_met = value >= self.bound if self.at_least else value <= self.bound
            met = "yes" if is_met else "**no**"
        return f"| {self.number} | {self.what} | {asked} | {self.show(value)}{note} | {met} |"

    def show(self, value: float) -> str:
        if value == self.bound:
            return f"{value:g} {self.unit}"
        text = f"{value:.{1 if abs(value) >= 10 else 2}f}"
        # What just misses, or just meets, is not to look like the bound itself.
        if self.bound is not None and float(text) == self.bound:
            text = f"{value:.4g}"
        return f"{text} {self.unit}"


class Figures:
    """Looks figures up in the results."""

    def __init__(self, results: Results) -> None:
        self.results = results

    def get(self, where: tuple[str, str, str], key: str) -> Result:
        suite = self.results.get(where)
        if suite is None or key not in suite:
            raise Missing(f"{key} was not run")
        if suite[key].unavailable or not suite[key].seconds:
            raise Missing(suite[key].unavailable or f"{key} was not run")
        if suite[key].was_helped and key not in HELPED:
            raise Missing(f"{key} used more than one thread")
        return suite[key]

    def rounds(self, where: tuple[str, str, str], a: str, b: str) -> list[float]:
        """How many times faster a is than b, a round."""
        pairs = zip(self.get(where, a).rates, self.get(where, b).rates, strict=True)
        return [of_a / of_b for of_a, of_b in pairs]

    def faster(self, where: tuple[str, str, str], a: str, b: str) -> float:
        return statistics.median(self.rounds(where, a, b))

    def best(self, where: tuple[str, str, str], start: str, end: str = "") -> str:
        """The key of the quickest of the contenders whose keys begin and end like this."""
        keys = [
            key
            for key, result in self.results.get(where, {}).items()
            if key.startswith(start) and key.endswith(end) and result.seconds
        ]
        if not keys:
            raise Missing(f"no {start}… was run")
        return max(keys, key=lambda key: self.results[where][key].rate)

    def seconds(self, where: tuple[str, str, str], key: str) -> float:
        return statistics.median(self.get(where, key).seconds)

    def slower(self, where: tuple[str, str, str], a: str, b: str) -> float:
        """How many times longer a takes than b, in seconds."""
        pairs = zip(self.get(where, a).seconds, self.get(where, b).seconds, strict=True)
        return statistics.median(of_a / of_b for of_a, of_b in pairs)

    def beyond_columns(self, where: tuple[str, str, str]) -> float:
        result = self.get(where, "gv-fresh")
        return (result.peak - result.before - result.last["nbytes"]) / MB

    def growth(self, where: tuple[str, str, str], a: str, b: str) -> float:
        return (self.get(where, a).peak - self.get(where, b).peak) / MB


def targets(results: Results) -> list[Target]:
    f = Figures(results)
    of_illumina = compressed(f, "illumina", "Illumina")
    of_nanopore = compressed(f, "nanopore", "Nanopore")
    rows = [*plain(f), *of_illumina, *of_nanopore, *small(f)]
    return sorted(rows, key=lambda each: each.number)


def plain(f: Figures) -> list[Target]:
    def over(where: tuple[str, str, str], a: str, b: str) -> Callable[[], float]:
        return lambda: f.faster(where, a, b)

    def over_rust(key: str) -> Callable[[], float]:
        return lambda: f.faster(ILLUMINA, key, f.best(ILLUMINA, "rust-", "-measure"))

    def the_rust() -> str:
        return f" ({f.best(ILLUMINA, 'rust-', '-measure').split('-', 1)[1].rsplit('-', 1)[0]})"

    def fresh() -> str:
        return f" (first call {f.faster(ILLUMINA, 'gv-fresh', 'wc'):.2f})"

    def fresh_nanopore() -> str:
        return f" (first call {f.faster(NANOPORE, 'gv-fresh', 'wc'):.2f})"

    def worst() -> str:
        return f" (worst round {min(f.rounds(ILLUMINA, 'gv-threads-2', 'gv')):.2f})"

    gv, three = "Illumina, 1 thread", "Illumina, length gc quality"
    return [
        Target(1, f"{gv}: over `wc -l`", over(ILLUMINA, "gv", "wc"), 0.8, note=fresh),
        Target(
            1, f"{gv}: over the best Rust crate's same job", over_rust("gv"), 1.3, note=the_rust
        ),
        Target(1, f"{gv}: over dnaio, parse only", over(ILLUMINA, "gv", "dnaio-parse"), 2.5),
        Target(1, f"{gv}: over dnaio, same job", over(ILLUMINA, "gv", "dnaio-measure"), 25),
        Target(1, f"{three}: over `wc -l`", over(ILLUMINA, "gv-3", "wc"), 0.85),
        Target(1, f"{three}: over the best Rust crate", over_rust("gv-3"), 1.7, note=the_rust),
        Target(2, "AVX2: over `wc -l`", over(ILLUMINA, "gv-simd:avx2", "wc"), 0.7),
        Target(2, "SWAR: over kseq.h, same job", over(ILLUMINA, "gv-simd:swar", "kseq-measure"), 1),
        Target(2, "scalar: over `wc -l`", over(ILLUMINA, "gv-simd:scalar", "wc"), None),
        Target(3, "Nanopore: over `wc -l`", over(NANOPORE, "gv", "wc"), 1.2, note=fresh_nanopore),
        Target(
            3,
            "Nanopore: over needletail's same job",
            over(NANOPORE, "gv", "rust-needletail-measure"),
            1.1,
        ),
        Target(
            4,
            "Illumina: 2 threads over one",
            over(ILLUMINA, "gv-threads-2", "gv"),
            1.6,
            note=worst,
        ),
        Target(
            11,
            f"{gv}: time by composition over without places",
            lambda: f.slower(ILLUMINA, "gv", "gv-no-place"),
            1.3,
            at_least=False,
        ),
        Target(
            11,
            f"{gv}: time on the flow cell over by composition",
            lambda: f.slower(ILLUMINA, "gv-flowcell", "gv"),
            1.5,
            at_least=False,
        ),
    ]


def compressed(f: Figures, kind: str, name: str) -> list[Target]:
    gzip, bgzf = (kind, "gzip", "whole"), (kind, "bgzf", "whole")

    def by_isal() -> str:
        return next(
            (key for key in results_of(gzip) if key.startswith("gv-engine:") and "isal" in key),
            "gv-engine:isal",
        )

    def results_of(where: tuple[str, str, str]) -> dict[str, Result]:
        return f.results.get(where, {})

    def blocks() -> str:
        return f.best(bgzf, "blocks-")

    return [
        Target(
            5,
            f"gzip, {name}, ISA-L: over `igzip -dc`",
            lambda: f.faster(gzip, by_isal(), "igzip"),
            0.92,
        ),
        Target(
            5,
            f"gzip, {name}, zlib alone: over zlib",
            lambda: f.faster(gzip, "gv-engine:zlib", "zlib"),
            0.93,
        ),
        Target(
            5,
            f"gzip, {name}: over dnaio with isal, parse only",
            lambda: f.faster(gzip, "gv", "dnaio-parse"),
            1.5,
        ),
        Target(
            6,
            f"BGZF, {name}, 1 thread: over inflating the blocks alone",
            lambda: f.faster(bgzf, "gv", blocks()),
            0.88,
            note=lambda: f" ({blocks().removeprefix('blocks-')})",
        ),
        Target(
            6,
            f"BGZF, {name}: 2 threads over one",
            lambda: f.faster(bgzf, "gv-threads-2", "gv"),
            1.7,
        ),
        Target(
            6,
            f"BGZF, {name}, 2 threads: over `bgzip -@2 -dc`",
            lambda: f.faster(bgzf, "gv-threads-2", "bgzip-2"),
            1.2,
        ),
    ]


def small(f: Figures) -> list[Target]:
    def size(where: tuple[str, str, str]) -> str:
        return (
            f"{f.results[where]['gv'].dataset['text'] / 1e9:.2f} GB" if where in f.results else ""
        )

    def reads(key: str) -> Callable[[], str]:
        def note() -> str:
            result = f.get(ILLUMINA, key)
            return f" (to {result.times * result.dataset['reads'] / 1e6:.3g} M reads)"

        return note

    return [
        Target(
            7,
            "`read_fastq` of 1 kB of bytes",
            lambda: f.seconds(KILO, "gv-small") * 1e6,
            20,
            at_least=False,
            unit="µs",
        ),
        Target(
            7,
            "1 MB, in a row: over the pure-Python loop",
            lambda: f.faster(MEGA, "gv", "frozen"),
            40,
        ),
        Target(
            7,
            "the whole Illumina file: over the pure-Python loop",
            lambda: f.faster(ILLUMINA, "gv", "frozen"),
            40,
            note=lambda: f" ({size(ILLUMINA)})",
        ),
        Target(
            8,
            "Illumina: peak memory beyond the columns, first call",
            lambda: f.beyond_columns(ILLUMINA),
            64,
            at_least=False,
            unit="MB",
        ),
        Target(
            8,
            "Nanopore: peak memory beyond the columns, first call",
            lambda: f.beyond_columns(NANOPORE),
            64,
            at_least=False,
            unit="MB",
        ),
        Target(
            8,
            "`scan_fastq`: growth of the peak with 10 × the reads",
            lambda: f.growth(ILLUMINA, "gv-stream", "gv-stream-tenth"),
            4,
            at_least=False,
            unit="MB",
        ),
        Target(
            9,
            "`import genomevedic` over `import numpy`",
            lambda: f.seconds(PROBES, "import") * 1e3,
            30,
            at_least=False,
            unit="ms",
        ),
        Target(
            9,
            "`peek_fastq` of 10 GB",
            lambda: f.seconds(PROBES, "peek") * 1e3,
            10,
            at_least=False,
            unit="ms",
            note=lambda: f" (first call {f.get(PROBES, 'peek').last['first'] * 1e3:.1f})",
        ),
        Target(
            10,
            "`read_fastq`: time for 10 × the reads",
            lambda: f.slower(ILLUMINA, "gv", "gv-tenth"),
            11.5,
            at_least=False,
            note=reads("gv"),
        ),
        Target(
            10,
            "`scan_fastq`: time for 10 × the reads",
            lambda: f.slower(ILLUMINA, "gv-stream", "gv-stream-tenth"),
            11.5,
            at_least=False,
            note=reads("gv-stream"),
        ),
    ]
