"""The console's process: where it may listen, and what it says when it cannot."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from rempart.config import Places
from rempart.console.access import Access
from rempart.errors import ExitCode, InputRefused, PrivilegeMissing
from rempart.site.description import parse
from rempart.station.console import _server, run

DESCRIPTION = Path(__file__).parents[1] / "console" / "tilleuls.toml"
SITE = parse(DESCRIPTION.read_text(), DESCRIPTION.name)


def places(folder: Path) -> Places:
    return Places(site=DESCRIPTION, state=folder, run=folder, rules=())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "localhost", "::", ""])
def test_it_listens_on_loopback_only(host: str, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no IPv4 loopback address"):
        run(places(tmp_path), SITE, host, 0)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(PrivilegeMissing, match="--port"):
        run(places(tmp_path), SITE, "127.0.0.1", taken.getsockname()[1])


def test_nobody_chooses_the_address_or_the_scheme_that_is_written_down_of_them(tmp_path: Path) -> None:
    """On loopback a server that stands before it would be believed; there is none, and local users are many."""
    name = "127.0.0.1:8440"
    server = _server(places(tmp_path), SITE, Access(publish=lambda _: None), frozenset({name}), None)
    server.config.load()

    async def posted() -> int:
        through = httpx.ASGITransport(app=server.config.loaded_app, client=("127.0.0.1", 9))
        forged = {"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1", "origin": f"http://{name}"}
        async with httpx.AsyncClient(transport=through, base_url=f"http://{name}") as client:
            return (await client.post("/sign-in", headers=forged)).status_code

    assert (
        asyncio.run(posted()) == 503
    )  # it came from our own page, as far as anybody can tell; no guard answers


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("id = 1", "line 1: id: 1 is no text")]
)
def test_a_site_that_cannot_be_read_is_told(content: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    if content is not None:
        file.write_text(content)
    command = [sys.executable, "-m", "rempart.station.console", "--site", str(file), "--run", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == ExitCode.USAGE
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


STOPPED_AT_ONCE = """
import os, signal, sys
from rempart.station import console
publish = console._publish

def stopped(file, link):
    publish(file, link)
    os.kill(os.getpid(), signal.SIGTERM)

console._publish = stopped
sys.exit(console.main())
"""
"""The console, told to end the very moment its link lies there."""


def test_told_to_end_as_soon_as_its_link_lies_there_it_takes_the_link_along(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STOPPED_AT_ONCE, "--site", str(DESCRIPTION), "--run", str(tmp_path)]
    ended = subprocess.run([*command, "--port", "0"], capture_output=True, text=True, timeout=60, check=False)
    assert "the one-time link is in" in ended.stderr
    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "console" / "link").exists()
