"""How Sigma files become rules: with its `modifiers` the only module that knows pySigma.

pySigma reads the files, applies the modifiers and gives the conditions of its pipelines 'sysmon' and
'windows-logsources'; what comes out is our own tree (`rempart.detection.condition`). It is given text, never a path
to open. It does not match anything: `rempart.detection.match` does.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

import yaml
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
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
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.pipelines.sysmon.sysmon import sysmon_pipeline
from sigma.pipelines.windows.windows import windows_logsource_pipeline
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaDetections, SigmaRule, SigmaRuleBase
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

from rempart.detection import modifiers, notation
from rempart.detection.audited import sure, widened
from rempart.detection.collection import gathered
from rempart.detection.condition import Condition, Leaf, LeafKind, either, every, leaves, negate
from rempart.detection.finding import Level
from rempart.detection.languages import in_every_language
from rempart.detection.logic import parsed
from rempart.detection.meaning import meaning
from rempart.detection.predicates import ExpressionRefused, ExpressionTooLarge, check_expressions
from rempart.detection.rule import (
    Alternative,
    Comparison,
    Correlation,
    CorrelationType,
    Rule,
    RuleCard,
    RuleSet,
)
from rempart.detection.unquoted import RuleLoader
from rempart.errors import Problem
from rempart.events.event import LogSource

modifiers.teach()


def load(
    files: Iterable[tuple[str, str]], placeholders: Mapping[str, Sequence[str]] | None = None
) -> RuleSet:
    """Rules from (path, YAML text) pairs. ``placeholders`` gives the values of ``%name%``.

    Raises nothing for a bad rule: it is listed in ``refused`` with its path and what to mend.
    """
    draft = _Draft(placeholders or {})
    with warnings.catch_warnings(
        action="ignore", category=FutureWarning
    ):  # of Python, about ``[[`` in expressions
        for path, text in files:
            draft.add(path, text)
    return draft.finish()


# What pySigma and PyYAML raise on malformed documents; anything else is our own fault and must be seen.
_MALFORMED = (SigmaError, yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


Limits = tuple[tuple[Comparison, float], ...]


@dataclass(slots=True)
class _Draft:
    """Rules while files are being read."""

    placeholders: Mapping[str, Sequence[str]]
    rules: dict[str, Rule] = field(default_factory=dict)
    correlations: list[tuple[RuleCard, SigmaCorrelationRule, Limits]] = field(default_factory=list)
    filters: list[tuple[str, SigmaFilter, Condition]] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    waiting: list[Problem] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    """Id -> the path that took it."""
    names: dict[str, str] = field(default_factory=dict)
    """Name -> id."""
    unlevelled: set[str] = field(default_factory=set)
    """Ids of those that name no level."""
    absent: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Id or name of a rule that waits -> the placeholders; what is built on it waits too."""

    def add(self, path: str, text: str) -> None:
        """Read every document of one file."""
        text = notation.unmarked(text)
        try:
            notation.check_text(text)
            documents = [each for each in yaml.load_all(text, Loader=RuleLoader) if each is not None]
        except _MALFORMED as error:
            self._refuse(path, f"not readable as YAML: {_first_line(error)}", "Mend the YAML.")
            return
        for position, document in gathered(documents):
            where = path if len(documents) == 1 else f"{path} (document {position})"
            self._add_document(path, where, document)

    def _add_document(self, path: str, where: str, document: Any) -> None:
        try:
            if not isinstance(document, dict):
                raise ValueError("a Sigma document is a map of keys")
            notation.check_aliases(document)
            document = notation.said(document)
            if "action" in document:
                raise ValueError("the 'action' of a collection is global, reset or repeat")
            if "correlation" in document:
                self._add_correlation(path, where, document)
            elif "filter" in document:
                self._add_filter(where, document)
            elif "detection" in document:
                self._add_rule(path, where, document)
            else:
                raise ValueError("neither 'detection' nor 'correlation' nor 'filter' in it")
        except _Waiting as waiting:
            for reference in filter(None, (document.get("id"), document.get("name"))):
                self.absent[self._identifier(str(reference))] = waiting.names
            self._wait(where, waiting)
        except ExpressionTooLarge as error:
            self._refuse(where, str(error), "Shorten it or repeat less, or make several rules of it.")
        except ExpressionRefused as error:
            self._refuse(
                where,
                str(error),
                "Write the expression without lookaround, backreference or possessive parts.",
            )
        except _MALFORMED as error:
            self._refuse(where, _first_line(error), "See the Sigma specification 2.1 for this key.")

    def _wait(self, where: str, waiting: "_Waiting") -> None:
        names = ", ".join(f"%{name}%" for name in waiting.names)
        self.waiting.append(
            Problem(
                f"waits for the values of {names}",
                where,
                "Give the values of the placeholder, then load it again.",
            )
        )

    def _add_rule(self, path: str, where: str, document: dict[str, Any]) -> None:
        asked = notation.detections(document["detection"], self.placeholders)
        sigma = SigmaRule.from_dict(_without_own_id(document) | {"detection": asked})
        logsource = _logsource(sigma)
        card = self._card(path, where, document, sigma, logsource)
        gate = _gate(logsource)
        asked = _asked(logsource, self._condition(sigma.detection))
        condition = every((widened(gate, logsource.category), asked)) if gate else asked
        needs = logsource if gate is None else LogSource(product=logsource.product)
        self._take(card, where)
        self.rules[card.id] = Rule(card=card, logsource=logsource, needs=needs, condition=condition)

    def _condition(self, detections: SigmaDetections) -> Condition:
        reader = _Reader(self.placeholders)
        selections = detections.detections

        def ask(name: str) -> Condition:
            return reader.condition(selections[name].postprocess(detections))

        asked = either(parsed(each, selections, ask) for each in detections.condition)
        if reader.missing:
            raise _Waiting(tuple(reader.missing))
        check_expressions(leaves(asked))
        return asked

    def _add_filter(self, where: str, document: dict[str, Any]) -> None:
        asked = notation.detections(document["filter"], self.placeholders)
        sigma = SigmaFilter.from_dict(_without_own_id(document) | {"filter": asked})
        _meant(sigma)
        self.filters.append((where, sigma, self._condition(sigma.filter)))

    def _add_correlation(self, path: str, where: str, document: dict[str, Any]) -> None:
        if not isinstance(document["correlation"], dict):
            raise ValueError("'correlation' is a map of keys")
        limits = tuple((Comparison(name), number) for name, number in notation.limits(document))
        sigma = SigmaCorrelationRule.from_dict(_without_own_id(notation.one_limit(document)))
        _check_one_field(sigma)
        card = self._card(path, where, document, sigma, LogSource())
        self._take(card, where)
        self.correlations.append((card, sigma, limits))

    def _card(
        self, path: str, where: str, document: dict[str, Any], sigma: SigmaRuleBase, logsource: LogSource
    ) -> RuleCard:
        tags = tuple(f"{tag.namespace}.{tag.name}" for tag in sigma.tags)
        level = Level[sigma.level.name] if sigma.level else Level.INFORMATIONAL
        identifier = str(sigma.id or document.get("id") or sigma.name or where)
        if not sigma.level:
            self.unlevelled.add(identifier)
        return RuleCard(
            id=identifier,
            name=str(sigma.name or ""),
            title=str(sigma.title),
            level=level,
            author=str(sigma.author or ""),
            tags=tags,
            path=path,
            meaning=meaning(document.get("rempart"), tags, level, logsource),
            license=str(sigma.license or ""),
        )

    def _take(self, card: RuleCard, where: str) -> None:
        taken = self.ids.setdefault(card.id, where)
        if taken != where:
            raise ValueError(f"its id {card.id} is already taken by {taken}")
        if card.name:
            self.names.setdefault(card.name, card.id)

    def _refuse(self, where: str, what: str, mend: str) -> None:
        self.refused.append(Problem(what, where, mend))

    def finish(self) -> RuleSet:
        """Resolve what filters and correlations refer to, whichever file it stands in."""
        for where, sigma_filter, condition in self.filters:
            self._filter(where, sigma_filter, condition)
        correlations = []
        for card, sigma, limits in self.correlations:
            try:
                correlations.append(self._correlation(card, sigma, limits))
            except _Waiting as waiting:
                self._wait(card.path, waiting)
            except ValueError as error:
                self._refuse(card.path, str(error), "Name rules that are loaded too, by id or name.")
        sound = self._levelled(self._usable(self._straight(correlations)))
        return RuleSet(
            tuple(self.rules.values()),
            tuple(sound),
            tuple(self.refused),
            tuple(self.waiting),
        )

    def _straight(self, correlations: Sequence[Correlation]) -> list[Correlation]:
        """Those that are not built on themselves, however far down."""
        built_on = {each.card.id: each.rules for each in correlations}
        round_ = {each for each in built_on if each in _below(each, built_on)}
        circular = round_ | {each for each in built_on if _below(each, built_on) & round_}
        for each in correlations:
            if each.card.id in circular:
                self._refuse(
                    each.card.path, "the correlation is built on a circle", "Remove one of the references."
                )
        return [each for each in correlations if each.card.id not in circular]

    def _usable(self, correlations: Sequence[Correlation]) -> list[Correlation]:
        """Those that are built on what can be used."""
        usable = self.rules.keys() | {each.card.id for each in correlations}
        while unusable := [each for each in correlations if not set(each.rules) <= usable]:
            usable -= {each.card.id for each in unusable}
            correlations = [each for each in correlations if each.card.id in usable]
            for each in unusable:
                lost = ", ".join(sorted(set(each.rules) - usable))
                self._refuse(each.card.path, f"it is built on {lost}, which cannot be used", "Mend that one.")
        return list(correlations)

    def _levelled(self, correlations: Sequence[Correlation]) -> list[Correlation]:
        """The same; one without a level keeps the highest of what it is built on: Sigma's is "an adjustment"."""
        cards = {each.id: each for each in (*self._cards(), *(one.card for one in correlations))}
        built_on = {each.card.id: each.rules for each in correlations}

        def level(identifier: str) -> Level:
            if identifier in self.unlevelled and identifier in built_on:
                return max(map(level, built_on[identifier]), default=Level.INFORMATIONAL)
            return cards[identifier].level

        return [replace(each, card=replace(each.card, level=level(each.card.id))) for each in correlations]

    def _cards(self) -> Iterator[RuleCard]:
        return (each.card for each in self.rules.values())

    def _filter(self, where: str, sigma: SigmaFilter, condition: Condition) -> None:
        """Narrow the rules that a filter names and whose log source it covers."""
        meant = _meant(sigma)
        ids = set(self.rules) if meant is None else set(map(self._identifier, meant))
        narrowed = [
            each
            for each in ids & self.rules.keys()
            if _same_source(_logsource(sigma), self.rules[each].logsource)
        ]
        if not narrowed:
            self._refuse(
                where, "the filter applies to no rule", "Name loaded rules of the filter's log source."
            )
        for each in narrowed:
            rule = self.rules[each]
            asked = _asked(rule.logsource, condition)
            self.rules[each] = replace(rule, condition=every((rule.condition, asked)))

    def _identifier(self, named: str) -> str:
        """What a rule is meant by: its name, or its id however the UUID is spelt."""
        if named in self.names or named in self.ids or named in self.absent:
            return self.names.get(named, named)
        try:
            return str(UUID(named))
        except ValueError:
            return named

    def _resolve(self, reference: object) -> str:
        identifier = self._identifier(_named(reference))
        if identifier in self.absent:
            raise _Waiting(self.absent[identifier])
        if identifier not in self.ids:
            raise ValueError(f"the correlation refers to the rule {reference!r}, which is not there")
        return identifier

    def _correlation(self, card: RuleCard, sigma: SigmaCorrelationRule, limits: Limits) -> Correlation:
        condition = sigma.condition
        alternatives: tuple[Alternative, ...] = ()
        if isinstance(condition, SigmaExtendedCorrelationCondition):
            alternatives = tuple(_alternatives(condition.parsed, self._resolve))
            references = condition.get_referenced_rules()
        else:
            references = [each.reference for each in sigma.rules or ()]
        basic = condition if isinstance(condition, SigmaCorrelationCondition) else None
        median = sigma.type is SigmaCorrelationType.VALUE_MEDIAN
        return Correlation(
            card=card,
            type=CorrelationType.VALUE_PERCENTILE if median else CorrelationType(sigma.type.name.lower()),
            rules=tuple(self._resolve(each) for each in references),
            group_by=tuple(map(str, sigma.group_by or ())),
            timespan=sigma.timespan.seconds,
            limits=limits,
            alternatives=alternatives,
            fields=_fields(basic.fieldref if basic else None),
            percentile=50 if median else (basic.percentile if basic else None),
            aliases=tuple(
                (
                    str(alias.alias),
                    tuple((self._resolve(rule.reference), str(name)) for rule, name in alias.mapping.items()),
                )
                for alias in sigma.aliases
            ),
            generate=sigma.generate,
        )


