"""One request of http or https and its answer, over urllib3: no retries, no decoding, no cache.

What urllib3 and the system raise becomes an error of ours that says whether it may pass. urllib3's
connections are used without its pools, which would log whole URLs.
"""

from __future__ import annotations

import errno
import http.client
import logging
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from .. import _core, telemetry
from ..errors import (
    SourceNotFoundError,
    SourcePermissionError,
    SourceReadError,
    SourceUnavailableError,
    SystemResourceError,
    TimedOutError,
)
from . import address as addresses
from .address import Address
from .identity import Identity, content_range, parse_date
from .line import Line, WrongLengthError
from .options import RemoteOptions

__all__ = ["Answer", "WebEndpoint"]

_MOST_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)

# What a server says when it can not for now.
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_NO_LEAVE = (401, 403, 407)
_NOT_THERE = (404, 410)

_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

# As many digits as a length of 64 bits has.
_LENGTH = re.compile(r"[0-9]{1,18}")

# How long a server may take to close the line once it has sent all, in seconds: it was asked to.
_PATIENCE = 0.25

# What every request says, unless the caller has it otherwise. The line is closed behind the answer,
# so that whatever follows its length is seen.
_HEADERS = {
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": f"genomevedic/{_core.config()['version']}",
}

# The caller's headers that other hosts may see. Any other may be a key, whatever it is called.
_HARMLESS_HEADERS = ("accept", "accept-encoding", "accept-language", "connection", "user-agent")
_HEADERS_OF_PARTS = ("range", "if-range")


class _Lines:
    """What a server sends, whose lines are whole: http.client takes half a one for a whole one.

    So a head that was cut would be one without a length, and a chunk of 0500 bytes the last one.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.is_in_head = True

    def readline(self, most: int) -> bytes:
        line: bytes = self._stream.readline(most)
        is_cut = not line.endswith(b"\n") and len(line) < most
        if is_cut and (line or self.is_in_head):
            raise http.client.HTTPException("the server closed the line within its answer")
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        lines = _Lines(self.fp)
        self.fp = lines  # type: ignore[assignment]
        super().begin()
        lines.is_in_head = False


class _Checked:
    """A connection that looks whom it has reached before it says anything."""

    may_reach_private = True
    #: What http.client makes of the answer; urllib3 forgets it where it does not like its headers.
    made: _Response | None = None

    def response_class(self, *args: Any, **kwargs: Any) -> _Response:
        self.made = _Response(*args, **kwargs)
        return self.made

    def _new_conn(self) -> socket.socket:
        line: socket.socket = super()._new_conn()  # type: ignore[misc]
        try:
            self.peer = line.getpeername()[0]
            if not self.may_reach_private and addresses.is_private(self.peer):
                raise _PrivateAddressError
        except BaseException:
            line.close()
            raise
        return line


class _PrivateAddressError(Exception):
    """A redirect leads into a private network."""


class _Plain(_Checked, HTTPConnection):  # type: ignore[misc]
    pass


class _Secure(_Checked, HTTPSConnection):  # type: ignore[misc]
    pass


@contextmanager
def _in_our_words(where: Address) -> Iterator[None]:
    """Turn what a request raises into our errors; their causes hold no secret of the address."""
    try:
        yield
    except _PrivateAddressError:
        raise SourceReadError(
            f"{where.label}: a redirect leads to an address in a private network, which is not "
            "followed; allow_private=True allows it.",
            path=where.label,
        ) from None
    except urllib3.exceptions.NewConnectionError as error:  # Called a timeout, which it is not.
        raise _of_broken_line(where, error) from _stripped(error)
    except (urllib3.exceptions.TimeoutError, TimeoutError) as error:
        raise TimedOutError(
            f"{where.label}: the server did not answer in time: {_words(error)}.",
            path=where.label,
            errno=errno.ETIMEDOUT,
        ) from _stripped(error)
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
        raise _of_broken_line(where, error) from _stripped(error)


def _of_broken_line(where: Address, error: BaseException) -> SourceReadError:
    causes = list(_causes(error))
    numbers = [each.errno for each in causes if isinstance(each, OSError) and each.errno]
    number = numbers[-1] if numbers else None
    context: dict[str, Any] = {"path": where.label}
    if number is not None and number > 0:
        context["errno"] = number
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in causes):
        return SourceReadError(
            f"{where.label}: the server's certificate is not valid: {_words(error)}.", **context
        )
    if number in _OUT_OF_RESOURCES:
        return SystemResourceError(
            f"{where.label}: the system has no connection left to give: {_words(error)}.", **context
        )
    return SourceUnavailableError(
        f"{where.label}: the line to the server failed: {_words(error)}.", **context
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Go through an error and what it came from, outermost first; urllib3 keeps some in args."""
    seen: set[int] = set()
    left = [error]
    while left:
        each = left.pop(0)
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [
                more
                for more in (each.__cause__, each.__context__, *each.args)
                if isinstance(more, BaseException)
            ]


