"""What the templates say, resource by resource."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from lookout import settings
from lookout.config.model import Config
from lookout.notify.retry import TRIED_FOR_S

from infra.application import HOME_STACK, probe_stack
from infra.constructs.function import SIZES

PROBE = probe_stack("eu-west-1")


def one(found: dict[str, Any]) -> Any:
    (value,) = found.values()
    return value


def by(found: dict[str, Any], key: str) -> dict[str, Any]:
    return {properties[key]: properties for properties in found.values()}


# --- tables and streams ------------------------------------------------------------------------------------------


def test_the_tables_are_on_demand_recoverable_and_kept(aws: Any) -> None:
    tables = by(aws.of(HOME_STACK, "AWS::DynamoDB::Table"), "TableName")
    assert set(tables) == {
        settings.SERVERS_TABLE,
        settings.ROUNDS_TABLE,
        settings.HISTORY_TABLE,
        settings.INCIDENTS_TABLE,
    }
    for table in tables.values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["DeletionProtectionEnabled"] is True
    raw = [r for r in aws.home["Resources"].values() if r["Type"] == "AWS::DynamoDB::Table"]
    assert {r["DeletionPolicy"] for r in raw} == {r["UpdateReplacePolicy"] for r in raw} == {"Retain"}
    keys = {name: [k["AttributeName"] for k in table["KeySchema"]] for name, table in tables.items()}
    assert keys == {n: ["slug"] if n == settings.SERVERS_TABLE else ["pk", "sk"] for n in tables}
    streamed = {name for name, table in tables.items() if "StreamSpecification" in table}
    assert streamed == {settings.ROUNDS_TABLE, settings.INCIDENTS_TABLE}
    assert {tables[n]["StreamSpecification"]["StreamViewType"] for n in streamed} == {"NEW_IMAGE"}
    expiring = {n for n, t in tables.items() if t.get("TimeToLiveSpecification", {}).get("AttributeName") == "ttl"}
    assert expiring == set(tables) - {settings.SERVERS_TABLE}


def test_nothing_is_kept_locally(local: Any) -> None:
    for template in local.templates.values():
        assert "Retain" not in json.dumps(template)
    assert {t["DeletionProtectionEnabled"] for t in local.of(HOME_STACK, "AWS::DynamoDB::Table").values()} == {False}


def mapping(aws: Any, id_: str) -> Any:
    return one({k: v for k, v in aws.of(HOME_STACK, "AWS::Lambda::EventSourceMapping").items() if k.startswith(id_)})


def test_the_judge_hears_of_new_rounds_only(aws: Any) -> None:
    rounds = mapping(aws, "Rounds")
    (pattern,) = rounds["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"NewImage": {"kind": {"S": ["round"]}}},
    }
    assert rounds["StartingPosition"] == "TRIM_HORIZON"
    assert rounds["BisectBatchOnFunctionError"] is True
    assert (rounds["MaximumRetryAttempts"], rounds["MaximumRecordAgeInSeconds"]) == (5, 3600)
    assert "JudgeDead" in json.dumps(rounds["DestinationConfig"])
    # Each wake reads the whole roster: rounds of a minute land together, and wake the judge together.
    assert rounds["MaximumBatchingWindowInSeconds"] == 5
    assert rounds["BatchSize"] >= 25


def test_notify_hears_of_new_notices_only(aws: Any) -> None:
    notices = mapping(aws, "Notices")
    (pattern,) = notices["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"pk": {"S": ["notice"]}}},
    }
    assert notices["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert notices["BatchSize"] <= 10
    assert "OutboxDead" in json.dumps(notices["DestinationConfig"])


def test_deliveries_are_retried_in_order_and_then_set_aside(aws: Any) -> None:
    queue = by(aws.of(HOME_STACK, "AWS::SQS::Queue"), "QueueName")[settings.DELIVERIES_QUEUE]
    assert queue["FifoQueue"] is True
    assert queue["VisibilityTimeout"] == 90 > SIZES["notify"].timeout_s
    # What notify cannot even try is received again for longer than a delivery is tried, and kept for longer than that.
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 1000, "the most SQS takes"
    assert 1000 * queue["VisibilityTimeout"] > TRIED_FOR_S
    assert queue["MessageRetentionPeriod"] == 14 * 86_400
    assert mapping(aws, "Deliveries")["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


# --- functions ---------------------------------------------------------------------------------------------------


def functions(assembly: Any) -> dict[str, Any]:
    return {
        name: properties
        for stack in assembly.templates
        for name, properties in by(assembly.of(stack, "AWS::Lambda::Function"), "FunctionName").items()
    }


def test_every_function_is_deployed_and_nothing_else(aws: Any, local: Any) -> None:
    for assembly in (aws, local):
        assert set(functions(assembly)) == {settings.function_name(folder) for folder in settings.FUNCTIONS}
    probing = {"lookout-dispatch", "lookout-probe", "lookout-drain"}
    assert set(by(aws.of(PROBE, "AWS::Lambda::Function"), "FunctionName")) == probing


@pytest.mark.parametrize("folder", settings.FUNCTIONS)
def test_a_function(aws: Any, folder: str) -> None:
    function = functions(aws)[settings.function_name(folder)]
    seconds = {"dispatch": 20, "probe": 50, "notify": 30, "rollup": 900, "api": 10, "apply": 120}
    assert function["Timeout"] == seconds.get(folder, 60)
    assert function["MemorySize"] == {"probe": 512, "publish": 512, "rollup": 1024, "notify": 1024}.get(folder, 256)
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert len(function["Layers"]) == 2
    variables = function["Environment"]["Variables"]
    assert variables[settings.ENV_HOME] == "us-east-1"
    assert variables["POWERTOOLS_SERVICE_NAME"] == folder
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == settings.METRICS_NAMESPACE
    assert "ReservedConcurrentExecutions" not in function


@pytest.mark.parametrize(
    ("folder", "read"),
    [
        ("dispatch", settings.DispatchSettings),
        ("probe", settings.ProbeSettings),
        ("drain", settings.DrainSettings),
        ("notify", settings.NotifySettings),
        ("publish", settings.PublishSettings),
        ("heartbeat", settings.HeartbeatSettings),
        ("api", settings.ApiSettings),
        *((folder, settings.HomeSettings) for folder in settings.FUNCTIONS),
    ],
)
def test_a_function_finds_its_settings(aws: Any, local: Any, folder: str, read: Any) -> None:
    for assembly in (aws, local):
        variables = functions(assembly)[settings.function_name(folder)]["Environment"]["Variables"]
        read.from_env({"AWS_REGION": "eu-west-1", **{k: str(v) for k, v in variables.items()}})


def test_the_heartbeat_knows_the_queues_that_are_there(aws: Any, aws_home_probes: Any) -> None:
    for assembly, watchers in ((aws, ("us-west-2", "eu-west-1")), (aws_home_probes, ("eu-west-1",))):
        value = functions(assembly)["lookout-heartbeat"]["Environment"]["Variables"][settings.ENV_HEARTBEAT_URLS]
        _, parts = value["Fn::Join"]
        names = {"AWS::URLSuffix": "amazonaws.com", "AWS::AccountId": "1"}
        text = "".join(part if isinstance(part, str) else names[part["Ref"]] for part in parts)
        env = {settings.ENV_HOME: "us-east-1", settings.ENV_DATA_BUCKET: "x", settings.ENV_HEARTBEAT_URLS: text}
        queues = settings.HeartbeatSettings.from_env(env).queues
        assert queues == {region: f"https://sqs.{region}.amazonaws.com/1/lookout-heartbeat" for region in watchers}
        there = {
            stack.removeprefix("LookoutProbe-")
            for stack in assembly.templates
            if "lookout-heartbeat" in by(assembly.of(stack, "AWS::SQS::Queue"), "QueueName")
        }
        assert there == set(watchers)


def test_logs_end(aws: Any) -> None:
    groups = [g for stack in aws.templates for g in aws.of(stack, "AWS::Logs::LogGroup").values()]
    assert len(groups) == 7 + 2 * 3
    assert {g["RetentionInDays"] for g in groups} == {30}


def test_a_probe_is_never_retried(aws: Any) -> None:
    invoke = aws.of(PROBE, "AWS::Lambda::EventInvokeConfig").values()
    assert [(i["MaximumRetryAttempts"], i["MaximumEventAgeInSeconds"]) for i in invoke] == [(0, 60), (0, 60)]


# --- what wakes them ---------------------------------------------------------------------------------------------


def test_schedules(aws: Any, aws_home_probes: Any) -> None:
    schedules = {
        name: schedule
        for stack in (HOME_STACK, PROBE)
        for name, schedule in by(aws.of(stack, "AWS::Scheduler::Schedule"), "Name").items()
    }
    expressions = {name: schedule["ScheduleExpression"] for name, schedule in schedules.items()}
    assert expressions == {
        "lookout-home-judge": "cron(* * * * ? *)",
        "lookout-home-publish": "cron(* * * * ? *)",
        "lookout-home-heartbeat": "cron(* * * * ? *)",
        "lookout-home-resend": "cron(* * * * ? *)",
        "lookout-home-rollup": "cron(4 * * * ? *)",
        "lookout-probe-dispatch": "cron(* * * * ? *)",
    }
    for schedule in schedules.values():
        assert json.loads(schedule["Target"]["Input"]) == {"time": "<aws.scheduler.scheduled-time>"}
        assert "DeadLetterConfig" in schedule["Target"]
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    plain = by(aws_home_probes.of(HOME_STACK, "AWS::Scheduler::Schedule"), "Name")
    assert "lookout-home-resend" not in plain, "nothing is sent again where there is no Alertmanager sink"
    assert schedules["lookout-probe-dispatch"]["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 60


def test_rounds_wait_as_long_as_they_are_wanted(aws: Any, local: Any) -> None:
    """No dead-letter queue takes them away after so many attempts, and they never outlive the rounds at home."""
    for assembly in (aws, local):
        queue = by(assembly.of(PROBE, "AWS::SQS::Queue"), "QueueName")[settings.WAITING_QUEUE]
        assert queue["MessageRetentionPeriod"] == settings.ROUNDS_TTL_S
        assert queue["SqsManagedSseEnabled"] is True
        assert "RedrivePolicy" not in queue
        function = by(assembly.of(PROBE, "AWS::Lambda::Function"), "FunctionName")["lookout-drain"]
        assert queue["VisibilityTimeout"] >= function["Timeout"]
        mapping = one(assembly.of(PROBE, "AWS::Lambda::EventSourceMapping"))
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (10, {"MaximumConcurrency": 2})


# --- site and api ------------------------------------------------------------------------------------------------


def test_pages_are_private_behind_cloudfront_with_strict_headers(aws: Any) -> None:
    for bucket in aws.of(HOME_STACK, "AWS::S3::Bucket").values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    policies = [
        p["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
        for p in aws.of(HOME_STACK, "AWS::CloudFront::ResponseHeadersPolicy").values()
    ]
    (csp,) = [p["ContentSecurityPolicy"]["ContentSecurityPolicy"] for p in policies if "ContentSecurityPolicy" in p]
    assert csp == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    for policy in policies:
        assert policy["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 365 * 86400
        assert policy["FrameOptions"] == {"FrameOption": "DENY", "Override": True}
        assert policy["ContentTypeOptions"] == {"Override": True}
        assert "ReferrerPolicy" in policy
    distribution = one(aws.of(HOME_STACK, "AWS::CloudFront::Distribution"))["DistributionConfig"]
    assert {b["PathPattern"] for b in distribution["CacheBehaviors"]} == {"/api/*", "/badge/*", "/metrics", "/probe"}
    for behaviour in (distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]):
        assert behaviour["AllowedMethods"] == ["GET", "HEAD"]
        assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    assert distribution["CustomErrorResponses"][0] | {"ErrorCachingMinTTL": 0} == {
        "ErrorCode": 403,
        "ResponseCode": 404,
        "ResponsePagePath": "/404.html",
        "ErrorCachingMinTTL": 0,
    }


def test_the_api_has_no_write_path_and_is_throttled(aws: Any) -> None:
    routes = {route["RouteKey"] for route in aws.of(HOME_STACK, "AWS::ApiGatewayV2::Route").values()}
    paths = ("/api/{proxy+}", "/badge/{proxy+}", "/metrics", "/probe")
    assert routes == {f"{method} {path}" for method in ("GET", "HEAD") for path in paths}
    stage = one(aws.of(HOME_STACK, "AWS::ApiGatewayV2::Stage"))
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 100, "ThrottlingRateLimit": 50}


def test_outputs(aws: Any, local: Any) -> None:
    for assembly in (aws, local):
        assert set(assembly.home["Outputs"]) == {"SiteUrl", "ApiUrl", "SiteBucket", "DataBucket"}
    urls = {name: json.dumps(local.home["Outputs"][name]["Value"]) for name in ("SiteUrl", "ApiUrl")}
    assert ".cloudfront.localhost:4599" in urls["SiteUrl"]
    assert ".execute-api.localhost:4599" in urls["ApiUrl"]


# --- the configuration -------------------------------------------------------------------------------------------


def test_the_configuration_is_applied_after_its_tables_are_there(aws: Any) -> None:
    (resource,) = [r for r in aws.home["Resources"].values() if r["Type"] == "Custom::LookoutConfig"]
    assert {"AssetBucket", "AssetKey", "Digest", "ServiceToken", "ServiceTimeout"} == set(resource["Properties"])
    tables = set(aws.of(HOME_STACK, "AWS::DynamoDB::Table"))
    assert tables <= set(resource["DependsOn"])
    assert any(name.startswith("ApplyRoleDefaultPolicy") for name in resource["DependsOn"])
    body = (aws.folder / f"asset.{resource['Properties']['AssetKey']}").read_bytes()
    assert hashlib.sha256(body).hexdigest() == resource["Properties"]["Digest"]
    config = Config.from_json(json.loads(body))
    assert [server.slug for server in config.servers] == ["plain", "search", "keyed", "granted"]
    assert config.site.sinks[1].url == "secret:slack-url"


# --- across stacks -----------------------------------------------------------------------------------------------


def test_every_taggable_thing_is_tagged(aws: Any) -> None:
    for stack in aws.templates:
        for kind in ("AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::IAM::Role"):
            for properties in aws.of(stack, kind).values():
                assert {"Key": "app", "Value": "lookout"} in properties["Tags"]


def test_nothing_is_made_by_hidden_custom_resources(aws: Any, local: Any) -> None:
    for assembly in (aws, local):
        kinds = {r["Type"] for t in assembly.templates.values() for r in t["Resources"].values()}
        assert {kind for kind in kinds if kind.startswith("Custom::")} == {"Custom::LookoutConfig"}
        assert "AWS::SSM::Parameter" not in kinds


def test_the_home_region_may_probe_too(aws_home_probes: Any) -> None:
    """Names are unique within a region, though two stacks are there."""
    names: list[tuple[str, str]] = []
    for stack in (HOME_STACK, probe_stack("us-east-1")):
        for resource in aws_home_probes.templates[stack]["Resources"].values():
            names += [
                (resource["Type"], str(value))
                for key, value in resource.get("Properties", {}).items()
                if key in ("FunctionName", "QueueName", "TableName", "Name", "AlarmName", "TopicName", "LogGroupName")
                and resource["Type"] not in ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig")
                and resource["Type"] != "AWS::Lambda::Permission"
            ]
    assert len(names) == len(set(names))


def test_synthesis_looks_nothing_up(aws: Any, local: Any) -> None:
    for assembly in (aws, local):
        assert "missing" not in json.loads((assembly.folder / "manifest.json").read_text())
        assert not list(assembly.folder.glob("cdk.context.json"))


def test_the_home_stack_is_deployed_first(aws: Any) -> None:
    manifest = json.loads((aws.folder / "manifest.json").read_text())["artifacts"]
    for region in aws.regions:
        assert HOME_STACK in manifest[probe_stack(region)]["dependencies"]
        assert manifest[probe_stack(region)]["environment"] == f"aws://unknown-account/{region}"
