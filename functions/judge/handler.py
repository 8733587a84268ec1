"""judge: rounds that landed, or a tick -> verdicts, incidents and notices."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from lookout import settings
from lookout.config.model import Server, Site
from lookout.jobs import burning, gathering, judging, quiet, watching
from lookout.store import Store, surfaces
from lookout.store.mass import MassBook
from lookout.store.minutes import Minutes
from lookout.store.watch import WatchLog
from lookout.verdict.case import Notice
from lookout.verdict.watch import held_before

logger = Logger(service="judge")
metrics = Metrics(namespace=settings.METRICS_NAMESPACE, service="judge")
minutes = Minutes()
"""What this process remembers of the verdicts, from tick to tick."""


@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """DynamoDB stream batch of rounds, or a scheduler's tick -> counts. An error makes the stream send again."""
    own = settings.JudgeSettings.from_env(os.environ)
    tick = _Wake(own, int(time.time()))
    # Each is done whatever becomes of the others; in this order, so that what one of them writes the next one sees.
    steps: list[Callable[[], None]] = [tick.watch, tick.judge, tick.gather, tick.quiet, tick.burn]
    if "Records" in event:
        steps = [partial(tick.judge, judging.shards_of(event["Records"]))]
    errors: list[Exception] = []
    for step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)
    for notice in tick.notices:
        message = "held" if notice.held else "notice"
        logger.info(message, notice=notice.id, type=notice.type, server=notice.slug, status=notice.status)
    told = [notice for notice in tick.notices if not notice.held]
    if tick.lag_s is not None:
        metrics.add_metric("JudgeLag", MetricUnit.Seconds, tick.lag_s)
    metrics.add_metric("MinutesJudged", MetricUnit.Count, tick.minutes)
    metrics.add_metric("NoticesWritten", MetricUnit.Count, len(told))
    if errors:
        raise errors[0] if len(errors) == 1 else ExceptionGroup(f"{len(errors)} of {len(steps)} steps failed", errors)
    return {"minutes": tick.minutes, "notices": len(told)}


class _Wake:
    """What one call does at `now`, step by step, and what it wrote."""

    def __init__(self, own: settings.JudgeSettings, now: int) -> None:
        self._own = own
        self._now = now
        self._store = Store(own.home)
        self._log = WatchLog(own.home)
        self.notices: list[Notice] = []
        self.minutes = 0
        self.lag_s: int | None = None
        self._roster: tuple[Site | None, Sequence[Server]] | None = None

    def watch(self) -> None:
        seen = watching.watch_over(self._store, self._log, self._now)
        self.notices += seen.notices
        self.lag_s = seen.lag_s
        self._roster = seen.roster

    def judge(self, shards: set[str] | None = None) -> None:
        read = partial(surfaces.get_surface, self._own.home, self._own.surfaces_bucket)
        held = held_before(self._log.read(), self._now)
        judged = judging.judge_shards(self._store, shards, self._now, read, held)
        self.minutes += len(judged)
        self.notices += (notice for judgement in judged for notice in judgement.notices)

    def gather(self) -> None:
        self.notices += gathering.gather_held(self._store, MassBook(self._own.home), self._now)

    def quiet(self) -> None:
        self.notices += quiet.tell_quieted(self._store, self._now)

    def burn(self) -> None:
        roster = self._roster or self._store.roster()
        self.notices += burning.tell_burns(self._store, minutes, roster, self._now)
