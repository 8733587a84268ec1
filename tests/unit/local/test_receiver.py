from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from lookout.local.receiver import BODY_LIMIT, KEPT, Inbox, receiver_app, verify
from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
NOW = 1_800_000_000.0
PAYLOAD = {"type": "incident.opened", "server_slug": "demo-flaky", "previous_status": "up", "status": "down"}


def delivery(identity: str = "evt_1", payload: object = PAYLOAD, at: float = NOW) -> tuple[dict[str, str], bytes]:
    body = json.dumps(payload)
    signature = Webhook(SECRET).sign(identity, datetime.fromtimestamp(at, UTC), body)
    headers = {"webhook-id": identity, "webhook-timestamp": str(int(at)), "webhook-signature": signature}
    return headers, body.encode()


def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "received.jsonl", SECRET, clock=lambda: NOW)


def test_what_the_reference_library_signs_is_accepted() -> None:
    headers, body = delivery()
    assert verify(SECRET, headers, body, NOW) is None
    rotating = {**headers, "webhook-signature": "v1,AAAA " + headers["webhook-signature"]}
    assert verify(SECRET, rotating, body, NOW) is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"webhook-signature": "v1,AAAA"}, "no signature matches"),
        ({"webhook-signature": ""}, "no signature matches"),
        ({"webhook-signature": "v1,ÿ"}, "no signature matches"),
        ({"webhook-id": "evt_2"}, "no signature matches"),
        ({"webhook-id": ""}, "missing"),
        ({"webhook-timestamp": "soon"}, "missing"),
        ({"webhook-timestamp": str(int(NOW) - 301)}, "five minutes"),
        ({"webhook-timestamp": str(int(NOW) + 301)}, "five minutes"),
    ],
)
def test_what_is_not_ours_is_refused(change: dict[str, str], problem: str) -> None:
    headers, body = delivery()
    assert problem in (verify(SECRET, {**headers, **change}, body, NOW) or "")


def test_a_changed_body_is_refused_and_a_broken_secret_is_said() -> None:
    headers, body = delivery()
    assert verify(SECRET, headers, body + b" ", NOW) == "no signature matches"
    assert "own secret" in (verify("whsec_%", headers, body, NOW) or "")


def test_a_delivery_is_kept_once_and_survives_a_restart(tmp_path: Path) -> None:
    first = inbox(tmp_path)
    assert first.receive(*delivery())[0] == 202
    assert first.receive(*delivery()) == (200, "seen before")
    with (tmp_path / "received.jsonl").open("a") as file:
        file.write('{"half')
    again = inbox(tmp_path)
    assert [(e["payload"], e["repeated"]) for e in again.events] == [(PAYLOAD, False), (PAYLOAD, True)]
    assert again.receive(*delivery()) == (200, "seen before")


def test_a_refused_delivery_does_not_count_as_seen(tmp_path: Path) -> None:
    kept = inbox(tmp_path)
    headers, body = delivery()
    assert kept.receive({**headers, "webhook-signature": "v1,no"}, body) == (401, "no signature matches")
    assert (kept.events[0]["verified"], kept.events[0]["payload"]) == (False, None)
    assert kept.receive(headers, body)[0] == 202


def test_signed_but_not_json_is_refused(tmp_path: Path) -> None:
    body = "not json"
    headers = {"webhook-id": "e", "webhook-timestamp": str(int(NOW))}
    headers["webhook-signature"] = Webhook(SECRET).sign("e", datetime.fromtimestamp(NOW, UTC), body)
    assert inbox(tmp_path).receive(headers, body.encode()) == (401, "the body is not JSON")


def test_each_delivery_has_a_number_by_which_it_is_found_while_it_is_kept(tmp_path: Path) -> None:
    first = inbox(tmp_path)
    for index in range(3):
        first.receive(*delivery(f"evt_{index}"))
    again = inbox(tmp_path)
    assert [event["number"] for event in again.events] == [1, 2, 3]
    for index in range(KEPT):
        again.receive({"webhook-id": str(index)}, b"")
    assert again.event(3) is None
    assert (again.event(4) or {})["id"] == "0"
    assert (again.event(KEPT + 3) or {})["id"] == str(KEPT - 1)


def test_over_http(tmp_path: Path) -> None:
    async def talk() -> None:
        transport = httpx.ASGITransport(receiver_app(inbox(tmp_path)))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            headers, body = delivery()
            assert (await client.post("/hook", headers=headers, content=body)).status_code == 202
            assert (await client.post("/hook", content=b"x" * (BODY_LIMIT + 1))).status_code == 413
            assert (await client.get("/hook")).status_code == 405
            events = (await client.get("/events")).json()["events"]
            assert [e["id"] for e in events] == ["evt_1"]
            home = await client.get("/")
            assert "demo-flaky" in home.text
            assert "default-src 'none'" in home.headers["content-security-policy"]
            one = await client.get("/events/1")
            assert one.headers["content-type"].startswith("text/plain")
            assert one.headers["x-content-type-options"] == "nosniff"
            assert "webhook-id: evt_1" in one.text
            assert '"server_slug": "demo-flaky"' in one.text
            assert (await client.get("/events/2")).status_code == 404
            await client.post("/hook", content=b'"\\ud800 \xff')
            assert (await client.get("/events/2")).status_code == 200

    asyncio.run(talk())
