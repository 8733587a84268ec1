"""Discovery and grant as tables: what is asked, in which order, and what is made of the answers."""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator
from typing import Any, TypeVar
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.credentials.discovery import BASIC, POST, Endpoint, discover
from lookout.credentials.grant import Client, Token, obtain
from lookout.credentials.messages import Ask, Told, Unobtainable

from tests.unit.credentials.test_expiry import jwt

SERVER = "https://mcp.example/a/mcp"
ISSUER = "https://login.example/tenant"
NOW = 1_800_000_000.0
R = TypeVar("R")
NOTHING = Told(404)
ROOT = "https://mcp.example/.well-known/oauth-protected-resource"
RESOURCE = {"resource": SERVER, "authorization_servers": [ISSUER]}
METADATA = {"issuer": ISSUER, "token_endpoint": "https://login.example/token"}
AS_URL = "https://login.example/.well-known/oauth-authorization-server/tenant"


def walk(steps: Generator[Ask, Told, R], answer: Callable[[Ask], Told]) -> tuple[R, list[Ask]]:
    asked = []
    try:
        ask = next(steps)
        while True:
            asked.append(ask)
            ask = steps.send(answer(ask))
    except StopIteration as done:
        return done.value, asked


def world(challenge: str = "", **pages: Any) -> Callable[[Ask], Told]:
    """`pages` by what their URL ends in; a Told, or the value of a 200."""

    def answer(ask: Ask) -> Told:
        if ask.url == SERVER:
            return Told(401, {"www-authenticate": challenge})
        page = pages.get(ask.url)
        return page if isinstance(page, Told) else Told(200, {}, page) if page is not None else NOTHING

    return answer


def found(challenge: str = "", **pages: Any) -> tuple[Endpoint, list[str]]:
    endpoint, asked = walk(discover(SERVER), world(challenge, **pages))
    return endpoint, [ask.url for ask in asked]


def refused(challenge: str = "", **pages: Any) -> str:
    with pytest.raises(Unobtainable) as caught:
        found(challenge, **pages)
    return caught.value.message


def test_the_header_names_the_metadata() -> None:
    url = "https://other.example/prm"
    for challenge in (f'Bearer realm="x", resource_metadata="{url}"', f"Bearer Resource_Metadata={url}, error=x"):
        endpoint, asked = found(challenge, **{url: RESOURCE, AS_URL: METADATA})
        assert endpoint == Endpoint("https://login.example/token", (BASIC,), SERVER)
        assert asked == [SERVER, url, AS_URL]


def test_else_it_is_well_known_with_the_path_and_then_at_the_root() -> None:
    _, asked = found(**{f"{ROOT}/a/mcp": RESOURCE, AS_URL: METADATA})
    assert asked == [SERVER, f"{ROOT}/a/mcp", AS_URL]
    _, asked = found(**{ROOT: RESOURCE, AS_URL: METADATA})
    assert asked == [SERVER, f"{ROOT}/a/mcp", ROOT, AS_URL]


def test_without_any_the_servers_own_origin_is_asked() -> None:
    own = "https://mcp.example/.well-known/oauth-authorization-server"
    metadata = {"issuer": "https://mcp.example/", "token_endpoint": "https://mcp.example/token"}
    endpoint, asked = found(**{own: metadata})
    assert endpoint == Endpoint("https://mcp.example/token", (BASIC,), None)
    assert asked[-1] == own
    assert "this server has none (HTTP 404, 404); auth.oauth.token_url can name" in refused()


def test_the_authorization_server_is_asked_in_three_places() -> None:
    last = "https://login.example/tenant/.well-known/openid-configuration"
    _, asked = found(**{ROOT: RESOURCE, last: METADATA})
    assert asked[-3:] == [AS_URL, "https://login.example/.well-known/openid-configuration/tenant", last]


