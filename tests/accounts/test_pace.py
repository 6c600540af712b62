"""How fast guesses may come: strangers slow down strangers only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.accounts.pace import MOST, Buckets, Pace, place
from rempart.instants import Instant, seconds

THREE = Pace(3, seconds(10))
START = Instant(1_700_000_000_000_000)


def at(second: float) -> Instant:
    return Instant(START + seconds(second))


def test_a_burst_and_then_one_each_interval() -> None:
    buckets = Buckets()
    waits = []
    for second in (0, 0, 0, 0, 4, 10, 10, 20):
        buckets, wait = buckets.take("a", THREE, at(second))
        waits.append(wait // seconds(1))
    assert waits == [0, 0, 0, 10, 6, 0, 10, 0]


def test_one_bucket_does_not_empty_another() -> None:
    buckets = Buckets()
    for _ in range(10):
        buckets, _ = buckets.take("stranger", THREE, START)
    assert buckets.take("anne", THREE, START)[1] == 0


@given(st.lists(st.integers(0, 40), max_size=60))
def test_no_pattern_of_tries_gets_more_than_the_pace(pauses: list[int]) -> None:
    buckets, second, passed = Buckets(), 0, 0
    for pause in pauses:
        second += pause
        buckets, wait = buckets.take("a", THREE, at(second))
        passed += wait == 0
    assert passed <= THREE.burst + second // 10


@given(st.integers(0, 100))
def test_waiting_as_told_is_enough(tries: int) -> None:
    buckets = Buckets()
    for _ in range(tries):
        buckets, _ = buckets.take("a", THREE, START)
    _, wait = buckets.take("a", THREE, START)
    assert buckets.take("a", THREE, Instant(START + wait))[1] == 0


def test_buckets_are_bounded_and_the_latest_are_kept() -> None:
    buckets = Buckets()
    for number in range(MOST + 10):
        buckets, _ = buckets.take(str(number), THREE, START)
    assert len(buckets.full) == MOST
    assert "0" not in buckets.full
    assert str(MOST + 9) in buckets.full


def test_no_crowd_of_others_washes_out_a_bucket_that_was_emptied() -> None:
    """Under names that are made up, or from places enough, nobody buys more guesses at one account."""
    buckets = Buckets()
    for _ in range(THREE.burst):
        buckets, _ = buckets.take("anne", THREE, START)
    for number in range(2 * MOST):
        buckets, _ = buckets.take(f"made up {number}", THREE, START)
    assert buckets.take("anne", THREE, START)[1] > 0
    assert len(buckets.full) == MOST


def test_what_is_full_again_is_not_kept() -> None:
    buckets, _ = Buckets().take("a", THREE, START)
    buckets, _ = buckets.take("b", THREE, at(10))
    assert list(buckets.full) == ["b"]


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("not an address", "unknown"),
    ],
)
def test_an_ipv6_network_is_one_place(address: str, counted_as: str) -> None:
    assert place(address) == counted_as
