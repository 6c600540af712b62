"""The papers that the station makes: when each is needed, who may have it, and where it is printed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from rempart.accounts.person import INFORMED, STAFF, Role
from rempart.adapters import shipped
from rempart.care import document, envelope
from rempart.console.access import Session
from rempart.console.duty import ATTACK, NUMBERS
from rempart.console.incident import INCIDENT_PAPERS, INCIDENTS, OBLIGATIONS
from rempart.console.refusal import tell
from rempart.console.words import Words, plain
from rempart.console.words import words as spoken
from rempart.duties import document as incident
from rempart.duties import notice, words
from rempart.duties.document import Account, Drawing, Fields, Paper, Prose, Signature
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant
from rempart.messages import Posture, Status
from rempart.site.opening import OpeningState
from rempart.site.site import Language, Site

PAPERS = "/papers"

CARE = words.parse(shipped.text("care/words.toml"), "care/words.toml", tuple(Language))
"""The words of the papers about care."""
_ABOUT = words.parse(shipped.text("duties/words.toml"), "duties/words.toml").naming(
    duty={each.id: each.name for each in OBLIGATIONS.duties.values()},
    question={each.id: each.text for each in OBLIGATIONS.questions.values()},
)
"""The words of the papers about an incident."""
_NOTICES = words.parse(shipped.text("duties/notices.toml"), "duties/notices.toml", tuple(Language))

Make = Callable[[Site, Status | None, Instant, Language], Paper]
"""Makes a paper of the site and of how the station stands; None: no guard answers."""


class Shelf(StrEnum):
    """When papers are needed, in the order in which they are shown."""

    WALL = "wall"
    """Before anything happens, where everybody sees them."""
    CUT = "cut"
    ENVELOPE = "envelope"
    """In the envelope beside the box."""
    LAW = "law"
    """Once, when the station is installed."""
    AFTER = "after"
    """After an incident, or a rehearsal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of the papers, and who may have it. Either ``make`` or ``address`` says how."""

    id: str
    shelf: Shelf
    roles: frozenset[Role]
    without_account: bool = False
    """Whether whoever came by the one-time link has it too."""
    apart: bool = False
    """Whether it would help an attacker, and must hang on no wall."""
    make: Make | None = None
    address: str = ""
    """The page that prints it, or leads to what does."""


def fallback(site: Site, status: Status | None, now: Instant, language: Language) -> Paper:
    """What to use instead, as the doors stand while the site is cut; else as a cut would leave them."""
    if status is None or status.posture not in (Posture.CONTAINED, Posture.REOPENING):
        cut = {o.id: o.normally if o.lifeline else OpeningState.CLOSED for o in site.openings}
        return document.fallback(site, cut, Posture.NORMAL.value, now, now, CARE, language)
    states = {opening.id: opening.state for opening in status.openings}
    return document.fallback(site, states, status.posture.value, status.since, status.now, CARE, language)


def rehearsal(site: Site, status: Status | None, now: Instant, language: Language) -> Paper:
    """How the latest rehearsal went, or that the station knows of none."""
    held = status.care.rehearsal if status else None
    if held is None:
        return document.unrehearsed(site, now, CARE, language)
    told = document.RehearsalTold(
        began=held.began,
        until=held.until,
        by=held.by,
        why=tell(held.locked, site, spoken(language)) if held.locked else "",
        replies={(tick.ward, tick.question): (tick.reply, tick.note) for tick in held.ticks},
        corrections=[(each.opening, each.becomes, each.reason, each.written) for each in held.corrections],
    )
    return document.rehearsal(site, told, now, CARE, language)


def about_incident(kind: str, told: Account, language: Language) -> Paper:
    """One of `INCIDENT_PAPERS`."""
    make = incident.complaint if kind == "complaint" else incident.timeline
    return make(told, _ABOUT, language)


def _beside_the_box(make: Callable[[Site, Instant, words.Words, Language], Paper]) -> Make:
    return lambda site, _, now, language: make(site, now, CARE, language)


def _notice(make: Callable[[Site, words.Words, Language, Instant], Paper]) -> Make:
    return lambda site, _, now, language: make(site, _NOTICES, language, now)


_EVERYBODY = frozenset(Role)

_KINDS = (
    Kind(id="attack", shelf=Shelf.WALL, roles=_EVERYBODY, without_account=True, address=ATTACK),
    Kind(id="numbers", shelf=Shelf.WALL, roles=_EVERYBODY, without_account=True, address=NUMBERS),
    Kind(id="fallback", shelf=Shelf.CUT, roles=STAFF, make=fallback),
    Kind(
        id="bypass",
        shelf=Shelf.ENVELOPE,
        roles=INFORMED,
        apart=True,
        make=_beside_the_box(envelope.bypass),
    ),
    Kind(
        id="by-hand",
        shelf=Shelf.ENVELOPE,
        roles=STAFF,
        apart=True,
        make=_beside_the_box(envelope.by_hand),
    ),
    Kind(
        id="replacing",
        shelf=Shelf.ENVELOPE,
        roles=INFORMED,
        apart=True,
        make=_beside_the_box(envelope.replacing),
    ),
    Kind(id="code", shelf=Shelf.ENVELOPE, roles=takers(orders.SealEnvelope), apart=True, address="/people"),
    Kind(id="recovery", shelf=Shelf.ENVELOPE, roles=_EVERYBODY, apart=True, address="/account"),
    Kind(id="staff", shelf=Shelf.LAW, roles=STAFF, make=_notice(notice.staff)),
    Kind(id="residents", shelf=Shelf.LAW, roles=STAFF, make=_notice(notice.residents)),
    Kind(id="impact", shelf=Shelf.LAW, roles=INFORMED, apart=True, make=_notice(notice.impact)),
    Kind(id="rehearsal", shelf=Shelf.AFTER, roles=INFORMED, make=rehearsal),
    *(
        Kind(id=each, shelf=Shelf.AFTER, roles=INFORMED, apart=True, address=INCIDENTS)
        for each in INCIDENT_PAPERS
    ),
)


def kinds(site: Site) -> tuple[Kind, ...]:
    """The papers that this site needs: a box in the path is bypassed, one beside it leaves steps to be done by hand."""
    without = "by-hand" if site.enforces else "bypass"
    return tuple(kind for kind in _KINDS if kind.id != without)


def may_have(kind: Kind, looks: Session) -> bool:
    """Whether whoever looks is shown that paper."""
    if looks.visitor is None:
        return kind.without_account
    return not kind.roles.isdisjoint(looks.visitor.roles)


# -- all of them -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One paper of the list."""

    id: str
    name: str
    when: str
    """When it is needed, in plain words."""
    apart: str
    """That it must hang on no wall, or nothing."""
    address: str
    """The page that prints it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Papers that are needed at the same time."""

    title: str
    papers: tuple[Listed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PapersPage:
    """Everything the list shows."""

    groups: Annotated[tuple[Group, ...], "The papers that whoever looks may have, by when they are needed."]
    texts: Annotated[Mapping[str, str], "Words of this page."]


def papers_page(site: Site, said: Words, looks: Session) -> PapersPage:
    """The list, for whoever looks."""
    found = [kind for kind in kinds(site) if may_have(kind, looks)]
    shelves = {shelf: [kind for kind in found if kind.shelf is shelf] for shelf in Shelf}
    return PapersPage(
        groups=tuple(
            Group(
                title=said.say(f"papers.shelf-{shelf.value}"),
                papers=tuple(_listed(kind, said) for kind in held),
            )
            for shelf, held in shelves.items()
            if held
        ),
        texts=said.under("papers"),
    )


def _listed(kind: Kind, said: Words) -> Listed:
    address = f"{PAPERS}/{kind.id}" if kind.make else kind.address
    return Listed(
        id=kind.id,
        name=said.say(f"paper.{kind.id}"),
        when=said.say(f"paper.{kind.id}-when"),
        apart=said.say("papers.apart") if kind.apart else "",
        address=f"{address}?lang={said.language.value}",
    )


# -- one of them -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a paper. ``blank``: it is filled in by hand, and ``value`` only says so."""

    label: str
    value: str
    blank: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a paper: paragraphs, rows, or a drawing of ours as SVG, which says nothing that the words do not."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    svg: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPage:
    """Everything one paper shows, on a screen and printed."""

    language: Annotated[Language, "Language of the paper."]
    site_name: Annotated[str, "The institution's name."]
    title: Annotated[str, "Its heading."]
    subtitle: Annotated[str, "For whom and of when it is."]
    notice: Annotated[str, "What it is worth."]
    parts: Annotated[tuple[Part, ...], "What stands on it."]
    texts: Annotated[Mapping[str, str], "Words around it, which are not printed."]


def paper_page(site: Site, paper: Paper, said: Words) -> PaperPage:
    """A paper as a page."""
    return PaperPage(
        language=said.language,
        site_name=plain(site.name),
        title=paper.title,
        subtitle=paper.subtitle,
        notice=paper.notice,
        parts=tuple(_parts(paper)),
        texts=said.under("papers"),
    )


def _parts(paper: Paper) -> Iterator[Part]:
    for section in paper.sections:
        match section:
            case Prose(heading=heading, paragraphs=paragraphs):
                yield Part(heading=heading, paragraphs=paragraphs)
            case Fields(heading=heading, fields=fields):
                rows = (Row(label=each.label, value=each.value, blank=each.blank) for each in fields)
                yield Part(heading=heading, rows=tuple(rows))
            case Drawing(heading=heading, svg=svg):
                yield Part(heading=heading, svg=svg)
            case Signature(heading=heading, line=line):
                yield Part(heading=heading, rows=(Row(label=line, value="", blank=True),))
            case _:
                raise TypeError(f"no paper of the console has a {type(section).__name__}")
