"""The first hour in a real house: a browser walks to a site.toml, a station starts on it and sees the test attack."""

import hashlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from rempart.adapters import answered
from rempart.site.description import parse

pytestmark = [pytest.mark.lab, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
LOG = "2026-11-27T02:00:00+00:00 care-1 cron[9]: (root) CMD (true)\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the station's users can enter; what was started on it is ended."""
    made = Path(tempfile.mkdtemp(prefix="rempart-first-"))
    made.chmod(0o755)
    (made / "remote.log").write_text(LOG)
    (made / "remote.log").chmod(0o644)
    yield made
    _end_station(made)
    shutil.rmtree(made)


def _end_station(folder: Path) -> None:
    """The station outlives whoever installed it: it is found by the folder that it was started on, and ended."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"run" in words[:5] and str(folder / "site.toml").encode() in words:
            os.kill(int(entry.name), signal.SIGTERM)
            until = time.monotonic() + 60
            while _runs(entry) and time.monotonic() < until:
                time.sleep(0.05)


def _runs(entry: Path) -> bool:
    """Whether the process has not ended; one that its parent has not asked after yet has no words any more."""
    try:
        return (entry / "cmdline").read_bytes() != b""
    except OSError:
        return False


@pytest.fixture
def page(house) -> Iterator[Page]:
    """A browser on the box itself, without JavaScript."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    with tempfile.TemporaryDirectory() as made:
        inside = Path(made, "chromium")
        inside.write_text(f'#!/bin/sh\nexec ip netns exec {house.space("gw")} {CHROMIUM} "$@"\n')
        inside.chmod(0o755)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=inside, args=["--no-sandbox"])
            context = browser.new_context(locale="fr-BE", java_script_enabled=False)
            expect.set_options(timeout=120_000)  # a station starts meanwhile
            yield context.new_page()
            browser.close()


def forward(page: Page) -> None:
    page.get_by_role("main").get_by_role("button").first.click()


def fill(page: Page, values: dict[str, str]) -> None:
    for name, value in values.items():
        page.locator(f'[name="{name}"]').fill(value)


