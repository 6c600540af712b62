"""A JSON log record as fields: what is nested stands under dotted names, as Sigma's rules write them.

``{"userIdentity": {"type": "Root"}}`` has the field ``userIdentity.type``. In a list of objects each field has the
values of all (``targetResources.displayName``). Objects and lists of objects near the top are there as JSON
text too, since rules search whole parts (``requestParameters|contains``). JSON null is absent.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from rempart.events.line import capped, refused
from rempart.instants import Instant, from_datetime

MAX_DOCUMENT = 262_144
"""Bytes in the longest record that is read: CloudTrail's limit for one event."""

_VALUES = 10_000
"""Values looked at in one record. What stands higher is read first: nothing can be pushed out by what is inside."""
_NAME = 200
_WHOLE = 2
"""Parts of this many names are also given whole, as JSON text."""
_LAST_SECOND = 253_402_300_799  # the end of the year 9999

Fields = dict[str, Any]


def read(line: bytes, source: str, record: int) -> Fields:
    """The JSON object on the line. Raises `rempart.errors.DecodeError` when there is none, or it is too long."""
    if len(line) > MAX_DOCUMENT:
        raise refused(f"the record has {len(line)} bytes, more than {MAX_DOCUMENT}", source, record)
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise refused("the line is not JSON", source, record) from error
    if not isinstance(document, dict):
        raise refused("the line is JSON, but no object", source, record)
    return document


def respelt(document: Mapping[str, Any], names: Mapping[str, str]) -> Fields:
    """The record with its first names as their maker writes them: some stores keep names in small letters only.

    ``names`` maps small letters to the true spelling.
    """
    return {names.get(name, name): value for name, value in document.items()}


def spelling(*names: str) -> Mapping[str, str]:
    """What `respelt` takes."""
    return {name.lower(): name for name in names}


def flat(document: Mapping[str, Any]) -> Fields:
    """The fields of a record. Text is cut at `rempart.events.line.MAX_VALUE`."""
    found: dict[str, list[Any]] = {}
    waiting: deque[tuple[str, Any, int]] = deque((name, value, 1) for name, value in document.items())
    for _ in range(_VALUES):
        if not waiting:
            break
        name, value, depth = waiting.popleft()
        if isinstance(value, dict | list):
            if depth <= _WHOLE and not _plain(value):
                found.setdefault(name, []).append(capped(_text(value)))
            waiting.extend(_inner(name, value, depth))
        elif value is not None:
            found.setdefault(name, []).append(capped(value) if isinstance(value, str) else value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _inner(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any, int]]:
    if isinstance(value, list):
        return ((name, each, _WHOLE + 1) for each in value)
    return ((f"{name}.{key}", each, depth + 1) for key, each in value.items() if len(name) + len(key) < _NAME)


def _plain(value: Any) -> bool:
    """A list of plain values: it is its values."""
    return (
        isinstance(value, list) and bool(value) and not any(isinstance(each, dict | list) for each in value)
    )


def _text(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # deeper than orjson writes: nothing that a rule could be about
        return ""


def pairs(fields: Mapping[str, Any], listed: Any, key: str, value: str) -> Iterator[tuple[str, Any]]:
    """The items of a list such as ``[{"Name": "RequestType", "Value": "Cmsi:Cmsi"}]`` whose names are no field yet."""
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(name := each.get(key), str) and name not in fields:
            word = each.get(value)
            if word is not None and len(name) < _NAME:
                yield name, capped(word if isinstance(word, str) else _text(word))


def moment(value: Any) -> Instant | None:
    """An instant from RFC 3339 text (UTC where no zone is written) or seconds since 1970; None from anything else."""
    try:
        if isinstance(value, str):
            when = datetime.fromisoformat(value)
            return from_datetime(when if when.tzinfo else when.replace(tzinfo=UTC))
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LAST_SECOND:
            return Instant(round(value * 1_000_000))
    except (ValueError, OverflowError):
        pass  # log shippers write all sorts of times; the event then has the time at which it was read
    return None


def word(document: Mapping[str, Any], name: str) -> str:
    """The text of that name; empty when there is none."""
    value = document.get(name)
    return value if isinstance(value, str) else ""
