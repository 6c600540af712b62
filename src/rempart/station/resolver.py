"""Answers for names: unprivileged, in front of unbound; what an answer opens is in the kernel before it is told.

Holds nothing between answers: an answer from a memory of ours would open nothing. While the guard is away, names of
openings wait for it a moment and are then answered with "later"; what was leased before holds until its time is over.
"""

import asyncio
import contextlib
import itertools
import logging
import sys
from collections import Counter, OrderedDict
from pathlib import Path

import msgspec

from rempart.adapters.clock import SystemClock
from rempart.adapters.resolve import wire
from rempart.adapters.resolve.listen import Listener
from rempart.adapters.resolve.upstream import Upstream
from rempart.adapters.socket import Connection, dial
from rempart.config import Places
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.names import Address, Admitted, Asker, Names, Outcome, Permit, Refusal
from rempart.errors import DecodeError, RempartError, StationUnreachable
from rempart.messages import NameLeased, NameRefusal, NameResolved, NamesRefused, OpeningsStand, ToResolver
from rempart.ports import Clock
from rempart.site.site import Site
from rempart.station.ending import stopped
from rempart.station.starting import started

_log = logging.getLogger("rempart.resolver")

_PATIENCE = 2.0
"""Seconds that an answer waits for a guard that is away or does not reply."""
_AGAIN = 0.2
_TOLD_EVERY = 2.0
_REMEMBERED = 200
_SHOWN = 20
_LONGEST_NAME = 80


class Refusals:
    """What was refused, counted; of names only the latest, so that nobody fills memory with invented ones."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()
        self._names: OrderedDict[tuple[str, Refusal], NameRefusal] = OrderedDict()
        self.changed = False

    def add(self, name: str, reason: Refusal, clock: Clock) -> None:
        """One more."""
        key = (name[:_LONGEST_NAME], reason)
        known = self._names.pop(key, None)
        self._names[key] = NameRefusal(
            name=key[0], reason=reason, times=1 + (known.times if known else 0), last=clock.now()
        )
        if len(self._names) > _REMEMBERED:
            self._names.popitem(last=False)
        self._times[reason] += 1
        self.changed = True

    def told(self) -> NamesRefused:
        """The counts and the latest names, the latest first."""
        self.changed = False
        latest = itertools.islice(reversed(self._names.values()), _SHOWN)
        return NamesRefused(times=dict(self._times), latest=list(latest))


class Guarded:
    """The conversation with the guard, begun again whenever it ends."""

    def __init__(self, path: Path, refusals: Refusals) -> None:
        self._path = path
        self._refusals = refusals
        self._connection: Connection | None = None
        self._there = asyncio.Event()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[NameLeased]] = {}
        self.standing: Enforcement | None = None
        """How openings stand, as last told; None: never told."""

    async def run(self) -> None:
        """Keep the conversation going until cancelled."""
        while True:
            try:
                self._connection = await dial(self._path, incoming=ToResolver)
            except StationUnreachable:
                await asyncio.sleep(_AGAIN)
                continue
            telling = asyncio.create_task(self._tell(self._connection))
            self._there.set()
            try:
                await self._listen(self._connection)
            finally:
                telling.cancel()
                self._there.clear()
                self._connection.close()
                self._give_up()
            _log.warning("the guard went away")

    async def lease(self, resolved: NameResolved) -> str:
        """Have an answer's addresses opened; why not, or nothing."""
        resolved = msgspec.structs.replace(resolved, request=next(self._numbers))
        answer: asyncio.Future[NameLeased] = asyncio.get_running_loop().create_future()
        self._waiting[resolved.request] = answer
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._there.wait()
                assert self._connection
                await self._connection.send(resolved)
                return (await answer).fault
        except (TimeoutError, ConnectionError):
            return "the guard does not answer"
        finally:
            self._waiting.pop(resolved.request, None)

    async def _listen(self, connection: Connection) -> None:
        while (message := await connection.receive()) is not None:
            match message:
                case OpeningsStand():
                    self.standing = _enforcement(message)
                case NameLeased(request=request):
                    waiting = self._waiting.get(request)
                    if waiting and not waiting.done():
                        waiting.set_result(message)

    async def _tell(self, connection: Connection) -> None:
        with contextlib.suppress(ConnectionError):  # told again when it is back
            while True:
                if self._refusals.changed:
                    await connection.send(self._refusals.told())
                await asyncio.sleep(_TOLD_EVERY)

    def _give_up(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError("the guard went away"))


