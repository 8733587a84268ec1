"""pagerduty: Events API v2. Pure.

An incident is one alert: `dedup_key` is the incident's id. What nothing will end and nobody has to act on is a change
event, which calls nobody. https://developer.pagerduty.com/docs/send-alert-event: summary 1,024, dedup_key 255
characters, 512 KB in all; change events: https://developer.pagerduty.com/docs/send-change-event.
"""

from __future__ import annotations

from typing import Any, Final

from lookout.notify.facts import Phase, phase
from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.sinks.webhook import payload
from lookout.notify.text import one_line, rfc3339
from lookout.notify.words import Story, just_taken, tell
from lookout.verdict.case import Notice

HOSTS: Final = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
_SEVERITIES: Final = {"critical": "critical", "high": "error", "warning": "warning"}
_CLIENT: Final = "Lookout"


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """An alert event, or a change event."""
    del now
    host, story = HOSTS[target.options.get("region", "us")], tell(notice, site_url)
    if phase(notice) is Phase.NEWS and notice.severity not in _SEVERITIES:
        return post(f"{host}/v2/change/enqueue", _change(notice, story, target.url), secrets=(target.url,))
    return post(f"{host}/v2/enqueue", _alert(notice, story, target.url, site_url), secrets=(target.url,))


def _alert(notice: Notice, story: Story, key: str, site_url: str) -> dict[str, Any]:
    """Triggered again, an alert that is open takes the event into its log and calls nobody anew."""
    resolved = phase(notice) is Phase.RESOLVED
    action = "resolve" if resolved else "acknowledge" if just_taken(notice) else "trigger"
    made: dict[str, Any] = {
        "routing_key": key,
        "event_action": action,
        "dedup_key": notice.dedup_key[:255],
        "client": _CLIENT,
        "payload": {
            "summary": one_line(f"{story.line}", 1024),
            "source": one_line(notice.slug, 255),
            "severity": _SEVERITIES.get(notice.severity, "info"),
            "timestamp": rfc3339(notice.created_at),
            "component": "MCP server",
            "class": notice.type,
            "custom_details": payload(notice, site_url),
        },
    }
    tags = notice.server.get("tags")
    if tags:
        made["payload"]["group"] = one_line(", ".join(map(str, tags)), 255)
    return made | _links(story, "client_url")


def _change(notice: Notice, story: Story, key: str) -> dict[str, Any]:
    details = {fact.name: one_line(fact.value, 1000) for fact in story.facts}
    made = {
        "routing_key": key,
        "payload": {
            "summary": one_line(story.line, 1024),
            "source": one_line(notice.slug, 255),
            "timestamp": rfc3339(notice.created_at),
            "custom_details": details,
        },
    }
    return made | _links(story)


def _links(story: Story, url_key: str = "") -> dict[str, Any]:
    if story.page is None:
        return {}
    made: dict[str, Any] = {"links": [{"href": story.page, "text": "Status page"}]}
    return {**made, url_key: story.page} if url_key else made
