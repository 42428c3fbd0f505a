"""Objects of stores that fsspec reads: s3, gs, abfs, sftp and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from ..errors import (
    SourceChangedError,
    SourceNotFoundError,
    SourcePermissionError,
    SourceReadError,
    SourceUnavailableError,
)
from .address import redact, scheme_of
from .identity import Identity
from .line import Line

__all__ = ["StoreEndpoint"]

# What stores call the thing that changes when an object is replaced, best first.
_TAGS = ("ETag", "etag", "e_tag", "generation", "version_id", "content_md5", "md5Hash", "checksum")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


class StoreEndpoint:
    """An object at a URL that fsspec knows; as `web.WebEndpoint`."""

    def __init__(self, url: str, store_options: Mapping[str, Any]) -> None:
        self.label = redact(url)
        scheme = scheme_of(url)
        self.host = f"{scheme}://{self.label.rpartition('://')[2].partition('/')[0]}"
        self._url = url
        self._options = dict(store_options)
        self._secrets = _secrets_of(url, self._options)

    def request(
        self, start: int, known: Identity | None, line: Line, timeout: float
    ) -> StoreAnswer:
        """Open the object at a byte; as `web.WebEndpoint.request`. The store has its timeouts."""
        import fsspec

        errors = _StoreErrors(self.label, self._secrets)
        with errors:
            files, path = fsspec.core.url_to_fs(self._url, **self._options)
            identity = _identity(files, path)
            total = identity.total
            if start > 0 and (known is None or not identity.proves(known)):
                start = 0
            if total is not None and start > total:
                start = 0
            stream = files.open(path, "rb", cache_type="readahead")
            if start > 0:
                stream.seek(start)
        return StoreAnswer(self.label, errors, files, path, stream, start, identity)


def _identity(files: Any, path: str) -> Identity:
    with suppress(Exception):  # Most stores keep listings; not all can be told to forget them.
        files.invalidate_cache(path)
    about = files.info(path)
    tags = [f"{name}={about[name]}" for name in (*_TAGS, *_TIMES) if about.get(name)]
    size = about.get("size")
    return Identity(etag="; ".join(tags) or None, total=int(size) if size is not None else None)


class StoreAnswer:
    """The object from a byte on; as `web.Answer`."""

    is_past_end = False

    def __init__(
        self,
        label: str,
        errors: _StoreErrors,
        files: Any,
        path: str,
        stream: Any,
        start: int,
        identity: Identity,
    ) -> None:
        self._label, self._errors = label, errors
        self._files, self._path, self._stream = files, path, stream
        self.start = start
        self.has_range = start > 0
        self.identity = identity
        self.is_delimited = identity.total is not None
        self._left = None if identity.total is None else identity.total - start

    def read(self, most: int) -> bytes:
        """Return the next bytes; none at the end. As `web.Answer.read`."""
        with self._errors:
            block: bytes = self._stream.read(most)
            if not block:
                # A store reads in several requests: the object must be the same behind the last.
                if _identity(self._files, self._path) != self.identity:
                    raise SourceChangedError(
                        f"{self._label}: the object was replaced while it was read.",
                        path=self._label,
                    )
                if self._left:
                    raise SourceUnavailableError(
                        f"{self._label}: the store's answer ends {self._left} bytes too early.",
                        path=self._label,
                    )
        if self._left is not None:
            self._left -= len(block)
        return block

    def close(self) -> None:
        """Close the file."""
        with suppress(Exception):
            self._stream.close()

    def __enter__(self) -> StoreAnswer:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class _StoreErrors:
    """Turns what a store raises into our errors; what holds a secret is left out of them."""

    def __init__(self, label: str, secrets: frozenset[str]) -> None:
        self._label = label
        self._secrets = secrets

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        # A wrong option is the caller's and is told as it is.
        passed = (SourceReadError, TypeError, ValueError)
        if not isinstance(error, Exception) or isinstance(error, passed):
            return
        cause = None if any(secret in repr(error) for secret in self._secrets) else error
        if isinstance(error, ImportError):
            raise ImportError(
                f"{self._label}: fsspec needs a package for this address that is not installed"
            ) from cause
        made = SourceReadError
        if isinstance(error, FileNotFoundError):
            made = SourceNotFoundError
        elif isinstance(error, PermissionError):
            made = SourcePermissionError
        elif isinstance(error, ConnectionError | TimeoutError) or not isinstance(error, OSError):
            made = SourceUnavailableError  # Clients of stores have their own network errors.
        number = {"errno": error.errno} if isinstance(error, OSError) and error.errno else {}
        words = f": {error}" if cause is not None else ""
        raise made(
            f"{self._label}: the store failed: {type(error).__name__}{words}.",
            path=self._label,
            **number,
        ) from cause


def _secrets_of(url: str, options: Mapping[str, Any]) -> frozenset[str]:
    """Return what must not be shown: user, password and query of the URL, and texts among options.

    Short ones, such as "true" or a region, would hide more than they protect.
    """
    parts = urlsplit(url)
    found = [parts.username, parts.password, parts.query]
    left = list(options.values())
    while left:
        each = left.pop()
        if isinstance(each, Mapping):
            left += each.values()
        else:
            found.append(each)
    return frozenset(each for each in found if isinstance(each, str) and len(each) >= 8)
