"""Reading FASTQ: the whole at once, or in batches."""

from __future__ import annotations

import io
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self, TypeAlias

from . import _core
from .errors import GenomeVedicError, MissingEndBlockWarning
from .layouts import Layout, find
from .particles import Particles, wrap_columns
from .stats import ReadStats

__all__ = [
    "COLUMNS",
    "DEFAULT_COLUMNS",
    "DEFAULT_MAX_RECORD_BYTES",
    "FastqReader",
    "read_fastq",
    "scan_fastq",
]

COLUMNS: tuple[str, ...] = _core.COLUMNS
DEFAULT_COLUMNS: tuple[str, ...] = _core.DEFAULT_COLUMNS

# Room for a whole human chromosome as one record (250 million bases and as many qualities), and
# an end to reading a file without line ends into memory.
DEFAULT_MAX_RECORD_BYTES = 2**30

Source: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO"
Progress: TypeAlias = "bool | Callable[[int, int | None], object]"

# Text between two looks at signals and two calls of `progress`: some 20 ms of work.
_STEP_BYTES = 16 * 2**20

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def read_fastq(
    source: Source | Sequence[Source],
    *,
    layout: str | Layout = "auto",
    min_quality: float = 0.0,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    threads: int | None = None,
    progress: Progress = False,
    on_error: Literal["raise"] = "raise",
    memory_limit: int | str | None = None,
    storage_options: dict[str, Any] | None = None,
    encoding: Literal["phred33", "phred64"] = "phred33",
    alphabet: Literal["dna", "iupac"] | None = None,
    max_record_bytes: int = DEFAULT_MAX_RECORD_BYTES,
    unplaced: None = None,
    max_errors: None = None,
    arena: None = None,
    simd: str | None = None,
) -> Particles:
    """Read FASTQ into particles, all at once.

    Plain text, gzip (any number of members) and BGZF are told apart by their first bytes. Records
    of four lines and wrapped ones are read, with LF or CRLF.

    Parameters
    ----------
    source : path, bytes-like, binary file object, or a list of these
        What to read. The sources of a list are read one after another, as if they were one.
    layout : str or Layout, default "auto"
        Where particles stand: ``"composition"`` or ``"spiral"``; ``"auto"`` is composition.
    min_quality : float, default 0.0
        Reads whose arithmetic mean Phred score is lower are left out (and counted); above 0, so
        are empty reads.
    columns : sequence of str, optional
        Exactly the columns to make, of `COLUMNS`; `DEFAULT_COLUMNS` where not given. Columns not
        asked for are not computed.
    limit : int, optional
        Stop after so many particles; what follows is not read, and so not checked.
    threads : int, optional
        Must be 1 or None in this version.
    progress : bool or callable, default False
        True shows a bar (tqdm); a function is called as ``progress(bytes_done, bytes_total)``,
        the total being None where it is not known.
    on_error : "raise"
        What a malformed record does; only ``"raise"`` in this version.
    memory_limit : int or str, optional
        Most bytes that the columns may hold, as a number or like ``"2 GiB"``.
    storage_options : dict, optional
        For remote sources, which this version does not read.
    encoding : {"phred33", "phred64"}, default "phred33"
        How qualities are written; never guessed. `peek_fastq` shows what a file seems to use.
    alphabet : {"dna", "iupac"}, optional
        Letters that a sequence may hold: ``A C G T N``, or the IUPAC nucleotide codes, in either
        case. By default every printable character is taken, and what is not A, C, G, T or U
        counts as unknown.
    max_record_bytes : int, default 2**30
        A longer record is an error, so that a file without line ends does not fill the memory.
    unplaced, max_errors, arena : None
        For later versions.
    simd : str, optional
        The kernels to use, of ``show_config("dict")["simd_variants"]``; the best by default.

    Returns
    -------
    Particles
        Columns that are views of one piece of memory; ``.stats`` says what was read.

    Raises
    ------
    FastqFormatError
        A record breaks the format; ``path``, ``line``, ``record``, ``offset`` and ``field`` say
        where. `QualityMismatchError`, `TruncatedFileError` and `RecordTooLongError` are kinds.
    SourceReadError
        A source could not be opened or read; `BadGzipError` is a kind.
    MemoryLimitError
        The columns would pass `memory_limit`; ``context["reads"]`` is the number that fitted.
    NotImplementedError
        An argument asks for what this version does not do.

    Warns
    -----
    MissingEndBlockWarning
        A BGZF source ends without its end block.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample(), min_quality=20)
    >>> p.position.shape[1], p.stats.filtered > 0
    (3, True)
    """
    reader = FastqReader(
        source,
        layout=layout,
        min_quality=min_quality,
        columns=columns,
        limit=limit,
        threads=threads,
        progress=progress,
        on_error=on_error,
        memory_limit=memory_limit,
        storage_options=storage_options,
        encoding=encoding,
        alphabet=alphabet,
        max_record_bytes=max_record_bytes,
        unplaced=unplaced,
        max_errors=max_errors,
        arena=arena,
        simd=simd,
    )
    with reader:
        return reader.read()


