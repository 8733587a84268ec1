"""Standard Webhooks signatures (https://www.standardwebhooks.com, specification 1.0.0). Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from lookout.errors import SecretError


def key(secret: str) -> bytes:
    """The key bytes of `whsec_<base64>`. Raises SecretError, which does not repeat the secret."""
    try:
        made = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        made = b""
    if not made:
        raise SecretError("a signing secret must be whsec_ followed by base64")
    return made


def sign(secrets: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header. `secrets` may be several, separated by spaces, while one replaces another."""
    content = f"{message_id}.{timestamp}.".encode() + body
    made = [hmac.new(key(secret), content, hashlib.sha256).digest() for secret in secrets.split()]
    if not made:
        raise SecretError("a signing secret is empty")
    return " ".join("v1," + base64.b64encode(signature).decode() for signature in made)
