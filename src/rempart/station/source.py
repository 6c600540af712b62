"""Source: a log that watch follows. Where following it fails, it rests for a minute and the others go on."""

import logging
import time
from pathlib import Path

import msgspec

from rempart.adapters.collect.grown import RecordFollower
from rempart.adapters.collect.tail import Follower, Lines
from rempart.adapters.store.events import EventStore
from rempart.config import Places
from rempart.errors import InputRefused
from rempart.events.decode import DECODERS
from rempart.events.joining import JOINED
from rempart.instants import Instant
from rempart.site.site import LogSource, Site
from rempart.station.reading import Complaints

_log = logging.getLogger("rempart.watch")

REST = 60.0
"""Seconds after which a log is tried again whose following failed."""


class Source:
    """A log being followed, and how it is read."""

    def __init__(self, log: LogSource, follower: Follower | RecordFollower) -> None:
        self.log = log
        self.follower = follower
        self._rests_until = 0.0

    def read(self, complaints: Complaints, now: Instant) -> Lines | None:
        """The lines that have come since, or None. A failure to follow this log is no failure of the others."""
        if time.monotonic() < self._rests_until:
            return None
        try:
            return self.follower.read()
        except Exception as defect:  # what is in the file decided it
            self._rests_until = time.monotonic() + REST
            complaints.stuck(self.log.path, defect, now)
            return None


def logs(places: Places, site: Site) -> tuple[LogSource, ...]:
    """What is followed: the site's logs and the station's own proxy and packet logs, each path once.

    Raises InputRefused when a decoder is not known: a log that nobody reads would be silence that looks like peace.
    """
    own = (
        LogSource(path=str(places.proxy_log), decoder="haproxy"),
        LogSource(path=str(places.packets_log), decoder="ulogd"),
    )
    followed = {log.path: log for log in (*own, *site.logs)}
    for log in followed.values():
        if log.decoder not in DECODERS:
            raise InputRefused(
                f"no decoder is called {log.decoder!a}",
                where=log.path,
                now=f"Known are: {', '.join(DECODERS)}.",
            )
    return tuple(followed.values())


def source_of(log: LogSource, store: EventStore) -> Source:
    """The log, followed on from where the store has it."""
    try:
        return Source(log, _follower(log, store.position(log.path)))
    except msgspec.MsgspecError as fault:
        _log.error(
            "%s: how far it was read is not understood (%s): it is read from its beginning", log.path, fault
        )
        return Source(log, _follower(log, None))


def _follower(log: LogSource, position: bytes | None) -> Follower | RecordFollower:
    if log.path.lower().endswith(".evtx"):
        return RecordFollower(Path(log.path), position)
    return Follower(Path(log.path), position, joined=log.decoder in JOINED)
