"""The cut as it is offered: what it would shut as things stand, and in which words, the first time and again."""

from dataclasses import dataclass
from enum import StrEnum

from rempart.console.when import length
from rempart.console.words import Words, plain
from rempart.containment.measure import stricter
from rempart.instants import Instant
from rempart.messages import OpeningStatus, Posture, Status
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site

_NAMED = 2
"""Doors that the button names; of more it says how many."""


class Turn(StrEnum):
    """What a cut that is ordered now does."""

    FIRST = "first"
    """It cuts."""
    AGAIN = "again"
    """The cut stands; it shuts what was opened since."""
    KEEP = "keep"
    """The cut stands and would end by itself; it makes it stay."""
    IDLE = "idle"
    """The cut stands, and there is nothing to shut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A cut that could be ordered now, in words."""

    turn: Turn
    button: str
    small: str
    title: str
    lead: str
    shuts: tuple[Opening, ...]
    """Openings that close, what care needs first. Lifelines are filtered, never shut."""


def cut(site: Site, status: Status | None, now: Instant, words: Words) -> Cut:
    """What is offered as things stand; ``status`` None: no guard answers, and every door may be open."""
    stands = {each.id: each for each in status.openings} if status else {}
    shuts = tuple(
        each
        for each in sorted(site.openings, key=lambda opening: opening.care)
        if each.left_by_cut is OpeningState.CLOSED and _closes(stands.get(each.id))
    )
    turn = _turn(site, status)
    named = ", ".join(plain(each.name) for each in shuts[:_NAMED]) + (" …" if len(shuts) > _NAMED else "")
    ends = status.cut_until if status else None
    left = length(max(0, ends - now), words) if ends is not None else ""
    small = turn if shuts or turn is not Turn.AGAIN else Turn.FIRST
    return Cut(
        turn=turn,
        button=words.say(f"cut.{turn}.button"),
        small=words.say(f"cut.{small}.small", count=len(shuts), doors=named, left=left),
        title=words.say(f"cut.{turn}.title"),
        lead=words.say(f"cut.{turn}.lead"),
        shuts=shuts,
    )


def _turn(site: Site, status: Status | None) -> Turn:
    if status is None or status.posture not in (Posture.CONTAINED, Posture.REOPENING):
        return Turn.FIRST
    if status.cut_until is not None:
        return Turn.KEEP
    stands = {each.id: each for each in status.openings}
    return Turn.AGAIN if any(_looser(each, stands.get(each.id)) for each in site.openings) else Turn.IDLE


def _closes(stand: OpeningStatus | None) -> bool:
    return stand is None or stand.state is not OpeningState.CLOSED


def _looser(opening: Opening, stand: OpeningStatus | None) -> bool:
    return stand is not None and stricter(stand.state, opening.left_by_cut) is not stand.state
