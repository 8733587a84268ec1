"""A client certificate and its key, both PEM, as an SSL context.

Python loads them from files only: one is written, readable by us alone, in a folder of its own, and removed at once.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

from lookout.errors import SecretError
from lookout.probe.certificate import not_after

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def client_context(certificate: str, key: str, trust: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """What `trust` makes, with the certificate loaded. Raises SecretError, which repeats nothing of either."""
    if _BEGIN not in certificate:
        raise SecretError("the client certificate is not PEM (-----BEGIN CERTIFICATE-----)")
    if "ENCRYPTED" in key:
        raise SecretError("the client key is encrypted: store it decrypted (`openssl pkey -in KEY`)")
    if "PRIVATE KEY-----" not in key:
        raise SecretError("the client key is not a PEM private key (-----BEGIN PRIVATE KEY-----)")
    context = trust()
    try:
        _load(context, f"{certificate.strip()}\n{key.strip()}\n")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SecretError("the client key does not belong to the client certificate") from None
        raise SecretError(f"the client certificate or its key cannot be read ({error.reason or 'SSL error'})") from None
    except ValueError:
        raise SecretError("the client certificate or its key cannot be read") from None
    return context


def _load(context: ssl.SSLContext, pem: str) -> None:
    with tempfile.TemporaryDirectory(prefix="lookout-") as folder:  # mode 0700
        path = Path(folder) / "client.pem"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(pem)
        context.load_cert_chain(path, password=lambda: "")  # or it would ask at the terminal


def client_expiry(certificate: str) -> int | None:
    """NotAfter of the first certificate in a PEM text, unix seconds; None where it cannot be read."""
    start, end = certificate.find(_BEGIN), certificate.find(_END)
    if not 0 <= start < end:
        return None
    try:
        return not_after(ssl.PEM_cert_to_DER_cert(certificate[start : end + len(_END)]))
    except ValueError:
        return None
