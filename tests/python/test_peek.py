"""peek_fastq: what the first reads show, without reading or moving more than it says."""

import gzip
import io
import math
import os
import threading

import pytest

import genomevedic as gv
from genomevedic.peek import peek_stream
from support import DATA, bgzf


def record(name="r", sequence="ACGT", qualities=None):
    qualities = "I" * len(sequence) if qualities is None else qualities
    return f"@{name}\n{sequence}\n+\n{qualities}\n".encode()


def many(count, **parts):
    return b"".join(record(f"read{i:07d}", **parts) for i in range(count))


class Trickle(io.RawIOBase):
    """A stream that cannot seek, and counts what was taken from it."""

    def __init__(self, data):
        self.data = memoryview(data)
        self.taken = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        count = min(len(buffer), len(self.data) - self.taken)
        buffer[:count] = self.data[self.taken : self.taken + count]
        self.taken += count
        return count


def test_the_sample():
    path = gv.datasets.flowcell_sample()
    summary = gv.peek_fastq(path)
    assert summary.source == str(path)
    assert (summary.format, summary.platform, summary.encoding) == ("gzip", "illumina", "phred33")
    assert summary.first_name.startswith("SIM001:1:HGVSIMDSX1:1:1101:")
    assert (summary.reads, summary.whole) == (1000, False)
    assert (summary.length_min, summary.length_mean, summary.length_max) == (75, 75.0, 75)
    assert summary.quality_range == (35, 70)
    assert summary.layouts == ("flowcell", "composition", "tetranucleotide", "spiral", "grid")
    assert summary.estimated_reads == pytest.approx(7040, rel=0.1)


def test_measures_are_those_of_reading_the_same_reads():
    path = gv.datasets.flowcell_sample()
    stats = gv.read_fastq(path, limit=300).stats
    summary = gv.peek_fastq(path, reads=300)
    assert summary.gc == pytest.approx(stats.mean_gc, rel=1e-12)
    assert summary.mean_quality == pytest.approx(stats.mean_quality, rel=1e-12)
    assert summary.length_mean == pytest.approx(stats.mean_length, rel=1e-12)


def test_gc_counts_both_cases_and_uracil_and_no_other_code():
    summary = gv.peek_fastq(record(sequence="GgCcAaTtUuNn.-R"))
    assert summary.gc == 4 / 10
    assert math.isnan(gv.peek_fastq(record(sequence="NNN")).gc)


@pytest.mark.parametrize(
    ("count", "reads", "whole"), [(9, 10, True), (10, 10, True), (11, 10, False), (1, 1, True)]
)
def test_whole(count, reads, whole):
    summary = gv.peek_fastq(many(count), reads=reads)
    assert summary.whole is whole
    assert summary.reads == min(count, reads)
    if whole:
        assert summary.estimated_reads == count


def test_nothing_at_all():
    summary = gv.peek_fastq(b"")
    assert (summary.reads, summary.whole, summary.estimated_reads) == (0, True, 0)
    assert summary.first_name is None
    assert summary.length_min is None and summary.length_max is None
    assert summary.quality_range is None
    assert summary.platform == "unknown"
    assert math.isnan(summary.gc) and math.isnan(summary.mean_quality)
    assert "0 reads, the whole input" in repr(summary)
    assert "1 read, the whole input" in repr(gv.peek_fastq(record()))


def test_a_read_without_bases():
    summary = gv.peek_fastq(b"@r\n\n+\n\n")
    assert (summary.reads, summary.length_min, summary.length_max) == (1, 0, 0)
    assert summary.encoding == "ambiguous"
    assert math.isnan(summary.mean_quality)


@pytest.mark.parametrize("reads", [0, -1, 2.5, "all", True])
def test_reads_must_be_positive(reads):
    words = "reads must be (at least 1|a whole number)"
    with pytest.raises((ValueError, TypeError), match=words):
        gv.peek_fastq(b"", reads=reads)


# --- the encoding -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("qualities", "encoding"),
    [
        ("#III", "phred33"),
        (":III", "phred33"),  # 58: below all that Solexa wrote
        (";hhh", "ambiguous"),  # 59: Solexa's lowest, or Phred+33
        ("?hhh", "ambiguous"),
        ("@ABh", "phred64"),
        ("Bfgi", "phred64"),
        ("@~~~", "phred64"),
        ("FFFI", "ambiguous"),  # Q37 to Q40, or Q6 to Q9
        ("@ABS", "ambiguous"),  # 83: the highest of an instrument under Phred+33
        ("@ABT", "phred64"),
        ("~~~~", "ambiguous"),  # one value only is no evidence
    ],
)
def test_encoding(qualities, encoding):
    assert gv.peek_fastq(record(qualities=qualities)).encoding == encoding


