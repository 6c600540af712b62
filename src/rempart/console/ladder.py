"""The ladder of the way back as a drawing: stages as rungs, gates as small squares, a trial as a clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import cos, pi, sin

WIDTH = 720
"""Units of the drawing across."""
_ROW, _HEAD = 34, 30
_SQUARES, _PITCH = 400, 24
_CLOCK, _RADIUS = 610, 11


class Fill(StrEnum):
    """How far a gate is: its square is filled, half or empty. Told by shape, so that colour is not needed."""

    FULL = "full"  # passed, with a proof
    HALF = "half"  # somebody or a machine said something, and it does not pass yet
    EMPTY = "empty"  # nobody said anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one door, or one machine of the core, has to show. ``left``: the share of its trial still to run."""

    name: str
    state: str
    word: str
    gates: tuple[Fill, ...] = ()
    left: float | None = None
    door: str = ""
    """The opening's id, where its card stands further down the page; empty: it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One stage."""

    title: str
    steps: tuple[Step, ...]
    here: bool = False
    """The first stage that is not done: where we are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A step where it is drawn: its baseline, its squares as (x, fill), its clock's hand as an SVG path."""

    y: int
    step: Step
    squares: tuple[tuple[int, Fill], ...]
    clock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The whole drawing: titles as (y, text, whether we are here), then rows."""

    width: int
    height: int
    titles: tuple[tuple[int, str, bool], ...]
    rows: tuple[Row, ...]


def ladder(rungs: Sequence[Rung]) -> Drawn:
    """Where everything stands, the first stage at the top."""
    titles: list[tuple[int, str, bool]] = []
    rows: list[Row] = []
    y = 0
    for rung in rungs:
        titles.append((y + 20, rung.title, rung.here))
        y += _HEAD
        rows += _rows(rung.steps, y)
        y += _ROW * len(rung.steps) + 8
    return Drawn(width=WIDTH, height=max(y, _HEAD), titles=tuple(titles), rows=tuple(rows))


def _rows(steps: Sequence[Step], top: int) -> Iterator[Row]:
    for number, step in enumerate(steps):
        y = top + _ROW * number + _ROW // 2
        squares = tuple((_SQUARES + _PITCH * each, fill) for each, fill in enumerate(step.gates))
        yield Row(y=y, step=step, squares=squares, clock="" if step.left is None else _pie(y, step.left))


def _pie(y: int, left: float) -> str:
    """The part of a clock's face that is still to run, from twelve, clockwise."""
    share = min(max(left, 0.0), 0.999)  # a full circle has no arc from a point to itself
    angle = 2 * pi * share
    x_end, y_end = _CLOCK + _RADIUS * sin(angle), y - _RADIUS * cos(angle)
    large = int(share > 0.5)
    return f"M{_CLOCK} {y}V{y - _RADIUS}A{_RADIUS} {_RADIUS} 0 {large} 1 {x_end:.1f} {y_end:.1f}Z"
