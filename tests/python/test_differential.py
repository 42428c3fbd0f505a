"""Generated texts, read with genomevedic and with the oracle."""

from __future__ import annotations

import gzip
import itertools
import math
from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

import genomevedic as gv
from compare import assert_same_columns, assert_same_fault, check, drain
from reference import ALL_COLUMNS, parse, read
from reference.name_generator import generate
from reference.names import parse as parse_name
from support import bgzf

PRINTABLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
BASES = st.sampled_from("ACGTACGTACGTacgtUuN-.@+R")
NEWLINES = st.sampled_from([b"\n", b"\r\n"])
ANY_NAMES = st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"").rstrip(b"\r"))
OF_ONE_RUN = st.builds(
    lambda tile, x, y, tail: b"A00123:8:HFLOWDSX2:2:%d:%d:%d%s" % (tile, x, y, tail),
    st.sampled_from([1101, 1102, 2678, 21305]),
    st.integers(0, 99_999),
    st.integers(0, 99_999_999),
    st.sampled_from([b"", b" 1:N:0:ACGT", b" 2:Y:0:AC+GT", b"/1", b":ACGT+ACGT 1:N:0:A", b"_AC"]),
)
# Every chip has their channels: one that it lacks is an error, which the oracle does not tell.
GENERATED = st.sampled_from(
    [name for name in generate(2000) if (said := parse_name(name)) is None or said.channel < 127]
)
NAMES = st.one_of(ANY_NAMES, OF_ONE_RUN, OF_ONE_RUN, GENERATED)


@st.composite
def texts_of_length(draw: st.DrawFn, letters: st.SearchStrategy[str], length: int) -> bytes:
    text = draw(st.text(letters, min_size=length, max_size=length))
    return text.encode("ascii")


def qualities_from(lowest: int) -> st.SearchStrategy[str]:
    return st.characters(min_codepoint=lowest, max_codepoint=0x7E)


@st.composite
def records(draw: st.DrawFn, lowest_quality: int = 0x21) -> tuple[bytes, bytes, bytes, bytes]:
    """The four parts of a sound record: name, sequence, what follows ``+``, qualities."""
    length = draw(st.integers(0, 40))
    name = draw(NAMES)
    sequence = draw(texts_of_length(draw(st.sampled_from([BASES, PRINTABLE])), length))
    again = name if draw(st.booleans()) else b""
    return name, sequence, again, draw(texts_of_length(qualities_from(lowest_quality), length))


@st.composite
def four_line_texts(draw: st.DrawFn, lowest_quality: int = 0x21) -> bytes:
    newline = draw(NEWLINES)
    lines = []
    for name, sequence, again, qualities in draw(st.lists(records(lowest_quality), max_size=8)):
        for line in (b"@" + name, sequence, b"+" + again, qualities):
            lines.append(line + (newline if draw(st.integers(0, 9)) else b"\n"))
    text = b"".join(lines)
    ending = draw(st.sampled_from(["", "", "cut", "blank"]))
    if ending == "cut":
        return text.removesuffix(b"\n").removesuffix(b"\r")
    return text + newline * draw(st.integers(1, 3)) if ending == "blank" else text


def folded(line: bytes, width: int) -> list[bytes]:
    return [line[i : i + width] for i in range(0, len(line), width)] or [b""]


def can_be_wrapped(sequence_lines: list[bytes]) -> bool:
    return not any(line.startswith((b"@", b"+")) for line in sequence_lines)


@st.composite
def wrapped_texts(draw: st.DrawFn) -> bytes:
    """Sound wrapped records, the first of them over at least two lines."""
    newline = draw(NEWLINES)
    width = draw(st.integers(1, 12))
    quality_width = draw(st.sampled_from([width, width + 1, 60]))
    lines = [b"@first", b"A" * width, b"C", b"+", b"I" * width, b"I"]
    for name, sequence, again, qualities in draw(st.lists(records(), max_size=6)):
        parts = folded(sequence.replace(b"@", b"A").replace(b"+", b"C"), width)
        lines += [b"@" + name, *parts, b"+" + again, *folded(qualities, quality_width)]
    text = b"".join(line + newline for line in lines)
    return text.removesuffix(b"\n").removesuffix(b"\r") if draw(st.booleans()) else text


