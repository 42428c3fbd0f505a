r"""FASTQ text to records, or to the one fault that is reported.

Four-line reading, example with offsets::

    @r1\nACGT\n+\nIIII\n
    0   4     9 11   15         line 1 starts at 0, line 2 at 4, line 3 at 9, line 4 at 11

A line ends with LF or CRLF; the last line of the text may lack its end, and a lone CR there counts
as an end begun. Inside a record the checks run in the order of the text, and for the sequence: all
bytes first, then the alphabet.

Where a four-line record fails, that record and all that follow are read as wrapped. A text that
merely ends too early has not failed in this sense: nothing present contradicts four lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .faults import Fault, FaultFound

PRINTABLE = bytes(range(0x21, 0x7F))
QUALITY_BYTES = {"phred33": PRINTABLE, "phred64": bytes(range(0x40, 0x7F))}
ALPHABETS = {
    None: PRINTABLE,
    "dna": b"ACGTNacgtn",
    "iupac": b"ACGTURYSWKMBDHVNacgturyswkmbdhvn",
}


@dataclass(frozen=True)
class Record:
    """One read. ``name`` is the header line after its ``@``; ``qualities`` is the text itself."""

    name: bytes
    sequence: bytes
    qualities: bytes


@dataclass(frozen=True)
class Parsed:
    """All that was found in one text.

    ``records`` holds every record that was read before the parser stopped, in their order;
    ``first_wrapped`` is the index of the first one read as wrapped, or None.
    """

    records: list[Record]
    fault: Fault | None
    first_wrapped: int | None


@dataclass(frozen=True)
class Line:
    """``body`` is without its ending, which begins at offset ``end``."""

    number: int
    start: int
    end: int
    body: bytes
    complete: bool


def split_lines(text: bytes) -> list[Line]:
    lines = []
    start = 0
    while start < len(text):
        newline = text.find(b"\n", start)
        complete = newline >= 0
        end = newline if complete else len(text)
        if end > start and text[end - 1 : end] == b"\r":
            end -= 1
        lines.append(Line(len(lines) + 1, start, end, text[start:end], complete))
        start = newline + 1 if complete else len(text)
    return lines


@dataclass(frozen=True)
class Input:
    """A text with its lines and the rules it is read by."""

    text: bytes
    lines: list[Line]
    quality_bytes: bytes
    letters: bytes


@dataclass(frozen=True)
class Read:
    """A record, the index of the line after it, and over how many lines its two parts went."""

    record: Record
    following: int
    sequence_lines: int
    quality_lines: int


class RecordReader:
    """Reads the one record that begins at line ``at``; ``number`` is its number from 1."""

    def __init__(self, source: Input, at: int, number: int) -> None:
        self.source = source
        self.at = at
        self.number = number

    def fail(self, kind: str, line: Line, offset: int, field: str) -> FaultFound:
        return FaultFound(Fault(kind, line.number, self.number, offset, field))

    def truncated(self, field: str) -> FaultFound:
        text = self.source.text
        line = 1 + text.count(b"\n")
        return FaultFound(Fault("TruncatedFileError", line, self.number, len(text), field))

    def at_end(self) -> bool:
        return self.at == len(self.source.lines)

    def next_line(self, field: str) -> Line:
        """The next line; where the text has ended, the field it should have held is cut off."""
        if self.at_end():
            raise self.truncated(field)
        self.at += 1
        return self.source.lines[self.at - 1]

    def check_bytes(self, line: Line, body: bytes, allowed: bytes, field: str) -> None:
        """Complain about the first byte of ``body``, which begins ``line``, not in ``allowed``."""
        if not body.translate(None, delete=allowed):
            return
        for i, byte in enumerate(body):
            if byte not in allowed:
                raise self.fail("FastqFormatError", line, line.start + i, field)

    def header(self) -> bytes:
        line = self.next_line("header")
        if not line.body.startswith(b"@"):
            raise self.fail("FastqFormatError", line, line.start, "header")
        if not line.complete:
            raise self.truncated("header")
        return line.body[1:]

    def sequence_line(self) -> bytes:
        line = self.next_line("sequence")
        self.check_bytes(line, line.body, PRINTABLE, "sequence")
        self.check_bytes(line, line.body, self.source.letters, "sequence")
        if not line.complete:
            raise self.truncated("sequence")
        return line.body

    def separator(self, name: bytes) -> None:
        """``+``, or ``+`` and the whole header; a last line may be the beginning of one of them."""
        line = self.next_line("separator")
        whole = b"+" + name
        sound = line.body in (b"+", whole)
        begun = not line.complete and line.body != b"" and whole.startswith(line.body)
        if not (sound or begun):
            raise self.fail("FastqFormatError", line, line.start, "separator")
        if not line.complete:
            raise self.truncated("separator")

    def quality_line(self, wanted: int) -> tuple[Line, bytes]:
        """A line of at most ``wanted`` quality bytes."""
        line = self.next_line("quality")
        self.check_bytes(line, line.body[:wanted], self.source.quality_bytes, "quality")
        if len(line.body) > wanted:
            raise self.fail("QualityMismatchError", line, line.start + wanted, "quality")
        if len(line.body) < wanted and not line.complete:
            raise self.truncated("quality")
        return line, line.body

    def four_lines(self) -> Read:
        name = self.header()
        sequence = self.sequence_line()
        self.separator(name)
        if sequence == b"" and self.at_end():
            qualities = b""
        else:
            line, qualities = self.quality_line(len(sequence))
            if len(qualities) < len(sequence):
                raise self.fail("QualityMismatchError", line, line.end, "quality")
        return Read(Record(name, sequence, qualities), self.at, 1, 1)

    def wrapped(self) -> Read:
        name = self.header()
        parts = self.wrapped_sequence()
        self.separator(name)
        sequence = b"".join(parts)
        quality_parts = self.wrapped_qualities(len(sequence))
        record = Record(name, sequence, b"".join(quality_parts))
        return Read(record, self.at, len(parts), len(quality_parts))

    def wrapped_sequence(self) -> list[bytes]:
        """The lines up to one that begins with ``+``. An empty line may only stand alone."""
        parts: list[bytes] = []
        while True:
            if self.at_end():
                raise self.truncated("sequence")
            line = self.source.lines[self.at]
            if line.body.startswith(b"+"):
                return parts
            after_empty = parts == [b""]
            second_empty = parts != [] and line.body == b""
            if after_empty or second_empty or line.body.startswith(b"@"):
                raise self.fail("FastqFormatError", line, line.start, "sequence")
            parts.append(self.sequence_line())

    def wrapped_qualities(self, wanted: int) -> list[bytes]:
        """At least one line, and lines until ``wanted`` bytes are there."""
        if wanted == 0 and self.at_end():
            return [b""]
        parts: list[bytes] = []
        have = 0
        while parts == [] or have < wanted:
            line, part = self.quality_line(wanted - have)
            if part == b"" and wanted > 0:
                raise self.fail("QualityMismatchError", line, line.end, "quality")
            parts.append(part)
            have += len(part)
        return parts


def parse(text: bytes, encoding: str = "phred33", alphabet: str | None = None) -> Parsed:
    """Read a whole text."""
    source = Input(text, split_lines(text), QUALITY_BYTES[encoding], ALPHABETS[alphabet])
    records: list[Record] = []

    def advance(at: int, read: Callable[[RecordReader], Read]) -> Read:
        found = read(RecordReader(source, at, len(records) + 1))
        records.append(found.record)
        return found

    at = 0
    four_line_fault = None
    while not only_blank_from(source.lines, at):
        try:
            at = advance(at, RecordReader.four_lines).following
        except FaultFound as found:
            four_line_fault = found.fault
            break
    if four_line_fault is None:
        return Parsed(records, None, None)
    if four_line_fault.kind == "TruncatedFileError":
        return Parsed(records, four_line_fault, None)

    first_wrapped = len(records)
    confirmed = False
    while not only_blank_from(source.lines, at):
        try:
            read = advance(at, RecordReader.wrapped)
        except FaultFound as found:
            reported = found.fault if confirmed else four_line_fault
            any_wrapped = len(records) > first_wrapped
            return Parsed(records, reported, first_wrapped if any_wrapped else None)
        at = read.following
        confirmed = (
            confirmed
            or read.sequence_lines == read.quality_lines >= 2
            or len(records) - first_wrapped >= 2
        )
    return Parsed(records, None, first_wrapped)


def only_blank_from(lines: list[Line], at: int) -> bool:
    """Whether nothing but blank lines is left (which is so at the end of the text)."""
    while at < len(lines) and lines[at].body == b"":
        at += 1
    return at == len(lines)
