"""Simulated runs for the notebooks: small, seeded, and made of nothing but chance."""

from __future__ import annotations

import numpy as np

BASES = np.frombuffer(b"ACGT", dtype=np.uint8)


def nanopore_run(reads: int = 6_000, seed: int = 1) -> bytes:
    """Return FASTQ of a MinION run of 24 hours, of about so many reads.

    Pores die as time goes by, a stretch of channels is blocked from the start, and quality sinks a
    little towards the end.
    """
    chance = np.random.default_rng(seed)
    channels = np.setdiff1d(np.arange(1, 513), np.arange(200, 232))
    dies = chance.exponential(16, 513)  # hours
    records = []
    hours = np.sort(chance.uniform(0, 24, 2 * reads))
    picked = chance.choice(channels, len(hours))
    alive = hours < dies[picked]
    for number, (hour, channel) in enumerate(zip(hours[alive], picked[alive], strict=True)):
        length = int(np.clip(chance.lognormal(6.2, 0.6), 80, 4000))
        quality = np.clip(chance.normal(15 - hour / 8, 2.5), 4, 30)
        scores = np.clip(chance.normal(quality, 3, length), 1, 40).astype(np.uint8) + 33
        seconds = int(hour * 3600)
        time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        digits = chance.bytes(16).hex()
        uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        name = f"{uuid} runid=5ee1 read={number} ch={channel} start_time=2024-05-01T{time}Z"
        name += f" flow_cell_id=FAX00001 barcode=barcode{chance.integers(1, 4):02d}"
        sequence = chance.choice(BASES, length)
        records.append(
            b"@" + name.encode() + b"\n" + sequence.tobytes() + b"\n+\n" + scores.tobytes() + b"\n"
        )
    return b"".join(records)


def two_genomes(reads: int = 2_000, length: int = 1_000, seed: int = 2) -> tuple[bytes, np.ndarray]:
    """Return FASTQ of reads of two genomes with the same GC, and which genome each is of.

    The genomes are chains in which each base depends on the two before it; reads are of both
    strands.
    """
    chance = np.random.default_rng(seed)
    origin = chance.integers(0, 2, reads)
    genomes = [_genome(chance, 200_000) for _ in range(2)]
    records = []
    for number, which in enumerate(origin):
        start = int(chance.integers(0, 200_000 - length))
        codes = genomes[which][start : start + length]
        if chance.random() < 0.5:
            codes = 3 - codes[::-1]
        records.append(b"@read_%d\n%s\n+\n%s\n" % (number, BASES[codes].tobytes(), b"F" * length))
    return b"".join(records), origin


def _genome(chance: np.random.Generator, length: int) -> np.ndarray:
    table = chance.dirichlet([3, 3, 3, 3], 16)
    # As much G and C as A and T, whatever came before.
    table[:, [1, 2]] *= (0.5 / table[:, [1, 2]].sum(axis=1))[:, None]
    table[:, [0, 3]] *= (0.5 / table[:, [0, 3]].sum(axis=1))[:, None]
    steps = table.cumsum(axis=1)
    draws = chance.random(length)
    codes = np.zeros(length, dtype=np.int64)
    for at in range(2, length):
        before = 4 * codes[at - 2] + codes[at - 1]
        codes[at] = min(3, np.searchsorted(steps[before], draws[at]))
    return codes
