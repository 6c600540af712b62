"""A gate: what is left of all rules once an event's log source, Channel, EventID and Provider are known.

Thousands of rules are cut down to those that can still match such an event, once per kind of event. What is left is
answered by sets of true leaves, remembered by value and by combination (the *signature*), because logs repeat
themselves. Every memory is bounded: forgetting costs time, never a match.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from operator import getitem
from typing import Any

from rempart.detection.condition import And, Condition, Leaf, Not, Or
from rempart.detection.keywords import Keywords
from rempart.detection.predicates import NOTHING, FieldTests, refers
from rempart.detection.question import Question, View, all_of, none_of, one_of
from rempart.detection.rule import Rule
from rempart.detection.sieve import Commonness

GATE_FIELDS = ("Channel", "EventID", "Provider_Name")

_MEMO_CHARACTERS = 6_000_000
"""What all memos of a matcher may hold together, in characters of values (plus a fixed cost each)."""
_ENTRY_COST = 130
"""What a text takes beside its characters, with its place in a dictionary."""
_SIGNATURES = 4_000
_TURN = 255
"""A gate looks back every so many events, a power of two less one."""
_SELDOM = 7
"""At high tide one value of eight is remembered, so that ebb is noticed."""
_VOLUMINOUS = 1_000
"""Characters an event that are new, over a whole turn, above which a field is let pass: hashing and keeping such texts
takes as long as looking at them, and pushes out what would come again."""
_PASSING = 31
"""Turns for which it is let pass; then one in which its values are looked up again."""
_SAMPLE, _APART, _SAMPLED_BYTES = 16, 16, 16_384
"""Of the first events that come every sixteenth is looked at, 16 in all, and of none more than this."""
_COMMON = 0.05
"""The share of events above which one part of a rule tells too little."""


# -- trees of numbers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class All:
    """Every leaf and every part."""

    leaves: frozenset[int]
    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one leaf or part."""

    leaves: frozenset[int]
    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Inverse:
    """Not the part."""

    part: "Tree"


Tree = All | Some | Inverse
Holds = Callable[[frozenset[int]], bool]


def numbered(condition: Condition, number: Callable[[Leaf], int]) -> Tree:
    """The condition with its leaves replaced by numbers."""
    match condition:
        case Leaf():
            return All(frozenset((number(condition),)), ())
        case Not(part):
            return Inverse(numbered(part, number))
        case And(parts) | Or(parts):
            leaves = frozenset(number(part) for part in parts if isinstance(part, Leaf))
            rest = tuple(numbered(part, number) for part in parts if not isinstance(part, Leaf))
            return All(leaves, rest) if isinstance(condition, And) else Some(leaves, rest)


def settle(tree: Tree, known: frozenset[int], true: frozenset[int]) -> Tree | bool:
    """The tree with the ``known`` leaves replaced by whether they are ``true``: a smaller tree, or the answer."""
    match tree:
        case Inverse(part):
            settled = settle(part, known, true)
            return (not settled) if isinstance(settled, bool) else Inverse(settled)
        case All(leaves, parts):
            if not leaves & known <= true:
                return False
            return _rest(tree, leaves - known, parts, known, true)
        case Some(leaves, parts):
            if not leaves.isdisjoint(true & known):
                return True
            return _rest(tree, leaves - known, parts, known, true)


def _rest(
    tree: All | Some,
    leaves: frozenset[int],
    parts: tuple[Tree, ...],
    known: frozenset[int],
    true: frozenset[int],
) -> Tree | bool:
    decisive = isinstance(tree, Some)
    open_parts: list[Tree] = []
    for part in parts:
        settled = settle(part, known, true)
        if settled is decisive:
            return decisive
        if not isinstance(settled, bool):
            open_parts.append(settled)
    if not leaves and not open_parts:
        return not decisive
    if not leaves and len(open_parts) == 1:
        return open_parts[0]
    return type(tree)(leaves, tuple(open_parts))


