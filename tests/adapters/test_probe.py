"""Probes against services that answer, that answer nonsense, and that are not there."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import dns.message
import pytest

from rempart.adapters import probe
from rempart.site.probe import Probe, ProbeKind


def asked(kind: ProbeKind, port: int, **more: str) -> Probe:
    return replace(
        Probe(id="x", name="X", kind=kind, address="127.0.0.1", port=port),
        **more,  # type: ignore[arg-type]
    )


@contextlib.contextmanager
def datagrams(reply: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """A UDP service that answers each question with ``reply`` of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    question, caller = channel.recvfrom(2048)
                    if question == b"end":
                        return
                    if (said := reply(question)) is not None:
                        channel.sendto(said, caller)

        thread = threading.Thread(target=serve)
        thread.start()
        port = channel.getsockname()[1]
        try:
            yield port
        finally:
            channel.sendto(b"end", ("127.0.0.1", port))
            thread.join(60)


@contextlib.contextmanager
def web(status: int) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(60)


@contextlib.contextmanager
def saying(words: bytes) -> Iterator[int]:
    """A TCP service that says these words to whoever calls, once."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            with contextlib.suppress(OSError):
                caller, _ = door.accept()
                with caller:
                    caller.recv(4096)
                    caller.sendall(words)

        thread = threading.Thread(target=serve)
        thread.start()
        yield door.getsockname()[1]
        thread.join(60)


def closed() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@pytest.mark.parametrize("kind", list(ProbeKind))
def test_nobody_there_is_no_answer(kind: ProbeKind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PATIENCE", 0.3)
    answer = probe.ask(asked(kind, closed()))
    assert not answer.answered
    assert answer.detail


def test_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        assert probe.ask(asked(ProbeKind.TCP, door.getsockname()[1])) == probe.Answer(True, "connected")


@pytest.mark.parametrize(("status", "answered"), [(200, True), (404, True), (503, False)])
def test_http_by_its_status(status: int, answered: bool) -> None:
    with web(status) as port:
        answer = probe.ask(asked(ProbeKind.HTTP, port))
    assert (answer.answered, answer.detail) == (answered, f"status {status}")


@pytest.mark.parametrize(
    ("said", "answered"),
    [(b"\x15\x03\x01\x00\x02\x02\x16", True), (b"SSH-2.0-x\x1b[2J", False), (b"", False)],
)
def test_http_tells_a_tls_port_from_something_else(said: bytes, answered: bool) -> None:
    with saying(said) as port:
        answer = probe.ask(asked(ProbeKind.HTTP, port))
    assert answer.answered is answered
    assert answer.detail.isprintable()


def test_dns_takes_only_the_answer_to_its_question() -> None:
    def answer(question: bytes) -> bytes:
        return dns.message.make_response(dns.message.from_wire(question)).to_wire()

    with datagrams(answer) as port:
        assert probe.ask(asked(ProbeKind.DNS, port, ask="care.example.be")) == probe.Answer(True, "code 0")
    with datagrams(lambda question: b"\0\0" + answer(question)[2:]) as port:
        assert not probe.ask(asked(ProbeKind.DNS, port)).answered


def test_sip_options() -> None:
    def answer(question: bytes) -> bytes:
        lines = question.decode().split("\r\n")
        kept = [line for line in lines if line.startswith(("Via", "From", "To", "Call-ID", "CSeq"))]
        return "\r\n".join(["SIP/2.0 483 Too Many Hops", *kept, "", ""]).encode()

    with datagrams(answer) as port:
        assert probe.ask(asked(ProbeKind.SIP, port)) == probe.Answer(True, "status 483")
    with datagrams(lambda _: b"SIP/2.0 200 OK\r\n\r\n") as port:
        assert not probe.ask(asked(ProbeKind.SIP, port)).answered
