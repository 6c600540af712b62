"""Public holidays in Belgium: days on which nobody comes to mend things, whatever the day of the week.

The ten of the royal decree of 18 April 1974 (article 1), which carries out the law of 4 January 1974 on public
holidays. One that falls on a Sunday is replaced by a day that each employer chooses: that day is not known here.
"""

from datetime import date, timedelta
from functools import lru_cache

_FIXED = ((1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25))
"""Month and day: New Year, Labour Day, the national day, Assumption, All Saints, Armistice, Christmas."""

_AFTER_EASTER = (1, 39, 50)
"""Days after Easter Sunday: Easter Monday, Ascension, Whit Monday."""


def is_holiday(day: date) -> bool:
    """Whether the law makes it a holiday."""
    return (day.month, day.day) in _FIXED or (day - easter(day.year)).days in _AFTER_EASTER


@lru_cache(maxsize=64)
def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (J. Meeus, Astronomical Algorithms, chapter 8)."""
    century, in_century = divmod(year, 100)
    metonic = year % 19
    moved = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * metonic + century - century // 4 - moved + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (in_century // 4) - epact - in_century % 4) % 7
    late = (metonic + 11 * epact + 22 * weekday) // 451
    return date(year, 3, 22) + timedelta(days=epact + weekday - 7 * late)
