"""Grids: how many particles stand in each cell of space, and what they are like on average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import check_integer
from .fastq import FastqReader
from .grids import MOST_AXES, MOST_BINS, MOST_SUMS, GridCells, extents_of
from .layouts import axis_label, extents
from .memory import Arena
from .particles import Particles

if TYPE_CHECKING:
    import numpy.typing as npt

    from . import _core
    from .layouts import Layout

    Bins = int | Sequence[int | npt.ArrayLike] | npt.ArrayLike
    Bounds = Sequence[tuple[float, float] | None]

__all__ = ["VoxelGrid", "voxelize"]

# The axes of a layout, by the names under which positions are laid flat.
_COORDINATES = ("x", "y", "z")

# Where the numbers of a column always lie.
_RANGES = {"gc": (0.0, 1.0)}

_DEFAULT_SUMS = ("quality", "gc")

# Particles of a reader that are added at once: 14 MB of the default columns.
_BATCH_ROWS = 2**18


class VoxelGrid:
    """Counts and sums over the cells of a grid. Made by `voxelize`.

    Grids of the same edges, axes and sums can be added: ``a + b`` is the grid of both. Of all
    particles that were added each is counted: in a cell, as `outside`, or as `unplaced`.

    Parameters
    ----------
    axes : sequence of str
        One to three: ``"x"``, ``"y"``, ``"z"`` of the positions, or columns.
    edges : sequence of array_like
        Of each axis, finite and increasing.
    layout : Layout
        What the positions mean.
    columns : sequence of str, default ()
        Columns to sum, at most 8.
    arena : memory.Arena, optional
        Where the grid is counted, and which it must fit; so do its sums with others, its coarser
        grids and its means.

    Attributes
    ----------
    counts : ndarray of uint64, shape (bins, ...)
        Particles in each cell, one dimension for each axis; a view of the grid's memory, as all
        arrays here are.
    edges : tuple of ndarray of float64
        The edges of each axis's bins, one more than there are bins; read-only. A cell holds its
        lower edge; the last one of an axis holds its upper edge too.
    axes : tuple of str
        What each axis is: ``"x"``, ``"y"``, ``"z"`` of the positions, or a column.
    layout : Layout
        What the positions mean.
    sums : dict of str to ndarray of float64
        Of each column asked for, the sum over the particles in a cell that have a value.
    missing : dict of str to ndarray of uint64
        How many particles in a cell have none (NaN).

    Raises
    ------
    ArenaFullError, MemoryLimitError, MemoryAllocationError
        So many cells do not fit.
    ValueError
        Edges are not finite and increasing.

    Examples
    --------
    >>> import numpy as np, genomevedic as gv
    >>> edges = np.geomspace(1, 1e6, 13)  # of half a decade each
    >>> grid = gv.VoxelGrid(["length"], [edges], gv.layouts.Composition())
    >>> grid.add(gv.read_fastq(gv.datasets.flowcell_sample()))
    >>> grid.counts.nonzero()[0].tolist(), grid.total
    ([3], 7040)
    """

    __slots__ = ("_cells", "axes", "counts", "edges", "layout", "missing", "sums")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        axes: Sequence[str],
        edges: Sequence[npt.ArrayLike],
        layout: Layout,
        columns: Sequence[str] = (),
        arena: Arena | None = None,
    ) -> None:
        names = _check_axes(axes)
        if len(edges) != len(names):
            raise ValueError(f"{len(names)} axes take the edges of as many, not of {len(edges)}")
        scales = [_Scale.of(each) for each in edges]
        self._build(names, scales, layout, _check_sums(columns), _open(arena))

    def _build(
        self,
        axes: tuple[str, ...],
        scales: Sequence[_Scale],
        layout: Layout,
        columns: tuple[str, ...],
        arena: _core.Arena | None,
    ) -> None:
        self.axes = axes
        self.layout = layout
        # The cells first: whether there is memory is not for the edges to find out.
        self._cells = GridCells([scale.bins for scale in scales], len(columns), arena)
        self._show(columns, tuple(map(self._laid, axes, scales)))

    def _show(self, columns: tuple[str, ...], edges: tuple[npt.NDArray[np.float64], ...]) -> None:
        self.edges = edges
        self.counts = self._cells.counts
        self.sums = dict(zip(columns, self._cells.sums, strict=True))
        self.missing = dict(zip(columns, self._cells.missing, strict=True))

    def _laid(self, name: str, scale: _Scale) -> npt.NDArray[np.float64]:
        """Return the edges of an axis, in the arena."""
        edges: npt.NDArray[np.float64] = self._cells.empty((scale.bins + 1,), np.float64)
        edges[...] = scale.make()
        if not (np.isfinite(edges).all() and (edges[:-1] < edges[1:]).all()):
            if scale.edges is not None:
                raise ValueError(f"the edges of {name!r} must be finite and increase")
            raise ValueError(f"so many bins of {name!r} cannot be told apart between its bounds")
        edges.flags.writeable = False
        return edges

    def _like(self, scales: Sequence[_Scale] | None = None) -> VoxelGrid:
        """Return an empty grid of the same axes and sums, in the same arena."""
        grid = object.__new__(VoxelGrid)
        scales = [_Scale.of(each) for each in self.edges] if scales is None else scales
        grid._build(self.axes, scales, self.layout, tuple(self.sums), self._cells.arena)
        return grid

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
    def outside(self) -> int:
        """Particles in no cell, though they have a place; infinite ones among them."""
        return self._cells.outside

    @property
    def unplaced(self) -> int:
        """Particles without a value on one of the axes (NaN)."""
        return self._cells.unplaced

    @property
    def known(self) -> dict[str, npt.NDArray[np.uint64]]:
        """Of each column summed, how many particles in a cell have a value; new arrays."""
        return {name: self.counts - missing for name, missing in self.missing.items()}

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
        """Bytes of counts, sums and edges."""
        return self._cells.nbytes + sum(each.nbytes for each in self.edges)

    def mean(self, column: str) -> npt.NDArray[np.float64]:
        """Return the mean of a column in each cell.

        Parameters
        ----------
        column : str
            One of those that `voxelize` was asked to sum.

        Returns
        -------
        ndarray of float64
            Of the shape of `counts`; NaN where no particle of the cell has a value. New, in the
            grid's arena.

        Raises
        ------
        KeyError
            The column was not summed.
        ArenaFullError, MemoryLimitError, MemoryAllocationError
            There is no room for it.
        RuntimeError
            A thread is adding to the grid.
        """
        if column not in self.sums:
            summed = ", ".join(map(repr, self.sums)) or "none"
            raise KeyError(f"the grid has no sums of {column!r}; it has {summed}")
        return self._cells.means(tuple(self.sums).index(column))

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
            By default as many as there are processors that other readers and grids leave free; the
            result has the same bits for any number.

        Raises
        ------
        TypeError, ValueError
            These are no particles, lack a column, or stand in another layout.
        RuntimeError
            Another thread is adding to the grid.
        """
        if not isinstance(particles, Particles):
            raise TypeError(f"a grid adds Particles, not {type(particles).__name__}")
        if particles.layout != self.layout and any(name in _COORDINATES for name in self.axes):
            raise ValueError(f"layouts differ: {self.layout.name} and {particles.layout.name}")
        crew = 0 if threads is None else check_integer("threads", threads, 1)
        axes = [_column(particles, name) for name in self.axes]
        values = [_column(particles, name) for name in self.sums]
        self._cells.add(self.edges, axes, values, threads=min(crew, 64))

    def _difference(self, other: VoxelGrid) -> str:
        """Return what two grids do not have in common, empty where it is nothing."""
        if self.shape == other.shape and not all(map(np.array_equal, self.edges, other.edges)):
            return "edges"
        same = {
            "axes": self.axes == other.axes,
            "sums": list(self.sums) == list(other.sums),
            "layout": self.layout == other.layout,
            "shape": self.shape == other.shape,
        }
        return next((what for what, is_same in same.items() if not is_same), "")

    def __add__(self, other: object) -> VoxelGrid:
        if not isinstance(other, VoxelGrid):
            return NotImplemented
        different = self._difference(other)
        if different:
            raise ValueError(
                "grids can be added where axes, edges, layout and sums are the same; "
                f"these are of different {different}"
            )
        both = self._like()
        both._cells.merge(self._cells)
        both._cells.merge(other._cells)
        return both

    def __radd__(self, other: object) -> VoxelGrid:
        # Where sum() begins.
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VoxelGrid):
            return NotImplemented
        return not self._difference(other) and self._cells.is_equal(other._cells)

    def __reduce__(self) -> tuple[Any, ...]:
        edges = [np.array(each) for each in self.edges]
        return _restore, (self.axes, edges, self.layout, tuple(self.sums), self._cells)

    def downsample(self, factor: int | Sequence[int] = 2) -> VoxelGrid:
        """Return the grid of coarser cells, each of `factor` bins of this one along every axis.

        Counts and sums are conserved. Where the bins of an axis are no multiple of `factor`, its
        last one is made of fewer.

        Parameters
        ----------
        factor : int or sequence of int, default 2
            At least 1; for all axes, or for each.

        Returns
        -------
        VoxelGrid
            In the same arena.

        Raises
        ------
        TypeError, ValueError
            A factor is no whole number, or less than 1.
        ArenaFullError, MemoryLimitError, MemoryAllocationError
            There is no room for it.
        RuntimeError
            A thread is adding to the grid.
        """
        given = _per_axis("factor", factor, len(self.axes))
        steps = [
            min(check_integer("factor", each, 1), bins)
            for each, bins in zip(given, self.shape, strict=True)
        ]
        kept = [
            np.append(edges[:-1:step], edges[-1])
            for edges, step in zip(self.edges, steps, strict=True)
        ]
        coarse = self._like([_Scale.of(each) for each in kept])
        coarse._cells.merge(self._cells, factors=steps)
        return coarse


