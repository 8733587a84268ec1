"""A token by the client credentials grant (OAuth 2.1, 4.2; RFC 8707 for `resource`), sans-I/O like the discovery."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from lookout.credentials.discovery import BASIC, Endpoint
from lookout.credentials.expiry import TOKEN_LIMIT, jwt_expiry, whole_seconds
from lookout.credentials.messages import Ask, Told, Unobtainable
from lookout.probe.quoting import mask, quote

UNKNOWN_LIFETIME_S: Final = 300.0
"""For a token whose answer does not say, or says nonsense."""
LIFETIME_LIMIT_S: Final = 86_400.0
_STEP: Final = "token endpoint"
_REFUSALS: Final = {"invalid_target": "resource", "invalid_request": "resource", "invalid_scope": "scope"}
"""What an error is about, where we chose it ourselves."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, and for what: `auth.oauth` with its references resolved. `resource` None: not configured."""

    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    resource: str | None = None
    audience: str | None = None
    token_url: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, good for `lifetime_s` from when it was asked for."""

    value: str = field(repr=False)
    lifetime_s: float


def obtain(client: Client, endpoint: Endpoint, server_url: str, now: float) -> Generator[Ask, Told, Token]:
    """Ask for a token at unix second `now`, in at most four ways. Raises Unobtainable.

    Ways: the client's name and secret in a header, or in the body where the first is refused and metadata does not
    forbid it; with the resource, or without it where it is not configured and the server does not know the parameter
    (RFC 8707 wants it always; some large authorization servers refuse it); with the scope the MCP server asks for, or
    without it where it is not configured and refused.
    """
    methods = list(endpoint.methods)
    wishes = {
        "scope": client.scope or endpoint.scope,
        "resource": client.resource or (None if client.audience else endpoint.resource or server_url.partition("#")[0]),
        "audience": client.audience,
    }
    optional = {name for name in ("scope", "resource") if wishes[name] and not getattr(client, name)}
    told = yield _request(client, endpoint.url, methods[0], wishes)
    for _ in range(3):
        error = told.value.get("error")
        refused = _REFUSALS.get(error) if told.status == 400 and isinstance(error, str) else None
        if refused is not None and refused in optional:
            optional.discard(refused)
            wishes[refused] = None
        elif (told.status == 401 or error == "invalid_client") and len(methods) > 1:
            methods.pop(0)
        else:
            break
        told = yield _request(client, endpoint.url, methods[0], wishes)
    return _read(told, client, now)


def _request(client: Client, url: str, method: str, wishes: Mapping[str, str | None]) -> Ask:
    form = {"grant_type": "client_credentials"}
    form |= {name: value for name, value in wishes.items() if value}
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if method == BASIC:  # RFC 6749, 2.3.1: both form-encoded first
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        headers["authorization"] = "Basic " + b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    return Ask(_STEP, "POST", url, headers, urlencode(form).encode())


def _read(told: Told, client: Client, now: float) -> Token:
    value = told.value
    if told.status != 200:
        raise Unobtainable(f"{_STEP}: HTTP {told.status}{_words(value, client)}", refused=400 <= told.status < 429)
    token, kind = value.get("access_token"), value.get("token_type")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or len(token) > TOKEN_LIMIT:
        said = "is not JSON with an access_token" if not token else "has an access_token that is none"
        raise Unobtainable(f"{_STEP}: the answer {said}{_words(value, client)}")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        shown = quote(mask(str(kind), (client.client_secret, token)), 40)
        raise Unobtainable(f"{_STEP}: token_type is {shown}, not Bearer", refused=True)
    return Token(token, _lifetime_s(value.get("expires_in"), jwt_expiry(token), now))


def _words(value: Mapping[str, Any], client: Client) -> str:
    """`error` and `error_description` (RFC 6749, 5.2), in the server's words."""
    words = [str(value[key]) for key in ("error", "error_description") if isinstance(value.get(key), str)]
    token = value.get("access_token")
    secrets = (client.client_secret, token if isinstance(token, str) else "")
    text = mask(": ".join(words), secrets)
    return f": {quote(text, 200)}" if words else ""


def _lifetime_s(expires_in: object, exp: int | None, now: float) -> float:
    """Seconds; the token's own `exp` counts where it comes sooner."""
    if isinstance(expires_in, str) and re.fullmatch(r"[0-9]{1,10}", expires_in):
        expires_in = int(expires_in)  # some servers quote it
    said = whole_seconds(expires_in) or None
    ends = [float(said)] if said else []
    if exp is not None and exp > now:
        ends.append(exp - now)
    return min(*ends, LIFETIME_LIMIT_S) if ends else UNKNOWN_LIFETIME_S
