"""What counts as public does not depend on the Python it runs on: 3.11 here, 3.13 in Lambda."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.net import public_address

PRIVATE_V4 = (
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
)
PRIVATE_V6 = (
    "::",
    "::1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
)
PUBLIC = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1")


@pytest.mark.parametrize("address", [*PRIVATE_V4, *PRIVATE_V6])
def test_refused(address: str) -> None:
    assert not public_address(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert public_address(address)


def wrapped(address: str) -> list[str]:
    """The same IPv4 address in every IPv6 form that leads to it."""
    number = int(ipaddress.IPv4Address(address))
    flipped = number ^ 0xFFFFFFFF
    return [
        f"::ffff:{address}",
        f"::{address}",
        str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | number)),
        str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("2002::")) | number << 80)),
        str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("2001::")) | flipped)),
    ]


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_the_same_in_whatever_it_is_wrapped(address: ipaddress.IPv4Address) -> None:
    alone = public_address(str(address))
    assert [public_address(form) for form in wrapped(str(address))] == [alone] * 5


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f.1"])
def test_what_is_no_address_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        public_address(text)
