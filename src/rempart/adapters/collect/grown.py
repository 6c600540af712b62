"""Following EVTX files, which cannot be read from the middle: whole again when they change, past the last record.

An EVTX file is copied to the station by hand or by a share; it is read when its size or time changes. A record that is
damaged is said and left out; it is tried again when the file changes.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import orjson

from rempart.adapters.collect.evtx import records
from rempart.adapters.collect.tail import Lines
from rempart.errors import Problem

_log = logging.getLogger(__name__)

_RECORDS = 1_000
"""Records given at a time."""


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file was read, and which version of it, by size and time (ns)."""

    record: int = 0
    """The highest record of the versions read to their end. Within a file that wrapped, records do not rise."""
    given: int = 0
    """How many higher ones of this version were given."""
    size: int = 0
    changed: int = 0
    ended: bool = False
    """This version was read to its end."""


class RecordFollower:
    """Follows one EVTX file; each record is one line of JSON, numbered by its record id."""

    def __init__(self, path: Path, position: bytes | None = None) -> None:
        self.path = path
        self._reached = msgspec.json.decode(position, type=Reached) if position else Reached()
        self._reading: Iterator[tuple[int, str] | Problem] | None = None
        self._passed = 0
        self._newest = 0

    def read(self) -> Lines | None:
        """The records that have come since, `_RECORDS` at most, or None."""
        if self._reading is None and not self._begin():
            return None
        numbers, bodies = self._take()
        if not bodies:
            return None
        return Lines(
            path=str(self.path),
            numbers=numbers,
            bodies=bodies,
            cut=0,
            more=self._reading is not None,
            position=msgspec.json.encode(self._reached),
        )

    def close(self) -> None:
        """Let go of the file."""
        self._reading = None

    def _begin(self) -> bool:
        """Read the file from its beginning if it has changed since it was last read."""
        try:
            status = self.path.stat()
        except OSError:
            return False  # not there (yet): an EVTX file comes when somebody brings it
        reached = self._reached
        if (status.st_size, status.st_mtime_ns) != (reached.size, reached.changed):
            self._reached = Reached(record=reached.record, size=status.st_size, changed=status.st_mtime_ns)
        elif reached.ended:
            return False
        self._passed = self._newest = 0
        self._reading = records(str(self.path))
        return True

    def _take(self) -> tuple[list[int], list[bytes]]:
        """The next records that are higher than those of earlier versions and were not given before a restart."""
        numbers: list[int] = []
        bodies: list[bytes] = []
        for record in self._reading or ():
            if isinstance(record, Problem):
                _log.warning("%s: %s", record.where, record.what)
                continue
            number, text = record
            self._newest = max(self._newest, number)
            self._passed += number > self._reached.record
            if number > self._reached.record and self._passed > self._reached.given:
                self._give(number, text, numbers, bodies)
            if len(bodies) == _RECORDS:
                self._reached = msgspec.structs.replace(self._reached, given=self._passed)
                return numbers, bodies
        self._end()
        return numbers, bodies

    def _give(self, number: int, text: str, numbers: list[int], bodies: list[bytes]) -> None:
        try:
            body = orjson.dumps(orjson.loads(text))  # on one line
        except (orjson.JSONDecodeError, TypeError) as fault:  # deeper than JSON is read or written
            _log.warning("%s: record %d cannot be read: %s", self.path, number, fault)
            return
        numbers.append(number)
        bodies.append(body)

    def _end(self) -> None:
        """All of this version was given. Where its records are all lower, the log was cleared: it is read as new."""
        self._reading = None
        if 0 < self._newest < self._reached.record:
            _log.warning(
                "%s: its records begin again, the log was cleared; it is read from its beginning", self.path
            )
            self._reached = Reached()
        else:
            record = max(self._newest, self._reached.record)
            self._reached = msgspec.structs.replace(self._reached, record=record, given=0, ended=True)
