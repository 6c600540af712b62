"""Laws of deadlines, whatever the instant: somebody is there, and nobody was there sooner."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from rempart.engine.deadline import staffed
from rempart.instants import Instant, from_datetime, hours, minutes
from rempart.site.belgian_time import on_the_wall
from rempart.site.hours import Hours

LEAPS = [datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)]
NEAR_A_LEAP = st.tuples(st.sampled_from(LEAPS), st.integers(-3 * 86_400, 3 * 86_400)).map(
    lambda drawn: Instant(from_datetime(drawn[0]) + drawn[1] * 1_000_000)
)
ANY = st.datetimes(datetime(1997, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: from_datetime(moment.replace(tzinfo=UTC))
)
HOUSES = st.builds(
    lambda days, ends, holidays: Hours(days=tuple(days), begins=min(ends), ends=max(ends), holidays=holidays),
    st.sets(st.integers(1, 7), min_size=1),
    st.sets(
        st.one_of(st.integers(0, 24 * 60), st.sampled_from([60, 90, 120, 150, 180])), min_size=2, max_size=2
    ),
    st.booleans(),
)


@given(HOUSES, st.one_of(NEAR_A_LEAP, ANY))
def test_the_next_staffed_instant_is_staffed_and_the_first(when: Hours, at: Instant) -> None:
    found = staffed(when, at)
    assert found >= at
    if not when.staffed(on_the_wall(found)):
        assert (
            found == at
        )  # not within two weeks: its hours lie where summer time leaves one out, or on a holiday
        return
    for moment in range(at, found, minutes(15)):
        assert not when.staffed(on_the_wall(Instant(moment)))
    assert found == at or not when.staffed(on_the_wall(Instant(found - 1)))


@given(st.one_of(NEAR_A_LEAP, ANY))
def test_in_working_hours_of_a_week_nobody_waits_longer_than_christmas_lasts(at: Instant) -> None:
    assert staffed(Hours(), at) - at <= hours(24 * 5)
