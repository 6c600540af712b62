"""Measures, and the whole of what the enforcement points should hold because of them.

`Enforcement` is a complete wanted state, not a change: adapters bring the kernel and the proxy to it and read it
back. That makes applying, repeating and repairing after a power cut the same operation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rempart.instants import Instant
from rempart.site.opening import OpeningState

_STRICTNESS = {OpeningState.OPEN: 0, OpeningState.FILTERED: 1, OpeningState.CLOSED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How one opening stands: ``state`` now and, if ``until`` is set, ``then`` from that instant on by itself."""

    state: OpeningState
    until: Instant | None = None
    then: OpeningState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """Everything the kernel and the proxy should hold.

    ``stands`` has one entry per opening id. ``contained`` says that the site is cut: every opening whose stand is
    closed is also put in the kernel's containment set. ``blocked`` maps addresses or networks to the instant the
    block ends (None: stands until lifted); ``isolated`` maps asset ids likewise.
    """

    stands: Mapping[str, Stand]
    contained: bool = False
    blocked: Mapping[str, Instant | None] = field(default_factory=dict)
    isolated: Mapping[str, Instant | None] = field(default_factory=dict)


def stricter(one: OpeningState, other: OpeningState) -> OpeningState:
    """The tighter of two states."""
    return max(one, other, key=_STRICTNESS.__getitem__)


def loosens(before: Enforcement, wanted: Enforcement) -> bool:
    """True when ``wanted`` lets through anything that ``before`` did not; such a change is sealed first."""
    return (
        any(_opens(before.stands.get(name), stand) for name, stand in wanted.stands.items())
        or (before.contained and not wanted.contained)
        or _releases(before.blocked, wanted.blocked)
        or _releases(before.isolated, wanted.isolated)
    )


def tightens(before: Enforcement, wanted: Enforcement) -> bool:
    """True when ``wanted`` stops anything that ``before`` let through."""
    return loosens(wanted, before)


def tightest(before: Enforcement, wanted: Enforcement) -> Enforcement:
    """The stricter of both in every part: what may be applied at once, before anything is sealed."""
    names = before.stands.keys() | wanted.stands.keys()
    return Enforcement(
        stands={name: _tighter(before.stands.get(name), wanted.stands.get(name)) for name in names},
        contained=before.contained or wanted.contained,
        blocked=_union(before.blocked, wanted.blocked),
        isolated=_union(before.isolated, wanted.isolated),
    )


def _opens(before: Stand | None, wanted: Stand) -> bool:
    if before is None:
        return wanted.state is not OpeningState.CLOSED
    if _STRICTNESS[wanted.state] < _STRICTNESS[before.state]:
        return True
    return wanted.state is before.state and _later(wanted, before)


def _later(wanted: Stand, before: Stand) -> bool:
    """Whether ``wanted`` keeps the same door open for longer than ``before`` would."""
    if before.until is None or before.then is None:
        return wanted.then is not None and _STRICTNESS[wanted.then] < _STRICTNESS[wanted.state]
    if _STRICTNESS[before.then] <= _STRICTNESS[before.state]:
        return False
    return wanted.until is None or wanted.until > before.until


def _tighter(one: Stand | None, other: Stand | None) -> Stand:
    if one is None or other is None:
        present = one or other
        assert present is not None
        return present
    return one if _opens(one, other) else other


def _releases(before: Mapping[str, Instant | None], wanted: Mapping[str, Instant | None]) -> bool:
    return any(target not in wanted or _sooner(wanted[target], until) for target, until in before.items())


def _sooner(one: Instant | None, other: Instant | None) -> bool:
    return one is not None and (other is None or one < other)


def _union(
    one: Mapping[str, Instant | None], other: Mapping[str, Instant | None]
) -> dict[str, Instant | None]:
    merged = dict(one)
    for target, until in other.items():
        if target not in merged or _sooner(merged[target], until):
            merged[target] = until
    return merged
