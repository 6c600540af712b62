"""The matcher: the answer depends on the event and the rules alone."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.condition import And, Condition, Leaf, LeafKind, Not, Or
from rempart.detection.finding import Proof
from rempart.detection.match import Matcher, covers
from rempart.detection.sigma import load
from rempart.events.event import Event, LogSource

LINUX = LogSource("linux", "process_creation", None)
WINDOWS = LogSource("windows")
SYSMON = {
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 1,
    "Provider_Name": "Microsoft-Windows-Sysmon",
}


def rule(
    detection: str, logsource: str = "{product: linux, category: process_creation}", title: str = "t"
) -> str:
    return f"title: '{title}'\nlogsource: {logsource}\nlevel: high\ndetection:\n{detection}"


def matcher(*texts: str) -> Matcher:
    loaded = load((f"r{n}.yml", text) for n, text in enumerate(texts))
    assert not loaded.refused
    return Matcher(loaded.rules)


def event(fields: Mapping[str, Any], logsource: LogSource = LINUX) -> Event:
    return Event(logsource, fields, "source", 1)


def titles(asked: Matcher, fields: Mapping[str, Any], logsource: LogSource = LINUX) -> list[str]:
    return [found.card.title for found in asked.matches(event(fields, logsource))]


def test_a_rule_fires_on_its_own_log_source_only() -> None:
    asked = matcher(rule("  a: {Image|endswith: /nc}\n  condition: a"))
    assert titles(asked, {"Image": "/bin/nc"}) == ["t"]
    assert titles(asked, {"Image": "/bin/nc"}, LogSource("macos", "process_creation")) == []
    assert titles(asked, {"Image": "/bin/nc"}, LogSource("linux", "network_connection")) == []
    assert titles(asked, {"Image": "/bin/nc"}, WINDOWS) == []


def test_a_rule_of_nothing_but_negations_stays_with_its_log_source() -> None:
    asked = matcher(
        rule("  a: {src_ip|cidr: 10.0.0.0/8}\n  condition: not a", "{product: zeek, service: rdp}")
    )
    assert titles(asked, SYSMON, WINDOWS) == []
    assert titles(asked, {"src_ip": "9.9.9.9"}, LogSource("zeek", None, "rdp")) == ["t"]


def test_windows_categories_are_told_by_channel_and_event() -> None:
    asked = matcher(
        rule(
            "  a: {Image|endswith: cmd.exe}\n  condition: a", "{product: windows, category: process_creation}"
        )
    )
    assert titles(asked, {**SYSMON, "Image": "C:\\cmd.exe"}, WINDOWS) == ["t"]
    assert titles(asked, {**SYSMON, "EventID": "1", "Image": "C:\\CMD.EXE"}, WINDOWS) == ["t"]
    assert titles(asked, {**SYSMON, "EventID": 3, "Image": "C:\\cmd.exe"}, WINDOWS) == []
    assert titles(asked, {**SYSMON, "Channel": "Security", "Image": "C:\\cmd.exe"}, WINDOWS) == []


@pytest.mark.parametrize(
    ("service", "channel"),
    [
        ("iis-configuration", "Microsoft-IIS-Configuration/Operational"),
        ("ldap", "Microsoft-Windows-LDAP-Client/Debug"),
        ("smbserver-connectivity", "Microsoft-Windows-SMBServer/Connectivity"),
        ("security", "Security"),
    ],
)
def test_windows_services_are_told_by_channel(service: str, channel: str) -> None:
    text = f"title: t\nlogsource: {{product: windows, service: {service}}}\ndetection: {{a: {{x: 1}}, condition: a}}\n"
    matcher = Matcher(load([("r.yml", text)]).rules)
    for named, fires in ((channel, True), ("Application", False)):
        assert bool(matcher.matches(Event(LogSource("windows"), {"x": 1, "Channel": named}, "", 1))) is fires


def test_a_forged_event_id_does_not_poison_the_memory_of_the_true_one() -> None:
    asked = matcher(
        rule(
            "  a: {Image|endswith: cmd.exe}\n  condition: a", "{product: windows, category: process_creation}"
        )
    )
    for forged in (True, 1.5, [1], {"a": 1}, None):
        assert titles(asked, {**SYSMON, "EventID": forged, "Image": "cmd.exe"}, WINDOWS) == (
            ["t"] if forged == [1] else []
        )
    assert titles(asked, {**SYSMON, "Image": "cmd.exe"}, WINDOWS) == ["t"]


def test_a_channel_that_only_reads_like_a_list_does_not_poison_the_memory_of_the_list() -> None:
    asked = matcher(rule("  a: {x: 1}\n  condition: a", "{product: windows, service: security}"))
    assert titles(asked, {"Channel": '["Security"]', "x": 1}, WINDOWS) == []
    assert titles(asked, {"Channel": ["Security"], "x": 1}, WINDOWS) == ["t"]


def test_true_as_event_id_does_not_poison_the_memory_of_its_text() -> None:
    asked = matcher(rule("  a: {EventID: 'true'}\n  condition: a", "{product: windows}"))
    for identifier, found in ((1, []), (True, ["t"]), (1, []), (1.0, []), ("true", ["t"]), (True, ["t"])):
        assert titles(asked, {"EventID": identifier}, WINDOWS) == found


def test_a_warmed_matcher_has_the_gates_that_many_rules_name_and_answers_the_same() -> None:
    windows = "{product: windows, category: process_creation}"
    texts = [rule(f"  a: {{Image|endswith: '{n}.exe'}}\n  condition: a", windows, f"{n}") for n in range(6)]
    cold, warm = matcher(*texts), matcher(*texts)
    warm.warm()
    for fields in ({**SYSMON, "Image": "a3.exe"}, {**SYSMON, "Image": "x"}, {**SYSMON, "EventID": 2}):
        assert titles(warm, fields, WINDOWS) == titles(cold, fields, WINDOWS)


def test_one_and_true_are_different_values() -> None:
    asked = matcher(
        rule("  a: {flag: 1}\n  condition: a", title="one"),
        rule("  a: {flag: 'true'}\n  condition: a", title="true"),
    )
    assert titles(asked, {"flag": 1}) == ["one"]
    assert titles(asked, {"flag": True}) == ["true"]
    assert titles(asked, {"flag": 1.0}) == ["one"]


def test_a_list_holds_when_one_element_does() -> None:
    asked = matcher(rule("  a: {user: root}\n  condition: a"))
    assert titles(asked, {"user": ["alice", "root"]}) == ["t"]
    assert titles(asked, {"user": ["alice"]}) == []


def test_rules_come_in_the_order_they_were_given() -> None:
    texts = [rule("  a: {Image|contains: a}\n  condition: a", title=str(n)) for n in range(5)]
    assert titles(matcher(*texts), {"Image": "xax"}) == list("01234")


def test_evidence_names_the_fields_that_made_it_fire() -> None:
    asked = matcher(
        rule("  a: {Image|endswith: /nc, user: root}\n  f: {user: nobody}\n  condition: a and not f")
    )
    seen = event({"Image": "/bin/nc", "user": "root", "other": "x"})
    (fired,) = asked.matches(seen)
    assert asked.evidence(fired, seen) == (Proof("Image", "/bin/nc"), Proof("user", "root"))
    assert asked.evidence(fired, event({"Image": "/bin/ls"})) == ()


def test_evidence_is_capped() -> None:
    asked = matcher(rule("  a: {line|contains: x}\n  condition: a"))
    seen = event({"line": "x" * 5000})
    assert len(asked.evidence(asked.matches(seen)[0], seen)[0].value) == 200


def test_keywords_are_found_in_values_and_never_in_names() -> None:
    asked = matcher(rule("  k: ['needle', 'two*ends']\n  condition: k"))
    assert titles(asked, {"a": "some NEEDLE here"}) == ["t"]
    assert titles(asked, {"a": "two different ends"}) == ["t"]
    assert titles(asked, {"needle": "a"}) == []
    assert titles(asked, {"a": "two", "b": "ends"}) == []
    seen = event({"a": "x", "b": "a needle"})
    assert asked.evidence(asked.matches(seen)[0], seen) == (Proof("b", "a needle"),)


@pytest.mark.parametrize(
    ("needed", "given", "answer"),
    [
        (LogSource(), LogSource("linux"), True),
        (LogSource("linux"), LogSource("linux", None, "sshd"), True),
        (LogSource("linux", None, "sshd"), LogSource("linux"), False),
        (LogSource(None, "webserver"), LogSource("nginx", "webserver"), True),
        (LogSource("windows"), LogSource("linux"), False),
    ],
)
def test_covers(needed: LogSource, given: LogSource, answer: bool) -> None:
    assert covers(needed, given) is answer


LEAVES = st.builds(
    Leaf,
    st.sampled_from(["a", "b"]),
    st.sampled_from(
        [LeafKind.CONTAINS, LeafKind.STARTSWITH, LeafKind.ENDSWITH, LeafKind.EXACT, LeafKind.WILDCARD]
    ),
    st.sampled_from(["x", "xy", "Y", "é"]),
    st.booleans(),
) | st.builds(Leaf, st.sampled_from(["a", "b"]), st.sampled_from([LeafKind.NULL, LeafKind.EXISTS]))
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts)))
    ),
    max_leaves=6,
)
VALUES = st.sampled_from([None, "x", "XY", "yx", "É", "\ud800x", 1, ["x", "y"], [], {"x": "y"}])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(CONDITIONS, min_size=1, max_size=4),
    st.lists(st.fixed_dictionaries({"a": VALUES, "b": VALUES}), min_size=1, max_size=4),
)
def test_a_crowd_of_rules_is_answered_as_a_few_are(
    conditions: list[Condition], events: list[dict[str, Any]]
) -> None:
    (pattern,) = load([("r", rule("  a: {x: y}\n  condition: a"))]).rules
    rules = [replace(pattern, condition=each) for each in conditions]
    few = Matcher(rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rempart.detection.match._CROWD", 1)
        crowd = Matcher(rules)
    for fields in events:
        found = few.matches(event(fields))
        assert [id(each) for each in crowd.matches(event(fields))] == [id(each) for each in found]
        assert [each for each in rules if few.evidence(each, event(fields))] == [
            each for each in rules if crowd.evidence(each, event(fields))
        ]


TEXTS = st.sampled_from(
    ["cmd.exe", "xCMD.EXE", "\u212aernel", "kernel", "true", "1000", 'say "hi" now', "a\\b"]
)
LITERALS = st.builds(
    Leaf,
    st.sampled_from(["a", "b"]),
    st.sampled_from(
        [LeafKind.CONTAINS, LeafKind.STARTSWITH, LeafKind.ENDSWITH, LeafKind.EXACT, LeafKind.NULL]
    ),
    st.sampled_from(["cmd.exe", "kernel", "tru", "1000", 'y "hi" n', "a\\b", "hi now"]),
)
SIEVED = st.recursive(
    LITERALS,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts)))
    ),
    max_leaves=6,
)
PLAIN: st.SearchStrategy[Any] = TEXTS | st.sampled_from([None, True, 1000, 1e3]) | st.lists(TEXTS, max_size=2)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(SIEVED, min_size=1, max_size=4),
    st.lists(st.fixed_dictionaries({"a": PLAIN, "b": PLAIN}), min_size=1, max_size=5),
    st.booleans(),
)
def test_a_gate_behind_a_sieve_answers_as_one_without(
    conditions: list[Condition], events: list[dict[str, Any]], ascii_only: bool
) -> None:
    (pattern,) = load([("r", rule("  a: {x: y}\n  condition: a"))]).rules
    rules = [replace(pattern, condition=each) for each in conditions]
    plain, sieved = Matcher(rules), Matcher(rules)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("_TURN", 0), ("_SAMPLE", 1), ("_APART", 1)):
            patch.setattr(f"rempart.detection.gate.{name}", value)
        for fields in [*events[:1] * 3, *events, *events]:
            raw = json.dumps(fields, ensure_ascii=ascii_only).encode()
            found = sieved.matches(msgspec.structs.replace(event(fields), raw=raw))
            assert [id(each) for each in found] == [id(each) for each in plain.matches(event(fields))]
