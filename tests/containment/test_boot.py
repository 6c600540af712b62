"""What stands in the first moment after a boot."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.home import NOW, SITE
from rempart.containment.boot import restored, shut
from rempart.containment.measure import Enforcement, Stand, due, loosens
from rempart.instants import Instant, after, hours
from rempart.site.opening import OpeningState

STATES = st.sampled_from(list(OpeningState))
ENDS = st.one_of(st.none(), st.integers(-10, 10).map(lambda hour: Instant(NOW + hour * 3_600_000_000)))
STANDS = st.builds(
    lambda state, until, then: Stand(state=state, until=until, then=then if until else None),
    STATES,
    ENDS,
    STATES,
)
DECIDED = st.builds(
    Enforcement,
    stands=st.fixed_dictionaries({opening.id: STANDS for opening in SITE.openings}),
    contained=st.booleans(),
    blocked=st.dictionaries(st.sampled_from(["192.0.2.1", "192.0.2.0/28"]), ENDS),
    isolated=st.dictionaries(st.just("ward-pc"), ENDS),
    barred=st.dictionaries(st.just("wards>servers"), ENDS),
)


@given(DECIDED, ENDS)
def test_without_a_trusted_time_nothing_is_looser_than_at_any_time(
    decided: Enforcement, at: Instant | None
) -> None:
    moment = at or NOW
    assert not loosens(due(decided, moment), restored(decided, None))
    assert restored(decided, moment) == due(decided, moment)


def test_a_trial_is_over_and_what_was_to_fall_back_stays() -> None:
    stands = {
        "ehealth": Stand(state=OpeningState.OPEN, until=after(NOW, hours(1)), then=OpeningState.CLOSED),
        "portal": Stand(state=OpeningState.CLOSED, until=after(NOW, hours(1)), then=OpeningState.OPEN),
    }
    decided = Enforcement(stands=stands, contained=True, contained_until=after(NOW, hours(1)))
    unknown = restored(replace(decided, blocked={"192.0.2.1": after(NOW, hours(1))}), None)
    assert set(unknown.stands.values()) == {Stand(state=OpeningState.CLOSED)}
    assert unknown.contained
    assert unknown.contained_until is None
    assert unknown.blocked == {"192.0.2.1": None}


def test_when_nobody_can_tell_lifelines_stay_filtered() -> None:
    cut = shut(SITE)
    assert cut.stands["telephone"].state is OpeningState.FILTERED
    assert {cut.stands[o.id].state for o in SITE.openings if not o.lifeline} == {OpeningState.CLOSED}