def compiled(tree: Tree) -> Holds:
    """A function from the set of true leaves to the answer."""
    match tree:
        case Inverse(Some(leaves, ())):
            return leaves.isdisjoint
        case Inverse(part):
            inner = compiled(part)
            return lambda true: not inner(true)
        case All(leaves, ()):
            return leaves.issubset
        case Some(leaves, ()):
            return lambda true: not leaves.isdisjoint(true)
        case All(leaves, parts):
            return _all(leaves, tuple(map(compiled, parts)))
        case Some(leaves, parts):
            return _some(leaves, tuple(map(compiled, parts)))


def _all(leaves: frozenset[int], parts: tuple[Holds, ...]) -> Holds:
    def holds(true: frozenset[int]) -> bool:
        if not leaves <= true:
            return False
        for each in parts:  # noqa: SIM110  a plain loop is a third faster than all()
            if not each(true):
                return False
        return True

    return holds


def _some(leaves: frozenset[int], parts: tuple[Holds, ...]) -> Holds:
    def holds(true: frozenset[int]) -> bool:
        if not leaves.isdisjoint(true):
            return True
        for each in parts:  # noqa: SIM110
            if each(true):
                return True
        return False

    return holds


def questions(tree: Tree, ask: Callable[[int], Question], cost: Callable[[int], float]) -> Question:
    """The tree as a question to an event; what probably settles it is asked first."""
    match tree:
        case Inverse(part):
            return none_of(questions(part, ask, cost))
        case All(leaves, parts):
            asked = [ask(leaf) for leaf in sorted(leaves, key=cost)]
            return all_of([*asked, *(questions(part, ask, cost) for part in parts)])
        case Some(leaves, parts):
            asked = [ask(leaf) for leaf in sorted(leaves, key=cost, reverse=True)]
            return one_of([*asked, *(questions(part, ask, cost) for part in parts)])


def mentioned(tree: Tree) -> frozenset[int]:
    """Every leaf in the tree."""
    match tree:
        case Inverse(part):
            return mentioned(part)
        case All(leaves, parts) | Some(leaves, parts):
            return leaves.union(*map(mentioned, parts)) if parts else leaves


def cover(tree: Tree, cost: Callable[[int], float]) -> tuple[float, frozenset[int]] | None:
    """The cheapest leaves of which one must be true for the tree to hold; None when nothing need be true."""
    match tree:
        case Inverse():
            return None
        case All(leaves, parts):
            singles = [(cost(leaf), frozenset((leaf,))) for leaf in leaves]
            rest = [found for part in parts if (found := cover(part, cost)) is not None]
            return min([*singles, *rest], key=lambda found: found[0], default=None)
        case Some(leaves, parts):
            total, covering = sum(map(cost, leaves)), leaves
            for part in parts:
                found = cover(part, cost)
                if found is None:
                    return None
                total, covering = total + found[0], covering | found[1]
            return total, covering


def weakened(tree: Tree, share: Callable[[int], float]) -> tuple[float, Tree] | None:
    """A smaller tree that holds whenever the tree does, and how often it may be expected to; None when there is none.

    ``share``: how often a leaf is true; infinite where that cannot be told. Of what must all be true the rarest part is
    kept, and the second where the first is common.
    """
    match tree:
        case Inverse():
            return None
        case All(leaves, parts):
            singles: list[tuple[float, Tree]] = [
                (share(leaf), All(frozenset((leaf,)), ())) for leaf in leaves
            ]
            kept = [each for part in parts if (each := weakened(part, share)) is not None]
            best = sorted((each for each in (*singles, *kept) if each[0] < inf), key=lambda each: each[0])
            if not best or best[0][0] < _COMMON or len(best) == 1:
                return best[0] if best else None
            return best[0][0] * best[1][0], All(NOTHING, (best[0][1], best[1][1]))
        case Some(leaves, parts):
            kept = [each for part in parts if (each := weakened(part, share)) is not None]
            total = sum(map(share, leaves)) + sum(each[0] for each in kept)
            return (total, Some(leaves, tuple(each[1] for each in kept))) if len(kept) == len(parts) else None


