"""Guard and teller together, over their socket and a simulated modem: told, answered, sealed."""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.tell.simulated import SimulatedModem
from engine.home import RECORDS, SITE, shipped_policy
from rempart.__main__ import main
from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal
from rempart.adapters.socket import serve
from rempart.adapters.tell.modem import GsmModem
from rempart.adapters.tell.spool import Spool
from rempart.config import Places
from rempart.engine import facts, orders
from rempart.engine.inputs import Found, Ordered, Started
from rempart.engine.step import Terms
from rempart.errors import NotHandedOver
from rempart.instants import Instant
from rempart.messages import FromOperator, FromTeller
from rempart.site.language import Language
from rempart.site.site import Site
from rempart.site.telling import Channel, Modem, Recipient, Telling
from rempart.station import teller as tellers
from rempart.station.guard import Guard
from rempart.station.hearing import Hearing
from rempart.station.recall import facts_of
from rempart.station.teller import FirstThat, Teller
from rempart.telling import pdu
from rempart.telling.message import Letter
from telling.test_pdu import as_delivered

PHONE = "+32470000001"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, unhurried: None) -> None:
    monkeypatch.setattr(tellers, "LISTEN", 0.05)
    monkeypatch.setattr(tellers, "SELDOM", 0.05)
    monkeypatch.setattr(tellers, "RECONNECT", 0.05)


@pytest.fixture
def modem() -> Iterator[SimulatedModem]:
    simulated = SimulatedModem()
    yield simulated
    simulated.close()


def home(device: str) -> Site:
    telling = Telling(
        recipients=(Recipient(role="duty", language=Language.FRENCH, text=PHONE),), modem=Modem(device=device)
    )
    return replace(SITE, telling=telling)


