"""One source at several addresses."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from .address import scheme_of
from .health import Host, HostHealth, merged
from .options import RemoteOptions
from .remote import Endpoint, Place, RemoteStream

__all__ = ["Mirror", "open_url"]

_NEEDED = {"http": ("tenacity", "urllib3"), "https": ("tenacity", "urllib3")}


class Mirror:
    """One source that lies at several addresses.

    The first address is asked as long as its host's circuit is closed (see
    `recovery.CircuitBreaker`), then the next; the first is probed once its cool-down is over. A
    switch happens between two requests. Another address continues a stream that has begun only
    where length and a strong checksum agree, or `md5` or `sha256` was given; otherwise it is
    fetched from its first byte and compared, and another content raises `SourceChangedError`.

    A mirror can be read any number of times, alone or in a list of sources, and remembers how its
    hosts have served.

    Parameters
    ----------
    url, *others : str
        Where the same bytes lie, best first.
    md5, sha256 : str, optional
        Checksum of the bytes as they lie there, in hexadecimal digits.
    **storage_options
        As ``storage_options`` of `read_fastq`; see `RemoteOptions`.

    Attributes
    ----------
    hosts : tuple of HostHealth
        How the hosts have served, in the order of the addresses.

    Raises
    ------
    ImportError
        A package of the extra ``remote`` is missing.
    TypeError, ValueError
        An address or an option makes no sense.

    Examples
    --------
    >>> import genomevedic as gv
    >>> source = gv.sources.Mirror("https://one.example/r.fastq.gz", "https://two.example/r.fq.gz")
    >>> source
    <Mirror of https://one.example/r.fastq.gz and 1 more>
    >>> source.hosts[1].state
    'closed'
    """

    def __init__(
        self,
        url: str,
        *others: str,
        md5: str | None = None,
        sha256: str | None = None,
        **storage_options: Any,
    ) -> None:
        sums = {"md5": md5, "sha256": sha256}
        given = {name: value for name, value in sums.items() if value is not None}
        made = [_endpoint(each, {**storage_options, **given}) for each in (url, *others)]
        self._endpoints = [endpoint for endpoint, _ in made]
        self._options = options = made[0][1]
        names = dict.fromkeys(endpoint.host for endpoint in self._endpoints)
        self._hosts = {name: Host(name, options) for name in names}

    def open_stream(self) -> RemoteStream:
        """Return a new stream of the bytes; nothing is fetched before it is read."""
        places = [Place(each, self._hosts[each.host]) for each in self._endpoints]
        return RemoteStream(places, self._options)

    @property
    def hosts(self) -> tuple[HostHealth, ...]:
        """How the hosts have served."""
        return merged(self._hosts.values())

    def __repr__(self) -> str:
        more = len(self._endpoints) - 1
        return f"<Mirror of {self._endpoints[0].label}{f' and {more} more' if more else ''}>"


def open_url(url: str, storage_options: Mapping[str, Any] | None = None) -> RemoteStream:
    """Return a stream of the bytes at a URL, which is a binary file object.

    Parameters
    ----------
    url : str
        Of http, https, or a store that fsspec knows.
    storage_options : mapping, optional
        As of `read_fastq`.

    Returns
    -------
    RemoteStream
        Nothing is fetched before it is read.

    Raises
    ------
    ImportError
        A package of the extra ``remote`` is missing.
    TypeError, ValueError
        The address or an option makes no sense.

    Examples
    --------
    >>> import genomevedic as gv
    >>> stream = gv.sources.open_url("https://user:secret@host.example/reads.fastq?token=1")
    >>> stream.name, stream.size
    ('https://host.example/reads.fastq?...', None)
    >>> stream.close()
    """
    return Mirror(url, **dict(storage_options or {})).open_stream()


def _endpoint(url: str, given: Mapping[str, Any]) -> tuple[Endpoint, RemoteOptions]:
    if not isinstance(url, str):
        raise TypeError(f"an address is a str, not {type(url).__name__}")
    scheme = scheme_of(url)
    if scheme is None:
        raise ValueError(f"{url!r} is no address: it has no scheme, such as https://")
    missing = [
        name
        for name in _NEEDED.get(scheme, ("tenacity", "urllib3", "fsspec"))
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise ImportError(
            f"{scheme}:// needs {' and '.join(missing)}; install with: "
            'pip install "genomevedic[remote]"'
        )
    if scheme in ("http", "https"):
        from .web import WebEndpoint

        options = RemoteOptions.of(given)
        return WebEndpoint(url, options), options
    from .store import StoreEndpoint

    options, store_options = RemoteOptions.split(given)
    return StoreEndpoint(url, store_options), options
