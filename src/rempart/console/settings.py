"""The page of settings: what the station was told about the site, in plain words, and where each is changed."""

from collections.abc import Iterable

from rempart.console.sheet import Card, Line, SheetPage, sheet
from rempart.console.words import Words, plain
from rempart.site.site import Site


def settings_page(site: Site, words: Words) -> SheetPage:
    """The page. It changes nothing: the file is the technician's, and `rempart site check` reads it first."""

    def card(name: str, section: str, lines: Iterable[Line]) -> Card:
        shown = tuple(lines) or (Line(name=words.say("settings.nothing")),)
        where = words.say("settings.file", file="site.toml", section=section)
        return Card(title=words.say(f"settings.{name}"), lead=where, lines=shown)

    languages = ", ".join(_language(each.value) for each in site.languages)
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


_LANGUAGES = {"fr": "Français", "nl": "Nederlands", "de": "Deutsch", "en": "English"}


def _language(code: str) -> str:
    """A language by its own name."""
    return _LANGUAGES[code]
