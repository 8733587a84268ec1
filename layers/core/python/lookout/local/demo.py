"""`python -m lookout.local.demo SETTINGS`: all demo servers and the webhook receiver, in one process, on loopback.

SETTINGS is a JSON file only this user can read: ports (0: any free one), token, signing, control, received, ready.
When everything listens, `ready` is written: the ports in use. POST /control with the control token breaks or mends.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from lookout.local.demo_servers import FAULTS, Breakable, apps
from lookout.local.layout import read_json, write_json
from lookout.local.receiver import Inbox, receiver_app


class _Quiet(uvicorn.Server):
    """A server among several in one loop: it leaves the signals to the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Slot:
    """One application on one port, which can be closed and opened again."""

    def __init__(self, make: Callable[[], ASGIApp], port: int) -> None:
        self._make, self.port = make, port
        self._breakable: Breakable | None = None
        self._server: _Quiet | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def fault(self) -> str | None:
        """How it fails at present; None where it works."""
        if self._server is None or self._breakable is None:
            return "refuse"
        return self._breakable.fault

    async def open(self) -> None:
        """Listen (again)."""
        if self._server is not None:
            return
        # Not `create_server`: asyncio sets TCP_NODELAY only where the protocol is named, and 40 ms are lost without.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._breakable = Breakable(self._make())
        config = uvicorn.Config(
            self._breakable, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=1
        )
        self._server = _Quiet(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listening.wait()

    async def close(self) -> None:
        """Stop listening: connections are refused."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._server = self._task = None

    async def set_fault(self, how: str | None) -> None:
        """Fail as `how` says; None works again."""
        if how == "refuse":
            await self.close()
            return
        await self.open()
        if self._breakable is not None:
            self._breakable.fault = how


def control_route(slots: dict[str, Slot], token: str) -> Route:
    """POST /control {"slug", "how"}: `how` null mends. A token, because any page in a browser can reach loopback."""

    async def control(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("x-lookout-control", "").encode(), token.encode()):
            return JSONResponse({"error": "wrong control token"}, 403)
        try:
            wanted: Any = await request.json()
        except ValueError:
            wanted = None
        slot = slots.get(wanted.get("slug", "")) if isinstance(wanted, dict) else None
        if slot is None or wanted.get("how") not in (None, *FAULTS):
            return JSONResponse({"error": f"slug is one of {sorted(slots)}, how one of {FAULTS} or null"}, 400)
        await slot.set_fault(wanted.get("how"))
        return JSONResponse({name: one.fault for name, one in slots.items()})

    return Route("/control", control, methods=["POST"])


async def serve(settings: dict[str, Any]) -> None:
    """Serve until SIGTERM or SIGINT."""
    ports: dict[str, int] = settings["ports"]
    slots = {name: Slot(make, ports.get(name, 0)) for name, make in apps(settings["token"]).items()}
    inbox = Inbox(Path(settings["received"]), settings["signing"])
    receiver = receiver_app(inbox)
    receiver.router.routes.append(control_route(slots, settings["control"]))
    front = Slot(lambda: receiver, ports.get("receiver", 0))
    for slot in (*slots.values(), front):
        await slot.open()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    used = {name: slot.port for name, slot in slots.items()}
    write_json(Path(settings["ready"]), {"ports": {**used, "receiver": front.port}})
    await over.wait()
    await asyncio.gather(*(slot.close() for slot in (*slots.values(), front)))


def main() -> int:
    """Entry point; exit code 2 where the settings cannot be read."""
    settings = read_json(Path(sys.argv[1])) if len(sys.argv) == 2 else None
    if not isinstance(settings, dict):
        print(json.dumps({"error": "usage: python -m lookout.local.demo SETTINGS.json"}), file=sys.stderr)
        return 2
    asyncio.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
