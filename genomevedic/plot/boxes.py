"""Where the tiles of a flow cell lie: boxes around what was seen in each of them."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from ..layouts import Layout
    from ..particles import Particles

__all__ = ["Boxes", "Tile"]

_ENDS = (np.minimum, np.maximum)

# The least x and y that instruments give is 1000; a tile begins a little below.
_MARGIN = 500.0


@dataclass
class Tile:
    """What was seen of one tile, in the layout's units; 0 is no surface, and rows count from 1."""

    surface: int
    lane: int
    row: int
    left: float
    right: float
    bottom: float
    top: float

    def widen(self, left: float, right: float, bottom: float, top: float) -> None:
        """Take in what else was seen."""
        self.left, self.right = min(self.left, left), max(self.right, right)
        self.bottom, self.top = min(self.bottom, bottom), max(self.top, top)


class Boxes:
    """The boxes of all tiles of a flow cell.

    Reads with the columns ``lane`` and ``tile`` belong to the tile that these name, others to the
    one whose place on the layout's grid they are in.

    Parameters
    ----------
    layout : Layout
        Of a flow cell, settled.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._found: dict[tuple[float, ...], Tile] = {}
        parameters = layout.parameters
        self._swath_pitch = float(parameters["swath_pitch"])
        self._tile_pitch = float(parameters["tile_pitch"])
        self._lane_pitch = float(parameters["lane_pitch"])
        self._surface_pitch = float(parameters["surface_pitch"])
        self._stagger = float(parameters["stagger"])
        # In the formula of the physical placement, swaths count from 0.
        is_physical = parameters["placement"] != "schematic"
        self._left = self._swath_pitch if is_physical else 0.0

    @property
    def tile_width(self) -> float:
        """Width of most tiles."""
        return self._median(lambda tile: tile.right - tile.left)

    @property
    def tile_height(self) -> float:
        """Height of most tiles."""
        return self._median(lambda tile: tile.top - tile.bottom)

    def _median(self, size: Callable[[Tile], float]) -> float:
        return max(statistics.median(map(size, self._found.values())), 1.0) if self._found else 1.0

    def tiles(self, shifts: Mapping[int, float]) -> list[Tile]:
        """Return the tiles with their lanes and surfaces, moved along x as their z says."""
        return [
            replace(
                tile,
                lane=self._lane_of(tile),
                surface=self._surface_of(tile),
                row=math.floor((tile.bottom + tile.top) / 2 / self._tile_pitch) + 1,
                left=tile.left + shifts.get(tile.surface, 0.0),
                right=tile.right + shifts.get(tile.surface, 0.0),
            )
            for tile in self._found.values()
        ]

    def add(self, particles: Particles) -> None:
        """Take in where these reads are; all those that have a place."""
        position = particles.position
        placed = np.isfinite(position[:, 0]) & np.isfinite(position[:, 1])
        if not placed.all():
            position = position[placed]
        if len(position) == 0:
            return
        x, y, z = position.T
        if {"lane", "tile"} <= set(particles.columns):
            keys = [np.asarray(particles[name]) for name in ("lane", "tile")]
            keys = [key if placed.all() else key[placed] for key in keys]
        else:
            keys = self._guess(x.astype(np.float64), y.astype(np.float64), z)
        self._add([*keys, z], x, y)

    def _add(self, keys: list[npt.NDArray[Any]], x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
        """Widen the box of each run of reads with the same key; files are in order of tiles."""
        starts = _runs(keys)
        if len(starts) > len(x) // 4 + 1:
            order = np.lexsort(keys)
            keys, x, y = [key[order] for key in keys], x[order], y[order]
            starts = _runs(keys)
        sides = [
            function.reduceat(along, starts).tolist() for along in (x, y) for function in _ENDS
        ]
        names = zip(*(key[starts].tolist() for key in keys), strict=True)
        for name, *box in zip(names, *sides, strict=True):
            found = self._found.get(name)
            if found is None:
                self._found[name] = Tile(int(name[-1]), 0, 0, *box)
            else:
                found.widen(*box)

    def _guess(
        self, x: npt.NDArray[Any], y: npt.NDArray[Any], surface: npt.NDArray[Any]
    ) -> list[npt.NDArray[Any]]:
        """Return the column and the row of tiles in which reads are."""
        across = x - self._left - _MARGIN
        lane = np.floor(across / self._lane_pitch)
        across -= lane * self._lane_pitch
        column = np.floor(across / self._swath_pitch)
        if self._stagger:
            is_even = column % 2 == 1  # Swaths count from 1, columns from 0.
            y = y + np.where(is_even, np.where(surface == 1, self._stagger, -self._stagger), 0.0)
        return [lane, column, np.floor((y - _MARGIN) / self._tile_pitch)]

    def _lane_of(self, tile: Tile) -> int:
        middle = (tile.left + tile.right) / 2 - self._left
        return math.floor(middle / self._lane_pitch) + 1

    def _surface_of(self, tile: Tile) -> int:
        """Return the surface: the z of the layout, or where in its lane the tile is."""
        if tile.surface or not self._surface_pitch:
            return tile.surface
        middle = (tile.left + tile.right) / 2 - self._left
        across = middle - (self._lane_of(tile) - 1) * self._lane_pitch
        return math.floor(across / self._surface_pitch) + 1


def _runs(keys: list[npt.NDArray[Any]]) -> npt.NDArray[np.intp]:
    """Return where runs of equal keys begin."""
    changes = np.zeros(len(keys[0]), bool)
    changes[0] = True
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changes)
