"""Typed messages over unix sockets: a server that knows who is calling, and clients for it.

A frame is a 4-byte big-endian length and that many bytes of JSON (see `rempart.messages`). The peer is believed in
nothing but its user id, which the kernel tells (SO_PEERCRED). What it can cost us is bounded: the length of a frame,
the time to finish one, the number of connections, and how many frames a second are read (more are left in its own
socket buffer, so that a flood makes the flooder wait and nobody else).
"""

import asyncio
import errno
import logging
import os
import socket
import stat
import struct
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from rempart.errors import InputRefused, StationUnreachable
from rempart.messages import MAX_FRAME, ToOperator

_log = logging.getLogger(__name__)

_LENGTH = struct.Struct(">I")
_CREDENTIALS = struct.Struct("3i")
_PATIENCE = 5.0
"""Seconds a peer has to finish a frame it began, or to take one we send."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as the kernel says."""

    pid: int
    uid: int
    gid: int

    def __str__(self) -> str:
        return f"process {self.pid} of user {self.uid}"


@dataclass(frozen=True, slots=True)
class Rate:
    """How many frames are read from one user: ``burst`` at once, then ``per_second``."""

    per_second: float = 200.0
    burst: float = 400.0


def encode(message: msgspec.Struct) -> bytes:
    """The message as one frame. Raises ValueError when it is longer than `MAX_FRAME`: split it."""
    body = msgspec.json.encode(message)
    if len(body) > MAX_FRAME:
        raise ValueError(
            f"a {type(message).__name__} of {len(body)} bytes does not fit a frame of {MAX_FRAME}"
        )
    return _LENGTH.pack(len(body)) + body


class _Allowance:
    """The frames that one user may still send now; shared by all of its connections."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._left = rate.burst
        self._counted = asyncio.get_running_loop().time()

    async def take(self) -> None:
        """Wait until one more frame may be read."""
        now = asyncio.get_running_loop().time()
        self._left = min(self._rate.burst, self._left + (now - self._counted) * self._rate.per_second)
        self._counted = now
        self._left -= 1
        if self._left < 0:
            await asyncio.sleep(-self._left / self._rate.per_second)


class Connection:
    """One conversation. Received types are those of one union; anything else ends it."""

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        incoming: Any,
        allowance: _Allowance | None = None,
    ) -> None:
        self._reader, self._writer = streams
        self._decoder = msgspec.json.Decoder(incoming)
        self._allowance = allowance
        self._length: int | None = None  # of the frame begun: a cancelled receive must not lose its place
        self.peer = _credentials(self._writer.get_extra_info("socket"))

    async def receive(self) -> Any | None:
        """The next message; None when the conversation is over. May be cancelled without losing a message."""
        try:
            return self._decoder.decode(await self._frame())
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except (
            msgspec.MsgspecError,
            UnicodeDecodeError,
            RecursionError,
            TimeoutError,
            _FrameTooLong,
        ) as fault:
            # The fault quotes the frame's structure at most, never its values.
            _log.warning("%s was cut off: %s", self.peer, str(fault) or "it did not finish its frame")
            self.close()
            return None

    async def _frame(self) -> bytes:
        if self._length is None:
            header = await self._reader.readexactly(_LENGTH.size)
            self._length = _LENGTH.unpack(header)[0]
            if self._length > MAX_FRAME:
                raise _FrameTooLong(f"a frame of {self._length} bytes")
            if self._allowance:
                await self._allowance.take()
        async with asyncio.timeout(_PATIENCE):
            body = await self._reader.readexactly(self._length)
        self._length = None
        return body

    async def send(self, message: msgspec.Struct) -> None:
        """Send one message. Raises ConnectionError when the peer is gone or does not read."""
        if self._writer.is_closing():
            raise ConnectionResetError("the connection has ended")
        self._writer.write(encode(message))
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._writer.drain()
        except TimeoutError:
            _log.warning("%s was cut off: it does not read", self.peer)
            self._writer.transport.abort()
            raise ConnectionAbortedError("the peer does not read") from None

    def close(self) -> None:
        """End the conversation; may be called twice."""
        self._writer.close()


class _FrameTooLong(Exception):
    """The peer announced more than `MAX_FRAME`."""


Handler = Callable[[Connection], Awaitable[None]]


class Listener:
    """A socket being served. Closing it ends every conversation and removes the path."""

    def __init__(
        self,
        path: Path,
        *,
        allowed_uids: Collection[int],
        incoming: Any,
        handler: Handler,
        rate: Rate,
        max_connections: int,
    ) -> None:
        self.path = path
        self._allowed_uids = frozenset(allowed_uids)
        self._incoming = incoming
        self._handler = handler
        self._rate = rate
        self._max_connections = max_connections
        self._allowances: dict[int, _Allowance] = {}
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, mode: int) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_unix_server(self._welcome, sock=_bound(self.path, mode))

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _credentials(writer.get_extra_info("socket"))
        if peer.uid not in self._allowed_uids:
            _log.warning("%s: %s may not connect here", self.path, peer)
            writer.transport.abort()
        elif len(self._talks) >= self._max_connections:
            _log.warning("%s: %s was refused, %d connections are open", self.path, peer, len(self._talks))
            writer.transport.abort()
        else:
            allowance = self._allowances.setdefault(peer.uid, _Allowance(self._rate))
            talk = asyncio.create_task(self._talk(Connection((reader, writer), self._incoming, allowance)))
            self._talks.add(talk)
            talk.add_done_callback(self._talks.discard)

    async def _talk(self, connection: Connection) -> None:
        try:
            await self._handler(connection)
        except ConnectionError:
            _log.debug("%s: %s went away", self.path, connection.peer)
        except Exception:
            # One conversation that fails must not take the others with it; the trace is for the maintainer.
            _log.exception("%s: the conversation with %s failed", self.path, connection.peer)
        finally:
            connection.close()

    async def close(self) -> None:
        """Stop listening, end every conversation, remove the path; may be called twice."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self.path.unlink(
            missing_ok=True
        )  # before anything is waited for: who closes may be cancelled meanwhile
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def serve(
    path: Path,
    *,
    mode: int,
    allowed_uids: Collection[int],
    incoming: Any,
    handler: Handler,
    rate: Rate | None = None,
    max_connections: int = 16,
) -> Listener:
    """Listen at ``path`` (a socket left by a dead process is replaced) and run ``handler`` for each connection.

    ``incoming`` is the union of message types that peers may send; ``mode`` the file mode of the socket. Raises
    InputRefused when something else is in the way or somebody already listens there.
    """
    listener = Listener(
        path,
        allowed_uids=allowed_uids,
        incoming=incoming,
        handler=handler,
        rate=rate or Rate(),
        max_connections=max_connections,
    )
    await listener.start(mode)
    return listener


