"""Answers that are none: cut within a line, dripping, or with numbers that cannot be."""

from __future__ import annotations

import gc
import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

import genomevedic as gv
from faulty_server import FaultyServer, Reply, Request, Thing, honest
from genomevedic.errors import SourceChangedError, SourceUnavailableError, TimedOutError
from genomevedic.sources import identity
from remote_support import OTHER, TAGGED, TEXT, fetch, options

ABSURD = "9" * 5000
NEVER = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"


# ---------------------------------------------------------------------------------------------
# Lines that were cut
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packing", ["plain", "gzip"])
def test_a_head_cut_at_every_byte(server: FaultyServer, path: str, packing: str) -> None:
    """Also one whose end would leave an answer without a length, or with a shorter one."""
    body = TEXT[:300] if packing == "plain" else gzip.compress(TEXT[:300], mtime=0)
    thing = Thing(body, etag='"one"')
    url = server.url + path
    size = 2 + len("HTTP/1.1 200 Whatever\r\nConnection: close\r\n")
    request = Request(path, {}, 0)
    size += sum(
        len(f"{name}: {value}\r\n") for name, value in honest(thing, request).headers.items()
    )
    for at in range(size):
        server.serve(
            path,
            lambda r, at=at: honest(thing, r).but(head_stop_after=None if r.number else at),
        )
        assert fetch(url, allow_unproven_end=True) == body, at
        assert len(server.requests(path)) == 2
        server.forget(path)


def chunked(*parts: bytes) -> bytes:
    """In chunks whose lengths begin with zeros, as those of some servers do."""
    return b"".join(b"%05x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


def test_chunks_cut_at_every_byte(server: FaultyServer, path: str) -> None:
    body = chunked(TEXT[:40], TEXT[40:60])
    url = server.url + path
    headers = {"Transfer-Encoding": "chunked"}
    for at in range(len(body) - len("\r\n\r\n")):
        server.serve(
            path,
            lambda r, at=at: Reply(200, headers, body, stop_after=None if r.number else at),
        )
        assert fetch(url) == TEXT[:60], at
        assert len(server.requests(path)) == 2
        server.forget(path)


def test_more_chunks_than_there_is_are_not_handed_on(server: FaultyServer, path: str) -> None:
    def handler(request: Request) -> Reply:
        reply = honest(TAGGED, request)
        if request.number == 0:
            return reply.but(stop_after=5000)
        body = chunked(TEXT[request.start :], b"@none\nA\n+\nI\n")
        return reply.with_headers(Content_Length=None, Transfer_Encoding="chunked").but(body=body)

    names: list[str] = []
    source = server.serve(path, handler)
    with (
        gv.scan_fastq(source, columns=["name"], storage_options=options()) as reader,
        pytest.raises(SourceChangedError, match="came"),
    ):
        for batch in reader.batches(1):
            names += batch["name"].tolist()
    assert 0 < len(names) <= 300
    assert "none" not in names


# ---------------------------------------------------------------------------------------------
# Bytes that drip
# ---------------------------------------------------------------------------------------------


@contextmanager
def dripping(begin: bytes, drop: bytes) -> Iterator[str]:
    """A server that sends a beginning, and then a byte every few hundredths of a second."""
    is_over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def drip(line: socket.socket) -> None:
        with line, suppress(OSError):
            line.recv(1 << 16)
            line.sendall(begin)
            while not is_over.wait(0.02):
                line.sendall(drop)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=drip, args=(listener.accept()[0],)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/r.fastq"
    finally:
        is_over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (acceptor, *threads):
            thread.join(10)


OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "status": (b"HTTP/1.1 200 ", b"O"),
    "head": (OK + b"X-What: ", b"a"),
    "chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
}


@pytest.mark.parametrize("where", DRIPS)
def test_what_drips_is_not_waited_for(where: str) -> None:
    """The timeout of a socket never comes; a line that has no end would be waited for for ever."""
    with dripping(*DRIPS[where]) as url:
        with pytest.raises(TimedOutError, match="nothing that is whole"):
            fetch(url, idle_timeout=0.2)
        with pytest.raises(TimedOutError, match="deadline"):
            fetch(url, deadline=0.2)


