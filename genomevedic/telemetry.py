"""What is told to those who run things: log records with fields, and OpenTelemetry where it is.

Everything is logged under ``genomevedic``, and nothing is shown until a program asks for it. A
record carries ``gv_event``, a word such as ``"source.retry"``, and its facts as ``gv_host``,
``gv_wait`` and the like, so that a formatter can write them as fields:

>>> import logging
>>> logging.getLogger("genomevedic").handlers
[<NullHandler (NOTSET)>]

Where the OpenTelemetry API is installed (extra ``telemetry``), each request to a server is a span,
and requests, faults and bytes are counted. Where it is not, that costs one test of a cached value.
No URL goes into either with its credentials or its query.
"""

from __future__ import annotations

import functools
import logging
from types import TracebackType
from typing import Any, Self

__all__ = ["count", "log", "span"]

_NAME = "genomevedic"
_logger = logging.getLogger(_NAME)
_logger.addHandler(logging.NullHandler())

_COUNTERS = {
    "genomevedic.source.requests": ("{request}", "Requests made to servers"),
    "genomevedic.source.faults": ("{fault}", "Requests that failed"),
    "genomevedic.source.bytes": ("By", "Bytes received of sources"),
    "genomevedic.source.bytes_again": ("By", "Bytes received a second time after a fault"),
}


def log(level: int, event: str, message: str, **fields: Any) -> None:
    """Log one event with its facts as fields of the record."""
    if _logger.isEnabledFor(level):
        extra = {f"gv_{name}": value for name, value in fields.items()}
        _logger.log(level, message, extra={"gv_event": event, **extra}, stacklevel=2)


class _NoSpan:
    """Stands where there is no tracing; one serves all."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def set_attribute(self, name: str, value: Any) -> None:
        pass


_NO_SPAN = _NoSpan()


@functools.cache
def _instruments() -> tuple[Any, dict[str, Any]] | None:
    """Return the tracer and the counters; None where OpenTelemetry is not installed."""
    try:
        from opentelemetry import metrics, trace
    except ImportError:
        return None
    meter = metrics.get_meter(_NAME)
    counters = {
        name: meter.create_counter(name, unit=unit, description=words)
        for name, (unit, words) in _COUNTERS.items()
    }
    return trace.get_tracer(_NAME), counters


def span(name: str, **attributes: Any) -> Any:
    """Return a span to be entered; dots of attribute names are written as two underscores."""
    instruments = _instruments()
    if instruments is None:
        return _NO_SPAN
    return instruments[0].start_as_current_span(name, attributes=_dotted(attributes))


def count(name: str, amount: int = 1, **attributes: Any) -> None:
    """Add to a counter."""
    instruments = _instruments()
    if instruments is not None:
        instruments[1][name].add(amount, _dotted(attributes))


def _dotted(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in attributes.items()}
