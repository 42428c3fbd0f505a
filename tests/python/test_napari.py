"""Particles as napari layers, with no window; and the run of the tests that need one."""

from __future__ import annotations

import ast
import itertools
import os
import subprocess
import sys
import tracemalloc
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import genomevedic as gv
from browsers import opens_windows, screen
from support import REPO

SAMPLE = gv.datasets.flowcell_sample()
WINDOWS = REPO / "tests" / "windows" / "test_napari_window.py"


def particles_of(count: int, **columns: object) -> gv.Particles:
    position = np.zeros((count, 3), np.float32)
    color = np.ones((count, 4), np.float32)
    return gv.Particles({"position": position, "color": color, **columns}, gv.layouts.Composition())


# --- Layers -------------------------------------------------------------------------------------


def test_to_napari_is_what_napari_takes() -> None:
    particles = gv.read_fastq(SAMPLE, layout="composition", columns=[*gv.DEFAULT_COLUMNS, "name"])
    data, options, kind = particles.to_napari()
    placed = np.isfinite(particles.position).all(axis=1)
    assert kind == "points"
    np.testing.assert_array_equal(data, particles.position[placed][:, [2, 1, 0]])
    np.testing.assert_array_equal(options["face_color"], particles.color[placed])
    assert options["face_color"].min() >= 0 and options["face_color"].max() <= 1
    np.testing.assert_allclose(
        options["size"], particles.size[placed] * particles.layout.point_size, rtol=1e-6
    )
    features = options["features"]
    assert list(features) == ["GC", "quality", "length", "name"]
    for title, column in (("GC", "gc"), ("quality", "quality"), ("length", "length")):
        np.testing.assert_array_equal(features[title], particles[column][placed])
    assert list(features["name"]) == particles["name"][placed].tolist()
    assert options["units"] == ("pixel",) * 3
    assert options["axis_labels"] == particles.layout.axes[::-1]
    assert options["name"] == "reads: 7,028 (12 without a place left out)"
    assert options["metadata"]["without_place"] == 12
    assert options["metadata"]["is_sample"] is False


def test_to_napari_shares_memory_where_every_read_has_a_place() -> None:
    particles = particles_of(5)
    data, options, _ = particles.to_napari()
    assert np.shares_memory(data, particles.position)
    assert np.shares_memory(options["face_color"], particles.color)


def test_ten_million_reads_are_not_copied() -> None:
    size = np.ones(10_000_000, np.float32)
    particles = particles_of(len(size), size=size)
    tracemalloc.start()
    try:
        data, options, _ = particles.to_napari()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.may_share_memory(data, particles.position)
    assert np.may_share_memory(options["face_color"], particles.color)
    # Sizes times the point size are 40 MB; positions would be 120 MB, colours 160 MB.
    assert peak < 80e6


@pytest.mark.parametrize(("count", "is_named"), [(100_000, True), (100_001, False)])
def test_names_go_along_up_to_a_hundred_thousand(count: int, is_named: bool) -> None:
    data = np.frombuffer(b"r" * count, np.uint8)
    names = gv.TextColumn(np.arange(count + 1, dtype=np.int64), data)
    _, options, _ = particles_of(count, name=names).to_napari()
    assert ("name" in options["features"]) is is_named


def test_the_reader_gives_points_in_the_plane() -> None:
    read = gv.napari.get_reader([str(SAMPLE)])
    assert read is not None
    [(data, options, _kind)] = read([str(SAMPLE)])
    particles = gv.read_fastq(SAMPLE)
    placed = np.isfinite(particles.position[:, :2]).all(axis=1)
    np.testing.assert_array_equal(data, particles.position[placed][:, [1, 0]])
    np.testing.assert_array_equal(options["features"]["z"], particles.position[placed, 2])
    assert options["axis_labels"] == particles.layout.axes[1::-1]
    assert options["name"] == "flowcell_sample: 7,040"


def test_points_that_would_hide_one_another_are_smaller() -> None:
    side = np.arange(100, dtype=np.float32)
    places = np.stack([*np.meshgrid(side, side), np.zeros((100, 100))], -1).reshape(-1, 3)
    size = np.linspace(200, 400, len(places), dtype=np.float32)
    layout = gv.layouts.Composition()
    particles = gv.Particles({"position": places.astype(np.float32), "size": size}, layout)
    [(_, options, _)] = gv.napari.layers(particles)
    covered = np.pi / 4 * np.square(options["size"]).sum()
    assert covered == pytest.approx(0.6 * 99 * 99, rel=1e-4)
    np.testing.assert_allclose(options["size"] / options["size"][0], size / 200, rtol=1e-5)
    factor = options["metadata"]["size_factor"]
    np.testing.assert_allclose(options["size"], size * layout.point_size * factor, rtol=1e-5)
    plain = particles.to_napari()[1]
    np.testing.assert_allclose(plain["size"], size * layout.point_size, rtol=1e-6)


def test_several_files_are_read_as_one() -> None:
    paths = [str(SAMPLE), str(SAMPLE)]
    read = gv.napari.get_reader(paths)
    assert read is not None
    [(data, _, _)] = read(paths)
    assert len(data) == 2 * 7040


