"""How remote sources are read: the keys of ``storage_options``."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..arguments import check_integer, check_number, parse_size
from ..recovery import Retry

__all__ = ["RemoteOptions"]

_DIGITS = {"md5": 32, "sha256": 64}


@dataclass(frozen=True, kw_only=True)
class RemoteOptions:
    """How remote sources are read.

    Parameters
    ----------
    headers : mapping of str, optional
        Sent with each request of http, of a mirror to each of its addresses. Where a redirect
        leads to another host, that host gets only Accept, Accept-Language and User-Agent of them.
    retry : recovery.Retry, optional
        Tries in a row that bring no byte, and the waits between them. A deadline of its own is one
        for the whole source, too.
    failures, cooldown : int, float, default 3, 30.0
        Of each host's circuit breaker; see `recovery.CircuitBreaker`.
    connect_timeout, idle_timeout : float, default 10.0, 30.0
        Seconds to connect, and seconds that may pass without the head of an answer, or the next
        bytes of its body.
    deadline : float, optional
        Seconds for the whole source, from its first byte asked for.
    read_ahead : int or str, default "8 MiB"
        Bytes fetched while the parser works.
    allow_unproven_end : bool, default False
        Take a body that ends only with the line, although nothing proves that it is whole.
    allow_private : bool, default False
        Follow redirects from a public address into a private network.
    md5, sha256 : str, optional
        Checksum of the whole source as it lies there, in hexadecimal digits. It is compared at the
        end, and lets a mirror continue a stream.
    ssl_context : ssl.SSLContext, optional
        For https.
    clock : callable
        The seconds of a clock that never goes back.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    retry: Retry = field(default_factory=Retry)
    failures: int = 3
    cooldown: float = 30.0
    connect_timeout: float = 10.0
    idle_timeout: float = 30.0
    deadline: float | None = None
    read_ahead: int | str = 8 << 20
    allow_unproven_end: bool = False
    allow_private: bool = False
    md5: str | None = None
    sha256: str | None = None
    ssl_context: Any = None
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "idle_timeout", "deadline"):
            value = getattr(self, name)
            if value is not None and check_number(name, value) <= 0:
                raise ValueError(f"{name} must be above 0, and is {value!r}")
        if not isinstance(self.retry, Retry):
            raise TypeError(f"retry must be a recovery.Retry, and is {self.retry!r}")
        for name, value in self.headers.items():
            if not re.fullmatch(r"[!-9;-~]+", name) or not re.fullmatch(r"[\t -~]*", value):
                # Not the value, which may be a secret.
                raise ValueError(f"headers: {name!r} or its value holds what no header can")
        # Frozen for others; here the value is brought into its one form.
        size = check_integer("read_ahead", parse_size(self.read_ahead, "read_ahead"), 1)
        object.__setattr__(self, "read_ahead", size)
        for name, digits in _DIGITS.items():
            value = getattr(self, name)
            if value is not None:
                if not isinstance(value, str) or not re.fullmatch(
                    rf"[0-9a-fA-F]{{{digits}}}", value
                ):
                    raise ValueError(f"{name} must be {digits} hexadecimal digits, is {value!r}")
                object.__setattr__(self, name, value.lower())

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> RemoteOptions:
        """Make the options from what a user gave.

        Raises
        ------
        TypeError, ValueError
            An option that there is not, or one that makes no sense.
        """
        given = {} if given is None else given
        known = [each.name for each in dataclasses.fields(cls)]
        for name in given:
            if name not in known:
                raise ValueError(
                    f"storage_options has no {name!r} for http; there are {', '.join(known)}"
                )
        return cls(**given)

    @classmethod
    def split(cls, given: Mapping[str, Any] | None) -> tuple[RemoteOptions, dict[str, Any]]:
        """Make the options that hold for every store, and return the rest, which are the store's.

        Parameters
        ----------
        given : mapping or None
            As of `of`; what is about http alone belongs to the store.
        """
        given = {} if given is None else dict(given)
        ours = ("retry", "failures", "cooldown", "deadline", "read_ahead", "md5", "sha256", "clock")
        mine = {name: given.pop(name) for name in ours if name in given}
        return cls(**mine), given
