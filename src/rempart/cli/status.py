"""Show how things are: posture, doors, incidents, measures, the journal's head."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rempart.care.attestation import Standing
from rempart.care.reply import Reply
from rempart.cli import _operator, by_hand
from rempart.cli._terminal import harmless
from rempart.console.words import words
from rempart.errors import ExitCode
from rempart.instants import Instant
from rempart.messages import AlertStatus, CareStatus, IncidentStatus, OpeningStatus, ProbeStatus, Status
from rempart.site.belgian_time import belgian, on_the_wall
from rempart.site.language import Language
from rempart.site.placement import Placement
from rempart.telling.alert import AlertState, Urgency

_NAMES = 10
"""Refused names shown; `--json` has twenty."""


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
    for part in _told(status):
        console.print(part)


def _told(status: Status) -> Iterator[Text | Table]:
    yield Text(f"{status.site}: {status.posture.value} since {belgian(status.since)}", style="bold")
    yield _proof(status)
    yield _doors(status.openings)
    yield from _beware(status)
    for alert in status.alerts:
        yield from _alert(alert)
    if status.answer_seconds:
        yield Text(f"from alert to a person acting: {_minutes(status.answer_seconds)}")
    for incident in status.incidents:
        yield from _incident(incident)
    yield from _measures(status)
    for line in (*by_hand.said(status.by_hand), *care_lines(status.care)):
        yield Text(harmless(line, 600))
    yield from _refused(status)
    yield Text(f"journal: {status.journal_entries} entries, root {status.journal_root[:16]}…")


def _doors(openings: Iterable[OpeningStatus]) -> Table:
    doors = Table("opening", "state", "so until", "meanwhile", box=None, header_style="dim")
    for opening in openings:
        until = _when(opening.trial_until) if opening.trial_until else ""
        doors.add_row(
            harmless(opening.name),
            opening.state.value,
            harmless(until + _visit(opening)),
            harmless(opening.fallback),
        )
    return doors


def _visit(opening: OpeningStatus) -> str:
    """Who of a supplier is in, from where, and to what."""
    if not opening.visitor:
        return ""
    to = f" to {', '.join(opening.visitor_to)} only" if opening.visitor_to else ""
    proof = f" with certificate {opening.visitor_certificate[:16]}…" if opening.visitor_certificate else ""
    return f", {opening.visitor} from {opening.visitor_from}{to}{proof}"


def _beware(status: Status) -> Iterator[Text]:
    """What must be known before the rest is believed, and what the public was promised."""
    if status.unwatched:
        told = f"NOTHING IS WATCHED: watch says nothing since {_when(status.unwatched)}"
        yield Text(told, "bold red")
    elif status.rebuilding:
        done, total = status.rebuilding
        yield Text(f"watch starts: it reads again what it kept, {done} of {total}; then it detects")
    if status.clock_leapt:
        told = f"THE CLOCK LEAPT to {belgian(status.clock_leapt)}: nothing is erased by it."
        yield Text(f"{told} If the date is right: rempart clock", "bold")
    if status.news_at:
        yield Text(f"news announced for {_when(status.news_at)}")


def _incident(incident: IncidentStatus) -> Iterator[Text]:
    persons = "" if incident.persons_touched is None else f", {incident.persons_touched} persons touched"
    who = harmless(", ".join(incident.actors[:4]) or "nobody known")
    yield Text(f"{incident.id} {incident.state.value}: {', '.join(incident.kinds)}; from {who}{persons}")
    for proposal in incident.proposals:
        yield Text(f"  waits for you: rempart approve {harmless(proposal.id)}")


def _measures(status: Status) -> Iterator[Text]:
    for measure in status.measures:
        until = f"until {_when(measure.until)}" if measure.until else "until lifted"
        yield Text(harmless(f"{measure.action} {measure.target} {until}, by {measure.by}: {measure.reason}"))
    if status.measures_more:
        yield Text(f"and {status.measures_more} more blocks")
    if status.left_off:
        left = ", ".join(f"{name} {count}" for name, count in status.left_off.items())
        yield Text(f"too much to tell at once; left off: {left}. The journal has it all.", "bold")


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
        yield Text(f"  {on_the_wall(told.at):%H:%M} {harmless(told.role)}, {told.channel.value}: {done}")


def _when(at: Instant) -> str:
    """The day and the hour, on the wall's clock."""
    return f"{on_the_wall(at):%d %b %H:%M}"


