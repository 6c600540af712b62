"""Servers that drip their answer, or never come to its end: whoever asks them goes on with something else in time."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.tell.certificates import made
from adapters.tell.letters import LETTER
from rempart.adapters import identity
from rempart.adapters.clock import SystemClock
from rempart.adapters.tell import https, mail
from rempart.adapters.tell.mail import Mail
from rempart.edge.patience import Patience
from rempart.errors import InputRefused, NotHandedOver
from rempart.site.telling import MailServer

SAY = Callable[[socket.socket], None]


@contextlib.contextmanager
def served(say: SAY, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on loopback that says that to its one caller, until the caller has gone; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                caller, _ = listening.accept()
                with context.wrap_socket(caller, server_side=True) if context else caller as talk:
                    say(talk)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    certificate, key = made(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, str(certificate)


def dripping(begin: bytes) -> SAY:
    """A byte each tenth of a second, for ever."""

    def say(talk: socket.socket) -> None:
        talk.sendall(begin)
        while True:
            talk.sendall(b"x")
            time.sleep(0.1)

    return say


def endless(line: bytes) -> SAY:
    """The same line as fast as it is taken, for ever."""

    def say(talk: socket.socket) -> None:
        while True:
            talk.sendall(line * 1000)

    return say


@contextlib.contextmanager
def soon(seconds: float = 10) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.mark.parametrize(
    "begin", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"]
)
def test_a_webhook_that_drips_is_given_up(
    tls: tuple[ssl.SSLContext, str], monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    monkeypatch.setattr(https, "WHOLE", 1.0)
    context, authority = tls
    with (
        served(dripping(begin), context) as port,
        soon(),
        pytest.raises(NotHandedOver, match=r"longer than 1 s|timed out") as refused,
    ):
        https.post(f"https://localhost:{port}/", {}, {}, lambda _: True, authority)
    assert not refused.value.lasting


def test_a_webhook_that_never_ends_its_heads_is_given_up(tls: tuple[ssl.SSLContext, str]) -> None:
    context, authority = tls
    with (
        served(endless(b"HTTP/1.1 100 Continue\r\n\r\n"), context) as port,
        soon(),
        pytest.raises(NotHandedOver),
    ):
        https.post(f"https://localhost:{port}/", {}, {}, lambda _: True, authority)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_mail_server_that_drips_is_given_up(
    tls: tuple[ssl.SSLContext, str], monkeypatch: pytest.MonkeyPatch, encrypted: bool
) -> None:
    """The first lines come before STARTTLS: anybody on the way can say them."""
    monkeypatch.setattr(mail, "WHOLE", 1.0)
    context, authority = tls
    with served(dripping(b"220 "), context if encrypted else None) as port:
        server = MailServer(
            host="localhost", port=port, sender="a@b.be", implicit_tls=encrypted, authority=authority
        )
        with soon(), pytest.raises(NotHandedOver):
            Mail(server, SystemClock()).carry("c@d.be", LETTER)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_greeting_that_never_ends_is_not_kept(tls: tuple[ssl.SSLContext, str], encrypted: bool) -> None:
    context, authority = tls
    with served(endless(b"220-still there\r\n"), context if encrypted else None) as port:
        server = MailServer(
            host="localhost", port=port, sender="a@b.be", implicit_tls=encrypted, authority=authority
        )
        with soon(), pytest.raises(NotHandedOver, match="says more than is read"):
            Mail(server, SystemClock()).carry("c@d.be", LETTER)


def test_a_provider_that_drips_is_given_up(
    tls: tuple[ssl.SSLContext, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_WHOLE", 1.0)
    context, authority = tls
    monkeypatch.setenv("SSL_CERT_FILE", authority)
    begin = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"
    with (
        served(dripping(begin), context) as port,
        soon(),
        pytest.raises(InputRefused, match="does not answer"),
    ):
        identity.fetched(f"https://localhost:{port}", SystemClock().now())


def test_patience_is_for_the_whole_and_not_for_each_byte() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(5)
        patient = Patience(60, 10).plain(here)
        with patient, patient.makefile("rb") as said:
            there.sendall(b"12345\n")
            assert said.readline() == b"12345\n"
            there.sendall(b"123456\n")
            with pytest.raises(ConnectionAbortedError):
                said.readline()
