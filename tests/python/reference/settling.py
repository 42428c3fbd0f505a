"""Which layout a file has, and with what parameters: settled on what stands at its beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import places
from .measures import Measures
from .names import Name, parse

READS_FOR_MODEL = 4000

# Where nothing is known of the instrument.
FLOWCELL = {
    "placement": "schematic",
    "swath_pitch": 100_000.0,
    "tile_pitch": 100_000.0,
    "lane_pitch": 700_000.0,
    "surface_pitch": 0.0,
    "camera_tiles": 12,
    "stagger": 0.0,
}


@dataclass(frozen=True)
class Row:
    """What a place can be computed from; ``name`` is None where it is not of the file's kind."""

    name: Name | None
    measures: Measures
    ordinal: int
    sequence: bytes


@dataclass(frozen=True)
class Settled:
    """A layout by its name, the grammar of the names that count, and parameters."""

    layout: str
    grammar: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def known(self, name: Name | None) -> Name | None:
        """The name, if it is of this file's grammar. Nanopore has two writers of one kind."""
        if name is None or name.grammar == self.grammar:
            return name
        both = name.grammar.startswith("nanopore") and self.grammar.startswith("nanopore")
        return name if both else None

    def place(self, row: Row, parameters: Mapping[str, Any]) -> places.Place:
        p = parameters
        match self.layout:
            case "composition":
                return places.composition(row.measures)
            case "tetranucleotide":
                return places.tetranucleotide(row.sequence, p["weights"], p["bias"])
            case "spiral":
                return places.spiral(row.ordinal)
            case "grid":
                return places.bounded(places.grid(row.ordinal, p["width"]))
            case "pacbio":
                return places.pacbio(row.name)
            case "mgi":
                return places.bounded(places.mgi(row.name, p["lane_pitch"]))
            case "nanopore":
                return places.nanopore(row.name, p["model"], p["t0"], has_time=p["has_time"])
            case "flowcell":
                return places.bounded(flowcell(row.name, p))
        raise ValueError(self.layout)


def flowcell(name: Name | None, p: Mapping[str, Any]) -> places.Place:
    """With the pitches of an S4 and a first tile of 0 this is `places.flowcell_s4`."""
    return places.flowcell(
        name,
        lane_pitch=p["lane_pitch"],
        swath_pitch=p["swath_pitch"],
        tile_pitch=p["tile_pitch"],
        per_camera=p["camera_tiles"],
        surface_pitch=p["surface_pitch"] or None,
        stagger=p["stagger"],
        first=0 if p["placement"] == "novaseq-6000-s4" else 1,
    )


def first_header(texts: Sequence[bytes]) -> bytes | None:
    """The header line of the first record there is, sound or not; None where it is none."""
    for text in texts:
        if text.strip(b"\r\n"):
            line, newline, _ = text.partition(b"\n")
            whole = line.startswith(b"@") and newline != b""
            return line[1:].removesuffix(b"\r") if whole else None
    return None


def settle(wish: str, header: bytes | None, names: Sequence[bytes], **parameters: Any) -> Settled:
    """``names`` are those of the records there are in the first text that has one."""
    first = None if header is None else parse(header)
    grammar = "unknown" if first is None else first.grammar
    layout = wish
    if wish == "auto":
        layout = (None if first is None else first.layout) or "composition"
    if layout == "flowcell":
        return Settled(layout, grammar, {**FLOWCELL, **parameters})
    if layout == "nanopore":
        return Settled(layout, grammar, {**nanopore(first, names), **parameters})
    if layout == "mgi":
        return Settled(layout, grammar, {"lane_pitch": 20.0, **parameters})
    if layout == "grid":
        return Settled(layout, grammar, {"width": 1000, **parameters})
    return Settled(layout, grammar, parameters)


def nanopore(first: Name | None, names: Sequence[bytes]) -> dict[str, Any]:
    told = [] if first is None else [first]
    seen = [name for name in map(parse, names[:READS_FOR_MODEL]) if name is not None]
    bare = [Name(name.grammar, channel=name.channel) for name in seen]
    start = None if first is None else first.start_time
    return {
        "model": places.guess_model([*told, *bare]),
        "t0": 0 if start is None else start,
        "has_time": start is not None,
    }
