"""The timeline of an incident: what happened, line by line, each citing the journal entry it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass

from rempart.duties.words import Words
from rempart.incidents.incident import Sentence
from rempart.instants import Instant
from rempart.site.belgian_time import belgian
from rempart.site.language import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One journal entry that concerns the incident. ``at`` is when it happened, ``entry`` its number."""

    entry: int
    at: Instant
    sentence: Sentence
    late: bool = False
    """Applied before it was sealed."""


@dataclass(frozen=True, slots=True)
class Told:
    """A line in words, ready to be shown."""

    entry: str
    when: str
    what: str


def lines(entries: Iterable[Line], words: Words, language: Language) -> tuple[Told, ...]:
    """The lines in the order of the journal, in words."""
    return tuple(_told(line, words, language) for line in sorted(entries, key=lambda line: line.entry))


def _told(line: Line, words: Words, language: Language) -> Told:
    what = words.tell(line.sentence, language)
    if line.late:
        what = f"{what} [{words.say('timeline.late-mark', language)}]"
    return Told(str(line.entry), belgian(line.at), what)
