"""Arguments, sources, threads and signals: what is round the parser."""

from __future__ import annotations

import gzip
import inspect
import io
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import genomevedic as gv
from support import REPO, bgzf, make_records, restore_control_c

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
        ("https://", ValueError, "no sound host"),
        ("file://elsewhere/a.fastq", ValueError, "another machine"),
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
        ({"storage_options": {}}, ValueError, "storage_options= is for remote sources"),
        ({"unplaced": "drop"}, ValueError, "unplaced must be 'raise' or 'nan'"),
        ({"max_errors": -1}, ValueError, "max_errors must not be negative"),
        ({"max_errors": "3"}, TypeError, "max_errors must be a whole number"),
        ({"arena": object()}, TypeError, "arena"),
        ({"layout": "hilbert"}, NotImplementedError, "hilbert"),
        ({"min_error_quality": "20"}, TypeError, "min_error_quality must be a number"),
        ({"layout": "circle"}, ValueError, "composition"),
        ({"layout": 3}, TypeError, "layout"),
        ({"columns": "gc"}, TypeError, "sequence of names"),
        ({"columns": ["GC"]}, ValueError, "no column 'GC'"),
        ({"columns": []}, ValueError, "at least one"),
        ({"columns": ["gc", "gc"]}, ValueError, "none twice"),
        ({"columns": 3}, TypeError, "columns must be a sequence of names"),
        ({"columns": [3]}, TypeError, "columns must be a sequence of names.*holds 3"),
        ({"limit": -1}, ValueError, "limit must not be negative"),
        ({"limit": 2.5}, TypeError, "limit must be a whole number"),
        ({"limit": True}, TypeError, "limit must be a whole number"),
        ({"min_quality": float("nan")}, ValueError, "min_quality.* NaN"),
        ({"min_quality": "20"}, TypeError, "min_quality must be a number"),
        ({"min_quality": None}, TypeError, "min_quality must be a number"),
        ({"encoding": "solexa"}, ValueError, "encoding must be 'phred33' or 'phred64'"),
        ({"encoding": None}, TypeError, "encoding must be 'phred33'"),
        ({"alphabet": "protein"}, ValueError, "alphabet must be 'dna'"),
        ({"alphabet": 4}, TypeError, "alphabet must be 'dna'"),
        ({"max_record_bytes": 3}, ValueError, "max_record_bytes"),
        ({"max_record_bytes": 2**70}, ValueError, "max_record_bytes"),
        ({"max_record_bytes": None}, TypeError, "max_record_bytes"),
        ({"max_record_bytes": "long"}, ValueError, "max_record_bytes.* no size"),
        ({"memory_limit": "much"}, ValueError, "memory_limit.* no size"),
        ({"memory_limit": -1}, ValueError, "memory_limit must not be negative"),
        ({"memory_limit": 1e9}, TypeError, "memory_limit must be a whole number of bytes"),
        ({"simd": "mmx"}, ValueError, "simd must be .*'scalar'.* 'mmx'"),
        ({"simd": 2}, TypeError, "simd must be"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"threads": "all"}, TypeError, "threads must be a whole number"),
        ({"on_error": "ignore"}, ValueError, "on_error must be 'raise'"),
        ({"on_error": 1}, TypeError, "on_error must be 'raise'"),
        ({"progress": "yes"}, TypeError, "progress must be True, False or a function"),
        ({"progress": 2}, TypeError, "progress must be True, False or a function"),
        ({"progress": 0.5}, TypeError, "progress must be True, False or a function"),
        ({"colums": ["gc"]}, TypeError, "colums"),
    ],
)
def test_arguments_that_make_no_sense(options: dict, kind: type, words: str) -> None:
    with pytest.raises(kind, match=words):
        gv.read_fastq(TEXT, **options)
    with pytest.raises(kind, match=words):
        gv.scan_fastq(TEXT, **options)


def test_arguments_of_other_number_types() -> None:
    options = {"limit": np.int64(7), "min_quality": np.float32(3), "threads": np.uint8(1)}
    p = gv.read_fastq(TEXT, max_record_bytes="1 MiB", memory_limit=2**70, **options)
    assert len(p) == 7


def test_the_cap_on_records_may_be_written_as_a_size() -> None:
    text = b"@r\n" + b"A" * 600 + b"\n+\n" + b"I" * 600 + b"\n"
    with pytest.raises(gv.errors.RecordTooLongError, match=r"max_record_bytes \(1024\)"):
        gv.read_fastq(text, max_record_bytes="1 KiB")


@pytest.mark.parametrize("size", [0, -1, 2.5, "many", True])
def test_batches_of_no_size_are_refused(size: object) -> None:
    with gv.scan_fastq(TEXT) as reader, pytest.raises((ValueError, TypeError), match="batch_size"):
        reader.batches(size)


