"""Watch: follows the logs, keeps every line, detects, and reports findings to the guard. It has no privilege.

Hostile bytes are parsed here and nowhere else. What leaves this process are findings, two numbers and names of logs.

    follow    when something stirs, and every 25 ms: read what came, hand it to the recorder, detect
    record    one thread writes what has come, forty times a second at most
    speak     findings to the guard until it acknowledges them; its questions are answered from the store
    listen    which logs have fallen silent, told to the guard once a minute
    shelve    findings are kept in bunches for the pages, once a second; the console asks for them (`inquiry`)
    renew     rules and exceptions that changed are read and made to see the past beside those in force, then take over

Decisions and what they cost: docs/adr/0007-event-store.md.
"""

import argparse
import asyncio
import gc
import logging
import secrets
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from rempart.accounts.mask import KEY_BYTES
from rempart.adapters import masks
from rempart.adapters.clock import SystemClock
from rempart.adapters.collect.grown import RecordFollower
from rempart.adapters.collect.stir import Stir
from rempart.adapters.collect.tail import Follower, Lines
from rempart.adapters.site_file import read_site
from rempart.adapters.socket import Connection, dial
from rempart.adapters.store.events import Batch, Damage, EventStore, Segment, StoreFailed
from rempart.adapters.store.findings import FindingStore, Seen
from rempart.adapters.store.hidden import HiddenFile
from rempart.adapters.store.intake import Intake
from rempart.adapters.store.pasts import Kept, Pasts
from rempart.config import Places
from rempart.detection.detector import Detection
from rempart.detection.finding import Finding
from rempart.detection.surroundings import Surroundings, normal
from rempart.detection.trait import traits
from rempart.engine.listening import PACKETS, PROXY
from rempart.errors import DecodeError, InputRefused, RempartError, StationUnreachable
from rempart.events.decode import DECODERS, decoded
from rempart.events.event import Event
from rempart.events.joining import JOINED
from rempart.instants import Instant, after, hours, minutes, seconds
from rempart.messages import (
    CountPersons,
    ExceptionsStand,
    FindingsAccepted,
    FindingsReported,
    LogsSilent,
    PersonsCounted,
    Rebuilding,
    ToWatch,
)
from rempart.ports import Clock
from rempart.site.site import LogSource, Site
from rempart.station.ending import ended
from rempart.station.inquiry import Inquiry
from rempart.station.outbox import Outbox
from rempart.station.reading import Complaints, Reader, Source
from rempart.station.rulebook import Rulebook, Silences
from rempart.station.users import uid

_log = logging.getLogger("rempart.watch")

LOOK = 0.001
"""Seconds of rest after a look that followed another so closely: a log written line by line is read by the dozen. (An
event loop's timers are whole milliseconds.) After a look that followed none, the next line is looked at as it comes."""

POLL = 0.025
"""Seconds between two looks when nothing was heard to stir: not every file system tells."""

COMMIT = 0.025
"""Seconds between two commits: flash wears by the commit, not by the line."""

PATIENCE = 0.5
"""Seconds a finding waits for its lines to be on the disk, when it must; then it is sent all the same."""

RECONNECT = 0.5
"""Seconds between two calls to a guard that does not answer."""

RECOUNT = 2.0
"""Seconds between two counts of persons for the same question."""

RECOUNTED = minutes(2)
"""How long a question about persons is answered anew: each finding about care files asks it again."""

KEEP = minutes(10)
"""How often what behaviour detectors remember is kept; what came since is read again after a restart."""

UNWRITTEN = 64 << 20
"""Bytes kept in memory while the disk refuses; beyond that the oldest are given up, and it is said."""

SHELVE = 1.0
"""Seconds between two writings of findings for the pages."""

LISTEN = 60.0
"""Seconds between two words to the guard about silent logs."""

PROGRESS = 10.0
"""Seconds between two words to the guard about how far a start is."""

NOTED = 5_000
"""Findings that wait for it at most."""

RENEW = 1.0
"""Seconds between two looks at whether the rules have changed."""

REPLAYED = hours(24)
"""How far back the windows are rebuilt at most: hundreds of thousands of lines a minute are replayed."""

LATE = minutes(1)
"""How much older than its reading an event may be and still be found by a replay."""


# -- how many persons --------------------------------------------------------------------------------------------


