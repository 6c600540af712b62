"""Where machines ask: replies from the address asked, over both transports, and what one machine can cost."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address

import pytest

from rempart.adapters.resolve import listen
from rempart.adapters.resolve.listen import Listener
from rempart.adapters.resolve.upstream import Upstream
from rempart.containment.names import Address
from rempart.errors import PrivilegeMissing


async def shout(data: bytes, client: Address, datagram: bool) -> bytes | None:
    return None if data == b"nothing" else data.upper() + str(client).encode() + (b"U" if datagram else b"T")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextlib.asynccontextmanager
async def listening(reply: listen.Reply = shout) -> AsyncIterator[int]:
    """A listener on a port that is free for both transports; another program may hold it for one."""
    listener = Listener(reply)
    for left in reversed(range(20)):
        port = free_port()
        try:
            await listener.open(port)
            break
        except PrivilegeMissing:
            if not left:
                raise
    try:
        yield port
    finally:
        await listener.close()


def tried(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(work())  # type: ignore[arg-type]


async def say(address: str, port: int, data: bytes) -> bytes:
    """One datagram and its reply; connected, so that a reply from another address is not heard."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM) as door:
        door.setblocking(False)
        door.connect((address, port))
        await loop.sock_sendall(door, data)
        async with asyncio.timeout(20):
            return await loop.sock_recv(door, 4096)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.53", "::1"])
def test_the_reply_leaves_from_the_address_that_was_asked(address: str) -> None:
    async def work() -> None:
        async with listening() as port:
            assert (await say(address, port, b"who")).startswith(b"WHO")

    tried(work)


def test_several_questions_over_one_connection() -> None:
    async def work() -> None:
        async with listening() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for question in (b"one", b"two"):
                writer.write(struct.pack(">H", len(question)) + question)
                (length,) = struct.unpack(">H", await reader.readexactly(2))
                assert await reader.readexactly(length) == question.upper() + b"127.0.0.1T"
            writer.write(struct.pack(">H", 7) + b"nothing")
            assert await reader.read() == b""
            writer.close()

    tried(work)


def test_what_is_too_long_ends_the_connection() -> None:
    async def work() -> None:
        async with listening() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(struct.pack(">H", 60_000) + b"x" * 2000)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()

    tried(work)


def test_one_machine_has_so_many_connections_and_others_have_theirs() -> None:
    async def work() -> None:
        async with listening() as port:
            held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(listen._MOST_OF_ONE)]
            for reader, writer in held:  # all are taken care of before one more is tried
                writer.write(b"\0\1x")
                await reader.readexactly(13)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            assert (await say("127.0.0.1", port, b"who")).startswith(b"WHO")
            for _, each in [*held, (reader, writer)]:
                each.close()

    tried(work)


def test_one_machine_whose_names_nobody_answers_for_leaves_room_for_the_others() -> None:
    silence = asyncio.Event()

    async def slowly(data: bytes, client: Address, datagram: bool) -> bytes | None:
        if str(client) == "127.0.0.1":
            await silence.wait()
        return await shout(data, client, datagram)

    async def work() -> None:
        async with listening(slowly) as port:
            loop = asyncio.get_running_loop()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as infected:
                infected.setblocking(False)
                infected.connect(("127.0.0.1", port))
                for _ in range(listen._MOST_AT_ONCE + 200):
                    await loop.sock_sendall(infected, b"slow")
                    await asyncio.sleep(0)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nurse:
                    nurse.setblocking(False)
                    nurse.bind(("127.0.0.2", 0))
                    nurse.connect(("127.0.0.1", port))
                    await loop.sock_sendall(nurse, b"who")
                    async with asyncio.timeout(20):
                        assert await loop.sock_recv(nurse, 512) == b"WHO127.0.0.2U"
            silence.set()

    tried(work)


def test_one_machine_has_a_pace_and_invented_ones_fill_no_memory() -> None:
    async def work() -> None:
        listener = Listener(shout)
        one, other = ip_address("10.0.0.1"), ip_address("10.0.0.2")
        granted = sum(listener._at_pace(one) for _ in range(3000))
        assert listen._BURST <= granted < 2000
        assert listener._at_pace(other)
        for number in range(listen._MOST_REMEMBERED + 10):
            listener._at_pace(one + number)
        assert len(listener._paces) <= listen._MOST_REMEMBERED

    tried(work)


def test_a_port_that_is_taken_is_said() -> None:
    async def work() -> None:
        async with listening() as port:
            with pytest.raises(PrivilegeMissing, match="nobody can ask for names"):
                await Listener(shout).open(port)

    tried(work)


def test_a_port_that_is_half_taken_is_left_whole() -> None:
    async def work() -> None:
        with socket.create_server(("0.0.0.0", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(PrivilegeMissing, match="nobody can ask for names"):
                await Listener(shout).open(port)
            taken.close()
            listener = Listener(shout)
            await listener.open(port)  # nothing of the first holds it
            await listener.close()

    tried(work)


def test_answers_of_unbound_are_told_apart_and_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rempart.adapters.resolve.upstream.PATIENCE", 0.2)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unbound:
            unbound.bind(("127.0.0.1", 0))
            unbound.setblocking(False)
            upstream = await Upstream.connect(unbound.getsockname()[1])
            one = upstream.number()
            two = one ^ 1
            asked = [
                asyncio.create_task(upstream.ask(number, number.to_bytes(2, "big") + b"?"))
                for number in (one, two)
            ]
            for _ in asked:
                data, peer = await loop.sock_recvfrom(unbound, 512)
                if data[:2] == two.to_bytes(2, "big"):
                    await loop.sock_sendto(unbound, b"", peer)  # nothing at all is no answer
                    await loop.sock_sendto(unbound, data[:2] + b"!", peer)
            assert await asked[1] == two.to_bytes(2, "big") + b"!"
            with pytest.raises(TimeoutError):
                await asked[0]
            assert upstream._waiting == {}
            upstream.close()

    tried(work)
