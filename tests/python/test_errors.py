"""The error types: complete, told apart, picklable, and words that a person can act on."""

from __future__ import annotations

import copy
import errno
import gzip
import inspect
import io
import os
import pickle
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import genomevedic as gv
from genomevedic import _core
from genomevedic.errors import ErrorCode, GenomeVedicError, Severity
from support import REPO

CLASSES = [
    kind
    for _, kind in inspect.getmembers(gv.errors, inspect.isclass)
    if issubclass(kind, GenomeVedicError) and not kind.__name__.startswith("_")
]
BUILTINS = {
    "FastqFormatError": ValueError,
    "QualityMismatchError": ValueError,
    "TruncatedFileError": EOFError,
    "RecordTooLongError": ValueError,
    "NoCoordinatesError": ValueError,
    "OutOfBoundsError": ValueError,
    "InvalidCoordinateError": ValueError,
    "MemoryAllocationError": MemoryError,
    "MemoryLimitError": MemoryError,
    "ArenaFullError": MemoryError,
    "ArenaInUseError": BufferError,
    "SourceReadError": OSError,
    "SourceNotFoundError": FileNotFoundError,
    "SourcePermissionError": PermissionError,
    "BadGzipError": OSError,
    "SourceUnavailableError": ConnectionError,
    "SourceChangedError": OSError,
    "TimedOutError": TimeoutError,
    "CircuitOpenError": OSError,
    "ReadCancelledError": InterruptedError,
    "SystemResourceError": OSError,
    "RenderingError": RuntimeError,
    "ShaderError": RuntimeError,
    "TextureError": RuntimeError,
}


def error_of(source: object, **options: object) -> GenomeVedicError:
    with pytest.raises(GenomeVedicError) as caught:
        gv.read_fastq(source, **options)
    return caught.value


def test_every_core_status_has_its_class() -> None:
    table = _core.error_table()
    assert len(table) > 15
    for status, name in table.items():
        assert name is not None, f"{status} becomes no exception"
        assert issubclass(getattr(gv.errors, name), GenomeVedicError)


def test_the_table_is_that_of_the_headers() -> None:
    """Every status of gv_status.h but the four that are no errors, and none that it lacks."""
    text = (REPO / "csrc" / "gv_status.h").read_text()
    listed = text.partition("enum gv_status {")[2].partition("};")[0]
    found = re.findall(r"^\s*(GV_\w+)", listed, re.MULTILINE)
    no_errors = ["GV_OK", "GV_END", "GV_NEED_MORE", "GV_INTERRUPTED"]
    assert found[:4] == no_errors
    assert found[-1] == "GV_STATUS_COUNT"
    assert list(_core.error_table()) == found[4:-1]


def test_every_code_has_its_class() -> None:
    assert {kind.code for kind in CLASSES} == set(ErrorCode)
    assert all(code.name == code.value for code in ErrorCode)


def test_every_class_is_a_builtin_too() -> None:
    concrete = {kind.__name__ for kind in CLASSES} - {"GenomeVedicError"}
    assert concrete == set(BUILTINS)
    for name, builtin in BUILTINS.items():
        kind = getattr(gv.errors, name)
        assert issubclass(kind, builtin)
        assert isinstance(kind.code, ErrorCode)
        assert isinstance(kind.severity, Severity)
        assert name in gv.errors.__all__
        assert name in gv.errors.__doc__


@pytest.mark.parametrize("kind", [k for k in CLASSES if k is not GenomeVedicError])
def test_errors_survive_pickling_and_copying(kind: type[GenomeVedicError]) -> None:
    error = kind("what happened.", path="a.fastq", line=3, errno=errno.EIO, reads=7)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == "what happened."
        assert again.context == error.context
        assert again.timestamp == error.timestamp
        assert again.code is error.code
    if isinstance(error, OSError):
        assert error.errno == again.errno == errno.EIO
        assert error.filename == "a.fastq"


