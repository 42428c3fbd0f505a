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
    import tempfile  # not what an import of the package waits for

    target = Path(path)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(descriptor)
    new = Path(name)
    try:
        yield new
        # Rights as any new file has them; those of a temporary one are its owner's alone.
        mask = os.umask(0)
        os.umask(mask)
        new.chmod(0o666 & ~mask)
        new.replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            new.unlink()
        raise


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file that is either there whole, or as it was before."""
    with replacing(path) as new:
        new.write_bytes(data)
