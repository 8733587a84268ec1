"""Servers that misbehave on the wire, each a few lines on a raw socket. A script gets one request and writes bytes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """One request as read: method, path, headers (lower case), JSON body or {}."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    writer: asyncio.StreamWriter
    head: bytes = b""
    """As it came."""

    @property
    def rpc(self) -> str:
        """The JSON-RPC method."""
        return str(self.body.get("method", ""))

    async def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def http(self, status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> None:
        """A whole response."""
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
        lines += [f"content-type: {kind}"] if kind else []
        lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
        await self.raw("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    async def json(self, value: Any, status: int = 200, **headers: str) -> None:
        """A JSON response."""
        await self.http(status, json.dumps(value).encode(), **headers)

    async def result(self, result: Any, **headers: str) -> None:
        """A JSON-RPC result."""
        await self.json({"jsonrpc": "2.0", "id": self.body.get("id"), "result": result}, 200, **headers)

    async def error(self, code: int, message: str = "no", status: int = 200, data: Any = None) -> None:
        """A JSON-RPC error."""
        error = {"code": code, "message": message} | ({"data": data} if data is not None else {})
        await self.json({"jsonrpc": "2.0", "id": self.body.get("id"), "error": error}, status)


Script = Callable[[Call], Awaitable[None]]


@dataclass
class Running:
    """A listening server: its URL and the calls it has seen."""

    url: str
    calls: list[Call] = field(default_factory=list)
    connections: int = 0

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self.url.split(":")[2].split("/")[0])


@contextlib.asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Running]:
    """Serve on a free loopback port while the context lasts."""
    running = Running("")
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        running.connections += 1
        try:
            while (call := await read(reader, writer)) is not None:
                running.calls.append(call)
                await script(call)
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    running.url = f"{'https' if tls else 'http'}://localhost:{port}/mcp"
    try:
        yield running
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Call | None:
    """The next request of a connection; None where there is none any more."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = raw.decode("latin-1").strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Call(method, path, headers, json.loads(body) if body else {}, writer, raw.strip())


DISCOVERED = {
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {}},
    "resultType": "complete",
    "ttlMs": 0,
    "cacheScope": "public",
    "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "good", "version": "1"}},
}
TOOLS = [{"name": "search", "inputSchema": {"type": "object"}}]


async def good_modern(call: Call) -> None:
    """What a healthy server of 2026-07-28 answers."""
    if call.rpc == "server/discover":
        await call.result(DISCOVERED)
    elif call.rpc == "tools/list":
        await call.result({"tools": TOOLS, "resultType": "complete", "ttlMs": 0, "cacheScope": "public"})
    else:
        await call.error(-32022, status=400, data={"supported": ["2026-07-28"], "requested": "x"})


async def good_legacy(call: Call) -> None:
    """What a healthy stateful server of 2025-06-18 answers."""
    if call.method == "DELETE":
        await call.http(204, kind="")
    elif call.rpc == "initialize":
        info = {"name": "old", "version": "1"}
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
        await call.result(result, mcp_session_id="abc")
    elif call.rpc == "notifications/initialized":
        await call.http(202, kind="")
    elif call.rpc == "tools/list":
        await call.result({"tools": TOOLS})
    else:
        await call.error(-32601, status=404)


def on(rpc: str, script: Script, otherwise: Script = good_modern) -> Script:
    """`script` for one JSON-RPC method, a healthy server otherwise."""

    async def serve(call: Call) -> None:
        await (script if call.rpc == rpc else otherwise)(call)

    return serve


async def forever(call: Call, piece: bytes, every_s: float = 0.01) -> None:
    """Write `piece` again and again until the peer goes."""
    while True:
        await call.raw(piece)
        await asyncio.sleep(every_s)


def bomb(mebibytes: int) -> bytes:
    """Zeros, compressed a thousandfold."""
    squeeze = zlib.compressobj(wbits=31)
    return b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(mebibytes)) + squeeze.flush()


@contextlib.asynccontextmanager
async def listening(
    handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], port: int = 0
) -> AsyncIterator[int]:
    """A port on which `handler` has every connection as it comes, below HTTP and TLS; gives the port's number."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await handler(reader, writer)
        tasks.discard(task)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def handshaking(context: ssl.SSLContext) -> Iterator[int]:
    """A port on which TLS is begun and nothing more; gives its number. With a thread, for asyncio's servers drop the
    alert that says why a handshake failed.
    """

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(5)
            with contextlib.suppress(OSError), context.wrap_socket(sock, server_side=True) as connection:
                connection.recv(65536)
            sock.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


class OldServer:
    """A server of 2024-11-05, HTTP+SSE: as it should be, but for what it is made with.

    `endpoint` is written when the stream opens. `answer` has each POST, and the server; it answers on `stream`.
    """

    def __init__(
        self,
        endpoint: bytes = b"event: endpoint\ndata: /messages?session=1\n\n",
        answer: Callable[[OldServer, Call], Awaitable[None]] | None = None,
    ) -> None:
        self.endpoint, self.answer = endpoint, answer or OldServer.good
        self.streams: list[Call] = []

    async def __call__(self, call: Call) -> None:
        """One request."""
        if call.method == "GET":
            self.streams.append(call)
            await call.raw(STREAM_HEAD + self.endpoint)
        elif call.path == "/mcp":
            await call.http(405, kind="", allow="GET")
        else:
            await self.answer(self, call)

    async def tell(self, message: Any) -> None:
        """A message on the newest stream."""
        await self.streams[-1].raw(b"event: message\ndata: " + json.dumps(message).encode() + b"\n\n")

    async def good(self, call: Call) -> None:
        """A healthy answer."""
        await call.http(202, b"Accepted", "text/plain")
        if "id" in call.body:
            await self.tell(self.message(call))

    def message(self, call: Call) -> dict[str, Any]:
        """What a healthy server says on the stream."""
        info = {"name": "older", "version": "1"}
        results = {
            "initialize": {"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}, "serverInfo": info},
            "tools/list": {"tools": TOOLS},
        }
        return {"jsonrpc": "2.0", "id": call.body["id"], "result": results[call.rpc]}
