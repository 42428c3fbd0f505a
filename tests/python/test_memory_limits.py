"""Arenas, limits and pools: what fits is read, what does not is told, and all of it comes back."""

from __future__ import annotations

import copy
import gc
import json
import os
import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest

import genomevedic as gv
from genomevedic import _core
from genomevedic.memory import Arena, Pool

RECORD = b"@read:%06d\nACGTACGTGG\n+\nIIIIIIIIII\n"
ROW = 52  # bytes of the default columns
ONE = len(RECORD % 0)
SMALL = b"".join(RECORD % i for i in range(50))
MIDDLE = b"".join(RECORD % i for i in range(15_000))  # 780 kB of columns: one block
LARGE = b"".join(RECORD % i for i in range(60_000))  # 3 MB of columns: extents
SHARED = b"".join(RECORD % i for i in range(130_000))  # 4.8 MB of text: read by several threads

POOLS = ("extents", "particles", "voxels", "coordinates", "buffers")
SLABS = POOLS[1:]
MIB = 2**20


def in_use() -> dict[str, int]:
    """All that must be as before once a test's results are gone."""
    stats = gv.memory.stats()
    return {
        "used": stats.used,
        "leases": stats.leases,
        **{name: pool.in_use for name, pool in stats.pools.items()},
    }


@pytest.fixture(autouse=True, scope="module")
def quick_collector() -> Iterator[None]:
    """What other modules keep is not looked at whenever the collector runs."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def everything_comes_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins with empty pools, and gives back what it used.

    What an earlier test left alive in the traceback of its failure may go meanwhile.
    """
    before, failed = in_use(), request.session.testsfailed
    gv.memory.trim()
    yield
    gv.memory.set_limit(None)
    if request.session.testsfailed == failed and left_since(before):
        gc.collect()
        assert not left_since(before)


def left_since(before: dict[str, int]) -> dict[str, int]:
    return {name: size for name, size in in_use().items() if size > before[name]}


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def full_error(capacity: int, text: bytes, **options: object) -> gv.errors.ArenaFullError:
    with pytest.raises(gv.errors.ArenaFullError) as caught:
        gv.read_fastq(text, arena=Arena(capacity), **options)
    return caught.value


def fits(capacity: int, text: bytes, **options: object) -> bool:
    try:
        gv.read_fastq(text, arena=Arena(capacity), **options)
    except gv.errors.ArenaFullError:
        return False
    return True


# --- the capacity of an arena -----------------------------------------------------------------


@pytest.mark.parametrize("columns", [None, ["length"], ["name", "gc"], gv.COLUMNS], ids=str)
def test_the_capacity_is_exact(columns: list[str] | None) -> None:
    """For a result in extents, of more than 1 MiB: its columns are all that is counted."""
    text = LARGE * 6 if columns == ["length"] else LARGE
    need = gv.read_fastq(text, columns=columns).nbytes
    assert need > MIB
    arena = Arena(need)
    p = gv.read_fastq(text, columns=columns, arena=arena)
    assert (arena.used, arena.peak, arena.available, arena.leases) == (need, need, 0, 1)
    assert p == gv.read_fastq(text, columns=columns)

    error = full_error(need - 1, text, columns=columns)
    last = len(p) - 1
    assert error.code == "ARENA_FULL"
    assert error.recoverable
    assert error.context["reads"] == last
    assert error.context["limit"] == need - 1
    assert (error.record, error.line, error.offset) == (last + 1, 4 * last + 1, ONE * last)
    assert error.path == "<bytes>"
    assert f"{last} reads fitted" in str(error)


def test_the_errors_are_those_that_people_catch() -> None:
    error = full_error(2 * MIB, LARGE)
    assert isinstance(error, MemoryError)
    assert isinstance(error, gv.errors.MemoryAllocationError)
    assert not isinstance(error, gv.errors.MemoryLimitError)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.context) == (type(error), str(error), error.context)
    gv.memory.set_limit(gv.memory.stats().used + MIB)
    with pytest.raises(gv.errors.MemoryLimitError) as caught:
        gv.read_fastq(LARGE)
    assert isinstance(caught.value, MemoryError)
    assert not isinstance(caught.value, gv.errors.ArenaFullError)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_capacity_is_exact_with_many_threads(threads: int) -> None:
    need = 130_000 * ROW
    p = gv.read_fastq(SHARED, threads=threads, arena=Arena(need))
    assert p == gv.read_fastq(SHARED)
    error = full_error(need - 1, SHARED, threads=threads)
    assert error.context["reads"] == 129_999
    assert (error.record, error.offset) == (130_000, 129_999 * ONE)


