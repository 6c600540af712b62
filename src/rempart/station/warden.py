"""Warden: brings the world to what the journal decides, reads it back, and says what differs. It decides nothing.

While a loosening waits for its seal, the world is only made tighter: what is held then is the tightest of all asked.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from rempart.containment.measure import Enforcement, disagreements, tightest
from rempart.engine.inputs import Repaired
from rempart.errors import EnforcementFailed, RempartError
from rempart.instants import Instant, seconds
from rempart.ports import Clock, Enforcer
from rempart.station.leasing import Leasing

_log = logging.getLogger("rempart.guard")

SETTLING = 0.02
"""Seconds after a change until files that only a later start reads are written: whoever ordered has his answer then."""

READ_BACK = 3.0
"""Seconds between two comparisons of the kernel and the proxy with the journal."""

LASTS = seconds(30)
"""How long a difference must stay before somebody is asked for: at a start the proxy takes some."""

_LONGEST_FAULT = 2_000
"""Characters of what differs: a hundred thousand blocks may be missing at once."""

_Told = TypeVar("_Told")


class Warden:
    """The kernel and the proxy as the guard uses them. ``leasing`` is told what stands, for the names of openings."""

    def __init__(
        self,
        enforcer: Enforcer,
        clock: Clock,
        differs: Callable[[Repaired], Awaitable[object]],
        leasing: Leasing | None = None,
    ) -> None:
        """``differs`` is told when the world is found otherwise than the journal says, and when it holds again."""
        self.verified: Instant | None = None
        """When the world was last found as it should be."""
        self.fault = ""
        """What differs; empty when nothing does."""
        self._enforcer = enforcer
        self._clock = clock
        self._differs = differs
        self._leasing = leasing
        self._held: Enforcement | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._faulty_since: Instant | None = None
        self._fault_lasts = False

    def enforce(self, wanted: Enforcement, *, only_tighten: bool) -> None:
        """Bring the world to ``wanted``. Raises `EnforcementFailed`."""
        self._held = tightest(self._held, wanted) if only_tighten and self._held else wanted
        held, now = self._held, self._clock.now()
        try:
            _world(lambda: self._enforcer.enforce(held, now))
        finally:
            self._settle_in(SETTLING)
            if self._leasing:  # the kernel judges; what is leased beyond that leads nowhere
                self._leasing.stand(held)

    def refused(self) -> Mapping[str, int]:
        """Packets refused since the table was loaded, by the name of what counted them. Raises `EnforcementFailed`."""
        return _world(self._enforcer.refused)

    async def compare(self, decided: Enforcement, *, only_tighten: bool) -> bool:
        """Compare the world with what is decided and repair what differs. True when nothing did."""
        now = self._clock.now()
        wanted = self._held if only_tighten and self._held else decided
        try:
            wrong = disagreements(wanted, _world(lambda: self._enforcer.read(now)), now)
        except RempartError as fault:
            wrong = (fault.diagnostics(),)  # no table, no proxy: what cannot be read is made anew
        try:
            if wrong:
                self.enforce(wanted, only_tighten=only_tighten)
        except RempartError as fault:
            await self._faulty(fault.diagnostics(), repaired=False)
            return False
        if wrong:
            await self._faulty("; ".join(wrong), repaired=True)
            return False
        if self._fault_lasts:  # somebody was told: it is over
            await self._differs(Repaired(self._clock.now(), "it holds again", repaired=True))
        self.fault, self._faulty_since, self._fault_lasts = "", None, False
        self.verified = self._clock.now()
        return True

    async def _faulty(self, what: str, *, repaired: bool) -> None:
        what, now = what[:_LONGEST_FAULT], self._clock.now()
        self._faulty_since = self._faulty_since or now
        # What is repaired again and again, and never found to hold, lasts too.
        lasts = now - self._faulty_since >= LASTS
        if what != self.fault or (lasts and not self._fault_lasts):
            self.fault = what
            _log.warning("the world differs from the journal%s: %s", " (repaired)" if repaired else "", what)
            await self._differs(Repaired(now, what, repaired, lasts))
        self._fault_lasts = lasts or self._fault_lasts

    def close(self) -> None:
        """Write what is still to be settled."""
        if self._settling:
            self._settling.cancel()
            self._settle()

    def _settle_in(self, delay: float) -> None:
        self._settling = self._settling or asyncio.get_running_loop().call_later(delay, self._settle)

    def _settle(self) -> None:
        self._settling = None
        try:
            _world(self._enforcer.settle)
        except EnforcementFailed as fault:
            _log.error("%s", fault.diagnostics())
            self._settle_in(READ_BACK)


def _world(deed: Callable[[], _Told]) -> _Told:
    """Do or read something out there. What fails in a way nobody foresaw is a fault of the world too."""
    try:
        return deed()
    except RempartError:
        raise
    except Exception as defect:
        _log.exception("enforcing failed")
        raise EnforcementFailed(f"enforcing failed: {type(defect).__name__}: {defect}") from defect
