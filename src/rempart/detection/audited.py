"""What Windows' own audit tells that Sysmon tells too: processes that were started, values of the registry.

Sigma's categories are about what happened, not about who says so; pySigma's pipelines know only Sysmon. A home that has
audit policies and no Sysmon is asked the same rules. `rempart.events.decode.windows` gives these events Sysmon's names.
"""

from collections.abc import Mapping

from rempart.detection.condition import Condition, Leaf, LeafKind, either, every, leaves

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
