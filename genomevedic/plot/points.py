"""Particles as points, in a plane or in space."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import warn_user
from .canvas import (
    current_axes,
    darken,
    is_3d,
    leave_room,
    points_per_pixel,
    require_matplotlib,
    set_axes,
    unplaced_note,
    write_notes,
)
from .colors import add_bar, add_gc_bar, gc_colormap
from .columns import COORDINATES, check_axes, column_of, label_of, numbers_of
from .images import draw_density

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.image import AxesImage

    from ..particles import Particles

__all__ = ["MAX_POINTS", "scatter"]

#: Number of points that `scatter` draws at most unless told otherwise.
MAX_POINTS = 200_000

# The diameter of the median point in typographic points: below the first it is dust that a screen
# cannot show, above the second it is a balloon.
_SMALLEST_POINT, _LARGEST_POINT = 1.5, 6.0

# Points that would cover more of the axes than the second hide one another, and are drawn smaller;
# such as would cover less than the first are lost in them, and are drawn up to so much larger.
_LEAST_COVERED, _MOST_COVERED = 0.2, 0.6
_LARGEST_OF_FEW = 3.0

# In space the axes' box is seen at an angle: a unit is about so much shorter than across the axes.
_FORESHORTENING = 0.55

# The shortest side of the box in space, over the longest.
_LEAST_SIDE = 0.45

# Of the box in space, so that labels beside it stay inside the axes.
_ZOOM = 0.8

# Arguments of scatter that a density takes too.
_SHARED = frozenset(["alpha", "cmap", "label", "norm", "vmax", "vmin", "zorder"])


def scatter(
    particles: Particles,
    axes: Sequence[int] | None = None,
    *,
    ax: Axes | None = None,
    projection: str | None = None,
    color: Any = None,
    max_points: int = MAX_POINTS,
    rng: np.random.Generator | int | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> PathCollection | AxesImage:
    """Draw particles as points on axes of their layout.

    Parameters
    ----------
    particles : Particles
        With the column ``position``.
    axes : sequence of two or three int, optional
        Which of the layout's axes (0, 1, 2) to draw along the picture's x, y and z; (0, 1) by
        default, and (0, 1, 2) in space.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``, with a dark ground.
    projection : "3d", optional
        To draw in space, on the current axes where these are three-dimensional, else on new ones.
        Not needed where `ax` is three-dimensional.
    color : str or array-like, optional
        The name of a column of numbers, a Matplotlib colour, or one value or colour a particle.
        By default the column ``color``, where there is none the GC content, else one colour.
    max_points : int, default 200,000
        Above this number of reads with a place no points are drawn but a `density`, in which every
        read counts: the mean of the column that would have coloured the points, GC content by
        default, else the number of reads. A warning and a note in the picture say so.
    rng : numpy.random.Generator or int, optional
        With it, and always in space, `max_points` reads chosen at random are drawn instead; a
        warning and a note say so. A number makes the choice the same every time.
    legend : bool, default True
        Whether to add the colour bar.
    **kwargs
        Handed to `matplotlib.axes.Axes.scatter`, for example ``s``, ``alpha`` or ``edgecolor``.
        ``cmap``, ``norm``, ``vmin`` and ``vmax`` colour the points by GC content where `color`
        names nothing else. A density takes ``alpha``, ``label``, ``zorder`` and these four.

    Returns
    -------
    matplotlib.collections.PathCollection
        The `matplotlib.image.AxesImage` of a density where there are too many points.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    TypeError
        Where both `color` and its other name ``c`` are given.
    ValueError
        Where a column is missing, or `axes` does not fit the layout or `ax`.

    Warns
    -----
    UserWarning
        Where there are more than `max_points` reads.

    Notes
    -----
    A point's diameter is ``size * layout.point_size`` in units of the layout at the limits of the
    axes when this is called. All are scaled by one factor where their median would be more than 6
    typographic points, or the points would cover more than 0.6 of the axes; and where it would be
    less than 1.5, or 3 where there are few points.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample(), layout="composition")
    >>> fig, ax = plt.subplots()
    >>> points = gv.plot.scatter(p, (0, 2), ax=ax, color="quality", cmap="magma")
    >>> len(points.get_offsets())  # 12 of the reads have no known base, and so no place
    7028
    """
    require_matplotlib()
    from matplotlib.cm import ScalarMappable

    in_space = _is_in_space(ax, projection)
    chosen = check_axes(axes if axes is not None else range(2 + in_space), 2 + in_space)
    position = column_of(particles, "position")
    placed = np.isfinite(position[:, chosen]).all(axis=1)
    keep = np.flatnonzero(placed)
    if max_points < 1:
        raise ValueError(f"max_points must be at least 1, not {max_points}.")
    ax = ax if ax is not None else _new_axes(in_space)
    if len(keep) > max_points and rng is None and not in_space:
        return _as_density(particles, chosen, ax, color, legend, max_points, kwargs)
    keep, note = _thin(keep, max_points, rng)
    kwargs = _scatter_arguments(kwargs, keep, len(position))
    color = _one_color(color, kwargs)
    color, color_kwargs, label = _resolve_color(particles, color, keep, kwargs)
    size = kwargs.pop("s", None)
    style: dict[str, Any] = {"c": color, "s": 1.0 if size is None else size}
    style |= {"rasterized": len(keep) > 10_000} | color_kwargs | kwargs
    points: PathCollection = ax.scatter(*(position[keep, axis] for axis in chosen), **style)
    set_axes(ax, particles.layout, chosen)
    if in_space:
        _set_box(ax, position[keep][:, chosen], particles.layout.units, chosen)
    if size is None:
        _set_areas(points, ax, particles, keep)
    if points.get_alpha() is None and len(keep):
        points.set_alpha(_alpha_for(points, ax))
    if legend and label == "gc":
        add_gc_bar(ax)
    elif legend and label:
        # Without the opacity of the points, which is not theirs alone: they lie over each other.
        add_bar(ax, ScalarMappable(points.norm, points.cmap), label)
    notes = [unplaced_note(len(position) - int(placed.sum()), len(position)), note]
    write_notes(ax, notes if len(position) else ["There are no reads."])
    return points


# ------------------------------------------------------------------------------------------------
# Where to draw, and what
# ------------------------------------------------------------------------------------------------


def _is_in_space(ax: Axes | None, projection: str | None) -> bool:
    if projection not in (None, "3d"):
        raise ValueError(f"projection is '3d' or nothing, not {projection!r}")
    if ax is not None and projection == "3d" and not is_3d(ax):
        raise ValueError("these axes are flat; make them with projection='3d'")
    return projection == "3d" or (ax is not None and is_3d(ax))


def _new_axes(in_space: bool) -> Axes:
    """Return the current axes, or three-dimensional ones where the current ones are not."""
    if not in_space:
        return current_axes(is_dark=True)
    import matplotlib.pyplot as plt

    figure = plt.gcf()
    if figure.axes:
        if is_3d(ax := figure.gca()):
            return ax
        figure = plt.figure()
    leave_room(figure)
    made: Axes = figure.add_subplot(projection="3d")
    darken(made)
    return made


def _as_density(
    particles: Particles,
    axes: Sequence[int],
    ax: Axes,
    color: Any,
    legend: bool,
    max_points: int,
    kwargs: dict[str, Any],
) -> AxesImage:
    """Draw a density instead of too many points, and say so."""
    kwargs = dict(kwargs)
    color = _one_color(color, kwargs)
    is_column = isinstance(color, str) and color in (*particles.columns, *COORDINATES)
    if color is None:
        color = "gc" if "gc" in particles.columns else "count"
    elif not is_column:
        color = "count"
    shared = {name: value for name, value in kwargs.items() if name in _SHARED}
    if np.ndim(shared.get("alpha", 0)) > 0:
        del shared["alpha"]
    what = "the number of reads" if color == "count" else "the mean of the reads"
    note = f"More than {max_points:,} reads: each cell shows {what} in it."
    warn_user(f"{note} Give max_points= to draw more points.", UserWarning)
    return draw_density(
        particles, (axes[0], axes[1]), ax=ax, color=color, legend=legend, notes=(note,), **shared
    )


def _thin(
    keep: npt.NDArray[np.intp], max_points: int, rng: np.random.Generator | int | None
) -> tuple[npt.NDArray[np.intp], str]:
    """Choose `max_points` of the indices at random where there are more, and say so."""
    total = len(keep)
    if total <= max_points:
        return keep, ""
    chosen = np.random.default_rng(rng).choice(total, size=max_points, replace=False)
    verb = "is" if max_points == 1 else "are"
    note = f"{max_points:,} of {total:,} reads {verb} drawn, chosen at random."
    warn_user(f"{note} Give max_points= to draw more.", UserWarning)
    return keep[np.sort(chosen)], note


# ------------------------------------------------------------------------------------------------
# Colours
# ------------------------------------------------------------------------------------------------


def _each(values: Any, keep: npt.NDArray[np.intp], count: int) -> Any:
    """Return the entries of `values` that are drawn, where it has one a particle."""
    if values is None or isinstance(values, str):
        return values
    array = np.asarray(values)
    return array[keep] if array.ndim >= 1 and len(array) == count else values


def _scatter_arguments(
    kwargs: dict[str, Any], keep: npt.NDArray[np.intp], count: int
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
    particles: Particles, color: Any, keep: npt.NDArray[np.intp], kwargs: dict[str, Any]
) -> tuple[Any, dict[str, Any], str]:
    """Return what to hand to `scatter` as colour, its keyword arguments, and the bar's label."""
    is_scaled = any(kwargs.get(name) is not None for name in ("cmap", "norm", "vmin", "vmax"))
    has_gc = "gc" in particles.columns
    if color is None and "color" in particles.columns and not (is_scaled and has_gc):
        return column_of(particles, "color")[keep], {}, "gc"
    if color == "gc" if isinstance(color, str) else color is None and has_gc:
        shown = numbers_of(particles, "gc")[keep]
        scale = {"cmap": gc_colormap(), "plotnonfinite": True}
        if kwargs.get("norm") is None:
            scale |= {"vmin": 0.0, "vmax": 1.0}
        return shown, scale, "GC content" if is_scaled else "gc"
    if color is None:
        return "#7fb2ff", {}, ""
    if isinstance(color, str) and color in (*particles.columns, *COORDINATES):
        return numbers_of(particles, color)[keep], {"cmap": "viridis"}, label_of(particles, color)
    return _each(color, keep, len(particles)), {}, ""


