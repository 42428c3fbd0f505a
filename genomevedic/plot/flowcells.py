"""The flow cell as it was seen: lanes, surfaces and tiles, and the quality on them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..arguments import check_choice
from ..batches import batches_of
from ..fastq import FastqReader
from ..layouts import axis_label
from ..particles import Particles
from .boxes import Boxes, Tile
from .canvas import (
    axes_for,
    is_narrow,
    left_out_note,
    require_matplotlib,
    unplaced_note,
    write_notes,
)
from .cells import Cells
from .colors import add_mean_bar, mean_scale
from .columns import label_of, raw_numbers_of, short_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.image import AxesImage
    from matplotlib.path import Path

    from ..layouts import Layout

__all__ = ["flowcell"]

# Reads in a cell, on average: the mean quality of one read has a standard deviation of some 3, that
# of so many little more than 1.
_READS_IN_A_CELL = 5

# Cells along the longer side at the most.
_MOST_CELLS = 1600

# In tiles: what is left of the room between two tiles, two lanes and two surfaces on a grid that is
# schematic in any case.
_TILE_GAP, _LANE_GAP, _SURFACE_GAP = 0.06, 0.3, 0.8

# Where tiles stand as they are, lanes are drawn one tile apart.
_PHYSICAL_SURFACE_GAP = 2.0

# Rows of tiles that are numbered at the most.
_MOST_ROWS = 16

_OUTLINE = "#8a93a6"


def flowcell(
    source: Any,
    *,
    ax: Axes | None = None,
    color: str = "quality",
    cycles: int | None = None,
    orientation: Literal["auto", "vertical", "horizontal"] = "auto",
    outlines: bool = True,
    legend: bool = True,
    **kwargs: Any,
) -> AxesImage | PolyCollection:
    """Draw a flow cell, stitched together from its tiles.

    The lanes stand side by side, and the surfaces beside each other; tiles are outlined as far as
    reads were seen in them. Every read counts in a cell of the picture.

    Parameters
    ----------
    source : Particles, FastqReader, TileTable, or what `read_fastq` takes
        Particles and readers in the layout ``"flowcell"``, with the columns ``position`` and that
        of `color`; with ``lane`` and ``tile`` the outlines are those of the tiles that reads name,
        else of the layout's grid. A reader is read to its end, and anything else is read here. A
        table of `gv.tiles` is drawn with one colour a tile.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the current axes of ``matplotlib.pyplot``, with a dark ground.
    color : str, default "quality"
        ``"quality"``, ``"deviation"`` (of the mean quality from that of all reads), or another
        column of numbers of which the mean is shown, such as ``"gc"``; of a table one of its
        columns.
    cycles : int, optional
        Draws the flow cell once for each bin of so many cycles, with one colour a tile (see
        `gv.tiles`, which needs the columns ``lane``, ``tile``, ``sequence`` and ``qualities`` of
        particles and readers). Not needed where a table has them.
    orientation : {"auto", "vertical", "horizontal"}, default "auto"
        Whether lanes run upwards or to the right; by default along the longer side of the axes.
    outlines : bool, default True
        Whether to outline tiles.
    legend : bool, default True
        Whether to add the colour bar.
    **kwargs
        Handed to `matplotlib.axes.Axes.imshow`, or to the `matplotlib.collections.PolyCollection`
        of tiles: for example ``cmap``, ``vmin`` and ``vmax``.

    Returns
    -------
    matplotlib.image.AxesImage or matplotlib.collections.PolyCollection
        The second where tiles have one colour.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    ValueError
        The layout is not that of a flow cell, a column is missing, or `ax` is three-dimensional.
    genomevedic.errors.NoCoordinatesError
        The names of the reads read here do not tell their place.

    Notes
    -----
    Where tiles truly lie is known of the S4 flow cell of the NovaSeq 6000; elsewhere the grid is
    schematic, and the picture says so. Colours leave out 1 % of the cells at either end, and the
    colour bar has an arrow where they go on.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import genomevedic as gv
    >>> fig, ax = plt.subplots()
    >>> path = gv.datasets.flowcell_sample()
    >>> image = gv.plot.flowcell(path, ax=ax, color="deviation", orientation="vertical")
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['1', '2', '1', '2']
    """
    require_matplotlib()
    check_choice("orientation", orientation, ("auto", "vertical", "horizontal"))
    ax = axes_for(ax, is_dark=True)
    from ..flowcell import TileTable

    if cycles is not None or isinstance(source, TileTable):
        from .tilemaps import draw_tiles

        return draw_tiles(source, ax, color, cycles, orientation, outlines, legend, kwargs)
    stitched = _stitch(source, color)
    is_wide = _is_horizontal(ax, stitched, orientation)
    image = _draw(ax, stitched, is_wide, kwargs)
    _outline(ax, image, stitched, is_wide, outlines)
    _label(ax, stitched, is_wide)
    if legend and stitched.total:
        is_share = color == "gc"
        add_mean_bar(ax, image, stitched.label, stitched.grid.values, is_share=is_share)
    write_notes(ax, stitched.notes())
    return image


# ------------------------------------------------------------------------------------------------
# Reading
# ------------------------------------------------------------------------------------------------


@dataclass
class _Stitched:
    """A flow cell with all its reads counted; the surfaces have been moved beside each other."""

    layout: Layout | None
    color: str
    label: str
    grid: _Grid
    tiles: list[Tile]
    total: int
    unplaced: int
    valueless: int

    def notes(self) -> list[str]:
        """Return what is to be said of reads that are not drawn."""
        if self.total == 0:
            return ["There are no reads."]
        return [
            unplaced_note(self.unplaced, self.total),
            left_out_note(self.valueless, self.total, f"have no {short_name(_column(self.color))}"),
        ]


class _Surfaces:
    """The cells of each surface."""

    def __init__(self) -> None:
        self.cells: dict[int, Cells] = {}
        self.unplaced = 0

    def add(self, position: npt.NDArray[Any], values: npt.NDArray[Any]) -> None:
        """Count reads on the surface that each is on."""
        x, y, z = position.T
        if len(z) and bool((z == z[0]).all()):
            self._add(int(z[0]), x, y, values)
            return
        is_placed = np.isfinite(z)
        self.unplaced += int(len(z) - np.count_nonzero(is_placed))
        for surface in np.unique(z[is_placed]).tolist():
            chosen = z == surface
            self._add(int(surface), x[chosen], y[chosen], values[chosen])

    def _add(self, surface: int, x: Any, y: Any, values: Any) -> None:
        if surface not in self.cells:
            self.cells[surface] = Cells(lattice=((0.0, 1.0), (0.0, 1.0)), has_sums=True)
        self.cells[surface].add(x, y, values)

    def fit(self) -> list[tuple[int, Cells]]:
        """Give all surfaces cells of one size, and return those that have reads."""
        found = [(surface, self.cells[surface]) for surface in sorted(self.cells)]
        found = [(surface, cells) for surface, cells in found if cells.drawn]
        size = max((cells.cell[0] for _, cells in found), default=1.0)
        for _, cells in found:
            cells.trim()
            while cells.cell[0] < size:
                cells.coarsen()
        while found:
            reads = sum(cells.drawn for _, cells in found)
            occupied = sum(int(np.count_nonzero(cells.counts)) for _, cells in found)
            longest = max(max(cells.counts.shape) for _, cells in found)
            is_sparse = reads < _READS_IN_A_CELL * occupied and longest > 2
            if longest <= _MOST_CELLS and not is_sparse:
                break
            for _, cells in found:
                cells.coarsen()
        return found


def _stitch(source: Any, color: str) -> _Stitched:
    """Read all, and lay the surfaces beside each other."""
    column = _column(color)
    surfaces, label, total = _Surfaces(), "", 0
    boxes: Boxes | None = None
    for batch in _open(source, column):
        if boxes is None:
            _check_layout(batch.layout)
            boxes = Boxes(batch.layout)
            label = label_of(batch, column)
        surfaces.add(batch.position, raw_numbers_of(batch, column))
        boxes.add(batch)
        total += len(batch)
    found = surfaces.fit()
    grid = _lay_out(found, boxes)
    if color == "deviation" and found:
        drawn = sum(cells.drawn for _, cells in found)
        grid.values -= sum(cells.sums.sum() for _, cells in found) / drawn
        label = "Mean quality less that of all reads (Phred)"
    tiles, layout = [], None
    if boxes is not None:
        layout = boxes.layout
        tiles = [_at_least_a_cell(tile, grid) for tile in boxes.tiles(grid.shifts)]
        if tiles and layout.kind == "schematic":
            tiles = _close_up(grid, boxes, tiles)
    unplaced = surfaces.unplaced + sum(cells.unplaced for cells in surfaces.cells.values())
    valueless = sum(cells.valueless for cells in surfaces.cells.values())
    return _Stitched(layout, color, label, grid, tiles, total, unplaced, valueless)


def _open(source: Any, column: str) -> Iterator[Particles]:
    needed = list(dict.fromkeys(["position", column]))
    if isinstance(source, Particles | FastqReader):
        return batches_of("flowcell()", source, needed, (), {})
    return batches_of("flowcell()", source, needed, ("lane", "tile"), {"layout": "flowcell"})


@dataclass
class _Grid:
    """The means of all surfaces in one array, with the edges of its columns and rows.

    ``shifts`` tells how far each surface was moved along x, and ``is_between`` which columns are
    between two surfaces.
    """

    values: npt.NDArray[np.float64]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    shifts: dict[int, float]
    is_between: npt.NDArray[np.bool_]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top."""
        return float(self.x[0]), float(self.x[-1]), float(self.y[0]), float(self.y[-1])


