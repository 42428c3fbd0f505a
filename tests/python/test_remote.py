"""Remote sources, rule by rule: what is asked, what is believed, what is refused, what is said.

The server is a real one on a loopback socket; waits are noted and not made.
"""

from __future__ import annotations

import _thread
import base64
import errno
import gc
import gzip
import hashlib
import io
import pickle
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

import genomevedic as gv
from fault_schedules import LONG_AGO, bgzf, fastq
from faulty_server import FaultyServer, Reply, Request, Thing, honest
from genomevedic.errors import (
    GenomeVedicError,
    ReadCancelledError,
    SourceChangedError,
    SourceNotFoundError,
    SourcePermissionError,
    SourceReadError,
    SourceUnavailableError,
    SystemResourceError,
    TimedOutError,
    TruncatedFileError,
)
from genomevedic.sources import identity
from remote_support import OTHER, TAGGED, TEXT, fetch, first_cut, options

# ---------------------------------------------------------------------------------------------
# What is asked
# ---------------------------------------------------------------------------------------------


def test_one_request_for_a_sound_object(server: FaultyServer, path: str) -> None:
    assert fetch(server.serve(path, TAGGED)) == TEXT
    (request,) = server.requests(path)
    assert request.headers["accept-encoding"] == "identity"
    assert "range" not in request.headers


def test_nothing_is_asked_before_it_is_read(server: FaultyServer, path: str) -> None:
    url = server.serve(path, TAGGED)
    with gv.scan_fastq([url, b"@r\nA\n+\nI\n"]):
        pass
    assert server.requests(path) == []


@pytest.mark.parametrize(
    ("thing", "condition"),
    [
        (Thing(TEXT, etag='"one"', modified=LONG_AGO), '"one"'),
        (Thing(TEXT, modified=LONG_AGO), "Sun, 09 Sep 2001 01:46:40 GMT"),
        (Thing(TEXT, etag='W/"one"', modified=LONG_AGO), None),
        (Thing(TEXT, modified=LONG_AGO * 4), None),  # Not older than the answer: not strong.
        (Thing(TEXT), None),
    ],
)
def test_a_stream_is_continued_under_a_strong_validator(
    server: FaultyServer, path: str, thing: Thing, condition: str | None
) -> None:
    assert fetch(server.serve(path, first_cut(thing, 1000))) == TEXT
    _, second = server.requests(path)
    assert second.headers.get("if-range") == condition
    assert second.start == (None if condition is None else 1000)
    assert server.sent[path] == len(TEXT) + (0 if condition else 1000)


def test_bytes_come_once_whatever_breaks(server: FaultyServer, path: str) -> None:
    def handler(request: Request) -> Reply:
        return honest(TAGGED, request).but(stop_after=777)

    waits: list[float] = []
    assert fetch(server.serve(path, handler), waits=waits) == TEXT
    requests = server.requests(path)
    assert [request.start for request in requests[1:]] == [777 * n for n in range(1, len(requests))]
    # Every request brought something, so none was a try in vain.
    assert waits == []


def test_five_tries_that_bring_nothing_are_enough(server: FaultyServer, path: str) -> None:
    def handler(request: Request) -> Reply:
        return honest(TAGGED, request).but(stop_after=500 if request.number == 0 else 0)

    waits: list[float] = []
    with pytest.raises(SourceUnavailableError):
        fetch(server.serve(path, handler), waits=waits)
    assert len(server.requests(path)) == 1 + 5
    assert waits == [2, 4, 8, 16]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_server_may_ask_for_time(server: FaultyServer, path: str, status: int) -> None:
    def handler(request: Request) -> Reply:
        return (
            Reply(status, {"Retry-After": "17"}) if not request.number else honest(TAGGED, request)
        )

    waits: list[float] = []
    assert fetch(server.serve(path, handler), waits=waits) == TEXT
    assert waits == [17]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, SourceReadError),
        (401, SourcePermissionError),
        (403, SourcePermissionError),
        (404, SourceNotFoundError),
        (410, SourceNotFoundError),
        (204, SourceReadError),
        (501, SourceReadError),
    ],
)
def test_what_does_not_pass_is_not_tried_again(
    server: FaultyServer, path: str, status: int, kind: type[Exception]
) -> None:
    url = server.serve(path, lambda request: Reply(status, {"Content-Length": "0"}))
    with pytest.raises(kind) as caught:
        gv.read_fastq(url, storage_options=options())
    assert type(caught.value) is kind
    assert caught.value.path == url
    assert caught.value.context["status"] == status
    assert len(server.requests(path)) == 1
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_nobody_listens(server: FaultyServer) -> None:
    with FaultyServer() as gone:
        url = gone.url
    waits: list[float] = []
    with pytest.raises(SourceUnavailableError) as caught:
        gv.read_fastq(f"{url}/a.fastq", storage_options=options(waits))
    assert isinstance(caught.value, ConnectionError)
    assert "refused" in str(caught.value) and "0x" not in str(caught.value)
    assert len(waits) == 4


