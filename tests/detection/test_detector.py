"""Detection as a whole: what reports, what only serves others, and that a restart changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.detector import Detection
from rempart.detection.finding import Finding, Kind
from rempart.detection.rule import RuleSet
from rempart.detection.sigma import load
from rempart.detection.surroundings import Surroundings
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, seconds

FAILED = """
title: A failed sign-in
id: 11111111-1111-4111-8111-111111111111
name: failed
logsource: {category: webserver}
detection: {selection: {sc-status: 401}, condition: selection}
level: low
rempart: {kind: guessing, actors: [c-ip], accounts: [cs-username]}
"""
GUESSING = """
title: Guessing
id: 21111111-1111-4111-8111-111111111111
name: guessing
correlation: {type: event_count, rules: [failed], group-by: [c-ip], timespan: 60s, condition: {gte: 3}%s}
level: high
rempart: {kind: guessing, actors: [c-ip], accounts: [cs-username]}
"""


def rules(*texts: str) -> RuleSet:
    loaded = load([(f"{number}.yml", text) for number, text in enumerate(texts)])
    assert not loaded.refused
    return loaded


def tried(second: float, *, client: str = "192.0.2.7", status: int = 401, record: int = 0) -> Event:
    fields = {"c-ip": client, "cs-username": "anna", "sc-status": status, "cs-uri-stem": "/portal"}
    time = Instant(seconds(second))
    return Event(
        LogSource(product="nginx", category="webserver"), fields, "access.log", record or round(second), time
    )


def fed(detection: Detection, events: list[Event]) -> list[Finding]:
    return [finding for event in events for finding in detection.feed(event)]


def test_a_rule_that_only_feeds_a_correlation_reports_nothing_itself() -> None:
    found = fed(Detection(rules(FAILED, GUESSING % "")), [tried(second) for second in range(1, 4)])
    assert [finding.title for finding in found] == ["Guessing"]
    assert found[0].count == 3
    assert found[0].kind is Kind.GUESSING


RARE = """
title: Rare
id: 31111111-1111-4111-8111-111111111111
correlation:
  type: value_percentile
  rules: [%s]
  group-by: [%s]
  timespan: 1h
  condition: {field: %s, lte: %s}
level: high
"""
BY_PEER = """
title: By peer
name: by_peer
id: 41111111-1111-4111-8111-111111111111
correlation:
  type: event_count
  rules: [failed]
  group-by: [peer]
  aliases: {peer: {failed: c-ip}}
  timespan: 1h
  condition: {gte: 1}
level: low
"""


def test_a_rare_value_stands_in_the_finding() -> None:
    events = [tried(second) for second in range(1, 4)]
    events[0].fields = events[1].fields = {**events[0].fields, "cs-uri-stem": "/usual"}
    rare = RARE % ("failed", "c-ip", "cs-uri-stem", 34)
    (found,) = fed(Detection(rules(FAILED, rare)), events)
    assert ("cs-uri-stem", "/portal") in [(proof.field, proof.value) for proof in found.proofs]


def test_a_value_that_only_an_alias_names_stands_there_with_its_group() -> None:
    rare = RARE % ("by_peer", "peer", "peer", 100)
    (found,) = fed(Detection(rules(FAILED, BY_PEER, rare)), [tried(1)])
    assert [(proof.field, proof.value) for proof in found.proofs][:1] == [("peer", "192.0.2.7")]


def test_with_generate_the_parts_report_too() -> None:
    found = fed(
        Detection(rules(FAILED, GUESSING % ", generate: true")), [tried(second) for second in range(1, 4)]
    )
    assert [finding.title for finding in found] == ["A failed sign-in", "A failed sign-in", "Guessing"]


def test_a_flood_of_one_rule_is_told_only_when_it_doubles() -> None:
    detection = Detection(rules(FAILED))
    found = fed(detection, [tried(1 + number / 100, record=number) for number in range(1, 801)])
    assert [finding.count for finding in found] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_after_a_restart_the_same_events_give_the_same_ids() -> None:
    loaded = rules(FAILED, GUESSING % "")
    events = [tried(second / 2, record=second) for second in range(2, 2000)]
    whole = fed(Detection(loaded), events)
    for killed_at in (400, 1100, 1900):
        again = Detection(loaded)
        start = (events[killed_at].time or 0) - again.longest_timespan
        fed(again, [event for event in events[:killed_at] if (event.time or 0) >= start])
        after = {finding.id for finding in fed(again, events[killed_at:])}
        assert after == {finding.id for finding in whole if finding.record >= events[killed_at].record}


RULES = sorted((Path(__file__).resolve().parents[2] / "rules").rglob("*.yml"))
NAMES = [
    "c-ip",
    "src_ip",
    "dst_ip",
    "dst_port",
    "cs-username",
    "cs-uri",
    "cs-uri-stem",
    "cs-uri-plain",
    "cs-host",
    "cs-user-agent",
    "sc-status",
    "action",
    "protocol",
    "flow",
    "bytes_out",
    "bytes_in",
    "outcome",
    "user",
    "attempts",
    "mac",
    "ip",
    "mark",
    "person",
    "from",
    "to",
]
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.text(max_size=3), max_size=3)
)
SOURCES = st.sampled_from(
    [
        LogSource(category="webserver", product="nginx"),
        LogSource(category="firewall", product="ulogd"),
        LogSource(category="network_connection", product="ulogd"),
        LogSource(product="linux", service="sshd"),
        LogSource(category="dhcp", product="dnsmasq"),
    ]
)
EVENTS = st.builds(
    Event,
    logsource=SOURCES,
    fields=st.dictionaries(
        st.sampled_from(NAMES), VALUES | st.sampled_from(["192.0.2.1", "open", 401, 200, "failure"])
    ),
    source=st.text(max_size=5),
    record=st.integers(0, 9),
    when=st.none() | st.integers(0, 10**15).map(Instant),
)


@pytest.fixture(scope="module")
def shipped() -> Detection:
    surroundings = Surroundings(known_devices=("02:00:5e:10:00:02",))
    return Detection(load([(p.name, p.read_text()) for p in RULES], surroundings.placeholders), surroundings)


@settings(deadline=None)  # the first event of a kind compiles its rules
@given(st.lists(EVENTS, max_size=20))
def test_hostile_events_never_break_detection(shipped: Detection, events: list[Event]) -> None:
    found = fed(shipped.afresh(), events)
    assert all(len(proof.value) <= 200 and len(proof.field) <= 200 for each in found for proof in each.proofs)
    assert all(len(thing.value) <= 200 for each in found for thing in each.observables)


def test_an_event_without_a_time_counts_as_of_the_latest_seen() -> None:
    detection = Detection(rules(FAILED))
    timeless: dict[str, Any] = {"c-ip": "192.0.2.9", "sc-status": 401}
    detection.feed(tried(50))
    [finding] = detection.feed(Event(LogSource(category="webserver"), timeless, "log", 2))
    assert finding.time == seconds(50)
