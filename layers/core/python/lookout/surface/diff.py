"""What changed between two surfaces: items added and removed, and within an item each difference by JSON pointer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lookout.surface.canonical import UncanonicalError, canonical, encode, pointer
from lookout.surface.changes import KINDS, Change, Class, Side, change, worst
from lookout.surface.items import KINDS as ITEM_KINDS
from lookout.surface.items import PROMPT, RESOURCE, TEMPLATE, TOOL, Item, Kind
from lookout.surface.model import Surface
from lookout.surface.schema_diff import same, schema_changes, short

NAMES_LIMIT: Final = 40
CHANGES_LIMIT: Final = 50
_HINTS: Final = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True}
"""What a tool is taken for where it does not say (Tools, ToolAnnotations)."""
_MISSING: Final = object()
_FIELDS: Final = {
    "title": "title_changed",
    "description": "description_changed",
    "icons": "icons_changed",
    "mimeType": "mime_type_changed",
}


@dataclass(frozen=True, slots=True)
class Changed:
    """One item that is in both surfaces and differs. `item` as `label` writes it."""

    item: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """Everything that changed. `cls` is the worst of it; hashes are full hashes, `sha256:` and hex."""

    cls: Class
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
    old_hash: str = ""
    new_hash: str = ""

    @property
    def empty(self) -> bool:
        """Nothing changed."""
        return not (self.added or self.removed or self.changed)

    def to_json(self) -> dict[str, Any]:
        """The `drift` object of a webhook (SHAPES 1), bounded: `more` counts what is left out, where anything is."""
        changed, room = [], CHANGES_LIMIT
        for one in self.changed:
            if room <= 0:
                break
            changed.append({"tool": short(one.item), "changes": [_change_json(c) for c in one.changes[:room]]})
            room -= len(one.changes)
        total = len(self.added) + len(self.removed) + sum(len(one.changes) for one in self.changed)
        added, removed = self.added[:NAMES_LIMIT], self.removed[:NAMES_LIMIT]
        told = len(added) + len(removed) + sum(len(one["changes"]) for one in changed)
        return {
            "class": self.cls.value,
            "added": [short(name) for name in added],
            "removed": [short(name) for name in removed],
            "changed": changed,
            "old_hash": self.old_hash,
            "new_hash": self.new_hash,
            **({"more": total - told} if total > told else {}),
        }


def _change_json(one: Change) -> dict[str, str]:
    detail = {"detail": short(one.detail)} if one.detail else {}
    return {"path": one.path[:200], "kind": one.kind, "class": one.cls.value, **detail}


def unreadable(old_hash: str, new_hash: str) -> Drift:
    """The drift between surfaces whose content is not at hand: something changed, nobody can say what."""
    return Drift(Class.UNKNOWN, old_hash=old_hash, new_hash=new_hash)


def label(kind: Kind, name: str) -> str:
    """How an item is called among items of all kinds: a tool by its name, others with their kind before it."""
    return name if kind is TOOL else f"{kind.name}:{name}"


def diff(old: Surface, new: Surface) -> Drift:
    """What `new` changed. A list that is only in one of them was not asked for in the other: it is not compared."""
    added: list[str] = []
    removed: list[str] = []
    changed: list[Changed] = []
    classes: list[Class] = []
    for kind in ITEM_KINDS:
        before, after = old.items(kind), new.items(kind)
        if before is None or after is None:
            continue
        olds, news = _by_name(kind, before), _by_name(kind, after)
        for name in sorted(olds.keys() | news.keys()):
            if name not in news:
                removed.append(label(kind, name))
                classes.append(KINDS[f"{kind.name}_removed"][0])
            elif name not in olds:
                added.append(label(kind, name))
                classes.append(KINDS[f"{kind.name}_added"][0])
            elif changes := item_changes(kind, olds[name], news[name]):
                changed.append(Changed(label(kind, name), changes))
                classes += [c.cls for c in changes]
    return Drift(
        worst(classes),
        tuple(added),
        tuple(removed),
        tuple(changed),
        f"sha256:{old.hashes.full}",
        f"sha256:{new.hashes.full}",
    )


def _by_name(kind: Kind, items: tuple[Item, ...]) -> dict[str, Item]:
    """Items by name; those that share one are told apart by a number, so that none is lost."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(kind.name_of(item), []).append(item)
    out: dict[str, Item] = {}
    for name, group in groups.items():
        if len(group) > 1:
            group.sort(key=lambda item: canonical(kind.whole(item)) or b"")
        for number, item in enumerate(group):
            out[f"{name} ({number + 1})" if number else name] = item
    return out


