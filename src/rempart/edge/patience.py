"""How long, and how much, somebody else's machine may say in one conversation, however it drags it out.

The timeout of a socket begins anew at each byte: whoever drips one now and then holds a thread for days, and whoever
never comes to an end is held in memory by a client that waits for it (CWE-400).
"""

import socket
import ssl
import time
from typing import Any


class Patience:
    """So many seconds from now on, and so many bytes. What reads on beyond them raises OSError."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._left = most

    def tls(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """The context; each connection that it makes has this patience. A handshake has the socket's timeout in all."""
        context.sslsocket_class = type("PatientTls", (_Tls,), {"patience": self})
        return context

    def plain(self, sock: socket.socket) -> socket.socket:
        """The connection, with this patience; the one that was given is detached."""
        step = sock.gettimeout()
        patient = _Plain(sock.family, sock.type, sock.proto, fileno=sock.detach())
        patient.settimeout(step)
        patient.patience = self
        return patient

    def step(self, usual: float | None) -> float:
        """How long the next bytes may take. Raises TimeoutError when the time is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"it takes longer than {self._seconds:.0f} s")
        return left if usual is None else min(usual, left)

    def took(self, size: int) -> int:
        """So many bytes came. Raises ConnectionAbortedError when they are too many."""
        self._left -= size
        if self._left < 0:
            raise ConnectionAbortedError("it says more than is read")
        return size


class _Plain(socket.socket):
    patience: Patience

    def recv_into(self, *given: Any) -> int:
        """As `socket.socket`, which all that reads from a file of it comes by."""
        self.settimeout(self.patience.step(self.gettimeout()))
        return self.patience.took(super().recv_into(*given))


class _Tls(ssl.SSLSocket):
    patience: Patience

    def recv_into(self, *given: Any) -> int:
        """As `ssl.SSLSocket`."""
        self.settimeout(self.patience.step(self.gettimeout()))
        return self.patience.took(super().recv_into(*given))
