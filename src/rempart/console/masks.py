"""The page of masks: who stands behind the accounts of an incident, once two persons have agreed to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.accounts.conversation import NamesTold, Visitor
from rempart.console.incident import tell
from rempart.console.naming import Names
from rempart.console.when import moment
from rempart.console.words import SENTENCES, Words, plain
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant
from rempart.messages import IncidentStatus, Status, UnmaskingStatus
from rempart.site.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """One incident with masked accounts; ``names`` beside the masks once they may be read and were asked for."""

    incident: str
    said: str
    """The incident in a sentence."""
    since: str
    masks: tuple[tuple[str, str], ...]
    asked: str
    """Who asked, when and for which purpose; empty: nobody, or too long ago."""
    stands: str
    """What that waits for, or until when the names may be read; empty: nothing was asked."""
    may_ask: bool
    may_agree: bool
    may_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MasksPage:
    """Incidents in which accounts were seen."""

    csrf: Annotated[str, "The session's form token."]
    incidents: Annotated[
        tuple[Masked, ...],
        "Incidents with masked accounts, the gravest first, each with what the guard takes from who looks now.",
    ]
    until: Annotated[str, "Until when names that are shown may be read, or nothing."]
    refusal: Annotated[str, "Why it was refused, or nothing."]
    advice: Annotated[str, "What to do about it, or nothing."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of accounts."]


def masks_page(
    site: Site,
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
    called = Names(site, words, addresses=True)
    return MasksPage(
        csrf=csrf,
        incidents=tuple(
            _masked(each, visitor, names, called, now)
            for each in (status.incidents if status else ())
            if each.accounts
        ),
        until=moment(told.until, now, words) if told else "",
        refusal=plain(refusal, SENTENCES) if refusal else "",
        advice=plain(advice, SENTENCES) if advice else "",
        labels=words.under("label"),
        texts=words.under("account"),
    )


def _masked(
    incident: IncidentStatus, visitor: Visitor, names: Mapping[str, str], called: Names, now: Instant
) -> Masked:
    words, roles, asked = called.words, set(visitor.roles), _lately(incident.unmasking, now)
    waits = asked is not None and asked.readable_until is None
    readable = asked is not None and not waits
    asks, agrees = (bool(roles & takers(kind)) for kind in (orders.AskUnmasking, orders.AgreeUnmasking))
    return Masked(
        incident=incident.id,
        said=tell(incident.summary, called, words),
        since=moment(incident.opened, now, words),
        masks=tuple((mask, plain(names[mask]) if mask in names else "") for mask in incident.accounts),
        asked=_asked(asked, words, now) if asked else "",
        stands=_stands(asked, words, now) if asked else "",
        may_ask=asks and not asked,
        may_agree=agrees and waits and asked is not None and asked.by != visitor.person,
        may_read=(asks or agrees) and readable,
    )


def _lately(asked: UnmaskingStatus | None, now: Instant) -> UnmaskingStatus | None:
    """What was asked, unless it is over: nobody agreed in time, or the names may not be read any more."""
    if asked is None:
        return None
    ends = asked.agreeable_until if asked.readable_until is None else asked.readable_until
    return asked if now < ends else None


def _asked(asked: UnmaskingStatus, words: Words, now: Instant) -> str:
    return words.say(
        "account.names-asked", who=asked.by, when=moment(asked.asked, now, words), purpose=asked.purpose
    )


def _stands(asked: UnmaskingStatus, words: Words, now: Instant) -> str:
    key, ends = (
        ("names-wait", asked.agreeable_until)
        if asked.readable_until is None
        else ("names-open", asked.readable_until)
    )
    return words.say(f"account.{key}", when=moment(ends, now, words))
