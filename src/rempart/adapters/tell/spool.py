"""Messages on their way, on disk: one file each, whole or not there, so that no restart loses or doubles one.

A disk that refuses keeps nobody from being told: how messages stand is then known until the process ends, and written
when the next one is. A restart meanwhile may double what was sent meanwhile; what was not, the guard asks for again.
"""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from rempart.edge import whole
from rempart.instants import Duration, Instant, after, hours, minutes, seconds
from rempart.telling.alert import Delivery
from rempart.telling.message import Message

_log = logging.getLogger(__name__)

MOST = 2_000
"""Messages that are kept, settled ones included; beyond it no more are taken."""

REMEMBERED: Duration = hours(48)
"""How long a settled one is remembered after it would have been given up, so that it is not sent twice."""

_FIRST_PAUSE, _LONGEST_PAUSE = seconds(5), minutes(10)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One message: how often it was tried, when next, and what became of it."""

    message: Message
    tries: int = 0
    next: Instant = Instant(0)
    settled: Delivery | None = None

    def failed(self, now: Instant) -> "Waiting":
        """To be tried again, each pause three times the one before."""
        pause = min(_FIRST_PAUSE * 3**self.tries, _LONGEST_PAUSE)
        return msgspec.structs.replace(self, tries=self.tries + 1, next=after(now, Duration(pause)))


class Spool:
    """The folder. For one process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._held: dict[str, Waiting] = dict(self._read())
        self._unwritten: dict[str, None] = {}

    def add(self, message: Message, now: Instant) -> Waiting | None:
        """Take a message, on disk when that lets us; the one that is known by its id; None when there is no room."""
        known = self._held.get(message.id)
        if known is None and len(self._held) < MOST:
            known = Waiting(message=message, next=now)
            self.keep(known)
        return known

    def keep(self, waiting: Waiting) -> None:
        """Write how a message stands, and others that could not be written before. A disk that refuses is said."""
        self._held[waiting.message.id] = waiting
        self._unwritten[waiting.message.id] = None
        try:
            for name in tuple(self._unwritten):
                self._write(self._held[name])
                del self._unwritten[name]
        except OSError as fault:
            _log.error("%d messages cannot be kept on the disk: %s", len(self._unwritten), fault)

    def _write(self, waiting: Waiting) -> None:
        whole.put(self._path(waiting.message.id), msgspec.json.encode(waiting))

    def waiting(self) -> list[Waiting]:
        """Those not settled, the most urgent and then the oldest first."""
        unsettled = [each for each in self._held.values() if each.settled is None]
        return sorted(unsettled, key=lambda each: (-each.message.urgency, each.next, each.message.id))

    def handed_over(self, since: Instant) -> Iterator[Delivery]:
        """What was handed over after that."""
        return (
            each.settled
            for each in self._held.values()
            if each.settled and each.settled.delivered and each.settled.at > since
        )

    def forget(self, now: Instant) -> None:
        """Remove what nobody will ask for any more."""
        for name, each in list(self._held.items()):
            if each.settled and after(each.message.until, REMEMBERED) < now:
                self._path(name).unlink(missing_ok=True)
                self._unwritten.pop(name, None)
                del self._held[name]

    def _read(self) -> Iterator[tuple[str, Waiting]]:
        for path in sorted(self._folder.iterdir()):
            try:
                held = msgspec.json.decode(path.read_bytes(), type=Waiting)
            except msgspec.MsgspecError:
                path.unlink()  # half of one that was never acknowledged, or of another version: it is asked for again
            else:
                yield held.message.id, held

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"
