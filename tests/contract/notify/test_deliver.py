"""Delivery against receivers on the loopback that behave, misbehave, and mean ill."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate

import pytest
import trustme
from lookout.net import public_address
from lookout.notify.deliver import ANSWER_LIMIT, deliver
from lookout.notify.request import HttpRequest
from lookout.notify.retry import Answer

Script = Callable[[socket.socket], None]
OK = b"HTTP/1.1 202 Accepted\r\ncontent-length: 8\r\n\r\naccepted"


class Receiver:
    """Listens on a free port; every connection is read to the end of its request, then `script` has it."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.requests: list[bytes] = []
        self._script, self._context = script, context
        self._listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port: int = self._listener.getsockname()[1]
        self._done = threading.Event()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._done.is_set():
            connection, _ = self._listener.accept()
            self._open.append(connection)
            if not self._done.is_set():
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self.requests.append(_request(connection))
            self._script(connection)
        except OSError:  # the client went away, as some of these tests want
            pass

    def wait(self, seconds: float) -> None:
        """Until the test is over, at most `seconds`."""
        self._done.wait(seconds)

    def close(self) -> None:
        self._done.set()
        with socket.create_connection(self._listener.getsockname()[:2]):
            self._thread.join(10)
        for connection in self._open:
            connection.close()
        self._listener.close()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(v) for k, v in _headers(head).items() if k == "content-length"), 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}


@contextmanager
def receiving(
    answer: bytes | Script, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[Receiver]:
    def say(connection: socket.socket) -> None:
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)

    receiver = Receiver(say, context, host)
    try:
        yield receiver
    finally:
        receiver.close()


def send(port: int, path: str = "/hook", host: str = "127.0.0.1", timeout_s: float = 5.0) -> Answer:
    request = HttpRequest(
        f"http://{host}:{port}{path}", {"content-type": "application/json", "webhook-id": "evt_1"}, b'{"a":1}'
    )
    return deliver(request, allow_private=True, timeout_s=timeout_s)


def test_what_arrives_is_the_request() -> None:
    with receiving(OK) as receiver:
        answer = send(receiver.port, "/hook?a=b")
    assert answer == Answer(202, "accepted")
    assert answer.delivered
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /hook?a=b HTTP/1.1"
    assert body == b'{"a":1}'
    assert _headers(head) == {
        "host": f"127.0.0.1:{receiver.port}",
        "connection": "close",
        "content-type": "application/json",
        "webhook-id": "evt_1",
        "content-length": "7",
    }


def test_an_address_without_a_path() -> None:
    with receiving(OK) as receiver:
        assert send(receiver.port, "").delivered
    assert receiver.requests[0].startswith(b"POST / HTTP/1.1\r\n")


def test_what_a_receiver_repeats_of_a_credential_is_left_out() -> None:
    said = b"key r3levant is wrong, Bearer t0ken-of-ours is wrong, X-Key: s3cret-header is wrong"
    with receiving(b"HTTP/1.1 401 X\r\ncontent-length: %d\r\n\r\n%s" % (len(said), said)) as receiver:
        headers = {
            "authorization": "Bearer t0ken-of-ours",
            "X-Key": "s3cret-header",
            "content-type": "application/json",
        }
        request = HttpRequest(f"http://127.0.0.1:{receiver.port}/", headers, b"{}", secrets=("r3levant",))
        answer = deliver(request, allow_private=True, timeout_s=5)
    assert answer.text == "key […] is wrong, […] is wrong, X-Key: […] is wrong"
    assert answer.body == said
    assert "t0ken" not in repr(answer)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    with receiving(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status) as receiver:
        assert send(receiver.port).delivered


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_is_worth_another_attempt(status: int) -> None:
    with receiving(b"HTTP/1.1 %d X\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nbusy" % status) as receiver:
        answer = send(receiver.port)
    assert answer == Answer(status, "busy", 7)
    assert answer.retryable


@pytest.mark.parametrize("status", [300, 304, 400, 401, 403, 404, 410, 422])
def test_what_is_final(status: int) -> None:
    with receiving(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status) as receiver:
        answer = send(receiver.port)
    assert not answer.delivered
    assert not answer.retryable


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with receiving(OK) as elsewhere:
        location = b"location: http://127.0.0.1:%d/stolen\r\n" % elsewhere.port
        with receiving(b"HTTP/1.1 %d X\r\n%scontent-length: 0\r\n\r\n" % (status, location)) as receiver:
            answer = send(receiver.port)
    assert answer.status == status
    assert not answer.retryable
    assert elsewhere.requests == []


