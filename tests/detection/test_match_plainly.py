"""Rules and filters the slow way: each is asked by itself, value by value. All at once must give the same answer.

Written from the specification 2.1; what it leaves open is decided in docs/detection-differences.md.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.match import Matcher
from rempart.detection.sigma import load
from rempart.events.event import Event, LogSource

Map = dict[str, Any]

# -- the evaluator ------------------------------------------------------------------------------------------------


def texts(value: Any) -> list[str]:
    """What a field is, as texts: a list holds when one of its elements does, or all of them joined."""
    if value is None:
        return []
    if isinstance(value, list):
        each = [text for one in value for text in texts(one)]
        return [*each, " ".join(each)] if len(each) > 1 else each
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(value)]


def pattern(text: str, *, open_start: bool, open_end: bool) -> str:
    """The Sigma text as a regular expression."""
    said, at = "", 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text) and text[at + 1] in "\\*?":
            said += re.escape(text[at + 1])
            at += 2
            continue
        said += {"*": ".*", "?": "."}.get(text[at]) or re.escape(text[at])
        at += 1
    return (".*" if open_start else "") + said + (".*" if open_end else "")


def number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None


def holds(modifiers: Sequence[str], asked: Any, name: str, fields: Map) -> bool:
    """One value of one field."""
    value = fields.get(name)
    if "exists" in modifiers:
        return bool(texts(value)) is asked
    if "fieldref" in modifiers:
        other = fields.get(asked)
        return any(
            related(modifiers, one.casefold(), two.casefold()) for one in texts(value) for two in texts(other)
        )
    if asked is None:
        return not texts(value)
    return any(fits(modifiers, asked, text) for text in texts(value))


def related(modifiers: Sequence[str], one: str, two: str) -> bool:
    if "contains" in modifiers:
        return two in one
    if "startswith" in modifiers:
        return one.startswith(two)
    return one.endswith(two) if "endswith" in modifiers else one == two


def fits(modifiers: Sequence[str], asked: Any, text: str) -> bool:
    for compare, holding in {
        "lt": float.__lt__,
        "lte": float.__le__,
        "gt": float.__gt__,
        "gte": float.__ge__,
    }.items():
        if compare in modifiers:
            found = number(text)
            return found is not None and holding(found, float(asked))
    if "cidr" in modifiers:
        try:
            return ip_address(text) in ip_network(asked)
        except ValueError:
            return False
    asked = ("true" if asked else "false") if isinstance(asked, bool) else str(asked)
    if "re" in modifiers:
        return re.search(asked, text, re.IGNORECASE if "i" in modifiers else 0) is not None
    if "base64" in modifiers:
        asked = b64encode(asked.encode()).decode()
    ends = {"open_start": "contains" in modifiers or "endswith" in modifiers}
    ends["open_end"] = "contains" in modifiers or "startswith" in modifiers
    case = 0 if "cased" in modifiers else re.IGNORECASE
    return any(
        re.fullmatch(pattern(each, **ends), text, case | re.DOTALL) is not None
        for each in (dashed(asked) if "windash" in modifiers else [asked])
    )


def dashed(text: str) -> list[str]:
    found = re.split(r"\B[-/\u2013\u2014\u2015]\b", text)
    said = [found[0]]
    for part in found[1:]:
        said = [f"{before}{dash}{part}" for before in said for dash in "-/\u2013\u2014\u2015"]
    return said


def selected(selection: Any, fields: Map) -> bool:
    if isinstance(selection, list):
        return any(selected(each, fields) for each in selection)
    if not isinstance(selection, dict):
        return keyword([], selection, fields)
    return all(item(key, value, fields) for key, value in selection.items())


def item(key: str, value: Any, fields: Map) -> bool:
    name, *modifiers = key.split("|")
    values = value if isinstance(value, list) else [value]
    many = all if "all" in modifiers else any
    if not name:
        return many(keyword(modifiers, each, fields) for each in values)
    return many(holds(modifiers, each, name, fields) for each in values) is not ("neq" in modifiers)


def keyword(modifiers: Sequence[str], asked: Any, fields: Map) -> bool:
    return any(
        fits([*modifiers, "contains"], asked, text) for value in fields.values() for text in texts(value)
    )


def condition(text: str, selections: Map, fields: Map) -> bool:
    """``1 of a*`` and the like become words; what is left is Python's own logic, which binds in the same order."""
    true = {name: selected(each, fields) for name, each in selections.items()}

    def several(found: re.Match[str]) -> str:
        meant = [
            true[name]
            for name in true
            if (found[2] == "them" or fnmatchcase(name, found[2])) and name[0] != "_"
        ]
        return str(any(meant) if found[1] == "1" else all(meant))

    said = re.sub(r"\b(1|all) of (\S+?)(?=\s|\)|$)", several, text)
    return bool(eval(said, {"__builtins__": {}}, true))


def narrowed(rule: Map, filters: Sequence[Map]) -> list[Map]:
    """The filters that are for the rule."""
    return [
        each
        for each in filters
        if (each["filter"]["rules"] == "any" or rule["name"] in each["filter"]["rules"])
        and all(rule["logsource"].get(key) == value for key, value in each["logsource"].items())
    ]


def matched(rule: Map, filters: Sequence[Map], source: Mapping[str, str], fields: Map) -> bool:
    if any(source.get(key) != value for key, value in rule["logsource"].items()):
        return False
    sections = [rule["detection"], *(each["filter"] for each in narrowed(rule, filters))]
    return all(
        condition(
            section["condition"],
            {name: each for name, each in section.items() if name not in ("condition", "rules")},
            fields,
        )
        for section in sections
    )