def _enforcement(said: OpeningsStand) -> Enforcement:
    return Enforcement(
        stands={
            name: Stand(state=stand.state, until=stand.until, then=stand.then)
            for name, stand in said.stands.items()
        },
        contained=said.contained,
    )


class Resolver:
    """One answer for each question: judged before unbound is asked, judged again after, opened, then told."""

    def __init__(
        self, site: Site, guard: Guarded, upstream: Upstream, refusals: Refusals, clock: Clock
    ) -> None:
        self._names = Names(site)
        self._guard = guard
        self._upstream = upstream
        self._refusals = refusals
        self._clock = clock

    async def reply(self, data: bytes, client: Address, datagram: bool) -> bytes | None:  # noqa: FBT001  a `listen.Reply`
        """The reply to the bytes of a question; None when they are none."""
        try:
            asked = wire.read_question(data)
        except DecodeError as fault:
            _log.debug("%s asked nothing: %s", client, fault)
            return None
        reply = await self._answered(asked, client)
        return wire.fitted(asked, reply) if datagram else reply

    async def _answered(self, asked: wire.Asked, client: Address) -> bytes:
        asker, standing = self._names.asker(client), self._guard.standing
        if asker is None:
            return self._refused(asked, Refusal.STRANGER)
        if standing is None:
            return wire.write_failure(asked)
        permit = self._names.judge(asked.question, asker, standing, self._clock.now())
        if isinstance(permit, Refusal):
            return self._refused(asked, permit)
        if permit.outcome is not Outcome.ASK:
            return wire.write_addresses(asked, (), 0, exists=permit.outcome is Outcome.EMPTY)
        try:
            number = self._upstream.number()
            data = await self._upstream.ask(number, wire.write_question(asked, number))
            heard = wire.read_answer(asked, number, data)
        except (RempartError, TimeoutError) as fault:
            _log.debug("no answer for %r: %s", asked.question.name, fault)
            return wire.write_failure(asked)
        return await self._admitted(asked, asker, permit, heard)

    async def _admitted(self, asked: wire.Asked, asker: Asker, permit: Permit, heard: wire.Heard) -> bytes:
        admitted = self._names.admit(asked.question, permit, heard.answer)
        if isinstance(admitted, Refusal):
            return self._refused(asked, admitted)
        if heard.others:
            return wire.write_records(asked, heard)
        if admitted.openings and admitted.addresses and (fault := await self._opened(asked, asker, admitted)):
            _log.warning("%r leads nowhere: %s", asked.question.name, fault)
            self._refusals.add(asked.question.name, Refusal.FAILED, self._clock)
            return wire.write_failure(asked)
        return wire.write_addresses(asked, admitted.addresses, admitted.seconds, exists=heard.exists)

    async def _opened(self, asked: wire.Asked, asker: Asker, admitted: Admitted) -> str:
        """Have the guard lease what the answer opens; why not, or nothing."""
        return await self._guard.lease(
            NameResolved(
                request=0,
                client=str(asker.address),
                name=asked.question.name,
                kind=asked.question.kind,
                openings=[opening.id for opening in admitted.openings],
                addresses=[str(address) for address in admitted.addresses],
                seconds=admitted.seconds,
            )
        )

    def _refused(self, asked: wire.Asked, reason: Refusal) -> bytes:
        self._refusals.add(asked.question.name, reason, self._clock)
        return wire.write_refusal(asked, reason)


async def serve_resolver(places: Places, site: Site) -> None:
    """Answer until SIGTERM."""
    clock = SystemClock()
    refusals = Refusals()
    guard = Guarded(places.resolver_socket, refusals)
    upstream = await Upstream.connect()
    listener = Listener(Resolver(site, guard, upstream, refusals, clock).reply)
    await listener.open()
    talking = asyncio.create_task(guard.run())
    try:
        await stopped({talking})
    finally:
        talking.cancel()
        await listener.close()
        upstream.close()


def main() -> int:
    """``python -m rempart.station.resolver``: started by `rempart run` or by systemd, never by hand."""
    return started("resolver", __doc__, serve_resolver)


if __name__ == "__main__":
    sys.exit(main())
