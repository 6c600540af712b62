"""An alert: something that asks for a person, from when it is raised until somebody takes it or it is over."""

import hashlib
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from rempart.incidents.incident import Sentence
from rempart.instants import Instant
from rempart.site.telling import Channel

TEST = "test"
"""The id of the alert by which the ways to people are tried; it means nothing else."""

_LETTERS = "ABCDEFHJKLMNPQRTUVWXY34789"
"""No character that is taken for another on paper or over the telephone."""

_CODE = 6


class Urgency(IntEnum):
    """Whether an alert may wait for the morning."""

    CAN_WAIT = 1
    NOW = 2


class AlertState(StrEnum):
    """Where an alert stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one person: handed over to a mail server, a network or a web server, or given up."""

    message: str
    role: str
    channel: Channel
    at: Instant
    delivered: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that asks for a person."""

    id: str
    """What it is about: an incident, or a trouble of the station's own. It is raised anew when it grows worse."""
    code: str
    """What a person says to take it. Bound to the instant at which it was raised, which strangers do not know."""
    urgency: Urgency
    about: Sentence
    """Zones and openings by the names of site.toml, and numbers. Nothing from a log, no person, no address."""
    todo: str
    """Key of what to do first."""
    raised: Instant
    weight: int = 0
    """Beside others of the same day; see `rempart.incidents.ranking.weight`."""
    told: tuple[Delivery, ...] = ()
    taken: Instant | None = None
    taken_by: str = ""
    over: Instant | None = None

    @property
    def state(self) -> AlertState:
        """Where it stands."""
        if self.over is not None:
            return AlertState.OVER
        return AlertState.WAITING if self.taken is None else AlertState.TAKEN

    @property
    def waits(self) -> bool:
        """Whether nobody has taken it yet."""
        return self.state is AlertState.WAITING


def code(site: str, alert: str, raised: Instant) -> str:
    """The code of an alert: six letters, the same on any run. Guesses are counted where they come in."""
    digest = hashlib.sha256(f"{site}\0{alert}\0{raised}".encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_CODE])