# -- rules made ready ---------------------------------------------------------------------------------------------


class Asked:
    """A rule as far as a gate leaves it open. What is computed from the tree is computed once, when first needed."""

    __slots__ = ("_cover", "_holds", "_mentioned", "_question", "place", "rule", "tree")

    def __init__(self, place: int, rule: Rule, tree: Tree) -> None:
        self.place = place
        """Where the rule stands in the order of rules."""
        self.rule = rule
        self.tree = tree
        self._holds: Holds | None = None
        self._question: Question | None = None
        self._mentioned: frozenset[int] | None = None
        self._cover: tuple[float, frozenset[int]] | bool | None = False

    @property
    def mentioned(self) -> frozenset[int]:
        """The leaves still open."""
        if self._mentioned is None:
            self._mentioned = mentioned(self.tree)
        return self._mentioned

    def cover(self, cost: Callable[[int], float]) -> frozenset[int] | None:
        """See `cover`. ``cost`` is the same at every call."""
        if isinstance(self._cover, bool):
            self._cover = cover(self.tree, cost)
        return None if self._cover is None else self._cover[1]

    def holds(self, true: frozenset[int]) -> bool:
        """Whether the rule matches when these leaves are true."""
        if self._holds is None:
            self._holds = compiled(self.tree)
        return self._holds(true)

    def question(self, ask: Callable[[int], Question], cost: Callable[[int], float]) -> Question:
        """See `questions`. ``ask`` and ``cost`` are the same at every call."""
        if self._question is None:
            self._question = questions(self.tree, ask, cost)
        return self._question


class Prepared:
    """A rule with what it needs of the gate fields taken out, so that most gates never touch its tree."""

    __slots__ = ("_asked", "_kinds", "_mixed", "_needs", "rule")

    def __init__(self, place: int, rule: Rule, tree: Tree, known: frozenset[int]) -> None:
        self.rule = rule
        self._needs, self._kinds, rest = _parted(tree, known)
        self._asked = Asked(place, rule, rest)
        self._mixed = not known.isdisjoint(self._asked.mentioned)

    @property
    def place(self) -> int:
        """Where the rule stands in the order of rules."""
        return self._asked.place

    @property
    def needs(self) -> tuple[frozenset[int], ...]:
        """Sets of gate leaves of each of which one must be true."""
        return self._needs

    @property
    def mentioned(self) -> frozenset[int]:
        """The leaves that no gate settles for sure."""
        return self._asked.mentioned

    def cover(self, cost: Callable[[int], float]) -> frozenset[int] | None:
        """Leaves of which one must be true in every gate; None when there are no such leaves."""
        return None if self._mixed else self._asked.cover(cost)

    def under(self, known: frozenset[int], true: frozenset[int]) -> Asked | bool:
        """What is left of the rule where these gate leaves are true, or the answer."""
        if any(need.isdisjoint(true) for need in self._needs):
            return False
        if any(settle(kind, known, true) is False for kind in self._kinds):
            return False
        if not self._mixed:
            return self._asked if self._asked.tree != ALWAYS else True
        settled = settle(self._asked.tree, known, true)
        return settled if isinstance(settled, bool) else Asked(self._asked.place, self.rule, settled)

    def first_need(self, better: Callable[[frozenset[int]], tuple[bool, int]]) -> frozenset[int]:
        """Gate leaves of which one must be true; empty when the rule needs none."""
        return max(self._needs, key=better, default=NOTHING)


ALWAYS = All(NOTHING, ())


def _parted(tree: Tree, known: frozenset[int]) -> tuple[tuple[frozenset[int], ...], tuple[Tree, ...], Tree]:
    """Sets of gate leaves of each of which one must be true, the parts that a gate settles, and the rest."""
    if not isinstance(tree, All):
        return (), (), tree
    kinds = tuple(part for part in tree.parts if mentioned(part) <= known)
    covers = [found[1] for part in kinds if (found := cover(part, lambda _: 1.0)) is not None]
    needs = [*(frozenset((leaf,)) for leaf in tree.leaves & known), *covers]
    rest = tuple(part for part in tree.parts if part not in kinds)
    return tuple(needs), kinds, All(tree.leaves - known, rest)