def _words(error: BaseException) -> str:
    """Return what happened, without the connection's address in memory."""
    inner = [each for each in _causes(error) if not isinstance(each, urllib3.exceptions.HTTPError)]
    first = inner[0] if inner else error
    text = str(first.strerror if isinstance(first, OSError) and first.strerror else first)
    return text.rstrip(".") or type(first).__name__


def _stripped(error: BaseException) -> BaseException:
    """Return an error that can be pickled and holds no object of the connection."""
    if type(error).__module__ in ("builtins", "socket", "ssl") and not error.__cause__:
        error.__context__ = None
        return error
    kind = TimeoutError if isinstance(error, TimeoutError) else ConnectionError
    return kind(f"{type(error).__name__}: {_words(error)}")


# ---------------------------------------------------------------------------------------------
# The answer
# ---------------------------------------------------------------------------------------------


class Answer:
    """An answer whose body is read piece by piece.

    Attributes
    ----------
    start : int
        The first byte of the object that the body holds.
    identity : Identity
        Of which object.
    is_past_end : bool
        The server says that the object has no byte at the place asked for; there is no body.
    is_delimited : bool
        Whether the body says itself where it ends: by a length, or in chunks.
    has_range : bool
        Whether it is a part of the object, as asked for.
    """

    def __init__(
        self, endpoint: WebEndpoint, connection: Any, response: Any, line: Line, timeout: float
    ) -> None:
        self._where = endpoint.address
        self._connection = connection
        self._response = response
        self._line = line
        self._timeout = timeout
        self.has_range = response.status == 206
        self.is_past_end = response.status == 416
        first, last, total = content_range(response.headers.get("Content-Range"))
        length = _length(response)
        self.start = 0
        if self.has_range:
            self.start = -1 if first is None else first
            if first is not None and last is not None:
                span = last - first + 1
                length = span if length is None else min(length, span)
        elif not self.is_past_end:
            total = length
        self.identity = Identity.of(response.headers, total)
        self.is_delimited = length is not None or _is_chunked(response)
        self._left = None if _is_chunked(response) else length
        self._look_further()

    def _look_further(self) -> None:
        """Let one byte more than the length said be read, to see whether the length is true."""
        original = getattr(self._response, "_original_response", None)
        self._can_look = self._left is not None and isinstance(
            getattr(original, "length", None), int
        )
        if self._can_look and original is not None:
            original.length += 1
            self._response.length_remaining += 1

    def read(self, most: int) -> bytes:
        """Return the next bytes, at least one and at most so many; none at the end of the body.

        Raises
        ------
        SourceUnavailableError, TimedOutError
            The line failed, or the body is shorter or longer than it was said to be.
        """
        if self._left == 0:
            self._check_end()
            return b""
        with _in_our_words(self._where):
            wanted = most if self._left is None else min(most, self._left)
            with self._line.expecting(self._timeout):
                block: bytes = self._response.read1(wanted) or b""
        if self._left is not None:
            if not block:
                raise SourceUnavailableError(
                    f"{self._where.label}: the server closed the line {self._left} bytes before "
                    "the end of its answer.",
                    path=self._where.label,
                )
            self._left -= len(block)
        return block

    def _check_end(self) -> None:
        """Look whether bytes follow the last one: then the length that was said is wrong."""
        if not self._can_look:
            return
        self._can_look = False
        block = b""
        with suppress(Exception):  # Whatever happens to the line now, all that was said is here.
            self._line.set_timeout(_PATIENCE)
            block = self._response.read1(1)
        if block:
            raise WrongLengthError(
                f"{self._where.label}: the server sends more bytes than it said.",
                path=self._where.label,
            )

    def close(self) -> None:
        """Close the line."""
        _close(self._line, self._connection, self._response)

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _close(line: Line, connection: Any, response: Any) -> None:
    """Close both: a server may have let the line open behind its answer, as if more were asked."""
    line.use(None)
    for each in (response, connection.made, connection):
        if each is not None:
            with suppress(Exception):
                each.close()


def _length(response: Any) -> int | None:
    """Return the Content-Length; None where there is none.

    Raises
    ------
    http.client.HTTPException
        It is no length, so that where the body ends cannot be known (RFC 9112, 6.3).
    """
    stated = response.headers.get("Content-Length")
    if stated is None:
        return None
    lengths = {part.strip() for part in stated.split(",")}
    text = lengths.pop()
    if lengths or not _LENGTH.fullmatch(text):
        raise http.client.HTTPException("the answer states a length that is none")
    return int(text)


def _is_chunked(response: Any) -> bool:
    return "chunked" in response.headers.get("Transfer-Encoding", "").lower()


# ---------------------------------------------------------------------------------------------
# The request
# ---------------------------------------------------------------------------------------------


