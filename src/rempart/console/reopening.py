"""The page of reopening: the ladder of stages, each door with its gates and what stands against it, and the orders."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from rempart.accounts.conversation import Visitor
from rempart.console.ladder import Drawn, Fill, Rung, Step, ladder
from rempart.console.refusal import tell
from rempart.console.when import length, moment, to_type
from rempart.console.words import SENTENCES, Words, plain
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant
from rempart.messages import (
    Foreseen,
    GateStatus,
    OpeningStatus,
    OutsideStatus,
    OverrideStatus,
    Posture,
    Status,
)
from rempart.reopening.dossier import ProofKind
from rempart.reopening.gate import Gate
from rempart.reopening.plan import LAST
from rempart.site.opening import OpeningState
from rempart.site.site import Site

_HOUR = 3600

STAGES = tuple(range(1, LAST + 1))

MINUTES = (15, 30, 60, 120, 240)
"""Minutes of a visit that the page offers."""

_OF_GATES = frozenset({"against-gate", "against-check"})
"""Obstacles that the gates themselves show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What is offered to who looks, as the guard would decide (`rempart.engine.rights`)."""

    open: bool = False
    check: bool = False
    approve: bool = False
    close: bool = False
    tick: bool = False

    @property
    def way_back(self) -> bool:
        """Whether anything is offered by which doors come to be opened."""
        return self.open or self.check or self.approve


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One gate: how far it is, who said what and when, what a machine found, and how to pass it."""

    id: str
    name: str
    fill: Fill
    said: str
    proof: str
    machine: tuple[str, ...]
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One opening."""

    id: str
    name: str
    state: str
    word: str
    gates: tuple[Told, ...]
    passed: str
    trial: str
    against: tuple[str, ...]
    """What else stands against a trial than its gates."""
    override: str
    """A trial without its second person: who, and until when it must be confirmed. Empty: none."""
    states: tuple[tuple[str, str], ...]
    """What it may be opened to, the tighter first: value and word."""
    closable: bool
    stage: int
    """Of the plan, from 1; 0: it is not waited for."""
    condition: str
    """What the other side asks, while it is not met."""
    visit: str = ""
    """Who is let in, from where, until when and to what. Empty: nobody."""
    lets_in: "Letting | None" = None
    """What is asked to let somebody in for minutes; None: it is no door for visits, or it stands open otherwise."""


class Letting(StrEnum):
    """What a visit through a door may be limited to."""

    MACHINES = "machines"
    CERTIFICATE = "certificate"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """One action outside the wall."""

    item: str
    """As it is named in site.toml, for the order."""
    name: str
    number: int
    action: str
    phone: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopeningPage:
    """The way back, as it stands."""

    lead: Annotated[str, "How things are, in a sentence."]
    drawn: Annotated[Drawn, "The ladder, to be drawn."]
    rungs: Annotated[tuple[Rung, ...], "The same as a table."]
    doors: Annotated[
        tuple[Door, ...], "Openings: those waited for by stage, then the others that are not wide open."
    ]
    outside: Annotated[tuple[Outside, ...], "What the cut does not reach, with what to do there."]
    rights: Annotated[Rights, "What is offered to who looks."]
    hours: Annotated[tuple[int, int], "The fewest and the most hours that a trial may last."]
    minutes: Annotated[tuple[int, ...], "Minutes of a visit to choose from."]
    stages: Annotated[tuple[int, ...], "Stages to choose from."]
    kinds: Annotated[tuple[tuple[str, str], ...], "What can be proven on a date: value and words."]
    subjects: Annotated[tuple[tuple[str, str], ...], "Machines that a proof may be about: id and name."]
    now: Annotated[str, "This minute, as a field for a moment has it."]
    cut: Annotated[bool, "Whether containment can be ended."]
    foreseen: Annotated[tuple[str, ...], "What the simulated order would do; empty: nothing was simulated."]
    csrf: Annotated[str, "The session's form token."]
    refusal: Annotated[str, "Why an order was not carried out, or nothing."]
    advice: Annotated[str, "What to do about it, or nothing."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "Words of this page alone."]


def rights(visitor: Visitor | None) -> Rights:
    """What the roles of whoever looks let them do; nothing for whoever came by the link."""
    held = frozenset(visitor.roles) if visitor else frozenset()
    return Rights(
        open=bool(held & takers(orders.Reopen)),
        check=bool(held & takers(orders.NoteProof)),
        approve=bool(held & takers(orders.ConfirmOverride)),
        close=bool(held & takers(orders.CloseLifeline)),
        tick=bool(held & takers(orders.TickOutside)),
    )


def reopening_page(
    site: Site,
    status: Status | None,
    visitor: Visitor | None,
    words: Words,
    now: Instant,
    csrf: str,
    *,
    foreseen: Foreseen | None = None,
    refusal: str = "",
    advice: str = "",
) -> ReopeningPage:
    """The page; ``foreseen`` is what was simulated just now."""
    rungs = tuple(_rungs(status, words, now)) if status else ()
    return ReopeningPage(
        lead=words.say(f"reopening.lead-{_situation(status)}"),
        drawn=ladder(rungs),
        rungs=rungs,
        doors=tuple(_door(site, status, each, words, now) for each in _shown(status)) if status else (),
        outside=tuple(_outside(each, words, now) for each in status.care.outside) if status else (),
        rights=rights(visitor),
        hours=(max(1, -(-site.trial.shortest // _HOUR)), site.trial.longest // _HOUR),
        minutes=MINUTES,
        stages=STAGES,
        kinds=tuple((kind.value, words.say(f"reopening.proves-{kind.value}")) for kind in ProofKind),
        subjects=tuple((asset.id, plain(asset.name)) for asset in site.assets),
        now=to_type(now),
        cut=_situation(status) == "cut",
        foreseen=tuple(_foresight(site, foreseen, status, words, now)) if foreseen else (),
        csrf=csrf,
        refusal=plain(refusal, SENTENCES) if refusal else "",
        advice=plain(advice, SENTENCES) if advice else "",
        labels=words.under("label"),
        texts=words.under("reopening"),
    )


def _situation(status: Status | None) -> str:
    if status is None:
        return "unknown"
    return "cut" if status.posture in (Posture.CONTAINED, Posture.REOPENING) else "peace"


def _shown(status: Status) -> list[OpeningStatus]:
    return sorted(status.openings, key=lambda each: (each.stage == 0, each.stage, each.care))


# -- the ladder --------------------------------------------------------------------------------------------------


def _rungs(status: Status, words: Words, now: Instant) -> Iterator[Rung]:
    core = tuple(
        Step(
            name=plain(each.name),
            state="open" if each.proven else "closed",
            word=words.say("reopening.proven" if each.proven else "reopening.unproven"),
        )
        for each in status.reopening.core
    )
    contents = [(words.say("reopening.core"), core)] if core else []
    for number in sorted({each.stage for each in status.openings if each.stage}):
        steps = tuple(_step(each, words, now) for each in status.openings if each.stage == number)
        contents.append((words.say("reopening.stage", number=number), steps))
    here = next((at for at, (_, steps) in enumerate(contents) if _waits(steps)), -1)
    for at, (title, steps) in enumerate(contents):
        yield Rung(title=title, steps=steps, here=at == here)


def _waits(steps: tuple[Step, ...]) -> bool:
    return any(step.state == "closed" for step in steps)


def _step(opening: OpeningStatus, words: Words, now: Instant) -> Step:
    return Step(
        name=plain(opening.name),
        state=opening.state.value,
        word=words.say(f"state.{opening.state.value}"),
        gates=tuple(_fill(opening, gate) for gate in _asked(opening)),
        left=_left(opening, now),
        door=opening.id,
    )


def _left(opening: OpeningStatus, now: Instant) -> float | None:
    """The share of a trial that is still to run; None: it is not on trial."""
    if opening.trial_until is None or opening.visitor or opening.waits:
        return None
    began = opening.since or now
    return (opening.trial_until - now) / max(1, opening.trial_until - began)


# -- doors -------------------------------------------------------------------------------------------------------


def _asked(opening: OpeningStatus) -> tuple[Gate, ...]:
    """The gates that this opening's profile asks for, in order."""
    return tuple(gate for gate in Gate if gate.value in {*opening.gates_passed, *opening.gates_missing})


