"""The meter counts once a minute, and knows nothing when the kernel tells nothing."""

from collections.abc import Mapping

from engine.home import NOW, SITE
from rempart.containment.traffic import MUCH, NOTHING
from rempart.errors import EnforcementFailed
from rempart.instants import Instant, seconds
from rempart.station.meter import EVERY, Meter

MAIL = next(each for each in SITE.openings if not each.publication)


class Hands:
    """A clock, and a kernel that counts."""

    def __init__(self) -> None:
        self.time = NOW
        self.packets: int | None = 0
        self.asked = 0

    def now(self) -> Instant:
        return self.time

    def counted(self) -> Mapping[str, int]:
        self.asked += 1
        if self.packets is None:
            raise EnforcementFailed("no table", where="nftables", now="wait")
        return {f"open_{MAIL.mark}": self.packets}

    def later(self, passed: int, packets: int | None) -> None:
        self.time, self.packets = Instant(self.time + passed), packets


def test_two_counts_a_minute_apart_make_a_step_and_none_is_asked_for_between() -> None:
    hands = Hands()
    meter = Meter(hands, hands.counted)
    meter.look(SITE)
    assert meter.steps == {}
    hands.later(seconds(3), 100_000)
    meter.look(SITE)
    assert (meter.steps, hands.asked) == ({}, 1)
    hands.later(EVERY, 100_000)
    meter.look(SITE)
    assert meter.steps[MAIL.id] == MUCH
    hands.later(EVERY, 100_000)
    meter.look(SITE)
    assert meter.steps[MAIL.id] == NOTHING


def test_without_a_table_nothing_is_known() -> None:
    hands = Hands()
    meter = Meter(hands, hands.counted)
    meter.look(SITE)
    for packets, known in ((9, True), (None, False), (20, False), (30, True)):
        hands.later(EVERY, packets)
        meter.look(SITE)
        assert bool(meter.steps) is known
