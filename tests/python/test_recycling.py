"""Memory that is used again and again: no view changes, nothing is lost, nothing piles up."""

from __future__ import annotations

import gc
import gzip
import hashlib
import io
import os
import random
import subprocess
import sys
import threading
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import genomevedic as gv
from genomevedic.memory import Arena
from support import make_records

IS_SANITIZED = "GV_ASAN" in os.environ
SLABS = ("particles", "voxels", "coordinates", "buffers")

READS = 3_000
TEXT = b"".join(make_records(READS, seed=7))
# The oracle: the same text read once, copied to memory of Python's own.
WHOLE = gv.read_fastq(TEXT, columns=gv.COLUMNS).copy()
FIFTY = b"".join(make_records(50, seed=2))


def pools() -> dict[str, dict[str, int]]:
    return gv.memory.stats().as_dict()["pools"]


def pool_balance() -> dict[str, int]:
    """What must be as before once all results are gone."""
    stats = gv.memory.stats()
    return {
        "used": stats.used,
        "leases": stats.leases,
        **{name: pool.in_use for name, pool in stats.pools.items()},
        **{f"{name} out": pool.gets - pool.puts for name, pool in stats.pools.items()},
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
    gc.collect()
    before, failed = pool_balance(), request.session.testsfailed
    gv.memory.trim()
    yield
    gv.memory.set_limit(None)
    gc.collect()
    if request.session.testsfailed == failed:
        assert {name: n for name, n in pool_balance().items() if n > before[name]} == {}


def plain_arrays(column: object) -> list[np.ndarray]:
    if isinstance(column, gv.TextColumn):
        compact = column.compact()
        return [compact.offsets, compact.data]
    return [np.asarray(column)]


def digest(column: object) -> bytes:
    found = hashlib.blake2b(digest_size=16)
    for array in plain_arrays(column):
        found.update(np.ascontiguousarray(array))
    return found.digest()


# --- held views -------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [None, gv.COLUMNS], ids=["default", "all"])
def test_held_views_never_change_while_memory_is_recycled(columns: list[str] | None) -> None:
    """A thousand pieces come back and are handed out again while views of others are alive."""
    chance = random.Random(1)
    noise = np.random.default_rng(1)
    arena = Arena()
    held: list[tuple[object, bytes]] = []
    before = pools()
    busy = ["particles", "buffers"] if columns else ["particles"]

    def recycled() -> int:
        now = pools()
        return min(now[name]["hits"] - before[name]["hits"] for name in busy)

    def hold(batch: gv.Particles) -> None:
        start = chance.randrange(len(batch))
        view = batch[chance.choice(batch.columns)][start : start + chance.randint(1, 50)]
        held.append((view, digest(view)))

    def hold_array() -> None:
        array = arena.empty(chance.randint(1, 20_000), "u1", pool=chance.choice(SLABS))
        array[:] = noise.integers(0, 256, array.size, np.uint8)
        view = array[chance.randrange(array.size) :]
        held.append((view, digest(view)))

    while recycled() < 1000:
        with gv.scan_fastq(TEXT, columns=columns, arena=chance.choice([None, arena])) as reader:
            for batch in reader.batches(chance.randint(5, 60)):
                if chance.random() < 0.2:
                    hold(batch)
                if chance.random() < 0.1:
                    hold_array()
        assert all(digest(view) == wanted for view, wanted in held)
        chance.shuffle(held)
        del held[100:]
        if chance.random() < 0.05:
            gv.memory.trim()
    assert len(held) == 100
    assert all(digest(view) == wanted for view, wanted in held)


def same(real: object, oracle: object) -> bool:
    """The same bytes, whatever it is."""
    if isinstance(real, gv.Particles):
        return all(same(real[name], oracle[name]) for name in oracle.columns)
    if isinstance(real, pa.RecordBatch):
        real.validate(full=True)
        return all(same(real.column(name), oracle[name]) for name in oracle.columns)
    if isinstance(real, pa.Array):
        if isinstance(oracle, gv.TextColumn):
            return real.to_pylist() == oracle.tolist()
        flat = real.flatten() if pa.types.is_fixed_size_list(real.type) else real
        if pa.types.is_timestamp(real.type):  # NaT is null
            flat = flat.view(pa.int64()).fill_null(np.iinfo(np.int64).min)
        return flat.to_numpy().tobytes() == oracle.tobytes()
    return digest(real) == digest(oracle)


@dataclass(eq=False)
class Held:
    """Something read, or a view of it, beside the same of plain copies."""

    real: Any
    oracle: Any
    arena: int | None  # that it lives in; None: in the process's, or in memory of Python's own


@dataclass(eq=False)
class Reading:
    batches: Iterator[gv.Particles]
    arena: int | None
    columns: tuple[str, ...]
    at: int = 0


ANY = st.integers(0, 2**16 - 1)  # one of those there are, counted round and round
ARENAS = st.integers(0, 1)


class Recycling(RuleBasedStateMachine):
    """Whatever is done to what was read is done to plain copies too, and they stay the same."""

    def __init__(self) -> None:
        super().__init__()
        self.arenas = [Arena(), Arena()]
        self.held: list[Held] = []
        self.reading: list[Reading] = []

    def one(self, which: int) -> Held:
        return self.held[which % len(self.held)]

    def any_held(self) -> bool:
        return bool(self.held)

    @rule(size=st.integers(1, 400), arena=st.none() | ARENAS, text=st.booleans())
    def read(self, size: int, arena: int | None, text: bool) -> None:
        columns = gv.COLUMNS if text else gv.DEFAULT_COLUMNS
        into = None if arena is None else self.arenas[arena]
        reader = gv.scan_fastq(TEXT, columns=columns, arena=into, threads=1)
        self.reading.append(Reading(reader.batches(size), arena, columns))

    @precondition(lambda self: self.reading)
    @rule(which=ANY, count=st.integers(1, 5))
    def go_on(self, which: int, count: int) -> None:
        """Only the last of some batches is held: the others have come back."""
        reading = self.reading[which % len(self.reading)]
        batch = None
        for _ in range(count):
            try:
                batch = next(reading.batches)
            except (StopIteration, gv.errors.ArenaFullError) as end:
                assert reading.at == READS or isinstance(end, gv.errors.ArenaFullError)
                self.reading.remove(reading)
                return
            start, reading.at = reading.at, reading.at + len(batch)
        rows = WHOLE[start : reading.at]
        oracle = gv.Particles({name: rows[name].copy() for name in reading.columns}, rows.layout)
        self.held.append(Held(batch, oracle, reading.arena))

    @precondition(any_held)
    @rule(which=ANY, ends=st.tuples(st.integers(0, 400), st.integers(0, 400)))
    def cut(self, which: int, ends: tuple[int, int]) -> None:
        held, rows = self.one(which), slice(*sorted(ends))
        if not isinstance(held.real, pa.RecordBatch):
            self.held.append(Held(held.real[rows], held.oracle[rows], held.arena))

    @precondition(any_held)
    @rule(which=ANY, name=st.sampled_from(gv.COLUMNS))
    def take_column(self, which: int, name: str) -> None:
        held = self.one(which)
        if isinstance(held.real, gv.Particles) and name in held.real.columns:
            self.held.append(Held(held.real[name], held.oracle[name], held.arena))

    @precondition(any_held)
    @rule(which=ANY)
    def export(self, which: int) -> None:
        held = self.one(which)
        if isinstance(held.real, gv.Particles):
            self.held.append(Held(held.real.to_arrow(), held.oracle, held.arena))

    @precondition(any_held)
    @rule(which=ANY)
    def copy(self, which: int) -> None:
        held = self.one(which)
        if not isinstance(held.real, pa.RecordBatch):
            self.held.append(Held(held.real.copy(), held.oracle.copy(), None))

    @precondition(any_held)
    @rule(which=ANY, name=st.sampled_from(gv.DEFAULT_COLUMNS), value=st.integers(0, 255))
    def write(self, which: int, name: str, value: int) -> None:
        held = self.one(which)
        if isinstance(held.real, gv.Particles):
            held.real[name][...] = held.oracle[name][...] = value

    @rule(size=st.integers(1, 100_000), arena=ARENAS, pool=st.sampled_from(SLABS), value=ANY)
    def make_array(self, size: int, arena: int, pool: str, value: int) -> None:
        try:
            array = self.arenas[arena].empty(size, "u2", pool=pool)
        except gv.errors.ArenaFullError:
            return
        array[:] = value
        self.held.append(Held(array, np.full(size, value, np.uint16), arena))

    @precondition(any_held)
    @rule(which=ANY)
    def drop(self, which: int) -> None:
        self.held.remove(self.one(which))

    @rule(keep=st.integers(0, 3))
    def drop_most(self, keep: int) -> None:
        del self.held[keep:]

    @precondition(lambda self: self.reading)
    @rule(which=ANY)
    def stop_reading(self, which: int) -> None:
        self.reading.pop(which % len(self.reading)).batches.close()

    @rule(arena=ARENAS, capacity=st.sampled_from([None, None, 10_000, 900_000]))
    def bound(self, arena: int, capacity: int | None) -> None:
        self.arenas[arena].set_capacity(capacity)

    @rule(arena=ARENAS)
    def reset(self, arena: int) -> None:
        gc.collect()
        held = [each for each in self.held if each.arena == arena]
        try:
            self.arenas[arena].reset()
        except gv.errors.ArenaInUseError:
            # A reader may hold its memory, and so may a view of no rows.
            assert held or any(each.arena == arena for each in self.reading)
        else:
            assert not any(len(plain_arrays(each.oracle)[-1]) for each in held if is_array(each))
            assert self.arenas[arena].used == self.arenas[arena].peak == 0

    @rule()
    def trim(self) -> None:
        gv.memory.trim()
        assert gv.memory.stats().idle == 0

    @invariant()
    def nothing_has_changed(self) -> None:
        for each in self.held:
            assert same(each.real, each.oracle)

    def teardown(self) -> None:
        for each in self.reading:
            each.batches.close()
        arenas = self.arenas
        self.reading.clear()
        self.held.clear()
        gc.collect()
        assert [(arena.used, arena.leases) for arena in arenas] == [(0, 0), (0, 0)]


def is_array(held: Held) -> bool:
    return isinstance(held.real, np.ndarray)


def test_random_orders_of_reading_slicing_holding_and_dropping() -> None:
    examples = 10 if IS_SANITIZED else 60
    run_state_machine_as_test(
        Recycling, settings=settings(max_examples=examples, stateful_step_count=30, deadline=None)
    )


# --- pools in steady state --------------------------------------------------------------------

BATCHES = 10_000
TEN = b"".join(make_records(10, seed=9))


@pytest.mark.parametrize("columns", [None, gv.COLUMNS], ids=["default", "all"])
def test_pools_are_hit_in_steady_state(columns: list[str] | None) -> None:
    """10,000 batches, the last eight of them alive: 99 of 100 pieces were there already."""
    size = READS // 300
    alive: deque[gv.Particles] = deque(maxlen=8)
    before = pools()
    count = 0
    while count < BATCHES:
        with gv.scan_fastq([TEXT] * 10, columns=columns) as reader:
            for batch in reader.batches(size):
                alive.append(batch)
                count += 1
    now = pools()
    gets = {name: now[name]["gets"] - before[name]["gets"] for name in now}
    hits = {name: now[name]["hits"] - before[name]["hits"] for name in now}
    assert gets["particles"] >= BATCHES
    assert gets["buffers"] >= BATCHES or not columns
    # A reader takes a buffer or two for all its batches.
    low = {name: hits[name] / gets[name] for name in gets if hits[name] + 5 < 0.99 * gets[name]}
    assert not low


def test_arrays_made_again_and_again_are_hit() -> None:
    arena = Arena()
    before = pools()
    for i in range(5000):
        grid = arena.empty((8, 8, 8 + i % 3), "u4", pool="voxels")
        grid[:] = i
    del grid
    now = pools()["voxels"]
    assert now["gets"] - before["voxels"]["gets"] == 5000
    assert now["hits"] - before["voxels"]["hits"] >= 4990


def python_cost(columns: list[str] | None, batch_size: int) -> tuple[int, int]:
    """Blocks of Python's allocator, and bytes that tracemalloc sees, for each of 20 batches."""
    text = b"".join(RECORD % i for i in range(21 * batch_size))
    with gv.scan_fastq(text, columns=columns, threads=1) as reader:
        batches = reader.batches(batch_size)
        held = [next(batches)]
        gc.collect()
        gc.disable()
        try:
            blocks = sys.getallocatedblocks()
            tracemalloc.start()
            for _ in range(20):
                held.append(next(batches))
            traced = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            blocks = sys.getallocatedblocks() - blocks
        finally:
            gc.enable()
    assert sum(map(len, held)) == 21 * batch_size
    return blocks // 20, traced // 20


RECORD = b"@read:%06d\nACGTACGTGG\n+\nIIIIIIIIII\n"


@pytest.mark.parametrize("columns", [None, gv.COLUMNS], ids=["default", "all"])
def test_python_objects_of_a_batch_do_not_depend_on_its_size(columns: list[str] | None) -> None:
    python_cost(columns, 300)
    costs = {size: python_cost(columns, size) for size in (300, 1000, 5000)}
    blocks, traced = zip(*costs.values(), strict=True)
    assert max(blocks) - min(blocks) <= 2, costs
    assert max(blocks) < 150, costs
    # Numbers grow by a digit of Python's here and there.
    assert max(traced) - min(traced) <= 200, costs
    assert max(traced) < 10_000, costs


# --- ten thousand operations with faults ------------------------------------------------------


class Raising(io.BytesIO):
    """A file object whose third piece is an exception."""

    calls = 0

    def readinto(self, buffer: object) -> int:
        self.calls += 1
        if self.calls == 3:
            raise OSError("the disk is gone")
        return super().readinto(memoryview(buffer)[:500])


class RaisingRead:
    def read(self, size: int) -> bytes:
        raise KeyError("mine")


class Operations:
    """Operations at random, a fifth of which meet a fault; what they give is checked and held."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.sound = folder / "sound.fastq"
        self.packed = folder / "sound.fastq.gz"
        self.cut = folder / "cut.fastq.gz"
        self.missing = folder / "missing.fastq"
        self.sound.write_bytes(FIFTY)
        self.packed.write_bytes(gzip.compress(FIFTY))
        self.cut.write_bytes(gzip.compress(FIFTY)[:-20])
        self.wanted = gv.read_fastq(FIFTY, columns=gv.COLUMNS).copy()
        self.arena = Arena("40 MiB")
        self.held: deque[object] = deque(maxlen=12)
        self.done: dict[str, int] = {}

    def one(self, number: int) -> None:
        # In turn, so that each is met as often before the measuring as in it.
        kinds = self.faults if number % 5 == 0 else self.right
        operation = (
            kinds[number // 5 % len(kinds)] if number % 5 == 0 else self.chance.choice(kinds)
        )
        operation(self)
        self.done[operation.__name__] = self.done.get(operation.__name__, 0) + 1

    def check(self, p: gv.Particles) -> None:
        assert len(p) == 50
        assert p.gc.tobytes() == self.wanted.gc.tobytes()
        self.held.append(p)

    # What works

    def reads_memory(self) -> None:
        self.check(gv.read_fastq(FIFTY))

    def reads_all_columns(self) -> None:
        self.check(gv.read_fastq(self.sound, columns=gv.COLUMNS, arena=self.arena))

    def reads_packed(self) -> None:
        self.check(gv.read_fastq(self.packed, arena=self.arena))

    def goes_in_batches(self) -> None:
        with gv.scan_fastq(self.sound, columns=gv.COLUMNS) as reader:
            self.held.append([batch[2:] for batch in reader.batches(self.chance.randint(3, 40))])

    def stops_half_way(self) -> None:
        batches = gv.scan_fastq(self.sound, arena=self.arena).batches(7)
        self.held.append((next(batches), batches))

    def makes_an_array(self) -> None:
        size = self.chance.choice([10, 1000, 300_000])
        array = self.arena.empty(size, "u1", pool=self.chance.choice(SLABS))
        array[:10] = 3
        self.held.append(array[5:])

    def exports(self) -> None:
        p = gv.read_fastq(FIFTY, columns=["gc", "name"], arena=self.arena)
        self.held.append(p.to_arrow().columns)

    def copies(self) -> None:
        p = gv.read_fastq(FIFTY)
        self.held.append([p.copy(), p[p.gc > 0.4], gv.Particles.concat([p, p[3:9]])])

    def asks(self) -> None:
        assert gv.memory.stats().used >= 0
        self.arena.set_capacity("40 MiB")

    # What does not

    def meets_a_broken_record(self) -> None:
        with pytest.raises(gv.errors.QualityMismatchError):
            gv.read_fastq(FIFTY + b"@x\nAC\n+\nI\n", columns=gv.COLUMNS)

    def meets_a_broken_record_in_batches(self) -> None:
        with pytest.raises(gv.errors.QualityMismatchError):
            for batch in gv.scan_fastq(FIFTY + b"@x\nAC\n+\nI\n", arena=self.arena).batches(20):
                self.held.append(batch)

    def meets_a_cut_file(self) -> None:
        with pytest.raises(gv.errors.TruncatedFileError):
            gv.read_fastq(self.cut, arena=self.arena)

    def meets_no_file(self) -> None:
        with pytest.raises(FileNotFoundError):
            gv.read_fastq([FIFTY, self.missing])

    def meets_a_limit(self) -> None:
        with pytest.raises(gv.errors.MemoryLimitError):
            gv.read_fastq(FIFTY, columns=gv.COLUMNS, memory_limit=3000)

    def meets_the_limit_of_the_process(self) -> None:
        gv.memory.set_limit(10)
        try:
            with pytest.raises(gv.errors.MemoryLimitError):
                gv.read_fastq(FIFTY)
        finally:
            gv.memory.set_limit(None)

    def meets_a_full_arena(self) -> None:
        with pytest.raises(gv.errors.ArenaFullError):
            gv.read_fastq(self.sound, arena=Arena(2000))
        with pytest.raises(gv.errors.ArenaFullError):
            self.arena.empty(41 * 2**20, "u1")

    def meets_results_in_an_arena(self) -> None:
        p = gv.read_fastq(FIFTY, arena=self.arena)
        with pytest.raises(gv.errors.ArenaInUseError):
            self.arena.reset()
        self.check(p)

    def meets_a_file_object_that_raises(self) -> None:
        with pytest.raises(gv.errors.SourceReadError):
            gv.read_fastq(Raising(FIFTY), columns=gv.COLUMNS)
        with pytest.raises(gv.errors.SourceReadError) as caught:
            gv.read_fastq([FIFTY, RaisingRead()], arena=self.arena)
        assert isinstance(caught.value.__cause__, KeyError)

    def meets_progress_that_raises(self) -> None:
        def progress(done: int, total: int | None) -> None:
            raise KeyError("mine")

        with pytest.raises(KeyError):
            gv.read_fastq(self.sound, progress=progress, arena=self.arena)

    right = (
        reads_memory,
        reads_all_columns,
        reads_packed,
        goes_in_batches,
        stops_half_way,
        makes_an_array,
        exports,
        copies,
        asks,
    )
    faults = (
        meets_a_broken_record,
        meets_a_broken_record_in_batches,
        meets_a_cut_file,
        meets_no_file,
        meets_a_limit,
        meets_the_limit_of_the_process,
        meets_a_full_arena,
        meets_results_in_an_arena,
        meets_a_file_object_that_raises,
        meets_progress_that_raises,
    )


WARMING, MEASURED = (200, 600) if IS_SANITIZED else (500, 9_500)


def run_operations(folder: Path) -> None:
    """In a process of its own, so that nothing but these operations changes what is measured."""
    process = psutil.Process()
    operations = Operations(folder, seed=3)

    def state() -> dict[str, int]:
        operations.held.clear()
        gc.collect()
        return {"files": process.num_fds(), "threads": process.num_threads(), **pool_balance()}

    def resident() -> int:
        gc.collect()
        return process.memory_info().rss

    gc.collect()
    gc.freeze()
    for number in range(WARMING):
        operations.one(number)
    before, memory = state(), resident()
    for number in range(MEASURED):
        operations.one(number)
    now, grown = state(), resident() - memory
    assert now == before, (now, before)
    assert IS_SANITIZED or abs(grown) <= 0.01 * memory, (grown, memory)
    assert operations.arena.used == 0
    done = operations.done
    assert sum(done[each.__name__] for each in Operations.faults) == (WARMING + MEASURED) // 5
    assert set(done) == {each.__name__ for each in (*Operations.right, *Operations.faults)}
    print(f"{memory} bytes, {grown:+d}")


def test_ten_thousand_operations_with_faults_leave_nothing_behind(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import pathlib, test_recycling as tests\n"
    code += "tests.run_operations(pathlib.Path(sys.argv[2]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    assert "bytes" in done.stdout


# --- threads ----------------------------------------------------------------------------------

THREADS = 8
EACH = 500 if IS_SANITIZED else 10_000


def in_threads(work: Callable[[int], None], count: int = THREADS) -> None:
    """Run it in threads that begin together; the first thing that went wrong is raised."""
    faults: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except BaseException as fault:
            faults.append(fault)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    if faults:
        raise faults[0]


def test_eight_threads_use_the_pools_at_once() -> None:
    """Each writes what is its own into what it gets, and finds it there later."""
    arena = Arena("1 GiB")
    wanted = gv.read_fastq(FIFTY).copy()
    # With no interpreter lock, pyarrow 24 waits for itself where threads are its first users.
    assert wanted.to_arrow().column(0).to_numpy(zero_copy_only=False) is not None

    def work(number: int) -> None:
        chance = random.Random(number)
        mine = number + 1
        held: deque[tuple[object, Callable[[object], bool]]] = deque()
        batches: Iterator[gv.Particles] = iter(())

        def is_mine(array: np.ndarray) -> bool:
            return bool(array[0] == array[-1] == mine)

        def is_right(p: gv.Particles) -> bool:
            return p.gc.tobytes() == wanted.gc.tobytes()

        def is_exported(column: pa.Array) -> bool:
            return column.to_numpy().tobytes() == wanted.gc.tobytes()

        for _ in range(EACH):
            what = chance.random()
            if what < 0.7:
                array = arena.empty(chance.choice(SIZES_OF_ARRAYS), "u1", pool=chance.choice(SLABS))
                array[0] = array[-1] = mine
                held.append((array, is_mine))
            elif what < 0.9:
                batch = next(batches, None)
                if batch is None:
                    batches = gv.scan_fastq(FIFTY * 20, arena=arena, threads=1).batches(50)
                    batch = next(batches)
                held.append((batch, is_right))
            elif what < 0.95:
                held.append((gv.read_fastq(FIFTY, threads=1), is_right))
            elif what < 0.98:
                held.append(
                    (gv.read_fastq(FIFTY, columns=["gc"]).to_arrow().column(0), is_exported)
                )
            elif what < 0.985:
                gv.memory.trim()
            elif what < 0.99:
                assert gv.memory.stats().used >= 0
            else:
                with pytest.raises(gv.errors.ArenaFullError):
                    Arena(1000).empty(5000, "u1")
            while len(held) > mine:
                thing, is_as_it_was = held.popleft()
                assert is_as_it_was(thing)
        assert all(is_as_it_was(thing) for thing, is_as_it_was in held)

    in_threads(work)
    gc.collect()
    assert (arena.used, arena.leases) == (0, 0)
    arena.reset()


SIZES_OF_ARRAYS = (1, 100, 4_000, 4_100, 70_000, 300_000)


def test_results_dropped_by_other_threads() -> None:
    """What one thread reads another one lets go of."""
    box: list[object] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        chance = random.Random(number)
        for _ in range(EACH // 20):
            p = gv.read_fastq(FIFTY, columns=["gc", "name"])
            found: object = p.to_arrow() if chance.random() < 0.5 else p
            with lock:
                box.append(found)
                other = box.pop(chance.randrange(len(box))) if len(box) > 20 else None
            del other, found, p

    in_threads(work)
    for thing in box:
        column = thing.column("gc").to_numpy() if isinstance(thing, pa.RecordBatch) else thing.gc
        assert len(column) == 50
    box.clear()


def assert_once_each(batches: list[gv.Particles], is_whole: bool) -> None:
    """Every record is as it stands in the file, and none came twice."""
    ordinals = np.concatenate([batch.metadata for batch in batches]).astype(np.int64)
    assert len(np.unique(ordinals)) == len(ordinals)
    if is_whole:
        assert len(ordinals) == READS
    joined = gv.Particles.concat(batches)
    for name in ("length", "gc", "position", "name", "qualities"):
        assert same(joined[name], WHOLE[ordinals][name])


COLUMNS = ["metadata", "length", "gc", "position", "name", "qualities"]


def take_all(batches: Iterator[gv.Particles], found: list[gv.Particles]) -> None:
    """Take what is left; who comes while another one is inside is told so, and tries again."""
    while True:
        try:
            found.append(next(batches))
        except StopIteration:
            return
        except RuntimeError as error:
            assert "in use" in str(error)


def test_one_iterator_in_eight_threads_gives_each_record_once() -> None:
    batches = gv.scan_fastq(TEXT, columns=COLUMNS).batches(7)
    found: list[gv.Particles] = []
    in_threads(lambda number: take_all(batches, found))
    assert_once_each(found, is_whole=True)


def test_one_reader_with_an_iterator_a_thread_gives_each_record_once() -> None:
    """Before the fix, who was told that the reader is in use closed it in the end."""
    for _ in range(5):
        reader = gv.scan_fastq(TEXT, columns=COLUMNS)
        found: list[gv.Particles] = []

        def work(
            number: int, reader: gv.FastqReader = reader, found: list[gv.Particles] = found
        ) -> None:
            try:
                take_all(reader.batches(7), found)
            except ValueError as error:
                assert "closed" in str(error)

        in_threads(work)
        assert_once_each(found, is_whole=True)


def test_one_reader_under_a_lock_gives_each_record_once() -> None:
    lock = threading.Lock()
    found: list[gv.Particles] = []
    reader = gv.scan_fastq(TEXT, columns=COLUMNS)
    shared = reader.batches(7)

    def work(number: int) -> None:
        while True:
            with lock:
                batch = next(shared, None)
            if batch is None:
                return
            found.append(batch)

    in_threads(work)
    assert_once_each(found, is_whole=True)
    assert reader.stats.reads == READS


@pytest.mark.parametrize("round_", range(20))
def test_one_reader_in_eight_threads_gives_each_record_once_or_a_clear_error(round_: int) -> None:
    """Each thread asks for batches of its own; nobody may believe that the input has ended."""
    reader = gv.scan_fastq(TEXT, columns=COLUMNS)
    found: list[gv.Particles] = []
    told: list[str] = []

    def work(number: int) -> None:
        try:
            for batch in reader.batches(5 + round_):
                found.append(batch)
        except (RuntimeError, ValueError) as error:
            told.append(str(error))

    in_threads(work)
    assert all("in use" in words or "closed" in words for words in told)
    if found:
        assert_once_each(found, is_whole=not told)
    else:
        assert told


def test_one_reader_read_whole_by_eight_threads() -> None:
    """One of them gets all there is, the others are told that it is in use or closed."""
    for _ in range(20):
        reader = gv.scan_fastq(TEXT, columns=COLUMNS)
        found: list[gv.Particles] = []
        told: list[str] = []

        def work(
            number: int,
            reader: gv.FastqReader = reader,
            found: list[gv.Particles] = found,
            told: list[str] = told,
        ) -> None:
            try:
                found.append(reader.read())
            except (RuntimeError, ValueError) as error:
                told.append(str(error))

        in_threads(work)
        assert len(found) + len(told) == THREADS
        assert all("in use" in words or "closed" in words for words in told)
        with_rows = [p for p in found if len(p)]
        assert_once_each(with_rows, is_whole=True)
