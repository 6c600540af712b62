"""A house in network namespaces: outside, gateway with uplink, wards, servers, dmz and the operators' network."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rempart.adapters.enforce.gateway import Gateway
from rempart.adapters.enforce.nftables import Kernel
from rempart.config import Places
from rempart.console.public import PublicFace
from rempart.containment.measure import Enforcement, Stand
from rempart.instants import Instant
from rempart.site.description import parse
from rempart.site.opening import OpeningState
from rempart.site.site import Site

HERE = Path(__file__).parent
ADDRESSES = {
    "out": (
        "203.0.113.1/24",
        "2001:db8:1::1/64",
        *(f"192.0.2.{host}/32" for host in (10, 20, 30, 53, 66, 67, 68)),
        "2001:db8:f::20/128",
        "2001:db8:f::30/128",
        "2001:db8:f::66/128",
        "2001:db8:f::68/128",
        "198.51.100.5/32",
    ),
    "wards": ("10.1.0.7/24", "10.1.0.8/24", "fd00:1::7/64"),
    "servers": ("10.2.0.5/24", "fd00:2::5/64"),
    "dmz": ("10.3.0.2/24", "10.3.0.3/24", "fd00:3::2/64"),
    "mgmt": ("10.9.0.2/24", "fd00:9::2/64"),
}
GATEWAY = {
    "wan": ("203.0.113.2/24", "2001:db8:1::2/64"),
    "wards": ("10.1.0.1/24", "fd00:1::1/64"),
    "servers": ("10.2.0.1/24", "fd00:2::1/64"),
    "dmz": ("10.3.0.1/24", "fd00:3::1/64"),
    "mgmt": ("10.9.0.1/24", "fd00:9::1/64"),
}
NEIGHBOUR = """table ip neighbour {
  chain kept { type filter hook forward priority 10; ct state established counter; }
}
"""
"""Somebody else's table. Like the address translation of a real gateway it makes the kernel track connections."""


def run(*words: str, given: str | None = None) -> str:
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


