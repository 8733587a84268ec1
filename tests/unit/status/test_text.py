from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.status import text


@given(st.text())
def test_clean_text_is_one_line_short_encodable_and_stable(raw: str) -> None:
    safe = text.clean(raw, 50)
    assert len(safe) <= 50
    assert safe.isprintable() or not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in safe)
    safe.encode()
    assert text.clean(safe, 50) == safe


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("a\r\nb\tc", "a b c"),
        ("null\x00 bell\x07", "null bell"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("iso\u2066late\u2069d", "isolated"),
        ("half\ud800 a pair", "half a pair"),
        ("שלום", "שלום"),
        ("x" * 500, "x" * 399 + "…"),
    ],
)
def test_clean(raw: str, safe: str) -> None:
    assert text.clean(raw) == safe


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (45, "45 s"),
        (60, "1 m"),
        (842, "14 m 02 s"),
        (11_100, "3 h 05 m"),
        (23 * 86400 + 4 * 3600 + 59, "23 d 4 h"),
        (400 * 86400 + 4000, "400 d"),
    ],
)
def test_duration(seconds: int, words: str) -> None:
    assert text.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-10, "just now"),
        (4, "just now"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7199, "1 h ago"),
        (86400, "1 day ago"),
        (172800, "2 days ago"),
    ],
)
def test_ago(seconds: int, words: str) -> None:
    assert text.ago(1_000_000, 1_000_000 + seconds) == words


def test_moments() -> None:
    assert text.rfc3339(1_787_409_247) == "2026-08-22T14:34:07Z"
    assert text.moment(1_787_409_247) == "22 Aug 2026, 14:34 UTC"
    assert text.day_name("2026-01-02") == "2 Jan 2026"


def test_lists_and_ratios() -> None:
    assert [text.listed([]), text.listed("a"), text.listed("ab"), text.listed("abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert text.ratio(None) is None
    assert text.ratio(Fraction(999_999, 1_000_000)) == 0.999999
    assert text.plural(1, "server") == "1 server"
    assert text.plural(0, "entry", "entries") == "0 entries"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://mcp.acme.dev/mcp", "https://mcp.acme.dev/mcp"),
        ("https://user:secret@mcp.acme.dev:8443/mcp?key=secret#secret", "https://mcp.acme.dev:8443/mcp"),
        ("http://[::1]:9000/mcp", "http://[::1]:9000/mcp"),
        ("https://[broken/mcp", ""),
        ("https://host:notaport/mcp", ""),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert text.public_url(url) == shown
