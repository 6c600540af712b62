"""Findings wait a second for the pages, so many at most; what still waits at the end is written."""

from dataclasses import replace
from pathlib import Path

from rempart.adapters.store.findings import FindingStore, Seen
from rempart.detection.detector import Detection
from rempart.detection.sigma import load
from rempart.events.decode import DECODERS
from rempart.instants import parse_rfc3339
from rempart.station.shelf import NOTED, Shelf
from station.watched import RULES, request

NOW = parse_rfc3339("2026-11-20T03:00:00Z")


def test_a_flood_is_kept_up_to_a_bound_and_written_at_the_end(tmp_path: Path) -> None:
    event = DECODERS["nginx"](request(1, "/.env").strip(), "portal.log", 1)
    assert event
    (finding,) = Detection(load([("all.yml", RULES)])).feed(event)
    gallery = FindingStore(tmp_path / "findings.db", bytes(32), lambda _: False)
    shelf = Shelf(gallery)
    for number in range(NOTED + 10):
        shelf.note(Seen(replace(finding, id=f"{number:064}"), NOW))
    shelf.finish()
    ((_, written),) = gallery.days()
    assert written == NOTED
    gallery.close()
