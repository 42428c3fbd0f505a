"""Cells of a picture: every read in one, as numpy.histogram2d counts, however they grow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomevedic.plot.cells import Cells


def edges_of(cells):
    left, right, bottom, top = cells.extent
    height, width = cells.counts.shape
    return np.linspace(left, right, width + 1), np.linspace(bottom, top, height + 1)


def expected(cells, x, y, weights=None):
    known = np.isfinite(x) & np.isfinite(y)
    if weights is not None:
        known &= np.isfinite(weights)
        weights = weights[known]
    x, y = x[known].astype(float), y[known].astype(float)
    return np.histogram2d(x, y, edges_of(cells), weights=weights)[0].T


@pytest.fixture
def places():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 70_000)).astype(np.float32)
    x[::1000], y[::1700], y[7] = np.nan, np.nan, np.inf
    return x, y, rng.normal(30, 3, size=len(x)).astype(np.float32)


def test_cells_of_given_bounds_count_as_numpy_does(places):
    x, y, values = places
    cells = Cells(((-1.0, 1.5), (-2.0, 2.0)), (40, 32), has_sums=True)
    cells.add(x, y, values)
    np.testing.assert_array_equal(cells.counts, expected(cells, x, y))
    np.testing.assert_allclose(cells.sums, expected(cells, x, y, values.astype(float)))
    finite = np.isfinite(x) & np.isfinite(y)
    inside = finite & (x >= -1) & (x <= 1.5) & (y >= -2) & (y <= 2)
    assert (cells.drawn, cells.unplaced, cells.outside, cells.valueless) == (
        inside.sum(),
        (~finite).sum(),
        (finite & ~inside).sum(),
        0,
    )


def test_both_bounds_are_inside():
    cells = Cells(((0.0, 4.0), (0.0, 2.0)), (4, 2))
    cells.add(np.array([0.0, 4.0, 4.1, -0.1]), np.array([0.0, 2.0, 1.0, 1.0]))
    assert cells.counts.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]
    assert cells.outside == 2


def test_reads_that_lack_the_measure_are_counted_apart():
    cells = Cells(((0.0, 1.0), (0.0, 1.0)), (1, 1), has_sums=True)
    cells.add(np.array([0.5, 0.5, np.nan]), np.full(3, 0.5), np.array([7.0, np.nan, np.nan]))
    assert (cells.drawn, cells.valueless, cells.unplaced) == (1, 1, 1)
    assert cells.means().tolist() == [[7.0]]


def test_cells_that_grow_count_as_numpy_does_in_theirs(places):
    x, y, values = places
    cells = Cells(has_sums=True)
    for start in range(0, len(x), 7_000):
        part = slice(start, start + 7_000)
        # Each batch lies elsewhere, and reaches further.
        x[part] = x[part] * (1 + start) + start
        cells.add(x[part], y[part], values[part])
    np.testing.assert_array_equal(cells.counts, expected(cells, x, y))
    np.testing.assert_allclose(cells.sums, expected(cells, x, y, values.astype(float)))
    assert cells.counts.size <= 1 << 20
    assert cells.drawn + cells.unplaced == len(x)
    cells.fit(5, 100)
    np.testing.assert_array_equal(cells.counts, expected(cells, x, y))
    assert max(cells.counts.shape) <= 100


@given(
    st.lists(
        st.lists(st.tuples(st.integers(-5000, 5000), st.integers(-300, 300)), max_size=30),
        max_size=6,
    ),
    st.booleans(),
    st.sampled_from([None, (0.0, 1.0), (0.5, 3.0)]),
)
def test_no_read_is_lost_however_cells_grow(batches, is_square, lattice):
    cells = Cells(lattice=(lattice, lattice), is_square=is_square)
    for batch in batches:
        x, y = np.array(batch, np.float32).reshape(-1, 2).T
        cells.add(x, y)
    everything = np.array([place for batch in batches for place in batch]).reshape(-1, 2)
    assert cells.counts.sum() == cells.drawn == len(everything)
    cells.fit(4, 64)
    assert cells.counts.sum() == len(everything)
    if len(everything):
        counts = expected(cells, *everything.T)
        np.testing.assert_array_equal(cells.counts, counts)


def test_cells_hold_whole_steps_of_a_lattice():
    x = np.repeat(np.arange(1000.0), 3)
    cells = Cells(lattice=((0.0, 1.0), (0.0, 1.0)))
    cells.add(x, np.zeros_like(x))
    cells.fit(1, 128)
    assert set(cells.counts[0, :-1]) == {3.0 * cells.cell[0]}


def test_a_copy_shares_nothing():
    cells = Cells()
    cells.add(np.arange(9.0), np.arange(9.0))
    copied = cells.copy()
    copied.fit(9, 2)
    copied.add(np.arange(5.0), np.arange(5.0))
    assert cells.counts.sum() == 9 and copied.counts.sum() == 14


@pytest.mark.parametrize(
    ("x", "y"),
    [([], []), ([3.0], [4.0]), ([3.0] * 50, [4.0] * 50), ([np.nan] * 4, [np.nan, 1.0, 2.0, 3.0])],
)
def test_few_places_or_one(x, y):
    x, y = np.array(x), np.array(y)
    cells = Cells()
    cells.add(x, y)
    cells.fit(4, 512)
    placed = int(np.isfinite(x + y).sum())
    assert (cells.counts.sum(), cells.unplaced) == (placed, len(x) - placed)
    assert cells.counts.size <= 1


@pytest.mark.parametrize("far", [3e38, -1e30, 1e17])
def test_places_far_from_each_other(far):
    # Before the fix, the numbers of such cells passed 64 bits.
    cells = Cells()
    cells.add(np.array([far]), np.array([far]))
    assert cells.counts.sum() == 1
    cells.add(np.array([0.0, 1e-3]), np.array([0.0, 0.0]))
    cells.add(np.array([far, -far]), np.array([0.0, far]))
    assert (cells.counts.sum(), cells.outside, cells.unplaced) == (5, 0, 0)
    cells.fit(1, 64)
    assert cells.counts.sum() == 5


def test_reads_that_lack_the_measure_stay_counted_where_cells_are_taken_away():
    cells = Cells(has_sums=True)
    places = np.array([0.0, 1.0, 500.0])
    cells.add(places, places, np.array([1.0, 2.0, np.inf]))
    cells.fit(1, 64)
    assert (cells.drawn, cells.valueless, cells.counts.sum()) == (2, 1, 2)
    assert cells.extent[1] < 500


def test_a_time_that_is_not_there_is_no_measure():
    times = np.array(["2024-01-01", "NaT"], "M8[us]")
    cells = Cells(((0.0, 1.0), (0.0, 1.0)), (1, 1), has_sums=True)
    cells.add(np.full(2, 0.5), np.full(2, 0.5), times)
    assert (cells.drawn, cells.valueless) == (1, 1)
    assert cells.means().tolist() == [[float(times[0].astype(int))]]
