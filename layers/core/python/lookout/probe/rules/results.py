"""The results a prober reads, held to the official schema of their version and to what 2026-07-28 asks of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lookout.probe.result import Era, Finding
from lookout.probe.rules.registry import finding
from lookout.probe.rules.shapes import shape_error
from lookout.probe.rules.words import described, is_integer
from lookout.probe.versions import MODERN

LISTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "tools/list": ("ListToolsResult", "tools", "TOOL-SCHEMA"),
    "resources/list": ("ListResourcesResult", "resources", "LIST-SCHEMA"),
    "resources/templates/list": ("ListResourceTemplatesResult", "resourceTemplates", "LIST-SCHEMA"),
    "prompts/list": ("ListPromptsResult", "prompts", "LIST-SCHEMA"),
}
"""Method -> definition of its result, the field with the items, the rule a wrong shape breaks."""

_DISCOVER: Final = ("resultType", "supportedVersions", "capabilities", "ttlMs", "cacheScope")
_RESULT_TYPES: Final = ("complete", "input_required")
_SCOPES: Final = ("public", "private")
_SOUND: Final = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
"""What stands in for a field another rule speaks of, so that one fault is one finding."""


def check_result(method: str, era: Era | None, version: str | None, result: dict[str, Any]) -> list[Finding]:
    """The rules about one result's own fields. Tools are looked at one by one elsewhere (`check_tools`)."""
    if method == "initialize":
        return list(_initialize(version, result))
    if method == "server/discover":
        return list(_discover(result))
    if method in LISTS:
        return list(_list(method, era, version, result))
    return []


def _initialize(version: str | None, result: dict[str, Any]) -> Iterator[Finding]:
    if not isinstance(result.get("protocolVersion"), str):
        yield finding("LIFE-VERSION-UNKNOWN", f"initialize: protocolVersion is {_told(result, 'protocolVersion')}")
    sound: dict[str, Any] = {"protocolVersion": ""}
    if isinstance(result.get("capabilities"), dict):
        sound["capabilities"] = {}
    error = shape_error(version, "InitializeResult", {**result, **sound}, "result")
    if error is not None:
        yield finding("LIFE-INIT-FIELDS", f"initialize: {error}")


def _discover(result: dict[str, Any]) -> Iterator[Finding]:
    """Only what means to be a discovery is held to it: servers of other eras answer unknown methods with anything."""
    if not any(name in result for name in _DISCOVER):
        return
    listed = result.get("supportedVersions")
    if isinstance(listed, list) and listed and not any(each in MODERN for each in listed if isinstance(each, str)):
        yield finding("M-VERSION-LIST", "server/discover is answered, and names no version that has it")
        return
    missing = [name for name in _DISCOVER if name not in result]
    if missing:
        yield finding("M-DISCOVER-FIELDS", f"server/discover lacks {', '.join(missing)}")
    whole = {"supportedVersions": [], **result, **_SOUND}
    if isinstance(whole.get("capabilities", {}), dict):
        whole["capabilities"] = {}
    error = shape_error(MODERN[-1], "DiscoverResult", whole, "result")
    if error is not None:
        yield finding("M-DISCOVER-FIELDS", f"server/discover: {error}")
    yield from _modern(result, required=False)


def _list(method: str, era: Era | None, version: str | None, result: dict[str, Any]) -> Iterator[Finding]:
    definition, field, rule = LISTS[method]
    sound: dict[str, Any] = {**_SOUND, "nextCursor": ""} if era is Era.MODERN else {"nextCursor": ""}
    if method == "tools/list" and isinstance(result.get(field), list):
        sound[field] = []
    error = shape_error(version, definition, {**result, **sound}, "result")
    if error is not None:
        yield finding(rule, f"{method}: {error}")
    if era is Era.MODERN:
        yield from _modern(result, required=True)


def _modern(result: dict[str, Any], required: bool) -> Iterator[Finding]:
    """resultType, ttlMs and cacheScope; `required`: their absence is for this rule to say."""
    if required or "resultType" in result:
        given = result.get("resultType")
        if given not in _RESULT_TYPES:
            yield finding("M-RESULTTYPE", f"resultType is {_told(result, 'resultType')}")
    if required or "ttlMs" in result:
        given = result.get("ttlMs")
        if given is None or not is_integer(given) or given < 0:
            yield finding("M-CACHE", f"ttlMs is {_told(result, 'ttlMs')}, not an integer of at least 0")
    if (required or "cacheScope" in result) and result.get("cacheScope") not in _SCOPES:
        yield finding("M-CACHE", f"cacheScope is {_told(result, 'cacheScope')}, neither public nor private")


def _told(result: dict[str, Any], name: str) -> str:
    return described(result[name]) if name in result else "missing"
