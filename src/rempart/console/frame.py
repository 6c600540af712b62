"""What stands around every page: the language, the institution's name, who looks, and the ways to the other pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.accounts.person import INFORMED, Role
from rempart.console.access import Session
from rempart.console.words import Words, plain
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.site.site import Language, Site

LOOKERS = INFORMED
"""Who may look at the technician's pages. Only technicians change anything there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page that the head of the others leads to, for whom it is of use."""

    address: str
    word: str
    """Key of its name, under ``nav``."""
    roles: frozenset[Role] = frozenset(Role)
    without_account: bool = False
    """Whether those who came by the one-time link are led there too."""


PLACES = (
    Place(address="/", word="duty", without_account=True),
    Place(address="/incidents", word="incidents", without_account=True),
    Place(
        address="/masks",
        word="masks",
        roles=takers(orders.AskUnmasking) | takers(orders.AgreeUnmasking),
    ),
    Place(address="/findings", word="findings", roles=LOOKERS),
    Place(address="/reopening", word="reopening"),
    Place(address="/wards", word="wards", roles=takers(orders.AttestCare)),
    Place(address="/papers", word="papers", without_account=True),
    Place(address="/people", word="people"),
)
"""The pages in the order in which the head shows them. Whether somebody may open one is decided where it is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One link of the head."""

    address: str
    text: str
    here: bool
    """Whether it leads to the page that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around a page."""

    language: Annotated[Language, "Language of the page."]
    site_name: Annotated[str, "The institution's name; empty for strangers, who are told nothing of it."]
    account: Annotated[str, "Who is signed in; empty for strangers and for whoever came with the link."]
    csrf: Annotated[str, "The session's form token, for signing out."]
    ways: Annotated[tuple[Way, ...], "Pages that are of use to who looks; none while there is only one."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    refusal: Annotated[
        str, "Why the order was not carried out for which they left this page, or nothing."
    ] = ""
    advice: Annotated[str, "What to do about it, or nothing."] = ""


def frame(site: Site, words: Words, looks: Session | None = None, path: str = "") -> Frame:
    """The frame of the page at ``path`` for whoever looks; ``looks`` None: a stranger."""
    ways = tuple(_ways(words, looks, path)) if looks else ()
    return Frame(
        language=words.language,
        site_name=plain(site.name) if looks else "",
        account=looks.account if looks else "",
        csrf=looks.csrf if looks else "",
        ways=ways if len(ways) > 1 else (),
        labels=words.under("label"),
    )


def _ways(words: Words, looks: Session, path: str) -> Iterator[Way]:
    roles = set(looks.visitor.roles) if looks.visitor else set()
    for place in PLACES:
        if place.roles & roles or (place.without_account and looks.visitor is None):
            yield Way(address=place.address, text=words.say(f"nav.{place.word}"), here=place.address == path)
