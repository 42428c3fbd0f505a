"""Grids against numpy.histogramdd, and what they promise beyond it."""

from __future__ import annotations

import dataclasses
import gc
import pickle
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import genomevedic as gv
from genomevedic import _core
from genomevedic.grids import GridCells
from genomevedic.voxels import pyramid

SAMPLE = gv.datasets.flowcell_sample()


def cloud(rows: int = 50_000, seed: int = 1) -> gv.Particles:
    """Particles with places on edges, outside and nowhere, and GC that is not known."""
    chance = np.random.default_rng(seed)
    position = (chance.integers(-40, 440, (rows, 3)) / 40).astype(np.float32)
    position[::97] = np.nan
    gc = chance.random(rows).astype(np.float32)
    gc[::31] = np.nan
    return gv.Particles(
        {
            "position": position,
            "quality": chance.integers(2, 41, rows).astype(np.float32),
            "gc": gc,
            "length": chance.integers(1, 300, rows).astype(np.uint32),
            "lane": chance.integers(1, 5, rows).astype(np.uint8),
        },
        gv.layouts.Composition(),
    )


def line_of(numbers: Any, **columns: Any) -> gv.Particles:
    return gv.Particles({"gc": np.asarray(numbers), **columns}, gv.layouts.Spiral())


def values(p: gv.Particles, axes: tuple[str, ...]) -> np.ndarray:
    columns = [p.position[:, "xyz".index(a)] if a in "xyz" else p[a] for a in axes]
    return np.column_stack([np.asarray(each, np.float64) for each in columns])


@pytest.mark.parametrize("axes", [("x",), ("x", "y"), ("z", "x", "y"), ("length", "lane", "x")])
@pytest.mark.parametrize("threads", [1, 3])
def test_as_histogramdd(axes: tuple[str, ...], threads: int) -> None:
    p = cloud()
    bounds = [(0.0, 10.0) if axis in "xyz" else (1.0, 100.0) for axis in axes]
    bins = (40, 7, 13)[: len(axes)]
    grid = gv.voxelize(p, axes=axes, bins=bins, bounds=bounds, threads=threads)
    rows = values(p, axes)
    counts, edges = np.histogramdd(rows, bins=bins, range=bounds)
    assert all(map(np.array_equal, grid.edges, edges))
    assert np.array_equal(grid.counts, counts)
    for name in ("quality", "gc"):
        known = ~np.isnan(p[name])
        weights = p[name][known].astype(np.float64)
        sums, _ = np.histogramdd(rows[known], bins=edges, weights=weights)
        assert np.array_equal(grid.sums[name], sums)
        assert np.array_equal(grid.known[name], np.histogramdd(rows[known], bins=edges)[0])
        with np.errstate(invalid="ignore"):
            assert np.array_equal(grid.mean(name), sums / grid.known[name], equal_nan=True)
    assert grid.unplaced == np.isnan(rows).any(axis=1).sum()
    assert grid.total + grid.outside + grid.unplaced == len(p)


BOUND = st.floats(-1e6, 1e6, width=32)


@given(st.data(), st.integers(1, 3), st.sampled_from([np.float32, np.float64]), st.booleans())
def test_any_numbers_between_any_edges(
    data: st.DataObject, n_axes: int, kind: type, is_even: bool
) -> None:
    edges = []
    for _ in range(n_axes):
        if is_even:
            low, high = sorted(data.draw(st.tuples(BOUND, BOUND)))
            drawn = np.linspace(low, high, data.draw(st.integers(1, 60)) + 1)
        else:
            drawn = np.array(sorted(data.draw(st.sets(BOUND, min_size=2, max_size=30))))
        if (np.diff(drawn) <= 0).any():
            return  # too narrow for so many
        edges.append(drawn)
    rows = data.draw(st.integers(0, 30))
    width = 32 if kind is np.float32 else 64
    sample = []
    for each in edges:
        near = st.sampled_from(each.tolist()).map(kind)
        beside = near.map(lambda x: np.nextafter(x, kind(np.inf)))
        below = near.map(lambda x: np.nextafter(x, kind(-np.inf)))
        numbers = st.one_of(near, beside, below, st.floats(-2e6, 2e6, width=width))
        sample.append(data.draw(hnp.arrays(kind, rows, elements=numbers)))
    weights = data.draw(hnp.arrays(kind, rows, elements=st.floats(-1e6, 1e6, width=width)))
    names = ("gc", "quality", "length")[:n_axes]
    columns = dict(zip(names, sample, strict=True)) | {"size": weights}
    particles = gv.Particles(columns, gv.layouts.Spiral())
    if is_even:
        shape = [len(each) - 1 for each in edges]
        limits = [(each[0], each[-1]) for each in edges]
        grid = gv.voxelize(particles, bins=shape, bounds=limits, axes=names, sums=["size"])
    else:
        grid = gv.voxelize(particles, bins=edges, axes=names, sums=["size"])
    stacked = np.stack(sample, axis=1).astype(np.float64)
    assert np.array_equal(grid.counts, np.histogramdd(stacked, edges)[0])
    assert np.array_equal(grid.sums["size"], np.histogramdd(stacked, edges, weights=weights)[0])
    assert grid.total + grid.outside == rows