def _bound(path: Path, mode: int) -> socket.socket:
    """A socket bound to ``path``; nobody can connect before its mode is set, since it does not listen yet."""
    _clear(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        bound.bind(str(path))
        path.chmod(mode)
    except OSError as fault:
        bound.close()
        raise InputRefused(
            f"cannot listen: {fault.strerror or fault}",
            where=str(path),
            now="A unix socket's path has at most 107 bytes and a folder that may be written to: check --run.",
        ) from fault
    return bound


def _clear(path: Path) -> None:
    """Remove the socket of a dead process; refuse to remove anything else."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise InputRefused(
            "something that is not a socket is in the way", where=str(path), now="Move it elsewhere."
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(0.0)
        if caller.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise InputRefused(
                "another process already listens here", where=str(path), now="Stop the other station first."
            )
    path.unlink()


def _credentials(sock: Any) -> Peer:
    """Who the kernel says is at the other end (unix(7), SO_PEERCRED)."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(raw))


# -- those who call ----------------------------------------------------------------------------------------------


async def dial(path: Path, *, incoming: Any) -> Connection:
    """Call the station, for callers that run in asyncio. Raises StationUnreachable when nobody answers."""
    try:
        streams = await asyncio.open_unix_connection(str(path))
    except OSError as fault:
        raise _unreachable(path, fault) from fault
    return Connection(streams, incoming)


class Client:
    """A blocking conversation, for the command line."""

    def __init__(self, sock: socket.socket, path: Path, incoming: Any) -> None:
        self._sock = sock
        self._path = path
        self._decoder = msgspec.json.Decoder(incoming)

    def send(self, message: msgspec.Struct) -> None:
        """Send one message. Raises StationUnreachable when the station is gone."""
        try:
            self._sock.settimeout(_PATIENCE)
            self._sock.sendall(encode(message))
        except OSError as fault:
            raise _unreachable(self._path, fault) from fault

    def receive(self, *, seconds: float | None = None) -> Any:
        """The next message, waiting ``seconds`` at most (None: as long as it takes).

        Raises StationUnreachable when none comes, when the station went away, or when what it says is not understood.
        """
        try:
            self._sock.settimeout(seconds)
            (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
            if length > MAX_FRAME:
                raise ConnectionError(errno.EBADMSG, f"a frame of {length} bytes")
            return self._decoder.decode(self._exactly(length))
        except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
            raise StationUnreachable(
                f"the station's answer is not understood: {fault}",
                where=str(self._path),
                now="The command line and the station are of different versions: restart the station.",
            ) from fault
        except OSError as fault:
            raise _unreachable(self._path, fault) from fault

    def _exactly(self, length: int) -> bytes:
        parts: list[bytes] = []
        while length:
            part = self._sock.recv(min(length, 1 << 16))
            if not part:
                raise ConnectionResetError(errno.ECONNRESET, "the station ended the conversation")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """End the conversation; may be called twice."""
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(path: Path, *, incoming: Any = ToOperator) -> Client:
    """Call the station and block while it answers. Raises StationUnreachable when nobody does."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(_PATIENCE)
        sock.connect(str(path))
    except OSError as fault:
        sock.close()
        raise _unreachable(path, fault) from fault
    return Client(sock, path, incoming)


def _unreachable(path: Path, fault: OSError) -> StationUnreachable:
    """The one wording of: no guard answers."""
    if fault.errno in (errno.EACCES, errno.EPERM):
        return StationUnreachable(
            "this user may not speak to the station",
            where=str(path),
            now="Use the operator's account, or root.",
        )
    why = os.strerror(fault.errno) if fault.errno else str(fault) or "no answer"
    return StationUnreachable(
        f"the station does not answer ({why})",
        where=str(path),
        now="Start it (on a box: systemctl start rempart-guard; else: rempart run), or name its folder with --run.",
    )
