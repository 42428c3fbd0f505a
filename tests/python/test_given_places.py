"""Places that the caller gives: an array of all, or a function of what was read."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import genomevedic as gv
from genomevedic.errors import NoCoordinatesError, UnplacedWarning
from support import make_records

TEXT = b"".join(make_records(100, seed=6))
RNG = np.random.default_rng(1)
PLACES = RNG.normal(size=(100, 3))


def positions(layout: Any, **options: Any) -> np.ndarray:
    return gv.read_fastq(TEXT, layout=layout, **options).position


# ---------------------------------------------------------------------------------------------
# An array
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["f4", "f8", "i4", "u1", ">f8"])
def test_an_array_of_any_numbers(kind: str) -> None:
    places = (PLACES * 10 + 60).astype(kind)
    np.testing.assert_array_equal(positions(places), places.astype(np.float32))


def test_two_columns_are_places_in_the_plane() -> None:
    found = positions(PLACES[:, :2])
    np.testing.assert_array_equal(found[:, :2], PLACES[:, :2].astype(np.float32))
    assert (found[:, 2] == 0).all()


def test_lists_and_strided_arrays() -> None:
    np.testing.assert_array_equal(positions(PLACES.tolist()), PLACES.astype(np.float32))
    wide = np.repeat(PLACES, 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(positions(wide), PLACES.astype(np.float32))
    np.testing.assert_array_equal(positions(np.asfortranarray(PLACES)), PLACES.astype(np.float32))


@pytest.mark.parametrize("size", [1, 7, 99, 1000])
def test_an_array_follows_the_records_over_batches_filters_and_sources(size: int) -> None:
    whole = gv.read_fastq(TEXT, layout=PLACES, min_quality=45)
    assert 0 < len(whole) < 100
    np.testing.assert_array_equal(whole.position, PLACES[whole.metadata].astype(np.float32))
    records = make_records(100, seed=6)
    parts = [b"".join(records[:30]), b"", b"".join(records[30:])]
    for source in (TEXT, parts):
        with gv.scan_fastq(source, layout=PLACES, min_quality=45) as reader:
            batches = list(reader.batches(size))
        assert gv.Particles.concat(batches) == whole


def test_the_columns_are_those_asked_for() -> None:
    p = gv.read_fastq(TEXT, layout=PLACES, columns=["position", "gc"])
    assert p.columns == ("position", "gc")
    p = gv.read_fastq(TEXT, layout=PLACES, columns=["gc"])
    assert p.columns == ("gc",)
    assert p.stats.unplaced == 0


def test_what_the_layout_says() -> None:
    layout = gv.read_fastq(TEXT, layout=PLACES).layout
    assert (layout.name, layout.kind, layout.offset) == ("given", "given", (0.0, 0.0, 0.0))
    assert gv.layouts.Layout.from_dict(layout.to_dict()) == layout


@pytest.mark.parametrize(
    "places",
    [
        np.zeros((100, 4)),
        np.zeros((100, 1)),
        np.zeros(100),
        np.zeros((100, 3, 1)),
        np.zeros((0,)),
        [],
    ],
)
def test_arrays_of_other_shapes_are_refused(places: Any) -> None:
    with pytest.raises(ValueError, match=r"shape \(records, 2\) or \(records, 3\)"):
        gv.read_fastq(TEXT, layout=places)


@pytest.mark.parametrize("places", [[["a", "b", "c"]], [[1, 2], [3]], [None]])
def test_what_is_no_array_of_numbers_is_refused(places: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        gv.read_fastq(TEXT, layout=places)


def test_more_records_than_places() -> None:
    for size in (1, 60, 99, 100, 1000):
        reader = gv.scan_fastq(TEXT, layout=PLACES[:99])
        with pytest.raises(NoCoordinatesError, match="places for 99 records") as caught:
            list(reader.batches(size))
    assert caught.value.context["layout"] == "given"
    assert caught.value.record == 100
    assert type(pickle.loads(pickle.dumps(caught.value))) is NoCoordinatesError
    assert len(gv.read_fastq(TEXT, layout=PLACES[:99], limit=99)) == 99
    assert len(gv.read_fastq(TEXT, layout=np.zeros((1000, 3)))) == 100


def test_nan_is_no_place() -> None:
    places = PLACES.copy()
    places[[3, 50], [0, 2]] = np.nan
    with pytest.warns(UnplacedWarning, match="2 of 100 particles have no place"):
        p = gv.read_fastq(TEXT, layout=places)
    assert p.stats.unplaced == 2
    assert np.flatnonzero(np.isnan(p.position).any(axis=1)).tolist() == [3, 50]
    assert np.isnan(p.position[[3, 50]]).all()
    with pytest.raises(NoCoordinatesError, match="no place"):
        gv.read_fastq(TEXT, layout=places, unplaced="raise")
    assert gv.read_fastq(TEXT, layout=places, columns=["gc"]).stats.unplaced == 0


def test_far_places_are_stored_less_their_middle() -> None:
    """Steps of 1 at 3e9, which float32 holds every 256, and an axis that does not reach far."""
    places = np.column_stack([3e9 + np.arange(100), np.arange(100), -(2.0**25) + np.arange(100)])
    p = gv.read_fastq(TEXT, layout=places)
    assert p.layout.offset == (3e9 + 49, 0.0, -(2.0**25) + 49)
    np.testing.assert_array_equal(p.position.astype(np.float64) + p.layout.offset, places)
    again = gv.layouts.Layout.from_dict(p.layout.to_dict())
    assert again.offset == p.layout.offset
    with gv.scan_fastq(TEXT, layout=places) as reader:
        assert gv.Particles.concat(list(reader.batches(9))) == p


def test_places_up_to_2_to_the_24_are_stored_as_they_are() -> None:
    places = np.zeros((100, 3))
    places[0] = 2.0**24
    places[1] = -(2.0**24)
    p = gv.read_fastq(TEXT, layout=places)
    assert p.layout.offset == (0.0, 0.0, 0.0)
    np.testing.assert_array_equal(p.position, places)


def test_nan_beside_far_places() -> None:
    places = np.full((100, 3), np.nan)
    places[10] = [1e9, 5, 5]
    with pytest.warns(UnplacedWarning):
        p = gv.read_fastq(TEXT, layout=places)
    assert p.layout.offset == (1e9, 0.0, 0.0)
    assert p.position[10].tolist() == [0, 5, 5]
    with pytest.warns(UnplacedWarning):
        assert gv.read_fastq(TEXT, layout=np.full((100, 3), np.nan)).layout.offset == (0, 0, 0)


# ---------------------------------------------------------------------------------------------
# A function
# ---------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.* have no place in the layout 'given':UserWarning")
def test_a_function_of_the_particles() -> None:
    p = gv.read_fastq(TEXT, layout=lambda p: np.column_stack([p.gc, p.quality, p.length]))
    known = ~np.isnan(p.gc) & ~np.isnan(p.quality)
    np.testing.assert_array_equal(p.position[known, 0], p.gc[known])
    np.testing.assert_array_equal(p.position[known, 2], p.length[known])
    assert np.isnan(p.position[~known]).all()
    assert p.stats.unplaced == (~known).sum() > 0
    assert p.layout.name == "given"


def test_a_function_sees_the_columns_asked_for_and_no_places() -> None:
    seen: list[gv.Particles] = []

    def place(p: gv.Particles) -> np.ndarray:
        seen.append(p)
        assert np.isnan(p.position).all()
        return np.column_stack([p.metadata, p.metadata * 2])

    columns = ["position", "metadata", "name"]
    with gv.scan_fastq(TEXT, layout=place, columns=columns) as reader:
        batches = list(reader.batches(30))
    assert [len(p) for p in seen] == [30, 30, 30, 10]
    assert all(p.columns == tuple(columns) for p in seen)
    whole = gv.Particles.concat(batches)
    assert whole.position.tolist() == [[i, 2 * i, 0] for i in range(100)]
    assert whole == gv.read_fastq(TEXT, layout=place, columns=columns)


def test_a_function_is_not_called_for_no_positions() -> None:
    def place(p: gv.Particles) -> np.ndarray:
        raise AssertionError("nobody asked")

    assert len(gv.read_fastq(TEXT, layout=place, columns=["gc"])) == 100


@pytest.mark.parametrize(
    "places",
    [None, 3, np.zeros((100, 4)), np.zeros((99, 3)), np.zeros((101, 2)), [["a", "b"]] * 100],
)
def test_a_function_that_returns_no_places(places: Any) -> None:
    with pytest.raises(ValueError, match="places"):
        gv.read_fastq(TEXT, layout=lambda p: places)


def test_an_error_of_a_function_is_passed_on() -> None:
    def place(p: gv.Particles) -> np.ndarray:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        gv.read_fastq(TEXT, layout=place)
    reader = gv.scan_fastq(TEXT, layout=place)
    with pytest.raises(ZeroDivisionError):
        next(reader.batches(10))
    with pytest.raises(ValueError, match="closed"):
        reader.read()


def test_a_function_may_leave_reads_without_a_place() -> None:
    def place(p: gv.Particles) -> np.ndarray:
        return np.where(p.metadata[:, None] % 2 == 0, np.nan, np.zeros((len(p), 3)))

    with pytest.warns(UnplacedWarning, match="50 of 100"):
        p = gv.read_fastq(TEXT, layout=place)
    assert p.stats.unplaced == 50
    with pytest.raises(NoCoordinatesError, match="50 records"):
        gv.read_fastq(TEXT, layout=place, unplaced="raise")
