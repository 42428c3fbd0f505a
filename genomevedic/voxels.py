"""Grids: how many particles stand in each cell of space, and what they are like on average."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from .arguments import check_integer
from .fastq import FastqReader
from .memory import Arena
from .particles import Particles

if TYPE_CHECKING:
    import numpy.typing as npt

    from .layouts import Layout

__all__ = ["VoxelGrid", "voxelize"]

# The axes of a layout, by the names under which positions are laid flat.
_COORDINATES = ("x", "y", "z")

# Columns that the core reads as they are; others are made float64.
_PLAIN = (np.float32, np.float64, np.uint32)

# Rows of particles whose columns have to be converted, looked at together.
_ROWS = 1 << 20


class VoxelGrid:
    """Counts and sums over the cells of a grid. Made by `voxelize`.

    Grids of the same edges, axes and sums can be added: ``a + b`` is the grid of both.

    Attributes
    ----------
    counts : ndarray of uint64, shape (bins, ...)
        Particles in each cell, one dimension for each axis.
    edges : tuple of ndarray of float64
        The edges of each axis's bins, one more than there are bins. A cell holds its lower edge;
        the last one of an axis holds its upper edge too.
    axes : tuple of str
        What each axis is: ``"x"``, ``"y"``, ``"z"`` of the positions, or a column.
    layout : Layout
        What the positions mean.
    sums : dict of str to ndarray of float64
        Of each column asked for, the sum over the particles in a cell that have a value.
    known : dict of str to ndarray of uint64
        How many those are: all but NaN.
    outside : int
        Particles in no cell.
    unplaced : int
        Particles without a value on one of the axes (NaN).
    """

    def __init__(
        self,
        axes: Sequence[str],
        edges: Sequence[npt.NDArray[np.float64]],
        layout: Layout,
        columns: Sequence[str] = (),
        arena: Arena | None = None,
    ) -> None:
        self.axes = tuple(axes)
        self.edges = tuple(edges)
        self.layout = layout
        shape = tuple(len(each) - 1 for each in edges)
        self.counts = _zeros(shape, np.uint64, arena)
        self.sums = {name: _zeros(shape, np.float64, arena) for name in columns}
        self.known = {name: _zeros(shape, np.uint64, arena) for name in columns}
        self.outside = 0
        self.unplaced = 0

    # ------------------------------------------------------------------------------------------
    # What it knows
    # ------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Bins of each axis."""
        return self.counts.shape

    @property
    def total(self) -> int:
        """Particles in the cells."""
        return int(self.counts.sum())

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """The first and the last edge of each axis."""
        return tuple((float(each[0]), float(each[-1])) for each in self.edges)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each axis shows, in words and with its unit, for a picture."""
        return tuple(_label(self.layout, axis) for axis in self.axes)

    @property
    def nbytes(self) -> int:
        """Bytes of counts and sums."""
        arrays = (self.counts, *self.sums.values(), *self.known.values())
        return sum(each.nbytes for each in arrays)

    def mean(self, column: str) -> npt.NDArray[np.float64]:
        """Return the mean of a column in each cell.

        Parameters
        ----------
        column : str
            One of those that `voxelize` was asked to sum.

        Returns
        -------
        ndarray of float64
            Of the shape of `counts`; NaN where no particle of the cell has a value.

        Raises
        ------
        KeyError
            The column was not summed.
        """
        if column not in self.sums:
            summed = ", ".join(map(repr, self.sums)) or "none"
            raise KeyError(f"the grid has no sums of {column!r}; it has {summed}")
        means = np.full(self.shape, np.nan)
        known = self.known[column]
        np.divide(self.sums[column], known, out=means, where=known > 0)
        return means

    def __repr__(self) -> str:
        sides = " × ".join(
            f"{axis} {bins:,}" for axis, bins in zip(self.axes, self.shape, strict=True)
        )
        rest = f", {self.outside:,} outside" if self.outside else ""
        rest += f", {self.unplaced:,} without a place" if self.unplaced else ""
        return f"<VoxelGrid {sides}: {self.total:,} particles{rest}>"

    # ------------------------------------------------------------------------------------------
    # Adding and coarsening
    # ------------------------------------------------------------------------------------------

    def add(self, particles: Particles, threads: int | None = None) -> None:
        """Add particles to the grid.

        Parameters
        ----------
        particles : Particles
            With the columns that the axes and sums are made of.
        threads : int, optional
            As many as processors by default; the result has the same bits for any number.

        Raises
        ------
        ValueError
            A column is missing.
        """
        crew = (os.cpu_count() or 1) if threads is None else check_integer("threads", threads, 1)
        rows = len(particles)
        step = rows if all(map(_is_plain, self._columns_of(particles[:0]))) else _ROWS
        for start in range(0, rows, max(1, step)):
            part = particles[start : start + step]
            columns = [_as_plain(column) for column in self._columns_of(part)]
            axes = tuple(zip(columns, self.edges, strict=False))
            sums = tuple(
                (column, self.sums[name].reshape(-1), self.known[name].reshape(-1))
                for name, column in zip(self.sums, columns[len(axes) :], strict=True)
            )
            outside, unplaced = _core.voxel_add(axes, self.counts.reshape(-1), sums, crew)
            self.outside += outside
            self.unplaced += unplaced

    def _columns_of(self, particles: Particles) -> Iterator[npt.NDArray[Any]]:
        for name in (*self.axes, *self.sums):
            yield _column(particles, name)

    def _is_like(self, other: VoxelGrid) -> bool:
        return (
            self.axes == other.axes
            and list(self.sums) == list(other.sums)
            and self.layout == other.layout
            and self.shape == other.shape
            and all(map(np.array_equal, self.edges, other.edges))
        )

    def __add__(self, other: object) -> VoxelGrid:
        if not isinstance(other, VoxelGrid):
            return NotImplemented
        if not self._is_like(other):
            raise ValueError("grids can be added where axes, edges, layout and sums are the same")
        both = VoxelGrid(self.axes, self.edges, self.layout, tuple(self.sums))
        np.add(self.counts, other.counts, out=both.counts)
        for name in self.sums:
            np.add(self.sums[name], other.sums[name], out=both.sums[name])
            np.add(self.known[name], other.known[name], out=both.known[name])
        both.outside = self.outside + other.outside
        both.unplaced = self.unplaced + other.unplaced
        return both

    def downsample(self, factor: int = 2) -> VoxelGrid:
        """Return the grid of coarser cells, each of `factor` bins of this one along every axis.

        Counts and sums are conserved. Where the bins of an axis are no multiple of `factor`, its
        last one is made of fewer.

        Parameters
        ----------
        factor : int, default 2
            At least 1.

        Returns
        -------
        VoxelGrid

        Raises
        ------
        ValueError
            The factor is less than 1.
        """
        step = check_integer("factor", factor, 1)
        edges = []
        for each in self.edges:
            kept = each[::step]
            edges.append(kept if kept[-1] == each[-1] else np.append(kept, each[-1]))
        coarse = VoxelGrid(self.axes, edges, self.layout, tuple(self.sums))
        pairs = [(self.counts, coarse.counts)]
        for name in self.sums:
            pairs += [(self.sums[name], coarse.sums[name]), (self.known[name], coarse.known[name])]
        for fine, out in pairs:
            out[...] = _gather(fine, step)
        coarse.outside, coarse.unplaced = self.outside, self.unplaced
        return coarse


def _zeros(shape: tuple[int, ...], dtype: Any, arena: Arena | None) -> npt.NDArray[Any]:
    """Return an array of zeros that the voxels' pool gives."""
    made = (Arena() if arena is None else arena).empty(shape, dtype, pool="voxels")
    made[...] = 0
    return made


