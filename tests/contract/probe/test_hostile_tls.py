"""Certificates and TLS that clients refuse: why, and what the certificate says, is told."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.credential import ANONYMOUS, Credential
from lookout.probe.result import ProbeResult

from tests.contract.probe.probing import SLACK_S, UP, Verdict, answer, measured, on_list, probe, verdict
from tests.servers import hostile as h

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
AUTHORITY = trustme.CA(organization_name="Good Authority")


def serving(leaf: trustme.LeafCert, **options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    for name, value in options.items():
        setattr(context, name, value)
    return context


def trusting(*authorities: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for authority in authorities:
        authority.configure_trust(context)
    return context


def loaded(key: trustme.Blob, certificate: trustme.Blob) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with key.tempfile() as key_file, certificate.tempfile() as certificate_file:
        context.load_cert_chain(certificate_file, key_file)
    return context


def truncated() -> ssl.SSLContext:
    """Issued by an intermediate that is not sent."""
    leaf = AUTHORITY.create_child_ca().issue_cert("localhost")
    return loaded(leaf.private_key_pem, leaf.cert_chain_pems[0])


def self_signed() -> ssl.SSLContext:
    """Of itself: the authority's own certificate, served."""
    authority = trustme.CA(organization_name="Myself")
    return loaded(authority.private_key_pem, authority.cert_pem)