def test_consensus_reads_are_not_taken_for_phred64():
    name = "m64011_190830_220126/{}/ccs"
    data = record(name.format(1), qualities="@~~~") + record(name.format(2), qualities="~~~~")
    summary = gv.peek_fastq(data)
    assert (summary.platform, summary.encoding) == ("pacbio", "ambiguous")
    assert "if the encoding is Phred+33" in repr(summary)


def test_mean_quality_is_under_the_encoding_found():
    assert gv.peek_fastq(record(qualities="@@hh")).mean_quality == 20.0
    assert gv.peek_fastq(record(qualities="!!II")).mean_quality == 20.0
    assert gv.peek_fastq(record(qualities="IIII")).mean_quality == 40.0


def test_own_phred64_case():
    summary = gv.peek_fastq(DATA / "y_phred64.fastq")
    stats = gv.read_fastq(DATA / "y_phred64.fastq", encoding="phred64").stats
    assert summary.encoding == "phred64"
    assert summary.mean_quality == pytest.approx(stats.mean_quality)


# --- sources ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pack", "form"), [(bytes, "plain"), (gzip.compress, "gzip"), (bgzf, "bgzf")]
)
@pytest.mark.parametrize("how", ["path", "bytes", "memoryview", "file", "BytesIO", "stream"])
def test_format_is_told_for_every_kind_of_source(tmp_path, pack, form, how):
    data = pack(many(20))
    path = tmp_path / "no_ending"
    path.write_bytes(data)
    with path.open("rb") as stream:
        source = {
            "path": path,
            "bytes": data,
            "memoryview": memoryview(data),
            "file": stream,
            "BytesIO": io.BytesIO(data),
            "stream": Trickle(data),
        }[how]
        summary = gv.peek_fastq(source, reads=5)
    assert summary.format == form
    assert (summary.reads, summary.whole) == (5, False)
    if how == "stream":
        assert summary.estimated_reads is None
    else:
        assert summary.estimated_reads > 5


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bgzf])
def test_estimate_is_near(tmp_path, pack):
    path = tmp_path / "reads"
    path.write_bytes(pack(*[many(50_000)] if pack is not bgzf else blocks(many(50_000))))
    assert gv.peek_fastq(path).estimated_reads == pytest.approx(50_000, rel=0.1)


def wrapped(i):
    return f"@read{i:07d}\nACGT\nACGT\nAC\n+\nIIII\nIIII\nII\n".encode()


SHAPES = {
    "name repeated": lambda i: f"@read{i:07d} and more\nA\n+read{i:07d} and more\nI\n".encode(),
    "CRLF": lambda i: f"@r{i:07d}\r\nAC\r\n+\r\nII\r\n".encode(),
    "wrapped": wrapped,
    "wrapped CRLF": lambda i: wrapped(i).replace(b"\n", b"\r\n"),
    "empty": lambda i: b"@r%07d\n\n+\n\n" % i,
    "plus and at": lambda i: b"@r%07d\n+@+\n+\n@+@\n" % i,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reads", [1, 7, 1000])
def test_the_estimate_counts_the_text_as_it_stands(shape, reads):
    """All records are of one size, so that the estimate is the number of reads."""
    data = b"".join(map(SHAPES[shape], range(3000)))
    assert gv.peek_fastq(data, reads).estimated_reads == 3000
    assert gv.peek_fastq([b"", data], reads).estimated_reads == 3000
    packed = gv.peek_fastq(gzip.compress(data), reads).estimated_reads
    assert packed == pytest.approx(3000, rel=0.1)


def test_the_estimate_of_records_longer_than_the_head(monkeypatch):
    from genomevedic import peek

    monkeypatch.setattr(peek, "_SAMPLE_TEXT", 5000)
    data = b"".join(b"@r\r\n%s\r\n+\r\n%s\r\n" % (b"A" * 995, b"I" * 995) for _ in range(100))
    assert gv.peek_fastq(data, 50).estimated_reads == 100
    monkeypatch.setattr(peek, "_SAMPLE_TEXT", 500)
    assert gv.peek_fastq(data, 50).estimated_reads == pytest.approx(100, rel=0.01)


def blocks(data, size=60_000):
    return [data[at : at + size] for at in range(0, len(data), size)]


def test_a_file_object_is_left_where_it_was():
    data = b"ignored" + many(100)
    stream = io.BytesIO(data)
    stream.seek(7)
    summary = gv.peek_fastq(stream, reads=3)
    assert stream.tell() == 7
    assert summary.first_name == "read0000000"
    assert summary.estimated_reads == pytest.approx(100, abs=1)


def test_a_file_object_is_put_back_after_a_fault():
    stream = io.BytesIO(b"@r\nACGT\n+\nIII\n")
    with pytest.raises(gv.errors.FastqFormatError):
        gv.peek_fastq(stream)
    assert stream.tell() == 0


def test_the_end_of_a_stream_that_is_unpacked_is_not_looked_for(monkeypatch):
    def seek(stream, offset, whence=os.SEEK_SET, original=gzip.GzipFile.seek):
        assert whence != os.SEEK_END
        return original(stream, offset, whence)

    monkeypatch.setattr(gzip.GzipFile, "seek", seek)
    with gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(many(100)))) as stream:
        summary = gv.peek_fastq(stream, reads=10)
        assert stream.tell() == 0
    assert (summary.format, summary.estimated_reads) == ("plain", None)


