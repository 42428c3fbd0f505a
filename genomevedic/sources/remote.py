"""A remote source: one stream of bytes from one or several addresses, whatever breaks meanwhile.

A thread fetches ahead; whoever reads gets the bytes in order, each once. After a fault the stream
goes on where it broke off, but only with bytes that are surely of the same object:

- An answer with a part (206) continues it where first byte, length and strong validator agree.
- Any other answer begins at byte 0. What was handed out before is compared with it by checksum, and
  the stream goes on behind it only where both are equal.
- Everything else raises `SourceChangedError`.

A mirror's part continues the stream where length and a strong checksum agree, or where the caller
gave the checksum, which is compared at the end.
"""

from __future__ import annotations

import contextvars
import functools
import hashlib
import io
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol, Self

from .. import telemetry
from ..errors import (
    CircuitOpenError,
    GenomeVedicError,
    SourceChangedError,
    SourceUnavailableError,
    SystemResourceError,
    TimedOutError,
    TruncatedFileError,
)
from ..recovery import is_fault
from .ahead import ReadAhead, Stopped
from .health import Host
from .identity import EndProof, Identity
from .line import Line, WrongLengthError
from .options import RemoteOptions

__all__ = ["Endpoint", "Place", "RemoteStream"]

# Asked of the line at a time.
_BLOCK = 1 << 18


class Endpoint(Protocol):
    """Where an object lies; `web.WebEndpoint` says what its parts do."""

    label: str
    host: str

    def request(self, start: int, known: Identity | None, line: Line, timeout: float) -> Any:
        """Ask for the object from a byte on."""


class Place:
    """One of the addresses of a stream, its host, and which object was found there.

    `identity` is of an answer whose bytes are part of this stream; None where there is none yet.
    """

    def __init__(self, endpoint: Endpoint, host: Host) -> None:
        self.endpoint = endpoint
        self.host = host
        self.identity: Identity | None = None
        self.ignores_range = False


class RemoteStream(io.RawIOBase):
    """The bytes of a remote object, as a binary file object that cannot seek.

    Nothing is asked of any server before the first byte is wanted. Closing it ends what is under
    way, whoever waits.

    Parameters
    ----------
    places : sequence of Place
        The first is asked first; the others hold the same object.
    options : RemoteOptions
        How.
    """

    def __init__(self, places: Sequence[Place], options: RemoteOptions) -> None:
        self.name = places[0].endpoint.label
        algorithms = ("md5",) if options.md5 is not None else ()
        self._options = options
        self._ahead = ReadAhead(self.name, int(options.read_ahead), algorithms)
        self._fetch = _Fetch(places, options, self._ahead)
        self._thread: threading.Thread | None = None
        self._is_checked = False
        #: Whether a reader made it, and closes it.
        self.is_readers_own = False

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The hosts that it may be read from."""
        return tuple(place.host for place in self._fetch.places)

    @property
    def size(self) -> int | None:
        """Bytes of the whole object; None while that is not known."""
        return self._fetch.total

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer as far as bytes are there, at least one; 0 at the end.

        Raises
        ------
        SourceReadError, TruncatedFileError
            The source failed for good, is another object, or its end is not proven.
        ReadCancelledError
            It was closed by another thread meanwhile.
        ValueError
            It is closed.
        """
        if self.closed:
            raise ValueError("this source is closed")
        if self._thread is None:
            self._start()
        view = memoryview(buffer).cast("B")
        count = self._ahead.take(view, self._fetch.look)
        if count == 0 and len(view) > 0:
            self._check_sums()
        return count

    def _start(self) -> None:
        # The thread knows nothing of this object, so that forgetting it ends the thread, too.
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._fetch.run,), name="genomevedic-fetch", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError as error:
            self._thread = None
            raise SystemResourceError(
                f"{self.name}: no thread is left to fetch it: {error}.", path=self.name
            ) from error

    def _check_sums(self) -> None:
        if self._is_checked:
            return
        found = self._ahead.digests()
        for name in ("md5", "sha256"):
            wanted = getattr(self._options, name)
            if wanted is not None and found[name] != wanted:
                raise SourceChangedError(
                    f"{self.name}: the bytes read have the {name} {found[name]}, and not the one "
                    "asked for.",
                    path=self.name,
                    found=found[name],
                    expected=wanted,
                )
        self._is_checked = True

    def close(self) -> None:
        """End the fetching and forget what was fetched; harmless when called again."""
        if not self.closed:
            super().close()
            self._ahead.stop()
            self._fetch.line.cut()
            thread = self._thread
            if thread is not None and thread is not threading.current_thread():
                # It ends at once, unless it is just looking up a name or connecting.
                thread.join(0.2)

    def __enter__(self) -> Self:
        return self


