"""How much passes each opening, from two counts."""

import pytest

from engine.home import SITE
from rempart.containment.traffic import LITTLE, MUCH, NOTHING, SOME, traffic
from rempart.instants import seconds

MAIL = next(each for each in SITE.openings if not each.publication)
MINUTE = seconds(60)


@pytest.mark.parametrize(
    ("packets", "step"),
    [(0, NOTHING), (1, LITTLE), (599, LITTLE), (600, SOME), (11_999, SOME), (12_000, MUCH)],
)
def test_packets_of_a_minute_make_a_step(packets: int, step: int) -> None:
    before = {f"open_{MAIL.mark}": 5, f"filtered_{MAIL.mark}": 7}
    after = {f"open_{MAIL.mark}": 5 + packets // 2, f"filtered_{MAIL.mark}": 7 + packets - packets // 2}
    assert traffic(SITE, before, after, MINUTE)[MAIL.id] == step


def test_a_table_that_was_loaded_anew_counts_from_nothing() -> None:
    assert (
        traffic(SITE, {f"open_{MAIL.mark}": 9_000_000}, {f"open_{MAIL.mark}": 30}, MINUTE)[MAIL.id] == LITTLE
    )


def test_what_was_refused_does_not_pass() -> None:
    assert (
        traffic(SITE, {}, {f"closed_{MAIL.mark}": 9_000, f"limited_{MAIL.mark}": 9}, MINUTE)[MAIL.id]
        == NOTHING
    )


def test_services_behind_the_proxy_are_left_out() -> None:
    assert traffic(SITE, {}, {}, MINUTE).keys() == {each.id for each in SITE.openings if not each.publication}
