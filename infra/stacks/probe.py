"""A probe stack: dispatch and probe in one region. It knows the home region's tables by their names alone."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct
from lookout import settings

from infra.config import Deployment
from infra.constructs import schedule
from infra.constructs.function import LookoutFunction
from infra.constructs.layers import Layers
from infra.constructs.monitoring import Monitoring
from infra.grants import Arns


class ProbeStack(cdk.Stack):
    """Every minute: dispatch -> one probe per shard -> one round each, in the home region."""

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
        arns = Arns(self, deployment, {})
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
        probe = function("probe", {settings.ENV_SURFACES_BUCKET: bucket})
        dispatch = function("dispatch", {settings.ENV_PROBE_FUNCTION: probe.function.function_name})
        schedules = schedule.Schedules(self, "Schedules", name="probe", local=deployment.local)
        # A minute that cannot be dispatched within itself is lost, on purpose: the next one is due.
        schedules.add("Dispatch", dispatch, schedule.EVERY_MINUTE, max_age_s=60, retries=2)

        monitoring = Monitoring(self, "Monitoring", name="probe", local=deployment.local)
        monitoring.dead_letters("probe-schedule-dead", schedules.dead, "This region's schedule could not start.")
        monitoring.errors("dispatch", dispatch, threshold=3)
        monitoring.errors("probe", probe, threshold=3)
        monitoring.silent("dispatch", dispatch)