@pytest.mark.parametrize("axes", [("length", "quality"), ("length", "quality", "x")])
@pytest.mark.parametrize("threads", [1, 3])
def test_uneven_edges(axes: tuple[str, ...], threads: int) -> None:
    # Before the fix, bins were numbers only: no logarithmic scale.
    p = cloud(150_000)
    edges = [np.geomspace(1, 300, 41), [0, 1, 30, 41], np.array([-0.5, 0, 0.025, 7])][: len(axes)]
    grid = gv.voxelize(p, axes=axes, bins=edges, threads=threads)
    rows = values(p, axes)
    known = ~np.isnan(p.gc)
    assert np.array_equal(grid.counts, np.histogramdd(rows, edges)[0])
    sums, _ = np.histogramdd(rows[known], edges, weights=p.gc[known].astype(np.float64))
    assert np.array_equal(grid.sums["gc"], sums)


def test_numbers_of_bins_beside_edges() -> None:
    p = cloud()
    grid = gv.voxelize(p, axes=("length", "x"), bins=(np.arange(0, 301, 50), 7), sums=())
    again = gv.voxelize(p, axes=("length", "x"), bins=grid.edges, sums=())
    assert grid.shape == (6, 7)
    assert grid == again
    line = gv.voxelize(p, axes=["length"], bins=[0, 100, 1000], sums=())
    assert line.counts.tolist() == np.histogram(p.length, [0, 100, 1000])[0].tolist()


def test_the_cut_and_the_threads_do_not_show() -> None:
    # More rows than three threads take in a round, of which sums depend on their order.
    chance = np.random.default_rng(11)
    rows = 7 * 2**15 + 321
    p = cloud(rows)
    p.quality[:] = chance.normal(size=rows) * 10.0 ** chance.integers(0, 12, rows)
    limits: Any = {"bins": (3, 5), "bounds": [(0, 10), (0, 10)]}
    whole = gv.voxelize(p, **limits, threads=1)
    backwards = gv.voxelize(p[::-1], **limits)
    assert not np.array_equal(whole.sums["quality"], backwards.sums["quality"])
    for cut in (7_001, 70_000, rows):
        for threads in (1, 2, 5, None):
            grid = gv.VoxelGrid(whole.axes, whole.edges, whole.layout, tuple(whole.sums))
            for first in range(0, rows, cut):
                grid.add(p[first : first + cut], threads)
            assert grid == whole


@pytest.mark.parametrize("kind", ["i1", "u1", "?", "i2", "u2", "i4", "u4", "i8", "u8", "f8", ">f4"])
def test_columns_of_any_numbers(kind: str) -> None:
    numbers = np.arange(100).astype(kind)
    grid = gv.voxelize(line_of(numbers), bins=10, bounds=[(0, 50)], axes=["gc"], sums=["gc"])
    floats = numbers.astype(float)
    expected = [np.histogram(floats, 10, (0, 50), weights=w)[0] for w in (None, floats)]
    assert np.array_equal(grid.counts, expected[0])
    assert np.array_equal(grid.sums["gc"], expected[1])


