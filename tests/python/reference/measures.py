"""What is measured of a read. Floats are Python's doubles; rounding comes at the very end."""

from __future__ import annotations

import math
import struct
from collections import Counter
from dataclasses import dataclass

from .fastq import Record

PHRED_BASE = {"phred33": 33, "phred64": 64}


@dataclass(frozen=True)
class Measures:
    """Counts of the known bases (``t`` holds U too), the length, and the sum of Phred scores."""

    a: int
    c: int
    g: int
    t: int
    length: int
    phred_sum: int
    gc: float
    quality: float
    error_quality: float

    @property
    def known(self) -> int:
        return self.a + self.c + self.g + self.t


def count(sequence: bytes, letters: bytes) -> int:
    return sum(sequence.count(bytes([letter])) for letter in letters)


def mean_error_quality(qualities: bytes, base: int) -> float:
    """-10 log10 of the mean of the error probabilities 10^(-q/10)."""
    if not qualities:
        return math.nan
    times = Counter(qualities)
    total = math.fsum(times[byte] * 10.0 ** (-(byte - base) / 10) for byte in times)
    return -10 * math.log10(total / len(qualities))


def measure(record: Record, encoding: str = "phred33") -> Measures:
    a = count(record.sequence, b"Aa")
    c = count(record.sequence, b"Cc")
    g = count(record.sequence, b"Gg")
    t = count(record.sequence, b"TtUu")
    known = a + c + g + t
    length = len(record.sequence)
    base = PHRED_BASE[encoding]
    phred_sum = sum(record.qualities) - base * length
    return Measures(
        a=a,
        c=c,
        g=g,
        t=t,
        length=length,
        phred_sum=phred_sum,
        gc=(g + c) / known if known else math.nan,
        quality=phred_sum / length if length else math.nan,
        error_quality=mean_error_quality(record.qualities, base),
    )


def is_kept(measures: Measures, min_quality: float, min_error_quality: float = 0.0) -> bool:
    """The filters on the means; an empty read has none and passes only filters of 0."""
    if measures.length == 0:
        return min_quality <= 0 and min_error_quality <= 0
    wrong = min_error_quality > 0 and measures.error_quality < min_error_quality
    return measures.quality >= min_quality and not wrong


def float32(value: float) -> float:
    """The nearest float32 of a double, ties to even."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])
