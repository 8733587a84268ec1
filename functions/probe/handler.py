"""probe: all servers of one shard, now -> one round, stored at home or waiting here. Runs in every probing region."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from lookout import settings
from lookout.config.model import Server, Site
from lookout.credentials.keyring import Keyring
from lookout.credentials.secrets import Secrets
from lookout.history.round import Round
from lookout.jobs import keeping, probing
from lookout.jobs.surfaces import Shelf
from lookout.probe.result import Era
from lookout.probe.round_runner import Memory
from lookout.store import Store, aws, surfaces

logger = Logger(service="probe")
metrics = Metrics(namespace=settings.METRICS_NAMESPACE, service="probe")

memories: dict[str, Memory] = {}
"""What each server was like in the last round, for as long as this process is warm."""
keyrings: dict[str, Keyring] = {}
"""Secrets, tokens and client certificates, likewise."""


@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"shard", "minute", "site", "servers"}` as dispatch sends it -> `{"stored", "waiting", "servers": n}`.

    Dispatch also sends `known`, which spares work: by slug, `{"era", "hashes"}`.
    """
    own = settings.ProbeSettings.from_env(os.environ)
    keyring = keyrings.get(own.home) or keyrings.setdefault(own.home, _keyring(own.home))
    site = Site.from_item(event["site"])
    servers = [Server.from_item(item) for item in event["servers"]]
    known = event.get("known", {})
    _remember(known)
    round_ = asyncio.run(
        probing.probe_shard(
            event["shard"],
            event["minute"],
            site,
            servers,
            region=own.region,
            seconds=context.get_remaining_time_in_millis() / 1000,
            keyring=keyring,
            memories=memories,
        )
    )
    there = {address for found in known.values() for address in found.get("hashes", ())}
    round_ = _shelf(own.home, own.surfaces_bucket).keep(round_, servers, there)
    store = Store(own.home)

    def left_s() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    def keep(one: Round) -> keeping.Kept:
        wait = partial(aws.send_message, own.waiting_url, own.region)
        return keeping.keep(one, partial(_put, store), wait, max(1.0, left_s() - probing.QUEUE_RESERVE_S))

    kept = keep(round_)
    again = asyncio.run(
        probing.confirm_shard(
            round_,
            site,
            servers,
            seconds=left_s(),
            keyring=keyring,
            memories=memories,
            keep=keep,
        )
    )
    stored, waiting = kept is keeping.Kept.STORED, kept is keeping.Kept.WAITING
    metrics.add_metric("ProbesDone", MetricUnit.Count, len(round_.results))
    metrics.add_metric("Confirmations", MetricUnit.Count, again)
    metrics.add_metric("RoundsQueued", MetricUnit.Count, int(waiting))
    logger.info("round", shard=round_.shard, minute=round_.minute, servers=len(round_.results), kept=kept.value)
    return {"stored": stored, "waiting": waiting, "servers": len(round_.results)}


def _put(store: Store, round_: Round) -> bool:
    return store.put_round(round_, int(time.time()))


@cache
def _shelf(home: str, bucket: str) -> Shelf:
    return Shelf(partial(surfaces.put_surface, home, bucket))


def _remember(known: Mapping[str, Mapping[str, Any]]) -> None:
    """Begin with what others found, where this process knows nothing yet: its own memory is newer."""
    for slug, found in known.items():
        if slug not in memories and found.get("era") in set(Era):
            memories[slug] = Memory(era=Era(found["era"]))


def _keyring(home: str) -> Keyring:
    stores = {
        "secret": lambda name: aws.secret_value(home, name),
        "ssm": lambda name: aws.parameter_value(home, name),
    }
    return Keyring(Secrets(stores, time.monotonic), wall=time.time, chance=random.SystemRandom().random)
