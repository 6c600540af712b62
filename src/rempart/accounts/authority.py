"""By what right an order comes: who gives it, how well that was proved, and what an order asks for."""

from dataclasses import dataclass
from enum import IntEnum

from rempart.accounts.person import Role


class Proof(IntEnum):
    """How well it is proved that this very person wants this very order; each includes those before it."""

    SESSION = 1
    """They signed in. Whoever holds the browser, or the console's process, can use it."""
    PASSKEY = 2
    """Their passkey signed the digest of the exact order, once (WebAuthn level 2, 7.2)."""
    LOCAL = 3
    """The kernel says that it comes from the command line of a user who may do everything on this box."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who gives an order, as the guard found out. ``person`` None: a user of the box, or nobody has accounts yet."""

    person: str | None
    proof: Proof
    roles: frozenset[Role] = frozenset()
    """Of somebody without an account: whoever opened the sealed envelope."""


LOCAL = Authority(None, Proof.LOCAL)
"""The command line on the box: root, or a user that root named."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What an order asks of whoever gives it: one of these roles, and at least that proof."""

    roles: frozenset[Role]
    proof: Proof
