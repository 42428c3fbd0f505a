#!/usr/bin/env python3
"""Show what tools make of servers that fail: the table of docs/how-to/unreliable-sources.md.

A server on a loopback socket (tests/python/faulty_server.py) breaks off, says nothing more, or
exchanges the file half-way. Each tool reads the URL in a process of its own, and what it hands over
is compared with the file. Nothing leaves this machine.

Usage: compare_downloads.py [SECONDS]    how long a tool may take before it is said to hang; 20

Tools that are not installed are left out: pip install requests smart_open pysam
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

from fault_schedules import fastq
from faulty_server import FaultyServer, Reply, Request, Thing, honest

# Two versions of one length that differ in every base, and a place within the first third.
TEXT = fastq(1, 30_000)
OTHER = TEXT.translate(bytes.maketrans(b"ACGT", b"TGCA"))
THIRD = len(TEXT) // 3

ONE, TWO = Thing(TEXT, etag='"one"'), Thing(OTHER, etag='"two"')


def cut(request: Request) -> Reply:
    return honest(ONE, request).but(stop_after=THIRD if request.number == 0 else None)


def cut_without_length(request: Request) -> Reply:
    reply = honest(ONE, request)
    return (
        reply if request.number else reply.with_headers(Content_Length=None).but(stop_after=THIRD)
    )


def replaced(request: Request) -> Reply:
    if request.number == 0:
        return honest(ONE, request).but(stop_after=THIRD)
    return honest(TWO, request)


def silent(request: Request) -> Reply:
    reply = honest(ONE, request)
    return reply if request.number else reply.but(stop_after=THIRD, then="stall")


def short_length(request: Request) -> Reply:
    # To the end of a record, so that the text alone shows nothing.
    end = TEXT.index(b"\n@run", THIRD) + 1
    return honest(ONE, request).with_headers(Content_Length=str(end))


FAULTS: dict[str, tuple[str, Callable[[Request], Reply]]] = {
    "cut": ("line cut at a third", cut),
    "no length": ("the same, no Content-Length", cut_without_length),
    "replaced": ("cut, and the file replaced", replaced),
    "silent": ("silence after a third", silent),
    "short": ("Content-Length too small", short_length),
}

# Each writes what it was handed, records as they stood.
TOOLS = {
    "requests": ("requests", "for b in requests.get(url, stream=True).iter_content(65536): out(b)"),
    "requests, raw": (
        "requests",
        "r = requests.get(url, stream=True).raw\nwhile b := r.read(65536): out(b)",
    ),
    "urllib": (
        "urllib.request",
        "r = urllib.request.urlopen(url)\nwhile b := r.read(65536): out(b)",
    ),
    "smart_open": (
        "smart_open",
        "r = smart_open.open(url, 'rb')\nwhile b := r.read(65536): out(b)",
    ),
    "pysam": (
        "pysam",
        "for r in pysam.FastxFile(url):\n"
        "    c = ' ' + r.comment if r.comment else ''\n"
        "    out(f'@{r.name}{c}\\n{r.sequence}\\n+\\n{r.quality}\\n'.encode())",
    ),
    "genomevedic": (
        "genomevedic",
        "p = genomevedic.read_fastq(url, columns=['name', 'sequence', 'qualities'],\n"
        "        storage_options={'idle_timeout': 1.0})\n"
        "for n, s, q in zip(p.name, p.sequence, p.qualities):\n"
        "    out(f'@{n}\\n{s}\\n+\\n{q.decode()}\\n'.encode())",
    ),
}
FRAME = """
import sys, {module}
url, out = sys.argv[1], open(sys.argv[2], "wb").write
try:
{body}
except BaseException as error:
    print(type(error).__name__)
"""


def run(tool: str, url: str, patience: float) -> str:
    """Let a tool read a URL, and say what it came to."""
    module, code = TOOLS[tool]
    body = "\n".join(f"    {line}" for line in code.splitlines())
    with tempfile.NamedTemporaryFile() as handed:
        program = FRAME.format(module=module, body=body)
        command = [sys.executable, "-c", program, url, handed.name]
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=patience,
            )
        except subprocess.TimeoutExpired:
            return "hangs"
        if done.returncode or done.stdout:
            return f"error: {done.stdout.strip() or done.returncode}"
        return judge(Path(handed.name).read_bytes())


def judge(found: bytes) -> str:
    if found in (TEXT, OTHER):
        return "whole"
    records = [set(body.split(b"\n")[1::4]) for body in (TEXT, OTHER)]
    # Not the last line, which may be a part of one.
    from_one, from_two = (
        sum(line in each for line in found.split(b"\n")[1:-1:4]) for each in records
    )
    if from_one and from_two:
        return f"**two versions mixed** ({from_one:,} and {from_two:,} records)"
    return f"**{100 * len(found) / len(TEXT):.0f} % as if whole**"


def main() -> None:
    patience = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    tools = [name for name, (module, _) in TOOLS.items() if _is_here(module)]
    print("| | " + " | ".join(words for words, _ in FAULTS.values()) + " |")
    print("| --- " * (len(FAULTS) + 1) + "|")
    for tool in tools:
        print(row(tool, patience), flush=True)


def row(tool: str, patience: float) -> str:
    """Return the row of the table for a tool."""
    cells = [f"{tool} {_version(tool)}"]
    for name, (_, handler) in FAULTS.items():
        with FaultyServer() as server:
            path = "/" + name.replace(" ", "-") + ".fastq"
            cells.append(run(tool, server.serve(path, handler), patience))
    return "| " + " | ".join(cells) + " |"


def _is_here(module: str) -> bool:
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def _version(tool: str) -> str:
    name = tool.partition(",")[0]
    return sys.version.split()[0] if name == "urllib" else version(name)


if __name__ == "__main__":
    main()
