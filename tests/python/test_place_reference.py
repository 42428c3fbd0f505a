"""The oracle of places is held against places worked out by hand."""

from __future__ import annotations

import math

import pytest

from reference.names import parse
from reference.places import (
    CHIPS,
    NOWHERE,
    PLACES,
    chaos_game,
    flowcell,
    flowcell_s4,
    four_mers,
    grid,
    guess_model,
    mgi,
    nanopore,
    pacbio,
    reverse_complement,
    tetranucleotide,
)

UUID = b"bd8655fb-383c-45cc-bff3-eb1dc86533e0"
PITCHES = {"lane_pitch": 1_000_000, "swath_pitch": 34_000, "tile_pitch": 38_000}


def casava(tile: int, lane: int = 1, x: int = 5000, y: int = 6000, instrument: str = "A00001"):
    return parse(f"{instrument}:1:F:{lane}:{tile}:{x}:{y}".encode())


def closed_form(model: str, channel: int) -> tuple[int, int]:
    """The formulas of layouts.md, as (col, row)."""
    c = channel
    if model == "minion":
        k, r = (c - 1) // 64, (c - 1) % 64
        p = 8 - k if k else 0
        if r < 32:
            return 4 * p + r // 8, 15 - r % 8
        q = r - 32
        return 4 * p + q // 8, q % 8
    if model == "promethion":
        return 10 * ((c - 1) // 250) + (c - 1) % 10, ((c - 1) % 250) // 10
    if c <= 24:
        return (c - 1) % 12, (c - 1) // 12
    if c <= 102:
        return (c - 25) % 13, 2 + (c - 25) // 13
    return (c - 103) % 12, 8 + (c - 103) // 12


@pytest.mark.parametrize(
    ("model", "channels"), [("minion", 512), ("promethion", 3000), ("flongle", 126)]
)
def test_the_built_chips_agree_with_the_closed_forms(model: str, channels: int) -> None:
    assert set(PLACES[model]) == set(range(1, channels + 1))
    assert len(set(PLACES[model].values())) == channels
    for channel, place in PLACES[model].items():
        assert place == closed_form(model, channel)


def test_lines_of_the_published_tables() -> None:
    """The first and last lines as NanoPlot and the R packages print them."""
    minion = CHIPS["minion"]()
    assert minion[0] == [33, 34, 35, 36, 37, 38, 39, 40, 8, 7, 6, 5, 4, 3, 2, 1]
    assert minion[4] == [
        481,
        482,
        483,
        484,
        485,
        486,
        487,
        488,
        456,
        455,
        454,
        453,
        452,
        451,
        450,
        449,
    ]
    assert minion[31] == [121, 122, 123, 124, 125, 126, 127, 128, 96, 95, 94, 93, 92, 91, 90, 89]
    promethion = CHIPS["promethion"]()
    assert [column[0] for column in promethion[:12]] == [*range(1, 11), 251, 252]
    assert promethion[119][24] == 3000
    flongle = CHIPS["flongle"]()
    assert [column[0] for column in flongle] == [*range(1, 13), 0]
    assert [column[2] for column in flongle] == [*range(25, 38)]
    assert [column[9] for column in flongle] == [*range(115, 127), 0]


def test_nanopore() -> None:
    name = parse(UUID + b" ch=33 start_time=2020-01-01T02:30:00Z")
    t0 = 1577836800_000000
    assert nanopore(name, "minion", t0) == (0.0, 0.0, 2.5)
    assert nanopore(name, "flongle", t0) == (8.0, 2.0, 2.5)
    assert nanopore(name, "promethion", t0 + 3_600_000_000) == (2.0, 3.0, 1.5)
    assert nanopore(parse(UUID + b" ch=33"), "minion", t0) is NOWHERE
    assert nanopore(parse(UUID + b" start_time=2020-01-01T02:30:00Z"), "minion", t0) is NOWHERE
    with pytest.raises(KeyError):
        nanopore(parse(UUID + b" ch=900 start_time=2020-01-01T02:30:00Z"), "flongle", t0)


@pytest.mark.parametrize(
    ("tail", "model"),
    [
        (b"ch=5 flow_cell_id=PAM93185", "promethion"),
        (b"ch=5 flow_cell_id=FAL10820", "minion"),
        (b"ch=5 flow_cell_id=AFB123", "flongle"),
        (b"ch=127 flow_cell_id=AFB1234", "minion"),
        (b"ch=126", "flongle"),
        (b"ch=512", "minion"),
        (b"ch=513", "promethion"),
    ],
)
def test_the_model_is_told_by_id_or_channels(tail: bytes, model: str) -> None:
    assert guess_model([parse(UUID), parse(UUID + b" " + tail)]) == model


def test_the_physical_flow_cell() -> None:
    assert flowcell_s4(casava(1101), 250_000) == (5000 + 33739, 6000 + 36282, 1)
    assert flowcell_s4(casava(1278), 250_000) == (5000 + 67478, 6000 + 78 * 36282 - 6201, 1)
    assert flowcell_s4(casava(2278), 250_000) == (5000 + 67478, 6000 + 78 * 36282 + 6201, 2)
    assert flowcell_s4(casava(2678, 4), 250_000, 0) == (5000 + 202434 + 750000, 2835996, 2)
    assert flowcell_s4(None, 250_000) is NOWHERE
    pitches = {"swath_pitch": 33_739, "tile_pitch": 36_282, "lane_pitch": 250_000}
    for tile in (1101, 1278, 2278, 1605, 2678):
        for lane in (1, 4):
            place = flowcell(casava(tile, lane), **pitches, stagger=6201, first=0)
            assert place == flowcell_s4(casava(tile, lane), 250_000)


def test_the_schematic_flow_cell() -> None:
    assert flowcell(casava(1101), **PITCHES) == (5000, 6000, 1)
    assert flowcell(casava(2312, 3), **PITCHES) == (2_073_000, 424_000, 2)
    assert flowcell(casava(2312, 3), **PITCHES, surface_pitch=500_000) == (2_573_000, 424_000, 0)
    assert flowcell(casava(1312, 3), **PITCHES, surface_pitch=500_000) == (2_073_000, 424_000, 0)
    # the camera's tiles come before the number: (5 - 1) * 12 + 2 - 1 = 49
    assert flowcell(casava(23502), **PITCHES, per_camera=12) == (73_000, 1_868_000, 2)
    assert flowcell(casava(123), **PITCHES) == (5000, 6000 + 122 * 38000, 1)
    old = parse(b"HWUSI-EAS100R:6:73:-941:1973#0/1")
    assert flowcell(old, **PITCHES) == (4_999_059, 2_737_973, 1)


def test_of_what_a_name_does_not_tell_there_is_one() -> None:
    assert flowcell(casava(1001), **PITCHES) == (5000, 6000, 1)
    singular = casava(2003, instrument="G4-014")
    assert flowcell(singular, **PITCHES) == (73_000, 82_000, 1)
    assert flowcell(singular, **PITCHES, surface_pitch=500_000) == (73_000, 82_000, 0)
    element = casava(20305, instrument="AV240401")
    assert flowcell(element, **PITCHES) == (141_000, 82_000, 2)


def test_other_names_have_no_place_on_a_flow_cell() -> None:
    for name in (b"m64011_190830_220126/1/ccs", b"V300019058L1C001R0010000000/1"):
        assert flowcell(parse(name), **PITCHES) is NOWHERE
        assert flowcell_s4(parse(name), 1) is NOWHERE
    assert pacbio(casava(1101)) is NOWHERE
    assert mgi(casava(1101), 1) is NOWHERE
    assert nanopore(casava(1101), "minion", 0) is NOWHERE


def test_pacbio() -> None:
    assert pacbio(parse(b"m84100_240128_024355_s2/261887593/ccs")) == (3996, 5737, 0)
    assert pacbio(parse(b"m64011_190830_220126/4294967294/ccs")) == (65535, 65534, 0)
    rs2 = b"m140928_184123_42139_c100719602550000001823155305141590_s1_p0/123/0_1000"
    assert pacbio(parse(rs2)) is NOWHERE


def test_mgi() -> None:
    name = parse(b"CL100025298L3C002R050_244547")
    assert mgi(name, 100) == (202, 50, 0)
    assert mgi(parse(b"E100026571L1C001R00300000000 2A5B5C1F00 7E1B2"), 100) is NOWHERE


def test_grid() -> None:
    assert [grid(i, 3) for i in (0, 2, 3, 10)] == [(0, 0, 0), (2, 0, 0), (0, 1, 0), (1, 3, 0)]


def test_four_mers() -> None:
    assert four_mers(b"ACGT") == [0b00011011]
    assert four_mers(b"aaaaCu") == [0, 1, 7]
    assert four_mers(b"AAANAAAA-TTTT") == [0, 255]
    assert four_mers(b"AAA") == []
    assert reverse_complement(0) == 255
    assert reverse_complement(0b00011011) == 0b00011011
    assert reverse_complement(four_mers(b"AACG")[0]) == four_mers(b"CGTT")[0]
    assert all(reverse_complement(reverse_complement(mer)) == mer for mer in range(256))


def test_tetranucleotide() -> None:
    weights = [(float(mer), 1.0, -float(mer)) for mer in range(256)]
    assert tetranucleotide(b"AAAAC", weights, (0.5, 0.0, 0.0)) == (0.0, 1.0, -0.5)
    assert tetranucleotide(b"AAAANTTTT", weights, (0.0, 1.0, 0.0)) == (127.5, 0.0, -127.5)
    assert all(map(math.isnan, tetranucleotide(b"ACGNACG", weights, (0.0, 0.0, 0.0))))


def test_chaos_game() -> None:
    assert chaos_game(b"A") == (0.5, 0.5, 0.5)
    assert chaos_game(b"ANg") == (0.75, -0.25, -0.25)
    assert chaos_game(b"N") is NOWHERE
