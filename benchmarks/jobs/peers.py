"""Other Python packages, each used as its documentation shows.

Parsing alone asks each record for its sequence and its qualities. The same job puts length, GC (of
all bases: two counts) and mean Phred score of every read into arrays.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator

from jobs.found import Counted, Found, Measured

# Sequences and qualities of the records of a file.
Pairs = Callable[[str], Iterator[tuple[str, str]]]

# From about here on NumPy adds up faster than sum().
LONG = 400


def parse(open_pairs: Callable[[], Pairs]) -> Callable[[], Callable[[str], Found]]:
    def make() -> Callable[[str], Found]:
        pairs = open_pairs()

        def run(path: str) -> Found:
            reads = bases = 0
            for sequence, _ in pairs(path):
                reads += 1
                bases += len(sequence)
            return Counted(reads, bases)

        return run

    return make


def measure(open_pairs: Callable[[], Pairs]) -> Callable[[], Callable[[str], Found]]:
    def make() -> Callable[[str], Found]:
        import numpy as np

        pairs = open_pairs()

        def run(path: str) -> Found:
            lengths, gcs, qualities = array("I"), array("f"), array("f")
            for sequence, quality in pairs(path):
                n = len(sequence)
                scores = quality.encode("ascii")
                total = sum(scores) if n < LONG else int(np.frombuffer(scores, np.uint8).sum())
                lengths.append(n)
                gcs.append((sequence.count("G") + sequence.count("C")) / n)
                qualities.append(total / n - 33)
            return Measured(lengths, gcs, qualities)

        return run

    return make


def dnaio_parse(threads: int = 0) -> Callable[[str], Found]:
    """dnaio makes its records' strings anyway: the bare loop is all there is to parsing.

    With threads it inflates in one of its own (its default), with none in this one; by isal both
    times.
    """
    import dnaio

    def run(path: str) -> Found:
        reads = bases = 0
        with dnaio.open(path, open_threads=threads) as records:
            for record in records:
                reads += 1
                bases += len(record)
        return Counted(reads, bases)

    return run


def dnaio_measure() -> Callable[[str], Found]:
    import dnaio
    import numpy as np

    def run(path: str) -> Found:
        lengths, gcs, qualities = array("I"), array("f"), array("f")
        with dnaio.open(path, open_threads=0) as records:
            for record in records:
                sequence, scores = record.sequence, record.qualities_as_bytes()
                n = len(sequence)
                total = sum(scores) if n < LONG else int(np.frombuffer(scores, np.uint8).sum())
                lengths.append(n)
                gcs.append((sequence.count("G") + sequence.count("C")) / n)
                qualities.append(total / n - 33)
        return Measured(lengths, gcs, qualities)

    return run


def pyfastx() -> Pairs:
    import pyfastx

    return lambda path: ((each[1], each[2]) for each in pyfastx.Fastx(path))


def needletail() -> Pairs:
    import needletail

    return lambda path: ((each.seq, each.qual) for each in needletail.parse_fastx_file(path))


def mappy() -> Pairs:
    import mappy

    return lambda path: ((each[1], each[2]) for each in mappy.fastx_read(path))


def pysam() -> Pairs:
    import pysam

    def pairs(path: str) -> Iterator[tuple[str, str]]:
        with pysam.FastxFile(path, persist=False) as records:
            for each in records:
                yield each.sequence, each.quality

    return pairs


def biopython() -> Pairs:
    from Bio.SeqIO.QualityIO import FastqGeneralIterator

    def pairs(path: str) -> Iterator[tuple[str, str]]:
        with open(path) as text:  # noqa: PTH123
            for _, sequence, quality in FastqGeneralIterator(text):
                yield sequence, quality

    return pairs


def frozen() -> Callable[[str], Found]:
    """The pure-Python loop that the targets name. Not to be changed: it is a measure."""

    def run(path: str) -> Found:
        lengths, gcs, qualities = [], [], []
        with open(path, "rb") as stream:  # noqa: PTH123
            readline = stream.readline
            while readline():
                sequence = readline()[:-1]
                readline()
                scores = readline()[:-1]
                n = len(sequence)
                lengths.append(n)
                gcs.append((sequence.count(b"G") + sequence.count(b"C")) / n)
                qualities.append(sum(scores) / n - 33)
        return Measured(lengths, gcs, qualities)

    return run


PAIRS = {
    "pyfastx": pyfastx,
    "needletail-py": needletail,
    "mappy": mappy,
    "pysam": pysam,
    "biopython": biopython,
}
PEERS = {
    "dnaio-parse": dnaio_parse,
    "dnaio-parse-2": lambda: dnaio_parse(threads=1),
    "dnaio-measure": dnaio_measure,
    **{f"{name}-parse": parse(pairs) for name, pairs in PAIRS.items()},
    **{f"{name}-measure": measure(pairs) for name, pairs in PAIRS.items()},
    "frozen": frozen,
}
