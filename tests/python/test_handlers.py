"""Handlers by error code: asked in order, nobody else's; trying again gives each record once."""

from __future__ import annotations

import asyncio
import contextvars
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genomevedic as gv
from genomevedic.errors import ErrorCode, on
from genomevedic.memory import Arena
from test_threads import records

SOUND = b"@%d\nACGT\n+\nIIII\n"
BAD = b"@b%d\nAC\n+\nI\n"
MIXED = b"".join((SOUND % i) + (BAD % i) for i in range(5))
LARGE = records("plain")
WRAPPED = records("wrapped", size=300_000)


@pytest.fixture(autouse=True)
def no_handler_is_left() -> Iterator[None]:
    yield
    gv.memory.set_limit(None)
    assert gv.errors._handlers.get() == ()


pytestmark = pytest.mark.filterwarnings("ignore::genomevedic.errors.SkippedWarning")


def names(source: object, **options: Any) -> list[str]:
    return list(gv.read_fastq(source, columns=["name"], **options)["name"].tolist())


# --- which one is asked -----------------------------------------------------------------------


def test_a_handler_skips_and_the_policy_is_not_asked() -> None:
    asked: list[Any] = []
    with on("QUALITY_MISMATCH", lambda error: "skip"):
        assert names(MIXED) == list("01234")
        assert names(MIXED, on_error=lambda error: asked.append(error) or "raise") == list("01234")
    assert asked == []


def test_a_handler_raises_where_the_policy_would_skip() -> None:
    with (
        on(ErrorCode.QUALITY_MISMATCH, lambda error: "raise"),
        pytest.raises(gv.errors.QualityMismatchError),
    ):
        names(MIXED, on_error="skip")
    assert names(MIXED, on_error="skip") == list("01234")


def test_max_errors_binds_handlers_too() -> None:
    with on("QUALITY_MISMATCH", lambda error: "skip"), pytest.raises(ValueError) as caught:
        names(MIXED, max_errors=2)
    assert caught.value.__notes__ == ["2 records were skipped before it, as max_errors allows"]


def test_the_latest_is_asked_first() -> None:
    asked: list[str] = []

    def say(name: str, answer: str | None) -> Callable[[Any], str | None]:
        return lambda error: asked.append(name) or answer  # type: ignore[func-returns-value]

    with on("QUALITY_MISMATCH", say("outer", "skip")):
        with on("QUALITY_MISMATCH", say("inner", None)), on("TRUNCATED", say("other", "raise")):
            assert names(BAD % 1 + SOUND % 1) == ["1"]
        assert asked == ["inner", "outer"]
        with (
            on("QUALITY_MISMATCH", say("inner", "raise")),
            pytest.raises(gv.errors.QualityMismatchError),
        ):
            names(BAD % 1)
        assert names(BAD % 1 + SOUND % 1) == ["1"]
    assert asked == ["inner", "outer", "inner", "outer"]


def test_only_its_code() -> None:
    asked: list[Any] = []
    with on("INVALID_FASTQ", asked.append), pytest.raises(gv.errors.QualityMismatchError):
        names(BAD % 1)
    assert asked == []


@pytest.mark.parametrize(
    ("code", "source", "options"),
    [
        ("FILE_READ", "no such file", {}),
        ("NO_COORDINATES", SOUND % 1, {"layout": "flowcell"}),
        ("NO_COORDINATES", SOUND % 1, {"layout": np.full((1, 3), np.nan), "unplaced": "raise"}),
        ("INVALID_COORDINATE", SOUND % 1, {"layout": lambda particles: np.zeros((9, 3))}),
    ],
)
def test_what_is_met_before_or_behind_the_records_is_told(
    code: str, source: Any, options: dict[str, Any]
) -> None:
    told: list[gv.errors.GenomeVedicError] = []
    with on(code, told.append), pytest.raises(gv.errors.GenomeVedicError) as caught:
        gv.read_fastq(source, **options)
    assert told == [caught.value]


@pytest.mark.parametrize("answer", [None, "skip", "raise", "retry", 7])
@pytest.mark.parametrize("text", [b"@a\nAC", b"\x1f\x8b\x08\0"])
def test_what_always_raises_is_told_and_raises(answer: Any, text: bytes) -> None:
    asked: list[Any] = []
    with (
        on("TRUNCATED", lambda error: asked.append(error.code) or answer),
        pytest.raises(gv.errors.TruncatedFileError),
    ):
        names(text, on_error="skip")
    assert asked == ["TRUNCATED"]


@pytest.mark.parametrize("answer", ["retry", "ignore", 3])
def test_answers_that_mean_nothing(answer: Any) -> None:
    with on("QUALITY_MISMATCH", lambda error: answer), pytest.raises(ValueError, match="'skip'"):
        names(MIXED)
    with on("ARENA_FULL", lambda error: "skip"), pytest.raises(ValueError, match="'retry'"):
        names(MIXED, arena=Arena(1), on_error="skip")


