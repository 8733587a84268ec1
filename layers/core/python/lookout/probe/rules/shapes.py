"""The official shapes of answers, one generated module for each protocol version, loaded when first asked for.

Only ever our own bundled schemas: a schema a server sent is data, never compiled, and no reference is ever resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from lookout.probe.rules import wire
from lookout.probe.versions import HANDSHAKE, KNOWN


class Invalid(ValueError):  # noqa: N818 -- what the value is; generated code raises it
    """A value that is not what its schema says; the text names the place and the want."""


Validator = Callable[[Any], Any]

DIALECTS: Final = {
    "https://json-schema.org/draft/2020-12/schema": "dialect_2020_12",
    "http://json-schema.org/draft-07/schema": "dialect_07",
}
"""The dialects of JSON Schema whose metaschema is here."""


@cache
def _validators(module: str) -> Mapping[str, Validator]:
    found: Mapping[str, Validator] = import_module(f"{wire.__name__}.{module}").VALIDATORS
    return found


def shape_error(version: str | None, definition: str, value: Any, what: str) -> str | None:
    """Why `value` is not the `definition` of that protocol version, or None. `what` is how the text calls the value.

    An unknown version is held to the newest handshake version; a definition its version does not have admits anything.
    """
    known = version if version in KNOWN else HANDSHAKE[-1]
    return _error(_validators("v" + str(known).replace("-", "_")).get(definition), value, what)


def dialect_error(dialect: str, schema: Any, what: str) -> str | None:
    """Why `schema` is no JSON Schema of a dialect in `DIALECTS`, or None. The caller bounds its depth."""
    return _error(_validators(DIALECTS[dialect])["Schema"], schema, what)


def _error(validate: Validator | None, value: Any, what: str) -> str | None:
    if validate is None:
        return None
    try:
        validate(value)
    except Invalid as error:
        return what + str(error).removeprefix("data")
    except RecursionError:
        return f"{what} is nested too deeply"
    return None
