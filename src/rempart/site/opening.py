"""An opening: a named way between the inside and the outside, and what to use when it is closed."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_interface

from rempart.site.hours import Hours

MARK_BITS = 0xFFF
"""The bits of a connection's mark in the kernel that name its opening; other tools keep theirs."""


class OpeningState(StrEnum):
    """How far a door is open."""

    OPEN = "open"
    FILTERED = "filtered"
    CLOSED = "closed"


class Direction(StrEnum):
    """Where the first packet of a flow comes from."""

    OUT = "out"
    IN = "in"
    BOTH = "both"


class Transport(StrEnum):
    """The transport protocol of a service."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Service:
    """One transport protocol and an inclusive range of destination ports."""

    transport: Transport
    first_port: int
    last_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What people use while the opening is closed."""

    text: str
    phone: str | None = None
    depends_on: tuple[str, ...] = ()
    """Ids of the openings without which this fallback does not work (telephone over the SIP trunk ...)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a published service is encrypted. Paths are files on the box."""

    certificate: str
    """PEM: the certificate, those above it, and the private key."""
    clients: str | None = None
    """PEM: who signs the certificates that visitors must show; None: they need none."""
    hsts_days: int = 0
    """For how long browsers are told to insist on encryption (RFC 6797); 0: they are told nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A service of ours that the outside may use: the proxy answers for it and fetches from a server inside."""

    host: str
    """The name visitors ask for, as in the HTTP Host header."""
    zone: str
    """The zone in which the server stands."""
    address: str
    port: int
    requests: int = 100
    """Requests that one source may make in ten seconds while it is filtered; a page with its pictures takes thirty."""
    hours: Hours | None = None
    """When it may be used; None: always."""
    tls: Tls | None = None
    """None: it is served on port 80 alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A named way between inside and outside.

    ``mark`` is the opening's number in the kernel's connection mark: 1..4095, unique in the site, never reused.
    """

    id: str
    mark: int
    name: str
    direction: Direction
    zones: tuple[str, ...]
    """Zones that may use it (out) or hold what is reached (in)."""
    hosts: tuple[str, ...]
    """Addresses, networks or names outside; ``*`` alone means anywhere."""
    services: tuple[Service, ...]
    care: int
    """Weight for reopening: 0 infrastructure, then 1 first … 6 last."""
    lifeline: bool
    fallback: Fallback
    publication: Publication | None = None
    needs: tuple[str, ...] = ()
    """Ids of the openings without which this one is of no use: names, sign-in. They reopen before it."""
    normally: OpeningState = OpeningState.OPEN
    """The state in the posture *normal*; remote maintenance for one is normally closed."""
    shared_addresses: bool = False
    """Its names lie on addresses that serve other names too (a content network), so that addresses do not tell them
    apart: while it is filtered, connections pass a gate that reads the name asked for in TLS. Hosts are all names."""
    confidence: str = "G"
    """S seen in a published source, G general knowledge to be confirmed on site, I our inference."""

    @property
    def left_by_cut(self) -> OpeningState:
        """How a cut leaves it, unless it was closed before."""
        if self.lifeline and self.normally is not OpeningState.CLOSED:
            return OpeningState.FILTERED
        return OpeningState.CLOSED

    @property
    def takes_visits(self) -> bool:
        """Whether somebody outside may be let in through it for minutes."""
        return (
            self.direction is not Direction.OUT and self.normally is OpeningState.CLOSED and not self.lifeline
        )


def is_name(host: str) -> bool:
    """Whether a host of an opening is a name: no address, no network, not ``*``."""
    try:
        ip_interface(host)
    except ValueError:
        return host != "*"
    return False
