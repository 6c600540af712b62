"""A station beside the path: which orders it cannot carry out, and what a person does by hand instead.

What lifts a measure, answers a question or writes something down is done here as anywhere: it changes no packet.
"""

from rempart.containment.by_hand import Deed, changing, doing
from rempart.containment.policy import Action
from rempart.engine import orders
from rempart.engine.orders import AnyOrder
from rempart.engine.state import State
from rempart.errors import OrderRefused
from rempart.phrase import Phrase
from rempart.site.site import Site


def require_in_path(site: Site, state: State, order: AnyOrder) -> None:
    """Raises `OrderRefused` for an order that would change what passes, where nothing passes the station."""
    if site.enforces:
        return
    if steps := _instead(site, state, order):
        raise OrderRefused("watches-only", because=steps)


def _instead(site: Site, state: State, order: AnyOrder) -> tuple[Phrase, ...]:
    """What to do by hand; nothing when the order changes no packet."""
    match order:
        case orders.Contain():
            return doing(site, Deed(Action.CONTAIN))
        case orders.Block(target=target):
            return doing(site, Deed(Action.BLOCK, target))
        case orders.Isolate(asset=asset):
            return doing(site, Deed(Action.ISOLATE, asset))
        case orders.ApproveMeasure(proposal=name) if name in state.proposals:
            proposed = state.proposals[name]
            return doing(site, Deed(Action(proposed.action), proposed.target))
        case (
            orders.CloseLifeline()
            | orders.SetOpening()
            | orders.Bar()
            | orders.Rehearse()
            | orders.Reopen()
            | orders.OpenVisit()
        ):
            return changing()
        case _:
            return ()
