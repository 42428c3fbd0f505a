"""Writing files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], parts: Iterable[bytes]) -> None:
    """Write a file, part by part, that is either there whole, or as it was before.

    If writing fails, or a part cannot be made, nothing is left beside it.
    """
    target = Path(path)
    new = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
    try:
        with new.open("xb") as stream:  # with the rights that any new file has
            stream.writelines(parts)
            stream.flush()
            # A name that outlives a crash of the machine must not stand for an empty file.
            os.fsync(stream.fileno())
        new.replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            new.unlink()
        raise
