"""A server's own words, made safe to keep and to show: bounded, printable, without our secrets."""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import quote as percent
from urllib.parse import quote_plus, unquote_plus

from lookout.probe.result import MESSAGE_LIMIT

MASK: Final = "[secret]"
_SHORT: Final = 4
"""A secret of fewer characters is masked where it stands alone only: it would be found in every other word."""
_CUT: Final = 6
"""Characters of a secret that are taken for it where a text was cut in its midst."""
_LAYERS: Final = 4
"""How often escapes are undone in search of a secret: a URL in a URL in a JSON text."""
_ESCAPED: Final = re.compile(r"%[0-9A-Fa-f]{2}|&[#A-Za-z]|\\")
_BACKSLASH: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_SPACE: Final = re.compile(r"(\s+)")
T = TypeVar("T")


def quote(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """One line of printable text: what is no printable character (terminal escapes, RTL marks) becomes a space."""
    cut = text[: limit * 4]
    clean = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp") else c for c in cut)
    line = " ".join(clean.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def mask(text: str, secrets: Iterable[str]) -> str:
    """Every secret replaced, in whatever case: as it is, or as a URL, JSON, HTML, Base64 or hexadecimal has it.

    Escapes within escapes are undone to look for it; then the whole word is replaced. Also replaced is the beginning
    of one where the text ends in its midst, or was cut there (`…`).
    """
    masker = _masker(tuple(secrets))
    return masker.mask(text) if masker is not None else text


def masked(value: T, secrets: Iterable[str]) -> T:
    """`mask` for all text in a value of mappings (keys too), lists, tuples and dataclasses; same type, same shape."""
    masker = _masker(tuple(secrets))
    return _walk(value, masker) if masker is not None else value


def _walk(value: Any, masker: _Masker) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return masker.mask(value)
    if isinstance(value, Mapping):
        return {_walk(key, masker): _walk(item, masker) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(_walk(item, masker) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: _walk(getattr(value, f.name), masker) for f in dataclasses.fields(value) if f.init}
        return dataclasses.replace(value, **parts)
    return value


@dataclasses.dataclass(frozen=True, slots=True)
class _Masker:
    """`forms` are in lower case, the longest first; `heads` their beginnings: where none is, there is no secret.

    `parts` are the secrets as they are, in lower case.
    """

    pattern: re.Pattern[str]
    forms: tuple[str, ...]
    heads: tuple[str, ...]
    parts: tuple[str, ...]

    def mask(self, text: str) -> str:
        low = text.lower()
        if any(head in low for head in self.heads):
            text = "…".join(map(self._without_beginning, self.pattern.sub(MASK, text).split("…")))
        if ("%" in text or "&" in text or "\\" in text) and self._hides(text):
            words = _SPACE.split(text)
            text = "".join(MASK if self._hides(word) else word for word in words)
            return MASK if self._hides(text) else text
        return text

    def _hides(self, text: str) -> bool:
        """Is a secret in what `text` is when its escapes are undone, several times over?"""
        for _ in range(_LAYERS):
            if not _ESCAPED.search(text):
                return False
            text = unquote_plus(html.unescape(_BACKSLASH.sub(_unescape, text)))
            low = text.lower()
            if any(part in low for part in self.parts):
                return True
        return False

    def _without_beginning(self, text: str) -> str:
        body = text.rstrip(". \"'")
        low = body.lower()
        for form in self.forms:
            for length in range(min(len(form) - 1, len(low)), _CUT - 1, -1):
                if low.endswith(form[:length]):
                    return body[:-length] + MASK + text[len(body) :]
        return text


def _unescape(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]


@lru_cache(maxsize=256)
def _masker(secrets: tuple[str, ...]) -> _Masker | None:
    forms, alone, long = dict[str, None](), dict[str, None](), dict[str, None]()
    for part in (part for secret in secrets for part in _parts(secret)):
        if len(part) < _SHORT:
            alone[part] = None
        else:
            long[part] = None
            forms.update(dict.fromkeys(_forms(part)))
    if not forms and not alone:
        return None
    longest = sorted(forms, key=len, reverse=True)
    patterns = [re.escape(form) for form in longest]
    patterns += [rf"(?<![A-Za-z0-9]){re.escape(part)}(?![A-Za-z0-9])" for part in alone]
    pattern = re.compile("|".join(patterns), re.IGNORECASE)
    lower = tuple(form.lower() for form in longest)
    heads = dict.fromkeys((*(form[:_CUT] for form in lower), *(part.lower() for part in alone)))
    return _Masker(pattern, lower, tuple(heads), tuple(part.lower() for part in long))


def _parts(secret: str) -> Iterator[str]:
    """A secret, without its scheme (`Bearer x`), and line by line (a PEM key)."""
    yield from (secret.strip(),) if secret.strip() else ()
    scheme, _, rest = secret.strip().partition(" ")
    if scheme.lower() in ("bearer", "basic", "token") and rest.strip():
        yield rest.strip()
    lines = secret.split("\n")
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= 16 and not line.startswith("-----"))


def _forms(secret: str) -> Iterator[str]:
    """How it may be written."""
    data = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield percent(data, safe="")
    yield percent(data)
    yield quote_plus(data)
    yield "".join(f"%{byte:02x}" for byte in data)
    for ascii_only in (True, False):
        written = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield from (written, written.replace("/", "\\/"), json.dumps(written)[1:-1])
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    yield repr(secret)[1:-1]
    yield data.hex()
    for before in range(3):  # inside something longer, Base64 has it in one of three alignments
        written = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        inner = written[(0, 2, 3)[before] : len(written) - (1 if (before + len(data)) % 3 else 0)]
        if len(inner) >= _SHORT:
            yield from (inner, inner.replace("+", "-").replace("/", "_"))
