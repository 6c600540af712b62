"""Generated sites and orders: what the kernel lets through, packet by packet, is what the model lets through.

``REMPART_PACKETS`` is the number of sites; a few by default, so that the suite stays quick.
"""

import contextlib
import itertools
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from lab.passing import Packet, passes
from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import Enforcement, disagreements, due
from rempart.engine import orders
from rempart.engine.inputs import Ordered
from rempart.engine.state import enforcement, initial
from rempart.engine.step import Terms, step
from rempart.instants import Instant, from_datetime
from rempart.site.opening import Direction, Fallback, Opening, OpeningState, Service, Transport
from rempart.site.site import Asset, Site
from rempart.station.policy import read_policy

pytestmark = [pytest.mark.lab, pytest.mark.timed]

SITES = int(os.environ.get("REMPART_PACKETS", "30"))
MACHINES = {
    "wards": ("10.1.0.7", "10.1.0.8", "fd00:1::7"),
    "servers": ("10.2.0.5", "fd00:2::5"),
    "dmz": ("10.3.0.2", "fd00:3::2"),
    "out": ("192.0.2.10", "192.0.2.20", "192.0.2.66", "198.51.100.5", "2001:db8:f::20", "2001:db8:f::66"),
}
PORTS = (443, 3389, 5060)
HOSTS = (
    "*",
    "192.0.2.10",
    "192.0.2.0/27",
    "192.0.2.0/24",
    "198.51.100.5",
    "2001:db8:f::20",
    "2001:db8:f::/64",
)
ZONES = ("wards", "servers", "dmz")
_services = st.lists(
    st.builds(
        lambda transport, first, more: Service(transport, first, max(first, more)),
        st.sampled_from(Transport),
        st.sampled_from(PORTS),
        st.sampled_from(PORTS),
    ),
    min_size=1,
    max_size=2,
)


@st.composite
def sites(draw: st.DrawFn) -> list[dict[str, object]]:
    """What differs from the lab's own site: its openings, and who reaches whom."""
    return draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "direction": st.sampled_from(Direction),
                    "zones": st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple),
                    "hosts": st.lists(st.sampled_from(HOSTS), min_size=1, max_size=2, unique=True).map(tuple),
                    "services": _services.map(tuple),
                    "lifeline": st.booleans(),
                    "normally": st.sampled_from(OpeningState),
                }
            ),
            min_size=1,
            max_size=5,
        )
    )


REACHES = st.fixed_dictionaries(
    {zone: st.lists(st.sampled_from(ZONES), max_size=2, unique=True).map(tuple) for zone in ZONES}
)
MOMENTS = st.sampled_from(
    [
        *(datetime(2026, 11, day, 16, 30, tzinfo=UTC) for day in range(23, 30)),  # each day of a week
        *(datetime(2027, 3, 27, hour, tzinfo=UTC) for hour in (15, 23)),  # before summer time begins
        datetime(2027, 10, 30, 22, tzinfo=UTC),  # before it ends
        datetime(2027, 12, 31, 22, 30, tzinfo=UTC),
        datetime(2028, 2, 28, 22, 30, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),  # the last second that 31 bits count
    ]
).map(from_datetime)
"""When orders are given: deadlines move into staffed hours, over nights, week-ends and changes of the clock."""
WHICH = st.integers(1, 5).map(lambda number: f"opening-{number}")
BY = "Alex"
ORDERS = st.lists(
    st.one_of(
        st.builds(orders.Contain, by=st.just(BY), confirm_within=st.sampled_from([None, 3600])),
        st.builds(orders.CloseLifeline, by=st.just(BY), opening=WHICH, fallback_confirmed=st.just(True)),
        st.builds(orders.SetOpening, by=st.just(BY), opening=WHICH, state=st.sampled_from(OpeningState)),
        st.builds(
            orders.Reopen,
            by=st.just(BY),
            opening=WHICH,
            state=st.sampled_from([OpeningState.OPEN, OpeningState.FILTERED]),
            seconds=st.just(3600),
            override=st.just(True),
            reason=st.just("vital"),
        ),
        st.builds(
            orders.Block,
            by=st.just(BY),
            target=st.sampled_from(["192.0.2.66", "192.0.2.0/27", "2001:db8:f::/64", "::ffff:198.51.100.5"]),
            seconds=st.sampled_from([None, 3600]),
        ),
        st.builds(orders.Isolate, by=st.just(BY), asset=st.just("pc-8")),
        st.builds(
            orders.Bar,
            by=st.just(BY),
            passage=st.sampled_from(["wards>servers", "dmz>servers", "opening-1:in", "opening-2:out"]),
        ),
        st.builds(orders.Confirm, by=st.just(BY)),
        st.builds(
            orders.OpenVisit,
            by=st.just(BY),
            reason=st.just("mend"),
            opening=WHICH,
            visitor=st.just("J. Peeters"),
            minutes=st.just(60),
            source=st.sampled_from(["192.0.2.10", "198.51.100.5", "2001:db8:f::20"]),
            hosts=st.lists(
                st.sampled_from(["10.1.0.7", "pc-8", "10.2.0.5", "10.3.0.2", "fd00:2::5"]), max_size=2
            ),
            override=st.just(True),
        ),
    ),
    max_size=6,
)


