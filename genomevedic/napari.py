"""Particles in napari (extra ``napari``): layers, the plugin's reader and sample, and a viewer.

napari itself is imported by `view` alone: layers are plain tuples.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import RenderingError, warn_user
from .scenes import Shown, choose, column_of, rendering_error, stretches, uncrowded
from .text import counted_reads

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from .layouts import Layout
    from .particles import Particles

    LayerTuple = tuple[Any, dict[str, Any], str]

__all__ = ["MAX_NAMES", "MAX_POINTS", "get_reader", "layer", "layers", "sample", "view"]

#: Number of points that a layer made by the reader or by `view` holds at most.
MAX_POINTS = 1_000_000

#: Number of reads up to which their names go along as a feature: Python strings, one a read.
MAX_NAMES = 100_000

# Pixels of a density along its longer side: of the coarsest level of the pyramid, and of the finest
# one at least and at most. Between them it has as many as leave some reads to a pixel.
_COARSEST, _FINEST = 256, (512, 4096)

_FEATURES = {"gc": "GC", "quality": "quality", "length": "length"}

_ENDINGS = (".fastq", ".fq", ".fastq.gz", ".fq.gz")

# Starts what a window needs and ends. A toolkit that finds no screen may end the process, so it is
# another process that tries.
_TRY_A_WINDOW = "from qtpy.QtWidgets import QApplication; QApplication([])"


def layer(particles: Particles) -> LayerTuple:
    """Return all reads that have a place as a napari points layer in space.

    What `Particles.to_napari` calls; see there.
    """
    shown = choose(particles, max(len(particles), 1), None)
    return _points(particles, shown, (2, 1, 0), "reads", spread=False)


def layers(
    particles: Particles,
    *,
    name: str = "reads",
    ndim: int = 2,
    max_points: int = MAX_POINTS,
    rng: np.random.Generator | int | None = None,
) -> list[LayerTuple]:
    """Return particles as napari layers, with a density beneath where there are many.

    Parameters
    ----------
    particles : Particles
        With the column ``position``.
    name : str
        What the names of the layers begin with.
    ndim : {2, 3}
        2: points at (y, x) with ``z`` as a feature, since a two-dimensional view of points in
        space shows one slice of them. 3: points at (z, y, x).
    max_points : int, default 1,000,000
        Above this number of reads with a place, the points are a random sample of that many, and
        a pyramid of images counts every one of them.
    rng : numpy.random.Generator or int, optional
        Source of that choice.

    Returns
    -------
    list of tuple
        ``(data, keyword arguments, "points" or "image")``, as napari's readers give them.

    Notes
    -----
    Diameters are ``size * layout.point_size``; of points that would cover more than 0.6 of the
    plane and hide one another, less by one factor, which is the layer's
    ``metadata["size_factor"]``.

    Raises
    ------
    ValueError
        There are no positions; `ndim` is neither 2 nor 3; `max_points` is less than 1.
    TypeError
        `max_points` is no whole number.

    Warns
    -----
    UserWarning
        Where the points are a sample.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
    >>> [(data, options, kind)] = layers(p)
    >>> kind, data.shape, options["name"]
    ('points', (7040, 2), 'reads: 7,040')
    """
    if ndim not in (2, 3):
        raise ValueError(f"ndim= must be 2 or 3, and is {ndim!r}")
    axes = (2, 1, 0) if ndim == 3 else (1, 0)
    shown = choose(particles, max_points, rng, axes)
    points = _points(particles, shown, axes, name, spread=True)
    if not shown.is_sample:
        return [points]
    density = _density_layer(particles, name)
    warn_user(
        f"{shown.words()} The density image counts {density[1]['metadata']['counted']:,}.",
        UserWarning,
    )
    return [density, points]


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerTuple]] | None:
    """Return the function that reads `path`, None where it is no FASTQ file (npe2 asks).

    Parameters
    ----------
    path : str or sequence of str
        A file, or several that napari was asked to open as one.

    Returns
    -------
    callable or None
        From the same path to layers, as `layers` gives them.

    Examples
    --------
    >>> get_reader("reads.bam") is None, get_reader("reads.FASTQ.gz") is None
    (True, False)
    """
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not paths or not all(str(each).lower().endswith(_ENDINGS) for each in paths):
        return None
    return _read


def sample() -> list[LayerTuple]:
    """Return the shipped simulated flow cell as layers, for File > Open Sample."""
    from .datasets import flowcell_sample

    return _read(str(flowcell_sample()))


def view(
    particles: Particles,
    *,
    viewer: Any = None,
    max_points: int = MAX_POINTS,
    rng: np.random.Generator | int | None = None,
    **kwargs: Any,
) -> Any:
    """Open particles in napari, in space.

    In a script call ``napari.run()`` afterwards, which returns when the window is closed; in a
    notebook or IPython the window stays open by itself.

    Parameters
    ----------
    particles : Particles
        With the column ``position``.
    viewer : napari.Viewer, optional
        Where to add the layers; by default a new one.
    max_points, rng
        As for `layers`.
    **kwargs
        Handed to `napari.Viewer`, for example ``title`` or ``show``.

    Returns
    -------
    napari.Viewer

    Raises
    ------
    ImportError
        napari is not installed: ``pip install "genomevedic[napari]"``.
    RenderingError
        There is no screen to open a window on, or no OpenGL.
    TypeError, ValueError
        As `layers`.

    Warns
    -----
    UserWarning
        Where the points are a sample.

    Notes
    -----
    An axis in another unit than x, such as the two surfaces of a flow cell, is stretched so that it
    can be seen beside the others: its label says by how much, and a feature of its name holds what
    it was. (A layer's ``scale`` would stretch the points as well.)

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
    >>> viewer = gv.napari.view(p)  # doctest: +SKIP
    >>> viewer.dims.ndisplay  # doctest: +SKIP
    3
    """
    found = layers(particles, ndim=3, max_points=max_points, rng=rng)
    found[-1] = _stretched(particles.layout, *found[-1])
    if viewer is None:
        viewer = _new_viewer(**kwargs)
    for data, options, kind in found:
        getattr(viewer, f"add_{kind}")(data, **options)
    viewer.dims.ndisplay = 3
    # From the side: seen along an axis, space looks flat.
    _camera(viewer).angles = (5.0, -30.0, 65.0)
    viewer.reset_view(reset_camera_angle=False)
    return viewer


def _camera(viewer: Any) -> Any:
    """Return the camera, which has moved to the viewer's scene with napari 0.9."""
    return viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera


def window_fault() -> RenderingError | None:
    """Return why no window can be opened here, None where one can.

    Examples
    --------
    >>> window_fault() is None  # doctest: +SKIP
    True
    """
    said = _try_a_window()
    return None if said is None else rendering_error("napari", RuntimeError(said))


@cache
def _try_a_window() -> str | None:
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TRY_A_WINDOW], capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if not lines:
        return f"the window toolkit ended with status {done.returncode}"
    # Qt says first what it lacks; Python says last what was raised.
    said = next((line for line in lines if line.startswith("qt.")), lines[-1])
    return re.sub(r"^qt\.[\w.]+: ", "", said)


