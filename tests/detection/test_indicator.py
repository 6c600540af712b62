"""Indicators: every form of a value finds its row, nothing else does, and a million fit."""

import time
import tracemalloc
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection import indicator
from rempart.detection.finding import Finding, Kind, Level
from rempart.detection.indicator import Indicator, IndicatorKind, Indicators, key
from rempart.events.event import Event, LogSource
from rempart.events.observable import ObservableKind, Role
from rempart.instants import Instant, minutes, seconds

A, D, U, H = IndicatorKind.ADDRESS, IndicatorKind.DOMAIN, IndicatorKind.URL, IndicatorKind.HASH
NOON = Instant(seconds(1_795_000_000))
MD5 = "0123456789abcdef0123456789abcdef"


def lists(*pairs: tuple[IndicatorKind, str], expires: Instant | None = None) -> Indicators:
    return Indicators.of(Indicator(kind, value, "a list", expires) for kind, value in pairs)


def seen(held: Indicators, time: Instant = NOON, record: int = 1, **fields: Any) -> list[Finding]:
    event = Event(
        LogSource(), {name.replace("__", "."): value for name, value in fields.items()}, "log", record, time
    )
    return list(held.matches(event))


@pytest.mark.parametrize(
    ("kind", "listed", "fields"),
    [
        (A, "203.0.113.9", {"dst_ip": "203.0.113.9"}),
        (A, "203.0.113.9", {"DestinationIp": "::ffff:203.0.113.9"}),
        (A, "203.0.113.0/24", {"id__resp_h": "203.0.113.77"}),
        (A, "2001:db8:1::/48", {"dst_ip": "2001:DB8:1:0::5"}),
        (A, "203.0.113.9", {"QueryResults": "type:  5 x.example;::ffff:203.0.113.9;"}),
        (A, "203.0.113.9", {"answers": ["a.example", "203.0.113.9"]}),
        (A, "203.0.113.9", {"c-uri": "http://203.0.113.9:8080/a"}),
        (D, "evil.example", {"query": "evil.example"}),
        (D, "Evil.Example.", {"QueryName": "a.b.EVIL.example."}),
        (D, "bücher.example", {"query": "xn--bcher-kva.example"}),
        (D, "evil.example", {"c-uri": "https://user@www.evil.example:8443/x"}),
        (U, "http://evil.example/a.php", {"c-uri": "https://evil.example:443/a.php?id=7"}),
        (U, "http://evil.example/a?b=1", {"cs-host": "evil.example", "cs-uri": "/a?b=1"}),
        (H, MD5, {"Hashes": f"SHA1={'a' * 40},MD5={MD5.upper()}"}),
        (H, "f" * 64, {"sha256": "F" * 64}),
    ],
)
def test_a_listed_thing_is_found_in_any_of_its_forms(
    kind: IndicatorKind, listed: str, fields: dict[str, str]
) -> None:
    (found,) = seen(lists((kind, listed)), **fields)
    assert found.level is Level.HIGH
    assert found.spoofable
    assert [proof.value for proof in found.proofs if proof.field == "lists"] == ["a list"]


@pytest.mark.parametrize(
    "fields",
    [
        {"dst_ip": "203.0.113.10"},
        {"query": "notevil.example"},
        {"query": "example"},
        {"query": "evil.example.org"},
        {"c-uri": "http://good.example/evil.example/a.php"},
        {"Hashes": "MD5=" + "0" * 32},
        {"Hashes": f"x{MD5}"},
        {"message": "203.0.113.9 evil.example"},
        {"query": None, "dst_ip": 7, "answers": [None, 3]},
    ],
)
def test_what_only_resembles_it_is_not(fields: dict[str, Any]) -> None:
    held = lists((A, "203.0.113.9"), (D, "evil.example"), (U, "http://evil.example/a.php"), (H, MD5))
    assert seen(held, **fields) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (A, "10.0.0.1"),
        (A, "192.168.0.0/16"),
        (A, "0.0.0.0/0"),
        (A, "64.0.0.0/3"),
        (A, "::1"),
        (A, "fe80::1"),
        (A, "::ffff:0:0/96"),
        (A, "255.255.255.255"),
        (A, "no address"),
        (D, "com"),
        (D, "localhost"),
        (D, "1.2.3.4"),
        (D, "a b.example"),
        (U, "http://bare.example/"),
        (H, "abc"),
    ],
)
def test_what_would_accuse_everything_is_refused(kind: IndicatorKind, value: str) -> None:
    held = lists((kind, value))
    assert (len(held), held.refused) == (0, 1)


