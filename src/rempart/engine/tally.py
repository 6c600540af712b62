"""Counting what repeats, so that a flood of the same cannot fill the journal: it is told at 1, 10, 100 …"""

from rempart.engine.changed import changed
from rempart.engine.state import State

TALLIES = 4_000
"""How many sorts of findings are counted apart; the longest unseen are forgotten first, and told again."""


def tallied(state: State, sort: str) -> tuple[State, int]:
    """The state with one more of this sort counted, and how many there were; the longest unseen sort is forgotten."""
    tally = state.tallies.get(sort, 0) + 1
    others = {name: count for name, count in state.tallies.items() if name != sort}
    if len(others) >= TALLIES:
        del others[next(iter(others))]
    return changed(state, tallies={**others, sort: tally}), tally


def is_power_of_ten(number: int) -> bool:
    """Whether so many are told."""
    return str(number).rstrip("0") == "1"
