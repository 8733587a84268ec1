"""opsgenie: Alert API. Pure.

An incident is one alert: its `alias` is the incident's id. An alias that is open already takes a create as one more
occurrence, with its note; so openings, updates and reminders are the same request, and none needs another before it.
https://docs.opsgenie.com/docs/alert-api: message 130, alias 512, description 15,000, details 8,000, entity 512, source
100, note 25,000 characters, 20 tags of 50.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from lookout.notify.facts import Phase, phase
from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.text import one_line
from lookout.notify.words import Story, just_taken, tell
from lookout.verdict.case import Notice

HOSTS: Final = {"us": "https://api.opsgenie.com", "eu": "https://api.eu.opsgenie.com"}
_PRIORITIES: Final = {"critical": "P1", "high": "P2", "warning": "P3"}
_DETAILS: Final = 7000
_SOURCE: Final = "Lookout"


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """Create, acknowledge or close by alias. All are answered 202; a close of what is not open harms nothing."""
    del now
    host, story = HOSTS[target.options.get("region", "us")], tell(notice, site_url)
    headers = {"authorization": f"GenieKey {target.url}"}
    action = "close" if phase(notice) is Phase.RESOLVED else "acknowledge" if just_taken(notice) else ""
    if action:
        alias = quote(notice.dedup_key[:512], safe="")
        body = {"source": _SOURCE, "note": one_line(_sentence(story), 25_000)}
        return post(f"{host}/v2/alerts/{alias}/{action}?identifierType=alias", body, headers)
    return post(f"{host}/v2/alerts", _create(notice, story), headers)


def _create(notice: Notice, story: Story) -> dict[str, Any]:
    tags = [one_line(str(tag), 50) for tag in (*notice.server.get("tags", ()), "external", notice.type)]
    description = "\n".join(f"{fact.name}: {one_line(fact.value, 1000)}" for fact in story.facts)
    lists = [f"{one.heading}:{one.joined(_name, _name)}" for one in story.listings]
    text = "\n".join([one_line(_sentence(story), 4000), *lists, description, story.page or ""]).strip()
    return {
        "message": one_line(f"{story.name} {story.verb}", 130),
        "alias": notice.dedup_key[:512],
        "description": text[:15_000],
        "tags": list(dict.fromkeys(tags))[:20],
        "details": _details(notice, story),
        "entity": one_line(notice.slug, 512),
        "source": _SOURCE,
        "priority": _PRIORITIES.get(notice.severity, "P5"),
        "note": one_line(_sentence(story), 25_000),
    }


def _details(notice: Notice, story: Story) -> dict[str, str]:
    """Custom properties: text only, at most 8,000 characters with their names."""
    wanted = {
        "type": notice.type,
        "status": notice.status,
        "previous_status": notice.previous_status,
        "layer": notice.failure.layer or "",
        "reason": notice.failure.reason or "",
        "url": story.address,
        "status_page": story.page or "",
    }
    return {name: one_line(value, _DETAILS // len(wanted)) for name, value in wanted.items() if value}


def _name(name: str) -> str:
    return one_line(name, 120)


def _sentence(story: Story) -> str:
    return ": ".join(part for part in (f"{story.name} {story.verb}", story.cause, story.detail, story.note) if part)
