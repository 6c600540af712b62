"""Prober: asks the services of site.toml whether they run, and the wall whether it is shut. It has no privilege."""

import asyncio
import logging
import sys
from collections.abc import Coroutine
from pathlib import Path

from rempart.adapters import pack, probe
from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import dial
from rempart.config import Places
from rempart.errors import StationUnreachable
from rempart.messages import FromProber, PackSeen, ProbeAnswered, ToProber
from rempart.site.probe import Probe
from rempart.site.site import DowntimePack, Site
from rempart.station.starting import started

_log = logging.getLogger("rempart.prober")

TWICE = 2
"""Silences in a row after which a service is said not to answer: one lost packet is no news."""

PACK_EVERY = 300.0
"""Seconds between two looks at the downtime pack."""

_PACK = ""
"""What the pack is noted under: no probe has that id."""

_AGAIN = 1.0
"""Seconds before the guard is called again."""


class Prober:
    """Asks in turn, and tells the guard. What it could not tell is asked again anyway."""

    def __init__(self, site: Site, places: Places) -> None:
        self._site = site
        self._places = places
        self._clock = SystemClock()
        self._untold: dict[str, FromProber] = {}
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Ask until cancelled."""
        asking: list[Coroutine[None, None, None]] = [self._ask(each) for each in self._site.probes]
        if self._site.downtime_pack:
            asking.append(self._look(self._site.downtime_pack))
        async with asyncio.TaskGroup() as tasks:
            for one in asking:
                tasks.create_task(one)
            tasks.create_task(self._tell())

    async def _ask(self, question: Probe) -> None:
        silences = 0
        while True:
            asked = self._clock.now()
            answer = await asyncio.to_thread(probe.ask, question)
            silences = 0 if answer.answered else silences + 1
            if answer.answered or silences >= TWICE:
                said = ProbeAnswered(
                    asked=asked, probe=question.id, answered=answer.answered, detail=answer.detail
                )
                self._note(question.id, said)
            await asyncio.sleep(question.every if not silences or silences >= TWICE else 1.0)

    async def _look(self, wanted: DowntimePack) -> None:
        while True:
            try:
                sha256, written = await asyncio.to_thread(pack.look, Path(wanted.path))
            except OSError as fault:
                _log.warning("%s: the downtime pack cannot be looked at: %s", wanted.path, fault.strerror)
            else:
                self._note(_PACK, PackSeen(sha256=sha256, written=int(written)))
            await asyncio.sleep(PACK_EVERY)

    def _note(self, about: str, said: FromProber) -> None:
        """To be told, in the place of what was not told about it before: a guard that comes back needs no history."""
        self._untold[about] = said
        self._news.set()

    async def _tell(self) -> None:
        while True:
            try:
                connection = await dial(self._places.probe_socket, incoming=ToProber)
            except StationUnreachable:
                await asyncio.sleep(_AGAIN)
                continue
            try:
                while True:
                    await self._news.wait()
                    self._news.clear()
                    for about in tuple(self._untold):
                        await connection.send(self._untold.pop(about))
            except ConnectionError:
                await asyncio.sleep(_AGAIN)
            finally:
                connection.close()


async def serve_prober(places: Places, site: Site) -> None:
    """Ask until cancelled."""
    await Prober(site, places).run()


def main() -> int:
    """``python -m rempart.station.prober``: started by `rempart run` or by systemd, never by hand."""
    return started("prober", __doc__, serve_prober)


if __name__ == "__main__":
    sys.exit(main())