def _new_viewer(**kwargs: Any) -> Any:
    try:
        import napari
    except ImportError as error:
        raise ImportError(
            'this needs napari; install it with: pip install "genomevedic[napari]"'
        ) from error
    fault = None if _has_application() else window_fault()
    if fault is not None:
        raise fault
    try:
        return napari.Viewer(**kwargs)
    except (OSError, RuntimeError) as error:
        raise rendering_error("napari", error) from error


def _has_application() -> bool:
    """Whether this process has started a window toolkit already, so that it works."""
    if "qtpy" not in sys.modules:
        return False
    from qtpy.QtWidgets import QApplication

    return QApplication.instance() is not None


def _read(path: str | Sequence[str]) -> list[LayerTuple]:
    """Read FASTQ files for napari; the names of the reads where there are not too many."""
    from .fastq import DEFAULT_COLUMNS, read_fastq

    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    source: Any = paths if len(paths) > 1 else paths[0]
    named = (*DEFAULT_COLUMNS, "name")
    particles = read_fastq(source, columns=named, limit=MAX_NAMES + 1)
    if len(particles) > MAX_NAMES:
        particles = read_fastq(source)
    return layers(particles, name=Path(paths[0]).name.split(".")[0] or "reads")


def _points(
    particles: Particles, shown: Shown, axes: tuple[int, ...], name: str, *, spread: bool
) -> LayerTuple:
    """Return the points layer of the reads `shown`; its arrays are views where all are.

    With `spread`, points that would hide one another are smaller than the layout has them.
    """
    rows, layout = shown.rows, particles.layout
    # A slice with a negative step, not a list of columns: a view, as napari wants the axes.
    backwards = slice(axes[0], None, -1)
    data = column_of(particles, "position")[rows][:, backwards]
    features = {
        title: particles[column][rows]
        for column, title in _FEATURES.items()
        if column in particles.columns
    }
    if 2 not in axes:
        features = {"z": particles.position[rows, 2], **features}
    if "name" in particles.columns and shown.count <= MAX_NAMES:
        features["name"] = np.array(particles["name"][rows].tolist(), dtype=object)
    sizes, factor = _sizes(particles, rows), 1.0
    if spread and len(data):
        factor = uncrowded(np.ptp(data, axis=0), sizes, len(data))
        sizes = sizes if factor == 1.0 else sizes * np.float32(factor)
    options: dict[str, Any] = {
        "name": _name(name, shown),
        "size": sizes,
        "features": features,
        "border_width": 0.0,
        "axis_labels": tuple(layout.axes[axis] for axis in axes),
        "units": tuple(_unit(layout.units[axis]) for axis in axes),
        # napari draws a point that it keeps from being smaller about twice as large as the limit.
        "canvas_size_limits": (1, 200),
        "metadata": {
            "layout": layout.name,
            "reads": shown.total,
            "shown": shown.count,
            "without_place": shown.unplaced,
            "is_sample": shown.is_sample,
            "size_factor": factor,
            "words": shown.words(),
        },
    }
    # napari looks for the least of the colours, which none at all do not have.
    if "color" in particles.columns and shown.count:
        # Of points of a few pixels napari draws the border alone, wide or not.
        options["face_color"] = options["border_color"] = particles.color[rows]
    return data, options, "points"


