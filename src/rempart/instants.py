"""Points in time, as whole microseconds since the Unix epoch (UTC).

The core never asks what time it is: it is told. Integers are used because the journal's canonical
JSON must give the same bytes everywhere, and floats do not.
"""

from datetime import UTC, datetime, timedelta
from typing import NewType

Instant = NewType("Instant", int)
"""Microseconds since 1970-01-01T00:00:00Z."""

Duration = NewType("Duration", int)
"""A length of time in microseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def seconds(amount: float) -> Duration:
    """A duration of so many seconds."""
    return Duration(round(amount * 1_000_000))


def minutes(amount: float) -> Duration:
    """A duration of so many minutes."""
    return seconds(amount * 60)


def hours(amount: float) -> Duration:
    """A duration of so many hours."""
    return seconds(amount * 3600)


def after(instant: Instant, duration: Duration) -> Instant:
    """The instant that lies ``duration`` later."""
    return Instant(instant + duration)


def recent(then: Instant, now: Instant, within: Duration) -> bool:
    """Whether something was less than so long ago. What a clock that was ahead noted for a time far off was not."""
    return abs(now - then) < within


def as_datetime(instant: Instant) -> datetime:
    """The instant as an aware UTC datetime; beyond the years 1 to 9999, which a log may claim, the nearest of them."""
    return _EPOCH + timedelta(microseconds=min(max(instant, _FIRST), _LAST))


def from_datetime(moment: datetime) -> Instant:
    """An aware datetime as an instant; a naive one is a programming error."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime names no instant")
    return Instant((moment - _EPOCH) // _MICROSECOND)


def rfc3339(instant: Instant) -> str:
    """The instant as RFC 3339 text in UTC with microseconds, e.g. ``2026-11-22T03:12:00.000000Z``."""
    return as_datetime(instant).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_rfc3339(text: str) -> Instant:
    """The instant that RFC 3339 text names. Raises ValueError when the text is no such thing."""
    return from_datetime(datetime.fromisoformat(text))


_NAIVE_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00")


def written(text: str) -> Instant | None:
    """The instant that ISO 8601 text names, in UTC where it names no zone; None when it is no such text."""
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return from_datetime(moment)
    since = moment - _NAIVE_EPOCH
    return Instant((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
