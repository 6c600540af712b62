"""Rules while their files are being read: what refers to what is resolved when all of them have been."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import yaml
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.rule import SigmaDetections, SigmaRule, SigmaRuleBase

from rempart.detection import notation
from rempart.detection.audited import widened
from rempart.detection.collection import gathered
from rempart.detection.condition import Condition, either, every, leaves
from rempart.detection.finding import Level
from rempart.detection.logic import parsed
from rempart.detection.meaning import meaning
from rempart.detection.predicates import (
    ExpressionRefused,
    ExpressionTooLarge,
    SetTooLarge,
    check_expressions,
)
from rempart.detection.repeats import Allowance
from rempart.detection.rule import Comparison, Correlation, Rule, RuleCard, RuleSet
from rempart.detection.sigma.correlation import Limits, below, check_one_field, correlation
from rempart.detection.sigma.logsource import asked_of, gate_of, logsource_of, same_source, told_on_windows
from rempart.detection.sigma.selection import ConditionReader
from rempart.detection.unquoted import RuleLoader
from rempart.errors import Problem
from rempart.events.event import LogSource

# What pySigma and PyYAML raise on malformed documents; anything else is our own fault and must be seen.
_MALFORMED = (SigmaError, yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(slots=True)
class Draft:
    """Rules while files are being read."""

    placeholders: Mapping[str, Sequence[str]]
    allowance: Allowance
    """What the expressions of all rules may still cost to compile."""
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
        except SetTooLarge as error:
            self._refuse(where, str(error), "Leave out rules of this set, or ask its author what it is for.")
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
        logsource = logsource_of(sigma)
        card = self._card(path, where, document, sigma, logsource)
        gate = gate_of(logsource)
        asked = asked_of(logsource, self._condition(sigma.detection))
        told = widened(gate, logsource.category) if gate else told_on_windows(logsource)
        condition = every((told, asked)) if told else asked
        needs = logsource if gate is None else LogSource(product=logsource.product)
        self._take(card, where)
        self.rules[card.id] = Rule(card=card, logsource=logsource, needs=needs, condition=condition)

    def _condition(self, detections: SigmaDetections) -> Condition:
        reader = ConditionReader(self.placeholders)
        selections = detections.detections

        def ask(name: str) -> Condition:
            return reader.condition(selections[name].postprocess(detections))

        asked = either(parsed(each, selections, ask) for each in detections.condition)
        if reader.missing:
            raise _Waiting(tuple(reader.missing))
        check_expressions(leaves(asked), self.allowance)
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
        check_one_field(sigma)
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
                correlations.append(correlation(card, sigma, limits, self._resolve))
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
        round_ = {each for each in built_on if each in below(each, built_on)}
        circular = round_ | {each for each in built_on if below(each, built_on) & round_}
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
            if same_source(logsource_of(sigma), self.rules[each].logsource)
        ]
        if not narrowed:
            self._refuse(
                where, "the filter applies to no rule", "Name loaded rules of the filter's log source."
            )
        for each in narrowed:
            rule = self.rules[each]
            asked = asked_of(rule.logsource, condition)
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


def _named(reference: object) -> str:
    if not isinstance(reference, str | int):
        raise ValueError(f"rules are referred to by id or name, not by {reference!r}")
    return str(reference)


def _meant(sigma: SigmaFilter) -> list[str] | None:
    """The ids and names that a filter gives; None when it means every rule."""
    meant = sigma.filter.rules
    return None if isinstance(meant, str) else [_named(each.reference) for each in meant]


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
