"""Traffic: how much passes each opening, in a few steps that a drawing can show, from two counts of the kernel."""

from collections.abc import Mapping

from rempart.instants import Duration
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site

NOTHING, LITTLE, SOME, MUCH = range(4)
"""The steps. A number would move all the time and say no more to whoever is on duty."""

_SOME_FROM, _MUCH_FROM = 10.0, 200.0
"""Packets a second, both ways together: a few desks; many, or something large."""

_SECOND = 1_000_000


def traffic(
    site: Site, before: Mapping[str, int], after: Mapping[str, int], lasted: Duration
) -> dict[str, int]:
    """The step of each opening, by its id; ``before`` and ``after``: packets by the name of what counted them.

    Services that pass the proxy are left out: the kernel counts the proxy's own connections there, not visitors'.
    """
    elapsed = max(1, lasted) / _SECOND
    return {
        each.id: _step(_passed(each, before, after) / elapsed)
        for each in site.openings
        if not each.publication
    }


def _passed(opening: Opening, before: Mapping[str, int], after: Mapping[str, int]) -> int:
    names = [f"{state.value}_{opening.mark}" for state in (OpeningState.OPEN, OpeningState.FILTERED)]
    was, now = (sum(counted.get(name, 0) for name in names) for counted in (before, after))
    return now - was if now >= was else now  # the table was loaded anew: it counts from nothing


def _step(packets_a_second: float) -> int:
    if packets_a_second <= 0:
        return NOTHING
    if packets_a_second < _SOME_FROM:
        return LITTLE
    return SOME if packets_a_second < _MUCH_FROM else MUCH
