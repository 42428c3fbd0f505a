"""Distributions of one column."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import axes_for, left_out_note, require_matplotlib, write_notes
from .colors import gc_colormap
from .columns import COORDINATES, is_whole, label_of, lattice_edges, numbers_of

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.patches import Polygon

    from ..particles import Particles

__all__ = ["hist"]

# What the axis of a histogram spans at least, in the column's unit.
_LEAST_SPAN = {"quality": 4.0, "error_quality": 4.0, "length": 10.0, "gc": 0.2}


def hist(
    particles: Particles,
    column: str,
    *,
    ax: Axes | None = None,
    bins: Any = None,
    **kwargs: Any,
) -> BarContainer | Polygon:
    """Draw the distribution of one column.

    Parameters
    ----------
    particles : Particles
        With that column.
    column : str
        A column of numbers (``"gc"``, ``"quality"``, ``"length"``, ...), or ``"x"``, ``"y"`` or
        ``"z"`` for a part of the position.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``.
    bins : int or array-like or str, optional
        As for `numpy.histogram_bin_edges`. By default GC content has bins of about 2 %, centred on
        the values that reads of one length can take; qualities have bins of half a unit or less,
        and whole numbers bins of a whole width.
    **kwargs
        Handed to `matplotlib.axes.Axes.hist`, for example ``range``, ``density``, ``weights`` (one
        a read) or ``orientation``.

    Returns
    -------
    matplotlib.container.BarContainer
        A `matplotlib.patches.Polygon` where ``histtype`` asks for an outline.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        Where the column is missing or is not one of numbers, or `ax` is three-dimensional.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
    >>> fig, ax = plt.subplots()
    >>> bars = gv.plot.hist(p, "quality", ax=ax, bins=[0, 20, 30, 40])
    >>> sum(int(bar.get_height()) for bar in bars)
    7040
    """
    require_matplotlib()
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.patches import Patch

    kwargs = normalize_kwargs(kwargs, Patch)
    values = numbers_of(particles, column)
    shown = np.isfinite(values)
    notes = [left_out_note(int(np.sum(~shown)), len(values), "have no value")]
    if kwargs.get("range") is not None:
        inside = shown & (values >= kwargs["range"][0]) & (values <= kwargs["range"][1])
        outside = int(np.count_nonzero(shown) - np.count_nonzero(inside))
        notes.append(left_out_note(outside, len(values), "are outside the range"))
        shown = inside
    if kwargs.get("weights") is not None:
        kwargs["weights"] = np.asarray(kwargs["weights"])[shown]
    ax = axes_for(ax)
    edges: Any = _bin_edges(particles, column, values[shown]) if bins is None else bins
    artists: Any = ax.hist(values[shown], bins=edges, **({"color": "#4c6a92"} | kwargs))[2]
    bars: BarContainer | Polygon = artists[0] if isinstance(artists, list) else artists
    is_plain = kwargs.get("histtype", "bar").startswith("bar")
    if column == "gc" and is_plain and not {"color", "facecolor"} & kwargs.keys():
        _color_bars(bars, kwargs.get("orientation") == "horizontal")
    _set_hist_axes(ax, particles, column, kwargs, is_empty=not shown.any())
    write_notes(ax, notes if len(values) else ["There are no reads."])
    return bars


def _bin_edges(particles: Particles, column: str, known: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if column == "gc":
        edges = lattice_edges(particles, 1.0, 0.0, 0.02)
        return np.linspace(0.0, 1.0, 51) if edges is None else edges
    if len(known) == 0:
        return np.array([0.0, 40.0 if column in ("quality", "error_quality") else 1.0])
    low, high = float(known.min()), float(known.max())
    if column in ("quality", "error_quality"):
        step = 0.5 if high - low > 10 else 0.25
        start = math.floor(low / step)
        return np.arange(start, math.floor(high / step) + 2) * step
    if is_whole(particles, column):
        # Whole numbers: bins of a whole width, so that none holds more values than another.
        step = max(1, math.ceil((high - low + 1) / 60))
        return np.arange(low - 0.5, high + step + 0.5, step)
    if column in COORDINATES and particles.layout.name == "composition":
        edges = lattice_edges(particles, 2.0, low, 0.03)
        if edges is not None:
            return edges
    return np.histogram_bin_edges(known, bins=60)


def _set_hist_axes(
    ax: Axes, particles: Particles, column: str, kwargs: dict[str, Any], is_empty: bool
) -> None:
    """Label the axes of a histogram, and let that of the counts show whole numbers from 0 on."""
    from matplotlib.ticker import MaxNLocator

    along, counts = ("y", "x") if kwargs.get("orientation") == "horizontal" else ("x", "y")
    ax.set(**{f"{along}label": label_of(particles, column)})
    if is_whole(particles, column):
        getattr(ax, f"{along}axis").set_major_locator(MaxNLocator("auto", integer=True))
    if column == "gc":
        getattr(ax, f"{along}axis").set_major_formatter(lambda share, _: f"{100 * share:.3g} %")
    ax.spines[["top", "right"]].set_visible(False)
    if kwargs.get("density"):
        ax.set(**{f"{counts}label": "Density"})
    elif kwargs.get("weights") is not None:
        ax.set(**{f"{counts}label": "Sum of the weights"})
    else:
        ax.set(**{f"{counts}label": "Reads"})
        if not kwargs.get("log"):
            axis = getattr(ax, f"{counts}axis")
            axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
            axis.set_major_formatter(lambda count, _: f"{count:,g}")
    if is_empty and not kwargs.get("log"):
        ax.set(**{f"{counts}lim": (0.0, 1.0)})
    if kwargs.get("range") is not None:
        ax.set(**{f"{along}lim": tuple(kwargs["range"])})
    else:
        _widen(ax, along, _LEAST_SPAN.get(column, 0.0))


def _widen(ax: Axes, along: str, least: float) -> None:
    """Let an axis span at least this much: no difference is to look larger than it is."""
    low, high = getattr(ax, f"get_{along}lim")()
    if high - low < least:
        middle = (low + high) / 2
        ax.set(**{f"{along}lim": (middle - least / 2, middle + least / 2)})


def _color_bars(bars: Any, is_horizontal: bool) -> None:
    colors = gc_colormap()
    for bar in bars:
        middle = bar.get_x() + bar.get_width() / 2
        if is_horizontal:
            middle = bar.get_y() + bar.get_height() / 2
        # The scale's own colours are too bright for large areas on a white ground.
        red, green, blue, _ = colors(min(1.0, max(0.0, middle)))
        bar.set_facecolor((0.85 * red, 0.85 * green, 0.85 * blue))
