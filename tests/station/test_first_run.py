"""The first-run page as a process: how long it stays."""

import asyncio
from pathlib import Path

import httpx
import pytest

from rempart.config import Places
from rempart.console.access import Access
from rempart.station.first_run import FirstRun
from rempart.station.installer import Installer

pytestmark = pytest.mark.edge  # ip(8) is asked what is around

NAME = "127.0.0.1:8410"


def test_strangers_keep_no_forgotten_page_open(tmp_path: Path) -> None:
    tokens: list[str] = []
    installer = Installer(
        Places(site=tmp_path / "site.toml", state=tmp_path / "state", run=tmp_path, rules=())
    )
    pages = FirstRun(installer, Access(publish=tokens.append), tls=False)

    async def visited() -> None:
        through = httpx.ASGITransport(app=pages.app(frozenset({NAME})))
        async with httpx.AsyncClient(transport=through, base_url=f"http://{NAME}") as browser:
            for path in ("/", "/setup", "/setup/language", "/setup/paper/x.pdf", "/enter?token=x"):
                await browser.get(path)
            await browser.post("/setup/language", data={"csrf": "x"})
            assert pages.asked == 0.0
            await browser.get(f"/enter?token={tokens[0]}")
            entered = pages.asked
            assert entered > 0.0
            await browser.get("/setup/language")
            assert pages.asked > entered

    asyncio.run(visited())
