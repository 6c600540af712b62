"""The page of exceptions: what is not told here, why, by whom, until when, and how often each has hidden something."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from babel.dates import format_date

from rempart.console.access import Session
from rempart.console.when import moment
from rempart.console.words import SENTENCES, Words, plain
from rempart.detection.inquiry import ExceptionsTold, ExceptionTold
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionLine:
    """One exception."""

    id: str
    rules: str
    traits: tuple[str, ...]
    reason: str
    author: str
    until: str
    state: str
    hid: str
    ordered: bool
    """Made by an order; else it stands in a file on the box."""
    endable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionsPage:
    """All exceptions."""

    csrf: Annotated[str, "The session's form token."]
    silent: Annotated[str, "That watch does not answer and nothing is known; nothing when it does."]
    exceptions: Annotated[tuple[ExceptionLine, ...], "Those that hold first, the earliest end first."]
    next: Annotated[str, "Address of the next page, or nothing."]
    problems: Annotated[tuple[str, ...], "Exceptions that hide nothing, and why."]
    refusal: Annotated[str, "Why it was refused, or nothing."]
    advice: Annotated[str, "What to do about it, or nothing."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of exceptions."]
    tabs: Annotated[Mapping[str, str], "Names of the technician's pages."]


def exceptions_page(
    told: ExceptionsTold | None,
    words: Words,
    now: Instant,
    here: Session,
    *,
    refusal: str = "",
    advice: str = "",
) -> ExceptionsPage:
    """The page; ``told`` None: watch does not answer."""
    technician = here.visitor is not None and bool(takers(orders.EndException) & set(here.visitor.roles))
    return ExceptionsPage(
        csrf=here.csrf,
        silent="" if told else words.say("findings.silent"),
        exceptions=tuple(
            _line(each, words, now, technician=technician) for each in (told.exceptions if told else ())
        ),
        next=f"/exceptions?skip={told.next}" if told and told.next else "",
        problems=tuple(plain(each) for each in (told.problems if told else ())),
        refusal=plain(refusal, SENTENCES) if refusal else "",
        advice=plain(advice, SENTENCES) if advice else "",
        labels=words.under("label"),
        texts=words.under("exceptions"),
        tabs=words.under("technique"),
    )


def _line(told: ExceptionTold, words: Words, now: Instant, *, technician: bool) -> ExceptionLine:
    state = "ended" if told.ended else "holds" if told.in_force else "pending"
    hid = (
        words.say("exceptions.hid", count=told.times, last=moment(told.last, now, words)) if told.last else ""
    )
    return ExceptionLine(
        id=told.id,
        rules=", ".join(plain(each) for each in told.rules) or words.say("exceptions.every-rule"),
        traits=tuple(
            f"{plain(each.field)} = {plain(each.value) if each.value else words.say('exceptions.withheld')}"
            for each in told.traits
        ),
        reason=plain(told.reason),
        author=words.say("exceptions.by", author=told.author),
        until=words.say(
            "exceptions.until",
            until=format_date(date.fromisoformat(told.until), "long", locale=words.locale),
        ),
        state=words.say(f"exceptions.{state}"),
        hid=hid or words.say("exceptions.hid-nothing"),
        ordered=told.ordered,
        endable=technician and told.ordered and not told.ended,
    )
