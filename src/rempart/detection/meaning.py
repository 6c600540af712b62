"""What a rule means for the station: what kind of thing it sees, whether it came off, who did it and to whom."""

from dataclasses import dataclass
from typing import Any

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


# First hit wins: from what is surest about an attacker's aim to what is vaguest.
_KINDS: tuple[tuple[tuple[str, ...], Kind], ...] = (
    (("attack.t1110",), Kind.GUESSING),
    (("attack.t1595", "attack.t1046", "attack.reconnaissance"), Kind.SCAN),
    (("attack.t1190",), Kind.PROBE),
    (("attack.exfiltration", "attack.t1041", "attack.t1048", "attack.t1567"), Kind.EXFILTRATION),
    (("attack.command-and-control",), Kind.COMMAND),
    (("attack.execution", "attack.persistence", "attack.privilege-escalation"), Kind.INTRUSION),
    (("attack.credential-access", "attack.lateral-movement", "attack.impact"), Kind.INTRUSION),
    (("attack.stealth", "attack.defense-impairment", "attack.defense-evasion"), Kind.INTRUSION),
    (("attack.discovery", "attack.collection", "attack.initial-access"), Kind.INTRUSION),
)
_ON_A_HOST = frozenset({"windows", "linux", "macos"})
_FORGEABLE = frozenset({"firewall", "dns"})
_ACTORS = ("src_ip", "c-ip", "SourceIp", "IpAddress", "SourceNetworkAddress", "sourceIPAddress")
_VICTIMS = ("Computer", "ComputerName", "Hostname", "dst_ip", "hostname")
_ACCOUNTS = ("TargetUserName", "SubjectUserName", "User", "user", "cs-username")


def meaning(own: object, tags: tuple[str, ...], level: Level, logsource: LogSource) -> Meaning:
    """The key ``rempart`` of the file over what tags and log source say."""
    kind = next((kind for marks, kind in _KINDS if any(tag.startswith(marks) for tag in tags)), Kind.OTHER)
    ran = kind is Kind.INTRUSION and logsource.product in _ON_A_HOST and level >= Level.HIGH
    known: dict[str, Any] = {
        "kind": kind,
        "outcome": Outcome.SUCCESS if ran else Outcome.ATTEMPT,
        "spoofable": logsource.category in _FORGEABLE,
        "actors": _ACTORS,
        "victims": _VICTIMS,
        "accounts": _ACCOUNTS,
    }
    if own is None:
        return Meaning(**known)
    if not isinstance(own, dict):
        raise ValueError("the key 'rempart' is a map")
    for key, said in own.items():
        known[key] = _word(key, said)
    return Meaning(**known)


def _word(key: object, said: Any) -> Any:
    match key:
        case "kind":
            return Kind(said)
        case "outcome":
            return Outcome(said)
        case "spoofable" if isinstance(said, bool):
            return said
        case "actors" | "victims" | "accounts" if isinstance(said, str | list):
            return (said,) if isinstance(said, str) else tuple(str(each) for each in said)
    raise ValueError(f"'rempart' does not know {key!r}: {said!r}")
