"""What a person does to an incident: acknowledges it, or writes a note (decision 12, P1). Pure.

No state is changed by it. An acknowledged surface change is accepted: its incident is resolved at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lookout.config.model import Server, Site
from lookout.probe.result import Status
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.notices import incident_notice
from lookout.verdict.routing import remembering
from lookout.verdict.state import Quorum, ServerState

NOTE_LIMIT: Final = 500
"""Characters of a note."""
NAME_LIMIT: Final = 80
"""Characters of a person's name."""


def acknowledge(
    incident: Incident,
    server: Server,
    state: ServerState,
    site: Site,
    at: int,
    by: str,
    text: str = "",
    *,
    public: bool = True,
) -> tuple[Incident, Notice]:
    """The incident somebody took in hand, with its notice: `incident.updated`, or for drift `incident.resolved`; info.

    Of an acknowledgement that is not public the text is for the operators alone; that there is one is for everybody.
    """
    after = incident.noting(at, "acknowledged", text, by=by, public=public)
    told = "incident.updated"
    if incident.kind == "drift":
        after = replace(after, resolved_at=max(at, incident.started_at), resolution="accepted")
        after = after.noting(at, "resolved", "accepted")
        told = "incident.resolved"
    notice = incident_notice(told, server, state, after, as_heard(state, site, "acknowledged"), at, at, site, "info")
    # Of the judge's notices one of each type is made in a minute: this one takes the place of none of them.
    after = remembering(after, server, notice.sinks)
    return after, replace(notice, id=ids.notice_id(incident.id, "acknowledged", at))


def as_heard(state: ServerState, site: Site, rule: str) -> Quorum:
    """How the regions stand by what each said last."""
    statuses = [Status(view.status) for view in state.regions]
    failing = sum(status.failing for status in statuses)
    fine = sum(status.ok for status in statuses)
    total = len(site.regions)
    return Quorum(total, failing, max(0, total - failing - fine), rule, state.fail_rounds)
