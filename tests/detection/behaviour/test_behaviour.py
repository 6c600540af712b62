"""All detectors together: the same findings on any run, a bounded look back, nothing that breaks them."""

import pytest
from benchmarks.behaviour import measure

from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.detector import Detection
from rempart.detection.finding import Finding
from rempart.detection.indicator import Indicator, IndicatorKind, Indicators
from rempart.detection.rule import RuleSet
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, hours, seconds


def beacon(count: int) -> list[Event]:
    packet = {
        "src_ip": "10.0.1.5",
        "dst_ip": "203.0.113.9",
        "dst_port": 443,
        "protocol": "tcp",
        "action": "open",
    }
    times = [Instant(seconds(1_795_000_000 + n * 60)) for n in range(count)]
    return [Event(LogSource(), packet, "log", n, time) for n, time in enumerate(times, 1)]


def fed(behaviour: Behaviour, events: list[Event]) -> list[Finding]:
    return [found for event in events for found in behaviour.feed(event, event.time or Instant(0))]


def test_the_same_events_give_the_same_findings_also_afresh() -> None:
    behaviour = Behaviour()
    first = fed(behaviour, beacon(30))
    assert [each.rule for each in first] == ["behaviour.beaconing.habit"]
    assert fed(behaviour.afresh(), beacon(30)) == first


def test_what_is_unusual_is_never_alone_a_ground_for_a_machine_to_act() -> None:
    assert all(found.spoofable for found in fed(Behaviour(), beacon(30)))


def test_a_restart_needs_no_more_than_the_shipped_rules_do() -> None:
    assert Behaviour().memory <= hours(3)


def test_rules_that_take_over_go_on_with_the_past() -> None:
    events = beacon(30)
    old, new = (Detection(RuleSet((), (), ()), behaviour=Behaviour()) for _ in range(2))
    assert [old.feed(event) for event in events[:20]] == [[]] * 20
    new.inherit(old)
    assert [found.rule for event in events[20:] for found in new.feed(event)] == ["behaviour.beaconing.habit"]


def test_detection_tells_of_behaviour_and_indicators_beside_its_rules() -> None:
    listed = Indicators.of([Indicator(IndicatorKind.ADDRESS, "203.0.113.9", "a list")])
    detection = Detection(RuleSet((), (), ()), indicators=listed, behaviour=Behaviour())
    for each in (detection, detection.afresh()):
        told = [found.rule for event in beacon(30) for found in each.feed(event)]
        assert sorted(set(told)) == ["behaviour.beaconing.habit", "indicator.address"]


@pytest.mark.corpus
def test_the_corpus_gives_no_finding(corpus) -> None:  # type: ignore[no-untyped-def]  # a fixture of paths
    for name, measured in measure(corpus).items():
        assert measured["events"], name
        assert measured["told"] == [], name
