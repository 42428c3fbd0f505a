"""Helpers of the format tests that need nothing of genomevedic itself."""

from __future__ import annotations

import csv
import random
import signal
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
DATA = REPO / "tests" / "data"
SHARED = REPO.parent / "shared"
SHARED_CASES = SHARED / "cases"
SHARED_READS = SHARED / "reads"

needs_shared_cases = pytest.mark.skipif(
    not SHARED_CASES.is_dir(), reason="the shared cases are not beside the repository"
)
needs_shared_reads = pytest.mark.skipif(
    not SHARED_READS.is_dir(), reason="the shared reads are not beside the repository"
)


@dataclass(frozen=True)
class OwnCase:
    """A row of tests/data/manifest.tsv: either counts or a fault is expected."""

    path: Path
    records: int | None
    bases: int | None
    error: str | None
    line: int | None
    record: int | None
    offset: int | None
    field: str | None
    options: dict[str, str]

    @property
    def fault(self) -> tuple[str | None, int | None, int | None, int | None, str | None]:
        return (self.error, self.line, self.record, self.offset, self.field)


@dataclass(frozen=True)
class SharedCase:
    """A row of the shared manifest."""

    path: Path
    expectation: str
    records: int | None
    bases: int | None
    payload: str
    note: str


def table_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def number(text: str) -> int | None:
    return None if text in ("", "-") else int(text)


def word(text: str) -> str | None:
    return None if text == "-" else text


def own_cases() -> list[OwnCase]:
    return [
        OwnCase(
            path=DATA / row["file"],
            records=number(row["records"]),
            bases=number(row["bases"]),
            error=word(row["error"]),
            line=number(row["line"]),
            record=number(row["record"]),
            offset=number(row["offset"]),
            field=word(row["field"]),
            options=dict(pair.split("=") for pair in row["options"].split(",") if pair != "-"),
        )
        for row in table_rows(DATA / "manifest.tsv")
    ]


def shared_cases(folder: str, expectation: str) -> list[SharedCase]:
    """The shared cases under ``folder`` whose expectation begins so; none where they are absent."""
    if not SHARED_CASES.is_dir():
        return []
    return [
        SharedCase(
            path=SHARED_CASES / row["file"],
            expectation=row["expectation"],
            records=number(row["expected_records"]),
            bases=number(row["bases"]),
            payload=row["payload"],
            note=row["note"],
        )
        for row in table_rows(SHARED_CASES / "manifest.tsv")
        if row["file"].startswith(folder) and row["expectation"].startswith(expectation)
    ]


def case_name(case: OwnCase | SharedCase) -> str:
    return case.path.name


def make_records(count: int, seed: int, longest: int = 30, newline: bytes = b"\n") -> list[bytes]:
    """Four-line records as text, of lengths 0 to ``longest``, with qualities of all kinds."""
    chance = random.Random(seed)
    records = []
    for i in range(count):
        length = chance.randint(0, longest)
        name = f"read:{i} {chance.randint(0, 10**6)}".encode()
        sequence = bytes(chance.choices(b"ACGTacgtUuNn.@+", k=length))
        qualities = bytes(chance.choices(range(33, 127), k=length))
        again = name if chance.random() < 0.3 else b""
        lines = (b"@" + name, sequence, b"+" + again, qualities)
        records.append(b"".join(line + newline for line in lines))
    return records


