"""A bunch: the findings of one day that say the same of the same machine, told as one.

By the rule and by the machine it is about: the one of ours that did it, else the one it was done to.
Who comes from outside does not tell bunches apart: a sweep from ten thousand addresses is one thing to look at.
"""

import hashlib
from collections.abc import Callable

import msgspec

from rempart.detection.finding import Finding, Kind, Level
from rempart.detection.trait import Trait
from rempart.events.observable import ObservableKind, Role
from rempart.instants import Instant


class Bunch(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one day, rule and machine, as they stand."""

    id: str
    day: int
    """The day on a Belgian calendar, as a number: 1 is the first of January of the year 1."""
    level: Level
    """The gravest of them."""
    kind: Kind
    first: Instant
    last: Instant
    findings: int
    events: int
    """How many events stand behind them."""
    latest: Finding
    """The last of them, with accounts behind masks."""
    traits: tuple[Trait, ...] = ()


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One finding as it is kept, and when watch read the line that decided it."""

    number: int
    read: Instant
    finding: Finding
    traits: tuple[Trait, ...] = ()


def bunch_id(seen: Finding, inside: Callable[[str], bool]) -> str:
    """What tells a bunch from another of the same day: 16 hexadecimal digits. ``inside``: whether it is of ours."""
    return hashlib.sha256(f"{len(seen.rule)}:{seen.rule}{about(seen, inside)}".encode()).hexdigest()[:16]


def about(seen: Finding, inside: Callable[[str], bool]) -> str:
    """The machine of ours that a finding is about; empty when it names none."""
    ours = [
        each
        for each in seen.observables
        if each.kind in (ObservableKind.HOST, ObservableKind.DEVICE)
        or (each.kind is ObservableKind.ADDRESS and inside(each.value))
    ]
    return next((each.value for role in (Role.ACTOR, Role.VICTIM) for each in ours if each.role is role), "")
