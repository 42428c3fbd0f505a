"""Settling a layout on the first records of a file: which one, and with what parameters.

Only the first source that holds a record is looked at, before any record of it is read. What is
settled stays for all that follows.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from .errors import NoCoordinatesError
from .instruments import S4, find_instrument, is_s4
from .layouts import NANOPORE_MODELS, REVERSE_COMPLEMENT, FlowCell, Layout, by_name
from .names import layout_of

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["NAMED", "settle", "settle_as"]

# Layouts whose places are read from names, in the order in which "auto" looks for them.
NAMED = ("flowcell", "nanopore", "pacbio", "mgi")

_SPACE = re.compile(r"[ \t]+")

# Records that are looked at to find the channels of a Nanopore flow cell, or a name that fits.
_READS_FOR_MODEL = 4_000

# Text that is looked at, at the most: a buffer grows as far as that.
_TEXT_FOR_NAME = 2**20
_TEXT_FOR_MODEL = 2**26
_TEXT_FOR_FIT = 2**28


def settle(
    core: _core.Reader, wish: Layout | None, sources: Sequence[tuple[str, Any]], *, is_strict: bool
) -> tuple[Layout, str]:
    """Settle a reader's layout on its first records, and tell its core.

    Parameters
    ----------
    core : _core.Reader
        That has not read anything.
    wish : Layout or None
        None for ``"auto"``.
    sources : sequence of (str, object)
        Its sources, each with what it is called.
    is_strict : bool
        Whether a record without a place is an error.

    Returns
    -------
    layout : Layout
        With every parameter settled.
    grammar : str
        Of the names that are read.

    Raises
    ------
    NoCoordinatesError
        The names do not hold what the layout needs.
    """
    parts, header = _first(core, 1, _TEXT_FOR_NAME)
    if wish is None:
        found = layout_of(parts)
        wish = by_name(found or "composition")
    elif wish.name in NAMED and layout_of(parts) != wish.name and header is not None:
        if not is_strict:
            parts, _ = _first(core, _READS_FOR_MODEL, _TEXT_FOR_MODEL, wish.name)
        if is_strict or parts is None:
            path, _ = sources[core.stats()["sources"] - 1]
            raise _no_coordinates(wish, parts, header, path)
    settled = _SETTLERS.get(wish.name, _as_it_is)(core, wish, parts)
    grammar = parts["grammar"] if parts is not None else "unknown"
    if settled.name in NAMED and settled.grammar != grammar:
        settled = replace(settled, grammar=grammar)
    settle_as(core, settled, grammar)
    return settled, grammar


def settle_as(core: _core.Reader, layout: Layout, grammar: str) -> None:
    """Tell the core of a reader that has not read anything what was settled before."""
    weights = layout.parameters.get("weights")
    core.settle(
        layout.name,
        grammar,
        _numbers(layout),
        None if weights is None else np.array(weights, dtype=np.float64),
    )


def _first(
    core: _core.Reader, records: int, text: int, layout: str | None = None
) -> tuple[dict[str, Any] | None, bytes | None]:
    """Return the first name (of those that hold a layout's coordinates), parsed and as it is."""
    looked = core.look(records, text)
    headers = looked[0] if looked is not None else []
    for header in headers:
        parts = _core.parse_name(header)
        if layout is None or layout_of(parts) == layout:
            return (None if parts is None else {**parts, "header": header}), header
    return None, headers[0] if headers else None


def _no_coordinates(
    wish: Layout, parts: Mapping[str, Any] | None, header: bytes, path: str
) -> NoCoordinatesError:
    name = header[:200].decode("utf-8", "backslashreplace")
    if parts is None:
        found = "a name that no known platform writes"
    elif wish.name == "nanopore" and parts["platform"] == "nanopore":
        found = "a Nanopore name without a channel (ch= or ch:i:)"
    elif wish.name == "pacbio" and parts["platform"] == "pacbio":
        found = "a name of the PacBio RS II, whose hole numbers are no places"
    else:
        found = f"a name of {parts['platform']} (grammar {parts['grammar']})"
    return NoCoordinatesError(
        f"{path}: the layout {wish.name!r} reads places from names, but the first one is {found}: "
        f"{name!r}. layout='auto' takes what the names hold",
        path=path,
        name=name,
        layout=wish.name,
    )


# ---------------------------------------------------------------------------------------------
# One function a layout
# ---------------------------------------------------------------------------------------------


def _as_it_is(core: _core.Reader, wish: Layout, parts: Mapping[str, Any] | None) -> Layout:
    return wish


def _flow_cell(core: _core.Reader, wish: Layout, parts: Mapping[str, Any] | None) -> Layout:
    """Fill in what is known of the instrument, unless it was settled before."""
    if wish.parameters["instrument"] is not None:
        return wish
    instrument = flow_cell = ""
    if parts is not None:
        words = _SPACE.split(parts["header"].decode("utf-8", "replace"))
        fields = words[1 if parts["renamed"] else 0].split(":")
        instrument = fields[0]
        flow_cell = fields[2] if parts["grammar"] != "illumina-1.3" else ""
    grammar = parts["grammar"] if parts is not None else ""
    return _draw_flow_cell(instrument, flow_cell, grammar, tuple(wish.parameters.items()))


@lru_cache(maxsize=64)
def _draw_flow_cell(
    instrument: str, flow_cell: str, grammar: str, wishes: tuple[tuple[str, Any], ...]
) -> Layout:
    kind = find_instrument(instrument)
    wish = {name: value for name, value in wishes if value is not None}
    is_physical = wish.get("placement") == "novaseq-6000-s4" or (
        "placement" not in wish and is_s4(instrument, flow_cell)
    )
    known: Any = S4 if is_physical else kind
    swath_pitch = wish.get("swath_pitch", known.swath_pitch)
    tile_pitch = wish.get("tile_pitch", known.tile_pitch)
    is_beside = wish["surfaces"] == "beside"
    # From a lane to the next: its swaths, one more for a gap, and all of it twice for two surfaces.
    surface_pitch = (known.swaths + 0.5) * swath_pitch if is_beside else 0.0
    width = (known.swaths + 1) * swath_pitch + surface_pitch
    unit = f" ({kind.nm_per_unit} nm)" if kind.nm_per_unit is not None else ""
    words = {
        True: "place of each cluster on the S4 flow cell of a NovaSeq 6000, lanes drawn apart",
        False: "place of each cluster in its tile, tiles on a schematic grid",
    }
    made = FlowCell(surfaces=wish["surfaces"])
    return replace(
        made,
        kind="physical" if is_physical else "schematic",
        axes=("x", "y", "" if is_beside else "surface"),
        units=(f"0.1 px{unit}", f"0.1 px{unit}", ""),
        # A hundredth of a tile.
        point_size=max(swath_pitch, tile_pitch) / 100,
        description=words[is_physical],
        grammar=grammar,
        parameters={
            "placement": "novaseq-6000-s4" if is_physical else "schematic",
            "surfaces": wish["surfaces"],
            "swath_pitch": float(swath_pitch),
            "tile_pitch": float(tile_pitch),
            "lane_pitch": float(wish.get("lane_pitch", width)),
            "surface_pitch": float(surface_pitch),
            "camera_tiles": wish["camera_tiles"],
            "stagger": float(wish.get("stagger", S4.stagger if is_physical else 0.0)),
            "instrument": kind.name,
            "nm_per_unit": kind.nm_per_unit,
        },
    )


def _nanopore(core: _core.Reader, wish: Layout, parts: Mapping[str, Any] | None) -> Layout:
    """Settle the flow cell's model and the beginning of time."""
    parameters = dict(wish.parameters)
    if parameters["model"] is None:
        parameters["model"] = _model_of(core, parts)
    start = parts["start_time"] if parts is not None else None
    if parameters["has_time"] is None:
        parameters["has_time"] = start is not None
    if parameters["t0"] is None and start is not None:
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        parameters["t0"] = (epoch + datetime.timedelta(microseconds=start)).isoformat()
    z = ("time", "h") if parameters["has_time"] else ("", "")
    return replace(wish, axes=("column", "row", z[0]), units=("", "", z[1]), parameters=parameters)


def _model_of(core: _core.Reader, parts: Mapping[str, Any] | None) -> str:
    """Return the model that a flow cell's id tells, else the least that has the channels seen."""
    flow_cell = (parts["flow_cell"] if parts is not None else None) or b""
    if flow_cell.startswith(b"PA"):
        return "promethion"
    if flow_cell.startswith(b"FA"):
        return "minion"
    if re.fullmatch(rb"A[A-Z]{2}[0-9]{3}", flow_cell):
        return "flongle"
    looked = core.look(_READS_FOR_MODEL, _TEXT_FOR_MODEL)
    headers = looked[0] if looked is not None else []
    names = (_core.parse_name(header) for header in headers)
    most = max((name["channel"] or 0 for name in names if name is not None), default=0)
    return "flongle" if most < 127 else "minion" if most < 513 else "promethion"


def _tetranucleotides(core: _core.Reader, wish: Layout, parts: Mapping[str, Any] | None) -> Layout:
    """Fit the axes to the first reads, unless they were given."""
    if wish.parameters["weights"] is not None:
        return wish
    looked = core.look(wish.parameters["reads"], _TEXT_FOR_FIT, True)
    counts = looked[1] if looked is not None else None
    if counts is None:
        counts = np.zeros((0, 256), dtype=np.uint32)
    weights, bias, spread = fit_axes(counts)
    return replace(
        wish,
        # A tenth of the standard deviation along the widest axis.
        point_size=spread / 10 if spread > 0 else wish.point_size,
        parameters={
            **wish.parameters,
            "weights": tuple(map(tuple, weights.tolist())),
            "bias": tuple(bias.tolist()),
        },
    )


def fit_axes(
    counts: npt.NDArray[np.uint32],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Return the first three principal components of tetranucleotide frequencies.

    Parameters
    ----------
    counts : ndarray of uint32, shape (reads, 256)
        Of each read's tetranucleotides.

    Returns
    -------
    weights : ndarray of float64, shape (256, 3)
        Loadings; both strands weigh the same. An axis's largest loading is positive.
    bias : ndarray of float64, shape (3,)
        The mean read on these axes.
    spread : float
        Standard deviation along the first.
    """
    totals = counts.sum(axis=1, dtype=np.float64)
    known = totals > 0
    weights, bias = np.zeros((256, 3)), np.zeros(3)
    if not known.any():
        return weights, bias, 0.0
    frequencies = counts[known] / totals[known, None]
    frequencies = (frequencies + frequencies[:, REVERSE_COMPLEMENT]) / 2
    mean = frequencies.mean(axis=0)
    centred = frequencies - mean
    variances, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    weights = vectors[:, ::-1][:, :3].copy()
    # Rounding leaves strands apart by the last bit.
    weights = (weights + weights[REVERSE_COMPLEMENT]) / 2
    weights *= np.where(weights[np.abs(weights).argmax(axis=0), range(3)] < 0, -1.0, 1.0)
    return weights, mean @ weights, float(np.sqrt(max(variances[-1], 0.0)))


_SETTLERS = {
    "flowcell": _flow_cell,
    "nanopore": _nanopore,
    "tetranucleotide": _tetranucleotides,
}


def _numbers(layout: Layout) -> dict[str, float]:
    """Return the parameters as the core takes them."""
    parameters = layout.parameters
    if layout.name == "flowcell":
        names = (
            "swath_pitch",
            "lane_pitch",
            "surface_pitch",
            "tile_pitch",
            "camera_tiles",
            "stagger",
        )
        is_physical = parameters["placement"] != "schematic"
        # In the formula of the physical placement, swaths and tiles count from 0.
        return {**{name: float(parameters[name]) for name in names}, "origin": 1.0 - is_physical}
    if layout.name == "nanopore":
        t0 = parameters["t0"]
        micros = 0
        if t0 is not None:
            elapsed = datetime.datetime.fromisoformat(t0) - datetime.datetime(
                1970, 1, 1, tzinfo=datetime.UTC
            )
            micros = elapsed // datetime.timedelta(microseconds=1)
        return {
            "model": float(NANOPORE_MODELS[parameters["model"]]),
            "t0": float(micros),
            "has_time": float(parameters["has_time"]),
        }
    if layout.name == "tetranucleotide":
        return dict(zip(("bias_x", "bias_y", "bias_z"), parameters["bias"], strict=True))
    if layout.name in ("mgi", "grid"):
        return {name: float(value) for name, value in parameters.items()}
    return {}
