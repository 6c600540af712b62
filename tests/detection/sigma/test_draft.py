"""Sigma files become rules, whole, and nothing is lost in silence."""

import pytest

from detection.sigma.written import BASE, EVENT_COUNT, HEAD, SOURCE, loaded
from rempart.detection.finding import Kind, Level, Outcome
from rempart.detection.match import Matcher
from rempart.detection.sigma import load
from rempart.events.event import Event, LogSource


def test_what_the_card_says() -> None:
    text = "id: 2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11\nname: n\nlevel: critical\nauthor: A\ntags: [attack.t1110]\n"
    (rule,) = loaded(f"{HEAD}{text}detection: {{a: {{x: 1}}, condition: a}}\n").rules
    card = rule.card
    assert (card.id, card.name, card.title) == ("2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11", "n", "T")
    assert (card.level, card.author, card.tags, card.path) == (
        Level.CRITICAL,
        "A",
        ("attack.t1110",),
        "r.yml",
    )
    assert rule.logsource == rule.needs == SOURCE


def test_meaning_is_taken_from_the_key_rempart() -> None:
    who = "actors: [src_ip], victims: host, accounts: [user]"
    own = f"rempart: {{kind: records, outcome: success, spoofable: true, {who}}}\n"
    (rule,) = loaded(f"{HEAD}{own}tags: [attack.t1110]\ndetection: {{a: {{x: 1}}, condition: a}}\n").rules
    meaning = rule.card.meaning
    assert (meaning.kind, meaning.outcome, meaning.spoofable) == (Kind.RECORDS, Outcome.SUCCESS, True)
    assert (meaning.actors, meaning.victims, meaning.accounts) == (("src_ip",), ("host",), ("user",))


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ("attack.credential-access, attack.t1110.001", Kind.GUESSING),
        ("attack.t1046", Kind.SCAN),
        ("attack.initial-access, attack.t1190", Kind.PROBE),
        ("attack.command-and-control", Kind.COMMAND),
        ("attack.exfiltration", Kind.EXFILTRATION),
        ("attack.execution", Kind.INTRUSION),
        ("cve.2026-1", Kind.OTHER),
    ],
)
def test_meaning_is_guessed_from_tags(tags: str, kind: Kind) -> None:
    (rule,) = loaded(f"{HEAD}tags: [{tags}]\ndetection: {{a: {{x: 1}}, condition: a}}\n").rules
    assert rule.card.meaning.kind is kind


FILTER = """
title: F
logsource: {product: acme}
filter: {rules: [one], ours: {host|startswith: lab-}, condition: not ours}
"""


@pytest.mark.parametrize(
    ("rules", "narrowed"), [("[one]", {"one"}), ("any", {"one", "two"}), ("[]", {"one", "two"})]
)
def test_a_filter_narrows_the_rules_it_names(rules: str, narrowed: set[str]) -> None:
    given = [
        ("f.yml", FILTER.replace("[one]", rules)),
        ("1.yml", BASE.format("one")),
        ("2.yml", BASE.format("two")),
    ]
    ours = Event(LogSource("acme"), {"x": 1, "host": "lab-3"}, "", 1)
    others = Event(LogSource("acme"), {"x": 1, "host": "pc"}, "", 1)
    matcher = Matcher(load(given).rules)
    assert {"one", "two"} - {rule.card.name for rule in matcher.matches(ours)} == narrowed
    assert {rule.card.name for rule in matcher.matches(others)} == {"one", "two"}


def test_a_filter_that_applies_to_nothing_is_named() -> None:
    (problem,) = load([("f.yml", FILTER), ("2.yml", BASE.format("two"))]).refused
    assert "applies to no rule" in problem.what


def test_several_documents_in_one_file() -> None:
    rules = loaded("---\n".join([BASE.format("one"), BASE.format("two"), EVENT_COUNT]))
    assert rules.refused == ()
    assert len(rules.rules) == 2
    assert len(rules.correlations) == 1


