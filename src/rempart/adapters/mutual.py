"""One question and one answer over mutually authenticated TLS 1.3, with pinned certificates instead of an authority.

Both ends know the other's certificate beforehand (a PEM file that holds it); there is no name to check and nobody else
to trust. A frame is a 4-byte big-endian length and that many bytes of JSON, as on the unix sockets.
"""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rempart.edge.callers import BACKLOG, Callers
from rempart.errors import InputRefused, StationUnreachable

_LENGTH = struct.Struct(">I")
MAX_FRAME = 1 << 16
"""Bytes in the longest frame: a question is a name and a reason."""

HANDSHAKE = 5.0
"""Seconds for a handshake and for a question to arrive; who is slower is not one of us."""

MOST = 16
"""Conversations at once, of those whose certificate is trusted."""

CALLERS = 128
"""Connections at once, before and after their certificate is known: whoever holds most of them loses the oldest."""

_NOW = "Is that box on, and is its address the right one?"

_GOODBYE = 1.0
"""Seconds for the other side to end a conversation."""

_M = TypeVar("_M")


def server_context(certificate: Path, trusted: Path) -> ssl.SSLContext:
    """TLS 1.3 for a server that hears only the trusted. Raises `InputRefused`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return _pinned(context, certificate, trusted)


def client_context(certificate: Path, trusted: Path) -> ssl.SSLContext:
    """TLS 1.3 for a client that speaks only to the holder of that certificate. Raises `InputRefused`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the certificate itself is pinned; names prove less
    return _pinned(context, certificate, trusted)


def _pinned(context: ssl.SSLContext, certificate: Path, trusted: Path) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a pinned certificate is its own end of the chain
    try:
        context.load_cert_chain(certificate)
        context.load_verify_locations(trusted)
    except (OSError, ssl.SSLError) as fault:
        raise InputRefused(
            f"the certificates cannot be used: {fault}",
            where=f"{certificate}, {trusted}",
            now="The first holds a certificate and its key, the second those of the others, all as PEM.",
        ) from fault
    return context


async def serve(
    address: str,
    port: int,
    context: ssl.SSLContext,
    incoming: type[_M],
    answer: Callable[[_M, str], Awaitable[msgspec.Struct]],
) -> asyncio.Server:
    """Answer questions of that type; ``answer`` is given the question and the common name of who asks.

    Raises `InputRefused` when the address cannot be had.
    """
    busy = asyncio.Semaphore(MOST)

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if busy.locked():
                return
            async with busy:
                raw = await asyncio.wait_for(_frame(reader), HANDSHAKE)
                question = msgspec.json.decode(raw, type=incoming)
                writer.write(_framed(await answer(question, _name(writer))))
                await writer.drain()
        except (OSError, EOFError, TimeoutError, msgspec.MsgspecError):
            return  # somebody who does not speak as we do
        finally:
            await _end(writer)

    try:
        callers = Callers.at(address, port, most=CALLERS)
    except OSError as fault:
        raise InputRefused(
            f"cannot listen: {fault.strerror}",
            where=f"{address} port {port}",
            now="See [group] in site.toml.",
        ) from fault
    return await asyncio.start_server(
        welcome,
        sock=callers,
        backlog=BACKLOG,
        ssl=context,
        ssl_handshake_timeout=HANDSHAKE,
        limit=MAX_FRAME,
    )


async def ask(
    address: str,
    port: int,
    context: ssl.SSLContext,
    question: msgspec.Struct,
    answers: Any,
    *,
    seconds: float,
) -> Any:
    """One question. Raises `StationUnreachable` when no answer of the pinned peer comes in time."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(address, port, ssl=context, limit=MAX_FRAME)
            try:
                writer.write(_framed(question))
                await writer.drain()
                return msgspec.json.decode(await _frame(reader), type=answers)
            finally:
                await _end(writer)
    except TimeoutError:
        raise StationUnreachable(
            f"no answer within {seconds:.0f} s", where=f"{address} port {port}", now=_NOW
        ) from None
    except (OSError, EOFError, msgspec.MsgspecError) as fault:
        raise StationUnreachable(_reason(fault), where=f"{address} port {port}", now=_NOW) from fault


async def _end(writer: asyncio.StreamWriter) -> None:
    """Say goodbye, and wait a moment for the other side to; who does not is let go of."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), _GOODBYE)


def _reason(fault: Exception) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return "somebody else answers there: the certificate is not the one noted"
    if isinstance(fault, EOFError | ssl.SSLError):
        return "it ended the conversation: it may not know our certificate"
    return (fault.strerror if isinstance(fault, OSError) else None) or str(fault) or type(fault).__name__


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_FRAME:
        raise EOFError
    return await reader.readexactly(length)


def _framed(message: msgspec.Struct) -> bytes:
    raw = msgspec.json.encode(message)
    return _LENGTH.pack(len(raw)) + raw


def _name(writer: asyncio.StreamWriter) -> str:
    """The common name in the certificate of who asks; it was pinned, so its words were ours to choose."""
    subject = (writer.get_extra_info("peercert") or {}).get("subject", ())
    return next((value for rdn in subject for key, value in rdn if key == "commonName"), "unnamed")[:60]
