"""Read names: each grammar of layouts by a name that fits it and by names that must not."""

import pytest

from genomevedic.names import guess_platform, parse_name

UUID = "bd8655fb-383c-45cc-bff3-eb1dc86533e0"

# name, grammar, platform
KNOWN = [
    ("EAS139:136:FC706VJ:2:2104:15343:197393 1:Y:18:ATCACG", "illumina-1.8", "illumina"),
    ("ST-E00493:56:H33MFALXX:4:1101:23439:1379 1:N:0:NACAACCA", "illumina-1.8", "illumina"),
    ("M02007:58:000000000-AW0NA:1:1101:11070:1384", "illumina-1.8", "illumina"),
    ("A1:1:F:1:1101:1000:1000/1", "illumina-1.8", "illumina"),
    ("A1:1:F:1:1101:1000:1000:GATTACT 1:N:0:1", "illumina-1.8", "illumina"),
    ("A1:1:F:1:1101:1000:1000:GATTACT+GTCTTAAC 1:N:0:1", "illumina-1.8", "illumina"),
    ("A1:1:F:1:1101:1000:1000:GATTACT+rGTCTTAAC 1:N:0:1", "illumina-1.8", "illumina"),
    ("A1:1:F:1:1101:1000:1000_GATTACT 1:N:0:1", "illumina-1.8", "illumina"),
    ("A1:1:F:1:1101:1000:1000_GATTACT_TTAA\t1:N:0:1", "illumina-1.8", "illumina"),
    ("AV240405:Run-12:2427452508:2:10102:0001:0012 1:N:0:ACGT", "element", "element"),
    ("G4-014:0080:OM1482O:1:1001:272670:22240 1:N:0:ATCCAGAG", "singular", "singular"),
    ("HWUSI-EAS100R:6:73:941:1973#0/1", "illumina-1.3", "illumina"),
    ("HWI-EAS209_0006:5:58:5894:-21141#ATCACG/1", "illumina-1.3", "illumina"),
    ("071112_SLXA-EAS1_s_7:5:1:817:345", "illumina-1.3", "illumina"),
]

MGI = [
    "V300019058L1C001R0010000000/1",
    "E100001117L1C001R00300000000/2",
    "FP200000617L4C012R034_123#ACGTACGTAC/1",
    "FP200000617L4C012R034123#ACGTACGTAC+TTGCATTGCA/2",
    "L9C001R002L1C003R0045",
]

NANOPORE_WITH_CHANNEL = [
    f"{UUID} runid=1 read=5 ch=126 start_time=2020-01-01T00:00:00Z",
    f"{UUID} ch=3000",
    f"{UUID}\tst:Z:2025-08-01T10:00:00.123+00:00\tch:i:17\tqs:f:12.5",
    f"{UUID} qs:f:12.5  RG:Z:abc ch:i:1",
]

NANOPORE_WITHOUT_CHANNEL = [
    UUID,
    f"{UUID} runid=1 read=5",
    f"{UUID} ch= read=5",
    f"{UUID} ch=x",
    f"{UUID} search=5 xch=7",
    f"{UUID} st:Z:2025-08-01T10:00:00Z qs:f:9",
    f"{UUID} ch:Z:17 qs:f:9",
]

PACBIO = [
    "m64011_190830_220126/4194560/ccs",
    "m64011_190830_220126/4194560/ccs/fwd",
    "m84011_220902_175841_s1/4194560/ccs/rev",
    "m54119_170617_011021/4260229/0_1223",
    "m64187e_201211_000000/1/ccs",
]

UNKNOWN = [
    "",
    "1",
    "read_17 length=75",
    # six and eight to ten fields, among them Element's cytoprofiling names
    "A1:1:F:1:1101:1000",
    "A1:1:F:1:1101:1000:1000:ACGT:ACGT",
    "AV1:run:FC:1:L1R02:100:200:17:1:b4 1:N:0:ACGT",
    "AV1:run:FC:1:10102:100:200:17:1:4 1:N:0:ACGT",
    "A1:1:F:1:1101:-5:1000",
    "A1:1:F:one:1101:1000:1000",
    "A1:1:F:1:1101:10.5:1000",
    "::::1:1:1",
    " A1:1:F:1:1101:1000:1000",
    "HWUSI-EAS100R:6:73:941#0/1",
    "HWUSI-EAS100R:6:73:941:1973/3x",
    "V300019058L1C001R001",
    "V300019058L1C01R0010000000/1",
    "V300019058L1C001R0010000000/3",
    "V300019058L1C001R0010000000x",
    "bd8655fb-383c-45cc-bff3-eb1dc86533e",
    f"{UUID}0",
    "m6401_190830_220126/4194560/ccs",
    "64011_190830_220126/4194560/ccs",
    "m64011_190830_220126/4194560",
    "m64011_190830_220126/x/ccs",
    "004733_1-X0003",
    "SRR001666.1",
    "ERR000589.12/1",
    "SRR001666.1 1 length=36",
    "XRR001666.1 A1:1:F:1:1101:1000:1000",
    # digits of other scripts are no coordinates
    "A1:1:F:1:1101:1000:\u0661\u0662",
]


