"""Guard: decides, seals and enforces. Holds CAP_NET_ADMIN and the signing key; checks every order itself.

One task carries out one input at a time, orders before findings. What a step commands is done in the step's order:
nothing is loosened before it is sealed; a tightening is applied while it is being sealed, and is late after `PATIENCE`.
"""

import argparse
import asyncio
import contextlib
import ctypes
import gc
import hashlib
import itertools
import logging
import os
import secrets
import sys
from collections.abc import Awaitable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from rempart.accounts.authority import LOCAL, Authority
from rempart.accounts.conversation import (
    FromVisitor,
    NamesAsked,
    NamesTold,
    PeopleAsked,
    Question,
    ToVisitor,
)
from rempart.accounts.mask import KEY_BYTES, mask
from rempart.accounts.person import INFORMED, Role
from rempart.adapters import masks
from rempart.adapters.accounts import AccountStore
from rempart.adapters.attachments import Attachments
from rempart.adapters.clock import SystemClock
from rempart.adapters.credentials import RelyingParty
from rempart.adapters.enforce.gateway import Gateway
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal
from rempart.adapters.site_file import read_site
from rempart.adapters.socket import Connection, Rate
from rempart.config import Places
from rempart.console.public import PublicFace
from rempart.containment.policy import Policy
from rempart.detection.finding import Finding
from rempart.engine import retention, tell
from rempart.engine.facts import AnyFact, NamesRead, body_of
from rempart.engine.fold.fold import folded
from rempart.engine.hearsay import bounded, number
from rempart.engine.inputs import (
    AnyInput,
    Awaited,
    Command,
    Count,
    Counted,
    Declined,
    Delayed,
    Delivered,
    Enforce,
    Erase,
    Found,
    Listened,
    Notify,
    Ordered,
    PackRead,
    Probed,
    Refuse,
    Repaired,
    Replied,
    Seal,
    Started,
    Ticked,
    WakeAt,
    Witnessed,
)
from rempart.engine.orders import AnyOrder, AttachFile, Contain, EraseFile
from rempart.engine.rights import require
from rempart.engine.state import State, enforcement
from rempart.engine.step import Terms, counts, step
from rempart.engine.why import why
from rempart.errors import (
    EnforcementFailed,
    InputRefused,
    JournalUnwritable,
    OrderRefused,
    RempartError,
)
from rempart.evidence import canonical
from rempart.instants import Instant
from rempart.messages import (
    MAX_FRAME,
    ChallengeAsked,
    CodeReplied,
    CountPersons,
    CutAsked,
    ExceptionsStand,
    ExceptionStand,
    FileAsked,
    FileTold,
    FindingsAccepted,
    FindingsReported,
    Foreseen,
    FromConsole,
    FromGroupDoor,
    FromOperator,
    FromProber,
    FromResolver,
    FromTeller,
    FromWatch,
    IncidentAsked,
    IncidentFile,
    LogsSilent,
    MessageSettled,
    OrderDone,
    OrderRejected,
    PackSeen,
    PersonsCounted,
    ProbeAnswered,
    SimulationAsked,
    Status,
    StatusAsked,
    StatusFollowed,
    TellPeople,
    Why,
    WhyAsked,
)
from rempart.messages import Ordered as OrderSent
from rempart.phrase import Phrase, advice, phrase
from rempart.ports import Clock, Enforcer
from rempart.site.site import Site
from rempart.station.doors import Callers, Door, opened
from rempart.station.ending import ended, stopped
from rempart.station.foresight import foresee
from rempart.station.incident_file import CHECKING, belongs_to, fitting, incident_file
from rempart.station.keychain import Keychain
from rempart.station.leasing import ANSWERS, Leasing
from rempart.station.policy import read_policy
from rempart.station.recall import recall
from rempart.station.reception import Reception
from rempart.station.scribe import Scribe
from rempart.station.status import OBLIGATIONS, SHOWN, status
from rempart.station.users import uid
from rempart.station.warden import READ_BACK, Warden
from rempart.telling.message import Message

_log = logging.getLogger("rempart.guard")

_MOST_REASONS = 200
"""Reasons told of one address: one message must take them."""

_FINDINGS = Rate(per_second=50.0, burst=200.0)
"""Frames a second from watch; what is beyond waits in its own socket."""

_QUESTIONS = Rate(per_second=50.0, burst=200.0)
"""Frames a second from the console; each may ask for the whole status, most ask whose a session is."""


