"""Scanning inside: strangers tried one after the other, not the acquaintances of a server."""

import pytest

from rempart.detection.behaviour.scanning import MACHINES, MACHINES_TRIED, TARGETS, Scanning
from rempart.detection.behaviour.sighting import Contact, Side
from rempart.detection.finding import Finding, Kind
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, seconds


def touch(second: float, to: str, *, port: int = 445, source: str = "10.0.1.5") -> Contact:
    return Contact(Instant(seconds(1_795_000_000 + second)), source, Side.INSIDE, to, Side.INSIDE, port)


def fed(contacts: list[Contact], detector: Scanning | None = None) -> list[Finding]:
    detector = detector or Scanning()
    return [
        found
        for record, contact in enumerate(contacts, 1)
        for found in detector.see(contact, Event(LogSource(), {}, "log", record, contact.time), contact.time)
    ]


ORDINARY = [touch(n * 60, "10.0.2.10") for n in range(70)]
SWEEP = [touch(4300 + n, f"10.0.1.{n}") for n in range(10, 70)]


def test_a_sweep_is_found_and_again_when_doubled() -> None:
    found = fed(ORDINARY + SWEEP)
    assert [each.count for each in found] == [15, 16, 32]
    assert found[0].kind is Kind.SCAN
    assert found[0].proofs[0].value == f"{MACHINES_TRIED} (from {MACHINES_TRIED} on)"


def test_many_doors_of_one_machine_are_found() -> None:
    assert fed(ORDINARY + [touch(4300 + n, "10.0.1.9", port=n + 1) for n in range(50)])


@pytest.mark.parametrize(
    "contacts",
    [
        [touch(4300 + n * 60, f"10.0.1.{n}") for n in range(10, 70)],
        [touch(4300 + n, f"10.0.1.{n % 14}") for n in range(100)],
        [touch(4300 + n, "10.0.1.9", port=50_000 + n) for n in range(100)],
    ],
    ids=["slowly", "few", "ports given by chance"],
)
def test_what_is_no_sweep_is_silent(contacts: list[Contact]) -> None:
    assert fed(ORDINARY + contacts) == []


def test_who_always_speaks_with_all_is_no_scanner() -> None:
    rounds = [touch(r * 300 + n, f"10.0.1.{n}", source="10.0.2.20") for r in range(30) for n in range(10, 70)]
    assert fed(rounds) == []


def test_memory_is_bounded() -> None:
    detector = Scanning()
    fed([touch(n / 1000, f"10.1.{n >> 8}.{n & 255}") for n in range(TARGETS + 100)], detector)
    assert len(detector._known.of("10.0.1.5").known) == TARGETS
    fed(
        [touch(9 + n / 1000, "10.0.2.10", source=f"10.2.{n >> 8}.{n & 255}") for n in range(MACHINES * 2)],
        detector,
    )
    assert len(detector._known) == MACHINES