# ---------------------------------------------------------------------------------------------
# What is believed, and what is refused
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_another_object_is_refused(server: FaultyServer, path: str, knows_ranges: bool) -> None:
    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(TAGGED, request).but(stop_after=5000)
        return honest(Thing(OTHER, etag='"two"'), request, knows_ranges=knows_ranges)

    with pytest.raises(SourceChangedError) as caught:
        fetch(server.serve(path, handler))
    assert caught.value.code == "SOURCE_CHANGED"
    assert len(server.requests(path)) == 2


def test_a_server_that_ignores_the_condition_is_found_out(server: FaultyServer, path: str) -> None:
    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(TAGGED, request).but(stop_after=5000)
        request.headers.pop("if-range", None)
        return honest(Thing(OTHER[: len(TEXT)], etag='"two"'), request)

    with pytest.raises(SourceChangedError):
        fetch(server.serve(path, handler))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda reply: reply.with_headers(ETag=None),
        lambda reply: reply.with_headers(Content_Range=None),
        lambda reply: reply.with_headers(Content_Range=f"bytes 4000-{len(TEXT) - 1}/{len(TEXT)}"),
        lambda reply: reply.with_headers(Content_Range=f"bytes 5000-{len(TEXT) - 1}/*"),
        lambda reply: reply.with_headers(Content_Range=f"bytes 5000-{len(TEXT) - 1}/999999"),
        lambda reply: reply.but(status=416),
    ],
)
def test_a_part_that_proves_nothing_is_not_used(
    server: FaultyServer, path: str, spoil: Callable[[Reply], Reply]
) -> None:
    def handler(request: Request) -> Reply:
        reply = honest(TAGGED, request)
        if request.number == 0:
            return reply.but(stop_after=5000)
        return spoil(reply).but(body=b"?" * len(reply.body)) if reply.status == 206 else reply

    assert fetch(server.serve(path, handler)) == TEXT
    assert [request.start for request in server.requests(path)] == [None, 5000, None]


def exactly(stream: io.RawIOBase, size: int) -> bytes:
    """So many bytes, which may come in several blocks."""
    found = b""
    while len(found) < size:
        found += stream.read(size - len(found)) or b""
    return found


def test_the_beginning_is_compared_where_nothing_else_tells(
    server: FaultyServer, path: str
) -> None:
    changed = b"@" + OTHER[1:]
    release = threading.Event()

    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(Thing(TEXT), request).but(stop_after=5000)
        assert release.wait(10)
        return honest(Thing(changed), request)

    url = server.serve(path, handler)
    stream = gv.sources.open_url(url, options())
    taken = exactly(stream, 4000)  # Now they are handed out: only the same can follow.
    assert taken == TEXT[:4000]
    release.set()
    with pytest.raises(SourceChangedError, match=r"first (5|4)000 bytes"):
        stream.readall()
    stream.close()


def test_what_was_not_handed_out_may_be_replaced(server: FaultyServer, path: str) -> None:
    """Bytes count as taken when the parser has them, and not when they were received."""
    release = threading.Event()

    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(Thing(TEXT), request).but(stop_after=9000)
        assert release.wait(10)
        return honest(Thing(TEXT[:100] + OTHER[100:]), request)

    stream = gv.sources.open_url(server.serve(path, handler), options())
    assert stream.read(100) == TEXT[:100]
    # Until the second request is answered the rest of the first answer lies read ahead.
    while len(server.requests(path)) < 2:
        time.sleep(0.001)
    release.set()
    while stream.hosts[0].health.restarted == 0:
        time.sleep(0.001)
    with stream:
        assert stream.readall() == OTHER[100:]
    health = stream.hosts[0].health
    assert (health.restarted, health.bytes_again) == (1, 100)


