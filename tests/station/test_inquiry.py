"""What watch answers the console: from real lines, over its real socket, with accounts behind masks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from engine.home import finding
from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import dial
from rempart.adapters.store.events import EventStore
from rempart.adapters.store.findings import Seen
from rempart.config import Places
from rempart.detection.finding import Finding, Kind, Level
from rempart.detection.inquiry import (
    BunchAsked,
    Bunches,
    BunchesAsked,
    ExceptionsAsked,
    ExceptionTold,
    FromInquirer,
    PreviewAsked,
    RulesAsked,
    SourcesAsked,
    ToInquirer,
)
from rempart.detection.trait import Trait
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.messages import ExceptionsStand, ExceptionStand, StatusAsked
from rempart.site import description
from rempart.station.rulebook import Rulebook
from rempart.station.watch import Watch
from station.watched import RULES, SITE, Home, request, until

PROBE = "5b1f8a3e-0000-4000-8000-000000000001"


def described(folder: Path) -> Home:
    """A home whose logs and rules stand in this folder."""
    (folder / "site.toml").write_text(SITE.replace("{folder}", str(folder)))
    (folder / "rules").mkdir()
    (folder / "rules" / "all.yml").write_text(RULES)
    places = Places(
        site=folder / "site.toml",
        state=folder / "state",
        run=folder / "run",
        rules=(folder / "rules",),
    )
    return Home(folder, places, description.parse(places.site.read_text(), "site.toml"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return described(tmp_path)


@asynccontextmanager
async def watching(home: Home) -> AsyncIterator[Watch]:
    store, rulebook = EventStore(home.places.events), Rulebook(home.places, home.site)
    watch = Watch(home.places, home.site, rulebook.detection(starting=True), store, SystemClock(), rulebook)
    running = asyncio.create_task(watch.run())
    try:
        await until(home.places.inquiry_socket.exists)
        yield watch
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        store.close()


async def ask(home: Home, question: FromInquirer) -> Any:
    connection = await dial(home.places.inquiry_socket, incoming=ToInquirer)
    with closing(connection):
        await connection.send(question)
        return await connection.receive()


async def bunches(home: Home, findings: int) -> Bunches:
    """The bunches, once so many findings are kept."""
    for _ in range(400):
        found: Bunches = await ask(home, BunchesAsked())
        if sum(each.findings for each in found.bunches) >= findings:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("they were not kept")


def test_findings_are_told_in_bunches_with_what_an_exception_may_name(home: Home) -> None:
    async def play() -> None:
        home.write(home.portal, b"")
        async with watching(home):
            home.write(
                home.portal,
                *(request(n, f"/{n}/.env", client=f"198.51.100.{n}", user="anne") for n in range(3)),
                b"not a line of nginx\n",
            )
            found = await bunches(home, 3)
            (bunch,) = found.bunches
            assert (bunch.level, bunch.findings) == (Level.MEDIUM, 3)
            assert "anne" not in repr(bunch)
            told = await ask(home, BunchAsked(day=bunch.day, bunch=bunch.id))
            assert [each.finding.record for each in told.findings] == [3, 2, 1]
            assert Trait("c-ip", "198.51.100.2") in told.findings[0].traits

            wanted = PreviewAsked(rule=bunch.latest.rule, traits=[Trait("c-ip", "198.51.100.2")])
            preview = await ask(home, wanted)
            assert (preview.looked_at, preview.hidden, preview.grave) == (3, 1, 0)

            sources = {Path(each.source).name: each for each in (await ask(home, SourcesAsked())).sources}
            portal, care = sources["portal.log"], sources["care.log"]
            assert (portal.days[0], portal.undecoded, portal.silent, portal.missing) == (4, 1, False, False)
            assert (care.last, care.missing) == (None, True)

            rules = await ask(home, RulesAsked())
            assert rules.levels == {"medium": 1, "low": 1, "high": 1, "informational": 1, "critical": 1}
            assert rules.current is None
            assert (await ask(home, ExceptionsAsked())).exceptions == []

    asyncio.run(play())


def test_findings_with_the_longest_names_are_told_page_by_page(home: Home) -> None:
    """Of control characters, which JSON writes as six bytes each."""
    names = tuple(
        Observable(ObservableKind.HOST, Role.ACTOR, f"{number:02}" + "\x01" * 198) for number in range(24)
    )

    def long(number: int) -> Finding:
        return finding(Kind.PROBE, rule="r", observables=names, record=number)

    async def play() -> None:
        home.write(home.portal, b"")
        async with watching(home) as watch:
            gallery = watch._gallery
            gallery.keep([Seen(long(number), SystemClock().now()) for number in range(60)])
            (bunch,) = (await ask(home, BunchesAsked())).bunches
            seen: list[int] = []
            before: int | None = 0
            while before is not None:
                told = await ask(home, BunchAsked(day=bunch.day, bunch=bunch.id, before=before))
                seen += [each.finding.record for each in told.findings]
                before = told.before
            assert seen == list(range(59, -1, -1))

    asyncio.run(play())


def test_many_long_exceptions_are_told_page_by_page(home: Home) -> None:
    value = "€" * 199

    def written(number: int) -> str:
        values = ", ".join(f'"{value}{n % 10}"' for n in range(20))
        return (
            f"[[exceptions]]\nfields = {{ c-uri = [{values}], c-ip = '10.0.2.{number}' }}\n"
            f'reason = "{"€" * 400}"\nauthor = "A"\nuntil = 2099-01-31\n'
        )

    home.places.exceptions.write_text("".join(map(written, range(80))))

    async def play() -> None:
        home.write(home.portal, b"")
        async with watching(home):
            seen: list[str] = []
            skip, pages = 0, 0
            while skip is not None:
                told = await ask(home, ExceptionsAsked(skip=skip))
                seen += [each.id for each in told.exceptions]
                skip, pages = told.next, pages + 1
            assert len(seen) == len(set(seen)) == 80
            assert pages == 3

    asyncio.run(play())


def test_findings_stay_over_a_restart_and_count_once(home: Home) -> None:
    async def play() -> None:
        home.write(home.portal, *(request(n, f"/{n}/.env", client=f"198.51.100.{n}") for n in range(3)))
        async with watching(home):
            await bunches(home, 3)
        async with watching(home):
            home.write(home.portal, request(60, "/60/.env", client="198.51.100.60"))
            found = await bunches(home, 4)
            assert sum(each.findings for each in found.bunches) == 4

    asyncio.run(play())


def test_whoever_asks_for_something_else_is_cut_off(home: Home) -> None:
    async def play() -> None:
        async with watching(home):
            assert await ask(home, StatusAsked()) is None  # type: ignore[arg-type]  # the wrong message is the point
            assert isinstance(await ask(home, BunchesAsked()), Bunches)

    asyncio.run(play())


def test_a_desk_that_cannot_be_opened_keeps_nothing_else_from_going_on(home: Home) -> None:
    async def play() -> None:
        home.places.inquiry_socket.parent.mkdir(parents=True)
        home.places.inquiry_socket.write_text("something else lies here")
        async with watching(home), home.guard() as guard:
            home.write(home.portal, request(1, "/.env"))
            await until(lambda: guard.found)

    asyncio.run(play())
    assert home.places.inquiry_socket.read_text() == "something else lies here"


def test_an_exception_that_the_guard_tells_hides_without_a_restart_and_its_end_tells_again(
    home: Home,
) -> None:
    async def play() -> None:
        stand = ExceptionStand(
            rule=PROBE,
            traits=[Trait("c-ip", "198.51.100.7")],
            reason="our own scanner",
            by="anne",
            until="2099-01-31",
        )
        home.write(home.portal, b"")
        async with home.guard() as guard, watching(home) as watch:
            await until(lambda: guard.connections)
            await guard.connections[0].send(ExceptionsStand(exceptions=[stand]))
            await until(lambda: watch._reader.detection.tamed.exceptions.exemptions)
            home.write(
                home.portal,
                request(1, "/1/.env", client="198.51.100.7"),
                request(2, "/2/.env", client="198.51.100.8"),
            )
            await until(lambda: guard.found)
            (found,) = guard.found.values()
            assert found.record == 2

            async def told() -> ExceptionTold:
                (exception,) = (await ask(home, ExceptionsAsked())).exceptions
                assert isinstance(exception, ExceptionTold)
                return exception

            while not (exception := await told()).times:  # noqa: ASYNC110  another process is asked
                await asyncio.sleep(0.05)
            assert (exception.ordered, exception.in_force, exception.ended) == (True, True, False)
            assert (exception.rules, exception.author) == (["Environment file asked for"], "anne")

            await guard.connections[0].send(ExceptionsStand(exceptions=[]))
            await until(lambda: not watch._reader.detection.tamed.exceptions.exemptions)
            home.write(home.portal, request(60, "/3/.env", client="198.51.100.7"))
            await until(lambda: len(guard.found) == 2)

    asyncio.run(play())
