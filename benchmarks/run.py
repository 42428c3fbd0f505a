"""Reads the same files with genomevedic and its peers, in turns, and writes README.md's tables.

    make bench                                  the whole: some 7 GB of files, 40 minutes
    make bench BENCH_ARGS=--quick               small files, under a minute, writes nothing
    make bench BENCH_ARGS='--only nanopore.plain/gv --only nanopore.plain/wc'

All contenders of a file run in one session, one round after another and in a rotated order, because
the machine's speed drifts: what counts is the ratio within a round. Contenders whose counts and
sums are not those of the file stop the script.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import report
from session import HERE, Disagreement, Suite, run
from suites import Maker

QUICK_SCALE, QUICK_ROUNDS = 0.01, 3


def main() -> None:
    options = parse_arguments()
    scale = QUICK_SCALE if options.quick else options.scale
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else 5)
    load = os.getloadavg()[0]
    files = said_by("data.py", str(options.data), str(scale))
    config = said_by(
        "-c", "import genomevedic as gv, json; print(json.dumps(gv.show_config('dict')))"
    )
    maker = Maker(files, config)
    suites = [chosen for each in maker.all() if (chosen := choose(each, options.only))]
    if not suites:
        raise SystemExit(f"nothing is called {' or '.join(options.only)}")
    results, tables = {}, []
    for suite in suites:
        try:
            found = run(suite, rounds)
        except Disagreement as error:
            raise SystemExit(str(error)) from None
        results[place(suite)] = found
        tables.append(report.suite_table(suite, found))
        print(tables[-1], end="\n\n", flush=True)
    day = datetime.date.today().isoformat()
    preface = report.preface(config, rounds, (load, os.getloadavg()[0]), day)
    targets = report.targets_table(results)
    notes = "\n".join(f"- {each}" for each in maker.notes)
    print(preface, targets, notes, sep="\n\n")
    if not (options.quick or options.only):
        parts = [preface, targets, *tables, *(["Not to be had here:", notes] if notes else [])]
        report.write_readme("\n\n".join(parts))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small files, and no README")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="contenders with this in FILE.FORM/KEY, such as illumina.gzip/ or /gv; no README",
    )
    parser.add_argument("--scale", type=float, default=1.0, help="of the files; 1 is 1 GB and more")
    parser.add_argument("--rounds", type=int, help="that count (5; quick 3)")
    default = Path(tempfile.gettempdir()) / "genomevedic-bench"
    parser.add_argument("--data", type=Path, default=default, help="where files are kept")
    return parser.parse_args()


def said_by(*command: str) -> Any:
    """What a child prints in JSON; NumPy stays out of this process."""
    out = subprocess.run([sys.executable, *command], cwd=HERE, stdout=subprocess.PIPE, check=True)
    return json.loads(out.stdout)


def place(suite: Suite) -> tuple[str, str, str]:
    data = suite.dataset
    return data["kind"], data["form"], data["part"]


def choose(suite: Suite, only: list[str]) -> Suite | None:
    kind, form, part = place(suite)
    start = f"{kind}.{form}" if part == "whole" else part.replace(" ", "")
    suite.contenders = [
        each
        for each in suite.contenders
        if not only or any(name.lower() in f"{start}/{each.key}".lower() for name in only)
    ]
    return suite if suite.contenders else None


if __name__ == "__main__":
    main()
