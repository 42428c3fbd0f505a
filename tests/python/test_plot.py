"""Pictures: what was drawn, counted and measured on the artists that were made."""

import subprocess
import sys

import numpy as np
import pytest

import genomevedic as gv

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

from matplotlib.collections import PathCollection  # noqa: E402
from matplotlib.colors import Normalize, to_rgba  # noqa: E402
from matplotlib.container import BarContainer  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402


@pytest.fixture(autouse=True)
def no_figure_left_open():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def sample():
    return gv.read_fastq(gv.datasets.flowcell_sample(), layout="composition")


def fastq(*reads):
    return "".join(
        f"@r{i}\n{sequence}\n+\n{quality * len(sequence)}\n"
        for i, (sequence, quality) in enumerate(reads)
    ).encode()


@pytest.fixture
def five():
    """Five reads; the last has no known base, so neither a place nor a GC content."""
    data = fastq(("AAAA", "!"), ("ACGT", "+"), ("GGCC", "?"), ("AGGT", "I"), ("NNNN", "#"))
    return gv.read_fastq(data)


def words(ax):
    return " ".join(" ".join(text.get_text() for text in ax.texts).split())


# --- scatter ------------------------------------------------------------------------------------


def test_scatter_draws_the_reads_that_have_a_place(five):
    _, ax = plt.subplots()
    points = gv.plot.scatter(five, ax=ax)
    assert isinstance(points, PathCollection)
    assert points.axes is ax
    np.testing.assert_array_equal(points.get_offsets(), five.position[:4, :2])
    np.testing.assert_array_equal(points.get_facecolors()[:, :3], five.color[:4, :3])
    assert words(ax) == "1 of 5 reads has no place and is not drawn."


def test_scatter_says_nothing_where_nothing_is_left_out(five):
    ax = gv.plot.scatter(five[:4]).axes
    assert words(ax) == ""


def test_scatter_of_the_sample_counts_what_it_leaves_out(sample):
    points = gv.plot.scatter(sample)
    assert len(points.get_offsets()) == 7040 - 12
    assert words(points.axes) == "12 of 7,040 reads have no place and are not drawn."


@pytest.mark.parametrize("axes", [(0, 1), (2, 0), (1, 2)])
def test_scatter_takes_two_axes_of_the_layout(five, axes):
    points = gv.plot.scatter(five, axes)
    np.testing.assert_array_equal(points.get_offsets(), five.position[:4, axes])
    layout = five.layout
    for label, axis in zip((points.axes.get_xlabel(), points.axes.get_ylabel()), axes, strict=True):
        assert layout.axes[axis] in label
        assert layout.units[axis] in label


@pytest.mark.parametrize("axes", [(0, 0), (0, 3), (0,), (0, 1, 2), (-1, 0), ("x", "y")])
def test_scatter_refuses_other_axes(five, axes):
    with pytest.raises(ValueError, match="axes must be two different numbers"):
        gv.plot.scatter(five, axes)


def test_scatter_draws_a_unit_as_long_along_x_as_along_y(five):
    assert gv.plot.scatter(five).axes.get_aspect() == 1.0


def test_scatter_without_axes_uses_the_current_ones(five):
    _, (first, second) = plt.subplots(1, 2)
    plt.sca(first)
    assert gv.plot.scatter(five).axes is first
    assert len(second.collections) == 0


def test_scatter_leaves_the_ground_of_given_axes_alone(five):
    _, ax = plt.subplots()
    before = ax.get_facecolor()
    gv.plot.scatter(five, ax=ax)
    assert ax.get_facecolor() == before


def test_scatter_hands_its_keywords_on(five):
    points = gv.plot.scatter(five, alpha=0.25, s=17.0, label="reads", marker="s", zorder=5)
    assert points.get_alpha() == 0.25
    np.testing.assert_array_equal(points.get_sizes(), [17.0])
    assert points.get_label() == "reads"
    assert points.get_zorder() == 5


def test_scatter_takes_one_size_a_read(five):
    points = gv.plot.scatter(five, s=[1, 2, 3, 4, 5])
    np.testing.assert_array_equal(points.get_sizes(), [1, 2, 3, 4])


def test_point_diameters_are_in_the_ratio_of_the_sizes(five):
    points = gv.plot.scatter(five)
    diameters = np.sqrt(points.get_sizes())
    np.testing.assert_allclose(diameters / diameters[0], five.size[:4] / five.size[0], rtol=1e-5)


