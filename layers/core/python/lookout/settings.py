"""The names infra and runtime share, and the frozen settings of each function, read from its environment.

Nothing here touches AWS. A missing variable is a `KeyError` naming it: that is our bug, not a user's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

PREFIX: Final = "lookout"
METRICS_NAMESPACE: Final = "Lookout"

SERVERS_TABLE: Final = f"{PREFIX}-servers"
ROUNDS_TABLE: Final = f"{PREFIX}-rounds"
HISTORY_TABLE: Final = f"{PREFIX}-history"
INCIDENTS_TABLE: Final = f"{PREFIX}-incidents"

FUNCTIONS: Final = ("dispatch", "probe", "judge", "notify", "rollup", "publish", "api", "apply", "drain", "heartbeat")
"""Folder names under functions/; the deployed name is `function_name(folder)`."""

DELIVERIES_QUEUE: Final = f"{PREFIX}-deliveries.fifo"
DELIVERIES_DLQ: Final = f"{PREFIX}-deliveries-dead.fifo"
JUDGE_DLQ: Final = f"{PREFIX}-judge-dead"
OUTBOX_DLQ: Final = f"{PREFIX}-outbox-dead"
WAITING_QUEUE: Final = f"{PREFIX}-rounds-waiting"
"""In each probing region: rounds that the home region did not take."""

HEARTBEAT_QUEUE: Final = f"{PREFIX}-heartbeat"
"""In each region that watches the home region: where it is told, each minute, that all is well. Nobody reads it."""

SNAPSHOT_KEY: Final = "internal/snapshot.json"
"""Where publish leaves the public read model for the api function, in the private data bucket."""

SURFACES_PREFIX: Final = "surfaces/"
"""Where the surfaces of watched servers are kept in their bucket, each as `<address>.json.gz`."""

ENV_HOME: Final = "LOOKOUT_HOME_REGION"
ENV_PROBE_FUNCTION: Final = "LOOKOUT_PROBE_FUNCTION"
ENV_DELIVERIES_URL: Final = "LOOKOUT_DELIVERIES_URL"
ENV_DEAD_URL: Final = "LOOKOUT_DEAD_URL"
ENV_SITE_BUCKET: Final = "LOOKOUT_SITE_BUCKET"
ENV_DATA_BUCKET: Final = "LOOKOUT_DATA_BUCKET"
ENV_SITE_URL: Final = "LOOKOUT_SITE_URL"
ENV_SURFACES_BUCKET: Final = "LOOKOUT_SURFACES_BUCKET"
ENV_WAITING_URL: Final = "LOOKOUT_WAITING_URL"
ENV_HEARTBEAT_URLS: Final = "LOOKOUT_HEARTBEAT_URLS"

ROUNDS_TTL_S: Final = 3 * 86400
CHUNKS_TTL_S: Final = 90 * 86400
DAYS_TTL_S: Final = 400 * 86400
NOTICES_TTL_S: Final = 30 * 86400
CHANGES_TTL_S: Final = 400 * 86400
TAKEN_TTL_S: Final = 400 * 86400
"""Of a notice that a digest took: it must outlive the digest."""
BURNS_TTL_S: Final = 2 * 86400
"""After a burn alert is over: longer than its end may be on its way to a sink."""
WINDOWS_TTL_S: Final = 400 * 86400
"""After a maintenance window is over."""

LATE_KIND: Final = "late"
"""Value of the `kind` attribute of the mark that a round came after its hour was over."""
ROUND_KIND: Final = "round"
"""Value of the `kind` attribute of a round item: what the judge's stream filter matches (with INSERT)."""
NOTICE_PARTITION: Final = "notice"
"""Partition key (`pk`) of every notice: what the notify function's stream filter matches (with INSERT)."""
HELD_PARTITION: Final = "held"
"""Partition key of notices that a mass failure holds back: the stream filter does not match it."""


def function_name(folder: str) -> str:
    """The deployed name of the function in functions/<folder>, the same in every region."""
    return f"{PREFIX}-{folder}"


