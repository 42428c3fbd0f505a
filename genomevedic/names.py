"""What a read's name tells: the platform that wrote it, and the layouts its parts could carry.

Names are recognised by the grammars below and by nothing else. A name that fits none of them is
unknown; a name that fits one but lacks the part a layout needs (a nanopore read without its
channel) carries no layout. The header line is taken without its leading ``@``.

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

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["NameGrammar", "guess_platform", "parse_name"]


@dataclass(frozen=True)
class NameGrammar:
    """What one read name was recognised as.

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
    """

    grammar: str
    platform: str
    layouts: tuple[str, ...]
    renamed: bool = False


_ARCHIVE = re.compile(
    r"[SED]RR\d+(?:\.\d+)*(?:/[12])?(?:\s+(?P<original>\S.*))?", re.ASCII | re.DOTALL
)

# A UMI follows y in several spellings: `:ACGT`, `:ACGT+ACGT`, `:ACGT+rACGT`, `_ACGT` by tools.
_CASAVA = re.compile(
    r"(?P<instrument>[^:\s]+):[^:\s]+:[^:\s]+:(?P<lane>\d+):\d+:\d+:\d+"
    r"(?::[A-Za-z0-9_+-]+|(?:_[A-Za-z0-9+-]+)+)?(?:/[12])?",
    re.ASCII,
)
_OLD_ILLUMINA = re.compile(r"[^:\s]+:\d+:\d+:-?\d+:-?\d+(?:#[^\s/]*)?(?:/[12])?", re.ASCII)
_MGI = re.compile(
    r"\S*L\dC\d{3}R\d{3}_?\d+(?:#[ACGTNacgtn]+(?:\+[ACGTNacgtn]+)?)?(?:/[12])?", re.ASCII
)
_STEREO_TAIL = re.compile(r"\s+[0-9A-Fa-f]+\s+[0-9A-Fa-f]+\s*", re.ASCII)
_ULTIMA = re.compile(r"\d+_\d+-[A-Z]\d+-\d+", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GUPPY_CHANNEL = re.compile(r"ch=\d+", re.ASCII)
_DORADO_CHANNEL = re.compile(r"ch:i:\d+", re.ASCII)
_DORADO_TAG = re.compile(r"[A-Za-z][A-Za-z0-9]:[AifZHB]:.*", re.DOTALL)
_PACBIO = re.compile(r"(?P<movie>m\d{5,}[^/\s]*)/\d+/(?:ccs(?:/(?:fwd|rev))?|\d+_\d+)", re.ASCII)
_RS2_MOVIE = re.compile(r"m\d{6}_.*_s\d+_p\d+", re.ASCII)


def _parse_nanopore(words: list[str]) -> NameGrammar:
    """Return the grammar of a name whose first word is a UUID.

    The words behind it decide between the two writers; a bare UUID is given to guppy's grammar,
    of which it is the shortest form.
    """
    if any(_DORADO_TAG.fullmatch(word) for word in words[1:]):
        grammar, channel = "nanopore-dorado", _DORADO_CHANNEL
    else:
        grammar, channel = "nanopore-guppy", _GUPPY_CHANNEL
    has_channel = any(channel.fullmatch(word) for word in words[1:])
    return NameGrammar(grammar, "nanopore", ("nanopore",) if has_channel else ())


def _parse_casava(match: re.Match[str]) -> NameGrammar:
    """Tell the three makers apart that write names of Casava 1.8's grammar."""
    instrument = match["instrument"]
    if instrument.startswith("AV") and match["lane"] in ("1", "2"):
        return NameGrammar("element", "element", ("flowcell",))
    if instrument.startswith("G4-"):
        return NameGrammar("singular", "singular", ("flowcell",))
    return NameGrammar("illumina-1.8", "illumina", ("flowcell",))


def _parse_original(name: str) -> NameGrammar | None:
    words = name.split()
    if not words or name[0].isspace():
        return None
    first = words[0]
    if match := _CASAVA.fullmatch(first):
        return _parse_casava(match)
    if _OLD_ILLUMINA.fullmatch(first):
        return NameGrammar("illumina-1.3", "illumina", ("flowcell",))
    if _UUID.fullmatch(first):
        return _parse_nanopore(words)
    if match := _PACBIO.fullmatch(first):
        if _RS2_MOVIE.fullmatch(match["movie"]):
            return NameGrammar("pacbio-rs2", "pacbio", ())
        return NameGrammar("pacbio", "pacbio", ("pacbio",))
    if _MGI.fullmatch(first):
        if _STEREO_TAIL.fullmatch(name[len(first) :]):
            return NameGrammar("stereo-seq", "stereo-seq", ())
        return NameGrammar("mgi", "mgi", ("mgi",))
    if _ULTIMA.fullmatch(first):
        return NameGrammar("ultima", "ultima", ())
    return None


def parse_name(name: str) -> NameGrammar | None:
    """Recognise one read name.

    Parameters
    ----------
    name : str
        The header line of a record without its ``@`` and line end.

    Returns
    -------
    NameGrammar or None
        None where the name fits no grammar.

    Examples
    --------
    >>> parse_name("A00123:8:HABCDDSX2:2:1101:1063:1000 1:N:0:ACGT").layouts
    ('flowcell',)
    >>> parse_name("read_17") is None
    True
    """
    archive = _ARCHIVE.fullmatch(name)
    if archive is None:
        return _parse_original(name)
    if archive["original"] is None:
        return None
    original = _parse_original(archive["original"])
    if original is None:
        return None
    return NameGrammar(original.grammar, original.platform, original.layouts, renamed=True)


def guess_platform(names: Iterable[str]) -> str:
    """Return the platform that a set of read names agrees on.

    Parameters
    ----------
    names : iterable of str
        Header lines without their ``@``.

    Returns
    -------
    str
        A platform of `NameGrammar`; ``"mixed"`` where the names are of several platforms, or
        where only some of them are recognised; ``"unknown"`` where none is recognised.
    """
    platforms = {parsed.platform if (parsed := parse_name(name)) else None for name in names}
    if len(platforms) > 1:
        return "mixed"
    return (platforms.pop() if platforms else None) or "unknown"
