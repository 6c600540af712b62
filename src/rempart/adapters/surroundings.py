"""Looks at what the box knows of its network already: iproute2's JSON, DHCP leases, resolv.conf. It sends nothing."""

import ipaddress
import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rempart.errors import PrivilegeMissing
from rempart.first_hour.surroundings import Device, Interface, Surroundings
from rempart.site.values import Word, accepted

LEASES = (Path("/var/lib/misc/dnsmasq.leases"), Path("/var/lib/kea/kea-leases4.csv"))
"""Where Debian's DHCP servers keep who has which address."""

_RESOLV = Path("/etc/resolv.conf")
_WITHIN = 5.0
_LONGEST = 1 << 20


def look(operator: str = "", leases: Iterable[Path] = LEASES) -> Surroundings:
    """What is around. ``operator``: the address from which somebody installs. Raises PrivilegeMissing without ip(8)."""
    outward = {str(route.get("dev", "")) for route in _ip("route", "show", "default")}
    interfaces = tuple(_interfaces(_ip("address", "show"), outward))
    names = {address: (mac, name) for path in leases for address, mac, name in _leases(path)}
    heard = tuple(_devices(_ip("neighbour", "show"), names, interfaces))
    return Surroundings(
        interfaces=interfaces, devices=heard, resolvers=tuple(_resolvers()), operator=_plainly(operator)
    )


def _ip(*words: str) -> list[dict[str, Any]]:
    program = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if program is None:
        raise PrivilegeMissing(
            "ip is not installed: interfaces cannot be found", now="As root: apt-get install iproute2"
        )
    done = subprocess.run([program, "-j", *words], capture_output=True, timeout=_WITHIN, check=False)
    try:
        found = json.loads(done.stdout or b"[]")
    except ValueError:
        return []
    return [each for each in found if isinstance(each, dict)]


def _interfaces(found: Iterable[dict[str, Any]], outward: set[str]) -> Iterator[Interface]:
    for each in found:
        name = str(each.get("ifname", ""))
        if "LOOPBACK" in each.get("flags", ()) or accepted(name, Word.INTERFACE) is None:
            continue
        addresses = tuple(
            f"{info['local']}/{info['prefixlen']}"
            for info in each.get("addr_info", ())
            if info.get("scope") == "global"
        )
        yield Interface(name=name, addresses=addresses, outward=name in outward)


def _devices(
    neighbours: Iterable[dict[str, Any]],
    leases: dict[str, tuple[str, str]],
    interfaces: tuple[Interface, ...],
) -> Iterator[Device]:
    """Whoever answered lately, then whoever only holds a lease."""
    seen: set[str] = set()
    for each in neighbours:
        address = str(each.get("dst", ""))
        if not each.get("lladdr") or address in seen or ipaddress.ip_address(address).is_link_local:
            continue
        seen.add(address)
        name = leases.get(address, ("", ""))[1]
        yield Device(
            address=address, interface=str(each.get("dev", "")), mac=str(each["lladdr"]).lower(), name=name
        )
    for address, (mac, name) in leases.items():
        if address not in seen:
            yield Device(address=address, interface=_of(address, interfaces), mac=mac, name=name)


def _of(address: str, interfaces: tuple[Interface, ...]) -> str:
    here = ipaddress.ip_address(address)
    for interface in interfaces:
        if any(here in ipaddress.ip_network(network) for network in interface.networks):
            return interface.name
    return ""


def _leases(path: Path) -> Iterator[tuple[str, str, str]]:
    """Address, hardware address and name of each lease, dnsmasq's or Kea's; the name is what the machine says."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            text = lines.read(_LONGEST)
    except OSError:
        return
    for line in text.splitlines():
        parts = line.split(",") if path.suffix == ".csv" else line.split(" ")
        where = (0, 1, 8) if path.suffix == ".csv" else (2, 1, 3)
        if len(parts) <= max(where):
            continue
        address, mac, name = (parts[place] for place in where)
        if _plainly(address) and re.fullmatch(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", mac):
            yield address, mac.lower(), "" if name == "*" else accepted(name, Word.TEXT) or ""


def _resolvers() -> Iterator[str]:
    try:
        text = _RESOLV.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "nameserver" and (address := _plainly(words[1])):
            yield address


def _plainly(text: str) -> str:
    """The address that a text is, unless it is one of this box alone; empty when it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return "" if address.is_loopback or address.is_link_local else str(address)