def mutate_byte(draw: st.DrawFn, text: bytes) -> bytes:
    at = draw(st.integers(0, len(text) - 1))
    byte = draw(st.sampled_from([*b"@+\n\r AI\x00\x7f\xff"]) | st.integers(0, 255))
    return text[:at] + bytes([byte]) + text[at + 1 :]


def mutate_delete(draw: st.DrawFn, text: bytes) -> bytes:
    at = draw(st.integers(0, len(text) - 1))
    return text[:at] + text[at + draw(st.integers(1, 3)) :]


def mutate_insert(draw: st.DrawFn, text: bytes) -> bytes:
    at = draw(st.integers(0, len(text)))
    return text[:at] + bytes([draw(st.sampled_from([*b"@+\n\r AI"]))]) + text[at:]


def mutate_line(draw: st.DrawFn, text: bytes) -> bytes:
    """A line dropped, doubled, or exchanged with the next one."""
    lines = text.splitlines(keepends=True)
    at = draw(st.integers(0, len(lines) - 1))
    put = draw(st.sampled_from(["drop", "double", "swap"]))
    if put == "swap":
        lines[at : at + 2] = reversed(lines[at : at + 2])
    else:
        lines[at : at + 1] = [] if put == "drop" else [lines[at]] * 2
    return b"".join(lines)


def mutate_cut(draw: st.DrawFn, text: bytes) -> bytes:
    return text[: draw(st.integers(0, len(text)))]


MUTATIONS: list[Callable[[st.DrawFn, bytes], bytes]] = [
    mutate_byte,
    mutate_delete,
    mutate_insert,
    mutate_line,
    mutate_cut,
]


@st.composite
def mutated_texts(draw: st.DrawFn) -> bytes:
    text = draw(four_line_texts() | wrapped_texts())
    for mutate in draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=2)):
        if text:
            text = mutate(draw, text)
    return text


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "layout": st.sampled_from(["composition", "tetranucleotide", "spiral", "grid"]),
        "min_quality": st.sampled_from([-1.0, 0.0, 1e-9, 20.0, 40.0, 46.5, 93.0])
        | st.floats(0, 94, allow_nan=False),
        "min_error_quality": st.floats(0.5, 60, allow_nan=False),
        "limit": st.integers(0, 10),
    },
)


@given(four_line_texts(), OPTIONS)
def test_sound_four_line_records(text: bytes, options: dict) -> None:
    assert parse(text).fault is None
    check(text, **options)


@given(wrapped_texts(), OPTIONS)
def test_sound_wrapped_records(text: bytes, options: dict) -> None:
    parsed = parse(text)
    assert parsed.fault is None
    assert parsed.first_wrapped == 0
    check(text, **options)


@given(four_line_texts(lowest_quality=0x40), OPTIONS)
def test_sound_phred64_records(text: bytes, options: dict) -> None:
    assert check(text, encoding="phred64", **options).fault is None


@given(mutated_texts())
@example(b"@r\n+\n")
@example(b"@r\n+\n\n")
@example(b"@r\n\n+\n\r")
@example(b"@r\r\nAC\r\n+\r\nI\r")
@example(b"@r\nAC\n+r\r")
def test_mutated_records(text: bytes) -> None:
    check(text)


@given(mutated_texts(), st.sampled_from(["dna", "iupac"]), st.sampled_from(["phred33", "phred64"]))
def test_mutated_records_under_other_rules(text: bytes, alphabet: str, encoding: str) -> None:
    check(text, alphabet=alphabet, encoding=encoding)


@given(st.text("@+\n\n\rAC!", max_size=40).map(lambda text: b"@" + text.encode()))
def test_text_of_the_bytes_that_matter(text: bytes) -> None:
    check(text)


