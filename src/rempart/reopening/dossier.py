"""The dossier of a reopening: what people decided and proved beside the gates themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rempart.instants import Instant


class ProofKind(StrEnum):
    """What can be proven on a date."""

    SECRETS = "secrets"  # passwords, certificates, a vendor's account were renewed
    SCAN = "scan"  # a machine was checked
    RESTORE = "restore"  # a backup was restored in a test


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Something was done to ``subject`` at ``on``; the latest counts."""

    on: Instant
    proof: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """What the other side asks before it lets *us* in again: a laboratory may have cut you."""

    condition: str
    met: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A trial without its second approver: somebody else must confirm it by ``due``."""

    by: str
    at: Instant
    due: Instant
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Stages that people moved, partners' conditions, dated proofs, overrides still to be confirmed."""

    stages: Mapping[str, int] = field(default_factory=dict)
    partners: Mapping[str, Partner] = field(default_factory=dict)
    proofs: Mapping[str, Mapping[str, Proof]] = field(default_factory=dict)
    """By kind, then by subject."""
    overrides: Mapping[str, Override] = field(default_factory=dict)

    def proof(self, kind: ProofKind, subject: str) -> Proof | None:
        """The latest proof of that kind about that subject."""
        return self.proofs.get(kind.value, {}).get(subject)
