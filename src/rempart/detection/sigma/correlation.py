"""A correlation as a file says it becomes ours: its references, its condition over rules, its fields."""

from collections.abc import Callable, Mapping, Sequence

from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    CorrelationConditionOR,
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaCorrelationType,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)

from rempart.detection.rule import Alternative, Comparison, Correlation, CorrelationType, RuleCard

Limits = tuple[tuple[Comparison, float], ...]
_OF_NUMBERS = frozenset(
    {SigmaCorrelationType.VALUE_SUM, SigmaCorrelationType.VALUE_AVG, SigmaCorrelationType.VALUE_MEDIAN}
)
_MOST_ALTERNATIVES = 64


def correlation(
    card: RuleCard, sigma: SigmaCorrelationRule, limits: Limits, resolve: Callable[[object], str]
) -> Correlation:
    """What the file says, with the rules that it refers to resolved to ids. Raises what ``resolve`` raises, and
    ValueError for a condition that cannot be fulfilled.
    """
    condition = sigma.condition
    alternatives: tuple[Alternative, ...] = ()
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        alternatives = tuple(_alternatives(condition.parsed, resolve))
        references = condition.get_referenced_rules()
    else:
        references = [each.reference for each in sigma.rules or ()]
    basic = condition if isinstance(condition, SigmaCorrelationCondition) else None
    median = sigma.type is SigmaCorrelationType.VALUE_MEDIAN
    return Correlation(
        card=card,
        type=CorrelationType.VALUE_PERCENTILE if median else CorrelationType(sigma.type.name.lower()),
        rules=tuple(resolve(each) for each in references),
        group_by=tuple(map(str, sigma.group_by or ())),
        timespan=sigma.timespan.seconds,
        limits=limits,
        alternatives=alternatives,
        fields=_fields(basic.fieldref if basic else None),
        percentile=50 if median else (basic.percentile if basic else None),
        aliases=tuple(
            (
                str(alias.alias),
                tuple((resolve(rule.reference), str(name)) for rule, name in alias.mapping.items()),
            )
            for alias in sigma.aliases
        ),
        generate=sigma.generate,
    )


def _fields(named: object) -> tuple[str, ...]:
    names = named if isinstance(named, list) else [] if named is None else [named]
    if not all(isinstance(each, str) for each in names):
        raise ValueError("the 'field' of a correlation is a name, or a list of names")
    return tuple(names)


def check_one_field(sigma: SigmaCorrelationRule) -> None:
    """Raises ValueError where numbers of several fields would be measured: nobody says how."""
    condition = sigma.condition
    if isinstance(condition, SigmaCorrelationCondition) and len(_fields(condition.fieldref)) > 1:
        kind = sigma.type.name.lower()
        if sigma.type in _OF_NUMBERS or condition.percentile is not None:
            raise ValueError(f"a {kind} is of one field, not of {len(_fields(condition.fieldref))}")


def _alternatives(
    parsed: object, resolve: Callable[[str], str], *, negated: bool = False
) -> list[Alternative]:
    """The ways in which a condition over rules is fulfilled. Raises ValueError when there are too many, or one of them
    wants no rule to match: what never happens is seen by nobody.
    """
    ways = _ways(parsed, resolve, negated=negated)
    if not all(way.wanted for way in ways):
        raise ValueError("the correlation's condition can be fulfilled without any rule matching")
    return ways


def _ways(parsed: object, resolve: Callable[[str], str], *, negated: bool) -> list[Alternative]:
    match parsed:
        case SigmaRuleReference():
            named = (resolve(parsed.reference),)
            return [Alternative((), named) if negated else Alternative(named)]
        case CorrelationConditionNOT():
            return _ways(parsed.args[0], resolve, negated=not negated)
        case CorrelationConditionAND() | CorrelationConditionOR():
            parts = [_ways(each, resolve, negated=negated) for each in parsed.args]
            if isinstance(parsed, CorrelationConditionOR) is not negated:
                return [way for part in parts for way in part]
            return _together(parts)
    raise TypeError(f"unknown part of a correlation's condition: {type(parsed).__name__}")


def _together(parts: Sequence[Sequence[Alternative]]) -> list[Alternative]:
    ways = [Alternative(())]
    for part in parts:
        if len(ways) * len(part) > _MOST_ALTERNATIVES:
            raise ValueError(f"the correlation's condition has more than {_MOST_ALTERNATIVES} alternatives")
        ways = [
            Alternative(
                tuple(dict.fromkeys(way.wanted + other.wanted)),
                tuple(dict.fromkeys(way.unwanted + other.unwanted)),
            )
            for way in ways
            for other in part
        ]
    return [way for way in ways if set(way.wanted).isdisjoint(way.unwanted)]


def below(start: str, built_on: Mapping[str, Sequence[str]]) -> set[str]:
    """The ids of everything a correlation is built on, however far down."""
    found: set[str] = set()
    waiting = list(built_on.get(start, ()))
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += built_on.get(each, ())
    return found
