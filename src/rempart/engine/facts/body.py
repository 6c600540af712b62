"""Facts as bodies of journal entries, and back."""

import msgspec

from rempart.engine.facts.alerts import AlertFact
from rempart.engine.facts.care import CareFact
from rempart.engine.facts.casework import CaseworkFact
from rempart.engine.facts.credentials import CredentialFact
from rempart.engine.facts.cut import CutFact
from rempart.engine.facts.doors import DoorFact
from rempart.engine.facts.duties import DutyFact
from rempart.engine.facts.handwork import TickedByHand
from rempart.engine.facts.incidents import IncidentFact
from rempart.engine.facts.listening import ListeningFact
from rempart.engine.facts.measures import MeasureFact
from rempart.engine.facts.people import PeopleFact
from rempart.engine.facts.reopening import ReopeningFact
from rempart.engine.facts.station import StationFact
from rempart.engine.facts.taming import TamingFact
from rempart.engine.facts.timekeeping import TimekeepingFact
from rempart.engine.facts.unmasking import UnmaskingFact

AnyFact = (
    AlertFact
    | CareFact
    | CaseworkFact
    | CredentialFact
    | CutFact
    | DoorFact
    | DutyFact
    | TickedByHand
    | IncidentFact
    | ListeningFact
    | MeasureFact
    | PeopleFact
    | ReopeningFact
    | StationFact
    | TamingFact
    | TimekeepingFact
    | UnmaskingFact
)

FACTS = frozenset(kind.__name__ for kind in AnyFact.__args__)
"""The kinds of journal entries that are facts; the others are the journal's own."""


class _Held(msgspec.Struct):
    """What `read` asks msgspec for: a union by itself is understood anew at each call, a hundred times slower."""

    fact: AnyFact


def kind_of(fact: AnyFact) -> str:
    """The journal entry's kind."""
    return type(fact).__name__


def body_of(fact: AnyFact) -> dict[str, object]:
    """The fact as a plain body for the journal: text, whole numbers, booleans, null, lists and maps."""
    built = msgspec.to_builtins(fact)
    assert isinstance(built, dict)
    return built


def read(body: object) -> AnyFact:
    """A fact from a journal body. Raises `msgspec.ValidationError` when it is none."""
    return msgspec.convert({"fact": body}, _Held).fact
