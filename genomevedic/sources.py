"""What is read: sources as people name them, and how large they are."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

__all__ = ["Source", "as_list", "label", "size_of"]

Source: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO"


def as_list(source: Any) -> Sequence[Any]:
    """Return the sources one by one, where one or several were given."""
    if isinstance(source, list | tuple):
        if not source:
            raise ValueError("the list of sources is empty")
        return source
    return (source,)


def label(source: Any) -> tuple[str, Any]:
    """Return a name for a source, and the source as the core takes it."""
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>", source
    if isinstance(source, str | os.PathLike):
        path = os.fsdecode(source)
        if "://" in path:
            raise NotImplementedError(f"{path}: remote sources are not built yet")
        if "\0" in path:
            raise ValueError("a path cannot hold a zero byte")
        return path, path
    if isinstance(source, io.TextIOBase):
        raise TypeError('the file is open in text mode; open it in binary mode ("rb")')
    name = getattr(source, "name", None)
    return (name if isinstance(name, str) else f"<{type(source).__name__}>"), source


def size_of(source: Any) -> int | None:
    """Return the bytes in a source, None where they cannot be known beforehand."""
    if isinstance(source, bytes | bytearray | memoryview):
        return memoryview(source).nbytes
    if isinstance(source, str):
        with suppress(OSError):
            return Path(source).stat().st_size or None
    return None
