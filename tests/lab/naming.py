"""A house whose outside has names: the whole station in front of a name server that tells what a test wants told."""

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode

from rempart.engine import orders
from rempart.messages import OrderDone
from rempart.site.opening import OpeningState

from .conftest import House
from .test_station import ROOT, Station

HERE = Path(__file__).parent
GATEWAY = "10.1.0.1"
AUTHORITY = "192.0.2.53"
GOOD, GOOD6, OTHER, EVIL, EVIL6 = "192.0.2.67", "2001:db8:f::30", "192.0.2.30", "192.0.2.66", "2001:db8:f::66"
SHARED, SHARED6 = "192.0.2.68", "2001:db8:f::68"

OPENINGS = """
[[openings]]
id = "names"
mark = 20
name = "Noms"
direction = "out"
zones = ["servers"]
hosts = ["192.0.2.53"]
services = ["udp/53", "tcp/53"]
care = 0
lifeline = true
fallback = { text = "papier", phone = "04 000 00 70" }

[[openings]]
id = "care-file"
mark = 21
name = "Dossier de soins hébergé"
direction = "out"
zones = ["wards"]
hosts = ["care.example", "rebound.example", "mixed.example", "foreign.example", "large.example", "below.example"]
services = ["tcp/443", "udp/443"]
care = 1
lifeline = true
fallback = { text = "papier", phone = "04 000 00 71" }

[[openings]]
id = "laboratory"
mark = 22
name = "Laboratoire"
direction = "out"
zones = ["wards"]
hosts = ["lab.example"]
services = ["tcp/443"]
care = 2
fallback = { text = "papier", phone = "04 000 00 72" }

[[openings]]
id = "cloud"
mark = 23
name = "Dossier sur un réseau partagé"
direction = "out"
zones = ["wards"]
hosts = ["cloud.example", "moved.example"]
services = ["tcp/443"]
shared_addresses = true
care = 1
fallback = { text = "papier", phone = "04 000 00 73" }

[[assets]]
id = "directory"
name = "Annuaire"
zone = "servers"
addresses = ["10.2.0.5"]
kind = "server"

[resolver]
opening = "names"
relays = ["directory"]
"""

RECORDS = {
    "care.example": [["A", 60, GOOD], ["AAAA", 60, GOOD6], ["HTTPS", 60, f"1 . ipv4hint={EVIL}"]],
    "lab.example": [["A", 60, OTHER]],
    "rebound.example": [["A", 60, "10.2.0.5"], ["AAAA", 60, "fd00:2::5"]],
    "mixed.example": [["A", 60, GOOD], ["A", 60, "10.2.0.5"]],
    "foreign.example": [["CNAME", 60, "evil.example."]],
    "below.example": [["CNAME", 60, "eu.below.example."]],
    "eu.below.example": [["A", 60, GOOD]],
    "large.example": [["A", 60, f"198.51.100.{number}"] for number in range(60)],
    "cloud.example": [["CNAME", 60, "edge.network.example."]],
    "edge.network.example": [["A", 60, SHARED], ["AAAA", 60, SHARED6]],
    "moved.example": [["A", 1, SHARED]],
    "www.shared.example": [["A", 60, SHARED]],
    "evil.example": [["A", 60, EVIL], ["AAAA", 60, EVIL6]],
    "www.anything.example": [["A", 60, EVIL], ["TXT", 60, "hello"]],
    "*.tunnel.example": [["A", 60, EVIL], ["TXT", 60, "data"]],
    "*.care.example": [["A", 60, EVIL]],
}


