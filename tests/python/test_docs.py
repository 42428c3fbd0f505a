"""What the documentation shows must run: docstring examples, and the Python of the README."""

from __future__ import annotations

import contextlib
import doctest
import gzip
import importlib
import importlib.util
import inspect
import io
import pkgutil
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest

import genomevedic as gv
from support import REPO

matplotlib.use("agg")

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(gv.__path__, "genomevedic.")
    if not module.name.endswith(("_core", "__main__"))
)
README = (REPO / "README.md").read_text()
ERRORS = re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL)
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("name", ["genomevedic", *MODULES])
def test_docstring_examples(name: str) -> None:
    module = importlib.import_module(name)
    results = doctest.testmod(module)
    plt.close("all")
    assert results.failed == 0


WITH_EXAMPLES = [
    gv.read_fastq,
    gv.scan_fastq,
    gv.peek_fastq,
    gv.show_config,
    gv.FastqReader,
    gv.FastqReader.read,
    gv.FastqReader.batches,
    gv.Particles,
    gv.Particles.sample,
    gv.Particles.concat,
    gv.Particles.to_pandas,
    gv.Particles.to_polars,
    gv.Particles.to_arrow,
    gv.TextColumn,
    gv.Table,
    gv.Table.to_pandas,
    gv.Table.to_arrow,
    gv.tiles,
    gv.optical_pairs,
    gv.summary,
    gv.errors.GenomeVedicError,
    gv.layouts.Composition,
    gv.layouts.Spiral,
    gv.layouts.find,
    gv.datasets.flowcell_sample,
    gv.recovery.Retry,
    gv.recovery.CircuitBreaker,
    gv.recovery.Fallback,
    gv.recovery.is_fault,
    gv.sources.Mirror,
    gv.sources.open_url,
    gv.plot.scatter,
    gv.plot.hist,
    gv.plot.overview,
    gv.plot.density,
    gv.plot.flowcell,
    gv.plot.chip,
    gv.plot.yield_over_time,
    gv.plot.nanopore,
    gv.plot.gc_quality,
    gv.plot.length_quality,
    gv.plot.live,
    gv.plot.gc_colormap,
    gv.Particles.to_napari,
    gv.Particles.view,
    gv.napari.layers,
    gv.napari.view,
    gv.to_html,
]
# They answer with what they know, or hold what they are given.
RAISES_NOTHING = {
    gv.Particles,
    gv.TextColumn,
    gv.errors.GenomeVedicError,
    gv.layouts.Composition,
    gv.layouts.Spiral,
    gv.datasets.flowcell_sample,
    gv.recovery.is_fault,
    gv.recovery.Retry,
    gv.recovery.CircuitBreaker,
    gv.recovery.Fallback,
}


@pytest.mark.parametrize("thing", WITH_EXAMPLES, ids=lambda thing: thing.__qualname__)
def test_what_people_call_has_examples_and_says_what_it_raises(thing: object) -> None:
    text = inspect.getdoc(thing) or ""
    assert ">>> " in text
    assert ("\nRaises\n------\n" in text) or thing in RAISES_NOTHING


@pytest.mark.parametrize(
    "thing",
    [gv.read_fastq, gv.FastqReader, gv.scan_fastq, gv.tiles, gv.optical_pairs, gv.summary],
)
def test_every_argument_is_described(thing: object) -> None:
    text = inspect.getdoc(thing) or ""
    head = text[text.index("Parameters") : text.index("Raises")]
    for name in inspect.signature(thing).parameters:
        assert re.search(rf"\b{name}\b", head), name


