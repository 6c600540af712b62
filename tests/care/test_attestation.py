"""Once a shift: every ward is asked anew when a shift begins, and not again before the next one does."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.home import SITE
from rempart.care.attestation import Attestation, Standing, standings
from rempart.care.reply import Reply
from rempart.instants import Instant, from_datetime, hours, parse_rfc3339
from rempart.site.belgian_time import comes, on_the_wall

WARD = SITE.wards[0].id
SHIFTS = SITE.hours.shifts  # 07:00, 14:00 and 21:00
INSTANTS = st.datetimes(datetime(1997, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: from_datetime(moment.replace(tzinfo=UTC))
)


def standing(said: Instant, now: Instant) -> Standing:
    attested = {WARD: Attestation(reply=Reply.YES, note="", by="Nadia", at=said)}
    return standings(SITE, attested, now)[WARD]


@pytest.mark.parametrize(
    ("said", "now", "heard"),
    [
        # The night of 30 October 2027 has ten hours from nine to six: what was said in it still holds.
        ("2027-10-30T21:30:00+02:00", "2027-10-31T06:30:00+01:00", True),
        ("2027-10-30T20:59:59+02:00", "2027-10-31T02:30:00+01:00", False),
        ("2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00", True),
        # That of 27 March 2027 has eight: what was said before it began does not.
        ("2027-03-27T20:30:00+01:00", "2027-03-28T06:00:00+02:00", False),
        ("2027-03-27T21:00:00+01:00", "2027-03-28T06:59:59+02:00", True),
        ("2027-03-27T21:00:00+01:00", "2027-03-28T07:00:00+02:00", False),
        ("2026-12-31T23:50:00+01:00", "2027-01-01T00:10:00+01:00", True),
        ("2028-02-28T23:50:00+01:00", "2028-02-29T06:59:00+01:00", True),
    ],
)
def test_what_a_ward_said_holds_for_its_shift(said: str, now: str, heard: bool) -> None:
    expected = Standing.GOES_ON if heard else Standing.UNHEARD
    assert standing(parse_rfc3339(said), parse_rfc3339(now)) is expected


@given(INSTANTS, st.integers(0, 10 * 3600))
@example(parse_rfc3339("2027-10-31T00:30:00Z"), 3600)
def test_a_ward_is_asked_once_a_shift(said: Instant, later: int) -> None:
    now = Instant(said + later * 1_000_000)
    next_shift = min(comes(minute, said) for minute in SHIFTS)
    assert (standing(said, now) is Standing.GOES_ON) == (now < next_shift)


@given(INSTANTS)
def test_three_shifts_begin_on_every_day_at_their_hours(now: Instant) -> None:
    begins = now
    for _ in range(3):
        begins = min(comes(minute, begins) for minute in SHIFTS)
        wall = on_the_wall(begins)
        assert wall.hour * 60 + wall.minute in SHIFTS
    assert hours(23) - hours(10) <= begins - now <= hours(25)
