#!/usr/bin/env python3
"""Make FASTQ of simulated runs, large enough for pictures: a flow cell, or a Nanopore run.

    python tools/make_runs.py flowcell run.fastq [--reads-per-tile 300] [--lanes 4] [--tiles 78]
    python tools/make_runs.py nanopore run.fastq [--reads 30000]

The flow cell is laid out as an S4 of a NovaSeq 6000: 6 swaths a lane, two surfaces. On it:

* *edges*: quality falls towards both long sides of each lane and towards its inlet and outlet;
* a *bubble*: a disc on surface 1 of lane 2, and a train of smaller ones behind it, in which the
  quality of half of the cycles collapses and clusters are missing;
* a tile out of focus, on surface 2 of lane 3;
* quality that falls a little with the lane, and from one end of it to the other.

The Nanopore run is one of a MinION: lognormal lengths, channels of different diligence, some of
them dead, a corner that an air bubble has killed, channels that give out over 48 hours, and a
second flush after 24.

Nothing in them is real; both are the same at every call, for one version of NumPy.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import uuid
from pathlib import Path

import numpy as np

BASES = np.frombuffer(b"ACGT", dtype=np.uint8)
QUALITY_BINS = np.array([2, 11, 25, 37])
READ_LENGTH = 60
BUBBLE_CYCLES = slice(15, 45)
TILE_WIDTH, TILE_HEIGHT = 31_800, 36_200
SWATHS = 6

# Lane, surface, centre (in tiles across and along), radius in tiles.
BUBBLES = (
    (2, 1, 2.9, 47.0, 3.1),
    (2, 1, 2.2, 53.4, 1.2),
    (2, 1, 1.8, 56.6, 0.8),
    (2, 1, 1.6, 58.9, 0.5),
    (4, 2, 4.6, 14.0, 1.6),
)
BLURRED = (3, 2, 4, 31)  # lane, surface, swath, number

NANOPORE_START = datetime.datetime(2026, 3, 2, 9, 30, tzinfo=datetime.UTC)
NANOPORE_HOURS = 48.0


def main(arguments: list[str]) -> int:
    """Write the run asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["flowcell", "nanopore"])
    parser.add_argument("output", type=Path)
    parser.add_argument("--reads-per-tile", type=int, default=300)
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--tiles", type=int, default=78, help="in a swath")
    parser.add_argument("--reads", type=int, default=30_000, help="of the Nanopore run")
    options = parser.parse_args(arguments)
    if options.kind == "flowcell":
        write_flow_cell(options.output, options.reads_per_tile, options.lanes, options.tiles)
    else:
        write_nanopore(options.output, options.reads)
    return 0


def write_flow_cell(output: Path, reads_per_tile: int, lanes: int = 4, tiles: int = 78) -> None:
    """Write the reads of a flow cell, tile by tile."""
    rng = np.random.default_rng(6)
    with output.open("wb") as file:
        for lane in range(1, lanes + 1):
            for surface in (1, 2):
                for swath in range(1, SWATHS + 1):
                    for number in range(1, tiles + 1):
                        place = (lane, surface, swath, number)
                        file.write(tile_text(rng, place, reads_per_tile, tiles))


