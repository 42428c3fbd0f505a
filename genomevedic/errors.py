"""The errors that genomevedic raises: each says what went wrong, where, and how bad it is.

Every error is a `GenomeVedicError` and also the builtin error that fits, so that code which
knows nothing of genomevedic still catches what it expects: a malformed record is a `ValueError`,
a file cut short an `EOFError`, a full memory a `MemoryError`, a file that cannot be read an
`OSError`.

    GenomeVedicError
      FastqFormatError          ValueError         a record breaks the format
        QualityMismatchError                       as many qualities as bases are needed
        TruncatedFileError      EOFError           the input ends inside a record or gzip member
        RecordTooLongError                         longer than ``max_record_bytes``
      NoCoordinatesError        ValueError         a read, or all of them, has no place
      OutOfBoundsError          ValueError         a place outside the layout's parameters
      InvalidCoordinateError    ValueError         places given that are none
      MemoryAllocationError     MemoryError        the system has no more memory
        MemoryLimitError                           ``memory_limit`` or the process's would be passed
        ArenaFullError                             the capacity of an arena would be passed
      ArenaInUseError         BufferError        an arena cannot be reset while results are alive
      SourceReadError           OSError            opening or reading failed; keeps ``errno``
        SourceNotFoundError     FileNotFoundError
        SourcePermissionError   PermissionError
        BadGzipError                               damaged gzip data
        SourceUnavailableError ConnectionError     a server or the line to it failed
        SourceChangedError                         it is another object than the one begun
        TimedOutError         TimeoutError         nothing came in time, or a deadline passed
        CircuitOpenError                           it failed so often that it is left alone
        ReadCancelledError    InterruptedError     it was closed while somebody waited for it
        SystemResourceError                        no thread or descriptor is left for it
      RenderingError          RuntimeError       nothing to draw with: no window, no WebGL
        ShaderError                                the graphics driver refuses a shader
        TextureError                               an image is larger than a texture can be
"""

from __future__ import annotations

import errno as _errno
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Self

__all__ = [
    "ArenaFullError",
    "ArenaInUseError",
    "BadGzipError",
    "CircuitOpenError",
    "ErrorCode",
    "ErrorLog",
    "FastqFormatError",
    "GenomeVedicError",
    "InvalidCoordinateError",
    "MemoryAllocationError",
    "MemoryLimitError",
    "MissingEndBlockWarning",
    "NoCoordinatesError",
    "OutOfBoundsError",
    "QualityMismatchError",
    "ReadCancelledError",
    "RecordTooLongError",
    "RenderingError",
    "Severity",
    "ShaderError",
    "SkippedWarning",
    "SourceChangedError",
    "SourceNotFoundError",
    "SourcePermissionError",
    "SourceReadError",
    "SourceUnavailableError",
    "SystemResourceError",
    "TextureError",
    "TimedOutError",
    "TruncatedFileError",
    "UnplacedWarning",
    "on",
]


class ErrorCode(StrEnum):
    """What went wrong, as a word that programs can compare.

    ``GENERAL`` is the code of a plain `GenomeVedicError`; every kind of error has another.
    """

    GENERAL = "GENERAL"
    INVALID_FASTQ = "INVALID_FASTQ"
    QUALITY_MISMATCH = "QUALITY_MISMATCH"
    TRUNCATED = "TRUNCATED"
    FILE_READ = "FILE_READ"
    MEMORY_ALLOCATION = "MEMORY_ALLOCATION"
    MEMORY_EXHAUSTED = "MEMORY_EXHAUSTED"
    ARENA_FULL = "ARENA_FULL"
    ARENA_IN_USE = "ARENA_IN_USE"
    INVALID_COORDINATE = "INVALID_COORDINATE"
    NO_COORDINATES = "NO_COORDINATES"
    OUT_OF_BOUNDS = "OUT_OF_BOUNDS"
    SYSTEM_RESOURCE = "SYSTEM_RESOURCE"
    TIMEOUT = "TIMEOUT"
    CANCELLED = "CANCELLED"
    SOURCE_CHANGED = "SOURCE_CHANGED"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    RENDER_CONTEXT = "RENDER_CONTEXT"
    SHADER = "SHADER"
    TEXTURE = "TEXTURE"


class Severity(IntEnum):
    """How bad it is; severities compare by order."""

    INFO = 10
    WARNING = 20
    ERROR = 30
    CRITICAL = 40


