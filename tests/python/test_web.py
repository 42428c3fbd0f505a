"""The page of particles: what is written into it, and what browsers make of it."""

from __future__ import annotations

import base64
import html
import io
import json
import os
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import genomevedic as gv
from browsers import chromium_page, firefox_tab

pytest.importorskip("k3d")
pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

SAMPLE = gv.datasets.flowcell_sample()
IN_SPACE = "document.documentElement.dataset.state === 'space'"
IS_PICTURE = "document.documentElement.dataset.state === 'picture'"


def particles_of(positions: object, **columns: object) -> gv.Particles:
    position = np.asarray(positions, np.float32).reshape(-1, 3)
    return gv.Particles({"position": position, **columns}, gv.layouts.Composition())


def with_tiles(particles: gv.Particles) -> gv.Particles:
    """Return particles with a column of tiles, as names of a flow cell give it."""
    columns = {name: particles[name] for name in particles.columns}
    tile = 1101 + np.arange(len(particles), dtype=np.uint32) % 4
    return gv.Particles(columns | {"tile": tile}, particles.layout)


def part(page: str, name: str) -> str:
    found = re.search(rf'<script type="[^"]+" id="{name}">([^<]*)</script>', page)
    assert found
    return found[1]


def words(page: str) -> str:
    found = re.search(r'<p id="count">([^<]*)</p>', page)
    assert found
    return html.unescape(found[1])


def scene_of(page: str) -> dict[str, object]:
    """Return the points of the page as k3d's own reader finds them."""
    import k3d

    plot = k3d.plot()
    plot.load_binary_snapshot(base64.b64decode(part(page, "k3d-scene")))
    return {each.name: each for each in plot.objects}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    particles = with_tiles(gv.read_fastq(SAMPLE, layout="composition"))
    return gv.to_html(particles, tmp_path_factory.mktemp("page") / "run.html", title="A <run>")


# --- What is written ----------------------------------------------------------------------------


def test_the_page_holds_every_read_that_has_a_place(page_file: Path) -> None:
    page = page_file.read_text("utf-8")
    particles = gv.read_fastq(SAMPLE, layout="composition")
    placed = np.isfinite(particles.position).all(axis=1)
    assert words(page) == "7,028 of 7,040 reads are shown. 12 have no place in this layout."
    points = scene_of(page)["reads"]
    assert len(points.positions) == placed.sum() == 7028
    # One scale on all axes, about the middle of the box.
    expected = particles.position[placed].astype(np.float64)
    middle = (expected.min(axis=0) + expected.max(axis=0)) / 2
    scale = 2 / np.ptp(expected, axis=0).max()
    np.testing.assert_allclose(points.positions, (expected - middle) * scale, atol=1e-6)
    sizes = particles.size[placed] * particles.layout.point_size * scale
    np.testing.assert_allclose(points.point_sizes, sizes, rtol=1e-5)


def test_the_colours_are_those_of_gc_quality_and_tile(page_file: Path) -> None:
    page = page_file.read_text("utf-8")
    particles = with_tiles(gv.read_fastq(SAMPLE, layout="composition"))
    particles = particles[np.isfinite(particles.position).all(axis=1)]
    settings = json.loads(part(page, "settings"))
    assert [mode["key"] for mode in settings["modes"]] == ["gc", "quality", "tile"]
    gc, quality, tile = (
        np.frombuffer(zlib.decompress(base64.b64decode(mode["index"])), np.uint8)
        for mode in settings["modes"]
    )
    np.testing.assert_allclose(gc / 254, particles.gc, atol=0.0021)
    low, high = np.floor(particles.quality.min()), np.ceil(particles.quality.max())
    np.testing.assert_allclose(
        low + quality / 254 * (high - low), particles.quality, atol=(high - low) / 500
    )
    np.testing.assert_array_equal(tile, particles.tile - 1101)
    # The mission's scale colours a read as its own column does.
    table = np.frombuffer(base64.b64decode(settings["maps"]["blue–green–red"]), np.uint8)
    np.testing.assert_allclose(table.reshape(-1, 3)[gc] / 255, particles.color[:, :3], atol=0.025)
    assert [name for name, _ in settings["modes"][2]["swatches"]] == [
        "1101",
        "1102",
        "1103",
        "1104",
    ]


