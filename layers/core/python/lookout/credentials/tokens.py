"""Which OAuth token to send, and when to ask for another.

A token is used until shortly before it expires; where a new one cannot be had, until it expires. What a refusal of the
authorization server says holds for five minutes or until the client changes: a wrong secret sent every minute gets a
client locked out. Endpoints are discovered once a day.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from lookout.credentials.discovery import BASIC, POST, Endpoint, discover
from lookout.credentials.grant import Client, Token, obtain
from lookout.credentials.messages import Ask, Told, Unobtainable

DISCOVERY_TTL_S: Final = 86_400
REFUSAL_TTL_S: Final = 300
RENEWAL_PAUSE_S: Final = 300
"""A server that refuses every token gets a new one no more often."""
SKEW_S: Final = 60.0
R = TypeVar("R")
Carry = Callable[[Ask], Awaitable[Told]]
"""Carries one request out. Raises Unobtainable."""


@dataclass(slots=True)
class _Kept:
    """What is remembered for one server, as long as its client is the same. Moments are unix seconds."""

    client: Client
    server_url: str
    endpoint: Endpoint | None = None
    found_at: float = 0.0
    token: Token | None = None
    fetched_at: float = 0.0
    renew_at: float = 0.0
    renewed_at: float = float("-inf")
    refusal: str | None = None
    refused_at: float = 0.0

    @property
    def ends_at(self) -> float:
        return self.fetched_at + (self.token.lifetime_s if self.token else 0.0)


@dataclass(frozen=True, slots=True)
class Given:
    """A token to send; `renewable`: it was remembered, and may be fetched anew if the server refuses it."""

    token: str = field(repr=False)
    renewable: bool


def renewal(lifetime_s: float, chance: float) -> float:
    """Seconds after which a token is fetched anew: a minute or a fifth of its life before its end, and up to half as
    much again sooner, so that regions do not ask at once. `chance` is in [0, 1).
    """
    margin = min(SKEW_S, lifetime_s / 5)
    return lifetime_s - margin * (1 + chance / 2)


class Tokens:
    """The tokens of one process, by server. `wall` is unix seconds, `chance` uniform in [0, 1)."""

    def __init__(self, wall: Callable[[], float], chance: Callable[[], float]) -> None:
        self._wall, self._chance = wall, chance
        self._kept: dict[str, _Kept] = {}

    async def token(self, slug: str, client: Client, server_url: str, carry: Carry) -> Given:
        """The token remembered, or a new one. Raises Unobtainable."""
        kept, now = self._kept.get(slug), self._wall()
        if kept is None or (kept.client, kept.server_url) != (client, server_url):
            kept = self._kept[slug] = _Kept(client, server_url)
        if kept.token is not None and now < kept.renew_at:
            return Given(kept.token.value, now - kept.renewed_at >= RENEWAL_PAUSE_S)
        try:
            return Given(await self._fetch(kept, carry), renewable=False)
        except Unobtainable:
            if kept.token is None or now >= kept.ends_at:
                raise
            return Given(kept.token.value, renewable=False)

    async def renew(self, slug: str, carry: Carry) -> Given:
        """A new token instead of the one the server refused. Raises Unobtainable."""
        kept = self._kept[slug]
        kept.token, kept.renewed_at = None, self._wall()
        return Given(await self._fetch(kept, carry), renewable=False)

    async def _fetch(self, kept: _Kept, carry: Carry) -> str:
        now = self._wall()
        if kept.refusal is not None and now - kept.refused_at < REFUSAL_TTL_S:
            raise Unobtainable(kept.refusal, refused=True)
        try:
            if kept.client.token_url is not None:
                kept.endpoint = Endpoint(kept.client.token_url, (BASIC, POST))
            elif kept.endpoint is None or now - kept.found_at >= DISCOVERY_TTL_S:
                kept.endpoint = await _carried(discover(kept.server_url), carry)
                kept.found_at = now
            token = await _carried(obtain(kept.client, kept.endpoint, kept.server_url, now), carry)
        except Unobtainable as failure:
            if failure.refused:
                kept.endpoint, kept.refusal, kept.refused_at = None, failure.message, now
            raise
        kept.token, kept.fetched_at, kept.refusal = token, now, None
        kept.renew_at = now + renewal(token.lifetime_s, self._chance())
        return token.value


async def _carried(steps: Generator[Ask, Told, R], carry: Carry) -> R:
    try:
        ask = next(steps)
        while True:
            ask = steps.send(await carry(ask))
    except StopIteration as done:
        found: R = done.value
        return found
    finally:
        steps.close()
