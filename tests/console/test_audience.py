"""Who looks: the guard's own list of roles decides what is offered."""

import re
from collections.abc import Callable

import msgspec
import pytest
from starlette.routing import Route

from console.everything import ADDRESS, CHECKED, HASH, MACHINE, PERSONS, WHO, WRITTEN, everything
from console.test_app import Visit, visit
from console.test_frame import signed_in
from rempart.accounts.authority import Authority, Proof
from rempart.accounts.person import INFORMED, STAFF, Role
from rempart.care.trouble import Ail
from rempart.console.access import Session
from rempart.console.app import rendered
from rempart.console.audience import Audience, as_seen, audience
from rempart.console.board import board_page
from rempart.console.care import care_page
from rempart.console.contain import contain_page
from rempart.console.duty import duty_page
from rempart.console.frame import frame
from rempart.console.incident import incidents_page
from rempart.console.naming import Names
from rempart.console.reopening import reopening_page
from rempart.console.visitors import Visitors
from rempart.console.wards import wards_page
from rempart.console.words import words
from rempart.engine import orders
from rempart.engine.rights import require
from rempart.engine.state import initial
from rempart.errors import OrderRefused
from rempart.messages import IncidentStatus, Status
from rempart.site.site import Language, Site

__all__ = ["visit"]

TECHNICAL = {"ground", "clocks"}
"""Parts of the duty page with technical facts and legal clocks."""


@pytest.mark.parametrize("role", Role)
def test_orders_are_offered_to_exactly_those_from_whom_the_guard_takes_them(site: Site, role: Role) -> None:
    for order in (
        orders.Contain(by="anne"),
        orders.ReportTrouble(by="anne", service="lab", ail=Ail.DOWN),
    ):
        try:
            require(initial(site), order, Authority("anne", Proof.SESSION, frozenset({role})))
        except OrderRefused:
            taken = False
        else:
            taken = True
        assert audience(signed_in(role)).may_order is taken


def test_the_wider_role_counts() -> None:
    assert audience(signed_in(Role.OBSERVER, Role.DUTY)) is Audience.NIGHT
    assert audience(signed_in(Role.DUTY, Role.TECHNICIAN)) is Audience.INFORMED
    assert audience(signed_in()) is Audience.ONLOOKER


def test_whoever_came_with_the_link_answers_at_night() -> None:
    assert audience(Session("key", "csrf", 0)) is Audience.NIGHT


# -- what each is told -------------------------------------------------------------------------------------------

LOOKS = [*((role.value, signed_in(role)) for role in Role), ("link", Session("key", "csrf", 0))]
EVERYBODY = pytest.mark.parametrize("here", [here for _, here in LOOKS], ids=[name for name, _ in LOOKS])


def known_to(here: Session) -> set[str]:
    """The marks that are for whoever looks."""
    roles = set(here.visitor.roles) if here.visitor else {Role.DUTY}
    return {*(CHECKED if roles & INFORMED else ()), *(WRITTEN if roles & STAFF else ())}


@EVERYBODY
def test_each_is_told_what_is_for_them_and_nothing_else(
    site: Site, make: Callable[..., Status], attack: IncidentStatus, here: Session
) -> None:
    status = everything(make, attack)
    told = as_seen(status, audience(here), site)
    text = msgspec.json.encode(told).decode()
    assert {mark for mark in (*CHECKED, *WRITTEN) if mark in text} == known_to(here)
    if audience(here) is Audience.INFORMED:
        assert told == status
    (seen,) = told.incidents
    assert [each.target for each in seen.proposals] == {
        Audience.ONLOOKER: [],
        Audience.NIGHT: ["…"],
        Audience.INFORMED: [CHECKED[1]],
    }[audience(here)]
    assert seen.assets == (
        ["10.0.1.12", CHECKED[2]]
        if INFORMED & set(here.visitor.roles if here.visitor else ())
        else ["ward-pc-2"]
    )
    assert (len(seen.story), told.measures[0].action, told.care.troubles[0].service) == (2, "block", "lab")
    assert bool(told.enforcement_fault)
    assert (told.alerts[0].code == "") is (audience(here) is Audience.ONLOOKER)


@EVERYBODY
def test_no_page_shows_more_than_its_reader_may_know(
    site: Site, make: Callable[..., Status], attack: IncidentStatus, here: Session
) -> None:
    status, english = everything(make, attack), words(Language.ENGLISH)
    by, now = audience(here), status.now
    told = as_seen(status, by, site)
    names = Names(site, english, addresses=by is Audience.INFORMED)
    visitor = here.visitor or signed_in(Role.DUTY).visitor
    assert visitor
    pages = {
        "duty.html": duty_page(site, told, now, now, english, by),
        "contain.html": contain_page(site, told, now, english, "csrf", audience=by),
        "care.html": care_page(site, told, now, english, "csrf", audience=by, trouble="t1"),
        "incidents.html": incidents_page(told, names, english),
        "reopening.html": reopening_page(site, told, here.visitor, english, now, "csrf"),
        "wards.html": wards_page(site, told, visitor, english, now, "csrf"),
        "ward.html": board_page(site, told, now, now, english),
    }
    reads_all = False
    for template, page in pages.items():
        html = rendered(template, page, frame(site, english, here))
        text = html.replace("987,654", "987654")
        shown = {mark for mark in (*CHECKED, *WRITTEN) if mark in text}
        assert shown <= known_to(here), template
        reads_all |= shown >= {CHECKED[0], CHECKED[1]}
    assert reads_all is (by is Audience.INFORMED)


# -- every page that a session can reach -------------------------------------------------------------------------

_APART = {"/events", "/api/v1/openapi.json"}
"""The one never ends, and tells the duty page's digest and proof; the other says what may be asked, and is no state."""


def addresses(visit: Visit, attack: IncidentStatus) -> list[str]:
    """Every address of the console that answers a GET, with something that is there in each hole."""
    there = {"incident": attack.id, "paper": "instead", "day": "0", "bunch": "x", "path": "live.js"}
    return [
        re.sub(r"\{(\w+)(:\w+)?\}", lambda hole: there.get(hole[1], "x"), route.path)
        for route in visit.app.routes
        if isinstance(route, Route) and "GET" in (route.methods or ()) and route.path not in _APART
    ]


@EVERYBODY
def test_no_address_tells_a_session_more_than_its_person_may_know(
    visit: Visit,
    make: Callable[..., Status],
    attack: IncidentStatus,
    here: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What can be read on a ward is read from the routes, so that a page that comes later is read too."""

    async def known(*_: object, **__: object) -> Session:
        return here

    monkeypatch.setattr(Visitors, "session", known)
    visit.console.feed.status = everything(make, attack)
    read = set()
    for address in addresses(visit, attack):
        answer = visit.ask("GET", f"{address}?lang=en")
        text = answer.text.replace("987,654", "987654")
        shown = {mark for mark in (*CHECKED, *WRITTEN) if mark in text}
        assert shown <= known_to(here), address
        assert answer.status_code < 500, address
        read |= shown
        if audience(here) is not Audience.INFORMED:
            assert not (TECHNICAL & set(re.findall(r'id="([^"]+)"', text))), address
    assert ({WHO, ADDRESS, MACHINE, HASH, str(PERSONS)} <= read) is (audience(here) is Audience.INFORMED)