def test_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("lane1.fastq.gz", "lane2.fastq.gz"):
        shutil.copy(gv.datasets.flowcell_sample(), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(BLOCKS) == 5
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(block, names)
    plt.close("all")
    gv.memory.set_limit(None)
    assert "7040" in capsys.readouterr().out


def test_the_error_in_the_readme_is_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = b"A00123:8:HABCDDSX2:1:1101:1063:%d 1:N:0:ACGTACGT"
    records = [
        b"@%s\n%s\n+\n%s\n" % (name % y, b"ACGTA" * 20, b"F" * length)
        for y, length in ((1000, 100), (1016, 99))
    ]
    Path("lane1.fastq.gz").write_bytes(gzip.compress(b"".join(records)))
    with pytest.raises(gv.errors.QualityMismatchError) as caught:
        gv.read_fastq("lane1.fastq.gz")
    kind = type(caught.value)
    printed = f"{kind.__module__}.{kind.__qualname__}: {caught.value}"
    assert [" ".join(block.split()) for block in ERRORS] == [printed]


def test_no_document_holds_a_place_for_something_to_come() -> None:
    for document in [*REPO.glob("*.md"), *REPO.glob("docs/**/*.md"), *REPO.glob("benchmarks/*.md")]:
        found = re.findall(r"^[A-Z_]{4,}$", document.read_text(), flags=re.MULTILINE)
        assert not found, f"{document.name} still says {found[0]}"


def test_every_module_is_in_the_tree_of_the_contributors() -> None:
    text = (REPO / "CONTRIBUTING.md").read_text()
    tree = re.findall(r"^    (.*)$", text, flags=re.MULTILINE)
    words = set(re.findall(r"[a-z_0-9/]+", "\n".join(tree)))
    modules = {path.stem for path in (REPO / "csrc").glob("gv_*.[ch]")} - {"gv_span"}
    modules |= {path.stem for path in (REPO / "genomevedic").rglob("[a-z]*.py")}
    modules |= {
        f"{path.parent.name}/" for path in (REPO / "genomevedic").glob("[a-z]*/__init__.py")
    }
    assert not modules - words


def test_links_in_the_documents_lead_somewhere() -> None:
    documents = [*REPO.glob("*.md"), *REPO.glob("docs/**/*.md"), *REPO.glob("benchmarks/*.md")]
    assert len(documents) > 8
    for document in documents:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_table_of_downloads_says_what_happens() -> None:
    path = REPO / "tools" / "compare_downloads.py"
    spec = importlib.util.spec_from_file_location("compare_downloads", path)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    document = (REPO / "docs" / "how-to" / "unreliable-sources.md").read_text()
    row = script.row("genomevedic", patience=100.0)
    assert row.partition(" | ")[2] in document
    # And the judge sees what it is there to see.
    one, two = script.TEXT, script.OTHER
    middle = one.index(b"\n@run", len(one) // 2) + 1
    assert script.judge(one[:middle]) == "**50 % as if whole**"
    assert "mixed" in script.judge(one[:middle] + two[middle:])


def test_the_how_to_of_sources_runs() -> None:
    text = (REPO / "docs" / "how-to" / "unreliable-sources.md").read_text()
    first, *blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert 'gv.read_fastq("https://host.example/' in first
    assert len(blocks) == 2
    names: dict[str, object] = {"gv": gv}
    for block in blocks:
        exec(block, names)


def test_the_how_to_of_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the waiting. What was stored does not come again."""
    text = (REPO / "docs" / "how-to" / "following-a-run.md").read_text()
    watching, storing = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert watching.count("idle_timeout=600") == storing.count("idle_timeout=600") == 1
    (tmp_path / "run").mkdir()
    names = {f"{number}.fastq": b"@r%d\nACGT\n+\nIIII\n" % number for number in range(3)}
    for name, record in names.items():
        (tmp_path / "run" / name).write_bytes(record)
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(
            watching.replace("idle_timeout=600", "idle_timeout=0").replace("nanopore", "spiral"), {}
        )
    assert sorted(said.getvalue().splitlines()) == [f"run/{name} 1 40.0" for name in names]
    (tmp_path / "run" / "0.fastq").write_bytes(names["0.fastq"] * 2)
    for _ in range(2):
        spaces: dict[str, Any] = {"gv": gv}
        exec(storing.replace("idle_timeout=600", "idle_timeout=0"), spaces)
        with contextlib.closing(spaces["store"]) as store:
            total = store.execute("select sum(reads), sum(bases) from yields").fetchone()
        assert total == (4, 16)


def test_the_recipe_for_datashader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (REPO / "docs" / "how-to" / "datashader.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        compile(block, "datashader.md", "exec")
    pytest.importorskip("datashader")
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec("\n".join(blocks), {})
    assert said.getvalue() == 2 * "7,028 of 7,040 reads are drawn\n"
    for name in ("counts", "gc", "batches"):
        assert plt.imread(tmp_path / f"{name}.png")[..., :3].std() > 0.05
