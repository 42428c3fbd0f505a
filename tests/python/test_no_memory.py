"""Memory that is refused at call k, for each k: a clean error, nothing lost, and on it goes.

Three who may refuse: Python's allocator (`_testcapi.set_nomemory`), and, by a library loaded before
all others, malloc and its kin and mmap where the core itself calls them. The same library counts
those calls: streaming makes none once it is warm.
"""

from __future__ import annotations

import ctypes
import gc
import gzip
import os
import random
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genomevedic as gv
from genomevedic import _core
from genomevedic.memory import Arena
from support import bgzf, make_records

RECORD = b"@read:%06d\nACGTACGTGG\n+\nIIIIIIIIII\n"
SMALL = b"".join(make_records(40, seed=3))
LARGE = b"".join(RECORD % i for i in range(21_000))  # 1.1 MB of columns: extents
SHARED = b"".join(RECORD % i for i in range(114_000))  # 4.2 MB: read by several threads

# --- operations -------------------------------------------------------------------------------


class Given:
    """What the operations work on, made before memory runs out."""

    def __init__(self, folder: Path) -> None:
        self.small = str(folder / "small.fastq")
        self.large = str(folder / "large.fastq")
        self.packed = str(folder / "packed.fastq.gz")
        self.blocks = str(folder / "blocks.fastq.gz")
        Path(self.small).write_bytes(SMALL)
        Path(self.large).write_bytes(LARGE)
        Path(self.packed).write_bytes(gzip.compress(SMALL))
        Path(self.blocks).write_bytes(bgzf(SMALL, SMALL))
        read = gv.read_fastq(SMALL, columns=gv.COLUMNS)
        self.read = [read, read[3:9], read.copy()]
        self.columns = [each._arrow_columns() for each in self.read]
        self.arena = _core.Arena(4000)


def reads_memory(given: Given) -> object:
    return gv.read_fastq(SMALL)


def reads_all_columns(given: Given) -> object:
    return gv.read_fastq(given.small, columns=gv.COLUMNS)


def reads_packed(given: Given) -> object:
    return gv.read_fastq(given.packed)


def reads_blocks(given: Given) -> object:
    return gv.read_fastq(given.blocks)


def reads_much(given: Given) -> object:
    return gv.read_fastq(LARGE, threads=1)


def reads_much_in_place(given: Given) -> object:
    return gv.read_fastq(given.large, columns=gv.COLUMNS, threads=1)


def reads_in_threads(given: Given) -> object:
    return gv.read_fastq(SHARED, threads=3)


class FileObject:
    def __init__(self) -> None:
        self.at = 0

    def read(self, size: int) -> bytes:
        piece = SMALL[self.at : self.at + min(size, 500)]
        self.at += len(piece)
        return piece


def reads_a_file_object(given: Given) -> object:
    return gv.read_fastq(FileObject())


def goes_in_batches(given: Given) -> object:
    with gv.scan_fastq(SMALL, columns=gv.COLUMNS) as reader:
        return list(reader.batches(15))


def goes_in_batches_of_much(given: Given) -> object:
    rows = 0
    with gv.scan_fastq(given.large, columns=gv.COLUMNS, threads=1) as reader:
        for batch in reader.batches(6000):
            rows += len(batch)
    return rows


def stops_half_way(given: Given) -> object:
    return next(gv.scan_fastq(given.small).batches(7))


def meets_a_fault(given: Given) -> object:
    held: list[object] = []
    try:
        for batch in gv.scan_fastq(SMALL + b"@x\nAC\n+\nI\n").batches(15):
            held.append(batch)
    except gv.errors.QualityMismatchError as error:
        held.append(error.line)
    return held


def fills_an_arena(given: Given) -> object:
    try:
        gv.read_fastq(SMALL, columns=gv.COLUMNS, arena=Arena(3000))
    except gv.errors.ArenaFullError as error:
        return error.context["limit"]
    return None


def makes_arenas(given: Given) -> object:
    with Arena("1 MiB", name="a") as arena:
        p = gv.read_fastq(SMALL, arena=arena)
        return p, arena.leases, repr(arena)[:10], arena._repr_html_()[:10]


def makes_arrays(given: Given) -> object:
    arena = Arena()
    held = [arena.empty((10, size), "f8", pool="voxels") for size in (1, 500, 50_000)]
    for array in held:
        array[:] = 7
    return held


def asks(given: Given) -> object:
    return tuple(gv.memory.stats().pools), gv.memory.Pool("voxels").stats().in_use


def trims(given: Given) -> object:
    return gv.memory.trim() >= 0


