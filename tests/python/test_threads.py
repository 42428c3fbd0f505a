"""Any number of threads gives what one thread gives: rows, errors, counts, bit for bit."""

from __future__ import annotations

import os
import random
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import genomevedic as gv
from support import END_BLOCK, bgzf, gzip_member, spoiled

# Sources below 4 MiB are read on one thread.
SIZE = 5_500_000


def records(kind: str, size: int = SIZE, seed: int = 1) -> bytes:
    """Records of one kind, `size` bytes of them at least."""
    chance = random.Random(seed)
    made: list[bytes] = []
    total = 0
    while total < size:
        made.append(RECORD_OF[kind](chance, len(made)))
        total += len(made[-1])
    return b"".join(made)


def plain(chance: random.Random, i: int) -> bytes:
    n = chance.randint(80, 160)
    return b"@read:%d\n%s\n+\n%s\n" % (i, letters(chance, n), b"I" * n)


def hostile(chance: random.Random, i: int) -> bytes:
    """Lines that begin with '@' and '+' wherever they may."""
    n = chance.randint(1, 60)
    sequence = chance.choice([b"@", b"+", b"A"]) + letters(chance, n)[1:]
    quality = chance.choice([b"@", b"+", b"I"]) + bytes(chance.choices(b"@+I", k=n - 1))
    name = b"%s%d" % (chance.choice([b"@", b"+", b""]), i)
    again = name if chance.random() < 0.3 else b""
    return b"@%s\n%s\n+%s\n%s\n" % (name, sequence, again, quality)


def crlf(chance: random.Random, i: int) -> bytes:
    return plain(chance, i).replace(b"\n", b"\r\n")


def long(chance: random.Random, i: int) -> bytes:
    """From an empty read to one that is longer than a slice."""
    n = chance.choice([0, 10, 20_000, 300_000, 900_000])
    return b"@read:%d\n%s\n+\n%s\n" % (i, letters(chance, n), b"5" * n)


def wrapped(chance: random.Random, i: int) -> bytes:
    lines = [letters(chance, 60) for _ in range(chance.randint(2, 4))]
    return b"@read:%d\n%s\n+\n%s\n" % (i, b"\n".join(lines), b"\n".join(b"I" * 60 for _ in lines))


