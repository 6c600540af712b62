"""The page of masks: who stands behind the accounts of an incident, once two persons have agreed to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.accounts.conversation import NamesTold, Visitor
from rempart.console.when import moment
from rempart.console.words import SENTENCES, Words, plain
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant
from rempart.messages import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """One incident with masked accounts; ``names`` beside the masks once they may be read and were asked for."""

    incident: str
    since: str
    masks: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MasksPage:
    """Incidents in which accounts were seen."""

    csrf: Annotated[str, "The session's form token."]
    incidents: Annotated[tuple[Masked, ...], "Incidents with masked accounts, the gravest first."]
    may_ask: Annotated[bool, "Whether the guard takes the question from the one who looks."]
    may_agree: Annotated[bool, "Whether the guard takes a second person's agreement from the one who looks."]
    until: Annotated[str, "Until when names that are shown may be read, or nothing."]
    refusal: Annotated[str, "Why it was refused, or nothing."]
    advice: Annotated[str, "What to do about it, or nothing."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of accounts."]


def masks_page(
    status: Status | None,
    visitor: Visitor,
    words: Words,
    now: Instant,
    csrf: str,
    *,
    told: NamesTold | None = None,
    refusal: str = "",
    advice: str = "",
) -> MasksPage:
    """The page; ``told`` are the names of one incident, read just now."""
    names = told.names if told else {}
    roles = set(visitor.roles)
    return MasksPage(
        csrf=csrf,
        incidents=tuple(
            Masked(
                incident=each.id,
                since=moment(each.opened, now, words),
                masks=tuple((mask, plain(names[mask]) if mask in names else "") for mask in each.accounts),
            )
            for each in (status.incidents if status else ())
            if each.accounts
        ),
        may_ask=bool(roles & takers(orders.AskUnmasking)),
        may_agree=bool(roles & takers(orders.AgreeUnmasking)),
        until=moment(told.until, now, words) if told else "",
        refusal=plain(refusal, SENTENCES) if refusal else "",
        advice=plain(advice, SENTENCES) if advice else "",
        labels=words.under("label"),
        texts=words.under("account"),
    )
