"""A supplier's visit, a closing in peace and announced news, as conversations."""

from dataclasses import replace

import pytest

from engine.home import NOW, SITE, terms
from rempart.containment.limits import Limits
from rempart.containment.measure import Stand
from rempart.engine import facts, orders
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Command, Enforce, Ordered, Refuse, Seal, Ticked, WakeAt
from rempart.engine.orders import AnyOrder
from rempart.engine.state import State, enforcement, initial
from rempart.engine.step import Terms, step
from rempart.instants import after, minutes, seconds
from rempart.site.opening import OpeningState, Publication, Tls
from rempart.site.site import Site

SUPPLIER = "198.51.100.7"
HOUSE = replace(
    SITE,
    openings=tuple(
        replace(o, hosts=("198.51.100.0/29",), zones=("servers",)) if o.id == "maintenance" else o
        for o in SITE.openings
    ),
)
TERMS = replace(terms(), site=HOUSE)
VISIT = orders.OpenVisit(
    by="Anne",
    reason="the bed sensors are mute",
    opening="maintenance",
    visitor="J. Peeters (Beds Ltd)",
    minutes=30,
    source=SUPPLIER,
)
IN = Stand(state=OpeningState.FILTERED, until=after(NOW, minutes(30)), then=OpeningState.CLOSED)
SHUT = Stand(state=OpeningState.CLOSED)


def terms_of(house: Site) -> Terms:
    return replace(terms(), site=house)


def told(state: State, order: AnyOrder) -> tuple[State, tuple[Command, ...]]:
    return step(TERMS, state, Ordered(NOW, order))


def refused(state: State, order: AnyOrder) -> str:
    after_it, commands = told(state, order)
    assert enforcement(after_it) == enforcement(state)
    return next(command.what for command in commands if isinstance(command, Refuse))


def test_a_visit_is_sealed_then_let_in_and_ends_by_itself() -> None:
    state, commands = told(initial(HOUSE), VISIT)
    assert [type(command) for command in commands] == [Seal, Enforce, WakeAt]
    assert enforcement(state).stands["maintenance"] == IN
    assert (state.doors["maintenance"].visitor, state.doors["maintenance"].source) == (
        VISIT.visitor,
        SUPPLIER,
    )
    state, commands = step(TERMS, state, Ticked(after(NOW, minutes(30))))
    assert commands[0] == Seal(
        (facts.VisitEnded(at=after(NOW, minutes(30)), opening="maintenance", visitor=VISIT.visitor),),
        urgent=True,
    )
    assert state.doors["maintenance"].stand == SHUT
    assert not state.doors["maintenance"].visitor


def test_a_visit_is_ended_at_once_by_anybody_on_call_and_by_a_cut() -> None:
    state, _ = told(initial(HOUSE), VISIT)
    for order in (
        orders.SetOpening(by="Bob", opening="maintenance", state=OpeningState.CLOSED),
        orders.Contain(by="Bob"),
    ):
        closed, commands = told(state, order)
        assert closed.doors["maintenance"].stand == SHUT
        assert not closed.doors["maintenance"].visitor
        assert isinstance(commands[0], Seal)
        assert commands[0].urgent


def test_a_visit_while_the_site_is_cut_is_ended_by_cutting_it_again() -> None:
    state, _ = told(initial(HOUSE), orders.Contain(by="Bob"))
    state, _ = told(state, msg(VISIT, override=True))
    assert state.doors["maintenance"].visitor
    state, commands = told(state, orders.Contain(by="Bob"))
    assert state.doors["maintenance"].stand == SHUT
    assert isinstance(commands[1], Enforce)


def test_a_visit_cannot_be_made_to_stay() -> None:
    state, _ = told(initial(HOUSE), VISIT)
    assert "ends by itself" in refused(state, orders.ConfirmTrial(by="Anne", opening="maintenance"))
    stays = orders.SetOpening(by="Anne", opening="maintenance", state=OpeningState.FILTERED)
    assert "normally closed" in refused(state, stays)