class Naming:
    """The station and its outside, running in a `House`."""

    def __init__(self, house: House, site_text: str) -> None:
        self.house = house
        self.running: Station | None = None
        # Other users must be able to enter: pytest's own folders are closed to them.
        self.folder = Path(tempfile.mkdtemp(prefix="rempart-names-"))
        self.folder.chmod(0o755)
        self.table = self.folder / "records.json"
        self.records = dict(RECORDS)
        self.tell({})
        marks = site_text.index("[[openings]]")
        (self.folder / "site.toml").write_text(site_text[:marks] + OPENINGS + site_text[marks:])

    def tell(self, records: dict[str, list[list[object]]]) -> None:
        """What the outside answers from now on, besides what it answered already."""
        self.records |= records
        fresh = self.table.with_suffix(".new")
        fresh.write_text(json.dumps(self.records))
        fresh.replace(self.table)

    def came_out(self) -> set[str]:
        """Every name that was asked outside."""
        log = self.table.with_suffix(".log")
        return {line.split()[0] for line in log.read_text().splitlines()} if log.exists() else set()

    def start(self) -> None:
        """Start the outside and the station; returns when it answers for names."""
        greeter = self.house.start(
            "out",
            sys.executable,
            str(HERE / "greeter.py"),
            *(f"{address}:443" for address in (GOOD, GOOD6, OTHER, EVIL, EVIL6, SHARED, SHARED6)),
            *(f"{address}:853" for address in (GOOD, EVIL)),
            stdout=subprocess.PIPE,
        )
        server = self.house.start(
            "out",
            sys.executable,
            str(HERE / "authority.py"),
            str(self.table),
            AUTHORITY,
            stdout=subprocess.PIPE,
        )
        assert greeter.stdout.readline() == server.stdout.readline() == "ready\n"
        options = {"site": "site.toml", "state": "state", "run": "run"}
        words = [word for name, file in options.items() for word in (f"--{name}", str(self.folder / file))]
        process = self.house.start(
            "gw",
            sys.executable,
            "-m",
            "rempart",
            "run",
            "--port",
            "8498",
            "--rules",
            str(ROOT / "rules"),
            *words,
        )
        self.running = Station(self.folder, process)
        self.running.await_status(lambda status: status.enforcement_verified is not None, within=60)
        until = time.monotonic() + 60
        while self.code("care.example", patience=0.5) != "NOERROR":
            assert time.monotonic() < until, "nobody answers for names"
            time.sleep(0.05)

    @property
    def station(self) -> Station:
        """The station, once it was started."""
        assert self.running
        return self.running

    def stop(self) -> None:
        """End the station and forget its folder."""
        if self.running:
            self.running.process.terminate()
            self.running.process.wait(60)
        shutil.rmtree(self.folder)

    # -- asking --------------------------------------------------------------------------------------------------

    def ask(
        self,
        name: str,
        kind: str = "A",
        *,
        server: str = GATEWAY,
        source: str | None = None,
        zone: str = "wards",
        tcp: bool = False,
        patience: float = 6.0,
    ) -> dns.message.Message | None:
        """A machine asks for a name; None when nobody answers."""
        question = dns.message.make_query(name, kind, use_edns=0)
        with self.house.inside(zone):
            try:
                ask = dns.query.tcp if tcp else dns.query.udp
                return ask(question, server, timeout=patience, source=source)
            except (dns.exception.Timeout, OSError, EOFError):
                return None

    def code(self, name: str, kind: str = "A", **how: Any) -> str:
        """What kind of reply comes: NOERROR, REFUSED, SERVFAIL, NXDOMAIN, or silence."""
        reply = self.ask(name, kind, **how)
        return "silence" if reply is None else dns.rcode.to_text(reply.rcode())

    def addresses(self, name: str, kind: str = "A", **how: Any) -> set[str]:
        reply = self.ask(name, kind, **how)
        return {str(record) for rrset in reply.answer for record in rrset} if reply else set()

    # -- the station ---------------------------------------------------------------------------------------------

    def set(self, opening: str, state: OpeningState) -> None:
        done = self.station.order(orders.SetOpening(by="Alex", reason="a test", opening=opening, state=state))
        assert isinstance(done, OrderDone), done

    def contain(self) -> None:
        done = self.station.order(orders.Contain(by="Night nurse"))
        assert isinstance(done, OrderDone), done

    def forget(self) -> None:
        """Empty the kernel's leases, as time would."""
        for mark in (21, 22, 23):
            for family in (4, 6):
                for kind in ("leased", "common"):
                    self.house.at("gw", "nft", "flush", "set", "inet", "rempart", f"{kind}{family}_{mark}")

    def leases(self, name: str) -> dict[str, int]:
        """Elements of a set of leases, with the seconds that they were given."""
        told = json.loads(self.house.at("gw", "nft", "-j", "list", "set", "inet", "rempart", name))
        [found] = [item["set"] for item in told["nftables"] if "set" in item]
        return {
            " ".join(elem["val"]["concat"]) if isinstance(elem["val"], dict) else elem["val"]: elem["timeout"]
            for elem in (each["elem"] for each in found.get("elem", ()))
        }

    def greeting(self, address: str, name: str | None, *, port: int = 443, source: str = "") -> str:
        """Which server answers a TLS greeting with this name sent to that address; or "closed"."""
        try:
            with self.house.call("wards", address, port, source) as talk:
                talk.settimeout(6)
                talk.sendall(hello(name))
                return talk.recv(100).decode().strip() or "closed"
        except OSError:
            return "closed"


def hello(name: str | None) -> bytes:
    """The first bytes of a TLS connection, with that name or without any."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        talk.do_handshake()
    return outgoing.read()


def echo(house: House, name: str, address: str, port: int) -> socket.socket:
    """A UDP door; datagrams that come are read by the caller."""
    with house.inside(name):
        door = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        door.bind((address, port))
        door.settimeout(0.7)
        return door
