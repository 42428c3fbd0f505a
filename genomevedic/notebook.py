"""Particles in a notebook: the best of k3d, jupyter-scatter and Matplotlib that works here.

k3d (extra ``notebook``) draws in space with WebGL. What cannot be used is said in a warning with
the code of its `RenderingError`, and the next is tried.
"""

from __future__ import annotations

import html
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from .errors import RenderingError, warn_user
from .layouts import axis_label
from .scenes import Shown, choose, rendering_error, stretches, uncrowded
from .text import counted_reads

if TYPE_CHECKING:
    import numpy.typing as npt

    from .layouts import Layout
    from .particles import Particles

Anchor = Literal["left", "center", "right"]

__all__ = [
    "FIELD_OF_VIEW",
    "K3D_VERSION",
    "Label",
    "Scene",
    "camera",
    "draw_overview",
    "labels",
    "make_scene",
    "show",
]

#: First version of k3d whose pages hold all they need.
K3D_VERSION = 3

_GROUND = 0x14161C
_BOX = 0x4A5060
_TEXT = 0xE8EAED

# The corners of a box that each edge joins; the bits of a corner are x, y and z.
_EDGES = [(corner, corner | bit) for bit in (1, 2, 4) for corner in range(8) if not corner & bit]

# From where a scene is looked at first: past a corner of its box, or from above where it is flat.
_PAST_A_CORNER, _FROM_ABOVE = (0.45, -0.78, 0.42), (0.0, 0.0, 1.0)

#: Of the camera, in radians.
FIELD_OF_VIEW = math.radians(40.0)

# Where on the two other axes of the box the edge lies that shows an axis.
_EDGES_IN_FRONT = ((0, -1, -1), (1, 0, -1), (-1, -1, 0))


# So that a label lies outside of the box: by the side of it on which it stands.
_ANCHORS: dict[int, Anchor] = {-1: "right", 0: "center", 1: "left"}


@dataclass(frozen=True)
class Scene:
    """Particles in a k3d plot, in a box from -1 to 1 along its longest axis.

    A graphics card counts in float32 around the origin, so places far from it would jitter.

    Attributes
    ----------
    plot : k3d.Plot
    points : k3d points
        In the order of `rows`.
    low, high : ndarray, shape (3,)
        The corners of the box, in units of the layout.
    scale : ndarray, shape (3,)
        What one unit of the layout is in the scene.
    stretched : tuple of bool
        Which axes are not to scale.
    """

    plot: Any
    points: Any
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    stretched: tuple[bool, bool, bool]

    @property
    def half(self) -> npt.NDArray[np.float64]:
        """Half the sides of the box, in the scene."""
        sides: npt.NDArray[np.float64] = (self.high - self.low) / 2 * self.scale
        return sides

    def scale_note(self, layout: Layout) -> str:
        """Say which axes are not to scale, if any, as a sentence behind others."""
        odd = [name for name, is_odd in zip(layout.axes, self.stretched, strict=True) if is_odd]
        return f" Not to scale: {', '.join(odd)}." if odd else ""

    @property
    def size_factor(self) -> float:
        """By what to multiply sizes so that points do not hide one another."""
        sizes = self.points.point_sizes
        every = sizes if len(sizes) else self.points.point_size
        return uncrowded((self.high - self.low) * self.scale, every, len(self.points.positions))


class Label(NamedTuple):
    """A text in a scene: the point of it that `anchor` names stands at `place`."""

    text: str
    place: tuple[float, ...]
    em: float
    anchor: Anchor


def show(particles: Particles, *, max_points: int, rng: np.random.Generator | int | None) -> Any:
    """Return the best view of particles that can be made here; what `Particles.view` calls."""
    shown = choose(particles, max_points, rng)
    failed: list[RenderingError] = []
    for name, make in (("k3d", _k3d), ("jupyter-scatter", _jscatter), ("Matplotlib", _figure)):
        try:
            made = make(particles, shown, rng)
        except Exception as error:
            # Whatever a viewer fails of, the next may work; what it said is passed on.
            failed.append(_failure(name, error))
            continue
        for fault in failed:
            warn_user(f"{fault.code}: {fault} {name} shows the particles instead.", UserWarning)
        return made
    raise RenderingError(
        " ".join(map(str, failed)), viewers=[fault.context["viewer"] for fault in failed]
    )


