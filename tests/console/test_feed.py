"""The feed, against real sockets: it follows, it forgets at once, and it asks a guard that has gone quiet."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import Connection, serve
from rempart.console.feed import Feed
from rempart.engine.orders import Contain
from rempart.errors import StationUnreachable
from rempart.instants import Instant
from rempart.messages import FromOperator, OrderDone, Ordered, OrderRejected, Posture, Status, StatusAsked
from rempart.site.placement import Placement

Make = Callable[..., Status]
Handler = Callable[[Connection], Awaitable[None]]


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rempart-") as folder:
        yield Path(folder) / "console.sock"


@contextlib.asynccontextmanager
async def following(feed: Feed) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.follow())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def listening(path: Path, handler: Handler) -> contextlib.AbstractAsyncContextManager[object]:
    return await serve(path, mode=0o600, allowed_uids={os.getuid()}, incoming=FromOperator, handler=handler)


async def until(feed: Feed, wanted: Posture | None) -> None:
    async with asyncio.timeout(60):
        while (feed.status.posture if feed.status else None) != wanted:
            await feed.changed(0.05)


def test_it_follows_and_forgets_at_once(path: Path, make: Make) -> None:
    async def play() -> None:
        told = asyncio.Event()

        async def guard(connection: Connection) -> None:
            await connection.receive()
            await connection.send(make())
            await connection.send(make(Posture.CONTAINED))
            await told.wait()

        feed = Feed(path, SystemClock())
        async with await listening(path, guard), following(feed):
            await until(feed, Posture.CONTAINED)
            told.set()
            await until(feed, None)
        assert feed.seen is not None

    asyncio.run(play())


def test_a_guard_that_hangs_is_not_believed(path: Path, make: Make) -> None:
    async def play() -> None:
        silent = asyncio.Event()

        async def guard(connection: Connection) -> None:
            while (asked := await connection.receive()) is not None:
                if not (silent.is_set() and isinstance(asked, StatusAsked)):
                    await connection.send(make())

        feed = Feed(path, SystemClock(), silence=0.1, patience=1.0)
        async with await listening(path, guard), following(feed):
            await until(feed, Posture.NORMAL)
            await asyncio.sleep(0.5)
            assert feed.status is not None  # quiet, but it answers when asked
            first = feed.seen
            await asyncio.sleep(0.3)
            assert feed.seen != first
            silent.set()
            await until(feed, None)

    asyncio.run(play())


def test_it_does_not_mind_a_guard_that_is_not_there(path: Path) -> None:
    async def play() -> None:
        feed = Feed(path, SystemClock())
        async with following(feed):
            await feed.changed(1)
        assert feed.status is None
        with pytest.raises(StationUnreachable):
            await feed.contain("Anne", "")

    asyncio.run(play())


@pytest.mark.parametrize(
    "answer", [OrderDone(received=0, sealed=1, enforced=0, done=0), OrderRejected(what="no")]
)
def test_the_cut_is_ordered_and_its_answer_told(path: Path, answer: OrderDone | OrderRejected) -> None:
    async def play() -> None:
        heard: list[object] = []

        async def guard(connection: Connection) -> None:
            heard.append(await connection.receive())
            await connection.send(answer)

        async with await listening(path, guard):
            assert await Feed(path, SystemClock()).contain("Anne", "précaution") == answer
        assert heard == [Ordered(order=Contain(by="Anne", reason="précaution"))]

    asyncio.run(play())


def test_after_an_order_the_next_page_waits_for_its_proof(path: Path, make: Make, now: Instant) -> None:
    done = OrderDone(received=now, sealed=1, enforced=Instant(now + 10), done=Instant(now + 15))
    read = make(Posture.CONTAINED, now=Instant(now + 30), enforcement_verified=Instant(now + 20))

    async def waits(status: Status, order: OrderDone = done) -> bool:
        feed = Feed(path, SystemClock(), status=status)
        waiting = asyncio.create_task(feed.caught_up(order))
        await asyncio.sleep(0)
        waits = not waiting.done()
        await feed._take(read)
        await waiting
        return waits

    async def play() -> None:
        unread = msgspec.structs.replace(read, enforcement_verified=now)
        assert await waits(make())
        assert await waits(unread)
        assert await waits(msgspec.structs.replace(read, journal_entries=0))  # from before it was decided
        assert not await waits(read)
        assert not await waits(msgspec.structs.replace(unread, enforcement_fault="the table is gone"))
        watching = msgspec.structs.replace(read, enforcement_verified=None, placement=Placement.OBSERVER)
        assert not await waits(watching)
        assert not await waits(unread, OrderDone(received=now, sealed=1, enforced=None, done=now))

    asyncio.run(play())


def test_a_guard_that_goes_away_without_an_answer_has_cut_nothing(path: Path) -> None:
    async def play() -> None:
        async def guard(connection: Connection) -> None:
            await connection.receive()

        async with await listening(path, guard):
            with pytest.raises(StationUnreachable):
                await Feed(path, SystemClock()).contain("Anne", "")

    asyncio.run(play())
