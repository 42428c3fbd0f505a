"""First pictures of particles, drawn with Matplotlib (extra ``plot``).

Every function takes ``ax=None`` (or ``fig=None``), hands keyword arguments on to the artist it
makes, returns that artist, and never calls ``show``. What a picture leaves out, reads without a
place and reads above `MAX_POINTS`, is written into it in words.
"""

from __future__ import annotations

import math
import textwrap
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure
    from matplotlib.patches import Polygon

    from .particles import Particles

__all__ = ["GC_COLORS", "MAX_POINTS", "gc_colormap", "hist", "new_figure", "overview", "scatter"]

#: Points of the colour scale of GC content; between them it is linear.
GC_COLORS = (
    (0.0, (0.0, 0.0, 1.0)),
    (0.4, (0.0, 1.0, 1.0)),
    (0.5, (0.0, 1.0, 0.0)),
    (0.6, (1.0, 1.0, 0.0)),
    (1.0, (1.0, 0.0, 0.0)),
)

#: Number of points that `scatter` draws at most unless told otherwise.
MAX_POINTS = 200_000

# The diameter of the median point in typographic points: below the first it is dust that a screen
# cannot show, above the second points hide one another.
_SMALLEST_POINT, _LARGEST_POINT = 1.5, 6.0

# Yellow, green and cyan of the colour scale need a dark ground to be seen.
_GROUND = "#14161c"

_LABELS = {
    "gc": "GC content",
    "quality": "Mean quality (Phred)",
    "error_quality": "Quality of the mean error (Phred)",
    "length": "Length (bases)",
    "size": "Relative size",
    "metadata": "Ordinal of the read",
}

# What the axis of a histogram spans at least, in the column's unit.
_LEAST_SPAN = {"quality": 4.0, "error_quality": 4.0, "length": 10.0, "gc": 0.2}

# Width and height of an overview in inches.
_FIGURE_SIZE = (11.0, 6.2)

_COORDINATES = ("x", "y", "z")