def make_scene(particles: Particles, shown: Shown) -> Scene:
    """Return a k3d plot of the reads `shown`: points, a box and its axes, on a dark ground.

    Raises
    ------
    ImportError
        k3d is not installed, or older than version 3.
    """
    k3d = import_k3d()
    position = particles.position[shown.rows]
    low, high = _bounds(position)
    factors = stretches(particles.layout, high - low)
    longest = float(((high - low) * factors).max()) or 1.0
    scale = factors * (2.0 / longest)
    middle = (low + high) / 2
    plot = k3d.plot(
        antialias=1,
        background_color=_GROUND,
        camera_fov=math.degrees(FIELD_OF_VIEW),
        camera_mode="orbit",
        colorbar_object_id=0,
        grid_visible=False,
        menu_visibility=False,
        axes_helper=0,
    )
    size = particles.layout.point_size * float(scale[0])
    sizes = particles.size[shown.rows] * np.float32(size) if "size" in particles.columns else ()
    points = k3d.points(
        ((position - middle) * scale).astype(np.float32),
        color=0xFFFFFF,
        name="reads",
        point_size=size,
        point_sizes=np.asarray(sizes, np.float32),
        shader="flat",
    )
    plot += points
    half = (high - low) / 2 * scale
    plot += k3d.lines(
        _corners(half), _EDGES, indices_type="segment", shader="simple", color=_BOX, name="box"
    )
    stretched = tuple(bool(factor != 1) for factor in factors)
    return Scene(plot, points, low, high, scale, stretched)  # type: ignore[arg-type]


def import_k3d() -> Any:
    """Return the module k3d, or raise a sentence that says how to get it."""
    try:
        import k3d
    except ImportError as error:
        raise ImportError(
            'this needs k3d; install it with: pip install "genomevedic[notebook]"'
        ) from error
    version = k3d.__version__
    if int(version.split(".")[0]) < K3D_VERSION:
        raise ImportError(
            f"this needs k3d {K3D_VERSION} or later, and {version} is installed; install it with: "
            'pip install -U "genomevedic[notebook]"'
        )
    return k3d


def number(value: float, span: float) -> str:
    """Return a coordinate as a label shows it, as exact as an axis of that `span` asks for.

    Examples
    --------
    >>> number(1234567.2, 1e6), number(0.0183, 7e4), number(-1.0, 2.0), number(0.1234, 0.5)
    ('1,234,567', '0', '−1', '0.123')
    """
    digits = max(0, 2 - math.floor(math.log10(span))) if span > 0 else 3
    text = f"{round(value, digits) + 0.0:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def _k3d(particles: Particles, shown: Shown, rng: Any) -> Any:
    scene = make_scene(particles, shown)
    k3d, plot, factor = import_k3d(), scene.plot, scene.size_factor
    scene.points.point_size *= factor
    scene.points.point_sizes = scene.points.point_sizes * np.float32(factor)
    # k3d itself would look from the side, where what is flat is a line.
    plot.camera_auto_fit = False
    plot.camera = camera(scene)
    plot.camera_up_axis = "y" if scene.low[2] == scene.high[2] else "z"
    for label in labels(particles.layout, scene):
        plot += k3d.text(
            html.escape(label.text),
            position=label.place,
            reference_point=f"{label.anchor[0]}c",
            color=_TEXT,
            size=label.em,
            is_html=True,
            label_box=False,
            name="axis",
        )
    legend = ""
    if "color" in particles.columns:
        scene.points.colors = _packed(particles.color[shown.rows])
        legend = _LEGEND
    words = html.escape(shown.words() + scene.scale_note(particles.layout))
    plot += k3d.text2d(
        f"<div style='font:12px sans-serif;color:#e8eaed;max-width:40em'>{words}{legend}</div>",
        (0.01, 0.01),
        is_html=True,
        label_box=False,
    )
    plot.menu_visibility = True
    if shown.is_sample:
        warn_user(shown.words(), UserWarning)
    return plot


_LEGEND = (
    "<div style='margin-top:4px'>GC content 0 % <span style='display:inline-block;width:12em;"
    "height:.8em;background:linear-gradient(to right,#00f,#0ff 40%,#0f0 50%,#ff0 60%,#f00)'>"
    "</span> 100 %</div>"
)


