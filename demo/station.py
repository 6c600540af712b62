"""Rempart itself, as the demo runs it: started on the gateway, spoken to over the operator's socket, watched."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from demo.programs import Programs
from demo.site import policy_toml, site_toml
from demo.world import GATEWAY, World
from rempart.adapters.socket import connect
from rempart.config import Places
from rempart.engine.orders import AnyOrder
from rempart.errors import RempartError
from rempart.messages import (
    IncidentStatus,
    OpeningStatus,
    OrderDone,
    Ordered,
    OrderRejected,
    Status,
    StatusAsked,
    StatusFollowed,
    ToOperator,
)

TOP = Path(__file__).parent.parent


class StationFailed(Exception):
    """The station did not do what the story needs; the message says what, with its own last words."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Instants of one order, arrival in the guard and the kernel's yes: CLOCK_MONOTONIC in ns, CLOCK_REALTIME in ms."""

    received_ns: int
    enforced_ns: int
    received_ms: int
    enforced_ms: int


class Station:
    """One running station. What it publishes is followed from the start."""

    def __init__(self, world: World, programs: Programs, port: int) -> None:
        self._world = world
        self.port = port
        folder = world.folder / "station"
        folder.mkdir(mode=0o755)
        self.places = Places(
            site=folder / "site.toml",
            state=folder / "state",
            run=folder / "run",
            rules=(TOP / "rules",),
            policy=folder / "policy.toml",
        )
        self.places.site.write_text(site_toml(world.plan, programs))
        (folder / "policy.toml").write_text(policy_toml())
        self._latest: tuple[int, Status] | None = None
        self._news = threading.Condition()
        self._fault: BaseException | None = None
        self._ending = False

    def start(self) -> None:
        """Start it, and return once it has read back from kernel and proxy that all is as it should be."""
        places = self.places
        options = [
            "--site",
            places.site,
            "--state",
            places.state,
            "--run",
            places.run,
            "--rules",
            *places.rules,
        ]
        command = [
            sys.executable,
            "-B",
            "-m",
            "rempart",
            "run",
            *map(str, options),
            "--policy",
            str(places.policy),
        ]
        self._world.start(GATEWAY, "station", [*command, "--port", str(self.port)])
        self._until(self.places.operator_socket.exists, 60)
        threading.Thread(target=self._follow, daemon=True).start()
        self.wait_for(
            lambda status: status.enforcement_verified is not None, 60, "kernel and proxy read back"
        )

    def stop(self) -> None:
        """End it; the kernel keeps its verdicts until the namespace goes."""
        self._ending = True
        self._world.stop("station", patience=12)

    # -- orders and answers --------------------------------------------------------------------------------------

    def order(self, order: AnyOrder) -> OrderDone:
        """Give an order as the local command line does. Raises StationFailed when it is refused."""
        with connect(self.places.operator_socket, incoming=ToOperator) as guard:
            guard.send(Ordered(order=order))
            answer = guard.receive(seconds=30)
        if isinstance(answer, OrderRejected):
            raise StationFailed(f"{type(order).__name__} was refused: {answer.what} {answer.now}")
        assert isinstance(answer, OrderDone)
        return answer

    def cut(self, order: AnyOrder) -> Cut:
        """Give an order and say when it arrived and held, on the clock that the streams are stamped with."""
        before = time.time_ns() - time.monotonic_ns()
        done = self.order(order)
        after = time.time_ns() - time.monotonic_ns()
        if abs(after - before) > 1_000_000:
            raise StationFailed(
                f"the clock was set during the cut ({(after - before) / 1e6:.1f} ms): measure again"
            )
        if done.enforced is None:
            raise StationFailed("the order changed nothing")
        return Cut(
            received_ns=done.received * 1000 - before,
            enforced_ns=done.enforced * 1000 - before,
            received_ms=done.received // 1000,
            enforced_ms=done.enforced // 1000,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one verb of the command line, as a person would on the gateway."""
        return self._world.run(GATEWAY, [sys.executable, "-B", "-m", "rempart", *arguments])

    # -- status --------------------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """The latest status published."""
        if self._latest is None:
            raise StationFailed("the station has said nothing yet")
        return self._latest[1]

    def ask(self) -> Status:
        """The status, asked for now."""
        with connect(self.places.operator_socket, incoming=ToOperator) as guard:
            guard.send(StatusAsked())
            answer = guard.receive(seconds=30)
        assert isinstance(answer, Status)
        return answer

    def wait_for(self, holds: Callable[[Status], bool], seconds: float, what: str) -> int:
        """Wait until a published status satisfies ``holds``; when it arrived (CLOCK_MONOTONIC, ns)."""
        limit = time.monotonic() + seconds
        with self._news:
            while True:
                if self._latest and holds(self._latest[1]):
                    return self._latest[0]
                left = limit - time.monotonic()
                if left <= 0 or self._fault or "station" in self._world.dead():
                    raise StationFailed(f"waited {seconds:.0f} s in vain: {what}\n{self.last_words()}")
                self._news.wait(min(left, 0.5))

    def opening(self, name: str) -> OpeningStatus:
        """One opening as last published."""
        return next(opening for opening in self.status.openings if opening.id == name)

    def incidents_with(self, addresses: tuple[str, ...]) -> Iterator[IncidentStatus]:
        """Incidents in which one of these addresses takes part, as last published."""
        return (incident for incident in self.status.incidents if touches(incident, addresses))

    def last_words(self) -> str:
        """The end of what the station's processes said, for an error."""
        said = self._world.said("station")[-3000:]
        seen = "\n".join(
            f"{i.id}: {i.kinds} actors {i.actors} accounts {i.accounts} assets {i.assets} persons {i.persons_touched}"
            for i in (self._latest[1].incidents if self._latest else ())
        )
        return f"{said}\n{self._fault or ''}\n{seen}"

    def _follow(self) -> None:
        try:
            with connect(self.places.operator_socket, incoming=ToOperator) as guard:
                guard.send(StatusFollowed())
                while True:
                    status = guard.receive()
                    with self._news:
                        self._latest = (time.monotonic_ns(), status)
                        self._news.notify_all()
        except RempartError as fault:
            if not self._ending:
                self._fault = fault

    def _until(self, ready: Callable[[], bool], seconds: float) -> None:
        limit = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > limit or "station" in self._world.dead():
                raise StationFailed(f"the station did not start\n{self.last_words()}")
            time.sleep(0.02)


def touches(incident: IncidentStatus, addresses: tuple[str, ...]) -> bool:
    """Whether one of the addresses takes part in the incident."""
    return bool({*incident.actors, *incident.assets} & set(addresses))
