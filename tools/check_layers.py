#!/usr/bin/env python3
"""Check who includes whom in the C sources.

A file of the core includes its own layer or lower. A module's folder (``simd/`` of ``gv_scan``,
``layout/`` of ``gv_layout``, ``inflate/`` of ``gv_inflate``) is reached from that module alone.
The core knows no Python, prints nothing, never aborts and reads no environment. The binding, the C
tests, fuzzers and C benchmarks include public headers only: ``gv*.h`` directly in ``csrc/``.

Usage: check_layers.py [ROOT]     exit status 1 where a rule is broken
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# A new module is added here first. A module is the name that gv_x.h and gv_x.c share.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("gv_base",),
    ("gv_status", "gv_cpu", "gv_os"),
    ("gv_span", "gv_pool", "gv_arena", "gv_slots", "gv_scan", "gv_digest"),
    ("gv_kmer", "gv_name", "gv_names", "gv_measure", "gv_column", "gv_appearance"),
    ("gv_particle", "gv_layout", "gv_tally", "gv_voxel"),
    ("gv_fastq",),
    ("gv_source", "gv_inflate", "gv_mapping", "gv_builder", "gv_slices", "gv_pipeline"),
    ("gv",),
)
LAYER_OF = {module: layer for layer, modules in enumerate(LAYERS) for module in modules}

# Folders of internals, each with the one module that may include from it or name its symbols.
OWNER_OF = {"simd": "gv_scan", "layout": "gv_layout", "inflate": "gv_inflate"}

# Folders outside csrc/ whose C files are users of the public headers.
USER_FOLDERS = ("tests/c", "fuzz", "benchmarks")

# System headers that only some modules may know. A module's folder has its owner's rights.
RESERVED_HEADERS: tuple[tuple[re.Pattern[str], frozenset[str], str], ...] = (
    (
        re.compile(r"(sys/.*|mach/.*|unistd\.h|fcntl\.h|pthread\.h|windows\.h)"),
        frozenset({"gv_os", "gv_source", "gv_pipeline"}),
        "the operating system is known to gv_os, gv_source and gv_pipeline only",
    ),
    (re.compile(r"zlib\.h"), frozenset({"inflate"}), "zlib is known to inflate/ only"),
    (re.compile(r"isa-l(/.*|\.h)"), frozenset({"inflate"}), "ISA-L is known to inflate/ only"),
    (re.compile(r"libdeflate\.h"), frozenset({"inflate"}), "libdeflate is known to inflate/ only"),
)

FORBIDDEN_CALLS = re.compile(
    r"\b(v?f?printf|v?dprintf|f?puts|f?putc|putchar|perror"
    r"|abort|exit|_exit|_Exit|quick_exit"
    r"|(?:secure_)?getenv|setenv|putenv|system)\s*\("
)
PYTHON_HEADERS = re.compile(r"(Python\.h|structmember\.h|pymem\.h|numpy/.*|(.*/)?gvpy.*\.h)")
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b[ \t]*(.*)$", re.MULTILINE)
INCLUDE_NAME = re.compile(r'[<"]([^>"]+)[>"]')
# A literal is matched so that a comment sign inside it does not count, and the reverse.
COMMENT_OR_LITERAL = re.compile(
    r"//(?:\\\n|[^\n])*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)


@dataclass(frozen=True)
class Breach:
    """A rule broken at a line of a file."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        """Write it as compilers do, so that editors jump to the line."""
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Source:
    """A C file: its path from the root, and its text with the comments blanked out."""

    path: str
    text: str
    code: str  # literals blanked out too

    @classmethod
    def read(cls, root: Path, path: Path) -> Source:
        raw = path.read_text(encoding="utf-8")
        return cls(
            path.relative_to(root).as_posix(),
            COMMENT_OR_LITERAL.sub(lambda m: blank(m[0]) if m[0][0] == "/" else m[0], raw),
            COMMENT_OR_LITERAL.sub(lambda m: blank(m[0]), raw),
        )

    @property
    def in_core(self) -> bool:
        return self.path.startswith("csrc/") and not self.path.startswith("csrc/python/")

    def includes(self) -> Iterator[tuple[int, str | None]]:
        """Yield the line and the name of each include; None for one made by a macro."""
        for match in INCLUDE.finditer(self.text):
            name = INCLUDE_NAME.match(match[1])
            yield line_of(self.text, match.start(1)), name[1] if name else None


@dataclass(frozen=True)
class Internals:
    """The names that folders of internals keep: by their prefix, less those in public headers."""

    folder_of: dict[str, str]
    public: frozenset[str]

    @classmethod
    def of(cls, sources: list[Source]) -> Internals:
        core = [(source, *place(source.path)) for source in sources if source.in_core]
        return cls(
            {
                # simd/gv_scan_scalar.c and layout/spiral.c: gv_scan_scalar..., gv_layout_spiral...
                module if module.startswith("gv_") else f"{OWNER_OF[folder]}_{module}": folder
                for _, folder, module in core
                if folder in OWNER_OF
            },
            frozenset(
                name
                for source, _, _ in core
                if is_public(source.path)
                for name in re.findall(r"\bgv_\w+", source.code)
            ),
        )


def blank(text: str) -> str:
    """Replace everything but line ends by spaces, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", text)


def line_of(text: str, position: int) -> int:
    """Return the 1-based line of a position."""
    return text.count("\n", 0, position) + 1


