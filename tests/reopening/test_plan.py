"""Stages in the order of care."""

from dataclasses import replace

from engine.home import SITE
from rempart.reopening.plan import Stage, before, plan, stage_of


def test_stages_follow_care_and_leave_out_lifelines_and_what_is_normally_closed() -> None:
    assert plan(SITE) == (
        Stage(1, ("ehealth",)),
        Stage(2, ("portal",)),
        Stage(5, ("website",)),
        Stage(6, ("browsing",)),
    )


def test_earlier_stages_come_first() -> None:
    assert before(SITE, SITE.opening("website")) == ("ehealth", "portal")
    assert before(SITE, SITE.opening("ehealth")) == ()


def test_no_opening_comes_before_those_it_needs() -> None:
    needing = tuple(
        replace(o, needs=("portal", "browsing")) if o.id == "ehealth" else o for o in SITE.openings
    )
    site = replace(SITE, openings=needing)
    assert stage_of(site, site.opening("ehealth")) == 6
    assert before(site, site.opening("ehealth")) == ("portal", "website")


def test_openings_that_need_one_another_do_not_loop() -> None:
    circle = {"ehealth": ("portal",), "portal": ("ehealth",)}
    site = replace(SITE, openings=tuple(replace(o, needs=circle.get(o.id, ())) for o in SITE.openings))
    assert {stage_of(site, site.opening(name)) for name in circle} == {2}


def test_what_people_moved_wins() -> None:
    moved = {"website": 1, "ehealth": 4}
    assert plan(SITE, moved)[0] == Stage(1, ("website",))
    assert before(SITE, SITE.opening("ehealth"), moved) == ("website", "portal")
