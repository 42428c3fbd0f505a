"""Where a particle stands."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .measures import Measures
from .names import Name

Place = tuple[float, float, float]
NOWHERE: Place = (math.nan, math.nan, math.nan)
MOST_EXACT = 2**24
BASES = {65: 0, 97: 0, 67: 1, 99: 1, 71: 2, 103: 2, 84: 3, 116: 3, 85: 3, 117: 3}


def bounded(place: Place) -> Place:
    """The place, if float32 holds whole numbers as far out as that."""
    return NOWHERE if max(map(abs, place)) > MOST_EXACT else place


def composition(measures: Measures) -> Place:
    """The mean of the bases' vertices A(1,1,1) C(-1,1,-1) G(1,-1,-1) T(-1,-1,1).

    The reverse complement maps (x, y, z) to (-x, -y, z); of the two the one is taken whose x, or
    else y, is positive. The numerators stay integers until the division, so no zero is negative.
    """
    if measures.known == 0:
        return NOWHERE
    a, c, g, t = measures.a, measures.c, measures.g, measures.t
    x = a - c + g - t
    y = a + c - g - t
    z = a - c - g + t
    if x < 0 or (x == 0 and y < 0):
        x, y = -x, -y
    return (x / measures.known, y / measures.known, z / measures.known)


def four_mers(sequence: bytes) -> list[int]:
    """The 4-mers of known bases, each as a number to base 4 with A 0, C 1, G 2, T and U 3."""
    found = []
    for start in range(len(sequence) - 3):
        letters = [BASES.get(byte) for byte in sequence[start : start + 4]]
        if None not in letters:
            a, b, c, d = letters
            found.append(((a * 4 + b) * 4 + c) * 4 + d)
    return found


def reverse_complement(four_mer: int) -> int:
    """The number of the 4-mer on the other strand."""
    reversed_mer = 0
    for _ in range(4):
        reversed_mer = reversed_mer * 4 + (3 - four_mer % 4)
        four_mer //= 4
    return reversed_mer


def tetranucleotide(sequence: bytes, weights: Sequence[Sequence[float]], b: Place) -> Place:
    """The mean of the weights of the read's 4-mers, less ``b``; none of known bases, no place."""
    mers = four_mers(sequence)
    if not mers:
        return NOWHERE
    x, y, z = (math.fsum(weights[mer][axis] for mer in mers) / len(mers) for axis in range(3))
    return (x - b[0], y - b[1], z - b[2])


def chaos_game(sequence: bytes) -> Place:
    """The end of a walk that goes half the way to each known base's vertex, from the centre."""
    vertices = ((1, 1, 1), (-1, 1, -1), (1, -1, -1), (-1, -1, 1))
    x = y = z = 0.0
    walked = False
    for byte in sequence:
        if byte in BASES:
            vertex = vertices[BASES[byte]]
            x, y, z = (x + vertex[0]) / 2, (y + vertex[1]) / 2, (z + vertex[2]) / 2
            walked = True
    return (x, y, z) if walked else NOWHERE


def spiral(ordinal: int) -> Place:
    """By the record's ordinal: r = sqrt(i + 1/2), theta = 2.399963 i."""
    radius = math.sqrt(ordinal + 0.5)
    angle = 2.399963 * ordinal
    return (radius * math.cos(angle), radius * math.sin(angle), 0.0)


def grid(ordinal: int, width: int) -> Place:
    """By the record's ordinal: rows of ``width``, one after another."""
    row, column = divmod(ordinal, width)
    return (float(column), float(row), 0.0)


NOVASEQ_SWATH_PITCH = 33_739
NOVASEQ_TILE_PITCH = 36_282
NOVASEQ_STAGGER = 6_201


def flowcell_s4(name: Name | None, lane_pitch: float, stagger: float = NOVASEQ_STAGGER) -> Place:
    """The physical place on a flow cell S4 of a NovaSeq 6000, its lanes ``lane_pitch`` apart.

    The even swaths are imaged ``stagger`` lower on the upper surface and higher on the other.
    """
    if name is None or name.layout != "flowcell":
        return NOWHERE
    x = name.x + NOVASEQ_SWATH_PITCH * name.swath + lane_pitch * (name.lane - 1)
    y = name.y + NOVASEQ_TILE_PITCH * name.number
    if name.swath % 2 == 0:
        y += -stagger if name.surface == 1 else stagger
    return (float(x), float(y), float(name.surface))


def flowcell(
    name: Name | None,
    *,
    lane_pitch: float,
    swath_pitch: float,
    tile_pitch: float,
    per_camera: int = 0,
    surface_pitch: float | None = None,
    stagger: float = 0.0,
    first: int = 1,
) -> Place:
    """The schematic place: tiles on a grid, a lane's swaths side by side, its numbers upwards.

    The tiles of a camera follow those of the camera before it, ``per_camera`` each. With
    ``surface_pitch`` the second surface lies beside the first, else above it. Of what the name does
    not tell (a swath, a surface, a camera) there is one. Tiles of a G4, whose numbers nobody
    explains, are drawn a thousand to a swath. The even swaths may be shifted, as in `flowcell_s4`,
    and the swath and number that stand at the origin be another than 1.
    """
    if name is None or name.layout != "flowcell":
        return NOWHERE
    surface, swath, camera = name.surface or 1, name.swath or 1, name.camera or 1
    number = name.number
    if name.grammar == "singular":
        swath, number = name.tile // 1000 + 1, name.tile % 1000
    x = name.x + lane_pitch * (name.lane - 1) + swath_pitch * (swath - first)
    y = name.y + tile_pitch * (number - first + per_camera * (camera - 1))
    if swath % 2 == 0:
        y += -stagger if surface == 1 else stagger
    if surface_pitch is None:
        return (float(x), float(y), float(surface))
    return (float(x + surface_pitch * (surface - 1)), float(y), 0.0)


