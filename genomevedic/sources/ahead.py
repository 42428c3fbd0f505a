"""Bytes fetched ahead: one thread puts them in, another takes them out, and few are kept."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable

from ..errors import ReadCancelledError

__all__ = ["ReadAhead", "Stopped"]


# Seconds between two looks at signals.
_LOOK = 0.1


class Stopped(Exception):
    """Nobody wants the bytes any more."""


class ReadAhead:
    """A bounded queue of bytes, with a checksum of what was taken out of it.

    Bytes count as taken when they are in the buffer of whoever reads, and not before. What is
    held can be dropped and fetched again; what was taken cannot, and is known by its checksum.

    Parameters
    ----------
    label : str
        What messages call the source.
    limit : int
        Bytes held at most, one block more excepted.
    algorithms : sequence of str
        Further checksums of all that is taken, by the names of hashlib.
    """

    def __init__(self, label: str, limit: int, algorithms: tuple[str, ...] = ()) -> None:
        self._label = label
        self._limit = limit
        self._changed = threading.Condition()
        #: Set when the bytes are no longer wanted; waits in between are made on it.
        self.stopped = threading.Event()
        # Under the lock. Invariant: _held is the sum of the lengths of _blocks.
        self._blocks: deque[memoryview] = deque()
        self._held = 0
        self._taken = 0
        self._is_over = False
        self._error: BaseException | None = None
        self._sums = {
            name: hashlib.new(name, usedforsecurity=False) for name in {"sha256", *algorithms}
        }

    # -- The side that fetches ---------------------------------------------------------------

    @property
    def received(self) -> int:
        """Bytes taken, and bytes held: the place of the next one."""
        with self._changed:
            return self._taken + self._held

    def put(self, block: bytes) -> None:
        """Add a block, once there is room.

        Raises
        ------
        Stopped
            The bytes are no longer wanted.
        """
        with self._changed:
            while self._held >= self._limit and not self.stopped.is_set():
                self._changed.wait()
            if self.stopped.is_set():
                raise Stopped
            self._blocks.append(memoryview(block))
            self._held += len(block)
            self._changed.notify_all()

    def rewind(self) -> tuple[int, bytes]:
        """Drop what is held; return how many bytes were taken, and their SHA-256."""
        with self._changed:
            self._blocks.clear()
            self._held = 0
            return self._taken, self._sums["sha256"].digest()

    def finish(self, error: BaseException | None = None) -> None:
        """Say that no more comes; an error is raised behind the last byte held."""
        with self._changed:
            self._is_over = True
            self._error = error
            self._changed.notify_all()

    # -- The side that reads -----------------------------------------------------------------

    def take(self, view: memoryview, look: Callable[[], None]) -> int:
        """Fill a view, as far as bytes are there; waits for the first. 0: it is over.

        While it waits it calls `look` now and then.

        Raises
        ------
        ReadCancelledError
            It was stopped meanwhile.
        Exception
            What ended the fetching.
        """
        with self._changed:
            while not (self._blocks or self._is_over or self.stopped.is_set()):
                # Not for ever: Ctrl-C may have been told to another thread than this one.
                self._changed.wait(_LOOK)
                look()
            if self.stopped.is_set():
                raise ReadCancelledError(
                    f"{self._label}: the source was closed while it was read.", path=self._label
                )
            count = self._move(view)
            if count == 0 and self._error is not None:
                raise self._error
            return count

    def _move(self, view: memoryview) -> int:
        count = 0
        while self._blocks and count < len(view):
            block = self._blocks[0]
            size = min(len(block), len(view) - count)
            view[count : count + size] = block[:size]
            count += size
            if size == len(block):
                self._blocks.popleft()
            else:
                self._blocks[0] = block[size:]
        for each in self._sums.values():
            each.update(view[:count])
        self._taken += count
        self._held -= count
        self._changed.notify_all()
        return count

    def digests(self) -> dict[str, str]:
        """Return the checksums of what was taken, in hexadecimal digits."""
        with self._changed:
            return {name: each.hexdigest() for name, each in self._sums.items()}

    def stop(self) -> None:
        """Wake everybody: the bytes are no longer wanted."""
        with self._changed:
            self.stopped.set()
            self._blocks.clear()
            self._held = 0
            self._changed.notify_all()
