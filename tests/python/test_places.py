"""Where particles stand: by their names, against the oracle and worked out by hand."""

from __future__ import annotations

import gzip
import pickle
import random
import re
import warnings
from typing import Any

import numpy as np
import pytest

import genomevedic as gv
from compare import check, drain
from genomevedic import _core
from genomevedic.errors import NoCoordinatesError, OutOfBoundsError, UnplacedWarning
from reference.names import parse
from reference.places import PLACES
from support import SHARED_READS, bgzf, needs_shared_reads

UUID = "bd8655fb-383c-45cc-bff3-eb1dc86533e0"
NAMED = ("flowcell", "nanopore", "pacbio", "mgi")


def fastq(names: list[str], sequences: list[str] | None = None) -> bytes:
    bases = sequences or ["ACGTA"] * len(names)
    return "".join(
        f"@{name}\n{text}\n+\n{'I' * len(text)}\n" for name, text in zip(names, bases, strict=True)
    ).encode()


def names_of(layout: str, count: int) -> list[str]:
    """Names of one run, as they come."""
    if layout == "flowcell":
        tiles = [f"{1 + i % 2}{1 + i // 700 % 6}{1 + i // 50 % 78:02}" for i in range(count)]
        return [
            f"A00123:8:HABCDDSX2:{i // 9000 % 4 + 1}:{tiles[i]}:"
            f"{i * 7919 % 32000}:{i * 104729 % 36000} 1:N:0:ACGT"
            for i in range(count)
        ]
    if layout == "nanopore":
        return [
            f"{UUID[:28]}{i:08x} runid=1 ch={i * 7919 % 512 + 1} "
            f"start_time=2024-05-{1 + i // 3600 % 28:02}T10:{i // 60 % 60:02}:{i % 60:02}.5Z"
            for i in range(count)
        ]
    if layout == "pacbio":
        return [f"m64012_190920_173625/{i * 2654435761 % 2**32}/ccs" for i in range(count)]
    if layout == "mgi":
        fields = [f"C{1 + i // 40 % 12:03}R{1 + i % 70:03}" for i in range(count)]
        return [f"V35L{1 + i // 5000 % 4}{fields[i]}{i:07}/1" for i in range(count)]
    return [f"read {i}" for i in range(count)]


# ---------------------------------------------------------------------------------------------
# By name, one layout at a time
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", [*NAMED, "composition", "tetranucleotide", "spiral", "grid"])
def test_places_are_those_of_the_oracle(layout: str) -> None:
    rng = random.Random(1)
    sequences = ["".join(rng.choices("ACGTN", k=rng.randint(1, 60))) for _ in range(3000)]
    table = check(fastq(names_of(layout, 3000), sequences), layout=layout)
    assert table.fault is None
    if layout in NAMED:
        check(fastq(names_of(layout, 3000), sequences))  # which "auto" finds


@pytest.mark.parametrize(
    ("model", "channels"), [("flongle", 126), ("minion", 512), ("promethion", 3000)]
)
@pytest.mark.parametrize("is_named", [True, False])
def test_every_channel_of_every_chip(model: str, channels: int, is_named: bool) -> None:
    """The closed forms in the core give what the published maps, built line by line, give."""
    text = fastq([f"{UUID} ch={channel}" for channel in range(1, channels + 1)])
    layout = gv.layouts.Nanopore(model=model) if is_named else "nanopore"
    p = gv.read_fastq(text, layout=layout, columns=["position", "channel"])
    assert p.layout.parameters["model"] == model
    assert len(PLACES[model]) == channels
    for channel, place in zip(p.channel.tolist(), p.position.tolist(), strict=True):
        assert tuple(place) == (*PLACES[model][channel], 0.0)


