"""The line to a server: in use by one thread, cut by another."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..errors import SourceUnavailableError

__all__ = ["Line", "WrongLengthError"]


class WrongLengthError(SourceUnavailableError):
    """An answer goes on behind the length that it said."""


class Line:
    """The line in use by the thread that fetches, which another thread can cut.

    The timeout of a socket begins anew with each byte, also of a head or a chunk's length that
    comes byte by byte and never ends. So whoever waits for the bytes looks now and then whether the
    next of them are overdue.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Under the lock. _until is set while something is expected; _is_overdue only then.
        self._socket: socket.socket | None = None
        self._until: float | None = None
        self._is_overdue = False
        self.is_cut = False

    def use(self, line: socket.socket | None) -> None:
        """Say which socket is in use."""
        with self._lock:
            self._socket = line
            if self.is_cut and line is not None:
                _shut(line)

    def cut(self) -> None:
        """End what is under way; whoever waits for bytes is woken."""
        with self._lock:
            self.is_cut = True
            if self._socket is not None:
                _shut(self._socket)

    def drop(self) -> None:
        """End what is under way; another line may be used after it."""
        with self._lock:
            if self._socket is not None:
                _shut(self._socket)

    @contextmanager
    def expecting(self, seconds: float) -> Iterator[None]:
        """Have what is done in the block end after so many seconds, at another thread's `look`.

        Raises
        ------
        TimeoutError
            It was ended so.
        """
        with self._lock:
            self._until, self._is_overdue = time.monotonic() + seconds, False
        words = f"for {seconds:g} seconds it sent nothing that is whole"
        try:
            yield
        except Exception:
            if self._was_overdue():
                raise TimeoutError(words) from None
            raise
        if self._was_overdue():
            raise TimeoutError(words)

    def _was_overdue(self) -> bool:
        with self._lock:
            self._until = None
            return self._is_overdue

    def look(self) -> None:
        """End what is under way if it is overdue."""
        with self._lock:
            if self._until is not None and time.monotonic() > self._until:
                self._is_overdue = True
                if self._socket is not None:
                    _shut(self._socket)

    def set_timeout(self, seconds: float) -> None:
        """Set how long to wait for the next bytes."""
        if self._socket is not None:
            self._socket.settimeout(seconds)


def _shut(line: socket.socket) -> None:
    # Of a TLS socket, too, the one below: its own method takes its state from under a reader.
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
