"""How long an opening may be on trial while the site is contained: one to three days, unless the site says."""

from dataclasses import dataclass

DAY = 86_400
"""Seconds."""

_UNITS = ((3_600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialLength:
    """The bounds of a trial, in seconds: long enough to see a night and a day, too short to be forgotten."""

    shortest: int = DAY
    longest: int = 3 * DAY

    def admits(self, seconds: int) -> bool:
        """Whether a trial may last so long."""
        return self.shortest <= seconds <= self.longest

    @property
    def watched(self) -> int:
        """Seconds that are watched before anybody can confirm a trial: so the shortest leaves time to do it."""
        return self.shortest * 3 // 4


def spelled(seconds: int) -> str:
    """A length as people say it: ``72 h``, ``90 min``, ``20 s``."""
    size, unit = next((each for each in _UNITS if seconds % each[0] == 0), _UNITS[-1])
    return f"{seconds // size} {unit}"
