"""What watch says is cut down to what can be sealed."""

from dataclasses import replace

import pytest

from engine.home import ATTACKER, GUESSING, SITE, account, at, by, shipped_policy
from rempart.engine.facts import body_of
from rempart.engine.hearsay import LARGEST, MOST_PARTIES, bounded
from rempart.engine.state import initial
from rempart.engine.weigh import weigh
from rempart.errors import InputRefused
from rempart.evidence import canonical
from rempart.instants import Instant


def test_an_ordinary_finding_keeps_all_that_is_decided_by() -> None:
    assert bounded(GUESSING) == replace(GUESSING, proofs=(), tags=())


def test_whatever_it_claims_can_be_sealed_and_is_short() -> None:
    monstrous = replace(
        GUESSING,
        rule="r" * 10**6,
        title="t" * 10**6,
        source="s" * 10**6,
        record=10**30,
        count=-(10**30),
        observables=(
            *(at(f"10.3.{n // 250}.{n % 250}") for n in range(5_000)),
            account("a" * 10**6),
            by(ATTACKER),
        ),
    )
    kept = bounded(monstrous)
    assert (kept.record, kept.count, len(kept.observables)) == (LARGEST, 0, MOST_PARTIES)
    assert by(ATTACKER) in kept.observables
    decided = weigh(SITE, shipped_policy(), initial(SITE), kept, Instant(GUESSING.time)).facts
    assert decided
    assert all(len(canonical.encode(body_of(fact))) < 20_000 for fact in decided)


@pytest.mark.parametrize("name", ["", "short", "../../etc/passwd", "a" * 10_000, "é" * 20, "a b c d e f"])
def test_what_cannot_be_an_id_is_refused(name: str) -> None:
    with pytest.raises(InputRefused, match="no usable id"):
        bounded(replace(GUESSING, id=name))
