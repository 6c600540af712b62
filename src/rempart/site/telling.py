"""Whom the station tells, by which channels, and how each of these leaves the building."""

from dataclasses import dataclass
from enum import StrEnum

from rempart.site.language import Language


class Channel(StrEnum):
    """A way to reach a person."""

    TEXT = "text"
    MAIL = "mail"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A part of each day, on the wall's clock, in which only what cannot wait is told. In minutes since midnight."""

    begin: int
    end: int

    def covers(self, minute: int) -> bool:
        """Whether that minute of the day is quiet; the hours may lie over midnight."""
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody who is told. ``role`` is all of it that leaves the station; addresses never enter the journal."""

    role: str
    language: Language
    text: str = ""
    """Mobile number, as +32470000001; empty: no text messages."""
    mail: str = ""
    webhook: str = ""
    """An https address that takes a POST."""
    after: int = 0
    """Minutes without an answer after which this one is told too."""
    quiet: QuietHours | None = None
    digest: bool = False
    """Whether this one is sent the day's summary."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The ways to reach this one."""
        ways = {Channel.TEXT: self.text, Channel.MAIL: self.mail, Channel.WEBHOOK: self.webhook}
        return tuple(channel for channel, address in ways.items() if address)

    @property
    def gentle(self) -> tuple[Channel, ...]:
        """The ways for what can wait: no telephone rings for what a mail can say."""
        return tuple(c for c in self.channels if c is not Channel.TEXT or not self.mail)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A server that takes mail (RFC 6409). Secrets stand in files of their own, read by the sender only."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    """Path of the file that holds it."""
    authority: str = ""
    """Path of a certificate authority of your own, in PEM; empty: those of the system."""
    opening: str = ""
    """The opening through which it is reached; empty: the server stands inside."""
    implicit_tls: bool = False
    """TLS from the first byte (port 465); otherwise STARTTLS, without which nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modem:
    """A GSM modem on a serial port: it needs nothing that a cut takes away."""

    device: str
    speed: int = 115_200
    pin: str = ""
    """Path of the file that holds the SIM's PIN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextGateway:
    """A provider that takes text messages over HTTPS."""

    url: str
    token: str
    """Path of the file that holds it."""
    opening: str = ""
    to_field: str = "to"
    """How the provider calls the number in the JSON it takes."""
    text_field: str = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What all webhooks share."""

    secret: str
    """Path of the file with the key of the signature (HMAC-SHA-256)."""
    opening: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Everything about telling people: ``[[tell]]`` and ``[telling]``."""

    recipients: tuple[Recipient, ...] = ()
    mail: MailServer | None = None
    modem: Modem | None = None
    gateway: TextGateway | None = None
    webhook: Webhook | None = None
    page: str = ""
    """Where the page is that a message's code opens, as staff reach it; empty: none is named."""
    digest_at: int = 7 * 60 + 30
    """When the day's summary is sent, in minutes since midnight on the wall's clock."""

    def serves(self, channel: Channel) -> bool:
        """Whether the station has what the channel needs."""
        match channel:
            case Channel.TEXT:
                return self.modem is not None or self.gateway is not None
            case Channel.MAIL:
                return self.mail is not None
            case Channel.WEBHOOK:
                return self.webhook is not None


NOBODY = Telling()
"""A site that has not said whom to tell."""
