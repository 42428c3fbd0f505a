"""Mirrors: which host is asked, when, and whose bytes may continue a stream."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import genomevedic as gv
from faulty_server import FaultyServer, Handler, Reply, Request, Thing, honest
from genomevedic.errors import (
    CircuitOpenError,
    SourceChangedError,
    SourceNotFoundError,
    SourceUnavailableError,
)
from remote_support import OTHER, TAGGED, TEXT, fetch


class Hosts:
    """A primary and a mirror, each a host of its own, with a clock that stands still."""

    def __init__(self) -> None:
        self.primary, self.second = FaultyServer(), FaultyServer()
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def mirror(self, first: Handler | Thing, second: Handler | Thing, **more: Any) -> Any:
        retry = gv.recovery.Retry(sleep=self.sleep, uniform=lambda low, high: high)
        return gv.sources.Mirror(
            self.primary.serve("/r", first),
            self.second.serve("/r", second),
            retry=retry,
            clock=lambda: self.now,
            **more,
        )


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    made = Hosts()
    with made.primary, made.second:
        yield made


def digest_of(body: bytes) -> tuple[tuple[str, str], ...]:
    b64 = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return (("Repr-Digest", f"sha-256=:{b64}:"),)


BUSY = Reply(503, {"Content-Length": "0"})


def test_the_primary_is_asked_first(hosts: Hosts) -> None:
    source = hosts.mirror(TAGGED, TAGGED)
    assert gv.read_fastq(source) == gv.read_fastq(TEXT)
    assert hosts.second.log == []
    assert gv.read_fastq([source, source]).stats.hosts[0].requests == 3


def test_the_next_when_the_circuit_opens(hosts: Hosts) -> None:
    source = hosts.mirror(lambda request: BUSY, TAGGED)
    found = gv.read_fastq(source)
    assert found == gv.read_fastq(TEXT)
    assert len(hosts.primary.log) == 3
    # Waits are between tries of the primary; none stands before the mirror's request.
    assert hosts.waits == [2, 4]
    primary, second = found.stats.hosts
    assert (primary.state, primary.failures, second.state) == ("open", 3, "closed")
    assert "503" in primary.last_error
    # While it is open nothing is asked of it; behind its cool-down it is probed, once.
    gv.read_fastq(source)
    assert len(hosts.primary.log) == 3 and len(hosts.second.log) == 2
    hosts.now += 30
    gv.read_fastq(source)
    assert len(hosts.primary.log) == 4 and len(hosts.second.log) == 3


def test_the_primary_comes_back_with_one_probe(hosts: Hosts) -> None:
    source = hosts.mirror(lambda r: BUSY if r.number < 3 else honest(TAGGED, r), TAGGED)
    gv.read_fastq(source)
    hosts.now += 30
    gv.read_fastq(source)
    assert source.hosts[0].state == "closed"
    assert (len(hosts.primary.log), len(hosts.second.log)) == (4, 1)


def broken_at(thing: Thing, at: int) -> Handler:
    """Give the beginning, then nothing any more."""
    return lambda r: honest(thing, r).but(stop_after=at) if r.number == 0 else BUSY


def test_a_mirror_continues_under_the_same_checksum(hosts: Hosts) -> None:
    one = Thing(TEXT, '"a"', headers=digest_of(TEXT))
    two = Thing(TEXT, '"b"', headers=digest_of(TEXT))
    assert fetch(hosts.mirror(broken_at(one, 6000), two).open_stream()) == TEXT
    (request,) = hosts.second.log
    assert request.start == 6000 and "if-range" not in request.headers
    assert hosts.second.sent["/r"] == len(TEXT) - 6000


def test_a_mirror_continues_under_the_callers_checksum(hosts: Hosts) -> None:
    right = hashlib.sha256(TEXT).hexdigest()
    source = hosts.mirror(broken_at(TAGGED, 6000), Thing(TEXT), sha256=right)
    assert fetch(source.open_stream()) == TEXT
    assert hosts.second.log[0].start == 6000
    other = OTHER[: len(TEXT)].ljust(len(TEXT), b"\n")
    source = hosts.mirror(broken_at(TAGGED, 6000), Thing(other), sha256=right)
    with pytest.raises(SourceChangedError, match="sha256"):
        fetch(source.open_stream())


def test_a_mirror_is_compared_from_its_first_byte(hosts: Hosts) -> None:
    # The same tag on two hosts says nothing: each host gives its own.
    source = hosts.mirror(broken_at(TAGGED, 6000), TAGGED)
    assert fetch(source.open_stream()) == TEXT
    assert hosts.second.log[0].start is None
    health = source.hosts[1]
    assert health.restarted == 1 and health.bytes_again == 6000


@pytest.mark.parametrize("other", [OTHER, TEXT + b"\n", TEXT[:-1]])
def test_a_mirror_with_other_bytes_is_refused(hosts: Hosts, other: bytes) -> None:
    source = hosts.mirror(broken_at(TAGGED, 6000), Thing(other))
    with pytest.raises(SourceChangedError):
        fetch(source.open_stream())


@pytest.mark.parametrize("headers", [digest_of(OTHER), ()])
def test_a_part_of_a_mirror_needs_the_same_checksum(
    hosts: Hosts, headers: tuple[tuple[str, str], ...]
) -> None:
    one = Thing(TEXT, '"a"', headers=digest_of(TEXT))
    same_size = TEXT[:6000] + TEXT[6000:].translate(bytes.maketrans(b"ACGT", b"TGCA"))
    source = hosts.mirror(broken_at(one, 6000), Thing(same_size, '"a"', headers=headers))
    # The part is not taken. From byte 0 the beginning is the same, and the rest is the mirror's:
    # a whole version, and no mixture of two.
    assert fetch(source.open_stream()) == same_size
    assert [request.start for request in hosts.second.log] == [6000, None]


def test_back_and_forth(hosts: Hosts) -> None:
    """The mirror breaks, too; the primary, cooled down, goes on under its own validator."""
    one = Thing(TEXT, '"a"', headers=digest_of(TEXT))
    two = Thing(TEXT, '"b"', headers=digest_of(TEXT))

    def primary(request: Request) -> Reply:
        if 1 <= request.number <= 2:
            return BUSY
        return honest(one, request).but(stop_after=4000 if request.number == 0 else None)

    def second(request: Request) -> Reply:
        hosts.now += 40
        return honest(two, request).but(stop_after=5000)

    assert fetch(hosts.mirror(primary, second).open_stream()) == TEXT
    assert [r.start for r in hosts.primary.log] == [None, 4000, 4000, 9000]
    assert [r.start for r in hosts.second.log] == [4000]
    assert hosts.primary.log[-1].headers["if-range"] == '"a"'


def test_all_circuits_open(hosts: Hosts) -> None:
    source = hosts.mirror(lambda request: BUSY, lambda request: BUSY)
    with pytest.raises(CircuitOpenError, match="all 2 hosts") as caught:
        gv.read_fastq(source)
    assert caught.value.code == "CIRCUIT_OPEN"
    assert 0 < caught.value.retry_after <= 30
    assert isinstance(caught.value.__cause__, SourceUnavailableError)
    asked = len(hosts.primary.log), len(hosts.second.log)
    assert asked == (3, 3)
    with pytest.raises(CircuitOpenError):
        gv.read_fastq(source)
    assert asked == (len(hosts.primary.log), len(hosts.second.log))


def test_a_missing_object_is_no_fault_of_the_host(hosts: Hosts) -> None:
    source = hosts.mirror(lambda request: Reply(404), TAGGED)
    with pytest.raises(SourceNotFoundError):
        gv.read_fastq(source)
    assert source.hosts[0].failures == 0 and hosts.second.log == []


def test_many_threads_share_a_mirror(hosts: Hosts) -> None:
    source = hosts.mirror(lambda request: BUSY, TAGGED)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(gv.read_fastq(source)))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [300] * 16
    # Requests under way when it opened may end later; nothing is begun behind it.
    assert 3 <= len(hosts.primary.log) <= 3 * 16
