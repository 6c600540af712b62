"""Facts about the way back: gates, trials, relapses, and the dossier beside them."""

from msgspec import field

from rempart.engine.facts.fact import Fact
from rempart.engine.orders import GateAnswer
from rempart.instants import Instant
from rempart.reopening.dossier import ProofKind
from rempart.site.opening import OpeningState


class GateAnswered(Fact, frozen=True, tag=True, kw_only=True):
    """A person answered one gate of one opening."""

    opening: str
    gate: str
    answer: GateAnswer
    proof: str
    by: str


class TrialStarted(Fact, frozen=True, tag=True, kw_only=True):
    """An opening is on trial until then and falls back by itself. ``overridden`` names gates that had not passed."""

    opening: str
    state: OpeningState
    until: Instant
    then: OpeningState
    by: str
    reason: str
    overridden: list[str] = field(default_factory=list)
    profile: str = "full"
    checked: list[str] = field(default_factory=list)
    """What the machine found of the gates, yes or no."""
    confirm_by: Instant | None = None
    """No second person agreed: one must confirm the override until then."""


class TrialConfirmed(Fact, frozen=True, tag=True, kw_only=True):
    """A person found the trial good: the opening keeps its trial state."""

    opening: str
    by: str


class TrialEnded(Fact, frozen=True, tag=True, kw_only=True):
    """A trial's time ran out without confirmation; the kernel had let it fall already."""

    opening: str


class OpeningReclosed(Fact, frozen=True, tag=True, kw_only=True):
    """A relapse: the opening fell back at once because of this finding."""

    opening: str
    state: OpeningState
    incident: str
    finding: str
    rule: str
    title: str


class StageSet(Fact, frozen=True, tag=True, kw_only=True):
    """A person moved an opening to another stage of the plan."""

    opening: str
    stage: int
    by: str
    reason: str


class PartnerNoted(Fact, frozen=True, tag=True, kw_only=True):
    """What the other side asks before it lets us in again, and whether it is met."""

    opening: str
    condition: str
    met: bool
    by: str


class ProofGiven(Fact, frozen=True, tag=True, kw_only=True):
    """Secrets were renewed, a machine was checked, or a backup was restored in a test, on a date."""

    proves: ProofKind
    subject: str
    on: Instant
    proof: str
    by: str


class OverrideConfirmed(Fact, frozen=True, tag=True, kw_only=True):
    """A second person agreed afterwards to a trial that was started without one."""

    opening: str
    by: str


DossierFact = StageSet | PartnerNoted | ProofGiven | OverrideConfirmed

ReopeningFact = GateAnswered | TrialStarted | TrialConfirmed | TrialEnded | OpeningReclosed | DossierFact
