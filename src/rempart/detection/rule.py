"""A rule, and how Sigma files become rules: the only module that knows pySigma."""

from dataclasses import dataclass
from enum import StrEnum

from rempart.detection.finding import Kind, Level, Outcome
from rempart.events.event import LogSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a rule means for the station: Rempart's own words in a Sigma file, under the custom key ``rempart``.

    ``actors`` and ``victims`` name the event fields that hold them, e.g. ``("src_ip",)``. A rule without the key
    gets its meaning from its ATT&CK tags and its log source.
    """

    kind: Kind = Kind.OTHER
    outcome: Outcome = Outcome.ATTEMPT
    spoofable: bool = False
    actors: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCard:
    """What every rule carries to its findings, whatever it matches on."""

    id: str
    name: str
    """Sigma's ``name``, by which correlations may refer to it; empty when it has none."""
    title: str
    level: Level
    author: str
    tags: tuple[str, ...]
    path: str
    meaning: Meaning


class CorrelationType(StrEnum):
    """Sigma 2.1 correlation types."""

    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    VALUE_SUM = "value_sum"
    VALUE_AVG = "value_avg"
    VALUE_PERCENTILE = "value_percentile"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"


class Comparison(StrEnum):
    """How a correlation's value is held against its threshold."""

    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EQ = "eq"
    NEQ = "neq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Several matches that mean something together (Sigma correlation rules 2.1).

    ``timespan`` is in seconds. ``aliases`` maps an alias to {rule id: field}; ``fields`` are those counted or summed.
    ``generate`` False: the rules it is made of report nothing by themselves.
    """

    card: RuleCard
    type: CorrelationType
    rules: tuple[str, ...]
    """Ids of the rules or correlations it is made of, in order."""
    group_by: tuple[str, ...]
    timespan: int
    comparison: Comparison | None = None
    threshold: float | None = None
    fields: tuple[str, ...] = ()
    percentile: int | None = None
    aliases: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    generate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One Sigma detection rule."""

    card: RuleCard
    logsource: LogSource