# -- memories -----------------------------------------------------------------------------------------------------


class Room:
    """What all memos may hold together. When there is none left, the one that holds most forgets everything: a flood of
    new values has filled it.
    """

    __slots__ = ("_left", "_memos")

    def __init__(self) -> None:
        self._left = _MEMO_CHARACTERS
        self._memos: list[Memo] = []

    def enter(self, memo: "Memo") -> None:
        """Count this one too."""
        self._memos.append(memo)

    def take(self, cost: int) -> None:
        """Make room for so much more."""
        self._left -= cost
        if self._left < 0:
            self.empty(max(self._memos, key=lambda memo: memo.held))

    def empty(self, memo: "Memo") -> None:
        """Let it forget everything."""
        self._left += memo.forget()


class Tide:
    """How many of the values that come to a gate are new: in a flood of them remembering costs more than it saves."""

    __slots__ = ("high", "missed")

    def __init__(self) -> None:
        self.missed = 0
        self.high = False

    def turn(self, asked: int) -> None:
        """Look back on so many values asked for."""
        self.high, self.missed = 2 * self.missed > asked, 0


class Memo(dict[Any, frozenset[int]]):
    """Value -> true leaves of one field, as far as one gate cares. Only text and absence are remembered: for Python
    1, 1.0 and True are one key, for a rule they are not.
    """

    __slots__ = ("_among", "_known", "_new", "_passing", "_room", "_tide", "_true_of", "held")

    def __init__(
        self, true_of: Callable[[object], frozenset[int]], among: frozenset[int], room: Room, tide: Tide
    ) -> None:
        super().__init__()
        self._true_of = true_of
        self._among = among
        self._room = room
        self._tide = tide
        self._known: dict[frozenset[int], frozenset[int]] = {}
        self._new = 0
        """Characters of new values in this turn."""
        self._passing = 0
        """Turns for which values still pass it by."""
        self.held = 0
        """The cost of what is in it."""
        room.enter(self)

    def __missing__(self, value: object) -> frozenset[int]:
        true = self.look(value)
        tide = self._tide
        if value is None or value.__class__ is str:
            cost = _ENTRY_COST + (len(value) if value is not None else 0)
            self._new += cost
            if not tide.high or not tide.missed & _SELDOM:
                self._room.take(cost)
                self.held += cost
                self[value] = true
        return true

    def look(self, value: object) -> frozenset[int]:
        """What is true of a value that is not remembered."""
        self._tide.missed += 1
        true = self._true_of(value)
        if true:
            true &= self._among
            true = self._known.setdefault(true, true)
        return true

    def turned(self) -> "Memo | Passing":
        """What to ask in the next turn: itself, or nothing that is remembered while only long new texts come."""
        if len(self._known) > _SIGNATURES:
            self._known.clear()
        new, self._new = self._new, 0
        if self._passing:
            self._passing -= 1
        elif new > _VOLUMINOUS * _TURN:
            self._passing = _PASSING
            self._room.empty(self)
        return Passing(self) if self._passing else self

    def forget(self) -> int:
        """Let go of everything; what it cost."""
        self.clear()
        self._known.clear()
        held, self.held = self.held, 0
        return held


class Passing:
    """A memo that values pass by: each is looked at, none is looked up or remembered."""

    __slots__ = ("_look",)

    def __init__(self, memo: Memo) -> None:
        self._look = memo.look

    def __getitem__(self, value: object) -> frozenset[int]:
        return self._look(value)

    __missing__ = __getitem__


@dataclass(frozen=True, slots=True)
class Answer:
    """What a signature says: these rules match, and these are still to be asked."""

    sure: tuple[Asked, ...]
    open: tuple[tuple[Asked, Question], ...]
    rules: tuple[Rule, ...]
    """Those that match when none is still to be asked, in the order they were given."""


