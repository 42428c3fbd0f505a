"""Pictures of whole runs: what was drawn, that no read is missing, and what they look like."""

import collections
import itertools
import re

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.image import AxesImage, imread
from matplotlib.lines import Line2D
from matplotlib.text import Text

import genomevedic as gv
import runs
from genomevedic.plot import watching
from support import REPO

SAMPLE = gv.datasets.flowcell_sample()
BASELINES = REPO / "tests" / "pictures"


@pytest.fixture(autouse=True)
def no_figure_left_open():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def composition():
    return gv.read_fastq(SAMPLE, layout="composition")


@pytest.fixture(scope="module")
def flow_cell():
    return gv.read_fastq(SAMPLE, layout="flowcell", columns=[*gv.DEFAULT_COLUMNS, "lane", "tile"])


@pytest.fixture(scope="module")
def chip_run():
    rng = np.random.default_rng(5)
    return runs.nanopore(rng.integers(1, 400, 900).tolist())


def words(ax):
    return " ".join(" ".join(text.get_text() for text in ax.texts).split())


def bar_of(artist):
    """The axes of the colour bar that shares the artist's figure."""
    (found,) = [ax for ax in artist.figure.axes if ax.get_label() == "<colorbar>"]
    return found


def given(position, **columns):
    """Particles at these places."""
    position = np.asarray(position, np.float32).reshape(-1, 3)
    columns = {name: np.asarray(column) for name, column in columns.items()}
    return gv.Particles({"position": position} | columns, gv.layouts.given())


# --- No read is missing ---------------------------------------------------------------------------


def spoilt(layout):
    """Reads of which some have no place, no GC content, no quality or no length."""
    n = 1000
    rng = np.random.default_rng(8)
    position = rng.integers(0, 30, (n, 3)).astype(np.float32)
    gc, quality = rng.random(n, np.float32), rng.normal(30, 3, n).astype(np.float32)
    length = rng.integers(50, 5000, n).astype(np.uint32)
    position[:7], gc[5:12], quality[10:30], length[25:28] = np.nan, np.nan, np.nan, 0
    if layout.name == "flowcell":
        position[:, :2] *= 1000
        position[:, 2] = rng.integers(1, 3, n)
        position[:7] = np.nan
    if layout.name == "nanopore":
        position[:, 0], position[:, 1] = rng.integers(0, 32, n), rng.integers(0, 16, n)
        position[:7] = np.nan
    columns = {"position": position, "gc": gc, "quality": quality, "length": length}
    return gv.Particles(columns, layout)


def settled(text):
    return gv.read_fastq(text).layout


COMPOSITION = gv.layouts.Composition()
FLOWCELL = settled(runs.flow_cell(instrument="SIM1", flow_cell="X", reads=1))
NANOPORE = settled(runs.nanopore([1, 300]))


def image_counts(image):
    """How many reads an image of counts shows."""
    return int(image.get_array().sum())


EVERY_HELPER = {
    "scatter": (COMPOSITION, lambda p: len(gv.plot.scatter(p, color="red").get_offsets())),
    "scatter sampled": (
        COMPOSITION,
        lambda p: len(gv.plot.scatter(p, color="red", max_points=100, rng=1).get_offsets()),
    ),
    "scatter as density": (
        COMPOSITION,
        lambda p: image_counts(gv.plot.scatter(p, color="red", max_points=100)),
    ),
    "scatter in space": (
        COMPOSITION,
        lambda p: gv.plot.scatter(p, projection="3d").get_sizes().size,
    ),
    "density": (COMPOSITION, lambda p: image_counts(gv.plot.density(p))),
    "density within bounds": (
        COMPOSITION,
        lambda p: image_counts(gv.plot.density(p, bounds=((0, 9), (3, 20)))),
    ),
    "hist": (COMPOSITION, lambda p: sum(bar.get_height() for bar in gv.plot.hist(p, "gc"))),
    "gc_quality": (COMPOSITION, lambda p: image_counts(gv.plot.gc_quality(p))),
    "length_quality": (COMPOSITION, lambda p: image_counts(gv.plot.length_quality(p))),
    "chip": (NANOPORE, lambda p: image_counts(gv.plot.chip(p))),
}


@pytest.mark.filterwarnings("ignore:.*(each cell shows|chosen at random)")
@pytest.mark.parametrize("name", EVERY_HELPER)
def test_every_read_is_drawn_or_said_not_to_be(name):
    layout, draw = EVERY_HELPER[name]
    particles = spoilt(layout)
    drawn = draw(particles)
    ax = plt.gcf().axes[0]
    said = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) of 1,000 reads", words(ax))]
    assert 0 < drawn < len(particles)
    chosen = re.findall(r"([\d,]+) of ([\d,]+) reads are drawn", words(ax))
    of = [int(total) for _, total in chosen]
    assert (of[0] if of else drawn) + sum(said) == len(particles)
    assert not chosen or int(chosen[0][0]) == drawn


