"""Makes the files that the benchmarks read, once, and says what each reader must find in them.

    python data.py FOLDER SCALE        makes what is missing, prints a JSON list of datasets

Every file is the same on every machine (the random numbers of a chunk hang on the file's seed and
the chunk's number, so that a shorter file is the beginning of a longer one). The totals beside each
file are added up while it is made, from the numbers and not from the text.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Chunk = tuple[bytes, "Totals"]

# The kinds of file at scale 1: number of reads.
READS = {"illumina": 4_000_000, "illumina-unbinned": 2_800_000, "nanopore": 62_000}
SEEDS = {"illumina": 1, "illumina-unbinned": 2, "nanopore": 3}
# To be raised where the code below makes other files than before.
RECIPE = 1
# Slow contenders read the first tenth, a file of its own.
SAMPLE = 10

READ_LENGTH = 150
ILLUMINA_CHUNK = 40_000
NANOPORE_CHUNK = 500
READS_WITH_N = 500  # one read in so many has a base that was not called


@dataclass
class Totals:
    """What a reader must find. `gc` is of all bases, `gc_known` of those that were called."""

    text: int = 0
    reads: int = 0
    bases: int = 0
    quality: float = 0.0
    gc: float = 0.0
    gc_known: float = 0.0

    def add(self, other: Totals) -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


# ------------------------------------------------------------------------------------------------
# Illumina: 150 bases, Casava 1.8 names
# ------------------------------------------------------------------------------------------------

# '#', ',', ':' and 'F' (Q2, Q11, Q25, Q37) are the four bins of a NovaSeq; the shares are those of
# a good run. A score stays what it was from one base to the next in two cases of three.
BINS = {b"#": 4, b",": 14, b":": 30, b"F": 208}
STAYS = 0.66


def binned_scores() -> Bytes:
    """A table from random bytes to scores."""
    table = np.concatenate([np.full(share, ord(sign)) for sign, share in BINS.items()])
    return table.astype(np.uint8)


def unbinned_scores() -> Bytes:
    """As a HiSeq 2000 writes them: up to Q41, most of them high."""
    ranks = np.linspace(0, 1, 256) ** 0.35
    return (33 + 2 + np.round(39 * ranks)).astype(np.uint8)


def illumina(reads: int, seed: int, scores: Bytes) -> Iterator[Chunk]:
    for number, first in enumerate(range(0, reads, ILLUMINA_CHUNK)):
        rng = np.random.Generator(np.random.SFC64([seed, number]))
        # A chunk is drawn whole even where only its first reads are wanted.
        yield illumina_chunk(rng, number, min(ILLUMINA_CHUNK, reads - first), scores)


def illumina_chunk(rng: np.random.Generator, number: int, wanted: int, scores: Bytes) -> Chunk:
    n = ILLUMINA_CHUNK
    bases = random_bases(rng, n * READ_LENGTH).reshape(n, READ_LENGTH)
    qualities = markov_scores(rng, n, scores)
    rows = rng.integers(0, n, n // READS_WITH_N)
    places = rng.integers(0, READ_LENGTH, n // READS_WITH_N)
    bases[rows, places], qualities[rows, places] = ord("N"), ord("#")

    # Clusters come sorted by their second coordinate, a tile after the other.
    x = rng.integers(1000, 32768, n)
    y = 1000 + np.arange(n) * 36000 // n
    ends = np.full((n, 1), ord("\n"), np.uint8)
    fields = [
        fixed(n, b"@A00253:427:HFCM2DSX2:%d:%d:" % (1 + number // 78 % 4, 1101 + number % 78)),
        digits(x),
        fixed(n, b":"),
        digits(y),
        fixed(n, b" 1:N:0:ATTACTCG+AGGCTATA\n"),
        bases,
        fixed(n, b"\n+\n"),
        qualities,
        ends,
    ]
    block = np.concatenate(fields, axis=1)[:wanted]
    # Zero bytes pad the numbers of fewer digits.
    text = block[block != 0].tobytes()
    bases, qualities = bases[:wanted], qualities[:wanted]
    lengths = np.full(wanted, READ_LENGTH)
    gc = ((bases == ord("G")) | (bases == ord("C"))).sum(axis=1)
    unknown = (bases == ord("N")).sum(axis=1)
    return text, totals(text, lengths, gc, unknown, int(qualities.sum(dtype=np.int64)))


def random_bases(rng: np.random.Generator, count: int) -> Bytes:
    """Four bases from each random byte."""
    numbers = np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3
    fours = np.ascontiguousarray(np.frombuffer(b"ACGT", np.uint8)[numbers]).view(np.uint32)[:, 0]
    drawn = np.frombuffer(rng.bytes(-(-count // 4)), np.uint8)
    return fours[drawn].view(np.uint8)[:count]


def markov_scores(rng: np.random.Generator, n: int, scores: Bytes) -> Bytes:
    drawn = scores[np.frombuffer(rng.bytes(READ_LENGTH * n), np.uint8)].reshape(READ_LENGTH, n)
    stays = np.frombuffer(rng.bytes(READ_LENGTH * n), np.uint8).reshape(READ_LENGTH, n)
    for cycle in range(1, READ_LENGTH):
        np.copyto(drawn[cycle], drawn[cycle - 1], where=stays[cycle] < int(256 * STAYS))
    return np.ascontiguousarray(drawn.T)


def fixed(n: int, text: bytes) -> Bytes:
    return np.broadcast_to(np.frombuffer(text, np.uint8), (n, len(text)))


def digits(numbers: NDArray[np.int64]) -> Bytes:
    """The decimal digits of numbers below 100,000, with zero bytes before the first."""
    powers = 10 ** np.arange(4, -1, -1)
    return np.where(numbers[:, None] >= powers, 48 + numbers[:, None] // powers % 10, 0).astype(
        "u1"
    )


# ------------------------------------------------------------------------------------------------
# Nanopore: lengths from a lognormal distribution (mean 8 kb), a quality of its own for each read
# ------------------------------------------------------------------------------------------------


def nanopore(reads: int, seed: int) -> Iterator[Chunk]:
    for number, first in enumerate(range(0, reads, NANOPORE_CHUNK)):
        rng = np.random.Generator(np.random.SFC64([seed, number]))
        yield nanopore_chunk(rng, number, min(NANOPORE_CHUNK, reads - first))


def nanopore_chunk(rng: np.random.Generator, number: int, wanted: int) -> Chunk:
    n = NANOPORE_CHUNK
    lengths = np.clip(rng.lognormal(8.55, 0.95, n), 200, 200_000).astype(np.int64)
    total = int(lengths.sum())
    bases = random_bases(rng, total)
    noise = np.round(np.clip(rng.normal(0, 7, 4096), -18, 18)).astype(np.int16)
    picks = np.frombuffer(rng.bytes(2 * total), np.uint16) & 4095
    middles = np.clip(rng.normal(21, 3, n), 8, 30).astype(np.int16)
    scores = np.clip(np.repeat(middles, lengths) + noise[picks], 1, 50)
    qualities = (scores + 33).astype(np.uint8)

    ends = np.cumsum(lengths)
    starts = ends - lengths
    ids, channels = rng.bytes(16 * n).hex(), rng.integers(1, 2675, n)
    parts: list[bytes] = []
    for row in range(wanted):
        hexa = ids[32 * row : 32 * row + 32]
        serial = number * NANOPORE_CHUNK + row
        parts.append(
            b"@%s-%s-%s-%s-%s runid=7a1c2b3d4e5f60718293a4b5c6d7e8f901234567 read=%d ch=%d "
            b"start_time=2024-05-%02dT%02d:%02d:%02d.123456+00:00 flow_cell_id=PAW12345 "
            b"basecall_gpu=NVIDIA_A100 sample_id=NA12878\n"
            % (
                *(hexa[a:b].encode() for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))),
                serial,
                channels[row],
                *(1 + serial // 86400 % 28, serial // 3600 % 24, serial // 60 % 60, serial % 60),
            )
        )
        where = slice(starts[row], ends[row])
        parts += (bases[where].tobytes(), b"\n+\n", qualities[where].tobytes(), b"\n")
    text = b"".join(parts)
    is_gc = (bases == ord("G")) | (bases == ord("C"))
    gc = np.add.reduceat(is_gc, starts, dtype=np.int64)[:wanted]
    sum_of_bytes = int(qualities[: ends[wanted - 1]].sum(dtype=np.int64))
    return text, totals(text, lengths[:wanted], gc, np.zeros(wanted, np.int64), sum_of_bytes)


def totals(
    text: bytes,
    lengths: NDArray[np.int64],
    gc: NDArray[np.int64],
    unknown: NDArray[np.int64],
    sum_of_bytes: int,
) -> Totals:
    bases = int(lengths.sum())
    known = float((gc / (lengths - unknown) * lengths).sum())
    quality = float(sum_of_bytes - 33 * bases)
    return Totals(len(text), len(lengths), bases, quality, float(gc.sum()), known)


# ------------------------------------------------------------------------------------------------
# Files
# ------------------------------------------------------------------------------------------------


def write(path: Path, chunks: Callable[[], Iterator[Chunk]]) -> Totals:
    """Write a plain file and its totals, where they are not there yet."""
    facts = path.with_suffix(".json")
    if not (path.exists() and facts.exists()):
        said(path)
        found = Totals()
        part = path.with_suffix(".part")
        with part.open("wb") as out:
            for text, of_chunk in chunks():
                out.write(text)
                found.add(of_chunk)
        part.replace(path)
        facts.write_text(json.dumps(asdict(found)))
    return Totals(**json.loads(facts.read_text()))


def compress(plain: Path, form: str) -> Path | None:
    """Write a gzip file of one member, or BGZF, beside a plain file; None without the means."""
    path = plain.with_name(f"{plain.name}.{'gz' if form == 'gzip' else 'bgz'}")
    if path.exists():
        return path
    if form == "bgzf":
        if shutil.which("bgzip") is None:
            return None
        command = ["bgzip", "-@2", "-c", plain]
    elif shutil.which("pigz"):
        command = ["pigz", "-6", "-p2", "-n", "-c", plain]
    else:
        command = []
    said(path)
    part = path.with_suffix(".part")
    with part.open("wb") as out:
        if command:
            subprocess.run(command, stdout=out, check=True)
        else:
            gzip_alone(plain, out)
    part.replace(path)
    return path


def gzip_alone(plain: Path, out) -> None:
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    with plain.open("rb") as text:
        while chunk := text.read(1 << 20):
            out.write(deflate.compress(chunk))
    out.write(deflate.flush())


def said(path: Path) -> None:
    print(f"making {path}", file=sys.stderr, flush=True)


def dataset(folder: Path, kind: str, reads: int, forms: tuple[str, ...]) -> list[dict]:
    """Make the files of one kind and length; return what there is, a row a form."""

    def chunks() -> Iterator[Chunk]:
        if kind == "nanopore":
            return nanopore(reads, SEEDS[kind])
        scores = unbinned_scores() if kind.endswith("unbinned") else binned_scores()
        return illumina(reads, SEEDS[kind], scores)

    plain = folder / f"{kind}-{reads}-recipe{RECIPE}.fastq"
    expected = asdict(write(plain, chunks))
    rows = []
    for form in forms:
        path = plain if form == "plain" else compress(plain, form)
        if path is not None:
            size = path.stat().st_size
            rows.append({"kind": kind, "form": form, "path": str(path), "size": size} | expected)
    return rows


def sparse(folder: Path, start: Path, size: int) -> dict:
    """A file of a size to be opened only: some reads, and then a hole."""
    path = folder / "sparse.fastq"
    if not path.exists() or path.stat().st_size != size:
        with start.open("rb") as text, path.open("wb") as out:
            out.write(text.read(64 << 20))
            out.truncate(size)
    return {"kind": "sparse", "form": "plain", "path": str(path), "size": size} | {"text": size}


def make(folder: Path, scale: float) -> list[dict]:
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind, at_scale_1 in READS.items():
        sample = max(1, round(at_scale_1 * scale / SAMPLE))
        for reads, name in ((sample * SAMPLE, "whole"), (sample, "sample")):
            made = dataset(folder, kind, reads, ("plain", "gzip", "bgzf"))
            rows += [row | {"part": name} for row in made]
    for reads, name in ((2_724, "1 MB"), (3, "1 kB")):
        rows += [row | {"part": name} for row in dataset(folder, "illumina", reads, ("plain",))]
    rows.append(sparse(folder, Path(rows[0]["path"]), 10**10) | {"part": "10 GB"})
    return rows


if __name__ == "__main__":
    print(json.dumps(make(Path(sys.argv[1]), float(sys.argv[2]))))
