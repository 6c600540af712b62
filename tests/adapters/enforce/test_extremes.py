"""Whole descriptions of sites at the edges of what they may say, as the real kernel and the real programs read them.

What the renderers write is a guess about nft, haproxy, nginx and unbound until those have read it: nft reads eight
digits of a unit of time, haproxy 64 words of a line and pages no larger than a buffer. ``REMPART_EXTREMES`` is the
number of sites; a few by default, so that the suite stays quick. Each is made of its seed alone, so that one that fails
can be made again.
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rempart.adapters.enforce.haproxy import Proxy
from rempart.adapters.enforce.nftables import Kernel
from rempart.config import Places
from rempart.console.public import PublicFace
from rempart.containment import gate as gates
from rempart.containment.barrier import passages
from rempart.containment.boot import shut
from rempart.containment.limits import Limits, limited_by_kernel
from rempart.containment.measure import Enforcement, Stand, disagreements
from rempart.containment.render import gate, unbound
from rempart.instants import Instant, after, seconds
from rempart.site.description import parse
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site

pytestmark = pytest.mark.lab

SITES = int(os.environ.get("REMPART_EXTREMES", "6"))
FEW = [0, 1, 1, 2, 3]
MANY = [1, 1, 2, 3, 70, 130]
WORDS = [
    "Téléphone",
    "é" * 200,
    "a",
    "100 % \" ' \\ { } < > & # $HOME %[env(HOME)] @",
    "日本語 العربية 🏥",
    "; } drop",
]
LABEL = "a" * 61
NAMES = [f"{LABEL}{n % 10}x.{LABEL}{n // 10}y.{'c' * 60}.example" for n in range(70)]
ADDRESSES = [
    *("0.0.0.0", "255.255.255.255", "127.0.0.1", "192.0.2.1", "192.0.2.2", "224.0.0.1"),
    *("::", "::1", "2001:db8::1", "2001:DB8:0:0::2", "::192.0.2.1", "64:ff9b::192.0.2.1", "ff02::1"),
    *(f"198.51.100.{n}" for n in range(130)),
]
NETWORKS = [
    *(
        "0.0.0.0/0",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "192.0.2.0/25",
        "192.0.2.128/25",
        "192.0.2.0/24",
        "192.0.2.0/31",
    ),
    *("::/0", "::/1", "8000::/1", "2001:db8::/32", "2001:db8::/33", "2001:db8:8000::/33", "2001:db8::/127"),
    *(f"203.0.{n}.0/24" for n in range(130)),
]
SERVICES = [
    *("tcp/1", "tcp/65535", "udp/1", "udp/65535", "tcp/1-65535", "udp/1-65535", "tcp/1-1"),
    *("tcp/80-443", "tcp/443", "tcp/444-445", "udp/53", "udp/10000-20000", "udp/20001"),
    *(f"tcp/{port}" for port in range(1000, 1140, 2)),
]
INTERFACES = ["eth0", "a.b-c_d01234567", "-x", "...", "e", "br0.4094", "wlan0", "12345"]
SPANS = [3, 59, 86_399, 86_400, 100_000, 8_640_000, 31_536_000, 315_360_000, 3_153_600_000]
"""Seconds until a deadline: beyond the week-end, a leap day, the year and 2038."""


def some(chance: Random, pool: list[str], sizes: list[int]) -> list[str]:
    """So many of them, from somewhere on."""
    size, first = chance.choice(sizes), chance.randrange(len(pool))
    return (pool[first:] + pool)[: min(size, len(pool))]


def opening(chance: Random, number: int, zones: list[str]) -> dict[str, Any]:
    sort = chance.choice(["plain", "plain", "anywhere", "published", "visits", "shared", "named"])
    made: dict[str, Any] = {
        "id": (f"o{number}-" + "x" * 40)[: chance.choice([6, 40])],
        "name": chance.choice(WORDS),
        "zones": some(chance, zones, [1, 2, 130]),
        "direction": chance.choice(["out", "in", "both"]),
        "hosts": some(chance, chance.choice([ADDRESSES, NETWORKS]), MANY),
        "services": some(chance, SERVICES, MANY),
        "care": chance.randrange(7),
        "lifeline": chance.random() < 0.5,
        "normally": chance.choice(["open", "filtered", "closed"]),
        "fallback": {"text": chance.choice(WORDS)},
    }
    match sort:
        case "anywhere":
            made["hosts"] = ["*"]
        case "named":
            made["hosts"] = some(chance, NAMES, MANY)
        case "shared":
            shared = {"direction": "out", "shared_addresses": True, "services": ["tcp/443"]}
            made |= {"hosts": some(chance, NAMES, MANY)} | shared
        case "visits":
            made |= {"direction": "in", "normally": "closed", "lifeline": False}
        case "published":
            made |= {"direction": "in", "publication": publication(chance, number)}
            made["hosts"] = chance.choice([["*"], made["hosts"]])
        case _:
            pass
    return made


def publication(chance: Random, number: int) -> dict[str, Any]:
    made = {
        "host": f"p{number}.{LABEL}.{LABEL}.example",
        "zone": "zone-0",
        "address": chance.choice(["10.0.0.7", "fd00::7"]),
        "port": chance.choice([1, 80, 65535]),
        "requests": chance.choice([10, 100_000]),
    }
    if chance.random() < 0.5:
        begins, ends = chance.choice([("00:00", "24:00"), ("00:00", "00:01"), ("02:30", "03:00")])
        days = chance.choice([[], ["sun"], ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]])
        made["hours"] = {"from": begins, "until": ends, "days": days}
    if chance.random() < 0.5:
        made["tls"] = {
            "certificate": "/nowhere/" + "c" * 170,
            "clients": "/nowhere/a@b+c_d.pem",
            "hsts_days": 730,
        }
    return made


def description(chance: Random) -> dict[str, Any]:
    """A description as `rempart.site.description` takes it, in every key that an enforcer reads."""
    zones = [f"zone-{number}" for number in range(chance.choice([1, 2, 8, 40]))]
    known = [opening(chance, number, zones) for number in range(chance.choice([1, 3, 12, 40]))]
    for each, mark in zip(known, chance.choice([range(1, 41), range(4089, 4048, -1)]), strict=False):
        each["mark"] = mark
    made: dict[str, Any] = {
        "id": "x" * chance.choice([1, 40]),
        "name": chance.choice(WORDS),
        "languages": chance.choice([["fr"], ["fr", "nl", "de", "en"]]),
        "phone": "04 000 00 00",
        "uplink": {
            "interface": "uplink-of-fifte",
            "addresses": chance.choice([[], ["192.0.2.5/255.255.255.0", "2001:DB8::5"], ["203.0.113.2/32"]]),
        },
        "zones": [
            {
                "id": zone,
                "name": chance.choice(WORDS),
                "interface": INTERFACES[n] if n < len(INTERFACES) else f"interface-{n}",
                "networks": [f"10.{n}.0.0/25", f"10.{n}.0.128/25", f"fd00:{n:x}::/64"]
                + [f"172.{16 + n // 4}.{n % 4 * 64 + k}.0/24" for k in range(chance.choice([0, 60]))],
                "reaches": some(chance, zones, [0, 1, 40]),
            }
            for n, zone in enumerate(zones)
        ],
        "openings": known,
        "assets": [
            {
                "id": f"asset-{n}",
                "name": chance.choice(WORDS),
                "zone": "zone-0",
                "addresses": [f"10.0.0.{n}", f"fd00::{n:x}"],
            }
            for n in range(chance.choice([0, 1, 100]))
        ],
        "safeguards": [
            {
                "id": f"guard-{n}",
                "interface": "management-0000",
                "networks": some(chance, NETWORKS, MANY),
                "services": some(chance, SERVICES, MANY),
            }
            for n in range(chance.choice(FEW))
        ],
    }
    if chance.random() < 0.5:
        asked = chance.choice([["*"], ADDRESSES[3:5], ADDRESSES[8:11]])
        way = {
            "id": "names",
            "name": "Names",
            "direction": "out",
            "zones": zones[:1],
            "hosts": asked,
            "care": 0,
        }
        more = {"services": ["udp/53", "tcp/53"], "lifeline": True, "fallback": {"text": "none"}}
        known.append(way | more)
        made["resolver"] = {"opening": "names", "relays": [asset["id"] for asset in made["assets"]]}
    return made


def toml(value: object) -> str:
    """A value of TOML; its strings are written as JSON's are."""
    match value:
        case dict():
            return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def written(site: dict[str, Any]) -> str:
    return "".join(f"{key} = {toml(value)}\n" for key, value in site.items())


