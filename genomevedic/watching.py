"""Following files while a sequencing run writes them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

import numpy as np

from .arguments import check_integer, check_number
from .errors import TruncatedFileError
from .fastq import scan_fastq
from .files import write_whole
from .particles import Particles

if TYPE_CHECKING:
    import threading

    from .layouts import Layout

__all__ = ["WatchedBatch", "Watcher", "watch"]

# Files of a run, by the end of their names.
_ENDINGS = (".fastq", ".fq", ".fastq.gz", ".fq.gz")

_CHUNK = 1 << 20

# Bytes at the front of a file by which it is known again.
_HEAD = 4096


class WatchedBatch(Particles):
    """Particles of a file that is being followed.

    Attributes
    ----------
    path : str
        The file they are of, by its name when it was read.
    token : str
        What has been read up to and with this batch: given as ``resume=``, reading goes on behind
        it. A consumer that stores it in one transaction with its own result gets each record
        exactly once.
    """

    __slots__ = ("path", "token")

    path: str
    token: str


@dataclass
class _Place:
    """How far one file has been read; `asdict` of it goes into tokens.

    Text offsets count from the file's beginning. ``start`` is a byte of the file at which reading
    can begin, the same as text for a plain file and the beginning of a member for gzip, and
    ``start_text`` the offset of its text.
    """

    device: int
    inode: int
    name: str
    head_size: int = 0
    head: str = ""
    start: int = 0
    start_text: int = 0
    text: int = 0
    line: int = 1
    record: int = 1

    def is_of(self, path: Path, status: os.stat_result) -> bool:
        """Return whether a file is the one that this place is in, by whatever name."""
        if (status.st_dev, status.st_ino) != (self.device, self.inode):
            return False
        if status.st_size < max(self.start, self.head_size):
            return False
        return _fingerprint(path, self.head_size) == self.head


def _fingerprint(path: Path, size: int) -> str:
    if size == 0:
        return ""
    with path.open("rb") as stream:
        return hashlib.sha256(stream.read(size)).hexdigest()


class _Text(io.RawIOBase):
    """The text of a file from a place on, as far as whole lines, and whole members, are there.

    Parameters
    ----------
    path : Path
        The file.
    place : _Place
        Where it begins.
    is_final : bool
        Whether the file will not grow any more: then all that is there is given, and a member that
        is not whole is an error.
    """

    def __init__(self, path: Path, place: _Place, *, is_final: bool) -> None:
        super().__init__()
        self.name = str(path)
        self._file = path.open("rb")
        self._place = place
        self._is_final = is_final
        # Text offset -> where in the file the member begins whose text that is.
        self.members = [(place.start_text, place.start)]
        is_gzip = self._file.read(2) == b"\x1f\x8b"
        self._file.seek(place.start)
        self._pieces = self._whole_lines(self._inflated() if is_gzip else self._plain())
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        size = min(len(self._piece), len(buffer))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()

    def _plain(self) -> Iterator[bytes]:
        while chunk := self._file.read(_CHUNK):
            yield chunk

    def _inflated(self) -> Iterator[bytes]:
        """Yield the text of whole members: what one is found to lack is waited for."""
        offset, text = self._place.start, self._place.start_text
        rest = b""
        while True:
            member = zlib.decompressobj(wbits=31)
            pieces: list[bytes] = []
            used = 0
            while not member.eof:
                chunk = rest or self._file.read(_CHUNK)
                rest = b""
                if not chunk:
                    break
                pieces.append(member.decompress(chunk))
                rest = member.unused_data
                used += len(chunk) - len(rest)
            if not member.eof:
                if self._is_final and used > 0:
                    raise EOFError(f"the gzip member at byte {offset} is not whole")
                return
            yield from pieces
            offset, text = offset + used, text + sum(map(len, pieces))
            self.members.append((text, offset))

    def _whole_lines(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Leave out what was read before, and what is behind the last line end for now."""
        skip = self._place.text - self._place.start_text
        held: list[bytes] = []
        for each in pieces:
            piece = each[skip:]
            skip -= len(each) - len(piece)
            end = piece.rfind(b"\n") + 1
            if end > 0:
                yield b"".join([*held, piece[:end]])
                held = []
            if end < len(piece):
                held.append(piece[end:])
        if self._is_final and held:
            yield b"".join(held)


