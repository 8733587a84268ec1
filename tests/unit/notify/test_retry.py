from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.notify.retry import FIRST_S, LONGEST_S, Answer, backoff, next_wait, retry_after


@given(st.integers(-5, 10**6), st.floats(0, 1), st.one_of(st.none(), st.integers(0, 86_400)))
def test_a_wait_is_within_its_bounds(attempt: int, chance: float, asked: int | None) -> None:
    wait = backoff(attempt, chance, asked)
    assert max(1, asked or 0) <= wait <= max(LONGEST_S, asked or 0)


@given(st.integers(1, 1000), st.floats(0, 1), st.one_of(st.none(), st.integers(0, 86_400)), st.integers(-100, 86_400))
def test_the_last_attempt_is_at_the_end_of_the_day_and_none_before_its_time(
    attempt: int, chance: float, asked: int | None, left_s: int
) -> None:
    wait = next_wait(attempt, chance, asked, left_s)
    assert (wait is None) == (left_s <= 0 or (asked or 0) > left_s)
    if wait is not None:
        assert max(1, asked or 0) <= wait <= left_s
        assert wait in (left_s, backoff(attempt, chance, asked))


def test_the_longest_wait_doubles_until_a_quarter_of_an_hour() -> None:
    assert [backoff(n, 1.0) for n in range(1, 10)] == [5, 10, 20, 40, 80, 160, 320, 640, 900]
    assert backoff(1, 0.0) == 1
    assert FIRST_S == 5


def test_retry_after_is_honoured() -> None:
    assert backoff(1, 0.5, 60) == 60
    assert backoff(8, 1.0, 60) == 640
    assert backoff(1, 0.5, 50_000) == 50_000


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("9" * 5000, 86_400),
        ("-1", None),
        ("1.5", None),
        ("٧", None),
        ("soon", None),
        ("", None),
        (formatdate(1060, usegmt=True), 60),
        ("Thu, 01 Jan 1970 00:17:40 -0000", 60),
        (formatdate(940, usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 99 Dec 2026 23:59:59 GMT", None),
        ("x" * 100_000, None),
    ],
)
def test_retry_after_as_receivers_write_it(header: str, seconds: int | None) -> None:
    assert retry_after(header, 1000.0) == seconds


@given(st.text(max_size=60))
def test_no_header_raises(header: str) -> None:
    assert retry_after(header, 1000.0) is None or 0 <= (retry_after(header, 1000.0) or 0) <= 86_400


@pytest.mark.parametrize(
    ("answer", "delivered", "retryable", "said"),
    [
        (Answer(204), True, False, "HTTP 204"),
        (Answer(199), False, False, "HTTP 199"),
        (Answer(302, "x"), False, False, "HTTP 302 x"),
        (Answer(404, "no_service"), False, False, "HTTP 404 no_service"),
        (Answer(429, "", 5), False, True, "HTTP 429"),
        (Answer(503, "busy"), False, True, "HTTP 503 busy"),
        (Answer(None, "no connection"), False, True, "no connection"),
        (Answer(None, "private", final=True), False, False, "private"),
    ],
)
def test_answers(answer: Answer, delivered: bool, retryable: bool, said: str) -> None:
    assert (answer.delivered, answer.retryable, str(answer)) == (delivered, retryable, said)
