"""How far apart the reads of one sequence lie on their tile: optical duplicates, by distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from .arguments import check_integer
from .batches import batches_of
from .table import Table, shown

if TYPE_CHECKING:
    import numpy.typing as npt

    from .particles import Particles

__all__ = ["THRESHOLDS", "PairTable", "optical_pairs"]

#: Distances within which tools are told to call reads optical duplicates: the distance in units of
#: x and y, the tool, the instruments. From the manual of samtools markdup (-d) and the guide of
#: BBTools' Clumpify (dupedist=).
THRESHOLDS = (
    (40, "Clumpify", "NextSeq, HiSeq 2500 and older"),
    (50, "Clumpify", "NovaSeq X"),
    (100, "samtools", "HiSeq and the like"),
    (2500, "samtools", "NovaSeq"),
    (2500, "Clumpify", "HiSeq 3000 and 4000"),
    (12000, "Clumpify", "NovaSeq 6000"),
)

_NEEDED = ("lane", "tile", "x", "y", "sequence")

# What the columns x and y hold of a record without a place.
_NO_PLACE = np.iinfo(np.int32).min

# The last distance of each bin: 0, then ten a decade with the thresholds among them, so that what
# lies within one is whole bins. Tiles are smaller than a million units, and no distance is larger
# than the last. They are fixed, so that the tables of two runs have the same rows.
_ENDS: npt.NDArray[np.int64] = np.unique(
    [
        0,
        *(
            round(step * 10**k)
            for k in range(6)
            for step in (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8)
        ),
        *(distance for distance, _, _ in THRESHOLDS),
        10**6,
        2**32,
    ]
).astype(np.int64)

# An odd number without a pattern (the golden ratio's), by which tiles are spread over 64 bits.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)

# Pairs measured at once.
_CHUNK = 1 << 20


class PairTable(Table):
    """How many pairs of reads lie how far apart.

    Parameters
    ----------
    title, columns, facts
        As for `Table`.
    thresholds : Table
        The attribute.

    Attributes
    ----------
    thresholds : Table
        A row for each distance that a tool is told to use (`THRESHOLDS`). Columns: ``distance``,
        ``tool``, ``instruments``; ``pairs``, those no further apart; ``reads``, those with another
        no further away.
    """

    __slots__ = ("thresholds",)

    def __init__(
        self,
        title: str,
        columns: Mapping[str, npt.NDArray[Any]],
        facts: Mapping[str, Any] | None,
        thresholds: Table,
    ) -> None:
        super().__init__(title, columns, facts)
        self.thresholds = thresholds

    def _heading(self) -> str:
        bins = "rows without a pair are not shown"
        return f"{super()._heading()}; {bins}; .thresholds {shown(len(self.thresholds))} rows"

    def _rows_of_interest(self) -> list[int]:
        return [int(row) for row in np.flatnonzero(self.pairs + self.pairs_euclidean)]


def optical_pairs(
    source: Any, *, prefix: int = 50, most_reads: int = 300, **options: Any
) -> PairTable:
    r"""Return how far apart the reads lie that begin alike, on the same tile of the same lane.

    Reads that one cluster gave twice lie close together, those of a molecule that was copied before
    lie anywhere. Tools part them by a distance, and disagree about it by two orders of magnitude:
    here are all distances, and those of the tools marked.

    Parameters
    ----------
    source : Particles, FastqReader, or what `read_fastq` takes
        Particles and readers need the columns ``lane``, ``tile``, ``x``, ``y`` and ``sequence``; a
        reader is read to its end. Anything else is read here, once. Give the two files of a run in
        pairs one by one.
    prefix : int, default 50
        Bases that must be equal, in either case. Shorter reads are equal to those that are as
        short.
    most_reads : int, default 300
        The pairs of a larger set of equal reads are not measured, as their number grows with the
        square; ``facts`` says how many sets, reads and pairs those are.
    **options
        Handed to `scan_fastq` where `source` is opened here.

    Returns
    -------
    PairTable
        A row for each bin of distances, the same bins for every source. Columns: ``least`` and
        ``most``, the distances in the bin, both included, in units of x and y; ``pairs``, by the
        larger of \|dx\| and \|dy\|, as samtools, Picard and Clumpify measure; ``pairs_euclidean``,
        by sqrt(dx² + dy²), up to ``most`` and above that of the bin before; ``reads``, by the
        nearest other read of the set, larger of \|dx\| and \|dy\|. ``.thresholds`` has what lies
        within the distances of the tools (see `PairTable`). In ``facts``: ``reads``, and of these
        ``reads_without_place`` and ``reads_of_one_letter`` (or none) in the prefix, such as poly-G
        and N, which are compared with nothing; ``sets`` of two reads or more and ``reads_in_sets``;
        ``pairs``; and the ``large_sets``, ``reads_in_large_sets`` and ``pairs_not_measured``.

    Raises
    ------
    ValueError
        Columns are missing; `prefix` is less than 1, or `most_reads` less than 2.
    TypeError
        An argument is not of its type, or `options` were given with a reader or particles.
    genomevedic.errors.FastqFormatError, genomevedic.errors.SourceReadError
        As `read_fastq`, for what is read here.

    Notes
    -----
    Prefixes are compared by digests of 64 bits: among a thousand million reads, two different ones
    would be taken for equal with a chance of some 3 %, and once. The result does not depend on the
    order of the reads. It takes about 50 bytes of memory a read.

    References
    ----------
    https://www.htslib.org/doc/samtools-markdup.html and
    https://bbmap.org/docs/guides/duplicate_removal_guide, for the distances.

    Examples
    --------
    >>> import numpy as np
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(b"@a\nACGT\n+\nIIII\n@b\nACGT\n+\nIIII\n@c\nACGA\n+\nIIII\n")
    >>> columns = {
    ...     "lane": np.ones(3, "u1"), "tile": np.full(3, 1101, "u4"),
    ...     "x": np.array([1000, 1030, 1000], "i4"), "y": np.array([2000, 1960, 2000], "i4"),
    ...     "sequence": gv.read_fastq(b"@a\nACGT\n+\nIIII\n@b\nACGT\n+\nIIII\n@c\nACGA\n+\nIIII\n",
    ...                               columns=["sequence"]).sequence,
    ... }
    >>> t = gv.optical_pairs(gv.Particles(columns, p.layout))
    >>> t[t.pairs > 0].most.tolist(), t[t.pairs_euclidean > 0].most.tolist()
    ([40], [50])
    >>> t.thresholds[0]["distance"], t.thresholds[0]["pairs"]
    (np.int64(40), np.int64(1))
    """
    prefix = check_integer("prefix", prefix, 1)
    most_reads = check_integer("most_reads", most_reads, 2)
    collected = _Collected()
    for batch in batches_of("optical_pairs()", source, _NEEDED, (), options):
        collected.add(batch, prefix)
    members = collected.members(most_reads)
    pairs, euclidean, nearest = _measure(members)
    reads = np.bincount(np.searchsorted(_ENDS, nearest), minlength=len(_ENDS))
    columns = {
        "least": np.concatenate([[0], _ENDS[:-1] + 1]),
        "most": _ENDS.copy(),
        "pairs": pairs,
        "pairs_euclidean": euclidean,
        "reads": reads,
    }
    facts = {**collected.facts, "pairs": int(pairs.sum()), **members.left_out}
    return PairTable("Pairs of equal reads", columns, facts, _thresholds(pairs, reads))


def _thresholds(pairs: npt.NDArray[np.int64], reads: npt.NDArray[np.int64]) -> Table:
    distance = np.array([each for each, _, _ in THRESHOLDS], np.int64)
    bins = np.searchsorted(_ENDS, distance)
    columns = {
        "distance": distance,
        "tool": np.array([tool for _, tool, _ in THRESHOLDS]),
        "instruments": np.array([instruments for _, _, instruments in THRESHOLDS]),
        "pairs": np.cumsum(pairs)[bins],
        "reads": np.cumsum(reads)[bins],
    }
    return Table("Within the distances of tools", columns)


# ---------------------------------------------------------------------------------------------
# Sets of equal reads
# ---------------------------------------------------------------------------------------------


def _as(column: Any, dtype: type) -> npt.NDArray[Any]:
    return np.asarray(column).astype(dtype, casting="safe", copy=False)


class _Members:
    """The reads in sets of two or more that are measured, set by set.

    `later` is how many reads of its set come after each.
    """

    def __init__(
        self,
        x: npt.NDArray[np.int64],
        y: npt.NDArray[np.int64],
        later: npt.NDArray[np.int64],
        left_out: dict[str, int],
    ) -> None:
        self.x, self.y, self.later, self.left_out = x, y, later, left_out


class _Collected:
    """What is kept of each read: a number that its prefix and tile share, and its place."""

    def __init__(self) -> None:
        self.facts = {"reads": 0, "reads_without_place": 0, "reads_of_one_letter": 0}
        self._parts: list[tuple[npt.NDArray[np.uint64], npt.NDArray[Any], npt.NDArray[Any]]] = []

    def add(self, batch: Particles, prefix: int) -> None:
        digest = _core.digest((batch.sequence.offsets, batch.sequence.data), prefix)
        # A wider type is refused, for its numbers might not fit.
        lane, tile = (_as(batch[name], np.uint64) for name in ("lane", "tile"))
        x, y = (_as(batch[name], np.int32) for name in ("x", "y"))
        is_placed = (lane > 0) & (tile > 0) & (x != _NO_PLACE) & (y != _NO_PLACE)
        keep = np.flatnonzero(is_placed & (digest != 0))
        key = digest ^ ((lane << np.uint64(32) | tile) * _SPREAD)
        self._parts.append((key[keep], x[keep], y[keep]))
        self.facts["reads"] += len(batch)
        self.facts["reads_without_place"] += int(np.count_nonzero(~is_placed))
        self.facts["reads_of_one_letter"] += int(np.count_nonzero(is_placed & (digest == 0)))

    def members(self, most_reads: int) -> _Members:
        """Sort the reads into their sets; this object is empty afterwards."""
        parts, self._parts = self._parts, []
        key = np.concatenate([part[0] for part in parts] or [np.empty(0, np.uint64)])
        order = np.argsort(key)
        key = key[order]
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])[: len(key)])
        size = np.diff(np.append(first, len(key)))
        del key
        is_set, is_large = size > 1, size > most_reads
        self.facts["sets"] = int(np.count_nonzero(is_set))
        self.facts["reads_in_sets"] = int(size[is_set].sum())
        # Python's whole numbers: the pairs of a set of all reads may exceed 64 bits.
        large = size[is_large].tolist()
        left_out = {
            "large_sets": len(large),
            "reads_in_large_sets": sum(large),
            "pairs_not_measured": sum(n * (n - 1) // 2 for n in large),
        }
        wanted = is_set & ~is_large
        first, size = first[wanted], size[wanted]
        ends = np.cumsum(size)
        later = np.repeat(ends, size) - np.arange(1, size.sum() + 1)
        rows = order[np.repeat(first + size - ends, size) + np.arange(size.sum())]
        x = np.concatenate([part[1] for part in parts] or [np.empty(0, np.int32)])[rows]
        y = np.concatenate([part[2] for part in parts] or [np.empty(0, np.int32)])[rows]
        return _Members(x.astype(np.int64), y.astype(np.int64), later, left_out)


def _measure(
    members: _Members,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the pairs in each bin by both metrics, and the distance of each read's nearest.

    Each read is measured to the next one of its set, then to the one after that, and so on: as many
    rounds as the largest set has reads, and in all as much work as there are pairs.
    """
    pairs, euclidean = np.zeros(len(_ENDS), np.int64), np.zeros(len(_ENDS), np.int64)
    nearest = np.full(len(members.x), _ENDS[-1])
    # Exact in float64 below 2**26 units, which no tile reaches.
    squares = _ENDS.astype(np.float64) ** 2
    going, lag = np.flatnonzero(members.later >= 1), 1
    while len(going):
        for start in range(0, len(going), _CHUNK):
            one = going[start : start + _CHUNK]
            other = one + lag
            dx = np.abs(members.x[one] - members.x[other])
            dy = np.abs(members.y[one] - members.y[other])
            distance = np.maximum(dx, dy)
            pairs += np.bincount(np.searchsorted(_ENDS, distance), minlength=len(_ENDS))
            square = dx.astype(np.float64) ** 2 + dy.astype(np.float64) ** 2
            bins = np.minimum(np.searchsorted(squares, square), len(_ENDS) - 1)
            euclidean += np.bincount(bins, minlength=len(_ENDS))
            nearest[one] = np.minimum(nearest[one], distance)
            nearest[other] = np.minimum(nearest[other], distance)
        lag += 1
        going = going[members.later[going] >= lag]
    return pairs, euclidean, nearest
