"""Secrets are planted in every place a credential has, given to servers that repeat them in every way they can, and
looked for in everything Lookout writes: rounds, also those that wait in a region's queue, surfaces, states, incidents,
notices, logs, pages, JSON, metrics and the terminal.
"""

from __future__ import annotations

import asyncio
import base64
import html
import io
import json
import queue
import string
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
import trustme
from click.testing import CliRunner
from lookout.cli.main import cli
from lookout.config.model import Server, Sink, Site
from lookout.errors import SecretError
from lookout.history.round import Round, pack, unpack_json
from lookout.jobs import keeping
from lookout.jobs.judging import judge_shards
from lookout.notify.dispatcher import Outcome, Ports, attempt
from lookout.notify.dispatcher import Task as Delivery
from lookout.notify.retry import Answer
from lookout.status.pages import render_site
from lookout.status.router import respond
from lookout.store.snapshot import Gatherer
from lookout.surface import packed

from functions.probe import handler as probe
from tests.handlers.memory import Memory
from tests.servers.authorization import DISCOVERED, LISTED, TOKEN, Page, Seen, World, serving

MINUTE = 1_787_409_240
MINUTES = (MINUTE, MINUTE + 60)
REFUSED = MINUTE + 120
"""The minute of which the home region takes no round."""
REGIONS = ("us-west-2", "eu-west-1")
CANARIES = {
    "bearer": "cnrB7Zk93xQ/v2+mW8sT4==",
    "tenant": 'cnrH1Lp55aN&u9<rE"3yK',
    "client": "cnrC4Gd28oJ%t6;qV 0hM1",
    "access": "cnrA6Rf71iY~w3-bX5jS2",
}
PEM = trustme.CA().issue_cert("client@example.com")
KEY = PEM.private_key_pem.bytes().decode()
CERTIFICATE = "".join(part.bytes().decode() for part in PEM.cert_chain_pems)
WRITTEN: list[Callable[[str], str]] = [
    str,
    str.upper,
    lambda s: urllib.parse.quote(s, safe=""),
    urllib.parse.quote_plus,
    lambda s: json.dumps(s)[1:-1],
    html.escape,
    lambda s: base64.b64encode(s.encode()).decode(),
    lambda s: base64.urlsafe_b64encode(f"Bearer {s}".encode()).decode(),
    lambda s: s.encode().hex(),
]


def traces() -> dict[str, set[str]]:
    """By canary: every run of eight characters of every way to write it, in lower case.

    Of sixteen where they are hexadecimal digits: digests and long fractions are made of those too.
    """
    out: dict[str, set[str]] = {}
    for name, secret in {**CANARIES, "key": "".join(KEY.split("\n")[1:-2])}.items():
        forms = {write(secret).lower() for write in WRITTEN} - {base64.b64encode(b"Bearer ").decode().lower()}
        length = {form: 16 if set(form) <= set(string.hexdigits) else 8 for form in forms}
        out[name] = {form[i : i + n] for form, n in length.items() for i in range(len(form) - n + 1)}
    out["access"] -= {piece for piece in out["access"] if "bearer" in piece}
    common = set.intersection(*(out[name] for name in CANARIES))
    return {name: pieces - common for name, pieces in out.items()}


TRACES = traces()


def leaks(text: str) -> list[str]:
    """The canaries of which something is in `text`, each with what stands around it."""
    low = text.lower()
    found = []
    for name, pieces in TRACES.items():
        for piece in pieces:
            at = low.find(piece)
            if at >= 0:
                found.append(f"{name}: ...{text[max(0, at - 80) : at + 60]!r}")
                break
    return found


def given(seen: Seen) -> list[str]:
    """What a server was given that is worth repeating."""
    known = [seen.headers.get("authorization", "").removeprefix("Bearer "), seen.headers.get("x-tenant", "")]
    return [secret for secret in known if secret]


def echo(seen: Seen, ways: int = len(WRITTEN)) -> str:
    """All of it, in many ways."""
    return " ".join(write(secret) for secret in given(seen) for write in WRITTEN[:ways])


def rpc(seen: Seen, **said: Any) -> Page:
    return Page(200, {"jsonrpc": "2.0", "id": json.loads(seen.body or b"{}").get("id"), **said})


