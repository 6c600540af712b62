"""Who is to be told of an alert by now: the contacts in their order, until one of them answers.

A function of the alert and the time, so that a restart, a lost message or a clock that jumps changes nothing: what is
due and was not told yet is due still.
"""

from collections.abc import Iterator

from rempart.instants import Duration, Instant, after, hours, minutes
from rempart.site.belgian_time import first
from rempart.site.telling import Channel, QuietHours, Recipient, Telling
from rempart.telling.alert import TEST, Alert, AlertState, Urgency
from rempart.telling.message import Message, MessageKind

AGAIN: Duration = minutes(30)
"""After this long without an answer everybody is told once more."""

ROUNDS = 4
"""How often everybody is told of one alert that cannot wait."""

_ROUNDS = {Urgency.CAN_WAIT: 1, Urgency.NOW: ROUNDS}

LASTS = {Urgency.CAN_WAIT: hours(24), Urgency.NOW: hours(6)}
"""How long a message is tried to be sent before it is given up."""

_RELIEF: Duration = hours(1)
"""How long after somebody took it the others are still told so."""


def due(telling: Telling, alert: Alert, now: Instant) -> tuple[Message, ...]:
    """Every message about the alert whose time has come, told or not, the earliest first."""
    match alert.state:
        case AlertState.WAITING:
            return tuple(message for at, message in sorted(_plan(telling, alert), key=_first) if at <= now)
        case AlertState.TAKEN if alert.urgency is Urgency.NOW and alert.id != TEST:
            return tuple(_relief(telling, alert, now))
        case _:
            return ()


def owed(telling: Telling, alert: Alert, now: Instant) -> tuple[Message, ...]:
    """What is due and of which it is not known that it was handed over or given up."""
    settled = {delivery.message for delivery in alert.told}
    return tuple(m for m in due(telling, alert, now) if m.id not in settled and m.until > now)


def next_due(telling: Telling, alert: Alert, now: Instant) -> Instant | None:
    """When somebody is to be told next; None: nobody any more."""
    if not alert.waits:
        return None
    return min((at for at, _ in _plan(telling, alert) if at > now), default=None)


def _first(planned: tuple[Instant, Message]) -> tuple[Instant, str]:
    return planned[0], planned[1].id


def _plan(telling: Telling, alert: Alert) -> Iterator[tuple[Instant, Message]]:
    trial = alert.id == TEST
    rings = trial or alert.urgency is Urgency.NOW
    for turn in range(1 if trial else _ROUNDS[alert.urgency]):
        kind = MessageKind.TEST if trial else MessageKind.AGAIN if turn else MessageKind.ALERT
        for recipient in telling.recipients:
            wait = Duration(0) if trial else Duration(turn * AGAIN + minutes(recipient.after))
            at = after(alert.raised, wait)
            at = at if rings else _awake(recipient.quiet, at)
            for channel in recipient.channels if rings else recipient.gentle:
                yield at, _message(alert, kind, turn, recipient, channel, at)


def _awake(quiet: QuietHours | None, at: Instant) -> Instant:
    """The instant, or the end of the quiet hours in which it lies."""
    if quiet is None:
        return at
    return first(lambda wall: not quiet.covers(wall.hour * 60 + wall.minute), quiet.end, at) or at


def _relief(telling: Telling, alert: Alert, now: Instant) -> Iterator[Message]:
    """Whoever was reached hears that somebody has taken it, unless it is long ago."""
    if alert.taken is None or now - alert.taken > _RELIEF:
        return
    known = {recipient.role: recipient for recipient in telling.recipients}
    reached = {(d.role, d.channel) for d in alert.told if d.delivered and d.role != alert.taken_by}
    for role, channel in sorted(reached):
        if role in known and channel in known[role].channels:
            yield _message(alert, MessageKind.TAKEN, 0, known[role], channel, alert.taken)


def _message(
    alert: Alert, kind: MessageKind, turn: int, recipient: Recipient, channel: Channel, at: Instant
) -> Message:
    part = kind.value if kind is MessageKind.TAKEN else str(turn)
    return Message(
        id=f"{alert.id}.{alert.raised}.{part}.{recipient.role}.{channel.value}",
        kind=kind,
        alert=alert.id,
        role=recipient.role,
        channel=channel,
        urgency=alert.urgency,
        code=alert.code,
        about=alert.about,
        todo=alert.todo,
        raised=alert.raised,
        until=after(at, _RELIEF if kind is MessageKind.TAKEN else LASTS[alert.urgency]),
    )