def test_a_flow_cell_and_a_yield_leave_no_read_out():
    # Their artists show means and sums, so these must come out.
    particles = spoilt(FLOWCELL)
    image = gv.plot.flowcell(particles, color="length")
    placed = np.isfinite(particles.position[:, 0])
    assert words(image.axes) == "7 of 1,000 reads have no place and are not drawn."
    cells = image.get_array()
    assert cells.min() >= 0 and cells.max() <= particles.length.max()
    plt.figure()
    gv.plot.flowcell(particles)
    assert "23 of 1,000 reads have no quality" not in words(plt.gca())
    lacking = int((placed & np.isnan(particles.quality)).sum())
    assert f"{lacking} of 1,000 reads have no quality and are left out." in words(plt.gca())
    plt.figure()
    run = spoilt(NANOPORE)
    line = gv.plot.yield_over_time(run)
    assert line.get_ydata()[-1] == run.length[np.isfinite(run.position[:, 2])].sum()
    assert words(line.axes) == "7 of 1,000 reads have no time and are left out."


# --- Empty, one, equal, nowhere -------------------------------------------------------------------

ODD = {
    "none": lambda p: p[:0],
    "one": lambda p: p[500:501],
    "equal": lambda p: p[np.full(300, 500)],
    "nowhere": lambda p: p[:5],
}
DRAW = {
    "scatter": (COMPOSITION, gv.plot.scatter),
    "scatter in space": (COMPOSITION, lambda p: gv.plot.scatter(p, projection="3d")),
    "density": (COMPOSITION, gv.plot.density),
    "density of gc": (COMPOSITION, lambda p: gv.plot.density(p, color="gc")),
    "density of quality": (COMPOSITION, lambda p: gv.plot.density(p, color="quality")),
    "density with bins": (COMPOSITION, lambda p: gv.plot.density(p, bins=10)),
    "hist": (COMPOSITION, lambda p: gv.plot.hist(p, "length")),
    "gc_quality": (COMPOSITION, gv.plot.gc_quality),
    "length_quality": (COMPOSITION, gv.plot.length_quality),
    "overview": (COMPOSITION, gv.plot.overview),
    "flowcell": (FLOWCELL, gv.plot.flowcell),
    "deviation": (FLOWCELL, lambda p: gv.plot.flowcell(p, color="deviation")),
    "nanopore": (NANOPORE, gv.plot.nanopore),
    "chip of quality": (NANOPORE, lambda p: gv.plot.chip(p, color="quality")),
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("name", DRAW)
def test_odd_particles_give_a_picture(name, what, tmp_path):
    layout, draw = DRAW[name]
    draw(ODD[what](spoilt(layout)))
    figure = plt.gcf()
    figure.savefig(tmp_path / "odd.png")
    said = " ".join(words(ax) for ax in figure.axes)
    assert ("There are no reads." in said) == (what == "none")
    if what == "nowhere" and name not in ("hist", "length_quality", "gc_quality"):
        assert "5 of 5 reads have no place" in said


def test_an_empty_file_gives_a_picture(tmp_path):
    for draw in (gv.plot.flowcell, gv.plot.nanopore, gv.plot.chip, gv.plot.yield_over_time):
        plt.figure()
        draw(b"")
        assert "There are no reads." in " ".join(words(ax) for ax in plt.gcf().axes)
    plt.figure()
    gv.plot.flowcell(b"", cycles=10)
    plt.gcf().savefig(tmp_path / "none.png")
    assert "There are no reads." in words(plt.gcf().axes[0])


# --- density --------------------------------------------------------------------------------------


def test_density_counts_as_numpy_does(composition):
    bounds = ((-0.25, 1.0), (-1.0, 1.0))
    image = gv.plot.density(composition, (0, 2), bins=(40, 64), bounds=bounds)
    assert isinstance(image, AxesImage)
    x, _, z = composition.position[np.isfinite(composition.position[:, 0])].T.astype(float)
    counts = np.histogram2d(x, z, (40, 64), bounds)[0].T
    np.testing.assert_array_equal(image.get_array().filled(0), counts)
    np.testing.assert_array_equal(image.get_array().mask, counts == 0)
    assert image.get_extent() == [-0.25, 1.0, -1.0, 1.0]


def test_density_of_means(flow_cell):
    image = gv.plot.density(flow_cell, color="quality", bins=12, bounds=((0, 8e5), (0, 4e5)))
    x, y, _ = flow_cell.position.T.astype(float)
    sums, counts = (
        np.histogram2d(x, y, 12, ((0, 8e5), (0, 4e5)), weights=weights)[0].T
        for weights in (flow_cell.quality.astype(float), None)
    )
    shown = image.get_array()
    np.testing.assert_array_equal(shown.mask, counts == 0)
    np.testing.assert_allclose(shown.compressed(), (sums / np.maximum(counts, 1))[counts > 0])
    assert bar_of(image).get_ylabel() == "Mean quality (Phred)"


def test_a_reader_gives_the_density_of_its_particles(composition):
    first = gv.plot.density(composition, (0, 2))
    plt.figure()
    with gv.scan_fastq(SAMPLE, layout="composition") as reader:
        second = gv.plot.density(reader, (0, 2))
    np.testing.assert_array_equal(first.get_array().filled(0), second.get_array().filled(0))
    assert first.get_extent() == second.get_extent()
    assert words(second.axes) == "12 of 7,040 reads have no place and are not drawn."


def test_cells_of_a_density_follow_the_lattice_of_its_places(composition):
    image = gv.plot.density(composition, (0, 2))
    left, right, _, _ = image.get_extent()
    cell = (right - left) / image.get_array().shape[1]
    # Of 75 bases, places are 2/75 apart.
    assert cell * 75 / 2 == pytest.approx(round(cell * 75 / 2))
    counts = image.get_array().filled(0)
    assert counts.sum() == 7028
    assert (counts[counts.shape[0] // 2 - 8 :, 2] > 0).mean() > 0.5, "there is a comb"


def test_wide_counts_are_logarithmic_and_others_begin_at_zero(composition):
    image = gv.plot.density(composition, (0, 2))
    assert isinstance(image.norm, LogNorm)
    plt.figure()
    even = given(np.stack(np.meshgrid(np.arange(40), np.arange(40), 0), -1))
    image = gv.plot.density(even, bins=10)
    assert not isinstance(image.norm, LogNorm)
    assert image.get_clim() == (0.0, 16.0)
    plt.figure()
    image = gv.plot.density(composition, (0, 2), norm="linear", cmap="cividis")
    assert not isinstance(image.norm, LogNorm) and image.get_cmap().name == "cividis"


def test_the_bar_has_an_arrow_where_values_go_on(flow_cell):
    image = gv.plot.density(flow_cell, color="quality")
    low, high = image.get_clim()
    values = image.get_array().compressed()
    extend = image.colorbar.extend
    assert (extend in ("min", "both")) == (values < low).any()
    assert (extend in ("max", "both")) == (values > high).any()
    assert (values < low).any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bins": 0}, "bins must be at least 1"),
        ({"bounds": ((0, 1), (1, 1))}, "bounds are two pairs"),
        ({"bounds": ((0, np.nan), (0, 1))}, "bounds are two pairs"),
        ({"bounds": (0, 1)}, "bounds are two pairs"),
        ({"axes": (0, 0)}, "axes must be two different numbers"),
        ({"color": "name"}, "one number a read"),
        ({"color": "zmw"}, "no column 'zmw'"),
    ],
)
def test_density_refuses(composition, arguments, words):
    with pytest.raises(ValueError, match=words):
        gv.plot.density(composition, **arguments)


def test_a_reader_needs_bounds_with_bins():
    with gv.scan_fastq(SAMPLE) as reader, pytest.raises(ValueError, match="needs bounds="):
        gv.plot.density(reader, bins=10)


def test_too_many_points_become_a_density_of_all(composition):
    with pytest.warns(UserWarning, match="each cell shows the mean") as told:
        image = gv.plot.scatter(composition, (0, 2), max_points=100, s=3.0, vmin=0.2, vmax=0.7)
    assert told[0].filename == __file__
    assert isinstance(image, AxesImage)
    assert image.get_clim() == (0.2, 0.7)
    assert bar_of(image).get_ylabel() == "GC content"
    assert "More than 100 reads: each cell shows the mean of the reads in it." in words(image.axes)
    with pytest.warns(UserWarning, match="each cell shows the mean"):
        assert gv.plot.overview(composition, max_points=100).axes[0].images


# --- scatter in space -----------------------------------------------------------------------------


def test_scatter_in_space(composition):
    points = gv.plot.scatter(composition, projection="3d")
    ax = points.axes
    assert ax.name == "3d"
    drawn = np.column_stack(points._offsets3d)
    known = composition.position[np.isfinite(composition.position[:, 0])]
    np.testing.assert_allclose(drawn, known)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_zlabel()) == composition.layout.axes
    assert words(ax) == "12 of 7,040 reads have no place and are not drawn."
    again = gv.plot.scatter(composition, (2, 0, 1), projection="3d", legend=False)
    assert again.axes is ax, "the current axes are three-dimensional"


