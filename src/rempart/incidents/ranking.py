"""Which incidents ask for a person, and in which order: so that few things ask, and the gravest first.

Most of what is found leads nowhere: doors looked for, passwords tried in vain. It is counted, told once a day, and
asks for nobody. What shows success, or a machine inside that misbehaves, asks at once.
"""

from enum import IntEnum

from rempart.detection.finding import Kind, Level
from rempart.incidents.incident import Incident, IncidentState


class Concern(IntEnum):
    """Whether an incident asks for a person."""

    COUNTED = 0
    """It is part of the day's summary."""
    TODAY = 1
    """Somebody should look at it today; nobody is woken."""
    NOW = 2
    """Somebody is woken."""


GRAVEST = (
    Kind.RECORDS,
    Kind.EXFILTRATION,
    Kind.COMMAND,
    Kind.INTRUSION,
    Kind.GUESSING,
    Kind.DEVICE,
    Kind.OTHER,
    Kind.PROBE,
    Kind.SCAN,
    Kind.SIGN_IN,
)
"""Kinds of findings, the one that says most about harm first."""

_HARM = frozenset({Kind.RECORDS, Kind.EXFILTRATION, Kind.COMMAND, Kind.INTRUSION})
_ATTEMPTS = frozenset({Kind.SCAN, Kind.PROBE, Kind.GUESSING, Kind.SIGN_IN})


def concern(incident: Incident) -> Concern:
    """Whether an incident asks for a person now, today, or not."""
    if incident.state is IncidentState.CLOSED or incident.level < Level.MEDIUM:
        return Concern.COUNTED
    if incident.level is Level.CRITICAL or (incident.level is Level.HIGH and incident.kinds & _HARM):
        return Concern.NOW
    if incident.kinds & {Kind.GUESSING, Kind.PROBE} and incident.accounts:
        return Concern.NOW  # the account of an incident is one whose sign-in succeeded
    if incident.level is Level.HIGH and not incident.kinds <= _ATTEMPTS:
        return Concern.TODAY
    return Concern.TODAY if Kind.DEVICE in incident.kinds else Concern.COUNTED


def gravest(incident: Incident) -> Kind:
    """The kind that says most about an incident."""
    return next((kind for kind in GRAVEST if kind in incident.kinds), Kind.OTHER)


def weight(incident: Incident) -> int:
    """How much an incident weighs beside others, from 0: concern before kind before level."""
    kind = len(GRAVEST) - 1 - GRAVEST.index(gravest(incident))
    return concern(incident) * 100 + kind * 10 + incident.level
