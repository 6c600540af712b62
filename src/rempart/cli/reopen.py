"""Reopen door by door: answer gates, start a trial, confirm it, end containment."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import AnswerGate, ConfirmTrial, GateAnswer, Normalise, Reopen
from rempart.reopening.gate import Gate
from rempart.site.opening import OpeningState


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart reopen`` with its four steps."""
    parser = verbs.add_parser(
        "reopen",
        help="reopen door by door: gate, trial, confirm, normal",
        description="Each opening passes its gates, then a trial that ends by itself unless confirmed. "
        "exit codes: 0 done, 4 no station answers, 5 refused (the reason is said).",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")

    gate = steps.add_parser("gate", help="answer one gate of an opening, with its proof")
    gate.add_argument("opening")
    gate.add_argument("gate", choices=[gate.value for gate in Gate])
    gate.add_argument("answer", type=GateAnswer, choices=list(GateAnswer), metavar="yes|no|unknown")
    gate.add_argument("--proof", default="", help="what was checked and how; a yes needs it")
    _operator.add_person(gate)

    trial = steps.add_parser("trial", help="open for a while; it closes by itself unless confirmed")
    trial.add_argument("opening")
    trial.add_argument("--state", type=OpeningState, default=OpeningState.FILTERED, metavar="open|filtered")
    trial.add_argument("--for", dest="length", type=_operator.duration, default="24h", metavar="TIME")
    trial.add_argument(
        "--override", action="store_true", help="although a gate has not passed; needs --reason"
    )
    _operator.add_person(trial)

    confirm = steps.add_parser("confirm", help="the trial went well: the opening stays")
    confirm.add_argument("opening")
    _operator.add_person(confirm)

    normal = steps.add_parser("normal", help="end containment; every opening must be stable")
    _operator.add_person(normal)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order of the chosen step."""
    _operator.require_name(arguments)
    by, reason = arguments.by, arguments.reason
    match arguments.step:
        case "gate":
            return _operator.give(
                arguments,
                AnswerGate(
                    by=by,
                    reason=reason,
                    opening=arguments.opening,
                    gate=arguments.gate,
                    answer=arguments.answer,
                    proof=arguments.proof,
                ),
            )
        case "trial":
            return _operator.give(
                arguments,
                Reopen(
                    by=by,
                    reason=reason,
                    opening=arguments.opening,
                    state=arguments.state,
                    seconds=arguments.length,
                    override=arguments.override,
                ),
            )
        case "confirm":
            return _operator.give(arguments, ConfirmTrial(by=by, reason=reason, opening=arguments.opening))
        case _:
            return _operator.give(arguments, Normalise(by=by, reason=reason))
