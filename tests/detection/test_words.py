"""A finding is told to a person who is not from the trade: what, where, what it means, how sure."""

import re
import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.explain import _ELSEWHERE, _IN_MACHINES, _NUMBERS, Explanation, Plain
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.tactic import Tactic, tactics, techniques
from rempart.detection.words import WORDS, english
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant

PC = Observable(ObservableKind.HOST, Role.VICTIM, "PC-07")
ANNA = Observable(ObservableKind.ACCOUNT, Role.VICTIM, "anna")
WARD = Observable(ObservableKind.ADDRESS, Role.ACTOR, "10.0.0.7")
OUTSIDE = Observable(ObservableKind.ADDRESS, Role.VICTIM, "203.0.113.9")


def told(
    *proved: str,
    kind: Kind = Kind.OTHER,
    level: Level = Level.HIGH,
    outcome: Outcome = Outcome.ATTEMPT,
    spoofable: bool = False,
    tags: tuple[str, ...] = (),
    things: tuple[Observable, ...] = (),
    title: str = "A title",
) -> Explanation:
    return Explanation.of(
        Finding(
            id="i",
            rule="r",
            title=title,
            level=level,
            kind=kind,
            outcome=outcome,
            time=Instant(1),
            source="log",
            record=1,
            spoofable=spoofable,
            observables=things,
            proofs=tuple(Proof(name, "v") for name in proved),
            tags=tags,
        )
    )


def test_a_windows_rule_of_others_is_told_in_plain_words() -> None:
    tags = ("attack.execution", "attack.impact", "attack.t1490")
    things = (PC, ANNA)
    assert told("CommandLine", tags=tags, things=things, title="Shadow Copies Deletion").english == (
        "A program was started that attackers use too: “Shadow Copies Deletion”. "
        "It happened on the machine PC-07, with the account “anna”. "
        "It usually means that backups are being removed, often to lock files for a ransom next. "
        "This is rarely harmless: have somebody look at it today."
    )


def test_a_rule_of_the_gateway_is_told_in_plain_words() -> None:
    things = (WARD, OUTSIDE)
    said = told("src_ip", kind=Kind.COMMAND, spoofable=True, level=Level.MEDIUM, things=things)
    assert said.english == (
        "The machine 10.0.0.7 seems to obey 203.0.113.9 outside. "
        "What it means depends on what this machine is for: ask whoever looks after it. "
        "This may be harmless: have somebody look at it. "
        "One forged message could cause it: look for a second sign before you believe who did it."
    )


def test_nothing_is_claimed_about_who_when_nobody_is_known() -> None:
    for kind in (Kind.COMMAND, Kind.EXFILTRATION, Kind.INTRUSION, Kind.RECORDS, Kind.DEVICE, Kind.SIGN_IN):
        assert told("x", kind=kind).english.startswith(
            "A rule saw what it looks for: “A title”. The log does not"
        )


def test_one_event_that_only_counts_towards_something_is_not_told_as_that() -> None:
    said = told(
        "user", kind=Kind.GUESSING, level=Level.INFORMATIONAL, things=(WARD, ANNA), title="A sign-in failed"
    )
    assert said.english == (
        "A rule saw what it looks for: “A sign-in failed”. It happened with the account “anna”. "
        "What it means depends on what this machine is for: ask whoever looks after it. "
        "By itself this is no sign of an attack."
    )


@pytest.mark.parametrize(
    ("tags", "key"),
    [
        (("attack.t1059.001", "attack.execution"), "means.execution"),
        (("attack.execution", "attack.exfiltration"), "means.exfiltration"),
        (("attack.stealth", "attack.t1003.001", "attack.t1110"), "means.t1003"),
        (("attack.defense-evasion",), "means.stealth"),
        (("attack.defense_evasion",), "means.stealth"),
        (("cve.2021-44228", "attack.g0016"), "means.unknown"),
    ],
)
def test_the_gravest_that_a_tag_says_is_what_it_means(tags: tuple[str, ...], key: str) -> None:
    assert told(tags=tags).means == Plain(key)


def test_what_is_mostly_harmless_does_not_usually_mean_a_theft() -> None:
    tags = ("attack.credential-access", "attack.t1003")
    assert told(tags=tags, level=Level.LOW).means == Plain("means.credential-access")
    assert told(tags=tags, level=Level.MEDIUM).means == Plain("means.t1003")


def test_every_word_can_be_said_and_nothing_is_said_without_words() -> None:
    finding = {f"finding.{kind}" for kind in Kind} - {"finding.guessing"}
    finding |= {"finding.guessing.account", "finding.guessing.accounts", "finding.blocked"}
    where = {"where.machine", "where.machine.account", "where.account", "where.unknown"}
    sure = {f"sure.{level.name.lower()}" for level in Level} | {"sure.forgeable"}
    report = {f"report.{level.name.lower()}" for level in Level} | {"report.nothing"}
    means = {f"means.{tactic}" for tactic in Tactic} | {"means.unknown"}
    techniques_told = {key for key in WORDS if re.fullmatch(r"means\.t\d{4}", key)}
    assert set(WORDS) == {
        *finding,
        *_IN_MACHINES,
        *_NUMBERS.values(),
        *_ELSEWHERE,
        *where,
        *sure,
        *report,
        *means,
        *techniques_told,
    }


@pytest.mark.parametrize("key", WORDS)
def test_every_sentence_is_whole_and_asks_for_arguments_that_there_are(key: str) -> None:
    holes = {name for _, name, _, _ in string.Formatter().parse(WORDS[key]) if name}
    assert holes <= {"actor", "victim", "account", "count", "title"}
    said = english(key, {})
    assert said[0].isupper()
    assert said.endswith(".")
    assert "{" not in said


@given(
    st.text(max_size=300),
    st.text(max_size=300),
    st.sampled_from(Kind),
    st.sampled_from(Outcome),
    st.lists(st.sampled_from(["Image", "cs-uri", "x"])),
)
def test_hostile_names_are_told_cut_and_visible(
    title: str, account: str, kind: Kind, outcome: Outcome, proved: list[str]
) -> None:
    things = (PC, WARD, Observable(ObservableKind.ACCOUNT, Role.VICTIM, account))
    said = told(*proved, kind=kind, outcome=outcome, title=title, things=things).english
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in said)
    assert len(said) < 600 + 2 * 120 * len("⟨U+10FFFF⟩")


def test_a_terminal_is_not_moved_and_text_not_turned() -> None:
    said = told("Image", title="\x1b[2J\u202egnp.exe").english
    assert "⟨U+001B⟩[2J⟨U+202E⟩gnp.exe" in said


# -- tactics ------------------------------------------------------------------------------------------------------


def test_tactics_come_in_the_order_of_an_attack() -> None:
    tags = (
        "attack.impact",
        "attack.t1190",
        "attack.initial-access",
        "attack.Initial_Access",
        "tlp.red",
        "attack.x",
    )
    assert tactics(tags) == (Tactic.INITIAL_ACCESS, Tactic.IMPACT)
    assert techniques((*tags, "attack.T1059.001", "attack.s0002", "attack.t1190")) == ("T1190", "T1059.001")


def test_tactics_have_the_names_and_numbers_of_attack() -> None:
    assert Tactic.COMMAND_AND_CONTROL.label == "Command and Control"
    assert Tactic.STEALTH.code == "TA0005"
    assert len({tactic.code for tactic in Tactic}) == len(Tactic) == 15
