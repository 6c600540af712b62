"""What an exception would have hidden, had it been there: shown before it is made, from events that were kept.

"This is normal here" is said quickly and regretted late. What was serious, and succeeded, is named apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rempart.detection.detector import Detection
from rempart.detection.finding import Finding, Level, Outcome
from rempart.events.event import Event

EXAMPLES = 3
"""Findings of one rule that are shown."""


@dataclass(slots=True)
class Hidden:
    """What would not have been told of one rule."""

    rule: str
    title: str
    level: Level
    count: int = 0
    examples: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """One finding of the rule."""
        self.count += 1
        self.level = max(self.level, finding.level)
        if len(self.examples) < EXAMPLES:
            self.examples.append(finding)


@dataclass(slots=True)
class Preview:
    """Events of the past, told without and with the exception."""

    events: int = 0
    told: int = 0
    """Findings of level low and above without it."""
    still_told: int = 0
    """Those of them that are told with it."""
    grave: int = 0
    """Findings that it hides although they are critical, or serious and a success."""
    hidden: dict[str, Hidden] = field(default_factory=dict)

    def add(self, without: Iterable[Finding], within: Iterable[Finding]) -> None:
        """What one event brought about without and with the exception."""
        self.events += 1
        kept = {finding.id for finding in within}
        for finding in without:
            counts = finding.level >= Level.LOW
            self.told += counts
            if finding.id in kept:
                self.still_told += counts
                continue
            self.grave += is_grave(finding)
            rule = Hidden(finding.rule, finding.title, finding.level)
            self.hidden.setdefault(finding.rule, rule).add(finding)

    @property
    def ranked(self) -> list[Hidden]:
        """What it hides, the gravest first."""
        return sorted(self.hidden.values(), key=lambda each: (-each.level, -each.count, each.rule))


def is_grave(finding: Finding) -> bool:
    """Whether nobody should hide this without saying so."""
    return finding.level is Level.CRITICAL or (
        finding.level is Level.HIGH and finding.outcome is Outcome.SUCCESS
    )


def preview(without: Detection, within: Detection, events: Iterable[Event]) -> Preview:
    """The events, in the order in which they came, through the same rules without and with the exception."""
    seen = Preview()
    for event in events:
        seen.add(without.feed(event), within.feed(event))
    return seen
