"""The tactics of MITRE ATT&CK, in the order in which an attack usually goes, read from the tags of a rule."""

import re
from collections.abc import Iterable
from enum import StrEnum

_TECHNIQUE = re.compile(r"t\d{4}(\.\d{3})?")
_BEFORE = "attack."


class Tactic(StrEnum):
    """What an attacker wants at that moment. The value is the name that Sigma's tags use (ATT&CK 19, of April 2026)."""

    RECONNAISSANCE = "reconnaissance"
    RESOURCE_DEVELOPMENT = "resource-development"
    INITIAL_ACCESS = "initial-access"
    EXECUTION = "execution"
    PERSISTENCE = "persistence"
    PRIVILEGE_ESCALATION = "privilege-escalation"
    STEALTH = "stealth"
    DEFENSE_IMPAIRMENT = "defense-impairment"
    CREDENTIAL_ACCESS = "credential-access"
    DISCOVERY = "discovery"
    LATERAL_MOVEMENT = "lateral-movement"
    COLLECTION = "collection"
    COMMAND_AND_CONTROL = "command-and-control"
    EXFILTRATION = "exfiltration"
    IMPACT = "impact"

    @property
    def label(self) -> str:
        """The name as ATT&CK writes it: *Command and Control*."""
        return " ".join(word if word == "and" else word.capitalize() for word in self.value.split("-"))

    @property
    def code(self) -> str:
        """ATT&CK's number: *TA0011*."""
        return _CODES[self]


_CODES = {
    Tactic.RECONNAISSANCE: "TA0043",
    Tactic.RESOURCE_DEVELOPMENT: "TA0042",
    Tactic.INITIAL_ACCESS: "TA0001",
    Tactic.EXECUTION: "TA0002",
    Tactic.PERSISTENCE: "TA0003",
    Tactic.PRIVILEGE_ESCALATION: "TA0004",
    Tactic.STEALTH: "TA0005",
    Tactic.DEFENSE_IMPAIRMENT: "TA0112",
    Tactic.CREDENTIAL_ACCESS: "TA0006",
    Tactic.DISCOVERY: "TA0007",
    Tactic.LATERAL_MOVEMENT: "TA0008",
    Tactic.COLLECTION: "TA0009",
    Tactic.COMMAND_AND_CONTROL: "TA0011",
    Tactic.EXFILTRATION: "TA0010",
    Tactic.IMPACT: "TA0040",
}
_OLD = {"defense-evasion": Tactic.STEALTH}
"""TA0005 was called so until ATT&CK 19 took Defense Impairment out of it; rules on many disks still do."""
_NAMED = {tactic.value: tactic for tactic in Tactic} | _OLD


def tactics(tags: Iterable[str]) -> tuple[Tactic, ...]:
    """The tactics that tags such as ``attack.initial-access`` name, in the order of an attack; others are passed by."""
    named = {tag.lower().removeprefix(_BEFORE).replace("_", "-") for tag in tags if _ours(tag)}
    meant = {_NAMED[name] for name in named if name in _NAMED}
    return tuple(tactic for tactic in Tactic if tactic in meant)


def techniques(tags: Iterable[str]) -> tuple[str, ...]:
    """The techniques among the tags, as ATT&CK writes them: *T1059.001*."""
    names = [tag.lower().removeprefix(_BEFORE) for tag in tags if _ours(tag)]
    return tuple(dict.fromkeys(name.upper() for name in names if _TECHNIQUE.fullmatch(name)))


def _ours(tag: str) -> bool:
    return tag.lower().startswith(_BEFORE)
