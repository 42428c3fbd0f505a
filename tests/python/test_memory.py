"""Memory: views without copies, lifetimes, limits, and nothing left behind."""

from __future__ import annotations

import gc
import gzip
import os
import random
import subprocess
import sys
import textwrap
import threading
import weakref
from pathlib import Path

import numpy as np
import psutil
import pytest

import genomevedic as gv
from genomevedic import _core
from support import make_records

IS_SANITIZED = "GV_ASAN" in os.environ
not_under_asan = pytest.mark.skipif(
    IS_SANITIZED, reason="a sanitizer's own memory hides what is measured here"
)

RECORD = b"@read:%06d\nACGTACGTGG\n+\nIIIIIIIIII\n"
SMALL = b"".join(make_records(50, seed=2))
LARGE = b"".join(RECORD % i for i in range(60_000))  # 3 MB of columns: extents


def lease_behind(array: np.ndarray) -> _core.Lease:
    """The object at the end of an array's chain of bases."""
    base = array.base
    while isinstance(base, np.ndarray):
        base = base.base
    return base


@pytest.mark.parametrize(("text", "pieces"), [(SMALL, 0), (LARGE, 7)], ids=["block", "extents"])
def test_columns_are_aligned_views_of_one_lease(text: bytes, pieces: int) -> None:
    p = gv.read_fastq(text)
    leases = {id(lease_behind(p[name])) for name in p.columns}
    assert len(leases) == 1
    lease = lease_behind(p.gc)
    assert isinstance(lease, _core.Lease)
    assert lease.pieces == pieces
    assert lease.nbytes >= p.nbytes
    for name in p.columns:
        column = p[name]
        assert column.ctypes.data % 64 == 0
        assert column.flags.c_contiguous
        assert column.flags.writeable
        assert not column.flags.owndata


@pytest.mark.parametrize("text", [SMALL, LARGE], ids=["block", "extents"])
def test_text_columns_share_the_lease(text: bytes) -> None:
    p = gv.read_fastq(text, columns=gv.COLUMNS)
    lease = lease_behind(p.gc)
    for column in (p.name, p.sequence, p.qualities):
        assert lease_behind(column.offsets) is lease
        assert lease_behind(column.data) is lease
        assert column.offsets.ctypes.data % 64 == 0
        assert column.data.ctypes.data % 64 == 0


def test_two_views_of_a_column_share_memory() -> None:
    p = gv.read_fastq(LARGE)
    one, other = p.position[:, 0], p[100:].position
    assert np.shares_memory(one, other)
    one[100] = 7
    assert other[0, 0] == 7


@pytest.mark.parametrize("text", [SMALL, LARGE], ids=["block", "extents"])
def test_memory_lives_as_long_as_its_last_view(text: bytes) -> None:
    p = gv.read_fastq(text)
    gone = weakref.ref(lease_behind(p.gc))
    wanted = p.quality.copy()
    view = p[5:].quality[::2]
    del p
    gc.collect()
    assert gone() is not None
    np.testing.assert_array_equal(view, wanted[5:][::2])
    del view
    assert gone() is None


def test_a_view_may_outlive_its_thread() -> None:
    kept: list[np.ndarray] = []
    thread = threading.Thread(target=lambda: kept.append(gv.read_fastq(LARGE).metadata[::3]))
    thread.start()
    thread.join()
    gc.collect()
    np.testing.assert_array_equal(kept[0], np.arange(0, 60_000, 3))


def test_a_batch_does_not_change_when_the_next_is_read() -> None:
    with gv.scan_fastq(LARGE, columns=gv.COLUMNS) as reader:
        batches = list(reader.batches(7_000))
    assert gv.Particles.concat(batches) == gv.read_fastq(LARGE, columns=gv.COLUMNS)


def test_a_hundred_thousand_results_alive_at_once() -> None:
    one = b"@r\nACGTN\n+\nIIIII\n"
    before = psutil.Process().memory_info().rss
    alive = [gv.read_fastq(one) for _ in range(100_000)]
    used = psutil.Process().memory_info().rss - before
    assert len({p.gc.ctypes.data for p in alive}) == 100_000
    assert all(p.gc[0] == 0.5 for p in alive)
    if not IS_SANITIZED:
        # A block of a lease and seven columns takes 9 cache lines; Python's objects the rest.
        assert used / 100_000 < 4_000


@pytest.mark.parametrize("columns", [None, ["length"], ["name", "gc"], gv.COLUMNS], ids=str)
def test_memory_limit_is_exact(columns: list[str] | None) -> None:
    p = gv.read_fastq(SMALL, columns=columns)
    assert gv.read_fastq(SMALL, columns=columns, memory_limit=p.nbytes) == p
    with pytest.raises(gv.errors.MemoryLimitError) as caught:
        gv.read_fastq(SMALL, columns=columns, memory_limit=p.nbytes - 1)
    error = caught.value
    assert isinstance(error, MemoryError)
    assert error.context["reads"] == len(p) - 1
    assert error.context["limit"] == p.nbytes - 1
    assert f"{len(p) - 1} reads fitted" in str(error)
    assert error.record == len(p)


