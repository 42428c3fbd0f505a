"""A Nanopore run: the chip, channel by channel, and its yield over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..batches import batches_of
from ..fastq import FastqReader
from ..layouts import CHIP_SHAPES, axis_label
from ..particles import Particles
from ..text import counted_reads
from .canvas import (
    GROUND,
    axes_for,
    counted,
    left_out_note,
    new_page,
    require_matplotlib,
    unplaced_note,
    write_notes,
)
from .cells import Cells
from .colors import add_count_bar, add_mean_bar, mean_scale
from .columns import label_of, raw_numbers_of, short_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D

    from ..layouts import Layout

__all__ = ["chip", "nanopore", "yield_over_time"]

# Rows of the Flongle whose last place has no channel.
_SHORT_ROWS = (0, 1, 8, 9)

# The colour of channels without a read, which viridis and cividis do not have.
_SILENT = "#d5d8de"

# Steps of the curve of the yield at the most.
_MOST_STEPS = 512

_UNITS = ((1e12, "Tb"), (1e9, "Gb"), (1e6, "Mb"), (1e3, "kb"), (1.0, "bases"))


def chip(
    source: Any, *, ax: Axes | None = None, color: str = "count", legend: bool = True, **kwargs: Any
) -> AxesImage:
    r"""Draw what came from each channel of a Nanopore flow cell.

    Channels without a read are light grey.

    Parameters
    ----------
    source : Particles, FastqReader, or what `read_fastq` takes
        Particles and readers in the layout ``"nanopore"``, with the column ``position`` and that
        of `color`. A reader is read to its end, and anything else is read here.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``, with a dark ground.
    color : str, default "count"
        ``"count"`` for the number of reads of each channel, or a column of numbers of which the
        mean is shown, such as ``"quality"`` or ``"length"``.
    legend : bool, default True
        Whether to add the colour bar.
    **kwargs
        Handed to `matplotlib.axes.Axes.imshow`, for example ``cmap`` or ``vmax``.

    Returns
    -------
    matplotlib.image.AxesImage
        Its array has a row for each row of channels, the lowest first; channels without a read are
        masked.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        The layout is not that of a Nanopore chip, a column is missing, or `ax` is
        three-dimensional.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> names = [b"5a3bb5c4-6e3c-4a52-9e9a-4d6a3ab4d9c%d ch=%d" % (i, i) for i in (1, 2, 2, 5)]
    >>> run = b"".join(b"@%s\nACGT\n+\nIIII\n" % name for name in names)
    >>> fig, ax = plt.subplots()
    >>> image = gv.plot.chip(run, ax=ax)
    >>> image.get_array().shape, int(image.get_array().max())
    ((10, 13), 2)
    """
    require_matplotlib()
    ax = axes_for(ax, is_dark=True)
    run = _Run(source, color, needs_yield=False)
    return _draw_chip(run, ax, legend, kwargs)


def yield_over_time(source: Any, *, ax: Axes | None = None, **kwargs: Any) -> Line2D:
    r"""Draw how many bases a Nanopore run had given, over time.

    Parameters
    ----------
    source : Particles, FastqReader, or what `read_fastq` takes
        Particles and readers in the layout ``"nanopore"``, with the columns ``position`` and
        ``length``. A reader is read to its end, and anything else is read here.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``.
    **kwargs
        Handed to `matplotlib.axes.Axes.plot`, for example ``color`` or ``label``.

    Returns
    -------
    matplotlib.lines.Line2D
        Of hours, and bases read until then.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        The layout is not that of a Nanopore chip, a column is missing, or `ax` is
        three-dimensional.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> name = b"5a3bb5c4-6e3c-4a52-9e9a-4d6a3ab4d9c1 ch=1 start_time=2024-05-01T1%d:00:00Z"
    >>> run = b"".join(b"@%s\nACGT\n+\nIIII\n" % (name % hour) for hour in (0, 1, 3))
    >>> fig, ax = plt.subplots()
    >>> line = gv.plot.yield_over_time(run, ax=ax)
    >>> float(line.get_ydata()[-1])
    12.0
    """
    require_matplotlib()
    ax = axes_for(ax)
    run = _Run(source, "count", needs_yield=True)
    return _draw_yield(run, ax, kwargs)


def nanopore(
    source: Any,
    *,
    fig: Figure | None = None,
    color: str = "count",
    title: str | None = None,
    **kwargs: Any,
) -> Figure:
    r"""Draw a Nanopore run: its chip, and its yield over time.

    Parameters
    ----------
    source : Particles, FastqReader, or what `read_fastq` takes
        As for `chip` and `yield_over_time`. It is read once.
    fig : matplotlib.figure.Figure, optional
        An empty figure to draw into; by default a new one of ``matplotlib.pyplot``.
    color : str, default "count"
        As for `chip`.
    title : str, optional
        First line above the picture; by default ``"<number> reads"``.
    **kwargs
        Handed to `matplotlib.axes.Axes.imshow` for the chip.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        The layout is not that of a Nanopore chip, or a column is missing.

    Examples
    --------
    >>> import genomevedic as gv
    >>> name = b"5a3bb5c4-6e3c-4a52-9e9a-4d6a3ab4d9c1 ch=1 start_time=2024-05-01T10:00:00Z"
    >>> run = b"@" + name + b"\nACGT\n+\nIIII\n"
    >>> fig = gv.plot.nanopore(run, fig=gv.plot.new_figure())
    >>> fig.axes[0].get_xlabel().splitlines()[0], fig.axes[1].get_xlabel()
    ('column', 'time (h)')
    """
    require_matplotlib()
    fig = new_page() if fig is None else fig
    run = _Run(source, color, needs_yield=True)
    above, below = fig.subplots(2, height_ratios=(1.9, 1.0))
    above.set_facecolor(GROUND)
    _draw_chip(run, above, True, kwargs)
    _draw_yield(run, below, {})
    fig.suptitle(title or counted_reads(run.total), x=0.01, ha="left")
    return fig


# ------------------------------------------------------------------------------------------------
# Reading
# ------------------------------------------------------------------------------------------------


class _Run:
    """What a run gave, by channel and by time."""

    def __init__(self, source: Any, color: str, *, needs_yield: bool) -> None:
        self.color = color
        self.layout: Layout | None = None
        self.label = "Reads"
        self.total = 0
        self.channels: Cells | None = None
        self.times = Cells(is_square=False, has_sums=True)
        for batch in _open(source, color, needs_yield):
            if self.channels is None:
                self.channels = self._begin(batch)
            position, values = batch.position, None
            if color != "count":
                values = raw_numbers_of(batch, color)
            self.channels.add(position[:, 0], position[:, 1], values)
            if needs_yield:
                # Reads without a time have none here either: where names tell no time, z is 0.
                hours = position[:, 2]
                self.times.add(hours, np.zeros(len(hours), np.uint8), batch.length)
            self.total += len(batch)

    def _begin(self, batch: Particles) -> Cells:
        layout = batch.layout
        if layout.name != "nanopore":
            raise ValueError(
                f"These particles are in the layout {layout.name!r}; "
                "read them with layout='nanopore'."
            )
        self.layout = layout
        columns, rows = CHIP_SHAPES[layout.parameters["model"]]
        bounds = ((-0.5, columns - 0.5), (-0.5, rows - 0.5))
        if self.color != "count":
            self.label = label_of(batch, self.color)
        return Cells(bounds, (columns, rows), has_sums=self.color != "count")

    def has_channel(self) -> npt.NDArray[np.bool_]:
        """Return which places of the chip are channels."""
        if self.layout is None or self.channels is None:
            return np.zeros((1, 1), bool)
        there = np.ones(self.channels.counts.shape, bool)
        if self.layout.parameters["model"] == "flongle":
            there[list(_SHORT_ROWS), -1] = False
        return there


def _open(source: Any, color: str, needs_yield: bool) -> Iterator[Particles]:
    needed = ["position"]
    needed += ["length"] if needs_yield else []
    needed += [color] if color not in ("count", *needed) else []
    options = {} if isinstance(source, Particles | FastqReader) else {"layout": "nanopore"}
    return batches_of("this picture", source, needed, (), options)


# ------------------------------------------------------------------------------------------------
# Drawing
# ------------------------------------------------------------------------------------------------


def _draw_chip(run: _Run, ax: Axes, legend: bool, kwargs: dict[str, Any]) -> AxesImage:
    from matplotlib.colors import ListedColormap

    there, cells = run.has_channel(), run.channels
    counts = np.zeros(there.shape) if cells is None else cells.counts
    values = np.where(counts > 0, counts, np.nan)
    if run.color != "count" and cells is not None:
        values = cells.means()
    extent = (-0.5, there.shape[1] - 0.5, -0.5, there.shape[0] - 0.5)
    style: dict[str, Any] = {"origin": "lower", "extent": extent, "interpolation": "nearest"}
    # What is there and gave nothing.
    ground = np.ma.masked_where(~there, np.zeros(there.shape))
    ax.imshow(ground, **style, cmap=ListedColormap([_SILENT]), label="_channels")
    scale = mean_scale(values, run.color, kwargs)
    if run.color == "count" and kwargs.get("norm") is None:
        scale |= {"vmin": 0.0, "vmax": float(counts.max())}
    image = ax.imshow(np.ma.masked_invalid(values), **(style | scale | kwargs))
    if run.layout is not None:
        model, kind = run.layout.parameters["model"], run.layout.kind
        ax.set_xlabel(f"{axis_label(run.layout, 0)}\n{model} chip, {kind}")
        ax.set_ylabel(axis_label(run.layout, 1))
        ax.set_yticks([row for row in ax.get_yticks() if 0 <= row < len(there)])
    else:
        ax.set(xticks=[], yticks=[])
    if legend and run.total:
        if run.color == "count":
            add_count_bar(ax, image, run.label)
        else:
            add_mean_bar(ax, image, run.label, values, is_share=run.color == "gc")
    silent = int(np.count_nonzero(there & (counts == 0)))
    write_notes(ax, _chip_notes(run, silent, int(there.sum())))
    return image


def _chip_notes(run: _Run, silent: int, channels: int) -> list[str]:
    if run.total == 0 or run.channels is None:
        return ["There are no reads."]
    verb = "has" if silent == 1 else "have"
    return [
        unplaced_note(run.channels.unplaced, run.total),
        left_out_note(run.channels.valueless, run.total, f"have no {short_name(run.color)}"),
        f"{silent:,} of {channels:,} channels {verb} no read." if silent else "",
    ]


def _draw_yield(run: _Run, ax: Axes, kwargs: dict[str, Any]) -> Line2D:
    times = run.times
    times.fit(0, _MOST_STEPS)
    has_time = run.layout is not None and bool(run.layout.parameters["has_time"])
    is_drawn = has_time and times.drawn > 0
    hours, bases = np.zeros(0), np.zeros(0)
    if is_drawn:
        left, right, _, _ = times.extent
        steps = times.sums.sum(axis=0)
        hours = np.linspace(left, right, len(steps) + 1)
        bases = np.concatenate(([0.0], np.cumsum(steps)))
    style: dict[str, Any] = {"color": "#2c6a9e", "linewidth": 1.6}
    (line,) = ax.plot(hours, bases, **(style | kwargs))
    # Other runs may be drawn on these axes already.
    others = [np.asarray(other.get_data()) for other in ax.lines]
    others = [data for data in others if data.size]
    most = max((float(np.max(y)) for _, y in others), default=0.0)
    size, unit = next((each for each in _UNITS if most >= each[0]), _UNITS[-1])
    ax.set_ylabel(f"Yield ({unit})")
    ax.yaxis.set_major_formatter(lambda count, _: f"{count / size:,.4g}")
    ax.set_xlabel(axis_label(run.layout, 2) if has_time and run.layout is not None else "time (h)")
    ax.set_ylim(0.0, 1.05 * most if most else 1.0)
    if others:
        times_seen = np.concatenate([x for x, _ in others])
        ax.set_xlim(min(float(times_seen.min()), 0.0), float(times_seen.max()))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.3)
    notes = ["There are no reads."]
    if run.total and not has_time:
        notes = ["The names of the reads do not tell when they were made."]
    elif run.total:
        notes = [
            counted(
                times.unplaced,
                run.total,
                "has no time and is left out.",
                "have no time and are left out.",
            )
        ]
    write_notes(ax, notes)
    return line