def scan_fastq(source: Source | Sequence[Source], **options: Any) -> FastqReader:
    """Open FASTQ to go through it in batches, in constant memory.

    Parameters
    ----------
    source, **options
        As for `read_fastq`; ``memory_limit`` bounds each batch.

    Returns
    -------
    FastqReader
        Not yet read from. Use it in a ``with`` statement, so that what it opens is closed.

    Examples
    --------
    >>> import genomevedic as gv
    >>> with gv.scan_fastq(gv.datasets.flowcell_sample(), columns=["gc"]) as reader:
    ...     sizes = [len(batch) for batch in reader.batches(batch_size=1000)]
    >>> sum(sizes) == reader.stats.kept
    True
    """
    return FastqReader(source, **options)


class FastqReader:
    """Reads FASTQ batch by batch. Made by `scan_fastq`, whose options it takes.

    A reader goes through its sources once, and serves one thread at a time.

    Attributes
    ----------
    layout : Layout
        Where the particles stand.
    columns : tuple of str
        The columns that it makes, in their order.
    """

    def __init__(
        self,
        source: Source | Sequence[Source],
        *,
        layout: str | Layout = "auto",
        min_quality: float = 0.0,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        threads: int | None = None,
        progress: Progress = False,
        on_error: str = "raise",
        memory_limit: int | str | None = None,
        storage_options: dict[str, Any] | None = None,
        encoding: str = "phred33",
        alphabet: str | None = None,
        max_record_bytes: int = DEFAULT_MAX_RECORD_BYTES,
        unplaced: None = None,
        max_errors: None = None,
        arena: None = None,
        simd: str | None = None,
    ) -> None:
        _refuse_what_is_not_built(
            threads=threads not in (None, 1),
            on_error=on_error != "raise",
            storage_options=storage_options is not None,
            unplaced=unplaced is not None,
            max_errors=max_errors is not None,
            arena=arena is not None,
        )
        if limit is not None and limit < 0:
            raise ValueError(f"limit must not be negative, and is {limit}")
        if min_quality != min_quality:
            raise ValueError("min_quality must be a number, and is NaN")
        self.layout = find(layout)
        self.columns = DEFAULT_COLUMNS if columns is None else _check_columns(columns)
        self._sources = tuple(_label(each) for each in _as_list(source))
        self._core = _core.Reader(
            self._sources,
            self.columns,
            self.layout.name,
            min_quality=min_quality,
            encoding=encoding,
            alphabet="any" if alphabet is None else alphabet,
            memory_limit=None if memory_limit is None else parse_size(memory_limit),
            max_record_bytes=max_record_bytes,
            simd=simd,
        )
        self._left = limit
        self._is_over = False
        self._seconds = 0.0
        self._warned_end_blocks = 0
        self._progress = _Progress(progress, self._sources)

    # ------------------------------------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------------------------------------

    def read(self) -> Particles:
        """Read all that is left into one set of particles.

        Returns
        -------
        Particles

        Raises
        ------
        FastqFormatError, SourceReadError, MemoryLimitError
            As `read_fastq`.
        """
        self._fill(None)
        return self._take()

    def batches(self, batch_size: int = 50_000) -> Iterator[Particles]:
        """Go through what is left in batches.

        On an error, the particles before it come as a last, shorter batch, and then the error is
        raised: what is handed out before it does not depend on `batch_size`. At the end, and
        when the iterator is dropped half-way, the reader is closed.

        Parameters
        ----------
        batch_size : int, default 50_000
            Particles in a batch; the last one may have fewer. Nothing is handed out empty.

        Yields
        ------
        Particles

        Raises
        ------
        FastqFormatError, SourceReadError, MemoryLimitError
            As `read_fastq`.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, and is {batch_size}")
        return self._batches(batch_size)

    def _batches(self, batch_size: int) -> Iterator[Particles]:
        try:
            error: GenomeVedicError | None = None
            while error is None:
                try:
                    self._fill(batch_size)
                except GenomeVedicError as fault:
                    error = fault
                if self._core.rows > 0:
                    yield self._take()
                elif error is None:
                    return
            raise error
        finally:
            self.close()

    def _fill(self, most_rows: int | None) -> None:
        """Read until the core's table holds so many rows, the limit is reached, or all is read."""
        most = _most(most_rows, self._left)
        started = time.perf_counter()
        try:
            while not self._is_over and self._core.rows < most:
                self._is_over = not self._core.advance(most, _STEP_BYTES)
                if self._progress.is_wanted:
                    self._progress.show(self._core)
        except BaseException:
            self._is_over = True
            raise
        finally:
            self._seconds += time.perf_counter() - started
        if self._left is not None and self._core.rows >= self._left:
            self._is_over = True
        if self._is_over:
            self._warn()

    def _take(self) -> Particles:
        columns = wrap_columns(self._core.take())
        particles = Particles(
            {name: columns[name] for name in self.columns}, self.layout, self.stats
        )
        if self._left is not None:
            self._left -= len(particles)
        return particles

    def _warn(self) -> None:
        missing = self._core.stats()["missing_end_blocks"]
        if missing > self._warned_end_blocks:
            self._warned_end_blocks = missing
            which = self._sources[0][0] if len(self._sources) == 1 else f"{missing} of the sources"
            warnings.warn(
                f"{which}: the BGZF file ends without its end block; it may have been cut "
                "between two blocks",
                MissingEndBlockWarning,
                stacklevel=2,
            )

    # ------------------------------------------------------------------------------------------
    # What it knows
    # ------------------------------------------------------------------------------------------

    @property
    def stats(self) -> ReadStats:
        """What has been read so far."""
        return ReadStats(**self._core.stats(), seconds=self._seconds)

    @property
    def errors(self) -> tuple[GenomeVedicError, ...]:
        """Errors passed over: none, since in this version every error is raised."""
        return ()

    # ------------------------------------------------------------------------------------------
    # Closing
    # ------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close what the reader opened; harmless when called again."""
        self._is_over = True
        self._progress.close()
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        labels = [label for label, _ in self._sources]
        what = labels[0] if len(labels) == 1 else f"{len(labels)} sources"
        return f"<FastqReader of {what}, layout {self.layout.name}>"


