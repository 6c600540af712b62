"""The console: how soon a click is a cut and a page is there, how many may look on, what it weighs, who can use it.

    scripts/bench console [--json] [--only PART] [--findings N]

A real guard, the real console process and Debian's Chromium. The guard's enforcer only remembers here: what the kernel
adds to a click is measured by ``scripts/bench cut`` (0.1 ms). The findings lie in the store of watch, beside the pages;
the duty page reads what the guard published and asks that store nothing, which is why their number does not slow it.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from benchmarks import fatigue, orders
from browser.home import CHROMIUM, Home, finding, running
from browser.home import home as site
from browser.pages import STATES, paths
from browser.survey import survey
from rempart.accounts.person import Role
from rempart.adapters.clock import SystemClock
from rempart.adapters.store.findings import FindingStore, Seen
from rempart.console.app import COOKIE
from rempart.console.public import PublicFace
from rempart.containment.measure import Enforcement
from rempart.detection.finding import Kind
from rempart.instants import Instant
from rempart.site.site import Language

TARGETS: dict[str, float] = {
    "contain_click_to_checked_ms": 1000,
    "duty_page_ms_p95": 150,
    "live_change_ms_last": 1000,
    "duty_page_kb": 150,
    "public_page_kb": 30,
    "axe_violations": 0,
    "wrong_orders_accepted": 0,
    "human_findings_per_day": 5,
}
"""At most."""

VIEWERS = 200
_PEOPLE = 40
"""Accounts that look on, each in five windows: all come from one address here, which may bring 40 unknown at once."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


_NOTES_WHEN = """
addEventListener("click", () => sessionStorage.setItem("clicked", Date.now()), true);
const look = () => {
  const proof = document.querySelector("#proof.good");
  if (proof && proof.textContent.includes("Cut")) window.checked = Date.now(); else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""The pages themselves note when they are clicked and when they show the proof. Whoever drives the browser takes some
0.2 s to click, and looks after 0.1, 0.35, 0.85 and 1.85 s: a page that was there before was once told to take 1.84."""

_TOOK = """
() => new Promise((tell) => {
  const look = () => window.checked ? tell(checked - sessionStorage.getItem("clicked")) : requestAnimationFrame(look);
  look();
})
"""
"""Milliseconds; noted at the next frame, which whoever drives the browser may be ahead of."""


def click(times: int = 5) -> dict[str, Any]:
    """From the click on the second button until the page says that the cut was checked; the median and the longest."""
    took = []
    with chromium() as browser:
        for _ in range(times):
            with running() as home:
                page = browser.new_context(locale="en-GB").new_page()
                page.add_init_script(_NOTES_WHEN)
                page.goto(home.link())
                page.locator("#proof.good").wait_for()
                page.locator("#contain").click()
                page.locator("form button.big").click()
                page.locator("#proof.good", has_text="Cut").wait_for()
                took.append(page.evaluate(_TOOK))
                page.context.close()
    return {
        "contain_click_to_checked_ms": round(statistics.median(took)),
        "contain_click_to_checked_ms_longest": round(max(took)),
    }


