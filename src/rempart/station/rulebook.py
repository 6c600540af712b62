"""The rules that a watch works by: where they come from, whether they have changed, and what the site hides of them.

Rules are the folders named at the start and the set that `rempart rules install` put in force; exceptions stand beside
``site.toml``. Who waits for a change asks `changed`; the folders named at the start are read anew only on SIGHUP.
"""

import gc
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from rempart.adapters import indicators
from rempart.adapters.compiled import KeptFiles, load
from rempart.adapters.rules import read
from rempart.adapters.store.hidden import HiddenFile, Hiding
from rempart.adapters.supply import Supply
from rempart.config import Places
from rempart.detection import exception
from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.behaviour.country import Countries
from rempart.detection.detector import Detection
from rempart.detection.exception import Exceptions, Exemption, Severity
from rempart.detection.indicator import Indicators
from rempart.detection.place import placed
from rempart.detection.surroundings import Surroundings
from rempart.edge import whole
from rempart.engine import taming
from rempart.errors import InputRefused, Problem, RempartError
from rempart.instants import Instant, after, minutes
from rempart.messages import ExceptionStand
from rempart.site.site import Site

_log = logging.getLogger("rempart.watch")

Mark = tuple[object, ...]
"""What tells one state of the files from another."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of the rules when they were last read."""

    levels: Mapping[str, int] = field(default_factory=dict)
    """How many of each level are in force, rules and correlations together."""
    refused: tuple[Problem, ...] = ()
    waiting: tuple[Problem, ...] = ()
    indicators: int = 0


class Rulebook:
    """The rules and exceptions of one site, as they are on the disk."""

    def __init__(self, places: Places, site: Site) -> None:
        self._places = places
        self._surroundings = Surroundings.of(site)
        self._compiled = KeptFiles(places.events.parent / "compiled")
        self._read = self._mark()
        self.reading = Reading()

    def changed(self) -> bool:
        """Whether the installed set, the exceptions or the folder of indicators are others than when read last."""
        return self._mark() != self._read

    def detection(self, *, starting: bool = False) -> Detection:
        """The rules, compiled. Rules that cannot be used are named; the others work.

        Raises `InputRefused` when no rules are there, or none that can be used: a watch without rules is silence that
        looks like peace. Whatever else is wrong with an installed set or the exceptions is raised too, unless
        ``starting``: then they are left out, and it is said.
        """
        self._read = self._mark()
        own, installed = self._places.rules, tuple(self._installed())
        if not own:
            raise InputRefused("no rules are named", now="Name the folder of the rules with --rules.")
        exceptions = self._exceptions(starting=starting)
        try:
            return self._of((*own, *installed), exceptions)
        except Exception:
            if not (starting and installed):
                raise
            # A set that others wrote must not keep the station from starting, whatever it is that fails.
            _log.exception("the installed rules are left out")
            return self._of(own, exceptions)

    def _of(self, folders: Sequence[Path], exceptions: Exceptions) -> Detection:
        files = dict(read([str(path) for path in folders]))
        rules = load(self._compiled, files.items(), self._surroundings.placeholders)
        refused = tuple(placed(rules.refused, files))
        for problem in refused:
            _log.warning("rule left out: %s", problem)
        if not rules.rules and not rules.correlations:
            raise InputRefused(
                "no rule can be used", where=str(folders[0]), now="Mend them, or install a set."
            )
        _log.info("%d rules and %d correlations", len(rules.rules), len(rules.correlations))
        listed = self._indicators()
        detection = Detection(
            rules,
            self._surroundings,
            exceptions,
            self._compiled,
            indicators=listed,
            behaviour=Behaviour(self._surroundings, self._countries()),
        )
        for problem in detection.tamed.problems:
            _log.warning("exception without effect: %s", problem)
        detection.warm()
        cards = [each.card for each in rules.rules] + [each.card for each in rules.correlations]
        self.reading = Reading(
            levels=Counter(card.level.name.lower() for card in cards),
            refused=refused,
            waiting=tuple(placed(rules.waiting, files)),
            indicators=len(listed) if listed else 0,
        )
        return detection

    def _installed(self) -> Iterator[Path]:
        try:
            current = Supply(self._places.installed_rules).current
        except RempartError as fault:
            _log.error("the installed rules are left out: %s", fault.diagnostics())
            return
        if current:
            yield current.folder

    def _indicators(self) -> Indicators | None:
        """The lists in the station's folder, if there is one. What cannot be used is named; the rest is used."""
        folder = self._places.indicators
        if not folder.is_dir():
            return None
        reading = indicators.read([str(folder)])
        held = Indicators.of(reading.rows())
        for problem in reading.problems:
            _log.warning("indicators left out: %s", problem)
        _log.info("%d indicators, %d refused because they name too much or nothing", len(held), held.refused)
        return held

    def _countries(self) -> Countries:
        file = self._places.countries
        try:
            with file.open(encoding="utf-8", errors="replace") as lines:
                return Countries.parse(lines, str(file))
        except FileNotFoundError:
            return Countries()
        except (OSError, InputRefused) as fault:
            _log.error("without countries: %s", fault)
            return Countries()

    def _exceptions(self, *, starting: bool) -> Exceptions:
        """Those of the site's file, and those that were made by an order."""
        files = (self._places.exceptions, self._places.ordered_exceptions)
        written, ordered = (self._exceptions_in(file, starting=starting) for file in files)
        return Exceptions((*written.exemptions, *ordered.exemptions), written.severities)

    def written_exceptions(self) -> tuple[tuple[Exemption, ...], tuple[Exemption, ...]]:
        """As the files stand now: the exceptions of the site's file, and those made by an order."""
        files = (self._places.exceptions, self._places.ordered_exceptions)
        written, ordered = (self._exceptions_in(file, starting=True).exemptions for file in files)
        return written, ordered

    def take_orders(self, ordered: Iterable[ExceptionStand]) -> None:
        """Write down the exceptions that the guard says hold; they are then taken up like a change of any file.

        They stay over a restart, so that what is detected anew is hidden as it was. A disk that refuses is said.
        """
        text = "\n".join(filter(None, map(_written, ordered)))
        file = self._places.ordered_exceptions
        try:
            if file.exists() and file.read_text(encoding="utf-8") == text:
                return
            whole.put(file, text.encode())
        except (OSError, UnicodeError) as fault:
            _log.error(
                "%s: exceptions that were ordered cannot be kept, nothing more is hidden: %s", file, fault
            )

    def _exceptions_in(self, file: Path, *, starting: bool) -> Exceptions:
        try:
            return exception.parse(file.read_text(encoding="utf-8"), str(file))
        except FileNotFoundError:
            return Exceptions()
        except (OSError, UnicodeDecodeError) as fault:
            refused = InputRefused(f"cannot be read: {fault}", where=str(file), now="Mend the file.")
        except InputRefused as fault:
            refused = fault
        if not starting:
            raise refused
        _log.error("nothing is hidden: %s", refused.diagnostics())
        return Exceptions()

    def _mark(self) -> Mark:
        places = self._places
        watched = (
            places.installed_rules / "current",
            places.exceptions,
            places.ordered_exceptions,
            places.indicators,
        )
        return tuple(said for path in watched for said in _stat(path))


