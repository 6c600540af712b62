"""Guard: decides, seals and enforces. Holds CAP_NET_ADMIN and the signing key; checks every order itself.

One task carries out one input at a time, orders before findings. What a step commands is done in the step's order:
nothing is loosened before it is sealed; a tightening is applied while it is being sealed, and is late after `PATIENCE`.
"""

import argparse
import asyncio
import contextlib
import ctypes
import gc
import itertools
import logging
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from rempart.accounts.mask import KEY_BYTES, mask
from rempart.adapters import masks
from rempart.adapters.accounts import AccountStore
from rempart.adapters.attachments import Attachments
from rempart.adapters.clock import SystemClock, reckon
from rempart.adapters.credentials import RelyingParty
from rempart.adapters.enforce.gateway import Gateway
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal
from rempart.adapters.site_file import read_site
from rempart.adapters.socket import Connection, Rate
from rempart.config import Places
from rempart.console.public import PublicFace
from rempart.containment.policy import Policy
from rempart.engine import retention
from rempart.engine.changed import changed
from rempart.engine.facts import AnyFact, body_of
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import (
    AnyInput,
    Awaited,
    Command,
    Count,
    Delayed,
    Enforce,
    Erase,
    Notify,
    Refuse,
    Repaired,
    Seal,
    Started,
    Ticked,
    WakeAt,
    Witnessed,
)
from rempart.engine.state import State, enforcement
from rempart.engine.step import Terms, step
from rempart.engine.timekeeping import Reckoning
from rempart.errors import (
    EnforcementFailed,
    InputRefused,
    JournalUnwritable,
    RempartError,
)
from rempart.evidence import canonical
from rempart.instants import Instant
from rempart.messages import (
    CountPersons,
    ExceptionsStand,
    ExceptionStand,
    FromConsole,
    FromGroupDoor,
    FromOperator,
    FromProber,
    FromResolver,
    FromTeller,
    FromWatch,
    Status,
    TellPeople,
)
from rempart.ports import Clock, Enforcer
from rempart.site.site import Site
from rempart.station.abridged import abridged
from rempart.station.doors import Callers, Door, opened
from rempart.station.ending import ended, stopped
from rempart.station.hearing import Hearing
from rempart.station.keychain import Keychain
from rempart.station.leasing import ANSWERS, Leasing
from rempart.station.meter import Meter
from rempart.station.policy import read_policy
from rempart.station.recall import image, recall
from rempart.station.reception import Reception
from rempart.station.scribe import Scribe
from rempart.station.status import OBLIGATIONS, status
from rempart.station.users import uid
from rempart.station.warden import READ_BACK, SETTLING, Warden
from rempart.telling.message import Message

