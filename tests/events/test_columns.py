"""Rows of Zeek get the header of their columns."""

import pytest

from rempart.events.columns import Columns
from rempart.events.decode import DECODERS
from rempart.events.event import Event

HEADER = [
    rb"#separator \x09",
    b"#set_separator\t,",
    b"#path\tdns",
    b"#fields\tts\tuid\tid.orig_h\tquery\trejected\tanswers\trtt\tZ",
    b"#types\ttime\tstring\taddr\tstring\tbool\tvector[string]\tinterval\tcount",
]
ROW = b"1693173867.5\tC1\t10.0.0.5\t-\tT\ta,b\t(empty)\t0"


def read(line: bytes) -> Event | None:
    return DECODERS["zeek"](line, "dns.log", 6)


def test_rows_are_read_by_their_header() -> None:
    event = read(Columns().joined([*HEADER, ROW])[-1])
    assert event is not None
    assert event.logsource.service == "dns"
    assert event.fields["rejected"] is True
    assert event.fields["answers"] == ["a", "b"]
    assert event.fields["Z"] == 0
    assert "query" not in event.fields
    assert event.time == 1_693_173_867_500_000


def test_a_header_says_nothing_by_itself() -> None:
    assert [read(line) for line in HEADER] == [None] * 5


def test_headers_hold_until_the_next() -> None:
    columns = Columns()
    columns.joined(HEADER)
    second = [rb"#separator \x09", b"#path\tweird", b"#fields\tname", b"#types\tstring", b"bad_thing"]
    event = read(columns.joined(second)[-1])
    assert event is not None
    assert (event.logsource.service, event.fields) == ("weird", {"name": "bad_thing"})


def test_a_row_with_other_columns_than_its_header_says_nothing() -> None:
    assert read(Columns().joined([*HEADER, b"a\tb"])[-1]) is None


@pytest.mark.parametrize(
    "header", [[b"#Fields: c-ip " + b"x" * 16_000], [*HEADER[:3], HEADER[3] + b"x" * 16_000, HEADER[4]]]
)
def test_a_long_header_over_short_rows_takes_no_more_memory_than_many_long_rows(header: list[bytes]) -> None:
    rows = [b"a\tb"] * 50_000
    joined = Columns().joined([*header, *rows])
    assert len(joined) == len(header) + len(rows)
    assert sum(map(len, joined)) <= 65 * sum(map(len, [*header, *rows]))
