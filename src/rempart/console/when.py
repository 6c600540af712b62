"""Times as people say them: "vendredi 16 h 40", "3 s ago", "41 h left"."""

from datetime import datetime

from babel.dates import format_date, get_day_names

from rempart.console.words import Words
from rempart.instants import Instant, hours, minutes, seconds
from rempart.site.belgian_time import on_the_wall, wall_instant


def moment(instant: Instant, now: Instant, words: Words) -> str:
    """The hour; with the weekday when it was not today, with the date when it was over six days ago."""
    then, today = on_the_wall(instant), on_the_wall(now)
    hour = words.say("time.hour", hour=f"{then:%H}", minute=f"{then:%M}")
    if then.date() == today.date():
        return words.say("time.today", hour=hour)
    if abs((today.date() - then.date()).days) <= 6:
        return words.say("time.weekday", day=_weekday(then, words), hour=hour)
    return words.say("time.date", date=_date(then, words), hour=hour)


def _weekday(wall: datetime, words: Words) -> str:
    return str(get_day_names("wide", locale=words.locale)[wall.weekday()])


def _date(wall: datetime, words: Words) -> str:
    return format_date(wall, "long", locale=words.locale)


def clock(now: Instant, words: Words) -> str:
    """The weekday and the hour, for the corner of the page."""
    wall = on_the_wall(now)
    hour = words.say("time.hour", hour=f"{wall:%H}", minute=f"{wall:%M}")
    return words.say("time.clock", day=_weekday(wall, words), hour=hour)


def day(now: Instant, words: Words) -> str:
    """The date in full, for paper."""
    return _date(on_the_wall(now), words)


def length(microseconds: int, words: Words) -> str:
    """A length of time in its largest sensible unit, rounded down."""
    amount = max(0, microseconds)
    for key, unit, from_ in (
        ("days", hours(24), hours(72)),
        ("hours", hours(1), hours(2)),
        ("minutes", minutes(1), minutes(2)),
    ):
        if amount >= from_:
            return words.say(f"time.{key}", amount=amount // unit)
    return words.say("time.seconds", amount=amount // seconds(1))


def typed(text: str) -> Instant:
    """What a browser's field for a moment says, on a Belgian clock. Raises `ValueError`."""
    moment = datetime.fromisoformat(text[:16])
    return wall_instant(moment.date(), moment.hour * 60 + moment.minute)


def to_type(instant: Instant) -> str:
    """The instant, to the minute, as a browser's field for a moment has it."""
    return on_the_wall(instant).strftime("%Y-%m-%dT%H:%M")