class Pair:
    """A guard on a real journal and a teller, each of which can be ended and begun again."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.site, self.folder = site, folder
        self.places = Places(site=folder / "site.toml", state=folder, run=folder / "run", rules=())
        self.journal = Journal.open(
            folder / "journal.db", folder / "keys", origin="rempart/test", now=SystemClock().now()
        )
        self.work: list[asyncio.Task[None]] = []

    async def guard(self) -> None:
        self.guarding = Guard(
            Terms(self.site, shipped_policy()), self.journal, MemoryEnforcer(), SystemClock()
        )
        self.work.append(asyncio.create_task(self.guarding.run()))
        await self.guarding.ask(Started(self.now()))
        self.door = await serve(
            self.places.teller_socket,
            mode=0o600,
            allowed_uids={os.geteuid()},
            incoming=FromTeller,
            handler=Hearing(self.guarding).teller,
        )

    def teller(self) -> asyncio.Task[None]:
        modem = GsmModem(self.site.telling.modem) if self.site.telling.modem else None
        assert modem
        told = Teller(self.site, Spool(self.places.spool), {Channel.TEXT: modem}, SystemClock())

        async def live() -> None:
            await asyncio.gather(told.listen(self.places), told.send(Channel.TEXT), told.reply(modem))

        task = asyncio.create_task(live())
        self.work.append(task)
        return task

    def now(self) -> Instant:
        return SystemClock().now()

    def sealed(self, kind: type) -> list[facts.AnyFact]:
        return [fact for fact in facts_of(self.journal) if isinstance(fact, kind)]

    async def alert(self) -> None:
        await self.guarding.ask(Found(self.now(), replace(RECORDS, time=self.now())))


def live(folder: Path, site: Site, talk: Callable[[Pair], Awaitable[None]]) -> None:
    async def life() -> None:
        pair = Pair(folder, site)
        await pair.guard()
        try:
            await talk(pair)
        finally:
            await pair.door.close()
            for task in pair.work:
                task.cancel()
            await asyncio.gather(*pair.work, return_exceptions=True)
            pair.guarding.close()
            pair.journal.close()

    asyncio.run(life())


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not happened():  # noqa: ASYNC110  what is waited for is in a journal or a thread
            await asyncio.sleep(0.02)


def text_of(sent: list[tuple[int, str]]) -> str:
    return "".join(pdu.delivered(as_delivered(hexadecimal)).text for _, hexadecimal in sent)


def answer(code: str, sender: str = PHONE) -> str:
    (part,) = pdu.submit(sender, f"ok {code}", 1)
    return as_delivered(part.hexadecimal)


def test_the_telephone_rings_and_its_answer_is_sealed(tmp_path: Path, modem: SimulatedModem) -> None:
    async def talk(pair: Pair) -> None:
        pair.teller()
        await pair.alert()
        await until(lambda: pair.sealed(facts.Told))
        (told,) = pair.sealed(facts.Told)
        assert (told.role, told.delivered) == ("duty", True)
        (alert,) = pair.guarding.state.alerts.values()
        said = text_of(modem.sent)
        assert alert.code in said
        assert "Wards" in said
        assert "10.1.0.21" not in said
        modem.inbox = {1: answer(alert.code, "+32999999999"), 2: answer("ZZZZZZ"), 3: answer(alert.code)}
        await until(lambda: pair.sealed(facts.Acknowledged))
        (taken,) = pair.sealed(facts.Acknowledged)
        assert (taken.by, taken.how) == ("duty", "reply")
        status = pair.guarding.status()
        assert status.answer_seconds == [0]
        assert status.alerts[0].taken_by == "duty"

    live(tmp_path, home(modem.device), talk)


def test_a_full_disk_keeps_nobody_from_being_told_and_tells_nobody_twice(
    tmp_path: Path, modem: SimulatedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Spool, "_write", full)

    async def talk(pair: Pair) -> None:
        sending = pair.teller()
        await pair.alert()
        await until(lambda: pair.sealed(facts.Told) or sending.done())
        assert not sending.done()
        assert len(pair.sealed(facts.Told)) == 1

    live(tmp_path, home(modem.device), talk)


def test_a_teller_that_comes_late_or_again_tells_once(tmp_path: Path, modem: SimulatedModem) -> None:
    async def talk(pair: Pair) -> None:
        await pair.alert()  # nobody listens yet
        first = pair.teller()
        await until(lambda: pair.sealed(facts.Told))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        count = len(modem.sent)
        pair.teller()
        await until(lambda: pair.guarding.tellers)
        await asyncio.sleep(0.3)
        assert len(modem.sent) == count

    live(tmp_path, home(modem.device), talk)


def test_what_failed_is_on_disk_and_sent_after_a_restart(
    tmp_path: Path, modem: SimulatedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rempart.adapters.tell.spool._FIRST_PAUSE", 200_000)

    async def talk(pair: Pair) -> None:
        modem.refusals = ["+CMS ERROR: 38"] * 2
        first = pair.teller()
        await pair.alert()
        await until(lambda: not modem.refusals)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert not pair.sealed(facts.Told)
        assert list(pair.places.spool.iterdir())
        pair.teller()
        await until(lambda: pair.sealed(facts.Told))
        assert modem.sent

    live(tmp_path, home(modem.device), talk)


def test_a_number_nobody_has_is_sealed_as_not_reached(tmp_path: Path, modem: SimulatedModem) -> None:
    async def talk(pair: Pair) -> None:
        modem.refusals = ["+CMS ERROR: 28"]
        pair.teller()
        await pair.alert()
        await until(lambda: pair.sealed(facts.Told))
        (told,) = pair.sealed(facts.Told)
        assert not told.delivered
        assert "28" in told.note

    live(tmp_path, home(modem.device), talk)


def test_a_bill_has_a_bound(tmp_path: Path, modem: SimulatedModem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tellers, "A_DAY", {Channel.TEXT: 0, Channel.MAIL: 0, Channel.WEBHOOK: 0})

    async def talk(pair: Pair) -> None:
        pair.teller()
        await pair.guarding.ask(Ordered(pair.now(), orders.TryTelling(by="Anna")))
        await until(lambda: pair.sealed(facts.Told))
        assert modem.sent == []

    live(tmp_path, home(modem.device), talk)


class Broken:
    def carry(self, address: str, letter: Letter) -> None:
        raise NotHandedOver("broken")


class Works:
    def __init__(self) -> None:
        self.carried = 0

    def carry(self, address: str, letter: Letter) -> None:
        self.carried += 1


def test_the_next_way_is_used_when_one_fails() -> None:
    works = Works()
    letter = Letter(id="m", subject="s", body="b", short="s", facts={})
    FirstThat(Broken(), works).carry(PHONE, letter)
    assert works.carried == 1
    with pytest.raises(NotHandedOver):
        FirstThat(Broken()).carry(PHONE, letter)


def test_the_command_line_tries_every_way_and_says_what_came_of_it(
    tmp_path: Path, modem: SimulatedModem, capsys: pytest.CaptureFixture[str]
) -> None:
    async def talk(pair: Pair) -> None:
        pair.teller()
        door = await serve(
            pair.places.operator_socket,
            mode=0o600,
            allowed_uids={os.geteuid()},
            incoming=FromOperator,
            handler=Hearing(pair.guarding).operator,
        )
        words = ["tell", "test", "--run", str(pair.places.run), "--by", "Anna"]
        try:
            assert await asyncio.to_thread(main, words) == 0
        finally:
            await door.close()

    live(tmp_path, home(modem.device), talk)
    assert "duty, text: handed over" in capsys.readouterr().out
    assert "Ceci est un essai" in text_of(modem.sent)
