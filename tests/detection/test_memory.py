"""What detectors remember comes back: the findings after a restart are those there would have been without it."""

from contextlib import suppress
from itertools import islice, pairwise

import msgspec
import pytest
from benchmarks.behaviour import fortnight
from hypothesis import given
from hypothesis import strategies as st

from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.behaviour.country import Countries
from rempart.detection.behaviour.past import Kept, Past, Watched
from rempart.detection.finding import Finding
from rempart.detection.memory import Memory, recall
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, minutes, seconds

LIFE = 40_000
"""Events of ordinary life: a day and a half."""


def fed(held: Behaviour, events: list[Event]) -> list[Finding]:
    return [found for event in events for found in held.feed(event, event.time or Instant(0))]


def life() -> list[Event]:
    """Some days, and then everything at once: a load, a scan, records, a beacon, files locked, a stranger."""
    events = list(islice(fortnight(), LIFE))
    begin = (events[-1].time or Instant(0)) + minutes(1)
    fields = [
        {"src_ip": "10.0.1.10", "dst_ip": "203.0.113.9", "dst_port": 443, "protocol": "tcp", "flow": "ended"}
        | {"bytes_out": 900_000_000, "duration": 1.0}
    ]
    fields += [
        {"src_ip": "10.0.1.11", "dst_ip": f"10.0.2.{n}", "dst_port": 445, "protocol": "tcp"}
        for n in range(20, 60)
    ]
    fields += [
        {"c-ip": "10.0.1.9", "cs-username": "account1", "sc-status": 200, "person": f"p{n}"}
        for n in range(120)
    ]
    fields += [{"mac": f"02:00:00:00:00:{n:02x}", "host": "x"} for n in range(3)]
    fields += [
        {
            "EventID": 11,
            "Computer": "PC",
            "Image": "a.exe",
            "TargetFilename": f"C:\\f\\{n % 12}\\{n}.docx.locked",
        }
        for n in range(30)
    ]
    fields += [
        {"EventID": 23, "Computer": "PC", "Image": "a.exe", "TargetFilename": f"C:\\f\\{n % 12}\\{n}.docx"}
        for n in range(30)
    ]
    fields += [{"src_ip": "10.0.1.12", "dst_ip": "198.18.0.9", "dst_port": 443, "protocol": "tcp"}] * 40
    for place, each in enumerate(fields, 1):
        pace = seconds(0.1) if place <= len(fields) - 40 else seconds(30)
        begin += pace
        events.append(Event(LogSource(), each, "log", LIFE + place, Instant(begin)))
    return events


def test_a_restart_at_any_point_changes_no_finding() -> None:
    events = life()
    undisturbed = fed(Behaviour(), events)
    expected = ("volume", "scanning", "records", "beaconing", "rewriting.replaced")
    assert {each.rule for each in undisturbed} >= {f"behaviour.{name}" for name in expected}
    disturbed: list[Finding] = []
    held = Behaviour()
    cuts = [
        0,
        1_000,
        LIFE - 900,
        LIFE + 10,
        LIFE + 50,
        LIFE + 120,
        LIFE + 165,
        LIFE + 190,
        LIFE + 240,
        len(events),
    ]
    for begin, end in pairwise(cuts):
        disturbed += fed(held, events[begin:end])
        held = Behaviour().recalled(held.written())
    assert disturbed == undisturbed


def test_every_memory_of_every_detector_is_written() -> None:
    for detector in Behaviour()._detectors:
        assert all(isinstance(each, Memory | Countries) for each in vars(detector).values())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x93\x01\x02\x03",
        msgspec.msgpack.encode({"Volume": {"_pasts": [["a", 3]]}}),
        msgspec.msgpack.encode({"Volume": 3}),
    ],
)
def test_what_is_not_understood_is_refused_and_changes_nothing(data: bytes) -> None:
    with pytest.raises(ValueError):
        Behaviour().recalled(data)


def test_what_another_version_wrote_is_taken_as_far_as_it_is_known() -> None:
    Behaviour().recalled(msgspec.msgpack.encode({"Gone": {"_x": 1}, "Volume": {"_gone": 1, "_pasts": []}}))


_PLAIN = st.none() | st.integers(-(2**60), 2**60) | st.text(max_size=5) | st.binary(max_size=9)


@given(
    st.recursive(
        _PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_PLAIN, inner, max_size=3)
    )
)
def test_values_that_are_no_memories_are_refused(plain: object) -> None:
    for detector in Behaviour()._detectors:
        for name in vars(detector):
            with suppress(ValueError):
                recall([detector], msgspec.msgpack.encode({type(detector).__name__: {name: plain}}))


def test_amounts_without_end_can_be_written() -> None:
    past = Past()
    for _ in range(9):
        past.add(1 << 61, Instant(1))
    assert msgspec.msgpack.encode(past)


def test_what_comes_back_is_bounded_too() -> None:
    full, small = Kept[str, Watched](1_000, Watched), Kept[str, Watched](10, Watched)
    for number in range(1_000):
        full.of(str(number)).seen(Instant(number))
    small.recall(msgspec.msgpack.decode(msgspec.msgpack.encode(full.plain(), enc_hook=vars)))
    assert len(small) == 10
    assert small.of("999").since == 999
