"""Particles as one web page that opens from disk, with no network (extra ``notebook``).

The page holds k3d, the places, sizes and colours of the reads, and a flat picture of them for
browsers that cannot draw in space. Its parts are in ``data/page.html``, ``page.css``, ``page.js``.
"""

from __future__ import annotations

import base64
import html
import importlib.resources
import io
import json
import os
import re
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import RenderingError, warn_user
from .files import write_whole
from .layouts import axis_label
from .notebook import (
    FIELD_OF_VIEW,
    Scene,
    camera,
    draw_overview,
    import_k3d,
    labels,
    make_scene,
    number,
)
from .scenes import Shown, choose
from .text import counted_reads

if TYPE_CHECKING:
    import numpy.typing as npt

    from .layouts import Layout
    from .particles import Particles

__all__ = ["MAX_POINTS", "to_html"]

#: Number of points that a page holds at most unless told otherwise; it weighs about 20 MB then.
MAX_POINTS = 1_000_000

# Colours a page tells apart on a scale. The index after them is a read of unknown value.
_LEVELS, _UNKNOWN = 255, 255

# What scales there are to choose from: the mission's own first, then two that are as clear to
# colour-blind readers as to others.
_MAPS = ("blue–green–red", "viridis", "cividis")

# Up to as many tiles the legend names each one; colours repeat after as many.
_NAMED_TILES, _TILE_COLORS = 40, 20

# zlib's level: what level 9 saves on coordinates, which look random, is not worth its time.
_COMPRESSION = 6

_PICTURE_DPI = 110

# Other forms of fonts that k3d holds itself; a browser would look for them beside the page.
_FONTS_BESIDE = re.compile(r',url\(fonts/[\w.-]+\) format\("\w+"\)')

# Files of k3d that a page needs, as k3d's own "full" snapshot does.
_K3D_FILES = ("standalone.js", "require.js", "fflate.js")


@dataclass(frozen=True)
class _Mode:
    """One way to colour the points.

    Attributes
    ----------
    key, title : str
    index : ndarray of uint8
        A colour's number for each point; 255 where the value is not known.
    map : str, optional
        The colour map at first; None where colours are not on a scale.
    ticks : tuple of str
        Numbers along the scale, from its low to its high end.
    swatches : tuple of (str, str)
        Names and colours, where colours mean names.
    table : bytes
        Red, green and blue of each index, where no colour map is to be chosen.
    notes : tuple of str
    """

    key: str
    title: str
    index: npt.NDArray[np.uint8]
    map: str | None = None
    ticks: tuple[str, ...] = ()
    swatches: tuple[tuple[str, str], ...] = ()
    table: bytes = b""
    notes: tuple[str, ...] = ()


def to_html(
    particles: Particles,
    path: str | os.PathLike[str],
    *,
    color: str | None = None,
    title: str | None = None,
    max_points: int = MAX_POINTS,
    rng: np.random.Generator | int | None = None,
) -> Path:
    """Write particles as one web page that opens from disk in any browser, with no network.

    The reads stand in space, to be turned and come near to by mouse or keys, coloured by GC
    content, mean quality or tile, with a legend; how many of them are shown is said in words.
    Where a browser cannot draw in space, or stops to, the page says why and shows a flat picture
    that it holds.

    Parameters
    ----------
    particles : Particles
        With the column ``position``; ``gc``, ``quality`` and ``tile`` colour the points, ``size``
        scales them.
    path : path-like
        File to write. It appears whole or not at all.
    color : {"gc", "quality", "tile"}, optional
        By what the points are coloured at first; by default the first of these that there is.
    title : str, optional
        Heading of the page; by default the number of reads.
    max_points : int, default 1,000,000
        Above this number of reads with a place, that many are shown, chosen at random; a warning
        and the page say so.
    rng : numpy.random.Generator or int, optional
        Source of that choice; a number makes it the same every time.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ImportError
        k3d 3 or later or Matplotlib is not installed: ``pip install "genomevedic[notebook]"``.
    RenderingError
        The installed k3d lacks a file that a page needs.
    OSError
        The file cannot be written.
    TypeError, ValueError
        There are no positions, or no column `color`; `max_points` is no whole number of at least 1.

    Warns
    -----
    UserWarning
        Where only `max_points` of the reads are shown.

    Examples
    --------
    >>> import tempfile
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample(), limit=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = gv.to_html(p, f"{folder}/reads.html", title="A hundred reads")
    ...     "<h1>A hundred reads</h1>" in page.read_text()
    True
    """
    shown = choose(particles, max_points, rng)
    modes = list(_modes(particles, shown))
    first = _first(modes, color)
    scene = make_scene(particles, shown)
    title = title or counted_reads(len(particles))
    picture = _picture(particles, title)
    page = _page(particles.layout, scene, shown, modes, first, title, picture)
    path = Path(path)
    write_whole(path, (part.encode() for part in page))
    if shown.is_sample:
        warn_user(shown.words(), UserWarning)
    return path


