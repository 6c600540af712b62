"""Who looks: the guard's own list of roles decides what is offered."""

import pytest

from console.test_frame import signed_in
from rempart.accounts.authority import Authority, Proof
from rempart.accounts.person import Role
from rempart.care.trouble import Ail
from rempart.console.access import Session
from rempart.console.audience import Audience, audience
from rempart.engine import orders
from rempart.engine.rights import require
from rempart.engine.state import initial
from rempart.errors import OrderRefused
from rempart.site.site import Site


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
