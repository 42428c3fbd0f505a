"""The line to a server: in use by one thread, cut by another."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from ..errors import SourceUnavailableError

__all__ = ["Line", "WrongLengthError"]


class WrongLengthError(SourceUnavailableError):
    """An answer goes on behind the length that it said."""


class Line:
    """The line in use by the thread that fetches, which another thread can cut."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
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

    def set_timeout(self, seconds: float) -> None:
        """Set how long to wait for the next bytes."""
        if self._socket is not None:
            self._socket.settimeout(seconds)


def _shut(line: socket.socket) -> None:
    # Of a TLS socket, too, the one below: its own method takes its state from under a reader.
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
