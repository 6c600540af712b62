"""Listening: which logs are silent, as watch says it, and when that asks for somebody.

Watch says all that are silent, once a minute. What differs from what is known becomes a fact, seldom enough that a
watch that was taken over cannot flood the journal. Somebody is asked for all of them together: a switch that dies
mutes a hundred logs, each after its own patience.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rempart.engine import facts
from rempart.instants import Duration, Instant, hours, minutes
from rempart.site.site import Site
from rempart.telling.alert import Alert, Urgency

PROXY, PACKETS = OWN = ("proxy", "packets")
"""The station's own logs: of its proxy, and of the packets that the kernel refuses."""

SETTLES: Duration = minutes(10)
"""How far apart two facts about logs are at least; what is said meanwhile is said again."""

APART: Duration = hours(6)
"""How far apart two alerts about logs are at least, unless it is much worse than what was told."""

_NEVER = Instant(0)

GROWN = 4
"""Much worse: so many times as many logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """The logs that are silent, each with when that was found, and when it was last found otherwise than before."""

    silent: Mapping[str, Instant] = field(default_factory=dict)
    turned: Instant = _NEVER


def turned(
    site: Site, listening: Listening, silent: frozenset[str], now: Instant
) -> tuple[facts.LogsTurned, ...]:
    """What is news in what watch says, of logs that the site has."""
    known = silent & {*OWN, *(log.path for log in site.logs)}
    if known == listening.silent.keys() or now - listening.turned < SETTLES:
        return ()
    fallen, heard = known - listening.silent.keys(), listening.silent.keys() - known
    return (facts.LogsTurned(at=now, silent=sorted(fallen), heard=sorted(heard)),)


def after_it(listening: Listening, fact: facts.LogsTurned) -> Listening:
    """The logs that are silent after one fact. Total: it takes whatever a journal holds."""
    still = {log: since for log, since in listening.silent.items() if log not in fact.heard}
    return replace(listening, silent=still | dict.fromkeys(fact.silent, fact.at), turned=fact.at)


def asks(site: Site, listening: Listening, told: Alert | None, now: Instant) -> Urgency | None:
    """How urgently somebody is to be told of the silent logs now; None: not now. ``told``: the last alert about logs.

    Each silence asks once: with the first alert that is raised after it was found.
    """
    fresh = {log for log, since in listening.silent.items() if told is None or since > told.raised}
    if not fresh:
        return None
    wakes = any(log.wakes for log in site.logs if log.path in fresh)
    urgency = Urgency.NOW if wakes else Urgency.CAN_WAIT
    if told is None or now - told.raised >= APART or urgency > told.urgency:
        return urgency
    count = told.about.arguments.get("count", 0)
    return urgency if len(listening.silent) >= GROWN * int(count) else None
