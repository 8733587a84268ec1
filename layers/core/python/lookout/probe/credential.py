"""What a probe is given to prove who it is, or why there is nothing to give. Standard library only.

`lookout.credentials` makes these from a server's `auth`; the probe uses them and never asks where they come from.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Credential:
    """All that authenticates one server's requests. Its `repr` shows none of it.

    `headers` go with every request to the configured host and to no other. `ssl_context` replaces the default one (it
    holds a client certificate, and the same trust). `secrets` is everything to mask in whatever is written: the values
    of the headers without their scheme, and every secret they were made from.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    expires: int | None = None
    """Unix seconds at which the first part of it that is known to expire does; goes to `credential_expires`."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    renew: Source | None = field(default=None, repr=False, compare=False)
    """Set where it was remembered and can be had anew (an OAuth token): to be awaited, once, when the server answers
    401, and the exchange begun again with what it returns (whose own `renew` is None). Where that is Unavailable, the
    first answer stands."""

    @property
    def configured(self) -> bool:
        """A refusal means `credential_rejected`, not `auth_required`."""
        return bool(self.headers) or self.ssl_context is not None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """There is a credential, and it could not be had: the probe says `unknown`, `credential_unavailable`, `message`.

    `message` names the step that failed; it is safe to show and holds no secret.
    """

    message: str


Source = Callable[[float], Awaitable[Credential | Unavailable]]
"""Called with a deadline in loop time: for what takes a network of its own, so that it delays nobody else's probe."""

ANONYMOUS: Final = Credential()
"""No `auth` in the entry."""
