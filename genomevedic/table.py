"""Small tables: what tools such as `gv.tiles` answer with."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

__all__ = ["Table"]

# Rows that a printed table shows at each end.
_SHOWN_ROWS = 5


class Table:
    """Named columns of one length, as NumPy arrays, and what holds for all rows together.

    Columns are attributes: ``t.reads``, or ``t["reads"]``. ``t[3]`` is one row as a dict, and
    ``t[10:20]``, ``t[mask]`` and ``t[rows]`` are tables of these rows.

    Parameters
    ----------
    title : str
        What the table is called where it is shown.
    columns : mapping of str to ndarray
        At least one, each of one dimension, all of the same length.
    facts : mapping of str to value, optional
        What holds for the whole: totals, and what was left out. Rows taken from a table keep the
        facts of the whole.

    Attributes
    ----------
    title : str
    facts : dict

    Raises
    ------
    ValueError
        Columns differ in length, or there are none.

    Examples
    --------
    >>> import numpy as np
    >>> import genomevedic as gv
    >>> t = gv.Table("Lanes", {"lane": np.array([1, 2]), "reads": np.array([10, 30])})
    >>> t.reads.tolist(), t[t.reads > 20]["lane"].tolist(), t[0]
    ([10, 30], [2], {'lane': np.int64(1), 'reads': np.int64(10)})
    """

    __slots__ = ("_columns", "facts", "title")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        title: str,
        columns: Mapping[str, npt.NDArray[Any]],
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.title = title
        self._columns = dict(columns)
        self.facts = dict(facts or {})
        shapes = {np.shape(column) for column in self._columns.values()}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise ValueError(f"a table needs columns of one length, not of shapes {sorted(shapes)}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self._columns)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __getattr__(self, name: str) -> npt.NDArray[Any]:
        # Called only where nothing else is found; slots not yet set must not recurse into it.
        if name not in Table.__slots__ and name in self._columns:
            return self._columns[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._columns]

    @overload
    def __getitem__(self, key: str) -> npt.NDArray[Any]: ...
    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> dict[str, Any]: ...
    @overload
    def __getitem__(
        self, key: slice | npt.NDArray[Any] | Sequence[int] | Sequence[bool]
    ) -> Table: ...
    def __getitem__(self, key: Any) -> npt.NDArray[Any] | dict[str, Any] | Table:
        if isinstance(key, str):
            return self._columns[key]
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            row = range(len(self))[key]
            return {name: column[row] for name, column in self._columns.items()}
        rows = key if isinstance(key, slice) else np.arange(len(self))[key]
        return Table(self.title, {n: c[rows] for n, c in self._columns.items()}, self.facts)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return (
            self.columns == other.columns
            and all(_equal(self[name], other[name]) for name in self.columns)
            and self.facts == other.facts
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas data frame, with the facts as its ``attrs``.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            pandas is not installed: ``pip install "genomevedic[pandas]"``.

        Examples
        --------
        >>> import numpy as np
        >>> import genomevedic as gv
        >>> frame = gv.Table("Lanes", {"lane": np.array([1, 2])}, {"reads": 40}).to_pandas()
        >>> frame.shape, frame.attrs
        ((2, 1), {'reads': 40})
        """
        frame: pd.DataFrame = _import("pandas", "pandas").DataFrame(self._columns)
        frame.attrs.update(self.facts)
        return frame

    def to_arrow(self) -> pa.Table:
        """Return a pyarrow table, with the facts as JSON in the metadata of its schema.

        Returns
        -------
        pyarrow.Table

        Raises
        ------
        ImportError
            pyarrow is not installed: ``pip install "genomevedic[arrow]"``.

        Examples
        --------
        >>> import numpy as np
        >>> import genomevedic as gv
        >>> table = gv.Table("Lanes", {"lane": np.array([1, 2])}, {"reads": 40}).to_arrow()
        >>> table.schema.names, table.schema.metadata
        (['lane'], {b'reads': b'40'})
        """
        pyarrow = _import("pyarrow", "arrow")
        columns = {name: pyarrow.array(column) for name, column in self._columns.items()}
        facts = {name: json.dumps(fact, default=str) for name, fact in self.facts.items()}
        table: pa.Table = pyarrow.table(columns, metadata=facts)
        return table

    # ------------------------------------------------------------------------------------------
    # Showing
    # ------------------------------------------------------------------------------------------

    def _heading(self) -> str:
        rows = "1 row" if len(self) == 1 else f"{len(self):,} rows"
        facts = [
            f"{name.replace('_', ' ')} {f'{fact:,}' if isinstance(fact, int) else shown(fact)}"
            for name, fact in self.facts.items()
        ]
        return "; ".join([f"{self.title}: {rows}", *facts])

    def _rows_of_interest(self) -> Sequence[int]:
        return range(len(self))

    def _shown(self) -> tuple[list[str], list[list[str]], bool]:
        """Return the head, the rows as text, and whether rows were left out in the middle."""
        rows = self._rows_of_interest()
        is_cut = len(rows) > 2 * _SHOWN_ROWS
        if is_cut:
            rows = [*rows[:_SHOWN_ROWS], *rows[-_SHOWN_ROWS:]]
        body = [[shown(column[row]) for column in self._columns.values()] for row in rows]
        return list(self.columns), body, is_cut

    def __repr__(self) -> str:
        head, body, is_cut = self._shown()
        widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in [head, *body]
        ]
        if is_cut:
            lines.insert(1 + _SHOWN_ROWS, "…".rjust(widths[0]))
        return "\n".join([self._heading(), *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        head, body, is_cut = self._shown()
        rows = ["".join(f"<td>{html.escape(cell)}</td>" for cell in line) for line in body]
        if is_cut:
            rows.insert(_SHOWN_ROWS, f'<td colspan="{len(head)}">…</td>')
        return (
            f"<div><p>{html.escape(self._heading())}</p><table><thead><tr>"
            + "".join(f"<th>{html.escape(name)}</th>" for name in head)
            + "</tr></thead><tbody>"
            + "".join(f"<tr>{row}</tr>" for row in rows)
            + "</tbody></table></div>"
        )


def shown(value: Any) -> str:
    """Return one value as a table shows it."""
    if isinstance(value, str):
        text = "".join(char if char.isprintable() else "·" for char in value)
        return text if len(text) <= 40 else text[:39] + "…"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value)


def ratio(part: Any, whole: Any) -> npt.NDArray[np.float64]:
    """Return ``part / whole``, NaN where the whole is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    filled = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=filled, where=whole != 0)
    return filled


def _equal(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind in "fM")


def _import(module: str, extra: str) -> Any:
    """Import an optional library, or say in one sentence how to get it."""
    try:
        return __import__(module)
    except ImportError as error:
        raise ImportError(
            f'this needs {module}; install it with: pip install "genomevedic[{extra}]"'
        ) from error