@pytest.mark.parametrize("layout", ["composition", "spiral"])
@pytest.mark.parametrize("copies", [1, 50, 7040])
def test_points_are_neither_dust_nor_balloons(sample, layout, copies):
    particles = gv.read_fastq(gv.datasets.flowcell_sample(), layout=layout, limit=copies)
    median = np.sqrt(np.median(gv.plot.scatter(particles).get_sizes()))
    assert 1.5 - 1e-6 <= median <= 6.0 + 1e-6


def test_point_diameters_are_in_units_of_the_layout_where_that_is_readable():
    particles = gv.read_fastq(gv.datasets.flowcell_sample(), layout="spiral", limit=4000)
    _, ax = plt.subplots(figsize=(8, 8))
    points = gv.plot.scatter(particles, ax=ax, legend=False)
    left, right = ax.get_xlim()
    box = ax.get_window_extent()
    bottom, top = ax.get_ylim()
    pixels = min(box.width / (right - left), box.height / (top - bottom))
    per_unit = pixels * 72 / ax.figure.dpi
    expected = particles.size * particles.layout.point_size * per_unit
    assert 1.5 < np.median(expected) < 6.0, "the test no longer tests what it says"
    np.testing.assert_allclose(np.sqrt(points.get_sizes()), expected, rtol=1e-4)


def test_color_by_a_column(five):
    points = gv.plot.scatter(five, color="quality")
    np.testing.assert_array_equal(points.get_array(), five.quality[:4])
    labels = [ax.get_ylabel() for ax in points.figure.axes]
    assert "Mean quality (Phred)" in labels


def test_color_by_gc_has_the_scale_of_the_column_color(five):
    points = gv.plot.scatter(five, color="gc")
    points.update_scalarmappable()
    np.testing.assert_allclose(points.get_facecolors()[:, :3], five.color[:4, :3], atol=2.5 / 255)


def test_color_given_as_a_color_or_one_a_read(five):
    points = gv.plot.scatter(five, color="tab:red")
    np.testing.assert_array_equal(points.get_facecolors()[:, :3], [to_rgba("tab:red")[:3]])
    points = gv.plot.scatter(five, c=[1.0, 2.0, 3.0, 4.0, 5.0])
    np.testing.assert_array_equal(points.get_array(), [1, 2, 3, 4])


def test_without_the_column_color_gc_is_used_then_one_color(five):
    data = fastq(("AAAA", "I"), ("GGCC", "I"))
    with_gc = gv.plot.scatter(gv.read_fastq(data, columns=("position", "gc")))
    np.testing.assert_array_equal(with_gc.get_array(), [0, 1])
    bare = gv.plot.scatter(gv.read_fastq(data, columns=("position",)))
    assert len(bare.get_offsets()) == 2
    assert len(np.unique(bare.get_facecolors(), axis=0)) == 1


def test_the_legend_names_the_gc_content_at_the_turns_of_the_scale(five):
    points = gv.plot.scatter(five)
    bar = next(ax for ax in points.figure.axes if ax is not points.axes)
    assert bar.get_ylabel() == "GC content"
    assert [text.get_text() for text in bar.get_yticklabels()] == [
        "0 %",
        "40 %",
        "50 %",
        "60 %",
        "100 %",
    ]
    plt.figure()
    points = gv.plot.scatter(five, legend=False)
    assert points.figure.axes == [points.axes]


def test_scatter_takes_other_names_of_its_keywords(five):
    points = gv.plot.scatter(five, lw=2.0, ec="red")
    np.testing.assert_array_equal(points.get_linewidths(), [2.0])
    np.testing.assert_array_equal(points.get_edgecolors()[:, :3], [to_rgba("red")[:3]])
    points = gv.plot.scatter(five, edgecolor="black")
    assert points.get_linewidths()[0] > 0, "edges that were asked for are seen"
    assert gv.plot.scatter(five).get_linewidths()[0] == 0
    points = gv.plot.scatter(five, fc="red", legend=False)
    np.testing.assert_array_equal(points.get_facecolors()[:, :3], [to_rgba("red")[:3]])
    points = gv.plot.scatter(five, sizes=[9.0], alpha=[0.1, 0.2, 0.3, 0.4, 0.5])
    np.testing.assert_array_equal(points.get_sizes(), [9.0])
    np.testing.assert_allclose(points.get_alpha(), [0.1, 0.2, 0.3, 0.4])
    with pytest.raises(TypeError, match="only one of color, c and facecolor"):
        gv.plot.scatter(five, color="red", c="blue")


