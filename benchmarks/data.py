"""Makes the files that the benchmarks read: deterministic, and larger than any cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np

# Four quality bins, as a NovaSeq writes them: '#', '-', '8' and 'F' are Q2, Q12, Q23 and Q37.
BINS = np.frombuffer(b"#-8F", np.uint8)
BIN_SHARES = [0.01, 0.04, 0.10, 0.85]
READ_LENGTH = 150
CHUNK = 50_000


def illumina(path: Path, reads: int, seed: int = 1) -> Path:
    """Write `reads` reads of 150 bases with Casava 1.8 names and binned qualities, once."""
    if path.exists():
        return path
    rng = np.random.default_rng(seed)
    part = path.with_suffix(".part")
    with part.open("wb") as out:
        for first in range(0, reads, CHUNK):
            n = min(CHUNK, reads - first)
            bases = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, (n, READ_LENGTH))]
            qualities = rng.choice(BINS, (n, READ_LENGTH), p=BIN_SHARES)
            tiles = 1101 + rng.integers(0, 78, n)
            places = rng.integers(1000, 32000, (n, 2))
            out.write(
                b"".join(
                    b"@A00123:45:HXXXXXXXX:1:%d:%d:%d 1:N:0:ACGTACGT\n%s\n+\n%s\n"
                    % (tile, x, y, base.tobytes(), quality.tobytes())
                    for tile, (x, y), base, quality in zip(
                        tiles, places, bases, qualities, strict=True
                    )
                )
            )
    part.replace(path)
    return path