def test_times_that_are_not_there() -> None:
    # Before the fix, they counted as outside, and made the extent a TypeError.
    times = np.array(["2024-01-01", "NaT", "2024-01-02", "NaT"], dtype="M8[us]")
    grid = gv.voxelize(line_of(times), bins=2, axes=["gc"], sums=["gc"])
    assert grid.counts.tolist() == [1, 1]
    assert (grid.outside, grid.unplaced) == (0, 2)
    assert grid.bounds[0] == (times[0].astype(int), times[2].astype(int))
    assert grid.sums["gc"].tolist() == [times[0].astype(int), times[2].astype(int)]


def test_rows_in_no_cell_are_counted() -> None:
    position = [[0.5, 0, 0], [np.nan, 0, 0], [np.nan, np.inf, 0], [2, 0, 0], [0, -np.inf, 0]]
    p = gv.Particles(
        {"position": np.array([*position, [1, 1, 0]], np.float32)}, gv.layouts.Spiral()
    )
    grid = gv.voxelize(p, bins=4, bounds=[(0, 1), (-1, 1)])
    assert (grid.total, grid.outside, grid.unplaced) == (2, 2, 2)
    assert grid.counts[2, 2] == grid.counts[3, 3] == 1


def test_a_value_that_is_none_is_left_out_and_counted() -> None:
    quality = np.array([10, np.nan, 30, np.nan], dtype=np.float32)
    p = line_of([0.1, 0.1, 0.1, 0.9], quality=quality)
    grid = gv.voxelize(p, bins=3, bounds=[(0, 1)], axes=["gc"], sums=["quality"])
    assert grid.counts.tolist() == [3, 0, 1]
    assert grid.sums["quality"].tolist() == [40, 0, 0]
    assert grid.missing["quality"].tolist() == [1, 0, 1]
    assert grid.known["quality"].tolist() == [2, 0, 0]
    assert np.array_equal(grid.mean("quality"), [20, np.nan, np.nan], equal_nan=True)


# ---------------------------------------------------------------------------------------------
# Extents
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0.25, 0.0, -1e17, 3e38, 1e-40, 1e300, -1.7976931348623157e308])
@pytest.mark.parametrize("bins", [1, 2, 1000])
def test_all_at_one_place(place: float, bins: int) -> None:
    # Before the fix, a half was lost beside a huge number, and there were no bins.
    grid = gv.voxelize(line_of([place] * 7), bins=bins, axes=["gc"], sums=())
    assert grid.total == 7
    low, high = grid.bounds[0]
    assert low <= place <= high
    assert high - low >= 1


def test_neighbouring_floats() -> None:
    numbers = [1e15, np.nextafter(1e15, 2e15)]
    grid = gv.voxelize(line_of(numbers), bins=256, axes=["gc"], sums=())
    assert grid.total == 2
    assert grid.bounds[0][0] < 1e15 < grid.bounds[0][1]


@pytest.mark.parametrize("bins", [1, 2, 7, 256])
def test_bounds_whose_distance_is_no_float(bins: int) -> None:
    # Before the fix, their distance was infinite, and so were the edges.
    numbers = np.array([-1e308, -5e307, 0.0, 1.0, 1e308, 1.1e308])
    limits = [(-1e308, 1e308)]
    grid = gv.voxelize(line_of(numbers), bins=bins, bounds=limits, axes=["gc"], sums=())
    assert np.isfinite(grid.edges[0]).all()
    assert grid.bounds[0] == limits[0]
    small = np.linspace(-1.0, 1.0, bins + 1)
    assert grid.counts.tolist() == np.histogram(numbers / 1e308, small)[0].tolist()
    assert grid.outside == 1
    assert gv.voxelize(line_of(numbers), bins=bins, axes=["gc"], sums=()).total == 6


@pytest.mark.parametrize("position", [np.empty((0, 3)), np.full((5, 3), np.nan)])
def test_nothing_to_place(position: np.ndarray) -> None:
    p = gv.Particles({"position": position.astype(np.float32)}, gv.layouts.Spiral())
    grid = gv.voxelize(p, bins=3)
    assert grid.bounds == ((0.0, 1.0), (0.0, 1.0))
    assert (grid.total, grid.unplaced) == (0, len(position))


# ---------------------------------------------------------------------------------------------
# Readers
# ---------------------------------------------------------------------------------------------


