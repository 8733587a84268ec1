from __future__ import annotations

import signal
import threading
import time
from typing import Any
from urllib.error import HTTPError

import pytest
from lookout import cfn


def event(url: str, **more: str) -> dict[str, str]:
    return {
        "RequestType": "Create",
        "ResponseURL": url,
        "StackId": "arn:stack",
        "RequestId": "r-1",
        "LogicalResourceId": "Config",
        **more,
    }


def test_success(cloudformation: Any) -> None:
    assert cfn.respond(event(cloudformation.url), lambda: {"Created": "2"}, 30) is True
    assert cloudformation.got == [
        (
            "/answer?signed=yes",
            "",
            {
                "Status": "SUCCESS",
                "Reason": "done",
                "PhysicalResourceId": "lookout-configuration",
                "StackId": "arn:stack",
                "RequestId": "r-1",
                "LogicalResourceId": "Config",
                "Data": {"Created": "2"},
            },
        )
    ]


def test_the_physical_id_never_changes(cloudformation: Any) -> None:
    cfn.respond(event(cloudformation.url, PhysicalResourceId="other"), dict, 30)
    assert cloudformation.got[0][2]["PhysicalResourceId"] == "other"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("AssetKey"), "KeyError: 'AssetKey'"),
        (ValueError("x" * 5000), "ValueError: " + "x" * (cfn.REASON_LIMIT - 12)),
        (ValueError("é🔴\ud800" * 2000), "ValueError: é🔴?é🔴?"),
    ],
)
def test_a_failure_is_answered_and_not_raised(cloudformation: Any, error: Exception, reason: str) -> None:
    def fail() -> dict[str, str]:
        raise error

    assert cfn.respond(event(cloudformation.url), fail, 30) is False
    answer = cloudformation.got[0][2]
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(reason)
    assert answer["PhysicalResourceId"] == "lookout-configuration"


def test_what_takes_too_long_is_answered_in_time(cloudformation: Any) -> None:
    def hang() -> dict[str, str]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                threading.Event().wait(20)
            except Exception:  # as client libraries do
                continue
        return {}

    before = signal.getsignal(signal.SIGALRM)
    assert cfn.respond(event(cloudformation.url), hang, 0) is False
    assert cloudformation.got[0][2]["Status"] == "FAILED"
    assert cloudformation.got[0][2]["Reason"].startswith("not done in the time there is: what was applied stays")
    assert signal.getsignal(signal.SIGALRM) == before


def test_beside_the_main_thread_it_works_without_a_clock(cloudformation: Any) -> None:
    done: list[bool] = []
    thread = threading.Thread(target=lambda: done.append(cfn.respond(event(cloudformation.url), dict, 30)))
    thread.start()
    thread.join()
    assert done == [True]


def test_an_answer_that_cannot_be_given_is_raised(cloudformation: Any) -> None:
    cloudformation.status = 403
    with pytest.raises(HTTPError) as caught:
        cfn.respond(event(cloudformation.url), dict, 30)
    caught.value.close()
