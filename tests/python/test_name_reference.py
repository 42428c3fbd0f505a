"""The oracle of read names is held against published names and near-misses worked out by hand.

``published.json`` holds names that were seen, each with its source and every field that is not
empty; a row with ``derived`` is a published one with a part changed, and says which.
``near_misses.json`` holds names that must not be parsed or, where a grammar is given, that must
carry no more than the fields beside it. Names are Latin-1.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from reference.name_generator import generate, huge_names
from reference.names import MAX_ZMW, Name, microseconds, parse
from support import DATA

PUBLISHED = json.loads((DATA / "names" / "published.json").read_text(encoding="utf-8"))
NEAR_MISSES = json.loads((DATA / "names" / "near_misses.json").read_text(encoding="utf-8"))
GRAMMARS = {
    "illumina-1.8",
    "element",
    "singular",
    "illumina-1.3",
    "nanopore-guppy",
    "nanopore-dorado",
    "pacbio",
    "pacbio-rs2",
    "mgi",
    "stereo-seq",
    "ultima",
}
WITH_PLACE = GRAMMARS - {"pacbio-rs2", "stereo-seq", "ultima"}
TEXTS = ("index", "barcode", "flow_cell_id")
UUID = "bd8655fb-383c-45cc-bff3-eb1dc86533e0"


def row_name(row: dict[str, Any]) -> str:
    return str(row["name"])[:60]


def expected(row: dict[str, Any]) -> Name | None:
    if "grammar" not in row:
        return None
    fields = dict(row["fields"])
    for text in TEXTS:
        if text in fields:
            fields[text] = fields[text].encode("latin-1")
    return Name(row["grammar"], **fields)


def test_every_grammar_has_its_names() -> None:
    published = Counter(row["grammar"] for row in PUBLISHED)
    near = Counter(row["near"] for row in NEAR_MISSES)
    assert set(published) == GRAMMARS
    assert set(near) == GRAMMARS | {"archive"}
    assert min(published.values()) >= 5
    assert min(near.values()) >= 5
    assert all(row["source"] for row in PUBLISHED)


@pytest.mark.parametrize("row", PUBLISHED, ids=row_name)
def test_published_names(row: dict[str, Any]) -> None:
    assert parse(row["name"].encode("latin-1")) == expected(row)


@pytest.mark.parametrize("row", NEAR_MISSES, ids=row_name)
def test_near_misses(row: dict[str, Any]) -> None:
    assert parse(row["name"].encode("latin-1")) == expected(row)


def test_published_names_carry_the_place_of_their_grammar() -> None:
    placed = {row["grammar"] for row in PUBLISHED if parse(row["name"].encode()).layout}
    assert placed == WITH_PLACE


@pytest.mark.parametrize("separator", [b" ", b"\t", b"\v", b"\f", b"\r", b" \t\r"])
def test_white_space_of_nanopore_names(separator: bytes) -> None:
    name = separator.join([UUID.encode(), b"read=5", b"ch=17"])
    assert parse(name) == Name("nanopore-guppy", channel=17)


@pytest.mark.parametrize("separator", [b" ", b"\t", b"   ", b" \t "])
def test_white_space_before_the_second_word(separator: bytes) -> None:
    name = parse(b"A1:1:F:1:1101:5:6" + separator + b"2:Y:0:ACGT" + separator)
    assert (name.read, name.filtered, name.index) == (2, 1, b"ACGT")


@pytest.mark.parametrize("byte", [b"\v", b"\f", b"\r", b"\x1c", b"\x85", b"\xa0", b"\0"])
def test_other_bytes_belong_to_a_word(byte: bytes) -> None:
    assert parse(b"A1:1:F:1:1101:5:6" + byte + b"1:N:0:ACGT") is None
    assert parse(b"A" + byte + b":1:F:1:1101:5:6").lane == 1
    assert parse(b"A1:1:F:1:1101:5:6 1:N:0:A" + byte).index == b"A" + byte


def test_the_bounds_of_numbers() -> None:
    casava = "A1:1:F:{}:{}:{}:{}"
    assert parse(casava.format(255, 99999, 999999999, 0).encode()) == Name(
        "illumina-1.8",
        lane=255,
        tile=99999,
        surface=9,
        swath=9,
        camera=9,
        number=99,
        x=999999999,
        y=0,
    )
    assert parse(casava.format("000000001", "000001101", 5, 6).encode()).tile == 1101
    assert parse(b"G4-1:1:F:1:999999:5:6").number == 999999
    assert parse(f"{UUID} ch=65535".encode()).channel == 65535
    assert parse(f"m64011_1_2/{MAX_ZMW}/ccs".encode()).zmw == 4294967294
    assert parse(b"m64011_1_2/0000000000/ccs").zmw == 0
    assert parse(b"A1:1:F:1:1101:5:6".replace(b"A1", b"A" * 1_000_000)).x == 5


@pytest.mark.parametrize(
    ("text", "seconds", "fraction"),
    [
        # date -u -d TEXT +%s
        ("1970-01-01T00:00:00Z", 0, 0),
        ("1969-12-31T23:59:59.9999999", -1, 999999),
        ("2000-02-29T12:00:00Z", 951825600, 0),
        ("2100-03-01T00:00:00Z", 4107542400, 0),
        ("0001-01-01T00:00:00Z", -62135596800, 0),
        ("9999-12-31T23:59:59Z", 253402300799, 0),
        ("2026-09-20T14:53:20+08:00", 1789887200, 0),
        ("2019-01-26T18:52:46-05:30", 1548528766 + 19800, 0),
        ("2019-01-26T18:52:46", 1548528766, 0),
        ("2019-01-26T18:52:46.1", 1548528766, 100000),
        ("2019-01-26T18:52:46.0000019Z", 1548528766, 1),
        ("2019-01-26T18:52:46." + "123456789" * 20 + "+00:00", 1548528766, 123456),
    ],
)
def test_times(text: str, seconds: int, fraction: int) -> None:
    assert microseconds(text.encode()) == seconds * 1_000_000 + fraction


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2019-01-26",
        "2019-01-26 18:52:46",
        "2019-01-26t18:52:46Z",
        "2019-01-26T18:52:46z",
        "2019-01-26T18:52Z",
        "2019-01-26T18:52:46,5Z",
        "2019-01-26T18:52:46+24:00",
        "2019-01-26T18:52:46+01:60",
        "2019-01-26T18:52:46+01",
        "2019-01-26T18:60:46Z",
        "2019-13-26T18:52:46Z",
        "2019-00-26T18:52:46Z",
        "2019-04-31T18:52:46Z",
        "2019-04-00T18:52:46Z",
        "2019-02-29T18:52:46Z",
        "2100-02-29T18:52:46Z",
        "0000-01-01T00:00:00Z",
        "+2019-01-26T18:52:46Z",
        "2019-01-26T18:52:46ZZ",
    ],
)
def test_no_times(text: str) -> None:
    assert microseconds(text.encode()) is None


def test_generated_names_are_of_all_kinds() -> None:
    """Both sound names and others, of every grammar, renamed ones too; the same for one seed."""
    names = list(generate(30_000))
    assert names == list(generate(30_000))
    assert names[:100] != list(generate(100, seed=2))
    parsed = [name for name in map(parse, names) if name is not None]
    assert 0.4 < len(parsed) / len(names) < 0.9
    assert Counter(name.grammar for name in parsed).keys() == GRAMMARS
    assert min(Counter(name.grammar for name in parsed).values()) >= 20
    assert any(name.renamed for name in parsed)
    assert {name.read for name in parsed} == {0, 1, 2}
    assert {name.filtered for name in parsed} == {0, 1, 255}
    assert any(name.start_time is not None and name.start_time < 0 for name in parsed)
    assert not any(b"\n" in name or name.endswith(b"\r") for name in names)


def test_huge_names() -> None:
    names = huge_names()
    assert min(map(len, names)) >= 999_990
    assert sum(parse(name) is not None for name in names) == 20
