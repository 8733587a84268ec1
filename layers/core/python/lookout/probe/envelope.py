"""JSON-RPC 2.0 as a prober must read it: our own rules, since the official schema lets too much through (MCP Base)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from lookout.probe.result import Reason


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON-RPC answer to our request: `result`, or `error` with an integer code."""

    result: dict[str, Any] | None = None
    error_code: int | None = None
    error_message: str = ""
    error_data: Any = None


@dataclass(frozen=True, slots=True)
class Broken:
    """Why something is no valid answer."""

    reason: Reason
    message: str


NESTING_LIMIT: Final = 100
DIGITS_LIMIT: Final = 1000
"""Of one number. Python itself refuses more than 4300; reading one takes time quadratic in its digits."""
CONTAINERS_LIMIT: Final = 150_000
VALUES_LIMIT: Final = 500_000
"""Of one text: an empty object takes thirty times the memory of its two characters."""
_WORDS_LIMIT: Final = 1000
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A JSON value, and what is odd about how it was written: duplicate_keys, lone_surrogate."""

    value: Any
    oddities: frozenset[str] = frozenset()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _integer_of(digits: str) -> int:
    if len(digits) > DIGITS_LIMIT:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(NESTING_LIMIT):
        if not level:
            return False
        inner = []
        for container in level:
            for item in container.values() if isinstance(container, dict) else container:
                if isinstance(item, (dict, list)):
                    inner.append(item)  # noqa: PERF401 - the fastest of the ways measured
        level = inner
    return bool(level)


def parse(text: bytes) -> Parsed:
    """Strict JSON: UTF-8, no NaN or Infinity, nested at most 100 deep, of bounded worth. Raises ValueError."""
    oddities = set()
    containers = text.count(b"{") + text.count(b"[")
    if containers > CONTAINERS_LIMIT or containers + text.count(b",") > VALUES_LIMIT:
        raise ValueError("it holds more values than are read")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(items)
        if len(out) < len(items):
            oddities.add("duplicate_keys")
        return out

    try:
        value = json.loads(
            text.decode("utf-8"), parse_constant=_no_constant, parse_int=_integer_of, object_pairs_hook=pairs
        )
    except RecursionError:
        raise ValueError(f"nested more than {NESTING_LIMIT} deep") from None
    if _too_deep(value):
        raise ValueError(f"nested more than {NESTING_LIMIT} deep")
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            oddities.add("lone_surrogate")
    return Parsed(value, frozenset(oddities))


def read_answer(value: Any, wanted_id: int) -> Answer | Broken | None:
    """Judge one parsed message. None: a notification or a server's request, to be skipped on a stream."""
    if isinstance(value, list):
        return Broken(Reason.BAD_JSONRPC, "the answer is an array: batching left the protocol in 2025-06-18")
    if not isinstance(value, dict):
        return Broken(Reason.BAD_JSONRPC, "the answer is not a JSON object")
    if "method" in value and "result" not in value and "error" not in value:
        return None
    if value.get("jsonrpc") != "2.0":
        return Broken(Reason.BAD_JSONRPC, 'the answer lacks "jsonrpc": "2.0"')
    if ("result" in value) == ("error" in value):
        which = "both result and error" if "result" in value else "neither result nor error"
        return Broken(Reason.BAD_JSONRPC, f"the answer has {which}")
    if "error" in value:
        error = value["error"]
        if not isinstance(error, dict) or not _integer(error.get("code")):
            return Broken(Reason.BAD_JSONRPC, "the error is not an object with an integer code")
        return Answer(None, error["code"], _words(error.get("message", "")), error.get("data"))
    given = value.get("id")
    if not _integer(given) or given != wanted_id:
        return Broken(Reason.WRONG_ID, f"the result's id is {json.dumps(given)[:60]}, ours was {wanted_id}")
    if not isinstance(value["result"], dict):
        return Broken(Reason.BAD_JSONRPC, "the result is not an object")
    return Answer(value["result"])


def _words(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:_WORDS_LIMIT]


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
