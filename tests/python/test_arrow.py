"""The Arrow PyCapsule interface: the same memory in other libraries, released anywhere."""

from __future__ import annotations

import datetime
import gc
import threading
import weakref

import numpy as np
import pyarrow as pa
import pytest

import genomevedic as gv
from genomevedic import _core
from support import make_records

TYPES_FROM_NAMES = {
    "lane": pa.uint8(),
    "tile": pa.uint32(),
    "surface": pa.uint8(),
    "swath": pa.uint8(),
    "x": pa.int32(),
    "y": pa.int32(),
    "read": pa.uint8(),
    "filtered": pa.uint8(),
    "channel": pa.uint16(),
    "start_time": pa.timestamp("us"),
    "zmw": pa.uint32(),
    "source": pa.uint32(),
    "index": pa.large_string(),
    "barcode": pa.large_string(),
}
UUID = "bd8655fb-383c-45cc-bff3-eb1dc86533e0"
LARGE = b"".join(b"@read:%06d\nACGTACGTGG\n+\nIIIIIIIIII\n" % i for i in range(60_000))
SMALL = b"".join(make_records(50, seed=2))


def lease_behind(array: np.ndarray) -> object:
    base = array.base
    while isinstance(base, np.ndarray):
        base = base.base
    return base


def addresses(array: pa.Array) -> list[int]:
    return [buffer.address for buffer in array.buffers() if buffer is not None]


@pytest.mark.parametrize("text", [SMALL, LARGE], ids=["block", "extents"])
def test_the_export_is_the_same_memory(text: bytes) -> None:
    p = gv.read_fastq(text, columns=gv.COLUMNS)
    batch = p.to_arrow()
    assert batch.num_rows == len(p)
    assert batch.schema.names == list(p.columns)
    for name in p.columns:
        column = p[name]
        mine = [column.offsets, column.data] if isinstance(column, gv.TextColumn) else [column]
        assert addresses(batch.column(name))[-len(mine) :] == [each.ctypes.data for each in mine]
    batch.validate(full=True)


def test_the_types() -> None:
    schema = gv.read_fastq(SMALL, columns=gv.COLUMNS).to_arrow().schema
    assert schema.field("position").type == pa.list_(pa.field("item", pa.float32(), False), 3)
    assert schema.field("color").type == pa.list_(pa.field("item", pa.float32(), False), 4)
    assert schema.field("metadata").type == pa.uint64()
    assert schema.field("length").type == pa.uint32()
    assert schema.field("gc").type == pa.float32()
    assert schema.field("name").type == pa.large_string()
    assert schema.field("qualities").type == pa.large_binary()
    for name, type in TYPES_FROM_NAMES.items():
        assert schema.field(name).type == type, name
    assert [field.name for field in schema if field.nullable] == ["start_time"]
    assert pa.schema(gv.read_fastq(SMALL, columns=gv.COLUMNS)) == schema


def test_the_values() -> None:
    p = gv.read_fastq(SMALL, columns=gv.COLUMNS)
    batch = p.to_arrow()
    np.testing.assert_array_equal(batch.column("gc").to_numpy(), p.gc)
    flat = batch.column("position").flatten().to_numpy()
    np.testing.assert_array_equal(flat.reshape(-1, 3), p.position)
    assert batch.column("sequence").to_pylist() == p.sequence.tolist()
    assert batch.column("qualities").to_pylist() == p.qualities.tolist()


@pytest.mark.parametrize("rows", [slice(10, 30), slice(None, None, 3), slice(40, 5, -2), [4, 4, 9]])
def test_parts_are_exported_as_they_are(rows: object) -> None:
    p = gv.read_fastq(SMALL, columns=gv.COLUMNS)[rows]
    batch = p.to_arrow()
    batch.validate(full=True)
    np.testing.assert_array_equal(batch.column("metadata").to_numpy(), p.metadata)
    assert batch.column("name").to_pylist() == p.name.tolist()


def test_a_contiguous_slice_is_exported_without_a_copy() -> None:
    p = gv.read_fastq(SMALL)[10:30]
    assert addresses(p.to_arrow().column("gc")) == [p.gc.ctypes.data]


def test_names_are_strings_where_all_are_utf8() -> None:
    p = gv.read_fastq("@Änne\nA\n+\nI\n@b\nC\n+\nI\n".encode(), columns=["name"])
    assert p.to_arrow().column("name").to_pylist() == ["Änne", "b"]
    split = gv.read_fastq(b"@a\xc3\nA\n+\nI\n@\xa9\nC\n+\nI\n", columns=["name"])
    assert split.to_arrow().column("name").to_pylist() == [b"a\xc3", b"\xa9"]


def test_names_that_are_not_utf8_are_binary() -> None:
    p = gv.read_fastq(b"@a\xff\xc3\xa9\nA\n+\nI\n@b\nC\n+\nI\n", columns=["name"])
    assert p.to_arrow().column("name").to_pylist() == [b"a\xff\xc3\xa9", b"b"]
    assert p[1:].to_arrow().column("name").to_pylist() == ["b"]


def test_no_reads() -> None:
    batch = gv.read_fastq(b"", columns=gv.COLUMNS).to_arrow()
    batch.validate(full=True)
    assert batch.num_rows == 0


