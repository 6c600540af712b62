"""Look behind the masks of an incident: the privacy officer asks, a second person agrees, the names can be read."""

import argparse
import sys

from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.engine.orders import AgreeUnmasking, AskUnmasking
from rempart.errors import ExitCode, InputRefused
from rempart.instants import rfc3339
from rempart.messages import OrderRejected

_WIDEST = 200


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart masks`` with its steps."""
    parser = verbs.add_parser(
        "masks",
        help="who stands behind the masked accounts of an incident: ask, agree, show",
        description="Accounts are shown behind masks, another in each incident. The privacy officer asks for a stated "
        "purpose, a second person agrees, and for a time the names can be read; each step and each reading is sealed. "
        "exit codes: 0 done, 4 no station answers, 5 refused.",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    ask = steps.add_parser("ask", help="ask, as the privacy officer; --reason is the purpose")
    _operator.add_incident(ask)
    _operator.add_length(ask, "24h", "how long the names may be read, once it is agreed")
    _operator.add_person(ask)
    agree = steps.add_parser("agree", help="agree, as a second person")
    _operator.add_incident(agree)
    _operator.add_person(agree)
    show = steps.add_parser("show", help="read the names, while it is allowed")
    _operator.add_incident(show)
    _operator.add_station(show)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order of the chosen step, or read."""
    if arguments.step == "show":
        return _show(arguments)
    _operator.require_name(arguments)
    by, reason, incident = arguments.by, arguments.reason, arguments.incident
    if arguments.step == "agree":
        return _operator.give(arguments, AgreeUnmasking(by=by, reason=reason, incident=incident))
    if not 60 <= arguments.length <= 604_800:
        raise InputRefused("that is no length of time for reading names", now="Give --for 1m to 7d.")
    order = AskUnmasking(by=by, reason=reason, incident=incident, seconds=arguments.length)
    return _operator.give(arguments, order)


def _show(arguments: argparse.Namespace) -> int:
    answer = _operator.ask_names(arguments, arguments.incident)
    if isinstance(answer, OrderRejected):
        print(f"refused: {answer.what}\n{answer.now}", file=sys.stderr)
        return ExitCode.REFUSED
    for mask, account in answer.names.items():
        print(f"{mask}  {harmless(account, _WIDEST)}")
    print(f"until {rfc3339(answer.until)[:19]}Z; this reading is sealed")
    return ExitCode.OK
