"""Files followed while they are written: each complete record once, whatever becomes of them."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import random
import shutil
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import genomevedic as gv
from genomevedic.errors import on
from support import END_BLOCK, bgzf_block

pytestmark = [
    pytest.mark.filterwarnings("ignore::genomevedic.errors.SkippedWarning"),
    pytest.mark.filterwarnings("ignore::genomevedic.errors.UnplacedWarning"),
]

COLUMNS = ("name", "metadata")


def record(i: int, end: bytes = b"\n") -> bytes:
    quality = b"@+II"[: 1 + i % 4]
    return end.join([b"@r%d" % i, b"ACGT"[: len(quality)], b"+", quality, b""])


def wrapped(i: int) -> bytes:
    return b"@r%d\nACGT\nAC\n+\n@III\n+I\n" % i


@pytest.fixture(autouse=True)
def polling(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing waits for the system to tell of a change, no test should."""
    if "real_waker" not in request.fixturenames:
        monkeypatch.setitem(sys.modules, "watchfiles", None)


@pytest.fixture
def real_waker() -> Any:
    return pytest.importorskip("watchfiles")


class Script:
    """What happens to the files, a step each time that the watcher has nothing to read.

    A step is a function of nothing. Behind the last one the watch ends.
    """

    def __init__(self, *steps: Callable[[], object]) -> None:
        self.steps = iter(steps)
        self.is_over = False

    def stop(self) -> bool:
        step = next(self.steps, None)
        if step is None:
            return True
        step()
        return False


def follow(path: Path, *steps: Callable[[], object], **options: Any) -> list[Any]:
    """The batches of a watch during which all that happens."""
    with gv.watch(path, stop=Script(*steps).stop, poll=0, columns=COLUMNS, **options) as reads:
        return list(reads)


def names_of(batches: list[Any]) -> list[str]:
    return [name for batch in batches for name in batch["name"].tolist()]


def check(batches: list[Any], count: int) -> None:
    """Records 0..count-1, each once, with one running ordinal."""
    assert sorted(names_of(batches)) == sorted(f"r{i}" for i in range(count))
    assert [int(i) for batch in batches for i in batch["metadata"]] == list(range(count))


def adding(path: Path, data: bytes) -> Callable[[], object]:
    def add() -> None:
        with path.open("ab") as stream:
            stream.write(data)

    return add


# --- what is whole comes, what is not is waited for -------------------------------------------


@pytest.mark.parametrize("kind", ["four lines", "crlf", "wrapped"])
def test_a_file_that_grows_by_a_byte(kind: str, tmp_path: Path) -> None:
    make = {"four lines": record, "crlf": lambda i: record(i, b"\r\n"), "wrapped": wrapped}[kind]
    text = b"".join(make(i) for i in range(6))
    path = tmp_path / "a.fastq"
    check(follow(path, *(adding(path, text[i : i + 1]) for i in range(len(text)))), 6)


