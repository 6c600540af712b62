"""Signing in at a real guard, over its socket: what lets somebody in, what does not, and what is sealed of it."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from rempart.accounts.conversation import (
    CredentialsKept,
    EnvelopeSignIn,
    LinkOpened,
    LinkUsed,
    PasskeyAnswer,
    PasskeyAsked,
    PasskeySignIn,
    People,
    PeopleAsked,
    SessionAsked,
    SessionOpened,
    SignIn,
    SignOut,
    Turned,
    Visitor,
    Why,
)
from rempart.accounts.credential import Scope
from rempart.accounts.pace import ACCOUNT, ADDRESS
from rempart.accounts.person import ENVELOPE, Role
from rempart.accounts.session import IDLE, LONGEST
from rempart.adapters import credentials
from rempart.care.trouble import Ail
from rempart.engine import facts, orders
from rempart.instants import Duration, hours, seconds
from rempart.messages import ChallengeAsked, OrderDone, OrderRejected
from rempart.messages import Ordered as OrderSent
from rempart.station.authentication import QUESTION_LASTS
from station.household import PASSWORD, Household, Inhabitant, visit
from station.passkey import SoftPasskey

STRANGER = "203.0.113.66"
STEP = seconds(30)


def password(inhabitant: Inhabitant, home: Household, **changed: str) -> SignIn:
    said = {
        "name": inhabitant.id,
        "password": PASSWORD,
        "code": inhabitant.code(home.clock),
        "where": "192.0.2.10",
    }
    return SignIn(**(said | changed))


def test_a_person_enrols_signs_in_and_out(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        who = await home.ask(SessionAsked(session=anne.session))
        assert isinstance(who, Visitor)
        assert (who.person, who.roles, who.passkey) == ("anne", [Role.DUTY], True)
        await home.ask(SignOut(session=anne.session))
        assert await home.ask(SessionAsked(session=anne.session)) == Turned(why=Why.ENDED)
        (signed,) = await home.sealed(facts.SignedIn)
        assert (signed.person, signed.where) == ("anne", "192.0.2.10")
        assert len(await home.sealed(facts.CredentialsChosen)) == 1

    visit(tmp_path, talk)


def test_no_secret_is_in_the_journal_and_none_but_hashes_in_the_store(tmp_path: Path) -> None:
    held: list[str] = []

    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.TECHNICIAN)
        token = await home.give(
            anne, orders.IssueToken(by="anne", label="x", scopes=[Scope.READ]), confirmed=True
        )
        envelope = await home.local(orders.SealEnvelope(by="root"))
        assert isinstance(envelope, OrderDone)
        held.extend([PASSWORD, anne.session, anne.device, *anne.recovery, token.handed, envelope.handed])
        held.append(anne.totp)

    visit(tmp_path, talk)
    journal = b"".join(file.read_bytes() for file in tmp_path.glob("journal.db*"))
    store = b"".join(file.read_bytes() for file in tmp_path.glob("accounts.db*"))
    assert all(held)
    for secret in held:
        assert secret.encode() not in journal
    for secret in held[:-1]:  # the generator's secret must be kept to check its codes
        assert secret.encode() not in store
    assert (tmp_path / "accounts.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "changed",
    [{"password": "x" * 12}, {"code": "000000"}, {"code": ""}, {"name": "marc"}, {"name": ""}],
)
def test_what_is_wrong_is_refused_without_saying_which(changed: dict[str, str], tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        home.clock.pass_(STEP)
        assert await home.ask(password(anne, home, **changed)) == Turned(why=Why.WRONG)
        (refused,) = await home.sealed(facts.SignInRefused)
        assert refused.person == ("" if "name" in changed else "anne")  # what strangers type is not kept

    visit(tmp_path, talk)


def test_a_code_of_the_generator_and_a_recovery_code_work_once(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        assert await home.ask(password(anne, home)) == Turned(why=Why.WRONG)  # the code that enrol used
        home.clock.pass_(STEP)
        assert isinstance(await home.ask(password(anne, home)), SessionOpened)
        printed = anne.recovery[0].lower().replace("-", " ")
        assert isinstance(await home.ask(password(anne, home, code=printed)), SessionOpened)
        assert await home.ask(password(anne, home, code=printed)) == Turned(why=Why.WRONG)

    visit(tmp_path, talk)


def test_another_persons_recovery_code_is_no_use(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne, marc = await home.enrol("anne", Role.DUTY), await home.enrol("marc", Role.DUTY)
        assert await home.ask(password(anne, home, code=marc.recovery[0])) == Turned(why=Why.WRONG)

    visit(tmp_path, talk)


def test_a_passkey_signs_in_once_for_each_question(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        question = await home.ask(PasskeyAsked())
        answer = PasskeyAnswer(handle=question.handle, response=anne.passkey.signed(question.options))
        opened = await home.ask(PasskeySignIn(answer=answer))
        assert isinstance(opened, SessionOpened)
        assert opened.visitor.person == "anne"
        assert await home.ask(PasskeySignIn(answer=answer)) == Turned(why=Why.PASSKEY)

    visit(tmp_path, talk)


def test_no_flood_of_strangers_pushes_out_the_question_to_a_passkey(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        question = await home.ask(PasskeyAsked())
        for _ in range(600):
            home.guard.reception._who.ask_passkey()
        answer = PasskeyAnswer(handle=question.handle, response=anne.passkey.signed(question.options))
        assert isinstance(await home.ask(PasskeySignIn(answer=answer)), SessionOpened)

    visit(tmp_path, talk)


def test_a_question_to_a_passkey_is_ours_and_lasts_two_minutes(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        party = home.guard.party
        question = await home.ask(PasskeyAsked())
        ends, chance, mark = question.handle.split(".")
        other = home.guard.reception._who.ask_identity().nonce
        for handle in (
            f"{int(ends) + 1}.{chance}.{mark}",
            f"{ends}.{chance}x.{mark}",
            other,
            "x",
            "",
            "9." * 60,
        ):
            options = credentials.question(party, hashlib.sha256(handle.encode()).digest(), [])
            answer = PasskeyAnswer(handle=handle[:128], response=anne.passkey.signed(options))
            assert await home.ask(PasskeySignIn(answer=answer)) == Turned(why=Why.PASSKEY), handle
        home.clock.pass_(QUESTION_LASTS)
        late = PasskeyAnswer(handle=question.handle, response=anne.passkey.signed(question.options))
        assert await home.ask(PasskeySignIn(answer=late)) == Turned(why=Why.PASSKEY)

    visit(tmp_path, talk)


def forged_passkeys(anne: Inhabitant) -> dict[str, SoftPasskey]:
    honest = anne.passkey
    key, identity = honest.key, honest.id
    return {
        "another origin": SoftPasskey(origin="http://evil.example", key=key, id=identity, count=50),
        "another party": SoftPasskey(party="evil.example", key=key, id=identity, count=50),
        "nobody verified": SoftPasskey(flags=0x01, key=key, id=identity, count=50),
        "another key": SoftPasskey(id=identity, count=50),
        "unknown": SoftPasskey(count=50),
        "a copy whose count went back": SoftPasskey(key=key, id=identity, count=0),
    }


def test_a_forged_passkey_is_refused(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.TECHNICIAN)
        await home.confirm(anne, orders.Normalise(by="anne"))
        first = await home.ask(PasskeyAsked())
        honest = PasskeyAnswer(handle=first.handle, response=anne.passkey.signed(first.options))
        assert isinstance(await home.ask(PasskeySignIn(answer=honest)), SessionOpened)
        for what, forged in forged_passkeys(anne).items():
            question = await home.ask(PasskeyAsked())
            answer = PasskeyAnswer(handle=question.handle, response=forged.signed(question.options))
            assert await home.ask(PasskeySignIn(answer=answer)) == Turned(why=Why.PASSKEY), what

    visit(tmp_path, talk)


@pytest.mark.parametrize("response", ["", "{}", "[]", "null", '{"id":1}', '{"id":"a","rawId":"a"}', "\0"])
def test_an_answer_that_is_none_is_refused(response: str, tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        question = await home.ask(PasskeyAsked())
        answer = PasskeyAnswer(handle=question.handle, response=response)
        assert await home.ask(PasskeySignIn(answer=answer)) == Turned(why=Why.PASSKEY)

    visit(tmp_path, talk)


def test_whoever_may_not_give_an_order_is_asked_for_no_passkey(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        nurse, tech = await home.enrol("nurse", Role.DUTY), await home.enrol("tech", Role.TECHNICIAN)
        token = orders.IssueToken(by="tech", label="reader", scopes=[Scope.READ])
        reading = (await home.give(tech, token, confirmed=True)).handed
        for session, order, why in (
            (nurse.session, orders.Unblock(by="nurse", target="198.51.100.9"), "roles"),
            (tech.session, orders.ConfirmOverride(by="tech", opening="portal"), "roles"),
            (tech.session, orders.Unblock(by="nurse", target="198.51.100.9"), "own-name"),
            (
                tech.session,
                orders.EnrolPerson(by="tech", person="ada", name="Ada", roles=[Role.APPROVER]),
                "needs-box",
            ),
            (reading, orders.Unblock(by="tech", target="198.51.100.9"), "token-scope"),
            ("A" * 43, orders.Unblock(by="tech", target="198.51.100.9"), "not-signed-in"),
        ):
            refused = await home.ask(ChallengeAsked(order=order, session=session))
            assert isinstance(refused, OrderRejected), order
            assert refused.said is not None
            assert refused.said.key == why
            declined = (await home.sealed(facts.OrderDeclined))[-1]
            assert (declined.order, declined.by) == (type(order).__name__, order.by)
        assert home.guard.reception._who._questions == {}

    visit(tmp_path, talk)


def test_a_right_that_is_taken_before_the_passkey_answers_is_none(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        tech = await home.enrol("tech", Role.TECHNICIAN)
        order = orders.Unblock(by="tech", target="198.51.100.9")
        answer = await home.confirm(tech, order)
        await home.local(orders.SetRoles(by="root", person="tech", roles=[Role.DUTY]))
        refused = await home.ask(OrderSent(order=order, session=tech.session, answer=answer))
        assert isinstance(refused, OrderRejected)
        assert refused.said is not None
        assert (refused.said.key, refused.said.arguments) == ("roles", {"roles": "technician"})

    visit(tmp_path, talk)


def test_sessions_end_by_silence_and_by_time(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        for _ in range(LONGEST // (IDLE // 2) - 1):
            home.clock.pass_(Duration(IDLE // 2))
            assert isinstance(await home.ask(SessionAsked(session=anne.session)), Visitor)
        home.clock.pass_(Duration(IDLE // 2))
        assert await home.ask(SessionAsked(session=anne.session)) == Turned(why=Why.ENDED)
        await home.sign_in(anne)
        home.clock.pass_(IDLE)
        assert await home.ask(SessionAsked(session=anne.session)) == Turned(why=Why.ENDED)

    visit(tmp_path, talk)


def test_sessions_are_listed_and_ended_by_others(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne, tech = await home.enrol("anne", Role.DUTY), await home.enrol("tech", Role.TECHNICIAN)
        seen = await home.ask(PeopleAsked(session=tech.session))
        assert isinstance(seen, People)
        assert {each.person for each in seen.sessions} == {"anne", "tech"}
        own = await home.ask(PeopleAsked(session=anne.session))
        assert [each.id for each in own.people] == ["anne"]
        assert {each.person for each in own.sessions} == {"anne"}
        (one,) = own.sessions
        end = orders.EndSessions(by="tech", person="anne", session=one.id)
        assert isinstance(await home.give(tech, end), OrderDone)
        assert await home.ask(SessionAsked(session=anne.session)) == Turned(why=Why.ENDED)
        assert isinstance(await home.ask(SessionAsked(session=tech.session)), Visitor)
        assert len(await home.sealed(facts.SessionsEnded)) == 1

    visit(tmp_path, talk)


def test_disabling_an_account_ends_it_at_once(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        await home.local(orders.DisablePerson(by="root", person="anne"))
        assert await home.ask(SessionAsked(session=anne.session)) == Turned(why=Why.ENDED)
        home.clock.pass_(STEP)
        assert await home.ask(password(anne, home)) == Turned(why=Why.WRONG)
        question = await home.ask(PasskeyAsked())
        answer = PasskeyAnswer(handle=question.handle, response=anne.passkey.signed(question.options))
        assert await home.ask(PasskeySignIn(answer=answer)) == Turned(why=Why.WRONG)

    visit(tmp_path, talk)


def test_a_link_works_once_for_two_days_and_replaces_everything(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        issued = await home.local(orders.IssueLink(by="root", person="anne"))
        assert isinstance(issued, OrderDone)
        old = anne.passkey
        anne.passkey = SoftPasskey()
        assert isinstance(await home.use_link(anne, issued.handed), CredentialsKept)
        assert await home.ask(LinkOpened(link=issued.handed)) == Turned(why=Why.LINK)
        assert await home.ask(SessionAsked(session=anne.session)) == Turned(why=Why.ENDED)
        question = await home.ask(PasskeyAsked())
        answer = PasskeyAnswer(handle=question.handle, response=old.signed(question.options))
        assert await home.ask(PasskeySignIn(answer=answer)) == Turned(why=Why.PASSKEY)
        late = await home.local(orders.IssueLink(by="root", person="anne"))
        assert isinstance(late, OrderDone)
        home.clock.pass_(hours(48))
        assert await home.ask(LinkOpened(link=late.handed)) == Turned(why=Why.LINK)

    visit(tmp_path, talk)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"password": "short"}, Why.PASSWORD),
        ({"password": "anne-anne-anne"}, Why.PASSWORD),
        ({"code": "000000"}, Why.CODE),
        ({"passkey": "{}"}, Why.PASSKEY),
        ({"handle": "x"}, Why.CODE),
        ({"link": "x"}, Why.LINK),
    ],
)
def test_a_poor_choice_leaves_the_link_good(changed: dict[str, str], why: Why, tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        made = await home.local(orders.EnrolPerson(by="root", person="anne", name="A", roles=[Role.DUTY]))
        assert isinstance(made, OrderDone)
        good = await home.ask(LinkOpened(link=made.handed))
        anne = Inhabitant("anne", SoftPasskey(), good.totp)
        said = {"link": made.handed, "handle": good.handle, "password": PASSWORD}
        said |= {"code": anne.code(home.clock), "passkey": anne.passkey.made(good.options)}
        assert await home.ask(LinkUsed(**(said | changed))) == Turned(why=why)
        assert isinstance(await home.use_link(anne, made.handed), CredentialsKept)

    visit(tmp_path, talk)


def test_without_accounts_the_pages_cut_and_report_and_with_the_first_they_do_not(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        report = orders.ReportTrouble(by="night", service="lab", ail=Ail.DOWN)
        assert isinstance(await home.ask(OrderSent(order=report)), OrderDone)
        assert isinstance(await home.ask(OrderSent(order=orders.Contain(by="night"))), OrderDone)
        loosening = orders.SettleTrouble(by="night", trouble="t1", remedy="it works again")
        assert isinstance(await home.ask(OrderSent(order=loosening)), OrderRejected)
        await home.enrol("anne", Role.DUTY)
        assert isinstance(await home.ask(OrderSent(order=report)), OrderRejected)

    visit(tmp_path, talk)


def test_the_envelope_opens_once_and_everybody_is_told(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        await home.enrol("anne", Role.DUTY)
        made = await home.local(orders.SealEnvelope(by="root"))
        assert isinstance(made, OrderDone)
        opened = await home.ask(EnvelopeSignIn(code=made.handed.lower(), where="192.0.2.9"))
        assert isinstance(opened, SessionOpened)
        cut = orders.Contain(by=ENVELOPE, reason="nobody answers")
        assert isinstance(await home.ask(OrderSent(order=cut, session=opened.secret)), OrderDone)
        loosening = orders.Normalise(by=ENVELOPE)
        assert isinstance(await home.ask(OrderSent(order=loosening, session=opened.secret)), OrderRejected)
        assert await home.ask(EnvelopeSignIn(code=made.handed)) == Turned(why=Why.WRONG)
        assert len(await home.sealed(facts.EnvelopeOpened)) == 1

    visit(tmp_path, talk)


def test_a_stranger_who_guesses_does_not_keep_the_night_nurse_out(tmp_path: Path) -> None:
    """From a thousand places at her account: on the browser she used before, she is in at the first try."""

    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        home.clock.pass_(STEP)
        refusals = []
        for number in range(2 * ACCOUNT.burst):
            where = f"198.51.100.{number}"
            refusals.append(
                await home.ask(password(anne, home, code="000000", password="guess" * 3, where=where))
            )
        assert refusals[-1].why is Why.WAIT
        assert 0 < refusals[-1].seconds <= ACCOUNT.every // seconds(1)
        assert isinstance(await home.ask(password(anne, home, device=anne.device)), SessionOpened)
        question = await home.ask(PasskeyAsked())  # and with her passkey from any browser
        answer = PasskeyAnswer(handle=question.handle, response=anne.passkey.signed(question.options))
        assert isinstance(await home.ask(PasskeySignIn(answer=answer)), SessionOpened)

    visit(tmp_path, talk)


def test_a_stranger_at_her_own_address_does_not_keep_her_out(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        home.clock.pass_(STEP)
        for number in range(20 * ADDRESS.burst):  # on a busy machine some become possible again meanwhile
            refused = await home.ask(password(anne, home, name=f"name{number}"))
            if refused.why is Why.WAIT:
                break
        assert refused.why is Why.WAIT
        assert isinstance(await home.ask(password(anne, home, device=anne.device)), SessionOpened)

    visit(tmp_path, talk)


def test_anothers_device_is_no_shortcut(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne, marc = await home.enrol("anne", Role.DUTY), await home.enrol("marc", Role.DUTY)
        for number in range(ACCOUNT.burst + 1):
            said = password(anne, home, password="x" * 12, device=marc.device, where=f"198.51.100.{number}")
            refused = await home.ask(said)
        assert refused.why is Why.WAIT

    visit(tmp_path, talk)


def test_a_flood_of_hashing_leaves_room_for_those_who_are_known(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        home.clock.pass_(STEP)
        flood = [
            home.ask(SignIn(name=f"n{each}", password="x" * 12, code="1", where=f"198.51.100.{each}"))
            for each in range(30)
        ]
        her = home.ask(password(anne, home, device=anne.device))
        *strangers, anne_in = await asyncio.gather(*flood, her)
        assert isinstance(anne_in, SessionOpened)
        assert {each.why for each in strangers} == {Why.WRONG, Why.BUSY}

    visit(tmp_path, talk)


def test_sessions_and_devices_outlive_the_guard(tmp_path: Path) -> None:
    kept: list[Inhabitant] = []

    async def first(home: Household) -> None:
        kept.append(await home.enrol("anne", Role.DUTY))

    async def second(home: Household) -> None:
        home.clock.pass_(STEP)
        (anne,) = kept
        assert isinstance(await home.ask(SessionAsked(session=anne.session)), Visitor)
        home.clock.pass_(STEP)
        assert isinstance(await home.ask(password(anne, home, device=anne.device)), SessionOpened)

    visit(tmp_path, first)
    visit(tmp_path, second)


def test_a_full_disk_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        home.clock.pass_(STEP)
        store = home.guard.reception._who.keychain._store
        assert store is not None
        store._db.execute("PRAGMA max_page_count = 1")
        await home.sign_in(anne)
        assert isinstance(await home.give(anne, orders.Contain(by="anne")), OrderDone)

    visit(tmp_path, talk)


def test_a_token_does_what_its_scopes_and_its_person_allow(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        order = orders.IssueToken(by="anne", label="reader", scopes=[Scope.READ])
        assert isinstance(await home.give(anne, order), OrderRejected)
        reading = await home.give(anne, order, confirmed=True)
        ordering = await home.give(
            anne, orders.IssueToken(by="anne", label="o", scopes=[Scope.ORDER]), confirmed=True
        )
        cut = orders.Contain(by="anne")
        assert isinstance(await home.ask(OrderSent(order=cut, session=reading.handed)), OrderRejected)
        assert isinstance(await home.ask(OrderSent(order=cut, session=ordering.handed)), OrderDone)
        home.clock.pass_(hours(24 * 91))
        assert isinstance(await home.ask(OrderSent(order=cut, session=ordering.handed)), OrderRejected)

    visit(tmp_path, talk)
