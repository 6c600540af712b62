"""The page of reopening: each gate says what is missing, each role is offered its own orders, a clock runs down."""

import asyncio
import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from console.test_app import Visit, visit
from console.test_frame import signed_in
from console.test_signin import Browser, hidden
from console.test_signin import visit as visit_home
from engine.test_rights import TABLE
from rempart.accounts.authority import Proof
from rempart.accounts.person import INFORMED, STAFF, Role
from rempart.console.app import Console, rendered
from rempart.console.frame import frame
from rempart.console.ladder import Fill, Rung, Step, ladder
from rempart.console.reopening import Door, Letting, ReopeningPage, Rights, reopening_page, rights
from rempart.console.routes.reopening import _FORMS, _at_once, _order
from rempart.console.words import words
from rempart.engine import facts, orders
from rempart.engine.orders import AnyOrder
from rempart.instants import Instant, parse_rfc3339
from rempart.messages import (
    CareStatus,
    CheckStatus,
    CoreStatus,
    DoorForeseen,
    Foreseen,
    GateStatus,
    OpeningStatus,
    OutsideStatus,
    OverrideStatus,
    Posture,
    ReopeningStatus,
    Status,
)
from rempart.phrase import Phrase, phrase
from rempart.reopening.dossier import ProofKind
from rempart.reopening.gate import Gate
from rempart.site.description import parse
from rempart.site.opening import OpeningState, Publication, Tls
from rempart.site.placement import Placement
from rempart.site.site import Language, Site
from station.household import Household

__all__ = ["visit"]

Make = Callable[..., Status]
SITE = parse(Path(__file__).with_name("tilleuls.toml").read_text(), "tilleuls.toml")
HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e"


def lab(status: Status, **changed: object) -> Status:
    """The status with the laboratory's door on the way back, as ``changed`` says."""

    def on_the_way(each: OpeningStatus) -> OpeningStatus:
        if each.id != "lab":
            return each
        said = {
            "stage": 2,
            "gates_passed": ["need", "filter"],
            "gates_missing": ["cut-verified", "approval"],
            "checks": [CheckStatus(gate="filter", verdict="no", detail=phrase("found-wide"))],
            "answers": [
                GateStatus(gate="need", answer="yes", proof="blood tests", by="anne", at=status.now),
                GateStatus(gate="cut-verified", answer="unknown", proof="", by="anne", at=status.now),
            ],
        }
        return msgspec.structs.replace(each, **(said | changed))

    return msgspec.structs.replace(status, openings=[on_the_way(each) for each in status.openings])


def asked(status: Status | None, now: Instant, *roles: Role, **options: object) -> ReopeningPage:
    visitor = signed_in(*roles).visitor
    return reopening_page(SITE, status, visitor, words(Language.ENGLISH), now, "csrf", **options)  # type: ignore[arg-type]


def shown(site: Site, page: ReopeningPage) -> str:
    return rendered("reopening.html", page, frame(site, words(Language.ENGLISH)))


def test_a_gate_says_who_proved_it_or_how_to(make: Make, now: Instant) -> None:
    page = asked(lab(make(Posture.CONTAINED)), now, Role.TECHNICIAN)
    gates = {gate.id: gate for door in page.doors if door.id == "lab" for gate in door.gates}
    assert [(name, gate.fill) for name, gate in gates.items()] == [
        ("need", Fill.FULL),
        ("cut-verified", Fill.HALF),
        ("filter", Fill.HALF),
        ("approval", Fill.EMPTY),
    ]
    assert gates["need"].said == "yes, anne, 03:12"
    assert gates["need"].proof == "blood tests"
    assert gates["filter"].machine == ("no: it leads to many hosts or ports",)
    assert "The director" in gates["approval"].how


def test_each_door_of_the_plan_leads_to_its_card(make: Make, now: Instant) -> None:
    page = asked(lab(make(Posture.CONTAINED)), now, Role.TECHNICIAN)
    said = shown(SITE, page)
    ways = re.findall(r'<a href="#(door-[^"]+)">', said)
    assert len(ways) == sum(len(rung.steps) for rung in page.rungs if rung.steps[0].gates) > 0
    assert all(f'<section class="card door" id="{way}"' in said for way in ways)


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.TECHNICIAN, Rights(open=True, check=True, close=True, tick=True)),
        (Role.APPROVER, Rights(check=True, approve=True, tick=True)),
        (Role.PRIVACY_OFFICER, Rights(check=True, tick=True)),
        (Role.DUTY, Rights(close=True, tick=True)),
        (Role.OBSERVER, Rights()),
        (Role.REGION, Rights()),
    ],
)
def test_each_role_is_offered_its_own(role: Role, offered: Rights) -> None:
    assert rights(signed_in(role).visitor) == offered
    assert rights(None) == Rights()


