"""What an agent reads: one server in Markdown, and llms.txt. Pure.

Text a watched server supplied is put in code spans, with backticks and control characters taken out, so that it stays
data: it cannot close the span, start a heading or become a link.
"""

from __future__ import annotations

from urllib.parse import quote

from lookout.history.uptime import percent
from lookout.regions import city
from lookout.status import changes, incidents, maintenance
from lookout.status.conformance import breaches
from lookout.status.feed import headline, incident_url, server_url
from lookout.status.incidents import cause
from lookout.status.summary import EXPLANATIONS, WORDS, outages_of, overall, warnings_of
from lookout.status.text import ago, clean, public_url, rfc3339
from lookout.status.view import Planned, ServerView, Snapshot
from lookout.verdict.case import Incident

WINDOWS = ("24h", "7d", "30d", "90d")
WINDOWS_LISTED = 20
"""Times of maintenance in llms.txt."""
FORMULA = "uptime = ok / (ok + fail) over judged rounds; coverage = (ok + fail) / rounds that were due"


def _code(text: str) -> str:
    text = clean(text).replace("`", "'")
    return f"`{text}`" if text else ""


def _plain(text: str) -> str:
    """Prose without any Markdown or HTML meaning."""
    return "".join("\\" + c if c in "\\`*_{}[]()#+-.!|<>~&" else c for c in clean(text, 200))


def server(snapshot: Snapshot, view: ServerView, now: int) -> bytes:
    """status/<slug>.md."""
    state = view.state
    lines = [
        f"# {_plain(view.title)}: {WORDS[state.status]}",
        "",
        f"{EXPLANATIONS[state.status]} Generated {rfc3339(snapshot.generated_at)} by {_plain(snapshot.site_name)}.",
        "",
        f"- endpoint: {_code(public_url(view.url))}",
        f"- status: {_code(state.status.value)}",
        f"- since: {rfc3339(state.since)} ({ago(state.since, now)})" if state.since else "- since: unknown",
    ]
    if state.status.failing and state.failure is not None:
        lines.append(f"- failure: {_code(cause(state.failure))}")
    if state.era or state.protocol_version:
        lines.append(
            f"- protocol: {_code(' '.join(filter(None, (state.protocol_version, state.era, state.transport))))}"
        )
    if state.tools_count is not None:
        lines.append(f"- tools: {state.tools_count}")
    lines += ["", "| window | uptime | coverage |", "|---|---|---|"]
    for name in WINDOWS:
        tally = view.windows.get(name)
        if tally is not None:
            lines.append(
                f"| {name} | {percent(tally.uptime) or 'no data'} | {percent(tally.coverage, 1) or 'no data'} |"
            )
    lines += ["", "| region | status | latency | checked | reason |", "|---|---|---|---|---|"]
    for seen in state.regions:
        latency = f"{seen.latency_ms} ms" if seen.latency_ms is not None else ""
        why = _code((seen.reason or "").replace("|", "/"))
        lines.append(f"| {city(seen.region)} | {seen.status} | {latency} | {rfc3339(seen.checked_at)} | {why} |")
    windows = maintenance.current(snapshot, now, view.slug)
    if windows:
        lines += ["", "## Maintenance", "", *(_planned(one, now) for one in windows)]
    broken = breaches(state)
    if broken:
        lines += ["", "## Where it departs from the specification", ""]
        lines += [f"- {breach.severity} `{breach.rule}`: {breach.meaning}" for breach in broken]
    lines += ["", "## Incidents", ""]
    found = outages_of(view)
    lines += [line for incident in found for line in _incident(snapshot, incident)] or ["None in the records."]
    warnings = warnings_of(view)
    if warnings:
        lines += ["", "## Warnings", "", "Not counted as time down.", ""]
        lines += [line for incident in warnings for line in _incident(snapshot, incident)]
    drifts = changes.changes_of(view)
    if drifts:
        lines += ["", "## Changes of what it offers", ""]
        lines += [f"- {rfc3339(c.at)} {changes.class_of(c).value}: {_code(changes.in_words(c))}" for c in drifts]
    lines += ["", f"How it is counted: {FORMULA}. Page: {server_url(snapshot, view)}"]
    return ("\n".join(lines) + "\n").encode()


def _planned(one: Planned, now: int) -> str:
    why = f": {_code(clean(one.reason, 200))}" if one.reason else ""
    state = maintenance.state(one, now).replace("_", " ")
    return f"- {rfc3339(one.begin)} until {rfc3339(one.end)}, {state}{why}"


def _incident(snapshot: Snapshot, incident: Incident) -> list[str]:
    """A line, and one more for the acknowledgement and each note."""
    why = _code(cause(incident.failure))
    first = f"- [{_plain(headline(incident))}]({incident_url(snapshot, incident)})" + (f": {why}" if why else "")
    said = incidents.written_by_people(incident)
    return [first, *(f"  - {rfc3339(line.at)} {line.title.lower()}: {_code(line.text)}" for line in said)]


def _windows(snapshot: Snapshot, now: int) -> list[str]:
    """The section of maintenance that runs or is to come, if there is any."""
    found = maintenance.current(snapshot, now)[:WINDOWS_LISTED]
    if not found:
        return []
    said = [f"{_planned(one, now)} ({_plain(maintenance.whom(snapshot, one))})" for one in found]
    return ["## Maintenance", "", *said, ""]


def llms(snapshot: Snapshot, now: int) -> bytes:
    """llms.txt (https://llmstxt.org): what this site is and where the machine-readable parts are."""
    whole = overall(snapshot, now)
    base = snapshot.site_url
    about = "The public status of MCP servers, probed from outside every minute."
    lines = [
        f"# {_plain(snapshot.site_name)}",
        "",
        f"> {about} At {rfc3339(snapshot.generated_at)}: {whole.headline}. {whole.detail}",
        "",
        "## Machine-readable",
        "",
        f"- [Current state]({base}/status.json): JSON, every server",
        f"- [All servers]({base}/api/v1/servers): JSON with uptime, regions and protocol",
        f"- [Statuspage summary]({base}/api/v2/summary.json): Statuspage v2 format",
        f"- [Metrics]({base}/metrics): Prometheus and OpenMetrics",
        f"- [Maintenance]({base}/api/v1/maintenance): JSON, of the last and the next seven days",
        f"- [Incidents]({base}/api/v1/incidents): JSON, with timelines",
        f"- Incidents as feeds: [Atom]({base}/feed.atom), [RSS]({base}/feed.rss), [JSON Feed]({base}/feed.json)",
        "",
        *_windows(snapshot, now),
        "## Servers",
        "",
    ]
    lines += [
        f"- [{_plain(view.title)}]({base}/status/{quote(view.slug, safe='')}.md): {WORDS[view.state.status].lower()}"
        for view in snapshot.servers
    ]
    return ("\n".join(lines) + "\n").encode()
