"""Names and dates of certificates, read by our own DER reader and by `cryptography`: the same, or nothing."""

from __future__ import annotations

import datetime
import ipaddress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lookout.probe import certificate
from lookout.probe.result import TlsFacts

KEY = ec.generate_private_key(ec.SECP256R1())
NOW = datetime.datetime(2026, 11, 25, 12, 0, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
DER = serialization.Encoding.DER


def name(**parts: str) -> x509.Name:
    kinds = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "C": NameOID.COUNTRY_NAME}
    return x509.Name([x509.NameAttribute(kinds[key], value) for key, value in parts.items()])


def issued(
    subject: x509.Name | None = None,
    names: list[x509.GeneralName] | None = None,
    begin: datetime.datetime = NOW,
    end: datetime.datetime = NOW + 90 * DAY,
    critical: bool = False,
) -> bytes:
    builder = x509.CertificateBuilder(
        issuer_name=name(C="DE", O="Authority", CN="Root"),
        subject_name=subject or name(CN="mcp.example"),
        public_key=KEY.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=begin,
        not_valid_after=end,
    ).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=critical)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(DER)


def dns(*hosts: str) -> list[x509.GeneralName]:
    return [x509.DNSName(host) for host in hosts]


class Handshake:
    """What `facts` asks of an `ssl.SSLObject`."""

    def __init__(self, *chain: bytes) -> None:
        self.chain = chain

    def getpeercert(self, binary_form: bool) -> bytes | None:
        return self.chain[0] if self.chain else None

    def get_unverified_chain(self) -> list[bytes]:
        return list(self.chain)

    def cipher(self) -> tuple[str, str, int] | None:
        return ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256) if self.chain else None

    def version(self) -> str | None:
        return "TLSv1.3"


def facts(*chain: bytes) -> TlsFacts:
    return certificate.facts(Handshake(*chain))


def told(der: bytes) -> dict[str, Any]:
    """The same of `cryptography`."""
    read = x509.load_der_x509_certificate(der)
    try:
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [str(each.value) for each in found if isinstance(each, x509.DNSName | x509.IPAddress)]
    except x509.ExtensionNotFound:
        names = []
    return {
        "subject": [
            attribute.value for attribute in read.subject if attribute.rfc4514_attribute_name in ("CN", "O", "C")
        ],
        "not_before": int(read.not_valid_before_utc.timestamp()),
        "not_after": int(read.not_valid_after_utc.timestamp()),
        "names": names,
        "fingerprint": read.fingerprint(hashes.SHA256()).hex(),
    }


CERTIFICATES = {
    "one name": issued(names=dns("mcp.example")),
    "many names": issued(names=dns(*(f"h{i}.example" for i in range(20)))),
    "a wildcard": issued(names=dns("*.example")),
    "addresses": issued(
        names=[
            x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
            x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
            *dns("mcp.example"),
        ]
    ),
    "other kinds of names": issued(
        names=[x509.RFC822Name("a@b.example"), x509.UniformResourceIdentifier("https://x.example"), *dns("y.example")]
    ),
    "a critical extension": issued(names=dns("mcp.example"), critical=True),
    "no names": issued(),
    "no subject": issued(subject=x509.Name([]), names=dns("mcp.example")),
    "unicode": issued(subject=name(CN="Münchën 東京 🏯", O="Ærøskøbing A/S", C="DK")),
    "after 2050": issued(end=datetime.datetime(2055, 6, 1, tzinfo=datetime.UTC)),
    "both after 2050": issued(
        begin=datetime.datetime(2050, 1, 1, tzinfo=datetime.UTC), end=datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)
    ),
    "the last second before 2050": issued(end=datetime.datetime(2049, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)),
    "never ends": issued(end=datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)),
    "of the last century": issued(
        begin=datetime.datetime(1950, 1, 1, tzinfo=datetime.UTC), end=datetime.datetime(1999, 1, 1, tzinfo=datetime.UTC)
    ),
}