@dataclass(slots=True)
class Handled:
    """What came of one input. ``sealed`` None: sealed late, or nothing was to be sealed."""

    sealed: int | None = None
    enforced: Instant | None = None
    refusal: Refuse | None = None


def _succeed(answer: "asyncio.Future[Handled] | None", handled: Handled) -> None:
    if answer and not answer.done():
        answer.set_result(handled)


def _fail(answer: "asyncio.Future[Handled] | None", fault: RempartError) -> None:
    if answer and not answer.done():
        answer.set_exception(fault)


@dataclass(slots=True)
class _Pending:
    """Loosenings that wait for their seal: the state before the first of them, and all that was decided since."""

    base: State
    decided: list[tuple[AnyFact, ...]] = field(default_factory=list)
    waiting: int = 0


class Guard:
    """The state, and the only hands that change the world."""

    def __init__(
        self,
        terms: Terms,
        journal: Journal,
        enforcer: Enforcer,
        clock: Clock,
        *,
        keychain: Keychain | None = None,
        party: RelyingParty | None = None,
        mask_key: bytes | None = None,
        leasing: Leasing | None = None,
        attachments: Attachments | None = None,
    ) -> None:
        """Without a ``keychain``, what people sign in with is forgotten when the process ends."""
        self.terms = terms
        self.clock = clock
        self._leasing = leasing
        self._attachments = attachments
        self._scribe = Scribe(journal, clock, self._noted)
        self._warden = Warden(enforcer, clock, self._noted, leasing)
        self._inbox: asyncio.PriorityQueue[tuple[int, int, AnyInput, asyncio.Future[Handled] | None]] = (
            asyncio.PriorityQueue(maxsize=4096)
        )
        self._sequence = itertools.count()
        self._wake: asyncio.TimerHandle | None = None
        self._changed = asyncio.Condition()
        self._changes = 0
        self._pending: _Pending | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._told_exceptions = ExceptionsStand(exceptions=[])
        self.watchers: set[Connection] = set()
        self.tellers: set[Connection] = set()
        self.state = recall(journal, terms.site)
        self._party = party or RelyingParty()
        self._mask_key = mask_key or secrets.token_bytes(KEY_BYTES)
        self.reception = Reception(
            keychain or Keychain(None),
            self._party,
            clock,
            lambda: self.state.people,
            self._witness,
            site=terms.site.id,
            sign_on=terms.site.sign_on,
        )

    # -- one input at a time -------------------------------------------------------------------------------------

    async def ask(self, happened: AnyInput, *, urgent: bool = False) -> Handled:
        """Put an input before the engine and wait for what comes of it. Orders are urgent, findings are not."""
        answer: asyncio.Future[Handled] = asyncio.get_running_loop().create_future()
        await self._inbox.put((0 if urgent else 1, next(self._sequence), happened, answer))
        return await answer

    async def run(self) -> None:
        """Carry out inputs until cancelled."""
        while True:
            _, _, happened, answer = await self._inbox.get()
            try:
                await self._carry_out(happened, answer)
            except RempartError as fault:
                _log.error("%s", fault.diagnostics())
                _fail(answer, fault)
            except Exception as defect:  # it costs this input, never the guard: the next may be the cut
                _fail(answer, self._defect(defect, happened))
            await self._tell_change()

    def _defect(self, defect: Exception, happened: AnyInput) -> RempartError:
        """Say that something failed which should not have: in the log, with its trace, and in the journal."""
        _log.exception("a defect stopped one %s", type(happened).__name__, exc_info=defect)
        what = f"a defect stopped one {type(happened).__name__}: {type(defect).__name__}"
        if not isinstance(happened, Repaired):
            said = Repaired(self.clock.now(), what, repaired=False)
            with contextlib.suppress(asyncio.QueueFull):  # it stands in the log
                self._inbox.put_nowait((0, next(self._sequence), said, None))
        return RempartError(
            what,
            now="`rempart status` shows what holds. Its trace is in the guard's log: tell the maintainers.",
        )

    async def _carry_out(self, happened: AnyInput, answer: "asyncio.Future[Handled] | None") -> None:
        """One step, and its commands in order. A loosening goes on in the background until it is sealed."""
        before = self.state
        after_it, commands = step(self._terms(), before, happened)
        seals = [command.facts for command in commands if isinstance(command, Seal)]
        _sealable(seals)
        self.state = after_it
        if self._pending:
            self._pending.decided += seals
        handled = Handled()
        sealing: Awaitable[int | None] | None = None
        try:
            for position, command in enumerate(commands):
                match command:
                    case Seal(facts=decided, urgent=True):
                        sealing = self._scribe.seal_within_patience(decided)
                    case Seal(facts=decided):
                        rest = commands[position + 1 :]
                        self._pending = self._pending or _Pending(before, [decided])
                        self._pending.waiting += 1
                        self._in_background(self._loosen(decided, before, rest, handled, answer))
                        return
                    case _:
                        self._do(command, handled)
        finally:
            if sealing:
                handled.sealed = await sealing
        _succeed(answer, handled)
        self._checkpoint_if_posture_changed(before)
        self._tell_exceptions()

    def _terms(self) -> Terms:
        """What the engine reasons with now."""
        return replace(self.terms, named=self._leasing.named()) if self._leasing else self.terms

    def _do(self, command: Command, handled: "Handled") -> None:
        match command:
            case Enforce(wanted=wanted):
                self._warden.enforce(wanted, only_tighten=self._pending is not None)
                handled.enforced = self.clock.now()
            case Count():
                self._count(command)
            case Notify(messages=messages):
                self._ask_to_tell(messages)
            case Erase(sha256s=sha256s):
                self._in_background(asyncio.to_thread(self._erase, sha256s))
            case Refuse():
                handled.refusal = command
            case WakeAt(at=at):
                self._wake_at(at)
            case Seal():
                raise AssertionError("a step seals once")

    # -- loosening -----------------------------------------------------------------------------------------------

    async def _loosen(
        self,
        decided: tuple[AnyFact, ...],
        before: State,
        rest: tuple[Command, ...],
        handled: "Handled",
        answer: "asyncio.Future[Handled] | None",
    ) -> None:
        """Seal, and only then let through. What comes in meanwhile, a cut above all, does not wait for it."""
        try:
            handled.sealed = await self._scribe.seal(decided)
        except Exception as problem:  # whatever it was: not sealed, not done
            fault = problem if isinstance(problem, RempartError) else JournalUnwritable(repr(problem))
            _log.error("a loosening could not be sealed and was not done: %s", fault.diagnostics())
            self._undo(decided)
            _fail(answer, fault)
            return
        finally:
            self._settled()
        try:
            for command in rest:
                # Later decisions may have tightened since: always what the state wants now.
                self._do(
                    Enforce(enforcement(self.state)) if isinstance(command, Enforce) else command, handled
                )
        except RempartError as fault:
            _fail(answer, fault)
        else:
            _succeed(answer, handled)
        self._checkpoint_if_posture_changed(before)
        self._tell_exceptions()
        await self._tell_change()

    def _undo(self, decided: tuple[AnyFact, ...]) -> None:
        """Make it that this never happened: what else was decided since is folded onto the state before."""
        pending = self._pending
        assert pending
        pending.decided = [other for other in pending.decided if other is not decided]
        others = (fact for facts in pending.decided for fact in facts)
        undone = folded(pending.base, self.terms.site, others)
        self.state = replace(undone, tallies=self.state.tallies)

    def _settled(self) -> None:
        """One loosening waits no longer."""
        assert self._pending
        self._pending.waiting -= 1
        if not self._pending.waiting:
            self._pending = None

    async def _noted(self, happened: Delayed | Repaired) -> None:
        await self.ask(happened, urgent=True)

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _tell_change(self) -> None:
        async with self._changed:
            self._changes += 1
            self._changed.notify_all()

    # -- time and truth ------------------------------------------------------------------------------------------

    def _wake_at(self, at: Instant) -> None:
        if self._wake:
            self._wake.cancel()
        loop = asyncio.get_running_loop()
        delay = max(0.0, (at - self.clock.now()) / 1_000_000) + 0.005
        self._wake = loop.call_later(min(delay, 3600.0), self._tick)

    def _tick(self) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # a full inbox ticks again with the next deadline
            self._inbox.put_nowait((0, next(self._sequence), Ticked(self.clock.now()), None))

    async def read_back(self) -> None:
        """Compare the world with the journal every few seconds and repair what differs."""
        while True:
            await self._compare()
            self._tick()
            await self._scribe.snapshot_if_due(lambda: msgspec.json.encode(self.state))
            await asyncio.sleep(0.3 if self._warden.fault else READ_BACK)

    async def _compare(self) -> None:
        if await self._warden.compare(enforcement(self.state), only_tighten=self._pending is not None):
            await self._tell_change()

    def _checkpoint_if_posture_changed(self, before: State) -> None:
        if self.state.posture is not before.posture:
            self._in_background(self._scribe.checkpoint())

    # -- those who speak to the guard ----------------------------------------------------------------------------

    async def hear_watch(self, connection: Connection) -> None:
        """Findings, counts and silent logs in; accepted ids out. Watch can say nothing else.

        A finding that fails is accepted all the same: sent again and again, it would keep the others out.
        """
        self.watchers.add(connection)
        for question in counts(self.state):
            self._count(question)
        await connection.send(self._exceptions())
        try:
            while (message := await connection.receive()) is not None:
                while self._scribe.burdened:  # noqa: ASYNC110  what is waited for is a disk
                    await asyncio.sleep(READ_BACK)
                match message:
                    case FindingsReported(findings=findings):
                        for finding in findings:
                            await self._take(finding)
                        await connection.send(FindingsAccepted(ids=[f.id for f in findings]))
                    case PersonsCounted():
                        await self._take(message)
                    case LogsSilent(logs=logs):
                        await self._heed(Listened(self.clock.now(), frozenset(logs)))
        finally:
            self.watchers.discard(connection)

    def _exceptions(self) -> ExceptionsStand:
        """The exceptions that hold and are sealed, as watch is told them."""
        sealed = self._pending.base if self._pending else self.state
        return ExceptionsStand(
            exceptions=[
                ExceptionStand(
                    rule=each.rule, traits=list(each.traits), reason=each.reason, by=each.by, until=each.until
                )
                for name, each in self.state.taming.held.items()
                if name in sealed.taming.held
            ]
        )

    def _tell_exceptions(self) -> None:
        """Tell watch what it hides, when that is other than what it was told last."""
        if (stand := self._exceptions()) != self._told_exceptions:
            self._told_exceptions = stand
            for watcher in tuple(self.watchers):
                self._in_background(_send(watcher, stand))

    async def _take(self, said: Finding | PersonsCounted) -> None:
        try:
            await self.ask(_heard(said, self.clock.now()))
        except InputRefused as fault:
            _log.warning("watch: %s", fault.diagnostics())
        except RempartError:  # `run` has said it
            return

    async def hear_teller(self, connection: Connection) -> None:
        """What became of messages in; messages out. Whatever is owed is asked for again when it comes back."""
        self.tellers.add(connection)
        self._ask_to_tell(tell.owed(self.terms.site, self.state, self.clock.now()))
        try:
            while (message := await connection.receive()) is not None:
                match message:
                    case MessageSettled(alert=alert, delivery=delivery):
                        await self._take_in(Delivered(self.clock.now(), delivery, alert))
                    case CodeReplied(role=role, code=code):
                        await self._take_in(Replied(self.clock.now(), role, code))
        finally:
            self.tellers.discard(connection)

    async def _take_in(self, happened: AnyInput) -> None:
        with contextlib.suppress(RempartError):  # `run` has said it
            await self.ask(happened)

    def _ask_to_tell(self, messages: tuple[Message, ...]) -> None:
        """Hand messages to the sender, which keeps them on disk; without one they stay owed."""
        if messages:
            for teller in tuple(self.tellers):
                self._in_background(_send(teller, TellPeople(messages=list(messages))))

    async def hear_prober(self, connection: Connection) -> None:
        """What services answer, and how the downtime pack lies. The prober can say nothing else."""
        while (message := await connection.receive()) is not None:
            now = self.clock.now()
            match message:
                case ProbeAnswered(probe=probe, answered=answered, detail=detail):
                    await self._heed(Probed(now, probe, answered, detail))
                case PackSeen(sha256=sha256, written=written):
                    await self._heed(PackRead(now, sha256, Instant(written)))

    async def _heed(self, said: AnyInput) -> None:
        with contextlib.suppress(RempartError):  # `run` has said it; it is asked again anyway
            await self.ask(said)

    async def hear_group(self, connection: Connection) -> None:
        """The group's door: the cut, and nothing else. Who asks was proved by a certificate there, not here."""
        while (message := await connection.receive()) is not None:
            asked: CutAsked = message
            await connection.send(await self._obey(Contain(by=asked.by, reason=asked.reason), LOCAL))

    async def hear_operator(self, connection: Connection) -> None:
        """The local command line: every order, believed because the kernel says whose process it is."""
        while (message := await connection.receive()) is not None:
            match message:
                case OrderSent(order=order, content=content):
                    await connection.send(await self._obey(order, LOCAL, content))
                case SimulationAsked(order=order):
                    await connection.send(foresee(self.terms, self.state, order, self.clock.now()))
                case WhyAsked(address=address):
                    await connection.send(self._why(address))
                case PeopleAsked():
                    await connection.send(self.reception.everybody())
                case NamesAsked():
                    await connection.send(await self._names(message, local=True))
                case IncidentAsked():
                    await connection.send(self._incident(message, CHECKING))
                case FileAsked():
                    await connection.send(await self._file(message, CHECKING))
                case _:
                    await self._tell(connection, message)

    def _why(self, address: str) -> Why | OrderRejected:
        """What stops packets of an address. Without the kernel's counters it is told all the same."""
        try:
            counted = self._warden.refused()
        except RempartError:
            counted = {}
        try:
            reasons = why(self.terms.site, self.state, address, counted)
        except InputRefused as fault:
            return rejected(fault)
        return Why(reasons=list(reasons[:_MOST_REASONS]))

    async def hear_console(self, connection: Connection) -> None:
        """The console: believed in nothing. Each order is proved by its person, or refused."""
        while (message := await connection.receive()) is not None:
            match message:
                case OrderSent():
                    await connection.send(await self._obey_visitor(message))
                case ChallengeAsked():
                    await connection.send(await self._question(message))
                case SimulationAsked():
                    await connection.send(self._foreseen(message))
                case NamesAsked():
                    await connection.send(await self._names(message, local=False))
                case IncidentAsked(session=session):
                    await connection.send(self._incident(message, self.reception.roles(session)))
                case FileAsked(session=session):
                    await connection.send(await self._file(message, self.reception.roles(session)))
                case StatusAsked() | StatusFollowed():
                    await self._tell(connection, message)
                case _:
                    await connection.send(await self._receive(message))

    async def _tell(self, connection: Connection, asked: StatusAsked | StatusFollowed) -> None:
        match asked:
            case StatusAsked():
                await connection.send(self.status())
            case StatusFollowed():
                await self._follow(connection)

    async def _receive(self, asked: FromVisitor) -> ToVisitor | OrderRejected:
        try:
            return await self.reception.answer(asked)
        except RempartError as fault:
            return rejected(fault)

    async def _question(self, asked: ChallengeAsked) -> Question | OrderRejected:
        """The question for a passkey, to somebody whose order would be right once it has answered.

        Whoever may not give the order is told so, and who may, before they look for their passkey. It proves nothing:
        `step` asks again when the order comes, by the roles and doors that there are then.
        """
        try:
            require(self.state, asked.order, self.reception.authority_to_be(asked))
            return self.reception.question(asked)
        except OrderRefused as fault:
            return await self._declined(asked.order, fault)

    async def _declined(self, order: AnyOrder, fault: OrderRefused) -> OrderRejected:
        """Seal that an order was refused before it came to the engine."""
        declined = Declined(self.clock.now(), type(order).__name__, order.by, fault.what)
        await self.ask(declined, urgent=True)
        return rejected(fault)

    def _foreseen(self, asked: SimulationAsked) -> Foreseen | OrderRejected:
        """What an order would do, to those who may see everything; each order costs one step of the engine."""
        if not self.reception.roles(asked.session) & INFORMED:
            return rejected(OrderRefused("roles", roles=sorted(INFORMED)))
        return foresee(self.terms, self.state, asked.order, self.clock.now())

    async def _obey_visitor(self, sent: OrderSent) -> OrderDone | OrderRejected:
        try:
            authority = self.reception.authority(sent)
        except OrderRefused as fault:
            return await self._declined(sent.order, fault)
        return await self._obey(sent.order, authority, sent.content)

    async def _obey(
        self, order: AnyOrder, authority: Authority, content: bytes = b""
    ) -> OrderDone | OrderRejected:
        received = self.clock.now()
        try:
            self.reception.check(order)
            if isinstance(order, AttachFile):
                await self._keep(Ordered(received, order, authority), content)
            if isinstance(order, EraseFile) and not self._holds(order.sha256):
                raise OrderRefused("no-such-file")
        except OrderRefused as fault:
            return await self._declined(order, fault)
        try:
            handled = await self.ask(Ordered(received, order, authority), urgent=True)
            if handled.refusal:
                return _refused(handled.refusal.said)
            handed = await self.reception.carry_out(order)
            if isinstance(order, EraseFile) and self._attachments:
                await asyncio.to_thread(self._attachments.erase, order.sha256)
        except RempartError as fault:
            return rejected(fault)
        return OrderDone(
            received=received,
            sealed=handled.sealed,
            enforced=handled.enforced,
            late=handled.enforced is not None and handled.sealed is None,
            handed=handed,
            console=next(iter(self._party.origins), "") if handed else "",
        )

    async def _keep(self, ordered: Ordered, content: bytes) -> None:
        """Put an attached file on the disk before its hash is sealed, if the order will not be refused."""
        order = ordered.order
        assert isinstance(order, AttachFile)
        if len(content) != order.size or hashlib.sha256(content).hexdigest() != order.sha256:
            raise OrderRefused("other-file")
        _, commands = step(self._terms(), self.state, ordered)
        if any(isinstance(command, Refuse) for command in commands):
            return  # it is refused, and the refusal sealed, when it is carried out
        if self._attachments is None:
            raise OrderRefused("keeps-no-files")
        await asyncio.to_thread(self._attachments.keep, content)

    def _holds(self, sha256: str) -> bool:
        return self._attachments is not None and self._attachments.holds(sha256)

    def finish_erasing(self) -> None:
        """Erase what a crash or a fault of the disk left of files whose erasure is sealed."""
        self._erase(retention.erased(self.state.kept))

    def _erase(self, sha256s: Iterable[str]) -> None:
        for sha256 in sha256s:
            if self._attachments:
                try:
                    self._attachments.erase(sha256)
                except InputRefused as fault:
                    _log.error("%s", fault.diagnostics())

    def _incident(self, asked: IncidentAsked, roles: frozenset[Role]) -> IncidentFile | OrderRejected:
        """An incident as somebody with these roles may see it."""
        name = belongs_to(self.state, asked.incident)
        if name is None:
            return rejected(OrderRefused("no-incident", incident=asked.incident))
        told = incident_file(
            self.terms.site, self.state, name, self.clock.now(), roles=roles, masked=self._mask
        )
        return fitting(told)

    async def _file(self, asked: FileAsked, roles: frozenset[Role]) -> FileTold | OrderRejected:
        """An attached file, to those who check on things."""
        case = self.state.cases.get(asked.incident)
        held = [each for each in case.files if each.sha256 == asked.sha256] if case else []
        file = next((each for each in held if each.erased is None), None)
        try:
            if not roles & CHECKING:
                raise OrderRefused("roles", roles=sorted(CHECKING))
            if file is None or self._attachments is None:
                raise OrderRefused("no-such-file")
            content = await asyncio.to_thread(self._attachments.read, file.sha256)
        except RempartError as fault:
            return rejected(fault)
        return FileTold(name=file.name, sha256=file.sha256, content=content)

    async def _witness(self, seen: Witnessed) -> None:
        """Seal what happened at the door. When even that fails, `run` has said it: nobody is kept out by it."""
        with contextlib.suppress(RempartError):
            await self.ask(seen, urgent=True)

    async def _follow(self, connection: Connection) -> None:
        """Send the status at each change, at most five a second; what changes in between is not missed."""
        while True:
            sent = self._changes
            await connection.send(self.status())
            await asyncio.sleep(0.2)
            async with self._changed:
                await self._changed.wait_for(lambda: self._changes != sent)  # noqa: B023  waited for within the turn

    def _count(self, wanted: Count) -> None:
        question = CountPersons(
            request=wanted.incident,
            addresses=list(wanted.addresses),
            since=wanted.since,
            accounts=list(wanted.accounts),
        )
        for watcher in tuple(self.watchers):
            self._in_background(_send(watcher, question))

    def close(self) -> None:
        """Let what is being sealed be sealed. After it nothing more can be."""
        self._warden.close()
        self._scribe.close()
        self.reception.close()

    def _mask(self, incident: str, account: str) -> str:
        return mask(self._mask_key, incident, account)

    async def _names(self, asked: NamesAsked, *, local: bool) -> NamesTold | OrderRejected:
        """Who stands behind an incident's masks, to whoever may know; that they were told is sealed first."""
        unmasking, now = self.state.unmaskings.get(asked.incident), self.clock.now()
        incident = self.state.incidents.get(asked.incident)
        try:
            by = "" if local else self.reception.reader_of_names(asked.session)
            if incident is None or unmasking is None or not unmasking.holds(now):
                raise OrderRefused("behind-masks")
            read = NamesRead(at=now, incident=asked.incident, by=by)
            await self.ask(Witnessed(now, read), urgent=True)
        except RempartError as fault:
            return rejected(fault)
        names = {self._mask(incident.id, account): account for account in sorted(incident.accounts)}
        return NamesTold(incident=incident.id, names=names, until=unmasking.until or now)

    def status(self) -> Status:
        """The state as everybody may see it, in one frame."""
        shown = SHOWN
        while len(msgspec.json.encode(told := self._status(shown))) > MAX_FRAME and shown:
            shown //= 2
        return told

    def _status(self, shown: int) -> Status:
        count, root = self._scribe.head
        return status(
            self.terms.site,
            self.state,
            self.clock.now(),
            head=(count, root.hex()),
            verified=self._warden.verified,
            fault=self._warden.fault,
            shown=shown,
            names=self._leasing.refused if self._leasing else None,
            masked=self._mask,
        )


