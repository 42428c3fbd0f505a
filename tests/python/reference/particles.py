"""Sources to the columns and statistics a reader must give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import appearance
from .fastq import Record, parse
from .faults import Fault
from .gzip_frames import deframe
from .measures import Measures, float32, is_kept, measure
from .names import UNKNOWN_FILTER, Name
from .names import parse as parse_name
from .settling import Row, Settled, first_header, settle

ALL_COLUMNS = (
    "position",
    "color",
    "size",
    "metadata",
    "length",
    "gc",
    "quality",
    "error_quality",
    "lane",
    "tile",
    "surface",
    "swath",
    "x",
    "y",
    "read",
    "filtered",
    "channel",
    "start_time",
    "zmw",
    "source",
    "name",
    "sequence",
    "qualities",
    "index",
    "barcode",
)

# What stands for a part that a name lacks.
NO_COORDINATE = -(2**31)
NO_ZMW = 2**32 - 1
NO_TIME = -(2**63)


@dataclass
class Table:
    """``columns`` holds one plain list a column: numbers, tuples of numbers, or bytes.

    There is no column ``position``: places are computed from ``rows`` by what ``settled`` says, and
    by such parameters as the reader under test has settled for itself.

    With a fault the columns hold what stands before it; ``fault_source`` is the number of the
    source it was found in, from 0.
    """

    columns: dict[str, list[Any]] = field(
        default_factory=lambda: {n: [] for n in ALL_COLUMNS if n != "position"}
    )
    rows: list[Row] = field(default_factory=list)
    settled: Settled = field(default_factory=lambda: Settled("composition", "unknown"))
    stats: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    fault_source: int | None = None

    def __len__(self) -> int:
        return len(self.columns["metadata"])

    def positions(self, parameters: Mapping[str, Any] | None = None) -> list[tuple[float, ...]]:
        """The place of each row, NaN where it has none."""
        merged = {**self.settled.parameters, **(parameters or {})}
        return [tuple(map(float32, self.settled.place(row, merged))) for row in self.rows]


@dataclass(frozen=True)
class Text:
    """One source with its framing taken off and its records found."""

    payload: bytes
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
        payload=frames.payload,
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


def row(record: Record, measures: Measures, ordinal: int, source: int) -> dict[str, Any]:
    return {
        "color": tuple(float32(v) for v in appearance.color(measures.gc)),
        "size": float32(appearance.size(measures.quality)),
        "metadata": ordinal,
        "length": measures.length,
        "gc": float32(measures.gc),
        "quality": float32(measures.quality),
        "error_quality": float32(measures.error_quality),
        "source": source,
        "name": record.name,
        "sequence": record.sequence,
        "qualities": record.qualities,
    }


def given(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def said(name: Name | None) -> dict[str, Any]:
    """The columns from a name; None is one that is not of the file's kind."""
    if name is None:
        name = Name("unknown", filtered=UNKNOWN_FILTER)
    return {
        "lane": name.lane,
        "tile": name.tile,
        "surface": name.surface,
        "swath": name.swath,
        "x": given(name.x, NO_COORDINATE),
        "y": given(name.y, NO_COORDINATE),
        "read": name.read,
        "filtered": name.filtered,
        "channel": name.channel,
        "start_time": given(name.start_time, NO_TIME),
        "zmw": given(name.zmw, NO_ZMW),
        "index": name.index,
        "barcode": name.barcode,
    }


def settle_on(texts: Sequence[Text], layout: str) -> Settled:
    """Of a record that is not of four lines the header alone counts, and none behind it."""
    header = first_header([text.payload for text in texts])
    names: list[bytes] = []
    for text in texts:
        if text.payload.strip(b"\r\n"):
            plain = [record.name for record in text.records[: text.first_wrapped]]
            names = plain or ([] if header is None else [header])
            break
    return settle(layout, header, names)


def quotient(a: int, b: int) -> float:
    return a / b if b else math.nan


def read(
    sources: Sequence[bytes],
    *,
    layout: str = "auto",
    min_quality: float = 0.0,
    min_error_quality: float = 0.0,
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
    opened = [open_text(data, encoding, alphabet) for data in sources]
    table.settled = settle_on(opened, layout)
    wrapped = False

    def records() -> Iterator[tuple[int, Record]]:
        nonlocal wrapped
        for number, text in enumerate(opened):
            texts.append(text)
            for i, record in enumerate(text.records):
                wrapped = wrapped or i == text.first_wrapped
                yield number, record
            if text.fault is not None:
                table.fault, table.fault_source = text.fault, number
                return

    if limit != 0:
        for source, record in records():
            measures = measure(record, encoding)
            ordinal, seen = seen, seen + 1
            if not is_kept(measures, min_quality, min_error_quality):
                continue
            kept.append(measures)
            name = table.settled.known(parse_name(record.name))
            table.rows.append(Row(name, measures, ordinal, record.sequence))
            values = {**row(record, measures, ordinal, source), **said(name)}
            for column, value in values.items():
                table.columns[column].append(value)
            if len(kept) == limit:
                break
    if table.fault is not None:
        drop_unsound(table, texts)
    table.stats = statistics(kept, seen, texts)
    table.stats["wrapped"] = wrapped
    return table


def drop_unsound(table: Table, texts: list[Text]) -> None:
    """Keep the rows of records that stand before the fault."""
    sound = sum(len(text.records) for text in texts[:-1]) + len(sound_records(texts[-1]))
    rows = sum(ordinal < sound for ordinal in table.columns["metadata"])
    for values in (*table.columns.values(), table.rows):
        del values[rows:]


def statistics(kept: list[Measures], seen: int, texts: list[Text]) -> dict[str, Any]:
    bases = sum(m.length for m in kept)
    known = sum(m.known for m in kept)
    return {
        "reads": seen,
        "kept": len(kept),
        "filtered": seen - len(kept),
        "bases": bases,
        "unknown_bases": bases - known,
        "unknown_reads": sum(m.known == 0 for m in kept),
        "bytes_in": sum(text.bytes_in for text in texts),
        "text_bytes": sum(text.text_bytes for text in texts),
        "mean_length": quotient(bases, len(kept)),
        "mean_quality": quotient(sum(m.phred_sum for m in kept), bases),
        "mean_gc": quotient(sum(m.g + m.c for m in kept), known),
        "sources": len(texts),
        "missing_end_blocks": sum(text.missing_end_block for text in texts),
    }
