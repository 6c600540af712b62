"""Say that a service is slow, down or wrong while the site is cut, and what put it right."""

import argparse

from rempart.care.trouble import Ail
from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.engine.orders import ReportTrouble, SettleTrouble
from rempart.errors import ExitCode
from rempart.site.belgian_time import belgian


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart trouble``."""
    parser = verbs.add_parser(
        "trouble",
        help="report that a service is slow or down; say what put it right; list what is open",
        description="exit codes: 0 done, 1 troubles are open (list), 4 no station answers, 5 refused.",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    report = steps.add_parser("report", help="a service is slow, down or wrong")
    report.add_argument("service", help="an opening, a machine, or what you call it")
    report.add_argument("ail", type=Ail, choices=list(Ail), metavar="|".join(Ail), help="what ails it")
    report.add_argument("--ward", default="", help="where it is felt")
    report.add_argument("--note", default="", help="what happens, since when")
    _operator.add_person(report)
    settle = steps.add_parser("settle", help="it is put right")
    settle.add_argument("trouble", help="its id, as in the list: t3")
    settle.add_argument("remedy", help="what put it right")
    _operator.add_person(settle)
    _operator.add_station(steps.add_parser("list", help="what was reported, by service"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do the chosen step."""
    if arguments.step == "list":
        return _list(arguments)
    _operator.require_name(arguments)
    by, reason = arguments.by, arguments.reason
    if arguments.step == "settle":
        order = SettleTrouble(by=by, reason=reason, trouble=arguments.trouble, remedy=arguments.remedy)
        return _operator.give(arguments, order)
    return _operator.give(
        arguments,
        ReportTrouble(
            by=by,
            reason=reason,
            service=arguments.service,
            ail=arguments.ail,
            ward=arguments.ward,
            note=arguments.note,
        ),
    )


def _list(arguments: argparse.Namespace) -> int:
    troubles = _operator.ask_status(arguments).care.troubles
    for service in sorted({each.service for each in troubles}):
        print(harmless(service))
        for each in (each for each in troubles if each.service == service):
            end = f"; {belgian(each.settled)}: {each.remedy}" if each.settled else ""
            where = f" ({each.ward})" if each.ward else ""
            told = f"  {each.id} {belgian(each.at)} {each.ail}{where}: {each.note or '-'}, by {each.by}{end}"
            print(harmless(told, 600))
    return ExitCode.FOUND if any(each.settled is None for each in troubles) else ExitCode.OK