@pytest.mark.parametrize("which", CERTIFICATES)
def test_the_same_as_cryptography(which: str) -> None:
    der = CERTIFICATES[which]
    mine, other = facts(der), told(der)
    assert (mine.not_before, mine.not_after) == (other["not_before"], other["not_after"])
    assert list(mine.names) == other["names"]
    assert mine.fingerprint == other["fingerprint"]
    for value in other["subject"]:
        assert value in mine.subject
    assert mine.issuer == "C=DE, O=Authority, CN=Root"
    assert certificate.not_after(der) == other["not_after"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.from_regex(r"[a-z]{1,20}\.example", fullmatch=True), max_size=30),
    st.datetimes(datetime.datetime(1950, 1, 1), datetime.datetime(2199, 1, 1)),
    st.integers(1, 100_000),
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=16),
)
def test_the_same_as_cryptography_whatever_is_in_it(
    hosts: list[str], begin: datetime.datetime, seconds: int, common: str
) -> None:
    start = begin.replace(microsecond=0, tzinfo=datetime.UTC)
    der = issued(name(CN=common), dns(*hosts) or None, start, start + datetime.timedelta(seconds=seconds))
    mine, other = facts(der), told(der)
    assert (mine.not_before, mine.not_after) == (other["not_before"], other["not_after"])
    assert list(mine.names) == other["names"][:20]
    assert mine.subject == f"CN={common}"


def test_text_of_older_kinds() -> None:
    """BMPString, UniversalString and TeletexString, as old authorities write them."""
    der = CERTIFICATES["one name"]
    plain = bytes((0x0C, 4)) + b"Root"
    assert plain in der
    for kind, data in ((0x1E, b"\0R\0o"), (0x1C, b"\0\0\0R"), (0x14, b"R\xf6ot")):
        changed = der.replace(plain, bytes((kind, 4)) + data)
        assert facts(changed).issuer in (
            "C=DE, O=Authority, CN=Ro",
            "C=DE, O=Authority, CN=R",
            "C=DE, O=Authority, CN=Röot",
        )


def test_what_cannot_be_read_hides_nothing_else() -> None:
    der = CERTIFICATES["one name"]
    ends = b"\x17\x0d270223120000Z"
    assert ends in der
    mine = facts(der.replace(ends, b"\x17\x0d279923120000Z"))
    assert mine.not_after is None
    assert mine.not_before == int(NOW.timestamp())
    assert (mine.names, mine.subject) == (("mcp.example",), "CN=mcp.example")


def test_a_chain_ends_when_the_first_of_it_does() -> None:
    leaf, between = issued(end=NOW + 90 * DAY), issued(name(CN="Between"), end=NOW + 9 * DAY)
    mine = facts(leaf, between)
    assert mine.chain == ("CN=mcp.example", "CN=Between")
    assert mine.chain_not_after == mine.first_not_after == int((NOW + 9 * DAY).timestamp())
    assert mine.not_after == int((NOW + 90 * DAY).timestamp())


def test_no_certificate_at_all() -> None:
    assert facts() == TlsFacts(version="TLSv1.3")


def test_a_chain_is_read_so_far_and_no_further() -> None:
    assert len(facts(*[CERTIFICATES["one name"]] * 50).chain) == certificate.CHAIN_LIMIT


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(CERTIFICATES)),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, 2000),
)
def test_a_mutated_certificate_is_read_or_not_and_never_an_error(
    which: str, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(CERTIFICATES[which])
    for place, byte in changes:
        data[place % len(data)] = byte
    for der in (bytes(data), bytes(data[: length % (len(data) + 1)])):
        _bounded(facts(der))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_not_and_never_an_error(data: bytes) -> None:
    _bounded(facts(data))
    _bounded(facts(b"\x30\x82" + len(data).to_bytes(2, "big") + data))


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\x80" + bytes(1000),
        b"\x30\x84\xff\xff\xff\xff" + bytes(1000),
        b"\x30\x83\x00\xff\x00" + b"\x30\x00" * 32_640,
        bytes(200_000),
        b"\x30" * 60_000,
        b"\x30\x85" + bytes(100),
    ],
)
def test_what_was_made_to_cost_much_costs_little(data: bytes) -> None:
    _bounded(facts(data))


def _bounded(mine: TlsFacts) -> None:
    assert len(mine.subject) <= 200
    assert len(mine.issuer) <= 200
    assert len(mine.names) <= 20
    assert all(len(each) <= 100 and each.isprintable() for each in (*mine.names,))
    assert mine.subject.isprintable()
    assert mine.issuer.isprintable()