class GenomeVedicError(Exception):
    r"""Base of every error that genomevedic raises.

    Parameters
    ----------
    message : str
        One sentence for a person.
    **context
        Everything known about the fault, by name; becomes `context`.

    Attributes
    ----------
    code : ErrorCode
        What went wrong, for programs.
    severity : Severity
        How bad it is.
    recoverable : bool
        Whether trying again, perhaps with other arguments, can help without another file.
    context : Mapping
        Read-only: what is known of the fault, such as ``path``, ``line``, ``record``, ``offset``.
    timestamp : datetime
        When it was raised, in UTC.

    Examples
    --------
    >>> import genomevedic as gv
    >>> try:
    ...     gv.read_fastq(b"@r1\nACGT\n+\nII!\n")
    ... except gv.errors.GenomeVedicError as error:
    ...     print(error.code, error.severity.name, error.context["line"])
    QUALITY_MISMATCH ERROR 4
    """

    code: ErrorCode = ErrorCode.GENERAL
    severity: Severity = Severity.ERROR
    recoverable: bool = False

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context: Mapping[str, Any] = MappingProxyType(context)
        self.timestamp = datetime.now(UTC)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        made = (type(self), self.message, dict(self.context), self.timestamp)
        return (
            _restore,
            made,
            {"__notes__": [*self.__notes__]} if hasattr(self, "__notes__") else {},
        )


class _InputError(GenomeVedicError):
    """A fault at a place in the input."""

    @property
    def path(self) -> str | None:
        """The file, or words for a source that has no name."""
        return self.context.get("path")

    @property
    def line(self) -> int | None:
        """The line, counted from 1 in the decompressed text; None where it is in no record."""
        return self.context.get("line")

    @property
    def record(self) -> int | None:
        """The record, counted from 1 within its source; None where it is in none."""
        return self.context.get("record")

    @property
    def offset(self) -> int | None:
        """The byte, counted from 0 in the decompressed text; None where unknown."""
        return self.context.get("offset")

    @property
    def field(self) -> str | None:
        """What is at fault; None where that cannot be said.

        Of a record ``"header"``, ``"sequence"``, ``"separator"`` or ``"quality"``; of a gzip file
        ``"gzip header"``, ``"compressed data"``, ``"checksum"``, ``"length"``,
        ``"BGZF block size"`` or ``"trailing bytes"``.
        """
        return self.context.get("field")


class FastqFormatError(_InputError, ValueError):
    """A record breaks the FASTQ format."""

    code = ErrorCode.INVALID_FASTQ


class QualityMismatchError(FastqFormatError):
    """A quality line is not as long as its sequence."""

    code = ErrorCode.QUALITY_MISMATCH


class TruncatedFileError(FastqFormatError, EOFError):
    """The input ends inside a record, or inside a gzip member."""

    code = ErrorCode.TRUNCATED


class RecordTooLongError(FastqFormatError):
    """A record is longer than ``max_record_bytes``, or a read has 2**32 bases or more."""

    recoverable = True


class NoCoordinatesError(_InputError, ValueError):
    """A read has no place in the layout, or the names of a whole file hold none.

    Of a whole file ``context["name"]`` is the first name seen and ``context["layout"]`` the layout
    asked for.
    """

    code = ErrorCode.NO_COORDINATES
    recoverable = True


class OutOfBoundsError(_InputError, ValueError):
    """A place lies outside a layout's parameters, such as a channel that a model does not have."""

    code = ErrorCode.OUT_OF_BOUNDS
    recoverable = True


class InvalidCoordinateError(GenomeVedicError, ValueError):
    """Places that the caller gives are no places: of another shape or number, or infinite."""

    code = ErrorCode.INVALID_COORDINATE


class MemoryAllocationError(_InputError, MemoryError):
    """The system has no more memory to give."""

    code = ErrorCode.MEMORY_ALLOCATION
    severity = Severity.CRITICAL


class MemoryLimitError(MemoryAllocationError):
    """The columns would pass ``memory_limit``, or all results the limit of the process.

    ``context["reads"]`` says how many reads fitted, ``context["limit"]`` the bytes there may be.
    """

    code = ErrorCode.MEMORY_EXHAUSTED
    severity = Severity.ERROR
    recoverable = True


class ArenaFullError(MemoryAllocationError):
    """The capacity of an arena would be passed; ``context`` as of `MemoryLimitError`."""

    code = ErrorCode.ARENA_FULL
    severity = Severity.ERROR
    recoverable = True


class ArenaInUseError(GenomeVedicError, BufferError):
    """An arena cannot be reset while results are alive in it."""

    code = ErrorCode.ARENA_IN_USE
    recoverable = True