class Watcher:
    """Goes through the reads of files that grow. Made by `watch`, which says what it takes.

    Attributes
    ----------
    token : str
        What has been read so far, the batch given out last among it; see `WatchedBatch`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        batch_size: int = 50_000,
        stop: Callable[[], bool] | threading.Event | None = None,
        idle_timeout: float | None = None,
        poll: float = 1.0,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: str | None = None,
        **options: Any,
    ) -> None:
        for name in ("limit", "progress", "threads"):
            if name in options:
                raise TypeError(f"watch() takes no {name}=")
        self._root = Path(path)
        self._batch_size = check_integer("batch_size", batch_size, 1)
        self._stop = stop if stop is None or callable(stop) else stop.is_set
        self._idle_timeout = (
            None if idle_timeout is None else check_number("idle_timeout", idle_timeout)
        )
        self._poll = check_number("poll", poll)
        self._checkpoint = None if checkpoint is None else Path(checkpoint)
        self._options = options
        self._layout: Layout | None = None
        self._wake = _Waker(self._root)
        self._places: list[_Place] = []
        self._paths: dict[int, Path] = {}
        self._sizes: dict[int, int] = {}
        if resume is None and self._checkpoint is not None and self._checkpoint.exists():
            resume = self._checkpoint.read_text()
        if resume is not None:
            self._places = [_Place(**each) for each in json.loads(resume)["files"]]
        self.token = self._make_token()
        self._is_committed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop watching; the batch given out last is not committed by it."""
        self._wake.close()

    def commit(self) -> None:
        """Record in the checkpoint that the batch given out last was dealt with.

        Asking for the next batch does it too.

        Raises
        ------
        OSError
            The checkpoint cannot be written.
        """
        if self._checkpoint is not None and not self._is_committed:
            write_whole(self._checkpoint, self.token.encode())
        self._is_committed = True

    def __iter__(self) -> Iterator[WatchedBatch]:
        last_news = time.monotonic()
        while True:
            is_over = self._stop is not None and self._stop()
            has_news = False
            for number in self._look():
                for batch in self._read(number, is_final=False):
                    has_news = True
                    yield batch
                    self.commit()
            now = time.monotonic()
            last_news = now if has_news else last_news
            idle = now - last_news
            if is_over or (self._idle_timeout is not None and idle >= self._idle_timeout):
                break
            if not has_news:
                self._wake.wait(self._poll)
        for number in self._unread():
            for batch in self._read(number, is_final=True):
                yield batch
                self.commit()

    # ------------------------------------------------------------------------------------------
    # Files
    # ------------------------------------------------------------------------------------------

    def _files(self) -> Iterator[Path]:
        """Return the files to follow, by whatever name they have now."""
        if not self._root.is_dir():
            # A file that is rotated away keeps its inode under another name beside it.
            if self._root.exists():
                yield self._root
            if self._places and self._root.parent.is_dir():
                yield from (each for each in sorted(self._root.parent.iterdir()) if each.is_file())
            return
        for folder, _, names in os.walk(self._root):
            for name in sorted(names):
                yield Path(folder, name)

    def _look(self) -> list[int]:
        """Find files, new and renamed, and return the numbers of those that have grown."""
        seen: dict[int, Path] = {}
        grown: list[int] = []
        for path in self._files():
            try:
                status = path.stat()
                number = self._number_of(path, status)
            except FileNotFoundError:
                continue  # renamed or removed between two looks
            if number is None or number in seen:
                continue
            seen[number] = path
            if self._sizes.get(number) != status.st_size:
                self._sizes[number] = status.st_size
                grown.append(number)
        self._paths = seen
        return sorted(grown)

    def _number_of(self, path: Path, status: os.stat_result) -> int | None:
        """Return the number of the place in a file; None for a file that is not followed."""
        for number, place in enumerate(self._places):
            if place.is_of(path, status):
                return number
        is_wanted = path.name.endswith(_ENDINGS) if self._root.is_dir() else path == self._root
        if not is_wanted or not path.is_file():
            return None
        self._places.append(_Place(status.st_dev, status.st_ino, str(path)))
        return len(self._places) - 1

    def _unread(self) -> list[int]:
        """Return the numbers of the files that hold something behind what was read."""
        self._look()
        return sorted(self._paths)

    # ------------------------------------------------------------------------------------------
    # Reads
    # ------------------------------------------------------------------------------------------

    def _read(self, number: int, *, is_final: bool) -> Iterator[WatchedBatch]:
        """Yield what a file holds behind its place, and move the place on."""
        place, path = self._places[number], self._paths[number]
        if place.head_size < _HEAD:
            place.head_size = min(_HEAD, path.stat().st_size)
            place.head = _fingerprint(path, place.head_size)
        begin = _Place(**asdict(place))
        before = sum(each.record - 1 for each in self._places)
        options = (
            self._options if self._layout is None else {**self._options, "layout": self._layout}
        )
        with _Text(path, begin, is_final=is_final) as text:
            reader = scan_fastq(cast("BinaryIO", text), **options)
            try:
                for batch in reader.batches(self._batch_size):
                    self._layout = batch.layout
                    self._move(place, begin, text, reader)
                    yield self._watched(batch, path, before)
            except TruncatedFileError as error:
                # A record that is being written; those before it were given out.
                if is_final:
                    raise _behind(error, begin) from None
            self._move(place, begin, text, reader)
            self.token = self._make_token()

    def _move(self, place: _Place, begin: _Place, text: _Text, reader: Any) -> None:
        """Move a place to where its reader stands."""
        offset, line = reader._place[:2]
        place.text = begin.text + offset
        place.line = begin.line + line - 1
        place.record = begin.record + reader.stats.reads
        if len(text.members) > 1:
            place.start_text, place.start = max(
                each for each in text.members if each[0] <= place.text
            )
        else:
            place.start_text = place.start = place.text

    def _watched(self, batch: Particles, path: Path, before: int) -> WatchedBatch:
        columns = {name: batch[name] for name in batch.columns}
        if "metadata" in columns:
            columns["metadata"] = np.asarray(columns["metadata"]) + np.uint64(before)
        watched = WatchedBatch(columns, batch.layout, batch.stats)
        watched.path = str(path)
        self.token = watched.token = self._make_token()
        self._is_committed = False
        return watched

    def _make_token(self) -> str:
        return json.dumps({"files": [asdict(place) for place in self._places]})


