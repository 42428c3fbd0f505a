"""Follows a run, and stores each batch with its token in one transaction.

    python watch_consumer.py DATABASE PATH SEED

until a file that tells the count is beside the folder (see watch_writer.py) and all was read. A
read that comes twice breaks a constraint, and ends this process with an error.
"""

from __future__ import annotations

import random
import sqlite3
import sys
from pathlib import Path

import genomevedic as gv

TABLES = """
    create table if not exists reads (name text primary key, ordinal integer unique, length);
    create table if not exists progress (row integer primary key check (row = 1), token text);
"""


def main(database: str, path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder = path if path.is_dir() else path.parent
    count = folder.parent / "count"
    store = sqlite3.connect(database, isolation_level=None)
    # What a killed process wrote stays: this is about processes, not about power.
    store.execute("pragma synchronous = off")
    store.executescript(TABLES)
    row = store.execute("select token from progress").fetchone()
    watched = gv.watch(
        path,
        columns=["name", "metadata", "length"],
        stop=count.exists,
        poll=chance.choice([0.005, 0.05]),
        batch_size=chance.choice([3, 50, 1000]),
        resume=row[0] if row is not None else None,
    )
    with watched:
        for batch in watched:
            columns = (batch[name].tolist() for name in ("name", "metadata", "length"))
            store.execute("begin")
            store.executemany("insert into reads values (?, ?, ?)", zip(*columns, strict=True))
            store.execute("insert or replace into progress values (1, ?)", (batch.token,))
            store.execute("commit")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
