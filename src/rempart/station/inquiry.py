"""Inquiry: watch's desk for the console. It answers about findings, exceptions, logs and rules, and does nothing else.

Only the console's user may ask. What asks is believed in nothing: every question is bounded, answered in a thread
beside detection, and read from what was kept with accounts behind masks.
"""

import asyncio
import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import msgspec

from rempart.adapters.socket import Connection, Rate, serve
from rempart.adapters.store.findings import PAGE, FindingStore
from rempart.adapters.store.intake import Intake
from rempart.adapters.supply import RuleFiles, Supply
from rempart.config import Places
from rempart.detection.bunch import Bunch, Kept
from rempart.detection.detector import Detection
from rempart.detection.exception import Exemption
from rempart.detection.inquiry import (
    MOST_NAMED,
    BunchAsked,
    Bunches,
    BunchesAsked,
    BunchTold,
    DayKept,
    ExceptionsAsked,
    ExceptionsTold,
    ExceptionTold,
    FromInquirer,
    Place,
    Preview,
    PreviewAsked,
    ProblemTold,
    RuleFilesTold,
    RulesAsked,
    RulesTold,
    SourcesAsked,
    SourcesTold,
    SourceTold,
    ToInquirer,
    Unanswered,
)
from rempart.detection.preview import EXAMPLES, is_grave
from rempart.detection.trait import Trait, telling
from rempart.engine.taming import exemption
from rempart.errors import Problem, RempartError
from rempart.messages import MAX_FRAME
from rempart.ports import Clock
from rempart.site.site import LogSource
from rempart.station.rulebook import Rulebook, Silences

_log = logging.getLogger("rempart.watch")

_RATE = Rate(per_second=20.0, burst=60.0)
"""Questions a second: detection comes first."""

_CONNECTIONS = 16

