"""References: how lookout.yaml names a value it must not hold. Pure, standard library only: used in Lambda too.

secret:NAME        a secret of AWS Secrets Manager, in the home region
secret:NAME#KEY    one member of a secret that holds a JSON object
ssm:/path          a parameter (SecureString) of AWS Systems Manager, in the home region
env:NAME           an environment variable: on the command line only, never in a deployed file
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

SCHEMES: Final = ("secret:", "ssm:", "env:")
_FORMS: Final = (
    re.compile(r"(?P<store>secret):(?P<name>[A-Za-z0-9/_+=.@-]{1,512})(?:#(?P<key>[A-Za-z0-9_.-]{1,128}))?"),
    re.compile(r"(?P<store>ssm):(?P<name>(?=.{1,1000}$)(?:/[A-Za-z0-9_.-]+){1,15})"),
    re.compile(r"(?P<store>env):(?P<name>[A-Za-z_][A-Za-z0-9_]{0,127})"),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """`store` is secret, ssm or env; `key` the member of a JSON secret, where one is named."""

    store: str
    name: str
    key: str | None = None

    def __str__(self) -> str:
        return f"{self.store}:{self.name}" + (f"#{self.key}" if self.key else "")


def is_reference(text: object) -> bool:
    """Does it begin like a reference? (It may still be malformed.)"""
    return isinstance(text, str) and text.startswith(SCHEMES)


def parse_reference(text: str) -> Reference | None:
    """The reference, or None where the text is none or is malformed."""
    for form in _FORMS:
        if found := form.fullmatch(text):
            return Reference(**found.groupdict())
    return None


def references(value: Any) -> Iterator[Reference]:
    """Every reference in a mapping, list or text, in order; repeated where it stands twice."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from references(part)
    elif isinstance(value, str) and (found := parse_reference(value)):
        yield found
