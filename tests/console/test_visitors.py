"""Whose session a cookie is: strangers who ask are held back, each address by itself and all of them together."""

from pathlib import Path

from rempart.console.access import Access
from rempart.console.feed import Feed
from rempart.console.visitors import Visitors
from rempart.instants import Duration, Instant, seconds

LAN = [f"10.9.0.{host}" for host in range(1, 254)]
NURSE = "10.9.0.254"
GUARD = 50
"""Questions a second that the guard takes from the console."""


class Movable:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = Instant(1_800_000_000_000_000)

    def now(self) -> Instant:
        return self.at

    def pass_(self, time: Duration) -> None:
        self.at = Instant(self.at + time)


def visitors(clock: Movable) -> Visitors:
    return Visitors(Feed(Path("nobody"), clock), Access(publish=lambda _: None), clock)


def flooded(at: Visitors, clock: Movable, ticks: int) -> int:
    """How many questions all other addresses, in turns, get to ask in so many tenths of a second."""
    passed = 0
    for tick in range(ticks):
        clock.pass_(seconds(0.1))
        passed += sum(at.may_ask(each) for each in LAN[tick % 5 :: 5])
    return passed


def test_one_address_is_held_back() -> None:
    clock = Movable()
    at = visitors(clock)
    assert sum(at.may_ask(NURSE) for _ in range(500)) == 40


def test_whoever_takes_every_other_address_does_not_keep_the_night_nurse_out() -> None:
    clock = Movable()
    at = visitors(clock)
    flooded(at, clock, 900)
    for _ in range(10):
        assert at.may_ask(NURSE)
        flooded(at, clock, 200)


def test_all_together_ask_less_than_the_guard_takes() -> None:
    clock = Movable()
    at = visitors(clock)
    flooded(at, clock, 100)
    assert flooded(at, clock, 100) < 0.8 * GUARD * 10
