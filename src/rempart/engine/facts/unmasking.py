"""Facts about unmasking: asked for a stated purpose, agreed to by a second person, and each time names were read."""

from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class UnmaskingAsked(Fact, frozen=True, tag=True, kw_only=True):
    """The privacy officer asked to know who stands behind the masks of an incident, for this purpose."""

    incident: str
    by: str
    purpose: str
    length: int


class Unmasked(Fact, frozen=True, tag=True, kw_only=True):
    """A second person agreed: until then the names may be read by those whose role allows it."""

    incident: str
    by: str
    asked_by: str
    purpose: str
    until: Instant


class NamesRead(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody read who stands behind the masks of an incident. ``by`` empty: on the box itself."""

    incident: str
    by: str


UnmaskingFact = UnmaskingAsked | Unmasked | NamesRead
