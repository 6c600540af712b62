"""The notice board: how things are, in words that anybody in the house may read, on a screen, a page or on paper.

It shows what a visitor in the corridor may know: no name of a person, no count of persons, no address, no clock of the
law. The staff page and the posters need no account, so nothing may stand here that an attacker inside could use.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.console.duty import Call, Proof, call, contacts, proof, sentence, stance
from rempart.console.house import Door, house
from rempart.console.when import clock, day
from rempart.console.words import Words, plain, words
from rempart.instants import Instant
from rempart.messages import Status
from rempart.site.opening import OpeningState
from rempart.site.site import Language, Site

CROWDED = 14
"""Openings beyond which a poster is set smaller, and beyond twice as many smallest, to stay on one sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One opening: how it stands, and what to use instead of it."""

    id: str
    name: str
    state: str
    word: str
    fallback: str
    call: Call | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPage:
    """Everything the ward screen and the staff page show."""

    language: Annotated[Language, "Language of the page."]
    site_name: Annotated[str, "The institution's name."]
    clock: Annotated[str, "Weekday and hour when the page was made."]
    posture: Annotated[str, "normal, watchful, contained, reopening or unknown."]
    sentence: Annotated[str, "How things are, in one sentence."]
    proof: Annotated[Proof, "What was checked and how long ago."]
    contacts: Annotated[tuple[Call, ...], "Whom to call: what they are, never their names."]
    works: Annotated[tuple[Notice, ...], "Doors that are open or filtered."]
    shut: Annotated[tuple[Notice, ...], "Doors that are closed, or of which nothing is known."]
    shown: Annotated[
        str, "By what the live page knows that something has changed; empty where nothing is live."
    ]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "Words of the board alone."]


def board_page(
    site: Site, status: Status | None, seen: Instant | None, now: Instant, words: Words, shown: str = ""
) -> BoardPage:
    """The board. ``status`` None: no guard answers; ``seen`` is when it last did."""
    notices = tuple(_notices(site, house(site, status, now, words).doors, words))
    working = (OpeningState.OPEN, OpeningState.FILTERED)
    return BoardPage(
        language=words.language,
        site_name=plain(site.name),
        clock=clock(now, words),
        posture=stance(status),
        sentence=sentence(status, seen, now, words),
        proof=proof(status, now, words),
        contacts=_callable(site, words),
        works=tuple(each for each in notices if each.state in working),
        shut=tuple(each for each in notices if each.state not in working),
        shown=shown,
        labels=words.under("label"),
        texts=words.under("board"),
    )


def _notices(site: Site, doors: tuple[Door, ...], words: Words) -> Iterator[Notice]:
    for door in doors:
        fallback = site.opening(door.id).fallback
        yield Notice(
            id=door.id,
            name=door.name,
            state=door.state,
            word=door.word,
            fallback=plain(fallback.text),
            call=call("", fallback.phone, words) if fallback.phone else None,
        )


def _callable(site: Site, words: Words) -> tuple[Call, ...]:
    return tuple(each for each in contacts(site, words) if each.link)


# -- on paper ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersPoster:
    """What to use instead of each opening, to be hung up before it is needed."""

    language: Annotated[Language, "Language of the poster."]
    site_name: Annotated[str, "The institution's name."]
    printed: Annotated[str, "Day on which it was made."]
    contacts: Annotated[tuple[Call, ...], "Whom to call."]
    notices: Annotated[tuple[Notice, ...], "Every opening, lifelines first."]
    online: Annotated[str, "Where the staff page is; empty: the site has none."]
    density: Annotated[str, "airy, crowded or full: how small the type must be for one sheet."]
    texts: Annotated[Mapping[str, str], "Words of the posters."]


def numbers_poster(site: Site, now: Instant, words: Words) -> NumbersPoster:
    """The poster with the numbers. It hangs for months, so it does not say how things are today."""
    notices = tuple(_notices(site, house(site, None, now, words).doors, words))
    return NumbersPoster(
        language=words.language,
        site_name=plain(site.name),
        printed=day(now, words),
        contacts=_callable(site, words),
        notices=notices,
        online=site.staff_page.url if site.staff_page else "",
        density=("airy", "crowded", "full")[min(2, len(notices) // (CROWDED + 1))],
        texts=words.under("poster"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do in a cyber-attack, in one language."""

    language: Language
    title: str
    signs: str
    steps: tuple[str, ...]
    emergency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackPoster:
    """What to do in a cyber-attack, in all languages on one sheet."""

    language: Annotated[Language, "Language of the page around it."]
    site_name: Annotated[str, "The institution's name."]
    call: Annotated[Call | None, "The first person to call."]
    advices: Annotated[tuple[Advice, ...], "One part for each language, the reader's own first."]
    texts: Annotated[Mapping[str, str], "Words of the posters."]


def attack_poster(site: Site, spoken: Words) -> AttackPoster:
    """The poster on what to do."""
    order = sorted(Language, key=lambda language: language is not spoken.language)
    return AttackPoster(
        language=spoken.language,
        site_name=plain(site.name),
        call=next(iter(_callable(site, spoken)), None),
        advices=tuple(_advice(words(language)) for language in order),
        texts=spoken.under("poster"),
    )


def _advice(said: Words) -> Advice:
    steps = said.under("poster.step")
    return Advice(
        language=said.language,
        title=said.say("poster.attack"),
        signs=said.say("poster.signs"),
        steps=tuple(steps[number] for number in sorted(steps)),
        emergency=said.say("poster.emergency"),
    )
