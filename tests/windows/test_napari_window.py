"""napari with a window, found through npe2: run by tests/python/test_napari.py on a screen.

A process of its own, since napari's and Qt's pytest plugins and their warnings are not for the
other tests, and a graphics driver may end it.
"""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from npe2 import PluginManager

import genomevedic as gv

SAMPLE = gv.datasets.flowcell_sample()


@pytest.fixture(scope="module")
def manager() -> PluginManager:
    manager = PluginManager.instance()
    manager.discover()
    return manager


def save(viewer: object, name: str) -> np.ndarray:
    """Return the picture of the canvas, kept where the one who runs this asks for it."""
    picture = viewer.screenshot(canvas_only=True, flash=False)
    folder = os.environ.get("GENOMEVEDIC_SCREENSHOTS")
    if folder:
        from PIL import Image

        Image.fromarray(picture).save(Path(folder) / f"napari-{name}.png")
    return picture


def colourful(picture: np.ndarray) -> int:
    return int((np.ptp(picture[..., :3].astype(int), axis=2) > 90).sum())


def test_the_manifest_is_found(manager: PluginManager) -> None:
    manifest = manager.get_manifest("genomevedic")
    assert manifest.display_name == "GenomeVedic"
    patterns = manifest.contributions.readers[0].filename_patterns
    assert sorted(patterns) == ["*.fastq", "*.fastq.gz", "*.fq", "*.fq.gz"]


@pytest.mark.parametrize("ending", ["fastq", "fq", "fastq.gz", "fq.gz"])
def test_files_are_read_through_npe2(manager: PluginManager, ending: str, tmp_path: Path) -> None:
    import npe2

    path = tmp_path / f"lane1.{ending}"
    if ending.endswith("gz"):
        shutil.copy(SAMPLE, path)
    else:
        path.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    layers, reader = npe2.io_utils.read_get_reader([str(path)], stack=False)
    assert reader.command == "genomevedic.get_reader"
    [(data, options, kind)] = layers
    assert (data.shape, kind) == ((7040, 2), "points")
    assert options["name"] == "lane1: 7,040"


def test_a_dropped_file_is_drawn(make_napari_viewer: object) -> None:
    viewer = make_napari_viewer(show=True)
    # As a drop on the window does: whoever reads it.
    viewer.open(str(SAMPLE), plugin=None)
    (layer,) = viewer.layers
    particles = gv.read_fastq(SAMPLE)
    placed = np.isfinite(particles.position[:, :2]).all(axis=1)
    np.testing.assert_array_equal(layer.data, particles.position[placed][:, [1, 0]])
    np.testing.assert_array_equal(layer.face_color, particles.color[placed])
    sizes = particles.size[placed] * particles.layout.point_size
    np.testing.assert_allclose(layer.size, sizes, rtol=1e-6)
    assert list(layer.features) == ["z", "GC", "quality", "length", "name"]
    np.testing.assert_array_equal(layer.features["z"], particles.position[placed, 2])
    # All reads lie in the plane that is looked at: there is no slider that shows a slice.
    assert (viewer.dims.ndim, viewer.dims.ndisplay) == (2, 2)
    assert colourful(save(viewer, "dropped")) > 1000


def test_the_sample_is_opened(make_napari_viewer: object) -> None:
    viewer = make_napari_viewer()
    (layer,) = viewer.open_sample("genomevedic", "flowcell")
    assert len(layer.data) == 7040


def test_view_opens_in_space(make_napari_viewer: object, recwarn: pytest.WarningsRecorder) -> None:
    viewer = make_napari_viewer(show=True)
    particles = gv.read_fastq(SAMPLE)
    assert gv.napari.view(particles, viewer=viewer) is viewer
    assert viewer.dims.ndisplay == 3
    assert [str(each.message) for each in recwarn if "camera" in str(each.message)] == []
    (layer,) = viewer.layers
    placed = np.isfinite(particles.position).all(axis=1)
    places = particles.position[placed]
    np.testing.assert_array_equal(layer.data[:, 1:], places[:, 1::-1])
    # Surfaces 1 and 2, with more than a third of the flow cell's length between them.
    np.testing.assert_array_equal(layer.features["surface"], places[:, 2])
    assert np.ptp(layer.data[:, 0]) == pytest.approx(0.4 * np.ptp(places[:, 1]), rel=1e-4)
    first, *others = np.unique(layer.data[:, 0])
    assert others == [2 * first]
    assert layer.axis_labels[0].startswith("surface × 61,")
    assert colourful(save(viewer, "space")) > 1000