def _fill(opening: OpeningStatus, gate: Gate) -> Fill:
    checked = {check.verdict for check in opening.checks if check.gate == gate.value}
    if gate.value in opening.gates_passed:
        return Fill.HALF if "no" in checked else Fill.FULL
    said = any(each.gate == gate.value for each in opening.answers)
    return Fill.HALF if said or "yes" in checked else Fill.EMPTY


def _door(site: Site, status: Status, opening: OpeningStatus, words: Words, now: Instant) -> Door:
    gates = _asked(opening)
    lone = next((each for each in status.reopening.overrides if each.opening == opening.id), None)
    cut = status.posture in (Posture.CONTAINED, Posture.REOPENING)
    wider = {
        OpeningState.CLOSED: (OpeningState.FILTERED, OpeningState.OPEN),
        OpeningState.FILTERED: (OpeningState.OPEN,),
        OpeningState.OPEN: (),
    }
    return Door(
        id=opening.id,
        name=plain(opening.name),
        state=opening.state.value,
        word=words.say(f"state.{opening.state.value}"),
        gates=tuple(_gate(site, opening, gate, words, now) for gate in gates),
        passed=words.say("reopening.passed", passed=len(opening.gates_passed), of=len(gates)),
        trial=_trial(opening, words, now),
        against=tuple(tell(each, site, words) for each in opening.obstacles if each.key not in _OF_GATES),
        override=_lone(lone, words, now) if lone else "",
        states=tuple(
            (each.value, words.say(f"state.{each.value}")) for each in (wider[opening.state] if cut else ())
        ),
        closable=not opening.lifeline and opening.state is not OpeningState.CLOSED,
        stage=opening.stage,
        condition=plain(opening.partner),
        visit=_visit(opening, words, now),
        lets_in=_letting(site, opening),
    )


