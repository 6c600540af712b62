"""The day's summary: what came, what led nowhere, what asked for somebody."""

from dataclasses import dataclass

from rempart.incidents.incident import Sentence
from rempart.instants import Duration, Instant, after, hours
from rempart.site.belgian_time import comes
from rempart.site.telling import Telling
from rempart.telling.alert import Urgency
from rempart.telling.message import Message, MessageKind

_STILL_NEWS: Duration = hours(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What was counted since the last summary. Counts only: no person, no address."""

    since: Instant
    incidents: int = 0
    """Attacks and attempts that began."""
    asked: int = 0
    """Those for which a person was asked."""
    blocked: int = 0
    """Addresses that the station blocked by itself."""
    unanswered: int = 0
    """Alerts that nobody had taken at its end."""

    @property
    def led_nowhere(self) -> int:
        """Those that asked for nobody: as far as the logs show, nothing came of them."""
        return max(0, self.incidents - self.asked)


NOTHING = Day(since=Instant(0))
"""Before anything was counted."""


def ends(day: Day, digest_at: int) -> Instant:
    """The first moment after its beginning at which it is ``digest_at`` (minutes) on the wall; that is once a day."""
    return comes(digest_at, day.since)


def sentences(day: Day) -> tuple[Sentence, ...]:
    """The summary, sentence by sentence; the first says whether there is something to do."""
    first = "digest.nothing-to-do" if not day.unanswered else "digest.to-do"
    further = (("digest.asked", day.asked), ("digest.blocked", day.blocked))
    return (
        Sentence(first, {"count": day.unanswered}),
        Sentence("digest.led-nowhere", {"count": day.led_nowhere}),
        *(Sentence(key, {"count": count}) for key, count in further if count),
    )


def due(telling: Telling, day: Day, sent: Instant, now: Instant) -> tuple[Message, ...]:
    """The summary of a day that ended at ``sent``, to all who want it."""
    if sent + _STILL_NEWS < now:
        return ()
    return tuple(
        Message(
            id=f"digest.{sent}.{recipient.role}.{channel.value}",
            kind=MessageKind.DIGEST,
            alert="digest",
            role=recipient.role,
            channel=channel,
            urgency=Urgency.CAN_WAIT,
            code="",
            about=Sentence(
                "digest",
                {
                    "incidents": day.incidents,
                    "asked": day.asked,
                    "blocked": day.blocked,
                    "unanswered": day.unanswered,
                },
            ),
            todo="",
            raised=sent,
            until=after(sent, _STILL_NEWS),
        )
        for recipient in telling.recipients
        if recipient.digest
        for channel in recipient.gentle
    )
