"""The clock on the wall in Belgium: what a person reads on a paper or in a table, and when it will show what.

Written out, rather than read from the machine's time-zone files, so that the same journal makes the same paper
everywhere (Directive 2000/84/EC: summer time runs from 01:00 UTC on the last Sunday of March to 01:00 UTC on the
last Sunday of October).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone

from rempart.instants import Instant, after, as_datetime, from_datetime, hours

_DAY = timedelta(days=1)

_LAST = datetime.max.replace(tzinfo=UTC) - timedelta(hours=2)
"""The last instant that a clock ahead of UTC can still show."""

_LEAPS = 60
"""Minute of the day, in UTC, at which summer time begins and ends."""


def on_the_wall(instant: Instant) -> datetime:
    """What a Belgian clock shows at that instant, with its offset from UTC."""
    moment = min(as_datetime(instant), _LAST)
    return moment.astimezone(timezone(timedelta(hours=2 if _summer(moment) else 1)))


def wall_instant(day: date, minute: int) -> Instant:
    """The instant at which a Belgian clock shows that minute of that day; in the hour told twice, the first."""
    wanted = _in_utc(day, minute)
    instants = [from_datetime(wanted - timedelta(hours=offset)) for offset in (2, 1)]
    shown = (instant for instant in instants if on_the_wall(instant).replace(tzinfo=UTC) == wanted)
    return next(shown, instants[1])  # none shows it in the hour that summer time leaves out


def last_midnight(day: date) -> Instant:
    """The midnight that ends the day in Belgium: the first instant that is not of it."""
    return after(wall_instant(day, 12 * 60), hours(12))  # the clock leaps in the morning


def comes(minute: int, since: Instant) -> Instant:
    """The first instant after ``since`` at which it is that minute of a day; it is once a day (`wall_instant`)."""
    today = on_the_wall(since).date()
    return next(at for day in _from(today, 3) if (at := wall_instant(day, minute)) > since)


def came(minutes: Iterable[int], now: Instant) -> Instant:
    """The last instant until ``now`` at which it was one of these minutes of a day; each is once a day."""
    today = on_the_wall(now).date()
    instants = (wall_instant(day, minute) for minute in minutes for day in (today - _DAY, today))
    return max(instant for instant in instants if instant <= now)


def first(holds: Callable[[datetime], bool], minute: int, at: Instant) -> Instant | None:
    """The first instant from ``at`` on when something holds; on each day it begins to at that minute, or not.

    ``holds`` is asked what the clock on the wall shows. Where the clock leaps it may begin as well: over the minute, or
    back to before an end. None: not within these `_AHEAD` days.
    """
    return next((instant for instant in _beginnings(minute, at) if holds(on_the_wall(instant))), None)


_AHEAD = 15
"""Two weeks, and today: a day of the week may fall on a holiday, or its hours where summer time leaves one out."""


def _beginnings(minute: int, at: Instant) -> Iterator[Instant]:
    yield at
    for day in _from(on_the_wall(at).date(), _AHEAD):
        shown = [_in_utc(day, minute - offset) for offset in (120, 60)]
        instants = sorted(from_datetime(moment) for moment in (*shown, _in_utc(day, _LEAPS)))
        yield from (instant for instant in instants if instant > at)


def belgian(instant: Instant) -> str:
    """The instant as ``22/11/2026 04:12:00 (UTC+1)``."""
    local = on_the_wall(instant)
    return f"{local:%d/%m/%Y %H:%M:%S} (UTC+{(local.utcoffset() or timedelta()) // timedelta(hours=1)})"


def months_later(instant: Instant, months: int) -> Instant:
    """The same day and hour on the wall so many calendar months later; a month too short ends on its last day."""
    wall = on_the_wall(instant)
    years, month = divmod(wall.month - 1 + months, 12)
    first_day = date(wall.year + years, month + 1, 1)
    day = first_day.replace(day=min(wall.day, _days(first_day)))
    since_minute = timedelta(seconds=wall.second, microseconds=wall.microsecond)
    return from_datetime(as_datetime(wall_instant(day, wall.hour * 60 + wall.minute)) + since_minute)


def _from(day: date, days: int) -> Iterator[date]:
    return (day + timedelta(days=ahead) for ahead in range(days))


def _in_utc(day: date, minute: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)


def _days(first_day: date) -> int:
    """Days in the month of ``first_day``."""
    return ((first_day + timedelta(days=31)).replace(day=1) - first_day).days


def _summer(moment: datetime) -> bool:
    return _last_sunday(moment.year, 3) <= moment < _last_sunday(moment.year, 10)


def _last_sunday(year: int, month: int) -> datetime:
    """01:00 UTC on the last Sunday of March or October, both of 31 days."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=last.isoweekday() % 7)
