"""A rectangle of cells that counts reads, and adds up a measure of theirs, batch by batch.

Cells of given bounds count as `numpy.histogram2d` does. Cells without bounds grow with what they
are given: while there are too many, four become one, so memory stays constant and every read is
counted, whatever the order in which reads come.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Cells"]

# Rows whose cells are found together: the numbers of a few passes stay in the second-level cache.
_ROWS = 1 << 14

# Rows counted together: making the counts of all cells costs little beside counting so many.
_COUNTED = 1 << 20

# Where cells are to be chosen, the first batch spans so many along its longer side.
_FIRST_CELLS = 512

# Cells at the most before four become one. 16 bytes each.
_MOST_CELLS = 1 << 20


class Cells:
    """Counts of reads in cells, and sums of a measure of theirs.

    Parameters
    ----------
    bounds : ((float, float), (float, float)), optional
        From where to where along x and y; the upper ends count as inside. Without them the cells
        grow with the places.
    shape : (int, int), optional
        Number of cells along x and y; with `bounds`.
    lattice : (origin and spacing or None, the same along y)
        Where places can only be ``origin + k * spacing``, for an integer k: cells begin half-way
        between two such places and are a whole number of them wide, or none of them would hold
        as many as the next. For cells that grow.
    is_square : bool
        Whether cells that grow are as wide as high.
    has_sums : bool
        Whether a measure is added up.

    Attributes
    ----------
    counts : ndarray of float64, shape (y, x)
        Whole numbers.
    sums : ndarray of float64, shape (y, x)
        Of the measure; empty where there is none.
    drawn, unplaced, valueless, outside : int
        Reads counted in cells; those without a place; those with a place that lack the measure;
        and those with both that are beyond the bounds.
    """

    def __init__(
        self,
        bounds: tuple[tuple[float, float], tuple[float, float]] | None = None,
        shape: tuple[int, int] = (0, 0),
        *,
        lattice: tuple[tuple[float, float] | None, ...] = (None, None),
        is_square: bool = True,
        has_sums: bool = False,
    ) -> None:
        self._lattice = lattice
        self._is_square = is_square
        self._grows = bounds is None
        self._origin = np.zeros(2)
        self._cell = np.ones(2)
        # The first cell's number along x and y, counted from the origin.
        self._first = np.zeros(2, np.int64)
        if bounds is not None:
            low, high = np.asarray(bounds, np.float64).T
            self._origin, self._cell = low, (high - low) / np.asarray(shape)
        self._has_cells = bounds is not None
        self.counts: Floats = np.zeros((shape[1], shape[0]))
        self.sums: Floats = np.zeros_like(self.counts) if has_sums else np.zeros((0, 0))
        self._has_sums = has_sums
        self.drawn = self.unplaced = self.valueless = self.outside = 0

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of all cells."""
        low = self._origin + self._first * self._cell
        high = low + np.array(self.counts.shape[::-1]) * self._cell
        return float(low[0]), float(high[0]), float(low[1]), float(high[1])

    @property
    def first(self) -> tuple[int, int]:
        """The first cell's number along x and y, counted in cells from the origin."""
        return int(self._first[0]), int(self._first[1])

    @property
    def cell(self) -> tuple[float, float]:
        """Width and height of a cell."""
        return float(self._cell[0]), float(self._cell[1])

    def copy(self) -> Cells:
        """Return cells that share nothing with these."""
        copied = copy.copy(self)
        copied.counts, copied.sums = self.counts.copy(), self.sums.copy()
        return copied

    def means(self) -> Floats:
        """Return the mean of the measure in each cell, NaN where there is no read."""
        means = np.full(self.counts.shape, np.nan)
        np.divide(self.sums, self.counts, out=means, where=self.counts > 0)
        return means

    # ------------------------------------------------------------------------------------------
    # Counting
    # ------------------------------------------------------------------------------------------

    def add(
        self, x: npt.NDArray[Any], y: npt.NDArray[Any], values: npt.NDArray[Any] | None = None
    ) -> None:
        """Count reads.

        Parameters
        ----------
        x, y : ndarray of numbers, shape (N,)
            Their places; what is not finite is none.
        values : ndarray of numbers, shape (N,), optional
            Their measures, where they are added up; one that is not finite is none.
        """
        for start in range(0, len(x), _COUNTED):
            part = slice(start, start + _COUNTED)
            self._add(x[part], y[part], None if values is None else values[part])

    def _add(
        self, x: npt.NDArray[Any], y: npt.NDArray[Any], values: npt.NDArray[Any] | None
    ) -> None:
        if self._grows:
            self._make_room(x, y)
        index = np.empty(len(x), np.intp)
        weights = np.empty(len(x) if self._has_sums else 0)
        filled = 0
        for start in range(0, len(x), _ROWS):
            part = slice(start, start + _ROWS)
            measured = None if values is None else values[part].astype(np.float64)
            flat, measured = self._find(
                x[part].astype(np.float64), y[part].astype(np.float64), measured
            )
            index[filled : filled + len(flat)] = flat
            if measured is not None:
                weights[filled : filled + len(flat)] = measured
            filled += len(flat)
        self.drawn += filled
        size = self.counts.size
        if filled:
            counts = np.bincount(index[:filled], minlength=size)
            self.counts += counts.reshape(self.counts.shape)
            if self._has_sums:
                sums = np.bincount(index[:filled], weights[:filled], minlength=size)
                self.sums += sums.reshape(self.sums.shape)

    def _find(self, x: Floats, y: Floats, values: Floats | None) -> tuple[Floats, Floats | None]:
        """Return the numbers of the cells of these reads, as floats, and their measures."""
        is_placed = np.isfinite(x + y)
        placed = int(np.count_nonzero(is_placed))
        self.unplaced += len(x) - placed
        usable, n_usable = is_placed, placed
        if values is not None:
            usable = is_placed & np.isfinite(values)
            n_usable = int(np.count_nonzero(usable))
            self.valueless += placed - n_usable
        if n_usable < len(x):
            x, y = x[usable], y[usable]
            values = None if values is None else values[usable]
        columns = self._numbers(x, 0)
        rows = self._numbers(y, 1)
        height, width = self.counts.shape
        if not self._grows and n_usable:
            inside = (columns >= 0) & (columns <= width) & (rows >= 0) & (rows <= height)
            if not inside.all():
                self.outside += int(n_usable - np.count_nonzero(inside))
                columns, rows = columns[inside], rows[inside]
                values = None if values is None else values[inside]
            # The upper bound itself is inside.
            np.minimum(columns, width - 0.5, out=columns)
            np.minimum(rows, height - 0.5, out=rows)
        np.floor(columns, out=columns)
        np.floor(rows, out=rows)
        rows *= width
        rows += columns
        return rows, values

    def _numbers(self, along: Floats, axis: int) -> Floats:
        """Return how many cells right of the first, or above it, these are; takes its argument."""
        along -= self._origin[axis]
        along /= self._cell[axis]
        along -= self._first[axis]
        return along

    # ------------------------------------------------------------------------------------------
    # Growing
    # ------------------------------------------------------------------------------------------

    def _make_room(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
        """Let the cells cover these places."""
        spans = [_span(x, y), _span(y, x)]
        if any(span is None for span in spans):
            return
        low, high = np.array(spans, np.float64).T
        if not self._has_cells:
            self._choose_cells(low, high)
        while True:
            first = np.floor((low - self._origin) / self._cell).astype(np.int64)
            last = np.floor((high - self._origin) / self._cell).astype(np.int64)
            shape = np.array(self.counts.shape[::-1])
            if self.counts.size:
                is_inside = (first >= self._first).all() and (last < self._first + shape).all()
                if is_inside:
                    return
                # Room for as much again where they grow, or each batch would move them all.
                more = np.maximum(shape // 2, 1)
                lower = np.where(first < self._first, np.minimum(first, self._first - more), first)
                upper = np.where(last >= self._first + shape, last + more, last)
                first = np.minimum(lower, self._first)
                last = np.maximum(upper, self._first + shape - 1)
            wanted = last - first + 1
            if int(wanted[0]) * int(wanted[1]) <= _MOST_CELLS:
                self._move(first, wanted)
                return
            self.coarsen(self._along_which(wanted))

    def _choose_cells(self, low: Floats, high: Floats) -> None:
        cell = np.ones(2)
        for axis, lattice in enumerate(self._lattice):
            if lattice is not None:
                origin, cell[axis] = lattice
                self._origin[axis] = origin - cell[axis] / 2
            elif high[axis] > low[axis]:
                extent = (high - low).max() if self._is_square else high[axis] - low[axis]
                # A power of 2, so that cells of two halves of a file are the same.
                cell[axis] = 2.0 ** math.floor(math.log2(extent / _FIRST_CELLS))
        if self._is_square and cell[0] != cell[1] and self._lattice == (None, None):
            cell[:] = cell.min()
        self._cell = cell
        self._has_cells = True

    def _along_which(self, shape: npt.NDArray[Any]) -> tuple[bool, bool]:
        """Tell along which axes cells are to be joined."""
        if self._is_square:
            return True, True
        return bool(shape[0] >= shape[1]), bool(shape[0] < shape[1])

    def _move(self, first: npt.NDArray[Any], shape: npt.NDArray[Any]) -> None:
        """Lay the counts into cells that cover more."""
        left, below = (self._first - first).tolist()
        height, width = self.counts.shape
        for name in ("counts", "sums") if self._has_sums else ("counts",):
            old = getattr(self, name)
            new = np.zeros((int(shape[1]), int(shape[0])))
            if old.size:
                new[below : below + height, left : left + width] = old
            setattr(self, name, new)
        self._first = first

    def coarsen(self, along: tuple[bool, bool] = (True, True)) -> None:
        """Join cells in pairs along x, along y, or along both."""
        factor = np.where(along, 2, 1)
        shape = np.array(self.counts.shape[::-1])
        # Pairs are counted from the origin, so they are the same whatever was there first.
        first = self._first // factor
        if self.counts.size:
            last = (self._first + shape - 1) // factor
            self._move(first * factor, (last - first + 1) * factor)
            width, height = (last - first + 1).tolist()
            for name in ("counts", "sums") if self._has_sums else ("counts",):
                blocks = getattr(self, name).reshape(height, factor[1], width, factor[0])
                setattr(self, name, blocks.sum(axis=(1, 3)))
        self._first = first
        self._cell = self._cell * factor

    def fit(self, reads: float, longest: int) -> None:
        """Join cells until a picture of them can be read; take away those around all reads.

        Parameters
        ----------
        reads : float
            So many reads are in a cell, on average over those that hold any.
        longest : int
            Cells at the most along x and along y, 2 or more.
        """
        if not self._grows or self.drawn == 0:
            return
        self.trim()
        while True:
            shape = np.array(self.counts.shape[::-1])
            occupied = np.count_nonzero(self.counts)
            # Two cells on either side of the origin stay two.
            is_sparse = self.drawn < reads * occupied and shape.max() > 2
            if shape.max() <= longest and not is_sparse:
                return
            self.coarsen(self._along_which(shape))

    def trim(self) -> None:
        """Take away the cells around all reads; there must be some."""
        rows = np.flatnonzero(self.counts.any(axis=1))
        columns = np.flatnonzero(self.counts.any(axis=0))
        first = np.array([columns[0], rows[0]])
        part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        self.counts = self.counts[part].copy()
        if self._has_sums:
            self.sums = self.sums[part].copy()
        self._first = self._first + first


def _span(along: npt.NDArray[Any], other: npt.NDArray[Any]) -> tuple[float, float] | None:
    """Return the least and the most along one axis of the reads that have a place."""
    low, high = np.inf, -np.inf
    for start in range(0, len(along), _ROWS):
        part = along[start : start + _ROWS]
        least, most = float(np.min(part)), float(np.max(part))
        if not (math.isfinite(least) and math.isfinite(most)):
            beside = other[start : start + _ROWS]
            part = part[np.isfinite(part) & np.isfinite(beside)]
            if len(part) == 0:
                continue
            least, most = float(part.min()), float(part.max())
        low, high = min(low, least), max(high, most)
    return (low, high) if high >= low else None
