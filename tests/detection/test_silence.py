"""When a log counts as silent."""

import pytest

from rempart.detection.silence import silent
from rempart.instants import Instant, hours

NOW = Instant(hours(10_000))


@pytest.mark.parametrize(
    ("lines", "hours_ago", "expected"),
    [
        ([0, 90_000, 95_000], 5, False),  # a quiet night
        ([0, 90_000, 95_000], 7, True),
        ([1, 2, 2, 2, 2, 2, 2], 71, False),  # one that seldom speaks
        ([1, 2, 2, 2, 2, 2, 2], 73, True),
        ([0, 24, 24], 19, False),
        ([0, 24, 24], 21, True),
        ([0] * 7, 71, False),  # never heard, and not for long
        ([0] * 7, 73, True),
    ],
)
def test_a_log_is_silent_after_much_longer_than_its_usual_gap(
    lines: list[int], hours_ago: int, *, expected: bool
) -> None:
    assert silent(lines, Instant(NOW - hours(hours_ago)), NOW) is expected