def offered_as(order: AnyOrder) -> str:
    """Which of the page's rights offers this order; nothing: the page has no form for it."""
    match order:
        case orders.AnswerGate(gate=Gate.APPROVAL) | orders.ConfirmOverride():
            return "approve"
        case orders.AnswerGate() | orders.NotePartner() | orders.NoteProof():
            return "check"
        case orders.SetOpening(state=OpeningState.CLOSED):
            return "close"
        case orders.TickOutside():
            return "tick"
        case (
            orders.Reopen()
            | orders.ConfirmTrial()
            | orders.Normalise()
            | orders.SetStage()
            | orders.OpenVisit()
        ):
            return "open"
        case _:
            return ""


OFFERED = [row for row in TABLE if offered_as(row[0])]


@pytest.mark.parametrize(("order", "roles", "proof"), OFFERED)
def test_the_page_offers_what_the_guard_allows_and_asks_for_the_proof_that_it_wants(
    order: AnyOrder, roles: set[Role], proof: Proof
) -> None:
    for role in Role:
        assert getattr(rights(signed_in(role).visitor), offered_as(order)) is (role in roles)
    assert _at_once(order) is (proof is Proof.SESSION)


def test_no_form_of_the_page_is_left_out_of_that() -> None:
    assert {type(order) for order, _, _ in OFFERED} == {kind for kind, _ in _FORMS.values()}


def test_only_a_technician_opens_and_only_an_approver_approves(site: Site, make: Make, now: Instant) -> None:
    status = lab(make(Posture.CONTAINED))
    technician = shown(site, asked(status, now, Role.TECHNICIAN))
    approver = shown(site, asked(status, now, Role.APPROVER))
    assert 'value="trial"' in technician
    assert 'value="approve"' not in technician
    assert 'value="trial"' not in approver
    assert 'value="approve"' in approver


def test_in_peace_and_in_silence_nothing_is_offered(site: Site, make: Make, now: Instant) -> None:
    peace, silence = asked(make(), now, Role.TECHNICIAN), asked(None, now, Role.TECHNICIAN)
    assert 'value="trial"' not in shown(site, peace) + shown(site, silence)
    assert "not cut" in peace.lead
    assert "does not answer" in silence.lead
    assert silence.rungs == ()


def test_a_trial_counts_down_and_its_clock_with_it(make: Make, now: Instant) -> None:
    hour = 3_600_000_000
    on_trial = lab(
        make(Posture.REOPENING),
        state=OpeningState.FILTERED,
        since=Instant(now - 7 * hour),
        trial_until=Instant(now + 41 * hour),
    )
    page = asked(on_trial, now, Role.TECHNICIAN)
    door = next(door for door in page.doors if door.id == "lab")
    step = next(step for rung in page.rungs for step in rung.steps if step.left is not None)
    assert "41 h left" in door.trial
    assert step.left == pytest.approx(41 / 48)
    assert [state for state, _ in door.states] == ["open"]
    assert door.closable


def test_we_are_at_the_first_stage_that_is_not_done(make: Make, now: Instant) -> None:
    core = [CoreStatus(id="dc", name="Directory", proven=True)]
    status = lab(make(Posture.CONTAINED, reopening=ReopeningStatus(core=core)))
    rungs = asked(status, now, Role.TECHNICIAN).rungs
    assert [(rung.title, rung.here) for rung in rungs] == [
        ("Stage 0: the trusted core", False),
        ("Stage 2", True),
    ]


@pytest.mark.parametrize(("left", "large"), [(1.0, 1), (0.75, 1), (0.25, 0), (-3.0, 0)])
def test_a_clock_is_drawn_whatever_is_left(left: float, large: int) -> None:
    step = Step(name="a", state="filtered", word="filtered", gates=(Fill.FULL,), left=left)
    (row,) = ladder([Rung(title="1", steps=(step,))]).rows
    assert f"0 {large} 1" in row.clock


