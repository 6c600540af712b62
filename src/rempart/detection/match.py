"""The matcher: which rules an event matches, and by which of its fields.

Rules are asked only of events from their own log source. The answer depends on the event and the rules alone; what is
remembered from earlier events changes the speed, never the answer.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, product
from math import inf
from typing import Any, NamedTuple

from rempart.detection.condition import And, Condition, Leaf, LeafKind, Not, Or
from rempart.detection.finding import Proof
from rempart.detection.gate import (
    GATE_FIELDS,
    Asked,
    Gate,
    Holds,
    Memo,
    Prepared,
    Room,
    Sieved,
    Sifting,
    Tide,
    cover,
    mentioned,
    numbered,
    weakened,
)
from rempart.detection.gate import (
    compiled as holding,
)
from rempart.detection.keywords import Keywords
from rempart.detection.predicates import (
    NOTHING,
    Compiled,
    FieldTests,
    as_text,
    is_plain,
    texts_of,
)
from rempart.detection.question import Question, View, question
from rempart.detection.rule import Rule, asked_by_channel
from rempart.detection.sieve import CAUGHT, Commonness, Sieve, available, trace
from rempart.events.event import Event, LogSource

_PROOF_CHARACTERS = 200
_KINDS_OF_EVENT = 20_000
_CROWD = 300
_WIDELY = 5
"""Rules that ask for one kind of event for its gate to be built before the first of them comes."""
_FEW_LEAVES = 8
"""Leaves that may be asked of every event beside a sieve."""
_MANY_LEAVES = 60
"""Leaves that are sooner looked up by value than asked one by one."""

_KEYWORDS = frozenset({LeafKind.KEYWORD, LeafKind.KEYWORD_RE})
_OF_THE_EVENT = _KEYWORDS | {LeafKind.FIELDREF}
"""Leaves that need more than one field."""


class Matcher:
    """All rules, ready to be asked. Not for use by two threads at once."""

    def __init__(self, rules: Sequence[Rule], compiled: Compiled | None = None) -> None:
        """``compiled``: where compiled databases are kept from one start to the next."""
        self._compiled = compiled
        self._numbers: dict[Leaf, int] = {}
        self._identities: dict[int, int] = {}
        self._leaves: list[Leaf] = []
        trees = [numbered(rule.condition, self._number) for rule in rules]
        self._known = frozenset(number for number, leaf in enumerate(self._leaves) if _settles(leaf))
        self._rules = [Prepared(*each, self._known) for each in zip(count(), rules, trees, strict=False)]
        self._costs = [_commonness(leaf) for leaf in self._leaves]
        self._whole = frozenset(number for number, leaf in enumerate(self._leaves) if leaf.kind in _KEYWORDS)
        self._identities.clear()  # true only while the rules are there
        self._needing = _grouped(self._rules)
        self._told = self._told_at_once()
        self._kind_tests = self._tests(self._known)
        self._first_tests = self._tests(self._told)
        self._later_tests = self._tests(
            number for number, leaf in enumerate(self._leaves) if not is_plain(leaf)
        )
        self._questions: dict[int, Question] = {}
        self._room = Room()
        self._indexes: dict[LogSource, _Index] = {}
        self._gates: dict[_GateKey, Gate | Sieved] = {}
        self._source = LogSource()
        self._kinds: dict[tuple[str | int | None, ...], Gate | Sieved] = {}
        self._kinds_of = {self._source: self._kinds}
        self._keywords: dict[frozenset[int], Keywords] = {}

    def _number(self, leaf: Leaf) -> int:
        # Equal leaves are mostly one object, since they were read from one file of compiled rules.
        number = self._identities.get(id(leaf))
        if number is None:
            number = self._numbers.setdefault(leaf, len(self._leaves))
            if number == len(self._leaves):
                self._leaves.append(leaf)
            self._identities[id(leaf)] = number
        return number

    def _cost(self, number: int) -> float:
        return self._costs[number]

    def _told_at_once(self) -> frozenset[int]:
        """The leaves that the first look at an event tells. Of rules that share their gate with hundreds of others only
        the covers: most of those rules are out after that, and the few left are asked directly.
        """
        crowds = Counter(rule.needs for rule in self._rules)
        told: set[int] = set()
        for rule in self._rules:
            covering = rule.cover(self._cost) if crowds[rule.needs] >= _CROWD else None
            alone = covering is None or not self._whole.isdisjoint(rule.mentioned)
            told |= rule.mentioned if alone or covering is None else covering
        return frozenset(told)

    def _tests(self, numbers: Iterable[int]) -> dict[str, FieldTests]:
        """Tests of these leaves, by field."""
        tests: dict[str, FieldTests] = {}
        for number in sorted(numbers):
            leaf = self._leaves[number]
            if leaf.kind not in _OF_THE_EVENT:
                tests.setdefault(leaf.field, FieldTests()).add(number, leaf)
        return tests

    def _ask(self, number: int) -> Question:
        asked = self._questions.get(number)
        if asked is None:
            asked = self._questions[number] = question(number, self._leaves[number])
        return asked

    def warm(self) -> None:
        """Compile every database and build the gates that many rules name, so that the first events do not wait."""
        for tests in (self._kind_tests, self._first_tests, self._later_tests):
            for each in tests.values():
                each.warm(self._compiled)
        for source in self._needing:
            self._indexes.setdefault(source, self._index(source))
        for key in self._expected():
            self._gate_at(key)

    def matches(self, event: Event) -> Sequence[Rule]:
        """The rules that match the event, in the order they were given."""
        return self.gate(event).matches(event.fields, event.raw)

    def gate(self, event: Event) -> Gate | Sieved:
        """What is left of the rules for events of this kind."""
        if event.logsource is not self._source:
            self._source = event.logsource
            self._kinds = self._kinds_of.setdefault(event.logsource, {})
        get = event.fields.get
        identifier = get("EventID")
        try:
            gate = self._kinds.get((get("Channel"), identifier, get("Provider_Name")))
        except TypeError:  # a list or a map among them: not hashable, not remembered
            gate = self._gate_at(self._key(event))
        if gate is None or identifier.__class__ is bool:
            gate = self._gate_of(event)
        return gate

    def evidence(self, rule: Rule, event: Event) -> tuple[Proof, ...]:
        """The fields and values that made the rule fire, each field once; empty when it does not fire."""
        found = self._proving(rule.condition, event.fields) or ()
        values = {each.field: each for each in (self._proof(leaf, event.fields) for leaf in found)}
        telling = [proof for name, proof in values.items() if name not in GATE_FIELDS]
        return tuple(telling or values.values())

    # -- gates ----------------------------------------------------------------------------------------------------

    def _gate_of(self, event: Event) -> Gate | Sieved:
        """The gate of an event of a kind that was not seen yet, or is told in no plain way; remembered.

        As keys 1, 1.0 and True are the same, and a forged event could poison the memory of a real one. So everything is
        remembered as its text, but for a whole number as EventID: 1.0 has its text, and `matches` looks out for True.
        """
        channel, identifier, provider = map(event.fields.get, GATE_FIELDS)
        kind = (
            _plain(channel),
            identifier if identifier.__class__ is int else _plain(identifier),
            _plain(provider),
        )
        gate = self._kinds.get(kind)
        if gate is None:
            if len(self._kinds) >= _KINDS_OF_EVENT:
                self._kinds.clear()
            gate = self._kinds[kind] = self._gate_at(self._key(event))
        return gate

    def _key(self, event: Event) -> "_GateKey":
        return event.logsource, self._known_of(event.fields)

    def _gate_at(self, key: "_GateKey") -> Gate | Sieved:
        if key not in self._gates:
            self._gates[key] = self._gate(key)
        return self._gates[key]

    def _expected(self) -> Iterator["_GateKey"]:
        """The kinds of event that many rules ask for by Channel and EventID."""
        asking: dict[tuple[LogSource, str, str], list[Prepared]] = {}
        for rule in self._rules:
            needed = [self._leaves[number] for number in NOTHING.union(*rule.needs)]
            channels, events = (
                [leaf.value for leaf in needed if leaf.field == name] for name in GATE_FIELDS[:2]
            )
            for kind in product(channels, events):
                asking.setdefault((rule.rule.needs, *kind), []).append(rule)
        for (source, channel, event), rules in asking.items():
            true = self._known_of({"Channel": channel, "EventID": event, "Provider_Name": ""})
            # Where a rule names two kinds, "Sysmon 1 or Security 4688", there are no events of Sysmon 4688.
            if len(rules) >= _WIDELY and rules[0].under(self._known, true) is not False:
                yield source, true

    def _known_of(self, fields: Mapping[str, Any]) -> frozenset[int]:
        """The gate leaves that are true of these fields."""
        tests = self._kind_tests
        return NOTHING.union(
            *(tests[name].true_of(fields.get(name)) for name in GATE_FIELDS if name in tests)
        )

    def _gate(self, key: "_GateKey") -> Gate | Sieved:
        """What is left of the rules for events of this log source of which these gate leaves are true."""
        source, true = key
        if source not in self._indexes:
            self._indexes[source] = self._index(source)
        always: list[Rule] = []
        left: list[Asked] = []
        for prepared in self._indexes[source].those(true):
            asked = prepared.under(self._known, true)
            if asked is True:
                always.append(prepared.rule)
            elif isinstance(asked, Asked):
                left.append(asked)
        gate = self._assemble(tuple(always), left)
        if available() and len(left) < _CROWD:
            gate.flooded = lambda: self._flooded(key, gate, left)
        return gate

    def _flooded(self, key: "_GateKey", gate: Gate, left: Sequence[Asked]) -> None:
        """Put the gate behind a sieve, wherever it is asked: values that are new cost nothing there.

        Not where rules that leave no trace would have to be asked of every event.
        """
        gate.flooded = None
        if sum(self._effort(asked) for asked in left if self._traceless(asked)) > _FEW_LEAVES:
            return
        sieved = Sieved(gate, lambda commonness: self._sifting(left, commonness), self._later_tests)
        self._gates[key] = sieved
        for kinds in self._kinds_of.values():
            kinds.update({kind: sieved for kind, asked in kinds.items() if asked is gate})

    def _sifting(self, left: Sequence[Asked], commonness: Commonness) -> Sifting:
        numbers: dict[str, int] = {}
        leaves_of: dict[int, set[int]] = {}
        suspects: dict[int, list[_Suspect]] = {}
        always: list[Asked] = []
        for asked in left:
            weak = weakened(asked.tree, self._share(commonness))
            if weak is None or weak[0] == inf:
                always.append(asked)
                continue
            for leaf in mentioned(weak[1]):
                number = numbers.setdefault(trace(self._leaves[leaf]) or "", len(numbers))
                leaves_of.setdefault(number, set()).add(leaf)
            suspect = _Suspect(asked, holding(weak[1]))
            for leaf in (cover(weak[1], self._share(commonness)) or (inf, NOTHING))[1]:
                suspects.setdefault(leaf, []).append(suspect)

        def suspected(found: frozenset[int]) -> tuple[tuple[Asked, Question], ...] | None:
            if CAUGHT in found:
                return None
            true = frozenset(leaf for number in found for leaf in leaves_of[number])
            near = {each for leaf in true for each in suspects.get(leaf, ())}
            these = [*always, *(each.asked for each in near if each.possible(true))]
            if sum(map(self._effort, these)) > _MANY_LEAVES:
                return None
            return tuple((asked, asked.question(self._ask, self._cost)) for asked in these)

        return Sifting(Sieve(numbers, self._compiled).found, suspected)

    def _traceless(self, asked: Asked) -> bool:
        weak = weakened(asked.tree, lambda number: 0.0 if trace(self._leaves[number]) else inf)
        return weak is None or weak[0] == inf

    def _share(self, commonness: Commonness) -> Callable[[int], float]:
        return lambda number: commonness.of(self._leaves[number])

    def _effort(self, asked: Asked) -> float:
        """How much it takes to ask one rule directly: its leaves; a keyword would have to be looked for everywhere."""
        return len(asked.mentioned) if self._whole.isdisjoint(asked.mentioned) else inf

    def _index(self, source: LogSource) -> "_Index":
        groups = (rules for needed, rules in self._needing.items() if covers(needed, source))
        return _Index(sorted(chain.from_iterable(groups), key=lambda rule: rule.place), self._tells)

    def _tells(self, need: frozenset[int]) -> tuple[bool, int]:
        """How much a need tells events apart: EventID more than Channel, one value more than several."""
        return all(self._leaves[number].field == "EventID" for number in need), -len(need)

    def _assemble(self, always: tuple[Rule, ...], left: Sequence[Asked]) -> Gate:
        candidates: dict[int, list[Asked]] = {}
        uncovered: list[Asked] = []
        first: set[int] = set()
        for asked in left:
            covering = asked.cover(self._cost)
            if covering is None:
                uncovered.append(asked)
            else:
                for number in covering:
                    candidates.setdefault(number, []).append(asked)
            first |= asked.mentioned if asked.mentioned <= self._told else covering or NOTHING
        by_field: dict[str, set[int]] = {}
        for number in first:
            if self._leaves[number].kind in _OF_THE_EVENT:
                continue
            by_field.setdefault(self._leaves[number].field, set()).add(number)
        words = frozenset(number for number in first if self._leaves[number].kind in _KEYWORDS)
        tide = Tide()
        return Gate(
            tuple(by_field),
            tuple(
                Memo(self._first_tests[name].true_of, frozenset(numbers), self._room, tide)
                for name, numbers in by_field.items()
            ),
            tuple((n, self._leaves[n]) for n in first if self._leaves[n].kind is LeafKind.FIELDREF),
            self._keywords_of(words),
            always,
            candidates,
            tuple(uncovered),
            frozenset(first),
            self._ask,
            self._cost,
            self._later_tests,
            tide,
        )

    def _keywords_of(self, numbers: frozenset[int]) -> Keywords | None:
        if not numbers:
            return None
        if numbers not in self._keywords:
            named = [(number, self._leaves[number]) for number in sorted(numbers)]
            self._keywords[numbers] = Keywords(named, self._compiled)
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
        number = self._numbers.get(leaf)
        if number is None:
            return False
        if leaf.kind in _KEYWORDS:
            words = self._keywords_of(frozenset((number,)))
            return words is not None and number in words.true_of(fields.values())
        return self._ask(number)(View(fields, self._later_tests))

    def _proof(self, leaf: Leaf, fields: Mapping[str, Any]) -> Proof:
        name = leaf.field or next(
            (name for name, value in fields.items() if self._holds(leaf, {name: value})), "keyword"
        )
        return Proof(name, " ".join(texts_of(fields.get(name)))[:_PROOF_CHARACTERS])


_GateKey = tuple[LogSource, frozenset[int]]
"""A log source, and the gate leaves that are true."""


def covers(needed: LogSource, given: LogSource) -> bool:
    """Whether an event of log source ``given`` may be asked a rule that needs ``needed``."""
    if given == _WINDOWS and asked_by_channel(needed):
        return True
    return (
        (needed.product is None or needed.product == given.product)
        and (needed.category is None or needed.category == given.category)
        and (needed.service in (None, given.service) or given.service in _WITHIN.get(needed.service, ()))
    )


_WINDOWS = LogSource("windows")
_WITHIN: Mapping[str, frozenset[str]] = {"auth": frozenset({"sshd", "sudo"})}
"""Services of Linux whose messages stand in another's file: what sshd and sudo say is in ``auth.log``."""


