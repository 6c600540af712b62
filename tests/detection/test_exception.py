"""Exceptions: they hide what they say and nothing else, until they end; every mistake in the file is told at once."""

import json
import re
import tomllib
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.detector import Detection
from rempart.detection.exception import Exceptions, Exemption, Tamed, Value, parse
from rempart.detection.finding import Finding, Level
from rempart.detection.rule import RuleSet
from rempart.detection.sigma import load
from rempart.errors import InputRefused
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, parse_rfc3339, seconds

RULES = """
title: A failed sign-in
id: 11111111-1111-4111-8111-111111111111
name: failed
logsource: {category: webserver}
detection: {selection: {sc-status: 401}, condition: selection}
level: low
---
title: Guessing
id: 21111111-1111-4111-8111-111111111111
name: guessing
correlation:
  {type: event_count, rules: [failed], group-by: [c-ip], timespan: 60s, condition: {gte: 3}, generate: true}
level: high
"""
BEGIN = parse_rfc3339("2026-11-20T12:00:00Z")
WHO = 'reason = "The scanner that we ordered"\nauthor = "A. Peeters"\nuntil = 2026-11-30\n'


def rules() -> RuleSet:
    loaded = load([("rules.yml", RULES)])
    assert not loaded.refused
    return loaded


def tried(second: int, *, client: str = "192.0.2.7", user: str = "anna", begin: Instant = BEGIN) -> Event:
    fields = {"c-ip": client, "cs-username": user, "sc-status": 401}
    return Event(
        LogSource(category="webserver"), fields, "access.log", second, Instant(begin + seconds(second))
    )


def exceptions(text: str) -> Exceptions:
    return parse(text, "exceptions.toml")


def found(given: Exceptions, events: list[Event]) -> tuple[set[str], dict[str, int]]:
    """Titles told, and how often each rule was hidden."""
    detection = Detection(rules(), exceptions=given)
    told = {each.title for event in events for each in detection.feed(event)}
    return told, {rule[0]: number for (_, rule), number in detection.hidden.items()}


def test_what_an_exception_speaks_of_is_neither_told_nor_counted_by_correlations() -> None:
    given = exceptions(f'[[exceptions]]\nfields = {{ c-ip = "192.0.2.0/24" }}\n{WHO}')
    assert found(given, [tried(second) for second in range(5)]) == (set(), {"1": 5})
    told, hidden = found(given, [tried(second, client="198.51.100.7") for second in range(5)])
    assert told == {"A failed sign-in", "Guessing"}
    assert hidden == {}


@pytest.mark.parametrize("name", ["failed", "A FAILED SIGN-IN", "11111111-1111-4111-8111-111111111111"])
def test_a_rule_is_named_by_its_id_name_or_title(name: str) -> None:
    given = exceptions(f'[[exceptions]]\nrules = ["{name}"]\n{WHO}')
    assert found(given, [tried(second) for second in range(5)])[0] == set()


def test_a_correlation_is_hidden_by_its_group_and_its_rule_still_told() -> None:
    given = exceptions(f'[[exceptions]]\nrules = ["guessing"]\nfields = {{ c-ip = "192.0.2.7" }}\n{WHO}')
    assert found(given, [tried(second) for second in range(5)]) == ({"A failed sign-in"}, {"2": 1})


def test_a_correlation_cannot_be_asked_for_a_field_of_one_event_among_many() -> None:
    given = exceptions(f'[[exceptions]]\nrules = ["guessing"]\nfields = {{ cs-username = "anna" }}\n{WHO}')
    detection = Detection(rules(), exceptions=given)
    (problem,) = detection.tamed.problems
    assert "'Guessing' counts by c-ip, not by 'cs-username'" in str(problem)
    assert "exceptions.toml, line 1" in problem.where
    assert "Guessing" in found(given, [tried(second) for second in range(5)])[0]


def test_all_fields_must_hold_each_by_one_of_its_values() -> None:
    both = exceptions(
        f'[[exceptions]]\nfields = {{ c-ip = ["192.0.2.1", "192.0.2.7"], cs-username = "an*" }}\n{WHO}'
    )
    assert found(both, [tried(1)])[0] == set()
    assert found(both, [tried(1, user="bert")])[0] == {"A failed sign-in"}
    assert found(both, [tried(1, client="192.0.2.9")])[0] == {"A failed sign-in"}


def test_past_its_last_day_it_hides_no_longer_and_is_said() -> None:
    given = exceptions(f'[[exceptions]]\nrules = ["failed"]\n{WHO}')
    last, after = parse_rfc3339("2026-11-30T23:59:58+01:00"), parse_rfc3339("2026-12-01T00:00:00+01:00")
    assert found(given, [tried(0, begin=last)])[0] == set()
    assert found(given, [tried(0, begin=after)])[0] == {"A failed sign-in"}
    assert given.ended(last) == ()
    assert given.ended(after) == given.exemptions


def test_an_event_that_claims_to_be_old_revives_no_exception_that_ended() -> None:
    given = exceptions(f'[[exceptions]]\nfields = {{ c-ip = "192.0.2.7" }}\n{WHO}')
    newer = tried(0, client="198.51.100.7", begin=parse_rfc3339("2026-12-01T00:00:00Z"))
    detection = Detection(rules(), exceptions=given)
    assert [each.title for event in (newer, tried(0)) for each in detection.feed(event)] == [
        "A failed sign-in"
    ] * 2


