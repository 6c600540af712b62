"""What a rule asks of an event: and, or, not, and leaves that look at one field."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class LeafKind(StrEnum):
    """How a leaf looks at a value. Text is compared without regard to case unless the leaf is ``cased``."""

    EXACT = "exact"
    CONTAINS = "contains"
    STARTSWITH = "startswith"
    ENDSWITH = "endswith"
    WILDCARD = "wildcard"  # Sigma notation: * and ?, a backslash before a literal *, ? or backslash
    RE = "re"  # a regular expression, searched; detail: its flags, of "ims"
    CIDR = "cidr"
    COMPARE = "compare"  # a number; detail: a `Comparison`
    TIMEPART = "timepart"  # a number; detail: the part and a `Comparison`, e.g. "hour gte"
    NULL = "null"  # the field is absent
    EXISTS = "exists"
    FIELDREF = "fieldref"  # value: the other field; detail: exact, contains, startswith or endswith
    KEYWORD = "keyword"  # no field: value (Sigma notation) somewhere in any value of the event
    KEYWORD_RE = "keyword-re"  # no field: an expression found in any value of the event


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question to one field. ``field`` is empty for keywords."""

    field: str
    kind: LeafKind
    value: str = ""
    cased: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold. Without parts: true."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds. Without parts: false."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Leaf | And | Or | Not

TRUE = And(())
FALSE = Or(())


def every(parts: Iterable[Condition]) -> Condition:
    """The parts joined by and; nested ands are flattened and constants folded."""
    kept: list[Condition] = []
    for part in parts:
        if part == FALSE:
            return FALSE
        kept.extend(part.parts if isinstance(part, And) else (part,))
    return kept[0] if len(kept) == 1 else And(tuple(kept))


def either(parts: Iterable[Condition]) -> Condition:
    """The parts joined by or; nested ors are flattened and constants folded."""
    kept: list[Condition] = []
    for part in parts:
        if part == TRUE:
            return TRUE
        kept.extend(part.parts if isinstance(part, Or) else (part,))
    return kept[0] if len(kept) == 1 else Or(tuple(kept))


def negate(part: Condition) -> Condition:
    """The opposite; constants and double negations are folded."""
    if part == TRUE:
        return FALSE
    if part == FALSE:
        return TRUE
    return part.part if isinstance(part, Not) else Not(part)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every leaf, as often as it stands in the condition, in order."""
    match condition:
        case Leaf():
            yield condition
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
