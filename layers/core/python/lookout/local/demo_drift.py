"""A demo server that offers something else than before: its JSON answers to `tools/list`, rewritten on their way."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def drifted(body: bytes) -> bytes:
    """The answer with one tool gone, one new, and one whose `limit` is now required; any other answer as it is."""
    try:
        message = json.loads(body)
        tools: list[dict[str, Any]] = message["result"]["tools"]
    except (ValueError, TypeError, KeyError):
        return body
    search = next(tool for tool in tools if tool["name"] == "search")
    schema = search["inputSchema"]
    narrowed = {**search, "inputSchema": {**schema, "required": [*schema.get("required", []), "limit"]}}
    publish = {**search, "name": "publish", "description": "Publish a catalogue entry."}
    return json.dumps({**message, "result": {**message["result"], "tools": [narrowed, publish]}}).encode()


async def serve_drifted(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """One HTTP request, answered by `app`, and rewritten where it is one JSON message."""
    start: Message = {}
    body = bytearray()

    async def collect(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        body.extend(message.get("body", b""))
        if not message.get("more_body", False):
            data = drifted(bytes(body))
            kept = [h for h in start.get("headers", []) if h[0].lower() != b"content-length"]
            await send({**start, "headers": [*kept, (b"content-length", str(len(data)).encode())]})
            await send({"type": "http.response.body", "body": data})

    await app(scope, receive, collect)
