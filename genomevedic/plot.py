"""First pictures of particles, drawn with Matplotlib (extra ``plot``).

Every function takes ``ax=None`` (or ``fig=None``), hands keyword arguments on to the artist it
makes, returns that artist, and never calls ``show``. What a picture leaves out, reads without a
place and reads above `MAX_POINTS`, is written into it in words.
"""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import warn_user
from .text import counted_reads

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
        Handed to `matplotlib.axes.Axes.scatter`, for example ``s``, ``alpha`` or ``edgecolor``.
        ``cmap``, ``norm``, ``vmin`` and ``vmax`` colour the points by GC content where `color`
        names nothing else.

    Returns
    -------
    matplotlib.collections.PathCollection

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    TypeError
        Where both `color` and its other name ``c`` are given.
    ValueError
        Where a column is missing, `axes` names no two axes of the layout, or `ax` is
        three-dimensional.

    Warns
    -----
    UserWarning
        Where only `max_points` of the reads are drawn.

    Notes
    -----
    A point's diameter is ``size * layout.point_size`` in units of the layout at the limits of the
    axes when this is called. Where the median of the diameters would be less than 1.5 or more than
    6 typographic points, all are scaled by one factor to stay in that range.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
    >>> fig, ax = plt.subplots()
    >>> points = gv.plot.scatter(p, (0, 2), ax=ax, color="quality", cmap="magma")
    >>> len(points.get_offsets())  # 12 of the reads have no known base, and so no place
    7028
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
    _refuse_3d(ax)
    kwargs = _scatter_arguments(kwargs, keep, len(position))
    color = _one_color(color, kwargs)
    color, color_kwargs, label = _resolve_color(particles, color, keep, kwargs)
    size = kwargs.pop("s", None)
    points: PathCollection = ax.scatter(
        position[keep, first],
        position[keep, second],
        c=color,
        s=1.0 if size is None else size,
        **({"rasterized": len(keep) > 10_000} | color_kwargs | kwargs),
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
    _require_matplotlib()
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.patches import Patch

    kwargs = normalize_kwargs(kwargs, Patch)
    values = _numbers(particles, column)
    shown = np.isfinite(values)
    notes = [_left_out_note(int(np.sum(~shown)), len(values), "have no value")]
    if kwargs.get("range") is not None:
        inside = shown & (values >= kwargs["range"][0]) & (values <= kwargs["range"][1])
        outside = int(np.count_nonzero(shown) - np.count_nonzero(inside))
        notes.append(_left_out_note(outside, len(values), "are outside the range"))
        shown = inside
    if kwargs.get("weights") is not None:
        kwargs["weights"] = np.asarray(kwargs["weights"])[shown]
    if ax is None:
        ax = _current_axes()
    _refuse_3d(ax)
    edges: Any = _bin_edges(particles, column, values[shown]) if bins is None else bins
    artists: Any = ax.hist(values[shown], bins=edges, **({"color": "#4c6a92"} | kwargs))[2]
    bars: BarContainer | Polygon = artists[0] if isinstance(artists, list) else artists
    is_plain = kwargs.get("histtype", "bar").startswith("bar")
    if column == "gc" and is_plain and not {"color", "facecolor"} & kwargs.keys():
        _color_bars(bars, kwargs.get("orientation") == "horizontal")
    _set_hist_axes(ax, particles, column, kwargs, is_empty=not shown.any())
    _write_notes(ax, notes if len(values) else ["There are no reads."])
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

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    TypeError, ValueError
        As `scatter` and `hist`.

    Warns
    -----
    UserWarning
        Where only `max_points` of the reads are drawn.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
    >>> fig = gv.plot.overview(p, fig=gv.plot.new_figure(), title="A simulated run")
    >>> [ax.get_xlabel() for ax in fig.axes[1:] if ax.patches]
    ['GC content', 'Mean quality (Phred)']
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
    fig.suptitle(title or counted_reads(len(particles)), x=0.01, ha="left")
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

    Returns
    -------
    matplotlib.colors.Colormap

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.

    Examples
    --------
    >>> import genomevedic as gv
    >>> [float(part) for part in gv.plot.gc_colormap()(0.5)]
    [0.0, 1.0, 0.0, 1.0]
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
            'Drawing needs Matplotlib; install it with: pip install "genomevedic[plot]"'
        ) from error