def test_the_page_is_text_that_cannot_break_out(page_file: Path) -> None:
    page = page_file.read_text("utf-8")
    assert "<h1>A &lt;run&gt;</h1>" in page
    assert not re.search(r"\[\[[A-Z0-9_]+\]\]", page)
    assert not re.search(r"(?:src|href)=[\"'](?!data:)", page.split("<script>")[0])


def test_the_page_holds_a_picture(page_file: Path) -> None:
    found = re.search(r'src="data:image/png;base64,([^"]+)"', page_file.read_text("utf-8"))
    assert found
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGB"))
    assert picture.shape[1] > 1000
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500


def test_a_sample_is_said(tmp_path: Path) -> None:
    particles = gv.read_fastq(SAMPLE, layout="composition")
    said = "100 of 7,040 reads are shown, chosen at random. 12 have no place in this layout."
    with pytest.warns(UserWarning, match=re.escape(said)):
        first = gv.to_html(particles, tmp_path / "a.html", max_points=100, rng=3)
    page = first.read_text("utf-8")
    assert words(page) == f"{said} The flat picture counts the others too."
    assert len(scene_of(page)["reads"].positions) == 100
    with pytest.warns(UserWarning):
        second = gv.to_html(particles, tmp_path / "b.html", max_points=100, rng=3)
    np.testing.assert_array_equal(
        scene_of(page)["reads"].positions,
        scene_of(second.read_text("utf-8"))["reads"].positions,
    )


