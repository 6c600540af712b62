"""Legal clocks on the duty page: whom to tell, by when, and how long is left. For those who check on things."""

from collections.abc import Mapping
from dataclasses import dataclass

from rempart.console.incident import INCIDENTS, OBLIGATIONS
from rempart.console.when import length, moment
from rempart.console.words import Words, plain
from rempart.instants import Duration, Instant, hours, minutes
from rempart.messages import ClockStatus, Status

MOST = 4
"""Clocks told on the duty page, the soonest end first; the pages of the incidents have them all."""

_SOON: Duration = hours(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalClock:
    """One duty to tell somebody whose time runs."""

    id: str
    what: str
    when: str
    """By when, and how long is left."""
    mood: str
    """bad: over; doubt: soon; good: there is time."""
    link: str
    """To the duties of its incident."""
    language: str
    """Language of ``what``."""
    about: str
    """Its incident in a sentence; empty while all clocks are of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalClocks:
    """What runs."""

    shown: tuple[LegalClock, ...]
    more: str
    """How many others run, in a sentence, or nothing."""


def legal_clocks(
    status: Status | None, now: Instant, words: Words, incidents: Mapping[str, str]
) -> LegalClocks | None:
    """The clocks that a person's answers started; None while none runs. ``incidents``: each in a sentence, by id."""
    running = status.clocks if status else []
    if not running:
        return None
    others, several = len(running) - MOST, len({each.incident for each in running}) > 1
    return LegalClocks(
        shown=tuple(
            _clock(each, now, words, incidents.get(each.incident, each.incident) if several else "")
            for each in running[:MOST]
        ),
        more=words.say("clock.more", count=others) if others > 0 else "",
    )


def _clock(running: ClockStatus, now: Instant, words: Words, about: str) -> LegalClock:
    known, language = OBLIGATIONS.duties.get(running.duty), words.language.value
    when, mood = _when(running, now, words)
    return LegalClock(
        id=f"{running.incident}-{running.duty}",
        what=plain(known.name[language] if known else running.duty),
        when=when,
        mood=mood,
        link=f"{INCIDENTS}/{running.incident}#duties",
        language=language,
        about=about,
    )


def _when(running: ClockStatus, now: Instant, words: Words) -> tuple[str, str]:
    """In minutes at the finest: a page that counts seconds would never be still."""
    if running.due is None:
        return words.say("clock.open", at=moment(running.started, now, words)), "good"
    left, at = running.due - now, moment(running.due, now, words)
    if left < 0:
        return words.say("clock.over", at=at), "bad"
    if left < minutes(2):
        return words.say("clock.now", at=at), "bad"
    return words.say("clock.left", at=at, left=length(left, words)), "doubt" if left < _SOON else "good"