@pytest.mark.parametrize(
    ("ids", "channel", "model"),
    [
        ("FAL10820", 1, "minion"),
        ("PAM93185", 1, "promethion"),
        ("AFB123", 1, "flongle"),
        ("AFB1234", 127, "minion"),
        ("ABCD123", 127, "minion"),
        ("afb123", 127, "minion"),
        ("", 126, "flongle"),
        ("", 127, "minion"),
        ("", 512, "minion"),
        ("", 513, "promethion"),
    ],
)
def test_the_model_of_a_flow_cell(ids: str, channel: int, model: str) -> None:
    names = [f"{UUID} ch=1 flow_cell_id={ids}", f"{UUID} read=2", "other", f"{UUID} ch={channel}"]
    p = gv.read_fastq(fastq(names), layout="nanopore", unplaced="nan", columns=["channel"])
    assert p.layout.parameters["model"] == model


def test_hours_since_the_beginning() -> None:
    names = [f"{UUID} ch=1 start_time=2024-05-01T{time}" for time in ("10:00:00Z", "09:15:00Z")]
    p = gv.read_fastq(fastq(names))
    assert p.position[:, 2].tolist() == [0.0, -0.75]
    assert p.layout.parameters["t0"] == "2024-05-01T10:00:00+00:00"
    assert (p.layout.axes[2], p.layout.units[2]) == ("time", "h")
    for t0 in ("2024-05-01T08:00", "2024-05-01T10:00+02:00", np.datetime64("2024-05-01T08")):
        p = gv.read_fastq(fastq(names), layout=gv.layouts.Nanopore(t0=t0))
        assert p.position[:, 2].tolist() == [2.0, 1.25]
    p = gv.read_fastq(fastq([f"{UUID} ch=1", *names]))
    assert p.position[:, 2].tolist() == [0, 0, 0], "the first has no time: none counts"
    assert (p.layout.axes[2], p.layout.units[2]) == ("", "")


def flow_cell_of(name: str) -> gv.layouts.Layout:
    with gv.scan_fastq(fastq([name])) as reader:
        return reader.layout


def test_an_s4_is_physical_and_others_are_drawn() -> None:
    s4 = flow_cell_of("A00123:8:HABCDDSX2:1:1101:5:6")
    assert (s4.kind, s4.parameters["placement"]) == ("physical", "novaseq-6000-s4")
    assert (s4.parameters["swath_pitch"], s4.parameters["tile_pitch"]) == (33739, 36282)
    assert s4.parameters["stagger"] == 6201
    assert s4.parameters["nm_per_unit"] == 34.78
    assert "34.78 nm" in s4.units[0]
    for name in (
        "A00123:8:HABCDDRX2:1:1101:5:6",  # an S1 or S2
        "M00123:8:000000000-HABCDDSX2:1:1101:5:6",
        "SIM001:8:HABCDDSX2:1:1101:5:6",
        "HWUSI-EAS100R:6:73:941:1973",
    ):
        drawn = flow_cell_of(name)
        assert (drawn.kind, drawn.parameters["placement"]) == ("schematic", "schematic")
        assert "schematic" in drawn.description
        assert drawn.parameters["stagger"] == 0
    assert flow_cell_of("HWUSI-EAS100R:6:73:941:1973").parameters["instrument"] != "unknown"
    assert flow_cell_of("SRR1.1 A00123:8:HABCDDSX2:1:1101:5:6 length=3").kind == "physical"