def modern(seen: Seen, discovered: Any = None, listed: Any = None) -> Page:
    method = json.loads(seen.body or b"{}").get("method")
    if method == "server/discover":
        return rpc(seen, result={**DISCOVERED, **(discovered or {})})
    if method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list"):
        return rpc(seen, result={**LISTED, **(listed or {})})
    return rpc(seen, result={"content": [{"type": "text", "text": echo(seen)}], "isError": True})


def legacy(seen: Seen, **headers: str) -> Page:
    method = json.loads(seen.body or b"{}").get("method")
    if method == "initialize":
        info = {"name": echo(seen), "version": echo(seen, 1)}
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
        page = rpc(seen, result={**result, "instructions": echo(seen)})
        return Page(page.status, page.body, {"mcp-session-id": given(seen)[0], **headers})
    return rpc(seen, error={"code": -32601, "message": echo(seen), "data": {"x": echo(seen)}})


def tools(seen: Seen) -> list[Any]:
    return [
        {
            "name": secret,
            "title": secret,
            "description": echo(seen),
            "inputSchema": {"type": "object", "properties": {secret: {"enum": [secret], "default": echo(seen)}}},
            "annotations": {"title": secret},
            "_meta": {secret: secret},
        }
        for secret in given(seen)
    ] + [{"name": 7, "inputSchema": echo(seen)}, {"name": given(seen)[0], "inputSchema": {"type": given(seen)[0]}}]


def listing(seen: Seen) -> dict[str, Any]:
    found = [{"name": secret, "uri": f"x://{secret}", "uriTemplate": f"x://{{{secret}}}"} for secret in given(seen)]
    return {"tools": tools(seen), "prompts": found, "resources": found, "resourceTemplates": found}


def text(status: int, seen: Seen, kind: str = "text/plain", before: str = "", **headers: str) -> Page:
    return Page(status, (before + echo(seen)).encode(), {"content-type": kind, **headers})


ECHOES: dict[str, Callable[[Seen], Page]] = {
    "body": lambda seen: text(500, seen),
    "json": lambda seen: Page(500, {"error": echo(seen)}),
    "cut-150": lambda seen: text(500, seen, before="x" * 180),
    "cut-190": lambda seen: text(500, seen, before="x" * 192),
    "html": lambda seen: text(200, seen, "text/html"),
    "wall": lambda seen: text(403, seen, "text/html"),
    "denied": lambda seen: text(401, seen, www_authenticate=f"Bearer error={given(seen)[0]}"),
    "limited": lambda seen: text(429, seen, **{"retry-after": given(seen)[0]}),
    "gone": lambda seen: text(503, seen, **{"retry-after": given(seen)[0]}),
    "type": lambda seen: text(200, seen, f"text/{given(seen)[0]}"),
    "encoding": lambda seen: text(200, seen, **{"content-encoding": given(seen)[0]}),
    "redirect": lambda seen: Page(307, headers={"location": f"https://evil.example/?{urllib.parse.quote(echo(seen))}"}),
    "moved": lambda seen: Page(302, headers={"location": f"https://evil.example/{given(seen)[0]}"}),
    "no-json": lambda seen: text(200, seen, "application/json"),
    "no-event": lambda seen: Page(
        200, f"event: {given(seen)[0]}\ndata: {echo(seen)}\n\n".encode(), {"content-type": "text/event-stream"}
    ),
    "not-http": lambda seen: Page(0, b"", {f"{given(seen)[0]}\x00": "x"}),
    "error": lambda seen: rpc(seen, error={"code": -32000, "message": echo(seen), "data": echo(seen)}),
    "strange-error": lambda seen: rpc(seen, error=echo(seen)),
    "versions": lambda seen: rpc(seen, error={"code": -32022, "message": "no", "data": {"supported": given(seen)}}),
    "legacy": legacy,
    "version": lambda seen: rpc(
        seen,
        result={"protocolVersion": given(seen)[0], "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}},
    ),
    "session": lambda seen: legacy(seen, **{"mcp-session-id": f"{given(seen)[0]}\x01"}),
    "info": lambda seen: modern(
        seen,
        {
            "_meta": {"io.modelcontextprotocol/serverInfo": {"name": echo(seen), "version": echo(seen)}},
            "capabilities": {"tools": {given(seen)[0]: echo(seen)}, given(seen)[0]: given(seen)[0]},
            "resultType": given(seen)[0],
            "cacheScope": echo(seen),
            "instructions": echo(seen),
        },
    ),
    "tools": lambda seen: modern(seen, {"capabilities": {"tools": {}, "prompts": {}, "resources": {}}}, listing(seen)),
    "cursor": lambda seen: modern(seen, None, {"tools": tools(seen), "nextCursor": given(seen)[0]}),
    "call": lambda seen: modern(seen, None, {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]}),
}