def _current_axes() -> Axes:
    import matplotlib.pyplot as plt

    return plt.gca()


def _refuse_3d(ax: Axes) -> None:
    if hasattr(ax, "get_zlim"):
        raise ValueError("these axes are three-dimensional; give axes made without projection='3d'")


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
    verb = "is" if max_points == 1 else "are"
    note = f"{max_points:,} of {total:,} reads {verb} drawn, chosen at random."
    warn_user(f"{note} Give max_points= to draw more.", UserWarning)
    return keep[np.sort(chosen)], note


def _each(values: Any, keep: np.ndarray[Any, Any], count: int) -> Any:
    """Return the entries of `values` that are drawn, where it has one a particle."""
    if values is None or isinstance(values, str):
        return values
    array = np.asarray(values)
    return array[keep] if array.ndim >= 1 and len(array) == count else values


def _scatter_arguments(
    kwargs: dict[str, Any], keep: np.ndarray[Any, Any], count: int
) -> dict[str, Any]:
    """Return the keyword arguments of `scatter` under one name each, for the reads drawn."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.collections import PathCollection

    kwargs = normalize_kwargs(kwargs, PathCollection)
    for alias, name in {"sizes": "s", "linewidth": "linewidths", "edgecolor": "edgecolors"}.items():
        if alias in kwargs:
            kwargs[name] = kwargs.pop(alias)
    for name in {"s", "c", "linewidths", "edgecolors", "facecolor", "alpha"} & kwargs.keys():
        kwargs[name] = _each(kwargs[name], keep, count)
    if "edgecolors" not in kwargs:
        kwargs.setdefault("linewidths", 0)
    return kwargs


def _one_color(color: Any, kwargs: dict[str, Any]) -> Any:
    """Return what colours the points, by whichever name it was given."""
    given = [kwargs.pop(name) for name in ("c", "facecolor") if name in kwargs]
    given += [] if color is None else [color]
    if len(given) > 1:
        raise TypeError("give only one of color, c and facecolor: they are names of one thing")
    return given[0] if given else None


def _resolve_color(
    particles: Particles, color: Any, keep: np.ndarray[Any, Any], kwargs: dict[str, Any]
) -> tuple[Any, dict[str, Any], str]:
    """Return what to hand to `scatter` as colour, its keyword arguments, and the bar's label."""
    is_scaled = any(kwargs.get(name) is not None for name in ("cmap", "norm", "vmin", "vmax"))
    has_gc = "gc" in particles.columns
    if color is None and "color" in particles.columns and not (is_scaled and has_gc):
        return _column(particles, "color")[keep], {}, "gc"
    if color == "gc" if isinstance(color, str) else color is None and has_gc:
        shown = _numbers(particles, "gc")[keep]
        scale = {"cmap": gc_colormap(), "plotnonfinite": True}
        if kwargs.get("norm") is None:
            scale |= {"vmin": 0.0, "vmax": 1.0}
        return shown, scale, "GC content" if is_scaled else "gc"
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


def _unplaced_note(missing: int, total: int) -> str:
    if missing == 0:
        return ""
    verb = "has no place and is" if missing == 1 else "have no place and are"
    return f"{missing:,} of {total:,} reads {verb} not drawn."


def _left_out_note(count: int, total: int, why: str) -> str:
    """Say that reads are left out; `why` is what they are or have, in the plural."""
    if count == 0:
        return ""
    if count == 1:
        why = why.replace("have", "has").replace("are", "is", 1)
    return f"{count:,} of {total:,} reads {why} and {'is' if count == 1 else 'are'} left out."


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


def _set_hist_axes(
    ax: Axes, particles: Particles, column: str, kwargs: dict[str, Any], is_empty: bool
) -> None:
    """Label the axes of a histogram, and let that of the counts show whole numbers from 0 on."""
    from matplotlib.ticker import MaxNLocator

    along, counts = ("y", "x") if kwargs.get("orientation") == "horizontal" else ("x", "y")
    ax.set(**{f"{along}label": _label(particles, column)})
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
