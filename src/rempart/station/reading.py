"""Reading: from lines of logs to events and findings. What breaks on one line, or in one log, stays there.

Whoever can write into a log chooses the bytes that are read here. A line that its decoder does not read is counted; a
defect of ours that a line brings out is counted too, said with its place in the code and never with the line, and the
next line is read.
"""

import logging
import traceback
from collections.abc import Callable, Iterator

import msgspec

from rempart.adapters.store.events import Batch, Segment
from rempart.adapters.store.intake import Intake
from rempart.detection.detector import Detection
from rempart.detection.finding import Finding
from rempart.errors import DecodeError, DecoderFailed, kind_and_place
from rempart.events.decode import DECODERS, decoded
from rempart.events.event import Event
from rempart.instants import Instant, after, minutes

_log = logging.getLogger("rempart.watch")

LATE = minutes(1)
"""How much older than its reading an event may be and still be found by a replay."""

APART = minutes(1)
"""How far apart two complaints about one log are at least: whoever writes into it decides how many there are."""


class Complaints:
    """Lines that gave no event, counted for each log and said once a minute; what they say is never quoted."""

    def __init__(self, intake: Intake | None = None) -> None:
        """Without an ``intake`` nothing is counted and nothing said: the lines were read before."""
        self._intake = intake
        self._counts: dict[str, int] = {}
        self._told: dict[str, Instant] = {}

    def undecoded(self, lines: Batch | Segment, why: str) -> None:
        """A line is not of the kind that its decoder reads."""
        if self._intake is None:
            return
        if isinstance(lines, Batch):  # what is read again from the store was counted when it came
            self._intake.undecoded(lines.source, lines.read)
        if self._due(lines.source, lines.read):
            _log.warning("%s (%d lines of %s since the start)", why, self._counts[lines.source], lines.source)

    def failed(self, lines: Batch | Segment, record: int, defect: BaseException) -> None:
        """A line brought out a defect of ours."""
        if self._intake is None:
            return
        if isinstance(lines, Batch):
            self._intake.failed(lines.source, record, kind_and_place(defect), lines.read)
        self._say(lines.source, record, defect, lines.read)

    def stuck(self, source: str, defect: BaseException, now: Instant) -> None:
        """Following a log failed, whatever line it was."""
        if self._intake:
            self._intake.failed(source, 0, kind_and_place(defect), now)
            self._say(source, 0, defect, now)

    def _say(self, source: str, record: int, defect: BaseException, now: Instant) -> None:
        if self._due(source, now):
            _log.error(
                "%s:%d: a defect of ours, please tell the maintainers: %s\n%s",
                source,
                record,
                kind_and_place(defect),
                "".join(traceback.format_tb(defect.__traceback__)).rstrip(),
            )

    def _due(self, source: str, now: Instant) -> bool:
        self._counts[source] = self._counts.get(source, 0) + 1
        if now < after(self._told.get(source, Instant(0)), APART):
            return False
        self._told[source] = now
        return True


class Reader:
    """Turns stored lines into events, and events into findings."""

    def __init__(
        self,
        detection: Detection,
        complaints: Complaints | None = None,
        *,
        seen: Callable[[Finding, Event, Instant], None] | None = None,
    ) -> None:
        """Without ``complaints`` nothing is said of lines that give no event, because they were read before.

        ``seen`` is told each finding, the event that decided it and when that was read.
        """
        self.detection = detection
        self._seen = seen
        self._complaints = complaints or Complaints()

    def findings(self, lines: Batch | Segment) -> tuple[list[Finding], Instant]:
        """The findings that the lines bring about, and the time of the newest event (not after the reading)."""
        found: list[Finding] = []
        newest = Instant(0)
        for event in self._events(lines):
            newest = max(newest, event.time or newest)
            try:
                fresh = self.detection.feed(event)
                found += fresh
                if self._seen:
                    for each in fresh:
                        self._seen(each, event, lines.read)
            except Exception as defect:
                # One crafted line must not end the watch, nor meet it again at each start.
                self._complaints.failed(lines, event.record, defect)
        return found, min(newest, lines.read)

    def _events(self, lines: Batch | Segment) -> Iterator[Event]:
        decode = DECODERS.get(lines.decoder)
        if decode is None:  # kept by another version; the lines stay, findings from them are not made again
            self._complaints.undecoded(lines, f"no decoder is called {lines.decoder!a} any more")
            return
        for number, body in zip(lines.numbers, lines.bodies, strict=True):
            try:
                event = decoded(decode, body, lines.source, number)
            except DecoderFailed as failed:
                self._complaints.failed(lines, number, failed.__cause__ or failed)
                continue
            except DecodeError as refused:
                self._complaints.undecoded(lines, refused.diagnostics())
                continue
            if event is not None:
                # A clock that is ahead, or a forged line, must not make later events look late.
                yield msgspec.structs.replace(event, when=min(event.time or lines.read, lines.read))
