"""A barrier: one passage is shut while all around it stays: from a zone into another, or one way of an opening.

Written ``wards>servers`` (what wards begin to servers) or ``telephone:in`` (what begins outside through that opening;
``:out``: inside). Established connections of the passage are cut with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rempart.errors import InputRefused
from rempart.site.opening import Direction, Opening
from rempart.site.site import Site, Zone


@dataclass(frozen=True, slots=True)
class Between:
    """What ``source`` begins to ``target``."""

    source: Zone
    target: Zone

    def __str__(self) -> str:
        return f"{self.source.id}>{self.target.id}"


@dataclass(frozen=True, slots=True)
class OneWay:
    """What begins outside (``inward``), or inside, through an opening that serves both ways."""

    opening: Opening
    inward: bool

    def __str__(self) -> str:
        return f"{self.opening.id}:{'in' if self.inward else 'out'}"


Passage = Between | OneWay


def passages(site: Site) -> Iterator[Passage]:
    """Every passage of the site that can be shut by itself."""
    interfaces = [zone.interface for zone in site.zones]
    for source in site.zones:
        for target in site.zones:
            # Two zones on one interface cannot be told apart at the gateway.
            alone = interfaces.count(source.interface) == interfaces.count(target.interface) == 1
            if target.id in source.reaches and source is not target and alone:
                yield Between(source, target)
    for opening in site.openings:
        if opening.direction is Direction.BOTH:
            yield OneWay(opening, inward=True)
            yield OneWay(opening, inward=False)


def passage(site: Site, text: str) -> Passage:
    """The passage of that name. Raises InputRefused when the site has none."""
    known = {str(each): each for each in passages(site)}
    if text not in known:
        listed = ", ".join(sorted(known)) or "none"
        raise InputRefused(
            f"{text[:80]!r} is no passage that can be shut by itself", now=f"This site has: {listed}."
        )
    return known[text]
