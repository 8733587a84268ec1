"""The sinks that are calls to AWS: an outage and its end as a mail, in SNS and on a bus of EventBridge.

Two things the SES of the local AWS does not do. It keeps of a mail what Python's MIME parser found in it, and not its
bytes: the parts that arrived are compared with those of the mail that the stored notice makes. And it authorises
SendEmail against `*` instead of the identities: notify gets that here, and what it is granted is read from its role.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from lookout.config.model import Config
from lookout.local.ministack import ACCOUNT
from lookout.notify.render import render
from lookout.notify.request import EventBridgeEvent, SesEmail, SnsMessage, Target

from tests.e2e.conftest import AWS_SINKS
from tests.e2e.world import HOME, World, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SLUG = "demo-flaky"
TOPIC = str(AWS_SINKS["topic"]["sns"])
BUS = str(AWS_SINKS["bus"]["eventbridge"])
SENDER = str(AWS_SINKS["mail"]["from"])
REFUSED = ("AccessDenied", "AccessDeniedException", "AuthorizationError")


@dataclass
class Account:
    """What somebody made in the account to be told: a topic and a bus, each with a queue behind it."""

    world: World
    queues: dict[str, str]
    """Addresses by the sink's name."""

    def take(self, sink: str) -> list[dict[str, Any]]:
        """The messages that wait behind a sink, parsed, in the order they were sent; they are gone then."""
        client, found = self.world.client("sqs"), []
        while got := client.receive_message(
            QueueUrl=self.queues[sink], MaxNumberOfMessages=10, MessageSystemAttributeNames=["SentTimestamp"]
        ).get("Messages"):
            for message in got:
                client.delete_message(QueueUrl=self.queues[sink], ReceiptHandle=message["ReceiptHandle"])
                found.append((int(message["Attributes"]["SentTimestamp"]), json.loads(message["Body"])))
        return [body for _, body in sorted(found, key=lambda one: one[0])]

    def mails(self) -> list[dict[str, Any]]:
        """What SES was given, oldest first."""
        with urllib.request.urlopen(f"{self.world.aws.endpoint}/_ministack/ses/messages", timeout=10) as answer:
            kept = json.load(answer)["messages"].values()
        return sorted((mail for mails in kept for mail in mails), key=lambda mail: float(mail["Timestamp"]))


@pytest.fixture(scope="module")
def account(world: World) -> Iterator[Account]:
    """The topic, the bus and the sender's identity; SLUG tells the three sinks, and no other."""
    world.begin_anew(minutes_ago=1)
    sqs, sns, events = world.client("sqs"), world.client("sns"), world.client("events")
    queues = {name: sqs.create_queue(QueueName=f"behind-{name}")["QueueUrl"] for name in ("topic", "bus")}
    arns = {
        name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for name, url in queues.items()
    }
    for name, service in (("topic", "sns"), ("bus", "events")):
        letting = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**letting, "Resource": arns[name]}]})
        sqs.set_queue_attributes(QueueUrl=queues[name], Attributes={"Policy": policy})
    sns.create_topic(Name=TOPIC.rsplit(":", 1)[1])
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arns["topic"])
    events.create_event_bus(Name=BUS)
    pattern = json.dumps({"source": ["lookout"], "detail-type": [{"prefix": "incident."}]})
    events.put_rule(Name="incidents", EventBusName=BUS, EventPattern=pattern)
    events.put_targets(Rule="incidents", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arns["bus"]}])
    world.client("sesv2").create_email_identity(EmailIdentity=SENDER.rsplit("@", 1)[1])
    iam, role = world.client("iam"), world.role_of("notify").rsplit("/", 1)[1]
    anybody = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
    iam.put_role_policy(RoleName=role, PolicyName="mail", PolicyDocument=json.dumps({"Statement": [anybody]}))
    site, servers = world.store.roster()
    told = [replace(one, notify=("mail", "topic", "bus")) if one.slug == SLUG else one for one in servers]
    world.store.apply_config(Config(site, tuple(told)), world.minute)
    try:
        yield Account(world, queues)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="mail")
        world.demo.set_fault(SLUG, None)
        world.store.apply_config(Config(site, tuple(servers)), world.minute)
        world.begin_anew(minutes_ago=1)


@pytest.fixture(scope="module")
def told(account: Account) -> list[Any]:
    """The two notices of an outage, each delivered to the three sinks."""
    world = account.world
    world.play(1)
    world.demo.set_fault(SLUG, "500")
    world.play(3)
    world.demo.set_fault(SLUG, None)
    world.play(2)
    until(lambda: len([one for one in world.store.recent_notices(10) if one.slug == SLUG]) == 2)
    notices = sorted((one for one in world.store.recent_notices(10) if one.slug == SLUG), key=lambda one: one.id)
    for notice in notices:
        assert notice.sinks == ("mail", "topic", "bus")
        for sink in notice.sinks:
            until(lambda: (found := world.store.delivery(notice.id, sink)) and found.result == "delivered")  # noqa: B023
    assert [one.type for one in notices] == ["incident.opened", "incident.resolved"]
    return notices


