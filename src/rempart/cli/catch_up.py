"""Paper that was kept while an opening was closed, and must be entered before its interfaces resume."""

import argparse

from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.engine.orders import EnterPaper, KeepPaper
from rempart.errors import ExitCode
from rempart.site.belgian_time import belgian


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart catch-up``."""
    parser = verbs.add_parser(
        "catch-up",
        help="paper kept while something was closed: list it, add to it, tick what was entered",
        description="Never write here what is on the paper, only where it lies. "
        "exit codes: 0 done, 1 paper waits (list), 4 no station answers, 5 refused.",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    _operator.add_station(steps.add_parser("list", help="what waits, and what was entered"))
    keep = steps.add_parser("keep", help="something is noted on paper")
    keep.add_argument("opening", help="the opening that was closed")
    keep.add_argument("what", help='of what kind and where it lies: "medication sheets, second floor"')
    _operator.add_person(keep)
    entered = steps.add_parser("entered", help="a pile was typed in")
    entered.add_argument("paper", help="its id, as in the list: p2")
    _operator.add_person(entered)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do the chosen step."""
    if arguments.step == "list":
        return _list(arguments)
    _operator.require_name(arguments)
    by, reason = arguments.by, arguments.reason
    if arguments.step == "entered":
        return _operator.give(arguments, EnterPaper(by=by, reason=reason, paper=arguments.paper))
    order = KeepPaper(by=by, reason=reason, opening=arguments.opening, what=arguments.what)
    return _operator.give(arguments, order)


def _list(arguments: argparse.Namespace) -> int:
    papers = _operator.ask_status(arguments).care.papers
    for each in papers:
        state = f"entered {belgian(each.entered)}" if each.entered else "waits"
        print(
            harmless(f"{each.id} {state}: {each.opening}, {each.what} ({each.by}, {belgian(each.at)})", 600)
        )
    return ExitCode.OK if all(each.entered for each in papers) else ExitCode.FOUND
