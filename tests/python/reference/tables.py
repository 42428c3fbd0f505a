"""Tables of tiles, pairs and runs, one read and one base at a time."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .measures import float32, mean_error_quality


@dataclass(frozen=True)
class Read:
    """What is known of a read; lane and tile 0, and a place of None, where it has none."""

    sequence: bytes
    qualities: bytes
    lane: int = 0
    tile: int = 0
    x: int | None = None
    y: int | None = None
    start_time: datetime | None = None
    barcode: str = ""


def divide(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def is_poly_g_by_fastp(sequence: bytes, least: int) -> bool:
    """Whether fastp cuts a tail: its search, from the end on, step by step."""
    others = steps = 0
    for letter in reversed(sequence.upper()):
        others += letter != ord("G")
        allowed = (steps + 1) // 8
        if others > 5 or (others > allowed and steps >= least - 1):
            break
        steps += 1
    return steps >= least


@dataclass
class Bases:
    """Bases seen together."""

    letters: Counter[str] = field(default_factory=Counter)
    scores: list[int] = field(default_factory=list)

    def add(self, letter: int, quality: int) -> None:
        self.letters[chr(letter).upper()] += 1
        self.scores.append(quality)

    @property
    def means(self) -> dict[str, float]:
        known = sum(self.letters[letter] for letter in "ACGTU")
        return {
            "bases": len(self.scores),
            "mean_quality": divide(sum(self.scores), len(self.scores)),
            "gc": divide(self.letters["G"] + self.letters["C"], known),
            "n_fraction": divide(len(self.scores) - known, len(self.scores)),
        }


def tiles(
    reads: Iterable[Read], cycles: int, poly_g: int = 10, zero: int = 33
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows for each tile, and for each tile and bin of cycles."""
    groups: dict[tuple[int, int], list[Read]] = defaultdict(list)
    for read in reads:
        if read.lane and read.tile:
            groups[read.lane, read.tile].append(read)
    longest = max((len(r.sequence) for group in groups.values() for r in group), default=0)
    whole, whole_bins = Bases(), defaultdict(Bases)
    by_tile: dict[tuple[int, int], Bases] = defaultdict(Bases)
    by_bin: dict[tuple[int, int, int], Bases] = defaultdict(Bases)
    for place, group in groups.items():
        for read in group:
            for cycle, (letter, byte) in enumerate(zip(read.sequence, read.qualities, strict=True)):
                index = cycle // cycles
                together = (by_tile[place], by_bin[*place, index], whole, whole_bins[index])
                for bases in together:
                    bases.add(letter, byte - zero)
    rows, bins = [], []
    for (lane, tile), group in sorted(groups.items()):
        means = by_tile[lane, tile].means
        n_poly_g = sum(is_poly_g_by_fastp(read.sequence, poly_g) for read in group)
        rows.append(
            {"lane": lane, "tile": tile, "reads": len(group), **means}
            | {"quality_deviation": means["mean_quality"] - whole.means["mean_quality"]}
            | {"poly_g_fraction": n_poly_g / len(group)}
        )
        for index in range(-(-longest // cycles)):
            means = by_bin[lane, tile, index].means
            mean = whole_bins[index].means["mean_quality"]
            first, last = index * cycles + 1, min((index + 1) * cycles, longest)
            bins.append(
                {"lane": lane, "tile": tile, "first_cycle": first, "last_cycle": last, **means}
                | {"quality_deviation": means["mean_quality"] - mean}
            )
    return rows, bins


@dataclass
class Pairs:
    """Distances of all pairs, and of each read that has another to the nearest."""

    largest: list[int]
    euclidean: list[float]
    nearest: list[int]
    without_place: int
    of_one_letter: int
    large_sets: list[int]


def pairs(reads: Sequence[Read], prefix: int, most_reads: int) -> Pairs:
    """Every pair of reads of one prefix, lane and tile."""
    result = Pairs([], [], [], 0, 0, [])
    sets: dict[tuple[int, int, bytes], list[Read]] = defaultdict(list)
    for read in reads:
        start = read.sequence[:prefix].upper()
        if not read.lane or not read.tile or read.x is None or read.y is None:
            result.without_place += 1
        elif len(set(start)) < 2:
            result.of_one_letter += 1
        else:
            sets[read.lane, read.tile, start].append(read)
    for group in sets.values():
        if len(group) > most_reads:
            result.large_sets.append(len(group))
            continue
        for i, one in enumerate(group):
            distances = []
            for k, other in enumerate(group):
                dx, dy = abs(one.x - other.x), abs(one.y - other.y)
                if k != i:
                    distances.append(max(dx, dy))
                if k > i:
                    result.largest.append(max(dx, dy))
                    result.euclidean.append(math.hypot(dx, dy))
            if distances:
                result.nearest.append(min(distances))
    return result


def n50(lengths: Iterable[int]) -> int | None:
    """The length at which, from the longest read down, half of all bases are reached."""
    ordered = sorted(lengths, reverse=True)
    so_far = 0
    for length in ordered:
        so_far += length
        if 2 * so_far >= sum(ordered):
            return length
    return None


def median(lengths: Iterable[int]) -> float:
    ordered = sorted(lengths)
    if not ordered:
        return math.nan
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def scores(read: Read) -> tuple[float, float]:
    """The columns quality and error_quality of a read with a base."""
    mean = (sum(read.qualities) - 33 * len(read.qualities)) / len(read.qualities)
    return float32(mean), float32(mean_error_quality(read.qualities, 33))


def numbers(reads: Sequence[Read]) -> dict[str, Any]:
    lengths = [len(read.sequence) for read in reads]
    scored = [scores(read) for read in reads if read.sequence]
    return {
        "reads": len(reads),
        "bases": sum(lengths),
        "n50": n50(lengths),
        "mean_length": divide(sum(lengths), len(lengths)),
        "median_length": median(lengths),
        "shortest": min(lengths, default=None),
        "longest": max(lengths, default=None),
        "mean_quality": divide(math.fsum(pair[0] for pair in scored), len(scored)),
        "mean_error_quality": divide(math.fsum(pair[1] for pair in scored), len(scored)),
    }


def reached(reads: Sequence[Read], threshold: float, which: int) -> tuple[int, int]:
    """Reads, and their bases, whose quality (0) or error_quality (1) is not below a threshold."""
    chosen = [read for read in reads if read.sequence and scores(read)[which] >= threshold]
    return len(chosen), sum(len(read.sequence) for read in chosen)
