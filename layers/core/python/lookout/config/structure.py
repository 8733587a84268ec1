"""What lookout.schema.json says is wrong with a document, in words a person can act on.

Values that are, or may contain, a secret are never repeated.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Any, Final

import jsonschema

from lookout.config.document import Document, Path

Found = tuple[Path, str]

_EXAMPLES: Final = {
    "duration": "a duration such as 60s, 5m or 1h",
    "perhaps": "a duration such as 5m or 1h, or 0s: never",
    "region": "an AWS region such as us-east-1",
    "name": "lower-case letters, digits and hyphens (at most 63, a hyphen neither first nor last)",
    "slo": "a percentage such as 99.9%",
    "tag": "a tag: letters, digits, dots, underscores and hyphens, at most 40",
    "header": "the name of an HTTP header",
    "share": "a percentage such as 50%",
    "email": "an e-mail address such as ops@example.com",
    "time": "a time in whole minutes such as 2027-01-31T03:00, with Z or an offset where it is not local",
    "clock": "a time of day such as 22:00, of 24 hours",
    "hour": "a whole hour such as 08:00, of 24 hours",
    "digest": 'daily or weekly, or a mapping such as {every: weekly, on: monday, at: "08:00"}',
    "channel": "a channel's ID such as C02ABCDEFGH, or its name",
    "chat": "a chat's number in quotes, or a channel's @name",
    "topic": "the ARN of an SNS topic, such as arn:aws:sns:us-east-1:111122223333:alerts",
    "bus": "the name of an event bus, or its ARN",
    "moment": "a date such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z",
}
_TYPES: Final = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "text: put it in quotes",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_LIMITS: Final[dict[str, Callable[[Any, Any], str]]] = {
    "minimum": lambda limit, _: f"must be at least {limit}",
    "maximum": lambda limit, _: f"must be at most {limit}",
    "minLength": lambda *_: "must not be empty",
    "maxLength": lambda limit, value: f"has {len(value)} characters; at most {limit} are allowed",
    "minItems": lambda limit, _: f"needs at least {limit} entry",
    "maxItems": lambda limit, value: f"has {len(value)} entries; at most {limit} are allowed",
    "minProperties": lambda *_: "is empty: remove it, or say what it is for",
    "maxProperties": lambda limit, value: f"has {len(value)} entries; at most {limit} are allowed",
    "uniqueItems": lambda *_: "lists something twice: remove one of them",
    "oneOf": lambda limit, _: f"needs exactly one of {_and([one['required'][0] for one in limit])}",
}
_WHOLE: Final = frozenset(
    {"required", "dependentRequired", "oneOf", "minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems"}
)
"""Rules about a whole mapping or list: its parts can be looked at all the same."""
_TOKENS: Final = frozenset({"bearer", "headers", "client_secret", "certificate", "key", "signing", "token"})
_CHATS: Final = frozenset({"slack", "slack_bot", "discord", "teams", "google_chat", "telegram"})
_SECRET: Final = _TOKENS | _CHATS | {"pagerduty", "opsgenie"}
_HIDDEN: Final = _SECRET | {"auth", "sinks", "url", "heartbeat"}
"""Keys whose values are, or may contain, a secret."""


@cache
def schema() -> dict[str, Any]:
    """The published JSON Schema (2020-12) of lookout.yaml."""
    text = resources.files("lookout.config").joinpath("lookout.schema.json").read_text(encoding="utf-8")
    value: dict[str, Any] = json.loads(text)
    return value


@cache
def _validator() -> Any:
    whole = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    extend: Any = jsonschema.validators.extend
    return extend(jsonschema.Draft202012Validator, type_checker=whole)(schema())


def structure(document: Document) -> tuple[list[Found], set[Path]]:
    """Every problem of form, each with its path; and the paths of what is too wrong to be looked at further."""
    found: dict[Found, None] = {}
    unfit: set[Path] = set()
    for error in _validator().iter_errors(document.value):
        for path, message in _explain(error, document):
            found[path, message] = None
            if error.validator not in _WHOLE:
                unfit.add(path)
    return list(found), unfit


def _and(words: list[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(words[:-1])} and {words[-1]}"


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean x?`, or what there is."""
    names = list(known)
    close = difflib.get_close_matches(word, names, 1)
    return f"did you mean {close[0]}?" if close else f"there is {', '.join(names) or 'none'}"


def _explain(error: Any, document: Document) -> Iterator[Found]:
    path: Path = tuple(error.absolute_path)
    rule, limit, value = str(error.validator), error.validator_value, error.instance
    if "propertyNames" in error.absolute_schema_path:
        path = (*path, str(value))  # the problem is the key, and the key has a place
    if rule == "additionalProperties":
        known = list(error.schema["properties"])
        yield from (((*path, key), _unknown(key, known)) for key in value if key not in known)
    elif rule == "required":
        yield path, f"needs {' and '.join(key for key in limit if key not in value)}"
    elif rule == "dependentRequired":
        needed = {key: word for word in value for key in limit.get(word, ()) if key not in value}
        yield from ((path, f"needs {key} beside {word}") for key, word in needed.items())
    elif rule == "oneOf" and not isinstance(value, dict):
        return  # its type is a problem of its own
    elif rule in _LIMITS:
        yield path, _LIMITS[rule](limit, value)
    else:
        yield path, _wrong(error, path, document)


def _wrong(error: Any, path: Path, document: Document) -> str:
    """For type, pattern and enum: what stands there, and what should."""
    if error.instance is None:
        return "is empty: give it a value, or remove it"
    words = document.words(path)
    if error.validator == "type" and _SECRET & set(path):
        return "must be text of the form secret:NAME or ssm:/path"
    shown = f"{words[:60]!r} is not" if words and "://" not in words and not _HIDDEN & set(path) else "is not"
    if error.validator == "enum":
        return f"{shown} one of {', '.join(error.validator_value)}"
    definitions = schema()["$defs"].items()
    pattern = error.schema.get("pattern", "")
    name = next((name for name, one in definitions if pattern and one.get("pattern") == pattern), "")
    if name:
        return f"{shown} {_EXAMPLES[name]}"
    wanted = error.validator_value
    return f"{shown} {' or '.join(_TYPES[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted))}"


def _unknown(key: str, known: list[str]) -> str:
    return f"is not a key here; {suggestion(key, known)}"