def generated(site: Site, openings: list[dict[str, object]], reaches: dict[str, tuple[str, ...]]) -> Site:
    made = tuple(
        Opening(
            id=f"opening-{number}",
            mark=number,
            name=f"Opening {number}",
            care=3,
            fallback=Fallback(text="telephone"),
            **differing,  # type: ignore[arg-type]
        )
        for number, differing in enumerate(openings, 1)
    )
    zones = tuple(
        replace(zone, reaches=tuple(other for other in reaches[zone.id] if other != zone.id))
        for zone in site.zones
    )
    pc = Asset(id="pc-8", name="PC", zone="wards", addresses=("10.1.0.8",))
    return replace(site, openings=made, zones=zones, assets=(pc,))


def decided(site: Site, given_orders: list[orders.AnyOrder], now: Instant) -> Enforcement:
    """What the engine makes of the orders; those that it refuses change nothing."""
    state = initial(site)
    for number, order in enumerate(given_orders):
        state, _ = step(Terms(site, read_policy(None)), state, Ordered(Instant(now + number), order))
    return enforcement(state)


def packets() -> Iterator[Packet]:
    """Between every two machines of different networks, of one family, over every port."""
    places = [(name, address) for name, addresses in MACHINES.items() for address in addresses]
    for (here, source), (there, target) in itertools.permutations(places, 2):
        if here != there and (":" in source) == (":" in target):
            for transport, port in itertools.product(Transport, PORTS):
                yield Packet(source, target, transport, port)


class Wires:
    """Doors on every machine, and first packets sent to them all at once."""

    def __init__(self, house: object, stack: contextlib.ExitStack) -> None:
        self.house = house
        self.where = {address: name for name, addresses in MACHINES.items() for address in addresses}
        self.heard: list[socket.socket] = []
        for address, port in itertools.product(self.where, PORTS):
            stack.enter_context(house.listen(self.where[address], address, port))  # type: ignore[attr-defined]
            with house.inside(self.where[address]):  # type: ignore[attr-defined]
                door = stack.enter_context(_socket(address, socket.SOCK_DGRAM))
            door.bind((address, port))
            self.heard.append(door)

    def arrived(self, sample: list[Packet]) -> set[Packet]:
        """Which of them arrived."""
        with contextlib.ExitStack() as stack:
            calls = []
            for number, packet in enumerate(sample):
                kind = socket.SOCK_DGRAM if packet.transport is Transport.UDP else socket.SOCK_STREAM
                with self.house.inside(self.where[packet.source]):  # type: ignore[attr-defined]
                    channel = stack.enter_context(_socket(packet.source, kind))
                channel.bind((packet.source, 0))
                if kind == socket.SOCK_DGRAM:
                    with contextlib.suppress(OSError):
                        channel.sendto(number.to_bytes(4, "big"), (packet.target, packet.port))
                else:
                    channel.connect_ex((packet.target, packet.port))
                    calls.append((packet, channel))
            time.sleep(0.12)
            passed = {packet for packet, channel in calls if _connected(channel)}
        for door in self.heard:
            with contextlib.suppress(BlockingIOError):
                while True:
                    passed.add(sample[int.from_bytes(door.recv(4), "big")])
        return passed


def _socket(address: str, kind: int) -> socket.socket:
    channel = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    channel.setblocking(False)
    return channel


def _connected(channel: socket.socket) -> bool:
    try:
        channel.getpeername()
    except OSError:
        return False
    return True


def test_what_the_kernel_lets_through_is_what_the_model_lets_through(house, site: Site, present) -> None:
    every = list(packets())
    seen = {True: 0, False: 0}
    with contextlib.ExitStack() as stack:
        wires = Wires(house, stack)

        @settings(
            max_examples=SITES,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # making an example smaller takes minutes of packets
        )
        @given(sites(), REACHES, ORDERS, MOMENTS, st.randoms(use_true_random=False))
        def agree(openings, reaches, given_orders, now, chance) -> None:  # type: ignore[no-untyped-def]
            made = generated(site, openings, reaches)
            since = present() - now
            wanted = decided(made, given_orders, now)
            house.at("gw", "conntrack", "-F")
            with house.inside("gw"):
                kernel = Kernel(made)
            kernel.enforce(wanted, now)
            assert disagreements(wanted, kernel.read(there := Instant(present() - since)), there) == ()
            sample = chance.sample(every, 90)  # fewer from one machine than a filtered opening takes at once
            expected = {packet for packet in sample if passes(made, due(wanted, now), packet)}
            arrived = wires.arrived(sample)
            note(f"{wanted}")
            assert arrived == expected
            seen[True] += len(expected)
            seen[False] += len(sample) - len(expected)

        agree()
    assert min(seen.values()) > SITES  # both were tried