class Tally:
    """How many distinct persons' care files were opened as the guard asked. The persons stay here."""

    def __init__(self, asked: CountPersons, surroundings: Surroundings, until: Instant) -> None:
        self.asked = asked
        self.until = until
        """Until when the answer is kept up to date."""
        self.told: PersonsCounted | None = None
        self._surroundings = surroundings
        self._addresses = {address for text in asked.addresses if (address := normal(text))}
        self._persons: set[str] = set()
        self._opened = 0
        self._counted = 0

    @property
    def answer(self) -> PersonsCounted:
        """Numbers only."""
        return PersonsCounted(
            request=self.asked.request, persons=len(self._persons), records_opened=self._opened
        )

    def count(self, store: EventStore) -> None:
        """Count what was stored since the last time."""
        for segment in store.since(Instant(max(0, self.asked.since - LATE)), after=self._counted):
            if isinstance(segment, Damage):
                _log.error("%s: the persons counted may be too few", segment)
                self._counted = segment.last
                continue
            self._counted = segment.id
            for person in self._persons_in(segment):
                self._persons.add(person)
                self._opened += 1

    def _persons_in(self, segment: Segment) -> Iterator[str]:
        if segment.decoder != "nginx":
            return
        for number, body in zip(segment.numbers, segment.bodies, strict=True):
            with suppress(DecodeError):  # counted and told when the line was read first
                event = decoded(DECODERS[segment.decoder], body, segment.source, number)
                if event and self._concerns(event):
                    person = self._surroundings.describe(event).fields.get("person")
                    if isinstance(person, str):
                        yield person

    def _concerns(self, event: Event) -> bool:
        fields = event.fields
        return (
            fields["sc-status"] == 200
            and (event.time or self.asked.since) >= self.asked.since
            and normal(fields.get("c-ip", "")) in self._addresses
            and (not self.asked.accounts or fields.get("cs-username") in self.asked.accounts)
        )


# -- to the disk -------------------------------------------------------------------------------------------------


class Recorder:
    """Brings batches onto the disk in a thread of its own, all that wait at once."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recorder")
        self._waiting: list[Batch] = []
        self._filled = asyncio.Event()
        self._written = asyncio.Condition()
        self._failing = False

    def put(self, batches: Sequence[Batch]) -> None:
        """Have these written, after those put before."""
        for batch in batches:
            if self._waiting and (joined := joint(self._waiting[-1], batch)):
                self._waiting[-1] = joined
            else:
                self._waiting.append(batch)
        self._filled.set()

    async def run(self) -> None:
        """Write what is put, until cancelled."""
        loop = asyncio.get_running_loop()
        begun = -COMMIT
        while True:
            await self._filled.wait()
            await asyncio.sleep(begun + COMMIT - loop.time())
            begun = loop.time()
            self._filled.clear()
            batches, self._waiting = self._waiting, []
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._store.append, batches)
                self._failing = False
            except StoreFailed as fault:
                await self._refused(batches, fault)
            async with self._written:
                self._written.notify_all()

    async def written(self, segment: int) -> None:
        """Wait until the segment is on the disk, `PATIENCE` at most, and not at all while the disk refuses."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE), self._written:
                await self._written.wait_for(lambda: self._failing or self._store.last >= segment)

    async def finish(self) -> None:
        """Write what still waits; nothing may be put any more."""
        await asyncio.to_thread(self._thread.shutdown)
        if self._waiting:
            self._store.append(self._waiting)

    async def _refused(self, batches: list[Batch], fault: StoreFailed) -> None:
        if not self._failing:
            _log.error("%s", fault.diagnostics())
        self._failing = True
        self._waiting = batches + self._waiting
        self._give_up()
        self._filled.set()
        async with self._written:
            self._written.notify_all()
        await asyncio.sleep(1)

    def _give_up(self) -> None:
        """Forget the oldest that wait when they would take too much memory."""
        sizes = [sum(map(len, batch.bodies)) for batch in self._waiting]
        excess, lines = sum(sizes) - UNWRITTEN, 0
        while excess > 0:
            excess -= sizes.pop(0)
            lines += len(self._waiting.pop(0).bodies)
        if lines:
            _log.error("%d lines were detected on but could not be kept: the disk refuses them", lines)


def joint(first: Batch, second: Batch) -> Batch | None:
    """Both as one, when nothing of another source lies between and both count as read at the same instant."""
    if (first.source, first.decoder, first.read) != (second.source, second.decoder, second.read):
        return None
    return replace(second, numbers=[*first.numbers, *second.numbers], bodies=[*first.bodies, *second.bodies])


# -- other rules -------------------------------------------------------------------------------------------------


