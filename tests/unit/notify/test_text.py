from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.notify.text import DISCORD, HTML, PLAIN, SLACK, ascii_line, code, cut_bytes, escaped, one_line

from tests.contract.notify.sample import EVIL


@pytest.mark.parametrize("limit", range(2, 40))
def test_a_cut_never_goes_through_an_escape(limit: int) -> None:
    made = escaped("a&b<c>" * 10, limit, SLACK)
    assert len(made) <= limit
    assert re.fullmatch(r"(?:[abc]|&amp;|&lt;|&gt;)*…", made)


def test_what_fits_is_whole() -> None:
    assert escaped("a&b", 7, HTML) == "a&amp;b"
    assert escaped("a&b", 6, HTML) == "a…"
    assert one_line("abc", 3) == "abc"
    assert one_line("", 3) == ""


def test_nothing_is_lost_but_what_cannot_be_seen() -> None:
    assert one_line(" a\n\tb \u202e\x07c\ud800 ", 100) == "a b c"
    assert len(escaped(EVIL, 1000, DISCORD)) <= 1000


@settings(deadline=None)
@given(st.text(), st.integers(1, 60), st.sampled_from([PLAIN, HTML, SLACK, DISCORD]))
def test_every_text_becomes_one_printable_line_within_its_limit(text: str, limit: int, escapes: dict[str, str]) -> None:
    made = escaped(text, limit, escapes)
    assert len(made) <= limit
    assert "\n" not in made
    assert all(char.isprintable() or char == "\xa0" for char in made)
    if not escapes:
        assert escaped(made, limit) == made


def test_discord_escapes_every_punctuation_mark() -> None:
    assert escaped(string.punctuation, 100, DISCORD) == "".join(f"\\{char}" for char in string.punctuation)


def test_a_code_span_cannot_be_ended_from_within_and_is_never_empty() -> None:
    assert code("a`b``", 10) == "a'b''"
    assert code("\x00", 10) == "-"


@settings(deadline=None)
@given(st.text(), st.integers(3, 40))
def test_bytes_are_cut_between_characters(text: str, limit: int) -> None:
    made = cut_bytes(text, limit)
    assert len(made.encode()) <= limit
    assert made.removesuffix("…") in text.encode("utf-8", "replace").decode()


def test_ascii_for_media_that_know_nothing_else() -> None:
    assert ascii_line("🔴 Zürich — down\r\nBcc: x", 40) == "? Zurich - down Bcc: x"
    assert re.fullmatch(r"[\x20-\x7e]{1,100}", ascii_line(EVIL, 100))