class _Answers(dict[tuple[frozenset[int], ...], Answer]):
    """Signature -> answer."""

    __slots__ = ("_answer",)

    def __init__(self, answer: Callable[[frozenset[int]], Answer]) -> None:
        super().__init__()
        self._answer = answer

    def __missing__(self, signature: tuple[frozenset[int], ...]) -> Answer:
        answer = self._answer(NOTHING.union(*signature))
        if len(self) >= _SIGNATURES:
            self.clear()
        self[signature] = answer
        return answer


Skimmed = tuple[tuple[str | int | None, ...] | None, bytes]
"""The values of `Gate.skimmed` of an event, and its JSON; None where they could not be read so."""


def _never(_raw: bytes) -> object:
    return False


# -- the gate -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Gate:
    """The rules left for one kind of event."""

    _names: tuple[str, ...]
    _memos: tuple[Memo, ...]
    _references: tuple[tuple[int, Leaf], ...]
    _keywords: Keywords | None
    always: tuple[Rule, ...]
    """The rules that match every such event."""
    _candidates: dict[int, list[Asked]]
    """Leaf of a cover -> the rules it may make true."""
    _uncovered: tuple[Asked, ...]
    _told: frozenset[int]
    """The leaves that a signature tells."""
    _ask: Callable[[int], Question]
    _cost: Callable[[int], float]
    _tests: Mapping[str, FieldTests]
    """What is no literal among the leaves that a signature does not tell."""
    _tide: Tide
    flooded: Callable[[], None] | None = None
    """Called when most of the values that come are new."""
    _seen: int = 0
    _asked: tuple[Memo | Passing, ...] = field(init=False)
    """The memos, or what stands for them."""
    _answers: _Answers = field(init=False)
    _may_hold: Callable[[bytes], object] = field(init=False)

    def __post_init__(self) -> None:
        self._asked = self._memos
        self._answers = _Answers(self._answer)
        self._may_hold = bool if self._keywords is None else self._keywords.may_stand_in

    def matches(self, fields: Mapping[str, Any], raw: bytes | None) -> tuple[Rule, ...]:
        """The rules that match, in the order they were given."""
        self._seen += 1
        if not self._seen & _TURN:
            self._turn()
        try:
            signature = tuple(map(getitem, self._asked, map(fields.get, self._names)))
        except TypeError:  # a list or a map among the values: not hashable, not remembered
            signature = tuple(
                memo.__missing__(value) if isinstance(value, list | dict) else memo[value]
                for memo, value in zip(self._asked, map(fields.get, self._names), strict=True)
            )
        if self._keywords is not None and (raw is None or self._may_hold(raw)):
            signature = (*signature, self._keywords.true_of(fields.values()))
        if self._references:
            signature = (*signature, frozenset(n for n, leaf in self._references if refers(leaf, fields)))
        answer = self._answers[signature]
        if not answer.open:
            return answer.rules
        view = View(fields, self._tests)
        return self.in_order(answer.sure + tuple(asked for asked, holds in answer.open if holds(view)))

    @property
    def skimmed(self) -> tuple[str, ...] | None:
        """The fields whose values `silent` is given, in that order; None when it cannot be asked."""
        return None if self._references else self._names

    def silent(self, skimmed: Iterable[Skimmed]) -> Iterator[bool]:
        """Of each event whether certainly no rule matches it; where there are no values that cannot be told."""
        answers, may_hold = self._answers, self._may_hold if self._keywords is not None else _never
        for values, raw in skimmed:
            if values is None:
                yield False
                continue
            self._seen += 1
            if not self._seen & _TURN:
                self._turn()
            answer = answers[tuple(map(getitem, self._asked, values))]
            yield not (answer.open or answer.rules or may_hold(raw))

    def _turn(self) -> None:
        self._asked = tuple(memo.turned() for memo in self._memos)
        self._tide.turn(_TURN * len(self._names))
        if self._tide.high and self.flooded is not None:
            self.flooded()

    def in_order(self, found: tuple[Asked, ...]) -> tuple[Rule, ...]:
        """The rules found and those that always match, in the order they were given."""
        if not found:
            return self.always
        return self.always + tuple(each.rule for each in sorted(found, key=lambda each: each.place))

    def _answer(self, true: frozenset[int]) -> Answer:
        sure: list[Asked] = []
        left: list[tuple[Asked, Question]] = []
        for each in set(self._uncovered).union(*(self._candidates.get(leaf, ()) for leaf in true)):
            if not each.mentioned <= self._told:
                left.append((each, each.question(self._ask, self._cost)))
            elif each.holds(true):
                sure.append(each)
        return Answer(tuple(sure), tuple(left), self.in_order(tuple(sure)))


