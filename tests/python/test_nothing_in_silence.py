"""Whatever shows reads shows every one of them, or says how many it does not."""

from __future__ import annotations

import base64
import html
import re
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import genomevedic as gv
import runs

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402

COUNT = 1000

# What shows no reads.
SHOWS_NONE = {"GC_COLORS", "MAX_POINTS", "MAX_NAMES", "gc_colormap", "new_figure", "get_reader"}

# A number shown, and what was said beside it.
Shown = tuple[int, str]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def spoilt(name: str) -> gv.Particles:
    """Return reads of which 7 have no place, others no quality, no GC content or no length."""
    layouts = {
        "composition": gv.layouts.Composition(),
        "flowcell": gv.read_fastq(runs.flow_cell(instrument="SIM1", reads=1)).layout,
        "nanopore": gv.read_fastq(runs.nanopore([1, 300])).layout,
    }
    rng = np.random.default_rng(8)
    scale = {"composition": 1, "flowcell": 1000, "nanopore": 1}[name]
    position = (scale * rng.integers(0, 16, (COUNT, 3))).astype(np.float32)
    position[:, 2] = rng.integers(1, 3, COUNT)
    gc, quality = rng.random(COUNT, np.float32), rng.normal(30, 3, COUNT).astype(np.float32)
    length = rng.integers(50, 5000, COUNT).astype(np.uint32)
    position[:7], gc[5:12], quality[10:30], length[25:28] = np.nan, np.nan, np.nan, 0
    color = np.ones((COUNT, 4), np.float32)
    columns = {"position": position, "gc": gc, "quality": quality, "length": length, "color": color}
    return gv.Particles(columns, layouts[name])


def words() -> str:
    """Return what is written into the current figure."""
    return " ".join(text.get_text() for text in plt.gcf().findobj(matplotlib.text.Text))


def total(image: object) -> int:
    return int(image.get_array().sum())


# --- Matplotlib -----------------------------------------------------------------------------------


def scatter(**options: object) -> Shown:
    points = gv.plot.scatter(spoilt("composition"), color="red", **options)
    if hasattr(points, "get_extent"):
        return total(points), words()
    return (points.get_sizes().size if options.get("projection") else len(points.get_offsets())), (
        words()
    )


def overview(max_points: int = 200_000) -> Shown:
    gv.plot.overview(spoilt("composition"), max_points=max_points, color="red", legend=False)
    (ax, *_) = plt.gcf().axes
    shown = total(ax.images[0]) if ax.images else len(ax.collections[0].get_offsets())
    return shown, " ".join(text.get_text() for text in ax.texts)


def flowcell(color: str = "quality") -> Shown:
    """The cells show means: that they are those of all these reads, test_pictures.py asserts."""
    particles = spoilt("flowcell")
    gv.plot.flowcell(particles, color=color)
    known = np.isfinite(particles.position[:, 0]) & np.isfinite(particles.quality)
    return int(known.sum()), words()


def cycles() -> Shown:
    text = runs.flow_cell(reads=20) + b"".join(b"@r%d\nACGT\n+\nIIII\n" % i for i in range(520))
    assert text.count(b"\n") == 4 * COUNT
    gv.plot.flowcell(text, cycles=6)
    return 480, words()


def chip() -> Shown:
    return total(gv.plot.chip(spoilt("nanopore"))), words()


def nanopore() -> Shown:
    gv.plot.nanopore(spoilt("nanopore"))
    ax = plt.gcf().axes[0]
    return total(ax.images[-1]), " ".join(text.get_text() for text in ax.texts)


def yield_over_time() -> Shown:
    particles = spoilt("nanopore")
    line = gv.plot.yield_over_time(particles)
    placed = np.isfinite(particles.position[:, 2])
    assert line.get_ydata()[-1] == particles.length[placed].sum()
    return int(placed.sum()), words()


