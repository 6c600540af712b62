"""Watch: follows the logs, keeps every line, detects, and reports findings to the guard. It has no privilege.

Hostile bytes are parsed here and nowhere else. What leaves this process are findings, two numbers and names of logs.

    follow    when something stirs, and every 25 ms: read what came (`source`), hand it to the recorder, detect
    record    one thread writes what has come, forty times a second at most (`recorder`)
    speak     findings to the guard until it acknowledges them (`speaking`, `outbox`)
    count     how many persons' care files were opened, as often as the guard asks (`headcount`)
    listen    which logs have fallen silent, told to the guard once a minute
    shelve    findings are kept in bunches for the pages (`shelf`); the console asks for them (`inquiry`)
    renew     rules and exceptions that changed are shown the past, then take over (`heir`)

Decisions and what they cost: docs/adr/0007-event-store.md.
"""

import argparse
import asyncio
import logging
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rempart.accounts.mask import KEY_BYTES
from rempart.adapters import masks
from rempart.adapters.clock import SystemClock
from rempart.adapters.collect.stir import Stir
from rempart.adapters.collect.tail import Lines
from rempart.adapters.site_file import read_site
from rempart.adapters.store.events import Batch, Damage, EventStore
from rempart.adapters.store.findings import FindingStore, Seen
from rempart.adapters.store.hidden import HiddenFile
from rempart.adapters.store.intake import Intake
from rempart.adapters.store.pasts import Kept, Pasts
from rempart.config import Places
from rempart.detection.detector import Detection
from rempart.detection.finding import Finding
from rempart.detection.surroundings import Surroundings
from rempart.detection.trait import traits
from rempart.engine.listening import PACKETS, PROXY
from rempart.errors import InputRefused, RempartError
from rempart.events.event import Event
from rempart.instants import Instant, after, hours, minutes, seconds
from rempart.messages import (
    LogsSilent,
    Rebuilding,
)
from rempart.ports import Clock
from rempart.site.site import Site
from rempart.station.ending import ended
from rempart.station.headcount import Headcounts
from rempart.station.heir import REPLAYED, Succession
from rempart.station.inquiry import Inquiry
from rempart.station.outbox import Outbox
from rempart.station.reading import LATE, Complaints, Reader
from rempart.station.recorder import COMMIT, Recorder
from rempart.station.rulebook import Rulebook, Silences, kept_for_long
from rempart.station.shelf import Shelf
from rempart.station.source import Source, logs, source_of
from rempart.station.speaking import Speaking
from rempart.station.users import uid

_log = logging.getLogger("rempart.watch")

LOOK = 0.001
"""Seconds of rest after a look that followed another so closely: a log written line by line is read by the dozen. (An
event loop's timers are whole milliseconds.) After a look that followed none, the next line is looked at as it comes."""

POLL = 0.025
"""Seconds between two looks when nothing was heard to stir: not every file system tells."""

KEEP = minutes(10)
"""How often what behaviour detectors remember is kept; what came since is read again after a restart."""

LISTEN = 60.0
"""Seconds between two words to the guard about silent logs."""

PROGRESS = 10.0
"""Seconds between two words to the guard about how far a start is."""

INTAKE = 60.0
"""Seconds between two writings of how much of each log came in."""


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
        self._own = {str(places.proxy_log): PROXY, str(places.packets_log): PACKETS}
        rulebook = rulebook or Rulebook(places, site)
        self._clock = clock
        self._store = store
        surroundings = Surroundings.of(site)
        self._intake = Intake(places.intake, clock.now())
        self._complaints = Complaints(self._intake)
        self._reader = Reader(detection, self._complaints, seen=self._note)
        self._gallery = FindingStore(places.findings, _mask_key(places), surroundings.inside_of)
        self._shelf = Shelf(self._gallery)
        self._recorder = Recorder(store)
        self._outbox = Outbox(store.settled)
        self._pasts = Pasts(places.pasts)
        self._headcounts = Headcounts(store, surroundings, clock)
        self._speaking = Speaking(places.watch_socket, self._outbox, self._headcounts, rulebook)
        self._silences = Silences(HiddenFile(places.hidden))
        self._succession = Succession(self._reader, rulebook, self._silences, store, clock)
        self._kept = clock.now()
        self._keeping: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeping.set_result(None)
        self._sources = [source_of(log, store) for log in logs(places, site)]
        self._stir = Stir(source.follower.path.parent for source in self._sources)
        self._inquiry = Inquiry(
            places,
            frozenset({console_uid} if console_uid is not None else ()),
            clock,
            rulebook,
            self._gallery,
            self._intake,
            self._silences,
            lambda: self._reader.detection,
            [source.log for source in self._sources],
        )
        self._next = store.last + 1
        self._read = Instant(0)
        self._newest = store.settled.until
        self._rebuilt = asyncio.Event()
        self._progress = Rebuilding(done=0, total=0)

    def renew(self) -> None:
        """Read the rules and exceptions again, whether or not they seem to have changed."""
        self._succession.ask()

    async def run(self) -> None:
        """Watch until cancelled; then what was read is on the disk."""
        tasks = [
            self._recorder.run(),
            self._follow(),
            self._speaking.run(),
            self._headcounts.answer(self._speaking.say),
            self._renew(),
            self._shelf.run(),
            self._listen(),
            self._keep_intake(),
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
            self._shelf.finish()
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
            self._succession.succeed(self._next - 1)
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

    def _note(self, seen: Finding, event: Event, read: Instant) -> None:
        """Take a finding for the pages."""
        group = self._reader.detection.group_by(seen.rule)
        self._shelf.note(Seen(seen, read, traits(seen, event.fields, group)))

    async def _renew(self) -> None:
        """Other rules may take over, once the past was read again."""
        await self._rebuilt.wait()
        await self._succession.run(lambda: self._newest)

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

    # -- listen --------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Say which logs are silent, again and again: what of it is news, the guard knows. Before, how far it is."""
        while not self._rebuilt.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(PROGRESS):
                    await self._rebuilt.wait()
                    break
            await self._speaking.say(self._progress)
        while True:
            await asyncio.sleep(LISTEN)
            await self._speaking.say(LogsSilent(logs=list(self._silent())))

    async def _keep_intake(self) -> None:
        while True:
            await asyncio.sleep(INTAKE)
            await asyncio.to_thread(self._intake.write, self._clock.now())

    def _silent(self) -> Iterator[str]:
        """The logs that used to speak and are silent, by the names that the guard knows them by."""
        now = self._clock.now()
        for log in (source.log for source in self._sources):
            if self._intake.of(log.path).last is not None and self._intake.silent(log.path, now, log.allowed):
                yield self._own.get(log.path, log.path)


def _mask_key(places: Places) -> bytes:
    """The key of the masks in findings; when it cannot be had, one for this run: accounts are never shown."""
    try:
        places.finding_masks.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return masks.key(places.finding_masks)
    except (InputRefused, OSError) as fault:
        _log.error("masks of findings will not be the same after a restart: %s", fault)
        return secrets.token_bytes(KEY_BYTES)


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
    kept_for_long()
    return detection


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
        kept_for_long()
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
