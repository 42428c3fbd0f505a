"""Places that the caller gives: an array, or a function of the particles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import InvalidCoordinateError, NoCoordinatesError
from .layouts import _MAKERS, Layout, given
from .particles import Particles

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["GivenPlaces", "Places", "as_given"]

Places: TypeAlias = "npt.NDArray[Any] | Callable[[Particles], npt.NDArray[Any]]"

# float32 holds whole numbers exactly up to here.
_MOST_EXACT = 2.0**24


class GivenPlaces:
    """Fills in the positions of particles from an array or by a function.

    Parameters
    ----------
    places : ndarray of shape (records, 2) or (records, 3), or function
        See `read_fastq`. Coordinates of an array that reach beyond 2**24 are stored less their
        middle, which becomes ``layout.offset``.

    Attributes
    ----------
    layout : Layout
        As which they are told.
    unplaced : int
        Particles without a place so far.
    """

    def __init__(self, places: Places) -> None:
        self._function = places if callable(places) else None
        self._array: npt.NDArray[np.float64] | None = None
        offset = np.zeros(3)
        if not callable(places):
            self._array = _three_columns(np.asarray(places), None).astype(np.float64)
            offset = _offset_of(self._array)
            _check_reach(self._array - offset)
        self._offset = offset
        self.layout: Layout = given((float(offset[0]), float(offset[1]), float(offset[2])))
        self.unplaced = 0

    def needs(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the columns to read so that positions can be filled in."""
        wanted = [*columns]
        if "position" in columns and self._array is not None and "metadata" not in columns:
            wanted.append("metadata")
        return tuple(wanted)

    def place(self, columns: dict[str, Any], layout: Layout, path: str, is_strict: bool) -> None:
        """Write the positions of what was read into its column."""
        if "position" not in columns:
            return
        position = columns["position"]
        if self._array is not None:
            ordinals = columns["metadata"]
            if len(ordinals) > 0 and int(ordinals[-1]) >= len(self._array):
                raise NoCoordinatesError(
                    f"{path}: layout= gives places for {len(self._array):,} records, but there are "
                    "more",
                    path=path,
                    record=len(self._array) + 1,
                    layout="given",
                )
            position[:] = self._array[ordinals] - self._offset
        elif self._function is not None:
            places = self._function(Particles(columns, layout))
            found = _three_columns(np.asarray(places), len(position))
            _check_reach(found)
            position[:] = found
        lacking = np.isnan(position).any(axis=1)
        if lacking.any():
            position[lacking] = np.nan
            self.unplaced += int(lacking.sum())
            if is_strict:
                raise NoCoordinatesError(
                    f"{path}: layout= gives no place (NaN) for {int(lacking.sum()):,} records. "
                    'unplaced="nan" lets such reads be',
                    path=path,
                    layout="given",
                )


def as_given(layout: Any) -> GivenPlaces | None:
    """Return what is given as a layout by array or function; None for any other."""
    if isinstance(layout, str | Layout) or any(layout is maker for maker in _MAKERS.values()):
        return None
    if callable(layout) or isinstance(layout, np.ndarray | list | tuple):
        return GivenPlaces(layout)
    return None


def _three_columns(places: npt.NDArray[Any], rows: int | None) -> npt.NDArray[Any]:
    """Check the shape of places; those without a z get 0."""
    wanted = "records" if rows is None else str(rows)
    is_numeric = places.dtype.kind in "iuf"
    if places.ndim != 2 or places.shape[1] not in (2, 3) or not is_numeric:
        raise InvalidCoordinateError(
            f"places are an array of numbers of shape ({wanted}, 2) or ({wanted}, 3), not of shape "
            f"{places.shape} and dtype {places.dtype}"
        )
    if rows is not None and len(places) != rows:
        raise InvalidCoordinateError(f"layout= returned {len(places)} places for {rows} particles")
    if np.isinf(places).any():
        raise InvalidCoordinateError(
            "places are finite numbers, or NaN where a record has none, and not infinite"
        )
    if places.shape[1] == 3:
        return places
    return np.column_stack([places, np.zeros(len(places), dtype=places.dtype)])


def _check_reach(places: npt.NDArray[Any]) -> None:
    """Check that places do not become infinite as the float32 that positions are."""
    if (np.abs(places) > np.finfo(np.float32).max).any():
        raise InvalidCoordinateError("places reach beyond what float32 holds, which is 3.4e38")


def _offset_of(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the middle of each axis on which float32 would not hold the places exactly."""
    finite = places[np.isfinite(places).all(axis=1)]
    if len(finite) == 0:
        return np.zeros(3)
    least, most = finite.min(axis=0), finite.max(axis=0)
    reaches_far = np.maximum(np.abs(least), np.abs(most)) > _MOST_EXACT
    return np.where(reaches_far, np.floor(least / 2 + most / 2), 0.0)
