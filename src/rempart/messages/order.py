"""A person's order: given, tried out, confirmed; carried out or refused."""

from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.accounts.conversation import Held, PasskeyAnswer
from rempart.engine.orders import AnyOrder
from rempart.incidents.casefile import MOST_FILE_BYTES
from rempart.instants import Instant
from rempart.phrase import Phrase
from rempart.site.opening import OpeningState


class Ordered(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A person's order. From the console it comes with their session and, where needed, their passkey's answer."""

    order: AnyOrder
    session: Held = ""
    answer: PasskeyAnswer | None = None
    content: Annotated[bytes, Meta(max_length=MOST_FILE_BYTES)] = b""
    """The bytes of the file that the order attaches."""


class SimulationAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What would this order do? Nothing is done, sealed or remembered. From the console it comes with a session."""

    order: AnyOrder
    session: Held = ""


class ChallengeAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Give me the question with which this person's passkey confirms exactly this order."""

    order: AnyOrder
    session: Held


class OrderDone(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The order was carried out and read back."""

    received: Instant
    sealed: int | None
    """Number of the journal entry; None while it is to be sealed late."""
    enforced: Instant | None
    """When the kernel had acknowledged; None when nothing was to be enforced."""
    done: Instant
    """When all of it was: acknowledged, and sealed or no longer waited for."""
    late: bool = False
    note: str = ""
    handed: str = ""
    """A secret that the order made (a link's, a token, a code), told this once."""
    console: str = ""
    """Where the console's pages are, for a secret that is used there."""


class DoorForeseen(msgspec.Struct, frozen=True, kw_only=True):
    """A door that would stand otherwise than now. ``until`` and ``then``: what it falls to by itself, and when."""

    opening: str
    now: OpeningState
    would: OpeningState
    until: Instant | None
    then: OpeningState | None


class Foreseen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What an order would do. ``refused`` empty: it would be carried out."""

    refused: str
    instead: str
    said: Phrase | None = None
    """The refusal as a phrase."""
    facts: list[str]
    """Kinds of the facts that would be sealed, in order."""
    doors: list[DoorForeseen]
    loosens: bool
    """It would let something through: it waits for its seal."""


class OrderRejected(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The order was understood and refused, or failed; nothing was loosened."""

    what: str
    now: str = ""
    said: Phrase | None = None
    """Why, as a phrase that has words in every language; ``what`` and ``now`` are its English."""
