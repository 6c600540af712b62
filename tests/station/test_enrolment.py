"""What people do to their own account at a real guard: one more passkey, one less, another password."""

from pathlib import Path
from typing import Any

import pytest

from rempart.accounts.conversation import (
    PasskeyAnswer,
    PasskeyKept,
    PasskeyLinkOpened,
    PasskeyMade,
    PasswordChange,
    PasswordKept,
    PeopleAsked,
    PersonShown,
    Registration,
    SessionAsked,
    SignIn,
    Turned,
    Visitor,
    Why,
)
from rempart.accounts.credential import Password, Scope
from rempart.accounts.person import Role
from rempart.engine import facts, orders
from rempart.instants import seconds
from rempart.messages import OrderDone, OrderRejected
from station.household import ORIGIN, PASSWORD, Household, Inhabitant, visit
from station.passkey import SoftPasskey

STEP = seconds(30)
FRESH = "een andere korte zin"


async def own(home: Household, person: Inhabitant) -> PersonShown:
    people = await home.ask(PeopleAsked(session=person.session))
    (shown,) = [each for each in people.people if each.id == person.id]
    assert isinstance(shown, PersonShown)
    return shown


async def added(home: Household, person: Inhabitant, second: SoftPasskey) -> Any:
    """One more passkey, made on another device."""
    allowed = await home.give(person, orders.AddPasskey(by=person.id), confirmed=True)
    assert isinstance(allowed, OrderDone), allowed
    offered = await home.ask(PasskeyLinkOpened(link=allowed.handed))
    assert isinstance(offered, Registration), offered
    answer = PasskeyAnswer(handle=offered.handle, response=second.made(offered.options))
    made = PasskeyMade(link=allowed.handed, answer=answer, label="telephone", where="192.0.2.10")
    kept = await home.ask(made)
    if isinstance(kept, PasskeyKept):  # the link is good once
        assert await home.ask(made) == Turned(why=Why.LINK)
    return kept


