"""Hearing: what each other process may say to the guard, and what it is answered. Nothing is decided here.

Each caller has a door of its own (`rempart.station.doors`), and a conversation of its own here: what the door's type
does not allow to be said ends the conversation before it comes here.
"""

import asyncio
import contextlib
import hashlib
import logging
from typing import TYPE_CHECKING

from rempart.accounts.authority import LOCAL, Authority
from rempart.accounts.conversation import (
    FromVisitor,
    NamesAsked,
    NamesTold,
    PeopleAsked,
    Question,
    ToVisitor,
)
from rempart.accounts.person import INFORMED, Role
from rempart.adapters.socket import Connection
from rempart.detection.finding import Finding
from rempart.engine import inputs, tell
from rempart.engine.facts import NamesRead
from rempart.engine.hearsay import bounded, number
from rempart.engine.inputs import (
    AnyInput,
    Counted,
    Declined,
    Delivered,
    Found,
    Listened,
    Ordered,
    PackRead,
    Probed,
    Refuse,
    Replied,
    Witnessed,
)
from rempart.engine.orders import AnyOrder, AttachFile, Contain, EraseFile
from rempart.engine.rights import require
from rempart.engine.step import counts, step
from rempart.engine.why import why
from rempart.errors import (
    EnforcementFailed,
    InputRefused,
    JournalBroken,
    JournalUnwritable,
    OrderRefused,
    RempartError,
)
from rempart.instants import Instant
from rempart.messages import (
    AccountAsked,
    AccountTold,
    ChallengeAsked,
    CodeReplied,
    CutAsked,
    FileAsked,
    FileTold,
    FindingsAccepted,
    FindingsReported,
    Foreseen,
    IncidentAsked,
    IncidentFile,
    LogsSilent,
    MessageSettled,
    OrderDone,
    OrderRejected,
    PackSeen,
    PersonsCounted,
    ProbeAnswered,
    Rebuilding,
    SimulationAsked,
    StatusAsked,
    StatusFollowed,
    Why,
    WhyAsked,
)
from rempart.messages import Ordered as OrderSent
from rempart.phrase import Phrase, advice, phrase
from rempart.station.account import account_of, masked
from rempart.station.account import fitting as account_fitting
from rempart.station.foresight import foresee
from rempart.station.incident_file import CHECKING, belongs_to, fitting, incident_file
from rempart.station.warden import READ_BACK

if TYPE_CHECKING:  # the guard's process opens its doors upon these conversations
    from rempart.station.guard import Guard

_log = logging.getLogger("rempart.guard")

_MOST_REASONS = 200
"""Reasons told of one address: one message must take them."""

_FOLLOWED = 0.2
"""Seconds at least between two statuses sent to one who follows."""


