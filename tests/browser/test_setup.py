"""The first-run page in a real browser: only with its link, without JavaScript, in four languages, on a phone."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from browser.survey import width_of
from rempart.adapters import answered
from rempart.site.description import parse

pytestmark = pytest.mark.browser

TEXTS = {"name": "Les Tilleuls", "phone": "04 000 00 10"}
NETWORK = {
    "uplink": "wan",
    "uplink-addresses": "203.0.113.2/24",
    **{
        f"zone.{zone}.{key}": value
        for zone in ("wards", "admin", "servers", "technical")
        for key, value in (("interface", "lan"), ("networks", "10.77.1.0/24"))
    },
}


@dataclass
class FirstRun:
    """`rempart setup --browser`, which prints its link."""

    folder: Path
    process: "subprocess.Popen[str]"
    base: str

    def link(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().split()[-1]

    @property
    def site(self) -> Path:
        return self.folder / "site.toml"


@pytest.fixture
def first_run(tmp_path: Path) -> Iterator[FirstRun]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "rempart", "setup", "--browser", "--browser-port", str(port)),
            *("--site", str(tmp_path / "site.toml"), "--state", str(tmp_path / "state")),
            *("--run", str(tmp_path / "run")),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    yield FirstRun(tmp_path, process, f"http://127.0.0.1:{port}")
    process.terminate()
    process.wait(60)
    assert process.stdout
    process.stdout.close()


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Page]:
    """A browser without JavaScript: every step must work so."""
    context = chromium.new_context(locale="fr-BE", java_script_enabled=False)
    yield context.new_page()
    context.close()


def forward(page: Page) -> None:
    page.get_by_role("button").last.click()


def fill(page: Page, values: dict[str, str]) -> None:
    for name, value in values.items():
        page.locator(f'[name="{name}"]').fill(value)


def described(page: Page, link: str) -> None:
    """All that is asked, in French, up to the step that writes."""
    page.goto(link)
    page.locator("select").select_option("fr")
    forward(page)
    page.locator('[name="template"]').select_option("nursing-home")
    fill(page, TEXTS)
    forward(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Le réseau")
    fill(page, {f"zone.{zone}.interface": "" for zone in ("guests", "visiting", "remote")})
    fill(page, NETWORK)
    forward(page)
    fill(page, {"device.60.address": "10.77.1.9", "device.60.name": "Central"})
    page.locator('[name="device.60.kind"]').select_option("telephone")
    forward(page)
    fill(page, {"safeguard.interface": "lan", "safeguard.networks": "10.77.1.250"})
    forward(page)
    fill(page, {"door.telephone.phone": "04 000 00 11", "door.telephone.hosts": "198.51.100.5"})
    forward(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Hors du mur")
    forward(page)
    fill(page, {"account": "anne.dupont", "full-name": "Anne Dupont"})
    forward(page)


def test_the_steps_make_a_site_without_script(first_run: FirstRun, browse: Page) -> None:
    described(browse, first_run.link())
    fill(browse, {"path": "/var/log/remote/all.log"})
    forward(browse)
    expect(browse.get_by_role("heading", level=1)).to_have_text("Écrire et démarrer")
    kept = answered.read(first_run.folder / "state" / "first-hour.json")
    assert kept.people
    assert kept.people.full_name == "Anne Dupont"
    assert not first_run.site.exists()  # only the button writes
    written = subprocess.run(
        [
            *(sys.executable, "-m", "rempart", "setup", "--answers", "/dev/null"),
            *("--site", first_run.site, "--state", first_run.folder / "state"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Première" not in written.stderr
    site = parse(first_run.site.read_text(), "site.toml")
    assert (site.name, site.assets[0].name) == ("Les Tilleuls", "Central")
    assert site.opening("telephone").fallback.phone == "04 000 00 11"


def test_what_cannot_be_taken_is_told_beside_its_field_and_nothing_typed_is_lost(
    first_run: FirstRun, browse: Page
) -> None:
    browse.goto(first_run.link())
    browse.locator("select").select_option("nl")
    forward(browse)
    fill(browse, {"name": "De Linden", "phone": "bel mij"})
    forward(browse)
    alert = browse.get_by_role("alert")
    expect(alert).to_contain_text("Er is niets veranderd")
    expect(alert).to_contain_text("“bel mij” is geen nummer")
    expect(browse.locator('[name="name"]')).to_have_value("De Linden")
    wrong = browse.locator('[name="phone"]')
    assert wrong.get_attribute("aria-invalid") == "true"
    expect(browse.locator(f'[id="{wrong.get_attribute("aria-describedby")}"]')).to_contain_text("bel mij")


def test_strangers_see_one_sentence_and_a_link_works_once(first_run: FirstRun) -> None:
    link = first_run.link()
    with httpx.Client(follow_redirects=True) as stranger:
        for path in ("/", "/setup", "/setup/institution", "/enter?token=guess"):
            answer = stranger.get(first_run.base + path)
            assert answer.status_code == 403
            assert "one-time link" in answer.text
        assert stranger.post(f"{first_run.base}/setup/language", data={"language": "fr"}).status_code == 403
        assert stranger.get(first_run.base, headers={"host": "evil.example"}).status_code == 421
    with httpx.Client(follow_redirects=True) as visitor:
        assert visitor.get(link).status_code == 200
        forged = visitor.post(f"{first_run.base}/setup/language", data={"language": "fr", "csrf": "guess"})
        assert forged.status_code == 403
        token = re.search(r'name="csrf" value="([^"]+)"', visitor.get(f"{first_run.base}/setup").text)
        assert token
        foreign = visitor.post(
            f"{first_run.base}/setup/language",
            data={"language": "fr", "csrf": token[1]},
            headers={"origin": "https://evil.example"},
        )
        assert foreign.status_code == 403
        taken = visitor.post(f"{first_run.base}/setup/language", data={"language": "fr", "csrf": token[1]})
        assert "L'institution" in taken.text.replace("&#39;", "'")
    with httpx.Client(follow_redirects=True) as second:
        assert second.get(link).status_code == 403


def test_each_step_fits_a_phone_and_a_desk_in_four_languages(first_run: FirstRun, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=True)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text))
    described(page, first_run.link())
    for language, title in (
        ("nl", "Het netwerk"),
        ("de", "Das Netz"),
        ("en", "The network"),
        ("fr", "Le réseau"),
    ):
        page.goto(f"{first_run.base}/setup/network?lang={language}")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
    for step in (
        "language",
        "institution",
        "network",
        "devices",
        "lifelines",
        "openings",
        "people",
        "source",
    ):
        page.goto(f"{first_run.base}/setup/{step}")
        for width in (360, 1360):
            page.set_viewport_size({"width": width, "height": 900})
            assert width_of(page) <= width
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select')].filter(e => !e.labels.length).length"
        )
        assert unnamed == 0
    context.close()
    assert wrong == []
