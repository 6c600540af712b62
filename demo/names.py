"""A ward while the site is cut: one hosted service is found by its name, and names are no way to anything else.

Asked and tried from the wards' own network, through the station's resolver, unbound and the kernel: see
docs/design/names.md. Whether a name came out is read where it would arrive, at the name server outside.
"""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

import dns.exception
import dns.message
import dns.query

from demo.programs import NAME_SERVER
from demo.request import ask
from demo.world import World

Attempt = Callable[[], bool]
"""One thing that must not be possible; whether it was."""

_TUNNELLED = 12
"""Names with data in them, of each kind and below each name."""
_SETTLES = 0.5
"""Seconds after which a question that got out has arrived."""


@dataclass(slots=True)
class Tried:
    """What came of it."""

    made: int = 0
    """First connections after an answer."""
    failed: int = 0
    forbidden: dict[str, int] = field(default_factory=dict)
    """Attempts past the name, by kind."""
    passed: dict[str, int] = field(default_factory=dict)
    """Of these, what passed."""


class Names:
    """The wards' side of it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plan = world.plan
        self._machines = world.plan.host("ward-staff").addresses
        self._hosted = world.plan.address("prescriptions")
        self._dice = Random(world.plan.seed)

    def tried(self) -> Tried:
        """Everything that must not pass, before and after what must."""
        tried = Tried()
        self._try(tried, self._unasked())
        for machine in self._machines:
            tried.made += 1
            tried.failed += not self._connects_at_once(machine)
        self._try(tried, self._past_the_name())
        hidden = [f"{self._data()}.{below}" for below in self._bases() for _ in range(_TUNNELLED)]
        for number, name in enumerate(hidden):
            self._ask(name, ("A", "TXT")[number % 2], self._machines[number % len(self._machines)])
        time.sleep(_SETTLES)
        came_out = self._world.said(NAME_SERVER)
        if f"asked {self._plan.prescriptions}\n" not in came_out:
            tried.failed += 1  # a name server that tells nothing would prove nothing
        self._try(tried, (("tunnel in names", lambda n=name: n in came_out) for name in hidden))  # type: ignore[misc]
        return tried

    def _try(self, tried: Tried, attempts: Iterator[tuple[str, Attempt]]) -> None:
        for kind, attempt in attempts:
            tried.forbidden[kind] = tried.forbidden.get(kind, 0) + 1
            tried.passed[kind] = tried.passed.get(kind, 0) + attempt()

    def _unasked(self) -> Iterator[tuple[str, Attempt]]:
        """The hosted service's own address, from machines that have not asked for its name."""
        for machine in self._machines:
            yield "direct address", lambda m=machine: self._opens(self._hosted, m)  # type: ignore[misc]

    def _past_the_name(self) -> Iterator[tuple[str, Attempt]]:
        machine = self._machines[0]
        for address in (self._plan.address("internet"), self._plan.address("command")):
            yield "direct address", lambda a=address: self._opens(a, machine)  # type: ignore[misc]
        for name in ("www.example", f"x.{self._plan.prescriptions}", f"{self._plan.prescriptions}.example"):
            for kind in ("A", "TXT"):
                yield "wrong name", lambda n=name, k=kind: self._is_told(n, k, machine)  # type: ignore[misc]
        for over_tcp in (False, True):
            yield "other resolver", lambda t=over_tcp: self._other_answers(machine, over_tcp=t)  # type: ignore[misc]

    def _connects_at_once(self, machine: str) -> bool:
        """Ask for the name, then connect: nothing waits in between."""
        reply = self._ask(self._plan.prescriptions, "A", machine)
        told = [record.address for rrset in reply.answer for record in rrset] if reply else []
        return told == [self._hosted] and self._opens(self._hosted, machine)

    def _opens(self, address: str, machine: str) -> bool:
        namespace = self._world.path("ward-staff")
        return ask((address, 443), "/", source=machine, namespace=namespace, timeout=0.5).status == 200

    def _is_told(self, name: str, kind: str, machine: str) -> bool:
        reply = self._ask(name, kind, machine)
        return reply is None or bool(reply.answer)  # silence proves nothing

    def _ask(self, name: str, kind: str, machine: str) -> dns.message.Message | None:
        return self._asked(self._plan.gateway["wards"], name, kind, machine, patience=3)

    def _other_answers(self, machine: str, *, over_tcp: bool) -> bool:
        name = self._plan.prescriptions
        other = self._plan.name_server
        return self._asked(other, name, "A", machine, patience=0.3, over_tcp=over_tcp) is not None

    def _asked(
        self, server: str, name: str, kind: str, machine: str, *, patience: float, over_tcp: bool = False
    ) -> dns.message.Message | None:
        question = dns.message.make_query(name, kind)
        way = dns.query.tcp if over_tcp else dns.query.udp

        def put() -> dns.message.Message | None:
            try:
                return way(question, server, timeout=patience, source=machine)
            except (dns.exception.Timeout, OSError, EOFError):
                return None

        return self._world.enter("ward-staff", put)

    def _bases(self) -> tuple[str, str]:
        """Below which names data would travel: somebody's own, and the one that is allowed."""
        return "t.command.example", self._plan.prescriptions

    def _data(self) -> str:
        return base64.b32encode(self._dice.randbytes(20)).decode().lower()
