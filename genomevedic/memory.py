"""The memory of results: budgets for it, what of it is in use, and what is kept warm.

Every result is a *lease* on memory of the core. It lives until the last array over it is gone, and
then comes back by itself to the *pool* that it came from, where the next result finds it warm. How
much there may be is said by *arenas*: the process has one, with a limit, and `Arena` makes others
inside it.

>>> import genomevedic as gv
>>> with gv.memory.Arena("64 MiB") as arena:
...     particles = gv.read_fastq(gv.datasets.flowcell_sample(), arena=arena)
...     arena.used >= particles.nbytes
True
>>> gv.memory.stats().used >= particles.nbytes  # the arena is closed, the result is alive
True
"""

from __future__ import annotations

import dataclasses
import html
import math
import sys
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from . import _core
from .arguments import check_choice, check_integer, parse_size

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Arena", "MemoryStats", "Pool", "PoolStats", "limit", "set_limit", "stats", "trim"]

POOLS = tuple(_core.memory_stats()["pools"])
_SLABS = tuple(name for name in POOLS if name != "extents")

# In the order in which they were made. Every step on it is one that no other thread gets between,
# as those of a WeakSet are not.
_arenas: dict[weakref.ref[Arena], None] = {}


def _forget(arena: weakref.ref[Arena]) -> None:
    _arenas.pop(arena, None)


class Arena:
    """A budget of its own for results, inside that of the process.

    What is read with ``arena=`` is counted in it until the last array over it is gone; a result
    that would not fit is an error. Memory is taken when it is needed, and none is set aside.

    Parameters
    ----------
    capacity : int or str, optional
        Most bytes that its results may take together, as a number or like ``"2 GiB"``; without
        it the limit of the process alone.
    name : str, optional
        What it is called where it is listed.

    Raises
    ------
    TypeError, ValueError
        `capacity` is no size.

    Examples
    --------
    >>> import genomevedic as gv
    >>> arena = gv.memory.Arena("100 KiB")
    >>> try:
    ...     gv.read_fastq(gv.datasets.flowcell_sample(), arena=arena, columns=["sequence"])
    ... except gv.errors.ArenaFullError as error:
    ...     print(error.code, error.context["limit"])
    ARENA_FULL 102400
    """

    def __init__(self, capacity: int | str | None = None, *, name: str | None = None) -> None:
        self._core: _core.Arena | None = _core.Arena(_bytes("capacity", capacity))
        self.name = name
        _arenas[weakref.ref(self, _forget)] = None

    @property
    def _open(self) -> _core.Arena:
        core = self._core  # once: another thread may close it
        if core is None:
            raise ValueError("this arena is closed")
        return core

    @property
    def capacity(self) -> int | None:
        """Most bytes of its results together; None where the process's limit alone counts."""
        capacity: int | None = self._open.stats()["capacity"]
        return capacity

    @property
    def used(self) -> int:
        """Bytes of the results that are alive, and of what is being read."""
        return int(self._open.stats()["used"])

    @property
    def available(self) -> int:
        """Bytes that more results may take, as far as its capacity and the process's limit go."""
        room, own = stats().available, self._open.stats()
        capacity = own["capacity"]
        return room if capacity is None else max(0, min(room, capacity - own["used"]))

    @property
    def peak(self) -> int:
        """Most bytes that were used at once."""
        return int(self._open.stats()["peak"])

    @property
    def leases(self) -> int:
        """Results that are alive."""
        return int(self._open.stats()["leases"])

    def set_capacity(self, capacity: int | str | None) -> None:
        """Set the capacity from now on; what is in use stays, though it be more.

        Parameters
        ----------
        capacity : int or str or None

        Raises
        ------
        TypeError, ValueError
            `capacity` is no size, or the arena is closed.
        """
        self._open.set_capacity(_bytes("capacity", capacity))

    def empty(
        self,
        shape: int | Sequence[int],
        dtype: npt.DTypeLike = np.float32,
        *,
        pool: Literal["particles", "voxels", "coordinates", "buffers"] = "coordinates",
    ) -> npt.NDArray[Any]:
        """Return an array in the arena, its values unset, as `numpy.empty` does.

        Its memory comes from a pool and goes back to it when the last view is gone, so that arrays
        made again and again cost no allocation.

        Parameters
        ----------
        shape : int or sequence of int
        dtype : dtype, default float32
            Any that holds no Python objects.
        pool : str, default "coordinates"
            Where it is counted and kept: ``"particles"``, ``"voxels"``, ``"coordinates"`` or
            ``"buffers"``.

        Returns
        -------
        ndarray
            C-contiguous, aligned to 64 bytes, writable.

        Raises
        ------
        ArenaFullError, MemoryLimitError, MemoryAllocationError
            It does not fit.
        TypeError, ValueError
            An argument makes no sense, or the arena is closed.

        Examples
        --------
        >>> import genomevedic as gv
        >>> grid = gv.memory.Arena().empty((64, 64, 64), "u4", pool="voxels")
        >>> grid.nbytes, grid.flags.writeable
        (1048576, True)
        """
        kind = np.dtype(dtype)
        if kind.hasobject:
            raise TypeError(f"dtype must hold no Python objects, and is {kind}")
        check_choice("pool", pool, _SLABS)
        sides = tuple(
            check_integer("shape", side)
            for side in (shape if isinstance(shape, Sequence) else (shape,))
        )
        size = math.prod(sides) * kind.itemsize
        if size >= 2**63:
            raise ValueError(f"shape {sides} of {kind} takes more bytes than there are")
        return self._open.empty(size, pool).view(kind).reshape(sides)

    def reset(self) -> None:
        """Forget the peak, once nothing is alive in the arena.

        Raises
        ------
        ArenaInUseError
            Results are alive in it.
        ValueError
            The arena is closed.
        """
        self._open.reset()

    def close(self) -> None:
        """Take no more results; those alive stay until they are let go. Harmless when repeated."""
        self._core = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _row(self, core: _core.Arena) -> tuple[str, ...]:
        own = core.stats()  # once: another thread may set another capacity meanwhile
        capacity = "" if own["capacity"] is None else format_size(own["capacity"])
        used, peak = format_size(own["used"]), format_size(own["peak"])
        return (self.name or "arena", used, peak, capacity, str(own["leases"]))

    def __repr__(self) -> str:
        core = self._core
        if core is None:
            return "<Arena, closed>"
        name, used, peak, capacity, leases = self._row(core)
        of = f" of {capacity}" if capacity else ""
        return f"<Arena {name!r}: {used}{of} in {leases} results, at most {peak}>"

    def _repr_html_(self) -> str:
        core = self._core
        if core is None:
            return html.escape(repr(self))
        return _table(("arena", "used", "peak", "capacity", "results"), [self._row(core)])


