"""Egress by name: first connections after the answer that fail, forbidden ones that pass, and what the resolver costs.

The whole station, unbound and a name server that lies, in network namespaces, as root. Every machine that connects is
new to the kernel: what it may reach is what it was just told. Run: scripts/bench egress [--json] [--connections N].
"""

import argparse
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from statistics import quantiles

import dns.message
from tests.lab.conftest import SITE, House
from tests.lab.naming import (
    AUTHORITY,
    EVIL,
    EVIL6,
    GATEWAY,
    GOOD,
    GOOD6,
    OTHER,
    SHARED,
    SHARED6,
    Naming,
    echo,
)

from rempart.containment.render.unbound import PORT
from rempart.site.opening import OpeningState

GATEWAY6 = "fd00:1::1"
MACHINES = 200
"""New machines inside, of each family."""
TUNNELS = 100
QUESTIONS = 600
FOUR = [str(IPv4Address("10.1.0.30") + number) for number in range(MACHINES)]
SIX = [str(IPv6Address("fd00:1::1000") + number) for number in range(MACHINES)]

Try = Callable[[], bool]
"""One forbidden attempt; whether it passed."""


def settle(house: House) -> None:
    """Give the wards all those machines, as addresses of one."""
    lines = [f"address add {each}/24 dev eth0" for each in FOUR]
    lines += [f"address add {each}/64 dev eth0 nodad" for each in SIX]
    house.at("wards", "ip", "-batch", "-", given="\n".join(lines))
    for each in (FOUR[-1], SIX[-1]):  # wait until the last of them can be used
        until = time.monotonic() + 5
        gateway = GATEWAY6 if ":" in each else GATEWAY
        while house.answer("wards", gateway, 9, each) == "silence" and time.monotonic() < until:
            time.sleep(0.05)


