"""Where a particle stands."""

from __future__ import annotations

import math

from .measures import Measures

Place = tuple[float, float, float]
NOWHERE: Place = (math.nan, math.nan, math.nan)


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


def spiral(ordinal: int) -> Place:
    """By the record's ordinal: r = sqrt(i + 1/2), theta = 2.399963 i."""
    radius = math.sqrt(ordinal + 0.5)
    angle = 2.399963 * ordinal
    return (radius * math.cos(angle), radius * math.sin(angle), 0.0)
