"""What the guard leases on the resolver's word, and what it does not believe."""

import asyncio
import os
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest

from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.socket import dial, serve
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.names import Refusal
from rempart.errors import EnforcementFailed
from rempart.instants import Instant
from rempart.messages import (
    FromResolver,
    NameLeased,
    NameRefusal,
    NameResolved,
    NamesRefused,
    OpeningsStand,
    ToResolver,
)
from rempart.site.description import parse
from rempart.site.opening import OpeningState
from rempart.station.leasing import Leasing
from rempart.station.resolver import Refusals

OPEN, CLOSED = OpeningState.OPEN, OpeningState.CLOSED
SITE = """
id = "small"
name = "Small"
template = "nursing-home"
languages = ["fr"]
phone = "04 000 00 00"
uplink = { interface = "wan", addresses = ["203.0.113.2/24"] }
[[zones]]
id = "wards"
name = "Wards"
interface = "wards"
networks = ["10.1.0.0/24"]
[[openings]]
id = "care-file"
mark = 1
name = "Care file"
direction = "out"
zones = ["wards"]
hosts = ["care.example"]
services = ["tcp/443"]
care = 1
fallback = { text = "paper" }
[[openings]]
id = "names"
mark = 2
name = "Names"
direction = "out"
zones = ["wards"]
hosts = ["192.0.2.53"]
services = ["udp/53", "tcp/53"]
care = 0
fallback = { text = "paper" }
[resolver]
opening = "names"
"""
RESOLVED = NameResolved(
    request=1,
    client="10.1.0.7",
    name="care.example",
    kind="A",
    openings=["care-file"],
    addresses=["192.0.2.20"],
    seconds=60,
)


def standing(state: OpeningState) -> Enforcement:
    return Enforcement(stands={"care-file": Stand(state=state)}, blocked={"192.0.2.66": None})


@pytest.fixture
def lessor() -> MemoryEnforcer:
    return MemoryEnforcer()


@pytest.fixture
def leasing(lessor: MemoryEnforcer) -> Leasing:
    made = Leasing(parse(SITE, "test"), lessor, SystemClock(), grace=5)
    made.stand(standing(OPEN))
    return made


def test_what_was_resolved_is_leased(leasing: Leasing, lessor: MemoryEnforcer) -> None:
    assert leasing._leased(RESOLVED) == NameLeased(request=1)
    [lease] = lessor.leases
    assert (lease.mark, str(lease.client), str(lease.address), lease.seconds) == (
        1,
        "10.1.0.7",
        "192.0.2.20",
        65,
    )


@pytest.mark.parametrize(
    "lie",
    [
        {"client": "10.77.0.1"},
        {"client": "somebody"},
        {"name": "evil.example"},
        {"name": "x.care.example"},
        {"kind": "TXT"},
        {"addresses": ["10.1.0.9"]},
        {"addresses": ["203.0.113.2"]},
        {"addresses": ["192.0.2.20", "127.0.0.1"]},
        {"addresses": ["all"]},
        {"addresses": [f"192.0.2.{number}" for number in range(33)]},
    ],
)
def test_a_resolver_that_lies_leases_nothing(
    leasing: Leasing, lessor: MemoryEnforcer, lie: dict[str, object]
) -> None:
    assert leasing._leased(msgspec.structs.replace(RESOLVED, **lie)).fault
    assert lessor.leases == []


def test_where_names_that_care_needs_lead_is_known_while_it_is_leased(leasing: Leasing) -> None:
    assert leasing.named() == frozenset()
    leasing._leased(RESOLVED)
    assert leasing.named() == {ip_address("192.0.2.20")}
    leasing._named = {address: Instant(0) for address in leasing._named}
    assert leasing.named() == frozenset()


def test_an_opening_that_was_not_meant_is_not_opened(leasing: Leasing, lessor: MemoryEnforcer) -> None:
    leasing._leased(msgspec.structs.replace(RESOLVED, openings=["names", "nothing"]))
    assert lessor.leases == []


def test_a_closed_opening_leases_nothing_and_long_times_are_cut(
    leasing: Leasing, lessor: MemoryEnforcer
) -> None:
    leasing._leased(msgspec.structs.replace(RESOLVED, seconds=1 << 40))
    assert lessor.leases[0].seconds == 305
    leasing.stand(standing(CLOSED))
    assert "refused" in leasing._leased(RESOLVED).fault


def test_a_kernel_that_refuses_is_said(leasing: Leasing, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise EnforcementFailed("no room")

    monkeypatch.setattr(leasing, "_lessor", type("Full", (), {"hold": staticmethod(full)}))
    assert leasing._leased(RESOLVED).fault == "no room"


def test_the_resolver_is_told_how_openings_stand_at_first_and_at_each_change(
    leasing: Leasing, tmp_path: Path
) -> None:
    async def talk() -> list[object]:
        door = await serve(
            tmp_path / "s",
            mode=0o600,
            allowed_uids={os.geteuid()},
            incoming=FromResolver,
            handler=leasing.hear,
        )
        async with door:
            connection = await dial(tmp_path / "s", incoming=ToResolver)
            heard = [await connection.receive()]
            leasing.stand(standing(OPEN))  # the same: not told again
            await connection.send(RESOLVED)
            heard.append(await connection.receive())
            leasing.stand(standing(CLOSED))
            heard.append(await connection.receive())
            await connection.send(NamesRefused(times={"name": 3, "nonsense": 9}, latest=[]))
            await connection.send(msgspec.structs.replace(RESOLVED, request=2))
            await connection.receive()
            connection.close()
            return heard

    first, leased, changed = asyncio.run(talk())
    assert isinstance(first, OpeningsStand)
    assert first.stands["care-file"].state is OPEN
    assert leased == NameLeased(request=1)
    assert isinstance(changed, OpeningsStand)
    assert changed.stands["care-file"].state is CLOSED
    assert leasing.refused
    assert leasing.refused.times == {"name": 3}


def test_refused_names_are_few_and_short() -> None:
    refusals = Refusals()
    for number in range(1000):
        refusals.add(f"{number}.{'x' * 200}", Refusal.NAME, SystemClock())
    refusals.add("again.example", Refusal.NAME, SystemClock())
    refusals.add("again.example", Refusal.NAME, SystemClock())
    told = refusals.told()
    assert told.times == {"name": 1002}
    assert len(told.latest) == 20
    assert told.latest[0].name == "again.example"
    assert told.latest[0].times == 2
    assert all(isinstance(each, NameRefusal) and len(each.name) <= 80 for each in told.latest)
    assert len(refusals._names) == 200
