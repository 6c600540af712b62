from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.duties.belgian_time import belgian, months_later, wall_instant
from rempart.instants import as_datetime, from_datetime, parse_rfc3339

MOMENTS = st.datetimes(min_value=datetime(1997, 1, 1), max_value=datetime(2037, 12, 31))  # noqa: DTZ001


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
        ("2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"),
        ("2028-01-31T10:00:00Z", 1, "2028-02-29T10:00:00Z"),
        ("2026-11-25T08:30:00Z", 1, "2026-12-25T08:30:00Z"),
        ("2026-12-31T08:30:00Z", 2, "2027-02-28T08:30:00Z"),
    ],
)
def test_a_month_is_a_calendar_month(start: str, months: int, end: str) -> None:
    assert months_later(parse_rfc3339(start), months) == parse_rfc3339(end)


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