def test_what_was_simulated_is_said_and_that_nothing_changed(site: Site, make: Make, now: Instant) -> None:
    would = Foreseen(
        refused="",
        instead="",
        facts=[],
        doors=[
            DoorForeseen(
                opening="lab",
                now=OpeningState.CLOSED,
                would=OpeningState.FILTERED,
                until=Instant(now + 1),
                then=OpeningState.CLOSED,
            )
        ],
        loosens=True,
    )
    page = asked(make(Posture.CONTAINED), now, Role.TECHNICIAN, foreseen=would)
    assert page.foreseen[0] == "Laboratoire: closed → filtered"
    assert "Nothing has been changed." in shown(site, page)
    said = phrase(
        "cannot-be-tried",
        because=[phrase("against-gate", gate="need"), phrase("against-needs", openings=["mail"])],
        opening="lab",
    )
    refused = Foreseen(refused=said.text, instead="", said=said, facts=[], doors=[], loosens=False)
    told = asked(make(Posture.CONTAINED), now, Role.TECHNICIAN, foreseen=refused).foreseen
    assert told[0] == "The order would be refused:"
    assert told[1:] == ("gate It is needed has not passed", "what it needs is closed: Courriel")


def test_hostile_words_stay_words(site: Site, make: Make, now: Instant) -> None:
    said = GateStatus(gate="need", answer="yes", proof=HOSTILE, by=HOSTILE, at=now)
    outside = OutsideStatus(
        item="m365", number=1, action=HOSTILE, phone=HOSTILE, reply="yes", by=HOSTILE, at=now
    )
    lone = OverrideStatus(opening="lab", by=HOSTILE, due=now, reason=HOSTILE)
    status = lab(
        make(
            Posture.CONTAINED,
            care=CareStatus(outside=[outside]),
            reopening=ReopeningStatus(overrides=[lone]),
        ),
        name=HOSTILE,
        partner=HOSTILE,
        answers=[said],
        obstacles=[phrase("against-partner", condition=HOSTILE), Phrase("of-another-version", HOSTILE)],
    )
    page = shown(site, asked(status, now, Role.TECHNICIAN, refusal=HOSTILE, advice=HOSTILE))
    assert "<img" not in page
    assert "\u202e" not in page


PROOF, WHO, FOUND = "blood tests", "anne.lambert", "it leads to many hosts or ports"


@pytest.mark.edge
@pytest.mark.parametrize("role", Role)
def test_everybody_follows_the_way_back_and_only_those_who_check_read_names_and_proofs(
    tmp_path: Path, site: Site, make: Make, role: Role
) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        anne = await home.enrol("anne", role)
        browser.client.cookies.set(console.cookie, anne.session)
        said = GateStatus(gate="need", answer="yes", proof=PROOF, by=WHO, at=Instant(0))
        lone = OverrideStatus(opening="lab", by=WHO, due=Instant(0), reason=PROOF)
        outside = OutsideStatus(
            item="m365", number=1, action="reset", phone=None, reply="yes", by=WHO, at=Instant(0)
        )
        console.feed.status = lab(
            make(
                Posture.CONTAINED,
                care=CareStatus(outside=[outside]),
                reopening=ReopeningStatus(overrides=[lone]),
            ),
            answers=[said],
            state=OpeningState.FILTERED,
            obstacles=[phrase("against-partner", condition=PROOF)],
        )
        page = await browser.get("/reopening?lang=en")
        assert page.status_code == 200
        assert 'href="/reopening"' in page.text
        for held_back in (PROOF, WHO, FOUND):
            assert (held_back in page.text) is (role in INFORMED), held_back
        assert "Gates passed: 2 of 4" in page.text
        assert "yes, " in page.text
        assert "Opened " in page.text
        assert "own condition is not met" in page.text
        assert ("<form" in page.text.split("<main")[1]) is (role in STAFF)
        assert ('value="close"' in page.text) is (role in (Role.DUTY, Role.TECHNICIAN))
        for offered in ("trial", "simulate", "gate", "approve"):
            assert f'value="{offered}"' not in page.text or role in INFORMED

    visit_home(tmp_path, site, talk)


