"""The calendar of maintenance against the slow reference, across every kind of change of clocks."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lookout.config.model import Server
from lookout.config.recurrence import Recurrence, rule_problem
from lookout.config.window import Window
from lookout.history.uptime import Counting, Maintenance
from lookout.verdict.maintenance import Calendar, ended, occurrences, over_at, stamped

from tests.reference import maintenance as reference

CHANGES = (
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("UTC", "2028-02-29"),
)
"""Where and when clocks change: by an hour, or by half of one."""
DAYS = st.sampled_from(reference.DAYS)


def numbers(low: int, high: int, most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(st.integers(low, high), min_size=1, max_size=most, unique=True).map(lambda v: ",".join(map(str, v)))


def from_end(high: int) -> st.SearchStrategy[str]:
    one = st.one_of(st.integers(1, high), st.integers(-high, -1))
    return st.lists(one, min_size=1, max_size=3, unique=True).map(lambda v: ",".join(map(str, v)))


PARTS = {
    "BYMONTH": numbers(1, 12, 6),
    "BYMONTHDAY": from_end(31),
    "BYYEARDAY": from_end(366),
    "BYWEEKNO": from_end(53),
    "BYHOUR": numbers(0, 4),
    "BYMINUTE": numbers(0, 59, 2),
    "BYDAY": st.lists(DAYS, min_size=1, max_size=4, unique=True).map(",".join),
}
MAY_HAVE = {
    "HOURLY": ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYHOUR", "BYMINUTE", "BYDAY"),
    "DAILY": ("BYMONTH", "BYMONTHDAY", "BYHOUR", "BYMINUTE", "BYDAY"),
    "WEEKLY": ("BYMONTH", "BYHOUR", "BYMINUTE", "BYDAY"),
    "MONTHLY": ("BYMONTH", "BYMONTHDAY", "BYHOUR", "BYMINUTE", "BYDAY"),
    "YEARLY": ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYHOUR", "BYMINUTE", "BYDAY"),
}


@st.composite
def rules(draw: st.DrawFn, change: datetime) -> str:
    frequency = draw(st.sampled_from(list(MAY_HAVE)))
    parts = {"FREQ": frequency}
    keys = draw(st.lists(st.sampled_from(MAY_HAVE[frequency]), max_size=3, unique=True))
    for key in keys:
        parts[key] = draw(PARTS[key])
    if frequency in ("MONTHLY", "YEARLY") and "BYWEEKNO" not in parts and draw(st.booleans()):
        which = st.sampled_from(("1", "-1", "2", "+4", "-5"))
        parts["BYDAY"] = ",".join(
            draw(st.lists(st.tuples(which, DAYS).map("".join), min_size=1, max_size=3, unique=True))
        )
    chosen = {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"} & parts.keys()
    if frequency in ("MONTHLY", "YEARLY") and chosen and draw(st.booleans()):
        parts["BYSETPOS"] = draw(from_end(4))
    if "BYWEEKNO" not in parts:
        if draw(st.booleans()):
            parts["INTERVAL"] = str(draw(st.integers(1, 5)))
        if frequency == "WEEKLY" and draw(st.booleans()):
            parts["WKST"] = draw(DAYS)
    end = draw(st.sampled_from((None, None, "COUNT", "DAY", "LOCAL", "UTC")))
    moment = change + timedelta(minutes=draw(st.integers(-3000, 3000)))
    if end == "COUNT":
        parts["COUNT"] = str(draw(st.integers(1, 60)))
    elif end is not None:
        form = {"DAY": "%Y%m%d", "LOCAL": "%Y%m%dT%H%M00", "UTC": "%Y%m%dT%H%M00Z"}[end]
        parts["UNTIL"] = moment.strftime(form)
    return ";".join(f"{key}={value}" for key, value in parts.items())


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, datetime, datetime]:
    zone, day = draw(st.sampled_from(CHANGES))
    change = datetime.fromisoformat(day)
    start = change - timedelta(days=draw(st.integers(0, 40)), minutes=draw(st.integers(0, 1439)))
    return draw(rules(change)), zone, start, change


@settings(max_examples=150, deadline=None)
@given(cases())
@example(("FREQ=DAILY", "Europe/Berlin", datetime(2026, 3, 27, 2, 30), datetime(2026, 3, 29)))
@example(("FREQ=DAILY;BYHOUR=2;BYMINUTE=15", "Australia/Lord_Howe", datetime(2026, 10, 1), datetime(2026, 10, 4)))
@example(("FREQ=HOURLY;INTERVAL=5", "America/New_York", datetime(2026, 10, 30, 7, 20), datetime(2026, 11, 1)))
@example(("FREQ=YEARLY;BYWEEKNO=-1,10", "UTC", datetime(2028, 2, 1, 3), datetime(2028, 2, 29)))
def test_a_rule_names_what_the_wall_clock_shows(case: tuple[str, str, datetime, datetime]) -> None:
    text, zone, start, change = case
    last_day = (change + timedelta(days=8)).date()
    wanted = reference.begins(text, start, last_day, ZoneInfo(zone))
    for back in (60, 3):
        since, until = (int((change + timedelta(days=d)).replace(tzinfo=UTC).timestamp()) for d in (-back, 6))
        found = Recurrence.parse(text, start).begins(since, until, zone)
        assert found == [at for at in wanted if since <= at < until]


# --- which rules are taken ---

START = datetime(2026, 3, 1, 3, 0)


@pytest.mark.parametrize(
    ("rule", "start", "said"),
    [
        ("FREQ=SECONDLY", START, "needs FREQ, one of HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("FREQ=MINUTELY", START, "needs FREQ, one of HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("BYDAY=SU", START, "needs FREQ, one of"),
        ("RRULE:FREQ=DAILY", START, "has the part 'RRULE:FREQ=DAILY': write KEY=VALUE;KEY=VALUE, of FREQ, UNTIL"),
        ("FREQ=DAILY;BYSECOND=1", START, "has the part 'BYSECOND=1'"),
        ("FREQ=DAILY;", START, "has the part ''"),
        ("FREQ=DAILY;BYEASTER=1", START, "has the part 'BYEASTER=1'"),
        ("FREQ=DAILY;BYHOUR=1;BYHOUR=2", START, "says BYHOUR twice: write BYHOUR=A,B, or remove one"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", START, "has COUNT and UNTIL: remove one of them"),
        ("FREQ=WEEKLY;WKST=XX", START, "needs for WKST one of MO, TU"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", START, "has BYMONTHDAY, which belongs to FREQ=HOURLY or DAILY or MONTHLY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", START, "has BYWEEKNO, which belongs to FREQ=YEARLY"),
        ("FREQ=MONTHLY;BYSETPOS=1", START, "has BYSETPOS, and nothing to choose from: add BYDAY or another"),
        ("FREQ=DAILY;INTERVAL=0", START, "needs for INTERVAL 1 to 400"),
        ("FREQ=DAILY;INTERVAL=1,2", START, "needs for INTERVAL a number"),
        ("FREQ=DAILY;BYHOUR=x", START, "needs for BYHOUR numbers, separated by commas"),
        ("FREQ=DAILY;BYHOUR=24", START, "needs for BYHOUR 0 to 23"),
        ("FREQ=DAILY;BYHOUR=-1", START, "needs for BYHOUR 0 to 23"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", START, "needs for BYMONTHDAY 1 to 31 (or -1 and so on, from the end)"),
        ("FREQ=DAILY;COUNT=1001", START, "needs for COUNT 1 to 1000"),
        ("FREQ=WEEKLY;BYDAY=SO", START, "needs for BYDAY days such as SU or, of a month, 1SU or -1FR; of MO, TU"),
        ("FREQ=WEEKLY;BYDAY=1SU", START, "has 1SU: a numbered day belongs to FREQ=MONTHLY or YEARLY"),
        ("FREQ=MONTHLY;BYDAY=0SU", START, "has 0SU: a numbered day"),
        ("FREQ=MONTHLY;BYDAY=1SU,MO", START, "mixes numbered days and others in BYDAY: make two windows of it"),
        ("FREQ=DAILY;UNTIL=soon", START, "needs for UNTIL a day such as 20271231, or a time"),
        ("FREQ=DAILY;UNTIL=20270230", START, "needs for UNTIL a day such as 20271231, or a time"),
        ("FREQ=HOURLY;BYMINUTE=0,20,40", START, "occurs more than 48 times a day: name fewer hours or minutes"),
        ("FREQ=DAILY;" + "BYHOUR=" + ",".join(["1"] * 100), START, "has 217 characters; at most 200 are allowed"),
        ("FREQ=DAILY;INTERVAL=2;BYHOUR=3", None, "counts from a beginning (INTERVAL, COUNT): add start:"),
        ("FREQ=DAILY;COUNT=2;BYHOUR=3", None, "counts from a beginning (INTERVAL, COUNT): add start:"),
        ("FREQ=DAILY", None, "does not say at which time: add BYHOUR=3 (and BYMINUTE), or start:"),
        ("FREQ=WEEKLY;BYHOUR=3", None, "does not say on which day: add BYDAY=SU, or start:"),
        ("FREQ=MONTHLY;BYHOUR=3", None, "does not say on which day: add BYDAY=1SU or BYMONTHDAY=1, or start:"),
        ("FREQ=YEARLY;BYMONTHDAY=1;BYHOUR=3", None, "does not say which month: add BYMONTH=1, or start:"),
        ("FREQ=YEARLY;BYMONTH=1;BYHOUR=3", None, "does not say on which day: add BYDAY=1SU or BYMONTHDAY=1, or start"),
        ("FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2", START, "names no moment in the 10 years from its start"),
        ("FREQ=HOURLY;INTERVAL=2;BYHOUR=4", START, "names no moment in the 10 years from its start"),
        ("FREQ=DAILY;COUNT=3;BYMONTHDAY=30;BYMONTH=2", START, "names no moment in the 10 years from its start"),
        ("FREQ=DAILY;UNTIL=20260101", START, "names no moment in the 10 years from its start"),
        ("FREQ=DAILY;UNTIL=20260101T000000Z", START, "names no moment in the 10 years from its start"),
        ("FREQ=HOURLY", START, "comes again after 60 minutes, and a window lasts 60: make it shorter"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_what_mends_it(
    rule: str, start: datetime | None, said: str
) -> None:
    assert (rule_problem(rule, start, 3600) or "").startswith(said)


@pytest.mark.parametrize(
    ("rule", "start"),
    [
        ("FREQ=WEEKLY;BYDAY=SU;BYHOUR=3", None),
        ("FREQ=MONTHLY;BYDAY=1SU;BYHOUR=3;BYMINUTE=30", None),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3", None),
        ("FREQ=DAILY", START),
        ("FREQ=DAILY;COUNT=1", START),
        ("FREQ=HOURLY;INTERVAL=6", START),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", START),
        ("FREQ=WEEKLY;UNTIL=20261231T120000Z", START),
    ],
)
def test_what_people_write_is_taken(rule: str, start: datetime | None) -> None:
    assert rule_problem(rule, start, 3600) is None
    assert rule_problem(rule, start, None) is None


@settings(max_examples=200, deadline=None)
@given(st.text("FREQ=DAILYWKHUOSTINBC;,-+0123456789:Z", max_size=60), st.sampled_from((START, None)))
@example("FREQ=DAILY;BYHOUR=9999", START)
@example("FREQ=DAILY;UNTIL=99999999T999999Z", START)
def test_no_text_is_too_silly(rule: str, start: datetime | None) -> None:
    assert rule_problem(rule, start, 3600) is not None or Recurrence.parse(rule, start)


def test_what_would_begin_beyond_the_calendar_does_not() -> None:
    rule = Recurrence.parse("FREQ=DAILY", START)
    assert list(rule.moments(datetime(2399, 1, 1), datetime(2400, 1, 1))) == []
    assert Recurrence.parse("FREQ=YEARLY;COUNT=1000", START).begins(
        at("2027-03-01T03:00"), at("2027-03-02T03:00"), "UTC"
    )


# --- the calendar ---


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


MINUTE = at("2026-11-22T03:00")
SEARCH = Server("search", "https://a.example/mcp", tags=("prod", "eu"))
OTHER = Server("other", "https://b.example/mcp")


def once(begin: int, end: int, **more: object) -> Window:
    return Window.from_item({"id": "mnt_1", "begin": MINUTE + 60 * begin, "end": MINUTE + 60 * end, **more})


def covered(windows: list[Window], server: Server = SEARCH) -> list[Counting | None]:
    calendar = Calendar(windows, MINUTE, MINUTE + 240)
    return [calendar.covering(server, MINUTE + 60 * i) for i in range(4)]


def test_a_window_covers_from_its_begin_to_before_its_end() -> None:
    assert covered([once(1, 3)]) == [None, Counting.EXCLUDE, Counting.EXCLUDE, None]
    assert covered([]) == [None] * 4
    assert covered([once(-9, 0), once(4, 9)]) == [None] * 4


@pytest.mark.parametrize(
    ("scope", "search", "other"),
    [
        ({}, True, True),
        ({"servers": ["search"]}, True, False),
        ({"tags": ["eu", "us"]}, True, False),
        ({"tags": ["us"]}, False, False),
        ({"servers": ["other"], "tags": ["prod"]}, True, True),
    ],
)
def test_whom_a_window_is_of(scope: dict[str, list[str]], search: bool, other: bool) -> None:
    calendar = Calendar([once(0, 1, **scope)], MINUTE, MINUTE + 60)
    for server, wanted in ((SEARCH, search), (OTHER, other)):
        assert (calendar.covering(server, MINUTE) is not None) is wanted
        assert bool(calendar.of(server)) is wanted


def test_where_windows_overlap_the_strictest_goes() -> None:
    as_is, up = once(0, 3, uptime="count_as_is"), once(1, 3, uptime="count_up", tags=["prod"])
    exclude = once(2, 3, servers=["search"])
    wanted = [Counting.COUNT_AS_IS, Counting.COUNT_UP, Counting.EXCLUDE, None]
    assert covered([as_is, up, exclude]) == covered([exclude, as_is, up]) == wanted
    assert covered([once(0, 1, uptime="count_up"), once(0, 1)], OTHER)[0] is Counting.EXCLUDE


def test_beyond_its_span_a_calendar_does_not_guess() -> None:
    calendar = Calendar([], MINUTE, MINUTE + 60)
    for minute in (MINUTE - 60, MINUTE + 60):
        with pytest.raises(ValueError, match="is not in it"):
            calendar.covering(SEARCH, minute)


def test_a_window_that_cannot_be_read_covers_nothing_and_hinders_nothing() -> None:
    wrong = [
        once(0, 4, uptime="as_of_2031"),
        Window("mnt_2", rrule="FREQ=LUNAR", duration_s=60),
        Window("mnt_3", rrule="FREQ=DAILY;BYHOUR=3", duration_s=60, timezone="Moon/Base"),
    ]
    calendar = Calendar([*wrong, once(1, 2, uptime="count_up")], MINUTE, MINUTE + 240)
    assert calendar.unreadable == wrong
    assert [calendar.covering(SEARCH, MINUTE + 60 * i) for i in range(3)] == [None, Counting.COUNT_UP, None]


def test_windows_that_touch_are_one_and_a_gap_parts_them() -> None:
    calendar = Calendar([once(0, 2), once(2, 3, uptime="count_up"), once(4, 6)], MINUTE, MINUTE + 300)
    assert calendar.stretch(SEARCH, MINUTE + 60) == (MINUTE, MINUTE + 180)
    assert calendar.stretch(SEARCH, MINUTE + 180) is None
    assert calendar.stretch(SEARCH, MINUTE + 240) == (MINUTE + 240, MINUTE + 360)
    assert calendar.declared(SEARCH) == [
        Maintenance(MINUTE, MINUTE + 120),
        Maintenance(MINUTE + 240, MINUTE + 300),
        Maintenance(MINUTE + 120, MINUTE + 180, Counting.COUNT_UP),
    ]
    assert calendar.excluded(SEARCH) == [(MINUTE, MINUTE + 120), (MINUTE + 240, MINUTE + 300)]


def test_an_occurrence_is_whole_wherever_the_calendar_begins() -> None:
    weekly = Window("mnt_2", rrule="FREQ=WEEKLY;BYDAY=SU;BYHOUR=3", duration_s=7200, timezone="UTC")
    for since in (-60, 0, 60, 119 * 60):
        found = Calendar([weekly], MINUTE + since, MINUTE + since + 61).occurrences
        assert [(one.begin, one.end, one.window) for one in found] == [(MINUTE, MINUTE + 7200, weekly)]
    assert not Calendar([weekly], MINUTE + 7200, MINUTE + 7260).occurrences
    assert not Calendar([weekly], MINUTE - 60, MINUTE).occurrences


def test_what_was_ended_is_cut_there_and_never_comes_again() -> None:
    daily = Window("mnt_3", rrule="FREQ=DAILY", start="2026-11-20T03:00", duration_s=3600, ended_at=MINUTE + 600)
    assert [(one.begin, one.end) for one in occurrences(daily, MINUTE - 86400, MINUTE + 86400 * 9)] == [
        (MINUTE - 86400, MINUTE - 86400 + 3600),
        (MINUTE, MINUTE + 600),
    ]
    assert occurrences(once(0, 9, ended_at=MINUTE), MINUTE, MINUTE + 600) == []


def test_what_was_made_in_mid_window_covers_from_then() -> None:
    found = occurrences(once(0, 9, made_at=MINUTE + 120), MINUTE, MINUTE + 600)
    assert [(one.begin, one.end) for one in found] == [(MINUTE + 120, MINUTE + 540)]
    assert occurrences(once(0, 9, made_at=MINUTE + 540), MINUTE, MINUTE + 600) == []


@pytest.mark.parametrize(
    ("rule", "over"),
    [
        ("FREQ=DAILY", None),
        ("FREQ=DAILY;COUNT=3", "2026-03-03T02:10"),
        ("FREQ=HOURLY;INTERVAL=2;BYHOUR=4;COUNT=3", "2026-03-01T02:10"),
        ("FREQ=DAILY;UNTIL=20260304T030000", "2026-03-04T02:10"),
        ("FREQ=DAILY;UNTIL=20260304T030000Z", "2026-03-04T03:10"),
    ],
)
def test_when_a_rule_is_over(rule: str, over: str | None) -> None:
    window = Window("mnt_9", rrule=rule, start="2026-03-01T03:00", duration_s=600, timezone="Europe/Berlin")
    assert over_at(window) == (None if over is None else at(over))
    assert over_at(Window.from_item({**window.to_item(), "ended_at": 60})) == 60


def test_ending_keeps_what_was_and_forgets_what_was_not() -> None:
    assert over_at(once(0, 9)) == MINUTE + 540
    assert ended(once(1, 9), MINUTE) is None
    assert ended(once(0, 9), MINUTE + 30) == once(0, 9, ended_at=MINUTE + 60)
    assert ended(once(0, 1), MINUTE) == once(0, 1)
    weekly = Window("mnt_2", rrule="FREQ=WEEKLY;BYDAY=SU;BYHOUR=3", duration_s=7200, made_at=MINUTE + 7200)
    assert ended(weekly, MINUTE + 86400) is None
    past = ended(weekly, MINUTE + 86400 * 8)
    assert past is not None
    assert past.ended_at == MINUTE + 86400 * 8 + 60


def test_windows_of_the_file_keep_since_when_they_cover() -> None:
    old, new = once(0, 9), Window("mnt_new", begin=MINUTE, end=MINUTE + 60)
    known = {"mnt_1": once(0, 9, made_at=60, reason="as it was")}
    assert [one.made_at for one in stamped([old, new], known, MINUTE + 1)] == [60, MINUTE + 60]
    assert stamped([old], known, MINUTE)[0].reason == ""


def test_three_in_the_morning_stays_three_in_the_morning() -> None:
    weekly = Window("mnt_4", rrule="FREQ=WEEKLY;BYDAY=SU;BYHOUR=3", duration_s=3600, timezone="Europe/Berlin")
    found = occurrences(weekly, at("2026-03-21T00:00"), at("2026-04-01T00:00"))
    assert [one.begin for one in found] == [at("2026-03-22T02:00"), at("2026-03-29T01:00")]
    leapt_over = Window("mnt_5", rrule="FREQ=DAILY;BYHOUR=2;BYMINUTE=30", duration_s=600, timezone="Europe/Berlin")
    found = occurrences(leapt_over, at("2026-03-28T12:00"), at("2026-03-30T00:00"))
    assert [(one.begin, one.end) for one in found] == [(at("2026-03-29T01:30"), at("2026-03-29T01:40"))]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            once,
            st.integers(-5, 12),
            st.integers(-5, 12),
            uptime=st.sampled_from(Counting),
            servers=st.sampled_from(((), ("search",), ("other",))),
            tags=st.sampled_from(((), ("prod",))),
        ),
        max_size=6,
    )
)
def test_the_calendar_says_of_each_minute_what_its_windows_say(windows: list[Window]) -> None:
    calendar = Calendar(windows, MINUTE, MINUTE + 600)
    for server in (SEARCH, OTHER):
        for minute in range(MINUTE, MINUTE + 600, 60):
            mine = [one for one in windows if one.covers(server.slug, server.tags)]
            counting = {one.uptime for one in mine if (one.begin or 0) <= minute < (one.end or 0)}
            wanted = next((one for one in Counting if one in counting), None)
            assert calendar.covering(server, minute) == wanted
            spans = {one.counting for one in calendar.declared(server) if one.begin <= minute < one.end}
            assert spans == counting
            stretch = calendar.stretch(server, minute)
            assert (stretch is not None) is bool(counting)


# --- Window ---


def test_a_window_survives_json_and_an_older_item_is_readable() -> None:
    whole = Window(
        "mnt_6", ("a",), ("t",), 60, 120, "FREQ=DAILY", "2026-01-01T03:00", 60, "UTC", "count_up", "Why", "command"
    )
    for window in (whole, Window("mnt_7"), once(0, 1, ended_at=MINUTE)):
        assert Window.from_item(json.loads(json.dumps(window.to_item()))) == window
    assert Window.from_item({"id": "mnt_8", "of_a_later_version": 1}) == Window("mnt_8")


def test_its_name_follows_from_whom_and_when_and_from_nothing_else() -> None:
    name = once(0, 1, servers=["a", "b"]).named().id
    assert re.fullmatch("mnt_[0-9a-f]{16}", name)
    for same in ({"servers": ["b", "a"]}, {"servers": ["a", "b"], "reason": "x", "uptime": "count_up"}):
        assert once(0, 1, **same).named().id == name
    for another in ({"servers": ["a"]}, {"tags": ["a", "b"]}, {}):
        assert once(0, 1, **another).named().id != name
    assert once(0, 2, servers=["a", "b"]).named().id != name