def _lay_out(found: list[tuple[int, Cells]], boxes: Boxes | None) -> _Grid:
    """Lay the means of all surfaces into one array, beside each other."""
    if not found or boxes is None:
        return _Grid(np.full((1, 1), np.nan), np.arange(2.0), np.arange(2.0), {}, np.zeros(1, bool))
    bottom = min(cells.first[1] for _, cells in found)
    top = max(cells.first[1] + cells.counts.shape[0] for _, cells in found)
    (x0, _, y0, _), cell = found[0][1].extent, found[0][1].cell[0]
    in_tiles = _PHYSICAL_SURFACE_GAP if boxes.layout.kind == "physical" else _SURFACE_GAP
    gap = max(1, round(in_tiles * boxes.tile_width / cell))
    width = sum(cells.counts.shape[1] for _, cells in found) + gap * (len(found) - 1)
    values = np.full((top - bottom, width), np.nan)
    y0 += (bottom - found[0][1].first[1]) * cell
    at, shifts, is_between = 0, {}, np.ones(width, bool)
    for surface, cells in found:
        height, columns = cells.counts.shape
        row = cells.first[1] - bottom
        values[row : row + height, at : at + columns] = cells.means()
        is_between[at : at + columns] = False
        shifts[surface] = x0 + at * cell - cells.extent[0]
        at += columns + gap
    x = x0 + cell * np.arange(width + 1.0)
    y = y0 + cell * np.arange(len(values) + 1.0)
    return _Grid(values, x, y, shifts, is_between)


