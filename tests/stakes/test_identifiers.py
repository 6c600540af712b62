"""Numbers here are public test numbers or made by the check rule itself."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.be import ssn

from rempart.stakes.content import Table, Text
from rempart.stakes.identifiers import (
    Datum,
    Sensitive,
    bank_account,
    national_number,
    phone,
    records,
)

NISS, IBAN, PHONE = Sensitive.NATIONAL_NUMBER, Sensitive.BANK_ACCOUNT, Sensitive.PHONE


def made(first: int, *, after_2000: bool = False) -> str:
    """A national number with its check digits."""
    return f"{first:09}{97 - ((2_000_000_000 if after_2000 else 0) + first) % 97:02}"


def found(content: Text | Table) -> list[Datum]:
    return [datum for record in records(content) for datum in record.data]


def kinds(text: str) -> list[Sensitive]:
    return [datum.kind for datum in found(Text(text))]


@pytest.mark.parametrize(
    "number", ["85.07.30-033.28", "17.07.30-033.84", "98.47.28-997.65", "01 49 07 001 85"]
)
def test_public_test_numbers_pass(number: str) -> None:
    assert national_number(number) is not None


@given(st.integers(0, 99_999_999_999))
def test_the_reference_accepts_nothing_that_we_miss(number: int) -> None:
    digits = f"{number:011}"
    if (
        ssn.is_valid(digits) and int(digits[4:6]) <= 31
    ):  # a day above 31 exists only as a check digit's accident
        assert national_number(digits) == digits


@given(
    st.integers(0, 99),
    st.integers(1, 12),
    st.integers(1, 31),
    st.integers(1, 998),
    st.sampled_from([0, 20, 40]),
    st.booleans(),
)
def test_made_numbers_pass_and_one_wrong_digit_fails(
    year: int, month: int, day: int, counter: int, bis: int, later: bool
) -> None:
    first = int(f"{year:02}{month + bis:02}{day:02}{counter:03}")
    digits = made(first, after_2000=later)
    assert national_number(digits) == digits
    wrong = digits[:8] + str((int(digits[8]) + 1) % 10) + digits[9:]
    checks = {97 - int(wrong[:9]) % 97, 97 - (2_000_000_000 + int(wrong[:9])) % 97}
    assert (national_number(wrong) is None) is (int(wrong[9:]) not in checks)


@given(st.integers(0, 9_999_999_999))
def test_made_accounts_pass_and_one_wrong_digit_fails(first: int) -> None:
    national = f"{first:010}{first % 97 or 97:02}"
    check = 98 - int(national + "111400") % 97
    account = f"BE{check:02}{national}"
    assert bank_account(account) == account
    assert bank_account(f"{account[:8]} {(int(account[8]) + 1) % 10}{account[9:]}") is None


def test_the_textbook_account_of_an_unknown_bank_is_not_missed() -> None:
    assert bank_account("BE68 5390 0754 7034") == "BE68539007547034"
    assert bank_account("NL91 ABNA 0417 1643 00") == "NL91ABNA0417164300"


@pytest.mark.parametrize(
    "text", ["0475 12 34 56", "04/224.71.11", "02 501 05 60", "+32 (0)4 224 71 11", "0800 12 345"]
)
def test_telephones_as_people_write_them(text: str) -> None:
    assert phone(text) is not None
    assert kinds(f"Tél. : {text}.") == [PHONE]


def test_eleven_random_digits_do_not_count_without_context() -> None:
    chance = random.Random(7)
    numbers = [f"{chance.randrange(10**11):011}" for _ in range(20_000)]
    assert kinds("\n".join(numbers)) == []
    assert found(Table(tuple((number,) for number in numbers))) == []
    assert kinds("85073003328") == []


@pytest.mark.parametrize(
    "text",
    [
        "NISS 85073003328",
        "INSZ: 85 07 30 033 28",
        "Numéro national : 850730-033-28",
        "Rijksregisternummer 85.07.30 033.28",
        "né(e) le 30/07/1985, 85.07.30-033.28",
        "NISS :\n    85073003328",
    ],
)
def test_words_or_the_notation_give_a_number_its_meaning(text: str) -> None:
    assert kinds(text) == [NISS]


def test_a_list_in_which_nearly_all_pass_vouches_for_itself() -> None:
    assert kinds("\n".join(made(600101000 + n) for n in range(1, 40))) == [NISS] * 39


@pytest.mark.parametrize(
    "text",
    [
        "commande 0475123456",
        "12.11.2026 08:30",
        "facture 2026/00123",
        "+++085/0730/03328+++",
        "version 10.20.30.40",
        "NISS 85073003329",
    ],
)
def test_other_numbers_do_not_count(text: str) -> None:
    assert kinds(text) == []


def test_an_account_is_found_inside_a_sentence_and_not_read_twice() -> None:
    assert kinds("Versez sur BE68 5390 0754 7034 avant vendredi, tél 02 501 05 60") == [IBAN, PHONE]


def test_what_follows_an_account_is_not_swallowed_with_it() -> None:
    line = "compte BE68 5390 0754 7034 NL91 ABNA 0417 1643 00 gsm 0475 12 34 56 NISS 85073003328"
    assert sorted(kinds(line)) == [IBAN, IBAN, NISS, PHONE]


def test_a_sheet_that_ate_leading_zeros_is_still_read() -> None:
    table = Table((("Nom", "numero_national", "GSM"), ("A", "1490700185", "475123456")))
    assert found(table) == [Datum(NISS, "01490700185"), Datum(PHONE, "+32475123456")]


def test_two_numbers_in_one_cell_are_both_found() -> None:
    table = Table((("Nom", "Téléphone"), ("A", "04/224.71.11 ou 0475 12 34 56")))
    assert [datum.kind for datum in found(table)] == [PHONE, PHONE]


def test_text_is_split_until_each_part_is_about_one_person() -> None:
    blocks = "\n\n".join(f"NISS {made(600101000 + n)}\nTél 0475 12 34 {n}" for n in range(50, 54))
    lines = "\n".join(f"NISS {made(600101000 + n)} tél 0475 12 34 {n}" for n in range(50, 54))
    for text in (blocks, lines):
        assert [len(record.data) for record in records(Text(text))] == [2, 2, 2, 2]


@given(st.text())
def test_any_text_is_read_without_harm(text: str) -> None:
    list(records(Text(text)))
    list(records(Table(tuple(tuple(line.split(",")) for line in text.split("\n")))))


def test_a_datum_masks_itself() -> None:
    assert "85073003328" not in repr(Datum(NISS, "85073003328"))
