"""A quick look at the beginning of a FASTQ source: what it is, before it is read whole."""

from __future__ import annotations

import dataclasses
import io
import math
import os
import stat
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from . import _core
from .arguments import check_integer
from .fastq import scan_fastq
from .layouts import FROM_ANY_READ
from .names import kinds_of, platform_of
from .sources import is_remote, label
from .text import TextColumn, counted_reads, printable

if TYPE_CHECKING:
    from .particles import Particles

__all__ = ["FastqSummary", "peek_fastq"]

# A quality byte below ';' (59) exists in no encoding but Phred+33: Solexa's began there. From '@'
# (64) on, Phred+64 is possible. Instruments that write Phred+33 end at 'S' (83, Q50), consensus
# callers excepted, whose names are recognised.
_FIRST_SOLEXA_BYTE = 59
_FIRST_PHRED64_BYTE = 64
_LAST_INSTRUMENT_PHRED33_BYTE = 83
_CONSENSUS_PLATFORMS = ("pacbio", "nanopore")

# Enough for a gzip header with the extra field of BGZF and a few others.
_HEAD_BYTES = 4096

# What is unpacked to estimate how much text a compressed input holds: so many bytes of input, or
# so many of text where these unpack to more.
_SAMPLE_BYTES = 1 << 18
_SAMPLE_TEXT = 1 << 24


