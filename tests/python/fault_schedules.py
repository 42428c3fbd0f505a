"""Schedules of faults for `faulty_server`: twelve faults, each at a cut point, varied by a seed.

A schedule serves a FASTQ file and says what the rules of `genomevedic.sources` promise for it:
``"exact"`` where they let every byte be recovered, ``"error"`` where reading must be refused, and
``"either"`` where both are sound, as where an object is replaced before a byte of it was used.
"""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from faulty_server import Handler, Reply, Request, Thing, honest

END_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
LONG_AGO = 1_000_000_000.0


def fastq(seed: int, records: int) -> bytes:
    """Records of about 100 bases whose every letter depends on the seed."""
    draw = random.Random(seed)
    lines = []
    for n in range(records):
        length = draw.randint(60, 140)
        bases = "".join(draw.choices("ACGT", k=length))
        scores = "".join(draw.choices("#,5:?DIJ", k=length))
        lines.append(f"@run{seed}.{n} of {records}\n{bases}\n+\n{scores}\n")
    return "".join(lines).encode()


def bgzf(text: bytes, size: int = 4096) -> bytes:
    """Pack into BGZF blocks, the end block last."""
    out = b""
    for at in range(0, len(text), size):
        piece = text[at : at + size]
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = packer.compress(piece) + packer.flush()
        head = struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(data) + 25)
        out += head + data + struct.pack("<II", zlib.crc32(piece), len(piece))
    return out + END_BLOCK


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda text: text,
    "gzip": lambda text: gzip.compress(text, 6, mtime=0),
    "bgzf": bgzf,
}


@lru_cache(maxsize=256)
def version(seed: int, packing: str, which: int) -> bytes:
    """Version 1 or 2 of the file of a seed. Both have the same length where it is not packed."""
    text = fastq(seed, 40 + 60 * (seed % 4))
    if which == 2:
        # From the middle on other bases; before it every byte is the same.
        middle = len(text) // 2
        text = text[:middle] + text[middle:].translate(bytes.maketrans(b"ACGT", b"TGCA"))
    return PACKERS[packing](text)


@dataclass
class Schedule:
    """What a server does, and what reading from it must come to."""

    handler: Handler
    promise: str
    versions: tuple[bytes, ...]  # What it may come to: whole ones.


@dataclass
class Draw:
    """What a seed decides, and the cut point."""

    fault: str
    cut: int  # Percent of the body.
    seed: int

    def __post_init__(self) -> None:
        self.dice = random.Random(f"{self.fault} {self.cut} {self.seed}")
        self.packing = self.dice.choice(["plain", "plain", "gzip", "bgzf"])
        self.body = version(self.seed, self.packing, 1)
        self.other = version(self.seed, self.packing, 2)
        self.at = len(self.body) * self.cut // 100 + self.dice.randint(0, 3)
        self.at = min(self.at, len(self.body) - 1)
        self.validator = self.dice.choice(["etag", "modified", "none"])

    def thing(self, body: bytes, name: str) -> Thing:
        """An object with the validator that was drawn."""
        if self.validator == "etag":
            return Thing(body, etag=f'"{name}"')
        if self.validator == "modified":
            return Thing(body, modified=LONG_AGO + (name == "two"))
        return Thing(body)


def once(fault: Callable[[Reply], Reply], thing: Thing) -> Handler:
    """Answer honestly but for the first request."""

    def handler(request: Request) -> Reply:
        reply = honest(thing, request)
        return fault(reply) if request.number == 0 else reply

    return handler


def cut(draw: Draw) -> Schedule:
    """The line is closed after n bytes."""
    thing = draw.thing(draw.body, "one")
    return Schedule(once(lambda r: r.but(stop_after=draw.at), thing), "exact", (draw.body,))


def reset(draw: Draw) -> Schedule:
    """The line is reset after n bytes."""
    thing = draw.thing(draw.body, "one")
    broken = once(lambda r: r.but(stop_after=draw.at, then="reset"), thing)
    return Schedule(broken, "exact", (draw.body,))


def stall(draw: Draw) -> Schedule:
    """The server says nothing more after n bytes."""
    thing = draw.thing(draw.body, "one")
    broken = once(lambda r: r.but(stop_after=draw.at, then="stall"), thing)
    return Schedule(broken, "exact", (draw.body,))


def _busy(draw: Draw, status: int) -> Schedule:
    """The line is closed after n bytes; then the server is busy for some requests."""
    thing = draw.thing(draw.body, "one")
    times = draw.dice.randint(1, 3)
    after = {"Retry-After": draw.dice.choice(["0", "1", "3600"])}

    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(thing, request).but(stop_after=draw.at)
        if request.number <= times:
            return Reply(status, {**after, "Content-Length": "4"}, b"busy")
        return honest(thing, request)

    return Schedule(handler, "exact", (draw.body,))


def unavailable(draw: Draw) -> Schedule:
    """503 with Retry-After."""
    return _busy(draw, 503)


