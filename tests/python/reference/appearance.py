"""Colour from GC and size from the mean Phred score, piecewise linear between the stops."""

from __future__ import annotations

import math

GREY = (0.5, 0.5, 0.5, 1.0)
SIZE_OF_EMPTY = 0.5


def color(gc: float) -> tuple[float, float, float, float]:
    """RGBA: 0 blue, 0.4 cyan, 0.5 green, 0.6 yellow, 1 red; grey where GC is not known."""
    if math.isnan(gc):
        return GREY
    if gc <= 0.4:
        return (0.0, gc / 0.4, 1.0, 1.0)
    if gc <= 0.5:
        return (0.0, 1.0, (0.5 - gc) / 0.1, 1.0)
    if gc <= 0.6:
        return ((gc - 0.5) / 0.1, 1.0, 0.0, 1.0)
    return (1.0, (1.0 - gc) / 0.4, 0.0, 1.0)


def size(quality: float) -> float:
    """Q0 0.5, Q10 0.75, Q30 1.5, Q40 and above 2; an empty read has the least size."""
    if math.isnan(quality):
        return SIZE_OF_EMPTY
    if quality <= 0:
        return 0.5
    if quality <= 10:
        return 0.5 + 0.25 * quality / 10
    if quality <= 30:
        return 0.75 + 0.75 * (quality - 10) / 20
    if quality <= 40:
        return 1.5 + 0.5 * (quality - 30) / 10
    return 2.0