@pytest.mark.parametrize("function", [gv.read_fastq, gv.scan_fastq])
def test_help_shows_the_arguments(function: object) -> None:
    shown = inspect.signature(function).parameters
    assert shown == inspect.signature(gv.FastqReader).parameters
    assert list(shown)[:3] == ["source", "layout", "min_quality"]
    assert shown["max_record_bytes"].default == gv.DEFAULT_MAX_RECORD_BYTES


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
    assert gv.read_fastq(TEXT, layout=gv.layouts.Spiral) == spiral


def test_a_layout_given_is_the_one_the_particles_have() -> None:
    mine = replace(gv.layouts.Spiral(), point_size=7.0, axes=("a", "b", "c"))
    assert gv.layouts.find(mine) is mine
    p = gv.read_fastq(TEXT, layout=mine)
    assert p.layout is mine
    assert p.position.tobytes() == gv.read_fastq(TEXT, layout="spiral").position.tobytes()
    with pytest.raises(ValueError, match="no layout 'mine'"):
        gv.read_fastq(TEXT, layout=replace(mine, name="mine"))
    with pytest.raises(TypeError, match="layout must be a name"):
        gv.read_fastq(TEXT, layout=3)
    for other in (print, gv.layouts.find, gv.layouts.Layout):
        with pytest.raises((TypeError, ValueError)):
            gv.read_fastq(TEXT, layout=other)


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


@pytest.mark.parametrize(
    "size", ["", "GiB", "2 GiBs", "1e999", "nan", "two", "2 iB", "2 K i B", "1 2"]
)
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