def _at_least_a_cell(tile: Tile, grid: _Grid) -> Tile:
    """Return a tile as wide and as high as the cells of its reads, where these were few."""

    def sides(low: float, high: float, edges: npt.NDArray[np.float64]) -> tuple[float, float]:
        cell = float(edges[1] - edges[0])
        if high - low >= cell:
            return low, high
        first, last = (math.floor((side - float(edges[0])) / cell) for side in (low, high))
        return float(edges[0]) + first * cell, float(edges[0]) + (last + 1) * cell

    left, right = sides(tile.left, tile.right, grid.x)
    bottom, top = sides(tile.bottom, tile.top, grid.y)
    return replace(tile, left=left, right=right, bottom=bottom, top=top)


def _close_up(grid: _Grid, boxes: Boxes, tiles: list[Tile]) -> list[Tile]:
    """Take away most of the room where no tile is: on a schematic grid it means nothing.

    Returns the tiles where they are then.
    """
    is_seen: npt.NDArray[np.bool_] = np.isfinite(grid.values)
    swath_pitch = boxes.layout.parameters["swath_pitch"]
    columns = _kept(
        np.any(is_seen, axis=0) | grid.is_between, grid.x, boxes.tile_width, swath_pitch
    )
    rows = _kept(np.any(is_seen, axis=1), grid.y, boxes.tile_height, np.inf)
    x = np.concatenate((grid.x[:1], grid.x[0] + np.cumsum(np.diff(grid.x) * columns)))
    y = np.concatenate((grid.y[:1], grid.y[0] + np.cumsum(np.diff(grid.y) * rows)))
    moved = [
        replace(
            tile,
            left=float(np.interp(tile.left, grid.x, x)),
            right=float(np.interp(tile.right, grid.x, x)),
            bottom=float(np.interp(tile.bottom, grid.y, y)),
            top=float(np.interp(tile.top, grid.y, y)),
        )
        for tile in tiles
    ]
    grid.values = grid.values[np.ix_(rows, columns)]
    grid.x, grid.y = np.append(x[:-1][columns], x[-1]), np.append(y[:-1][rows], y[-1])
    return moved


