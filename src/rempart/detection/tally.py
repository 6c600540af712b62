"""What rules found, counted by rule, by tactic and in time while it comes, in memory that does not grow with it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rempart.detection.finding import Finding, Level
from rempart.detection.rule import RuleCard
from rempart.detection.tactic import Tactic, tactics
from rempart.detection.timeline import Moments
from rempart.events.observable import ObservableKind, Role
from rempart.instants import Instant

EXAMPLES = 10
"""Findings of one rule that are kept whole."""
NAMES = 200
"""Machines, and accounts, of one rule that are kept apart."""


@dataclass(slots=True)
class Fired:
    """What one rule found."""

    card: RuleCard
    count: int = 0
    first: Instant | None = None
    last: Instant | None = None
    machines: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[Instant | None, Finding]] = field(default_factory=list)
    """The first ones, with the time that the event itself names."""

    def add(self, finding: Finding, time: Instant | None) -> None:
        """One finding of the rule."""
        self.count += 1
        if time is not None:
            self.first = time if self.first is None else min(self.first, time)
            self.last = time if self.last is None else max(self.last, time)
        for observable in finding.observables:
            if observable.role is Role.VICTIM:
                named = self.accounts if observable.kind is ObservableKind.ACCOUNT else self.machines
                if observable.value in named or len(named) < NAMES:
                    named[observable.value] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append((time, finding))


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one tactic (None: of the rules that name none). A finding may count for several tactics."""

    tactic: Tactic | None
    findings: int
    rules: int
    worst: Level


class Tally:
    """All that was found."""

    def __init__(self) -> None:
        self.findings = 0
        self.moments = Moments()
        self._fired: dict[str, Fired] = {}

    def add(self, card: RuleCard, finding: Finding, time: Instant | None) -> None:
        """One finding; ``time`` is what its event says, None when it names none."""
        self.findings += 1
        if card.id not in self._fired:
            self._fired[card.id] = Fired(card)
        self._fired[card.id].add(finding, time)
        if time is not None:
            self.moments.add(tactics(card.tags) or (None,), time, card.level)

    @property
    def worst(self) -> Level | None:
        """The highest level found; None when nothing was."""
        return max((fired.card.level for fired in self._fired.values()), default=None)

    @property
    def span(self) -> tuple[Instant, Instant] | None:
        """The first and the last time; None when no event named one."""
        firsts = [fired.first for fired in self._fired.values() if fired.first is not None]
        lasts = [fired.last for fired in self._fired.values() if fired.last is not None]
        return (min(firsts), max(lasts)) if firsts else None

    def rules(self) -> Sequence[Fired]:
        """What fired: the gravest first, then the most frequent."""
        return sorted(
            self._fired.values(), key=lambda fired: (-fired.card.level, -fired.count, fired.card.title)
        )

    def levels(self) -> Sequence[tuple[Level, int]]:
        """Findings of each level that was found, the highest first."""
        counts: Counter[Level] = Counter()
        for fired in self._fired.values():
            counts[fired.card.level] += fired.count
        return sorted(counts.items(), reverse=True)

    def shares(self) -> Iterator[Share]:
        """By tactic, in the order of an attack; those without one last."""
        for tactic in (*Tactic, None):
            part = [
                fired for fired in self._fired.values() if tactic in (tactics(fired.card.tags) or (None,))
            ]
            if part:
                worst = max(fired.card.level for fired in part)
                yield Share(tactic, sum(fired.count for fired in part), len(part), worst)