def duty(findings: int, times: int = 400) -> dict[str, Any]:
    """The duty page's time at the server, the request's way over loopback included, while findings lie there."""
    with running() as home:
        kept = fill(home, findings)
        for kind in (Kind.RECORDS, Kind.GUESSING, Kind.PROBE):
            home.see(finding(kind))
        home.contain()
        cookie = httpx.get(home.link()).cookies[COOKIE]
        took = []
        with httpx.Client(base_url=home.origin, headers={"cookie": f"{COOKIE}={cookie}"}) as client:
            for _ in range(times):
                began = time.perf_counter()
                assert client.get("/").status_code == 200
                took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return {
        "duty_page_ms_p50": round(took[times // 2], 1),
        "duty_page_ms_p95": round(took[times * 95 // 100], 1),
        "findings_in_store": kept,
    }


def fill(home: Home, findings: int) -> int:
    """Keep so many findings in the store of watch."""
    home.places.findings.parent.mkdir(parents=True, exist_ok=True)
    store = FindingStore(home.places.findings, b"bench" * 8, lambda _: True)
    now, sample = SystemClock().now(), finding(Kind.GUESSING)
    for start in range(0, findings, 10_000):
        store.keep(
            [
                Seen(
                    replace(
                        sample,
                        id=f"bench-{number}",
                        rule=f"rule-{number % 500}",
                        time=Instant(now - number * 1_000_000),
                    ),
                    Instant(now - number * 1_000_000),
                )
                for number in range(start, min(start + 10_000, findings))
            ]
        )
    return findings


def live() -> dict[str, Any]:
    """`VIEWERS` people looking on, a cut, and when the last of them was told; the console's load meanwhile."""
    with running() as home:
        cookies = [home.signed_in(f"viewer-{number}", Role.DUTY) for number in range(_PEOPLE)]
        return asyncio.run(_looking_on(home, cookies))


async def _looking_on(home: Home, cookies: list[str]) -> dict[str, Any]:
    opened = [await _stream(home.port, cookie, number) for number, cookie in enumerate(cookies)]
    more = (_stream(home.port, cookies[number % _PEOPLE], number) for number in range(_PEOPLE, VIEWERS))
    opened += await asyncio.gather(*more)
    before, began = _cpu(home.console.pid), time.monotonic()
    await asyncio.gather(*(_drain(stream, 10.0) for stream in opened))
    calm = (_cpu(home.console.pid) - before) / (time.monotonic() - began)
    before, began = _cpu(home.console.pid), time.monotonic()
    told = [asyncio.create_task(_told(stream, began)) for stream in opened]
    await asyncio.to_thread(home.contain)
    reached = sorted([took for took in await asyncio.gather(*told) if took is not None])
    change = (_cpu(home.console.pid) - before) * 1000
    return {
        "live_viewers": len(reached),
        "live_change_ms_median": round(statistics.median(reached) * 1000),
        "live_change_ms_last": round(reached[-1] * 1000),
        "live_console_cpu_percent": round(calm * 100, 1),
        "live_change_cpu_ms": round(change),
    }


async def _stream(port: int, cookie: str, number: int) -> asyncio.StreamReader:
    language = tuple(Language)[number % 4]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"GET /events?lang={language} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {COOKIE}={cookie}\r\n\r\n"
    )
    writer.write(head.encode())
    _open.append(writer)
    if b" 200 " not in await asyncio.wait_for(reader.readline(), 20):
        raise ConnectionError("refused")
    return reader


_open: list[asyncio.StreamWriter] = []
"""Kept, so that no stream is closed because nobody holds it."""


async def _drain(stream: asyncio.StreamReader, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            await asyncio.wait_for(stream.readline(), left)
        except TimeoutError:
            return


async def _told(stream: asyncio.StreamReader, began: float) -> float | None:
    """Seconds until the page is told that something has changed; None: not within ten."""
    try:
        async with asyncio.timeout(10):
            while not (await stream.readline()).startswith(b"event: page"):
                pass
    except TimeoutError:
        return None
    return time.monotonic() - began


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def weight() -> dict[str, Any]:
    """Bytes over the wire at a first visit of the duty page, and of the heaviest public page, in kB of 1,000 bytes."""
    with chromium() as browser, running() as home:
        home.see(finding(Kind.RECORDS))
        home.contain()
        fresh = browser.new_context(locale="fr-BE").new_page()
        wire = fresh.context.new_cdp_session(fresh)
        wire.send("Network.enable")
        sizes: list[float] = []
        wire.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
        fresh.goto(home.link(), wait_until="load")
        fresh.wait_for_timeout(500)
        duty_page = sum(sizes)
    public = max(len(html.encode()) for html in PublicFace(site()).filled(Enforcement(stands={})).values())
    return {"duty_page_kb": round(duty_page / 1000, 1), "public_page_kb": round(public / 1000, 1)}


def barriers() -> dict[str, Any]:
    """What tests/browser/test_pages.py looks for, counted."""
    faults: list[str] = []
    with chromium() as browser:
        for state in STATES:
            with running() as home:
                faults += survey(browser, home, state, desk=True)
    return {
        "axe_violations": len(faults),
        "pages_tested": len(paths()),
        "languages": len(Language),
    }


def human() -> dict[str, Any]:
    """Times a day that somebody is asked for, on the corpus."""
    return {"human_findings_per_day": fatigue.measure(fatigue.CORPUS)["human_findings_per_day"]}


def parts(findings: int) -> dict[str, Callable[[], dict[str, Any]]]:
    """What can be measured, by name."""
    return {
        "click": click,
        "duty": lambda: duty(findings),
        "live": live,
        "weight": weight,
        "barriers": barriers,
        "orders": orders.measure,
        "human": human,
    }


def main() -> int:
    """Measure and print; 1 when a figure is over its target."""
    parser = argparse.ArgumentParser(prog="bench console", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object, nothing else")
    parser.add_argument("--only", choices=list(parts(0)))
    parser.add_argument("--findings", type=int, default=1_000_000, help="in the store meanwhile")
    arguments = parser.parse_args()
    figures: dict[str, Any] = {}
    for name, measure in parts(arguments.findings).items():
        if arguments.only in (None, name):
            figures |= measure()
    missed = [name for name, most in TARGETS.items() if figures.get(name, 0) > most]
    if arguments.json:
        print(json.dumps({**figures, "missed": missed}))
    else:
        print("\n".join(f"{name}: {figure}" for name, figure in figures.items()))
        print(f"over its target: {', '.join(missed) or 'nothing'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
