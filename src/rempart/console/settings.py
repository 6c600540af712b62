"""What the station was told about the site: as a page in plain words, with where each is changed, and for programs."""

from collections.abc import Iterable, Iterator

import msgspec

from rempart.console.sheet import Card, Line, SheetPage, sheet
from rempart.console.words import Words, plain
from rempart.site.language import Language
from rempart.site.opening import Fallback, Opening
from rempart.site.site import Asset, Contact, LogSource, OutsideWall, Safeguard, Site, Zone


class OpeningSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A door to the outside, and what is used instead while it is closed."""

    id: str
    name: str
    lifeline: bool
    fallback: Fallback


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What site.toml says of the site, as far as the page of settings tells it."""

    name: str
    phone: str
    template: str
    languages: tuple[Language, ...]
    zones: tuple[Zone, ...]
    openings: tuple[OpeningSetting, ...]
    assets: tuple[Asset, ...]
    safeguards: tuple[Safeguard, ...]
    contacts: tuple[Contact, ...]
    logs: tuple[LogSource, ...]
    outside_wall: tuple[OutsideWall, ...]
    told: tuple[str, ...]
    """The roles that are told by message. By which way, and at which number or address, is not in it."""


def settings_of(site: Site) -> Settings:
    """The settings, for programs."""
    return Settings(
        name=site.name,
        phone=site.phone,
        template=site.template,
        languages=site.languages,
        zones=site.zones,
        openings=tuple(
            OpeningSetting(id=each.id, name=each.name, lifeline=each.lifeline, fallback=each.fallback)
            for each in site.openings
        ),
        assets=site.assets,
        safeguards=site.safeguards,
        contacts=site.contacts,
        logs=site.logs,
        outside_wall=site.outside_wall,
        told=tuple(each.role for each in site.telling.recipients),
    )


def settings_page(site: Site, words: Words) -> SheetPage:
    """The page. It changes nothing: the file is the technician's, and `rempart site check` reads it first."""
    return sheet(
        "settings",
        words,
        tuple(_card(name, section, lines, words) for name, section, lines in _told(site, words)),
    )


def _card(name: str, section: str, lines: Iterable[Line], words: Words) -> Card:
    shown = tuple(lines) or (Line(name=words.say("settings.nothing")),)
    where = words.say("settings.file", file="site.toml", section=section)
    return Card(title=words.say(f"settings.{name}"), lead=where, lines=shown)


def _told(site: Site, words: Words) -> Iterator[tuple[str, str, Iterable[Line]]]:
    """Each card: its name, the section of site.toml where it is changed, and what stands there."""
    languages = ", ".join(each.own_name for each in site.languages)
    yield "site", "name, phone", [Line(name=plain(site.name), notes=(plain(site.phone), site.template))]
    yield "languages", "languages", [Line(name=languages)]
    yield "zones", "[[zones]]", (_line(z.name, z.interface, ", ".join(z.networks)) for z in site.zones)
    yield "openings", "[[openings]]", (_opening(each, words) for each in site.openings)
    yield "assets", "[[assets]]", (_line(a.name, a.zone, ", ".join(a.addresses)) for a in site.assets)
    yield (
        "safeguards",
        "[[safeguards]]",
        (_line(s.id, s.interface, ", ".join(s.networks)) for s in site.safeguards),
    )
    yield (
        "contacts",
        "[[contacts]]",
        (_line(c.name, plain(c.role), plain(c.phone)) for c in site.contacts),
    )
    yield "logs", "[[logs]]", (_line(log.path, log.decoder) for log in site.logs)
    yield "outside", "[[outside_wall]]", (_line(each.name, plain(each.action)) for each in site.outside_wall)
    yield "telling", "[[tell]]", (_line(each.role) for each in site.telling.recipients)


def _line(name: str, *notes: str) -> Line:
    return Line(name=plain(name), notes=notes)


def _opening(opening: Opening, words: Words) -> Line:
    return Line(
        name=plain(opening.name),
        word=words.say("settings.lifeline") if opening.lifeline else "",
        notes=(words.say("settings.instead", fallback=opening.fallback.text),),
    )