@pytest.mark.parametrize("seed", range(10))
def test_a_file_that_grows_at_random(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    text = b"".join(record(i) for i in range(200))
    cuts = sorted(chance.sample(range(len(text)), 20))
    path = tmp_path / "a.fastq"
    pieces = [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]
    found = follow(path, *(adding(path, piece) for piece in pieces), batch_size=7)
    check(found, 200)
    assert max(map(len, found)) <= 7


def test_records_are_given_out_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    text = record(0) + record(1)[:-1] + b"\n" + record(2)[:5]
    found = follow(path, adding(path, text), adding(path, record(2)[5:] + record(3)))
    assert [batch["name"].tolist() for batch in found] == [["r0", "r1"], ["r2", "r3"]]
    assert {batch.path for batch in found} == {str(path)}


def members(text: bytes, *sizes: int) -> list[bytes]:
    cuts = [0, *itertools.accumulate(sizes), len(text)]
    return [gzip.compress(text[a:b], mtime=0) for a, b in itertools.pairwise(cuts)]


@pytest.mark.parametrize("piece", [1, 7, 40])
@pytest.mark.parametrize("kind", ["one member", "a member per record", "anywhere", "BGZF"])
def test_gzip_that_grows(kind: str, piece: int, tmp_path: Path) -> None:
    """Members written in pieces; records that go over several members."""
    text = b"".join(record(i) for i in range(12))
    data = {
        "one member": gzip.compress(text, mtime=0),
        "a member per record": b"".join(gzip.compress(record(i), mtime=0) for i in range(12)),
        "anywhere": b"".join(members(text, 5, 0, 30, 1, 50, 20)),
        "BGZF": bgzf_block(text[:50]) + bgzf_block(text[50:]) + END_BLOCK,
    }[kind]
    path = tmp_path / "a.fastq.gz"
    steps = [adding(path, data[i : i + piece]) for i in range(0, len(data), piece)]
    check(follow(path, *steps), 12)


def test_a_large_member_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen of half a member is not decompressed again at each look."""
    chance = random.Random(1)
    text = b"".join(
        b"@r%d\n%s\n+\n%s\n" % (i, bytes(chance.choices(b"ACGT", k=100)), b"I" * 100)
        for i in range(5000)
    )
    data = gzip.compress(text, 1, mtime=0)
    passed = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, **options: Any) -> None:
            self.real = real(**options)

        def decompress(self, chunk: bytes) -> bytes:
            passed.append(len(chunk))
            return self.real.decompress(chunk)

        eof = property(lambda self: self.real.eof)
        unused_data = property(lambda self: self.real.unused_data)

    monkeypatch.setattr("genomevedic.growing.zlib.decompressobj", Counting)
    path = tmp_path / "a.fastq.gz"
    size = len(data) // 50 + 1
    steps = [adding(path, data[i : i + size]) for i in range(0, len(data), size)]
    assert len(names_of(follow(path, *steps))) == 5000
    assert sum(passed) < 2.2 * len(data)


def test_zeros_where_a_file_was_made_large_beforehand(tmp_path: Path) -> None:
    for name, pack in (("a.fastq", bytes), ("b.fastq.gz", lambda text: gzip.compress(text))):
        path = tmp_path / name
        first, second = pack(record(0)), pack(record(1))

        def write(path: Path = path, at: int = len(first), data: bytes = second) -> None:
            with path.open("r+b") as stream:
                stream.seek(at)
                stream.write(data)

        def cut(path: Path = path, size: int = len(first + second)) -> None:
            os.truncate(path, size)

        path.write_bytes(first + bytes(500))
        check(follow(path, lambda: None, write, cut), 2)


def test_an_empty_file_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.touch()
    assert follow(path) == []
    check(follow(path, adding(path, record(0) + b"\n"), adding(path, b"\n")), 1)
    with pytest.raises(gv.errors.FastqFormatError, match="blank line") as caught:
        follow(path, lambda: None, adding(path, record(1)))
    assert caught.value.line == 5


# --- the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [record(2)[:-1], record(2)[:-2] + b"\r"])
def test_a_last_record_without_its_line_end(ending: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(record(0) + record(1) + b"@r2\nACG\n+\n@+I")
    check(follow(path), 3)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_half_a_record_left_raises_at_the_end(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """And what the other files hold comes before."""
    (tmp_path / "a.fastq").write_bytes(pack(record(0) + b"@half\nAC"))
    (tmp_path / "b.fastq").write_bytes(record(1)[:-1])
    found: list[str] = []
    with (
        gv.watch(tmp_path, idle_timeout=0, poll=0, columns=COLUMNS) as reads,
        pytest.raises(gv.errors.TruncatedFileError) as caught,
    ):
        for batch in reads:
            found += batch["name"].tolist()
    assert found == ["r0", "r1"]
    error = caught.value
    assert (error.path, error.line, error.record, error.offset) == (
        str(tmp_path / "a.fastq"),
        6,
        2,
        len(record(0)) + 8,
    )


def test_half_a_member_left_raises_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq.gz"
    path.write_bytes(gzip.compress(record(0)) + gzip.compress(record(1))[:-3])
    found = []
    with (
        gv.watch(path, idle_timeout=0, columns=COLUMNS) as reads,
        pytest.raises(gv.errors.TruncatedFileError, match="cut short"),
    ):
        for batch in reads:
            found += batch["name"].tolist()
    assert found == ["r0"]


def test_the_idle_timeout_counts_from_the_last_read(tmp_path: Path) -> None:
    (tmp_path / "a.fastq").write_bytes(record(0))
    with gv.watch(tmp_path, idle_timeout=0.05, poll=0.01, columns=COLUMNS) as reads:
        check(list(reads), 1)


def test_an_event_ends_it(tmp_path: Path) -> None:
    event = threading.Event()
    (tmp_path / "a.fastq").write_bytes(record(0))
    found = []
    with gv.watch(tmp_path, stop=event, poll=0.01, columns=COLUMNS) as reads:
        for batch in reads:
            found.append(batch)
            event.set()
    check(found, 1)


# --- what becomes of files --------------------------------------------------------------------


def test_rotated_by_renaming(tmp_path: Path) -> None:
    """Before it was read to its end, after, and twice between two looks."""
    path = tmp_path / "reads.fastq"

    def rotate(number: int, *, data: bytes = b"") -> Callable[[], object]:
        def act() -> None:
            path.rename(tmp_path / f"reads.fastq.{number}")
            path.write_bytes(data)

        return act

    def rotate_twice() -> None:
        rotate(3, data=record(5))()
        rotate(4, data=record(6))()

    def after() -> None:
        adding(tmp_path / "reads.fastq.2", record(3)[4:])()

    found = follow(
        path,
        adding(path, record(0)),
        rotate(1, data=record(1)),
        adding(tmp_path / "reads.fastq.1", record(2)),
        adding(path, record(3)[:4]),
        rotate(2, data=record(4)),
        after,
        rotate_twice,
    )
    check(found, 7)


def test_renamed_to_any_name(tmp_path: Path) -> None:
    path = tmp_path / "reads.fastq"
    found = follow(
        path,
        adding(path, record(0)),
        lambda: path.rename(tmp_path / "old"),
        adding(tmp_path / "old", record(1)),
    )
    check(found, 2)


def test_files_beside_it_are_not_of_it(tmp_path: Path) -> None:
    path = tmp_path / "reads.fastq"
    for name in ("other.fastq", "reads.fastq.gz", "reads.fastq.bak", "reads-2.fastq", "reads"):
        (tmp_path / name).write_bytes(b"no record\n")
    path.write_bytes(record(0))
    check(follow(path), 1)


def test_cut_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    found = follow(
        path,
        adding(path, record(0) + record(1)),
        lambda: path.write_bytes(record(2)),
        adding(path, record(3)),
        lambda: path.write_bytes(b""),
        adding(path, b"".join(record(i) for i in range(4, 50))),
    )
    check(found, 50)


def test_replaced_by_another(tmp_path: Path) -> None:
    path, new = tmp_path / "a.fastq", tmp_path / "new"

    def replace() -> None:
        new.write_bytes(record(1) + record(2))
        new.replace(path)

    check(follow(path, adding(path, record(0)), replace, adding(path, record(3))), 4)


def test_an_inode_used_again(tmp_path: Path) -> None:
    """A file that is removed often leaves its inode to the next one."""
    path = tmp_path / "a.fastq"

    def again(i: int) -> Callable[[], object]:
        def act() -> None:
            path.unlink()
            path.write_bytes(b"".join(record(k) for k in range(i, i + 5)))

        return act

    steps = [again(i) for i in range(5, 50, 5)]
    path.write_bytes(b"".join(record(k) for k in range(5)))
    check(follow(path, lambda: None, *steps), 50)


@pytest.mark.parametrize("name", ["reads.fastq", "run/reads.fastq"])
def test_another_file_by_that_name_when_it_is_opened(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is rotated after it was found, and before it is opened."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(record(0))
    real, rotations = Path.open, iter([3, 2, 1])

    def opening(self: Path, *args: Any) -> Any:
        if self == path and args == ("rb",) and (number := next(rotations, None)) is not None:
            path.rename(path.with_name(f"reads.fastq.{number}"))
            with real(path, "wb") as stream:
                stream.write(record(4 - number))
        return real(self, *args)

    monkeypatch.setattr(Path, "open", opening)
    found = follow(path if name == "reads.fastq" else tmp_path, *[lambda: None] * 9)
    check(found, 4)


def test_a_tree(tmp_path: Path) -> None:
    for folder in ("a", "a/b", "c"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a/b/1.fastq").write_bytes(record(0))

    def move() -> None:
        (tmp_path / "a/b/1.fastq").rename(tmp_path / "c/1.fq")
        (tmp_path / "a").rename(tmp_path / "d")
        adding(tmp_path / "c/1.fq", record(3))()

    found = follow(
        tmp_path,
        lambda: (tmp_path / "a/2.fastq.gz").write_bytes(gzip.compress(record(1))),
        lambda: (tmp_path / "c/3.fq.gz").write_bytes(gzip.compress(record(2))),
        move,
        lambda: (tmp_path / "d/.hidden.fastq").write_bytes(b"no record\n"),
        lambda: (tmp_path / "d/notes.txt").write_bytes(b"no record\n"),
        lambda: (tmp_path / "d/x.fastq.tmp").write_bytes(b"no record\n"),
    )
    check(found, 4)


def test_a_file_under_two_names_comes_once(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(record(0))
    (tmp_path / "b.fastq").hardlink_to(path)
    (tmp_path / "c.fastq").symlink_to(path)
    check(follow(tmp_path), 1)


def test_new_files_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    for i, name in enumerate(["c", "a", "b"]):
        path = tmp_path / f"{name}.fastq"
        path.write_bytes(record(i))
        os.utime(path, ns=(0, 10**9 * i))
    assert names_of(follow(tmp_path)) == ["r0", "r1", "r2"]


def test_files_that_vanish(tmp_path: Path) -> None:
    """One that was read whole may go; one that was not raises at the end."""
    path = tmp_path / "a.fastq"
    path.write_bytes(record(0))
    check(follow(tmp_path, lambda: None, path.unlink), 1)
    path.write_bytes(record(0) + b"@half\n")
    with pytest.raises(gv.errors.SourceNotFoundError, match="last 6 bytes") as caught:
        follow(tmp_path, lambda: None, path.unlink)
    assert caught.value.path == str(path)


def test_what_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "run" / "a.fastq"

    def begin() -> None:
        path.parent.mkdir()
        path.write_bytes(record(0))

    check(follow(path.parent, lambda: None, begin), 1)
    shutil.rmtree(path.parent)
    check(follow(path, lambda: None, begin), 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(record(0))
    path.chmod(0)
    with pytest.raises(gv.errors.SourcePermissionError):
        follow(tmp_path)


def test_errors_of_the_system_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(record(0))

    for method in ("open", "stat"):
        real = getattr(Path, method)

        def refuse(self: Path, *args: Any, real: Any = real, **options: Any) -> Any:
            if self == path:
                raise PermissionError(13, "no", str(self))
            return real(self, *args, **options)

        with monkeypatch.context() as patched:
            patched.setattr(Path, method, refuse)
            with pytest.raises(gv.errors.SourcePermissionError) as caught:
                follow(tmp_path)
        assert caught.value.path == str(path)


def test_a_folder_that_cannot_be_listed_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b").mkdir()
    real = os.scandir

    def listing(path: Any) -> Any:
        if str(path).endswith("b"):
            raise PermissionError(13, "no", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", listing)
    with pytest.raises(gv.errors.SourcePermissionError):
        follow(tmp_path)


# --- faults -----------------------------------------------------------------------------------


BAD = b"@bad\nA C\n+\n@II\n"


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_records_at_fault_are_skipped_once(piece: int, tmp_path: Path) -> None:
    """However much of them, and of what follows, is there at a look."""
    text = record(0) + BAD + record(1) + b"xr\nA\n" + record(2) + BAD + BAD + record(3) + b"\n"
    text += record(4)
    wanted: list[Any] = []

    def keep(error: Any) -> str:
        wanted.append((error.line, error.record, error.offset))
        return "skip"

    whole = gv.read_fastq(text, columns=COLUMNS, on_error=keep)
    asked: list[Any] = []

    def ask(error: Any) -> str:
        asked.append((error.line, error.record, error.offset))
        return "skip"

    path = tmp_path / "a.fastq"
    steps = [adding(path, text[i : i + piece]) for i in range(0, len(text), piece)]
    found = follow(path, *steps, on_error=ask)
    assert names_of(found) == whole["name"].tolist()
    assert [int(i) for batch in found for i in batch["metadata"]] == whole["metadata"].tolist()
    assert asked == wanted


def test_errors_and_warnings_are_of_the_whole_watch(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    steps = [adding(path, BAD + record(i)) for i in range(5)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with gv.watch(path, stop=Script(*steps).stop, poll=0, on_error="skip") as reads:
            assert sum(map(len, reads)) == 5
        assert len(reads.errors) == 5
    assert [str(each.message).partition(" (")[0] for each in caught] == [
        f"{path}: 5 records were skipped"
    ]
    path.unlink()
    with pytest.raises(gv.errors.FastqFormatError) as raised:
        follow(path, *steps, on_error="skip", max_errors=3)
    assert raised.value.record == 7


def test_a_fault_raises_behind_what_precedes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    found: list[str] = []
    script = Script(adding(path, record(0)), adding(path, record(1) + BAD + record(2)))
    with (
        gv.watch(path, stop=script.stop, poll=0, columns=COLUMNS) as reads,
        pytest.raises(gv.errors.FastqFormatError) as caught,
    ):
        for batch in reads:
            found += batch["name"].tolist()
    assert found == ["r0", "r1"]
    assert (caught.value.line, caught.value.record) == (10, 3)


def test_a_record_at_fault_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(record(0) + b"@bad\nA C\n+\n@II")
    assert names_of(follow(path, on_error="skip")) == ["r0"]


def test_damaged_gzip_raises_behind_what_is_sound(tmp_path: Path) -> None:
    good, bad = gzip.compress(record(0)), bytearray(gzip.compress(record(1)))
    bad[-5] ^= 1
    for data in (good + bytes(bad), good + b"junk"):
        path = tmp_path / "a.fastq.gz"
        path.write_bytes(data)
        found = []
        with (
            gv.watch(path, poll=0, on_error="skip", columns=COLUMNS) as reads,
            pytest.raises(gv.errors.BadGzipError, match=f"byte {len(good)} of the file"),
        ):
            for batch in reads:
                found += batch["name"].tolist()
        assert found == ["r0"]


def test_handlers_hear_of_faults_and_not_of_pauses(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(BAD + record(0))
    heard: list[str] = []

    def hear(error: Any) -> str:
        heard.append(error.code)
        return "skip"

    with on("INVALID_FASTQ", hear), on("FILE_READ", hear), on("TRUNCATED", hear):
        assert names_of(follow(path, lambda: None)) == ["r0"]
    assert heard == ["INVALID_FASTQ"]


# --- tokens and checkpoints -------------------------------------------------------------------


def in_parts(path: Path, steps: list[Callable[[], object]], chance: random.Random) -> list[str]:
    """Watchers one after another, each from a token of the one before, dropped anywhere."""
    script, token, found = Script(*steps), None, []
    for _ in range(1000):
        taken = chance.randint(0, 3)
        with gv.watch(
            path,
            stop=script.stop,
            poll=0,
            columns=COLUMNS,
            batch_size=chance.randint(1, 5),
            resume=token,
        ) as reads:
            for batch in reads:
                if taken == 0:
                    break
                taken -= 1
                found += list(zip(batch["metadata"].tolist(), batch["name"].tolist(), strict=True))
                token = batch.token
            else:
                break
    assert [ordinal for ordinal, _ in found] == list(range(len(found)))
    return [name for _, name in found]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["plain", "gzip", "wrapped"])
def test_resuming_anywhere(kind: str, seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"{kind}{seed}")
    path = tmp_path / "reads.fastq"
    steps: list[Callable[[], object]] = []
    count = itertools.count()
    make = wrapped if kind == "wrapped" else record
    for rotation in range(4):
        text = b"".join(make(next(count)) for _ in range(chance.randint(1, 20)))
        if kind == "gzip":
            sizes = [chance.randint(0, 30) for _ in range(3)]
            text = b"".join(members(text, *sizes))
        for at in range(0, len(text), 60):
            steps.append(adding(path, text[at : at + 60]))
        steps.append(lambda n=rotation: path.rename(tmp_path / f"reads.fastq.{n}"))  # type: ignore[misc]
    assert sorted(in_parts(path, steps, chance)) == sorted(f"r{i}" for i in range(next(count)))


def test_a_token_says_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(b"".join(record(i) for i in range(10)))
    with gv.watch(path, idle_timeout=0, batch_size=4, columns=COLUMNS) as reads:
        tokens = []
        for batch in reads:
            assert reads.token == batch.token
            tokens.append(batch.token)
    for k, token in enumerate(tokens):
        with gv.watch(path, idle_timeout=0, resume=token, columns=COLUMNS) as rest:
            assert names_of(list(rest)) == [f"r{i}" for i in range(4 * k + 4, 10)]


def test_a_checkpoint_holds_what_was_committed(tmp_path: Path) -> None:
    path, checkpoint = tmp_path / "a.fastq", tmp_path / "a.fastq.1"
    path.write_bytes(b"".join(record(i) for i in range(10)))

    def watching() -> Any:
        return gv.watch(path, idle_timeout=0, batch_size=3, checkpoint=checkpoint, columns=COLUMNS)

    first = iter(watching())
    assert names_of([next(first)]) == ["r0", "r1", "r2"]
    assert not checkpoint.exists()
    assert names_of([next(first)]) == ["r3", "r4", "r5"]
    first.close()
    with watching() as reads:
        second = iter(reads)
        assert names_of([next(second)]) == ["r3", "r4", "r5"]
        reads.commit()
        reads.commit()
    with watching() as reads:
        assert names_of(list(reads)) == ["r6", "r7", "r8", "r9"]
    assert names_of(list(watching())) == []
    # Unlike what a token given says.
    with gv.watch(
        path, idle_timeout=0, checkpoint=checkpoint, resume=watching().token, columns=COLUMNS
    ) as reads:
        assert list(reads) == []


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"version": 2, "layout": null, "files": []}',
        b'{"version": 1, "layout": null, "files": [[1, 2, -3]]}',
        b'{"version": 1, "layout": null, "files": [[1, 2, 0, 7]]}',
        b'{"version": 1, "layout": null, "files": [[1, 2, 3, "", 0, 0, 0, 1, 1, 0]]}',
        b'{"version": 1, "layout": {"layout": 3}, "files": []}',
    ],
)
def test_a_checkpoint_that_is_damaged(damage: bytes, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    checkpoint.write_bytes(damage)
    with pytest.raises(gv.errors.SourceReadError, match="checkpoint is damaged") as caught:
        gv.watch(tmp_path, checkpoint=checkpoint)
    assert caught.value.path == str(checkpoint)
    assert checkpoint.read_bytes() == damage
    if damage.isascii():
        with pytest.raises(ValueError, match="resume"):
            gv.watch(tmp_path, resume=damage.decode())


def test_a_token_is_short(tmp_path: Path) -> None:
    """It is written with each batch, and a run has thousands of files."""
    for i in range(50):
        (tmp_path / f"{i}.fastq").write_bytes(record(i))
    batches = follow(tmp_path)
    assert len(json.loads(batches[-1].token)["files"]) == 50
    assert len(batches[-1].token) < 50 * 130 + 500


def test_two_watchers_do_not_mind_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(b"".join(record(i) for i in range(10)))
    with (
        gv.watch(tmp_path, idle_timeout=0, batch_size=2, columns=COLUMNS) as one,
        gv.watch(path, idle_timeout=0, batch_size=3, columns=COLUMNS) as two,
    ):
        found = list(itertools.zip_longest(one, two))
    check([a for a, _ in found if a is not None], 10)
    check([b for _, b in found if b is not None], 10)


# --- layouts and options ----------------------------------------------------------------------


def placed(i: int) -> bytes:
    return b"@M:1:FC:1:1101:%d:2000 1:N:0:A\nACGT\n+\nIIII\n" % (1000 + i)


NAMELESS = b"@nameless\nACGT\n+\nIIII\n"


@pytest.mark.parametrize("layout", ["auto", "spiral", "grid", "flowcell", "composition"])
def test_places_are_as_in_one_reading(layout: str, tmp_path: Path) -> None:
    """Settled once, and numbered on: also behind a token, and where names hold no place."""
    strict = {"unplaced": "nan"} if layout == "flowcell" else {}
    records = [placed(0), placed(1), NAMELESS, placed(3), NAMELESS, NAMELESS]
    whole = gv.read_fastq(b"".join(records), layout=layout, **strict)
    path = tmp_path / "a.fastq"
    places = []
    token = None
    for each in records:
        adding(path, each)()
        with gv.watch(path, layout=layout, idle_timeout=0, resume=token, **strict) as reads:
            for batch in reads:
                places.append(batch.position)
                token = batch.token
    assert np.array_equal(np.concatenate(places), whole.position, equal_nan=True)


def test_a_layout_asked_for_counts_before_the_one_of_a_token(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(placed(0))
    (batch,) = gv.watch(path, idle_timeout=0)
    assert batch.layout.name == "flowcell"
    adding(path, placed(1))()
    (batch,) = gv.watch(path, idle_timeout=0, resume=batch.token, layout="spiral")
    assert batch.layout.name == "spiral"


def test_filtered_reads_are_passed_for_good(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    low = b"@low\nACGT\n+\n!!!!\n"
    good = b"@good\nACGT\n+\nIIII\n"
    found = follow(
        path, *[adding(path, each) for each in (low, good, low, low, good)], min_quality=9
    )
    assert [int(i) for batch in found for i in batch["metadata"]] == [1, 4]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"limit": 3}, TypeError),
        ({"progress": True}, TypeError),
        ({"threads": 2}, TypeError),
        ({"batch_size": 0}, ValueError),
        ({"on_error": "ignore"}, ValueError),
        ({"columns": ["nonsense"]}, ValueError),
        ({"poll": "often"}, TypeError),
        ({"idle_timeout": "long"}, TypeError),
        ({"resume": "nonsense"}, ValueError),
        ({"nonsense": 1}, TypeError),
    ],
)
def test_arguments_that_make_no_sense(options: dict[str, Any], kind: type, tmp_path: Path) -> None:
    with pytest.raises(kind):
        gv.watch(tmp_path, **options)


def test_waiting_for_the_system_to_tell(tmp_path: Path, real_waker: Any) -> None:
    path = tmp_path / "a.fastq"
    check(follow(path, adding(path, record(0)), adding(path, record(1))), 2)


def test_polling_where_watching_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_waker: Any
) -> None:
    def fail(*args: Any, **options: Any) -> Iterator[Any]:
        raise OSError("no space left for watches")
        yield

    monkeypatch.setattr(real_waker, "watch", fail)
    path = tmp_path / "a.fastq"
    check(follow(path, adding(path, record(0)), adding(path, record(1))), 2)


def test_a_change_wakes_the_watcher(tmp_path: Path, real_waker: Any) -> None:
    """It does not wait for its next look: that would be in an hour."""
    path = tmp_path / "a.fastq"
    path.write_bytes(record(0))
    found = []
    done = threading.Event()
    writer: threading.Timer | None = None
    with gv.watch(path, poll=3600, stop=done, columns=COLUMNS) as reads:
        for batch in reads:
            found.append(batch)
            if writer is None:
                writer = threading.Timer(0.3, adding(path, record(1)))
                writer.start()
            else:
                done.set()
    check(found, 2)
    assert writer is not None
    writer.join()


def test_nothing_is_left_open(tmp_path: Path, real_waker: Any) -> None:
    process = psutil.Process()
    path = tmp_path / "a.fastq"
    path.write_bytes(record(0) * 10)

    def watch_and_leave() -> tuple[int, int]:
        with gv.watch(tmp_path, idle_timeout=0.05, poll=0.01, batch_size=3) as reads:
            assert sum(map(len, reads)) == 10
        dropped = iter(gv.watch(tmp_path, batch_size=3))
        next(dropped)
        del dropped
        return process.num_fds(), process.num_threads()

    watch_and_leave()
    descriptors, threads = watch_and_leave()
    for _ in range(5):
        watch_and_leave()
    # The thread that waits for changes ends a moment after it is told to.
    for _ in range(100):
        if process.num_fds() <= descriptors and process.num_threads() <= threads:
            break
        time.sleep(0.05)
    assert process.num_fds() <= descriptors
    assert process.num_threads() <= threads
