"""Unusual volume: a machine inside sends much more outside in an hour than ever in its own past."""

from collections.abc import Iterator

from rempart.detection.behaviour.card import card
from rempart.detection.behaviour.past import Kept, Past
from rempart.detection.behaviour.sighting import Contact, Side, Sighting
from rempart.detection.explain import finding
from rempart.detection.finding import Finding, Kind, Level, Proof
from rempart.detection.quiet import Quiet
from rempart.events.event import Event
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant, hours

FLOOR = 100_000_000
"""Bytes in an hour below which nothing is unusual: a film of the garden party."""
WARM_UP = hours(24)
WARM_HOURS = 6
"""Hours of its past in which the machine sent anything."""
DEVIATIONS = 8.0
TIMES = 1.5
MACHINES = 5_000
QUIET = hours(1)

_CARD = card(
    "volume",
    "A machine inside sent much more outside than ever before",
    Level.MEDIUM,
    Kind.EXFILTRATION,
    "attack.exfiltration",
    "attack.t1041",
)


class Volume:
    """Bytes that went out, by machine and hour. What goes where an opening of its own leads (backup) does not count."""

    memory = hours(1)

    def __init__(self) -> None:
        self._pasts: Kept[str, Past] = Kept(MACHINES, Past)
        self._quiet = Quiet(QUIET)

    def see(self, sighting: Sighting, event: Event, time: Instant) -> Iterator[Finding]:
        """A finding when the running hour goes beyond what is usual, and at each doubling of it."""
        match sighting:
            case Contact(
                source_side=Side.INSIDE, destination_side=Side.OUTSIDE, known=False, sent=int(sent)
            ) if sent:
                past = self._pasts.of(sighting.source)
                amount = past.add(sent, time)
                if (
                    amount >= FLOOR
                    and past.age(time) >= WARM_UP
                    and len(past.done) >= WARM_HOURS
                    and past.usual().exceeded(amount, deviations=DEVIATIONS, times=TIMES)
                    and self._quiet.news(sighting.source, time, amount)
                ):
                    yield self._found(past, sighting, amount, event, time)

    def _found(self, past: Past, contact: Contact, amount: int, event: Event, time: Instant) -> Finding:
        return finding(
            _CARD,
            event,
            time,
            group=(contact.source,),
            things=(
                Observable(ObservableKind.ADDRESS, Role.ACTOR, contact.source),
                Observable(ObservableKind.ADDRESS, Role.VICTIM, contact.destination),
            ),
            proofs=(Proof("bytes sent this hour", str(amount)), *past.usual().proofs()),
        )