def _named(reference: object) -> str:
    if not isinstance(reference, str | int):
        raise ValueError(f"rules are referred to by id or name, not by {reference!r}")
    return str(reference)


def _meant(sigma: SigmaFilter) -> list[str] | None:
    """The ids and names that a filter gives; None when it means every rule."""
    meant = sigma.filter.rules
    return None if isinstance(meant, str) else [_named(each.reference) for each in meant]


def _fields(named: object) -> tuple[str, ...]:
    names = named if isinstance(named, list) else [] if named is None else [named]
    if not all(isinstance(each, str) for each in names):
        raise ValueError("the 'field' of a correlation is a name, or a list of names")
    return tuple(names)


_OF_NUMBERS = frozenset(
    {SigmaCorrelationType.VALUE_SUM, SigmaCorrelationType.VALUE_AVG, SigmaCorrelationType.VALUE_MEDIAN}
)


def _check_one_field(sigma: SigmaCorrelationRule) -> None:
    """Raises ValueError where numbers of several fields would be measured: nobody says how."""
    condition = sigma.condition
    if isinstance(condition, SigmaCorrelationCondition) and len(_fields(condition.fieldref)) > 1:
        kind = sigma.type.name.lower()
        if sigma.type in _OF_NUMBERS or condition.percentile is not None:
            raise ValueError(f"a {kind} is of one field, not of {len(_fields(condition.fieldref))}")


