"""Looking around: what iproute2 and DHCP leases say becomes interfaces and machines; hostile names do not pass."""

import json
from pathlib import Path

import pytest

from rempart.adapters import surroundings
from rempart.first_hour.surroundings import Device, Interface

SAID = {
    "route": [{"dst": "default", "gateway": "203.0.113.1", "dev": "eth0"}],
    "address": [
        {"ifname": "lo", "flags": ["LOOPBACK", "UP"], "addr_info": []},
        {
            "ifname": "eth0",
            "flags": ["UP"],
            "addr_info": [{"local": "203.0.113.2", "prefixlen": 24, "scope": "global"}],
        },
        {
            "ifname": "eth1",
            "flags": ["UP"],
            "addr_info": [
                {"local": "10.0.1.1", "prefixlen": 24, "scope": "global"},
                {"local": "fe80::1", "prefixlen": 64, "scope": "link"},
            ],
        },
    ],
    "neighbour": [
        {"dst": "10.0.1.20", "dev": "eth1", "lladdr": "02:00:5E:10:00:01", "state": ["STALE"]},
        {"dst": "10.0.1.21", "dev": "eth1", "state": ["FAILED"]},
        {"dst": "fe80::2", "dev": "eth1", "lladdr": "02:00:5e:10:00:07", "state": ["STALE"]},
    ],
}


@pytest.fixture
def ip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program `ip` that says what it is told to, and refuses everything that is not a question."""
    for name, said in SAID.items():
        (tmp_path / name).write_text(json.dumps(said))
    program = tmp_path / "ip"
    program.write_text(f'#!/bin/sh\n[ "$1 $3" = "-j show" ] && exec cat {tmp_path}/"$2"\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


@pytest.mark.usefixtures("ip")
def test_interfaces_and_machines_are_found(tmp_path: Path) -> None:
    leases = tmp_path / "dnsmasq.leases"
    leases.write_text(
        "1790000000 02:00:5e:10:00:01 10.0.1.20 pc-20 *\n"
        "1790000000 02:00:5e:10:00:02 10.0.1.30 evil\x1b[2J *\n"
        "1790000000 02:00:5e:10:00:03 10.0.1.31 * *\n"
        "duid 00:01\nnonsense\n"
    )
    found = surroundings.look("10.0.1.250", (leases, tmp_path / "none.csv"))
    assert found.interfaces == (
        Interface(name="eth0", addresses=("203.0.113.2/24",), outward=True),
        Interface(name="eth1", addresses=("10.0.1.1/24",)),
    )
    assert found.devices == (
        Device(address="10.0.1.20", interface="eth1", mac="02:00:5e:10:00:01", name="pc-20"),
        Device(address="10.0.1.30", interface="eth1", mac="02:00:5e:10:00:02"),
        Device(address="10.0.1.31", interface="eth1", mac="02:00:5e:10:00:03"),
    )
    assert found.operator == "10.0.1.250"


@pytest.mark.usefixtures("ip")
def test_kea_leases_are_read_too(tmp_path: Path) -> None:
    leases = tmp_path / "kea.csv"
    leases.write_text(
        "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n"
        "10.0.1.40,02:00:5e:10:00:04,,3600,1790000000,1,0,0,tablet,0\n"
    )
    (heard,) = [each for each in surroundings.look("127.0.0.1", (leases,)).devices if each.name]
    assert (heard.address, heard.name) == ("10.0.1.40", "tablet")


@pytest.mark.edge
def test_the_real_program_is_understood() -> None:
    found = surroundings.look()
    assert all(interface.name != "lo" for interface in found.interfaces)