@pytest.mark.parametrize("text", [SMALL, LARGE], ids=["block", "extents"])
def test_the_memory_outlives_the_particles(text: bytes) -> None:
    p = gv.read_fastq(text, columns=gv.COLUMNS)
    wanted, names = p.gc.copy(), p.name.tolist()
    batch = p.to_arrow()
    lease = weakref.ref(lease_behind(p.gc))
    del p
    gc.collect()
    assert lease() is None, "an export holds the memory itself, no Python object"
    np.testing.assert_array_equal(batch.column("gc").to_numpy(), wanted)
    assert batch.column("name").to_pylist() == names


def test_release_on_a_foreign_thread() -> None:
    """pyarrow frees in its own threads; here a thread that never held a particle drops the last
    reference, column by column, while others still read."""
    for _ in range(50):
        p = gv.read_fastq(SMALL, columns=gv.COLUMNS)
        wanted = p.length.tolist()
        columns = p.to_arrow().columns
        last = columns[4]
        del p
        held = [columns]
        del columns
        thread = threading.Thread(target=held.clear)
        thread.start()
        thread.join()
        assert last.to_pylist() == wanted


def test_capsules_that_nobody_takes_are_released() -> None:
    p = gv.read_fastq(LARGE)
    lease = weakref.ref(lease_behind(p.gc))
    for _ in range(100):
        p.__arrow_c_array__()
        p.__arrow_c_schema__()
    del p
    assert lease() is None


def nanopore(*tails: str) -> bytes:
    return "".join(f"@{UUID} {tail}\nA\n+\nI\n" for tail in tails).encode()


def test_times_are_there_or_null() -> None:
    text = nanopore(
        "ch=1 start_time=2024-05-01T10:00:00.25Z", *["ch=2"] * 9, "ch=3 start_time=1969"
    )
    p = gv.read_fastq(text * 3, columns=["start_time", "channel"])
    column = p.to_arrow().column("start_time")
    column.validate(full=True)
    assert column.null_count == 30
    assert [row is None for row in column.to_pylist()] == np.isnat(p.start_time).tolist()
    assert column[0].as_py() == datetime.datetime(2024, 5, 1, 10, 0, 0, 250_000)
    assert addresses(column)[1] == p.start_time.ctypes.data, "only the bitmap is made"
    for rows in (slice(1, 10), slice(0, 33, 11), slice(None, None, -1)):
        part = p[rows].to_arrow().column("start_time")
        assert part.to_pylist() == column.to_pylist()[rows]


def test_where_every_time_is_there_no_bitmap_is_made() -> None:
    p = gv.read_fastq(nanopore("start_time=1970-01-01T00:00:00Z"), columns=["start_time"])
    column = p.to_arrow().column("start_time")
    assert column.null_count == 0
    assert column.buffers()[0] is None
    assert column.to_pylist() == [datetime.datetime(1970, 1, 1)]
    nothing = gv.read_fastq(b"", columns=["start_time"]).to_arrow().column("start_time")
    assert (len(nothing), nothing.null_count) == (0, 0)


def test_the_bitmap_outlives_the_particles() -> None:
    text = nanopore("ch=1", "ch=2 start_time=2024-05-01T10:00:00Z")
    column = gv.read_fastq(text, columns=["start_time"]).to_arrow().column("start_time")
    gc.collect()
    assert column.is_valid().to_pylist() == [False, True]


def test_index_and_barcode_are_text() -> None:
    illumina = b"@A1:1:F:1:1101:5:6 1:N:0:%s\nA\n+\nI\n"
    p = gv.read_fastq(illumina % b"ACGT" + illumina % "Ä".encode(), columns=["index", "barcode"])
    batch = p.to_arrow()
    assert batch.column("index").to_pylist() == ["ACGT", "Ä"]
    assert batch.column("barcode").to_pylist() == ["", ""]
    p = gv.read_fastq(nanopore("barcode=b1", "barcode="), columns=["index", "barcode"])
    assert p.to_arrow().column("barcode").to_pylist() == ["b1", ""]
    binary = gv.read_fastq(illumina % b"\xff", columns=["index"]).to_arrow().column("index")
    assert binary.to_pylist() == [b"\xff"]


def test_columns_that_are_no_columns_are_refused() -> None:
    offsets = np.array([0, 5], np.int64)
    misaligned = np.frombuffer(bytes(17), np.uint8)[1:].view(np.int64)
    for bad in (
        {"a": np.zeros((2, 2, 2), np.float32)},
        {"a": np.zeros(3, np.float64)},
        {"a": np.zeros(3, np.int64)},
        {"a": np.zeros(3, "datetime64[ns]")},
        {"a": np.zeros(3, "datetime64[25us]")},
        {"a": np.zeros(3, "timedelta64[us]")},
        {"a": np.zeros((3, 2), "datetime64[us]")},
        {"a": np.zeros(3, ">f4")},
        {"a": (offsets, np.zeros(4, np.uint8))},
        {"a": (np.array([-1, 2], np.int64), np.zeros(4, np.uint8))},
        {"a": (np.array([0, 3, 2], np.int64), np.zeros(4, np.uint8))},
        {"a": (misaligned, np.zeros(4, np.uint8))},
        {"a": (offsets,)},
        {"a": 3},
        [],
    ):
        with pytest.raises(TypeError):
            _core.arrow_array(bad)
    with pytest.raises(ValueError, match="one length"):
        _core.arrow_array({"a": np.zeros(3, np.float32), "b": np.zeros(4, np.float32)})


def test_offsets_that_were_written_over_are_refused() -> None:
    for name in ("name", "qualities"):
        p = gv.read_fastq(SMALL, columns=[name]).copy()
        p[name].offsets[3] = 10**9
        with pytest.raises(TypeError):
            p.to_arrow()
