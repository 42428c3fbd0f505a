"""Particles as a density: cells that every read counts in, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..fastq import FastqReader
from ..grids import extents_of
from .canvas import (
    axes_for,
    left_out_note,
    require_matplotlib,
    set_axes,
    unplaced_note,
    write_notes,
)
from .cells import Cells
from .colors import add_count_bar, add_mean_bar, mean_colormap, robust_limits
from .columns import check_axes, column_of, label_of, lattice_of, raw_numbers_of, short_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from ..layouts import Layout
    from ..particles import Particles

    Bounds = Sequence[Sequence[float]]

__all__ = [
    "Filled",
    "color_scale",
    "density",
    "draw_cells",
    "draw_density",
    "fill",
    "make_cells",
    "slices_of",
]

# Reads in a cell at least, on average, where the cells are chosen here.
_READS_IN_A_CELL = 4

# Cells along the longer side at the most; fewer where the axes have fewer pixels.
_MOST_CELLS = 512

# Particles that are handed on at once.
_SLICE = 1 << 20

# Counts are shown on a logarithmic scale where 99 % of the cells with reads span more than this.
_WIDE_RANGE = 30.0


class Filled:
    """Cells with all reads of a source in them, and what to say of them.

    Attributes
    ----------
    cells : Cells
    layout : Layout
    color : str
        ``"count"``, or the column of which cells show the mean.
    label : str
        What the colour is.
    total : int
        Reads that came.
    """

    def __init__(self, cells: Cells, layout: Layout, color: str, label: str, total: int) -> None:
        self.cells = cells
        self.layout = layout
        self.color = color
        self.label = label
        self.total = total

    def values(self) -> npt.NDArray[np.float64]:
        """Return what the cells show, NaN where there is no read."""
        if self.color == "count":
            return np.where(self.cells.counts > 0, self.cells.counts, np.nan)
        return self.cells.means()

    def notes(self) -> list[str]:
        """Return what is to be said of reads that are in no cell."""
        if self.total == 0:
            return ["There are no reads."]
        cells = self.cells
        return [
            unplaced_note(cells.unplaced, self.total),
            left_out_note(cells.valueless, self.total, f"have no {short_name(self.color)}"),
            left_out_note(cells.outside, self.total, "are outside the bounds"),
        ]


def density(
    source: Particles | FastqReader,
    axes: Sequence[int] = (0, 1),
    *,
    ax: Axes | None = None,
    color: str = "count",
    bins: int | tuple[int, int] | None = None,
    bounds: Bounds | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> AxesImage:
    """Draw how many reads there are where, or the mean of a measure of theirs.

    Every read with a place counts, in memory that does not grow with their number.

    Parameters
    ----------
    source : Particles or FastqReader
        With the column ``position``. A reader is read to its end.
    axes : tuple of two int, default (0, 1)
        Which of the layout's axes (0, 1, 2) to draw along the picture's x and y.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``, with a dark ground.
    color : str, default "count"
        ``"count"`` for the number of reads in each cell, or a column of numbers of which the mean
        is shown, such as ``"gc"`` or ``"quality"``; reads that lack it are left out, and counted
        in the picture.
    bins : int or (int, int), optional
        Number of cells along x and y. By default such that there are 4 reads in a cell on average,
        but no more cells than pixels; places that are whole steps apart get cells that are.
    bounds : ((float, float), (float, float)), optional
        From where to where along x and y, in the layout's units; by default as far as there are
        reads. Reads outside are counted in the picture.
    legend : bool, default True
        Whether to add the colour bar.
    **kwargs
        Handed to `matplotlib.axes.Axes.imshow`, for example ``cmap``, ``norm``, ``vmin``.

    Returns
    -------
    matplotlib.image.AxesImage
        Its array has a row for each cell along y, the lowest first; empty cells are masked.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        A column is missing, `axes` names no two axes of the layout, `bins` or `bounds` make no
        cells, or `ax` is three-dimensional.

    Notes
    -----
    Counts that differ much are shown on a logarithmic scale; ``norm="linear"`` shows them as they
    are. Colours of means leave out 1 % of the cells at either end, and the colour bar has an arrow
    where they go on.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample(), layout="composition")
    >>> fig, ax = plt.subplots()
    >>> image = gv.plot.density(p, (0, 2), ax=ax, bins=20, bounds=((0, 1), (-1, 1)))
    >>> image.get_array().shape, int(image.get_array().sum())
    ((20, 20), 7028)
    """
    return draw_density(
        source, axes, ax=ax, color=color, bins=bins, bounds=bounds, legend=legend, **kwargs
    )


def draw_density(
    source: Particles | FastqReader,
    axes: Sequence[int],
    *,
    ax: Axes | None = None,
    color: str = "count",
    bins: int | tuple[int, int] | None = None,
    bounds: Bounds | None = None,
    legend: bool = True,
    notes: Sequence[str] = (),
    **kwargs: Any,
) -> AxesImage:
    """Draw a density with further notes."""
    require_matplotlib()
    first, second = check_axes(axes)
    box = _box(bins, bounds)
    ax = axes_for(ax, is_dark=True)
    filled = fill(source, (first, second), color, *box)
    filled.cells.fit(_READS_IN_A_CELL, _pixels(ax))
    image = draw_cells(ax, filled, **kwargs)
    set_axes(ax, filled.layout, (first, second))
    if legend and filled.total:
        _add_scale(ax, image, filled)
    write_notes(ax, [*filled.notes(), *notes] if filled.total else filled.notes())
    return image


# ------------------------------------------------------------------------------------------------
# Counting
# ------------------------------------------------------------------------------------------------


def fill(
    source: Particles | FastqReader,
    axes: tuple[int, int],
    color: str,
    bounds: tuple[tuple[float, float], tuple[float, float]] | None = None,
    shape: tuple[int, int] = (0, 0),
) -> Filled:
    """Count all reads of a source in cells on two axes of its layout."""
    has_sums = color != "count"
    if bounds is None and shape != (0, 0):
        if isinstance(source, FastqReader):
            raise ValueError("a reader needs bounds= where it is given bins=: it is read once")
        places = column_of(source, "position")
        bounds = (_bounds(places[:, axes[0]]), _bounds(places[:, axes[1]]))
    label, total, cells = "", 0, None
    for batch in slices_of(source):
        if cells is None:
            column_of(batch, "position")
            label = label_of(batch, color) if has_sums else "Reads per cell"
            cells = make_cells(batch, axes, bounds, shape, has_sums)
        position = batch.position
        values = raw_numbers_of(batch, color) if has_sums else None
        cells.add(position[:, axes[0]], position[:, axes[1]], values)
        total += len(batch)
    layout = source.layout
    if cells is None:
        cells = Cells(bounds, shape, has_sums=has_sums)
    return Filled(cells, layout, color, label, total)


def make_cells(
    batch: Particles,
    axes: tuple[int, int],
    bounds: tuple[tuple[float, float], tuple[float, float]] | None = None,
    shape: tuple[int, int] = (0, 0),
    has_sums: bool = False,
) -> Cells:
    """Return cells that fit the layout of these particles."""
    units = batch.layout.units
    return Cells(
        bounds,
        shape,
        lattice=tuple(lattice_of(batch, axis) for axis in axes),
        is_square=units[axes[0]] == units[axes[1]],
        has_sums=has_sums,
    )


def slices_of(source: Particles | FastqReader) -> Iterator[Particles]:
    """Return particles in slices, or what a reader has in batches."""
    if isinstance(source, FastqReader):
        yield from source.batches()
        return
    for start in range(0, len(source), _SLICE):
        yield source[start : start + _SLICE]


def _box(
    bins: int | tuple[int, int] | None, bounds: Bounds | None
) -> tuple[tuple[tuple[float, float], tuple[float, float]] | None, tuple[int, int]]:
    """Check what cells are asked for, and return their bounds and their number."""
    if bounds is None and bins is None:
        return None, (0, 0)
    if bins is None:
        bins = 256
    wide, high = (bins, bins) if isinstance(bins, int | np.integer) else bins
    if min(wide, high) < 1:
        raise ValueError(f"bins must be at least 1, not {bins!r}.")
    shape = (int(wide), int(high))
    if bounds is None:
        return None, shape
    limits = np.asarray(bounds, np.float64)
    if limits.shape != (2, 2) or not np.isfinite(limits).all() or (np.diff(limits) <= 0).any():
        raise ValueError(f"bounds are two pairs of a lower and a higher end, not {bounds!r}.")
    (left, right), (bottom, top) = limits.tolist()
    return ((left, right), (bottom, top)), shape


def _bounds(places: npt.NDArray[Any]) -> tuple[float, float]:
    """Return from where to where there are places."""
    found = extents_of(places)
    if found is None:
        return 0.0, 1.0
    ((low, high),) = found
    return (low, high) if high > low else (low - 0.5, high + 0.5)


# ------------------------------------------------------------------------------------------------
# Drawing
# ------------------------------------------------------------------------------------------------


def _pixels(ax: Axes) -> int:
    box = ax.get_window_extent()
    return int(min(max(box.width, box.height, 64), _MOST_CELLS))


def draw_cells(ax: Axes, filled: Filled, **kwargs: Any) -> AxesImage:
    """Draw cells as an image; the arguments are those of imshow."""
    values = filled.values()
    if values.size == 0:
        values = np.full((1, 1), np.nan)
    box = ax.get_window_extent()
    is_fine = values.shape[1] > box.width or values.shape[0] > box.height
    defaults = {
        "origin": "lower",
        "extent": filled.cells.extent if filled.cells.counts.size else (0.0, 1.0, 0.0, 1.0),
        "aspect": "auto",
        # Cells smaller than pixels are blended, or some of them would not be seen.
        "interpolation": "auto" if is_fine else "nearest",
        "interpolation_stage": "rgba",
    }
    scale = color_scale(values, filled.color, kwargs)
    return ax.imshow(np.ma.masked_invalid(values), **(defaults | scale | kwargs))


def color_scale(
    values: npt.NDArray[np.float64], color: str, kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return the colour map and its limits where the caller has said nothing of them."""
    from matplotlib.colors import LogNorm

    known = values[np.isfinite(values)]
    chosen: dict[str, Any] = {"cmap": mean_colormap(color)}
    if kwargs.get("norm") is not None:
        return chosen
    if color == "gc":
        return chosen | {"vmin": 0.0, "vmax": 1.0}
    if color == "count":
        most = float(known.max()) if len(known) else 1.0
        low, high = np.percentile(known, [0.5, 99.5]) if len(known) else (1.0, 1.0)
        is_wide = high > _WIDE_RANGE * low
        if is_wide and not {"vmin", "vmax"} & kwargs.keys():
            return chosen | {"norm": LogNorm(1.0, most)}
        return chosen | {"vmin": 0.0, "vmax": most}
    low, high = robust_limits(known)
    return chosen | {"vmin": low, "vmax": high}


def _add_scale(ax: Axes, image: AxesImage, filled: Filled) -> None:
    if filled.color == "count":
        add_count_bar(ax, image, filled.label)
    else:
        add_mean_bar(ax, image, filled.label, filled.values(), is_share=filled.color == "gc")
