"""Orders: every order given wrongly in every way to a real guard: how many were tried, how many accepted (aim: 0).

The orders go to the guard's console socket, and as forms that the person did not post to the console before it. Run:
scripts/bench orders [--json].
"""

import argparse
import asyncio
import html
import json
import sys
import tempfile
from pathlib import Path

import httpx
import msgspec

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from rempart.accounts.person import Role
from rempart.console.access import Access
from rempart.console.app import COOKIE, Console
from rempart.console.feed import Feed
from rempart.site.description import parse
from station.household import Household, Inhabitant, household
from station.wrong_orders import EXAMPLES, FORGERIES, wrongs

SITE = Path(__file__).parents[1] / "tests" / "console" / "tilleuls.toml"
NAME = "localhost:8440"


def measure() -> dict[str, int]:
    """``wrong_orders_tried`` and ``wrong_orders_accepted``, for `benchmarks.console` too."""

    async def life() -> dict[str, int]:
        with tempfile.TemporaryDirectory(prefix="rempart-") as folder:
            async with household(Path(folder)) as home:
                table = await wrongs(home)
                forged = await forged_forms(home, table.people[Role.TECHNICIAN])
                accepted = [one.accepted async for one in table.tried()] + forged
        return {"wrong_orders_tried": len(accepted), "wrong_orders_accepted": sum(accepted)}

    return asyncio.run(life())


async def forged_forms(home: Household, technician: Inhabitant) -> list[bool]:
    """Whether anything was decided by forms that another page posts with a technician's cookie."""
    feed, access = Feed(home.folder / "console", home.clock), Access(publish=lambda _: None)
    console = Console(site=parse(SITE.read_text(), SITE.name), feed=feed, access=access, clock=home.clock)
    transport = httpx.ASGITransport(app=console.app(frozenset({NAME})))
    accepted = []
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{NAME}") as browser:
        browser.cookies.set(COOKIE, technician.session)
        page = (await browser.get("/people")).text
        right = html.unescape(page.split('name="csrf" value="')[1].split('"')[0])
        for example in EXAMPLES:
            order = msgspec.json.encode(msgspec.structs.replace(example, by=technician.id)).decode()
            for _, csrf, headers in FORGERIES:
                before = home.guard.state
                fields = {"csrf": right if csrf == "right" else csrf, "order": order, "do": "sign-out"}
                await browser.post("/confirm", data=fields, headers=headers)
                await browser.post("/people", data=fields, headers=headers)
                accepted.append(home.guard.state != before)
    return accepted


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object, nothing else")
    arguments = parser.parse_args()
    figures = measure()
    if arguments.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name}: {figure}" for name, figure in figures.items()))


if __name__ == "__main__":
    main()
