"""Recall: what a snapshot says is the state that was sealed."""

import msgspec

from engine.home import ATTACKER, NOW, SCANNER, SITE
from rempart.engine import facts
from rempart.engine.fold.fold import folded
from rempart.engine.state import State, initial
from rempart.station.recall import image


def test_a_state_with_blocks_is_read_again_as_it_was() -> None:
    blocks = (
        facts.Blocked(at=NOW, target=target, until=None, by="anne", reason="")
        for target in (ATTACKER, SCANNER)
    )
    state = folded(initial(SITE), SITE, blocks)
    again = msgspec.json.decode(image(state), type=State)
    assert again == state
    assert again.blocked.keys() == {ATTACKER, SCANNER}
    ended = facts.Unblocked(at=NOW, target=ATTACKER, by="anne")
    assert folded(again, SITE, (ended,)) == folded(state, SITE, (ended,))
