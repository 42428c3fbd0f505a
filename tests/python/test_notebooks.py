"""Every notebook runs from top to bottom, without a warning, and is stored without outputs."""

import os

import pytest

from support import REPO

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

NOTEBOOKS = sorted((REPO / "notebooks").glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def executed():
    """Return a function that gives a notebook after its execution, which happens once."""
    done = {}

    def execute(path):
        if path not in done:
            notebook = read(path)
            # A notebook imports from its own folder, also where `make asan` lets nothing else.
            environment = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
            nbclient.NotebookClient(
                notebook,
                timeout=300,
                kernel_name="python3",
                resources={"metadata": {"path": str(path.parent)}},
            ).execute(env=environment)
            done[path] = notebook
        return done[path]

    return execute


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def printed(notebook):
    return "".join(each["text"] for each in outputs(notebook) if each.get("name") == "stdout")


def test_there_are_notebooks():
    assert [path.name for path in NOTEBOOKS][:1] == ["01_reads_as_particles.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_stored_without_outputs(path):
    for cell in code_cells(read(path)):
        assert cell.outputs == []
        assert cell.execution_count is None


# What Jupyter's own packages warn of is theirs; a warning in a notebook's code goes to its stderr.
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_without_a_warning(executed, path):
    said = [each["text"] for each in outputs(executed(path)) if each.get("name") == "stderr"]
    # Reads without a known base have no place by composition; the first notebook speaks of them.
    assert [text for text in said if "UnplacedWarning" not in text] == []


@pytest.mark.filterwarnings("default")
def test_01_shows_what_its_words_say(executed):
    notebook = executed(REPO / "notebooks" / "01_reads_as_particles.ipynb")
    text = printed(notebook)
    assert "platform:   illumina" in text
    assert "7,040 reads, 528,000 bases" in text
    assert "12 reads without a known base; the stats say 12" in text
    assert "the slice shares memory: True" in text
    assert "seen through the whole: 9.0" in text
    pictures = [each for each in outputs(notebook) if "image/png" in each.get("data", {})]
    assert len(pictures) == 3


@pytest.mark.filterwarnings("default")
def test_01_finds_the_bubble_on_two_tiles(executed):
    text = printed(executed(REPO / "notebooks" / "01_reads_as_particles.ipynb"))
    rows = [line.split(":") for line in text.splitlines() if line.startswith("lane ")]
    counts = {tile: int(rest.split()[0]) for tile, rest in rows}
    worst = sorted(counts, key=counts.get)[-2:]
    assert sorted(worst) == ["lane 1, tile 1102", "lane 1, tile 1103"]


@pytest.mark.filterwarnings("default")
def test_01_depends_on_no_machine(executed):
    notebook = executed(REPO / "notebooks" / "01_reads_as_particles.ipynb")
    shown = printed(notebook) + "".join(
        str(value)
        for each in outputs(notebook)
        for kind, value in each.get("data", {}).items()
        if kind.startswith("text/")
    )
    for word in (str(REPO), " at 0x", "seconds"):
        assert word not in shown
