"""Measures, and the whole of what the enforcement points should hold because of them.

`Enforcement` is a complete wanted state, not a change: adapters bring the kernel and the proxy to it and read it
back. That makes applying, repeating and repairing after a power cut the same operation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rempart.containment.limits import Limits
from rempart.instants import Instant
from rempart.site.opening import OpeningState

_STRICTNESS = {OpeningState.OPEN: 0, OpeningState.FILTERED: 1, OpeningState.CLOSED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How one opening stands: ``state`` now and, if ``until`` is set, ``then`` from that instant on by itself."""

    state: OpeningState
    until: Instant | None = None
    then: OpeningState | None = None
    drains: Instant | None = None
    """Closed in peace: what is under way through the proxy may end until then; nothing new begins."""
    limits: Limits | None = None
    """What alone may pass until ``until``, of all that the opening would let through; None: all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """Everything the kernel and the proxy should hold.

    ``stands`` has one entry per opening id. ``contained`` says that the site is cut: every opening whose stand is
    closed is also put in the kernel's containment set. ``blocked`` maps addresses or networks to the instant the
    block ends (None: stands until lifted); ``isolated`` maps asset ids likewise, ``barred`` the names of passages
    (see `barrier`). ``contained_until``: the cut was not confirmed yet, and falls back by itself. What the public is
    told beside that stands in ``closed_since`` and ``news_at``; it stops and lets through nothing.
    """

    stands: Mapping[str, Stand]
    contained: bool = False
    contained_until: Instant | None = None
    blocked: Mapping[str, Instant | None] = field(default_factory=dict)
    isolated: Mapping[str, Instant | None] = field(default_factory=dict)
    closed_since: Mapping[str, Instant] = field(default_factory=dict)
    news_at: Instant | None = None
    barred: Mapping[str, Instant | None] = field(default_factory=dict)


def stricter(one: OpeningState, other: OpeningState) -> OpeningState:
    """The tighter of two states."""
    return max(one, other, key=_STRICTNESS.__getitem__)


def loosens(before: Enforcement, wanted: Enforcement) -> bool:
    """True when ``wanted`` lets through anything that ``before`` did not; such a change is sealed first."""
    return (
        any(_opens(before.stands.get(name), stand) for name, stand in wanted.stands.items())
        or (before.contained and not wanted.contained)
        or (before.contained and _sooner(wanted.contained_until, before.contained_until))
        or _releases(before.blocked, wanted.blocked)
        or _releases(before.isolated, wanted.isolated)
        or _releases(before.barred, wanted.barred)
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
        contained_until=_longest(before, wanted),
        blocked=_union(before.blocked, wanted.blocked),
        isolated=_union(before.isolated, wanted.isolated),
        closed_since=wanted.closed_since,
        news_at=wanted.news_at,
        barred=_union(before.barred, wanted.barred),
    )


def due(wanted: Enforcement, now: Instant) -> Enforcement:
    """The same with everything whose time has come fallen already, as the kernel's own timeouts do it."""
    contained = wanted.contained and _runs(wanted.contained_until, now)
    return Enforcement(
        stands={name: _fallen(stand, now) for name, stand in wanted.stands.items()},
        contained=contained,
        contained_until=wanted.contained_until if contained else None,
        blocked={target: until for target, until in wanted.blocked.items() if _runs(until, now)},
        isolated={asset: until for asset, until in wanted.isolated.items() if _runs(until, now)},
        barred={passage: until for passage, until in wanted.barred.items() if _runs(until, now)},
    )


