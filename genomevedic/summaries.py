"""What a run gave: numbers of reads and bases, lengths and qualities, by barcode and over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from .arguments import check_number
from .batches import batches_of
from .table import Table, ratio
from .text import TextColumn

if TYPE_CHECKING:
    import numpy.typing as npt

    from .particles import Particles

__all__ = ["ReadSummary", "summary"]

_NEEDED = ("length", "quality", "error_quality")
_USEFUL = ("start_time", "barcode")

# Scores that people ask for: those of NanoPlot, of its present version and of earlier ones, and 1.
_THRESHOLDS = (5, 7, 10, 12, 15, 20, 25, 30)

# Barcodes kept apart. No kit has as many; a file whose names hold another for each read has.
_MOST_BARCODES = 1000

# Means of reads are added up as whole numbers of this part, so that no order of the reads changes
# a sum. float32 holds a score to about as much.
_QUALITY_UNIT = 2.0**-20

# Lengths below this are counted in an array, others in a sorted list of those that there are.
_SHORT = 1 << 12


@dataclass(frozen=True, repr=False)
class ReadSummary:
    """What a run gave. Made by `summary`.

    Attributes
    ----------
    reads, bases : int
    n50 : int or None
        Half of all bases are in reads of this length or longer (the largest such length).
    mean_length, median_length : float
        NaN without a read.
    shortest, longest : int or None
    mean_quality, mean_error_quality : float
        Means over the reads, each counted once, of the columns ``quality`` and ``error_quality``;
        reads without a base left out. NaN where no read has one.
    thresholds : Table
        A row for each score asked for: ``threshold``; ``reads`` and ``bases`` of the reads whose
        ``quality`` is not below it, and ``reads_fraction``; ``reads_by_error``, ``bases_by_error``
        and ``reads_fraction_by_error``, the same by ``error_quality``.
    barcodes : Table or None
        A row for each barcode, that without one named "", by name: ``barcode``, and the numbers
        above. ``facts["reads_of_other_barcodes"]`` are those of the barcodes after the first 1000
        that came, which have no row. None where the reads have no column ``barcode``.
    hours : Table or None
        A row for each hour of the clock (UTC) in which a read began: ``hour``; ``reads``,
        ``bases`` and ``mean_quality`` of the reads that began in it; ``total_reads`` and
        ``total_bases`` up to its end. ``facts["reads_without_time"]`` are in no row. None where the
        reads have no column ``start_time``.
    """

    reads: int
    bases: int
    n50: int | None
    mean_length: float
    median_length: float
    shortest: int | None
    longest: int | None
    mean_quality: float
    mean_error_quality: float
    thresholds: Table
    barcodes: Table | None
    hours: Table | None

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers by name, without the tables."""
        return {name: getattr(self, name) for name in _NUMBERS}

    def rows(self) -> list[tuple[str, str]]:
        """Return the numbers as pairs of a label and its value in words."""
        lengths = "unknown"
        if self.shortest is not None:
            lengths = (
                f"{self.shortest:,} to {self.longest:,} bases, mean {self.mean_length:,.1f}, "
                f"median {self.median_length:,.1f}, N50 {self.n50:,}"
            )
        qualities = f"Q{self.mean_quality:.1f}, by error Q{self.mean_error_quality:.1f}"
        parts = [("barcodes", self.barcodes), ("hours", self.hours)]
        return [
            ("reads", f"{self.reads:,}"),
            ("bases", f"{self.bases:,}"),
            ("length", lengths),
            ("mean of reads", "unknown" if math.isnan(self.mean_quality) else qualities),
            *((name, f"{len(part):,} rows") for name, part in parts if part is not None),
        ]

    def __repr__(self) -> str:
        rows = self.rows()
        width = max(len(label) for label, _ in rows)
        lines = [f"  {label:<{width}}  {text}" for label, text in rows]
        return "\n".join(["ReadSummary", *lines, repr(self.thresholds)])

    def _repr_html_(self) -> str:
        body = "".join(f"<tr><th>{label}</th><td>{text}</td></tr>" for label, text in self.rows())
        tables = [each for each in (self.thresholds, self.barcodes, self.hours) if each is not None]
        return f"<div><table>{body}</table>{''.join(each._repr_html_() for each in tables)}</div>"


