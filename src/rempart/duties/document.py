"""Papers as data: the complaint to the police and the incident's timeline, before they are set in type.

Nothing is asserted that is not known: what nobody established is said to be unknown, and what only a person can
say is left to be filled in by hand. A paper is dated by the last journal entry it knows, not by the hour at which
it is made, so that the same journal always makes the same paper.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from rempart.duties.timeline import Line, lines
from rempart.duties.words import Words, plain
from rempart.incidents.incident import Incident
from rempart.instants import Instant
from rempart.site.belgian_time import belgian
from rempart.site.site import Language


class Field(msgspec.Struct, frozen=True):
    """A label and what is known about it. ``blank`` leaves a line to be filled in by hand."""

    label: str
    value: str
    blank: bool = False


class Fields(msgspec.Struct, frozen=True, tag="fields"):
    """Facts, one a line."""

    heading: str
    fields: tuple[Field, ...]


class Story(msgspec.Struct, frozen=True, tag="story"):
    """The timeline: entry, moment and what happened."""

    heading: str
    columns: tuple[str, str, str]
    rows: tuple[tuple[str, str, str], ...]
    empty: str
    """What is said when there is no row."""


class Prose(msgspec.Struct, frozen=True, tag="prose"):
    """Paragraphs."""

    heading: str
    paragraphs: tuple[str, ...]


class Signature(msgspec.Struct, frozen=True, tag="signature"):
    """Room for a person to sign."""

    heading: str
    line: str


class Drawing(msgspec.Struct, frozen=True, tag="drawing"):
    """A picture."""

    heading: str
    svg: str


class Paper(msgspec.Struct, frozen=True):
    """A whole paper, ready to be set in type."""

    title: str
    subtitle: str
    notice: str
    language: Language
    page: str
    """The word for "page"."""
    as_of: Instant
    sections: tuple[Fields | Story | Prose | Signature | Drawing, ...]


class Complainant(msgspec.Struct, frozen=True):
    """The institution, as far as the site's description names it. Empty: to be filled in by hand."""

    name: str = ""
    phone: str = ""


class Seals(msgspec.Struct, frozen=True):
    """The journal behind the paper: number of entries and hex of the RFC 6962 root over them."""

    entries: int
    root: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the papers say of one incident."""

    incident: Incident
    lines: tuple[Line, ...]
    """In the order of the journal."""
    seals: Seals
    who: Complainant = Complainant()
    left_out: int = 0
    """Lines of the journal that concern it and were too many to be told, between those that are."""
    masked: bool = False
    """Whether workers' accounts stand behind masks."""


def timeline(account: Account, words: Words, language: Language) -> Paper:
    """The incident's timeline, each line citing its journal entry."""
    incident, entries, who = account.incident, account.lines, account.who
    return Paper(
        title=words.say("timeline.title", language),
        subtitle=_subtitle(incident, who),
        notice=words.say("paper.notice", language),
        language=language,
        page=words.say("word.page", language),
        as_of=_as_of(incident, entries),
        sections=(
            *_notes(account, words, language),
            _facts(incident, entries, words, language, heading=""),
            _story(entries, words, language, heading=words.say("timeline.story", language)),
        ),
    )


def complaint(account: Account, words: Words, language: Language) -> Paper:
    """A complaint to the police, to be completed, signed and filed by a person."""
    incident, entries, who, seals = account.incident, account.lines, account.who, account.seals

    def say(key: str, **arguments: object) -> str:
        return words.say(f"complaint.{key}", language, **arguments)

    return Paper(
        title=say("title"),
        subtitle=_subtitle(incident, who),
        notice=words.say("paper.notice", language),
        language=language,
        page=words.say("word.page", language),
        as_of=_as_of(incident, entries),
        sections=(
            Prose("", (say("to"),)),
            *_notes(account, words, language),
            _complainant(who, words, language),
            _facts(incident, entries, words, language, heading=say("facts")),
            _traces(incident, words, language),
            _story(entries, words, language, heading=say("story")),
            Prose(
                say("evidence"),
                (say("sealed", entries=seals.entries, root=seals.root), say("keep"), say("law")),
            ),
            Prose(say("unknown"), _unknown(incident, words, language)),
            Signature(say("sign"), say("sign-line")),
        ),
    )