def _gather(fine: npt.NDArray[Any], step: int) -> npt.NDArray[Any]:
    for axis in range(fine.ndim):
        fine = np.add.reduceat(fine, range(0, fine.shape[axis], step), axis=axis)
    return fine


def _column(particles: Particles, name: str) -> npt.NDArray[Any]:
    # Names of the positions' own axes come before the columns of the same names.
    source = "position" if name in _COORDINATES else name
    if source not in particles.columns:
        raise ValueError(
            f"the grid needs the column {source!r}, which these particles lack; "
            f"ask for it with columns=[..., {source!r}]"
        )
    column = particles[source]
    if not isinstance(column, np.ndarray) or (source != "position" and column.ndim != 1):
        raise ValueError(f"{name!r} is not a column of numbers")
    return column[:, _COORDINATES.index(name)] if source == "position" else column


def _is_plain(column: npt.NDArray[Any]) -> bool:
    return column.dtype.type in _PLAIN


def _as_plain(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return column if _is_plain(column) else column.astype(np.float64)


def _label(layout: Layout, axis: str) -> str:
    if axis not in _COORDINATES:
        return axis
    number = _COORDINATES.index(axis)
    name, unit = layout.axes[number] or axis, layout.units[number]
    return f"{name} ({unit})" if unit else name


# ---------------------------------------------------------------------------------------------
# Making one
# ---------------------------------------------------------------------------------------------


def voxelize(
    source: Particles | FastqReader,
    *,
    bins: int | Sequence[int] = 256,
    bounds: Sequence[tuple[float, float]] | None = None,
    axes: Sequence[str] = ("x", "y"),
    sums: Sequence[str] = ("quality", "gc"),
    threads: int | None = None,
    arena: Arena | None = None,
) -> VoxelGrid:
    r"""Count particles in the cells of a grid, and sum what they are like.

    Parameters
    ----------
    source : Particles or FastqReader
        A reader is read to its end, in constant memory.
    bins : int or sequence of int, default 256
        Cells along each axis; together at most 2**31 - 1.
    bounds : sequence of (low, high), optional
        Of each axis, inclusive. By default those of the finite values of particles; of a reader,
        which goes by once, they must be given.
    axes : sequence of str, default ("x", "y")
        One to three: ``"x"``, ``"y"`` and ``"z"`` of the positions, or columns such as
        ``"length"``, ``"gc"`` or ``"quality"``.
    sums : sequence of str, default ("quality", "gc")
        Columns to sum, at most four, for `VoxelGrid.mean`. Of the default ones, those that there
        are.
    threads : int, optional
        As many as processors by default; the result has the same bits for any number.
    arena : memory.Arena, optional
        Where the grid is counted, and which it must fit.

    Returns
    -------
    VoxelGrid

    Raises
    ------
    ValueError
        An argument makes no sense, or a column is missing.
    ArenaFullError, MemoryLimitError, MemoryAllocationError
        So many cells do not fit.

    See Also
    --------
    numpy.histogramdd : gives the same counts, for the same edges.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
    >>> grid = gv.voxelize(p, bins=(50, 50))
    >>> grid.total, grid.mean("quality").shape
    (7040, (50, 50))
    """
    names = tuple(axes)
    if not 1 <= len(names) <= 3 or len(set(names)) != len(names):
        raise ValueError(f"a grid has one to three axes, each once, not {names}")
    if isinstance(source, FastqReader) and bounds is None:
        raise ValueError("a reader goes by once: give the bounds of each axis with bounds=")
    sides = [bins] * len(names) if isinstance(bins, int | np.integer) else list(bins)
    sides = [check_integer("bins", each, 1) for each in sides]
    if len(sides) != len(names):
        raise ValueError(f"{len(names)} axes take {len(names)} numbers of bins, not {len(sides)}")
    columns = _summed(source, sums)
    limits = _extents(source, names) if bounds is None else [_pair(each) for each in bounds]
    if len(limits) != len(names):
        raise ValueError(f"{len(names)} axes take {len(names)} bounds, not {len(limits)}")
    edges = [np.linspace(*pair, side + 1) for pair, side in zip(limits, sides, strict=True)]
    for name, each in zip(names, edges, strict=True):
        if not (np.diff(each) > 0).all():
            raise ValueError(f"so many bins of {name!r} cannot be told apart between its bounds")
    grid = VoxelGrid(names, edges, source.layout, columns, arena)
    for batch in (source,) if isinstance(source, Particles) else source.batches():
        grid.add(batch, threads)
    return grid


_DEFAULT_SUMS = ("quality", "gc")


def _summed(source: Particles | FastqReader, sums: Sequence[str]) -> tuple[str, ...]:
    names = tuple(sums)
    if names == _DEFAULT_SUMS:
        names = tuple(name for name in names if name in source.columns)
    if len(names) > 4 or len(set(names)) != len(names):
        raise ValueError(f"a grid sums at most four columns, each once, not {names}")
    return names


def _extents(source: Any, names: Sequence[str]) -> list[tuple[float, float]]:
    """Return the finite extent of each axis; of one value, or none, a unit around it."""
    limits = []
    for name in names:
        column = _column(source, name)
        low, high = np.inf, -np.inf
        for start in range(0, len(column), _ROWS):
            part = column[start : start + _ROWS]
            part = part[np.isfinite(part)]
            if len(part) > 0:
                low, high = min(low, float(part.min())), max(high, float(part.max()))
        if low > high:
            low, high = 0.0, 1.0
        elif low == high:
            low, high = low - 0.5, high + 0.5
        limits.append((low, high))
    return limits


def _pair(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = (float(each) for each in bounds)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"bounds are two finite numbers, low before high, not {bounds}")
    return low, high


def pyramid(grid: VoxelGrid, least: int = 64) -> list[VoxelGrid]:
    """Return a grid and ever coarser ones, down to `least` bins along the longest axis."""
    levels = [grid]
    while max(levels[-1].shape) > least:
        levels.append(levels[-1].downsample())
    return levels
