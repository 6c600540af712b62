"""A rehearsal: the site is really cut for some minutes in daytime, and each ward says what still worked.

The cut undoes itself in the kernel. It has passed when it ran its whole length, five minutes or more, and every ward
answered every question with yes; only then, and for half a year, may the policy contain the site by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rempart.care.reply import Reply
from rempart.instants import Duration, Instant, hours, minutes
from rempart.phrase import Phrase, phrase
from rempart.site.site import Site

VALID: Duration = hours(24 * 183)
"""How long a passed rehearsal unlocks automatic containment: six months."""

PROVES: Duration = minutes(5)
"""Shortest cut that proves something: in less, a ward cannot try everything, and what fails slowly still works."""

TOLD_WITHIN: Duration = hours(24)
"""How long after its end wards may still answer."""


class Question(StrEnum):
    """What each ward tries while the site is cut."""

    CALL = "call"  # telephone and nurse call
    PRINT = "print"
    LOG_IN = "log-in"  # on the care file
    MEDICATION = "medication"  # give it, and note it
    DOOR = "door"  # open the doors that have electronic locks


class Becomes(StrEnum):
    """What a rehearsal teaches about an opening of site.toml."""

    LIFELINE = "lifeline"  # care hung on it: it must stay, filtered
    NO_LIFELINE = "no-lifeline"  # nothing hung on it
    OPENING = "opening"  # something unknown went out: it needs an opening of its own
    FALLBACK = "fallback"  # its fallback did not work


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One ward's answer to one question."""

    reply: Reply
    note: str
    by: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One thing that must change, or has changed, in site.toml."""

    opening: str
    becomes: Becomes
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """The latest rehearsal. ``ticks`` maps a ward's id to its answers by question."""

    began: Instant
    until: Instant
    by: str
    ended: Instant | None = None
    early: bool = False
    """Somebody ended it, or the site was contained meanwhile: it then proves nothing."""
    ticks: Mapping[str, Mapping[str, Tick]] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()

    @property
    def running(self) -> bool:
        """Whether the rehearsed cut stands now."""
        return self.ended is None


def unanswered(site: Site, rehearsal: Rehearsal) -> tuple[tuple[str, Question], ...]:
    """Wards and questions that nobody has answered with yes or no."""
    return tuple(
        (ward.id, question)
        for ward in site.wards
        for question in Question
        if _reply(rehearsal, ward.id, question) is Reply.UNKNOWN
    )


def failed(site: Site, rehearsal: Rehearsal) -> tuple[tuple[str, Question], ...]:
    """Wards and questions that were answered with no."""
    return tuple(
        (ward.id, question)
        for ward in site.wards
        for question in Question
        if _reply(rehearsal, ward.id, question) is Reply.NO
    )


def locked(site: Site, rehearsal: Rehearsal | None, now: Instant) -> Phrase | None:
    """Why the station may not contain the site by itself; None: it may."""
    if not site.enforces:
        return phrase("locked-observer")
    if rehearsal is None:
        return phrase("locked-never")
    if not site.wards:
        return phrase("locked-no-wards")
    if rehearsal.ended is None:
        return phrase("locked-running")
    if rehearsal.early:
        return phrase("locked-early")
    if rehearsal.until - rehearsal.began < PROVES:
        return phrase("locked-short")
    if wrong := failed(site, rehearsal):
        return phrase("locked-failed", count=len(wrong))
    if missing := unanswered(site, rehearsal):
        return phrase("locked-unanswered", count=len(missing))
    if now - rehearsal.ended > VALID:
        return phrase("locked-old")
    return None


def _reply(rehearsal: Rehearsal, ward: str, question: Question) -> Reply:
    tick = rehearsal.ticks.get(ward, {}).get(question.value)
    return tick.reply if tick else Reply.UNKNOWN
