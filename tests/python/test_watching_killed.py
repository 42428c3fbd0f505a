"""A watcher that is killed again and again: its consumer gets each record exactly once."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def start(script: str, *args: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(HERE / script), *map(str, args)], stderr=subprocess.PIPE
    )


def rows(database: Path) -> int:
    if not database.exists():
        return 0
    with sqlite3.connect(database) as store:
        try:
            return int(store.execute("select count(*) from reads").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # the table is not there yet
        finally:
            store.commit()


def run(folder: Path, kind: str, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    run_folder, database = folder / "run", folder / "reads.sqlite"
    run_folder.mkdir()
    path = run_folder if kind == "tree" else run_folder / "reads.fastq"
    writer = start("watch_writer.py", run_folder, seed, kind)
    progressed = 0
    try:
        for number in range(kills):
            consumer = start("watch_consumer.py", database, path, number)
            before = rows(database)
            deadline = time.monotonic() + 60
            # Some are killed at once, most while they store what they read.
            if chance.random() < 0.9:
                while rows(database) == before and consumer.poll() is None:
                    assert time.monotonic() < deadline, "the watcher does not get on"
                    time.sleep(0.01)
                progressed += 1
            time.sleep(chance.uniform(0, 0.1))
            consumer.kill()
            _, said = consumer.communicate()
            assert consumer.returncode == -signal.SIGKILL, said.decode()
            if chance.random() < 0.3:
                time.sleep(chance.uniform(0, 0.3))  # what is rotated while nobody looks
        (folder / "enough").touch()
        assert writer.wait(60) == 0
        consumer = start("watch_consumer.py", database, path, kills)
        _, said = consumer.communicate(timeout=120)
        assert consumer.returncode == 0, said.decode()
    finally:
        for process in (writer, consumer):
            process.kill()
            process.communicate()
    count = int((folder / "count").read_text())
    with sqlite3.connect(database) as store:
        found = store.execute("select name, ordinal from reads order by ordinal").fetchall()
    assert count > 0
    assert {name for name, _ in found} == {f"r{i}" for i in range(count)}
    assert [ordinal for _, ordinal in found] == list(range(count))
    assert progressed >= kills // 2


@pytest.mark.parametrize("kind", ["tree", "file"])
def test_killed_a_few_times(kind: str, tmp_path: Path) -> None:
    run(tmp_path, kind, 1, kills=4)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["tree", "file"])
def test_killed_fifty_times(kind: str, seed: int, tmp_path: Path) -> None:
    run(tmp_path, kind, seed, kills=50)
