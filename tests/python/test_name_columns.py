"""Read names, parsed and as columns, held against the oracle."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import numpy as np
import pytest

import genomevedic as gv
from compare import check
from genomevedic import _core
from genomevedic.names import parse_name
from reference.name_generator import generate, huge_names
from reference.names import Name, parse
from support import DATA

PUBLISHED = json.loads((DATA / "names" / "published.json").read_text(encoding="utf-8"))
NEAR_MISSES = json.loads((DATA / "names" / "near_misses.json").read_text(encoding="utf-8"))
ALL_NAMES = [row["name"].encode("latin-1") for row in PUBLISHED + NEAR_MISSES]

# Issued names of each grammar, the first of which settles what a file's names are.
FIRST_OF = {row["grammar"]: row["name"].encode("latin-1") for row in reversed(PUBLISHED)}

IS_THOROUGH = os.environ.get("GENOMEVEDIC_HYPOTHESIS") == "thorough"
GENERATED = 1_000_000 if IS_THOROUGH else 30_000


def parts_of(name: Name) -> dict[str, Any]:
    """The oracle's name as the core tells it: what is not there is None."""
    return {
        "grammar": name.grammar,
        "renamed": name.renamed,
        "lane": name.lane or None,
        "tile": name.tile or None,
        "surface": name.surface or None,
        "swath": name.swath or None,
        "camera": name.camera or None,
        "number": name.number or None,
        "x": name.x,
        "y": name.y,
        "read": name.read or None,
        "filtered": None if name.filtered == 255 else name.filtered,
        "channel": name.channel or None,
        "start_time": name.start_time,
        "zmw": name.zmw,
        "index": name.index,
        "barcode": name.barcode,
        "flow_cell": name.flow_cell_id,
    }


def assert_read_alike(name: bytes) -> None:
    found, expected = _core.parse_name(name), parse(name)
    if expected is None:
        assert found is None, name[:200]
        return
    assert found is not None, name[:200]
    del found["platform"]
    for text in ("index", "barcode", "flow_cell"):
        found[text] = found[text] or b""  # the oracle does not part empty from absent
    assert found == parts_of(expected), name[:200]


@pytest.mark.parametrize("name", ALL_NAMES, ids=lambda name: repr(name[:60]))
def test_published_names_and_near_misses(name: bytes) -> None:
    assert_read_alike(name)


def test_generated_names() -> None:
    for name in generate(GENERATED, seed=20240501):
        assert_read_alike(name)
    assert_read_alike(b"A1:1:F:1:1101:5:6 01:N:0:ACGT")  # before the fix, a read 1


def test_huge_names() -> None:
    for name in huge_names():
        assert_read_alike(name)


def test_the_layout_that_a_name_holds() -> None:
    for name in generate(3000, seed=3):
        expected, found = parse(name), parse_name(name)
        layouts = () if expected is None or expected.layout is None else (expected.layout,)
        assert (() if found is None else found.layouts) == layouts


@pytest.mark.parametrize("byte", [b"\v", b"\f", b"\r", b"\x1c", b"\x85", b"\xa0", b"\xc2\xa0"])
def test_other_white_space_belongs_to_a_word(byte: bytes) -> None:
    """Before the fix, some of these bytes made a name unknown, and NBSP broke the settling."""
    name = b"A" + byte + b"1:1:F:2:1101:5:6 1:N:0:A" + byte + b"C"
    assert_read_alike(name)
    p = gv.read_fastq(b"@" + name + b"\nA\n+\nI\n", columns=["lane", "position", "index"])
    assert (p.lane.tolist(), p.layout.name) == ([2], "flowcell")
    assert p.index[0].encode("utf-8", "surrogateescape") == b"A" + byte + b"C"


def fastq(names: list[bytes]) -> bytes:
    return b"".join(b"@%s\n%s\n+\n%s\n" % (name, b"ACGTA", b"IIIII") for name in names)


@pytest.mark.parametrize("grammar", sorted(FIRST_OF))
def test_columns_of_a_file_of_each_grammar(grammar: str) -> None:
    """Names of every kind follow, and those of the first one's kind count."""
    names = [FIRST_OF[grammar], *ALL_NAMES, *generate(1500, seed=5)]
    if grammar.startswith("nanopore"):
        # A channel beyond the model is an error, and this test is about columns.
        names = [name for name in names if (found := parse(name)) is None or found.channel < 3001]
    names = [name for name in names if b"\n" not in name and not name.endswith(b"\r")]
    table = check(fastq(names))
    assert table.settled.grammar == grammar
    assert table.fault is None


TAILS = (b"", b"", b" 1:N:0:ACGT", b"\t2:Y:18:", b"/1", b":AC+GT", b"_A", b":")


def names_of_a_run(count: int, seed: int) -> list[bytes]:
    """As an instrument writes them: tile by tile, and now and then something else."""
    rng = random.Random(seed)
    names: list[bytes] = [b"A00123:8:HFLOWDSX2:1:1101:1000:1000 1:N:0:ACGT"]
    while len(names) < count:
        head = b"%s:%d:HFLOWDSX2:%d:%d:" % (
            rng.choice([b"A00123", b"A" * rng.randint(1, 80)]),
            rng.choice([8, 10**9]),
            rng.randint(1, 4),
            rng.choice([1101, 1102, 2678, 99999]),
        )
        for _ in range(rng.choice([1, 2, 300])):
            x, y = (rng.choice([0, 7, 10**6, 10**7 - 1, 10**7, 10**9, 31337]) for _ in "xy")
            tail = rng.choice(TAILS)
            names.append(head + b"%d:%d" % (x, y) + tail)
    return names[:count]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("columns", ["all", "of the place"])
def test_columns_of_a_run(seed: int, columns: str) -> None:
    """All columns; those that need no look at the second word, and those of the place alone."""
    names = names_of_a_run(2000, seed)
    table = check(fastq(names))
    assert table.settled.grammar == "illumina-1.8"
    numbers = ("lane", "tile", "x", "y", "surface", "swath", "read", "filtered", "source")
    wanted = numbers if columns == "all" else numbers[:6]
    p = gv.read_fastq(fastq(names), columns=wanted)
    for name in wanted:
        assert p[name].tolist() == table.columns[name], name


def test_several_files_have_their_numbers() -> None:
    texts = [fastq(names_of_a_run(n, n)) for n in (300, 1, 700)]
    p = gv.read_fastq([texts[0], b"", texts[1], b"\n", texts[2]], columns=["source", "metadata"])
    assert p.source.tolist() == [0] * 300 + [2] + [4] * 700
    assert p.metadata.tolist() == list(range(1001))
    check([texts[0], b"", texts[1], b"\n", texts[2]])


def test_what_stands_for_parts_that_a_name_lacks() -> None:
    p = gv.read_fastq(fastq([b"read 1"]), columns=gv.COLUMNS)
    for name in ("lane", "tile", "surface", "swath", "read", "channel"):
        assert p[name].tolist() == [0], name
    assert p.x.tolist() == p.y.tolist() == [-(2**31)]
    assert p.filtered.tolist() == [255]
    assert p.zmw.tolist() == [2**32 - 1]
    assert np.isnat(p.start_time).tolist() == [True]
    assert p.index.tolist() == p.barcode.tolist() == [""]


def test_stereo_seq_names_tell_their_field() -> None:
    """Before the fix, the words behind the name made what it says unsaid."""
    p = gv.read_fastq(
        fastq([b"E1L4C001R0120/2 2A5B5C1F00 7E1B2"]), columns=["lane", "tile", "read"]
    )
    assert (p.lane[0], p.tile[0], p.read[0]) == (4, 1012, 2)
