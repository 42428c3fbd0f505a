#!/usr/bin/env python3
"""Make the FASTQ sample that ships with the package: a small simulated flow cell.

    python tools/make_sample.py [OUTPUT]

What is in it, and why:

* Casava 1.8 names over 2 lanes, 2 surfaces and 4 tiles each of a made-up instrument laid out as
  a NovaSeq 6000 is (x and y are tenths of a pixel plus 1000, a tile every 36282 units along y).
* A *bubble*: a disc on the upper surface of lane 1, centred near the seam of tiles 1102 and 1103,
  in which the quality of cycles 20 to 59 collapses and some bases are not called.
* Two genomes of different composition (34 % and 63 % GC, different strand skews), each with
  regions that drift around its mean, so that the composition layout shows two clouds.
* Short inserts that run into the adapter, and dark clusters that read as poly-G: what a
  two-colour instrument gives.
* A few clusters without a single called base: reads that have no place by composition.
* Qualities in the four bins of a NovaSeq (2, 11, 25, 37), declining along the read.

The text is the same on every machine and with every NumPy: all draws are uniform doubles of the
legacy `RandomState`, whose stream is frozen, and what is made of them uses only arithmetic that
IEEE 754 rounds exactly (no sin, exp or log). The gzip wrapper holds no time and no file name; its
compressed bytes may differ between zlib versions, its content does not.
"""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import numpy as np

SEED = 20200101
READ_LENGTH = 75
READS_PER_TILE = 440
LANES = (1, 2)
SURFACES = (1, 2)
TILE_NUMBERS = (1, 2, 3, 4)
GENOME_LENGTH = 40_000
# Extent of a tile and distance between tiles in the units of the names (layouts of a NovaSeq 6000).
X_RANGE = (1000, 32_800)
Y_RANGE = (1000, 37_200)
TILE_PITCH = 36_282
# The bubble: centre in x and in y + TILE_PITCH * number, radius, first and one-past-last cycle.
BUBBLE_LANE, BUBBLE_SURFACE = 1, 1
BUBBLE_X, BUBBLE_Y, BUBBLE_RADIUS = 18_000.0, 107_000.0, 15_000.0
BUBBLE_CYCLES = (20, 60)

BASES = np.frombuffer(b"ACGT", dtype=np.uint8)
COMPLEMENT = np.zeros(256, dtype=np.uint8)
COMPLEMENT[BASES] = BASES[::-1]
ADAPTER = np.frombuffer(b"AGATCGGAAGAGCACACGTCTGAACTCCAGTCA", dtype=np.uint8)
INDEX = "ACTGATCG+TTGCCAGA"
QUALITY_BINS = (2, 11, 25, 37)
QUALITY_CEILINGS = (6.0, 18.0, 31.0)

DEFAULT_OUTPUT = (
    Path(__file__).resolve().parent.parent / "genomevedic" / "data" / "flowcell_sample.fastq.gz"
)


def noise(rng: np.random.RandomState, shape: tuple[int, ...]) -> np.ndarray:
    """Return bell-shaped noise of mean 0 and variance 1: a sum of uniforms, so no log is taken."""
    total = rng.random_sample((4, *shape)).sum(axis=0)
    return (total - 2.0) * np.sqrt(3.0)


