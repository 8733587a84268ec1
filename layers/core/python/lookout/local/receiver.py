"""The demo's webhook receiver: checks Standard Webhooks signatures with nothing but `hmac`, and keeps what it got.

It shows how a receiver is written: verify over the raw bytes before parsing, refuse what is older than five minutes,
treat `webhook-id` as the idempotency key. `receiver_page` shows what came.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lookout.local import receiver_page

TOLERANCE_S: Final = 300
BODY_LIMIT: Final = 256 * 1024
KEPT: Final = 500
BODY_KEPT: Final = 65_536


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
    """What is wrong with a delivery, or None. `secret` is `whsec_<base64>`; Standard Webhooks, symmetric signatures."""
    identity, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identity or not timestamp.isdecimal():
        return "webhook-id or webhook-timestamp is missing"
    if abs(now - int(timestamp)) > TOLERANCE_S:
        return "webhook-timestamp is more than five minutes away from this clock"
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return "this receiver's own secret is not whsec_<base64>"
    signed = f"{identity}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    offered = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(f"v1,{expected}".encode(), one.encode()) for one in offered):
        return "no signature matches"
    return None


class Inbox:
    """What was received, newest last, in memory and as JSON lines in `path`."""

    def __init__(self, path: Path, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._path, self._secret, self._clock = path, secret, clock
        self.events: deque[dict[str, Any]] = deque(maxlen=KEPT)
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines()[-KEPT:]:
                try:
                    self.events.append(json.loads(line))
                except json.JSONDecodeError:  # a line half written when the machine went down
                    continue
        self._count = 0
        for event in self.events:
            self._number(event)
        self._seen = {str(e["id"]) for e in self.events if e.get("verified")}

    def receive(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Keep one delivery; the status and text to answer with."""
        now = self._clock()
        problem = verify(self._secret, headers, body, now)
        payload: Any = None
        if problem is None:
            try:
                payload = json.loads(body)
            except (ValueError, RecursionError):
                problem = "the body is not JSON"
        identity = headers.get("webhook-id", "")[:100]
        repeated = problem is None and identity in self._seen
        self._keep(
            {
                "received_at": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "id": identity,
                "verified": problem is None,
                "repeated": repeated,
                "problem": problem,
                "payload": payload,
                "headers": {k: v[:500] for k, v in headers.items() if k.startswith("webhook-")},
                "body": body[:BODY_KEPT].decode(errors="replace"),
            }
        )
        if problem is not None:
            return 401, problem
        self._seen.add(identity)
        return (200, "seen before") if repeated else (202, "accepted")

    def event(self, number: int) -> dict[str, Any] | None:
        """The delivery of that number; None where it is not kept (any more)."""
        return next((event for event in self.events if event["number"] == number), None)

    def _keep(self, event: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event, separators=(",", ":")) + "\n")
        self._number(event)
        self.events.append(event)

    def _number(self, event: dict[str, Any]) -> None:
        """Numbers are of one run: what came before it is counted anew."""
        self._count += 1
        event["number"] = self._count


def receiver_app(inbox: Inbox) -> Starlette:
    """POST /hook takes deliveries; GET / is a page, /events is JSON, oldest first, /events/N one of them as text."""

    async def hook(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_LIMIT:
                return PlainTextResponse("too large", 413)
        status, text = inbox.receive(request.headers, bytes(body))
        return PlainTextResponse(text, status)

    async def events(_: Request) -> Response:
        return JSONResponse({"events": list(inbox.events)}, headers={"cache-control": "no-store"})

    async def event(request: Request) -> Response:
        found = inbox.event(request.path_params["number"])
        if found is None:
            return PlainTextResponse("not kept", 404)
        # Half a character may stand in JSON, and in no bytes.
        text = receiver_page.raw(found).encode("utf-8", "replace")
        return PlainTextResponse(text, headers=receiver_page.HEADERS)

    async def home(_: Request) -> Response:
        return HTMLResponse(receiver_page.page(list(inbox.events)), headers=receiver_page.HEADERS)

    routes = [
        Route("/hook", hook, methods=["POST"]),
        Route("/events", events),
        Route("/events/{number:int}", event),
        Route("/", home),
    ]
    return Starlette(routes=routes)
