"""The programming interface before a real guard: tokens, scopes, orders, and bodies nobody foresaw."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from pypdf import PdfReader
from schemathesis import Case, GenerationMode, checks

from console.test_findings import finding
from console.test_signin import NAME, STEP, Browser, visit
from engine.home import RECORDS, STOLEN
from rempart.accounts.credential import Scope
from rempart.accounts.person import INFORMED, Role
from rempart.adapters.store.findings import FindingStore, Seen
from rempart.config import Places
from rempart.console.access import Access
from rempart.console.app import Console
from rempart.console.feed import Feed
from rempart.console.inquirer import Inquirer
from rempart.console.openapi import ROOT, description
from rempart.console.settings import Settings
from rempart.detection.finding import Kind, Level
from rempart.engine import orders
from rempart.engine.inputs import Found
from rempart.events.observable import Observable, ObservableKind
from rempart.events.observable import Role as Part
from rempart.instants import Instant
from rempart.messages import Status
from rempart.site.site import Site
from station.household import PASSWORD, Household, Inhabitant, household
from station.test_inquiry import described, watching

pytestmark = pytest.mark.edge


async def token(home: Household, person: Inhabitant, *scopes: Scope) -> str:
    order = orders.IssueToken(by=person.id, label="program", scopes=list(scopes))
    made = await home.give(person, order, confirmed=True)
    return str(made.handed)


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_the_description_names_every_order_and_every_address() -> None:
    told = description()
    assert told["openapi"] == "3.1.0"
    schemas = told["components"]["schemas"]
    for order in orders.AnyOrder.__args__:
        assert order.__name__ in schemas
    assert msgspec.json.decode(msgspec.json.encode(told)) == told


def test_a_token_reads_and_orders_as_its_scopes_allow(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: object) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        following = asyncio.create_task(console.feed.follow())
        async with asyncio.timeout(60):
            while console.feed.status is None:
                await console.feed.changed(0.1)
        api = Api(console)
        reading, ordering = await token(home, anne, Scope.READ), await token(home, anne, Scope.ORDER)
        assert (await api.get("status", reading)).json()["posture"] == "normal"
        assert (await api.get("status", ordering)).status_code == 403
        assert (await api.get("people", reading)).status_code == 401
        cut = {"order": {"type": "Contain", "by": "anne", "reason": "x"}}
        assert (await api.post("orders", reading, cut)).status_code == 403
        done = await api.post("orders", ordering, cut)
        assert done.status_code == 200, done.text
        assert home.guard.state.contained
        following.cancel()

    visit(tmp_path, site, talk)


def test_an_order_that_loosens_needs_the_passkeys_answer(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: object) -> None:
        tech = await home.enrol("tech", Role.TECHNICIAN)
        await home.local(orders.Block(by="root", target="198.51.100.9"))
        api = Api(console)
        lift = {"order": {"type": "Unblock", "by": "tech", "target": "198.51.100.9"}}
        alone = await api.post("orders", tech.session, lift)
        assert (alone.status_code, alone.headers["content-type"]) == (403, "application/problem+json")
        question = (await api.post("questions", tech.session, lift)).json()
        answer = {"handle": question["handle"], "response": tech.passkey.signed(question["options"])}
        other = {"order": {**lift["order"], "target": "198.51.100.8"}, "answer": answer}
        assert (await api.post("orders", tech.session, other)).status_code == 403
        question = (await api.post("questions", tech.session, lift)).json()
        answer = {"handle": question["handle"], "response": tech.passkey.signed(question["options"])}
        done = await api.post("orders", tech.session, {**lift, "answer": answer})
        assert done.status_code == 200, done.text
        assert not home.guard.state.blocked

    visit(tmp_path, site, talk)


PAGES = ("findings", "exceptions", "sources", "rules", "health", "settings", "incidents")
"""Each is read at the same address as its page, below the interface's own."""


