"""Searching logs with rules: units of work that may be done by several processes, and the rows they give."""

import mmap
import multiprocessing
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import msgspec

from rempart.adapters.collect import evtx, files
from rempart.adapters.collect.files import Batch, LogFile, Shape
from rempart.adapters.collect.packing import UNREADABLE, on_disk
from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.detector import Detection, only_parts
from rempart.detection.exception import Exceptions, Tamed
from rempart.detection.explain import finding, observables
from rempart.detection.finding import Finding
from rempart.detection.glance import Glance
from rempart.detection.indicator import LOOKED_AT, Indicators
from rempart.detection.match import Matcher
from rempart.detection.meaning import Meaning
from rempart.detection.predicates import Compiled
from rempart.detection.rule import Rule, RuleCard, RuleSet
from rempart.detection.surroundings import TOUCHED, Surroundings
from rempart.errors import DecodeError, Problem
from rempart.events.decode import DECODERS, Decoder, decoded, windows
from rempart.events.event import Event
from rempart.instants import Instant

_WINDOWS = "windows-json"
_ALL: Mapping[str, Decoder] = {_WINDOWS: windows.decode, **DECODERS}
_SYSLOG = frozenset({"sshd", "dnsmasq", "syslog"})
"""Programs that share a file: where one of them is found the others may come."""
_MEND_FILE = "Copy the file again; what could be read of it was read."
_MEND_LOG = f"It was left out. docs/logs.md names the {len(_ALL)} kinds that are read."
_MEND_LINE = "The line was left out; every other line was read."


@dataclass(frozen=True, slots=True)
class Row:
    """One rule matched one event, or a correlation was reached by several (``finding.count``)."""

    card: RuleCard
    finding: Finding
    time: Instant | None
    """What the event says; None when it names no time."""
    fields: Mapping[str, Any] | None = None
    """All fields of the event that decided it, when they are asked for."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one process does at a time: a whole EVTX file, or some lines of a text log."""

    source: str
    decoders: tuple[str, ...]
    """Tried in turn on each line, the most particular first."""
    batch: Batch | None
    read: int
    """Bytes of the input done with this unit, counted from the unit before it."""


@dataclass(slots=True)
class Found:
    """What a unit gave."""

    read: int = 0
    events: int = 0
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    hidden: int = 0
    """Findings that an exception of the site hides."""
    parts: list[Event] = field(default_factory=list)
    """Events that a correlation is made of."""


