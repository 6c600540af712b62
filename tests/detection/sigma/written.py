"""Rules as their authors write them, the shortest that are whole, and what they match."""

from collections.abc import Mapping
from typing import Any

from rempart.detection.match import Matcher
from rempart.detection.rule import RuleSet
from rempart.detection.sigma import load
from rempart.events.event import Event, LogSource

SOURCE = LogSource("acme", None, "svc")
HEAD = "title: T\nlogsource: {product: acme, service: svc}\n"
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


def loaded(text: str, placeholders: Mapping[str, list[str]] | None = None) -> RuleSet:
    return load([("r.yml", text)], placeholders)


def fires(
    detection: str, fields: Mapping[str, Any], placeholders: Mapping[str, list[str]] | None = None
) -> bool:
    rules = loaded(f"{HEAD}detection:\n  a:\n    {detection}\n  condition: a\n", placeholders)
    assert rules.refused == rules.waiting == ()
    return bool(Matcher(rules.rules).matches(Event(SOURCE, fields, "", 1)))
