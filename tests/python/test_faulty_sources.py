"""Reading from servers that fail: whole and exact, or an error; never a part, a mixture, a hang.

Twelve faults, at a hundred cut points, with ten seeds: all under ``-m soak``, a few always. What
comes out is compared with the same reading of the bytes themselves.
"""

from __future__ import annotations

import collections
import gc
import itertools
import logging
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest

import genomevedic as gv
from fault_schedules import FAULTS, Schedule, fastq, schedule
from faulty_server import FaultyServer, Handler, Reply, Request, Thing, honest

COLUMNS = ("name", "sequence", "qualities", "length")

# A run that takes longer than this, in seconds, hangs.
PATIENCE = 60


def options(seed: int, tries: int = 5) -> dict[str, Any]:
    """Options whose waits take no time, with much or little read ahead."""
    return {
        "retry": gv.recovery.Retry(
            tries=tries, sleep=lambda seconds: None, uniform=lambda low, high: 0.0
        ),
        "idle_timeout": 0.15,
        "connect_timeout": 10,
        "read_ahead": random.Random(seed).choice([1, 1000, 1 << 20]),
    }


def contents(source: Any, **more: Any) -> tuple[bytes, ...]:
    particles = gv.read_fastq(source, columns=COLUMNS, **more)
    texts = (particles.name, particles.sequence, particles.qualities)
    parts = [part for text in texts for part in (text.offsets, text.data)]
    return (*(bytes(memoryview(part)) for part in parts), particles.length.tobytes())


def judge(plan: Schedule, url: str, seed: int) -> str:
    """Read, and say what it came to: "exact", "error", or what must not be."""
    try:
        found = contents(url, storage_options=options(seed))
    except gv.errors.GenomeVedicError as error:
        assert "secret" not in str(error)
        return "error"
    if any(found == contents(body) for body in plan.versions):
        return "exact"
    whole = [contents(body)[2] for body in plan.versions]
    return "silent" if any(body.startswith(found[2][:64]) for body in whole) else "mixed"


def run(server: FaultyServer, fault: str, cut_point: int, seed: int) -> tuple[str, str]:
    plan = schedule(fault, cut_point, seed)
    path = f"/{fault.replace(' ', '-')}-{cut_point}-{seed}"
    url = server.serve(path, plan.handler)
    try:
        return plan.promise, judge(plan, f"{url}?key=secret", seed)
    finally:
        server.forget(path)


def check(server: FaultyServer, runs: list[tuple[str, int, int]], workers: int) -> None:
    came_to: collections.Counter[tuple[str, str, str]] = collections.Counter()
    wrong = []
    with ThreadPoolExecutor(workers) as pool:
        started = [(each, pool.submit(run, server, *each)) for each in runs]
        for each, future in started:
            promise, found = future.result(timeout=PATIENCE)
            came_to[each[0], promise, found] += 1
            if found not in ("exact", "error") or promise not in (found, "either"):
                wrong.append((each, promise, found))
    for row, count in sorted(came_to.items()):
        print(*row, count)
    assert not wrong, f"{len(wrong)} of {len(runs)}: {wrong[:10]}"
    assert sum(came_to.values()) == len(runs)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_draw_of_faults(server: FaultyServer, fault: str) -> None:
    dice = random.Random(fault)
    points = [0, 1, 99, *dice.sample(range(2, 99), 7)]
    check(server, [(fault, point, dice.randrange(10)) for point in points], workers=4)


@pytest.mark.soak
@pytest.mark.parametrize("fault", FAULTS)
def test_all_faults(server: FaultyServer, fault: str) -> None:
    runs = list(itertools.product([fault], range(100), range(10)))
    check(server, runs, workers=8 if fault == "stall" else 2)


def one_in_five_fails(body: bytes) -> Handler:
    """Fail a fifth of the first requests of streams, in turn in five ways; parts are answered."""
    thing = Thing(body, etag='"one"')
    dice = random.Random(5)

    def handler(request: Request) -> Reply:
        reply = honest(thing, request)
        if request.start is not None or dice.random() >= 0.2:
            return reply
        at = dice.randrange(1, len(body))
        broken = {
            "cut": reply.but(stop_after=at),
            "reset": reply.but(stop_after=at, then="reset"),
            "busy": Reply(503, {"Retry-After": "1", "Content-Length": "0"}),
            "long": reply.with_headers(Content_Length=str(len(body) + 9)),
            "short": reply.with_headers(Content_Length=str(at)),
        }
        return broken[dice.choice(sorted(broken))]

    return handler


def check_endurance(readings: int, settling: int, growth: float) -> None:
    """`settling`: tenths of the readings in which allocators find what they need."""
    body = fastq(1, 5)
    expected = gv.read_fastq(body)
    process = psutil.Process()
    marks = []
    with FaultyServer(keeps_log=False) as small:
        url = small.serve("/small", one_in_five_fails(body))
        for n in range(1, readings + 1):
            # Five faults in a row come about; ten in a row take more than all these readings.
            found = gv.read_fastq(url, storage_options=options(n, tries=10))
            assert found == expected
            if n % (readings // 10) == 0:
                del found
                gc.collect()
                marks.append(process.memory_info().rss)
                threads = [each.name for each in threading.enumerate()]
                assert "genomevedic-fetch" not in threads
                print(n, marks[-1], process.num_fds())
                assert process.num_fds() < 64
    # What Python and the pools keep warm is there after the first reads; then nothing is added.
    if "GV_ASAN" not in os.environ:
        assert max(marks[settling:]) <= (1 + growth) * min(marks[settling:]), marks


@pytest.fixture
def unlogged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="genomevedic")  # Or pytest keeps what is logged.


@pytest.mark.usefixtures("unlogged")
def test_a_thousand_small_reads_leave_nothing() -> None:
    check_endurance(1_000, settling=5, growth=0.05)


@pytest.mark.soak
@pytest.mark.usefixtures("unlogged")
def test_a_hundred_thousand_small_reads_leave_nothing() -> None:
    check_endurance(100_000, settling=1, growth=0.01)


def test_nothing_is_left_behind(server: FaultyServer) -> None:
    names = [thread.name for thread in threading.enumerate()]
    assert "genomevedic-fetch" not in names
