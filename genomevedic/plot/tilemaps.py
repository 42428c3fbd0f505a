"""The tiles of a flow cell with one colour each, once for each bin of cycles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..flowcell import TileTable, tiles
from .canvas import counted, points_per_pixel, write_notes
from .colors import add_mean_bar, mean_scale

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection

    from ..table import Table

__all__ = ["draw_tiles"]

_COLUMNS = {"quality": "mean_quality", "deviation": "quality_deviation"}

_LABELS = {
    "mean_quality": "Mean quality (Phred)",
    "quality_deviation": "Mean quality less that of the flow cell (Phred)",
    "gc": "GC content",
    "n_fraction": "Share of bases that are N",
    "poly_g_fraction": "Share of reads that are poly-G",
    "reads": "Reads",
}

# In tiles: between lanes, and between surfaces.
_LANE_GAP, _SURFACE_GAP = 0.25, 0.6

# Of the size of the font: the room that a surface needs for its name.
_ROOM_FOR_WORDS = 6.0


def draw_tiles(
    source: Any,
    ax: Axes,
    color: str,
    cycles: int | None,
    orientation: str,
    outlines: bool,
    legend: bool,
    kwargs: dict[str, Any],
) -> PolyCollection:
    """Draw the tiles of a table, or of what there is to read."""
    from matplotlib.collections import PolyCollection

    table = source if isinstance(source, TileTable) else tiles(source, cycles=cycles)
    bins: Table = table if table.cycles is None else table.cycles
    column = _COLUMNS.get(color, color)
    if column not in bins.columns:
        raise ValueError(f"The table of tiles has no column {column!r}.")
    places = _Places(table, _count_bins(table), ax, orientation)
    values = np.asarray(bins[column], np.float64)
    scale = mean_scale(values, column, kwargs)
    limits = {name: scale.pop(name) for name in ("vmin", "vmax") if name in scale}
    limits |= {name: kwargs.pop(name) for name in ("vmin", "vmax") if name in kwargs}
    corners = places.corners()
    edges: dict[str, Any] = {"edgecolors": "#14161c", "linewidths": 0.3 if outlines else 0.0}
    drawn = PolyCollection(corners, array=values, **(edges | scale | kwargs))
    drawn.set_clim(limits.get("vmin"), limits.get("vmax"))
    ax.add_collection(drawn)
    if legend and len(table):
        is_share = column == "gc" or column.endswith("fraction")
        add_mean_bar(ax, drawn, _LABELS.get(column, column), values, is_share=is_share)
    # After the bar, which may have taken room from the axes.
    places.label(ax, bins if table.cycles is not None else None)
    write_notes(ax, _notes(table))
    return drawn


def _notes(table: TileTable) -> list[str]:
    if len(table) == 0 and not table.facts.get("reads_without_tile"):
        return ["There are no reads."]
    missing = int(table.facts.get("reads_without_tile", 0))
    total = int(table.facts.get("reads", 0)) + missing
    return [
        counted(
            missing, total, "names no tile and is not drawn.", "name no tile and are not drawn."
        )
    ]


def _count_bins(table: TileTable) -> int:
    if table.cycles is None or len(table) == 0:
        return 1
    return len(table.cycles) // len(table)


class _Places:
    """Where the tiles of a table stand, in tiles: one flow cell for each bin of cycles."""

    def __init__(self, table: TileTable, bins: int, ax: Axes, orientation: str) -> None:
        self.bins = bins
        surface = np.asarray(table.surface, np.int64)
        lane = np.asarray(table.lane, np.int64)
        swath = np.maximum(np.asarray(table.swath, np.int64), 1)
        number, camera = np.asarray(table.number, np.int64), np.asarray(table.camera, np.int64)
        # Numbers of a camera follow those of the camera before it.
        per_camera = int(number.max(initial=0)) if camera.any() else 0
        row = number + per_camera * np.maximum(camera - 1, 0)
        self.row = row - row.min() if len(row) else row
        self.lanes: dict[tuple[int, int], float] = {}
        self.surfaces: dict[int, float] = {}
        swaths, at = int(swath.max(initial=1)), 0.0
        starts: dict[tuple[int, int], float] = {}
        for place in np.unique(surface).tolist():
            begin = at
            for each in np.unique(lane[surface == place]).tolist():
                starts[place, each] = at
                self.lanes[place, each] = at + swaths / 2
                at += swaths + _LANE_GAP
            at -= _LANE_GAP
            self.surfaces[place] = (begin + at) / 2
            at += _SURFACE_GAP
        self.width = max(at - _SURFACE_GAP, 1.0)
        self.height = float(self.row.max(initial=0)) + 1.0
        offsets = [starts[key] for key in zip(surface.tolist(), lane.tolist(), strict=True)]
        self.across = np.asarray(offsets, np.float64) + swath - 1
        box = ax.get_window_extent()
        self.is_wide = orientation == "horizontal" or (
            orientation == "auto"
            and (self.height > self.width) == (box.width > box.height)
            and bins == 1
        )
        self._arrange(box.width / box.height)

    def _arrange(self, aspect: float) -> None:
        """Choose in how many columns the flow cells stand."""
        wide, high = (self.height, self.width) if self.is_wide else (self.width, self.height)
        self.step = (1.12 * wide + 0.5, 1.2 * high + 0.5)

        def misfit(columns: int) -> float:
            rows = math.ceil(self.bins / columns)
            empty = rows * columns - self.bins
            return abs(math.log(columns * self.step[0] / (rows * self.step[1]) / aspect)) + (
                2.0 * empty / self.bins
            )

        self.columns = min(range(1, self.bins + 1), key=misfit)
        self.rows = math.ceil(self.bins / self.columns)

    def corner(self, index: int) -> tuple[float, float]:
        """Return the lower left corner of a bin's flow cell; the first is at the upper left."""
        row, column = divmod(index, self.columns)
        return column * self.step[0], -row * self.step[1]

    def corners(self) -> list[npt.NDArray[np.float64]]:
        """Return four corners for each row of the table of bins, or of tiles."""
        x, y = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0])
        found = []
        for across, row in zip(self.across.tolist(), self.row.tolist(), strict=True):
            square = np.column_stack((across + x, row + y))
            if self.is_wide:
                square = np.column_stack((row + y, self.width - across - x))
            found += [square + self.corner(index) for index in range(self.bins)]
        return found

    def label(self, ax: Axes, bins: Table | None) -> None:
        """Name lanes, surfaces and cycles, and set the limits."""
        from matplotlib import rcParams

        wide, high = (self.height, self.width) if self.is_wide else (self.width, self.height)
        if bins is not None:
            for index in range(min(self.bins, len(bins))):
                x, y = self.corner(index)
                cycles = f"cycles {bins.first_cycle[index]}–{bins.last_cycle[index]}"
                ax.text(
                    x + wide / 2, y + high * 1.02, cycles, ha="center", va="bottom", color="0.75"
                )
        across: Any = ax.yaxis if self.is_wide else ax.xaxis
        along: Any = ax.xaxis if self.is_wide else ax.yaxis
        offsets = [self.corner(i)[0] for i in range(self.columns)]
        if self.is_wide:
            offsets = [self.corner(i * self.columns)[1] for i in range(self.rows)]

        def at(place: float, offset: float) -> float:
            return offset + (self.width - place if self.is_wide else place)

        across.set_ticks(
            [at(place, offset) for offset in offsets for place in self.lanes.values()],
            [str(lane) for _ in offsets for _, lane in self.lanes],
        )
        room = ax.get_window_extent().width * points_per_pixel(ax)
        room /= len(offsets) * max(len(self.surfaces), 1)
        needed = _ROOM_FOR_WORDS * rcParams["font.size"]
        words = "surface " if room > needed and not self.is_wide else "s"
        turned = {"rotation": 90, "va": "center"} if self.is_wide else {}
        across.set_ticks(
            [at(place, offset) for offset in offsets for place in self.surfaces.values()],
            [f"{words}{n}" if n else "" for _ in offsets for n in self.surfaces],
            minor=True,
            **turned,
        )
        across.set_tick_params(which="major", length=0)
        across.set_tick_params(which="minor", length=0, pad=18)
        across.set_label_text("Lane" if words != "s" else "Lane, and surface (s)")
        along.set_ticks([])
        along.set_label_text("Tile")
        ax.set_xlabel(f"{ax.get_xlabel()}\nflowcell layout, schematic")
        right, margin = (self.columns - 1) * self.step[0] + wide, 0.05 * self.step[0]
        ax.set_xlim(-margin, right + margin)
        ax.set_ylim(
            -(self.rows - 1) * self.step[1] - 0.3, high * (1.12 if bins is not None else 1) + 0.3
        )