class _Fetch:
    """What the thread does: fill the queue from one place or the other."""

    def __init__(self, places: Sequence[Place], options: RemoteOptions, ahead: ReadAhead) -> None:
        self.places = tuple(places)
        self.line = Line()
        self.total: int | None = None
        self._options = options
        self._ahead = ahead
        self._is_done = False
        self._ends: float | None = None
        self._progress_when_all_open = 0
        self._last_error: BaseException | None = None
        self._highest = 0
        retry = options.retry
        given = [each for each in (options.deadline, retry.deadline) if each is not None]
        self._deadline = min(given, default=None)
        # A wait of ours ends when the source is closed; one that the caller brings is the caller's.
        sleep = self._sleep if retry.sleep is time.sleep else retry.sleep
        # With mirrors the breaker ends the tries, so that the next host is asked at once.
        tries = retry.tries if len(places) == 1 else max(retry.tries, options.failures)
        self._retry = retry.but(sleep=sleep, deadline=None, tries=tries)

    def run(self) -> None:
        """Fetch all, and say how it ended."""
        error: BaseException | None = None
        try:
            self._fetch_all()
        except Stopped:
            pass
        except BaseException as fault:
            error = fault
        finally:
            self.line.use(None)
            self._last_error = None
            self._ahead.finish(error)

    def look(self) -> None:
        """End the request under way if its bytes are overdue. Called while somebody waits."""
        self.line.look()
        if self._is_late(0):
            self.line.drop()

    def _fetch_all(self) -> None:
        if self._deadline is not None:
            self._ends = self._options.clock() + self._deadline
        while not self._is_done:
            place = self._choose()
            retry = self._retry.but(
                on=lambda error, host=place.host: self._may_try_again(host, error),
                before_wait=functools.partial(self._before_wait, place),
            )
            try:
                retry.call(self._attempt, place)
            except CircuitOpenError:
                continue  # Another stream is probing the host.
            except GenomeVedicError as error:
                is_left_alone = not place.host.breaker.may_call()
                if len(self.places) == 1 or not is_left_alone or not self._is_passing(error):
                    raise
                self._last_error = error

    # -- Which place, and whether again --------------------------------------------------------

    def _choose(self) -> Place:
        """Return the first place whose host may be asked."""
        if len(self.places) == 1:
            return self.places[0]
        for place in self.places:
            if place.host.breaker.may_call():
                return place
        wait = min(place.host.breaker.seconds_left() for place in self.places)
        received = self._ahead.received
        if received > self._progress_when_all_open and not self._is_late(wait):
            self._progress_when_all_open = received
            self._retry.sleep(wait)
            return self._choose()
        raise CircuitOpenError(
            f"{self.places[0].endpoint.label}: all {len(self.places)} hosts failed again and "
            f"again. The last fault: {self._last_error}",
            path=self.places[0].endpoint.label,
            retry_after=wait,
        ) from self._last_error

    def _is_passing(self, error: BaseException) -> bool:
        return is_fault(error, self._options.retry.on) and not self._is_late(0)

    def _may_try_again(self, host: Host, error: BaseException) -> bool:
        if not self._is_passing(error):
            return False
        return len(self.places) == 1 or host.breaker.may_call()

    def _is_late(self, wait: float) -> bool:
        return self._ends is not None and self._options.clock() + wait >= self._ends

    def _sleep(self, seconds: float) -> None:
        if self._ahead.stopped.wait(seconds):
            raise Stopped

    def _check_time(self, place: Place) -> None:
        if self._ahead.stopped.is_set():
            raise Stopped
        if self._is_late(0):
            raise self._too_late(place, "has passed") from self._last_error

    def _too_late(self, place: Place, when: str) -> TimedOutError:
        label = place.endpoint.label
        return TimedOutError(
            f"{label}: the deadline of {self._deadline:g} seconds {when}.",
            path=label,
            deadline=self._deadline,
        )

    def _before_wait(self, place: Place, tries: int, wait: float, error: BaseException) -> None:
        if self._is_late(wait):
            raise self._too_late(place, "would pass before the next try") from error
        if self._options.retry.before_wait is not None:
            self._options.retry.before_wait(tries, wait, error)
        telemetry.log(
            logging.WARNING,
            "source.retry",
            f"{place.endpoint.label}: trying again in {wait:.1f} seconds: {error}",
            url=place.endpoint.label,
            wait=wait,
            error=type(error).__name__,
            position=self._ahead.received,
        )

    # -- One request ---------------------------------------------------------------------------

    def _attempt(self, place: Place) -> None:
        """Fetch as far as one request goes.

        A fault is raised only where the request brought nothing: what brought bytes is no try in
        vain, and the next one goes out at once.
        """
        self._check_time(place)
        host = place.host
        ticket = host.ticket(insists=len(self.places) == 1)
        before = self._highest
        try:
            self._transfer(place)
        except Exception as error:
            if ticket is not None:
                ticket.failed(error)
            if self._ahead.stopped.is_set():
                raise Stopped from None
            if not is_fault(error, self._options.retry.on):
                raise
            host.failed(error)
            self._last_error = error
            self._check_time(place)
            if self._highest == before:
                raise
            telemetry.log(
                logging.WARNING,
                "source.broken",
                f"{error} Going on from byte {self._ahead.received}",
                url=place.endpoint.label,
                error=type(error).__name__,
                position=self._ahead.received,
            )
        else:
            if ticket is not None:
                ticket.succeeded()
            else:
                host.breaker.reset()

    def _transfer(self, place: Place) -> None:
        position = self._ahead.received
        if position > 0 and self._can_continue(place):
            with self._ask(place, position) as answer:
                if answer.has_range and self._is_continued_by(place, answer, position):
                    place.host.add(resumed=1)
                    self._bind(place, answer)
                    self._pump(place, answer, None)
                    return
                place.ignores_range = True
                if not answer.has_range and not answer.is_past_end:
                    self._begin_again(place, answer)
                    return
        with self._ask(place, 0) as answer:
            if answer.has_range or answer.is_past_end:
                raise SourceUnavailableError(
                    f"{place.endpoint.label}: the whole was asked for, and a part came.",
                    path=place.endpoint.label,
                )
            if position > 0:
                self._begin_again(place, answer)
            else:
                self._bind(place, answer)
                self._pump(place, answer, _proof_for(answer))

    def _ask(self, place: Place, start: int) -> Any:
        options = self._options
        place.host.add(requests=1)
        timeout = options.idle_timeout
        begun = options.clock()
        if self._ends is not None:
            timeout = max(0.001, min(timeout, self._ends - begun))
        answer = place.endpoint.request(start, place.identity, self.line, timeout)
        place.host.answered(options.clock() - begun)
        return answer

    # -- Is it the same object? ----------------------------------------------------------------

    def _can_continue(self, place: Place) -> bool:
        """Whether asking for a part could be answered by one that is surely of the same object."""
        if place.ignores_range:
            return False
        if place.identity is not None:
            return place.identity.validator is not None
        is_known = any(each.identity and each.identity.checksums for each in self.places)
        return self.total is not None and (is_known or self._is_checked_at_end)

    @property
    def _is_checked_at_end(self) -> bool:
        return self._options.md5 is not None or self._options.sha256 is not None

    def _is_continued_by(self, place: Place, answer: Any, position: int) -> bool:
        """Whether a part surely goes on with the stream; False asks for the whole."""
        found = answer.identity
        self._refuse_another(place, found)
        if answer.start != position or found.total is None:
            return False
        if self.total is not None and found.total != self.total:
            return False
        if place.identity is not None:
            return bool(found.proves(place.identity))
        known = [each.identity for each in self.places if each.identity is not None]
        return self._is_checked_at_end or any(found.has_checksum_of(one) for one in known)

    def _refuse_another(self, place: Place, found: Identity) -> None:
        if place.identity is not None and place.identity.contradicts(found):
            raise self._changed(place, "its validator is another")
        is_mirror = place.identity is None
        if is_mirror and None not in (found.total, self.total) and found.total != self.total:
            raise self._changed(
                place, f"it has {found.total} bytes, and {self.total} at the other address"
            )

    def _changed(self, place: Place, why: str) -> SourceChangedError:
        label = place.endpoint.label
        return SourceChangedError(
            f"{label}: this is another object than the one whose beginning was read: {why}. Read "
            "it again from the beginning.",
            path=label,
        )

    def _begin_again(self, place: Place, answer: Any) -> None:
        """Go on behind what was handed out, if the object begins with exactly that."""
        self._refuse_another(place, answer.identity)
        taken, digest = self._ahead.rewind()
        place.host.add(restarted=1)
        telemetry.log(
            logging.WARNING,
            "source.restart",
            f"{place.endpoint.label}: fetched again from byte 0, of which {taken} are compared",
            url=place.endpoint.label,
            position=taken,
        )
        proof = _proof_for(answer)
        checksum = hashlib.sha256()
        left, rest = taken, b""
        while left > 0:
            self._check_time(place)
            block = answer.read(_BLOCK)
            if not block:
                self._check_time(place)
                raise self._changed(place, f"it ends before byte {taken}")
            place.host.add(bytes_in=len(block), bytes_again=min(left, len(block)))
            if proof is not None:
                proof.feed(block)
            checksum.update(memoryview(block)[:left])
            rest = block[left:]
            left -= min(left, len(block))
        if checksum.digest() != digest:
            raise self._changed(place, f"its first {taken} bytes are not those that were read")
        self._bind(place, answer)
        if rest:
            self._put(rest)
        self._pump(place, answer, proof)

    def _bind(self, place: Place, answer: Any) -> None:
        place.identity = answer.identity
        self.total = answer.identity.total

    # -- Bytes ---------------------------------------------------------------------------------

    def _put(self, block: bytes) -> None:
        self._ahead.put(block)
        self._highest = max(self._highest, self._ahead.received)

    def _pump(self, place: Place, answer: Any, proof: EndProof | None) -> None:
        """Hand on what comes, to the end of the body, and judge the end."""
        try:
            while block := answer.read(_BLOCK):
                place.host.add(bytes_in=len(block))
                if proof is not None:
                    proof.feed(block)
                # In chunks more can come than there is; none of it is handed on.
                self._judge_excess(place, self._ahead.received + len(block))
                self._put(block)
                self._check_time(place)
        except WrongLengthError:
            self.total = None
            raise
        # The end may be that of a line which was dropped because it is late.
        self._check_time(place)
        if self.total is not None:
            self._judge_length(place, self._ahead.received)
        elif answer.is_delimited or (proof is not None and self._is_whole(place, proof)):
            self._is_done = True

    def _judge_excess(self, place: Place, received: int) -> None:
        if self.total is not None and received > self.total:
            raise self._changed(place, f"it has {self.total} bytes, and {received} came")

    def _judge_length(self, place: Place, received: int) -> None:
        self._judge_excess(place, received)
        label = place.endpoint.label
        if received != self.total:
            raise SourceUnavailableError(
                f"{label}: the answer ends at byte {received} of {self.total}.", path=label
            )
        self._is_done = True

    def _is_whole(self, place: Place, proof: EndProof) -> bool:
        """Judge a body that ended only with the line."""
        label = place.endpoint.label
        verdict = proof.verdict()
        if verdict is True or self._is_checked_at_end or self._options.allow_unproven_end:
            return True
        if verdict is False:
            raise SourceUnavailableError(
                f"{label}: the line was closed inside the {proof.format} file.", path=label
            )
        raise TruncatedFileError(
            f"{label}: the server neither said how long its answer is nor ended it: whether it is "
            "whole cannot be known. allow_unproven_end=True takes it as it is, sha256= checks it.",
            path=label,
        )


def _proof_for(answer: Any) -> EndProof | None:
    return None if answer.is_delimited else EndProof()