def test_a_large_stream_is_not_read_to_its_end():
    stream = Trickle(many(400_000))
    gv.peek_fastq(stream, reads=10)
    assert stream.taken < len(stream.data) // 2


def test_a_list_is_read_in_order():
    parts = [many(3), io.BytesIO(many(4)), many(5)]
    summary = gv.peek_fastq(parts)
    assert (summary.reads, summary.whole, summary.estimated_reads) == (12, True, 12)
    assert summary.source == "bytes in memory and 2 more"
    assert parts[1].tell() == 0


def test_a_list_of_several_formats_has_no_estimate():
    summary = gv.peek_fastq([many(100), gzip.compress(many(100))], reads=50)
    assert summary.estimated_reads is None
    assert gv.peek_fastq([many(100), many(100)], reads=50).estimated_reads == 200


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(gzip.compress(many(30)),))
    writer.start()
    summary = gv.peek_fastq(path)
    writer.join()
    assert (summary.format, summary.reads, summary.whole) == ("gzip", 30, True)


@pytest.mark.parametrize("source", [5, None, 1.5, io.StringIO("@r\nA\n+\nI\n")])
def test_what_is_no_source_is_a_type_error(source):
    with pytest.raises(TypeError):
        gv.peek_fastq(source)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        gv.peek_fastq(tmp_path / "missing.fastq")


def test_a_fault_within_the_reads_examined_is_raised():
    with pytest.raises(gv.errors.FastqFormatError) as caught:
        gv.peek_fastq(many(5) + b"oops\n" + many(5))
    assert (caught.value.line, caught.value.record) == (21, 6)


def test_a_fault_in_a_stream_names_it():
    with pytest.raises(gv.errors.FastqFormatError) as caught:
        peek_stream(Trickle(b"oops"), 10, "the input")
    assert caught.value.path == "the input"


def test_a_fault_behind_them_is_not_judged():
    summary = gv.peek_fastq(many(5) + b"oops\n" + many(5), reads=5)
    assert (summary.reads, summary.whole) == (5, False)


# --- a stream given back ------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_peek_stream_gives_all_bytes_back(pack):
    data = pack(many(3000))
    summary, replay = peek_stream(Trickle(data), 10, "the input")
    assert (summary.source, summary.reads) == ("the input", 10)
    assert replay.read() == data
    assert replay.read() == b""


def test_peek_stream_reads_on_as_particles():
    data = many(3000)
    _, replay = peek_stream(Trickle(data), 10, "the input")
    assert gv.read_fastq(replay) == gv.read_fastq(data)


# --- in words -----------------------------------------------------------------------------------


def test_repr_escapes_what_a_terminal_would_act_on():
    summary = gv.peek_fastq(b"@\x1b[31mred\xff\nA\n+\nI\n")
    assert summary.first_name == "\x1b[31mred\udcff"
    assert "\\x1b[31mred\\udcff" in repr(summary)
    assert "\x1b" not in repr(summary)


def test_as_dict_has_the_fields_in_order():
    summary = gv.peek_fastq(many(2))
    assert list(summary.as_dict())[:3] == ["source", "format", "platform"]
    assert summary.as_dict()["reads"] == 2
    with pytest.raises(AttributeError):
        summary.reads = 3
