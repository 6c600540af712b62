"""Console or command line and guard: all that may be asked there, and all that may be answered."""

from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.accounts.conversation import FromVisitor, NamesAsked, PeopleAsked, ToVisitor
from rempart.engine.why import Reason
from rempart.messages.incident import (
    AccountAsked,
    AccountTold,
    FileAsked,
    FileTold,
    IncidentAsked,
    IncidentFile,
)
from rempart.messages.order import (
    ChallengeAsked,
    Foreseen,
    OrderDone,
    Ordered,
    OrderRejected,
    SimulationAsked,
)
from rempart.messages.status import Status, StatusAsked, StatusFollowed


class WhyAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What stops packets of this address?"""

    address: Annotated[str, Meta(max_length=60)]


class Why(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Everything that may stop packets of the address asked about; the most there is room for."""

    reasons: list[Reason]


_AboutIncidents = IncidentAsked | FileAsked | AccountAsked
FromOperator = (
    Ordered
    | SimulationAsked
    | StatusAsked
    | StatusFollowed
    | PeopleAsked
    | NamesAsked
    | WhyAsked
    | _AboutIncidents
)
FromConsole = (
    Ordered
    | SimulationAsked
    | ChallengeAsked
    | StatusAsked
    | StatusFollowed
    | NamesAsked
    | _AboutIncidents
    | FromVisitor
)

ToOperator = (
    OrderDone | Foreseen | OrderRejected | Status | Why | IncidentFile | FileTold | AccountTold | ToVisitor
)
