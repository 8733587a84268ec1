"""A server's surface: the lists it gave, by whom and how they were asked for, and the hashes they come to."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from lookout.errors import FormatError
from lookout.surface.canonical import UncanonicalError, digest, usual
from lookout.surface.items import KINDS, TOOL, Item, Kind

FORMAT: Final = "lookout-surface/1"
ITEMS_LIMIT: Final = 2000
SIZE_LIMIT: Final = 4 * 1024 * 1024
UNUSUAL_LIMIT: Final = 512 * 1024
"""Bytes of a surface with numbers or keys that are slow to write canonically."""
ADDRESS_LENGTH: Final = 32
"""Hex digits by which a surface is named in rounds, states and the bucket: 128 bits."""
REMEMBERED: Final = 256

Items = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Hashes:
    """SHA-256 hex over a surface's lists: `tools` over the whole tools alone, the others over every list given."""

    contract: str
    text: str
    full: str
    tools: str


@dataclass(frozen=True, slots=True)
class Surface:
    """What a server offers. None is a list that was not asked for; `credential` names what it was asked with."""

    tools: Items
    hashes: Hashes
    resources: Items | None = None
    resource_templates: Items | None = None
    prompts: Items | None = None
    server_name: str | None = None
    server_version: str | None = None
    era: str | None = None
    protocol_version: str | None = None
    credential: str = ""

    @property
    def address(self) -> str:
        """The name its content goes by: the first 128 bits of the full hash."""
        return address_of(self.hashes.full)

    def items(self, kind: Kind) -> Items | None:
        """The list of one kind."""
        found: Items | None = getattr(self, kind.member)
        return found

    def content(self) -> dict[str, Any]:
        """The lists alone, sorted and without `_meta`: what `hashes` are over."""
        return {
            kind.member: [{k: v for k, v in item.items() if k != "_meta"} for item in items]
            for kind in KINDS
            if (items := self.items(kind)) is not None
        }

    def to_json(self) -> dict[str, Any]:
        """The saved form; `from_json` reads it. Three hashes of each item are in it for people who compare by hand."""
        return {
            "format": FORMAT,
            "server": {"name": self.server_name, "version": self.server_version},
            "era": self.era,
            "protocol_version": self.protocol_version,
            "credential": self.credential,
            "hashes": {name: "sha256:" + getattr(self.hashes, name) for name in ("contract", "text", "full")},
            "items": {
                kind.member: {kind.name_of(item): item_hashes(kind, item) for item in items}
                for kind in KINDS
                if (items := self.items(kind)) is not None
            },
            **self.content(),
        }

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Inverse of `to_json`; no hash in it is believed. A bare `tools/list` result will do. Raises FormatError."""
        if not isinstance(data, Mapping) or data.get("format", FORMAT) != FORMAT or data.get("tools") is None:
            raise FormatError(f"not a surface: a JSON object of format {FORMAT}, or a tools/list result, is expected")
        lists = {kind.member: data.get(kind.member) for kind in KINDS}
        for member, items in lists.items():
            if items is not None and not (isinstance(items, list) and all(isinstance(i, Mapping) for i in items)):
                raise FormatError(f"not a surface: {member} must be a list of objects")
        server = data.get("server")
        server = server if isinstance(server, Mapping) else {}
        facts: dict[str, Any] = {
            "server_name": server.get("name"),
            "server_version": server.get("version"),
            "era": data.get("era"),
            "protocol_version": data.get("protocol_version"),
            "credential": data.get("credential") or "",
        }
        if any(value is not None and not isinstance(value, str) for value in facts.values()):
            raise FormatError("not a surface: server, era, protocol_version and credential are texts")
        hashes = hashes_of(lists)
        if hashes is None:
            raise FormatError(TOO_MUCH)
        return cls(hashes=hashes, **_sorted(lists), **facts)


TOO_MUCH: Final = (
    f"the surface has no canonical form: more than {ITEMS_LIMIT} items or {SIZE_LIMIT >> 20} MiB, "
    "nested too deeply, or with NaN or half a surrogate pair in it"
)

Lists = Mapping[str, Sequence[Item] | None]


def address_of(full: str) -> str:
    """The address of a full hash."""
    return full[:ADDRESS_LENGTH]


def item_hashes(kind: Kind, item: Item) -> dict[str, str]:
    """The three hashes of one item. Raises UncanonicalError."""
    return {"contract": digest(kind.contract(item)), "text": digest(kind.text(item)), "full": digest(kind.whole(item))}


def surface_of(
    tools: Sequence[Item],
    *,
    resources: Sequence[Item] | None = None,
    resource_templates: Sequence[Item] | None = None,
    prompts: Sequence[Item] | None = None,
    server_name: str | None = None,
    server_version: str | None = None,
    era: str | None = None,
    protocol_version: str | None = None,
    credential: str = "",
) -> Surface | None:
    """The surface of what a server listed; None where it has no canonical form or is beyond the limits."""
    lists: Lists = {
        "tools": tools,
        "resources": resources,
        "resource_templates": resource_templates,
        "prompts": prompts,
    }
    hashes = hashes_of(lists)
    if hashes is None:
        return None
    return Surface(
        hashes=hashes,
        server_name=server_name,
        server_version=server_version,
        era=era,
        protocol_version=protocol_version,
        credential=credential,
        **_sorted(lists),
    )


def tools_hash(tools: Sequence[Item]) -> str | None:
    """SHA-256 hex over all tools, whatever their order; None where they have no canonical form."""
    found = hashes_of({"tools": tools})
    return found.tools if found is not None else None


def _sorted(lists: Lists) -> dict[str, Any]:
    """Each list in a stable order, which the server's own is not."""
    return {
        kind.member: tuple(sorted(items, key=kind.name_of)) if (items := lists.get(kind.member)) is not None else None
        for kind in KINDS
    }


_known: OrderedDict[bytes, Hashes] = OrderedDict()
"""Hashes of lists seen lately, by what they were as plain JSON: canonical bytes cost ten times as much, and a server
says the same every minute."""


def hashes_of(lists: Lists) -> Hashes | None:
    """The hashes of some lists (of KINDS); None where they have no canonical form or are beyond the limits."""
    if sum(len(items or ()) for items in lists.values()) > ITEMS_LIMIT:
        return None
    try:
        plain = json.dumps(_sorted(lists), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, TypeError, RecursionError):
        return None
    if len(plain) > SIZE_LIMIT:
        return None
    try:
        if len(plain) > UNUSUAL_LIMIT and not usual([list(items or ()) for items in lists.values()]):
            return None
    except UncanonicalError:
        return None
    key = hashlib.sha256(plain).digest()
    found = _known.get(key)
    if found is None:
        try:
            found = _hashes(lists)
        except UncanonicalError:
            return None
        _known[key] = found
        if len(_known) > REMEMBERED:
            _known.popitem(last=False)
    _known.move_to_end(key)
    return found


def _hashes(lists: Lists) -> Hashes:
    each = {
        kind.member: [(kind.name_of(item), item_hashes(kind, item)) for item in items]
        for kind in KINDS
        if (items := lists.get(kind.member)) is not None
    }

    def over(part: str, members: Sequence[str]) -> str:
        return digest({m: sorted([name, hashes[part]] for name, hashes in each[m]) for m in members})

    every = list(each)
    tools = over("full", [TOOL.member] if TOOL.member in each else [])
    return Hashes(over("contract", every), over("text", every), over("full", every), tools)
