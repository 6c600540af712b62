"""Workers are not watched: no account leaves the guard by name, until two persons have unmasked it, sealed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from engine.home import BROKEN_IN, RECORDS, STOLEN
from rempart.accounts.conversation import NamesAsked, NamesTold
from rempart.accounts.person import Role
from rempart.adapters import masks
from rempart.engine import facts, orders
from rempart.engine.inputs import Found
from rempart.instants import seconds
from rempart.messages import OrderDone, OrderRejected, Status, StatusAsked
from station.household import Household, household


def visit(folder: Path, talk: Callable[[Household], Awaitable[None]]) -> None:
    async def life() -> None:
        async with household(folder) as home:
            await home.guard.ask(Found(home.clock.now(), BROKEN_IN))
            await home.guard.ask(Found(home.clock.now(), RECORDS))
            await talk(home)

    asyncio.run(life())


async def status(home: Household, socket: str) -> Status:
    answer = await home.ask(StatusAsked(), socket)
    assert isinstance(answer, Status)
    return answer


def test_no_account_is_in_what_is_published(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        assert any(STOLEN in incident.accounts for incident in home.guard.state.incidents.values())
        for socket in ("console", "operator"):
            told = await status(home, socket)
            assert STOLEN.encode() not in msgspec.json.encode(told)
            assert any(a.startswith("person-") for i in told.incidents for a in i.accounts)

    visit(tmp_path, talk)


def test_a_story_can_be_followed_behind_its_mask(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        (incident,) = [i for i in (await status(home, "console")).incidents if i.accounts]
        (mask,) = incident.accounts
        told = [s.arguments.get("account") for _, s in incident.story if s.arguments.get("account")]
        assert set(told) == {mask}
        assert incident.summary.arguments["accounts"] == mask

    visit(tmp_path, talk)


def test_two_persons_unmask_and_each_reading_is_sealed(tmp_path: Path) -> None:
    async def talk(home: Household) -> None:
        (incident,) = [i for i in home.guard.state.incidents.values() if i.accounts]
        privacy, director = (
            await home.enrol("privacy", Role.PRIVACY_OFFICER),
            await home.enrol("director", Role.APPROVER),
        )
        nurse = await home.enrol("nurse", Role.DUTY)
        wanted = NamesAsked(session=privacy.session, incident=incident.id)
        assert isinstance(await home.ask(wanted), OrderRejected)
        ask = orders.AskUnmasking(by="privacy", reason="warn them", incident=incident.id, seconds=600)
        assert isinstance(await home.give(privacy, ask), OrderRejected)  # a session is not enough
        assert isinstance(await home.give(privacy, ask, confirmed=True), OrderDone)
        assert isinstance(await home.ask(wanted), OrderRejected)
        agree = orders.AgreeUnmasking(by="director", incident=incident.id)
        assert isinstance(await home.give(director, agree, confirmed=True), OrderDone)
        told = await home.ask(wanted)
        assert isinstance(told, NamesTold)
        assert list(told.names.values()) == [STOLEN]
        (shown,) = [i for i in (await status(home, "console")).incidents if i.accounts]
        assert list(told.names) == shown.accounts  # what is published stays masked
        refused = await home.ask(NamesAsked(session=nurse.session, incident=incident.id))
        assert isinstance(refused, OrderRejected)
        local = await home.ask(NamesAsked(session="", incident=incident.id), "operator")
        assert isinstance(local, NamesTold)
        read = await home.sealed(facts.NamesRead)
        assert [fact.by for fact in read] == ["privacy", ""]
        home.clock.pass_(seconds(600))
        assert isinstance(await home.ask(wanted), OrderRejected)

    visit(tmp_path, talk)


def test_the_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / "masks.key"
    assert masks.key(file) == masks.key(file)
    assert len(masks.key(file)) == 32
    assert file.stat().st_mode & 0o777 == 0o600
