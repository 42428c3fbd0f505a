"""Writes the tables."""

from __future__ import annotations

import os
import platform
import statistics
from pathlib import Path
from typing import Any

from session import HERE, Result, Suite
from targets import Results, targets

BEGIN, END = "<!-- table begins -->", "<!-- table ends -->"


def machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    name = names[0] if names else platform.processor() or platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release()}"
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def preface(config: dict[str, Any], rounds: int, load: tuple[float, float], day: str) -> str:
    return (
        f"{day}. {machine()}; load of the machine {load[0]:.1f} at the start, {load[1]:.1f} at "
        f"the end. Python {config['python']}, NumPy {config['numpy']}, genomevedic "
        f"{config['version']} ({config['compiler']}; kernels {config['simd']}; inflates by "
        f"{', '.join(config['inflate_engines'])}). {rounds} interleaved rounds after a first one "
        "that does not count, files in the page cache. Rates are medians, of text (decompressed); "
        "a ratio is the median of the ratios within each round. Memory is the resident peak of "
        "the contender's own process, its interpreter and libraries included. Memory is warm "
        "where nothing is said: a process has done the same before. ¹ On the first tenth of "
        "the file."
    )


def suite_table(suite: Suite, results: dict[str, Result]) -> str:
    limits = [each for each in results.values() if each.contender.limit and each.seconds]
    data = suite.dataset
    # What is no rate of a whole file has a table of its own kind.
    if "reads" not in data or data["reads"] < 100:
        return probe_table(suite, results)
    size = f", {data['size'] / 1e9:.3f} GB compressed" if data["form"] != "plain" else ""
    head = "".join(f" × {each.contender.limit} |" for each in limits)
    lines = [
        f"### {suite.title}",
        "",
        f"{data['reads']:,} reads, {data['text'] / 1e9:.3f} GB of text{size}.",
        "",
        f"| who | version | work | GB/s | M reads/s | peak MB |{head}",
        f"|---|---|---|---:|---:|---:|{'---:|' * len(limits)}",
    ]
    for each in results.values():
        if each.seconds:
            lines.append(row(each, limits))
    return "\n".join([*lines, *remarks(results)])


def row(each: Result, limits: list[Result]) -> str:
    who = each.contender
    cells = [
        f"{who.name}{'¹' if who.on_sample else ''}",
        who.version,
        who.work,
        f"{each.rate:.2f}",
        f"{each.reads_per_second / 1e6:.3g}",
        f"{each.peak / 1e6:,.0f}",
    ]
    for limit in limits:
        pairs = zip(each.rates, limit.rates, strict=True)
        cells.append(f"{statistics.median(a / b for a, b in pairs):.2f}")
    return f"| {' | '.join(cells)} |"


def probe_table(suite: Suite, results: dict[str, Result]) -> str:
    lines = [f"### {suite.title}", "", "| what | work | time | peak MB |", "|---|---|---:|---:|"]
    for each in results.values():
        if each.seconds:
            seconds = statistics.median(each.seconds)
            time = f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"
            who = each.contender
            lines.append(f"| {who.name} | {who.work} | {time} | {each.peak / 1e6:,.0f} |")
    return "\n".join([*lines, *remarks(results)])


def remarks(results: dict[str, Result]) -> list[str]:
    """What was not measured, and who had the help of other threads."""
    absent = [
        f"{each.contender.name} ({each.contender.work}): {each.unavailable}"
        for each in results.values()
        if each.unavailable
    ]
    helped = [each.contender.name for each in results.values() if each.was_helped]
    lines = ["", f"Not measured: {'; '.join(absent)}."] if absent else []
    return [*lines, "", f"Used more than one thread: {'; '.join(helped)}."] if helped else lines


def targets_table(results: Results) -> str:
    rows = [each.row() for each in targets(results)]
    return "\n".join(
        [
            "### Targets",
            "",
            "| | target | asked | measured | met |",
            "|---:|---|---:|---:|:---:|",
            *rows,
        ]
    )


def write_readme(text: str) -> None:
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")
