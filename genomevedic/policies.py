"""What becomes of records that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal, TypeAlias

from .arguments import check_integer
from .errors import (
    ErrorLog,
    FastqFormatError,
    GenomeVedicError,
    MemoryAllocationError,
    NoCoordinatesError,
    OutOfBoundsError,
    SkippedWarning,
    TruncatedFileError,
    handle,
    warn_user,
)

__all__ = ["Answer", "ErrorPolicy", "OnError"]

OnError: TypeAlias = (
    "Literal['raise', 'skip'] | Callable[[GenomeVedicError], Literal['raise', 'skip']]"
)

Answer: TypeAlias = Literal["raise", "skip", "retry"]

# Faults of one record, behind which the next may be sound.
_OF_RECORDS = (FastqFormatError, NoCoordinatesError, OutOfBoundsError)


class ErrorPolicy:
    """Decides for a reader what becomes of a record at fault, and keeps account of it.

    Parameters
    ----------
    on_error : {"raise", "skip"} or function
        See `read_fastq`.
    max_errors : int, optional
        Records skipped at most.

    Attributes
    ----------
    log : ErrorLog
        What was skipped.
    """

    def __init__(self, on_error: OnError, max_errors: int | None) -> None:
        given: object = on_error
        if not callable(given) and given not in ("raise", "skip"):
            kind = ValueError if isinstance(given, str) else TypeError
            raise kind(f"on_error must be 'raise', 'skip' or a function, and is {given!r}")
        self._on_error = on_error
        self._most = None if max_errors is None else check_integer("max_errors", max_errors)
        self.log = ErrorLog()
        self._refused_at: object = None
        self._warned = 0

    def answer(self, error: GenomeVedicError, at: object) -> Answer:
        """Return what becomes of an error.

        Parameters
        ----------
        error : GenomeVedicError
            As the reader met it.
        at : object
            How far reading has come: equal to what it was where trying again has not helped.

        Returns
        -------
        {"raise", "skip", "retry"}

        Raises
        ------
        ValueError
            A handler, or the function that is `on_error`, answers something else.
        """
        if isinstance(error, MemoryAllocationError):
            return self._answer_refusal(error, at)
        is_of_record = isinstance(error, _OF_RECORDS) and error.record is not None
        if not is_of_record or isinstance(error, TruncatedFileError):
            handle(error)
            return "raise"
        return "skip" if self._is_skipped(error) else "raise"

    def _answer_refusal(self, error: MemoryAllocationError, at: object) -> Answer:
        has_helped, self._refused_at = at != self._refused_at, at
        answer = handle(error) if has_helped else "raise"
        if answer not in (None, "raise", "retry"):
            raise ValueError(
                f"a refusal of memory is answered by 'raise' or 'retry', not {answer!r}"
            )
        return "retry" if answer == "retry" else "raise"

    def _is_skipped(self, error: GenomeVedicError) -> bool:
        answer: object = handle(error)
        if answer is None:
            answer = self._on_error(error) if callable(self._on_error) else self._on_error
        if answer not in ("raise", "skip"):
            raise ValueError(f"a record at fault is answered by 'raise' or 'skip', not {answer!r}")
        if answer == "skip" and self._most is not None and len(self.log) >= self._most:
            error.add_note(
                f"{len(self.log):,} records were skipped before it, as max_errors allows"
            )
            return False
        return answer == "skip"

    def note(self, error: GenomeVedicError, offset: int, line: int) -> None:
        """Keep account of an error whose record was passed over, and where reading goes on."""
        resumed = {"resumed_offset": offset, "resumed_line": line}
        error.context = MappingProxyType({**error.context, **resumed})
        self.log.add(error)

    def warn(self, path: str) -> None:
        """Say what was skipped since this was last called, if anything."""
        count = len(self.log)
        if count == self._warned:
            return
        self._warned = count
        kinds = ", ".join(f"{code} {number:,}" for code, number in self.log.counts.items())
        first = self.log.first[0]
        warn_user(
            f"{path}: {count:,} records were skipped ({kinds}); the first: {first.message}",
            SkippedWarning,
        )