def enforcement(chance: Random, site: Site, now: Instant) -> Enforcement:
    """Anything that the kernel may be asked to hold at this site."""

    def until() -> Instant | None:
        return None if chance.random() < 0.5 else after(now, seconds(chance.choice(SPANS)))

    def stand(opening: Opening) -> Stand:
        state, end = chance.choice([*OpeningState]), until()
        if end and opening in limited_by_kernel(site) and chance.random() < 0.5:
            limits = Limits(source="198.51.100.7", hosts=("10.0.0.7", "10.0.0.8"))
            return Stand(state=OpeningState.FILTERED, until=end, then=OpeningState.CLOSED, limits=limits)
        return Stand(state=state, until=end, then=chance.choice([*OpeningState]) if end else None)

    targets = [*some(chance, ADDRESSES, MANY), *some(chance, NETWORKS, MANY)]
    barriers = [str(each) for each in passages(site)]
    cut = chance.random() < 0.5
    return Enforcement(
        stands={opening.id: stand(opening) for opening in site.openings},
        contained=cut,
        contained_until=until() if cut else None,
        blocked={each: until() for each in targets},
        isolated={asset.id: until() for asset in site.assets},
        barred={barrier: until() for barrier in barriers[: chance.choice(MANY)]},
    )


def reads(*words: str) -> None:
    """Let a program read its configuration as if it started."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no pattern to match" not in done.stderr


def programs_read(site: Site, wanted: Enforcement) -> None:
    """haproxy twice, nginx with ModSecurity, unbound."""
    with tempfile.TemporaryDirectory(prefix="rempart-extremes-") as name:
        folder = Path(name)
        places = Places(site=folder / "site.toml", state=folder / "state", run=folder / "run", rules=())
        Proxy(site, places, PublicFace(site)).prepare(wanted)
        reads("haproxy", "-c", "-f", str(places.proxy_config))
        if any(site.published()):
            work = f"{places.filter_work}/"
            reads("nginx", "-t", "-p", work, "-e", "stderr", "-c", str(places.filter_config))
        if gates.gated(site):
            places.gate_config.parent.mkdir(parents=True, exist_ok=True)
            places.gate_config.write_text(gate.config(site, places))
            places.gate_map.write_text(gate.states_map(site, wanted))
            reads("haproxy", "-c", "-f", str(places.gate_config))
        if site.resolver:
            (folder / "unbound.conf").write_text(unbound.config(site))
            reads("unbound-checkconf", str(folder / "unbound.conf"))


@pytest.mark.parametrize("seed", range(SITES))
def test_whatever_a_site_may_say_is_read_by_the_kernel_and_by_every_program(alone: None, seed: int) -> None:
    if Path("/proc/self/uid_map").read_text().split()[2] != str(0xFFFFFFFF):
        pytest.skip("needs the machine's own root: in a user namespace a socket takes no large transaction")
    chance = Random(seed)
    site = parse(written(description(chance)), "extremes")
    programs_read(site, shut(site))
    kernel = Kernel(site)
    for _ in range(2):  # loaded whole, as at boot; then changed
        wanted = enforcement(chance, site, present())
        kernel.enforce(wanted, present())
        now = present()
        assert disagreements(wanted, kernel.read(now), now) == ()


def present() -> Instant:
    return Instant(time.time_ns() // 1000)
