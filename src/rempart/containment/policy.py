"""What an incident of a kind calls for: watch, block, isolate or contain, by itself or after approval.

The policy is a value; the engine asks it and stays within its budget.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.errors import InputRefused


class Action(StrEnum):
    """What can be done."""

    WATCH = "watch"
    BLOCK = "block"
    ISOLATE = "isolate"
    CONTAIN = "contain"


class How(StrEnum):
    """Who decides."""

    AUTOMATIC = "automatic"
    APPROVAL = "approval"


class Response(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule of the policy. ``seconds`` bounds the measure; automatic ones must end."""

    action: Action
    how: How = How.APPROVAL
    kind: Kind | None = None
    outcome: Outcome | None = None
    level: Literal["informational", "low", "medium", "high", "critical"] = "informational"
    seconds: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None
    also_block: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None
    """Besides, block the address outside for so many seconds, by itself."""

    def fits(self, finding: Finding) -> bool:
        """True when the rule speaks of this finding."""
        return (
            self.kind in (None, finding.kind)
            and self.outcome in (None, finding.outcome)
            and finding.level >= Level[self.level.upper()]
        )


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much the station may do by itself within an hour."""

    measures_per_hour: Annotated[int, Meta(ge=0)] = 30
    measures_per_prefix: Annotated[int, Meta(ge=0)] = 6

    def allows(self, spent: Iterable[str], target: str) -> bool:
        """True when one more measure on ``target`` stays within the budget, given this hour's targets."""
        targets = list(spent)
        near = prefix(target)
        return (
            len(targets) < self.measures_per_hour
            and sum(prefix(other) == near for other in targets) < self.measures_per_prefix
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy of a site."""

    rules: tuple[Response, ...]
    budget: Budget

    def response(self, finding: Finding) -> Response:
        """The first rule that fits; watching when none does."""
        return next((rule for rule in self.rules if rule.fits(finding)), Response(action=Action.WATCH))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: list[Response] = []
    budget: Budget = Budget()


def parse(text: str, where: str) -> Policy:
    """The policy that a TOML text describes. Raises `InputRefused` naming the file and the place."""
    try:
        file = msgspec.toml.decode(text, type=_File)
    except msgspec.MsgspecError as error:
        raise InputRefused(
            f"the policy cannot be used: {error}", where=where, now="Mend the file; the old policy stays."
        ) from error
    for number, rule in enumerate(file.rules, 1):
        contains = rule.action is Action.CONTAIN
        if rule.how is How.AUTOMATIC and contains and rule.outcome is not Outcome.SUCCESS:
            raise InputRefused(
                f"rule {number} contains the site by itself before harm was done",
                where=where,
                now="Add outcome = 'success', or use how = 'approval'.",
            )
        endless = rule.action is not Action.WATCH and not contains and rule.seconds is None
        if rule.how is How.AUTOMATIC and endless:
            raise InputRefused(
                f"rule {number} acts by itself without an end", where=where, now="Give it seconds = …"
            )
    return Policy(tuple(file.rules), file.budget)


@lru_cache(maxsize=1 << 12)
def prefix(target: str) -> str:
    """The neighbourhood of an address (IPv4 /24, IPv6 /48); anything else is its own.

    Worked out once: each block asks it of the whole hour's targets, and an attacker's packets pass meanwhile.
    """
    try:
        length = 24 if ip_address(target).version == 4 else 48
        return str(ip_network(f"{target}/{length}", strict=False))
    except ValueError:
        return target