# -- rules and events, by chance ----------------------------------------------------------------------------------

NAMES = ("f", "g", "h")
WORDS = st.text("aAbB*?\\ -/é", max_size=4)
LETTERS = st.text("sSkK\u017f\u212aσΣς", max_size=3)
PLAIN = st.text("aAbB ", min_size=1, max_size=3)
NUMBERS = st.integers(-2, 12)
ADDRESSES = st.sampled_from(["10.0.0.1", "10.1.0.1", "192.0.2.7", "2001:db8::1"])
NETWORKS = st.sampled_from(["10.0.0.0/8", "10.0.0.0/16", "192.0.2.7/32", "2001:db8::/32"])
EXPRESSIONS = st.sampled_from(["a.b", "^a", "b$", "[ab]{2}", "a|B", "^$", "A+ ?b*", r"\d", ""])
VALUES = st.one_of(WORDS, PLAIN, LETTERS, NUMBERS, ADDRESSES, st.booleans(), st.none())
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES | st.lists(VALUES, max_size=3), max_size=3)


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


def items(*modifiers: str, of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    """One field with some of its values; ``all`` and ``neq`` may be among the modifiers."""
    extra = st.sampled_from([(), (), (), ("all",), ("neq",)])
    return st.tuples(
        st.builds(lambda name, more: "|".join((name, *modifiers, *more)), st.sampled_from(NAMES), extra),
        several(of),
    )


ITEMS = st.one_of(
    items(of=WORDS | PLAIN | LETTERS | NUMBERS | st.booleans() | st.none()),
    *(
        items(where, of=WORDS | PLAIN | LETTERS | NUMBERS)
        for where in ("contains", "startswith", "endswith", "cased")
    ),
    *(items(where, "cased", of=WORDS) for where in ("contains", "startswith", "endswith")),
    items("contains", "windash", of=st.sampled_from(["-a", " /b", "a-b", "- a", "a -b/a"])),
    items("re", of=EXPRESSIONS),
    items("re", "i", of=EXPRESSIONS),
    items("cidr", of=NETWORKS),
    items("base64", "contains", of=PLAIN),
    *(items(compare, of=NUMBERS) for compare in ("lt", "lte", "gt", "gte")),
    *(
        items("fieldref", *where, of=st.sampled_from(NAMES))
        for where in ((), ("contains",), ("startswith",), ("endswith",))
    ),
    st.tuples(st.sampled_from([f"{name}|exists" for name in NAMES]), st.booleans()),
    st.tuples(
        st.sampled_from(["", "|contains", "|all", "|cased"]),
        st.lists(PLAIN | LETTERS.filter(bool), min_size=2, max_size=2),
    ).filter(lambda pair: pair[0] != ""),
    st.tuples(st.just("|re"), EXPRESSIONS.filter(bool)),
)
MAPS = st.lists(ITEMS, min_size=1, max_size=3, unique_by=lambda pair: pair[0]).map(dict)
SELECTIONS = st.one_of(
    MAPS, MAPS, st.lists(MAPS, min_size=1, max_size=2), st.lists(PLAIN, min_size=1, max_size=2)
)
CONDITIONS = (
    "a",
    "not a",
    "a and b",
    "a or not b",
    "a and not b or c",
    "not (a or b) and c",
    "1 of them",
    "all of them",
    "a and not 1 of b*",
    "not all of *",
    "1 of _* or a",
)
SOURCES = ({"product": "acme"}, {"product": "acme", "service": "svc"}, {"category": "cat"})


def section() -> st.SearchStrategy[Map]:
    return st.fixed_dictionaries(
        {"a": SELECTIONS, "b": SELECTIONS, "c": SELECTIONS, "condition": st.sampled_from(CONDITIONS[:-1])}
    )


@st.composite
def documents(draw: st.DrawFn) -> tuple[list[Map], list[Map]]:
    rules = [
        {"title": f"r{n}", "name": f"r{n}", "logsource": draw(st.sampled_from(SOURCES)), "detection": each}
        for n, each in enumerate(draw(st.lists(section(), min_size=1, max_size=5)))
    ]
    named = st.just("any") | st.lists(
        st.sampled_from([each["name"] for each in rules]), min_size=1, max_size=2, unique=True
    )
    filters = [
        {
            "title": f"f{n}",
            "logsource": draw(st.sampled_from(SOURCES)),
            "filter": {**each, "rules": draw(named)},
        }
        for n, each in enumerate(draw(st.lists(section(), max_size=2)))
    ]
    return rules, filters


@settings(max_examples=15, deadline=None)
@given(documents(), st.lists(FIELDS, min_size=1, max_size=6))
def test_the_matcher_says_what_the_definition_says(
    asked: tuple[list[Map], list[Map]], events: list[Map]
) -> None:
    rules, filters = asked
    loaded = load([("r.yml", yaml.safe_dump_all([*rules, *filters]))])
    assert all("applies to no rule" in each.what for each in loaded.refused), loaded.refused
    matcher = Matcher(loaded.rules)
    sources = (
        {"product": "acme", "service": "svc", "category": "cat"},
        {"product": "acme"},
        {"product": "x"},
    )
    for fields in [*events, *events]:
        for source in sources:
            found = {each.card.title for each in matcher.matches(Event(LogSource(**source), fields, "", 1))}
            assert found == {each["title"] for each in rules if matched(each, filters, source, fields)}
