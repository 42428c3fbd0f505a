"""Objects of the core that several threads use at once: no lock of Python's is needed for that.

Where there is an interpreter lock this shows what happens between two of its holders; where there
is none, everything else.
"""

from __future__ import annotations

import contextlib
import gc
import random
import subprocess
import sys
import sysconfig
import threading
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import genomevedic as gv
from genomevedic import _core
from support import make_records

TEXT = b"".join(make_records(3000, seed=6))
THREADS = 8


def at_once(function: Callable[[random.Random], None], rounds: int) -> None:
    """Call it so often in each of eight threads; what one of them met is raised."""
    barrier = threading.Barrier(THREADS)
    met: list[BaseException] = []

    def run(seed: int) -> None:
        chance = random.Random(seed)
        barrier.wait()
        try:
            for _ in range(rounds):
                function(chance)
        except BaseException as error:
            met.append(error)

    threads = [threading.Thread(target=run, args=[seed]) for seed in range(THREADS)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    if met:
        raise met[0]


@pytest.fixture(autouse=True)
def _balance() -> Iterator[None]:
    gc.collect()
    before = gv.memory.stats()
    yield
    gc.collect()
    after = gv.memory.stats()
    assert (after.used, after.leases) == (before.used, before.leases)
    for name, pool in after.pools.items():
        assert pool.in_use == before.pools[name].in_use
        assert pool.gets == pool.hits + pool.misses


def test_a_reader_is_used_by_one_at_a_time() -> None:
    """Each record is handed out once, or by nobody after it was closed."""
    for round_ in range(10):
        sources = (("a", TEXT), ("b", TEXT))
        reader = _core.Reader(sources, ("metadata",), threads=1 + round_ % 3)
        seen: list[int] = []
        closes = round_ % 2 == 1

        def use(
            chance: random.Random,
            reader: _core.Reader = reader,
            seen: list[int] = seen,
            closes: bool = closes,
        ) -> None:
            ways: list[Callable[[], object]] = [
                lambda: reader.advance(chance.randint(1, 300), 2**60),
                lambda: seen.extend(reader.take()["metadata"].tolist()),
                lambda: reader.stats()["reads"],
                lambda: reader.rows,
                reader.place,
            ]
            if closes and chance.random() < 0.001:
                ways = [reader.close]
            try:
                chance.choice(ways)()
            except (RuntimeError, ValueError) as error:
                assert str(error).startswith("this reader is ")

        at_once(use, 300)
        if not closes:
            while reader.advance(2**60, 2**60):
                pass
            seen.extend(reader.take()["metadata"].tolist())
            assert sorted(seen) == list(range(6000))
        assert len(set(seen)) == len(seen)
        reader.close()


def test_a_reader_is_settled_once() -> None:
    for _ in range(20):
        reader = _core.Reader((("a", TEXT),), ("metadata", "position"))
        rows: list[int] = []

        def use(
            chance: random.Random, reader: _core.Reader = reader, rows: list[int] = rows
        ) -> None:
            ways: list[Callable[[], object]] = [
                lambda: reader.look(20, 10_000, True),
                lambda: reader.settle("spiral", "unknown", {}),
                lambda: reader.advance(100, 2**60),
                lambda: rows.append(len(reader.take()["metadata"])),
            ]
            with contextlib.suppress(RuntimeError):
                chance.choice(ways)()

        at_once(use, 20)
        while reader.advance(2**60, 2**60):
            pass
        rows.append(len(reader.take()["metadata"]))
        assert sum(rows) == 3000
        reader.close()


def test_a_tally_counts_all_that_it_took() -> None:
    read = gv.read_fastq(TEXT, columns=("length", "sequence", "qualities"))
    texts = [(text.offsets, text.data) for text in (read.sequence, read.qualities)]
    lane, tile = np.ones(3000, "u1"), 1101 + np.arange(3000, dtype="u4") % 7
    tally = _core.Tally(10, 10)
    taken: list[int] = []

    def use(chance: random.Random) -> None:
        try:
            if chance.random() < 0.8:
                tally.add(lane, tile, *texts)
                taken.append(1)
            else:
                assert tally.tiles()["reads"].sum() % 3000 == 0
                assert len(tally.bins()) > 0
                assert tally.counts()
        except RuntimeError as error:
            assert str(error) == "this tally is in use by another thread"

    at_once(use, 50)
    assert len(taken) > 0
    assert tally.tiles()["reads"].sum() == 3000 * len(taken)


def test_an_arena_is_for_all() -> None:
    arena = gv.memory.Arena("64 MiB")
    closed = [gv.memory.Arena()]

    def use(chance: random.Random) -> None:
        match chance.randrange(6):
            case 0:
                arena.set_capacity(chance.choice(["64 MiB", "32 MiB", None]))
            case 1:
                assert arena.available >= 0
                assert repr(arena).startswith("<Arena")
                other = closed[0]
                closed[0] = gv.memory.Arena()
                other.close()
                assert repr(closed[0]).startswith("<Arena")
                assert closed[0]._repr_html_()
            case 2:
                with contextlib.suppress(gv.errors.ArenaInUseError):
                    arena.reset()
            case 3:
                assert len(gv.read_fastq(TEXT, arena=arena)) == 3000
            case _:
                array = arena.empty(chance.choice([100, 5000, 300_000]), "u1", pool="voxels")
                array[:] = 7
                assert array.sum() == 7 * array.size

    at_once(use, 500)
    arena.reset()


def test_counts_and_limits_of_the_process() -> None:
    def use(chance: random.Random) -> None:
        match chance.randrange(5):
            case 0:
                assert gv.memory.trim() >= 0
            case 1:
                gv.memory.set_limit(chance.choice(["1 GiB", None]))
            case 2:
                assert gv.memory.stats().peak > 0
            case 3:
                assert gv.show_config("dict")["simd"]
            case _:
                arena = gv.memory.Arena()
                assert gv.read_fastq(TEXT, limit=50, arena=arena).gc.size == 50

    at_once(use, 500)
    gv.memory.set_limit(None)


def test_columns_that_change_while_they_are_exported() -> None:
    """Each export is of one state of the dict, whole."""
    read = gv.read_fastq(TEXT, columns=gv.COLUMNS)
    whole = read._arrow_columns()
    columns = dict(whole)
    names = list(columns)

    def use(chance: random.Random) -> None:
        name = chance.choice(names)
        match chance.randrange(4):
            case 0:
                columns.pop(name, None)
            case 1:
                columns[name] = whole[name]
            case 2:
                assert _core.arrow_schema(columns)
            case _:
                assert len(_core.arrow_array(columns)) == 2

    at_once(use, 1000)


def test_leases_are_let_go_by_anybody() -> None:
    """Views, weak references and exports of one result, dropped in threads that did not make it."""
    shelf: list[object] = [None] * 64

    def use(chance: random.Random) -> None:
        place = chance.randrange(len(shelf))
        match chance.randrange(4):
            case 0:
                shelf[place] = gv.read_fastq(TEXT, limit=chance.choice([3, 300, 3000]))
            case 1:
                found = shelf[place]
                if isinstance(found, gv.Particles):
                    lease = found.gc.base
                    reference = weakref.ref(lease)
                    assert reference() is lease
                    shelf[chance.randrange(len(shelf))] = reference
            case 2:
                found = shelf[place]
                if isinstance(found, gv.Particles):
                    shelf[chance.randrange(len(shelf))] = found.__arrow_c_array__()
                elif isinstance(found, weakref.ref):
                    lease = found()
                    assert lease is None or lease.nbytes > 0
            case _:
                shelf[place] = None

    at_once(use, 1000)


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has its lock always"
)
def test_the_lock_stays_off() -> None:
    code = "import sys, genomevedic; print(sys._is_gil_enabled())"
    command = [sys.executable, "-W", "error", "-c", code]
    assert subprocess.run(command, capture_output=True, check=True).stdout.split() == [b"False"]
