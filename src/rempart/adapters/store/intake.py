"""Keeps how much came from each log, day by day for a week, so that one that fell silent is noticed: a JSON file."""

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rempart.adapters.store.findings import day_of
from rempart.detection.silence import DAYS, silent
from rempart.instants import Instant

_log = logging.getLogger("rempart.watch")

_LARGEST = 4 << 20


class Stream(msgspec.Struct, kw_only=True):
    """What came from one log."""

    last: Instant | None = None
    days: dict[int, int] = {}
    """Day to its lines."""
    undecoded: dict[int, int] = {}


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

    def heard(self, source: str, lines: int, now: Instant) -> None:
        """So many lines came."""
        stream, day = self._streams.setdefault(source, Stream()), day_of(now)
        stream.last = now
        stream.days[day] = stream.days.get(day, 0) + lines
        if len(stream.days) > DAYS:
            del stream.days[min(stream.days)]

    def undecoded(self, source: str, now: Instant) -> None:
        """One line was not of the kind that its decoder reads."""
        stream, day = self._streams.setdefault(source, Stream()), day_of(now)
        stream.undecoded[day] = stream.undecoded.get(day, 0) + 1
        if len(stream.undecoded) > DAYS:
            del stream.undecoded[min(stream.undecoded)]

    def of(self, source: str) -> Stream:
        """What came from a log."""
        return self._streams.get(source, Stream())

    def lines(self, source: str, now: Instant) -> list[int]:
        """The lines of today and of the days before, the latest first."""
        days, today = self.of(source).days, day_of(now)
        return [days.get(today - back, 0) for back in range(DAYS)]

    def silent(self, source: str, now: Instant) -> bool:
        """Whether nothing came for much longer than is usual."""
        return silent(self.lines(source, now), self.of(source).last or self.began, now)

    def write(self) -> None:
        """Keep it in the place of what was kept."""
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            descriptor = os.open(
                new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(self._streams))
            new.replace(self.path)
        except OSError as fault:
            _log.error("%s: how much came from each log could not be kept: %s", self.path, fault)
