"""Rule files as people write them, made such as pySigma reads: what the specification allows and pySigma refuses.

* "All values are treated as case-insensitive strings": a number may be looked for as text
  (``CommandLine|contains: 4444``), and a number to compare with may stand in quotes.
* Placeholders may stand for networks (``|cidr|expand``).
* ``AND``, ``OR`` and ``NOT`` in capitals, as older rules have them.
* A correlation's condition may be a range: ``gt: 100`` and ``lte: 200``. pySigma reads one limit, and whole numbers.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

_TEXT = frozenset(
    {"contains", "startswith", "endswith", "re", "cased", "windash", "expand"}
    | {"base64", "base64offset", "wide", "utf16", "utf16le", "utf16be"}
)
_NUMBER = frozenset({"lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"})
_OPERATORS = ("lt", "lte", "gt", "gte", "eq", "neq")
_WORDS = re.compile(r"\b(?:and|or|not|of|all|any|them)\b", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"(?<!\\)%(\w+)%")

Document = Mapping[Any, Any]
Placeholders = Mapping[str, Sequence[str]]


def detections(section: Any, placeholders: Placeholders) -> Any:
    """The section ``detection`` or ``filter`` of a document. Placeholders without values are left as they are."""
    if not isinstance(section, Mapping):
        return section
    return {name: _part(name, value, section, placeholders) for name, value in section.items()}


def _part(name: Any, value: Any, section: Document, placeholders: Placeholders) -> Any:
    match name:
        case "condition":
            return _condition(value, section)
        case "rules":  # of a filter
            return value
    return _selection(value, placeholders)


def _selection(value: Any, placeholders: Placeholders) -> Any:
    match value:
        case Mapping():
            asked = (_asked(key, each, placeholders) for key, each in value.items())
            return dict(asked)
        case list():
            return [_selection(each, placeholders) for each in value]
    return value


def _asked(key: Any, value: Any, placeholders: Placeholders) -> tuple[Any, Any]:
    if not isinstance(key, str):
        return key, value
    _, *modifiers = key.split("|")
    if (
        "cidr" in modifiers
        and "expand" in modifiers
        and (networks := _networks(value, placeholders)) is not None
    ):
        return "|".join(word for word in key.split("|") if word != "expand"), networks
    if not _TEXT.isdisjoint(modifiers):
        return key, _each(value, _as_text)
    return key, _each(value, _as_number) if not _NUMBER.isdisjoint(modifiers) else value


def _each(value: Any, change: Any) -> Any:
    return [change(each) for each in value] if isinstance(value, list) else change(value)


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _as_number(value: Any) -> Any:
    if isinstance(value, str) and len(value) <= 64:
        for kind in (int, float):
            with suppress(ValueError):
                return kind(value)
    return value


def _networks(value: Any, placeholders: Placeholders) -> list[str] | None:
    """The values with their placeholders replaced; None when one has no values yet."""
    texts = [str(each) for each in (value if isinstance(value, list) else [value])]
    names = {name for text in texts for name in _PLACEHOLDER.findall(text)}
    if not names <= placeholders.keys():
        return None
    return [network for text in texts for network in _expanded(text, placeholders)]


def _expanded(text: str, placeholders: Placeholders) -> Iterator[str]:
    found = _PLACEHOLDER.search(text)
    if found is None:
        yield text
        return
    for each in placeholders[found[1]]:
        yield from _expanded(text[: found.start()] + str(each) + text[found.end() :], placeholders)


def _condition(value: Any, names: Document) -> Any:
    if isinstance(value, list):
        return [_condition(each, names) for each in value]
    if not isinstance(value, str):
        return value
    return _WORDS.sub(lambda word: word[0] if word[0] in names else word[0].lower(), value)


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
