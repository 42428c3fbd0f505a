"""Two measures of the reads against each other: every read counts in a cell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import (
    axes_for,
    left_out_note,
    require_matplotlib,
    write_notes,
)
from .cells import Cells
from .colors import add_count_bar
from .columns import column_of, label_of, lattice_edges
from .images import color_scale

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

    from ..particles import Particles

__all__ = ["gc_quality", "length_quality"]

# Cells in ten times the length.
_CELLS_IN_A_DECADE = 25

# Longest read for which there is a counter for every length.
_MOST_COUNTERS = 1 << 26


def gc_quality(
    particles: Particles, *, ax: Axes | None = None, legend: bool = True, **kwargs: Any
) -> QuadMesh:
    """Draw how many reads have which GC content and which mean quality.

    Parameters
    ----------
    particles : Particles
        With the columns ``gc`` and ``quality``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``, with a dark ground.
    legend : bool, default True
        Whether to add the colour bar.
    **kwargs
        Handed to `matplotlib.axes.Axes.pcolormesh`, for example ``cmap`` or ``norm``.

    Returns
    -------
    matplotlib.collections.QuadMesh
        Its array has a row for each cell of quality; empty cells are masked.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        A column is missing, or `ax` is three-dimensional.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
    >>> fig, ax = plt.subplots()
    >>> mesh = gv.plot.gc_quality(p, ax=ax)
    >>> int(mesh.get_array().sum())
    7028
    """
    require_matplotlib()
    gc, quality = column_of(particles, "gc"), column_of(particles, "quality")
    edges = lattice_edges(particles, 1.0, 0.0, 0.02)
    if edges is None:
        edges = np.linspace(0.0, 1.0, 51)
    bounds = (float(edges[0]), float(edges[-1]))
    mesh = _draw(particles, gc, quality, bounds, len(edges) - 1, "gc", ax, legend, kwargs)
    axes: Any = mesh.axes
    axes.set_xlabel(label_of(particles, "gc"))
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")
    return mesh


def length_quality(
    particles: Particles, *, ax: Axes | None = None, legend: bool = True, **kwargs: Any
) -> QuadMesh:
    """Draw how many reads have which length, on a logarithmic scale, and which mean quality.

    Where lengths differ, a line shows the N50: half of all bases are in reads as long or longer.

    Parameters
    ----------
    particles : Particles
        With the columns ``length`` and ``quality``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``, with a dark ground.
    legend : bool, default True
        Whether to add the colour bar.
    **kwargs
        Handed to `matplotlib.axes.Axes.pcolormesh`, for example ``cmap`` or ``norm``.

    Returns
    -------
    matplotlib.collections.QuadMesh
        Its array has a row for each cell of quality; empty cells are masked.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        A column is missing, or `ax` is three-dimensional.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
    >>> fig, ax = plt.subplots()
    >>> mesh = gv.plot.length_quality(p, ax=ax)
    >>> int(mesh.get_array().sum()), mesh.axes.get_xscale()
    (7040, 'log')
    """
    require_matplotlib()
    from matplotlib.ticker import LogLocator, NullFormatter

    length, quality = column_of(particles, "length"), column_of(particles, "quality")
    known = length[length > 0]
    low, high = (int(known.min()), int(known.max())) if len(known) else (100, 100)
    # A whole number of cells from a whole one on, and a few at least.
    first = math.floor(math.log10(low) * _CELLS_IN_A_DECADE) - 1
    last = math.ceil(math.log10(high) * _CELLS_IN_A_DECADE) + 1
    missing = max(0, _CELLS_IN_A_DECADE - (last - first))
    first, last = first - missing // 2, last + missing - missing // 2
    bounds = (first / _CELLS_IN_A_DECADE, last / _CELLS_IN_A_DECADE)
    with np.errstate(divide="ignore"):
        exponents = np.log10(length)
    mesh = _draw(particles, exponents, quality, bounds, last - first, "length", ax, legend, kwargs)
    axes: Any = mesh.axes
    axes.set_xlabel(label_of(particles, "length"))
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(lambda bases, _: f"{bases:,.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    if low < high:
        middle = _n50(known)
        axes.axvline(middle, color="#ff9f43", linewidth=1.0)
        axes.annotate(
            f"N50 {middle:,}",
            (middle, 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize="small",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
        )
    return mesh


def _draw(
    particles: Particles,
    along: npt.NDArray[Any],
    quality: npt.NDArray[Any],
    bounds: tuple[float, float],
    columns: int,
    what: str,
    ax: Axes | None,
    legend: bool,
    kwargs: dict[str, Any],
) -> QuadMesh:
    """Draw one measure along x, and quality along y."""
    ax = axes_for(ax, is_dark=True)
    rows = _quality_bounds(quality[np.isfinite(along)])
    cells = Cells((bounds, rows[:2]), (columns, rows[2]))
    cells.add(along, quality)
    x = np.linspace(*bounds, columns + 1)
    y = np.linspace(rows[0], rows[1], rows[2] + 1)
    counts = np.where(cells.counts > 0, cells.counts, np.nan)
    scale = color_scale(counts, "count", kwargs)
    if what == "length":
        x = 10.0**x
        ax.set_xscale("log")
    mesh = ax.pcolormesh(x, y, np.ma.masked_invalid(counts), **(scale | kwargs))
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(y[0], y[-1])
    ax.set_ylabel(label_of(particles, "quality"))
    if legend and cells.drawn:
        add_count_bar(ax, mesh, "Reads per cell")
    why = f"have no {'known length' if what == 'length' else 'GC content'} or no quality"
    notes = [left_out_note(cells.unplaced, len(particles), why)]
    write_notes(ax, notes if len(particles) else ["There are no reads."])
    return mesh


def _quality_bounds(quality: npt.NDArray[Any]) -> tuple[float, float, int]:
    """Return from where to where to draw qualities, and in how many cells."""
    known = quality[np.isfinite(quality)]
    if len(known) == 0:
        return 0.0, 40.0, 80
    low, high = math.floor(float(known.min())), math.floor(float(known.max())) + 1
    low = min(low, high - 4)
    return float(low), float(high), (high - low) * (4 if high - low <= 20 else 2)


def _n50(lengths: npt.NDArray[Any]) -> int:
    """Return the length such that half of all bases are in reads as long or longer."""
    longest = int(lengths.max())
    if longest < _MOST_COUNTERS:
        reads = np.bincount(lengths)
        bases = reads * np.arange(len(reads))
        sizes = np.arange(len(reads))
    else:
        sizes = np.sort(lengths).astype(np.int64)
        bases = sizes
    from_longest = np.cumsum(bases[::-1])
    return int(sizes[::-1][np.searchsorted(from_longest, from_longest[-1] / 2)])
