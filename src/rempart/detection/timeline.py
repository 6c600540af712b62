"""When rules fired, by ATT&CK tactic: counted in bounded memory, then laid out as a drawing.

Only places and sizes are reckoned here; the template draws them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from rempart.detection.finding import Level
from rempart.detection.tactic import Tactic
from rempart.instants import Instant, as_datetime, from_datetime

MOST_CELLS = 20_000
"""Cells that are kept apart; with more of them, the time of one is doubled."""
MOST_SILENCES = 6
"""Silences that are folded away."""

WIDTH = 1000
"""Units from the left end of the axis to its right end."""
LANE = 36
_GAP = 46
"""Units of a folded silence."""
_COLUMN = 5
_TICK = 92
"""Units that a tick with its words needs."""

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_STEPS = (
    *(each * _SECOND for each in (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)),
    *(days * _DAY for days in (1, 2, 7, 14)),
)
_MONTHS = (1, 3, 6, 12, 60, 120, 600)
_MONTH = 30 * _DAY
_UNITS = ((365 * 86_400, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(slots=True)
class Cell:
    """The matches of one tactic within one cell of time."""

    count: int = 0
    worst: Level = Level.INFORMATIONAL

    def add(self, count: int, worst: Level) -> None:
        """Take in more."""
        self.count += count
        self.worst = max(self.worst, worst)


@dataclass(slots=True)
class Moments:
    """When matches were, by tactic (None: a rule that names none)."""

    length: int = _SECOND
    """Microseconds of one cell."""
    cells: dict[tuple[Tactic | None, int], Cell] = field(default_factory=dict)

    def add(self, tactics: Iterable[Tactic | None], time: Instant, level: Level) -> None:
        """One match."""
        for tactic in tactics:
            self.cells.setdefault((tactic, time // self.length), Cell()).add(1, level)
        while len(self.cells) > MOST_CELLS:
            self._coarsen()

    def _coarsen(self) -> None:
        finer, self.cells = self.cells, {}
        self.length *= 2
        for (tactic, number), cell in finer.items():
            self.cells.setdefault((tactic, number // 2), Cell()).add(cell.count, cell.worst)


@dataclass(frozen=True, slots=True)
class Mark:
    """What fired in one lane at one place of the axis. ``size`` is from 0 to 1, by the number of matches."""

    x: float
    size: float
    count: int
    worst: Level
    when: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The marks of one tactic, from left to right."""

    tactic: Tactic | None
    y: int
    count: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A point of the axis with its clock; ``day`` where a day is told, above it."""

    x: float
    clock: str
    day: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which nothing fired, folded away."""

    x: float
    told: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole picture."""

    width: int
    height: int
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    silences: tuple[Silence, ...]


def draw(moments: Moments) -> Drawing:
    """Lanes in the order of an attack, time from left to right, long silences folded."""
    numbers = sorted({number for _, number in moments.cells})
    axis = _Axis(_stretches(numbers), moments.length)
    order = (*Tactic, None)
    shown = [tactic for tactic in order if any(each is tactic for each, _ in moments.cells)]
    lanes = tuple(_lane(tactic, LANE * place, moments, axis) for place, tactic in enumerate(shown))
    return Drawing(WIDTH, LANE * len(lanes), lanes, tuple(axis.ticks()), tuple(axis.silences()))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Cells from ``first`` to ``last`` without a long silence between them."""

    first: int
    last: int

    @property
    def cells(self) -> int:
        return self.last - self.first + 1


def _stretches(numbers: Sequence[int]) -> list[_Stretch]:
    """Cut where the longest silences are, as long as each is more than a quarter of what is left to be shown."""
    if not numbers:
        return []
    left = numbers[-1] - numbers[0] + 1
    cuts: list[tuple[int, int]] = []
    for before, beyond in sorted(pairwise(numbers), key=lambda pair: pair[0] - pair[1]):
        silent = beyond - before - 1
        if len(cuts) == MOST_SILENCES or 4 * silent <= left or silent < _GAP:
            break
        left -= silent
        cuts.append((before, beyond))
    ends = sorted(cuts)
    firsts = [numbers[0], *(beyond for _, beyond in ends)]
    lasts = [*(before for before, _ in ends), numbers[-1]]
    return [_Stretch(first, last) for first, last in zip(firsts, lasts, strict=True)]


