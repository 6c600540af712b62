"""What a loan costs, month by month: annuity, constant principal, with or without months of interest only.

Reckoned in decimals without rounding; cents are rounded once, where they are shown. A lender's own schedule rounds each
instalment and corrects the last, and may differ by cents. Rate, term and grace are the borrower's to enter: no terms of
a public fund's cyber loan were found in published material.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from rempart.errors import InputRefused, Problem

LONGEST = 600
"""Months of the longest loan reckoned."""
LARGEST = Decimal(10) ** 12
"""Euros; beyond it the figures are a slip of the hand."""

_CENT = Decimal("0.01")
_DIGITS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """What is borrowed and how it is paid back.

    ``yearly_rate`` is nominal: 0.035 is 3.5 % a year, a twelfth of it a month. In the first ``grace`` of the ``months``
    only interest is paid. ``constant_principal``: the same part of the principal each month instead of the same sum.
    Raises InputRefused with every mistake at once.
    """

    principal: Decimal
    yearly_rate: Decimal
    months: int
    grace: int = 0
    constant_principal: bool = False

    def __post_init__(self) -> None:
        problems = tuple(_problems(self))
        if problems:
            raise InputRefused("the loan cannot be reckoned", problems=problems)


@dataclass(frozen=True, slots=True)
class Instalment:
    """One month, in euros, unrounded. ``balance`` is what is owed after it."""

    month: int
    interest: Decimal
    principal: Decimal
    balance: Decimal

    @property
    def paid(self) -> Decimal:
        """What leaves the account that month."""
        return self.interest + self.principal


def schedule(loan: Loan) -> tuple[Instalment, ...]:
    """Every month of the loan, the last leaving nothing owed."""
    with localcontext(prec=_DIGITS):
        return tuple(_months(loan))


def total_interest(instalments: tuple[Instalment, ...]) -> Decimal:
    """The interest over the whole term, unrounded."""
    with localcontext(prec=_DIGITS):
        return sum((each.interest for each in instalments), Decimal(0))


def cents(amount: Decimal) -> Decimal:
    """An amount as it is shown: to the cent, halves away from zero; never minus nothing."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP) + Decimal(0)


def _months(loan: Loan) -> Iterator[Instalment]:
    rate = loan.yearly_rate / 12
    balance = loan.principal
    repaying = loan.months - loan.grace
    level = _annuity(loan.principal, rate, repaying)
    for month in range(1, loan.months + 1):
        interest = balance * rate
        if month <= loan.grace:
            repaid = Decimal(0)
        elif month == loan.months:
            repaid = balance  # equals the formula's up to the last of 60 digits
        elif loan.constant_principal:
            repaid = loan.principal / repaying
        else:
            repaid = level - interest
        balance -= repaid
        yield Instalment(month, interest, repaid, balance)


def _annuity(principal: Decimal, rate: Decimal, months: int) -> Decimal:
    """The level instalment P i / (1 - (1 + i)^-n); P / n without interest."""
    if rate == 0:
        return principal / months
    return principal * rate / (1 - (1 + rate) ** -months)


def _problems(loan: Loan) -> Iterator[Problem]:
    if not (loan.principal.is_finite() and 0 < loan.principal <= LARGEST):
        yield Problem("no sum that can be lent", "principal", "Give euros above zero.")
    if not (loan.yearly_rate.is_finite() and 0 <= loan.yearly_rate <= 1):
        yield Problem("no yearly rate", "rate", "Give a rate from 0 % to 100 %.")
    if not 1 <= loan.months <= LONGEST:
        yield Problem("no term", "months", f"Give 1 to {LONGEST} months.")
    if not 0 <= loan.grace < max(loan.months, 1):
        yield Problem("no months left to repay", "grace", "Give fewer months of grace than of loan.")
