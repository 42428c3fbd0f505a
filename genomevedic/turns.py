"""What serves one thread at a time, and tells the others instead of letting them wait."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import TypeVar

__all__ = ["Turn", "Turns"]

_Item = TypeVar("_Item")


class Turn:
    """Held by one thread, which may take it several times; to others it raises a RuntimeError.

    Parameters
    ----------
    words : str
        Of the error.
    """

    def __init__(self, words: str) -> None:
        self._words = words
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(self._words)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()


class Turns(Iterator[_Item]):
    """What a generator yields, each step in a turn.

    A thread that is not in turn is told so, and the generator does not notice. Without an
    interpreter lock, two threads in one generator end the process.
    """

    def __init__(self, turn: Turn, generator: Generator[_Item, None, None]) -> None:
        self._turn = turn
        self._generator = generator

    def __next__(self) -> _Item:
        with self._turn:
            return next(self._generator)

    def close(self) -> None:
        """End the generator where it stands; harmless when repeated."""
        with self._turn:
            self._generator.close()