def test_a_reader_gives_what_its_particles_give() -> None:
    whole = gv.voxelize(gv.read_fastq(SAMPLE), bins=64)
    with gv.scan_fastq(SAMPLE) as reader:
        streamed = gv.voxelize(reader, bins=64, bounds=whole.bounds)
    assert np.array_equal(whole.counts, streamed.counts)
    assert np.array_equal(whole.sums["gc"], streamed.sums["gc"])


@pytest.mark.parametrize(
    ("layout", "axes", "bounds"),
    [
        ("composition", ("x", "z"), ((0.0, 1.0), (-1.0, 1.0))),
        ("composition", ("gc", "y"), ((0.0, 1.0), (-1.0, 1.0))),
        ("flowcell", ("gc",), ((0.0, 1.0),)),
    ],
)
def test_bounds_that_are_fixed(layout: str, axes: tuple[str, ...], bounds: Any) -> None:
    # Before the fix, a reader needed bounds for them.
    with gv.scan_fastq(SAMPLE, layout=layout) as reader:
        grid = gv.voxelize(reader, axes=axes, bins=20)
    assert grid.bounds == bounds
    assert grid.outside == 0
    assert grid == gv.voxelize(
        gv.read_fastq(SAMPLE, layout=layout), axes=axes, bins=20, bounds=bounds
    )


def test_channels_of_a_chip_are_its_bins() -> None:
    name = "0e9a1b2c-3d4e-4f5a-8b6c-7d8e9f0a1b2c runid=1 ch={} start_time=2024-01-01T00:00:00Z"
    text = "".join(f"@{name.format(i)}\nACGT\n+\nIIII\n" for i in range(1, 513)).encode()
    with gv.scan_fastq(text, layout=gv.layouts.Nanopore(model="minion")) as reader:
        grid = gv.voxelize(reader, bins=(32, 16))
    assert grid.bounds == ((-0.5, 31.5), (-0.5, 15.5))
    assert (grid.counts == 1).all()


@pytest.mark.parametrize("axes", [("x", "y"), ("length", "gc"), ("gc", "quality")])
def test_a_reader_needs_bounds_that_are_not_fixed(axes: tuple[str, ...]) -> None:
    reader = gv.scan_fastq(SAMPLE, layout="spiral")
    with pytest.raises(ValueError, match="bounds="):
        gv.voxelize(reader, axes=axes)
    assert len(reader.read()) == 7040  # nothing was read


def test_a_reader_in_less_memory_than_its_particles() -> None:
    source = b"@r\nACGGT\n+\nIIII5\n" * 900_000
    with gv.memory.Arena("10 MiB") as arena:
        columns = ["position", "gc"]
        with pytest.raises(gv.errors.ArenaFullError):
            gv.read_fastq(source, columns=columns, arena=arena)
        reader = gv.scan_fastq(source, columns=columns, arena=arena)
        grid = gv.voxelize(reader, bins=16)
        assert grid.total == 900_000
        assert list(grid.sums) == ["gc"]


def test_an_error_of_the_reader_is_raised() -> None:
    with pytest.raises(gv.errors.QualityMismatchError):
        gv.voxelize(gv.scan_fastq(b"@r\nACGT\n+\nIIII\n@s\nACGT\n+\nII\n", layout="composition"))


# ---------------------------------------------------------------------------------------------
# Grids of grids
# ---------------------------------------------------------------------------------------------


def test_grids_add_up() -> None:
    p = cloud()
    limits: Any = {"bins": 20, "bounds": [(0, 10), (0, 10)]}
    both = gv.voxelize(p[:20_000], **limits) + gv.voxelize(p[20_000:], **limits)
    whole = gv.voxelize(p, **limits)
    assert np.array_equal(both.counts, whole.counts)
    np.testing.assert_allclose(both.sums["gc"], whole.sums["gc"])
    assert (both.outside, both.unplaced) == (whole.outside, whole.unplaced)
    with pytest.raises(ValueError, match="same"):
        _ = whole + gv.voxelize(p, bins=21, bounds=limits["bounds"])
    with pytest.raises(TypeError):
        _ = whole + 1
    parts = [gv.voxelize(part, **limits, sums=["length"]) for part in (p[:9], p[9:400], p[400:])]
    assert sum(parts) == gv.voxelize(p, **limits, sums=["length"])  # whole numbers


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"edges": [[0, 1, 2], [0, 1, 3]]}, "edges"),
        ({"edges": [[0, 1, 2], [0, 3]]}, "shape"),
        ({"columns": ["gc"]}, "sums"),
        ({"axes": ("y", "x")}, "axes"),
        ({"layout": gv.layouts.Spiral()}, "layout"),
    ],
)
def test_other_grids_are_not_added(changed: dict[str, Any], what: str) -> None:
    options: dict[str, Any] = {
        "axes": ("x", "y"),
        "edges": [[0, 1, 2], [0, 1, 2]],
        "layout": gv.layouts.Composition(),
    }
    grid, other = gv.VoxelGrid(**options), gv.VoxelGrid(**options | changed)
    with pytest.raises(ValueError, match=f"different {what}"):
        _ = grid + other
    assert grid != other