def restore_control_c() -> None:
    """Let Ctrl-C act in a child as it does in a terminal, whatever this process does with it.

    A shell starts what it runs in the background with the signal ignored, and children inherit it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# --- gzip and BGZF, byte by byte -------------------------------------------------------------

END_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def raw_deflate(payload: bytes, level: int = 6) -> bytes:
    encoder = zlib.compressobj(level, wbits=-15)
    return encoder.compress(payload) + encoder.flush()


def gzip_member(
    payload: bytes,
    *,
    level: int = 6,
    method: int = 8,
    flags: int = 0,
    extra: bytes | None = None,
    name: bytes | None = None,
    comment: bytes | None = None,
    header_crc: int | bool = False,
    crc: int | None = None,
    size: int | None = None,
) -> bytes:
    """One member. None leaves a field out, or computes it; ``header_crc=True`` computes that."""
    flags |= (header_crc is not False) << 1 | (extra is not None) << 2
    flags |= (name is not None) << 3 | (comment is not None) << 4
    header = struct.pack("<2sBBIBB", b"\x1f\x8b", method, flags, 0, 0, 255)
    if extra is not None:
        header += struct.pack("<H", len(extra)) + extra
    header += b"".join(text + b"\0" for text in (name, comment) if text is not None)
    if header_crc is not False:
        right = zlib.crc32(header) & 0xFFFF
        header += struct.pack("<H", right if header_crc is True else header_crc)
    trailer = struct.pack(
        "<II",
        zlib.crc32(payload) if crc is None else crc,
        len(payload) & 0xFFFFFFFF if size is None else size,
    )
    return header + raw_deflate(payload, level) + trailer


def bgzf_block(payload: bytes, *, size_error: int = 0, other_fields: bytes = b"") -> bytes:
    """One BGZF block, whose BSIZE is wrong by ``size_error``."""
    fields = other_fields + b"BC\x02\x00\x00\x00"
    size = len(gzip_member(payload, extra=fields))
    fields = other_fields + struct.pack("<2sHH", b"BC", 2, size - 1 + size_error)
    return gzip_member(payload, extra=fields)


def bgzf(*payloads: bytes, end: bytes = END_BLOCK) -> bytes:
    return b"".join(map(bgzf_block, payloads)) + end


@dataclass(frozen=True)
class GzipCase:
    """Bytes, and either the payload they must give or the errors that may be raised."""

    name: str
    data: bytes
    payload: bytes | None
    errors: tuple[str, ...] = ()


def spoiled(data: bytes, at: int) -> bytes:
    """``data`` with one bit of byte ``at`` turned over."""
    out = bytearray(data)
    out[at] ^= 0x10
    return bytes(out)


def gzip_cases() -> list[GzipCase]:
    text = b"".join(make_records(6, seed=3))
    other = b"@last\nACGT\n+\nIIII\n"
    member = gzip_member(text)
    nothing = gzip_member(b"")
    bad = ("BadGzipError",)
    cut = ("TruncatedFileError",)
    either = bad + cut
    everything = {"extra": b"AB\x03\x00xyz", "name": b"reads.fastq", "comment": b"of\xff 6 reads"}
    good = {
        "plain text": (text, text),
        "plain empty": (b"", b""),
        "one member": (member, text),
        "stored blocks": (gzip_member(text, level=0), text),
        "empty member": (nothing, b""),
        "file name": (gzip_member(text, name=b"reads.fastq"), text),
        "empty file name": (gzip_member(text, name=b""), text),
        "comment": (gzip_member(text, comment=b"6 reads"), text),
        "extra field": (gzip_member(text, extra=b"AB\x03\x00xyz"), text),
        "empty extra field": (gzip_member(text, extra=b""), text),
        "extra field not in subfields": (gzip_member(text, extra=b"BC\x02"), text),
        "header checksum": (gzip_member(text, header_crc=True), text),
        "all header fields": (gzip_member(text, header_crc=True, **everything), text),
        "marked as text": (gzip_member(text, flags=1), text),
        "two members": (member + gzip_member(other), text + other),
        "a record over two members": (gzip_member(text[:50]) + gzip_member(text[50:]), text),
        "a member a byte": (b"".join(gzip_member(text[i : i + 1]) for i in range(120)), text[:120]),
        "empty members between": (
            nothing + member + nothing * 3 + gzip_member(other) + nothing,
            text + other,
        ),
        "zero padding": (member + bytes(1), text),
        "much zero padding": (member + bytes(70000), text),
        "bgzf": (bgzf(text[:70], text[70:]), text),
        "bgzf of no data": (END_BLOCK, b""),
        "bgzf without end block": (bgzf(text[:70], text[70:], end=b""), text),
        "bgzf with zero padding": (bgzf(text) + bytes(5), text),
        "bgzf subfield second": (bgzf_block(text, other_fields=b"AB\x01\x00x") + END_BLOCK, text),
        "data after an end block": (bgzf(text) + bgzf(other), text + other),
        "many end blocks": (END_BLOCK * 3 + bgzf(text) + END_BLOCK, text),
        "plain member after bgzf": (bgzf_block(text) + gzip_member(other), text + other),
        "bgzf after plain member": (member + bgzf(other), text + other),
    }
    wrong = {
        "method not deflate": (gzip_member(text, method=7), bad),
        "reserved flag 0x20": (gzip_member(text, flags=0x20), bad),
        "reserved flag 0x40": (gzip_member(text, flags=0x40), bad),
        "reserved flag 0x80": (gzip_member(text, flags=0x80), bad),
        "wrong header checksum": (gzip_member(text, header_crc=1), bad),
        "wrong checksum": (gzip_member(text, crc=zlib.crc32(text) ^ 1), bad),
        "wrong length": (gzip_member(text, size=len(text) + 1), bad),
        "wrong checksum of nothing": (gzip_member(b"", crc=1), bad),
        "wrong checksum, second member": (member + gzip_member(other, crc=7), bad),
        "wrong length, second member": (member + gzip_member(other, size=0), bad),
        "damaged deflate": (gzip_member(text)[:10] + b"\xff" + gzip_member(text)[11:], bad),
        "trailing text": (member + b"@r1\nACGT\n+\nIIII\n", bad),
        "trailing byte": (member + b"\x01", bad),
        "trailing bytes after zeros": (member + bytes(9) + b"x", bad),
        "a member after zeros": (member + bytes(9) + gzip_member(other), bad),
        "reserved flag, second member": (member + gzip_member(other, flags=0x80), bad),
        "bgzf size too small": (bgzf_block(text, size_error=-1) + END_BLOCK, bad),
        "bgzf size too large": (bgzf_block(text, size_error=1) + END_BLOCK, bad),
        "bgzf size much too small": (bgzf_block(text, size_error=-60) + END_BLOCK, either),
        "bgzf size past the end": (bgzf_block(text, size_error=5000), either),
        "bgzf wrong checksum": (spoiled(bgzf(text), len(bgzf_block(text)) - 8), bad),
        "bgzf wrong length": (spoiled(bgzf(text), len(bgzf_block(text)) - 4), bad),
        "cut after magic": (member[:2], cut),
        "cut in header": (member[:9], cut),
        "cut after header": (member[:10], cut),
        "cut in file name": (gzip_member(text, name=b"reads.fastq")[:15], cut),
        "cut in extra field": (gzip_member(text, extra=bytes(20))[:20], cut),
        "cut in deflate": (member[:40], cut),
        "cut before trailer": (member[:-8], cut),
        "cut in trailer": (member[:-1], cut),
        "cut in second member": (member + gzip_member(other)[:15], cut),
        "cut in second magic": (member + b"\x1f", either),
        "cut in bgzf block": (bgzf(text[:70], text[70:], end=b"")[:-3], cut),
        "cut in end block": (bgzf(text)[:-1], cut),
    }
    return [GzipCase(name, data, payload) for name, (data, payload) in good.items()] + [
        GzipCase(name, data, None, errors) for name, (data, errors) in wrong.items()
    ]


# --- file objects that hand over their bytes in pieces ----------------------------------------


class Pieces:
    """Hands ``data`` over in pieces of the sizes that ``sizes`` yields, then nothing.

    It has a ``fileno`` as many wrappers have, which must never be asked for.
    """

    def __init__(self, data: bytes, sizes: Iterator[int]) -> None:
        self.data = memoryview(data)
        self.sizes = sizes
        self.at = 0

    def fileno(self) -> int:
        raise AssertionError("a file object is read through readinto or read")

    def take(self, most: int) -> memoryview:
        size = min(next(self.sizes), most) if most > 0 else 0
        piece = self.data[self.at : self.at + size]
        self.at += len(piece)
        return piece


class ReadIntoPieces(Pieces):
    def readinto(self, buffer: bytearray | memoryview) -> int:
        target = memoryview(buffer).cast("B")
        piece = self.take(len(target))
        target[: len(piece)] = piece
        return len(piece)


class ReadPieces(Pieces):
    def read(self, size: int = -1) -> bytes:
        return bytes(self.take(len(self.data) if size is None or size < 0 else size))


def always(size: int) -> Callable[[], Iterator[int]]:
    def sizes() -> Iterator[int]:
        while True:
            yield size

    return sizes


def at_random(seed: int, largest: int) -> Callable[[], Iterator[int]]:
    def sizes() -> Iterator[int]:
        chance = random.Random(seed)
        while True:
            yield chance.randint(1, largest)

    return sizes
