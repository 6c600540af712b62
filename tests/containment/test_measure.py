"""What loosens, what tightens, and what the world may hold otherwise."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rempart.containment.limits import Limits
from rempart.containment.measure import (
    Enforcement,
    Stand,
    disagreements,
    due,
    loosens,
    stricter,
    tightens,
    tightest,
)
from rempart.instants import Instant
from rempart.site.opening import OpeningState

NOW = Instant(1_000_000_000)
LATER = Instant(2_000_000_000)

DEADLINES = st.sampled_from([Instant(1_500_000_000), LATER])
LIMITS = st.builds(
    Limits,
    source=st.sampled_from(["198.51.100.7", "198.51.100.8"]),
    hosts=st.sampled_from([("10.2.0.5",), ("10.2.0.5", "10.2.0.6")]),
)
STANDS = st.one_of(
    st.builds(
        Stand,
        state=st.just(OpeningState.FILTERED),
        until=DEADLINES,
        then=st.just(OpeningState.CLOSED),
        limits=LIMITS,
    ),
    st.builds(Stand, state=st.sampled_from(list(OpeningState))),
    st.builds(
        Stand,
        state=st.sampled_from([OpeningState.OPEN, OpeningState.FILTERED]),
        until=DEADLINES,
        then=st.just(OpeningState.CLOSED),
    ),
    st.builds(
        Stand,
        state=st.just(OpeningState.CLOSED),
        until=DEADLINES,
        then=st.sampled_from([OpeningState.OPEN, OpeningState.FILTERED]),
    ),
)
MEASURES = st.dictionaries(st.sampled_from(["a", "b"]), st.none() | DEADLINES)
ENFORCEMENTS = st.builds(
    Enforcement,
    stands=st.fixed_dictionaries({"x": STANDS, "y": STANDS}),
    contained=st.booleans(),
    blocked=MEASURES,
    isolated=MEASURES,
)


@given(ENFORCEMENTS)
def test_nothing_loosens_or_tightens_itself(one: Enforcement) -> None:
    assert not loosens(one, one)
    assert not tightens(one, one)


@given(ENFORCEMENTS, ENFORCEMENTS)
def test_the_tightest_of_two_loosens_neither(one: Enforcement, other: Enforcement) -> None:
    both = tightest(one, other)
    assert not loosens(one, both)
    assert not loosens(other, both)


@given(ENFORCEMENTS, ENFORCEMENTS)
def test_two_enforcements_that_do_not_loosen_or_tighten_are_the_same_to_the_world(
    one: Enforcement, other: Enforcement
) -> None:
    if not loosens(one, other) and not tightens(one, other):
        assert disagreements(one, other, NOW) == ()


@given(ENFORCEMENTS)
def test_the_world_agrees_with_itself(one: Enforcement) -> None:
    assert disagreements(one, due(one, NOW), NOW) == ()


@given(ENFORCEMENTS, st.none() | DEADLINES, DEADLINES, st.integers(-1_900_000, 1_900_000))
def test_at_a_deadline_a_clock_a_little_ahead_or_behind_is_no_drift(
    one: Enforcement, contained_until: Instant | None, now: Instant, error: int
) -> None:
    wanted = replace(one, contained_until=contained_until if one.contained else None)
    assert disagreements(wanted, due(wanted, Instant(now + error)), now) == ()


def test_a_longer_trial_loosens() -> None:
    def trial(until: Instant) -> Enforcement:
        stand = Stand(state=OpeningState.OPEN, until=until, then=OpeningState.CLOSED)
        return Enforcement(stands={"x": stand})

    assert loosens(trial(NOW), trial(LATER))
    assert not loosens(trial(LATER), trial(NOW))


def test_a_wider_visit_loosens_and_of_two_that_differ_neither_stands() -> None:
    def visit(source: str, *hosts: str) -> Enforcement:
        limits = Limits(source=source, hosts=hosts) if hosts else None
        stand = Stand(state=OpeningState.FILTERED, until=LATER, then=OpeningState.CLOSED, limits=limits)
        return Enforcement(stands={"x": stand})

    one, two, other = visit("a", "b"), visit("a", "b", "c"), visit("d", "b")
    assert loosens(one, two)
    assert not loosens(two, one)
    assert loosens(one, visit("a"))
    assert tightest(one, two) == one
    assert tightest(one, other).stands["x"] == Stand(state=OpeningState.CLOSED)
    assert disagreements(one, other, NOW) == ("opening x lets in others than was decided",)


def test_what_differs_is_said_in_words() -> None:
    wanted = Enforcement(
        stands={"web": Stand(state=OpeningState.CLOSED)}, contained=True, blocked={"a": None}
    )
    held = Enforcement(stands={"web": Stand(state=OpeningState.OPEN)}, blocked={"b": None})
    assert disagreements(wanted, held, NOW) == (
        "opening web is open, not closed",
        "the site is not contained",
        "the block of a is missing",
        "there is a block of b that nobody decided",
    )


def test_another_end_is_said_to_be_one() -> None:
    def trial(until: Instant) -> Enforcement:
        return Enforcement(
            stands={"x": Stand(state=OpeningState.OPEN, until=until, then=OpeningState.CLOSED)}
        )

    told = disagreements(trial(LATER), trial(Instant(LATER + 5_000_000)), NOW)
    assert told == ("opening x is open until another instant than was decided",)


def test_a_trial_that_ran_out_is_closed_for_the_world() -> None:
    stand = Stand(state=OpeningState.OPEN, until=NOW, then=OpeningState.CLOSED)
    assert due(Enforcement(stands={"x": stand}), NOW).stands["x"].state is OpeningState.CLOSED


def test_the_stricter_state_wins() -> None:
    assert stricter(OpeningState.OPEN, OpeningState.FILTERED) is OpeningState.FILTERED
    assert stricter(OpeningState.CLOSED, OpeningState.FILTERED) is OpeningState.CLOSED


def _shut_until(until: Instant) -> Enforcement:
    return Enforcement(stands={"x": Stand(state=OpeningState.CLOSED, until=until, then=OpeningState.OPEN)})


def test_what_opens_sooner_or_never_closes_loosens() -> None:
    sooner, later = Instant(1_500_000_000), LATER
    assert loosens(_shut_until(later), _shut_until(sooner))
    assert not loosens(_shut_until(sooner), _shut_until(later))
    trial = Enforcement(stands={"x": Stand(state=OpeningState.OPEN, until=LATER, then=OpeningState.CLOSED)})
    filtered = Enforcement(stands={"x": Stand(state=OpeningState.FILTERED)})
    assert loosens(trial, filtered)  # stricter now, but it does not close any more
    assert tightens(trial, filtered)
