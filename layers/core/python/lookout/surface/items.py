"""The items of a surface by kind, and the parts of each that are hashed apart.

    contract   what a caller must send and may rely on: names, schemas without their annotations, behavioural hints
    text       what a model reads: titles, descriptions, defaults, examples, wherever they are nested
    full       the whole item

`_meta` is in none of them: servers keep their framework's notes there. Nor are a resource's `size` and `lastModified`,
which change with its content and not with what is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lookout.surface.canonical import ANNOTATIONS, canonical, encode, pointer, schemas, shape

Item = Mapping[str, Any]
SCHEMAS: Final = ("inputSchema", "outputSchema")
_WORDS: Final = ("title", "description")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of item. `key` is the member that identifies it, `member` the list's name in a surface."""

    name: str
    member: str
    key: str
    whole: Callable[[Item], dict[str, Any]]
    contract: Callable[[Item], dict[str, Any]]
    text: Callable[[Item], dict[str, Any]]

    def name_of(self, item: Item) -> str:
        """What identifies an item; the canonical text of whatever stands there where it is no string."""
        value = item.get(self.key)
        return value if isinstance(value, str) else (canonical(value) or b"?").decode()


def texts(schema: Any) -> dict[str, Any]:
    """Every annotation within a schema by JSON pointer. Raises UncanonicalError."""
    return {
        at + pointer(word): node[word] for at, node in schemas(schema) for word in sorted(ANNOTATIONS & node.keys())
    }


def _some(item: Item, *names: str) -> dict[str, Any]:
    return {name: item[name] for name in names if name in item}


def _without(value: Any, *names: str) -> Any:
    return {k: v for k, v in value.items() if k not in names} if isinstance(value, Mapping) else value


def _tool(item: Item) -> dict[str, Any]:
    whole = {name: value for name, value in item.items() if name != "_meta"}
    return {**whole, **{name: shape(whole[name], annotations=True) for name in SCHEMAS if name in whole}}


def _tool_contract(item: Item) -> dict[str, Any]:
    out = {**_some(item, "name"), "annotations": _without(item.get("annotations"), "title") or {}}
    return {**out, **{name: shape(item[name], annotations=False) for name in SCHEMAS if name in item}}


def _tool_text(item: Item) -> dict[str, Any]:
    hints = item.get("annotations")
    title = {"annotations": hints["title"]} if isinstance(hints, Mapping) and "title" in hints else {}
    nested = {name: texts(item[name]) for name in SCHEMAS if name in item}
    return {**_some(item, *_WORDS), **title, **nested}


def _resource(item: Item) -> dict[str, Any]:
    whole: dict[str, Any] = _without(item, "_meta", "size")
    if "annotations" in whole:
        whole["annotations"] = _without(whole["annotations"], "lastModified")
    return whole


def _by_name(arguments: Any) -> Any:
    return sorted(arguments, key=encode) if isinstance(arguments, list) else arguments


def _prompt(item: Item) -> dict[str, Any]:
    whole: dict[str, Any] = _without(item, "_meta")
    return {**whole, "arguments": _by_name(whole["arguments"])} if "arguments" in whole else whole


def _prompt_contract(item: Item) -> dict[str, Any]:
    arguments = item.get("arguments")
    if isinstance(arguments, list):
        arguments = _by_name([_without(argument, *_WORDS) for argument in arguments])
    return {**_some(item, "name"), "arguments": arguments}


def _prompt_text(item: Item) -> dict[str, Any]:
    arguments = item.get("arguments")
    said = (
        [_some(a, "name", *_WORDS) for a in arguments if isinstance(a, Mapping)] if isinstance(arguments, list) else []
    )
    return {**_some(item, *_WORDS), "arguments": _by_name(said)}


def _words(item: Item) -> dict[str, Any]:
    return _some(item, *_WORDS)


TOOL: Final = Kind("tool", "tools", "name", _tool, _tool_contract, _tool_text)
RESOURCE: Final = Kind(
    "resource", "resources", "uri", _resource, lambda item: _some(item, "uri", "name", "mimeType"), _words
)
TEMPLATE: Final = Kind(
    "template",
    "resource_templates",
    "uriTemplate",
    _resource,
    lambda item: _some(item, "uriTemplate", "name", "mimeType"),
    _words,
)
PROMPT: Final = Kind("prompt", "prompts", "name", _prompt, _prompt_contract, _prompt_text)
KINDS: Final = (TOOL, RESOURCE, TEMPLATE, PROMPT)
