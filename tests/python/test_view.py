"""Particles.view: the best viewer that is installed, and what is said where it is not."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import genomevedic as gv

SAMPLE = gv.datasets.flowcell_sample()


@pytest.fixture(scope="module")
def particles() -> gv.Particles:
    return gv.read_fastq(SAMPLE, layout="composition")


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> object:
    def hide(*modules: str) -> None:
        for module in modules:
            monkeypatch.setitem(sys.modules, module, None)

    return hide


def test_k3d_shows_every_read_that_has_a_place(particles: gv.Particles) -> None:
    k3d = pytest.importorskip("k3d")
    plot = particles.view()
    assert isinstance(plot, k3d.Plot)
    points, *others = plot.objects
    placed = np.isfinite(particles.position).all(axis=1)
    assert len(points.positions) == placed.sum()
    red, green, blue = (points.colors >> 16, points.colors >> 8 & 255, points.colors & 255)
    np.testing.assert_allclose(
        np.stack([red, green, blue], axis=1) / 255, particles.color[placed, :3], atol=0.5 / 255
    )
    texts = [each.text for each in others if hasattr(each, "text")]
    assert any("12 have no place in this layout." in text for text in texts)
    assert all(axis in texts for axis in particles.layout.axes)
    assert not plot.camera_auto_fit
    x, y, z = plot.camera[:3]
    assert z > 0.4 * np.hypot(x, y), "from above, or planes would be lines"


def test_what_is_flat_is_looked_at_from_above() -> None:
    pytest.importorskip("k3d")
    position = np.array([[0, 0, 1], [3, 2, 1]], np.float32)
    plot = gv.Particles({"position": position}, gv.layouts.Composition()).view()
    x, y, z, *_, up_x, up_y, up_z = plot.camera
    assert (x, y, up_x, up_y, up_z) == (0, 0, 0, 1, 0) and z > 1


def test_points_that_would_hide_one_another_are_smaller() -> None:
    pytest.importorskip("k3d")
    side = np.arange(100, dtype=np.float32)
    places = np.stack([*np.meshgrid(side, side), np.zeros((100, 100))], -1).reshape(-1, 3)
    size = np.full(len(places), 500.0, np.float32)
    columns = {"position": places.astype(np.float32), "size": size}
    points = gv.Particles(columns, gv.layouts.Composition()).view().objects[0]
    # The box is from -1 to 1.
    covered = np.pi / 4 * np.square(points.point_sizes).sum()
    assert covered == pytest.approx(0.6 * 4.0, rel=1e-3)


def test_a_sample_is_said(particles: gv.Particles) -> None:
    pytest.importorskip("k3d")
    with pytest.warns(UserWarning, match=r"500 of 7,040 reads are shown, chosen at random\."):
        plot = particles.view(max_points=500, rng=1)
    assert len(plot.objects[0].positions) == 500


def test_without_k3d_jupyter_scatter_shows_them(particles: gv.Particles, without: object) -> None:
    jscatter = pytest.importorskip("jscatter")
    without("k3d")
    said = r"^RENDER_CONTEXT: k3d cannot be used: .*genomevedic\[notebook\].* jupyter-scatter shows"
    left_out = r"^7,028 of 7,040 reads are shown\. 12 have no place in this layout\."
    with pytest.warns(UserWarning, match=said), pytest.warns(UserWarning, match=left_out):
        made = particles.view()
    assert isinstance(made, jscatter.Scatter)
    assert len(made.widget.points) == 7028


def test_without_both_matplotlib_shows_them(particles: gv.Particles, without: object) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    without("k3d", "jscatter")
    with pytest.warns(UserWarning) as said:
        made = particles.view()
    assert isinstance(made, figure.Figure)
    texts = [str(warning.message) for warning in said]
    assert len(texts) == 2
    assert all(text.endswith("Matplotlib shows the particles instead.") for text in texts)
    assert 'pip install "genomevedic[notebook]"' in texts[0]
    assert 'pip install "jupyter-scatter>=0.22"' in texts[1]


@pytest.mark.filterwarnings("ignore:7,028 of 7,040 reads are shown")
def test_an_old_k3d_is_not_used(particles: gv.Particles, monkeypatch: pytest.MonkeyPatch) -> None:
    k3d = pytest.importorskip("k3d")
    pytest.importorskip("jscatter")
    monkeypatch.setattr(k3d, "__version__", "2.17.0")
    with pytest.warns(UserWarning, match=r"k3d 3 or later, and 2\.17\.0 is installed"):
        particles.view()


@pytest.mark.filterwarnings("ignore:7,028 of 7,040 reads are shown")
def test_what_a_viewer_fails_of_is_told_by_its_code(
    particles: gv.Particles, monkeypatch: pytest.MonkeyPatch
) -> None:
    k3d = pytest.importorskip("k3d")
    pytest.importorskip("jscatter")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the texture is too large")

    monkeypatch.setattr(k3d, "plot", fail)
    with pytest.warns(UserWarning, match="^TEXTURE: k3d cannot draw here: the texture is too"):
        particles.view()


def test_with_nothing_to_draw_with_the_error_names_all(
    particles: gv.Particles, without: object
) -> None:
    without("k3d", "jscatter", "matplotlib", "matplotlib.figure")
    with pytest.raises(gv.errors.RenderingError) as caught:
        particles.view()
    assert caught.value.code == "RENDER_CONTEXT"
    assert caught.value.context["viewers"] == ["k3d", "jupyter-scatter", "Matplotlib"]


@pytest.mark.parametrize("positions", [[], [[1, 2, 3]], [[5, 5, 5]] * 3, [[np.nan] * 3] * 2])
@pytest.mark.parametrize("hidden", [(), ("k3d",), ("k3d", "jscatter")])
@pytest.mark.filterwarnings("ignore:RENDER_CONTEXT")
def test_few_and_odd_particles(
    positions: list[object], hidden: tuple[str, ...], without: object
) -> None:
    pytest.importorskip("k3d")
    without(*hidden)
    position = np.array(positions, np.float32).reshape(-1, 3)
    gc = np.full(len(position), 0.5, np.float32)
    layout = gv.layouts.Composition()
    made = gv.Particles({"position": position, "gc": gc, "quality": gc}, layout).view()
    assert made is not None


def test_arguments(particles: gv.Particles) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        particles.view(max_points=0)
    with pytest.raises(ValueError, match="no column 'position'"):
        gv.read_fastq(SAMPLE, columns=["gc"]).view()


def test_in_a_notebook() -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("k3d")
    cells = [
        "import sys, warnings, genomevedic as gv\n"
        "p = gv.read_fastq(gv.datasets.flowcell_sample(), limit=100)\n"
        "p.view()",
        "sys.modules['k3d'] = sys.modules['jscatter'] = None\np.view()",
    ]
    v4 = nbformat.v4
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    widget, picture = (
        [set(each.data) for each in cell.outputs if each.output_type == "execute_result"]
        for cell in notebook.cells
    )
    assert len(widget) == len(picture) == 1
    assert "application/vnd.jupyter.widget-view+json" in widget[0]
    assert "image/png" in picture[0]
    told = "".join(each.get("text", "") for each in notebook.cells[1].outputs)
    assert "RENDER_CONTEXT: k3d cannot be used" in told
