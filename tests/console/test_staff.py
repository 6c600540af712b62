"""The staff page's own application: anybody in the house may ask it, and there is nothing of the console in it."""

import asyncio
import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.routing import Route

from console.everything import CHECKED, WRITTEN, everything
from console.test_app import Stopped, Visit, visit
from rempart.adapters.staff_notice import FRESH, StaffNotice
from rempart.console.app import STATIC
from rempart.console.audience import for_anybody
from rempart.console.board import board_page
from rempart.console.staff import Staff
from rempart.console.words import words
from rempart.instants import Instant, after
from rempart.messages import IncidentStatus, Posture, Status
from rempart.site.site import Language, Site
from rempart.site.staff_page import StaffPage

__all__ = ["visit"]

Make = Callable[..., Status]
PAGES = ("/", "/poster/numbers", "/poster/attack")
NAME = StaffPage(address="10.0.1.1").authority


@dataclass
class House:
    """The pages of a house, and whoever asks for them."""

    site: Site
    now: Instant
    known: tuple[Status | None, Instant | None] = (None, None)
    looks: list[Instant] = field(default_factory=list)

    def look(self, now: Instant) -> tuple[Status | None, Instant | None]:
        self.looks.append(now)
        return self.known

    def ask(self, *paths: str, method: str = "GET", host: str = NAME) -> list[httpx.Response]:
        async def go() -> list[httpx.Response]:
            transport = httpx.ASGITransport(
                app=Staff(self.site, Stopped(self.now), self.look).app(frozenset({NAME}))
            )
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                return [await client.request(method, path) for path in paths]

        return asyncio.run(go())


@pytest.fixture
def house(site: Site, make: Make, now: Instant) -> House:
    return House(site, now, (make(Posture.CONTAINED), now))


def test_anybody_may_read_it_and_it_keeps_nothing(house: House) -> None:
    for answer in house.ask(*(f"{path}?lang=nl" for path in PAGES)):
        assert answer.status_code == 200
        assert '<html lang="nl">' in answer.text
        assert "set-cookie" not in answer.headers
        assert "<form" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_whatever_it_leads_to_is_there(house: House) -> None:
    links = {
        link for answer in house.ask(*PAGES) for link in re.findall(r'(?:href|src)="(/[^"]*)"', answer.text)
    }
    assert "/poster/numbers?lang=fr" in links
    assert {answer.status_code for answer in house.ask(*links)} == {200}


def test_nothing_of_the_console_is_reached_by_it(house: House, visit: Visit) -> None:
    addresses = {
        re.sub(r"\{[^}]*\}", "x", route.path)
        for route in visit.console.app(frozenset()).routes
        if isinstance(route, Route) and route.path not in PAGES
    }
    assert {"/enter", "/contain", "/ward", "/staff"} < addresses
    for method in ("GET", "POST"):
        assert {each.status_code for each in house.ask(*addresses, method=method)} == {404}


def test_it_answers_to_its_own_address_only(house: House) -> None:
    (answer,) = house.ask("/", host="attacker.example")
    assert answer.status_code == 421


def test_strangers_who_ask_without_end_cost_little(house: House) -> None:
    house.ask(*["/"] * 50)
    assert len(house.looks) == 1


def test_it_weighs_little(house: House) -> None:
    (answer,) = house.ask("/")
    assert len(answer.content) + len(STATIC["board.css"]) < 30_000


# -- what it is told ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("posture", Posture)
def test_what_it_is_told_is_enough(site: Site, make: Make, now: Instant, posture: Posture) -> None:
    status = make(posture)
    for language in Language:
        spoken = words(language)
        assert board_page(site, for_anybody(status), now, now, spoken) == board_page(
            site, status, now, now, spoken
        )


def test_what_it_is_told_names_nobody_and_nothing(make: Make, attack: IncidentStatus) -> None:
    text = msgspec.json.encode(for_anybody(everything(make, attack))).decode()
    assert not [mark for mark in (*CHECKED, *WRITTEN) if mark in text]


def test_without_news_from_the_guard_nothing_is_said_to_work(house: House) -> None:
    house.known = (None, house.now)
    (answer,) = house.ask("/?lang=en")
    assert "not known" in answer.text
    assert answer.text.count("not known") == len(house.site.openings)


# -- how it is told ----------------------------------------------------------------------------------------------


def test_a_notice_is_believed_while_it_is_fresh(tmp_path: Path, make: Make) -> None:
    notice, told = StaffNotice(tmp_path / "notice.json"), for_anybody(make(Posture.CONTAINED))
    assert notice.read(told.now) == (None, None)
    notice.leave(for_anybody(make()))
    notice.leave(told)
    assert notice.read(after(told.now, FRESH)) == (told, told.now)
    assert notice.read(Instant(told.now - FRESH)) == (told, told.now)
    for late in (after(told.now, FRESH + 1), Instant(told.now - FRESH - 1)):
        assert notice.read(late) == (None, told.now)


@pytest.mark.parametrize("left", [b"", b"{", b'{"site": 1}', b"\xff"])
def test_a_notice_that_cannot_be_read_is_none(tmp_path: Path, now: Instant, left: bytes) -> None:
    (tmp_path / "notice.json").write_bytes(left)
    assert StaffNotice(tmp_path / "notice.json").read(now) == (None, None)


def test_others_may_read_it_whatever_the_umask(tmp_path: Path, make: Make) -> None:
    notice = StaffNotice(tmp_path / "notice.json")
    notice.leave(make())
    assert f"{notice.path.stat().st_mode:o}" == "100644"
    assert [file.name for file in tmp_path.iterdir()] == ["notice.json"]


def test_the_poster_says_where_it_is(house: House) -> None:
    online = dataclasses.replace(house.site, staff_page=StaffPage(address="fd00::1", port=9000))
    (answer,) = dataclasses.replace(house, site=online).ask("/poster/numbers")
    assert "http://[fd00::1]:9000/" in answer.text
