"""The page of the wards: whether care goes on, ward by ward and shift by shift, and the rehearsal of the cut."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.accounts.conversation import Visitor
from rempart.care.rehearsal import TOLD_WITHIN, Question
from rempart.care.reply import Reply
from rempart.console.duty import Call, call
from rempart.console.refusal import tell
from rempart.console.when import moment
from rempart.console.words import SENTENCES, Words, plain
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant
from rempart.messages import Posture, RehearsalStatus, Status, WardStatus
from rempart.site.site import Site

WARDS = "/wards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """One ward as it stands in this shift."""

    id: str
    name: str
    call: Call | None
    standing: str
    word: str
    said: str
    """When it was heard and what it said; empty while nobody was heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a ward said to one question of the rehearsal. ``reply`` is empty while nobody answered."""

    question: str
    text: str
    reply: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The latest rehearsal, ward by ward."""

    sentence: str
    running: bool
    asking: bool
    """Whether the wards may still answer."""
    wards: tuple[tuple[str, str, tuple[Answer, ...]], ...]
    """Id, name and answers of each ward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WardsPage:
    """Everything the page shows."""

    wards: Annotated[tuple[Ward, ...], "The wards of the house, in the order of the site's file."]
    rehearsal: Annotated[Tried | None, "The latest rehearsal, or nothing while none was made."]
    locked: Annotated[str, "Why the station may not cut by itself; empty: it may."]
    known: Annotated[bool, "Whether the guard answers at all."]
    may_say: Annotated[bool, "Whether who looks may say how a ward is, and end a rehearsal."]
    may_rehearse: Annotated[bool, "Whether who looks may begin a rehearsal now."]
    lengths: Annotated[tuple[tuple[int, str], ...], "How long a rehearsal may last: seconds and words."]
    csrf: Annotated[str, "The session's form token."]
    refusal: Annotated[str, "Why an order was not carried out, or nothing."]
    advice: Annotated[str, "What to do about it, or nothing."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "Words of this page alone."]


def wards_page(
    site: Site,
    status: Status | None,
    visitor: Visitor,
    words: Words,
    now: Instant,
    csrf: str,
    *,
    refusal: str = "",
    advice: str = "",
) -> WardsPage:
    """The page for whoever is signed in."""
    care = status.care if status else None
    rehearsal = care.rehearsal if care else None
    roles = set(visitor.roles)
    idle = rehearsal is None or rehearsal.ended is not None
    uncut = status is not None and status.posture in (Posture.NORMAL, Posture.WATCHFUL)
    return WardsPage(
        wards=tuple(_ward(each, words, now) for each in (care.wards if care else ())),
        rehearsal=_tried(site, rehearsal, words, now) if rehearsal else None,
        locked=tell(care.locked, site, words) if care and care.locked else "",
        known=status is not None,
        may_say=bool(roles & takers(orders.AttestCare)),
        may_rehearse=bool(roles & takers(orders.Rehearse)) and idle and uncut,
        lengths=tuple((each * 60, words.say("wards-page.minutes", count=each)) for each in (10, 5, 20)),
        csrf=csrf,
        refusal=plain(refusal, SENTENCES) if refusal else "",
        advice=plain(advice, SENTENCES) if advice else "",
        labels=words.under("label"),
        texts=words.under("wards-page"),
    )


def _ward(ward: WardStatus, words: Words, now: Instant) -> Ward:
    said = words.say("wards-page.said", at=moment(ward.at, now, words)) if ward.at else ""
    return Ward(
        id=ward.id,
        name=plain(ward.name),
        call=call("", ward.phone, words) if ward.phone else None,
        standing=ward.standing,
        word=words.say(f"standing.{ward.standing}"),
        said=f"{said} {plain(ward.note)}".strip(),
    )


def _tried(site: Site, rehearsal: RehearsalStatus, words: Words, now: Instant) -> Tried:
    said = {(tick.ward, tick.question): tick.reply for tick in rehearsal.ticks}
    return Tried(
        sentence=_sentence(rehearsal, words, now),
        running=rehearsal.ended is None,
        asking=now - rehearsal.until <= TOLD_WITHIN,
        wards=tuple(
            (each.id, plain(each.name), tuple(_answers(each.id, said, words))) for each in site.wards
        ),
    )


def _sentence(rehearsal: RehearsalStatus, words: Words, now: Instant) -> str:
    if rehearsal.ended is None:
        return words.say("wards-page.runs", until=moment(rehearsal.until, now, words))
    key = "early" if rehearsal.early else "ended"
    return words.say(f"wards-page.{key}", at=moment(rehearsal.ended, now, words))


def _answers(ward: str, said: Mapping[tuple[str, str], str], words: Words) -> Iterator[Answer]:
    for question in Question:
        reply = said.get((ward, question.value), "")
        shown = reply if reply in (Reply.YES, Reply.NO) else "unheard"
        yield Answer(
            question=question.value,
            text=words.say(f"tried.{question.value}"),
            reply=reply,
            word=words.say(f"tried.{shown}"),
        )