def _jscatter(particles: Particles, shown: Shown, rng: Any) -> Any:
    try:
        import jscatter
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "this needs jupyter-scatter and pandas; install them with: "
            'pip install "jupyter-scatter>=0.22" "genomevedic[notebook]"'
        ) from error
    position = particles.position[shown.rows]
    layout = particles.layout
    table = pd.DataFrame({"x": position[:, 0], "y": position[:, 1]})
    options: dict[str, Any] = {}
    if "gc" in particles.columns:
        table["GC"] = particles.gc[shown.rows]
        options = {"color_by": "GC", "legend": True}
    made = jscatter.Scatter(
        data=table,
        x="x",
        y="y",
        axes_labels=[axis_label(layout, 0), axis_label(layout, 1)],
        background_color=f"#{_GROUND:06x}",
        **options,
    )
    # It has no room for words.
    if shown.count < shown.total:
        warn_user(shown.words(), UserWarning)
    return made


def _figure(particles: Particles, shown: Shown, rng: Any) -> Any:
    from .plot import MAX_POINTS

    _show_figures_as_pictures()
    most = min(shown.count, MAX_POINTS) if shown.is_sample else MAX_POINTS
    return draw_overview(particles, max_points=most, rng=rng)


def draw_overview(particles: Particles, *, title: str | None = None, **kwargs: Any) -> Any:
    """Return a figure of all there is to see in these columns."""
    from . import plot
    from .plot.canvas import GROUND

    # Matplotlib would read what stands between two dollar signs as a formula.
    title = (title or counted_reads(len(particles))).replace("$", r"\$")
    figure = plot.new_figure()
    if {"gc", "quality"} <= set(particles.columns):
        return plot.overview(particles, fig=figure, title=title, **kwargs)
    ax = figure.add_subplot(facecolor=GROUND)
    plot.scatter(particles, ax=ax, **kwargs)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def _show_figures_as_pictures() -> None:
    """Tell a notebook how to show a figure that ``pyplot`` does not know of."""
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython
    from IPython.core.pylabtools import select_figure_formats

    shell = get_ipython()
    if shell is not None:
        select_figure_formats(shell, {"png"})


def _failure(viewer: str, error: Exception) -> RenderingError:
    """Return why a viewer cannot be used."""
    if isinstance(error, ImportError):
        return RenderingError(f"{viewer} cannot be used: {error}.", viewer=viewer)
    return rendering_error(viewer, error)


def _packed(color: npt.NDArray[np.float32]) -> npt.NDArray[np.uint32]:
    """Return colours in 0..1 as k3d takes them: 0xRRGGBB."""
    parts = (np.clip(color[:, :3], 0, 1) * 255 + 0.5).astype(np.uint32)
    return parts @ np.array([1 << 16, 1 << 8, 1], np.uint32)


def _bounds(
    position: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if len(position) == 0:
        return -np.ones(3), np.ones(3)
    return position.min(axis=0).astype(np.float64), position.max(axis=0).astype(np.float64)


def _corners(half: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    signs = [[1 if corner & bit else -1 for bit in (1, 2, 4)] for corner in range(8)]
    return (np.array(signs) * half).astype(np.float32)


def labels(layout: Layout, scene: Scene) -> list[Label]:
    """Return the names of the axes and the numbers at their ends."""
    half = scene.half
    is_flat = half[2] == 0
    found: list[Label] = []
    for axis in range(2 if is_flat else 3):
        outward = np.array(_EDGES_IN_FRONT[axis])
        if is_flat:
            # Seen from above, y is shown on the left.
            outward = outward * (-1, 1, 0)
        anchor = _ANCHORS[int(outward[0])] if axis else "center"
        texts = [(0.0, axis_label(layout, axis), 0.9)]
        if scene.low[axis] < scene.high[axis]:
            ends = ((-half[axis], scene.low[axis]), (half[axis], scene.high[axis]))
            span = float(scene.high[axis] - scene.low[axis])
            texts += [(along, number(value, span), 0.75) for along, value in ends]
        for along, text, em in texts:
            place = outward * (half + 0.08)
            place[axis] = along
            found.append(Label(text, tuple(place.tolist()), em, anchor))
    return found


def camera(scene: Scene) -> list[float]:
    """Return place, target and up of a camera that sees the whole box."""
    half = scene.half
    is_flat = half[2] == 0
    distance = 1.18 * (float(np.linalg.norm(half)) or 1.0) / math.sin(FIELD_OF_VIEW / 2)
    direction = np.array(_FROM_ABOVE if is_flat else _PAST_A_CORNER)
    place = direction / np.linalg.norm(direction) * distance
    return [*place.tolist(), 0.0, 0.0, 0.0, *((0.0, 1.0, 0.0) if is_flat else (0.0, 0.0, 1.0))]