@dataclass
class House:
    """The namespaces, and what runs in them."""

    prefix: str
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def space(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def at(self, name: str, *words: str, given: str | None = None) -> str:
        """Run a program to its end in a namespace; its output."""
        return run("ip", "netns", "exec", self.space(name), *words, given=given)

    def start(self, name: str, *words: str, **more: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.space(name), *words],
            text=True,
            **more,  # type: ignore[call-overload]
        )
        self.running.append(process)
        return process

    @contextlib.contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """This thread in another namespace; sockets opened meanwhile stay there."""
        libc = ctypes.CDLL(None, use_errno=True)
        with (
            Path("/proc/thread-self/ns/net").open() as home,
            Path("/run/netns", self.space(name)).open() as there,
        ):
            if libc.setns(there.fileno(), 0x40000000):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                libc.setns(home.fileno(), 0x40000000)

    def listen(self, name: str, address: str, port: int) -> socket.socket:
        """A TCP door that the kernel answers by itself; closed by the caller."""
        with self.inside(name):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return socket.create_server((address, port), family=family, backlog=1000)

    def call(self, name: str, address: str, port: int, source: str = "") -> socket.socket:
        """A connection from one machine to another. Raises ConnectionRefusedError, or TimeoutError after 0.7 s."""
        with self.inside(name):
            return socket.create_connection((address, port), 0.7, (source, 0) if source else None)

    def answer(self, name: str, address: str, port: int, source: str = "") -> str:
        """What a machine that calls another gets: "yes", "refused" or "silence"."""
        try:
            self.call(name, address, port, source).close()
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "silence"
        return "yes"

    def build(self) -> None:
        for name in (*ADDRESSES, "gw"):
            run("ip", "netns", "add", self.space(name))
            # No waiting for proof that nobody else has an address: links would be mute for their first second.
            self.at(name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
            self.at(name, "ip", "link", "set", "lo", "up")
        for name, inner in zip(GATEWAY, ("out", "wards", "servers", "dmz", "mgmt"), strict=True):
            self._cable(name, inner)
        for setting in ("ipv4.ip_forward", "ipv6.conf.all.forwarding"):
            self.at("gw", "sysctl", "-qw", f"net.{setting}=1")
        for setting in ("ipv4.icmp_ratelimit", "ipv6.icmp.ratelimit"):
            self.at("gw", "sysctl", "-qw", f"net.{setting}=0")
        for route in ("192.0.2.0/24", "198.51.100.0/24"):
            self.at("gw", "ip", "route", "add", route, "via", "203.0.113.1")
        self.at("gw", "ip", "-6", "route", "add", "2001:db8:f::/64", "via", "2001:db8:1::1")
        self.at("out", "ip", "route", "add", "10.0.0.0/8", "via", "203.0.113.2")
        self.at("out", "ip", "-6", "route", "add", "fd00::/16", "via", "2001:db8:1::2")
        self.at("gw", "nft", "-f", "-", given=NEIGHBOUR)
        for port, inner in zip(GATEWAY, ADDRESSES, strict=True):
            self._warm(inner, GATEWAY[port])
            self._warm("gw", ADDRESSES[inner])

    def _warm(self, name: str, addresses: tuple[str, ...]) -> None:
        """Call until somebody refuses: a fresh link is deaf to neighbour solicitations for up to a second."""
        for address in addresses:
            until = time.monotonic() + 5
            while self.answer(name, address.partition("/")[0], 9) == "silence" and time.monotonic() < until:
                pass

    def _cable(self, port: str, inner: str) -> None:
        peer = "eth0"
        run(
            *("ip", "link", "add", port, "netns", self.space("gw"), "type", "veth"),
            *("peer", "name", peer, "netns", self.space(inner)),
        )
        for space, link, addresses in (("gw", port, GATEWAY[port]), (inner, peer, ADDRESSES[inner])):
            for address in addresses:
                more = ["nodad"] if ":" in address else []
                self.at(space, "ip", "addr", "add", address, "dev", link, *more)
            self.at(space, "ip", "link", "set", link, "up")
        if inner != "out":
            four, six = (address.partition("/")[0] for address in GATEWAY[port])
            self.at(inner, "ip", "route", "add", "default", "via", four)
            self.at(inner, "ip", "-6", "route", "add", "default", "via", six)

    def end(self, processes: list[subprocess.Popen[str]]) -> None:
        """Kill these, the youngest first."""
        for process in reversed(processes):
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
            self.running.remove(process)

    def clear(self) -> None:
        """End what runs, forget connections, drop our table."""
        self.end(list(self.running))
        with contextlib.suppress(RuntimeError):
            self.at("gw", "nft", "delete", "table", "inet", "rempart")
        self.at("gw", "conntrack", "-F")

    def destroy(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.clear()
        for name in (*ADDRESSES, "gw"):
            with contextlib.suppress(RuntimeError):
                run("ip", "netns", "del", self.space(name))


class Traffic:
    """Flows between two machines of the house, both ends sending."""

    def __init__(self, house: House, rate: int = 1000) -> None:
        self.house, self.rate = house, rate
        self.ends: list[tuple[str, subprocess.Popen[str]]] = []
        self.wanted: dict[str, dict[str, list[str]]] = {}

    def flow(self, client: str, server: str, kind: str, address: str, port: int, local: str = "") -> None:
        self.wanted.setdefault(server, {}).setdefault("listen", []).append(f"{kind} {address} {port}")
        line = f"{kind} {address} {port} {local}".strip()
        self.wanted.setdefault(client, {}).setdefault("connect", []).append(line)

    def begin(self) -> None:
        for name, lines in self.wanted.items():
            argument = json.dumps({"rate": self.rate, **lines})
            process = self.house.start(
                name,
                sys.executable,
                str(HERE / "traffic.py"),
                argument,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            self.ends.append((name, process))
        for expected in ("listening", "connected"):
            for name, process in self.ends:
                assert process.stdout
                heard = process.stdout.readline().strip()
                if heard != expected:
                    raise RuntimeError(f"traffic of {name} ended before {expected}: {heard!r}")
            for _, process in self.ends:
                assert process.stdin
                process.stdin.write("\n")
                process.stdin.flush()

    def processes(self) -> list[subprocess.Popen[str]]:
        return [process for _, process in self.ends]

    def finish(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Stop sending, let what is under way arrive, and tell what each machine saw."""
        for _, process in self.ends:
            process.send_signal(signal.SIGUSR1)
        for _, process in self.ends:
            assert process.stdout
            assert process.stdout.readline() == "silent\n"
        time.sleep(0.2)
        for _, process in self.ends:
            process.send_signal(signal.SIGTERM)
        return {name: json.loads(process.stdout.readline()) for name, process in self.ends if process.stdout}


SITE = f"""
id = "lab"
name = "Lab"
template = "nursing-home"
languages = ["fr", "nl"]
phone = "04 000 00 00"

[trial]  # clocks are short here
shortest = "0s"
longest = "336h"

[uplink]
interface = "wan"
addresses = {json.dumps(GATEWAY["wan"])}

[[zones]]
id = "wards"
name = "Wards"
interface = "wards"
networks = ["10.1.0.0/24", "fd00:1::/64"]
reaches = ["servers"]

[[zones]]
id = "servers"
name = "Servers"
interface = "servers"
networks = ["10.2.0.0/24", "fd00:2::/64"]

[[zones]]
id = "dmz"
name = "DMZ"
interface = "dmz"
networks = ["10.3.0.0/24", "fd00:3::/64"]

[[openings]]
id = "telephone"
mark = 1
name = "Téléphone"
direction = "both"
zones = ["wards"]
hosts = ["192.0.2.10"]
services = ["udp/5060", "udp/10000-10010"]
care = 1
lifeline = true
fallback = {{ text = "gsm", phone = "0470 00 00 00" }}

[[openings]]
id = "e-health"
mark = 2
name = "eHealth"
direction = "out"
zones = ["wards", "servers"]
hosts = ["192.0.2.20", "2001:db8:f::20"]
services = ["tcp/443"]
care = 1
lifeline = false
fallback = {{ text = "papier", phone = "04 000 00 20" }}

[[openings]]
id = "browsing"
mark = 3
name = "Internet"
direction = "out"
zones = ["wards"]
hosts = ["*"]
services = ["tcp/80", "tcp/443", "udp/443"]
care = 6
lifeline = false
fallback = {{ text = "aucun", phone = "04 000 00 30" }}

[[openings]]
id = "website"
mark = 4
name = "Site web"
direction = "in"
zones = ["dmz"]
hosts = ["*"]
services = ["tcp/80"]
care = 5
lifeline = false
fallback = {{ text = "appeler", phone = "04 000 00 40" }}
publication = {{ host = "www.lab.example", zone = "dmz", address = "10.3.0.2", port = 8080 }}

[[openings]]
id = "gp-portal"
mark = 5
name = "Portail des médecins"
direction = "in"
zones = ["dmz"]
hosts = ["*"]
services = ["tcp/80"]
care = 3
lifeline = false
fallback = {{ text = "appeler", phone = "04 000 00 50" }}
publication = {{ host = "portail.lab.example", zone = "dmz", address = "10.3.0.3", port = 8080 }}

[[openings]]
id = "vendor"
mark = 6
name = "Télémaintenance"
direction = "in"
zones = ["servers"]
hosts = ["198.51.100.5"]
services = ["tcp/3389"]
care = 3
lifeline = false
fallback = {{ text = "appeler", phone = "04 000 00 60" }}

[[assets]]
id = "pc-8"
name = "PC 8"
zone = "wards"
addresses = ["10.1.0.8"]
kind = "workstation"

[[safeguards]]
id = "operators"
interface = "mgmt"
networks = ["10.9.0.0/24", "fd00:9::/64"]
services = ["tcp/2222"]
"""

OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED


@pytest.fixture(scope="session")
def present() -> Callable[[], Instant]:
    """The clock."""
    return lambda: Instant(time.time_ns() // 1000)


@pytest.fixture
def traffic(house: House) -> Traffic:
    return Traffic(house)


@pytest.fixture(scope="session")
def description() -> str:
    """The house's site.toml."""
    return SITE


@pytest.fixture(scope="session")
def site() -> Site:
    return parse(SITE, "lab")


@pytest.fixture(scope="session")
def _house() -> Iterator[House]:
    missing = [program for program in ("ip", "nft", "conntrack", "haproxy") if not shutil.which(program)]
    if missing:
        pytest.skip(f"the lab needs {', '.join(missing)}: apt install iproute2 nftables conntrack haproxy")
    house = House(f"lab-{os.getpid()}-")
    try:
        run("ip", "netns", "add", house.space("trial"))
    except RuntimeError as refused:
        pytest.skip(f"the lab needs network namespaces (root, or unshare -Urnm): {refused}")
    run("ip", "netns", "del", house.space("trial"))
    try:
        house.build()
        yield house
    finally:
        house.destroy()


@pytest.fixture
def house(_house: House) -> Iterator[House]:
    """The house with nothing running and no table loaded."""
    yield _house
    _house.clear()


@pytest.fixture
def places() -> Iterator[Places]:
    """Folders that other users may enter: the proxy reaches the filter's sockets as a user of its own."""
    with tempfile.TemporaryDirectory(prefix="rempart-lab-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield Places(site=folder / "site.toml", state=folder / "state", run=folder / "run", rules=())


@pytest.fixture
def kernel(house: House, site: Site) -> Kernel:
    with house.inside("gw"):
        return Kernel(site)


@pytest.fixture
def gateway(house: House, site: Site, places: Places) -> Gateway:
    with house.inside("gw"):
        return Gateway(site, places, PublicFace(site))


@pytest.fixture
def all_open(site: Site) -> Enforcement:
    return Enforcement(stands={opening.id: Stand(state=OPEN) for opening in site.openings})


@pytest.fixture
def contained(site: Site) -> Enforcement:
    """The default cut: lifelines filtered, everything else closed."""
    return Enforcement(
        stands={
            opening.id: Stand(state=FILTERED if opening.lifeline else CLOSED) for opening in site.openings
        },
        contained=True,
    )


@pytest.fixture(scope="session")
def site_text() -> str:
    """The house's site.toml."""
    return SITE
