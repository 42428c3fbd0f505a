"""What is read: sources as people name them, and those that lie on other machines.

A source is a path, bytes, a binary file object, a URL, or a `Mirror` of several URLs. URLs of http
and https are read over urllib3, those of object stores over fsspec (extra ``remote``). What is
promised of sources that fail stands in ``docs/how-to/unreliable-sources.md``.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias
from urllib.parse import unquote

from .address import redact, scheme_of

if TYPE_CHECKING:
    from .health import HostHealth
    from .mirror import Mirror, open_url
    from .options import RemoteOptions

__all__ = [
    "HostHealth",
    "Mirror",
    "RemoteOptions",
    "Source",
    "as_list",
    "close_remote",
    "hosts_of",
    "is_remote",
    "label",
    "open_url",
    "shown",
    "size_of",
]

Source: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Mirror"

# Imported where they are first used: they bring urllib3 with them.
_LATE = {
    "HostHealth": "health",
    "Mirror": "mirror",
    "RemoteOptions": "options",
    "open_url": "mirror",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    globals()[name] = found
    return found


def as_list(source: Any) -> Sequence[Any]:
    """Return the sources one by one, where one or several were given."""
    if isinstance(source, list | tuple):
        if not source:
            raise ValueError("the list of sources is empty")
        return source
    return (source,)


def is_remote(source: Any) -> bool:
    """Return whether a source is a URL to be fetched, or a mirror of several."""
    if isinstance(source, str):
        return scheme_of(source) not in (None, "file")
    return hasattr(source, "open_stream")


def label(source: Any, storage_options: Mapping[str, Any] | None = None) -> tuple[str, Any]:
    """Return a name for a source, and the source as the core takes it.

    What is remote becomes a stream, from which nothing is fetched before it is read.
    """
    if is_remote(source):
        if isinstance(source, str):
            from .mirror import open_url

            stream = open_url(source, storage_options)
        else:
            stream = source.open_stream()
        stream.is_readers_own = True
        return stream.name, stream
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>", source
    if isinstance(source, str | os.PathLike):
        path = _local_path(os.fsdecode(source))
        if "\0" in path:
            raise ValueError("a path cannot hold a zero byte")
        return path, path
    if isinstance(source, io.TextIOBase):
        raise TypeError('the file is open in text mode; open it in binary mode ("rb")')
    name = getattr(source, "name", None)
    return (name if isinstance(name, str) else f"<{type(source).__name__}>"), source


def shown(source: str) -> str:
    """Return a path, or a URL without what may be secret in it."""
    return redact(source) if is_remote(source) else source


def _local_path(path: str) -> str:
    """Return the path of a URL with the scheme "file", and a path as it is."""
    if scheme_of(path) != "file":
        return path
    host, slash, rest = path.partition("://")[2].partition("/")
    if host not in ("", "localhost"):
        raise ValueError(f"{redact(path)}: a file on another machine cannot be read so")
    return unquote(slash + rest)


def size_of(source: Any) -> int | None:
    """Return the bytes in a source, None where they cannot be known beforehand."""
    if isinstance(source, bytes | bytearray | memoryview):
        return memoryview(source).nbytes
    if isinstance(source, str):
        with suppress(OSError):
            return Path(source).stat().st_size or None
    return None


def close_remote(sources: Sequence[tuple[str, Any]]) -> None:
    """Close the streams that `label` made, among others that are the caller's."""
    for _, source in sources:
        if getattr(source, "is_readers_own", False):
            source.close()


def hosts_of(sources: Sequence[tuple[str, Any]]) -> tuple[HostHealth, ...]:
    """Return the health of the hosts that `sources`, as `label` made them, are read from."""
    hosts = [host for _, source in sources for host in getattr(source, "hosts", ())]
    if not hosts:
        return ()
    from .health import merged

    return merged(hosts)
