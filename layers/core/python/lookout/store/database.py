"""The `Store`: every query and every write of the tables, in terms of our own values."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, TransactWriteError
from pynamodb.transactions import TransactWrite

from lookout import settings
from lookout.config.diff import plan
from lookout.config.model import Config, Server, Site
from lookout.errors import ConflictError, FormatError
from lookout.history import round as rounds
from lookout.history.chunk import HOUR
from lookout.history.round import Round, pack_json, unpack_json
from lookout.store.archive import conflict
from lookout.store.casebook import Casebook, dump
from lookout.store.models import IncidentItem, RoundItem, models
from lookout.store.quietbook import Quietbook
from lookout.store.reportbook import Reportbook
from lookout.store.windowbook import Windowbook
from lookout.verdict.case import Incident, Notice, SurfaceChange
from lookout.verdict.incidents import close
from lookout.verdict.judge import Judgement
from lookout.verdict.maintenance import ended, stamped
from lookout.verdict.state import ServerState, ShardState

_log = logging.getLogger(__name__)

SITE_KEY = "#site"
STATE_KEY = "state"
_STATE_VERSION = 1
REMOVAL_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class AppliedChanges:
    """Slugs that applying a configuration created, changed and removed."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def round_key(shard: str, minute: int, region: str, confirmation: int = 0) -> tuple[str, str]:
    """(pk, sk) of a round: its identity, so a second write of it finds the first."""
    again = f"+{confirmation:02d}" if confirmation else ""
    return f"{shard}#{minute // HOUR}", f"{minute % HOUR // 60:02d}{again}#{region}"


def verdict_key(shard: str, minute: int) -> tuple[str, str]:
    """(pk, sk) of the verdicts of one minute."""
    return f"{shard}#{minute // HOUR}#verdict", f"{minute % HOUR // 60:02d}"


def notice_from_image(image: Mapping[str, Any]) -> Notice:
    """The notice in a stream record's NewImage."""
    return Notice.from_json(json.loads(image["data"]["S"]))