def test_what_the_caller_says_of_a_flow_cell_holds() -> None:
    name = "A00123:8:HABCDDSX2:3:2205:1000:2000"
    whole = {"swath_pitch": 10_000, "tile_pitch": 20_000, "lane_pitch": 100_000}
    drawn = gv.layouts.FlowCell(placement="schematic", **whole)
    p = gv.read_fastq(fastq([name]), layout=drawn)
    assert p.position.tolist() == [[211_000, 82_000, 2]]
    assert p.layout.kind == "schematic"
    beside = gv.layouts.FlowCell(placement="schematic", surfaces="beside", **whole)
    p = gv.read_fastq(fastq([name]), layout=beside)
    assert p.position[0, 0] == 211_000 + p.layout.parameters["surface_pitch"]
    assert p.position[0, 2] == 0
    assert p.layout.axes[2] == ""
    physical = gv.layouts.FlowCell(placement="novaseq-6000-s4", stagger=100, lane_pitch=100_000)
    p = gv.read_fastq(fastq(["M1:1:F:3:2205:1000:2000"]), layout=physical)
    assert p.position.tolist() == [[1000 + 67_478 + 200_000, 2000 + 181_410 + 100, 2]]
    assert p.layout.kind == "physical"
    cameras = gv.layouts.FlowCell(camera_tiles=9, tile_pitch=1000)
    p = gv.read_fastq(fastq(["N1:1:F:1:11302:0:0"]), layout=cameras)
    assert p.position[0, 1] == (2 * 9 + 1) * 1000


def test_tiles_stand_beside_each_other() -> None:
    """On a schematic grid no two tiles overlap, and within one places are those of the names."""
    rng = random.Random(2)
    spots = [
        (lane, surface, swath, number, rng.randint(0, 30_000), rng.randint(0, 35_000))
        for lane in (1, 2)
        for surface in (1, 2)
        for swath in (1, 2, 3)
        for number in (1, 2, 40)
        for _ in range(20)
    ]
    names = [f"A1:1:F:{lane}:{s}{w}{n:02}:{x}:{y}" for lane, s, w, n, x, y in spots]
    for surfaces in ("z", "beside"):
        layout = gv.layouts.FlowCell(surfaces=surfaces)
        p = gv.read_fastq(fastq(names), layout=layout, columns=["position", "lane", "tile"])
        boxes: dict[Any, Any] = {}
        for spot, place in zip(spots, p.position.tolist(), strict=True):
            boxes.setdefault(spot[:4], set()).add(
                (place[0] - spot[4], place[1] - spot[5], place[2])
            )
        assert all(len(box) == 1 for box in boxes.values()), "a tile is moved as a whole"
        corners = sorted(box.pop() for box in boxes.values())
        for i, one in enumerate(corners):
            for other in corners[i + 1 :]:
                assert (
                    abs(one[0] - other[0]) >= 30_000
                    or abs(one[1] - other[1]) >= 35_000
                    or one[2] != other[2]
                )


def test_two_tiles_that_are_swapped_are_seen() -> None:
    """Quality falls along the flow cell; where two tiles have each other's reads, it jumps."""
    rng = random.Random(3)

    def run(swapped: dict[int, int]) -> set[int]:
        records = []
        for number in range(1, 21):
            for _ in range(100):
                y = rng.randint(0, 36_000)
                quality = chr(33 + 40 - round((number - 1 + y / 36_000) * 1.5))
                tile = 1100 + swapped.get(number, number)
                name = f"A1:1:F:1:{tile}:{rng.randint(0, 30_000)}:{y}"
                records.append(f"@{name}\nACGT\n+\n{quality * 4}\n")
        p = gv.read_fastq("".join(records).encode(), columns=["position", "quality", "tile"])
        pitch = p.layout.parameters["tile_pitch"]
        tile_there = p.position[:, 1] // pitch + 1
        assert (tile_there == p.tile - 1100).all(), "each tile is in its place"
        means = np.array([p.quality[tile_there == number].mean() for number in range(1, 21)])
        expected = 40 - (np.arange(20) + 0.5) * 1.5
        return set((np.flatnonzero(np.abs(means - expected) > 1) + 1).tolist())

    assert run({}) == set()
    assert run({4: 15, 15: 4}) == {4, 15}


# ---------------------------------------------------------------------------------------------
# The same places, however they are read
# ---------------------------------------------------------------------------------------------

READS = 36_000
LAYOUTS = [*NAMED, "composition", "tetranucleotide", "spiral", "grid"]


