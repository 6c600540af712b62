"""The verifier on plain values: every flipped bit is found, and the entry it is in is named."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from rempart.evidence import canonical, entry
from rempart.evidence.checkpoint import VerifierKey, sign
from rempart.evidence.entry import Entry, Record
from rempart.evidence.merkle import Frontier
from rempart.evidence.verify import MOST_FAULTS, Verdict, verify
from rempart.instants import Instant

ORIGIN = "rempart/home"
OLD, NEW, THIEF = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
NOW = Instant(1_790_000_000_000_000)


class Written:
    """A journal as plain values, written the way the station does."""

    def __init__(self, key: Ed25519PrivateKey = OLD) -> None:
        self.key = key
        self.records: list[Record] = []
        self.kept: list[str] = []
        self.frontier = Frontier()
        self.add(entry.BEGUN, {"format": 1, "origin": ORIGIN, "key": str(VerifierKey.of(ORIGIN, key))})

    def add(self, kind: str, body: Any) -> int:
        number, salt, said = len(self.records) + 1, bytes([len(self.records)]) * 32, canonical.encode(body)
        previous = entry.hash_of(self.records[-1].entry) if self.records else entry.NO_ENTRY
        data = Entry(
            number=number,
            at=NOW,
            kind=kind,
            late=False,
            digest=entry.commitment(salt, said),
            previous=previous,
        ).encode()
        self.records.append(Record(number, data, salt, said))
        self.frontier = self.frontier.append(entry.hash_of(data))
        return number

    def erase(self, number: int) -> int:
        self.records[number - 1] = replace(self.records[number - 1], salt=None, body=None)
        return self.add(entry.ERASURE, {"number": number, "reason": "asked", "by": "privacy officer"})

    def rotate(self, new: Ed25519PrivateKey) -> None:
        old, self.key = self.key, new
        replaced = VerifierKey.of(ORIGIN, old).id.hex()
        self.add(entry.KEY, {"key": str(VerifierKey.of(ORIGIN, new)), "replaces": replaced})
        self.kept.append(self.note(old, new))

    def note(self, *keys: Ed25519PrivateKey) -> str:
        return sign(ORIGIN, self.frontier.size, self.frontier.root(), NOW, *(keys or (self.key,))).note

    def notes(self) -> list[str]:
        return [*self.kept, self.note()]

    def verdict(self, **more: Any) -> Verdict:
        return verify(self.records, self.notes(), **more)


def written() -> Written:
    """Twelve entries: words, an erasure, a kept checkpoint, a new key."""
    made = Written()
    made.kept.append(made.note())
    for n in range(4):
        made.add("finding", {"n": n, "text": "é"})
    made.kept.append(made.note())
    made.erase(3)
    made.rotate(NEW)
    for n in range(5):
        made.add("done", {"n": n})
    return made


WHOLE = written()


def test_a_whole_journal_verifies() -> None:
    verdict = WHOLE.verdict(trusted=[str(VerifierKey.of(ORIGIN, OLD))])
    assert verdict.ok
    assert (verdict.entries, verdict.erased, verdict.checkpoints) == (12, 1, 4)
    assert [key.public for key in verdict.keys] == [VerifierKey.of(ORIGIN, key).public for key in (OLD, NEW)]


EVERY_BIT = pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])
"""Bits between two flips: 11 reaches nearly every byte, with changing bits, in seconds; 1 is every bit there is."""


def flips(data: bytes, step: int) -> Iterator[bytes]:
    for at in range(0, len(data) * 8, step):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        yield bytes(flipped)


@EVERY_BIT
@pytest.mark.parametrize("number", range(1, 13))
def test_every_flipped_bit_of_an_entry_is_found_and_the_entry_named(number: int, step: int) -> None:
    record, notes = WHOLE.records[number - 1], WHOLE.notes()
    for flipped in flips(record.entry, step):
        records = [*WHOLE.records]
        records[number - 1] = replace(record, entry=flipped)
        verdict = verify(records, notes)
        assert not verdict.ok
        first = verdict.faults[0]
        assert first.first is not None
        assert first.first <= number <= (first.last or first.first)
        assert first.first == number or number == 12, f"{verdict.faults} for entry {number}"


@EVERY_BIT
@pytest.mark.parametrize("number", [1, 2, 6, 7, 12])
def test_every_flipped_bit_of_a_body_or_salt_is_found_and_the_entry_named(number: int, step: int) -> None:
    record, notes = WHOLE.records[number - 1], WHOLE.notes()
    assert record.body is not None
    assert record.salt is not None
    altered = [replace(record, body=body) for body in flips(record.body, step)]
    altered += [replace(record, salt=salt) for salt in flips(record.salt, step)]
    for other in altered:
        records = [*WHOLE.records]
        records[number - 1] = other
        assert verify(records, notes).first_bad == number


@EVERY_BIT
@pytest.mark.parametrize("position", range(4))
def test_every_flipped_bit_of_a_checkpoint_is_found(position: int, step: int) -> None:
    for flipped in flips(WHOLE.notes()[position].encode(), step):
        notes = WHOLE.notes()
        notes[position] = flipped.decode(errors="replace")
        assert not verify(WHOLE.records, notes).ok


@given(st.integers(1, 12), st.integers(1, 12))
def test_entries_that_change_places_or_go_away_are_found(one: int, other: int) -> None:
    swapped = [*WHOLE.records]
    swapped[one - 1], swapped[other - 1] = swapped[other - 1], swapped[one - 1]
    assert verify(swapped, WHOLE.notes()).ok == (one == other)
    gone = [record for record in WHOLE.records if record.number != one]
    assert verify(gone, WHOLE.notes()).first_bad == one
    shorter = WHOLE.records[:one]
    assert verify(shorter, WHOLE.notes()).ok == (one == 12)


def test_a_body_that_is_missing_without_an_erasure_is_named() -> None:
    records = [*WHOLE.records]
    records[8] = replace(records[8], salt=None, body=None)
    assert verify(records, WHOLE.notes()).first_bad == 9
    records[8] = replace(records[8], withheld=True)
    verdict = verify(records, WHOLE.notes())
    assert verdict.ok
    assert verdict.withheld == 1


def test_a_body_that_was_erased_and_is_here_is_named() -> None:
    made = written()
    made.add(entry.ERASURE, {"number": 9, "reason": "asked", "by": "privacy officer"})
    assert made.verdict().first_bad == 9


@pytest.mark.parametrize("number", [1, 6, 7])
def test_what_the_verifier_needs_cannot_be_erased_or_withheld(number: int) -> None:
    made = written()
    made.erase(number)
    assert made.verdict().first_bad == number
    records = [*WHOLE.records]
    records[number - 1] = replace(records[number - 1], salt=None, body=None, withheld=True)
    assert number in {fault.first for fault in verify(records, WHOLE.notes()).faults}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "x",
        {"number": 9},
        {"number": [], "reason": "r", "by": "b"},
        {"number": 9, "reason": "", "by": ""},
    ],
)
def test_an_erasure_without_number_reason_or_name_is_none(body: Any) -> None:
    made = written()
    made.records[8] = replace(made.records[8], salt=None, body=None)
    number = made.add(entry.ERASURE, body)
    assert {fault.first for fault in made.verdict().faults} >= {9, number}


def test_a_thief_without_the_key_cannot_replace_it() -> None:
    made = Written()
    made.add("posture", {})
    made.kept.append(made.note())
    made.add(
        entry.KEY,
        {"key": str(VerifierKey.of(ORIGIN, THIEF)), "replaces": VerifierKey.of(ORIGIN, OLD).id.hex()},
    )
    made.key = THIEF
    made.kept.append(made.note(THIEF))
    made.add("posture", {"n": 2})
    assert not made.verdict().ok


def test_a_thief_who_rewrites_with_the_present_key_is_caught_by_what_left() -> None:
    left = WHOLE.kept[1]
    forged = Written()
    for n in range(6):
        forged.add("finding", {"n": n, "text": "nothing happened"})
    assert forged.verdict().ok
    verdict = forged.verdict(witnessed=[left])
    assert [(fault.first, fault.last) for fault in verdict.faults] == [(1, 5)]
    assert "rewritten" in verdict.faults[0].what


def test_a_rewritten_range_lies_after_the_last_good_checkpoint() -> None:
    made, false = Written(), Written()
    for n in range(10):
        made.add("finding", {"n": n})
        false.add("finding", {"n": n if n < 6 else 99})
        if n == 3:
            made.kept.append(made.note())
    verdict = verify(false.records, made.notes())
    assert [(fault.first, fault.last) for fault in verdict.faults] == [(6, 11)]


def test_another_journals_checkpoint_does_not_pass() -> None:
    stranger = sign("rempart/other", 12, WHOLE.frontier.root(), NOW, NEW).note
    assert not verify(WHOLE.records, [*WHOLE.kept, stranger]).ok


def test_a_journal_without_head_or_entries_is_not_verified() -> None:
    assert verify(WHOLE.records, WHOLE.kept).first_bad == 8
    assert not verify([], []).ok


def test_a_journal_begins_once() -> None:
    made = written()
    number = made.add(entry.BEGUN, {"format": 1, "origin": ORIGIN, "key": str(VerifierKey.of(ORIGIN, THIEF))})
    assert made.verdict().first_bad == number
    assert verify(WHOLE.records[1:], WHOLE.notes()).first_bad == 1


def test_keys_of_a_newer_journal_are_kept_and_hashed() -> None:
    made = Written()
    data = canonical.encode({**canonical.decode(made.records[0].entry), "newer": [1, {"a": None}]})
    made.records[0] = replace(made.records[0], entry=data)
    made.frontier = Frontier().append(entry.hash_of(data))
    assert made.verdict().ok


def test_another_file_altogether_ends_the_walk() -> None:
    records = [Record(number, b"{}", None, None) for number in range(1, 10_000)]
    assert len(verify(records, WHOLE.notes()).faults) <= MOST_FAULTS + 1


@given(st.lists(st.tuples(st.integers(-1, 5), st.binary(max_size=30), st.none() | st.binary(max_size=32))))
def test_any_values_are_judged_without_an_exception(rows: list[tuple[int, bytes, bytes | None]]) -> None:
    assert not verify([Record(*row, body=row[1]) for row in rows], ["x", *WHOLE.notes()]).ok
