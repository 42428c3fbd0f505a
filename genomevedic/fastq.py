"""Reading FASTQ: the whole at once, or in batches."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeAlias, TypeVar, cast

from . import _core
from .arguments import check_choice, check_integer, check_names, check_number, parse_size
from .errors import (
    ErrorLog,
    GenomeVedicError,
    MemoryAllocationError,
    MissingEndBlockWarning,
    UnplacedWarning,
    warn_user,
)
from .layouts import Layout, find
from .memory import Arena
from .particles import Particles, wrap_columns
from .places import Places, as_given
from .policies import ErrorPolicy, OnError
from .settling import NAMED, settle
from .sources import Source, as_list, close_remote, hosts_of, is_remote, label, size_of
from .stats import ReadStats
from .turns import Turn, Turns

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

Progress: TypeAlias = "bool | Callable[[int, int | None], object]"

# Text between two looks at signals and two calls of `progress`: some 20 ms of work.
_STEP_BYTES = 16 * 2**20

# What the core makes when nothing is settled.
_NEEDS_NO_LOOK = frozenset(["composition"])

_COLUMNS_OF_NAMES = frozenset(
    [
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
        "index",
        "barcode",
    ]
)

# Of many sources with the same fault, so many are named.
_MOST_NAMED = 5

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class FastqReader:
    """Reads FASTQ batch by batch. Made by `scan_fastq`.

    A reader goes through its sources once, and serves one thread at a time. An error closes it.

    Parameters
    ----------
    source, layout, min_quality, min_error_quality, columns, limit, threads, progress, on_error, \