def _letting(site: Site, opening: OpeningStatus) -> Letting | None:
    described = next((each for each in site.openings if each.id == opening.id), None)
    free = opening.state is OpeningState.CLOSED or bool(opening.visitor)
    if described is None or not (site.enforces and described.takes_visits and free):
        return None
    if described.publication is None:
        return Letting.MACHINES
    tls = described.publication.tls
    return Letting.CERTIFICATE if tls and tls.clients else Letting.NOTHING


def _visit(opening: OpeningStatus, words: Words, now: Instant) -> str:
    if not opening.visitor or opening.trial_until is None:
        return ""
    if not opening.visitor_from:
        return words.say("reopening.visit-unnamed", when=moment(opening.trial_until, now, words))
    key = "visit-to" if opening.visitor_to else "visit-with" if opening.visitor_certificate else "visit-in"
    return words.say(
        f"reopening.{key}",
        who=plain(opening.visitor),
        source=opening.visitor_from,
        when=moment(opening.trial_until, now, words),
        machines=plain(", ".join(opening.visitor_to)),
        certificate=opening.visitor_certificate[:16],
    )


def _trial(opening: OpeningStatus, words: Words, now: Instant) -> str:
    if opening.trial_until is None or opening.visitor:
        return ""
    until = opening.trial_until
    left = length(until - now, words)
    key = "waits-left" if opening.waits else "trial-left"
    return words.say(f"reopening.{key}", left=left, when=moment(until, now, words))


def _said(answer: str, by: str, at: Instant, words: Words, now: Instant) -> str:
    """What was answered, when and, for those who are told, by whom."""
    key = "reopening.said" if by else "reopening.said-unnamed"
    return words.say(key, answer=words.say(f"answer.{answer}"), who=by, when=moment(at, now, words))


def _lone(made: OverrideStatus, words: Words, now: Instant) -> str:
    key = "reopening.lone" if made.by else "reopening.lone-unnamed"
    return words.say(key, who=made.by, when=moment(made.due, now, words))


def _gate(site: Site, opening: OpeningStatus, gate: Gate, words: Words, now: Instant) -> Told:
    said: GateStatus | None = next((each for each in opening.answers if each.gate == gate.value), None)
    return Told(
        id=gate.value,
        name=words.say(f"gate.{gate.value}"),
        fill=_fill(opening, gate),
        said=_said(said.answer, said.by, said.at, words, now) if said else "",
        proof=plain(said.proof) if said and said.proof else "",
        machine=tuple(
            f"{words.say(f'verdict.{each.verdict}')} {tell(each.detail, site, words)}"
            for each in opening.checks
            if each.gate == gate.value and each.detail.text
        ),
        how=words.say(f"gate-how.{gate.value}"),
    )


# -- outside, and simulated --------------------------------------------------------------------------------------


def _outside(action: OutsideStatus, words: Words, now: Instant) -> Outside:
    return Outside(
        item=action.item,
        name=plain(action.item),
        number=action.number,
        action=plain(action.action),
        phone=plain(action.phone or ""),
        said=_said(action.reply, action.by, action.at, words, now)
        if action.reply != "unknown" and action.at is not None
        else "",
    )


def _foresight(
    site: Site, foreseen: Foreseen, status: Status | None, words: Words, now: Instant
) -> Iterator[str]:
    if foreseen.refused:
        yield words.say("reopening.would-refuse")
        reasons = foreseen.said.because if foreseen.said else ()
        if reasons:
            yield from (tell(each, site, words) for each in reasons)
        else:
            yield tell(foreseen.said, site, words) if foreseen.said else plain(foreseen.refused, SENTENCES)
        return
    names = {each.id: each.name for each in status.openings} if status else {}
    for door in foreseen.doors:
        yield words.say(
            "reopening.would",
            door=names.get(door.opening, door.opening),
            now=words.say(f"state.{door.now.value}"),
            would=words.say(f"state.{door.would.value}"),
        )
        if door.until and door.then:
            then = words.say(f"state.{door.then.value}")
            yield words.say("reopening.would-fall", when=moment(door.until, now, words), then=then)
    if not foreseen.doors:
        yield words.say("reopening.would-nothing")