def _minutes(lengths: list[int]) -> str:
    """The last one and the median, in minutes."""
    return f"{lengths[-1] / 60:.0f} min the last time, {median(lengths) / 60:.0f} min in the middle of {len(lengths)}"


def care_lines(care: CareStatus) -> Iterator[str]:
    """Whether care goes on, in a few lines: what is well in one, what is not each in its own."""
    if care.wards:
        well = [ward for ward in care.wards if ward.standing == Standing.GOES_ON]
        latest = max((ward.at for ward in well if ward.at), default=None)
        at = f", the last at {on_the_wall(latest):%H:%M}" if latest else ""
        yield f"care goes on: {len(well)} of {len(care.wards)} wards say so this shift{at}"
    for ward in care.wards:
        if ward.standing == Standing.TROUBLED:
            yield f"  {ward.name}: care does NOT go on: {ward.note or '-'} ({ward.by})"
        elif ward.standing == Standing.UNHEARD:
            yield f"  {ward.name}: not heard this shift{f', {ward.phone}' if ward.phone else ''}"
    for probe in care.probes:
        if probe.right is not True:
            yield f"probe {probe.name}: {_probe_word(probe)}"
    if care.probes:
        yield f"probes as they should be: {sum(each.right is True for each in care.probes)} of {len(care.probes)}"
    if open_troubles := [each for each in care.troubles if each.settled is None]:
        services = ", ".join(sorted({each.service for each in open_troubles}))
        yield f"troubles open: {len(open_troubles)} ({services}); rempart trouble list"
    if to_do := sum(each.reply != Reply.YES for each in care.outside):
        yield f"outside the wall, to do: {to_do} of {len(care.outside)}; rempart outside list"
    if waiting := sum(each.entered is None for each in care.papers):
        yield f"paper to catch up on: {waiting}; rempart catch-up list"
    if care.pack and not care.pack.fresh:
        age = f"written {belgian(care.pack.written)}" if care.pack.written else "not there"
        yield f"downtime pack {care.pack.path}: {age}; it should be at most {care.pack.hours} h old"
    if care.locked:
        yield f"the station does not contain by itself: {care.locked.text}"


def _probe_word(probe: ProbeStatus) -> str:
    """What is to be thought of a probe that is not as it should be."""
    if probe.answered is None:
        return "not asked yet"
    since = f" since {belgian(probe.since)}" if probe.since else ""
    if probe.right is None:
        return f"nothing can be said of it now: last {'an' if probe.answered else 'no'} answer{since}"
    if probe.opening and probe.answered:
        return f"ANSWERED THROUGH A CLOSED DOOR{since}: {probe.detail}"
    return f"NO ANSWER{since}: {probe.detail}"


def _refused(status: Status) -> Iterator[Text]:
    """Names that the resolver refused: how many, and the latest."""
    if status.names_refused is None:
        return
    counts = ", ".join(f"{times} {reason}" for reason, times in sorted(status.names_refused.times.items()))
    yield Text(f"names refused: {counts}")
    for name in status.names_refused.latest[:_NAMES]:
        yield Text(f"  {harmless(name.name)}: {name.reason}, {name.times} times")


def _proof(status: Status) -> Text:
    if status.placement is Placement.OBSERVER:
        return Text(
            "watches only: nothing here is enforced, whoever must cut does it by hand", style="yellow"
        )
    if status.enforcement_fault:
        fault = " ".join(status.enforcement_fault.splitlines())  # what, where and what to do now
        return Text(f"NOT as it should be: {harmless(fault, 600)}", style="bold red")
    if status.enforcement_verified is None:
        return Text("not checked yet")
    if status.unproved:
        return Text("just changed, being checked", style="yellow")
    ago = (status.now - status.enforcement_verified) / 1_000_000
    return Text(f"kernel and proxy checked {ago:.0f} s ago", style="green")