def rendered(world: World, notice: Any, sink: str) -> Any:
    """What the notice makes for that sink."""
    site = world.store.site()
    assert site is not None
    (found,) = (one for one in site.sinks if one.name == sink)
    target = Target(found.kind, found.url, None, found.allow_private, dict(found.options))
    return render(notice, target, world.outputs["SiteUrl"], notice.created_at)


def test_the_mail_has_a_text_and_an_html_part_and_arrives_in_order(account: Account, told: list[Any]) -> None:
    mails = account.mails()
    assert len(mails) == 2
    for mail, notice in zip(mails, told, strict=True):
        assert (mail["Source"], mail["To"]) == (SENDER, AWS_SINKS["mail"]["email"])
        assert (mail["CC"], mail["BCC"]) == ([], [])
        request = rendered(account.world, notice, "mail")
        assert isinstance(request, SesEmail)
        parsed = message_from_bytes(request.raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
        assert text is not None
        assert html is not None
        assert mail["Subject"] == parsed["Subject"]
        assert mail["BodyText"].splitlines() == str(text.get_content()).splitlines()
        assert mail["BodyHtml"].splitlines() == str(html.get_content()).splitlines()
        assert mail["BodyHtml"].startswith("<!doctype html>")
    assert "Flaky is DOWN" in mails[0]["Subject"]
    assert "Flaky recovered" in mails[1]["Subject"]


def test_the_topic_gets_the_documented_message_with_its_attributes(account: Account, told: list[Any]) -> None:
    messages = account.take("topic")
    assert len(messages) == 2
    for message, notice in zip(messages, told, strict=True):
        request = rendered(account.world, notice, "topic")
        assert isinstance(request, SnsMessage)
        assert (message["Type"], message["TopicArn"], message["Subject"]) == ("Notification", TOPIC, request.subject)
        body = json.loads(message["Message"])
        assert body == json.loads(json.loads(request.message)["default"])
        assert (body["id"], body["type"], body["server_slug"]) == (notice.id, notice.type, SLUG)
        attributes = {name: one["Value"] for name, one in message["MessageAttributes"].items()}
        assert attributes == {"type": notice.type, "severity": notice.severity, "server": SLUG, "status": notice.status}


def test_the_bus_gets_the_documented_event(account: Account, told: list[Any]) -> None:
    events = account.take("bus")
    assert len(events) == 2
    for event, notice in zip(events, told, strict=True):
        request = rendered(account.world, notice, "bus")
        assert isinstance(request, EventBridgeEvent)
        assert (event["source"], event["detail-type"]) == ("lookout", notice.type)
        assert event["detail"] == json.loads(request.detail)
        assert event["detail"]["id"] == notice.id


def test_notify_may_send_to_the_sinks_of_the_file_and_to_no_other(account: Account) -> None:
    world = account.world
    lent = world.client("sts").assume_role(RoleArn=world.role_of("notify"), RoleSessionName="visitor")["Credentials"]
    session = boto3.Session(lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"])
    other = world.client("sns").create_topic(Name="of-somebody-else")["TopicArn"]
    sns, events = session.client("sns", region_name=HOME), session.client("events", region_name=HOME)

    def put(bus: str) -> object:
        entry = {"EventBusName": bus, "Source": "visitor", "DetailType": "visit", "Detail": "{}"}
        return events.put_events(Entries=[entry])

    attempts: dict[str, Callable[[], object]] = {
        "topic": lambda: sns.publish(TopicArn=TOPIC, Message="visitor"),
        "another topic": lambda: sns.publish(TopicArn=other, Message="visitor"),
        "bus": lambda: put(BUS),
        "another bus": lambda: put("default"),
    }
    answers = {name: answer(attempt) for name, attempt in attempts.items()}
    assert {name for name, said in answers.items() if said == "done"} == {"topic", "bus"}
    assert {said for said in answers.values() if said != "done"} <= set(REFUSED)


def test_notify_is_granted_the_identities_of_the_mail_and_no_others(account: Account) -> None:
    iam, role = account.world.client("iam"), account.world.role_of("notify").rsplit("/", 1)[1]
    granted: set[str] = set()
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        if name == "mail":
            continue
        for statement in iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]:
            if "ses:SendEmail" in statement["Action"]:
                assert sorted(statement["Action"]) == ["ses:SendEmail", "ses:SendRawEmail"]
                granted |= set(statement["Resource"])
    names = {SENDER, *AWS_SINKS["mail"]["email"], "acme.dev"}
    assert granted == {f"arn:aws:ses:{HOME}:{ACCOUNT}:identity/{name}" for name in names}


def answer(attempt: Callable[[], object]) -> str:
    """The error code AWS answered with, or `done`."""
    try:
        attempt()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"
