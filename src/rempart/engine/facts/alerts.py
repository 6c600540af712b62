"""Facts about alerts: raised, told, taken, over; and the day that was counted for its summary."""

from rempart.engine.facts.fact import Fact
from rempart.instants import Instant
from rempart.site.telling import Channel
from rempart.telling.alert import Urgency


class AlertRaised(Fact, frozen=True, tag=True, kw_only=True):
    """Something asks for a person; whom it is told to follows from site.toml and the time."""

    alert: str
    code: str
    urgency: Urgency
    key: str
    arguments: dict[str, str | int]
    todo: str
    weight: int


class Told(Fact, frozen=True, tag=True, kw_only=True):
    """A message was handed over for a person, by role, or given up. Its address is not kept."""

    alert: str
    message: str
    role: str
    channel: Channel
    delivered: bool
    note: str = ""


class Acknowledged(Fact, frozen=True, tag=True, kw_only=True):
    """A person took an alert. ``how``: by an order on the station, by a reply, or by acting."""

    alert: str
    by: str
    how: str


class AlertsOver(Fact, frozen=True, tag=True, kw_only=True):
    """What these alerts were about has ended before anybody took them."""

    alerts: list[str]


class DayEnded(Fact, frozen=True, tag=True, kw_only=True):
    """A day's summary: attacks and attempts, those that asked for a person, addresses blocked, alerts unanswered."""

    since: Instant
    incidents: int
    asked: int
    blocked: int
    unanswered: int


AlertFact = AlertRaised | Told | Acknowledged | AlertsOver | DayEnded