def oauth_echo(seen: Seen) -> Page:
    name, secret = seen.client
    words = " ".join(write(each) for each in (name, secret, seen.body.decode()) for write in WRITTEN)
    return Page(400, {"error": secret, "error_description": words}, {"x": secret})


@contextmanager
def running(server: AbstractAsyncContextManager[World]) -> Iterator[World]:
    """In a thread of its own: the handler has its own event loop."""
    ready: queue.Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event, World]] = queue.Queue()

    async def serve() -> None:
        async with server as world:
            done = asyncio.Event()
            ready.put((asyncio.get_running_loop(), done, world))
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    loop, done, world = ready.get(timeout=10)
    try:
        yield world
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()


class Account(Memory):
    """The tables, the secrets, the bucket of surfaces, the queues of the regions, and what an invocation has left."""

    def __init__(self, servers: list[Server]) -> None:
        site = Site("Acme", "us-east-1", REGIONS, (Sink("hook", "webhook", "https://h.example"), SLACK), per_host=40)
        super().__init__(site, servers)
        self.objects: dict[str, bytes] = {}
        self.waiting: dict[str, str] = {}
        """The message in a region's queue, as its body."""

    def __call__(self, _: str) -> Account:
        return self

    def put_round(self, item: Round, now: int) -> bool:
        if item.minute == REFUSED:
            raise TimeoutError
        return super().put_round(item, now)

    def send_message(self, _url: str, region: str, body: str) -> None:
        self.waiting[region] = body

    def secret_value(self, _: str, name: str) -> str:
        held = {**CANARIES, "certificate": CERTIFICATE, "broken-key": KEY.replace("\n", "\n!", 3)}
        if name not in held:
            raise SecretError(f"secret {name!r} cannot be read: ResourceNotFoundException")
        return held[name]

    def parameter_value(self, _: str, name: str) -> str:
        return {"/key": KEY}[name]

    def put_surface(self, _home: str, _bucket: str, address: str, data: bytes) -> None:
        self.objects[address] = data

    def get_surface(self, _home: str, _bucket: str, address: str) -> bytes:
        return self.objects[address]

    def get_remaining_time_in_millis(self) -> int:
        return 40_000


SLACK = Sink("oncall", "slack", "https://s.example")
AUTH = {"bearer": "secret:bearer", "headers": {"X-Tenant": "secret:tenant"}}
CALL = {"tool": "t", "result": {"jmespath": "structuredContent.x"}}


def watched(world: World) -> list[Server]:
    common: dict[str, Any] = {"shard": "s000", "allow_private": True, "timeout_s": 5, "down_after": 1}
    common |= {"notify": ("hook", "oncall"), "lists": ("resources", "resource_templates", "prompts")}
    servers = [
        Server(name, f"{world.origin}/{name}", auth=AUTH, tool_call=CALL if name == "call" else None, **common)
        for name in ECHOES
    ]
    oauth = {"client_id": "me", "client_secret": "secret:client"}
    certificate = {"certificate": "secret:certificate", "key": "ssm:/key"}
    for name, auth in {
        "oauth-echo": {"oauth": {**oauth, "token_url": f"{world.origin}/oauth-echo"}},
        "oauth-type": {"oauth": {**oauth, "token_url": f"{world.origin}/oauth-type"}},
        "oauth-moved": {"oauth": {**oauth, "token_url": f"{world.origin}/oauth-moved"}},
        "body?oauth": {"oauth": {**oauth, "token_url": world.origin + TOKEN}},
        "mcp": {"oauth": oauth},
        "body?certificate": {**AUTH, "client_certificate": certificate},
        "body?broken": {"client_certificate": {**certificate, "key": "secret:broken-key"}},
        "body?gone": {"bearer": "secret:gone"},
    }.items():
        servers.append(Server(name.replace("?", "-"), f"{world.origin}/{name.partition('?')[0]}", auth=auth, **common))
    assert len(servers) <= 40
    return servers