@pytest.mark.parametrize("role", Role)
def test_whoever_may_see_a_page_may_read_the_same_with_a_program_and_nobody_else(
    tmp_path: Path, site: Site, role: Role
) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        anne = await home.enrol("anne", role)
        api = Api(console)
        browser.client.cookies.set(console.cookie, anne.session)
        console.feed.status = home.guard.status()
        for path in PAGES:
            page, answer = await browser.get(f"/{path}"), await api.get(path, anne.session)
            assert (answer.status_code == 403) is (page.status_code == 403), path
            if answer.status_code == 403:
                assert answer.json()["key"] == "roles"
                assert "technician" in answer.json()["detail"]
        ordering = await token(home, anne, Scope.ORDER)
        assert {(await api.get(path, ordering)).status_code for path in PAGES} == {403}
        assert {(await api.get(path, "x" * 40)).status_code for path in PAGES} == {401}

    visit(tmp_path, site, talk)


def test_a_program_reads_findings_page_by_page_and_what_they_come_from(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, _: object) -> None:
        tech = await home.enrol("tech", Role.TECHNICIAN)
        watched = described(tmp_path)
        kept(watched.places, home.clock.now())
        console.inquirer = Inquirer(watched.places.inquiry_socket)
        async with watching(watched):
            api = Api(console)
            first = (await api.get("findings", tech.session)).json()
            second = (await api.get(f"findings?after={first['next']}", tech.session)).json()
            pages = [first["bunches"], second["bunches"]]
            assert ([len(page) for page in pages], second["next"]) == ([50, 10], "")
            assert len({bunch["id"] for page in pages for bunch in page}) == 60
            assert "anne" not in repr(pages)
            grave = (await api.get("findings?level=4&kind=other", tech.session)).json()
            assert [bunch["level"] for bunch in grave["bunches"]] == [4]
            (bunch,) = grave["bunches"]
            told = (await api.get(f"findings/{bunch['day']}/{bunch['id']}", tech.session)).json()
            assert [each["finding"]["rule"] for each in told["findings"]] == ["rule-0"]
            older = f"findings/{bunch['day']}/{bunch['id']}?before={told['findings'][0]['number']}"
            assert (await api.get(older, tech.session)).json()["findings"] == []
            assert (await api.get(f"findings/{bunch['day']}/{'0' * 16}", tech.session)).status_code == 404

            logs = (await api.get("sources", tech.session)).json()["sources"]
            assert {"care.log", "portal.log"} <= {Path(log["source"]).name for log in logs}
            assert (await api.get("rules", tech.session)).json()["levels"]["critical"] == 1
            health = (await api.get("health", tech.session)).json()
            assert (health["guard"], health["watch"], health["certificate"]) == (False, True, None)
            assert 0 < health["free"] <= health["disk"]
            none = (await api.get("exceptions?skip=7", tech.session)).json()
            assert (none["exceptions"], none["next"]) == ([], None)
            asked = {"rule": "rule-0", "traits": [{"field": "c-ip", "value": "10.0.2.7"}]}
            tried = (await api.post("previews", tech.session, asked)).json()
            assert (tried["looked_at"], tried["hidden"]) == (1, 0)
            assert (await api.post("previews", tech.session, {**asked, "traits": []})).status_code == 400
            for wrong in (
                "findings?day=0",
                "findings?level=9",
                "findings?kind=cat",
                "exceptions?skip=-1",
                "findings?after=4.1",
                "findings?after=4.1.%ED%A0%80",
                "findings/1/x",
                f"findings/x/{'0' * 16}",
                f"findings/1/{'0' * 16}?before=-1",
            ):
                answer = await api.get(wrong, tech.session)
                assert answer.status_code == 400, wrong
                assert answer.headers["content-type"] == "application/problem+json"

        silent = await api.get("findings", tech.session)
        assert (silent.status_code, silent.json()["title"]) == (503, "watch does not answer")
        health = (await api.get("health", tech.session)).json()
        assert (health["watch"], health["free"]) == (False, None)

    visit(tmp_path, site, talk)


def test_a_program_follows_how_things_are_until_its_session_ends(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, _: object) -> None:
        anne = await home.enrol("anne", Role.OBSERVER)
        api = Api(console)
        console.feed.status = home.guard.status()
        assert console.feed.status.journal_root
        assert (await api.get("events", await token(home, anne, Scope.ORDER))).status_code == 403
        async with asyncio.timeout(60):
            following = asyncio.create_task(api.get("events", anne.session))
            while console.live.room(anne.session) and not console.live.looking(anne.session):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert (await api.delete("session", anne.session)).status_code == 204
            answer = await following
        assert answer.headers["content-type"].startswith("text/event-stream")
        event, data = answer.text.split("\n")[:2]
        assert event == "event: status"
        told = msgspec.json.decode(data.removeprefix("data: "), type=Status)
        assert (told.site, told.journal_root) == (console.feed.status.site, "")
        assert not console.live.looking(anne.session)

    visit(tmp_path, site, talk)


