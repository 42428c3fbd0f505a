"""Tables of tiles, pairs and runs: equal to plain Python, whatever the order and the batches."""

from __future__ import annotations

import gc
import math
import pickle
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

import genomevedic as gv
from genomevedic import _core
from genomevedic.flowcell import decode_tiles
from genomevedic.pairs import THRESHOLDS
from genomevedic.table import Table
from reference import tables as reference
from reference.tables import Read

NO_PLACE = -(2**31)
NAMES = ("lane", "tile", "x", "y", "start_time", "barcode")
needs_name_columns = pytest.mark.skipif(
    not set(NAMES) <= set(gv.COLUMNS), reason="columns from names are not built here"
)


def text(rows: Sequence[bytes], as_bytes: bool = False) -> gv.TextColumn:
    offsets = np.cumsum([0] + [len(row) for row in rows]).astype(np.int64)
    return gv.TextColumn(offsets, np.frombuffer(b"".join(rows), np.uint8).copy(), as_bytes)


def particles(reads: Sequence[Read], *without: str) -> gv.Particles:
    """The columns that a reader would make of these reads."""
    times = [read.start_time.replace(tzinfo=None) if read.start_time else "NaT" for read in reads]
    scored = [reference.scores(r) if r.sequence else (math.nan, math.nan) for r in reads]
    columns: dict[str, Any] = {
        "length": np.array([len(read.sequence) for read in reads], np.uint32),
        "quality": np.array([pair[0] for pair in scored], np.float32),
        "error_quality": np.array([pair[1] for pair in scored], np.float32),
        "lane": np.array([read.lane for read in reads], np.uint8),
        "tile": np.array([read.tile for read in reads], np.uint32),
        "x": np.array([NO_PLACE if r.x is None else r.x for r in reads], np.int32),
        "y": np.array([NO_PLACE if r.y is None else r.y for r in reads], np.int32),
        "start_time": np.array(times, "datetime64[us]"),
        "sequence": text([read.sequence for read in reads]),
        "qualities": text([read.qualities for read in reads], as_bytes=True),
        "barcode": text([read.barcode.encode() for read in reads]),
    }
    kept = {name: column for name, column in columns.items() if name not in without}
    return gv.Particles(kept, gv.layouts.Composition())


def make_reads(count: int, seed: int, longest: int = 60) -> list[Read]:
    """Reads of few tiles, many of them copies with places far and near."""
    chance = random.Random(seed)
    begin = datetime(2024, 3, 1, 10, 20, tzinfo=UTC)
    reads: list[Read] = []
    for _ in range(count):
        length = chance.choice([0, 1, 9, 10, 11, longest, chance.randint(0, longest)])
        letters = chance.choice([b"ACGT", b"ACGTacgtUuNn.-", b"G", b"GGGGGGGGGGGA"])
        sequence = bytes(chance.choices(letters, k=length))
        if reads and chance.random() < 0.4:
            sequence = chance.choice(reads).sequence
        has_place = chance.random() < 0.9
        spread = chance.choice([5, 300, 30_000, 2**31 - 1])
        reads.append(
            Read(
                sequence,
                bytes(chance.choices(range(33, 127), k=len(sequence))),
                lane=chance.choice([0, 1, 1, 2]),
                tile=chance.choice([0, 1101, 1101, 2203]),
                x=chance.randint(-spread, spread) if has_place else None,
                y=chance.randint(0, spread) if has_place else None,
                start_time=begin + timedelta(seconds=chance.randint(0, 40_000))
                if chance.random() < 0.9
                else None,
                barcode=chance.choice(["", "barcode01", "barcode02", "größe"]),
            )
        )
    return reads


def check_rows(table: Table, expected: list[dict[str, Any]]) -> None:
    assert len(table) == len(expected)
    for row, other in zip(table, expected, strict=True):
        found = {name: row[name] for name in other}
        assert found == pytest.approx(other, nan_ok=True, rel=1e-12, abs=1e-12)


