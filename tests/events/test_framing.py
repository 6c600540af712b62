"""Records that are no lines are cut out of what tools wrap them in, and nothing gets lost on the way."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.events.framing import Documents, Elements, Framing, framing

ONE, TWO = ({"eventName": "a", "n": number} for number in (1, 2))
FIRST = b"<Event xmlns='x'><System><EventID>1</EventID></System></Event>"
SECOND = b"<Event>\n  <System>\n    <EventID>2</EventID>\n  </System>\n</Event>"


def cut(text: bytes, size: int = 3) -> list[bytes]:
    """The records of a file of which so many lines are read at once."""
    lines = text.splitlines()
    frames = framing(lines)
    if frames is None:
        return lines
    parts = [lines[start : start + size] for start in range(0, len(lines), size)]
    return [record for part in parts for record in frames.records(part)] + frames.rest()


@pytest.mark.parametrize(
    "text",
    [
        FIRST + b"\n" + SECOND,
        FIRST + SECOND,
        b"<?xml version='1.0' encoding='utf-16'?>\n<Events>\n" + FIRST + b"\n" + SECOND + b"\n</Events>\n",
        b"<?xml version='1.0'?><Events>" + FIRST + SECOND + b"</Events>",
        b"Record 1\n<?xml version='1.0'?>\n"
        + FIRST
        + b"\n\nRecord 2\n<?xml version='1.0'?>\n"
        + SECOND
        + b"\n",
        b"<!-- exported -->\n" + FIRST + b"\n" + SECOND,
    ],
)
@pytest.mark.parametrize("size", [1, 4, 99])
def test_elements(text: bytes, size: int) -> None:
    assert cut(text, size) == [FIRST, SECOND]


def test_an_element_that_was_cut_off_is_given_so_and_takes_no_other_along() -> None:
    assert cut(b"<Event>\n<System>\n" + SECOND + b"\nnoise\n<Event>\n<Sys") == [
        b"<Event>\n<System>",
        SECOND,
        b"noise",
        b"<Event>\n<Sys",
    ]


def pretty(*documents: Any, indent: int = 2) -> str:
    return "\n".join(json.dumps(each, indent=indent) for each in documents)


@pytest.mark.parametrize(
    "text",
    [
        pretty(ONE, TWO),
        pretty(ONE, TWO).replace("\n{", ",\n{"),
        f"Record 1\n{pretty(ONE)}\nRecord 2\n{pretty(TWO)}",
        pretty([ONE, TWO]),
        json.dumps([ONE, TWO]),
        f"[\n{json.dumps(ONE)},\n{json.dumps(TWO)}\n]",
        json.dumps({"Records": [ONE, TWO]}),
        "\n".join(json.dumps({"Records": [each]}) for each in (ONE, TWO)),
        pretty({"@odata.context": "https://graph.example/$metadata", "value": [ONE, TWO]}),
        json.dumps(
            {"Events": [{"EventId": "x", "CloudTrailEvent": json.dumps(each)} for each in (ONE, TWO)]}
        ),
        json.dumps([{"RecordType": 6, "AuditData": json.dumps(each)} for each in (ONE, TWO)]),
        json.dumps(
            {"took": 1, "_shards": {"total": 1}, "hits": {"hits": [{"_source": ONE}, {"_source": TWO}]}}
        ),
        "\n".join(json.dumps({"_index": "i", "_source": each}) for each in (ONE, TWO)),
        "\n".join(
            json.dumps({"preview": False, "result": {"_raw": json.dumps(each)}}) for each in (ONE, TWO)
        ),
        "\n".join(
            f'{{"{order}": {{"_index": "i"}}}}\n{json.dumps(each)}'
            for order, each in (("index", ONE), ("create", TWO))
        ),
        "\n".join(
            json.dumps({"@timestamp": "x", "agent": {"type": "filebeat"}, "message": json.dumps(each)})
            for each in (ONE, TWO)
        ),
        json.dumps(
            {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": [ONE, TWO]}
        ),
        json.dumps(
            {
                "messageType": "DATA_MESSAGE",
                "subscriptionFilters": ["f"],
                "logEvents": [
                    {"id": "1", "timestamp": 1, "message": json.dumps(each)} for each in (ONE, TWO)
                ],
            }
        ),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 99])
def test_documents(text: str, size: int) -> None:
    assert [json.loads(record) for record in cut(text.encode(), size)] == [ONE, TWO]


def test_events_without_their_own_wrapper_get_it() -> None:
    inner = {"System": {"EventID": 1}}
    for document in ({"Event": [inner]}, {"Events": {"Event": [inner]}}):
        assert [json.loads(record) for record in cut(json.dumps(document, indent=1).encode())] == [
            {"Event": inner}
        ]


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "items": [ONE], "user": {"username": "x"}},
        {"value": [ONE], "about": ONE},
        {"events": [1, 2]},
        {"result": {"a": 1}},
        {"records": []},
        {"index": {"name": "x"}},
        {"agent": {"type": "filebeat"}, "winlog": {"event_id": 1}, "message": "said"},
        {"agent": {"type": "metricbeat"}, "message": "said"},
    ],
)
def test_a_record_with_a_list_in_it_is_no_envelope(document: dict[str, Any]) -> None:
    found = cut(json.dumps(document, indent=1).encode())
    assert [json.loads(record) for record in found] == ([document] if document != {"records": []} else [])


def test_the_line_that_filebeat_read_is_given_whole_where_it_was_taken_apart() -> None:
    line = "Jan  2 03:04:05 a sshd[1]: Accepted publickey for x from 192.0.2.1 port 1 ssh2"
    apart = {"agent": {"type": "filebeat"}, "message": "Accepted publickey", "event": {"original": line}}
    assert cut(json.dumps({"_index": "i", "_source": apart}).encode()) == [line.encode()]
    assert cut(json.dumps(apart).encode()) == [line.encode()]


@pytest.mark.parametrize(
    "first",
    [b"", b"Jan  2 03:04:05 a b: c", b'{"a": 1}', b"{broken", b"[2026-01-02] error", b"<14>x", b"#fields\tx"],
)
def test_a_line_is_a_record_in_most_logs(first: bytes) -> None:
    assert framing([first, b"second"]) is None


def test_many_blanks_before_something_else_take_no_time() -> None:
    assert cut(b"{\n}\n" + b"\x0c" * 10_000 + b"x") == [b"{\n}", b"\x0c" * 10_000 + b"x"]


def test_a_broken_document_is_given_line_by_line() -> None:
    assert cut(b'{\n "a": 1,\n{\n "b": 2\n}\nnoise\n{\n "c"') == [
        b"{",
        b' "a": 1,',
        b'{\n "b": 2\n}',
        b"noise",
        b"{",
        b' "c"',
    ]


@given(
    lines=st.lists(
        st.lists(st.sampled_from(["<Event>", "</Event>", "<Event a='b'>", "<b>", "c", " "])).map("".join)
    ),
    size=st.integers(1, 5),
)
def test_of_elements_nothing_is_lost(lines: Sequence[str], size: int) -> None:
    assert "".join("".join(everything(Elements(), lines, size)).split()) == "".join("".join(lines).split())


@given(
    lines=st.lists(st.lists(st.sampled_from(["{", "}", '"a":1', ",", " "])).map("".join)),
    size=st.integers(1, 5),
)
def test_of_documents_no_value_is_lost(lines: Sequence[str], size: int) -> None:
    assert "".join(everything(Documents(), lines, size)).count("a") == "".join(lines).count("a")


def everything(frames: Framing, lines: Sequence[str], size: int) -> list[str]:
    parts = [[each.encode() for each in lines[start : start + size]] for start in range(0, len(lines), size)]
    found = [record for part in parts for record in frames.records(part)] + frames.rest()
    return [record.decode() for record in found]
