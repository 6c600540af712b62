"""Clocks: by when somebody must be told, over all incidents: duties that a person said apply, until fulfilled."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rempart.duties.duty import Applies, ClockState, Obligations, duties_for
from rempart.duties.ledger import DutyLedger
from rempart.incidents.incident import Incident
from rempart.incidents.ranking import Concern, concern
from rempart.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One duty whose time runs for one incident."""

    incident: str
    duty: str
    started: Instant
    due: Instant | None
    """None: the law gives no number ("without undue delay")."""


def clocks(
    incidents: Iterable[Incident], ledger: DutyLedger, now: Instant, obligations: Obligations
) -> tuple[Clock, ...]:
    """What runs, the soonest end first, then what has no end of its own.

    An incident counts when somebody answered a question about it, even after it closed, or when it asks for a person:
    what holds for the institution as a whole ("a policy covers us") starts no clock for each scan of the internet.
    """
    if not ledger.given:
        return ()
    answered = {name for name, _ in ledger.given}
    counts = (each for each in incidents if each.id in answered or concern(each) is not Concern.COUNTED)
    running = [clock for each in counts for clock in _running(each, ledger, now, obligations)]
    return tuple(sorted(running, key=lambda clock: (clock.due is None, clock.due or clock.started)))


def _running(
    incident: Incident, ledger: DutyLedger, now: Instant, obligations: Obligations
) -> Iterator[Clock]:
    for duty in duties_for(incident, ledger.about(incident.id), now, obligations):
        if duty.applies is Applies.YES and duty.clock is not ClockState.SENT and duty.started_at is not None:
            yield Clock(
                incident=incident.id, duty=duty.obligation.id, started=duty.started_at, due=duty.due_at
            )
