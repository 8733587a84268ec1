from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.credentials.expiry import TOKEN_LIMIT, earliest, jwt_expiry, whole_seconds


def jwt(claims: Any) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}.c2ln"


@pytest.mark.parametrize(
    ("token", "moment"),
    [
        (jwt({"exp": 1_801_396_800}), 1_801_396_800),
        (jwt({"exp": 1_801_396_800.9}), 1_801_396_800),
        (jwt({"exp": "1801396800"}), None),
        (jwt({"exp": True}), None),
        (jwt({"exp": -1}), None),
        (jwt({"exp": 1e300}), None),
        (jwt({}), None),
        (jwt([1]), None),
        (jwt({"exp": 5, "x": "y" * TOKEN_LIMIT}), None),
        ("a.b.c", None),
        ("a.b", None),
        ("", None),
        ("x." + "[" * 8000 + ".y", None),
        ("x." + base64.urlsafe_b64encode(b"[" * 6000).decode() + ".y", None),
        ("x." + base64.urlsafe_b64encode(b'{"exp": NaN}').decode() + ".y", None),
        ("x.é.y", None),
    ],
)
def test_exp(token: str, moment: int | None) -> None:
    assert jwt_expiry(token) == moment


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    assert jwt_expiry(text) is None or "." in text


@given(st.one_of(st.floats(), st.integers(), st.booleans(), st.text(), st.none()))
def test_seconds_are_whole_and_of_this_calendar(value: object) -> None:
    seconds = whole_seconds(value)
    assert seconds is None or (0 <= seconds <= 253_402_300_799 and type(seconds) is int)


def test_the_earliest_counts() -> None:
    assert earliest([None, 5, 3]) == 3
    assert earliest([None]) is None