def mgi(name: Name | None, lane_pitch: float) -> Place:
    """The field of view of a DNBSEQ read, lanes ``lane_pitch`` columns apart.

    Within a field a read has no place of its own: all of its reads stand in one.
    """
    if name is None or name.layout != "mgi":
        return NOWHERE
    return (float(name.column + lane_pitch * (name.lane - 1)), float(name.row), 0.0)


def pacbio(name: Name | None) -> Place:
    """The hole: its number is X in the upper and Y in the lower 16 bits."""
    if name is None or name.layout != "pacbio":
        return NOWHERE
    x, y = divmod(name.zmw, 65_536)
    return (float(x), float(y), 0.0)


Chip = list[list[int]]


def minion_chip() -> Chip:
    """The channels of a MinION or GridION chip: 32 lists of 16, from one end of it to the other.

    Built as Oxford Nanopore describes it (bioinformatics.stackexchange.com/questions/745, where it
    is confirmed from MinKNOW's own table; the nanopoRe package and NanoPlot draw the same): blocks
    of 64 channels lie one below another, 1-64, 449-512, 385-448 and so on down to 65-128. A block
    has eight lines of eight; the last four are its left half, the first four from right to left its
    right half.
    """
    chip = []
    for first in (1, 449, 385, 321, 257, 193, 129, 65):
        lines = [[first + 8 * line + i for i in range(8)] for line in range(8)]
        for i in range(4):
            chip.append(lines[4 + i] + lines[i][::-1])
    return chip


def promethion_chip() -> Chip:
    """The channels of a PromethION chip: 120 lists of 25.

    Twelve blocks side by side hold 250 channels each, ten to a line, line under line (nanopoRe and
    NanoPlot).
    """
    chip: Chip = [[] for _ in range(120)]
    channel = 0
    for block in range(12):
        for _ in range(25):
            for column in range(10):
                channel += 1
                chip[10 * block + column].append(channel)
    return chip


def flongle_chip() -> Chip:
    """The channels of a Flongle: 13 lists of 10, 0 where a corner has none.

    Ten lines: two of twelve channels, six of thirteen, two of twelve (NanoPlot; nanopoRe draws the
    same upside down).
    """
    chip: Chip = [[] for _ in range(13)]
    channel = 0
    for line in (12, 12, 13, 13, 13, 13, 13, 13, 12, 12):
        for column in range(13):
            if column < line:
                channel += 1
                chip[column].append(channel)
            else:
                chip[column].append(0)
    return chip


CHIPS = {"minion": minion_chip, "promethion": promethion_chip, "flongle": flongle_chip}


def channel_places(model: str) -> dict[int, tuple[int, int]]:
    """(x, y) of every channel of a chip: x along its longer side."""
    places = {}
    for x, column in enumerate(CHIPS[model]()):
        for y, channel in enumerate(column):
            if channel:
                places[channel] = (x, y)
    return places


PLACES = {model: channel_places(model) for model in CHIPS}
MICROSECONDS_PER_HOUR = 3_600_000_000


def nanopore(name: Name | None, model: str, t0: int, *, has_time: bool = True) -> Place:
    """Chip place and hours since ``t0`` (microseconds since 1970); none without both.

    Where times do not count the hours are 0. A channel that the chip has not raises KeyError.
    """
    if name is None or name.layout != "nanopore":
        return NOWHERE
    if not has_time:
        x, y = PLACES[model][name.channel]
        return (float(x), float(y), 0.0)
    if name.start_time is None:
        return NOWHERE
    x, y = PLACES[model][name.channel]
    return (float(x), float(y), (name.start_time - t0) / MICROSECONDS_PER_HOUR)


def guess_model(names: Sequence[Name]) -> str:
    """The chip by the first flow-cell id that tells, else by the largest channel of ``names``."""
    for name in names:
        if name.flow_cell_id.startswith(b"PA"):
            return "promethion"
        if name.flow_cell_id.startswith(b"FA"):
            return "minion"
        if is_flongle_id(name.flow_cell_id):
            return "flongle"
    largest = max((name.channel for name in names), default=0)
    if largest < 127:
        return "flongle"
    return "minion" if largest < 513 else "promethion"


def is_flongle_id(flow_cell_id: bytes) -> bool:
    """A and two letters more, then three digits."""
    letters, digits = flow_cell_id[:3], flow_cell_id[3:]
    return (
        len(flow_cell_id) == 6
        and letters.startswith(b"A")
        and letters.isalpha()
        and letters.isupper()
        and digits.isdigit()
    )