@pytest.mark.parametrize("color", [None, "gc"])
def test_scatter_honours_a_scale_of_the_users(five, color):
    points = gv.plot.scatter(five, color=color, vmin=0.2, vmax=0.8)
    assert points.get_clim() == (0.2, 0.8)
    bar = next(ax for ax in points.figure.axes if ax is not points.axes)
    assert bar.get_ylabel() == "GC content"
    assert bar.get_ylim() == (0.2, 0.8)
    plt.figure()
    points = gv.plot.scatter(five, color=color, norm=Normalize(0.1, 0.9), cmap="magma")
    assert points.get_clim() == (0.1, 0.9)
    assert points.get_cmap().name == "magma"
    plt.figure()
    points = gv.plot.scatter(five, color="quality", norm=Normalize(0, 50))
    assert points.get_clim() == (0, 50)


def test_three_dimensional_axes_are_refused_in_one_sentence(five):
    ax = plt.figure().add_subplot(projection="3d")
    for draw in (
        lambda: gv.plot.hist(five, "gc", ax=ax),
        lambda: gv.plot.density(five, ax=ax),
        lambda: gv.plot.gc_quality(five, ax=ax),
        lambda: gv.plot.length_quality(five, ax=ax),
        lambda: gv.plot.flowcell(five, ax=ax),
        lambda: gv.plot.chip(five, ax=ax),
        lambda: gv.plot.yield_over_time(five, ax=ax),
    ):
        with pytest.raises(ValueError, match="axes are three-dimensional"):
            draw()


def test_gc_colormap_is_the_scale_of_the_core(sample):
    colors = gv.plot.gc_colormap()
    for value, color in gv.plot.GC_COLORS:
        np.testing.assert_allclose(colors(value)[:3], color, atol=1e-6)
    known = ~np.isnan(sample.gc)
    np.testing.assert_allclose(
        colors(sample.gc[known].astype(float)), sample.color[known], atol=2.5 / 255
    )
    np.testing.assert_allclose(colors(np.nan), sample.color[~known][0])


def test_above_max_points_a_sample_is_drawn_and_said(sample):
    with pytest.warns(UserWarning, match="500 of 7,028 reads are drawn, chosen at random") as told:
        points = gv.plot.scatter(sample, max_points=500, rng=1)
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match="chosen at random") as told:
        gv.plot.overview(sample, max_points=500, rng=1)
    assert told[0].filename == __file__
    assert len(points.get_offsets()) == 500
    assert words(points.axes) == (
        "12 of 7,040 reads have no place and are not drawn. "
        "500 of 7,028 reads are drawn, chosen at random."
    )
    places = {tuple(place) for place in sample.position[:, :2].tolist()}
    assert {tuple(place) for place in points.get_offsets().tolist()} <= places


def test_the_sample_drawn_is_the_one_of_the_generator(sample):
    def drawn(rng):
        with pytest.warns(UserWarning, match="chosen at random"):
            return np.asarray(gv.plot.scatter(sample, max_points=100, rng=rng).get_offsets())

    np.testing.assert_array_equal(drawn(7), drawn(np.random.default_rng(7)))
    assert not np.array_equal(drawn(7), drawn(8))


def test_exactly_max_points_are_drawn_without_a_word(five):
    points = gv.plot.scatter(five[:4], max_points=4)
    assert words(points.axes) == ""
    with pytest.raises(ValueError, match="max_points must be at least 1"):
        gv.plot.scatter(five, max_points=0)


def test_colors_stay_with_their_points_when_sampled(sample):
    with pytest.warns(UserWarning, match="chosen at random"):
        points = gv.plot.scatter(sample, (2, 0), max_points=50, rng=0)
    # Along the composition's third axis, 1 - 2 GC, the colour follows from the place.
    gc = (1 - np.asarray(points.get_offsets())[:, 0]) / 2
    expected = gv.plot.gc_colormap()(gc)[:, :3]
    np.testing.assert_allclose(points.get_facecolors()[:, :3], expected, atol=2.5 / 255)


def test_without_reads_the_picture_says_so():
    empty = gv.read_fastq(b"")
    points = gv.plot.scatter(empty)
    assert len(points.get_offsets()) == 0
    assert words(points.axes) == "There are no reads."


def test_only_reads_without_a_place():
    points = gv.plot.scatter(gv.read_fastq(fastq(("NN", "I"), ("NN", "I"))))
    assert len(points.get_offsets()) == 0
    assert words(points.axes) == "2 of 2 reads have no place and are not drawn."
    points.figure.canvas.draw()


