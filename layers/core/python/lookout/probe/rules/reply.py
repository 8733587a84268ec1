"""What one HTTP reply shows of conformance: transport, envelope, shape (MCP, Transports and Base Protocol).

Pure. Nothing here decides whether a server is up. A body on an error status is held to JSON-RPC only where it claims to
be JSON-RPC: an HTTP error may carry anything, such as OAuth's `{"error": "invalid_token"}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lookout.probe.envelope import Broken
from lookout.probe.messages import Reply
from lookout.probe.result import Era, Finding, Reason
from lookout.probe.rules.registry import RULES, distinct, finding
from lookout.probe.rules.results import check_result
from lookout.probe.rules.words import described, is_integer
from lookout.probe.versions import HANDSHAKE, KNOWN, MODERN

LIST_METHODS: Final = ("tools/list", "resources/list", "resources/templates/list", "prompts/list")
METHOD_NOT_FOUND: Final = -32601
VERSION_UNSUPPORTED: Final = -32022
_REFUSED: Final = frozenset({401, 403, 429})
_ODDITIES: Final = {
    "duplicate_keys": ("RPC-JSON", "warning", "an object of the answer has the same key twice"),
    "lone_surrogate": ("RPC-JSON", "warning", "a text of the answer has half of a surrogate pair"),
    "event_type": ("HTTP-SSE-EVENT", None, "the stream has an event of another type than message"),
    "event_not_json": ("HTTP-SSE-EVENT", None, "the stream has an event whose data is not JSON"),
}


def check_reply(
    method: str | None,
    era: Era | None,
    version: str | None,
    reply: Reply,
    *,
    wanted_id: int | None = None,
) -> list[Finding]:
    """Every passive rule one reply can break.

    `method` is the JSON-RPC method that was sent, None for a DELETE; `era` and `version` what is known when the reply
    came (None before detection). `wanted_id` is the request's id, without which a foreign id on an error goes unseen.
    """
    era, version = _known(method, era, version, reply)
    found = [*_http(method, reply), *_session(method, reply)]
    if method is not None and not _notification(method):
        found += [*_oddities(reply), *_envelope(reply, wanted_id), *_errors(method, era, version, reply)]
        result = _result(reply)
        if result is not None:
            found += check_result(method, era, version, result)
    if reply.status == 401 and version == "2025-06-18" and not names_metadata(reply):
        found.append(finding("AUTH-WWW-AUTHENTICATE", "a 401 without resource_metadata in WWW-Authenticate"))
    return distinct(each for each in found if _applies(each, era, version))


def _known(method: str | None, era: Era | None, version: str | None, reply: Reply) -> tuple[Era | None, str | None]:
    """Era and version of the exchange, learnt from the reply itself where it opens one."""
    result = _result(reply) or {}
    if method == "initialize" and result:
        version = result.get("protocolVersion")
        return era or Era.LEGACY, version if version in KNOWN else HANDSHAKE[-1]
    if method == "server/discover" and era in (None, Era.MODERN):
        listed = result.get("supportedVersions")
        for each in MODERN:
            if isinstance(listed, list) and each in listed:
                return Era.MODERN, each
    return era, version if version in KNOWN else None


def _applies(each: Finding, era: Era | None, version: str | None) -> bool:
    if each.rule in ("RPC-BATCH-REPLY", "M-VERSION-LIST", "M-DISCOVER-FIELDS"):
        return version is None or RULES[each.rule].applies(era, version)
    return RULES[each.rule].applies(era, version)


def names_metadata(reply: Reply) -> bool:
    """Whether a 401 says in WWW-Authenticate where its protected-resource metadata is."""
    return "resource_metadata" in reply.headers.get("www-authenticate", "")


def _notification(method: str) -> bool:
    return method.startswith("notifications/")


def _http(method: str | None, reply: Reply) -> Iterator[Finding]:
    if method is None:
        return
    if _notification(method):
        if reply.status != 202 and reply.status not in _REFUSED and reply.status < 500:
            message = f"a notification was answered {reply.status}, not 202"
            yield finding("HTTP-NOTIF-202", message, "error" if reply.status >= 400 else None)
        if reply.status == 202 and reply.size:
            yield finding("HTTP-NOTIF-BODY", f"the 202 to a notification has a body of {reply.size} bytes")
        return
    if not 200 <= reply.status < 300:
        return
    if reply.media_type not in ("application/json", "text/event-stream"):
        kind = f'of type "{reply.media_type}"' if reply.media_type else "without a content type"
        yield finding("HTTP-CT-REQUEST", f"{method} was answered {reply.status} {kind}")
    elif reply.media_type == "text/event-stream" and _broken(reply, Reason.NO_RESPONSE):
        yield finding("HTTP-SSE-NO-RESPONSE", f"the event stream for {method} ended without its answer")


def _session(method: str | None, reply: Reply) -> Iterator[Finding]:
    given = reply.headers.get("mcp-session-id")
    if given is None:
        return
    yield finding("SESS-ON-MODERN", f"{method or 'DELETE'} was answered with a session id; this version has none")
    if method == "initialize" and (not given or not all(0x21 <= ord(char) <= 0x7E for char in given)):
        yield finding("SESS-CHARSET", f"the session id {described(given)} has characters outside 0x21 to 0x7E")


def _oddities(reply: Reply) -> Iterator[Finding]:
    for name in sorted(reply.oddities):
        if name in _ODDITIES:
            rule, severity, message = _ODDITIES[name]
            yield finding(rule, message, "warning" if severity else None)


def _broken(reply: Reply, reason: Reason) -> bool:
    return isinstance(reply.answer, Broken) and reply.answer.reason is reason


def _success(reply: Reply) -> bool:
    return 200 <= reply.status < 300


def _envelope(reply: Reply, wanted_id: int | None) -> Iterator[Finding]:
    message = reply.message
    if isinstance(reply.answer, Broken) and _success(reply) and message is None:
        if reply.answer.reason is Reason.BAD_JSON:
            yield finding("RPC-JSON", reply.answer.message)
        elif reply.answer.reason is Reason.BAD_JSONRPC:
            yield finding("RPC-VERSION", reply.answer.message)
    if message is None or not (_success(reply) or (isinstance(message, dict) and "jsonrpc" in message)):
        return
    if isinstance(message, list):
        yield finding("RPC-BATCH-REPLY", f"one request was answered with an array of {len(message)}")
        return
    if not isinstance(message, dict):
        yield finding("RPC-VERSION", f"the answer is {described(message)}, not an object")
        return
    if message.get("jsonrpc") != "2.0":
        given = described(message["jsonrpc"]) if "jsonrpc" in message else "missing"
        yield finding("RPC-VERSION", f'"jsonrpc" is {given}, not "2.0"')
    if "result" in message and "error" in message:
        yield finding("RPC-BOTH", "the answer has both a result and an error")
    elif "result" in message:
        yield from _result_envelope(message, reply, wanted_id)
    elif "error" in message:
        yield from _error_envelope(message, wanted_id)
    else:
        what = "is a request or notification" if "method" in message else "has neither a result nor an error"
        yield finding("RPC-NEITHER", f"the answer {what}")


def _result_envelope(message: dict[str, Any], reply: Reply, wanted_id: int | None) -> Iterator[Finding]:
    given = message.get("id")
    foreign = wanted_id is not None and (not is_integer(given) or given != wanted_id)
    if foreign or _broken(reply, Reason.WRONG_ID):
        ours = "" if wanted_id is None else f", the request's was {wanted_id}"
        yield finding("RPC-ID-RESULT", f"the result's id is {described(given)}{ours}")
    if not isinstance(message["result"], dict):
        yield finding("RPC-RESULT-OBJECT", f"the result is {described(message['result'])}, not an object")


def _error_envelope(message: dict[str, Any], wanted_id: int | None) -> Iterator[Finding]:
    error = message["error"]
    if not isinstance(error, dict):
        yield finding("RPC-ERROR-SHAPE", f"the error is {described(error)}, not an object")
    elif not is_integer(error.get("code")):
        yield finding("RPC-ERROR-SHAPE", f"the error's code is {described(error.get('code'))}, not an integer")
    elif not isinstance(error.get("message"), str):
        yield finding("RPC-ERROR-SHAPE", f"the error's message is {described(error.get('message'))}, not a text")
    given = message.get("id")
    if given is None or (wanted_id is not None and (not is_integer(given) or given != wanted_id)):
        told = described(given) if "id" in message else "missing"
        yield finding("RPC-ID-ERROR", f"the error's id is {told}, though the request could be read")


def _errors(method: str, era: Era | None, version: str | None, reply: Reply) -> Iterator[Finding]:
    """What an error answer says about the server's own declarations."""
    error = reply.message.get("error") if isinstance(reply.message, dict) else None
    if not isinstance(error, dict) or not is_integer(error.get("code")) or "result" in reply.message:
        return
    code = error["code"]
    if code == VERSION_UNSUPPORTED:
        data = error.get("data")
        listed = data.get("supported") if isinstance(data, dict) else None
        asked = data.get("requested") if isinstance(data, dict) else None
        if method != "initialize" and not isinstance(asked, str):
            asked = version or MODERN[-1]
        if isinstance(listed, list) and isinstance(asked, str) and asked in listed:
            yield finding("M-VERSION-LIST", f"{method} refuses {asked} with -32022, and names it as supported")
        return
    if method not in LIST_METHODS or reply.status in _REFUSED or reply.status >= 500:
        return
    lost = era is Era.LEGACY and reply.status in (400, 404) and code != METHOD_NOT_FOUND
    if lost or (method == "resources/templates/list" and code == METHOD_NOT_FOUND):
        return
    message = f"{method} answers error {described(code)}, though its capability is declared"
    yield finding("CAP-DECLARED-FAILS", message, None if method == "tools/list" else "warning")


def _result(reply: Reply) -> dict[str, Any] | None:
    message = reply.message
    if not (_success(reply) and isinstance(message, dict)) or "error" in message:
        return None
    result = message.get("result")
    return result if isinstance(result, dict) else None
