"""First seen: a machine, a destination or a place of sign-in that was never there before.

Each is new once, so each needs a past first: of the station (machines), of the machine (destinations) or of the account
(sign-ins). A *place* is a country where a table of countries is given, else the network around the address.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rempart.detection.behaviour.card import card
from rempart.detection.behaviour.country import Countries
from rempart.detection.behaviour.past import Kept, Watched
from rempart.detection.behaviour.sighting import Contact, MachineSeen, Side, Sighting, SignIn
from rempart.detection.explain import finding
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.events.event import Event
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Duration, Instant, hours, rfc3339

WARM_UP = hours(24)
ENOUGH = 5
"""Sign-ins of an account before a new place is news."""
SETTLED = 50
"""Contacts of a machine before a new destination is news."""
NARROW = 5
"""Places at most of a machine that has habits: a printer, a pump, a server. A browsing person goes everywhere."""
MACHINES = 20_000
ACCOUNTS = 5_000
PLACES = 64
"""Places remembered of one machine or account."""

_MACHINE = card(
    "first-machine",
    "A machine never seen before is on the network",
    Level.LOW,
    Kind.DEVICE,
    "attack.initial-access",
    "attack.t1200",
)
_DESTINATION = card(
    "first-destination",
    "A machine with few habits called a new place",
    Level.LOW,
    Kind.OTHER,
    "attack.command-and-control",
    "attack.t1071",
)
_NETWORK = card(
    "first-network", "An account signed in from a network never used before", Level.LOW, Kind.SIGN_IN,
    "attack.initial-access", "attack.t1078", outcome=Outcome.SUCCESS,
)  # fmt: skip
_COUNTRY = card(
    "first-country", "An account signed in from a country never used before", Level.MEDIUM, Kind.SIGN_IN,
    "attack.initial-access", "attack.t1078", outcome=Outcome.SUCCESS,
)  # fmt: skip


@dataclass(slots=True)
class Habits:
    """Where one machine goes, or one account comes from: place -> when first."""

    since: Instant | None = None
    times: int = 0
    places: dict[str, Instant] = field(default_factory=dict)

    def visit(self, place: str, time: Instant) -> bool:
        """Take in a visit; True when the place is new. Beyond `PLACES` the oldest is forgotten."""
        self.since = time if self.since is None else self.since
        self.times += 1
        if place in self.places:
            return False
        if len(self.places) >= PLACES:
            del self.places[next(iter(self.places))]
        self.places[place] = time
        return True

    def settled(self, times: int, time: Instant) -> bool:
        """Whether there is enough of a past."""
        return self.since is not None and self.times > times and time - self.since >= WARM_UP

    def proofs(self, place: str) -> tuple[Proof, ...]:
        """The new place, and those known before."""
        before = [each for each in self.places if each != place]
        return (
            Proof("place", place),
            Proof("places before", ", ".join(before[:NARROW])),
            Proof("seen times before", str(self.times - 1)),
            Proof("known since", rfc3339(self.since or Instant(0))),
        )


class FirstMachine:
    """Machines, by hardware address. Those that the site knows are no news; the first day's are the past."""

    memory = Duration(0)

    def __init__(self) -> None:
        self._seen: Kept[str, Habits] = Kept(MACHINES, Habits)
        self._since = Watched()

    def see(self, sighting: Sighting, event: Event, time: Instant) -> Iterator[Finding]:
        """A finding when a machine shows itself for the first time."""
        match sighting:
            case MachineSeen():
                since, machines = self._since.seen(time), len(self._seen)
                if self._seen.of(sighting.device).visit("here", time) and time - since >= WARM_UP:
                    yield finding(
                        _MACHINE,
                        event,
                        time,
                        group=(sighting.device,),
                        things=(Observable(ObservableKind.DEVICE, Role.VICTIM, sighting.device),),
                        proofs=(
                            Proof("name it gives", sighting.name or "none"),
                            Proof("machines known", str(machines)),
                            Proof("watched since", rfc3339(since)),
                        ),
                    )


class FirstDestination:
    """Places outside, by machine."""

    memory = Duration(0)

    def __init__(self, countries: Countries) -> None:
        self._countries = countries
        self._habits: Kept[str, Habits] = Kept(MACHINES, Habits)

    def see(self, sighting: Sighting, event: Event, time: Instant) -> Iterator[Finding]:
        """A finding when a machine that always called the same few places calls another one."""
        match sighting:
            case Contact(source_side=Side.INSIDE, destination_side=Side.OUTSIDE, known=False):
                habits = self._habits.of(sighting.source)
                place = self._countries.place(sighting.destination)
                new = habits.visit(place, time)
                if new and len(habits.places) <= NARROW + 1 and habits.settled(SETTLED, time):
                    yield finding(
                        _DESTINATION,
                        event,
                        time,
                        group=(sighting.source, place),
                        things=(
                            Observable(ObservableKind.ADDRESS, Role.ACTOR, sighting.source),
                            Observable(ObservableKind.ADDRESS, Role.VICTIM, sighting.destination),
                        ),
                        proofs=habits.proofs(place),
                    )


class FirstSignIn:
    """Places outside from which an account signed in."""

    memory = Duration(0)

    def __init__(self, countries: Countries) -> None:
        self._countries = countries
        self._habits: Kept[str, Habits] = Kept(ACCOUNTS, Habits)

    def see(self, sighting: Sighting, event: Event, time: Instant) -> Iterator[Finding]:
        """A finding when an account comes from a new place."""
        match sighting:
            case SignIn(side=Side.OUTSIDE):
                habits = self._habits.of(sighting.account)
                place = self._countries.place(sighting.address)
                if habits.visit(place, time) and habits.settled(ENOUGH, time):
                    yield finding(
                        _COUNTRY if self._countries.country(sighting.address) else _NETWORK,
                        event,
                        time,
                        group=(sighting.account, place),
                        things=(
                            Observable(ObservableKind.ADDRESS, Role.ACTOR, sighting.address),
                            Observable(ObservableKind.ACCOUNT, Role.VICTIM, sighting.account),
                        ),
                        proofs=habits.proofs(place),
                    )
