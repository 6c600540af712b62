"""Findings say who did what to whom, hide whose file it was, and read as a plain sentence."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.explain import (
    MAX_ARGUMENT,
    MAX_PROOF,
    Explanation,
    finding,
    identity,
    observables,
    sentence,
)
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.meaning import Meaning
from rempart.detection.rule import RuleCard
from rempart.detection.words import WORDS
from rempart.events.event import Event, LogSource
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant

MEANING = Meaning(actors=("src_ip",), victims=("cs-host", "mac"), accounts=("user",))


def made(meaning: Meaning = MEANING, proofs: tuple[Proof, ...] = (), **fields: object) -> Finding:
    card = RuleCard(
        id="r",
        name="",
        title="A title",
        level=Level.HIGH,
        author="Rempart",
        tags=(),
        path="",
        meaning=meaning,
    )
    event = Event(LogSource(), fields, "log", 7, Instant(1))
    return finding(card, event, Instant(1), things=observables(meaning, fields), proofs=proofs)


def test_things_have_their_kind_and_part() -> None:
    fields = {
        "src_ip": "::ffff:192.0.2.7",
        "cs-host": "www.home.example",
        "mac": "02:00:5E:10:00:01",
        "user": "anna",
    }
    assert observables(MEANING, fields) == (
        Observable(ObservableKind.ADDRESS, Role.ACTOR, "192.0.2.7"),
        Observable(ObservableKind.HOST, Role.VICTIM, "www.home.example"),
        Observable(ObservableKind.DEVICE, Role.VICTIM, "02:00:5E:10:00:01"),
        Observable(ObservableKind.ACCOUNT, Role.VICTIM, "anna"),
    )


def test_what_is_missing_or_no_thing_is_left_out() -> None:
    assert observables(MEANING, {"src_ip": None, "user": "-", "mac": True, "cs-host": ["a"]}) == ()


def test_proofs_are_capped_and_never_tell_whose_file_it_was() -> None:
    proofs = (
        Proof("cs-uri-stem", "/patients/123456/dossier"),
        Proof("person", "123456"),
        Proof("x", "y" * 999),
    )
    assert made(proofs=proofs, person="123456").proofs == (
        Proof("cs-uri-stem", "/patients/…/dossier"),
        Proof("person", "…"),
        Proof("x", "y" * MAX_PROOF),
    )


def test_the_id_depends_on_every_part_and_not_on_where_one_ends() -> None:
    event = Event(LogSource(), {}, "log", 7, Instant(1))
    other = Event(LogSource(), {}, "log", 8, Instant(1))
    ids = {identity("r", group, event) for group in (["ab"], ["a", "b"], ["b", "a"], [])}
    assert len(ids | {identity("r", ["ab"], other), identity("s", ["ab"], event)}) == 6


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_finding_has_words_and_their_arguments(kind: Kind, outcome: Outcome) -> None:
    for users in ({}, {"user": "anna"}):
        plain = sentence(
            made(Meaning(kind=kind, outcome=outcome, actors=("a",), accounts=("user",)), a="x", **users)
        )
        asked = {name for _, name, _, _ in string.Formatter().parse(WORDS[plain.key]) if name}
        assert asked <= {"actor", "victim", "account", "count", "title"}
        assert WORDS[plain.key].format_map({"actor": "", "victim": "", "account": ""} | dict(plain.arguments))


@pytest.mark.parametrize(
    ("field", "key"),
    [("Signature", "seen.malware"), ("query", "seen.name"), ("Image", "seen.program"), ("c-uri", "seen.web")],
)
def test_the_field_that_proves_it_says_what_was_looked_at(field: str, key: str) -> None:
    assert Explanation.of(made(Meaning(), (Proof(field, "x"),))).seen.key == key


def test_more_than_one_is_the_first_and_how_many_more() -> None:
    meaning = Meaning(kind=Kind.SCAN, actors=("a", "b", "c"))
    assert (
        sentence(made(meaning, a="192.0.2.1", b="192.0.2.2", c="192.0.2.3")).arguments["actor"]
        == "192.0.2.1 (+2)"
    )


@given(
    st.dictionaries(
        st.sampled_from(["src_ip", "cs-host", "mac", "user", "person"]), st.text() | st.integers()
    )
)
def test_hostile_fields_stay_values_and_short(fields: dict[str, object]) -> None:
    plain = sentence(made(proofs=tuple(Proof(k, str(v)) for k, v in fields.items()), **fields))
    assert plain.key in WORDS
    assert all(len(str(value)) <= MAX_ARGUMENT for value in plain.arguments.values())
