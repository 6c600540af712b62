"""Traits: what an exception may name of a finding, and that no person is among it."""

from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.trait import Trait, discreet, traits
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant

_ACCOUNT = Observable(ObservableKind.ACCOUNT, Role.VICTIM, "anne")


def finding(*proofs: Proof, actor: str = "203.0.113.66") -> Finding:
    return Finding(
        id="f",
        rule="r",
        title="Seen",
        level=Level.HIGH,
        kind=Kind.OTHER,
        outcome=Outcome.ATTEMPT,
        time=Instant(0),
        source="portal.log",
        record=1,
        spoofable=False,
        observables=(Observable(ObservableKind.ADDRESS, Role.ACTOR, actor), _ACCOUNT),
        proofs=proofs,
    )


def test_the_field_that_holds_the_actor_is_found_however_it_writes_the_address() -> None:
    fields = {"c-ip": "::ffff:203.0.113.66", "sc-status": 404, "cs-host": "care.example"}
    assert traits(finding(Proof("cs-host", "care.example")), fields) == (
        Trait("c-ip", "::ffff:203.0.113.66"),
        Trait("cs-host", "care.example"),
    )


def test_nothing_that_may_name_a_person_is_told() -> None:
    fields = {
        "cs-username": "anne",
        "TargetUserName": "someone.else",
        "Image": r"C:\Users\anne.dupont\AppData\evil.exe",
        "CommandLine": "backup.exe /as:ANNE",
        "mailbox": "anne@tilleuls.example",
        "person": "44271",
        "Hashes": "SHA1=00",
    }
    proofs = [Proof(name, value) for name, value in fields.items()]
    assert traits(finding(*proofs), fields) == (Trait("Hashes", "SHA1=00"),)


def test_a_value_that_was_cut_made_discreet_or_would_stand_for_anything_is_not_offered() -> None:
    fields = {"cs-uri-stem": "/dossier/44271", "cs-uri-query": "q" * 300, "cs-host": "*", "cs-method": "GET"}
    proofs = (
        Proof("cs-uri-stem", "/dossier/…"),
        Proof("cs-uri-query", "q" * 200),
        Proof("cs-host", "*"),
        Proof("cs-method", "GET"),
    )
    assert traits(finding(*proofs), fields) == (Trait("cs-method", "GET"),)


def test_a_value_that_no_exception_could_name_is_not_offered() -> None:
    """With a character that nobody sees, an exception could not be read back."""
    fields = {"cs-host": "care.exam\u200bple", "cs-uri": "/a\x1b[2J", "cs-method": "GET"}
    proofs = [Proof(name, value) for name, value in fields.items()]
    assert traits(finding(*proofs), fields) == (Trait("cs-method", "GET"),)


def test_of_a_correlation_only_its_group_can_be_named() -> None:
    found = finding(Proof("c-ip", "203.0.113.66"), Proof("event count of events", "5"))
    fields = {"c-ip": "203.0.113.66", "cs-host": "203.0.113.66"}
    assert traits(found, fields, ("c-ip",)) == (Trait("c-ip", "203.0.113.66"),)


def test_a_discreet_finding_tells_no_account_and_still_what_was_looked_at() -> None:
    found = finding(
        Proof("CommandLine", "run --as anne"), Proof("EventID", "4688"), Proof("Hashes", "SHA1=00")
    )
    shown = discreet(found, [Trait("Hashes", "SHA1=00")], lambda account: f"mask-of-{len(account)}")
    assert "anne" not in repr(shown)
    assert shown.those(Role.VICTIM, ObservableKind.ACCOUNT) == ("mask-of-4",)
    assert shown.proofs == (Proof("CommandLine", ""), Proof("EventID", "4688"), Proof("Hashes", "SHA1=00"))
