"""Every modifier means what Sigma says."""

import base64
from typing import Any

import pytest
from sigma.modifiers import modifier_mapping

from detection.sigma.written import fires

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