# ---------------------------------------------------------------------------------------------
# Arguments
# ---------------------------------------------------------------------------------------------


def parse_size(size: int | str) -> int:
    """Return a size in bytes, given as a number or like ``"2 GiB"``.

    Parameters
    ----------
    size : int or str
        ``KiB``, ``MiB``, ``GiB``, ``TiB`` are powers of 1024; ``kB``, ``MB``, ``GB``, ``TB`` of
        1000.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        It is no size.

    Examples
    --------
    >>> parse_size("1.5 KiB"), parse_size("2 GB"), parse_size(10)
    (1536, 2000000000, 10)
    """
    if isinstance(size, str):
        text = size.strip().upper().removesuffix("B")
        base = 1024 if text.endswith("I") else 1000
        text = text.removesuffix("I")
        unit = text[-1:] if text[-1:] in "KMGT" else ""
        try:
            size = int(float(text.removesuffix(unit)) * base ** _UNITS[unit])
        except (ValueError, OverflowError):
            raise ValueError(f"{size!r} is no size; write it like 2000000 or '2 GiB'") from None
    if size < 0:
        raise ValueError(f"a size must not be negative, and is {size}")
    return size


def _most(rows: int | None, limit: int | None) -> int:
    return min(bound for bound in (rows, limit, 2**62) if bound is not None)


