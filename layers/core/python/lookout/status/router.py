"""The public API as one pure function: (snapshot, request, now) -> response. Read-only; it knows no write path.

    GET|HEAD /api/v1/status  /api/v1/servers  /api/v1/servers/{slug}  /api/v1/incidents
             /api/v1/maintenance  /api/v1/servers/{slug}/badge.json  /api/v2/summary.json  /api/embed-status/{slug}
             /badge/{slug}.svg  /metrics  /probe?target={slug}

Every answer has an ETag and a Cache-Control; If-None-Match gives 304. Errors are application/problem+json.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

from lookout.status import api_json, badge, metrics
from lookout.status.view import ServerView, Snapshot

PROBLEM: Final = "application/problem+json"
_CACHE_JSON: Final = "public, max-age=30"
_CACHE_BADGE: Final = f"public, max-age={badge.CACHE_S}, stale-while-revalidate=300"
_CACHE_METRICS: Final = "public, max-age=15"
_CACHE_ERROR: Final = "public, max-age=10"
_ANYONE: Final = {"access-control-allow-origin": "*"}


@dataclass(frozen=True, slots=True)
class Response:
    """Header names are in lower case; the body is text in UTF-8."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    now: int


def problem(status: int, detail: str, path: str, extra: Mapping[str, str] | None = None) -> Response:
    """An error in application/problem+json (RFC 9457)."""
    body = api_json.encode(api_json.problem(status, HTTPStatus(status).phrase, detail, path))
    return Response(status, {"content-type": PROBLEM, "cache-control": _CACHE_ERROR, **_ANYONE, **(extra or {})}, body)


def unavailable(path: str) -> Response:
    """503: nothing has been published yet, or it cannot be read."""
    return problem(503, "No snapshot has been published yet; try again soon.", path, {"retry-after": "30"})


def _json(data: object, cache: str = _CACHE_JSON) -> Response:
    return Response(
        200, {"content-type": api_json.CONTENT_TYPE, "cache-control": cache, **_ANYONE}, api_json.encode(data)
    )


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _matches(wanted: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
    return "*" in tags or etag in tags


def _finish(response: Response, method: str, headers: Mapping[str, str]) -> Response:
    """ETag, 304 and HEAD."""
    etag = _etag(response.body)
    full = {**response.headers, "etag": etag, "x-content-type-options": "nosniff"}
    wanted = headers.get("if-none-match")
    if response.status == 200 and wanted is not None and _matches(wanted, etag):
        kept = {k: v for k, v in full.items() if k != "content-type"}
        return Response(304, kept)
    return replace(response, headers=full, body=b"" if method == "HEAD" else response.body)


def _badge_of(view: ServerView | None, request: _Request) -> badge.Badge:
    query = request.query
    return badge.badge(view, query.get("metric", ""), query.get("window", ""), query.get("label", ""), request.now)


def _badge_json(snapshot: Snapshot, slug: str, request: _Request) -> Response:
    return _json(_badge_of(snapshot.server(slug), request).endpoint(), _CACHE_BADGE)


def _badge_svg(snapshot: Snapshot, slug: str, request: _Request) -> Response:
    headers = {
        "content-type": "image/svg+xml; charset=utf-8",
        "cache-control": _CACHE_BADGE,
        "content-security-policy": "default-src 'none'; sandbox",
        **_ANYONE,
    }
    return Response(200, headers, badge.svg(_badge_of(snapshot.server(slug), request)))


def _metrics(snapshot: Snapshot, request: _Request) -> Response:
    kind = metrics.negotiate(request.headers.get("accept", ""))
    headers = {"content-type": kind, "cache-control": _CACHE_METRICS, "vary": "accept"}
    return Response(200, headers, metrics.render(snapshot, kind))


def _probe(snapshot: Snapshot, request: _Request) -> Response:
    target = request.query.get("target", "")
    if request.query.get("module", "mcp") != "mcp":
        return problem(400, "The only module is mcp.", request.path)
    view = snapshot.server(target)
    if view is None:
        return problem(404, "target must be the slug of a public server; a URL is never probed.", request.path)
    return _metrics(replace(snapshot, servers=(view,)), request)


_FIXED: Final[Mapping[str, Callable[[Snapshot, _Request], Response]]] = {
    "/api/v1/status": lambda s, r: _json(api_json.current(s, r.now)),
    "/api/v1/servers": lambda s, r: _json(api_json.servers(s, r.now)),
    "/api/v1/maintenance": lambda s, r: _json(api_json.maintenance(s, r.now)),
    "/api/v1/incidents": lambda s, r: _json(api_json.incidents(s, r.now)),
    "/api/v2/summary.json": lambda s, r: _json(api_json.summary(s, r.now)),
    "/metrics": _metrics,
    "/probe": _probe,
}
"""Paths without a slug."""


def _with_slug(snapshot: Snapshot, request: _Request) -> Response | None:
    """Answers of paths that name a server; None where the path has no such form."""
    parts = request.path.strip("/").split("/")
    match parts:
        case ["badge", name] if name.endswith(".svg"):
            return _badge_svg(snapshot, name.removesuffix(".svg"), request)
        case ["api", "v1", "servers", slug, "badge.json"]:
            return _badge_json(snapshot, slug, request)
        case ["api", "v1", "servers", slug]:
            view = snapshot.server(slug)
            return _json(api_json.server(snapshot, view, request.now)) if view else _no_server(request)
        case ["api", "embed-status", slug]:
            view = snapshot.server(slug)
            return _json(api_json.embed(snapshot, view), "public, max-age=60") if view else _no_server(request)
        case _:
            return None


def _no_server(request: _Request) -> Response:
    return problem(404, "There is no public server of that name.", request.path)


def respond(
    snapshot: Snapshot, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], now: int
) -> Response:
    """The answer to one request. `headers` names are compared without case; `now` is unix seconds."""
    lower = {name.lower(): value for name, value in headers.items()}
    request = _Request(path if path == "/" else path.rstrip("/"), query, lower, now)
    if method not in ("GET", "HEAD"):
        return problem(405, "This API is read-only.", path, {"allow": "GET, HEAD"})
    known = _FIXED.get(request.path)
    response = known(snapshot, request) if known else _with_slug(snapshot, request)
    if response is None:
        response = problem(404, "There is nothing at this path.", path)
    aged = replace(response, headers={**response.headers, **api_json.age_header(snapshot, now)})
    return _finish(aged, method, lower)