def _behind(error: TruncatedFileError, begin: _Place) -> TruncatedFileError:
    """Return the error with its place counted from the beginning of the file."""
    shifts = {"line": begin.line - 1, "record": begin.record - 1, "offset": begin.text}
    moved = {key: error.context[key] + by for key, by in shifts.items() if key in error.context}
    where = f"{error.path}, line {moved['line']} (record {moved['record']}, byte {moved['offset']})"
    _, _, what = error.message.partition("): ")
    return TruncatedFileError(f"{where}: {what}", **{**error.context, **moved})


class _Waker:
    """Waits until something changes in a folder, or some time has passed.

    By watchfiles where it is installed and works, else by sleeping.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root if root.is_dir() else root.parent
        self._watch: Any = None
        try:
            import watchfiles
        except ImportError:
            return
        self._watch = watchfiles.watch

    def wait(self, seconds: float) -> None:
        """Return once files have changed, after that many seconds at the latest."""
        if self._watch is None:
            time.sleep(seconds)
            return
        changes = self._watch(
            self._folder,
            step=10,
            debounce=50,
            rust_timeout=max(1, int(1000 * seconds)),
            yield_on_timeout=True,
            raise_interrupt=True,
        )
        try:
            next(changes)
        except OSError:
            # No room for another watch, or a file system that has none.
            self._watch = None
        finally:
            changes.close()

    def close(self) -> None:
        self._watch = None


def watch(path: str | os.PathLike[str], **options: Any) -> Watcher:
    r"""Follow a file, or the files of a folder, and go through their reads as they are written.

    Each complete record comes once. What is being written is waited for: a record without its last
    line end, a gzip member without its trailer. A file that is renamed is followed; one that is cut
    and begun anew, or replaced, is read from its beginning.

    Parameters
    ----------
    path : path
        A FASTQ file that grows, or a folder, with those in it, in which files appear whose names
        end in ``.fastq``, ``.fq``, ``.fastq.gz`` or ``.fq.gz``.
    batch_size : int, default 50_000
        Particles in a batch at most. What is there is handed out without waiting for a full batch.
    stop : function or threading.Event, optional
        Asked once a round; when it says True, what is left is read and the end is reached.
    idle_timeout : float, optional
        Seconds without a new read after which the end is reached.
    poll : float, default 1.0
        Seconds between two looks where the system does not tell of changes (without watchfiles,
        extra ``watch``).
    checkpoint : path, optional
        A file that holds how far reading has come; it is read at the beginning and written,
        whole or not at all, when a batch is committed: by `Watcher.commit`, or by asking for the
        next one. After a kill only the batch that was not committed comes again.
    resume : str, optional
        A batch's ``token``, to go on behind it; it counts before `checkpoint`.
    **options
        For `scan_fastq`. A layout is settled on the first read of all.

    Returns
    -------
    Watcher
        A context manager to iterate over once; yields `WatchedBatch`.

    Raises
    ------
    TruncatedFileError
        At the end half a record is left.
    FastqFormatError, SourceReadError, NoCoordinatesError, MemoryLimitError
        As `scan_fastq`; places in a file count from where its reading began this time.

    Examples
    --------
    >>> import genomevedic as gv, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as run:
    ...     _ = pathlib.Path(run, "a.fastq").write_bytes(b"@r1\nACGT\n+\nIIII\n")
    ...     with gv.watch(run, idle_timeout=0) as reads:
    ...         [len(batch) for batch in reads]
    [1]
    """
    return Watcher(path, **options)
