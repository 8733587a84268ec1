"""The home stack: the tables, the judge, the outbox, history, the status page and the API. There is one."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct
from lookout import settings

from infra.config import Deployment
from infra.constructs import schedule, streams
from infra.constructs.api import PublicApi
from infra.constructs.applied_config import AppliedConfig, ConfigAsset
from infra.constructs.function import LookoutFunction
from infra.constructs.layers import Layers
from infra.constructs.monitoring import Monitoring
from infra.constructs.queues import Queues
from infra.constructs.site import Site, private_bucket
from infra.constructs.tables import Tables
from infra.grants import Arns

_GATHER_S = 5
"""How long rounds are gathered before they wake the judge: each wake reads the whole roster (docs/data-model.md)."""
_GATHER_LOCAL_S = 1


class HomeStack(cdk.Stack):
    """Everything but probing."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        deployment: Deployment,
        *,
        env: cdk.Environment,
        synthesizer: cdk.IStackSynthesizer | None = None,
    ) -> None:
        super().__init__(scope, id_, env=env, synthesizer=synthesizer, description="Lookout: home")
        self._deployment = deployment
        local = deployment.local
        self.tables = Tables(self, "Tables", keep=not local)
        self.queues = Queues(self, "Queues", local=local)
        self.data = private_bucket(self, "Data", local=local)
        self.surfaces = private_bucket(
            self, "Surfaces", local=local, name=settings.surfaces_bucket(self.account, deployment.home)
        )
        self.api = PublicApi(self, "PublicApi", deployment)
        self.site = Site(self, "Site", deployment, self.api)
        config = ConfigAsset(self, "Config", deployment.config)
        self._layers = Layers(self, "Layers", deployment)
        self._arns = Arns(
            self,
            deployment,
            {
                **self.tables.arns,
                **self.queues.arns,
                "bucket/site/*": self.site.bucket.arn_for_objects("*"),
                "bucket/data/internal/*": self.data.arn_for_objects("internal/*"),
                f"bucket/data/{settings.SNAPSHOT_KEY}": self.data.arn_for_objects(settings.SNAPSHOT_KEY),
                "asset/config": config.arn,
            },
        )
        self.functions = self._functions()
        self.schedules = schedule.Schedules(self, "Schedules", name="home", local=local)
        self._wake()
        self.api.serve_with(self.functions["api"])
        applied = AppliedConfig(self, "Applied", source=config, apply=self.functions["apply"])
        applied.node.add_dependency(self.tables)
        self._watch()
        self._outputs()

    def _functions(self) -> dict[str, LookoutFunction]:
        site = {settings.ENV_SITE_URL: self.site.url}
        data = {settings.ENV_DATA_BUCKET: self.data.bucket_name}
        environments: dict[str, dict[str, str]] = {
            "judge": {settings.ENV_SURFACES_BUCKET: self.surfaces.bucket_name},
            "notify": {
                **site,
                settings.ENV_DELIVERIES_URL: self.queues.deliveries.queue_url,
                settings.ENV_DEAD_URL: self.queues.deliveries_dead.queue_url,
            },
            "rollup": {},
            "publish": {**site, **data, settings.ENV_SITE_BUCKET: self.site.bucket.bucket_name},
            "api": {**site, **data},
            "heartbeat": {**data, settings.ENV_HEARTBEAT_URLS: self._heartbeat_urls()},
            "apply": {},
        }
        return {
            folder: LookoutFunction(
                self,
                folder.title(),
                folder=folder,
                deployment=self._deployment,
                layers=self._layers,
                arns=self._arns,
                environment=environment,
            )
            for folder, environment in environments.items()
        }

    @property
    def _alertmanager(self) -> bool:
        """Is there a sink that has to be told again and again?"""
        return any(sink.kind == "alertmanager" for sink in self._deployment.config.site.sinks)

    def _heartbeat_urls(self) -> str:
        """Of the queues in the regions that watch this one, known by their name alone: `region=address ...`."""
        queue = f"{self.url_suffix}/{self.account}/{settings.HEARTBEAT_QUEUE}"
        return " ".join(f"{region}=https://sqs.{region}.{queue}" for region in self._deployment.watchers)

    def _wake(self) -> None:
        """Schedules, streams and the queue."""
        rounds, incidents = self.tables.arns["stream/rounds"], self.tables.arns["stream/incidents"]
        judge, notify = self.functions["judge"], self.functions["notify"]
        self.schedules.add("Judge", judge, schedule.EVERY_MINUTE, max_age_s=60, retries=2)
        self.schedules.add("Publish", self.functions["publish"], schedule.EVERY_MINUTE, max_age_s=60, retries=2)
        self.schedules.add("Heartbeat", self.functions["heartbeat"], schedule.EVERY_MINUTE, max_age_s=60, retries=2)
        if self._alertmanager:
            self.schedules.add("Resend", notify, schedule.EVERY_MINUTE, max_age_s=60, retries=0)
        self.schedules.add("Rollup", self.functions["rollup"], schedule.EVERY_HOUR, max_age_s=1800, retries=10)
        # What a judge cannot read is judged without it: an hour is longer than any verdict waits.
        streams.StreamSource(
            self,
            "Rounds",
            stream_arn=rounds,
            target=judge,
            pattern=streams.ROUNDS_FILTER,
            dead=self.queues.judge_dead,
            batch=50,
            window_s=_GATHER_LOCAL_S if self._deployment.local else _GATHER_S,
            retries=5,
            max_age_s=3600,
            partial=False,
        )
        # A notice is worth waiting for: a batch is given up after ten failures, or when the stream forgets it.
        streams.StreamSource(
            self,
            "Notices",
            stream_arn=incidents,
            target=notify,
            pattern=streams.NOTICES_FILTER,
            dead=self.queues.outbox_dead,
            batch=10,
            window_s=0,
            retries=10,
            max_age_s=86_400,
            partial=True,
        )
        streams.QueueSource(self, "Deliveries", queue=self.queues.deliveries, target=notify, batch=1)

    def _watch(self) -> None:
        site, local = self._deployment.config.site, self._deployment.local
        monitoring = Monitoring(self, "Monitoring", name="home", local=local, email=site.alarm_email)
        monitoring.dead_letters("judge-dead", self.queues.judge_dead, "Rounds could not be judged.")
        monitoring.dead_letters("outbox-dead", self.queues.outbox_dead, "Notices were not handed to their sinks.")
        monitoring.dead_letters("deliveries-dead", self.queues.deliveries_dead, "A notice did not reach its sink.")
        monitoring.counted("deliveries-failed", "notify", "DeliveriesFailed", "A sink refused a notice for good.")
        monitoring.dead_letters("home-schedule-dead", self.schedules.dead, "A home schedule could not start.")
        thresholds = {"judge": 3, "notify": 3, "rollup": 1, "publish": 3, "api": 5, "apply": 1, "heartbeat": 3}
        for folder, threshold in thresholds.items():
            monitoring.errors(folder, self.functions[folder], threshold=threshold)
        monitoring.behind("judge", self.functions["judge"])
        monitoring.behind("notify", self.functions["notify"])
        monitoring.lasting("judge-lags", "judge", "JudgeLag", threshold=600, what="Servers are judged late.")
        monitoring.lasting("publish-lags", "heartbeat", "SnapshotAge", threshold=600, what="The status page is old.")
        monitoring.lasting(
            "heartbeat-withheld", "heartbeat", "HeartbeatWithheld", threshold=1, what="Something is not well."
        )
        monitoring.lasting(
            "heartbeat-failed", "heartbeat", "HeartbeatFailed", threshold=1, what="The heartbeat does not arrive."
        )
        monitoring.lasting("region-silent", "publish", "SilentRegions", threshold=1, what="A region does not report.")
        monitoring.aged("deliveries-waiting", self.queues.deliveries, "A notice has waited for half an hour.")
        deliveries = self.queues.deliveries
        monitoring.untouched("deliveries-growing", deliveries, threshold=100, what="Notices wait, and more and more.")
        if self._alertmanager:
            what = "An Alertmanager is not told what fires."
            monitoring.lasting("alerts-unsent", "notify", "AlertSinksFailed", threshold=1, what=what)
        monitoring.silent("judge", self.functions["judge"])
        monitoring.silent("publish", self.functions["publish"])
        monitoring.silent("heartbeat", self.functions["heartbeat"])

    def _outputs(self) -> None:
        values = {
            "SiteUrl": self.site.url,
            "ApiUrl": self.api.url,
            "SiteBucket": self.site.bucket.bucket_name,
            "DataBucket": self.data.bucket_name,
        }
        for name, value in values.items():
            cdk.CfnOutput(self, name, value=value)
