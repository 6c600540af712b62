"""How often the state is sealed whole: the larger it is, the more entries come before the next time."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from rempart.adapters.clock import SystemClock
from rempart.adapters.journal import Journal
from rempart.engine.inputs import Delayed
from rempart.instants import Instant
from rempart.station.scribe import SNAPSHOT_EVERY, SNAPSHOT_SHARE, Scribe

NOW = Instant(1_790_000_000_000_000)


async def late(_: Delayed) -> None:
    """Nothing is late here."""


@pytest.mark.parametrize(
    ("image", "after"),
    [(b"{}", SNAPSHOT_EVERY), (bytes(3 * SNAPSHOT_EVERY * SNAPSHOT_SHARE), 3 * SNAPSHOT_EVERY)],
)
def test_a_large_state_is_sealed_after_more_entries(tmp_path: Path, image: bytes, after: int) -> None:
    path = tmp_path / "journal.db"
    with closing(Journal.open(path, tmp_path / "keys", origin="rempart/t", now=NOW)) as journal:
        scribe = Scribe(journal, SystemClock(), late)

        def snapshot_after(entries: int) -> int:
            journal.seal_all([("finding", {})] * entries, at=NOW)
            asyncio.run(scribe.snapshot_if_due(lambda: image))
            latest = journal.latest_snapshot()
            return latest[0] if latest else 0

        first = snapshot_after(SNAPSHOT_EVERY)
        assert first
        so_far = journal.head[0]
        assert snapshot_after(after - (so_far - first) - 1) == first
        assert snapshot_after(so_far - first + 1) > first
        scribe.close()
