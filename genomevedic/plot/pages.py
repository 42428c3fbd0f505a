"""Pictures of several parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..text import counted_reads
from .canvas import FIGURE_SIZE, GROUND, new_page, require_matplotlib
from .columns import check_axes, column_of
from .histograms import hist
from .points import MAX_POINTS, scatter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..particles import Particles

__all__ = ["new_figure", "overview"]


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
    require_matplotlib()
    fig = new_page() if fig is None else fig
    grid = fig.add_gridspec(2, 2, width_ratios=_overview_widths(fig, particles, axes))
    left = fig.add_subplot(grid[:, 0])
    left.set_facecolor(GROUND)
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
    first, second = check_axes(axes)
    position = column_of(particles, "position")[:, (first, second)]
    position = position[np.isfinite(position).all(axis=1)]
    extent = np.ptp(position, axis=0) if len(position) else np.ones(2)
    aspect = float(extent[0] / extent[1]) if extent[1] > 0 else 1.0
    left = min(max(0.82 * height * aspect + 1.9, 0.42 * width), 0.64 * width)
    return left, width - left


def new_figure() -> Figure:
    """Return an empty figure for `overview` that no window and no ``pyplot`` knows of."""
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=FIGURE_SIZE, layout="constrained")