def test_the_settings_say_what_the_page_says_and_not_how_people_are_reached(
    tmp_path: Path, site: Site
) -> None:
    async def talk(home: Household, console: Console, _: object) -> None:
        tech = await home.enrol("tech", Role.TECHNICIAN)
        told = (await Api(console).get("settings", tech.session)).json()
        assert [zone["name"] for zone in told["zones"]] == [zone.name for zone in site.zones]
        assert told["openings"][0]["fallback"]["text"] == site.openings[0].fallback.text
        assert told.keys() == set(Settings.__struct_fields__)
        assert set(told["openings"][0]) == {"id", "name", "lifeline", "fallback"}

    visit(tmp_path, site, talk)


def kept(places: Places, now: Instant) -> None:
    """Sixty bunches of one finding each, the first of them critical."""
    places.findings.parent.mkdir(parents=True)
    store = FindingStore(places.findings, b"k" * 32, lambda _: True)
    store.keep(
        [
            Seen(
                finding(
                    id=f"f-{n}",
                    rule=f"rule-{n}",
                    kind=Kind.OTHER,
                    level=Level.HIGH if n else Level.CRITICAL,
                    observables=(Observable(ObservableKind.ACCOUNT, Part.ACTOR, "anne"),),
                ),
                now,
            )
            for n in range(60)
        ]
    )
    store.close()


def test_signing_in_and_out(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: object) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        home.clock.pass_(STEP)
        api = Api(console)
        said = {"name": "anne", "password": PASSWORD, "code": anne.code(home.clock)}
        opened = (await api.post("session", "", said)).json()
        assert (await api.get("session", opened["secret"])).json()["person"] == "anne"
        assert (await api.delete("session", opened["secret"])).status_code == 204
        assert (await api.get("session", opened["secret"])).status_code == 401
        assert (await api.post("session", "", said)).status_code == 401

    visit(tmp_path, site, talk)


def test_a_cookie_is_no_token(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: object) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        api = Api(console)
        api.client.cookies.set(console.cookie, anne.session)
        assert (await api.client.get(f"{ROOT}/session")).status_code == 401

    visit(tmp_path, site, talk)


def test_a_guard_that_is_silent_is_said(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: object) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        console.feed.path = tmp_path / "nobody"
        cut = {"order": {"type": "Contain", "by": "anne"}}
        assert (await Api(console).post("orders", anne.session, cut)).status_code == 503

    visit(tmp_path, site, talk)


@pytest.mark.parametrize("role", Role)
def test_the_papers_of_an_incident_are_for_those_who_check_by_page_and_by_program(
    tmp_path: Path, site: Site, role: Role
) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await home.guard.ask(Found(home.clock.now(), RECORDS))
        (incident,) = home.guard.state.incidents
        anne = await home.enrol("anne", role)
        browser.client.cookies.set(console.cookie, anne.session)
        console.feed.status = home.guard.status()
        api, may = Api(console), role in INFORMED
        assert ("/papers/complaint" in (await browser.get(f"/incidents/{incident}")).text) is may
        for kind, word in (("timeline", "Ablauf"), ("complaint", "Anzeige")):
            path = f"incidents/{incident}/papers/{kind}?lang=de"
            page, answer = await browser.get(f"/{path}"), await api.get(path, anne.session)
            assert [page.status_code, answer.status_code] == ([200, 200] if may else [403, 403])
            if may:
                assert page.headers["content-type"] == answer.headers["content-type"] == "application/pdf"
                assert page.content == answer.content
                assert f"{kind}-{incident}.de.pdf" in page.headers["content-disposition"]
                text = "".join(each.extract_text() for each in PdfReader(BytesIO(page.content)).pages)
                assert "person-" in text
                assert STOLEN not in text
                assert word in text
        wrong = await api.get(f"incidents/{incident}/papers/timeline?lang=xx", anne.session)
        assert wrong.status_code == 400
        ordering = await token(home, anne, Scope.ORDER)
        assert (await api.get(f"incidents/{incident}/papers/timeline", ordering)).status_code == 403

    visit(tmp_path, site, talk)


