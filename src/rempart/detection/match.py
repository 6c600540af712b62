"""The matcher: which rules an event matches, and by which of its fields.

Rules are asked only of events from their own log source. The answer depends on the event and the rules alone; what is
remembered from earlier events changes the speed, never the answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rempart.detection.condition import And, Condition, Leaf, LeafKind, Not, Or
from rempart.detection.finding import Proof
from rempart.detection.gate import (
    GATE_FIELDS,
    All,
    Gate,
    Holds,
    Memo,
    Some,
    Tree,
    compiled,
    cover,
    mentioned,
    numbered,
    settle,
)
from rempart.detection.predicates import NOTHING, FieldTests, Keywords, as_text, refers, texts_of
from rempart.detection.rule import Rule
from rempart.events.event import Event, LogSource

_PROOF_CHARACTERS = 200
_KINDS_OF_EVENT = 20_000

_KEYWORDS = frozenset({LeafKind.KEYWORD, LeafKind.KEYWORD_RE})


class Matcher:
    """All rules, ready to be asked. Not for use by two threads at once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._numbers: dict[Leaf, int] = {}
        self._leaves: list[Leaf] = []
        self._tests: dict[str, FieldTests] = {}
        self._rules = tuple((rule, numbered(rule.condition, self._number)) for rule in rules)
        self._known = frozenset(number for number, leaf in enumerate(self._leaves) if _settles(leaf))
        self._index = _index(self._rules, self._leaves, self._known)
        self._gates: dict[tuple[LogSource, frozenset[int]], Gate] = {}
        self._kinds: dict[tuple[str | int | None, ...], Gate] = {}
        self._keywords: dict[frozenset[int], Keywords] = {}

    def _number(self, leaf: Leaf) -> int:
        number = self._numbers.get(leaf)
        if number is None:
            number = self._numbers[leaf] = len(self._leaves)
            self._leaves.append(leaf)
            if leaf.kind not in _KEYWORDS and leaf.kind is not LeafKind.FIELDREF:
                self._tests.setdefault(leaf.field, FieldTests()).add(number, leaf)
        return number

    def warm(self) -> None:
        """Compile every database now, so that the first events do not wait for it."""
        for tests in self._tests.values():
            tests.warm()

    def matches(self, event: Event) -> Sequence[Rule]:
        """The rules that match the event, in the order they were given."""
        source, get = event.logsource, event.fields.get
        channel, identifier, provider = get("Channel"), get("EventID"), get("Provider_Name")
        # As keys 1, 1.0 and True are the same, and a forged event could poison the memory of a real one: one type each.
        kind = (
            source.product,
            source.category,
            source.service,
            channel if channel.__class__ is str else _plain(channel),
            identifier if identifier.__class__ is int or identifier.__class__ is str else _plain(identifier),
            provider if provider.__class__ is str else _plain(provider),
        )
        gate = self._kinds.get(kind)
        if gate is None:
            gate = self._gate_for(event)
            if len(self._kinds) >= _KINDS_OF_EVENT:
                self._kinds.clear()
            self._kinds[kind] = gate
        return gate.matches(event.fields, event.raw)

    def evidence(self, rule: Rule, event: Event) -> tuple[Proof, ...]:
        """The fields and values that made the rule fire, each field once; empty when it does not fire."""
        found = self._proving(rule.condition, event.fields) or ()
        values = {each.field: each for each in (self._proof(leaf, event.fields) for leaf in found)}
        telling = [proof for name, proof in values.items() if name not in GATE_FIELDS]
        return tuple(telling or values.values())

    # -- gates ----------------------------------------------------------------------------------------------------

    def _gate_for(self, event: Event) -> Gate:
        true = NOTHING.union(
            *(
                self._tests[name].true_of(event.fields.get(name))
                for name in GATE_FIELDS
                if name in self._tests
            )
        )
        key = (event.logsource, true)
        if key not in self._gates:
            self._gates[key] = self._gate(event.logsource, true)
        return self._gates[key]

    def _gate(self, source: LogSource, true: frozenset[int]) -> Gate:
        """What is left of the rules for events of this log source of which these gate leaves are true."""
        always: list[Rule] = []
        left: list[tuple[int, Rule, Tree]] = []
        for place in sorted(
            NOTHING.union(self._index.get(-1, ()), *(self._index.get(leaf, ()) for leaf in true))
        ):
            rule, tree = self._rules[place]
            if covers(rule.needs, source):
                settled = settle(tree, self._known, true)
                if settled is True:
                    always.append(rule)
                elif settled is not False:
                    left.append((place, rule, settled))
        asked = NOTHING.union(*(mentioned(tree) for _, _, tree in left))
        return self._assemble(tuple(always), left, asked)

    def _assemble(
        self, always: tuple[Rule, ...], left: list[tuple[int, Rule, Tree]], asked: frozenset[int]
    ) -> Gate:
        by_field: dict[str, set[int]] = {}
        words: set[int] = set()
        references: list[tuple[int, Leaf]] = []
        for number in sorted(asked):
            leaf = self._leaves[number]
            if leaf.kind in _KEYWORDS:
                words.add(number)
            elif leaf.kind is LeafKind.FIELDREF:
                references.append((number, leaf))
            else:
                by_field.setdefault(leaf.field, set()).add(number)
        candidates, uncovered = self._covers(left)
        return Gate(
            tuple(by_field),
            tuple(Memo(self._tests[name].true_of, frozenset(numbers)) for name, numbers in by_field.items()),
            tuple(references),
            self._keywords_of(frozenset(words)),
            always,
            candidates,
            uncovered,
        )

    def _covers(
        self, left: list[tuple[int, Rule, Tree]]
    ) -> tuple[dict[int, tuple[tuple[int, Rule, Holds], ...]], tuple[tuple[int, Rule, Holds], ...]]:
        candidates: dict[int, list[tuple[int, Rule, Holds]]] = {}
        uncovered: list[tuple[int, Rule, Holds]] = []
        for place, rule, tree in left:
            entry = (place, rule, compiled(tree))
            found = cover(tree, lambda number: _commonness(self._leaves[number]))
            if found is None:
                uncovered.append(entry)
            else:
                for number in found[1]:
                    candidates.setdefault(number, []).append(entry)
        return {number: tuple(entries) for number, entries in candidates.items()}, tuple(uncovered)

    def _keywords_of(self, numbers: frozenset[int]) -> Keywords | None:
        if not numbers:
            return None
        if numbers not in self._keywords:
            self._keywords[numbers] = Keywords([(number, self._leaves[number]) for number in sorted(numbers)])
        return self._keywords[numbers]

    # -- evidence -------------------------------------------------------------------------------------------------

    def _proving(self, condition: Condition, fields: Mapping[str, Any]) -> list[Leaf] | None:
        """The true leaves that carry the condition; None when it does not hold."""
        match condition:
            case Leaf():
                return [condition] if self._holds(condition, fields) else None
            case Not(part):
                return [] if self._proving(part, fields) is None else None
            case And(parts):
                found = [self._proving(part, fields) for part in parts]
                return None if None in found else [leaf for each in found if each for leaf in each]
            case Or(parts):
                true = [each for each in (self._proving(part, fields) for part in parts) if each is not None]
                return [leaf for each in true for leaf in each] if true else None

    def _holds(self, leaf: Leaf, fields: Mapping[str, Any]) -> bool:
        if leaf.kind is LeafKind.FIELDREF:
            return refers(leaf, fields)
        number = self._numbers.get(leaf)
        if number is None:
            return False
        if leaf.kind in _KEYWORDS:
            words = self._keywords_of(frozenset((number,)))
            return words is not None and number in words.true_of(fields.values())
        return number in self._tests[leaf.field].true_of(fields.get(leaf.field))

    def _proof(self, leaf: Leaf, fields: Mapping[str, Any]) -> Proof:
        name = leaf.field or next(
            (name for name, value in fields.items() if self._holds(leaf, {name: value})), "keyword"
        )
        return Proof(name, " ".join(texts_of(fields.get(name)))[:_PROOF_CHARACTERS])


