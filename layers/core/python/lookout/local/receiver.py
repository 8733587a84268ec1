"""The demo's webhook receiver: checks Standard Webhooks signatures with nothing but `hmac`, and keeps what it got.

It shows how a receiver is written: verify over the raw bytes before parsing, refuse what is older than five minutes,
treat `webhook-id` as the idempotency key. Everything it shows came from outside, so everything it shows is escaped.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
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

TOLERANCE_S: Final = 300
BODY_LIMIT: Final = 256 * 1024
KEPT: Final = 500
BODY_KEPT: Final = 65_536
PAGE_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


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
        self._seen = {str(e["id"]) for e in self.events if e.get("verified")}

    def receive(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Keep one delivery; the status and text to answer with."""
        now = self._clock()
        problem = verify(self._secret, headers, body, now)
        payload: Any = None
        if problem is None:
            try:
                payload = json.loads(body)
            except ValueError:
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

    def _keep(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event, separators=(",", ":")) + "\n")


_STYLE: Final = """
:root{color-scheme:light dark;--page:#f6f7f8;--panel:#fff;--line:#e2e5e9;--ink:#14181d;--dim:#59626d;--link:#1a56a8;
--ok:#17703f;--bad:#ab231b}
@media (prefers-color-scheme:dark){:root{--page:#0d1013;--panel:#15191d;--line:#272d34;--ink:#e9ecef;--dim:#9ba5b0;
--link:#8ab8f5;--ok:#6fd49b;--bad:#ff9a92}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:2rem 1.25rem;background:var(--page);color:var(--ink);
font:400 .9375rem/1.5 ui-sans-serif,system-ui,sans-serif;font-variant-numeric:tabular-nums}
h1{margin:0;font-size:1.5rem;letter-spacing:-.015em}
p{margin:.25rem 0 1.5rem;color:var(--dim)}
a{color:var(--link)}
code{font:.875em ui-monospace,Menlo,Consolas,monospace}
table{width:100%;border-collapse:separate;border-spacing:0;background:var(--panel);border:1px solid var(--line);
border-radius:14px}
th,td{padding:.75rem 1.25rem;text-align:left;vertical-align:top}
th{color:var(--dim);font-size:.8125rem;font-weight:400;padding-bottom:.25rem}
tbody tr+tr td{border-top:1px solid var(--line)}
td.when,td.type,td.status,td.checked{white-space:nowrap}
td.when{color:var(--dim)}
td.type{font-weight:600}
td.server,td.message{overflow-wrap:anywhere}
td.yes{color:var(--ok)}td.no{color:var(--bad)}
td.empty{color:var(--dim)}
@media (max-width:45rem){thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
table,tbody,tr,td{display:block}tr{padding:1rem}td{padding:0;border:0!important}
tr+tr{border-top:1px solid var(--line)}td.when{white-space:normal}}
"""
_HEAD: Final = ("Received", "Type", "Server", "Status", "Message", "Signature")


def page(events: list[dict[str, Any]]) -> str:
    """A page listing `events`, newest first. It loads itself anew every five seconds."""
    empty = (
        '<tr><td class="empty" colspan="6">Nothing yet. Break a server: '
        "<code>.venv/bin/lookout local break demo-flaky</code></td></tr>"
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in _HEAD)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Webhook receiver · Lookout demo</title>'
        '<meta http-equiv="refresh" content="5"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>Webhook receiver</h1>"
        '<p>What Lookout sent, newest first, each signature checked here. <a href="/events">As JSON</a></p>'
        f"<table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(map(_row, reversed(events))) or empty}</tbody></table></main></body></html>"
    )


def _row(event: dict[str, Any]) -> str:
    """One delivery; every word of it came from outside."""
    payload = event["payload"] if isinstance(event.get("payload"), dict) else {}
    failure = payload["failure"] if isinstance(payload.get("failure"), dict) else {}
    good = bool(event.get("verified"))
    checked = ("✓ verified, repeated" if event.get("repeated") else "✓ verified") if good else "✗ refused"
    cells = (
        ("when", str(event.get("received_at", "")).replace("T", " ").replace("Z", " UTC")),
        ("type", payload.get("type") or "not accepted"),
        ("server", payload.get("server_slug", "")),
        ("status", f"{payload.get('previous_status', '')} → {payload.get('status', '')}" if payload else ""),
        ("message", failure.get("message") or event.get("problem") or ""),
        (f"checked {'yes' if good else 'no'}", checked),
    )
    return "<tr>" + "".join(f'<td class="{name}">{html.escape(str(text))}</td>' for name, text in cells) + "</tr>"


def receiver_app(inbox: Inbox) -> Starlette:
    """POST /hook takes deliveries; GET /events is JSON, oldest first; GET / is a page."""

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

    async def home(_: Request) -> Response:
        return HTMLResponse(page(list(inbox.events)), headers=PAGE_HEADERS)

    routes = [Route("/hook", hook, methods=["POST"]), Route("/events", events), Route("/", home)]
    return Starlette(routes=routes)
