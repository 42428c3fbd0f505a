"""Files that grow: how far they are whole, where reading stands in them, how they are known again.

A token is a list of places, one a file. Of each it holds by what the file is known again, whatever
its name (its inode, and a checksum of its first bytes, as far as they were read), and where its
text is read on.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .errors import BadGzipError, SourceReadError, TruncatedFileError, error_of_system

__all__ = [
    "Finder",
    "GrowingText",
    "Members",
    "Pause",
    "Place",
    "is_gzip",
    "read_token",
    "write_row",
    "write_token",
]

# Bytes at the front of a file by which it is known again.
_HEAD = 4096

_CHUNK = 1 << 20

# Compressed bytes decompressed at a time: they can become a thousand times as many.
_PACKED_CHUNK = 1 << 16

_MAGIC = b"\x1f\x8b"

_VERSION = 1


class Pause(Exception):
    """There is no more text for now."""


@dataclass(slots=True)
class Place:
    """How far one file has been read.

    ``start`` is a byte of the file from which it can be read, and ``start_text`` the offset of its
    text: the beginning of a member of a gzip file, in a plain one the same as ``offset``. That,
    ``line`` and ``record`` say where reading goes on, in the text of the file.
    """

    device: int
    inode: int
    head_size: int = 0
    head: str = ""
    start: int = 0
    start_text: int = 0
    offset: int = 0
    line: int = 1
    record: int = 1
    wrapped: bool = False

    def is_of(self, file: io.BufferedIOBase, status: os.stat_result) -> bool:
        """Return whether an open file is the one that this place is in.

        Devices may be numbered anew when a machine starts; inodes are used again for other files.
        """
        if status.st_ino != self.inode or status.st_size < max(self.start, self.head_size):
            return False
        if self.head_size == 0:
            return status.st_dev == self.device
        return _checksum(file, self.head_size) == self.head

    def know(self, file: io.BufferedIOBase, settled: int) -> None:
        """Take the first bytes of a file for what it is known by, as far as they were read."""
        size = min(settled, _HEAD)
        if size > self.head_size:
            self.head, self.head_size = _checksum(file, size), size


_NAMES = tuple(field.name for field in fields(Place))


def _checksum(file: io.BufferedIOBase, size: int) -> str:
    at = file.tell()
    file.seek(0)
    found = hashlib.sha256(file.read(size)).hexdigest()[:32]
    file.seek(at)
    return found


def write_row(place: Place) -> str:
    """Return a place as its part of a token."""
    row = [getattr(place, name) for name in _NAMES]
    return json.dumps(row, separators=(",", ":"))


def write_token(rows: list[str], layout: dict[str, Any] | None) -> str:
    """Return places, as `write_row` wrote them, and the layout settled, as a text.

    A run has thousands of files and as many tokens, so a place is written when it changes only.
    """
    settled = json.dumps(layout, separators=(",", ":"))
    return f'{{"version":{_VERSION},"layout":{settled},"files":[{",".join(rows)}]}}'


def read_token(token: str) -> tuple[list[Place], dict[str, Any] | None]:
    """Return what `write_token` wrote.

    Raises
    ------
    ValueError
        It is no such text.
    """
    try:
        told = json.loads(token)
        if told["version"] != _VERSION:
            raise ValueError(f"version {told['version']!r} is not known")
        places = [_place(row) for row in told["files"]]
        layout = told["layout"]
        if not isinstance(layout, dict | None):
            raise ValueError("the layout is none")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is no token of gv.watch: {error}") from error
    return places, layout


def _place(row: Any) -> Place:
    place = Place(*row)
    for field in fields(Place):
        value = getattr(place, field.name)
        if field.name == "head":
            is_right = isinstance(value, str)
        elif field.name == "wrapped":
            is_right = isinstance(value, bool)
        else:
            is_right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not is_right:
            raise ValueError(f"{field.name} is {value!r}")
    return place


# ---------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------

# What a file is called once it was rotated away: reads.fastq.1, reads.fastq-20250131.
_ROTATED = r"([.-]\d[\dTZ._-]*)?"
_IN_A_RUN = re.compile(rf"[^.].*\.(fastq|fq)(\.gz)?{_ROTATED}")


class Finder:
    """Finds the files to follow, by whatever name they have.

    Parameters
    ----------
    root : Path
        A folder, with those in it, or one file, which may not be there yet.
    ignored : Path or None
        A file that is none of them, whatever it is called.
    """

    def __init__(self, root: Path, ignored: Path | None) -> None:
        self.root = root
        self._ignored = None if ignored is None else ignored.absolute()
        self._rotated = re.compile(rf"{re.escape(root.name)}{_ROTATED}")

    @property
    def folder(self) -> Path:
        """Where the files are, or will be."""
        return self.root if self.root.is_dir() else self.root.parent

    def is_wanted(self, path: Path) -> bool:
        """Return whether a file that was never seen is one of a run, by its name."""
        names = _IN_A_RUN if self.root.is_dir() else self._rotated
        return names.fullmatch(path.name) is not None and path.absolute() != self._ignored

    def files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield every regular file that may be one to follow.

        Raises
        ------
        SourceReadError
            A folder cannot be listed.
        """
        if not self.root.is_dir():
            yield from self._those_in(self.root.parent)
            return
        for folder, _, names in os.walk(self.root, onerror=_raise_unless_gone):
            yield from self._with_status(Path(folder, name) for name in sorted(names))

    def _those_in(self, folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208
        except OSError as error:
            _raise_unless_gone(error)
            return
        yield from self._with_status(Path(folder, name) for name in names)

    @staticmethod
    def _with_status(paths: Iterator[Path]) -> Iterator[tuple[Path, os.stat_result]]:
        for path in paths:
            try:
                status = path.stat()
            except OSError as error:
                _raise_unless_gone(error)
                continue  # renamed or removed since it was listed
            if stat.S_ISREG(status.st_mode):
                yield path, status


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error_of_system(error) from error


# ---------------------------------------------------------------------------------------------
# Text
# ---------------------------------------------------------------------------------------------


class Members:
    """How far a growing gzip file consists of whole members, from a place on.

    Attributes
    ----------
    whole : int
        Where in the file the last whole member ends.
    error : BadGzipError or None
        What is wrong behind it.
    """

    def __init__(self, start: int) -> None:
        self.whole = start
        self.error: BadGzipError | None = None
        self._at = start
        self._member: Any = None

    def look(self, file: io.BufferedIOBase, path: str) -> None:
        """Look at what was added to the file; what was seen of a half member is not seen again."""
        file.seek(self._at)
        while self.error is None and (chunk := file.read(_PACKED_CHUNK)):
            self._at += len(chunk)
            while chunk:
                if self._member is None and not chunk.strip(b"\0"):
                    # Padding, or room that is yet to be written to.
                    self._at = self.whole
                    return
                try:
                    chunk = self._pass(chunk)
                except zlib.error as error:
                    self.error = _damaged(path, self.whole, error)
                    return

    def _pass(self, chunk: bytes) -> bytes:
        """Pass over the member at hand, and return what follows it."""
        if self._member is None:
            self._member = zlib.decompressobj(wbits=31)
        self._member.decompress(chunk)
        if not self._member.eof:
            return b""
        rest: bytes = self._member.unused_data
        self.whole = self._at - len(rest)
        self._member = None
        return rest


def _damaged(path: str, at: int, error: Exception) -> BadGzipError:
    return BadGzipError(
        f"{path}: the gzip member at byte {at} of the file is damaged: {error}. Fetch or make the "
        "file again",
        path=path,
        input_offset=at,
    )


class GrowingText:
    """The text of a file from a place on, as far as it is whole, as a file object.

    Of a plain file that is up to the last line end, of a gzip file up to the end of the last whole
    member. Behind it reading raises `Pause`, so that whoever reads decides nothing that more text
    might change.

    Parameters
    ----------
    file : binary file
        It is the caller's to close.
    path : str
        What it is called.
    place : Place
        Where the text begins.
    members : Members or None
        Of a gzip file, as they were just looked at.
    is_final : bool
        Whether the file will not grow any more: then all that is there is given, its end is the end
        of the text, and a member that is not whole an error.
    """

    def __init__(
        self,
        file: io.BufferedIOBase,
        path: str,
        place: Place,
        members: Members | None,
        *,
        is_final: bool,
    ) -> None:
        self.name = path
        self._file = file
        self._skip = place.offset - place.start_text
        self._members = members
        self._is_final = is_final
        # (offset in the text, in the file) where a member begins.
        self._starts = deque([(place.start_text, place.start)])
        file.seek(place.start)
        self._pieces = self._plain() if members is None else self._inflated(members)
        self._piece = memoryview(b"")

    def readinto(self, buffer: Any) -> int:
        """Give the next bytes."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                if not self._is_final:
                    raise Pause
                return 0
            self._piece = memoryview(piece)
            passed = min(self._skip, len(piece))
            self._skip -= passed
            self._piece = self._piece[passed:]
        size = min(len(self._piece), len(buffer))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    def start_of(self, offset: int) -> tuple[int, int]:
        """Return from where the text at an offset can be read: a place in text and file."""
        if self._members is None:
            return offset, offset
        # Offsets only grow, so what lies before is not asked for again: there are many members.
        while len(self._starts) > 1 and self._starts[1][0] <= offset:
            self._starts.popleft()
        return self._starts[0]

    def _plain(self) -> Iterator[bytes]:
        at = self._file.tell()
        size = self._file.seek(0, io.SEEK_END)
        # A line that has not ended may be of any length, so none of it is held.
        end = size if self._is_final else self._last_line_end(at, size)
        self._file.seek(at)
        while chunk := self._file.read(min(_CHUNK, end - at)):
            at += len(chunk)
            yield chunk

    def _last_line_end(self, begin: int, end: int) -> int:
        """Return where the last whole line between two bytes of the file ends."""
        while begin < end:
            start = max(begin, end - _CHUNK)
            self._file.seek(start)
            found = self._file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
        return begin

    def _inflated(self, members: Members) -> Iterator[bytes]:
        text, at = self._starts[-1]
        rest = b""
        while at < members.whole:
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                chunk = rest or self._file.read(min(_PACKED_CHUNK, members.whole - at))
                try:
                    piece = member.decompress(chunk)
                except zlib.error as error:
                    raise _damaged(self.name, at, error) from error
                if not chunk:
                    raise SourceReadError(f"{self.name}: the file became shorter", path=self.name)
                rest = member.unused_data
                at += len(chunk) - len(rest)
                text += len(piece)
                yield piece
            self._starts.append((text, at))
        self._file.seek(members.whole)
        if members.error is not None:
            raise members.error
        if self._is_final and self._file.read(_CHUNK).strip(b"\0"):
            raise TruncatedFileError(
                f"{self.name}: the gzip file is cut short: the member at byte {at} of the file is "
                "not whole. Fetch or make the file again",
                path=self.name,
                input_offset=at,
            )


def is_gzip(file: io.BufferedIOBase) -> bool:
    """Return whether a file begins as gzip does."""
    file.seek(0)
    return file.read(2) == _MAGIC
