"""What the documentation shows must run: docstring examples, and the Python of the README."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shutil
from pathlib import Path

import matplotlib
import pytest

import genomevedic as gv
from support import REPO

MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules(gv.__path__, "genomevedic.")
    if not module.name.endswith(("_core", "__main__"))
)
README = (REPO / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("name", ["genomevedic", *MODULES])
def test_docstring_examples(name: str) -> None:
    module = importlib.import_module(name)
    results = doctest.testmod(module)
    assert results.failed == 0


def test_the_main_functions_have_examples() -> None:
    for thing in (gv.read_fastq, gv.scan_fastq, gv.peek_fastq, gv.Particles, gv.TextColumn):
        assert ">>> " in (thing.__doc__ or ""), thing


def test_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    matplotlib.use("agg")
    for name in ("lane1.fastq.gz", "lane2.fastq.gz"):
        shutil.copy(gv.datasets.flowcell_sample(), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(BLOCKS) == 2
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(block, names)
    matplotlib.pyplot.close("all")
    assert "7040" in capsys.readouterr().out


def test_links_in_the_documents_lead_somewhere() -> None:
    documents = [*REPO.glob("*.md"), *REPO.glob("docs/**/*.md"), *REPO.glob("benchmarks/*.md")]
    assert len(documents) > 8
    for document in documents:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} links to {target}"
