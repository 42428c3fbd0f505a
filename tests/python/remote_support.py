"""What the tests of remote sources share: an object to serve, and options without real waits."""

from __future__ import annotations

from typing import Any

import genomevedic as gv
from fault_schedules import fastq
from faulty_server import Handler, Reply, Request, Thing, honest

TEXT = fastq(7, 300)
OTHER = fastq(8, 300)
TAGGED = Thing(TEXT, etag='"one"')


def options(waits: list[float] | None = None, **more: Any) -> dict[str, Any]:
    """Options whose waits are noted, and not made."""
    noted = [] if waits is None else waits
    retry = gv.recovery.Retry(sleep=noted.append, uniform=lambda low, high: high)
    return {"retry": retry, "idle_timeout": 5.0, **more}


def fetch(url: Any, **more: Any) -> bytes:
    stream = gv.sources.open_url(url, options(**more)) if isinstance(url, str) else url
    with stream:
        return stream.read()


def first_cut(thing: Thing, at: int, **more: Any) -> Handler:
    def handler(request: Request) -> Reply:
        reply = honest(thing, request, **more)
        return reply.but(stop_after=at) if request.number == 0 else reply

    return handler
