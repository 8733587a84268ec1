"""Names, addresses, redirects and connections that are not what they should be; credentials that must not travel."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from lookout.probe.credential import Credential
from lookout.probe.network import Wire
from lookout.probe.result import ProbeResult
from lookout.probe.transport import Transport

from tests.contract.probe.probing import (
    UP,
    Verdict,
    answer,
    hang,
    measured,
    on_list,
    probe,
    rules,
    verdict,
)
from tests.servers import hostile as h

Resolver = Callable[[str, int], Awaitable[list[str]]]


def resolving(*addresses: str) -> Resolver:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


def failing(error: Exception) -> Resolver:
    async def resolve(host: str, port: int) -> list[str]:
        raise error

    return resolve


async def never(host: str, port: int) -> list[str]:
    await asyncio.sleep(60)
    return []


NAMES: dict[str, tuple[Resolver, Verdict]] = {
    "nobody is called that": (failing(OSError(-2, "Name or service not known")), ("down", "dns", "name_not_found")),
    "no address of that name": (failing(OSError(-5, "No address")), ("down", "dns", "name_not_found")),
    "no address at all": (resolving(), ("down", "dns", "name_not_found")),
    "the name server fails": (failing(OSError(-3, "Temporary failure")), ("down", "dns", "dns_failed")),
    "a label too long": (failing(UnicodeError("label too long")), ("down", "dns", "dns_failed")),
    "the name server hangs": (never, ("down", "dns", "dns_failed")),
    "a thousand addresses, one private": (
        resolving(*(f"93.184.{i // 250}.{i % 250}" for i in range(1000)), "10.0.0.1"),
        ("down", "dns", "address_refused"),
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    resolver, expected = NAMES[name]
    seen: list[Any] = []

    def go() -> ProbeResult:
        return probe(
            h.good_modern, url="http://x.example/mcp", resolver=resolver, timeout_s=1, allow_private=False, seen=seen
        )

    result = measured(go, 1)
    assert (verdict(result), seen) == (expected, []), result.message
    assert "x.example" in result.message


def test_a_thousand_addresses_of_which_three_are_tried() -> None:
    tried: list[str] = []

    async def refusing(host: str, port: int) -> list[str]:
        tried.append(host)
        return [f"127.1.{i // 250}.{i % 250}" for i in range(1000)]

    result = probe(h.good_modern, url="http://x.example:9/mcp", resolver=refusing)
    assert verdict(result) == ("down", "tcp", "connect_refused")
    assert "127.1.0.2" in result.message
    assert result.network is not None
    assert len(result.network.addresses) == 8
    assert len(tried) == 2  # a refused connection is tried once more, from the name on


def test_a_dead_address_before_a_live_one_takes_no_server_down() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.2", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        try:
            for each in waiting:  # beyond its backlog nobody is answered: a host that drops
                each.setblocking(False)
                each.connect_ex(("127.0.0.2", port))

            async def go() -> ProbeResult:
                async with h.listening(_good, port):
                    return await _probe_at(f"http://x.example:{port}/mcp", resolving("127.0.0.2", "127.0.0.1"))

            result = asyncio.run(go())
        finally:
            for each in waiting:
                each.close()
    assert verdict(result) == UP, result.message
    assert result.address == "127.0.0.1"


async def _good(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while (call := await h.read(reader, writer)) is not None:
        await h.good_modern(call)


async def _probe_at(url: str, resolver: Resolver) -> ProbeResult:
    from lookout.config.model import Server
    from lookout.probe.client import probe_server

    deadline = asyncio.get_running_loop().time() + 20
    server = Server("x", url, timeout_s=8, allow_private=True)
    return await probe_server(server, deadline=deadline, now_ms=lambda: 1_000, resolver=resolver)


def test_a_name_with_addresses_of_a_family_we_cannot_reach() -> None:
    result = probe(h.good_modern, url="http://x.example:9/mcp", resolver=resolving("::1"))
    assert verdict(result)[1:] in {("tcp", "connect_refused"), ("tcp", "connect_failed")}
    assert "::1" in result.message


def test_of_four_addresses_of_the_new_family_the_old_one_is_tried() -> None:
    async def go() -> ProbeResult:
        async with h.serving(h.good_modern) as running:
            found = resolving("fd00::1", "fd00::2", "fd00::3", "fd00::4", "127.0.0.1")
            return await _probe_at(f"http://x.example:{running.port}/mcp", found)

    assert verdict(asyncio.run(go())) == UP


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "224.0.0.1"],
)
def test_private_addresses_are_refused_and_a_second_answer_is_never_asked_for(address: str) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [address] if len(asked) == 1 else ["127.0.0.1"]

    seen: list[Any] = []
    result = probe(h.good_modern, allow_private=False, resolver=rebinding, seen=seen)
    assert verdict(result) == ("down", "dns", "address_refused")
    assert (len(asked), seen) == (1, [])


def test_a_name_that_rebinds_between_two_connections_of_one_probe_is_not_asked_again() -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    async def closing(call: h.Call) -> None:
        await h.good_modern(call)
        call.writer.close()

    assert verdict(probe(closing, resolver=rebinding)) == UP
    assert len(asked) == 1


def test_nobody_listens() -> None:
    assert verdict(probe(hang, url="http://127.0.0.1:9/mcp")) == ("down", "tcp", "connect_refused")


def test_an_unexpanded_placeholder_is_said_and_nothing_is_sent() -> None:
    for url in ("https://{host}/mcp", "https://x.example/${PATH}", "https://x.example/%7Btenant%7D"):
        assert verdict(probe(hang, url=url)) == ("down", "http", "misconfigured")


REDIRECTS: dict[str, tuple[int, str, str]] = {
    "to the metadata of a cloud": (307, "http://169.254.169.254/latest", "redirect_not_followed"),
    "to another host": (308, "https://evil.example/", "redirect_not_followed"),
    "to another host without a scheme": (307, "//evil.example/mcp", "redirect_not_followed"),
    "to a host that looks like ours": (307, "http://localhost.evil.example/mcp", "redirect_not_followed"),
    "to another port": (307, "http://localhost:1/mcp", "redirect_not_followed"),
    "with a user name": (307, "http://user@localhost:PORT/mcp", "redirect_not_followed"),
    "with a password": (307, "http://user:pass@localhost:PORT/mcp", "redirect_not_followed"),
    "to a user name that looks like our host": (307, "http://localhost:PORT@evil.example/", "redirect_not_followed"),
    "to another scheme": (307, "ftp://localhost:PORT/mcp", "redirect_not_followed"),
    "to a file": (307, "file:///etc/passwd", "redirect_not_followed"),
    "to itself for ever": (307, "/mcp", "redirect_not_followed"),
    "nowhere": (307, "", "redirect_not_followed"),
    "nonsense": (307, "http://[::", "redirect_not_followed"),
    "a port too large": (307, "http://localhost:99999999/", "redirect_not_followed"),
    "escapes and no ASCII": (307, "http://evil.example/\x1b[2J\xff\u202e", "redirect_not_followed"),
    "60 KB": (307, "http://evil.example/" + "x" * 60_000, "redirect_not_followed"),
    "301": (301, "/other", "redirect_not_preserving"),
    "302": (302, "/other", "redirect_not_preserving"),
    "303": (303, "/other", "redirect_not_preserving"),
}


@pytest.mark.parametrize("name", REDIRECTS)
def test_redirects_that_are_not_followed(name: str) -> None:
    status, where, reason = REDIRECTS[name]

    async def redirect(call: h.Call) -> None:
        port = str(call.writer.get_extra_info("sockname")[1])
        head = f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nlocation: {where.replace('PORT', port)}\r\n\r\n"
        await call.raw(head.encode("latin-1", "replace").replace(b"\x1b", b"%1b"))

    seen: list[Any] = []
    result = measured(lambda: probe(redirect, seen=seen), 10)
    assert verdict(result) == ("down", "http", reason), result.message
    assert len(seen) <= 4
    assert result.http_status in {status, None}


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_on_the_same_host_is_followed_and_told(status: int) -> None:
    async def slash(call: h.Call) -> None:
        if call.path == "/mcp":
            await call.http(status, location="/mcp/")
        else:
            await h.good_legacy(call)

    seen: list[Any] = []
    result = probe(slash, seen=seen)
    assert verdict(result) == UP
    assert "HTTP-M-REDIRECT" in rules(result)
    assert [call.path for call in seen].count("/mcp") == 1  # the rest goes where the first was sent
    assert (seen[-1].method, seen[-1].path) == ("DELETE", "/mcp/")


def test_https_is_never_left_for_http() -> None:
    from httpx import URL
    from lookout.probe.transport import _may_follow

    assert _may_follow(URL("http://a.example/"), URL("https://a.example/x"))
    assert _may_follow(URL("https://a.example/"), URL("https://a.example:443/x"))
    assert not _may_follow(URL("https://a.example/"), URL("http://a.example/x"))
    assert not _may_follow(URL("http://a.example:8080/"), URL("https://a.example/x"))
    assert not _may_follow(URL("http://a.example/"), URL("https://a.example:8443/x"))


CREDENTIAL = Credential(
    {"Authorization": "Bearer canary-7f3a", "X-Api-Key": "canary-77b1"}, secrets=("canary-7f3a", "canary-77b1")
)


def test_credentials_do_not_go_where_a_redirect_points() -> None:
    got: list[h.Call] = []

    async def thief(call: h.Call) -> None:
        got.append(call)
        await call.http(200)

    async def go() -> None:
        async with h.serving(thief) as other, h.serving(answer(307, location=other.url)) as running:
            result = await _with_credential(running.url)
            assert verdict(result) == ("down", "http", "redirect_not_followed")

    asyncio.run(go())
    assert got == []


def test_credentials_do_not_go_where_an_endpoint_event_points() -> None:
    got: list[h.Call] = []

    async def thief(call: h.Call) -> None:
        got.append(call)
        await call.http(202)

    async def go() -> None:
        async with h.serving(thief) as other:
            where = f"event: endpoint\ndata: {other.url}\n\n".encode()
            async with h.serving(h.OldServer(where)) as running:
                result = await _with_credential(running.url)
                assert verdict(result) == ("down", "mcp", "bad_result")
                assert all(call.headers["authorization"] == "Bearer canary-7f3a" for call in running.calls)
                assert len(running.calls) == 3

    asyncio.run(go())
    assert got == []


def test_credentials_go_to_a_renewed_session_and_to_its_end_on_the_same_host() -> None:
    seen: list[Any] = []
    probe(Forgetful(1), credential=CREDENTIAL, seen=seen)
    assert len(seen) >= 7
    assert {(call.headers["authorization"], call.headers["x-api-key"]) for call in seen} == {
        ("Bearer canary-7f3a", "canary-77b1")
    }


class Forgetful:
    """Knows each session for as many requests as it is told, then answers 404."""

    def __init__(self, forgets: int) -> None:
        self.left, self.sessions = forgets, 0

    async def __call__(self, call: h.Call) -> None:
        if call.rpc == "initialize":
            self.sessions += 1
        if call.rpc == "tools/list" and self.left:
            self.left -= 1
            await call.http(404)
        else:
            await h.good_legacy(call)


def test_nothing_is_sent_to_another_origin_whoever_asks() -> None:
    from lookout.probe.messages import Request

    async def go() -> None:
        loop = asyncio.get_running_loop()
        async with h.serving(h.good_modern) as other:
            wire = Wire(loop.time() + 5, allow_private=True)
            transport = Transport("http://localhost:1/mcp", wire, {"Authorization": "canary"}, None, 5.0)
            with pytest.raises(ValueError, match="another origin"):
                await transport.send(Request("x", "GET", {}, target=other.url))
            assert other.calls == []

    asyncio.run(go())


async def _with_credential(url: str) -> ProbeResult:
    from lookout.config.model import Server
    from lookout.probe.client import probe_server

    deadline = asyncio.get_running_loop().time() + 10
    server = Server("x", url, timeout_s=8, allow_private=True)
    return await probe_server(server, deadline=deadline, now_ms=lambda: 1_000, credential=CREDENTIAL)


def test_what_is_repeated_of_a_credential_is_masked() -> None:
    async def echo(call: h.Call) -> None:
        await call.http(401, f"bad token {call.headers['authorization']}".encode(), "text/plain")

    result = probe(echo, credential=CREDENTIAL)
    assert verdict(result) == ("credential_rejected", "http", "credential_rejected")
    assert "canary" not in repr(result)


def test_a_header_of_ours_is_never_there_twice() -> None:
    seen: list[Any] = []
    lines: list[list[bytes]] = []

    async def look(call: h.Call) -> None:
        lines.append([line.split(b":")[0].lower() for line in call.head.split(b"\r\n")[1:]])
        await h.good_modern(call)

    probe(look, credential=Credential({"Accept": "x/y", "User-Agent": "me"}), seen=seen)
    assert all(len(names) == len(set(names)) for names in lines)


# --- connections


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_kept_connection_that_is_gone_is_replaced_unseen(how: str) -> None:
    """The server closes once it has read the second request on a connection, without a byte of an answer."""
    counts: dict[Any, int] = {}

    async def script(call: h.Call) -> None:
        counts[call.writer] = counts.get(call.writer, 0) + 1
        if counts[call.writer] == 1:
            await h.good_legacy(call)
        elif how == "reset":
            await _reset(call)
        else:
            call.writer.close()

    seen: list[Any] = []
    result = probe(script, seen=seen)
    assert verdict(result) == UP, result.message
    assert [call.rpc for call in seen if call.rpc == "tools/list"] == ["tools/list"] * 2
    assert {finding.severity for finding in result.findings} == {"info"}


async def _reset(call: h.Call) -> None:
    from tests.contract.probe.probing import reset

    await reset(call)


def test_a_connection_lost_once_is_tried_once_more_and_not_twice() -> None:
    connections = 0

    async def script(call: h.Call) -> None:
        nonlocal connections
        connections += 1
        if connections == 1:
            await _reset(call)
        else:
            await h.good_modern(call)

    assert verdict(probe(script)) == UP
    connections = -9
    assert verdict(probe(script)) == UP or connections == -7


def test_one_connection_is_kept_for_the_whole_exchange() -> None:
    async def go() -> int:
        async with h.serving(h.good_legacy) as running:
            assert verdict(await _probe_at(running.url, resolving("127.0.0.1"))) == UP
            return running.connections

    assert asyncio.run(go()) == 1


def test_a_port_that_accepts_and_closes() -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def go() -> ProbeResult:
        async with h.listening(close) as port:
            return await _probe_at(f"http://localhost:{port}/mcp", resolving("127.0.0.1"))

    began = time.monotonic()
    assert verdict(asyncio.run(go()))[2] == "connection_lost"
    assert time.monotonic() - began < 8


def test_no_socket_is_left_open() -> None:
    before = open_files()
    for script in (
        h.good_modern,
        h.good_legacy,
        h.OldServer(),
        answer(500),
        on_list(answer(307, location="http://x/")),
    ):
        probe(script)
    assert open_files() <= before


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
