"""Correlations: each type, groups, lateness, floods, bounds; and that the past beyond the memory does not matter."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection import correlate
from rempart.detection.correlate import Correlator, Crossing
from rempart.detection.explain import identity
from rempart.detection.finding import Level
from rempart.detection.meaning import Meaning
from rempart.detection.rule import Comparison, Correlation, CorrelationType, RuleCard
from rempart.errors import RuleInvalid
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, seconds


def card(name: str) -> RuleCard:
    meaning = Meaning(actors=("src",), accounts=("user",))
    return RuleCard(
        id=name, name=name, title=name, level=Level.HIGH, author="", tags=(), path="", meaning=meaning
    )


def correlation(name: str = "many", **changes: Any) -> Correlation:
    usual: dict[str, Any] = {
        "card": card(name),
        "type": CorrelationType.EVENT_COUNT,
        "rules": ("base",),
        "group_by": ("src",),
        "timespan": 60,
    }
    words = {"comparison": Comparison.GTE, "threshold": 3.0, **usual, **changes}
    comparison, threshold = words.pop("comparison"), words.pop("threshold")
    limits = ((comparison, threshold),) if comparison else ()
    return Correlation(**{"limits": limits, **words})


@dataclass
class Stream:
    """Feeds matches and keeps what came of them."""

    correlator: Correlator
    record: int = 0

    def feed(self, second: float, rule: str = "base", **fields: Any) -> list[Crossing]:
        self.record += 1
        time = Instant(seconds(second))
        event = Event(LogSource(), {"src": "192.0.2.7", **fields}, "log", self.record, time)
        return list(self.correlator.feed(rule, event, time))


def stream(*correlations: Correlation) -> Stream:
    return Stream(Correlator(correlations))


def values(crossings: Iterable[list[Crossing]]) -> list[float]:
    return [crossing.value for each in crossings for crossing in each]


def test_event_count_crosses_once_and_again_when_doubled() -> None:
    many = stream(correlation())
    assert values(many.feed(second) for second in range(1, 31)) == [3, 6, 12, 24]


def test_a_pause_of_a_timespan_makes_it_news_again() -> None:
    many = stream(correlation())
    assert values(many.feed(second) for second in (1, 2, 3, 4, 65, 66, 67)) == [3, 3]


def test_where_much_is_counted_a_quarter_of_the_timespan_is_a_pause() -> None:
    many = stream(correlation(threshold=8.0))
    times = [*range(1, 10), *range(40, 50)]
    assert values(many.feed(second) for second in times) == [8, 10, 16]


def test_groups_are_apart_and_a_match_without_its_group_belongs_to_none() -> None:
    many = stream(correlation())
    for address in ("192.0.2.1", "192.0.2.2", "", None):
        assert values(many.feed(second, src=address) for second in (1, 2)) == []


def test_an_address_is_one_however_it_is_spelled() -> None:
    spellings = ("192.0.2.7", "::ffff:192.0.2.7", "::FFFF:C000:207")
    many = stream(correlation())
    assert values(many.feed(second, src=each) for second, each in enumerate(spellings)) == [3]
    places = stream(correlation(type=CorrelationType.VALUE_COUNT, fields=("to",), threshold=2.0))
    assert values(places.feed(second, to=each) for second, each in enumerate(spellings)) == []


def test_value_count_counts_different_values_and_forgets_them() -> None:
    ports = stream(correlation(type=CorrelationType.VALUE_COUNT, fields=("port",)))
    assert values(ports.feed(second, port=port) for second, port in enumerate((1, 1, 1, 2, 2))) == []
    assert values([ports.feed(6, port=3), ports.feed(200, port=4), ports.feed(201, port=5)]) == [3]


def test_value_count_over_two_fields_counts_pairs() -> None:
    pairs = stream(correlation(type=CorrelationType.VALUE_COUNT, fields=("a", "b")))
    assert values(pairs.feed(1, a=a, b=b) for a, b in ((1, 1), (1, 2), (1, 1), (2, 1))) == [3]


def test_value_sum_adds_numbers_and_leaves_out_what_is_none() -> None:
    volume = stream(correlation(type=CorrelationType.VALUE_SUM, fields=("bytes",), threshold=100.0))
    said = (40, "x", None, True, "nan", "59.5", 0.5)
    assert values(volume.feed(1, bytes=amount) for amount in said) == [100]


def test_value_avg_and_percentile() -> None:
    average = stream(correlation(type=CorrelationType.VALUE_AVG, fields=("ms",), threshold=50.0))
    assert values(average.feed(1, ms=ms) for ms in (10, 20, 150)) == [60]
    ranked = stream(
        correlation(type=CorrelationType.VALUE_PERCENTILE, fields=("ms",), threshold=50.0, percentile=90)
    )
    assert values(ranked.feed(1, ms=ms) for ms in [*[1] * 9, 60, 70]) == [60]


def rare_names(**changes: Any) -> Stream:
    asked: dict[str, Any] = {"type": CorrelationType.VALUE_PERCENTILE, "fields": ("image",), "timespan": 1000}
    return stream(correlation(comparison=Comparison.LTE, threshold=1.0, **asked, **changes))


def test_a_value_is_rare_by_its_share_of_all_and_each_is_told_once() -> None:
    names = rare_names()
    assert values(names.feed(second, image="usual") for second in range(99)) == []
    (crossing,) = names.feed(100, image="rare")
    assert (crossing.value, crossing.count, crossing.event.fields["image"]) == (1, 100, "rare")
    assert values([names.feed(101, image="usual")]) == []
    assert values(names.feed(second, image="usual") for second in range(102, 202)) == []
    assert values([names.feed(202, image="rare")]) == []  # two of 202: rare still, and told
    assert values([names.feed(203, image="other")]) == [100 / 203]  # that one was rare hides no other


def test_before_there_are_enough_events_nothing_is_rare() -> None:
    names = rare_names()
    assert values(names.feed(second, image=f"name {second}") for second in range(99)) == []
    assert len(names.feed(100, image="one more")) == 1


def test_a_rare_value_is_news_again_when_it_has_been_away_for_the_timespan() -> None:
    names = rare_names()
    seen = [names.feed(second / 2, image="usual") for second in range(200)]
    seen += [names.feed(100, image="rare"), names.feed(1050, image="usual")]
    seen += [names.feed(1101 + second / 2, image="usual") for second in range(200)]
    assert len(values(seen)) == 1
    assert len(names.feed(1202, image="rare")) == 1


@pytest.mark.parametrize(
    ("comparison", "crossing"),
    [("gt", [3, 4]), ("gte", [2, 4]), ("lt", [1]), ("lte", [1]), ("eq", [2]), ("neq", [1])],
)
def test_every_comparison(comparison: str, crossing: list[int]) -> None:
    held = stream(correlation(comparison=Comparison(comparison), threshold=2.0))
    assert values(held.feed(second) for second in (1, 2, 3, 4)) == crossing


def test_temporal_wants_all_rules_in_any_order() -> None:
    both = stream(
        correlation(type=CorrelationType.TEMPORAL, rules=("a", "b"), comparison=None, threshold=None)
    )
    assert values([both.feed(1, "b"), both.feed(2, "b"), both.feed(3, "a"), both.feed(4, "a")]) == [2]


def test_temporal_ordered_wants_them_in_their_order() -> None:
    wanted = correlation(
        type=CorrelationType.TEMPORAL_ORDERED, rules=("a", "b"), comparison=None, threshold=None
    )
    assert values([stream(wanted).feed(1, "b")]) == []
    ordered = stream(wanted)
    assert values([ordered.feed(1, "b"), ordered.feed(2, "a"), ordered.feed(3, "b")]) == [2]
    late = stream(wanted)
    assert values([late.feed(5, "b"), late.feed(4, "a")]) == [2]


def test_a_late_event_counts_within_the_span_and_not_beyond() -> None:
    many = stream(correlation())
    assert values([many.feed(100), many.feed(101), many.feed(41)]) == [3]
    many = stream(correlation())
    assert values([many.feed(100), many.feed(101), many.feed(39)]) == []


def test_aliases_name_the_same_thing_in_different_rules() -> None:
    alias = (("who", (("a", "src"), ("b", "user"))),)
    both = stream(
        correlation(
            type=CorrelationType.TEMPORAL, rules=("a", "b"), group_by=("who",), aliases=alias, comparison=None
        )
    )
    [crossing] = [*both.feed(1, "a", src="anna"), *both.feed(2, "b", src="192.0.2.9", user="anna")]
    assert crossing.group == (("who", "anna"),)


def test_a_correlation_of_correlations_sees_the_lower_one_for_as_long_as_it_holds() -> None:
    guessing = correlation("guessing")
    entered = correlation(
        "entered",
        type=CorrelationType.TEMPORAL_ORDERED,
        rules=("guessing", "in"),
        timespan=30,
        comparison=None,
        threshold=None,
    )
    both = stream(guessing, entered)
    for second in range(1, 300, 5):
        both.feed(second)
    assert [crossing.correlation.card.id for crossing in both.feed(305, "in")] == ["entered"]


def test_counting_correlations_are_fed_once_a_finding() -> None:
    waves = correlation("waves", rules=("many",), timespan=3600, threshold=2.0)
    both = stream(correlation(), waves)
    found = [
        c.correlation.card.id for wave in range(2) for n in range(4) for c in both.feed(wave * 300 + n + 1)
    ]
    assert found == ["many", "many", "waves"]


def test_a_circle_of_correlations_is_refused() -> None:
    with pytest.raises(RuleInvalid, match="circle"):
        stream(correlation("a", rules=("b",)), correlation("b", rules=("a",)))


def test_memory_is_bounded_in_matches_groups_and_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlate, "MAX_GROUPS", 50)
    monkeypatch.setattr(correlate, "MAX_ENTRIES", 20)
    monkeypatch.setattr(correlate, "MAX_HELD", 200)
    correlator = Correlator([correlation(threshold=10.0)])
    flood = Stream(correlator)
    for number in range(3000):
        flood.feed(1 + number / 1000, src=f"192.0.2.{number % 100}", user=str(number))
    [store] = correlator._stores.values()
    assert len(store.groups) <= 50
    assert store.held == sum(len(group.entries) for group in store.groups.values()) <= 200
    for number in range(200):
        flood.feed(10, src="192.0.2.1", user=str(number))
    group = store.groups["192.0.2.1",]
    assert len(group.entries) == 20
    assert len(group.things) <= correlate.MAX_THINGS
    assert sum(group.distinct.values()) == 20


def test_endless_values_stay_distinct_and_take_little_memory() -> None:
    uris = stream(correlation(type=CorrelationType.VALUE_COUNT, fields=("uri",)))
    found = [uris.feed(1, src="u" * 9000, uri="/" * 9000 + str(number)) for number in range(3)]
    assert values(found) == [3]
    assert len(found[2][0].group[0][1]) < 120


STEPS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["base", "other"]), st.integers(1, 3), st.integers(-30, 0)),
    max_size=120,
)
TOWER = (
    correlation(timespan=20),
    correlation("ports", type=CorrelationType.VALUE_COUNT, fields=("port",), timespan=30, threshold=2.0),
    correlation("sum", type=CorrelationType.VALUE_SUM, fields=("port",), timespan=25, threshold=5.0),
    correlation(
        "share",
        type=CorrelationType.VALUE_PERCENTILE,
        fields=("port",),
        timespan=20,
        comparison=Comparison.LTE,
        threshold=34.0,
    ),
    correlation("waves", rules=("many",), timespan=60, threshold=2.0),
    correlation(
        "then",
        type=CorrelationType.TEMPORAL_ORDERED,
        rules=("many", "other"),
        timespan=30,
        comparison=None,
        threshold=None,
    ),
)


@given(steps=STEPS, cut=st.integers(0, 120))
def test_what_is_older_than_the_memory_changes_no_finding(steps: list[Any], cut: int) -> None:
    """Kill and start again anywhere: feeding the last `memory` again gives the same crossings with the same ids."""
    now, matches = 1000, []
    for number, (pause, rule, port, late) in enumerate(steps):
        now += pause
        time = Instant(seconds(now + late))
        matches.append(
            (rule, Event(LogSource(), {"src": "192.0.2.7", "port": port}, "log", number, time), time)
        )
    cut = min(cut, len(matches))
    whole = Correlator(TOWER)
    expected = [_ids(whole, match) for match in matches][cut:]
    again = Correlator(TOWER)
    newest = max((time for _, _, time in matches[:cut]), default=Instant(0))
    for match in matches[:cut]:
        if match[2] >= newest - again.memory:
            _ids(again, match)
    assert [_ids(again, match) for match in matches[cut:]] == expected


def _ids(correlator: Correlator, match: tuple[str, Event, Instant]) -> list[tuple[str, float]]:
    return [
        (
            identity(each.correlation.card.id, [text for pair in each.group for text in pair], each.event),
            each.value,
        )
        for each in correlator.feed(*match)
    ]
