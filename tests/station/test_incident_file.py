"""What an incident's file shows to whom, and files attached to it, at a real guard."""

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.home import NOW, RECORDS, SITE, STOLEN, terms
from rempart.accounts.person import Role
from rempart.adapters.attachments import Attachments
from rempart.adapters.clock import reckon
from rempart.care.reply import Reply
from rempart.duties.catalogue import QuestionId
from rempart.engine import facts, orders
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Found, Ordered, Ticked
from rempart.engine.state import State, initial
from rempart.engine.step import step
from rempart.engine.timekeeping import Reckoning
from rempart.incidents.casefile import Comment
from rempart.instants import Duration, Instant, after, hours, minutes
from rempart.messages import (
    MAX_FRAME,
    AccountAsked,
    AccountTold,
    FileAsked,
    FileTold,
    IncidentAsked,
    IncidentFile,
    OrderDone,
    OrderRejected,
)
from rempart.messages import Ordered as OrderSent
from rempart.station.incident_file import CHECKING, belongs_to, fitting, incident_file
from station.household import Household, household

INCIDENT = f"inc-{RECORDS.id[:12]}"
SCREEN = b"\x89PNG not really"
SHA256 = hashlib.sha256(SCREEN).hexdigest()
ATTACH = orders.AttachFile(by="root", incident=INCIDENT, name="x.png", size=len(SCREEN), sha256=SHA256)


def worked_on() -> State:
    """A theft of records, about which people wrote and for which they cut."""
    state = initial(SITE)
    given = (
        orders.EnrolPerson(by="root", person="anne", name="Anne", roles=[Role.TECHNICIAN]),
        orders.EnrolPerson(by="root", person="funder", name="Funder", roles=[Role.OBSERVER]),
        orders.Contain(by="Director", reason="Mrs Exemple's files"),
        orders.CommentIncident(by="Night", incident=INCIDENT, text="the printer is slow"),
        orders.QualifyIncident(by="Privacy", incident=INCIDENT, reason="it seems"),
        orders.AnswerQuestion(
            by="D", incident=INCIDENT, question=QuestionId.RISK_TO_PERSONS, reply=Reply.YES
        ),
        ATTACH,
    )
    for happened in (Found(NOW, RECORDS), *(Ordered(NOW, order) for order in given)):
        state, _ = step(terms(), state, happened)
    return state


def shown(*roles: Role) -> IncidentFile:
    def masked(incident: str, account: str) -> str:
        return f"mask-of-{len(account)}"

    return incident_file(SITE, worked_on(), INCIDENT, NOW, roles=frozenset(roles), masked=masked)


def test_what_is_too_long_for_a_frame_is_told_from_its_end() -> None:
    """Names in a log may be of control characters, which JSON writes as six bytes each."""
    told = shown(Role.TECHNICIAN)
    long = replace(told.case.seen[0], title="\x01" * 200, hosts=("\x01" * 200,) * 10)
    seen = tuple(replace(long, finding=str(number)) for number in range(100))
    comments = (Comment(at=NOW, by="Night", text="\x01" * 1000),) * 200
    told = msgspec.structs.replace(told, case=replace(told.case, seen=seen, comments=comments))
    assert len(msgspec.json.encode(told)) > MAX_FRAME
    case = fitting(told).case
    assert len(msgspec.json.encode(fitting(told))) <= MAX_FRAME
    assert case.seen
    assert case.seen[-1] == seen[-1]
    assert len(case.seen) + case.unkept == len(seen)
    assert case.comments
    assert case.files == told.case.files


@pytest.mark.parametrize("role", sorted(CHECKING))
def test_those_who_check_see_clocks_files_and_detail(role: Role) -> None:
    file = shown(role)
    assert file.answers is not None
    assert file.case.files
    assert file.case.seen
    assert file.staff == {"anne": "Anne"}
    assert all("dr." not in account for seen in file.case.seen for account in seen.accounts)


@pytest.mark.parametrize("role", [None, Role.DUTY, Role.OBSERVER, Role.REGION])
def test_the_others_see_the_plain_story_without_names(role: Role | None) -> None:
    file = shown(*([role] if role else []))
    assert file.answers is None
    assert file.incident.persons_touched is None
    assert not file.case.files
    assert not file.case.seen
    assert not file.staff
    assert file.may == (["CommentIncident"] if role is Role.DUTY else [])
    assert bool(file.case.comments) == (role is Role.DUTY)
    text = msgspec.json.encode(file)
    for name in (b"Director", b"Privacy", b"Exemple", b"dr.lambert", b"mask-of", b"10.", b"risk-to-persons"):
        assert name not in text
    assert {deed.what for deed in file.case.deeds} >= {"contained"}
    assert {swing.by for swing in file.swings} == {""}