def test_memory_limit_of_a_large_result() -> None:
    row = 52
    with pytest.raises(gv.errors.MemoryLimitError) as caught:
        gv.read_fastq(LARGE, memory_limit="1.5 MiB")
    assert caught.value.context["reads"] == 3 * 2**19 // row


def test_memory_limit_bounds_each_batch() -> None:
    with gv.scan_fastq(LARGE, memory_limit=1000 * 52) as reader:
        assert sum(map(len, reader.batches(1000))) == 60_000
    with gv.scan_fastq(LARGE, memory_limit=1000 * 52) as reader:
        batches = reader.batches(1001)
        assert len(next(batches)) == 1000
        with pytest.raises(gv.errors.MemoryLimitError):
            next(batches)


def run_python(code: str, *args: str) -> str:
    """What a fresh interpreter prints, which must end well."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *args],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@not_under_asan
def test_reading_under_ulimit_v(tmp_path: Path) -> None:
    """No reservation may be had: columns grow by remapping, and what is left is enough."""
    path = tmp_path / "large.fastq"
    path.write_bytes(LARGE * 8)
    out = run_python(
        """
        import resource, sys
        import genomevedic as gv
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 96 * 2**20,) * 2)
        p = gv.read_fastq(sys.argv[1])
        print(len(p), p.nbytes, int(p.length.sum()), p.gc.mean())
        """,
        str(path),
    )
    assert out.split() == ["480000", str(480_000 * 52), "4800000", "0.6"]


@not_under_asan
def test_memory_refused_by_the_system_is_a_clean_error(tmp_path: Path) -> None:
    path = tmp_path / "large.fastq"
    path.write_bytes(LARGE * 8)
    out = run_python(
        """
        import resource, sys
        import genomevedic as gv
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (size + 12 * 2**20, hard))
        try:
            gv.read_fastq(sys.argv[1])
        except MemoryError as error:
            print(type(error).__name__, error.path == sys.argv[1])
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        print(len(gv.read_fastq(sys.argv[1], limit=1000)))
        """,
        str(path),
    )
    assert out.split() == ["MemoryAllocationError", "True", "1000"]


@not_under_asan
@pytest.mark.parametrize(
    ("garbage", "wanted", "expected"),
    [
        ("leave_idle", "an array", "67108864"),
        ("leave_in_a_cycle", "an array", "67108864"),
        ("keep", "an array", "MemoryAllocationError"),
        ("leave_idle", "reads", "480000"),
        ("leave_in_a_cycle", "reads", "480000"),
        ("keep", "reads", "MemoryAllocationError"),
        ("leave_idle", "a batch", "480000"),
        ("leave_in_a_cycle", "a batch", "480000"),
    ],
)
def test_what_the_system_refuses_is_made_room_for(
    garbage: str, wanted: str, expected: str, tmp_path: Path
) -> None:
    """Idle pieces and cycles of 64 MiB give way where 16 MiB more is all that may be mapped."""
    path = tmp_path / "large.fastq"
    path.write_bytes(LARGE * 8)
    out = run_python(
        """
        import gc, resource, sys
        import genomevedic as gv
        from genomevedic.memory import Arena

        def leave_idle():
            Arena().empty(2**26, "u1", pool="voxels")[:: 2**12] = 1

        def leave_in_a_cycle():
            held = [Arena().empty(2**26, "u1", pool="voxels")]
            held.append(held)

        kept = []

        def keep():
            kept.append(Arena().empty(2**26, "u1", pool="voxels"))

        def ask():
            if sys.argv[3] == "an array":
                return Arena().empty(2**26, "u1").nbytes
            if sys.argv[3] == "reads":
                return len(gv.read_fastq(sys.argv[1]))
            return sum(map(len, gv.scan_fastq(sys.argv[1]).batches(480_000)))

        gv.memory.set_limit(2**40)
        gc.collect()
        gc.disable()
        globals()[sys.argv[2]]()
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 2**24,) * 2)
        try:
            print(ask())
        except gv.errors.GenomeVedicError as error:
            print(type(error).__name__)
        """,
        str(path),
        garbage,
        wanted,
    )
    assert out.split() == [expected]


@not_under_asan
def test_the_limit_goes_by_the_address_space() -> None:
    out = run_python(
        """
        import resource
        import genomevedic as gv
        before = gv.memory.limit()
        resource.setrlimit(resource.RLIMIT_AS, (500 * 2**20, resource.RLIM_INFINITY))
        print(gv.memory.limit() == before)
        gv.memory.set_limit(None)
        print(gv.memory.limit())
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        gv.memory.set_limit(None)
        print(gv.memory.limit() == before)
        """
    )
    assert out.split() == ["True", str(400 * 2**20), "True"]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# A sanitizer holds freed memory back, so it is not measured there, and fewer rounds will do.
WARMING, MEASURED = (200, 800) if IS_SANITIZED else (2_000, 8_000)
LARGE_EVERY = 40


def test_ten_thousand_rounds_leave_nothing_behind(tmp_path: Path) -> None:
    """Open, read, close; one input in five is broken, some readers are dropped half-way.

    One in forty is large enough for columns in extents, which the pool keeps warm.
    """
    chance = random.Random(4)
    sound = SMALL
    plain, packed, cut = (tmp_path / name for name in ("a.fastq", "a.fastq.gz", "cut.fastq.gz"))
    plain.write_bytes(sound)
    packed.write_bytes(gzip.compress(sound))
    cut.write_bytes(gzip.compress(sound)[:-20])
    broken = [sound[:-9], sound + b"@x\nAC\n+\nI\n", cut, tmp_path / "missing", sound[:100] + b"\0"]
    large = LARGE[: len(RECORD % 0) * 30_000]  # 1.5 MB of columns
    large_broken = large + b"@x\nAC\n+\nI\n"

    def one_round(number: int) -> None:
        is_large = number % LARGE_EVERY == 0
        if chance.random() < 0.2:
            source = large_broken if is_large else chance.choice(broken)
            with pytest.raises(gv.errors.GenomeVedicError):
                gv.read_fastq(source, columns=None if is_large else gv.COLUMNS)
        elif is_large:
            assert gv.read_fastq(large).nbytes > 2**20
        elif chance.random() < 0.2:
            next(gv.scan_fastq(plain).batches(7))
        else:
            gv.read_fastq(chance.choice([sound, plain, packed]), columns=gv.COLUMNS)

    def resident() -> int:
        gc.collect()
        return psutil.Process().memory_info().rss

    for number in range(WARMING):
        one_round(number)
    before, files, threads = resident(), open_files(), psutil.Process().num_threads()
    for number in range(MEASURED):
        one_round(number)
    if not IS_SANITIZED:
        assert abs(resident() - before) <= 0.01 * before
    assert open_files() == files
    assert psutil.Process().num_threads() == threads


def test_dropping_an_iterator_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(LARGE)
    before = open_files()
    batches = gv.scan_fastq(path).batches(10)
    next(batches)
    assert open_files() == before + 1
    del batches
    gc.collect()
    assert open_files() == before


def test_leaving_the_context_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(LARGE)
    before = open_files()
    with gv.scan_fastq(path) as reader:
        batches = reader.batches(10)
        next(batches)
        assert open_files() == before + 1
    assert open_files() == before
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        next(batches)


def test_a_reader_whose_iterator_was_dropped_says_so(tmp_path: Path) -> None:
    """It must not look as if the input had ended."""
    reader = gv.scan_fastq(LARGE)
    next(reader.batches(10))
    with pytest.raises(ValueError, match="closed"):
        next(reader.batches(10))
    assert reader.stats.kept == 10


@not_under_asan
def test_peak_memory_beyond_the_columns_is_bounded(tmp_path: Path) -> None:
    """64 MB and twice the longest record, whatever the file's size."""
    path = tmp_path / "long.fastq"
    longest = 8_000_000
    with path.open("wb") as stream:
        for _ in range(12):
            stream.write(b"@r\n" + b"A" * longest + b"\n+\n" + b"I" * longest + b"\n")
    out = run_python(
        """
        import resource, sys
        import genomevedic as gv
        gv.read_fastq(b"@r\\nA\\n+\\nI\\n")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        p = gv.read_fastq(sys.argv[1])
        print(len(p), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """,
        str(path),
    )
    reads, kilobytes = map(int, out.split())
    assert reads == 12
    assert kilobytes * 1024 < 64e6 + 2 * (2 * longest + 6)


@pytest.mark.huge
def test_a_record_of_more_than_two_to_the_31_bases() -> None:
    """Needs 9 GB of memory: sizes beyond 31 bits, and sums beyond 32, are right."""
    whole, rest = divmod(bases := 2**31 + 1000, 2**20)
    sequence = [b"ACGG" * 2**18] * whole + [b"A" * rest]
    quality = [b"~" * 2**20] * whole + [b"~" * rest]
    pieces = [b"@giant\n", *sequence, b"\n+\n", *quality, b"\n@small\nAC\n+\nII\n"]
    p = gv.read_fastq(Pieces(iter(pieces)), max_record_bytes=2**33)
    assert p.length.tolist() == [bases, 2]
    assert p.quality.tolist() == [93.0, 40.0]
    assert p.stats.phred_sum == 93 * bases + 80 > 2**32
    assert p.gc[0] == np.float32(whole * 2**20 * 3 / 4 / bases)


class Pieces:
    """A binary file object over an iterator of bytes."""

    def __init__(self, pieces: object) -> None:
        self.pieces = pieces
        self.rest = b""

    def read(self, size: int) -> bytes:
        if not self.rest:
            self.rest = next(self.pieces, b"")
        given, self.rest = self.rest[:size], self.rest[size:]
        return given