def test_scatter_in_space_takes_axes_and_makes_them(composition):
    ax = plt.figure().add_subplot(projection="3d")
    assert gv.plot.scatter(composition, ax=ax).axes is ax
    flat = plt.figure().add_subplot()
    assert gv.plot.scatter(composition, projection="3d").axes.figure is not flat.figure
    with pytest.raises(ValueError, match="these axes are flat"):
        gv.plot.scatter(composition, ax=flat, projection="3d")
    with pytest.raises(ValueError, match="projection is '3d'"):
        gv.plot.scatter(composition, projection="polar")
    with pytest.raises(ValueError, match="axes must be three different"):
        gv.plot.scatter(composition, (0, 1), projection="3d")


def test_points_in_space_are_neither_dust_nor_balloons(composition, flow_cell):
    for particles in (composition, flow_cell, composition[:3]):
        plt.figure()
        points = gv.plot.scatter(particles, projection="3d")
        assert 1.5 - 1e-6 <= np.sqrt(np.median(points.get_sizes())) <= 6.0 + 1e-6


def test_too_many_points_in_space_are_a_sample(composition):
    with pytest.warns(UserWarning, match="300 of 7,028 reads are drawn, chosen at random"):
        points = gv.plot.scatter(composition, projection="3d", max_points=300)
    assert points.get_sizes().size == 300
    assert "300 of 7,028 reads are drawn" in words(points.axes)


