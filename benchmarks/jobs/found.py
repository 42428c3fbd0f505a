"""What a job has found, and the totals of it that must agree with all others."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol


class Unavailable(Exception):
    """This contender is not to be had here; the message says why."""


class Found(Protocol):
    def facts(self) -> dict[str, Any]: ...


@dataclass
class Counted:
    """The reads, and the bases where the parser hands them out."""

    reads: int
    bases: int
    more: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        return {"reads": self.reads, "bases": self.bases} | self.more


@dataclass
class Measured:
    """Three columns: length, GC as a fraction, mean Phred score."""

    length: Any
    gc: Any
    quality: Any
    gc_is_of_known: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        import numpy as np

        length = np.asarray(self.length, np.float64)
        gc = np.asarray(self.gc)
        quality = np.asarray(self.quality)
        return {
            "reads": len(length),
            "bases": int(length.sum()),
            "gc_known" if self.gc_is_of_known else "gc": float(gc @ length),
            "quality": float(quality @ length),
        } | self.more


@dataclass
class Repeated:
    """What the last of several goes has found, and the median of their seconds.

    For a file so small that the first go after another process's turn tells of caches more than of
    the job.
    """

    found: Found
    seconds: float

    GOES: ClassVar[int] = 20

    @classmethod
    def by(cls, run: Callable[[str], Found]) -> Callable[[str], Found]:
        def repeat(path: str) -> Found:
            goes = []
            for _ in range(cls.GOES):
                started = time.perf_counter()
                found = run(path)
                goes.append(time.perf_counter() - started)
            return cls(found, statistics.median(goes))

        return repeat

    def facts(self) -> dict[str, Any]:
        return self.found.facts() | {"seconds": self.seconds}


@dataclass
class Timed:
    """A figure that is not a rate: the job has measured the seconds itself."""

    seconds: float
    more: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        return {"seconds": self.seconds} | self.more
