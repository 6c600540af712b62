"""Every order given wrongly in every way: by the wrong role, unproved, stale, forged, replayed, in another's name.

Each is sent to a real guard over its console socket. The orders are those of the table of rights, so that a new kind is
tried as soon as somebody has said who may give it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from engine.test_rights import OTHERS, TABLE
from rempart.accounts.authority import Proof
from rempart.accounts.conversation import PasskeyAnswer
from rempart.accounts.credential import Scope
from rempart.accounts.person import Role
from rempart.accounts.session import IDLE
from rempart.engine import orders
from rempart.engine.orders import AnyOrder
from rempart.engine.rights import needs
from rempart.instants import Duration
from rempart.messages import ChallengeAsked, OrderDone, OrderRejected
from rempart.messages import Ordered as OrderSent
from rempart.station.authentication import QUESTION_LASTS
from station.household import Household, Inhabitant
from station.passkey import SoftPasskey

EXAMPLES: tuple[AnyOrder, ...] = tuple(order for order, _, _ in TABLE)
"""One order of each kind, several where what it needs depends on what it says; ``by`` is put in."""


FORGERIES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("no token", "", {}),
    ("wrong token", "wrong", {}),
    ("from another origin", "right", {"origin": "http://evil.example"}),
    ("from an opaque origin", "right", {"origin": "null"}),
    ("from another site", "right", {"sec-fetch-site": "cross-site"}),
    ("from a sibling", "right", {"sec-fetch-site": "same-site"}),
)
"""Ways in which a form is posted that the person did not post: its name, its token, its headers."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One wrong order and what came of it."""

    order: AnyOrder
    wrong: str
    answer: Any

    @property
    def accepted(self) -> bool:
        """Whether the guard did what it should not have."""
        return not isinstance(self.answer, OrderRejected)