def scatter(
    particles: Particles,
    axes: tuple[int, int] = (0, 1),
    *,
    ax: Axes | None = None,
    color: Any = None,
    max_points: int = MAX_POINTS,
    rng: np.random.Generator | int | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> PathCollection:
    """Draw particles as points on two axes of their layout.

    Parameters
    ----------
    particles : Particles
        With the column ``position``.
    axes : tuple of two int, default (0, 1)
        Which of the layout's axes (0, 1, 2) to draw along the picture's x and y.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``, with a dark ground.
    color : str or array-like, optional
        The name of a column of numbers, a Matplotlib colour, or one value or colour a particle.
        By default the column ``color``, where there is none the GC content, else one colour.
    max_points : int, default 200,000
        Above this number of reads with a place, that many are drawn, chosen at random; a warning
        and a note in the picture say so.
    rng : numpy.random.Generator or int, optional
        Source of that choice; a number makes it the same every time.
    legend : bool, default True
        Whether to add the colour bar.
    **kwargs
        Handed to `matplotlib.axes.Axes.scatter`, for example ``s``, ``alpha`` or ``cmap``.

    Returns
    -------
    matplotlib.collections.PathCollection

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        Where a column is missing or `axes` names no two axes of the layout.

    Notes
    -----
    A point's diameter is ``size * layout.point_size`` in units of the layout at the limits of the
    axes when this is called. Where the median of the diameters would be less than 1.5 or more than
    6 typographic points, all are scaled by one factor to stay in that range.
    """
    _require_matplotlib()
    first, second = _check_axes(axes)
    position = _column(particles, "position")
    placed = np.isfinite(position[:, (first, second)]).all(axis=1)
    keep = np.flatnonzero(placed)
    notes = [_unplaced_note(len(position) - len(keep), len(position))]
    keep, note = _thin(keep, max_points, rng)
    notes.append(note)

    if ax is None:
        ax = _current_axes()
        ax.set_facecolor(_GROUND)
    color = kwargs.pop("c", color)
    color, color_kwargs, label = _resolve_color(particles, color, keep)
    size = _each(kwargs.pop("s", None), keep, len(position))
    options: dict[str, Any] = {"linewidths": 0, "rasterized": len(keep) > 10_000}
    points: PathCollection = ax.scatter(
        position[keep, first],
        position[keep, second],
        c=color,
        s=1.0 if size is None else size,
        **(options | color_kwargs | kwargs),
    )
    _set_axes(ax, particles.layout, first, second)
    if size is None:
        _set_areas(points, ax, particles, keep)
    if points.get_alpha() is None and len(keep):
        points.set_alpha(_alpha_for(points, ax))
    if legend and label:
        _add_colorbar(ax, points, label)
    _write_notes(ax, notes if len(position) else ["There are no reads."])
    return points


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
        the values that reads of one length can take; qualities have bins of half a unit or less.
    **kwargs
        Handed to `matplotlib.axes.Axes.hist`.

    Returns
    -------
    matplotlib.container.BarContainer
        A `matplotlib.patches.Polygon` where ``histtype`` asks for an outline.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        Where the column is missing or is not one of numbers.
    """
    _require_matplotlib()
    from matplotlib.ticker import MaxNLocator

    values = _numbers(particles, column)
    known = values[np.isfinite(values)]
    if ax is None:
        ax = _current_axes()
    edges: Any = _bin_edges(particles, column, known) if bins is None else bins
    artists: Any = ax.hist(known, bins=edges, **({"color": "#4c6a92"} | kwargs))[2]
    bars: BarContainer | Polygon = artists[0] if isinstance(artists, list) else artists
    if column == "gc" and not {"color", "fc", "facecolor", "histtype"} & kwargs.keys():
        _color_bars(bars)
    ax.set_xlabel(_label(particles, column))
    ax.set_ylabel("Reads")
    ax.spines[["top", "right"]].set_visible(False)
    ax.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    ax.yaxis.set_major_formatter(lambda count, _: f"{count:,g}")
    _widen(ax, _LEAST_SPAN.get(column, 0.0))
    missing = len(values) - len(known)
    if len(values) == 0:
        _write_notes(ax, ["There are no reads."])
    elif missing:
        _write_notes(ax, [f"{missing:,} of {len(values):,} reads have no value and are left out."])
    return bars


def overview(
    particles: Particles,
    *,
    fig: Figure | None = None,
    axes: tuple[int, int] = (0, 1),
    title: str | None = None,
    max_points: int = MAX_POINTS,
    rng: np.random.Generator | int | None = None,
    **kwargs: Any,
) -> Figure:
    """Draw a first picture: a scatter and the distributions of GC content and mean quality.

    Parameters
    ----------
    particles : Particles
        With the columns ``position``, ``gc`` and ``quality``.
    fig : matplotlib.figure.Figure, optional
        An empty figure to draw into; by default a new one of ``matplotlib.pyplot``.
    axes, max_points, rng
        As for `scatter`.
    title : str, optional
        First line above the picture; by default ``"<number> reads"``.
    **kwargs
        Handed to `scatter`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    _require_matplotlib()
    if fig is None:
        import matplotlib.pyplot as plt

        fig = plt.figure(figsize=_FIGURE_SIZE, layout="constrained")
    grid = fig.add_gridspec(2, 2, width_ratios=_overview_widths(fig, particles, axes))
    left = fig.add_subplot(grid[:, 0])
    left.set_facecolor(_GROUND)
    scatter(particles, axes, ax=left, max_points=max_points, rng=rng, **kwargs)
    left.set_title(f"Layout: {particles.layout.name}", fontsize="medium", loc="left")
    hist(particles, "gc", ax=fig.add_subplot(grid[0, 1]))
    hist(particles, "quality", ax=fig.add_subplot(grid[1, 1]))
    fig.suptitle(title or _counted(len(particles)), x=0.01, ha="left")
    return fig


def _overview_widths(
    fig: Figure, particles: Particles, axes: tuple[int, int]
) -> tuple[float, float]:
    """Return the widths, in inches, of the scatter with its colour bar and of the histograms."""
    width, height = fig.get_size_inches()
    first, second = _check_axes(axes)
    position = _column(particles, "position")[:, (first, second)]
    position = position[np.isfinite(position).all(axis=1)]
    extent = np.ptp(position, axis=0) if len(position) else np.ones(2)
    aspect = float(extent[0] / extent[1]) if extent[1] > 0 else 1.0
    left = min(max(0.82 * height * aspect + 1.9, 0.42 * width), 0.64 * width)
    return left, width - left


def new_figure() -> Figure:
    """Return an empty figure for `overview` that no window and no ``pyplot`` knows of."""
    _require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=_FIGURE_SIZE, layout="constrained")


