"""A listening socket that holds so many connections at most: beyond them, whoever holds most gives way.

Who opens connections and says nothing costs a file descriptor each, before TLS and before HTTP has begun; without a
bound one machine takes them all, and with a plain one it keeps everybody else out. Here it only loses its own, the
oldest first.
"""

import socket
from collections import Counter
from ipaddress import ip_address
from typing import Any, Self

from rempart.accounts.pace import place

BACKLOG = 128
"""Connections that wait to be accepted. So many more may be open for a moment, until those that gave way are closed."""


class Callers(socket.socket):
    """Takes over a bound socket. Where machines are many they are told apart by address, of IPv6 by network of 64 bits.

    For loops that call ``accept`` of the socket they are given, as asyncio's own does.
    """

    def __init__(self, bound: socket.socket, *, most: int) -> None:
        """Raises OSError when the socket was closed already."""
        super().__init__(bound.family, bound.type, bound.proto, fileno=bound.detach())
        self._most = most
        self._held: list[tuple[str, socket.socket]] = []  # the oldest first
        self._leaving: list[socket.socket] = []  # gave way, and are not closed yet

    @classmethod
    def at(cls, address: str, port: int, *, most: int) -> Self:
        """Listen at an IPv4 or IPv6 address. Raises OSError when it cannot be had."""
        family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6
        return cls(socket.create_server((address, port), family=family, backlog=BACKLOG), most=most)

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; when it is one too many, another was ended for it.

        Raises BlockingIOError while too many that gave way are still open: a crowd that comes again faster than its
        owners close what it had would else take every file the process may open. The loop closes them, and asks again.
        """
        self._held = [(where, each) for where, each in self._held if each.fileno() >= 0]
        self._leaving = [each for each in self._leaving if each.fileno() >= 0]
        if len(self._leaving) >= BACKLOG:
            raise BlockingIOError
        connection, address = super().accept()
        self._held.append((place(address[0]), connection))
        if len(self._held) > self._most:
            self._give_way()
        return connection, address

    def _give_way(self) -> None:
        """End the oldest connection of whoever holds most; its owner finds it at its end, and closes it."""
        [(crowd, _)] = Counter(where for where, _ in self._held).most_common(1)
        at = next(at for at, (where, _) in enumerate(self._held) if where == crowd)
        _, oldest = self._held.pop(at)
        self._leaving.append(oldest)
        try:
            oldest.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it went away by itself, and is closed for that
