from __future__ import annotations

import pytest
from lookout.local.advice import advise

SAID = {
    "api error ExpiredToken: The security token included in the request is expired": "log in again",
    "User: arn:aws:iam::1:user/me is not authorized to perform: iam:CreateRole on resource": "administrator",
    "LookoutHome | 3/9 | UPDATE_ROLLBACK_FAILED | AWS::CloudFormation::Stack": "continue-update-rollback",
    "Resource handler returned message: \"Limit exceeded for resource of type 'Cache Policy'\"": "Service Quotas",
    "lookout-home-alarms already exists in stack arn:aws:cloudformation:x:1:stack/Other": "one Lookout per home",
    "getaddrinfo ENOTFOUND sts.eu-west-9.amazonaws.com": "HTTPS_PROXY",
}


@pytest.mark.parametrize(("said", "advice"), SAID.items())
def test_what_is_known_has_advice(said: str, advice: str) -> None:
    assert advice in advise(f"LookoutHome: deploying... [1/4]\n{said}\n")


def test_what_is_not_known_has_none() -> None:
    assert advise("LookoutHome: deploying... [1/4]\nsomething new\n") == ""
