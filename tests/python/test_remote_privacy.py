"""What remote sources show and to whom they go: secrets, redirects, private addresses."""

from __future__ import annotations

import logging
import pickle

import pytest

import genomevedic as gv
from faulty_server import FaultyServer, Reply, honest
from genomevedic.errors import SourceReadError, SourceUnavailableError
from genomevedic.sources import address
from remote_support import TAGGED, TEXT, fetch, options


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/r.fastq", "https://a.example/r.fastq"),
        ("https://me:s3cret@a.example:81/r.fq?sig=s3cret#s3cret", "https://a.example:81/r.fq?..."),
        ("https://me:s3@cret@a.example/r@2.fq", "https://a.example/r@2.fq"),
        ("s3://key:s3cret@bucket/r.fq", "s3://bucket/r.fq"),
        ("https://me:s3cret@a.example?s3cret", "https://a.example?..."),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str) -> None:
    assert address.redact(url) == shown


def test_no_secret_in_errors_logs_or_pickles(
    server: FaultyServer, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.url.replace("://", "://me:s3cret@") + path + "?signature=s3cret"
    headers = {"Authorization": "Bearer s3cret", "Cookie": "s3cret"}
    server.serve(path, lambda r: honest(TAGGED, r).but(stop_after=100 if r.number == 0 else 0))
    with pytest.raises(SourceUnavailableError) as caught:
        gv.read_fastq(url, storage_options=options(headers=headers))
    error: BaseException | None = caught.value
    seen = []
    while error is not None:
        seen += [str(error), repr(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or error.__context__
    seen += [record.getMessage() + repr(vars(record)) for record in caplog.records]
    seen.append(repr(pickle.dumps(caught.value)))
    seen.append(repr(gv.sources.Mirror(url, headers=headers).hosts))
    assert len(caplog.records) > 4
    assert not [text for text in seen if "s3cret" in text]
    assert server.requests(path)[0].headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("value", ["s3cret\r\nX: y", "s3crét"])
def test_a_header_that_cannot_be_is_named_without_its_value(value: str) -> None:
    with pytest.raises(ValueError, match="X-Token") as caught:
        gv.sources.open_url("http://a.example/", {"headers": {"X-Token": value}})
    assert "s3cr" not in str(caught.value)


def test_user_and_password_become_a_header(server: FaultyServer, path: str) -> None:
    server.serve(path, TAGGED)
    fetch(server.url.replace("://", "://me:pass%20word@") + path)
    assert server.requests(path)[0].headers["authorization"] == "Basic bWU6cGFzcyB3b3Jk"


def test_credentials_do_not_follow_a_redirect_to_another_host(
    server: FaultyServer, path: str
) -> None:
    with FaultyServer() as other:
        elsewhere = other.serve(path, TAGGED)
        there = Reply(307, {"Location": elsewhere, "Content-Length": "0"})
        here = Reply(302, {"Location": f"{path}/here", "Content-Length": "0"})
        server.serve(path, lambda request: here)
        server.serve(f"{path}/here", lambda request: there)
        headers = {"Authorization": "Bearer x", "Cookie": "y", "X-Key": "z", "Accept": "text/*"}
        assert fetch(server.url + path, headers=headers) == TEXT
        assert server.requests(f"{path}/here")[0].headers["cookie"] == "y"
        (request,) = other.requests(path)
        for name in ("authorization", "cookie", "x-key"):  # Any header may be a key.
            assert name not in request.headers
        assert request.headers["accept"] == "text/*"


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://a.example/x", "http://:80", "data:,x"]
)
def test_redirects_lead_to_http_only(server: FaultyServer, path: str, location: str) -> None:
    url = server.serve(path, lambda request: Reply(301, {"Location": location}))
    with pytest.raises(SourceReadError, match="redirect leads to what is not followed"):
        fetch(url)


def test_redirects_end(server: FaultyServer, path: str) -> None:
    url = server.serve(path, lambda request: Reply(301, {"Location": request.path}))
    with pytest.raises(SourceReadError, match="in a circle, or too far"):
        fetch(url)
    assert len(server.requests(path)) == 1
    server.forget(path)
    url = server.serve(path, lambda r: Reply(301, {"Location": f"{path}?{r.number}"}))
    with pytest.raises(SourceReadError, match="in a circle, or too far"):
        fetch(url)
    assert len(server.requests(path)) == 11


@pytest.mark.parametrize("allowed", [False, True])
def test_a_redirect_into_a_private_network(
    server: FaultyServer, path: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 127.0.0.1 plays the public address.
    monkeypatch.setattr(address, "is_private", lambda found: found != "127.0.0.1")
    with FaultyServer("127.0.0.2") as inner:
        inside = inner.serve(path, TAGGED)
        url = server.serve(path, lambda request: Reply(302, {"Location": inside}))
        if allowed:
            assert fetch(url, allow_private=True) == TEXT
        else:
            with pytest.raises(SourceReadError, match="private network"):
                fetch(url)
            assert inner.log == []
        # Whoever names a private address means it, and where that leads.
        back = inner.serve("/back", lambda request: Reply(302, {"Location": inside}))
        assert fetch(back) == TEXT


def test_private_addresses() -> None:
    private = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.9", "169.254.169.254", "::1"]
    private += ["2002:7f00:1::", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe"]  # Through gateways.
    private += ["fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0", "100.64.0.1", "224.0.0.1"]
    assert all(map(address.is_private, private))
    assert not any(map(address.is_private, ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]))


def test_addresses() -> None:
    found = address.Address.parse("HTTPS://Me:p%40ss@Host.Example:8443/a b/ü?x=1 2#frag")
    assert (found.scheme, found.host, found.port) == ("https", "host.example", 8443)
    assert found.target == "/a%20b/%C3%BC?x=1%202"
    assert found.authorization == "Basic TWU6cEBzcw=="
    assert found.origin == "https://host.example:8443"
    assert "p%40ss" not in repr(found) and "TWU6" not in repr(found)
    assert address.Address.parse("http://[::1]/").origin == "http://[::1]"
    assert found.redirected("../c?y").target == "/c?y"
    for wrong in ("http://", "http:///x", "http://a b/", "http://a:x/", "http://[::1/", "ftp://a/"):
        with pytest.raises(ValueError, match="address"):
            address.Address.parse(wrong)