def surfaces_bucket(account: str, home: str) -> str:
    """The bucket of surfaces: a fixed name, since probing regions write to it and know of the home region by names."""
    return f"{PREFIX}-surfaces-{account}-{home}"


def surface_key(address: str) -> str:
    """The key of a surface in that bucket."""
    return f"{SURFACES_PREFIX}{address}.json.gz"


@dataclass(frozen=True, slots=True)
class HomeSettings:
    """What every function needs that reads or writes the tables. AWS_REGION is set by Lambda itself."""

    home: str
    region: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """From LOOKOUT_HOME_REGION and AWS_REGION."""
        return cls(home=env[ENV_HOME], region=env["AWS_REGION"])


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """Settings of dispatch."""

    home: str
    region: str
    probe_function: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Also LOOKOUT_PROBE_FUNCTION."""
        return cls(env[ENV_HOME], env["AWS_REGION"], env[ENV_PROBE_FUNCTION])


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """Settings of probe. `surfaces_bucket` is in the home region, the queue at `waiting_url` in its own."""

    home: str
    region: str
    surfaces_bucket: str
    waiting_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Also LOOKOUT_SURFACES_BUCKET and LOOKOUT_WAITING_URL."""
        return cls(env[ENV_HOME], env["AWS_REGION"], env[ENV_SURFACES_BUCKET], env[ENV_WAITING_URL])


@dataclass(frozen=True, slots=True)
class DrainSettings:
    """Settings of drain. The queue at `waiting_url` is in its own region."""

    home: str
    region: str
    waiting_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Also LOOKOUT_WAITING_URL."""
        return cls(env[ENV_HOME], env["AWS_REGION"], env[ENV_WAITING_URL])


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Settings of judge."""

    home: str
    surfaces_bucket: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """From LOOKOUT_HOME_REGION and LOOKOUT_SURFACES_BUCKET."""
        return cls(env[ENV_HOME], env[ENV_SURFACES_BUCKET])


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Settings of notify. `deliveries_url` is the FIFO queue of (notice, sink) deliveries, `dead_url` where those go
    that are given up.
    """

    home: str
    deliveries_url: str
    dead_url: str
    site_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """From LOOKOUT_HOME_REGION, LOOKOUT_DELIVERIES_URL, LOOKOUT_DEAD_URL, LOOKOUT_SITE_URL."""
        return cls(env[ENV_HOME], env[ENV_DELIVERIES_URL], env[ENV_DEAD_URL], env[ENV_SITE_URL].rstrip("/"))


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """Settings of publish."""

    home: str
    site_bucket: str
    data_bucket: str
    site_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """From LOOKOUT_HOME_REGION, LOOKOUT_SITE_BUCKET, LOOKOUT_DATA_BUCKET, LOOKOUT_SITE_URL."""
        return cls(env[ENV_HOME], env[ENV_SITE_BUCKET], env[ENV_DATA_BUCKET], env[ENV_SITE_URL].rstrip("/"))


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of api: it reads the published snapshot and nothing else."""

    home: str
    data_bucket: str
    site_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """From LOOKOUT_HOME_REGION, LOOKOUT_DATA_BUCKET, LOOKOUT_SITE_URL."""
        return cls(env[ENV_HOME], env[ENV_DATA_BUCKET], env[ENV_SITE_URL].rstrip("/"))


@dataclass(frozen=True, slots=True)
class HeartbeatSettings:
    """Settings of heartbeat. `queues` are the addresses of the heartbeat queues, by region."""

    home: str
    data_bucket: str
    queues: Mapping[str, str]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """From LOOKOUT_HOME_REGION, LOOKOUT_DATA_BUCKET, LOOKOUT_HEARTBEAT_URLS (`region=address region=address`)."""
        pairs = (one.partition("=") for one in env[ENV_HEARTBEAT_URLS].split())
        return cls(env[ENV_HOME], env[ENV_DATA_BUCKET], {region: url for region, _, url in pairs})