@pytest.mark.parametrize("path", ["a.bam", "a.fastq.bz2", "fastq", [], ["a.fastq", "b.txt"]])
def test_other_files_are_left_to_other_readers(path: str | list[str]) -> None:
    assert gv.napari.get_reader(path) is None


def test_many_reads_come_as_a_density_and_a_sample() -> None:
    rng = np.random.default_rng(7)
    position = rng.random((50_000, 3), np.float32)
    position[::1000] = np.nan
    particles = gv.Particles({"position": position}, gv.layouts.Composition())
    with pytest.warns(UserWarning, match="1,000 of 50,000 reads are shown, chosen at random"):
        image, points = gv.napari.layers(particles, name="run", max_points=1000, rng=1)
    pyramid, options, kind = image
    assert kind == "image"
    assert options["multiscale"] is True
    assert options["name"] == "run: density of 49,950 reads"
    finest = pyramid[0]
    assert finest.sum() == 49_950
    # Every level is the mean of the one below.
    for fine, coarse in itertools.pairwise(pyramid):
        assert coarse.shape == (fine.shape[0] // 2, fine.shape[1] // 2)
        np.testing.assert_allclose(coarse.sum() * 4, fine.sum(), rtol=1e-5)
    # A read is counted in the pixel at its place.
    known = position[np.isfinite(position).all(axis=1)]
    pixel = options["scale"][0]
    at = np.floor((known[:, [1, 0]] - options["translate"]) / pixel + 0.5).astype(int)
    expected = np.zeros_like(finest)
    np.add.at(expected, tuple(np.clip(at, 0, np.array(finest.shape) - 1).T), 1)
    assert np.abs(expected - finest).sum() <= 20  # at the borders of pixels, by rounding
    data, options, kind = points
    assert (len(data), kind) == (1000, "points")
    assert options["name"] == "run: sample of 1,000 of 50,000 (50 without a place left out)"
    assert options["metadata"]["is_sample"] is True
    places = {tuple(row) for row in known[:, [1, 0]].tolist()}
    assert {tuple(row) for row in data.tolist()} <= places


def test_all_reads_at_one_place_have_a_density() -> None:
    with pytest.warns(UserWarning, match="The density image counts 10"):
        (pyramid, _, _), _ = gv.napari.layers(particles_of(10), max_points=2)
    assert pyramid[0].sum() == 10


def test_arguments() -> None:
    with pytest.raises(ValueError, match="ndim= must be 2 or 3, and is 4"):
        gv.napari.layers(particles_of(3), ndim=4)
    with pytest.raises(ValueError, match="no column 'position'"):
        gv.read_fastq(SAMPLE, columns=["gc"]).to_napari()


def test_a_missing_napari_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "napari", None)
    with pytest.raises(ImportError, match=r'pip install "genomevedic\[napari\]"$'):
        gv.napari.view(particles_of(3))


# --- With npe2 and a window ---------------------------------------------------------------------


def test_the_manifest_is_valid() -> None:
    if find_spec("npe2") is None:
        pytest.skip("npe2 is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", "--imports", "genomevedic"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "valid" in done.stdout.lower()


def test_without_a_screen_view_says_so() -> None:
    if find_spec("napari") is None:
        pytest.skip("napari is not installed")
    code = (
        "import numpy as np, genomevedic as gv\n"
        "p = gv.read_fastq(gv.datasets.flowcell_sample())\n"
        "try: gv.napari.view(p)\n"
        "except gv.errors.RenderingError as error: print(error.code, error)\n"
    )
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("RENDER_CONTEXT napari cannot draw here: ")


def window_tests() -> list[str]:
    tree = ast.parse(WINDOWS.read_text("utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


@pytest.fixture(scope="module")
def window_results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Run the tests that need a window once; return what each of them said that is not well."""
    for name in ("napari", "pytestqt"):
        # Found and not imported: their warnings are not for this process.
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("windows")
    with screen() as environment:
        if not opens_windows(environment):
            pytest.skip("Qt opens no window here")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", str(WINDOWS), "--import-mode=importlib"),
                *("-o", "addopts=", "-o", "filterwarnings=default", "-p", "no:cacheprovider"),
                f"--junitxml={folder / 'results.xml'}",
            ],
            env=environment | {"NAPARI_CONFIG": str(folder / "settings.yaml")},
            cwd=REPO,
            capture_output=True,
            text=True,
            timeout=600,
        )
    results = folder / "results.xml"
    assert results.is_file(), (
        f"status {done.returncode}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    )
    return read_results(results)


def read_results(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for case in ElementTree.parse(path).iter("testcase"):
        faults = found.setdefault(case.attrib["name"].split("[")[0], [])
        faults += [str(each.text) for each in case if each.tag in ("failure", "error", "skipped")]
    return found


@pytest.mark.parametrize("name", window_tests())
def test_in_a_window(window_results: dict[str, list[str]], name: str) -> None:
    assert name in window_results
    assert window_results[name] == [], "\n".join(window_results[name])
