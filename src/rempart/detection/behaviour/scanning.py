"""Scanning inside: a machine tries many machines or doors inside that it never spoke with before.

What it has always talked to does not count, so the server that watches printers and the domain controller stay silent.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from rempart.detection.behaviour.card import card
from rempart.detection.behaviour.past import Kept, Watched
from rempart.detection.behaviour.sighting import Contact, Side, Sighting
from rempart.detection.explain import finding
from rempart.detection.finding import Finding, Kind, Level, Proof
from rempart.detection.quiet import Quiet
from rempart.events.event import Event
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Duration, Instant, hours, minutes

MACHINES_TRIED = 15
"""Machines never spoken with before, in a window."""
DOORS_TRIED = 40
"""Ports of one machine never spoken with before, in a window."""
WINDOW = minutes(10)
WARM_UP = hours(1)
"""Since the first contact inside of all: until then everybody is new to everybody."""
MACHINES = 400
TARGETS = 512
"""Targets remembered of each machine."""
_CHOSEN_PORTS = 49_152  # those above are given out by chance (RFC 6335), so each is new

_CARD = card(
    "scanning",
    "A machine inside tries machines it never spoke with before",
    Level.MEDIUM,
    Kind.SCAN,
    "attack.discovery",
    "attack.t1046",
)
Target = tuple[str, int]


@dataclass(slots=True)
class Acquaintances:
    """Whom one machine has spoken with, the longest ago first, and which of them are new."""

    known: OrderedDict[Target, None] = field(default_factory=OrderedDict)
    fresh: deque[tuple[Instant, Target]] = field(default_factory=deque)

    def meet(self, target: Target, time: Instant) -> bool:
        """Take in a contact; True when it was the first with this target."""
        new = target not in self.known
        self.known[target] = None
        self.known.move_to_end(target)
        if new:
            self.fresh.append((time, target))
        while len(self.known) > TARGETS:
            self.known.popitem(last=False)
        while self.fresh and (self.fresh[0][0] < time - WINDOW or len(self.fresh) > TARGETS):
            self.fresh.popleft()
        return new

    @property
    def machines(self) -> int:
        """How many machines are among the new targets."""
        return len({address for _, (address, _) in self.fresh})

    @property
    def doors(self) -> int:
        """The most new ports of one machine."""
        return max(Counter(address for _, (address, _) in self.fresh).values(), default=0)


class Scanning:
    """Every machine inside, and whom inside it speaks with."""

    memory = Duration(WARM_UP + 2 * WINDOW)

    def __init__(self) -> None:
        self._known: Kept[str, Acquaintances] = Kept(MACHINES, Acquaintances)
        self._since = Watched()
        self._quiet = Quiet(hours(1))

    def see(self, sighting: Sighting, event: Event, time: Instant) -> Iterator[Finding]:
        """A finding when too many targets within the window are new, and at each doubling."""
        match sighting:
            case Contact(source_side=Side.INSIDE, destination_side=Side.INSIDE) if (
                sighting.port < _CHOSEN_PORTS
            ):
                since = self._since.seen(time)
                machine = self._known.of(sighting.source)
                new = machine.meet((sighting.destination, sighting.port), time)
                if time - since < WARM_UP:
                    machine.fresh.clear()
                elif new:
                    yield from self._judge(machine, sighting, event, time)

    def _judge(
        self, machine: Acquaintances, contact: Contact, event: Event, time: Instant
    ) -> Iterator[Finding]:
        machines, doors = machine.machines, machine.doors
        if machines < MACHINES_TRIED and doors < DOORS_TRIED:
            return
        if not self._quiet.news(contact.source, time, len(machine.fresh)):
            return
        yield finding(
            _CARD,
            event,
            time,
            group=(contact.source,),
            things=(Observable(ObservableKind.ADDRESS, Role.ACTOR, contact.source),),
            proofs=(
                Proof("machines never spoken with before", f"{machines} (from {MACHINES_TRIED} on)"),
                Proof("most doors of one machine", f"{doors} (from {DOORS_TRIED} on)"),
                Proof("within minutes", str(WINDOW // minutes(1))),
                Proof("spoken with before", str(len(machine.known) - len(machine.fresh))),
            ),
            count=len(machine.fresh),
        )
