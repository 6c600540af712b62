"""The gate's part: its files, its map of states, and the sessions that a closing must end."""

from collections.abc import Mapping

from rempart.adapters.enforce.runtime import Runtime, opening_states, write
from rempart.config import Places
from rempart.containment.measure import Enforcement
from rempart.containment.render.gate import config, servers, states, states_map
from rempart.site.opening import OpeningState
from rempart.site.site import Site


class Gate:
    """The haproxy that reads names in TLS; nothing to do at a site that has no opening on shared addresses."""

    def __init__(self, site: Site, places: Places) -> None:
        self._site = site
        self._places = places
        self._runtime = Runtime("the gate", places.gate_socket, (places.gate_map,))
        self._needed = bool(states(site, Enforcement(stands={})))

    def enforce(self, wanted: Enforcement) -> None:
        """Bring the gate to ``wanted``; sessions of what is closed are ended. Raises EnforcementFailed.

        Its files are written even when it does not run yet, so that it starts in the wanted state.
        """
        if not self._needed:
            return
        for path, text in (
            (self._places.gate_map, states_map(self._site, wanted)),
            (self._places.gate_config, config(self._site, self._places)),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, text)
        goal = states(self._site, wanted)
        closed = [server for server, name in servers(self._site) if goal[name] is OpeningState.CLOSED]
        held = self._runtime.hold(
            {self._places.gate_map: goal}, *(f"shutdown sessions server {server}" for server in closed)
        )
        self._runtime.insist(held, goal)

    def read(self) -> Mapping[str, OpeningState]:
        """Opening id and state, as the running gate holds them. Raises EnforcementFailed."""
        return opening_states(self._runtime.held(self._runtime.until())) if self._needed else {}
