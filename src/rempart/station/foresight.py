"""What an order would do now: one step of the engine whose outcome is told and thrown away."""

from rempart.containment.measure import loosens
from rempart.engine.facts import kind_of
from rempart.engine.inputs import Ordered, Refuse, Seal
from rempart.engine.orders import AnyOrder
from rempart.engine.state import State, enforcement
from rempart.engine.step import Terms, step
from rempart.instants import Instant
from rempart.messages import DoorForeseen, Foreseen


def foresee(terms: Terms, state: State, order: AnyOrder, now: Instant) -> Foreseen:
    """The outcome in words a person can weigh. Nothing is sealed, enforced or remembered."""
    after_it, commands = step(terms, state, Ordered(now, order))
    before, wanted = enforcement(state), enforcement(after_it)
    refusal = next((command for command in commands if isinstance(command, Refuse)), None)
    if refusal:
        return Foreseen(
            refused=refusal.what,
            instead=refusal.now,
            said=refusal.said,
            facts=[],
            doors=[],
            loosens=False,
        )
    return Foreseen(
        refused="",
        instead="",
        facts=[kind_of(fact) for command in commands if isinstance(command, Seal) for fact in command.facts],
        doors=[
            DoorForeseen(
                opening=name,
                now=before.stands[name].state,
                would=stand.state,
                until=stand.until,
                then=stand.then,
            )
            for name, stand in wanted.stands.items()
            if stand != before.stands[name]
        ],
        loosens=loosens(before, wanted),
    )
