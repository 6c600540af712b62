"""Group door: hears from those who may cut the whole group, and asks the guard to cut. It has no privilege."""

import asyncio
import logging
import sys
from pathlib import Path

from rempart.adapters import mutual
from rempart.adapters.socket import dial
from rempart.config import Places
from rempart.errors import InputRefused, RempartError
from rempart.messages import CutAsked, GroupAnswer, GroupCutAsked, OrderRejected, ToGroupDoor
from rempart.phrase import advice, phrase
from rempart.site.group import GroupDoor
from rempart.site.site import Site
from rempart.station.starting import started

_log = logging.getLogger("rempart.group")

ANSWERS_WITHIN = 20.0
"""Seconds the guard may take, a slow disk included."""


class Door:
    """One door. It can pass on one kind of order, which tightens, and nothing else."""

    def __init__(self, door: GroupDoor, places: Places) -> None:
        self._door = door
        self._places = places

    async def run(self) -> None:
        """Listen until cancelled."""
        context = mutual.server_context(Path(self._door.certificate), Path(self._door.trusted))
        server = await mutual.serve(self._door.address, self._door.port, context, GroupCutAsked, self.pass_on)
        async with server:
            await server.serve_forever()

    async def pass_on(self, asked: GroupCutAsked, name: str) -> GroupAnswer:
        """The guard's own answer; when it gives none, that it does not."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                connection = await dial(self._places.group_socket, incoming=ToGroupDoor)
                try:
                    by = f"{asked.by} ({name})"
                    await connection.send(CutAsked(by=by, reason=asked.reason))
                    answer: GroupAnswer | None = await connection.receive()
                finally:
                    connection.close()
        except (RempartError, ConnectionError, TimeoutError) as fault:
            _log.error("the guard does not answer: %s", fault)
            answer = None
        if answer is None:
            said = phrase("guard-silent")
            return OrderRejected(what=said.text, now=advice(said), said=said)
        return answer


async def serve_group_door(places: Places, site: Site) -> None:
    """Listen until cancelled. Raises `InputRefused` when the site has no group."""
    if site.group is None:
        raise InputRefused(
            "site.toml has no [group]",
            where=str(places.site),
            now="Write one (docs/operating/group.md), or do not start this unit.",
        )
    await Door(site.group, places).run()


def main() -> int:
    """``python -m rempart.station.group_door``: started by `rempart run` or by systemd, never by hand."""
    return started("group", __doc__, serve_group_door)


if __name__ == "__main__":
    sys.exit(main())