def _plain(value: object) -> str | None:
    return None if value is None else as_text(value)


def _settles(leaf: Leaf) -> bool:
    return leaf.field in GATE_FIELDS and leaf.kind is not LeafKind.FIELDREF


def _grouped(rules: Iterable[Prepared]) -> dict[LogSource, list[Prepared]]:
    """The rules by the log source that they need."""
    groups: dict[LogSource, list[Prepared]] = {}
    for rule in rules:
        groups.setdefault(rule.rule.needs, []).append(rule)
    return groups


class _Suspect(NamedTuple):
    """A rule, and whether it may hold when these leaves may."""

    asked: Asked
    possible: Holds


class _Index:
    """The rules of one log source by a gate leaf that they need."""

    def __init__(
        self, rules: Iterable[Prepared], tells: Callable[[frozenset[int]], tuple[bool, int]]
    ) -> None:
        self._needing: dict[int, list[Prepared]] = {}
        self._needy_of_nothing: list[Prepared] = []
        for rule in rules:
            need = rule.first_need(tells)
            for number in need:
                self._needing.setdefault(number, []).append(rule)
            if not need:
                self._needy_of_nothing.append(rule)

    def those(self, true: frozenset[int]) -> Iterator[Prepared]:
        """The rules worth a look where these gate leaves are true, each once."""
        yield from self._needy_of_nothing
        seen: set[int] = set()
        for number in true:
            for rule in self._needing.get(number, ()):
                if id(rule) not in seen:
                    seen.add(id(rule))
                    yield rule


