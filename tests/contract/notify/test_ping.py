"""The heartbeat's call, as every delivery: one request, no redirect, no private address unless it is allowed."""

from __future__ import annotations

import pytest
from lookout.notify.deliver import ping

from tests.contract.notify.test_deliver import receiving

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK"
MOVED = b"HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/x\r\ncontent-length: 0\r\n\r\n"


def test_it_is_one_get_without_a_body() -> None:
    with receiving(OK) as receiver:
        assert ping(f"http://127.0.0.1:{receiver.port}/ping/6f1d?a=b", True).delivered
    (request,) = receiver.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"GET /ping/6f1d?a=b HTTP/1.1\r\n")
    assert b"user-agent: lookout/" in head.lower()
    assert b"content-length" not in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert body == b""


def test_a_redirect_is_not_followed() -> None:
    with receiving(MOVED) as receiver:
        answer = ping(f"http://127.0.0.1:{receiver.port}/x", True)
    assert (answer.status, answer.delivered) == (301, False)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"])
def test_a_private_address_is_not_called(address: str) -> None:
    with receiving(OK) as receiver:
        answer = ping(f"http://beat.example:{receiver.port}/x", False, resolver=lambda *_: [address])
    assert (answer.status, answer.final) == (None, True)
    assert "address is private" in answer.text
    assert receiver.requests == []