def resolve(root: Path, source: Source, name: str) -> str | None:
    """Return the path from the root of the project's file an include names, None for another's.

    A header is looked for as the compiler does: beside the file, then in csrc/.
    """
    for base in (root / Path(source.path).parent, root / "csrc"):
        target = (base / name).resolve()
        if target.is_file() and target.is_relative_to(root):
            return target.relative_to(root).as_posix()
    return None


def place(path: str) -> tuple[str, str]:
    """Return the folder below csrc/ ("" for csrc/ itself) and the module of a file."""
    parts = path.split("/")
    return "/".join(parts[1:-1]), parts[-1].rpartition(".")[0]


def is_public(path: str) -> bool:
    """Tell whether a path is that of a public header."""
    return re.fullmatch(r"csrc/gv(_\w+)?\.h", path) is not None


def layer_of(path: str) -> int | None:
    """Return the layer of a file of the core, None where the tables do not know it."""
    folder, module = place(path)
    return LAYER_OF.get(OWNER_OF.get(folder, "") if folder else module)


def check_core_include(source: Source, target: str) -> str | None:
    """Return what is wrong with a core file's include of another core file."""
    folder, module = place(source.path)
    to_folder, _ = place(target)
    layer, to_layer = layer_of(source.path), layer_of(target)
    if to_layer is None:
        return f"includes {target}, which is not in the table of tools/check_layers.py"
    if to_folder and folder != to_folder and module != OWNER_OF[to_folder]:
        return f"includes {target}: {to_folder}/ is included by {OWNER_OF[to_folder]}.c alone"
    if to_folder and folder != to_folder and not source.path.endswith(".c"):
        return f"includes {target}: a header shows its users nothing of {to_folder}/"
    if layer is not None and to_layer > layer:
        return f"of layer {layer} includes {target} of layer {to_layer}"
    return None


def check_core_system_include(source: Source, name: str) -> str | None:
    """Return what is wrong with a core file's include of a header that is not the project's."""
    folder, module = place(source.path)
    if PYTHON_HEADERS.fullmatch(name):
        return f"includes {name}: the core knows no Python"
    for pattern, holders, reason in RESERVED_HEADERS:
        if pattern.fullmatch(name) and not {folder, module, OWNER_OF.get(folder)} & holders:
            return f"includes {name}: {reason}"
    if re.fullmatch(r"(.*/)?gv\w*\.h", name):
        return f"includes {name}, which does not exist"
    return None


def check_core(root: Path, source: Source, internals: Internals) -> Iterator[Breach]:
    """Check one file of the core."""
    folder, module = place(source.path)
    if layer_of(source.path) is None:
        yield Breach(
            source.path, 1, "is not in the table: add its module to LAYERS in tools/check_layers.py"
        )
    for line, name in source.includes():
        if name is None:
            yield Breach(source.path, line, "includes what a macro names: it cannot be checked")
            continue
        target = resolve(root, source, name)
        if target is None or not target.startswith("csrc/") or target.startswith("csrc/python/"):
            fault = check_core_system_include(source, name)
        else:
            fault = check_core_include(source, target)
        if fault:
            yield Breach(source.path, line, fault)
    for match in FORBIDDEN_CALLS.finditer(source.code):
        yield Breach(
            source.path, line_of(source.code, match.start()), f"calls {match[1]}: not in the core"
        )
    yield from check_internal_names(source, folder, module, internals)


def check_internal_names(
    source: Source, folder: str, module: str, internals: Internals
) -> Iterator[Breach]:
    """Check that symbols of a folder are named by its owner alone, but for those made public."""
    for prefix, inner in internals.folder_of.items():
        if folder == inner or module == OWNER_OF[inner]:
            continue
        for match in re.finditer(rf"\b{re.escape(prefix)}(?=_|\b)\w*", source.code):
            if match[0] in internals.public:
                continue
            yield Breach(
                source.path,
                line_of(source.code, match.start()),
                f"names {match[0]} of {inner}/, which {OWNER_OF[inner]} alone may name",
            )


def check_user(root: Path, source: Source, internals: Internals) -> Iterator[Breach]:
    """Check a file of the binding, a C test, a fuzzer or a C benchmark."""
    own = Path(source.path).parent
    for line, name in source.includes():
        if name is None:
            yield Breach(source.path, line, "includes what a macro names: it cannot be checked")
            continue
        target = resolve(root, source, name)
        beside = target is not None and Path(target).parent == own and target.endswith(".h")
        if target is not None and not beside and not is_public(target):
            yield Breach(
                source.path, line, f"includes {target}: public headers only (gv*.h in csrc/)"
            )
    yield from check_internal_names(source, "", "", internals)


def check(root: Path) -> tuple[list[Breach], int]:
    """Check a tree and return the breaches and the number of files looked at."""
    root = root.resolve()
    folders = ("csrc", *USER_FOLDERS)
    paths = [p for f in folders for p in sorted((root / f).rglob("*")) if p.suffix in {".c", ".h"}]
    sources = [Source.read(root, path) for path in paths]
    internals = Internals.of(sources)
    breaches: list[Breach] = []
    for source in sources:
        breaches += (check_core if source.in_core else check_user)(root, source, internals)
    return breaches, len(sources)


def main(arguments: list[str]) -> int:
    """Check the tree named by the one argument, by default that of this script."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    breaches, count = check(root)
    for breach in breaches:
        print(breach)
    if count == 0:
        print(f"check_layers: no C files below {root}")
        return 1
    verdict = f"breaches: {len(breaches)}" if breaches else "layers are kept"
    print(f"check_layers: {count} files, {verdict}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
