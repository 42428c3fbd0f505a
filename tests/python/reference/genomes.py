"""Six simulated genomes, and how well the reads of each can be told by where they stand.

A genome is made of segments of `SEGMENT` bases. A segment's bases follow a Markov chain of order 5
whose log probabilities are the sum of

- the genome's: its GC content, its own excess of A over T and of C over G on the strand that its
  genes lie on, and a signature, which is noise for every context of one to five bases;
- the segment's: it is richer or poorer in GC, leans to one strand, and follows a few fashions that
  all six genomes know (as coding and repeated stretches do).

Each segment lies on the one or the other strand. Reads are drawn from anywhere in the genome and
from both strands, without errors.

The strength of each part was chosen such that the accuracies come near those measured on six true
genomes (layouts.md, section 4); nothing else depends on it. Run as a program this prints the table:
``cd tests/python && python -m reference.genomes``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
Points = NDArray[np.float64]
Layout = Callable[[Codes], Points]

LETTERS = np.frombuffer(b"ACGT", np.uint8)
VERTICES = np.array([[1, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]], float)
CONTEXTS = 4**5

# GC content, and the log odds of A over T and of C over G, halved.
GENOMES = (
    (0.371, -0.062, -0.110),
    (0.407, -0.015, 0.031),
    (0.433, 0.031, 0.046),
    (0.460, 0.095, -0.031),
    (0.494, 0.046, -0.015),
    (0.530, 0.077, 0.141),
)
GENOME_BASES = 2_000_000
SEGMENT = 7_500
SIGNATURE = 0.163
SEGMENT_GC = 0.019
SEGMENT_SKEW = 0.18
SEGMENT_FASHION = 0.182
FASHIONS = 8

LENGTHS = (150, 1_000, 15_000)
NEIGHBOURS = 15
READS_PER_GENOME = 500
# Measured on true genomes: GC alone, composition, tetranucleotides; the chaos game gave 20 to 22.
PUBLISHED = {150: (35, 38, 56), 1_000: (52, 56, 80), 15_000: (75, 84, 97)}


@dataclass(frozen=True)
class Sample:
    """Reads as codes (A 0, C 1, G 2, T 3), one a row, and the number of the genome of each."""

    reads: Codes
    genomes: NDArray[np.int64]

    def sequences(self) -> list[bytes]:
        return [row.tobytes() for row in LETTERS[self.reads]]

    def fastq(self) -> bytes:
        """The reads as a FASTQ text, in their order."""
        quality = b"I" * self.reads.shape[1]
        return b"".join(
            b"@%d\n%s\n+\n%s\n" % (i, sequence, quality)
            for i, sequence in enumerate(self.sequences())
        )


def probabilities(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def stationary_gc(logs: NDArray[np.float64]) -> float:
    """The GC content of a long sequence of the chain."""
    p = probabilities(logs)
    following = (np.arange(CONTEXTS)[:, None] * 4 + np.arange(4)) % CONTEXTS
    share = np.full(CONTEXTS, 1 / CONTEXTS)
    for _ in range(60):
        share = np.bincount(following.ravel(), (share[:, None] * p).ravel(), CONTEXTS)
    return float((share[:, None] * p)[:, 1:3].sum())


def genome_logs(
    gc: float, at_skew: float, cg_skew: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Log probabilities (up to a constant a context) of the next base in each context."""
    logs = np.tile([at_skew, cg_skew, -cg_skew, -at_skew], (CONTEXTS, 1))
    for order in range(1, 6):
        noise = rng.standard_normal((4**order, 4))
        logs += SIGNATURE * noise[np.arange(CONTEXTS) % 4**order]
    strong = np.array([0.0, 1.0, 1.0, 0.0])
    for _ in range(12):
        found = stationary_gc(logs)
        logs += strong * (np.log(gc / (1 - gc)) - np.log(found / (1 - found)))
    return logs


