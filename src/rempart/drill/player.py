"""Plays a scenario: each moment's inputs through the engine, its deadlines in between, and what the world then holds.

The clock is the scenario's. Enforcing is left to a `ports.Enforcer`; sealing is remembered, so that a power cut can be
played too: the state is then folded again from what was sealed, and must be the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rempart.containment.measure import disagreements
from rempart.detection.finding import Finding
from rempart.engine.facts import AnyFact, LifelineClosed, body_of, read
from rempart.engine.fold.fitted import fitted
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import (
    AnyInput,
    Enforce,
    Found,
    Ordered,
    Probed,
    Refuse,
    Seal,
    Started,
    Ticked,
    WakeAt,
)
from rempart.engine.orders import AnyOrder
from rempart.engine.state import State, enforcement, initial
from rempart.engine.step import Terms, step
from rempart.instants import Instant
from rempart.ports import Enforcer
from rempart.site.opening import OpeningState


@dataclass(frozen=True, slots=True)
class ProbeReply:
    """What a probe got."""

    probe: str
    answered: bool
    detail: str


@dataclass(frozen=True, slots=True)
class PowerCut:
    """Everything stops, and starts again from the journal."""


Deed = AnyOrder | Finding | ProbeReply | PowerCut


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment of the story. ``source`` names who reported it; empty: the drill's own invention, and told so."""

    at: Instant
    who: str
    told: str
    source: str = ""
    deeds: tuple[Deed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A moment as it went. ``moment`` None: a deadline of the station's own."""

    at: Instant
    moment: Moment | None
    facts: tuple[AnyFact, ...]
    refused: tuple[str, ...]
    doors: dict[OpeningState, int]
    posture: str
    faults: tuple[str, ...]
    """What the world held otherwise than wanted, or a law that was broken; empty when all is well."""


@dataclass(slots=True)
class Player:
    """The engine, its world and its journal, all in memory."""

    terms: Terms
    enforcer: Enforcer
    state: State = field(init=False)
    journal: list[AnyFact] = field(default_factory=list)
    due: Instant | None = None

    def __post_init__(self) -> None:
        self.state = initial(self.terms.site)

    def play(self, moments: Iterable[Moment]) -> Iterator[Scene]:
        """Each moment in its turn, and before it what falls due by itself."""
        begun = False
        for moment in moments:
            if not begun:
                yield self._scene(moment.at, None, (Started(moment.at),))
                begun = True
            yield from self._deadlines(moment.at)
            yield self._moment(moment)

    def _deadlines(self, until: Instant) -> Iterator[Scene]:
        while self.due is not None and self.due <= until:
            at, self.due = self.due, None
            scene = self._scene(at, None, (Ticked(at),))
            if scene.facts:
                yield scene

    def _moment(self, moment: Moment) -> Scene:
        inputs: list[AnyInput] = []
        faults: tuple[str, ...] = ()
        for deed in moment.deeds:
            match deed:
                case Finding():
                    inputs.append(Found(moment.at, deed))
                case ProbeReply():
                    inputs.append(Probed(moment.at, deed.probe, deed.answered, deed.detail, asked=moment.at))
                case PowerCut():
                    faults = self._recall()
                    inputs.append(Started(moment.at))
                case _:
                    inputs.append(Ordered(moment.at, deed))
        return self._scene(moment.at, moment, tuple(inputs), faults)

    def _scene(
        self, at: Instant, moment: Moment | None, inputs: tuple[AnyInput, ...], faults: tuple[str, ...] = ()
    ) -> Scene:
        sealed: list[AnyFact] = []
        refused: list[str] = []
        for happened in inputs:
            self.state, commands = step(self.terms, self.state, happened)
            for command in commands:
                match command:
                    case Seal(facts=decided):
                        sealed += decided
                    case Enforce(wanted=wanted):
                        self.enforcer.enforce(wanted, at)
                    case Refuse(said=said):
                        refused.append(said.text)
                    case WakeAt(at=due):
                        self.due = due
                    case _:
                        pass  # nobody is told and nothing is counted: there is no one out there
        self.journal += sealed
        stands = [door.stand.state for door in self.state.doors.values()]
        return Scene(
            at=at,
            moment=moment,
            facts=tuple(sealed),
            refused=tuple(refused),
            doors={state: stands.count(state) for state in OpeningState},
            posture=self.state.posture.value,
            faults=(*faults, *self._wrong(at)),
        )

    def _wrong(self, at: Instant) -> Iterator[str]:
        yield from disagreements(enforcement(self.state), self.enforcer.read(at), at)
        closed_by_name = {fact.opening for fact in self.journal if isinstance(fact, LifelineClosed)}
        for lifeline in self.terms.site.lifelines():
            stand = self.state.doors[lifeline.id].stand
            if stand.state is OpeningState.CLOSED and lifeline.id not in closed_by_name:
                yield f"the lifeline {lifeline.id} is closed and nobody closed it"

    def _recall(self) -> tuple[str, ...]:
        """Forget everything and fold the journal again."""
        site = self.terms.site
        again = fitted(folded(initial(site), site, (read(body_of(fact)) for fact in self.journal)), site)
        lost = () if again == self.state else ("the journal folds to another state than was lived",)
        self.state = again
        return lost
