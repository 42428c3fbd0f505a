"""A picture that fills up while a long file is read."""

from __future__ import annotations

import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import warn_user
from .canvas import (
    axes_for,
    require_matplotlib,
    set_axes,
    write_notes,
)
from .colors import add_bar, add_count_bar
from .columns import check_axes, label_of, raw_numbers_of
from .images import Filled, color_scale, draw_cells, make_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from ..fastq import FastqReader
    from ..particles import Particles

__all__ = ["live"]

# Seconds between two pictures at the least.
_LEAST_WAIT = 0.1

# Seconds after which the first picture comes, whatever it costs: there is nothing to see before.
_FIRST_PICTURE = 0.5

# Seconds of counting that are not held against `share`: nobody feels them, and a file that is read
# in a few seconds is seen whole.
_FREE_COUNTING = 0.3

_READS_IN_A_CELL = 4
_MOST_CELLS = 384

# Letters in a line of the title.
_TITLE_WIDTH = 36


def live(
    reader: FastqReader,
    axes: Sequence[int] = (0, 1),
    *,
    ax: Axes | None = None,
    color: str = "count",
    share: float = 0.05,
    batch_size: int = 50_000,
    legend: bool = True,
    **kwargs: Any,
) -> AxesImage:
    """Read a reader to its end, and draw a density that fills up on the way.

    A notebook's cell and a window show it; it is drawn anew at most 10 times a second, and as
    seldom as `share` asks.

    Parameters
    ----------
    reader : FastqReader
        Of `scan_fastq`, with the column ``position``. It is read to its end.
    axes : tuple of two int, default (0, 1)
        Which of the layout's axes (0, 1, 2) to draw along the picture's x and y.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``, with a dark ground.
    color : str, default "count"
        ``"count"`` for the number of reads in each cell, or a column of numbers of which the mean
        is shown.
    share : float, default 0.05
        What part of the time may go into the picture, above 0, and a moment in the beginning. Of a
        file that is read faster than its reads can be counted in that time, batches are left out
        of the picture: it says how many of the reads it shows, and a warning says so in the end.
        With 1, none is left out.
    batch_size : int, default 50_000
        Reads looked at together.
    legend : bool, default True
        Whether to add the colour bar.
    **kwargs
        Handed to `matplotlib.axes.Axes.imshow`, for example ``cmap`` or ``norm``.

    Returns
    -------
    matplotlib.image.AxesImage
        As it is in the end.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        `axes` names no two axes of the layout, `share` is not above 0, a column is missing, or
        `ax` is three-dimensional.
    GenomeVedicError
        As the reader's `batches` raises; the picture shows what came before.

    Warns
    -----
    UserWarning
        Where not all reads are in the picture.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> fig, ax = plt.subplots()
    >>> with gv.scan_fastq(gv.datasets.flowcell_sample(), layout="composition") as reader:
    ...     image = gv.plot.live(reader, (0, 2), ax=ax, share=1)
    >>> int(image.get_array().sum()), ax.get_title(loc="left").split(";")[0]
    (7028, '7,040 reads')
    """
    require_matplotlib()
    first, second = check_axes(axes)
    if not share > 0:
        raise ValueError(f"share must be above 0, not {share}.")
    ax = axes_for(ax, is_dark=True)
    picture = _Picture(ax, (first, second), color, share, legend, kwargs)
    try:
        for batch in reader.batches(batch_size):
            picture.see(batch)
    finally:
        picture.finish(reader)
    return picture.image