@pytest.mark.edge
def test_whoever_answers_at_night_closes_a_door_here_and_opens_none(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        anne = await home.enrol("anne", Role.DUTY)
        await browser.sign_in(anne, home)
        door = next(
            d for d, each in home.guard.state.doors.items() if not home.guard.terms.site.opening(d).lifeline
        )
        console.feed.status = home.guard.status()
        csrf = hidden((await browser.get("/account")).text, "csrf")
        form = {"csrf": csrf, "opening": door}
        await browser.post("/reopening", {**form, "do": "trial", "state": "open", "hours": "24"})
        assert await home.sealed(facts.TrialStarted) == []
        simulated = await browser.post(
            "/reopening", {**form, "do": "simulate", "state": "open", "hours": "24"}
        )
        assert simulated.status_code == 409
        closed = await browser.post("/reopening", {**form, "do": "close"})
        assert closed.status_code == 303, closed.text
        assert home.guard.state.doors[door].stand.state is OpeningState.CLOSED

    visit_home(tmp_path, site, talk)


@pytest.mark.edge
def test_whoever_may_not_is_told_who_may_before_any_passkey_is_asked_for(tmp_path: Path, site: Site) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        await browser.sign_in(await home.enrol("anne", Role.DUTY), home)
        for language in Language:
            console.feed.status = home.guard.status()
            csrf = hidden((await browser.get(f"/account?lang={language}")).text, "csrf")
            form = {"csrf": csrf, "do": "stage", "opening": "lab", "stage": "9", "reason": "x"}
            answer = await browser.post("/reopening", form)
            assert (answer.status_code, answer.headers["location"]) == (303, "/reopening")
            said, page = words(language), html.unescape((await browser.get("/reopening")).text)
            told = page.split('role="alert">')[1].split("</div>")[0]
            assert said.say("refused.roles")[1:] in told
            assert said.say("role.technician") in told
        assert {each.order for each in await home.sealed(facts.OrderDeclined)} == {"SetStage"}

    visit_home(tmp_path, site, talk)


@pytest.mark.parametrize("role", Role)
def test_the_dossier_is_written_by_those_who_check_and_the_plan_by_a_technician(
    site: Site, make: Make, now: Instant, role: Role
) -> None:
    status = lab(make(Posture.CONTAINED), partner="an antivirus report")
    page = shown(site, asked(status, now, role))
    assert ('value="partner"' in page) is ('value="proof"' in page) is (role in INFORMED)
    assert ('value="stage"' in page) is ('value="end"' in page) is (role is Role.TECHNICIAN)
    assert ('value="an antivirus report"' in page) is (role in INFORMED)
    peace = shown(site, asked(lab(make()), now, role))
    assert 'value="end"' not in peace


@pytest.mark.edge
def test_what_was_done_is_noted_and_a_door_moved_with_a_passkey_and_no_cut_ended_too_early(
    tmp_path: Path, site: Site
) -> None:
    async def talk(home: Household, console: Console, browser: Browser) -> None:
        tech = await home.enrol("tech", Role.TECHNICIAN)
        await browser.sign_in(tech, home)
        await home.local(orders.Contain(by="root", reason="seen in a test"))
        following = asyncio.create_task(console.feed.follow())
        while console.feed.status is None or console.feed.status.posture is not Posture.CONTAINED:
            await console.feed.changed(0.1)
        (first, *_) = (each.id for each in console.feed.status.openings if each.stage)
        csrf = hidden((await browser.get("/reopening?lang=en")).text, "csrf")

        async def confirmed(back: str, **fields: str) -> str:
            """Send the form, then the passkey's answer; what the page asked the passkey to confirm."""
            page = (await browser.post("/reopening", {"csrf": csrf, **fields})).text
            options = html.unescape(page.split('data-options="')[1].split('"')[0])
            given = {name: hidden(page, name) for name in ("csrf", "order", "handle", "back")}
            assert given["back"] == f"/reopening#{back}"
            await browser.post("/confirm", {**given, "response": tech.passkey.signed(options)})
            return page

        asks = {"opening": first, "condition": "an antivirus report"}
        await confirmed(f"door-{first}", do="partner", **asks)
        partner = home.guard.state.dossier.partners[first]
        assert (partner.condition, partner.met, partner.by) == ("an antivirus report", False, "tech")
        await confirmed(f"door-{first}", do="partner", met="yes", **asks)
        assert home.guard.state.dossier.partners[first].met

        await confirmed(f"door-{first}", do="stage", opening=first, stage="9", reason="the vendor is late")
        assert home.guard.state.dossier.stages == {first: 9}

        done = {"proves": "scan", "subject": "files", "on": "2026-11-21T03:12", "proof": "looked at"}
        page = await confirmed("proofs", do="proof", **done)
        assert "21/11/2026 03:12:00" in page
        proof = home.guard.state.dossier.proof(ProofKind.SCAN, "files")
        assert proof is not None
        assert (proof.on, proof.by) == (parse_rfc3339("2026-11-21T02:12:00Z"), "tech")
        nonsense = {"csrf": csrf, "do": "proof", **done, "on": "yesterday"}
        assert (await browser.post("/reopening", nonsense)).status_code == 400

        simulated = await browser.post("/reopening", {"csrf": csrf, "do": "simulate-end"})
        assert "not every opening is stable" in simulated.text
        await confirmed("end", do="end", reason="over")
        assert "Not every opening is stable" in (await browser.get("/reopening")).text
        assert home.guard.state.contained
        assert await home.sealed(facts.Normalised) == []
        following.cancel()

    visit_home(tmp_path, site, talk)


def vendor(page: ReopeningPage) -> Door:
    return next(door for door in page.doors if door.id == "remote-maintenance")


def with_tls(tls: Tls | None) -> Site:
    """The home with its suppliers behind the proxy."""
    published = Publication(
        host="fournisseurs.example", zone="servers", address="10.0.2.10", port=80, tls=tls
    )
    return replace(
        SITE,
        openings=tuple(
            replace(o, publication=published) if o.id == "remote-maintenance" else o for o in SITE.openings
        ),
    )


CLIENTS = Tls(certificate="/etc/a.pem", clients="/etc/b.pem")


@pytest.mark.parametrize(
    ("home", "lets_in"),
    [
        (SITE, Letting.MACHINES),
        (with_tls(CLIENTS), Letting.CERTIFICATE),
        (with_tls(None), Letting.NOTHING),
        (replace(SITE, placement=Placement.OBSERVER), None),
    ],
)
def test_a_door_for_visits_asks_what_the_visit_is_limited_to(
    home: Site, lets_in: Letting | None, make: Make, now: Instant
) -> None:
    visitor = signed_in(Role.TECHNICIAN).visitor
    page = reopening_page(home, make(), visitor, words(Language.ENGLISH), now, "csrf")
    assert vendor(page).lets_in is lets_in
    assert {door.id for door in page.doors if door.lets_in} <= {"remote-maintenance"}
    text = shown(home, page)
    assert ('name="hosts"' in text) is (lets_in is Letting.MACHINES)
    assert ('name="certificate"' in text) is (lets_in is Letting.CERTIFICATE)
    assert 'name="override" value="yes"' not in text  # the site is not cut
    assert 'value="visit"' not in shown(home, asked(make(), now, Role.DUTY))


def test_who_is_let_in_is_said_with_the_limits(make: Make, now: Instant) -> None:
    visit = {"state": OpeningState.FILTERED, "visitor": HOSTILE, "visitor_from": "198.51.100.18"}

    def told(**limits: object) -> str:
        inside = msgspec.structs.replace(
            next(o for o in make().openings if o.id == "remote-maintenance"),
            trial_until=Instant(now + 60_000_000),
            **(visit | limits),
        )
        return vendor(asked(make(openings=[inside]), now, Role.TECHNICIAN)).visit

    assert "10.0.2.10 only" in told(visitor_to=["10.0.2.10"])
    assert "certificate abababababababab… only" in told(visitor_certificate="ab" * 32)
    assert "only" not in told()
    assert "\x1b" not in told()


def test_a_form_becomes_the_order_of_a_visit() -> None:
    fields = {
        "do": ["visit"],
        "opening": ["remote-maintenance"],
        "visitor": [" J. Peeters "],
        "source": ["198.51.100.18"],
        "minutes": ["30"],
        "hosts": ["care-server, 10.0.2.11"],
        "reason": ["beds"],
    }
    assert _order("tech", fields) == orders.OpenVisit(
        by="tech",
        reason="beds",
        opening="remote-maintenance",
        visitor="J. Peeters",
        source="198.51.100.18",
        minutes=30,
        hosts=["care-server", "10.0.2.11"],
    )
    with pytest.raises(msgspec.ValidationError):
        _order("tech", fields | {"minutes": ["999"]})


def test_whoever_came_by_the_link_does_not_see_it(visit: Visit) -> None:
    visit.enter()
    assert visit.ask("GET", "/reopening").status_code == 403
    assert visit.ask("POST", "/reopening", data={"do": "trial"}).status_code == 403
