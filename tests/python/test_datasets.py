"""The shipped sample: what it promises, and that the script in the repository makes it."""

import gzip
import runpy
from collections import Counter

import numpy as np
import pytest

import genomevedic as gv
from genomevedic.names import guess_platform
from support import REPO

SCRIPT = REPO / "tools" / "make_sample.py"


@pytest.fixture(scope="module")
def text():
    return gzip.decompress(gv.datasets.flowcell_sample().read_bytes())


@pytest.fixture(scope="module")
def lines(text):
    return text.decode("ascii").split("\n")[:-1]


def test_is_small_and_says_nothing_of_when_and_where_it_was_made():
    packed = gv.datasets.flowcell_sample().read_bytes()
    assert len(packed) < 300_000
    assert packed[:4] == b"\x1f\x8b\x08\x00"  # no name, no comment
    assert packed[4:8] == bytes(4)  # no time


@pytest.mark.skipif(not SCRIPT.is_file(), reason="the script is not beside the tests")
def test_the_script_makes_the_same_text(text):
    assert runpy.run_path(str(SCRIPT))["sample_text"]() == text


@pytest.mark.skipif(not SCRIPT.is_file(), reason="the script is not beside the tests")
def test_the_script_writes_a_file(text, tmp_path, capsys):
    output = tmp_path / "new" / "sample.fastq.gz"
    assert runpy.run_path(str(SCRIPT))["main"]([str(output)]) == 0
    assert gzip.decompress(output.read_bytes()) == text
    assert "7040 reads" in capsys.readouterr().out


def test_names_are_of_a_small_flow_cell(lines):
    fields = [name[1:].split(" ")[0].split(":") for name in lines[::4]]
    assert len(fields) == 7040
    assert {len(each) for each in fields} == {7}
    tiles = Counter((lane, tile) for _, _, _, lane, tile, _, _ in fields)
    expected = {
        (lane, f"{surface}10{number}") for lane in "12" for surface in "12" for number in "1234"
    }
    assert set(tiles) == expected
    assert set(tiles.values()) == {440}
    assert guess_platform(name[1:] for name in lines[::4]) == "illumina"


def test_has_a_bubble_of_poor_quality(lines):
    fields = [name.split(" ")[0].split(":") for name in lines[::4]]
    tile = np.array([f"{each[3]}/{each[4]}" for each in fields])
    x, y = np.array([[int(part) for part in each[5:7]] for each in fields]).T
    qualities = np.array([list(text.encode()) for text in lines[3::4]]) - 33
    assert set(np.unique(qualities)) == {2, 11, 25, 37}

    number = np.array([int(each[4]) % 100 for each in fields])
    inside = np.hypot(x - 18_000, y + 36_282 * number - 107_000) < 5_000
    inside &= np.isin(tile, ["1/1102", "1/1103"])
    assert np.count_nonzero(inside) > 10
    assert qualities[inside, 20:60].mean() < 15
    assert qualities[inside, :20].mean() > 30
    assert qualities[inside, 60:].mean() > 30
    assert qualities[tile == "2/1102", 20:60].mean() > 33


def test_reads_as_particles_in_two_clouds():
    particles = gv.read_fastq(gv.datasets.flowcell_sample(), layout="composition")
    assert len(particles) == 7040
    assert particles.stats.unknown_bases > 0
    assert particles.stats.unplaced == np.count_nonzero(np.isnan(particles.gc)) == 12
    poor, even, rich = np.histogram(particles.gc, bins=[0.25, 0.40, 0.55, 0.70])[0]
    assert poor > 1.5 * even and rich > 1.5 * even
    assert np.count_nonzero(particles.gc > 0.95) > 100  # poly-G of dark clusters