@lru_cache(maxsize=256)
def _alone(rule: Rule) -> Matcher:
    return Matcher((rule,))


def evidence(rule: Rule, event: Event) -> tuple[Proof, ...]:
    """As `Matcher.evidence`, for who has no matcher at hand."""
    return _alone(rule).evidence(rule, event)


def covers(needed: LogSource, given: LogSource) -> bool:
    """Whether an event of log source ``given`` may be asked a rule that needs ``needed``."""
    return (
        (needed.product is None or needed.product == given.product)
        and (needed.category is None or needed.category == given.category)
        and (needed.service is None or needed.service == given.service)
    )


def _plain(value: object) -> str | None:
    return None if value is None else as_text(value)


def _settles(leaf: Leaf) -> bool:
    return leaf.field in GATE_FIELDS and leaf.kind is not LeafKind.FIELDREF


def _index(
    rules: Iterable[tuple[Rule, Tree]], all_leaves: Sequence[Leaf], known: frozenset[int]
) -> dict[int, frozenset[int]]:
    """Gate leaf -> places of the rules that need it (or one of its like); -1 -> rules that need none."""
    index: dict[int, set[int]] = {}
    for place, (_, tree) in enumerate(rules):
        for number in _needed(tree, all_leaves, known) or (-1,):
            index.setdefault(number, set()).add(place)
    return {number: frozenset(places) for number, places in index.items()}


def _needed(tree: Tree, all_leaves: Sequence[Leaf], known: frozenset[int]) -> frozenset[int]:
    """Gate leaves of which one must be true for the rule; EventID before Channel, since it tells more apart."""
    if not isinstance(tree, All):
        return NOTHING
    options = [frozenset((leaf,)) for leaf in tree.leaves & known]
    options += [
        part.leaves
        for part in tree.parts
        if isinstance(part, Some) and not part.parts and part.leaves <= known
    ]
    return max(
        options,
        key=lambda option: (all(all_leaves[n].field == "EventID" for n in option), -len(option)),
        default=NOTHING,
    )


def _commonness(leaf: Leaf) -> float:
    """How often a leaf may be expected to be true: short texts more often than long ones."""
    match leaf.kind:
        case LeafKind.NULL | LeafKind.EXISTS:
            return 10.0
        case LeafKind.EXACT:
            return 0.1 / (1 + len(leaf.value))
        case (
            LeafKind.RE
            | LeafKind.KEYWORD_RE
            | LeafKind.CIDR
            | LeafKind.COMPARE
            | LeafKind.TIMEPART
            | LeafKind.FIELDREF
        ):
            return 0.5
    return 1.0 / (1 + len(leaf.value)) ** 2
