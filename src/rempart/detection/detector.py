"""The whole of detection as one value: an event goes in, the findings it brings about come out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Self

import msgspec

from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.correlate import Correlator, Crossing
from rempart.detection.exception import Exceptions, Exemption, Tamed
from rempart.detection.explain import finding, observables
from rempart.detection.finding import Finding, Proof
from rempart.detection.indicator import Indicators
from rempart.detection.match import Matcher
from rempart.detection.predicates import Compiled
from rempart.detection.rule import Comparison, Correlation, CorrelationType, Rule, RuleCard, RuleSet
from rempart.detection.surroundings import Surroundings
from rempart.events.event import Event
from rempart.instants import Duration, Instant

REPEATS = 10
"""Seconds of quiet after which the same rule about the same things is told again; until then only when doubled."""


class Detection:
    """Rules and what they remember. The same events in the same order give the same findings, whatever was before."""

    def __init__(
        self,
        rules: RuleSet,
        surroundings: Surroundings | None = None,
        exceptions: Exceptions | None = None,
        compiled: Compiled | None = None,
        *,
        indicators: Indicators | None = None,
        behaviour: Behaviour | None = None,
    ) -> None:
        """``surroundings``: what the site adds to events; without it rules that ask for it stay silent.
        ``exceptions``: what the site has decided not to be told. ``compiled``: databases kept from an earlier start.
        ``indicators`` and ``behaviour``: looked at beside the rules, in the same pass; without them rules only.
        """
        self._rules = rules
        self.tamed = Tamed(exceptions or Exceptions(), rules)
        self._surroundings = surroundings or Surroundings()
        self._matcher = Matcher(rules.rules, compiled)
        self._silent = only_parts(rules)
        cards = [*(each.card for each in rules.rules), *(each.card for each in rules.correlations)]
        self._titles = {card.id: card.title for card in cards}
        self._groups = {each.card.id: each.group_by for each in rules.correlations}
        self._indicators = indicators
        self._behaviour = behaviour
        self._forget()

    def _forget(self) -> None:
        told = [rule for rule in self._rules.rules if rule.card.id not in self._silent]
        self._correlator = Correlator(self._rules.correlations)
        self._repeats = Correlator([_repeats(rule) for rule in told])
        self._indicators = self._indicators and self._indicators.afresh()
        self._behaviour = self._behaviour and self._behaviour.afresh()
        self._latest = Instant(0)
        self.hidden: Counter[tuple[Exemption, str]] = Counter()
        """How often an exception hid what a rule (its id) would have said."""

    def afresh(self) -> Self:
        """The same rules with nothing remembered. They are not compiled again: that is what takes time."""
        other = copy(self)
        other._forget()
        return other

    @property
    def longest_timespan(self) -> Duration:
        """How long an event can still matter. After a restart, feed the events of that long again, in their order: the
        findings made then have the ids they had before.
        """
        beside = [each.memory for each in self._beside()]
        return max(self._correlator.memory, self._repeats.memory, *beside)

    def inherit(self, other: Self) -> None:
        """Go on with what the behaviour detectors of another remember: pasts reach further back than any replay."""
        self._behaviour = other._behaviour or self._behaviour

    def title(self, rule: str) -> str:
        """The title of a rule or correlation; of what is found without one, its id."""
        return self._titles.get(rule, rule)

    def group_by(self, rule: str) -> tuple[str, ...] | None:
        """The fields by which a correlation counts; None for whatever is no correlation."""
        return self._groups.get(rule)

    def pasts(self) -> bytes:
        """What the behaviour detectors remember, for `recall` at the next start."""
        return self._behaviour.written() if self._behaviour else b""

    def recall(self, pasts: bytes) -> None:
        """Have the behaviour detectors remember what `pasts` said, and nothing else. Raises ValueError when it is not
        understood; then nothing changes.
        """
        if self._behaviour and pasts:
            self._behaviour = self._behaviour.recalled(pasts)

    def warm(self) -> None:
        """Compile all that is otherwise compiled when first needed, so that the first attack does not wait for it."""
        self._matcher.warm()

    def feed(self, event: Event) -> list[Finding]:
        """The findings that this event brings about. An event without a time counts as of the latest time seen."""
        event = self._surroundings.describe(event)
        time = event.time if event.time is not None else self._latest
        self._latest = max(self._latest, time)
        matched = [
            found for rule in self._matcher.matches(event) for found in self._matched(rule, event, time)
        ]
        if self._indicators is not None or self._behaviour is not None:
            matched += self._seen_beside(event, time)
        return matched

    def _beside(self) -> tuple[Indicators | Behaviour, ...]:
        return tuple(each for each in (self._indicators, self._behaviour) if each is not None)

    def _seen_beside(self, event: Event, time: Instant) -> Iterator[Finding]:
        """What indicators and behaviour say, unless an exception hides it."""
        for each in self._beside():
            for found in each.feed(event, time):
                if not self._hides(found.rule, event.fields):
                    yield replace(found, level=self.tamed.level(found.rule, found.level, self._latest))

    def _matched(self, rule: Rule, event: Event, time: Instant) -> Iterator[Finding]:
        if self._hides(rule.card.id, event.fields):
            return
        if rule.card.id not in self._silent:
            yield from self._told(rule, event, time)
        for crossing in self._correlator.feed(rule.card.id, event, time):
            card = crossing.correlation.card
            if card.id not in self._silent and not self._hides(card.id, dict(crossing.group)):
                yield _correlated(crossing, self.tamed.card(card, self._latest))

    def _hides(self, rule: str, fields: Mapping[str, Any]) -> bool:
        """Whether an exception hides this; what is hidden is counted."""
        exemption = self.tamed.hiding(rule, fields, self._latest)
        if exemption is not None:
            self.hidden[exemption, rule] += 1
        return exemption is not None

    def _told(self, rule: Rule, event: Event, time: Instant) -> Iterator[Finding]:
        """The rule's own finding, unless the same was told a moment ago."""
        things = observables(rule.card.meaning, event.fields)
        about = msgspec.structs.replace(event, fields={"things": " ".join(sorted(map(str, things))) or "-"})
        for crossing in self._repeats.feed(rule.card.id, about, time):
            proofs = self._matcher.evidence(rule, event)
            card = self.tamed.card(rule.card, self._latest)
            yield finding(card, event, time, things=things, proofs=proofs, count=crossing.count)