class Hearing:
    """The conversations of one guard. Each method is one peer's, from its first message to its last."""

    def __init__(self, guard: "Guard") -> None:
        self._guard = guard
        self._accounting = asyncio.Lock()

    # -- the station's other processes ---------------------------------------------------------------------------

    async def watch(self, connection: Connection) -> None:
        """Findings, counts and silent logs in; accepted ids out. Watch can say nothing else.

        A finding that fails is accepted all the same: sent again and again, it would keep the others out.
        """
        guard = self._guard
        guard.watchers.add(connection)
        for question in counts(guard.state):
            guard.count(question)
        await connection.send(guard.exceptions())
        try:
            while (message := await connection.receive()) is not None:
                while guard.burdened:  # noqa: ASYNC110  what is waited for is a disk
                    await asyncio.sleep(READ_BACK)
                match message:
                    case FindingsReported(findings=findings):
                        for finding in findings:
                            await self._take(finding)
                        await connection.send(FindingsAccepted(ids=[f.id for f in findings]))
                    case PersonsCounted():
                        await self._take(message)
                    case LogsSilent(logs=logs):
                        await self._heed(Listened(guard.clock.now(), frozenset(logs)))
                    case Rebuilding(done=done, total=total):
                        await self._heed(inputs.Rebuilding(guard.clock.now(), done, total))
        finally:
            guard.watchers.discard(connection)

    async def teller(self, connection: Connection) -> None:
        """What became of messages in; messages out. Whatever is owed is asked for again when it comes back."""
        guard = self._guard
        guard.tellers.add(connection)
        guard.ask_to_tell(tell.owed(guard.terms.site, guard.state, guard.clock.now()))
        try:
            while (message := await connection.receive()) is not None:
                match message:
                    case MessageSettled(alert=alert, delivery=delivery):
                        await self._heed(Delivered(guard.clock.now(), delivery, alert))
                    case CodeReplied(role=role, code=code):
                        await self._heed(Replied(guard.clock.now(), role, code))
        finally:
            guard.tellers.discard(connection)

    async def prober(self, connection: Connection) -> None:
        """What services answer, and how the downtime pack lies. The prober can say nothing else."""
        while (message := await connection.receive()) is not None:
            now = self._guard.clock.now()
            match message:
                case ProbeAnswered(asked=asked, probe=probe, answered=answered, detail=detail):
                    await self._heed(Probed(now, probe, answered, detail, Instant(asked)))
                case PackSeen(sha256=sha256, written=written):
                    await self._heed(PackRead(now, sha256, Instant(written)))

    async def group(self, connection: Connection) -> None:
        """The group's door: the cut, and nothing else. Who asks was proved by a certificate there, not here."""
        while (message := await connection.receive()) is not None:
            asked: CutAsked = message
            await connection.send(await self.obey(Contain(by=asked.by, reason=asked.reason), LOCAL))

    async def _take(self, said: Finding | PersonsCounted) -> None:
        try:
            await self._heed(_heard(said, self._guard.clock.now()))
        except InputRefused as fault:
            _log.warning("watch: %s", fault.diagnostics())

    async def _heed(self, said: AnyInput) -> None:
        with contextlib.suppress(RempartError):  # `Guard.run` has said it
            await self._guard.ask(said)

    # -- people, on the box and at the console -------------------------------------------------------------------

    async def operator(self, connection: Connection) -> None:
        """The local command line: every order, believed because the kernel says whose process it is."""
        guard = self._guard
        while (message := await connection.receive()) is not None:
            match message:
                case OrderSent(order=order, content=content):
                    await connection.send(await self.obey(order, LOCAL, content))
                case SimulationAsked(order=order):
                    await connection.send(foresee(guard.terms, guard.state, order, guard.clock.now()))
                case WhyAsked(address=address):
                    await connection.send(self._why(address))
                case PeopleAsked():
                    await connection.send(guard.reception.everybody())
                case NamesAsked():
                    await connection.send(await self._names(message, local=True))
                case IncidentAsked():
                    await connection.send(self._incident(message, CHECKING))
                case FileAsked():
                    await connection.send(await self._file(message, CHECKING))
                case AccountAsked():
                    await connection.send(await self._account(message, CHECKING))
                case _:
                    await self._tell(connection, message)

    async def console(self, connection: Connection) -> None:
        """The console: believed in nothing. Each order is proved by its person, or refused."""
        reception = self._guard.reception
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
                    await connection.send(self._incident(message, reception.roles(session)))
                case FileAsked(session=session):
                    await connection.send(await self._file(message, reception.roles(session)))
                case AccountAsked(session=session):
                    await connection.send(await self._account(message, reception.roles(session)))
                case StatusAsked() | StatusFollowed():
                    await self._tell(connection, message)
                case _:
                    await connection.send(await self._receive(message))

    # -- orders --------------------------------------------------------------------------------------------------

    async def _obey_visitor(self, sent: OrderSent) -> OrderDone | OrderRejected:
        try:
            authority = self._guard.reception.authority(sent)
        except OrderRefused as fault:
            return await self._declined(sent.order, fault)
        return await self.obey(sent.order, authority, sent.content)

    async def obey(
        self, order: AnyOrder, authority: Authority, content: bytes = b""
    ) -> OrderDone | OrderRejected:
        """Have an order carried out that comes by this right, and say what came of it."""
        received = self._guard.clock.now()
        try:
            self._guard.reception.check(order)
            if isinstance(order, AttachFile):
                await self._keep(Ordered(received, order, authority), content)
            if isinstance(order, EraseFile) and not self._holds(order.sha256):
                raise OrderRefused("no-such-file")
        except OrderRefused as fault:
            return await self._declined(order, fault)
        try:
            handled = await self._guard.ask(Ordered(received, order, authority), urgent=True)
            done = self._guard.clock.now()
            if handled.refusal:
                return _refused(handled.refusal.said)
            handed = await self._guard.reception.carry_out(order)
            if isinstance(order, EraseFile) and self._guard.attachments:
                await asyncio.to_thread(self._guard.attachments.erase, order.sha256)
        except RempartError as fault:
            return rejected(fault)
        return OrderDone(
            received=received,
            sealed=handled.sealed,
            enforced=handled.enforced,
            done=done,
            late=handled.enforced is not None and handled.sealed is None,
            handed=handed,
            console=next(iter(self._guard.party.origins), "") if handed else "",
        )

    async def _keep(self, ordered: Ordered, content: bytes) -> None:
        """Put an attached file on the disk before its hash is sealed, if the order will not be refused."""
        order = ordered.order
        assert isinstance(order, AttachFile)
        if len(content) != order.size or hashlib.sha256(content).hexdigest() != order.sha256:
            raise OrderRefused("other-file")
        _, commands = step(self._guard.terms_now(), self._guard.state, ordered)
        if any(isinstance(command, Refuse) for command in commands):
            return  # it is refused, and the refusal sealed, when it is carried out
        if self._guard.attachments is None:
            raise OrderRefused("keeps-no-files")
        await asyncio.to_thread(self._guard.attachments.keep, content)

    def _holds(self, sha256: str) -> bool:
        return self._guard.attachments is not None and self._guard.attachments.holds(sha256)

    async def _question(self, asked: ChallengeAsked) -> Question | OrderRejected:
        """The question for a passkey, to somebody whose order would be right once it has answered.

        Whoever may not give the order is told so, and who may, before they look for their passkey. It proves nothing:
        `step` asks again when the order comes, by the roles and doors that there are then.
        """
        try:
            require(self._guard.state, asked.order, self._guard.reception.authority_to_be(asked))
            return self._guard.reception.question(asked)
        except OrderRefused as fault:
            return await self._declined(asked.order, fault)

    async def _declined(self, order: AnyOrder, fault: OrderRefused) -> OrderRejected:
        """Seal that an order was refused before it came to the engine."""
        declined = Declined(self._guard.clock.now(), type(order).__name__, order.by, fault.what)
        await self._guard.ask(declined, urgent=True)
        return rejected(fault)

    # -- questions -----------------------------------------------------------------------------------------------

    def _foreseen(self, asked: SimulationAsked) -> Foreseen | OrderRejected:
        """What an order would do, to those who may see everything; each order costs one step of the engine."""
        if not self._guard.reception.roles(asked.session) & INFORMED:
            return rejected(OrderRefused("roles", roles=sorted(INFORMED)))
        return foresee(self._guard.terms, self._guard.state, asked.order, self._guard.clock.now())

    def _why(self, address: str) -> Why | OrderRejected:
        """What stops packets of an address. Without the kernel's counters it is told all the same."""
        try:
            counted = self._guard.refused()
        except RempartError:
            counted = {}
        try:
            reasons = why(self._guard.terms.site, self._guard.state, address, counted)
        except InputRefused as fault:
            return rejected(fault)
        return Why(reasons=list(reasons[:_MOST_REASONS]))

    async def _tell(self, connection: Connection, asked: StatusAsked | StatusFollowed) -> None:
        match asked:
            case StatusAsked():
                await connection.send(self._guard.status())
            case StatusFollowed():
                await self._follow(connection)

    async def _follow(self, connection: Connection) -> None:
        """Send the status at each change, at most five a second; what changes in between is not missed."""
        guard = self._guard
        while True:
            sent = guard.changes
            await connection.send(guard.status())
            await asyncio.sleep(_FOLLOWED)
            await guard.changed_since(sent)

    async def _receive(self, asked: FromVisitor) -> ToVisitor | OrderRejected:
        try:
            return await self._guard.reception.answer(asked)
        except RempartError as fault:
            return rejected(fault)

    def _incident(self, asked: IncidentAsked, roles: frozenset[Role]) -> IncidentFile | OrderRejected:
        """An incident as somebody with these roles may see it."""
        guard = self._guard
        name = belongs_to(guard.state, asked.incident)
        if name is None:
            return rejected(OrderRefused("no-incident", incident=asked.incident))
        told = incident_file(
            guard.terms.site, guard.state, name, guard.clock.now(), roles=roles, masked=guard.masked
        )
        return fitting(told)

    async def _file(self, asked: FileAsked, roles: frozenset[Role]) -> FileTold | OrderRejected:
        """An attached file, to those who check on things."""
        case = self._guard.state.cases.get(asked.incident)
        held = [each for each in case.files if each.sha256 == asked.sha256] if case else []
        file = next((each for each in held if each.erased is None), None)
        try:
            if not roles & CHECKING:
                raise OrderRefused("roles", roles=sorted(CHECKING))
            if file is None or self._guard.attachments is None:
                raise OrderRefused("no-such-file")
            content = await asyncio.to_thread(self._guard.attachments.read, file.sha256)
        except RempartError as fault:
            return rejected(fault)
        return FileTold(name=file.name, sha256=file.sha256, content=content)

    async def _account(self, asked: AccountAsked, roles: frozenset[Role]) -> AccountTold | OrderRejected:
        """What the journal tells of an incident, to those who check on things. It is read whole, by one at a time."""
        guard, name = self._guard, belongs_to(self._guard.state, asked.incident)
        try:
            if not roles & CHECKING:
                raise OrderRefused("roles", roles=sorted(CHECKING))
            if name is None:
                raise OrderRefused("no-incident", incident=asked.incident)
            if self._accounting.locked():  # whoever waits holds a place at the door, which an order may need
                raise OrderRefused("paper-under-way")
            async with self._accounting:
                told = await asyncio.to_thread(account_of, guard.journal, guard.terms.site, name)
        except RempartError as fault:
            return rejected(fault)
        return AccountTold(account=account_fitting(masked(told, guard.masked)))

    async def _names(self, asked: NamesAsked, *, local: bool) -> NamesTold | OrderRejected:
        """Who stands behind an incident's masks, to whoever may know; that they were told is sealed first."""
        unmasking, now = self._guard.state.unmaskings.get(asked.incident), self._guard.clock.now()
        incident = self._guard.state.incidents.get(asked.incident)
        try:
            by = "" if local else self._guard.reception.reader_of_names(asked.session)
            if incident is None or unmasking is None or not unmasking.holds(now):
                raise OrderRefused("behind-masks")
            read = NamesRead(at=now, incident=asked.incident, by=by)
            await self._guard.ask(Witnessed(now, read), urgent=True)
        except RempartError as fault:
            return rejected(fault)
        names = {self._guard.masked(incident.id, account): account for account in sorted(incident.accounts)}
        return NamesTold(incident=incident.id, names=names, until=unmasking.until or now)


def rejected(fault: RempartError) -> OrderRejected:
    """A refusal or a failure as it is told: its own English, and a phrase for every other language."""
    if isinstance(fault, OrderRefused):
        return _refused(fault.said)
    key = next((key for kind, key in _FAILED.items() if isinstance(fault, kind)), "defect")
    return OrderRejected(what=fault.what, now=fault.now, said=phrase(key, detail=fault.what))


_FAILED: dict[type[RempartError], str] = {
    JournalUnwritable: "unsealable",
    JournalBroken: "unverified",
    EnforcementFailed: "unenforced",
}


def _refused(said: Phrase) -> OrderRejected:
    return OrderRejected(what=said.text, now=advice(said), said=said)


def _heard(said: Finding | PersonsCounted, now: Instant) -> AnyInput:
    """What watch says, as the engine may take it. Raises `InputRefused`."""
    if isinstance(said, Finding):
        return Found(now, bounded(said))
    return Counted(now, said.request, number(said.persons), number(said.records_opened))