def test_a_shorter_object_is_refused(server: FaultyServer, path: str) -> None:
    release = threading.Event()

    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(Thing(TEXT), request).but(stop_after=5000)
        assert release.wait(10)
        return honest(Thing(TEXT[:3000]), request)

    stream = gv.sources.open_url(server.serve(path, handler), options())
    read = bytearray(exactly(stream, 4000))
    release.set()
    with pytest.raises(SourceChangedError, match="ends before byte"):
        while block := stream.read(512):
            read += block
    assert read == TEXT[: len(read)]
    stream.close()


@pytest.mark.parametrize("name", ["md5", "sha256"])
def test_a_checksum_of_the_callers_is_compared(server: FaultyServer, path: str, name: str) -> None:
    url = server.serve(path, TAGGED)
    right = hashlib.new(name, TEXT).hexdigest()
    assert fetch(url, **{name: right.upper()}) == TEXT
    with pytest.raises(SourceChangedError) as caught:
        fetch(url, **{name: right[:-1] + ("0" if right[-1] != "0" else "1")})
    assert caught.value.context["found"] == right


@pytest.mark.parametrize("packing", ["gzip", "bgzf", "plain", "members"])
@pytest.mark.parametrize("stop", [None, 2000])
def test_a_body_that_ends_with_the_line(
    server: FaultyServer, path: str, packing: str, stop: int | None
) -> None:
    body = {
        "gzip": gzip.compress(TEXT, mtime=0),
        "bgzf": bgzf(TEXT),
        "plain": TEXT,
        "members": gzip.compress(TEXT, mtime=0) + gzip.compress(OTHER, mtime=0) + bytes(100),
    }[packing]

    def handler(request: Request) -> Reply:
        reply = honest(Thing(body), request, knows_ranges=False)
        return reply.with_headers(Content_Length=None).but(stop_after=stop)

    url = server.serve(path, handler)
    assert fetch(url, allow_unproven_end=True) == body[:stop]
    if packing != "plain" and stop is None:
        assert fetch(url) == body
        return
    with pytest.raises(TruncatedFileError if packing == "plain" else SourceUnavailableError):
        fetch(url)


def test_a_line_that_stays_open_is_not_waited_for(server: FaultyServer, path: str) -> None:
    url = server.serve(path, lambda request: honest(TAGGED, request).but(then="keep"))
    assert fetch(url, idle_timeout=600.0) == TEXT


def test_too_small_a_length_is_found_out(server: FaultyServer, path: str) -> None:
    end = TEXT.index(b"\n@run", 9000) + 1  # Between two records, where the text shows nothing.

    def handler(request: Request) -> Reply:
        reply = honest(thing, request)
        return reply.with_headers(Content_Length=str(end)) if reply.status == 200 else reply

    thing = TAGGED
    assert fetch(server.serve(path, handler)) == TEXT
    thing = Thing(TEXT)
    with pytest.raises(SourceUnavailableError, match="more bytes than it said"):
        fetch(server.serve(path, handler))


def test_chunks_prove_their_end(server: FaultyServer, path: str) -> None:
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (TEXT[:999], TEXT[999:]))

    def handler(request: Request) -> Reply:
        headers = {"Transfer-Encoding": "chunked"}
        if request.number == 0:
            return Reply(200, headers, chunked, stop_after=3000)
        return Reply(200, headers, chunked + b"0\r\n\r\n")

    assert fetch(server.serve(path, handler)) == TEXT
    assert len(server.requests(path)) == 2


def test_an_encoding_is_left_to_the_parser(server: FaultyServer, path: str) -> None:
    thing = Thing(gzip.compress(TEXT), '"z"', headers=(("Content-Encoding", "gzip"),))
    url = server.serve(path, thing)
    assert fetch(url) == thing.body
    assert gv.read_fastq(url, storage_options=options()) == gv.read_fastq(TEXT)


def test_the_end_of_an_empty_object(server: FaultyServer, path: str) -> None:
    assert fetch(server.serve(path, Thing(b"", '"empty"'))) == b""


def test_small_deadlines_end_it(server: FaultyServer, path: str) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    retry = gv.recovery.Retry(sleep=sleep, uniform=lambda low, high: high, tries=99)
    url = server.serve(path, lambda request: Reply(503))
    with pytest.raises(TimedOutError, match="deadline of 20 seconds"):
        gv.read_fastq(
            url, storage_options={"retry": retry, "deadline": 20, "clock": lambda: now[0]}
        )
    assert len(server.requests(path)) == 4  # At 0, 2, 6 and 14 seconds; 30 is too late.
    assert now[0] == 14.0


