"""Notices in a form to print: lines for people, JSON for programs. No I/O.

What a server or a receiver said is printed as one line without control characters, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lookout.jobs.notices import Letter, Replay, Stand
from lookout.probe.quoting import quote
from lookout.status.text import plural, rfc3339


def letter_json(letter: Letter) -> dict[str, Any]:
    """One notice, and how it stands with each sink."""
    notice = letter.notice
    return {
        "id": notice.id,
        "type": notice.type,
        "created_at": rfc3339(notice.created_at),
        "server": notice.slug,
        "severity": notice.severity,
        "status": notice.status,
        "previous_status": notice.previous_status,
        "dedup_key": notice.dedup_key,
        "deliveries": [_stand_json(stand) for stand in letter.stands],
    }


def _stand_json(stand: Stand) -> dict[str, Any]:
    tried = stand.delivery
    return {
        "sink": stand.sink,
        "result": stand.result,
        "attempts": 0 if tried is None else tried.attempts,
        "answer": None if tried is None else tried.answer,
        "at": None if tried is None else rfc3339(tried.at),
        "next_attempt_at": rfc3339(tried.due) if tried is not None and stand.result == "retrying" else None,
    }


def replay_json(one: Replay) -> dict[str, Any]:
    """What became of one delivery."""
    return {"id": one.notice.id, "sink": one.sink, "queued": not one.why, "why": one.why or None}


# --- for a person --------------------------------------------------------------------------------------------------


def table(found: Sequence[Letter]) -> str:
    """A line each: id, when, what, about whom, and how it stands with each sink."""
    if not found:
        return "no notices\n"
    rows = [
        (one.notice.id, rfc3339(one.notice.created_at), one.notice.type, quote(one.notice.slug, 63)) for one in found
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = (
        "  ".join([*map(str.ljust, row, widths), _in_short(letter)]).rstrip()
        for row, letter in zip(rows, found, strict=True)
    )
    return "".join(f"{line}\n" for line in lines)


def _in_short(letter: Letter) -> str:
    return ", ".join(f"{quote(stand.sink, 63)} {stand.result}" for stand in letter.stands) or "for no sink"


def letter_text(letter: Letter) -> str:
    """All of it."""
    return "".join(f"{line}\n" for line in _lines(letter))


def _lines(letter: Letter) -> Iterator[str]:
    notice = letter.notice
    yield f"{notice.id}  {notice.type}, {notice.severity}"
    yield f"  about     {quote(str(notice.server.get('name') or notice.slug), 120)} ({quote(notice.slug, 63)})"
    yield f"  status    {notice.status}, before that {notice.previous_status}"
    if notice.incident is not None:
        yield f"  incident  {notice.dedup_key}, {notice.incident.kind}"
    yield f"  made      {rfc3339(notice.created_at)}"
    yield ""
    yield "Deliveries"
    if not letter.stands:
        yield "  no sink is told"
    for stand in letter.stands:
        yield f"  {quote(stand.sink, 63)}: {_stand_text(stand)}"


def _stand_text(stand: Stand) -> str:
    tried = stand.delivery
    if tried is None:
        lost = "it was never tried, and waits no longer: `lookout notices replay`"
        return f"lost: {lost}" if stand.result == "lost" else "waiting: not tried yet"
    made = f", {plural(tried.attempts, 'attempt')}" if tried.attempts else ""
    answer = f": {quote(tried.answer, 200)}" if tried.answer else ""
    following = f"; the next attempt is at {rfc3339(tried.due)}" if stand.result == "retrying" and tried.due else ""
    return f"{stand.result} {rfc3339(tried.at)}{made}{answer}{following}"


def replay_text(done: Sequence[Replay]) -> str:
    """A line for each delivery."""
    return "".join(
        f"{one.notice.id} to {quote(one.sink, 63)}: {f'not sent: {one.why}' if one.why else 'queued'}\n" for one in done
    )
