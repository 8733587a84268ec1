"""Whose error budget burns, for servers that ask to be told: `slo.burn`. Pure. Decision 21.

A rule of `history.slo` burns, does not, or cannot say: what is not known neither opens an alert nor ends one. An alert
opens with the first rule that burns, is told again when one of higher severity joins, and ends when none burns in two
minutes in a row. `Burning` is all that is kept of it, and written together with its notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, Final, Self

from lookout.config.model import Server, Site
from lookout.history.slo import Burn, burns
from lookout.history.uptime import Tally
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.people import as_heard
from lookout.verdict.routing import Subject, audience, known
from lookout.verdict.state import Failure, ServerState

NOTICE: Final = "slo.burn"
KIND: Final = "slo"
PREFIX: Final = "slo_"
"""Ids of these alerts begin so; no incident's does."""
AGAIN_S: Final = 3600
"""A server's next alert opens so long after the last one did, at the earliest."""
OPENED: Final = "opened"
UPDATED: Final = "updated"
RESOLVED: Final = "resolved"
PAGE: Final = "page"
_SEVERITIES: Final = {PAGE: "high", "ticket": "warning"}
_LAST: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Stand:
    """How a rule stands; `burning` None: it cannot say."""

    burn: Burn
    burning: bool | None


@dataclass(frozen=True, slots=True)
class Burning:
    """The last alert of a server, open or over. Times are unix seconds, of whole minutes; 0: has not come.

    `version` is the compare-and-set token; 0 means never stored.
    """

    slug: str
    opened_at: int
    rule: str
    """The rule it was told for, the most severe so far."""
    severity: str
    """Of that rule: page or ticket."""
    calm_at: int = 0
    """The first minute in which no rule burned."""
    over_at: int = 0
    resolution: str | None = None
    """recovered; removed or paused: so is the server; off: it does not ask any more."""
    silent: bool = False
    """Nobody was told: a mass failure's digest has told of what burns."""
    sinks: tuple[str, ...] = ()
    """Who was told."""
    server: Mapping[str, Any] = field(default_factory=dict)
    """As in the newest notice, to tell the end when the server is gone."""
    slo: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0

    @property
    def open(self) -> bool:
        """Does it go on?"""
        return not self.over_at

    @property
    def id(self) -> str:
        """Its lifecycle key: the same, whichever tick opens it in that minute."""
        return PREFIX + ids.ulid(self.opened_at, self.slug, KIND)

    @property
    def incident(self) -> Incident:
        """It as an incident, which is in no casebook and on no page."""
        return Incident(
            id=self.id,
            slug=self.slug,
            started_at=self.opened_at,
            opened_at=self.opened_at,
            status="burning",
            public=False,
            title=str(self.server.get("name", self.slug)),
            resolved_at=self.over_at or None,
            resolution=self.resolution,
            kind=KIND,
            sinks=self.sinks,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object, without the slug and the version."""
        return {name: value for name, value in asdict(self).items() if name in _KEPT}

    @classmethod
    def from_json(cls, slug: str, version: int, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`; what this version does not know is left out."""
        values = {name: data[name] for name in _KEPT if name in data}
        return cls(slug, **{**values, "sinks": tuple(values.get("sinks", ()))}, version=version)


_KEPT: Final = frozenset(one.name for one in fields(Burning)) - {"slug", "version"}


def stands(tallies: Mapping[int, Tally], server: Server) -> tuple[Stand, ...]:
    """How every rule stands, the most severe first; `tallies` of the last so many seconds, as far as they are known."""
    return tuple(Stand(burn, _burns(burn, tallies, server)) for burn in burns(tallies, server.slo))


def _burns(burn: Burn, tallies: Mapping[int, Tally], server: Server) -> bool | None:
    rates = (burn.long_rate, burn.short_rate)
    if any(rate is not None and rate < burn.rule.threshold for rate in rates):
        return False
    if None in rates:
        return None
    tally = tallies[burn.rule.long_s]
    if tally.fail < server.down_after:
        return False  # fewer rounds than make an outage: a blip is not told because it is dear
    judged, rounds = tally.ok + tally.fail, burn.rule.long_s // server.interval_s
    half = 2 * judged >= rounds - tally.excluded
    return True if half and judged >= burn.rule.short_s // server.interval_s else None


def turn(before: Burning | None, found: Sequence[Stand], slug: str, now: int) -> tuple[Burning, str] | None:
    """What becomes of a server's alert, and what is to be told (empty: nothing, but it is to be kept).

    None: nothing changes. `found` as from `stands`.
    """
    minute = now // 60 * 60
    worst = next((stand.burn.rule for stand in found if stand.burning), None)
    if before is None or not before.open:
        if worst is None or (before is not None and minute - before.opened_at < AGAIN_S):
            return None
        version = before.version if before is not None else 0
        return Burning(slug, minute, worst.name, worst.severity, version=version), OPENED
    if worst is not None:
        if worst.severity == PAGE and before.severity != PAGE:
            return replace(before, rule=worst.name, severity=PAGE, calm_at=0), UPDATED
        return (replace(before, calm_at=0), "") if before.calm_at else None
    if any(stand.burning is None and stand.burn.rule.name == before.rule for stand in found):
        return None
    if not before.calm_at:
        return replace(before, calm_at=minute), ""
    if minute <= before.calm_at:
        return None
    return replace(before, over_at=before.calm_at, resolution="recovered"), RESOLVED


def closed(before: Burning, server: Server | None, now: int) -> Burning:
    """It ends because we look no more: the server is gone (None), paused, or does not ask any more."""
    why = "removed" if server is None else "paused" if server.paused else "off"
    return replace(before, over_at=max(before.opened_at, now // 60 * 60), resolution=why)


def told(
    after: Burning,
    what: str,
    server: Server | None,
    state: ServerState,
    site: Site,
    found: Sequence[Stand],
    budget: Fraction | None,
    now: int,
) -> tuple[Burning, Notice]:
    """The notice of a turn, and what is to be kept with it. `server` None: it is gone.

    Whoever was told is told of the end. `budget`: what is left of it, None where that is not known.
    """
    severity = "info" if what == RESOLVED else _SEVERITIES[after.severity]
    if server is not None:
        subject = Subject(NOTICE, severity, KIND)
        after = replace(after, sinks=audience(site, server, subject, after.sinks), server=_named(server))
    else:
        after = replace(after, sinks=known(site, after.sinks))
    burn = next((stand.burn for stand in found if stand.burn.rule.name == after.rule), None)
    if server is not None and burn is not None:
        after = replace(after, slo=_figures(server, burn, budget))
    minute = now // 60 * 60
    return after, Notice(
        id=ids.notice_id(after.id, f"{NOTICE}:{what}", minute),
        type=NOTICE,
        created_at=now,
        slug=after.slug,
        status=state.status.value,
        previous_status=state.previous.value,
        previous_since=state.previous_since,
        severity=severity,
        dedup_key=after.id,
        sequence={OPENED: 0, RESOLVED: _LAST}.get(what, minute),
        server=after.server,
        failure=Failure(),
        quorum=as_heard(state, site, KIND),
        regions=state.regions,
        incident=after.incident,
        sinks=after.sinks,
        slo=after.slo,
    )


def _named(server: Server) -> dict[str, Any]:
    return {
        "slug": server.slug,
        "name": server.title,
        "url": server.url,
        "visibility": server.visibility,
        "tags": list(server.tags),
    }


def _figures(server: Server, burn: Burn, budget: Fraction | None) -> dict[str, Any]:
    """As the webhook has them (docs/reference/webhook.md): rates to two digits, what is left to four."""
    return {
        "objective": server.slo,
        "window": burn.rule.name,
        "severity": burn.rule.severity,
        "burn_rate": _rounded(burn.long_rate, 2),
        "threshold": _rounded(burn.rule.threshold, 2),
        "short_window_seconds": burn.rule.short_s,
        "short_burn_rate": _rounded(burn.short_rate, 2),
        "budget_remaining": _rounded(budget, 4),
    }


def _rounded(value: Fraction | None, digits: int) -> float | None:
    return None if value is None else float(round(value, digits))
