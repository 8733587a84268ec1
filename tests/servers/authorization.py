"""An MCP server that wants a token and the authorization server that gives it: one loopback port, good or hostile.

Everything is served at one origin: `/mcp` is the MCP server, the rest the authorization server. A page replaces what a
path answers with; what a script does with a request is its own business.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus

RESOURCE = "/.well-known/oauth-protected-resource/mcp"
METADATA = "/.well-known/oauth-authorization-server"
TOKEN = "/token"
DISCOVERED = {
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {}},
    "resultType": "complete",
    "ttlMs": 0,
    "cacheScope": "public",
    "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "guarded", "version": "1"}},
}
LISTED = {"tools": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "public"}


@dataclass
class Seen:
    """One request as read; `peer` is what TLS says of the client's certificate."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: Any = None

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def client(self) -> tuple[str, str]:
        """Name and secret, from wherever they were sent."""
        given = self.headers.get("authorization", "")
        if given.startswith("Basic "):
            name, _, secret = b64decode(given.removeprefix("Basic ")).decode().partition(":")
            return unquote_plus(name), unquote_plus(secret)
        return self.form.get("client_id", ""), self.form.get("client_secret", "")


@dataclass
class Page:
    """A response. `body` may be bytes, or anything JSON; `after_s` is waited before it."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0

    def encoded(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        kind = {} if isinstance(self.body, bytes) else {"content-type": "application/json"}
        lines = {"content-length": str(len(body)), **kind, **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode("latin-1") + body


Answer = Page | Callable[[Seen], Page]


@dataclass
class World:
    """Both servers. `pages` by path come first; then the good ones."""

    pages: dict[str, Answer] = field(default_factory=dict)
    client: tuple[str, str] = ("lookout", "client-secret-1")
    methods: list[str] | None = None
    expires_in: Any = 3600
    origin: str = ""
    seen: list[Seen] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Tokens the MCP server takes no more."""

    @property
    def url(self) -> str:
        return f"{self.origin}/mcp"

    @property
    def paths(self) -> list[str]:
        return [seen.path for seen in self.seen]

    def answer(self, seen: Seen) -> Page:
        found = self.pages.get(seen.path)
        if found is not None:
            return found if isinstance(found, Page) else found(seen)
        good = {"/mcp": self._mcp, RESOURCE: self._resource, METADATA: self._metadata, TOKEN: self._token}.get(
            seen.path
        )
        return good(seen) if good is not None else Page(404)

    def _mcp(self, seen: Seen) -> Page:
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.given or token in self.refused:
            return Page(401, headers={"www-authenticate": f'Bearer resource_metadata="{self.origin}{RESOURCE}"'})
        message = json.loads(seen.body)
        result = DISCOVERED if message["method"] == "server/discover" else LISTED
        return Page(200, {"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _resource(self, _: Seen) -> Page:
        return Page(200, {"resource": self.url, "authorization_servers": [self.origin]})

    def _metadata(self, _: Seen) -> Page:
        said = {"issuer": self.origin, "token_endpoint": self.origin + TOKEN}
        if self.methods is not None:
            said["token_endpoint_auth_methods_supported"] = self.methods  # type: ignore[assignment]  # JSON
        return Page(200, said)

    def _token(self, seen: Seen) -> Page:
        if seen.client != self.client or seen.form["grant_type"] != "client_credentials":
            return Page(401, {"error": "invalid_client"})
        self.given.append(f"access-token-{len(self.given) + 1}-Qx7")
        return Page(200, {"access_token": self.given[-1], "token_type": "Bearer", "expires_in": self.expires_in})


@contextlib.asynccontextmanager
async def serving(world: World, tls: ssl.SSLContext | None = None) -> AsyncIterator[World]:
    """Serve on a free loopback port while the context lasts."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while (seen := await _read(reader, writer)) is not None:
                world.seen.append(seen)
                page = world.answer(seen)
                await asyncio.sleep(page.after_s)
                writer.write(page.encoded())
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    world.origin = f"{'https' if tls else 'http'}://localhost:{server.sockets[0].getsockname()[1]}"
    try:
        yield world
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Seen | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        return None
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, path, headers, body, writer.get_extra_info("peercert"))