memory_limit, storage_options, encoding, alphabet, max_record_bytes, unplaced, max_errors, arena, \
simd
        As for `read_fastq`.

    Attributes
    ----------
    columns : tuple of str
        The columns that it makes, in their order.

    Raises
    ------
    TypeError, ValueError, NotImplementedError, ImportError
        As `read_fastq` for its arguments. Sources are opened when they are first read from.

    Examples
    --------
    >>> import genomevedic as gv
    >>> with gv.FastqReader(gv.datasets.flowcell_sample(), limit=100) as reader:
    ...     particles = reader.read()
    >>> len(particles), reader.stats.reads
    (100, 100)
    """

    # Where the text of the first source begins, if it is the rest of another: the place that the
    # core told of there, with the number of the first record among all reads before `wrapped`.
    _begin: tuple[int, int, int, int, bool] = (0, 1, 1, 0, False)

    def __init__(
        self,
        source: Source | Sequence[Source],
        *,
        layout: str | Layout | Callable[[], Layout] | Places = "auto",
        min_quality: float = 0.0,
        min_error_quality: float = 0.0,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        threads: int | None = None,
        progress: Progress = False,
        on_error: OnError = "raise",
        memory_limit: int | str | None = None,
        storage_options: dict[str, Any] | None = None,
        encoding: Literal["phred33", "phred64"] = "phred33",
        alphabet: Literal["dna", "iupac"] | None = None,
        max_record_bytes: int | str = DEFAULT_MAX_RECORD_BYTES,
        unplaced: Literal["raise", "nan"] | None = None,
        max_errors: int | None = None,
        arena: Arena | None = None,
        simd: str | None = None,
    ) -> None:
        self.columns = (
            DEFAULT_COLUMNS if columns is None else check_names("columns", columns, COLUMNS)
        )
        self._given = as_given(layout)
        self._wish = find(layout) if self._given is None else self._given.layout
        self._settled: Layout | None = None
        self._grammar = "unknown"
        self._is_strict = _is_strict(unplaced, self._wish)
        self._policy = ErrorPolicy(on_error, max_errors)
        self._left = None if limit is None else check_integer("limit", limit)
        self._sources = _sources_of(source, storage_options)
        self._core = _core.Reader(
            self._sources,
            self.columns if self._given is None else self._given.needs(self.columns),
            min_quality=check_number("min_quality", min_quality),
            min_error_quality=check_number("min_error_quality", min_error_quality),
            encoding=check_choice("encoding", encoding, ("phred33", "phred64")),
            alphabet=_check_alphabet(alphabet),
            threads=0 if threads is None else check_integer("threads", threads, 1),
            memory_limit=None if memory_limit is None else _bytes("memory_limit", memory_limit),
            max_record_bytes=_bytes("max_record_bytes", max_record_bytes),
            simd=_check_simd(simd),
            arena=_check_arena(arena),
            strict=self._is_strict,
            begin=self._begin,
        )
        self._is_over = False
        self._seconds = 0.0
        self._counts: dict[str, Any] | None = None
        self._without_end_block: list[str] = []
        self._warned_end_blocks = 0
        self._has_warned_of_unplaced = False
        # Where the source at hand is to be read on: offset, line, record, whether it is wrapped.
        self._place = (*self._begin[:3], self._begin[4])
        self._progress = _Progress(progress, self._sources)
        self._turn = Turn("this reader is in use; a reader serves one thread at a time")

    # ------------------------------------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------------------------------------

    def read(self) -> Particles:
        """Read all that is left into one set of particles.

        On an error the reader is closed: what was read before it is no result. `batches` hands
        it out.

        Returns
        -------
        Particles

        Raises
        ------
        FastqFormatError, SourceReadError, MemoryLimitError
            As `read_fastq`.
        ValueError
            The reader is closed.

        Examples
        --------
        >>> import genomevedic as gv
        >>> with gv.scan_fastq(gv.datasets.flowcell_sample(), min_quality=30) as reader:
        ...     particles = reader.read()
        >>> len(particles) == reader.stats.kept
        True
        """
        with self._turn:
            try:
                self._fill(None)
                return self._take()
            except BaseException:
                self.close()
                raise

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
        ValueError
            `batch_size` is less than 1, or the reader is closed.

        Examples
        --------
        >>> import genomevedic as gv
        >>> with gv.scan_fastq(gv.datasets.flowcell_sample()) as reader:
        ...     [len(batch) for batch in reader.batches(3000)]
        [3000, 3000, 1040]
        """
        return Turns(self._turn, self._batches(check_integer("batch_size", batch_size, 1)))

    def _batches(self, batch_size: int) -> Generator[Particles, None, None]:
        try:
            error: GenomeVedicError | None = None
            while error is None:
                try:
                    self._fill(batch_size)
                except GenomeVedicError as fault:
                    error = fault
                rows = self._core.rows
                # No name here holds the batch while its receiver has it.
                batch = [self._take()] if rows > 0 else []
                if error is not None:
                    # Before the last batch is handed out, so that nobody reads on behind a fault.
                    self.close()
                if rows > 0:
                    yield batch.pop()
                elif error is None:
                    self._warn_of_unplaced(self.stats)
                    return
            raise error
        finally:
            # An iterator that is dropped while another thread reads closes nothing.
            with suppress(RuntimeError):
                self.close()

    def _fill(self, most_rows: int | None) -> None:
        """Read until the core's table holds so many rows, the limit is reached, or all is read."""
        most = _most(most_rows, self._left)
        if not self._is_over:
            self._settle()
        started = time.perf_counter()
        try:
            while not self._is_over and self._core.rows < most:
                self._advance(most)
                self._note_end_block()
                if self._progress.is_wanted:
                    self._progress.show(self._core)
        finally:
            self._seconds += time.perf_counter() - started
            self._place = self._core.place()
        if self._left is not None and self._core.rows >= self._left:
            self._is_over = True
        if self._is_over:
            self._warn_of_end_blocks()
            self._policy.warn(self._what())

    def _advance(self, most: int) -> None:
        """Read on for a moment; of a fault the policy says what becomes of it."""
        try:
            self._is_over = not self._core.advance(most, _STEP_BYTES)
        except GenomeVedicError as error:
            match self._policy.answer(error, (self._core.rows, self._core.place())):
                case "skip":
                    offset, line, *_ = self._core.skip()
                    self._policy.note(error, offset, line)
                case "raise":
                    raise

    def _sealed(self) -> dict[str, Any]:
        while True:
            try:
                return self._core.take()
            except MemoryAllocationError as error:
                if self._policy.answer(error, ("sealing", self._core.place())) != "retry":
                    raise

    def _take(self) -> Particles:
        columns = wrap_columns(self._sealed())
        layout = self._settle()
        if self._given is not None:
            try:
                self._given.place(columns, layout, self._what(), self._is_strict)
            except GenomeVedicError as error:
                self._policy.answer(error, None)
                raise
        counts = self._core.stats() if self._counts is None else self._counts
        stats = self._read_stats(counts)
        # No comprehension: CPython 3.11 keeps the arguments of a function for ever where it has no
        # memory to begin one that shares a name with a comprehension.
        chosen = dict(zip(self.columns, map(columns.__getitem__, self.columns), strict=True))
        particles = Particles(chosen, layout, stats)
        if self._left is not None:
            self._left -= len(particles)
        if self._is_over and stats.unplaced > 0:
            self._warn_of_unplaced(stats)
        return particles

    def _note_end_block(self) -> None:
        """Remember the source that has just ended without its end block, if it has."""
        self._counts = counts = self._core.stats()
        # A call into the core goes no further than the end of a source.
        if counts["missing_end_blocks"] > len(self._without_end_block):
            self._without_end_block.append(self._sources[counts["sources"] - 1][0])

    def _reads_names(self) -> bool:
        return not _COLUMNS_OF_NAMES.isdisjoint(self.columns)

    def _warn_of_unplaced(self, stats: ReadStats) -> None:
        """Say once that there are particles without a place."""
        if stats.unplaced > 0 and not self._has_warned_of_unplaced:
            self._has_warned_of_unplaced = True
            warn_user(
                f"{self._what()}: {stats.unplaced:,} of {stats.kept:,} particles have no place in "
                f"the layout {self.layout.name!r} (NaN): their records do not carry one",
                UnplacedWarning,
            )

    def _warn_of_end_blocks(self) -> None:
        names = self._without_end_block[self._warned_end_blocks :]
        self._warned_end_blocks = len(self._without_end_block)
        if names:
            listed = ", ".join(names[:_MOST_NAMED])
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            warn_user(
                f"{listed}{more}: the BGZF file ends without its end block; it may have been cut "
                "between two blocks",
                MissingEndBlockWarning,
            )

    # ------------------------------------------------------------------------------------------
    # What it knows
    # ------------------------------------------------------------------------------------------

    @property
    def stats(self) -> ReadStats:
        """What has been read so far."""
        return self._read_stats(self._core.stats())

    def _read_stats(self, counts: dict[str, Any]) -> ReadStats:
        if self._given is not None:
            counts = {**counts, "unplaced": self._given.unplaced}
        return ReadStats(**counts, seconds=self._seconds, hosts=hosts_of(self._sources))

    @property
    def layout(self) -> Layout:
        """Where the particles stand: settled on the first records, which this looks at.

        Raises
        ------
        NoCoordinatesError
            The names do not hold what the layout needs.
        SourceReadError, ValueError
            The first source cannot be read, or the reader is closed.
        """
        with self._turn:
            return self._settle()

    def _settle(self) -> Layout:
        if self._settled is None:
            wish = self._wish
            if wish is not None and wish.name in _NEEDS_NO_LOOK and not self._reads_names():
                self._settled = wish
            else:
                self._settled, self._grammar = self._look(wish)
        return self._settled

    def _look(self, wish: Layout | None) -> tuple[Layout, str]:
        """Settle the layout on the first records; handlers are told of what is in the way."""
        while True:
            try:
                return settle(self._core, wish, self._sources, is_strict=self._is_strict)
            except GenomeVedicError as error:
                if self._policy.answer(error, ("settling", self._core.place())) != "retry":
                    raise

    @property
    def errors(self) -> ErrorLog:
        """Errors of records that were skipped."""
        return self._policy.log

    # ------------------------------------------------------------------------------------------
    # Closing
    # ------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close what the reader opened; harmless when called again.

        Raises
        ------
        RuntimeError
            Another thread is reading; it reads on.
        """
        with self._turn:
            self._core.close()
            close_remote(self._sources)
            self._is_over = True
            self._progress.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _what(self) -> str:
        labels = [label for label, _ in self._sources]
        return labels[0] if len(labels) == 1 else f"{len(labels)} sources"

    def __repr__(self) -> str:
        layout = self._settled or self._wish
        return f"<FastqReader of {self._what()}, layout {layout.name if layout else 'auto'}>"


# ---------------------------------------------------------------------------------------------
# The functions
# ---------------------------------------------------------------------------------------------


def _takes_arguments_of(
    maker: Callable[_Arguments, object],
) -> Callable[[Callable[..., _Result]], Callable[_Arguments, _Result]]:
    """Give a function the arguments of another, for type checkers and for ``help``.

    So the signature of `FastqReader` is the only place where the arguments are written down.
    """

    def decorate(function: Callable[..., _Result]) -> Callable[_Arguments, _Result]:
        result = inspect.signature(function).return_annotation
        signature = inspect.signature(maker).replace(return_annotation=result)
        function.__signature__ = signature  # type: ignore[attr-defined]
        return cast("Callable[_Arguments, _Result]", function)

    return decorate


@_takes_arguments_of(FastqReader)
def read_fastq(*args: Any, **options: Any) -> Particles:
    r"""Read FASTQ into particles, all at once.

    Plain text, gzip (any number of members) and BGZF are told apart by their first bytes. Records
    of four lines and wrapped ones are read, with LF or CRLF.

    Parameters
    ----------
    source : path, URL, bytes-like, binary file object, sources.Mirror, or a list of these
        What to read. The sources of a list are read one after another, as if they were one.
    layout : str, Layout, array or function, default "auto"
        Where particles stand: one of `gv.layouts` or its name in lower case (``"flowcell"``,
        ``"nanopore"``, ``"pacbio"``, ``"mgi"``, ``"composition"``, ``"tetranucleotide"``,
        ``"spiral"``, ``"grid"``). ``"auto"`` is flowcell, nanopore, pacbio or mgi, whichever the
        first read's name carries, else composition. An array of shape (records, 2) or (records, 3)
        gives the places of all records of the sources, in their order; a function is called with
        each set of particles (its positions NaN) and returns an array of their places.
    min_quality : float, default 0.0
        Reads whose arithmetic mean Phred score is lower are left out (and counted); above 0, so
        are empty reads. The exact mean is compared, in float64; the column ``quality`` holds it
        rounded to float32, so that a read left out can show the very number given here.
    min_error_quality : float, default 0.0
        The same for the score of the mean error probability (``error_quality``), in which Nanopore
        users state thresholds; it is never above the arithmetic mean. Both may be given.
    columns : sequence of str, optional
        Exactly the columns to make, of `COLUMNS`; `DEFAULT_COLUMNS` where not given. Columns not
        asked for are not computed.
    limit : int, optional
        Stop after so many particles; what follows is not read, and so not checked.
    threads : int, optional
        How many threads read a plain or BGZF source of 4 MiB or more, at least 1; by default as
        many as the processors that this process may use, less those at work for other readers.
        The result is the same, bit for bit, for any number.
    progress : bool or callable, default False
        True shows a bar (tqdm, extra ``progress``); a function is called as
        ``progress(bytes_done, bytes_total)``, the total being None where it is not known.
    on_error : {"raise", "skip"} or function, default "raise"
        What becomes of a record at fault: an error, or it is passed over, up to the first line from
        which a whole sound record can be read. A function is called with the error and returns
        ``"raise"`` or ``"skip"``. What was skipped is counted (``stats.skipped``), listed
        (`FastqReader.errors`; ``context`` says where reading went on) and warned of once. A file
        that is cut short, damaged gzip data and a source that fails always raise.
    memory_limit : int or str, optional
        Most bytes that the columns may hold, as a number or like ``"2 GiB"``.
    storage_options : dict, optional
        How to read URLs: of http and https the fields of `sources.RemoteOptions`, of an object
        store those of its fsspec package and what holds for every store.
    encoding : {"phred33", "phred64"}, default "phred33"
        How qualities are written; never guessed. `peek_fastq` shows what a file seems to use.
    alphabet : {"dna", "iupac"}, optional
        Letters that a sequence may hold: ``A C G T N``, or the IUPAC nucleotide codes, in either
        case. By default every printable character is taken, and what is not A, C, G, T or U
        counts as unknown.
    max_record_bytes : int or str, default 2**30
        A longer record is an error, so that a file without line ends does not fill the memory.
        A number, or like ``"4 GiB"``.
    unplaced : {"raise", "nan"}, optional
        What a record without a place is: an error, or a particle whose place is NaN, which is
        counted and warned of once. By default an error where a layout that reads names was asked
        for (flowcell, nanopore, pacbio, mgi), else NaN. Columns asked for by name that a record's
        name does not hold count as a place here: NaN stands for their own way to say so (0 for
        ``lane``, ``tile``, ``surface``, ``swath``, ``read`` and ``channel``, -2**31 for ``x`` and
        ``y``, 255 for ``filtered``, 2**32-1 for ``zmw``, NaT for ``start_time``, empty text).
    max_errors : int, optional
        Skip so many at most; the next one is raised.
    arena : memory.Arena, optional
        Where the columns are counted, and which they must fit.
    simd : str, optional
        The kernels to use, of ``show_config("dict")["simd_variants"]``; the best by default. All
        give the same bits.

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
        A source could not be opened or read; `BadGzipError` is a kind, and of remote sources
        `SourceUnavailableError`, `TimedOutError`, `SourceChangedError` and `CircuitOpenError`.
    InvalidCoordinateError
        Places given as `layout` are infinite, or not as many, or not of that shape.
    MemoryLimitError
        The columns would pass `memory_limit`, or all results of the process their limit (see
        `memory.set_limit`); ``context["reads"]`` is the number that fitted.
    ArenaFullError
        The columns do not fit `arena`.
    NotImplementedError
        An argument asks for what this version does not do.
    TypeError, ValueError
        An argument makes no sense; the message names it.
    ImportError
        ``progress=True`` without tqdm, or a URL without the extra ``remote``.

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

    One bad record stops the reading, and the error says where it is:

    >>> try:
    ...     gv.read_fastq(b"@r1\nACGT\n+\nIII\n")
    ... except gv.errors.FastqFormatError as error:
    ...     print(error.code, error.line, error.field)
    QUALITY_MISMATCH 4 quality
    """
    with FastqReader(*args, **options) as reader:
        return reader.read()


@_takes_arguments_of(FastqReader)
def scan_fastq(*args: Any, **options: Any) -> FastqReader:
    """Open FASTQ to go through it in batches, in constant memory.

    Parameters
    ----------
    source, layout, min_quality, min_error_quality, columns, limit, threads, progress, on_error, \
