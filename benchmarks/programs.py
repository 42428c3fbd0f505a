"""The compiled contenders: builds those of c/ and rust/, and finds those that are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "bench"


def run(command: list[str], **options) -> str:
    """What a program prints, "" where it cannot be had or fails."""
    try:
        out = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )
    except OSError:
        return ""
    return out.stdout if out.returncode == 0 else ""


def version(name: str) -> str:
    """The version that an installed program says it has."""
    commands = {"seqkit": ["version"], "seqtk": [], "wc": ["--version"]}
    out = subprocess.run(
        [name, *commands.get(name, ["--version"])],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout
    found = re.search(r"\d+\.\d+[\w.+-]*", out)
    return found.group() if found else ""


def has(name: str) -> bool:
    return shutil.which(name) is not None


class Notes(list[str]):
    """What could not be had, for the reader of the tables."""

    def add(self, note: str) -> None:
        if note not in self:
            self.append(note)


def build_c(name: str, libraries: dict[str, str], notes: Notes) -> Path | None:
    """Compile c/NAME.c with the libraries that pkg-config knows; "" needs the library."""
    flags = []
    for package, define in libraries.items():
        found = run(["pkg-config", "--cflags", "--libs", package]).split()
        if found:
            flags += found + ([f"-D{define}"] if define else [])
        elif not define:
            notes.add(f"{name}.c needs {package} (and pkg-config)")
            return None
        else:
            notes.add(f"no {package}: its limits are left out")
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / name
    source = HERE / "c" / f"{name}.c"
    command = [os.environ.get("CC", "cc"), "-O3", "-march=native", "-std=c11", str(source)]
    try:
        subprocess.run([*command, "-o", str(program), *flags], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        notes.add(f"{name}.c does not compile: {error}")
        return None
    return program


def build_rust(notes: Notes) -> Path | None:
    """Compile rust/ for this processor, as its fastest parser asks to be."""
    if not has("cargo"):
        notes.add("no cargo: no Rust parsers")
        return None
    command = ["cargo", "build", "--release", "--quiet", "--target-dir"]
    environment = os.environ | {"RUSTFLAGS": "-C target-cpu=native"}
    try:
        subprocess.run(
            [*command, str(BUILD / "rust")], cwd=HERE / "rust", env=environment, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        notes.add(f"the Rust parsers do not compile: {error}")
        return None
    return BUILD / "rust" / "release" / "rust-parsers"


def crate_versions() -> dict[str, str]:
    """Return the versions of the parsers, which the manifest pins."""
    manifest = tomllib.loads((HERE / "rust" / "Cargo.toml").read_text())
    return {name: pin.removeprefix("=") for name, pin in manifest["dependencies"].items()}