class Heir:
    """Rules that are to take over: they are shown the past first, so that no window begins anew."""

    def __init__(self, detection: Detection, store: EventStore, newest: Instant) -> None:
        """``newest``: the time of an event, from before which the longest window is shown."""
        self.detection = detection
        self._reader = Reader(detection)
        self._store = store
        self._since = Instant(max(0, newest - min(detection.longest_timespan, REPLAYED) - LATE))
        self.seen = 0
        """The last segment shown."""

    def catch_up(self) -> None:
        """See what was stored since the last time. What is found in it was for the rules in force to tell."""
        for segment in self._store.since(self._since, after=self.seen):
            if isinstance(segment, Damage):
                _log.error("%s", segment)
                self.seen = segment.last
                continue
            self._reader.findings(segment)
            self.seen = segment.id
        self.detection.hidden.clear()


# -- the process -------------------------------------------------------------------------------------------------


class Watch:
    """One site's watch, wired."""

    def __init__(
        self,
        places: Places,
        site: Site,
        detection: Detection,
        store: EventStore,
        clock: Clock,
        rulebook: Rulebook | None = None,
        console_uid: int | None = None,
    ) -> None:
        """``rulebook``: what ``detection`` was read from; without it, changes before now are not noticed.

        ``console_uid``: the user who may ask about findings beside watch's own; None: no other.
        """
        self._socket = places.watch_socket
        self._own = {str(places.proxy_log): PROXY, str(places.packets_log): PACKETS}
        self._rulebook = rulebook or Rulebook(places, site)
        self._clock = clock
        self._store = store
        self._surroundings = Surroundings.of(site)
        self._intake = Intake(places.intake, clock.now())
        self._complaints = Complaints(self._intake)
        self._reader = Reader(detection, self._complaints, seen=self._note)
        self._gallery = FindingStore(places.findings, _mask_key(places), self._surroundings.inside_of)
        self._noted: list[Seen] = []
        self._recorder = Recorder(store)
        self._outbox = Outbox(store.settled)
        self._pasts = Pasts(places.pasts)
        self._silences = Silences(HiddenFile(places.hidden))
        self._kept = clock.now()
        self._keeping: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeping.set_result(None)
        self._sources = [_followed(log, store) for log in logs(places, site)]
        self._stir = Stir(source.follower.path.parent for source in self._sources)
        self._inquiry = Inquiry(
            places,
            frozenset({console_uid} if console_uid is not None else ()),
            clock,
            self._rulebook,
            self._gallery,
            self._intake,
            self._silences,
            lambda: self._reader.detection,
            [source.log for source in self._sources],
        )
        self._next = store.last + 1
        self._read = Instant(0)
        self._newest = store.settled.until
        self._tallies: dict[str, Tally] = {}
        self._asked = asyncio.Event()
        self._connection: Connection | None = None
        self._rebuilt = asyncio.Event()
        self._progress = Rebuilding(done=0, total=0)
        self._renewal = asyncio.Event()
        self._heir: Heir | None = None
        self._succeeded = asyncio.Event()

    def renew(self) -> None:
        """Read the rules and exceptions again, whether or not they seem to have changed."""
        self._renewal.set()

    async def run(self) -> None:
        """Watch until cancelled; then what was read is on the disk."""
        tasks = [
            self._recorder.run(),
            self._follow(),
            self._speak(),
            self._answer_questions(),
            self._renew(),
            self._shelve(),
            self._listen(),
            self._inquiry.serve(),
        ]
        running = [asyncio.ensure_future(task) for task in tasks]
        try:
            await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self._recorder.finish()
            self._store.settle(self._outbox.settled)
            self._silences.tell(self._reader.detection, self._clock.now())
            self._silences.keep(self._clock.now())
            self._gallery.keep(self._noted)
            self._gallery.close()
            self._intake.write(self._clock.now())
            await self._keep_pasts()
            await self._keeping
            for source in self._sources:
                source.follower.close()
            self._stir.close()

    # -- follow --------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        await self._rebuild()
        self._reader.detection.hidden.clear()  # what is read again was told before
        self._rebuilt.set()
        loop = asyncio.get_running_loop()
        begun = 0.0
        while True:
            previous, begun = begun, loop.time()
            behind = await self._look()
            self._succeed()
            if self._clock.now() >= after(self._kept, KEEP):
                await self._keep_pasts()
            await asyncio.sleep(LOOK if begun - previous < LOOK and not behind else 0)
            if not behind:
                await self._stir.wait(POLL)

    async def _look(self) -> bool:
        """Read what came, and see it through to the outbox. True when there is more at once."""
        now = self._clock.now()
        heard = [(source, lines) for source in self._sources if (lines := source.read(self._complaints, now))]
        if not heard:
            return False
        batches = [self._batch(source, lines) for source, lines in heard]
        for batch in batches:
            self._intake.heard(batch.source, len(batch.bodies), batch.read)
        self._recorder.put(batches)
        found = [self._reader.findings(batch) for batch in batches]
        for batch, (_, lines), (findings, until) in zip(batches, heard, found, strict=True):
            if findings and lines.several:
                await self._recorder.written(batch.id)
            self._outbox.put(findings, batch.id, until)
            self._newest = max(self._newest, until)
        self._store.settle(self._outbox.settled)
        return any(lines.more for _, lines in heard)

    def _batch(self, source: Source, lines: Lines) -> Batch:
        if lines.cut:
            _log.warning("%s: %d lines were too long and are kept only in part", lines.path, lines.cut)
        number, self._next = self._next, self._next + 1
        return Batch(
            id=number,
            read=self._moment(),
            source=lines.path,
            decoder=source.log.decoder,
            numbers=lines.numbers,
            bodies=lines.bodies,
            position=lines.position,
        )

    def _moment(self) -> Instant:
        """Now, the same for all that is read between two commits: so that it may be written as one."""
        now = self._clock.now()
        if not 0 <= now - self._read < seconds(COMMIT):
            self._read = now
        return self._read

    async def _rebuild(self) -> None:
        """Feed the stored lines of the longest window again; findings acknowledged before stay unsaid."""
        settled = self._store.settled
        longest = self._reader.detection.longest_timespan
        span = min(longest, REPLAYED)
        if span < longest:
            _log.warning(
                "rules look back further than the %d hours that are rebuilt after a start",
                REPLAYED // hours(1),
            )
        kept = self._pasts.read()
        begin = settled.until if kept is None else min(settled.until, kept.until)
        first = 0
        for segment in self._store.since(Instant(max(0, begin - span - LATE))):
            if kept and kept.segment < (segment.first if isinstance(segment, Damage) else segment.id):
                self._recall(kept)
                kept = None
            if isinstance(segment, Damage):
                _log.error("%s", segment)
                continue
            findings, until = self._reader.findings(segment)
            if segment.id > settled.segment:
                self._outbox.put(findings, segment.id, until)
            first = first or segment.id
            self._progress = Rebuilding(done=segment.id - first + 1, total=self._next - first)
            await asyncio.sleep(0)
        if kept:
            self._recall(kept)

    # -- pasts ---------------------------------------------------------------------------------------------------

    def _recall(self, kept: Kept) -> None:
        """All segments that the kept pasts know were read again: what the detectors made of those gives way to them."""
        try:
            self._reader.detection.recall(kept.pasts)
        except ValueError as fault:
            _log.error("what was usual until now is not understood (%s): it is learnt anew", fault)

    async def _keep_pasts(self) -> None:
        """Keep what behaviour detectors remember, when all that they have seen is stored and told: then nothing is
        missing and nothing seen twice when it is recalled. Nothing waits for the disk.
        """
        last = self._next - 1
        if not self._rebuilt.is_set() or self._outbox.settled.segment < last or not self._keeping.done():
            return
        await self._recorder.written(last)
        if self._store.last >= last:
            self._kept = self._clock.now()
            try:
                kept = Kept(last, self._kept, self._reader.detection.pasts())
            except Exception:
                # A fault of ours met by one crafted value must not end the watch; what was kept before stays.
                _log.exception("what is usual could not be kept")
                return
            self._keeping = asyncio.ensure_future(asyncio.to_thread(self._pasts.write, kept))

    # -- shelve --------------------------------------------------------------------------------------------------

    def _note(self, seen: Finding, event: Event, read: Instant) -> None:
        """Take a finding for the pages. A flood beyond what a second can hold is at the guard, and not on the page."""
        if len(self._noted) < NOTED:
            group = self._reader.detection.group_by(seen.rule)
            self._noted.append(Seen(seen, read, traits(seen, event.fields, group)))

    async def _shelve(self) -> None:
        """Keep findings for the pages, once a second; nothing waits for it."""
        written = self._clock.now()
        while True:
            await asyncio.sleep(SHELVE)
            if noted := self._noted:
                self._noted = []
                await asyncio.to_thread(self._gallery.keep, noted)
            if self._clock.now() >= after(written, minutes(1)):
                written = self._clock.now()
                await asyncio.to_thread(self._intake.write, written)

    # -- listen --------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Say which logs are silent, again and again: what of it is news, the guard knows. Before, how far it is."""
        while not self._rebuilt.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(PROGRESS):
                    await self._rebuilt.wait()
                    break
            await self._say(self._progress)
        while True:
            await asyncio.sleep(LISTEN)
            await self._say(LogsSilent(logs=list(self._silent())))

    async def _say(self, said: LogsSilent | Rebuilding) -> None:
        if self._connection:
            with suppress(ConnectionError):  # said again at the next turn
                await self._connection.send(said)

    def _silent(self) -> Iterator[str]:
        """The logs that used to speak and are silent, by the names that the guard knows them by."""
        now = self._clock.now()
        for log in (source.log for source in self._sources):
            if self._intake.of(log.path).last is not None and self._intake.silent(log.path, now, log.allowed):
                yield self._own.get(log.path, log.path)

    # -- renew ---------------------------------------------------------------------------------------------------

    async def _renew(self) -> None:
        """Take up other rules when they are there; tell what exceptions hide."""
        await self._rebuilt.wait()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW):
                    await self._renewal.wait()
            self._silences.tell(self._reader.detection, self._clock.now())
            if self._renewal.is_set() or self._rulebook.changed():
                self._renewal.clear()
                await self._take_up()

    async def _take_up(self) -> None:
        """Read the rules and show them the past, beside those in force; a set that cannot be used changes nothing."""
        try:
            detection = await asyncio.to_thread(self._rulebook.detection)
            heir = Heir(detection, self._store, self._newest)
            await asyncio.to_thread(heir.catch_up)
        except RempartError as fault:
            _log.error("the rules in force stay, the new ones cannot be used: %s", fault.diagnostics())
            return
        except Exception:
            # A fault of ours met by a crafted rule must not end the watch that works.
            _log.exception("the rules in force stay, the new ones cannot be used")
            return
        self._heir = heir
        self._succeeded.clear()
        await self._succeeded.wait()

    def _succeed(self) -> None:
        """Between two batches, when all that was detected on is stored: the heir sees the rest and takes over."""
        if self._heir is None or self._store.last < self._next - 1:
            return
        self._heir.catch_up()
        self._heir.detection.inherit(self._reader.detection)
        self._reader.detection, self._heir = self._heir.detection, None
        self._succeeded.set()
        _keep()
        _log.info("other rules are in force")

    # -- speak ---------------------------------------------------------------------------------------------------

    async def _speak(self) -> None:
        """Keep a conversation with the guard going."""
        unreachable = False
        while True:
            try:
                connection = await dial(self._socket, incoming=ToWatch)
            except StationUnreachable as fault:
                if not unreachable:
                    _log.warning("findings wait: %s", fault.diagnostics())
                unreachable = True
                await asyncio.sleep(RECONNECT)
                continue
            _log.info("connected to the guard")
            unreachable = False
            await self._converse(connection)
            _log.warning("the guard went away; findings wait")
            await asyncio.sleep(RECONNECT)

    async def _converse(self, connection: Connection) -> None:
        """Send and hear until either ends."""
        self._connection = connection
        sides = [asyncio.ensure_future(side) for side in (self._report(connection), self._hear(connection))]
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._connection = None
            connection.close()
            self._outbox.disconnected()
            for side in sides:
                side.cancel()
            for ended in await asyncio.gather(*sides, return_exceptions=True):
                if isinstance(ended, Exception) and not isinstance(ended, ConnectionError):
                    raise ended

    async def _report(self, connection: Connection) -> None:
        while True:
            if findings := self._outbox.take():
                await _send(connection, findings)
            else:
                await self._outbox.changed()

    async def _hear(self, connection: Connection) -> None:
        while (message := await connection.receive()) is not None:
            match message:
                case FindingsAccepted(ids=ids):
                    self._outbox.accepted(ids)
                case CountPersons():
                    until = after(self._clock.now(), RECOUNTED)
                    self._tallies[message.request] = Tally(message, self._surroundings, until)
                    self._asked.set()
                case ExceptionsStand(exceptions=exceptions):
                    await asyncio.to_thread(self._rulebook.take_orders, exceptions)

    async def _answer_questions(self) -> None:
        """Answer at once, and again while the number rises: the thief goes on while the guard decides."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RECOUNT):
                    await self._asked.wait()
            self._asked.clear()
            for tally in tuple(self._tallies.values()):
                await asyncio.to_thread(tally.count, self._store)
                if tally.answer != tally.told and self._connection:
                    with suppress(ConnectionError):  # tried again at the next count
                        await self._connection.send(tally.answer)
                        tally.told = tally.answer
                if self._clock.now() > tally.until and self._tallies.get(tally.asked.request) is tally:
                    del self._tallies[tally.asked.request]


async def _send(connection: Connection, findings: list[Finding]) -> None:
    """Send findings in as many frames as they need."""
    try:
        await connection.send(FindingsReported(findings=findings))
    except ValueError:  # too long for a frame
        half = len(findings) // 2
        if half:
            await _send(connection, findings[:half])
            await _send(connection, findings[half:])
        else:
            _log.error("%s: sent without its proofs, which do not fit a frame", findings[0].id)
            await connection.send(
                FindingsReported(findings=[replace(findings[0], proofs=(), observables=())])
            )


def logs(places: Places, site: Site) -> tuple[LogSource, ...]:
    """What is followed: the site's logs and the station's own proxy and packet logs, each path once.

    Raises InputRefused when a decoder is not known: a log that nobody reads would be silence that looks like peace.
    """
    own = (
        LogSource(path=str(places.proxy_log), decoder="haproxy"),
        LogSource(path=str(places.packets_log), decoder="ulogd"),
    )
    followed = {log.path: log for log in (*own, *site.logs)}
    for log in followed.values():
        if log.decoder not in DECODERS:
            raise InputRefused(
                f"no decoder is called {log.decoder!a}",
                where=log.path,
                now=f"Known are: {', '.join(DECODERS)}.",
            )
    return tuple(followed.values())


def _mask_key(places: Places) -> bytes:
    """The key of the masks in findings; when it cannot be had, one for this run: accounts are never shown."""
    try:
        places.finding_masks.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return masks.key(places.finding_masks)
    except (InputRefused, OSError) as fault:
        _log.error("masks of findings will not be the same after a restart: %s", fault)
        return secrets.token_bytes(KEY_BYTES)


def _followed(log: LogSource, store: EventStore) -> Source:
    try:
        return Source(log, _follower(log, store.position(log.path)))
    except msgspec.MsgspecError as fault:
        _log.error(
            "%s: how far it was read is not understood (%s): it is read from its beginning", log.path, fault
        )
        return Source(log, _follower(log, None))


def _follower(log: LogSource, position: bytes | None) -> Follower | RecordFollower:
    if log.path.lower().endswith(".evtx"):
        return RecordFollower(Path(log.path), position)
    return Follower(Path(log.path), position, joined=log.decoder in JOINED)


async def run(
    places: Places,
    site: Site,
    detection: Detection,
    *,
    clock: Clock | None = None,
    rulebook: Rulebook | None = None,
    console_uid: int | None = None,
) -> None:
    """Watch the site until SIGTERM or SIGINT; SIGHUP has the rules read again."""
    store = EventStore(places.events)
    watch = Watch(places, site, detection, store, clock or SystemClock(), rulebook, console_uid)
    watching = asyncio.ensure_future(watch.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, watch.renew)
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, watching.cancel)
    try:
        await watching
    except asyncio.CancelledError:
        _log.info("ended; what was read is kept")
    finally:
        store.close()


# -- started by hand-wiring --------------------------------------------------------------------------------------


def detection_of(places: Places, site: Site) -> Detection:
    """The rules of the station, told about the site. Raises InputRefused when no rules are there."""
    detection = Rulebook(places, site).detection(starting=True)
    _keep()
    return detection


def _keep() -> None:
    """Rules stay for long: the collector need not walk them again and again. Those that were in force may go."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def main() -> int:
    """``python -m rempart.station.watch``: started by `rempart run` or by systemd, never by hand."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="watch: %(message)s", stream=sys.stderr)
    places = Places(
        site=arguments.site, state=arguments.state, run=arguments.run, rules=tuple(arguments.rules)
    )
    try:
        site = read_site(places.site)
        rulebook = Rulebook(places, site)
        detection = rulebook.detection(starting=True)
        _keep()
        asyncio.run(run(places, site, detection, rulebook=rulebook, console_uid=arguments.console_uid))
    except RempartError as fault:
        return ended(fault, _log)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rempart watch", description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--rules", type=Path, action="append", default=[])
    parser.add_argument("--console-uid", type=uid, help="the user who may ask about findings")
    return parser


if __name__ == "__main__":
    sys.exit(main())
