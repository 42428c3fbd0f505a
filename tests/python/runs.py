"""Small runs for tests of pictures: names of a flow cell and of a Nanopore chip."""

from __future__ import annotations

import numpy as np


def fastq(names, sequences, qualities):
    return "".join(
        f"@{name}\n{sequence}\n+\n{quality}\n"
        for name, sequence, quality in zip(names, sequences, qualities, strict=True)
    ).encode()


def flow_cell(
    *, instrument="A00666", flow_cell="HGVSMDSX2", lanes=2, swaths=2, tiles=3, reads=40, seed=1
):
    """Return reads of a flow cell; quality falls with the swath and is low in tile 2 of lane 1."""
    rng = np.random.default_rng(seed)
    names, sequences, qualities = [], [], []
    for lane in range(1, lanes + 1):
        for surface in (1, 2):
            for swath in range(1, swaths + 1):
                for number in range(1, tiles + 1):
                    is_low = (lane, surface, swath, number) == (1, 1, 1, 2)
                    score = 12 if is_low else 36 - 3 * swath
                    for x, y in rng.integers(1000, 32_000, (reads, 2)).tolist():
                        tile = 1000 * surface + 100 * swath + number
                        names.append(f"{instrument}:6:{flow_cell}:{lane}:{tile}:{x}:{y} 1:N:0:A")
                        sequences.append("ACGT"[int(rng.integers(4))] * 8 + "ACGT")
                        qualities.append(chr(33 + score) * 12)
    return fastq(names, sequences, qualities)


def nanopore(channels, *, flow_cell="FAX00042", minutes=None, lengths=None):
    """Return reads of these channels, one after another so many minutes from the start."""
    minutes = range(len(channels)) if minutes is None else minutes
    lengths = [4 + i % 5 for i in range(len(channels))] if lengths is None else lengths
    names = [
        f"5a3bb5c4-6e3c-4a52-9e9a-{i:012x} ch={channel} "
        f"start_time=2026-03-{2 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z "
        f"flow_cell_id={flow_cell}"
        for i, (channel, minute) in enumerate(zip(channels, minutes, strict=True))
    ]
    return fastq(names, ["A" * n for n in lengths], ["5" * n for n in lengths])
