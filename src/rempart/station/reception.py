"""Reception: what visitors of the console ask about themselves and about accounts, each answered by who can."""

from collections.abc import Callable, Mapping

from rempart.accounts.authority import Authority, Proof
from rempart.accounts.conversation import (
    Done,
    EnvelopeSignIn,
    FromVisitor,
    IdentityAsked,
    IdentitySignIn,
    LinkOpened,
    LinkUsed,
    PasskeyAsked,
    PasskeyLinkOpened,
    PasskeyMade,
    PasskeySignIn,
    PasswordChange,
    People,
    PeopleAsked,
    Question,
    SessionAsked,
    SignIn,
    SignOut,
    ToVisitor,
    Turned,
    Visitor,
    Why,
)
from rempart.accounts.credential import How, Password, Scope
from rempart.accounts.person import Person, Role
from rempart.adapters.credentials import RelyingParty
from rempart.engine import orders
from rempart.engine.orders import AnyOrder
from rempart.engine.rights import takers
from rempart.errors import OrderRefused
from rempart.messages import ChallengeAsked, Ordered
from rempart.ports import Clock
from rempart.site.sign_on import SignOn
from rempart.station.authentication import Authentication, Told
from rempart.station.enrolment import Enrolment
from rempart.station.keychain import Keychain

_MAY_READ_NAMES = takers(orders.AskUnmasking) | takers(orders.AgreeUnmasking)
_DUTY = frozenset({Role.DUTY})
_WITHOUT_ACCOUNT = orders.Contain | orders.Acknowledge | orders.ReportTrouble | orders.TickByHand


class Reception:
    """Who somebody is, and what they hold. Whether they may do what they ask, the engine decides."""

    def __init__(
        self,
        keychain: Keychain,
        party: RelyingParty,
        clock: Clock,
        people: Callable[[], Mapping[str, Person]],
        told: Told,
        *,
        site: str,
        sign_on: SignOn | None = None,
    ) -> None:
        self._who = Authentication(keychain, party, clock, people, told, site=site, sign_on=sign_on)
        self._enrolment = Enrolment(self._who)

    async def answer(self, asked: FromVisitor) -> ToVisitor:
        """The answer to a visitor. Raises `RempartError` when the disk refuses what must be kept."""
        match asked:
            case SignIn():
                return await self._who.sign_in(asked)
            case PasskeyAsked():
                return self._who.ask_passkey()
            case PasskeySignIn():
                return await self._who.sign_in_with_passkey(asked)
            case EnvelopeSignIn():
                return await self._who.sign_in_with_envelope(asked)
            case IdentityAsked():
                return self._who.ask_identity()
            case IdentitySignIn():
                return await self._who.sign_in_with_identity(asked)
            case SessionAsked():
                return self._who.who(asked)
            case SignOut():
                self._who.sign_out(asked)
                return Done()
            case LinkOpened():
                return self._enrolment.open_link(asked)
            case LinkUsed():
                return await self._enrolment.use_link(asked)
            case PasskeyLinkOpened():
                return self._enrolment.open_passkey_link(asked)
            case PasskeyMade():
                return await self._enrolment.add_passkey(asked)
            case PasswordChange():
                return await self._enrolment.change_password(asked)
            case PeopleAsked():
                return self._people(asked)

    def reader_of_names(self, session: str) -> str:
        """Who it is that may read the names behind masks. Raises `OrderRefused` when they may not."""
        visitor = self._who.who(SessionAsked(session=session))
        if not isinstance(visitor, Visitor) or visitor.scopes is not None:
            raise OrderRefused("not-signed-in")
        if visitor.how is How.ENVELOPE or not _MAY_READ_NAMES & set(visitor.roles):
            raise OrderRefused("roles", roles=sorted(_MAY_READ_NAMES))
        return visitor.person

    def roles(self, session: str) -> frozenset[Role]:
        """What whoever holds a session is, as far as it lets them read; nothing for whoever came by the link."""
        visitor = self._who.who(SessionAsked(session=session)) if session else None
        if not isinstance(visitor, Visitor) or (
            visitor.scopes is not None and Scope.READ not in visitor.scopes
        ):
            return frozenset()
        return frozenset(visitor.roles)

    def _people(self, asked: PeopleAsked) -> People | Turned:
        session = self._who.session(asked.session)
        if session is None or (session.scopes is not None and Scope.PEOPLE not in session.scopes):
            return Turned(why=Why.ENDED)
        return self._enrolment.people(session)

    def everybody(self) -> People:
        """Accounts and sessions, for the command line on the box."""
        return self._enrolment.people(None)

    def question(self, asked: ChallengeAsked) -> Question:
        """The question with which a passkey confirms exactly this order. Raises `OrderRefused`."""
        return self._who.ask_for_order(asked.order, asked.session)

    def authority_to_be(self, asked: ChallengeAsked) -> Authority:
        """By what right this order would come once its person's passkey has answered. Raises `OrderRefused`."""
        return self._who.authority_to_be(asked.order, asked.session)

    def authority(self, sent: Ordered) -> Authority:
        """By what right an order of the console comes. Raises `OrderRefused` when it cannot be believed.

        Until anybody can sign in, the console may cut, take alerts, report what does not work and say what was done by
        hand, as whoever holds its one-time link asks.
        """
        nobody_yet = not sent.session and not self._who.keychain.all(Password)
        if nobody_yet and isinstance(sent.order, _WITHOUT_ACCOUNT):
            return Authority(None, Proof.SESSION, _DUTY)
        return self._who.authority(sent.order, sent.session, sent.answer)

    def check(self, order: AnyOrder) -> None:
        """Refuse what cannot be done to what people hold, before it is sealed. Raises `OrderRefused`."""
        self._enrolment.check(order)

    async def carry_out(self, order: AnyOrder) -> str:
        """What a sealed order about accounts does to what people hold; the secret it makes. Raises `RempartError`."""
        return await self._enrolment.carry_out(order)

    def close(self) -> None:
        """End its threads, and close its store."""
        self._who.close()