def test_notes_and_places_survive_pickling() -> None:
    text = b"@r1\nACGT\n+\nIIII\n@r2\nA\n+\nII\n"
    for error in (error_of(text, on_error="skip", max_errors=0), error_of("no such file")):
        error.add_note("said later")
        again = pickle.loads(pickle.dumps(error))
        assert again.__notes__ == error.__notes__
        assert again.context == error.context
        assert vars(again).keys() == vars(error).keys()


@pytest.mark.parametrize(
    "places",
    [
        np.zeros((1, 4)),
        np.zeros(3),
        np.zeros((1, 2), dtype=bool),
        np.array([[np.inf, 0.0]]),
        lambda particles: np.zeros((2, 2)),
        lambda particles: np.full((1, 3), -np.inf),
        np.array([[1e300, 0.0], [-1e300, 0.0]]),
        lambda particles: np.full((1, 3), 3.5e38),
    ],
    ids=[
        "four columns",
        "one axis",
        "no numbers",
        "infinite",
        "too many",
        "all infinite",
        "too far apart",
        "too far",
    ],
)
def test_places_that_are_none(places: object) -> None:
    error = error_of(b"@r\nA\n+\nI\n", layout=places)
    assert isinstance(error, gv.errors.InvalidCoordinateError)
    assert error.code == "INVALID_COORDINATE"


def test_no_more_descriptors(tmp_path: Path) -> None:
    """In a process of its own, which has none left."""
    path = tmp_path / "reads.fastq"
    path.write_bytes(b"@r\nA\n+\nI\n")
    code = """
import errno, os, resource, sys
import genomevedic as gv
reads = len(gv.read_fastq(sys.argv[1]))
held = [os.dup(0)]
resource.setrlimit(resource.RLIMIT_NOFILE, (held[0] + 1, held[0] + 1))
try:
    gv.read_fastq(sys.argv[1])
except gv.errors.SystemResourceError as error:
    assert error.errno == errno.EMFILE and error.code == "SYSTEM_RESOURCE" and error.recoverable
    assert isinstance(error, gv.errors.SourceReadError)
    os.close(held.pop())
    print(reads, len(gv.read_fastq(sys.argv[1])))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("1 1", "")


def test_what_an_error_knows() -> None:
    error = error_of(b"@r1\nACGT\n+\nIIII\n@r2\nACGT\n+\nII II\n")
    assert isinstance(error, gv.errors.FastqFormatError)
    assert (error.path, error.line, error.record, error.offset, error.field) == (
        "<bytes>",
        8,
        2,
        29,
        "quality",
    )
    assert error.code == "INVALID_FASTQ"
    assert error.severity is Severity.ERROR > Severity.WARNING
    assert error.recoverable is False
    assert timedelta(0) <= datetime.now(UTC) - error.timestamp < timedelta(minutes=5)
    with pytest.raises(TypeError):
        error.context["line"] = 9  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (
            b"@r\nACGT\n+\nIII\n",
            {},
            "line 4 (record 1, byte 13): the quality line has 3 characters for 4 bases",
        ),
        (b"@r\nACGT\n+\nIIIII\n", {}, "has 5 characters for 4 bases"),
        (b"@r\nACGT\n+\nIII", {}, "ends in the middle of a record (in its quality)"),
        (b"r\nACGT\n+\nIIII\n", {}, "but the file begins with 'r': it is not FASTQ"),
        (b"@r\nA\n+\nI\nr\n", {}, "must begin with '@', but this line begins with 'r'"),
        (b">r\nACGT\n", {}, "looks like FASTA"),
        (b"@r\nAC\x07T\n+\nIIII\n", {}, "the sequence holds the byte 0x07"),
        (b"@r\nACGT\n+\nII\xff!\n", {}, "the quality line holds the byte 0xff"),
        (b"@r\nACXT\n+\nIIII\n", {"alphabet": "dna"}, "'X', which is not in the alphabet"),
        (b"@r\nACGT\nIIII\n@s\n", {}, "must begin with '+', but this one begins with 'I'"),
        (b"@r\nACGT\n+s\nIIII\n", {}, "repeats another name"),
        (b"@r\nA\n+\nI\n\n@s\nA\n+\nI\n", {}, "line 5 (record 2, byte 9): a blank line"),
        (b"@r\n" + b"A" * 99, {"max_record_bytes": 50}, "longer than max_record_bytes (50)"),
        (b"BZh91AY", {}, "the file is packed as bzip2, which is not read; unpack it first"),
        (b"\xfd7zXZ\0", {}, "packed as xz"),
        (b"\x28\xb5\x2f\xfd..", {}, "packed as zstd"),
        (b"PK\3\4......", {}, "packed as zip"),
        (gzip.compress(b"@r\nA\n+\nI\n")[:-3], {}, "cut short: it ends inside a member"),
        (gzip.compress(b"@r\nA\n+\nI\n") + b"xx", {}, "bytes that are not gzip follow"),
    ],
)
def test_messages(text: bytes, options: dict[str, object], words: str) -> None:
    message = str(error_of(text, **options))
    assert words in message
    assert message.startswith("<bytes>")
    assert message.endswith(".")
    assert "\n" not in message


def test_the_path_is_in_the_message(tmp_path: Path) -> None:
    path = tmp_path / "reads of Änne.fastq"
    path.write_bytes(b"@r\n")
    error = error_of(path)
    assert error.path == str(path)
    assert str(error).startswith(f"{path}, line 2 (record 1, byte 3): ")


def test_the_source_at_fault_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.fastq", tmp_path / "bad.fastq"
    good.write_bytes(b"@r\nA\n+\nI\n" * 3)
    bad.write_bytes(b"@r\nA\n+\nI\n@r\nA\n+\n")
    error = error_of([good, good, bad])
    assert (error.path, error.line, error.record) == (str(bad), 8, 2)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    missing = error_of(tmp_path / "no.fastq")
    assert isinstance(missing, FileNotFoundError)
    assert missing.errno == errno.ENOENT
    assert "No such file" in str(missing)
    directory = error_of(tmp_path)
    assert isinstance(directory, gv.errors.SourceReadError)
    assert directory.errno == errno.EISDIR


class Failing(io.RawIOBase):
    """A file object that gives some records, and then raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.given = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        if self.given:
            raise self.error
        self.given = True
        text = b"@r\nA\n+\nI\n"
        memoryview(buffer)[: len(text)] = text
        return len(text)