def _without_own_id(document: Mapping[str, Any]) -> dict[str, Any]:
    """For pySigma, which refuses every id but UUIDs: the specification recommends them, no more."""
    own = document.get("id")
    if own is not None and not isinstance(own, str | int):
        raise ValueError("'id' is a text")
    try:
        UUID(own if isinstance(own, str) else "")
    except ValueError:
        return {key: value for key, value in document.items() if key != "id"}
    return dict(document)


def _below(start: str, built_on: Mapping[str, Sequence[str]]) -> set[str]:
    """The ids of everything a correlation is built on, however far down."""
    found: set[str] = set()
    waiting = list(built_on.get(start, ()))
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += built_on.get(each, ())
    return found


class _Waiting(Exception):
    """A placeholder has no values yet."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(names)
        self.names = names


def _first_line(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, KeyError):
        return f"the key {error} is missing"
    if isinstance(error, TypeError | AttributeError):
        return f"a value is of the wrong kind: {error}"
    return " ".join(str(error).split()) or type(error).__name__


def _logsource(sigma: SigmaRule | SigmaFilter) -> LogSource:
    words = (sigma.logsource.product, sigma.logsource.category, sigma.logsource.service)
    if not all(isinstance(word, str | None) for word in words):
        raise ValueError("'product', 'category' and 'service' of a log source are words")
    return LogSource(*(word and word.lower() for word in words))


def _same_source(asked: LogSource, given: LogSource) -> bool:
    """Whether what a filter is for covers a rule's log source."""
    return (
        asked.product in (None, given.product)
        and asked.category in (None, given.category)
        and asked.service in (None, given.service)
    )