def _kept(
    is_seen: npt.NDArray[np.bool_], edges: npt.NDArray[np.float64], tile: float, pitch: float
) -> npt.NDArray[np.bool_]:
    """Return which columns of cells to keep: of each run where no read is, a few.

    More of them where a run is as long as a `pitch`, as it is between lanes.
    """
    kept = is_seen.copy()
    changes = np.flatnonzero(np.diff(is_seen))
    cell = edges[1] - edges[0]
    for start, stop in zip(changes[:-1] + 1, changes[1:] + 1, strict=True):
        if not is_seen[start]:
            gap = _TILE_GAP if (stop - start) * cell < pitch else _LANE_GAP
            kept[start : min(stop, start + max(1, round(gap * tile / cell)))] = True
    return kept


def _check_layout(layout: Layout) -> None:
    if layout.name != "flowcell":
        raise ValueError(
            f"These particles are in the layout {layout.name!r}; read them with layout='flowcell'."
        )


def _column(color: str) -> str:
    return "quality" if color == "deviation" else color


# ------------------------------------------------------------------------------------------------
# Drawing
# ------------------------------------------------------------------------------------------------


def _is_horizontal(ax: Axes, stitched: _Stitched, orientation: str) -> bool:
    """Tell whether lanes run to the right, as they do by default where there is more room so."""
    if orientation != "auto":
        return orientation == "horizontal"
    left, right, bottom, top = stitched.grid.extent
    box = ax.get_window_extent()
    return (top - bottom > right - left) == (box.width > box.height)


def _draw(ax: Axes, stitched: _Stitched, is_wide: bool, kwargs: dict[str, Any]) -> AxesImage:
    values, (left, right, bottom, top) = stitched.grid.values, stitched.grid.extent
    extent = (left, right, bottom, top)
    if is_wide:
        # The first lane is the upmost.
        values, extent = values.T[::-1], (bottom, top, -right, -left)
    box = ax.get_window_extent()
    is_fine = values.shape[1] > box.width or values.shape[0] > box.height
    defaults = {
        "origin": "lower",
        "extent": extent,
        "aspect": "equal",
        # Cells smaller than pixels are blended, or some of them would not be seen.
        "interpolation": "auto" if is_fine else "nearest",
        "interpolation_stage": "data",
    }
    scale = mean_scale(values, stitched.color, kwargs)
    image = ax.imshow(np.ma.masked_invalid(values), **(defaults | scale | kwargs))
    margin = 0.015 * max(right - left, top - bottom)
    ax.set_xlim(extent[0] - margin, extent[1] + margin)
    ax.set_ylim(extent[2] - margin, extent[3] + margin)
    if "aspect" not in kwargs and is_narrow(ax):
        ax.set_aspect("auto")
    return image


