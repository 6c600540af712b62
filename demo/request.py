"""One HTTP request over one real connection, and the answer with its times."""

import base64
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from demo.addresses import Account
from demo.world import enter

NO_ANSWER = 0
"""The status of a request that got none: refused, reset or timed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Times are CLOCK_MONOTONIC nanoseconds, shared by all namespaces of a machine."""

    status: int
    """HTTP status, or `NO_ANSWER`."""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    sent_ns: int
    done_ns: int
    failure: str = ""


def ask(
    target: tuple[str, int],
    path: str,
    *,
    host: str = "",
    account: Account | None = None,
    method: str = "GET",
    body: bytes | None = None,
    agent: str = "Mozilla/5.0",
    source: str | None = None,
    namespace: Path | None = None,
    timeout: float = 3.0,
) -> Answer:
    """Ask once, on a connection of its own. ``namespace`` None: from where this process stands."""
    headers = {"Host": host or target[0], "User-Agent": agent, "Connection": "close"}
    if account is not None:
        pair = f"{account.name}:{account.password}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    connection = HTTPConnection(*target, timeout=timeout)
    sent = time.monotonic_ns()
    try:
        connection.sock = _connect(target, source, namespace, timeout)
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
        return Answer(
            status=response.status,
            body=content,
            headers=dict(response.getheaders()),
            sent_ns=sent,
            done_ns=time.monotonic_ns(),
        )
    except (OSError, HTTPException) as error:
        return Answer(status=NO_ANSWER, sent_ns=sent, done_ns=time.monotonic_ns(), failure=str(error))
    finally:
        connection.close()


def _connect(
    target: tuple[str, int], source: str | None, namespace: Path | None, timeout: float
) -> socket.socket:
    """A connected socket; made inside ``namespace`` it stays there, wherever it is used."""

    def connect() -> socket.socket:
        return socket.create_connection(target, timeout, (source, 0) if source else None)

    return connect() if namespace is None else enter(namespace, connect)
