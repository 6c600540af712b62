"""Mail to a real exim: over TLS with a certificate of the test's own authority, or not at all."""

import email
import email.policy
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path
from tempfile import gettempdir

import pytest

from adapters.tell.certificates import made
from adapters.tell.letters import LETTER
from rempart.adapters.clock import SystemClock
from rempart.adapters.tell.mail import Mail
from rempart.errors import NotHandedOver
from rempart.site.telling import MailServer

CONFIGURATION = """\
primary_hostname = mail.test
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/pid
queue_only = true
{tls}
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny local_parts = gone
       message = no such user
  defer local_parts = later
  accept authenticated = *
  deny message = authenticate first
begin routers
begin transports
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{duty}}}}{{eq{{$auth3}}{{it is secret}}}}}}}}
  server_set_id = $auth2
"""
TLS = """tls_advertise_hosts = *
tls_certificate = {0}
tls_privatekey = {1}"""
EXIM = shutil.which("exim4") or shutil.which("exim4", path="/usr/sbin")

pytestmark = pytest.mark.skipif(EXIM is None, reason="exim4-daemon-light is not installed")


@dataclass(frozen=True)
class Exim:
    folder: Path
    port: int

    def mails(self) -> list[EmailMessage]:
        """What it took, from its queue: envelope and headers in one file, the body in another."""
        found = []
        for body in sorted((self.folder / "spool" / "input").glob("*-D")):
            heads = body.with_name(f"{body.name[:-1]}H").read_text().split("\n\n", 1)[1]
            lines = [line[5:] if line[:3].isdigit() else line for line in heads.splitlines()]
            text = "\n".join(lines).strip() + "\n\n" + body.read_text().split("\n", 1)[1]
            found.append(email.message_from_string(text, policy=email.policy.default))
        return found  # type: ignore[return-value]  # the policy makes EmailMessages


def started(folder: Path, tls: str) -> Iterator[Exim]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "spool").mkdir()
    (folder / "exim.conf").write_text(CONFIGURATION.format(port=port, folder=folder, tls=tls))
    for path in (folder, folder / "spool"):
        path.chmod(0o777)  # it becomes a user of its own
    process = subprocess.Popen([str(EXIM), "-C", str(folder / "exim.conf"), "-bdf"], stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    process.terminate()
                    raise RuntimeError(process.communicate()[1].decode()) from None
                time.sleep(0.05)
        yield Exim(folder, port)
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that other users may enter."""
    folder = tmp_path_factory.mktemp("exim")
    for parent in (folder, *folder.parents):
        if parent == Path(gettempdir()):
            break
        parent.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def exim(folder: Path) -> Iterator[Exim]:
    certificate, key = made(folder, "127.0.0.1")
    key.chmod(0o644)
    yield from started(folder, TLS.format(certificate, key))


@pytest.fixture
def server(exim: Exim, tmp_path: Path) -> MailServer:
    password = tmp_path / "password"
    password.write_text("it is secret\n")
    return MailServer(
        host="127.0.0.1",
        port=exim.port,
        sender="rempart@tilleuls.example",
        user="duty",
        password=str(password),
        authority=str(exim.folder / "certificate.pem"),
    )


def carry(server: MailServer, address: str = "night@tilleuls.example") -> None:
    Mail(server, SystemClock()).carry(address, LETTER)


def refused(server: MailServer, address: str = "night@tilleuls.example") -> NotHandedOver:
    with pytest.raises(NotHandedOver) as fault:
        carry(server, address)
    assert "it is secret" not in fault.value.diagnostics()
    return fault.value


def test_a_mail_is_taken_with_its_accents_and_one_id(exim: Exim, server: MailServer) -> None:
    before = len(exim.mails())
    carry(server)
    (mail,) = exim.mails()[before:]
    assert mail["Subject"] == LETTER.subject
    assert mail["Message-ID"] == f"<{LETTER.id}@tilleuls.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "ouverts en série (Soins)" in mail.get_content()


def test_a_certificate_of_nobody_we_know_is_refused(exim: Exim, server: MailServer) -> None:
    before = len(exim.mails())
    assert "certificate" in refused(replace(server, authority="")).what
    assert len(exim.mails()) == before


def test_a_certificate_of_another_name_is_refused(server: MailServer) -> None:
    assert "certificate" in refused(replace(server, host="localhost")).what


def test_a_wrong_password_can_be_mended_meanwhile(server: MailServer, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong")
    assert not refused(server).lasting


def test_a_recipient_nobody_has_is_given_up_one_that_is_busy_is_not(server: MailServer) -> None:
    assert refused(server, "gone@tilleuls.example").lasting
    assert not refused(server, "later@tilleuls.example").lasting


def test_a_server_that_is_not_there_is_tried_again(server: MailServer) -> None:
    assert not refused(replace(server, port=1)).lasting


def test_a_secret_that_cannot_be_read_names_its_file(server: MailServer) -> None:
    fault = refused(replace(server, password="/nowhere/password"))
    assert fault.where == "/nowhere/password"


def test_without_starttls_nothing_is_said(
    tmp_path_factory: pytest.TempPathFactory, server: MailServer
) -> None:
    folder = tmp_path_factory.mktemp("bare")
    for plain in started(folder, "tls_advertise_hosts ="):
        fault = refused(replace(server, port=plain.port))
        assert "STARTTLS" in fault.what
        assert plain.mails() == []
