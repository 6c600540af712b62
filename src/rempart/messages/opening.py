"""One opening as it stands, and where the way back stands beside the openings."""

import msgspec

from rempart.instants import Instant
from rempart.phrase import Phrase
from rempart.site.opening import OpeningState


class GateStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a person last said of a gate: yes, no, unknown or never-found, with the proof."""

    gate: str
    answer: str
    proof: str
    by: str
    at: Instant


class CheckStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine found of a gate: yes, no or unknown."""

    gate: str
    verdict: str
    detail: Phrase


class OpeningStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One door as it stands."""

    id: str
    name: str
    state: OpeningState
    lifeline: bool
    direction: str
    care: int
    zones: list[str]
    fallback: str
    fallback_phone: str | None = None
    trial_until: Instant | None = None
    waits: bool = False
    """Then it goes back to what it was, unless somebody confirms the change: it is no trial."""
    visitor: str = ""
    """Who is let in until then; empty when it is a trial."""
    visitor_from: str = ""
    visitor_to: list[str] = []
    """The machines inside that the visit reaches; empty: all that the opening leads to."""
    visitor_certificate: str = ""
    """SHA-256 of the client certificate that the visit must show; empty: any."""
    traffic: int | None = None
    """How much passed in the last minute, in steps from 0, nothing, to 3, much; None: not known."""
    since: Instant | None = None
    gates_passed: list[str] = []
    gates_missing: list[str] = []
    verified: Instant | None = None
    """When the kernel was last read back and agreed."""
    stage: int = 0
    """Of the plan of reopening, from 1; 0: it is not waited for (a lifeline, or normally closed)."""
    profile: str = ""
    obstacles: list[Phrase] = []
    """What stands against a trial now; empty while the site is not contained."""
    checks: list[CheckStatus] = []
    partner: str = ""
    """The other side's own condition, while it is not met."""
    answers: list[GateStatus] = []
    """What people said of its gates, in the gates' order."""


class CoreStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A machine of the trusted core (stage 0), and whether it was checked since the attack began."""

    id: str
    name: str
    proven: bool


class OverrideStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A trial without a second approver, and by when one must confirm it."""

    opening: str
    by: str
    due: Instant
    reason: str


class ReopeningStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where the way back stands beside the openings themselves."""

    core: list[CoreStatus] = []
    overrides: list[OverrideStatus] = []
