"""Detection as a whole: what reports, what only serves others, and that a restart changes nothing."""

from rempart.detection.detector import Detection
from rempart.detection.finding import Finding, Kind
from rempart.detection.rule import RuleSet, load
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
