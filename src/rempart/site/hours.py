"""Hours: when the house is staffed for work on its network, and when the shifts of the wards begin."""

from dataclasses import dataclass

DAY = 24 * 60
"""Minutes in a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours on the wall clock of the house, as minutes after midnight; days as in ISO 8601, Monday is 1."""

    days: tuple[int, ...] = (1, 2, 3, 4, 5)
    begins: int = 8 * 60
    ends: int = 17 * 60
    shifts: tuple[int, ...] = (7 * 60, 14 * 60, 21 * 60)
    """When a shift begins, in order; the last one runs over midnight."""

    def staffed(self, weekday: int, minute: int) -> bool:
        """Whether somebody who can mend things is there at that minute of that day."""
        return weekday in self.days and self.begins <= minute < self.ends

    def since_shift(self, minute: int) -> int:
        """Minutes since the present shift began."""
        return min(((minute - start) % DAY for start in self.shifts), default=minute)


def spelled(minute: int) -> str:
    """``08:30`` for 510."""
    return f"{minute // 60:02}:{minute % 60:02}"