# What stands in a good part of all Windows events, whatever happens: a poor sign that a rule is about this one.
_EVERYDAY = r"""
c:\windows\system32\svchost.exe -k -p |c:\windows\syswow64\|c:\windows\explorer.exe|nt authority\system
c:\program files\|c:\program files (x86)\|c:\programdata\|c:\users\public\|\appdata\local\temp\|\appdata\roaming\
microsoft.net\framework64\|\conhost.exe|\cmd.exe /c |process|\windowspowershell\v1.0\powershell.exe
"""
_EVERYDAY_VALUES = frozenset({"microsoft corporation", "system", "high"})
"""The same for whole values: who made a program, and how much it may do."""


def _commonness(leaf: Leaf) -> float:
    """How often a leaf may be expected to be true: short texts more often than long ones."""
    match leaf.kind:
        case LeafKind.NULL | LeafKind.EXISTS:
            return 10.0
        case LeafKind.EXACT:
            return 0.2 if leaf.value.lower() in _EVERYDAY_VALUES else 0.1 / (1 + len(leaf.value))
        case (
            LeafKind.RE
            | LeafKind.KEYWORD_RE
            | LeafKind.CIDR
            | LeafKind.COMPARE
            | LeafKind.TIMEPART
            | LeafKind.FIELDREF
        ):
            return 0.5
    return 0.2 if leaf.value.lower() in _EVERYDAY else 1.0 / (1 + len(leaf.value)) ** 2