def _repeats(rule: Rule) -> Correlation:
    """Sees the rule itself as a correlation of one, so that a flood of it gives few findings."""
    return Correlation(
        card=replace(rule.card, id=f"repeats of {rule.card.id}"),
        type=CorrelationType.EVENT_COUNT,
        rules=(rule.card.id,),
        group_by=("things",),
        timespan=REPEATS,
        limits=((Comparison.GTE, 1.0),),
    )


def _correlated(crossing: Crossing, card: RuleCard) -> Finding:
    """The finding of a correlation; its proofs are the group and the value that was reached."""
    correlation = crossing.correlation
    named = ", ".join(correlation.fields) or "events"
    rare = correlation.fields if correlation.of_values else ()
    return finding(
        card,
        crossing.event,
        crossing.time,
        group=[text for pair in crossing.group for text in pair],
        things=crossing.things,
        proofs=[
            *(Proof(name, value) for name, value in crossing.group),
            *(
                Proof(name, str(value))
                for name in rare
                if (value := crossing.event.fields.get(name)) is not None
            ),
            Proof(f"{correlation.type.replace('_', ' ')} of {named}", f"{crossing.value:g}"),
        ],
        count=crossing.count,
    )


def only_parts(rules: RuleSet) -> frozenset[str]:
    """Ids of the rules and correlations that only serve others and report nothing by themselves."""
    part: dict[str, bool] = {}
    for correlation in rules.correlations:
        for each in correlation.rules:
            part[each] = part.get(each, True) and not correlation.generate
    return frozenset(each for each, silent in part.items() if silent)