def _name(name: str, shown: Shown) -> str:
    if shown.is_sample:
        text = f"{name}: sample of {shown.count:,} of {shown.total:,}"
    else:
        text = f"{name}: {shown.count:,}"
    return text + (f" ({shown.unplaced:,} without a place left out)" if shown.unplaced else "")


def _sizes(particles: Particles, rows: Any) -> Any:
    """Return diameters in the layout's units."""
    if "size" not in particles.columns:
        return particles.layout.point_size
    return particles.size[rows] * np.float32(particles.layout.point_size)


def _unit(unit: str) -> str:
    """Return a unit if napari's parser takes it as one, else ``"pixel"``."""
    if not unit:
        return "pixel"
    try:
        import pint

        parsed = pint.get_application_registry().parse_expression(unit).units
    except Exception:
        # Words make the parser fail in more ways than it documents; none of them is a unit.
        return "pixel"
    return "pixel" if parsed.dimensionless else unit


def _stretched(
    layout: Layout, data: npt.NDArray[np.float32], options: dict[str, Any], kind: str
) -> LayerTuple:
    """Return a points layer in space with all three axes long enough to be seen."""
    extent = np.ptp(data, axis=0)[::-1] if len(data) else np.zeros(3)
    factors = stretches(layout, extent)[::-1]
    if bool((factors == 1.0).all()):
        return data, options, kind
    labels, units = list(options["axis_labels"]), list(options["units"])
    features = dict(options["features"])
    for axis in np.flatnonzero(factors != 1.0).tolist():
        features[labels[axis]] = data[:, axis]
        factor = factors[axis]
        labels[axis] += f" × {factor:,.0f}" if factor >= 100 else f" × {factor:.3g}"
        units[axis] = "pixel"
    changed = {"axis_labels": tuple(labels), "units": tuple(units), "features": features}
    return data * factors.astype(np.float32), options | changed, kind


