"""Care files: an account opens those of many more persons in an hour than ever in its own past."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rempart.detection.behaviour.card import card
from rempart.detection.behaviour.past import Kept, Past, short
from rempart.detection.behaviour.sighting import RecordOpened, Sighting
from rempart.detection.explain import finding
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.quiet import Quiet
from rempart.events.event import Event
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant, hours

FLOOR = 40
"""Persons in an hour below which nothing is unusual: a ward."""
WARM_UP = hours(24)
WARM_HOURS = 5
"""Hours of its past in which the account opened any."""
DEVIATIONS = 6.0
TIMES = 1.5
ACCOUNTS = 5_000
PERSONS = 5_000
"""Persons told apart in an hour; beyond that it is far too many anyway."""
QUIET = hours(1)

_CARD = card(
    "records",
    "An account opened the care files of many more persons than ever before",
    Level.MEDIUM,
    Kind.RECORDS,
    "attack.collection",
    "attack.t1213",
    outcome=Outcome.SUCCESS,
)


@dataclass(slots=True)
class Reader:
    """One account: how many persons' files it opened each hour, and digests of those of the running hour only."""

    past: Past = field(default_factory=Past)
    persons: set[bytes] = field(default_factory=set)

    def open(self, person: str, time: Instant) -> int:
        """How many persons there are in the running hour, this one included; 0 when it was among them already."""
        if self.past.turn(time):
            self.persons.clear()
        digest = short(person)
        if digest in self.persons or len(self.persons) >= PERSONS:
            return 0
        self.persons.add(digest)
        return self.past.add(1, time)


class Records:
    """Every account that opens care files."""

    memory = hours(1)

    def __init__(self) -> None:
        self._readers: Kept[str, Reader] = Kept(ACCOUNTS, Reader)
        self._quiet = Quiet(QUIET)

    def see(self, sighting: Sighting, event: Event, time: Instant) -> Iterator[Finding]:
        """A finding when the running hour goes beyond what is usual, and at each doubling of it."""
        match sighting:
            case RecordOpened():
                reader = self._readers.of(sighting.account)
                number, past = reader.open(sighting.person, time), reader.past
                if (
                    number >= FLOOR
                    and past.age(time) >= WARM_UP
                    and len(past.done) >= WARM_HOURS
                    and past.usual().exceeded(number, deviations=DEVIATIONS, times=TIMES)
                    and self._quiet.news(sighting.account, time, number)
                ):
                    yield self._found(past, sighting, number, event, time)

    def _found(self, past: Past, opened: RecordOpened, number: int, event: Event, time: Instant) -> Finding:
        return finding(
            _CARD,
            event,
            time,
            group=(opened.account,),
            things=(
                Observable(ObservableKind.ADDRESS, Role.ACTOR, opened.address),
                Observable(ObservableKind.ACCOUNT, Role.VICTIM, opened.account),
            ),
            proofs=(Proof("persons this hour", str(number)), *past.usual().proofs()),
            count=number,
        )