def describe(page: Page, folder: Path) -> None:
    """Every step from the language to the first source; the box has found its interfaces and heard of machines."""
    page.locator("select").select_option("fr")
    forward(page)
    page.locator('[name="template"]').select_option("medical-house")
    fill(page, {"name": "Maison du Parc", "phone": "04 000 00 10"})
    forward(page)
    expect(
        page.locator('datalist option[value="wards"]').first
    ).to_be_attached()  # the box found its interfaces
    fill(page, {"uplink": "wan", "uplink-addresses": "203.0.113.2/24"})
    for zone in ("guests", "remote", "technical"):
        fill(page, {f"zone.{zone}.interface": ""})
    for zone, interface in (("rooms", "wards"), ("reception", "wards"), ("servers", "servers")):
        fill(page, {f"zone.{zone}.interface": interface, f"zone.{zone}.networks": ""})
    forward(page)
    expect(page.locator('input[name$=".address"]').first).to_be_attached()
    found = page.locator('input[name$=".address"]').evaluate_all("all => all.map(each => each.value)")
    assert "10.1.0.7" in found  # heard of, because the house is alive
    forward(page)
    fill(page, {"safeguard.interface": "mgmt", "safeguard.networks": "10.9.0.0/24"})
    forward(page)
    fill(page, {"door.telephone.hosts": "192.0.2.20", "door.telephone.phone": "04 000 00 11"})
    forward(page)
    forward(page)
    fill(page, {"account": "anne.dupont", "full-name": "Anne Dupont"})
    forward(page)
    fill(page, {"path": str(folder / "remote.log")})
    page.locator('[name="decoder"]').select_option("syslog")
    forward(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Écrire et démarrer")


def start_again(page: Page) -> None:
    """Change what was described, and start: the running station takes it up; unchanged, it is left alone."""
    start = page.url
    page.goto(start.replace("/start", "/institution"))
    fill(page, {"phone": "04 000 00 99"})
    forward(page)
    page.goto(start)
    forward(page)
    expect(page.get_by_role("status")).to_contain_text("a redémarré d'elle-même, avec la description changée")
    expect(page.get_by_role("status").get_by_role("link")).to_be_visible()
    forward(page)
    expect(page.get_by_role("status")).to_contain_text("marche déjà, avec cette description")


def test_a_browser_walks_from_a_new_box_to_a_test_attack_that_is_seen(
    house, folder: Path, page: Page
) -> None:
    began = time.monotonic()
    setup = house.start(
        "gw",
        *(sys.executable, "-m", "rempart", "setup", "--browser", "--port", "8499"),
        *("--site", str(folder / "site.toml"), "--state", str(folder / "state")),
        *("--run", str(folder / "run"), "--rules", str(ROOT / "rules")),
        stdout=subprocess.PIPE,
    )
    page.goto(setup.stdout.readline().split()[-1])
    describe(page, folder)
    described = time.monotonic()
    page.set_default_timeout(120_000)
    forward(page)
    expect(page.get_by_role("status")).to_contain_text("La station est démarrée")
    assert "/link?secret=" in page.get_by_role("status").get_by_role("link").inner_text()
    started = time.monotonic()
    start_again(page)
    link = page.get_by_role("status").get_by_role("link").inner_text()
    renewed = time.monotonic()
    page.goto(page.url.replace("/start", "/test"))
    forward(page)
    expect(page.get_by_role("status")).to_contain_text("arrivée comme constat")
    ended = time.monotonic()
    print(
        f"described {described - began:.1f} s, started {started - described:.1f} s, "
        f"started again {renewed - started:.1f} s, attack seen {ended - renewed:.1f} s, in all {ended - began:.1f} s"
    )
    site = parse((folder / "site.toml").read_text(), "site.toml")
    assert [zone.interface for zone in site.zones] == ["wards", "servers"]
    assert site.phone == "04 000 00 99"
    assert "rempart-test-attack" in (folder / "remote.log").read_text()
    kept = answered.read(folder / "state" / "first-hour.json")
    assert kept.proof.line
    assert kept.proof.attack
    assert link not in (folder / "state" / "first-hour.json").read_text()
    page.goto(page.url.replace("/test", "/papers"))
    forward(page)
    expect(page.locator(".papers a")).to_have_count(11)
    finish = page.get_by_role("main").get_by_role("button").last
    expect(finish).to_have_text("Terminer et fermer cette page")
    finish.click()
    expect(page.get_by_role("main")).to_contain_text("Cette page est fermée")
    assert setup.wait(20) == 0
    setup.stdout.close()
    house.running.remove(setup)
    page.goto(link)  # the station's own page takes the first account's link
    expect(page.get_by_role("main")).to_contain_text("Anne Dupont")


def test_a_desk_inside_opens_the_page_over_tls_and_nobody_else_does(
    house, folder: Path, tmp_path: Path
) -> None:
    setup = house.start(
        "gw",
        *(sys.executable, "-m", "rempart", "setup", "--browser", "10.1.0.1"),
        *(
            "--site",
            str(folder / "site.toml"),
            "--state",
            str(folder / "state"),
            "--run",
            str(folder / "run"),
        ),
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    link, fingerprint = (setup.stdout.readline().split()[-1] for _ in range(2))
    assert link.startswith("https://10.1.0.1:8410/enter?token=")
    assert house.answer("out", "203.0.113.2", 8410) == "refused"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    until = time.monotonic() + 60
    while house.answer("wards", "10.1.0.1", 8410, "10.1.0.7") != "yes":
        assert time.monotonic() < until
        time.sleep(0.1)
    with (
        house.call("wards", "10.1.0.1", 8410, "10.1.0.7") as plain,
        context.wrap_socket(plain, server_hostname="10.1.0.1") as desk,
    ):
        shown = desk.getpeercert(binary_form=True)
        assert shown
        assert hashlib.sha256(shown).hexdigest().upper() == fingerprint.replace(":", "")
        path = link.partition("8410")[2]
        desk.sendall(f"GET {path} HTTP/1.1\r\nHost: 10.1.0.1:8410\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: desk.recv(4096), b"")).decode().lower()
    assert answer.startswith("http/1.1 303")
    assert "set-cookie: __host-rempart-setup=" in answer
    assert "secure" in answer
    assert list(tmp_path.iterdir()) == []  # no key that a kill could leave
    setup.terminate()
    setup.wait(20)
    setup.stdout.close()
    house.running.remove(setup)