def rejected(fault: RempartError) -> OrderRejected:
    """A refusal or a failure as it is told: its own English, and a phrase for every other language."""
    if isinstance(fault, OrderRefused):
        return _refused(fault.said)
    key = next((key for kind, key in _FAILED.items() if isinstance(fault, kind)), "defect")
    return OrderRejected(what=fault.what, now=fault.now, said=phrase(key, detail=fault.what))


_FAILED: dict[type[RempartError], str] = {JournalUnwritable: "unsealable", EnforcementFailed: "unenforced"}


def _refused(said: Phrase) -> OrderRejected:
    return OrderRejected(what=said.text, now=advice(said), said=said)


def _sealable(seals: Iterable[tuple[AnyFact, ...]]) -> None:
    """What cannot be sealed is not decided. Raises `InputRefused`."""
    try:
        for fact in itertools.chain.from_iterable(seals):
            canonical.encode(body_of(fact))
    except canonical.NotCanonical as fault:
        raise InputRefused(f"what follows from it cannot be sealed: {fault}") from fault


def _heard(said: Finding | PersonsCounted, now: Instant) -> AnyInput:
    """What watch says, as the engine may take it. Raises `InputRefused`."""
    if isinstance(said, Finding):
        return Found(now, bounded(said))
    return Counted(now, said.request, number(said.persons), number(said.records_opened))


