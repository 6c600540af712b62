"""Provocation: whoever forges every input that proves nothing, for an hour, makes the station harm nobody.

Every attack directory is played once a minute through the real decoders, rules, behaviour and engine, each time in the
name of somebody else: the operators, the gateway itself, the telephone's and the e-health platform's hosts, machines
inside, strangers. The clock is the events' own.
"""

import re
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address, ip_network
from itertools import cycle
from pathlib import Path

import msgspec
import pytest

from engine.home import shipped_policy
from rempart.containment.measure import loosens
from rempart.containment.safeguard import protects
from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.detector import Detection
from rempart.detection.sigma import load
from rempart.detection.surroundings import Surroundings
from rempart.engine import facts, orders
from rempart.engine.facts import MACHINE, AnyFact
from rempart.engine.hearsay import bounded
from rempart.engine.inputs import Found, Ordered, Seal, Started, Ticked
from rempart.engine.state import State, enforcement, initial
from rempart.engine.step import Terms, step
from rempart.events.decode import DECODERS
from rempart.events.event import Event
from rempart.instants import Instant, after, minutes, parse_rfc3339
from rempart.site.description import parse
from rempart.site.opening import OpeningState

ROOT = Path(__file__).resolve().parents[2]
ATTACKS = ROOT / "tests" / "attacks"
NOON = parse_rfc3339("2026-11-26T12:00:00Z")
MORE = """
[[openings]]
id = "telephone"
mark = 3
name = "Telephone"
direction = "both"
zones = ["wards"]
hosts = ["192.0.2.10"]
services = ["udp/5060"]
care = 1
lifeline = true
fallback = { text = "Mobile" }

[[openings]]
id = "e-health"
mark = 4
name = "eHealth"
direction = "out"
zones = ["wards"]
hosts = ["192.0.2.20"]
services = ["tcp/443"]
care = 1
lifeline = false
fallback = { text = "Paper" }

[[safeguards]]
id = "operators"
interface = "mgmt"
networks = ["10.9.0.0/24", "203.0.113.128/28"]
services = ["tcp/22"]
"""
SITE = parse((ATTACKS / "site.toml").read_text() + MORE, "site.toml")
NAMES = ("10.9.0.5", "203.0.113.130", "198.51.100.2", "192.0.2.10", "192.0.2.20", "10.0.1.21", "10.0.2.10")
"""In whose name the attacker speaks; the rest of the time in a stranger's."""
_ADDRESS = re.compile(rb"(?<![0-9.])\d{1,3}(?:\.\d{1,3}){3}(?![0-9.])")
_INSIDE = [ip_network(text) for zone in SITE.zones for text in zone.networks]


def outside(text: str) -> bool:
    try:
        return not any(ip_address(text) in network for network in _INSIDE)
    except ValueError:
        return False


@cache
def lines() -> list[tuple[str, str, list[bytes]]]:
    """The logs of all attacks: decoder, source and lines."""
    logs = sorted(path for path in ATTACKS.glob("*/*.log"))
    return [(path.stem, f"{path.parent.name}/{path.name}", path.read_bytes().splitlines()) for path in logs]


def forged(line: bytes, name: str) -> bytes:
    """The line with every address outside in it replaced."""
    return _ADDRESS.sub(lambda found: name.encode() if outside(found[0].decode()) else found[0], line)


def played(name: str, begins: Instant) -> Iterator[Event]:
    """All attacks at once, in that name, from that instant on, within a minute."""
    for decoder, source, log in lines():
        read = [
            event
            for number, line in enumerate(log, 1)
            if (event := DECODERS[decoder](forged(line, name), f"{source}-{begins}", number))
        ]
        for place, event in enumerate(read):
            at = Instant(begins + place * minutes(1) // max(1, len(read)))
            yield msgspec.structs.replace(event, when=at)


@pytest.fixture(scope="module")
def detection() -> Detection:
    surroundings = Surroundings.of(SITE)
    files = sorted((ROOT / "rules").rglob("*.yml"))
    rules = load([(path.name, path.read_text()) for path in files], surroundings.placeholders)
    return Detection(rules, surroundings, behaviour=Behaviour(surroundings))


class Hour:
    """An hour of forgeries against one station."""

    def __init__(self) -> None:
        self.terms = Terms(SITE, shipped_policy())
        self.state: State = initial(SITE)
        self.sealed: list[AnyFact] = []
        self.findings = 0
        self._happens(Started(NOON))

    def _happens(self, happened: object) -> None:
        self.state, commands = step(self.terms, self.state, happened)  # type: ignore[arg-type]
        self.sealed += [fact for command in commands if isinstance(command, Seal) for fact in command.facts]

    def suffer(self, detection: Detection) -> None:
        names = cycle(NAMES)
        for minute in range(60):
            name = next(names) if minute % 2 else f"203.0.113.{minute + 1}"
            begins = after(NOON, minutes(minute))
            for event in sorted(played(name, begins), key=lambda event: event.time or 0):
                for finding in detection.feed(event):
                    self.findings += 1
                    self._happens(Found(Instant(max(finding.time, begins)), bounded(finding)))
            self._happens(Ticked(after(begins, minutes(1))))

    def those(self, *kinds: type[AnyFact]) -> list[AnyFact]:
        return [fact for fact in self.sealed if isinstance(fact, kinds)]


@pytest.fixture(scope="module")
def suffered(detection: Detection) -> Hour:
    """The hour, over. Its state is a value: whoever goes on from it changes it for nobody."""
    hour = Hour()
    hour.suffer(detection)
    return hour


@pytest.mark.slow
def test_an_hour_of_forgeries_contains_nothing_closes_no_lifeline_and_blocks_no_operator(
    suffered: Hour,
) -> None:
    hour, calm = suffered, enforcement(Hour().state)
    assert hour.findings > 500  # it was an attack
    assert hour.those(facts.Blocked)  # and the station did what it may
    assert not hour.those(facts.Contained, facts.LifelineClosed, facts.OpeningSet, facts.OpeningReclosed)
    assert not hour.those(facts.Isolated, facts.Barred)
    assert not hour.state.contained
    assert {name: door.stand for name, door in hour.state.doors.items()} == calm.stands
    for fact in hour.those(facts.Blocked):
        assert isinstance(fact, facts.Blocked)
        assert fact.by == MACHINE
        assert fact.until is not None
        assert protects(SITE, fact.target, by_machine=True) is None, fact
    assert not {fact.target for fact in hour.those(facts.Blocked) if isinstance(fact, facts.Blocked)} & {
        *NAMES
    }
    assert len(hour.those(facts.Blocked)) <= hour.terms.policy.budget.measures_per_hour + 1
    assert not loosens(calm, enforcement(hour.state))


@pytest.mark.slow
def test_after_it_a_person_is_still_obeyed_at_once(suffered: Hour) -> None:
    ordered = Ordered(after(NOON, minutes(61)), orders.Contain(by="Night nurse"))
    state, _ = step(suffered.terms, suffered.state, ordered)
    assert state.contained
    assert state.doors["telephone"].stand.state is OpeningState.FILTERED