@pytest.mark.parametrize("where", ["retry", "source"])
def test_no_wait_is_begun_that_passes_the_deadline(
    server: FaultyServer, path: str, where: str
) -> None:
    told: list[tuple[int, float, str]] = []
    deadlines = {"deadline": 50.0} if where == "retry" else {}
    retry = gv.recovery.Retry(
        sleep=lambda seconds: None,
        before_wait=lambda tries, wait, error: told.append((tries, wait, str(error))),
        **deadlines,
    )
    busy = [Reply(503, {"Retry-After": after}) for after in ("40", "60")]
    url = server.serve(path, lambda request: busy[request.number])
    with pytest.raises(TimedOutError, match="would pass before the next try") as caught:
        fetch(url, retry=retry, **({} if deadlines else {"deadline": 50.0}))
    assert isinstance(caught.value.__cause__, SourceUnavailableError)
    assert [each[:2] for each in told] == [(1, 40.0)]


def test_silence_is_a_fault(server: FaultyServer, path: str) -> None:
    def handler(request: Request) -> Reply:
        reply = honest(TAGGED, request)
        return reply.but(stop_after=0, then="stall") if request.number < 2 else reply

    url = server.serve(path, handler)
    assert fetch(url, idle_timeout=0.05) == TEXT
    with pytest.raises(TimedOutError, match="in time"):
        fetch(
            server.serve(path, lambda r: honest(TAGGED, r).but(stop_after=0, then="stall")),
            idle_timeout=0.02,
        )


# ---------------------------------------------------------------------------------------------
# Through the reader
# ---------------------------------------------------------------------------------------------


def test_a_list_of_sources_is_read_in_order(server: FaultyServer, path: str) -> None:
    url = server.serve(path, first_cut(TAGGED, 4000))
    found = gv.read_fastq([b"@r\nA\n+\nI\n", url, gzip.compress(OTHER)], storage_options=options())
    assert found == gv.read_fastq([b"@r\nA\n+\nI\n", TEXT, OTHER])
    (host,) = found.stats.hosts
    assert (host.host, host.requests, host.failures, host.resumed) == (server.url, 2, 1, 1)
    assert host.state == "closed" and host.bytes_in == len(TEXT)
    assert "closed the line" in host.last_error
    assert host.latency > 0
    assert found.stats.as_dict()["hosts"] == [host.as_dict()]
    assert gv.read_fastq(TEXT).stats.hosts == ()


def test_records_before_a_fault_are_handed_out(server: FaultyServer, path: str) -> None:
    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(TAGGED, request).but(stop_after=20000)
        return Reply(404)

    with gv.scan_fastq(server.serve(path, handler), storage_options=options()) as reader:
        batches = reader.batches(10)
        with pytest.raises(SourceNotFoundError):
            while True:
                kept = next(batches)
        assert len(kept) > 0
        # Every record that ended before the fault, and no other.
        assert reader.stats.kept == TEXT[:20000].count(b"@run") - 1


def test_peek_looks_at_the_beginning_only(server: FaultyServer, path: str) -> None:
    body = fastq(3, 20000)
    summary = gv.peek_fastq(server.serve(path, Thing(body, '"x"')), reads=100)
    assert summary.reads == 100 and not summary.whole
    assert summary.source == server.url + path
    assert abs(summary.estimated_reads - 20000) < 2000
    packed = server.serve(path + "z", Thing(gzip.compress(body, 1), '"z"'))
    summary = gv.peek_fastq(packed, reads=100)
    assert summary.format == "gzip"
    assert abs(summary.estimated_reads - 20000) < 4000


def test_a_file_url_is_a_path(tmp_path: Any) -> None:
    path = tmp_path / "reads of a.fastq"
    path.write_bytes(TEXT)
    assert gv.read_fastq(path.as_uri()) == gv.read_fastq(TEXT)


def test_a_stream_of_the_callers_is_left_open(server: FaultyServer, path: str) -> None:
    stream = gv.sources.open_url(server.serve(path, TAGGED), options())
    assert len(gv.read_fastq(stream)) == 300
    assert not stream.closed
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.read(1)


# ---------------------------------------------------------------------------------------------
# Cancelling, and what is left behind
# ---------------------------------------------------------------------------------------------


def fetchers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "genomevedic-fetch"]


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come about")


def stalling(server: FaultyServer, path: str) -> str:
    return server.serve(path, lambda r: honest(TAGGED, r).but(stop_after=3000, then="stall"))


def test_ctrl_c_cancels_at_once(server: FaultyServer, path: str) -> None:
    url = stalling(server, path)

    def interrupt() -> None:
        wait_until(lambda: len(server.requests(path)) == 1)
        time.sleep(0.05)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        gv.read_fastq(url, storage_options={"idle_timeout": 600.0})
    thread.join()
    wait_until(lambda: not fetchers())