def test_a_rule_is_told_at_the_level_that_the_site_gives_it() -> None:
    given = exceptions(f'[[severities]]\nrules = ["guessing", "failed"]\nlevel = "medium"\n{WHO}')

    def levels(begin: Instant) -> set[Level]:
        detection = Detection(rules(), exceptions=given)
        return {each.level for n in range(5) for each in detection.feed(tried(n, begin=begin))}

    assert levels(BEGIN) == {Level.MEDIUM}
    assert levels(parse_rfc3339("2026-12-01T00:00:00Z")) == {Level.LOW, Level.HIGH}


def test_what_was_hidden_is_forgotten_with_the_rest() -> None:
    detection = Detection(rules(), exceptions=exceptions(f'[[exceptions]]\nrules = ["failed"]\n{WHO}'))
    detection.feed(tried(1))
    assert sum(detection.hidden.values()) == 1
    assert not detection.afresh().hidden


def test_a_name_that_no_rule_has_is_told_with_the_nearest() -> None:
    given = exceptions(f'[[exceptions]]\nrules = ["guesing"]\n{WHO}')
    (problem,) = Detection(rules(), exceptions=given).tamed.problems
    assert "'guesing'" in problem.what
    assert "guessing" in problem.mend


def test_what_is_found_without_a_rule_is_named_by_its_id() -> None:
    given = exceptions(
        f'[[exceptions]]\nrules = ["behaviour.beaconing"]\nfields = {{ c-ip = "192.0.2.7" }}\n{WHO}'
        f'[[severities]]\nrules = ["indicator.domain"]\nlevel = "low"\n{WHO}'
    )
    tamed = Tamed(given, rules())
    assert tamed.problems == ()
    assert tamed.hiding("behaviour.beaconing", {"c-ip": "192.0.2.7"}, BEGIN)
    assert not tamed.hiding("behaviour.beaconing", {"c-ip": "192.0.2.8"}, BEGIN)
    assert tamed.level("indicator.domain", Level.HIGH, BEGIN) is Level.LOW
    assert tamed.level("indicator.url", Level.HIGH, BEGIN) is Level.HIGH


EVERYTHING_WRONG = """
[[exceptions]]
reason = "hides everything"
author = "me"
until = 2026-11-30

[[exceptions]]
rules = ["failed"]
feilds = { c-ip = "192.0.2.7" }
reason = ""
until = "tomorrow"

[[exceptions]]
fields = { c-ip = "*", cs-username = [], "a\\u001b[2Jb" = 1.5 }
reason = "x"
author = "\\u202Egnp"

[[severities]]
level = "loud"
reason = "x"
author = "me"

[[silences]]
"""


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    with pytest.raises(InputRefused) as refused:
        exceptions(EVERYTHING_WRONG)
    told = [(problem.where.rpartition(" ")[2], problem.what) for problem in refused.value.problems]
    assert told == [
        ("2", "it names neither rules nor fields"),
        ("7", "author is missing"),
        ("9", "feilds: unknown key"),
        ("10", "reason: '' is no plain text"),
        ("11", "until: 'tomorrow' is no day"),
        ("13", "until is missing"),
        ("14", "c-ip: a star alone hides whatever has the field"),
        ("14", "cs-username: 0 values"),
        ("14", "'a\\x1b[2Jb': 1.5 is no plain text"),
        ("16", "author: '\\u202egnp' is no plain text"),
        ("18", "rules is missing"),
        ("19", "level: 'loud' is no level"),
        ("23", "silences: unknown key"),
    ]


def test_what_is_no_toml_is_refused_with_its_place() -> None:
    with pytest.raises(InputRefused, match="line 2"):
        exceptions("[[exceptions]]\nreason = x\n")


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.dates(),
            lambda inner: st.lists(inner, max_size=3),
        ),
        max_size=4,
    )
)
@settings(max_examples=60)
def test_whatever_an_entry_holds_it_is_read_or_refused(entry: dict[str, Any]) -> None:
    shown = "\n".join(f"{json_key(key)} = {toml(value)}" for key, value in entry.items() if value is not None)
    text = f"[[exceptions]]\nrules = ['x']\n{shown}"
    try:
        tomllib.loads(text)
        exceptions(text)
    except (InputRefused, tomllib.TOMLDecodeError):
        pass


def json_key(key: str) -> str:
    return json.dumps(key)


def toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(toml(each) for each in value if each is not None)}]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


@given(st.text(alphabet="ab*", max_size=6), st.text(alphabet="ab", max_size=8))
@settings(max_examples=200)
def test_a_star_stands_for_anything(pattern: str, text: str) -> None:
    meant = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
    assert Value(pattern).holds(text) == meant


@pytest.mark.parametrize(
    ("value", "given", "held"),
    [
        ("ANNA", "anna", True),
        ("192.0.2.0/24", "::ffff:192.0.2.9", True),
        ("2001:db8::/32", "2001:DB8:0::1", True),
        ("2001:db8::1", "2001:0db8::0:1", True),
        ("192.0.2.0/24", "192.0.3.1", False),
        ("192.0.2.0/24", "not an address", False),
        ("401", 401, True),
        ("anna", ["bert", "Anna"], True),
        ("anna", None, False),
        ("anna", {"a": 1}, False),
    ],
)
def test_values(value: str, given: object, held: bool) -> None:
    assert Value(value).holds(given) == held


def test_findings_name_nothing_of_the_exception() -> None:
    """A finding is kept for years; why something else was hidden is the site's own business."""
    entry = exceptions(f'[[exceptions]]\nrules = ["failed"]\nfields = {{ c-ip = "192.0.2.9" }}\n{WHO}')
    detection = Detection(rules(), exceptions=entry)
    told: list[Finding] = detection.feed(tried(1))
    assert isinstance(entry.exemptions[0], Exemption)
    assert "Peeters" not in str(told)