@pytest.mark.parametrize(
    ("methods", "kept"),
    [(None, (BASIC,)), ([POST, BASIC], (BASIC,)), ([POST, "none"], (POST,)), ("nonsense", (BASIC,))],
)
def test_the_method_is_what_the_metadata_says(methods: Any, kept: tuple[str, ...]) -> None:
    said = {} if methods is None else {"token_endpoint_auth_methods_supported": methods}
    assert found(**{ROOT: RESOURCE, AS_URL: {**METADATA, **said}})[0].methods == kept


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ({**RESOURCE, "resource": "https://evil.example/a/mcp"}, "it is for https://evil.example/a/mcp, not for this"),
        ({**RESOURCE, "resource": "https://mcp.example/a/m"}, "it is for https://mcp.example/a/m, not for this server"),
        ({**RESOURCE, "resource": "http://mcp.example/a/mcp"}, "not for this server"),
        ({**RESOURCE, "resource": "https://mcp.example:x/a"}, "not for this server"),
        ({**RESOURCE, "resource": 7}, "it is for 7, not for this server"),
        ({"authorization_servers": [ISSUER]}, "it is for None"),
        ({"resource": SERVER}, "it names no authorization server"),
        ({**RESOURCE, "authorization_servers": []}, "it names no authorization server"),
        ({**RESOURCE, "authorization_servers": "https://login.example"}, "it names no authorization server"),
        ({**RESOURCE, "authorization_servers": ["file:///etc/passwd"]}, "it names no authorization server"),
        ({**RESOURCE, "authorization_servers": ["https://u:p@login.example"]}, "it names no authorization server"),
        ({**RESOURCE, "authorization_servers": ["https://login.example\r\nX: y"]}, "names no authorization server"),
    ],
)
def test_protected_resource_metadata_that_cannot_be_used(resource: Any, message: str) -> None:
    assert message in refused(**{ROOT: resource})


@pytest.mark.parametrize(
    ("challenge", "supported", "scope"),
    [
        ('Bearer scope="mcp:read files", error="x"', ["other"], "mcp:read files"),
        ("Bearer", ["a", "b"], "a b"),
        ("Bearer", ["a", 7], "a"),
        ("Bearer", [], None),
        ("Bearer", "a b", None),
        ("Bearer", ['a"b'], None),
        ("Bearer", ["a" * 1001], None),
        ('Bearer scope="a  b"', None, None),
    ],
)
def test_the_scope_is_what_the_server_asks_for(challenge: str, supported: Any, scope: str | None) -> None:
    endpoint, _ = found(challenge, **{ROOT: {**RESOURCE, "scopes_supported": supported}, AS_URL: METADATA})
    assert endpoint.scope == scope


@pytest.mark.parametrize("covering", ["https://mcp.example", "https://mcp.example/", "https://MCP.example:443/a/"])
def test_metadata_may_be_for_a_path_above(covering: str) -> None:
    endpoint, _ = found(**{ROOT: {**RESOURCE, "resource": covering}, AS_URL: METADATA})
    assert endpoint.resource == covering


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({**METADATA, "issuer": "https://evil.example"}, "its issuer is https://evil.example, not https://login.ex"),
        ({**METADATA, "issuer": ISSUER + "/"}, "its issuer is"),
        ({"token_endpoint": "https://login.example/token"}, "its issuer is None"),
        ({"issuer": ISSUER}, "it names no token endpoint"),
        ({**METADATA, "token_endpoint": "javascript:x"}, "it names no token endpoint"),
        (
            {**METADATA, "token_endpoint_auth_methods_supported": ["private_key_jwt", 7]},
            "it takes neither client_secret_basic nor client_secret_post, but private_key_jwt, 7",
        ),
    ],
)
def test_authorization_server_metadata_that_cannot_be_used(metadata: Any, message: str) -> None:
    assert message in refused(**{ROOT: RESOURCE, AS_URL: metadata})


@pytest.mark.parametrize("url", ["ftp://x.example", "https://", "https://[", "https://x.example:0", "x" * 3, "//x"])
def test_an_address_in_the_header_that_is_none(url: str) -> None:
    assert "its address is no URL that could be used" in refused(f'Bearer resource_metadata="{url}"')


