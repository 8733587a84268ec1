"""Credentials as a probe gets them: from references, over real sockets, from good and from hostile servers."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import trustme
from lookout.config.model import Server
from lookout.credentials.certificate import client_expiry
from lookout.credentials.keyring import Keyring
from lookout.credentials.secrets import Secrets
from lookout.errors import SecretError
from lookout.probe.client import probe_server
from lookout.probe.credential import ANONYMOUS, Credential, Unavailable
from lookout.probe.result import ProbeResult
from lookout.probe.round_runner import Memory, probe_round

from tests.servers.authorization import METADATA, RESOURCE, TOKEN, Page, Seen, World, serving
from tests.unit.credentials.test_expiry import jwt

STORED = {
    "token": "tok-1234567890",
    "scheme": "bearer tok-1234567890",
    "tenant": "tenant-42\n",
    "basic": "Basic dXNlcjpodW50ZXIyLWxvbmc=",
    "client": '{"id": "lookout", "secret": "client-secret-1"}',
    "no-basic": "Basic hunter2!",
    "control": "a\nb",
    "snow": "sn☃w",
    "jwt": jwt({"exp": 1_900_000_000}),
}
OAUTH = {"client_id": "secret:client#id", "client_secret": "secret:client#secret"}


def stored(name: str) -> str:
    if name not in STORED:
        raise SecretError(f"secret {name!r} cannot be read: ResourceNotFoundException")
    return STORED[name]


def keyring(fetch: Callable[[str], str] = stored, **how: Any) -> Keyring:
    how = {"wall": time.time, "chance": lambda: 0.0, **how}
    return Keyring(Secrets({"secret": fetch, "ssm": fetch}, time.monotonic), **how)


def given(server: Server, ring: Keyring | None = None, seconds: float = 10.0) -> Credential | Unavailable:
    async def go() -> Credential | Unavailable:
        deadline = asyncio.get_running_loop().time() + seconds
        return await (ring or keyring()).credential(server, deadline)

    return asyncio.run(go())


def static(**auth: Any) -> Credential | Unavailable:
    return given(Server("a", "https://a.example", auth=auth))


def test_without_auth_nothing_is_asked() -> None:
    assert keyring().credentials([Server("a", "https://a.example")]) == {"a": ANONYMOUS}


def test_headers_and_a_bearer_token() -> None:
    made = static(bearer="secret:token", headers={"X-Tenant": "ssm:tenant", "X-Tenant-2": "secret:tenant"})
    assert isinstance(made, Unavailable)  # `ssm:tenant` is no path
    made = static(bearer="secret:token", headers={"X-Tenant": "secret:tenant"})
    assert isinstance(made, Credential)
    assert made.headers == {"X-Tenant": "tenant-42", "Authorization": "Bearer tok-1234567890"}
    assert made.secrets == ("tenant-42", "tok-1234567890")
    assert (made.ssl_context, made.expires, made.renew) == (None, None, None)


def test_a_token_stored_with_its_scheme_is_sent_with_one() -> None:
    made = static(bearer="secret:scheme")
    assert isinstance(made, Credential)
    assert made.headers == {"Authorization": "Bearer tok-1234567890"}


def test_the_password_inside_basic_is_a_secret_too() -> None:
    made = static(headers={"Authorization": "secret:basic"})
    assert isinstance(made, Credential)
    assert made.secrets == ("dXNlcjpodW50ZXIyLWxvbmc=", "hunter2-long")


def test_what_only_looks_like_basic_is_a_secret_as_it_is() -> None:
    made = static(headers={"X-Key": "secret:no-basic"})
    assert isinstance(made, Credential)
    assert made.secrets == ("hunter2!",)


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ({"bearer": "secret:gone"}, "secret 'gone' cannot be read: ResourceNotFoundException"),
        ({"bearer": "secret:control"}, "secret:control holds characters that cannot stand in a header"),
        ({"headers": {"X": "secret:snow"}}, "secret:snow holds characters that cannot stand in a header"),
        ({"bearer": "env:TOKEN"}, "env: references cannot be resolved here"),
    ],
)
def test_what_cannot_be_had_says_which_reference(auth: Any, message: str) -> None:
    assert static(**auth) == Unavailable(message)


@pytest.mark.parametrize(
    ("auth", "expires"),
    [
        ({"bearer": "secret:jwt"}, 1_900_000_000),
        ({"bearer": "secret:jwt", "expires": "2027-01-31"}, 1_801_353_600),
        ({"bearer": "secret:jwt", "expires": "2097-01-31"}, 1_900_000_000),
        ({"headers": {"X": "secret:token"}, "expires": "2027-01-31T12:00:00Z"}, 1_801_396_800),
    ],
)
def test_when_it_expires(auth: Any, expires: int) -> None:
    made = static(**auth)
    assert isinstance(made, Credential)
    assert made.expires == expires


def test_a_store_that_hangs_is_not_waited_for_and_what_was_known_is_used() -> None:
    hangs, over = threading.Event(), threading.Event()

    def fetch(name: str) -> str:
        if hangs.is_set():
            over.wait()
        return stored(name)

    clock = [0.0]
    ring = Keyring(Secrets({"secret": fetch}, lambda: clock[0]), wall=time.time, chance=lambda: 0.0)
    known = Server("a", "https://a.example", auth={"bearer": "secret:token"})
    new = Server("b", "https://b.example", auth={"headers": {"X": "secret:tenant"}})
    first = given(known, ring)
    clock[0] = 301.0
    hangs.set()
    try:
        assert given(known, ring, 0.1) == first
        assert given(new, ring, 0.1) == Unavailable("secret:tenant was not read in time")
    finally:
        over.set()


# --- OAuth


def oauth(world: World, ring: Keyring | None = None, seconds: float = 5.0, **auth: Any) -> Credential | Unavailable:
    async def go() -> Credential | Unavailable:
        async with serving(world):
            server = Server("a", world.url, auth={"oauth": {**OAUTH, **auth}}, allow_private=True)
            deadline = asyncio.get_running_loop().time() + seconds
            return await (ring or keyring()).credential(server, deadline)

    return asyncio.run(go())


def why(world: World, **how: Any) -> str:
    made = oauth(world, **how)
    assert isinstance(made, Unavailable), made
    assert "client-secret" not in made.message
    return made.message


def test_a_token_is_discovered_asked_for_and_sent() -> None:
    world = World()
    made = oauth(world)
    assert isinstance(made, Credential)
    assert made.headers == {"Authorization": "Bearer access-token-1-Qx7"}
    assert made.secrets == ("client-secret-1", "access-token-1-Qx7")
    assert (made.expires, made.renew) == (None, None)
    assert world.paths == ["/mcp", RESOURCE, METADATA, TOKEN]
    assert "authorization" not in world.seen[0].headers
    assert world.seen[-1].form == {"grant_type": "client_credentials", "resource": world.url}


def test_a_token_endpoint_that_is_given_is_all_that_is_asked() -> None:
    world = World(methods=[])

    async def go() -> None:
        async with serving(world):
            auth = {"oauth": {**OAUTH, "token_url": world.origin + TOKEN, "scope": "a b", "audience": "x"}}
            server = Server("a", world.url, auth=auth, allow_private=True)
            await keyring().credential(server, asyncio.get_running_loop().time() + 5)

    asyncio.run(go())
    assert world.paths == [TOKEN]
    assert world.seen[0].form == {"grant_type": "client_credentials", "scope": "a b", "audience": "x"}


def test_a_probe_renews_a_token_the_server_takes_no_more() -> None:
    world, ring = World(), keyring()
    results: list[ProbeResult] = []

    async def go() -> None:
        async with serving(world):
            server = Server("a", world.url, auth={"oauth": OAUTH}, allow_private=True)
            for refuse in (False, True, False):
                deadline = asyncio.get_running_loop().time() + 10
                if refuse:
                    world.refused.update(world.given)
                credential = await ring.credential(server, deadline)
                assert isinstance(credential, Credential)
                results.append(
                    await probe_server(server, credential=credential, deadline=deadline, now_ms=lambda: 1_000)
                )

    asyncio.run(go())
    assert [result.status for result in results] == ["up", "up", "up"]
    assert world.given == ["access-token-1-Qx7", "access-token-2-Qx7"]


def test_a_token_that_cannot_be_renewed_leaves_the_first_answer() -> None:
    world, ring = World(), keyring()

    async def go() -> tuple[Credential | Unavailable, ProbeResult]:
        async with serving(world):
            server = Server("a", world.url, auth={"oauth": OAUTH}, allow_private=True)
            deadline = asyncio.get_running_loop().time() + 10
            await ring.credential(server, deadline)
            world.refused.update(world.given)
            world.pages[TOKEN] = Page(503)
            credential = await ring.credential(server, deadline)
            assert isinstance(credential, Credential)
            assert credential.renew is not None
            result = await probe_server(server, credential=credential, deadline=deadline, now_ms=lambda: 1_000)
            return await credential.renew(deadline), result

    renewed, result = asyncio.run(go())
    assert renewed == Unavailable("token endpoint: HTTP 503")
    assert (result.status, result.reason) == ("credential_rejected", "credential_rejected")


def test_a_server_that_takes_no_token_is_rejected_and_asks_for_no_more_than_two() -> None:
    world = World(pages={"/mcp": Page(401)})
    ring = keyring()

    async def go() -> list[ProbeResult]:
        out = []
        async with serving(world):
            server = Server("a", world.url, auth={"oauth": OAUTH}, allow_private=True)
            for _ in range(4):
                deadline = asyncio.get_running_loop().time() + 10
                credential = await ring.credential(server, deadline)
                assert isinstance(credential, Credential)
                out.append(await probe_server(server, credential=credential, deadline=deadline, now_ms=lambda: 1_000))
        return out

    assert {result.status for result in asyncio.run(go())} == {"credential_rejected"}
    assert len(world.given) == 2


def redirect(where: str, status: int = 307) -> Page:
    return Page(status, headers={"location": where})


def wrong_issuer(_: Seen) -> Page:
    return Page(200, {"issuer": "https://evil.example", "token_endpoint": "https://evil.example/token"})


def answer(**said: Any) -> Page:
    return Page(200, {"access_token": "at-12345678", "token_type": "Bearer", "expires_in": 60, **said})


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "wrong_issuer": (
        {METADATA: wrong_issuer},
        "authorization server metadata: its issuer is https://evil.example, not",
    ),
    "huge_metadata": ({METADATA: Page(200, {"x": "y" * 3_000_000})}, "(localhost): http: the body is larger"),
    "deep_metadata": ({METADATA: Page(200, b"[" * 100_000, {"content-type": "application/json"})}, "has none"),
    "redirect_to_the_metadata_address": (
        {RESOURCE: redirect("http://169.254.169.254/latest/meta-data")},
        "protected resource metadata (localhost): redirects elsewhere, which is not followed",
    ),
    "token_redirects": (
        {TOKEN: redirect("http://169.254.169.254/")},
        "token endpoint (localhost): redirects elsewhere",
    ),
    "token_redirects_303": ({TOKEN: redirect("/mcp", 303)}, "token endpoint (localhost): redirects elsewhere"),
    "redirects_for_ever": ({RESOURCE: redirect(RESOURCE)}, "protected resource metadata (localhost): redirects"),
    "token_type_mac": ({TOKEN: answer(token_type="mac")}, "token endpoint: token_type is mac, not Bearer"),
    "html": ({TOKEN: Page(200, b"<html>Log in</html>", {"content-type": "text/html"})}, "is not JSON with an access"),
    "html_error": ({TOKEN: Page(502, b"<html>", {"content-type": "text/html"})}, "token endpoint: HTTP 502"),
    "no_json": ({TOKEN: Page(200, b"{", {"content-type": "application/json"})}, "is not JSON with an access_token"),
    "a_list": ({TOKEN: Page(200, [1])}, "is not JSON with an access_token"),
    "a_header_in_the_token": ({TOKEN: answer(access_token="a\r\nX-Evil: 1")}, "has an access_token that is none"),
    "echo": (
        {
            TOKEN: lambda seen: Page(
                400, {"error": "bad", "error_description": " ".join((*seen.client, str(seen.headers)))}
            )
        },
        "token endpoint: HTTP 400: bad: ",
    ),
    "compressed": (
        {TOKEN: Page(200, b"x", {"content-type": "application/json", "content-encoding": "br"})},
        "token endpoint (localhost): http: content-encoding br was not asked for",
    ),
    "not_http": ({TOKEN: Page(0, b"", {"\r\n\x00": "x"})}, "token endpoint (localhost): http: not valid HTTP"),
    "nothing_at_all": ({RESOURCE: Page(404), METADATA: Page(404)}, "the URL in WWW-Authenticate answered HTTP 404"),
    "token_endpoint_at_the_metadata_address": (
        {
            METADATA: lambda seen: Page(
                200, {"issuer": f"http://{seen.headers['host']}", "token_endpoint": "http://x:0/"}
            )
        },
        "authorization server metadata: it names no token endpoint",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_authorization_server(case: str) -> None:
    pages, message = HOSTILE[case]
    assert message in why(World(pages=pages))


@pytest.mark.parametrize("expires_in", [-1, 0, "soon", 1e300, None, [], 10**30])
def test_nonsense_about_the_end_of_a_token_does_no_harm(expires_in: Any) -> None:
    world = World(expires_in=expires_in)
    ring = keyring()
    assert isinstance(oauth(world, ring), Credential)


def test_a_slow_authorization_server_ends_with_the_time_there_is() -> None:
    message = why(World(pages={RESOURCE: Page(404), "/mcp": Page(401, after_s=600)}), seconds=0.5)
    assert message.startswith("the server, asked where tokens come from (localhost): ")
    assert message.endswith(" in time")


def test_it_delays_no_other_server_of_the_round() -> None:
    world = World(pages={TOKEN: Page(200, b"", after_s=600)})
    plain = World(given=[""])

    async def go() -> list[ProbeResult]:
        async with serving(world), serving(plain):
            servers = [
                Server("slow", world.url, auth={"oauth": OAUTH}, allow_private=True),
                Server("quick", plain.url, allow_private=True),
            ]
            loop = asyncio.get_running_loop()
            return await probe_round(
                servers,
                minute=0,
                credentials=keyring().credentials(servers),
                deadline=loop.time() + 5,
                spread_s=0,
                region="x",
                per_host=4,
                memories=dict[str, Memory](),
            )

    slow, quick = asyncio.run(go())
    assert (slow.status, slow.reason) == ("unknown", "credential_unavailable")
    assert quick.status == "up"
    assert quick.at_ms < slow.at_ms  # the slow one was given up when the quick one had begun long before


def test_a_public_server_may_not_send_us_to_a_private_address() -> None:
    async def resolver(host: str, _: int) -> list[str]:
        return {"login.example": ["10.0.0.1"]}.get(host, ["169.254.169.254"])

    for token_url, message in (
        ("https://login.example/token", "token endpoint (login.example): dns: login.example resolves to 10.0.0.1"),
        ("https://169.254.169.254/token", "token endpoint (169.254.169.254): dns: 169.254.169.254 resolves to"),
        ("http://login.example/token", "token endpoint (login.example): its address is not https"),
    ):
        server = Server("a", "https://mcp.example/mcp", auth={"oauth": {**OAUTH, "token_url": token_url}})
        made = given(server, keyring(resolver=resolver))
        assert isinstance(made, Unavailable)
        assert message in made.message


# --- client certificates


class Authority:
    """A CA, a server's context that wants a client certificate of it, and the client's PEM."""

    def __init__(self) -> None:
        self.ca = trustme.CA()
        issued = self.ca.issue_cert("client@example.com")
        self.certificate = b"".join(part.bytes() for part in issued.cert_chain_pems).decode()
        self.key = issued.private_key_pem.bytes().decode()

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("localhost").configure_cert(context)
        self.ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


CERTIFICATE = {"client_certificate": {"certificate": "secret:certificate", "key": "ssm:/key"}}


def certified(authority: Authority, **values: str) -> tuple[Server, Keyring]:
    held = {"certificate": authority.certificate, "/key": authority.key, **values}
    return Server("a", "https://localhost/mcp", auth=CERTIFICATE), keyring(held.__getitem__, trust=authority.trust)


def test_a_client_certificate_opens_a_server_that_wants_one(authority: Authority) -> None:
    server, ring = certified(authority)
    world = World(given=[""])

    async def go() -> tuple[ProbeResult, ProbeResult]:
        async with serving(world, authority.server()):
            target = Server("a", world.url, auth=server.auth, allow_private=True)
            deadline = asyncio.get_running_loop().time() + 10
            credential = await ring.credential(target, deadline)
            assert isinstance(credential, Credential)
            with_it = await probe_server(target, credential=credential, deadline=deadline, now_ms=lambda: 1_000)
            without = await probe_server(target, deadline=deadline, now_ms=lambda: 1_000, ssl_context=authority.trust())
            return with_it, without

    with_it, without = asyncio.run(go())
    assert (with_it.status, with_it.reason) == ("up", None)
    assert without.status == "down"
    assert world.seen[0].peer["subjectAltName"] == (("email", "client@example.com"),)
    assert with_it.credential_expires is not None
    assert with_it.credential_expires > time.time()


def test_its_context_is_made_once(authority: Authority) -> None:
    server, ring = certified(authority)
    first, second = given(server, ring), given(server, ring)
    assert isinstance(first, Credential)
    assert isinstance(second, Credential)
    assert first.ssl_context is second.ssl_context
    assert first.configured
    assert first.headers == {}


ENCRYPTED = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----"
TRADITIONAL = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIB\n-----END RSA PRIVATE KEY-----"
BROKEN = "-----BEGIN PRIVATE KEY-----\nhunter2hunter2\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"certificate": "hunter2"}, "the client certificate is not PEM (-----BEGIN CERTIFICATE-----)"),
        ({"/key": "hunter2"}, "the client key is not a PEM private key (-----BEGIN PRIVATE KEY-----)"),
        ({"/key": ENCRYPTED}, "the client key is encrypted: store it decrypted (`openssl pkey -in KEY`)"),
        ({"/key": TRADITIONAL}, "the client key is encrypted: store it decrypted (`openssl pkey -in KEY`)"),
        ({"/key": Authority().key}, "the client key does not belong to the client certificate"),
        ({"/key": BROKEN}, "the client certificate or its key cannot be read"),
        ({"certificate": BROKEN.replace("PRIVATE KEY", "CERTIFICATE")}, "the client certificate or its key cannot be"),
        ({"/key": "-----BEGIN PRIVATE KEY-----\né\n"}, "the client certificate or its key cannot be read"),
    ],
)
def test_a_certificate_that_cannot_be_used(authority: Authority, values: dict[str, str], message: str) -> None:
    server, ring = certified(authority, **values)
    made = given(server, ring)
    assert isinstance(made, Unavailable)
    assert message in made.message
    assert "hunter2" not in made.message


def test_the_end_of_what_is_no_certificate_is_not_known(authority: Authority) -> None:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    assert client_expiry(authority.certificate) is not None
    for text in ("", begin, f"{end}{begin}", f"{begin}\n!\n{end}", f"{begin}\nAAAA\n{end}", f"{begin}\né\n{end}"):
        assert client_expiry(text) is None


def test_nothing_of_it_stays_on_disk(authority: Authority, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: list[tuple[int, int]] = []

    class Watching(ssl.SSLContext):
        def load_cert_chain(self, certfile: Any, *args: Any, **kwargs: Any) -> None:
            seen.append((certfile.stat().st_mode & 0o777, certfile.parent.stat().st_mode & 0o777))
            super().load_cert_chain(certfile, *args, **kwargs)

    held = {"certificate": authority.certificate, "/key": authority.key}
    ring = keyring(held.__getitem__, trust=lambda: Watching(ssl.PROTOCOL_TLS_CLIENT))
    assert isinstance(given(Server("a", "https://a.example", auth=CERTIFICATE), ring), Credential)
    assert seen == [(0o600, 0o700)]
    assert list(tmp_path.iterdir()) == []
