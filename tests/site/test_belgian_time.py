from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.instants import Instant, as_datetime, from_datetime, parse_rfc3339, rfc3339
from rempart.site.belgian_time import (
    belgian,
    came,
    comes,
    last_midnight,
    months_later,
    on_the_wall,
    wall_instant,
)

MOMENTS = st.datetimes(min_value=datetime(1997, 1, 1), max_value=datetime(2100, 12, 31))  # noqa: DTZ001


@given(MOMENTS)
def test_it_agrees_with_the_time_zone_database(moment: datetime) -> None:
    instant = from_datetime(moment.replace(microsecond=0, tzinfo=UTC))
    local = as_datetime(instant).astimezone(ZoneInfo("Europe/Brussels"))
    offset = local.utcoffset()
    assert offset is not None
    assert belgian(instant) == f"{local:%d/%m/%Y %H:%M:%S} (UTC+{offset.seconds // 3600})"


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        # On the wall: half past midnight on the 31st is still the 30th in UTC, and ten in winter is eleven there.
        ("2027-01-31T00:30:00+01:00", 1, "2027-02-28T00:30:00+01:00"),
        ("2027-03-15T10:00:00+01:00", 1, "2027-04-15T10:00:00+02:00"),
        ("2027-09-30T10:00:00+02:00", 2, "2027-11-30T10:00:00+01:00"),
        ("2027-09-30T02:30:07.000009+02:00", 1, "2027-10-30T02:30:07.000009+02:00"),
        ("2027-09-30T22:30:00Z", 1, "2027-10-31T23:30:00Z"),
        ("2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"),
        ("2028-01-31T10:00:00Z", 1, "2028-02-29T10:00:00Z"),
        ("2026-11-25T08:30:00Z", 1, "2026-12-25T08:30:00Z"),
        ("2026-12-31T08:30:00Z", 2, "2027-02-28T08:30:00Z"),
    ],
)
def test_a_month_is_a_calendar_month(start: str, months: int, end: str) -> None:
    assert months_later(parse_rfc3339(start), months) == parse_rfc3339(end)


@given(MOMENTS, st.integers(1, 24))
def test_months_later_the_wall_shows_the_same_day_and_hour(moment: datetime, months: int) -> None:
    start = from_datetime(moment.replace(tzinfo=UTC))
    was, end = on_the_wall(start), on_the_wall(months_later(start, months))
    wanted = was.year * 12 + was.month - 1 + months
    assert end.year * 12 + end.month - 1 == wanted
    assert end.day == min(was.day, monthrange(*divmod_month(wanted))[1])
    left_out = end.month == 3 and end.hour == 3 and was.hour == 2
    assert end.time() == was.time() or left_out


def divmod_month(months: int) -> tuple[int, int]:
    return months // 12, months % 12 + 1


@given(st.dates(date(1997, 1, 1), date(2100, 12, 31)))
def test_a_day_ends_at_midnight_on_the_wall(day: date) -> None:
    end = last_midnight(day)
    assert on_the_wall(Instant(end - 1)).date() == day
    assert on_the_wall(end).replace(tzinfo=None) == datetime.combine(day + timedelta(days=1), time())
    assert last_midnight(date.max) > end


@given(MOMENTS, st.lists(st.integers(0, 24 * 60 - 1), min_size=1, max_size=4))
def test_what_came_last_came_once_since(moment: datetime, minutes: list[int]) -> None:
    now = from_datetime(moment.replace(tzinfo=UTC))
    last = came(minutes, now)
    assert last <= now
    assert all(comes(minute, now) > now for minute in minutes)
    assert min(comes(minute, last) for minute in minutes) > now  # none came in between


@given(st.integers(-(2**80), 2**80))
def test_whatever_instant_a_log_claims_has_a_place_on_the_wall(claimed: int) -> None:
    assert belgian(Instant(claimed))
    assert on_the_wall(Instant(claimed)) <= on_the_wall(Instant(2**80))
    assert as_datetime(parse_rfc3339(rfc3339(Instant(claimed)))) == as_datetime(Instant(claimed))


@pytest.mark.parametrize(
    ("day", "minute", "told"),
    [
        ("2026-11-26", 17 * 60, "26/11/2026 17:00:00 (UTC+1)"),
        ("2026-07-01", 17 * 60, "01/07/2026 17:00:00 (UTC+2)"),
        ("2026-07-01", 24 * 60, "02/07/2026 00:00:00 (UTC+2)"),
        ("2026-10-25", 150, "25/10/2026 02:30:00 (UTC+2)"),  # told twice: the first
        ("2026-03-29", 150, "29/03/2026 03:30:00 (UTC+2)"),  # left out: an hour later
    ],
)
def test_an_hour_on_the_wall_is_an_instant(day: str, minute: int, told: str) -> None:
    assert belgian(wall_instant(date.fromisoformat(day), minute)) == told
