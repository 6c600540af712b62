"""First seen: machines, destinations and places of sign-in, each against a past of its own."""

from rempart.detection.behaviour.behaviour import Detector
from rempart.detection.behaviour.country import Countries
from rempart.detection.behaviour.first_seen import (
    PLACES,
    FirstDestination,
    FirstMachine,
    FirstSignIn,
    Habits,
)
from rempart.detection.behaviour.sighting import Contact, MachineSeen, Side, Sighting, SignIn
from rempart.detection.finding import Finding, Level
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, hours

TABLE = Countries.parse(["203.0.113.0/24,BE", "198.51.100.0/24,BR"], "table")


def at(hour: float) -> Instant:
    return Instant(hours(500_000 + hour))


def fed(detector: Detector, steps: list[tuple[float, Sighting]]) -> list[Finding]:
    return [
        found
        for record, (hour, step) in enumerate(steps, 1)
        for found in detector.see(step, Event(LogSource(), {}, "log", record, at(hour)), at(hour))
    ]


def test_a_machine_is_news_after_the_first_day_and_once() -> None:
    old, new = MachineSeen("02:00:00:00:00:01", "pump"), MachineSeen("02:00:00:00:00:02", "laptop")
    steps: list[tuple[float, Sighting]] = [(0, old), (1, old), (30, old), (30, new), (31, new)]
    (found,) = fed(FirstMachine(), steps)
    assert found.observables[0].value == "02:00:00:00:00:02"
    assert {proof.field: proof.value for proof in found.proofs}["machines known"] == "1"


def sign_in(address: str, account: str = "anna") -> SignIn:
    return SignIn(account, address, Side.OUTSIDE)


HOME: list[tuple[float, Sighting]] = [(n * 6, sign_in(f"203.0.113.{n}")) for n in range(10)]


def test_a_country_never_used_is_news() -> None:
    (found,) = fed(FirstSignIn(TABLE), [*HOME, (60, sign_in("198.51.100.9"))])
    assert found.level is Level.MEDIUM
    assert {proof.field: proof.value for proof in found.proofs}["place"] == "BR"
    assert {proof.field: proof.value for proof in found.proofs}["places before"] == "BE"


def test_without_a_table_the_network_is_the_place_and_it_is_less_sure() -> None:
    (found,) = fed(FirstSignIn(Countries()), [*HOME, (60, sign_in("198.51.100.9"))])
    assert found.level is Level.LOW
    assert {proof.field: proof.value for proof in found.proofs}["place"] == "198.51.0.0/16"


def test_a_new_account_and_sign_ins_inside_are_no_news() -> None:
    inside = SignIn("anna", "10.0.1.5", Side.INSIDE)
    assert fed(FirstSignIn(TABLE), [*HOME, (60, sign_in("198.51.100.9", "new")), (61, inside)]) == []


def call(to: str, source: str = "10.0.1.5") -> Contact:
    return Contact(at(0), source, Side.INSIDE, to, Side.OUTSIDE, 443)


def test_a_machine_of_few_habits_that_goes_elsewhere_is_news() -> None:
    pump: list[tuple[float, Sighting]] = [(n, call("203.0.113.1")) for n in range(60)]
    assert (
        len(fed(FirstDestination(TABLE), [*pump, (61, call("198.51.100.1")), (62, call("198.51.100.2"))]))
        == 1
    )


def test_a_machine_that_goes_everywhere_is_not() -> None:
    person: list[tuple[float, Sighting]] = [(n, call(f"203.{n % 40}.113.1")) for n in range(60)]
    assert fed(FirstDestination(Countries()), [*person, (61, call("198.51.100.1"))]) == []


def test_places_are_bounded() -> None:
    habits = Habits()
    for n in range(PLACES * 2):
        habits.visit(str(n), at(n))
    assert len(habits.places) == PLACES
