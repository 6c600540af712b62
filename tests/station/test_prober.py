"""The prober beside a real guard: what it asks becomes facts, and the status tells it."""

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.home import SITE, shipped_policy
from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal
from rempart.adapters.socket import serve
from rempart.config import Places
from rempart.engine.inputs import Ordered
from rempart.engine.orders import Contain
from rempart.engine.step import Terms
from rempart.messages import FromProber
from rempart.site.probe import Probe, ProbeKind
from rempart.site.site import DowntimePack
from rempart.station.guard import Guard
from rempart.station.hearing import Hearing
from rempart.station.prober import Prober


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  what is waited for is another task's work
            await asyncio.sleep(0.05)


def _right(guard: Guard) -> dict[str, bool | None]:
    return {each.id: each.right for each in guard.status().care.probes}


def test_what_is_asked_is_told(tmp_path: Path) -> None:
    asyncio.run(_what_is_asked_is_told(tmp_path))


async def _what_is_asked_is_told(tmp_path: Path) -> None:
    pack = tmp_path / "pack.pdf"
    pack.write_text("list")
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        probes = (
            Probe(id="care", name="Care", kind=ProbeKind.TCP, address="127.0.0.1", port=port, every=5),
            Probe(id="gone", name="Gone", kind=ProbeKind.TCP, address="127.0.0.1", port=1, every=5),
            Probe(
                id="leak",
                name="Leak",
                kind=ProbeKind.TCP,
                address="127.0.0.1",
                port=port,
                opening="browsing",
                every=5,
            ),
        )
        site = replace(SITE, probes=probes, downtime_pack=DowntimePack(path=str(pack)))
        places = Places(site=tmp_path / "s", state=tmp_path / "state", run=tmp_path / "run", rules=())
        clock = SystemClock()
        journal = Journal.open(places.journal, places.keys, origin="rempart/t", now=clock.now())
        guard = Guard(Terms(site, shipped_policy()), journal, MemoryEnforcer(), clock)
        worker = asyncio.create_task(guard.run())
        prober = asyncio.create_task(Prober(site, places).run())
        async with await serve(
            places.probe_socket,
            mode=0o600,
            allowed_uids={os.getuid()},
            incoming=FromProber,
            handler=Hearing(guard).prober,
        ):
            await until(lambda: len(guard.state.care.probes) == len(probes) and bool(guard.state.care.pack))
            await guard.ask(Ordered(clock.now(), Contain(by="Alex")))
            assert _right(guard)["leak"] is None  # it was heard before the cut
            await until(lambda: _right(guard)["leak"] is False)
            assert _right(guard) == {"care": True, "gone": False, "leak": False}
            assert guard.status().care.pack
            assert guard.status().care.pack.fresh  # type: ignore[union-attr]
            prober.cancel()
            with pytest.raises(asyncio.CancelledError):
                await prober
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        guard.close()
        journal.close()


def test_what_was_found_while_nobody_listened_is_told_as_of_then(tmp_path: Path) -> None:
    asyncio.run(_as_of_then(tmp_path))


async def _as_of_then(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)
        leak = Probe(
            id="leak",
            name="Leak",
            kind=ProbeKind.TCP,
            address="127.0.0.1",
            port=door.getsockname()[1],
            opening="browsing",
            every=1,
        )
        site = replace(SITE, probes=(leak,))
        places = Places(site=tmp_path / "s", state=tmp_path / "state", run=tmp_path / "run", rules=())
        clock = SystemClock()
        journal = Journal.open(places.journal, places.keys, origin="rempart/t", now=clock.now())
        guard = Guard(Terms(site, shipped_policy()), journal, MemoryEnforcer(), clock)
        worker = asyncio.create_task(guard.run())
        prober = asyncio.create_task(Prober(site, places).run())
        async with asyncio.timeout(60):
            for _ in range(3):  # asked three times, and nobody to tell it to
                connection, _ = await asyncio.get_running_loop().sock_accept(door)
                connection.close()
        door.close()  # from now on it is silent: the second silence in a row would say so
        await guard.ask(Ordered(clock.now(), Contain(by="Alex")))
        async with await serve(
            places.probe_socket,
            mode=0o600,
            allowed_uids={os.getuid()},
            incoming=FromProber,
            handler=Hearing(guard).prober,
        ):
            await until(lambda: bool(guard.state.care.probes))
            [heard] = guard.state.care.probes["leak"]
            cut = guard.state.doors["browsing"].since
            assert heard.answered
            assert heard.asked < cut < heard.at
            assert _right(guard)["leak"] is None
            await until(lambda: _right(guard)["leak"] is True)  # silence, asked after the cut
        for task in (prober, worker):
            task.cancel()
        await asyncio.gather(prober, worker, return_exceptions=True)
        guard.close()
        journal.close()