def gc_colormap() -> Colormap:
    """Return the colour scale of GC content as a Matplotlib colour map over 0 to 1.

    Reads without a known base, whose GC content is NaN, are grey.
    """
    _require_matplotlib()
    from matplotlib.colors import LinearSegmentedColormap

    colors = LinearSegmentedColormap.from_list("genomevedic_gc", list(GC_COLORS), N=1001)
    return colors.with_extremes(bad=(0.5, 0.5, 0.5, 1.0))


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Drawing needs Matplotlib; install it with: pip install 'genomevedic[plot]'"
        ) from error


def _current_axes() -> Axes:
    import matplotlib.pyplot as plt

    return plt.gca()


def _check_axes(axes: Sequence[int]) -> tuple[int, int]:
    if len(axes) != 2 or any(axis not in (0, 1, 2) for axis in axes) or axes[0] == axes[1]:
        raise ValueError(f"axes must be two different numbers of 0, 1 and 2, not {axes!r}.")
    return int(axes[0]), int(axes[1])


def _column(particles: Particles, name: str) -> np.ndarray[Any, Any]:
    if name not in particles.columns:
        raise ValueError(
            f"These particles have no column {name!r}; read them with it among columns=."
        )
    return np.asarray(particles[name])


def _numbers(particles: Particles, name: str) -> np.ndarray[Any, Any]:
    """Return one number a particle as float64."""
    if name in _COORDINATES and name not in particles.columns:
        return _column(particles, "position")[:, _COORDINATES.index(name)].astype(np.float64)
    if name in ("name", "sequence", "qualities", "position", "color"):
        raise ValueError(f"The column {name!r} does not hold one number a read.")
    return _column(particles, name).astype(np.float64)


def _thin(
    keep: np.ndarray[Any, Any], max_points: int, rng: np.random.Generator | int | None
) -> tuple[np.ndarray[Any, Any], str]:
    """Choose `max_points` of the indices at random where there are more, and say so."""
    total = len(keep)
    if max_points < 1:
        raise ValueError(f"max_points must be at least 1, not {max_points}.")
    if total <= max_points:
        return keep, ""
    chosen = np.random.default_rng(rng).choice(total, size=max_points, replace=False)
    note = f"{max_points:,} of {total:,} reads are drawn, chosen at random."
    warnings.warn(f"{note} Give max_points= to draw more.", UserWarning, stacklevel=3)
    return keep[np.sort(chosen)], note


def _each(values: Any, keep: np.ndarray[Any, Any], count: int) -> Any:
    """Return the entries of `values` that are drawn, where it has one a particle."""
    if values is None or isinstance(values, str):
        return values
    array = np.asarray(values)
    return array[keep] if array.ndim >= 1 and len(array) == count else values


