"""What a rule selects: pySigma's parse tree becomes our conditions, each value the cheapest leaf that says the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from rempart.detection.condition import Condition, Leaf, LeafKind, either, every, negate

_WILD = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}
_FLAGS = {"IGNORECASE": "i", "MULTILINE": "m", "DOTALL": "s"}
_MARK = "\udcff\udcfe"
"""UTF-16's byte order mark, which is no text; where a log was decoded it stands as U+FEFF."""


@dataclass(slots=True)
class ConditionReader:
    """Turns pySigma's parse tree into ours. ``missing`` collects placeholders without values."""

    placeholders: Mapping[str, Sequence[str]]
    missing: dict[str, None] = field(default_factory=dict)

    def condition(self, node: object) -> Condition:
        """One node of the tree and all below it."""
        match node:
            case ConditionAND():
                return every(self.condition(each) for each in node.args)
            case ConditionOR():
                return either(self.condition(each) for each in node.args)
            case ConditionNOT():
                return negate(self.condition(node.args[0]))
            case ConditionFieldEqualsValueExpression():
                return self.value(node.field, node.value)
            case ConditionValueExpression():
                return self.value("", node.value)
            case ConditionItem() | None:
                raise ValueError("a selection is empty")
        raise TypeError(f"unknown condition {type(node).__name__}")

    def value(self, name: str, value: SigmaType) -> Condition:
        """One field against one value; placeholders and expansions become ors."""
        match value:
            case SigmaExpansion():
                return either(self.value(name, each) for each in value.values)
            case SigmaCasedString() if value.contains_placeholder():
                texts = map(SigmaCasedString.from_sigma_string, value.replace_placeholders(self._expand))
                return either(self.value(name, each) for each in texts)
            case SigmaString() | SigmaRegularExpression() if value.contains_placeholder():
                return either(self.value(name, each) for each in value.replace_placeholders(self._expand))
            case SigmaExists():
                asked = Leaf(name, LeafKind.EXISTS)
                return asked if value.exists else negate(asked)
        return _leaf(name, value) if name else _keyword(value)

    def _expand(self, placeholder: Placeholder) -> Iterator[str | SpecialChars | Placeholder | SigmaString]:
        values = self.placeholders.get(placeholder.name)
        if values is None:
            self.missing[placeholder.name] = None
            return
        for each in values:
            yield SigmaString(str(each))


def _leaf(name: str, value: SigmaType) -> Leaf:
    match value:
        case SigmaString():
            return _text(name, _readable(value.s), cased=isinstance(value, SigmaCasedString))
        case SigmaTimestampPart():
            return Leaf(name, LeafKind.TIMEPART, str(value), detail=f"{value.timestamp_part.name.lower()} eq")
        case SigmaNumber():
            return Leaf(name, LeafKind.EXACT, str(value))
        case SigmaBool():
            return Leaf(name, LeafKind.EXACT, "true" if value.boolean else "false")
        case SigmaRegularExpression():
            return Leaf(name, LeafKind.RE, str(value.regexp), cased=True, detail=_flags(value))
        case SigmaCIDRExpression():
            return Leaf(name, LeafKind.CIDR, str(value.network))
        case SigmaCompareExpression():
            return _compare(name, value)
        case SigmaFieldReference():
            return Leaf(name, LeafKind.FIELDREF, value.field, detail=_affix(value))
        case SigmaNull():
            return Leaf(name, LeafKind.NULL)
    raise TypeError(f"the value type {type(value).__name__} is not understood")


def _keyword(value: SigmaType) -> Leaf:
    match value:
        case SigmaString():
            return Leaf(
                "", LeafKind.KEYWORD, _notation(_readable(value.s)), cased=isinstance(value, SigmaCasedString)
            )
        case SigmaRegularExpression():
            return Leaf("", LeafKind.KEYWORD_RE, str(value.regexp), cased=True, detail=_flags(value))
        case SigmaNumber() | SigmaBool():
            return Leaf("", LeafKind.KEYWORD, str(value))
    raise TypeError(f"a keyword cannot be a {type(value).__name__}")


def _readable(parts: Sequence[Any]) -> list[Any]:
    """The parts of a text as an event may hold them. Raises ValueError for bytes that are no text."""
    readable = [each.replace(_MARK, "\ufeff") if isinstance(each, str) else each for each in parts]
    try:
        "".join(each for each in readable if isinstance(each, str)).encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            "UTF-16 of such letters is no text: let 'base64offset' or 'base64' follow"
        ) from error
    return readable


def _text(name: str, parts: Sequence[Any], *, cased: bool) -> Leaf:
    """The cheapest kind that says the same: exact, contains, startswith, endswith, else wildcard."""
    match parts:
        case []:
            return Leaf(name, LeafKind.EXACT, "", cased)
        case [str(text)]:
            return Leaf(name, LeafKind.EXACT, text, cased)
        case [SpecialChars.WILDCARD_MULTI]:
            return Leaf(name, LeafKind.EXISTS)
        case [SpecialChars.WILDCARD_MULTI, str(text), SpecialChars.WILDCARD_MULTI]:
            return Leaf(name, LeafKind.CONTAINS, text, cased)
        case [str(text), SpecialChars.WILDCARD_MULTI]:
            return Leaf(name, LeafKind.STARTSWITH, text, cased)
        case [SpecialChars.WILDCARD_MULTI, str(text)]:
            return Leaf(name, LeafKind.ENDSWITH, text, cased)
    return Leaf(name, LeafKind.WILDCARD, _notation(parts), cased)


def _notation(parts: Sequence[Any]) -> str:
    """Parts as Sigma notation in which every literal *, ? and backslash is escaped."""
    return "".join(
        _WILD[part]
        if isinstance(part, SpecialChars)
        else "".join(f"\\{c}" if c in "*?\\" else c for c in str(part))
        for part in parts
    )


def _compare(name: str, value: SigmaCompareExpression) -> Leaf:
    operator, number = value.op.name.lower(), value.number
    if isinstance(number, SigmaTimestampPart):
        part = number.timestamp_part.name.lower()
        return Leaf(name, LeafKind.TIMEPART, str(number), detail=f"{part} {operator}")
    return Leaf(name, LeafKind.COMPARE, str(number), detail=operator)


def _affix(value: SigmaFieldReference) -> str:
    match value.starts_with, value.ends_with:
        case True, True:
            return "contains"
        case True, False:
            return "startswith"
        case False, True:
            return "endswith"
    return "exact"


def _flags(value: SigmaRegularExpression) -> str:
    return "".join(sorted(_FLAGS[flag.name] for flag in value.flags))
