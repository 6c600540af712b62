"""Keeps how often each exception hid which rule, so that who wrote it sees what it does: one JSON file."""

import logging
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rempart.edge import whole
from rempart.instants import Instant

_log = logging.getLogger("rempart.watch")

_MOST = 5_000
"""Pairs of exception and rule that are kept; what was longest not hidden goes first."""
_LARGEST = 8 << 20


class Hiding(msgspec.Struct, frozen=True, kw_only=True):
    """How often one exception hid one rule."""

    exception: str
    """`rempart.detection.exception.Exemption.id`."""
    rule: str
    title: str
    times: int
    first: Instant
    last: Instant


@dataclass(frozen=True, slots=True)
class HiddenFile:
    """The file."""

    path: Path

    def read(self) -> tuple[Hiding, ...]:
        """What was counted. Raises OSError when it cannot be read, ValueError when it is damaged."""
        try:
            with self.path.open("rb") as file:
                return msgspec.json.decode(file.read(_LARGEST), type=tuple[Hiding, ...])
        except FileNotFoundError:
            return ()

    def write(self, hidings: tuple[Hiding, ...]) -> None:
        """Keep it in the place of what was kept. A disk that refuses is said."""
        newest = sorted(hidings, key=lambda each: -each.last)[:_MOST]
        try:
            whole.put(self.path, msgspec.json.encode(newest), lasting=False)
        except OSError as fault:
            _log.error("%s: what exceptions hid could not be kept: %s", self.path, fault)
