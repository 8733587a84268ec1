"""A probe stack: dispatch, probe and drain in one region. It knows the home region's tables by their names alone."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct
from lookout import settings

from infra.config import Deployment
from infra.constructs import schedule, streams
from infra.constructs.function import LookoutFunction
from infra.constructs.layers import Layers
from infra.constructs.monitoring import Monitoring
from infra.constructs.queues import Heartbeats, WaitingRounds
from infra.grants import Arns


class ProbeStack(cdk.Stack):
    """Every minute: dispatch -> one probe per shard -> one round each, in the home region, or waiting here for it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        deployment: Deployment,
        *,
        env: cdk.Environment,
        synthesizer: cdk.IStackSynthesizer | None = None,
    ) -> None:
        super().__init__(scope, id_, env=env, synthesizer=synthesizer, description="Lookout: probing region")
        waiting = WaitingRounds(self, "Waiting", local=deployment.local)
        arns = Arns(self, deployment, {"queue/rounds-waiting": waiting.queue_arn})
        layers = Layers(self, "Layers", deployment)

        def function(folder: str, environment: dict[str, str] | None = None) -> LookoutFunction:
            return LookoutFunction(
                self,
                folder.title(),
                folder=folder,
                deployment=deployment,
                layers=layers,
                arns=arns,
                environment=environment,
            )

        bucket = settings.surfaces_bucket(self.account, deployment.home)
        queue = {settings.ENV_WAITING_URL: waiting.queue_url}
        probe = function("probe", {settings.ENV_SURFACES_BUCKET: bucket, **queue})
        drain = function("drain", queue)
        dispatch = function("dispatch", {settings.ENV_PROBE_FUNCTION: probe.function.function_name})
        schedules = schedule.Schedules(self, "Schedules", name="probe", local=deployment.local)
        # A minute that cannot be dispatched within itself is lost, on purpose: the next one is due.
        schedules.add("Dispatch", dispatch, schedule.EVERY_MINUTE, max_age_s=60, retries=2)

        # Two at once: a home region that begins to take writes again is not to be thronged.
        streams.QueueSource(self, "Rounds", queue=waiting, target=drain, batch=10, at_once=2)

        email = deployment.config.site.alarm_email
        monitoring = Monitoring(self, "Monitoring", name="probe", local=deployment.local, email=email)
        monitoring.dead_letters("probe-schedule-dead", schedules.dead, "This region's schedule could not start.")
        monitoring.errors("dispatch", dispatch, threshold=3)
        monitoring.errors("probe", probe, threshold=3)
        monitoring.errors("drain", drain, threshold=3)
        monitoring.silent("dispatch", dispatch)
        monitoring.resting("rounds-waiting", waiting, threshold=10, what="Rounds wait for the home region.")
        monitoring.untouched("rounds-untouched", waiting, threshold=10, what="Nobody takes the rounds that wait.")
        monitoring.old("rounds-waiting-old", "drain", "RoundsWaitingAge", "Rounds have waited for half an hour.")
        if env.region in deployment.watchers:
            heartbeats = Heartbeats(self, "Heartbeats", local=deployment.local)
            monitoring.unheard("home-silent", heartbeats, "The home region does not say that all is well.")
        monitoring.counted("rounds-refused", "drain", "RoundsRefused", "A waiting round cannot be stored at all.")
