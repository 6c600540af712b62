"""Reopen door by door: answer gates, start a trial, confirm it, end containment."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.engine.orders import (
    AnswerGate,
    AnyOrder,
    ConfirmOverride,
    ConfirmTrial,
    GateAnswer,
    Normalise,
    NotePartner,
    NoteProof,
    Reopen,
    SetStage,
)
from rempart.errors import ExitCode, InputRefused
from rempart.messages import OpeningStatus, Status
from rempart.reopening import picture
from rempart.reopening.dossier import ProofKind
from rempart.reopening.gate import Gate
from rempart.reopening.picture import Box, Column
from rempart.site.belgian_time import belgian
from rempart.site.opening import OpeningState


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart reopen`` with its steps."""
    parser = verbs.add_parser(
        "reopen",
        help="reopen door by door: plan, gate, proof, trial, confirm, normal",
        description="Each opening passes its gates, then a trial that ends by itself unless confirmed. `plan` shows "
        "where the way back stands and what stands against each opening; --simulate says what an order would do. "
        "exit codes: 0 done, 2 a file cannot be used, 4 no station answers, 5 refused (the reason is said).",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")

    gate = steps.add_parser("gate", help="answer one gate of an opening, with its proof")
    _operator.add_opening(gate)
    gate.add_argument(
        "gate", choices=[gate.value for gate in Gate], help="which of them (docs/design/reopening.md)"
    )
    gate.add_argument(
        "answer",
        type=GateAnswer,
        choices=list(GateAnswer),
        metavar="yes|no|unknown|never-found",
        help="never-found: of eviction, when the way in was sought and not found; it brings a tighter filter and a "
        "longer watch",
    )
    gate.add_argument("--proof", default="", help="what was checked and how; a yes needs it")
    _operator.add_person(gate)

    trial = steps.add_parser("trial", help="open for a while; it closes by itself unless confirmed")
    _operator.add_opening(trial)
    trial.add_argument(
        "--state",
        type=OpeningState,
        default=OpeningState.FILTERED,
        metavar="open|filtered",
        help="how it is to be meanwhile (filtered)",
    )
    _operator.add_length(trial, "24h", "how long")
    trial.add_argument(
        "--override", action="store_true", help="although a gate has not passed; needs --reason"
    )
    _operator.add_person(trial)

    confirm = steps.add_parser("confirm", help="the trial went well: the opening stays")
    _operator.add_opening(confirm)
    _operator.add_person(confirm)

    _register_plan(steps)
    normal = steps.add_parser("normal", help="end containment; every opening must be stable")
    _operator.add_person(normal)
    parser.set_defaults(run=run)


def _register_plan(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    plan = steps.add_parser("plan", help="the stages, where we are, and what stands against each opening")
    plan.add_argument("--svg", type=Path, metavar="FILE", help="write it as a picture too")
    _operator.add_station(plan)

    stage = steps.add_parser("stage", help="move an opening to another stage; needs --reason")
    _operator.add_opening(stage)
    stage.add_argument("stage", type=int, help="its number, as `rempart reopen plan` shows it")
    _operator.add_person(stage)

    partner = steps.add_parser("partner", help="what the other side asks before it lets us in again")
    _operator.add_opening(partner)
    partner.add_argument("met", choices=["met", "unmet"], help="is the condition met?")
    partner.add_argument("condition", help='"the laboratory wants our antivirus report"')
    _operator.add_person(partner)

    proof = steps.add_parser("proof", help="secrets renewed, a machine checked, a backup restored, and when")
    proof.add_argument(
        "proves", type=ProofKind, choices=list(ProofKind), metavar="|".join(ProofKind), help="what was done"
    )
    proof.add_argument("subject", help="what was renewed; the machine's id; which backup")
    proof.add_argument(
        "--on", type=_operator.moment, default="now", metavar="DATE", help="2026-11-26 or RFC 3339"
    )
    proof.add_argument("--proof", required=True, help="how it was done and what was seen")
    _operator.add_person(proof)

    second = steps.add_parser(
        "confirm-override", help="agree afterwards to a trial that was started without a second person"
    )
    _operator.add_opening(second)
    _operator.add_person(second)


def run(arguments: argparse.Namespace) -> int:
    """Do the chosen step."""
    if arguments.step == "plan":
        return _plan(arguments)
    _operator.require_name(arguments)
    return _operator.give(arguments, _ORDERS[arguments.step](arguments))


def _gate(said: argparse.Namespace) -> AnswerGate:
    return AnswerGate(
        by=said.by,
        reason=said.reason,
        opening=said.opening,
        gate=said.gate,
        answer=said.answer,
        proof=said.proof,
    )


def _trial(said: argparse.Namespace) -> Reopen:
    return Reopen(
        by=said.by,
        reason=said.reason,
        opening=said.opening,
        state=said.state,
        seconds=said.length,
        override=said.override,
    )


def _partner(said: argparse.Namespace) -> NotePartner:
    return NotePartner(
        by=said.by,
        reason=said.reason,
        opening=said.opening,
        condition=said.condition,
        met=said.met == "met",
    )


def _proof(said: argparse.Namespace) -> NoteProof:
    return NoteProof(
        by=said.by,
        reason=said.reason,
        proves=said.proves,
        subject=said.subject,
        on=said.on,
        proof=said.proof,
    )


_ORDERS: Mapping[str, Callable[[argparse.Namespace], AnyOrder]] = {
    "gate": _gate,
    "trial": _trial,
    "stage": lambda said: SetStage(by=said.by, reason=said.reason, opening=said.opening, stage=said.stage),
    "partner": _partner,
    "proof": _proof,
    "confirm": lambda said: ConfirmTrial(by=said.by, reason=said.reason, opening=said.opening),
    "confirm-override": lambda said: ConfirmOverride(by=said.by, reason=said.reason, opening=said.opening),
    "normal": lambda said: Normalise(by=said.by, reason=said.reason),
}
"""The order that each step gives."""


# -- the plan ----------------------------------------------------------------------------------------------------


def _plan(arguments: argparse.Namespace) -> int:
    status = _operator.ask_status(arguments)
    drawn = columns(status)
    for line in (*picture.text(drawn), *_against(status)):
        print(harmless(line, 600))
    if arguments.svg:
        try:
            arguments.svg.write_text(picture.svg(drawn, f"{status.site}: the way back"), encoding="utf-8")
        except OSError as fault:
            raise InputRefused(
                f"cannot be written: {fault.strerror}", where=str(arguments.svg), now="Name another file."
            ) from None
        print(f"{arguments.svg}: written")
    return ExitCode.OK


def columns(status: Status) -> tuple[Column, ...]:
    """The plan as columns: the core, then the stages; the first that is not done is where we are."""
    core = tuple(
        Box(
            name=each.name,
            state=OpeningState.OPEN if each.proven else OpeningState.CLOSED,
            told="proven" if each.proven else "not proven since the attack",
        )
        for each in status.reopening.core
    )
    numbers = sorted({opening.stage for opening in status.openings if opening.stage})
    contents = [("0: the trusted core", core)] if core else []
    contents += [(f"stage {n}", tuple(_box(o) for o in status.openings if o.stage == n)) for n in numbers]
    waits = [any(box.state is OpeningState.CLOSED for box in boxes) for _, boxes in contents]
    here = waits.index(True) if True in waits else -1
    return tuple(
        Column(title=title, boxes=boxes, here=number == here)
        for number, (title, boxes) in enumerate(contents)
    )


def _box(opening: OpeningStatus) -> Box:
    if opening.trial_until:
        on_trial = "until a confirmation, else to" if opening.waits else "on trial until"
        told = f"{on_trial} {belgian(opening.trial_until)}"
    elif opening.state is not OpeningState.CLOSED:
        told = "back" if opening.gates_passed else opening.state.value
    elif opening.partner:
        told = f"the partner's condition: {opening.partner}"
    else:
        passed, of = len(opening.gates_passed), len(opening.gates_passed) + len(opening.gates_missing)
        told = f"gates {passed} of {of} ({opening.profile})"
    return Box(name=opening.name, state=opening.state, told=told)


def _against(status: Status) -> Iterator[str]:
    """What stands against each closed opening, and who must still confirm."""
    for opening in status.openings:
        if opening.state is OpeningState.CLOSED and opening.stage:
            yield from (f"{opening.id}: {obstacle.text}" for obstacle in opening.obstacles)
    for made in status.reopening.overrides:
        late = " OVERDUE" if made.due < status.now else ""
        yield f"{made.opening}: reopened by {made.by} alone; a second person confirms until {belgian(made.due)}{late}"
