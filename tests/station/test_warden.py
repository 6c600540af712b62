"""What the warden holds: the decision, the tightest while a loosening waits, and again after the world lost it."""

import asyncio
from collections.abc import Awaitable, Callable

from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.containment.measure import Enforcement, Stand
from rempart.engine.inputs import Repaired
from rempart.errors import EnforcementFailed
from rempart.site.opening import OpeningState
from rempart.station.warden import Warden

OPEN = Enforcement(stands={"mail": Stand(state=OpeningState.OPEN)})
FILTERED = Enforcement(stands={"mail": Stand(state=OpeningState.FILTERED)})
CLOSED = Enforcement(stands={"mail": Stand(state=OpeningState.CLOSED)})


def kept(talk: Callable[[Warden, MemoryEnforcer], Awaitable[None]]) -> list[Repaired]:
    """What a warden told during a talk."""
    told: list[Repaired] = []

    async def life() -> None:
        async def tell(found: Repaired) -> None:
            told.append(found)

        enforcer = MemoryEnforcer()
        warden = Warden(enforcer, SystemClock(), tell)
        await talk(warden, enforcer)
        warden.close()

    asyncio.run(life())
    return told


def stands(enforcer: MemoryEnforcer) -> OpeningState:
    return enforcer.read(SystemClock().now()).stands["mail"].state


def test_while_a_loosening_waits_the_world_is_only_made_tighter() -> None:
    async def talk(warden: Warden, enforcer: MemoryEnforcer) -> None:
        warden.enforce(FILTERED, only_tighten=False)
        warden.enforce(OPEN, only_tighten=True)
        assert stands(enforcer) is OpeningState.FILTERED
        warden.enforce(CLOSED, only_tighten=True)
        assert await warden.compare(OPEN, only_tighten=True)
        assert stands(enforcer) is OpeningState.CLOSED
        warden.enforce(OPEN, only_tighten=False)
        assert stands(enforcer) is OpeningState.OPEN

    assert kept(talk) == []


def test_what_the_world_lost_is_put_back_and_told_once() -> None:
    async def talk(warden: Warden, enforcer: MemoryEnforcer) -> None:
        warden.enforce(CLOSED, only_tighten=False)
        enforcer.enforce(OPEN, SystemClock().now())
        assert not await warden.compare(CLOSED, only_tighten=False)
        assert warden.fault
        assert warden.verified is None
        assert stands(enforcer) is OpeningState.CLOSED
        assert await warden.compare(CLOSED, only_tighten=False)
        assert warden.verified is not None
        assert not warden.fault

    (told,) = kept(talk)
    assert told.repaired


def test_what_cannot_be_repaired_is_told_once_while_it_is_the_same() -> None:
    async def talk(warden: Warden, enforcer: MemoryEnforcer) -> None:
        def broken(*_: object) -> None:
            raise EnforcementFailed("the proxy does not answer")

        enforcer.read = enforcer.enforce = broken  # type: ignore[assignment]  # the world is at fault
        for _ in range(3):
            assert not await warden.compare(CLOSED, only_tighten=False)

    (told,) = kept(talk)
    assert (told.what, told.repaired) == ("the proxy does not answer", False)