_MOST_ALTERNATIVES = 64


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


# -- conditions ---------------------------------------------------------------------------------------------------

_WILD = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}
_ANY = SpecialChars.WILDCARD_MULTI
_FLAGS = {"IGNORECASE": "i", "MULTILINE": "m", "DOTALL": "s"}


@dataclass(slots=True)
class _Reader:
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


_MARK = "\udcff\udcfe"
"""UTF-16's byte order mark, which is no text; where a log was decoded it stands as U+FEFF."""


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


# -- log sources --------------------------------------------------------------------------------------------------

# Log sources of Sigma's taxonomy that pySigma's pipelines do not map: without this their rules would be asked of
# nothing, or, the two about files, of every Windows event. Those two are told by their provider, the rest by channel.
_KERNEL_FILE = Leaf("Provider_Name", LeafKind.EXACT, "Microsoft-Windows-Kernel-File")
_CHANNELS: dict[str, tuple[str, ...]] = {
    "application-experience": (
        "Microsoft-Windows-Application-Experience/Program-Telemetry",
        "Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant",
    ),
    "hyper-v-worker": ("Microsoft-Windows-Hyper-V-Worker", "Microsoft-Windows-Hyper-V-Worker-Admin"),
    "iis-configuration": ("Microsoft-IIS-Configuration/Operational",),
    "kernel-event-tracing": (
        "Microsoft-Windows-Kernel-EventTracing",
        "Microsoft-Windows-Kernel-EventTracing/Admin",
    ),
    "kernel-shimengine": (
        "Microsoft-Windows-Kernel-ShimEngine/Operational",
        "Microsoft-Windows-Kernel-ShimEngine/Diagnostic",
    ),
    "ldap": ("Microsoft-Windows-LDAP-Client/Debug",),
    "ntfs": ("Microsoft-Windows-Ntfs/Operational",),
    "sense": ("Microsoft-Windows-SENSE/Operational",),
    "servicebus-client": ("Microsoft-ServiceBus-Client/Operational", "Microsoft-ServiceBus-Client/Admin"),
    "smbclient-connectivity": ("Microsoft-Windows-SmbClient/Connectivity",),
    "smbserver-connectivity": ("Microsoft-Windows-SMBServer/Connectivity",),
}
_UNMAPPED: dict[str | None, Condition] = {
    "file_access": _KERNEL_FILE,
    "file_rename": _KERNEL_FILE,
    **{
        service: either(Leaf("Channel", LeafKind.EXACT, name) for name in names)
        for service, names in _CHANNELS.items()
    },
}

