"""What the engine's commands need from the world: Protocols, nothing else.

Every port has an in-memory twin that passes the same test suite as the real one.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from rempart.containment.measure import Enforcement
from rempart.containment.names import Lease
from rempart.instants import Instant
from rempart.telling.message import Letter


class Enforcer(Protocol):
    """The kernel and the proxy of a site.

    ``enforce`` may be called any number of times with the same value: repeating changes nothing. It raises
    `EnforcementFailed` when the world refused; what was applied until then stays (never loosened half-way: the
    kernel's part is one transaction).
    """

    def enforce(self, wanted: Enforcement, now: Instant) -> None:
        """Bring the world to ``wanted``. ``now`` turns absolute deadlines into kernel timeouts."""
        ...

    def settle(self) -> None:
        """Write down for what starts later (a proxy) what was enforced last: soon after, nobody waits for it.

        Raises `EnforcementFailed`; to be called again then.
        """
        ...

    def read(self, now: Instant) -> Enforcement:
        """What the world holds, as read back from it, deadlines rebuilt from remaining timeouts (±2 s)."""
        ...

    def refused(self) -> Mapping[str, int]:
        """Packets refused, and passed by openings, since the table was loaded, by the name of what counted them.

        Raises EnforcementFailed.
        """
        ...


class Lessor(Protocol):
    """The kernel's leases: which machine reaches which address through an opening that has names."""

    def hold(self, leases: Sequence[Lease]) -> None:
        """Let these hold from now on, all or none; one that holds already begins again.

        Raises `EnforcementFailed` when the kernel has no room or holds no table of this site.
        """
        ...


class Carrier(Protocol):
    """A way to a person: a mail server, a modem, a provider, a web server.

    ``carry`` may be called again with the same letter: its id is given to whoever can recognise it. It blocks, for a
    minute at most, and raises `NotHandedOver`.
    """

    def carry(self, address: str, letter: Letter) -> None:
        """Hand the letter over for that address."""
        ...


class Clock(Protocol):
    """Where ``now`` comes from."""

    def now(self) -> Instant:
        """The present instant."""
        ...
