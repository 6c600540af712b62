"""Stages in the order of care."""

from engine.home import SITE
from rempart.reopening.plan import Stage, before, plan


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
