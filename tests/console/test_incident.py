"""The pages of incidents before a real guard: who sees what, forms, hostile files, questions before clocks."""

import hashlib
from pathlib import Path

import pytest

from console.test_signin import Browser, hidden, visit
from engine.home import GUESSING, RECORDS, SCAN
from rempart.accounts.person import Role
from rempart.adapters.attachments import Attachments
from rempart.console.app import Console
from rempart.console.incident import INCIDENTS
from rempart.engine import facts, orders
from rempart.engine.inputs import Found
from rempart.instants import Instant
from rempart.messages import StatusAsked
from rempart.site.site import Site
from station.household import Household

pytestmark = pytest.mark.edge

INCIDENT = f"inc-{RECORDS.id[:12]}"
PAGE = f"{INCIDENTS}/{INCIDENT}"
HOSTILE = '<script>alert("x")</script>\u202egnp.exe'


async def attacked(home: Household, console: Console, folder: Path) -> None:
    home.guard.attachments = Attachments(folder / "attachments")
    for finding in (RECORDS, SCAN):
        await home.guard.ask(Found(Instant(home.clock.now()), finding))
    console.feed.status = await home.ask(StatusAsked())


def test_the_list_and_the_story_are_for_everybody_names_are_not(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await attacked(home, console, tmp_path)
        nurse = await home.enrol("nurse", Role.DUTY)
        await browser.sign_in(nurse, home)
        listed = (await browser.get(f"{INCIDENTS}?lang=fr")).text
        assert listed.index(INCIDENT) < listed.index(SCAN.id[:12])  # the gravest first
        page = await browser.get(PAGE)
        assert page.status_code == 200
        assert "dossiers de soins" in page.text
        assert "Ce que l'on ignore encore" in page.text.replace("&#39;", "'")
        for secret in ("dr.lambert", RECORDS.rule, "RGPD", "APD", "datetime-local", "Personnes concernées"):
            assert secret not in page.text, secret
        csrf = hidden(page.text, "csrf")
        noted = await browser.post(PAGE, {"csrf": csrf, "do": "comment", "text": HOSTILE})
        assert noted.status_code == 303
        told = (await browser.get(PAGE)).text
        assert "<script>" not in told
        assert "⟨U+202E⟩" in told
        refused = await browser.post(PAGE, {"csrf": csrf, "do": "qualify", "outcome": "failed"})
        assert refused.status_code == 409
        assert await home.sealed(facts.IncidentQualified) == []

    visit(tmp_path, site, talk)


def test_a_form_without_its_token_or_with_nonsense_changes_nothing(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await attacked(home, console, tmp_path)
        assert (await browser.get(PAGE)).status_code == 403
        assert (await browser.post(PAGE, {"do": "comment", "text": "x"})).status_code == 403
        anne = await home.enrol("anne", Role.TECHNICIAN)
        await browser.sign_in(anne, home)
        csrf = hidden((await browser.get(PAGE)).text, "csrf")
        for fields in (
            {"do": "comment", "text": "x"},
            {"do": "comment", "text": "x", "csrf": "0" * 64},
            {"do": "qualify", "author": "the cat", "csrf": csrf},
            {"do": "answer", "question": "fte", "number": "many", "csrf": csrf},
            {"do": "nothing", "csrf": csrf},
            {"do": "sent", "duty": "insurer", "on": "yesterday", "proof": "x", "csrf": csrf},
        ):
            assert (await browser.post(PAGE, fields)).status_code == 409, fields
        assert (await browser.get(f"{INCIDENTS}/inc-x")).headers["location"] == INCIDENTS
        assert await home.sealed(facts.IncidentCommented) == []

    visit(tmp_path, site, talk)


def test_a_file_with_a_hostile_name_is_only_handed_back(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await attacked(home, console, tmp_path)
        anne = await home.enrol("anne", Role.TECHNICIAN)
        await browser.sign_in(anne, home)
        csrf = hidden((await browser.get(PAGE)).text, "csrf")
        content = b"<html>\r\n--x\r\n<script>alert(1)</script>" + bytes(range(256))
        sent = await browser.client.post(
            f"{PAGE}/files",
            data={"csrf": csrf, "reason": "seen"},
            files={"file": ("../../<b>evil\u202e.html", content, "text/html")},
        )
        assert sent.status_code == 303, sent.text
        (sealed,) = await home.sealed(facts.FileAttached)
        assert sealed.sha256 == hashlib.sha256(content).hexdigest()
        assert "/" not in sealed.name
        page = (await browser.get(PAGE)).text
        assert "<b>evil" not in page
        back = await browser.get(f"{PAGE}/files/{sealed.sha256}")
        assert back.content == content
        assert back.headers["content-type"] == "application/octet-stream"
        assert back.headers["x-content-type-options"] == "nosniff"
        assert back.headers["content-disposition"].startswith('attachment; filename="')
        assert back.headers["content-disposition"].isascii()
        assert (await browser.get(f"{PAGE}/files/{'0' * 64}")).status_code == 404
        assert (await browser.get(f"{PAGE}/files/..%2f..%2fjournal.db")).status_code == 404
        assert "EraseFile" not in page
        assert 'value="erase"' not in page
        claire = await home.enrol("claire", Role.PRIVACY_OFFICER)
        await browser.sign_in(claire, home)
        theirs = (await browser.get(PAGE)).text
        assert 'value="erase"' in theirs
        erase = {"do": "erase", "sha256": sealed.sha256, "reason": "a resident asked"}
        asked = await browser.post(PAGE, {**erase, "csrf": hidden(theirs, "csrf")})
        assert "Effacer pour de bon un fichier joint" in asked.text
        assert sealed.sha256 in asked.text
        assert await home.sealed(facts.FileErased) == []  # it waits for her passkey
        await home.local(orders.EraseFile(by="root", incident=INCIDENT, sha256=sealed.sha256, reason=HOSTILE))
        after = (await browser.get(PAGE)).text
        assert "Effacé par root" in after
        assert "<script>" not in after
        assert f'files/{sealed.sha256}"' not in after
        assert (await browser.get(f"{PAGE}/files/{sealed.sha256}")).status_code == 404
        await browser.sign_in(anne, home)
        long = await browser.client.post(
            f"{PAGE}/files", data={"csrf": csrf}, files={"file": ("x", bytes(700 * 1024))}
        )
        assert long.status_code == 409
        without = await browser.client.post(f"{PAGE}/files", files={"file": ("x", b"y")})
        assert without.status_code == 409
        assert len(await home.sealed(facts.FileAttached)) == 1

    visit(tmp_path, site, talk)


def test_no_clock_before_a_person_says_yes_and_earlier_words_stay(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await attacked(home, console, tmp_path)
        privacy = await home.enrol("privacy", Role.PRIVACY_OFFICER)
        await browser.sign_in(privacy, home)
        page = (await browser.get(f"{PAGE}?lang=en")).text
        assert "No clock runs: nobody has said yes." in page
        assert " left." not in page
        csrf = hidden(page, "csrf")
        for question, reply in (
            ("personal-data-breach", "unknown"),
            ("personal-data-breach", "yes"),
            ("risk-to-persons", "yes"),
        ):
            fields = {
                "csrf": csrf,
                "do": "answer",
                "question": question,
                "reply": reply,
                "since": "",
                "reason": "seen",
            }
            assert (await browser.post(PAGE, fields)).status_code == 303
        for author, note in (("internal", "a badge"), ("external", "no: an address")):
            fields = {
                "csrf": csrf,
                "do": "qualify",
                "author": author,
                "intent": "data",
                "ransom": "no",
                "outcome": "partial",
                "reason": note,
            }
            assert (await browser.post(PAGE, fields)).status_code == 303
        page = (await browser.get(PAGE)).text
        assert "71 h left" in page or "72 h left" in page
        assert "a badge" in page
        assert page.index("no: an address") < page.index("a badge")
        for word in ("compliant", "conforme"):
            assert word not in page
        fields = {
            "csrf": csrf,
            "do": "sent",
            "duty": "gdpr-authority",
            "on": "2024-01-01T10:00",
            "proof": "code 7",
        }
        assert (await browser.post(PAGE, fields)).status_code == 303
        assert "code 7" in (await browser.get(PAGE)).text

    visit(tmp_path, site, talk)


def test_merging_splitting_assigning(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await attacked(home, console, tmp_path)
        await home.guard.ask(Found(Instant(home.clock.now()), GUESSING))
        console.feed.status = await home.ask(StatusAsked())
        anne = await home.enrol("anne", Role.TECHNICIAN)
        await browser.sign_in(anne, home)
        other = f"inc-{SCAN.id[:12]}"
        page = (await browser.get(PAGE)).text
        csrf = hidden(page, "csrf")
        assert f'value="{other}"' in page
        assert (await browser.post(PAGE, {"csrf": csrf, "do": "merge", "merged": other})).status_code == 303
        assert (await browser.get(f"{INCIDENTS}/{other}")).headers["location"] == PAGE
        split = {"csrf": csrf, "do": "split", "finding": SCAN.id, "reason": "a robot"}
        assert (await browser.post(PAGE, split)).status_code == 303
        assert (await browser.get(f"{PAGE}-2")).status_code == 200
        assert (await browser.post(PAGE, {"csrf": csrf, "do": "assign", "person": "anne"})).status_code == 303
        assert "<b>Anne</b>" in (await browser.get(PAGE)).text

    visit(tmp_path, site, talk)
