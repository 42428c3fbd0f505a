"""What a reader counted."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sources import HostHealth

__all__ = ["ReadStats"]


@dataclass(slots=True)
class ReadStats:
    """What has been read so far, over all sources.

    Attributes
    ----------
    reads : int
        Records read.
    skipped : int
        Of them passed over because of a fault (``on_error``); a stretch that no sound record
        begins in counts as one.
    kept : int
        Records that became particles; those below ``min_quality`` or ``min_error_quality`` are
        left out.
    bases, known_bases, gc_bases : int
        Of the reads kept: all bases, those that are A, C, G, T or U, and those that are G or C.
    phred_sum : int
        Sum of their Phred scores.
    unknown_reads : int
        Reads kept without one known base: their GC content is NaN and their colour grey.
    unplaced : int
        Particles without a place (NaN), counted when ``position`` is among the columns.
    bytes_in, text_bytes : int
        Bytes read from the sources, and bytes of text after decompression.
    sources : int
        Sources begun.
    missing_end_blocks : int
        BGZF sources that ended without their end block, as a cut file does.
    wrapped : bool
        Whether some source had records whose sequence stands on several lines.
    seconds : float
        Time spent reading.
    hosts : tuple of HostHealth
        How the hosts of remote sources have served; a host stands once.
    """

    reads: int
    skipped: int
    kept: int
    bases: int
    known_bases: int
    gc_bases: int
    phred_sum: int
    unknown_reads: int
    unplaced: int
    bytes_in: int
    text_bytes: int
    sources: int
    missing_end_blocks: int
    wrapped: bool
    seconds: float
    hosts: tuple[HostHealth, ...] = ()

    @property
    def filtered(self) -> int:
        """Records left out by ``min_quality`` and ``min_error_quality``."""
        return self.reads - self.skipped - self.kept

    @property
    def unknown_bases(self) -> int:
        """Bases of the reads kept that are none of A, C, G, T and U."""
        return self.bases - self.known_bases

    @property
    def mean_length(self) -> float:
        """Bases in a read kept; NaN without a read."""
        return self.bases / self.kept if self.kept else math.nan

    @property
    def mean_quality(self) -> float:
        """Arithmetic mean of the Phred scores of all bases kept; NaN without a base."""
        return self.phred_sum / self.bases if self.bases else math.nan

    @property
    def mean_gc(self) -> float:
        """(G+C) / (A+C+G+T+U) over all bases kept; NaN where none is known."""
        return self.gc_bases / self.known_bases if self.known_bases else math.nan

    def as_dict(self) -> dict[str, Any]:
        """Return counts and means by name."""
        counts = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        derived = ["filtered", "unknown_bases", "mean_length", "mean_quality", "mean_gc"]
        counts["hosts"] = [host.as_dict() for host in self.hosts]
        return counts | {name: getattr(self, name) for name in derived}
