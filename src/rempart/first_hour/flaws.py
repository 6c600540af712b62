"""What the answers make wrong together, and what they leave blank, by the names that people gave."""

import tomllib
from collections.abc import Mapping

from rempart.errors import SiteInvalid
from rempart.site import soundness
from rempart.site.description import parse
from rempart.site.flaw import Flaw, flaw
from rempart.site.site import Site

_NAMED = ("zones", "openings", "assets")


def unfit(text: str) -> tuple[Flaw, ...]:
    """What makes a written description one that the station would not accept; empty when nothing does."""
    try:
        site = parse(text, "site.toml")
    except SiteInvalid as wrong:
        # Each answer was accepted by the rule of its key, so what is no flaw of the whole is a defect of ours.
        found = [
            each if isinstance(each, Flaw) else flaw("unreadable", place=each.where)
            for each in wrong.problems
        ]
        return tuple(each.named(_names(text)) for each in found)
    return tuple(each.named(_names(text)) for each in soundness.check(site))


def _names(text: str) -> Mapping[tuple[str, str], str]:
    written = tomllib.loads(text)
    return {(kind, str(each["id"])): str(each["name"]) for kind in _NAMED for each in written.get(kind, ())}


def blank(site: Site) -> tuple[Flaw, ...]:
    """What a template could not know and nobody has answered yet."""
    names = {("zones", zone.id): zone.name for zone in site.zones}
    names |= {("openings", opening.id): opening.name for opening in site.openings}
    return tuple(each.named(names) for each in soundness.blanks(site))
