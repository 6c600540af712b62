"""The steps of the first hour and what was answered to each. A step that was left is None and is asked again."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from rempart.instants import Instant
from rempart.site.language import Language
from rempart.site.placement import Placement


class Step(StrEnum):
    """What is asked and done, in this order; each may be left and changed later."""

    LANGUAGE = "language"
    INSTITUTION = "institution"
    NETWORK = "network"
    DEVICES = "devices"
    LIFELINES = "lifelines"
    OPENINGS = "openings"
    OUTSIDE = "outside"
    PEOPLE = "people"
    SOURCE = "source"
    START = "start"
    TEST = "test"
    PAPERS = "papers"


DESCRIBING = tuple(Step)[: tuple(Step).index(Step.START)]
"""The steps whose answers make ``site.toml``. The others are done, not answered."""


class Institution(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is."""

    template: str
    name: str
    phone: str = ""
    """The number that the public is told; empty: not known yet."""
    records: int = 0
    """Persons in the files; 0: as the template supposes."""


class ZonePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a zone of the template is. Zones on one interface are one zone."""

    zone: str
    interface: str
    networks: tuple[str, ...]


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """Where the box stands, and which side is which. Zones that are not named are not there."""

    placement: Placement = Placement.GATEWAY
    uplink: str
    uplink_addresses: tuple[str, ...]
    zones: tuple[ZonePlace, ...]
    towards_house: str = ""
    """An address of the box in one of the zones, where the staff page is; empty: it was found to have none."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine inside that has a name."""

    address: str
    name: str
    kind: str
    mac: str = ""


class Machines(msgspec.Struct, frozen=True, kw_only=True):
    """The machines inside."""

    named: tuple[Machine, ...] = ()
    known: tuple[str, ...] = ()
    """Hardware addresses that are no news."""


class Lifelines(msgspec.Struct, frozen=True, kw_only=True):
    """What is never cut: the openings that residents' safety hangs on, and the operators' own way in."""

    openings: tuple[str, ...]
    interface: str
    networks: tuple[str, ...]
    port: int = 22


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """An opening that the house has. Empty: as the template supposes, or not known yet."""

    opening: str
    hosts: tuple[str, ...] = ()
    phone: str = ""
    name: str = ""
    """Of a service of the house: what visitors ask for."""
    server: str = ""
    """Of a service of the house: the address inside that serves it."""


class Doors(msgspec.Struct, frozen=True, kw_only=True):
    """The openings that the house has; the template's others are left out."""

    kept: tuple[Door, ...]


class Beyond(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the cut does not reach."""

    name: str
    action: str
    phone: str = ""


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """All that lies outside the wall, and where the box only watches, how the wall itself is shut."""

    named: tuple[Beyond, ...]
    cut: tuple[str, ...] = ()
    """Steps at the firewall or the switch, in order."""


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to call."""

    role: str
    name: str
    phone: str = ""


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call, and who has the first account."""

    contacts: tuple[Called, ...]
    account: str
    full_name: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The first log that is followed."""

    path: str
    decoder: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen to work, and when."""

    written: Instant | None = None
    """site.toml was written from these answers."""
    account: Instant | None = None
    """The first account exists; its link was handed out."""
    line: Instant | None = None
    """A line of the first source could be read and decoded."""
    attack: Instant | None = None
    """The test attack came back as a finding."""
    papers: Instant | None = None
    """The notices and the draft assessment were made."""


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was answered and done so far."""

    began: Instant | None = None
    language: Language | None = None
    institution: Institution | None = None
    network: Network | None = None
    devices: Machines | None = None
    lifelines: Lifelines | None = None
    openings: Doors | None = None
    outside: Outside | None = None
    people: People | None = None
    source: Source | None = None
    proof: Proof = Proof()

    @property
    def observes(self) -> bool:
        """Whether the box is to stand beside the path."""
        return self.network is not None and self.network.placement is Placement.OBSERVER

    def done(self, step: Step) -> bool:
        """Whether a step is behind us."""
        match step:
            case Step.START:
                return self.proof.written is not None and self.proof.account is not None
            case Step.TEST:
                return self.proof.attack is not None
            case Step.PAPERS:
                return self.proof.papers is not None
            case _:
                return getattr(self, step.value) is not None


def to_do(answers: Answers) -> Iterator[Step]:
    """The steps that are still to be made, in order."""
    return (step for step in Step if not answers.done(step))


def reachable(answers: Answers, step: Step) -> bool:
    """Whether a step can be made now: what it is asked about must be known."""
    if step is Step.LANGUAGE:
        return True
    if step is Step.INSTITUTION:
        return answers.language is not None
    if step in (Step.NETWORK, Step.OUTSIDE, Step.PEOPLE, Step.SOURCE):
        return answers.institution is not None
    if step in DESCRIBING:
        return answers.network is not None
    if step is Step.START:
        return all(answers.done(each) for each in DESCRIBING)
    return answers.proof.written is not None


def next_step(answers: Answers) -> Step | None:
    """What comes next; None when nothing is left."""
    return next((step for step in to_do(answers) if reachable(answers, step)), None)


def step_after(answers: Answers, step: Step) -> Step | None:
    """What comes after a step that was made or passed over: a later one, else the first that was left behind."""
    others = [each for each in to_do(answers) if reachable(answers, each) and each is not step]
    order = [*Step]
    return next((each for each in others if order.index(each) > order.index(step)), next(iter(others), None))