async def _send(peer: Connection, message: msgspec.Struct) -> None:
    with contextlib.suppress(ConnectionError):  # it comes back and is asked again
        await peer.send(message)


async def serve_guard(
    places: Places, site: Site, policy: Policy, *, callers: Callers, party: RelyingParty
) -> None:
    """Run the guard until SIGTERM. Raises when the journal is broken: better no guard than a false one."""
    clock = SystemClock()
    journal = _journal(places, site, clock)
    gateway = Gateway(site, places, PublicFace(site)) if site.enforces else None
    leasing = Leasing(site, gateway, clock) if gateway and site.resolver else None
    guard = Guard(
        Terms(site, policy, obligations=OBLIGATIONS),
        journal,
        gateway or MemoryEnforcer(),
        clock,
        keychain=_keychain(places),
        mask_key=_mask_key(places),
        party=party,
        leasing=leasing,
        attachments=Attachments(places.attachments),
    )
    require_held(site, guard.state, places)
    guard.finish_erasing()
    tasks = [asyncio.create_task(guard.run())]
    await _take_up(guard)
    try:
        async with opened(_doors(guard, places, callers, leasing), own=os.geteuid()):
            tasks.append(asyncio.create_task(guard.read_back()))
            await stopped(tasks)
    finally:
        await _cancel(tasks)
        guard.close()
        with contextlib.suppress(JournalUnwritable):  # said already, and nothing is lost: the head is signed
            journal.checkpoint(at=clock.now())
        journal.close()


