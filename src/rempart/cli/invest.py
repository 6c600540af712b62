"""``rempart invest``: what a loan for better protection costs, month by month."""

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rempart.errors import ExitCode
from rempart.investment.loan import Instalment, Loan, cents, schedule, total_interest

_LOAN = """\
Reckons the instalments of a loan. Principal, rate, term and grace are yours to enter, from the lender's offer.
Without them an example is reckoned and called one. A lender's own schedule rounds each month and may differ by cents.

exit codes: 0 reckoned, 2 the loan cannot be reckoned"""

EXAMPLE = {"principal": "60000", "rate": "3.5%", "months": "60"}
"""Shown when nothing was entered. No published terms stand behind it."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart invest loan``."""
    verb = verbs.add_parser("invest", help="what better protection costs, and how it is paid")
    actions = verb.add_subparsers(dest="action", metavar="ACTION", required=True)
    loan = actions.add_parser(
        "loan",
        help="the instalments of a loan",
        description=_LOAN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    loan.add_argument("--principal", type=_euros, metavar="EUR", help="what is borrowed (example: 60000)")
    loan.add_argument("--rate", type=_rate, metavar="PERCENT", help="a year: 3.5 or 3.5%% (example: 3.5%%)")
    loan.add_argument("--months", type=int, metavar="N", help="the whole term, grace included (example: 60)")
    loan.add_argument("--grace", type=int, default=0, metavar="N", help="first months of interest only (0)")
    loan.add_argument(
        "--constant-principal",
        action="store_true",
        help="repay the same part of the principal each month (default: pay the same sum each month)",
    )
    loan.add_argument(
        "--format", choices=("table", "csv", "json"), default="table", help="default: %(default)s"
    )
    loan.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Reckon and show."""
    examples = [name for name in EXAMPLE if getattr(arguments, name) is None]
    loan = Loan(
        principal=_given(arguments.principal, _euros(EXAMPLE["principal"])),
        yearly_rate=_given(arguments.rate, _rate(EXAMPLE["rate"])),
        months=arguments.months if arguments.months is not None else int(EXAMPLE["months"]),
        grace=arguments.grace,
        constant_principal=arguments.constant_principal,
    )
    instalments = schedule(loan)
    match arguments.format:
        case "csv":
            _csv(instalments)
        case "json":
            _json(loan, instalments, examples)
        case _:
            _table(loan, instalments, examples)
    return ExitCode.OK


def _table(loan: Loan, instalments: tuple[Instalment, ...], examples: list[str]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line in _summary(loan, instalments, examples):
        console.print(Text(line))
    table = Table("month", box=None, header_style="bold")
    for column in ("instalment", "interest", "principal", "still owed"):
        table.add_column(column, justify="right")
    for each in instalments:
        amounts = (each.paid, each.interest, each.principal, each.balance)
        table.add_row(str(each.month), *(_shown(amount) for amount in amounts))
    console.print(table)


def _summary(loan: Loan, instalments: tuple[Instalment, ...], examples: list[str]) -> Iterator[str]:
    percent = f"{(loan.yearly_rate * 100).normalize():f}"
    yield f"{_shown(loan.principal)} EUR at {percent} % a year over {loan.months} months"
    if examples:
        yield f"EXAMPLE: {', '.join(examples)} not entered; no lender's terms stand behind these figures."
    if loan.grace:
        yield f"months 1 to {loan.grace}: {_shown(instalments[0].paid)} EUR, interest only"
    first, last = instalments[loan.grace], instalments[-1]
    if loan.constant_principal:
        yield f"from {_shown(first.paid)} EUR in month {first.month} to {_shown(last.paid)} EUR in the last"
    else:
        yield f"each month from month {first.month}: {_shown(first.paid)} EUR"
    yield f"interest in all: {_shown(total_interest(instalments))} EUR"


def _csv(instalments: tuple[Instalment, ...]) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["month", "instalment", "interest", "principal", "balance_after"])
    for each in instalments:
        amounts = (each.paid, each.interest, each.principal, each.balance)
        rows.writerow([each.month, *(cents(amount) for amount in amounts)])


def _json(loan: Loan, instalments: tuple[Instalment, ...], examples: list[str]) -> None:
    """Amounts are text: a cent is not always a float."""
    after_grace = instalments[loan.grace]
    whole = {
        "kind": "constant_principal" if loan.constant_principal else "annuity",
        "principal": str(loan.principal),
        "yearly_rate": str(loan.yearly_rate),
        "months": loan.months,
        "grace_months": loan.grace,
        "example": examples,
        "instalment_during_grace": str(cents(instalments[0].paid)) if loan.grace else None,
        "first_instalment": str(cents(after_grace.paid)),
        "last_instalment": str(cents(instalments[-1].paid)),
        "total_interest": str(cents(total_interest(instalments))),
        "rows": [
            {
                "month": each.month,
                "instalment": str(cents(each.paid)),
                "interest": str(cents(each.interest)),
                "principal": str(cents(each.principal)),
                "balance_after": str(cents(each.balance)),
            }
            for each in instalments
        ],
    }
    json.dump(whole, sys.stdout)
    print()


def _shown(amount: Decimal) -> str:
    return f"{cents(amount):,}".replace(",", " ")


def _given(entered: Decimal | None, example: Decimal) -> Decimal:
    return example if entered is None else entered


def _euros(text: str) -> Decimal:
    return _number(text.replace(" ", "").replace("_", ""))


def _rate(text: str) -> Decimal:
    """A yearly rate as a fraction, from per cent. ``0.035`` alone could mean two things and is refused."""
    bare = text.strip()
    rate = _number(bare.removesuffix("%").strip())
    if 0 < rate < Decimal("0.2") and not bare.endswith("%"):
        raise argparse.ArgumentTypeError(
            f"{text!r} could mean {rate} % or {rate * 100:f} %: write it with its sign, 0.1% or 3.5%"
        )
    return rate / 100


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
