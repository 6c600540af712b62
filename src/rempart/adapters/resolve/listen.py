"""Where machines ask for names: port 53 over UDP and TCP, IPv4 and IPv6, on every address of the gateway.

Replies leave from the address that was asked (IP_PKTINFO): a machine drops what comes from another. What one machine
can cost is bounded: questions at once, questions a second, connections, and how long these may idle.
"""

import asyncio
import contextlib
import logging
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from ipaddress import ip_address

from rempart.adapters.resolve.wire import LONGEST_QUESTION
from rempart.containment.names import Address
from rempart.errors import PrivilegeMissing

_log = logging.getLogger("rempart.resolver")

PORT = 53
_MOST_AT_ONCE = 1000
_MOST_AT_ONCE_OF_ONE = 100
"""Questions of one machine: names that nobody answers for take five seconds each, and must not take all the places."""
_MOST_CONNECTIONS = 200
_MOST_OF_ONE = 20
"""Connections of one machine."""
_IDLE = 10.0
"""Seconds without a question after which a connection ends (RFC 7766 leaves it to us)."""
_PER_SECOND, _BURST = 200.0, 1000.0
"""Questions of one machine; a domain controller asks for a hundred others."""
_MOST_REMEMBERED = 8192
_LENGTH = struct.Struct(">H")
_IP_PKTINFO = 8
"""linux/in.h; Python has no name for it."""

_Peer = tuple[str, int] | tuple[str, int, int, int]
Reply = Callable[[bytes, Address, bool], Awaitable[bytes | None]]
"""Takes the bytes of a question, who asks, and whether it came as a datagram; None: no reply."""


class Listener:
    """The open sockets."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: Counter[Address] = Counter()
        self._connections: dict[Address, int] = {}
        self._paces: dict[Address, tuple[float, float]] = {}

    async def open(self, port: int = PORT) -> None:
        """Listen on both families. Raises PrivilegeMissing when the port cannot be had; then nothing is left open."""
        for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104  nft says who may ask
            try:
                datagrams = _datagrams(family, anywhere, port)
                self._sockets.append(datagrams)
                streams = socket.create_server((anywhere, port), family=family, backlog=256)
            except OSError as fault:
                await self.close()
                raise PrivilegeMissing(
                    f"nobody can ask for names: {fault.strerror or fault}",
                    where=f"{anywhere} port {port}",
                    now="Stop the other resolver on this box (`ss -lunp sport = 53` names it), or run as root.",
                ) from fault
            asyncio.get_running_loop().add_reader(datagrams, self._read, datagrams)
            self._servers.append(await asyncio.start_server(self._talk, sock=streams, limit=1 << 12))

    async def close(self) -> None:
        """Listen no more."""
        while self._sockets:
            each = self._sockets.pop()
            asyncio.get_running_loop().remove_reader(each)
            each.close()
        while self._servers:
            self._servers.pop().close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- datagrams -----------------------------------------------------------------------------------------------

    def _read(self, datagrams: socket.socket) -> None:
        """Take what has come, a few at a time so that replies are not kept waiting."""
        for _ in range(16):
            try:
                data, about, _, peer = datagrams.recvmsg(LONGEST_QUESTION + 1, 256)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as fault:  # an ICMP error about an earlier reply
                _log.debug("a reply could not be delivered: %s", fault)
                continue
            client = _client(peer)
            if len(self._tasks) < _MOST_AT_ONCE and self._has_room(client) and self._at_pace(client):
                self._begin(
                    self._answer(datagrams, data, client, peer, _from_where_asked(datagrams.family, about))
                )

    async def _answer(
        self,
        datagrams: socket.socket,
        data: bytes,
        client: Address,
        peer: _Peer,
        from_there: list[tuple[int, int, bytes]],
    ) -> None:
        self._asking[client] += 1
        try:
            reply = await self._reply(data, client, True)  # noqa: FBT003  Reply says what it is
        finally:
            self._asking[client] -= 1
            if not self._asking[client]:
                del self._asking[client]
        if reply is not None:
            with contextlib.suppress(OSError):  # it will ask again
                datagrams.sendmsg([reply], from_there, 0, peer)

    # -- connections ---------------------------------------------------------------------------------------------

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _client(writer.get_extra_info("peername"))
        held = self._connections.get(client, 0)
        if held >= _MOST_OF_ONE or sum(self._connections.values()) >= _MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._connections[client] = held + 1
        try:
            await self._questions(reader, writer, client)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            _log.debug("a connection for names ended")
        finally:
            writer.transport.abort() if writer.is_closing() else writer.close()
            self._connections[client] -= 1
            if not self._connections[client]:
                del self._connections[client]

    async def _questions(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: Address
    ) -> None:
        while True:
            async with asyncio.timeout(_IDLE):
                (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                if length > LONGEST_QUESTION:
                    return
                data = await reader.readexactly(length)
            if not self._at_pace(client):
                return
            reply = await self._reply(data, client, False)  # noqa: FBT003  Reply says what it is
            if reply is None:
                return
            writer.write(_LENGTH.pack(len(reply)) + reply)
            async with asyncio.timeout(_IDLE):
                await writer.drain()

    # -- bounds --------------------------------------------------------------------------------------------------

    def _has_room(self, client: Address) -> bool:
        return self._asking[client] < _MOST_AT_ONCE_OF_ONE

    def _at_pace(self, client: Address) -> bool:
        """Whether this machine may ask once more now."""
        now = asyncio.get_running_loop().time()
        if len(self._paces) >= _MOST_REMEMBERED:
            self._paces.clear()  # a flood of invented addresses must not fill memory; everybody begins anew
        left, counted = self._paces.get(client, (_BURST, now))
        left = min(_BURST, left + (now - counted) * _PER_SECOND) - 1
        self._paces[client] = (max(left, 0.0), now)
        return left >= 0

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _datagrams(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if family is socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            bound.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    return bound


def _from_where_asked(family: int, about: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """What makes the reply leave from the address that was asked: ip(7) in_pktinfo, ipv6(7) in6_pktinfo."""
    for level, kind, data in about:
        if family == socket.AF_INET and (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            _, _, asked = struct.unpack("=I4s4s", data[:12])
            return [(level, kind, struct.pack("=I4s4s", 0, asked, asked))]
        if family == socket.AF_INET6 and (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            return [(level, kind, data)]
    return []


def _client(peer: _Peer) -> Address:
    return ip_address(peer[0].partition("%")[0])