memory_limit, storage_options, encoding, alphabet, max_record_bytes, unplaced, max_errors, arena, \
simd
        As for `read_fastq`; ``memory_limit`` bounds each batch.

    Returns
    -------
    FastqReader
        Not yet read from. Use it in a ``with`` statement, so that what it opens is closed.

    Raises
    ------
    TypeError, ValueError, NotImplementedError, ImportError
        As `read_fastq` for its arguments; what is wrong with a source shows when it is read.

    Examples
    --------
    >>> import genomevedic as gv
    >>> with gv.scan_fastq(gv.datasets.flowcell_sample(), columns=["gc"]) as reader:
    ...     sizes = [len(batch) for batch in reader.batches(batch_size=1000)]
    >>> sum(sizes) == reader.stats.kept
    True
    """
    return FastqReader(*args, **options)


# ---------------------------------------------------------------------------------------------
# Arguments
# ---------------------------------------------------------------------------------------------


def _most(rows: int | None, limit: int | None) -> int:
    return min(2**62 if rows is None else rows, 2**62 if limit is None else limit)


def _is_strict(unplaced: str | None, wish: Layout | None) -> bool:
    """Return whether a record without a place is an error."""
    if unplaced is None:
        return wish is not None and wish.name in NAMED
    return check_choice("unplaced", unplaced, ("raise", "nan")) == "raise"


def _sources_of(source: Any, storage_options: dict[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    given = as_list(source)
    if storage_options is not None and not any(is_remote(each) for each in given):
        raise ValueError("storage_options= is for remote sources, and there is none among these")
    return tuple(label(each, storage_options) for each in given)


def _check_alphabet(alphabet: str | None) -> str:
    return "any" if alphabet is None else check_choice("alphabet", alphabet, ("dna", "iupac"))


def _check_arena(arena: Arena | None) -> _core.Arena | None:
    if arena is None:
        return None
    if not isinstance(arena, Arena):
        raise TypeError(f"arena must be a memory.Arena, and is {arena!r}")
    return arena._open


def _check_simd(simd: str | None) -> str | None:
    if simd is None:
        return None
    return check_choice("simd", simd, _core.config()["simd_variants"])


def _bytes(name: str, size: int | str) -> int:
    """Return a number of bytes that the core can hold; it judges what is too small or too large."""
    return min(parse_size(size, name), sys.maxsize)


# ---------------------------------------------------------------------------------------------
# Progress
# ---------------------------------------------------------------------------------------------


def _is_progress_wanted(progress: Any) -> bool:
    if progress is None or (isinstance(progress, int) and progress == 0):  # False is 0, too.
        return False
    if progress is True or callable(progress):
        return True
    raise TypeError(f"progress must be True, False or a function, and is {progress!r}")


class _Progress:
    """Tells how many bytes of all sources were read: to a bar, to a function, or to nobody."""

    def __init__(self, wanted: Progress, sources: tuple[tuple[str, Any], ...]) -> None:
        self.is_wanted = _is_progress_wanted(wanted)
        self._bar: Any = None
        self._tell: Callable[[int, int | None], object] | None = None
        self._sizes: list[int | None] = []
        if not self.is_wanted:
            return
        self._sizes = [size_of(source) for _, source in sources]
        known = [size for size in self._sizes if size is not None]
        self._total = sum(known) if len(known) == len(sources) else None
        if callable(wanted):
            self._tell = wanted
            return
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError(
                'progress=True needs tqdm; install it with: pip install "genomevedic[progress]"'
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
