"""Particles: the columns of a set of reads, as views of the memory that the core filled."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from . import _core
from .arguments import check_integer
from .text import TextColumn, counted_reads

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from .layouts import Layout
    from .stats import ReadStats

    Column = npt.NDArray[Any] | TextColumn

__all__ = ["Particles"]

# Rows that a printed table shows at each end.
_SHOWN_ROWS = 5

# Made once: NumPy 2.4 frees a type of its own where it has no memory to make this of its name.
_TIME = np.dtype("datetime64[us]")

# How the columns of several values are named when they are laid flat.
_FLAT_NAMES = {"position": ("x", "y", "z"), "color": ("r", "g", "b", "a")}

# The same beside columns x and y, which are the place in the tile.
_FLAT_NAMES_APART = {"position": ("position_x", "position_y", "position_z")}


class Particles:
    r"""A set of reads as particles: a place, a colour, a size and the measures of each read.

    Columns are attributes: ``p.gc``, or ``p["gc"]``. Those a reader filled are views of one piece
    of memory that lives as long as any view of it; they are writable, and writing through one
    view is seen in every other. ``p[10:20]`` is a view of the same memory, ``p[mask]`` and
    ``p[rows]`` are copies, ``p[3]`` is one row as a dict.

    Parameters
    ----------
    columns : mapping of str to ndarray or TextColumn
        The columns by name, all of the same length.
    layout : Layout
        What the positions mean.
    stats : ReadStats, optional
        What the reader counted; None for particles that no reader gave.

    Attributes
    ----------
    position : ndarray of float32, shape (N, 3)
        Place, in the units of `layout`; NaN for a read without one.
    color : ndarray of float32, shape (N, 4)
        Red, green, blue, alpha in 0..1: GC content from blue (0) over cyan (0.4), green (0.5) and
        yellow (0.6) to red (1); grey where no base is known.
    size : ndarray of float32, shape (N,)
        Relative size, from 0.5 (mean Phred 0) to 2.0 (40 and above), times ``layout.point_size``.
    metadata : ndarray of uint64, shape (N,)
        The record's ordinal over all sources, from 0, counted before filtering.
    length : ndarray of uint32, shape (N,)
        Bases.
    gc : ndarray of float32, shape (N,)
        (G+C) / (A+C+G+T+U) in 0..1; NaN where no base is known.
    quality : ndarray of float32, shape (N,)
        Arithmetic mean of the Phred scores, as FastQC gives it, rounded to float32; NaN for an
        empty read.
    error_quality : ndarray of float32, shape (N,)
        ``-10 log10(mean(10 ** (-q / 10)))`` over the Phred scores ``q`` of the read: the score of
        its mean error probability, as NanoPlot and NanoFilt average; NaN for an empty read. On
        request.
    lane, surface, swath, read : ndarray of uint8, shape (N,)
        From the read's name, and its tile; 0 where it holds none. ``read`` is 1 or 2. On request,
        as all that follows.
    tile : ndarray of uint32, shape (N,)
        Tile number as in the name; of MGI 1000 times the field's column and its row. 0 for none.
    x, y : ndarray of int32, shape (N,)
        Place in the tile, in the instrument's units; -2**31 for none.
    filtered : ndarray of uint8, shape (N,)
        0 where the instrument's filter let the read pass, 1 where not, 255 where nothing says so.
    channel : ndarray of uint16, shape (N,)
        Of a Nanopore flow cell, from 1; 0 for none.
    start_time : ndarray of datetime64[us], shape (N,)
        Of a Nanopore read, in UTC; NaT for none.
    zmw : ndarray of uint32, shape (N,)
        Number of the PacBio well; 2**32-1 for none.
    source : ndarray of uint32, shape (N,)
        Which of several sources the record is from, counted from 0.
    index, barcode : TextColumn
        As they stand in the name; empty for none.
    name, sequence, qualities : TextColumn
        The header line without its ``@``, the bases, and the quality characters as they stand in
        the file. On request.

    References
    ----------
    Ewing and Green (1998), Base-calling of automated sequencer traces using phred. II. Error
    probabilities. Genome Res 8:186-194, for ``q = -10 log10(error probability)``.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(b"@r1\nACGT\n+\nIIII\n@r2\nGGCC\n+\n!!!!\n")
    >>> len(p), p.gc.tolist(), p.quality.tolist()
    (2, [0.5, 1.0], [40.0, 0.0])
    """

    __slots__ = ("_columns", "layout", "stats")
    __hash__ = None  # type: ignore[assignment]

    if TYPE_CHECKING:
        position: npt.NDArray[np.float32]
        color: npt.NDArray[np.float32]
        size: npt.NDArray[np.float32]
        metadata: npt.NDArray[np.uint64]
        length: npt.NDArray[np.uint32]
        gc: npt.NDArray[np.float32]
        quality: npt.NDArray[np.float32]
        error_quality: npt.NDArray[np.float32]
        lane: npt.NDArray[np.uint8]
        tile: npt.NDArray[np.uint32]
        surface: npt.NDArray[np.uint8]
        swath: npt.NDArray[np.uint8]
        x: npt.NDArray[np.int32]
        y: npt.NDArray[np.int32]
        read: npt.NDArray[np.uint8]
        filtered: npt.NDArray[np.uint8]
        channel: npt.NDArray[np.uint16]
        start_time: npt.NDArray[np.datetime64]
        zmw: npt.NDArray[np.uint32]
        source: npt.NDArray[np.uint32]
        name: TextColumn
        sequence: TextColumn
        qualities: TextColumn
        index: TextColumn
        barcode: TextColumn

    def __init__(
        self, columns: Mapping[str, Column], layout: Layout, stats: ReadStats | None = None
    ) -> None:
        self._columns = dict(columns)
        self.layout = layout
        self.stats = stats
        lengths = {len(column) for column in self._columns.values()}
        if len(lengths) != 1:
            raise ValueError(f"particles need columns of one length, not of {sorted(lengths)}")

    # ------------------------------------------------------------------------------------------
    # Columns
    # ------------------------------------------------------------------------------------------

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self._columns)

    def __getattr__(self, name: str) -> Column:
        # Called only where nothing else is found; slots not yet set must not recurse into it.
        if name not in Particles.__slots__:
            column = self._columns.get(name)
            if column is not None:
                return column
            if name in _core.COLUMNS:
                raise AttributeError(
                    f"these particles were read without the column {name!r}; "
                    f"ask for it with columns=[..., {name!r}]"
                )
        raise AttributeError(f"Particles has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._columns]

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    @property
    def nbytes(self) -> int:
        """Bytes of all columns together."""
        return sum(column.nbytes for column in self._columns.values())

    # ------------------------------------------------------------------------------------------
    # Rows
    # ------------------------------------------------------------------------------------------

    @overload
    def __getitem__(self, key: str) -> Column: ...
    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> dict[str, Any]: ...
    @overload
    def __getitem__(
        self, key: slice | npt.NDArray[Any] | Sequence[int] | Sequence[bool]
    ) -> Particles: ...
    def __getitem__(self, key: Any) -> Column | dict[str, Any] | Particles:
        if isinstance(key, str):
            if key not in self._columns:
                raise KeyError(key)
            return self._columns[key]
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            row = range(len(self))[key]
            return {name: column[row] for name, column in self._columns.items()}
        if not isinstance(key, slice):
            key = np.asarray(key)
            if key.ndim != 1 or (key.size and key.dtype.kind not in "biu"):
                raise TypeError(
                    "particles are chosen by a slice, a mask, row numbers, or a column's name"
                )
            key = key.astype(np.intp) if key.size == 0 and key.dtype.kind not in "biu" else key
        return self._map(lambda column: column[key])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[row] for row in range(len(self)))

    def _map(self, function: Any) -> Particles:
        columns = {name: function(column) for name, column in self._columns.items()}
        return Particles(columns, self.layout, self.stats)

    def copy(self) -> Particles:
        """Return particles that share no memory with these."""
        return self._map(lambda column: column.copy())

    def sample(self, n: int, rng: np.random.Generator | int | None = None) -> Particles:
        """Return `n` particles drawn without replacement, in their order here, as a copy.

        Parameters
        ----------
        n : int
            How many; all of them where there are no more than `n`.
        rng : numpy.random.Generator or int, optional
            Source of chance, or its seed.

        Returns
        -------
        Particles

        Raises
        ------
        TypeError, ValueError
            `n` is no whole number, or negative.

        Examples
        --------
        >>> import genomevedic as gv
        >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
        >>> len(p.sample(100, rng=1)), p.sample(100, rng=1) == p.sample(100, rng=1)
        (100, True)
        """
        n = check_integer("the number of particles to draw", n)
        if n >= len(self):
            return self.copy()
        chosen = np.random.default_rng(rng).choice(len(self), size=n, replace=False, shuffle=False)
        return self[np.sort(chosen)]

    def concat(
        self: Particles | Sequence[Particles], *others: Particles | Sequence[Particles]
    ) -> Particles:
        r"""Return the rows of several particles, one after another, as a copy.

        Call it as ``p.concat(q, r)``, ``p.concat([q, r])`` or ``Particles.concat([p, q, r])``.

        Parameters
        ----------
        *others : Particles, or sequences of them
            With the same columns and the same layout.

        Returns
        -------
        Particles

        Raises
        ------
        ValueError
            There is nothing to join, or columns or layouts differ.
        TypeError
            Something to join is not `Particles`.

        Examples
        --------
        >>> import genomevedic as gv
        >>> p = gv.read_fastq(b"@r1\nACGT\n+\nIIII\n")
        >>> q = gv.read_fastq(b"@r2\nGGCC\n+\n!!!!\n")
        >>> gv.Particles.concat([p, q]).gc.tolist()
        [0.5, 1.0]
        """
        parts = [part for each in (self, *others) for part in _flat(each)]
        if not parts:
            raise ValueError("there are no particles to join")
        first = parts[0]
        for part in parts[1:]:
            if part.columns != first.columns:
                raise ValueError(f"columns differ: {first.columns} and {part.columns}")
            if part.layout != first.layout:
                raise ValueError(f"layouts differ: {first.layout.name} and {part.layout.name}")
        joined = {name: _join([part[name] for part in parts]) for name in first.columns}
        return Particles(joined, first.layout)

    # ------------------------------------------------------------------------------------------
    # Comparing and keeping
    # ------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Particles):
            return NotImplemented
        return (
            self.columns == other.columns
            and self.layout == other.layout
            and all(_equal(self[name], other[name]) for name in self.columns)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # The arrays pickle themselves, out of band with protocol 5.
        return Particles, (self._columns, self.layout, self.stats)

    # ------------------------------------------------------------------------------------------
    # Other libraries
    # ------------------------------------------------------------------------------------------

    def to_pandas(self) -> pd.DataFrame:
        r"""Return a pandas data frame, flat: x, y, z for position and r, g, b, a for color.

        Beside a column ``x`` or ``y`` of the particles, the place in the tile, position becomes
        position_x, position_y, position_z. Numbers are copied by pandas. Text columns become
        strings (qualities: bytes); one that holds a name that is not UTF-8 has dtype object, with
        surrogate escapes.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            pandas is not installed: ``pip install "genomevedic[pandas]"``.

        Examples
        --------
        >>> import genomevedic as gv
        >>> p = gv.read_fastq(b"@r1\nACGT\n+\nIIII\n", columns=["position", "gc", "name"])
        >>> list(p.to_pandas().columns)
        ['x', 'y', 'z', 'gc', 'name']
        """
        pandas = _import("pandas", "pandas")
        flat: dict[str, Any] = {}
        has_xy = "x" in self._columns or "y" in self._columns
        flat_names = _FLAT_NAMES | (_FLAT_NAMES_APART if has_xy else {})
        for name, column in self._columns.items():
            if isinstance(column, TextColumn):
                flat[name] = _text_series(pandas, column)
            elif column.ndim == 2:
                flat |= {part: column[:, i] for i, part in enumerate(flat_names[name])}
            else:
                flat[name] = column
        frame: pd.DataFrame = pandas.DataFrame(flat)
        return frame

    def to_polars(self) -> pl.DataFrame:
        r"""Return a polars data frame; position and color are fixed-size arrays.

        Returns
        -------
        polars.DataFrame

        Raises
        ------
        ImportError
            polars is not installed: ``pip install "genomevedic[polars]"``.

        Examples
        --------
        >>> import genomevedic as gv
        >>> p = gv.read_fastq(b"@r1\nACGT\n+\nIIII\n", columns=["length", "gc"])
        >>> p.to_polars().rows()
        [(4, 0.5)]
        """
        frame: pl.DataFrame = _import("polars", "polars").DataFrame(self)
        return frame

    def to_arrow(self) -> pa.RecordBatch:
        r"""Return a pyarrow record batch over the same memory.

        A text column that holds bytes that are not ASCII is binary there, not text.

        Returns
        -------
        pyarrow.RecordBatch

        Raises
        ------
        ImportError
            pyarrow is not installed: ``pip install "genomevedic[arrow]"``.

        Examples
        --------
        >>> import genomevedic as gv
        >>> p = gv.read_fastq(b"@r1\nACGT\n+\nIIII\n", columns=["length", "gc"])
        >>> p.to_arrow().schema.names
        ['length', 'gc']
        """
        batch: pa.RecordBatch = _import("pyarrow", "arrow").record_batch(self)
        return batch

    def to_napari(self) -> tuple[npt.NDArray[np.float32], dict[str, Any], str]:
        r"""Return all reads that have a place as a napari points layer in space.

        Points stand at (z, y, x). Positions and colours are views where every read has a place;
        reads without one are left out, counted in the layer's name and in ``metadata``. Sizes are
        diameters in the layout's units; features are GC, quality and length, and the names where
        they were read and there are no more than 100,000. A unit of the layout that napari does
        not know becomes ``"pixel"``.

        Returns
        -------
        tuple
            ``(data, keyword arguments, "points")``, the form that napari's plugins use: pass it to
            ``napari.layers.Layer.create(*particles.to_napari())``, or hand data and keyword
            arguments to ``viewer.add_points``. napari is not needed to make it.

        Raises
        ------
        ValueError
            The particles have no positions.

        See Also
        --------
        genomevedic.napari.view : open a window; above a million reads with a density beneath.

        Examples
        --------
        >>> import genomevedic as gv
        >>> p = gv.read_fastq(b"@r1\nACGT\n+\nIIII\n@r2\nNN\n+\nII\n")
        >>> data, options, kind = p.to_napari()
        >>> data.shape, kind, options["metadata"]["words"]
        ((1, 3), 'points', '1 of 2 reads is shown. 1 has no place in this layout.')
        """
        from .napari import layer

        return layer(self)

    def view(
        self, *, max_points: int = 1_000_000, rng: np.random.Generator | int | None = None
    ) -> Any:
        """Show the particles in a notebook, with the best viewer that is installed and works.

        That is k3d 3 or later (in space), else jupyter-scatter (in the plane), else Matplotlib.

        Parameters
        ----------
        max_points : int, default 1,000,000
            Above this number of reads with a place, that many are shown, chosen at random.
        rng : numpy.random.Generator or int, optional
            Source of that choice.

        Returns
        -------
        k3d.Plot, jscatter.Scatter or matplotlib.figure.Figure
            The last expression of a notebook's cell is shown.

        Raises
        ------
        RenderingError
            None of them is installed and works.
        TypeError, ValueError
            `max_points` is no whole number of at least 1; there are no positions.

        Warns
        -----
        UserWarning
            Where a viewer is missing or fails and the next one is taken, with the code of the
            `RenderingError`; where reads are left out.

        See Also
        --------
        genomevedic.to_html : the same in a page that needs no notebook.
        genomevedic.napari.view : the same in a window of napari.

        Examples
        --------
        >>> import genomevedic as gv
        >>> p = gv.read_fastq(gv.datasets.flowcell_sample(), limit=100)
        >>> p.view()  # doctest: +SKIP
        """
        from .notebook import show

        return show(self, max_points=max_points, rng=rng)

    def _arrow_columns(self) -> dict[str, Any]:
        return {
            name: (column.offsets, column.data) if isinstance(column, TextColumn) else column
            for name, column in self._columns.items()
        }

    def __arrow_c_schema__(self) -> object:
        return _core.arrow_schema(self._arrow_columns())

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        # A requested schema is a wish; the columns are handed over in the types they have.
        return _core.arrow_array(self._arrow_columns())

    # ------------------------------------------------------------------------------------------
    # Showing
    # ------------------------------------------------------------------------------------------

    def _shown(self) -> tuple[list[str], list[list[str]], bool]:
        """Return the head of a table, its rows as text, and whether rows were left out."""
        n = len(self)
        is_cut = n > 2 * _SHOWN_ROWS
        rows = [*range(_SHOWN_ROWS), *range(n - _SHOWN_ROWS, n)] if is_cut else list(range(n))
        body = [[str(row), *(_cell(self[name], row) for name in self.columns)] for row in rows]
        return ["", *self.columns], body, is_cut

    def _title(self) -> str:
        reads = counted_reads(len(self))
        return f"Particles: {reads}, layout {self.layout.name}, {_size(self.nbytes)}"

    def __repr__(self) -> str:
        head, body, is_cut = self._shown()
        widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in [head, *body]
        ]
        if is_cut:
            lines.insert(1 + _SHOWN_ROWS, "…".rjust(widths[0]))
        return "\n".join([self._title(), *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        head, body, is_cut = self._shown()
        rows = ["".join(f"<td>{html.escape(cell)}</td>" for cell in line) for line in body]
        if is_cut:
            rows.insert(_SHOWN_ROWS, f'<td colspan="{len(head)}">…</td>')
        return (
            f"<div><p>{html.escape(self._title())}</p><table><thead><tr>"
            + "".join(f"<th>{html.escape(name)}</th>" for name in head)
            + "</tr></thead><tbody>"
            + "".join(f"<tr>{row}</tr>" for row in rows)
            + "</tbody></table></div>"
        )


def wrap_columns(columns: Mapping[str, Any]) -> dict[str, Column]:
    """Make the columns that the core hands out those of `Particles`.

    Text becomes a `TextColumn`, a time datetime64.
    """
    wrapped = {
        name: TextColumn(value[0], value[1], as_bytes=name == "qualities")
        if isinstance(value, tuple)
        else value
        for name, value in columns.items()
    }
    if "start_time" in wrapped:
        wrapped["start_time"] = columns["start_time"].view(_TIME)
    return wrapped


def _flat(each: Any) -> list[Particles]:
    """Return what is to be joined as a list, whether one or a sequence of them was given."""
    parts = [each] if isinstance(each, Particles) else list(each)
    for part in parts:
        if not isinstance(part, Particles):
            raise TypeError(f"only Particles can be joined, not {type(part).__name__}")
    return parts


def _text_series(pandas: Any, column: TextColumn) -> Any:
    """Return the rows as pandas holds them best; text that is not UTF-8 only fits dtype object."""
    rows = column.tolist()
    if any(isinstance(row, str) and not row.isascii() and _has_escapes(row) for row in rows):
        return pandas.Series(rows, dtype=object)
    return rows


def _has_escapes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _join(columns: list[Any]) -> Column:
    if isinstance(columns[0], TextColumn):
        return TextColumn.concat(columns)
    joined: npt.NDArray[Any] = np.concatenate(columns)
    return joined


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, TextColumn) or isinstance(other, TextColumn):
        return bool(one == other)
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind in "fM")


def _cell(column: Any, row: int) -> str:
    """Return one value as a table shows it."""
    value = column[row]
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if isinstance(value, str):
        value = value.encode("utf-8", "backslashreplace").decode()
        text = "".join(char if char.isprintable() else "·" for char in value)
        return text if len(text) <= 20 else text[:19] + "…"
    if isinstance(value, np.ndarray):
        return "[" + " ".join(f"{number:.3g}" for number in value) + "]"
    return f"{value:.4g}" if isinstance(value, np.floating) else str(value)


def _size(nbytes: int) -> str:
    """Return a number of bytes as people say it."""
    size, unit = float(nbytes), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{nbytes} bytes" if unit == "bytes" else f"{size:.3g} {unit}"


def _import(module: str, extra: str) -> Any:
    """Import an optional library, or say in one sentence how to get it."""
    try:
        return __import__(module)
    except ImportError as error:
        raise ImportError(
            f'this needs {module}; install it with: pip install "genomevedic[{extra}]"'
        ) from error