_PROBE = "rempart_probe"


@lru_cache(maxsize=1)
def _pipelines() -> ProcessingPipeline:
    make: Sequence[Callable[[], ProcessingPipeline]] = (sysmon_pipeline, windows_logsource_pipeline)
    first, second = (each() for each in make)
    return first + second


@lru_cache(maxsize=1024)
def _gate(logsource: LogSource) -> Condition | None:
    """What the pipelines ask of events for this log source; None when only the log source itself can tell.

    The two pipelines only add conditions that depend on the log source, so they are run once per log source on a rule
    that asks nothing else, not on thousands of rules.
    """
    if logsource.product != "windows":
        return None
    if logsource.category is None and logsource.service is None:
        return every(())
    named = {"product": logsource.product, "category": logsource.category, "service": logsource.service}
    probe = SigmaRule.from_dict(
        {
            "title": _PROBE,
            "logsource": {key: text for key, text in named.items() if text},
            "detection": {"probe": {_PROBE: _PROBE}, "condition": "probe"},
        }
    )
    _pipelines().apply(probe)
    whole = _Reader({}).condition(probe.detection.parsed_condition[0].parse())
    asked = Leaf(_PROBE, LeafKind.EXACT, _PROBE)
    added = [part for part in getattr(whole, "parts", ()) if part != asked]
    return every(added) if added else _UNMAPPED.get(logsource.category or logsource.service)


def _asked(logsource: LogSource, condition: Condition) -> Condition:
    """What a rule or a filter of this log source asks, beyond the log source itself."""
    asked = in_every_language(condition) if logsource.product == "windows" else condition
    return every((asked, sure(asked, logsource)))
