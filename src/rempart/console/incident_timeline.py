"""The picture of an incident: how doors closed and opened along time, as SVG and as a table with the same content."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from rempart.console.naming import Names
from rempart.console.when import moment
from rempart.console.words import Words, plain
from rempart.engine.state import Swing
from rempart.instants import Instant
from rempart.site.opening import OpeningState

LEFT, RIGHT, TOP, ROW = 270.0, 880.0, 46.0, 40.0
"""Units of the drawing: where time begins and ends, and where the rows are."""

_LAST = RIGHT - 40
"""Where the end of time is: a little before the edge, so that the last state is seen."""

MOST_ROWS = 24


@dataclass(frozen=True, slots=True)
class Span:
    """A door in one state from one place on the axis of time to another."""

    x1: float
    x2: float
    state: OpeningState


@dataclass(frozen=True, slots=True)
class DoorLine:
    """One door along time."""

    name: str
    y: float
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The picture and its table."""

    left: float
    right: float
    height: float
    begins: Annotated[str, "Where time begins."]
    ends: Annotated[str, "Where it ends: now, or when the incident was last seen."]
    doors: tuple[DoorLine, ...]
    signs: Annotated[tuple[float, ...], "Where on the axis something was seen."]
    rows: Annotated[
        tuple[tuple[str, str, str, str, str], ...], "When, door, state (for its shape), words, by whom."
    ]


def timeline(
    swings: Sequence[Swing],
    signs: Sequence[Instant],
    begins: Instant,
    ends: Instant,
    now: Instant,
    names: Names,
    words: Words,
) -> Timeline | None:
    """The picture of the doors that moved in that time; None when none did."""
    shown = [swing for swing in swings if begins <= swing.at <= ends]
    moved = list(dict.fromkeys(swing.opening for swing in shown))[:MOST_ROWS]
    if not moved:
        return None
    length = max(1, ends - begins)

    def x(at: Instant) -> float:
        return round(LEFT + (_LAST - LEFT) * (min(max(at, begins), ends) - begins) / length, 1)

    lines = tuple(
        DoorLine(
            plain(names.of(opening)),
            TOP + ROW * (row + 1),
            _spans([s for s in shown if s.opening == opening], x),
        )
        for row, opening in enumerate(moved)
    )
    return Timeline(
        left=LEFT,
        right=RIGHT,
        height=TOP + ROW * (len(moved) + 1),
        begins=moment(begins, now, words),
        ends=moment(ends, now, words),
        doors=lines,
        signs=tuple(sorted({x(at) for at in signs if begins <= at <= ends})),
        rows=tuple(
            (
                moment(swing.at, now, words),
                plain(names.of(swing.opening)),
                swing.state.value,
                words.say(
                    "case.swung",
                    was=words.say(f"state.{swing.was.value}"),
                    state=words.say(f"state.{swing.state.value}"),
                ),
                by(swing.by, words),
            )
            for swing in shown
            if swing.opening in moved
        ),
    )


def _spans(swings: Sequence[Swing], x: Callable[[Instant], float]) -> tuple[Span, ...]:
    """A door's states one after the other, from the beginning of time to its end."""
    places = [LEFT, *(x(swing.at) for swing in swings), RIGHT]
    states = [swings[0].was, *(swing.state for swing in swings)]
    return tuple(
        Span(x1, x2, state) for x1, x2, state in zip(places, places[1:], states, strict=False) if x2 > x1
    )


def by(name: str, words: Words) -> str:
    """Who did something, in words: the station, a person, or somebody whose name is not for this reader."""
    if name == "rempart":
        return words.say("case.station")
    return plain(name) if name else words.say("case.somebody")
