"""What is wrong with an input, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault.

    ``kind`` is the name of the class in ``genomevedic.errors``; ``line`` and ``record`` count from
    1 within the source, ``offset`` from 0 in the decompressed text. A fault of the gzip framing has
    no place in the text: its numbers are None.
    """

    kind: str
    line: int | None = None
    record: int | None = None
    offset: int | None = None
    field: str | None = None


class FaultFound(Exception):
    """Carries a Fault out of the parser to its caller inside this package."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault
