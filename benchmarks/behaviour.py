"""How often behaviour detectors speak on the development corpus, and what they cost.

    .venv/bin/python -m benchmarks.behaviour [CORPUS]

The corpus is attack labs with their noise, not ordinary life: a finding there may be right. What counts is how few
there are for so many events. Lines of Zeek and Linux are given as they are, each log in order of time.
"""

import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import zstandard

from rempart.detection.behaviour import scanning
from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.behaviour.sighting import Eyes
from rempart.detection.finding import Level
from rempart.events.decode import windows
from rempart.events.event import Event, LogSource
from rempart.instants import Duration, Instant, from_datetime, hours, seconds

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, compressed or not."""
    stream: Any = path.open("rb")
    if path.suffix == ".zst":
        stream = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(stream))
    with stream:
        yield from stream


def stories(folder: Path) -> Iterator[tuple[str, list[Event]]]:
    """Each archive or folder of one origin as one story, its events in order of time."""
    if folder.name == "windows":
        events = [
            windows.decode(line, "windows", n)
            for n, line in enumerate(lines(folder / "otrf_windows_dev.ndjson.zst"), 1)
        ]
        for row in (folder / "zips.tsv").read_text().splitlines()[1:]:
            archive, first, last = _span(row)
            yield archive, ordered(events[first - 1 : last])
        return
    groups: dict[str, list[Event]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".ndjson", ".zst", ".log"):
            groups.setdefault(path.name.partition("_zeek_logs_")[0], []).extend(_json(path))
    yield from ((name, ordered(events)) for name, events in groups.items())


def _span(row: str) -> tuple[str, int, int]:
    words = row.split("\t")
    first, last = (int(word) for word in words[-2:])
    return words[0], first, last


def _json(path: Path) -> Iterator[Event]:
    for number, line in enumerate(lines(path), 1):
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(said, dict):
            yield Event(LogSource(), said, path.name, number, _time(said))


def _time(said: dict[str, Any]) -> Instant | None:
    written = said.get("ts", said.get("timestamp", said.get("TimeGenerated")))
    if isinstance(written, float | int):
        return Instant(seconds(written))
    try:
        return from_datetime(datetime.fromisoformat(str(written)))
    except ValueError:
        return None


def ordered(events: Iterable[Event]) -> list[Event]:
    """By time; those without one are left out."""
    return sorted((event for event in events if event.time is not None), key=lambda event: event.time or 0)


def measure(corpus: Path) -> dict[str, Any]:
    """Findings by detector for each folder, and microseconds of processor time for each event."""
    answer: dict[str, Any] = {}
    for name in ("windows", "network", "linux"):
        told: Counter[str] = Counter()
        seen: Counter[str] = Counter()
        events, spent, longest, alarms = 0, 0.0, 0, []
        for story, sequence in stories(corpus / name):
            behaviour = Behaviour()
            begun = time.process_time()
            found = [each for event in sequence for each in behaviour.feed(event, event.time or Instant(0))]
            spent += time.process_time() - begun
            events += len(sequence)
            if sequence:
                longest = max(longest, (sequence[-1].time or 0) - (sequence[0].time or 0))
            eyes = Eyes()
            seen.update(
                type(each).__name__
                for event in sequence
                for each in eyes.sightings(event, event.time or Instant(0))
            )
            told.update(each.rule for each in found)
            alarms += [
                [story, each.rule, *(f"{proof.field}={proof.value}" for proof in each.proofs)]
                for each in found
                if each.level >= Level.LOW
            ]
        answer[name] = {
            "events": events,
            "sightings": dict(seen),
            "longest_story_hours": round(longest / hours(1), 1),
            "findings": dict(told),
            "per_100000": round(sum(told.values()) * 100_000 / max(1, events), 1),
            "us_per_event": round(spent * 1e6 / max(1, events), 2),
            "told": alarms,
        }
    return answer


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    as_it_is = measure(folder)
    scanning.WARM_UP = Duration(0)  # the stories are short: what would be said by one that knows nobody yet
    print(json.dumps({"as_it_is": as_it_is, "scanning_without_warm_up": measure(folder)}, indent=1))