@dataclass(frozen=True, repr=False)
class FastqSummary:
    """What the first reads of a FASTQ source show.

    Attributes
    ----------
    source : str
        The path, or words for a source that has none.
    format : str
        ``"plain"``, ``"gzip"`` or ``"bgzf"``, told from the first bytes; of the first source
        where several were given.
    platform : str
        The platform the names agree on (see `genomevedic.names.guess_platform`), ``"mixed"`` or
        ``"unknown"``.
    first_name : str or None
        The header line of the first record without its ``@``.
    reads : int
        Number of reads examined.
    whole : bool
        Whether the input ended within them.
    length_min, length_max : int or None
        Shortest and longest read, in bases; None without a read.
    length_mean : float
        Mean length in bases; NaN without a read.
    gc : float
        (G+C) / (A+C+G+T+U) over all known bases; NaN where there is none.
    mean_quality : float
        Arithmetic mean of the Phred scores of all bases, under `encoding` (Phred+33 where that
        is ambiguous); NaN where there is no base.
    encoding : str
        ``"phred33"``, ``"phred64"``, or ``"ambiguous"`` where the bytes fit both.
    quality_range : tuple of int or None
        Lowest and highest quality byte as they stand in the file; None where there is no base.
    estimated_reads : int or None
        Reads in the whole input: counted where `whole`, else extrapolated from the size of the
        input, or None where that is not known.
    layouts : tuple of str
        Layouts that these reads can be placed in; first those whose places all names hold.
    """

    source: str
    format: str
    platform: str
    first_name: str | None
    reads: int
    whole: bool
    length_min: int | None
    length_mean: float
    length_max: int | None
    gc: float
    mean_quality: float
    encoding: str
    quality_range: tuple[int, int] | None
    estimated_reads: int | None
    layouts: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, in order."""
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}

    def rows(self) -> list[tuple[str, str]]:
        """Return the summary as pairs of a label and its value in words.

        Characters that a terminal would act on or could not show are written as escapes.
        """
        return [
            ("source", printable(self.source)),
            ("format", self.format),
            ("platform", self.platform),
            ("first name", "none" if self.first_name is None else printable(self.first_name)),
            ("examined", counted_reads(self.reads) + (", the whole input" if self.whole else "")),
            ("length", self._length_in_words()),
            ("GC", "unknown" if math.isnan(self.gc) else f"{100 * self.gc:.1f} %"),
            ("mean quality", self._quality_in_words()),
            ("encoding", self._encoding_in_words()),
            ("reads in all", self._total_in_words()),
            ("layouts", ", ".join(self.layouts)),
        ]

    def __repr__(self) -> str:
        rows = self.rows()
        width = max(len(label) for label, _ in rows)
        return "\n".join(["FastqSummary"] + [f"  {label:<{width}}  {text}" for label, text in rows])

    def _length_in_words(self) -> str:
        if self.length_min is None:
            return "unknown"
        if self.length_min == self.length_max:
            return f"{self.length_min:,} bases"
        return f"{self.length_min:,} to {self.length_max:,} bases, mean {self.length_mean:,.1f}"

    def _quality_in_words(self) -> str:
        if math.isnan(self.mean_quality):
            return "unknown"
        read_as = ", if the encoding is Phred+33" if self.encoding == "ambiguous" else ""
        return f"Q{self.mean_quality:.1f}{read_as}"

    def _encoding_in_words(self) -> str:
        if self.quality_range is None:
            return "unknown: there is no base"
        low, high = (chr(byte) for byte in self.quality_range)
        name = {"phred33": "Phred+33", "phred64": "Phred+64"}.get(self.encoding, "ambiguous")
        return f"{name}, bytes {low!r} to {high!r}"

    def _total_in_words(self) -> str:
        if self.estimated_reads is None:
            return "unknown"
        if self.whole:
            return f"{self.estimated_reads:,}"
        return f"about {float(f'{self.estimated_reads:.3g}'):,.0f}"


def peek_fastq(source: Any, reads: int = 1000) -> FastqSummary:
    """Look at the first reads of a FASTQ source.

    Parameters
    ----------
    source : path, URL, bytes-like, binary file object, sources.Mirror, or list of these
        As for `read_fastq`. A file object that can seek is left where it was; one that cannot (a
        pipe, a socket) is consumed as far as was read, which may be past the reads examined. Of
        a list, the first sources are read until there are enough reads.
    reads : int
        Number of reads to examine, at least 1. What follows them is not judged.

    Returns
    -------
    FastqSummary

    Raises
    ------
    genomevedic.errors.FastqFormatError, genomevedic.errors.SourceReadError
        Where the reads examined cannot be read, as `read_fastq` would raise.

    Notes
    -----
    The quality encoding is told from the bytes seen. A byte below 59 is Phred+33. With all bytes
    from 64 on it is Phred+64 where they reach past 83 and are not all the same, unless the names
    are of a platform that calls consensus reads, whose Phred+33 qualities can look the same.
    Anything else is ambiguous. Reading takes the encoding from its `encoding` argument only.

    Examples
    --------
    >>> import genomevedic as gv
    >>> summary = gv.peek_fastq(gv.datasets.flowcell_sample())
    >>> summary.platform, summary.encoding, summary.length_max
    ('illumina', 'phred33', 75)
    """
    return peek_with(source, reads)


def peek_with(source: Any, reads: int, **options: Any) -> FastqSummary:
    """Look at the first reads as `peek_fastq` does, with options of `scan_fastq`."""
    reads = check_integer("reads", reads, 1)
    parts = list(source) if isinstance(source, (list, tuple)) else [source]
    opened = [_Part(part) for part in parts]
    try:
        return _peek_parts(opened, reads, options)
    finally:
        for part in opened:
            part.restore()


def peek_stream(
    stream: Any, reads: int, name: str, **options: Any
) -> tuple[FastqSummary, io.RawIOBase]:
    """Look at the first reads of a stream that cannot seek, and give them back.

    Returns
    -------
    FastqSummary
        With `name` as its source.
    io.RawIOBase
        A stream of the same bytes from where `stream` stood. It keeps in memory, once, what the
        look has read, and gives that memory up as it is read again.
    """
    recorder = _Recorder(stream, name)
    part = _Part(recorder)
    summary = dataclasses.replace(_peek_parts([part], reads, options), source=name)
    return summary, _Replay(recorder.record, stream, name)


class _Recorder(io.RawIOBase):
    """A stream that keeps a copy of the bytes read through it, at most `limit` of them."""

    def __init__(self, stream: Any, name: str, limit: int | None = None) -> None:
        self.name = name
        self._stream = stream
        self._limit = limit
        self.record = bytearray()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        count = _read_into(self._stream, memoryview(buffer).cast("B"))
        if count:
            room = count if self._limit is None else max(0, self._limit - len(self.record))
            self.record += memoryview(buffer).cast("B")[: min(count, room)]
        return count


class _Replay(io.RawIOBase):
    """The bytes of `head`, then those of `stream`."""

    def __init__(self, head: bytes | bytearray, stream: Any, name: str) -> None:
        self.name = name
        self._head = memoryview(bytes(head))
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        view = memoryview(buffer).cast("B")
        if not self._head:
            return _read_into(self._stream, view)
        count = min(len(view), len(self._head))
        view[:count] = self._head[:count]
        self._head = self._head[count:]
        return count


def _read_into(stream: Any, view: memoryview) -> int | None:
    """Fill `view` from a binary stream that has `readinto` or only `read`."""
    if hasattr(stream, "readinto"):
        count: int | None = stream.readinto(view)
        return count
    block = stream.read(len(view))
    if block is None:
        return None
    view[: len(block)] = block
    return len(block)


class _Part:
    """One source of those to be looked at: what to read, its name, its size, its first bytes.

    `size` is None where it is not known without reading. `restore` puts a file object back to
    where it stood; it is to be called once, whatever has happened in between.
    """

    def __init__(self, source: Any) -> None:
        self.readable: Any = source
        self.size: int | None = None
        self._position: int | None = None
        self._recorder: _Recorder | None = None
        self._opened: Any = None
        if is_remote(source):
            # Fetched once, so its first bytes are kept as they go by.
            self.name, self._opened = label(source)
            self._recorder = self.readable = _Recorder(self._opened, self.name, _SAMPLE_BYTES)
        elif isinstance(source, (str, os.PathLike)):
            self.name = os.fsdecode(source)
            self._inspect_path(Path(self.name))
        elif hasattr(source, "readinto") or hasattr(source, "read"):
            name = getattr(source, "name", None)
            self.name = name if isinstance(name, str) else "a file object"
            self._inspect_stream(source)
        else:
            self.name = "bytes in memory"
            with suppress(TypeError):  # Reading it will say in words what is wrong.
                self.size = memoryview(source).nbytes

    def _inspect_path(self, path: Path) -> None:
        try:
            status = path.stat()
        except (OSError, ValueError):
            return  # Reading it will say in words what is wrong.
        if stat.S_ISREG(status.st_mode):
            self.size = status.st_size
        elif stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode):
            # Its first bytes can be seen once only, so they are kept as they go by.
            self._opened = path.open("rb")
            self._recorder = self.readable = _Recorder(self._opened, self.name, _HEAD_BYTES)

    def _inspect_stream(self, stream: Any) -> None:
        try:
            seekable = bool(stream.seekable())
            if seekable:
                self._position = stream.tell()
                self.size = _size_from(stream, self._position)
        except (AttributeError, OSError, ValueError):
            seekable = False
        if not seekable:
            self._position = self.size = None
            self._recorder = self.readable = _Recorder(stream, self.name, _HEAD_BYTES)

    def head(self, count: int) -> bytes:
        """Return the first bytes, at most `count`.

        Of a stream that cannot seek they are those that have been read, and few.
        """
        if self._recorder is not None:
            return bytes(self._recorder.record[:count])
        if self._position is not None:
            self.readable.seek(self._position)
            block = memoryview(bytearray(count))
            return bytes(block[: _read_into(self.readable, block) or 0])
        if isinstance(self.readable, (str, os.PathLike)):
            with Path(self.name).open("rb") as stream:
                return stream.read(count)
        return bytes(memoryview(self.readable).cast("B")[:count])

    def restore(self) -> None:
        if self._position is not None:
            self.readable.seek(self._position)
        if self._opened is not None:
            self._opened.close()


def _size_from(stream: Any, position: int) -> int | None:
    """Return how many bytes follow `position`, where finding out costs no reading.

    The end of a stream that is computed, as that of `gzip.open`, is found by computing it all.
    """
    plain_file = isinstance(getattr(stream, "raw", stream), io.FileIO)
    if not plain_file and not isinstance(stream, io.BytesIO):
        return None
    end: int = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    return max(0, end - position)


def _learn_sizes(parts: Sequence[_Part]) -> None:
    """Note the sizes of remote sources, which are known once they have answered."""
    for part in parts:
        if part.size is None:
            part.size = getattr(part._opened, "size", None)


def _peek_parts(parts: Sequence[_Part], reads: int, options: dict[str, Any]) -> FastqSummary:
    """Examine the first reads of the sources, which are read one after another."""
    readable = [part.readable for part in parts]
    source = readable[0] if len(readable) == 1 else readable
    columns = ("name", "sequence", "qualities", "length")
    with scan_fastq(source, columns=columns, limit=reads + 1, **options) as reader:
        batches = reader.batches(batch_size=reads)
        first = next(batches, None)
        whole = _ends_here(batches, first is not None and len(first) == reads)
    _learn_sizes(parts)
    return _summarise(
        first,
        source=_name_of(parts),
        format=_core.input_format(parts[0].head(_HEAD_BYTES)),
        whole=whole,
        total=None if whole or first is None else _estimate_reads(parts, first),
    )


def _ends_here(batches: Any, full: bool) -> bool:
    """Return whether nothing follows the first batch.

    A fault behind a full first batch is no concern of a look at the beginning; behind a short
    one it is the reason why it is short.
    """
    try:
        return next(batches, None) is None
    except (ValueError, OSError):
        if full:
            return False
        raise


def _estimate_reads(parts: Sequence[_Part], examined: Particles) -> int | None:
    """Estimate the number of reads in all sources, of which some were examined."""
    parts = [part for part in parts if part.size != 0]
    text_size = _text_size(parts) if parts else None
    if text_size is None:
        return None
    return max(len(examined) + 1, round(len(examined) * text_size / _text_of(examined, parts[0])))


def _text_of(examined: Particles, part: _Part) -> float:
    """Return the bytes of text that the records examined take.

    Name, bases and qualities are known of all of them. What else there is, the name repeated
    after the '+' and line ends, is seen in the text of those that lie in the head of the first
    source; of the others it is taken to be in the same ratio.
    """
    # Name and its '@', sequence, '+', qualities, and four line ends.
    names = np.diff(examined.name.offsets).astype(np.float64)
    known = names + 2.0 * examined.length + 6.0
    ends = _ends_of_records(_head_text(part, 2 * int(known.sum()) + _HEAD_BYTES), examined)
    seen = known[: len(ends)].sum()
    return float(known.sum() * ends[-1] / seen) if ends else float(known.sum())


def _head_text(part: _Part, count: int) -> bytes:
    """Return about the first `count` bytes of the text in a source, or fewer."""
    count = min(count, _SAMPLE_TEXT)
    head = part.head(_HEAD_BYTES)
    if _core.input_format(head) == "plain":
        return part.head(count)
    text = bytearray()
    for block, _ in _inflated(part.head(_SAMPLE_BYTES)):
        text += block
        if len(text) >= count:
            break
    return bytes(text)


def _ends_of_records(text: bytes, examined: Particles) -> list[int]:
    """Return where the records examined end in a text that begins with them, as far as it goes.

    They have been read, so they are well formed: lines of bases follow the header until there are
    as many as the read is long, then comes the line with '+', and then as many qualities.
    """
    ends: list[int] = []
    at = 0
    for name, length in zip(_headers_of(examined), examined.length.tolist(), strict=True):
        header = b"@" + name
        if not text.startswith(header, at):
            break
        at = _after_line(text, at + len(header))
        at = _after_line(text, _after_lines(text, at, length))
        at = _after_lines(text, at, length)
        if at < 0:
            break
        ends.append(at)
    return ends


def _headers_of(batch: Particles) -> Iterator[bytes]:
    """Go through the names as they stand in the file."""
    names = batch.name
    return cast("Iterator[bytes]", iter(TextColumn(names.offsets, names.data, as_bytes=True)))


def _after_line(text: bytes, at: int) -> int:
    """Return where the line after the one that holds `at` begins; -1 where it does not end."""
    return text.find(b"\n", at) + 1 or -1 if at >= 0 else -1


def _after_lines(text: bytes, at: int, length: int) -> int:
    """Return what follows the lines from `at` on that hold `length` characters together; or -1."""
    while at >= 0:
        after = _after_line(text, at)
        length -= len(text[at : after - 1].removesuffix(b"\r"))
        at = after
        if length <= 0:
            break
    return at


def _text_size(parts: Sequence[_Part]) -> float | None:
    """Estimate the bytes of text in all sources; None where their sizes are not all known.

    Compressed sources are taken to unpack in the ratio of the beginning of the first. A mixture
    of formats has no one ratio.
    """
    sizes = [part.size for part in parts if part.size is not None]
    formats = {_core.input_format(part.head(_HEAD_BYTES)) for part in parts}
    if len(sizes) < len(parts) or len(formats) != 1:
        return None
    ratio = 1.0 if formats == {"plain"} else _text_per_byte(parts[0].head(_SAMPLE_BYTES))
    return sum(sizes) * ratio


def _text_per_byte(data: bytes) -> float:
    """Return how many bytes of text a byte of gzip members unpacks to, the last perhaps cut."""
    text = used = 0
    for block, taken in _inflated(data):
        text, used = text + len(block), taken
        if text >= _SAMPLE_TEXT:
            break
    return text / max(1, used)


def _inflated(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the text of gzip members piece by piece, and how many bytes were used up for it.

    It ends where the data do, or with padding, or a fault, which may lie behind what is examined.
    """
    rest = data
    while rest:
        member = zlib.decompressobj(wbits=31)
        try:
            while rest and not member.eof:
                block = member.decompress(rest, 1 << 16)
                rest = member.unconsumed_tail or member.unused_data
                yield block, len(data) - len(rest)
        except zlib.error:
            return


