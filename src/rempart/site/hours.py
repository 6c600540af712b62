"""Hours: when the house is staffed for work on its network, and when the shifts of the wards begin."""

from dataclasses import dataclass
from datetime import date, datetime

from rempart.site.holiday import is_holiday

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

    holidays: bool = False
    """Whether somebody is there on public holidays too."""

    def works(self, day: date) -> bool:
        """Whether somebody who can mend things comes that day."""
        return day.isoweekday() in self.days and (self.holidays or not is_holiday(day))

    def staffed(self, wall: datetime) -> bool:
        """Whether somebody who can mend things is there when the clock on the wall of the house shows that."""
        return self.works(wall.date()) and self.begins <= wall.hour * 60 + wall.minute < self.ends


def spelled(minute: int) -> str:
    """``08:30`` for 510."""
    return f"{minute // 60:02}:{minute % 60:02}"
