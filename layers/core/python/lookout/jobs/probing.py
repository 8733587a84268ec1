"""probe: resolve credentials, probe all servers of a shard within the time there is, store one round."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping, Sequence

from lookout.config.model import Server, Site
from lookout.errors import SecretError
from lookout.history.round import Round
from lookout.probe.credential import Credential, Source, Unavailable
from lookout.probe.round_runner import Memory, probe_round

SECRET_TTL_S = 300
STORE_RESERVE_S = 8.0
"""Seconds kept back from the probes so that their round can still be stored, retries included."""


class Secrets:
    """Resolves `secret:NAME` references, remembering values for five minutes of `clock` (seconds)."""

    def __init__(self, fetch: Callable[[str], str], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._known: dict[str, tuple[float, str]] = {}

    def resolve(self, reference: str) -> str:
        """The value behind a reference. Raises SecretError; a value once known outlives an outage of its store."""
        scheme, _, name = reference.partition(":")
        if scheme != "secret" or not name:
            raise SecretError("only secret:NAME references can be resolved here")
        at, value = self._known.get(name, (float("-inf"), ""))
        if self._clock() - at < SECRET_TTL_S:
            return value
        try:
            value = self._fetch(name)
        except SecretError:
            if name not in self._known:
                raise
        self._known[name] = (self._clock(), value)
        return value


def credentials(servers: Sequence[Server], secrets: Secrets) -> dict[str, Credential | Unavailable | Source]:
    """Credentials by slug; Unavailable where a reference could not be resolved (the probe then says `unknown`)."""
    out: dict[str, Credential | Unavailable | Source] = {}
    for server in servers:
        try:
            headers = {name: secrets.resolve(ref) for name, ref in dict(server.auth.get("headers", {})).items()}
            known = tuple(headers.values())
            if "bearer" in server.auth:
                token = secrets.resolve(server.auth["bearer"])
                headers["Authorization"], known = f"Bearer {token}", (*known, token)
        except SecretError:
            out[server.slug] = Unavailable("a referenced secret could not be read")
        else:
            out[server.slug] = Credential(headers, secrets=known)
    return out


async def probe_shard(
    shard: str,
    minute: int,
    site: Site,
    servers: Sequence[Server],
    *,
    region: str,
    seconds: float,
    secrets: Secrets,
    memories: MutableMapping[str, Memory],
) -> Round:
    """The round of one shard in one region; `seconds` are what the invocation has left."""
    deadline = asyncio.get_running_loop().time() + max(1.0, seconds - STORE_RESERVE_S)
    results = await probe_round(
        servers,
        minute=minute,
        credentials=credentials(servers, secrets),
        deadline=deadline,
        spread_s=site.spread_s,
        region=region,
        per_host=site.per_host,
        memories=memories,
    )
    return Round(shard, minute, region, tuple(results))
