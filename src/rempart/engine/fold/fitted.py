"""What ends the fold: the state with the doors and machines that site.toml has now."""

from rempart.containment.barrier import passages
from rempart.containment.measure import Stand
from rempart.engine.changed import changed
from rempart.engine.state import NEVER, Door, State, initial
from rempart.site.site import Site


def fitted(state: State, site: Site) -> State:
    """The state with the doors and machines that the site has now: site.toml may have changed since the facts.

    A new door stands as it normally does, or as the cut leaves it while the site is contained; so does one about
    which nothing was ever decided. What the site no longer has, is gone. Beside the path nothing is held: every door
    stands as it normally does, and no measure stands; back in the path they are recalled from the journal.
    """
    state = changed(state, placement=site.placement)
    if not site.enforces:
        return changed(state, doors=initial(site).doors, blocked={}, isolated={}, barred={}, reopened=())
    doors = {
        o.id: door
        if (door := state.doors.get(o.id)) and door.since != NEVER
        else Door(stand=Stand(state=o.left_by_cut if state.contained else o.normally), since=NEVER)
        for o in site.openings
    }
    machines = {asset.id for asset in site.assets}
    return changed(
        state,
        doors=doors,
        isolated={name: measure for name, measure in state.isolated.items() if name in machines},
        barred={
            name: measure for name, measure in state.barred.items() if name in {*map(str, passages(site))}
        },
        gates={name: answers for name, answers in state.gates.items() if name in doors},
        reopened=tuple(name for name in state.reopened if name in doors),
        by_hand={},
    )
