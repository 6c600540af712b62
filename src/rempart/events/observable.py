"""An observable: a thing seen in an event that other events may speak of too (STIX 2.1, OCSF observables)."""

from dataclasses import dataclass
from enum import StrEnum


class ObservableKind(StrEnum):
    """What kind of thing."""

    ADDRESS = "address"
    ACCOUNT = "account"
    DEVICE = "device"  # a MAC address
    HOST = "host"  # a machine's name
    DOMAIN = "domain"
    URL = "url"
    HASH = "hash"


class Role(StrEnum):
    """Which part it plays in what was seen."""

    ACTOR = "actor"
    VICTIM = "victim"
    RELATED = "related"


@dataclass(frozen=True, slots=True, order=True)
class Observable:
    """One thing with its part. ``value`` is hostile text: escape it at every edge."""

    kind: ObservableKind
    role: Role
    value: str
