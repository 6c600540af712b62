"""The gateway of a site, kernel, proxy and gate together, as one `ports.Enforcer`.

The kernel goes first, always. Tightening: no packet waits for the proxy. Loosening: until the proxy follows, visitors
still read the maintenance page. If the proxy fails, the kernel already holds what was decided.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rempart.adapters.enforce.gate import Gate
from rempart.adapters.enforce.haproxy import Pages, Proxy
from rempart.adapters.enforce.nftables import Kernel
from rempart.config import Places
from rempart.containment.measure import Enforcement, Stand, stricter
from rempart.containment.names import Lease
from rempart.errors import RempartError
from rempart.instants import Instant
from rempart.site.opening import OpeningState
from rempart.site.site import Site


class Gateway:
    """Enforces in the network namespace in which it was made. Not for use by two threads at once."""

    def __init__(self, site: Site, places: Places, pages: Pages) -> None:
        self._kernel = Kernel(site)
        self._proxy = Proxy(site, places, pages)
        self._gate = Gate(site, places)

    def enforce(self, wanted: Enforcement, now: Instant) -> None:
        """Bring kernel, then proxy, then gate to ``wanted``. Raises EnforcementFailed (saying which) or InputRefused.

        When the proxy is not running yet its files are written all the same: it starts in the wanted state. When
        one of them refuses, the others are brought to ``wanted`` nevertheless: a request has to pass all.
        """
        refused: list[RempartError] = []
        deeds: tuple[Callable[[], None], ...] = (
            lambda: self._kernel.enforce(wanted, now),
            lambda: self._proxy.enforce(wanted, now),
            lambda: self._gate.enforce(wanted),
        )
        for deed in deeds:
            try:
                deed()
            except RempartError as fault:
                refused.append(fault)
        if refused:
            raise refused[0]

    def settle(self) -> None:
        """Write what the proxy reads when it starts again. Raises EnforcementFailed."""
        self._proxy.settle()

    def hold(self, leases: Sequence[Lease]) -> None:
        """Let these leases hold from now on: the kernel's part alone. Raises EnforcementFailed."""
        self._kernel.hold(leases)

    def refused(self) -> Mapping[str, int]:
        """What the kernel has refused, by counter."""
        return self._kernel.refused()

    def read(self, now: Instant) -> Enforcement:
        """What holds; where kernel and proxy (or gate) judge an opening, the stricter: a request has to pass both.

        Certificates that were renewed since are handed to the proxy on the way.
        """
        held = self._kernel.read(now)
        self._proxy.take_up_certificates()
        gated = {name: Stand(state=state) for name, state in self._gate.read().items()}
        proxied = {**self._proxy.read(), **gated}
        return replace(
            held,
            stands={name: _both(stand, proxied.get(name)) for name, stand in held.stands.items()},
        )


def _both(kernel: Stand, proxy: Stand | None) -> Stand:
    if proxy is None:
        return kernel
    if stricter(kernel.state, proxy.state) is not kernel.state:
        return Stand(state=proxy.state)
    if kernel.state is OpeningState.CLOSED:
        return kernel
    return replace(kernel, limits=kernel.limits or proxy.limits)
