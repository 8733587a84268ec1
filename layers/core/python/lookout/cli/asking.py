"""What commands that ask a server from here have in common: its address, and what is sent with every request."""

from __future__ import annotations

import os

import click

from lookout.credentials.secrets import from_environment
from lookout.errors import SecretGoneError
from lookout.probe.credential import Credential


def require_url(url: str) -> str:
    """The address as given. Raises click.BadParameter."""
    if not url.startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise click.BadParameter("must begin with http:// or https://", param_hint="URL")
    return url


def credential_of(headers: tuple[str, ...], bearer_env: str | None) -> Credential:
    """From `--header 'Name: value'` (or `'Name: env:VARIABLE'`) and `--bearer-env VARIABLE`.

    Raises click.BadParameter, which repeats no value.
    """
    out: dict[str, str] = {}
    for text in headers:
        name, colon, value = text.partition(":")
        if not colon or not name.strip() or not text.isprintable() or not text.isascii():
            raise click.BadParameter(f"{text.split(':')[0]!r}: write 'Name: value'", param_hint="--header")
        kind, _, variable = value.strip().partition(":")
        out[name.strip()] = _variable(variable, "--header") if kind == "env" else value.strip()
    secrets = tuple(out.values())
    if bearer_env is not None:
        token = _variable(bearer_env, "--bearer-env")
        out["Authorization"] = f"Bearer {token}"
        secrets = (*secrets, token)
    return Credential(out, secrets=secrets)


def _variable(name: str, option: str) -> str:
    """What an environment variable holds, as far as it can go into a header. Raises click.BadParameter."""
    try:
        value = from_environment(os.environ)(name)
    except SecretGoneError:
        value = ""
    if not value.isascii() or not value.isprintable() or not value:
        message = f"the environment variable {name} is not set, or holds no token"
        raise click.BadParameter(message, param_hint=option)
    return value