def large_text(layout: str) -> tuple[bytes, list[int]]:
    """A text of 5 MiB and more, and where its records begin."""
    rng = random.Random(4)
    pool = ["".join(rng.choices("ACGTACGTN", k=rng.randint(50, 110))) for _ in range(500)]
    names = names_of(layout, READS)
    records = [fastq([name], [pool[i % 500]]) for i, name in enumerate(names)]
    starts = np.cumsum([0, *map(len, records)])
    return b"".join(records), starts.tolist()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_places_however_they_are_read(layout: str, tmp_path: Any) -> None:
    text, starts = large_text(layout)
    assert len(text) > 5 * 2**20
    columns = ["position", "lane", "tile", "x", "channel", "start_time", "zmw", "metadata"]
    whole = gv.read_fastq(text, layout=layout, columns=columns, threads=1)
    assert whole.stats.unplaced == np.isnan(whole.position[:, 0]).sum()
    plain = tmp_path / "reads.fastq"
    plain.write_bytes(text)
    blocks = bgzf(*(text[at : at + 60_000] for at in range(0, len(text), 60_000)))
    again = layout
    if layout == "tetranucleotide":
        again = gv.read_fastq(plain, layout=layout, columns=["position"], threads=3).layout
        assert again == whole.layout, "the fit is the same; it need not be made each time"
    for source in (text, plain, blocks, gzip.compress(text, 1)):
        for threads in (1, 3):
            assert gv.read_fastq(source, layout=again, columns=columns, threads=threads) == whole
    for size in (1000, 7001, READS):
        for threads in (1, 3):
            options = {"layout": again, "columns": columns, "threads": threads}
            with gv.scan_fastq(plain, **options) as reader:
                assert gv.Particles.concat(list(reader.batches(size))) == whole
    # Cut into several sources, of which the first is what is guessed on.
    third, half = starts[READS // 3], starts[READS // 2]
    parts = [text[:third], b"", gzip.compress(text[third:half], 1), text[half:]]
    assert gv.read_fastq(parts, layout=again, columns=columns) == whole


@pytest.mark.parametrize("layout", LAYOUTS)
def test_small_batches(layout: str) -> None:
    names = names_of(layout, 600)
    text = fastq(names, ["ACGTN"[: 1 + i % 5] * 2 for i in range(600)])
    whole = gv.read_fastq(text, layout=layout)
    for size in (1, 2, 255, 256, 257):
        with gv.scan_fastq(text, layout=layout) as reader:
            assert gv.Particles.concat(list(reader.batches(size))) == whole
    filtered = gv.read_fastq(text, layout=whole.layout, min_quality=30)
    assert filtered == whole


# ---------------------------------------------------------------------------------------------
# Real reads
# ---------------------------------------------------------------------------------------------


@needs_shared_reads
@pytest.mark.parametrize("file", ["illumina_casava18", "paired_1", "paired_2"])
def test_columns_of_real_reads_are_those_of_a_regular_expression(file: str) -> None:
    path = SHARED_READS / f"{file}.fastq.gz"
    headers = gzip.decompress(path.read_bytes()).decode().splitlines()[::4]
    pattern = re.compile(r"@[^:]+:\d+:[^:]+:(\d+):(\d+):(\d+):(\d+) ([12]):([YN]):\d+:(\w*)")
    expected = [pattern.fullmatch(header).groups() for header in headers]
    p = gv.read_fastq(path, columns=["lane", "tile", "x", "y", "read", "filtered", "index"])
    for i, name in enumerate(("lane", "tile", "x", "y", "read")):
        assert p[name].tolist() == [int(row[i]) for row in expected], name
    assert p.filtered.tolist() == [row[5] == "Y" for row in expected]
    assert p.index.tolist() == [row[6] for row in expected]
    assert p.layout.name == "flowcell"


@needs_shared_reads
def test_reads_without_coordinates() -> None:
    path = SHARED_READS / "long_reads_no_coordinates.fastq.gz"
    with pytest.raises(NoCoordinatesError, match=r"'flowcell' reads places from names.*: '1'"):
        gv.read_fastq(path, layout="flowcell")
    p = gv.read_fastq(path, limit=10)
    assert p.layout.name == "composition"
    assert "composition" in repr(p)


# ---------------------------------------------------------------------------------------------
# Names that hold no place
# ---------------------------------------------------------------------------------------------

GOOD = "A1:1:F:1:1101:1000:2000"
ODD = {
    "of another platform": "m64012_190920_173625/4194369/ccs",
    "of no platform": "read 17",
    "cut short": "A1:1:F:1:1101:1000:",
    "an x of 10^12": "A1:1:F:1:1101:1000000000000:5",
    "a tile of 0": "A1:1:F:1:0:1000:2000",
    "of 1 MB": "A1:1:F:1:1101:" + "1" * 1_000_000,
    "empty": "",
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", [1, 300])
def test_a_name_without_a_place(odd: str, place: int) -> None:
    names = [GOOD] * 500
    names[place] = ODD[odd]
    text = fastq(names)
    with pytest.raises(NoCoordinatesError) as caught:
        gv.read_fastq(text, layout="flowcell")
    error = caught.value
    offset = sum(len(name) + 16 for name in names[:place])
    found = (error.path, error.line, error.record, error.offset, error.field)
    assert found == ("<bytes>", 4 * place + 1, place + 1, offset, "header")
    assert 'unplaced="nan"' in str(error)
    for options in ({}, {"layout": "flowcell", "unplaced": "nan"}):
        with pytest.warns(UnplacedWarning, match="1 of 500 particles have no place.*'flowcell'"):
            p = gv.read_fastq(text, columns=["position", "lane", "x"], **options)
        assert p.stats.unplaced == 1
        lacking = np.isnan(p.position).all(axis=1)
        assert np.flatnonzero(lacking).tolist() == [place]
        assert not np.isnan(p.position[~lacking]).any()
        assert (p.lane[place], p.x[place]) == (0, -(2**31))
    with pytest.raises(NoCoordinatesError):
        gv.read_fastq(text, unplaced="raise")
    assert gv.read_fastq(text, columns=["gc"]).stats.unplaced == 0


def test_a_name_of_1_mb_may_hold_a_place() -> None:
    names = ["A1:1:F:1:1101:5:6_" + "ACGT" * 250_000, "A" * 10**6 + ":1:F:2:1102:7:8"]
    for order in (names, names[::-1], [GOOD, *names]):
        p = gv.read_fastq(fastq(order), columns=["tile", "x"], layout="flowcell")
        wanted = [{"5": 1101, "7": 1102}.get(name.split(":")[5][0], 1101) for name in order]
        assert p.tile.tolist() == wanted


def test_the_first_read_may_be_long() -> None:
    """Before the fix, what a first record of more than a MiB is of was not seen."""
    text = fastq([f"{UUID} ch=300"], ["ACGT" * 300_000]) + fastq([f"{UUID} ch=1"])
    p = gv.read_fastq(text, columns=["position"])
    assert p.layout.name == "nanopore"
    assert p.layout.parameters["model"] == "minion"


@pytest.mark.parametrize("layout", NAMED)
def test_a_layout_that_the_names_cannot_give(layout: str) -> None:
    others = [other for other in NAMED if other != layout]
    for first in ["read 1", "m1409281/1", *(names_of(other, 1)[0] for other in others)]:
        text = fastq([first, *names_of(layout, 5)])
        with pytest.raises(NoCoordinatesError) as caught:
            gv.read_fastq(text, layout=layout)
        error = caught.value
        assert repr(first) in str(error)
        assert (error.context["name"], error.context["layout"]) == (first, layout)
        assert error.code == "NO_COORDINATES"
        assert error.recoverable
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.context) == (
            NoCoordinatesError,
            str(error),
            error.context,
        )
        # A later name that fits is enough where reads without a place are let be.
        with pytest.warns(UnplacedWarning, match="1 of 6"):
            p = gv.read_fastq(text, layout=layout, unplaced="nan")
        assert p.layout.name == layout
        with pytest.raises(NoCoordinatesError):
            gv.read_fastq(fastq([first] * 5), layout=layout, unplaced="nan")


@pytest.mark.parametrize(
    ("layout", "name", "words"),
    [
        ("nanopore", f"{UUID} runid=1", "a Nanopore name without a channel"),
        ("pacbio", "m140928_1_c1_s1_p0/5/0_9", "a name of the PacBio RS II"),
        ("flowcell", "m64012_1/5/ccs", r"a name of pacbio \(grammar pacbio\)"),
        ("mgi", "E1L1C001R0030 2A5B 7E1B2", "a name of stereo-seq"),
        ("flowcell", "\x1b[31m", "no known platform.*x1b"),
    ],
)
def test_what_the_first_name_lacks_is_said(layout: str, name: str, words: str) -> None:
    with pytest.raises(NoCoordinatesError, match=words) as caught:
        gv.read_fastq(fastq([name]), layout=layout)
    assert "\n" not in str(caught.value)


def test_the_source_whose_names_hold_no_place_is_named(tmp_path: Any) -> None:
    """Before the fix, the first of several was named."""
    empty, blank, other = (tmp_path / name for name in ("empty", "blank", "other"))
    empty.write_bytes(b"")
    blank.write_bytes(b"\n\r\n")
    other.write_bytes(fastq(["read 1"]))
    with pytest.raises(NoCoordinatesError) as caught:
        gv.read_fastq([empty, blank, other], layout="flowcell")
    assert caught.value.path == str(other)
    good = fastq([GOOD])
    with pytest.raises(NoCoordinatesError) as caught:
        gv.read_fastq([good, other, good], layout="flowcell")
    assert (caught.value.path, caught.value.record, caught.value.line) == (str(other), 1, 1)


def test_auto_settles_on_the_first_record_there_is() -> None:
    """Before the fix, a source of blank lines alone was taken for one without names."""
    for before in ([], [b""], [b"\n"], [b"", b"\r\n\n", gzip.compress(b""), bgzf()]):
        p = gv.read_fastq([*before, fastq([GOOD])], columns=["position", "source"])
        assert p.layout.name == "flowcell"
        assert p.source.tolist() == [len(before)]


def test_no_reads_have_any_layout() -> None:
    for layout in (*LAYOUTS, "auto"):
        for source in (b"", b"\n\n", [b"", b""]):
            p = gv.read_fastq(source, layout=layout)
            assert p.position.shape == (0, 3)
            assert p.layout.name == ("composition" if layout == "auto" else layout)
            assert gv.layouts.Layout.from_dict(p.layout.to_dict()) == p.layout


# ---------------------------------------------------------------------------------------------
# Strictness
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"unplaced": "nan"}, {"layout": "nanopore"}])
def test_a_channel_that_the_model_does_not_have(options: dict[str, Any]) -> None:
    names = [f"{UUID} ch={channel} flow_cell_id=AFB123" for channel in (1, 126, 900, 5)]
    with pytest.raises(OutOfBoundsError, match=r"channel 900 .*model=") as caught:
        gv.read_fastq(fastq(names), **options)
    error = caught.value
    assert (error.record, error.line, error.field, error.code) == (3, 9, "header", "OUT_OF_BOUNDS")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.context) == (OutOfBoundsError, error.context)
    larger = gv.layouts.Nanopore(model="promethion")
    assert len(gv.read_fastq(fastq(names), layout=larger)) == 4