class WebEndpoint:
    """An object at an address of http or https.

    Attributes
    ----------
    address : Address
        Where it is.
    label, host : str
        What messages call it, and whose health is kept.
    """

    def __init__(self, url: str, options: RemoteOptions) -> None:
        self.address = Address.parse(url)
        self.label = self.address.label
        self.host = self.address.origin
        self._options = options

    def request(self, start: int, known: Identity | None, line: Line, timeout: float) -> Answer:
        """Ask for the object from a byte on.

        Parameters
        ----------
        start : int
            The first byte wanted; 0 asks for the whole.
        known : Identity or None
            Of the object wanted: its validator makes the server send a part of that object or
            the whole of another.
        line : Line
            Told which socket is in use.
        timeout : float
            Seconds that may pass without a whole head, or the next bytes of the body.

        Returns
        -------
        Answer

        Raises
        ------
        SourceReadError
            The server refuses, or fails; its kinds tell.
        """
        headers = {**_HEADERS, **self._options.headers}
        if start > 0:
            headers["Range"] = f"bytes={start}-"
            if known is not None and known.validator is not None:
                headers["If-Range"] = known.validator
        with telemetry.span(
            "GET", http__request__method="GET", url__full=self.label, server__address=self.host
        ) as span:
            connection, response = self._follow(headers, line, timeout)
            span.set_attribute("http.response.status_code", response.status)
        if response.status in (200, 203, 206) or (response.status == 416 and start > 0):
            try:
                with _in_our_words(self.address):
                    return Answer(self, connection, response, line, timeout)
            except BaseException:
                _close(line, connection, response)
                raise
        _close(line, connection, response)
        raise self._refusal(response)

    def _follow(self, headers: Mapping[str, str], line: Line, timeout: float) -> tuple[Any, Any]:
        """Make the request, and those that redirects lead to."""
        where, seen = self.address, set()
        may_reach_private = True
        for _ in range(_MOST_REDIRECTS + 1):
            connection, response = self._ask(where, headers, line, timeout, may_reach_private)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return connection, response
            _close(line, connection, response)
            may_reach_private = self._options.allow_private or (
                may_reach_private and addresses.is_private(connection.peer)
            )
            seen.add((where.origin, where.target))
            where = self._redirected(where, location)
            if (where.origin, where.target) in seen:
                break
        raise SourceReadError(
            f"{self.label}: the server's redirects lead in a circle, or too far.", path=self.label
        )

    def _redirected(self, where: Address, location: str) -> Address:
        try:
            return where.redirected(location)
        except ValueError as error:
            raise SourceReadError(
                f"{self.label}: a redirect leads to what is not followed: {error}.", path=self.label
            ) from None

    def _ask(
        self,
        where: Address,
        headers: Mapping[str, str],
        line: Line,
        timeout: float,
        may_reach_private: bool,
    ) -> tuple[Any, Any]:
        kind: Any = _Secure if where.scheme == "https" else _Plain
        more = {"ssl_context": self._options.ssl_context} if where.scheme == "https" else {}
        connection = kind(
            where.host, where.port, timeout=min(timeout, self._options.connect_timeout), **more
        )
        connection.may_reach_private = may_reach_private
        response = None
        is_done = False
        try:
            with _in_our_words(self.address):
                connection.connect()
                line.use(connection.sock)
                connection.timeout = timeout
                with line.expecting(timeout):
                    connection.request(
                        "GET",
                        where.target,
                        headers=self._headers_for(where, headers),
                        preload_content=False,
                        decode_content=False,
                        enforce_content_length=False,
                    )
                    response = connection.getresponse()
            is_done = True
        finally:
            if not is_done:
                _close(line, connection, response)
        telemetry.log(
            logging.DEBUG,
            "source.answer",
            f"{where.label}: answered {response.status}",
            url=where.label,
            status=response.status,
        )
        return connection, response

    def _headers_for(self, where: Address, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers for an address; what may be secret goes to the first host alone."""
        if where.origin == self.address.origin:
            if self.address.authorization is None:
                return dict(headers)
            return {"Authorization": self.address.authorization, **headers}
        seen_by_all = (*_HARMLESS_HEADERS, *_HEADERS_OF_PARTS)
        return {name: each for name, each in headers.items() if name.lower() in seen_by_all}

    def _refusal(self, response: Any) -> SourceReadError:
        status = response.status
        words = http.client.responses.get(status, "no known status")
        message = f"{self.label}: the server answered {status} ({words})."
        context: dict[str, Any] = {"path": self.label, "status": status}
        if status in _NOT_THERE:
            return SourceNotFoundError(message, errno=errno.ENOENT, **context)
        if status in _NO_LEAVE:
            return SourcePermissionError(message, errno=errno.EACCES, **context)
        if status in _PASSING:
            after = _retry_after(response.headers.get("Retry-After"))
            if after is not None:
                context["retry_after"] = after
            return SourceUnavailableError(message, **context)
        return SourceReadError(message, **context)


def _retry_after(text: str | None) -> float | None:
    """Return the seconds that a server asks for, given as such or as a date."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    date = parse_date(text)
    if date is None:
        return None
    return max(0.0, (date - datetime.fromtimestamp(time.time(), UTC)).total_seconds())