def test_a_pickled_grid_is_the_same() -> None:
    grid = gv.voxelize(cloud(), bins=(10, 20), bounds=[(0.05, 0.4), (-0.2, 0.2)])
    copy = pickle.loads(pickle.dumps(grid))
    assert copy == grid
    assert (copy.outside, copy.unplaced) == (grid.outside, grid.unplaced)
    assert copy + grid == grid + grid


@pytest.mark.parametrize("factor", [1, 2, 3, 7, 100])
def test_downsampling_conserves(factor: int) -> None:
    grid = gv.voxelize(cloud(), bins=(40, 25), bounds=[(0, 10), (0, 10)])
    coarse = grid.downsample(factor)
    assert coarse.total == grid.total
    assert coarse.bounds == grid.bounds
    again, _ = np.histogramdd(values(cloud(), ("x", "y")), bins=coarse.edges)
    assert np.array_equal(coarse.counts, again)
    np.testing.assert_array_equal(
        coarse.sums["quality"],  # of whole numbers
        gv.voxelize(cloud(), bins=coarse.edges, sums=["quality"]).sums["quality"],
    )
    assert (coarse.outside, coarse.unplaced) == (grid.outside, grid.unplaced)
    along = grid.downsample((1, factor))
    assert along.edges[0].tolist() == grid.edges[0].tolist()
    assert along.edges[1].tolist() == coarse.edges[1].tolist()


def test_a_pyramid() -> None:
    levels = pyramid(gv.voxelize(cloud(), bins=500), least=64)
    assert [level.shape[0] for level in levels] == [500, 250, 125, 63]


# ---------------------------------------------------------------------------------------------
# Memory and threads
# ---------------------------------------------------------------------------------------------


def test_its_memory_is_the_voxels() -> None:
    before = gv.memory.stats().as_dict()["pools"]["voxels"]["in_use"]
    grid = gv.voxelize(cloud(), bins=300, sums=())
    in_use = gv.memory.stats().as_dict()["pools"]["voxels"]["in_use"]
    # Two cells more, of rows outside and unplaced, and the edges.
    assert in_use - before >= grid.nbytes == (300 * 300 + 2 + 2 * 301) * 8
    assert gv.voxelize(cloud(), bins=300, sums=()) == grid
    with gv.memory.Arena("64 KiB") as arena, pytest.raises(gv.errors.ArenaFullError):
        gv.voxelize(cloud(), bins=300, arena=arena)


def test_what_is_made_of_it_is_in_its_arena() -> None:
    # Before the fix, sums of grids, coarser grids and means were counted nowhere.
    p = cloud()
    with gv.memory.Arena("1 MiB") as arena:
        grid = gv.voxelize(p, bins=100, arena=arena)
        used = arena.used
        assert used >= 100 * 100 * 8 * 5
        mean = grid.mean("gc")
        assert arena.used - used >= 100 * 100 * 8
        coarse = grid.downsample(10)
        assert arena.used - used >= 100 * 100 * 8 + 10 * 10 * 8 * 5
        both = grid + grid
        assert arena.used - used >= 100 * 100 * 8 * 6
        with pytest.raises(gv.errors.ArenaFullError):
            _ = grid + both
        del grid, mean, coarse, both
        assert arena.used == 0


def test_memory_is_charged_before_edges_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    # Before the fix, the edges of a thousand million bins were made first: eight gigabytes.
    made: list[int] = []
    monkeypatch.setattr(np, "linspace", lambda *args: made.append(args[-1]))
    with gv.memory.Arena("1 MiB") as arena, pytest.raises(gv.errors.ArenaFullError):
        gv.voxelize(cloud(), axes=("x",), bins=1_000_000_000, arena=arena)
    assert made == []


