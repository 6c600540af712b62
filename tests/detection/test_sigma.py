"""Sigma files become rules, whole: every modifier means what Sigma says, and nothing is lost in silence."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from sigma.modifiers import modifier_mapping

from rempart.detection.condition import (
    FALSE,
    TRUE,
    And,
    Leaf,
    LeafKind,
    Not,
    Or,
    either,
    every,
    leaves,
    negate,
)
from rempart.detection.finding import Kind, Level, Outcome
from rempart.detection.match import Matcher
from rempart.detection.rule import Comparison, CorrelationType, RuleSet
from rempart.detection.sigma import load
from rempart.events.event import Event, LogSource

SOURCE = LogSource("acme", None, "svc")
HEAD = "title: T\nlogsource: {product: acme, service: svc}\n"


def loaded(text: str, placeholders: Mapping[str, list[str]] | None = None) -> RuleSet:
    return load([("r.yml", text)], placeholders)


def fires(
    detection: str, fields: Mapping[str, Any], placeholders: Mapping[str, list[str]] | None = None
) -> bool:
    rules = loaded(f"{HEAD}detection:\n  a:\n    {detection}\n  condition: a\n", placeholders)
    assert rules.refused == rules.waiting == ()
    return bool(Matcher(rules.rules).matches(Event(SOURCE, fields, "", 1)))


WIDE = "dev".encode("utf-16le").decode()

# modifier: (detection, a field value that matches, one that does not)
MODIFIERS: dict[str, list[tuple[str, Any, Any]]] = {
    "contains": [("f|contains: b", "aBc", "ac")],
    "startswith": [("f|startswith: ab", "ABC", "cab")],
    "endswith": [("f|endswith: bc", "aBC", "bca")],
    "all": [("f|contains|all: [a, b]", "xbxa", "xbx")],
    "neq": [("f|neq: b", "c", "B")],
    "re": [("f|re: ^a.c$", "abc", "ABC")],
    "i": [("f|re|i: ^a.c$", "ABC", "ABCD")],
    "ignorecase": [("f|re|ignorecase: ^a.c$", "ABC", "ABCD")],
    "m": [("f|re|m: ^b$", "a\nb\nc", "a\nbb\nc")],
    "multiline": [("f|re|multiline: ^b$", "a\nb\nc", "a\nbb\nc")],
    "s": [("f|re|s: a.c", "a\nc", "a\n\nc")],
    "dotall": [("f|re|dotall: a.c", "a\nc", "a\n\nc")],
    "cidr": [
        ("f|cidr: 192.168.0.0/16", "192.168.3.4", "192.169.3.4"),
        ("f|cidr: 'fd00::/8'", "fd12::1", "fe80::1"),
    ],
    "windash": [
        ("f|windash|contains: ' -enc'", "x /enc y", "x enc"),
        ("f|contains|windash: ' -enc'", "x —enc", "enc"),
    ],
    "base64": [("f|base64|contains: secret", f"x{base64.b64encode(b'secret').decode()}x", "secret")],
    "base64offset": [
        ("f|base64offset|contains: secret", base64.b64encode(b"." * n + b"a secret word").decode(), "secret")
        for n in range(3)
    ],
    "wide": [
        ("f|wide|contains: dev", f"x{WIDE}x", "dev"),
        ("f|wide|base64offset|contains: dev", base64.b64encode(b"x" + WIDE.encode()).decode(), "dev"),
    ],
    "utf16le": [("f|utf16le|contains: dev", f"x{WIDE}x", "dev")],
    "utf16be": [("f|utf16be|contains: dev", "x" + "dev".encode("utf-16be").decode(), "dev")],
    "utf16": [("f|utf16|contains: dev", f"x\ufeff{WIDE}x", f"x{WIDE}x")],
    "expand": [("f|expand: 'a%p%'", "aONE", "a%p%"), ("f|contains|expand: '%p%'", "xtwox", "three")],
    "exists": [("f|exists: true", "", None), ("f|exists: false", None, "")],
    "cased": [("f|cased: Ab", "Ab", "AB"), ("f|contains|cased: Ab", "xAbx", "xABx")],
    "gt": [("f|gt: 5", 6, 5)],
    "gte": [("f|gte: 5", "5", 4)],
    "lt": [("f|lt: 5", 4.5, 5)],
    "lte": [("f|lte: 5", 5, "x")],
    "fieldref": [("f|fieldref: g", "G-Value", "other")],
    "minute": [("f|minute: 12", "2026-11-22T03:12:00Z", "2026-11-22T03:13:00Z")],
    "hour": [("f|hour: 3", "2026-11-22T03:12:00Z", "2026-11-22T04:12:00Z")],
    "day": [("f|day: 22", "2026-11-22T03:12:00Z", "2026-11-23T03:12:00Z")],
    "week": [("f|week: 47", "2026-11-22T03:12:00Z", "2026-11-23T03:12:00Z")],
    "month": [("f|month: 11", "2026-11-22T03:12:00Z", "2026-12-22T03:12:00Z")],
    "year": [("f|year: 2026", "2026-11-22T03:12:00Z", "2025-11-22T03:12:00Z")],
}


def test_every_modifier_that_pysigma_knows_is_tried() -> None:
    assert set(MODIFIERS) == set(modifier_mapping)


@pytest.mark.parametrize(
    ("detection", "yes", "no"),
    [case for cases in MODIFIERS.values() for case in cases],
    ids=lambda case: str(case)[:40],
)
def test_a_modifier(detection: str, yes: Any, no: Any) -> None:
    values = {"p": ["one", "two"]}
    assert fires(detection, {"f": yes, "g": "g-value"}, values)
    assert not fires(detection, {"f": no, "g": "g-value"}, values)


@pytest.mark.parametrize(
    ("condition", "fields", "answer"),
    [
        ("a and not b", {"x": "1"}, True),
        ("a and not b", {"x": "1", "y": "2"}, False),
        ("1 of sel*", {"z": "3"}, True),
        ("all of sel*", {"z": "3"}, False),
        ("all of them", {"x": "1", "y": "2", "z": "3", "w": "4"}, True),
        ("(a or b) and 1 of sel*", {"y": "2", "w": "4"}, True),
        ("not 1 of them", {}, True),
    ],
)
def test_a_condition(condition: str, fields: Mapping[str, Any], answer: bool) -> None:
    parts = "a: {x: 1}, b: {y: 2}, sel1: {z: 3}, sel2: {w: 4}"
    text = f"{HEAD}detection: {{{parts}, condition: {condition}}}\n"
    assert bool(Matcher(loaded(text).rules).matches(Event(SOURCE, fields, "", 1))) is answer


@pytest.mark.parametrize(
    ("detection", "fields", "answer"),
    [
        ("f: null", {}, True),
        ("f: null", {"f": ""}, False),
        ("f: ''", {"f": ""}, True),
        ("f: '*'", {"f": ""}, True),
        ("f: '*'", {}, False),
        ("f: [a, b]", {"f": "B"}, True),
        ("f: 'a*c?'", {"f": "abbbcd"}, True),
        ("f: 'a\\*c'", {"f": "a*c"}, True),
        ("f: 'a\\*c'", {"f": "abc"}, False),
        ("f: true", {"f": True}, True),
        ("f: 445", {"f": 445}, True),
        ("- f: a\n    - g: b", {"g": "b"}, True),
        ("'|contains': needle", {"any": "a NEEDLE"}, True),
        ("'|re': 'ne+dle$'", {"any": "a neeedle"}, True),
        ("'|all': [one, two]", {"a": "one", "b": "two"}, True),
        ("'|all': [one, two]", {"a": "one"}, False),
    ],
)
def test_a_value(detection: str, fields: Mapping[str, Any], answer: bool) -> None:
    assert fires(detection, fields) is answer


def test_several_conditions_are_alternatives() -> None:
    rules = loaded(f"{HEAD}detection:\n  a: {{x: 1}}\n  b: {{y: 2}}\n  condition: [a, b]\n").rules
    assert Matcher(rules).matches(Event(SOURCE, {"y": 2}, "", 1))


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


BASE = "title: {0}\nname: {0}\nlogsource: {{product: acme}}\ndetection: {{a: {{x: 1}}, condition: a}}\n"
EVENT_COUNT = """
title: C
correlation:
  type: value_count
  rules: [one, two]
  group-by: [src, dst]
  timespan: 5m
  aliases: {src: {one: src_ip, two: client}}
  condition: {gte: 10, field: user}
