"""A rule, a correlation of rules, and a set of both. `rempart.detection.sigma` makes them of files."""

from dataclasses import dataclass, field
from enum import StrEnum

from rempart.detection.condition import FALSE, Condition
from rempart.detection.finding import Level
from rempart.detection.meaning import Meaning
from rempart.errors import Problem
from rempart.events.event import LogSource


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
    license: str = ""
    """What the file says under Sigma's key ``license`` (SPDX); empty when it leaves that to its collection."""


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


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way in which a temporal correlation is fulfilled: what must have matched, in order, and what must not."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Several matches that mean something together (Sigma correlation rules 2.1).

    ``timespan`` is in seconds. All ``limits`` must hold; without any, a temporal correlation wants all its rules, or
    one of the ``alternatives`` when its condition names rules. ``aliases`` maps an alias to {rule id: field};
    ``fields`` are those counted or summed.
    ``generate`` False: the rules it is made of report nothing by themselves.
    """

    card: RuleCard
    type: CorrelationType
    rules: tuple[str, ...]
    """Ids of the rules or correlations it is made of, in order."""
    group_by: tuple[str, ...]
    timespan: int
    limits: tuple[tuple[Comparison, float], ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    fields: tuple[str, ...] = ()
    percentile: int | None = None
    """Of numbers; a VALUE_PERCENTILE without one measures the share of each value (see `of_values`)."""
    aliases: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    generate: bool = False

    @property
    def of_values(self) -> bool:
        """Whether it measures, after each match, what share of the matches have that match's value, in percent."""
        return self.type is CorrelationType.VALUE_PERCENTILE and self.percentile is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One Sigma detection rule.

    ``logsource`` is what the file says. ``needs`` is what an event's log source must cover for the rule to be asked
    at all: for Windows rules that a pipeline turned into conditions on Channel and EventID it is only the product.
    ``condition`` holds those conditions too.
    """

    card: RuleCard
    logsource: LogSource
    needs: LogSource = field(default_factory=LogSource)
    condition: Condition = FALSE


BY_EVENT = frozenset(
    """
    clipboard_capture create_remote_thread create_stream_hash dns_query driver_load file_block_executable
    file_block_shredding file_change file_delete file_delete_detected file_event file_executable_detected image_load
    network_connection pipe_created process_access process_creation process_tampering process_termination
    ps_classic_provider_start ps_classic_start ps_module ps_script raw_access_thread registry_add registry_delete
    registry_event registry_rename registry_set sysmon_error sysmon_status wmi_event
    """.split()  # noqa: SIM905  a list would have a line for each
)
"""Categories that on Windows Channel and EventID tell, and no log source: a rule that names one of them and no product
is asked of Windows events too, with that condition."""

BY_CHANNEL = frozenset(
    """
    applocker bits-client codeintegrity-operational dns-server firewall-as ntlm powershell powershell-classic
    printservice-admin security sysmon system taskscheduler windefend wmi
    """.split()  # noqa: SIM905  a list would have a line for each
)
"""The same for services that no other product has."""


def asked_by_channel(logsource: LogSource) -> bool:
    """Whether a rule of this log source names no product but what an event of Windows tells by its Channel."""
    return logsource.product is None and (
        (logsource.category in BY_EVENT and logsource.service is None)
        or (logsource.category is None and logsource.service in BY_CHANNEL)
    )


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What a set of rule files gave. Nothing is lost: a document is in one of the four."""

    rules: tuple[Rule, ...]
    correlations: tuple[Correlation, ...]
    refused: tuple[Problem, ...]
    """Documents that cannot be used."""
    waiting: tuple[Problem, ...] = ()
    """Rules with a placeholder (``|expand``) whose values nobody has given yet."""