class SourceReadError(_InputError, OSError):
    """A source could not be opened or read.

    As any `OSError` it has ``errno`` and ``strerror``, None where the system gave no reason, and
    ``filename``.
    """

    code = ErrorCode.FILE_READ

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message, **context)
        self.errno = context.get("errno")
        self.filename = context.get("path")

    @property
    def strerror(self) -> str | None:  # type: ignore[override]
        """The system's words for ``errno``."""
        return None if self.errno is None else os.strerror(self.errno)

    def __reduce__(self) -> tuple[Any, ...]:
        # The number of an error that a file object raised is not in the context.
        restore, made, state = super().__reduce__()
        return restore, made, {**state, "errno": self.errno}


class SourceNotFoundError(SourceReadError, FileNotFoundError):
    """There is no file at the path given."""


class SourcePermissionError(SourceReadError, PermissionError):
    """The file may not be read by this user."""


class BadGzipError(SourceReadError):
    """The gzip data are damaged: a header, the compressed bytes, a checksum or a length."""


class _PassingError(SourceReadError):
    """A fault that may be gone when the same is tried again."""

    recoverable = True

    @property
    def retry_after(self) -> float | None:
        """Seconds after which trying again makes sense; None where nobody has said so."""
        return self.context.get("retry_after")


class SourceUnavailableError(_PassingError, ConnectionError):
    """A server, or the line to it, failed in a way that may pass.

    ``context["status"]`` is the HTTP status where the server gave one.
    """


class TimedOutError(_PassingError, TimeoutError):
    """Nothing came for the idle timeout, or the deadline for the whole has passed."""

    code = ErrorCode.TIMEOUT


class CircuitOpenError(_PassingError):
    """It failed so often in a row that it is left alone for a while; nothing was asked of it.

    ``retry_after`` says for how many seconds.
    """

    code = ErrorCode.CIRCUIT_OPEN


class ReadCancelledError(SourceReadError, InterruptedError):
    """The source was closed while somebody waited for its bytes."""

    code = ErrorCode.CANCELLED
    severity = Severity.INFO
    recoverable = True


class SourceChangedError(SourceReadError):
    """The object is another than the one whose beginning was read.

    Reading on would mix two versions. Reading again from the beginning can help.
    """

    code = ErrorCode.SOURCE_CHANGED
    recoverable = True


class SystemResourceError(SourceReadError):
    """The system has no thread, descriptor or socket left to give for a source."""

    code = ErrorCode.SYSTEM_RESOURCE
    severity = Severity.CRITICAL
    recoverable = True


class RenderingError(GenomeVedicError, RuntimeError):
    """A viewer has nothing to draw with: no display, no OpenGL or WebGL context.

    ``context["viewer"]`` names it.
    """

    code = ErrorCode.RENDER_CONTEXT
    recoverable = True


class ShaderError(RenderingError):
    """A shader of a viewer does not compile or link with this graphics driver."""

    code = ErrorCode.SHADER


class TextureError(RenderingError):
    """An image is larger than the textures that the graphics driver holds."""

    code = ErrorCode.TEXTURE


class MissingEndBlockWarning(UserWarning):
    """A BGZF file ends without its end block: it may have been cut between two blocks."""


class SkippedWarning(UserWarning):
    """Records could not be read and were skipped, as ``on_error`` said."""


class UnplacedWarning(UserWarning):
    """Some particles have no place (NaN): their records do not carry one."""


# Handlers in force, the latest last. A context variable: what one thread or task sets up is nothing
# to the others.
_Handler = Callable[[GenomeVedicError], "str | None"]
_handlers: ContextVar[tuple[tuple[ErrorCode, _Handler], ...]] = ContextVar(
    "genomevedic_handlers", default=()
)


class on:
    r"""Have a function called when a reader meets an error of one kind.

    Parameters
    ----------
    code : ErrorCode or str
        Of the errors it is for.
    handler : function
        Called with the error. What it returns says what becomes of it: ``"retry"`` for a refusal of
        memory, after freeing some (tried again as long as that lets the reader get on);
        ``"skip"`` or ``"raise"`` for a record at fault; None leaves it to the handler set up
        before, and in the end to the reader's ``on_error``.

    Notes
    -----
    It is in force in this thread or asyncio task, until `off` is called or the ``with`` block ends.

    Raises
    ------
    ValueError
        There is no such code.
    TypeError
        The handler cannot be called.

    Examples
    --------
    >>> import genomevedic as gv
    >>> seen = []
    >>> with gv.errors.on("QUALITY_MISMATCH", lambda error: seen.append(error.line)):
    ...     try:
    ...         gv.read_fastq(b"@r1\nACGT\n+\nII!\n")
    ...     except gv.errors.QualityMismatchError:
    ...         seen
    [4]
    """

    def __init__(self, code: ErrorCode | str, handler: _Handler) -> None:
        if not callable(handler):
            raise TypeError("a handler is a function of the error")
        self._entry = (ErrorCode(code), handler)
        _handlers.set((*_handlers.get(), self._entry))

    def off(self) -> None:
        """Put the handler out of force; harmless when called again."""
        _handlers.set(tuple(each for each in _handlers.get() if each is not self._entry))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.off()


