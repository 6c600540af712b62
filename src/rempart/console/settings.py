"""What the station was told about the site: as a page in plain words, with where each is changed, and for programs."""

from collections.abc import Iterable

import msgspec

from rempart.console.sheet import Card, Line, SheetPage, sheet
from rempart.console.words import Words, plain
from rempart.site.language import Language
from rempart.site.opening import Fallback
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

    def card(name: str, section: str, lines: Iterable[Line]) -> Card:
        shown = tuple(lines) or (Line(name=words.say("settings.nothing")),)
        where = words.say("settings.file", file="site.toml", section=section)
        return Card(title=words.say(f"settings.{name}"), lead=where, lines=shown)

    languages = ", ".join(each.own_name for each in site.languages)
    return sheet(
        "settings",
        words,
        (
            card(
                "site", "name, phone", [Line(name=plain(site.name), notes=(plain(site.phone), site.template))]
            ),
            card("languages", "languages", [Line(name=languages)]),
            card(
                "zones",
                "[[zones]]",
                (Line(name=plain(z.name), notes=(z.interface, ", ".join(z.networks))) for z in site.zones),
            ),
            card(
                "openings",
                "[[openings]]",
                (
                    Line(
                        name=plain(each.name),
                        word=words.say("settings.lifeline") if each.lifeline else "",
                        notes=(words.say("settings.instead", fallback=each.fallback.text),),
                    )
                    for each in site.openings
                ),
            ),
            card(
                "assets",
                "[[assets]]",
                (Line(name=plain(a.name), notes=(a.zone, ", ".join(a.addresses))) for a in site.assets),
            ),
            card(
                "safeguards",
                "[[safeguards]]",
                (Line(name=plain(s.id), notes=(s.interface, ", ".join(s.networks))) for s in site.safeguards),
            ),
            card(
                "contacts",
                "[[contacts]]",
                (Line(name=plain(c.name), notes=(plain(c.role), plain(c.phone))) for c in site.contacts),
            ),
            card("logs", "[[logs]]", (Line(name=plain(log.path), notes=(log.decoder,)) for log in site.logs)),
            card(
                "outside",
                "[[outside_wall]]",
                (Line(name=plain(each.name), notes=(plain(each.action),)) for each in site.outside_wall),
            ),
            card(
                "telling",
                "[[tell]]",
                (Line(name=plain(each.role)) for each in site.telling.recipients),
            ),
        ),
    )
