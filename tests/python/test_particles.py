"""Particles as a container: rows, columns, copies, and what other libraries are handed."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest

import genomevedic as gv
from genomevedic.particles import _size
from support import make_records

UUID = b"bd8655fb-383c-45cc-bff3-eb1dc86533e0"
# Channel and time, channel alone, and a name of no platform, in turns.
TAILS = (b" ch=%d start_time=2024-05-01T10:00:%02dZ barcode=b%d", b" read=7 ch=%d", b"")


def nanopore_records(count: int) -> bytes:
    """Reads whose columns from names hold something, and lack it."""
    records = []
    for i, record in enumerate(make_records(count, seed=11)):
        tail = TAILS[i % 3]
        name = UUID + tail % ((i + 1,) * tail.count(b"%")) if tail else b"read %d" % i
        _, rest = record.split(b"\n", 1)
        separator = rest.index(b"\n+") + 1
        records.append(b"@" + name + b"\n" + rest[:separator])
        records.append(b"+\n" + rest[separator:].split(b"\n", 1)[1])
    return b"".join(records)


TEXT = nanopore_records(40)
WHOLE = gv.read_fastq(TEXT, columns=gv.COLUMNS, layout="composition")
ROWS = [
    slice(None),
    slice(10, 20),
    slice(-5, None),
    slice(30, 10),
    slice(None, None, 3),
    slice(None, None, -1),
    np.arange(40) % 3 == 0,
    [True] * 20 + [False] * 20,
    np.array([5, 5, 39, -1, 0]),
    [],
    np.zeros(40, bool),
]


def expected_rows(rows: object) -> list[dict[str, object]]:
    """The rows that the same choice takes from a plain array."""
    is_empty = isinstance(rows, list) and not rows
    chosen = np.arange(len(WHOLE))[np.zeros(0, int) if is_empty else rows]
    return [WHOLE[int(row)] for row in chosen]


@pytest.mark.parametrize("rows", ROWS, ids=range(len(ROWS)))
def test_rows_are_those_of_a_plain_list(rows: object) -> None:
    part = WHOLE[rows]
    wanted = expected_rows(rows)
    assert len(part) == len(wanted)
    assert part.columns == WHOLE.columns
    for found, right in zip(part, wanted, strict=True):
        for name in WHOLE.columns:
            np.testing.assert_array_equal(found[name], right[name])


@pytest.mark.parametrize("rows", [s for s in ROWS if isinstance(s, slice)], ids=str)
def test_a_slice_is_a_view(rows: slice) -> None:
    part = WHOLE[rows]
    for name in gv.DEFAULT_COLUMNS:
        assert len(part) == 0 or np.shares_memory(part[name], WHOLE[name])


def test_text_slices_are_views() -> None:
    assert np.shares_memory(WHOLE.name[3:9].data, WHOLE.name.data)
    assert np.shares_memory(WHOLE.name[3:9].offsets, WHOLE.name.offsets)
    assert WHOLE.name[3:9].tolist() == WHOLE.name.tolist()[3:9]


@pytest.mark.parametrize("rows", [np.arange(40) % 2 == 0, [1, 2, 3]], ids=["mask", "rows"])
def test_masks_and_row_numbers_copy(rows: object) -> None:
    part = WHOLE[rows]
    for name in gv.DEFAULT_COLUMNS:
        assert not np.shares_memory(part[name], WHOLE[name])
    assert not np.shares_memory(part.name.data, WHOLE.name.data)


def test_gathering_more_rows_than_one_stretch() -> None:
    text = b"".join(
        b"@%d\n%s\n+\n%s\n" % (i, b"A" * (i % 4), b"I" * (i % 4)) for i in range(40_000)
    )
    p = gv.read_fastq(text, columns=["name"])
    order = np.random.default_rng(3).permutation(len(p))
    assert p[order].name.tolist() == [str(i) for i in order]


@pytest.mark.parametrize(
    "key", [1.5, [0.5], np.zeros((2, 2), bool), None, "nothing", True, np.False_]
)
def test_what_is_no_choice_of_rows_is_refused(key: object) -> None:
    with pytest.raises((TypeError, KeyError)):
        WHOLE[key]
    if not isinstance(key, str):
        with pytest.raises((TypeError, IndexError)):
            WHOLE.name[key]


@pytest.mark.parametrize("row", [40, -41])
def test_a_row_outside_is_an_index_error(row: int) -> None:
    with pytest.raises(IndexError):
        WHOLE[row]
    with pytest.raises(IndexError):
        WHOLE.name[row]


def test_a_mask_of_another_length_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        WHOLE[np.ones(39, bool)]


def test_columns_are_attributes_and_items() -> None:
    assert WHOLE["gc"] is WHOLE.gc
    assert "gc" in dir(WHOLE)
    p = gv.read_fastq(TEXT, layout="composition", columns=["quality", "gc"])
    assert p.columns == ("quality", "gc")
    with pytest.raises(AttributeError, match="without the column 'length'"):
        p.length  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        p.colour  # noqa: B018


def test_nbytes_is_the_sum_of_the_columns() -> None:
    p = gv.read_fastq(TEXT, layout="composition")
    assert p.nbytes == 40 * (12 + 16 + 4 + 8 + 4 + 4 + 4)
    q = gv.read_fastq(TEXT, layout="composition", columns=["name"])
    assert q.nbytes == 41 * 8 + sum(len(name) for name in q.name)


def test_writing_through_one_view_shows_in_the_others() -> None:
    p = gv.read_fastq(TEXT, layout="composition")
    view = p[10:20]
    view.gc[0] = 0.25
    assert p.gc[10] == np.float32(0.25)
    other = p.copy()
    other.gc[10] = 0.75
    assert p.gc[10] == np.float32(0.25)


def test_equality_is_by_content() -> None:
    again = gv.read_fastq(TEXT, layout="composition", columns=gv.COLUMNS)
    assert again == WHOLE
    assert np.isnan(WHOLE.quality).any(), "the sample needs an empty read, whose quality is NaN"
    again.gc[0] += 1
    assert again != WHOLE
    assert WHOLE[1:] != WHOLE
    assert gv.read_fastq(TEXT, layout="composition") != WHOLE
    assert gv.read_fastq(TEXT, columns=gv.COLUMNS, layout="spiral") != WHOLE
    assert WHOLE != "particles"


def test_particles_cannot_be_hashed() -> None:
    for thing in (WHOLE, WHOLE.name):
        with pytest.raises(TypeError, match="unhashable"):
            hash(thing)


def test_concat() -> None:
    parts = [WHOLE[:7], WHOLE[7:7], WHOLE[7:30], WHOLE[30:]]
    assert gv.Particles.concat(parts) == WHOLE
    assert parts[0].concat(*parts[1:]) == WHOLE
    assert parts[0].concat(parts[1:]) == WHOLE
    assert parts[0].concat(iter(parts[1:3]), parts[3]) == WHOLE
    with pytest.raises(TypeError, match="only Particles can be joined, not str"):
        WHOLE.concat(["gc"])
    with pytest.raises(ValueError, match="no particles"):
        gv.Particles.concat([])
    with pytest.raises(ValueError, match="columns differ"):
        WHOLE.concat(gv.read_fastq(TEXT, layout="composition"))
    with pytest.raises(ValueError, match="layouts differ"):
        WHOLE.concat(gv.read_fastq(TEXT, columns=gv.COLUMNS, layout="spiral"))


def test_copy_shares_nothing() -> None:
    p = WHOLE[5:15].copy()
    assert p == WHOLE[5:15]
    assert not np.shares_memory(p.gc, WHOLE.gc)
    assert not np.shares_memory(p.sequence.data, WHOLE.sequence.data)


def test_sample_is_drawn_without_replacement_and_in_order() -> None:
    p = WHOLE.sample(12, rng=5)
    drawn = p.metadata.tolist()
    assert len(p) == 12
    assert drawn == sorted(set(drawn))
    assert p == WHOLE.sample(12, rng=5)
    assert p != WHOLE.sample(12, rng=6)
    assert WHOLE.sample(1000) == WHOLE
    assert len(WHOLE.sample(0)) == 0
    with pytest.raises(ValueError, match="must not be negative"):
        WHOLE.sample(-1)
    with pytest.raises(TypeError, match="whole number"):
        WHOLE.sample(2.5)


def test_sampling_is_even() -> None:
    rng = np.random.default_rng(1)
    counts = np.zeros(len(WHOLE), int)
    for _ in range(2000):
        counts[WHOLE.sample(10, rng=rng).metadata] += 1
    # 2000 draws of a quarter: 500 ± 19; five standard deviations.
    assert abs(counts - 500).max() < 97


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickling(protocol: int) -> None:
    part = WHOLE[3:33]
    again = pickle.loads(pickle.dumps(part, protocol))
    assert again == part
    assert again.stats == part.stats


def test_pickling_hands_columns_over_out_of_band() -> None:
    p = gv.read_fastq(TEXT, layout="composition")
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(p, 5, buffer_callback=buffers.append)
    assert len(buffers) == len(p.columns)
    assert np.shares_memory(np.frombuffer(buffers[0].raw(), np.float32), p.position)
    again = pickle.loads(data, buffers=buffers)
    assert again == p
    assert np.shares_memory(again.position, p.position)


def test_a_pickled_slice_of_text_carries_its_own_rows_alone() -> None:
    part = WHOLE[3:5]
    again = pickle.loads(pickle.dumps(part, 5))
    assert again.sequence.data.nbytes == int(part.length.sum())


def test_repr_shows_columns_and_the_ends() -> None:
    text = repr(WHOLE)
    assert "40 reads" in text
    assert "Particles: 1 read, " in repr(WHOLE[:1])
    assert "layout composition" in text
    for name in WHOLE.columns:
        assert name in text
    assert "\n 4 " in text and "\n35 " in text and "\n 5 " not in text and "…" in text
    assert repr(WHOLE[:3]).count("\n") == 4
    assert "0 reads" in repr(WHOLE[:0])


def test_repr_html_escapes_what_a_file_brings() -> None:
    p = gv.read_fastq(b"@<script>alert(1)</script>\nA\n+\nI\n", columns=["name", "gc"])
    page = p._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<th>") == 3


def test_repr_does_not_pass_control_characters_on() -> None:
    p = gv.read_fastq(b"@a\x1b[31m\tb\xff\nA\n+\nI\n", columns=["name"])
    assert "\x1b" not in repr(p)
    assert p.name[0] == "a\x1b[31m\tb\udcff"
    repr(p).encode()


@pytest.mark.parametrize(
    ("nbytes", "words"), [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (2**31, "2 GiB")]
)
def test_sizes_in_words(nbytes: int, words: str) -> None:
    assert _size(nbytes) == words


def test_to_pandas_is_flat() -> None:
    frame = gv.read_fastq(TEXT, layout="composition").to_pandas()
    names = ["x", "y", "z", "r", "g", "b", "a", "size", "metadata", "length", "gc", "quality"]
    assert list(frame.columns) == names
    assert len(frame) == 40
    np.testing.assert_array_equal(frame["y"].to_numpy(), WHOLE.position[:, 1])
    frame = WHOLE.to_pandas()
    apart = ["position_x", "position_y", "position_z"]
    assert list(frame.columns) == [*apart, *names[3:], *gv.COLUMNS[7:]]
    np.testing.assert_array_equal(frame["position_y"].to_numpy(), WHOLE.position[:, 1])
    for name in gv.COLUMNS[8:20]:
        assert frame[name].dtype == WHOLE[name].dtype
        np.testing.assert_array_equal(frame[name].to_numpy(), WHOLE[name])
    assert frame["start_time"].isna().tolist() == [i % 3 > 0 for i in range(40)]
    assert frame["barcode"].tolist()[:4] == ["b1", "", "", "b4"]
    np.testing.assert_array_equal(frame["a"].to_numpy(), WHOLE.color[:, 3])
    assert frame["name"].tolist() == WHOLE.name.tolist()
    assert frame["qualities"].tolist() == WHOLE.qualities.tolist()


def test_names_that_are_no_utf8_go_to_pandas() -> None:
    p = gv.read_fastq("@é\n\n+\n\n".encode() + b"@a\xff\n\n+\n\n", columns=["name", "qualities"])
    frame = p.to_pandas()
    assert frame["name"].tolist() == ["é", "a\udcff"]
    assert frame["name"].dtype == object
    assert p[:1].to_pandas()["name"].tolist() == ["é"]
    assert p[:1].to_pandas()["name"].dtype == WHOLE.to_pandas()["name"].dtype


def test_to_polars() -> None:
    frame = WHOLE.to_polars()
    assert frame.columns == list(WHOLE.columns)
    np.testing.assert_array_equal(frame["position"].to_numpy(), WHOLE.position)
    assert frame["sequence"].to_list() == WHOLE.sequence.tolist()
    for name in gv.COLUMNS[8:20]:
        if name != "start_time":
            np.testing.assert_array_equal(frame[name].to_numpy(), WHOLE[name])
    times = frame["start_time"]
    assert times.is_null().to_list() == np.isnat(WHOLE.start_time).tolist()
    assert times.to_list() == WHOLE.start_time.tolist()
    assert frame["channel"].dtype.is_unsigned_integer()
    assert frame["barcode"].to_list() == WHOLE.barcode.tolist()


def test_to_arrow_of_all_columns() -> None:
    batch = WHOLE.to_arrow()
    batch.validate(full=True)
    assert batch.schema.names == list(gv.COLUMNS)
    for name in gv.COLUMNS[7:]:
        found, wanted = batch.column(name).to_pylist(), WHOLE[name].tolist()
        assert repr(found) == repr(wanted), name  # in words, NaN is NaN


@pytest.mark.parametrize("module", ["pandas", "polars", "pyarrow"])
def test_without_a_library_its_extra_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    extra = module.replace("pyarrow", "arrow")
    with pytest.raises(ImportError, match=rf'pip install "genomevedic\[{extra}\]"'):
        getattr(WHOLE, f"to_{extra}")()


def test_particles_need_columns_of_one_length() -> None:
    with pytest.raises(ValueError, match="one length"):
        gv.Particles({"gc": np.zeros(2), "size": np.zeros(3)}, gv.layouts.Spiral())
    with pytest.raises(ValueError, match="one length"):
        gv.Particles({}, gv.layouts.Spiral())


def test_no_reads_are_particles_too() -> None:
    p = gv.read_fastq(b"", columns=gv.COLUMNS)
    assert len(p) == 0
    assert p.position.shape == (0, 3)
    assert p.color.shape == (0, 4)
    assert p.name.tolist() == []
    assert len(p.to_pandas()) == 0
    assert p == gv.read_fastq([b"", b""], columns=gv.COLUMNS)
    assert pickle.loads(pickle.dumps(p)) == p
    assert gv.Particles.concat([p, WHOLE]) == WHOLE


def test_rows_as_dicts() -> None:
    row = gv.read_fastq(b"@r\nGC\n+\nII\n")[0]
    assert row["gc"] == 1 and row["quality"] == 40 and row["length"] == 2
    assert [each["metadata"] for each in WHOLE[:3]] == [0, 1, 2]
