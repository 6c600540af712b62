"""What stands in the first moment after a boot: what was decided, with its deadlines; when in doubt, the tighter."""

from rempart.containment.measure import Enforcement, Stand, due, stricter
from rempart.instants import Instant
from rempart.site.opening import OpeningState
from rempart.site.site import Site


def restored(decided: Enforcement, now: Instant | None) -> Enforcement:
    """What was decided, as it stands ``now``.

    None: the time is not known (a box without a clock of its own, before the network). A trial is then over, whatever
    was to fall back stays, and nothing that was closed, blocked or isolated ends.
    """
    if now is not None:
        return due(decided, now)
    return Enforcement(
        stands={name: _tighter(stand) for name, stand in decided.stands.items()},
        contained=decided.contained,
        blocked=dict.fromkeys(decided.blocked),
        isolated=dict.fromkeys(decided.isolated),
        barred=dict.fromkeys(decided.barred),
    )


def shut(site: Site) -> Enforcement:
    """The cut, for when nobody can tell what was decided: openings closed, lifelines filtered, safeguards as always."""
    return Enforcement(
        stands={
            opening.id: Stand(
                state=OpeningState.FILTERED
                if opening.lifeline and opening.normally is not OpeningState.CLOSED
                else OpeningState.CLOSED
            )
            for opening in site.openings
        },
        contained=True,
    )


NOTHING_PASSES = """table inet rempart
delete table inet rempart
table inet rempart {
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}
"""
"""For when not even site.toml can be read: nothing crosses the gateway. Whoever stands before it can still sign in."""


def _tighter(stand: Stand) -> Stand:
    if stand.until is None or stand.then is None:
        return Stand(state=stand.state)
    return Stand(state=stricter(stand.state, stand.then))
