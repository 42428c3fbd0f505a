"""Small things that make a picture readable: sizes of points, ticks, few reads, long rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import genomevedic as gv
import runs

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402

SAMPLE = gv.datasets.flowcell_sample()


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def given(position):
    return gv.Particles({"position": np.asarray(position, np.float32)}, gv.layouts.given())


def room(ax):
    """The area of axes in square typographic points."""
    box = ax.get_window_extent()
    return box.width * box.height * (72 / ax.figure.dpi) ** 2


def test_points_do_not_hide_one_another():
    position = np.zeros((10_000, 3))
    position[:, :2] = np.stack(np.meshgrid(np.arange(100), np.arange(100)), -1).reshape(-1, 2)
    points = gv.plot.scatter(given(position))
    covered = np.pi / 4 * points.get_sizes().sum() / room(points.axes)
    assert covered == pytest.approx(0.6, rel=0.01)


def test_few_points_are_not_lost():
    points = gv.plot.scatter(given([[0, 0, 0], [1e6, 1e6, 0]]))
    np.testing.assert_allclose(np.sqrt(points.get_sizes()), 3.0)


@pytest.mark.parametrize("size", [(6.4, 4.8), (4.0, 3.0)])
@pytest.mark.parametrize(
    "draw",
    [
        gv.plot.flowcell,
        lambda path: gv.plot.flowcell(path, cycles=25),
        lambda path: gv.plot.density(gv.read_fastq(path)),
        lambda path: gv.plot.scatter(gv.read_fastq(path)),
        lambda path: gv.plot.hist(gv.read_fastq(path), "quality"),
        lambda path: gv.plot.gc_quality(gv.read_fastq(path)),
    ],
)
def test_no_label_is_cut_off_in_a_figure_of_ones_own(draw, size):
    """What one line gives, with Matplotlib as it is."""
    figure = plt.figure(figsize=size)
    draw(SAMPLE)
    figure.draw_without_rendering()
    whole = figure.bbox.padded(1)
    for ax in figure.axes:
        seen = ax.get_tightbbox()
        assert whole.x0 <= seen.x0 and whole.y0 <= seen.y0
        assert seen.x1 <= whole.x1 and seen.y1 <= whole.y1
    plt.tight_layout()


@pytest.mark.parametrize("draw", [gv.plot.scatter, gv.plot.density])
@pytest.mark.parametrize("extent", [(1e4, 3.0), (0.0, 1e3)])
def test_a_long_row_is_not_a_thin_line(draw, extent):
    ax = draw(given([[0, 0, 0], [*extent, 0]])).axes
    ax.apply_aspect()
    box = ax.get_position()
    assert 0.1 < box.width / box.height < 10


def test_a_long_row_of_tiles_is_not_a_thin_line():
    text = runs.flow_cell(instrument="SIM1", lanes=1, swaths=1, tiles=60, reads=3)
    ax = gv.plot.flowcell(text).axes
    ax.apply_aspect()
    box = ax.get_position()
    assert 0.1 < box.width / box.height < 10


def test_one_read_of_a_flow_cell_is_seen():
    text = runs.flow_cell(instrument="SIM1", lanes=1, swaths=1, tiles=1, reads=1)
    one = gv.read_fastq(text, layout="flowcell", columns=["position", "quality", "lane", "tile"])
    image = gv.plot.flowcell(one[:1])
    path, transform = image.get_clip_path().get_transformed_path_and_affine()
    seen = transform.transform_path(path).get_extents()
    whole = image.axes.get_window_extent()
    assert seen.width > 0.5 * whole.width and seen.height > 0.5 * whole.height


def test_cycles_leave_no_room_for_tiles_that_are_not_there():
    tiles = gv.plot.flowcell(SAMPLE, cycles=75)
    corners = np.concatenate([path.vertices for path in tiles.get_paths()])
    bottom, top = tiles.axes.get_ylim()
    height = np.ptp(corners[:, 1])
    assert corners[:, 1].min() - bottom < 0.2 * height
    assert top - corners[:, 1].max() < 0.3 * height


@pytest.mark.parametrize("width", [3.5, 5.0, 6.4, 9.0, 14.0])
@pytest.mark.parametrize("layout", [None, "constrained", "compressed"])
def test_names_of_surfaces_do_not_lie_over_each_other(width, layout):
    figure = plt.figure(figsize=(width, 4.8), layout=layout)
    ax = gv.plot.flowcell(SAMPLE, cycles=15).axes
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels(minor=True)]
    assert len(boxes) >= 4
    assert all(a.x1 <= b.x0 for a, b in itertools.pairwise(boxes))


def test_axes_in_space_have_more_than_two_numbers():
    points = gv.plot.scatter(gv.read_fastq(SAMPLE, layout="composition"), projection="3d")
    low, high = points.axes.get_xlim()
    ticks = [tick for tick in points.axes.get_xticks() if low <= tick <= high]
    assert len(ticks) > 2
    plt.figure()
    surfaces = gv.plot.scatter(given([[0, 0, 1], [5.5, 3, 2], [1, 2, 1]]), projection="3d").axes
    assert all(tick % 1 == 0 for tick in surfaces.get_zticks())


def test_a_short_logarithmic_bar_has_numbers_between_powers_of_ten():
    particles = gv.read_fastq(SAMPLE, layout="composition")
    image = gv.plot.density(particles, (0, 2))
    (bar,) = [ax for ax in image.figure.axes if ax.get_label() == "<colorbar>"]
    low, high = image.get_clim()
    ticks = [tick for tick in bar.get_yticks() if low <= tick <= high]
    assert {1, 2, 5, 10, 20, 50} <= set(np.rint(ticks).astype(int).tolist())


def test_qualities_of_reads_that_are_left_out_take_no_room():
    particles = gv.read_fastq(SAMPLE)
    known = particles.quality[np.isfinite(particles.gc)]
    assert particles.quality.min() < 5 < known.min() - 5, "reads of N alone are of low quality"
    mesh = gv.plot.gc_quality(particles)
    assert mesh.axes.get_ylim()[0] == np.floor(known.min())


def test_a_histogram_of_whole_numbers_has_a_bar_for_each():
    particles = gv.read_fastq(SAMPLE, columns=["lane"])
    bars = gv.plot.hist(particles, "lane")
    middles = [bar.get_x() + bar.get_width() / 2 for bar in bars]
    np.testing.assert_allclose(middles, [1, 2])
    assert [bar.get_height() for bar in bars] == [3520, 3520]
    assert all(tick % 1 == 0 for tick in plt.gca().get_xticks())


def test_nothing_has_no_made_up_numbers():
    gv.plot.chip(b"")
    assert len(plt.gca().get_xticks()) == len(plt.gca().get_yticks()) == 0
    plt.figure()
    gv.plot.hist(gv.read_fastq(b""), "quality")
    low, high = plt.gca().get_xlim()
    assert low < 0 < 40 < high


def test_a_measure_is_called_what_its_axis_is_called():
    particles = gv.read_fastq(SAMPLE, layout="spiral")
    image = gv.plot.density(particles, color="gc")
    said = " ".join(" ".join(text.get_text() for text in image.axes.texts).split())
    assert said == "12 of 7,040 reads have no GC content and are left out."
