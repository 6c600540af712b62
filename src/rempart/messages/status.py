"""The status: everything a page or a terminal shows, published by the guard at each change."""

import msgspec

from rempart.engine.state import Posture
from rempart.incidents.incident import Sentence
from rempart.instants import Instant
from rempart.messages.by_hand import HandworkStatus
from rempart.messages.care import CareStatus
from rempart.messages.incident import IncidentStatus
from rempart.messages.opening import OpeningStatus, ReopeningStatus
from rempart.messages.resolver import NamesRefused
from rempart.site.placement import Placement
from rempart.telling.alert import AlertState, Delivery, Urgency
from rempart.telling.digest import NOTHING, Day


class StatusAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send the status once."""


class StatusFollowed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send the status now and whenever it changes, until the connection ends."""


class AlertStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as it stands: what asks for a person, whether somebody was reached, whether somebody took it."""

    id: str
    code: str
    state: AlertState
    urgency: Urgency
    about: Sentence
    todo: str
    raised: Instant
    told: list[Delivery]
    owed: int
    """Messages whose time has come and whose outcome is not known yet."""
    taken: Instant | None = None
    taken_by: str = ""


class ClockStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A duty to tell somebody that a person said applies, while it is not fulfilled. For those who check on things."""

    incident: str
    duty: str
    started: Instant
    due: Instant | None
    """None: the law gives no number."""


class MeasureStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A block, an isolation or a barrier as it stands: attributable. ``action``: block, isolate or bar."""

    target: str
    action: str
    since: Instant
    until: Instant | None
    by: str
    reason: str


class Status(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Everything a page or a terminal shows; read-only, published by the guard at each change."""

    site: str
    """The site's id."""
    now: Instant
    posture: Posture
    since: Instant
    cut_until: Instant | None = None
    """When the cut ends by itself unless somebody confirms it; None: it stays, or nothing is cut."""
    openings: list[OpeningStatus]
    incidents: list[IncidentStatus]
    measures: list[MeasureStatus]
    journal_entries: int
    journal_root: str
    """Hex of the RFC 6962 root over the entries."""
    enforcement_verified: Instant | None
    """When the kernel and the proxy were last read back and agreed."""
    enforcement_fault: str = ""
    """Empty, or what does not agree, in words."""
    alerts: list[AlertStatus] = []
    """What asks for a person first, then what lately did."""
    answer_seconds: list[int] = []
    """From alert to a person acting, of the last alerts that could not wait, the oldest first."""
    day: Day = NOTHING
    """What was counted since the last summary."""
    yesterday: Day | None = None
    news_at: Instant | None = None
    """When the public was told that there will be news."""
    clocks: list[ClockStatus] = []
    """Legal clocks that run, the soonest end first."""
    measures_more: int = 0
    """Blocks that stand besides those listed."""
    placement: Placement = Placement.GATEWAY
    """As an observer the station enforces nothing, and ``enforcement_verified`` is None."""
    by_hand: HandworkStatus = HandworkStatus()
    care: CareStatus = CareStatus()
    reopening: ReopeningStatus = ReopeningStatus()
    unwatched: Instant | None = None
    """Since when watch says nothing, so that an attack would not be seen; None: it speaks."""
    names_refused: NamesRefused | None = None
    """What the resolver refused; None: the site resolves no names, or nothing was refused."""
    rebuilding: tuple[int, int] | None = None
    """How far watch is in reading again what it kept, and of how much; None: it follows the logs, or says nothing."""
    clock_leapt: Instant | None = None
    """Since when, by its own account, the clock is not believed, and nothing is erased by it; None: it is."""
    left_off: dict[str, int] = {}
    """What one frame did not take, by what it is: how many of it (`rempart.station.abridged`). Empty: nothing."""

    @property
    def unproved(self) -> bool:
        """Whether the cut, or a door, was changed after the world was last read back: that proves nothing of it.

        A change that lies ahead was made before the clock was set back, and is read back since.
        """
        doors = (opening.since for opening in self.openings if opening.since is not None)
        cut = self.posture in (Posture.CONTAINED, Posture.REOPENING)
        changed = max((*doors, *((self.since,) if cut else ())), default=None)
        read = self.enforcement_verified
        return read is None or (changed is not None and read < changed <= self.now)