def _restore(
    axes: tuple[str, ...],
    edges: list[npt.NDArray[np.float64]],
    layout: Layout,
    columns: tuple[str, ...],
    cells: GridCells,
) -> VoxelGrid:
    """Make the grid that was pickled, in memory of the process."""
    grid = object.__new__(VoxelGrid)
    grid.axes, grid.layout, grid._cells = axes, layout, cells
    for each in edges:
        each.flags.writeable = False
    grid._show(columns, tuple(edges))
    return grid


# ---------------------------------------------------------------------------------------------
# Columns
# ---------------------------------------------------------------------------------------------


def _check_there(columns: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a column that is not there."""
    for name in names:
        # Names of the positions' own axes come before the columns of the same names.
        source = "position" if name in _COORDINATES else name
        if source not in columns:
            raise ValueError(
                f"the grid needs the column {source!r}, which these particles lack; "
                f"ask for it with columns=[..., {source!r}]"
            )


def _column(particles: Particles, name: str) -> npt.NDArray[Any]:
    _check_there(particles.columns, [name])
    if name in _COORDINATES:
        return particles.position[:, _COORDINATES.index(name)]
    column = particles[name]
    if not isinstance(column, np.ndarray) or column.ndim != 1:
        raise ValueError(f"{name!r} is not a column of numbers")
    return column


def _label(layout: Layout, axis: str) -> str:
    if axis not in _COORDINATES:
        return axis
    return axis_label(layout, _COORDINATES.index(axis)) or axis


# ---------------------------------------------------------------------------------------------
# Scales
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scale:
    """The bins of an axis: so many of one width in a span, or between edges."""

    bins: int
    span: tuple[float, float] = (0.0, 1.0)
    edges: npt.NDArray[np.float64] | None = None

    @classmethod
    def of(cls, edges: npt.ArrayLike) -> _Scale:
        array = np.asarray(edges, np.float64)
        if array.ndim != 1 or len(array) < 2:
            raise ValueError("the edges of an axis are two numbers or more, one after another")
        return cls(len(array) - 1, edges=array)

    def make(self) -> npt.NDArray[np.float64]:
        if self.edges is not None:
            return self.edges
        low, high = self.span
        if math.isfinite(high - low):
            return np.linspace(low, high, self.bins + 1)
        # Half of it all, which is exact, as the span itself is no float.
        edges: npt.NDArray[np.float64] = 2 * np.linspace(low / 2, high / 2, self.bins + 1)
        return edges


def _widened(low: float, high: float, bins: int) -> tuple[float, float]:
    """Return bounds apart by enough for so many bins: by a half each where they are equal."""
    least = 2 * bins * math.ulp(max(abs(low), abs(high)))
    if low == high:
        half = max(0.5, least)
    elif high / 2 - low / 2 < least / 2:
        half = least
    else:
        return low, high
    most = float(np.finfo(np.float64).max)
    return max(low - half, -most), min(high + half, most)


def _found(particles: Particles, name: str, bins: int) -> tuple[float, float]:
    """Return the extent of the finite numbers on an axis; 0 to 1 where there are none."""
    found = extents_of(_column(particles, name))
    return _widened(*(found[0] if found is not None else (0.0, 1.0)), bins)


def _fixed(layout: Layout, name: str) -> tuple[float, float]:
    """Return where the numbers of an axis always lie."""
    where = extents(layout)[_COORDINATES.index(name)] if name in _COORDINATES else _RANGES.get(name)
    if where is None:
        raise ValueError(
            f"a reader goes by once: give the bounds of {name!r}, which have no fixed extent, "
            "with bounds="
        )
    return where


def _pair(name: str, bounds: Any) -> tuple[float, float]:
    try:
        low, high = (float(each) for each in bounds)
    except (TypeError, ValueError):
        raise TypeError(f"bounds of {name!r} are (low, high), not {bounds!r}") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"bounds are two finite numbers, low before high, not {bounds}")
    return low, high


# ---------------------------------------------------------------------------------------------
# Making one
# ---------------------------------------------------------------------------------------------


def voxelize(
    source: Particles | FastqReader,
    *,
    bins: Bins = 256,
    bounds: Bounds | None = None,
    axes: Sequence[str] = ("x", "y"),
    sums: Sequence[str] = _DEFAULT_SUMS,
    threads: int | None = None,
    arena: Arena | None = None,
) -> VoxelGrid:
    r"""Count particles in the cells of a grid, and sum what they are like.

    Parameters
    ----------
    source : Particles or FastqReader
        A reader is read to its end, in constant memory.
    bins : int or sequence, default 256
        Cells along all axes; or for each axis their number, or their edges, finite and increasing
        (``numpy.geomspace(1, 1e6, 61)`` for lengths on a logarithmic scale).
    bounds : sequence of (low, high) or None, optional
        Of each axis, inclusive. Where there are none: for particles, the extent of the finite
        values; for a reader, which goes by once, that of the layout or the column where it is
        fixed, and an error where it is not. None for an axis whose edges are given.
    axes : sequence of str, default ("x", "y")
        One to three: ``"x"``, ``"y"`` and ``"z"`` of the positions, or columns such as
        ``"length"``, ``"gc"`` or ``"quality"``. Times count in their unit (microseconds) since
        1970, those that are not there as NaN.
    sums : sequence of str, default ("quality", "gc")
        Columns to sum, at most eight, for `VoxelGrid.mean`. Of the default ones, those that there
        are.
    threads : int, optional
        By default as many as there are processors that other readers and grids leave free; the
        result has the same bits for any number.
    arena : memory.Arena, optional
        Where the grid is counted, and which it must fit.

    Returns
    -------
    VoxelGrid

    Raises
    ------
    TypeError, ValueError
        An argument makes no sense, or a column is missing.
    ArenaFullError, MemoryLimitError, MemoryAllocationError
        So many cells do not fit.
    GenomeVedicError
        As the reader's `batches` raises.

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
    if not isinstance(source, Particles | FastqReader):
        raise TypeError(
            "voxelize takes Particles or a reader, such as gv.scan_fastq(path), and not "
            f"{type(source).__name__}"
        )
    names = _check_axes(axes)
    columns = _check_sums(
        [name for name in sums if name in source.columns] if sums is _DEFAULT_SUMS else sums
    )
    _check_there(source.columns, [*names, *columns])
    scales = _scales(source, names, bins, bounds)
    grid = object.__new__(VoxelGrid)
    grid._build(names, scales, source.layout, columns, _open(arena))
    for batch in (source,) if isinstance(source, Particles) else source.batches(_BATCH_ROWS):
        grid.add(batch, threads)
    return grid


def _scales(
    source: Particles | FastqReader, names: tuple[str, ...], bins: Any, bounds: Any
) -> list[_Scale]:
    # Of one axis the edges may stand alone.
    if len(names) == 1 and np.ndim(bins) == 1 and len(bins) > 1:
        bins = [bins]
    spans = [None] * len(names) if bounds is None else _per_axis("bounds", bounds, len(names))
    scales = []
    for name, side, span in zip(names, _per_axis("bins", bins, len(names)), spans, strict=True):
        if np.ndim(side) > 0:
            if span is not None:
                raise ValueError(f"bounds of {name!r} must be None: its bins are edges")
            scales.append(_Scale.of(side))
            continue
        many = check_integer("bins", side, 1)
        if many > MOST_BINS:
            raise ValueError(f"bins are at most {MOST_BINS:,} on an axis, not {many:,}")
        if span is not None:
            scales.append(_Scale(many, _pair(name, span)))
        elif isinstance(source, Particles):
            scales.append(_Scale(many, _found(source, name, many)))
        else:
            scales.append(_Scale(many, _fixed(source.layout, name)))
    return scales


def _per_axis(what: str, given: Any, n_axes: int) -> list[Any]:
    """Return one entry an axis, of a sequence of them or of one for all."""
    if what != "bounds" and not hasattr(given, "__len__"):
        return [given] * n_axes
    if isinstance(given, str) or not hasattr(given, "__len__"):
        raise TypeError(f"{what} has an entry for each axis, and is {given!r}")
    if len(given) != n_axes:
        raise ValueError(f"{n_axes} axes take {n_axes} entries of {what}, not {len(given)}")
    return list(given)


def _check_axes(axes: Sequence[str]) -> tuple[str, ...]:
    names = _check_names("axes", axes)
    if not 1 <= len(names) <= MOST_AXES:
        raise ValueError(f"a grid has one to three axes, each once, not {names}")
    return names


def _check_sums(sums: Sequence[str]) -> tuple[str, ...]:
    names = _check_names("sums", sums)
    if len(names) > MOST_SUMS:
        raise ValueError(f"a grid sums at most {MOST_SUMS} columns, each once, not {names}")
    return names


def _check_names(what: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        raise TypeError(f"{what} are a sequence of names; write [{given!r}]")
    names = tuple(given)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"{what} are names, not {names}")
    if len(set(names)) != len(names):
        raise ValueError(f"{what} name each column once, not {names}")
    return names


def _open(arena: Any) -> _core.Arena | None:
    if arena is not None and not isinstance(arena, Arena):
        raise TypeError(f"arena is a memory.Arena, not {arena!r}")
    return None if arena is None else arena._open


def pyramid(grid: VoxelGrid, least: int = 64) -> list[VoxelGrid]:
    """Return a grid and ever coarser ones, down to `least` bins along the longest axis."""
    levels = [grid]
    while max(levels[-1].shape) > least:
        levels.append(levels[-1].downsample())
    return levels