def _exemption(told: ExceptionStand) -> Exemption:
    return taming.exemption(
        told.rule, told.traits, reason=told.reason, by=told.by, until=date.fromisoformat(told.until)
    )


def _written(told: ExceptionStand) -> str:
    """The exception as it is kept; nothing when it could not be read again, and would take the others with it."""
    text = exception.written(_exemption(told))
    try:
        exception.parse(text, "ordered")
    except InputRefused as fault:
        _log.error("an exception that was ordered hides nothing: %s", fault.diagnostics())
        return ""
    return text


def _stat(path: Path) -> Mark:
    """Of a link itself, not of what it leads to: it is another link when it leads elsewhere."""
    try:
        found = path.lstat()
    except OSError:
        return (None,)
    return (found.st_ino, found.st_mtime_ns, found.st_size)


class Silences:
    """Tells what exceptions hid, and which have ended: an exception that nobody remembers is a hole."""

    def __init__(self, file: HiddenFile) -> None:
        """``file``: where the counts are kept from one start to the next."""
        self._file = file
        self._of: Detection | None = None
        self._seen: dict[tuple[Exemption, str], int] = {}
        self._told: dict[tuple[Exemption, str], int] = {}
        self._over: set[Exemption | Severity] = set()
        self._counted = _counted(file)
        self._written = Instant(0)
        self._changed = False

    def tell(self, detection: Detection, now: Instant) -> None:
        """Log what is news: the first time, at each doubling (a flood must not flood the log), and each end."""
        if detection is not self._of:  # other exceptions, which begin to count anew
            self._of, self._seen, self._told, self._over = detection, {}, {}, set()
        for key, count in detection.hidden.items():
            self._count(key, count, now)
            if count >= 2 * self._told.get(key, 0):
                self._told[key] = count
                entry, rule = key
                _log.info(
                    "%s: hid rule %s %d times (%a, %a)", entry.where, rule, count, entry.reason, entry.author
                )
        for over in detection.tamed.exceptions.ended(now):
            if over not in self._over:
                self._over.add(over)
                _log.warning(
                    "%s: has ended and is without effect (%a, %a)", over.where, over.reason, over.author
                )
        if now >= after(self._written, KEPT):
            self.keep(now)

    def of(self, exception: str) -> tuple[Hiding, ...]:
        """What one exception hid, by rule. May be called in any thread."""
        return tuple(each for each in tuple(self._counted.values()) if each.exception == exception)

    def keep(self, now: Instant) -> None:
        """Write the counts down, when they are others than those written last."""
        if self._changed:
            self._file.write(tuple(self._counted.values()))
            self._written, self._changed = now, False

    def _count(self, key: tuple[Exemption, str], count: int, now: Instant) -> None:
        more = count - self._seen.get(key, 0)
        if more <= 0 or self._of is None:
            return
        self._seen[key], self._changed = count, True
        entry, rule = key
        before = self._counted.get((entry.id, rule))
        self._counted[entry.id, rule] = Hiding(
            exception=entry.id,
            rule=rule,
            title=self._of.title(rule),
            times=more + (before.times if before else 0),
            first=before.first if before else now,
            last=now,
        )


KEPT = minutes(1)
"""How often the counts are written at most."""


def _counted(file: HiddenFile) -> dict[tuple[str, str], Hiding]:
    try:
        return {(each.exception, each.rule): each for each in file.read()}
    except (OSError, ValueError) as fault:
        _log.error("%s: how often exceptions hid something is counted anew: %s", file.path, fault)
        return {}


def kept_for_long() -> None:
    """Rules stay for long: the collector need not walk them again and again. Those that were in force may go."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
