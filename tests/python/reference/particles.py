"""Sources to the columns and statistics a reader must give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import appearance, places
from .fastq import Record, parse
from .faults import Fault
from .gzip_frames import deframe
from .measures import Measures, float32, is_kept, measure

ALL_COLUMNS = (
    "position",
    "color",
    "size",
    "metadata",
    "length",
    "gc",
    "quality",
    "error_quality",
    "name",
    "sequence",
    "qualities",
)


@dataclass
class Table:
    """``columns`` holds one plain list a column: numbers, tuples of numbers, or bytes.

    With a fault the columns hold what stands before it; ``fault_source`` is the number of the
    source it was found in, from 0.
    """

    columns: dict[str, list[Any]] = field(default_factory=lambda: {n: [] for n in ALL_COLUMNS})
    stats: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    fault_source: int | None = None

    def __len__(self) -> int:
        return len(self.columns["metadata"])


@dataclass(frozen=True)
class Text:
    """One source with its framing taken off and its records found."""

    records: list[Record]
    fault: Fault | None
    first_wrapped: int | None
    bytes_in: int
    text_bytes: int
    missing_end_block: bool


def open_text(data: bytes, encoding: str, alphabet: str | None) -> Text:
    """A fault in the text that was there counts before one of the framing, which comes after it."""
    frames = deframe(data)
    parsed = parse(frames.payload, encoding, alphabet)
    fault = parsed.fault
    if frames.fault is not None and (fault is None or fault.kind == "TruncatedFileError"):
        fault = frames.fault
    return Text(
        records=parsed.records,
        fault=fault,
        first_wrapped=parsed.first_wrapped,
        bytes_in=len(data),
        text_bytes=len(frames.payload),
        missing_end_block=frames.missing_end_block,
    )


def sound_records(text: Text) -> list[Record]:
    """The records before the reported fault: a fault of four lines may lie before wrapped ones."""
    if text.fault is None or text.fault.record is None:
        return text.records
    return text.records[: text.fault.record - 1]


def row(record: Record, measures: Measures, ordinal: int, layout: str) -> dict[str, Any]:
    place = places.spiral(ordinal) if layout == "spiral" else places.composition(measures)
    return {
        "position": tuple(float32(v) for v in place),
        "color": tuple(float32(v) for v in appearance.color(measures.gc)),
        "size": float32(appearance.size(measures.quality)),
        "metadata": ordinal,
        "length": measures.length,
        "gc": float32(measures.gc),
        "quality": float32(measures.quality),
        "error_quality": float32(measures.error_quality),
        "name": record.name,
        "sequence": record.sequence,
        "qualities": record.qualities,
    }


def quotient(a: int, b: int) -> float:
    return a / b if b else math.nan


def read(
    sources: Sequence[bytes],
    *,
    layout: str = "composition",
    min_quality: float = 0.0,
    limit: int | None = None,
    encoding: str = "phred33",
    alphabet: str | None = None,
) -> Table:
    """Read all sources, one after another with one running ordinal.

    With ``limit`` reading stops at the record that fills it: later faults are not seen.
    """
    table = Table()
    kept: list[Measures] = []
    seen = 0
    texts: list[Text] = []
    wrapped = False

    def records() -> Iterator[Record]:
        nonlocal wrapped
        for number, data in enumerate(sources):
            text = open_text(data, encoding, alphabet)
            texts.append(text)
            for i, record in enumerate(text.records):
                wrapped = wrapped or i == text.first_wrapped
                yield record
            if text.fault is not None:
                table.fault, table.fault_source = text.fault, number
                return

    if limit != 0:
        for record in records():
            measures = measure(record, encoding)
            ordinal, seen = seen, seen + 1
            if not is_kept(measures, min_quality):
                continue
            kept.append(measures)
            for name, value in row(record, measures, ordinal, layout).items():
                table.columns[name].append(value)
            if len(kept) == limit:
                break
    if table.fault is not None:
        drop_unsound(table, texts)
    table.stats = statistics(kept, seen, texts, layout)
    table.stats["wrapped"] = wrapped
    return table


def drop_unsound(table: Table, texts: list[Text]) -> None:
    """Keep the rows of records that stand before the fault."""
    sound = sum(len(text.records) for text in texts[:-1]) + len(sound_records(texts[-1]))
    rows = sum(ordinal < sound for ordinal in table.columns["metadata"])
    for values in table.columns.values():
        del values[rows:]


def statistics(kept: list[Measures], seen: int, texts: list[Text], layout: str) -> dict[str, Any]:
    bases = sum(m.length for m in kept)
    known = sum(m.known for m in kept)
    unplaced = sum(m.known == 0 for m in kept) if layout == "composition" else 0
    return {
        "reads": seen,
        "kept": len(kept),
        "filtered": seen - len(kept),
        "bases": bases,
        "unknown_bases": bases - known,
        "unknown_reads": sum(m.known == 0 for m in kept),
        "unplaced": unplaced,
        "bytes_in": sum(text.bytes_in for text in texts),
        "text_bytes": sum(text.text_bytes for text in texts),
        "mean_length": quotient(bases, len(kept)),
        "mean_quality": quotient(sum(m.phred_sum for m in kept), bases),
        "mean_gc": quotient(sum(m.g + m.c for m in kept), known),
        "sources": len(texts),
        "missing_end_blocks": sum(text.missing_end_block for text in texts),
    }
