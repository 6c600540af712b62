"""Beaconing: clocks are told from people, jitter from reading pages."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.behaviour.beaconing import ENOUGH, KEPT, PAIRS, Beaconing, Beats
from rempart.detection.behaviour.sighting import Contact, Side
from rempart.detection.finding import Finding, Level
from rempart.events.event import Event, LogSource
from rempart.events.observable import ObservableKind, Role
from rempart.instants import Instant, hours, seconds

NOON = 1_795_000_000


def call(
    second: float, *, source: str = "10.0.1.5", to: str = "203.0.113.9", port: int = 443, known: bool = False
) -> Contact:
    return Contact(Instant(seconds(NOON + second)), source, Side.INSIDE, to, Side.OUTSIDE, port, known=known)


def watched(source: str = "10.0.1.5") -> Contact:
    """A call the day before: the machine is known."""
    return call(-90_000, source=source, to="198.51.100.1")


def fed(contacts: list[Contact], detector: Beaconing | None = None) -> list[Finding]:
    """The findings above information."""
    detector = detector or Beaconing()
    return [found for found in told(contacts, detector) if found.level > Level.INFORMATIONAL]


def told(contacts: list[Contact], detector: Beaconing) -> list[Finding]:
    found = []
    for record, contact in enumerate(contacts, 1):
        event = Event(LogSource(), {}, "log", record, contact.time)
        found += detector.see(contact, event, contact.time)
    return found


def test_a_clock_is_found_once_and_says_why() -> None:
    (found,) = fed([watched(), *(call(n * 60) for n in range(200))])
    assert found.level is Level.MEDIUM
    assert found.those(Role.ACTOR, ObservableKind.ADDRESS) == ("10.0.1.5",)
    proofs = {proof.field: proof.value for proof in found.proofs}
    assert proofs["contacts"] == str(ENOUGH)
    assert proofs["seconds between contacts (mean)"] == "60.0"
    assert proofs["coefficient of variation"].startswith("0.000")


@given(st.integers(10, 3000), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_a_wait_give_or_take_half_of_it_is_still_a_clock(period: int, seed: int) -> None:
    chance, second, contacts = random.Random(seed), 0.0, []
    for _ in range(KEPT):
        second += period * chance.uniform(0.75, 1.25)
        contacts.append(call(second))
    assert len(fed([watched(), *contacts])) >= 1


@given(st.integers(20, 600), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_people_are_no_clocks(mean: int, seed: int) -> None:
    chance, second, contacts = random.Random(seed), 0.0, []
    for _ in range(300):
        second += chance.expovariate(1 / mean)
        contacts.append(call(second))
    assert fed([watched(), *contacts]) == []


def test_a_beat_missed_or_doubled_changes_nothing() -> None:
    times = [n * 60.0 for n in range(40) if n not in (7, 19)]
    assert len(fed([watched()] + [call(t) for each in times for t in (each, each + 0.5)])) == 1


@pytest.mark.parametrize(
    "contacts",
    [
        [call(n * 60) for n in range(ENOUGH - 1)],
        [call(n * 2.5) for n in range(200)],
        [call(n * 60, known=True) for n in range(200)],
        [call(n * 64, port=123) for n in range(200)],
        [call(n * 7200) for n in range(200)],
        [call(n * 60, to=f"203.0.113.{n % 50}") for n in range(200)],
    ],
    ids=["too few", "too fast", "own opening", "clock", "too rare for a day", "ever another"],
)
def test_what_is_no_beacon_is_silent(contacts: list[Contact]) -> None:
    assert fed([watched(), *contacts]) == []


def test_what_it_always_did_is_a_habit_also_from_the_address_beside() -> None:
    mail = [call(-90_000 + n * 300) for n in range(30)] + [
        call(n * 300, to="203.0.113.10") for n in range(60)
    ]
    assert {found.level for found in told(mail, Beaconing())} == {Level.INFORMATIONAL}


def test_what_all_machines_call_is_told_as_little() -> None:
    contacts = [watched(f"10.0.1.{m}") for m in range(1, 7)]
    contacts += [call(n * 60 + m, source=f"10.0.1.{m}") for n in range(30) for m in range(1, 7)]
    found = fed(contacts)
    assert {each.level for each in found} == {Level.LOW}
    assert len(found) == 6


@given(st.permutations(range(40)))
@settings(max_examples=20)
def test_the_order_of_arrival_does_not_matter(order: list[int]) -> None:
    beats = Beats()
    for n in order:
        beats.add(Instant(seconds(n * 60)))
    assert beats.times == [seconds(n * 60) for n in range(40)]


def test_the_same_events_give_the_same_ids() -> None:
    contacts = [watched(), *(call(n * 60) for n in range(40))]
    assert fed(contacts)
    assert [each.id for each in fed(contacts)] == [each.id for each in fed(contacts)]


def test_memory_is_bounded() -> None:
    detector = Beaconing()
    fed([call(n * 0.001, to=f"203.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(PAIRS + 500)], detector)
    assert len(detector._beats) == len(detector._callers) == PAIRS
    assert len(Beats([Instant(hours(n)) for n in range(KEPT)]).times) == KEPT