@pytest.mark.parametrize("bins", [(10**6, 10**6), (2**31 - 2, 2**20), (10**9, 10**9, 10**9)])
def test_absurd_bins_are_a_memory_error(bins: tuple[int, ...]) -> None:
    gc.collect()  # as what refuses memory does
    used = gv.memory.stats().used
    with pytest.raises(gv.errors.MemoryAllocationError):
        gv.voxelize(cloud(), axes=("x", "y", "z")[: len(bins)], bins=bins)
    assert gv.memory.stats().used == used


def test_arrays_are_views_that_keep_their_memory() -> None:
    grid = gv.voxelize(cloud(), bins=40)
    counts, gc, edges = grid.counts, grid.sums["gc"], grid.edges[0]
    expected = counts.copy(), gc.copy(), edges.copy()
    before = grid.total
    grid.add(cloud())
    assert counts.sum() == 2 * before
    del grid
    other = gv.voxelize(cloud(), bins=40, bounds=[(50, 60), (50, 60)])
    assert other.total == 0
    assert np.array_equal(counts, expected[0] * 2)
    assert np.array_equal(gc, expected[1] * 2)
    assert np.array_equal(edges, expected[2])
    with pytest.raises(ValueError, match="read-only"):
        edges[0] = 1


def test_one_thread_at_a_time_adds() -> None:
    # Before the fix, two threads added to one grid, and each lost what the other had counted.
    many = np.broadcast_to(np.float64(0.5), 60_000_000)
    p = gv.Particles({"gc": many}, gv.layouts.Spiral())
    grid = gv.VoxelGrid(["gc"], [[0, 0.25, 0.75, 1]], p.layout, ["gc"])
    refused = 0
    adding = threading.Thread(target=grid.add, args=(p, 1))
    adding.start()
    while adding.is_alive() and grid.total == 0:
        time.sleep(0.0001)  # or it would be the one that is refused
    while adding.is_alive():
        for use in (
            lambda: grid.add(p[:1]),
            lambda: grid.mean("gc"),
            lambda: grid + grid,
            grid.downsample,
        ):
            try:
                use()
            except RuntimeError as error:
                assert "in use" in str(error)
                refused += 1
            else:
                break  # it is done
    adding.join()
    assert refused > 0
    assert grid.total >= 60_000_000
    assert grid.total == grid.counts[1] == 2 * grid.sums["gc"][1]


