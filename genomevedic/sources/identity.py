"""Which object an answer is of, and whether a body is whole: what headers and bytes prove."""

from __future__ import annotations

import base64
import binascii
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from .. import _core

__all__ = ["EndProof", "Identity", "content_range", "parse_date"]

# As many digits as a length of 64 bits has.
_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)", re.IGNORECASE | re.ASCII)

# The last block of a whole BGZF file, empty; from the SAM specification, 4.1.2.
_END_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")

# Text unpacked at a time where only its end is of interest.
_PIECE = 1 << 18

# Names of checksums in Repr-Digest and Digest headers, and ours.
_ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512", "md5": "md5"}


def parse_date(text: str | None) -> datetime | None:
    """Return a date of HTTP; None where there is none."""
    try:
        date = parsedate_to_datetime(text) if text else None
    except (TypeError, ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date is not None and date.tzinfo is None else date


def content_range(text: str | None) -> tuple[int | None, int | None, int | None]:
    """Return first byte, last byte and total of a Content-Range; None for what it does not say.

    One that contradicts itself says nothing (RFC 9110, 14.4).
    """
    match = _RANGE.fullmatch((text or "").strip())
    if match is None:
        return None, None, None
    first, last, total = (int(part) if part and part != "*" else None for part in match.groups())
    bound = math.inf if total is None else total
    if first is not None and last is not None and not first <= last < bound:
        return None, None, None
    return first, last, total


@dataclass(frozen=True)
class Identity:
    """What tells one object from another that came to stand at the same address.

    Attributes
    ----------
    etag : str or None
        A strong entity tag; weak ones promise no equal bytes and are left out.
    modified : str or None
        Last-Modified where it is strong: there is no tag at all, and the answer was made a
        second or more after it (RFC 9110, 8.8.2.2), so that no later version has the same date.
    encoding : str
        Content-Encoding in lower case, ``""`` for none.
    checksums : mapping
        Of the whole object, as bytes by name: ``sha256``, ``sha512``, ``md5``.
    total : int or None
        Bytes of the whole object.
    """

    etag: str | None = None
    modified: str | None = None
    encoding: str = ""
    checksums: Mapping[str, bytes] = field(default_factory=dict)
    total: int | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], total: int | None) -> Identity:
        """Read the headers of an answer; their names in any case."""
        low = {name.lower(): value.strip() for name, value in headers.items()}
        tag = low.get("etag")
        encoding = low.get("content-encoding", "").lower()
        return cls(
            etag=tag if tag and tag.startswith('"') else None,
            modified=None if tag else _strong_date(low),
            encoding="" if encoding == "identity" else encoding,
            checksums=_checksums(low),
            total=total,
        )

    @property
    def validator(self) -> str | None:
        """What If-Range takes; None where nothing strong is known."""
        return self.etag or self.modified

    def contradicts(self, other: Identity) -> bool:
        """Whether both are strong, of one kind, and of different objects."""
        pairs = ((self.etag, other.etag), (self.modified, other.modified))
        return any(mine and theirs and mine != theirs for mine, theirs in pairs)

    def proves(self, other: Identity) -> bool:
        """Whether an answer with this identity is surely of the same bytes as another's.

        A part need not repeat the encoding, which belongs to what a tag stands for; a date says
        nothing of it.
        """
        if other.etag is not None:
            return self.etag == other.etag
        is_same_date = other.modified is not None and self.modified == other.modified
        return is_same_date and self.encoding == other.encoding

    def has_checksum_of(self, other: Identity) -> bool:
        """Whether a strong checksum is known of both and the same, as is the length."""
        common = self.checksums.keys() & other.checksums.keys()
        return (
            self.total is not None
            and self.total == other.total
            and bool(common)
            and all(self.checksums[name] == other.checksums[name] for name in common)
        )


def _strong_date(headers: Mapping[str, str]) -> str | None:
    text = headers.get("last-modified")
    modified, made = parse_date(text), parse_date(headers.get("date"))
    if modified is None or made is None or made - modified < timedelta(seconds=1):
        return None
    return text


def _checksums(headers: Mapping[str, str]) -> dict[str, bytes]:
    """Return what servers and object stores say of the whole object's bytes."""
    found: dict[str, str] = {}
    for name in ("repr-digest", "digest"):
        for part in headers.get(name, "").split(","):
            algorithm, _, value = part.strip().partition("=")
            if algorithm.lower() in _ALGORITHMS:
                found.setdefault(_ALGORITHMS[algorithm.lower()], value.strip(":"))
    for part in headers.get("x-goog-hash", "").split(","):
        algorithm, _, value = part.strip().partition("=")
        if algorithm == "md5":
            found.setdefault("md5", value)
    amazon = headers.get("x-amz-checksum-sha256", "")
    if amazon and "-" not in amazon:  # A part count behind '-': a checksum of checksums.
        found.setdefault("sha256", amazon)
    sizes = {"md5": 16, "sha256": 32, "sha512": 64}
    decoded = {name: _decoded(value) for name, value in found.items()}
    return {name: value for name, value in decoded.items() if len(value) == sizes[name]}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


class EndProof:
    """Watches the bytes of a body whose length nobody said, and tells whether it is whole.

    Of gzip it is where the last member ends with its trailer, of BGZF where the end block is the
    last thing; of plain text that cannot be told.
    """

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._inflater = zlib.decompressobj(31)
        self._is_sound = True
        self.format = "unknown"

    def feed(self, block: bytes) -> None:
        """Take the next bytes."""
        packed = self._head + block if len(self._head) < 2 else block
        if len(self._head) < 64:
            self._head += block[:64]
            self.format = _core.input_format(self._head)
        self._tail = (self._tail + block[-len(_END_BLOCK) :])[-len(_END_BLOCK) :]
        # Of the first bytes alone gzip and BGZF are not told apart, so both are followed.
        if self._is_sound and self._head[:2] == b"\x1f\x8b":
            self._inflate(packed)

    def _inflate(self, block: bytes) -> None:
        is_held_back = False  # Text that did not fit the last piece.
        while block or is_held_back:
            if self._inflater.eof:
                block = block.lstrip(b"\0")
                if not block:
                    return
                self._inflater = zlib.decompressobj(31)
            try:
                # The text is not wanted, so little of it is made at a time.
                text = self._inflater.decompress(block, _PIECE)
            except zlib.error:
                self._is_sound = False
                return
            is_held_back = len(text) == _PIECE
            block = self._inflater.unconsumed_tail or self._inflater.unused_data

    def verdict(self) -> bool | None:
        """Return True for whole, False for cut, None where the format cannot tell."""
        if self.format == "bgzf":
            return self._tail == _END_BLOCK
        if self.format == "gzip":
            return self._is_sound and self._inflater.eof
        return None