def _outline(
    ax: Axes, image: AxesImage, stitched: _Stitched, is_wide: bool, outlines: bool
) -> None:
    """Show the image where there are tiles, and outline them."""
    from matplotlib.collections import PolyCollection
    from matplotlib.path import Path

    corners = []
    for tile in stitched.tiles:
        x = np.array([tile.left, tile.right, tile.right, tile.left])
        y = np.array([tile.bottom, tile.bottom, tile.top, tile.top])
        corners.append(np.column_stack((y, -x) if is_wide else (x, y)))
    if not corners:
        return
    image.set_clip_path(Path.make_compound_path(*map(_closed, corners)), ax.transData)
    width = line_width(ax, corners) if outlines else 0.0
    lines = PolyCollection(corners, facecolors="none", edgecolors=_OUTLINE, linewidths=width)
    lines.set_label("_tiles")
    ax.add_collection(lines, autolim=False)


def _closed(corners: npt.NDArray[Any]) -> Path:
    from matplotlib.path import Path

    return Path(np.vstack((corners, corners[:1])), closed=True)


def line_width(ax: Axes, corners: list[npt.NDArray[Any]]) -> float:
    """Return how thick to draw the outlines of tiles: where these are small, hardly at all."""
    if not corners:
        return 0.0
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    box = ax.get_window_extent()
    pixels = min(box.width / abs(right - left), box.height / abs(top - bottom))
    sides = np.array([np.ptp(corner, axis=0).min() for corner in corners])
    return float(np.clip(0.02 * np.median(sides) * pixels, 0.1, 0.8))


def _label(ax: Axes, stitched: _Stitched, is_wide: bool) -> None:
    """Name lanes and surfaces along one axis, and what the other shows."""
    layout = stitched.layout
    if layout is None:
        ax.set(xticks=[], yticks=[])
        return
    lanes = _middles(stitched.tiles, lambda tile: (tile.surface, tile.lane))
    surfaces = _middles(stitched.tiles, lambda tile: tile.surface)
    sign = -1.0 if is_wide else 1.0
    across: Any = ax.yaxis if is_wide else ax.xaxis
    across.set_ticks([sign * at for at in lanes.values()], [str(lane) for _, lane in lanes])
    words = [f"surface {surface}" if surface else "" for surface in surfaces]
    turned = {"rotation": 90, "va": "center"} if is_wide else {}
    across.set_ticks([sign * at for at in surfaces.values()], words, minor=True, **turned)
    across.set_tick_params(which="major", length=0)
    across.set_tick_params(which="minor", length=0, pad=18)
    across.set_label_text("Lane")
    along: Any = ax.xaxis if is_wide else ax.yaxis
    nm = layout.parameters["nm_per_unit"]
    if layout.kind == "physical" and nm:
        along.set_major_formatter(lambda units, _: f"{units * nm * 1e-6:.3g}")
        along.set_major_locator(_millimetres(nm))
        along.set_label_text("y (mm)")
    else:
        rows = _middles(stitched.tiles, lambda tile: tile.row, is_upwards=True)
        step = -(-len(rows) // _MOST_ROWS)
        named = [row for row in rows if row % step == 0 or len(rows) < _MOST_ROWS]
        along.set_ticks([rows[row] for row in named], [str(row) for row in named])
        along.set_label_text(f"Row of tiles, in each {axis_label(layout, 1)}")
    ax.set_xlabel(f"{ax.get_xlabel()}\n{layout.name} layout, {layout.kind}")


def _middles(
    tiles: list[Tile], key: Callable[[Tile], Any], *, is_upwards: bool = False
) -> dict[Any, float]:
    """Return the middle, across or upwards, of all tiles that a key puts together."""
    sides: dict[Any, tuple[float, float]] = {}
    for tile in tiles:
        low, high = (tile.bottom, tile.top) if is_upwards else (tile.left, tile.right)
        least, most = sides.get(key(tile), (np.inf, -np.inf))
        sides[key(tile)] = (min(least, low), max(most, high))
    return {name: 0.5 * (sides[name][0] + sides[name][1]) for name in sorted(sides)}


def _millimetres(nm: float) -> Any:
    """Return a locator that puts ticks at round numbers of millimetres."""
    from matplotlib.ticker import MaxNLocator

    class Millimetres(MaxNLocator):
        def tick_values(self, vmin: float, vmax: float) -> Any:
            in_mm = nm * 1e-6
            return np.divide(super().tick_values(vmin * in_mm, vmax * in_mm), in_mm)

    return Millimetres("auto", steps=[1, 2, 5, 10])