def require_held(site: Site, state: State, places: Places) -> None:
    """Raises `InputRefused` when the site is cut and nothing of ours would hold the cut: no page may say that it is."""
    if state.contained and not site.enforces:
        raise InputRefused(
            "the site is cut, and a station that only watches would hold nothing of it",
            where=f"{places.site}, placement",
            now='Set placement = "gateway" again and end the containment first.',
        )


async def _take_up(guard: Guard) -> None:
    """Bring the world to what the journal says, before anybody is heard."""
    try:
        await guard.ask(Started(guard.clock.now()), urgent=True)
    except EnforcementFailed as fault:
        # The proxy starts after us; the kernel part is loaded first. What remains is repaired by reading back.
        _log.warning("not everything could be enforced yet: %s", fault.diagnostics())
    await guard.ask(Awaited(guard.clock.now()), urgent=True)
    # What is here stays: the collector need not walk a hundred thousand objects while somebody waits for a cut.
    gc.collect()
    gc.freeze()


def _doors(guard: Guard, places: Places, callers: Callers, leasing: Leasing | None) -> Iterator[Door]:
    """Who may come where, in the order in which they open."""
    if leasing:
        resolver = frozenset({callers.resolver})
        yield Door(places.resolver_socket, resolver, FromResolver, leasing.hear, ANSWERS)
    for socket, caller, incoming, handler, rate in (
        (places.watch_socket, callers.watch, FromWatch, guard.hear_watch, _FINDINGS),
        (places.teller_socket, callers.teller, FromTeller, guard.hear_teller, _QUESTIONS),
        (places.probe_socket, callers.prober, FromProber, guard.hear_prober, _QUESTIONS),
    ):
        yield Door(socket, frozenset({caller}), incoming, handler, rate)
    console = frozenset({callers.console})
    yield Door(
        places.console_socket, console, FromConsole, guard.hear_console, _QUESTIONS, max_connections=64
    )
    yield Door(places.operator_socket, callers.operators, FromOperator, guard.hear_operator)
    if guard.terms.site.group:
        group = frozenset({callers.group})
        yield Door(places.group_socket, group, FromGroupDoor, guard.hear_group, _QUESTIONS)


