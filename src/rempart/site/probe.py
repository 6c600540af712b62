"""A probe: a question put to a service at intervals, to prove that it runs, or that a cut is a cut."""

from dataclasses import dataclass
from enum import StrEnum


class ProbeKind(StrEnum):
    """How the question is put, and what counts as an answer."""

    TCP = "tcp"  # a connection is accepted
    DNS = "dns"  # a resolver answers, whatever it says (RFC 1035)
    HTTP = "http"  # a server answers GET / with a status below 500 (RFC 9110)
    SIP = "sip"  # an exchange answers OPTIONS, whatever it says (RFC 3261, section 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question."""

    id: str
    name: str
    kind: ProbeKind
    address: str
    """IPv4 or IPv6 address of who is asked; never a name, so that a dead resolver does not hide a live service."""
    port: int
    opening: str | None = None
    """The opening the question goes out by; None: to a machine inside, which must always answer."""
    ask: str = ""
    """DNS: the name to ask for. HTTP: the Host header; empty: the address."""
    every: int = 60
    """Seconds between two questions."""
