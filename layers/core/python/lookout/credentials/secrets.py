"""References -> values, remembered for five minutes. What fetches them is given: nothing here knows AWS."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Final

from lookout.config.references import Reference, parse_reference
from lookout.errors import SecretError, SecretGoneError

SECRET_TTL_S: Final = 300
Fetch = Callable[[str], str]
"""A name -> its value. Raises SecretError, or SecretGoneError where its store says that there is none."""


class Secrets:
    """`stores` fetch by scheme: `secret`, `ssm`, and on the command line `env`; `clock` is monotonic seconds.

    May be used by several threads. A value once known outlives an outage of its store, not its deletion.
    """

    def __init__(self, stores: Mapping[str, Fetch], clock: Callable[[], float]) -> None:
        self._stores, self._clock = dict(stores), clock
        self._known: dict[tuple[str, str], tuple[float, str]] = {}
        self._lock = threading.Lock()

    def resolve(self, text: str) -> str:
        """The value behind a reference, without the white space around it. Raises SecretError."""
        reference = parse_reference(text)
        if reference is None:
            raise SecretError("what is not a reference (secret:NAME, ssm:/path) cannot be resolved")
        if reference.store not in self._stores:
            raise SecretError(f"{reference.store}: references cannot be resolved here")
        return _member(self._whole(reference), reference)

    def remembered(self, text: str) -> str | None:
        """The value known last, however old, without asking its store; None where there is none."""
        reference = parse_reference(text)
        with self._lock:
            known = self._known.get((reference.store, reference.name)) if reference else None
        try:
            return _member(known[1], reference) if known and reference else None
        except SecretError:
            return None

    def _whole(self, reference: Reference) -> str:
        key = (reference.store, reference.name)
        with self._lock:
            at, value = self._known.get(key, (float("-inf"), ""))
        if self._clock() - at < SECRET_TTL_S:
            return value
        try:
            value = self._stores[reference.store](reference.name)
        except SecretGoneError:
            with self._lock:
                self._known.pop(key, None)
            raise
        except SecretError:
            if at == float("-inf"):
                raise
        with self._lock:
            self._known[key] = (self._clock(), value)
        return value


def _member(whole: str, reference: Reference) -> str:
    """The text itself, or the member of a JSON object that the reference names."""
    text: object = whole
    if reference.key is not None:
        try:
            value = json.loads(whole)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise SecretError(f"{reference}: the secret is no JSON object")
        text = value.get(reference.key)
        if not isinstance(text, str):
            raise SecretError(f"{reference}: the secret's JSON object has no text of that name")
    stripped = str(text).strip()
    if not stripped:
        raise SecretError(f"{reference} is empty")
    return stripped


def from_environment(environment: Mapping[str, str]) -> Fetch:
    """A store for `env:NAME`, for the command line."""

    def fetch(name: str) -> str:
        if name not in environment:
            raise SecretGoneError(f"the environment variable {name} is not set")
        return environment[name]

    return fetch
