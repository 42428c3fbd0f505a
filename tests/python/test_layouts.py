"""Layouts in words and as data: what they say, how they are kept, and axes that are shared."""

from __future__ import annotations

import copy
import json
import math
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genomevedic as gv
from genomevedic import _core
from genomevedic.layouts import Layout
from genomevedic.settling import fit_axes
from reference.places import four_mers, reverse_complement, tetranucleotide

UUID = "bd8655fb-383c-45cc-bff3-eb1dc86533e0"


def fastq(names: list[str], sequences: list[str]) -> bytes:
    rows = zip(names, sequences, strict=True)
    return "".join(f"@{name}\n{text}\n+\n{'I' * len(text)}\n" for name, text in rows).encode()


def random_reads(count: int, seed: int, gc: float = 0.5, length: int = 200) -> bytes:
    rng = random.Random(seed)
    weights = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    sequences = ["".join(rng.choices("ACGT", weights, k=length)) for _ in range(count)]
    return fastq([f"r{i}" for i in range(count)], sequences)


SETTLED = {
    "flowcell": fastq(["A00123:8:HABCDDSX2:1:1101:5:6"], ["ACGT"]),
    "nanopore": fastq([f"{UUID} ch=5 start_time=2024-05-01T10:00:00.25Z"], ["ACGT"]),
    "pacbio": fastq(["m64012_1/5/ccs"], ["ACGT"]),
    "mgi": fastq(["VL1C001R0010"], ["ACGT"]),
    "composition": fastq(["r"], ["ACGT"]),
    "tetranucleotide": random_reads(30, 1),
    "spiral": fastq(["r"], ["ACGT"]),
    "grid": fastq(["r"], ["ACGT"]),
}
MAKERS = {
    "flowcell": gv.layouts.FlowCell,
    "nanopore": gv.layouts.Nanopore,
    "pacbio": gv.layouts.PacBio,
    "mgi": gv.layouts.MGI,
    "composition": gv.layouts.Composition,
    "tetranucleotide": gv.layouts.Tetranucleotide,
    "spiral": gv.layouts.Spiral,
    "grid": gv.layouts.Grid,
}
KINDS = {
    "flowcell": "physical",
    "nanopore": "physical",
    "pacbio": "physical",
    "mgi": "schematic",
    "composition": "computed",
    "tetranucleotide": "computed",
    "spiral": "decorative",
    "grid": "decorative",
}


def test_every_layout_of_the_core_has_its_maker() -> None:
    assert set(_core.LAYOUTS) == {*MAKERS, "given"}
    assert set(SETTLED) == set(KINDS) == set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_a_layout_by_name_maker_and_value(name: str) -> None:
    text = SETTLED[name]
    p = gv.read_fastq(text, layout=name)
    for layout in (name.upper(), MAKERS[name], MAKERS[name](), p.layout):
        assert gv.read_fastq(text, layout=layout) == p
    assert gv.layouts.find(name) == MAKERS[name]()
    assert p.layout.name == name


@pytest.mark.parametrize("name", MAKERS)
def test_a_layout_says_what_it_is(name: str) -> None:
    layout = gv.read_fastq(SETTLED[name], layout=name).layout
    assert layout.kind == KINDS[name]
    assert len(layout.axes) == len(layout.units) == len(layout.offset) == 3
    assert layout.point_size > 0
    assert math.isfinite(layout.point_size)
    assert layout.description
    assert None not in (value for key, value in layout.parameters.items() if key != "nm_per_unit")
    if layout.kind in ("schematic", "decorative"):
        words = {"flowcell": "schematic", "mgi": "centre"}.get(name, "decorative")
        assert words in layout.description
    assert name in repr(layout)
    assert layout.kind in repr(layout)
    assert len(repr(layout)) < 400
    has_names = name in ("flowcell", "nanopore", "pacbio", "mgi")
    assert (layout.grammar != "") == has_names


@pytest.mark.parametrize("is_settled", [False, True])
@pytest.mark.parametrize("name", MAKERS)
def test_layouts_are_kept(name: str, is_settled: bool, tmp_path: Path) -> None:
    layout = MAKERS[name]()
    if is_settled:
        layout = gv.read_fastq(SETTLED[name], layout=name).layout
    data = layout.to_dict()
    assert Layout.from_dict(data) == layout
    assert Layout.from_dict(json.loads(json.dumps(data))) == layout
    assert data["parameters"].keys() == dict(layout.parameters).keys()
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(layout, protocol)) == layout
    assert copy.deepcopy(layout) == layout
    path = tmp_path / "layout.json"
    layout.save(path)
    assert gv.layouts.load(path) == layout
    again = gv.layouts.load(str(path))
    assert gv.read_fastq(SETTLED[name], layout=again) == gv.read_fastq(SETTLED[name], layout=layout)
    layout.save(path)
    assert [each.name for each in tmp_path.iterdir()] == ["layout.json"]