class _Axis:
    """Where a cell lies. Each stretch has room for its ends at least, then by its length."""

    def __init__(self, stretches: Sequence[_Stretch], length: int) -> None:
        self._stretches, self._length = stretches, length
        room = WIDTH - _GAP * max(0, len(stretches) - 1)
        least = min(2 * _TICK, room / max(1, len(stretches)))
        spare, cells = room - least * len(stretches), sum(each.cells for each in stretches)
        self._places: list[tuple[float, float]] = []
        begin = 0.0
        for each in stretches:
            wide = least + spare * each.cells / cells
            self._places.append((begin, wide))
            begin += wide + _GAP

    def at(self, number: int) -> float:
        """The middle of a cell."""
        stretch, (begin, wide) = next(
            pair for pair in zip(self._stretches, self._places, strict=True) if number <= pair[0].last
        )
        return begin + wide * (number - stretch.first + 0.5) / stretch.cells

    def ticks(self) -> Iterable[Tick]:
        for stretch, (begin, wide) in zip(self._stretches, self._places, strict=True):
            yield from _ticks(stretch, begin, wide, self._length)

    def silences(self) -> Iterable[Silence]:
        ends = zip(pairwise(self._stretches), pairwise(self._places), strict=True)
        for (before, beyond), ((begin, wide), (next_begin, _)) in ends:
            silent = (beyond.first - before.last) * self._length
            yield Silence((begin + wide + next_begin) / 2, roughly(silent))


def _ticks(stretch: _Stretch, begin: float, wide: float, length: int) -> Iterable[Tick]:
    """The stretch's first moment, then round times as far as their words have room; a day is told where it is new."""
    start, span = stretch.first * length, stretch.cells * length
    step, rounds = _rounds(start, span, wide / _TICK)
    yield Tick(begin + (wide / 2 if stretch.cells == 1 else 0), _clock(start, step), _day(start))
    told, free = _day(start), begin + _TICK
    for time in rounds:
        x = begin + wide * (time - start) / span
        if free <= x <= begin + wide - _TICK:
            day = _day(time)
            yield Tick(x, _clock(time, step), "" if day == told else day)
            told, free = day, x + _TICK


def _rounds(start: int, span: int, most: float) -> tuple[int, Iterable[int]]:
    """Round times after ``start``, about ``most`` of them, and how far they are apart."""
    step = next((each for each in _STEPS if span / each <= most), None)
    if step is not None:
        return step, range((start // step + 1) * step, start + span, step)
    months = next((each for each in _MONTHS if span / (each * _MONTH) <= most), _MONTHS[-1])
    first, end = as_datetime(Instant(start)), as_datetime(Instant(start + span - 1))
    numbers = range(12 * first.year // months * months, 12 * end.year + end.month, months)
    firsts = (datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC) for number in numbers if number >= 12)
    return months * _MONTH, [time for each in firsts if (time := from_datetime(each)) > start]


def _lane(tactic: Tactic | None, y: int, moments: Moments, axis: _Axis) -> Lane:
    columns: dict[int, tuple[Cell, list[int]]] = {}
    for (each, number), cell in moments.cells.items():
        if each is tactic:
            whole, numbers = columns.setdefault(int(axis.at(number) // _COLUMN), (Cell(), []))
            whole.add(cell.count, cell.worst)
            numbers.append(number)
    marks = tuple(
        Mark(
            x=column * _COLUMN + _COLUMN / 2,
            size=min(1.0, (cell.count.bit_length()) / 10),
            count=cell.count,
            worst=cell.worst,
            when=between(min(numbers) * moments.length, max(numbers) * moments.length),
        )
        for column, (cell, numbers) in sorted(columns.items())
    )
    return Lane(tactic, y, sum(mark.count for mark in marks), marks)


def moment(time: Instant | int) -> str:
    """*3 Nov 2020, 10:12:05*, in UTC."""
    return f"{_day(time)}, {as_datetime(Instant(time)):%H:%M:%S}"


def between(first: int, last: int) -> str:
    """*3 Nov 2020, 10:12:05 to 10:13:00*; days only where it was weeks."""
    if moment(first) == moment(last):
        return moment(first)
    if last - first > 14 * _DAY:
        return f"{_day(first)} to {_day(last)}"
    until = moment(last) if _day(first) != _day(last) else f"{as_datetime(Instant(last)):%H:%M:%S}"
    return f"{moment(first)} to {until}"


def _day(time: int) -> str:
    day = as_datetime(Instant(time))
    return f"{day.day} {day:%b %Y}"


def _clock(time: int, step: int) -> str:
    """As fine as the ticks are apart; nothing where they are days."""
    if step >= _DAY:
        return ""
    return f"{as_datetime(Instant(time)):{'%H:%M' if step >= 60 * _SECOND else '%H:%M:%S'}}"


def roughly(length: int) -> str:
    """*3 days*, *1 hour*: a length of time in microseconds as people say it."""
    for seconds, unit in _UNITS:
        if length >= seconds * _SECOND:
            number = round(length / (seconds * _SECOND))
            return f"{number} {unit}" + ("s" if number != 1 else "")
    return "a moment"
