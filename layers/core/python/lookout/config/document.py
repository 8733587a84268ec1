"""YAML text -> plain values and where each of them stands. Nothing but the safe core of YAML is read.

Refused: anchors and aliases (a few lines of them expand to gigabytes), tags beyond the core schema, keys that stand
twice, nesting deeper than any lookout.yaml needs, and files over 1 MiB.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from lookout.errors import ConfigError, Problem

SIZE_LIMIT: Final = 1024 * 1024
DEPTH_LIMIT: Final = 20
Path = tuple[str | int, ...]

_CORE: Final = "tag:yaml.org,2002:"
_HINTS: Final = {
    "mapping values are not allowed here": "check the indentation, and quote text that contains ': '",
    "found character '\\t' that cannot start any token": "indent with spaces, not with tabs",
    "expected a single document in the stream": "one file holds one document: remove the line ---",
}


class _Loader(yaml.SafeLoader):
    """A SafeLoader that refuses what could grow, while it reads: nothing is expanded first."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            message = "anchors and aliases (& and *) are not supported: repeat the value"
            raise yaml.MarkedYAMLError(problem=message, problem_mark=event.start_mark)
        if self.depth > DEPTH_LIMIT:
            raise yaml.MarkedYAMLError(problem="is nested too deeply", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class Document:
    """A parsed file: `value` and, for every path into it, line and column (from 1) and a scalar's own words."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self._marks: dict[Path, yaml.Mark] = {}
        self._words: dict[Path, str] = {}
        if len(text.encode("utf-8", "surrogatepass")) > SIZE_LIMIT:
            raise ConfigError([Problem(file, 0, 0, "", "is larger than 1 MiB")])
        try:
            self._loader = _Loader(text)
            node = self._loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            said = error.problem or "it ends too early"
            hint = next((f": {hint}" for start, hint in _HINTS.items() if start in f"{said} {error.context}"), "")
            raise self._error(error.problem_mark, (), f"is not YAML Lookout reads: {said}{hint}") from None
        except yaml.reader.ReaderError as error:
            before = text[: error.position].split("\n")
            message = f"the character U+{error.character:04X} must not stand in a file: remove it"
            raise ConfigError([Problem(file, len(before), len(before[-1]) + 1, "", message)]) from None
        self.value: Any = self._read(node, ()) if node is not None else {}

    def problem(self, path: Path, message: str) -> Problem:
        """A problem at `path`, or at the nearest thing around it that stands in the file."""
        place = path
        while place and place not in self._marks:
            place = place[:-1]
        mark = self._marks.get(place)
        return Problem(self.file, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0, dotted(path), message)

    def words(self, path: Path) -> str | None:
        """A scalar as it is written; None for a list, a mapping or nothing."""
        return self._words.get(path)

    def _error(self, mark: yaml.Mark | None, path: Path, message: str) -> ConfigError:
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        return ConfigError([Problem(self.file, line, column, dotted(path), message)])

    def _read(self, node: yaml.Node, path: Path) -> Any:
        self._marks.setdefault(path, node.start_mark)
        if isinstance(node, yaml.MappingNode) and node.tag == _CORE + "map":
            out: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
                if key is None:
                    raise self._error(key_node.start_mark, path, "a key must be plain text")
                if key in out:
                    raise self._error(key_node.start_mark, (*path, key), "stands twice: remove one of them")
                self._marks[(*path, key)] = key_node.start_mark
                out[key] = self._read(value_node, (*path, key))
            return out
        if isinstance(node, yaml.SequenceNode) and node.tag == _CORE + "seq":
            return [self._read(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag.removeprefix(_CORE) in _SCALARS:
            self._words[path] = node.value
            return self._scalar(node, path)
        tag = node.tag.replace(_CORE, "!!")
        raise self._error(node.start_mark, path, f"the tag {tag} is not supported: remove it, or quote the text")

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        kind = node.tag.removeprefix(_CORE)
        if kind in ("str", "timestamp", "value", "merge") or (kind == "int" and ":" in node.value):
            return node.value  # 22:30 is no number here: YAML 1.1 reads it to the base of 60
        if kind == "null":
            return None
        try:
            return self._loader.construct_object(node)
        except (ValueError, KeyError, IndexError):  # `!!int x`, `!!bool x`, `!!int ""`, or 5,000 digits
            raise self._error(
                node.start_mark, path, f"is not what its tag or form says ({kind}): remove the tag, or quote it"
            ) from None


_SCALARS: Final = frozenset({"str", "timestamp", "value", "merge", "null", "bool", "int", "float"})


def dotted(path: Path) -> str:
    """`servers[2].url`; what a terminal would act on is left out."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return "".join(c if c.isprintable() else "·" for c in text)
