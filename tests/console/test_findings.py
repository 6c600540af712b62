"""The pages of findings and exceptions: who may look, what they say, and that hostile text stays text."""

from dataclasses import replace

import pytest

from rempart.accounts.conversation import Visitor
from rempart.accounts.credential import How
from rempart.accounts.person import Role
from rempart.console.access import Session
from rempart.console.app import rendered
from rempart.console.exceptions import exceptions_page
from rempart.console.findings import Draft, Wanted, bunch_page, findings_page
from rempart.console.frame import frame
from rempart.console.words import words
from rempart.detection.bunch import Bunch, Kept
from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.detection.inquiry import (
    Bunches,
    BunchTold,
    DayKept,
    ExceptionsTold,
    ExceptionTold,
    Place,
    Preview,
)
from rempart.detection.trait import Trait
from rempart.events.observable import Observable, ObservableKind
from rempart.events.observable import Role as Part
from rempart.instants import Instant
from rempart.site.site import Language, Site

DAY = 739_942
NAME = "0123456789abcdef"


def finding(**others: object) -> Finding:
    seen = Finding(
        id="f-1",
        rule="web-probe",
        title="A hole <script>alert(1)</script>",
        level=Level.HIGH,
        kind=Kind.PROBE,
        outcome=Outcome.ATTEMPT,
        time=Instant(0),
        source="portal.log",
        record=7,
        spoofable=False,
        observables=(
            Observable(ObservableKind.ADDRESS, Part.ACTOR, "203.0.113.66\u202e"),
            Observable(ObservableKind.ACCOUNT, Part.VICTIM, "person-0a1b2c3d"),
        ),
    )
    return replace(seen, **others)  # type: ignore[arg-type]  # as given


def bunch(now: Instant) -> Bunch:
    return Bunch(
        id=NAME,
        day=DAY,
        level=Level.HIGH,
        kind=Kind.PROBE,
        first=Instant(now - 3_600_000_000),
        last=now,
        findings=1200,
        events=34_000,
        latest=finding(),
        traits=(Trait("c-ip", "203.0.113.66"), Trait("cs-host", '"><b>x')),
    )


def person(*roles: Role) -> Session:
    visitor = Visitor(
        person="anne",
        name="Anne",
        roles=list(roles),
        how=How.PASSKEY,
        session="s",
        ends=Instant(0),
        passkey=True,
    )
    return Session("key", "csrf", Instant(0), visitor)


@pytest.mark.parametrize("language", Language)
def test_every_page_is_made_in_every_language_and_escapes_what_is_hostile(
    language: Language, site: Site, now: Instant
) -> None:
    spoken, here = words(language), person(Role.TECHNICIAN)
    kept = Kept(number=9, read=now, finding=finding(), traits=(Trait("c-ip", "203.0.113.66"),))
    place = Place(level=Level.HIGH, last=int(now), bunch=NAME)
    told = Bunches(day=DAY, days=[DayKept(day=DAY, findings=1200)], bunches=[bunch(now)], next=place)
    preview = Preview(looked_at=1200, hidden=3, grave=1, since=now, examples=[kept])
    draft = Draft(traits=(Trait("c-ip", "203.0.113.66"),), reason="<i>", tried=preview)
    exception = ExceptionTold(
        id=NAME,
        rules=["A <b>rule</b>"],
        traits=[Trait("cs-username", ""), Trait("c-ip", "10.0.0.7")],
        reason="<script>",
        author="anne",
        until="2027-01-31",
        ordered=True,
        ended=False,
        in_force=True,
        times=3,
        last=now,
    )
    around = frame(site, spoken, here, "/findings")
    pages = [
        ("findings.html", findings_page(told, Wanted(), spoken, now)),
        ("findings.html", findings_page(None, Wanted(), spoken, now)),
        (
            "bunch.html",
            bunch_page(
                BunchTold(bunch=bunch(now), findings=[kept], before=9),
                DAY,
                NAME,
                spoken,
                now,
                here,
                draft,
            ),
        ),
        (
            "bunch.html",
            bunch_page(
                BunchTold(bunch=None, findings=[], before=None),
                DAY,
                NAME,
                spoken,
                now,
                here,
                Draft(),
            ),
        ),
        (
            "exceptions.html",
            exceptions_page(
                ExceptionsTold(exceptions=[exception], problems=["<u>"], next=50), spoken, now, here
            ),
        ),
        ("exceptions.html", exceptions_page(None, spoken, now, here)),
    ]
    for template, page in pages:
        html = rendered(template, page, around)
        for hostile in ("<script>", "<b>rule", '"><b>x', "<u>", "<i>", "\u202e"):
            assert hostile not in html


def test_only_a_technician_is_offered_the_form_and_the_end(now: Instant) -> None:
    told = BunchTold(bunch=bunch(now), findings=[], before=None)
    for role in Role:
        page = bunch_page(told, DAY, NAME, words(Language.ENGLISH), now, person(role), Draft())
        assert page.may_change is (role is Role.TECHNICIAN)