def _refuse_what_is_not_built(**asked: bool) -> None:
    for name, is_asked in asked.items():
        if is_asked:
            raise NotImplementedError(f"{name}= is not built yet")


def _check_columns(columns: Sequence[str]) -> tuple[str, ...]:
    if isinstance(columns, str):
        raise TypeError(f"columns must be a sequence of names, such as [{columns!r}]")
    names = tuple(columns)
    for name in names:
        if name not in COLUMNS:
            raise ValueError(f"there is no column {name!r}; there are {', '.join(COLUMNS)}")
    if not names or len(set(names)) != len(names):
        raise ValueError("columns must name at least one column, and none twice")
    return names


def _as_list(source: Any) -> Sequence[Any]:
    if isinstance(source, list | tuple):
        if not source:
            raise ValueError("the list of sources is empty")
        return source
    return (source,)


def _label(source: Any) -> tuple[str, Any]:
    """Return a name for a source, and the source as the core takes it."""
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>", source
    if isinstance(source, str | os.PathLike):
        path = os.fsdecode(source)
        if "://" in path:
            raise NotImplementedError(f"{path}: remote sources are not built yet")
        if "\0" in path:
            raise ValueError("a path cannot hold a zero byte")
        return path, path
    if isinstance(source, io.TextIOBase):
        raise TypeError('the file is open in text mode; open it in binary mode ("rb")')
    name = getattr(source, "name", None)
    return (name if isinstance(name, str) else f"<{type(source).__name__}>"), source


# ---------------------------------------------------------------------------------------------
# Progress
# ---------------------------------------------------------------------------------------------


class _Progress:
    """Tells how many bytes of all sources were read: to a bar, to a function, or to nobody."""

    def __init__(self, wanted: Progress, sources: tuple[tuple[str, Any], ...]) -> None:
        self.is_wanted = wanted is not False
        self._bar: Any = None
        self._tell: Callable[[int, int | None], object] | None = None
        self._sizes: list[int | None] = []
        if not self.is_wanted:
            return
        self._sizes = [_source_size(source) for _, source in sources]
        known = [size for size in self._sizes if size is not None]
        self._total = sum(known) if len(known) == len(sources) else None
        if callable(wanted):
            self._tell = wanted
            return
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError(
                "progress=True needs tqdm: install it with `pip install genomevedic[progress]`"
            ) from error
        self._bar = tqdm(total=self._total, unit="B", unit_scale=True, unit_divisor=1024)

    def show(self, core: _core.Reader) -> None:
        done = core.stats()["bytes_in"]
        if self._tell is not None:
            self._tell(done, self._total)
        elif self._bar is not None:
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _source_size(source: Any) -> int | None:
    """Return the bytes in a source, None where they cannot be known beforehand."""
    if isinstance(source, bytes | bytearray | memoryview):
        return memoryview(source).nbytes
    if isinstance(source, str):
        try:
            return Path(source).stat().st_size or None
        except OSError:
            return None
    return None
