"""The inflate engines: which can be used, when they are loaded, and that all give the same."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import pytest

import genomevedic as gv
from genomevedic import _core
from support import GzipCase, bgzf, bgzf_block, gzip_cases, gzip_member, make_records

ENGINES = gv.show_config("dict")["inflate_engines"]
WRONG = [case for case in gzip_cases() if case.payload is None]
TEXT = b"".join(make_records(20_000, seed=8, longest=300))


def fault(data: bytes, engine: str | None) -> tuple[str, str]:
    """The kind of the error and its message."""
    with pytest.raises(gv.errors.GenomeVedicError) as caught:
        _core.inflate(data, engine)
    return type(caught.value).__name__, str(caught.value)


def in_new_python(code: str, *options: str) -> object:
    """Run code that sets `answer`, in a Python of its own, and return that."""
    code = f"import json, sys\n{code}\nprint(json.dumps(answer))"
    done = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def module_folder(tmp_path: Path, text: str) -> str:
    """Make a package isal whose isal_zlib has that text; return the line that puts it first."""
    package = tmp_path / "isal"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "isal_zlib.py").write_text(text)
    return f"sys.path.insert(0, {str(tmp_path)!r})\n"


READ = f"""
import genomevedic as gv
from genomevedic import _core
names = gv.show_config("dict")["inflate_engines"]
before = sorted(m for m in sys.modules if m.split(".")[0] == "isal")
data = bytes.fromhex("{gzip_member(b"text").hex()}")
text = [_core.inflate(data, name).decode() for name in [None, *names]]
"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_same_text(engine: str, level: int) -> None:
    blocks = [TEXT[i : i + 65280] for i in range(0, len(TEXT), 65280)]
    assert _core.inflate(gzip_member(TEXT, level=level), engine) == TEXT
    assert _core.inflate(bgzf(*blocks), engine) == TEXT


@pytest.mark.parametrize(
    "case", [c for c in gzip_cases() if c.payload is None], ids=lambda c: c.name
)
def test_same_faults(case: GzipCase) -> None:
    """The kind, the place and the words."""
    faults = {fault(case.data, engine) for engine in ENGINES}
    assert len(faults) == 1


@pytest.mark.parametrize("form", ["gzip", "bgzf"])
def test_same_faults_wherever_it_is_cut(form: str) -> None:
    text = TEXT[:1000]
    data = gzip_member(text) if form == "gzip" else bgzf_block(text)
    for cut in range(2, len(data)):
        faults = {fault(data[:cut], engine)[0] for engine in ENGINES}
        assert faults == {"TruncatedFileError"}, cut


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("offset", [-2, -1, 1, 2])
def test_block_of_another_length(engine: str, offset: int) -> None:
    """The trailer tells another length than the text has, with the checksum of that length."""
    text = TEXT[:5000]
    block = bytearray(bgzf_block(text))
    said = TEXT[: len(text) + offset]
    block[-8:] = zlib.crc32(said).to_bytes(4, "little") + len(said).to_bytes(4, "little")
    assert fault(bytes(block), engine)[0] == "BadGzipError"
    block[-8:-4] = zlib.crc32(text).to_bytes(4, "little")
    assert "length" in fault(bytes(block), engine)[1]


def test_names_are_in_order() -> None:
    assert ENGINES[-1] == "python-zlib"
    assert len(set(ENGINES)) == len(ENGINES)
    order = ["isal", "libdeflate", "zlib", "python-zlib"]
    assert [name for name in ENGINES if name in order] == [n for n in order if n in ENGINES]
    if "python-isal" in ENGINES:
        at = ENGINES.index("python-isal")
        assert "zlib" not in ENGINES[:at]
        assert at == 0 or ENGINES[0] == "isal"


def test_isal_is_imported_when_it_is_used() -> None:
    pytest.importorskip("isal")
    code = READ + 'answer = [names, before, text, "isal.isal_zlib" in sys.modules]'
    names, before, text, is_loaded = in_new_python(code)
    assert "python-isal" in names
    assert before == []
    assert set(text) == {"text"}
    assert is_loaded


def test_plain_text_needs_no_engine() -> None:
    code = """
import genomevedic as gv
gv.read_fastq(b"@r\\nA\\n+\\nI\\n")
answer = [m for m in sys.modules if m.split(".")[0] == "isal"]
"""
    assert in_new_python(code) == []


def test_isal_is_missing() -> None:
    code = 'sys.modules["isal"] = None\n' + READ + "answer = [names, text]"
    names, text = in_new_python(code)
    assert "python-isal" not in names
    assert "python-zlib" in names
    assert set(text) == {"text"}


@pytest.mark.parametrize(
    "module",
    [
        "raise ImportError('built for another Python')",
        "decompressobj = None",
        # It keeps what follows the stream to itself.
        """
import zlib
from zlib import crc32, error
class decompressobj:
    def __init__(self, wbits):
        self.inner, self.unused_data = zlib.decompressobj(wbits), b""
    eof = property(lambda self: self.inner.eof)
    def decompress(self, data, size):
        return self.inner.decompress(data, size)
""",
    ],
    ids=["broken", "without the object", "old"],
)
def test_isal_that_cannot_be_used(module: str, tmp_path: Path) -> None:
    """Python's zlib stands in for it."""
    code = module_folder(tmp_path, module) + READ + "answer = text"
    assert set(in_new_python(code)) == {"text"}


@pytest.mark.parametrize("fault", [MemoryError, KeyboardInterrupt])
def test_looking_for_isal_may_fail(
    fault: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That says nothing of whether it is installed: it is looked for again."""
    wanted = _core.config()

    def find_spec(name: str) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", find_spec)
        with pytest.raises(fault):
            _core.config()
    assert _core.config() == wanted


def test_unknown_names() -> None:
    for name in ("", "ISAL", "igzip"):
        with pytest.raises(ValueError, match="no inflate engine is named"):
            _core.inflate(gzip_member(b"text"), name)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_state_is_good_for_many_members(engine: str) -> None:
    """Blocks and streams by turns, good ones after each other and of all lengths."""
    texts = [TEXT[i * i : i * i + i * 700] for i in range(90)]
    data = b"".join((gzip_member if i % 3 else bgzf_block)(text) for i, text in enumerate(texts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gv.errors.MissingEndBlockWarning)
        assert _core.inflate(data, engine) == b"".join(texts)
