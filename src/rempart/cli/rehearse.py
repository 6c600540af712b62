"""Try the cut before it is needed: what stops, from yesterday's flows, and then really, for ten minutes in daytime."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rempart.adapters.clock import SystemClock
from rempart.adapters.site_file import read_site
from rempart.adapters.store.events import Damage, stored
from rempart.care.forecast import Fate, Flow, Forecast, Line, Unknown, forecast
from rempart.care.rehearsal import Becomes, Question
from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.cli.paper import write
from rempart.config import SITE, STATE
from rempart.console import papers
from rempart.engine.orders import CorrectSite, EndRehearsal, Rehearse, TickWard
from rempart.errors import DecodeError, ExitCode, InputRefused
from rempart.events.decode import ulogd
from rempart.instants import Instant, hours
from rempart.messages import RehearsalStatus
from rempart.site.belgian_time import belgian

_SHOWN = 20
"""Unknown places that are listed; the rest is counted."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart rehearse`` with its steps."""
    parser = verbs.add_parser(
        "rehearse",
        help="what stops if we cut: forecast, cut, tick, correct, end, report",
        description="First asks yesterday's flows, then really cuts for some minutes in staffed hours; the kernel "
        "undoes it by itself. Each ward ticks what worked. `rempart contain` meanwhile makes the cut stay. Until a "
        "rehearsal has passed, and six months after, the station never contains the site by itself. "
        "exit codes: 0 done, 1 the rehearsal has not passed (report), 2 a file cannot be used, "
        "4 no station answers, 5 refused.",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    _register_forecast(steps)

    cut = steps.add_parser("cut", help="cut for ten minutes; it undoes itself")
    _operator.add_length(cut, "10m", "how long")
    _operator.add_person(cut)

    tick = steps.add_parser("tick", help="a ward says whether one thing works")
    _operator.add_ward(tick)
    tick.add_argument(
        "question", type=Question, choices=list(Question), metavar="|".join(Question), help="what is tried"
    )
    _operator.add_reply(tick, "does it work?")
    tick.add_argument("--note", default="", help="what happened; a no needs it")
    _operator.add_person(tick)

    correct = steps.add_parser("correct", help="say what the rehearsal showed about an opening")
    correct.add_argument("opening", help="its id, or the one it should get")
    correct.add_argument(
        "becomes",
        type=Becomes,
        choices=list(Becomes),
        metavar="|".join(Becomes),
        help="what it is to be from now on",
    )
    _operator.add_person(correct)

    end = steps.add_parser("end", help="undo the cut now; the rehearsal then proves nothing")
    _operator.add_person(end)

    report = steps.add_parser("report", help="how the latest rehearsal went")
    report.add_argument("--out", type=Path, metavar="FILE", help="write it as PDF too")
    _operator.add_language(report)
    report.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    _operator.add_station(report)
    parser.set_defaults(run=run)


def _register_forecast(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ask = steps.add_parser("forecast", help="what stops if we cut, from the flows of the last day")
    ask.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    ask.add_argument(
        "--events",
        type=Path,
        default=STATE / "watch" / "events.db",
        metavar="FILE",
        help="the event store (%(default)s)",
    )
    _operator.add_length(ask, "24h", "how far back to look")


def run(arguments: argparse.Namespace) -> int:
    """Do the chosen step."""
    match arguments.step:
        case "forecast":
            return _forecast(arguments)
        case "report":
            return _report(arguments)
    _operator.require_name(arguments)
    by, reason = arguments.by, arguments.reason
    match arguments.step:
        case "cut":
            return _operator.give(arguments, Rehearse(by=by, reason=reason, seconds=arguments.length))
        case "tick":
            told = TickWard(
                by=by,
                reason=reason,
                ward=arguments.ward,
                question=arguments.question,
                reply=arguments.reply,
                note=arguments.note,
            )
            return _operator.give(arguments, told)
        case "correct":
            correction = CorrectSite(
                by=by, reason=reason, opening=arguments.opening, becomes=arguments.becomes
            )
            return _operator.give(arguments, correction)
        case _:
            return _operator.give(arguments, EndRehearsal(by=by, reason=reason))


# -- what yesterday says -----------------------------------------------------------------------------------------


def _forecast(arguments: argparse.Namespace) -> int:
    site = read_site(arguments.site)
    if not arguments.events.exists():
        raise InputRefused(
            "there is no event store",
            where=str(arguments.events),
            now="Let the station watch for a day first, or name its store with --events.",
        )
    since = Instant(SystemClock().now() - hours(arguments.length / 3600))
    faults: Counter[str] = Counter()
    found = forecast(site, flows(arguments.events, since, faults))
    for line in told(found):
        print(harmless(line))
    for what, count in faults.items():
        print(harmless(f"not counted: {count} {what}"))
    return ExitCode.OK


def flows(events: Path, since: Instant, faults: "Counter[str]") -> Iterator[Flow]:
    """The connections that ended since then, from the store; what cannot be read is counted in ``faults``."""
    for segment in stored(events, since):
        if isinstance(segment, Damage):
            faults["damaged parts of the store"] += 1
            continue
        if segment.decoder != "ulogd":
            continue
        for number, body in zip(segment.numbers, segment.bodies, strict=True):
            try:
                event = ulogd.decode(body, segment.source, number)
            except DecodeError:
                faults["lines that are no flow"] += 1
                continue
            if event and event.fields.get("flow") == "ended":
                yield Flow(
                    source=str(event.fields["src_ip"]),
                    destination=str(event.fields["dst_ip"]),
                    transport=str(event.fields["protocol"]),
                    port=_whole(event.fields.get("dst_port")),
                    mark=_whole(event.fields.get("mark")),
                )


def _whole(value: object) -> int:
    return value if type(value) is int else 0


def told(found: Forecast) -> Iterator[str]:
    """The forecast in words, what goes on first."""
    yield f"{found.flows} connections through the wall; if we cut:"
    ranks = {Fate.GOES_ON: 0, Fate.STOPS: 1, Fate.CLOSED_ALREADY: 2}
    for line in sorted(found.lines, key=lambda line: ranks[line.fate]):
        yield f"  {_machines(line)} → {line.name}: {_fate(line)}"
    yield f"unknown: {found.unknown_flows}"
    for each in found.unknown[:_SHOWN]:
        yield (
            f"  {_machines(each)} → {each.destination} {each.transport}/{each.port}, {each.flows} times: "
            "stops; no opening of site.toml is for it"
        )
    if len(found.unknown) > _SHOWN:
        yield f"  and {len(found.unknown) - _SHOWN} more places"
    yield "Nobody used yesterday what is not here: only a rehearsal shows that."


def _fate(line: Line) -> str:
    match line.fate:
        case Fate.GOES_ON:
            return "lifeline, goes on filtered"
        case Fate.STOPS:
            return f"stops; instead: {line.fallback}"
        case Fate.CLOSED_ALREADY:
            return "normally closed"


def _machines(line: Line | Unknown) -> str:
    if not line.machines:
        return f"{line.flows} visits from outside"
    return ", ".join(f"{count} {_plural(kind, count)}" for kind, count in line.machines.items())


def _plural(kind: str, count: int) -> str:
    words = {"other": "other machine", "unlisted": "unlisted machine", "biomedical": "biomedical device"}
    word = words.get(kind, kind.replace("-", " "))
    return word if count == 1 or word in ("nurse call", "medication") else f"{word}s"


# -- how it went -------------------------------------------------------------------------------------------------


def _report(arguments: argparse.Namespace) -> int:
    status = _operator.ask_status(arguments)
    rehearsal = status.care.rehearsal
    if rehearsal is None:
        raise InputRefused("no cut was ever rehearsed", now="Begin with: rempart rehearse cut")
    for line in report(rehearsal):
        print(harmless(line))
    if arguments.out:
        write(arguments.out, papers.rehearsal(read_site(arguments.site), status, status.now, arguments.lang))
        print(f"{arguments.out}: written")
    return ExitCode.FOUND if rehearsal.locked else ExitCode.OK


def report(rehearsal: RehearsalStatus) -> Iterator[str]:
    """The report as text."""
    yield f"rehearsed from {belgian(rehearsal.began)} to {belgian(rehearsal.until)}, by {rehearsal.by}"
    if rehearsal.ended is None:
        yield "the cut stands; it undoes itself"
    for tick in sorted(rehearsal.ticks, key=lambda tick: (tick.ward, tick.question)):
        note = f": {tick.note}" if tick.note else ""
        yield f"  {tick.ward} {tick.question} {tick.reply}{note} ({tick.by})"
    for ward, question in rehearsal.unanswered:
        yield f"  {ward} {question} not answered"
    for each in rehearsal.corrections:
        written = "written in site.toml" if each.written else "still to be written in site.toml"
        yield f"  {each.opening} becomes {each.becomes}: {each.reason} ({each.by}); {written}"
    yield (
        f"not passed: {rehearsal.locked.text}"
        if rehearsal.locked
        else "passed: the policy may contain by itself"
    )
