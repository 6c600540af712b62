"""Papers about care, in four languages: what to use instead of what is closed, and how a rehearsal went."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rempart.care.rehearsal import Question
from rempart.duties.document import Field, Fields, Paper, Prose
from rempart.duties.words import Words, plain
from rempart.instants import Instant
from rempart.site.belgian_time import belgian
from rempart.site.opening import OpeningState
from rempart.site.site import Contact, Language, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalTold:
    """A rehearsal as the report needs it. ``why`` empty: it has passed."""

    began: Instant
    until: Instant
    by: str
    why: str
    replies: Mapping[tuple[str, str], tuple[str, str]]
    """Ward and question to reply and note."""
    corrections: Sequence[tuple[str, str, str, bool]]
    """Opening, what it becomes, the reason, and whether site.toml says so by now."""


def fallback(
    site: Site,
    states: Mapping[str, OpeningState],
    posture: str,
    since: Instant,
    now: Instant,
    words: Words,
    language: Language,
) -> Paper:
    """What to use instead, to be hung up on the wards. ``states`` maps each opening to how it stands."""
    key = f"fallback.posture.{posture}"
    key = key if key in words.sentences else "fallback.posture.normal"
    closed = [o for o in site.openings if states.get(o.id, o.normally) is OpeningState.CLOSED]
    others = [o for o in site.openings if o not in closed]
    return Paper(
        title=words.say("fallback.title", language),
        subtitle=f"{plain(site.name)} · {belgian(now)}",
        notice=words.say("fallback.notice", language),
        language=language,
        page=words.say("word.page", language),
        as_of=now,
        sections=(
            Prose("", (words.say(key, language, since=belgian(since)),)),
            _fields(
                words.say("fallback.closed", language),
                ((o.name, _number(o.fallback.text, o.fallback.phone)) for o in closed),
                words.say("word.none", language),
            ),
            Prose("", (words.say("fallback.paper", language),)),
            _fields(
                words.say("fallback.goes-on", language),
                ((o.name, _number(o.fallback.text, o.fallback.phone)) for o in others),
                words.say("word.none", language),
            ),
            _fields(
                words.say("fallback.outside", language),
                ((item.name, _number("\n".join(item.actions), item.phone)) for item in site.outside_wall),
                words.say("word.none", language),
            ),
            _fields(
                words.say("fallback.contacts", language),
                (
                    (called(each, words, language), each.phone or words.say("word.no-number", language))
                    for each in site.contacts
                ),
                words.say("word.none", language),
            ),
        ),
    )


def called(contact: Contact, words: Words, language: Language) -> str:
    """Somebody to call, by name and what they are; that alone where nobody has written a name yet."""
    role = words.word(contact.role, language)
    return contact.name if role.casefold() in contact.name.casefold() else f"{contact.name} ({role})"


def rehearsal(site: Site, told: RehearsalTold, now: Instant, words: Words, language: Language) -> Paper:
    """How a rehearsal went, ward by ward, and what it corrected."""
    verdict = (
        words.say("rehearsal.not-passed", language, why=told.why)
        if told.why
        else words.say("rehearsal.passed", language)
    )
    return Paper(
        title=words.say("rehearsal.title", language),
        subtitle=f"{plain(site.name)} · {belgian(told.began)}",
        notice=words.say("fallback.notice", language),
        language=language,
        page=words.say("word.page", language),
        as_of=now,
        sections=(
            Fields(
                "",
                (
                    Field(
                        words.say("rehearsal.length", language),
                        words.say(
                            "rehearsal.minutes",
                            language,
                            began=belgian(told.began),
                            until=belgian(told.until),
                            by=told.by,
                        ),
                    ),
                    Field(words.say("rehearsal.verdict", language), verdict),
                ),
            ),
            *(
                _fields(
                    plain(ward.name),
                    (
                        (
                            words.say(f"question.{question.value}", language),
                            _reply(told, ward.id, question, words, language),
                        )
                        for question in Question
                    ),
                    "",
                )
                for ward in site.wards
            ),
            _fields(
                words.say("rehearsal.corrections", language),
                (
                    (
                        opening,
                        f"{words.say(f'becomes.{becomes}', language)}: {plain(reason)}\n"
                        + words.say("rehearsal.written" if written else "rehearsal.to-write", language),
                    )
                    for opening, becomes, reason, written in told.corrections
                ),
                words.say("word.none", language),
            ),
        ),
    )


def unrehearsed(site: Site, now: Instant, words: Words, language: Language) -> Paper:
    """That the station knows of no rehearsal."""
    return Paper(
        title=words.say("rehearsal.title", language),
        subtitle=f"{plain(site.name)} · {belgian(now)}",
        notice=words.say("fallback.notice", language),
        language=language,
        page=words.say("word.page", language),
        as_of=now,
        sections=(Prose("", (words.say("rehearsal.none", language),)),),
    )


def _reply(told: RehearsalTold, ward: str, question: Question, words: Words, language: Language) -> str:
    reply, note = told.replies.get((ward, question.value), ("unknown", ""))
    said = words.say(f"reply.{reply}", language)
    return f"{said}\n{plain(note)}" if note else said


def _fields(heading: str, pairs: Iterable[tuple[str, str]], none: str) -> Fields:
    fields = tuple(Field(plain(label), "\n".join(map(plain, value.split("\n")))) for label, value in pairs)
    return Fields(heading, fields or (Field("", none),))


def _number(text: str, phone: str | None) -> str:
    return f"{text}\n{phone}" if phone else text