@given(
    st.lists(
        st.sampled_from([b"@r", b"@s", b"A", b"AC", b"", b"+", b"+r", b"@", b"I", b"II"]),
        max_size=20,
    ),
    NEWLINES,
    st.booleans(),
)
def test_lines_in_any_order(lines: list[bytes], newline: bytes, final: bool) -> None:
    check(newline.join([b"@r", b"AC", *lines]) + (newline if final else b""))


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    check(data)


def test_all_short_arrangements_of_lines() -> None:
    """Each text of up to five lines after a header, with and without a final newline."""
    kinds = (b"", b"A", b"AC", b"@r", b"+", b"+r")
    wrong = []
    for count in range(6):
        for lines in itertools.product(kinds, repeat=count):
            for text in (b"\n".join([b"@r", *lines]), b"\n".join([b"@r", *lines, b""])):
                expected = parse(text)
                fault = expected.fault
                try:
                    found = gv.read_fastq(text, columns=("sequence", "qualities"))
                except gv.errors.GenomeVedicError as error:
                    place = (type(error).__name__, error.line, error.record, error.offset)
                    same = fault is not None and place == (
                        fault.kind,
                        fault.line,
                        fault.record,
                        fault.offset,
                    )
                else:
                    records = list(zip(found["sequence"], found["qualities"], strict=True))
                    same = fault is None and records == [
                        (record.sequence.decode(), record.qualities) for record in expected.records
                    ]
                if not same:
                    wrong.append((text, fault))
    assert wrong[:5] == []


def framed(text: bytes, how: str) -> bytes:
    half = len(text) // 2
    return {
        "plain": text,
        "gzip": gzip.compress(text, mtime=0),
        "members": gzip.compress(text[:half], mtime=0) + gzip.compress(text[half:], mtime=0),
        "bgzf": bgzf(text[:half], text[half:]),
        "bgzf without end": bgzf(text[:half], text[half:], end=b""),
    }[how]


FRAMES = st.sampled_from(["plain", "gzip", "members", "bgzf", "bgzf without end"])
SOURCES = st.tuples(four_line_texts() | wrapped_texts(), FRAMES)


@given(st.lists(SOURCES, min_size=1, max_size=4), OPTIONS)
def test_sources_one_after_another(sources: list[tuple[bytes, str]], options: dict) -> None:
    listed = [framed(text, how) for text, how in sources]
    options.pop("limit", None)
    table = check(listed, **options)
    assert table.fault is None
    assert table.stats["sources"] == len(listed)


@given(st.lists(four_line_texts(), max_size=2), mutated_texts(), FRAMES)
def test_a_fault_in_the_last_source(before: list[bytes], last: bytes, how: str) -> None:
    check([*before, framed(last, how)])


@given(mutated_texts(), st.integers(1, 9))
def test_batches(text: bytes, batch_size: int) -> None:
    """All batches but the last are full; before a fault come the sound records before it."""
    table = read([text])
    with gv.scan_fastq(text, columns=ALL_COLUMNS) as reader:
        batches, error = drain(reader, batch_size)
    assert (error is None) == (table.fault is None)
    if table.fault is not None:
        assert_same_fault(error, table.fault)
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert all(0 < len(batch) <= batch_size for batch in batches[-1:])
    ordinals = [int(ordinal) for batch in batches for ordinal in batch["metadata"]]
    assert ordinals == list(range(len(table)))
    if batches:
        assert_same_columns(gv.Particles.concat(batches), table)


@given(four_line_texts())
def test_a_filter_at_the_mean_of_each_read(text: bytes) -> None:
    """Exact comparison in double: a read passes its own mean and not the next number."""
    for record in parse(text).records:
        if not record.sequence:
            continue
        mean = sum(byte - 33 for byte in record.qualities) / len(record.sequence)
        alone = b"@r\n" + record.sequence + b"\n+\n" + record.qualities + b"\n"
        assert len(gv.read_fastq(alone, min_quality=mean)) == 1
        assert len(gv.read_fastq(alone, min_quality=math.nextafter(mean, 100))) == 0