def too_many(draw: Draw) -> Schedule:
    """429 with Retry-After."""
    return _busy(draw, 429)


def wrong_length(draw: Draw) -> Schedule:
    """A Content-Length that is not the body's, of whole answers: once or always."""
    thing = draw.thing(draw.body, "one")
    is_long, is_always = draw.dice.random() < 0.5, draw.dice.random() < 0.5
    length = len(draw.body) + 1 + draw.at if is_long else draw.at

    def handler(request: Request) -> Reply:
        reply = honest(thing, request)
        if reply.status == 200 and (is_always or request.number == 0):
            return reply.with_headers(Content_Length=str(length))
        return reply

    if not is_always:
        # One that says too much, and has a validator, is asked for what does not exist, and again.
        return Schedule(handler, "exact", (draw.body,))
    # A part tells the length of the whole, so too short a word is found out; nothing else does.
    recovers = not is_long and draw.validator != "none" and draw.at > 0
    return Schedule(handler, "exact" if recovers else "error", (draw.body,))


def no_length(draw: Draw) -> Schedule:
    """No Content-Length; the body ends with the line, whole or after n bytes."""
    thing = draw.thing(draw.body, "one")
    is_whole = draw.dice.random() < 0.5
    stop = None if is_whole else draw.at

    def handler(request: Request) -> Reply:
        reply = honest(thing, request)
        if request.number == 0:
            return reply.with_headers(Content_Length=None).but(stop_after=stop)
        return reply

    # Of plain text nothing proves the end, so it is refused, also where it is whole.
    promise = "error" if draw.packing == "plain" else "exact"
    if draw.packing != "plain" and stop is not None and stop < 18:
        promise = "either"  # Too little came to tell the format.
    return Schedule(handler, promise, (draw.body,))


def range_ignored(draw: Draw) -> Schedule:
    """The line is closed after n bytes, and the server sends the whole whatever is asked."""
    thing = draw.thing(draw.body, "one")

    def handler(request: Request) -> Reply:
        reply = honest(thing, request, knows_ranges=False)
        return reply.but(stop_after=draw.at) if request.number == 0 else reply

    return Schedule(handler, "exact", (draw.body,))


def replaced(draw: Draw) -> Schedule:
    """The line is closed after n bytes, and then another object lies there."""
    one, two = draw.thing(draw.body, "one"), draw.thing(draw.other, "two")
    knows_ranges = draw.dice.random() < 0.7

    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(one, request, knows_ranges=knows_ranges).but(stop_after=draw.at)
        return honest(two, request, knows_ranges=knows_ranges)

    if draw.at == 0:
        return Schedule(handler, "exact", (draw.other,))
    if draw.validator != "none":
        return Schedule(handler, "error", ())
    # Without a validator the bytes decide: the same beginning makes the new version a whole one.
    return Schedule(handler, "either", (draw.other,))


def weak_tag(draw: Draw) -> Schedule:
    """A weak ETag, under which the object stays, or is replaced."""
    is_replaced = draw.dice.random() < 0.5
    one = Thing(draw.body, etag='W/"same"', modified=LONG_AGO)
    two = Thing(draw.other, etag='W/"same"', modified=LONG_AGO) if is_replaced else one

    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(one, request).but(stop_after=draw.at)
        return honest(two, request)

    if is_replaced:
        return Schedule(handler, "either", (draw.other,))
    return Schedule(handler, "exact", (draw.body,))


def encoded(draw: Draw) -> Schedule:
    """Plain text packed on its way, although it was asked not to be; the line is closed."""
    packed = gzip.compress(version(draw.seed, "plain", 1), 1, mtime=0)
    thing = draw.thing(packed, "one")
    thing = Thing(packed, thing.etag, thing.modified, (("Content-Encoding", "gzip"),))
    at = min(len(packed) - 1, len(packed) * draw.cut // 100)
    return Schedule(once(lambda r: r.but(stop_after=at), thing), "exact", (packed,))


def redirect_loop(draw: Draw) -> Schedule:
    """The line is closed after n bytes, and the server redirects in a circle."""
    thing = draw.thing(draw.body, "one")

    def handler(request: Request) -> Reply:
        if request.number == 0:
            return honest(thing, request).but(stop_after=draw.at)
        location = f"{request.path}?turn={request.number % 2}"
        return Reply(302, {"Location": location, "Content-Length": "0"})

    return Schedule(handler, "error", ())


FAULTS: dict[str, Callable[[Draw], Schedule]] = {
    "cut": cut,
    "reset": reset,
    "stall": stall,
    "503": unavailable,
    "429": too_many,
    "wrong length": wrong_length,
    "no length": no_length,
    "range ignored": range_ignored,
    "replaced": replaced,
    "weak tag": weak_tag,
    "encoded": encoded,
    "redirect loop": redirect_loop,
}


def schedule(fault: str, cut_point: int, seed: int) -> Schedule:
    return FAULTS[fault](Draw(fault, cut_point, seed))