def test_a_longer_visit_is_another_visit() -> None:
    state, _ = told(initial(HOUSE), VISIT)
    state, _ = step(
        TERMS, state, Ordered(after(NOW, minutes(20)), msg(VISIT, visitor="K. Maes (Beds Ltd)", minutes=60))
    )
    assert state.doors["maintenance"].stand.until == after(NOW, minutes(80))
    assert state.doors["maintenance"].visitor == "K. Maes (Beds Ltd)"


def msg(order: orders.OpenVisit, **changed: object) -> orders.OpenVisit:
    fields = {name: getattr(order, name) for name in order.__struct_fields__}
    return orders.OpenVisit(**{**fields, **changed})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"visitor": " "}, "name"),
        ({"reason": ""}, "reason"),
        ({"source": "198.51.100.9"}, "none of the hosts"),
        ({"source": "everywhere"}, "none of the hosts"),
        ({"opening": "telephone"}, "no opening for visits"),
        ({"opening": "website"}, "no opening for visits"),
        ({"opening": "browsing"}, "no opening for visits"),
        ({"opening": "nothing"}, "no opening"),
    ],
)
def test_a_visit_that_is_refused(changed: dict[str, object], why: str) -> None:
    assert why in refused(initial(HOUSE), msg(VISIT, **changed))


def test_a_visit_may_be_limited_to_machines_named_as_people_name_them() -> None:
    order = msg(VISIT, hosts=["files", "10.2.0.11", "10.2.0.10"])
    state, _ = told(initial(HOUSE), order)
    limits = Limits(source=SUPPLIER, hosts=("10.2.0.10", "10.2.0.11"))
    assert enforcement(state).stands["maintenance"] == replace(IN, limits=limits)
    ended, _ = step(TERMS, state, Ticked(after(NOW, minutes(30))))
    assert ended.doors["maintenance"].stand == SHUT


PRINT = "AB:" * 31 + "CD"
TLS = Tls(certificate="/etc/www.pem", clients="/etc/suppliers.pem")


def published(tls: Tls | None) -> Site:
    publication = Publication(host="beds.example", zone="servers", address="10.2.0.10", port=8080, tls=tls)
    return replace(
        HOUSE,
        openings=tuple(
            replace(o, publication=publication) if o.id == "maintenance" else o for o in HOUSE.openings
        ),
    )


@pytest.mark.parametrize("copied", [PRINT, f"sha256 Fingerprint={PRINT}", "ab" * 31 + "cd"])
def test_through_the_proxy_a_visit_may_be_limited_to_a_certificate(copied: str) -> None:
    house = published(TLS)
    state, _ = step(terms_of(house), initial(house), Ordered(NOW, msg(VISIT, certificate=copied)))
    limits = Limits(source=SUPPLIER, certificate="ab" * 31 + "cd")
    assert enforcement(state).stands["maintenance"] == replace(IN, limits=limits)


@pytest.mark.parametrize(
    ("house", "changed", "why"),
    [
        (HOUSE, {"hosts": ["coffee-machine"]}, "no machine coffee-machine"),
        (HOUSE, {"hosts": ["10.9.0.1"]}, "no machine 10.9.0.1"),
        (HOUSE, {"hosts": ["10.2.0.0/24"]}, "no machine 10.2.0.0/24"),
        (HOUSE, {"hosts": ["fd00:2::10"]}, "no machine fd00:2::10"),
        (HOUSE, {"certificate": PRINT}, "asks nobody for a certificate"),
        (published(TLS), {"hosts": ["files"]}, "leads to one server"),
        (published(TLS), {"certificate": "ab"}, "not the SHA-256"),
        (published(None), {"certificate": PRINT}, "asks nobody for a certificate"),
        (published(replace(TLS, clients=None)), {"certificate": PRINT}, "asks nobody for a certificate"),
    ],
)
def test_limits_that_cannot_be_kept_are_refused(house: Site, changed: dict[str, object], why: str) -> None:
    state, commands = step(terms_of(house), initial(house), Ordered(NOW, msg(VISIT, **changed)))
    assert state.doors["maintenance"].stand == SHUT
    assert why in next(command.what for command in commands if isinstance(command, Refuse))