def make_genome(
    rng: np.random.RandomState, gc: float, at_skew: float, gc_skew: float
) -> np.ndarray:
    """Return GENOME_LENGTH bases whose GC content drifts around `gc` in regions of 800 bases.

    The skews are those of one strand: at_skew = (A-T)/(A+T), gc_skew = (G-C)/(G+C).
    """
    regions = noise(rng, (GENOME_LENGTH // 800,)) * 0.05 + gc
    local = np.clip(np.repeat(regions, 800), 0.12, 0.88)
    strong = rng.random_sample(GENOME_LENGTH) < local
    first = rng.random_sample(GENOME_LENGTH)
    strong_base = np.where(first < (1 + gc_skew) / 2, BASES[2], BASES[1])
    weak_base = np.where(first < (1 + at_skew) / 2, BASES[0], BASES[3])
    return np.where(strong, strong_base, weak_base)


def draw_sequence(rng: np.random.RandomState, genomes: list[np.ndarray]) -> np.ndarray:
    """Return one read: from either genome and strand, an insert cut by the adapter, or poly-G."""
    which, strand, start, kind, insert = rng.random_sample(5)
    genome = genomes[0 if which < 0.55 else 1]
    at = int(start * (GENOME_LENGTH - READ_LENGTH))
    read = genome[at : at + READ_LENGTH].copy()
    if strand < 0.5:
        read = COMPLEMENT[read[::-1]]
    if kind < 0.02:
        read[:] = BASES[2]
    elif kind < 0.07:
        cut = 25 + int(insert * (READ_LENGTH - 30))
        tail = ADAPTER[: READ_LENGTH - cut]
        read[cut : cut + len(tail)] = tail
        read[cut + len(tail) :] = BASES[2]
    return read


def draw_qualities(rng: np.random.RandomState, depth: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Return binned Phred scores, one row a read.

    `depth` is 0 outside the bubble and rises to 1 at its centre; `edge` is 0 in the middle of a
    tile and 1 at its rim, where the optics are a little worse.
    """
    reads = len(depth)
    cycle = np.arange(READ_LENGTH) / READ_LENGTH
    start = (1 - cycle) * (1 - cycle)
    curve = 40.5 - 5.0 * cycle * cycle - 3.0 * start * start
    own = noise(rng, (reads, 1))
    own = own - (own < -1.2) * 4.0
    mean = curve + 1.8 * own - 2.5 * edge[:, np.newaxis] * cycle
    in_bubble = np.zeros(READ_LENGTH)
    in_bubble[BUBBLE_CYCLES[0] : BUBBLE_CYCLES[1]] = 1.0
    mean = mean - 34.0 * depth[:, np.newaxis] * in_bubble
    raw = mean + 4.0 * noise(rng, (reads, READ_LENGTH))
    return np.array(QUALITY_BINS)[np.searchsorted(QUALITY_CEILINGS, raw)]


def tile_records(
    rng: np.random.RandomState, genomes: list[np.ndarray], lane: int, surface: int, number: int
) -> list[str]:
    """Return the records of one tile, ordered by y as instruments write them."""
    x = X_RANGE[0] + np.floor(rng.random_sample(READS_PER_TILE) * (X_RANGE[1] - X_RANGE[0]))
    y = Y_RANGE[0] + np.floor(rng.random_sample(READS_PER_TILE) * (Y_RANGE[1] - Y_RANGE[0]))
    order = np.lexsort((x, y))
    x, y = x[order], y[order]

    dx, dy = x - BUBBLE_X, y + TILE_PITCH * number - BUBBLE_Y
    distance = np.sqrt(dx * dx + dy * dy)
    depth = np.clip(1.4 * (1 - distance / BUBBLE_RADIUS), 0.0, 1.0)
    if (lane, surface) != (BUBBLE_LANE, BUBBLE_SURFACE):
        depth[:] = 0.0
    middle = (X_RANGE[0] + X_RANGE[1]) / 2
    offset = 2 * (x - middle) / (X_RANGE[1] - X_RANGE[0])
    edge = offset * offset

    qualities = draw_qualities(rng, depth, edge)
    uncalled = (qualities == QUALITY_BINS[0]) & (rng.random_sample(qualities.shape) < 0.35)
    lost = rng.random_sample(READS_PER_TILE) < 0.001
    uncalled[lost] = True
    qualities[lost] = QUALITY_BINS[0]
    errors = (
        rng.random_sample(qualities.shape)
        < np.array([0.5, 0.08, 0.003, 0.0002])[np.searchsorted(QUALITY_BINS, qualities)]
    )
    substitutes = BASES[np.floor(rng.random_sample(qualities.shape) * 4).astype(np.intp)]

    tile = 1000 * surface + 100 + number
    records = []
    for i in range(READS_PER_TILE):
        read = draw_sequence(rng, genomes)
        read = np.where(errors[i], substitutes[i], read)
        read[uncalled[i]] = ord("N")
        records.append(
            f"@SIM001:1:HGVSIMDSX1:{lane}:{tile}:{int(x[i])}:{int(y[i])} 1:N:0:{INDEX}\n"
            f"{read.astype(np.uint8).tobytes().decode('ascii')}\n+\n"
            f"{(qualities[i] + 33).astype(np.uint8).tobytes().decode('ascii')}\n"
        )
    return records


def sample_text() -> bytes:
    """Return the whole sample as FASTQ text."""
    rng = np.random.RandomState(SEED)
    genomes = [make_genome(rng, 0.34, 0.22, 0.22), make_genome(rng, 0.63, 0.15, -0.25)]
    records: list[str] = []
    for lane in LANES:
        for surface in SURFACES:
            for number in TILE_NUMBERS:
                records += tile_records(rng, genomes, lane, surface, number)
    return "".join(records).encode("ascii")


def main(arguments: list[str]) -> int:
    """Write the sample to the path given, by default into the package."""
    output = Path(arguments[0]) if arguments else DEFAULT_OUTPUT
    text = sample_text()
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as stream:
        stream.write(text)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(packed.getvalue())
    print(f"{output}: {text.count(b'@SIM')} reads, {len(packed.getvalue())} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
