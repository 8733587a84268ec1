"""What commands that ask a server from here have in common: its address, and what is sent with every request."""

from __future__ import annotations

import os

import click

from lookout.probe.credential import Credential


def require_url(url: str) -> str:
    """The address as given. Raises click.BadParameter."""
    if not url.startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise click.BadParameter("must begin with http:// or https://", param_hint="URL")
    return url


def credential_of(headers: tuple[str, ...], bearer_env: str | None) -> Credential:
    """From `--header 'Name: value'` and `--bearer-env NAME`. Raises click.BadParameter, which repeats no value."""
    out: dict[str, str] = {}
    for text in headers:
        name, colon, value = text.partition(":")
        if not colon or not name.strip() or not text.isprintable() or not text.isascii():
            raise click.BadParameter(f"{text.split(':')[0]!r}: write 'Name: value'", param_hint="--header")
        out[name.strip()] = value.strip()
    secrets = tuple(out.values())
    if bearer_env is not None:
        token = os.environ.get(bearer_env, "")
        if not token.isascii() or not token.isprintable() or not token:
            message = f"the environment variable {bearer_env} is not set, or holds no token"
            raise click.BadParameter(message, param_hint="--bearer-env")
        out["Authorization"] = f"Bearer {token}"
        secrets = (*secrets, token)
    return Credential(out, secrets=secrets)