# ------------------------------------------------------------------------------------------------
# Sizes
# ------------------------------------------------------------------------------------------------


def _set_box(ax: Any, places: npt.NDArray[Any], units: Sequence[str], axes: Sequence[int]) -> None:
    """Give the box of axes in space the proportions of the data where units can be compared."""
    from matplotlib.ticker import MaxNLocator

    extent = np.ptp(places, axis=0) if len(places) else np.ones(3)
    if not (extent > 0).all() or len({units[axis] for axis in axes}) != 1:
        ax.set_box_aspect((4, 4, 3), zoom=_ZOOM)
    else:
        ax.set_box_aspect(np.maximum(extent / extent.max(), _LEAST_SIDE), zoom=_ZOOM)
    is_whole: list[bool] = (places == np.rint(places)).all(axis=0).tolist()
    for i, along in enumerate((ax.xaxis, ax.yaxis, ax.zaxis)):
        # Whole numbers where there are few, such as surfaces.
        is_few = is_whole[i] and 1 <= extent[i] <= 8
        along.set_major_locator(MaxNLocator(int(extent[i]) if is_few else 5, integer=is_few))
        along.labelpad = 14 if along is ax.zaxis else 10


def _points_per_unit(ax: Any) -> float:
    """Return how many typographic points a unit of the layout takes in the axes as they are."""
    box = ax.get_window_extent()
    if is_3d(ax):
        limits = (ax.get_xlim(), ax.get_ylim())
        longest = max(abs(high - low) for low, high in limits)
        pixels = _FORESHORTENING * min(box.width, box.height) / longest
    else:
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        pixels = min(box.width / abs(right - left), box.height / abs(top - bottom))
    return float(pixels * points_per_pixel(ax))


