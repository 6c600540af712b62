"""Connections are bounded, and whoever holds most of them gives way: one machine keeps nobody else out."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from rempart.adapters.certificate import written
from rempart.edge.callers import BACKLOG, Callers
from rempart.instants import Instant

MOST = 8


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers each line; says nothing by itself."""
    with contextlib.suppress(OSError), contextlib.closing(writer):
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()


def visited(come: Callable[[int], None], context: ssl.SSLContext | None = None) -> None:
    """Listen on a port of loopback while ``come`` is there, in a thread of its own."""

    async def life() -> None:
        callers = Callers(socket.create_server(("127.0.0.1", 0)), most=MOST)
        async with await asyncio.start_server(greet, sock=callers, ssl=context, backlog=BACKLOG):
            await asyncio.to_thread(come, callers.getsockname()[1])

    asyncio.run(life())


def silent(port: int, source: str) -> socket.socket:
    """A connection from that address that says nothing."""
    return socket.create_connection(("127.0.0.1", port), 30, (source, 0))


def ended(caller: socket.socket) -> bool:
    """Whether the other side ends it, waiting as long as that takes."""
    try:
        return caller.recv(1) == b""
    except ConnectionResetError:
        return True


def answered(caller: socket.socket) -> bool:
    """Whether it is still there for what is said."""
    caller.sendall(b"there\n")
    return caller.recv(16) == b"there\n"


@pytest.mark.parametrize("times", [2, 20])
def test_the_oldest_of_whoever_holds_most_gives_way(times: int) -> None:
    def come(port: int) -> None:
        with contextlib.ExitStack() as held:
            nurse = [held.enter_context(silent(port, "127.0.0.2")) for _ in range(2)]
            crowd = [held.enter_context(silent(port, "127.0.0.3")) for _ in range(times * MOST)]
            nurse.append(held.enter_context(silent(port, "127.0.0.2")))
            room = MOST - len(nurse)
            assert all(ended(each) for each in crowd[:-room])
            assert all(answered(each) for each in (*nurse, *crowd[-room:]))

    visited(come)


def test_those_who_never_begin_tls_give_way_too(tmp_path: Path) -> None:
    written(tmp_path, "rempart.home.arpa", Instant(1_795_000_000_000_000), None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "station.pem", tmp_path / "station.key")

    def come(port: int) -> None:
        with contextlib.ExitStack() as held:
            crowd = [held.enter_context(silent(port, "127.0.0.3")) for _ in range(5 * MOST)]
            assert all(ended(each) for each in crowd[:-MOST])

    visited(come, context)


def test_what_was_closed_is_not_counted() -> None:
    def come(port: int) -> None:
        with silent(port, "127.0.0.2") as first:
            for _ in range(5 * MOST):
                with silent(port, "127.0.0.3") as passing:
                    assert answered(passing)
                    passing.shutdown(socket.SHUT_WR)
                    assert ended(passing)
            assert answered(first)

    visited(come)


def test_nobody_is_let_in_while_those_who_gave_way_are_not_closed() -> None:
    """Or a crowd that comes again faster than it is let go of takes every file that the process may open."""
    with contextlib.ExitStack() as held:
        callers = held.enter_context(Callers(socket.create_server(("127.0.0.1", 0)), most=MOST))
        port = callers.getsockname()[1]
        taken = []
        for _ in range(MOST + BACKLOG):
            held.enter_context(silent(port, "127.0.0.3"))
            taken.append(held.enter_context(callers.accept()[0]))
        held.enter_context(silent(port, "127.0.0.2"))
        with pytest.raises(BlockingIOError):
            callers.accept()
        taken[0].close()
        connection, (address, _) = callers.accept()
        held.enter_context(connection)
        assert address == "127.0.0.2"
