"""How the site stands, left by the console where the staff page's process reads it: a JSON file, whole or not there."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rempart.edge import whole
from rempart.instants import Duration, Instant, seconds
from rempart.messages import Status

FRESH: Duration = seconds(15)
"""An older notice is no longer believed: the guard speaks every three seconds, and is given up after ten."""

_MOST = 1 << 20
"""Bytes of the longest notice."""


@dataclass(frozen=True, slots=True)
class StaffNotice:
    """The notice at ``path``. The folder is the console's; others may read there and not write."""

    path: Path

    def leave(self, status: Status) -> None:
        """Put it there in the place of the last one. Raises OSError."""
        whole.put(
            self.path, msgspec.json.encode(status), mode=0o644, lasting=False
        )  # in memory, every few seconds

    def read(self, now: Instant) -> tuple[Status | None, Instant | None]:
        """How the site stands, and when the guard last said so. The first is None when that was too long ago or is in
        the future, both when there is nothing that can be read."""
        with contextlib.suppress(OSError, msgspec.MsgspecError), self.path.open("rb") as file:
            status = msgspec.json.decode(file.read(_MOST), type=Status)
            return (status if abs(now - status.now) <= FRESH else None), status.now
        return None, None
