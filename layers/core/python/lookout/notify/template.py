"""A webhook's `template`: JSON of the user's own shape, with the values of `lookout/v1` put in its place. Pure.

Any value may be text with `{path}` in it, such as `{server.name}`. Text that is nothing but one placeholder becomes the
value itself, of whatever type; elsewhere it becomes words. Values are put into text that is already parsed, and the
whole is written as JSON afterwards: whatever a server says, it stays a value. `{{` and `}}` are braces. There are no
expressions, conditions or loops.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

ROOTS: Final = frozenset(
    {
        "version",
        "type",
        "id",
        "timestamp",
        "server_slug",
        "probe_result",
        "previous_status",
        "status",
        "dedup_key",
        "severity",
        "server",
        "failure",
        "quorum",
        "regions",
        "incident",
        "drift",
        "digest",
        "maintenance",
        "escalation",
        "report",
        "slo",
        "links",
        "monitor",
    }
)
"""What a path may begin with: the keys of `lookout/v1`."""
_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PATH: Final = re.compile(r"[a-z_]+(?:\.(?:[a-z_]+|[0-9]{1,3}))*")


def fill(template: Any, payload: Mapping[str, Any]) -> Any:
    """The template with every placeholder replaced. A path that leads nowhere is null, and empty within text."""
    if isinstance(template, Mapping):
        return {str(key): fill(value, payload) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [fill(value, payload) for value in template]
    if not isinstance(template, str):
        return template
    whole = _TOKEN.fullmatch(template)
    if whole is not None and whole[1] is not None:
        return _at(payload, whole[1])
    return _TOKEN.sub(lambda found: _words(found, payload), template)


def problems(template: Any) -> Iterator[str]:
    """What is wrong with a template's placeholders, a sentence each."""
    if isinstance(template, Mapping):
        for value in template.values():
            yield from problems(value)
    elif isinstance(template, list | tuple):
        for value in template:
            yield from problems(value)
    elif isinstance(template, str):
        for found in _TOKEN.finditer(template):
            if found[0] in ("{", "}"):
                yield "has a brace alone: write {{ or }} for a brace"
            elif found[1] is not None and not _PATH.fullmatch(found[1]):
                yield f"has {found[0][:40]!r}, which is no placeholder such as {{server.name}}"
            elif found[1] is not None and found[1].partition(".")[0] not in ROOTS:
                yield f"has {found[0][:40]!r}, and lookout/v1 has no {found[1].partition('.')[0]}"


def _words(found: re.Match[str], payload: Mapping[str, Any]) -> str:
    if found[1] is None:
        return found[0][0]
    value = _at(payload, found[1])
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