def _resolve_color(
    particles: Particles, color: Any, keep: np.ndarray[Any, Any]
) -> tuple[Any, dict[str, Any], str]:
    """Return what to hand to `scatter` as colour, its keyword arguments, and the bar's label."""
    from matplotlib.colors import Normalize

    if color is None and "color" in particles.columns:
        return _column(particles, "color")[keep], {}, "gc"
    if color == "gc" if isinstance(color, str) else color is None and "gc" in particles.columns:
        shown = _numbers(particles, "gc")[keep]
        scale = {"cmap": gc_colormap(), "norm": Normalize(0, 1), "plotnonfinite": True}
        return shown, scale, "gc"
    if color is None:
        return "#7fb2ff", {}, ""
    if isinstance(color, str) and color in (*particles.columns, *_COORDINATES):
        return _numbers(particles, color)[keep], {"cmap": "viridis"}, _label(particles, color)
    return _each(color, keep, len(particles)), {}, ""


def _label(particles: Particles, column: str) -> str:
    if column in _COORDINATES:
        return _axis_label(particles.layout, _COORDINATES.index(column))
    return _LABELS.get(column, column)


def _axis_label(layout: Any, axis: int) -> str:
    name, unit = layout.axes[axis], layout.units[axis]
    return f"{name} ({unit})" if unit else str(name)


def _set_axes(ax: Axes, layout: Any, first: int, second: int) -> None:
    ax.set_xlabel(_axis_label(layout, first))
    ax.set_ylabel(_axis_label(layout, second))
    if layout.units[first] == layout.units[second]:
        # The box follows the data, so that a unit is as long along x as along y.
        ax.set_aspect("equal", adjustable="datalim" if _shares_axis(ax) else "box")
    ax.autoscale_view()


def _shares_axis(ax: Axes) -> bool:
    groups = (ax.get_shared_x_axes(), ax.get_shared_y_axes())
    return any(len(group.get_siblings(ax)) > 1 for group in groups)


def _points_per_pixel(ax: Axes) -> float:
    figure: Any = ax.figure
    return float(72.0 / figure.dpi)