def allowed(naming: Naming, count: int) -> dict[str, int]:
    """Ask, then connect at once: half of it before the cut, half of it while the site is contained."""
    failed = {"open": 0, "contained": 0, "gate": 0}
    kinds = (
        ("care.example", "A", GOOD, FOUR, GATEWAY),
        ("lab.example", "A", OTHER, FOUR, GATEWAY),
        ("care.example", "AAAA", GOOD6, SIX, GATEWAY6),
    )
    for number in range(count // 2):
        name, kind, address, machines, gateway = kinds[number % 3]
        failed["open"] += not first(naming, name, kind, address, machines[number // 3 % MACHINES], gateway)
    for number in range(count // 10):
        source = FOUR[number % MACHINES]
        naming.ask("cloud.example", source=source)
        failed["gate"] += naming.greeting(SHARED, "cloud.example", source=source) != SHARED
    naming.contain()
    naming.forget()
    for number in range(count // 2):
        name, kind, address, machines, gateway = kinds[number % 2 * 2]
        failed["contained"] += not first(
            naming, name, kind, address, machines[number // 2 % MACHINES], gateway
        )
        if number % (2 * MACHINES) == 2 * MACHINES - 1:
            naming.forget()
    return failed


def first(naming: Naming, name: str, kind: str, address: str, source: str, gateway: str) -> bool:
    """Whether the answer came and the first connection after it was made."""
    told = naming.addresses(name, kind, server=gateway, source=source)
    return told == {address} and naming.house.answer("wards", address, 443, source) == "yes"


def forbidden(naming: Naming) -> Iterator[tuple[str, Try]]:
    """Everything that must not pass, by kind; first with openings open or filtered, then contained."""
    me, other = FOUR[0], FOUR[1]
    wrong = ("evil.example", "www.anything.example", "x.care.example", "example", "care.example.evil.example")
    for name in wrong:
        for kind in ("A", "AAAA", "TXT", "MX", "NULL", "ANY"):
            for tcp in (False, True):
                yield "wrong name", partial(resolved, naming, name, kind, tcp=tcp)
    for name in ("rebound.example", "mixed.example"):
        for kind in ("A", "AAAA"):
            yield "rebinding", partial(told, naming, name, kind, me)
    yield "foreign alias", partial(resolved, naming, "foreign.example", "A")
    yield "oversized", partial(resolved, naming, "large.example", "A")
    for address in (EVIL, EVIL6, GOOD, OTHER, SHARED):
        source = SIX[0] if ":" in address else me
        yield "direct address", partial(reached, naming, address, source)
    naming.addresses("care.example", source=other)
    yield "another machine's lease", partial(reached, naming, GOOD, me)
    for tcp in (False, True):
        yield "other resolver", partial(answers_directly, naming, tcp=tcp)
    for address in (GOOD, EVIL):
        yield "names over TLS", partial(reached, naming, address, other, port=853)
    yield "QUIC", partial(datagram_arrives, naming, GOOD, other)
    for number, asked_name in enumerate(
        ("evil.example", "www.shared.example", "x.cloud.example", "care.example", None)
    ):
        for address in (SHARED, SHARED6):
            source = (SIX if ":" in address else FOUR)[number]
            yield "wrong name in TLS", partial(greeted, naming, address, asked_name, source)
    yield "right name, bad address", partial(greeted, naming, EVIL, "cloud.example", me)


def tunnels(naming: Naming) -> Iterator[tuple[str, Try]]:
    """Data in names; it has passed when the name comes out."""
    for number in range(TUNNELS):
        for base in ("tunnel.example", "care.example", "cloud.example"):
            for kind in ("A", "TXT", "NULL"):
                name = f"{number:03}-c2VjcmV0.{base}"
                yield "tunnel in names", partial(comes_out, naming, name, kind)


def resolved(naming: Naming, name: str, kind: str, *, tcp: bool = False) -> bool:
    """Whether a record is told; silence counts as told, since it proves nothing."""
    reply = naming.ask(name, kind, source=FOUR[0], tcp=tcp)
    return reply is None or bool(reply.answer)


def told(naming: Naming, name: str, kind: str, source: str) -> bool:
    """Whether any address is told."""
    return bool(naming.addresses(name, kind, source=source))


def answers_directly(naming: Naming, *, tcp: bool) -> bool:
    """Whether a resolver outside answers."""
    return naming.code("care.example", server=AUTHORITY, tcp=tcp, patience=0.3) != "silence"


def reached(naming: Naming, address: str, source: str, *, port: int = 443) -> bool:
    """Whether a connection is made."""
    return naming.house.answer("wards", address, port, source) == "yes"


def greeted(naming: Naming, address: str, name: str | None, source: str) -> bool:
    """Whether any server answers a TLS greeting with that name, sent to a leased address."""
    naming.ask("cloud.example", "AAAA" if ":" in address else "A")
    return naming.greeting(address, name, source=source) != "closed"


def comes_out(naming: Naming, name: str, kind: str) -> bool:
    """Whether the name is seen outside."""
    naming.ask(name, kind, source=FOUR[int(name[:3])])
    return name in naming.came_out()


def datagram_arrives(naming: Naming, address: str, source: str) -> bool:
    """Whether a datagram to udp/443 arrives."""
    with echo(naming.house, "out", address, 443) as door, naming.house.inside("wards"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((source, 0))
            client.sendto(b"quic", (address, 443))
        try:
            return bool(door.recv(9))
        except TimeoutError:
            return False


def counted(tries: Iterator[tuple[str, Try]]) -> dict[str, list[int]]:
    """Tried and passed, by kind."""
    figures: dict[str, list[int]] = {}
    for kind, attempt in tries:
        tried = figures.setdefault(kind, [0, 0])
        tried[0] += 1
        tried[1] += attempt()
    return figures


def cost(naming: Naming) -> dict[str, float]:
    """A question of a machine through the station, beside the same to unbound itself; each answer is leased."""
    question = dns.message.make_query("care.example", "A", use_edns=0).to_wire()
    own = []
    for source in FOUR[:4]:  # each has a pace of its own
        with naming.house.inside("wards"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.bind((source, 0))
            door.connect((GATEWAY, 53))
            own += asked(door, question, QUESTIONS // 4)
    with naming.house.inside("gw"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.connect(("127.0.0.1", PORT))
        bare = asked(door, question, QUESTIONS)
    ours, theirs = quantiles(own, n=100), quantiles(bare, n=100)
    return {
        "resolver_ms_p50": round(ours[49], 3),
        "resolver_ms_p99": round(ours[98], 3),
        "unbound_ms_p50": round(theirs[49], 3),
        "resolver_added_ms_p50": round(ours[49] - theirs[49], 3),
        "resolver_added_ms_p99": round(ours[98] - theirs[49], 3),
    }


def asked(door: socket.socket, question: bytes, count: int) -> list[float]:
    """Milliseconds that each of so many answers took, one after the other."""
    door.settimeout(3)
    taken = []
    for _ in range(count):
        began = time.perf_counter_ns()
        door.send(question)
        door.recv(4096)
        taken.append((time.perf_counter_ns() - began) / 1e6)
    return taken


def measure(connections: int = 1000) -> dict[str, object]:
    """All of it, in a house of its own, removed without a trace."""
    house = House(f"egress-{os.getpid()}-")
    naming = Naming(house, SITE)
    try:
        house.build()
        settle(house)
        naming.start()
        return measured(naming, connections)
    finally:
        naming.stop()
        house.destroy()


def measured(naming: Naming, connections: int) -> dict[str, object]:
    """In the order in which the station goes: open, filtered, contained."""
    naming.set("browsing", OpeningState.CLOSED)
    price = cost(naming)
    naming.forget()
    for opening in ("care-file", "cloud"):
        naming.set(opening, OpeningState.FILTERED)
    tries = counted(forbidden(naming))
    naming.forget()
    failed = allowed(naming, connections)
    tries |= {f"{kind}, contained": found for kind, found in counted(tunnels(naming)).items()}
    made = connections // 2 * 2 + connections // 10
    return {
        "egress_allowed_failed": sum(failed.values()),
        "egress_allowed_made": made,
        "egress_forbidden_passed": sum(passed for _, passed in tries.values()),
        "egress_forbidden_tried": sum(tried for tried, _ in tries.values()),
        **price,
        "forbidden": {kind: {"tried": tried, "passed": passed} for kind, (tried, passed) in tries.items()},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--connections", type=int, default=1000)
    arguments = parser.parse_args()
    figures = measure(arguments.connections)
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:28} {value}")


if __name__ == "__main__":
    main()
