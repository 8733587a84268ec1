"""The PynamoDB models: one per table, bound to the home region.

Keys (docs/data-model.md):

    servers     slug                              `#site` holds the Site
    rounds      shard#hour / MM#region            a packed round; kind = "round"
                shard#hour#verdict / MM           the outcome codes of a judged minute, and the regions whose rounds had
                                                  come by then; kind = "verdict"
                shard#late / hour                 rounds of that hour came after it; kind = "late", data names the last
    history     slug / hour#<n>                   a packed chunk, n = hours since the epoch
                slug / day#<n>                    a packed daily summary, n = days since the epoch
                slug / latency#<n>                the packed latency sketches of that day
    incidents   state / shard                     the judge's memory, compare-and-set on `version`
                server#slug / incident id         an incident
                surface#slug / change id          a change of what the server offers
                notice / notice id                the outbox
                touched / slug                    a person, or a reminder, changed an incident within a day
                maintenance / over#id             a window that is not of lookout.yaml (store.windowbook)
                quieted / sink#dedup_key          what waits for the end of a sink's quiet hours (store.quietbook)
                report / sink#kind                which digest of a day or a week was told last (store.reportbook)
                burning / slug                    the last alert of a server that burned its budget (store.burnbook)
                watch / regions                   the tick's memory of itself and of the regions (store.watch)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from pynamodb.attributes import BinaryAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model

from lookout import settings


class ServerItem(Model):
    """`data` is JSON: a Server, or the Site under slug `#site`."""

    slug = UnicodeAttribute(hash_key=True)
    data = UnicodeAttribute()
    digest = UnicodeAttribute(null=True)


class RoundItem(Model):
    """A round, a verdict or a mark that a round came late."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    data = BinaryAttribute(legacy_encoding=False)
    heard = UnicodeAttribute(null=True)
    ttl = NumberAttribute()


class HistoryItem(Model):
    """An hourly chunk, a daily summary or a day's sketches, packed; `tally` and `hours` are summaries of version 1."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    data = BinaryAttribute(legacy_encoding=False, null=True)
    tally: ListAttribute[int] = ListAttribute(null=True)
    hours: ListAttribute[int] = ListAttribute(null=True)
    ttl = NumberAttribute()


class IncidentItem(Model):
    """A shard's state, an incident or a notice."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    data = UnicodeAttribute(null=True)
    packed = BinaryAttribute(legacy_encoding=False, null=True)
    version = NumberAttribute(null=True)
    open = NumberAttribute(null=True)
    ttl = NumberAttribute(null=True)


M = TypeVar("M", bound=Model)
_PATIENCE: Final[Mapping[str, Any]] = {
    "connect_timeout_seconds": 3,
    "read_timeout_seconds": 5,
    "max_retry_attempts": 4,
}


class Models(NamedTuple):
    """The four models bound to one region, and what their transactions go through: a client takes a while to make."""

    server: type[ServerItem]
    round: type[RoundItem]
    history: type[HistoryItem]
    incident: type[IncidentItem]
    connection: Connection


@cache
def models(home: str) -> Models:
    """The models for the tables in region `home`. AWS_ENDPOINT_URL is honoured, as by boto3."""

    def bind(base: type[M], table: str) -> type[M]:
        meta = type("Meta", (), {"table_name": table, "region": home, **_PATIENCE})
        return type(base.__name__, (base,), {"Meta": meta})

    return Models(
        bind(ServerItem, settings.SERVERS_TABLE),
        bind(RoundItem, settings.ROUNDS_TABLE),
        bind(HistoryItem, settings.HISTORY_TABLE),
        bind(IncidentItem, settings.INCIDENTS_TABLE),
        Connection(region=home, **_PATIENCE),
    )
