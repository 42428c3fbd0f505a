"""The check of who includes whom: it accepts the tree as it is and finds each kind of breach."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

SOUND = {
    "csrc/gv_base.h": "#include <stdint.h>\n",
    "csrc/gv_status.h": '#include "gv_base.h"\n',
    "csrc/gv_scan.h": '#include "gv_base.h"\nint gv_scan_scalar_public(void);\n',
    "csrc/gv_scan.c": '#include "gv_scan.h"\n#include "simd/gv_scan_scalar.h"\n',
    "csrc/simd/gv_scan_scalar.h": '#include "gv_scan.h"\n',
    "csrc/simd/gv_scan_scalar.c": '#include "gv_scan_scalar.h"\n',
    "csrc/gv_fastq.h": '#include "gv_scan.h"\n#include "gv_status.h"\n',
    "csrc/gv_os.c": "#include <sys/mman.h>\n",
    "csrc/layout/spiral.c": "int gv_layout_spiral;\n",
    "csrc/inflate/gv_inflate_zlib.c": "#include <zlib.h>\n",
    "csrc/gv.h": '#include "gv_fastq.h"\n',
    "csrc/python/gvpy.h": '#include <Python.h>\n#include "gv.h"\n',
    "csrc/python/gvpy_module.c": '#include "gvpy.h"\n#include <numpy/arrayobject.h>\n',
    "tests/c/test_scan.c": '#include <stdio.h>\n#include "gv_scan.h"\n',
}


def load() -> ModuleType:
    """Import the script, which lies in no package."""
    spec = importlib.util.spec_from_file_location("check_layers", ROOT / "tools/check_layers.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_layers"] = module
    spec.loader.exec_module(module)
    return module


check_layers = load()


def breaches(root: Path, **changed: str) -> list[str]:
    """Check the sound tree with some files replaced or added."""
    for path, text in (SOUND | changed).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return [str(breach) for breach in check_layers.check(root)[0]]


def test_this_tree_keeps_the_layers(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_layers.main([str(ROOT)]) == 0, capsys.readouterr().out


def test_sound_tree(tmp_path: Path) -> None:
    assert breaches(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("csrc/gv_scan.c", '#include "gv_fastq.h"', "of layer 2 includes csrc/gv_fastq.h of layer"),
        ("csrc/gv_scan.c", "#include <gv_fastq.h>", "of layer 2 includes csrc/gv_fastq.h of layer"),
        ("csrc/gv_status.h", '#include "gv.h"', "of layer 1 includes csrc/gv.h of layer 7"),
        ("csrc/simd/gv_scan_scalar.c", '#include "gv_fastq.h"', "of layer 2 includes"),
        ("csrc/gv_fastq.c", '#include "simd/gv_scan_scalar.h"', "by gv_scan.c alone"),
        ("csrc/gv_scan.h", '#include "simd/gv_scan_scalar.h"', "a header shows its users nothing"),
        ("csrc/gv_fastq.c", "extern int gv_scan_scalar_count;", "names gv_scan_scalar_count"),
        ("csrc/gv_fastq.c", "extern int gv_layout_spiral;", "names gv_layout_spiral of layout/"),
        ("csrc/gv_fastq.c", "#include <Python.h>", "knows no Python"),
        ("csrc/gv_fastq.c", '#include "python/gvpy.h"', "knows no Python"),
        ("csrc/gv_fastq.c", "#include <numpy/arrayobject.h>", "knows no Python"),
        ("csrc/gv_fastq.c", "#include <unistd.h>", "the operating system is known to"),
        ("csrc/gv_inflate.c", "#include <zlib.h>", "zlib is known to inflate/ only"),
        ("csrc/gv_fastq.c", '#include "gv_gone.h"', "does not exist"),
        ("csrc/gv_fastq.c", "#include HEADER", "includes what a macro names"),
        ("csrc/gv_new.c", "", "add its module to LAYERS"),
        ("csrc/new/part.c", "", "add its module to LAYERS"),
        ("csrc/gv_fastq.c", 'void f(void) { printf("x"); }', "calls printf"),
        ("csrc/gv_fastq.c", "void f(void) { abort (); }", "calls abort"),
        ("csrc/gv_fastq.c", 'void f(void) { getenv("X"); }', "calls getenv"),
        ("csrc/simd/gv_scan_scalar.c", "void f(void) { exit(1); }", "calls exit"),
        ("csrc/python/gvpy_module.c", '#include "simd/gv_scan_scalar.h"', "public headers only"),
        ("tests/c/test_scan.c", '#include "simd/gv_scan_scalar.h"', "public headers only"),
        ("tests/c/test_scan.c", '#include "../../csrc/gv_scan.c"', "public headers only"),
        ("tests/c/test_scan.c", '#include "python/gvpy.h"', "public headers only"),
        ("fuzz/fuzz_scan.c", '#include "simd/gv_scan_scalar.h"', "public headers only"),
    ],
)
def test_breach(tmp_path: Path, path: str, text: str, fault: str) -> None:
    found = breaches(tmp_path, **{path: f"/* first line */\n{text}\n"})
    assert len(found) == 1, found
    line = 1 if "LAYERS" in fault else 2
    assert found[0].startswith(f"{path}:{line}: ")
    assert fault in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "/* as in\n#include <Python.h>\n*/",
        "// #include <Python.h>",
        "/* it never calls abort() or printf() */",
        'const char *text = "exit(1) /* ";\n',
        "int n = gv_scan_scalar_public();",
        "int n = snprintf(out, size, format);",
    ],
)
def test_nothing_wrong(tmp_path: Path, text: str) -> None:
    assert breaches(tmp_path, **{"csrc/gv_fastq.c": f"{text}\n"}) == []


def test_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    breaches(tmp_path, **{"csrc/gv_scan.c": '#include "gv_fastq.h"\n'})
    assert check_layers.main([str(tmp_path)]) == 1
    assert "breaches: 1" in capsys.readouterr().out


def test_empty_tree_is_no_success(tmp_path: Path) -> None:
    assert check_layers.main([str(tmp_path)]) == 1
