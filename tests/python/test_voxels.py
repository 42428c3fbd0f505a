"""Grids against numpy.histogramdd, and what they promise beyond it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import genomevedic as gv
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


def test_a_reader_gives_what_its_particles_give() -> None:
    whole = gv.voxelize(gv.read_fastq(SAMPLE), bins=64)
    with gv.scan_fastq(SAMPLE) as reader:
        streamed = gv.voxelize(reader, bins=64, bounds=whole.bounds)
    assert np.array_equal(whole.counts, streamed.counts)
    assert np.array_equal(whole.sums["gc"], streamed.sums["gc"])
    with gv.scan_fastq(SAMPLE) as reader, pytest.raises(ValueError, match="bounds="):
        gv.voxelize(reader)


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


@pytest.mark.parametrize("factor", [1, 2, 3, 7, 100])
def test_downsampling_conserves(factor: int) -> None:
    grid = gv.voxelize(cloud(), bins=(40, 25), bounds=[(0, 10), (0, 10)])
    coarse = grid.downsample(factor)
    assert coarse.total == grid.total
    assert coarse.bounds == grid.bounds
    again, _ = np.histogramdd(values(cloud(), ("x", "y")), bins=coarse.edges)
    assert np.array_equal(coarse.counts, again)
    np.testing.assert_allclose(coarse.sums["quality"].sum(), grid.sums["quality"].sum())


def test_a_pyramid() -> None:
    levels = pyramid(gv.voxelize(cloud(), bins=500), least=64)
    assert [level.shape[0] for level in levels] == [500, 250, 125, 63]


def test_its_memory_is_the_voxels() -> None:
    before = gv.memory.stats().as_dict()["pools"]["voxels"]["in_use"]
    grid = gv.voxelize(cloud(), bins=300, sums=())
    in_use = gv.memory.stats().as_dict()["pools"]["voxels"]["in_use"]
    assert in_use - before >= grid.nbytes == 300 * 300 * 8
    with gv.memory.Arena("64 KiB") as arena, pytest.raises(gv.errors.ArenaFullError):
        gv.voxelize(cloud(), bins=300, arena=arena)


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
