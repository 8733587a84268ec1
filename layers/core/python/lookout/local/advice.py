"""What to do about a deployment that failed, found in what CloudFormation, CDK and AWS said. Pure."""

from __future__ import annotations

import re
from typing import Final

_KNOWN: Final = (
    (
        r"ExpiredToken|security token included in the request is expired|token has expired",
        "Your credentials expired on the way: log in again and repeat the command. It goes on where it ended.",
    ),
    (
        r"is not authorized to perform|AccessDenied|UnauthorizedOperation|Need to perform AssumeRole",
        (
            "Your credentials may not do that. A first deployment bootstraps CDK, which makes roles: it needs an "
            "administrator. Later ones need only sts:AssumeRole on the roles named cdk-hnb659fds-*."
        ),
    ),
    (
        r"UPDATE_ROLLBACK_FAILED|ROLLBACK_FAILED",
        (
            "A stack is stuck half way back. Look at its events, then let it finish: "
            "aws cloudformation continue-update-rollback --stack-name <stack> --region <region>"
        ),
    ),
    (
        r"LimitExceeded|[Ll]imit exceeded|exceeds? (?:the )?(?:quota|limit)|Quota",
        "The account has reached a limit: ask for more in Service Quotas, in the region named above, and repeat.",
    ),
    (
        r"[Aa]lready exists|AlreadyExists",
        (
            "Something of that name is there already. One account holds one Lookout per home region; what an earlier "
            "one left behind and this one does not adopt has to be removed first (docs/runbook.md)."
        ),
    ),
    (
        r"ENOTFOUND|ECONNREFUSED|ETIMEDOUT|getaddrinfo|SELF_SIGNED_CERT",
        "AWS could not be reached from here. Behind a proxy set HTTPS_PROXY; if it re-signs TLS, NODE_EXTRA_CA_CERTS.",
    ),
)


def advise(said: str) -> str:
    """What to do about the first known thing in `said`; empty where nothing in it is known."""
    return next((advice for pattern, advice in _KNOWN if re.search(pattern, said)), "")