def test_an_incident_that_became_part_of_another_is_still_found() -> None:
    joined = facts.FindingJoined(
        at=NOW,
        incident="inc-b",
        finding="f",
        rule="r",
        title="t",
        level=RECORDS.level,
        kind=RECORDS.kind,
        outcome=RECORDS.outcome,
        actors=[],
        victims=[],
        accounts=[],
        assets=[],
        source="s",
        record=1,
        count=1,
        tally=1,
    )
    merged = folded(worked_on(), SITE, [joined, facts.IncidentsMerged(at=NOW, into=INCIDENT, merged="inc-b")])
    assert belongs_to(merged, "inc-b") == INCIDENT
    assert belongs_to(merged, "inc-c") is None


ERASE = orders.EraseFile(by="root", incident=INCIDENT, sha256=SHA256, reason="a resident asked")


@pytest.mark.edge
def test_a_file_is_erased_once_that_is_sealed_and_its_hash_and_the_reason_stay(tmp_path: Path) -> None:
    async def talk() -> None:
        async with household(tmp_path) as home:
            kept = home.guard.attachments = Attachments(tmp_path / "files")
            await home.guard.ask(Found(Instant(home.clock.now()), RECORDS))
            assert isinstance(await home.ask(OrderSent(order=ERASE), "operator"), OrderRejected)
            await home.ask(OrderSent(order=ATTACH, content=SCREEN), "operator")
            technician = await home.enrol("anne", Role.TECHNICIAN)
            theirs = msgspec.structs.replace(ERASE, by="anne")
            refused = await home.ask(OrderSent(order=theirs, session=technician.session))
            assert isinstance(refused, OrderRejected)
            assert kept.holds(SHA256)
            assert isinstance(await home.ask(OrderSent(order=ERASE), "operator"), OrderDone)
            assert not kept.holds(SHA256)
            assert [fact.reason for fact in await home.sealed(facts.FileErased)] == ["a resident asked"]
            gone = await home.ask(FileAsked(incident=INCIDENT, sha256=SHA256), "operator")
            assert isinstance(gone, OrderRejected)
            kept.keep(SCREEN)  # as when the power failed between the seal and the disk
            home.guard.finish_erasing()
            assert not kept.holds(SHA256)
            await home.ask(OrderSent(order=ATTACH, content=SCREEN), "operator")
            home.guard.finish_erasing()
            assert kept.holds(SHA256)

    asyncio.run(talk())


@pytest.mark.edge
def test_a_file_whose_time_is_over_goes_from_the_disk_by_itself_once_that_is_sealed(tmp_path: Path) -> None:
    async def talk() -> None:
        async with household(tmp_path) as home:
            kept = home.guard.attachments = Attachments(tmp_path / "files")
            now = home.clock.now()
            await home.guard.ask(Found(Instant(now), RECORDS))
            await home.ask(OrderSent(order=ATTACH, content=SCREEN), "operator")
            over = after(now, hours(24 * (SITE.files_kept_days + 1)))
            await home.guard.ask(Ticked(over))  # the incident closes
            assert kept.holds(SHA256)
            await home.guard.ask(Ticked(after(over, minutes(1))))
            (gone,) = await home.sealed(facts.FileErased)
            assert gone.by == facts.MACHINE
            async with asyncio.timeout(60):
                while kept.holds(SHA256):  # noqa: ASYNC110  what is waited for is a disk
                    await asyncio.sleep(0.01)

    asyncio.run(talk())


@pytest.mark.edge
def test_a_clock_that_leaps_leaves_files_on_the_disk_until_a_person_confirms_it(tmp_path: Path) -> None:
    async def talk() -> None:
        async with household(tmp_path) as home:
            kept = home.guard.attachments = Attachments(tmp_path / "files")
            await home.guard.ask(Found(Instant(home.clock.now()), RECORDS))
            await home.ask(OrderSent(order=ATTACH, content=SCREEN), "operator")
            steady = reckon().lived or Duration(0)
            await home.guard.ask(Ticked(home.clock.now(), Reckoning(lived=steady)))
            home.clock.pass_(hours(24 * (SITE.files_kept_days + 1)))
            for _ in range(5):
                await home.guard.ask(Ticked(home.clock.now(), Reckoning(lived=steady)))
            assert kept.holds(SHA256)
            assert home.guard.status().clock_leapt
            assert isinstance(await home.local(orders.ConfirmClock(by="root")), OrderDone)
            assert home.guard.status().clock_leapt is None
            for _ in range(3):
                await home.guard.ask(Ticked(home.clock.now(), Reckoning(lived=steady)))
            assert await home.sealed(facts.FileErased)

    asyncio.run(talk())


