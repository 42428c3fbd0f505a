"""Writing files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["replacing", "write_whole"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path of a new file beside `path`, which takes its place once it is written.

    If writing fails, what stood at `path` stays and nothing is left beside it.
    """
    target = Path(path)
    new = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
    new.touch(exist_ok=False)  # with the rights that any new file has
    try:
        yield new
        new.replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            new.unlink()
        raise


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file that is either there whole, or as it was before."""
    with replacing(path) as new:
        new.write_bytes(data)
