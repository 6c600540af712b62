import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.stakes.holding import Tally, whole
from rempart.stakes.identifiers import Datum, Record, Sensitive

NISS, IBAN, PHONE = Sensitive.NATIONAL_NUMBER, Sensitive.BANK_ACCOUNT, Sensitive.PHONE
KEY = bytes(32)


def persons(*records: Record) -> int:
    tally = Tally(KEY)
    for record in records:
        tally.feed(record)
    return tally.holding("").persons


def record(**values: str) -> Record:
    names = {"niss": NISS, "iban": IBAN, "phone": PHONE}
    return Record(tuple(Datum(names[name], value) for name, value in values.items()))


@pytest.mark.parametrize(
    ("records", "count"),
    [
        ([record(niss="1", iban="a", phone="x")] * 3, 1),
        ([record(niss="1", phone="x"), record(niss="2", phone="x")], 2),  # a couple with one telephone
        ([record(niss="1", phone="home"), record(iban="b", phone="home")], 2),  # the home's own number
        ([record(niss="1", iban="a"), record(iban="a", phone="x")], 1),
        ([record(iban="a"), record(iban="b"), record(phone="x")], 3),
    ],
)
def test_a_person_counts_once(records: list[Record], count: int) -> None:
    assert persons(*records) == count
    assert persons(*reversed(records)) == count


@given(st.lists(st.builds(lambda n: record(niss=str(n)), st.integers(0, 50))), st.integers(0, 10))
def test_folders_together_count_each_person_once(records: list[Record], cut: int) -> None:
    parts = Tally(KEY), Tally(KEY)
    for number, each in enumerate(records):
        parts[number < cut].feed(each)
    together = whole(parts, KEY).holding("")
    assert together.persons == len({datum.value for each in records for datum in each.data})


def test_nothing_found_stays_readable_in_the_tally() -> None:
    tally = Tally(b"k" * 32)
    tally.feed(record(niss="85073003328"))
    assert "85073003328" not in repr(tally)
    kept = [mark for marks in tally._seen.values() for mark in marks]
    assert kept
    assert all(len(mark) == 16 and b"85073003328" not in mark for mark in kept)
