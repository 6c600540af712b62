"""Pasts: what is usual, by hours, within bounds."""

from collections.abc import Callable
from statistics import median

from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.behaviour.past import HOURS, Kept, Past
from rempart.instants import Instant, hours


def past(amounts: list[int]) -> Past:
    kept = Past()
    for hour, amount in enumerate(amounts):
        kept.add(amount, Instant(hours(hour)))
    kept.turn(Instant(hours(len(amounts))))
    return kept


def test_an_hour_counts_when_it_is_over_and_had_something() -> None:
    kept = Past()
    assert [kept.add(5, Instant(hours(0))), kept.add(7, Instant(hours(0.9)))] == [5, 12]
    assert not kept.done
    assert kept.add(1, Instant(hours(3))) == 1
    assert list(kept.done) == [12]
    assert kept.age(Instant(hours(3))) == hours(3)


def test_what_comes_late_counts_to_the_running_hour() -> None:
    kept = past([1, 1])
    assert kept.add(4, Instant(hours(0))) == 4


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=HOURS))
@settings(max_examples=50)
def test_the_usual_is_the_median_and_its_deviation(amounts: list[int]) -> None:
    usual = past(amounts).usual()
    assert usual.middle == median(amounts)
    assert usual.spread == median(abs(each - usual.middle) for each in amounts)
    assert usual.high >= usual.middle
    assert not usual.exceeded(usual.high, deviations=0, times=1)


def test_two_weeks_are_kept() -> None:
    kept = past([1] * 50 + [2] * HOURS)
    assert len(kept.done) == HOURS
    assert kept.usual().middle == 2


def test_a_nightly_load_is_usual_by_the_second_night() -> None:
    usual = past(([10] * 23 + [1000]) * 3).usual()
    assert usual.middle == 10
    assert not usual.exceeded(1100, deviations=8, times=1.5)
    assert usual.exceeded(1600, deviations=8, times=1.5)


def test_the_longest_unasked_is_forgotten_first() -> None:
    new: Callable[[], list[int]] = list
    kept = Kept[str, list[int]](2, new)
    kept.of("a").append(1)
    kept.of("b")
    kept.of("a")
    kept.of("c")
    assert kept.of("a") == [1]
    assert len(kept) == 2
