"""Carries out one request of the OAuth exchange, over the network guard every probe goes through.

https only and public addresses only unless the server's entry says `allow_private`; the checked address is the one
connected to; 1 MiB, no redirect to another host, one deadline for all. Failures name the step, the host and the
layer. `context` None: the trust every probe has.
"""

from __future__ import annotations

import ssl
from typing import Final
from urllib.parse import urlsplit

from lookout.credentials.messages import Ask, Told, Unobtainable
from lookout.probe.failure import Failure
from lookout.probe.messages import Request
from lookout.probe.network import Resolver, Wire, system_resolver
from lookout.probe.quoting import quote
from lookout.probe.result import Reason
from lookout.probe.transport import Transport

STEP_S: Final = 4.0


class Guarded:
    """A carrier of requests (`tokens.Carry`) for one server's credential, until `deadline` (loop time)."""

    def __init__(
        self,
        deadline: float,
        *,
        allow_private: bool,
        context: ssl.SSLContext | None = None,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._deadline, self._allow_private = deadline, allow_private
        self._context, self._resolver = context, resolver

    async def __call__(self, ask: Ask) -> Told:
        """Raises Unobtainable."""
        parts = urlsplit(ask.url)
        where = f"{ask.step} ({quote(parts.hostname or '', 100)})"
        if parts.scheme != "https" and not self._allow_private:
            raise Unobtainable(f"{where}: its address is not https")
        wire = Wire(self._deadline, allow_private=self._allow_private, resolver=self._resolver, step_s=STEP_S)
        transport = Transport(ask.url, wire, {}, self._context, STEP_S)
        try:
            reply = await transport.send(Request("credential", ask.method, ask.headers, ask.body, id=0))
        except Failure as failure:
            raise Unobtainable(f"{where}: {_words(failure)}") from None
        finally:
            await transport.aclose()
        value = reply.message if isinstance(reply.message, dict) else {}
        return Told(reply.status, reply.headers, value)


def _words(failure: Failure) -> str:
    """The layer and the reason. Not the message where it could repeat what a stranger wrote into a redirect."""
    if failure.reason in (Reason.REDIRECT_NOT_FOLLOWED, Reason.REDIRECT_NOT_PRESERVING):
        return "redirects elsewhere, which is not followed"
    return f"{failure.layer}: {quote(failure.message, 160)}"
