"""A rule set as bytes and back: data only, nothing in it can run when it is read.

JSON. Each distinct leaf is written once and a tree names it by its place: an int is a leaf, ``["not", part]``,
``["and", part, …]`` and ``["or", part, …]`` are the rest.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from rempart.detection.condition import And, Condition, Leaf, Not, Or
from rempart.detection.rule import Correlation, Rule, RuleCard, RuleSet
from rempart.errors import Problem
from rempart.events.event import LogSource


class _Rule(msgspec.Struct, frozen=True, array_like=True):
    card: RuleCard
    logsource: int
    needs: int
    tree: Any


class _Rules(msgspec.Struct, frozen=True):
    leaves: tuple[Leaf, ...]
    logsources: tuple[LogSource, ...]
    rules: tuple[_Rule, ...]
    correlations: tuple[Correlation, ...]
    refused: tuple[Problem, ...]
    waiting: tuple[Problem, ...]


def packed(rules: RuleSet) -> bytes:
    """The rule set as JSON."""
    leaves: dict[Leaf, int] = {}
    sources: dict[LogSource, int] = {}
    written = tuple(
        _Rule(
            rule.card,
            sources.setdefault(rule.logsource, len(sources)),
            sources.setdefault(rule.needs, len(sources)),
            _tree(rule.condition, leaves),
        )
        for rule in rules.rules
    )
    return msgspec.json.encode(
        _Rules(tuple(leaves), tuple(sources), written, rules.correlations, rules.refused, rules.waiting)
    )


def unpacked(data: bytes) -> RuleSet:
    """The rule set again, equal to the one that was packed.

    Raises ValueError when the bytes are none.
    """
    try:
        read = msgspec.json.decode(data, type=_Rules)
        rules = tuple(
            Rule(
                card=each.card,
                logsource=read.logsources[each.logsource],
                needs=read.logsources[each.needs],
                condition=_condition(each.tree, read.leaves),
            )
            for each in read.rules
        )
    except (msgspec.MsgspecError, IndexError, RecursionError) as error:
        raise ValueError(f"no packed rules: {error}") from error
    return RuleSet(rules, read.correlations, read.refused, read.waiting)


def _tree(condition: Condition, leaves: dict[Leaf, int]) -> Any:
    match condition:
        case Leaf():
            return leaves.setdefault(condition, len(leaves))
        case Not(part):
            return ["not", _tree(part, leaves)]
        case And(parts):
            return ["and", *(_tree(part, leaves) for part in parts)]
        case Or(parts):
            return ["or", *(_tree(part, leaves) for part in parts)]


def _condition(tree: Any, leaves: Sequence[Leaf]) -> Condition:
    match tree:
        case int() if tree.__class__ is int and tree >= 0:
            return leaves[tree]
        case ["not", part]:
            return Not(_condition(part, leaves))
        case ["and", *parts]:
            return And(tuple([_condition(part, leaves) for part in parts]))
        case ["or", *parts]:
            return Or(tuple([_condition(part, leaves) for part in parts]))
    raise ValueError(f"no condition: {str(tree)[:80]}")
