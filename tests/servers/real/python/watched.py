"""Serves the ASGI applications of one environment on loopback, each on a free port, and tells what they hold open.

    python SCRIPT.py READY.json NAME...      READY.json is written when all of them listen: {"NAME": port}

Each port also answers `GET /watched` (what is open there) and `POST /watched {"mood": ...}` (how tools/list behaves).
Runs in every environment from mcp 1.2.1 on, so it needs nothing but the standard library and uvicorn.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

MOODS = ("ok", "paged", "fail", "hang")
"""One page; a page per tool; the second page raises; the second page comes when the mood changes."""


class RefusedError(Exception):
    """What the list handler of a `fail` mood raises."""


class Watched:
    """One configuration: its application, its mood, and what it holds open."""

    def __init__(self, make: Callable[[Watched, int], Any], sessions: Callable[[], dict[str, int]] | None = None):
        self._make, self.sessions = make, sessions
        self.app: Any = None
        self.mood = "ok"
        self.changed = asyncio.Event()
        self.in_flight = 0
        self.seen: dict[str, int] = {}

    def open(self, port: int) -> None:
        """Make the application; it may name its own address."""
        self.app = self._make(self, port)

    async def page(self, tools: list[Any], cursor: str | None) -> tuple[list[Any], str | None]:
        """The page of `tools` at `cursor`, and the next cursor, as the present mood has it."""
        if self.mood == "ok":
            return tools, None
        index = int(cursor or "0")
        if index and self.mood == "fail":
            raise RefusedError("the second page cannot be had")
        if index and self.mood == "hang":
            await self.changed.wait()
        return tools[index : index + 1], str(index + 1) if index + 1 < len(tools) else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == "/watched":
            await self._answer(scope, receive, send)
        else:
            method = scope["method"]
            self.seen[method] = self.seen.get(method, 0) + 1
            self.in_flight += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self.in_flight -= 1

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            wanted = json.loads((await receive()).get("body") or b"{}")
            if wanted["mood"] not in MOODS:
                raise ValueError(wanted)
            self.mood = wanted["mood"]
            self.changed.set()
            self.changed = asyncio.Event()
        counts = self.sessions() if self.sessions is not None else {}
        body = json.dumps({"mood": self.mood, "in_flight": self.in_flight, "seen": self.seen, **counts}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def count(instances: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, int]]:
    """Sessions among an official session manager's transports: `open` ones, and all it `kept` although ended."""

    def look() -> dict[str, int]:
        found = list(instances().values())
        return {"open": sum(not transport._terminated for transport in found), "kept": len(found)}

    return look


class _Server(uvicorn.Server):
    """One of several in a loop: signals belong to the process, and it says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(slots: dict[str, Watched], ready: Path) -> None:
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    ports, servers, tasks = {}, [], []
    for name, slot in slots.items():
        # asyncio switches Nagle's algorithm off only for sockets that say they are TCP, and create_server's do not.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        ports[name] = listener.getsockname()[1]
        slot.open(ports[name])
        config = uvicorn.Config(slot, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        server = _Server(config)
        servers.append(server)
        tasks.append(asyncio.create_task(server.serve(sockets=[listener])))
        await server.listening.wait()
    fresh = ready.with_suffix(".fresh")
    fresh.write_text(json.dumps(ports), encoding="utf-8")
    fresh.replace(ready)
    await over.wait()
    for server in servers:
        server.should_exit = True
    # A session nobody closed would keep its server waiting; there is nothing to lose.
    await asyncio.wait(tasks, timeout=2)
    os._exit(0)


def serve(makers: dict[str, Callable[[], Watched]]) -> None:
    """Entry point of a script: serve the configurations named on its command line."""
    ready, *names = sys.argv[1:]
    asyncio.run(_serve({name: makers[name]() for name in names}, Path(ready)))
