"""What is no rate of a file: the cost of importing, and a peek."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from jobs.found import Found, Timed, Unavailable

# In a process of its own: what importing genomevedic costs once NumPy is there.
IMPORT = """
import time, numpy
started = time.perf_counter()
import genomevedic
print(time.perf_counter() - started)
"""
CHILDREN = 5


def import_cost() -> Callable[[str], Found]:
    """The median of several processes; of an installed build, for an editable one also rebuilds."""
    import json
    from importlib.metadata import distribution

    source = json.loads(distribution("genomevedic").read_text("direct_url.json") or "{}")
    if source.get("dir_info", {}).get("editable"):
        raise Unavailable("importing an editable build may rebuild it; `make bench` installs one")

    def run(_: str) -> Found:
        # -I: neither this folder nor the current one is on the path.
        command = [sys.executable, "-I", "-c", IMPORT]
        outs = [subprocess.run(command, capture_output=True, check=True) for _ in range(CHILDREN)]
        return Timed(statistics.median(float(each.stdout) for each in outs))

    return run


def peek() -> Callable[[str], Found]:
    import genomevedic as gv

    def run(path: str) -> Found:
        calls = []
        for _ in range(10):
            started = time.perf_counter()
            gv.peek_fastq(path)
            calls.append(time.perf_counter() - started)
        return Timed(statistics.median(calls), {"first": calls[0]})

    return run


PROBES = {"import": import_cost, "peek": peek}
