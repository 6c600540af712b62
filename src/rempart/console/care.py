"""Care is blocked by the cut, or something does not work: what to use instead, a sealed report, and whom it brings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.care.trouble import Ail
from rempart.console.audience import Audience
from rempart.console.duty import CARE, REOPENING, Call, call, contacts, is_cut, may_be_shut
from rempart.console.when import moment
from rempart.console.words import SENTENCES, Words, plain
from rempart.instants import Instant
from rempart.messages import Status, TroubleStatus
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site

OTHER = "other"
"""What is chosen when it is none of the openings; then it is written in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """An opening that is not wide open, and what to use instead of it."""

    id: str
    name: str
    state: str
    word: str
    fallback: str
    call: Call | None
    """The number of the fallback."""
    needs: str
    """Why the fallback does not work just now: it needs openings that are closed. Empty: nothing speaks against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report that is sealed and still open."""

    what: str
    at: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CarePage:
    """Everything the page shows before and after a report."""

    blocked: Annotated[str, "What is blocked, once it is known; empty while it is asked."]
    written: Annotated[str, "That the report is sealed, and since when; empty while it is not."]
    instead: Annotated[Instead | None, "What to use instead of what is blocked, where it is an opening."]
    door: Annotated[str, "The door on the page of reopening, for those who may open; else empty."]
    choices: Annotated[tuple[Instead, ...], "What may be blocked: closed openings first, then filtered ones."]
    wards: Annotated[tuple[tuple[str, str], ...], "The wards of the house: id and name."]
    ails: Annotated[tuple[tuple[str, str], ...], "What may ail it: value and words, the gravest first."]
    reports: Annotated[tuple[Report, ...], "What is reported and still open, the latest first."]
    contacts: Annotated[tuple[Call, ...], "Whom to call, in order."]
    may_report: Annotated[bool, "Whether the guard takes a report from who looks."]
    csrf: Annotated[str, "The session's form token."]
    account: Annotated[str, "Who is signed in; empty for whoever came with the link and says their name."]
    refusal: Annotated[str, "Why the report was not written down, or nothing."]
    advice: Annotated[str, "What to do about it, or nothing."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "Words of this page alone."]


def care_page(
    site: Site,
    status: Status | None,
    now: Instant,
    words: Words,
    csrf: str,
    *,
    account: str = "",
    audience: Audience = Audience.NIGHT,
    trouble: str = "",
    service: str = "",
    refusal: str = "",
    advice: str = "",
) -> CarePage:
    """The page. ``trouble`` is the id of a report to show, ``service`` what was chosen and could not be written."""
    still_open = [each for each in status.care.troubles if each.settled is None] if status else []
    shown = next((each for each in still_open if each.id == trouble), None)
    chosen = shown.service if shown else service
    told_all = audience is Audience.INFORMED
    opening = next((each for each in site.openings if each.id == chosen), None)
    return CarePage(
        blocked=plain(opening.name if opening else chosen) if chosen else "",
        written=words.say("care-page.written", at=moment(shown.at, now, words)) if shown else "",
        instead=_instead(site, opening, status, words) if opening else None,
        door=f"{REOPENING}#door-{opening.id}"
        if opening and told_all and may_be_shut(site, opening.id, status)
        else "",
        choices=tuple(_instead(site, each, status, words) for each in _choices(site, status)),
        wards=tuple((each.id, plain(each.name)) for each in site.wards),
        ails=tuple((each.value, words.say(f"ail.{each.value}")) for each in (Ail.DOWN, Ail.SLOW, Ail.WRONG)),
        reports=tuple(_report(site, each, now, words) for each in reversed(still_open) if each is not shown),
        contacts=tuple(each for each in contacts(site, words, named=told_all) if each.link),
        may_report=audience.may_order,
        csrf=csrf,
        account=account,
        refusal=plain(refusal, SENTENCES) if refusal else "",
        advice=plain(advice, SENTENCES) if advice else "",
        labels=words.under("label"),
        texts=dict(words.under("care-page")) | ({} if is_cut(status) else dict(words.under("care-uncut"))),
    )


def _choices(site: Site, status: Status | None) -> list[Opening]:
    """Openings that the cut may have to do with: all of them while nothing is known to be cut."""
    order = (OpeningState.CLOSED, OpeningState.FILTERED, *(() if is_cut(status) else (OpeningState.OPEN,)))
    states = _states(status)
    stand = {each.id: states.get(each.id, OpeningState.CLOSED) for each in site.openings}
    shut = (each for each in site.openings if stand[each.id] in order)
    return sorted(shut, key=lambda each: (order.index(stand[each.id]), each.care))


def _instead(site: Site, opening: Opening, status: Status | None, words: Words) -> Instead:
    states = _states(status)
    state = states[opening.id].value if opening.id in states else "unknown"
    needed = [site.opening(each) for each in opening.fallback.depends_on]
    missing = [plain(each.name) for each in needed if states.get(each.id) is OpeningState.CLOSED]
    phone = opening.fallback.phone
    return Instead(
        id=opening.id,
        name=plain(opening.name),
        state=state,
        word=words.say(f"state.{state}"),
        fallback=plain(opening.fallback.text),
        call=call("", phone, words) if phone else None,
        needs=words.say("care-page.needs", openings=", ".join(missing)) if missing else "",
    )


def _states(status: Status | None) -> dict[str, OpeningState]:
    return {each.id: each.state for each in status.openings} if status else {}


def _report(site: Site, trouble: TroubleStatus, now: Instant, words: Words) -> Report:
    name = next((each.name for each in site.openings if each.id == trouble.service), trouble.service)
    ward = next((each.name for each in site.wards if each.id == trouble.ward), trouble.ward)
    return Report(
        what=plain(f"{name} ({ward})" if ward else name),
        at=moment(trouble.at, now, words),
        link=f"{CARE}?trouble={trouble.id}",
    )