@pytest.mark.edge
def test_a_file_is_kept_before_its_hash_is_sealed_and_told_to_those_who_may(tmp_path: Path) -> None:
    async def talk() -> None:
        async with household(tmp_path) as home:
            home.guard.attachments = Attachments(tmp_path / "files")
            await home.guard.ask(Found(Instant(home.clock.now()), RECORDS))
            wrong = await home.ask(OrderSent(order=ATTACH, content=b"another"), "operator")
            assert isinstance(wrong, OrderRejected)
            assert not (tmp_path / "files").exists()
            stray = msgspec.structs.replace(ATTACH, incident="inc-x")
            assert isinstance(
                await home.ask(OrderSent(order=stray, content=SCREEN), "operator"), OrderRejected
            )
            assert not (tmp_path / "files").exists()
            assert isinstance(await home.ask(OrderSent(order=ATTACH, content=SCREEN), "operator"), OrderDone)
            assert [fact.sha256 for fact in await home.sealed(facts.FileAttached)] == [SHA256]
            await _told(home)

    async def _told(home: Household) -> None:
        technician = await home.enrol("anne", Role.TECHNICIAN)
        nurse = await home.enrol("nurse", Role.DUTY)
        asked = FileAsked(incident=INCIDENT, sha256=SHA256, session=technician.session)
        told = await home.ask(asked)
        assert isinstance(told, FileTold)
        assert told.content == SCREEN
        for session in (nurse.session, "", "forged"):
            refused = await home.ask(msgspec.structs.replace(asked, session=session))
            assert isinstance(refused, OrderRejected), session
        full = await home.ask(IncidentAsked(incident=INCIDENT, session=technician.session))
        plain = await home.ask(IncidentAsked(incident=INCIDENT, session=nurse.session))
        assert full.case.files
        assert not plain.case.files
        assert isinstance(await home.ask(IncidentAsked(incident="inc-x")), OrderRejected)
        commented = orders.CommentIncident(by="nurse", incident=INCIDENT, text="slow")
        assert isinstance(await home.ask(OrderSent(order=commented, session=nurse.session)), OrderDone)
        attached = msgspec.structs.replace(ATTACH, by="nurse", name="again")
        refused = await home.ask(OrderSent(order=attached, session=nurse.session, content=SCREEN))
        assert isinstance(refused, OrderRejected)
        assert "roles" in refused.what

    asyncio.run(talk())


@pytest.mark.edge
def test_the_journal_tells_an_incident_to_those_who_check_with_workers_behind_masks(tmp_path: Path) -> None:
    async def talk() -> None:
        async with household(tmp_path) as home:
            await home.guard.ask(Found(Instant(home.clock.now()), RECORDS))
            await home.local(orders.Contain(by="Director", reason="Mrs Exemple's files"))
            technician = await home.enrol("anne", Role.TECHNICIAN)
            nurse = await home.enrol("nurse", Role.DUTY)
            asked = AccountAsked(incident=INCIDENT, session=technician.session)
            told = await home.ask(asked)
            assert isinstance(told, AccountTold)
            account = told.account
            assert {"story.records", "story.contained"} < {line.sentence.key for line in account.lines}
            assert (account.masked, account.left_out) == (True, 0)
            (mask,) = account.lines[0].sentence.arguments["account"]
            (shown,) = (
                await home.ask(IncidentAsked(incident=INCIDENT, session=technician.session))
            ).case.seen
            assert shown.accounts == (mask,)
            assert STOLEN.encode() not in msgspec.json.encode(told)
            assert account.seals.root == home.journal.head[1].hex()
            on_the_box = await home.ask(AccountAsked(incident=INCIDENT), "operator")
            assert on_the_box.account.lines == account.lines
            for session in (nurse.session, "", "forged"):
                refused = await home.ask(msgspec.structs.replace(asked, session=session))
                assert isinstance(refused, OrderRejected), session
                assert "roles" in refused.what
            unknown = await home.ask(msgspec.structs.replace(asked, incident="inc-x"))
            assert isinstance(unknown, OrderRejected)

    asyncio.run(talk())


@pytest.mark.edge
def test_an_incident_is_told_to_one_at_a_time_and_of_a_changed_journal_not_at_all(tmp_path: Path) -> None:
    async def talk() -> None:
        async with household(tmp_path) as home:
            await home.guard.ask(Found(Instant(home.clock.now()), RECORDS))
            technician = await home.enrol("anne", Role.TECHNICIAN)
            asked = AccountAsked(incident=INCIDENT, session=technician.session)
            answers = await asyncio.gather(*(home.ask(asked) for _ in range(3)))
            assert [type(each) for each in answers].count(AccountTold) >= 1
            assert {each.said.key for each in answers if isinstance(each, OrderRejected)} <= {
                "paper-under-way"
            }
            with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
                db.executescript(
                    "DROP TRIGGER bodies_stand; UPDATE bodies SET body = x'7b7d' WHERE number = 2;"
                )
            refused = await home.ask(asked)
            assert isinstance(refused, OrderRejected)
            assert refused.said.key == "unverified"
            assert "entry 2" in refused.what
            assert isinstance(await home.local(orders.Contain(by="Director", reason="")), OrderDone)

    asyncio.run(talk())