class Wrongs:
    """A household with one person for each role, and every wrong way of giving an order."""

    def __init__(self, home: Household, people: dict[Role, Inhabitant]) -> None:
        self.home = home
        self.people = people
        self.ways: dict[str, Callable[[AnyOrder], Awaitable[Any]]] = {
            "nobody signed in": self.nobody,
            "forged token": self.forged,
            "in another's name": self.another_name,
            "asks in another's name": self.another_name_asks,
            "another order's assertion": self.another_order,
            "another person's assertion": self.another_person,
            "another site's page": self.another_origin,
            "late confirmation": self.late,
            "replayed request": self.replayed,
            "token without the scope": self.narrow_token,
            "stale session": self.stale,
            "signed-out session": self.signed_out,
        }

    async def tried(self) -> AsyncIterator[Tried]:
        """Every wrong order, given."""
        self.narrow = await self._token()
        for example in EXAMPLES:
            for role, person in self.people.items():
                if role not in self._roles(example, person):
                    order = structs.replace(example, by=person.id)
                    yield Tried(order, f"role {role.value} asks", await self._asked(order, person))
                    answer = self.home.confirmed_before(person, order)
                    yield Tried(order, f"role {role.value}", await self._send(order, person, answer))
            if self._proof(example) > Proof.SESSION:
                order = self._right(example)
                yield Tried(order, "session alone", await self.home.give(self._who(example), order))
        for wrong, way in self.ways.items():
            for example in EXAMPLES:
                order = self._right(example)
                yield Tried(order, wrong, await way(order))

    # -- wrong ways ----------------------------------------------------------------------------------------------

    async def nobody(self, order: AnyOrder) -> Any:
        return await self.home.ask(OrderSent(order=order))

    async def forged(self, order: AnyOrder) -> Any:
        return await self.home.ask(OrderSent(order=order, session="A" * 43))

    async def another_name(self, order: AnyOrder) -> Any:
        person, other = self._who(order), structs.replace(order, by="somebody.else")
        return await self._send(other, person, self.home.confirmed_before(person, other))

    async def another_name_asks(self, order: AnyOrder) -> Any:
        return await self._asked(structs.replace(order, by="somebody.else"), self._who(order))

    async def another_order(self, order: AnyOrder) -> Any:
        person = self._who(order)
        answer = self.home.confirmed_before(person, structs.replace(order, reason=f"{order.reason}."))
        return await self._send(order, person, answer)

    async def another_person(self, order: AnyOrder) -> Any:
        person, other = self._who(order), self.people[Role.REGION]
        question = self.home.confirmed_before(person, order)
        theirs = self.home.confirmed_before(other, order)
        mixed = PasskeyAnswer(handle=question.handle, response=theirs.response)
        return await self._send(order, person, mixed)

    async def another_origin(self, order: AnyOrder) -> Any:
        person = self._who(order)
        honest = person.passkey
        person.passkey = SoftPasskey(
            origin="http://evil.example", key=honest.key, id=honest.id, count=honest.count
        )
        answer = self.home.confirmed_before(person, order)
        person.passkey, honest.count = honest, person.passkey.count
        return await self._send(order, person, answer)

    async def late(self, order: AnyOrder) -> Any:
        person = self._who(order)
        answer = self.home.confirmed_before(person, order)
        self.home.clock.pass_(QUESTION_LASTS)
        return await self._send(order, person, answer)

    async def replayed(self, order: AnyOrder) -> Any:
        """The same request again; the first time an order is spoilt, so that nothing is really done by it."""
        person = self._who(order)
        answer = self.home.confirmed_before(person, order)
        await self._send(structs.replace(order, by="somebody.else"), person, answer)
        return await self._send(order, person, answer)

    async def narrow_token(self, order: AnyOrder) -> Any:
        return await self.home.ask(OrderSent(order=order, session=self.narrow))

    async def stale(self, order: AnyOrder) -> Any:
        person = self._who(order)
        answer = self.home.confirmed_before(await self._awake(person), order)
        self.home.clock.pass_(IDLE)
        return await self._send(order, person, answer)

    async def signed_out(self, order: AnyOrder) -> Any:
        person = await self._awake(self._who(order))
        answer = self.home.confirmed_before(person, order)
        await self.home.local(orders.EndSessions(by="root", person=person.id))
        return await self._send(order, person, answer)

    # -- what they share -----------------------------------------------------------------------------------------

    async def _send(self, order: AnyOrder, person: Inhabitant, answer: PasskeyAnswer) -> Any:
        return await self.home.ask(OrderSent(order=order, session=person.session, answer=answer))

    async def _asked(self, order: AnyOrder, person: Inhabitant) -> Any:
        return await self.home.ask(ChallengeAsked(order=order, session=person.session))

    async def _awake(self, person: Inhabitant) -> Inhabitant:
        self.home.clock.pass_(Duration(30_000_000))
        return await self.home.sign_in(person)

    async def _token(self) -> str:
        person = self.people[Role.TECHNICIAN]
        order = orders.IssueToken(by=person.id, label="reader", scopes=[Scope.READ])
        made = await self.home.give(person, order, confirmed=True)
        assert isinstance(made, OrderDone)
        return made.handed

    def _roles(self, example: AnyOrder, person: Inhabitant) -> frozenset[Role]:
        order = structs.replace(example, by=person.id)
        return needs(self.home.guard.state, order).roles

    def _proof(self, example: AnyOrder) -> Proof:
        return needs(self.home.guard.state, self._right(example)).proof

    def _who(self, example: AnyOrder) -> Inhabitant:
        """Somebody whose role allows it."""
        roles = needs(self.home.guard.state, example).roles
        return next(person for role, person in self.people.items() if role in roles)

    def _right(self, example: AnyOrder) -> AnyOrder:
        return structs.replace(example, by=self._who(example).id)


async def wrongs(home: Household) -> Wrongs:
    """One person for each role, named like it, all with passkeys; and those whom the orders are about."""
    for other in OTHERS.values():
        about = orders.EnrolPerson(by="root", person=other.id, name=other.name, roles=list(other.roles))
        assert isinstance(await home.local(about), OrderDone)
    return Wrongs(home, {role: await home.enrol(role.value, role) for role in Role})
