"""The clock on the wall in Belgium: what a person reads on a paper or in a table.

Written out, rather than read from the machine's time-zone files, so that the same journal makes the same paper
everywhere (Directive 2000/84/EC: summer time runs from 01:00 UTC on the last Sunday of March to 01:00 UTC on the
last Sunday of October).
"""

from datetime import UTC, date, datetime, timedelta, timezone

from rempart.instants import Instant, as_datetime, from_datetime


def on_the_wall(instant: Instant) -> datetime:
    """What a Belgian clock shows at that instant, with its offset from UTC."""
    moment = as_datetime(instant)
    return moment.astimezone(timezone(timedelta(hours=2 if _summer(moment) else 1)))


def wall_instant(day: date, minute: int) -> Instant:
    """The instant at which a Belgian clock shows that minute of that day; in the hour told twice, the first."""
    wanted = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
    instants = [from_datetime(wanted - timedelta(hours=offset)) for offset in (2, 1)]
    shown = (instant for instant in instants if on_the_wall(instant).replace(tzinfo=UTC) == wanted)
    return next(shown, instants[1])  # none shows it in the hour that summer time leaves out


def belgian(instant: Instant) -> str:
    """The instant as ``22/11/2026 04:12:00 (UTC+1)``."""
    local = on_the_wall(instant)
    return f"{local:%d/%m/%Y %H:%M:%S} (UTC+{(local.utcoffset() or timedelta()) // timedelta(hours=1)})"


def months_later(instant: Instant, months: int) -> Instant:
    """The same day and hour so many calendar months later; a month too short ends on its last day."""
    moment = as_datetime(instant)
    years, month = divmod(moment.month - 1 + months, 12)
    first = moment.replace(year=moment.year + years, month=month + 1, day=1)
    return from_datetime(first.replace(day=min(moment.day, _days(first))))


def _days(first: datetime) -> int:
    """Days in the month of ``first``."""
    return ((first + timedelta(days=31)).replace(day=1) - first).days


def _summer(moment: datetime) -> bool:
    return _last_sunday(moment.year, 3) <= moment < _last_sunday(moment.year, 10)


def _last_sunday(year: int, month: int) -> datetime:
    """01:00 UTC on the last Sunday of March or October, both of 31 days."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=last.isoweekday() % 7)
