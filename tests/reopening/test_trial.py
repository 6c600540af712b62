"""What a trial falls to, and which findings concern which opening."""

from dataclasses import replace

from engine.home import BEACON, GUESSING, OTHER_PROBE, RECORDS, SITE, at, by, finding
from rempart.detection.finding import Kind, Level, Outcome
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.reopening.trial import concerns, falls_to, shows_alarm, shows_success
from rempart.site.opening import OpeningState


def test_a_lifeline_falls_to_filtered() -> None:
    assert falls_to(SITE.opening("telephone")) is OpeningState.FILTERED
    assert falls_to(SITE.opening("portal")) is OpeningState.CLOSED


def test_success_is_harm_done_not_noise() -> None:
    assert shows_success(RECORDS)
    assert not shows_success(GUESSING)
    assert not shows_success(OTHER_PROBE)


def test_a_finding_concerns_the_opening_it_came_through() -> None:
    assert concerns(GUESSING, SITE.opening("portal"))
    assert not concerns(GUESSING, SITE.opening("website"))
    by_name = finding(
        Kind.PROBE, observables=(Observable(ObservableKind.DOMAIN, Role.VICTIM, "www.example"),)
    )
    assert concerns(by_name, SITE.opening("website"))
    both = finding(
        Kind.PROBE,
        observables=(Observable(ObservableKind.HOST, Role.VICTIM, "portal.example"), at("10.3.0.10")),
    )
    assert concerns(both, SITE.opening("portal"))
    assert not concerns(both, SITE.opening("website"))  # the name decides on a shared server
    to_ehealth = finding(Kind.COMMAND, observables=(by("10.1.0.21"), at("203.0.113.50")))
    assert concerns(to_ehealth, SITE.opening("ehealth"))
    assert not concerns(BEACON, SITE.opening("browsing"))  # '*' names nobody


def test_an_alarm_is_what_a_machine_inside_does_and_the_wall_did_not_stop() -> None:
    assert shows_alarm(BEACON)
    assert not shows_alarm(GUESSING)
    assert not shows_alarm(replace(BEACON, outcome=Outcome.BLOCKED))
    assert not shows_alarm(replace(BEACON, level=Level.LOW))
