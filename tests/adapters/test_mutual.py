"""Whoever has no certificate takes nothing from those who have one: connections are bounded before TLS has begun."""

import asyncio
import contextlib
import multiprocessing
import resource
import select
import socket
import threading
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec
import pytest

from cli.test_group import certificate, free_port
from rempart.adapters import mutual
from rempart.errors import StationUnreachable

FILES = 400
"""Files that the door's process may have open: as few as a strict unit leaves it."""


class Asked(msgspec.Struct, frozen=True):
    """A question."""

    word: str


class Said(msgspec.Struct, frozen=True):
    """Its answer."""

    word: str


async def door(folder: Path, port: int) -> None:
    async def answer(asked: Asked, name: str) -> Said:
        return Said(f"{asked.word} from {name}")

    context = mutual.server_context(folder / "box.pem", folder / "operator.crt")
    async with await mutual.serve("127.0.0.1", port, context, Asked, answer) as server:
        await server.serve_forever()


def run(folder: Path, port: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    asyncio.run(door(folder, port))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Path, int, BaseProcess]]:
    """A door in a process of its own, with few files to open."""
    certificate(tmp_path, "box")
    certificate(tmp_path, "operator")
    certificate(tmp_path, "stranger")
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=run, args=(tmp_path, port))
    process.start()
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield tmp_path, port, process
    finally:
        process.terminate()
        process.join(30)


def asked(folder: Path, port: int, who: str = "operator") -> object:
    """What the box answers to whoever holds that certificate."""
    context = mutual.client_context(folder / f"{who}.pem", folder / "box.crt")
    return asyncio.run(mutual.ask("127.0.0.1", port, context, Asked("cut"), Said, seconds=30))


@contextlib.contextmanager
def crowd(port: int, size: int) -> Iterator[None]:
    """Silent connections from one other address, up to so many; each is made again once it was ended."""
    held: list[socket.socket] = []
    pressing, over = threading.Event(), threading.Event()

    def press() -> None:
        while not over.is_set():
            ended, _, _ = select.select(held, [], [], 0)
            for each in ended:  # nothing is ever said to them but goodbye
                held.remove(each)
                each.close()
            with contextlib.suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", port), 0.05, ("127.0.0.3", 0)))
            if len(held) >= size or ended:
                pressing.set()
                over.wait(0.001)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        assert pressing.wait(60), f"{len(held)} connections only"
        yield
    finally:
        over.set()
        thread.join(30)
        for each in held:
            each.close()


def test_a_crowd_of_strangers_before_tls_keeps_nobody_out(opened: tuple[Path, int, BaseProcess]) -> None:
    folder, port, process = opened
    most = 0
    with crowd(port, FILES):
        for _ in range(5):
            assert asked(folder, port) == Said("cut from operator")
            most = max(most, len(list(Path(f"/proc/{process.pid}/fd").iterdir())))
    assert mutual.CALLERS < most < FILES


def test_who_begins_tls_and_does_not_go_on_is_let_go_of(opened: tuple[Path, int, BaseProcess]) -> None:
    folder, port, _ = opened
    with socket.create_connection(("127.0.0.1", port), 30) as slow:
        slow.sendall(b"\x16\x03\x01\x02\x00\x01")  # the head of a ClientHello of 512 bytes, and no more
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            while slow.recv(1024):
                pass
        assert time.monotonic() - began < 2 * mutual.HANDSHAKE
    assert asked(folder, port) == Said("cut from operator")


def test_a_certificate_that_was_not_pinned_is_not_heard(opened: tuple[Path, int, BaseProcess]) -> None:
    folder, port, _ = opened
    with pytest.raises(StationUnreachable):
        asked(folder, port, "stranger")
    assert asked(folder, port) == Said("cut from operator")