CERTIFICATES: dict[str, tuple[Any, Verdict]] = {
    "good": (lambda: serving(AUTHORITY.issue_cert("localhost")), UP),
    "good, of an intermediate": (lambda: serving(AUTHORITY.create_child_ca().issue_cert("localhost")), UP),
    "expired": (
        lambda: serving(AUTHORITY.issue_cert("localhost", not_before=NOW - 9 * DAY, not_after=NOW - DAY)),
        ("down", "tls", "cert_expired"),
    ),
    "not yet valid": (
        lambda: serving(AUTHORITY.issue_cert("localhost", not_before=NOW + DAY, not_after=NOW + 9 * DAY)),
        ("down", "tls", "cert_not_yet_valid"),
    ),
    "wrong name": (lambda: serving(AUTHORITY.issue_cert("other.example")), ("down", "tls", "cert_wrong_name")),
    "unknown authority": (lambda: serving(trustme.CA().issue_cert("localhost")), ("down", "tls", "cert_untrusted")),
    "self-signed": (self_signed, ("down", "tls", "cert_untrusted")),
    "chain without its intermediate": (truncated, ("down", "tls", "cert_untrusted")),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates(name: str) -> None:
    make, expected = CERTIFICATES[name]
    context = make()
    result = measured(lambda: probe(h.good_modern, tls=context, trust=trusting(AUTHORITY)), 10)
    assert verdict(result) == expected, result.message
    facts = result.tls
    assert facts is not None
    assert facts.not_before is not None
    assert facts.not_after is not None
    assert len(facts.fingerprint) == 64
    assert facts.version == "TLSv1.3"
    if expected == UP:
        assert (facts.names, result.message) == (("localhost",), "")
        assert facts.chain_not_after is not None
        assert set(result.timings_ms) == {"dns", "tcp", "tls", "discover", "tools_list", "total"}
        return
    ends = datetime.datetime.fromtimestamp(facts.not_after, datetime.UTC).date().isoformat()
    assert result.message.startswith("certificate refused: ")
    assert ends in result.message
    for told in facts.names:
        assert told in result.message
    assert facts.issuer.split("O=")[-1][:20] in result.message


def test_the_dates_of_a_refused_certificate_are_its_own() -> None:
    context = serving(AUTHORITY.issue_cert("localhost", not_before=NOW - 9 * DAY, not_after=NOW - DAY))
    facts = probe(h.good_modern, tls=context, trust=trusting(AUTHORITY)).tls
    assert facts is not None
    assert (facts.not_before, facts.not_after) == (
        int((NOW - 9 * DAY).timestamp()),
        int((NOW - DAY).timestamp()),
    )


def test_an_address_that_is_not_in_the_certificate_and_one_that_is() -> None:
    async def go(leaf: trustme.LeafCert) -> ProbeResult:
        async with h.serving(h.good_modern, serving(leaf)) as running:
            return await probe_at(f"https://127.0.0.1:{running.port}/mcp")

    assert verdict(asyncio.run(go(AUTHORITY.issue_cert("localhost")))) == ("down", "tls", "cert_wrong_name")
    good = asyncio.run(go(AUTHORITY.issue_cert("127.0.0.1", "::1")))
    assert verdict(good) == UP
    assert good.tls is not None
    assert good.tls.names == ("127.0.0.1", "::1")


async def probe_at(url: str, timeout_s: int = 5, credential: Credential = ANONYMOUS) -> ProbeResult:
    deadline = asyncio.get_running_loop().time() + 20
    server = Server("x", url, timeout_s=timeout_s, allow_private=True)
    return await probe_server(
        server, deadline=deadline, now_ms=lambda: 0, ssl_context=trusting(AUTHORITY), credential=credential
    )


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_server_of_old_tls_only(version: str) -> None:
    context = serving(AUTHORITY.issue_cert("localhost"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with h.handshaking(context) as port:
        result = measured(lambda: asyncio.run(probe_at(f"https://localhost:{port}/mcp")), 5)
    assert verdict(result) == ("down", "tls", "tls_version"), result.message


def test_tls_1_2_is_spoken() -> None:
    context = serving(AUTHORITY.issue_cert("localhost"), maximum_version=ssl.TLSVersion.TLSv1_2)
    result = probe(h.good_modern, tls=context, trust=trusting(AUTHORITY))
    assert verdict(result) == UP
    assert result.tls is not None
    assert result.tls.version == "TLSv1.2"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate(version: ssl.TLSVersion) -> None:
    context = serving(AUTHORITY.issue_cert("localhost"), maximum_version=version, verify_mode=ssl.CERT_REQUIRED)
    AUTHORITY.configure_trust(context)
    with h.handshaking(context) as port:
        result = asyncio.run(probe_at(f"https://localhost:{port}/mcp"))
        foreign = trusting(AUTHORITY)
        trustme.CA().issue_cert("me@example.org").configure_cert(foreign)
        refused = asyncio.run(probe_at(f"https://localhost:{port}/mcp", credential=Credential(ssl_context=foreign)))
    if version is ssl.TLSVersion.TLSv1_3:
        assert verdict(result) == ("auth_required", "tls", "auth_required"), result.message
    else:  # where the alert does not say why
        assert verdict(result) == ("down", "tls", "tls_failed"), result.message
    mine = trusting(AUTHORITY)
    AUTHORITY.issue_cert("me@example.org").configure_cert(mine)
    assert verdict(probe(h.good_modern, tls=context, credential=Credential(ssl_context=mine))) == UP
    assert verdict(refused) == ("credential_rejected", "tls", "credential_rejected"), refused.message


def test_plain_http_where_tls_is_asked_for() -> None:
    async def go() -> ProbeResult:
        async with h.serving(h.good_modern) as running:
            return await probe_at(running.url.replace("http:", "https:"), timeout_s=1)

    result = asyncio.run(go())
    assert verdict(result) == ("down", "tls", "tls_failed")
    assert "http://" in result.message


def test_a_plain_server_that_answers_with_an_error_where_tls_is_asked_for() -> None:
    async def complain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()

    async def go() -> ProbeResult:
        async with h.listening(complain) as port:
            return await probe_at(f"https://localhost:{port}/mcp")

    result = asyncio.run(go())
    assert verdict(result) == ("down", "tls", "tls_failed")
    assert "not TLS" in result.message


def test_tls_where_plain_http_is_asked_for() -> None:
    async def go() -> ProbeResult:
        async with h.serving(h.good_modern, serving(AUTHORITY.issue_cert("localhost"))) as running:
            return await probe_at(running.url.replace("https:", "http:"))

    result = asyncio.run(go())
    assert verdict(result)[:2] in {("down", "http"), ("down", "tcp")}, result.message
    assert verdict(result)[2] in {"http_protocol", "connection_lost"}


async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x03\x40\x00\x02")
    await asyncio.sleep(60)


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"\x16\x03\x03\x40\x00\x0b\xff\xff\xff" + bytes(16380))
        await writer.drain()


async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"\x15\x03\x03\x00\x02\x02\x28")
    await writer.drain()


@pytest.mark.parametrize("handler", [nothing, gone, half, flood, alert])
def test_a_handshake_that_comes_to_nothing(handler: Any) -> None:
    async def go() -> ProbeResult:
        async with h.listening(handler) as port:
            return await probe_at(f"https://localhost:{port}/mcp", timeout_s=1)

    result = measured(lambda: asyncio.run(go()), 1 + SLACK_S)
    assert verdict(result) == ("down", "tls", "tls_failed"), result.message


def test_the_verdicts_above_the_handshake_are_the_same_in_tls() -> None:
    context, trust = serving(AUTHORITY.issue_cert("localhost")), trusting(AUTHORITY)
    cases: list[tuple[h.Script, Verdict]] = [
        (h.good_legacy, UP),
        (h.OldServer(), UP),
        (answer(500), ("down", "http", "http_5xx")),
        (on_list(answer(200, h.bomb(20), content_encoding="gzip")), ("degraded", "http", "too_large")),
    ]
    for script, expected in cases:
        result = measured(lambda script=script: probe(script, tls=context, trust=trust), 10)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        assert verdict(result) == expected, result.message


def test_a_refused_certificate_is_looked_at_without_a_request() -> None:
    seen: list[Any] = []
    context = serving(trustme.CA().issue_cert("localhost"))
    probe(h.good_modern, tls=context, trust=trusting(AUTHORITY), seen=seen, credential=Credential({"X": "canary"}))
    assert seen == []


def test_nothing_of_a_certificate_is_written(tmp_path: Path) -> None:
    """The name in it is the server's word: tamed like any other."""
    leaf = trustme.CA(organization_name="\x1b]0;owned\x07\u202e").issue_cert("localhost")
    result = measured(lambda: probe(h.good_modern, tls=serving(leaf), trust=trusting(AUTHORITY)), 10)
    assert verdict(result) == ("down", "tls", "cert_untrusted")
    assert result.tls is not None
    assert result.tls.issuer.isprintable()