def _summarise(
    batch: Particles | None, *, source: str, format: str, whole: bool, total: int | None
) -> FastqSummary:
    if batch is None or len(batch) == 0:
        return FastqSummary(
            source, format, "unknown", None, 0, whole, None, math.nan, None, math.nan, math.nan,
            "ambiguous", None, 0 if whole else None, _layouts_of(()),
        )  # fmt: skip
    lengths = batch.length
    names = batch.name
    qualities = batch.qualities.data
    kinds = kinds_of(_headers_of(batch))
    platform = platform_of(kinds)
    quality_range = (int(qualities.min()), int(qualities.max())) if len(qualities) else None
    encoding = _guess_encoding(quality_range, platform)
    offset = 64 if encoding == "phred64" else 33
    mean_byte = float(qualities.mean(dtype=np.float64)) if len(qualities) else math.nan
    return FastqSummary(
        source=source,
        format=format,
        platform=platform,
        first_name=str(names[0]),
        reads=len(batch),
        whole=whole,
        length_min=int(lengths.min()),
        length_mean=float(lengths.mean(dtype=np.float64)),
        length_max=int(lengths.max()),
        gc=_gc_of(batch.sequence.data),
        mean_quality=mean_byte - offset,
        encoding=encoding,
        quality_range=quality_range,
        estimated_reads=len(batch) if whole else total,
        layouts=_layouts_of(kinds),
    )


