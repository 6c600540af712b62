"""Keeps how much came from each log, day by day for a week, so that one that fell silent is noticed: a JSON file."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rempart.adapters.store.findings import day_of
from rempart.detection.silence import DAYS, LONGEST, patience
from rempart.edge import whole
from rempart.instants import Duration, Instant, hours

_log = logging.getLogger("rempart.watch")

_LARGEST = 4 << 20


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A defect of ours that a line brought out: where, and what it was, without what the line says."""

    record: int
    """The number of the line; 0: following the log itself failed."""
    reason: str
    at: Instant


class Stream(msgspec.Struct, kw_only=True):
    """What came from one log."""

    first: Instant | None = None
    last: Instant | None = None
    days: dict[int, int] = {}
    """Day to its lines."""
    gaps: dict[int, int] = {}
    """Day on which it spoke to the longest gap that ended on it, in microseconds."""
    undecoded: dict[int, int] = {}
    failed: dict[int, int] = {}
    """Lines that brought out a defect of ours."""
    failure: Failure | None = None
    """The last of them."""
    kept: Instant | None = None
    """Until when it was listened to, as far as this file knows."""
    deaf: Duration = Duration(0)
    """How long since ``last`` nobody listened: that is no silence of the log."""

    def quiet(self, now: Instant) -> Duration:
        """How long nothing came while somebody listened."""
        return Duration(max(0, now - self.last - self.deaf)) if self.last is not None else Duration(0)

    def set_right(self, now: Instant) -> None:
        """Forget what was noted while the clock was ahead: else nothing is silent until that time has come."""
        if self.last is None or self.last <= now:
            return
        self.first, self.last = min(self.first or now, now), now
        for counted in (self.days, self.gaps, self.undecoded, self.failed):
            for day in [each for each in counted if each > day_of(now)]:
                del counted[day]

    @property
    def every(self) -> Duration | None:
        """The time between two lines, on average over the days on which it spoke; None: it never did."""
        lines = sum(self.days.values())
        return Duration(hours(24) * len(self.days) // lines) if lines else None

    @property
    def pause(self) -> Duration:
        """Its longest time without a line within these days."""
        return Duration(max(self.gaps.values(), default=0))

    @property
    def patience(self) -> Duration:
        """How long it may be quiet, by its own rhythm. Nothing but a line changes it."""
        known = self.last - self.first if self.first is not None and self.last is not None else 0
        gaps = [Duration(gap) for gap in self.gaps.values()]
        return patience(gaps, learnt=known >= DAYS * hours(24))


@dataclass(slots=True)
class Intake:
    """What came from all logs. A file that cannot be read is begun anew; one that cannot be written is said."""

    path: Path
    began: Instant
    """When this watch began: before that nothing is known of a log that was never heard."""
    _streams: dict[str, Stream] = field(init=False)

    def __post_init__(self) -> None:
        try:
            with self.path.open("rb") as file:
                self._streams = msgspec.json.decode(file.read(_LARGEST), type=dict[str, Stream])
        except FileNotFoundError:
            self._streams = {}
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as fault:
            _log.error("%s: how much came from each log is counted anew: %s", self.path, fault)
            self._streams = {}
        for stream in self._streams.values():
            if stream.kept is not None:
                stream.deaf = Duration(stream.deaf + max(0, self.began - stream.kept))

    def heard(self, source: str, lines: int, now: Instant) -> None:
        """So many lines came."""
        stream, day = self._streams.setdefault(source, Stream()), day_of(now)
        stream.set_right(now)
        stream.gaps[day] = max(stream.gaps.get(day, 0), stream.quiet(now))
        stream.days[day] = stream.days.get(day, 0) + lines
        stream.first, stream.last, stream.deaf = stream.first or now, now, Duration(0)
        if len(stream.days) > DAYS:
            del stream.days[min(stream.days)]
        if len(stream.gaps) > DAYS + 1:  # the same day of last week too: Sundays may be quieter
            del stream.gaps[min(stream.gaps)]

    def undecoded(self, source: str, now: Instant) -> None:
        """One line was not of the kind that its decoder reads."""
        _one_more(self._streams.setdefault(source, Stream()).undecoded, now)

    def failed(self, source: str, record: int, reason: str, now: Instant) -> None:
        """One line brought out a defect of ours."""
        stream = self._streams.setdefault(source, Stream())
        _one_more(stream.failed, now)
        stream.failure = Failure(record=record, reason=reason, at=now)

    def of(self, source: str) -> Stream:
        """What came from a log."""
        return self._streams.get(source, Stream())

    def lines(self, source: str, now: Instant) -> list[int]:
        """The lines of today and of the days before, the latest first."""
        days, today = self.of(source).days, day_of(now)
        return [days.get(today - back, 0) for back in range(DAYS)]

    def silent(self, source: str, now: Instant, allowed: Duration | None = None) -> bool:
        """Whether nothing came for longer than is ``allowed``, or than is usual where nothing is said."""
        stream = self.of(source)
        stream.set_right(now)
        if stream.last is None:
            return now - self.began > LONGEST
        return stream.quiet(now) > (stream.patience if allowed is None else allowed)

    def write(self, now: Instant) -> None:
        """Keep it in the place of what was kept; until now every log was listened to."""
        for stream in tuple(self._streams.values()):
            stream.kept = now
        try:
            whole.put(self.path, msgspec.json.encode(self._streams), lasting=False)
        except OSError as fault:
            _log.error("%s: how much came from each log could not be kept: %s", self.path, fault)


def _one_more(counted: dict[int, int], now: Instant) -> None:
    day = day_of(now)
    counted[day] = counted.get(day, 0) + 1
    if len(counted) > DAYS:
        del counted[min(counted)]