def test_a_handler_that_raises() -> None:
    def fail(error: Exception) -> str:
        raise LookupError("out of ideas") from error

    with on("QUALITY_MISMATCH", fail), pytest.raises(LookupError) as caught:
        names(MIXED)
    assert isinstance(caught.value.__cause__, gv.errors.QualityMismatchError)
    assert names(SOUND % 1) == ["1"]


def test_arguments() -> None:
    with pytest.raises(ValueError, match="NONSENSE"):
        on("NONSENSE", lambda error: None)
    with pytest.raises(TypeError, match="function"):
        on("TRUNCATED", "skip")  # type: ignore[arg-type]


def test_without_a_with_block() -> None:
    handler = on("QUALITY_MISMATCH", lambda error: "skip")
    assert names(MIXED) == list("01234")
    handler.off()
    handler.off()
    with pytest.raises(gv.errors.QualityMismatchError):
        names(MIXED)


def test_the_same_function_twice() -> None:
    def skip(error: Exception) -> str:
        return "skip"

    with on("QUALITY_MISMATCH", skip):
        with on("QUALITY_MISMATCH", skip):
            pass
        assert names(MIXED) == list("01234")


def test_a_block_left_by_an_error() -> None:
    with pytest.raises(ZeroDivisionError), on("QUALITY_MISMATCH", lambda error: "skip"):
        raise ZeroDivisionError
    with pytest.raises(gv.errors.QualityMismatchError):
        names(MIXED)


# --- whose it is ------------------------------------------------------------------------------


