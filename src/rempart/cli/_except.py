"""Making an exception ("this is normal here"): what it would have hidden is shown before it is written."""

import argparse
import contextlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from rempart.adapters import compiled
from rempart.adapters import rules as rule_files
from rempart.adapters.clock import SystemClock
from rempart.adapters.site_file import read_site, read_text
from rempart.adapters.store.events import Damage, stored
from rempart.cli import _in_force, _operator
from rempart.cli._terminal import harmless
from rempart.config import SITE, Places
from rempart.detection import exception
from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.detector import Detection
from rempart.detection.exception import Exceptions, Exemption, Value
from rempart.detection.preview import Hidden, Preview, preview
from rempart.detection.surroundings import Surroundings
from rempart.edge import whole
from rempart.errors import DecodeError, ExitCode, InputRefused
from rempart.events.decode import DECODERS, decoded
from rempart.events.event import Event
from rempart.instants import Instant, rfc3339, seconds

DESCRIPTION = """\
Says "this is normal here": an entry of exceptions.toml, with its reason, author and last day. First the events that
the station kept are looked at with and without it, and what it would have hidden is shown. With --preview nothing is
written. An exception that would have hidden something critical, or serious and successful, is not written without
--even-grave.

exit codes: 0 shown, or written; 1 it hides something grave and was not written; 2 it cannot be made"""


def add_arguments(action: argparse.ArgumentParser) -> None:
    """What an exception says, and what it is tried on."""
    action.add_argument(
        "--rule", action="append", default=[], metavar="NAME", help="id, name or title; may be repeated"
    )
    action.add_argument(
        "--field",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="only where this field has this value (* for anything; a network); may be repeated",
    )
    action.add_argument(
        "--until", type=_day, required=True, metavar="DAY", help="its last day, as 2027-01-31"
    )
    action.add_argument(
        "--preview", action="store_true", help="show what it would have hidden, and write nothing"
    )
    action.add_argument(
        "--since",
        type=_operator.duration,
        default=7 * 86_400,
        metavar="TIME",
        help="how far back to look (default: 7d)",
    )
    action.add_argument(
        "--even-grave", action="store_true", help="write it although it hides something grave"
    )
    action.add_argument("--by", required=True, metavar="NAME", help="who makes it")
    action.add_argument("--reason", required=True, metavar="TEXT", help="why this is normal here")
    action.add_argument(
        "--site", type=Path, default=SITE, metavar="FILE", help="site.toml (default: %(default)s)"
    )
    action.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show what it hides; write it unless only that was asked for."""
    places = Places(site=arguments.site, state=arguments.state, run=Path(), rules=())
    text = _written(_asked(arguments))
    before = read_text(places.exceptions) if places.exceptions.exists() else ""
    after = f"{before.rstrip()}\n\n{text}" if before.strip() else text
    held = exception.parse(before, str(places.exceptions))
    wanted = exception.parse(after, str(places.exceptions))
    seen = _looked(places, held, wanted, Instant(SystemClock().now() - seconds(arguments.since)))
    for line in _shown(seen, arguments.since):
        print(harmless(line, 200))
    if arguments.preview:
        return ExitCode.OK
    if seen.grave and not arguments.even_grave:
        print("It would hide something grave: nothing was written. Name it narrower, or add --even-grave.")
        return ExitCode.FOUND
    _write(places.exceptions, after)
    print(f"written to {places.exceptions}; a running station takes it up by itself")
    return ExitCode.OK


def _asked(arguments: argparse.Namespace) -> Exemption:
    fields: dict[str, list[Value]] = {}
    for said in arguments.field:
        name, equals, value = said.partition("=")
        if not equals:
            raise InputRefused(
                f"{said[:60]!a} is no field and value", where="--field", now="Write NAME=VALUE."
            )
        fields.setdefault(name, []).append(Value(value))
    return Exemption(
        rules=tuple(arguments.rule),
        fields=tuple((name, tuple(values)) for name, values in fields.items()),
        reason=arguments.reason,
        author=arguments.by,
        until=arguments.until,
    )


def _written(exemption: Exemption) -> str:
    """Its entry. What was typed is checked by being read again, like any other entry."""
    if not exemption.rules and not exemption.fields:
        raise InputRefused(
            "it names neither rules nor fields", now="Give --rule or --field: it would hide everything."
        )
    return exception.written(exemption)


def _looked(places: Places, held: Exceptions, wanted: Exceptions, since: Instant) -> Preview:
    surroundings = Surroundings.of(read_site(places.site))
    rules = compiled.load(None, rule_files.read(_in_force.folders(places)), surroundings.placeholders)
    without, within = (
        Detection(rules, surroundings, exceptions, behaviour=Behaviour(surroundings))
        for exceptions in (held, wanted)
    )
    fresh = [p for p in within.tamed.problems if p not in without.tamed.problems]
    if fresh:
        raise InputRefused("the exception would hide nothing", where=fresh[0].where, problems=tuple(fresh))
    return preview(without, within, _kept(places.events, since))


def _kept(store: Path, since: Instant) -> Iterator[Event]:
    """The events that watch kept; without a store, none."""
    if not store.exists():
        return
    for segment in stored(store, since):
        if isinstance(segment, Damage):
            print(harmless(str(segment), 200))
            continue
        decode = DECODERS.get(segment.decoder)
        if decode is None:  # of a decoder that this version no longer has
            continue
        for number, body in zip(segment.numbers, segment.bodies, strict=True):
            with contextlib.suppress(DecodeError):  # watch has said it
                event = decoded(decode, body, segment.source, number)
                if event is not None:
                    yield event


def _shown(seen: Preview, length: int) -> Iterator[str]:
    days = length / 86_400
    if not seen.events:
        yield f"No event of the last {days:g} days is kept: nobody can say what it would have hidden."
        return
    yield (
        f"In the last {days:g} days, of {seen.events:,} events: {seen.told:,} findings of level low and above, "
        f"{seen.told - seen.still_told:,} of which it would have hidden."
    )
    for hidden in seen.ranked:
        yield from _hidden(hidden)
    if seen.grave:
        yield f"{seen.grave:,} of them grave: critical, or serious and successful."


def _hidden(hidden: Hidden) -> Iterator[str]:
    yield f"  {hidden.level.name.lower():13} {hidden.count:>7,}  {hidden.title}"
    for example in hidden.examples:
        things = ", ".join(observable.value for observable in example.observables[:4])
        yield f"  {'':13} {'':>7}  {rfc3339(example.time)[:19]}Z  {things}"


def _write(file: Path, text: str) -> None:
    """The whole file or the old one, as readable as it was."""
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    try:
        whole.put(file, text.encode(), mode=mode)
    except OSError as fault:
        raise InputRefused(
            f"it cannot be written: {fault.strerror}", where=str(file), now="Do it as root."
        ) from fault


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2027-01-31") from None