def _first(modes: list[_Mode], color: str | None) -> int:
    keys = [mode.key for mode in modes]
    if color is None:
        return 0
    if color not in keys:
        known = ", ".join(map(repr, keys))
        raise ValueError(f"these particles cannot be coloured by {color!r}; there are {known}")
    return keys.index(color)


# ----------------------------------------------------------------------------------------------
# Colour
# ----------------------------------------------------------------------------------------------


def _modes(particles: Particles, shown: Shown) -> Iterator[_Mode]:
    names = particles.columns
    if "gc" in names:
        yield _gc_mode(particles.gc[shown.rows])
    if "quality" in names:
        yield _quality_mode(particles.quality[shown.rows])
    if "tile" in names:
        yield _tile_mode(np.asarray(particles["tile"][shown.rows]))
    if not {"gc", "quality", "tile"} & set(names):
        index = np.zeros(shown.count, np.uint8)
        yield _Mode("plain", "nothing", index, table=bytes([138, 180, 248]) * _LEVELS)


def _gc_mode(values: npt.NDArray[np.float32]) -> _Mode:
    ticks = ("0 %", "25 %", "50 %", "75 %", "100 %")
    note = _unknown_note(values, "no known base")
    return _Mode("gc", "GC content", _index(values, 0.0, 1.0), _MAPS[0], ticks, notes=note)


def _quality_mode(values: npt.NDArray[np.float32]) -> _Mode:
    known = values[np.isfinite(values)]
    low = float(np.floor(known.min())) if len(known) else 0.0
    high = float(np.ceil(known.max())) if len(known) else 40.0
    high = max(high, low + 1)
    ticks = tuple(f"Q{value:g}" for value in (low, (low + high) / 2, high))
    note = _unknown_note(values, "no bases")
    return _Mode("quality", "mean quality", _index(values, low, high), "viridis", ticks, notes=note)


def _tile_mode(values: npt.NDArray[Any]) -> _Mode:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    tiles, rank = np.unique(values, return_inverse=True)
    colors = np.asarray(colormaps["tab20"](np.arange(_TILE_COLORS)))[:, :3]
    index = (rank % _TILE_COLORS).astype(np.uint8)
    table = (colors * 255 + 0.5).astype(np.uint8)
    swatches = tuple(
        (str(tile), to_hex(colors[i % _TILE_COLORS])) for i, tile in enumerate(tiles[:_NAMED_TILES])
    )
    notes = []
    if len(tiles) > _NAMED_TILES:
        swatches = ()
        notes.append(f"{len(tiles):,} tiles, from {tiles[0]} to {tiles[-1]}.")
    if len(tiles) > _TILE_COLORS:
        notes.append(f"Colours repeat after {_TILE_COLORS} tiles.")
    return _Mode(
        "tile", "tile", index, swatches=swatches, table=table.tobytes(), notes=tuple(notes)
    )


def _index(values: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.uint8]:
    known = np.isfinite(values)
    part = np.where(known, values, low).astype(np.float64)
    index = np.clip((part - low) / (high - low) * (_LEVELS - 1) + 0.5, 0, _LEVELS - 1)
    return np.where(known, index.astype(np.uint8), np.uint8(_UNKNOWN))


def _unknown_note(values: npt.NDArray[np.float32], reason: str) -> tuple[str, ...]:
    count = int(np.count_nonzero(~np.isfinite(values)))
    return (f"Grey: {counted_reads(count)} with {reason}.",) if count else ()


