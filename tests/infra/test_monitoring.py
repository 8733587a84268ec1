"""Every alarm tells somebody, and every alarm is in the runbook; the runbook names no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lookout.config.model import Config, Site

from infra.application import HOME_STACK, build, probe_stack
from infra.config import ROOT, Deployment

PROBE = probe_stack("eu-west-1")
HEADING = re.compile(r"^### ([a-z-]+)$", re.MULTILINE)


def alarms(assembly: Any, stack: str) -> dict[str, dict[str, Any]]:
    return {a["AlarmName"]: a for a in assembly.of(stack, "AWS::CloudWatch::Alarm").values()}


def test_the_runbook_has_an_entry_for_every_alarm_and_no_other(aws: Any) -> None:
    headings = HEADING.findall((ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"))
    names = [*alarms(aws, HOME_STACK), *alarms(aws, PROBE)]
    assert sorted(f"lookout-{heading}" for heading in headings) == sorted(names)


def test_every_alarm_points_there_and_speaks_to_the_topic(aws: Any) -> None:
    for stack in (HOME_STACK, PROBE):
        (topic,) = aws.of(stack, "AWS::SNS::Topic")
        for name, alarm in alarms(aws, stack).items():
            assert alarm["AlarmDescription"].endswith(f"docs/runbook.md#{name.removeprefix('lookout-')}")
            assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_every_dead_queue_and_every_function_has_one(aws: Any) -> None:
    for stack in (HOME_STACK, PROBE):
        watched = [str(d["Value"]) for a in alarms(aws, stack).values() for d in a["Dimensions"]]
        for id_, queue in aws.of(stack, "AWS::SQS::Queue").items():
            assert any(id_ in value for value in watched), queue["QueueName"]
        for id_ in aws.of(stack, "AWS::Lambda::Function"):
            assert any(id_ in value for value in watched)


def test_silence_is_an_alarm(aws: Any) -> None:
    for name in ("judge", "publish", "heartbeat"):
        alarm = alarms(aws, HOME_STACK)[f"lookout-{name}-silent"]
        assert (alarm["TreatMissingData"], alarm["ComparisonOperator"]) == ("breaching", "LessThanThreshold")
        assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (300, 2, 1)
    assert alarms(aws, PROBE)["lookout-dispatch-silent"]["TreatMissingData"] == "breaching"
    behind = alarms(aws, HOME_STACK)["lookout-judge-behind"]
    assert (behind["MetricName"], behind["Threshold"]) == ("IteratorAge", 300_000)


def test_other_regions_watch_the_home_region_and_it_itself_only_where_there_is_no_other(
    aws: Any, aws_home_probes: Any
) -> None:
    for stack in (probe_stack("us-west-2"), PROBE):
        alarm = alarms(aws, stack)["lookout-home-silent"]
        (queue,) = [i for i, q in aws.of(stack, "AWS::SQS::Queue").items() if q["QueueName"] == "lookout-heartbeat"]
        assert alarm["MetricName"] == "NumberOfMessagesSent"
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]
        assert (alarm["TreatMissingData"], alarm["ComparisonOperator"]) == ("breaching", "LessThanThreshold")
        assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (300, 2, 1)
        assert (alarm["Statistic"], alarm["Namespace"]) == ("Sum", "AWS/SQS")
    assert "lookout-home-silent" not in alarms(aws, HOME_STACK)
    assert "lookout-home-silent" not in alarms(aws_home_probes, probe_stack("us-east-1"))
    assert "lookout-home-silent" in alarms(aws_home_probes, PROBE)


def test_a_home_region_without_others_watches_itself(tmp_path: Path, infra_application: Any) -> None:
    app = infra_application(tmp_path)
    alone = Deployment(Config(Site("Alone", "us-east-1", ("us-east-1",)), ()))
    build(app, alone)
    probe = app.node.find_child(probe_stack("us-east-1"))
    assert probe.node.try_find_child("Heartbeats") is not None
    assert probe.node.find_child("Monitoring").node.try_find_child("home-silent") is not None
    assert alone.watchers == ("us-east-1",)


def test_who_is_to_hear_the_alarms_is_subscribed_in_every_region(aws: Any, aws_home_probes: Any) -> None:
    for stack in aws.templates:
        (topic,) = aws.of(stack, "AWS::SNS::Topic")
        (subscription,) = aws.of(stack, "AWS::SNS::Subscription").values()
        assert subscription == {"Protocol": "email", "Endpoint": "ops@acme.dev", "TopicArn": {"Ref": topic}}
    assert not [s for s in aws_home_probes.templates if aws_home_probes.of(s, "AWS::SNS::Subscription")]


def test_a_notice_that_was_refused_for_good_is_an_alarm(aws: Any) -> None:
    alarm = alarms(aws, HOME_STACK)["lookout-deliveries-failed"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Lookout", "DeliveriesFailed")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "notify"}]
    assert (alarm["Statistic"], alarm["Threshold"], alarm["TreatMissingData"]) == ("Sum", 1, "notBreaching")


def test_what_lags_waits_or_is_silent_is_an_alarm_when_it_lasts(aws: Any) -> None:
    found = alarms(aws, HOME_STACK)
    for name, metric, threshold in (
        ("judge-lags", "JudgeLag", 600),
        ("publish-lags", "SnapshotAge", 600),
        ("heartbeat-withheld", "HeartbeatWithheld", 1),
        ("heartbeat-failed", "HeartbeatFailed", 1),
        ("alerts-unsent", "AlertSinksFailed", 1),
        ("region-silent", "SilentRegions", 1),
    ):
        alarm = found[f"lookout-{name}"]
        assert (alarm["MetricName"], alarm["Threshold"], alarm["Statistic"]) == (metric, threshold, "Minimum")
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (300, 2)
    waiting = found["lookout-deliveries-waiting"]
    assert (waiting["MetricName"], waiting["Threshold"]) == ("ApproximateAgeOfOldestMessage", 1800)
    growing = found["lookout-deliveries-growing"]
    assert (growing["MetricName"], growing["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 100)
    assert (growing["Statistic"], growing["Period"], growing["EvaluationPeriods"]) == ("Minimum", 300, 2)


def test_rounds_that_wait_are_counted_while_they_rest_and_their_age_is_ours(aws: Any) -> None:
    for name, metric in (("waiting", "NotVisible"), ("untouched", "Visible")):
        depth = alarms(aws, PROBE)[f"lookout-rounds-{name}"]
        assert depth["MetricName"] == f"ApproximateNumberOfMessages{metric}"
        assert (depth["Threshold"], depth["EvaluationPeriods"], depth["Period"]) == (10, 2, 300)
    old = alarms(aws, PROBE)["lookout-rounds-waiting-old"]
    assert (old["Namespace"], old["MetricName"], old["Threshold"]) == ("Lookout", "RoundsWaitingAge", 1800)


def test_only_cloudwatch_of_this_account_speaks_to_the_topic(aws: Any) -> None:
    for stack in (HOME_STACK, PROBE):
        (policy,) = aws.of(stack, "AWS::SNS::TopicPolicy").values()
        allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
        assert [s["Principal"] for s in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]
        assert all(
            s["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}} for s in allowed
        )
