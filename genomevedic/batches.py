"""What tools that go through reads once are given: particles, a reader, or a source to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .fastq import FastqReader, scan_fastq
from .particles import Particles

__all__ = ["batches_of"]

# Reads at once: enough that the calls cost little, and few enough that the text of long reads does
# not fill the memory.
_BATCH_READS = 16_384

# Rows of particles that are at hand already, looked at together: what is computed of them on the
# way stays small beside them.
_SLICE_ROWS = 1 << 20


def batches_of(
    what: str, source: Any, needed: Sequence[str], useful: Sequence[str], options: dict[str, Any]
) -> Iterator[Particles]:
    """Return the reads in batches, with the columns needed.

    Parameters
    ----------
    what : str
        The function that asks, for messages.
    source : Particles, FastqReader, or what `scan_fastq` takes
        Particles come in slices, which share their memory. A reader is read to its end and closed.
    needed, useful : sequence of str
        Columns without which it cannot be done, and those that are taken where they are. A source
        is read with both.
    options : dict
        For `scan_fastq`.

    Returns
    -------
    iterator of Particles

    Raises
    ------
    ValueError
        Columns are missing; the message names them.
    TypeError
        There are options although nothing is opened here, or they name columns.
    """
    if isinstance(source, Particles | FastqReader):
        if options:
            raise TypeError(
                f"{what} takes {_listed(sorted(options))} for a source that it opens itself, not "
                f"for a {type(source).__name__}"
            )
        _check(what, source, needed)
        return _slices(source) if isinstance(source, Particles) else source.batches(_BATCH_READS)
    if "columns" in options:
        raise TypeError(f"{what} names the columns itself; leave out columns=")
    return scan_fastq(source, columns=[*needed, *useful], **options).batches(_BATCH_READS)


def _slices(particles: Particles) -> Iterator[Particles]:
    """Return slices of particles: at least one, so that it is seen which columns there are."""
    starts = range(0, max(1, len(particles)), _SLICE_ROWS)
    return (particles[start : start + _SLICE_ROWS] for start in starts)


def _check(what: str, source: Particles | FastqReader, needed: Sequence[str]) -> None:
    missing = [name for name in needed if name not in source.columns]
    if missing:
        lack = "these particles lack" if isinstance(source, Particles) else "this reader lacks"
        listed = ", ".join(repr(name) for name in missing)
        raise ValueError(
            f"{what} needs columns that {lack}; ask for them with columns=[..., {listed}]"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{name}=" for name in names)
