"""Records at fault passed over: exactly those, and nothing else, however the input comes."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genomevedic as gv
import reference
from compare import place_of
from support import (
    END_BLOCK,
    OwnCase,
    ReadIntoPieces,
    ReadPieces,
    SharedCase,
    always,
    at_random,
    bgzf,
    case_name,
    gzip_cases,
    make_records,
    needs_shared_cases,
    own_cases,
    shared_cases,
)

TEXTS = ("name", "sequence", "qualities")
COLUMNS = ("metadata", *TEXTS)
SOUND = b"@%d\nACGT\n+\nIIII\n"


def skip_all(source: object, **options: Any) -> dict[str, Any]:
    """All that comes of a reading that passes over what it can."""
    errors: list[Any] = []

    def keep(error: Any) -> str:
        errors.append(error)
        return "skip"

    fault: Any = None
    rows: list[tuple[Any, ...]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with gv.scan_fastq(source, columns=COLUMNS, on_error=keep, **options) as reader:
            try:
                for batch in reader.batches(1000):
                    rows += zip(*(batch[name].tolist() for name in COLUMNS), strict=True)
            except gv.errors.GenomeVedicError as error:
                fault = error
            stats = reader.stats
            assert len(reader.errors) == stats.skipped
    # What was asked of, and then not passed over to a sound record, is what ended the reading.
    skipped = [error for error in errors if "resumed_offset" in error.context]
    return {
        "rows": rows,
        "skipped": [
            (*place_of(e), e.context["resumed_offset"], e.context["resumed_line"]) for e in skipped
        ],
        "fault": None if fault is None else place_of(fault),
        "counts": (stats.reads, stats.kept, stats.skipped, stats.filtered, stats.wrapped),
    }


def expected(text: bytes, **options: Any) -> dict[str, Any]:
    outcome = reference.read_skipping(text, **options)

    def decoded(value: bytes) -> str:
        return value.decode("utf-8", "surrogateescape")

    def place(fault: reference.Fault) -> tuple[Any, ...]:
        return (fault.kind, fault.line, fault.record, fault.offset, fault.field)

    kept, skipped = len(outcome.records), len(outcome.skipped)
    return {
        "rows": [
            (ordinal, decoded(each.name), decoded(each.sequence), each.qualities)
            for ordinal, each in outcome.records
        ],
        "skipped": [
            (*place(each.fault), each.resumed_offset, each.resumed_line) for each in outcome.skipped
        ],
        "fault": None if outcome.fault is None else place(outcome.fault),
        "counts": (kept + skipped, kept, skipped, 0, outcome.wrapped),
    }


def check(text: bytes, **options: Any) -> dict[str, Any]:
    found = skip_all(text, **options)
    assert found == expected(text, **options), text[:500]
    return found


# --- the rule, against the oracle -------------------------------------------------------------


@pytest.mark.parametrize("case", own_cases(), ids=case_name)
def test_own_cases(case: OwnCase) -> None:
    found = check(case.path.read_bytes(), **case.options)
    if case.error is None:
        assert found["skipped"] == []
    elif case.error == "TruncatedFileError":
        assert found["fault"] == case.fault
    else:
        assert found["skipped"][0][:5] == case.fault


@needs_shared_cases
@pytest.mark.parametrize("case", shared_cases("fastq_", "error"), ids=case_name)
def test_shared_error_cases(case: SharedCase) -> None:
    found = check(case.path.read_bytes())
    assert found["fault"] is not None or found["skipped"] != []


@needs_shared_cases
@pytest.mark.parametrize("case", shared_cases("fastq_", "ok"), ids=case_name)
def test_shared_sound_cases(case: SharedCase) -> None:
    assert check(case.path.read_bytes())["skipped"] == []


@pytest.mark.parametrize(
    ("text", "names", "reads"),
    [
        # The first record at fault: what follows is found all the same.
        (b"x\nA\n+\nI\n" + SOUND % 1, ["1"], 2),
        # A quality line that begins with '@' is tried, and is no record.
        (b"@a\nA C\n+\n@II\n" + SOUND % 1 + SOUND % 2, ["1", "2"], 3),
        # Two records at fault in a row are one stretch.
        (SOUND % 0 + b"@a\nAC\n+\nI\n@b\nA\n-\nI\n" + SOUND % 1, ["0", "1"], 3),
        # A blank line is a stretch of its own.
        (SOUND % 0 + b"\n" + SOUND % 1, ["0", "1"], 3),
        (SOUND % 0 + b"\n\r\n\n" + SOUND % 1, ["0", "1"], 3),
        (b"\n" + SOUND % 1, ["1"], 2),
        # Nothing sound follows.
        (SOUND % 0 + b"no\nrecord\n", ["0"], 2),
        (b"no record", [], 1),
        (SOUND % 0 + b"\n\0\0\0", ["0"], 2),
        # Wrapped records are tried as such.
        (b"@w\nAC\nGT\n+\nII\nII\nx\n@v\nAC\nGT\n+\nII\nII\n", ["w", "v"], 3),
    ],
)
def test_where_reading_goes_on(text: bytes, names: list[str], reads: int) -> None:
    found = check(text)
    assert [row[1] for row in found["rows"]] == names
    assert found["counts"][0] == reads


@pytest.mark.parametrize(
    ("text", "is_cut"),
    [
        # A record begins behind the one at fault, and the input ends in it.
        (b"xa\nACGT\n+\nIIII\n@b\nAC", True),
        (b"@a\nA GT\n+\nIIII\n@b\n", True),
        (b"@a\nAC\nG\n+\nIIII\n@b\n", True),
        (b"@a\nACGT\n-\nIIII\n@b\nACGT\n+\nII", True),
        (SOUND % 0 + b"\n@b\nACGT\n", True),
        (b"xa\nA\n+\nI\nxb\nACGT\n+\nIIII\n@c\n", True),
        # That line is the quality of the record at fault.
        (b"xa\nACGT\n+\n@III\n", False),
        (b"@a\nAC\nG\n+\n@III\n", False),
        (b"@a\nACGT\n+\nI\n@I\n", False),
        (b"@a\nACGTx+\n@III\n", False),
        (b"@a\nACGT\n\n\n@III\n", False),
        (b"xa\nA\n+\nI\nxb\nACGT\n+\n@III", False),
        (b"@w\nAC\nGT\n+\nII\nII\nxw\nAC\nGT\nAC\n+\nII\nII\n@I\n", False),
        # The record at fault itself is the one that ends early.
        (b"@a\nA GT\n+\nI", False),
    ],
)
def test_a_cut_behind_a_fault(text: bytes, is_cut: bool) -> None:
    found = check(text)
    assert (found["fault"] is not None) == is_cut
    if is_cut:
        assert found["fault"][0] == "TruncatedFileError"


PIECES = [b"@", b"@a\n", b"+", b"+\n", b"\n", b"\r\n", b"A", b"ACGT\n", b"IIII\n", b" ", b"@II\n"]


@given(st.lists(st.sampled_from([*PIECES, SOUND % 1, b"@w\nA\nA\n+\nI\nI\n"]), max_size=40))
def test_any_text(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    wanted = check(text)
    assert skip_all(ReadIntoPieces(text, at_random(len(text), 9)())) == wanted


# --- one byte changed -------------------------------------------------------------------------


def four_lines(chance: random.Random, i: int, end: bytes = b"\n") -> bytes:
    n = chance.randint(40, 60)
    sequence = bytes(chance.choices(b"ACGTN", k=n))
    # Old files are full of '@', which is Q31 or Q0.
    quality = bytes(chance.choices(b"@@+!IJ#~", k=n))
    return b"".join(line + end for line in (b"@read:%d x" % i, sequence, b"+", quality))


def crlf(chance: random.Random, i: int) -> bytes:
    return four_lines(chance, i, b"\r\n")


def wrapped(chance: random.Random, i: int) -> bytes:
    n = chance.randint(41, 59)
    sequence = bytes(chance.choices(b"ACGTN", k=n))
    quality = b"I" + bytes(chance.choices(b"@@+!IJ#~", k=n - 1))
    lines = [sequence[:20], sequence[20:40], sequence[40:], b"+"]
    lines += [quality[:20], quality[20:40], quality[40:]]
    return b"@read:%d x\n" % i + b"\n".join(lines) + b"\n"


KINDS: dict[str, Callable[[random.Random, int], bytes]] = {
    "four_lines": four_lines,
    "crlf": crlf,
    "wrapped": wrapped,
}


def in_order(some: list[Any], every: list[Any]) -> bool:
    remaining = iter(every)
    return all(each in remaining for each in some)


@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_changed_costs_what_it_touches(kind: str) -> None:
    chance = random.Random(kind)
    records = [KINDS[kind](chance, i) for i in range(1000)]
    text = b"".join(records)
    ends = np.cumsum([len(record) for record in records])
    sound = [row[1:] for row in skip_all(text)["rows"]]
    for _ in range(500):
        at = chance.randrange(len(text))
        byte = chance.choice([chance.randrange(256), *b"\n\r@+A "])
        changed = text[:at] + bytes([byte]) + text[at + 1 :]
        touched = {int(np.searchsorted(ends, at, side="right"))}
        if at + 1 in ends:
            touched.add(min(touched) + 1)
        found = skip_all(changed)
        kept = [row[1:] for row in found["rows"]]
        others = [row for i, row in enumerate(sound) if i not in touched]
        assert found["fault"] is None, (at, byte)
        assert in_order(others, kept), (at, byte)
        assert len(kept) <= len(sound), (at, byte)


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_changed_is_as_the_oracle_says(kind: str) -> None:
    chance = random.Random(kind)
    text = b"".join(KINDS[kind](chance, i) for i in range(3))
    for at, byte in product(range(len(text)), b"\n\r@+A \xff"):
        found = check(text[:at] + bytes([byte]) + text[at + 1 :])
        if kind != "wrapped":
            assert found["fault"] is None, (at, byte)
            assert found["counts"][1] >= 1, (at, byte)


def test_short_and_odd_records_changed() -> None:
    """Reads shorter than their names, empty ones, '@' and '+' where they may stand."""
    text = b"".join(make_records(5, seed=77, longest=6))
    for at, byte in product(range(len(text)), b"\n@+A\xff"):
        check(text[:at] + bytes([byte]) + text[at + 1 :])


# --- however it comes -------------------------------------------------------------------------


def damaged(kind: str, seed: int, *, records: int = 6) -> bytes:
    chance = random.Random(seed)
    text = bytearray(b"".join(KINDS[kind](chance, i) for i in range(records)))
    for _ in range(max(2, records // 4)):
        text[chance.randrange(len(text))] = chance.choice(b"\n\0@+ ")
    return bytes(text)


@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_every_byte(kind: str) -> None:
    for seed in range(3):
        text = damaged(kind, seed)
        wanted = check(text)
        for at in range(len(text) + 1):
            sizes = (n for n in (at, *[len(text)] * 3))
            assert skip_all(ReadIntoPieces(text, sizes)) == wanted if at else True
        assert skip_all(ReadPieces(text, always(1)())) == wanted


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cap", [100, 130, 200])
def test_records_too_long_are_passed_over(kind: str, cap: int) -> None:
    """The same however much of a long record is at hand, and however long it is."""
    long = b"@long\n" + b"A" * 1000 + b"\n+\n" + b"@" * 1000 + b"\n"
    text = b"".join(
        each
        for i in range(4)
        for each in (KINDS[kind](random.Random(i), i)[: cap // 2], b"\n", long)
    )
    text += b"".join(SOUND % i for i in range(3))
    whole = skip_all(text, max_record_bytes=cap)
    assert [row[1] for row in whole["rows"]][-3:] == ["0", "1", "2"]
    for seed in range(10):
        pieces = ReadIntoPieces(text, at_random(seed, 300)())
        assert skip_all(pieces, max_record_bytes=cap) == whole


def test_a_gigantic_line_is_passed_over_in_little_memory() -> None:
    text = SOUND % 1 + b"@long\n" + b"A" * 3_000_000 + b"\n+\nI\n" + SOUND % 2
    found = skip_all(text, max_record_bytes=1000)
    assert [row[1] for row in found["rows"]] == ["1", "2"]
    assert found["skipped"][0][0] == "RecordTooLongError"


# Sources below 4 MiB are read on one thread; a slice is 1 MiB.
SLICE = 1 << 20


@pytest.fixture(scope="module")
def large() -> bytes:
    """Some 5 MiB with faults at random places and around the borders of slices."""
    chance = random.Random(12)
    parts: list[bytes] = []
    size = 0
    while size < 5 * SLICE:
        parts.append(four_lines(chance, len(parts)))
        size += len(parts[-1])
    text = bytearray(b"".join(parts))
    places = [chance.randrange(len(text)) for _ in range(60)]
    places += [i * SLICE + shift for i, shift in product((1, 3), (-120, -1, 0, 1, 40))]
    for at in places:
        text[at] = chance.choice(b"\n\0@+ ")
    return bytes(text)


def blocked(text: bytes, size: int = 50_000) -> bytes:
    return bgzf(*(text[i : i + size] for i in range(0, len(text), size)))


def sources(text: bytes, folder: Path) -> Iterator[tuple[str, object, dict[str, Any]]]:
    plain, packed = folder / "reads.fastq", folder / "reads.fastq.gz"
    plain.write_bytes(text)
    blocks = b"".join(
        # Stored, so that the source is large enough to be shared out.
        bgzf_stored(text[i : i + 60_000])
        for i in range(0, len(text), 60_000)
    )
    packed.write_bytes(blocks + END_BLOCK)
    for threads in (1, 2, 3, None):
        yield f"memory {threads}", text, {"threads": threads}
        yield f"file {threads}", plain, {"threads": threads}
        yield f"BGZF {threads}", packed, {"threads": threads}
    yield "file object", io.BytesIO(text), {}
    yield "gzip", gzip.compress(text, 1), {}


def bgzf_stored(payload: bytes) -> bytes:
    from test_threads import stored_block

    return stored_block(payload)


def test_threads_and_ways_to_read_agree(large: bytes, tmp_path: Path) -> None:
    wanted = check(large)
    assert wanted["counts"][2] > 15
    for what, source, options in sources(large, tmp_path):
        assert skip_all(source, **options) == wanted, what


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("at", [0, 1, -200, -30, -1])
def test_one_fault_near_an_end(large: bytes, threads: int, at: int, tmp_path: Path) -> None:
    chance = random.Random(5)
    text = bytearray(b"".join(four_lines(chance, i) for i in range(40_000)))
    text[at] = 0
    path = tmp_path / "reads.fastq"
    path.write_bytes(text)
    assert skip_all(path, threads=threads) == skip_all(bytes(text), threads=1)


@pytest.mark.parametrize("end", [END_BLOCK, b""])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_missing_end_block_is_still_seen(end: bytes, threads: int, tmp_path: Path) -> None:
    chance = random.Random(5)
    text = bytearray(b"".join(four_lines(chance, i) for i in range(40_000)))
    text[-5] = 0
    path = tmp_path / "reads.fastq.gz"
    blocks = (bgzf_stored(bytes(text[i : i + 60_000])) for i in range(0, len(text), 60_000))
    path.write_bytes(b"".join(blocks) + end)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        particles = gv.read_fastq(path, on_error="skip", threads=threads)
    assert len(particles) == 39_999
    assert particles.stats.missing_end_blocks == (end == b"")
    kinds = [each.category.__name__ for each in caught]
    assert kinds.count("MissingEndBlockWarning") == (end == b"")
    assert kinds.count("SkippedWarning") == 1


# --- what is never skipped --------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", [c for c in gzip_cases() if c.payload is None], ids=lambda c: c.name
)
@pytest.mark.parametrize("prefix", [b"", b"x\n"], ids=["sound", "at fault"])
def test_damaged_gzip_raises(case: Any, prefix: bytes) -> None:
    """Also when it is met while the next sound record is searched."""
    data = bgzf(prefix, end=b"") + case.data if prefix else case.data
    with pytest.raises(gv.errors.GenomeVedicError) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gv.read_fastq(data, on_error="skip")
    assert type(caught.value).__name__ in (*case.errors, "TruncatedFileError", "BadGzipError")


def test_every_cut_of_a_gzip_file_raises() -> None:
    text = damaged("four_lines", 3)
    data = gzip.compress(text, mtime=0)
    # One byte of its magic is plain text.
    for size in range(2, len(data)):
        with pytest.raises(gv.errors.TruncatedFileError):
            read_quietly(data[:size], on_error="skip")


class Failing(io.RawIOBase):
    """Gives its text, and then fails."""

    def __init__(self, text: bytes, error: Exception) -> None:
        self.text = io.BytesIO(text)
        self.error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        got = self.text.readinto(buffer)
        if got == 0:
            raise self.error
        return got


@pytest.mark.parametrize("text", [b"@a\nA C\n+\nIII\n", b"@a\nA C\n+\nIII\n" + SOUND % 1])
def test_a_source_that_fails_raises(text: bytes) -> None:
    reason = OSError("gone")
    with pytest.raises(gv.errors.SourceReadError) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gv.read_fastq(Failing(text, reason), on_error="skip")
    assert caught.value.__cause__ is reason


def test_a_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(gv.errors.SourceNotFoundError):
        gv.read_fastq([SOUND % 1, tmp_path / "no.fastq"], on_error="skip")


def test_an_interrupt_while_skipping_gets_through() -> None:
    """A file object raises it in the middle of a skip; so does a signal."""

    class Interrupting(Failing):
        pass

    with pytest.raises(KeyboardInterrupt):
        gv.read_fastq(Interrupting(b"no record\n", KeyboardInterrupt()), on_error="skip")  # type: ignore[arg-type]


# --- policies ---------------------------------------------------------------------------------

BAD = b"@b%d\nAC\n+\nI\n"
MIXED = b"".join((SOUND % i) + (BAD % i) for i in range(30))


def read_quietly(source: object, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gv.errors.SkippedWarning)
        return gv.read_fastq(source, **options)


def test_raise_is_the_default() -> None:
    with pytest.raises(gv.errors.QualityMismatchError):
        gv.read_fastq(MIXED)
    with pytest.raises(gv.errors.QualityMismatchError):
        gv.read_fastq(MIXED, on_error="raise")


@pytest.mark.parametrize("most", [0, 1, 29])
def test_max_errors_caps(most: int) -> None:
    with (
        gv.scan_fastq(MIXED, on_error="skip", max_errors=most, columns=["name"]) as reader,
        pytest.raises(gv.errors.QualityMismatchError) as caught,
    ):
        names = [name for batch in reader.batches() for name in batch["name"].tolist()]
        assert names == [str(i) for i in range(most + 1)]
    assert len(reader.errors) == most
    assert caught.value.record == 2 * most + 2
    assert f"{most:,} records were skipped" in caught.value.__notes__[0]


def test_max_errors_not_reached() -> None:
    assert len(read_quietly(MIXED, on_error="skip", max_errors=30)) == 30


@pytest.mark.parametrize("most", [-1, 1.5, True, "3"])
def test_max_errors_is_a_whole_number(most: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="max_errors"):
        gv.read_fastq(MIXED, on_error="skip", max_errors=most)


@pytest.mark.parametrize("on_error", ["ignore", None, 3])
def test_on_error_is_a_word_or_a_function(on_error: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="on_error must be"):
        gv.read_fastq(MIXED, on_error=on_error)


def test_a_function_decides() -> None:
    seen = []

    def decide(error: gv.errors.GenomeVedicError) -> str:
        seen.append(error.context["record"])
        return "skip" if len(seen) < 3 else "raise"

    with pytest.raises(gv.errors.QualityMismatchError):
        gv.read_fastq(MIXED, on_error=decide)
    assert seen == [2, 4, 6]


def test_a_function_that_answers_nonsense() -> None:
    with pytest.raises(ValueError, match="'raise' or 'skip', not None"):
        gv.read_fastq(MIXED, on_error=lambda error: None)  # type: ignore[arg-type, return-value]


def test_a_function_that_raises() -> None:
    def refuse(error: gv.errors.GenomeVedicError) -> str:
        raise LookupError("no") from error

    with pytest.raises(LookupError) as caught:
        gv.read_fastq(MIXED, on_error=refuse)
    assert isinstance(caught.value.__cause__, gv.errors.QualityMismatchError)


def test_counts() -> None:
    low = b"@low\nACGT\n+\n!!!!\n"
    particles = read_quietly([MIXED + low, MIXED], on_error="skip", min_quality=10)
    stats = particles.stats
    assert (stats.reads, stats.kept, stats.skipped, stats.filtered) == (121, 60, 60, 1)
    assert particles["metadata"].tolist() == [*range(0, 60, 2), *range(61, 121, 2)]


def test_ordinals_and_layouts_by_ordinal() -> None:
    """A record skipped leaves its place free."""
    whole = gv.read_fastq(b"".join(SOUND % i for i in range(5)), layout="spiral")
    text = SOUND % 0 + BAD % 1 + SOUND % 2 + BAD % 3 + SOUND % 4
    some = read_quietly(text, layout="spiral", on_error="skip")
    assert np.array_equal(some.position, whole.position[::2])
    assert some["metadata"].tolist() == [0, 2, 4]


def test_batches_end_where_they_would() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with gv.scan_fastq(MIXED, on_error="skip") as reader:
            assert [len(batch) for batch in reader.batches(7)] == [7, 7, 7, 7, 2]


@pytest.mark.parametrize("limit", [0, 1, 5])
def test_limit_counts_what_is_kept(limit: int) -> None:
    assert len(read_quietly(MIXED, on_error="skip", limit=limit)) == limit


def test_a_warning_once_with_the_totals() -> None:
    text = MIXED + SOUND % 1 + b"@c\nA\n+\n\xff\n"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with gv.scan_fastq(text, on_error="skip") as reader:
            for _ in reader.batches(3):
                pass
    (warning,) = caught
    assert warning.category is gv.errors.SkippedWarning
    message = str(warning.message)
    assert "31 records were skipped (QUALITY_MISMATCH 30, INVALID_FASTQ 1)" in message
    assert "line 8 (record 2, byte 25)" in message
    assert warning.filename == __file__


def test_no_warning_where_nothing_was_skipped() -> None:
    assert len(gv.read_fastq(SOUND % 1, on_error="skip")) == 1


def test_a_first_record_at_fault_does_not_settle_the_layout() -> None:
    sound = b"@M:1:FC:1:1101:%d:2000 1:N:0:A\nACGT\n+\nIIII\n"
    text = b"x" + (sound % 1)[1:] + sound % 1500 + sound % 1600
    for layout in ("auto", "flowcell"):
        particles = read_quietly(text, on_error="skip", layout=layout)
        assert particles.layout.name == "flowcell"
        assert len(particles) == 2
        assert np.isfinite(particles.position).all()
    with pytest.raises(gv.errors.FastqFormatError):
        gv.read_fastq(text, layout="flowcell")


# --- places that are faults -------------------------------------------------------------------


def named(i: int, *, is_placed: bool) -> bytes:
    name = b"M:1:FC:1:1101:%d:2000 1:N:0:A" % (1000 + i) if is_placed else b"nameless%d" % i
    return b"@" + name + b"\nACGT\n+\n@@@@\n"


@pytest.mark.parametrize("count", [20, 1000])
@pytest.mark.parametrize("form", ["four lines", "wrapped"])
def test_records_without_a_place_are_passed_over(count: int, form: str) -> None:
    without = {3, 4, 9, count - 1}
    records = [named(i, is_placed=i not in without) for i in range(count)]
    text = b"".join(records)
    if form == "wrapped":
        text = text.replace(b"ACGT", b"AC\nGT").replace(b"@@@@", b"@@\n@@")
    reader = gv.scan_fastq(text, layout="flowcell", columns=["metadata", "x"], on_error="skip")
    with reader, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [int(i) for batch in reader.batches(64) for i in batch["metadata"]]
    assert found == [i for i in range(count) if i not in without]
    assert reader.errors.counts == {"NO_COORDINATES": 4}
    assert [error.record for error in reader.errors] == [i + 1 for i in sorted(without)]
    assert reader.stats.skipped == 4
    assert reader.stats.filtered == 0


def test_places_and_lines_at_fault_together() -> None:
    records = [named(i, is_placed=i % 5 != 0) for i in range(1, 200)]
    for i in range(6, 199, 7):
        records[i] = records[i].replace(b"+\n", b"-\n")
    text = b"".join(records)
    kept = [i for i, r in enumerate(records) if b"nameless" not in r and b"-\n@" not in r]
    particles = read_quietly(text, layout="flowcell", on_error="skip", columns=["x"])
    assert particles["x"].tolist() == [1001 + i for i in kept]
    for threads in (1, 3):
        many = text * 150
        again = read_quietly(
            many, layout="flowcell", on_error="skip", columns=["x"], threads=threads
        )
        assert again["x"].tolist() == [1001 + i for i in kept] * 150


# --- memory -----------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [100, 200, 250])
def test_memory_refused_between_skips(limit: int) -> None:
    """The reads that fitted are sound ones, in their order, and the refusal is told as ever."""
    names: list[str] = []
    with (
        gv.scan_fastq(MIXED, columns=["name"], on_error="skip", memory_limit=limit) as reader,
        pytest.raises(gv.errors.MemoryLimitError),
    ):
        for batch in reader.batches():
            names += batch["name"].tolist()
    assert names == [str(i) for i in range(len(names))]
    assert 0 < len(names) < 30


# --- the log ----------------------------------------------------------------------------------


def test_the_log_is_bounded() -> None:
    text = b"".join((BAD % i) + (SOUND % i) for i in range(1000)) + b"@c\nA\n+\n\xff\n"
    reader = gv.scan_fastq(text, on_error="skip")
    with reader, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader.read()
    log = reader.errors
    assert len(log) == 1001
    assert log.counts == {"QUALITY_MISMATCH": 1000, "INVALID_FASTQ": 1}
    assert log.highest_severity is gv.errors.Severity.ERROR
    assert [error.record for error in log.first] == list(range(1, 20, 2))
    assert [error.record for error in log.last] == list(range(1983, 2002, 2))
    assert [*log] == [*log.first, *log.last]
    assert all(error.__traceback__ is None for error in log)
    assert repr(log) == "<ErrorLog: QUALITY_MISMATCH 1,000, INVALID_FASTQ 1>"
    for error in log:
        again = pickle.loads(pickle.dumps(error))
        assert again.context == error.context
        assert again.context["resumed_line"] > again.line


def test_the_log_raises_a_group() -> None:
    with gv.scan_fastq(SOUND % 1) as reader:
        reader.read()
        assert len(reader.errors) == 0
        assert reader.errors.highest_severity is None
        reader.errors.raise_if_any()
    reader = gv.scan_fastq(MIXED, on_error="skip")
    with reader, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader.read()
    with pytest.raises(ExceptionGroup) as caught:
        reader.errors.raise_if_any()
    assert "30 records were skipped" in str(caught.value)
    assert list(caught.value.exceptions) == [*reader.errors]
    matched, rest = caught.value.split(gv.errors.QualityMismatchError)
    assert matched is not None
    assert rest is None


@pytest.mark.parametrize("keep", [1, 2])
def test_a_log_that_keeps_few(keep: int) -> None:
    log = gv.errors.ErrorLog(keep)
    for i in range(5):
        log.add(gv.errors.FastqFormatError(f"{i}", record=i))
    assert [error.record for error in log.first] == list(range(keep))
    assert [error.record for error in log.last] == list(range(5 - keep, 5))


@pytest.mark.parametrize("keep", [0, -1])
def test_a_log_keeps_one_at_least(keep: int) -> None:
    with pytest.raises(ValueError, match="keep"):
        gv.errors.ErrorLog(keep)
