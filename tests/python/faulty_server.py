"""An HTTP server on a loopback socket that does what real ones do on bad days.

A path is served by a function from a request to a `Reply`. A reply says what is sent, after how
many bytes of it the server stops, and whether it then closes the line, resets it, or says nothing.
`honest` answers as a good server would; the faults are made of its replies.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

LINGER_NONE = struct.pack("ii", 1, 0)


@dataclass
class Request:
    """What was asked, and as the how-manieth of this path, from 0."""

    path: str
    headers: dict[str, str]
    number: int

    @property
    def start(self) -> int | None:
        """The first byte that a Range asks for; None without one."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(match[1]) if match else None


@dataclass
class Reply:
    """What the server does.

    `stop_after` counts bytes of the body; None sends all. `then` is "close", "reset", "stall" or
    "keep": leave the line open as if more could come. `head_stop_after` counts bytes of the head.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stop_after: int | None = None
    then: str = "close"
    head_stop_after: int | None = None

    def but(self, **changes: Any) -> Reply:
        return dataclasses.replace(self, **changes)

    def with_headers(self, **headers: str | None) -> Reply:
        """Return the same with headers set, or left out where None; '_' is written for '-'."""
        made = dict(self.headers)
        for name, value in headers.items():
            name = name.replace("_", "-")
            made.pop(name, None)
            if value is not None:
                made[name] = value
        return self.but(headers=made)


@dataclass(frozen=True)
class Thing:
    """An object to be served: its bytes and what headers say of them."""

    body: bytes
    etag: str | None = None
    modified: float | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def describe(self) -> dict[str, str]:
        found = dict(self.headers)
        if self.etag is not None:
            found["ETag"] = self.etag
        if self.modified is not None:
            found["Last-Modified"] = formatdate(self.modified, usegmt=True)
        return found

    def is_meant_by(self, condition: str | None) -> bool:
        """Whether an If-Range is fulfilled; weak tags never are (RFC 9110, 13.1.5)."""
        if condition is None:
            return True
        if condition.startswith('"'):
            return condition == self.etag
        return condition == self.describe().get("Last-Modified")


def honest(thing: Thing, request: Request, *, knows_ranges: bool = True) -> Reply:
    """Answer as a sound server does."""
    size, start = len(thing.body), request.start
    headers = {"Date": formatdate(usegmt=True), **thing.describe()}
    if knows_ranges:
        headers["Accept-Ranges"] = "bytes"
    if start is None or not knows_ranges or not thing.is_meant_by(request.headers.get("if-range")):
        return Reply(200, {**headers, "Content-Length": str(size)}, thing.body)
    if start >= size:
        return Reply(416, {**headers, "Content-Range": f"bytes */{size}", "Content-Length": "0"})
    part = thing.body[start:]
    where = f"bytes {start}-{size - 1}/{size}"
    return Reply(206, {**headers, "Content-Range": where, "Content-Length": str(len(part))}, part)


Handler = Callable[[Request], Reply]


class FaultyServer:
    """Serves paths on a loopback socket, each connection in a thread of its own.

    Attributes
    ----------
    log : list of Request
        All requests, in order.
    sent : dict
        Bytes of bodies sent, by path.
    """

    def __init__(
        self,
        address: str = "127.0.0.1",
        *,
        keeps_log: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._keeps_log = keeps_log
        self._tls = tls
        self._listener = socket.create_server((address, 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{address}:{self.port}"
        self.log: list[Request] = []
        self.sent: dict[str, int] = {}
        self._handlers: dict[str, Handler] = {}
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_over = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def serve(self, path: str, what: Handler | Thing) -> str:
        """Serve a path by a function, or an object honestly; return its URL."""
        handler = what if callable(what) else lambda request: honest(what, request)
        with self._lock:
            self._handlers[path] = handler
            self._counts[path] = 0
            self.sent[path] = 0
        return self.url + path

    def forget(self, path: str) -> None:
        with self._lock:
            for each in (self._handlers, self._counts, self.sent):
                each.pop(path, None)
            self.log = [request for request in self.log if request.path != path]

    def requests(self, path: str) -> list[Request]:
        with self._lock:
            return [request for request in self.log if request.path == path]

    def close(self) -> None:
        self._is_over.set()
        with self._lock:
            lines = [self._listener, *self._open]
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(10)
        for thread in list(self._threads):
            thread.join(10)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._is_over.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve_line, args=(line,), daemon=True)
            with self._lock:
                self._open.add(line)
                self._threads.add(thread)
            thread.start()

    def _serve_line(self, raw: socket.socket) -> None:
        line = raw
        try:
            if self._tls is not None:
                line = self._tls.wrap_socket(raw, server_side=True)
            request = self._receive(line)
            if request is not None:
                self._send(line, request, self._handlers[request.path](request))
        except OSError:
            pass  # The client has gone.
        finally:
            with self._lock:
                self._open.discard(raw)
                self._threads.discard(threading.current_thread())
            line.close()

    def _receive(self, line: socket.socket) -> Request | None:
        head = b""
        while b"\r\n\r\n" not in head:
            block = line.recv(65536)
            if not block:
                return None
            head += block
        first, *lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        pairs = (each.partition(":") for each in lines)
        path = first.split()[1].partition("?")[0]
        with self._lock:
            if path not in self._handlers:
                self._handlers[path] = lambda request: Reply(404, {"Content-Length": "0"})
            request = Request(
                path,
                {name.strip().lower(): value.strip() for name, _, value in pairs},
                self._counts.setdefault(path, 0),
            )
            self._counts[path] += 1
            if self._keeps_log:
                self.log.append(request)
        return request

    def _send(self, line: socket.socket, request: Request, reply: Reply) -> None:
        headers = {"Connection": "close", **reply.headers}
        head = [f"HTTP/1.1 {reply.status} Whatever"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        body = reply.body if reply.stop_after is None else reply.body[: reply.stop_after]
        with self._lock:
            self.sent[request.path] = self.sent.get(request.path, 0) + len(body)
        text = "\r\n".join([*head, "", ""]).encode("latin-1")
        if reply.head_stop_after is not None:
            text, body = text[: reply.head_stop_after], b""
        line.sendall(text + body)
        if reply.then == "reset":
            # What is on its way arrives before the reset does, as after a crash of the server.
            self._wait_for_reader(line)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        elif reply.then in ("stall", "keep"):
            line.recv(1)  # Until the client gives up.
        else:
            line.shutdown(socket.SHUT_WR)
            line.settimeout(5)
            line.recv(1)  # Until the client has read all: a close before that would be a reset.

    def _wait_for_reader(self, line: socket.socket) -> None:
        line.settimeout(0.005)
        with contextlib.suppress(TimeoutError):
            line.recv(1)
