"""Canonical JSON: one value, one sequence of bytes, on any machine (RFC 8785 without floats)."""

import json
from collections.abc import Mapping
from typing import Any

LARGEST = 2**53 - 1
"""The largest magnitude of an integer that every JSON reader keeps exactly (RFC 7493)."""

DEEPEST = 64
"""Levels of lists and maps within one another."""


class NotCanonical(ValueError):
    """The value has no canonical form, or the bytes are not it; the message says why."""


def encode(value: Any) -> bytes:
    """The canonical bytes of null, booleans, integers, strings, lists and maps of them.

    Raises `NotCanonical` for anything else: floats, large integers, lone surrogates, keys that are no strings.
    """
    text = json.dumps(_ordered(value, 0), ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a string holds a lone surrogate") from error


def decode(data: bytes) -> Any:
    """The value whose canonical bytes are ``data``; raises `NotCanonical` when they are not."""
    try:
        value = json.loads(data.decode(), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"not JSON without floats: {error}") from error
    if encode(value) != data:
        raise NotCanonical("the same value has other canonical bytes")
    return value


def _ordered(value: Any, depth: int) -> Any:
    """The value with every map in the order of its keys' UTF-16 code units (RFC 8785, 3.2.3)."""
    if depth > DEEPEST:
        raise NotCanonical(f"more than {DEEPEST} levels deep")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return _exact(value)
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {key: _ordered(value[key], depth + 1) for key in sorted(value, key=_utf16)}
    raise NotCanonical(f"{type(value).__name__} has no canonical form")


def _exact(number: int) -> int:
    if abs(number) > LARGEST:
        raise NotCanonical("an integer beyond 2^53 - 1")
    return int(number)


def _utf16(key: Any) -> bytes:
    if not isinstance(key, str):
        raise NotCanonical("a key that is no string")
    return key.encode("utf-16-be", "surrogatepass")


def _refuse(text: str) -> Any:
    raise NotCanonical(f"{text} is no integer")
