"""Every exception Lookout raises on purpose.

    LookoutError
    ├── ConfigError        a file or argument the user wrote is wrong: says file, line, key, and how to mend it
    ├── SecretError        a `secret:`/`ssm:`/`env:` reference cannot be resolved or used (never carries the value)
    │   └── SecretGoneError  its store answered that there is none of that name
    ├── StoreError         our data is not what it must be
    │   ├── ConflictError  somebody else wrote first: read again
    │   └── FormatError    a packed record is of a version this code cannot read, or is damaged
    └── LocalError         the local AWS cannot be started, stopped or reached

A watched server's failure is never an exception: it is a `ProbeResult` with a status, a layer and a reason.
"""

from __future__ import annotations

from dataclasses import dataclass


class LookoutError(Exception):
    """Root of the tree; `str()` of any of them is fit to be shown to a user."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a user's file. `line` and `column` count from 1; 0 where there is none."""

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        return f"{where}:{key} {self.message}"


class ConfigError(LookoutError):
    """One or more problems in what the user wrote, all reported at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))


class SecretError(LookoutError):
    """A reference to a secret could not be resolved."""


class SecretGoneError(SecretError):
    """There is no such secret (any more): what was known of it must not be used either."""


class StoreError(LookoutError):
    """Our own data or database did not do what it must."""


class ConflictError(StoreError):
    """A conditional write lost: somebody else wrote first."""


class FormatError(StoreError):
    """A packed record is damaged or of an unknown version."""


class LocalError(LookoutError):
    """The local AWS could not be started, stopped or reached."""