@dataclass(frozen=True, slots=True)
class Sifting:
    """What a gate needs to be behind a sieve."""

    find: Callable[[bytes], list[int]]
    """The traces in an event's JSON."""
    suspected: Callable[[frozenset[int]], tuple[tuple[Asked, Question], ...] | None]
    """The rules to ask when these traces were found; None: by all that the gate has."""


class _Sifted(dict[frozenset[int], tuple[tuple[Asked, Question], ...] | None]):
    """Traces -> the rules to ask."""

    __slots__ = ("_suspected",)

    def __init__(
        self, suspected: Callable[[frozenset[int]], tuple[tuple[Asked, Question], ...] | None]
    ) -> None:
        super().__init__()
        self._suspected = suspected

    def __missing__(self, found: frozenset[int]) -> tuple[tuple[Asked, Question], ...] | None:
        suspected = self._suspected(found)
        if len(self) >= _SIGNATURES:
            self.clear()
        self[found] = suspected
        return suspected


class Sieved:
    """A gate behind a sieve: of most events their JSON tells that no rule can match.

    What the sieve found decides which rules are asked; that is remembered, as the same few things are found again and
    again, whatever else is new in the events.
    """

    __slots__ = ("_answers", "_asked", "_every", "_find", "_make", "_sample", "_tests")

    def __init__(
        self, every: Gate, make: Callable[[Commonness], Sifting], tests: Mapping[str, FieldTests]
    ) -> None:
        """``make`` is called when so many events of the kind have come that a sieve is worth its time."""
        self._every = every
        self._make = make
        self._tests = tests
        self._asked = 0
        self._sample: list[bytes] = []
        self._find: Callable[[bytes], list[int]] | None = None
        self._answers: _Sifted | None = None

    def matches(self, fields: Mapping[str, Any], raw: bytes | None) -> tuple[Rule, ...]:
        """The rules that match, in the order they were given."""
        if raw is None:
            return self._every.matches(fields, None)
        if self._find is None or self._answers is None:
            self._look(raw)
            return self._every.matches(fields, raw)
        suspected = self._answers[frozenset(self._find(raw))]
        if suspected is None:
            return self._every.matches(fields, raw)
        if not suspected:
            return self._every.always
        view = View(fields, self._tests)
        return self._every.in_order(tuple(asked for asked, holds in suspected if holds(view)))

    @property
    def skimmed(self) -> tuple[str, ...] | None:
        """See `Gate.skimmed`."""
        return self._every.skimmed

    def silent(self, skimmed: Iterable[Skimmed]) -> Iterator[bool]:
        """See `Gate.silent`."""
        if self._find is None or self._answers is None:
            yield from self._every.silent(map(self._looked, skimmed))
            return
        for values, raw in skimmed:
            suspected = self._answers[frozenset(self._find(raw))] if values is not None else None
            if suspected is None:
                yield from self._every.silent([(values, raw)])
            else:
                yield not suspected and not self._every.always

    def _looked(self, skimmed: Skimmed) -> Skimmed:
        self._look(skimmed[1])
        return skimmed

    def _look(self, raw: bytes) -> None:
        self._asked += 1
        if self._asked % _APART == 0:
            self._sample.append(raw[:_SAMPLED_BYTES])
            if len(self._sample) == _SAMPLE:
                sifting = self._make(Commonness(self._sample))
                self._find, self._answers = sifting.find, _Sifted(sifting.suspected)
                self._sample = []
