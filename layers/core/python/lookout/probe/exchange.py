"""The Model Context Protocol exchange of one probe, sans-I/O: a generator that yields requests and is sent replies.

    modern   server/discover -> tools/list, a page at a time
    legacy   initialize -> notifications/initialized -> tools/list -> DELETE of the session
    sse      GET, its endpoint event -> the same as legacy, answers on the stream; closing it ends the session

then, where the owner asks for it: the other lists, one tool call, active checks. `detect` decides the era. Whatever
happens, the caller sends the requests of `goodbye` last. A request that could not be carried out is thrown in as a
Failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lookout.probe.detect import connect
from lookout.probe.extras import check_actively, look_at_metadata
from lookout.probe.failure import Failure
from lookout.probe.lists import list_others, list_tools
from lookout.probe.result import Era
from lookout.probe.rules.past import Past
from lookout.probe.session import Session, Steps, goodbye
from lookout.probe.tool_call import call_tool

__all__ = ["Plan", "Session", "Steps", "exchange", "goodbye"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the exchange shall do. `known` is the remembered era; `forced`: speak it or nothing."""

    known: Era | None = None
    forced: bool = False
    lists: tuple[str, ...] = ()
    tool_call: Mapping[str, Any] | None = field(default=None)
    active_checks: bool = False
    past: Past = field(default_factory=Past)


def exchange(s: Session, plan: Plan) -> Steps:
    """The whole exchange. Raises Failure where it cannot go on."""
    try:
        yield from connect(s, plan.known, plan.forced)
    except Failure as failure:
        if failure.reply is not None and failure.reply.status == 401:
            yield from look_at_metadata(s, failure.reply)
        raise
    yield from list_tools(s)
    yield from list_others(s, plan.lists)
    if plan.tool_call is not None:
        yield from call_tool(s, plan.tool_call)
    if plan.active_checks:
        yield from check_actively(s)