class _Picture:
    """Cells that fill up, the image of them, and what both have cost."""

    def __init__(
        self,
        ax: Axes,
        axes: tuple[int, int],
        color: str,
        share: float,
        legend: bool,
        kwargs: dict[str, Any],
    ) -> None:
        self._ax, self._axes, self._color = ax, axes, color
        # A sixth is for counting and one for drawing. Measured, it costs twice as much again that
        # what reads next finds its caches cold.
        self._share = share / 6
        self._is_bounded = share < 1
        self._has_legend = legend
        self._kwargs = kwargs
        self._filled: Filled | None = None
        self._image: AxesImage | None = None
        self._bar: Any = None
        self._screen = _Screen(ax)
        self._began = self._drawn_at = time.perf_counter()
        self._counting = self._drawing = self._last_cost = 0.0
        self._seen = 0

    @property
    def image(self) -> AxesImage:
        """The image, after `finish`."""
        if self._image is None:
            raise RuntimeError("the picture was not finished")
        return self._image

    def see(self, batch: Particles) -> None:
        """Count a batch, where there is time for it, and draw, where it is time for it."""
        now = time.perf_counter()
        elapsed = now - self._began
        self._seen += len(batch)
        if not self._is_bounded or self._counting <= _FREE_COUNTING + self._share * elapsed:
            self._count(batch)
            done = time.perf_counter()
            self._counting += done - now
            now = done
        if now - self._drawn_at < _LEAST_WAIT:
            return
        if self._image is None:
            is_time = elapsed >= _FIRST_PICTURE
        else:
            cost = self._drawing + self._last_cost
            is_time = not self._is_bounded or cost <= self._share * elapsed
        if is_time:
            self._draw(batch)
            self._drawn_at = time.perf_counter()
            if self._drawing:
                self._drawing += self._drawn_at - now
            else:
                self._drawing = 1e-9  # The first picture's cost is not held against the next.
            self._last_cost = self._drawn_at - now

    def finish(self, reader: FastqReader) -> None:
        """Draw what there is in the end, and say what is not in it."""
        if self._filled is None:
            from .cells import Cells

            cells = Cells(has_sums=self._color != "count")
            self._filled = Filled(cells, reader.layout, self._color, "", 0)
        self._draw(None, reader)
        missing = self._seen - self._filled.total
        notes = self._filled.notes() if self._seen else ["There are no reads."]
        if missing:
            note = f"{self._filled.total:,} of {self._seen:,} reads are in the picture."
            warn_user(f"{note} The file was read faster than share= allows to count.", UserWarning)
            notes.append(note)
        write_notes(self._ax, notes)
        self._screen.close()

    def _count(self, batch: Particles) -> None:
        has_sums = self._color != "count"
        if self._filled is None:
            cells = make_cells(batch, self._axes, has_sums=has_sums)
            label = label_of(batch, self._color) if has_sums else "Reads per cell"
            self._filled = Filled(cells, batch.layout, self._color, label, 0)
        position = batch.position
        values = raw_numbers_of(batch, self._color) if has_sums else None
        first, second = self._axes
        self._filled.cells.add(position[:, first], position[:, second], values)
        self._filled.total += len(batch)

    def _draw(self, batch: Particles | None, reader: FastqReader | None = None) -> None:
        filled = self._filled
        if filled is None:
            return
        shown = Filled(filled.cells.copy(), filled.layout, filled.color, filled.label, filled.total)
        shown.cells.fit(_READS_IN_A_CELL, _MOST_CELLS)
        if self._image is None:
            self._image = draw_cells(self._ax, shown, **self._kwargs)
            set_axes(self._ax, shown.layout, self._axes)
            if self._has_legend and shown.total:
                add = add_count_bar if shown.color == "count" else add_bar
                self._bar = add(self._ax, self._image, shown.label)
        else:
            self._update(shown)
        stats = reader.stats if reader is not None else batch.stats if batch is not None else None
        self._ax.set_title(self._words(shown, stats), loc="left", fontsize="medium")
        self._screen.show()

    def _update(self, shown: Filled) -> None:
        values, image = shown.values(), self.image
        if values.size == 0:
            return
        left, right, bottom, top = shown.cells.extent
        image.set_data(np.ma.masked_invalid(values))
        image.set_extent((left, right, bottom, top))
        scale = color_scale(values, shown.color, self._kwargs)
        limits = {name: scale.get(name) for name in ("vmin", "vmax")} | {
            name: self._kwargs[name] for name in ("vmin", "vmax") if name in self._kwargs
        }
        if "norm" in scale:
            image.set_norm(scale["norm"])
        elif limits["vmin"] is not None and limits["vmax"] is not None:
            image.set_clim(limits["vmin"], limits["vmax"])
        self._ax.set(xlim=(left, right), ylim=(bottom, top))

    def _words(self, shown: Filled, stats: Any) -> str:
        elapsed = max(time.perf_counter() - self._began, 1e-9)
        words = [f"{self._seen:,} reads"]
        if self._filled is not None and self._filled.total < self._seen:
            words.append(f"{self._filled.total:,} of them in the picture")
        if stats is not None and stats.bases:
            gc = f"GC {100 * stats.mean_gc:.1f} %".replace(" ", "\N{NO-BREAK SPACE}")
            words.append(f"mean Q{stats.mean_quality:.1f}, {gc}")
        words.append(f"{self._seen / elapsed / 1e6:.2f} M reads/s")
        # A narrow picture has room for short lines only.
        return textwrap.fill("; ".join(words), _TITLE_WIDTH)


class _Screen:
    """Where a figure is seen: a notebook's cell, a window, or nowhere."""

    def __init__(self, ax: Axes) -> None:
        self._figure: Any = ax.figure
        self._cell: Any = None
        self._display: Any = None
        ipython = sys.modules.get("IPython")
        if ipython is not None and ipython.get_ipython() is not None:
            # A window draws itself; a figure with no window is shown in the cell.
            manager = getattr(self._figure.canvas, "manager", None)
            is_window = manager is not None and "inline" not in type(manager).__module__
            import matplotlib

            if not is_window or "inline" in matplotlib.get_backend():
                from IPython.display import display

                self._display = display

    def show(self) -> None:
        """Show the figure as it is."""
        if self._display is None:
            self._figure.canvas.draw()
            self._figure.canvas.flush_events()
        elif self._cell is None:
            self._cell = self._display(self._figure, display_id=True)
        else:
            self._cell.update(self._figure)

    def close(self) -> None:
        """Show it for the last time."""
        self.show()
        if self._cell is not None:
            # A cell would show the figure once more at its end.
            import matplotlib.pyplot as plt

            plt.close(self._figure)
