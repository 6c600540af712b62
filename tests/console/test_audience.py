"""Who looks: the guard's own list of roles decides what is offered."""

from collections.abc import Callable

import pytest
from msgspec import structs

from console.test_frame import signed_in
from rempart.accounts.authority import Authority, Proof
from rempart.accounts.person import Role
from rempart.care.trouble import Ail
from rempart.console.access import Session
from rempart.console.audience import Audience, as_seen, audience
from rempart.engine import orders
from rempart.engine.rights import require
from rempart.engine.state import initial
from rempart.errors import OrderRefused
from rempart.messages import ClockStatus, IncidentStatus, MeasureStatus, Proposal, Status
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


@pytest.mark.parametrize("by", [Audience.NIGHT, Audience.ONLOOKER])
def test_clocks_counts_and_who_is_in_an_incident_are_for_those_who_check_on_things(
    make: Callable[..., Status], attack: IncidentStatus, isolation: MeasureStatus, by: Audience
) -> None:
    waiting = Proposal(id="1", incident=attack.id, action="block", target="203.0.113.66")
    incident = structs.replace(attack, proposals=[waiting], assigned="anne")
    clock = ClockStatus(incident=attack.id, duty="insurer", started=attack.opened, due=None)
    status = make(incidents=[incident], clocks=[clock], measures=[isolation])
    assert as_seen(status, Audience.INFORMED) == status
    told = as_seen(status, by)
    (seen,) = told.incidents
    assert (told.clocks, seen.persons_touched, seen.assigned) == ([], None, "")
    assert (seen.actors, seen.accounts) == ([], [])
    assert "Direction" not in repr(told)
    assert seen.proposals == ([waiting] if by.may_order else [])
    assert (seen.id, seen.state, len(seen.story)) == (incident.id, incident.state, len(incident.story))


@pytest.mark.parametrize("by", [Audience.NIGHT, Audience.ONLOOKER])
def test_who_is_let_in_and_to_what_is_not_for_everybody(make: Callable[..., Status], by: Audience) -> None:
    door = structs.replace(
        make().openings[0],
        visitor="J. Peeters",
        visitor_from="198.51.100.7",
        visitor_to=["10.0.2.10"],
        visitor_certificate="ab" * 32,
    )
    (seen,) = as_seen(make(openings=[door]), by).openings
    assert (seen.visitor, seen.visitor_from, seen.visitor_to, seen.visitor_certificate) == ("…", "", [], "")
