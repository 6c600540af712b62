"""When a log counts as silent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.silence import DAYS, LONGEST, SHORTEST, patience
from rempart.instants import Duration, hours


@pytest.mark.parametrize(
    ("gaps", "allowed"),
    [
        ([0.01] * 8, 1),  # a port mirror that never rests
        ([0.5] * 8, 4),  # a proxy of a house that sleeps lightly
        ([0.01] * 7, 6),  # the same, and one day without it
        ([0.01] * 7 + [1], 6),  # once it paused for an hour
        ([1] * 8, 6),
        ([8, 9, 8, 8, 9, 8, 8], 13.5),  # a portal that sleeps at night
        ([8, 8, 62, 8, 8, 8, 8], 72),  # a medical house that closes at the weekend
        ([8, 8, 8, 120, 8, 8, 8], 72),  # mended after five days: that is no habit
        ([168, 168, 168], 252),  # a machine that reports once a week
        ([], 6),
    ],
)
def test_a_log_may_be_quiet_half_as_long_again_as_it_usually_is(gaps: list[float], allowed: float) -> None:
    assert patience([hours(gap) for gap in gaps], learnt=True) == hours(allowed)


GAPS = st.lists(st.integers(0, hours(1_000)).map(Duration), max_size=DAYS)


@given(GAPS)
def test_nobody_is_told_of_what_is_usual_nor_before_a_week_is_known(gaps: list[Duration]) -> None:
    assert patience(gaps, learnt=True) >= SHORTEST
    assert patience(gaps, learnt=False) == LONGEST
    if len(gaps) > 1:
        assert patience(gaps, learnt=True) > sorted(gaps)[-2]


@given(GAPS, st.integers(0, hours(10_000)).map(Duration))
def test_one_gap_alone_stretches_nothing_beyond_three_days(gaps: list[Duration], outage: Duration) -> None:
    assert patience([*gaps, outage], learnt=True) <= max(LONGEST, max(gaps, default=0) * 3 // 2)