# ----------------------------------------------------------------------------------------------
# Density
# ----------------------------------------------------------------------------------------------


def _density_layer(particles: Particles, name: str) -> LayerTuple:
    """Return a pyramid of images that counts every read with a place at its (y, x)."""
    layout, place = particles.layout, particles.position[:, :2]
    known = np.isfinite(place)
    lows = place.min(axis=0, where=known, initial=np.inf).astype(np.float64)
    highs = place.max(axis=0, where=known, initial=-np.inf).astype(np.float64)
    finest = _finest(len(place))
    pixel = float((highs - lows).max() / finest) or layout.point_size
    shape = _pyramid_shape((highs - lows) / pixel, finest // _COARSEST)
    counts = _count(place, lows, lows + pixel * shape, shape)
    pyramid = _pyramid(counts)
    counted = int(counts.sum(dtype=np.float64))
    # Of the level that is seen first; finer ones are as bright, for values are means.
    coarse = pyramid[-1]
    options: dict[str, Any] = {
        "name": f"{name}: density of {counted_reads(counted)}",
        "multiscale": len(pyramid) > 1,
        "scale": (pixel, pixel),
        # napari places the centre of the first pixel.
        "translate": (float(lows[1] + pixel / 2), float(lows[0] + pixel / 2)),
        "contrast_limits": (0.0, float(np.quantile(coarse[coarse > 0], 0.99))),
        "colormap": "viridis",
        "axis_labels": (layout.axes[1], layout.axes[0]),
        "units": (_unit(layout.units[1]), _unit(layout.units[0])),
        "metadata": {
            "layout": layout.name,
            "reads": len(particles),
            "counted": counted,
            "without_place": len(particles) - counted,
            "value": "reads a pixel of the finest level",
        },
    }
    return (pyramid if len(pyramid) > 1 else counts), options, "image"


def _finest(count: int) -> int:
    """Return the pixels of the finest level along the longer side.

    Examples
    --------
    >>> [_finest(count) for count in (1000, 1_000_000, 10_000_000, 1_000_000_000)]
    [512, 512, 1024, 4096]
    """
    wanted = 1 << int(math.log2(math.sqrt(max(count, 4)) / 2))
    return min(max(wanted, _FINEST[0]), _FINEST[1])


def _pyramid_shape(pixels: npt.NDArray[np.float64], step: int) -> npt.NDArray[np.int64]:
    """Return the pixels along x and y, rounded up so that every level halves without a rest."""
    shape: npt.NDArray[np.int64] = np.maximum(np.ceil(pixels / step), 1).astype(np.int64) * step
    return shape


def _count(
    position: npt.NDArray[np.float32],
    lows: npt.NDArray[np.float64],
    highs: npt.NDArray[np.float64],
    shape: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """Count the reads in each pixel (y, x) of a grid; reads without a place are in none."""
    from .layouts import given
    from .particles import Particles
    from .voxels import voxelize

    grid = voxelize(
        Particles({"position": position}, given()),
        axes=("y", "x"),
        bins=(int(shape[1]), int(shape[0])),
        bounds=[(float(lows[1]), float(highs[1])), (float(lows[0]), float(highs[0]))],
        sums=(),
    )
    return grid.counts.astype(np.float32)


def _pyramid(counts: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """Return levels of half the size each; values stay reads a finest pixel, so does brightness."""
    levels = [counts]
    while max(levels[-1].shape) > _COARSEST:
        fine = levels[-1]
        coarse = fine.reshape(fine.shape[0] // 2, 2, fine.shape[1] // 2, 2).mean(axis=(1, 3))
        levels.append(coarse)
    return levels
