"""Following files while a sequencing run writes them."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

from .arguments import check_integer, check_number
from .errors import (
    ErrorLog,
    GenomeVedicError,
    SourceNotFoundError,
    SourceReadError,
    TruncatedFileError,
    error_of_system,
)
from .fastq import FastqReader
from .files import write_whole
from .growing import (
    Finder,
    GrowingText,
    Members,
    Pause,
    Place,
    is_gzip,
    read_token,
    write_row,
    write_token,
)
from .layouts import Layout
from .particles import Particles
from .policies import Answer, ErrorPolicy
from .settling import settle_as

if TYPE_CHECKING:
    import threading

__all__ = ["WatchedBatch", "Watcher", "watch"]


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


class _Policy(ErrorPolicy):
    """One for all readers of a watch: it counts, and asks, over all of them."""

    def __init__(self, on_error: Any, max_errors: int | None) -> None:
        super().__init__(on_error, max_errors)
        # The number of the file that is being read.
        self.number = -1
        # A record that was to be skipped when its file ended for now is met again.
        self._awaited: dict[int, tuple[object, object]] = {}

    def answer(self, error: GenomeVedicError, at: object) -> Answer:
        return "raise" if isinstance(error.__cause__, Pause) else super().answer(error, at)

    def _is_skipped(self, error: GenomeVedicError) -> bool:
        what = (error.context["offset"], error.code)
        if self._awaited.get(self.number) == what:
            return True
        self._awaited.pop(self.number, None)
        is_skipped = super()._is_skipped(error)
        if is_skipped:
            self._awaited[self.number] = what
        return is_skipped

    def note(self, error: GenomeVedicError, offset: int, line: int) -> None:
        self._awaited.pop(self.number, None)
        super().note(error, offset, line)

    def warn(self, path: str) -> None:
        """At the end of the watch, not of each reader."""


class _Reader(FastqReader):
    """Reads on in a text whose beginning another one has read, as that one would have."""

    def __init__(
        self, text: GrowingText, place: Place, ordinal: int, watcher: Watcher, **options: Any
    ) -> None:
        self._begin = (place.offset, place.line, place.record, ordinal, place.wrapped)
        self._watcher = watcher
        super().__init__(cast("BinaryIO", text), **options)
        self._policy = watcher._policy
        self._has_warned_of_unplaced = watcher._has_warned_of_unplaced

    def _settle(self) -> Layout:
        known = self._watcher._settled
        if self._settled is None and known is not None:
            self._settled, self._grammar = known
            settle_as(self._core, *known)
        return super()._settle()


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
        reader = FastqReader(b"", **options)  # complains of what makes no sense
        reader.close()
        self._checkpoint = None if checkpoint is None else Path(checkpoint)
        self._finder = Finder(Path(path), self._checkpoint)
        self._batch_size = check_integer("batch_size", batch_size, 1)
        self._stop = stop if stop is None or callable(stop) else stop.is_set
        self._idle_timeout = (
            None if idle_timeout is None else check_number("idle_timeout", idle_timeout)
        )
        self._poll = check_number("poll", poll)
        self._options = options
        self._policy = _Policy(options.get("on_error", "raise"), options.get("max_errors"))
        self._settled: tuple[Layout, str] | None = None
        self._has_warned_of_unplaced = False
        self._waker = _Waker(self._finder.folder, is_deep=self._finder.folder == self._finder.root)
        self._places: list[Place] = []
        self._rows: list[str] = []  # the places as they stand in the token
        self._numbers: dict[int, list[int]] = {}  # by inode
        self._states: dict[int, tuple[Path, tuple[int, ...]]] = {}
        self._paths: dict[int, Path] = {}
        self._members: dict[int, Members] = {}
        self._resume(resume, reader._wish)
        self._records = sum(place.record - 1 for place in self._places)
        self.token = self._make_token()
        self._is_committed = True

    def _resume(self, token: str | None, wish: Layout | None) -> None:
        """Go on from a token, or from the checkpoint if there is one."""
        is_given = token is not None
        if token is None and self._checkpoint is not None:
            try:
                token = self._checkpoint.read_text()
            except FileNotFoundError:
                return
            except OSError as error:
                raise error_of_system(error) from error
            except UnicodeDecodeError:
                token = ""
        if token is None:
            return
        try:
            places, settled = read_token(token)
            if settled is not None:
                layout = Layout.from_dict(settled["layout"])
                if wish is None or wish.name == layout.name:
                    self._settled = layout, str(settled["grammar"])
        except (KeyError, TypeError, ValueError) as error:
            if is_given:
                raise ValueError(f"resume: {error}") from error
            path = str(self._checkpoint)
            raise SourceReadError(
                f"{path}: the checkpoint is damaged: {error}.", path=path
            ) from error
        for place in places:
            self._add(place)

    def _add(self, place: Place) -> int:
        number = len(self._places)
        self._places.append(place)
        self._rows.append(write_row(place))
        self._numbers.setdefault(place.inode, []).append(number)
        return number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop watching; the batch given out last is not committed by it."""
        self._waker.close()

    @property
    def errors(self) -> ErrorLog:
        """Errors of records that were skipped."""
        return self._policy.log

    def commit(self) -> None:
        """Record in the checkpoint that the batch given out last was dealt with.

        Asking for the next batch does it too.

        Raises
        ------
        OSError
            The checkpoint cannot be written.
        """
        if self._checkpoint is not None and not self._is_committed:
            write_whole(self._checkpoint, [self.token.encode()])
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
                self._waker.wait(self._poll)
        yield from self._finish()

    def _finish(self) -> Iterator[WatchedBatch]:
        """Read what is left of every file, and then complain of the first that is not whole."""
        lacking: GenomeVedicError | None = None
        self._look()
        for number in sorted(self._paths):
            try:
                for batch in self._read(number, is_final=True):
                    yield batch
                    self.commit()
            except TruncatedFileError as error:
                lacking = lacking or error
        ErrorPolicy.warn(self._policy, str(self._finder.root))
        lacking = lacking or self._gone()
        if lacking is not None:
            raise lacking

    def _gone(self) -> SourceNotFoundError | None:
        """Return what is wrong with a file that vanished, or was cut, before it was read whole."""
        for number, (path, (_, size, *_)) in sorted(self._states.items()):
            if number not in self._paths and size > self._places[number].start:
                left = size - self._places[number].start
                return SourceNotFoundError(
                    f"{path}: it is gone, or begun anew; its last {left:,} bytes were not read.",
                    path=str(path),
                )
        return None

    # ------------------------------------------------------------------------------------------
    # Files
    # ------------------------------------------------------------------------------------------

    def _look(self) -> list[int]:
        """Find files, new and renamed, and return the numbers of those that have changed."""
        seen: dict[int, Path] = {}
        changed: list[int] = []
        new: list[tuple[int, str, Path, os.stat_result]] = []
        for path, status in self._finder.files():
            try:
                number = self._number_of(path, status)
            except FileNotFoundError:
                continue  # renamed or removed between two looks
            except OSError as error:
                raise error_of_system(error) from error
            if number is not None:
                if number not in seen:
                    seen[number] = path
                    changed += self._note_state(number, path, status)
            elif self._finder.is_wanted(path):
                new.append((status.st_mtime_ns, str(path), path, status))
        inodes: set[tuple[int, int]] = set()
        for _, _, path, status in sorted(new, key=lambda each: each[:2]):
            identity = (status.st_dev, status.st_ino)
            if identity not in inodes:  # one file under two names
                inodes.add(identity)
                number = self._add(Place(*identity))
                seen[number] = path
                changed += self._note_state(number, path, status)
        self._paths = seen
        return sorted(changed)

    def _note_state(self, number: int, path: Path, status: os.stat_result) -> list[int]:
        before = self._states.get(number)
        self._states[number] = (path, _state_of(status))
        return [number] if before is None or before[1] != _state_of(status) else []

    def _number_of(self, path: Path, status: os.stat_result) -> int | None:
        """Return the number of the place in a file; None for a file that has none."""
        for number in reversed(self._numbers.get(status.st_ino, ())):
            known = self._states.get(number)
            if known is not None and known[1] == _state_of(status):
                return number
            with path.open("rb") as file:
                if self._places[number].is_of(file, os.fstat(file.fileno())):
                    return number
        return None

    # ------------------------------------------------------------------------------------------
    # Reads
    # ------------------------------------------------------------------------------------------

    def _read(self, number: int, *, is_final: bool) -> Iterator[WatchedBatch]:
        """Yield what a file holds behind its place, and move the place on."""
        try:
            file = self._paths[number].open("rb")
        except FileNotFoundError:
            self._forget_state(number)
            return
        except OSError as error:
            raise error_of_system(error) from error
        with file:
            status = os.fstat(file.fileno())
            if not self._places[number].is_of(file, status):
                # Another one by that name since the last look.
                self._forget_state(number)
            elif status.st_size > self._places[number].start:
                yield from self._read_file(number, file, is_final=is_final)

    def _forget_state(self, number: int) -> None:
        """Have the next look take a file for one that has changed."""
        path, state = self._states[number]
        self._states[number] = (path, (-1, *state[1:]))

    def _read_file(
        self, number: int, file: io.BufferedReader, *, is_final: bool
    ) -> Iterator[WatchedBatch]:
        path, place = self._paths[number], self._places[number]
        members = self._members_of(number, file, path)
        if members is not None and members.whole == place.start and not is_final:
            if members.error is not None:
                raise members.error
            return
        begin = replace(place)
        text = GrowingText(file, str(path), begin, members, is_final=is_final)
        self._policy.number = number
        reader = _Reader(text, begin, self._records, self, **self._options)
        try:
            for batch in reader.batches(self._batch_size):
                self._settled = self._settled or (batch.layout, reader._grammar)
                self._move(place, begin, text, reader)
                place.know(file, place.offset if members is None else members.whole)
                self._rows[number] = write_row(place)
                yield self._watched(batch, path)
        except SourceReadError as error:
            cause = error.__cause__
            if isinstance(cause, GenomeVedicError):
                raise cause from cause.__cause__
            if not isinstance(cause, Pause):
                raise
        finally:
            reader.close()
            self._has_warned_of_unplaced = reader._has_warned_of_unplaced
        self._move(place, begin, text, reader)
        if place.offset > 0:
            place.know(file, place.offset if members is None else members.whole)
        self._rows[number] = write_row(place)
        self.token = self._make_token()

    def _members_of(self, number: int, file: io.BufferedReader, path: Path) -> Members | None:
        """Look at the members of a file behind its place; None where it is no gzip file."""
        if not is_gzip(file):
            return None
        if number not in self._members:
            self._members[number] = Members(self._places[number].start)
        self._members[number].look(file, str(path))
        return self._members[number]

    def _move(self, place: Place, begin: Place, text: GrowingText, reader: _Reader) -> None:
        """Move a place to where its reader stands."""
        before = place.record
        place.offset, place.line, _, place.wrapped = reader._place
        place.record = begin.record + reader.stats.reads
        self._records += place.record - before
        place.start_text, place.start = text.start_of(place.offset)

    def _watched(self, batch: Particles, path: Path) -> WatchedBatch:
        columns = {name: batch[name] for name in batch.columns}
        watched = WatchedBatch(columns, batch.layout, batch.stats)
        watched.path = str(path)
        self.token = watched.token = self._make_token()
        self._is_committed = False
        return watched

    def _make_token(self) -> str:
        settled = self._settled
        layout = (
            None if settled is None else {"layout": settled[0].to_dict(), "grammar": settled[1]}
        )
        return write_token(self._rows, layout)


