"""What the public reads while a service is closed: what, since when, whom to call, what works, when there is news.

The proxy answers with these pages by itself, whatever else is down. So a page is made once, with holes for what
changes (instants, how the other services stand), which the proxy fills from its maps; for a website hosted elsewhere
the holes are filled here. A page promises nothing that the site did not say: neither that care goes on nor an end.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from babel.dates import get_day_names
from jinja2 import Environment, PackageLoader, StrictUndefined

from rempart.console.words import Words, plain, words
from rempart.containment.measure import Enforcement
from rempart.instants import Instant
from rempart.site.belgian_time import on_the_wall
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Language, Site

NEWS = ":news"
"""The name under which the next news are found; no opening is called so."""

_HOLE = re.compile("\ue000([a-z0-9.:-]+)\ue001")
"""A hole: two characters that no words of a site hold (`plain` makes them visible), and a name between them."""

_NARROW = "\N{NO-BREAK SPACE}"
"""Between the parts of an instant: short enough for one line of a telephone, and one piece on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherService:
    """Another service of the house that the public knows."""

    name: Annotated[str, "Its name."]
    link: Annotated[str, "Where it is."]
    stands: Annotated[str, "Hole: open, filtered or closed."]
    closed: Annotated[str, "That it is closed, and the number instead."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """All of it in one language."""

    language: Annotated[Language, "Language of this part."]
    name: Annotated[str, "The language's own name."]
    lead: Annotated[str, "What is closed."]
    since: Annotated[str, "Hole: since when. Empty: it is not known, and not said."]
    news: Annotated[str, "Hole: when there is news again."]
    others: Annotated[tuple[OtherService, ...], "The other services."]
    labels: Annotated[Mapping[str, str], "Words of the page."]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPage:
    """The page of one closed service, or of a refused request."""

    house: Annotated[str, "Name of the institution."]
    phone: Annotated[str, "The number to call; empty when none is known that works."]
    dialled: Annotated[str, "The same for a telephone to dial."]
    has_news: Annotated[str, "Hole: news or none."]
    tellings: Annotated[tuple[Telling, ...], "One part for each of the site's languages."]


class PublicFace:
    """The pages of a site and what fills their holes."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._words = {language: words(language) for language in site.languages}
        # Babel reads a language's file when it is first asked: now, not while somebody waits for a cut.
        self._days = {
            said.language: get_day_names("wide", locale=said.locale) for said in self._words.values()
        }

    def pages(self) -> Iterator[tuple[Opening, str, str]]:
        """Each published opening, its page, and its page when it is not known since when it is closed."""
        for opening in self._site.published():
            yield opening, self._rendered(opening, dated=True), self._rendered(opening, dated=False)

    def refusal(self) -> str:
        """The page for a request that the filter refused."""
        return _render(self._page(None, dated=False))

    def notices(self, wanted: Enforcement) -> dict[str, str]:
        """What fills the holes that hold words, by name: one word each, without spaces of the narrow kind."""
        return {
            f"{key}.{language}": self._moment(instant, said).replace(" ", _NARROW)
            for language, said in self._words.items()
            for key, instant in (
                *((opening.id, wanted.closed_since.get(opening.id)) for opening in self._site.published()),
                (NEWS, wanted.news_at),
            )
        } | {NEWS: "news" if wanted.news_at else "none"}

    def filled(self, wanted: Enforcement) -> dict[str, str]:
        """Each closed page by its opening, with nothing left to fill: for a website that is hosted elsewhere."""
        known = self.notices(wanted) | {
            f"state:{name}": stand.state.value for name, stand in wanted.stands.items()
        }
        return {
            opening.id: fill(
                dated if opening.id in wanted.closed_since else undated,
                lambda hole: known.get(hole, OpeningState.CLOSED.value),
            )
            for opening, dated, undated in self.pages()
        }

    def _rendered(self, opening: Opening, *, dated: bool) -> str:
        return _render(self._page(opening, dated=dated))

    def _page(self, opening: Opening | None, *, dated: bool) -> PublicPage:
        phone = plain(self._phone(opening))
        return PublicPage(
            house=plain(self._site.name),
            phone=phone,
            dialled=re.sub(r"[^+0-9]", "", phone),
            has_news=_hole(NEWS),
            tellings=tuple(self._telling(opening, said, dated=dated) for said in self._words.values()),
        )

    def _telling(self, opening: Opening | None, said: Words, *, dated: bool) -> Telling:
        labels = said.under("public")
        lead = said.say("public.lead", service=opening.name) if opening else labels["refused"]
        return Telling(
            language=said.language,
            name=said.language.own_name,
            lead=lead,
            since=_hole(f"{opening.id}.{said.language}") if opening and dated else "",
            news=_hole(f"{NEWS}.{said.language}") if opening else "",
            others=tuple(
                self._other(other, said) for other in self._site.published() if opening and other != opening
            ),
            labels=labels,
        )

    def _other(self, other: Opening, said: Words) -> OtherService:
        assert other.publication is not None
        phone = self._phone(other)
        scheme = "https" if other.publication.tls else "http"
        closed = said.say("public.closed-call", phone=phone) if phone else said.say("public.closed")
        return OtherService(
            name=plain(other.name),
            link=f"{scheme}://{other.publication.host}/",
            stands=_hole(f"state:{other.id}"),
            closed=closed,
        )

    def _phone(self, opening: Opening | None) -> str:
        """The number of the opening's fallback, unless that fallback needs an opening itself; else the house's own."""
        if opening and opening.fallback.phone and not opening.fallback.depends_on:
            return opening.fallback.phone
        return self._site.phone

    def _moment(self, instant: Instant | None, said: Words) -> str:
        if instant is None:
            return said.say("public.unknown")
        wall = on_the_wall(instant)
        return said.say(
            "public.moment",
            day=self._days[said.language][wall.weekday()],
            date=f"{wall:%d/%m}",
            hour=f"{wall:%H:%M}",
        )


def fill(page: str, filling: Callable[[str], str]) -> str:
    """The page with its holes filled, by their names."""
    return _HOLE.sub(lambda hole: filling(hole[1]), page)


_templates = Environment(
    loader=PackageLoader("rempart.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _render(page: PublicPage) -> str:
    return _templates.get_template("public.html").render(page=page) + "\n"


def _hole(name: str) -> str:
    return f"\ue000{name}\ue001"
