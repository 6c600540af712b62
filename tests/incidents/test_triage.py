"""Which findings belong together, and on which side their parties stand."""

from dataclasses import replace

from engine.home import (
    ATTACKER,
    BEACON,
    COMMANDER,
    GUESSING,
    NOW,
    OTHER_PROBE,
    RECORDS,
    RELAPSE,
    SCAN,
    SITE,
    STOLEN,
    WARD_PC,
    at,
    by,
    finding,
)
from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.incidents.incident import Incident, IncidentState
from rempart.incidents.triage import inside, matching, opens, parties
from rempart.instants import Instant, after, hours


def incident(**fields: object) -> Incident:
    """An open incident of the attacker."""
    values: dict[str, object] = {
        "id": "inc-1",
        "opened": NOW,
        "last_seen": NOW,
        "state": IncidentState.OPEN,
        "level": Level.HIGH,
        "kinds": frozenset({Kind.GUESSING}),
        "actors": frozenset({ATTACKER}),
        "accounts": frozenset(),
        "assets": frozenset(),
        "findings": 1,
    }
    return Incident(**{**values, **fields})  # type: ignore[arg-type]


def belongs(incidents: list[Incident], seen: Finding, now: Instant) -> tuple[str, ...]:
    """Where the finding belongs, at this site."""
    return matching(incidents, seen, parties(SITE, seen), now)


def test_the_published_server_is_a_stage_not_a_party() -> None:
    who = parties(SITE, GUESSING)
    assert who.outside == {ATTACKER}
    assert who.inside == frozenset()
    assert who.accounts == {STOLEN}


def test_what_a_machine_inside_calls_outside_took_part() -> None:
    who = parties(SITE, BEACON)
    assert who.inside == {WARD_PC}
    assert who.outside == {COMMANDER}


def test_the_care_file_server_is_a_victim_not_a_party() -> None:
    assert parties(SITE, RECORDS).inside == {WARD_PC}


def test_sharing_a_victim_links_nothing() -> None:
    other = replace(OTHER_PROBE, observables=(by("192.0.2.200"), at("10.3.0.11")))
    assert belongs([incident()], other, NOW) == ()


def test_a_successful_sign_in_with_a_stolen_account_links_from_anywhere() -> None:
    known = incident(accounts=frozenset({STOLEN}))
    assert belongs([known], RELAPSE, NOW) == ("inc-1",)
    tried = replace(RELAPSE, outcome=Outcome.ATTEMPT)
    assert belongs([known], tried, NOW) == ()


def test_after_a_day_a_new_incident_begins() -> None:
    assert belongs([incident()], SCAN, after(NOW, hours(23))) == ("inc-1",)
    assert belongs([incident()], SCAN, after(NOW, hours(25))) == ()


def test_a_closed_incident_takes_nothing_in() -> None:
    assert belongs([incident(state=IncidentState.CLOSED)], SCAN, NOW) == ()


def test_hostile_addresses_are_nowhere() -> None:
    for text in ("", "x; drop", "999.1.1.1", "10.1.0.0/24", "\x00"):
        assert not inside(SITE, text)
    assert inside(SITE, WARD_PC)


def test_only_news_opens_an_incident() -> None:
    assert not opens(RELAPSE)
    assert not opens(replace(SCAN, level=Level.INFORMATIONAL))
    assert opens(SCAN)


def on_pc(name: str, kind: Kind = Kind.INTRUSION, account: str = "SYSTEM"):  # type: ignore[no-untyped-def]  # a finding
    things = (
        Observable(ObservableKind.HOST, Role.VICTIM, name),
        Observable(ObservableKind.ACCOUNT, Role.VICTIM, account),
    )
    return finding(kind, outcome=Outcome.SUCCESS, observables=things)


def test_what_ran_on_one_machine_is_one_attack_under_whichever_name_it_writes() -> None:
    known = incident(hosts=frozenset({"pc-07"}), actors=frozenset())
    assert belongs([known], on_pc("PC-07.tilleuls.local"), NOW) == ("inc-1",)
    assert belongs([known], on_pc("PC-08"), NOW) == ()


def test_a_server_at_which_many_knock_is_everybodys_victim() -> None:
    known = incident(hosts=frozenset({"portal"}), actors=frozenset())
    assert belongs([known], on_pc("portal", Kind.GUESSING), NOW) == ()


def test_the_accounts_that_every_machine_has_link_nothing() -> None:
    for account in ("SYSTEM", "NT AUTHORITY\\SYSTEM", "AUTORITE NT\\Système", "PC-07$", "-"):
        assert parties(SITE, on_pc("PC-07", account=account)).accounts == frozenset()
    assert parties(SITE, on_pc("PC-07", account="TILLEULS\\anna")).accounts == {"TILLEULS\\anna"}
