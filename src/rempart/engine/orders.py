"""What a person may ask of the station. Each order is one small type; the guard checks who may give it."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.site.opening import OpeningState

Text = Annotated[str, Meta(max_length=400)]
Name = Annotated[str, Meta(max_length=120)]


class GateAnswer(StrEnum):
    """The three answers to a gate. "Don't know" never passes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Order(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The base of all orders. ``by`` is the person who gives it, ``reason`` in their own words."""

    by: Name
    reason: Text = ""


class Contain(Order, frozen=True, tag=True, kw_only=True):
    """Cut the site off: openings close, lifelines become filtered, the public sees maintenance pages."""


class CloseLifeline(Order, frozen=True, tag=True, kw_only=True):
    """Close a lifeline too. Needs the confirmation that its fallback works."""

    opening: Name
    fallback_confirmed: bool


class SetOpening(Order, frozen=True, tag=True, kw_only=True):
    """Close or filter one opening by itself (the GP portal alone), or put it back as it normally is."""

    opening: Name
    state: OpeningState


class Block(Order, frozen=True, tag=True, kw_only=True):
    """Block an address or network outside. ``seconds`` None: until lifted."""

    target: Name
    seconds: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None


class Unblock(Order, frozen=True, tag=True, kw_only=True):
    """Lift a block."""

    target: Name


class Isolate(Order, frozen=True, tag=True, kw_only=True):
    """Isolate a machine inside: it reaches nothing but what safeguards allow."""

    asset: Name
    seconds: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None


class Release(Order, frozen=True, tag=True, kw_only=True):
    """End the isolation of a machine."""

    asset: Name


class AnswerGate(Order, frozen=True, tag=True, kw_only=True):
    """Answer one gate of one opening, with the proof."""

    opening: Name
    gate: Name
    answer: GateAnswer
    proof: Text


class Reopen(Order, frozen=True, tag=True, kw_only=True):
    """Put an opening whose gates have passed on trial, as ``state``, for ``seconds``; it then closes by itself."""

    opening: Name
    state: OpeningState
    seconds: Annotated[int, Meta(ge=1, le=1_209_600)]
    override: bool = False
    """Reopen although a gate has not passed (vital care). Needs a reason; sealed as an override."""


class ConfirmTrial(Order, frozen=True, tag=True, kw_only=True):
    """The trial went well: the opening stays in its trial state."""

    opening: Name


class Normalise(Order, frozen=True, tag=True, kw_only=True):
    """End containment: every opening is stable; the site goes back to its normal openings."""


class QualifyIncident(Order, frozen=True, tag=True, kw_only=True):
    """Say what an incident is thought to be; earlier words are kept."""

    incident: Name
    author: Text = "unknown"
    intent: Text = "unknown"
    ransom: Text = "unknown"
    outcome: Text = "unknown"


class ApproveMeasure(Order, frozen=True, tag=True, kw_only=True):
    """Agree to what the policy proposes for an incident."""

    proposal: Name


AnyOrder = (
    Contain
    | CloseLifeline
    | SetOpening
    | Block
    | Unblock
    | Isolate
    | Release
    | AnswerGate
    | Reopen
    | ConfirmTrial
    | Normalise
    | QualifyIncident
    | ApproveMeasure
)