def test_a_long_call_can_be_interrupted() -> None:
    # Before the fix, a hundred million rows were one call into the core.
    import _thread

    p = gv.Particles({"gc": np.broadcast_to(np.float64(0.5), 2**40)}, gv.layouts.Spiral())
    grid = gv.VoxelGrid(["gc"], [[0, 1]], p.layout)
    stop = threading.Event()

    def interrupt() -> None:
        while not stop.is_set() and grid.total < 1:
            time.sleep(0.001)
        _thread.interrupt_main()

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    with pytest.raises(KeyboardInterrupt):
        grid.add(p)
    stop.set()
    waiting.join()
    assert 0 < grid.total < 2**40
    grid.add(p[:1])  # it is free again


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"bins": 0}, ValueError),
        ({"bins": (3, 3, 3)}, ValueError),
        ({"bins": 2.5}, TypeError),
        ({"bins": 100_000}, MemoryError),
        ({"bounds": [(0, 1)]}, ValueError),
        ({"bounds": [(0, 1), (1, 1)]}, ValueError),
        ({"bounds": [(0, 1), (0, np.inf)]}, ValueError),
        ({"bounds": [(1e15, 1e15 + 1), (0, 1)]}, ValueError),
        ({"bins": (2, [0, 1, 1])}, ValueError),
        ({"bins": (2, [0, np.nan, 1])}, ValueError),
        ({"bins": (2, [0])}, ValueError),
        ({"bins": ([0, 1], 2), "bounds": [(0, 1), (0, 1)]}, ValueError),
        ({"bins": "12"}, TypeError),
        ({"bins": (2, 2**31)}, ValueError),
        ({"bounds": 3}, TypeError),
        ({"bounds": [5, None]}, TypeError),
        ({"bounds": [(np.nan, 1), None]}, ValueError),
        ({"axes": "x"}, TypeError),
        ({"axes": ["x", 2]}, TypeError),
        ({"axes": ("x", "y", "z", "gc")}, ValueError),
        ({"sums": "gc"}, TypeError),
        ({"sums": list("abcdefghi")}, ValueError),
        ({"threads": 0}, ValueError),
        ({"arena": 5}, TypeError),
        ({"axes": ()}, ValueError),
        ({"axes": ("x", "x")}, ValueError),
        ({"axes": ("x", "channel")}, ValueError),
        ({"sums": ("name",)}, ValueError),
    ],
)
def test_arguments_that_make_no_sense(options: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        gv.voxelize(cloud(), **options)


def test_few_particles() -> None:
    for rows in (0, 1):
        grid = gv.voxelize(cloud()[1 : 1 + rows], bins=4)
        assert grid.total == rows
    same = cloud()[np.ones(5, dtype=int)]
    assert gv.voxelize(same, bins=(4, 4)).total == 5


def test_labels_and_words() -> None:
    p = gv.read_fastq(SAMPLE)
    grid = gv.voxelize(p, axes=("x", "quality"), bins=8)
    assert grid.labels == ("x (0.1 px)", "quality")
    assert repr(grid) == "<VoxelGrid x 8 × quality 8: 7,040 particles>"
    with pytest.raises(KeyError, match="length"):
        grid.mean("length")


def test_a_unit_that_has_parentheses_gets_no_others() -> None:
    # Before the fix, grids and viewers wrote "x (0.1 px (34 nm))", and pictures alone did not.
    layout = dataclasses.replace(gv.layouts.FlowCell(), units=("0.1 px (34 nm)", "", ""))
    grid = gv.VoxelGrid(["x"], [[0, 1]], layout)
    assert grid.labels == ("x, 0.1 px (34 nm)",)


def test_what_is_no_particles() -> None:
    with pytest.raises(TypeError, match=r"gv\.scan_fastq"):
        gv.voxelize("reads.fastq")  # type: ignore[arg-type]
    grid = gv.voxelize(cloud(), bins=4)
    with pytest.raises(TypeError, match="adds Particles"):
        grid.add([1.0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="layouts differ"):
        grid.add(gv.read_fastq(SAMPLE, layout="spiral"))


def test_the_core_checks_what_it_is_given() -> None:
    column, edges = np.zeros(4), np.arange(3.0)
    cells = np.zeros((3, 4), np.uint64)
    for bad in (np.zeros((2, 2)), np.zeros(4, "f2"), np.zeros(4, "c16"), np.array(["a"] * 4)):
        with pytest.raises(TypeError, match="columns are arrays"):
            _core.voxel_add(cells, (edges,), (bad,), (column,), 1, False)
        with pytest.raises(TypeError, match="columns are arrays"):
            _core.voxel_extent((column, bad))
    for bad in (
        edges[::-1],
        edges[:1],
        edges[::2][:0],
        np.array([0.0, np.nan]),
        edges.astype("f4"),
    ):
        with pytest.raises(ValueError, match="edges of an axis"):
            _core.voxel_add(cells, (bad,), (column,), (column,), 1, False)
    for bad in (cells[:2], cells[:, :3], cells.astype("i8"), cells[0], None):
        with pytest.raises(ValueError, match="cells of the grid"):
            _core.voxel_add(bad, (edges,), (column,), (column,), 1, False)  # type: ignore[arg-type]
    for axes in ((), (column,) * 2):
        with pytest.raises(ValueError, match="1 to 3 axes"):
            _core.voxel_add(cells, (edges,), axes, (column,), 1, False)
    with pytest.raises(ValueError, match="one length"):
        _core.voxel_add(cells, (edges,), (column,), (column[1:],), 1, False)
    for shift, factor, shape in ((1, 1, 2), (0, 0, 2), (-1, 1, 2), (0, 1, 3), (3, 2, 2)):
        with pytest.raises(ValueError):
            _core.voxel_merge(cells, (2,), cells.copy(), (shape,), (shift,), (factor,))
    assert cells.sum() == 0
    with pytest.raises(ValueError, match="one length"):
        GridCells((2,), 1).add([edges], [column], [column[1:]])