def _layouts_of(kinds: Collection[tuple[str | None, str | None]]) -> tuple[str, ...]:
    """Return the layouts that every one of the names holds, and those that need none."""
    layouts = {layout for _, layout in kinds}
    carried = [layout for layout in layouts if layout is not None and len(layouts) == 1]
    return (*carried, *FROM_ANY_READ)


def _gc_of(sequence: Any) -> float:
    # Piece by piece, because bincount takes eight bytes for each byte it counts.
    counts = np.zeros(256, dtype=np.int64)
    for at in range(0, len(sequence), 1 << 20):
        counts += np.bincount(sequence[at : at + (1 << 20)], minlength=256)
    strong = int(counts[np.frombuffer(b"GCgc", dtype=np.uint8)].sum())
    weak = int(counts[np.frombuffer(b"ATUatu", dtype=np.uint8)].sum())
    return strong / (strong + weak) if strong + weak else math.nan


def _guess_encoding(quality_range: tuple[int, int] | None, platform: str) -> str:
    """Tell the encoding from the lowest and highest byte, or say that it cannot be told."""
    if quality_range is None:
        return "ambiguous"
    low, high = quality_range
    if low < _FIRST_SOLEXA_BYTE:
        return "phred33"
    looks_64 = low >= _FIRST_PHRED64_BYTE and high > _LAST_INSTRUMENT_PHRED33_BYTE and low < high
    if looks_64 and platform not in _CONSENSUS_PLATFORMS:
        return "phred64"
    return "ambiguous"


def _name_of(parts: Sequence[_Part]) -> str:
    rest = len(parts) - 1
    return parts[0].name + (f" and {rest} more" if rest else "")