NOWHERE = [np.nan] * 3
DEGENERATE = {
    "empty": ([], "There are no reads."),
    "one": ([[1, 2, 3]], "The one read is shown."),
    "equal": ([[5, 5, 5]] * 3, "All 3 reads are shown."),
    "flat": ([[0, 0, 0], [1, 2, 0]], "All 2 reads are shown."),
    "nowhere": ([NOWHERE] * 2, "None of 2 reads has a place in this layout."),
    "some": ([NOWHERE, [1, 1, 1]], "1 of 2 reads is shown. 1 has no place in this layout."),
    "far": ([[1e9, 0, 0], [1e9 + 4096, 1, 2]], "All 2 reads are shown."),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_few_and_odd_particles(case: str, tmp_path: Path) -> None:
    positions, said = DEGENERATE[case]
    page = gv.to_html(particles_of(positions), tmp_path / "page.html").read_text("utf-8")
    assert words(page) == said
    settings = json.loads(part(page, "settings"))
    assert np.isfinite(settings["camera"]).all()
    assert [mode["key"] for mode in settings["modes"]] == ["plain"]


def test_an_axis_of_another_unit_is_stretched_and_that_is_said(tmp_path: Path) -> None:
    layout = gv.layouts.Layout(
        "chip", "physical", ("column", "row", "time"), ("", "", "h"), 1.0, "a chip"
    )
    position = np.array([[0, 0, 0], [100, 50, 0.5]], np.float32)
    page = gv.to_html(gv.Particles({"position": position}, layout), tmp_path / "page.html")
    text = page.read_text("utf-8")
    np.testing.assert_allclose(np.ptp(scene_of(text)["reads"].positions, axis=0), [2, 1, 0.8])
    assert "Not to scale: time." in text
    assert "<dt>time (h)</dt><dd>0 to 0.5</dd>" in text


def test_points_that_would_hide_one_another_are_smaller(tmp_path: Path) -> None:
    side = np.arange(100, dtype=np.float32)
    places = np.stack([*np.meshgrid(side, side), np.zeros((100, 100))], -1).reshape(-1, 3)
    size = np.full(len(places), 500.0, np.float32)
    page = gv.to_html(particles_of(places, size=size), tmp_path / "page.html").read_text("utf-8")
    layout = gv.layouts.Composition()
    covered = len(places) * np.pi / 4 * (500.0 * layout.point_size) ** 2
    factor = json.loads(html.unescape(part(page, "settings")))["sizeFactor"]
    assert factor == pytest.approx(np.sqrt(0.6 * 99 * 99 / covered), rel=1e-5)
    few = gv.to_html(particles_of(places[:5]), tmp_path / "few.html").read_text("utf-8")
    assert json.loads(html.unescape(part(few, "settings")))["sizeFactor"] == 1.0


def test_many_tiles_are_counted_in_the_legend(tmp_path: Path) -> None:
    tile = np.arange(50, dtype=np.uint32)
    particles = particles_of(np.random.default_rng(1).random((50, 3)), tile=tile)
    page = gv.to_html(particles, tmp_path / "page.html").read_text("utf-8")
    (mode,) = json.loads(part(page, "settings"))["modes"]
    assert mode["swatches"] is None
    assert mode["notes"] == ["50 tiles, from 0 to 49.", "Colours repeat after 20 tiles."]


def test_arguments(tmp_path: Path) -> None:
    particles = particles_of([[1, 2, 3]], gc=np.array([0.5], np.float32))
    with pytest.raises(ValueError, match="cannot be coloured by 'tile'; there are 'gc'"):
        gv.to_html(particles, tmp_path / "page.html", color="tile")
    with pytest.raises(ValueError, match="at least 1"):
        gv.to_html(particles, tmp_path / "page.html", max_points=0)
    with pytest.raises(ValueError, match="no column 'position'"):
        gv.to_html(gv.read_fastq(SAMPLE, columns=["gc"]), tmp_path / "page.html")
    with pytest.raises(FileNotFoundError):
        gv.to_html(particles, tmp_path / "none" / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_page_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.html"
    path.write_text("the page of yesterday")

    def full(descriptor: int) -> None:
        assert path.read_text() == "the page of yesterday"
        raise OSError(28, "No space left on device")

    particles = particles_of([[1, 2, 3]])
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        gv.to_html(particles, path)
    assert path.read_text() == "the page of yesterday"
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    gv.to_html(particles, path)
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# --- In browsers --------------------------------------------------------------------------------


def colourful(png: bytes) -> int:
    """Return how many pixels of the left part, where the reads are, are strongly coloured."""
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    stage = picture[:, : picture.shape[1] * 6 // 10]
    return int((np.ptp(stage, axis=2) > 90).sum())


def changed(one: bytes, other: bytes) -> int:
    """Return how many pixels of the left part differ."""
    first, second = (
        np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in (one, other)
    )
    width = first.shape[1] * 6 // 10
    return int((first[:, :width] != second[:, :width]).any(axis=2).sum())


def settle(page: object) -> None:
    """Wait until what was asked for is done and two frames have been drawn since."""
    page.evaluate(
        "async () => { await genomevedic.work; for (let i = 0; i < 2; i += 1)"
        " await new Promise(requestAnimationFrame); }"
    )


def test_in_chromium(page_file: Path) -> None:
    with chromium_page() as page:
        faults: list[str] = []
        requests: list[str] = []
        page.on("console", lambda line: line.type == "error" and faults.append(line.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(page_file.as_uri())
        page.wait_for_function(IN_SPACE)
        settle(page)
        # Everything is reached by keys, the reads first.
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "space"
        first = page.screenshot()
        assert colourful(first) > 3000
        assert page.locator("#labels span", has_text="amino − keto").is_visible()
        assert page.locator("#legend .ticks").inner_text().split("\n") == [
            *("0 %", "25 %", "50 %", "75 %", "100 %")
        ]

        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("+")
        settle(page)
        turned = page.screenshot()
        assert changed(first, turned) > 3000
        page.keyboard.press("0")
        settle(page)
        assert changed(first, page.screenshot()) < 300

        page.keyboard.press("c")
        settle(page)
        assert page.locator("html").get_attribute("data-color") == "quality"
        assert page.locator("#status").inner_text() == "Coloured by mean quality."
        assert page.locator("#map").input_value() == "viridis"
        quality = page.screenshot()
        assert changed(first, quality) > 3000
        page.locator("#color-tile").focus()
        page.keyboard.press("Space")
        settle(page)
        assert page.locator("html").get_attribute("data-color") == "tile"
        assert page.locator("#legend li").count() == 4
        assert not page.locator("#map").is_visible()
        assert changed(quality, page.screenshot()) > 3000

        page.keyboard.press("]")
        settle(page)
        page.keyboard.press("p")
        assert page.locator("#picture").is_visible()
        page.keyboard.press("p")
        assert not page.locator("#picture").is_visible()
        assert faults == []
        assert [url for url in requests if not url.startswith(("file:", "blob:", "data:"))] == []
        assert [url for url in requests if url.startswith("file:")] == [page_file.as_uri()]


def test_a_lost_context_shows_the_picture(page_file: Path) -> None:
    with chromium_page() as page:
        page.goto(page_file.as_uri())
        page.wait_for_function(IN_SPACE)
        page.evaluate(
            "genomevedic.k3d.getWorld().renderer.getContext()"
            ".getExtension('WEBGL_lose_context').loseContext()"
        )
        page.wait_for_function(IS_PICTURE)
        assert page.locator("html").get_attribute("data-fault") == "RENDER_CONTEXT"
        assert "taken the WebGL context away" in page.locator("#fault").inner_text()
        assert page.locator("#picture").is_visible()
        assert page.evaluate("document.querySelector('#picture').naturalWidth") > 1000


def test_a_broken_shader_shows_the_picture(page_file: Path) -> None:
    with chromium_page() as page:
        page.add_init_script(
            "const source = WebGL2RenderingContext.prototype.shaderSource;"
            "WebGL2RenderingContext.prototype.shaderSource = function (shader, text) {"
            " source.call(this, shader, text.replace('void main', 'void broken')); };"
        )
        page.goto(page_file.as_uri())
        page.wait_for_function(IS_PICTURE)
        assert page.locator("html").get_attribute("data-fault") == "SHADER"
        assert page.locator("#picture").is_visible()


def test_without_webgl_the_picture_is_shown(page_file: Path) -> None:
    with chromium_page(webgl=False) as page:
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(page_file.as_uri())
        page.wait_for_function(IS_PICTURE)
        assert page.locator("#fault").inner_text().startswith("RENDER_CONTEXT: This browser has no")
        assert page.locator("#picture").is_visible()
        assert colourful(page.screenshot()) > 1000
        assert faults == []


def test_without_scripts_the_picture_is_shown(page_file: Path) -> None:
    with chromium_page(java_script_enabled=False) as page:
        page.goto(page_file.as_uri())
        assert page.locator("#picture").is_visible()
        assert page.get_by_text("Where scripts are switched off").is_visible()


def test_few_and_odd_particles_in_chromium(tmp_path: Path) -> None:
    with chromium_page() as page:
        faults: list[str] = []
        page.on("console", lambda line: line.type == "error" and faults.append(line.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        for case, (positions, _) in DEGENERATE.items():
            path = gv.to_html(particles_of(positions), tmp_path / f"{case}.html")
            page.goto(path.as_uri())
            page.wait_for_function(IN_SPACE)
            settle(page)
            assert faults == [], case


def test_in_firefox(page_file: Path) -> None:
    with firefox_tab() as tab:
        tab.open(page_file)
        tab.wait_for(IN_SPACE)
        first = tab.screenshot()
        assert colourful(first) > 3000
        tab.evaluate("document.getElementById('space').focus()")
        tab.press("c")
        tab.wait_for(
            "document.getElementById('status').textContent === 'Coloured by mean quality.'"
        )
        tab.press("\ue014", "\ue013", "+")  # the arrow keys to the right and up
        assert changed(first, tab.screenshot()) > 3000
        assert tab.logged("error") == []
        assert [url for url in tab.requests() if url.startswith("http")] == []


def test_in_firefox_without_webgl_the_picture_is_shown(page_file: Path) -> None:
    with firefox_tab(webgl=False) as tab:
        tab.open(page_file)
        tab.wait_for(IS_PICTURE)
        assert tab.evaluate("document.documentElement.dataset.fault") == "RENDER_CONTEXT"
        assert colourful(tab.screenshot()) > 1000
