"""The gallery shows what its code draws, and every helper is in it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import matplotlib
import matplotlib.pyplot as plt
import pytest

import genomevedic as gv
from support import REPO

matplotlib.use("agg")

NO_PICTURE = {"GC_COLORS", "MAX_POINTS", "gc_colormap", "new_figure"}


@pytest.fixture(scope="module")
def gallery() -> Iterator[ModuleType]:
    sys.path.insert(0, str(REPO / "tools"))
    try:
        yield importlib.import_module("make_gallery")
    finally:
        sys.path.pop(0)


def test_the_page_is_that_of_the_script(gallery: ModuleType) -> None:
    folder = REPO / "docs" / "gallery"
    assert (folder / "README.md").read_text() == gallery.page()
    for entry in gallery.ENTRIES:
        assert (folder / f"{entry.name}.png").stat().st_size > 5000, entry.name


def test_every_helper_is_in_the_gallery(gallery: ModuleType) -> None:
    text = gallery.page()
    assert not {name for name in gv.plot.__all__ if f"gv.plot.{name}" not in text} - NO_PICTURE


def test_the_code_draws(gallery: ModuleType, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with gallery.runs(reads_per_tile=20, tiles=4, reads=400):
        for entry in gallery.ENTRIES:
            gallery.draw(entry, tmp_path / f"{entry.name}.png")
            image = plt.imread(tmp_path / f"{entry.name}.png")
            assert image.std() > 0.05, entry.name
