"""What a server's certificates say. `ssl` decodes only those it trusts; a refused one is read here, from its DER.

X.509 (RFC 5280, 4.1) as far as evidence needs it: names and dates. Whatever cannot be read is absent, never an error.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import ipaddress
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from lookout.probe.quoting import quote
from lookout.probe.result import TlsFacts

CERTIFICATE_LIMIT: Final = 64 * 1024
CHAIN_LIMIT: Final = 10
NAMES_LIMIT: Final = 20
ITEMS_LIMIT: Final = 5000
_DER: Final = 2
_SEQUENCE, _UTC, _GENERALIZED, _CONTEXT_0, _CONTEXT_3 = 0x30, 0x17, 0x18, 0xA0, 0xA3
_DNS_NAME, _ADDRESS = 0x82, 0x87
_ENCODINGS: Final = {0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x14: "latin-1"}
"""Of a name's text by its tag: BMPString, UniversalString, TeletexString as it is used; UTF-8 else."""
_SAN: Final = bytes.fromhex("551d11")
_NAMES: Final = {bytes.fromhex("550403"): "CN", bytes.fromhex("55040a"): "O", bytes.fromhex("550406"): "C"}


def facts(session: Any) -> TlsFacts:
    """Of a handshake that succeeded (an `ssl.SSLObject`); of a refused certificate too, where it was not verified."""
    leaf: bytes = session.getpeercert(binary_form=True) or b""
    chain = tuple(_chain(session)) or ((leaf,) if leaf else ())
    cipher = session.cipher()
    return _facts(session.version() or "", cipher[0] if cipher else "", chain)


def not_after(der: bytes) -> int | None:
    """The end of one certificate, unix seconds; None where it cannot be read."""
    end: int | None = _read(der).get("not_after")
    return end


@lru_cache(maxsize=64)
def _facts(version: str, cipher: str, chain: tuple[bytes, ...]) -> TlsFacts:
    read = [_read(der) for der in chain[:CHAIN_LIMIT]]
    leaf = read[0] if read else {}
    ends = [item["not_after"] for item in read if item.get("not_after") is not None]
    return TlsFacts(
        version=version,
        cipher=cipher,
        subject=leaf.get("subject", ""),
        issuer=leaf.get("issuer", ""),
        not_before=leaf.get("not_before"),
        not_after=leaf.get("not_after"),
        names=tuple(leaf.get("names", ())),
        fingerprint=hashlib.sha256(chain[0]).hexdigest() if chain else "",
        chain=tuple(item.get("subject", "") for item in read),
        chain_not_after=min(ends, default=None),
    )


def _chain(session: Any) -> Iterator[bytes]:
    """The certificates the server sent, leaf first. Public since Python 3.13; before, one attribute further in."""
    read = getattr(session, "get_unverified_chain", None)
    if read is not None:
        yield from read() or ()
        return
    inner = getattr(getattr(session, "_sslobj", None), "get_unverified_chain", None)
    for certificate in (inner() if inner is not None else None) or ():
        yield certificate.public_bytes(_DER)


@lru_cache(maxsize=64)
def _read(der: bytes) -> dict[str, Any]:
    out: dict[str, Any] = {}
    try:
        if len(der) > CERTIFICATE_LIMIT:
            return out
        (_, certificate), *_rest = _items(der)
        (_, to_be_signed), *_rest = _items(certificate)
        fields = [item for item in _items(to_be_signed) if item[0] != _CONTEXT_0]
        _, _, (_, issuer), (_, validity), (_, subject), *rest = fields
        begin, end, *_rest = _items(validity)
    except ValueError:
        return out
    _keep(out, "issuer", lambda: _name(issuer))
    _keep(out, "subject", lambda: _name(subject))
    _keep(out, "not_before", lambda: _time(*begin))
    _keep(out, "not_after", lambda: _time(*end))
    _keep(out, "names", lambda: [n for kind, v in rest if kind == _CONTEXT_3 for n in _alternatives(v)][:NAMES_LIMIT])
    return out


def _keep(out: dict[str, Any], key: str, read: Callable[[], Any]) -> None:
    with contextlib.suppress(ValueError):
        out[key] = read()


def _items(data: bytes) -> list[tuple[int, bytes]]:
    """(tag, contents) of each element of a DER sequence's contents. Raises ValueError."""
    out: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data) or len(out) >= ITEMS_LIMIT:
            raise ValueError("not DER")
        tag, length, at = data[at], data[at + 1], at + 2
        if length >= 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise ValueError("not DER")
            length, at = int.from_bytes(data[at : at + count], "big"), at + count
        if at + length > len(data):
            raise ValueError("not DER")
        out.append((tag, data[at : at + length]))
        at += length
    return out


def _name(data: bytes) -> str:
    parts = []
    for _, relative in _items(data):
        for _, pair in _items(relative):
            (_, oid), (kind, value) = _items(pair)
            if oid in _NAMES:
                parts.append(f"{_NAMES[oid]}={value.decode(_ENCODINGS.get(kind, 'utf-8'), 'replace')}")
    return quote(", ".join(parts), 200)


def _time(kind: int, value: bytes) -> int | None:
    text = value.decode("ascii", "replace")
    form = {_UTC: "%y%m%d%H%M%SZ", _GENERALIZED: "%Y%m%d%H%M%SZ"}.get(kind)
    if form is None:
        return None
    moment = datetime.datetime.strptime(text, form).replace(tzinfo=datetime.UTC)
    if kind == _UTC and moment.year >= 2050:
        moment = moment.replace(year=moment.year - 100)
    return int(moment.timestamp())


def _alternatives(extensions: bytes) -> Iterator[str]:
    for _, sequence in _items(extensions):
        for kind, extension in _items(sequence):
            parts = _items(extension) if kind == _SEQUENCE else []
            if parts and parts[0][1] == _SAN:
                for _, names in _items(parts[-1][1]):
                    yield from (_alternative(k, v) for k, v in _items(names) if k in (_DNS_NAME, _ADDRESS))


def _alternative(kind: int, value: bytes) -> str:
    if kind == _ADDRESS:
        return str(ipaddress.ip_address(value)) if len(value) in (4, 16) else value.hex()[:100]
    return quote(value.decode("latin-1"), 100)
