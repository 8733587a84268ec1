"""Bytes become a schedule: everything that happens around the judge, in order of time.

Zero is always the dullest choice, so that a schedule which fails is shrunk to the few things that matter. What it
knows: regions that are silent, late, too late, told twice with different words, out of order or with a wrong clock;
servers whose health changes, whole or in one region, that flap, that let nobody ask, whose certificate or credential
ends; a redeployment with another policy, interval, set of regions or of servers; windows of maintenance, declared
before, within or after their time, ended early; a pause and its end; a person who writes notes; a judge that is away,
killed before or after its transaction, raced by another, by a person or by a redeployment, refused without reason, or
whose clock is wrong; and stretches of many minutes in which nothing new happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from lookout.config.model import Server, Sink, Site
from lookout.config.window import Window
from lookout.history.round import Round
from lookout.probe.result import Era, Finding, Layer, ProbeResult, Reason, Status, TlsFacts

T = TypeVar("T")

START: Final = 1_790_000_040 // 60 * 60
MINUTES: Final = 150
ALL_REGIONS: Final = ("us-west-2", "eu-west-1", "ap-southeast-1", "sa-east-1")
SINKS: Final = (Sink("hook", "webhook", "https://ops.example/x"), Sink("chat", "slack", "https://chat.example/x"))
COUNTINGS: Final = ("exclude", "count_up", "count_as_is")
SLUGS: Final = ("acme", "bolt", "crane")


class Bytes:
    """Choices read from bytes, one each. It is false once there are no more, and then all choices are dull."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def of(self, options: Sequence[T]) -> T:
        """One of equally likely options, the dullest first."""
        return options[self.byte() * len(options) // 256]

    def seldom(self, options: Sequence[T], dull: T, share: float) -> T:
        """The dull one, or with a probability of `share` one of the options."""
        excess = self.byte() - round(256 * (1 - share))
        return dull if excess < 0 else options[excess % len(options)]


@dataclass(frozen=True)
class Event:
    """Something that happens at `at`: a `round` arrives, a `tick`, an `arm`ed fault, or a change by an `admin`."""

    at: int
    kind: str
    value: Any = None


@dataclass(frozen=True)
class Script:
    """A whole schedule. `events` in order; the world begins with `site` and `servers`."""

    site: Site
    servers: tuple[Server, ...]
    events: tuple[Event, ...]
    end: int


FAULTS: Final = (
    "no tick",
    "no wakes",
    "away",
    "killed before",
    "killed after",
    "rival",
    "rival killed",
    "refused",
    "behind",
    "ahead",
)
DELIVERIES: Final = (
    "silent",
    "late",
    "too late",
    "twice",
    "first",
    "fails",
    "fine",
    "unknown",
    "much too late",
    "partly",
)
MOODS: Final = (
    "down",
    "up",
    "down",
    "rejected",
    "slow",
    "auth",
    "limited",
    "dark",
    "up",
    "no credential",
    "other error",
    "sloppy",
    "wall",
    "flaps",
    "flaps slowly",
    "renewed",
)
SKEWS_S: Final = (0, 0, 0, 75, -75, 4000)
POLICIES: Final = ("thresholds", "quorum", "interval", "words", "limits", "warnings")
CHANGES: Final = (
    *POLICIES,
    "pause",
    "pause",
    "listed",
    "listed",
    "region",
    "region",
    "window",
    "window",
    "window",
    "note",
    "note",
)
STRETCHES: Final = (2, 3, 6, 16, 34, 65)
DAY: Final = 86400
ENDS: Final = (400, 30, 14, 7, 3, 0)
"""Days after the beginning, when a certificate or credential ends; some minutes are added."""


def server(slug: str, shard: str) -> Server:
    return Server(slug, f"https://{slug}.example/mcp", tags=("prod",), shard=shard, notify=("hook", "gone"))


def with_policy(choose: Bytes, one: Server, what: str) -> Server:
    """The server redeployed with another policy."""
    if what == "thresholds":
        return replace(one, down_after=choose.of((3, 2, 1, 4)), up_after=choose.of((2, 1, 3)))
    if what == "quorum":
        return replace(one, quorum=choose.of((None, 1, 2, 3)))
    if what == "interval":
        return replace(one, interval_s=choose.of((60, 120, 180)))
    if what == "limits":
        return replace(one, flap_after=choose.of((4, 1, 2, 0)), limited_after_s=choose.of((900, 60, 180)))
    if what == "warnings":
        times = choose.of(((30, 14, 7), (14,), (), (30, 7)))
        left_s = choose.of((72 * 3600, 0, 72 * 3600 - 120))
        return replace(one, tls_warn_s=tuple(days * DAY for days in times), credential_warn_s=left_s)
    words = choose.of((("public", "", ("hook",)), ("private", "Acme", ("hook", "chat")), ("public", "Acme", ())))
    return replace(one, visibility=words[0], name=words[1], notify=words[2])


def with_window(choose: Bytes, site: Site, slug: str, now: int) -> Site:
    """The site with one more window of maintenance, or without any: all of them ended by hand."""
    begins = choose.of((0, 3, -2, 1, None))
    if begins is None:
        return replace(site, maintenance=())
    begin = now // 60 * 60 + 60 * begins
    lasts, counting = choose.of((4, 1, 2, 10, 40)), choose.of(COUNTINGS)
    whom = choose.of(((slug,), ()))
    window = Window("", whom, (), begin, begin + 60 * lasts, uptime=counting).named()
    return replace(site, maintenance=(*site.maintenance, window))


def read(data: bytes) -> Script:
    """The schedule that those bytes are."""
    choose = Bytes(data)
    site = Site("Acme", "us-east-1", ALL_REGIONS[: choose.of((3, 3, 2, 1, 4))], SINKS)
    shards = choose.of((("s000",) * 3, ("s000", "s001", "s001")))
    servers = tuple(server(slug, shard) for slug, shard in zip(SLUGS, shards, strict=True))[: choose.of((1, 2, 3))]
    servers = tuple(with_policy(choose, with_policy(choose, one, "thresholds"), choose.of(POLICIES)) for one in servers)
    skews = {**dict.fromkeys(ALL_REGIONS, 0), choose.of(ALL_REGIONS): choose.of(SKEWS_S)}
    ends = Ends(*(START + choose.of(ENDS) * DAY + 60 * choose.of((3, 1, 8, 40)) for _ in "tc"))
    moods = {one.slug: "up" for one in servers}
    events: list[Event] = []
    minute = START
    while choose and minute < START + 60 * MINUTES:
        for one in servers:
            moods[one.slug] = choose.seldom(MOODS, moods[one.slug], 0.4)
        happens = choose.seldom((*FAULTS, *CHANGES), "", 0.35)
        events.append(Event(minute, "arm", happens if happens in FAULTS else ""))
        if happens == "listed":
            moods = {**dict.fromkeys(SLUGS, "up"), **moods}
        if happens in CHANGES:
            when = choose.of(("start", "middle", "race"))
            values = bytes(choose.byte() for _ in "values")
            kind = "race" if when == "race" else "admin"
            events.append(Event(minute + (45 if when == "middle" else 1), kind, (happens, values)))
        ways = _ways(choose, ALL_REGIONS[: max(3, len(site.regions))])
        for region, how in ways.items():
            events += _delivered(region, how, minute, moods, shards, skews[region], ends)
        events.append(Event(minute + 65, "tick"))
        minute += 60
        for _ in range(choose.seldom(STRETCHES, 1, 0.25) - 1):
            events.append(Event(minute, "arm", ""))
            for region in ways:
                events += _delivered(region, "", minute, moods, shards, skews[region], ends)
            events.append(Event(minute + 65, "tick"))
            minute += 60
    events.sort(key=lambda event: event.at)
    return Script(site, servers, tuple(events), minute)


def _ways(choose: Bytes, regions: Sequence[str]) -> dict[str, str]:
    """How each region delivers in one minute: mostly as it should, or one of them does not, or each in its own way."""
    byte = choose.byte()
    if byte >= 232:
        return {region: choose.seldom(DELIVERIES, "", 0.7) for region in regions}
    odd = regions[byte % len(regions)] if byte >= 128 else ""
    return {region: DELIVERIES[byte // len(regions) % len(DELIVERIES)] if region == odd else "" for region in regions}


def _delivered(
    region: str, how: str, minute: int, moods: Mapping[str, str], shards: Sequence[str], skew_s: int, ends: Ends
) -> list[Event]:
    if how == "silent":
        return []
    place = ALL_REGIONS.index(region)
    arrives = minute + {"late": 100 + place, "too late": 140 + place, "much too late": 400, "first": 3}.get(how, 25)
    forced = {"fails": "down", "fine": "up", "unknown": "limited"}
    out = []
    for shard in sorted(set(shards)):
        here = [slug for slug, of in zip(SLUGS, shards, strict=True) if of == shard and slug in moods]
        said = {slug: forced.get(how, moods[slug]) for slug in here}
        if how == "partly":
            said = dict(list(said.items())[:1])
        results = tuple(
            result(slug, mood, minute + 2 + (55 if how == "late" else 0) + skew_s, minute, place, ends)
            for slug, mood in said.items()
            if mood != "dark"
        )
        out.append(Event(arrives, "round", Round(shard, minute, region, results)))
        if how == "twice":
            turned = {r.slug: "down" if r.status.ok else "up" for r in results}
            other = tuple(result(slug, mood, minute + 9, minute, place, ends) for slug, mood in turned.items())
            out.append(Event(arrives + 2 + 30 * (minute // 60 % 3), "round", Round(shard, minute, region, other)))
    return out


_FAILURES: Final = {
    "down": (Layer.HTTP, Reason.HTTP_5XX, 502),
    "other error": (Layer.TCP, Reason.CONNECT_REFUSED, None),
    "rejected": (Layer.HTTP, Reason.CREDENTIAL_REJECTED, 401),
}
_STATUS: Final = {
    "up": Status.UP,
    "renewed": Status.UP,
    "sloppy": Status.DEGRADED,
    "wall": Status.UNKNOWN,
    "slow": Status.DEGRADED,
    "auth": Status.AUTH_REQUIRED,
    "limited": Status.UNKNOWN,
    "no credential": Status.UNKNOWN,
    "down": Status.DOWN,
    "other error": Status.DOWN,
    "rejected": Status.CREDENTIAL_REJECTED,
}


@dataclass(frozen=True)
class Ends:
    """When the certificate and the credential of every server end."""

    certificate: int = START + 400 * DAY
    credential: int = START + 800 * DAY


def result(slug: str, mood: str, at: int, minute: int, place: int, ends: Ends | None = None) -> ProbeResult:
    """What a probe says of a server in that mood; the words change with the minute, the figures with the region."""
    turn = minute // 60 % 5
    if mood.startswith("flaps"):
        mood = ("up", "down")[minute // (360 if mood == "flaps slowly" else 60) % 2]
    if ends is None or mood == "renewed":
        ends = Ends()
    if mood in _FAILURES:
        layer, reason, http_status = _FAILURES[mood]
        message = f"failed in {turn}"
        era = Era.LEGACY if turn == 1 else None
        return ProbeResult(slug, _STATUS[mood], at * 1000, layer, reason, message, http_status, era)
    if mood in ("limited", "wall"):
        reason, http_status = (Reason.RATE_LIMITED, 429) if mood == "limited" else (Reason.BOT_WALL, 403)
        return ProbeResult(slug, _STATUS[mood], at * 1000, Layer.HTTP, reason, http_status=http_status)
    if mood == "no credential":
        return ProbeResult(slug, _STATUS[mood], at * 1000, reason=Reason.CREDENTIAL_UNAVAILABLE)
    if mood == "auth":
        return ProbeResult(slug, _STATUS[mood], at * 1000, reason=Reason.AUTH_REQUIRED, http_status=401)
    return ProbeResult(
        slug,
        _STATUS[mood],
        at * 1000,
        reason={"slow": Reason.SLOW, "sloppy": Reason.NONCONFORMANT}.get(mood),
        era=Era.MODERN if turn else Era.LEGACY,
        protocol_version="2026-07-28" if turn else "2025-06-18",
        transport="http",
        server_name="server" if turn != 3 else None,
        server_version=f"1.{turn}",
        tools_count=turn,
        tools_hash=f"{turn:x}" * 12,
        timings_ms={"total": 10.0 + place + turn},
        tls=TlsFacts(not_after=ends.certificate + turn) if turn != 2 else None,
        credential_expires=ends.credential - place - turn if turn != 4 or place < 2 else None,
        findings=tuple(Finding(f"rule-{n}", "warning", "") for n in range(place, turn)),
    )