def _points_per_unit(ax: Axes) -> float:
    """Return how many typographic points a unit of the layout takes in the axes as they are."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    box = ax.get_window_extent()
    pixels = min(box.width / abs(right - left), box.height / abs(top - bottom))
    return float(pixels * _points_per_pixel(ax))


def _set_areas(
    points: PathCollection, ax: Axes, particles: Particles, keep: np.ndarray[Any, Any]
) -> None:
    """Give the points the areas that `scatter` documents."""
    if "size" in particles.columns:
        relative = _column(particles, "size")[keep].astype(np.float64)
    else:
        relative = np.ones(len(keep))
    if len(relative) == 0:
        return
    diameter = relative * particles.layout.point_size * _points_per_unit(ax)
    median = float(np.median(diameter))
    if not (math.isfinite(median) and median > 0):
        diameter, median = relative, float(np.median(relative))
    diameter = diameter * (min(max(median, _SMALLEST_POINT), _LARGEST_POINT) / median)
    points.set_sizes(diameter**2)


def _alpha_for(points: PathCollection, ax: Axes) -> float:
    """Return an opacity that falls as the points come to cover the axes several times over."""
    box = ax.get_window_extent()
    count = len(np.asarray(points.get_offsets()))
    covered = float(np.mean(points.get_sizes())) * count * math.pi / 4
    coverage = covered / (box.width * box.height * _points_per_pixel(ax) ** 2)
    return 0.85 if coverage < 0.5 else max(0.2, 0.85 * math.sqrt(0.5 / coverage))


def _add_colorbar(ax: Axes, points: PathCollection, label: str) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    figure: Any = ax.figure
    if label != "gc":
        figure.colorbar(ScalarMappable(points.norm, points.cmap), ax=ax, label=label, shrink=0.8)
        return
    scale = ScalarMappable(Normalize(0, 1), gc_colormap())
    ticks = [value for value, _ in GC_COLORS]
    bar = figure.colorbar(scale, ax=ax, label="GC content", ticks=ticks, shrink=0.8)
    bar.ax.set_yticklabels([f"{100 * value:.0f} %" for value in ticks])


def _counted(reads: int) -> str:
    return "1 read" if reads == 1 else f"{reads:,} reads"


def _unplaced_note(missing: int, total: int) -> str:
    if missing == 0:
        return ""
    verb = "has no place and is" if missing == 1 else "have no place and are"
    return f"{missing:,} of {total:,} reads {verb} not drawn."


def _write_notes(ax: Axes, notes: Sequence[str]) -> None:
    """Write the notes along the upper edge of the axes, with the limits raised to make room."""
    from matplotlib import rcParams

    present = [note for note in notes if note]
    if not present:
        return
    size = 0.8 * rcParams["font.size"]
    points_per_pixel = _points_per_pixel(ax)
    bottom, top = ax.get_ylim()
    lines: list[str] = []
    for _ in range(2):  # Raised limits make axes of equal aspect narrower, so measure again.
        ax.apply_aspect()
        box = ax.get_window_extent()
        columns = max(20, int(box.width * points_per_pixel / (0.55 * size)))
        lines = [line for note in present for line in textwrap.wrap(note, columns)]
        height = (1.35 * len(lines) + 1.0) * size / (box.height * points_per_pixel)
        if height < 0.5:
            ax.set_ylim(bottom, bottom + (top - bottom) / (1.0 - height))
    ax.text(
        0.012,
        0.988,
        "\n".join(lines),
        transform=ax.transAxes,
        ha="left",
        va="top",
        fontsize=size,
        zorder=10,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2.0},
    )


def _bin_edges(
    particles: Particles, column: str, known: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    if column == "gc":
        edges = _lattice_edges(particles, 1.0, 0.0, 0.02)
        return np.linspace(0.0, 1.0, 51) if edges is None else edges
    if len(known) == 0:
        return np.array([0.0, 1.0])
    low, high = float(known.min()), float(known.max())
    if column in ("quality", "error_quality"):
        step = 0.5 if high - low > 10 else 0.25
        start = math.floor(low / step)
        return np.arange(start, math.floor(high / step) + 2) * step
    if column in ("length", "metadata"):
        # Whole numbers: bins of a whole width, so that none holds more values than another.
        step = max(1, math.ceil((high - low + 1) / 60))
        return np.arange(low - 0.5, high + step + 0.5, step)
    if column in _COORDINATES and particles.layout.name == "composition":
        edges = _lattice_edges(particles, 2.0, low, 0.03)
        if edges is not None:
            return edges
    return np.histogram_bin_edges(known, bins=60)


def _lattice_edges(
    particles: Particles, spacing: float, low: float, width: float
) -> np.ndarray[Any, Any] | None:
    """Return bins of about `width` from `low` to 1 for what reads of one length L can measure.

    Such a measure takes the values 1, 1 - spacing/L, 1 - 2*spacing/L, ... only. Bins that are not
    a whole multiple of that distance wide would hold now more, now fewer of them, and show as a
    comb that is not in the data. None where the reads are not of one length, or are long.
    """
    if "length" not in particles.columns or len(particles) == 0:
        return None
    lengths = np.asarray(particles["length"])
    length = int(np.median(lengths))
    if not 10 <= length <= 2000 or np.mean(lengths == length) < 0.5:
        return None
    distance = spacing / length
    step = max(1, round(width / distance)) * distance
    count = math.ceil((1.0 + distance / 2 - low) / step)
    return (1.0 + distance / 2) - step * np.arange(count, -1, -1)


def _widen(ax: Axes, least: float) -> None:
    """Let the x axis span at least this much: no difference is to look larger than it is."""
    left, right = ax.get_xlim()
    if right - left < least:
        middle = (left + right) / 2
        ax.set_xlim(middle - least / 2, middle + least / 2)


def _color_bars(bars: Any) -> None:
    colors = gc_colormap()
    for bar in bars:
        # The scale's own colours are too bright for large areas on a white ground.
        red, green, blue, _ = colors(min(1.0, max(0.0, bar.get_x() + bar.get_width() / 2)))
        bar.set_facecolor((0.85 * red, 0.85 * green, 0.85 * blue))
