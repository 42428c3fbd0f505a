"""What a viewer shows of particles: which reads, on what scale, and what that leaves out in words.

Shared by the viewers (`genomevedic.napari`, `genomevedic.notebook`, `genomevedic.web`); nothing
here draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import check_integer
from .errors import RenderingError, ShaderError, TextureError
from .text import counted_reads

if TYPE_CHECKING:
    import numpy.typing as npt

    from .layouts import Layout
    from .particles import Particles

__all__ = [
    "Shown",
    "choose",
    "column_of",
    "rendering_error",
    "stretches",
    "uncrowded",
]

# Rows looked at in one go: what is asked of each of many millions of places must not need memory
# of their number.
_BLOCK = 1 << 18

# An axis in another unit than x, or with a far smaller extent, is drawn this tall against the
# longest one; left to scale it would be a line, or would make lines of the others.
_STRETCHED = 0.4
_LEAST_EXTENT = 0.01

# Points that would cover more of a plane than this hide one another.
_MOST_COVERED = 0.6


@dataclass(frozen=True)
class Shown:
    """Which reads a viewer shows.

    Attributes
    ----------
    rows : slice or ndarray of int
        Their rows; a slice where it is all of them, so that columns taken by it are views.
    count : int
        How many they are.
    total : int
        Reads there are.
    unplaced : int
        Reads without a place, none of them shown.
    """

    rows: slice | npt.NDArray[np.intp]
    count: int
    total: int
    unplaced: int

    @property
    def is_sample(self) -> bool:
        """Whether reads that have a place are left out."""
        return self.count < self.total - self.unplaced

    def words(self) -> str:
        """Say in sentences what is shown and what is not.

        Examples
        --------
        >>> Shown(slice(None), 1000, 2_000_012, 12).words()
        '1,000 of 2,000,012 reads are shown, chosen at random. 12 have no place in this layout.'
        >>> Shown(slice(None), 5, 5, 0).words()
        'All 5 reads are shown.'
        """
        if self.total == 0:
            return "There are no reads."
        if self.count == 0:
            return f"None of {counted_reads(self.total)} has a place in this layout."
        if self.count == self.total:
            return (
                "The one read is shown."
                if self.total == 1
                else f"All {self.total:,} reads are shown."
            )
        be = "is" if self.count == 1 else "are"
        text = f"{self.count:,} of {self.total:,} reads {be} shown"
        text += ", chosen at random." if self.is_sample else "."
        if self.unplaced:
            have = "has" if self.unplaced == 1 else "have"
            text += f" {self.unplaced:,} {have} no place in this layout."
        return text


def choose(
    particles: Particles,
    max_points: int,
    rng: np.random.Generator | int | None,
    axes: tuple[int, ...] = (0, 1, 2),
) -> Shown:
    """Choose the reads to show: those with a place on `axes`, a random `max_points` of them.

    Raises
    ------
    TypeError, ValueError
        `max_points` is no whole number, or less than 1; the particles have no positions.
    """
    max_points = check_integer("max_points=", max_points)
    if max_points < 1:
        raise ValueError(f"max_points= must be at least 1, and is {max_points}")
    position = column_of(particles, "position")
    placed = _is_placed(position, axes)
    count = int(np.count_nonzero(placed))
    unplaced = len(position) - count
    if count <= max_points:
        rows = slice(None) if unplaced == 0 else np.flatnonzero(placed)
        return Shown(rows, count, len(position), unplaced)
    kept = np.flatnonzero(placed)
    drawn = np.random.default_rng(rng).choice(count, size=max_points, replace=False, shuffle=False)
    return Shown(kept[np.sort(drawn)], max_points, len(position), unplaced)


def column_of(particles: Particles, name: str) -> Any:
    """Return a column that a viewer cannot do without."""
    if name not in particles.columns:
        raise ValueError(
            f"the particles have no column {name!r}; read it with columns=[..., {name!r}]"
        )
    return particles[name]


def stretches(layout: Layout, extent: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return by what each axis is to be multiplied so that a picture in space shows all three.

    Axes of one unit keep one scale. An axis of another unit than x, or of less than a hundredth
    of the longest extent, is drawn 0.4 times as long as the longest of the others.

    Examples
    --------
    >>> import genomevedic as gv
    >>> stretches(gv.layouts.Composition(), [1.0, 2.0, 2.0]).tolist()
    [1.0, 1.0, 1.0]
    >>> stretches(gv.layouts.Composition(), [1e6, 2e6, 1.0]).tolist()
    [1.0, 1.0, 800000.0]
    """
    extent = np.asarray(extent, np.float64)
    same = np.array([unit == layout.units[0] for unit in layout.units])
    same &= (extent == 0) | (extent >= _LEAST_EXTENT * extent[same].max())
    longest = extent[same].max() if same.any() else 0.0
    factors = np.ones(3)
    if longest > 0:
        odd = ~same & (extent > 0)
        factors[odd] = _STRETCHED * longest / extent[odd]
    return factors


def uncrowded(extent: npt.ArrayLike, sizes: npt.ArrayLike, count: int) -> float:
    """Return by what to multiply diameters so that points do not hide one another.

    That is 1 where they would cover less than 0.6 of the largest side of the box they are in.

    Parameters
    ----------
    extent : array-like of numbers
        Of the box, in the units of the diameters.
    sizes : array-like of numbers
        One diameter a point, or one for all.
    count : int
        Number of points.

    Examples
    --------
    >>> uncrowded([100, 50, 0], 1.0, 1000), round(uncrowded([100, 50, 0], 1.0, 100_000), 3)
    (1.0, 0.195)
    """
    area = float(np.prod(np.sort(np.asarray(extent, np.float64))[-2:]))
    sizes = np.asarray(sizes)
    mean_square = float(np.mean(np.square(sizes, dtype=np.float64))) if sizes.size else 0.0
    covered = math.pi / 4 * mean_square * count
    return math.sqrt(_MOST_COVERED * area / covered) if 0 < _MOST_COVERED * area < covered else 1.0


def rendering_error(viewer: str, error: BaseException) -> RenderingError:
    """Return the error that says why a viewer does not draw, told apart by what it said."""
    said = " ".join(str(error).split()) or type(error).__name__
    lower = said.lower()
    kind: type[RenderingError] = RenderingError
    if "shader" in lower or "glsl" in lower:
        kind = ShaderError
    elif "texture" in lower:
        kind = TextureError
    return kind(f"{viewer} cannot draw here: {said.rstrip('.')}.", viewer=viewer)


def _is_placed(position: npt.NDArray[Any], axes: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    placed = np.empty(len(position), bool)
    for start in range(0, len(position), _BLOCK):
        block = slice(start, start + _BLOCK)
        placed[block] = np.isfinite(position[block, axes[0]])
        for axis in axes[1:]:
            placed[block] &= np.isfinite(position[block, axis])
    return placed