def sets_the_limit(given: Given) -> object:
    gv.memory.set_limit("1 GiB")
    gv.memory.set_limit(None)
    return gv.memory.limit()


def exports(given: Given) -> object:
    """By the protocol alone: what pyarrow does without memory is its own affair."""
    return [p.__arrow_c_array__() for p in given.read]


def exports_the_schema(given: Given) -> object:
    return [p.__arrow_c_schema__() for p in given.read]


# The same of the core, with next to no Python in between.


def core_reads(given: Given) -> object:
    reader = _core.Reader((("<bytes>", SMALL), ("p", given.packed)), _core.COLUMNS)
    head = reader.look(10, 1000, True)
    reader.settle("spiral", "unknown", {})
    place = reader.place()
    more = reader.advance(2**60, 2**60)
    columns = reader.take()
    stats = reader.stats()
    reader.close()
    return head, place, more, columns, stats


def core_parses_names(given: Given) -> object:
    name = b"SIM:1:FCX:1:15:6329:1045 1:N:0:2"
    return _core.parse_name(name)


def core_reads_a_batch(given: Given) -> object:
    reader = _core.Reader((("<bytes>", SMALL),), _core.COLUMNS, threads=1)
    reader.advance(10, 2**60)
    first = reader.take()
    reader.advance(10, 2**60)
    return first, reader.take()


def core_fails(given: Given) -> object:
    reader = _core.Reader((("<bytes>", b"@r\nA\n+\n\n"),), _core.COLUMNS)
    try:
        reader.advance(2**60, 2**60)
    except gv.errors.QualityMismatchError:
        return "mismatch"
    return None


def core_fills_an_arena(given: Given) -> object:
    try:
        given.arena.empty(5000, "voxels")
    except gv.errors.ArenaFullError:
        return "full"
    return None


def core_makes_arenas(given: Given) -> object:
    arena = _core.Arena(2**30)
    array = arena.empty(1000, "voxels")
    array[:] = 3
    arena.set_capacity(None)
    return array, arena.stats()


def core_tallies(given: Given) -> object:
    tally = _core.Tally(2, 10)
    read = given.read[0]
    lane, tile = (np.arange(len(read)) % 3).astype("u1"), np.full(len(read), 1101, "u4")
    texts = [(read[name].offsets, read[name].data) for name in ("sequence", "qualities")]
    tally.add(lane, tile, *texts)
    return tally.tiles(), tally.bins(), tally.counts(), _core.digest(texts[0], 5)


def core_counts_cells(given: Given) -> object:
    cells, coarse = np.zeros((3, 14), "u8"), np.zeros((3, 8), "u8")
    x, y = np.arange(1000.0), np.arange(1000.0) % 7
    edges = (np.linspace(0, 1000, 4), np.linspace(0, 6, 5))
    _core.voxel_add(cells, edges, (x, y), (x,), 2, False)
    _core.voxel_merge(coarse, (3, 2), cells, (3, 4), (0, 0), (1, 2))
    return cells, coarse, _core.voxel_extent((x, y))


def core_resets(given: Given) -> object:
    arena = _core.Arena()
    array = arena.empty(1000, "voxels")
    try:
        arena.reset()
    except gv.errors.ArenaInUseError:
        del array
    return arena.reset()


def core_counts(given: Given) -> object:
    return list(_core.memory_stats()), _core.memory_trim("extents")


def core_limits(given: Given) -> object:
    return _core.memory_set_limit(2**30), _core.memory_set_limit(None)


def core_exports(given: Given) -> object:
    a, b, c = given.columns
    return _core.arrow_array(a), _core.arrow_array(b), _core.arrow_array(c), _core.arrow_schema(a)


def core_inflates(given: Given) -> object:
    return _core.inflate(PACKED), _core.input_format(PACKED)


def core_tells(given: Given) -> object:
    """Without what importlib is asked for, which passes over a file that it cannot look at."""
    config = _core.config()
    config["inflate_engines"] = [e for e in config["inflate_engines"] if e != "python-isal"]
    return config, _core.error_table()


PACKED = gzip.compress(SMALL, mtime=0)

# What the names of operations begin with.
READING = ("reads", "goes", "stops", "meets", "fills")
VERBS = (*READING, "core", "makes", "asks", "trims", "sets", "exports")
OPERATIONS: dict[str, Callable[[Given], object]] = {
    name: function for name, function in list(globals().items()) if name.partition("_")[0] in VERBS
}
THREADED = ["reads_in_threads"]
LENGTHY = ["reads_much", "reads_much_in_place", "goes_in_batches_of_much"]
CORE = [name for name in OPERATIONS if name.startswith("core_")]
PUBLIC = [name for name in OPERATIONS if name not in (*THREADED, *LENGTHY, *CORE)]


