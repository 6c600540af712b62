"""The page that asks before the site is cut: what will stop, what goes on, and then one button."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.console.audience import Audience
from rempart.console.by_hand import HandDeed, cutting
from rempart.console.cut import cut
from rempart.console.duty import Call, contacts
from rempart.console.words import SENTENCES, Words, plain
from rempart.instants import Instant
from rempart.messages import Status
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One opening and what to use instead."""

    name: str
    fallback: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainPage:
    """Everything the confirmation shows."""

    may_contain: Annotated[
        bool, "Whether the guard takes the cut from who looks; else only whom to call is said."
    ]
    by_hand: Annotated[
        tuple[HandDeed, ...], "How to cut by hand, step by step; nothing where the station does it."
    ]
    title: Annotated[str, "What is asked."]
    lead: Annotated[str, "What it does, in a sentence or two: the first time, or on a cut that stands."]
    stops: Annotated[tuple[Stop, ...], "Openings that will be closed, with what to use instead."]
    filtered: Annotated[tuple[str, ...], "Lifelines that are not closed: they go on, filtered."]
    inside: Annotated[tuple[str, ...], "Zones inside: nothing changes for them among themselves."]
    public: Annotated[bool, "Whether the public sees a maintenance page, because something is published."]
    csrf: Annotated[str, "The session's form token."]
    account: Annotated[str, "Who is signed in; empty for whoever came with the link and says their name."]
    refusal: Annotated[str, "Why the order was not carried out, or nothing."]
    advice: Annotated[str, "What to do about it, or nothing."]
    call: Annotated[Call | None, "Whom to call when it does not work."]
    sealed: Annotated[str, "What is sealed of what is typed, and that it may be left empty."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "Words of the cut."]


def contain_page(
    site: Site,
    status: Status | None,
    now: Instant,
    words: Words,
    csrf: str,
    *,
    account: str = "",
    audience: Audience = Audience.NIGHT,
    refusal: str = "",
    advice: str = "",
) -> ContainPage:
    """The confirmation for this site as it stands."""
    shut = {each.id for each in status.openings if each.state is OpeningState.CLOSED} if status else set()
    offered = cut(site, status, now, words)
    calls = contacts(site, words, named=audience is Audience.INFORMED)
    ordered = sorted(site.openings, key=lambda opening: opening.care)
    if not audience.may_order and not refusal:
        refusal, advice = words.say("refusal.onlooker"), words.say("refusal.onlooker-now")
    if not site.enforces and not refusal:
        refusal, advice = words.say("refusal.observer"), words.say("refusal.observer-now")
    return ContainPage(
        may_contain=audience.may_order and site.enforces,
        by_hand=cutting(site, status, now, words, audience),
        title=offered.title,
        lead=offered.lead,
        stops=tuple(_stop(each) for each in offered.shuts),
        filtered=tuple(plain(each.name) for each in ordered if each.lifeline and each.id not in shut),
        inside=tuple(plain(zone.name) for zone in site.zones if zone.stays_on),
        public=any(True for _ in site.published()),
        csrf=csrf,
        account=account,
        refusal=plain(refusal, SENTENCES) if refusal else "",
        advice=plain(advice, SENTENCES) if advice else "",
        call=next((each for each in calls if each.link), None),
        sealed=words.say("cut.sealed-yours" if account else "cut.sealed"),
        labels=words.under("label"),
        texts=words.under("cut"),
    )


def _stop(opening: Opening) -> Stop:
    return Stop(
        name=plain(opening.name),
        fallback=plain(opening.fallback.text),
        phone=plain(opening.fallback.phone or ""),
    )
