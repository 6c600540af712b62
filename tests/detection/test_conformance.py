"""The Sigma specification 2.1, sentence by sentence: what a rule, a filter or a correlation says is what is found.

Each case is whole YAML, through reading and matching. Where the specification leaves room, the case says what is done.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rempart.detection.detector import Detection
from rempart.detection.finding import Finding, Level
from rempart.detection.match import Matcher
from rempart.detection.rule import RuleSet
from rempart.detection.sigma import load
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, seconds

SOURCE = LogSource("acme", None, "svc")
PLACES = {
    "one": ["X"],
    "several": ["1", "2*"],
    "networks": ["10.0.0.0/8", "192.0.2.0/24"],
    "part": ["b"],
    "five": ["5"],
}


def loaded(*documents: str) -> RuleSet:
    rules = load([("r.yml", "\n---\n".join(documents))], PLACES)
    assert rules.refused == rules.waiting == ()
    return rules


def fires(asked: str, fields: Mapping[str, Any], condition: str = "a") -> bool:
    """``asked``: the selection ``a``, or several on lines of their own."""
    body = asked if asked.startswith("  ") else f"  a:\n    {asked}"
    (rule,) = loaded(
        f"title: T\nlogsource: {{product: acme, service: svc}}\ndetection:\n{body}\n  condition: {condition}\n"
    ).rules
    matcher, event = Matcher([rule]), Event(SOURCE, fields, "log", 1)
    found = bool(matcher.matches(event))
    assert bool(matcher.matches(event)) is found, "what is remembered changes no answer"
    if not found:
        assert matcher.evidence(rule, event) == ()
    return found


ESCAPES = [
    (r"f: 'a\b'", "a\\b", True),
    (r"f: 'a\\b'", "a\\b", True),
    (r"f: 'a\\b'", "a\\\\b", False),
    (r"f: 'a\\\\b'", "a\\\\b", True),
    (r"f: 'a\\\b'", "a\\\\b", True),  # "three or four backslashes are handled as double backslash"
    (r"f: 'a\\*'", "a\\bcd", True),  # a backslash, then anything
    (r"f: 'a\\*'", "abcd", False),
    (r"f: 'a\\\*'", "a\\*", True),
    (r"f: 'a\\\*'", "a\\b", False),
    (r"f: 'a\*c'", "a*c", True),
    (r"f: 'a\*c'", "abc", False),
    (r"f: 'a\?c'", "a?c", True),
    (r"f: 'a\?c'", "abc", False),
    (r"f|contains: '\*\'", "a*\\b", True),
    (r"f|contains: 'a\'", "xa\\y", True),
    (r"f|endswith: '\'", "xa\\", True),
    (r"f|startswith: '\\\\'", "\\\\host", True),
    (r"f|startswith: '\\\\'", "\\host", False),
    (r"f|endswith: '\cmd.exe'", "C:\\CMD.exe", True),
    (r"f: '*\cmd.exe'", "C:\\cmd.exe", True),
]
WILDCARDS = [
    ("f: 'a?c'", "abc", True),
    ("f: 'a?c'", "ac", False),
    ("f: 'a?c'", "aéc", True),
    ("f: 'a?c'", "a\nc", True),
    ("f: '?'", "", False),
    ("f: '??'", "ab", True),
    ("f: 'a*c'", "a\n\nc", True),
    ("f: 'a**b'", "axxb", True),
    ("f: 'É*'", "école", True),
    ("f: ÉCOLE", "école", True),
    ("f|contains: É", "aéb", True),
]
VALUES = [
    ("f: 1", "1", True),
    ("f: '1'", 1, True),
    ("f: 1", 1.0, True),
    ("f: 1.5", "1.5", True),
    ("f: 0x10", 16, True),
    ("f: 1", True, False),
    ("f: true", "True", True),
    ("f: 'true'", True, True),
    ("f: false", False, True),
    ("f|contains: 44", "1445", True),  # "all values are treated as case-insensitive strings"
    ("f|startswith: [4, a]", 44, True),
    ("f|endswith: 4", 44, True),
    ("f|re: 44", "1445", True),
    ("f|cased: 5", 5, True),
    ("f: [a, B]", "b", True),
    ("f: []", "a", False),
    ("f: null", None, True),
    ("f: null", "", False),
    ("f: null", [], True),
    ("f: ''", "", True),
    ("f: ''", None, False),
    ("f: [null, a]", None, True),
    ("f|exists: true", "", True),
    ("f|exists: true", None, False),
    ("f|exists: no", None, True),
    ("f: a", ["x", "A"], True),
    ("f|contains|all: [a, b]", ["a", "b"], True),
    ("f|re: ^b$", ["a", "b"], True),
    ("f|gt: 5", [1, 9], True),
]
MODIFIERS = [
    ("f|contains|all: [a, b]", "xbxa", True),
    ("f|all|contains: [a, b]", "ab", True),
    ("f|re|all: [a, b]", "ab", True),
    ("f|contains|cased|all: [A, B]", "AB", True),
    ("f|contains|cased|all: [A, B]", "Ab", False),
    ("f|neq: [a, b]", "A", False),
    ("f|neq: [a, b]", "c", True),
    ("f|neq: 5", "5", False),
    ("f|neq: 5", None, True),
    ("f|contains|neq: a", "bab", False),
    ("f|cidr|neq: 10.0.0.0/8", "192.0.2.1", True),
    ("f|re: a.c", "ABC", False),
    ("f|re|i: a.c", "ABC", True),
    ("f|re: (?i)abc", "ABC", True),
    (r"f|re|i|m|s: '^b.$'", "a\nB1\n", True),
    ("f|re: ^$", "", True),
    (r"f|re: '\bfoo\b'", "a foo b", True),
    ("f|re: ['a.c', '^x']", "xyz", True),
    ("f|cidr: [10.0.0.0/8, '2001:db8::/32']", "2001:DB8::1", True),
    ("f|cidr: 10.0.0.0/8", "10.0.0.1:443", False),
    ("f|cidr: 0.0.0.0/0", "1.2.3.4", True),
    ("f|cidr: 10.0.0.0/8", ["192.0.2.1", "10.0.0.1"], True),
    ("f|windash|contains|all: [' -a', ' -b']", "x /a –b", True),
    ("f|windash: '-s'", "/s", True),
    ("f|windash|endswith: '/s'", "x ―s", True),
    ("f|base64: foo", "Zm9v", True),
    ("f|base64|contains: foo", "xZm9vx", True),
    ("f|utf16le|base64offset|contains: IEX", b64encode("xIEX(".encode("utf-16-le")).decode(), True),
    ("f|gt: '5'", 6, True),
    ("f|gte: 5.5", "5.5", True),
    ("f|lt: -3", -4, True),
    ("f|lt: 5", "abc", False),
    ("f|gt: 5", "1_000", False),  # no number
    ("f|gt: 5", "Infinity", False),
    ("f|lt: 5", None, False),
    ("f|hour|gte: 22", "2026-11-22T23:12:00Z", True),
    ("f|hour|lt: 6", "2026-11-22T06:12:00Z", False),
    ("f|hour: [1, 3]", "2026-11-22T03:12:00Z", True),
    ("f|day|neq: 22", "2026-11-22T03:12:00Z", False),
    ("f|windash: '–s'", "-s", True),  # each dash stands for the others
    ("f|windash|contains: ' ―s'", "x /s", True),
    ("f|cased|windash: '-S'", "/S", True),  # cased, wherever it stands
    ("f|cased|windash: '-S'", "/s", False),
    ("f|cased|expand: '%one%'", "X", True),
    ("f|expand|cased: '%one%'", "x", False),
    ("f|base64: 'éà'", b64encode("éà".encode()).decode(), True),
    (r"f|base64: 'a\*\b'", b64encode(b"a*\\b").decode(), True),  # an escaped wildcard is itself
    ("f|base64|expand: 'x%part%'", b64encode(b"xb").decode(), True),
    ("f|base64offset|contains: 'bésà'", b64encode("1 bésà 2".encode()).decode(), True),
    ("f|base64offset|contains: a", "x", False),  # one letter is seen at two places of three
    ("f|base64offset|contains: a", b64encode(b"xxa").decode(), True),
    ("f|wide|base64offset|contains: 'clé'", b64encode("la clé".encode("utf-16-le")).decode(), True),
    ("f|utf16|base64: cmd", b64encode(b"\xff\xfe" + "cmd".encode("utf-16-le")).decode(), True),
    ("f|utf16be|base64: clé", b64encode("clé".encode("utf-16-be")).decode(), True),
    ("f|wide: ab", "a\0b\0", True),
    ("f|utf16: a", "\ufeffa\0", True),
    ("f|re|startswith: a.", "abc", True),
    ("f|re|startswith: a.", "xabc", False),
    ("f|re|endswith: 'b|c'", "xc", True),
    ("f|re|endswith: 'b|c'", "cx", False),
    ("f|re|contains: b", "abc", True),
    ("f|re|contains: ''", "abc", True),
    ("f|re: '[[:alpha:]]'", "a", True),
    ("f|contains: 2026-11-27", "on 2026-11-27", True),
    ("f: 12345678901234567890123", "12345678901234567890123", True),
    ("f: '%one%'", "%ONE%", True),  # without expand no placeholder
    (r"f|expand: '\%plain%one%'", "%plainX", True),
    ("f|expand: '%several%-%part%'", "2xyz-b", True),
    ("f|contains|expand: '%part%'", "xbx", True),
    ("f|re|expand: 'x%part%$'", "axb", True),
    ("f|cidr|expand: '%networks%'", "192.0.2.9", True),
    ("f|expand|cidr: ['%networks%', 172.16.0.0/12]", "172.16.1.1", True),
    ("f|cidr|expand: '%networks%'", "198.51.100.9", False),
]


UNQUOTED = [  # what YAML 1.1 and 1.2 read differently is looked for as it is written, and as 1.1 reads it
    ("f: yes", "yes", True),
    ("f: yes", True, True),
    ("f: 'yes'", True, False),
    ("f: No", "false", True),
    ("f: 0x40810000", "0x40810000", True),
    ("f: 0x40810000", 0x40810000, True),
    ("f: 010", "010", True),
    ("f: 010", 8, True),
    ("f: 010", 10, False),
    ("f: 1:30", "1:30", True),
    ("f: 1:30", 90, True),
    ("f: 1_000", "1_000", True),
    ("f: 1.10", "1.10", True),
    ("f: 1.10", 1.1, True),
    ("f: 1.0", "1.0", True),
    ("f: 1.0", 1, True),
    ("f: .nan", ".nan", True),
    ("f: .inf", "inf", False),
    (f"f: 0x{'f' * 400}", f"0x{'f' * 400}", True),
    ("f: 2026-11-27 10:00:00", "2026-11-27 10:00:00", True),
    ("f: =", "=", True),
    ("f: [a, off]", "off", True),
    ("f|neq: off", "off", False),
    ("f|neq: off", False, False),
    ("f|all: [off, no]", "off", False),
    ("f|contains: 12:30", "at 12:30", True),  # a text is what is written, nothing else
    ("f|contains: 1.10", "v1.1", False),
    ("f|contains: yes", "true", False),
    ("f|re: 010", "a010", True),
    ("f|base64: 010", b64encode(b"010").decode(), True),
    ("f|gt: 0x10", 17, True),  # a number is what is read
    ("f|gt: 0x10", 16, False),
    ("f|exists: yes", "a", True),
    ("f|exists: 'true'", "a", True),
    ("f|exists: 'False'", None, True),
]
ORDERS = [  # of modifiers
    ("f|expand|re: 'x%part%$'", "axb", True),
    ("f|i|re: a.c", "ABC", True),
    ("f|re|cased: A", "a", False),
    ("f|gt|expand: '%five%'", 6, True),
    ("f|hour|expand: '%five%'", "2026-11-22T05:12:00Z", True),
]


@pytest.mark.parametrize(
    ("asked", "value", "answer"), ESCAPES + WILDCARDS + VALUES + MODIFIERS + UNQUOTED + ORDERS
)
def test_a_value_is_asked_for(asked: str, value: Any, answer: bool) -> None:
    assert fires(asked, {"f": value} if value is not None else {}) is answer
    assert fires(asked, {"f": value}) is answer, "null in JSON is an absent field"


@pytest.mark.parametrize(
    ("asked", "fields", "answer"),
    [
        ("f|fieldref: g", {"f": "a", "g": "A"}, True),
        ("f|fieldref: g", {"f": 1, "g": "1"}, True),
        ("f|fieldref: g", {}, False),
        ("f|fieldref|neq: g", {"f": "a", "g": "b"}, True),
        ("f|neq|fieldref: g", {"f": "a", "g": "A"}, False),
        ("f|fieldref|contains: g", {"f": "abc", "g": "B"}, True),
        ("f|fieldref|startswith: g", {"f": "abc", "g": "bc"}, False),
        ("f|fieldref|endswith: g", {"f": "abc", "g": "bc"}, True),
        ("f|startswith|fieldref: g", {"f": "abc", "g": "ab"}, True),
        ("f|contains|fieldref: g", {"f": "abc", "g": "x"}, False),
        ("f|fieldref|expand: '%one%'", {"f": "a", "X": "a"}, True),
        ("f|fieldref: 5", {"f": "a", "5": "a"}, True),
        ("on: x", {"on": "x"}, True),  # a name is what is written
        ("010: x", {"010": "x"}, True),
        ("2026-11-27: x", {"2026-11-27": "x"}, True),
        ("f|fieldref: [g, h]", {"f": "a", "g": "b", "h": "a"}, True),
        ("{'a.b': x, 'c d': y}", {"a.b": "x", "c d": "Y"}, True),
        ("1: x", {"1": "x"}, True),
        ("{f: 1, g: 2}", {"f": 1}, False),
        ("- f: 1\n    - {g: 2, h: 3}", {"g": 2, "h": 3}, True),
        ("- f: 1\n    - {g: 2, h: 3}", {"g": 2}, False),
    ],
)
def test_a_map_is_and_a_list_is_or(asked: str, fields: Mapping[str, Any], answer: bool) -> None:
    assert fires(asked, fields) is answer


@pytest.mark.parametrize(
    ("asked", "fields", "answer"),
    [
        ("- foo\n    - 'b*r'", {"x": "xbaaaaryy"}, True),
        ("- foo", {"foo": 1}, False),  # never a name
        ("- 4625", {"x": "id 4625 "}, True),
        ("- 4625", {"x": 4625}, True),
        ("- yes", {"x": "say yes"}, True),  # as written, and only so
        ("- yes", {"x": True}, False),
        (r"- 'a\*b'", {"x": "a*b"}, True),
        ("'|all': [a, b]", {"x": "a", "y": "b"}, True),
        ("'|all': [a, b]", {"x": "a"}, False),
        ("'|contains|all': [a, b]", {"x": "ab"}, True),
        ("'|re': ['a.c', z]", {"x": "abc"}, True),
        ("'|cased': Foo", {"x": "foo"}, False),
        ("foo", {"x": "a FOO b"}, True),
        ("- f: x\n    - foo", {"z": "a foo"}, True),  # keywords beside maps
        ("- f: x\n    - foo", {"f": "x"}, True),
        ("- 'a b'", {"x": ["a", "b"]}, True),
        ("- foo", {"x": {"y": "foo"}}, True),
    ],
)
def test_keywords(asked: str, fields: Mapping[str, Any], answer: bool) -> None:
    assert fires(asked, fields) is answer


PARTS = "  s1: {f: 1}\n  s2: {g: 2}\n  _h: {h: 3}\n  filter_a: {i: 4}\n  filter_b: {j: 5}"


@pytest.mark.parametrize(
    ("condition", "fields", "answer"),
    [
        ("1 of them", {"h": 3}, False),  # names with an underscore are not meant
        ("all of them", {"f": 1, "g": 2, "i": 4, "j": 5}, True),
        ("_h", {"h": 3}, True),
        ("s1 and not 1 of filter_*", {"f": 1}, True),
        ("s1 and not 1 of filter_*", {"f": 1, "j": 5}, False),
        ("s1 and not all of filter_*", {"f": 1, "j": 5}, True),
        ("any of s*", {"g": 2}, True),
        ("all of s*", {"f": 1}, False),
        ("1 of *1", {"f": 1}, True),
        ("1 of f*_a", {"i": 4}, True),
        ("not (s2 or 1 of filter_*) and s1", {"f": 1}, True),
        ("s1 or s2 and filter_a", {"f": 1}, True),  # not before and before or
        ("s1 or s2 and filter_a", {"g": 2}, False),
        ("not s1 and not s2", {}, True),
        ("s1 AND NOT s2", {"f": 1}, True),
        ("ALL OF s* OR _h", {"h": 3}, True),
        ("not 1 of other* and s1", {"f": 1}, True),  # what is not there excludes nothing
        ("1 of _*", {"h": 3}, True),
    ],
)
def test_a_condition(condition: str, fields: Mapping[str, Any], answer: bool) -> None:
    assert fires(PARTS, fields, condition) is answer


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("notepad", "not notepad"),
        ("not_x", "NOT not_x"),
        ("order", "not order"),
        ("s.1", "not s.1"),
        ("sel-a", "not 1 of sel-*"),
        ("AND", "not AND"),
        ("on", "not on"),
        ("1", "not 1"),
        ("timeframe_5", "not 1 of them"),
    ],
)
def test_a_selection_has_any_name(name: str, condition: str) -> None:
    asked = f"  {name!r}: {{f: 1}}\n  timeframe: 5m"
    assert fires(asked, {"f": "x"}, condition)
    assert not fires(asked, {"f": "1"}, condition)


@pytest.mark.parametrize(
    ("whole", "also"),
    [
        ("\ufeff{}", ""),
        ("{}", "\r\n"),
        ("{}", "\r"),
        ("---\n{}...\n", ""),
        ("%YAML 1.2\n---\n{}", ""),
        ("# nothing\n---\n---\n{}", ""),
        ("---\n---\n\ufeff{}", ""),
        ("\ufeff---\n...\n\ufeff---\n{}", "\r\n"),
    ],
)
def test_files_as_editors_write_them(whole: str, also: str) -> None:
    text = whole.format("title: on\nlogsource: {product: acme}\ndetection: {s: {x: 1}, condition: s}\n")
    (found,) = loaded(text.replace("\n", also) if also else text).rules
    assert found.card.title == "on"


# -- filters ------------------------------------------------------------------------------------------------------

ONE, TWO = (f"00000000-0000-4000-8000-00000000000{n}" for n in ("a", "b"))


def rule(
    name: str, asked: str = "x: 1", identifier: str = "", level: str = "low", source: str = "product: acme"
) -> str:
    head = f"id: {identifier}\n" if identifier else ""
    return (
        f"title: {name}\nname: {name}\n{head}level: {level}\nlogsource: {{{source}}}\n"
        f"detection: {{s: {{{asked}}}, condition: s}}\n"
    )


def narrowing(rules: str, asked: str, condition: str = "not f", source: str = "product: acme") -> str:
    return f"title: F\nlogsource: {{{source}}}\nfilter:\n  rules: {rules}\n  f: {{{asked}}}\n  condition: {condition}\n"


@pytest.mark.parametrize(
    ("filters", "fields", "told"),
    [
        ([narrowing("[one]", "u: root")], {"x": 1, "u": "root"}, {"two"}),
        ([narrowing(f"[{ONE}]", "u: root")], {"x": 1, "u": "ROOT"}, {"two"}),
        ([narrowing(f"['{ONE.upper()}']", "u: root")], {"x": 1, "u": "root"}, {"two"}),
        ([narrowing(f"[one, {TWO}]", "u: root")], {"x": 1, "u": "root"}, set()),
        ([narrowing("any", "u|startswith: ro")], {"x": 1, "u": "root"}, set()),
        ([narrowing("any", "u: root")], {"x": 1, "u": "eve"}, {"one", "two"}),
        ([narrowing("[one]", "u: a"), narrowing("[one]", "v: b")], {"x": 1, "v": "b"}, {"two"}),
        ([narrowing("[one]", "u: a"), narrowing("[two]", "v: b")], {"x": 1, "u": "a", "v": "b"}, set()),
        (
            [narrowing("any", "u: adm", condition="f")],
            {"x": 1, "u": "eve"},
            set(),
        ),  # a filter adds a condition
        ([narrowing("any", "u|expand: '%one%'")], {"x": 1, "u": "x"}, set()),
        ([narrowing("any", "u: root", condition="NOT f")], {"x": 1, "u": "root"}, set()),
    ],
)
def test_filters_narrow_the_rules_they_name(
    filters: list[str], fields: Mapping[str, Any], told: set[str]
) -> None:
    for documents in (
        [rule("one", identifier=ONE), rule("two", identifier=TWO), *filters],
        [*filters, rule("one", identifier=ONE), rule("two", identifier=TWO)],
    ):
        found = Matcher(loaded(*documents).rules).matches(Event(LogSource("acme"), fields, "log", 1))
        assert {each.card.title for each in found} == told


def test_a_filter_is_for_its_own_log_source() -> None:
    rules = loaded(
        rule("one"),
        rule("other", source="product: other"),
        narrowing("any", "u: root", source="product: other"),
    ).rules
    for product, told in (("acme", ["one"]), ("other", [])):
        found = Matcher(rules).matches(Event(LogSource(product), {"x": 1, "u": "root"}, "log", 1))
        assert [each.card.title for each in found] == told


# -- correlations -------------------------------------------------------------------------------------------------

Told = tuple[float, str]
"""At which second, and the title."""


def told(rules: RuleSet, events: Sequence[tuple[float, Mapping[str, Any]]]) -> list[Told]:
    detection = Detection(rules)
    found: list[Told] = []
    for number, (second, fields) in enumerate(events, 1):
        event = Event(LogSource("acme"), fields, "log", number, Instant(seconds(1_000_000 + second)))
        found += [(second, each.title) for each in detection.feed(event)]
    return found


def correlation(
    kind: str, condition: str = "", *, rules: str = "[one]", more: str = "", title: str = "C"
) -> str:
    asked = f"  condition: {condition}\n" if condition else ""
    listed = f"  rules: {rules}\n" if rules else ""
    head = f"title: {title}\nname: {title}\nlevel: high\n"
    return f"{head}correlation:\n  type: {kind}\n{listed}  timespan: 10s\n{asked}{more}"


BY_USER = "  group-by: [u]\n"


def repeated(times: int, pace: float = 1, **fields: Any) -> list[tuple[float, dict[str, Any]]]:
    return [(number * pace, {"x": 1, "u": "eve", **fields}) for number in range(times)]


@pytest.mark.parametrize(
    ("condition", "times", "crossings"),
    [
        ("{gte: 3}", 4, [2]),
        ("{gt: 3}", 4, [3]),
        ("{eq: 3}", 4, [2]),
        ("{lt: 2}", 3, [0]),
        ("{lte: 2}", 3, [0]),
        ("{neq: 1}", 3, [1]),
        ("{gt: 1, lte: 3}", 6, [1]),  # a range
        ("{gte: '2'}", 3, [1]),
    ],
)
def test_event_count(condition: str, times: int, crossings: list[float]) -> None:
    rules = loaded(rule("one"), correlation("event_count", condition, more=BY_USER))
    assert told(rules, repeated(times)) == [(second, "C") for second in crossings]


def test_a_range_that_is_left_at_its_upper_end_holds_no_longer() -> None:
    rules = loaded(
        rule("one"),
        correlation("event_count", "{gte: 2, lt: 4}", more=BY_USER),
        rule("two", "y: 1"),
        correlation("temporal", rules="[C, two]", more=BY_USER, title="D"),
    )
    one, two = {"x": 1, "u": "eve"}, {"y": 1, "u": "eve"}
    assert (3, "D") in told(rules, [(1, one), (2, one), (3, two)])
    few = told(rules, [(1, one), (1.1, one), (1.2, one), (1.3, one), (12.5, two)])
    assert (12.5, "D") not in few


def test_a_group_is_all_of_its_fields_and_who_lacks_one_belongs_to_none() -> None:
    rules = loaded(rule("one"), correlation("event_count", "{gte: 2}", more="  group-by: [u, h]\n"))
    events = [(0, {"x": 1, "u": "a", "h": "1"}), (1, {"x": 1, "u": "a", "h": "2"}), (2, {"x": 1, "u": "a"})]
    assert told(rules, events) == []
    assert told(rules, [*events, (3, {"x": 1, "u": "a", "h": 1})]) == [(3, "C")]  # 1 and "1" are one value


def test_without_group_by_all_events_are_one_group() -> None:
    rules = loaded(rule("one"), correlation("event_count", "{gte: 2}"))
    assert told(rules, [(0, {"x": 1, "u": "a"}), (1, {"x": 1})]) == [(1, "C")]


def test_the_timespan_slides_and_is_no_grid() -> None:
    rules = loaded(rule("one"), correlation("event_count", "{gte: 2}", more=BY_USER))
    assert told(rules, [(9, {"x": 1, "u": "a"}), (18, {"x": 1, "u": "a"})]) == [(18, "C")]
    assert told(rules, [(9, {"x": 1, "u": "a"}), (19.1, {"x": 1, "u": "a"})]) == []


def test_several_rules_count_together() -> None:
    rules = loaded(
        rule("one"), rule("two", "y: 1"), correlation("event_count", "{gte: 2}", rules="[one, two]")
    )
    assert told(rules, [(0, {"x": 1}), (1, {"y": 1})]) == [(1, "C")]


@pytest.mark.parametrize(
    ("kind", "condition", "values", "told_at"),
    [
        ("value_count", "{field: n, gte: 3}", ["a", "a", "b", "A", None, "c"], [3]),
        ("value_count", "{field: [n, m], gte: 3}", ["a", "b", "a", "c"], [3]),
        ("value_sum", "{field: n, gt: 10}", [4, "4", "x", 3], [3]),
        ("value_avg", "{field: n, gt: 1.5}", [1, 2, 1.9], [2]),  # 1.5 is no more than 1.5, 1.63 is
        ("value_percentile", "{field: n, gte: 9, percentile: 90}", [1, 1, 9, 1], [2]),
        # without a percentile, as the specification has it: what share of the matches has this match's value
        ("value_percentile", "{field: n, lte: 25}", ["a", "a", "a", "b", "b", "a", "c"], [3, 6]),
        ("value_percentile", "{field: n, lt: 1}", ["a", "b", None, "c"], []),  # one of a few is not rare
        ("value_median", "{field: n, lte: 1}", [1, 9, 9], [0]),
    ],
)
def test_values(kind: str, condition: str, values: list[Any], told_at: list[float]) -> None:
    rules = loaded(rule("one"), correlation(kind, condition, more=BY_USER))
    events = [(n, {"x": 1, "u": "a", "n": value, "m": 1}) for n, value in enumerate(values)]
    assert told(rules, events) == [(second, "C") for second in told_at]


A, B, C = {"x": 1, "u": "eve"}, {"y": 1, "u": "eve"}, {"z": 1, "u": "eve"}
THREE = (rule("one"), rule("two", "y: 1"), rule("three", "z: 1"))


@pytest.mark.parametrize(
    ("kind", "condition", "events", "told_at"),
    [
        ("temporal", "", [(0, C), (1, A), (2, B)], [2]),
        ("temporal", "", [(0, C), (1, A), (11.5, B)], []),
        ("temporal", "", [(0, C), (1, A), (2, {"y": 1, "u": "adam"})], []),
        ("temporal", "{gte: 2}", [(0, C), (1, A)], [1]),  # two of the three
        ("temporal", "{eq: 2}", [(0, C), (1, A)], [1]),
        ("temporal_ordered", "", [(0, A), (1, B), (2, C)], [2]),
        ("temporal_ordered", "", [(0, C), (1, A), (2, B)], []),
        ("temporal_ordered", "", [(0, C), (1, A), (2, B), (3, C)], [3]),
        (
            "temporal_ordered",
            "",
            [(0, A), (0, B), (0, C)],
            [0],
        ),  # at one instant: in the order in which they came
        ("temporal_ordered", "", [(0, A), (0, C), (0, B)], []),
        ("temporal_ordered", "", [(0, A), (2, C), (1, B)], [1]),  # late, and yet in order
        ("temporal_ordered", "{gte: 2}", [(0, A), (1, B)], [1]),
    ],
)
def test_temporal(kind: str, condition: str, events: list[Any], told_at: list[float]) -> None:
    rules = loaded(*THREE, correlation(kind, condition, rules="[one, two, three]", more=BY_USER))
    assert told(rules, events) == [(second, "C") for second in told_at]


@pytest.mark.parametrize(
    ("kind", "condition", "events", "told_at"),
    [
        ("temporal", "one and two", [(0, B), (1, A)], [1]),
        ("temporal", "one or two and three", [(0, A)], [0]),
        ("temporal", "one or two and three", [(0, B), (1, C)], [1]),
        ("temporal", "(one or two) and three", [(0, A)], []),
        ("temporal", "(one or two) and three", [(0, C), (1, B)], [1]),
        ("temporal", "one and not two", [(0, A)], [0]),
        ("temporal", "one and not two", [(0, B), (1, A)], []),
        ("temporal", "one and not two", [(0, B), (10.5, A)], [10.5]),  # not within the timespan before
        ("temporal", "one and not (two or three)", [(0, C), (1, A)], []),
        ("temporal", "three and not (one and two)", [(0, A), (1, C)], [1]),
        ("temporal_ordered", "one and two", [(0, B), (1, A)], []),
        ("temporal_ordered", "one and two and not three", [(0, A), (1, B)], [1]),
        ("temporal_ordered", "one and two and not three", [(0, C), (1, A), (2, B)], []),
    ],
)
def test_conditions_over_rules(kind: str, condition: str, events: list[Any], told_at: list[float]) -> None:
    names = [name for name in ("one", "two", "three") if name in condition]
    parts = THREE if len(names) == 3 else THREE[:2]
    for listed in ("", f"[{', '.join(names)}]"):
        rules = loaded(*parts, correlation(kind, condition, rules=listed, more=BY_USER))
        assert told(rules, events) == [(second, "C") for second in told_at]


@pytest.mark.parametrize(
    "condition", ["not one", "one or not two", " or ".join("(one and two)" for _ in range(3)) + " and not"]
)
def test_a_condition_that_nothing_need_fulfil_is_refused(condition: str) -> None:
    rules = load([("r.yml", "\n---\n".join((*THREE, correlation("temporal", condition, rules=""))))])
    assert len(rules.refused) == 1
    assert not rules.correlations


def test_a_condition_without_end_is_refused() -> None:
    parts = [rule(f"r{n}", f"x{n}: 1") for n in range(14)]
    condition = " and ".join(f"(r{n} or r{n + 1})" for n in range(0, 14, 2))
    rules = load([("r.yml", "\n---\n".join((*parts, correlation("temporal", condition, rules=""))))])
    assert "alternatives" in rules.refused[0].what


def test_aliases_join_other_names() -> None:
    alias = "  group-by: [who, where]\n  aliases:\n    who: {one: u, two: user}\n    where: {one: src, two: dst}\n"
    rules = loaded(*THREE[:2], correlation("temporal", rules="[one, two]", more=alias))
    first = (0, {"x": 1, "u": "eve", "src": "192.0.2.1", "dst": "192.0.2.2"})
    assert told(rules, [first, (1, {"y": 1, "user": "eve", "dst": "192.0.2.1"})]) == [(1, "C")]
    assert told(rules, [first, (1, {"y": 1, "user": "eve", "dst": "192.0.2.2"})]) == []
    assert told(rules, [first, (1, {"y": 1, "u": "eve", "dst": "192.0.2.1"})]) == []


def test_what_is_counted_may_have_an_alias_too() -> None:
    alias = "  aliases:\n    who: {one: u, two: user}\n"
    asked = correlation("value_count", "{field: who, gte: 2}", rules="[one, two]", more=alias)
    rules = loaded(*THREE[:2], asked)
    assert told(rules, [(0, {"x": 1, "u": "eve"}), (1, {"y": 1, "user": "adam"})]) == [(1, "C")]
    assert told(rules, [(0, {"x": 1, "u": "eve"}), (1, {"y": 1, "user": "eve"})]) == []


def test_a_uuid_may_be_spelt_in_capitals() -> None:
    for own, asked in ((ONE, ONE.upper()), (ONE.upper(), ONE), (ONE.upper(), ONE.upper())):
        alias = f"  group-by: [who]\n  aliases: {{who: {{{asked}: u}}}}\n"
        rules = loaded(
            rule("one", identifier=own),
            correlation("event_count", "{gte: 2}", rules=f"[{asked}]", more=alias),
        )
        assert told(rules, repeated(2)) == [(1, "C")]


def test_one_event_that_matches_two_rules_matches_them_in_their_order() -> None:
    for first, second, told_at in (("low", "high", [0]), ("high", "low", [])):
        parts = [correlation("event_count", "{gte: 1}", title=name) for name in (first, second)]
        asked = correlation("temporal_ordered", rules="[low, high]", title="top")
        found = told(loaded(rule("one"), *parts, asked), [(0, A)])
        assert [each for each, title in found if title == "top"] == told_at


def test_values_that_read_alike_are_one_value() -> None:
    rules = loaded(rule("one"), correlation("event_count", "{gte: 2}", more=BY_USER))
    for one, other in ((1.0, "1"), (True, "true")):
        assert told(rules, [(0, {"x": 1, "u": one}), (1, {"x": 1, "u": other})]) == [(1, "C")]


def test_generate_tells_of_the_parts_too() -> None:
    for generate, also in (
        ("", []),
        ("  generate: false\n", []),
        ("  generate: true\n", ["one"] * 3),
        ("generate: true\n", ["one"] * 3),  # where the specification has it: beside the correlation
        ("generate: yes\n", ["one"] * 3),
    ):
        rules = loaded(rule("one"), correlation("event_count", "{gte: 2}", more=BY_USER + generate))
        found = told(rules, [(0, A), (11, A), (12, A)])
        assert sorted(title for _, title in found) == ["C", *also]


FAILED = """title: Multiple failed logons
name: multiple_failed_login
correlation: {type: event_count, rules: [one], group-by: [u], timespan: 10m, condition: {gte: 10}}
"""
THEN = """title: Multiple Failed Logins Followed by Successful Login
level: high
correlation: {type: temporal_ordered, rules: [multiple_failed_login, two], group-by: [u], timespan: 10m}
"""


def test_the_specifications_own_example_of_a_chain() -> None:
    rules = loaded(THEN, FAILED, *THREE[:2])
    failures = [(second, A) for second in range(10)]
    assert told(rules, [*failures, (60, B)]) == [(60, "Multiple Failed Logins Followed by Successful Login")]
    assert told(rules, [*failures[1:], (60, B)]) == []
    assert told(rules, [(0, B), *failures]) == []
    assert told(rules, [*failures, (60, {"y": 1, "u": "adam"})]) == []


def test_a_correlation_without_a_level_keeps_that_of_its_rules() -> None:
    rules = loaded(
        rule("one", level="critical"),
        rule("two", "y: 1", level="low"),
        FAILED,
        THEN.replace("level: high\n", ""),
    )
    assert {each.card.title.split()[0]: each.card.level for each in rules.correlations} == {
        "Multiple": Level.CRITICAL
    }


def test_what_is_built_on_what_cannot_be_used_is_named() -> None:
    waiting = rule("one", "x|expand: '%nobody_gave_this%'")
    rules = load([("r.yml", "\n---\n".join((FAILED, THEN, rule("two"), waiting)))])
    assert not rules.correlations
    assert len(rules.waiting) == 2
    assert ["built on" in each.what for each in rules.refused] == [True]


def test_the_same_events_make_the_same_findings_also_after_the_past_was_fed_again() -> None:
    rules = loaded(
        *THREE,
        correlation("temporal", rules="[one, two]", more=BY_USER),
        correlation("event_count", "{gte: 5}", rules="[three]", more=BY_USER, title="D"),
    )

    times = [
        Instant(seconds(1_000_000 + n + n // 25 * 60)) for n in range(200)
    ]  # with pauses, after which it is news
    events = [Event(LogSource("acme"), (A, B, C, C)[n % 4], "log", n, time) for n, time in enumerate(times)]

    def fed(detection: Detection, fed: Sequence[Event]) -> list[Finding]:
        return [found for event in fed for found in detection.feed(event)]

    undisturbed, again = Detection(rules), Detection(rules)
    fed(undisturbed, events[:130])
    since = times[130] - again.longest_timespan
    fed(again, [event for event in events[:130] if (event.time or 0) >= since])
    expected = fed(undisturbed, events[130:])
    assert {each.title for each in expected} == {"C", "D"}
    assert fed(again, events[130:]) == expected
