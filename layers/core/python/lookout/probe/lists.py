"""`tools/list`, and on request resources, templates and prompts: a page at a time, bounded (Server, Pagination)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from lookout.probe import session as say
from lookout.probe.detect import handshake
from lookout.probe.envelope import Answer
from lookout.probe.failure import Failure, of_reply
from lookout.probe.hearing import hear
from lookout.probe.messages import Reply, Request
from lookout.probe.result import Era, Layer, Reason
from lookout.probe.rules.pages import check_pages
from lookout.probe.rules.past import Listed
from lookout.probe.rules.registry import finding
from lookout.probe.rules.tools import check_tools
from lookout.probe.session import Ask, Session, Steps

PAGES_LIMIT: Final = 20
ITEMS_LIMIT: Final = 2000
BYTES_LIMIT: Final = 4 * 1024 * 1024
METHOD_NOT_FOUND: Final = -32601
_SESSION_ERRORS: Final = (None, -32000, -32600, -32001)


@dataclass(frozen=True, slots=True)
class ListKind:
    """One kind of list: what it is called in the configuration, on the wire, and in the capabilities."""

    name: str
    method: str
    key: str
    capability: str


TOOLS: Final = ListKind("tools", "tools/list", "tools", "tools")
OTHERS: Final = {
    kind.name: kind
    for kind in (
        ListKind("resources", "resources/list", "resources", "resources"),
        ListKind("resource_templates", "resources/templates/list", "resourceTemplates", "resources"),
        ListKind("prompts", "prompts/list", "prompts", "prompts"),
    )
}


def ask(s: Session, phase: str, method: str, params: dict[str, Any], headers: dict[str, str] | None = None) -> Ask:
    """One request of the era; a session the server forgot is begun anew, once (Session Management)."""
    reply = yield from _ask_once(s, phase, method, params, headers)
    if not _session_lost(s, reply) or s.renewed:
        return reply
    s.renewed, s.session_id = True, None
    s.find([finding("SESS-FORGOTTEN", f"HTTP {reply.status} to {method}: the session just begun was no longer known")])
    failure = yield from handshake(s)
    if failure is not None:
        raise failure
    return (yield from _ask_once(s, phase, method, params, headers))


def _ask_once(s: Session, phase: str, method: str, params: dict[str, Any], headers: dict[str, str] | None) -> Ask:
    request = say.ask_for(s, phase, method, params, headers)
    reply = yield request
    hear(s, request, reply, s.era, s.protocol_version)
    return reply


def _session_lost(s: Session, reply: Reply) -> bool:
    if s.session_id is None or s.era is not Era.LEGACY:
        return False
    code = reply.answer.error_code if isinstance(reply.answer, Answer) else None
    if code == METHOD_NOT_FOUND:
        return False
    return reply.status == 404 or (reply.status == 400 and code in _SESSION_ERRORS)


def list_tools(s: Session) -> Steps:
    """All tools into `s.tools`: what is no tool is reported and left out. Raises Failure."""
    if "tools" not in s.capabilities:
        s.tools = []
        return
    items, failure = yield from _pages(s, TOOLS)
    key = (s.pages, s.protocol_version, s.era)
    listed = s.past.listed
    if listed is not None and listed.key == key and all(s.pages):
        s.tools = listed.tools
        s.find(listed.findings)
    else:
        s.tools, findings = check_tools(s.protocol_version, s.era, items, s.past.order)
        s.find(findings)
        s.past.listed = Listed(key, s.tools, tuple(f for f in findings if f.rule != "M-ORDER"))
    if s.era is Era.MODERN:
        s.past.order = tuple(tool["name"] for tool in s.tools)
    if failure is not None:
        raise failure


def list_others(s: Session, names: tuple[str, ...]) -> Steps:
    """The lists asked for besides tools; one that fails is a finding, for the server's tools can be used."""
    for name in names:
        kind = OTHERS[name]
        if kind.capability not in s.capabilities:
            continue
        try:
            items, failure = yield from _pages(s, kind)
        except Failure as broken:
            if broken.reply is None:
                s.find([finding("CAP-DECLARED-FAILS", f"{kind.method}: {broken.message}", "warning")])
                return
            failure, items = broken, []
        if failure is not None and failure.code is None and (failure.http_status or 0) >= 300:
            s.find([finding("CAP-DECLARED-FAILS", f"{kind.method}: {failure.message}", "warning")])
        elif failure is None or failure.usable:
            setattr(s, name, [item for item in items if isinstance(item, dict)])


Pages = Generator[Request, Reply, tuple[list[Any], Failure | None]]


def _pages(s: Session, kind: ListKind) -> Pages:
    """(items, Failure or None) of every page. Raises Failure where a page could not be had."""
    items: list[Any] = []
    pages: list[dict[str, Any]] = []
    cursors: set[str] = set()
    params: dict[str, Any] = {}
    size = 0
    phase = "tools_list" if kind is TOOLS else kind.name
    while True:
        reply = yield from ask(s, phase, kind.method, params)
        size += reply.size
        if kind is TOOLS:
            s.pages = (*s.pages, reply.digest)
        answer = reply.answer
        if not (isinstance(answer, Answer) and answer.result is not None and 200 <= reply.status < 300):
            raise _list_failure(s, reply, kind)
        page = answer.result.get(kind.key)
        if not isinstance(page, list):
            message = f"{kind.method} answered without a list of {kind.key}"
            raise Failure(Layer.MCP, Reason.BAD_RESULT, message, reply)
        items += page
        pages.append({k: v for k, v in answer.result.items() if k != kind.key})
        cursor = answer.result.get("nextCursor")
        if len(items) > ITEMS_LIMIT and cursor is None:
            s.find(check_pages(kind.method, pages))
            message = f"{kind.method} lists {len(items):,} items, of which {ITEMS_LIMIT:,} are looked at"
            return items[:ITEMS_LIMIT], Failure(Layer.HTTP, Reason.TOO_LARGE, message, reply, usable=True)
        if cursor is None:
            s.find(check_pages(kind.method, pages))
            return items, None
        over = len(pages) >= PAGES_LIMIT or len(items) > ITEMS_LIMIT or size > BYTES_LIMIT
        if not isinstance(cursor, str) or cursor in cursors or over:
            s.find(check_pages(kind.method, pages, cut=True))
            message = f"{kind.method} never ends: {len(items)} items on the {len(pages)} pages read"
            return items[:ITEMS_LIMIT], Failure(Layer.MCP, Reason.PAGINATION, message, reply, usable=True)
        cursors.add(cursor)
        params = {"cursor": cursor}


def _list_failure(s: Session, reply: Reply, kind: ListKind) -> Failure:
    if s.renewed and _session_lost(s, reply):
        message = f"HTTP {reply.status}: the server forgets its sessions at once, twice in one exchange"
        return Failure(Layer.MCP, Reason.SESSION_LOST, message, reply)
    return of_reply(reply, Reason.LIST_FAILED, kind.method)