class Api:
    """A program."""

    def __init__(self, console: Console) -> None:
        app = console.app(frozenset({NAME}))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{NAME}")

    async def get(self, path: str, token: str) -> httpx.Response:
        return await self.client.get(f"{ROOT}/{path}", headers=bearing(token))

    async def delete(self, path: str, token: str) -> httpx.Response:
        return await self.client.delete(f"{ROOT}/{path}", headers=bearing(token))

    async def post(self, path: str, token: str, body: object) -> httpx.Response:
        return await self.client.post(f"{ROOT}/{path}", headers=bearing(token), content=json.dumps(body))


# -- whatever the description allows, and much that it does not -------------------------------------------------------


PATIENCE = 60.0
"""Seconds for which an answer is waited for here: a machine that is busy with other tests makes no error of ours."""


class Served:
    """A console on loopback before a guard and a watch, with a technician's session."""

    port: int
    session: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Served]:
    folder, up, stop, served = tmp_path_factory.mktemp("api"), threading.Event(), threading.Event(), Served()

    async def life() -> None:
        watched = described(folder)
        async with household(folder) as home, watching(watched):
            served.session = (await home.enrol("tech", Role.TECHNICIAN)).session
            console = Console(
                site=site,
                feed=Feed(folder / "console", home.clock, patience=PATIENCE),
                access=Access(publish=lambda _: None),
                clock=home.clock,
                inquirer=Inquirer(watched.places.inquiry_socket, patience=PATIENCE),
            )
            names = frozenset(f"127.0.0.1:{port}" for port in range(1024, 65536))
            config = uvicorn.Config(console.app(names), port=0, log_config=None, ws="none", access_log=False)
            server = uvicorn.Server(config)
            running, following = (
                asyncio.create_task(server.serve()),
                asyncio.create_task(console.feed.follow()),
            )
            while not (server.started and console.feed.status):  # noqa: ASYNC110  uvicorn tells it by an attribute
                await asyncio.sleep(0.01)
            served.port = server.servers[0].sockets[0].getsockname()[1]
            up.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await running
            following.cancel()

    thread = threading.Thread(target=asyncio.run, args=(life(),))
    thread.start()
    assert up.wait(60)
    yield served
    stop.set()
    thread.join()


@pytest.mark.slow
def test_nothing_that_is_sent_makes_an_error_of_ours(served: Served) -> None:
    """Requests made by schemathesis from the description: as it says, and, where there is a body, not as it says.

    Each answer is held against the description as well: its code, its content type, its schema. The stream has
    no end, and a test of its own.
    """
    schema = schemathesis.openapi.from_dict(description()).exclude(path=f"{ROOT}/events")
    schema.config.base_url = f"http://127.0.0.1:{served.port}"
    answered: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if operation.body else [])]
        most = 40 if operation.body else 20
        for case in [case for mode in modes for case in cases(operation, mode, most)]:
            answer = case.call(headers=bearing(served.session))
            answered[answer.status_code] += 1
            if answer.status_code != 429:
                case.validate_response(
                    answer,
                    checks=[
                        checks.not_a_server_error,
                        checks.status_code_conformance,
                        checks.content_type_conformance,
                        checks.response_schema_conformance,
                    ],
                )
    assert sum(answered.values()) > 300
    assert {200, 400, 403} <= answered.keys()


def cases(operation: Any, mode: GenerationMode, most: int) -> list[Case]:
    """So many requests for one operation."""
    kept: list[Case] = []

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=most,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def collect(case: Case) -> None:
        kept.append(case)

    collect()
    return kept


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 20_000,
        b'{"order":{"type":"Contain","by":"\\ud800"}}',
        b"x" * 50_000,
    ],
)
def test_a_body_that_is_none_is_refused(body: bytes, served: Served) -> None:
    for path in ("orders", "questions", "session"):
        address = f"http://127.0.0.1:{served.port}{ROOT}/{path}"
        answer = httpx.post(address, content=body, headers=bearing(served.session))
        assert answer.status_code == 400, answer.text
