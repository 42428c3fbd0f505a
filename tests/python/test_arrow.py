"""The Arrow PyCapsule interface: the same memory in other libraries, released anywhere."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pyarrow as pa
import pytest

import genomevedic as gv
from genomevedic import _core
from support import make_records

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
        mine = (
            [column.offsets, column.data] if name in ("name", "sequence", "qualities") else [column]
        )
        assert addresses(batch.column(name)) == [array.ctypes.data for array in mine]
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


def test_columns_that_are_no_columns_are_refused() -> None:
    offsets = np.array([0, 5], np.int64)
    misaligned = np.frombuffer(bytes(17), np.uint8)[1:].view(np.int64)
    for bad in (
        {"a": np.zeros((2, 2, 2), np.float32)},
        {"a": np.zeros(3, np.float64)},
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