def test_a_layout_cannot_be_changed() -> None:
    layout = gv.layouts.Grid()
    with pytest.raises(AttributeError):
        layout.name = "spiral"  # type: ignore[misc]
    with pytest.raises(TypeError):
        layout.parameters["width"] = 3  # type: ignore[index]
    with pytest.raises(TypeError):
        hash(layout)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "grid"},
        {**gv.layouts.Grid().to_dict(), "more": 1},
        {**gv.layouts.Grid().to_dict(), "name": "circle"},
    ],
)
def test_what_is_no_layout_is_refused(data: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="layout"):
        Layout.from_dict(data)
    path = tmp_path / "layout.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="layout"):
        gv.layouts.load(path)


def test_a_file_that_is_no_layout(tmp_path: Path) -> None:
    path = tmp_path / "layout.json"
    for text in ("[]", "3", "", "{", '"grid"'):
        path.write_text(text)
        with pytest.raises(ValueError):
            gv.layouts.load(path)
    with pytest.raises(FileNotFoundError):
        gv.layouts.load(tmp_path / "no")
    with pytest.raises(FileNotFoundError):
        gv.layouts.Grid().save(tmp_path / "no" / "layout.json")


@pytest.mark.parametrize(
    ("maker", "options"),
    [
        (gv.layouts.FlowCell, {"surfaces": "below"}),
        (gv.layouts.FlowCell, {"placement": "novaseq"}),
        (gv.layouts.FlowCell, {"swath_pitch": math.nan}),
        (gv.layouts.FlowCell, {"lane_pitch": math.inf}),
        (gv.layouts.Nanopore, {"model": "gridion"}),
        (gv.layouts.Nanopore, {"t0": "yesterday"}),
        (gv.layouts.Nanopore, {"t0": 3}),
        (gv.layouts.MGI, {"lane_pitch": math.nan}),
        (gv.layouts.Grid, {"width": 0}),
        (gv.layouts.Grid, {"width": 2**24 + 1}),
        (gv.layouts.Grid, {"width": 2.5}),
        (gv.layouts.Tetranucleotide, {"reads": 0}),
        (gv.layouts.Tetranucleotide, {"reads": 10**7}),
        (gv.layouts.Tetranucleotide, {"bias": [0, 0, 0]}),
        (gv.layouts.Tetranucleotide, {"weights": np.zeros((256, 2))}),
        (gv.layouts.Tetranucleotide, {"weights": np.zeros((256, 3)), "bias": [0, 0]}),
        (gv.layouts.Tetranucleotide, {"weights": np.full((256, 3), np.nan)}),
        (gv.layouts.Tetranucleotide, {"weights": np.arange(768).reshape(256, 3)}),
    ],
)
def test_parameters_that_make_no_sense(maker: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        maker(**options)


# ---------------------------------------------------------------------------------------------
# Axes of tetranucleotides
# ---------------------------------------------------------------------------------------------


def counts_of(text: bytes) -> np.ndarray:
    rows = []
    for sequence in text.splitlines()[1::4]:
        rows.append(np.bincount(np.array(four_mers(sequence), dtype=int), minlength=256))
    return np.array(rows)


def test_the_core_counts_what_the_oracle_counts() -> None:
    text = random_reads(50, 2) + fastq(["n", "e", "l"], ["ACGNACG", "", "acgtuNNNNacgu"])
    core = _core.Reader((("", text),), ("gc",))
    names, counts = core.look(100, 10**9, True)
    assert names[:2] == [b"r0", b"r1"]
    np.testing.assert_array_equal(counts, counts_of(text))
    assert counts.dtype == np.uint32
    assert core.look(3, 10**9)[1] is None


def test_the_axes_are_principal_components() -> None:
    """Against a singular value decomposition of the same frequencies."""
    text = random_reads(300, 3, gc=0.3) + random_reads(300, 4, gc=0.6)
    counts = counts_of(text)
    weights, bias, spread = fit_axes(counts.astype(np.uint32))
    frequencies = counts / counts.sum(axis=1, keepdims=True)
    other = [reverse_complement(mer) for mer in range(256)]
    frequencies = (frequencies + frequencies[:, other]) / 2
    mean = frequencies.mean(axis=0)
    _, singular, vectors = np.linalg.svd(frequencies - mean, full_matrices=False)
    for axis in range(3):
        assert abs(weights[:, axis] @ vectors[axis]) == pytest.approx(1, abs=1e-9)
        assert weights[np.abs(weights[:, axis]).argmax(), axis] > 0
    assert spread == pytest.approx(singular[0] / math.sqrt(len(counts)))
    np.testing.assert_allclose(bias, mean @ weights, atol=1e-12)
    np.testing.assert_array_equal(weights, weights[other])
    p = gv.read_fastq(text, layout="tetranucleotide")
    assert abs(p.position.mean(axis=0)).max() < 1e-7, "the mean read stands at the origin"
    deviation = p.position.astype(np.float64).std(axis=0)
    np.testing.assert_allclose(deviation, singular[:3] / math.sqrt(len(counts)), rtol=1e-5)
    low, high = p.position[:300, 0], p.position[300:, 0]
    assert low.max() < high.min() or high.max() < low.min(), "the two genomes stand apart"


def test_both_strands_share_a_place() -> None:
    text = random_reads(40, 5)
    layout = gv.read_fastq(text, layout="tetranucleotide").layout
    turn = str.maketrans("ACGT", "TGCA")
    sequences = [line.decode() for line in text.splitlines()[1::4]]
    turned = [sequence.translate(turn)[::-1] for sequence in sequences]
    one = gv.read_fastq(fastq(["r"] * 40, sequences), layout=layout).position
    other = gv.read_fastq(fastq(["r"] * 40, turned), layout=layout).position
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_saved_axes_are_the_axes_of_another_file(tmp_path: Path) -> None:
    one, other = random_reads(200, 6, gc=0.4), random_reads(200, 7, gc=0.5)
    fitted = gv.read_fastq(one, layout="tetranucleotide").layout
    fitted.save(tmp_path / "axes.json")
    p = gv.read_fastq(other, layout=gv.layouts.load(tmp_path / "axes.json"))
    assert p.layout == fitted
    own = gv.read_fastq(other, layout="tetranucleotide")
    assert own.layout != fitted
    assert not np.allclose(own.position, p.position)
    weights, bias = fitted.parameters["weights"], fitted.parameters["bias"]
    for sequence, place in zip(other.splitlines()[1::4], p.position.tolist(), strict=True):
        np.testing.assert_allclose(place, tetranucleotide(sequence, weights, bias), atol=1e-8)
    given = gv.layouts.Tetranucleotide(weights, bias, point_size=fitted.point_size)
    np.testing.assert_array_equal(gv.read_fastq(other, layout=given).position, p.position)
    without = gv.layouts.Tetranucleotide(np.array(weights))
    moved = gv.read_fastq(other, layout=without).position
    np.testing.assert_allclose(moved, p.position + np.array(bias), atol=1e-6)


def test_the_first_reads_alone_are_fitted() -> None:
    one, other = random_reads(100, 8, gc=0.3), random_reads(100, 9, gc=0.7)
    fitted = gv.read_fastq(one, layout="tetranucleotide").layout
    wish = gv.layouts.Tetranucleotide(reads=100)
    both = gv.read_fastq(one + other, layout=wish).layout
    assert both.parameters["weights"] == fitted.parameters["weights"]
    assert both.parameters["bias"] == fitted.parameters["bias"]
    more = gv.read_fastq(one + other, layout="tetranucleotide").layout
    assert more.parameters["weights"] != fitted.parameters["weights"]


def test_reads_without_a_tetranucleotide() -> None:
    text = fastq(["a", "b", "c"], ["ACG", "ACGNACG", ""])
    p = gv.read_fastq(text, layout="tetranucleotide")
    assert np.isnan(p.position).all()
    assert p.stats.unplaced == 3
    alone = gv.read_fastq(random_reads(1, 1), layout="tetranucleotide").position
    np.testing.assert_allclose(alone, 0, atol=1e-15)


def test_a_reader_tells_its_layout_before_it_reads() -> None:
    for name, text in SETTLED.items():
        with gv.scan_fastq(text, layout=name) as reader:
            settled = reader.layout
            assert settled == reader.layout
            assert reader.stats.reads == 0
            assert reader.read().layout == settled
    reader = gv.scan_fastq(SETTLED["grid"])
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        _ = reader.layout
