"""One designated read-only tool, called with fixed arguments, and what its result must be (Server, Tools).

The owner chooses the tool; Lookout never calls one by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lookout.probe.envelope import Answer
from lookout.probe.failure import Failure, of_reply
from lookout.probe.lists import ask
from lookout.probe.quoting import quote
from lookout.probe.result import Layer, Reason
from lookout.probe.session import Session, Steps, encode_header

_DEPTH_LIMIT: Final = 8
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
"""What may be part of a header's name (RFC 9110, 5.6.2): the server chooses it."""


def call_tool(s: Session, call: Mapping[str, Any]) -> Steps:
    """Call `{"tool", "arguments", "result"}` as the configuration has it. Raises Failure where it is not as wished."""
    name, arguments = str(call["tool"]), dict(call.get("arguments") or {})
    tool = next((tool for tool in s.tools or () if tool.get("name") == name), None)
    if tool is None:
        raise Failure(Layer.SURFACE, Reason.TOOL_MISSING, f"the tool to call is missing: {name}")
    headers = {"mcp-name": encode_header(name), **dict(_mirrored(tool, arguments))}
    reply = yield from ask(s, "tool_call", "tools/call", {"name": name, "arguments": arguments}, headers)
    answer = reply.answer
    if not (isinstance(answer, Answer) and answer.result is not None and 200 <= reply.status < 300):
        raise of_reply(reply, Reason.TOOL_CALL_FAILED, f"tools/call {name}")
    result = answer.result
    if result.get("resultType", "complete") != "complete":
        message = f"{name} did not complete: {quote(str(result['resultType']), 40)}"
        raise Failure(Layer.MCP, Reason.TOOL_CALL_FAILED, message, reply)
    if result.get("isError") is True:
        raise Failure(Layer.MCP, Reason.TOOL_CALL_FAILED, f"{name} reports an error: {_words(result)}", reply)
    wrong = unexpected(result, call.get("result") or {})
    if wrong is not None:
        raise Failure(Layer.SURFACE, Reason.TOOL_RESULT_UNEXPECTED, f"{name}: {wrong}", reply)


def _words(result: Mapping[str, Any]) -> str:
    content = result.get("content")
    texts = [item.get("text") for item in content if isinstance(item, dict)] if isinstance(content, list) else []
    return next((quote(text, 200) for text in texts if isinstance(text, str) and text), "it does not say which")


def unexpected(result: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    """What is not as `wanted` in the result object of tools/call: `{"schema": ...}` or `{"jmespath": ...}`; or None.

    A schema is the owner's (draft-07, checked when the configuration was read), never the server's. A JMESPath
    expression must be true, as JMESPath has it: false, null, and what is empty are not.
    """
    if "schema" in wanted:
        import fastjsonschema

        try:
            fastjsonschema.compile(wanted["schema"], handlers={"http": _never, "https": _never})(result)
        except fastjsonschema.JsonSchemaValueException as error:
            return quote(f"the result is not what the schema asks for: {error.message}", 200)
    if "jmespath" in wanted:
        import jmespath

        try:
            found = jmespath.search(wanted["jmespath"], result)
        except jmespath.exceptions.JMESPathError as error:
            return quote(f"the expression cannot be applied to the result: {error}", 200)
        if found is None or found is False or found in ("", [], {}):
            return quote(f"{wanted['jmespath']} is {json.dumps(found)}", 200)
    return None


def _never(url: str) -> Any:
    raise ValueError(f"{url}: a schema is never fetched")


def _mirrored(tool: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Arguments a tool wants in headers too: `Mcp-Param-<x-mcp-header>` (2026-07-28, Tools, x-mcp-header)."""
    yield from _walk(tool.get("inputSchema"), arguments, 0)


def _walk(schema: Any, arguments: Any, depth: int) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or not isinstance(arguments, Mapping) or depth > _DEPTH_LIMIT:
        return
    for key, inner in properties.items():
        value = arguments.get(key)
        name = inner.get("x-mcp-header") if isinstance(inner, dict) else None
        if isinstance(name, str) and _TOKEN.fullmatch(name) and isinstance(value, (str, int, bool)):
            text = value if isinstance(value, str) else json.dumps(value)
            yield f"mcp-param-{name.lower()}", encode_header(text)
        yield from _walk(inner, value, depth + 1)