_Row = TypeVar("_Row", Bunch, Kept, ExceptionTold)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The desk, and what it answers from."""

    places: Places
    inquirers: frozenset[int]
    """Users who may ask, beside watch's own."""
    clock: Clock
    rulebook: Rulebook
    store: FindingStore
    intake: Intake
    silences: Silences
    detection: Callable[[], Detection]
    """The rules in force now."""
    logs: Sequence[LogSource]
    """The logs that are followed."""

    async def serve(self) -> None:
        """Answer until cancelled. A desk that cannot be opened is said and keeps nothing else from going on."""
        try:
            listener = await serve(
                self.places.inquiry_socket,
                mode=0o666,
                allowed_uids=self.inquirers | {os.geteuid()},
                incoming=FromInquirer,
                handler=self.hear,
                rate=_RATE,
                max_connections=_CONNECTIONS,
            )
        except (RempartError, OSError) as fault:
            _log.error("the console cannot ask about findings: %s", fault)
            return
        async with listener:
            await asyncio.Event().wait()

    async def hear(self, connection: Connection) -> None:
        """Questions in, an answer to each."""
        while (asked := await connection.receive()) is not None:
            try:
                answer = await asyncio.to_thread(self._answered, asked)
            except Exception:
                # A fault of ours met by one crafted value must not end the watch.
                _log.exception("a question could not be answered")
                answer = Unanswered(what="watch cannot answer this now; its log says why")
            await connection.send(answer)

    def _answered(self, asked: FromInquirer) -> ToInquirer:
        match asked:
            case BunchesAsked():
                return self._bunches(asked)
            case BunchAsked():
                return self._bunch(asked)
            case PreviewAsked(rule=rule, traits=traits):
                return self._preview(rule, traits)
            case ExceptionsAsked(skip=skip):
                return self._exceptions(skip)
            case SourcesAsked():
                return SourcesTold(sources=[self._source(log) for log in self.logs])
            case RulesAsked():
                return self._rules()

    # -- findings ------------------------------------------------------------------------------------------------

    def _bunches(self, asked: BunchesAsked) -> Bunches:
        days = self.store.days()
        day = asked.day if asked.day is not None else next((each for each, _ in days), None)
        after = (int(asked.after.level), asked.after.last, asked.after.bunch) if asked.after else None
        found = self.store.bunches(day, level=asked.level, kind=asked.kind, after=after) if day else []
        page = list(_fitting(found))
        end = page[-1] if page and (len(found) == PAGE or len(page) < len(found)) else None
        return Bunches(
            day=day,
            days=[DayKept(day=each, findings=findings) for each, findings in days],
            bunches=page,
            next=Place(level=end.level, last=end.last, bunch=end.id) if end else None,
        )

    def _bunch(self, asked: BunchAsked) -> BunchTold:
        found = self.store.findings(asked.day, asked.bunch, before=asked.before)
        page = list(_fitting(found))
        more = len(found) == PAGE or len(page) < len(found)
        return BunchTold(
            bunch=self.store.bunch(asked.day, asked.bunch),
            findings=page,
            before=page[-1].number if page and more else None,
        )

    def _preview(self, rule: str, traits: Sequence[Trait]) -> Preview:
        wanted = exemption(rule, traits, reason="", by="", until=date.max)
        looked_at = hidden = grave = 0
        oldest: Kept | None = None
        examples: list[Kept] = []
        for oldest, covered in self.store.covered(wanted):
            looked_at += 1
            if covered:
                hidden += 1
                grave += is_grave(oldest.finding)
                if len(examples) < EXAMPLES:
                    examples.append(oldest)
        return Preview(
            looked_at=looked_at,
            hidden=hidden,
            grave=grave,
            since=oldest.read if oldest else None,
            examples=examples,
        )

    # -- exceptions ----------------------------------------------------------------------------------------------

    def _exceptions(self, skip: int) -> ExceptionsTold:
        detection, now = self.detection(), self.clock.now()
        written, ordered = self.rulebook.written_exceptions()
        holding = {each.id for each in detection.tamed.exceptions.exemptions}
        told = [self._exception(detection, each, holding, ordered=False) for each in written]
        told += [self._exception(detection, each, holding, ordered=True) for each in ordered]
        over = {each.id for each in (*written, *ordered) if each.ended(now)}
        told = [msgspec.structs.replace(each, ended=each.id in over) for each in told]
        told.sort(key=lambda each: (each.ended, each.until))
        problems = [str(problem)[:400] for problem in detection.tamed.problems]
        page = list(_fitting(told[skip:]))
        end = skip + len(page)
        return ExceptionsTold(
            exceptions=page, problems=problems[:MOST_NAMED], next=end if end < len(told) else None
        )

    def _exception(
        self, detection: Detection, entry: Exemption, holding: Collection[str], *, ordered: bool
    ) -> ExceptionTold:
        name = entry.id
        hidings = self.silences.of(name)
        return ExceptionTold(
            id=name,
            rules=[detection.title(rule)[:120] for rule in entry.rules[:MOST_NAMED]],
            traits=[
                Trait(name[:120], value.text[:200] if telling(name, value.text) else "")
                for name, values in entry.fields
                for value in values[:20]
            ][:20],
            reason=entry.reason[:400],
            author=entry.author[:120],
            until=entry.until.isoformat(),
            ordered=ordered,
            ended=False,
            in_force=name in holding,
            times=sum(each.times for each in hidings),
            last=max((each.last for each in hidings), default=None),
        )

    # -- logs and rules ------------------------------------------------------------------------------------------

    def _source(self, log: LogSource) -> SourceTold:
        now, stream = self.clock.now(), self.intake.of(log.path)
        return SourceTold(
            source=log.path,
            decoder=log.decoder,
            name=log.name,
            last=stream.last,
            days=self.intake.lines(log.path, now),
            undecoded=sum(stream.undecoded.values()),
            failed=sum(stream.failed.values()),
            failed_at=stream.failure.record if stream.failure else 0,
            failure=stream.failure.reason if stream.failure else "",
            silent=self.intake.silent(log.path, now, log.allowed),
            missing=not Path(log.path).exists(),
            every=stream.every,
            pause=stream.pause,
            patience=stream.patience if log.allowed is None else log.allowed,
        )

    def _rules(self) -> RulesTold:
        reading = self.rulebook.reading
        supply, disk = Supply(self.places.installed_rules), shutil.disk_usage(self.places.events.parent)
        return RulesTold(
            levels=dict(reading.levels),
            refused=_problems(reading.refused),
            refused_more=max(0, len(reading.refused) - MOST_NAMED),
            waiting=_problems(reading.waiting),
            waiting_more=max(0, len(reading.waiting) - MOST_NAMED),
            current=_files(supply, "current"),
            previous=_files(supply, "previous"),
            indicators=reading.indicators,
            free=disk.free,
            disk=disk.total,
        )


def _fitting(told: Sequence[_Row]) -> Iterator[_Row]:
    """As many as one answer takes: values may be long, and JSON writes a control character as six."""
    room = MAX_FRAME // 2
    for each in told[:PAGE]:
        room -= len(msgspec.json.encode(each))
        if room < 0:
            return
        yield each


def _problems(problems: Sequence[Problem]) -> list[ProblemTold]:
    return [
        ProblemTold(what=each.what[:300], where=each.where[-200:], mend=each.mend[:200])
        for each in problems[:MOST_NAMED]
    ]


def _files(supply: Supply, name: str) -> RuleFilesTold | None:
    """An installed set; None when there is none, or when what is known of it cannot be read."""
    try:
        found: RuleFiles | None = supply.current if name == "current" else supply.previous
    except RempartError:
        return None
    if found is None:
        return None
    return RuleFilesTold(
        source=found.source, sha256=found.sha256, installed=found.installed, files=found.kept
    )