def _state_of(status: os.stat_result) -> tuple[int, ...]:
    """Return by what it is seen that a file has changed."""
    return (status.st_dev, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class _Waker:
    """Waits until something changes in a folder (and those in it), or some time has passed.

    By watchfiles where it is installed and works, else by sleeping.
    """

    def __init__(self, folder: Path, *, is_deep: bool) -> None:
        self._folder = folder
        self._is_deep = is_deep
        self._changes: Any = None
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
        try:
            if self._changes is None:
                # Kept from one time to the next: it notes what changes meanwhile.
                self._changes = self._watch(
                    self._folder,
                    recursive=self._is_deep,
                    step=10,
                    debounce=50,
                    rust_timeout=max(1, int(1000 * seconds)),
                    yield_on_timeout=True,
                    raise_interrupt=True,
                )
            next(self._changes)
        except (OSError, RuntimeError, StopIteration):
            # No room for another watch, a file system that has none, or a folder that is gone.
            self.close()
            time.sleep(seconds)

    def close(self) -> None:
        if self._changes is not None:
            self._changes.close()
        self._changes = self._watch = None


def watch(path: str | os.PathLike[str], **options: Any) -> Watcher:
    r"""Follow a file, or the files of a folder, and go through their reads as they are written.

    Each complete record comes once. What is being written is waited for: a record without its last
    line end, a gzip member without its trailer. A file that is renamed, in its folder or in the
    tree, is followed; one that is cut and begun anew, or replaced, is read from its beginning. A
    file is known again by its inode and its first bytes: one that is rotated by copying it and
    cutting the first is two files.

    Parameters
    ----------
    path : path
        A FASTQ file that grows, or a folder, with those in it, in which files appear whose names
        end in ``.fastq``, ``.fq``, ``.fastq.gz`` or ``.fq.gz``. To it belong files that it was
        rotated to, whose names are its own and a number or date: ``reads.fastq.1``.
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
        For `scan_fastq`. A layout is settled on the first reads of all; what was settled is part of
        the token. ``max_errors`` counts over all files.

    Returns
    -------
    Watcher
        A context manager to iterate over once; yields `WatchedBatch`.

    Raises
    ------
    TruncatedFileError
        At the end half a record, or half a gzip member, is left; all other files were read then.
    SourceNotFoundError
        At the end a file is gone that was not read whole.
    SourceReadError
        A file or folder cannot be read, or the checkpoint is damaged.
    FastqFormatError, NoCoordinatesError, MemoryLimitError
        As `scan_fastq`.
    ValueError
        `resume` is no token.

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