def test_a_missing_column_is_named():
    particles = gv.read_fastq(fastq(("ACGT", "I")), columns=("length",))
    with pytest.raises(ValueError, match="no column 'position'"):
        gv.plot.scatter(particles)
    with pytest.raises(ValueError, match="no column 'gc'"):
        gv.plot.hist(particles, "gc")


def test_notes_do_not_cover_points(sample):
    points = gv.plot.scatter(sample)
    fig, ax = points.figure, points.axes
    fig.canvas.draw()
    lowest = ax.texts[0].get_window_extent().y0
    highest = ax.transData.transform(points.get_offsets())[:, 1].max()
    assert lowest > highest


# --- hist ---------------------------------------------------------------------------------------


def test_hist_counts_every_known_value(sample):
    bars = gv.plot.hist(sample, "gc")
    assert isinstance(bars, BarContainer)
    assert sum(bar.get_height() for bar in bars) == 7040 - 12
    assert bars[0].axes.get_xlabel() == "GC content"
    assert bars[0].axes.get_ylabel() == "Reads"
    assert words(bars[0].axes) == "12 of 7,040 reads have no value and are left out."


def test_gc_bins_hold_as_many_possible_values_each(sample):
    bars = gv.plot.hist(sample, "gc")
    widths = {round(bar.get_width() * 75) for bar in bars}
    assert widths == {2}
    edges = np.array([bar.get_x() for bar in bars]) * 75
    np.testing.assert_allclose(edges % 1, 0.5, atol=1e-6)


def test_coordinates_of_the_composition_have_no_comb(sample):
    bars = gv.plot.hist(sample, "x")
    assert {round(bar.get_width() * 75 / 2) for bar in bars} == {1}
    body = [bar.get_height() for bar in bars if 0.05 < bar.get_x() < 0.2]
    assert min(body) > 0.5 * max(body)
    assert sum(bar.get_height() for bar in bars) == 7040 - 12


def test_gc_bars_have_the_hue_of_their_bin(sample):
    bars = gv.plot.hist(sample, "gc")
    low, high = bars[5].get_facecolor(), bars[-1].get_facecolor()
    assert low[2] > low[0] and high[0] > high[2]
    plt.figure()
    bars = gv.plot.hist(sample, "gc", color="black")
    assert {bar.get_facecolor() for bar in bars} == {to_rgba("black")}


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("quality", "Mean quality (Phred)"),
        ("length", "Length (bases)"),
        ("size", "Relative size"),
        ("metadata", "Ordinal of the read"),
    ],
)
def test_hist_of_other_columns(sample, column, label):
    bars = gv.plot.hist(sample, column)
    assert sum(bar.get_height() for bar in bars) == 7040
    assert bars[0].axes.get_xlabel() == label


def test_hist_of_a_coordinate(sample):
    bars = gv.plot.hist(sample, "z")
    assert sum(bar.get_height() for bar in bars) == 7040 - 12
    assert sample.layout.axes[2] in bars[0].axes.get_xlabel()


@pytest.mark.parametrize("column", ["position", "color", "name"])
def test_hist_refuses_columns_that_are_not_one_number_a_read(column):
    particles = gv.read_fastq(fastq(("ACGT", "I")), columns=("position", "color", "name"))
    with pytest.raises(ValueError, match="one number a read"):
        gv.plot.hist(particles, column)


def test_hist_hands_its_keywords_on(sample):
    _, ax = plt.subplots()
    bars = gv.plot.hist(sample, "quality", ax=ax, bins=[0, 20, 30, 40], alpha=0.5, label="Q")
    assert len(bars) == 3
    assert bars[0].axes is ax
    assert bars[0].get_alpha() == 0.5
    assert bars[0].axes.get_legend_handles_labels()[1] == ["Q"]
    expected = np.histogram(sample.quality, [0, 20, 30, 40])[0]
    assert [bar.get_height() for bar in bars] == expected.tolist()


def test_hist_takes_other_names_of_its_keywords(sample):
    bars = gv.plot.hist(sample, "quality", fc="red", ec="blue", lw=3)
    assert bars[0].get_facecolor() == to_rgba("red")
    assert (bars[0].get_edgecolor(), bars[0].get_linewidth()) == (to_rgba("blue"), 3)
    plt.figure()
    bars = gv.plot.hist(sample, "gc", fc="black")
    assert {bar.get_facecolor() for bar in bars} == {to_rgba("black")}
    plt.figure()
    bars = gv.plot.hist(sample, "gc", histtype="bar")
    assert len({bar.get_facecolor() for bar in bars}) > 10


