"""Skimmed lines: every value as the decoder gives it, or none at all."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.events.decode import windows
from rempart.events.event import Event
from rempart.events.skim import Skim, Unskimmable, hint

NAMES = ("Image", "ThreatName", "CommandLine")
LIKE = {
    "Channel": "Security",
    "EventID": 7,
    "SourceName": "Sysmon",
    "Image": "c:\\a.exe",
    "Message": "m",
}


def line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def never(_: Event) -> bool:
    return False


def skimmed(*lines: bytes, like: Mapping[str, Any] = LIKE, alike: Any = never) -> list[Any]:
    return list(Skim(line(like), NAMES, alike).values(lines))


def test_only_the_fields_asked_for_are_read() -> None:
    assert skimmed(line(LIKE | {"CommandLine": "b", "Other": [1, {"x": None}]})) == [("c:\\a.exe", None, "b")]


@pytest.mark.parametrize(
    "other",
    [
        b'{"Channel":"Security","EventID":7,"SourceName":"Sysmon","\\u0049mage":"x"}',
        b'{"Channel":"Security","EventID":7,"SourceName":"Sysmon","Image":"x","Image":"\\u00e9\\ud83d\\ude00"}',
        b' { "Channel" : "Security" , "EventID" : 7 , "SourceName" : "Sysmon" , "Image" : 12 } ',
        '{"Channel":"Security","EventID":7,"SourceName":"Sysmon","Image":"é","Message":"ü"}'.encode(),
    ],
)
def test_it_is_read_as_the_decoder_reads_it(other: bytes) -> None:
    fields = windows.decode(other, "", 0).fields
    assert skimmed(other) == [tuple(fields.get(name) for name in NAMES)]


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"[]",
        b'{"Channel":"Security","EventID":7,"SourceName":"Sysmon","Image":"x"',
        b'{"Channel":"Security","EventID":7,"SourceName":"Sysmon","Image":"x","Message":"\xff"}',
        b'{"Channel":"Security","EventID":7,"SourceName":"Sysmon","Image":"x","Message":"\\ud800"}',
        b'{"Channel":"Security","EventID":7,"SourceName":"Sysmon","Image":"x","Message":'
        + b"[" * 2000
        + b"]" * 2000
        + b"}",
        line(LIKE | {"Image": True}),
        line(LIKE | {"Image": 1.0}),
        line(LIKE | {"Image": 1 << 64}),
        line(LIKE | {"Image": ["a"]}),
        line(LIKE | {"EventID": 8}),
        line(LIKE | {"EventID": "7"}),
        line(LIKE | {"EventID": True}),
        line(LIKE | {"Provider_Name": None}),
        line(LIKE | {"Threat Name": "EICAR"}),
        line({"Channel": "Security", "EventID": 7, "SourceName": "Sysmon"}),
        line({"Event": {"System": LIKE}}),
    ],
)
def test_what_is_not_as_expected_is_left_to_be_read_whole(other: bytes) -> None:
    assert skimmed(other) == [None]


def test_another_spelling_of_the_kind_is_learned_from_the_first_line() -> None:
    other = line(LIKE | {"Channel": "security"})
    both = [other, line(LIKE), other, line(LIKE | {"Channel": "System"})]
    known = skimmed(*both, alike=lambda event: event.fields["Channel"] == "security")
    assert [values is None for values in known] == [True, False, False, True]


@pytest.mark.parametrize(
    "like",
    [
        {"Event": {"System": {"EventID": 7, "Channel": "Security"}}},
        {"EventID": 4688, "Channel": "Security"},
        {"EventID": 1.5, "Channel": "Security"},
        {"EventID": 7, "Channel": "Security", "Image": ["a", "b"]},
        {"EventID": 7, "Channel": "Security", "Threat Name": "EICAR"},
    ],
)
def test_some_kinds_must_be_read_whole(like: dict[str, Any]) -> None:
    with pytest.raises(Unskimmable):
        Skim(line(like), NAMES, never)


_keys = st.sampled_from((*LIKE, *NAMES, "Threat Name", "Provider_Name", "Event ID", "Source Name", "é"))
_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.text(max_size=2), max_size=2)
)


@given(st.dictionaries(_keys, _values), st.booleans())
def test_any_line_is_read_so_or_not_at_all(changed: dict[str, Any], ascii_only: bool) -> None:
    other = json.dumps(LIKE | changed, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    (values,) = skimmed(other)
    if values is not None:
        event = windows.decode(other, "", 0)
        assert values == tuple(event.fields.get(name) for name in NAMES)
        assert (event.fields["Channel"], event.fields["EventID"]) == ("Security", 7)
        assert event.fields["Provider_Name"] == "Sysmon"


def test_lines_of_one_kind_say_the_same() -> None:
    assert hint(line(LIKE)) == hint(line(LIKE | {"Image": "b"})) != hint(line(LIKE | {"EventID": 13}))
    assert hint(b"") == b""
