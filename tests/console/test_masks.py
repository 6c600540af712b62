"""The page of masks: who asked and for what is told before a second person agrees; only the next step is offered."""

from collections.abc import Callable

import pytest
from msgspec import structs

from console.test_frame import signed_in
from rempart.accounts.person import Role
from rempart.console.masks import Masked, masks_page
from rempart.console.words import words
from rempart.instants import Instant, hours
from rempart.messages import IncidentStatus, Status, UnmaskingStatus
from rempart.site.site import Language, Site

Make = Callable[..., Status]


def shown(site: Site, status: Status, role: Role, now: Instant) -> Masked:
    visitor = signed_in(role).visitor
    assert visitor
    (masked,) = masks_page(site, status, visitor, words(Language.ENGLISH), now, "csrf").incidents
    return masked


def offered(masked: Masked) -> tuple[bool, bool, bool]:
    return masked.may_ask, masked.may_agree, masked.may_read


def asked(make: Make, attack: IncidentStatus, now: Instant, *, by: str, agreed: bool) -> Status:
    request = UnmaskingStatus(
        by=by,
        purpose="warn them",
        asked=now,
        agreeable_until=Instant(now + hours(24)),
        readable_until=Instant(now + hours(48)) if agreed else None,
    )
    return make(incidents=[structs.replace(attack, accounts=["person-abc"], unmasking=request)])


@pytest.mark.parametrize("role", [Role.PRIVACY_OFFICER, Role.APPROVER, Role.TECHNICIAN, Role.DUTY])
def test_only_the_next_step_is_offered_to_whom_the_guard_takes_it_from(
    site: Site, make: Make, attack: IncidentStatus, now: Instant, role: Role
) -> None:
    asks, agrees = role is Role.PRIVACY_OFFICER, role in (Role.APPROVER, Role.TECHNICIAN)
    nothing = make(incidents=[structs.replace(attack, accounts=["person-abc"])])
    assert offered(shown(site, nothing, role, now)) == (asks, False, False)
    waits = asked(make, attack, now, by="privacy", agreed=False)
    assert offered(shown(site, waits, role, now)) == (False, agrees, False)
    agreed = asked(make, attack, now, by="privacy", agreed=True)
    assert offered(shown(site, agreed, role, now)) == (False, False, asks or agrees)


def test_the_second_person_reads_who_asked_and_for_what(
    site: Site, make: Make, attack: IncidentStatus, now: Instant
) -> None:
    masked = shown(site, asked(make, attack, now, by="privacy", agreed=False), Role.APPROVER, now)
    assert masked.asked == "privacy asked for the names (03:12) for: “warn them”"
    assert masked.stands.startswith("A second person can agree until ")
    assert masked.said.startswith("Care files")


def test_nobody_agrees_with_themselves(site: Site, make: Make, attack: IncidentStatus, now: Instant) -> None:
    mine = signed_in(Role.APPROVER).visitor
    assert mine
    status = asked(make, attack, now, by=mine.person, agreed=False)
    assert offered(shown(site, status, Role.APPROVER, now)) == (False, False, False)


@pytest.mark.parametrize("agreed", [True, False])
def test_what_is_over_is_asked_anew(
    site: Site, make: Make, attack: IncidentStatus, now: Instant, *, agreed: bool
) -> None:
    status = asked(make, attack, now, by="privacy", agreed=agreed)
    later = Instant(now + hours(49))
    masked = shown(site, status, Role.PRIVACY_OFFICER, later)
    assert offered(masked) == (True, False, False)
    assert masked.asked == masked.stands == ""