def letters(chance: random.Random, n: int) -> bytes:
    start = chance.randrange(1000)
    return (LETTERS * (n // len(LETTERS) + 2))[start : start + n]


LETTERS = bytes(random.Random(5).choices(b"ACGTACGTACGTN", k=2000))
RECORD_OF: dict[str, Callable[[random.Random, int], bytes]] = {
    "plain": plain,
    "hostile": hostile,
    "crlf": crlf,
    "long": long,
    "wrapped": wrapped,
}
TEXTS = {kind: records(kind) for kind in RECORD_OF}


def blocks(text: bytes, size: int = 60_000) -> list[bytes]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def stored_block(payload: bytes, size_error: int = 0) -> bytes:
    """A block that is not compressed: a source must be large to be shared out."""
    size = len(gzip_member(payload, level=0, extra=b"BC\2\0\0\0"))
    extra = struct.pack("<2sHH", b"BC", 2, size - 1 + size_error)
    return gzip_member(payload, level=0, extra=extra)


def outcome(source: object, **options: object) -> object:
    """All that a reading gives: the columns, or the whole error, and what was counted."""
    with gv.scan_fastq(source, columns=gv.COLUMNS, **options) as reader:
        parts = []
        fault: tuple[object, ...] | None = None
        try:
            parts = list(reader.batches(10**9))
        except gv.errors.GenomeVedicError as error:
            fault = (type(error), str(error), dict(error.context))
        columns = [part[name] for part in parts for name in gv.COLUMNS]
        stats = {k: v for k, v in reader.stats.as_dict().items() if k != "seconds"}
    found = [column.tobytes() if isinstance(column, np.ndarray) else column for column in columns]
    if fault is not None:
        # How much was read of what lies behind a fault may differ.
        stats = {k: v for k, v in stats.items() if k not in ("bytes_in", "text_bytes")}
    return found, fault, stats


@pytest.mark.parametrize("threads", [2, 3, 5, None])
@pytest.mark.parametrize("kind", TEXTS)
def test_memory(kind: str, threads: int | None) -> None:
    assert outcome(TEXTS[kind], threads=threads) == outcome(TEXTS[kind], threads=1)


@pytest.mark.parametrize("kind", TEXTS)
def test_files(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "reads.fastq"
    path.write_bytes(TEXTS[kind])
    assert outcome(path, threads=3) == outcome(path, threads=1)


@pytest.mark.parametrize("kind", ["plain", "hostile", "long"])
def test_bgzf(kind: str, tmp_path: Path) -> None:
    data = b"".join(map(stored_block, blocks(TEXTS[kind]))) + bgzf(*blocks(TEXTS["crlf"][:900_000]))
    assert len(data) > 4 * 2**20
    path = tmp_path / "reads.fastq.gz"
    path.write_bytes(data)
    for source in (path, data):
        assert outcome(source, threads=3) == outcome(source, threads=1)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.93, 0.99999])
@pytest.mark.parametrize("damage", [b"\0", b"\n", b"@", b"+\n", b""])
def test_a_fault_is_found_where_it_is(place: float, damage: bytes) -> None:
    text = TEXTS["plain"]
    at = int(place * len(text))
    text = text[:at] + damage + text[at + 1 :]
    assert outcome(text, threads=3) == outcome(text, threads=1)


@pytest.mark.parametrize("place", [1_000_000, 2_500_000, 4_000_000])
@pytest.mark.parametrize("middle", ["wrapped", "crlf", "hostile"])
def test_files_that_change_their_ways(place: int, middle: str) -> None:
    cut = TEXTS["plain"].index(b"\n@read:", place) + 1
    text = TEXTS["plain"][:cut] + records(middle, 200_000) + TEXTS["plain"][cut:]
    assert outcome(text, threads=3) == outcome(text, threads=1)


@pytest.mark.parametrize("cut", [1, 2, 3, 77, 1_500_000])
def test_cut_inputs(cut: int) -> None:
    for kind in ("plain", "long"):
        text = TEXTS[kind][:-cut]
        assert outcome(text, threads=3) == outcome(text, threads=1)


def test_blank_lines_at_the_end() -> None:
    for tail in (b"\n" * 3_000_000, b"\r\n" * 10, b"\n" * 2_000_000 + b"@r\n"):
        text = TEXTS["plain"] + tail
        assert outcome(text, threads=3) == outcome(text, threads=1)


def damaged() -> dict[str, bytes]:
    parts = blocks(TEXTS["hostile"])
    sound = [stored_block(part) for part in parts]
    middle = len(sound) // 2
    before, here, after = sound[:middle], sound[middle], sound[middle + 1 :]
    whole = {
        "data": [*before, spoiled(here, 1000), *after],
        "checksum": [*before, spoiled(here, -6), *after],
        "size": [*before, stored_block(parts[middle], size_error=3), *after],
        "cut": [*before, here, *after[:-1], after[-1][:-5]],
        "not gzip": [*before, here, *after, b"not gzip"],
        "in between": [*before, b"not gzip", here, *after],
        "no end block": sound,
        "padded": [*sound, END_BLOCK, bytes(100)],
        "end block within": [*before, END_BLOCK, here, *after, END_BLOCK],
        "plain gzip within": [*before, gzip_member(parts[middle]), *after, END_BLOCK],
    }
    return {name: b"".join(found) for name, found in whole.items()}


@pytest.mark.parametrize("name", damaged())
@pytest.mark.filterwarnings("ignore::genomevedic.errors.MissingEndBlockWarning")
def test_damaged_blocks(name: str) -> None:
    data = damaged()[name]
    assert len(data) > 4 * 2**20
    assert outcome(data, threads=3) == outcome(data, threads=1)


@pytest.mark.parametrize("batch_size", [1, 999, 20_000])
def test_batches_of_any_size(batch_size: int) -> None:
    text = TEXTS["plain"] if batch_size > 1 else TEXTS["long"]
    with gv.scan_fastq(text, threads=3) as reader:
        batches = list(reader.batches(batch_size))
    assert {len(batch) for batch in batches[:-1]} <= {batch_size}
    assert gv.Particles.concat(batches) == gv.read_fastq(text, threads=1)


@pytest.mark.parametrize("least", [0, 41])
@pytest.mark.parametrize("limit", [1, 1000, 9_000, 20_000, 30_001])
def test_limits(limit: int, least: float) -> None:
    """The last particle is the last record read, also where records that are left out follow."""
    kind = "hostile" if least else "plain"
    one, many = (
        gv.read_fastq(TEXTS[kind], threads=n, limit=limit, min_quality=least) for n in (1, 3)
    )
    assert many == one
    for name in ("reads", "kept", "bases", "gc_bases", "phred_sum"):
        assert getattr(many.stats, name) == getattr(one.stats, name)


def test_filters_and_limits_of_memory() -> None:
    text = records("hostile")
    for options in ({"min_quality": 30}, {"memory_limit": 1_000_000}, {"alphabet": "iupac"}):
        assert outcome(text, threads=3, **options) == outcome(text, threads=1, **options)


def test_one_ordinal_over_shared_and_small_sources() -> None:
    sources = [TEXTS["plain"], b"@r\nA\n+\nI\n", TEXTS["hostile"], TEXTS["plain"]]
    many = gv.read_fastq(sources, threads=3)
    assert many == gv.read_fastq(sources, threads=1)
    np.testing.assert_array_equal(many.metadata, np.arange(len(many)))


def test_layouts_by_ordinal() -> None:
    one, many = (gv.read_fastq(TEXTS["plain"], layout="spiral", threads=n) for n in (1, 3))
    assert many == one


def tasks() -> int:
    """Threads of this process, those of the core among them."""
    return len(list(Path("/proc/self/task").iterdir()))


def test_threads_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "reads.fastq"
    path.write_bytes(TEXTS["plain"])
    before = tasks()
    for _ in range(20):
        gv.read_fastq(path, threads=4)
        assert tasks() == before
        batches = gv.scan_fastq(path, threads=4).batches(5_000)
        next(batches)
        assert tasks() == before + 3
        del batches
        assert tasks() == before
        with pytest.raises(gv.errors.TruncatedFileError):
            gv.read_fastq(TEXTS["plain"][:-5], threads=4)
        assert tasks() == before


def test_several_readers_at_once() -> None:
    wanted = gv.read_fastq(TEXTS["plain"], threads=1)
    results: list[gv.Particles] = []
    readers = [
        threading.Thread(target=lambda: results.append(gv.read_fastq(TEXTS["plain"], threads=3)))
        for _ in range(4)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(results) == 4
    assert all(result == wanted for result in results)


def test_after_a_fork_a_reader_refuses() -> None:
    reader = gv.scan_fastq(TEXTS["plain"], threads=3)
    batches = reader.batches(100)
    next(batches)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            next(batches)
        except RuntimeError as error:
            os.write(write_end, str(error).encode())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        assert b"forked" in stream.read()
    os.waitpid(child, 0)
    assert sum(map(len, batches)) + 100 == len(gv.read_fastq(TEXTS["plain"]))