async def _cancel(tasks: "list[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _journal(places: Places, site: Site, clock: Clock) -> Journal:
    """The journal; when the disk refuses even that, the same for reading only: the site is defended all the same."""
    try:
        return Journal.open(places.journal, places.keys, origin=f"rempart/{site.id}", now=clock.now())
    except JournalUnwritable as fault:
        if not places.journal.exists():
            raise
        _log.error(
            "%s\nThe site is defended as the journal says; nothing new can be sealed.", fault.diagnostics()
        )
        return Journal.read(places.journal)


def _mask_key(places: Places) -> bytes | None:
    """The key of the masks; when it cannot be had, one for this run: accounts are never shown for want of it."""
    try:
        return masks.key(places.masks)
    except InputRefused as fault:
        _log.error("%s", fault.diagnostics())
        return None


def _keychain(places: Places) -> Keychain:
    """What people sign in with; when its store cannot be used, nothing of it: the box's command line still works."""
    try:
        return Keychain(AccountStore.open(places.accounts))
    except InputRefused as fault:
        _log.error("%s", fault.diagnostics())
        return Keychain(None)


def harden() -> None:
    """No core dumps and no ptrace by other processes of the same user (prctl(2), PR_SET_DUMPABLE)."""
    pr_set_dumpable = 4
    ctypes.CDLL(None).prctl(pr_set_dumpable, 0, 0, 0, 0)


def main() -> int:
    """``python -m rempart.station.guard``: started by `rempart run` or by systemd, never by hand."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="guard: %(message)s", stream=sys.stderr)
    harden()
    places = Places(
        site=arguments.site, state=arguments.state, run=arguments.run, rules=(), policy=arguments.policy
    )
    try:
        site = read_site(places.site)
        policy = read_policy(places.policy)
        asyncio.run(
            serve_guard(
                places,
                site,
                policy,
                callers=_callers(arguments),
                party=RelyingParty(
                    id=arguments.console_name, name=site.name, origins=tuple(arguments.console_origin or ())
                ),
            )
        )
    except RempartError as fault:
        return ended(fault, _log)
    return 0


def _callers(arguments: argparse.Namespace) -> Callers:
    return Callers(
        watch=arguments.watch_uid,
        teller=arguments.teller_uid,
        prober=arguments.prober_uid,
        resolver=arguments.resolver_uid,
        group=arguments.group_uid,
        console=arguments.console_uid,
        operators=frozenset(arguments.operator_uid or [0]),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rempart guard", description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--policy", type=Path)
    parser.add_argument("--watch-uid", type=uid, default=os.geteuid())
    parser.add_argument("--teller-uid", type=uid, default=os.geteuid())
    parser.add_argument("--prober-uid", type=uid, default=os.geteuid())
    parser.add_argument("--resolver-uid", type=uid, default=os.geteuid())
    parser.add_argument("--group-uid", type=uid, default=os.geteuid())
    parser.add_argument("--console-uid", type=uid, default=os.geteuid())
    parser.add_argument("--operator-uid", type=uid, action="append")
    parser.add_argument("--console-name", default="localhost", help="host name that passkeys are made for")
    parser.add_argument("--console-origin", action="append", help="where the pages are: https://name:port")
    return parser


if __name__ == "__main__":
    sys.exit(main())