def test_a_visit_sealed_before_there_were_limits_has_none() -> None:
    fact = facts.body_of(
        facts.VisitBegun(
            at=NOW,
            opening="maintenance",
            visitor=VISIT.visitor,
            source=SUPPLIER,
            until=after(NOW, minutes(30)),
            by="Anne",
            reason="",
        )
    )
    del fact["hosts"], fact["certificate"]
    assert folded(initial(HOUSE), HOUSE, [facts.read(fact)]).doors["maintenance"].stand == IN


def test_while_contained_a_visit_needs_an_override() -> None:
    cut, _ = told(initial(HOUSE), orders.Contain(by="Anne"))
    assert "while the site is contained" in refused(cut, VISIT)
    state, _ = told(cut, msg(VISIT, override=True))
    assert state.doors["maintenance"].stand == IN
    _, commands = told(cut, msg(VISIT, override=True))
    sealed = next(command for command in commands if isinstance(command, Seal))
    assert isinstance(sealed.facts[0], facts.VisitBegun)
    assert sealed.facts[0].overridden == ["the site is contained"]


def test_a_service_closed_in_peace_lets_end_what_is_under_way() -> None:
    order = orders.SetOpening(by="Anne", opening="website", state=OpeningState.CLOSED, in_peace=True)
    state, commands = told(initial(HOUSE), order)
    assert state.doors["website"].stand == Stand(state=OpeningState.CLOSED, drains=after(NOW, seconds(60)))
    assert isinstance(commands[0], Seal)
    assert commands[0].urgent
    cut, _ = told(state, orders.Contain(by="Anne"))
    assert cut.doors["website"].stand == SHUT


def test_there_is_no_peace_in_a_cut_and_none_without_a_proxy() -> None:
    cut, _ = told(initial(HOUSE), orders.Contain(by="Anne"))
    trial = orders.Reopen(
        by="Anne", reason="care", opening="website", state=OpeningState.FILTERED, seconds=60, override=True
    )
    trying, _ = told(cut, trial)
    order = orders.SetOpening(by="Anne", opening="website", state=OpeningState.CLOSED, in_peace=True)
    assert "closes at once" in refused(trying, order)
    browsing = orders.SetOpening(by="Anne", opening="browsing", state=OpeningState.CLOSED, in_peace=True)
    assert "not published" in refused(initial(HOUSE), browsing)


def test_news_are_announced_for_later_and_shown() -> None:
    later = after(NOW, minutes(240))
    state, commands = told(initial(HOUSE), orders.AnnounceNews(by="Anne", at=later))
    assert enforcement(state).news_at == later
    assert any(isinstance(command, Enforce) for command in commands)
    assert "past" in refused(state, orders.AnnounceNews(by="Anne", at=NOW))
    state, _ = told(state, orders.AnnounceNews(by="Anne"))
    assert enforcement(state).news_at is None


def test_the_facts_alone_tell_the_same() -> None:
    sealed: list[facts.AnyFact] = []
    state = initial(HOUSE)
    for order in (msg(VISIT, hosts=["files"]), orders.AnnounceNews(by="Anne", at=after(NOW, minutes(9)))):
        state, commands = told(state, order)
        sealed += [fact for command in commands if isinstance(command, Seal) for fact in command.facts]
    again = [facts.read(facts.body_of(fact)) for fact in sealed]
    assert folded(initial(HOUSE), HOUSE, again) == state


def test_the_public_is_told_since_when() -> None:
    state, _ = told(initial(HOUSE), orders.SetOpening(by="Anne", opening="portal", state=OpeningState.CLOSED))
    assert enforcement(state).closed_since == {"portal": NOW}
