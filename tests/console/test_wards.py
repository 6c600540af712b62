"""The page of the wards: what each said, what the rehearsal asked, and who may say or begin what."""

import dataclasses
from collections.abc import Callable

import msgspec
import pytest

from rempart.accounts.conversation import Visitor
from rempart.accounts.credential import How
from rempart.accounts.person import STAFF, Role
from rempart.care.rehearsal import Question
from rempart.console.app import rendered
from rempart.console.frame import frame
from rempart.console.routes.wards import _orders
from rempart.console.wards import WardsPage, wards_page
from rempart.console.words import words
from rempart.engine import orders
from rempart.instants import Instant, after, hours, minutes
from rempart.messages import CareStatus, Posture, RehearsalStatus, Status, TickStatus, WardStatus
from rempart.phrase import Phrase, phrase
from rempart.site.site import Language, Site, Ward

Make = Callable[..., Status]
HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e"


def visitor(*roles: Role) -> Visitor:
    return Visitor(
        person="anne", name="Anne", roles=list(roles), how=How.PASSKEY, session="s", ends=0, passkey=True
    )


def ward(standing: str, **more: object) -> WardStatus:
    said = {"id": "first", "name": "Premier étage", "phone": "04 000 00 31", "standing": standing}
    return msgspec.convert(said | more, WardStatus)


def rehearsal(began: Instant, **more: object) -> RehearsalStatus:
    said = {
        "began": began,
        "until": after(began, minutes(10)),
        "by": "tech",
        "ended": None,
        "early": False,
        "locked": phrase("locked-running"),
        "ticks": [TickStatus(ward="first", question="call", reply="no", note="it hung", by="anne")],
        "unanswered": [],
        "corrections": [],
    }
    return RehearsalStatus(**(said | more))  # type: ignore[arg-type]  # as the message has them


def asked(
    site: Site, status: Status | None, now: Instant, *roles: Role, language: Language = Language.ENGLISH
) -> WardsPage:
    with_ward = dataclasses.replace(site, wards=(Ward(id="first", name="Premier étage"),))
    return wards_page(with_ward, status, visitor(*roles), words(language), now, "csrf")


def test_each_ward_says_how_it_is_and_has_its_number(site: Site, make: Make, now: Instant) -> None:
    care = CareStatus(wards=[ward("troubled", at=now, note="the lift"), ward("unheard", id="second")])
    first, second = asked(site, make(Posture.CONTAINED, care=care), now, Role.DUTY).wards
    assert (first.word, first.standing) == ("care does not go on as it should", "troubled")
    assert first.said.endswith("the lift")
    assert first.call
    assert first.call.link == "tel:040000031"
    assert (second.word, second.said) == ("not heard this shift", "")


@pytest.mark.parametrize("role", Role)
def test_who_answers_for_the_house_may_say_and_a_technician_may_rehearse(
    site: Site, make: Make, now: Instant, role: Role
) -> None:
    page = asked(site, make(), now, role)
    assert page.may_say == (role in STAFF)
    assert page.may_rehearse == (role is Role.TECHNICIAN)


def test_no_rehearsal_is_offered_while_one_runs_or_the_site_is_cut(
    site: Site, make: Make, now: Instant
) -> None:
    running = make(care=CareStatus(rehearsal=rehearsal(now)))
    for status in (running, make(Posture.CONTAINED), None):
        assert not asked(site, status, now, Role.TECHNICIAN).may_rehearse


def test_a_rehearsal_shows_what_each_ward_answered(site: Site, make: Make, now: Instant) -> None:
    tried = asked(site, make(care=CareStatus(rehearsal=rehearsal(now))), now, Role.DUTY).rehearsal
    assert tried
    assert (tried.running, tried.asking) == (True, True)
    ((_, _, answers),) = tried.wards
    assert [answer.question for answer in answers] == list(Question)
    assert answers[0].word == "it did not work"
    assert {answer.word for answer in answers[1:]} == {"not answered"}


def test_the_wards_are_asked_for_a_day(site: Site, make: Make, now: Instant) -> None:
    over = rehearsal(now, ended=after(now, minutes(10)))
    status = make(care=CareStatus(rehearsal=over))
    for later, asking in ((hours(23), True), (hours(25), False)):
        tried = asked(site, status, after(now, later), Role.DUTY).rehearsal
        assert tried
        assert tried.asking == asking


@pytest.mark.parametrize("language", Language)
def test_it_renders_in_every_language_and_hostile_words_stay_words(
    site: Site, make: Make, now: Instant, language: Language
) -> None:
    care = CareStatus(
        wards=[ward("troubled", at=now, note=HOSTILE, name=HOSTILE)],
        rehearsal=rehearsal(now),
        locked=Phrase("of-another-version", HOSTILE),
    )
    for role in Role:
        page = asked(site, make(care=care), now, role, language=language)
        html = rendered("wards.html", page, frame(site, words(language)))
        assert "{" not in html.split("<main")[1]
        assert "<img" not in html
        assert not {"\x1b", "\u202e"} & set(html)


# -- what a form asks for ------------------------------------------------------------------------------------------


def test_a_ward_s_word_is_an_attestation() -> None:
    form = {"do": ["attest"], "ward": ["first"], "reply": ["no"], "note": [" the lift "]}
    assert list(_orders("anne", form)) == [
        orders.AttestCare(by="anne", ward="first", reply="no", note="the lift")  # type: ignore[arg-type]
    ]


def test_only_questions_that_were_answered_are_ticked() -> None:
    form = {"do": ["tick"], "ward": ["first"], "call": ["yes"], "door": ["no"], "note": ["stuck"]}
    ticked = [order for order in _orders("anne", form) if isinstance(order, orders.TickWard)]
    assert [(each.question, each.reply) for each in ticked] == [("call", "yes"), ("door", "no")]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"do": ["contain"]},
        {"do": ["tick"], "ward": ["first"]},
        {"do": ["tick"], "ward": ["first"], "call": ["maybe"]},
        {"do": ["attest"], "ward": ["first"], "reply": ["maybe"]},
        {"do": ["rehearse"], "seconds": ["1"]},
        {"do": ["rehearse"], "seconds": ["ten"]},
    ],
)
def test_what_is_no_order_is_refused(form: dict[str, list[str]]) -> None:
    with pytest.raises((ValueError, msgspec.ValidationError)):
        list(_orders("anne", form))
