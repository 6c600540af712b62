"""A station beside the path: which orders it cannot carry out, and what a person does by hand instead.

What lifts a measure, answers a question or writes something down is done here as anywhere: it changes no packet.
"""

from rempart.containment import by_hand
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
            return by_hand.cutting(site)
        case orders.Block(target=target):
            return by_hand.blocking(site, target)
        case orders.Isolate(asset=asset):
            return by_hand.isolating(site, asset)
        case orders.ApproveMeasure(proposal=name) if name in state.proposals:
            return _approved(site, state.proposals[name].action, state.proposals[name].target)
        case (
            orders.CloseLifeline()
            | orders.SetOpening()
            | orders.Bar()
            | orders.Rehearse()
            | orders.Reopen()
            | orders.OpenVisit()
        ):
            return by_hand.changing()
        case _:
            return ()


def _approved(site: Site, action: str, target: str) -> tuple[Phrase, ...]:
    match Action(action):
        case Action.CONTAIN:
            return by_hand.cutting(site)
        case Action.BLOCK:
            return by_hand.blocking(site, target)
        case Action.ISOLATE:
            return by_hand.isolating(site, target)
        case Action.WATCH:
            return ()