def test_who_comes_to_the_door_is_less_than_whom_a_machine_calls() -> None:
    held = lists((A, "203.0.113.9"))
    (knock,) = seen(held, **{"c-ip": "203.0.113.9", "from": "outside", "cs-host": "portal.example"})
    (call,) = seen(held, **{"src_ip": "10.0.1.5", "from": "inside", "dst_ip": "203.0.113.9"})
    assert (knock.level, knock.kind) == (Level.LOW, Kind.PROBE)
    assert (call.level, call.kind) == (Level.HIGH, Kind.COMMAND)
    assert call.those(Role.ACTOR, ObservableKind.ADDRESS) == ("10.0.1.5",)
    assert call.those(Role.VICTIM, ObservableKind.ADDRESS) == ("203.0.113.9",)


def test_an_indicator_ends() -> None:
    held = lists((D, "evil.example"), expires=NOON)
    assert seen(held, Instant(NOON - seconds(1)), query="evil.example")
    assert not seen(held, NOON, query="evil.example")


def test_one_of_several_lists_may_end_before_the_others() -> None:
    held = Indicators.of(
        [Indicator(D, "evil.example", "old", Instant(NOON - 1)), Indicator(D, "evil.example", "new")]
    )
    (found,) = seen(held, query="evil.example")
    assert {proof.field: proof.value for proof in found.proofs}["lists"] == "new"


def test_it_is_told_again_after_a_pause_and_when_another_machine_does_it() -> None:
    held = lists((D, "evil.example"))
    asked = {"query": "evil.example", "src_ip": "10.0.1.5"}
    told = [bool(seen(held, Instant(NOON + minutes(n)), n, **asked)) for n in (0, 1, 9, 18, 40)]
    assert told == [True, False, False, False, True]
    assert seen(held, Instant(NOON + minutes(41)), **(asked | {"src_ip": "10.0.1.6"}))


def test_the_same_events_give_the_same_ids() -> None:
    asked = {"query": "evil.example", "src_ip": "10.0.1.5"}
    first, again = (seen(lists((D, "evil.example")), record=7, **asked) for _ in range(2))
    assert [each.id for each in first] == [each.id for each in again]


@given(st.ip_addresses(), st.integers(0, 128))
@settings(max_examples=100)
def test_an_address_is_found_in_its_networks_only(address: Any, prefix: int) -> None:
    text = f"{address}/{min(prefix, address.max_prefixlen)}"
    held = lists((A, text))
    if len(held):
        assert seen(held, dst_ip=str(address))
        flipped = ip_address(int(address) ^ 1 << (address.max_prefixlen - 1))
        assert not seen(held, dst_ip=str(flipped))


@given(
    st.dictionaries(
        st.sampled_from(["query", "cs-host", "cs-uri", "c-uri", "dst_ip", "Hashes", "answers"]),
        st.text(max_size=80),
    )
)
@settings(max_examples=100)
def test_no_event_breaks_it(fields: dict[str, str]) -> None:
    seen(lists((D, "evil.example"), (A, "203.0.113.0/24")), **fields)


@given(st.sampled_from(IndicatorKind), st.text(max_size=80))
@settings(max_examples=100)
def test_no_row_breaks_it_and_a_form_is_its_own_form(kind: IndicatorKind, value: str) -> None:
    form = key(kind, value)
    if form is not None and kind is not A:
        assert key(kind, form[2:]) == form


def test_a_row_takes_few_bytes_whatever_its_length() -> None:
    def rows() -> Iterator[Indicator]:
        for n in range(2_500):
            yield Indicator(D, f"bad{n}.{'x' * 60}.example", "a")
            yield Indicator(A, f"203.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", "b", NOON)
            yield Indicator(U, f"http://bad{n}.example/{'x' * 200}", "c")
            yield Indicator(H, f"{n:064x}", "d")

    tracemalloc.start()
    held = Indicators.of(rows())
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(held) == 10_000
    assert size < 10_000 * 30 + 20_000
    assert peak < 10_000 * 100 + 100_000
    assert seen(held, query=f"www.bad2499.{'x' * 60}.example")


def test_no_event_takes_long_and_no_flood_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator, "_REMEMBERED", 100)
    held = lists((D, "evil.example"), (A, "203.0.113.0/24"))
    long = {
        "QueryResults": "192.0.2.1;" * 800,
        "answers": ["a.example"] * 5_000,
        "c-uri": "http://" + "a." * 4_000,
    }
    begun = time.process_time()
    assert seen(held, **long, Hashes="f" * 8_192, query="x" * 8_192) == []
    assert time.process_time() - begun < 0.05
    for n in range(700):
        held._held(A, f"198.51.{n >> 8}.{n & 255}" if n % 2 else f"{n:x}" * 100)
    assert len(held._known) <= 100