@pytest.mark.parametrize("begin", [OK + b"\r\n", OK + b"Content-Length: 99999\r\n\r\n"])
def test_a_body_that_drips_ends_with_the_deadline(begin: bytes) -> None:
    """And is not taken for whole, since it was we who closed the line."""
    with dripping(begin, b"@r\nA\n+\nI\n") as url, pytest.raises(TimedOutError, match="deadline"):
        fetch(url, deadline=0.3, allow_unproven_end=True, idle_timeout=0.2)


# ---------------------------------------------------------------------------------------------
# Numbers that are none
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        f"bytes 5000-{ABSURD}/{len(TEXT)}",
        f"bytes 5000-{len(TEXT) - 1}/{ABSURD}",
        f"bytes 5000-4000/{len(TEXT)}",
        f"bytes 5000-{len(TEXT)}/{len(TEXT)}",
        f"bytes 5000-{len(TEXT) - 1}/0",
    ],
)
def test_a_part_with_absurd_numbers_is_not_used(
    server: FaultyServer, path: str, where: str
) -> None:
    assert identity.content_range(where) == (None, None, None)

    def handler(request: Request) -> Reply:
        reply = honest(TAGGED, request)
        if request.number == 0:
            return reply.but(stop_after=5000)
        return reply.with_headers(Content_Range=where) if reply.status == 206 else reply

    assert fetch(server.serve(path, handler)) == TEXT
    assert [request.start for request in server.requests(path)] == [None, 5000, None]


@pytest.mark.parametrize(
    "length",
    [ABSURD, "-5", "+5", "5_0", "\xb2", "x", "5, 6", ""],
    ids=["digits", "minus", "plus", "underscore", "power", "letter", "two", "empty"],
)
def test_a_length_that_is_none_is_a_fault(server: FaultyServer, path: str, length: str) -> None:
    url = server.serve(path, lambda r: honest(TAGGED, r).with_headers(Content_Length=length))
    with pytest.raises(SourceUnavailableError):
        fetch(url, allow_unproven_end=True)
    assert len(server.requests(path)) == 5
    server.serve(path, lambda r: honest(TAGGED, r).with_headers(Content_Length="64874, 64874"))
    assert fetch(url) == TEXT


def test_dates_that_are_none(server: FaultyServer, path: str) -> None:
    waits: list[float] = []

    def handler(request: Request) -> Reply:
        if request.number == 0:
            return Reply(503, {"Retry-After": NEVER, "Content-Length": "0"})
        reply = honest(Thing(TEXT), request).with_headers(Last_Modified=NEVER)
        return reply.but(stop_after=5000) if request.number == 1 else reply

    assert fetch(server.serve(path, handler), waits=waits) == TEXT
    assert waits == [2]
    for zone in ("+99999999", "+" + "9" * 30):
        assert identity.parse_date(f"Mon, 01 Jan 2024 00:00:00 {zone}") is None


# ---------------------------------------------------------------------------------------------
# Lines that are left open
# ---------------------------------------------------------------------------------------------


def test_a_line_that_the_server_keeps_is_closed(server: FaultyServer, path: str) -> None:
    """At once, and not when the last reference to it goes, with a warning."""

    def handler(request: Request) -> Reply:
        kept = honest(Thing(OTHER), request).with_headers(Connection="keep-alive")
        return [
            kept.but(then="keep"),
            kept.but(then="keep", stop_after=99),
            kept.but(then="keep", status=404, body=b"", headers={"Connection": "keep-alive"}),
            Reply(302, {"Location": path, "Connection": "keep-alive"}, then="keep"),
        ][request.number % 4]

    url = server.serve(path, handler)
    process = psutil.Process()
    gc.collect()
    gc.disable()
    try:
        ours = [each for each in process.net_connections() if each.raddr]
        errors = []
        for _ in range(12):
            try:
                fetch(url, idle_timeout=0.1)
            except gv.errors.GenomeVedicError as error:
                errors.append(error)  # with all that its frames hold
        found = [each for each in process.net_connections() if each.raddr]
        theirs = [each for each in found if each.laddr.port == server.port]
        assert len(errors) > 0
        assert len(found) - len(theirs) == len([e for e in ours if e.laddr.port != server.port])
    finally:
        gc.enable()
