"""Runs the contenders of a suite in turns, each in its own process, and checks what they find."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# What must agree, and how closely: counts to the last one, sums of 32-bit fractions to a millionth.
SUMS = {"text": 0, "reads": 0, "bases": 0, "gc": 1e-6, "gc_known": 1e-6, "quality": 1e-6}
# The threads of NumPy's BLAS spin for a while after their work, in the next contender's turn.
QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Other threads that are busy for this share of the time count as help.
HELP = 0.05


class Disagreement(Exception):
    """A contender has found something else than what is in the file."""


@dataclass
class Contender:
    """Something that goes through a file: a process that speaks the protocol of server.py."""

    key: str
    name: str
    work: str
    command: list[str]
    version: str = ""
    limit: str = ""  # a short name makes it a limit, with a column of its own
    on_sample: bool = False
    is_fresh: bool = False  # a new process every round
    check: list[str] = field(default_factory=list)  # says what a program has found that does not


@dataclass
class Result:
    """What a contender did, a figure a round, and what it held."""

    contender: Contender
    dataset: dict[str, Any]
    seconds: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)
    before: int = 0
    unavailable: str = ""

    @property
    def times(self) -> int:
        return self.last.get("times", 1)

    @property
    def rates(self) -> list[float]:
        """GB/s of text, a round."""
        return [self.times * self.dataset["text"] / each / 1e9 for each in self.seconds]

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def reads_per_second(self) -> float:
        return self.rate * 1e9 * self.dataset["reads"] / self.dataset["text"]

    @property
    def was_helped(self) -> bool:
        """Whether other threads worked: a promise of one thread is not taken on trust."""
        return self.last.get("elsewhere", 0) > HELP

    @property
    def peak(self) -> int:
        return max(self.peaks, default=0)


@dataclass
class Suite:
    title: str
    dataset: dict[str, Any]
    sample: dict[str, Any]
    contenders: list[Contender]


def run(suite: Suite, rounds: int) -> dict[str, Result]:
    """Run all contenders so many times after a first round that does not count."""
    results = {}
    for each in suite.contenders:
        data = suite.sample if each.on_sample else suite.dataset
        results[each.key] = Result(each, data)
    servers = {each.key: Server(results[each.key]) for each in suite.contenders}
    warm(suite.dataset, suite.sample)
    try:
        for turn in range(rounds + 1):
            first = turn * len(suite.contenders) // (rounds + 1)
            for each in suite.contenders[first:] + suite.contenders[:first]:
                result = results[each.key]
                if not result.unavailable:
                    servers[each.key].go(counts=turn > 0)
    finally:
        for each in servers.values():
            each.stop()
    return results


def warm(*datasets: dict[str, Any]) -> None:
    """Bring the files into the page cache, if they are not larger than what is meant to be."""
    buffer = bytearray(1 << 20)
    for each in datasets:
        if each["kind"] != "sparse":
            with open(each["path"], "rb", buffering=0) as stream:  # noqa: PTH123
                while stream.readinto(buffer):
                    pass


def compare(result: Result, found: dict[str, Any]) -> None:
    """Stop where what was found is not what is in the file."""
    times = found.get("times", 1)
    for what, tolerance in SUMS.items():
        if what in found and what in result.dataset:
            expected = result.dataset[what] * times
            if abs(found[what] - expected) > tolerance * abs(expected):
                raise Disagreement(
                    f"{result.contender.name} on {result.dataset['path']}: "
                    f"{what} is {found[what]} and not {expected}"
                )


class Server:
    """A process that answers a path with what it found; see server.py."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.process: subprocess.Popen[str] | None = None
        self.is_checked = False

    def go(self, counts: bool) -> None:
        result = self.result
        if result.contender.is_fresh:
            self.stop()
        if self.process is None and not self.start():
            return
        assert self.process is not None
        before = memory(self.process.pid, "VmRSS")
        forget_peak(self.process.pid)
        found = self.ask(result.dataset["path"])
        if "unavailable" in found:
            result.unavailable = found["unavailable"]
            self.stop()
            return
        compare(result, found)
        if counts:
            result.seconds.append(found["seconds"])
            result.peaks.append(found.get("peak") or memory(self.process.pid, "VmHWM"))
            result.before = before
            result.last = found

    def start(self) -> bool:
        result = self.result
        if result.contender.check and not self.is_checked:
            self.check()
            self.is_checked = True
        if result.unavailable:
            return False
        self.process = subprocess.Popen(
            result.contender.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
            env=os.environ | QUIET,
        )
        found = self.hear()
        if "unavailable" in found:
            result.unavailable = found["unavailable"]
            self.stop()
            return False
        return True

    def check(self) -> None:
        """Let another program, which can read the output of this one, say what it found."""
        path = self.result.dataset["path"]
        command = [each.replace("{path}", path) for each in self.result.contender.check]
        out = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
        if out.returncode == 0:
            compare(self.result, json.loads(out.stdout))
        else:
            self.result.unavailable = f"its check failed: {out.stderr.strip()[-200:]}"

    def ask(self, path: str) -> dict[str, Any]:
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(path + "\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        assert self.process is not None and self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            return {"unavailable": f"failed with status {self.process.wait()}"}
        return json.loads(line)

    def stop(self) -> None:
        if self.process is not None:
            self.process.communicate()
            self.process = None


def memory(pid: int, what: str) -> int:
    """Resident memory of a process in bytes, now (VmRSS) or at its peak (VmHWM)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(what)), 0)


def forget_peak(pid: int) -> None:
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