def test_retry_after_as_a_date() -> None:
    when = formatdate(time.time() + 120, usegmt=True).encode()
    with receiving(b"HTTP/1.1 503 X\r\nretry-after: %s\r\ncontent-length: 0\r\n\r\n" % when) as receiver:
        answer = send(receiver.port)
    assert answer.retry_after_s is not None
    assert 110 <= answer.retry_after_s <= 121


def test_a_receiver_that_says_nothing() -> None:
    with receiving(lambda _: receiver.wait(10)) as receiver:
        begin = time.monotonic()
        answer = send(receiver.port, timeout_s=0.3)
        assert time.monotonic() - begin < 3
    assert answer == Answer(None, "the receiver did not answer within 0.3 s")
    assert answer.retryable


def test_a_receiver_that_drips_cannot_hold_us_longer_than_the_deadline() -> None:
    def drip(connection: socket.socket) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 1000:
            connection.sendall(bytes([byte]))
            receiver.wait(0.05)

    with receiving(drip) as receiver:
        begin = time.monotonic()
        answer = send(receiver.port, timeout_s=0.4)
        assert time.monotonic() - begin < 3
    assert answer == Answer(None, "the receiver did not answer within 0.4 s")


def test_a_2xx_whose_body_never_comes_is_delivered_all_the_same() -> None:
    def stall(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nreceived")
        receiver.wait(10)

    with receiving(stall) as receiver:
        answer = send(receiver.port, timeout_s=0.4)
    assert answer == Answer(200, "received")


def test_a_body_without_end_is_read_no_further_than_needed() -> None:
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 500 X\r\n\r\n")
        while sum(sent) < 1 << 33:
            sent.append(connection.send(b"x" * 65_536))

    with receiving(flood) as receiver:
        answer = send(receiver.port)
    assert answer == Answer(500, "x" * 200)
    assert sum(sent) < 64 * 1024 * 1024
    assert ANSWER_LIMIT < 65_536


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 abc X\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x" * 200_000,
    ],
    ids=["nothing", "another protocol", "half a line", "no number", "endless head"],
)
def test_what_is_not_http_is_tried_again(answer: bytes) -> None:
    with receiving(answer) as receiver:
        got = send(receiver.port)
    assert got.status is None
    assert got.retryable
    assert got.text.startswith("the connection to the receiver failed (")


def test_nobody_listens(new_port: Callable[[], int]) -> None:
    assert send(new_port()) == Answer(None, "the connection to the receiver failed (ConnectError)")


def test_terminal_sequences_and_lines_do_not_get_into_the_record() -> None:
    with receiving(b"HTTP/1.1 400 X\r\n\r\n\x1b[31mred\r\nnext\x00\xff " + b"y" * 500) as receiver:
        text = send(receiver.port).text
    assert text.startswith("[31mred next")
    assert text.isprintable()
    assert len(text) == 200


def test_what_the_receiver_repeats_of_the_address_is_left_out() -> None:
    def echo(connection: socket.socket) -> None:
        line = receiver.requests[-1].split(b"\r\n")[0]
        connection.sendall(b"HTTP/1.1 404 X\r\n\r\nCannot " + line + b" for T0123456 hunter2-hunter2")
        connection.shutdown(socket.SHUT_WR)

    with receiving(echo) as receiver:
        answer = send(receiver.port, "/services/T0123456/B0123456/hunter2-hunter2?token=hunter3-hunter3")
    for secret in ("hunter2", "hunter3", "T0123456", "B0123456"):
        assert secret not in str(answer)
    assert str(answer).startswith("HTTP 404 Cannot POST […]")


# --- where it may go --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["192.168.0.1"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        ["::1"],
        ["::"],
        ["fe80::1%eth0"],
        ["fd00:ec2::254"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:7f00:1::"],
        ["93.184.216.34", "10.0.0.1"],
    ],
)
def test_a_private_address_is_never_called(addresses: list[str]) -> None:
    with receiving(OK) as receiver:
        request = HttpRequest(f"http://hook.example:{receiver.port}/secret-path", {}, b"{}")
        answer = deliver(request, allow_private=False, resolver=lambda *_: addresses, timeout_s=2)
    assert answer.final
    assert not answer.retryable
    assert answer.text.startswith("the receiver's address is private: set allow_private: true")
    assert receiver.requests == []


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert public_address(address)


