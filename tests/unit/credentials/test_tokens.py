"""When a token is fetched, kept, renewed and given up: on a clock that stands until it is moved."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.credentials.grant import Client
from lookout.credentials.messages import Ask, Told, Unobtainable
from lookout.credentials.tokens import Given, Tokens, renewal

SERVER = "https://mcp.example/mcp"
TOKEN_URL = "https://login.example/token"
CLIENT = Client("lookout", "hunter2", token_url=TOKEN_URL)
DISCOVERED = replace(CLIENT, token_url=None)
METADATA = {
    "resource": SERVER,
    "authorization_servers": ["https://mcp.example"],
    "issuer": "https://mcp.example",
    "token_endpoint": TOKEN_URL,
}


class World:
    """An authorization server that gives token-1, token-2, ... for an hour each."""

    def __init__(self) -> None:
        self.now, self.chance = 1_800_000_000.0, 0.0
        self.asked: list[str] = []
        self.given = 0
        self.fails: Told | Unobtainable | None = None
        self.tokens = Tokens(lambda: self.now, lambda: self.chance)

    async def carry(self, ask: Ask) -> Told:
        self.asked.append(ask.url)
        if ask.url != TOKEN_URL:
            return Told(200, {}, METADATA)
        if isinstance(self.fails, Unobtainable):
            raise self.fails
        if self.fails is not None:
            return self.fails
        self.given += 1
        return Told(200, {}, {"access_token": f"token-{self.given}", "token_type": "bearer", "expires_in": 3600})

    def token(self, client: Client = CLIENT, slug: str = "a") -> Given:
        return asyncio.run(self.tokens.token(slug, client, SERVER, self.carry))

    def renew(self) -> Given:
        return asyncio.run(self.tokens.renew("a", self.carry))


def test_a_token_is_used_until_shortly_before_its_end() -> None:
    world = World()
    assert world.token() == Given("token-1", renewable=False)
    world.now += 3539
    assert world.token() == Given("token-1", renewable=True)
    world.now += 1
    assert world.token() == Given("token-2", renewable=False)
    assert world.asked == [TOKEN_URL] * 2


@given(st.floats(0.001, 86_400), st.floats(0, 1, exclude_max=True))
def test_a_renewal_is_before_the_end_and_after_most_of_its_life(lifetime_s: float, chance: float) -> None:
    assert 0.69 * lifetime_s <= renewal(lifetime_s, chance) <= lifetime_s * 0.81 or lifetime_s > 300
    assert lifetime_s - 90 <= renewal(lifetime_s, chance) < lifetime_s


def test_regions_do_not_ask_at_once() -> None:
    assert renewal(3600, 0.0) - renewal(3600, 0.999) > 29


def test_an_old_token_is_used_while_a_new_one_cannot_be_had() -> None:
    world = World()
    world.token()
    world.now, world.fails = world.now + 3580, Unobtainable("token endpoint: no connection")
    assert world.token() == Given("token-1", renewable=False)
    world.now += 20
    with pytest.raises(Unobtainable, match="no connection"):
        world.token()
    world.fails = None
    assert world.token().token == "token-2"


def test_a_refusal_is_not_asked_for_again_until_something_changes() -> None:
    world = World()
    world.fails = Told(401, {}, {"error": "invalid_client"})
    for _ in range(3):
        with pytest.raises(Unobtainable, match="HTTP 401: invalid_client"):
            world.token()
    assert world.asked == [TOKEN_URL] * 2  # in the header, and in the body
    world.fails = None
    assert world.token(replace(CLIENT, client_secret="another")).token == "token-1"
    world.fails = Told(401)
    world.now += 4000
    with pytest.raises(Unobtainable):
        world.token()
    world.fails, world.now = None, world.now + 300
    assert world.token().token == "token-2"


def test_an_outage_is_asked_again_the_next_time() -> None:
    world = World()
    world.fails = Told(503)
    with pytest.raises(Unobtainable, match="HTTP 503"):
        world.token()
    world.fails = None
    assert world.token().token == "token-1"


def test_a_refused_token_is_renewed_once_and_then_not_for_five_minutes() -> None:
    world = World()
    world.token()
    world.now += 60
    assert world.token().renewable
    assert world.renew() == Given("token-2", renewable=False)
    world.now += 60
    assert world.token() == Given("token-2", renewable=False)
    world.now += 240
    assert world.token() == Given("token-2", renewable=True)


def test_a_renewal_that_fails_leaves_no_token() -> None:
    world = World()
    world.token()
    world.fails = Told(503)
    with pytest.raises(Unobtainable):
        world.renew()
    world.fails = None
    assert world.token().token == "token-2"


def test_endpoints_are_discovered_once_a_day_and_after_a_refusal() -> None:
    world = World()
    world.token(DISCOVERED)
    assert len(world.asked) == 4
    world.now += 3600
    world.token(DISCOVERED)
    assert world.asked[4:] == [TOKEN_URL]
    world.now += 86_400
    world.token(DISCOVERED)
    assert len(world.asked) == 9
    world.now, world.fails = world.now + 3600, Told(404)
    with pytest.raises(Unobtainable):
        world.token(DISCOVERED)
    world.now, world.fails = world.now + 300, None
    world.token(DISCOVERED)
    assert len(world.asked) == 14


def test_each_server_has_its_own() -> None:
    world = World()
    assert [world.token(slug=slug).token for slug in ("a", "b", "a")] == ["token-1", "token-2", "token-1"]
    assert "token-1" not in repr(world.tokens) + repr(world.token())
