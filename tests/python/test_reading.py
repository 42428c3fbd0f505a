"""Arguments, sources, threads and signals: what is round the parser."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import genomevedic as gv
from support import REPO, make_records

TEXT = b"".join(make_records(50, seed=8))
WHOLE = gv.read_fastq(TEXT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "reads.fastq"
    file.write_bytes(TEXT)
    return file


class OnlyRead:
    """The least a binary file object can be."""

    def __init__(self, data: bytes) -> None:
        self.stream = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self.stream.read(size)


def test_every_kind_of_source(path: Path) -> None:
    packed = gzip.compress(TEXT)
    cut = TEXT.index(b"\n@read:20 ") + 1
    with (
        path.open("rb") as buffered,
        path.open("rb", buffering=0) as raw,
        gzip.open(io.BytesIO(packed)) as unpacking,
    ):
        sources = [
            path,
            str(path),
            TEXT,
            bytearray(TEXT),
            memoryview(TEXT),
            np.frombuffer(TEXT, np.uint8).data,
            io.BytesIO(TEXT),
            buffered,
            raw,
            io.BytesIO(packed),
            unpacking,
            OnlyRead(TEXT),
            [TEXT[:cut], io.BytesIO(TEXT[cut:])],
        ]
        for source in sources:
            assert gv.read_fastq(source) == WHOLE, source


def test_a_file_object_is_read_from_where_it_stands(path: Path) -> None:
    """And through its own buffer, not its descriptor."""
    with path.open("rb") as stream:
        for _ in range(4):
            stream.readline()
        rest = gv.read_fastq(stream)
    assert len(rest) == 49
    assert rest.gc[3:].tobytes() == WHOLE.gc[4:].tobytes()


def test_a_pipe() -> None:
    read_end, write_end = os.pipe()
    thread = threading.Thread(target=lambda: (os.write(write_end, TEXT), os.close(write_end)))
    thread.start()
    with os.fdopen(read_end, "rb") as stream:
        assert gv.read_fastq(stream) == WHOLE
    thread.join()


def test_a_fifo(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    thread = threading.Thread(target=lambda: fifo.write_bytes(TEXT))
    thread.start()
    assert gv.read_fastq(fifo) == WHOLE
    thread.join()


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        (3, TypeError, "a path, bytes, a binary file object"),
        (None, TypeError, "a path, bytes"),
        ([], ValueError, "empty"),
        (io.StringIO("@r\n"), TypeError, "binary mode"),
        (np.zeros((2, 2))[:, 0], (BufferError, ValueError), "contiguous"),
        ("a\0b", ValueError, "zero byte"),
        ("https://example.org/a.fastq", NotImplementedError, "remote"),
    ],
)
def test_what_is_no_source_is_refused(source: object, kind: type, words: str) -> None:
    with pytest.raises(kind, match=words):
        gv.read_fastq(source)


class Answers:
    """A file object whose read answers something odd."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def read(self, size: int) -> object:
        return self.answer(size) if callable(self.answer) else self.answer


class FillsOddly:
    def __init__(self, answer: object) -> None:
        self.answer = answer

    def readinto(self, buffer: object) -> object:
        return self.answer


@pytest.mark.parametrize(
    ("source", "cause", "words"),
    [
        (Answers("@r\n"), TypeError, "binary mode"),
        (Answers(None), BlockingIOError, "non-blocking"),
        (Answers(3), TypeError, "bytes-like"),
        (Answers(lambda size: b"A" * (size + 1)), OSError, "answered"),
        (FillsOddly(None), BlockingIOError, "non-blocking"),
        (FillsOddly(-1), OSError, "answered -1"),
        (FillsOddly(10**9), OSError, "answered 1000000000"),
        (FillsOddly(10**30), OverflowError, ""),
        (FillsOddly("x"), TypeError, ""),
    ],
)
def test_file_objects_that_break_their_word(source: object, cause: type, words: str) -> None:
    with pytest.raises(gv.errors.SourceReadError) as caught:
        gv.read_fastq(source)
    assert isinstance(caught.value.__cause__, cause)
    assert words in str(caught.value.__cause__)