def _table(name: str) -> bytes:
    """Return red, green and blue of each level of a colour map."""
    from matplotlib import colormaps

    from .plot import gc_colormap

    colors = gc_colormap() if name == _MAPS[0] else colormaps[name]
    levels = np.asarray(colors(np.linspace(0, 1, _LEVELS)))[:, :3]
    return (levels * 255 + 0.5).astype(np.uint8).tobytes()


# ----------------------------------------------------------------------------------------------
# The page
# ----------------------------------------------------------------------------------------------


def _page(
    layout: Layout,
    scene: Scene,
    shown: Shown,
    modes: list[_Mode],
    first: int,
    title: str,
    picture: bytes,
) -> Iterator[str]:
    """Yield the text of the page, part by part."""
    words = shown.words()
    if shown.is_sample:
        words += " The flat picture counts the others too."
    parts = {
        "TITLE": html.escape(title),
        "WORDS": html.escape(words),
        "DESCRIPTION": html.escape(_description(layout, scene)),
        "SPACE_LABEL": html.escape(f"{words} {layout.description}. Turn with the arrow keys."),
        "PICTURE_ALT": html.escape(f"Flat picture of all reads: {layout.description}."),
        "PICTURE": _base64(picture),
        "AXES": _axes(layout, scene),
        "SETTINGS": _json(_settings(layout, scene, modes, first)),
        "SCENE": _base64(scene.plot.get_binary_snapshot(_COMPRESSION)),
        "STYLE": _own("page.css"),
        "SCRIPT": _own("page.js"),
        **_k3d_parts(),
    }
    for part in re.split(r"\[\[([A-Z0-9_]+)\]\]", _own("page.html")):
        yield parts.get(part, part)


def _description(layout: Layout, scene: Scene) -> str:
    text = f"{layout.description[:1].upper()}{layout.description[1:]}."
    return text + scene.scale_note(layout)


def _axes(layout: Layout, scene: Scene) -> str:
    rows = [
        f"<dt>{html.escape(axis_label(layout, i))}</dt>"
        f"<dd>{number(scene.low[i], span)} to {number(scene.high[i], span)}</dd>"
        for i, span in enumerate(scene.high - scene.low)
    ]
    return "".join(rows)


def _settings(layout: Layout, scene: Scene, modes: list[_Mode], first: int) -> dict[str, Any]:
    """Return what the page's script is told."""
    return {
        "first": first,
        "camera": camera(scene),
        "sizeFactor": scene.size_factor,
        "fieldOfView": FIELD_OF_VIEW,
        "labels": [label._asdict() for label in labels(layout, scene)],
        "maps": {name: _base64(_table(name)) for name in _MAPS},
        "modes": [
            {
                "key": mode.key,
                "title": mode.title,
                "index": _base64(zlib.compress(mode.index.tobytes(), _COMPRESSION)),
                "map": mode.map,
                "ticks": mode.ticks,
                "swatches": mode.swatches or None,
                "table": _base64(mode.table.ljust(3 * _LEVELS, b"\0")),
                "notes": mode.notes,
            }
            for mode in modes
        ],
    }


def _k3d_parts() -> dict[str, str]:
    """Return the scripts of k3d, and the licences of what they are built from."""
    folder = importlib.resources.files(import_k3d()) / "static"
    try:
        source, loader, inflate = ((folder / n).read_text("utf-8") for n in _K3D_FILES)
    except OSError as error:
        raise RenderingError(f"The installed k3d lacks a file: {error}.", viewer="k3d") from error
    notices = [each for each in folder.iterdir() if each.name.endswith(".js.LICENSE.txt")]
    licenses = "\n".join(each.read_text("utf-8") for each in sorted(notices, key=str))
    return {
        "K3D": _base64(zlib.compress(_FONTS_BESIDE.sub("", source).encode(), 9)),
        "REQUIRE": loader,
        "FFLATE": inflate,
        "LICENSES": licenses.replace("--", "‑‑"),
    }


def _picture(particles: Particles, title: str) -> bytes:
    """Return a flat picture as PNG: of many reads a density, which counts them all."""
    with warnings.catch_warnings():
        # The page says itself how many reads it shows.
        warnings.simplefilter("ignore", UserWarning)
        figure = draw_overview(particles, title=title)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=_PICTURE_DPI)
    return out.getvalue()


def _own(name: str) -> str:
    return (importlib.resources.files("genomevedic") / "data" / name).read_text("utf-8").strip()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _json(value: Any) -> str:
    """Return JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