@dataclass(frozen=True, slots=True)
class PoolStats:
    """What a pool of the core has done.

    Attributes
    ----------
    gets : int
        Pieces of memory asked for.
    hits, misses : int
        Of them, those that were there, and those that had to be taken from the system.
    puts : int
        Pieces that came back.
    in_use, peak : int
        Bytes handed out, now and at most.
    idle : int
        Bytes kept for the next who asks.
    idle_pieces : int
        Pieces that these are.
    """

    gets: int
    hits: int
    misses: int
    puts: int
    in_use: int
    peak: int
    idle: int
    idle_pieces: int

    @property
    def hit_rate(self) -> float:
        """`hits` over `gets`; NaN where nothing was asked for."""
        return self.hits / self.gets if self.gets else math.nan


@dataclass(frozen=True, slots=True)
class Pool:
    """One of the core's pools, by its name: ``Pool("particles")``.

    ``"extents"`` are columns of results of any size, ``"particles"`` the columns of batches,
    ``"buffers"`` names, sequences and the text being read, ``"voxels"`` and ``"coordinates"`` what
    `Arena.empty` makes of them.

    Parameters
    ----------
    name : str

    Raises
    ------
    TypeError, ValueError
        There is no such pool.

    Examples
    --------
    >>> import genomevedic as gv
    >>> with gv.scan_fastq(gv.datasets.flowcell_sample()) as reader:
    ...     sizes = [len(batch) for batch in reader.batches(500)]
    >>> gv.memory.Pool("particles").stats().hits > 0
    True
    """

    name: str

    def __post_init__(self) -> None:
        check_choice("name", self.name, POOLS)

    def stats(self) -> PoolStats:
        """Return its counts now."""
        return PoolStats(**_core.memory_stats()["pools"][self.name])

    def trim(self) -> int:
        """Give what is idle back to the system; return how many bytes those were."""
        return _core.memory_trim(self.name)


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """What all results of this process take.

    Attributes
    ----------
    limit : int or None
        Most bytes that results may take; None where the machine does not say what it has.
    used, peak : int
        Bytes of results that are alive or being read, now and at most.
    leases : int
        Results that are alive.
    idle : int
        Bytes kept in pools. They count towards the limit, and give way to results.
    pools : dict of PoolStats
        By name.
    arenas : list of dict
        ``name``, ``used``, ``peak``, ``capacity`` and ``leases`` of each open `Arena`.
    """

    limit: int | None
    used: int
    peak: int
    leases: int
    idle: int
    pools: dict[str, PoolStats]
    arenas: list[dict[str, Any]]

    @property
    def available(self) -> int:
        """Bytes that more results may take; 2**63 - 1 where there is no limit."""
        return 2**63 - 1 if self.limit is None else max(0, self.limit - self.used)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as nested dictionaries."""
        return dataclasses.asdict(self)

    def _rows(self) -> list[tuple[str, ...]]:
        rows = []
        for name, pool in self.pools.items():
            rate = f"{pool.hit_rate:.1%}" if pool.gets else ""
            sizes = (format_size(each) for each in (pool.in_use, pool.peak, pool.idle))
            rows.append((name, *sizes, str(pool.gets), rate))
        return rows

    def _heading(self) -> str:
        of = "" if self.limit is None else f" of {format_size(self.limit)}"
        return (
            f"{format_size(self.used)}{of} in {self.leases} results, at most "
            f"{format_size(self.peak)}; {format_size(self.idle)} idle"
        )

    def __str__(self) -> str:
        lines = [self._heading()]
        for row in [_POOL_HEADINGS, *self._rows()]:
            lines.append(f"{row[0]:<12}" + "".join(f"{cell:>12}" for cell in row[1:]))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self._heading())}</p>" + _table(_POOL_HEADINGS, self._rows())


_POOL_HEADINGS = ("pool", "in use", "peak", "idle", "gets", "hits")


def stats() -> MemoryStats:
    """Return what all results take now, by pool and by arena.

    Returns
    -------
    MemoryStats
        Shown as a table in a notebook, and by ``print``.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample())
    >>> gv.memory.stats().used >= p.nbytes
    True
    """
    found = _core.memory_stats()
    pools = {name: PoolStats(**counts) for name, counts in found["pools"].items()}
    arenas = [
        {"name": arena.name, **core.stats()}
        for reference in list(_arenas)
        if (arena := reference()) is not None and (core := arena._core) is not None
    ]
    idle = sum(pool.idle for pool in pools.values())
    capacity, used, peak = found["capacity"], found["used"], found["peak"]
    return MemoryStats(capacity, used, peak, found["leases"], idle, pools, arenas)


def trim() -> int:
    """Give all memory that is kept warm back to the system.

    Returns
    -------
    int
        How many bytes those were.

    Examples
    --------
    >>> import genomevedic as gv
    >>> gv.memory.trim() >= 0, gv.memory.stats().idle
    (True, 0)
    """
    return _core.memory_trim(None)


def limit() -> int | None:
    """Return the most bytes that all results may take; None where there is no limit."""
    return stats().limit


def set_limit(size: int | str | None) -> None:
    """Set the most bytes that all results of this process may take.

    Where a result would pass it, Python's collector is run once, memory that is kept warm is given
    back, and what is left to do is tried again, before `MemoryLimitError` is raised.

    Parameters
    ----------
    size : int or str or None
        A number, or like ``"2 GiB"``. None is the default: four fifths of the machine's memory, of
        what its control group (a container's limit, say) leaves this process, or of what its
        address space may hold (``ulimit -v``), whichever is least.

    Raises
    ------
    TypeError, ValueError
        It is no size.

    Examples
    --------
    >>> import genomevedic as gv
    >>> before = gv.memory.limit()
    >>> gv.memory.set_limit("2 GiB")
    >>> gv.memory.limit()
    2147483648
    >>> gv.memory.set_limit(None)
    >>> gv.memory.limit() == before
    True
    """
    _core.memory_set_limit(_bytes("size", size))


def _bytes(name: str, size: int | str | None) -> int | None:
    """Return a number of bytes that the core can hold."""
    return None if size is None else min(parse_size(size, name), sys.maxsize)


def format_size(size: float) -> str:
    """Return a number of bytes in words, such as ``"1.5 GiB"``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(headings, 'th')}</thead><tbody>{body}</tbody></table>"
