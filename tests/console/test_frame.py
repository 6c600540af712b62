"""The frame of the pages: each is led to what is of use to them, strangers are told nothing."""

import pytest

from rempart.accounts.conversation import Visitor
from rempart.accounts.credential import How
from rempart.accounts.person import Role
from rempart.console.access import Session
from rempart.console.frame import PLACES, frame
from rempart.console.words import words
from rempart.site.site import Language, Site


def signed_in(*roles: Role) -> Session:
    visitor = Visitor(
        person="anne", name="Anne", roles=list(roles), how=How.PASSKEY, session="s", ends=0, passkey=False
    )
    return Session("key", "csrf", 0, visitor)


def addresses(site: Site, looks: Session | None, path: str = "/") -> list[str]:
    return [way.address for way in frame(site, words(Language.FRENCH), looks, path).ways]


def test_a_stranger_is_told_nothing(site: Site) -> None:
    around = frame(site, words(Language.FRENCH))
    assert (around.site_name, around.account, around.csrf, around.ways) == ("", "", "", ())


def test_whoever_came_by_the_link_is_not_led_to_accounts(site: Site) -> None:
    assert "/people" not in addresses(site, Session("key", "csrf", 0))


@pytest.mark.parametrize("role", Role)
def test_a_person_is_led_to_the_pages_of_their_roles(site: Site, role: Role) -> None:
    led = addresses(site, signed_in(role))
    assert led == [place.address for place in PLACES if role in place.roles]
    assert ("/masks" in led) == (role in {Role.PRIVACY_OFFICER, Role.APPROVER, Role.TECHNICIAN})


def test_the_page_that_is_shown_is_marked(site: Site) -> None:
    ways = frame(site, words(Language.FRENCH), signed_in(Role.TECHNICIAN), "/people").ways
    assert [way.address for way in ways if way.here] == ["/people"]


@pytest.mark.parametrize("language", Language)
def test_every_place_has_a_name(language: Language) -> None:
    assert all(words(language).has(f"nav.{place.word}") for place in PLACES)