def test_a_buffer_that_readinto_keeps_cannot_be_used_against_the_core() -> None:
    kept = []

    class Keeps(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            kept.append(memoryview(buffer))
            return super().readinto(buffer)

    p = gv.read_fastq(Keeps(TEXT))
    for view in kept:
        view[:] = b"\0" * len(view)
    assert p == WHOLE


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"threads": 2}, NotImplementedError, "threads"),
        ({"on_error": "skip"}, NotImplementedError, "on_error"),
        ({"storage_options": {}}, NotImplementedError, "storage_options"),
        ({"unplaced": "nan"}, NotImplementedError, "unplaced"),
        ({"max_errors": 3}, NotImplementedError, "max_errors"),
        ({"arena": object()}, NotImplementedError, "arena"),
        ({"layout": "flowcell"}, NotImplementedError, "flowcell"),
        ({"layout": "circle"}, ValueError, "composition"),
        ({"layout": 3}, TypeError, "layout"),
        ({"columns": "gc"}, TypeError, "sequence of names"),
        ({"columns": ["GC"]}, ValueError, "no column 'GC'"),
        ({"columns": []}, ValueError, "at least one"),
        ({"columns": ["gc", "gc"]}, ValueError, "none twice"),
        ({"limit": -1}, ValueError, "negative"),
        ({"min_quality": float("nan")}, ValueError, "NaN"),
        ({"encoding": "solexa"}, ValueError, "phred33"),
        ({"alphabet": "protein"}, ValueError, "dna"),
        ({"max_record_bytes": 3}, ValueError, "max_record_bytes"),
        ({"memory_limit": "much"}, ValueError, "no size"),
        ({"memory_limit": -1}, ValueError, "negative"),
        ({"simd": "mmx"}, ValueError, "mmx"),
        ({"colums": ["gc"]}, TypeError, "colums"),
    ],
)
def test_arguments_that_make_no_sense(options: dict, kind: type, words: str) -> None:
    with pytest.raises(kind, match=words):
        gv.read_fastq(TEXT, **options)
    with pytest.raises(kind, match=words):
        gv.scan_fastq(TEXT, **options)


def test_columns_come_in_the_order_asked_for() -> None:
    p = gv.read_fastq(TEXT, columns=("quality", "name", "position"))
    assert p.columns == ("quality", "name", "position")
    assert p.position.tobytes() == WHOLE.position.tobytes()


def test_layouts_by_name_and_by_object() -> None:
    spiral = gv.read_fastq(TEXT, layout=gv.layouts.Spiral())
    assert spiral == gv.read_fastq(TEXT, layout="SPIRAL")
    assert spiral.layout.name == "spiral"
    assert WHOLE.layout == gv.layouts.Composition()
    assert "decorative" in spiral.layout.description


@pytest.mark.parametrize(
    ("size", "nbytes"),
    [
        (7, 7),
        ("7", 7),
        ("2 GiB", 2 * 2**30),
        ("2gib", 2 * 2**30),
        ("1.5 kB", 1500),
        ("3 MB", 3 * 10**6),
        ("1 TiB", 2**40),
        ("10 B", 10),
    ],
)
def test_sizes(size: int | str, nbytes: int) -> None:
    assert gv.fastq.parse_size(size) == nbytes


