"""A proxy that was taken over: what it answers can neither hold up the guard nor fill its memory."""

import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.home import NOW, SITE
from rempart.adapters.enforce.haproxy import Proxy
from rempart.config import Places
from rempart.console.public import PublicFace
from rempart.containment.measure import Stand
from rempart.engine.state import enforcement, initial
from rempart.errors import EnforcementFailed
from rempart.site.opening import OpeningState

Answer = Callable[[socket.socket], None]


@pytest.fixture
def places() -> Iterator[Places]:
    """Short paths: a unix socket's has 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="rempart-") as folder:
        found = Places(site=Path(folder), state=Path(folder), run=Path(folder), rules=())
        found.proxy_socket.parent.mkdir()
        yield found


@contextlib.contextmanager
def answering(path: Path, answer: Answer) -> Iterator[None]:
    """Something at the proxy's socket that answers in its own way."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(path))
        door.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    caller, _ = door.accept()
                    with caller, contextlib.suppress(OSError):
                        caller.recv(4096)
                        answer(caller)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield
        door.shutdown(socket.SHUT_RDWR)
        server.join(10)


def drip(caller: socket.socket) -> None:
    """A byte now and then, for ever."""
    while True:
        caller.sendall(b" ")
        time.sleep(0.05)


def flood(caller: socket.socket) -> None:
    """More than any map has."""
    while True:
        caller.sendall(b"x" * 65536)


@pytest.mark.parametrize("answer", [drip, flood])
def test_an_endless_answer_is_a_fault_within_moments(places: Places, answer: Answer) -> None:
    began = time.monotonic()
    with (
        answering(places.proxy_socket, answer),
        pytest.raises(EnforcementFailed, match=r"too long|does not end|timed out"),
    ):
        Proxy(SITE, places, PublicFace(SITE)).enforce(enforcement(initial(SITE)), NOW)
    assert time.monotonic() - began < 10


def test_states_that_do_not_exist_are_not_believed(places: Places) -> None:
    with answering(
        places.proxy_socket, lambda caller: caller.sendall(b"0x1 website ajar\n0x2 portal open\n")
    ):
        assert Proxy(SITE, places, PublicFace(SITE)).read() == {"portal": Stand(state=OpeningState.OPEN)}
        with pytest.raises(EnforcementFailed, match="does not hold website=open"):
            Proxy(SITE, places, PublicFace(SITE)).enforce(enforcement(initial(SITE)), NOW)
