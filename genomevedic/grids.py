"""The cells of a grid in memory: rows of columns are added to them, and cells to cells."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from .errors import MemoryAllocationError
from .memory import Arena

if TYPE_CHECKING:
    import numpy.typing as npt

    Edges = Sequence[npt.NDArray[np.float64]]
    Columns = Sequence[npt.NDArray[Any]]

__all__ = ["MOST_AXES", "MOST_BINS", "MOST_SUMS", "GridCells", "extents_of"]

MOST_AXES = 3
MOST_BINS = 2**31 - 2
MOST_SUMS = 8

# More cells than a machine has memory for, and the core numbers.
_MOST_CELLS = 2**45

# Cells behind the last one: of rows out of bounds, and of those with a NaN on an axis.
_BEHIND = 2

# Rows between two looks at signals: some tenth of a second.
_STEP_ROWS = 2**23


class GridCells:
    """Counts and sums in cells, in one piece of memory of the pool *voxels*.

    One thread at a time adds to them. Sums have the same bits for any number of threads and however
    rows are cut into calls.

    Parameters
    ----------
    shape : tuple of int
        Bins of each axis.
    n_sums : int
        Columns that are summed.
    arena : _core.Arena, optional
        Where they are counted, and which they must fit.

    Attributes
    ----------
    counts : ndarray of uint64
        Rows in each cell, of the shape of the grid.
    sums : tuple of ndarray of float64
        Of each summed column, over the rows that have a value.
    missing : tuple of ndarray of uint64
        How many rows have none (NaN).
    shape, n_sums, arena
        As above.

    Raises
    ------
    ArenaFullError, MemoryLimitError, MemoryAllocationError
        So many cells do not fit.
    """

    __slots__ = ("_block", "_lock", "arena", "counts", "missing", "n_sums", "shape", "sums")

    def __init__(self, shape: Sequence[int], n_sums: int, arena: _core.Arena | None = None) -> None:
        self.shape = tuple(shape)
        self.n_sums = n_sums
        self.arena = Arena()._open if arena is None else arena
        self._lock = threading.Lock()
        cells = math.prod(self.shape)
        if cells > _MOST_CELLS:
            raise MemoryAllocationError(
                f"a grid of {cells:,} cells: no machine has the memory for as many."
            )
        self._block = self.empty((1 + 2 * n_sums, cells + _BEHIND), np.uint64)
        self._block[...] = 0  # Also the bits of the float64 0.0.
        laid = [row[:cells].reshape(self.shape) for row in self._block]
        self.counts: npt.NDArray[np.uint64] = laid[0]
        self.sums: tuple[npt.NDArray[np.float64], ...] = tuple(
            row.view(np.float64) for row in laid[1::2]
        )
        self.missing: tuple[npt.NDArray[np.uint64], ...] = tuple(laid[2::2])

    def empty(self, shape: Sequence[int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array beside the cells, its values unset."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        return self.arena.empty(size, "voxels").view(dtype).reshape(shape)

    # ------------------------------------------------------------------------------------------
    # What they hold
    # ------------------------------------------------------------------------------------------

    @property
    def nbytes(self) -> int:
        """Bytes of counts and sums."""
        return self._block.nbytes

    @property
    def outside(self) -> int:
        """Rows in no cell, though they have a place."""
        return int(self._block[0, -2])

    @property
    def unplaced(self) -> int:
        """Rows without a value on an axis."""
        return int(self._block[0, -1])

    @property
    def missing_outside(self) -> int:
        """Rows in no cell, though they have a place, that lack what the first sum is of."""
        return int(self._block[2, -2]) if self.n_sums else 0

    def means(self, number: int) -> npt.NDArray[np.float64]:
        """Return the mean of a summed column in each cell, NaN where no row has a value."""
        self.check_free()
        means = self.empty(self.shape, np.float64)
        means[...] = np.nan
        known = self.counts - self.missing[number]
        np.divide(self.sums[number], known, out=means, where=known > 0)
        return means

    def is_equal(self, other: GridCells) -> bool:
        """Whether all counts and sums are the same."""
        # As they stand in memory: a sum may be NaN.
        return self.shape == other.shape and np.array_equal(self._block, other._block)

    # ------------------------------------------------------------------------------------------
    # Adding
    # ------------------------------------------------------------------------------------------

    @contextmanager
    def _claimed(self) -> Iterator[None]:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(_IN_USE)
        try:
            yield
        finally:
            self._lock.release()

    def check_free(self) -> None:
        """Refuse where a thread is adding."""
        if self._lock.locked():
            raise RuntimeError(_IN_USE)

    def add(
        self,
        edges: Edges,
        axes: Columns,
        values: Columns = (),
        *,
        threads: int = 0,
        is_finite: bool = False,
    ) -> None:
        """Add rows.

        Parameters
        ----------
        edges : sequence of ndarray of float64
            Of each axis, one more than it has bins; finite and increasing.
        axes, values : sequence of ndarray
            A column of numbers or times for each axis, and for each sum.
        threads : int, default 0
            0: as many as there are processors that others leave free.
        is_finite : bool, default False
            Whether infinite numbers count as none, like NaN.

        Raises
        ------
        RuntimeError
            Another thread is adding.
        TypeError, ValueError
            A column is of another type or length, or edges make no bins.
        """
        edges, axes, values = tuple(edges), tuple(axes), tuple(values)
        # Of one length before any is cut: a slice could hide that.
        if len({len(column) for column in (*axes, *values)}) > 1:
            raise ValueError("a grid's columns have one length")
        with self._claimed():
            for first in range(0, len(axes[0]), _STEP_ROWS):
                part = slice(first, first + _STEP_ROWS)
                _core.voxel_add(
                    self._block,
                    edges,
                    tuple(column[part] for column in axes),
                    tuple(column[part] for column in values),
                    threads,
                    is_finite,
                )

    def merge(
        self,
        other: GridCells,
        shifts: Sequence[int] | None = None,
        factors: Sequence[int] | None = None,
    ) -> None:
        """Add the cells of another grid: those of bin i to bin ``(i + shift) // factor``.

        Parameters
        ----------
        other : GridCells
            With as many axes and sums.
        shifts, factors : sequence of int, optional
            Of each axis; by default 0 and 1.

        Raises
        ------
        RuntimeError
            Another thread is adding to one of them.
        ValueError
            The cells do not go into these.
        """
        other.check_free()
        none = (0,) * len(self.shape)
        one = (1,) * len(self.shape)
        shifts, factors = tuple(shifts or none), tuple(factors or one)
        with self._claimed():
            _core.voxel_merge(self._block, self.shape, other._block, other.shape, shifts, factors)

    def like(self, shape: Sequence[int] | None = None) -> GridCells:
        """Return empty cells of as many sums, in the same arena."""
        return GridCells(self.shape if shape is None else shape, self.n_sums, self.arena)

    def copy(self) -> GridCells:
        """Return cells that share nothing with these."""
        self.check_free()
        copied = self.like()
        copied._block[...] = self._block
        return copied

    def cut(self, part: tuple[slice, ...]) -> GridCells:
        """Return the cells of some bins in a row of each axis; what is cut off counts nowhere."""
        self.check_free()
        cut = self.like(self.counts[part].shape)
        for mine, its in (
            (self.counts, cut.counts),
            *zip(self.sums, cut.sums, strict=True),
            *zip(self.missing, cut.missing, strict=True),
        ):
            its[...] = mine[part]
        cut._block[:, -_BEHIND:] = self._block[:, -_BEHIND:]
        return cut

    def __reduce__(self) -> tuple[Any, ...]:
        self.check_free()
        return _restore, (self.shape, self.n_sums, np.array(self._block))


_IN_USE = "this grid is in use: one thread at a time adds to it"


def _restore(shape: tuple[int, ...], n_sums: int, block: npt.NDArray[np.uint64]) -> GridCells:
    """Make what was pickled, in memory of the process."""
    cells = GridCells(shape, n_sums)
    cells._block[...] = block
    return cells


def extents_of(*columns: npt.NDArray[Any]) -> tuple[tuple[float, float], ...] | None:
    """Return the least and the greatest of each column over the rows where all are finite.

    None where there is no such row.
    """
    found = []
    for first in range(0, len(columns[0]), _STEP_ROWS):
        part = _core.voxel_extent(tuple(each[first : first + _STEP_ROWS] for each in columns))
        if part is not None:
            found.append(part)
    if not found:
        return None
    lows, highs = np.array(found).transpose(2, 1, 0)
    return tuple(
        (float(low), float(high))
        for low, high in zip(lows.min(axis=1), highs.max(axis=1), strict=True)
    )
