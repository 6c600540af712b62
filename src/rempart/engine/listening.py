"""Listening: which logs are silent, as watch says it, whether watch itself speaks, and when that asks for somebody.

Watch says all that are silent, once a minute. What differs from what is known becomes a fact, seldom enough that a
watch that was taken over cannot flood the journal. Somebody is asked for all of them together: a switch that dies
mutes a hundred logs, each after its own patience.

A watch that says nothing at all is missed: what does not run cannot say so itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rempart.engine import facts
from rempart.instants import Duration, Instant, hours, minutes, recent
from rempart.site.site import Site
from rempart.telling.alert import Alert, Urgency

PROXY, PACKETS = OWN = ("proxy", "packets")
"""The station's own logs: of its proxy, and of the packets that the kernel refuses."""

SETTLES: Duration = minutes(10)
"""How far apart two facts about logs are at least; what is said meanwhile is said again."""

APART: Duration = hours(6)
"""How far apart two alerts about logs are at least, unless it is much worse than what was told."""

PATIENCE: Duration = minutes(5)
"""How long watch may say nothing. It speaks once a minute, and while it starts it says how far it is."""

SURE: Duration = minutes(2)
"""How long it must be found so: a clock that was set right looks like a long silence, until watch speaks again."""

_NEVER = Instant(0)

GROWN = 4
"""Much worse: so many times as many logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """So many bunches of lines of so many, and the furthest that a start came since watch last followed the logs."""

    done: int
    total: int
    furthest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """The logs that are silent, each with when that was found, and when it was last found otherwise than before."""

    silent: Mapping[str, Instant] = field(default_factory=dict)
    turned: Instant = _NEVER
    mute: Instant | None = None
    """Since when watch says nothing; None: it speaks, as far as is known."""
    spoke: Instant = field(default=_NEVER, compare=False)
    """When watch last spoke, or was first expected to; never: nobody expects it. Not part of the evidence."""
    missed: Instant = field(default=_NEVER, compare=False)
    """When it was first found not to have spoken in time; never: it has. Not part of the evidence."""
    rebuilding: Rebuilt | None = field(default=None, compare=False)
    """How far watch is in reading again what it kept; None: it follows the logs. Not part of the evidence."""


def turned(
    site: Site, listening: Listening, silent: frozenset[str], now: Instant
) -> tuple[facts.LogsTurned, ...]:
    """What is news in what watch says, of logs that the site has."""
    known = silent & {*OWN, *(log.path for log in site.logs)}
    if known == listening.silent.keys() or recent(listening.turned, now, SETTLES):
        return ()
    fallen, heard = known - listening.silent.keys(), listening.silent.keys() - known
    return (facts.LogsTurned(at=now, silent=sorted(fallen), heard=sorted(heard)),)


def awaited(listening: Listening, now: Instant) -> Listening:
    """From now on watch is expected to speak, or has just said which logs are silent."""
    return replace(listening, spoke=now, missed=_NEVER, rebuilding=None)


def rebuilt(listening: Listening, done: int, total: int, now: Instant) -> Listening:
    """Watch reads again what it kept. It counts as speaking only while it comes further than any start before: a watch
    that is stuck, or ends at the same line again and again, is missed.
    """
    furthest = listening.rebuilding.furthest if listening.rebuilding else -1
    told = Rebuilt(done=done, total=total, furthest=max(done, furthest))
    if done <= furthest:
        return replace(listening, rebuilding=told)
    return replace(listening, spoke=now, missed=_NEVER, rebuilding=told)


def looked(listening: Listening, now: Instant) -> Listening:
    """Remember when watch was first found not to have spoken in time."""
    if listening.spoke == _NEVER or listening.missed != _NEVER or now - listening.spoke < PATIENCE:
        return listening
    return replace(listening, missed=now)


def muted(listening: Listening, now: Instant) -> tuple[facts.WatchMuted, ...]:
    """That watch says nothing, once that is sure."""
    if listening.mute is not None or listening.missed == _NEVER or now - listening.missed < SURE:
        return ()
    return (facts.WatchMuted(at=now, since=listening.spoke),)


def heard(listening: Listening, now: Instant) -> tuple[facts.WatchHeard, ...]:
    """That watch speaks again, when it was missed."""
    return () if listening.mute is None else (facts.WatchHeard(at=now),)


def after_it(listening: Listening, fact: facts.ListeningFact) -> Listening:
    """What is heard after one fact. Total: it takes whatever a journal holds."""
    match fact:
        case facts.WatchMuted(since=since):
            return replace(listening, mute=since)
        case facts.WatchHeard():
            return replace(listening, mute=None)
        case facts.LogsTurned():
            return _turned(listening, fact)


def _turned(listening: Listening, fact: facts.LogsTurned) -> Listening:
    still = {log: since for log, since in listening.silent.items() if log not in fact.heard}
    return replace(listening, silent=still | dict.fromkeys(fact.silent, fact.at), turned=fact.at)


def asks(site: Site, listening: Listening, told: Alert | None, now: Instant) -> Urgency | None:
    """How urgently somebody is to be told of the silent logs now; None: not now. ``told``: the last alert about logs.

    Each silence asks once: with the first alert that is raised after it was found.
    """
    fresh = {
        log
        for log, since in listening.silent.items()
        if told is None or since > told.raised or told.raised > now
    }
    if not fresh:
        return None
    wakes = any(log.wakes for log in site.logs if log.path in fresh)
    urgency = Urgency.NOW if wakes else Urgency.CAN_WAIT
    if told is None or not recent(told.raised, now, APART) or urgency > told.urgency:
        return urgency
    count = told.about.arguments.get("count", 0)
    return urgency if len(listening.silent) >= GROWN * int(count) else None