def test_an_address_in_the_header_that_has_nothing_is_not_passed_over() -> None:
    url = "https://other.example/prm"
    assert "answered HTTP 404 without JSON" in refused(
        f'Bearer resource_metadata="{url}"', **{ROOT: RESOURCE, AS_URL: METADATA}
    )


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just(ISSUER)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)),
    max_leaves=6,
)
KEYS = st.sampled_from(["resource", "authorization_servers", "issuer", "token_endpoint", "access_token", "error"])


@given(st.text(max_size=80), st.dictionaries(KEYS, JUNK, max_size=6), st.sampled_from([200, 204, 400, 503]))
def test_no_answer_raises_anything_else(challenge: str, value: dict[str, Any], status: int) -> None:
    def answer(ask: Ask) -> Told:
        return Told(status, {"www-authenticate": challenge}, value)

    for steps in (discover(SERVER), obtain(CLIENT, Endpoint("https://login.example/token"), SERVER, NOW)):
        try:
            made = walk(steps, answer)[0]  # type: ignore[type-var]  # either kind of step
        except Unobtainable as failure:
            assert failure.message  # noqa: PT017 - most junk ends here
        else:
            assert isinstance(made, Endpoint | Token)


CLIENT = Client("look out", "s3cr:t/é+hunter2")
GOOD = {"access_token": "at-12345678", "token_type": "Bearer", "expires_in": 3600}


def form(ask: Ask) -> dict[str, str]:
    assert ask.body is not None
    return {name: values[0] for name, values in parse_qs(ask.body.decode(), strict_parsing=True).items()}


def granted(client: Client = CLIENT, endpoint: Endpoint | None = None, *told: Told) -> tuple[Token, list[Ask]]:
    answers = iter(told or (Told(200, {}, GOOD),))
    return walk(
        obtain(client, endpoint or Endpoint("https://login.example/token"), SERVER, NOW), lambda _: next(answers)
    )


def test_the_request_is_as_the_rfcs_have_it() -> None:
    token, (ask,) = granted()
    assert token == Token("at-12345678", 3600.0)
    assert (ask.method, ask.url) == ("POST", "https://login.example/token")
    assert ask.headers["content-type"] == "application/x-www-form-urlencoded"
    pair = base64.b64decode(ask.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "look+out:s3cr%3At%2F%C3%A9%2Bhunter2"
    assert form(ask) == {"grant_type": "client_credentials", "resource": SERVER}


def test_in_the_body_where_the_metadata_says_so() -> None:
    client = Client("me", "hunter2", "a b", "https://r.example", "aud")
    _, (ask,) = granted(client, Endpoint("https://login.example/token", (POST,), "https://mcp.example"))
    assert "authorization" not in ask.headers
    assert form(ask) == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_secret": "hunter2",
        "scope": "a b",
        "resource": "https://r.example",
        "audience": "aud",
    }


@pytest.mark.parametrize(
    ("client", "called", "resource"),
    [
        (CLIENT, None, SERVER),
        (CLIENT, "https://mcp.example", "https://mcp.example"),
        (Client("a", "b", resource="urn:x"), "https://mcp.example", "urn:x"),
        (Client("a", "b", audience="x"), "https://mcp.example", None),
    ],
)
def test_the_resource(client: Client, called: str | None, resource: str | None) -> None:
    _, (ask,) = granted(client, Endpoint("https://login.example/token", (BASIC,), called))
    assert form(ask).get("resource") == resource


def test_the_second_method_is_tried_where_the_first_is_refused() -> None:
    _, asked = granted(CLIENT, None, Told(401, {}, {"error": "invalid_client"}), Told(200, {}, GOOD))
    assert ["authorization" in ask.headers for ask in asked] == [True, False]
    with pytest.raises(Unobtainable, match="token endpoint: HTTP 401: invalid_client"):
        granted(CLIENT, Endpoint("https://login.example/token", (BASIC,)), Told(401, {}, {"error": "invalid_client"}))


