"""Hands mail to a server (RFC 6409): over TLS with its certificate checked, or not at all."""

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from rempart.adapters.tell.secret import secret
from rempart.edge.patience import Patience
from rempart.errors import NotHandedOver
from rempart.instants import as_datetime
from rempart.ports import Clock
from rempart.site.telling import MailServer
from rempart.telling.message import Letter

TIMEOUT = 20.0
"""Seconds that one step of the conversation may take."""

WHOLE = 120.0
"""Seconds that all of it may take: other mails wait behind this one."""

_MOST = 1 << 18
"""Bytes that are taken of what the server says. Before STARTTLS anybody on the way may speak for it."""

_LASTING = 500
"""SMTP codes from here on say that trying again will not help (RFC 5321, 4.2.1)."""


class _Patient(smtplib.SMTP):
    """A conversation that ends, also before it is encrypted: a reply may have as many lines as the server likes."""

    def __init__(self, host: str, port: int, patience: Patience) -> None:
        self._patience = patience
        super().__init__(host, port, timeout=TIMEOUT)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Where smtplib's own class for TLS comes between, too."""
        return self._patience.plain(socket.create_connection((host, port), timeout))


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail server."""

    server: MailServer
    clock: Clock

    def carry(self, address: str, letter: Letter) -> None:
        """Hand one mail over. Its Message-ID comes of the letter's id: sent twice, it is one mail for its reader."""
        try:
            with self._connected() as smtp:
                if self.server.user:
                    smtp.login(self.server.user, secret(self.server.password))
                smtp.send_message(self._mail(address, letter))
        except smtplib.SMTPRecipientsRefused as fault:
            code, said = next(iter(fault.recipients.values()), (0, b""))
            raise self._failed("the recipient is refused", code, said) from fault
        except smtplib.SMTPAuthenticationError as fault:
            # A password can be mended while the message waits: never given up for it.
            raise self._failed("user and password are refused", 0, fault.smtp_error) from fault
        except smtplib.SMTPResponseException as fault:
            raise self._failed("it refuses", fault.smtp_code, fault.smtp_error) from fault
        except smtplib.SMTPNotSupportedError as fault:
            raise self._failed(
                "it offers no STARTTLS or no log-in: nothing was said to it", 0, b""
            ) from fault
        except ssl.SSLError as fault:
            raise self._failed(
                f"its certificate or its TLS cannot be accepted: {fault.reason}", 0, b""
            ) from fault
        except (smtplib.SMTPException, OSError) as fault:
            raise self._failed(f"{type(fault).__name__}: {fault}", 0, b"") from fault

    def _connected(self) -> smtplib.SMTP:
        """A connection on which everything from here on is secret. Without STARTTLS it is ended."""
        context = ssl.create_default_context(cafile=self.server.authority or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        patience = Patience(WHOLE, _MOST)
        patience.tls(context)
        host, port = self.server.host, self.server.port
        if self.server.implicit_tls:
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
        smtp = _Patient(host, port, patience)
        try:
            smtp.starttls(context=context)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _mail(self, address: str, letter: Letter) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.server.sender, address, letter.subject
        mail["Date"] = format_datetime(as_datetime(self.clock.now()))
        mail["Message-ID"] = f"<{letter.id}@{self.server.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # no answering machine answers (RFC 3834)
        mail.set_content(letter.body, cte="quoted-printable")  # not every relay takes 8 bits
        return mail

    def _failed(self, what: str, code: int, said: bytes | str) -> NotHandedOver:
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        answer = f" ({code or ''} {words[:100]})" if words else ""
        return NotHandedOver(
            f"mail: {what}{answer}",
            where=f"{self.server.host}:{self.server.port}",
            now="See [telling.mail] in site.toml.",
            lasting=code >= _LASTING,
        )
