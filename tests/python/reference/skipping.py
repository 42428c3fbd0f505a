r"""Reading on behind records at fault, as docs/adr/0013 says it.

From the record at fault each following line that begins with ``@`` is tried as the header of a
whole sound record; the first that is one is where reading goes on. What lies between is one record,
which takes one ordinal::

    @r1\nACGT\n+\nIIII\n        kept, ordinal 0
    xr2\nAC\n+\n@I\n            at fault, ordinal 1; "@I" is tried, and is no record
    @r3\nG\n+\nI\n              kept, ordinal 2

If the input ends inside such a record it is truncated, unless the line tried may belong to the
record at fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .fastq import (
    ALPHABETS,
    QUALITY_BYTES,
    Input,
    Line,
    Read,
    Record,
    RecordReader,
    only_blank_from,
    split_lines,
)
from .faults import Fault, FaultFound


@dataclass(frozen=True)
class Skipped:
    """A record that was passed over, and the offset and line where reading went on."""

    fault: Fault
    resumed_offset: int
    resumed_line: int


@dataclass
class Outcome:
    """``records`` with their ordinals; ``fault`` is what ended the reading, if anything did."""

    records: list[tuple[int, Record]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    fault: Fault | None = None
    wrapped: bool = False

    @property
    def reads(self) -> int:
        return len(self.records) + len(self.skipped)


class AtFault:
    """Which lines may still belong to the record at fault, while they are passed over."""

    def __init__(self, *, wrapped: bool) -> None:
        self.wrapped = wrapped
        self.body: list[bytes] = []
        self.over = False

    def add(self, line: Line) -> None:
        if line.body == b"":
            return
        if self.over:
            self.body, self.over = [], False
        self.body.append(line.body)
        self.over = self.is_over()

    def is_over(self) -> bool:
        """Whether its qualities are as many as its bases, or it has four lines and no separator."""
        earliest = 1 if self.wrapped else 2
        for i in range(earliest, len(self.body)):
            if self.body[i].startswith(b"+"):
                bases = sum(map(len, self.body[1:i]))
                qualities = self.body[i + 1 :]
                return qualities != [] and sum(map(len, qualities)) >= bases
        return not self.wrapped and len(self.body) >= 4


class SkippingReader:
    """Goes through one text."""

    def __init__(self, text: bytes, encoding: str, alphabet: str | None) -> None:
        self.source = Input(text, split_lines(text), QUALITY_BYTES[encoding], ALPHABETS[alphabet])
        self.outcome = Outcome()

    def record(self, at: int, number: int) -> tuple[Read, bool]:
        """The record at a line and whether it is wrapped; its fault is raised."""

        def reader(start: int = at) -> RecordReader:
            return RecordReader(self.source, start, number)

        if self.outcome.wrapped:
            return reader().wrapped(), True
        try:
            return reader().four_lines(), False
        except FaultFound as found:
            if found.fault.kind == "TruncatedFileError":
                raise
            four_lines = found
        try:
            read = reader().wrapped()
            if not (
                read.sequence_lines == read.quality_lines >= 2
                or only_blank_from(self.source.lines, read.following)
            ):
                reader(read.following).wrapped()
        except FaultFound:
            raise four_lines from None
        return read, True

    def run(self) -> Outcome:
        lines, outcome = self.source.lines, self.outcome
        at = 0
        while not only_blank_from(lines, at):
            try:
                read, wrapped = self.record(at, outcome.reads + 1)
            except FaultFound as found:
                if found.fault.kind == "TruncatedFileError":
                    outcome.fault = found.fault
                    break
                try:
                    at = self.skip(at, found.fault)
                except FaultFound as cut:
                    outcome.fault = cut.fault
                    break
                continue
            outcome.records.append((outcome.reads, read.record))
            outcome.wrapped = outcome.wrapped or wrapped
            at = read.following
        return outcome

    def skip(self, at: int, fault: Fault) -> int:
        """The line where reading goes on behind a fault of the record at line ``at``."""
        lines = self.source.lines
        damaged = AtFault(wrapped=self.outcome.wrapped)
        if lines[at].body == b"":
            damaged.over = True
            while lines[at].body == b"":
                at += 1
        else:
            damaged.add(lines[at])
            at += 1
        while at < len(lines) and not self.is_record(at, over=damaged.over):
            damaged.add(lines[at])
            at += 1
        end = len(self.source.text)
        offset = lines[at].start if at < len(lines) else end
        line = lines[at].number if at < len(lines) else 1 + self.source.text.count(b"\n")
        self.outcome.skipped.append(Skipped(fault, offset, line))
        return at

    def is_record(self, at: int, *, over: bool) -> bool:
        if not self.source.lines[at].body.startswith(b"@"):
            return False
        try:
            self.record(at, self.outcome.reads + 2)
        except FaultFound as found:
            if found.fault.kind == "TruncatedFileError" and over:
                raise
            return False
        return True


def read_skipping(text: bytes, encoding: str = "phred33", alphabet: str | None = None) -> Outcome:
    """Read a whole text, and pass over what cannot be read."""
    return SkippingReader(text, encoding, alphabet).run()
