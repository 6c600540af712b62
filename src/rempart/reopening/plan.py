"""The plan of a reopening: stages in the order of care, vital services first, browsing last."""

from dataclasses import dataclass

from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site


@dataclass(frozen=True, slots=True)
class Stage:
    """Openings that may be reopened together. ``number`` counts from 1."""

    number: int
    openings: tuple[str, ...]


def stage_of(opening: Opening) -> int:
    """The stage an opening belongs to. Infrastructure (care 0) comes with the vital services it carries."""
    return max(opening.care, 1)


def plan(site: Site) -> tuple[Stage, ...]:
    """The stages of a site. Lifelines stayed filtered through the cut; what is normally closed is not waited for."""
    waiting = [o for o in site.openings if not o.lifeline and o.normally is not OpeningState.CLOSED]
    numbers = sorted({stage_of(opening) for opening in waiting})
    return tuple(Stage(n, tuple(o.id for o in waiting if stage_of(o) == n)) for n in numbers)


def before(site: Site, opening: Opening) -> tuple[str, ...]:
    """The openings of earlier stages: they come first, unless a named person says why not."""
    return tuple(name for stage in plan(site) if stage.number < stage_of(opening) for name in stage.openings)
