"""Show how things are: posture, doors, incidents, measures, the journal's head."""

import argparse
import sys
from collections.abc import Iterator
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.console.words import words
from rempart.errors import ExitCode
from rempart.instants import as_datetime
from rempart.messages import AlertStatus, Status
from rempart.site.language import Language
from rempart.telling.alert import AlertState, Urgency


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart status``."""
    parser = verbs.add_parser(
        "status",
        help="how things are now",
        description="exit codes: 0 shown, 4 no station answers.",
    )
    parser.add_argument("--json", action="store_true", help="the whole status as JSON")
    _operator.add_station(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask and show."""
    status = _operator.ask_status(arguments)
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(status).decode() + "\n")
        return ExitCode.OK
    console = Console()
    show(console, status)
    return ExitCode.OK


def show(console: Console, status: Status) -> None:
    """The status as a person reads it; hostile text is made harmless."""
    since = as_datetime(status.since).strftime("%Y-%m-%d %H:%M:%S UTC")
    console.print(Text(f"{status.site}: {status.posture.value} since {since}", style="bold"))
    console.print(_proof(status))
    doors = Table("opening", "state", "on trial until", "meanwhile", box=None, header_style="dim")
    for opening in status.openings:
        until = as_datetime(opening.trial_until).strftime("%d %b %H:%M") if opening.trial_until else ""
        doors.add_row(harmless(opening.name), opening.state.value, until, harmless(opening.fallback))
    console.print(doors)
    for alert in status.alerts:
        for part in _alert(alert):
            console.print(part)
    if status.answer_seconds:
        console.print(Text(f"from alert to a person acting: {_minutes(status.answer_seconds)}"))
    for incident in status.incidents:
        persons = "" if incident.persons_touched is None else f", {incident.persons_touched} persons touched"
        who = harmless(", ".join(incident.actors[:4]) or "nobody known")
        console.print(
            Text(f"{incident.id} {incident.state.value}: {', '.join(incident.kinds)}; from {who}{persons}")
        )
        for proposal in incident.proposals:
            console.print(Text(f"  waits for you: rempart approve {harmless(proposal.id)}"))
    for measure in status.measures:
        until = as_datetime(measure.until).strftime("until %d %b %H:%M") if measure.until else "until lifted"
        line = f"{measure.action} {measure.target} {until}, by {measure.by}: {measure.reason}"
        console.print(Text(harmless(line)))
    if status.measures_more:
        console.print(Text(f"and {status.measures_more} more blocks"))
    console.print(Text(f"journal: {status.journal_entries} entries, root {status.journal_root[:16]}…"))


def _alert(alert: AlertStatus) -> Iterator[Text]:
    """What asks for a person, whom it reached, and who took it."""
    said = words(Language.ENGLISH).tell(alert.about)
    match alert.state:
        case AlertState.WAITING:
            urgent = alert.urgency is Urgency.NOW
            style = "bold red" if urgent else "bold"
            yield Text(
                f"{'now' if urgent else 'today'}: {said} Take it: rempart acknowledge {alert.code}", style
            )
        case AlertState.TAKEN:
            length = ((alert.taken or alert.raised) - alert.raised) // 60_000_000
            yield Text(f"taken after {length} min by {harmless(alert.taken_by)}: {said}")
        case AlertState.OVER:
            yield Text(f"over: {said}", style="dim")
    for told in alert.told:
        done = "told" if told.delivered else f"NOT REACHED ({harmless(told.note)})"
        yield Text(f"  {as_datetime(told.at):%H:%M} {harmless(told.role)}, {told.channel.value}: {done}")


def _minutes(lengths: list[int]) -> str:
    """The last one and the median, in minutes."""
    return f"{lengths[-1] / 60:.0f} min the last time, {median(lengths) / 60:.0f} min in the middle of {len(lengths)}"


def _proof(status: Status) -> Text:
    if status.enforcement_fault:
        return Text(f"NOT as it should be: {harmless(status.enforcement_fault)}", style="bold red")
    if status.enforcement_verified is None:
        return Text("not checked yet")
    ago = (status.now - status.enforcement_verified) / 1_000_000
    return Text(f"kernel and proxy checked {ago:.0f} s ago", style="green")
