"""``rempart stakes``: where sensitive data lie, how many persons they concern, and what that puts at stake."""

import argparse
import json
import secrets
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rempart.adapters import documents, shipped
from rempart.adapters.site_file import read_text
from rempart.cli._summary import many
from rempart.cli._terminal import harmless
from rempart.errors import ExitCode, InputRefused
from rempart.stakes import loss
from rempart.stakes.content import Content
from rempart.stakes.holding import Holding, Tally, whole
from rempart.stakes.identifiers import Sensitive, records
from rempart.stakes.loss import THIEF_PRICE, Assumptions, Loss, Settings

_SCAN = """\
Looks for Belgian national numbers, bank accounts and telephone numbers in text, CSV, docx, xlsx and PDF, and counts
distinct persons per folder. Nothing found is stored or shown: numbers only. What could not be read is named.

The thief's price and the yearly loss are two things; they are never added up.

exit codes: 0 all read, 2 the arguments cannot be used, 3 some files could not be read (the rest was counted)"""

_NAMES = {
    Sensitive.NATIONAL_NUMBER: "national numbers",
    Sensitive.BANK_ACCOUNT: "bank accounts",
    Sensitive.PHONE: "telephone numbers",
    Sensitive.HEALTH: "with health words",
}


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read, or not wholly, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan found, in numbers."""

    holdings: tuple[Holding, ...]
    total: Holding
    files: int
    unread: tuple[Unread, ...]


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart stakes scan``."""
    verb = verbs.add_parser("stakes", help="find sensitive data and what they put at stake")
    actions = verb.add_subparsers(dest="action", metavar="ACTION", required=True)
    scan = actions.add_parser(
        "scan",
        help="look through files and folders",
        description=_SCAN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    scan.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="files, or folders with all below them"
    )
    scan.add_argument(
        "--price",
        type=_euros,
        default=THIEF_PRICE,
        metavar="EUR",
        help="what one record is said to fetch (%(default)s)",
    )
    scan.add_argument(
        "--assumptions", type=Path, metavar="FILE", help="your own inputs (default: loss.toml as shipped)"
    )
    scan.add_argument("--ransom", action="store_true", help="count ransoms paid, too")
    scan.add_argument("--runs", type=_runs, default=Settings().runs, help="years simulated (%(default)s)")
    scan.add_argument("--seed", type=int, default=Settings().seed, help="of the simulation (%(default)s)")
    scan.add_argument("--json", action="store_true", help="everything as JSON")
    scan.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Scan, reckon and show."""
    given = _assumptions(arguments.assumptions)
    found = scanned(arguments.paths)
    settings = Settings(runs=arguments.runs, seed=arguments.seed, pay_ransom=arguments.ransom)
    reckoned = loss.reckon(given, settings)
    if arguments.json:
        json.dump(_plain(found, arguments.price, reckoned, settings, given), sys.stdout, ensure_ascii=False)
        print()
    else:
        _show(Console(highlight=False, soft_wrap=True), found, arguments.price, reckoned, given)
    return ExitCode.PARTIAL if found.unread else ExitCode.OK


def scanned(paths: list[Path]) -> Found:
    """Read every file at or below the paths and count; the key of the count dies with this call."""
    key = secrets.token_bytes(32)
    tallies: dict[str, Tally] = {}
    unread: list[Unread] = []
    files = 0
    for path in _each(paths):
        files += 1
        try:
            reading = documents.read(path)
        except InputRefused as refused:
            unread.append(Unread(str(path), refused.what))
            continue
        if reading.lacking:
            unread.append(Unread(str(path), reading.lacking))
        tally = _counted(reading.contents, key)
        if tally.files:
            tallies.setdefault(str(path.parent), Tally(key)).add(tally)
    holdings = tuple(tally.holding(folder) for folder, tally in sorted(tallies.items()))
    return Found(holdings, whole(tallies.values(), key).holding(""), files, tuple(unread))


def _each(paths: list[Path]) -> Iterator[Path]:
    """Every file once, even when the paths overlap."""
    seen: set[Path] = set()
    for path in paths:
        for file in documents.files(path):
            if (real := file.resolve()) not in seen:
                seen.add(real)
                yield file


def _counted(contents: Iterable[Content], key: bytes) -> Tally:
    tally = Tally(key)
    for content in contents:
        for record in records(content):
            tally.files = 1
            tally.feed(record)
    return tally


# -- showing -----------------------------------------------------------------------------------------------------


def _show(console: Console, found: Found, price: float, reckoned: Loss, given: Assumptions) -> None:
    table = Table("folder", "persons", *_NAMES.values(), box=None, header_style="bold")
    for holding in (*found.holdings, found.total):
        name = harmless(holding.folder) or "all together, each person once"
        table.add_row(
            Text(name),
            _whole(holding.persons),
            *(_whole(holding.kinds[kind]) for kind in _NAMES),
            style="bold" if holding is found.total else None,
        )
    console.print(table)
    console.print(
        Text(f"{many(found.files, 'file')} looked at, {len(found.unread)} could not be read, or not wholly")
    )
    for unread in found.unread:
        console.print(Text(f"  not read: {harmless(unread.file, 400)}: {harmless(unread.why)}"))
    console.print()
    worth = found.total.persons * price
    console.print(
        Text(
            f"To a thief: {_whole(found.total.persons)} persons x {price:g} EUR = {_whole(worth)} EUR. "
            "Not a loss of yours: what makes you worth attacking."
        )
    )
    console.print()
    for line in _loss_lines(reckoned, given):
        console.print(Text(line))


def _loss_lines(reckoned: Loss, given: Assumptions) -> Iterator[str]:
    """The loss with two significant digits, ranges and frequency words; the rest is false precision."""
    event, ten = reckoned.given_event, reckoned.in_ten_years
    by_p, private = reckoned.yearly_mean_by_p, reckoned.gordon_loeb
    yield "To you, apart from that (assumptions, not measurements; `--assumptions` to put yours):"
    yield f"  an incident costs {_about(event.p05)} to {_about(event.p95)} EUR, half of them over {_about(event.p50)}"
    yield (
        f"  spread over the years: {_about(by_p.p05)} to {_about(by_p.p95)} EUR a year, "
        f"mean {_about(reckoned.yearly_mean)}; {reckoned.no_loss:.0%} of years cost nothing"
    )
    yield f"  one year in a hundred costs more than {_about(reckoned.var99)} EUR"
    yield (
        f"  at least one incident in ten years: about {round(ten.p50 * 10)} institutions in 10 "
        f"({ten.p05:.0%} to {ten.p95:.0%})"
    )
    largest = sorted(reckoned.shares.items(), key=lambda share: -share[1])[:3]
    yield "  most of it: " + ", ".join(f"{name} {share:.0%}" for name, share in largest)
    yield f"  purely private yardstick (Gordon-Loeb): {_about(private.p05)} to {_about(private.p95)} EUR a year"
    weak = sum(1 for _, _, mark in given.sources.values() if mark != "S")
    yield f"  {weak} of {len(given.sources)} inputs are assumptions to be confirmed; a case without backups is worse"
    yield "Not counted in euros: harm to residents (fraud, fear, medication errors)."


def _about(euros: float) -> str:
    """Two significant digits."""
    return _whole(float(f"{euros:.2g}"))


def _whole(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")


def _plain(
    found: Found, price: float, reckoned: Loss, settings: Settings, given: Assumptions
) -> dict[str, Any]:
    return {
        "files": found.files,
        "unread": [asdict(unread) for unread in found.unread],
        "folders": [_holding(holding) for holding in found.holdings],
        "persons": found.total.persons,
        "kinds": _holding(found.total)["kinds"],
        "price_per_record_eur": price,
        "thief_price_eur": found.total.persons * price,
        "loss": asdict(reckoned),
        "settings": asdict(settings),
        "assumptions": {
            name: {"source": source, "owner": owner, "confidence": mark}
            for name, (source, owner, mark) in given.sources.items()
        },
    }


def _holding(holding: Holding) -> dict[str, Any]:
    return {
        "folder": holding.folder,
        "files": holding.files,
        "persons": holding.persons,
        "kinds": {kind.value: count for kind, count in holding.kinds.items()},
    }


def _assumptions(path: Path | None) -> Assumptions:
    if path is None:
        return loss.parse(shipped.text("stakes/loss.toml"), "loss.toml")
    return loss.parse(read_text(path), str(path))


def _euros(text: str) -> float:
    try:
        euros = float(text)
    except ValueError:
        euros = -1.0
    if not 0 <= euros < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount in euros")
    return euros


def _runs(text: str) -> int:
    if not text.isdigit() or not 1_000 <= int(text) <= 2_000_000:
        raise argparse.ArgumentTypeError(f"{text!r}: between 1000 and 2000000")
    return int(text)
