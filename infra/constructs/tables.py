"""The four tables of the home region."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct
from lookout import settings

_TTL = "ttl"


class Tables(Construct):
    """On demand, with point-in-time recovery. On AWS they outlive the stack; locally they do not."""

    def __init__(self, scope: Construct, id_: str, *, keep: bool) -> None:
        super().__init__(scope, id_)
        self._keep = keep
        self.servers = self._table("Servers", settings.SERVERS_TABLE, key="slug")
        self.rounds = self._table("Rounds", settings.ROUNDS_TABLE, ttl=True, stream=True)
        self.history = self._table("History", settings.HISTORY_TABLE, ttl=True)
        self.incidents = self._table("Incidents", settings.INCIDENTS_TABLE, ttl=True, stream=True)

    def _table(
        self, id_: str, name: str, *, key: str | None = None, ttl: bool = False, stream: bool = False
    ) -> dynamodb.Table:
        def text(attribute: str) -> dynamodb.Attribute:
            return dynamodb.Attribute(name=attribute, type=dynamodb.AttributeType.STRING)

        return dynamodb.Table(
            self,
            id_,
            table_name=name,
            partition_key=text(key or "pk"),
            sort_key=None if key else text("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=_TTL if ttl else None,
            stream=dynamodb.StreamViewType.NEW_IMAGE if stream else None,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._keep,
            removal_policy=cdk.RemovalPolicy.RETAIN if self._keep else cdk.RemovalPolicy.DESTROY,
        )

    @property
    def arns(self) -> dict[str, str]:
        """By resource of the grants table."""
        named = {"servers": self.servers, "rounds": self.rounds, "history": self.history, "incidents": self.incidents}
        out = {f"table/{name}": table.table_arn for name, table in named.items()}
        for name in ("rounds", "incidents"):
            stream = named[name].table_stream_arn
            if stream is None:
                raise RuntimeError(f"table {name} has no stream")
            out[f"stream/{name}"] = stream
            out[f"stream-list/{name}"] = f"{named[name].table_arn}/stream/*"
        return out
