"""What a system's own audit tells that Sysmon tells too: processes that were started, values of Windows' registry.

Sigma's categories are about what happened, not about who says so; pySigma's pipelines know only Sysmon. A home that has
audit policies and no Sysmon is asked the same rules. `rempart.events.decode.windows` gives these events Sysmon's names.

The audit tells less than Sysmon. What it does not tell is *unknown*, not absent: where a rule's answer hangs on it, an
exclusion above all, the rule is silent (Kleene's strong logic of three values: only what is surely true fires).
"""

from collections.abc import Mapping

from rempart.detection.condition import (
    TRUE,
    And,
    Condition,
    Leaf,
    LeafKind,
    Not,
    Or,
    either,
    every,
    leaves,
    negate,
)
from rempart.events.event import LogSource

_EVENT = "EventID"
_SECURITY = Leaf("Channel", LeafKind.EXACT, "Security")


def _security(event: str, *asked: Leaf) -> Condition:
    return every((Leaf(_EVENT, LeafKind.EXACT, event), _SECURITY, *asked))


def _act(name: str) -> Leaf:
    return Leaf("EventType", LeafKind.EXACT, name)


_ALSO: Mapping[str | None, Condition] = {
    "process_creation": _security("4688"),
    "registry_event": _security("4657"),
    "registry_set": _security("4657", _act("SetValue")),
    "registry_delete": _security("4657", _act("DeleteValue")),
}


def widened(gate: Condition, category: str | None) -> Condition:
    """The gate, which also lets through what the audit tells of the category; the event's number stays a need."""
    also = _ALSO.get(category)
    if also is None:
        return gate
    numbers = [leaf for part in (gate, also) for leaf in leaves(part) if leaf.field == _EVENT]
    return every((either(dict.fromkeys(numbers)), either((gate, also))))


_UNTOLD = frozenset(
    {"CurrentDirectory", "OriginalFileName", "FileVersion", "Description", "Product", "Company", "Hashes", "Imphash"}
    | {"md5", "sha1", "sha256", "ParentCommandLine", "ParentUser", "ProcessGuid", "ParentProcessGuid", "LogonGuid"}
    | {"TerminalSessionId", "ProcessId", "NewName"}
)  # fmt: skip
"""What Sysmon says in these events and the audit does not. 4688 has a ProcessId, but it is the starting process's."""

_SOMETIMES = frozenset({"ParentImage", "IntegrityLevel", "CommandLine"})
"""What it tells since Windows 10 and Server 2016 only, and the command line where a policy of its own asks for it. Of
auditd's events the first two are never there, which is the same.
"""

_NOT_AUDITED: Mapping[tuple[str | None, str | None], Leaf] = {
    ("windows", "process_creation"): Leaf("NewProcessName", LeafKind.NULL),
    **{
        ("windows", f"registry_{act}"): Leaf("ObjectName", LeafKind.NULL)
        for act in ("event", "set", "delete")
    },
    ("linux", "process_creation"): Leaf(
        "SYSCALL", LeafKind.NULL
    ),  # auditd's: it does not know who started a program
    # Endpoint Security never tells the parent's command line, osquery's tables of it no parent at all.
    ("macos", "process_creation"): Leaf("ParentCommandLine", LeafKind.EXISTS),
}
"""True of events that tell all. The audit names the program, the key or the call under this name, always."""


def sure(asked: Condition, logsource: LogSource) -> Condition:
    """What must hold besides ``asked`` so that nothing unknown decides: nothing of Sysmon's events, which tell all."""
    told_by_sysmon = _NOT_AUDITED.get((logsource.product, logsource.category))
    if told_by_sysmon is None:
        return TRUE
    parts = asked.parts if isinstance(asked, And) else (asked,)
    doubtful = [known for part in parts if (known := _known(part, negated=False)) != part]
    return either((told_by_sysmon, every(doubtful)))


def _known(condition: Condition, *, negated: bool) -> Condition:
    """The condition with what is unknown taken as it helps least: true below a negation, else false."""
    match condition:
        case Leaf():
            return _known_leaf(condition, negated=negated)
        case Not(part):
            return negate(_known(part, negated=not negated))
        case And(parts):
            return every(_known(part, negated=negated) for part in parts)
        case Or(parts):
            return either(_known(part, negated=negated) for part in parts)


def _known_leaf(leaf: Leaf, *, negated: bool) -> Condition:
    if negated:
        return either((leaf, _unknown(leaf)))
    if leaf.value or leaf.kind is LeafKind.EXISTS:  # no text has been found, so it is false already
        return leaf
    return every((leaf, negate(_unknown(leaf))))


def _unknown(leaf: Leaf) -> Condition:
    """True of the audit's events that do not tell what the leaf asks for."""
    fields = {leaf.field, leaf.value} if leaf.kind is LeafKind.FIELDREF else {leaf.field}
    if fields & _UNTOLD:
        return TRUE
    silent = ((Leaf(name, LeafKind.NULL), Leaf(name, LeafKind.EXACT)) for name in fields & _SOMETIMES)
    return either(leaf for each in silent for leaf in each)
