"""Who wrote something, and what: checked before it is kept, since pages, terminals and programs show it."""

from __future__ import annotations

from lookout.errors import LookoutError
from lookout.status.text import clean
from lookout.verdict.people import NAME_LIMIT, NOTE_LIMIT


def name(text: str) -> str:
    """A person's name. Raises LookoutError where it is empty, too long, or holds what cannot be seen."""
    return _line(text, NAME_LIMIT, "a name (--by)")


def note(text: str) -> str:
    """A note. Raises LookoutError where it is empty, too long, of several lines, or holds what cannot be seen."""
    return _line(text, NOTE_LIMIT, "a note")


def _line(text: str, limit: int, what: str) -> str:
    text = text.strip()
    if not text:
        raise LookoutError(f"{what} must say something")
    if len(text) > limit:
        raise LookoutError(f"{what} has at most {limit} characters; this one has {len(text)}")
    if clean(text, limit) != text:
        raise LookoutError(f"{what} is one line, without control characters and marks that turn the direction of text")
    return text


def of_arn(arn: str) -> str:
    """The name in an IAM identity's ARN: of a user its name, of a role that was taken the session's.

    `arn:aws:sts::1:assumed-role/Admin/ann@acme.dev` is ann@acme.dev.
    """
    return arn.rpartition(":")[2].rpartition("/")[2]
