"""Trouble: what staff report to be slow or down while the site is cut, by service, until a remedy is written down."""

from dataclasses import dataclass
from enum import StrEnum

from rempart.instants import Instant


class Ail(StrEnum):
    """What ails a service."""

    SLOW = "slow"
    DOWN = "down"
    WRONG = "wrong"  # it answers, but not as it should


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One report. ``remedy`` empty: still open."""

    id: str
    service: str
    """An opening, a machine, or what staff call it."""
    ail: Ail
    ward: str
    note: str
    by: str
    at: Instant
    remedy: str = ""
    settled: Instant | None = None