_log = logging.getLogger("rempart.guard")

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
        reckon: Callable[[], Reckoning] = Reckoning,
    ) -> None:
        """Without a ``keychain``, what people sign in with is forgotten when the process ends.

        ``reckon`` says what is known of the time beside the clock.
        """
        self.terms = terms
        self.clock = clock
        self._reckon = reckon
        self._leasing = leasing
        self.attachments = attachments
        self.journal = journal.path
        """Where the journal lies, for whoever reads it beside the one who writes."""
        self._scribe = Scribe(journal, clock, self._noted)
        self._warden = Warden(enforcer, clock, self._noted, leasing)
        self._meter = Meter(clock, self._warden.refused)
        self._inbox: asyncio.PriorityQueue[tuple[int, int, AnyInput, asyncio.Future[Handled] | None]] = (
            asyncio.PriorityQueue(maxsize=4096)
        )
        self._sequence = itertools.count()
        self._wake: asyncio.TimerHandle | None = None
        self._changed = asyncio.Condition()
        self.changes = 0
        self._pending: _Pending | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._told_exceptions = ExceptionsStand(exceptions=[])
        self._unread = asyncio.Event()
        """Something was enforced and not read back yet."""
        self.watchers: set[Connection] = set()
        self.tellers: set[Connection] = set()
        self.state = recall(journal, terms.site)
        self.party = party or RelyingParty()
        self._mask_key = mask_key or secrets.token_bytes(KEY_BYTES)
        self.reception = Reception(
            keychain or Keychain(None),
            self.party,
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
        after_it, commands = step(self.terms_now(), before, happened)
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

    def terms_now(self) -> Terms:
        """What the engine reasons with now."""
        return replace(self.terms, named=self._leasing.named()) if self._leasing else self.terms

    def _do(self, command: Command, handled: "Handled") -> None:
        match command:
            case Enforce(wanted=wanted):
                self._warden.enforce(wanted, only_tighten=self._pending is not None)
                handled.enforced = self.clock.now()
                self._unread.set()
            case Count():
                self.count(command)
            case Notify(messages=messages):
                self.ask_to_tell(messages)
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
        self.state = changed(undone, tallies=self.state.tallies)

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
            self.changes += 1
            self._changed.notify_all()

    async def changed_since(self, change: int) -> None:
        """Wait until something changed after ``change``, as `changes` counted it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.changes != change)

    # -- time and truth ------------------------------------------------------------------------------------------

    def _wake_at(self, at: Instant) -> None:
        if self._wake:
            self._wake.cancel()
        loop = asyncio.get_running_loop()
        delay = max(0.0, (at - self.clock.now()) / 1_000_000) + 0.005
        self._wake = loop.call_later(min(delay, 3600.0), self._tick)

    def _tick(self) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # a full inbox ticks again with the next deadline
            self._inbox.put_nowait((0, next(self._sequence), Ticked(self.clock.now(), self._reckon()), None))

    async def read_back(self) -> None:
        """Compare the world with the journal every few seconds, and soon after each change; repair what differs."""
        clock = asyncio.get_running_loop().time
        while True:
            self._unread.clear()
            began = clock()
            await self._compare()
            took = clock() - began
            self._tick()
            await self._scribe.snapshot_if_due(lambda: image(self.state))
            # While block comes upon block, reading back takes a tenth of the time at most: orders come first.
            await asyncio.sleep(9 * took)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._unread.wait(), 0.3 if self._warden.fault else READ_BACK)
                await asyncio.sleep(SETTLING)  # whoever ordered has the answer first

    async def _compare(self) -> None:
        self._meter.look(self.terms.site)
        if await self._warden.compare(enforcement(self.state), only_tighten=self._pending is not None):
            await self._tell_change()

    def _checkpoint_if_posture_changed(self, before: State) -> None:
        if self.state.posture is not before.posture:
            self._in_background(self._scribe.checkpoint())

    def finish_erasing(self) -> None:
        """Erase what a crash or a fault of the disk left of files whose erasure is sealed."""
        self._erase(retention.erased(self.state.kept))

    def _erase(self, sha256s: Iterable[str]) -> None:
        for sha256 in sha256s:
            if self.attachments:
                try:
                    self.attachments.erase(sha256)
                except InputRefused as fault:
                    _log.error("%s", fault.diagnostics())

    async def _witness(self, seen: Witnessed) -> None:
        """Seal what happened at the door. When even that fails, `run` has said it: nobody is kept out by it."""
        with contextlib.suppress(RempartError):
            await self.ask(seen, urgent=True)

    # -- those who listen to the guard ---------------------------------------------------------------------------

    def exceptions(self) -> ExceptionsStand:
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
        if (stand := self.exceptions()) != self._told_exceptions:
            self._told_exceptions = stand
            for watcher in tuple(self.watchers):
                self._in_background(_send(watcher, stand))

    def ask_to_tell(self, messages: tuple[Message, ...]) -> None:
        """Hand messages to the sender, which keeps them on disk; without one they stay owed."""
        if messages:
            for teller in tuple(self.tellers):
                self._in_background(_send(teller, TellPeople(messages=list(messages))))

    def count(self, wanted: Count) -> None:
        """Have watch count the persons whose records were reached."""
        question = CountPersons(
            request=wanted.incident,
            addresses=list(wanted.addresses),
            since=wanted.since,
            accounts=list(wanted.accounts),
        )
        for watcher in tuple(self.watchers):
            self._in_background(_send(watcher, question))

    # -- what it shows of itself ---------------------------------------------------------------------------------

    @property
    def burdened(self) -> bool:
        """True while so much waits for the disk that findings had better wait too."""
        return self._scribe.burdened

    def refused(self) -> Mapping[str, int]:
        """How many packets each measure stopped, as the kernel counts them. Raises `EnforcementFailed`."""
        return self._warden.refused()

    def masked(self, incident: str, account: str) -> str:
        """What stands for an account wherever this incident is shown."""
        return mask(self._mask_key, incident, account)

    def status(self) -> Status:
        """The state as everybody may see it, in one frame."""
        count, root = self._scribe.head
        told = status(
            self.terms.site,
            self.state,
            self.clock.now(),
            head=(count, root.hex()),
            verified=self._warden.verified,
            fault=self._warden.fault,
            traffic=self._meter.steps,
            names=self._leasing.refused if self._leasing else None,
            masked=self.masked,
        )
        return abridged(told)

    def close(self) -> None:
        """Let what is being sealed be sealed. After it nothing more can be."""
        self._warden.close()
        self._scribe.close()
        self.reception.close()


def _sealable(seals: Iterable[tuple[AnyFact, ...]]) -> None:
    """What cannot be sealed is not decided. Raises `InputRefused`."""
    try:
        for fact in itertools.chain.from_iterable(seals):
            canonical.encode(body_of(fact))
    except canonical.NotCanonical as fault:
        raise InputRefused(f"what follows from it cannot be sealed: {fault}") from fault


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
        reckon=reckon,
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
    hearing = Hearing(guard)
    if leasing:
        resolver = frozenset({callers.resolver})
        yield Door(places.resolver_socket, resolver, FromResolver, leasing.hear, ANSWERS)
    for socket, caller, incoming, handler, rate in (
        (places.watch_socket, callers.watch, FromWatch, hearing.watch, _FINDINGS),
        (places.teller_socket, callers.teller, FromTeller, hearing.teller, _QUESTIONS),
        (places.probe_socket, callers.prober, FromProber, hearing.prober, _QUESTIONS),
    ):
        yield Door(socket, frozenset({caller}), incoming, handler, rate)
    console = frozenset({callers.console})
    yield Door(places.console_socket, console, FromConsole, hearing.console, _QUESTIONS, max_connections=64)
    yield Door(places.operator_socket, callers.operators, FromOperator, hearing.operator)
    if guard.terms.site.group:
        group = frozenset({callers.group})
        yield Door(places.group_socket, group, FromGroupDoor, hearing.group, _QUESTIONS)


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