def test_the_kind_of_a_layout_is_said(flow_cell, composition):
    assert gv.plot.scatter(flow_cell).axes.get_xlabel() == "x (0.1 px)\nflowcell layout, schematic"
    plt.figure()
    assert gv.plot.density(composition).axes.get_xlabel() == composition.layout.axes[0]
    points = gv.plot.scatter(flow_cell, projection="3d")
    assert words(points.axes) == "flowcell layout, schematic"


# --- flowcell -------------------------------------------------------------------------------------


def outlines(ax):
    (found,) = [c for c in ax.collections if c.get_label() == "_tiles"]
    return found


def minor_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels(minor=True)]


def major_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_flowcell_is_stitched_labelled_and_outlined(flow_cell):
    image = gv.plot.flowcell(flow_cell, orientation="vertical")
    ax = image.axes
    assert major_labels(ax.xaxis) == ["1", "2", "1", "2"]
    assert minor_labels(ax.xaxis) == ["surface 1", "surface 2"]
    assert ax.get_xlabel() == "Lane\nflowcell layout, schematic"
    assert major_labels(ax.yaxis) == ["1", "2", "3", "4"]
    assert "0.1 px" in ax.get_ylabel()
    assert bar_of(image).get_ylabel() == "Mean quality (Phred)"
    assert len(outlines(ax).get_paths()) == 16
    assert words(ax) == ""