# ---------------------------------------------------------------------------------------------
# Tiles
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cycles", [1, 7, 1000])
@pytest.mark.parametrize("poly_g", [1, 7, 8, 10, 41])
def test_tiles_against_the_reference(cycles: int, poly_g: int) -> None:
    reads = make_reads(700, seed=cycles)
    table = gv.tiles(particles(reads), cycles=cycles, poly_g=poly_g)
    rows, bins = reference.tiles(reads, cycles, poly_g)
    check_rows(table, rows)
    assert table.cycles is not None
    check_rows(table.cycles, bins)
    without = sum(not (read.lane and read.tile) for read in reads)
    assert table.facts["reads_without_tile"] == without > 0
    assert table.facts["reads"] == len(reads) - without == table.reads.sum()
    assert table.facts["bases"] == table.bases.sum()


def test_long_reads_on_tiles() -> None:
    reads = make_reads(60, seed=5, longest=9000)
    table = gv.tiles(particles(reads), cycles=100)
    rows, bins = reference.tiles(reads, 100)
    check_rows(table, rows)
    assert table.cycles is not None
    check_rows(table.cycles, bins)


def test_tiles_do_not_depend_on_order_or_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = make_reads(900, seed=2)
    whole = gv.tiles(particles(reads), cycles=3)
    monkeypatch.setattr("genomevedic.batches._SLICE_ROWS", 7)
    random.Random(1).shuffle(reads)
    parts = gv.tiles(particles(reads), cycles=3)
    assert whole == parts
    assert whole.cycles == parts.cycles
    # Rows taken from a larger set: offsets that do not begin at 0, and text gathered anew.
    table = gv.tiles(particles(make_reads(5, seed=1) + reads)[5:], cycles=3)
    assert table.cycles == whole.cycles
    assert gv.tiles(particles(reads)[::-1]) == whole


def test_the_other_encoding() -> None:
    reads = [Read(b"ACGT", b"@@hh", lane=1, tile=1101)]
    assert gv.tiles(particles(reads), encoding="phred64").mean_quality.tolist() == [20.0]


@pytest.mark.parametrize(
    ("sequence", "is_poly_g"),
    [
        # The read of fastp's own test, which it cuts before the last run of G.
        (b"TTTTAACCCCCCCCCCCCCCCCCCCCCCCCCCCCAAGGGGGGGGGGGGGGGGGAGG", True),
        (b"ACGTACGGGGGGGGGG", True),
        (b"ACGTACGGGGGGGGGC", True),
        (b"ACGTACGGGGGGGNGC", False),
        (b"GGGGGGGGGGACGTAC", False),
        (b"GGGGGGGGG", False),
    ],
)
def test_poly_g_is_what_fastp_cuts(sequence: bytes, is_poly_g: bool) -> None:
    assert reference.is_poly_g_by_fastp(sequence, 10) == is_poly_g
    read = Read(sequence, b"F" * len(sequence), lane=1, tile=1)
    assert gv.tiles(particles([read])).poly_g_fraction.tolist() == [float(is_poly_g)]


def test_no_tiles_at_all() -> None:
    table = gv.tiles(particles([Read(b"ACGT", b"IIII")]), cycles=10)
    assert len(table) == 0 and table.facts["reads_without_tile"] == 1
    assert table.cycles is not None and len(table.cycles) == 0
    assert math.isnan(table.facts["mean_quality"])
    table = gv.tiles(particles([]), cycles=10)
    assert len(table) == 0 and table.facts["reads_without_tile"] == 0
    table = gv.tiles(particles([Read(b"", b"", lane=1, tile=1)]), cycles=10)
    assert table.reads.tolist() == [1] and np.isnan(table.gc).all()
    assert table.cycles is not None and len(table.cycles) == 0