def test_the_name_is_looked_up_once_and_its_address_is_the_one_called() -> None:
    asked: list[tuple[str, int]] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    with receiving(OK) as receiver:
        request = HttpRequest(f"http://hook.invalid:{receiver.port}/x", {}, b"{}")
        assert deliver(request, allow_private=True, resolver=rebinding, timeout_s=5).delivered
    assert asked == [("hook.invalid", receiver.port)]
    assert f"host: hook.invalid:{receiver.port}".encode() in receiver.requests[0].lower()


def test_an_address_that_does_not_answer_is_passed_over(new_port: Callable[[], int]) -> None:
    with receiving(OK) as receiver:
        request = HttpRequest(f"http://hook.invalid:{receiver.port}/x", {}, b"{}")
        answer = deliver(request, allow_private=True, resolver=lambda *_: ["127.0.0.2", "127.0.0.1"], timeout_s=5)
    assert answer.delivered


def test_a_name_that_does_not_resolve() -> None:
    def unknown(*_: object) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "hook.invalid")

    answer = deliver(HttpRequest("http://hook.invalid/x", {}, b""), False, resolver=unknown)
    assert answer == Answer(None, "the receiver's name does not resolve (gaierror)")
    assert answer.retryable


def test_a_name_that_no_resolver_takes() -> None:
    answer = deliver(HttpRequest(f"http://{'x' * 64}.example/x", {}, b""), False)
    assert answer.text.startswith("the receiver's name does not resolve (")


def test_a_resolver_that_hangs() -> None:
    release = threading.Event()

    def hang(*_: object) -> list[str]:
        release.wait(10)
        return []

    answer = deliver(HttpRequest("http://hook.invalid/x", {}, b""), False, resolver=hang, timeout_s=0.1)
    release.set()
    assert answer == Answer(None, "the receiver's name was not resolved in time")


def test_a_resolver_that_knows_no_address() -> None:
    answer = deliver(HttpRequest("http://hook.invalid/x", {}, b""), False, resolver=lambda *_: [])
    assert answer == Answer(None, "the connection to the receiver failed (ConnectError)")


@pytest.mark.parametrize(
    "url",
    ["", "hunter2", "ftp://x/hunter2", "https:///hunter2", "https://[x/hunter2", "https://x:hunter2/", "https://x:0/",
     "https://x/hunter2 y", "https://x/hünter2", "https://x/hunter2\r\nx: y", "//x/hunter2"],
)  # fmt: skip
def test_what_is_no_address_is_said_without_repeating_it(url: str) -> None:
    answer = deliver(HttpRequest(url, {}, b""), False)
    assert answer.final
    assert "nter2" not in answer.text


def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(OK) as receiver, receiving(OK) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        assert send(receiver.port).delivered
    assert proxy.requests == []


def test_over_ipv6() -> None:
    with receiving(OK, host="::1") as receiver:
        assert send(receiver.port, host="[::1]").delivered
    assert f"host: [::1]:{receiver.port}".encode() in receiver.requests[0].lower()


# --- TLS --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _serving(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def _over_tls(port: int, trusted: trustme.CA | None) -> Answer:
    context = ssl.create_default_context() if trusted else None
    if trusted is not None and context is not None:
        trusted.configure_trust(context)
    request = HttpRequest(f"https://hook.example:{port}/x", {}, base64.b64encode(b"x"))
    return deliver(request, True, timeout_s=5, resolver=lambda *_: ["127.0.0.1"], context=context)


def test_tls_checks_the_name_not_the_address(authority: trustme.CA) -> None:
    with receiving(OK, _serving(authority, "hook.example")) as receiver:
        assert _over_tls(receiver.port, authority).delivered


@pytest.mark.parametrize(("name", "known"), [("other.example", True), ("hook.example", False)])
def test_a_certificate_that_is_not_valid_gets_nothing(authority: trustme.CA, name: str, known: bool) -> None:
    with receiving(OK, _serving(authority, name)) as receiver:
        answer = _over_tls(receiver.port, authority if known else None)
    assert answer == Answer(None, "the receiver's certificate is not valid")
    assert answer.retryable
    assert receiver.requests == []
