"""Says what an installed program finds in a file, in the words of session.py.

python checks.py PROGRAM PATH
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any


def lines_of(*command: str):
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    yield from process.stdout
    if process.wait() != 0:
        raise SystemExit(f"{command[0]} failed with status {process.returncode}")


def wc(path: str) -> dict[str, Any]:
    (line,) = lines_of("wc", "-l", path)
    return {"reads": int(line.split()[0]) / 4}


def seqtk_comp(path: str) -> dict[str, Any]:
    reads = bases = gc = 0
    for line in lines_of("seqtk", "comp", path):
        _, length, _, c, g, *_ = line.split()
        reads, bases, gc = reads + 1, bases + int(length), gc + int(c) + int(g)
    return {"reads": reads, "bases": bases, "gc": gc}


def seqtk_fqchk(path: str) -> dict[str, Any]:
    line = next(line for line in lines_of("seqtk", "fqchk", path) if line.startswith("ALL"))
    return {"bases": int(line.split()[1])}


def seqkit(path: str) -> dict[str, Any]:
    reads = bases = 0
    for line in lines_of("seqkit", "fx2tab", "-j", "1", "-nlgq", path):
        reads, bases = reads + 1, bases + int(line.rstrip("\n").split("\t")[-3])
    return {"reads": reads, "bases": bases}


def fastp(path: str) -> dict[str, Any]:
    text = "".join(lines_of(*FASTP, "-j", "/dev/stdout", "-i", path))
    before = json.loads(text)["summary"]["before_filtering"]
    return {"reads": before["total_reads"], "bases": before["total_bases"]}


def size_of(*command: str) -> Callable[[str], dict[str, Any]]:
    def check(path: str) -> dict[str, Any]:
        size = 0
        process = subprocess.Popen([*command, path], stdout=subprocess.PIPE)
        assert process.stdout is not None
        while chunk := process.stdout.read(1 << 20):
            size += len(chunk)
        return {"text": size}

    return check


# Nothing trimmed, nothing filtered, nothing written: what is left is the statistics.
FASTP = ["fastp", "-AQLG", "--dont_eval_duplication", "-w", "1", "-h", "/dev/null"]

CHECKS = {
    "wc": wc,
    "seqtk-comp": seqtk_comp,
    "seqtk-fqchk": seqtk_fqchk,
    "seqkit": seqkit,
    "fastp": fastp,
    "igzip": size_of("igzip", "-dc"),
    "bgzip": size_of("bgzip", "-dc"),
}

if __name__ == "__main__":
    print(json.dumps(CHECKS[sys.argv[1]](sys.argv[2])))