def test_a_resource_nobody_configured_is_left_out_where_it_is_refused() -> None:
    _, asked = granted(CLIENT, None, Told(400, {}, {"error": "invalid_target"}), Told(200, {}, GOOD))
    assert ["resource" in form(ask) for ask in asked] == [True, False]
    with pytest.raises(Unobtainable, match="HTTP 400: invalid_target"):
        granted(Client("a", "b", resource="urn:x"), None, Told(400, {}, {"error": "invalid_target"}))


def test_a_scope_nobody_configured_is_left_out_where_it_is_refused() -> None:
    endpoint = Endpoint("https://login.example/token", (BASIC,), None, "a b")
    _, asked = granted(CLIENT, endpoint, Told(400, {}, {"error": "invalid_scope"}), Told(200, {}, GOOD))
    assert [form(ask).get("scope") for ask in asked] == ["a b", None]
    client = Client("a", "b", scope="mine")
    with pytest.raises(Unobtainable, match="HTTP 400: invalid_scope"):
        granted(client, endpoint, Told(400, {}, {"error": "invalid_scope"}))


def test_it_ends_after_four_ways() -> None:
    endpoint = Endpoint("https://login.example/token", scope="a")
    told = [Told(400, {}, {"error": error}) for error in ("invalid_scope", "invalid_request")]
    told += [Told(400, {}, {"error": "invalid_client"}), Told(401)]
    with pytest.raises(Unobtainable, match="HTTP 401"):
        granted(CLIENT, endpoint, *told)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "token endpoint: the answer is not JSON with an access_token"),
        ({**GOOD, "access_token": 7}, "has an access_token that is none"),
        ({**GOOD, "access_token": "a b"}, "has an access_token that is none"),
        ({**GOOD, "access_token": "a\r\nX-Evil: 1"}, "has an access_token that is none"),
        ({**GOOD, "access_token": "x" * 20_000}, "has an access_token that is none"),
        ({**GOOD, "token_type": "mac"}, "token_type is mac, not Bearer"),
        ({"access_token": "at-12345678"}, "token_type is None, not Bearer"),
        ({"error": "server_error", "error_description": "late\x1b[31m"}, "access_token: server_error: late [31m"),
    ],
)
def test_an_answer_that_is_no_bearer_token(value: dict[str, Any], message: str) -> None:
    with pytest.raises(Unobtainable) as caught:
        granted(CLIENT, None, Told(200, {}, value))
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("told", "is_final"),
    [(Told(400), True), (Told(403), True), (Told(429), False), (Told(503), False), (Told(302), False)],
)
def test_which_failures_will_be_said_again(told: Told, is_final: bool) -> None:
    with pytest.raises(Unobtainable) as caught:
        granted(CLIENT, Endpoint("https://login.example/token", (BASIC,)), told)
    assert caught.value.refused is is_final


def test_what_it_says_is_quoted_without_the_secret() -> None:
    description = f"no client with {CLIENT.client_secret} or {CLIENT.client_secret.encode().hex()}"
    with pytest.raises(Unobtainable) as caught:
        granted(CLIENT, None, *[Told(401, {}, {"error": "invalid_client", "error_description": description})] * 2)
    assert "invalid_client: no client with [secret] or [secret]" in caught.value.message
    assert "hunter2" not in repr(CLIENT) + repr(Token("hunter2", 1))


@pytest.mark.parametrize(
    ("expires_in", "token", "lifetime"),
    [
        (3600, "x", 3600.0),
        ("3600", "x", 3600.0),
        (None, "x", 300.0),
        (0, "x", 300.0),
        (-5, "x", 300.0),
        (True, "x", 300.0),
        ("soon", "x", 300.0),
        (1e300, "x", 300.0),
        (float("nan"), "x", 300.0),
        (10**9, "x", 86_400.0),
        (3600, jwt({"exp": NOW + 60}), 60.0),
        (None, jwt({"exp": NOW + 60}), 60.0),
        (3600, jwt({"exp": NOW - 60}), 3600.0),
    ],
)
def test_how_long_a_token_lives(expires_in: Any, token: str, lifetime: float) -> None:
    made, _ = granted(CLIENT, None, Told(200, {}, {**GOOD, "access_token": token, "expires_in": expires_in}))
    assert made.lifetime_s == lifetime
