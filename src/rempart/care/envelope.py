"""Papers for the envelope beside the box: to bypass a dead box, to replace it, and what is done by hand."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from rempart.care.document import called
from rempart.duties.document import Drawing, Field, Fields, Paper, Prose
from rempart.duties.words import Words, plain
from rempart.instants import Instant
from rempart.site.belgian_time import belgian
from rempart.site.site import Language, Site

_LONGEST = 24
"""Characters of a name in the drawing."""


def bypass(site: Site, now: Instant, words: Words, language: Language) -> Paper:
    """How somebody without a password takes the box out of the path with two cables, and puts it back."""

    def say(key: str) -> str:
        return words.say(f"bypass.{key}", language)

    zones = " · ".join(f"{zone.name}:\u00a0{zone.interface}" for zone in site.zones)
    ports = (Field(say("port-a"), site.uplink.interface), Field(say("port-b"), plain(zones, longest=1_000)))
    return _paper(
        site,
        now,
        words,
        language,
        (say("title"), say("notice")),
        (
            Prose("", (say("first"),)),
            Drawing("", drawing(say("outside"), say("inside"), say("coupler"))),
            Fields("", ports),
            Prose(say("how"), tuple(say(f"step.{number}") for number in range(1, 6))),
            Prose(say("meanwhile"), (say("protects"), say("does-not"))),
            Prose(say("back"), (say("back-how"),)),
            Fields("", (*_callable(site, words, language), Field(say("tried"), "", blank=True))),
        ),
    )


def replacing(site: Site, now: Instant, words: Words, language: Language) -> Paper:
    """How a technician makes a new box out of the dead one's backup."""

    def say(key: str) -> str:
        return words.say(f"replacing.{key}", language)

    return _paper(
        site,
        now,
        words,
        language,
        (say("title"), say("notice")),
        (
            Prose(say("envelope"), (say("holds"),)),
            Fields(
                say("how"),
                (
                    Field(say("step.1"), "rempart restore /media/stick/box.backup --by '…'"),
                    Field(say("step.2"), "rempart restore /media/stick/box.backup --by '…' --contained"),
                    Field(say("step.3"), "rempart site check"),
                    Field(say("step.4"), "systemctl enable --now $(rempart units)"),
                    Field(say("step.5"), "rempart status\nrempart verify"),
                ),
            ),
            Prose(say("then"), (say("cables"), say("not-in-it"))),
            Fields(
                "",
                (
                    *_callable(site, words, language),
                    *(Field(say(blank), "", blank=True) for blank in ("backup-of", "passphrase")),
                ),
            ),
        ),
    )


def by_hand(site: Site, now: Instant, words: Words, language: Language) -> Paper:
    """What to do at the firewall and the switch where the station only watches, each step to be ticked on paper."""

    def say(key: str) -> str:
        return words.say(f"by-hand.{key}", language)

    plans = {"contain": site.by_hand.cut, "block": site.by_hand.block, "isolate": site.by_hand.isolate}
    return _paper(
        site,
        now,
        words,
        language,
        (say("title"), say("notice")),
        (
            Prose("", (say("who"), *(() if site.by_hand.cut else (say("unplanned"),)))),
            *(
                Fields(
                    say(deed),
                    tuple(
                        Field(f"{number}. {plain(step)}", say("tick"), blank=True)
                        for number, step in enumerate((say(f"{deed}-step"), *plan), start=1)
                    ),
                )
                for deed, plan in plans.items()
            ),
            Prose(say("then"), (say("say"),)),
            Fields("", (*_callable(site, words, language),)),
        ),
    )


def _paper(
    site: Site,
    now: Instant,
    words: Words,
    language: Language,
    head: tuple[str, str],
    sections: tuple[Fields | Prose | Drawing, ...],
) -> Paper:
    """``head``: title and notice."""
    title, notice = head
    return Paper(
        title=title,
        subtitle=f"{plain(site.name)} · {belgian(now)}",
        notice=notice,
        language=language,
        page=words.say("word.page", language),
        as_of=now,
        sections=sections,
    )


def drawing(outside: str, inside: str, coupler: str) -> str:
    """The cables before and while the box is left out, as SVG."""
    rows = "".join((*_before(outside, inside), *_left_out(outside, inside, coupler)))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 170" font-family="Libertinus Serif" font-size="13">'
        f"{rows}</svg>"
    )


def _before(outside: str, inside: str) -> Iterator[str]:
    yield _box(10, 15, outside)
    yield _cable(150, 45, 250, "A")
    yield _box(250, 15, "Rempart")
    yield _cable(390, 45, 490, "B")
    yield _box(490, 15, inside)


def _left_out(outside: str, inside: str, coupler: str) -> Iterator[str]:
    yield _box(10, 100, outside)
    yield _cable(150, 130, 490, "A")
    yield '<text x="440" y="124" font-weight="bold">B</text>'
    yield '<rect x="305" y="120" width="30" height="20" fill="white" stroke="black" stroke-width="2"/>'
    yield f'<text x="320" y="158" text-anchor="middle">{_word(coupler)}</text>'
    yield _box(490, 100, inside)


def _box(x: int, y: int, name: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="140" height="60" fill="none" stroke="black" stroke-width="1.5"/>'
        f'<text x="{x + 70}" y="{y + 35}" text-anchor="middle">{_word(name)}</text>'
    )


def _cable(left: int, y: int, right: int, name: str) -> str:
    return (
        f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="black" stroke-width="3"/>'
        f'<text x="{left + 46}" y="{y - 6}" font-weight="bold">{name}</text>'
    )


def _word(name: str) -> str:
    return escape(plain(name)[:_LONGEST])


def _callable(site: Site, words: Words, language: Language) -> Iterator[Field]:
    for contact in site.contacts[:2]:
        phone = plain(contact.phone)
        yield Field(plain(called(contact, words, language)), phone, blank=not phone)
