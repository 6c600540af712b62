"""Doors: who may come, who may not, and that nothing is left when they are closed."""

import asyncio
import os
from pathlib import Path

from rempart.adapters.socket import Connection, connect
from rempart.engine.orders import Contain
from rempart.errors import StationUnreachable
from rempart.messages import FromOperator, OrderDone, Ordered, ToOperator
from rempart.station.doors import Door, opened

ORDER = Ordered(order=Contain(by="Anne", reason="a test"))


async def done(connection: Connection) -> None:
    while await connection.receive() is not None:
        await connection.send(OrderDone(received=0, sealed=1, enforced=1, done=1))


def heard(socket: Path) -> bool:
    """Whether whoever comes to this socket, as this process's user, is answered."""
    try:
        with connect(socket, incoming=ToOperator) as guard:
            guard.send(ORDER)
            return isinstance(guard.receive(seconds=60), OrderDone)
    except StationUnreachable:
        return False


def test_each_door_hears_its_callers_and_the_owner_and_nobody_else(tmp_path: Path) -> None:
    me, other = os.getuid(), os.getuid() + 1
    mine, strange = tmp_path / "mine.sock", tmp_path / "strange.sock"

    async def told(own: int) -> list[bool]:
        doors = [
            Door(mine, frozenset({me}), FromOperator, done),
            Door(strange, frozenset({other}), FromOperator, done),
        ]
        async with opened(doors, own=own):
            return [await asyncio.to_thread(heard, socket) for socket in (mine, strange)]

    assert asyncio.run(told(other)) == [True, False]
    assert asyncio.run(told(me)) == [True, True]
    assert not list(tmp_path.iterdir())
