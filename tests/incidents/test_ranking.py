"""What asks for a person, and what is only counted."""

import itertools

import pytest

from rempart.detection.finding import Kind, Level
from rempart.incidents.incident import Incident, IncidentState
from rempart.incidents.ranking import Concern, concern, gravest, weight
from rempart.instants import Instant


def incident(*kinds: Kind, level: Level = Level.HIGH, accounts: tuple[str, ...] = ()) -> Incident:
    return Incident(
        id="inc-1",
        opened=Instant(1),
        last_seen=Instant(1),
        state=IncidentState.OPEN,
        level=level,
        kinds=frozenset(kinds),
        actors=frozenset(),
        accounts=frozenset(accounts),
        assets=frozenset(),
        findings=1,
    )


@pytest.mark.parametrize(
    ("seen", "asks"),
    [
        (incident(Kind.SCAN, Kind.PROBE), Concern.COUNTED),
        (incident(Kind.GUESSING), Concern.COUNTED),
        (incident(Kind.GUESSING, accounts=("stolen",)), Concern.NOW),
        (incident(Kind.RECORDS), Concern.NOW),
        (incident(Kind.RECORDS, level=Level.MEDIUM), Concern.COUNTED),
        (incident(Kind.OTHER), Concern.TODAY),
        (incident(Kind.OTHER, level=Level.CRITICAL), Concern.NOW),
        (incident(Kind.DEVICE, level=Level.MEDIUM), Concern.TODAY),
        (incident(Kind.DEVICE, level=Level.LOW), Concern.COUNTED),
    ],
)
def test_what_asks_for_a_person(seen: Incident, asks: Concern) -> None:
    assert concern(seen) is asks


def test_what_asks_more_weighs_more() -> None:
    every = [
        incident(*kinds, level=level, accounts=accounts)
        for size in (1, 2)
        for kinds in itertools.combinations(Kind, size)
        for level in Level
        for accounts in ((), ("a",))
    ]
    for one, other in itertools.pairwise(sorted(every, key=weight)):
        assert concern(one) <= concern(other)


def test_what_says_most_about_harm_names_the_incident() -> None:
    assert gravest(incident(Kind.SCAN, Kind.RECORDS, Kind.COMMAND)) is Kind.RECORDS