def test_ctrl_c_ends_a_wait(server: FaultyServer, path: str) -> None:
    url = server.serve(path, lambda request: Reply(503, {"Retry-After": "600"}))
    retry = gv.recovery.Retry(longest_retry_after=600)

    def interrupt() -> None:
        wait_until(lambda: len(server.requests(path)) == 1)
        time.sleep(0.05)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        gv.read_fastq(url, storage_options={"retry": retry})
    thread.join()
    wait_until(lambda: not fetchers())


def test_closing_wakes_who_waits(server: FaultyServer, path: str) -> None:
    stream = gv.sources.open_url(stalling(server, path), {"idle_timeout": 600.0})
    assert stream.read(3000) != b""
    caught: list[BaseException] = []

    def read() -> None:
        try:
            stream.readall()
        except GenomeVedicError as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    time.sleep(0.05)
    stream.close()
    thread.join(10)
    assert [type(each) for each in caught] == [ReadCancelledError]
    assert caught[0].code == "CANCELLED"
    wait_until(lambda: not fetchers())


def test_a_forgotten_stream_ends_its_thread(server: FaultyServer, path: str) -> None:
    big = Thing(fastq(1, 3000), '"big"')
    stream = gv.sources.open_url(server.serve(path, big), options(read_ahead=1))
    stream.read(10)
    assert len(fetchers()) == 1
    del stream
    gc.collect()
    wait_until(lambda: not fetchers())


def test_little_is_read_ahead(server: FaultyServer, path: str) -> None:
    big = Thing(TEXT * 200, '"big"')
    stream = gv.sources.open_url(server.serve(path, big), options(read_ahead=100_000))
    with stream:
        assert stream.read(10) == big.body[:10]
        time.sleep(0.1)
        assert stream.hosts[0].health.bytes_in <= 100_000 + 2 * (1 << 18)
        assert stream.readall() == big.body[10:]


def test_no_descriptor_and_no_thread_is_left(server: FaultyServer, path: str) -> None:
    url = server.serve(path, lambda r: honest(TAGGED, r).but(stop_after=None if r.start else 99))
    fetch(url)
    wait_until(lambda: len(server._open) == 0)
    process = psutil.Process()
    descriptors = process.num_fds()
    for _ in range(50):
        assert fetch(url) == TEXT
        with gv.scan_fastq(url, storage_options=options(), columns=["gc"], limit=3) as reader:
            reader.read()
    wait_until(lambda: process.num_fds() <= descriptors and not fetchers())


