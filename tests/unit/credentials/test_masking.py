"""No form of a secret survives `mask`, wherever it stands; and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
import string
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.probe.quoting import mask, masked, quote
from lookout.probe.result import Finding, ProbeResult, Reason, Status

CANARY = "cAnary-Zk93/+=é\"<&'7"
WRITTEN: dict[str, Callable[[str], str]] = {
    "itself": str,
    "upper": str.upper,
    "lower": str.lower,
    "bearer": lambda s: f"Bearer {s}",
    "url": lambda s: urllib.parse.quote(s, safe=""),
    "url_path": urllib.parse.quote,
    "url_lower": lambda s: urllib.parse.quote(s, safe="").lower(),
    "url_all": lambda s: "".join(f"%{b:02X}" for b in s.encode()),
    "form": urllib.parse.quote_plus,
    "json": json.dumps,
    "json_utf8": lambda s: json.dumps(s, ensure_ascii=False),
    "json_slash": lambda s: json.dumps(s).replace("/", "\\/"),
    "json_in_json": lambda s: json.dumps(json.dumps(s)),
    "repr": repr,
    "html": html.escape,
    "hex": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64_url": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "basic": lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
    "base64_inside": lambda s: base64.b64encode(f"ab{s}cd".encode()).decode(),
}


def traces(secret: str) -> set[str]:
    """Pieces no masked text may hold: eight characters of any way to write it, in lower case."""
    forms = {write(secret) for write in WRITTEN.values()} - {base64.b64encode(f"user:{secret}".encode()).decode()}
    middles = [form.lower()[4:-4] for form in forms]
    return {middle[i : i + 8] for middle in middles for i in range(max(0, len(middle) - 7))}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("around", ["{}", "before {} after", '{{"a":"{}"}}', "x={}&y", "https://h/?{}#"])
def test_every_way_to_write_it_is_masked(how: str, around: str) -> None:
    text = mask(around.format(WRITTEN[how](CANARY)), [CANARY])
    assert "[secret]" in text
    assert not [trace for trace in traces(CANARY) if trace in text.lower()]


TOKENS = st.text(string.ascii_letters + string.digits + "-._~+/=", min_size=8, max_size=60)
AROUND = st.text(string.ascii_letters + string.digits + " :", max_size=9)


@given(TOKENS, AROUND, AROUND)
def test_base64_of_anything_around_a_secret_is_masked(secret: str, before: str, after: str) -> None:
    written = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
    left = mask(written, [secret]).split("[secret]")
    assert len(left) > 1
    for piece in left:
        padded = base64.b64decode(piece[: len(piece) // 4 * 4])
        assert secret[1:-1].encode() not in padded


@given(TOKENS, st.text(max_size=30), st.text(max_size=30))
def test_a_secret_is_masked_wherever_it_stands(secret: str, before: str, after: str) -> None:
    assert secret.lower() not in mask(before + secret + after, [secret]).lower().replace("[secret]", "")


@given(st.text(max_size=50))
def test_without_secrets_nothing_changes(text: str) -> None:
    assert mask(text, []) == mask(text, ["", "  "]) == text


def test_what_is_no_secret_is_left_alone() -> None:
    text = "HTTP 500 from the origin: canal, cane and canon…"
    assert mask(text, [CANARY, "hunter2-hunter2"]) == text


@pytest.mark.parametrize("kept", range(6, 18))
@pytest.mark.parametrize("end", ["", "…", '"', "... ", "… (HTTP 500)"])
def test_a_secret_that_was_cut_is_masked_too(kept: int, end: str) -> None:
    secret = "abcdef-0123456789-token"
    assert mask(f"no such token: {secret[:kept]}{end}", [secret]) == f"no such token: [secret]{end}"


def test_cutting_first_and_masking_then_leaks_nothing() -> None:
    secret = "abcdef-0123456789-token"
    for padding in range(80, 101):
        text = mask(quote("x" * padding + secret, 100), [secret])
        assert "abcdef" not in text


def test_a_short_secret_is_masked_where_it_stands_alone() -> None:
    assert mask("key=k9 (K9) ak9 k91", ["k9"]) == "key=[secret] ([secret]) ak9 k91"


def test_a_scheme_is_kept_and_a_key_masked_line_by_line() -> None:
    assert mask("no: Bearer tok-12345", ["Bearer tok-12345"]) == "no: [secret]"
    assert mask("no: tok-12345", ["Bearer tok-12345"]) == "no: [secret]"
    key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA01\nabcdabcdabcdabcdabcd\n-----END PRIVATE KEY-----"
    assert mask("line abcdabcdabcdabcdabcd of BEGIN PRIVATE KEY", [key]) == "line [secret] of BEGIN PRIVATE KEY"


@dataclass(frozen=True)
class Deep:
    texts: tuple[str, ...]
    table: dict[str, list[object]] = field(default_factory=dict)


def test_everything_in_a_value_is_masked_and_its_shape_kept() -> None:
    secret = "hunter2-hunter2"
    value = Deep((secret, "fine"), {secret: [1, None, True, {"x": f"a {secret}"}, {secret}]})
    assert masked(value, [secret]) == Deep(
        ("[secret]", "fine"), {"[secret]": [1, None, True, {"x": "a [secret]"}, {"[secret]"}]}
    )
    result = ProbeResult(
        "a", Status.DOWN, 7, reason=Reason.HTTP_5XX, message=secret, findings=(Finding("R", "error", secret),)
    )
    safe = masked(result, [secret])
    assert (safe.message, safe.findings[0].message) == ("[secret]", "[secret]")
    assert (safe.status, safe.reason, safe.at_ms) == (Status.DOWN, Reason.HTTP_5XX, 7)
    assert masked(result, []) is result