def test_a_failing_file_object_is_the_cause() -> None:
    reason = ConnectionResetError(errno.ECONNRESET, "gone")
    error = error_of(Failing(reason))
    assert isinstance(error, gv.errors.SourceReadError)
    assert error.__cause__ is reason
    assert error.errno == errno.ECONNRESET
    assert error.path == "<Failing>"
    error = error_of(Failing(RuntimeError("odd")))
    assert isinstance(error.__cause__, RuntimeError)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_interrupts_pass_through_a_file_object(kind: type[BaseException]) -> None:
    with pytest.raises(kind):
        gv.read_fastq(Failing(kind()))


def test_records_before_a_failing_read_are_handed_out() -> None:
    with gv.scan_fastq(Failing(OSError("gone"))) as reader:
        batches = reader.batches()
        assert len(next(batches)) == 1
        with pytest.raises(gv.errors.SourceReadError):
            next(batches)


def test_system_errors_have_the_systems_words(tmp_path: Path) -> None:
    missing = error_of(tmp_path / "no.fastq")
    assert missing.strerror == os.strerror(errno.ENOENT)
    assert missing.filename == str(tmp_path / "no.fastq")
    reset = error_of(Failing(ConnectionResetError(errno.ECONNRESET, "gone")))
    assert reset.strerror == os.strerror(errno.ECONNRESET)
    again = pickle.loads(pickle.dumps(reset))
    assert (again.errno, again.strerror) == (errno.ECONNRESET, reset.strerror)
    assert error_of(gzip.compress(b"@r\nA\n+\nI\n") + b"xx").strerror is None


def test_the_base_class_has_a_code_of_its_own() -> None:
    assert GenomeVedicError("odd.").code is ErrorCode.GENERAL
    others = [kind for kind in CLASSES if kind is not GenomeVedicError]
    assert ErrorCode.GENERAL not in {kind.code for kind in others}