class Search:
    """Rules over units."""

    def __init__(
        self,
        rules: RuleSet,
        surroundings: Surroundings | None = None,
        tamed: Tamed | None = None,
        compiled: Compiled | None = None,
        *,
        indicators: Indicators | None = None,
        behaviour: Behaviour | None = None,
        with_event: bool = False,
        with_parts: bool = False,
    ) -> None:
        """``surroundings``, ``tamed``: of a site, when it is known whose logs these are. ``compiled``: databases kept.
        ``indicators`` are held against every event; ``behaviour`` needs the events in order, so in one process.
        ``with_event``: rows carry all fields of their event. ``with_parts``: rules that only serve a correlation
        (Sigma's ``generate`` is false) give rows too.
        """
        self._matcher = Matcher(rules.rules, compiled)
        self._glance = Glance(
            self._matcher,
            telling=(TOUCHED if surroundings else frozenset()) | (LOOKED_AT if indicators else frozenset()),
            passed=behaviour.passes_over if behaviour else lambda _: True,
        )
        self._compiled = compiled
        self._surroundings = surroundings
        self._tamed = tamed or Tamed(Exceptions(), rules)
        self._indicators = indicators
        self._behaviour = behaviour
        self._with_event = with_event
        self._silent = frozenset[str]() if with_parts else only_parts(rules)
        self._parts = RuleSet(_parts(rules), rules.correlations, ())
        self._in_parts = frozenset(rule.card.id for rule in self._parts.rules)

    def warm(self) -> None:
        """Compile everything, or take it from what is kept; once for all processes."""
        self._matcher.warm()

    def do(self, unit: Unit) -> Found:
        """Match every event of the unit."""
        found = Found(read=unit.read)
        # Indicators are quiet about what they just told: anew for each unit, whatever the number of processes.
        beside = [each for each in (self._indicators and self._indicators.afresh(), self._behaviour) if each]
        places = self._worth(unit)
        if places is not None and unit.batch is not None:
            found.events += len(unit.batch.lines) - len(places)
        for event in _events(unit, places, found.problems):
            found.events += 1
            seen = self._surroundings.describe(event) if self._surroundings else event
            rules = self._matcher.matches(seen)
            if rules:
                self._keep(seen, rules, found)
            for each in beside:
                self._keep_beside(seen, each, found)
        return found

    def _worth(self, unit: Unit) -> list[int] | None:
        """The places of the lines that must be read; None for all, where a glance tells nothing."""
        if unit.batch is None or unit.decoders[0] != _WINDOWS:
            return None
        return self._glance.worth(unit.batch.lines)

    def _keep_beside(self, event: Event, beside: Indicators | Behaviour, found: Found) -> None:
        """What is seen without a rule. An event that names no time says nothing of behaviour or of what has expired."""
        if event.time is None:
            return
        for seen in beside.feed(event, event.time):
            if self._tamed.hiding(seen.rule, event.fields, event.time):
                found.hidden += 1
                continue
            card = self._tamed.card(_card(seen), event.time)
            found.rows.append(self._row(card, replace(seen, level=card.level), event))

    def _keep(self, event: Event, rules: Sequence[Rule], found: Found) -> None:
        time = event.time if event.time is not None else Instant(0)
        for rule in rules:
            if self._tamed.hiding(rule.card.id, event.fields, time):
                found.hidden += 1
                continue
            if rule.card.id in self._silent:
                continue
            card = self._tamed.card(rule.card, time)
            things = observables(card.meaning, event.fields)
            proofs = self._matcher.evidence(rule, event)
            found.rows.append(
                self._row(card, finding(card, event, time, things=things, proofs=proofs), event)
            )
        if any(rule.card.id in self._in_parts for rule in rules):
            found.parts.append(msgspec.structs.replace(event, raw=None))

    def _row(self, card: RuleCard, seen: Finding, event: Event) -> Row:
        return Row(card, seen, event.time, event.fields if self._with_event else None)

    def correlated(self, parts: Iterable[Event]) -> Iterator[Row]:
        """The correlations that these events, put in the order of time, reach."""
        if not self._parts.correlations:
            return
        cards = {each.card.id: each.card for each in self._parts.correlations}
        detection = Detection(
            self._parts,
            surroundings=self._surroundings,
            exceptions=self._tamed.exceptions,
            compiled=self._compiled,
        )
        for event in sorted(parts, key=lambda event: event.time if event.time is not None else 0):
            for seen in detection.feed(event):
                if seen.rule in cards:
                    yield self._row(replace(cards[seen.rule], level=seen.level), seen, event)


def _card(seen: Finding) -> RuleCard:
    """The card of something that is seen without a rule."""
    return RuleCard(
        id=seen.rule,
        name="",
        title=seen.title,
        level=seen.level,
        author=seen.author,
        tags=seen.tags,
        path="",
        meaning=Meaning(kind=seen.kind, outcome=seen.outcome, spoofable=seen.spoofable),
    )


def _parts(rules: RuleSet) -> tuple[Rule, ...]:
    named = {each for correlation in rules.correlations for each in correlation.rules}
    return tuple(rule for rule in rules.rules if rule.card.id in named)


# -- units --------------------------------------------------------------------------------------------------------


def units(logs: Iterable[LogFile], say: Callable[[Problem], None]) -> Iterator[Unit]:
    """The logs cut into units, in order; ``say`` hears of what cannot be read or is no known kind of log."""
    for log in logs:
        if log.shape is Shape.EVTX:
            yield Unit(log.source, (), None, log.size)
            continue
        decoders = recognised(log)
        if not decoders:
            if log.sample:
                say(Problem("no decoder knows this kind of log", log.source, _MEND_LOG))
            continue
        read = 0
        for batch in files.batches(log.source):
            if isinstance(batch, Problem):
                say(batch)
                continue
            yield Unit(log.source, decoders, batch, batch.read - read)
            read = batch.read
            del batch  # not held while the next one is read


def recognised(log: LogFile) -> tuple[str, ...]:
    """The names of the decoders that read one of the first lines, the most particular first; a log may be mixed."""
    names = {name for name, decode in _ALL.items() if any(_reads(decode, line) for line in log.sample)}
    if names & _SYSLOG:
        names |= _SYSLOG
    return tuple(sorted(names, key=lambda name: (name == "syslog", list(_ALL).index(name))))


def _reads(decode: Decoder, line: bytes) -> bool:
    try:
        decoded(decode, line, "", 0)
    except DecodeError:
        return False
    return True


