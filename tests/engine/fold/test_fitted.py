"""A journal outlives the site.toml it began with: doors and machines come and go, bodies are erased."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.home import NOW, SITE, opening, terms
from engine.test_laws import STEPS, TERMS, lived
from rempart.containment.holdings import holdings
from rempart.engine import orders
from rempart.engine.facts import AnyFact, body_of, read
from rempart.engine.fold.fitted import fitted
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Ordered, Seal
from rempart.engine.state import NEVER, State, enforcement, initial
from rempart.engine.step import Terms, step
from rempart.site.opening import OpeningState
from rempart.site.site import Site

CHANGED = replace(
    SITE,
    openings=(
        *(o for o in SITE.openings if o.id not in ("website", "telephone")),
        opening("telemonitoring", 17, lifeline=True, care=1),
        opening("printing", 18),
    ),
    assets=tuple(a for a in SITE.assets if a.id != "ward-pc"),
)
"""The site after its website, its telephone and a PC went, and two doors came."""


def after(*what: orders.AnyOrder, site: Site = SITE) -> State:
    state = initial(site)
    for order in what:
        state, _ = step(Terms(site, terms().policy), state, Ordered(NOW, order))
    return state


def test_doors_that_are_new_stand_as_they_normally_do() -> None:
    stands = enforcement(fitted(after(), CHANGED)).stands
    assert set(stands) == {o.id for o in CHANGED.openings}
    assert stands["printing"].state is OpeningState.OPEN


def test_while_the_site_is_cut_they_are_as_the_cut_leaves_them() -> None:
    found = fitted(after(orders.Contain(by="Anne")), CHANGED)
    stands = enforcement(found).stands
    assert stands["printing"].state is OpeningState.CLOSED
    assert stands["telemonitoring"].state is OpeningState.FILTERED
    assert stands["maintenance"].state is OpeningState.CLOSED
    assert found.doors["printing"].since == NEVER


def test_a_machine_that_is_gone_is_isolated_no_longer() -> None:
    state = after(orders.Isolate(by="Anne", asset="ward-pc"), orders.Isolate(by="Anne", asset="pump"))
    assert set(fitted(state, CHANGED).isolated) == {"pump"}


def test_fitting_to_the_same_site_changes_nothing() -> None:
    state = after(orders.Contain(by="Anne"), orders.Isolate(by="Anne", asset="ward-pc"))
    assert fitted(state, SITE) == state


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sets(st.integers(0, 60), max_size=10))
def test_any_journal_folds_on_the_changed_site_and_can_be_enforced(
    steps: list[tuple[int, object]], erased: set[int]
) -> None:
    life = lived(steps)
    seals = [command for _, commands, _, _ in life for command in commands if isinstance(command, Seal)]
    sealed: list[AnyFact] = [read(body_of(fact)) for seal in seals for fact in seal.facts]
    left = [fact for number, fact in enumerate(sealed) if number not in erased]
    for site in (SITE, CHANGED):
        state = fitted(folded(initial(site), site, left), site)
        held = holdings(site, enforcement(state), NOW)  # refuses what the site does not have
        assert set(held.states) == {o.mark for o in site.openings}
        lived_in = fitted(life[-1][2] if life else initial(SITE), site)
        step(Terms(site, TERMS.policy), lived_in, Ordered(NOW, orders.Contain(by="Anne")))