"""


def test_a_correlation_refers_to_rules_by_name_in_any_file() -> None:
    rules = load([("c.yml", EVENT_COUNT), ("one.yml", BASE.format("one")), ("two.yml", BASE.format("two"))])
    assert rules.refused == ()
    (correlation,) = rules.correlations
    ids = tuple(rule.card.id for rule in rules.rules)
    assert correlation.rules == ids
    assert (correlation.type, correlation.timespan) == (CorrelationType.VALUE_COUNT, 300)
    assert correlation.limits == ((Comparison.GTE, 10.0),)
    assert (correlation.fields, correlation.group_by) == (("user",), ("src", "dst"))
    assert correlation.aliases == (("src", ((ids[0], "src_ip"), (ids[1], "client"))),)
    assert correlation.generate is False


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


@pytest.mark.parametrize(
    ("condition", "understood"),
    [("one and two", True), ("one or two", True), ("not two", False), ("one or", False)],
)
def test_conditions_of_temporal_correlations(condition: str, understood: bool) -> None:
    text = f"title: C\ncorrelation: {{type: temporal, timespan: 1h, group-by: [u], condition: {condition}}}\n"
    rules = load([("a.yml", BASE.format("one")), ("b.yml", BASE.format("two")), ("c.yml", text)])
    assert bool(rules.correlations) is understood
    assert bool(rules.refused) is not understood


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


def test_windows_rules_ask_for_their_channel() -> None:
    windows = "title: T\nlogsource: {{product: windows, {0}}}\ndetection: {{a: {{x: 1}}, condition: a}}\n"
    (sysmon,) = loaded(windows.format("category: dns_query")).rules
    assert set(leaves(sysmon.condition)) == {
        Leaf("Channel", LeafKind.EXACT, "Microsoft-Windows-Sysmon/Operational"),
        Leaf("EventID", LeafKind.EXACT, "22"),
        Leaf("x", LeafKind.EXACT, "1"),
    }
    assert sysmon.needs == LogSource("windows")
    (unknown,) = loaded(windows.format("service: never-heard-of")).rules
    assert unknown.needs == LogSource("windows", None, "never-heard-of")
    (access,) = loaded(windows.format("category: file_access")).rules
    assert Leaf("Provider_Name", LeafKind.EXACT, "Microsoft-Windows-Kernel-File") in set(
        leaves(access.condition)
    )


def test_constants_are_folded() -> None:
    leaf = Leaf("f", LeafKind.NULL)
    assert every([leaf]) is leaf
    assert every([leaf, FALSE]) == FALSE
    assert either([leaf, TRUE]) == TRUE
    assert negate(negate(leaf)) is leaf
    assert (negate(TRUE), negate(FALSE)) == (FALSE, TRUE)
    assert every([And((leaf, leaf)), Not(leaf)]) == And((leaf, leaf, Not(leaf)))
    assert either([Or((leaf, leaf)), leaf]) == Or((leaf, leaf, leaf))


def test_correlations_built_on_themselves_are_refused_and_the_others_stay() -> None:
    def correlation(name: str, *rules: str) -> str:
        return (
            f"title: {name}\nid: 00000000-0000-4000-8000-{ord(name[0]):012d}\nname: {name}\nlevel: low\n"
            f"correlation:\n  type: temporal\n  rules: [{', '.join(rules)}]\n  group-by: [a]\n  timespan: 1m\n"
        )

    rule = (
        "title: r\nid: 00000000-0000-4000-8000-000000000001\nname: r\nlogsource: {category: webserver}\n"
        "detection: {s: {a: b}, condition: s}\nlevel: low\n"
    )
    files = [
        ("r.yml", rule),
        ("a.yml", correlation("a", "b", "r")),
        ("b.yml", correlation("b", "a", "r")),
        ("c.yml", correlation("c", "r")),
        ("d.yml", correlation("d", "a", "r")),
    ]
    loaded = load(files, {})
    assert [each.card.name for each in loaded.correlations] == ["c"]
    assert {problem.where for problem in loaded.refused} == {"a.yml", "b.yml", "d.yml"}


def test_an_id_is_recommended_to_be_a_uuid_and_may_be_any_text() -> None:
    text = f"{HEAD}id: my-rule-1\ndetection: {{a: {{x: 1}}, condition: a}}\n"
    assert [each.card.id for each in loaded(text).rules] == ["my-rule-1"]


def test_a_log_source_in_capitals_is_the_same() -> None:
    text = "title: T\nlogsource: {product: Windows, category: Process_Creation}\n"
    (rule,) = loaded(f"{text}detection: {{a: {{x: 1}}, condition: a}}\n").rules
    assert rule.logsource == LogSource("windows", "process_creation")


def test_a_computed_placeholder_waits_for_its_value() -> None:
    for modifiers in ("cidr|expand", "expand|base64offset|contains", "windash|expand"):
        rules = loaded(f"{HEAD}detection: {{a: {{x|{modifiers}: '%unknown%'}}, condition: a}}\n")
        assert [each.what for each in rules.waiting] == ["waits for the values of %unknown%"]
