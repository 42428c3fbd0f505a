"""Columns of text: names, sequences and quality strings, without an object per row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["TextColumn", "counted_reads", "printable"]

_GATHER_ROWS = 16_384


class TextColumn:
    r"""A column of strings over two arrays, laid out as Arrow's large binary.

    Row ``i`` is ``data[offsets[i]:offsets[i + 1]]``; a string is made only when it is asked for.

    Parameters
    ----------
    offsets : ndarray of int64, shape (N + 1,)
        Where each row begins in `data`, and where the last one ends; never decreasing.
    data : ndarray of uint8
        The bytes of all rows.
    as_bytes : bool
        Whether rows are given as `bytes` rather than `str`. A `str` is decoded from UTF-8; bytes
        that are not UTF-8 come as surrogate escapes (PEP 383), so nothing is lost.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(b"@r1 first\nACGT\n+\nIIII\n", columns=["name", "sequence"])
    >>> p.name[0], p.sequence[0]
    ('r1 first', 'ACGT')
    """

    __slots__ = ("as_bytes", "data", "offsets")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, offsets: npt.NDArray[np.int64], data: npt.NDArray[np.uint8], as_bytes: bool = False
    ) -> None:
        self.offsets = offsets
        self.data = data
        self.as_bytes = as_bytes

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def _row(self, start: int, stop: int) -> str | bytes:
        row = self.data[start:stop].tobytes()
        return row if self.as_bytes else row.decode("utf-8", "surrogateescape")

    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> str | bytes: ...
    @overload
    def __getitem__(
        self, key: slice | npt.NDArray[Any] | Sequence[int] | Sequence[bool]
    ) -> TextColumn: ...
    def __getitem__(self, key: Any) -> str | bytes | TextColumn:
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            i = range(len(self))[key]
            return self._row(int(self.offsets[i]), int(self.offsets[i + 1]))
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return TextColumn(
                    self.offsets[start : max(start, stop) + 1], self.data, self.as_bytes
                )
            return self._gather(np.arange(start, stop, step))
        if np.ndim(key) != 1:
            raise TypeError("rows of text are chosen by a number, a slice, a mask or row numbers")
        return self._gather(np.arange(len(self))[key])

    def _gather(self, rows: npt.NDArray[np.intp]) -> TextColumn:
        """Copy the rows named into a column of their own."""
        starts = self.offsets[:-1][rows]
        sizes = self.offsets[1:][rows] - starts
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(sizes, out=offsets[1:])
        data = np.empty(offsets[-1], np.uint8)
        # Byte k of the result is byte k + shift of its row. The indices are eight times as large
        # as the bytes they gather, so they are made for a stretch of rows at a time.
        for first in range(0, len(rows), _GATHER_ROWS):
            part = slice(first, first + _GATHER_ROWS)
            begin, end = offsets[first], offsets[min(first + _GATHER_ROWS, len(rows))]
            shift = np.repeat(starts[part] - offsets[:-1][part], sizes[part])
            data[begin:end] = self.data[np.arange(begin, end) + shift]
        return TextColumn(offsets, data, self.as_bytes)

    def __iter__(self) -> Iterator[str | bytes]:
        ends = iter(self.offsets.tolist())
        start = next(ends)
        for stop in ends:
            yield self._row(start, stop)
            start = stop

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TextColumn):
            return NotImplemented
        mine, theirs = self.compact(), other.compact()
        return (
            self.as_bytes == other.as_bytes
            and np.array_equal(mine.offsets, theirs.offsets)
            and np.array_equal(mine.data, theirs.data)
        )

    def __repr__(self) -> str:
        shown = [repr(self[i]) for i in range(min(len(self), 3))]
        more = ", …" if len(self) > 3 else ""
        return f"TextColumn([{', '.join(shown)}{more}], {len(self):,} rows)"

    def __reduce__(self) -> tuple[Any, ...]:
        compact = self.compact()
        return TextColumn, (compact.offsets, compact.data, self.as_bytes)

    @property
    def nbytes(self) -> int:
        """Bytes of the offsets and of the text of these rows."""
        return int(self.offsets.nbytes + self.offsets[-1] - self.offsets[0])

    def compact(self) -> TextColumn:
        """Return the column with offsets that begin at 0 and no bytes of other rows.

        A column that already is so is returned as it is; the bytes are a view in any case.
        """
        first, last = int(self.offsets[0]), int(self.offsets[-1])
        if first == 0 and last == len(self.data):
            return self
        return TextColumn(self.offsets - first, self.data[first:last], self.as_bytes)

    def copy(self) -> TextColumn:
        """Return a column that shares no memory with this one."""
        compact = self.compact()
        return TextColumn(compact.offsets.copy(), compact.data.copy(), self.as_bytes)

    def tolist(self) -> list[str | bytes]:
        """Return all rows as a list of `str` or `bytes`."""
        return list(self)

    @classmethod
    def concat(cls, columns: list[TextColumn]) -> TextColumn:
        """Return the rows of all columns, one after another, as a copy.

        Parameters
        ----------
        columns : list of TextColumn
            At least one.
        """
        parts = [column.compact() for column in columns]
        sizes = np.cumsum([0] + [len(part.data) for part in parts])
        offsets = [part.offsets[:-1] + size for part, size in zip(parts, sizes, strict=False)]
        return cls(
            np.concatenate([*offsets, sizes[-1:]]).astype(np.int64),
            np.concatenate([part.data for part in parts]),
            parts[0].as_bytes,
        )


def printable(text: str) -> str:
    """Return text with escapes for what a terminal would act on or could not show."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


def counted_reads(count: int) -> str:
    """Return a number of reads in words."""
    return "1 read" if count == 1 else f"{count:,} reads"