@pytest.mark.parametrize("off", [None, False, 0])
def test_progress_may_be_off(off: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert gv.read_fastq(TEXT, progress=off) == WHOLE
    assert capsys.readouterr().err == ""


def test_an_error_in_progress_stops_the_reading() -> None:
    def stop(done: int, total: int | None) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        gv.read_fastq(TEXT, progress=stop)


def test_the_progress_bar(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gv.read_fastq(path, progress=True)
    assert "100%" in capsys.readouterr().err


def test_without_tqdm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r'pip install "genomevedic\[progress\]"'):
        gv.read_fastq(TEXT, progress=True)


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


def test_two_threads_get_on_in_turns_while_the_core_works(tmp_path: Path) -> None:
    """A FIFO is fed by the thread that does not read it, a piece larger than a pipe at a time.

    Writing a piece ends only when the core has taken some of it, and the core goes on only when
    there is a next piece. Were the GIL held in the core, neither could, and the child would hang.
    """
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = """
import sys, threading
import genomevedic as gv
sys.setswitchinterval(1000)  # whoever holds the GIL keeps it until it gives it up
done = []
reader = threading.Thread(target=lambda: done.append(len(gv.read_fastq(sys.argv[1]))))
reader.start()
counted = 0
with open(sys.argv[1], "wb") as stream:
    for _ in range(40):
        stream.write(b"@r\\nACGT\\n+\\nIIII\\n" * 10_000)
        stream.flush()
        counted += 1
reader.join()
print(done[0], counted)
"""
    command = [sys.executable, "-c", code, str(fifo)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["400000", "40"]


def test_a_reader_in_use_says_so() -> None:
    reader = gv.scan_fastq(Slow(200))
    results: list[object] = []

    def use() -> None:
        try:
            results.append(sum(len(batch) for batch in reader.batches(10)))
        except (RuntimeError, ValueError) as error:
            results.append(str(error))

    first = threading.Thread(target=use)
    first.start()
    time.sleep(0.05)
    second = threading.Thread(target=use)
    second.start()
    first.join()
    second.join()
    assert any("in use" in str(result) or "closed" in str(result) for result in results)
    assert all(result == 200 for result in results if isinstance(result, int))


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
        [sys.executable, "-c", code, str(fifo)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=restore_control_c,
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        with fifo.open("wb") as stream:
            stream.write(TEXT)
            stream.flush()
            time.sleep(0.1)
            child.send_signal(signal.SIGINT)
            _, errors = child.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    assert child.returncode != 0


def test_control_c_stops_a_reader_of_a_file(tmp_path: Path) -> None:
    """Read over and over, so that no machine is too fast for the signal to come in the middle."""
    path = tmp_path / "reads.fastq"
    path.write_bytes(TEXT * 2000)
    code = """
import sys, genomevedic as gv
sources = [sys.argv[1]] * 1_000_000
with gv.scan_fastq(sources, columns=["length"]) as reader:
    print("ready", flush=True)
    while True:
        reader._core.advance(2**62, 2**62)
        reader._core.take()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=restore_control_c,
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=60)
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
    with pytest.raises(ValueError, match="mode must be 'dict'"):
        gv.show_config("x")  # type: ignore[call-overload]


def test_dir_of_the_package_is_what_people_may_use() -> None:
    names = [name for name in dir(gv) if not name.startswith("__")]
    assert names == sorted(name for name in gv.__all__ if not name.startswith("__"))


# --- after an error -----------------------------------------------------------------------------


class Breaks(io.BytesIO):
    """A file object that gives whole records, and then raises."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(TEXT)
        self.error = error

    def readinto(self, buffer: object) -> int:
        count = super().readinto(buffer)
        if count == 0:
            raise self.error
        return count


def stop(done: int, total: int | None) -> None:
    raise RuntimeError("enough")


FAULTS = {
    "format": (TEXT + b"@x\nACGT\n+\nII\n", {}, gv.errors.FastqFormatError),
    "cut": (TEXT + b"@x\nACGT\n", {}, gv.errors.TruncatedFileError),
    "gzip": (gzip.compress(TEXT)[:-5], {}, gv.errors.TruncatedFileError),
    "second missing": ([TEXT, "no such file"], {}, FileNotFoundError),
    "source": (Breaks(OSError("gone")), {}, gv.errors.SourceReadError),
    "memory": (TEXT, {"memory_limit": 1000}, gv.errors.MemoryLimitError),
    "too long": (TEXT, {"max_record_bytes": 60}, gv.errors.RecordTooLongError),
    "progress": (TEXT, {"progress": stop}, RuntimeError),
    "control C": (Breaks(KeyboardInterrupt()), {}, KeyboardInterrupt),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_nothing_is_read_after_an_error(kind: str) -> None:
    """A second read() must not pass for the rest of the input."""
    source, options, error = FAULTS[kind]
    if isinstance(source, Breaks):
        source = Breaks(source.error)
    reader = gv.scan_fastq(source, **options)
    with pytest.raises(error):
        reader.read()
    for again in (reader.read, lambda: next(reader.batches())):
        with pytest.raises(ValueError, match="closed"):
            again()
    assert reader.stats.reads <= 50


def test_nobody_reads_on_between_the_last_batch_and_the_error() -> None:
    reader = gv.scan_fastq(FAULTS["format"][0] + TEXT)
    batches = reader.batches(100)
    assert len(next(batches)) == 50
    with pytest.raises(ValueError, match="closed"):
        reader.read()
    with pytest.raises(gv.errors.FastqFormatError):
        next(batches)


def test_a_thread_that_comes_in_between_takes_nothing_away() -> None:
    """Its own error must not end the reading of the thread that was first."""

    class Intruded(Slow):
        def readinto(self, buffer: object) -> int:
            if self.left == 15:
                with pytest.raises(RuntimeError, match="in use"):
                    reader.read()
            return super().readinto(buffer)

    reader = gv.scan_fastq(Intruded(30))
    assert len(reader.read()) == 30


# --- warnings -----------------------------------------------------------------------------------


def test_a_missing_end_block_is_told_at_the_line_that_read() -> None:
    data = bgzf(TEXT, end=b"")
    lines = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gv.read_fastq(data, columns=["gc"])
        lines.append(line_before())
        for _ in gv.scan_fastq(data, columns=["gc"]).batches():
            pass
        lines.append(line_before() - 1)
        gv.peek_fastq(data)
        lines.append(line_before())
    assert [(w.filename, w.lineno) for w in caught] == [(__file__, line) for line in lines]


def line_before() -> int:
    return sys._getframe(1).f_lineno - 1


def test_sources_without_end_block_are_named(tmp_path: Path) -> None:
    whole, cut, padded, plain = (tmp_path / name for name in ("whole", "cut", "padded", "plain"))
    whole.write_bytes(bgzf(TEXT))
    cut.write_bytes(bgzf(TEXT, end=b""))
    padded.write_bytes(bgzf(TEXT) + bytes(100))
    plain.write_bytes(TEXT)
    with pytest.warns(gv.errors.MissingEndBlockWarning) as caught:
        gv.read_fastq([whole, cut, padded, plain])
    assert str(caught[0].message).startswith(f"{cut}: the BGZF file ends without its end block")
    with pytest.warns(gv.errors.MissingEndBlockWarning) as caught:
        gv.read_fastq([whole, cut, bgzf(TEXT, end=b""), io.BytesIO(bgzf(TEXT, end=b""))])
    assert str(caught[0].message).startswith(f"{cut}, <bytes>, <BytesIO>: ")
    with pytest.warns(gv.errors.MissingEndBlockWarning) as caught:
        gv.read_fastq([cut] * 7)
    assert str(caught[0].message).startswith(", ".join([str(cut)] * 5) + " and 2 more: ")
