"""Beaconing: a machine inside calls the same address outside at regular intervals, as one that waits for orders does.

Regular means: the coefficient of variation (standard deviation over mean) of the times between contacts, the longest
and the shortest tenth of them left out (a beat that was missed, two that came together), is at most `VARIATION`.
Programs that wait "a minute, give or take half of it" have 0.2; people reading pages have 1 and more.

Mail programs, pumps and updaters are as regular. So only what *began* while its machine was being watched is news: a
pair whose network (/24, /48) the machine called on its first day is its habit, and told as no more than that.
"""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from statistics import fmean, pstdev

from rempart.detection.behaviour.card import card
from rempart.detection.behaviour.past import Kept, Watched
from rempart.detection.behaviour.sighting import Contact, Side, Sighting
from rempart.detection.explain import finding
from rempart.detection.finding import Finding, Kind, Level, Proof
from rempart.detection.quiet import Quiet
from rempart.detection.rule import RuleCard
from rempart.detection.surroundings import normal
from rempart.events.event import Event
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant, hours, seconds

ENOUGH = 24
"""Contacts before anything is said: the warm-up of each pair."""
KEPT = 64
"""The newest contacts of a pair, by which it is judged."""
VARIATION = 0.2
TOGETHER = seconds(2)
"""Contacts closer than this are one: a browser opens twenty connections at once."""
SLOWER_THAN = seconds(5)
"""Mean interval; faster ones are for the shipped rules, which see them within seconds."""
WINDOW = hours(24)
PAIRS = 20_000
SHARED = 4
"""Machines that call the same place: then it is more likely a service that all of them use, and told as little."""
QUIET = hours(6)
WARM_UP = hours(24)
"""How long a machine must have been watched before what it begins is news."""
_NETWORKS = {4: 24, 6: 48}
_CLOCKS = frozenset({67, 68, 123})  # leases and time are asked for regularly, by design

_ALONE = card(
    "beaconing", "A machine inside calls outside as regularly as a clock", Level.MEDIUM, Kind.COMMAND,
    "attack.command-and-control", "attack.t1071"
)  # fmt: skip
_HABIT = card(
    "beaconing.habit", "A machine calls a place as regularly as a clock, as it always did", Level.INFORMATIONAL,
    Kind.COMMAND, "attack.command-and-control", "attack.t1071",
)  # fmt: skip
_TOGETHER = card(
    "beaconing.shared", "Machines inside call the same place as regularly as a clock", Level.LOW, Kind.COMMAND,
    "attack.command-and-control", "attack.t1071",
)  # fmt: skip


@dataclass(slots=True)
class Beats:
    """When one machine called one port of one address, sorted."""

    times: list[Instant] = field(default_factory=list)

    def add(self, time: Instant) -> bool:
        """Take in a contact; False when it is part of one that is there, or too old to count."""
        if any(abs(time - each) < TOGETHER for each in self.times):
            return False
        insort(self.times, time)
        newest = self.times[-1]
        self.times = [each for each in self.times[-KEPT:] if newest - each <= WINDOW]
        return time in self.times

    def intervals(self) -> list[float]:
        """Seconds between contacts, the longest and shortest tenth left out."""
        ranked = sorted(
            (later - earlier) / 1e6 for earlier, later in zip(self.times, self.times[1:], strict=False)
        )
        cut = len(ranked) // 10
        return ranked[cut : len(ranked) - cut]


class Beaconing:
    """Every pair of machine inside and port outside."""

    memory = hours(1)

    def __init__(self) -> None:
        self._beats: Kept[tuple[str, str, int], Beats] = Kept(PAIRS, Beats)
        self._callers: Kept[str, set[str]] = Kept(PAIRS, set[str])
        self._machines: Kept[str, Watched] = Kept(PAIRS, Watched)
        self._began: Kept[tuple[str, str, int], Watched] = Kept(PAIRS, Watched)
        self._quiet = Quiet(QUIET)

    def see(self, sighting: Sighting, event: Event, time: Instant) -> Iterator[Finding]:
        """A finding when a contact completes a regular row of them."""
        match sighting:
            case Contact(source_side=Side.INSIDE, destination_side=Side.OUTSIDE, known=False) if (
                sighting.port not in _CLOCKS
            ):
                callers = self._callers.of(sighting.destination)
                if len(callers) < SHARED:
                    callers.add(sighting.source)
                known = time - self._machines.of(sighting.source).seen(time)
                pair = (sighting.source, network(sighting.destination), sighting.port)
                age = time - self._began.of(pair).seen(time)
                beats = self._beats.of((sighting.source, sighting.destination, sighting.port))
                if beats.add(sighting.time) and len(beats.times) >= ENOUGH:
                    chosen = (
                        _HABIT if known - age < WARM_UP else _TOGETHER if len(callers) >= SHARED else _ALONE
                    )
                    yield from self._judge(chosen, beats, sighting, len(callers), event, time)

    def _judge(
        self, chosen: RuleCard, beats: Beats, contact: Contact, callers: int, event: Event, time: Instant
    ) -> Iterator[Finding]:
        intervals = beats.intervals()
        mean = fmean(intervals)
        variation = pstdev(intervals, mean) / mean
        pair = (contact.source, contact.destination, str(contact.port))
        if variation > VARIATION or mean < SLOWER_THAN / 1e6 or not self._quiet.news(pair, time):
            return
        yield finding(
            chosen,
            event,
            time,
            group=pair,
            things=(
                Observable(ObservableKind.ADDRESS, Role.ACTOR, contact.source),
                Observable(ObservableKind.ADDRESS, Role.VICTIM, contact.destination),
            ),
            proofs=(
                Proof("contacts", str(len(beats.times))),
                Proof("seconds between contacts (mean)", f"{mean:.1f}"),
                Proof("coefficient of variation", f"{variation:.3f} (at most {VARIATION})"),
                Proof("port", str(contact.port)),
                Proof("machines inside that call there", f"{callers}{' or more' * (callers >= SHARED)}"),
            ),
            count=len(beats.times),
        )


def network(address: str) -> str:
    """The network around an address in which a service moves."""
    found = normal(address)
    return str(ip_network((found, _NETWORKS[found.version]), strict=False)) if found else address
