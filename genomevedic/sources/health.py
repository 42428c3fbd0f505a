"""The health of the hosts that sources are read from."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .. import telemetry
from ..recovery import CircuitBreaker, Ticket
from .options import RemoteOptions

__all__ = ["Host", "HostHealth", "merged"]


@dataclass(frozen=True, slots=True)
class HostHealth:
    """How a host has served.

    Attributes
    ----------
    host : str
        Scheme and name, without credentials.
    state : str
        Of its circuit breaker: ``"closed"``, ``"open"`` or ``"half-open"``.
    requests, failures : int
        Requests made of it, and those that failed in a way that counts.
    failures_in_a_row : int
        Since the last one that was answered whole.
    latency : float or None
        Seconds from the last request to the head of its answer.
    last_error : str or None
        The words of the last failure.
    bytes_in : int
        Bytes received.
    resumed : int
        Times that a stream was continued where it had broken off.
    restarted : int
        Times that it had to be fetched again from its first byte.
    bytes_again : int
        Bytes that were received before, by this host or another.
    """

    host: str
    state: str
    requests: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    latency: float | None = None
    last_error: str | None = None
    bytes_in: int = 0
    resumed: int = 0
    restarted: int = 0
    bytes_again: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return dataclasses.asdict(self)


_SUMS = ("requests", "failures", "bytes_in", "resumed", "restarted", "bytes_again")


class Host:
    """A host and what is known of it; any number of threads may use it."""

    def __init__(self, name: str, options: RemoteOptions) -> None:
        self.name = name
        self.breaker = CircuitBreaker(
            name,
            failures=options.failures,
            cooldown=options.cooldown,
            on=options.retry.on,
            clock=options.clock,
            on_change=_tell_change,
        )
        self._lock = threading.Lock()
        self._sums = dict.fromkeys(_SUMS, 0)
        self._latency: float | None = None
        self._last_error: str | None = None

    def add(self, **amounts: int) -> None:
        """Add to the counts."""
        with self._lock:
            for name, amount in amounts.items():
                self._sums[name] += amount
        if "bytes_in" in amounts:
            telemetry.count(
                "genomevedic.source.bytes", amounts["bytes_in"], server__address=self.name
            )
        if "requests" in amounts:
            telemetry.count("genomevedic.source.requests", server__address=self.name)
        if "bytes_again" in amounts:
            telemetry.count(
                "genomevedic.source.bytes_again", amounts["bytes_again"], server__address=self.name
            )

    def answered(self, seconds: float) -> None:
        """Note how long the head of an answer took."""
        with self._lock:
            self._latency = seconds

    def failed(self, error: BaseException) -> None:
        """Note a failure."""
        with self._lock:
            self._sums["failures"] += 1
            self._last_error = str(error)
        kind = type(error).__name__
        telemetry.count("genomevedic.source.faults", server__address=self.name, error__type=kind)

    def ticket(self, insists: bool) -> Ticket | None:
        """Let a request through; None where the breaker would not, and the caller insists."""
        if insists and not self.breaker.may_call():
            return None
        return self.breaker.admit()

    @property
    def health(self) -> HostHealth:
        """What is known now."""
        state, row = self.breaker.state, self.breaker.faults_in_a_row
        with self._lock:
            return HostHealth(
                host=self.name,
                state=state,
                failures_in_a_row=row,
                latency=self._latency,
                last_error=self._last_error,
                **self._sums,
            )


def _tell_change(breaker: CircuitBreaker, before: str, after: str) -> None:
    telemetry.log(
        logging.WARNING if after == "open" else logging.INFO,
        "source.circuit",
        f"{breaker.name}: the circuit was {before} and is {after}",
        host=breaker.name,
        before=before,
        after=after,
    )


def merged(hosts: Iterable[Host]) -> tuple[HostHealth, ...]:
    """Return one row a host, in the order of their first appearance.

    Sources of one host are counted together; what cannot be added up is that of the last one that
    was asked.
    """
    rows: dict[str, HostHealth] = {}
    for each in dict.fromkeys(hosts):  # Several streams may share one.
        row, before = each.health, rows.get(each.name)
        if before is not None:
            newest = row if row.requests else before
            sums = {name: getattr(before, name) + getattr(row, name) for name in _SUMS}
            row = dataclasses.replace(
                newest, last_error=row.last_error or before.last_error, **sums
            )
        rows[each.name] = row
    return tuple(rows.values())