@pytest.mark.parametrize("size", ["", "GiB", "2 GiBs", "1e999", "nan", "two"])
def test_what_is_no_size(size: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        gv.fastq.parse_size(size)


def test_progress_is_told(path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    gv.read_fastq([path, TEXT], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2 * len(TEXT), 2 * len(TEXT))
    seen.clear()
    gv.read_fastq(io.BytesIO(TEXT), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(TEXT), None)


def test_an_error_in_progress_stops_the_reading() -> None:
    def stop(done: int, total: int | None) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        gv.read_fastq(TEXT, progress=stop)


def test_the_progress_bar(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gv.read_fastq(path, progress=True)
    assert "100%" in capsys.readouterr().err


def test_stats_add_up(path: Path) -> None:
    stats = gv.read_fastq([path, gzip.compress(TEXT)], min_quality=45).stats
    assert stats.reads == 100
    assert stats.kept + stats.filtered == 100 and 0 < stats.kept < 100
    assert stats.text_bytes == 2 * len(TEXT)
    assert stats.bytes_in == len(TEXT) + len(gzip.compress(TEXT))
    assert stats.sources == 2
    assert stats.seconds > 0
    assert stats.mean_quality >= 45
    assert stats.as_dict()["filtered"] == stats.filtered
    empty = gv.read_fastq(b"").stats
    assert np.isnan([empty.mean_quality, empty.mean_gc, empty.mean_length]).all()


class Slow(io.RawIOBase):
    """A file object that another thread can watch being read."""

    def __init__(self, pieces: int) -> None:
        self.left = pieces

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        if self.left == 0:
            return 0
        self.left -= 1
        time.sleep(0.002)
        text = b"@r\nA\n+\nI\n"
        memoryview(buffer)[: len(text)] = text
        return len(text)


def test_the_gil_is_released_while_reading(tmp_path: Path) -> None:
    """A FIFO that nobody writes to holds the reader in read(2); other threads must go on."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done: list[gv.Particles] = []
    reader = threading.Thread(target=lambda: done.append(gv.read_fastq(fifo)))
    reader.start()
    with fifo.open("wb") as stream:
        stream.write(TEXT)
        stream.flush()
        time.sleep(0.05)
        assert reader.is_alive(), "the reader waits in the core, and this thread runs"
    reader.join(timeout=30)
    assert done == [WHOLE]


def test_a_second_thread_counts_while_the_core_works() -> None:
    """Parsing holds no GIL: a thread that counts gets on during one long call into the core."""
    text = b"".join(b"@%d\n%s\n+\n%s\n" % (i, b"ACGT" * 250, b"I" * 1000) for i in range(8000))
    switch = sys.getswitchinterval()
    sys.setswitchinterval(60)  # whoever holds the GIL keeps it until it gives it up
    stop = threading.Event()
    counted = [0]

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    try:
        thread.start()
        core = gv.scan_fastq(text)._core
        before = counted[0]
        core.advance(2**40, 2**40)
        during = counted[0] - before
    finally:
        sys.setswitchinterval(switch)
        stop.set()
        thread.join()
    assert core.rows == 8000
    assert during > 10, "with the GIL held it would be 0"


def test_a_reader_in_use_says_so() -> None:
    reader = gv.scan_fastq(Slow(200))
    results: list[object] = []

    def use() -> None:
        try:
            results.append(sum(len(batch) for batch in reader.batches(10)))
        except RuntimeError as error:
            results.append(str(error))

    first = threading.Thread(target=use)
    first.start()
    time.sleep(0.05)
    second = threading.Thread(target=use)
    second.start()
    first.join()
    second.join()
    assert any("in use" in str(result) for result in results)


def test_a_file_object_cannot_reach_back_into_its_reader() -> None:
    problems: list[str] = []

    class ReachesBack(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            for call in (reader.close, lambda: next(reader.batches()), lambda: reader.stats):
                try:
                    call()
                except RuntimeError as error:
                    problems.append(str(error))
            return super().readinto(buffer)

    reader = gv.FastqReader(ReachesBack(TEXT))
    assert reader.read() == WHOLE
    assert len(problems) >= 3


def test_control_c_stops_a_reader_that_waits(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = "import sys, genomevedic as gv; print('ready', flush=True); gv.read_fastq(sys.argv[1])"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(fifo)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        with fifo.open("wb") as stream:
            stream.write(TEXT)
            stream.flush()
            time.sleep(0.1)
            started = time.monotonic()
            child.send_signal(signal.SIGINT)
            _, errors = child.communicate(timeout=20)
            assert time.monotonic() - started < 10
    assert b"KeyboardInterrupt" in errors
    assert child.returncode != 0


def test_importing_a_tree_that_is_not_built_says_what_to_do(tmp_path: Path) -> None:
    code = "import genomevedic"
    package = tmp_path / "genomevedic"
    package.mkdir()
    for module in (REPO / "genomevedic").glob("*.py"):
        (package / module.name).write_bytes(module.read_bytes())
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: genomevedic was imported from a source tree")
    assert "make demo" in last


def test_importing_loads_numpy_and_the_core_alone() -> None:
    code = """
import sys, numpy
before = set(sys.modules)
import genomevedic
print(*sorted({name.split(".")[0] for name in set(sys.modules) - before}))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(out.stdout.split()) - set(sys.stdlib_module_names)
    # An editable install brings its import hook's helpers.
    assert {name for name in loaded if not name.startswith("_")} <= {"genomevedic"}


def test_show_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert gv.show_config() is None
    out = capsys.readouterr().out
    config = gv.show_config("dict")
    assert config["version"] == gv.__version__
    assert config["simd"] == config["simd_variants"][0]
    assert "python-zlib" in config["inflate_engines"]
    for name in config:
        assert name.replace("_", " ") in out