@pytest.mark.parametrize(("text", "steps"), [(SMALL, 20), (MIDDLE, 4)], ids=["small", "middle"])
def test_a_result_that_fits_some_arena_fits_every_larger_one(text: bytes, steps: int) -> None:
    """Room that was taken ahead for more rows must not be missing when the result is sealed."""
    need = gv.read_fastq(text).nbytes
    sizes = [need * step // steps for step in range(steps // 2, 8 * steps)]
    answers = [fits(size, text) for size in sizes]
    assert answers == sorted(answers), [
        size for size, answer in zip(sizes, answers, strict=True) if not answer
    ]


@pytest.mark.parametrize("columns", [None, gv.COLUMNS], ids=str)
@pytest.mark.parametrize("text", [SMALL, MIDDLE], ids=["small", "middle"])
def test_a_small_result_needs_little_more_than_its_columns(
    text: bytes, columns: list[str] | None
) -> None:
    need = gv.read_fastq(text, columns=columns).nbytes
    assert fits(need + 4096, text, columns=columns)


@pytest.mark.parametrize("text", [SMALL, MIDDLE, LARGE], ids=["small", "middle", "large"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_the_error_says_which_record_did_not_fit(text: bytes, share: float) -> None:
    reads = text.count(b"@")
    error = full_error(int(reads * ROW * share), text)
    fitted = error.context["reads"]
    assert fitted < reads
    assert (error.record, error.line, error.offset) == (fitted + 1, 4 * fitted + 1, ONE * fitted)


def test_nothing_fits_an_arena_of_nothing() -> None:
    arena = Arena(0)
    assert (arena.capacity, arena.available) == (0, 0)
    with pytest.raises(gv.errors.ArenaFullError) as caught:
        gv.read_fastq(SMALL, arena=arena)
    assert caught.value.context["reads"] == 0
    with pytest.raises(gv.errors.ArenaFullError):
        arena.empty(1)
    assert (arena.used, arena.peak, arena.leases) == (0, 0, 0)


def test_the_limit_told_is_the_one_that_was_passed() -> None:
    """Several bounds at once: the words and the numbers are of the one that did not hold."""
    with pytest.raises(gv.errors.ArenaFullError) as full:
        gv.read_fastq(LARGE, arena=Arena(MIB), memory_limit="1 GiB")
    assert full.value.context["limit"] == MIB
    with pytest.raises(gv.errors.MemoryLimitError) as own:
        gv.read_fastq(LARGE, arena=Arena("1 GiB"), memory_limit=MIB)
    assert own.value.context["limit"] == MIB
    limit = gv.memory.stats().used + 2 * MIB
    gv.memory.set_limit(limit)
    with pytest.raises(gv.errors.MemoryLimitError) as whole:
        gv.read_fastq(LARGE, arena=Arena("1 GiB"), memory_limit="2 GiB")
    assert whole.value.context["limit"] == limit
    with pytest.raises(gv.errors.ArenaFullError) as inner:
        gv.read_fastq(LARGE, arena=Arena(MIB))
    assert inner.value.context["limit"] == MIB


# --- what an arena knows ----------------------------------------------------------------------


def test_what_is_used_and_what_is_left() -> None:
    arena = Arena("8 MiB")
    assert (arena.capacity, arena.used, arena.peak, arena.leases) == (8 * MIB, 0, 0, 0)
    assert arena.available == 8 * MIB
    p = gv.read_fastq(LARGE, arena=arena)
    assert arena.used == p.nbytes
    q = gv.read_fastq(SMALL, arena=arena)
    assert p.nbytes + q.nbytes <= arena.used <= p.nbytes + q.nbytes + 4096
    assert arena.leases == 2
    assert arena.available == arena.capacity - arena.used
    peak = arena.peak
    assert peak >= arena.used
    del p
    assert arena.leases == 1
    assert q.nbytes <= arena.used <= q.nbytes + 4096
    del q
    assert (arena.used, arena.leases, arena.peak) == (0, 0, peak)
    arena.reset()
    assert arena.peak == 0


def test_what_is_counted_in_an_arena_is_counted_in_the_process() -> None:
    arena, other = Arena(), Arena("100 MiB")
    before = gv.memory.stats()
    p, q = gv.read_fastq(LARGE, arena=arena), gv.read_fastq(LARGE, arena=other)
    now = gv.memory.stats()
    # Leases are counted where they were asked for.
    assert now.used - before.used == p.nbytes + q.nbytes == arena.used + other.used
    assert now.peak >= now.used
    assert arena.leases == other.leases == 1


def test_the_process_bounds_what_is_available() -> None:
    arena, open_ended = Arena("1 TiB"), Arena()
    gv.memory.set_limit(gv.memory.stats().used + 5 * MIB)
    assert arena.available == open_ended.available == gv.memory.stats().available == 5 * MIB
    assert open_ended.capacity is None
    gv.memory.set_limit(0)
    assert arena.available == gv.memory.stats().available == 0


@pytest.mark.parametrize(
    ("size", "found"),
    [
        ("2 MiB", 2**21),
        ("2MB", 2_000_000),
        ("1.5 KiB", 1536),
        ("0", 0),
        (7, 7),
        (np.int64(9), 9),
        (None, None),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_sizes(size: int | str | None, found: int | None) -> None:
    assert Arena(size).capacity == found
    arena = Arena(1)
    arena.set_capacity(size)
    assert arena.capacity == found
    if found is not None:
        gv.memory.set_limit(size)
        assert gv.memory.limit() == found


@pytest.mark.parametrize(
    ("size", "kind"),
    [
        (-1, ValueError),
        ("much", ValueError),
        ("-3 MiB", ValueError),
        ("", ValueError),
        ("1e999", ValueError),
        (1.5, TypeError),
        (True, TypeError),
        (b"1", TypeError),
        ([1], TypeError),
    ],
)
def test_what_is_no_size(size: object, kind: type) -> None:
    limit, arena = gv.memory.limit(), Arena(5)
    for function in (Arena, arena.set_capacity, gv.memory.set_limit):
        with pytest.raises(kind):
            function(size)
    assert (arena.capacity, gv.memory.limit()) == (5, limit)


@pytest.mark.parametrize("size", [2**63, 2**64 - 1, 2**64, 2**100, "1e30 TiB"])
def test_sizes_that_no_machine_has(size: int | str) -> None:
    """As memory_limit= takes them: larger than all there is, so no bound in effect."""
    assert len(gv.read_fastq(SMALL, memory_limit=size)) == 50
    arena = Arena(size)
    arena.set_capacity(size)
    assert len(gv.read_fastq(SMALL, arena=arena)) == 50
    gv.memory.set_limit(size)
    assert len(gv.read_fastq(SMALL)) == 50


def test_the_capacity_may_change() -> None:
    arena = Arena(4 * MIB)
    p = gv.read_fastq(LARGE, arena=arena)
    wanted = p.copy()
    arena.set_capacity(10)
    assert arena.used == p.nbytes
    assert arena.available == 0
    with pytest.raises(gv.errors.ArenaFullError) as caught:
        gv.read_fastq(SMALL, arena=arena)
    assert caught.value.context["limit"] == 10
    assert p == wanted
    arena.set_capacity(2 * p.nbytes)
    assert gv.read_fastq(LARGE, arena=arena) == wanted
    arena.set_capacity(None)
    held = [gv.read_fastq(LARGE, arena=arena) for _ in range(3)]
    assert arena.used == 4 * p.nbytes
    assert all(each == wanted for each in held)


def holds_a_result(arena: Arena) -> object:
    return gv.read_fastq(LARGE, arena=arena)


def holds_a_small_result(arena: Arena) -> object:
    return gv.read_fastq(SMALL, arena=arena)


def holds_a_view(arena: Arena) -> object:
    return gv.read_fastq(LARGE, arena=arena)[100:200].gc[::7]


def holds_text(arena: Arena) -> object:
    return gv.read_fastq(SMALL, arena=arena, columns=["name"]).name[3:5].data


def holds_a_batch(arena: Arena) -> object:
    with gv.scan_fastq(LARGE, arena=arena) as reader:
        return next(reader.batches(1000))


def holds_an_export(arena: Arena) -> object:
    return gv.read_fastq(LARGE, arena=arena).to_arrow().column("gc")


def holds_an_array(arena: Arena) -> object:
    return arena.empty((3, 4))


def holds_a_memoryview(arena: Arena) -> object:
    return memoryview(arena.empty(100, "u1"))[3:5]


def holds_a_table_being_built(arena: Arena) -> object:
    core = _core.Reader((("<bytes>", SMALL),), ("gc",), arena=arena._core)
    core.advance(10, 10_000)
    return core


HOLDS = [value for name, value in sorted(globals().items()) if name.startswith("holds_")]


@pytest.mark.parametrize("hold", HOLDS, ids=lambda hold: hold.__name__)
def test_reset_is_refused_while_anything_is_alive(hold: object) -> None:
    arena = Arena("64 MiB")
    held = [hold(arena)]
    gc.collect()
    used, peak = arena.used, arena.peak
    assert 0 < used <= peak
    with pytest.raises(gv.errors.ArenaInUseError) as caught:
        arena.reset()
    assert isinstance(caught.value, BufferError)
    assert caught.value.code == "ARENA_IN_USE"
    assert caught.value.recoverable
    assert (arena.used, arena.peak) == (used, peak)
    held.clear()
    gc.collect()
    assert (arena.used, arena.leases) == (0, 0)
    arena.reset()
    assert arena.peak == 0


def test_results_outlive_their_arena() -> None:
    with Arena("8 MiB", name="short") as arena:
        assert any(each["name"] == "short" for each in gv.memory.stats().arenas)
        p = gv.read_fastq(LARGE, arena=arena)
        view = arena.empty((10, 10), "f8")
        view[:] = 7
    wanted = gv.read_fastq(LARGE)
    assert not any(each["name"] == "short" for each in gv.memory.stats().arenas)
    before = gv.memory.stats().used
    del arena
    gc.collect()
    assert gv.memory.stats().used == before
    assert p == wanted
    assert (view == 7).all()
    del p, view
    assert gv.memory.stats().used < before


def test_a_reader_goes_on_in_an_arena_that_is_closed() -> None:
    arena = Arena("8 MiB")
    with gv.scan_fastq(LARGE, arena=arena) as reader:
        batches = reader.batches(20_000)
        first = next(batches)
        arena.close()
        del arena
        gc.collect()
        rest = list(batches)
    assert gv.Particles.concat([first, *rest]) == gv.read_fastq(LARGE)


def test_a_closed_arena_takes_nothing_more() -> None:
    arena = Arena("8 MiB", name="gone")
    arena.close()
    arena.close()
    for use in (
        lambda: arena.capacity,
        lambda: arena.used,
        lambda: arena.available,
        lambda: arena.peak,
        lambda: arena.leases,
        lambda: arena.set_capacity(3),
        lambda: arena.empty(3),
        arena.reset,
        lambda: gv.read_fastq(SMALL, arena=arena),
        lambda: gv.scan_fastq(SMALL, arena=arena),
    ):
        with pytest.raises(ValueError, match="closed"):
            use()
    assert "closed" in repr(arena)
    assert "closed" in arena._repr_html_()


@pytest.mark.parametrize("arena", [object(), 3, "1 MiB", _core.Arena(), Arena])
@pytest.mark.parametrize("function", [gv.read_fastq, gv.scan_fastq, gv.FastqReader])
def test_what_is_no_arena(function: object, arena: object) -> None:
    with pytest.raises(TypeError, match="arena"):
        function(SMALL, arena=arena)
    with pytest.raises(TypeError, match="arena"):
        _core.Reader((("<bytes>", SMALL),), ("gc",), arena=object())


class Checker(HTMLParser):
    """Every tag closed in its order; the cells of each row, and the text outside of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.rest: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        else:
            self.rest.append(data)


def test_how_an_arena_shows() -> None:
    arena = Arena("2 GiB", name="of <mine> & yours")
    held = gv.read_fastq(LARGE, arena=arena)
    assert held.nbytes == 60_000 * ROW
    for part in ("of <mine> & yours", "2.0 GiB", "3.0 MiB", "1 "):
        assert part in repr(arena)
    heading, row = Checker(arena._repr_html_()).rows
    assert row[:2] + row[3:] == ["of <mine> & yours", "3.0 MiB", "2.0 GiB", "1"]
    assert len(heading) == len(row)
    assert "None" not in repr(Arena())
    assert Checker(Arena()._repr_html_()).rows[1] == ["arena", "0 B", "0 B", "", "0"]


# --- batches in an arena ----------------------------------------------------------------------


@pytest.mark.parametrize("columns", [None, gv.COLUMNS], ids=["default", "all"])
@pytest.mark.parametrize("batch_size", [100, 1000, 7001, 50_000])
@pytest.mark.parametrize("capacity", [MIB, 2 * MIB])
def test_what_was_read_before_the_arena_was_full_is_handed_out(
    batch_size: int, capacity: int, columns: list[str] | None
) -> None:
    arena = Arena(capacity)
    held: list[gv.Particles] = []
    with gv.scan_fastq(LARGE, arena=arena, columns=columns) as reader:
        batches = reader.batches(batch_size)
        with pytest.raises(gv.errors.ArenaFullError) as caught:
            while True:
                held.append(next(batches))
        with pytest.raises(ValueError, match="closed"):
            next(reader.batches())
    error = caught.value
    rows = sum(map(len, held))
    assert rows > 0, "an arena of this size holds thousands of reads"
    assert gv.Particles.concat(held) == gv.read_fastq(LARGE, limit=rows, columns=columns)
    assert error.context["limit"] == capacity
    assert (error.record, error.line, error.offset) == (rows + 1, 4 * rows + 1, rows * ONE)
    assert arena.used <= arena.peak <= capacity
    assert arena.leases == len(held)
    held.clear()
    assert arena.used == 0
    assert len(gv.read_fastq(SMALL, arena=arena)) == 50


@pytest.mark.parametrize("columns", [None, gv.COLUMNS], ids=["default", "all"])
def test_any_amount_goes_through_an_arena_that_holds_two_batches(
    columns: list[str] | None,
) -> None:
    arena = Arena()
    with gv.scan_fastq(LARGE, arena=arena, columns=columns) as reader:
        batches = reader.batches(1000)
        one = next(batches)
        arena.set_capacity(2 * arena.used)
        rows = len(one)
        for one in batches:
            rows += len(one)
    assert rows == 60_000


def test_a_batch_that_was_let_go_makes_room_for_the_next() -> None:
    """Before the fix, the iterator itself held the batch that it had handed out last."""
    arena = Arena()
    with gv.scan_fastq(LARGE, arena=arena) as reader:
        batches = reader.batches(1000)
        one = next(batches)
        rows, room = len(one), arena.used
        arena.set_capacity(room)
        while rows < 60_000:
            del one
            assert arena.used == 0
            one = next(batches)
            rows += len(one)
            assert arena.used == room


def test_after_a_full_arena_the_same_reading_succeeds() -> None:
    arena = Arena(4 * MIB)
    held = gv.read_fastq(LARGE, arena=arena)
    for _ in range(3):
        with pytest.raises(gv.errors.ArenaFullError):
            gv.read_fastq(LARGE, arena=arena)
        assert arena.used == held.nbytes
    wanted = held.copy()
    del held
    assert gv.read_fastq(LARGE, arena=arena) == wanted


# --- the limit of the process -----------------------------------------------------------------


def test_the_limit_of_the_process_is_exact() -> None:
    used = gv.memory.stats().used
    need = 60_000 * ROW
    gv.memory.set_limit(used + need)
    p = gv.read_fastq(LARGE)
    assert gv.memory.stats().available == 0
    del p
    gv.memory.set_limit(used + need - 1)
    with pytest.raises(gv.errors.MemoryLimitError) as caught:
        gv.read_fastq(LARGE)
    error = caught.value
    assert error.code == "MEMORY_EXHAUSTED"
    assert error.context["reads"] == 59_999
    assert error.context["limit"] == used + need - 1
    assert (error.record, error.line, error.offset) == (60_000, 4 * 59_999 + 1, 59_999 * ONE)
    with pytest.raises(gv.errors.MemoryLimitError):
        Arena().empty(need, "u1")
    gv.memory.set_limit(None)
    assert len(gv.read_fastq(LARGE)) == 60_000


def group_limits() -> list[int]:
    """Limits of the control groups that this process is in, of both versions."""
    limits = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, kinds, group = line.split(":", 2)
        if not kinds:
            root, name = Path("/sys/fs/cgroup"), "memory.max"
        elif "memory" in kinds.split(","):
            root, name = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"
        else:
            continue
        group = group.strip("/")
        while True:
            with_limit = root / group / name
            if with_limit.is_file() and with_limit.read_text().strip() != "max":
                limits.append(int(with_limit.read_text()))
            if not group:
                break
            group = group.rpartition("/")[0]
    return limits


@pytest.mark.skipif(sys.platform != "linux", reason="control groups are of Linux")
def test_the_default_limit_is_four_fifths_of_what_there_is() -> None:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    gv.memory.set_limit(12345)
    gv.memory.set_limit(None)
    assert gv.memory.limit() == min([memory, *group_limits()]) // 5 * 4


def test_idle_memory_gives_way() -> None:
    used = gv.memory.stats().used
    arena = Arena()
    blocks = [arena.empty(4 * MIB, "u1") for _ in range(4)]
    del blocks
    assert gv.memory.stats().idle >= 16 * MIB
    gv.memory.set_limit(used + 6 * MIB)
    p = gv.read_fastq(LARGE)
    stats = gv.memory.stats()
    assert stats.used - used == p.nbytes
    assert stats.used + stats.idle <= stats.limit


def test_what_is_refused_leaves_nothing_idle_beyond_the_limit() -> None:
    limit = gv.memory.stats().used + 8 * MIB
    gv.memory.set_limit(limit)
    arena = Arena("2 MiB")
    for size, kind in [
        (64 * MIB, gv.errors.MemoryLimitError),
        (3 * MIB, gv.errors.ArenaFullError),
    ]:
        with pytest.raises(kind):
            (Arena() if kind is gv.errors.MemoryLimitError else arena).empty(size, "u1")
        stats = gv.memory.stats()
        assert stats.used + stats.idle <= limit
        assert (arena.used, arena.leases) == (0, 0)


def test_what_is_kept_idle_is_bounded() -> None:
    """At most 512 MiB, or a sixteenth of the machine's memory; none of it is touched here."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    arena = Arena()
    blocks = [arena.empty(100 * MIB, "u1") for _ in range(7)]
    assert arena.used >= 700 * MIB
    del blocks
    assert arena.used == 0
    assert gv.memory.stats().idle <= min(512 * MIB, memory // 16)
    gv.memory.trim()


# --- Python's collector -----------------------------------------------------------------------


def in_a_cycle(thing: object) -> None:
    loop: list[object] = [thing]
    loop.append(loop)


@pytest.mark.usefixtures("no_collector")
def test_the_collector_is_run_where_an_arena_is_full() -> None:
    arena = Arena(4 * MIB)
    in_a_cycle(gv.read_fastq(LARGE, arena=arena))
    assert arena.leases == 1
    assert len(gv.read_fastq(LARGE, arena=arena)) == 60_000
    assert arena.leases == 0
    in_a_cycle(gv.read_fastq(LARGE, arena=arena))
    assert arena.empty(3 * MIB, "u1").nbytes == 3 * MIB
    assert not gc.isenabled()


@pytest.mark.usefixtures("no_collector")
def test_the_collector_is_run_where_the_limit_would_be_passed() -> None:
    in_a_cycle(gv.read_fastq(LARGE))
    gv.memory.set_limit(gv.memory.stats().used + 10_000)
    assert len(gv.read_fastq(LARGE)) == 60_000


@pytest.mark.usefixtures("no_collector")
def test_the_collector_is_run_for_batches_too() -> None:
    """Each batch ends up in a cycle: 3 MB go through an arena of one."""
    arena = Arena(MIB)
    rows = 0
    with gv.scan_fastq(LARGE, arena=arena) as reader:
        for batch in reader.batches(5000):
            rows += len(batch)
            in_a_cycle(batch)
    assert rows == 60_000


@pytest.mark.usefixtures("no_collector")
def test_the_collector_is_run_once_and_not_where_there_is_room() -> None:
    runs: list[str] = []

    def note(phase: str, info: object) -> None:
        runs.append(phase)

    arena = Arena(4 * MIB)
    gc.callbacks.append(note)
    try:
        held = gv.read_fastq(LARGE, arena=arena)
        assert runs == []
        with pytest.raises(gv.errors.ArenaFullError):
            gv.read_fastq(LARGE, arena=arena)
        assert runs == ["start", "stop"]
    finally:
        gc.callbacks.remove(note)
    assert held.nbytes == arena.used


@pytest.mark.usefixtures("no_collector")
def test_what_the_collector_runs_may_use_memory_itself() -> None:
    """A finalizer that reads, asks for counts and meets the reader that is at work."""
    arena = Arena(4 * MIB)
    seen: list[object] = []

    class Finalized:
        def __init__(self) -> None:
            self.loop = self
            self.held = gv.read_fastq(LARGE, arena=arena)

        def __del__(self) -> None:
            try:
                reader.close()
            except RuntimeError as error:
                seen.append(str(error))
            seen.append(gv.memory.stats().used)
            seen.append(len(gv.read_fastq(SMALL)))
            seen.append(gv.memory.trim())

    reader = gv.scan_fastq(LARGE, arena=arena)
    Finalized()
    with reader:
        assert len(reader.read()) == 60_000
    assert "in use" in str(seen[0])
    assert seen[2] == 50


@pytest.mark.usefixtures("no_collector")
def test_an_exception_under_way_is_not_lost_in_the_collector() -> None:
    arena = Arena(4 * MIB)
    try:
        raise KeyError("mine")
    except KeyError as error:
        in_a_cycle(gv.read_fastq(LARGE, arena=arena))
        assert len(gv.read_fastq(LARGE, arena=arena)) == 60_000
        assert sys.exc_info()[1] is error


# --- counts -----------------------------------------------------------------------------------


def test_the_structure_of_the_counts() -> None:
    arena = Arena("8 MiB", name="counted")
    p = gv.read_fastq(LARGE, arena=arena)
    stats = gv.memory.stats()
    assert tuple(stats.pools) == POOLS
    assert stats.used >= p.nbytes
    assert stats.peak >= stats.used
    assert stats.limit == gv.memory.limit()
    assert stats.available == stats.limit - stats.used
    assert stats.idle == sum(pool.idle for pool in stats.pools.values())
    for pool in stats.pools.values():
        assert pool.hits + pool.misses == pool.gets
        assert pool.in_use <= pool.peak
        assert (pool.idle == 0) == (pool.idle_pieces == 0)
        assert np.isnan(pool.hit_rate) if pool.gets == 0 else 0 <= pool.hit_rate <= 1
    mine = [each for each in stats.arenas if each["name"] == "counted"]
    assert mine == [
        {
            "name": "counted",
            "capacity": 8 * MIB,
            "used": p.nbytes,
            "peak": arena.peak,
            "leases": 1,
        }
    ]
    with pytest.raises(FrozenInstanceError):
        stats.used = 3
    found = stats.as_dict()
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {"limit", "used", "peak", "leases", "idle", "pools", "arenas"}
    assert set(found["pools"]["extents"]) == {
        *("gets", "hits", "misses", "puts", "in_use", "peak", "idle", "idle_pieces")
    }
    arena.close()
    assert not any(each["name"] == "counted" for each in gv.memory.stats().arenas)


def test_an_arena_that_is_gone_is_not_listed() -> None:
    arena = Arena(name="to be dropped")
    assert any(each["name"] == "to be dropped" for each in gv.memory.stats().arenas)
    del arena
    gc.collect()
    assert not any(each["name"] == "to be dropped" for each in gv.memory.stats().arenas)


def test_how_the_counts_show() -> None:
    held = gv.read_fastq(LARGE)
    stats = gv.memory.stats()
    lines = str(stats).splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(POOLS)
    assert len({len(line) for line in lines[1:]}) == 1, "columns stand below each other"
    checked = Checker(stats._repr_html_())
    assert [row[0] for row in checked.rows[1:]] == list(POOLS)
    assert {len(row) for row in checked.rows} == {len(checked.rows[0])}
    assert "".join(checked.rest) == lines[0]
    assert held.nbytes <= stats.used


def counts_of(name: str) -> dict[str, int]:
    return gv.memory.stats().as_dict()["pools"][name]


@pytest.mark.parametrize("columns", [None, gv.COLUMNS], ids=["default", "all"])
@pytest.mark.parametrize("text", [MIDDLE, LARGE], ids=["middle", "large"])
def test_what_pools_gave_comes_back_and_is_found_again(
    text: bytes, columns: list[str] | None
) -> None:
    """The same result again and again takes the same memory."""
    kept: list[tuple[int, int]] = []
    before = gv.memory.stats().pools
    for _ in range(6):
        assert gv.read_fastq(text, columns=columns).nbytes > 0
        pools = gv.memory.stats().pools
        kept.append((gv.memory.stats().idle, sum(pool.misses for pool in pools.values())))
    assert kept[2:] == [kept[2]] * 4, "bytes idle, and pieces taken from the system"
    for name, pool in gv.memory.stats().pools.items():
        assert pool.gets - before[name].gets == pool.puts - before[name].puts, name


def test_what_fits_does_not_depend_on_what_is_idle() -> None:
    """A larger piece than is needed may be found idle: whoever gets it is not charged for it."""
    arena = Arena()

    def read(columns: list[str] | None) -> int:
        arena.reset()
        with gv.scan_fastq(LARGE, arena=arena, columns=columns) as reader:
            assert sum(map(len, reader.batches(5000))) == 60_000
        return arena.peak

    for columns in (None, gv.COLUMNS):
        gv.memory.trim()
        wanted = read(columns)
        gv.memory.trim()
        for pool in ("particles", "buffers"):
            for size in range(150_000, 1_000_000, 50_000):
                other = [Arena().empty(size, "u1", pool=pool) for _ in range(3)]
                del other
        assert read(columns) == wanted


def test_a_batch_is_one_piece_of_a_pool() -> None:
    before = counts_of("particles")
    with gv.scan_fastq(LARGE, threads=1) as reader:
        held = []
        for i, batch in enumerate(reader.batches(1000)):
            if i < 3:
                held.append(batch)
            now = counts_of("particles")
            assert now["gets"] - before["gets"] == i + 1
            assert now["puts"] - before["puts"] <= max(0, i - 3)
    del batch
    del held
    now = counts_of("particles")
    # One more may be laid before it is known that there are no more records.
    assert 60 <= now["gets"] - before["gets"] <= 61
    assert now["gets"] - before["gets"] == now["puts"] - before["puts"]
    assert now["misses"] - before["misses"] <= 6
    assert now["in_use"] == before["in_use"]


def test_a_pool_by_name() -> None:
    for name in POOLS:
        assert Pool(name).stats() == gv.memory.stats().pools[name]
    assert Pool("voxels") == Pool("voxels")
    assert hash(Pool("voxels")) != hash(Pool("buffers"))
    with pytest.raises(ValueError, match="extents"):
        Pool("columns")
    for bad in (3, None, b"voxels", ["voxels"]):
        with pytest.raises(TypeError, match="name"):
            Pool(bad)
    with pytest.raises(ValueError, match="pool"):
        _core.memory_trim("columns")
    with pytest.raises(TypeError):
        _core.memory_trim(3)


def test_trimming_one_pool_and_all() -> None:
    arena = Arena()
    for name in SLABS:
        arena.empty(MIB, "u1", pool=name)
    idle = {name: counts_of(name)["idle"] for name in POOLS}
    assert all(idle[name] >= MIB for name in SLABS)
    assert Pool("voxels").trim() == idle["voxels"]
    assert Pool("voxels").trim() == 0
    assert counts_of("voxels")["idle"] == counts_of("voxels")["idle_pieces"] == 0
    assert counts_of("buffers")["idle"] == idle["buffers"]
    assert gv.memory.trim() == sum(idle.values()) - idle["voxels"]
    assert gv.memory.trim() == gv.memory.stats().idle == 0


def resident() -> int:
    return psutil.Process().memory_info().rss


@pytest.mark.skipif("GV_ASAN" in os.environ, reason="a sanitizer's memory hides what is measured")
def test_trimming_gives_memory_back_to_the_system() -> None:
    size = 64 * MIB
    block = Arena().empty(size, "u1")
    block[:] = 1
    held = resident()
    del block
    assert resident() > held - size // 10, "kept warm"
    assert gv.memory.trim() >= size
    assert resident() < held - size * 9 // 10


# --- arrays in an arena -----------------------------------------------------------------------


SHAPES = (7, (3, 4), [2, 3, 5], (), 0, (0, 3), (3, 0), np.int32(4))
DTYPES = (
    *("u1", "i2", "f2", "f4", "f8", "c16", "?", "u8", ">i4", "U5", "S3", "M8[ns]", "V7"),
    [("a", "u1"), ("b", "f8")],
    np.float32,
    float,
    np.dtype("m8[s]"),
)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_arrays_are_as_those_of_numpy(shape: object) -> None:
    for dtype in DTYPES:
        arena = Arena()
        array, wanted = arena.empty(shape, dtype), np.empty(shape, dtype)
        assert (array.shape, array.dtype) == (wanted.shape, wanted.dtype)
        assert array.nbytes == wanted.nbytes
        assert array.size == 0 or array.strides == wanted.strides
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.flags.aligned
        assert not array.flags.owndata
        assert array.ctypes.data % 64 == 0
        assert arena.leases == 1
        assert arena.used >= array.nbytes


def test_the_defaults_of_an_array() -> None:
    before = counts_of("coordinates")["gets"]
    assert Arena().empty(3).dtype == np.float32
    assert counts_of("coordinates")["gets"] == before + 1


@pytest.mark.parametrize(
    ("shape", "dtype", "pool", "kind"),
    [
        (-1, "f4", "voxels", ValueError),
        ((2, -1), "f4", "voxels", ValueError),
        (2.0, "f4", "voxels", TypeError),
        ((2, 2.5), "f4", "voxels", TypeError),
        (None, "f4", "voxels", TypeError),
        (True, "f4", "voxels", TypeError),
        ("3", "f4", "voxels", TypeError),
        (2**63, "u1", "voxels", ValueError),
        (2**61, "f4", "voxels", ValueError),
        ((2**40, 2**40), "u1", "voxels", ValueError),
        (3, object, "voxels", TypeError),
        (3, [("a", "f4"), ("b", "O")], "voxels", TypeError),
        (3, "no such", "voxels", TypeError),
        (3, "f4", "extents", ValueError),
        (3, "f4", "columns", ValueError),
        (3, "f4", None, TypeError),
    ],
)
def test_arrays_that_are_refused(shape: object, dtype: object, pool: object, kind: type) -> None:
    arena = Arena()
    with pytest.raises(kind):
        arena.empty(shape, dtype, pool=pool)
    assert (arena.used, arena.peak, arena.leases) == (0, 0, 0)


def test_arrays_of_strings_that_numpy_keeps_elsewhere_are_refused() -> None:
    with pytest.raises(TypeError, match="objects"):
        Arena().empty(3, np.dtypes.StringDType())


def test_the_core_checks_what_the_package_checks() -> None:
    core = _core.Arena(None)
    for size, pool in ((-1, "voxels"), (3, "extents"), (3, "columns")):
        with pytest.raises(ValueError, match="pool"):
            core.empty(size, pool)
    with pytest.raises(TypeError):
        core.empty("3", "voxels")
    with pytest.raises(OverflowError):
        core.empty(2**63, "voxels")


@pytest.mark.parametrize("size", [2**62, 2**63 - 1, 2**63 - 4096])
def test_more_than_the_machine_has(size: int) -> None:
    """Whoever refuses it, the limit or the system, it is a MemoryError, and nothing is left."""
    arena = Arena()
    for limit in (None, 2**63 - 1):
        gv.memory.set_limit(limit)
        with pytest.raises(gv.errors.MemoryAllocationError):
            arena.empty(size, "u1")
        assert (arena.used, arena.leases) == (0, 0)


def test_an_array_in_an_arena_that_is_full() -> None:
    arena = Arena(MIB)
    with pytest.raises(gv.errors.ArenaFullError) as caught:
        arena.empty(2 * MIB, "u1")
    error = caught.value
    assert error.context["limit"] == MIB
    assert str(2 * MIB) in str(error), "how much was asked for"
    assert "read" not in str(error).replace("thread", ""), "no reads were asked for"


@pytest.mark.parametrize(
    ("pool", "size"),
    list(zip(SLABS, [1, 1000, 100_000, 2 * MIB], strict=True)),
    ids=SLABS,
)
def test_an_array_goes_back_to_its_pool_and_is_hit_next_time(pool: str, size: int) -> None:
    arena = Arena()
    before = counts_of(pool)
    array = arena.empty(size, "u1", pool=pool)
    array[:] = 3
    held = counts_of(pool)
    assert arena.used == size, "what was asked for counts"
    assert held["in_use"] - before["in_use"] >= size, "a piece may be larger"
    assert held["misses"] - before["misses"] == 1
    view = array[size // 2 :].reshape(-1, 1)
    del array
    assert counts_of(pool)["in_use"] == held["in_use"], "a view holds it"
    assert (view == 3).all()
    del view
    back = counts_of(pool)
    assert back["in_use"] == before["in_use"]
    assert (back["puts"] - before["puts"], back["idle_pieces"]) == (1, 1)
    array = arena.empty(size, "u1", pool=pool)
    again = counts_of(pool)
    assert again["hits"] - before["hits"] == 1
    assert again["idle"] == 0
    assert array.nbytes == size


def test_arrays_do_not_overlap_and_keep_what_is_written() -> None:
    rng = np.random.default_rng(5)
    arena = Arena()
    held: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(400):
        array = arena.empty(int(rng.integers(1, 5000)), "u1", pool=str(rng.choice(SLABS)))
        array[:] = rng.integers(0, 256, array.size, np.uint8)
        held.append((array, array.copy()))
        if len(held) > 20:
            del held[int(rng.integers(len(held)))]
        assert all(np.array_equal(array, wanted) for array, wanted in held)


def test_what_lies_over_an_array_keeps_it() -> None:
    arena = Arena()
    array = arena.empty(1000, "u1")
    array[:] = 9
    views = [memoryview(array), array.reshape(10, 100).T, np.asarray(array)[5:6], pa.array(array)]
    del array
    while views:
        assert arena.leases == 1
        assert np.asarray(views[-1]).max() == 9
        views.pop()
    assert (arena.used, arena.leases) == (0, 0)


# --- everything comes back --------------------------------------------------------------------


def exported(p: gv.Particles) -> list[object]:
    batch = p.to_arrow()
    return [pa.Table.from_batches([batch]).slice(3, 5), batch.column("name"), batch.column("gc")]


def pickled_in_band(p: gv.Particles) -> list[object]:
    return [pickle.loads(pickle.dumps(p, protocol)) for protocol in (2, 4, 5)]


def pickled_out_of_band(p: gv.Particles) -> list[object]:
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(p, 5, buffer_callback=buffers.append)
    return [pickle.loads(text, buffers=buffers), buffers[3:5]]


def copied(p: gv.Particles) -> list[object]:
    return [p.copy(), copy.deepcopy(p), p[[3, 1, 2]], p[p.gc > 0.3], p.sample(9, 1)]


def joined(p: gv.Particles) -> list[object]:
    return [gv.Particles.concat([p, p[3:9]]), p.concat(p)]


def turned_into_frames(p: gv.Particles) -> list[object]:
    return [p.to_polars(), p.to_pandas()]


def looked_at(p: gv.Particles) -> list[object]:
    shared = [p.position.T, p.color[::2, 1], p[10:20], p.name[5:], memoryview(p.length), iter(p)]
    return [*shared, copy.copy(p)]


@pytest.mark.parametrize(
    ("text", "batch_size"),
    [(SMALL, None), (MIDDLE, None), (LARGE, None), (LARGE, 1000)],
    ids=["small", "middle", "extents", "batches"],
)
@pytest.mark.parametrize(
    "hand_over",
    [
        exported,
        pickled_in_band,
        pickled_out_of_band,
        copied,
        joined,
        turned_into_frames,
        looked_at,
    ],
    ids=lambda function: function.__name__,
)
def test_counters_come_back_after_everything_is_dropped(
    hand_over: object, text: bytes, batch_size: int | None
) -> None:
    arena = Arena()
    if batch_size is None:
        parts = [gv.read_fastq(text, columns=gv.COLUMNS, arena=arena)]
    else:
        with gv.scan_fastq(text, columns=gv.COLUMNS, arena=arena) as reader:
            parts = [part for part, _ in zip(reader.batches(batch_size), range(4), strict=False)]
    held = [hand_over(part) for part in parts]
    used = arena.used
    del parts
    gc.collect()
    if hand_over in (exported, pickled_out_of_band, looked_at):
        assert arena.used == used
    elif hand_over is not turned_into_frames:
        assert arena.used == 0, "copies are Python's own memory"
    held.clear()
    gc.collect()
    assert (arena.used, arena.leases) == (0, 0)


def test_counters_come_back_after_every_kind_of_error(tmp_path: Path) -> None:
    def fails(*_: object) -> int:
        raise KeyError("mine")

    class Failing:
        read = fails

    arena = Arena("4 MiB")
    missing = tmp_path / "missing"
    cases: list[tuple[object, dict[str, object], type[Exception]]] = [
        (LARGE + b"@x\nAC\n+\nI\n", {}, gv.errors.QualityMismatchError),
        (LARGE[:-5], {}, gv.errors.TruncatedFileError),
        ([LARGE, missing], {}, FileNotFoundError),
        ([LARGE, Failing()], {}, gv.errors.SourceReadError),
        (LARGE, {"progress": fails}, KeyError),
        (LARGE * 2, {}, gv.errors.ArenaFullError),
        (LARGE, {"memory_limit": MIB}, gv.errors.MemoryLimitError),
        (SHARED * 2, {"threads": 3}, gv.errors.ArenaFullError),
        (SHARED[:-5], {"threads": 3, "columns": ["gc"]}, gv.errors.TruncatedFileError),
    ]
    for source, options, kind in cases:
        with pytest.raises(kind):
            gv.read_fastq(source, arena=arena, **options)
        assert (arena.used, arena.leases) == (0, 0)


# --- threads and forks ------------------------------------------------------------------------


def test_counts_may_be_asked_for_while_arenas_come_and_go() -> None:
    """Before the fix: RuntimeError, Set changed size during iteration."""
    is_over = threading.Event()
    faults: list[BaseException] = []

    def come_and_go() -> None:
        while not is_over.is_set():
            _ = [Arena() for _ in range(50)]

    thread = threading.Thread(target=come_and_go)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        for _ in range(2000):
            gv.memory.stats()
    except RuntimeError as error:
        faults.append(error)
    finally:
        sys.setswitchinterval(interval)
        is_over.set()
        thread.join()
    assert not faults


FORKS = """
    import gc, os, sys, threading
    import genomevedic as gv

    RECORD = b"@read:%06d\\nACGTACGTGG\\n+\\nIIIIIIIIII\\n"
    LARGE = b"".join(RECORD % i for i in range(60_000))

    def counters():
        gc.collect()
        stats = gv.memory.stats()
        return [stats.used, stats.leases, *(pool.in_use for pool in stats.pools.values())]

    def check(held, arena, wanted):
        '''What is held is as it was, and all that can be done is done and counted.'''
        before = counters()
        assert all(part == wanted[1000 * i : 1000 * (i + 1)] for i, part in enumerate(held))
        for threads in (1, 3):
            assert gv.read_fastq(LARGE * 2, threads=threads)[60_000:].gc.sum() == wanted.gc.sum()
        with gv.scan_fastq(LARGE, columns=gv.COLUMNS, arena=arena) as reader:
            rows = sum(len(batch) for batch in reader.batches(3000))
        assert rows == 60_000
        used = arena.used
        array = arena.empty(10**6)
        array[:] = 4
        assert arena.used > used
        del array
        assert arena.used == used
        assert counters() == before
        held.clear()
        assert (arena.used, arena.leases) == (0, 0), arena
        gv.memory.trim()
        assert gv.memory.stats().idle == 0
        arena.reset()

    def finish(child):
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def in_child(function, *args):
        '''In the child: what goes wrong is seen, and nothing of the parent's is run.'''
        code = 1
        try:
            function(*args)
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
"""


def run_python(code: str, *args: str) -> str:
    """What a fresh interpreter prints, which must end well."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_after_a_fork_both_go_on_reading_and_counting() -> None:
    run_python(
        textwrap.dedent(FORKS)
        + textwrap.dedent("""
        wanted = gv.read_fastq(LARGE).copy()
        arena = gv.memory.Arena("64 MiB")
        with gv.scan_fastq(LARGE, arena=arena) as reader:
            batches = reader.batches(1000)
            held = [next(batches) for _ in range(20)]
            del batches
        child = os.fork()
        if child == 0:
            in_child(check, held, arena, wanted)
        finish(child)
        check(held, arena, wanted)
        # Children of children, each with what the one before left idle.
        child = os.fork()
        if child == 0:
            def further():
                check([], arena, wanted)
                grandchild = os.fork()
                if grandchild == 0:
                    in_child(check, [], arena, wanted)
                finish(grandchild)
            in_child(further)
        finish(child)
        """)
    )


def test_a_fork_while_threads_read() -> None:
    """Whatever the other threads were busy with, the child waits for nobody."""
    run_python(
        textwrap.dedent(FORKS)
        + textwrap.dedent("""
        LARGE = LARGE[: len(LARGE) // 4]
        wanted = gv.read_fastq(LARGE).copy()
        is_over = threading.Event()

        def keep_reading():
            while not is_over.is_set():
                with gv.scan_fastq(LARGE, columns=gv.COLUMNS) as reader:
                    for batch in reader.batches(500):
                        pass

        threads = [threading.Thread(target=keep_reading) for _ in range(3)]
        for thread in threads:
            thread.start()

        def read_in_child():
            arena = gv.memory.Arena()
            with gv.scan_fastq(LARGE, arena=arena) as reader:
                parts = list(reader.batches(1000))
            assert gv.Particles.concat(parts) == wanted
            del parts, reader
            gc.collect()
            assert (arena.used, arena.leases) == (0, 0)
            gv.memory.trim()

        for _ in range(6):
            child = os.fork()
            if child == 0:
                in_child(read_in_child)
            finish(child)
        is_over.set()
        for thread in threads:
            thread.join()
        del thread, threads
        assert counters()[:2] == [0, 0], counters()
        """)
    )