@pytest.mark.parametrize(
    ("grammar", "tile", "parts"),
    [
        ("illumina-1.8", 1101, (1, 1, 0, 1)),
        ("illumina-1.8", 2678, (2, 6, 0, 78)),
        ("illumina-1.8", 21305, (2, 1, 3, 5)),
        ("illumina-1.8", 12611, (1, 2, 6, 11)),
        ("illumina-1.8", 68, (1, 1, 0, 68)),
        ("illumina-1.8", 120, (1, 1, 0, 120)),
        ("illumina-1.8", 0, (0, 0, 0, 0)),
        ("illumina-1.8", 4294967295, (0, 0, 0, 4294967295)),
        ("element", 10203, (1, 3, 0, 2)),
        ("element", 21411, (2, 11, 0, 14)),
        ("element", 1101, (0, 0, 0, 1101)),
        ("singular", 10203, (0, 0, 0, 10203)),
    ],
)
def test_tile_numbers(grammar: str, tile: int, parts: tuple[int, ...]) -> None:
    found = decode_tiles([tile, tile], grammar)
    for name, part in zip(("surface", "swath", "camera", "number"), parts, strict=True):
        assert found[name].tolist() == [part, part], name


def test_places_of_tiles_as_the_columns_say(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = [Read(b"A", b"F", lane=2, tile=t) for t in (21305, 11305, 21305, 0, 1101)]
    p = particles(reads)
    columns = {name: p[name] for name in p.columns}
    columns["surface"] = np.array([2, 1, 2, 0, 7], np.uint8)
    columns["swath"] = np.array([5, 4, 5, 0, 9], np.uint8)
    told = gv.Particles(columns, p.layout)
    for rows in (1, 100):
        monkeypatch.setattr("genomevedic.batches._SLICE_ROWS", rows)
        table = gv.tiles(told, cycles=1)
        assert table.tile.tolist() == [1101, 11305, 21305]
        assert table.surface.tolist() == [7, 1, 2] and table.swath.tolist() == [9, 4, 5]
        assert table.camera.tolist() == [0, 3, 3] and table.number.tolist() == [1, 5, 5]
        assert table.cycles is not None and table.cycles.swath.tolist() == [9, 4, 5]
    assert gv.tiles(p).surface.tolist() == [1, 1, 2]


def sample() -> gv.Particles:
    """The shipped sample, its names parted by a regular expression."""
    p = gv.read_fastq(
        gv.datasets.flowcell_sample(), columns=["name", "sequence", "qualities", "quality"]
    )
    pattern = re.compile(r"[^:]+:\d+:[^:]+:(\d+):(\d+):(\d+):(\d+) ")
    places = np.array([[int(part) for part in pattern.match(n).groups()] for n in p.name])  # type: ignore[union-attr, arg-type]
    lane, tile, x, y = places.T
    columns = {
        "lane": lane.astype(np.uint8),
        "tile": tile.astype(np.uint32),
        "x": x.astype(np.int32),
        "y": y.astype(np.int32),
    }
    return gv.Particles(columns | {name: p[name] for name in p.columns}, p.layout)


def test_the_bubble_in_the_sample() -> None:
    """Planted on lane 1, tiles 1102 and 1103, cycles 20 to 59."""
    table = gv.tiles(sample(), cycles=10)
    assert len(table) == 16 and table.facts["reads"] == 7040
    cycles = table.cycles
    assert cycles is not None
    worst = cycles[np.argsort(cycles.quality_deviation)[:8]]
    found = defaultdict(set)
    for row in worst:
        found[int(row["lane"]), int(row["tile"])].add((row["first_cycle"], row["last_cycle"]))
    bins = {(21, 30), (31, 40), (41, 50), (51, 60)}
    assert found == {(1, 1102): bins, (1, 1103): bins}
    # It stands out of everything else: the next deviation is far smaller.
    others = np.sort(np.abs(cycles.quality_deviation))[::-1]
    is_bubble = np.isin(cycles.tile, [1102, 1103]) & (cycles.lane == 1)
    is_bubble &= (cycles.first_cycle > 20) & (cycles.last_cycle <= 60)
    rest = np.abs(cycles.quality_deviation[~is_bubble])
    assert others[7] == np.abs(cycles.quality_deviation[is_bubble]).min() > 1.2 * rest.max()
    # Outside of these cycles the tile is as good as any: it passed over.
    early = cycles[(cycles.lane == 1) & (cycles.tile == 1102) & (cycles.last_cycle <= 10)]
    assert abs(early.quality_deviation[0]) < 0.2
    assert cycles.n_fraction[is_bubble].min() > cycles.n_fraction[~is_bubble].mean()


# ---------------------------------------------------------------------------------------------
# Pairs
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prefix", "most_reads"), [(50, 300), (4, 300), (2, 6), (1000, 2)])
def test_pairs_against_the_reference(prefix: int, most_reads: int) -> None:
    reads = make_reads(600, seed=prefix)
    table = gv.optical_pairs(particles(reads), prefix=prefix, most_reads=most_reads)
    expected = reference.pairs(reads, prefix, most_reads)
    for name, distances in [
        ("pairs", expected.largest),
        ("pairs_euclidean", expected.euclidean),
        ("reads", expected.nearest),
    ]:
        below = -1
        for row in table:
            inside = sum(below < distance <= row["most"] for distance in distances)
            if row["most"] == 2**32:
                inside = sum(below < distance for distance in distances)
            assert row[name] == inside, (name, row)
            below = row["most"]
        assert table[name].sum() == len(distances) > 0
    for row in table.thresholds:
        distance = row["distance"]
        assert row["pairs"] == sum(each <= distance for each in expected.largest)
        assert row["reads"] == sum(each <= distance for each in expected.nearest)
    facts = table.facts
    assert facts["reads"] == len(reads)
    assert facts["reads_without_place"] == expected.without_place > 0
    assert facts["reads_of_one_letter"] == expected.of_one_letter > 0
    assert facts["reads_in_sets"] == len(expected.nearest) + sum(expected.large_sets)
    assert facts["large_sets"] == len(expected.large_sets)
    assert facts["reads_in_large_sets"] == sum(expected.large_sets)
    pairs = sum(n * (n - 1) // 2 for n in expected.large_sets)
    assert facts["pairs_not_measured"] == pairs


def test_large_sets_are_left_out_and_said() -> None:
    reads = make_reads(600, seed=2)
    facts = gv.optical_pairs(particles(reads), prefix=2, most_reads=6).facts
    assert 0 < facts["large_sets"] < facts["sets"]


def test_pairs_do_not_depend_on_order_or_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = make_reads(500, seed=8)
    whole = gv.optical_pairs(particles(reads), prefix=6)
    monkeypatch.setattr("genomevedic.batches._SLICE_ROWS", 11)
    monkeypatch.setattr("genomevedic.pairs._CHUNK", 5)
    random.Random(1).shuffle(reads)
    parts = gv.optical_pairs(particles(reads), prefix=6)
    assert whole == parts and whole.thresholds == parts.thresholds


def test_each_threshold_ends_a_bin() -> None:
    table = gv.optical_pairs(particles([]))
    assert len(table) == len(gv.optical_pairs(particles(make_reads(50, seed=1))))
    assert {distance for distance, _, _ in THRESHOLDS} <= set(table.most.tolist())
    assert (table.least[1:] == table.most[:-1] + 1).all() and table.least[0] == 0
    assert table.pairs.sum() == 0


def test_planted_optical_duplicates() -> None:
    """Of a library without others, each in ten is given twice by its cluster, 30 units away."""
    chance = random.Random(3)
    reads = []
    for i in range(3000):
        sequence = bytes(chance.choices(b"ACGT", k=60))
        x, y = chance.randint(1000, 30_000), chance.randint(1000, 100_000)
        reads.append(Read(sequence, b"F" * 60, 1, 1101 + i % 3, x, y))
        if i % 10 == 0:
            reads.append(Read(sequence[:50] + b"A" * 10, b"F" * 60, 1, 1101 + i % 3, x + 30, y - 7))
    table = gv.optical_pairs(particles(reads))
    assert table.thresholds.pairs.tolist() == [300] * 6
    assert table.thresholds.reads.tolist() == [600] * 6
    assert table[table.pairs > 0].least.tolist() == [26]


# ---------------------------------------------------------------------------------------------
# Summaries
# ---------------------------------------------------------------------------------------------


def check_numbers(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {name: found[name] for name in expected} == pytest.approx(
        expected, nan_ok=True, rel=1e-7
    )


@pytest.mark.parametrize(("seed", "longest"), [(1, 40), (2, 9000), (3, 20_000)])
def test_summary_against_the_reference(
    seed: int, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genomevedic.batches._SLICE_ROWS", 37)
    reads = make_reads(200, seed, longest)
    s = gv.summary(particles(reads), thresholds=[40, 0, 45.5, 200])
    check_numbers(s.as_dict(), reference.numbers(reads))
    assert s.thresholds.threshold.tolist() == [0, 40, 45.5, 200]
    for row in s.thresholds:
        for which, ending in enumerate(("", "_by_error")):
            n, bases = reference.reached(reads, row["threshold"], which)
            assert (row["reads" + ending], row["bases" + ending]) == (n, bases)
            assert row["reads_fraction" + ending] == n / len(reads)

    by_barcode = defaultdict(list)
    for read in reads:
        by_barcode[read.barcode].append(read)
    assert s.barcodes is not None
    assert s.barcodes.barcode.tolist() == sorted(by_barcode)
    for row in s.barcodes:
        check_numbers(row, reference.numbers(by_barcode[row["barcode"]]))

    by_hour = defaultdict(list)
    for read in reads:
        if read.start_time is not None:
            by_hour[read.start_time.replace(minute=0, second=0, tzinfo=None)].append(read)
    assert s.hours is not None
    assert s.hours.hour.tolist() == sorted(by_hour)
    total = 0
    for row in s.hours:
        group = by_hour[row["hour"].item()]
        expected = reference.numbers(group)
        check_numbers(row, {name: expected[name] for name in ("reads", "bases", "mean_quality")})
        total += expected["bases"]
        assert row["total_bases"] == total
    assert s.hours.facts == {"reads_without_time": sum(read.start_time is None for read in reads)}


def test_summary_does_not_depend_on_order_or_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = make_reads(400, seed=6, longest=6000)
    whole = gv.summary(particles(reads))
    monkeypatch.setattr("genomevedic.batches._SLICE_ROWS", 13)
    monkeypatch.setattr("genomevedic.summaries._SHORT", 20)
    random.Random(1).shuffle(reads)
    assert gv.summary(particles(reads)) == whole


def test_n50_of_a_small_example() -> None:
    lengths = [2, 2, 2, 3, 3, 4, 8, 8]  # 32 bases, 16 of them in reads of 8
    reads = [Read(b"A" * n, b"I" * n) for n in lengths]
    s = gv.summary(particles(reads))
    assert (s.n50, s.median_length, s.mean_length) == (8, 3.0, 4.0)


def test_too_many_barcodes() -> None:
    reads = [Read(b"A", b"I", barcode=f"{i % 1500:04}") for i in range(3000)]
    s = gv.summary(particles(reads))
    assert s.barcodes is not None and len(s.barcodes) == 1000
    assert s.barcodes.facts == {"reads_of_other_barcodes": 1000}
    assert s.barcodes.reads.tolist() == [2] * 1000


def test_barcodes_that_are_no_text() -> None:
    p = particles([Read(b"A", b"I"), Read(b"A", b"I")])
    columns = {name: p[name] for name in p.columns} | {"barcode": text([b"\xff\xfe", b"ok"])}
    s = gv.summary(gv.Particles(columns, p.layout))
    assert s.barcodes is not None and s.barcodes.barcode.tolist() == ["\\xff\\xfe", "ok"]
    assert s.barcodes.to_arrow()["barcode"].to_pylist() == ["\\xff\\xfe", "ok"]


def test_summary_of_nothing() -> None:
    s = gv.summary(particles([]))
    assert (s.reads, s.bases, s.n50, s.shortest) == (0, 0, None, None)
    assert math.isnan(s.mean_length) and math.isnan(s.mean_quality)
    assert s.thresholds.reads.sum() == 0 and "unknown" in repr(s)
    s = gv.summary(particles([Read(b"", b"")], "start_time", "barcode"))
    assert (s.reads, s.n50, s.hours, s.barcodes) == (1, 0, None, None)


# ---------------------------------------------------------------------------------------------
# What they are given
# ---------------------------------------------------------------------------------------------

FUNCTIONS = [gv.tiles, gv.optical_pairs, gv.summary]


@pytest.mark.parametrize(
    ("function", "without"),
    [
        (gv.tiles, ["tile", "qualities"]),
        (gv.optical_pairs, ["x", "sequence"]),
        (gv.summary, ["error_quality", "length"]),
    ],
)
def test_missing_columns_are_named(function: Any, without: list[str]) -> None:
    with pytest.raises(ValueError, match="these particles lack") as caught:
        function(particles([], *without))
    for name in without:
        assert repr(name) in str(caught.value)
    with (
        gv.scan_fastq(gv.datasets.flowcell_sample(), columns=["gc"]) as reader,
        pytest.raises(ValueError, match=f"this reader lacks.*{without[0]}"),
    ):
        function(reader)


@pytest.mark.parametrize("function", [gv.tiles, gv.optical_pairs])
def test_columns_of_wider_types_are_refused(function: Any) -> None:
    p = particles(make_reads(3, seed=1))
    columns = {name: p[name] for name in p.columns}
    for name in ("lane", "tile", "x", "y") if function is gv.optical_pairs else ("lane", "tile"):
        wide = columns | {name: np.asarray(columns[name], np.int64)}
        with pytest.raises(TypeError, match=r"annot cast"):
            function(gv.Particles(wide, p.layout))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_options_are_for_sources_opened_here(function: Any) -> None:
    with pytest.raises(TypeError, match="threads="):
        function(particles([]), threads=1)
    with pytest.raises(TypeError, match="columns="):
        function(gv.datasets.flowcell_sample(), columns=["gc"])


@pytest.mark.parametrize(
    ("function", "arguments", "fault"),
    [
        (gv.tiles, {"cycles": 0}, ValueError),
        (gv.tiles, {"cycles": 1.5}, TypeError),
        (gv.tiles, {"poly_g": 0}, ValueError),
        (gv.tiles, {"encoding": "phred"}, ValueError),
        (gv.optical_pairs, {"prefix": 0}, ValueError),
        (gv.optical_pairs, {"most_reads": 1}, ValueError),
        (gv.summary, {"thresholds": [math.nan]}, ValueError),
        (gv.summary, {"thresholds": ["20"]}, TypeError),
    ],
)
def test_arguments_that_make_no_sense(function: Any, arguments: Any, fault: type) -> None:
    with pytest.raises(fault, match=next(iter(arguments)).rstrip("s")):
        function(particles([]), **arguments)


def test_a_reader_and_particles_give_the_same_summary() -> None:
    columns = ["length", "quality", "error_quality"]
    with gv.scan_fastq(gv.datasets.flowcell_sample(), columns=columns) as reader:
        streamed = gv.summary(reader)
    assert streamed == gv.summary(gv.read_fastq(gv.datasets.flowcell_sample(), columns=columns))


@needs_name_columns
def test_a_source_is_read_with_the_columns_needed() -> None:
    path = gv.datasets.flowcell_sample()
    table = gv.tiles(path, cycles=10, threads=1)
    assert table == gv.tiles(sample(), cycles=10)
    assert gv.optical_pairs(path) == gv.optical_pairs(sample())
    assert gv.summary(path, limit=1000).reads == 1000


# ---------------------------------------------------------------------------------------------
# Tables
# ---------------------------------------------------------------------------------------------


def small() -> Table:
    columns = {
        "lane": np.arange(20, dtype=np.uint8),
        "gc": np.linspace(0, 1, 20),
        "tool": np.array(["<b>"] * 20),
    }
    return Table("Lanes", columns, {"reads": 12345, "mean": 1.5})


def test_rows_and_columns() -> None:
    table = small()
    assert table.columns == ("lane", "gc", "tool") and len(table) == 20
    assert table.lane is table["lane"] and "gc" in dir(table)
    assert table[-1] == {"lane": 19, "gc": 1.0, "tool": "<b>"}
    assert table[5:7].lane.tolist() == [5, 6]
    assert table[table.gc > 0.9].lane.tolist() == [18, 19]
    assert table[[3, 1]].lane.tolist() == [3, 1] and table[[3, 1]].facts == table.facts
    assert [row["lane"] for row in table] == list(range(20))
    assert table == small() and table != table[1:] and table != 3
    assert pickle.loads(pickle.dumps(table)) == table
    with pytest.raises(AttributeError, match="nothing"):
        _ = table.nothing
    with pytest.raises(KeyError):
        table["nothing"]
    with pytest.raises(IndexError):
        table[20]
    with pytest.raises(ValueError, match="one length"):
        Table("x", {"a": np.arange(2), "b": np.arange(3)})
    with pytest.raises(ValueError, match="one length"):
        Table("x", {})


def test_tables_are_shown() -> None:
    lines = repr(small()).splitlines()
    assert lines[0] == "Lanes: 20 rows; reads 12,345; mean 1.5"
    assert lines[1].split() == ["lane", "gc", "tool"]
    assert lines[7].strip() == "…" and len(lines) == 13
    page = small()._repr_html_()
    assert "&lt;b&gt;" in page and "<b>" not in page and page.count("<tr>") == 12
    bins = gv.optical_pairs(particles(make_reads(300, seed=1)), prefix=4)
    assert "rows without a pair are not shown" in repr(bins)
    shown = [line.split()[2] for line in repr(bins).splitlines()[2:] if "…" not in line]
    assert len(shown) <= 10
    assert ".cycles" in repr(gv.tiles(particles(make_reads(9, seed=1)), cycles=1))
    s = gv.summary(particles(make_reads(99, seed=1)))
    assert "N50" in repr(s) and s._repr_html_().count("<table>") == 4


def all_tables() -> Iterator[Table]:
    p = particles(make_reads(300, seed=1))
    tiles, pairs, s = gv.tiles(p, cycles=5), gv.optical_pairs(p), gv.summary(p)
    for table in (tiles, tiles.cycles, pairs, pairs.thresholds):
        assert table is not None
        yield table
    for table in (s.thresholds, s.barcodes, s.hours):
        assert table is not None
        yield table


def test_other_libraries_take_every_table() -> None:
    for table in all_tables():
        arrow, frame = table.to_arrow(), table.to_pandas()
        assert arrow.column_names == list(frame.columns) == list(table.columns)
        assert frame.attrs == table.facts
        assert set(arrow.schema.metadata or {}) == {name.encode() for name in table.facts}
        for name in table.columns:
            np.testing.assert_array_equal(arrow[name].to_numpy(), table[name])
            np.testing.assert_array_equal(frame[name].to_numpy(), table[name])
        again = pickle.loads(pickle.dumps(table))
        assert again == table and type(again) is type(table)
        assert again.to_arrow().equals(arrow)


def test_kinds_of_tables_keep_what_they_hold() -> None:
    p = particles(make_reads(50, seed=1))
    tiles, pairs = gv.tiles(p, cycles=5), gv.optical_pairs(p)
    assert pickle.loads(pickle.dumps(tiles)).cycles == tiles.cycles
    assert pickle.loads(pickle.dumps(pairs)).thresholds == pairs.thresholds


@pytest.mark.parametrize(("module", "method"), [("pandas", "to_pandas"), ("pyarrow", "to_arrow")])
def test_a_missing_library_is_named(
    module: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(
        ImportError, match=rf'this needs {module}; install it with: pip install "ge'
    ):
        getattr(small(), method)()


# ---------------------------------------------------------------------------------------------
# The core
# ---------------------------------------------------------------------------------------------


def columns_of_one() -> list[Any]:
    offsets, data = np.array([0, 4]), np.frombuffer(b"ACGT", np.uint8)
    return [np.ones(1, np.uint8), np.ones(1, np.uint32), (offsets, data), (offsets, data)]


@pytest.mark.parametrize(
    ("which", "value", "fault"),
    [
        (0, np.ones(2, np.uint8), ValueError),
        (0, np.ones((1, 1), np.uint8), ValueError),
        (0, np.ones(1, np.int64), TypeError),
        (1, np.ones(1, np.float64), TypeError),
        (2, np.array([0, 4]), TypeError),
        (2, (np.array([0, 5]), np.zeros(4, np.uint8)), ValueError),
        (2, (np.array([-1, 3]), np.zeros(4, np.uint8)), ValueError),
        (2, (np.array([4, 0]), np.zeros(4, np.uint8)), ValueError),
        (2, (np.array([0, 3]), np.zeros(4, np.uint8)), ValueError),
        (3, (np.array([], np.int64), np.zeros(4, np.uint8)), ValueError),
        (3, (np.array([0, 2, 4]), np.zeros(4, np.uint8)), ValueError),
    ],
)
def test_a_tally_takes_no_columns_that_do_not_fit(which: int, value: Any, fault: type) -> None:
    tally = _core.Tally(10, 10)
    columns = columns_of_one()
    columns[which] = value
    with pytest.raises(fault):
        tally.add(*columns)
    assert tally.counts() == {"tiles": 0, "longest": 0, "unplaced": 0}
    tally.add(*columns_of_one())
    assert tally.counts() == {"tiles": 1, "longest": 4, "unplaced": 0}


def test_a_tally_is_charged_to_the_limit_of_the_process() -> None:
    gc.collect()
    before = gv.memory.stats().used
    tally = _core.Tally(1, 10)
    tally.add(*columns_of_one())
    assert gv.memory.stats().used > before
    rows = 20_000
    offsets = np.arange(rows + 1)
    many = (offsets, np.zeros(rows, np.uint8))
    columns = [np.ones(rows, np.uint8), np.arange(1, rows + 1, dtype=np.uint32), many, many]
    try:
        gv.memory.set_limit(gv.memory.stats().used + 100_000)
        with pytest.raises(gv.errors.MemoryLimitError, match="the table of tiles"):
            tally.add(*columns)
    finally:
        gv.memory.set_limit(None)
    assert tally.counts()["tiles"] == 1
    tally.add(*columns)
    assert tally.counts()["tiles"] == rows
    del tally
    assert gv.memory.stats().used == before


def test_digests_take_no_text_that_does_not_fit() -> None:
    data = np.frombuffer(b"ACGT", np.uint8)
    with pytest.raises(ValueError, match="outside"):
        _core.digest((np.array([0, 5]), data), None)
    with pytest.raises(OverflowError):
        _core.digest((np.array([0, 4]), data), -1)
    found = _core.digest((np.array([0, 2, 4]), np.frombuffer(b"ACac", np.uint8)), 2)
    assert found[0] == found[1] != 0
    found = _core.digest((np.array([0, 2, 4]), np.frombuffer(b"ACac", np.uint8)), None)
    assert found[0] != found[1]
