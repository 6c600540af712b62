"""Tables that consoles export become records; what only looks like one is left as it is."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.events.decode import m365, windows
from rempart.events.framing import framing
from rempart.events.rows import Table


def cut(text: bytes, size: int = 3) -> list[bytes]:
    lines = text.splitlines()
    frames = framing(lines)
    assert isinstance(frames, Table)
    parts = [lines[start : start + size] for start in range(0, len(lines), size)]
    return [record for part in parts for record in frames.records(part)] + frames.rest()


def test_purviews_export_gives_the_audit_records_in_it() -> None:
    audit = {
        "Operation": "New-InboxRule",
        "RecordType": 1,
        "UserKey": "k",
        "Workload": "Exchange",
        "Id": 'a"b',
    }
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["RecordId", "CreationDate", "RecordType", "Operation", "UserId", "AuditData"])
    rows.writerow(["1", "2026-11-20T17:02:11.0000000Z", "1", "New-InboxRule", "a@b", json.dumps(audit)])
    (record,) = cut(text.getvalue().encode())
    assert json.loads(record) == audit
    assert m365.decode(record, "a.csv", 1).fields["eventName"] == "New-InboxRule"


def test_powershells_export_is_read_with_its_type_line_and_texts_over_several_lines() -> None:
    text = (
        b'#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\n"Message","Id","ProviderName","LogName"\n'
        b'"Process Create:\nImage: C:\\a.exe\nUser: ""x"", y","1","Microsoft-Windows-Sysmon",'
        b'"Microsoft-Windows-Sysmon/Operational"\n'
    )
    (record,) = cut(text, 1)
    event = windows.decode(record, "a.csv", 1)
    assert (event.fields["EventID"], event.fields["Image"]) == ("1", "C:\\a.exe")
    assert event.fields["User"] == '"x", y'


def test_evtxecmds_rows_have_their_data() -> None:
    payload = '{"EventData":{"Data":[{"@Name":"TargetUserName","#text":"anna"},{"@Name":"LogonType","#text":"10"}]}}'
    row = [
        "7",
        "2026-11-20 17:02:11.1234567",
        "4624",
        "Microsoft-Windows-Security-Auditing",
        "Security",
        payload,
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(
        [["EventRecordId", "TimeCreated", "EventId", "Provider", "Channel", "Payload"], row]
    )
    (record,) = cut(text.getvalue().encode())
    event = windows.decode(record, "a.csv", 1)
    assert event.fields["LogonType"] == "10"
    assert (event.fields["EventID"], event.fields["Provider_Name"]) == ("4624", row[3])
    assert event.time is not None


@pytest.mark.parametrize(
    "first",
    [
        b"time,user,action",
        b"Jan  1 00:00:00 host EventID,Channel,x: y",
        b"EventID,Channel",
        b"EventID,Channel,EventID",
        b"EventID,,Channel",
        b'EventID,"Channel,x',
        b"1,2026/11/20 17:02:11,007251000123456,TRAFFIC,end",
        b"EventID," + b"x" * 20_000 + b",y",
    ],
)
def test_what_is_no_known_header_makes_no_table(first: bytes) -> None:
    assert framing([first, b"a,b,c"]) is None


def test_what_is_broken_is_given_as_it_is_and_takes_little_along() -> None:
    assert cut(b'EventID,Channel,x\n1,a,b,c\n\n2,b\n3,c,"d') == [
        b"1,a,b,c",
        b'{"EventID":"2","Channel":"b"}',
        b'3,c,"d',
    ]


CELLS = st.text(st.characters(exclude_characters="\r", exclude_categories=("Cs",)), max_size=6).filter(
    lambda cell: not cell.startswith("{")
)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5), st.sampled_from(",;\t"), st.integers(1, 4)
)
def test_what_goes_in_comes_out(rows: Sequence[Sequence[str]], separator: str, size: int) -> None:
    names = ("EventID", "Channel", "x y")
    text = io.StringIO()
    written = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\n")
    written.writerows([names, *rows])
    lines = text.getvalue().encode().split(b"\n")
    table = Table(lambda row: json.dumps(row).encode())
    parts = [lines[start : start + size] for start in range(0, len(lines), size)]
    found: list[Mapping[str, str]] = [json.loads(each) for part in parts for each in table.records(part)]
    assert found == [{name: cell for name, cell in zip(names, row, strict=True) if cell} for row in rows]
    assert not table.rest()


@given(st.binary(max_size=60), st.integers(1, 4))
def test_hostile_rows_only_become_records(tail: bytes, size: int) -> None:
    lines = (b"EventID,Channel,x\n" + tail).split(b"\n")
    table = Table(lambda row: b"{}")
    found = [
        each for start in range(0, len(lines), size) for each in table.records(lines[start : start + size])
    ]
    assert all(isinstance(each, bytes) for each in [*found, *table.rest()])