def world() -> World:
    access = Page(200, {"access_token": CANARIES["access"], "token_type": "Bearer", "expires_in": 3600})
    mac = {"access_token": CANARIES["access"], "token_type": f"mac {CANARIES['client']} {CANARIES['access']}"}
    return World(
        pages={
            **{f"/{name}": page for name, page in ECHOES.items()},
            TOKEN: access,
            "/mcp": lambda seen: text(401, seen) if given(seen) else Page(401),
            "/oauth-echo": oauth_echo,
            "/oauth-type": Page(200, mac),
            "/oauth-moved": lambda seen: Page(307, headers={"location": f"https://x.example/?{seen.client[1]}"}),
        }
    )


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with running(serving(world())) as served:
        account = Account(watched(served))
        monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
        monkeypatch.setenv("LOOKOUT_SURFACES_BUCKET", "surfaces")
        monkeypatch.setenv("LOOKOUT_WAITING_URL", "https://queue.example/waiting")
        monkeypatch.setattr(probe, "Store", account)
        for name in ("secret_value", "parameter_value", "send_message"):
            monkeypatch.setattr(f"lookout.store.aws.{name}", getattr(account, name))
        monkeypatch.setattr("lookout.store.surfaces.put_surface", account.put_surface)
        probe._shelf.cache_clear()
        for warm in ("memories", "keyrings"):
            monkeypatch.setattr(probe, warm, {})
        yield account
        probe._shelf.cache_clear()


def probed(account: Account, monkeypatch: pytest.MonkeyPatch, minutes: Iterable[int] = MINUTES) -> None:
    site, servers = account.definitions
    assert site is not None
    for minute in minutes:
        for region in REGIONS:
            monkeypatch.setenv("AWS_REGION", region)
            event = {
                "shard": "s000",
                "minute": minute,
                "site": {**site.to_item(), "spread_s": 0},
                "servers": [json.loads(json.dumps(server.to_item())) for server in servers],
            }
            probe.handler(event, account)


class Reader:
    """What the status page reads, of the tables in memory."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)

    def server_states(self) -> dict[str, Any]:
        return {slug: state for shard in self._account.states.values() for slug, state in shard.servers.items()}

    def touched(self, _: int) -> dict[str, str]:
        return {}

    def shown_incidents(self, slug: str, _: Any, __: int) -> list[Any]:
        return [incident for incident in self._account.incidents.values() if incident.slug == slug]


class Outbox:
    """The notices, to the dispatcher."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def notice(self, notice: str) -> Any:
        return self._account.notices[notice]

    def site(self) -> Site | None:
        return self._account.definitions[0]

    def delivery(self, _notice: str, _sink: str) -> None:
        return None

    def record_delivery(self, *_: Any) -> None:
        return None

    def untold(self, _about: str, _sink: str) -> None:
        return None

    def keep_firing(self, _: Any) -> None:
        return None


def sent(account: Account) -> list[str]:
    """Every notice as every sink gets it."""
    out: list[str] = []

    def send(request: Any, _private: bool) -> Answer:
        out.append(f"{request.url} {dict(request.headers)} {request.body.decode()}")
        return Answer(200)

    ports = Ports(
        outbox=Outbox(account),  # type: ignore[arg-type]  # as much of one as a first attempt needs
        resolve=lambda text: text,
        send=send,
        delay=lambda *_: None,
        bury=lambda *_: None,
        now=lambda: MINUTE + 120,
        chance=lambda: 0.0,
        site_url="https://status.example",
    )
    for notice in account.notices.values():
        for sink in notice.sinks:
            outcome: Outcome = attempt(Delivery(notice.id, sink, 1, MINUTE + 120), ports)
            assert outcome.result == "delivered"
    return out


