"""Rule files as people write them, made such as pySigma reads: what the specification allows and pySigma refuses.

* "All values are treated as case-insensitive strings": a number may be looked for as text
  (``CommandLine|contains: 4444``), and a number to compare with may stand in quotes.
* What stands without quotes and is read in two ways (`rempart.detection.unquoted`) is looked for in both.
* Modifiers may stand in any order: ``cased`` means all of the values, ``startswith|fieldref`` the text of the field.
* Placeholders may stand for what is computed with: networks (``|cidr|expand``), Base64, dashes, numbers, fields.
* ``startswith`` and ``endswith`` of a regular expression are where in the field it is found.
* A correlation's condition may be a range: ``gt: 100`` and ``lte: 200``. pySigma reads one limit, and whole numbers.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from math import isfinite
from typing import Any

import yaml

from rempart.detection.unquoted import Unquoted, read, written

_NUMBER = frozenset({"lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"})
_ENCODED = frozenset({"cidr", "windash", "base64", "base64offset", "wide", "utf16", "utf16le", "utf16be"})
_COMPUTED = frozenset({"fieldref", *_ENCODED, *_NUMBER})
"""Modifiers that make something else of a text, so that a placeholder in it has to have its value before."""
_TEXT = frozenset({"contains", "startswith", "endswith", "re", "cased", "expand", "fieldref", *_ENCODED})
_FIRST = frozenset({"re", "fieldref"})
"""Modifiers that say what kind a value is. The others ask something of that kind."""
_OPERATORS = ("lt", "lte", "gt", "gte", "eq", "neq")
_PLACEHOLDER = re.compile(r"(?<!\\)%(\w+)%")

_MOST_VALUES = 200_000
"""Keys and values of one document with its aliases written out; SigmaHQ's largest has 2,000."""

Document = Mapping[Any, Any]
Placeholders = Mapping[str, Sequence[str]]


_MARKED = re.compile(r"(?m)^\ufeff")


def unmarked(text: str) -> str:
    """The text without byte order marks: files joined into one have one before each document."""
    return _MARKED.sub("", text) if "\ufeff" in text else text


_DEEPEST = 200
_NESTING = ("[", "{", "- ", "? ")


