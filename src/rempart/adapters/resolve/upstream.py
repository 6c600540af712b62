"""Asks unbound over loopback: one question, one answer, many at a time."""

import asyncio
import secrets
from typing import Self, cast

from rempart.containment.render.unbound import PORT
from rempart.errors import InputRefused

PATIENCE = 5.0
"""Seconds that an answer may take; programs that ask wait about as long."""
_MOST_WAITING = 2000


class Upstream(asyncio.DatagramProtocol):
    """A socket to unbound. Answers are told apart by their number, which nobody can guess."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def connect(cls, port: int = PORT) -> Self:
        """Connect to unbound on loopback; it need not run yet."""
        _, upstream = await asyncio.get_running_loop().create_datagram_endpoint(
            cls, remote_addr=("127.0.0.1", port)
        )
        return upstream

    def number(self) -> int:
        """A number for a question, not in use. Raises InputRefused when too many questions wait."""
        if len(self._waiting) >= _MOST_WAITING:
            raise InputRefused("too many questions wait for an answer")
        while (number := secrets.randbelow(1 << 16)) in self._waiting:
            pass
        return number

    async def ask(self, number: int, question: bytes) -> bytes:
        """The bytes of the answer with that number. Raises TimeoutError when none comes."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            assert self._transport
            self._transport.sendto(question)
            async with asyncio.timeout(PATIENCE):
                return await answer
        finally:
            del self._waiting[number]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what questions are sent through."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002  connected: it is unbound's
        """Hand an answer to whoever waits for it."""
        waiting = self._waiting.get(int.from_bytes(data[:2], "big"))
        if waiting and not waiting.done():
            waiting.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Unbound does not run at present: who waits will have waited in vain."""

    def close(self) -> None:
        """Ask no more."""
        if self._transport:
            self._transport.close()