def segment_logs(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """What each of ``count`` segments adds to the log probabilities of its genome."""
    richer = SEGMENT_GC * rng.standard_normal(count)
    lean = SEGMENT_SKEW * rng.standard_normal((count, 2))
    bases = np.stack([lean[:, 0], richer + lean[:, 1], richer - lean[:, 1], -lean[:, 0]], axis=1)
    # The same ones for every genome.
    fashions = np.random.default_rng(1).standard_normal((FASHIONS, 4**3, 4))
    follows = SEGMENT_FASHION * rng.standard_normal((count, FASHIONS))
    added = np.tensordot(follows, fashions[:, np.arange(CONTEXTS) % 4**3], 1)
    return added + bases[:, None, :]


def make_genome(gc: float, at_skew: float, cg_skew: float, seed: int) -> Codes:
    """The bases of one genome; its segments are grown side by side, a base of each at a time."""
    rng = np.random.default_rng(seed)
    count = GENOME_BASES // SEGMENT
    logs = genome_logs(gc, at_skew, cg_skew, rng) + segment_logs(count, rng)
    bounds = probabilities(logs).cumsum(axis=-1)[..., :3].astype(np.float32)
    segment = np.arange(count)
    context = rng.integers(0, CONTEXTS, count)
    grown = np.empty((SEGMENT, count), np.uint8)
    for i in range(SEGMENT):
        drawn = rng.random(count, dtype=np.float32)
        base = (drawn[:, None] > bounds[segment, context]).sum(axis=1)
        grown[i] = base
        context = (context * 4 + base) % CONTEXTS
    segments = grown.T.copy()
    other_strand = rng.random(count) < 0.5
    segments[other_strand] = 3 - segments[other_strand, ::-1]
    return segments.ravel()


def make_genomes(seed: int = 1) -> list[Codes]:
    return [make_genome(*genome, 100 * seed + i) for i, genome in enumerate(GENOMES)]


def draw(genomes: list[Codes], length: int, seed: int = 1) -> Sample:
    """`READS_PER_GENOME` reads of each genome, shuffled."""
    rng = np.random.default_rng((seed, length))
    rows = []
    for genome in genomes:
        starts = rng.integers(0, len(genome) - length + 1, READS_PER_GENOME)
        rows.append(genome[starts[:, None] + np.arange(length)])
    reads = np.concatenate(rows)
    other_strand = rng.random(len(reads)) < 0.5
    reads[other_strand] = 3 - reads[other_strand, ::-1]
    order = rng.permutation(len(reads))
    return Sample(reads[order], np.repeat(np.arange(len(genomes)), READS_PER_GENOME)[order])


def shares(reads: Codes) -> Points:
    """The share of each base in each read."""
    return np.stack([(reads == base).mean(axis=1) for base in range(4)], axis=1)


def gc_layout(reads: Codes) -> Points:
    """GC alone, on a line."""
    return shares(reads)[:, 1:3].sum(axis=1, keepdims=True)


def composition_layout(reads: Codes) -> Points:
    points = shares(reads) @ VERTICES
    turned = (points[:, 0] < 0) | ((points[:, 0] == 0) & (points[:, 1] < 0))
    points[turned, :2] *= -1
    return points


def four_mer_shares(reads: Codes) -> Points:
    """The share of each of the 256 4-mers in each read."""
    wide = reads.astype(np.int64)
    mers = ((wide[:, :-3] * 4 + wide[:, 1:-2]) * 4 + wide[:, 2:-1]) * 4 + wide[:, 3:]
    row = np.arange(len(reads))[:, None]
    counts = np.bincount((row * 256 + mers).ravel(), minlength=256 * len(reads))
    return counts.reshape(-1, 256) / mers.shape[1]


def reverse_complements() -> NDArray[np.int64]:
    mers = np.arange(256)
    return sum((3 - mers // 4**i % 4) * 4 ** (3 - i) for i in range(4))


def fit_tetranucleotides(reads: Codes) -> tuple[Points, Points]:
    """(W of shape (256, 3), b of shape (3,)): the three principal axes of both strands' 4-mers."""
    found = four_mer_shares(reads)
    both = (found + found[:, reverse_complements()]) / 2
    mean = both.mean(axis=0)
    _, axes = np.linalg.eigh((both - mean).T @ (both - mean))
    weights = axes[:, :-4:-1]
    return weights, mean @ weights


def tetranucleotide_layout(reads: Codes) -> Points:
    weights, b = fit_tetranucleotides(reads)
    return four_mer_shares(reads) @ weights - b


def chaos_layout(reads: Codes) -> Points:
    """The end of the chaos game's walk; of steps further back than 60 a double holds nothing."""
    points = np.zeros((len(reads), 3))
    for i in range(max(0, reads.shape[1] - 60), reads.shape[1]):
        points = (points + VERTICES[reads[:, i]]) / 2
    return points


LAYOUTS: dict[str, Layout] = {
    "GC alone": gc_layout,
    "composition": composition_layout,
    "tetranucleotides": tetranucleotide_layout,
    "chaos game": chaos_layout,
}


def accuracy(points: Points, labels: NDArray[np.int64]) -> float:
    """Percent of reads whose genome is the commonest among their nearest neighbours.

    Points that coincide (short reads have few values of GC) are told apart by a shift too small to
    change any other order.
    """
    rng = np.random.default_rng(1)
    spread = np.ptp(points, axis=0).max()
    points = points + 1e-7 * spread * rng.random(points.shape)
    kinds = int(labels.max()) + 1
    right = 0
    for i in range(0, len(points), 500):
        apart = ((points[i : i + 500, None, :] - points[None]) ** 2).sum(axis=2)
        apart[np.arange(len(apart)), np.arange(i, i + len(apart))] = np.inf
        near = labels[np.argpartition(apart, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]]
        votes = np.stack([(near == kind).sum(axis=1) for kind in range(kinds)], axis=1)
        right += int((votes.argmax(axis=1) == labels[i : i + 500]).sum())
    return 100 * right / len(points)


def table(layouts: dict[str, Layout], seed: int = 1) -> dict[int, dict[str, float]]:
    """The accuracy of every layout for every length of read."""
    genomes = make_genomes(seed)
    found: dict[int, dict[str, float]] = {}
    for length in LENGTHS:
        sample = draw(genomes, length, seed)
        found[length] = {
            name: accuracy(layout(sample.reads), sample.genomes) for name, layout in layouts.items()
        }
    return found


def main() -> None:
    found = table(LAYOUTS)
    print("bases " + "".join(f"{name:>24}" for name in LAYOUTS))
    for length, row in found.items():
        published = [*PUBLISHED[length], "20-22"]
        cells = [f"{row[name]:.1f} ({seen})" for name, seen in zip(row, published, strict=True)]
        print(f"{length:>6}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
