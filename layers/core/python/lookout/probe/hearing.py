"""Every reply of the exchange is heard here: its status kept, its conformance checked."""

from __future__ import annotations

from lookout.probe.messages import Reply, Request
from lookout.probe.result import Era
from lookout.probe.rules.lifecycle import check_redirect
from lookout.probe.rules.reply import check_reply
from lookout.probe.session import Session


def hear(s: Session, request: Request, reply: Reply, era: Era | None, version: str | None) -> None:
    """Keep the status of a reply, and what the rules of `era` and `version` find in it."""
    s.http_status = reply.status
    s.find(check_reply(request.rpc, era, version, reply, wanted_id=request.id))
    if reply.redirects and request.target is None:
        s.find(check_redirect("", reply.url))
