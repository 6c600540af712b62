"""Findings: milliseconds of server time for the technician's pages with 1,000,000 findings kept, and to keep one.

Real store, real socket between the console's application and watch's desk; the visitor is signed in already. Half of
the findings are of one day, in 20,000 bunches.
Run: scripts/bench findings [--json] [--findings N] [--pages N] [--folder DIR].
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import httpx

from rempart.accounts.conversation import Visitor
from rempart.accounts.credential import How
from rempart.accounts.person import Role
from rempart.adapters.clock import SystemClock
from rempart.adapters.store.findings import FindingStore, Seen, day_of
from rempart.config import Places
from rempart.console.access import Access, Session
from rempart.console.app import Console
from rempart.console.feed import Feed
from rempart.console.inquirer import Inquirer
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.trait import Trait
from rempart.events.observable import Observable, ObservableKind
from rempart.events.observable import Role as Part
from rempart.instants import Instant, hours
from rempart.site.description import parse
from rempart.station.inquiry import Inquiry

DESCRIPTION = Path(__file__).parents[1] / "tests" / "console" / "tilleuls.toml"
BATCH = 5_000
NAME = "127.0.0.1:8440"


class SignedIn:
    """Every request comes from the same technician."""

    def __init__(self, now: Instant) -> None:
        visitor = Visitor(
            person="anne",
            name="Anne",
            roles=[Role.TECHNICIAN],
            how=How.PASSKEY,
            session="s",
            ends=Instant(now + hours(12)),
            passkey=True,
        )
        self._session = Session("key", "csrf", visitor.ends, visitor)

    async def session(self, *_: object, **__: object) -> Session:
        """Whose it is."""
        return self._session


def seen(number: int, now: Instant, chance: random.Random) -> Seen:
    """One finding; every second one is of today."""
    rule, machine = chance.randrange(200), chance.randrange(100)
    actor = f"198.51.{chance.randrange(100)}.{chance.randrange(256)}"
    finding = Finding(
        id=f"finding-{number:032}",
        rule=f"rule-{rule:032}",
        title=f"Something that rule {rule} looks for in the log of a web server",
        level=Level(rule % 5),
        kind=list(Kind)[rule % len(Kind)],
        outcome=Outcome.ATTEMPT,
        time=now,
        source="/var/log/nginx/portal.log",
        record=number,
        spoofable=False,
        observables=(
            Observable(ObservableKind.ADDRESS, Part.ACTOR, actor),
            Observable(ObservableKind.ADDRESS, Part.VICTIM, f"10.0.1.{machine}"),
            Observable(ObservableKind.ACCOUNT, Part.VICTIM, f"account{machine}"),
        ),
        proofs=(Proof("c-ip", actor), Proof("cs-uri-stem", f"/{number}/.env")),
        tags=("attack.t1190", "attack.initial-access"),
    )
    read = Instant(now - (0 if number % 2 else hours(24 * (1 + chance.randrange(20)))))
    return Seen(finding, read, (Trait("c-ip", actor), Trait("cs-uri-stem", f"/{number}/.env")))


def fill(store: FindingStore, findings: int, now: Instant) -> float:
    """Keep so many; microseconds for each."""
    chance, spent = random.Random(7), 0.0
    for start in range(0, findings, BATCH):
        batch = [seen(number, now, chance) for number in range(start, min(start + BATCH, findings))]
        begun = time.perf_counter()
        store.keep(batch)
        spent += time.perf_counter() - begun
    return 1e6 * spent / findings


def addresses(store: FindingStore, now: Instant, pages: int) -> Iterator[str]:
    """Pages as somebody would open them: the first, deeper ones, filtered ones, and bunches."""
    day, after = day_of(now), None
    while pages > 0:
        bunches = store.bunches(day, after=after)
        last = bunches[-1]
        after = (int(last.level), last.last, last.id)
        place = f"{int(last.level)}.{last.last}.{last.id}"
        wanted = ["", f"?day={day}&after={place}", "?level=3", f"?kind={last.kind.value}", f"?day={day - 3}"]
        yield from (f"/findings{each}" for each in wanted)
        yield f"/findings/{day}/{bunches[0].id}"
        pages -= len(wanted) + 1


async def measure(store: FindingStore, folder: Path, pages: int) -> list[float]:
    """Milliseconds of server time for each page."""
    clock = SystemClock()
    places = Places(site=DESCRIPTION, state=folder, run=folder, rules=())
    unused = cast(Any, None)
    desk = Inquiry(places, frozenset(), clock, unused, store, unused, unused, unused, ())
    serving = asyncio.create_task(desk.serve())
    while not places.inquiry_socket.exists():  # noqa: ASYNC110  a file is waited for
        await asyncio.sleep(0.01)
    site = parse(DESCRIPTION.read_text(encoding="utf-8"), DESCRIPTION.name)
    console = Console(
        site=site,
        feed=Feed(folder / "no.sock", clock),
        access=Access(publish=lambda _: None),
        clock=clock,
        inquirer=Inquirer(places.inquiry_socket),
    )
    console.visitors = cast(Any, SignedIn(clock.now()))
    app, spent = console.app(frozenset({NAME})), []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{NAME}") as client:
        await client.get("/findings")  # templates are compiled once
        for address in addresses(store, clock.now(), pages):
            await asyncio.sleep(0.06)  # the desk takes 20 questions a second
            begun = time.perf_counter()
            answer = await client.get(address, headers={"accept-language": "fr"})
            spent.append(1e3 * (time.perf_counter() - begun))
            assert answer.status_code == 200, (address, answer.status_code)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    return spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--findings", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="rempart-") as name:
        folder = Path(name)
        store = FindingStore(folder / "findings.db", b"k" * 32, lambda address: address.startswith("10."))
        keeping = fill(store, arguments.findings, SystemClock().now())
        spent = asyncio.run(measure(store, folder, arguments.pages))
        store.close()
        said = {
            "findings": arguments.findings,
            "store_mb": round((folder / "findings.db").stat().st_size / 1e6),
            "keep_us": round(keeping, 1),
            "pages": len(spent),
            "page_ms_median": round(statistics.median(spent), 1),
            "page_ms_p95": round(statistics.quantiles(spent, n=20)[-1], 1),
        }
    if arguments.json:
        print(json.dumps(said))
    else:
        for key, value in said.items():
            print(f"{key:16} {value}")


if __name__ == "__main__":
    main()
