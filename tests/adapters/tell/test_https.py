"""Webhooks and the text gateway against a real TLS server: signed, pinned, never redirected."""

import hashlib
import hmac
import http.server
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.tell.certificates import made
from adapters.tell.letters import LETTER
from rempart.adapters.clock import SystemClock
from rempart.adapters.tell.gateway import Gateway
from rempart.adapters.tell.https import Address, post
from rempart.adapters.tell.webhook import Webhooks
from rempart.errors import NotHandedOver
from rempart.site.telling import TextGateway, Webhook


def anywhere(_: Address) -> bool:
    return True


def nowhere(_: Address) -> bool:
    return False


@dataclass
class Server:
    """What came, and what is answered next."""

    port: int
    authority: str
    status: int = 200
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/hook?x=1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    certificate, key = made(tmp_path, "localhost")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.asked.append((self.path, dict(self.headers), body))
            self.send_response(told.status)
            if told.status == 302:
                self.send_header("Location", f"https://localhost:{told.port}/inside")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    told = Server(listening.server_port, str(certificate))
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text("shared\n")
    return str(path)


def test_a_webhook_is_signed_so_that_its_receiver_can_check(server: Server, key: str) -> None:
    Webhooks(Webhook(secret=key), SystemClock(), anywhere, server.authority).carry(server.url, LETTER)
    ((path, headers, body),) = server.asked
    assert path == "/hook?x=1"
    assert json.loads(body) == dict(LETTER.facts)
    assert headers["Idempotency-Key"] == LETTER.id
    seconds, digest = (part.partition("=")[2] for part in headers["Rempart-Signature"].split(","))
    expected = hmac.new(b"shared", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert digest == expected


def test_a_provider_takes_a_number_and_a_text(server: Server, key: str) -> None:
    gateway = TextGateway(url=server.url, token=key, to_field="recipient", text_field="body")
    Gateway(gateway, anywhere, server.authority).carry("+32470000001", LETTER)
    ((_, headers, body),) = server.asked
    assert json.loads(body) == {"recipient": "+32470000001", "body": LETTER.short}
    assert headers["Authorization"] == "Bearer shared"


def test_no_redirection_is_followed(server: Server) -> None:
    server.status = 302
    with pytest.raises(NotHandedOver, match="redirections"):
        post(server.url, {}, {}, anywhere, server.authority)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "lasting"), [(400, True), (404, True), (429, False), (500, False), (503, False)]
)
def test_what_trying_again_mends_is_tried_again(server: Server, status: int, lasting: bool) -> None:
    server.status = status
    with pytest.raises(NotHandedOver) as fault:
        post(server.url, {}, {}, anywhere, server.authority)
    assert fault.value.lasting is lasting


def test_an_address_that_is_not_where_site_toml_says_is_never_asked(server: Server) -> None:
    with pytest.raises(NotHandedOver, match="not where"):
        post(server.url, {}, {}, nowhere, server.authority)
    seen: list[Address] = []
    post(server.url, {}, {}, lambda address: seen.append(address) is None, server.authority)
    assert ipaddress.ip_address("127.0.0.1") in seen
    assert len(server.asked) == 1


def test_a_certificate_of_nobody_we_know_is_refused(server: Server) -> None:
    with pytest.raises(NotHandedOver, match="no answer"):
        post(server.url, {}, {}, anywhere)
    assert server.asked == []


def test_a_proxy_of_the_environment_is_not_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    post(server.url, {}, {}, anywhere, server.authority)
    assert len(server.asked) == 1
