"""Live pages: made once for all who see the same, and not without bound."""

from collections.abc import Callable
from pathlib import Path

from rempart.accounts.person import Role
from rempart.adapters.clock import SystemClock
from rempart.console.audience import Audience
from rempart.console.duty import DutyPage, duty_page
from rempart.console.feed import Feed
from rempart.console.live import MOST, MOST_EACH, Live
from rempart.console.words import Words, words
from rempart.instants import Instant
from rempart.messages import Status
from rempart.site.site import Language, Site


class Hand:
    """A clock put by hand, and a count of what was drawn."""

    def __init__(self, site: Site, feed: Feed) -> None:
        self.site, self.feed = site, feed
        self.time = Instant(1_000_000)
        self.drawn: list[tuple[Language, Audience]] = []

    def now(self) -> Instant:
        return self.time

    def draw(self, spoken: Words, seen_by: Audience, roles: frozenset[Role]) -> tuple[DutyPage, str, str]:
        self.drawn.append((spoken.language, seen_by))
        page = duty_page(self.site, self.feed.status, self.feed.seen, self.time, spoken, seen_by, roles)
        return page, f"digest {len(self.drawn)}", "<main>"


def live(site: Site, tmp_path: Path) -> tuple[Live, Hand]:
    feed = Feed(tmp_path / "none", clock=SystemClock())
    hand = Hand(site, feed)
    return Live(feed, hand, hand.draw), hand


def test_what_many_see_is_drawn_once(site: Site, tmp_path: Path) -> None:
    shown, hand = live(site, tmp_path)
    french, dutch = words(Language.FRENCH), words(Language.DUTCH)
    first = [shown.shown(french, Audience.NIGHT) for _ in range(200)]
    assert {each.digest for each in first} == {"digest 1"}
    shown.shown(dutch, Audience.NIGHT)
    shown.shown(french, Audience.INFORMED)
    shown.shown(french, Audience.INFORMED, frozenset({Role.APPROVER}))
    assert len(hand.drawn) == 4


def test_a_change_and_a_second_are_told_at_once(
    site: Site, tmp_path: Path, make: Callable[..., Status]
) -> None:
    shown, hand = live(site, tmp_path)
    french = words(Language.FRENCH)
    before = shown.shown(french, Audience.NIGHT)
    shown.feed.status, shown.feed.seen = make(), hand.time
    after = shown.shown(french, Audience.NIGHT)
    assert after.proof != before.proof
    hand.time = Instant(hand.time + 1_000_000)
    assert shown.shown(french, Audience.NIGHT) is not after


def test_neither_one_session_nor_all_together_look_without_bound(site: Site, tmp_path: Path) -> None:
    shown, _ = live(site, tmp_path)
    for _ in range(MOST_EACH):
        assert shown.room("anne")
        shown.come("anne")
    assert not shown.room("anne")
    assert shown.room("bert")
    shown.gone("anne")
    assert shown.room("anne")
    for number in range(MOST):
        shown.come(f"{number}")
    assert not shown.room("bert")