@pytest.mark.parametrize(("name", "grammar", "platform"), KNOWN)
def test_flowcell_names(name, grammar, platform):
    parsed = parse_name(name)
    assert parsed is not None
    assert (parsed.grammar, parsed.platform) == (grammar, platform)
    assert parsed.layouts == ("flowcell",)
    assert not parsed.renamed


@pytest.mark.parametrize("name", MGI)
def test_mgi_names(name):
    parsed = parse_name(name)
    assert (parsed.grammar, parsed.platform, parsed.layouts) == ("mgi", "mgi", ("mgi",))


def test_stereo_seq_has_no_place_of_its_own():
    parsed = parse_name("E100026571L1C001R00300000000 2A5B5C1F00 7E1B2")
    assert (parsed.platform, parsed.layouts) == ("stereo-seq", ())
    assert parse_name("E100026571L1C001R00300000000 not hex").platform == "mgi"


def test_ultima_has_no_place():
    parsed = parse_name("004733_1-X0003-1345904491")
    assert (parsed.platform, parsed.layouts) == ("ultima", ())


@pytest.mark.parametrize("name", NANOPORE_WITH_CHANNEL)
def test_nanopore_with_channel(name):
    parsed = parse_name(name)
    assert (parsed.platform, parsed.layouts) == ("nanopore", ("nanopore",))


@pytest.mark.parametrize("name", NANOPORE_WITHOUT_CHANNEL)
def test_nanopore_without_channel_has_no_place(name):
    parsed = parse_name(name)
    assert (parsed.platform, parsed.layouts) == ("nanopore", ())


def test_the_two_writers_of_nanopore_names():
    assert parse_name(f"{UUID} runid=1 ch=1").grammar == "nanopore-guppy"
    assert parse_name(f"{UUID} qs:f:9 ch:i:1").grammar == "nanopore-dorado"


@pytest.mark.parametrize("name", PACBIO)
def test_pacbio_names(name):
    parsed = parse_name(name)
    assert (parsed.grammar, parsed.platform, parsed.layouts) == ("pacbio", "pacbio", ("pacbio",))


def test_rs2_hole_numbers_are_no_place():
    parsed = parse_name("m140928_184123_42139_c100719602550000001823155305141590_s1_p0/123/0_1000")
    assert (parsed.grammar, parsed.platform, parsed.layouts) == ("pacbio-rs2", "pacbio", ())


@pytest.mark.parametrize("name", UNKNOWN)
def test_other_names_are_unknown(name):
    assert parse_name(name) is None


@pytest.mark.parametrize(
    ("name", "grammar"),
    [
        ("SRR001666.1 071112_SLXA-EAS1_s_7:5:1:817:345 length=36", "illumina-1.3"),
        ("ERR000589.1 HSQ1004:134:C0D8DACXX:1:1104:3874:86238/1", "illumina-1.8"),
        (f"DRR7.3 {UUID} runid=1 ch=12", "nanopore-guppy"),
        ("SRR9.1.1 m64011_190830_220126/1/ccs length=9", "pacbio"),
    ],
)
def test_archive_names_are_judged_by_what_follows(name, grammar):
    parsed = parse_name(name)
    assert parsed.grammar == grammar
    assert parsed.renamed


def test_element_is_lane_1_or_2_only():
    name = "AV240405:Run:FC:{}:10102:0001:0012"
    assert [parse_name(name.format(lane)).platform for lane in (1, 2, 3)] == [
        "element",
        "element",
        "illumina",
    ]


def test_guess_platform():
    illumina = [name for name, _, platform in KNOWN if platform == "illumina"]
    assert guess_platform(illumina) == "illumina"
    assert guess_platform(iter(PACBIO)) == "pacbio"
    assert guess_platform(PACBIO + MGI) == "mixed"
    assert guess_platform([*PACBIO, "read_1"]) == "mixed"
    assert guess_platform(["1", "2"]) == "unknown"
    assert guess_platform([]) == "unknown"


@pytest.mark.parametrize("unit", ["_", "A", "1", ":", "_A", "L1C001R001", "m11111_", " a", "/"])
def test_long_names_come_to_an_end(unit):
    for head in ("", "A1:1:F:1:1101:1:1", "A1:1:F:1:1101:1:1:", "SRR1 ", "m123456_"):
        for end in ("!", " 1:N:0:2"):
            parsed = parse_name(head + unit * 20_000 + end)
            assert parsed is None or parsed.platform in ("illumina", "unknown")
