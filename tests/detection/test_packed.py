"""Packed rules come back equal, and bytes that are none are refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.packed import packed, unpacked
from rempart.detection.sigma import load

RULE = """title: a
name: one
logsource: {product: windows, category: process_creation}
level: high
tags: [attack.t1059]
detection:
  a: {Image|endswith: '\\\\x.exe', CommandLine|re|i: 'a.b', n|gte: 5, gone: null, there|exists: true}
  b: [{CommandLine|contains|all: [é, y]}, {User|fieldref: Other}]
  words: [needle]
  condition: (a or not b) and not words
---
title: c
correlation: {type: value_count, rules: [one], group-by: [User], timespan: 5m, condition: {gte: 3, field: Image}}
"""


def test_what_is_packed_comes_back() -> None:
    rules = load([("a.yml", RULE), ("b.yml", "not a rule")])
    assert rules.rules
    assert rules.correlations
    assert rules.refused
    assert unpacked(packed(rules)) == rules


@settings(max_examples=50)
@given(st.binary() | st.sampled_from([b"{}", b"[]", b"null"]))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no packed rules"):
        unpacked(data)


@pytest.mark.parametrize("tree", ["x", [], ["xor", 0], 99, -1, ["not"], ["and", True], None, {}])
def test_a_tree_that_is_none_is_refused(tree: Any) -> None:
    written = json.loads(packed(load([("a.yml", RULE)])))
    written["rules"][0][-1] = tree
    with pytest.raises(ValueError, match=r"no packed rules|no condition"):
        unpacked(json.dumps(written).encode())
