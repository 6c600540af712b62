"""By hand: what a person does at the firewall or the switch where the station stands beside the path."""

from collections.abc import Iterable, Iterator

from rempart.phrase import Phrase, phrase
from rempart.site.site import Site


def cutting(site: Site) -> tuple[Phrase, ...]:
    """How to cut the site off: what is true everywhere, then the site's own plan if it has one."""
    return (phrase("by-hand-cut"), *_steps(site.by_hand.cut))


def blocking(site: Site, target: str) -> tuple[Phrase, ...]:
    """How to block an address or network outside."""
    return (phrase("by-hand-block", target=target), *_steps(site.by_hand.block))


def isolating(site: Site, target: str) -> tuple[Phrase, ...]:
    """How to isolate a machine inside."""
    return (phrase("by-hand-isolate", target=target), *_steps(site.by_hand.isolate))


def changing() -> tuple[Phrase, ...]:
    """How to change what one door lets through."""
    return (phrase("by-hand-door"),)


def _steps(plan: Iterable[str]) -> Iterator[Phrase]:
    return (phrase("by-hand-step", step=step) for step in plan)
