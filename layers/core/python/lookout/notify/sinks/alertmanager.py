"""Alertmanager: what its API v2 is sent, and the webhook (version 4) it sends itself, in our place. Pure.

Labels are an alert's identity. So there is none that changes while an incident lasts: the severity and the layer are
those it was opened with, and regions, reasons, times and ids are annotations. Alertmanager forgets a firing alert at
its `endsAt`; clients are expected to send what fires again and again, and what is resolved for some minutes more.
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lookout.notify.facts import Phase, phase
from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.text import one_line, rfc3339
from lookout.notify.words import links, tell
from lookout.verdict.case import Incident, Notice

HOLD_S: Final = 240
"""A firing alert lasts so long after it was sent, unless it is sent again (each minute) or resolved before."""
NEWS_S: Final = 86_400
"""What nothing will resolve, and nobody sends again, lasts so long."""
NAMES: Final = {
    "availability": "MCPServerDown",
    "regional": "MCPServerDegraded",
    "latency": "MCPServerDegraded",
    "limited": "MCPServerLimited",
    "drift": "MCPToolSchemaDrift",
    "certificate": "MCPTLSExpiringSoon",
    "credential": "MCPCredentialExpiringSoon",
    "region": "MCPProbeRegionStale",
    "mass": "MCPServersDown",
    "slo": "MCPErrorBudgetBurn",
}
"""Kind of incident -> alertname."""
_BY_TYPE: Final = {
    "drift.detected": "drift",
    "tls.expiring": "certificate",
    "credential.expiring": "credential",
    "latency.degraded": "latency",
    "region.stale": "region",
    "slo.burn": "slo",
}
_SEVERITIES: Final = {
    "availability": "critical",
    "mass": "critical",
    "drift": "high",
    "certificate": "warning",
    "credential": "warning",
    "slo": "high",
}
_TEXT: Final = 1000


def labels(kind: str, slug: str, layer: str | None) -> dict[str, str]:
    """An alert's identity. `layer` is the failure's when the incident began; `severity` is the kind's own."""
    made = {
        "alertname": NAMES.get(kind, "MCPNotice"),
        "server": slug,
        "severity": _SEVERITIES.get(kind, "warning"),
        "job": "lookout",
        "source": "external",
    }
    return {**made, "failure_layer": layer} if layer else made


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """POST {url}/api/v2/alerts with the one alert of the notice."""
    return post_alerts([alert(notice, site_url, now)], target)


def post_alerts(alerts: Sequence[Mapping[str, Any]], target: Target) -> HttpRequest:
    """POST {url}/api/v2/alerts with postableAlerts."""
    headers = dict(target.options.get("headers", {}))
    if "bearer" in target.options:
        headers["authorization"] = f"Bearer {target.options['bearer']}"
    return post(f"{target.url.rstrip('/')}/api/v2/alerts", list(alerts), headers)


def alert(notice: Notice, site_url: str, now: int) -> dict[str, Any]:
    """A postableAlert. What nothing will ever resolve ends by itself, NEWS_S after it was sent."""
    incident = notice.incident
    begin = incident.started_at if incident is not None else notice.created_at
    end = now + (NEWS_S if incident is None else HOLD_S)
    if incident is not None and incident.resolved_at is not None:
        end = incident.resolved_at
    story = tell(notice, site_url)
    annotations = {
        "summary": one_line(f"{story.name} {story.verb}", _TEXT),
        "description": one_line(": ".join(part for part in (story.cause, story.detail) if part), _TEXT),
        "previous_status": notice.previous_status,
        "probe_result": notice.status,
        "notice_severity": notice.severity,
        "incident": notice.dedup_key,
        "status_page": links(notice, site_url)["status_page"] or "",
    }
    return _alert(_labels(notice), annotations, begin, max(begin, end), links(notice, site_url)["incident"])


def webhook_v4(notice: Notice, site_url: str) -> dict[str, Any]:
    """The body Alertmanager's own webhook receivers know (`format: alertmanager-v4`), with one alert in it."""
    made = alert(notice, site_url, notice.created_at)
    resolved = phase(notice) is Phase.RESOLVED
    status = "resolved" if resolved else "firing"
    name = made["labels"]["alertname"]
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}", server="{notice.slug}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "lookout",
        "groupLabels": {"alertname": name, "server": notice.slug},
        "commonLabels": made["labels"],
        "commonAnnotations": made["annotations"],
        "externalURL": site_url,
        "alerts": [
            {
                "status": status,
                "labels": made["labels"],
                "annotations": made["annotations"],
                "startsAt": made["startsAt"],
                "endsAt": made["endsAt"] if resolved else "0001-01-01T00:00:00Z",
                "generatorURL": made.get("generatorURL", ""),
                "fingerprint": fingerprint(made["labels"]),
            }
        ],
    }


def fingerprint(of: Mapping[str, str]) -> str:
    """A label set's fingerprint as Prometheus makes it: 64-bit FNV-1a over names, sorted, and values, 0xFF between."""
    made = 14_695_981_039_346_656_037
    for name in sorted(of):
        for byte in name.encode() + b"\xff" + of[name].encode("utf-8", "replace") + b"\xff":
            made = ((made ^ byte) * 1_099_511_628_211) & 0xFFFF_FFFF_FFFF_FFFF
    return f"{made:016x}"


def _labels(notice: Notice) -> dict[str, str]:
    incident = notice.incident
    if incident is not None:
        return labels(incident.kind, incident.slug, _layer(incident))
    news = {**labels(_BY_TYPE.get(notice.type, ""), notice.slug, None), "severity": notice.severity}
    return news if notice.type in _BY_TYPE else {**news, "notice": notice.type}


def _layer(incident: Incident) -> str | None:
    """Only an outage has one that is the same from its beginning to its end."""
    return (incident.evidence or incident.failure).layer if incident.kind == "availability" else None


def _alert(
    identity: dict[str, str], annotations: dict[str, str], begin: int, end: int, link: str | None
) -> dict[str, Any]:
    """Without what is empty: Alertmanager drops empty labels, and would show empty annotations."""
    made: dict[str, Any] = {
        "labels": identity,
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": rfc3339(begin),
        "endsAt": rfc3339(end),
    }
    return {**made, "generatorURL": link} if link else made