def test_no_secret_is_in_anything_that_is_written(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(probe.logger.registered_handler, "stream", log)
    probed(account, monkeypatch, (*MINUTES, REFUSED))
    judged = judge_shards(account, None, MINUTE + 130, lambda a: account.objects[a])  # type: ignore[arg-type]  # in memory
    assert len(judged) == 2
    written: dict[str, str] = {}
    waiting = {("waiting", region): keeping.parse(body) for region, body in account.waiting.items()}
    for key, round_ in {**account.stored, **waiting}.items():
        written[f"round {key}"] = json.dumps(unpack_json(pack(round_), [pack(round_)[0]])[1], ensure_ascii=False)
        written |= {f"result {key} {r.slug}": repr(r) for r in round_.results}
    for address, data in account.objects.items():
        written[f"surface {address}"] = json.dumps(packed.unpack(data, address).to_json(), ensure_ascii=False)
    for slug, state in account.states["s000"].servers.items():
        written[f"state {slug}"] = json.dumps(state.to_json(), ensure_ascii=False)
    written |= {f"incident {i.id} {i.slug}": repr(i) for i in account.incidents.values()}
    written |= {f"notice {n.id} {n.slug}": json.dumps(n.to_json()) for n in account.notices.values()}
    for number, message in enumerate(sent(account)):
        written[f"delivery {number}"] = message
    snapshot = Gatherer(Reader(account)).gather("https://status.example", MINUTE + 130)  # type: ignore[arg-type]  # likewise
    written["snapshot"] = json.dumps(snapshot.to_json(), ensure_ascii=False)
    for page in render_site(snapshot, MINUTE + 130):
        written[f"page {page.path}"] = page.body.decode("utf-8", "replace")
    for path in ("/api/v1/status", "/api/v1/servers", "/api/v1/incidents", "/metrics", "/api/v2/summary.json"):
        written[path] = respond(snapshot, "GET", path, {}, {}, MINUTE + 130).body.decode()
    written |= {"log": log.getvalue(), "other logs": caplog.text, "output": "".join(capfd.readouterr())}

    assert {where: found for where, text in written.items() if (found := leaks(text))} == {}

    # It was a test: the servers were given the canaries, and what they said of them was kept.
    results = {result.slug: result for result in next(iter(account.stored.values())).results}
    assert {slug for slug, result in results.items() if result.reason == "prober_error"} == set()
    repeated = {slug for slug, result in results.items() if "[secret]" in repr(replace(result, surface=None))}
    assert repeated >= {"body", "json", "denied", "limited", "redirect", "error", "legacy", "info", "call", "mcp"}
    assert any("[secret]" in text for where, text in written.items() if where.startswith("surface"))
    assert results["oauth-echo"].message.startswith("token endpoint: HTTP 400: [secret]")
    assert results["body-gone"].reason == "credential_unavailable"
    assert len(written) > 150
    assert {key[1]: (round_.minute, round_.region) for key, round_ in waiting.items()} == {
        region: (REFUSED, region) for region in REGIONS
    }
    for round_ in waiting.values():
        known = {result.slug: result for result in account.stored["s000", MINUTES[-1], round_.region].results}
        for result in round_.results:
            assert (result.reason, result.message) == (known[result.slug].reason, known[result.slug].message)
    assert json.loads(written["log"].splitlines()[0])["servers"] == len(results)
    assert "ProbesDone" in written["output"]


def test_no_secret_is_in_the_trace_of_a_mistake_of_ours(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError(" ".join(write(secret) for secret in CANARIES.values() for write in WRITTEN))

    monkeypatch.setattr("lookout.probe.client.exchange", broken)
    probed(account, monkeypatch)
    results = {result.slug: result for result in next(iter(account.stored.values())).results}
    assert (results["body"].reason, results["body"].message) == ("prober_error", "Lookout itself failed: KeyError")
    record = next(record.getMessage() for record in caplog.records if "a probe of body went" in record.getMessage())
    assert 'raise KeyError(" ".join(' in record
    assert "KeyError: '[secret] [secret]" in record
    given_to_it = {name: TRACES[name] for name in ("bearer", "tenant")}
    assert not [name for name, pieces in given_to_it.items() if any(piece in record.lower() for piece in pieces)]
    assert leaks("".join(capfd.readouterr())) == []


@pytest.mark.parametrize("path", ECHOES)
@pytest.mark.parametrize(
    "options", ["", "-v", "--json", "--json -v", "-v --call t --active-checks", "--watch 5 --count 1"]
)
def test_no_secret_is_on_the_terminal(path: str, options: str, served: World) -> None:
    tenant = f"X-Tenant: {CANARIES['tenant']}"
    result = CliRunner(env={"CANARY": CANARIES["bearer"]}).invoke(
        cli,
        ["probe", f"{served.origin}/{path}", "--bearer-env", "CANARY", "--header", tenant, *options.split()],
    )
    assert result.exit_code in (0, 1, 3), result.output
    assert leaks(result.output + (result.stderr or "") + repr(result.exception)) == []


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    with running(serving(world())) as served:
        yield served


def test_the_search_finds_what_it_looks_for() -> None:
    for name, secret in CANARIES.items():
        for write in WRITTEN:
            assert [found.partition(":")[0] for found in leaks(f"x {write(secret)} y")] == [name]
    assert leaks(f"x {KEY.splitlines()[2]}")
    assert leaks("nothing of it [secret]") == []
