"""The columns of particles as helpers that draw want them, and what to call them in a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..layouts import axis_label

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..particles import Particles

__all__ = [
    "COORDINATES",
    "check_axes",
    "column_of",
    "common_length",
    "is_numeric",
    "is_whole",
    "label_of",
    "lattice_edges",
    "lattice_of",
    "numbers_of",
    "raw_numbers_of",
    "short_name",
]

COORDINATES = ("x", "y", "z")

_LABELS = {
    "gc": "GC content",
    "quality": "Mean quality (Phred)",
    "error_quality": "Quality of the mean error (Phred)",
    "length": "Length (bases)",
    "size": "Relative size",
    "metadata": "Ordinal of the read",
    "lane": "Lane",
    "tile": "Tile",
    "surface": "Surface",
    "swath": "Swath",
    "channel": "Channel",
    "zmw": "Well (ZMW)",
}

_NOT_ONE_NUMBER = frozenset(
    ["name", "sequence", "qualities", "index", "barcode", "position", "color"]
)

# Places that are looked at to see whether all are whole numbers.
_LOOKED_AT = 4096


def column_of(particles: Particles, name: str) -> npt.NDArray[Any]:
    """Return a column, or say in one sentence that there is none."""
    if name not in particles.columns:
        raise ValueError(
            f"These particles have no column {name!r}; read them with it among columns=."
        )
    return np.asarray(particles[name])


def is_numeric(particles: Particles, name: str) -> bool:
    """Tell whether particles have a column of one number a read of this name."""
    return name not in _NOT_ONE_NUMBER and (
        name in particles.columns or (name in COORDINATES and "position" in particles.columns)
    )


def is_whole(particles: Particles, name: str) -> bool:
    """Tell whether a column holds whole numbers, such as lengths and lanes."""
    return raw_numbers_of(particles, name).dtype.kind in "iu"


def raw_numbers_of(particles: Particles, name: str) -> npt.NDArray[Any]:
    """Return one number a particle as it is stored, with no copy; of a time, the datetime64.

    ``x``, ``y`` and ``z`` are parts of the position where there are no columns of these names.
    """
    if name in COORDINATES and name not in particles.columns:
        return column_of(particles, "position")[:, COORDINATES.index(name)]
    if name in _NOT_ONE_NUMBER:
        raise ValueError(f"The column {name!r} does not hold one number a read.")
    return column_of(particles, name)


def numbers_of(particles: Particles, name: str) -> npt.NDArray[np.float64]:
    """Return one number a particle as float64."""
    numbers: npt.NDArray[np.float64] = raw_numbers_of(particles, name).astype(np.float64)
    return numbers


def check_axes(axes: Any, count: int = 2) -> tuple[int, ...]:
    """Return the numbers of so many different axes of a layout."""
    words = "two" if count == 2 else "three"
    if (
        len(axes) != count
        or any(axis not in (0, 1, 2) for axis in axes)
        or len(set(axes)) != len(axes)
    ):
        raise ValueError(f"axes must be {words} different numbers of 0, 1 and 2, not {axes!r}.")
    return tuple(int(axis) for axis in axes)


def label_of(particles: Particles, column: str) -> str:
    """Return what a column shows, and its unit."""
    if column in COORDINATES:
        if column not in particles.columns:
            return axis_label(particles.layout, COORDINATES.index(column))
        return f"{column} in the tile"
    return _LABELS.get(column, column)


def short_name(column: str) -> str:
    """Return what a column holds, in the middle of a sentence."""
    return {"gc": "GC content"}.get(column, column.replace("_", " "))


def common_length(particles: Particles) -> int | None:
    """Return the length that most reads share; None where they do not, or are long."""
    if "length" not in particles.columns or len(particles) == 0:
        return None
    lengths = np.asarray(particles["length"])
    length = int(np.median(lengths[:: max(1, len(lengths) // 1_000_000)]))
    if not 10 <= length <= 2000:
        return None
    return length if np.count_nonzero(lengths == length) >= 0.5 * len(lengths) else None


def lattice_of(particles: Particles, axis: int) -> tuple[float, float] | None:
    """Return an origin and a spacing where places along an axis can only be whole steps apart.

    Places on a chip and on a flow cell are whole numbers; those by composition of reads of one
    length L are 1, 1 - 2/L, 1 - 4/L, ...
    """
    if particles.layout.name == "composition":
        length = common_length(particles)
        return None if length is None else (1.0, 2.0 / length)
    if particles.layout.name == "tetranucleotide" or len(particles) == 0:
        return None
    along = column_of(particles, "position")[:_LOOKED_AT, axis]
    known = along[np.isfinite(along)]
    return (0.0, 1.0) if len(known) and bool((known == np.rint(known)).all()) else None


def lattice_edges(
    particles: Particles, spacing: float, low: float, width: float
) -> npt.NDArray[np.float64] | None:
    """Return bins of about `width` from `low` to 1 for what reads of one length L can measure.

    Such a measure takes the values 1, 1 - spacing/L, 1 - 2*spacing/L, ... only. Bins that are not
    a whole multiple of that distance wide would hold now more, now fewer of them, and show as a
    comb that is not in the data. None where the reads are not of one length, or are long.
    """
    length = common_length(particles)
    if length is None:
        return None
    distance = spacing / length
    step = max(1, round(width / distance)) * distance
    count = math.ceil((1.0 + distance / 2 - low) / step)
    edges: npt.NDArray[np.float64] = (
        1.0 + distance / 2 - step * np.arange(count, -1, -1, dtype=np.float64)
    )
    return edges
