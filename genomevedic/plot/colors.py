"""Colour scales of pictures, and the bars that say what colours mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import require_matplotlib

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap

__all__ = [
    "GC_COLORS",
    "add_bar",
    "add_count_bar",
    "add_gc_bar",
    "add_mean_bar",
    "deviation_colormap",
    "gc_colormap",
    "mean_colormap",
    "mean_scale",
    "robust_limits",
]

#: Points of the colour scale of GC content; between them it is linear.
GC_COLORS = (
    (0.0, (0.0, 0.0, 1.0)),
    (0.4, (0.0, 1.0, 1.0)),
    (0.5, (0.0, 1.0, 0.0)),
    (0.6, (1.0, 1.0, 0.0)),
    (1.0, (1.0, 0.0, 0.0)),
)

# Of a hundred cells with reads, so many may lie beyond either end of a colour scale: the mean of a
# cell with few reads can be anything, and would leave one colour to all others.
_BEYOND = 1.0

# Over less than three powers of ten, numbers between them are written too.
_FEW_POWERS = 1000.0


def gc_colormap() -> Colormap:
    """Return the colour scale of GC content as a Matplotlib colour map over 0 to 1.

    Reads without a known base, whose GC content is NaN, are grey. The scale is not safe for
    colour-blind readers: ``cmap="viridis"`` and ``cmap="cividis"`` are.

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
    require_matplotlib()
    from matplotlib.colors import LinearSegmentedColormap

    colors = LinearSegmentedColormap.from_list("genomevedic_gc", list(GC_COLORS), N=1001)
    return colors.with_extremes(bad=(0.5, 0.5, 0.5, 1.0))


def deviation_colormap() -> Colormap:
    """Return a scale from orange (less) over grey to blue (more), safe for colour-blind readers."""
    from matplotlib.colors import LinearSegmentedColormap

    parts = ["#ffd9a0", "#f58a1f", "#8c5323", "#454b57", "#2c6a9e", "#3fa7f0", "#bfe4ff"]
    return LinearSegmentedColormap.from_list("genomevedic_deviation", parts)


def add_bar(ax: Axes, artist: Any, label: str, **kwargs: Any) -> Colorbar:
    """Add the colour bar of an artist beside axes."""
    figure: Any = ax.figure
    bar: Colorbar = figure.colorbar(artist, ax=ax, label=label, **({"shrink": 0.8} | kwargs))
    return bar


def add_gc_bar(ax: Axes) -> Colorbar:
    """Add the bar of the colours that reads have by their GC content."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    ticks = [value for value, _ in GC_COLORS]
    scale = ScalarMappable(Normalize(0, 1), gc_colormap())
    bar = add_bar(ax, scale, "GC content", ticks=ticks)
    bar.ax.set_yticklabels([f"{100 * value:.0f} %" for value in ticks])
    return bar


def add_count_bar(ax: Axes, artist: Any, label: str) -> Colorbar:
    """Add the colour bar of counts, which are whole numbers."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator, MaxNLocator

    bar = add_bar(ax, artist, label)
    low, high = artist.get_clim()
    if not isinstance(artist.norm, LogNorm):
        bar.locator = MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True)
    elif high < _FEW_POWERS * low:
        # Powers of ten alone would be one number or two.
        bar.locator = LogLocator(subs=(1.0, 2.0, 5.0))
    bar.ax.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    return bar


def add_mean_bar(
    ax: Axes, artist: Any, label: str, values: npt.NDArray[Any], *, is_share: bool = False
) -> Colorbar:
    """Add the colour bar of means, with an arrow where `values` go on beyond an end."""
    artist.autoscale_None()
    low, high = artist.get_clim()
    bar = add_bar(ax, artist, label, extend=_extend(values, low, high))
    if is_share:
        bar.ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")
    return bar


def robust_limits(values: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the ends of a colour scale that leave out 1 % of the values at either end."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return 0.0, 1.0
    low, high = np.percentile(known, [_BEYOND, 100 - _BEYOND])
    if low == high:
        low, high = low - 0.5, high + 0.5
    return float(low), float(high)


def _extend(values: npt.NDArray[Any], low: float, high: float) -> str:
    """Return at which ends of a colour bar an arrow must say that values go on."""
    known = values[np.isfinite(values)]
    below, above = bool((known < low).any()), bool((known > high).any())
    return {(False, False): "neither", (True, False): "min", (False, True): "max"}.get(
        (below, above), "both"
    )


def mean_colormap(color: str) -> Colormap | str:
    """Return the colour map of cells; one without a read is not drawn."""
    if color == "gc":
        return gc_colormap().with_extremes(bad=(0.0, 0.0, 0.0, 0.0))
    return "viridis"


def mean_scale(values: npt.NDArray[Any], color: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the colour map of means on a flow cell, and its limits."""
    if kwargs.get("norm") is not None:
        return {}
    low, high = robust_limits(values)
    if "deviation" in color:
        most = max(abs(low), abs(high))
        return {"cmap": deviation_colormap(), "vmin": -most, "vmax": most}
    if color == "gc":
        return {"cmap": mean_colormap(color), "vmin": 0.0, "vmax": 1.0}
    return {"cmap": mean_colormap(color), "vmin": low, "vmax": high}
