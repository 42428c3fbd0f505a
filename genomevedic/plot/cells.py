"""A rectangle of cells that counts reads, and adds up a measure of theirs, batch by batch.

Cells of given bounds count as `numpy.histogram2d` does. Cells without bounds grow with what they
are given: while there are too many, four become one, so memory stays constant and every read is
counted, whatever the order in which reads come. The core's grids count; what is here is where their
edges lie.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..grids import GridCells, extents_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]

__all__ = ["Cells"]

# Rows that cells grow for together.
_ROWS = 1 << 20

# Where cells are to be chosen, the first batch spans so many along its longer side.
_FIRST_CELLS = 512

# Cells at the most before four become one. 8 bytes each, and 16 more for a measure.
_MOST_CELLS = 1 << 20

# Cells from the origin at the most: their numbers and edges are exact in float64.
_FARTHEST = 2.0**51


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
        self._n_sums = int(has_sums)
        self._origin = np.zeros(2)
        self._cell = np.ones(2)
        # The first cell's number along x and y, counted from the origin.
        self._first: Whole = np.zeros(2, np.int64)
        self._has_cells = bounds is not None
        # Of (y, x), as pictures are; there are none before the first read with a place.
        self._grid: GridCells | None = None
        # Along y and x; made anew where None.
        self._edges: tuple[Floats, ...] | None = None
        if bounds is not None:
            low, high = np.asarray(bounds, np.float64).T
            self._origin, self._cell = low, (high - low) / np.asarray(shape)
            self._grid = GridCells(shape[::-1], self._n_sums)
            self._edges = tuple(
                np.linspace(*bounds[axis], shape[axis] + 1, dtype=np.float64) for axis in (1, 0)
            )
        # Before there are cells; and of cells that were taken away.
        self._unplaced = self._valueless = 0

    @property
    def counts(self) -> Floats:
        """Reads in each cell; a new array."""
        return self._known().astype(np.float64)

    @property
    def sums(self) -> Floats:
        """The measure's sum in each cell; empty where there is none."""
        return self._grid.sums[0] if self._grid is not None and self._n_sums else np.zeros((0, 0))

    @property
    def drawn(self) -> int:
        """Reads counted in cells."""
        return int(self._known().sum())

    @property
    def unplaced(self) -> int:
        """Reads without a place."""
        return self._unplaced + (self._grid.unplaced if self._grid is not None else 0)

    @property
    def valueless(self) -> int:
        """Reads with a place that lack the measure."""
        if self._grid is None or not self._n_sums:
            return self._valueless
        missing = int(self._grid.missing[0].sum())
        return self._valueless + missing + self._grid.missing_outside

    @property
    def outside(self) -> int:
        """Reads with a place, and the measure, that are beyond the bounds."""
        return self._grid.outside - self._grid.missing_outside if self._grid is not None else 0

    def _known(self) -> npt.NDArray[np.uint64]:
        """Return the reads in each cell that have the measure."""
        if self._grid is None:
            return np.zeros((0, 0), np.uint64)
        return self._grid.counts - self._grid.missing[0] if self._n_sums else self._grid.counts

    def _shape(self) -> Whole:
        """Return the number of cells along x and y."""
        return np.array(self._grid.shape[::-1] if self._grid is not None else (0, 0), np.int64)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of all cells."""
        low = self._origin + self._first * self._cell
        high = low + self._shape() * self._cell
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
        copied._grid = self._grid.copy() if self._grid is not None else None
        return copied

    def means(self) -> Floats:
        """Return the mean of the measure in each cell, NaN where there is no read."""
        return self._grid.means(0) if self._grid is not None else np.zeros((0, 0))

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
        step = _ROWS if self._grows else max(1, len(x))
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            if self._grows:
                self._make_room(x[part], y[part])
            if self._grid is None:
                self._unplaced += len(x[part])
                continue
            measures = () if values is None else (values[part],)
            self._grid.add(self._edges_along(), (y[part], x[part]), measures, is_finite=True)

    def _edges_along(self) -> tuple[Floats, ...]:
        """Return the edges of the cells along y and x."""
        if self._edges is None:
            shape = self._shape()
            self._edges = tuple(
                self._edge(np.arange(shape[axis] + 1) + self._first[axis], axis) for axis in (1, 0)
            )
        return self._edges

    def _edge(self, number: npt.NDArray[np.int64], axis: int) -> Floats:
        """Return the lower edges of cells; the same ones however often cells were joined."""
        edges: Floats = self._origin[axis] + number * self._cell[axis]
        return edges

    # ------------------------------------------------------------------------------------------
    # Growing
    # ------------------------------------------------------------------------------------------

    def _make_room(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
        """Let the cells cover these places."""
        spans = extents_of(x, y)
        if spans is None:
            return
        low, high = np.array(spans).T
        if not self._has_cells:
            self._choose_cells(low, high)
        self._reach(low, high)
        while True:
            first, last = self._cells_of(low, high)
            if self._grid is not None:
                shape = self._shape()
                if (first >= self._first).all() and (last < self._first + shape).all():
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

    def _cells_of(self, low: Floats, high: Floats) -> tuple[Whole, Whole]:
        """Return the numbers of the cells that hold the lowest and the highest place."""
        first = np.floor((low - self._origin) / self._cell).astype(np.int64)
        last = np.floor((high - self._origin) / self._cell).astype(np.int64)
        # The edges decide, as they do where reads are counted.
        for axis in (0, 1):
            first[axis] -= self._edge(first[axis], axis) > low[axis]
            last[axis] += self._edge(last[axis] + 1, axis) <= high[axis]
        return first, last

    def _reach(self, low: Floats, high: Floats) -> None:
        """Join cells until numbers tell those of these places apart."""
        far = np.maximum(np.abs(low - self._origin), np.abs(high - self._origin))
        while (is_far := far > _FARTHEST * self._cell).any():
            self.coarsen((True, True) if self._is_square else (bool(is_far[0]), bool(is_far[1])))

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

    def _move(self, first: Whole, shape: Whole) -> None:
        """Lay the counts into cells that cover more."""
        height, width = int(shape[1]), int(shape[0])
        if self._grid is None:
            self._grid = GridCells((height, width), self._n_sums)
        else:
            wider = self._grid.like((height, width))
            wider.merge(self._grid, shifts=(self._first - first)[::-1].tolist())
            self._grid = wider
        self._first = first
        self._edges = None

    def coarsen(self, along: tuple[bool, bool] = (True, True)) -> None:
        """Join cells in pairs along x, along y, or along both."""
        factor = np.where(along, 2, 1)
        # Pairs are counted from the origin, so they are the same whatever was there first.
        first = self._first // factor
        if self._grid is not None:
            last = (self._first + self._shape() - 1) // factor
            joined = self._grid.like((last - first + 1)[::-1].tolist())
            shifts = self._first - first * factor
            joined.merge(self._grid, shifts[::-1].tolist(), factor[::-1].tolist())
            self._grid = joined
        self._first = first
        self._cell = self._cell * factor
        self._edges = None

    def fit(self, reads: float, longest: int) -> None:
        """Join cells until a picture of them can be read; take away those around all reads.

        Parameters
        ----------
        reads : float
            So many reads are in a cell, on average over those that hold any.
        longest : int
            Cells at the most along x and along y, 2 or more.
        """
        drawn = self.drawn
        if not self._grows or drawn == 0:
            return
        self.trim()
        while True:
            shape = self._shape()
            occupied = np.count_nonzero(self._known())
            # Two cells on either side of the origin stay two.
            is_sparse = drawn < reads * occupied and shape.max() > 2
            if shape.max() <= longest and not is_sparse:
                return
            self.coarsen(self._along_which(shape))

    def trim(self) -> None:
        """Take away the cells around all reads; there must be some."""
        known = self._known()
        rows = np.flatnonzero(known.any(axis=1))
        columns = np.flatnonzero(known.any(axis=0))
        part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        if self._grid is None or known[part].shape == known.shape:
            return
        valueless = self.valueless
        self._grid = self._grid.cut(part)
        # Reads that lack the measure may be alone in a cell.
        self._valueless += valueless - self.valueless
        self._first = self._first + np.array([columns[0], rows[0]])
        self._edges = None