def disagreements(wanted: Enforcement, held: Enforcement, now: Instant) -> tuple[str, ...]:
    """What the world holds otherwise than wanted, in words; empty when they agree.

    Deadlines within `SLACK` of each other agree: the kernel counts in jiffies and tells remaining time.
    """
    expected = due(wanted, now)
    found = [
        f"opening {name} {_otherwise(stand, held.stands.get(name))}"
        for name, stand in sorted(expected.stands.items())
        if name not in held.stands or not _same_stand(stand, held.stands[name], now)
    ]
    ending = _ends(expected.contained_until, now) or _ends(held.contained_until, now)
    if expected.contained is not held.contained and not ending:
        found.append("the site is not contained" if expected.contained else "the site is still contained")
    elif not ending and not _same_deadline(expected.contained_until, held.contained_until):
        found.append("the containment ends at another instant than was decided")
    found += _different("block", expected.blocked, held.blocked, now)
    found += _different("isolation", expected.isolated, held.isolated, now)
    found += _different("barrier", expected.barred, held.barred, now)
    return tuple(found)


SLACK = 2_000_000
"""Microseconds by which two deadlines may differ and still be the same."""


def _runs(until: Instant | None, now: Instant) -> bool:
    return until is None or until > now


def _longest(one: Enforcement, other: Enforcement) -> Instant | None:
    """When containment ends by itself, if both end or are not: the later."""
    ends = [each.contained_until for each in (one, other) if each.contained]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _fallen(stand: Stand, now: Instant) -> Stand:
    if stand.until is not None and stand.then is not None and stand.until <= now:
        return Stand(state=stand.then)
    return stand


def _otherwise(wanted: Stand, held: Stand | None) -> str:
    """How an opening stands otherwise than wanted."""
    if held is None or held.state is not wanted.state:
        return f"is {held.state.value if held else 'unknown'}, not {wanted.state.value}"
    if held.limits != wanted.limits:
        return "lets in others than was decided"
    return f"is {wanted.state.value} until another instant than was decided"


def _same_stand(wanted: Stand, held: Stand, now: Instant) -> bool:
    if wanted.state is held.state:
        return wanted.limits == held.limits and _same_deadline(wanted.until, held.until)
    return (_ends(wanted.until, now) and held.state is wanted.then) or (
        _ends(held.until, now) and wanted.state is held.then
    )


def _ends(until: Instant | None, now: Instant) -> bool:
    """Whether it ends about now: one of the two has seen it already, the other not yet."""
    return until is not None and until - now < SLACK


def _same_deadline(one: Instant | None, other: Instant | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SLACK


def _different(
    word: str, wanted: Mapping[str, Instant | None], held: Mapping[str, Instant | None], now: Instant
) -> list[str]:
    missing = [
        f"the {word} of {target} is missing"
        for target, until in wanted.items()
        if not _ends(until, now) and (target not in held or not _same_deadline(until, held[target]))
    ]
    extra = [
        f"there is a {word} of {target} that nobody decided"
        for target, until in held.items()
        if target not in wanted and not _ends(until, now)
    ]
    return missing + extra


def _opens(before: Stand | None, wanted: Stand) -> bool:
    """Whether ``wanted`` lets somebody through, now or at any later instant, whom ``before`` would not."""
    before = before or Stand(state=OpeningState.CLOSED)
    turns = (None, before.until, wanted.until)
    return (wanted.state is before.state and _wider(wanted, before)) or any(
        _STRICTNESS[_from(wanted, turn)] < _STRICTNESS[_from(before, turn)] for turn in turns
    )


def _wider(wanted: Stand, before: Stand) -> bool:
    """Whether ``wanted`` lets somebody through the same door whom ``before`` does not."""
    return before.limits is not None and not before.limits.allow(wanted.limits)


def _from(stand: Stand, turn: Instant | None) -> OpeningState:
    """The state from that instant on; None: now."""
    fallen = turn is not None and stand.until is not None and stand.until <= turn
    return stand.then if fallen and stand.then is not None else stand.state


def _tighter(one: Stand | None, other: Stand | None) -> Stand:
    if one is None or other is None:
        present = one or other
        assert present is not None
        return present
    if _opens(one, other) and _opens(other, one):
        return Stand(state=OpeningState.CLOSED)  # two visits that differ: neither
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