def test_rows_before_a_fault_are_handed_out() -> None:
    names = [GOOD] * 500
    names[300] = "read 301"
    for size in (1, 100, 256, 299, 300, 301, 1000):
        with gv.scan_fastq(fastq(names), layout="flowcell", columns=gv.COLUMNS) as reader:
            batches, error = drain(reader, size)
        assert isinstance(error, NoCoordinatesError)
        assert error.record == 301
        assert sum(map(len, batches)) == 300
    assert len(gv.read_fastq(fastq(names), layout="flowcell", limit=300)) == 300


def test_columns_from_names_may_be_asked_for_strictly() -> None:
    text = fastq([GOOD, "read 2"])
    for options in ({}, {"layout": "composition"}):
        p = gv.read_fastq(text, columns=["lane"], **options)
        assert p.lane.tolist() == [1, 0]
        with pytest.raises(NoCoordinatesError) as caught:
            gv.read_fastq(text, columns=["lane"], unplaced="raise", **options)
        assert caught.value.record == 2
    with pytest.raises(NoCoordinatesError, match="too few known bases") as caught:
        gv.read_fastq(fastq(["a", "b"], ["A", "N"]), layout="composition", unplaced="raise")
    assert (caught.value.record, caught.value.field) == (2, "sequence")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([f"{UUID} ch=1", f"{UUID} runid=1"], "no channel"),
        ([f"{UUID} ch=1 start_time=2024-05-01T10:00:00Z", f"{UUID} ch=1"], "no start time"),
        (["A1:1:F:1:1101:5:6", "A1:1:F:1:1101:99999999:6"], r"beyond 2\^24"),
        (["A1:1:F:1:1101:5:6", "HWI-EAS1:1:1101:5:6"], "not one of the platform"),
    ],
)
def test_why_a_read_has_no_place_is_said(names: list[str], words: str) -> None:
    with pytest.raises(NoCoordinatesError, match=words) as caught:
        gv.read_fastq(fastq(names), unplaced="raise")
    assert caught.value.record == 2
    with pytest.warns(UnplacedWarning):
        p = gv.read_fastq(fastq(names))
    assert np.isnan(p.position[:, 0]).tolist() == [False, True]