def tile_text(
    rng: np.random.Generator, place: tuple[int, int, int, int], reads: int, tiles: int
) -> bytes:
    lane, surface, swath, number = place
    # In tiles from the lane's left side, and from its inlet.
    across = rng.random(reads)
    along = np.sort(rng.random(reads))
    u, v = swath - 1 + across, number - 1 + along
    depth = np.zeros(reads)
    for bubble_lane, bubble_surface, x, y, radius in BUBBLES:
        if (lane, surface) == (bubble_lane, bubble_surface):
            distance = np.hypot(u - x, v - y) / radius
            depth = np.maximum(depth, np.clip(1.7 * (1.0 - distance), 0.0, 1.0))
    is_kept = rng.random(reads) > 0.45 * depth
    u, v, across, along, depth = (each[is_kept] for each in (u, v, across, along, depth))
    reads = len(u)

    side = np.minimum(u, SWATHS - u)
    end = np.minimum(v, tiles - v)
    mean = 36.3 - 0.35 * lane - 0.8 * v / tiles + 0.25 * np.sin(v / tiles * 9.0)
    mean -= 4.5 * np.exp(-side / 0.28) + 2.8 * np.exp(-end / 1.6)
    # Optics: the corners of each tile are a little worse.
    mean -= 0.7 * ((2 * across - 1) ** 2 * (2 * along - 1) ** 2)
    if place == BLURRED:
        mean -= 7.0
    own = mean + 1.6 * rng.standard_normal(reads)
    scores = own[:, None] + 5.0 * rng.standard_normal((reads, READ_LENGTH))
    scores[:, BUBBLE_CYCLES] -= 30.0 * depth[:, None]
    binned = QUALITY_BINS[np.searchsorted((6.0, 18.0, 31.0), scores)]
    gc = np.where(rng.random(reads) < 0.55, 0.36, 0.61) + 0.05 * rng.standard_normal(reads)
    is_strong = rng.random((reads, READ_LENGTH)) < gc[:, None]
    letters = BASES[
        np.where(is_strong, 1, 0) + rng.integers(0, 2, is_strong.shape) * (3 - 2 * is_strong)
    ]
    tile = 1000 * surface + 100 * swath + number
    head = f"@A00666:6:HGVSMDSX2:{lane}:{tile}:"
    xs = 1000 + (across * TILE_WIDTH).astype(int)
    ys = 1000 + (along * TILE_HEIGHT).astype(int)
    return records(
        (f"{head}{x}:{y} 1:N:0:ACTGATCG+TTGCCAGA" for x, y in zip(xs, ys, strict=True)),
        (row.tobytes() for row in letters),
        (row.tobytes() for row in (binned + 33).astype(np.uint8)),
    )


def records(names, sequences, qualities) -> bytes:
    """Return FASTQ text."""
    return b"".join(
        b"%s\n%s\n+\n%s\n" % (name.encode(), sequence, quality)
        for name, sequence, quality in zip(names, sequences, qualities, strict=True)
    )


def write_nanopore(output: Path, reads: int) -> None:
    """Write the reads of a Nanopore run, in the order of their time."""
    rng = np.random.default_rng(7)
    diligence = rng.gamma(2.5, 1.0, 512) * (rng.random(512) > 0.06)
    row, column = np.array([minion_place(channel) for channel in range(1, 513)]).T
    diligence *= 1.0 - 0.97 / (1.0 + np.exp((np.hypot(row - 13.5, column - 27.0) - 4.0) / 0.7))
    channel = rng.choice(512, reads, p=diligence / diligence.sum()) + 1
    hours = np.where(
        rng.random(reads) < 0.62, rng.exponential(11.0, reads), 24 + rng.exponential(9.0, reads)
    )
    hours = np.sort(hours % NANOPORE_HOURS)
    # Short fragments beside the library's own.
    length = np.where(
        rng.random(reads) < 0.2, rng.lognormal(6.4, 0.6, reads), rng.lognormal(7.9, 0.8, reads)
    )
    length = np.clip(length, 120, 90_000).astype(int)
    quality = np.clip(
        21.0 - 0.05 * hours - 1.5 * (length < 900), 5, 40
    ) + 2.2 * rng.standard_normal(reads)
    quality -= 9.0 * (rng.random(reads) < 0.09)
    gc = 0.5 + 0.06 * rng.standard_normal(reads)
    with output.open("wb") as file:
        for i in range(reads):
            time = NANOPORE_START + datetime.timedelta(hours=float(hours[i]))
            name = uuid.UUID(bytes=rng.bytes(16), version=4)
            size = int(length[i])
            strong = rng.random(size) < gc[i]
            letters = BASES[np.where(strong, 1, 0) + rng.integers(0, 2, size) * (3 - 2 * strong)]
            scores = np.clip(quality[i] + 4.0 * rng.standard_normal(size), 1, 50).astype(np.uint8)
            file.write(
                b"@%s runid=5f1c ch=%d start_time=%s flow_cell_id=FAX00042\n%s\n+\n%s\n"
                % (
                    str(name).encode(),
                    channel[i],
                    time.strftime("%Y-%m-%dT%H:%M:%SZ").encode(),
                    letters.tobytes(),
                    (scores + 33).tobytes(),
                )
            )


def minion_place(channel: int) -> tuple[int, int]:
    """Return the row and the column of a MinION's channel."""
    block, rest = divmod(channel - 1, 64)
    part = 8 - block if block else 0
    if rest < 32:
        return 15 - rest % 8, 4 * part + rest // 8
    return (rest - 32) % 8, 4 * part + (rest - 32) // 8


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
