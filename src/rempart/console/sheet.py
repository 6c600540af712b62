"""A sheet: one of the technician's pages that tell how something stands, card by card, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from rempart.console.words import Words


class Mood(StrEnum):
    """Whether a line needs somebody. Its word says it too."""

    PLAIN = ""
    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing and how it stands."""

    name: str
    mood: Mood = Mood.PLAIN
    word: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Lines under one heading."""

    title: str
    lead: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """The one order that a sheet may offer; a passkey confirms it on a page of its own."""

    id: str
    title: str
    lead: str
    address: str
    """Where its form is sent."""
    reason: str
    """What the field for the reason is called."""
    button: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPage:
    """A page of cards."""

    name: Annotated[str, "Which of the technician's pages it is: its address without the slash."]
    title: Annotated[str, "Its heading."]
    lead: Annotated[str, "What it is about."]
    silent: Annotated[str, "That watch does not answer and nothing is known; nothing when it does."]
    cards: Annotated[tuple[Card, ...], "What it tells."]
    tabs: Annotated[Mapping[str, str], "Names of the technician's pages."]
    act: Annotated[Act | None, "What may be ordered here; mostly nothing."] = None


def sheet(
    name: str, words: Words, cards: tuple[Card, ...], *, silent: bool = False, act: Act | None = None
) -> SheetPage:
    """The page of that name."""
    return SheetPage(
        name=name,
        title=words.say(f"{name}.title"),
        lead=words.say(f"{name}.lead"),
        silent=words.say("findings.silent") if silent else "",
        cards=cards,
        tabs=words.under("technique"),
        act=act,
    )