def _notes(account: Account, words: Words, language: Language) -> Iterator[Prose]:
    """What whoever reads must know of how the paper was made."""
    if account.masked:
        yield Prose("", (words.say("paper.masked", language),))
    if account.left_out:
        yield Prose("", (words.say("paper.left-out", language, count=account.left_out),))


def _subtitle(incident: Incident, who: Complainant) -> str:
    return " · ".join(plain(part) for part in (who.name, incident.id) if part)


def _as_of(incident: Incident, entries: Iterable[Line]) -> Instant:
    return max((line.at for line in entries), default=incident.last_seen)


def _complainant(who: Complainant, words: Words, language: Language) -> Fields:
    by_hand = words.word("to-fill", language)
    known = (("institution", who.name), ("phone", who.phone))
    labels = ("address", "number", "signatory")
    return Fields(
        words.say("complaint.who", language),
        (
            *(
                Field(
                    words.say(f"complaint.{label}", language), plain(value) or by_hand, blank=not plain(value)
                )
                for label, value in known
            ),
            *(Field(words.say(f"complaint.{label}", language), by_hand, blank=True) for label in labels),
        ),
    )


def _facts(
    incident: Incident, entries: Sequence[Line], words: Words, language: Language, *, heading: str
) -> Fields:
    def say(key: str) -> str:
        return words.say(f"complaint.{key}", language)

    persons = (
        say("persons-unknown") if incident.persons_touched is None else _grouped(incident.persons_touched)
    )
    kinds = ", ".join(words.say(f"kind.{kind.value}", language) for kind in sorted(incident.kinds))
    last = max((line.entry for line in entries), default=None)
    state = (
        words.say("paper.no-entry", language)
        if last is None
        else words.say("paper.as-of", language, entry=last, at=_as_of(incident, entries))
    )
    qualified = incident.qualification
    return Fields(
        heading,
        (
            Field(say("incident"), plain(incident.id)),
            Field(say("opened"), belgian(incident.opened)),
            Field(say("last"), belgian(incident.last_seen)),
            Field(say("state"), f"{words.say(f'incident.{incident.state.value}', language)}\n{state}"),
            Field(say("level"), words.say(f"level.{incident.level.name.lower()}", language)),
            Field(say("kinds"), kinds or words.word("unknown", language)),
            Field(say("author"), words.word(qualified.author, language)),
            Field(say("intent"), words.word(qualified.intent, language)),
            Field(say("ransom"), words.word(qualified.ransom, language)),
            Field(say("outcome"), words.word(qualified.outcome, language)),
            Field(say("persons"), persons),
        ),
    )


def _grouped(number: int) -> str:
    """A whole number in groups of three, as both languages read it."""
    return f"{number:,}".replace(",", "\u00a0")


def _traces(incident: Incident, words: Words, language: Language) -> Fields:
    none = words.word("none", language)
    known = (("actors", incident.actors), ("accounts", incident.accounts), ("assets", incident.assets))
    by_hand = words.word("to-fill", language)
    return Fields(
        words.say("complaint.traces", language),
        (
            *(
                Field(
                    words.say(f"complaint.{label}", language),
                    "\n".join(plain(one) for one in sorted(those)) or none,
                )
                for label, those in known
            ),
            *(
                Field(words.say(f"complaint.{label}", language), by_hand, blank=True)
                for label in ("mails", "note", "payment", "damage")
            ),
        ),
    )


def _story(entries: Sequence[Line], words: Words, language: Language, *, heading: str) -> Story:
    return Story(
        heading,
        (
            words.say("timeline.entry", language),
            words.say("timeline.when", language),
            words.say("timeline.what", language),
        ),
        tuple((told.entry, told.when, told.what) for told in lines(entries, words, language)),
        words.say("paper.no-entry", language),
    )


def _unknown(incident: Incident, words: Words, language: Language) -> tuple[str, ...]:
    keys = ["identity", "before", "machines"]
    if incident.persons_touched != 0:
        keys.append("taken")
    return tuple(words.say(f"complaint.unknown-{key}", language) for key in keys)