def live() -> Shown:
    names = [b"ACGT" if i >= 7 else b"NNNN" for i in range(COUNT)]
    text = b"".join(b"@r%d\n%s\n+\nIIII\n" % (i, bases) for i, bases in enumerate(names))
    with gv.scan_fastq(text, layout="composition") as reader:
        return total(gv.plot.live(reader)), words()


def hist(column: str) -> Shown:
    bars = gv.plot.hist(spoilt("composition"), column)
    return int(sum(bar.get_height() for bar in bars)), words()


# --- napari, notebook, page -----------------------------------------------------------------------


def napari_layers(ndim: int, most: int) -> Shown:
    found = gv.napari.layers(spoilt("composition"), ndim=ndim, max_points=most)
    data, options, _ = found[-1]
    if len(found) == 2:
        assert found[0][1]["metadata"]["counted"] == COUNT - 7
    assert f"{len(data):,}" in options["name"], "what the list of layers shows"
    return len(data), options["metadata"]["words"]


def to_napari() -> Shown:
    data, options, _ = spoilt("composition").to_napari()
    assert "7 without a place left out" in options["name"]
    return len(data), options["metadata"]["words"]


def napari_view() -> Shown:
    class Viewer:
        """What `view` asks of napari's; tests/windows has the real one."""

        def __init__(self) -> None:
            self.dims = self.camera = SimpleNamespace()
            self.layers: list[tuple[object, dict[str, object]]] = []

        def add_points(self, data: object, **options: object) -> None:
            self.layers.append((data, options))

        def reset_view(self, **_: object) -> None:
            pass

    viewer = gv.napari.view(spoilt("composition"), viewer=Viewer())
    ((data, options),) = viewer.layers
    return len(data), options["metadata"]["words"]


def napari_sample() -> Shown:
    (data, options, _), *_ = gv.napari.sample()
    assert (len(data), options["metadata"]["words"]) == (7040, "All 7,040 reads are shown.")
    return COUNT, ""


def k3d_view(most: int) -> Shown:
    pytest.importorskip("k3d")
    points, *others = spoilt("composition").view(max_points=most).objects
    return len(points.positions), " ".join(getattr(each, "text", "") for each in others)


def jscatter_view(most: int) -> Shown:
    pytest.importorskip("jscatter")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "k3d", None)
        return len(spoilt("composition").view(max_points=most).widget.points), ""


def figure_view(most: int) -> Shown:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "k3d", None)
        patch.setitem(sys.modules, "jscatter", None)
        figure = spoilt("composition").view(max_points=most)
    ax = figure.axes[0]
    # A density of GC content shows means: of all that have a place and a GC content.
    shown = len(ax.collections[0].get_offsets()) if ax.collections else COUNT - 7 - 5
    return shown, " ".join(text.get_text() for text in ax.texts)


def page(most: int, folder: Path) -> Shown:
    pytest.importorskip("k3d")
    path = gv.to_html(spoilt("composition"), folder / "page.html", max_points=most)
    text = html.unescape(path.read_text("utf-8"))
    said = re.search(r'<p id="count">([^<]*)</p>', text)
    assert said
    settings = re.search(r'"index":"([^"]*)"', text)
    assert settings
    return len(zlib.decompress(base64.b64decode(settings[1]))), said[1]


