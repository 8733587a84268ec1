"""The tools of one server, each judged by itself: one that is invalid is reported, and blanks no list.

What has a name is kept, however malformed, since it is part of what the server shows the world and may change; what has
none is left out, and so is what clients MUST leave out. MCP, Tools; Schema, Tool. Pure; a list of 100 KB costs about a
millisecond.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lookout.probe.quoting import quote
from lookout.probe.result import Era, Finding
from lookout.probe.rules.positions import Path, members, mentions, positions
from lookout.probe.rules.registry import RULES, finding
from lookout.probe.rules.shapes import DIALECTS, dialect_error, shape_error
from lookout.probe.rules.words import described, names, some
from lookout.probe.versions import KNOWN

TOOLS_LIMIT: Final = 2_000
POSITIONS_LIMIT: Final = 20_000
REQUIRED_LIMIT: Final = 1_000
"""How much of a list is judged: tools, places in their schemas, names under `required`. The rest is kept unjudged."""
DEPTH_LIMIT: Final = 64
MEMBERS_LIMIT: Final = 20_000
"""A schema deeper or larger is not held to its metaschema."""
ALL_MEMBERS_LIMIT: Final = 50_000
"""Members of all schemas of a list that are."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER: Final = "x-mcp-header"
_HEADER_TYPES: Final = ("string", "integer", "boolean")
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_TELLING: Final = frozenset({_HEADER, "$schema", *_REFERENCES})
_NETWORK: Final = ("http:", "https:", "//")
_DIALECT: Final = re.compile(r"https?://json-schema\.org/draft(/\d{4}-\d{2}|-0\d)/(schema|hyper-schema)#?")
_DEFAULT_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ANY: Final = {"type": "object"}


class _Faults:
    """What was found so far: examples by rule, for one finding of each."""

    def __init__(self, era: Era | None, version: str | None) -> None:
        self._of = {rule.id: rule.applies(era, version) for rule in RULES.values()}
        self._found: dict[str, list[str]] = {}

    def wants(self, rule: str) -> bool:
        return self._of[rule]

    def add(self, rule: str, what: str) -> None:
        if self._of[rule]:
            self._found.setdefault(rule, []).append(what)

    def findings(self) -> list[Finding]:
        return [finding(rule, some(said)) for rule, said in self._found.items()]