def test_a_second_passkey_confirms_orders_and_the_first_can_go(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        tech = await home.enrol("tech", Role.TECHNICIAN)
        first, second = tech.passkey, SoftPasskey(origin=ORIGIN)
        assert await added(home, tech, second) == PasskeyKept(person="tech")
        assert {each.label for each in (await own(home, tech)).passkeys} == {"passkey", "telephone"}
        tech.passkey = second
        lost = next(each for each in (await own(home, tech)).passkeys if each.label == "passkey")
        gone = await home.give(tech, orders.RemovePasskey(by="tech", passkey=lost.id), confirmed=True)
        assert isinstance(gone, OrderDone), gone
        tech.passkey = first
        refused = await home.give(tech, orders.SealEnvelope(by="tech"), confirmed=True)
        assert isinstance(refused, OrderRejected)
        (more,), (less,) = await home.sealed(facts.PasskeyAdded), await home.sealed(facts.PasskeyRemoved)
        assert (more.person, less.person) == ("tech", "tech")
        assert less.passkey == lost.id != more.passkey

    visit(tmp_path, talk)


def test_nobody_adds_or_removes_a_passkey_with_a_session_alone(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        tech = await home.enrol("tech", Role.TECHNICIAN)
        (held,) = (await own(home, tech)).passkeys
        for order in (orders.AddPasskey(by="tech"), orders.RemovePasskey(by="tech", passkey=held.id)):
            refused = await home.give(tech, order)
            assert isinstance(refused, OrderRejected)
            assert "passkey" in refused.what
        assert await home.sealed(facts.PasskeyAllowed) == []
        assert len((await own(home, tech)).passkeys) == 1

    visit(tmp_path, talk)


def test_the_last_passkey_goes_only_while_another_way_in_is_there(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        (held,) = (await own(home, anne)).passkeys
        keychain = home.guard.reception._who.keychain
        password = keychain.find(Password, "anne")
        assert password
        keychain.change_now((), [password])
        order = orders.RemovePasskey(by="anne", passkey=held.id)
        refused = await home.give(anne, order, confirmed=True)
        assert isinstance(refused, OrderRejected)
        assert "only way in" in refused.what
        assert await home.sealed(facts.PasskeyRemoved) == []
        keychain.change_now([password])
        assert isinstance(await home.give(anne, order, confirmed=True), OrderDone)

    visit(tmp_path, talk)


def test_anothers_passkey_cannot_be_removed_nor_a_key_be_kept_twice(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne, marc = await home.enrol("anne", Role.DUTY), await home.enrol("marc", Role.DUTY)
        (held,) = (await own(home, marc)).passkeys
        order = orders.RemovePasskey(by="anne", passkey=held.id)
        refused = await home.give(anne, order, confirmed=True)
        assert isinstance(refused, OrderRejected)
        assert "no such passkey" in refused.what
        assert await added(home, anne, marc.passkey) == Turned(why=Why.PASSKEY)
        assert [each.id for each in (await own(home, marc)).passkeys] == [held.id]

    visit(tmp_path, talk)


def test_a_link_for_a_passkey_ends_and_is_nobody_elses(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        allowed = await home.give(anne, orders.AddPasskey(by="anne"), confirmed=True)
        home.clock.pass_(seconds(15 * 60))
        assert await home.ask(PasskeyLinkOpened(link=allowed.handed)) == Turned(why=Why.LINK)
        again = await home.give(anne, orders.AddPasskey(by="anne"), confirmed=True)
        offered = await home.ask(PasskeyLinkOpened(link=again.handed))
        await home.local(orders.DisablePerson(by="root", person="anne"))
        answer = PasskeyAnswer(
            handle=offered.handle, response=SoftPasskey(origin=ORIGIN).made(offered.options)
        )
        assert await home.ask(PasskeyMade(link=again.handed, answer=answer)) == Turned(why=Why.LINK)

    visit(tmp_path, talk)


def change(home: Household, person: Inhabitant, **said: str) -> PasswordChange:
    right = {"password": PASSWORD, "code": person.code(home.clock), "fresh": FRESH, "device": person.device}
    return PasswordChange(session=person.session, where="192.0.2.10", **(right | said))


def test_a_person_changes_their_password_and_other_browsers_end(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        other = Inhabitant("anne", anne.passkey, anne.totp)
        home.clock.pass_(STEP)
        await home.sign_in(other)
        home.clock.pass_(STEP)
        kept = await home.ask(change(home, anne))
        assert isinstance(kept, PasswordKept)
        assert kept.device not in ("", anne.device)
        assert isinstance(await home.ask(SessionAsked(session=anne.session)), Visitor)
        assert await home.ask(SessionAsked(session=other.session)) == Turned(why=Why.ENDED)
        home.clock.pass_(STEP)
        old = SignIn(name="anne", password=PASSWORD, code=anne.code(home.clock))
        assert await home.ask(old) == Turned(why=Why.WRONG)
        (changed,) = await home.sealed(facts.PasswordChanged)
        assert (changed.person, changed.where) == ("anne", "192.0.2.10")

    visit(tmp_path, talk)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"password": "x" * 12}, Why.WRONG),
        ({"code": "000000"}, Why.WRONG),
        ({"fresh": "short"}, Why.PASSWORD),
        ({"fresh": "this is anne herself"}, Why.PASSWORD),
    ],
)
def test_a_session_alone_changes_no_password(said: dict[str, str], why: Why, tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        home.clock.pass_(STEP)
        assert await home.ask(change(home, anne, **said)) == Turned(why=why)
        assert await home.sealed(facts.PasswordChanged) == []
        for _ in range(30):
            turned = await home.ask(change(home, anne, password="x" * 12))
        assert isinstance(turned, Turned)
        assert turned.why is Why.WAIT

    visit(tmp_path, talk)


def test_a_token_changes_no_password(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        order = orders.IssueToken(by="anne", label="x", scopes=list(Scope))
        made = await home.give(anne, order, confirmed=True)
        home.clock.pass_(STEP)
        anne.session = made.handed
        assert await home.ask(change(home, anne)) == Turned(why=Why.ENDED)
        assert isinstance(await home.ask(SessionAsked(session=made.handed)), Visitor)

    visit(tmp_path, talk)