class Store(Casebook, Quietbook, Reportbook, Windowbook):
    """All data of one Lookout, in its home region. Times are unix seconds and come in as arguments."""

    # --- definitions -------------------------------------------------------------------------------------------

    def roster(self, consistent: bool = False) -> tuple[Site | None, list[Server]]:
        """The site and all servers, sorted by slug; one scan."""
        site: Site | None = None
        servers: list[Server] = []
        for item in self._m.server.scan(consistent_read=consistent):
            if item.slug == SITE_KEY:
                site = Site.from_item(json.loads(item.data))
            else:
                servers.append(Server.from_item(json.loads(item.data)))
        return site, sorted(servers, key=lambda s: s.slug)

    def site(self) -> Site | None:
        """The site alone."""
        try:
            return Site.from_item(json.loads(self._m.server.get(SITE_KEY).data))
        except DoesNotExist:
            return None

    def apply_config(self, config: Config, now: int) -> AppliedChanges:
        """Make the servers table say what `config` says, and touch nothing else. Repeating it changes nothing.

        A removed server's open incident is closed as `removed`, with its notice, in the transaction that removes it
        and its state. Raises ConflictError where the judge keeps moving that state: nothing of that server is removed.
        """
        site, current = self.roster()
        kept = self._keep_windows(site, config.site, now)
        by_slug = {server.slug: server for server in current}
        wanted = plan(by_slug, config.servers)
        if site != kept:
            self._put_definition(SITE_KEY, kept.to_item())
        for server in (*wanted.created, *wanted.changed):
            self._put_definition(server.slug, server.to_item())
        for server in wanted.removed:
            self._remove(server, config.site, now)
        return AppliedChanges(
            *(tuple(s.slug for s in group) for group in (wanted.created, wanted.changed, wanted.removed))
        )

    def _keep_windows(self, before: Site | None, after: Site, now: int) -> Site:
        """The site, its windows covering from when they were first applied. What a window covered that is not in the
        file any more is kept among the stored ones.
        """
        known = {window.id: window for window in before.maintenance} if before is not None else {}
        wanted = stamped(after.maintenance, known, now)
        for window in known.values():
            if window.id not in {one.id for one in wanted} and (past := ended(window, now)) is not None:
                self.keep_window(past)
        return replace(after, maintenance=wanted)

    def _put_definition(self, key: str, item: Mapping[str, Any]) -> None:
        text = dump(item)
        self._m.server(key, data=text, digest=hashlib.sha256(text.encode()).hexdigest()[:16]).save()

    def _remove(self, server: Server, site: Site, now: int) -> None:
        for attempt in range(REMOVAL_ATTEMPTS):
            try:
                self._remove_once(server, site, now)
            except ConflictError:
                if attempt == REMOVAL_ATTEMPTS - 1:
                    raise
            else:
                return

    def _remove_once(self, server: Server, site: Site, now: int) -> None:
        shard = self.shard_state(server.shard)
        state = shard.servers.get(server.slug, ServerState(server.slug))
        open_incidents = self.open_incidents([state]).values()
        left = {slug: one for slug, one in shard.servers.items() if slug != server.slug}
        try:
            with TransactWrite(connection=models(self.home).connection) as transaction:
                self._save_state(transaction, replace(shard, servers=left))
                for incident in open_incidents:
                    closed, notice = close(server, incident, now, "removed", state, site)
                    row = self._incident_item(closed)
                    transaction.save(row, condition=self._unmoved(incident))
                    transaction.save(self._notice_item(notice))
                transaction.delete(self._m.server(server.slug))
        except TransactWriteError as error:
            if conflict(error):
                raise ConflictError(f"shard {server.shard} was judged while {server.slug} was removed") from error
            raise

    # --- rounds and verdicts -----------------------------------------------------------------------------------

    def put_round(self, item: Round, now: int) -> bool:
        """Store a round. False when that (shard, minute, region) is stored already: nothing is changed then.

        One whose hour is over leaves a mark, so that the hour is rolled up again; after the round, and also where the
        round was there: whoever died between the two comes again.
        """
        pk, sk = round_key(item.shard, item.minute, item.region, item.confirmation)
        row = self._m.round(pk, sk, kind=settings.ROUND_KIND, data=rounds.pack(item), ttl=now + settings.ROUNDS_TTL_S)
        try:
            row.save(condition=self._m.round.pk.does_not_exist())
            new = True
        except PutError as error:
            if not conflict(error):
                raise
            new = False
        hour = item.minute // HOUR
        if now >= (hour + 1) * HOUR and not item.confirmation:
            mark = f"{item.minute}#{item.region}#{now}".encode()
            key, ttl = f"{item.shard}#late", now + settings.ROUNDS_TTL_S
            self._m.round(key, str(hour), kind=settings.LATE_KIND, data=mark, ttl=ttl).save()
        return new

    def late_hours(self, shard: str, now: int) -> dict[int, bytes]:
        """Hours of which rounds came after they were over, each with its mark. Read consistently."""
        found = self._m.round.query(f"{shard}#late", consistent_read=True)
        return {int(row.sk) * HOUR: bytes(row.data) for row in found if row.ttl > now}

    def forget_late(self, shard: str, hour: int, mark: bytes) -> None:
        """Take a mark away, unless another round has come since it was read."""
        try:
            self._m.round(f"{shard}#late", str(hour // HOUR)).delete(condition=self._m.round.data == mark)
        except DeleteError as error:
            if not conflict(error):
                raise

    def rounds(
        self, shard: str, since: int, until: int, now: int, *, consistent: bool = False
    ) -> dict[int, dict[str, Round]]:
        """`{minute: {region: Round}}` of minutes in [since, until]."""
        out: dict[int, dict[str, Round]] = {}
        if until < since:
            return out
        for hour in range(since // HOUR * HOUR, until + 1, HOUR):
            first, last = max(since - hour, 0) // 60, min(until - hour, HOUR - 1) // 60
            span = self._m.round.sk.between(f"{first:02d}#", f"{last:02d}$")
            for row in self._m.round.query(f"{shard}#{hour // HOUR}", span, consistent_read=consistent):
                found = self._read_round(row, now) if "+" not in row.sk else None
                if found is not None:
                    out.setdefault(found.minute, {})[found.region] = found
        return out

    def confirmations(self, shard: str, minute: int, now: int) -> dict[int, dict[str, Round]]:
        """`{k: {region: Round}}` of the confirmations of one minute. Read consistently."""
        out: dict[int, dict[str, Round]] = {}
        prefix = f"{minute % HOUR // 60:02d}+"
        key = f"{shard}#{minute // HOUR}"
        for row in self._m.round.query(key, self._m.round.sk.startswith(prefix), consistent_read=True):
            found = self._read_round(row, now)
            if found is not None:
                out.setdefault(found.confirmation, {})[found.region] = found
        return out

    @staticmethod
    def _read_round(row: RoundItem, now: int) -> Round | None:
        if row.ttl <= now:
            return None
        try:
            return rounds.unpack(row.data)
        except FormatError:
            _log.exception("round %s %s cannot be read: its region counts as silent", row.pk, row.sk)
            return None

    def verdicts(self, shard: str, hour: int, now: int, *, consistent: bool = False) -> dict[int, dict[str, str]]:
        """`{minute: {slug: outcome code}}` of the judged minutes of one hour."""
        out: dict[int, dict[str, str]] = {}
        for row in self._m.round.query(f"{shard}#{hour // HOUR}#verdict", consistent_read=consistent):
            if row.ttl > now:
                out[hour + 60 * int(row.sk)] = unpack_json(row.data, (1,))[1]
        return out

    def heard(self, shard: str, hour: int, now: int) -> dict[int, tuple[str, ...]]:
        """The regions whose rounds had come when a minute was judged, of the judged minutes of one hour.

        Judged again with these rounds alone, minute by minute, a shard comes to the same state, incidents and notices.
        """
        rows = self._m.round.query(f"{shard}#{hour // HOUR}#verdict", consistent_read=True)
        return {hour + 60 * int(row.sk): tuple((row.heard or "").split()) for row in rows if row.ttl > now}

    # --- the judge's memory ------------------------------------------------------------------------------------

    def shard_state(self, shard: str) -> ShardState:
        """What the judge remembers of a shard; a fresh state where it remembers nothing. Read consistently."""
        try:
            return self._shard_state(self._m.incident.get(STATE_KEY, shard, consistent_read=True))
        except DoesNotExist:
            return ShardState(shard)

    def shard_states(self, consistent: bool = False) -> list[ShardState]:
        """Of every shard."""
        return [self._shard_state(row) for row in self._m.incident.query(STATE_KEY, consistent_read=consistent)]

    def server_states(self) -> dict[str, ServerState]:
        """Every server's state, by slug."""
        return {slug: state for shard in self.shard_states() for slug, state in shard.servers.items()}

    @staticmethod
    def _shard_state(row: IncidentItem) -> ShardState:
        _, value = unpack_json(row.packed, (_STATE_VERSION,))
        servers = {slug: ServerState.from_json(state) for slug, state in value["servers"].items()}
        return ShardState(row.sk, int(row.version), value["judged"], servers)

    def commit(self, judgement: Judgement, now: int) -> ShardState:
        """Persist one judged minute in one transaction: state, verdicts, incidents, surface changes, notices.

        Raises ConflictError when the state moved since it was read, or an incident was closed by another: read again.
        """
        state = judgement.state
        item = self._m.incident
        try:
            with TransactWrite(connection=models(self.home).connection) as transaction:
                after = self._save_state(transaction, state)
                if judgement.verdicts:
                    pk, sk = verdict_key(state.shard, judgement.minute)
                    data = pack_json(1, dict(judgement.verdicts))
                    ttl = now + settings.ROUNDS_TTL_S
                    heard = " ".join(judgement.heard)
                    transaction.save(self._m.round(pk, sk, kind="verdict", data=data, heard=heard or None, ttl=ttl))
                for incident in judgement.incidents:
                    transaction.save(self._incident_item(incident), condition=self._unmoved(incident))
                for change in judgement.changes:
                    transaction.save(self._change_item(change), condition=item.pk.does_not_exist())
                for notice in judgement.notices:
                    transaction.save(self._notice_item(notice), condition=item.pk.does_not_exist())
        except TransactWriteError as error:
            if conflict(error):
                raise ConflictError(f"shard {state.shard}: somebody else judged minute {judgement.minute}") from error
            raise
        return after

    def _save_state(self, transaction: TransactWrite, state: ShardState) -> ShardState:
        """Save it on condition that nobody else did since it was read; returns it with its new version."""
        item = self._m.incident
        servers = {slug: one.to_json() for slug, one in state.servers.items()}
        packed = pack_json(_STATE_VERSION, {"judged": state.judged, "servers": servers})
        after = replace(state, version=state.version + 1)
        unmoved = item.version == state.version if state.version else item.pk.does_not_exist()
        transaction.save(item(STATE_KEY, state.shard, packed=packed, version=after.version), condition=unmoved)
        return after

    # --- incidents and notices ---------------------------------------------------------------------------------

    def _change_item(self, change: SurfaceChange) -> IncidentItem:
        ttl = change.at + settings.CHANGES_TTL_S
        return self._m.incident(f"surface#{change.slug}", change.id, data=dump(change.to_json()), ttl=ttl)

    def surface_changes(self, slug: str, limit: int, now: int) -> list[SurfaceChange]:
        """The changes of what a server offers, newest first."""
        query = self._m.incident.query(f"surface#{slug}", scan_index_forward=False, limit=limit)
        return [SurfaceChange.from_json(json.loads(row.data)) for row in query if row.ttl > now]

    def open_incidents(self, states: Iterable[ServerState]) -> dict[str, Incident]:
        """The open incidents those states point to, by id."""
        out: dict[str, Incident] = {}
        for state in states:
            for incident_id in state.incidents.values():
                found = self.incident(state.slug, incident_id)
                if found is not None and found.resolved_at is None:
                    out[found.id] = found
        return out
