"""By hand: what a person does at the firewall or the switch where the station stands beside the path."""

from dataclasses import dataclass

from rempart.containment.policy import Action
from rempart.phrase import Phrase, phrase
from rempart.site.site import Site

EVERYWHERE = ""
"""The step that is true at any site, before those of the site's own plan."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done by hand: the site cut, or one target blocked or isolated. The cut has no target."""

    action: Action
    target: str = ""


def steps(site: Site, deed: Deed) -> tuple[str, ...]:
    """What is true everywhere, then the site's own plan as site.toml words it. Nothing where nothing is done."""
    match deed.action:
        case Action.CONTAIN:
            return (EVERYWHERE, *site.by_hand.cut)
        case Action.BLOCK:
            return (EVERYWHERE, *site.by_hand.block)
        case Action.ISOLATE:
            return (EVERYWHERE, *site.by_hand.isolate)
        case Action.WATCH:
            return ()


def told(deed: Deed, step: str) -> Phrase:
    """One step as a sentence."""
    if step != EVERYWHERE:
        return phrase("by-hand-step", step=step)
    match deed.action:
        case Action.BLOCK:
            return phrase("by-hand-block", target=deed.target)
        case Action.ISOLATE:
            return phrase("by-hand-isolate", target=deed.target)
        case _:
            return phrase("by-hand-cut")


def doing(site: Site, deed: Deed) -> tuple[Phrase, ...]:
    """All steps of a deed, in order."""
    return tuple(told(deed, step) for step in steps(site, deed))


def changing() -> tuple[Phrase, ...]:
    """How to change what one door lets through."""
    return (phrase("by-hand-door"),)
