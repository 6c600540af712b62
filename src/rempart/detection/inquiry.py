"""What the console asks watch, and what watch answers: findings in bunches, exceptions, logs and rules. To read only.

Accounts stand behind masks in every answer, and of proofs only what an exception may name is told. No question makes
watch do anything: orders go to the guard, which tells watch what stands.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.detection.bunch import Bunch, Kept
from rempart.detection.finding import Kind, Level
from rempart.detection.trait import Trait
from rempart.instants import Duration, Instant

MOST_NAMED = 100
"""Rules, or problems, of one answer."""

LAST_DAY = 3_652_059
"""The last that a calendar has: 31 December 9999."""

Day = Annotated[int, Meta(ge=1, le=LAST_DAY)]
"""See `rempart.detection.bunch.Bunch.day`."""

BunchId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$", max_length=16)]
Rule = Annotated[str, Meta(min_length=1, max_length=120)]


# -- console -> watch --------------------------------------------------------------------------------------------


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page of bunches ended: the next begins behind it."""

    level: Level
    last: Annotated[int, Meta(ge=0, le=1 << 53)]
    bunch: BunchId


class BunchesAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One page of the bunches of a day, the gravest first, then the latest; ``day`` None: the latest that has any."""

    day: Day | None = None
    level: Level = Level.INFORMATIONAL
    """This level or graver."""
    kind: Kind | None = None
    after: Place | None = None


class BunchAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One bunch and its findings, the latest first; ``before`` the number of the last one seen."""

    day: Day
    bunch: BunchId
    before: Annotated[int, Meta(ge=0, le=1 << 53)] = 0


class PreviewAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What would an exception for this rule where these fields have these values have hidden?"""

    rule: Rule
    traits: Annotated[list[Trait], Meta(min_length=1, max_length=8)]


class ExceptionsAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Which exceptions are there, and what has each hidden? Those that hold first, then by their end."""

    skip: Annotated[int, Meta(ge=0, le=1 << 53)] = 0
    """How many were told before."""


class SourcesAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Which logs are followed, and what comes from them?"""


class RulesAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Which rules are in force?"""


FromInquirer = BunchesAsked | BunchAsked | PreviewAsked | ExceptionsAsked | SourcesAsked | RulesAsked


# -- watch -> console --------------------------------------------------------------------------------------------


class DayKept(msgspec.Struct, frozen=True, kw_only=True):
    """A day of which findings are kept."""

    day: int
    findings: int
    """As many as came."""


class Bunches(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One page of bunches."""

    day: int | None
    """None: nothing was ever found."""
    days: list[DayKept]
    """The latest first."""
    bunches: list[Bunch]
    next: Place | None
    """Where the next page begins; None: this is the last."""


class BunchTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One bunch. ``bunch`` None: it is not, or no longer, kept."""

    bunch: Bunch | None
    findings: list[Kept]
    before: int | None
    """Number to ask the next page with; None: there is no more."""


class Preview(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What an exception would have hidden of the findings that are kept."""

    looked_at: int
    """Findings of the rule that it was tried on: the latest."""
    hidden: int
    grave: int
    """Those of them that nobody should hide without saying so: critical, or serious and successful."""
    since: Instant | None
    """When the oldest of those looked at was read."""
    examples: list[Kept]


class ExceptionTold(msgspec.Struct, frozen=True, kw_only=True):
    """One exception as watch has it."""

    id: str
    rules: list[str]
    """Titles where the rules are loaded; empty: every rule."""
    traits: list[Trait]
    """A value that may name a person is empty."""
    reason: str
    author: str
    until: str
    """Its last day, as 2027-01-31."""
    ordered: bool
    """Made by an order, which can be ended by an order; else it stands in exceptions.toml."""
    ended: bool
    in_force: bool
    """False: it is being taken up, or hides nothing because its rule is not loaded."""
    times: int
    """How often it hid something."""
    last: Instant | None


class ExceptionsTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One page of exceptions."""

    exceptions: list[ExceptionTold]
    problems: list[str]
    next: int | None = None
    """How many to skip for the next page; None: this is the last."""


class SourceTold(msgspec.Struct, frozen=True, kw_only=True):
    """One log that is followed."""

    source: str
    decoder: str
    last: Instant | None
    """When a line of it was last read; None: never."""
    days: list[int]
    """Lines of today and of the days before, the latest first; at most a week."""
    undecoded: int
    """Of these, lines that are not of the kind that its decoder reads."""
    silent: bool
    """Nothing came for much longer than is usual for it, or than site.toml allows."""
    missing: bool
    """There is no such file."""
    name: str = ""
    """What people call it; empty: only its path is known."""
    every: Duration | None = None
    """The time between two lines, on average over the days on which it spoke; None: it never did."""
    pause: Duration = Duration(0)
    """Its longest time without a line within these days."""
    patience: Duration = Duration(0)
    """How long it may be quiet before it counts as silent."""
    failed: int = 0
    """Of these, lines that brought out a defect of ours: kept, and nothing was looked for in them."""
    failed_at: int = 0
    """The number of the last of them; 0: following the log itself failed."""
    failure: str = ""
    """What it was, and where in our code."""


class SourcesTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """All logs that are followed."""

    sources: list[SourceTold]


class RuleFilesTold(msgspec.Struct, frozen=True, kw_only=True):
    """A set of rules that was installed."""

    source: str
    sha256: str
    installed: Instant | None
    files: int


class ProblemTold(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is not in force: where it stands, why, and what to do about it."""

    what: str
    where: str
    mend: str


class RulesTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The rules in force."""

    levels: dict[str, int]
    """How many are of each level, rules and correlations together; those that only serve others too."""
    refused: list[ProblemTold]
    refused_more: int
    waiting: list[ProblemTold]
    """Rules that wait for values of the site."""
    waiting_more: int
    current: RuleFilesTold | None
    previous: RuleFilesTold | None
    indicators: int
    free: int
    """Bytes free on the disk of watch's store."""
    disk: int
    """Bytes of that disk."""


class Unanswered(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """It cannot be answered now."""

    what: str


ToInquirer = Bunches | BunchTold | Preview | ExceptionsTold | SourcesTold | RulesTold | Unanswered
