"""A server's `auth` -> the Credential its probe sends, or why there is none. One keyring per process; it remembers.

References are resolved in threads (their clients block), each server by itself and within its own time: a slow store or
authorization server makes nobody else wait. Remembered: values for five minutes, tokens until shortly before they
expire, TLS contexts as long as their certificate is the same.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from lookout.config.model import Server
from lookout.config.moments import unix_seconds
from lookout.config.references import is_reference
from lookout.credentials.certificate import client_context, client_expiry
from lookout.credentials.expiry import earliest, jwt_expiry
from lookout.credentials.grant import Client
from lookout.credentials.guarded import Guarded
from lookout.credentials.messages import Unobtainable
from lookout.credentials.secrets import Secrets
from lookout.credentials.tokens import Carry, Given, Tokens
from lookout.errors import SecretError
from lookout.probe.credential import ANONYMOUS, Credential, Source, Unavailable
from lookout.probe.network import Resolver, system_resolver

SECRETS_S: Final = 5.0
"""For the stores of one server's references; after it, the values known last."""
TOTAL_S: Final = 10.0
"""For everything, token included: a probe has to follow within the round."""
THREADS: Final = 8
_NAME: Final = 8
"""A client's id that is a reference is masked too, but no word that stands in every other sentence."""
_HEADER: Final = re.compile(r"[\x20-\x7e\xa0-\xff]+")
_SCHEME: Final = re.compile(r"(?:bearer|basic|token)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Materials:
    """What a server's references were resolved to."""

    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    expires: int | None
    context: ssl.SSLContext | None
    client: Client | None


class Keyring:
    """Makes credentials. `wall` is unix seconds; `chance` uniform in [0, 1); `trust` makes a context that verifies
    (None: as the machine does).
    """

    def __init__(
        self,
        secrets: Secrets,
        *,
        wall: Callable[[], float],
        chance: Callable[[], float],
        trust: Callable[[], ssl.SSLContext] | None = None,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._secrets, self._resolver = secrets, resolver
        self._trust = trust or ssl.create_default_context
        self._verifying = trust() if trust is not None else None
        self._tokens = Tokens(wall, chance)
        self._contexts: dict[str, tuple[bytes, ssl.SSLContext]] = {}
        self._threads = ThreadPoolExecutor(THREADS, "credentials")

    def credentials(self, servers: Iterable[Server]) -> dict[str, Credential | Source]:
        """By slug: nothing, where nothing is configured, and otherwise what is to be awaited."""
        return {s.slug: partial(self.credential, s) if s.auth else ANONYMOUS for s in servers}

    async def credential(self, server: Server, deadline: float) -> Credential | Unavailable:
        """The credential of one server, before `deadline` (loop time)."""
        ends = min(deadline, asyncio.get_running_loop().time() + TOTAL_S)
        try:
            materials = await self._resolved(server, ends)
            if materials.client is None:
                return _credential(materials, None)
            carry = self._carry(server, ends)
            given = await self._tokens.token(server.slug, materials.client, server.url, carry)
        except (SecretError, Unobtainable) as error:
            return Unavailable(str(error))
        renew = partial(self._renewed, server, materials) if given.renewable else None
        return _credential(materials, given, renew)

    async def _renewed(self, server: Server, materials: _Materials, deadline: float) -> Credential | Unavailable:
        ends = min(deadline, asyncio.get_running_loop().time() + TOTAL_S)
        try:
            given = await self._tokens.renew(server.slug, self._carry(server, ends))
        except Unobtainable as error:
            return Unavailable(str(error))
        return _credential(materials, given)

    def _carry(self, server: Server, ends: float) -> Carry:
        private = server.allow_private
        return Guarded(ends, allow_private=private, context=self._verifying, resolver=self._resolver)

    async def _resolved(self, server: Server, ends: float) -> _Materials:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._materials, server, self._secrets.resolve)
        try:
            async with asyncio.timeout_at(min(ends, loop.time() + SECRETS_S)):
                return await work
        except TimeoutError:  # its thread ends when its store's client gives up, and nobody listens then
            return self._materials(server, self._known)

    def _known(self, reference: str) -> str:
        value = self._secrets.remembered(reference)
        if value is None:
            raise SecretError(f"{reference} was not read in time")
        return value

    def _materials(self, server: Server, resolve: Callable[[str], str]) -> _Materials:
        """Raises SecretError."""
        auth = server.auth
        headers = {name: _printable(resolve(text), text) for name, text in dict(auth.get("headers", {})).items()}
        if "bearer" in auth:
            token = _printable(resolve(auth["bearer"]), auth["bearer"])
            headers["Authorization"] = f"Bearer {_SCHEME.sub('', token, count=1)}"
        tokens = [secret for value in headers.values() for secret in _parts(value)]
        moments = [jwt_expiry(token) for token in tokens]
        context, pair = self._context(server.slug, auth.get("client_certificate"), resolve)
        moments.append(client_expiry(pair[0]) if pair else None)
        if "expires" in auth:
            moments.append(unix_seconds(auth["expires"]))
        client, hidden = _client(auth.get("oauth"), resolve)
        secrets = tuple(dict.fromkeys((*tokens, *hidden, *pair)))
        return _Materials(headers, secrets, earliest(moments), context, client)

    def _context(
        self, slug: str, wanted: Mapping[str, str] | None, resolve: Callable[[str], str]
    ) -> tuple[ssl.SSLContext | None, tuple[str, ...]]:
        if wanted is None:
            return None, ()
        certificate, key = resolve(wanted["certificate"]), resolve(wanted["key"])
        digest = hashlib.sha256(f"{certificate}\0{key}".encode()).digest()
        known = self._contexts.get(slug)
        if known is None or known[0] != digest:
            known = self._contexts[slug] = (digest, client_context(certificate, key, self._trust))
        return known[1], (certificate, key)


def _credential(materials: _Materials, given: Given | None, renew: Source | None = None) -> Credential:
    headers, secrets = dict(materials.headers), materials.secrets
    if given is not None:
        headers["Authorization"] = f"Bearer {given.token}"
        secrets = (*secrets, given.token)
    return Credential(headers, materials.context, materials.expires, secrets, renew)


def _client(oauth: Mapping[str, Any] | None, resolve: Callable[[str], str]) -> tuple[Client | None, tuple[str, ...]]:
    """The client, and which of its parts are secrets."""
    if oauth is None:
        return None, ()
    named = is_reference(oauth["client_id"])
    client_id = resolve(oauth["client_id"]) if named else oauth["client_id"]
    secret = resolve(oauth["client_secret"])
    wishes = {key: oauth.get(key) for key in ("scope", "resource", "audience", "token_url")}
    return Client(client_id, secret, **wishes), (
        (secret, client_id) if named and len(client_id) >= _NAME else (secret,)
    )


def _printable(value: str, reference: str) -> str:
    if not _HEADER.fullmatch(value):
        raise SecretError(f"{reference} holds characters that cannot stand in a header")
    return value


def _parts(value: str) -> Iterator[str]:
    """What of a header's value is secret: the value without its scheme, and the password inside Basic."""
    bare = _SCHEME.sub("", value, count=1).strip() if _SCHEME.match(value) else value
    yield bare
    if value[:6].lower() == "basic ":
        try:
            yield base64.b64decode(bare, validate=True).decode().partition(":")[2]
        except (ValueError, binascii.Error):
            return
