"""What each peer may say to the guard, through its own door, and what it is answered."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from engine.home import BEACON, GUESSING, RECORDS
from rempart.adapters.socket import Connection, dial, serve
from rempart.engine import orders
from rempart.engine.facts import LogsTurned
from rempart.engine.inputs import Ordered
from rempart.engine.state import Posture
from rempart.messages import (
    ExceptionsStand,
    FindingsAccepted,
    FindingsReported,
    FromWatch,
    LogsSilent,
    OrderDone,
    OrderRejected,
    PersonsCounted,
    Status,
    StatusAsked,
    StatusFollowed,
    ToOperator,
    ToWatch,
)
from rempart.messages import Ordered as OrderSent
from rempart.site.opening import OpeningState
from rempart.station.hearing import Hearing
from station.household import Household, visit

CUT = orders.Contain(by="Night nurse")


@asynccontextmanager
async def watching(home: Household) -> AsyncIterator[Connection]:
    """Somebody who speaks as watch, at watch's door."""
    door = await serve(
        home.folder / "watch",
        mode=0o600,
        allowed_uids={os.getuid()},
        incoming=FromWatch,
        handler=Hearing(home.guard).watch,
    )
    watch = await dial(home.folder / "watch", incoming=ToWatch)
    try:
        yield watch
    finally:
        watch.close()
        await door.close()


async def accepted(watch: Connection) -> list[str]:
    while (told := await watch.receive()) is not None:
        if isinstance(told, FindingsAccepted):
            return told.ids
    raise AssertionError("the guard ended the conversation")


def test_watch_can_say_only_what_is_its_own(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        async with watching(home) as watch:
            await watch.send(OrderSent(order=orders.Unblock(by="Alex", target="198.51.100.9")))
            assert await watch.receive() == ExceptionsStand(exceptions=[])  # what every watch is told first
            assert await watch.receive() is None  # not in its union: the conversation ends

    visit(tmp_path, talk)


def test_findings_accepted_are_named(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        async with watching(home) as watch:
            await watch.send(FindingsReported(findings=[GUESSING]))
            assert await accepted(watch) == [GUESSING.id]

    visit(tmp_path, talk)


def test_the_console_alone_cuts_and_loosens_nothing(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        for loosening in (
            orders.Unblock(by="Alex", target="198.51.100.9"),
            orders.Normalise(by="Alex"),
            orders.Reopen(
                by="Alex", opening="portal", state=OpeningState.OPEN, seconds=60, override=True, reason="x"
            ),
            orders.CloseLifeline(by="Alex", opening="telephone", fallback_confirmed=True),
        ):
            assert isinstance(await home.ask(OrderSent(order=loosening)), OrderRejected)
        assert isinstance(await home.ask(OrderSent(order=CUT)), OrderDone)
        status = await home.ask(StatusAsked())
        assert isinstance(status, Status)
        assert status.posture is Posture.CONTAINED

    visit(tmp_path, talk)


def test_what_a_taken_over_watch_claims_neither_stops_the_guard_nor_keeps_others_out(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        poison = [
            replace(RECORDS, id="record-too-large", record=10**40, count=-1),
            replace(RECORDS, id="../../etc", title="x"),
            replace(RECORDS, id="title-too-long", title="x" * 500_000),
        ]
        async with watching(home) as watch:
            await watch.send(FindingsReported(findings=[*poison, GUESSING]))
            assert await accepted(watch) == [*(f.id for f in poison), GUESSING.id]
            for incident in home.guard.state.incidents:
                await watch.send(PersonsCounted(request=incident, persons=10**30, records_opened=-5))
            for _ in range(20):
                await watch.send(LogsSilent(logs=["packets", "\x1b[2J", *map(str, range(5_000))]))
                await watch.send(LogsSilent(logs=[]))
            await watch.send(FindingsReported(findings=[BEACON]))
            assert await accepted(watch) == [BEACON.id]
            assert BEACON.id in home.guard.state.known
            assert home.guard.state.listening.silent.keys() == {"packets"}
        (turned,) = await home.sealed(LogsTurned)
        assert turned.silent == ["packets"]

    visit(tmp_path, talk)


def test_who_follows_sees_a_cut_that_falls_right_after_another_change(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        console = await dial(home.folder / "console", incoming=ToOperator)
        await console.send(StatusFollowed())
        first = await console.receive()
        assert isinstance(first, Status)
        assert first.posture is Posture.NORMAL
        # While the guard pauses after what it just sent:
        await home.guard.ask(Ordered(home.clock.now(), CUT), urgent=True)
        async with asyncio.timeout(20):  # nothing else happens: nobody reads back in this test
            second = await console.receive()
        assert isinstance(second, Status)
        assert second.posture is Posture.CONTAINED
        console.close()

    visit(tmp_path, talk)
