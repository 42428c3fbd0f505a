"""Addresses of remote sources: taken apart, shown without secrets, and told private from public."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urljoin, urlsplit

__all__ = ["Address", "is_private", "redact", "scheme_of"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:::[^/]*)?://")
_HOST = re.compile(r"[A-Za-z0-9._~-]+|[0-9A-Fa-f:.%]+")
_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# What may stand in a path or a query as it is; '%' so that what is encoded stays as it is.
_SAFE = "!$%&'()*+,-./:;=?@_~[]"


def scheme_of(text: str) -> str | None:
    """Return the scheme of a URL in lower case; None of what is no URL, such as a path."""
    match = _SCHEME.match(text)
    return match[1].lower() if match else None


def redact(url: str) -> str:
    """Return a URL as messages may show it: no user, no password, no query, no fragment."""
    before, separator, rest = url.partition("://")
    ends = [at for at in map(rest.find, "/?#") if at >= 0]
    end = min(ends, default=len(rest))
    # A password may itself hold any sign, so the host begins behind the last '@' of its part.
    host = rest[:end].rpartition("@")[2]
    path, query, _ = rest[end:].partition("#")[0].partition("?")
    return f"{before}{separator}{host}{path}{'?...' if query else ''}"


def is_private(address: str) -> bool:
    """Return whether an IP address is of no public network: loopback, link-local, private."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = _inner(parsed) if isinstance(parsed, ipaddress.IPv6Address) else None
    if inner is not None:
        parsed = inner
    return not parsed.is_global or parsed.is_multicast


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the address that one of IPv6 stands for, or leads to through a gateway."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


@dataclass(frozen=True)
class Address:
    """A URL of http or https, taken apart.

    Attributes
    ----------
    scheme, host, port, target : str, str, int, str
        Where to connect, and what to ask for: path and query.
    authorization : str or None
        The header that its user and password become.
    label : str
        The URL as messages may show it.
    """

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)
    authorization: str | None = field(repr=False)
    label: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take a URL apart.

        Raises
        ------
        ValueError
            It is none of http or https, or damaged; no secret is in the message.
        """
        label = redact(url)
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
            if host is not None and not host.isascii():
                host = host.encode("idna").decode("ascii")
        except ValueError:  # A UnicodeError is one.
            raise ValueError(f"{label}: the address is damaged") from None
        if parts.scheme not in _PORTS:
            raise ValueError(f"{label}: an address of http or https is needed")
        if not host or not _HOST.fullmatch(host) or port == 0:
            raise ValueError(f"{label}: the address has no sound host")
        target = quote(parts.path or "/", safe=_SAFE)
        if parts.query:
            target += "?" + quote(parts.query, safe=_SAFE)
        return cls(
            scheme=parts.scheme,
            host=host,
            port=_PORTS[parts.scheme] if port is None else port,
            target=target,
            authorization=_basic(parts.username, parts.password),
            label=label,
        )

    @property
    def origin(self) -> str:
        """Scheme, host and port: whom credentials are for, and whose health is kept."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    def redirected(self, location: str) -> Address:
        """Return where a redirect leads.

        Raises
        ------
        ValueError
            As `parse`.
        """
        return Address.parse(urljoin(self.origin + self.target, location))


def _basic(user: str | None, password: str | None) -> str | None:
    if user is None:
        return None
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")
