"""What a read's name tells: the platform that wrote it, and where and when the read was made.

Names are recognised by the grammars below and by nothing else (the parser is ``csrc/gv_name.c``).
A name that fits none of them is unknown; a name that fits one but lacks the part a layout needs (a
nanopore read without its channel) carries no layout. The header line is taken without its leading
``@``.

==================  =============================================================================
grammar             the header line
==================  =============================================================================
illumina-1.8        ``instrument:run:flowcell:lane:tile:x:y[:UMI] [read:filtered:control:index]``
element             the same, from an instrument whose name begins with ``AV``, in lane 1 or 2
singular            the same, from an instrument whose name begins with ``G4-``
illumina-1.3        ``instrument:lane:tile:x:y[#index][/read]``, x and y may be negative
stereo-seq          an MGI name, then two hexadecimal words (CID and MID)
mgi                 ``<prefix>L#C###R###[_]<ordinal>[#index][/read]``, parsed from the right
ultima              ``004733_1-X0003-1345904491``
nanopore-guppy      ``uuid key=value ...``, in any order, any of them absent
nanopore-dorado     ``uuid tag:type:value ...``, in any order, any of them absent
pacbio              ``movie/zmw/ccs[/fwd or /rev]`` or ``movie/zmw/start_end``
pacbio-rs2          the same with a movie of the RS II, whose hole numbers are not packed
==================  =============================================================================

A name given by an archive (``SRR``, ``ERR`` or ``DRR`` and a number) is judged by what follows
it. The colons of an Illumina name are counted from the left, since a UMI comes last. The ten
fields of Element's cytoprofiling names are another grammar and are not read as a place.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from . import _core

__all__ = [
    "ReadName",
    "guess_platform",
    "kinds_of",
    "layout_of",
    "parse_name",
    "platform_of",
]

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

_FLOWCELL_GRAMMARS = frozenset({"illumina-1.8", "illumina-1.3", "element", "singular"})


@dataclass(frozen=True)
class ReadName:
    """What one read name says; a part that it lacks is None.

    Attributes
    ----------
    grammar : str
        Name of the grammar, as in the table of this module.
    platform : str
        ``"illumina"``, ``"element"``, ``"singular"``, ``"mgi"``, ``"stereo-seq"``, ``"ultima"``,
        ``"nanopore"`` or ``"pacbio"``.
    layouts : tuple of str
        The layouts whose coordinates this name holds: ``"flowcell"``, ``"mgi"``, ``"nanopore"``,
        ``"pacbio"``, or none.
    renamed : bool
        Whether the name stood behind a number given by a sequence archive.
    lane, tile, x, y : int or None
        Of a flow cell; ``tile`` of MGI is 1000 times the column and the row of its field of view.
    surface, swath, camera, number : int or None
        What the tile's number is made of.
    read : int or None
        1 or 2.
    filtered : int or None
        0 where the instrument's filter let the read pass, 1 where it did not.
    index, barcode, flow_cell : str or None
        As they stand in the name.
    channel : int or None
        Of a Nanopore flow cell.
    start_time : datetime or None
        In UTC.
    zmw : int or None
        Number of the PacBio well.
    """

    grammar: str
    platform: str
    layouts: tuple[str, ...]
    renamed: bool = False
    lane: int | None = None
    tile: int | None = None
    x: int | None = None
    y: int | None = None
    surface: int | None = None
    swath: int | None = None
    camera: int | None = None
    number: int | None = None
    read: int | None = None
    filtered: int | None = None
    index: str | None = None
    channel: int | None = None
    start_time: datetime.datetime | None = None
    barcode: str | None = None
    flow_cell: str | None = None
    zmw: int | None = None


def layout_of(parts: dict[str, Any] | None) -> str | None:
    """Return the layout whose coordinates a parsed name (of ``_core.parse_name``) holds."""
    if parts is None:
        return None
    grammar = parts["grammar"]
    if grammar in _FLOWCELL_GRAMMARS:
        return "flowcell"
    if parts["channel"] is not None:
        return "nanopore"
    return grammar if grammar in ("pacbio", "mgi") else None


def parse_name(name: str | bytes) -> ReadName | None:
    """Recognise one read name.

    Parameters
    ----------
    name : str or bytes
        The header line of a record without its ``@`` and line end.

    Returns
    -------
    ReadName or None
        None where the name fits no grammar.

    Examples
    --------
    >>> name = parse_name("A00123:8:HABCDDSX2:2:1101:1063:1000 1:N:0:ACGT")
    >>> name.layouts, name.lane, name.tile, name.x, name.y
    (('flowcell',), 2, 1101, 1063, 1000)
    >>> parse_name("read_17") is None
    True
    """
    parts = _core.parse_name(_header(name))
    if parts is None:
        return None
    layout = layout_of(parts)
    for key in ("index", "barcode", "flow_cell"):
        if parts[key] is not None:
            parts[key] = parts[key].decode("utf-8", "surrogateescape")
    if parts["start_time"] is not None:
        parts["start_time"] = _EPOCH + datetime.timedelta(microseconds=parts["start_time"])
    return ReadName(layouts=(layout,) if layout is not None else (), **parts)


def _header(name: str | bytes) -> bytes:
    return name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name


def guess_platform(names: Iterable[str]) -> str:
    """Return the platform that a set of read names agrees on.

    Parameters
    ----------
    names : iterable of str
        Header lines without their ``@``.

    Returns
    -------
    str
        A platform of `ReadName`; ``"mixed"`` where the names are of several platforms, or
        where only some of them are recognised; ``"unknown"`` where none is recognised.
    """
    return platform_of(kinds_of(names))


def kinds_of(names: Iterable[str | bytes]) -> set[tuple[str | None, str | None]]:
    """Return the platforms, and the layouts, that names tell; each pair once."""
    parsed = (_core.parse_name(_header(name)) for name in names)
    return {(None if parts is None else parts["platform"], layout_of(parts)) for parts in parsed}


def platform_of(kinds: Collection[tuple[str | None, str | None]]) -> str:
    """Return the platform that names of these kinds agree on, as `guess_platform` does."""
    platforms = {platform for platform, _ in kinds}
    if len(platforms) > 1:
        return "mixed"
    return (platforms.pop() if platforms else None) or "unknown"