_NUMBERS = (
    "reads",
    "bases",
    "n50",
    "mean_length",
    "median_length",
    "shortest",
    "longest",
    "mean_quality",
    "mean_error_quality",
)


def summary(
    source: Any, *, thresholds: Sequence[float] = _THRESHOLDS, **options: Any
) -> ReadSummary:
    r"""Return what a run gave: reads, bases, N50, qualities, by barcode and over time.

    One pass over all reads. Lengths are counted, not kept: how many reads there are of each length
    gives N50 and median exactly. Memory grows with the number of different lengths, and as reads of
    *d* different lengths have at least *d*\ ²/2 bases, 10¹² bases hold 1.4 million at the most.

    Parameters
    ----------
    source : Particles, FastqReader, or what `read_fastq` takes
        Particles and readers need the columns ``length``, ``quality`` and ``error_quality``;
        ``start_time`` and ``barcode`` are used where they are. A reader is read to its end.
        Anything else is read here, once, with all of them.
    thresholds : sequence of float
        Scores at which reads are counted; those *at or above* one, as ``min_quality`` keeps them
        (NanoPlot counts those above).
    **options
        Handed to `scan_fastq` where `source` is opened here, for example ``limit`` or ``threads``.

    Returns
    -------
    ReadSummary

    Raises
    ------
    ValueError
        Columns are missing, or `thresholds` holds NaN.
    TypeError
        An argument is not of its type, or `options` were given with a reader or particles.
    genomevedic.errors.FastqFormatError, genomevedic.errors.SourceReadError
        As `read_fastq`, for what is read here.

    Notes
    -----
    The columns of qualities are float32: a mean so little below a threshold that it rounds to it
    counts as at it.

    Examples
    --------
    >>> import genomevedic as gv
    >>> columns = ["length", "quality", "error_quality"]
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample(), columns=columns)
    >>> s = gv.summary(p, thresholds=[20, 30])
    >>> s.reads, s.bases, s.n50
    (7040, 528000, 75)
    >>> s.thresholds.reads.tolist(), s.thresholds.reads_by_error.tolist()
    ([7002, 6096], [6916, 6032])
    """
    levels = np.array(sorted({check_number("a threshold", each) for each in thresholds}))
    everything = _Sums(levels)
    barcodes, hours = _Barcodes(), _Hours()
    is_barcoded = is_timed = False
    for batch in batches_of("summary()", source, _NEEDED, _USEFUL, options):
        part = _Batch.of(batch)
        everything.add(part)
        if "barcode" in batch.columns:
            is_barcoded = True
            barcodes.add(part, batch["barcode"])
        if "start_time" in batch.columns:
            is_timed = True
            hours.add(part, np.asarray(batch["start_time"]))
    return ReadSummary(
        **everything.numbers(),
        thresholds=everything.table(),
        barcodes=barcodes.table() if is_barcoded else None,
        hours=hours.table() if is_timed else None,
    )


# ---------------------------------------------------------------------------------------------
# Sums
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Batch:
    """What is summed, of some reads."""

    length: npt.NDArray[np.int64]
    quality: npt.NDArray[np.float64]
    error_quality: npt.NDArray[np.float64]

    @classmethod
    def of(cls, particles: Particles) -> _Batch:
        return cls(
            np.asarray(particles.length, np.int64),
            np.asarray(particles.quality, np.float64),
            np.asarray(particles.error_quality, np.float64),
        )

    def rows(self, rows: npt.NDArray[np.intp]) -> _Batch:
        return _Batch(self.length[rows], self.quality[rows], self.error_quality[rows])


