"""One incident as it stands, as much of it as its reader may see; its case file and attached files."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.accounts.conversation import Held
from rempart.duties.answers import Answers
from rempart.duties.document import Account
from rempart.engine.facts import MACHINE
from rempart.engine.state import Swing
from rempart.incidents.casefile import CaseFile
from rempart.incidents.incident import IncidentState, Qualification, Sentence
from rempart.instants import Instant

WITHHELD = "…"
"""Instead of what is not for whoever reads."""

_HARMLESS = frozenset({"count", "actors"})
"""Arguments of an incident's sentences that name nobody and nothing."""


class IncidentAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Everything about one incident, as far as whoever holds the session may see it. No session: the plain story."""

    incident: Annotated[str, Meta(max_length=120)]
    session: Held = ""


class FileAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The bytes of a file that is attached to an incident."""

    incident: Annotated[str, Meta(max_length=120)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
    session: Held = ""


class AccountAsked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What the journal tells of one incident, entry by entry: what its papers are made of."""

    incident: Annotated[str, Meta(max_length=120)]
    session: Held = ""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A measure the policy asks for and a person must approve."""

    id: str
    incident: str
    action: str
    """watch, block, isolate or contain."""
    target: str


class UnmaskingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked about the masks of one incident: by whom, for which purpose, and how far it is."""

    by: str
    purpose: str
    asked: Instant
    agreeable_until: Instant
    """Until when a second person may agree."""
    readable_until: Instant | None
    """Until when the names may be read; None: nobody has agreed."""


class IncidentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as it stands."""

    id: str
    state: IncidentState
    level: int
    kinds: list[str]
    opened: Instant
    last_seen: Instant
    findings: int
    actors: list[str]
    accounts: list[str]
    assets: list[str]
    summary: Sentence
    story: list[tuple[Instant, Sentence]]
    qualification: Qualification
    persons_touched: int | None = None
    proposals: list[Proposal] = []
    assigned: str = ""
    """Id of the person who looks after it; empty: nobody in particular."""
    unmasking: UnmaskingStatus | None = None
    """That somebody asked who stands behind its masks; None: nobody lately."""

    def nameless(self, called: Mapping[str, str]) -> "IncidentStatus":
        """For those who do not check on things: no name of a person, no address, no count of persons, no detail.

        ``called``: the names that anybody in the house may read, by id and address (`Site.called`).
        """
        return msgspec.structs.replace(
            self,
            persons_touched=None,
            accounts=[],
            actors=[],
            assets=list(dict.fromkeys(called[each] for each in self.assets if each in called)),
            assigned="",
            proposals=[],
            unmasking=None,
            summary=_unnamed(self.summary, called),
            story=[(at, _unnamed(sentence, called)) for at, sentence in self.story],
        )


def machine_only(by: str) -> str:
    """The station's own name stays; a person's does not."""
    return by if by == MACHINE else ""


def house_name(target: str, called: Mapping[str, str]) -> str:
    """What a target is called in the house; withheld when it is a stranger's address, or has no name there."""
    return target and called.get(target, WITHHELD)


def _unnamed(sentence: Sentence, called: Mapping[str, str]) -> Sentence:
    """The sentence with the names of the house only; an argument that nobody has thought of is withheld."""

    def told(name: str, value: object) -> object:
        if name in _HARMLESS:
            return value
        if name == "by":
            return machine_only(str(value))
        return ", ".join(dict.fromkeys(house_name(each, called) for each in str(value).split(", ")))

    return Sentence(sentence.key, {name: told(name, value) for name, value in sentence.arguments.items()})


class IncidentFile(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One incident with its case file. What the visitor may not see is not in it."""

    incident: IncidentStatus
    case: CaseFile
    swings: list[Swing]
    """How doors came to stand otherwise since an hour before it began, oldest first."""
    now: Instant
    answers: Answers | None = None
    """What was answered and sent about legal duties; None: not for this visitor."""
    staff: dict[str, str] = {}
    """Who may look after it: account to name. Empty: the visitor may not assign it."""
    may: list[str] = []
    """Kinds of the orders that the visitor may give about it."""


class AccountTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What the journal tells of one incident, workers' accounts behind masks."""

    account: Account


class FileTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """An attached file: bytes that nobody here has looked at."""

    name: str
    sha256: str
    content: bytes
