"""Frames over unix sockets: what goes in comes out, and a hostile peer costs little."""

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.adapters.socket import Connection, Listener, Rate, connect, dial, encode, serve
from rempart.engine.orders import Contain
from rempart.errors import InputRefused, StationUnreachable
from rempart.messages import (
    MAX_FRAME,
    CountPersons,
    FindingsAccepted,
    FromOperator,
    FromWatch,
    OrderDone,
    Ordered,
    OrderRejected,
    PersonsCounted,
    StatusAsked,
    ToWatch,
)

ME = frozenset({os.getuid()})


async def count(connection: Connection) -> None:
    """Answer each count with the ids it names: enough of a guard to hear both ways."""
    while (message := await connection.receive()) is not None:
        assert isinstance(message, PersonsCounted)
        await connection.send(FindingsAccepted(ids=[message.request, str(connection.peer.uid)]))


async def counting(path: Path, rate: Rate | None = None) -> Listener:
    return await serve(path, mode=0o600, allowed_uids=ME, incoming=FromWatch, handler=count, rate=rate)


def counted(request: str = "a") -> PersonsCounted:
    return PersonsCounted(request=request, persons=1, records_opened=2)


def raw(path: Path, sent: bytes, *, then_close: bool = False) -> bytes:
    """What the server answers to these bytes until it ends the connection."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(60)
        sock.connect(str(path))
        sock.sendall(sent)
        if then_close:
            sock.shutdown(socket.SHUT_WR)
        parts = []
        try:
            while part := sock.recv(4096):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


def test_messages_go_both_ways_and_the_peer_is_known(tmp_path: Path) -> None:
    async def talk() -> None:
        async with await counting(tmp_path / "s"):
            caller = await dial(tmp_path / "s", incoming=ToWatch)
            await caller.send(counted("ключ"))
            assert await caller.receive() == FindingsAccepted(ids=["ключ", str(os.getuid())])
            assert caller.peer.pid == os.getpid()
            caller.close()

    asyncio.run(talk())


def test_the_socket_has_its_mode_and_is_gone_afterwards(tmp_path: Path) -> None:
    async def talk() -> None:
        async with await counting(tmp_path / "s"):
            assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
        assert not (tmp_path / "s").exists()

    asyncio.run(talk())


def test_another_user_is_refused(tmp_path: Path) -> None:
    async def talk() -> None:
        async with await serve(
            tmp_path / "s",
            mode=0o600,
            allowed_uids={os.getuid() + 1},
            incoming=FromWatch,
            handler=count,
        ):
            caller = await dial(tmp_path / "s", incoming=ToWatch)
            assert await caller.receive() is None
            caller.close()

    asyncio.run(talk())


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack(">I", MAX_FRAME + 1),
        struct.pack(">I", 0xFFFFFFFF) + b"x" * 100,
        encode(Ordered(order=Contain(by="a taken-over watch"))),
        struct.pack(">I", 3) + b"not",
        struct.pack(">I", 4) + b"\xff\xfe\x00\x80",
        struct.pack(">I", 0),
        struct.pack(">I", 100_000) + b"[" * 100_000,
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_not_spelled_right_ends_the_connection_and_only_that(tmp_path: Path, sent: bytes) -> None:
    async def talk() -> None:
        async with await counting(tmp_path / "s"):
            other = await dial(tmp_path / "s", incoming=ToWatch)
            assert await asyncio.to_thread(raw, tmp_path / "s", sent) == b""
            await other.send(counted())
            assert await other.receive() is not None
            other.close()

    asyncio.run(talk())


def test_a_frame_cut_short_is_the_end(tmp_path: Path) -> None:
    async def talk() -> None:
        async with await counting(tmp_path / "s"):
            cut = encode(counted())[:-1]
            answer = await asyncio.to_thread(lambda: raw(tmp_path / "s", cut, then_close=True))
            assert answer == b""

    asyncio.run(talk())


def test_a_cancelled_receive_loses_nothing(tmp_path: Path) -> None:
    async def talk() -> None:
        async with await counting(tmp_path / "s"):
            _, writer = streams = await asyncio.open_unix_connection(str(tmp_path / "s"))
            caller = Connection(streams, ToWatch)
            frame = encode(counted())
            for part in (frame[:2], frame[2:7], frame[7:]):
                writer.write(part)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.02 if part != frame[7:] else 0):
                        await caller.receive()
            assert await caller.receive() is not None
            caller.close()

    asyncio.run(talk())


def test_a_flood_is_read_at_the_rate_and_loses_nothing(tmp_path: Path) -> None:
    async def talk() -> None:
        async with await counting(tmp_path / "s", Rate(per_second=50, burst=5)):
            caller = await dial(tmp_path / "s", incoming=ToWatch)
            began = asyncio.get_running_loop().time()
            for number in range(20):
                await caller.send(counted(str(number)))
            heard = [await caller.receive() for _ in range(20)]
            assert [message.ids[0] for message in heard] == [str(number) for number in range(20)]
            assert asyncio.get_running_loop().time() - began > 0.25
            caller.close()

    asyncio.run(talk())


def test_connections_are_bounded(tmp_path: Path) -> None:
    async def talk() -> None:
        async with await serve(
            tmp_path / "s", mode=0o600, allowed_uids=ME, incoming=FromWatch, handler=count, max_connections=2
        ):
            callers = [await dial(tmp_path / "s", incoming=ToWatch) for _ in range(3)]
            assert await callers[2].receive() is None
            for caller in callers:
                caller.close()

    asyncio.run(talk())


def test_a_dead_process_s_socket_is_replaced_a_living_one_s_is_not(tmp_path: Path) -> None:
    async def talk() -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "s"))
        async with await counting(tmp_path / "s"):
            with pytest.raises(InputRefused, match="already listens"):
                await counting(tmp_path / "s")
        (tmp_path / "f").write_text("a file of somebody's")
        with pytest.raises(InputRefused, match="not a socket"):
            await counting(tmp_path / "f")
        assert (tmp_path / "f").read_text() == "a file of somebody's"

    asyncio.run(talk())


def test_a_message_too_long_is_never_sent() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(FindingsAccepted(ids=["x" * MAX_FRAME]))


# -- the command line's client ------------------------------------------------------------------------------------


def answering(path: Path, answer: Callable[[Connection], object]) -> threading.Event:
    """A server in a thread of its own, since the client blocks; set the event to end it."""
    ready, done = threading.Event(), threading.Event()

    async def handle(connection: Connection) -> None:
        while await connection.receive() is not None:
            await answer(connection)  # type: ignore[misc]  # the tests pass coroutine functions

    async def run() -> None:
        async with await serve(path, mode=0o600, allowed_uids=ME, incoming=FromOperator, handler=handle):
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(60)
    return done


def test_the_command_line_asks_and_hears(tmp_path: Path) -> None:
    done = answering(tmp_path / "s", lambda connection: connection.send(OrderRejected(what="no")))
    try:
        with connect(tmp_path / "s") as client:
            client.send(StatusAsked())
            assert client.receive(seconds=60) == OrderRejected(what="no")
    finally:
        done.set()


def test_a_station_that_says_nothing_or_another_language_is_told(tmp_path: Path) -> None:
    done = answering(tmp_path / "s", lambda connection: connection.send(FindingsAccepted(ids=[])))
    try:
        with connect(tmp_path / "s") as client:
            with pytest.raises(StationUnreachable, match="does not answer"):
                client.receive(seconds=0.05)
            client.send(StatusAsked())
            with pytest.raises(StationUnreachable, match="different versions"):
                client.receive(seconds=60)
    finally:
        done.set()


def test_no_station_is_told_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(StationUnreachable, match="rempart run") as caught:
        connect(tmp_path / "none")
    assert caught.value.where == str(tmp_path / "none")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))
    with pytest.raises(StationUnreachable):
        connect(tmp_path / "dead")


@given(ids=st.lists(st.text(st.characters(exclude_categories=["Cs"]))), since=st.integers(0, 2**53))
def test_any_text_survives_a_frame(ids: list[str], since: int) -> None:
    import msgspec

    message = CountPersons(request="r", addresses=ids, since=since)  # type: ignore[arg-type]
    frame = encode(message)
    assert struct.unpack(">I", frame[:4])[0] == len(frame) - 4
    assert msgspec.json.decode(frame[4:], type=ToWatch) == message


def test_orders_keep_their_types_over_a_frame() -> None:
    import msgspec

    ordered = Ordered(order=Contain(by="a", reason="b"))
    assert msgspec.json.decode(encode(ordered)[4:], type=FromOperator) == ordered
    done = OrderDone(received=1, sealed=None, enforced=None, done=1)  # type: ignore[arg-type]
    assert b"OrderDone" in encode(done)