@pytest.mark.parametrize("ndim", [2, 3])
def test_many_reads_are_a_density_and_a_sample(make_napari_viewer: object, ndim: int) -> None:
    viewer = make_napari_viewer(show=True)
    rng = np.random.default_rng(1)
    position = rng.normal(size=(200_000, 3)).astype(np.float32) * 0.1
    color = np.tile(np.float32([1, 1, 0, 1]), (len(position), 1))
    layout = gv.layouts.Composition()
    particles = gv.Particles({"position": position, "color": color}, layout)
    with pytest.warns(UserWarning, match="The density image counts 200,000"):
        found = gv.napari.layers(particles, ndim=ndim, max_points=2000, rng=1)
    for data, options, kind in found:
        getattr(viewer, f"add_{kind}")(data, **options)
    viewer.dims.ndisplay = ndim
    viewer.reset_view()
    density, points = viewer.layers
    assert density.multiscale
    assert "density of 200,000 reads" in density.name
    assert "sample of 2,000 of 200,000" in points.name
    assert colourful(save(viewer, f"both-{ndim}")) > 500
    # The image lies under the points.
    low, high = density.extent.world
    assert (points.extent.world[0][-2:] >= low[-2:]).all()
    assert (points.extent.world[1][-2:] <= high[-2:]).all()
    points.visible = False
    assert colourful(save(viewer, f"density-{ndim}")) > 500


def test_points_of_a_few_pixels_have_their_colours_and_sizes(make_napari_viewer: object) -> None:
    """Green reads of full size on the left, and as many of a quarter of it on the right."""
    viewer = make_napari_viewer(show=True)
    rng = np.random.default_rng(4)
    position = np.zeros((4000, 3), np.float32)
    position[:, :2] = rng.random((4000, 2)) * (400, 400)
    position[2000:, 0] += 600
    color = np.tile(np.array([0, 1, 0, 1], np.float32), (4000, 1))
    size = np.repeat(np.array([2.0, 0.5], np.float32), 2000)
    layout = gv.layouts.Layout("some", "physical", ("a", "b", "c"), ("", "", ""), 1.5, "somewhere")
    columns = {"position": position, "color": color, "size": size}
    for data, options, _ in gv.napari.layers(gv.Particles(columns, layout)):
        viewer.add_points(data, **options)
    viewer.reset_view()
    picture = save(viewer, "small")[..., :3].astype(int)
    seen = picture.max(axis=2) > 40
    # Red and blue are in greys, and in nothing that is green.
    assert picture[seen][:, [0, 2]].max() < 40
    left, right = (int(part.sum()) for part in np.array_split(picture[..., 1], 2, axis=1))
    assert left > 1.1 * right > 0


@pytest.mark.parametrize("units", [("µm", "µm", ""), ("", "", "h"), ("furlongs of x", "mm", "mm")])
def test_napari_takes_the_units(make_napari_viewer: object, units: tuple[str, str, str]) -> None:
    viewer = make_napari_viewer()
    layout = gv.layouts.Layout("some", "physical", ("a", "b", "c"), units, 1.0, "somewhere")
    position = np.array([[0, 0, 0], [1000, 500, 2]], np.float32)
    gv.napari.view(gv.Particles({"position": position}, layout), viewer=viewer)
    (layer,) = viewer.layers
    # An axis of another unit than x, or with hardly any extent, is stretched, which is no unit's.
    assert layer.axis_labels[0].startswith("c × ") and layer.axis_labels[2] == "a"
    is_own = [True, units[1] != units[0], False]
    assert ["×" in label for label in layer.axis_labels] == is_own
    np.testing.assert_array_equal(layer.features["c"], [0, 2])
    known = {"µm": "micrometer", "h": "hour", "mm": "millimeter"}
    plain = [known.get(unit, "pixel") for unit in units[::-1]]
    expected = ["pixel" if own else unit for own, unit in zip(is_own, plain, strict=True)]
    assert [str(unit) for unit in layer.units] == expected


@pytest.mark.parametrize("positions", [[], [[1, 2, 3]], [[5, 5, 5]] * 3, [[np.nan] * 3] * 2])
def test_few_and_odd_particles(make_napari_viewer: object, positions: list[object]) -> None:
    viewer = make_napari_viewer(show=True)
    position = np.array(positions, np.float32).reshape(-1, 3)
    columns = {
        "position": position,
        "color": np.ones((len(position), 4), np.float32),
        "size": np.ones(len(position), np.float32),
        "gc": np.ones(len(position), np.float32),
    }
    gv.napari.view(gv.Particles(columns, gv.layouts.Composition()), viewer=viewer)
    (layer,) = viewer.layers
    assert len(layer.data) == np.isfinite(position).all(axis=1).sum()
    save(viewer, "odd")
