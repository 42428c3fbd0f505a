"""Writes reads into a folder as a run does, in pieces and over files that are rotated and moved.

    python watch_writer.py FOLDER SEED tree|file

until a file FOLDER/../enough is there; then it finishes what it has begun, and tells in
FOLDER/../count how many reads it wrote: r0, r1, and so on.
"""

from __future__ import annotations

import gzip
import itertools
import random
import sys
import time
from pathlib import Path


class Writer:
    def __init__(self, folder: Path, seed: int, is_tree: bool) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.is_tree = is_tree
        self.count = 0
        self.rotations = itertools.count()
        self.rotated: list[Path] = []
        self.path = folder / "reads.fastq"
        self.file = self.path.open("ab", buffering=0)
        self.rest = b""

    def records(self, most: int) -> bytes:
        made = []
        for _ in range(self.chance.randint(1, most)):
            n = self.chance.randint(1, 50)
            quality = bytes(self.chance.choices(b"@+IJ", k=n))
            made.append(b"@r%d\n%s\n+\n%s\n" % (self.count, b"A" * n, quality))
            self.count += 1
        return b"".join(made)

    def pause(self) -> None:
        time.sleep(self.chance.choice([0, 0, 0.001, 0.005, 0.02]))

    def append(self) -> None:
        """Some bytes, which end anywhere."""
        if len(self.rest) < 100:
            self.rest += self.records(20)
        size = self.chance.randint(1, len(self.rest))
        self.file.write(self.rest[:size])
        self.rest = self.rest[size:]

    def rotate(self) -> None:
        """What is left of a record is written behind the renaming, or before it."""
        rotated = self.folder / f"reads.fastq.{next(self.rotations)}"
        if self.chance.random() < 0.5:
            self.file.write(self.rest)
            self.rest = b""
        self.path.rename(rotated)
        new = self.path.open("xb", buffering=0)
        if self.chance.random() < 0.5:
            self.pause()
        self.file.write(self.rest)
        self.rest = b""
        self.file.close()
        self.file = new
        self.rotated.append(rotated)

    def pack(self) -> None:
        """A file of its own, whose members come in pieces."""
        path = self.folder / f"run{self.chance.randint(0, 2)}" / f"{next(self.rotations)}.fastq.gz"
        path.parent.mkdir(exist_ok=True)
        text = self.records(30)
        cut = self.chance.randint(0, len(text))
        data = b"".join(gzip.compress(part) for part in (text[:cut], text[cut:]))
        with path.open("xb", buffering=0) as stream:
            while data:
                size = self.chance.randint(1, len(data))
                stream.write(data[:size])
                data = data[size:]
                self.pause()

    def move(self) -> None:
        if self.rotated:
            path = self.rotated.pop(self.chance.randrange(len(self.rotated)))
            (self.folder / "old").mkdir(exist_ok=True)
            path.rename(self.folder / "old" / path.name)

    def run(self) -> None:
        enough = self.folder.parent / "enough"
        actions = [self.append] * 10 + [self.rotate]
        if self.is_tree:
            actions += [self.pack, self.move]
        while not enough.exists():
            self.chance.choice(actions)()
            self.pause()
        self.file.write(self.rest)
        self.file.close()
        told = self.folder.parent / "count.new"
        told.write_text(str(self.count))
        told.rename(self.folder.parent / "count")


if __name__ == "__main__":
    Writer(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "tree").run()