def check_text(text: str) -> None:
    """Raises ValueError, with the line, for what is no UTF-8 (read with *surrogateescape*), and for what is nested so
    deeply that the YAML parser, which goes down in C without counting, would take the whole program along.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise ValueError(f"not in UTF-8, line {line}") from error
    if sum(map(text.count, _NESTING)) > _DEEPEST:
        _check_depth(text)


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise ValueError(f"nested too deeply, line {line}")


def check_aliases(document: Any) -> None:
    """Raises ValueError where a few lines stand for more than anybody means: each alias names ten others, or itself."""
    sizes: dict[int, int] = {}

    def size(value: Any) -> int:
        if not isinstance(value, dict | list):
            return 1
        if id(value) not in sizes:
            sizes[id(value)] = _MOST_VALUES  # met again before it is known, it leads in a circle
            parts = chain(value, value.values()) if isinstance(value, dict) else value
            sizes[id(value)] = 1 + sum(map(size, parts))
        return sizes[id(value)]

    if size(document) > _MOST_VALUES:
        raise ValueError(f"with its aliases written out it has more than {_MOST_VALUES:,} values")


def said(document: Document) -> Document:
    """The document with texts where texts are meant; what a rule looks for is left for `detections` to read."""
    spoken = {key: _said(key, value) for key, value in document.items()}
    correlation, generate = spoken.get("correlation"), spoken.get("generate")
    if isinstance(correlation, dict) and isinstance(
        generate, bool
    ):  # beside it in the specification, in it in pySigma
        spoken["correlation"] = {"generate": generate, **correlation}
    return spoken


def _said(key: Any, value: Any) -> Any:
    match key:
        case "detection" | "filter":
            return value
        case "correlation" | "condition" if isinstance(value, Mapping):
            return {name: _said(name, each) for name, each in value.items()}
        case "generate":
            return _as_boolean(value)
        case "percentile" | "lt" | "lte" | "gt" | "gte" | "eq" | "neq":
            return read(value)
    return written(value)


def detections(section: Any, placeholders: Placeholders) -> Any:
    """The section ``detection`` or ``filter`` of a document. Placeholders without values are left as they are."""
    if not isinstance(section, Mapping):
        return section
    return {
        str(name): _part(name, value, placeholders)
        for name, value in section.items()
        if name != "timeframe"  # of rules before 2.0, which counted
    }


def _part(name: Any, value: Any, placeholders: Placeholders) -> Any:
    match name:
        case "condition":
            return [_condition(each) for each in value] if isinstance(value, list) else _condition(value)
        case "rules":  # of a filter
            return written(value)
    return _selection(value, placeholders)


def _selection(value: Any, placeholders: Placeholders) -> Any:
    match value:
        case Mapping():
            asked = (_asked(key, each, placeholders) for key, each in value.items())
            return dict(asked)
        case list():
            return [_selection(each, placeholders) for each in value]
    return written(value)


def _asked(key: Any, value: Any, placeholders: Placeholders) -> tuple[Any, Any]:
    if key is None:
        return key, value
    name, *modifiers = str(key).split("|")
    modifiers = _ordered(modifiers)
    if "expand" in modifiers and not _COMPUTED.isdisjoint(modifiers):
        modifiers, value = _computed(modifiers, value, placeholders)
    if "re" in modifiers and not _EDGES.isdisjoint(modifiers):
        modifiers, value = _at_edge(modifiers, value)
    if not _NUMBER.isdisjoint(modifiers):
        value = _each(value, _as_number)
    elif not _TEXT.isdisjoint(modifiers):
        value = _each(value, _as_text)
    elif "exists" in modifiers:
        value = _each(value, _as_boolean)
    else:
        value = _in_both_readings(modifiers, value)
    return "|".join((name, *modifiers)), value


def _ordered(modifiers: Sequence[str]) -> list[str]:
    """The same modifiers: what is made of a cased text is cased too, and an expression is cased anyway."""
    cased = ["cased"] * ("cased" in modifiers and "re" not in modifiers)
    if cased and "fieldref" in modifiers:
        raise ValueError("another field cannot be compared 'cased'")
    first = [word for word in modifiers if word in _FIRST]
    return [*first, *(word for word in modifiers if word != "cased" and word not in _FIRST), *cased]


def _in_both_readings(modifiers: Sequence[str], value: Any) -> Any:
    """What is written and what YAML reads; written alone where all of the values must hold."""
    if "all" in modifiers:
        return _each(written(value), _as_plain)
    values = value if isinstance(value, list) else [value]
    both = [_as_plain(each) for one in values for each in _readings(one)]
    return both if isinstance(value, list) or len(both) > 1 else both[0]


def _readings(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, Unquoted):
        return (value,)
    endless = isinstance(value.read, float) and not isfinite(value.read)
    return (value.written,) if endless else (value.written, value.read)


def _computed(modifiers: Sequence[str], value: Any, placeholders: Placeholders) -> tuple[list[str], Any]:
    """With the placeholders replaced; while their values are missing nothing is computed, so that the rule waits."""
    filled = _filled(value, placeholders)
    if filled is None:
        return [word for word in modifiers if word not in _COMPUTED], value
    return [word for word in modifiers if word != "expand"], filled


_EDGES = frozenset({"contains", "startswith", "endswith"})


def _at_edge(modifiers: Sequence[str], value: Any) -> tuple[list[str], Any]:
    """An expression is searched anyway, so ``contains`` says nothing more."""
    begin = r"\A" if "startswith" in modifiers and "contains" not in modifiers else ""
    end = r"\Z" if "endswith" in modifiers and "contains" not in modifiers else ""
    placed = _each(value, lambda each: f"{begin}(?:{_as_text(each)}){end}") if begin or end else value
    return [word for word in modifiers if word not in _EDGES], placed


def _each(value: Any, change: Any) -> Any:
    return [change(each) for each in value] if isinstance(value, list) else change(value)


_EXACT = 1 << 53
"""Whole numbers beyond are no longer told apart where they are read as fractions, too."""


def _as_plain(value: Any) -> Any:
    return str(value) if isinstance(value, int) and abs(value) > _EXACT else value


_BOOLEANS = {"true": True, "false": False}


def _as_boolean(value: Any) -> Any:
    return _BOOLEANS.get(value.lower(), value) if isinstance(value, str) else read(value)


def _as_text(value: Any) -> Any:
    if isinstance(value, Unquoted):
        return value.written
    if value is None:
        raise ValueError("null is no text: ask for it in a selection of its own")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else _as_plain(value)


def _as_number(value: Any) -> Any:
    value = read(value)
    if isinstance(value, str) and len(value) <= 64:
        for kind in (int, float):
            with suppress(ValueError):
                return kind(value)
    return value


def _filled(value: Any, placeholders: Placeholders) -> list[str] | None:
    """The values with their placeholders replaced; None when one has no values yet."""
    texts = [str(written(each)) for each in (value if isinstance(value, list) else [value])]
    names = {name for text in texts for name in _PLACEHOLDER.findall(text)}
    if not names <= placeholders.keys():
        return None
    return [filled.replace(r"\%", "%") for text in texts for filled in _expanded(text, placeholders)]


def _expanded(text: str, placeholders: Placeholders) -> Iterator[str]:
    found = _PLACEHOLDER.search(text)
    if found is None:
        yield text
        return
    for each in placeholders[found[1]]:
        yield from _expanded(text[: found.start()] + str(each) + text[found.end() :], placeholders)


def _condition(value: Any) -> str:
    value = written(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("a condition is a text, or a list of texts")
    return str(value)


# -- correlations -------------------------------------------------------------------------------------------------


def limits(document: Document) -> tuple[tuple[str, float], ...]:
    """The operators and numbers in the condition of a correlation; none where it has none.

    Raises ValueError for a limit that is no number.
    """
    condition = _of_correlation(document)
    if not isinstance(condition, Mapping):
        return ()
    return tuple((name, _limit(name, condition[name])) for name in _OPERATORS if name in condition)


def _limit(name: str, value: Any) -> float:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(value, str):
        with suppress(ValueError):
            number = float(value)
    if number is None or number != number or abs(number) > 1e300:
        raise ValueError(f"the limit {name}: {value!r} is no number")
    return float(number)


def one_limit(document: Document) -> Document:
    """The document with one limit only, for who reads no more."""
    condition = _of_correlation(document)
    if not isinstance(condition, Mapping):
        return document
    given = [name for name in _OPERATORS if name in condition]
    kept = {name: value for name, value in condition.items() if name not in given}
    first = {given[0]: int(_limit(given[0], condition[given[0]]))} if given else {}
    return {**document, "correlation": {**document["correlation"], "condition": kept | first}}


def _of_correlation(document: Document) -> Any:
    correlation = document.get("correlation")
    return correlation.get("condition") if isinstance(correlation, Mapping) else None