@pytest.mark.parametrize("column", ["quality", "gc", "length"])
def test_hist_honours_a_range(sample, column):
    bounds = {"quality": (20, 30), "gc": (0.3, 0.5), "length": (0, 74)}[column]
    inside = int(((sample[column] >= bounds[0]) & (sample[column] <= bounds[1])).sum())
    bars = gv.plot.hist(sample, column, range=bounds)
    assert sum(bar.get_height() for bar in bars) == inside
    assert bars[0].axes.get_xlim() == bounds
    known = int(np.isfinite(sample[column]).sum())
    assert f"{known - inside:,} of 7,040 reads are outside the range and are left out." in words(
        bars[0].axes
    )


def test_hist_honours_density_and_weights(sample):
    bars = gv.plot.hist(sample, "gc", density=True)
    assert sum(bar.get_height() * bar.get_width() for bar in bars) == pytest.approx(1)
    assert bars[0].axes.get_ylabel() == "Density"
    plt.figure()
    bars = gv.plot.hist(sample, "gc", weights=sample.length)
    assert sum(bar.get_height() for bar in bars) == (7040 - 12) * 75
    assert bars[0].axes.get_ylabel() == "Sum of the weights"


def test_hist_lying_down(sample):
    bars = gv.plot.hist(sample, "gc", orientation="horizontal")
    assert sum(bar.get_width() for bar in bars) == 7040 - 12
    assert (bars[0].axes.get_ylabel(), bars[0].axes.get_xlabel()) == ("GC content", "Reads")
    assert len({bar.get_facecolor() for bar in bars}) > 10


def test_hist_with_an_outline_only(sample):
    outline = gv.plot.hist(sample, "gc", histtype="step")
    assert outline.get_path().vertices[:, 1].max() > 100


def test_hist_of_nothing():
    bars = gv.plot.hist(gv.read_fastq(b""), "quality")
    assert sum(bar.get_height() for bar in bars) == 0
    assert words(bars[0].axes) == "There are no reads."
    assert bars[0].axes.get_ylim()[0] == 0, "there are no negative counts"


@pytest.mark.parametrize("column", ["quality", "length", "gc"])
def test_hist_of_a_single_read(column):
    bars = gv.plot.hist(gv.read_fastq(fastq(("ACGT", "I"))), column)
    assert sum(bar.get_height() for bar in bars) == 1
    left, right = bars[0].axes.get_xlim()
    assert right - left > 3 * bars[0].get_width()


# --- overview -----------------------------------------------------------------------------------


def test_overview_is_a_scatter_and_two_histograms(sample):
    fig = gv.plot.overview(sample)
    assert isinstance(fig, Figure)
    scatter, *others = fig.axes
    assert len(scatter.collections[0].get_offsets()) == 7040 - 12
    assert scatter.get_title(loc="left") == "Layout: composition"
    labels = [ax.get_xlabel() for ax in others if ax.patches]
    assert labels == ["GC content", "Mean quality (Phred)"]
    assert fig.get_suptitle() == "7,040 reads"
    fig.canvas.draw()


def test_overview_draws_into_the_figure_given(sample):
    mine = gv.plot.new_figure()
    fig = gv.plot.overview(sample[:50], fig=mine, title="mine", axes=(2, 0), s=3.0)
    assert fig is mine
    assert plt.get_fignums() == []
    assert fig.get_suptitle() == "mine"
    np.testing.assert_array_equal(fig.axes[0].collections[0].get_sizes(), [3.0])
    assert sample.layout.axes[2] in fig.axes[0].get_xlabel()


def test_overview_of_nothing(tmp_path):
    fig = gv.plot.overview(gv.read_fastq(b""))
    fig.savefig(tmp_path / "nothing.png")
    assert fig.get_suptitle() == "0 reads"


def test_nothing_is_shown(sample, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("show() was called")

    monkeypatch.setattr(plt, "show", refuse)
    gv.plot.overview(sample[:10])


# --- the extra ----------------------------------------------------------------------------------


def test_without_matplotlib_the_extra_is_named(five, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (
        lambda: gv.plot.scatter(five),
        lambda: gv.plot.hist(five, "gc"),
        lambda: gv.plot.overview(five),
    ):
        with pytest.raises(ImportError, match=r'pip install "genomevedic\[plot\]"') as caught:
            draw()
        assert "\n" not in str(caught.value)


def test_importing_the_package_and_its_plots_loads_no_matplotlib():
    code = (
        "import sys, genomevedic as gv; gv.plot.scatter; gv.datasets.flowcell_sample();"
        "heavy = {'matplotlib', 'pandas', 'pyarrow', 'polars', 'tqdm'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
