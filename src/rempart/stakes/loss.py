"""What an institution would lose in a year: a range by Monte Carlo over stated assumptions.

Apart from it, and never added to it, stands what the records are worth to a thief. Harm to residents is counted in
persons and days, not here. The assumptions are data (``loss.toml``), each with its source and its owner.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rempart.errors import InputRefused, Problem

THIEF_PRICE = 40
"""Euros one record is said to fetch (mission); the user's to change."""

_Z95 = 1.6448536269514722
"""The standard normal's 95th percentile."""

_RANGES = (
    "p_year",
    "days",
    "cost_per_day",
    "response",
    "rebuild",
    "persons",
    "notice",
    "legal",
    "claim",
    "ransom",
)
_CHANCES = ("disruption", "theft", "claim", "ransom")


@dataclass(frozen=True, slots=True)
class Spread:
    """A 90 % range: 5th and 95th percentile of a lognormal, cut at ``cap``."""

    p05: float
    p95: float
    cap: float = math.inf


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The inputs by name: ranges, and chances in 0..1."""

    ranges: Mapping[str, Spread]
    chances: Mapping[str, float]
    sources: Mapping[str, tuple[str, str, str]]
    """Name to source, owner and confidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to run. ``p_factor`` and ``days_factor`` say what a measure is assumed to change."""

    runs: int = 200_000
    seed: int = 20261122
    pay_ransom: bool = False
    p_factor: float = 1.0
    days_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The 5th, 50th and 95th percentile."""

    p05: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What a year may cost, in euros and chances."""

    p_year: Quantiles
    given_event: Quantiles
    given_event_mean: float
    yearly_mean: float
    yearly_mean_by_p: Quantiles
    """The mean a year, as the chance of an incident is uncertain."""
    gordon_loeb: Quantiles
    """1/e of the expected loss: a purely private yardstick (Gordon and Loeb 2002), nothing more."""
    no_loss: float
    """Share of years without any loss."""
    over_50k: float
    over_100k: float
    var95: float
    var99: float
    """Only one year in 100 costs more."""
    in_ten_years: Quantiles
    """Chance of at least one incident in ten years."""
    shares: Mapping[str, float]
    """Of the mean loss."""
    thief_price: Quantiles
    """Persons in the files, times `THIEF_PRICE`. Not a loss: what makes the institution worth attacking."""


Runs = NDArray[np.float64]


def reckon(given: Assumptions, settings: Settings) -> Loss:
    """The loss of a year. Draws in a fixed order, so that the same seed gives the same figures anywhere."""
    draw = _Draw(given, settings)
    p = np.minimum(draw.range("p_year") * settings.p_factor, 1.0)
    event = draw.uniform() < p
    disruption = draw.uniform() < given.chances["disruption"]
    theft = draw.uniform() < given.chances["theft"]
    days = np.minimum(draw.range("days") * settings.days_factor, given.ranges["days"].cap) * disruption
    cost_per_day = draw.range("cost_per_day")
    response = draw.range("response")
    rebuild = draw.range("rebuild") * disruption
    persons = draw.range("persons")
    notice = draw.range("notice") * theft
    legal = draw.range("legal")
    claimed = (draw.uniform() < given.chances["claim"]) * theft
    claim = draw.range("claim") * claimed
    paid = draw.uniform() < (given.chances["ransom"] if settings.pay_ransom else 0.0)
    ransom = draw.range("ransom") * paid
    parts = {
        "downtime": days * cost_per_day,
        "response": response,
        "restoration": rebuild,
        "notification": persons * notice + legal,
        "claims": claim,
        "ransom": ransom,
    }
    return _summed(p, event, parts, persons)


def _summed(p: Runs, event: NDArray[np.bool_], parts: Mapping[str, Runs], persons: Runs) -> Loss:
    loss = np.sum(list(parts.values()), axis=0)
    yearly = loss * event
    mean = float(loss.mean())
    return Loss(
        p_year=_quantiles(p),
        given_event=_quantiles(loss),
        given_event_mean=mean,
        yearly_mean=float(yearly.mean()),
        yearly_mean_by_p=_quantiles(p * mean),
        gordon_loeb=_quantiles(p * mean / math.e),
        no_loss=float((yearly == 0).mean()),
        over_50k=float((yearly > 50_000).mean()),
        over_100k=float((yearly > 100_000).mean()),
        var95=float(np.percentile(yearly, 95)),
        var99=float(np.percentile(yearly, 99)),
        in_ten_years=_quantiles(1 - (1 - p) ** 10),
        shares={name: float(part.mean()) / mean for name, part in parts.items()},
        thief_price=_quantiles(persons * THIEF_PRICE),
    )


class _Draw:
    """One generator, drawn from in order; what a setting switches off is drawn all the same."""

    def __init__(self, given: Assumptions, settings: Settings) -> None:
        self._given = given
        self._runs = settings.runs
        self._generator = np.random.default_rng(settings.seed)

    def uniform(self) -> Runs:
        return self._generator.random(self._runs)

    def range(self, name: str) -> Runs:
        spread = self._given.ranges[name]
        low, high = math.log(spread.p05), math.log(spread.p95)
        return self._generator.lognormal((low + high) / 2, (high - low) / (2 * _Z95), self._runs)


def _quantiles(values: Runs) -> Quantiles:
    p05, p50, p95 = np.percentile(values, [5, 50, 95])
    return Quantiles(float(p05), float(p50), float(p95))


def parse(text: str, where: str) -> Assumptions:
    """The assumptions of a TOML text. Raises InputRefused with every mistake at once."""
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputRefused(f"not TOML: {error}", where=where, now="Mend that line.") from None
    problems: list[Problem] = []
    ranges = {name: _spread(whole.get(name), f"{where}: [{name}]", problems) for name in _RANGES}
    chances = {name: _chance(whole.get(name), f"{where}: [{name}]", problems) for name in _CHANCES}
    sources = {
        name: _sourced(whole.get(name), f"{where}: [{name}]", problems)
        for name in dict.fromkeys((*_RANGES, *_CHANCES))
    }
    problems += [
        Problem("no such input", f"{where}: [{name}]", "Remove it; inputs keep their names.")
        for name in whole
        if name not in sources
    ]
    if problems:
        raise InputRefused("the assumptions have mistakes", where=where, problems=tuple(problems))
    return Assumptions(ranges, chances, sources)


def _spread(row: Any, where: str, problems: list[Problem]) -> Spread:
    match row:
        case {"p05": int() | float() as low, "p95": int() | float() as high} if 0 < low <= high < math.inf:
            cap = row.get("cap", math.inf)
            if isinstance(cap, int | float) and cap > 0:
                return Spread(low, high, cap)
    problems.append(Problem("no range", where, "Give p05 and p95, numbers with 0 < p05 <= p95."))
    return Spread(1, 1)


def _chance(row: Any, where: str, problems: list[Problem]) -> float:
    match row:
        case {"chance": int() | float() as chance} if 0 <= chance <= 1:
            return float(chance)
    problems.append(Problem("no chance", where, "Give chance, a number from 0 to 1."))
    return 0.0


def _sourced(row: Any, where: str, problems: list[Problem]) -> tuple[str, str, str]:
    match row:
        case {"source": str(source), "owner": str(owner), "confidence": "S" | "G" | "I" as mark}:
            if source and owner:
                return source, owner, mark
    problems.append(
        Problem("nobody answers for it", where, "Give source, owner and confidence (S, G or I), as text.")
    )
    return "", "", "I"