def test_threads_have_their_own() -> None:
    outcomes: dict[int, object] = {}
    ready = threading.Barrier(4)

    def read(number: int) -> None:
        ready.wait()
        try:
            outcomes[number] = names(MIXED)
        except gv.errors.QualityMismatchError as error:
            outcomes[number] = error.code
        ready.wait()

    def work(number: int) -> None:
        if number % 2:
            with on("QUALITY_MISMATCH", lambda error: "skip"):
                read(number)
        else:
            read(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    skipped, raised = list("01234"), "QUALITY_MISMATCH"
    assert outcomes == {0: raised, 1: skipped, 2: raised, 3: skipped}


def test_tasks_have_their_own() -> None:
    async def skipping() -> list[str]:
        with on("QUALITY_MISMATCH", lambda error: "skip"):
            await asyncio.sleep(0)
            found = names(MIXED)
            await asyncio.sleep(0)
            return found

    async def raising() -> str:
        await asyncio.sleep(0)
        try:
            names(MIXED)
        except gv.errors.QualityMismatchError as error:
            return str(error.code)
        return "nothing"

    async def everything() -> list[object]:
        return list(await asyncio.gather(skipping(), raising(), skipping(), raising()))

    raised = "QUALITY_MISMATCH"
    assert asyncio.run(everything()) == [list("01234"), raised, list("01234"), raised]


def test_a_copied_context_keeps_to_itself() -> None:
    context = contextvars.copy_context()
    handler = context.run(on, "QUALITY_MISMATCH", lambda error: "skip")
    with pytest.raises(gv.errors.QualityMismatchError):
        names(MIXED)
    assert context.run(names, MIXED) == list("01234")
    handler.off()  # not in force here, and so nothing happens
    assert context.run(names, MIXED) == list("01234")


# --- memory: trying again ---------------------------------------------------------------------


class Hoard:
    """Arrays in an arena, let go one by one."""

    def __init__(self, arena: Arena, size: int, count: int) -> None:
        self.held = [arena.empty(size, "u1") for _ in range(count)]
        self.asked: list[Any] = []

    def let_go(self, error: Any) -> str:
        self.asked.append(error)
        if self.held:
            self.held.pop()
        return "retry"


def same(a: Any, b: Any) -> bool:
    return all(
        np.array_equal(a[c], b[c], equal_nan=True)
        if isinstance(a[c], np.ndarray) and a[c].dtype.kind == "f"
        else np.array_equal(a[c], b[c])
        for c in ("metadata", "length", "gc", "position")
    ) and (a["name"].tolist() == b["name"].tolist())


COLUMNS = ("metadata", "length", "gc", "position", "name")


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("kind", ["memory", "file"])
@pytest.mark.parametrize("pieces", [1, 7])
def test_retry_in_an_arena_gives_each_record_once(
    threads: int, kind: str, pieces: int, tmp_path: Path
) -> None:
    source: Any = LARGE
    if kind == "file":
        source = tmp_path / "reads.fastq"
        source.write_bytes(LARGE)
    wanted = gv.read_fastq(LARGE, columns=COLUMNS)
    arena = Arena(wanted.nbytes * 3 // 2)
    hoard = Hoard(arena, wanted.nbytes // pieces, pieces)
    with on("ARENA_FULL", hoard.let_go):
        found = gv.read_fastq(source, columns=COLUMNS, arena=arena, threads=threads)
    assert 1 <= len(hoard.asked) <= pieces
    assert all(isinstance(error, gv.errors.ArenaFullError) for error in hoard.asked)
    assert same(found, wanted)
    counted, expected = found.stats.as_dict(), wanted.stats.as_dict()
    assert {**counted, "seconds": 0} == {**expected, "seconds": 0}


@pytest.mark.parametrize("batch_size", [1000, 5000])
def test_retry_in_batches(batch_size: int) -> None:
    """A refusal in each of several batches, at the same row, is asked about each time."""
    wanted = gv.read_fastq(LARGE, columns=COLUMNS)
    arena = Arena("64 MiB")
    seen: list[str] = []
    held: list[Any] = []
    asked: list[int] = []

    def let_go(error: Any) -> str:
        asked.append(len(seen))
        held.clear()
        return "retry"

    with gv.scan_fastq(LARGE, columns=COLUMNS, arena=arena) as reader, on("ARENA_FULL", let_go):
        for batch in reader.batches(batch_size):
            seen += batch["name"].tolist()
            if len(held) == 0 and arena.available > 0:
                held.append(arena.empty(arena.available, "u1"))
    assert seen == wanted["name"].tolist()
    assert len(asked) >= 2
    assert len(set(asked)) == len(asked)


def test_retry_under_the_limit_of_the_process() -> None:
    wanted = gv.read_fastq(LARGE, columns=COLUMNS)
    hoard = Hoard(Arena(), wanted.nbytes, 1)
    gv.memory.trim()
    gv.memory.set_limit(gv.memory.stats().used + wanted.nbytes // 2)
    with on("MEMORY_EXHAUSTED", hoard.let_go):
        found = gv.read_fastq(LARGE, columns=COLUMNS)
    assert len(hoard.asked) == 1
    assert same(found, wanted)


def test_retry_while_records_are_skipped() -> None:
    text = b"".join((SOUND % i) + (BAD % i) for i in range(20_000))
    wanted = names(text, on_error="skip")
    arena = Arena(2**20)
    hoard = Hoard(arena, 2**20 - 40_000, 1)
    with (
        on("ARENA_FULL", hoard.let_go),
        gv.scan_fastq(text, columns=["name"], arena=arena, on_error="skip") as reader,
    ):
        found = reader.read()
    assert len(hoard.asked) == 1
    assert found["name"].tolist() == wanted
    assert reader.stats.skipped == len(reader.errors) == 20_000


@pytest.mark.parametrize("seed", range(20))
def test_retry_at_any_record(seed: int) -> None:
    chance = random.Random(seed)
    text = b"".join(SOUND % i for i in range(3000))
    wanted = gv.read_fastq(text, columns=COLUMNS)
    arena = Arena(wanted.nbytes + 100_000)
    pieces = chance.randint(1, 5)
    hoard = Hoard(arena, chance.randint(1, arena.available // pieces), pieces)
    with on("ARENA_FULL", hoard.let_go):
        found = gv.read_fastq(text, columns=COLUMNS, arena=arena)
    assert same(found, wanted)


def test_wrapped_records_are_refused_cleanly() -> None:
    """A wrapped record is drawn together where it stands, and cannot be read twice."""
    wanted = names(WRAPPED)
    arena = Arena(2**20)
    hoard = Hoard(arena, 2**20 - 10_000, 1)
    with (
        on("ARENA_FULL", hoard.let_go),
        gv.scan_fastq(WRAPPED, columns=["name"], arena=arena) as reader,
    ):
        found: list[str] = []
        with pytest.raises(gv.errors.ArenaFullError) as caught:
            for batch in reader.batches(10**9):
                found += batch["name"].tolist()
    assert len(hoard.asked) == 1
    assert 0 < len(found) < len(wanted)
    assert found == wanted[: len(found)]
    assert caught.value.record == len(found) + 1


@pytest.mark.parametrize("text", [LARGE, WRAPPED, b"".join(SOUND % i for i in range(3000))])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_handler_that_frees_nothing_is_asked_once(text: bytes, threads: int) -> None:
    asked: list[Any] = []
    with (
        on("ARENA_FULL", lambda error: asked.append(error) or "retry"),
        pytest.raises(gv.errors.ArenaFullError),
    ):
        gv.read_fastq(text, arena=Arena(40_000), threads=threads)
    assert len(asked) == 1


def test_a_limit_of_the_call_cannot_be_helped() -> None:
    asked: list[Any] = []
    with (
        on("MEMORY_EXHAUSTED", lambda error: asked.append(error) or "retry"),
        pytest.raises(gv.errors.MemoryLimitError),
    ):
        gv.read_fastq(LARGE, memory_limit=40_000)
    assert len(asked) == 1


def test_no_room_for_anything_at_all() -> None:
    """Not even for what seals an empty table."""
    arena = Arena(1000)
    hoard = Hoard(arena, 1000, 1)
    with on("ARENA_FULL", hoard.let_go):
        assert len(gv.read_fastq(b"", arena=arena, columns=["name"])) == 0