def told(thing: Any) -> object:
    """What can be compared, of whatever an operation gave."""
    if isinstance(thing, gv.Particles):
        return told({name: thing[name] for name in thing.columns})
    if isinstance(thing, gv.TextColumn):
        return told([thing.offsets, thing.data])
    if isinstance(thing, np.ndarray):
        return thing.tobytes()
    if isinstance(thing, dict):
        return {key: told(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [told(each) for each in thing]
    return "capsule" if "capsule" in repr(thing) else thing


def balance() -> dict[str, int]:
    stats = gv.memory.stats()
    counts = {name: pool.in_use for name, pool in stats.pools.items()}
    return {"used": stats.used, "leases": stats.leases, **counts}


def in_child(function: Callable[..., None], *args: str, **environment: str) -> None:
    """Run a function of this module in a fresh interpreter, which must end well."""
    code = (
        "import sys, importlib; sys.path.insert(0, sys.argv[1]); "
        "module = importlib.import_module('test_no_memory'); "
        "getattr(module, sys.argv[2])(*sys.argv[3:])"
    )
    command = [sys.executable, "-X", "faulthandler", "-c", code]
    done = subprocess.run(
        [*command, str(Path(__file__).parent), function.__name__, *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
        env={**os.environ, **environment},
    )
    last = "\n".join(done.stdout.splitlines()[-3:])
    assert done.returncode == 0, f"{last}\n{done.stderr[-5000:]}"
    assert last.endswith("done")


# --- refused by Python's allocator ------------------------------------------------------------

# How often an operation must have gone well in a row to have no more calls.
QUIET = 40

# Refusals in a row that no operation outlives. They end all the same: where CPython 3.11 has no
# memory to note where an exception was raised, it tries again until it has some.
MANY = 1000


def attempt(
    operation: Callable[[Given], object], given: Given, first: int, many: int
) -> tuple[object, BaseException | None]:
    """Run it with `many` calls after the first `first` refused.

    Short as it is: where no memory is left at all, an interpreter cannot handle an exception far
    from the beginning of a function.
    """
    import _testcapi

    pairs = [(i, i) for i in range(100)]  # CPython 3.11 crashes where dict.items() has none spare
    del pairs
    remove, set_nomemory = _testcapi.remove_mem_hooks, _testcapi.set_nomemory
    set_nomemory(first, first + many)
    try:
        found = operation(given)
    except BaseException as error:
        remove()
        return None, error
    remove()
    return found, None


def is_clean(error: BaseException) -> bool:
    """A MemoryError, of the library's or not, or what becomes of it elsewhere.

    A file object's own is the cause of a SourceReadError. CPython 3.11 forgets to set one where it
    has no room for the frame of a Python function. A lock that cannot be made is a RuntimeError.
    """
    if isinstance(error, gv.errors.SourceReadError):
        return isinstance(error.__cause__, MemoryError)
    words = str(error)
    if isinstance(error, RuntimeError):
        return words == "can't allocate lock"
    return isinstance(error, MemoryError) or (
        isinstance(error, SystemError)
        and (
            words == "error return without exception set"
            or words.startswith(("<function ", "<class 'genomevedic."))
        )
    )


def run_without_pythons_memory(folder: str, names: str) -> None:
    """Every allocation of each operation is refused: alone, with some that follow, with all."""
    given, met = Given(Path(folder)), 0
    unraisable: set[str] = set()
    sys.unraisablehook = lambda fault: unraisable.add(fault.exc_type.__name__)
    for name in names.split():
        operation = OPERATIONS[name]
        operation(given)
        wanted = told(operation(given))
        gc.collect()
        gc.freeze()
        before = balance()
        for many in (1, 3, 10, MANY):
            k = quiet = 0
            while quiet < QUIET:
                print(f"{name}: {many} after call {k}", flush=True)
                found, error = attempt(operation, given, k, many)
                assert error is None or is_clean(error), repr(error)
                assert error is not None or told(found) == wanted
                quiet = quiet + 1 if error is None else 0
                met += error is not None
                found = error = None
                k += 1
                gc.collect()
                assert balance() == before, (balance(), before)
            assert told(operation(given)) == wanted
        gc.unfreeze()
    assert met > 1000, "calls were refused"
    assert unraisable <= {"MemoryError", "SystemError"}, unraisable
    print("done")


@pytest.mark.skipif("GV_ASAN" in os.environ, reason="a sanitizer brings an allocator of its own")
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(CORE, id="core"),
        pytest.param(
            PUBLIC,
            id="package",
            marks=pytest.mark.skipif(
                sys.version_info >= (3, 12),
                reason="CPython 3.12 and 3.13 crash where they have no memory for a generator",
            ),
        ),
    ],
)
def test_memory_that_python_refuses(names: list[str], tmp_path: Path) -> None:
    pytest.importorskip("_testcapi")
    in_child(run_without_pythons_memory, str(tmp_path), " ".join(names))


# --- refused to the core ----------------------------------------------------------------------

SHIM = Path(__file__).with_name("refusing.c")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of the library, which a Python with it in LD_PRELOAD can be started with."""
    if sys.platform != "linux" or "GV_ASAN" in os.environ:
        pytest.skip("calls are led astray by LD_PRELOAD, without a sanitizer's own allocator")
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("shim")
    library = folder / "refusing.so"
    command = [compiler, "-O2", "-fPIC", "-shared", "-fno-builtin", "-o", library, SHIM]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("the library could not be built")
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    trial = [sys.executable, "-c", "import ctypes, os; ctypes.CDLL(os.environ['LD_PRELOAD'])"]
    if subprocess.run(trial, env=environment, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system's C library has no calls of these names")
    return str(library)


# As many refusals in a row as never end.
EVER = 2**62


class Shim:
    """The library in this process, watching the core."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(os.environ["LD_PRELOAD"])
        self.library.shim_refuse.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
        self.found = (ctypes.c_long * 6)()
        assert self.library.shim_watch(b"/_core.") == 1

    def refuse(self, first: int, many: int) -> None:
        self.library.shim_refuse(first, many)

    def allow(self) -> None:
        self.library.shim_refuse(0, 0)

    def counts(self) -> dict[str, int]:
        self.library.shim_counts(self.found)
        names = ("asked", "refused", "heap", "maps", "blocks", "mapped")
        return dict(zip(names, self.found, strict=True))

    def held(self) -> tuple[int, int]:
        """Blocks and mapped bytes of the core, when nothing is kept idle."""
        gc.collect()
        gv.memory.trim()
        counts = self.counts()
        return counts["blocks"], counts["mapped"]


def is_typed(error: MemoryError) -> bool:
    """An error of the library, or Python's own."""
    return isinstance(error, gv.errors.GenomeVedicError) or type(error) is MemoryError


def run_without_memory_for_the_core(folder: str, names: str, most: str) -> None:
    """Every call of each operation is refused, where there are more than `most` a sample of them:
    alone, with two that follow, and from there on."""
    shim, chance = Shim(), random.Random(1)
    given = Given(Path(folder))
    for name in names.split():
        operation = OPERATIONS[name]
        wanted = told(operation(given))
        gc.collect()
        gc.freeze()
        before, held = balance(), shim.held()
        shim.allow()
        assert told(operation(given)) == wanted
        calls = shim.counts()["asked"]
        for k in sorted(chance.sample(range(1, calls + 1), min(int(most), calls))):
            for many in (1, 3, EVER):
                print(f"{name}: {many} from call {k} of {calls}", flush=True)
                gv.memory.trim()
                found: Any = None
                shim.refuse(k, many)
                try:
                    found = operation(given)
                except MemoryError as error:
                    shim.allow()
                    assert is_typed(error), repr(error)
                else:
                    shim.allow()
                    assert told(found) == wanted
                del found
                gc.collect()
                assert balance() == before, (balance(), before)
                assert told(operation(given)) == wanted
                assert shim.held() == held, (shim.held(), held)
        gc.unfreeze()
    print("done")


@pytest.mark.parametrize(
    ("names", "most"),
    [(CORE, 500), (PUBLIC, 500), (LENGTHY, 60), (THREADED, 30)],
    ids=["core", "package", "lengthy", "threads"],
)
def test_memory_refused_to_the_core(names: list[str], most: int, shim: str, tmp_path: Path) -> None:
    function = run_without_memory_for_the_core
    in_child(function, str(tmp_path), " ".join(names), str(most), LD_PRELOAD=shim)


def run_keeping_what_was_read(folder: str) -> None:
    """What was handed out is the beginning of what there is, and the same reader can be asked on:
    for its counts, for the rows that it has, and to close."""
    shim, given = Shim(), Given(Path(folder))
    for columns in (gv.DEFAULT_COLUMNS, gv.COLUMNS):
        wanted = gv.read_fastq(given.large, columns=columns, threads=1)
        before, k, refused = balance(), 0, 1
        while refused > 0:
            k += 1
            gv.memory.trim()
            reader = gv.scan_fastq(given.large, columns=columns, threads=1)
            rows = 0
            shim.refuse(k, EVER)
            try:
                for batch in reader.batches(6000):
                    assert told(batch) == told(wanted[rows : rows + len(batch)].copy())
                    rows += len(batch)
            except MemoryError as error:
                assert is_typed(error), repr(error)
            else:
                assert rows == len(wanted)
            refused = shim.counts()["refused"]
            shim.allow()
            assert reader.stats.reads >= rows
            reader.close()
            reader.close()
            batch = reader = None  # type: ignore[assignment]
            gc.collect()
            assert balance() == before, (balance(), before)
        assert k > 2, "calls were refused"

        core = _core.Reader((("<bytes>", LARGE),), columns, threads=1)
        core.advance(100, 2**60)
        gv.memory.trim()
        try:
            shim.refuse(1, EVER)
            core.advance(2**60, 2**60)
        except MemoryError:
            shim.allow()
        rows = core.rows
        assert rows >= 100
        assert told(core.take()["gc"]) == told(wanted.gc[:rows])
        core.close()
        del core
    print("done")


def test_what_was_read_is_kept(shim: str, tmp_path: Path) -> None:
    in_child(run_keeping_what_was_read, str(tmp_path), LD_PRELOAD=shim)


# --- counted ----------------------------------------------------------------------------------


def streams(given: Given) -> Iterator[tuple[str, Callable[[], Iterator[gv.Particles]], int]]:
    """Ways to stream on one thread, and how many sources begin with each batch."""
    sources: list[tuple[str, Any, int, int]] = [
        ("memory", LARGE, 90, 0),
        ("file", given.large, 90, 0),
        ("many sources", [SMALL] * 250, 40, 1),
    ]
    for name, source, size, begin in sources:
        for columns in (gv.DEFAULT_COLUMNS, ("gc",), ("name",), gv.COLUMNS):

            def batches(
                source: Any = source, columns: tuple[str, ...] = columns, size: int = size
            ) -> Iterator[gv.Particles]:
                return gv.scan_fastq(source, columns=columns, threads=1).batches(size)

            yield f"{name}, {len(columns)} columns", batches, begin


def run_counting(folder: str) -> None:
    shim = Shim()
    given = Given(Path(folder))
    for name, make, begin in streams(given):
        for hold in (0, 3):
            for batch in make():
                del batch
            batches = make()
            held: deque[gv.Particles] = deque(maxlen=hold + 1)
            for _ in range(20):
                held.append(next(batches))
            shim.allow()
            for _ in range(200):
                held.append(next(batches))
            counts = shim.counts()
            assert counts["maps"] == 0, (name, hold, counts)
            # For what a source needs as long as it is open; nothing of it is per batch.
            assert counts["heap"] <= 2 * begin * 200, (name, hold, counts)
            batches.close()
            del held
    arena = Arena()
    for size in (10, 5000, 300_000):
        arena.empty(size)
        shim.allow()
        for _ in range(100):
            arena.empty(size)[0] = 1
        assert shim.counts()["asked"] == 0, (size, shim.counts())
    print("done")


def test_streaming_asks_the_system_for_nothing(shim: str, tmp_path: Path) -> None:
    """malloc, calloc, realloc, aligned_alloc, mmap and mremap of the core, batch after batch: 0."""
    in_child(run_counting, str(tmp_path), LD_PRELOAD=shim)


def run_counting_whole_results(folder: str) -> None:
    shim = Shim()
    for text in (SMALL, SMALL * 20, SMALL * 300):
        for columns in (gv.DEFAULT_COLUMNS, gv.COLUMNS):
            for _ in range(3):
                gv.read_fastq(text, columns=columns, threads=1)
            shim.allow()
            for _ in range(10):
                gv.read_fastq(text, columns=columns, threads=1)
            counts = shim.counts()
            assert counts["maps"] == 0, (len(text), len(columns), counts)
    print("done")


def test_reading_the_same_again_maps_nothing(shim: str, tmp_path: Path) -> None:
    in_child(run_counting_whole_results, str(tmp_path), LD_PRELOAD=shim)


def test_the_shim_sees_what_it_is_to_see(shim: str, tmp_path: Path) -> None:
    """A test of the test: the first reading asks for memory, and refusing it is felt."""
    in_child(run_feeling, str(tmp_path), LD_PRELOAD=shim)


def run_feeling(folder: str) -> None:
    shim = Shim()
    shim.allow()
    gv.read_fastq(LARGE, threads=1)
    counts = shim.counts()
    assert counts["heap"] > 0
    assert counts["maps"] > 0
    gv.memory.trim()
    shim.refuse(1, EVER)
    try:
        gv.read_fastq(LARGE, threads=1)
    except MemoryError:
        shim.allow()
        print("done")