class _Lengths:
    """How many reads there are of each length."""

    def __init__(self) -> None:
        self._short = np.zeros(1, np.int64)
        self._long = np.empty(0, np.int64)
        self._counts = np.empty(0, np.int64)
        self._waiting: list[npt.NDArray[np.int64]] = []
        self._n_waiting = 0

    def add(self, lengths: npt.NDArray[np.int64]) -> None:
        is_long = lengths >= _SHORT
        long = lengths[is_long]
        counts = np.bincount(lengths[~is_long] if len(long) else lengths)
        if len(counts) > len(self._short):
            self._short = np.concatenate(
                [self._short, np.zeros(len(counts) - len(self._short), int)]
            )
        self._short[: len(counts)] += counts
        if len(long):
            self._waiting.append(long)
            self._n_waiting += len(long)
        # Merged when as many wait as are listed, so that each is moved a few times only.
        if self._n_waiting > max(_SHORT, len(self._long)):
            self._merge()

    def _merge(self) -> None:
        lengths, counts = np.unique(np.concatenate(self._waiting), return_counts=True)
        self._waiting, self._n_waiting = [], 0
        every, at = np.unique(np.concatenate([self._long, lengths]), return_inverse=True)
        merged = np.zeros(len(every), np.int64)
        np.add.at(merged, at, np.concatenate([self._counts, counts]))
        self._long, self._counts = every, merged

    def listed(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the lengths that there are, in order, and how many reads have each."""
        if self._waiting:
            self._merge()
        short = np.flatnonzero(self._short)
        return (
            np.concatenate([short, self._long]),
            np.concatenate([self._short[short], self._counts]),
        )


class _Sums:
    """Sums over reads that are counted together; all of whole numbers."""

    def __init__(self, levels: npt.NDArray[np.float64]) -> None:
        self._levels = levels
        self._lengths = _Lengths()
        self._scored = self._quality = self._error_quality = 0
        # [reads or bases][by quality or by error_quality][levels reached]
        self._reached = np.zeros((2, 2, len(levels) + 1), np.int64)

    def add(self, batch: _Batch) -> None:
        self._lengths.add(batch.length)
        is_scored = batch.length > 0
        if not is_scored.all():
            batch = batch.rows(np.flatnonzero(is_scored))
        self._scored += len(batch.length)
        self._quality += _whole(batch.quality)
        self._error_quality += _whole(batch.error_quality)
        for by, scores in enumerate((batch.quality, batch.error_quality)):
            reached = np.searchsorted(self._levels, scores, side="right")
            size = len(self._levels) + 1
            self._reached[0, by] += np.bincount(reached, minlength=size)
            bases = np.bincount(reached, weights=batch.length, minlength=size)
            self._reached[1, by] += bases.astype(np.int64)

    def numbers(self) -> dict[str, Any]:
        lengths, counts = self._lengths.listed()
        reads, bases = int(counts.sum()), int((lengths * counts).sum())
        return {
            "reads": reads,
            "bases": bases,
            "n50": _n50(lengths, counts),
            "mean_length": bases / reads if reads else math.nan,
            "median_length": _median(lengths, counts),
            "shortest": int(lengths[0]) if reads else None,
            "longest": int(lengths[-1]) if reads else None,
            "mean_quality": self._mean(self._quality),
            "mean_error_quality": self._mean(self._error_quality),
        }

    def _mean(self, total: int) -> float:
        return total / self._scored * _QUALITY_UNIT if self._scored else math.nan

    def table(self) -> Table:
        lengths, counts = self._lengths.listed()
        # Of those who reached k levels, each reached the first k.
        (reads, reads_by_error), (bases, bases_by_error) = np.flip(
            np.cumsum(np.flip(self._reached[:, :, 1:], axis=2), axis=2), axis=2
        )
        columns = {
            "threshold": self._levels,
            "reads": reads,
            "reads_fraction": ratio(reads, counts.sum()),
            "bases": bases,
            "reads_by_error": reads_by_error,
            "reads_fraction_by_error": ratio(reads_by_error, counts.sum()),
            "bases_by_error": bases_by_error,
        }
        facts = {"reads": int(counts.sum()), "bases": int((lengths * counts).sum())}
        return Table("Reads at or above a quality", columns, facts)


def _whole(scores: npt.NDArray[np.float64]) -> int:
    """Return the sum of scores in units that are added up exactly."""
    return int(np.rint(scores / _QUALITY_UNIT).astype(np.int64).sum())


def _n50(lengths: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> int | None:
    if not len(lengths):
        return None
    bases = np.cumsum((lengths * counts)[::-1])
    return int(lengths[::-1][np.argmax(2 * bases >= bases[-1])])


def _median(lengths: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> float:
    if not len(lengths):
        return math.nan
    up_to = np.cumsum(counts)
    middle = np.array([(up_to[-1] - 1) // 2, up_to[-1] // 2])
    return float(lengths[np.searchsorted(up_to, middle, side="right")].mean())


# ---------------------------------------------------------------------------------------------
# By barcode and over time
# ---------------------------------------------------------------------------------------------


class _Barcodes:
    """Sums for each barcode, told apart by digests of 64 bits."""

    def __init__(self) -> None:
        self._sums: dict[int, _Sums] = {}
        self._names: list[str] = []
        self._others = 0

    def add(self, batch: _Batch, barcode: Any) -> None:
        if not isinstance(barcode, TextColumn):
            raise TypeError(f"barcode must be a TextColumn, and is a {type(barcode).__name__}")
        digests, first, which = np.unique(
            _core.digest((barcode.offsets, barcode.data), None),
            return_index=True,
            return_inverse=True,
        )
        order = np.argsort(which, kind="stable")
        ends = np.cumsum(np.bincount(which, minlength=len(digests)))
        # In the order in which they came, whatever the batches.
        for each in np.argsort(first):
            rows = order[ends[each - 1] if each else 0 : ends[each]]
            key = int(digests[each])
            if key not in self._sums:
                if len(self._sums) == _MOST_BARCODES:
                    self._others += len(rows)
                    continue
                self._sums[key] = _Sums(np.empty(0))
                self._names.append(_text(barcode[int(first[each])]))
            self._sums[key].add(batch.rows(rows))

    def table(self) -> Table:
        names = np.array(self._names, dtype=str)
        order = np.argsort(names)
        rows = [sums.numbers() for sums in self._sums.values()]
        numbers = {name: np.array([row[name] for row in rows])[order] for name in _NUMBERS}
        facts = {"reads_of_other_barcodes": self._others}
        return Table("Barcodes", {"barcode": names[order], **numbers}, facts)


def _text(name: str | bytes) -> str:
    """Return text that other libraries take, too: what is no UTF-8 shows as escapes."""
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "backslashreplace")


class _Hours:
    """Sums for each hour of the clock in which a read began."""

    def __init__(self) -> None:
        self._sums: dict[int, list[int]] = {}
        self._without = 0

    def add(self, batch: _Batch, start_time: npt.NDArray[Any]) -> None:
        is_timed = ~np.isnat(start_time)
        timed = np.flatnonzero(is_timed)
        self._without += len(is_timed) - len(timed)
        hours, which = np.unique(
            start_time[timed].astype("datetime64[h]").astype(np.int64), return_inverse=True
        )
        length, quality = batch.length[timed], batch.quality[timed]
        is_scored = length > 0
        scores = np.where(is_scored, np.rint(quality / _QUALITY_UNIT), 0.0)
        columns = [
            np.bincount(which, weights=weights, minlength=len(hours)).astype(np.int64)
            for weights in (None, length, is_scored, scores)
        ]
        for hour, *sums in zip(hours.tolist(), *(each.tolist() for each in columns), strict=True):
            kept = self._sums.setdefault(hour, [0] * len(sums))
            self._sums[hour] = [a + b for a, b in zip(kept, sums, strict=True)]

    def table(self) -> Table:
        hours = np.array(sorted(self._sums), np.int64)
        sums = np.array([self._sums[hour] for hour in hours.tolist()], np.int64).reshape(-1, 4)
        reads, bases, scored, quality = sums.T
        columns = {
            "hour": hours.astype("datetime64[h]").astype("datetime64[us]"),
            "reads": reads,
            "bases": bases,
            "mean_quality": ratio(quality, scored) * _QUALITY_UNIT,
            "total_reads": np.cumsum(reads),
            "total_bases": np.cumsum(bases),
        }
        return Table("Hours", columns, {"reads_without_time": self._without})
