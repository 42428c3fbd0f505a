"""Instruments that write Illumina names: which one a name is of, and how its flow cell is drawn.

A pitch is the distance from one tile to the next in the units of x and y in names. Those of the
NovaSeq 6000 are measured (two groups stitched its S4 flow cell together); the others are round
numbers above the largest x and y seen in public read names, so that tiles stand beside each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["S4", "Instrument", "find_instrument", "is_s4"]


@dataclass(frozen=True)
class Instrument:
    """One kind of instrument.

    Attributes
    ----------
    name : str
        What its maker calls it.
    pattern : str
        A regular expression for the instrument's id, the first part of a read name.
    swath_pitch, tile_pitch : float
        Room for a tile in x and y.
    swaths : int
        Swaths in a lane at most.
    nm_per_unit : float or None
        Length of a unit, where it is published.
    """

    name: str
    pattern: str
    swath_pitch: float
    tile_pitch: float
    swaths: int
    nm_per_unit: float | None = None


# Ids as 10x Genomics' tenkit, St. Jude's ngsderive and nickp60/fcid tell them apart. A centre can
# rename an instrument; then it is unknown, or drawn on another's grid.
_INSTRUMENTS = (
    Instrument("NovaSeq 6000", r"N?A\d{5}", 34_000, 38_000, 6, 34.78),
    Instrument("NovaSeq X", r"L[HL]\d{5}", 54_000, 31_000, 4),
    Instrument("NextSeq 1000/2000", r"V[HL]\d{5}", 77_000, 59_000, 6),
    Instrument("NextSeq 500/550", r"N[BS]?\d{5,6}", 28_000, 22_000, 3),
    Instrument("MiniSeq", r"MN\d{5}", 28_000, 22_000, 3),
    Instrument("MiSeq", r"M\d{5}|HWI-M\d{4,5}", 31_000, 31_000, 1),
    Instrument("HiSeq X", r"(ST-)?E\d{5}", 34_000, 60_000, 2),
    Instrument("HiSeq 3000/4000", r"[JK]\d{5}", 34_000, 51_000, 2),
    Instrument("HiSeq 1500/2500", r"(HWI-)?[CD]\d{5}", 23_000, 103_000, 3, 37.5),
    Instrument("HiSeq 2000", r"HWI-ST\d{3,5}(_\d{9})?|SN\d{3}", 23_000, 103_000, 3),
    Instrument("Genome Analyzer II", r"HWUSI-.*|HWI-EAS.*", 23_000, 23_000, 1),
    Instrument("AVITI", r"AV\d{6}", 12_000, 12_000, 5),
    Instrument("G4", r"G4-\d{3}", 280_000, 27_000, 11),
    # Of the sample that ships with the package.
    Instrument("simulated", r"SIM\d{3}", 34_000, 39_000, 1),
)

_OTHER = Instrument("unknown", "", 100_000, 100_000, 6)


@dataclass(frozen=True)
class _Placement:
    """Where tiles of a flow cell truly lie, in units of names."""

    swath_pitch: float
    tile_pitch: float
    stagger: float
    swaths: int


# Two groups agree on these, up to a mirror in x; the stagger differs between their runs.
S4 = _Placement(swath_pitch=33_739, tile_pitch=36_282, stagger=6_201, swaths=6)


def find_instrument(instrument: str) -> Instrument:
    """Return the kind of an instrument by its id; one named "unknown" where no pattern fits."""
    for kind in _INSTRUMENTS:
        if re.fullmatch(kind.pattern, instrument, re.ASCII):
            return kind
    return _OTHER


def is_s4(instrument: str, flow_cell: str) -> bool:
    """Return whether a name's first and third part are those of a NovaSeq 6000 with an S4."""
    return (
        re.fullmatch(r"N?A\d{5}", instrument, re.ASCII) is not None
        and re.fullmatch(r"[A-Z0-9]{5}DS..", flow_cell, re.ASCII) is not None
    )