def item_changes(kind: Kind, old: Item, new: Item) -> tuple[Change, ...]:
    """The changes within one item, worst first. None where its full hash is the same."""
    try:
        if encode(kind.whole(old)) == encode(kind.whole(new)):
            return ()
        found = list(_COMPARE[kind.name](old, new))
        blind = {c.kind for c in found} <= _TEXTUAL and encode(kind.contract(old)) != encode(kind.contract(new))
    except UncanonicalError:
        found, blind = [], True
    if blind or not found:
        found.append(change("", "item_changed"))
    return tuple(sorted(found, key=lambda c: (c.cls.rank, c.path, c.kind, c.detail)))


_TEXTUAL: Final = frozenset({"description_changed", "title_changed", "examples_changed", "comment_changed"})


def _fields(old: Item, new: Item, apart: frozenset[str]) -> Iterator[Change]:
    for field in sorted((old.keys() | new.keys()) - apart - {"_meta"}):
        if _differs(old.get(field, _MISSING), new.get(field, _MISSING)):
            yield change(pointer(field), _FIELDS.get(field, "field_changed"))


def _differs(old: Any, new: Any) -> bool:
    if old is _MISSING or new is _MISSING:
        return old is not new
    return not same(old, new)


def _tool(old: Item, new: Item) -> Iterator[Change]:
    yield from _fields(old, new, frozenset({"name", "annotations", "inputSchema", "outputSchema"}))
    yield from schema_changes(old.get("inputSchema", True), new.get("inputSchema", True), Side.INPUT, "/inputSchema")
    if "outputSchema" in old and "outputSchema" in new:
        yield from schema_changes(old["outputSchema"], new["outputSchema"], Side.OUTPUT, "/outputSchema")
    elif "outputSchema" in new:
        yield change("/outputSchema", "output_schema_added")
    elif "outputSchema" in old:
        yield change("/outputSchema", "output_schema_removed")
    yield from _hints(old.get("annotations") or {}, new.get("annotations") or {})


def _hints(old: Any, new: Any) -> Iterator[Change]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        if not same(old, new):
            yield change("/annotations", "field_changed")
        return
    for hint in sorted(old.keys() | new.keys()):
        path, before, after = pointer("annotations", hint), old.get(hint, _MISSING), new.get(hint, _MISSING)
        if not _differs(before, after):
            continue
        if hint == "title":
            yield change(path, "title_changed")
        elif hint not in _HINTS:
            yield change(path, "field_changed")
        else:
            values = [_HINTS[hint] if value is _MISSING else value for value in (before, after)]
            kind = "hint_stated" if same(*values) else "hint_changed"
            yield change(path, kind, detail=f"{short(values[0])} → {short(values[1])}")


def _resource(old: Item, new: Item) -> Iterator[Change]:
    apart = frozenset({"uri", "uriTemplate", "name", "size", "annotations"})
    yield from _fields(old, new, apart)
    if _differs(old.get("name", _MISSING), new.get("name", _MISSING)):
        yield change("/name", "name_changed")
    hints = [RESOURCE.whole(item).get("annotations", _MISSING) for item in (old, new)]
    if _differs(*hints):
        yield change("/annotations", "field_changed")


def _prompt(old: Item, new: Item) -> Iterator[Change]:
    yield from _fields(old, new, frozenset({"name", "arguments"}))
    before, after = _arguments(old.get("arguments")), _arguments(new.get("arguments"))
    if before is None or after is None:
        if _differs(old.get("arguments", _MISSING), new.get("arguments", _MISSING)):
            yield change("/arguments", "field_changed")
        return
    for name in sorted(before.keys() | after.keys()):
        path = pointer("arguments", name)
        if name not in after:
            yield change(path, "argument_removed")
        elif name not in before:
            yield change(path, "argument_required" if after[name].get("required") is True else "argument_added")
        else:
            must, must_now = (one[name].get("required") is True for one in (before, after))
            if must != must_now:
                yield change(path, "argument_required" if must_now else "argument_optional")
            for field in _fields(before[name], after[name], frozenset({"name", "required"})):
                yield Change(path + field.path, field.kind, field.cls)


def _arguments(value: Any) -> dict[str, Item] | None:
    """A prompt's arguments by name; None where they are not what the specification says."""
    listed = [] if value is None else value
    if not isinstance(listed, list) or not all(
        isinstance(argument, Mapping) and isinstance(argument.get("name"), str) for argument in listed
    ):
        return None
    out = {argument["name"]: argument for argument in listed}
    return out if len(out) == len(listed) else None


_COMPARE: Final = {TOOL.name: _tool, PROMPT.name: _prompt, RESOURCE.name: _resource, TEMPLATE.name: _resource}