def _events(unit: Unit, places: Iterable[int] | None, problems: list[Problem]) -> Iterator[Event]:
    """The events of the unit; of a text log those of the lines at these places, or all."""
    if unit.batch is None:
        yield from _evtx_events(unit.source, problems)
        return
    decoders = [_ALL[name] for name in unit.decoders]
    lines = unit.batch.lines
    for place in range(len(lines)) if places is None else places:
        record, line = unit.batch.first + place, lines[place]
        if not line or line.isspace():
            continue
        read = _decoded(decoders, line, unit.source, record)
        if isinstance(read, Problem):
            problems.append(read)
        elif read is not None:
            yield read


def _decoded(decoders: Sequence[Decoder], line: bytes, source: str, record: int) -> Event | Problem | None:
    """What the first decoder that reads the line makes of it."""
    refused = ""
    for decode in decoders:
        try:
            return decoded(decode, line, source, record)
        except DecodeError as error:
            refused = refused or error.what
    return Problem(refused, f"{source}:{record}", _MEND_LINE)


def _evtx_events(source: str, problems: list[Problem]) -> Iterator[Event]:
    try:
        with on_disk(source) as path:
            yield from _recorded(path, source, problems)
    except UNREADABLE as fault:
        problems.append(Problem(f"cannot be read: {fault}", source, _MEND_FILE))


def _recorded(path: str, source: str, problems: list[Problem]) -> Iterator[Event]:
    """The events of the file that lies at ``path`` and came from ``source``."""
    for record in evtx.records(path):
        if isinstance(record, Problem):
            problems.append(replace(record, where=source))
            continue
        number, text = record
        try:
            event = decoded(windows.decode, text, source, number)
        except DecodeError as error:
            problems.append(Problem(error.what, f"{source}:{number}", _MEND_LINE))
            continue
        if event is not None:
            yield event


# -- processes ----------------------------------------------------------------------------------------------------

_AHEAD = 2
"""Units that wait for each helper, so that none is idle while this process does one itself."""
_KEPT = 64
"""Units for each process whose findings may wait for one before them that takes longer."""
_ROOM = 32 << 20
"""Bytes for one unit that is handed over: its lines, the longest a line may be beyond them, and what names them."""


@dataclass(slots=True)
class _Slot:
    """Memory that this process and its helpers share. Units go through it: a pipe takes 64 KiB a turn, and for each the
    thread that writes waits for the interpreter, which is searching."""

    memory: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, _ROOM))
    done: Future[Found] | None = None

    @property
    def free(self) -> bool:
        """Whether no helper needs what stands in it."""
        return self.done is None or self.done.done()

    def put(self, unit: Unit) -> bool:
        """Whether there was room for the unit."""
        self.memory.seek(0)
        try:
            pickle.dump(unit, self.memory)
        except ValueError:  # what mmap says of a write beyond its end
            return False
        return True

    def take(self) -> Unit:
        """The unit that was put there, by the process that this one is a fork of."""
        self.memory.seek(0)
        unit: Unit = pickle.load(self.memory)  # noqa: S301
        return unit


_search: Search | None = None
_slots: Sequence[_Slot] = ()
"""What forked processes inherit: rules are compiled once, not once a process."""


def spread(search: Search, work: Iterable[Unit], jobs: int) -> Iterator[Found]:
    """Do the units in ``jobs`` processes; what they found comes in the order of the units.

    This process is one of them: reading a log takes a quarter of the time of searching it, and would leave a core idle.
    """
    if jobs == 1:
        yield from map(search.do, work)
        return
    units = iter(work)
    # The first is done before there are several: what it teaches (gates, values) need not be learned in each.
    yield from map(search.do, islice(units, 1))
    global _search, _slots  # fork hands them on without copying
    _search, _slots = search, [_Slot() for _ in range(_AHEAD * (jobs - 1))]
    waiting: deque[Future[Found]] = deque()
    with ProcessPoolExecutor(jobs - 1, multiprocessing.get_context("fork")) as pool:
        for unit in units:
            waiting.append(_handed(unit, pool) or _done(search.do(unit)))
            while waiting and (waiting[0].done() or len(waiting) > _KEPT * jobs):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _handed(unit: Unit, pool: ProcessPoolExecutor) -> Future[Found] | None:
    """What a helper will find in the unit; None when all have enough to do, or it is too large."""
    place = next((place for place, slot in enumerate(_slots) if slot.free), None)
    if place is None or not _slots[place].put(unit):
        return None
    _slots[place].done = pool.submit(_do, place)
    return _slots[place].done


def _do(place: int) -> Found:
    assert _search is not None
    return _search.do(_slots[place].take())


def _done(found: Found) -> Future[Found]:
    future: Future[Found] = Future()
    future.set_result(found)
    return future
