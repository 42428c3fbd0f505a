"""The text of files that grow, as far as it is whole, in little memory; what is watched."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import genomevedic as gv
from genomevedic.growing import GrowingText, Members, Pause, Place, read_token

LINE = b"0123456789\n"


def text_of(path: Path, *, is_final: bool = False, start: int = 0) -> tuple[bytes, bool]:
    """The text, and whether reading it ended with a pause."""
    with path.open("rb") as file:
        place = Place(0, 0, start=start, start_text=start, offset=start)
        text = GrowingText(file, str(path), place, None, is_final=is_final)
        found, buffer = b"", bytearray(1 << 16)
        try:
            while count := text.readinto(buffer):
                found += buffer[:count]
        except Pause:
            return found, True
    return found, False


@pytest.mark.parametrize("tail", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
@pytest.mark.parametrize("lines", [0, 1, 100_000])
def test_a_plain_text_up_to_its_last_line_end(lines: int, tail: int, tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    whole, rest = LINE * lines, b"x" * tail
    path.write_bytes(whole + rest)
    assert text_of(path) == (whole, True)
    assert text_of(path, is_final=True) == (whole + rest, False)
    assert text_of(path, start=len(whole)) == (b"", True)
    assert text_of(path, start=len(whole), is_final=True) == (rest, False)


def test_a_line_that_does_not_end_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    with path.open("wb") as file:
        file.write(LINE)
        file.truncate(200 << 20)
    tracemalloc.start()
    try:
        assert text_of(path) == (LINE, True)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_members_gone_by_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq.gz"
    member = gzip.compress(LINE, mtime=0)
    path.write_bytes(member * 1000)
    with path.open("rb") as file:
        members = Members(0)
        members.look(file, str(path))
        text = GrowingText(file, str(path), Place(0, 0), members, is_final=True)
        buffer = bytearray(len(LINE))
        for i in range(1000):
            assert text.readinto(buffer) == len(LINE)
            within = i * len(LINE) + 3
            assert text.start_of(within) == (i * len(LINE), i * len(member))
            assert text.start_of(within) == (i * len(LINE), i * len(member))
            assert len(text._starts) <= 2
        assert text.readinto(buffer) == 0
        assert text.start_of(1000 * len(LINE)) == (1000 * len(LINE), 1000 * len(member))


@pytest.mark.parametrize("is_folder", [True, False])
def test_one_file_does_not_have_the_tree_around_it_watched(
    is_folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watchfiles: Any = pytest.importorskip("watchfiles")
    told: list[dict[str, Any]] = []

    def watch(folder: Path, **options: Any) -> Any:
        told.append({"folder": folder, **options})
        yield set()

    monkeypatch.setattr(watchfiles, "watch", watch)
    path = tmp_path if is_folder else tmp_path / "a.fastq"
    rounds = iter([False, True])
    with gv.watch(path, stop=lambda: next(rounds), poll=0.01) as reads:
        reads._waker._watch = watch
        assert list(reads) == []
    assert [(each["folder"], each["recursive"]) for each in told] == [(tmp_path, is_folder)]


def test_a_token_says_where_every_file_is_read_on(tmp_path: Path) -> None:
    """Each place is written when it changes, so none may be forgotten."""
    for i in range(5):
        data = b"".join(b"@r%d\nA\n+\nI\n" % n for n in range(i + 1))
        (tmp_path / f"{i}.fastq").write_bytes(data)
        (tmp_path / f"{i}.fastq.gz").write_bytes(gzip.compress(data))
    count = 0
    with gv.watch(tmp_path, idle_timeout=0, batch_size=2) as reads:
        for batch in reads:
            count += len(batch)
            assert read_token(batch.token)[0] == reads._places
        assert read_token(reads.token)[0] == reads._places
    assert count == 30