def test_records_without_a_place_may_be_skipped() -> None:
    names = [GOOD if i % 3 else f"read {i}" for i in range(1, 31)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gv.errors.SkippedWarning)
        p = gv.read_fastq(fastq(names), layout="flowcell", on_error="skip", columns=gv.COLUMNS)
    assert len(p) == 20
    assert p.stats.skipped == 10
    assert p.metadata.tolist() == [i - 1 for i in range(1, 31) if i % 3]
    assert p.name.tolist() == [GOOD] * 20


# ---------------------------------------------------------------------------------------------
# The warning
# ---------------------------------------------------------------------------------------------


def test_particles_without_a_place_are_told_of_once() -> None:
    text = fastq([GOOD, "read 2"] * 50)
    with pytest.warns(UnplacedWarning) as caught:
        gv.read_fastq(text)
    assert [warning.filename for warning in caught] == [__file__]
    assert str(caught[0].message).startswith("<bytes>: 50 of 100 particles have no place")
    with pytest.warns(UnplacedWarning) as caught:
        for _ in gv.scan_fastq(text).batches(7):
            pass
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(UnplacedWarning, match="2 sources: 100 of 200"):
        gv.read_fastq([text, text])
    with pytest.warns(UnplacedWarning, match=r"1 of 2 .*'composition'"):
        gv.read_fastq(fastq(["a", "b"], ["A", "N"]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gv.read_fastq(text, columns=["gc", "lane"])
        gv.read_fastq(fastq([GOOD]))


def test_what_a_platform_writes_is_known_to_the_oracle() -> None:
    """The names that these tests are made of are what they are meant to be."""
    for layout in NAMED:
        for name in names_of(layout, 50):
            found = parse(name.encode())
            assert found is not None
            assert found.layout == layout
            assert _core.parse_name(name.encode()) is not None