def _aliases() -> str:
    """Ten values, of which each is the ten before: a few lines that stand for a hundred thousand million."""
    lists = [f"&l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 11)]
    return f"[&l0 a, {', '.join(lists)}]"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "not readable as YAML"),
        ("title: a\ntitle: b\n", "Duplicate key"),
        ("just text", "a map of keys"),
        ("title: x\n", "neither 'detection'"),
        ("title: x\nlogsource: {product: acme}\ndetection: {condition: a}\n", "a"),
        (f"{HEAD}detection: {{a: {{x|nope: 1}}, condition: a}}\n", "nope"),
        (f"{HEAD}detection: {{a: {{x|re: '('}}, condition: a}}\n", "invalid"),
        (f"{HEAD}detection: {{a: {{x|re: '(?=a)'}}, condition: a}}\n", "linear time"),
        (f"{HEAD}detection: {{a: {{x|cidr: nonsense}}, condition: a}}\n", "CIDR"),
        (f"{HEAD}rempart: {{kind: nonsense}}\ndetection: {{a: {{x: 1}}, condition: a}}\n", "nonsense"),
        (f"{HEAD}rempart: {{knd: scan}}\ndetection: {{a: {{x: 1}}, condition: a}}\n", "knd"),
        (f"{HEAD}detection: {{a: {{x: 1}}, condition: a | count() > 5}}\n", "deprecated"),
        (f"{HEAD}detection: {{a: {{x: 1}}, condition: 2 of them}}\n", "'2 of' is not in the specification"),
        (f"{HEAD}detection: {{a: {{x: 1}}, condition: a and b}}\n", "names 'b'"),
        (f"{HEAD}detection: {{a: {{x: 1}}, condition: a a}}\n", "missing before 'a'"),
        (f"{HEAD}detection: {{a: {{x: 1}}, condition: a and}}\n", "ends where"),
        (f"{HEAD}detection: {{a: {{x: 1}}, condition: (a}}\n", "not closed"),
        (f"{HEAD}detection: {{a: {{x: 1}}, condition: 1 of b*}}\n", "names no selection"),
        (f"{HEAD}detection: {{a: {{x: 1}}, condition: {'(' * 99}a{')' * 99}}}\n", "nested too deeply"),
        (f"{HEAD}detection: {{a: {{x: 1}}, condition: [a, null]}}\n", "a list of texts"),
        (f"{HEAD}detection: {{a: {{x|re: [b, null]}}, condition: a}}\n", "null is no text"),
        (f"{HEAD}detection: {{a: {{x|cased|fieldref: b}}, condition: a}}\n", "'cased'"),
        (f"{HEAD}detection: {{a: {{x|wide: é}}, condition: a}}\n", "no text"),
        (f"{HEAD}detection: {{a: {{x|base64: a*}}, condition: a}}\n", "wildcards"),
        (f"{HEAD}detection: {{a: {{x|base64offset: ''}}, condition: a}}\n", "no Base64"),
        (f"{HEAD}detection: {{a: {{x|windash: '{'-a ' * 9}'}}, condition: a}}\n", "more dashes"),
        (f"{HEAD}detection: {{a: &a {{x: 1}}, b: {{<<: *a, y: 2}}, condition: b}}\n", "merge key (<<)"),
        (f"{HEAD}detection:\n  a:\n    x: 1\n    x: 2\n  condition: a\n", "Duplicate key 'x'"),
        (f"{HEAD}detection: {{a: {{x: !!int abc}}, condition: a}}\n", "'abc' is no int"),
        (f"{HEAD}detection: {{a: {{x: !!bool abc}}, condition: a}}\n", "'abc' is no bool"),
        (f"{HEAD}filter: {{rules: [[a]], f: {{x: 1}}, condition: f}}\n", "by id or name"),
        ("title: C\ncorrelation: many\n", "'correlation' is a map"),
        ("title: C\ncorrelation: {type: temporal, rules: [{a: b}], timespan: 1m}\n", "by id or name"),
        (
            "title: C\ncorrelation: {type: value_count, rules: [], timespan: 1m, condition: {gte: 2, field: 1}}\n",
            "a list of names",
        ),
        (
            "title: C\ncorrelation: {type: value_sum, rules: [b], timespan: 1m, condition: {gte: 2, field: [x, y]}}\n",
            "of one field",
        ),
        (f"{HEAD}level: low\ndetection: {{a: {{x: [[1]]}}, condition: a}}\n", "type"),
        (f"{HEAD}id: [a]\ndetection: {{a: {{x: 1}}, condition: a}}\n", "'id'"),
        (f"{HEAD}detection: &d {{a: *d, condition: a}}\n", "aliases written out"),
        (f"{HEAD}x: {_aliases()}\ndetection: {{a: {{x: 1}}, condition: a}}\n", "aliases written out"),
        (
            "title: C\ncorrelation: {type: event_count, rules: [gone], timespan: 1m, condition: {gte: 2}}\n",
            "gone",
        ),
        (
            "title: C\ncorrelation: {type: event_count, rules: [gone], timespan: 1x, condition: {gte: 2}}\n",
            "1x",
        ),
        (f"{HEAD}detection: {'[' * 3000}\n", "too deeply, line 3"),
        (f"{HEAD}detection: {'[' * 100_000}\n", "too deeply, line 3"),
        (f"{HEAD}detection:\n  {'- ' * 100_000}\n", "too deeply, line 4"),
        (f"{HEAD}author: Andr\udce9\n", "not in UTF-8, line 3"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, says: str) -> None:
    rules = loaded(text)
    assert not rules.rules
    assert not rules.correlations
    (problem,) = rules.refused
    assert problem.where.startswith("r.yml")
    assert says in str(problem)


def test_an_id_is_taken_once() -> None:
    text = f"id: 2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11\n{HEAD}detection: {{a: {{x: 1}}, condition: a}}\n"
    rules = load([("a.yml", text), ("b.yml", text)])
    assert len(rules.rules) == 1
    assert "already taken by a.yml" in rules.refused[0].what


def test_a_placeholder_without_values_waits() -> None:
    text = f"{HEAD}detection: {{a: {{x|expand: '%p%'}}, condition: a}}\n"
    assert [problem.where for problem in loaded(text).waiting] == ["r.yml"]
    assert loaded(text, {"p": ["1"]}).waiting == ()


def test_an_id_is_recommended_to_be_a_uuid_and_may_be_any_text() -> None:
    text = f"{HEAD}id: my-rule-1\ndetection: {{a: {{x: 1}}, condition: a}}\n"
    assert [each.card.id for each in loaded(text).rules] == ["my-rule-1"]


def test_a_computed_placeholder_waits_for_its_value() -> None:
    for modifiers in ("cidr|expand", "expand|base64offset|contains", "windash|expand"):
        rules = loaded(f"{HEAD}detection: {{a: {{x|{modifiers}: '%unknown%'}}, condition: a}}\n")
        assert [each.what for each in rules.waiting] == ["waits for the values of %unknown%"]