def handle(error: GenomeVedicError) -> str | None:
    """Ask the handlers of an error's code, the latest first; the first answer that is not None."""
    for code, handler in reversed(_handlers.get()):
        if code == error.code:
            answer = handler(error)
            if answer is not None:
                return answer
    return None


class ErrorLog:
    r"""What went wrong and was passed over: counted whole, kept in part.

    Its length is the number of errors; going through it gives those that are kept.

    Parameters
    ----------
    keep : int, default 10
        Errors kept in full from the beginning, and as many from the end; at least 1.

    Attributes
    ----------
    counts : dict of ErrorCode to int
        Errors by code.
    highest_severity : Severity or None
        Of all errors; None where there is none.
    first, last : tuple of GenomeVedicError
        The first and the last ones; an error is in one of them at most.

    Raises
    ------
    ValueError
        `keep` is less than 1.

    Examples
    --------
    >>> import genomevedic as gv, warnings
    >>> fastq = b"@a\nAC\n+\nI\n@b\nAC\n+\nII\n"
    >>> with warnings.catch_warnings(), gv.scan_fastq(fastq, on_error="skip") as reader:
    ...     warnings.simplefilter("ignore")
    ...     reads = len(reader.read())
    >>> reads, len(reader.errors), reader.errors.first[0].line
    (1, 1, 4)
    """

    def __init__(self, keep: int = 10) -> None:
        if keep < 1:
            raise ValueError(f"keep must be at least 1, and is {keep}")
        self._keep = keep
        self._first: list[GenomeVedicError] = []
        self._last: deque[GenomeVedicError] = deque(maxlen=keep)
        self.counts: dict[ErrorCode, int] = {}
        self.highest_severity: Severity | None = None

    def add(self, error: GenomeVedicError) -> None:
        """Count an error, and keep it if it is among the first or the last."""
        self.counts[error.code] = self.counts.get(error.code, 0) + 1
        if self.highest_severity is None or error.severity > self.highest_severity:
            self.highest_severity = error.severity
        # Frames would keep what was read alive.
        error.__traceback__ = None
        (self._first if len(self._first) < self._keep else self._last).append(error)

    @property
    def first(self) -> tuple[GenomeVedicError, ...]:
        """The first errors, in their order."""
        return tuple(self._first)

    @property
    def last(self) -> tuple[GenomeVedicError, ...]:
        """The last errors that are not among the first, in their order."""
        return tuple(self._last)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[GenomeVedicError]:
        return iter((*self._first, *self._last))

    def __repr__(self) -> str:
        counted = ", ".join(f"{code} {count:,}" for code, count in self.counts.items())
        return f"<ErrorLog: {counted or 'no errors'}>"

    def raise_if_any(self) -> None:
        """Raise the errors that are kept, as one group.

        Raises
        ------
        ExceptionGroup
            There are errors. Its message counts them all.
        """
        if self.counts:
            raise ExceptionGroup(f"{len(self):,} records were skipped", list(self))


_CLASS_OF_ERRNO = {
    _errno.ENOENT: SourceNotFoundError,
    _errno.ENOTDIR: SourceNotFoundError,
    _errno.EACCES: SourcePermissionError,
    _errno.EPERM: SourcePermissionError,
    _errno.EMFILE: SystemResourceError,
    _errno.ENFILE: SystemResourceError,
}


_PACKAGE = os.path.join(os.path.dirname(__file__), "")  # noqa: PTH118, PTH120


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn of something at the line of the user's that led to it, however deep we are in."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _make(name: str, message: str, context: dict[str, Any]) -> GenomeVedicError:
    """Make the error that the core asks for by the name of its class."""
    kind: type[GenomeVedicError] = globals()[name]
    if kind is SourceReadError:
        kind = _CLASS_OF_ERRNO.get(context.get("errno", 0), SourceReadError)
    return kind(message, **context)


def error_of_system(error: OSError) -> SourceReadError:
    """Return an error of the system's as one of ours, of the kind that fits its number."""
    path = str(error.filename)
    kind = _CLASS_OF_ERRNO.get(error.errno or 0, SourceReadError)
    return kind(f"{path}: {error.strerror}.", path=path, errno=error.errno)


def _restore(
    kind: type[GenomeVedicError], message: str, context: dict[str, Any], timestamp: datetime
) -> GenomeVedicError:
    """Make an error again from what pickling kept of it."""
    error = kind(message, **context)
    error.timestamp = timestamp
    return error
