"""What genomevedic gives, held against the oracle."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import genomevedic as gv
import reference

INTEGERS = {
    "metadata": np.uint64,
    "length": np.uint32,
    "lane": np.uint8,
    "tile": np.uint32,
    "surface": np.uint8,
    "swath": np.uint8,
    "x": np.int32,
    "y": np.int32,
    "read": np.uint8,
    "filtered": np.uint8,
    "channel": np.uint16,
    "start_time": np.dtype("datetime64[us]"),
    "zmw": np.uint32,
    "source": np.uint32,
}
FLOATS = ("color", "size", "gc", "quality", "error_quality")
TEXTS = ("name", "sequence", "index", "barcode")
COUNTS = (
    "reads",
    "kept",
    "filtered",
    "bases",
    "unknown_bases",
    "unknown_reads",
    "bytes_in",
    "text_bytes",
    "sources",
    "missing_end_blocks",
    "wrapped",
)
MEANS = ("mean_length", "mean_quality", "mean_gc")


def ulps(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How many float32 steps lie between the two; two NaN are equal, one NaN is far from all."""

    def order(values: np.ndarray) -> np.ndarray:
        bits = np.ascontiguousarray(values, dtype=np.float32).view(np.int32).astype(np.int64)
        return np.where(bits < 0, -(2**31) - bits, bits)

    steps = np.abs(order(found) - order(expected))
    missing = np.isnan(found).astype(int) + np.isnan(expected).astype(int)
    return np.where(missing == 2, 0, np.where(missing == 1, 2**40, steps))


def as_text(values: Sequence[bytes]) -> list[str]:
    return [value.decode("utf-8", "surrogateescape") for value in values]


def positions(particles: Any, table: reference.Table) -> np.ndarray:
    """The places there must be, by the parameters that the particles' layout tells.

    Those of a flow cell are checked in test_places.py; a model and a beginning of time are settled
    by the oracle itself.
    """
    layout = particles.layout
    assert layout.name == table.settled.layout
    assert layout.grammar in ("", table.settled.grammar)
    told = layout.parameters if layout.name in ("flowcell", "tetranucleotide") else {}
    return np.array(table.positions(told), dtype=np.float32).reshape(-1, 3)


def assert_near(
    name: str, found: np.ndarray, expected: np.ndarray, negligible: float = 0.0
) -> None:
    assert found.dtype == np.float32
    expected = expected.reshape(found.shape)
    apart = np.where(np.abs(found - expected) <= negligible, 0, ulps(found, expected))
    assert not (apart > 1).any(), (name, found[apart > 1][:3], expected[apart > 1][:3])


def assert_same_columns(particles: Any, table: reference.Table) -> None:
    """All columns: integers and texts equal, floats within one step of float32."""
    assert len(particles) == len(table)
    for name, dtype in INTEGERS.items():
        found = particles[name]
        assert found.dtype == dtype
        numbers = found.astype(np.int64) if found.dtype.kind == "M" else found
        assert numbers.tolist() == table.columns[name], name
    for name in FLOATS:
        assert_near(name, particles[name], np.array(table.columns[name], dtype=np.float32))
    # What is left of a difference of sums hangs on their order.
    is_sum = particles.layout.name == "tetranucleotide"
    places = particles.position
    assert_near("position", places, positions(particles, table), 1e-12 if is_sum else 0.0)
    assert not (np.signbit(places) & (places == 0)).any(), "a negative zero"
    for name in TEXTS:
        assert particles[name].tolist() == as_text(table.columns[name]), name
    assert particles["qualities"].tolist() == table.columns["qualities"]


def assert_same_stats(stats: Any, table: reference.Table) -> None:
    for name in COUNTS:
        assert getattr(stats, name) == table.stats[name], name
    for name in MEANS:
        found, expected = getattr(stats, name), table.stats[name]
        close = math.isclose(found, expected, rel_tol=1e-12)
        assert close or (math.isnan(found) and math.isnan(expected)), (name, found, expected)


def place_of(error: Any) -> tuple[Any, ...]:
    return (type(error).__name__, error.line, error.record, error.offset, error.field)


def assert_same_fault(error: Any, fault: reference.Fault) -> None:
    """The class, and where the fault lies in the text its place."""
    if fault.line is None:
        assert type(error).__name__ == fault.kind
    else:
        expected = (fault.kind, fault.line, fault.record, fault.offset, fault.field)
        assert place_of(error) == expected


def read_quietly(source: Any, **options: Any) -> tuple[Any, int]:
    """What is read, and how many warnings told of a missing end block.

    One more tells of particles without a place, exactly where there are any.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        particles = gv.read_fastq(source, **options)
    told = [warning.category for warning in caught]
    assert told.count(gv.errors.UnplacedWarning) == (particles.stats.unplaced > 0)
    assert set(told) <= {gv.errors.MissingEndBlockWarning, gv.errors.UnplacedWarning}
    return particles, told.count(gv.errors.MissingEndBlockWarning)


def drain(reader: Any, *batch_size: int) -> tuple[list[Any], Any]:
    """The batches a reader gives, and the error that ended them, or None."""
    batches: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gv.errors.UnplacedWarning)
        try:
            for batch in reader.batches(*batch_size):
                batches.append(batch)
        except gv.errors.GenomeVedicError as error:
            return batches, error
    return batches, None


def check(sources: bytes | Sequence[bytes], **options: Any) -> reference.Table:
    """Read with both and compare everything; returns what the oracle says."""
    listed = [sources] if isinstance(sources, bytes) else list(sources)
    table = reference.read(listed, **options)
    if table.fault is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gv.errors.MissingEndBlockWarning)
            warnings.simplefilter("ignore", gv.errors.UnplacedWarning)
            with pytest.raises(gv.errors.GenomeVedicError) as caught:
                gv.read_fastq(sources, columns=reference.ALL_COLUMNS, **options)
        assert_same_fault(caught.value, table.fault)
        return table
    particles, warned = read_quietly(sources, columns=reference.ALL_COLUMNS, **options)
    assert_same_columns(particles, table)
    lacking = np.isnan(positions(particles, table)).any(axis=1).sum()
    assert particles.stats.unplaced == lacking
    if options.get("limit") is None:
        assert_same_stats(particles.stats, table)
        assert bool(warned) == bool(table.stats["missing_end_blocks"])
    else:
        assert particles.stats.kept == table.stats["kept"]
        assert particles.stats.reads == table.stats["reads"]
    return table