def test_no_thread_is_left_to_give(
    server: FaultyServer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    url = server.serve(path, TAGGED)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(SystemResourceError, match="thread") as caught:
            gv.read_fastq(url)
    assert caught.value.code == "SYSTEM_RESOURCE"


@pytest.mark.parametrize(
    ("error", "kind", "tries"),
    [
        (OSError(errno.EMFILE, "Too many open files"), SystemResourceError, 1),
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), SourceReadError, 1),
        (OSError(errno.EHOSTUNREACH, "No route to host"), SourceUnavailableError, 5),
        (socket.gaierror(socket.EAI_AGAIN, "no name"), SourceUnavailableError, 5),
        (TimeoutError("timed out"), TimedOutError, 5),
    ],
)
def test_what_the_system_says(
    error: OSError, kind: type[Exception], tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(*args: Any, **more: Any) -> socket.socket:
        asked.append(args)
        raise error

    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    with pytest.raises(kind) as caught:
        gv.read_fastq("http://a.example/r.fastq", storage_options=options())
    assert type(caught.value) is kind
    assert len(asked) == tries
    if error.errno == errno.EMFILE:
        assert caught.value.errno == errno.EMFILE


# ---------------------------------------------------------------------------------------------
# TLS
# ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate of its own making, and a client's that trusts it."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    names = "-addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", *request.split(), *names.split(), "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate, key)
    return ours, ssl.create_default_context(cafile=certificate)


def test_https(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with FaultyServer(tls=tls[0]) as secure:
        url = secure.serve("/r", first_cut(TAGGED, 7000))
        assert fetch(url, ssl_context=tls[1]) == TEXT
        assert secure.requests("/r")[1].start == 7000


def test_a_certificate_that_nobody_vouches_for(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    with FaultyServer(tls=tls[0]) as secure:
        with pytest.raises(SourceReadError, match="certificate is not valid") as caught:
            fetch(secure.serve("/r", TAGGED))
        assert type(caught.value) is SourceReadError
        assert secure.log == []


def test_closing_wakes_who_waits_for_tls(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with FaultyServer(tls=tls[0]) as secure:
        url = secure.serve("/r", lambda r: honest(TAGGED, r).but(stop_after=3000, then="stall"))
        more = {"ssl_context": tls[1], "idle_timeout": 600.0}
        stream = gv.sources.open_url(url, more)
        assert stream.read(3000) != b""
        stream.close()
        wait_until(lambda: not fetchers())


# ---------------------------------------------------------------------------------------------
# Identities
# ---------------------------------------------------------------------------------------------


def test_checksums_of_servers() -> None:
    whole = hashlib.sha256(TEXT).digest()
    b64 = base64.b64encode(whole).decode()
    for headers in (
        {"Repr-Digest": f"sha-256=:{b64}:"},
        {"Digest": f"SHA-256={b64}, unixsum=30637"},
        {"x-amz-checksum-sha256": b64},
    ):
        assert identity.Identity.of(headers, 5).checksums == {"sha256": whole}
    for headers in ({"x-amz-checksum-sha256": f"{b64}-3"}, {"Digest": "sha-256=??"}, {}):
        assert identity.Identity.of(headers, 5).checksums == {}
    one = identity.Identity.of({"Repr-Digest": f"sha-256=:{b64}:"}, 5)
    assert one.has_checksum_of(identity.Identity.of({"x-amz-checksum-sha256": b64}, 5))
    assert not one.has_checksum_of(identity.Identity.of({"x-amz-checksum-sha256": b64}, 6))
    assert not one.has_checksum_of(identity.Identity.of({}, 5))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bytes 0-9/10", (0, 9, 10)),
        ("BYTES 5-9/*", (5, 9, None)),
        ("bytes */10", (None, None, 10)),
        ("bytes 9/10", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_content_range(text: str | None, found: tuple[int | None, ...]) -> None:
    assert identity.content_range(text) == found


@pytest.mark.parametrize("size", [1, 7, 100, 10**6])
def test_the_end_of_gzip_is_proven_by_its_bytes(size: int) -> None:
    zeros = gzip.compress(bytes(3 << 20))  # Unpacks to more than is unpacked at a time.
    whole = {
        "gzip": gzip.compress(TEXT) + zeros,
        "bgzf": bgzf(TEXT),
    }
    for name, body in whole.items():
        for cut in (0, 1, 8, 9, 28, len(body) - 30):
            proof = identity.EndProof()
            for at in range(0, len(body) - cut, size):
                proof.feed(body[at : min(at + size, len(body) - cut)])
            assert proof.verdict() is (cut == 0), (name, cut)
            assert proof.format == name
    assert identity.EndProof().verdict() is None


# ---------------------------------------------------------------------------------------------
# Arguments
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: gv.sources.Mirror("reads.fastq"), ValueError, "no scheme"),
        (lambda: gv.sources.Mirror("http://a/", 3), TypeError, "an address is a str"),
        (lambda: gv.sources.Mirror("http://a/", sha256="12"), ValueError, "64 hexadecimal"),
        (lambda: gv.sources.Mirror("http://a/", tries=3), ValueError, "no 'tries'"),
        (lambda: gv.sources.Mirror("http://a/", retry=3), TypeError, "recovery.Retry"),
        (lambda: gv.sources.Mirror("http://a/", read_ahead="x"), ValueError, "read_ahead"),
        (lambda: gv.sources.Mirror("http://a/", idle_timeout=0), ValueError, "idle_timeout"),
    ],
)
def test_arguments(call: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.parametrize("name", ["urllib3", "tenacity"])
def test_without_the_extra_it_is_named(name: str) -> None:
    code = f"""
import sys
import genomevedic as gv
assert not {{"urllib3", "tenacity", "opentelemetry", "fsspec"}} & set(sys.modules)
sys.modules[{name!r}] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda each, *more: None if each == {name!r} else find(each, *more)
try:
    gv.read_fastq("https://a.example/r.fastq")
except ImportError as error:
    print(error)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"https:// needs {name}" in out.stdout and "genomevedic[remote]" in out.stdout


def test_text_is_not_read_from_a_stream() -> None:
    stream = gv.sources.open_url("https://a.example/r.fastq")
    assert isinstance(stream, io.RawIOBase) and stream.readable() and not stream.seekable()
    stream.close()
