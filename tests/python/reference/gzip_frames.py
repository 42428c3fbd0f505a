r"""Bytes of a file to its text: plain, gzip of any number of members, BGZF.

A member (RFC 1952)::

    1f 8b 08 FLG  MTIME(4) XFL OS  [XLEN(2) extra] [name \0] [comment \0] [CRC16(2)]
    raw deflate  CRC32(4) ISIZE(4)

A BGZF block is a member whose extra field holds a subfield ``B C 02 00 BSIZE(2)``, where BSIZE + 1
is the size of the whole member; the end block is a BGZF block that holds no data.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from .faults import Fault, FaultFound

MAGIC = b"\x1f\x8b"
FHCRC, FEXTRA, FNAME, FCOMMENT, RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0
FEED = 65536


@dataclass(frozen=True)
class Deframed:
    """``payload`` is the text of the whole members before ``fault``, or all of it."""

    payload: bytes
    format: str
    missing_end_block: bool
    fault: Fault | None


@dataclass(frozen=True)
class Member:
    payload: bytes
    following: int
    bgzf: bool


def truncated() -> FaultFound:
    return FaultFound(Fault("TruncatedFileError"))


def damaged() -> FaultFound:
    return FaultFound(Fault("BadGzipError"))


def take(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise truncated()
    return data[at : at + size]


def after_zero(data: bytes, at: int) -> int:
    """The offset after a zero-terminated text that begins at ``at``."""
    zero = data.find(b"\0", at)
    if zero < 0:
        raise truncated()
    return zero + 1


def block_size(extra: bytes) -> int | None:
    """The size of the whole member as a BGZF subfield tells it, or None where there is none."""
    at = 0
    while at + 4 <= len(extra):
        identifier = extra[at : at + 2]
        (size,) = struct.unpack_from("<H", extra, at + 2)
        body = extra[at + 4 : at + 4 + size]
        if identifier == b"BC" and size == 2 and len(body) == 2:
            return int(struct.unpack("<H", body)[0]) + 1
        at += 4 + size
    return None


def read_header(data: bytes, start: int) -> tuple[int, int | None]:
    """The offset of the deflate stream, and the BGZF size of the member if it tells one."""
    magic, method, flags = struct.unpack("<2sBB", take(data, start, 4))
    if magic != MAGIC or method != 8 or flags & RESERVED:
        raise damaged()
    take(data, start, 10)
    at = start + 10
    size = None
    if flags & FEXTRA:
        (extra_size,) = struct.unpack("<H", take(data, at, 2))
        size = block_size(take(data, at + 2, extra_size))
        at += 2 + extra_size
    if flags & FNAME:
        at = after_zero(data, at)
    if flags & FCOMMENT:
        at = after_zero(data, at)
    if flags & FHCRC:
        (noted,) = struct.unpack("<H", take(data, at, 2))
        if noted != zlib.crc32(data[start:at]) & 0xFFFF:
            raise damaged()
        at += 2
    return at, size


def inflate(data: bytes, at: int) -> tuple[bytes, int]:
    """One raw deflate stream: what it holds, and the offset after it."""
    decoder = zlib.decompressobj(wbits=-15)
    parts = []
    while not decoder.eof:
        piece = data[at : at + FEED]
        if not piece:
            raise truncated()
        try:
            parts.append(decoder.decompress(piece))
        except zlib.error:
            raise damaged() from None
        at += len(piece) - len(decoder.unused_data)
    return b"".join(parts), at


def read_member(data: bytes, start: int) -> Member:
    at, size = read_header(data, start)
    if size is not None:
        take(data, start, size)
    payload, at = inflate(data, at)
    crc, length = struct.unpack("<II", take(data, at, 8))
    if crc != zlib.crc32(payload) or length != len(payload) & 0xFFFFFFFF:
        raise damaged()
    at += 8
    if size is not None and at - start != size:
        raise damaged()
    return Member(payload, at, size is not None)


def read_members(data: bytes, members: list[Member]) -> None:
    """Append every member of ``data`` to ``members``; zero bytes may follow the last one."""
    at = 0
    while at < len(data):
        rest = data[at : at + 2]
        if at > 0 and rest[:1] == b"\0":
            if data[at:].strip(b"\0"):
                raise damaged()
            return
        if not MAGIC.startswith(rest):
            raise damaged()
        members.append(read_member(data, at))
        at = members[-1].following


def deframe(data: bytes) -> Deframed:
    """Tell the format by the first two bytes and take the framing off."""
    if data[:2] != MAGIC:
        return Deframed(data, "plain", False, None)
    members: list[Member] = []
    fault = None
    try:
        read_members(data, members)
    except FaultFound as found:
        fault = found.fault
    payload = b"".join(member.payload for member in members)
    bgzf = bool(members) and members[0].bgzf
    ended = bool(members) and members[-1].bgzf and members[-1].payload == b""
    missing = fault is None and bgzf and not ended
    return Deframed(payload, "bgzf" if bgzf else "gzip", missing, fault)