def test_outlines_are_as_large_as_what_was_seen(flow_cell):
    image = gv.plot.flowcell(flow_cell, orientation="vertical")
    sizes = sorted(
        tuple(np.ptp(path.vertices, axis=0)) for path in outlines(image.axes).get_paths()
    )
    expected = []
    for lane, tile in itertools.product((1, 2), (1101, 1102, 1103, 1104, 2101, 2102, 2103, 2104)):
        seen = flow_cell.position[(flow_cell.lane == lane) & (flow_cell.tile == tile), :2]
        assert len(seen) == 440
        expected.append(tuple(np.ptp(seen, axis=0).astype(float)))
    np.testing.assert_allclose(sizes, sorted(expected), rtol=1e-6)
    boxes = [path.get_extents() for path in outlines(image.axes).get_paths()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_the_bubble_is_where_it_was(flow_cell):
    image = gv.plot.flowcell(flow_cell, orientation="vertical")
    left, right, bottom, top = image.get_extent()
    values = image.get_array()
    rows, columns = np.nonzero(values.filled(99) < 20)
    assert len(rows) > 3
    x = left + (np.median(columns) + 0.5) * (right - left) / values.shape[1]
    y = bottom + (np.median(rows) + 0.5) * (top - bottom) / values.shape[0]
    lane_1 = image.axes.get_xticks()[0]
    second, third = image.axes.get_yticks()[1:3]
    # On lane 1, surface 1, centred near the seam of tiles 2 and 3.
    assert abs(x - lane_1) < 0.3 * (third - second)
    assert second < y < third


def test_means_of_a_flow_cell_are_those_of_its_reads(flow_cell):
    # One cell a tile and more, so the mean of all reads comes out as a mean of cells, nearly.
    image = gv.plot.flowcell(flow_cell)
    assert image.get_array().mean() == pytest.approx(float(flow_cell.quality.mean()), abs=0.3)
    plt.figure()
    deviation = gv.plot.flowcell(flow_cell, color="deviation")
    np.testing.assert_allclose(
        deviation.get_array().compressed() - image.get_array().compressed(),
        -flow_cell.quality.astype(float).mean(),
    )
    low, high = deviation.get_clim()
    assert low == -high
    assert bar_of(deviation).get_ylabel() == "Mean quality less that of all reads (Phred)"


def test_paths_readers_and_bare_particles_give_the_same_flow_cell(flow_cell):
    first = gv.plot.flowcell(flow_cell)
    corners = [path.vertices for path in outlines(first.axes).get_paths()]
    with gv.scan_fastq(SAMPLE, columns=["position", "quality"]) as reader:
        # Without the columns lane and tile, tiles are those of the grid.
        for source in (SAMPLE, gv.read_fastq(SAMPLE), reader):
            plt.figure()
            image = gv.plot.flowcell(source)
            np.testing.assert_allclose(image.get_array().filled(0), first.get_array().filled(0))
            others = [path.vertices for path in outlines(image.axes).get_paths()]
            np.testing.assert_allclose(
                sorted(map(np.ravel, others), key=tuple), sorted(map(np.ravel, corners), key=tuple)
            )


def test_order_of_reads_does_not_count(flow_cell):
    first = gv.plot.flowcell(flow_cell)
    shuffled = flow_cell[np.random.default_rng(2).permutation(len(flow_cell))]
    plt.figure()
    second = gv.plot.flowcell(shuffled)
    np.testing.assert_allclose(first.get_array().filled(0), second.get_array().filled(0))
    assert len(outlines(second.axes).get_paths()) == 16


def test_a_lying_flow_cell_has_its_first_lane_above(flow_cell):
    image = gv.plot.flowcell(flow_cell, orientation="horizontal")
    ax = image.axes
    assert major_labels(ax.yaxis) == ["1", "2", "1", "2"]
    assert ax.get_yticks()[0] > ax.get_yticks()[1] > ax.get_yticks()[2]
    assert ax.get_xlabel().endswith("flowcell layout, schematic")
    plt.figure()
    standing = gv.plot.flowcell(flow_cell, orientation="vertical")
    np.testing.assert_array_equal(
        image.get_array().filled(0), standing.get_array().filled(0).T[::-1]
    )


@pytest.mark.parametrize("has_tiles", [True, False])
def test_a_physical_flow_cell_is_measured_in_millimetres(has_tiles):
    columns = ["position", "quality", *(["lane", "tile"] if has_tiles else [])]
    particles = gv.read_fastq(runs.flow_cell(), columns=columns)
    assert particles.layout.kind == "physical"
    image = gv.plot.flowcell(particles, orientation="vertical")
    ax = image.axes
    assert ax.get_ylabel() == "y (mm)"
    assert ax.get_xlabel() == "Lane\nflowcell layout, physical"
    assert len(outlines(ax).get_paths()) == 2 * 2 * 2 * 3
    assert major_labels(ax.xaxis) == ["1", "2", "1", "2"]
    ticks = [float(label) for label in major_labels(ax.yaxis)]
    np.testing.assert_allclose(ax.get_yticks() * 34.78e-6, ticks)
    # A read at y stands there, in these units.
    assert ax.get_ylim()[1] > particles.position[:, 1].max()


def test_surfaces_beside_each_other_are_labelled_too():
    layout = gv.layouts.FlowCell(surfaces="beside")
    particles = gv.read_fastq(runs.flow_cell(instrument="SIM1", flow_cell="X"), layout=layout)
    image = gv.plot.flowcell(particles, orientation="vertical")
    assert len(outlines(image.axes).get_paths()) == 2 * 2 * 2 * 3
    assert sorted(major_labels(image.axes.xaxis)) == ["1", "1", "2", "2"]


def test_flowcell_of_other_columns(flow_cell):
    image = gv.plot.flowcell(flow_cell, color="gc", cmap="cividis", vmin=0.2, vmax=0.8)
    assert image.get_clim() == (0.2, 0.8) and image.get_cmap().name == "cividis"
    assert bar_of(image).get_ylabel() == "GC content"
    plt.figure()
    image = gv.plot.flowcell(flow_cell, outlines=False, legend=False)
    assert outlines(image.axes).get_linewidths()[0] == 0
    assert len(plt.gcf().axes) == 1


def test_flowcell_refuses(flow_cell, composition):
    with pytest.raises(ValueError, match="in the layout 'composition'"):
        gv.plot.flowcell(composition)
    with pytest.raises(ValueError, match="orientation"):
        gv.plot.flowcell(flow_cell, orientation="round")
    with pytest.raises(ValueError, match="'error_quality'"):
        gv.plot.flowcell(flow_cell, color="error_quality")
    with pytest.raises(gv.errors.NoCoordinatesError):
        gv.plot.flowcell(b"@read1\nACGT\n+\nIIII\n")


# --- flowcell, by cycle ---------------------------------------------------------------------------


def test_flowcell_by_cycle():
    tiles = gv.plot.flowcell(SAMPLE, cycles=20)
    assert isinstance(tiles, PolyCollection)
    table = gv.tiles(SAMPLE, cycles=20)
    np.testing.assert_array_equal(tiles.get_array(), table.cycles.mean_quality)
    assert len(tiles.get_paths()) == 16 * 4
    said = words(tiles.axes)
    for cycles in ("cycles 1–20", "cycles 21–40", "cycles 41–60", "cycles 61–75"):
        assert cycles in said
    boxes = [path.get_extents().shrunk(0.999, 0.999) for path in tiles.get_paths()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("orientation", ["vertical", "horizontal", "auto"])
def test_flowcell_of_a_table(orientation):
    table = gv.tiles(SAMPLE)
    tiles = gv.plot.flowcell(table, color="deviation", orientation=orientation)
    np.testing.assert_array_equal(tiles.get_array(), table.quality_deviation)
    low, high = tiles.get_clim()
    assert low == -high
    plt.figure()
    reads = gv.plot.flowcell(table, color="reads", vmin=0, orientation=orientation)
    assert set(reads.get_array()) == {440} and reads.get_clim()[0] == 0
    with pytest.raises(ValueError, match="no column 'length'"):
        gv.plot.flowcell(table, color="length")


def test_reads_without_a_tile_are_counted():
    table = gv.tiles(runs.flow_cell(reads=2) + b"@other\nACGT\n+\nIIII\n", unplaced="nan")
    with pytest.MonkeyPatch.context():
        tiles = gv.plot.flowcell(table)
    assert words(tiles.axes) == "1 of 49 reads names no tile and is not drawn."


# --- nanopore -------------------------------------------------------------------------------------


def test_chip_counts_the_reads_of_each_channel(chip_run):
    image = gv.plot.chip(chip_run)
    particles = gv.read_fastq(chip_run)
    counted = collections.Counter(map(tuple, particles.position[:, :2].astype(int).tolist()))
    shown = image.get_array().filled(0)
    assert shown.shape == (16, 32)
    assert {
        (column, row): shown[row, column] for row, column in np.argwhere(shown).tolist()
    } == counted
    silent = 512 - len(counted)
    assert words(image.axes) == f"{silent} of 512 channels have no read."
    assert image.axes.get_xlabel() == "column\nminion chip, physical"
    assert bar_of(image).get_ylabel() == "Reads"
    assert image.get_clim() == (0, max(counted.values()))


def test_a_flongle_has_no_channel_in_its_corners():
    image = gv.plot.chip(runs.nanopore([1, 12, 13, 126], flow_cell="ABC123"))
    ground = next(each for each in image.axes.images if each is not image)
    assert ground.get_label() == "_channels"
    assert int((~ground.get_array().mask).sum()) == 126
    assert words(image.axes) == "122 of 126 channels have no read."


def test_chip_of_means(chip_run):
    particles = gv.read_fastq(chip_run)
    image = gv.plot.chip(particles, color="length")
    column, row = particles.position[0, :2].astype(int)
    here = (particles.position[:, :2] == (column, row)).all(axis=1)
    assert image.get_array()[row, column] == pytest.approx(particles.length[here].mean())
    assert bar_of(image).get_ylabel() == "Length (bases)"


def test_the_yield_is_the_sum_of_the_bases(chip_run):
    line = gv.plot.yield_over_time(chip_run, color="red", label="run")
    assert isinstance(line, Line2D)
    particles = gv.read_fastq(chip_run)
    hours, bases = line.get_data()
    assert bases[0] == 0 and bases[-1] == particles.length.sum()
    assert (np.diff(bases) >= 0).all() and (np.diff(hours) > 0).all()
    for i in range(0, len(hours), 50):
        # A read at the very end of a step belongs to the next.
        assert bases[i] == particles.length[particles.position[:, 2] < hours[i]].sum()
    assert (line.get_color(), line.get_label()) == ("red", "run")
    assert line.axes.get_xlabel() == "time (h)"
    assert line.axes.get_ylabel() == "Yield (kb)"


def test_a_run_without_times_says_so():
    names = [f"5a3bb5c4-6e3c-4a52-9e9a-{i:012x} ch={i + 1}" for i in range(9)]
    text = runs.fastq(names, ["ACGT"] * 9, ["IIII"] * 9)
    figure = gv.plot.nanopore(text)
    assert words(figure.axes[1]) == "The names of the reads do not tell when they were made."
    assert figure.axes[0].images


def test_nanopore_reads_its_source_once(chip_run):
    with gv.scan_fastq(chip_run, columns=["position", "length"]) as reader:
        figure = gv.plot.nanopore(reader, fig=gv.plot.new_figure())
    assert figure.get_suptitle() == "900 reads"
    assert plt.get_fignums() == []
    with pytest.raises(ValueError, match="in the layout 'flowcell'"):
        gv.plot.nanopore(gv.read_fastq(SAMPLE))


# --- gc_quality, length_quality -------------------------------------------------------------------


def test_gc_quality_counts_as_numpy_does(composition):
    mesh = gv.plot.gc_quality(composition)
    assert isinstance(mesh, QuadMesh)
    coordinates = mesh.get_coordinates()
    x, y = coordinates[0, :, 0], coordinates[:, 0, 1]
    known = np.isfinite(composition.gc)
    gc, quality = composition.gc[known].astype(float), composition.quality[known].astype(float)
    counts = np.histogram2d(gc, quality, (x, y))[0].T
    np.testing.assert_array_equal(mesh.get_array().filled(0), counts)
    assert mesh.axes.get_xlabel() == "GC content"
    assert mesh.axes.get_ylabel() == "Mean quality (Phred)"
    # As many of the values that 75 bases can have in each cell.
    steps = np.diff(x) * 75
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)


def test_length_quality_has_a_logarithmic_axis_and_the_n50():
    rng = np.random.default_rng(4)
    length = np.sort(rng.lognormal(8, 1, 5000).astype(np.uint32) + 1)
    quality = rng.normal(20, 3, 5000).astype(np.float32)
    particles = given(np.zeros((5000, 3)), length=length, quality=quality)
    mesh = gv.plot.length_quality(particles)
    ax = mesh.axes
    assert ax.get_xscale() == "log"
    assert image_counts(mesh) == 5000
    half, so_far = length.sum() / 2, 0
    for each in length[::-1].tolist():
        so_far += each
        if so_far >= half:
            break
    assert words(ax) == f"N50 {each:,}"
    left, right = ax.get_xlim()
    assert left <= length.min() and right >= length.max()


def test_reads_of_one_length_have_no_n50(composition):
    mesh = gv.plot.length_quality(composition)
    assert words(mesh.axes) == ""
    left, right = mesh.axes.get_xlim()
    assert left < 40 and right > 140


# --- live -----------------------------------------------------------------------------------------


class Clock:
    """Time that passes when it is asked for, and when something is done."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        self.now += 1e-5
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(watching, "time", clock)
    return clock


def test_live_draws_all_reads_in_the_end(composition):
    with gv.scan_fastq(SAMPLE, layout="composition") as reader:
        image = gv.plot.live(reader, (0, 2), batch_size=500)
    expected = gv.plot.density(composition, (0, 2), ax=plt.figure().add_subplot())
    assert image_counts(image) == image_counts(expected) == 7028
    assert words(image.axes) == "12 of 7,040 reads have no place and are not drawn."
    title = image.axes.get_title(loc="left")
    assert title.replace("\n", " ").startswith(
        "7,040 reads; mean Q35.0, GC\N{NO-BREAK SPACE}48.1\N{NO-BREAK SPACE}%"
    )
    assert bar_of(image).get_ylabel() == "Reads per cell"


def slow_screen(monkeypatch, clock, cost):
    drawn = []

    def show(self):
        drawn.append(clock.now)
        clock.now += cost

    monkeypatch.setattr(watching._Screen, "show", show)
    return drawn


def test_live_draws_ten_times_a_second_at_most(monkeypatch, clock):
    drawn = slow_screen(monkeypatch, clock, 0.001)

    def pace(done, total):
        clock.now += 0.03

    with gv.scan_fastq([SAMPLE] * 40, layout="composition", progress=pace) as reader:
        gv.plot.live(reader, (0, 2), share=1, batch_size=1000)
    assert len(drawn) > 20
    # The last two are those of the end.
    assert np.diff(drawn[:-2]).min() >= 0.1


def test_live_keeps_to_its_share(monkeypatch, clock):
    drawn = slow_screen(monkeypatch, clock, 0.2)

    def pace(done, total):
        clock.now += 0.05

    with gv.scan_fastq([SAMPLE] * 300, layout="composition", progress=pace) as reader:
        gv.plot.live(reader, (0, 2), share=0.1, batch_size=1000)
    assert clock.now > 15
    spent = 0.2 * (len(drawn) - 3)  # without the first picture and those of the end
    assert 0 < spent <= 0.1 * clock.now


def test_live_says_what_it_could_not_count(monkeypatch, clock):
    slow_screen(monkeypatch, clock, 0.0)
    add = watching._Picture._count

    def slow(self, batch):
        clock.now += 0.2
        add(self, batch)

    monkeypatch.setattr(watching._Picture, "_count", slow)
    with (
        gv.scan_fastq([SAMPLE] * 20, layout="composition") as reader,
        pytest.warns(UserWarning, match=r"of 140,800 reads are in the picture") as told,
    ):
        image = gv.plot.live(reader, (0, 2), batch_size=1000)
    assert told[0].filename == __file__
    (drawn,) = re.findall(r"([\d,]+) of 140,800 reads are in the picture", words(image.axes))
    unplaced = re.findall(r"([\d,]+) of [\d,]+ reads ha(?:ve|s) no place", words(image.axes))
    missing = int(unplaced[0]) if unplaced else 0
    assert image_counts(image) + missing == int(drawn.replace(",", "")) < 140_800
    title = image.axes.get_title(loc="left").replace("\n", " ")
    assert f"{drawn} of them in the picture" in title


def test_live_of_nothing_and_of_means():
    with gv.scan_fastq(b"") as reader:
        image = gv.plot.live(reader)
    assert words(image.axes) == "There are no reads."
    plt.figure()
    with gv.scan_fastq(SAMPLE, layout="flowcell") as reader:
        image = gv.plot.live(reader, color="quality", cmap="cividis")
    assert image.get_cmap().name == "cividis"
    with gv.scan_fastq(SAMPLE) as reader, pytest.raises(ValueError, match="share must be above"):
        gv.plot.live(reader, share=0)


def test_live_shows_what_came_before_a_fault():
    whole = gv.scan_fastq(SAMPLE, limit=100, columns=["name", "sequence", "qualities"]).read()
    names = [f"r{i}" for i in range(100)]
    text = runs.fastq(
        names,
        whole.sequence.tolist(),
        [q.decode() if isinstance(q, bytes) else q for q in whole.qualities.tolist()],
    )
    with (
        gv.scan_fastq(text + b"@r\nACGT\n+\nII\n", layout="composition") as reader,
        pytest.raises(gv.errors.QualityMismatchError),
    ):
        gv.plot.live(reader, (0, 2))
    (image,) = plt.gca().images
    assert (
        image_counts(image)
        == np.isfinite(gv.read_fastq(text, layout="composition").position[:, 0]).sum()
    )


# --- What they look like --------------------------------------------------------------------------

LOOKS = {
    "scatter": lambda p, f, run, ax: gv.plot.scatter(p, (0, 2), ax=ax, legend=False),
    "density": lambda p, f, run, ax: gv.plot.density(p, (0, 2), ax=ax, legend=False),
    "flowcell": lambda p, f, run, ax: gv.plot.flowcell(f, ax=ax, legend=False),
    "deviation": lambda p, f, run, ax: gv.plot.flowcell(f, ax=ax, color="deviation", legend=False),
    "cycles": lambda p, f, run, ax: gv.plot.flowcell(SAMPLE, ax=ax, cycles=15, legend=False),
    "gc_quality": lambda p, f, run, ax: gv.plot.gc_quality(p, ax=ax, legend=False),
    "length_quality": lambda p, f, run, ax: gv.plot.length_quality(p, ax=ax, legend=False),
    "hist": lambda p, f, run, ax: gv.plot.hist(p, "gc", ax=ax),
    "yield": lambda p, f, run, ax: gv.plot.yield_over_time(run, ax=ax),
}


@pytest.mark.parametrize("name", LOOKS)
def test_pictures_look_as_they_did(name, composition, flow_cell, chip_run, tmp_path):
    """A picture without its words, since fonts differ, beside one that was judged by eye.

    To judge anew: delete the file in tests/pictures, run this, and look at what it wrote.
    """
    with plt.rc_context(fname=None, rc=matplotlib.rcParamsDefault | {"backend": "agg"}):
        figure = plt.figure(figsize=(3, 2.4), dpi=100)
        ax = figure.add_axes((0.04, 0.04, 0.92, 0.92))
        ax.set_facecolor("#14161c")
        known = composition[np.isfinite(composition.position[:, 0])]
        LOOKS[name](known, flow_cell, chip_run, ax)
        for text in figure.findobj(Text):
            text.set_visible(False)
        figure.savefig(tmp_path / "now.png")
    baseline = BASELINES / f"{name}.png"
    if not baseline.exists():
        baseline.parent.mkdir(exist_ok=True)
        (tmp_path / "now.png").rename(baseline)
        pytest.fail(f"{baseline} was not there; look at it, and run this again")
    now, then = imread(tmp_path / "now.png")[..., :3], imread(baseline)[..., :3]
    assert now.shape == then.shape
    assert np.sqrt(np.mean((now - then) ** 2)) < 0.03
