"""Requests beyond the exchange that only a rule wants, sans-I/O: they decide no status and count in no latency.

Protected-resource metadata is looked up after a 401, active checks run where the owner asks for them: both once, and
anew when the past is told to forget (daily). What cannot be had in time says nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from lookout.probe.failure import Failure
from lookout.probe.messages import Reply, Request
from lookout.probe.result import Era, Finding, Reason
from lookout.probe.rules.active import PHASE, active_checks
from lookout.probe.rules.authorization import check_prm, metadata_urls
from lookout.probe.session import Session, Steps, goodbye

METADATA_PHASE: Final = "metadata"
METADATA_PATIENCE_S: Final = 3.0
PHASES: Final = (METADATA_PHASE, PHASE)
"""What these requests are called in the timings."""

Looking = Generator[Request, Reply, list[Finding]]


def look_at_metadata(s: Session, refused: Reply) -> Steps:
    """After a 401: whether the server says where its tokens come from (Authorization)."""
    if s.past.metadata is None:
        s.past.metadata = yield from _metadata(refused)
    s.find(s.past.metadata)


def _metadata(refused: Reply) -> Looking:
    challenge = refused.headers.get("www-authenticate", "")
    urls, named = metadata_urls(refused.url, challenge)
    document = None
    for url in urls:
        request = Request(
            METADATA_PHASE, "GET", {"accept": "application/json"}, target=url, patience_s=METADATA_PATIENCE_S
        )
        try:
            reply = yield request
        except Failure as failure:
            if failure.reason is Reason.DEADLINE:
                return []
            continue
        if reply.status == 200 and reply.message is not None:
            document = reply.message
            break
    return check_prm(refused.url, document, named) if urls else []


def check_actively(s: Session) -> Steps:
    """What the owner asked for with `active_checks: true`; the session is ended on the way."""
    if s.past.active is None:
        s.past.active = yield from _active(s)
    s.find(s.past.active)


def _active(s: Session) -> Looking:
    if s.era is None or s.era is Era.SSE or s.protocol_version is None:
        return []
    found: list[Finding] = []
    checks = active_checks(
        s.era, s.protocol_version, session_id=s.session_id, capabilities=s.capabilities, first_id=s.requests + 1
    )
    for check in checks:
        try:
            if check.after_delete and s.session_id is not None and s.session_id not in s.ended:
                for farewell in goodbye(s, ()):
                    ended = yield farewell
                    s.ended.add(s.session_id)
                    if not 200 <= ended.status < 300:
                        return found
            found += check.judge((yield check.request))
        except Failure as failure:
            if failure.reason is Reason.DEADLINE:
                break
    return found
