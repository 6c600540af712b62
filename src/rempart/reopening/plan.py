"""The plan of a reopening: the trusted core first, then stages in the order of care, browsing last.

The order proposed is the one seen in real incidents (docs/design/reopening.md): each opening's weight to care, and no
opening before those it needs. People move openings to other stages; what they say wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site

LAST = 9
"""The highest stage people may give."""

_NOBODY_MOVED: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Stage:
    """Openings that may be reopened together. ``number`` counts from 1; stage 0 is the core, which has no openings."""

    number: int
    openings: tuple[str, ...]


def stage_of(site: Site, opening: Opening, moved: Mapping[str, int] = _NOBODY_MOVED) -> int:
    """The stage an opening belongs to. Infrastructure (care 0) comes with the vital services it carries."""
    return _stage(site, opening, moved, frozenset())


def stages(site: Site, moved: Mapping[str, int] = _NOBODY_MOVED) -> dict[str, int]:
    """The stage of each opening that is waited for, in the site's order.

    Lifelines stayed filtered through the cut; what is normally closed is not waited for.
    """
    waiting = (o for o in site.openings if not o.lifeline and o.normally is not OpeningState.CLOSED)
    return {opening.id: stage_of(site, opening, moved) for opening in waiting}


def plan(site: Site, moved: Mapping[str, int] = _NOBODY_MOVED) -> tuple[Stage, ...]:
    """The stages of a site, in order."""
    found = stages(site, moved)
    return tuple(
        Stage(number, tuple(name for name, stage in found.items() if stage == number))
        for number in sorted(set(found.values()))
    )


def before(site: Site, opening: Opening, moved: Mapping[str, int] = _NOBODY_MOVED) -> tuple[str, ...]:
    """The openings of earlier stages: they come first, unless a named person says why not."""
    own = stage_of(site, opening, moved)
    return tuple(name for stage in plan(site, moved) if stage.number < own for name in stage.openings)


def _stage(site: Site, opening: Opening, moved: Mapping[str, int], seen: frozenset[str]) -> int:
    if opening.id in moved:
        return moved[opening.id]
    deeper = seen | {opening.id}
    needed = (site.opening(name) for name in opening.needs if name not in deeper)
    return max(opening.care, 1, *(_stage(site, each, moved, deeper) for each in needed))
