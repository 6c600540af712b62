"""Retention: when the station itself erases the bytes of an attached file, and what keeps them longer.

A file is evidence, and it may hold personal data: it is kept no longer than the site says (GDPR art. 5.1.e), but never
erased by the station while its incident is open or a legal clock runs for it. What was sealed of it stays.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rempart.detection.finding import Level
from rempart.duties.clock import clocks
from rempart.duties.duty import Obligations
from rempart.engine import facts
from rempart.engine.facts import MACHINE, AnyFact
from rempart.incidents.incident import Incident, IncidentState, begun
from rempart.instants import Instant, after, hours

if TYPE_CHECKING:
    from rempart.engine.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """An incident to which a file was attached, and when."""

    incident: str
    since: Instant


Kept = Mapping[str, tuple[Keeper, ...]]
"""SHA-256 of each file that was ever attached to whatever keeps its bytes; nothing: they were erased."""


def after_it(kept: Kept, fact: AnyFact) -> Kept:
    """What is kept after one fact. Total: it takes whatever a journal holds."""
    match fact:
        case facts.FileAttached(sha256=sha256, incident=incident, at=at):
            return {**kept, sha256: (*kept.get(sha256, ()), Keeper(incident=incident, since=at))}
        case facts.FileErased(sha256=sha256):
            return {**kept, sha256: ()}
        case facts.IncidentsMerged(into=into, merged=merged):
            return {
                sha256: tuple(
                    replace(each, incident=into) if each.incident == merged else each for each in keepers
                )
                for sha256, keepers in kept.items()
            }
        case _:
            return kept


def erased(kept: Kept) -> frozenset[str]:
    """The files whose bytes may not be there any more."""
    return frozenset(sha256 for sha256, keepers in kept.items() if not keepers)


def ends(attached: Instant, days: int) -> Instant | None:
    """Until when a file is kept at least; None: until a person erases it."""
    return after(attached, hours(24 * days)) if days else None


def due(
    days: int, state: "State", now: Instant, obligations: Obligations | None
) -> tuple[facts.FileErased, ...]:
    """The files whose time is over. ``obligations`` None: nobody knows which clocks run, and nothing is erased."""
    if not days or obligations is None:
        return ()
    aged = {
        sha256: keepers
        for sha256, keepers in state.kept.items()
        if keepers and all(now >= after(each.since, hours(24 * days)) for each in keepers)
    }
    needed = _needed(state, (each for keepers in aged.values() for each in keepers), now, obligations)
    return tuple(
        facts.FileErased(
            at=now,
            incident=keepers[0].incident,
            sha256=sha256,
            by=MACHINE,
            reason=f"files_kept_days = {days}",
        )
        for sha256, keepers in aged.items()
        if needed.isdisjoint(each.incident for each in keepers)
    )


def _needed(
    state: "State", keepers: Iterable[Keeper], now: Instant, obligations: Obligations
) -> frozenset[str]:
    """Incidents of these that are open, or for which a legal clock runs."""
    concerned = [state.incidents.get(each.incident) or _long_ago(each) for each in keepers]
    if not concerned:
        return frozenset()
    still = {each.id for each in concerned if each.state is not IncidentState.CLOSED}
    return frozenset(still | {clock.incident for clock in clocks(concerned, state.duties, now, obligations)})


def _long_ago(keeper: Keeper) -> Incident:
    """An incident that the state no longer keeps in mind, as far as its duties need it."""
    return begun(keeper.incident, keeper.since, IncidentState.CLOSED, Level.LOW)
