"""Which clocks run over all incidents: only what a person said applies, soonest first, until it is fulfilled."""

from dataclasses import replace

from rempart.duties.answers import Answer, Sent
from rempart.duties.clock import clocks
from rempart.duties.duty import Obligations
from rempart.duties.ledger import DutyLedger
from rempart.incidents.incident import Incident, IncidentState
from rempart.instants import Instant, after, hours, parse_rfc3339

AWARE = parse_rfc3339("2026-11-20T16:00:00Z")
NOW = after(AWARE, hours(2))


def yes(*questions: str, incident: str = "I-7") -> DutyLedger:
    ledger = DutyLedger()
    for question in questions:
        said = Answer(question=question, value="yes", by="Anne", at=AWARE, since=AWARE)
        ledger = ledger.answered(incident, said)
    return ledger


def running(ledger: DutyLedger, known: Obligations, *incidents: Incident) -> list[tuple[str, Instant | None]]:
    return [(each.duty, each.due) for each in clocks(incidents, ledger, NOW, known)]


def test_nothing_runs_before_a_person_said_that_it_applies(
    incident: Incident, obligations: Obligations
) -> None:
    assert running(DutyLedger(), obligations, incident) == []
    assert running(yes("personal-data-breach"), obligations, incident) == [("gdpr-register", None)]


def test_the_soonest_end_comes_first_and_what_has_none_last(
    incident: Incident, obligations: Obligations
) -> None:
    ledger = yes("nis2-scope", "significant-incident", "personal-data-breach", "risk-to-persons")
    assert running(ledger, obligations, incident) == [
        ("nis2-early-warning", after(AWARE, hours(24))),
        ("nis2-notification", after(AWARE, hours(72))),
        ("gdpr-authority", after(AWARE, hours(72))),
        ("gdpr-register", None),
    ]


def test_what_was_sent_runs_no_more(incident: Incident, obligations: Obligations) -> None:
    ledger = yes("nis2-scope", "significant-incident")
    told = ledger.fulfilled("I-7", Sent(duty="nis2-early-warning", at=NOW, by="Anne"))
    assert [name for name, _ in running(told, obligations, incident)] == ["nis2-notification"]


def test_what_holds_for_the_house_starts_no_clock_for_noise(
    incident: Incident, obligations: Obligations
) -> None:
    insured = yes("insurance-policy", incident="another")
    noise = replace(incident, id="I-8", state=IncidentState.CLOSED)
    assert [each.incident for each in clocks((incident, noise), insured, NOW, obligations)] == ["I-7"]


def test_a_closed_incident_that_somebody_answered_for_keeps_its_clock(
    incident: Incident, obligations: Obligations
) -> None:
    closed = replace(incident, state=IncidentState.CLOSED)
    assert len(running(yes("nis2-scope", "significant-incident"), obligations, closed)) == 2
