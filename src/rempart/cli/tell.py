"""Try the ways to people: a harmless test message to everybody, over every channel, and what came of it."""

import argparse

from rich.console import Console
from rich.text import Text

from rempart.adapters.socket import connect
from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.engine.orders import TryTelling
from rempart.errors import ExitCode
from rempart.messages import AlertStatus, Status, StatusFollowed, ToOperator
from rempart.telling.alert import TEST, AlertState


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart tell``."""
    verb = verbs.add_parser("tell", help="try the ways to people")
    actions = verb.add_subparsers(dest="action", metavar="ACTION", required=True)
    test = actions.add_parser(
        "test",
        help="send everybody in site.toml a harmless test message over every channel",
        description="Says for each whether it was handed over, and waits for answers. What was handed over was not "
        "read yet: only an answer shows that. exit codes: 0 all handed over, 1 somebody could not be reached in the "
        "time, 4 no station answers, 5 refused.",
    )
    test.add_argument(
        "--within",
        type=_operator.duration,
        default=120,
        metavar="TIME",
        help="how long to wait for the outcome (default: 2m)",
    )
    _operator.add_person(test)
    test.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Order the test, then follow what comes of it."""
    _operator.require_name(arguments)
    before = _test(_operator.ask_status(arguments))
    code = _operator.give(arguments, TryTelling(by=arguments.by, reason=arguments.reason))
    if code != ExitCode.OK:
        return code
    return _follow(arguments, Console(highlight=False), before)


def _follow(arguments: argparse.Namespace, console: Console, before: AlertStatus | None) -> int:
    """Say each outcome once. Ends when all are known, or the time is over."""
    said: set[str] = set()
    with connect(_operator.socket_of(arguments), incoming=ToOperator) as client:
        client.send(StatusFollowed())
        until: int | None = None
        while True:
            status = client.receive(seconds=10)
            assert isinstance(status, Status)
            until = until or status.now + arguments.within * 1_000_000
            test = _test(status)
            if test is None or (before and test.raised == before.raised):
                continue
            for told in test.told:
                if told.message not in said:
                    said.add(told.message)
                    outcome = "handed over" if told.delivered else f"NOT handed over: {told.note}"
                    console.print(Text(f"{harmless(told.role)}, {told.channel.value}: {harmless(outcome)}"))
            if test.state is AlertState.TAKEN:
                console.print(Text(f"answered by {harmless(test.taken_by)}"))
            if said and not test.owed:
                return ExitCode.OK if all(told.delivered for told in test.told) else ExitCode.FOUND
            if status.now > until:
                console.print(Text(f"{test.owed} without an outcome yet: see rempart status"))
                return ExitCode.FOUND


def _test(status: Status) -> AlertStatus | None:
    return next((alert for alert in status.alerts if alert.id == TEST), None)