def _set_areas(
    points: PathCollection, ax: Axes, particles: Particles, keep: npt.NDArray[np.intp]
) -> None:
    """Give the points the areas that `scatter` documents."""
    if "size" in particles.columns:
        relative = column_of(particles, "size")[keep].astype(np.float64)
    else:
        relative = np.ones(len(keep))
    if len(relative) == 0:
        return
    diameter = relative * particles.layout.point_size * _points_per_unit(ax)
    median = float(np.median(diameter))
    if not (math.isfinite(median) and median > 0):
        diameter, median = relative, float(np.median(relative))
    box = ax.get_window_extent()
    # The diameter of points that cover the axes, next to each other.
    full = math.sqrt(box.width * box.height / len(relative) * 4 / math.pi) * points_per_pixel(ax)
    largest = min(_LARGEST_POINT, math.sqrt(_MOST_COVERED) * full)
    smallest = min(_LARGEST_OF_FEW, math.sqrt(_LEAST_COVERED) * full)
    shown = max(min(median, largest), smallest, _SMALLEST_POINT)
    diameter = diameter * (shown / median)
    points.set_sizes(diameter**2)


def _alpha_for(points: PathCollection, ax: Axes) -> float:
    """Return an opacity that falls as the points come to cover the axes several times over."""
    box = ax.get_window_extent()
    count = points.get_sizes().size if is_3d(ax) else len(np.asarray(points.get_offsets()))
    covered = float(np.mean(points.get_sizes())) * count * math.pi / 4
    coverage = covered / (box.width * box.height * points_per_pixel(ax) ** 2)
    return 0.85 if coverage < 0.5 else max(0.2, 0.85 * math.sqrt(0.5 / coverage))
