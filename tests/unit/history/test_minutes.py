from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lookout.history.minutes import by_server, counted, fails, tallies
from lookout.history.slo import WINDOWS_S
from lookout.history.uptime import Tally, tally

CODES = st.text("ugadcw?UGADCm.xé", max_size=200)
HOUR = 1_787_407_200


@given(CODES)
def test_a_text_is_counted_as_its_codes_are(codes: str) -> None:
    assert counted(codes) == tally(codes)
    assert fails(codes) == (tally(codes).fail > 0)


@given(CODES, st.sets(st.integers(1, 250)))
def test_a_window_is_its_last_minutes_or_is_not_known(codes: str, minutes: set[int]) -> None:
    found = tallies(codes, [60 * one for one in minutes])
    assert found == {60 * one: tally(codes[len(codes) - one :]) for one in minutes if one <= len(codes)}


def test_the_windows_of_the_rules() -> None:
    found = tallies("d" * 60 + "u" * 300, WINDOWS_S)
    assert found == {300: Tally(5), 1800: Tally(30), 3600: Tally(60), 21600: Tally(300, 60)}


def test_verdicts_by_minute_become_a_text_for_each_server() -> None:
    verdicts = {HOUR: {"a": "u", "b": "d"}, HOUR + 120: {"a": "later", "b": ""}, HOUR + 300: {"c": "u"}}
    assert by_server(verdicts, HOUR, HOUR + 240) == {"a": "u.l.", "b": "d..."}
    assert by_server({}, HOUR, HOUR + 240) == {}