def check_tools(
    version: str | None, era: Era | None, tools: Sequence[object], previous_order: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """The tools that have a name, and what is wrong with all of them; at most one finding of each rule.

    `tools` are the items of every page together. `previous_order` are the names of the last probe, in their order.
    """
    version = version if version in KNOWN else None
    faults = _Faults(era, version)
    for index, tool in enumerate(tools[:TOOLS_LIMIT]):
        if not isinstance(tool, dict):
            faults.add("TOOL-SCHEMA", f"tools[{index}] is {described(tool)}, not an object")
        elif _sound(index, tool, version, faults):
            _look(tool, faults)
    kept = [tool for tool in tools if isinstance(tool, dict) and isinstance(tool.get("name"), str)]
    usable = _without_bad_headers(kept, faults)
    twice = [name for name, count in Counter(tool["name"] for tool in kept).items() if count > 1]
    if twice:
        faults.add("TOOL-DUP-NAME", names(twice))
    order = [tool["name"] for tool in usable]
    if previous_order and list(previous_order) != order and sorted(previous_order) == sorted(order):
        faults.add("M-ORDER", "the same tools came in another order than at the last probe")
    return usable, faults.findings()


def _sound(index: int, tool: dict[str, Any], version: str | None, faults: _Faults) -> bool:
    name = tool.get("name")
    what = f"tool {quote(name, 60)}" if isinstance(name, str) and name else f"tools[{index}]"
    null = tool.get("inputSchema") is None and faults.wants("TOOL-INPUT-NULL")
    if null:
        faults.add("TOOL-INPUT-NULL", f"{what}: inputSchema is {'null' if 'inputSchema' in tool else 'missing'}")
    error = shape_error(version, "Tool", {**tool, "inputSchema": _ANY} if null else tool, what)
    if error is not None:
        faults.add("TOOL-SCHEMA", error)
    return error is None and not null


def _without_bad_headers(tools: list[dict[str, Any]], faults: _Faults) -> list[dict[str, Any]]:
    """Clients MUST leave a tool out whose x-mcp-header annotations are wrong; the same walk sees network references."""
    if not faults.wants("TOOL-X-MCP-HEADER"):
        return tools
    left, usable = POSITIONS_LIMIT, []
    for tool in tools[:TOOLS_LIMIT]:
        headers: list[tuple[Path, dict[str, Any]]] = []
        for field in ("inputSchema", "outputSchema"):
            whole = tool.get(field)
            if not isinstance(whole, dict) or not mentions(whole, _TELLING):
                continue
            for path, schema in positions(whole, left):
                left -= 1
                if _HEADER in schema and field == "inputSchema":
                    headers.append((path, schema))
                for where in _network(schema):
                    faults.add("TOOL-REF-NETWORK", f"tool {quote(tool['name'], 60)}: {field} refers to {where}")
        fault = next(_header_faults(headers), None)
        if fault is None:
            usable.append(tool)
        else:
            faults.add("TOOL-X-MCP-HEADER", f"tool {quote(tool['name'], 60)} is left out: {fault}")
    return usable + tools[TOOLS_LIMIT:]


def _network(schema: dict[str, Any]) -> Iterator[str]:
    for keyword in _REFERENCES:
        target = schema.get(keyword)
        if isinstance(target, str) and target.lower().startswith(_NETWORK) and not _DIALECT.fullmatch(target):
            yield f"{described(target)} in {keyword}"
    dialect = schema.get("$schema")
    if isinstance(dialect, str) and dialect.lower().startswith(_NETWORK) and not _DIALECT.fullmatch(dialect):
        yield f"{described(dialect)} in $schema"


def _header_faults(annotated: list[tuple[Path, dict[str, Any]]]) -> Iterator[str]:
    """Why one of the annotations of a tool is wrong (2026-07-28, Tools, x-mcp-header)."""
    taken: set[str] = set()
    for path, schema in annotated:
        name = schema[_HEADER]
        if not path:
            yield f"{_HEADER} where not only properties lead"
        elif not isinstance(name, str) or not _TOKEN.fullmatch(name):
            yield f"{_HEADER} is {described(name)}, not a header name"
        elif schema.get("type") not in _HEADER_TYPES:
            yield f"{_HEADER} {described(name)} on a property that is no string, integer or boolean"
        elif name.lower() in taken:
            yield f"{_HEADER} {described(name)} is there twice"
        else:
            taken.add(name.lower())


def _look(tool: dict[str, Any], faults: _Faults) -> None:
    """What does not keep a client from using the tool."""
    name = tool["name"]
    if not _NAME.fullmatch(name):
        faults.add("TOOL-NAME", described(name) if len(name) <= 128 else f"{described(name)} of {len(name)} characters")
    description = tool.get("description")
    if not description or description.isspace():
        faults.add("TOOL-NO-DESCRIPTION", quote(name, 60))
    schema = tool["inputSchema"]
    required, properties = schema.get("required"), schema.get("properties", {})
    if required and isinstance(required, list) and isinstance(properties, dict):
        absent = [each for each in required[:REQUIRED_LIMIT] if isinstance(each, str) and each not in properties]
        if absent:
            faults.add("TOOL-REQUIRED-UNDEFINED", f"tool {quote(name, 60)}: {names(absent)}")


def check_inner_schemas(version: str | None, era: Era | None, tools: Sequence[dict[str, Any]]) -> list[Finding]:
    """Whether the schemas in tools are JSON Schema at all: worth its time only when the tools changed.

    `tools` are those `check_tools` kept. A schema of a dialect that is not here, or beyond the limits, is not judged.
    """
    faults = _Faults(era, version if version in KNOWN else None)
    if not faults.wants("TOOL-INNER-SCHEMA"):
        return []
    left = ALL_MEMBERS_LIMIT
    for tool in tools[:TOOLS_LIMIT]:
        for field in ("inputSchema", "outputSchema"):
            schema = tool.get(field)
            if not isinstance(schema, dict):
                continue
            size = members(schema, DEPTH_LIMIT, min(left, MEMBERS_LIMIT))
            if size is None:
                continue
            left -= size
            given = schema.get("$schema", _DEFAULT_DIALECT)
            dialect = given.removesuffix("#") if isinstance(given, str) else ""
            error = dialect_error(dialect, schema, field) if dialect in DIALECTS else None
            if error is not None:
                faults.add("TOOL-INNER-SCHEMA", f"tool {quote(str(tool.get('name')), 60)}: {error}")
    return faults.findings()