CASES: dict[str, Callable[[Path], Shown]] = {
    "plot.scatter": lambda _: scatter(),
    "plot.scatter, sampled": lambda _: scatter(max_points=100, rng=1),
    "plot.scatter, as a density": lambda _: scatter(max_points=100),
    "plot.scatter, in space": lambda _: scatter(projection="3d"),
    "plot.scatter, in space, sampled": lambda _: scatter(projection="3d", max_points=100),
    "plot.density": lambda _: (total(gv.plot.density(spoilt("composition"))), words()),
    "plot.density, within bounds": lambda _: (
        total(gv.plot.density(spoilt("composition"), bounds=((0, 9), (3, 20)))),
        words(),
    ),
    "plot.hist": lambda _: hist("gc"),
    "plot.hist, quality": lambda _: hist("quality"),
    "plot.flowcell": lambda _: flowcell(),
    "plot.flowcell, deviation": lambda _: flowcell("deviation"),
    "plot.flowcell, cycles": lambda _: cycles(),
    "plot.nanopore": lambda _: nanopore(),
    "plot.chip": lambda _: chip(),
    "plot.yield_over_time": lambda _: yield_over_time(),
    "plot.gc_quality": lambda _: (total(gv.plot.gc_quality(spoilt("composition"))), words()),
    "plot.length_quality": lambda _: (
        total(gv.plot.length_quality(spoilt("composition"))),
        words(),
    ),
    "plot.overview": lambda _: overview(),
    "plot.overview, as a density": lambda _: overview(100),
    "plot.live": lambda _: live(),
    "napari.layer": lambda _: to_napari(),
    "napari.layers": lambda _: napari_layers(2, 5000),
    "napari.layers, in space": lambda _: napari_layers(3, 5000),
    "napari.layers, sampled": lambda _: napari_layers(2, 100),
    "napari.view": lambda _: napari_view(),
    "napari.sample": lambda _: napari_sample(),
    "view, k3d": lambda _: k3d_view(5000),
    "view, k3d, sampled": lambda _: k3d_view(100),
    "view, jupyter-scatter": lambda _: jscatter_view(5000),
    "view, jupyter-scatter, sampled": lambda _: jscatter_view(100),
    "view, Matplotlib": lambda _: figure_view(5000),
    "view, Matplotlib, as a density": lambda _: figure_view(100),
    "to_html": lambda folder: page(5000, folder),
    "to_html, sampled": lambda folder: page(100, folder),
}


def test_every_helper_is_among_the_cases() -> None:
    names = {f"plot.{name}" for name in gv.plot.__all__ if name not in SHOWS_NONE}
    names |= {f"napari.{name}" for name in gv.napari.__all__ if name not in SHOWS_NONE}
    names |= {"to_html", "view"}
    assert {case.split(",")[0] for case in CASES} == names


@pytest.mark.parametrize("case", CASES)
def test_every_read_is_shown_or_said_not_to_be(case: str, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        shown, said = CASES[case](tmp_path)
    said += " " + " ".join(str(each.message) for each in warned if case.startswith("view, jup"))
    said = " ".join(said.split())
    left_out = missing(said)
    assert 0 < shown <= COUNT
    assert shown + left_out == COUNT, (shown, said)


def missing(said: str) -> int:
    """Return how many reads these words say are not shown.

    "7 of 1,000 reads have no place and are not drawn." "100 of 993 reads are drawn, chosen at
    random." "100 of 1,000 reads are shown, chosen at random." "7 have no place in this layout."
    """
    counts = {
        (number(some), number(all_), verb)
        for some, all_, verb in re.findall(r"([\d,]+) of ([\d,]+) reads (\w+ \w+)", said)
    }
    shown = {(some, all_) for some, all_, verb in counts if verb in ("are shown", "are drawn")}
    gone = sum(some for some, all_, verb in counts if verb not in ("are shown", "are drawn"))
    return gone + sum(all_ - some for some, all_ in shown)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_the_picture_of_a_page_counts_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of many reads holds a sample; the flat picture in it need not be one."""
    pytest.importorskip("k3d")
    many = spoilt("composition")[np.arange(gv.plot.MAX_POINTS + 2000) % COUNT]
    drawn = []

    def draw_density(*arguments: object, **options: object) -> object:
        drawn.append(density(*arguments, **options))
        return drawn[-1]

    density = gv.plot.points.draw_density
    monkeypatch.setattr(gv.plot.points, "draw_density", draw_density)
    with pytest.warns(UserWarning, match="^50 of 202,000 reads are shown"):
        gv.to_html(many, tmp_path / "page.html", max_points=50, rng=0)
    assert len(drawn) == 1
