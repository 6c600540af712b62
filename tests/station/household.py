"""People with accounts at a real guard: enrolled by the box's own order, signed in by password, code and passkey."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pyotp

from engine.home import SITE, shipped_policy
from rempart.accounts.conversation import (
    CredentialsKept,
    LinkGood,
    LinkOpened,
    LinkUsed,
    PasskeyAnswer,
    Question,
    SessionOpened,
    SignIn,
)
from rempart.accounts.person import Role
from rempart.adapters.accounts import AccountStore
from rempart.adapters.clock import SystemClock
from rempart.adapters.credentials import RelyingParty
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal
from rempart.adapters.socket import dial, serve
from rempart.engine import facts, orders
from rempart.engine.inputs import Started
from rempart.engine.orders import AnyOrder
from rempart.engine.step import Terms
from rempart.instants import Duration, Instant
from rempart.messages import ChallengeAsked, FromConsole, FromOperator, OrderDone, OrderRejected, ToOperator
from rempart.messages import Ordered as OrderSent
from rempart.site.site import Site
from rempart.station.guard import Guard
from rempart.station.hearing import Hearing
from rempart.station.keychain import Keychain
from rempart.station.recall import facts_of
from rempart.station.status import OBLIGATIONS
from station.passkey import SoftPasskey

_Fact = TypeVar("_Fact", bound=facts.Fact)

ORIGIN = "http://localhost:8440"
PASSWORD = "correct horse battery"


class Movable:
    """A clock that goes on by itself and can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0

    def now(self) -> Instant:
        return Instant(SystemClock().now() + self.ahead)

    def pass_(self, time: Duration) -> None:
        self.ahead += time


@dataclass(slots=True)
class Inhabitant:
    """Somebody with an account: what they know, have and hold."""

    id: str
    passkey: SoftPasskey
    totp: str = ""
    recovery: list[str] = field(default_factory=list)
    session: str = ""
    device: str = ""

    def code(self, clock: Movable, ahead: int = 0) -> str:
        """The generator's code, ``ahead`` time steps from now."""
        return pyotp.TOTP(self.totp).at(clock.now() // 1_000_000 + 30 * ahead)


@dataclass(slots=True)
class Household:
    """A guard, its two sockets, and whoever speaks to them."""

    guard: Guard
    enforcer: MemoryEnforcer
    journal: Journal
    clock: Movable
    folder: Path

    async def ask(self, message: Any, socket: str = "console") -> Any:
        """One question to the guard, in a conversation of its own."""
        connection = await dial(self.folder / socket, incoming=ToOperator)
        try:
            await connection.send(message)
            return await connection.receive()
        finally:
            connection.close()

    async def sealed(self, kind: type[_Fact]) -> list[_Fact]:
        """The facts of a kind in the journal, once everything decided until now has been written."""
        await self.guard._scribe._on_thread(lambda: None)
        return [fact for fact in facts_of(self.journal) if isinstance(fact, kind)]

    async def local(self, order: AnyOrder) -> OrderDone | OrderRejected:
        """An order of the command line on the box."""
        answer: OrderDone | OrderRejected = await self.ask(OrderSent(order=order), "operator")
        return answer

    async def enrol(self, person: str, *roles: Role, passkey: bool = True) -> Inhabitant:
        """Make an account, use its link, and sign in."""
        made = await self.local(
            orders.EnrolPerson(by="root", person=person, name=person.title(), roles=list(roles))
        )
        assert isinstance(made, OrderDone), made
        inhabitant = Inhabitant(person, SoftPasskey(origin=ORIGIN))
        await self.use_link(inhabitant, made.handed, passkey=passkey)
        self.clock.pass_(Duration(30_000_000))  # the next code of the generator
        return await self.sign_in(inhabitant)

    async def use_link(self, inhabitant: Inhabitant, link: str, *, passkey: bool = True) -> CredentialsKept:
        good: LinkGood = await self.ask(LinkOpened(link=link))
        inhabitant.totp = good.totp
        kept: CredentialsKept = await self.ask(
            LinkUsed(
                link=link,
                handle=good.handle,
                password=PASSWORD,
                code=inhabitant.code(self.clock),
                passkey=inhabitant.passkey.made(good.options) if passkey else "",
                where="192.0.2.10",
            )
        )
        assert isinstance(kept, CredentialsKept), kept
        inhabitant.recovery = kept.recovery
        return kept

    async def sign_in(self, inhabitant: Inhabitant) -> Inhabitant:
        opened: SessionOpened = await self.ask(
            SignIn(
                name=inhabitant.id,
                password=PASSWORD,
                code=inhabitant.code(self.clock),
                device=inhabitant.device,
                where="192.0.2.10",
            )
        )
        assert isinstance(opened, SessionOpened), opened
        inhabitant.session, inhabitant.device = opened.secret, opened.device or inhabitant.device
        return inhabitant

    async def confirm(self, inhabitant: Inhabitant, order: AnyOrder) -> PasskeyAnswer:
        """The passkey's answer to the question about this order."""
        question = await self.ask(ChallengeAsked(order=order, session=inhabitant.session))
        assert isinstance(question, Question), question
        return PasskeyAnswer(handle=question.handle, response=inhabitant.passkey.signed(question.options))

    def confirmed_before(self, inhabitant: Inhabitant, order: AnyOrder) -> PasskeyAnswer:
        """The same, whoever it is: as if they might still have given the order when the guard was asked."""
        question = self.guard.reception.question(ChallengeAsked(order=order, session=inhabitant.session))
        return PasskeyAnswer(handle=question.handle, response=inhabitant.passkey.signed(question.options))

    async def give(self, inhabitant: Inhabitant, order: AnyOrder, *, confirmed: bool = False) -> Any:
        """An order through the console."""
        answer = await self.confirm(inhabitant, order) if confirmed else None
        return await self.ask(OrderSent(order=order, session=inhabitant.session, answer=answer))


@asynccontextmanager
async def household(folder: Path, *, stored: bool = True, site: Site = SITE) -> AsyncIterator[Household]:
    """A guard with its sockets in that folder, for as long as the block lasts."""
    clock = Movable()
    journal = Journal.open(folder / "journal.db", folder / "keys", origin="rempart/test", now=clock.now())
    enforcer = MemoryEnforcer()
    guard = Guard(
        Terms(site, shipped_policy(), obligations=OBLIGATIONS),
        journal,
        enforcer,
        clock,
        keychain=Keychain(AccountStore.open(folder / "accounts.db") if stored else None),
        party=RelyingParty(id="localhost", name="Rempart", origins=(ORIGIN,)),
    )
    worker = asyncio.create_task(guard.run())
    await guard.ask(Started(clock.now()))

    own = {os.getuid()}
    doors = [
        await serve(
            folder / "console",
            mode=0o600,
            allowed_uids=own,
            incoming=FromConsole,
            handler=Hearing(guard).console,
            max_connections=64,
        ),
        await serve(
            folder / "operator",
            mode=0o600,
            allowed_uids=own,
            incoming=FromOperator,
            handler=Hearing(guard).operator,
        ),
    ]
    try:
        yield Household(guard, enforcer, journal, clock, folder)
    finally:
        for door in doors:
            await door.close()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        guard.close()
        journal.close()


def visit(folder: Path, talk: Callable[[Household], Awaitable[None]]) -> None:
    """Run a guard with its doors for the length of a talk."""

    async def life() -> None:
        async with household(folder) as home:
            await talk(home)

    asyncio.run(life())
