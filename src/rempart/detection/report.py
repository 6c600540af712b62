"""The report of a search as a page: what to do first, when it happened, by tactic, by rule, and what was not read.

Every text in it is cut and made visible; escaping for HTML is left to the template, which is given nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from rempart.detection.explain import Explanation, Plain
from rempart.detection.finding import Finding, Level
from rempart.detection.tactic import tactics, techniques
from rempart.detection.tally import NAMES, Fired, Share, Tally
from rempart.detection.timeline import Drawing, between, draw, moment
from rempart.detection.words import english, visible
from rempart.errors import Problem
from rempart.instants import Instant

LONGEST = 200
"""Characters of one text of the page."""
NAMED = 6
"""Machines, and accounts, that are named for one rule."""


@dataclass(frozen=True, slots=True)
class Example:
    """One finding: when, in which record of which log, and the fields and values that made the rule fire."""

    time: str
    place: str
    proofs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one rule found."""

    title: str
    level: Level
    count: int
    seen: str
    said: str
    """The rest of the explanation."""
    when: str
    machines: str
    accounts: str
    tactics: tuple[str, ...]
    techniques: tuple[str, ...]
    id: str
    author: str
    license: str
    path: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole page."""

    headline: str
    worst: Level | None
    findings: int
    events: int
    logs: int
    when: str
    untimed: bool
    """Whether some findings name no time, and so are not in the drawing."""
    levels: Sequence[tuple[Level, int]]
    drawing: Drawing
    shares: tuple[Share, ...]
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    unread: int
    """How many problems there were; ``problems`` holds the first of them."""

    @classmethod
    def of(cls, tally: Tally, *, events: int, logs: int, problems: Iterable[Problem], unread: int) -> Self:
        """The page of what was found in so many events of so many logs, and of what could not be read."""
        rules = tally.rules()
        return cls(
            headline=Plain(f"report.{_word(tally.worst)}").english,
            worst=tally.worst,
            findings=tally.findings,
            events=events,
            logs=logs,
            when=between(*tally.span) if tally.span else "",
            untimed=any(time is None for fired in rules for time, _ in fired.examples),
            levels=tally.levels(),
            drawing=draw(tally.moments),
            shares=tuple(tally.shares()),
            entries=tuple(map(_entry, rules)),
            problems=tuple(Problem(*map(_shown, (each.what, each.where, each.mend))) for each in problems),
            unread=unread,
        )


def _word(worst: Level | None) -> str:
    return "nothing" if worst is None else worst.name.lower()


def _entry(fired: Fired) -> Entry:
    card = fired.card
    explained = Explanation.of(fired.examples[0][1])
    rest = [plain.english for plain in (explained.means, explained.sure, explained.caution) if plain]
    return Entry(
        title=_shown(card.title),
        level=card.level,
        count=fired.count,
        seen=english(explained.seen.key, explained.seen.arguments, titled=False),
        said=" ".join(rest),
        when=between(fired.first, fired.last) if fired.first is not None and fired.last is not None else "",
        machines=_names(fired.machines),
        accounts=_names(fired.accounts),
        tactics=tuple(tactic.label for tactic in tactics(card.tags)),
        techniques=techniques(card.tags),
        id=_shown(card.id),
        author=_shown(card.author),
        license=_shown(card.license),
        path=_shown(card.path),
        examples=tuple(_example(time, finding) for time, finding in fired.examples),
    )


def _example(time: Instant | None, finding: Finding) -> Example:
    proofs = tuple((_shown(proof.field), _shown(proof.value)) for proof in finding.proofs)
    return Example(_when(time), f"{_shown(finding.source)}:{finding.record}", proofs)


def _names(counted: Counter[str]) -> str:
    """The most frequent, and how many more there are."""
    named = [visible(name, 60) for name, _ in counted.most_common(NAMED)]
    more = len(counted) - len(named)
    if more <= 0:
        return ", ".join(named)
    return f"{', '.join(named)} and {more}{' or more' if len(counted) == NAMES else ''} others"


def _when(time: Instant | None) -> str:
    return "" if time is None else moment(time)


def _shown(text: str) -> str:
    return visible(text, LONGEST)
