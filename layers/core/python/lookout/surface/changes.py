"""The vocabulary of surface changes, as a table: each kind of change, and what it means for those who call.

Inputs are contravariant and outputs covariant: a caller is broken by an input that accepts less and by an output that
may be more. docs/reference/drift.md explains each row; a test keeps the two the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Class(StrEnum):
    """What a change means, worst first."""

    BREAKING = "breaking"
    RISKY = "risky"
    UNKNOWN = "unknown"
    ADDITIVE = "additive"
    COSMETIC = "cosmetic"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Class).index(self)


class Side(StrEnum):
    """Which way values flow: into the server, or out of it."""

    INPUT = "input"
    OUTPUT = "output"


def worst(classes: Iterable[Class]) -> Class:
    """The worst of some classes; cosmetic of none."""
    return min(classes, key=lambda c: c.rank, default=Class.COSMETIC)


_B, _R, _U, _A, _C = Class.BREAKING, Class.RISKY, Class.UNKNOWN, Class.ADDITIVE, Class.COSMETIC

KINDS: Final[dict[str, tuple[Class, Class]]] = {
    # kind of change              in an input  in an output
    "tool_removed": (_B, _B),
    "prompt_removed": (_B, _B),
    "template_removed": (_B, _B),
    "resource_removed": (_R, _R),
    "tool_added": (_A, _A),
    "prompt_added": (_A, _A),
    "template_added": (_A, _A),
    "resource_added": (_A, _A),
    "required_added": (_B, _A),
    "required_removed": (_A, _B),
    "property_added": (_A, _A),
    "property_removed": (_R, _B),
    "property_forbidden": (_B, _B),
    "property_unclear": (_U, _U),
    "type_narrowed": (_B, _A),
    "type_widened": (_A, _B),
    "type_changed": (_B, _B),
    "enum_value_removed": (_B, _A),
    "enum_value_added": (_A, _B),
    "values_limited": (_B, _A),
    "values_freed": (_A, _B),
    "bound_tightened": (_B, _A),
    "bound_loosened": (_A, _B),
    "constraint_added": (_B, _A),
    "constraint_removed": (_A, _B),
    "constraint_changed": (_U, _U),
    "additional_closed": (_B, _A),
    "additional_opened": (_A, _B),
    "schema_forbids_all": (_B, _B),
    "schema_allows_all": (_A, _B),
    "output_schema_added": (_A, _A),
    "output_schema_removed": (_B, _B),
    "reference_changed": (_U, _U),
    "definition_changed": (_U, _U),
    "combinator_changed": (_U, _U),
    "keyword_changed": (_U, _U),
    "schema_unreadable": (_U, _U),
    "deprecated_changed": (_R, _R),
    "default_changed": (_R, _R),
    "description_changed": (_R, _R),
    "hint_changed": (_R, _R),
    "hint_stated": (_C, _C),
    "title_changed": (_C, _C),
    "examples_changed": (_C, _C),
    "comment_changed": (_C, _C),
    "icons_changed": (_C, _C),
    "argument_removed": (_R, _R),
    "argument_added": (_A, _A),
    "argument_required": (_B, _B),
    "argument_optional": (_A, _A),
    "mime_type_changed": (_R, _R),
    "name_changed": (_C, _C),
    "field_changed": (_U, _U),
    "item_changed": (_U, _U),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference within an item. `path` is a JSON pointer into the item, `detail` the name or value it is about."""

    path: str
    kind: str
    cls: Class
    detail: str = ""


def change(path: str, kind: str, side: Side = Side.INPUT, detail: str = "") -> Change:
    """A change of the table."""
    return Change(path, kind, KINDS[kind][side is Side.OUTPUT], detail)
