"""Objects in stores that fsspec reads: the same rules as of http, by what the store tells."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.spec import AbstractFileSystem

import genomevedic as gv
from fault_schedules import fastq
from genomevedic.errors import (
    SourceChangedError,
    SourceNotFoundError,
    SourcePermissionError,
    SourceUnavailableError,
)

TEXT = fastq(7, 300)
OTHER = fastq(8, 300)


class Flaky(AbstractFileSystem):
    """A store with one object, whose every opening is told beforehand how it ends."""

    protocol = "flaky"
    cachable = False
    body: ClassVar[bytes] = TEXT
    tag: ClassVar[str | None] = "one"
    cuts: ClassVar[list[Any]] = []  # An exception to raise, or (bytes to give, what then).
    opened: ClassVar[list[int]] = []

    def info(self, path: str, **more: Any) -> dict[str, Any]:
        if not path.endswith("r.fastq"):
            raise FileNotFoundError(path)
        tag = {"ETag": self.tag} if self.tag else {}
        return {"name": path, "size": len(self.body), "type": "file", **tag}

    def open(self, path: str, mode: str = "rb", **more: Any) -> Any:
        ends = self.cuts.pop(0) if self.cuts else None
        if isinstance(ends, Exception):
            raise ends
        return Opened(type(self).body, ends)


class Opened(io.BytesIO):
    def __init__(self, body: bytes, ends: Any) -> None:
        super().__init__(body)
        self.ends = ends
        Flaky.opened.append(0)

    def seek(self, at: int, *more: Any) -> int:
        Flaky.opened[-1] = at
        return super().seek(at, *more)

    def read(self, size: int | None = -1) -> bytes:
        if self.ends is None:
            return super().read(size)
        after, then = self.ends
        if self.tell() < after:
            return super().read(min(size or 0, after - self.tell()))
        if callable(then):
            then()
            self.ends = None
            return self.read(size)
        if isinstance(then, Exception):
            raise then
        return b""


@pytest.fixture(autouse=True)
def store() -> Iterator[None]:
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    Flaky.body, Flaky.tag, Flaky.cuts, Flaky.opened = TEXT, "one", [], []
    yield
    Flaky.cuts = []


URL = "flaky://bucket/r.fastq"


def options(**more: Any) -> dict[str, Any]:
    retry = gv.recovery.Retry(sleep=lambda seconds: None)
    return {"retry": retry, **more}


def fetch(**more: Any) -> bytes:
    with gv.sources.open_url(URL, options(**more)) as stream:
        return stream.read()


def test_a_store_is_read() -> None:
    with fsspec.open("memory://bucket/a.fastq", "wb") as file:
        file.write(TEXT)
    found = gv.read_fastq(["memory://bucket/a.fastq", OTHER])
    assert found == gv.read_fastq([TEXT, OTHER])
    assert found.stats.hosts[0].host == "memory://bucket"
    with pytest.raises(SourceNotFoundError):
        gv.read_fastq("memory://bucket/b.fastq")


@pytest.mark.parametrize("fault", [ConnectionResetError("gone"), TimeoutError("slow"), b""])
def test_it_goes_on_where_it_broke_off(fault: Any) -> None:
    Flaky.cuts = [(4000, fault), ConnectionError("not now"), (9000, fault)]
    assert fetch() == TEXT
    assert Flaky.opened == [0, 4000, 9000]


def test_without_a_tag_it_begins_again() -> None:
    Flaky.tag = None
    Flaky.cuts = [(4000, ConnectionResetError("gone"))]
    assert fetch() == TEXT
    assert Flaky.opened == [0, 0]


def replace(tag: str | None) -> None:
    Flaky.body, Flaky.tag = OTHER, tag


@pytest.mark.parametrize("is_cut", [True, False])
def test_a_replaced_object_is_refused(is_cut: bool) -> None:
    def then() -> None:
        replace("two")
        if is_cut:
            raise ConnectionResetError("gone")

    Flaky.cuts = [(4000, then)]
    with pytest.raises(SourceChangedError):
        fetch()


def test_a_replaced_object_without_a_tag_is_refused() -> None:
    Flaky.tag = None
    Flaky.cuts = [(4000, lambda: replace(None))]
    with pytest.raises(SourceChangedError):
        fetch()


def test_faults_of_stores_are_ours() -> None:
    Flaky.cuts = [PermissionError("no")]
    with pytest.raises(SourcePermissionError):
        fetch()
    Flaky.cuts = [RuntimeError("the client's own network error")] * 5
    with pytest.raises(SourceUnavailableError) as caught:
        fetch()
    assert caught.value.path == URL
    Flaky.cuts = [ValueError("such an option there is not")]
    with pytest.raises(ValueError, match="such an option"):
        fetch()
    Flaky.cuts = [(4000, ValueError("damaged"))]
    with pytest.raises(ValueError, match="damaged"):
        fetch()


def test_secrets_of_a_store_are_not_shown() -> None:
    Flaky.cuts = [ConnectionError("https://x/?sig=very-secret")] * 5
    with pytest.raises(SourceUnavailableError) as caught:
        fetch(client_kwargs={"token": "very-secret"})
    error: BaseException | None = caught.value
    assert error.__cause__ is None and error.__suppress_context__
    assert "very-secret" not in str(error)


def test_options_are_told_apart() -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        fetch(sha256="12")
    with gv.sources.open_url(URL, options(read_ahead=5, anon=True)) as stream:
        assert stream.read(3) == TEXT[:3]


def test_a_mirror_of_two_kinds() -> None:
    Flaky.cuts = [(4000, ConnectionError("gone")), *[ConnectionError("gone")] * 9]
    with fsspec.open("memory://bucket/a.fastq", "wb") as file:
        file.write(TEXT)
    source = gv.sources.Mirror(URL, "memory://bucket/a.fastq", **options())
    assert gv.read_fastq(source) == gv.read_fastq(TEXT)
    assert [host.state for host in source.hosts] == ["open", "closed"]
