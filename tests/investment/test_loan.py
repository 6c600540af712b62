import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.errors import InputRefused
from rempart.investment.loan import Loan, cents, schedule, total_interest

VECTORS = tomllib.loads(Path(__file__).with_name("loan_vectors.toml").read_text())["cases"]
HUNDREDTH_OF_A_CENT = Decimal("0.0001")


def loan_of(case: dict[str, Any]) -> Loan:
    return Loan(
        principal=Decimal(case["principal"]),
        yearly_rate=Decimal(case["rate"].removesuffix("%")) / 100,
        months=case["months"],
        grace=case["grace"],
        constant_principal=case["constant_principal"],
    )


@pytest.mark.parametrize("case", VECTORS)
def test_the_vectors_are_met_to_the_cent(case: dict[str, Any]) -> None:
    instalments = schedule(loan_of(case))
    assert cents(instalments[case["grace"]].paid) == Decimal(case["first"])
    assert cents(instalments[-1].paid) == Decimal(case["last"])
    assert cents(total_interest(instalments)) == Decimal(case["interest"])
    for month, interest, principal, balance in case["rows"]:
        row = instalments[month - 1]
        shown = [cents(amount) for amount in (row.interest, row.principal, row.balance)]
        assert shown == [Decimal(interest), Decimal(principal), Decimal(balance)]
    if "during_grace" in case:
        assert {cents(each.paid) for each in instalments[: case["grace"]]} == {Decimal(case["during_grace"])}


LOANS = st.builds(
    lambda principal, rate, months, grace, constant: Loan(
        principal=principal,
        yearly_rate=rate,
        months=months,
        grace=min(grace, months - 1),
        constant_principal=constant,
    ),
    st.decimals(min_value=1, max_value=10**7, places=2),
    st.decimals(min_value=0, max_value=Decimal("0.3"), places=5),
    st.integers(1, 360),
    st.integers(0, 60),
    st.booleans(),
)


@given(LOANS)
def test_what_is_repaid_is_what_was_borrowed(loan: Loan) -> None:
    instalments = schedule(loan)
    assert len(instalments) == loan.months
    assert instalments[-1].balance == 0
    assert abs(sum(each.principal for each in instalments) - loan.principal) < HUNDREDTH_OF_A_CENT
    assert all(each.principal >= 0 and each.interest >= 0 for each in instalments)
    owed = [loan.principal, *(each.balance for each in instalments)]
    assert owed == sorted(owed, reverse=True)


@given(LOANS)
def test_level_instalments_are_level_and_constant_parts_constant(loan: Loan) -> None:
    repaying = schedule(loan)[loan.grace :]
    parts = [each.principal if loan.constant_principal else each.paid for each in repaying]
    assert max(parts) - min(parts) < HUNDREDTH_OF_A_CENT


@given(LOANS)
def test_a_constant_principal_never_costs_more_interest(loan: Loan) -> None:
    kinds = [
        total_interest(
            schedule(
                Loan(
                    principal=loan.principal,
                    yearly_rate=loan.yearly_rate,
                    months=loan.months,
                    grace=loan.grace,
                    constant_principal=constant,
                )
            )
        )
        for constant in (True, False)
    ]
    assert kinds[0] <= kinds[1] + HUNDREDTH_OF_A_CENT


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(InputRefused) as refused:
        Loan(principal=Decimal("NaN"), yearly_rate=Decimal(-1), months=0, grace=3)
    said = str(refused.value)
    assert all(place in said for place in ("principal:", "rate:", "months:", "grace:"))
