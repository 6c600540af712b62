"""How often behaviour detectors speak on the development corpus, and what they cost.

    .venv/bin/python -m benchmarks.behaviour [CORPUS]

The corpus is attack labs with their noise, not ordinary life: a finding there may be right. What counts is how few
there are for so many events. Lines of Zeek and Linux are given as they are, each log in order of time.
"""

import io
import json
import random
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
    """Findings by detector for each folder, and what there was to see."""
    answer: dict[str, Any] = {}
    for name in ("windows", "network", "linux"):
        told: Counter[str] = Counter()
        seen: Counter[str] = Counter()
        events, longest, alarms = 0, 0, []
        for story, sequence in stories(corpus / name):
            behaviour = Behaviour()
            found = [each for event in sequence for each in behaviour.feed(event, event.time or Instant(0))]
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
            "told": alarms,
        }
    return answer


def fortnight(seed: int = 14) -> Iterator[Event]:
    """Generated ordinary life of a home, hour by hour for a fortnight: not measured anywhere, stated here.

    Thirty machines of people who read pages from 7 to 19 (on average one every two minutes, sizes spread widely, now
    and then a large file sent), each with a mail program that asks every five minutes; three servers, one of which
    sends a backup of 2 GB each night; twenty accounts that open nine persons' files in an hour of their shifts, and
    one at admission that opens sixty; a monitor that asks forty machines every ten minutes.
    """
    chance = random.Random(seed)
    record = 0

    def event(fields: dict[str, Any], hour: float) -> Event:
        nonlocal record
        record += 1
        return Event(LogSource(), fields, "fortnight", record, Instant(round((490_000 + hour) * hours(1))))

    def flow(source: str, to: str, port: int, sent: int, hour: float) -> Event:
        ends = {"src_ip": source, "dst_ip": to, "dst_port": port, "protocol": "tcp"}
        return event(ends | {"flow": "ended", "bytes_out": sent, "duration": 1.0}, hour)

    def opened(account: int, person: int, hour: float) -> Event:
        words = {
            "c-ip": "10.0.1.9",
            "cs-username": f"account{account}",
            "sc-status": 200,
            "person": str(person),
        }
        return event(words, hour)

    for hour in range(14 * 24):
        of_day, happened = hour % 24, []
        for machine in range(30):
            source = f"10.0.1.{machine + 10}"
            happened += [flow(source, "198.51.100.25", 993, 2_000, hour + n / 12) for n in range(12)]
            for _ in range(chance.randrange(15, 46) if 7 <= of_day < 19 else 0):
                size = min(round(chance.lognormvariate(10, 2)), 60_000_000)
                to = f"203.{chance.randrange(40)}.113.{chance.randrange(1, 250)}"
                happened.append(flow(source, to, 443, size, hour + chance.random()))
        for server in range(3):
            happened.append(
                flow(f"10.0.2.{server + 10}", "198.51.100.70", 443, 400_000, hour + chance.random())
            )
        if of_day == 2:
            happened.append(
                flow("10.0.2.10", "198.51.100.80", 443, chance.randrange(18, 23) * 10**8, hour + 0.5)
            )
        for account in range(20):
            if of_day // 8 == account % 3:
                for _ in range(9):
                    happened.append(
                        opened(account, account * 100 + chance.randrange(14), hour + chance.random())
                    )
        if 8 <= of_day < 17:
            happened += [opened(99, chance.randrange(4_000), hour + chance.random()) for _ in range(60)]
        for turn in range(6):
            happened += [flow("10.0.2.12", f"10.0.1.{n + 10}", 161, 300, hour + turn / 6) for n in range(40)]
        yield from ordered(happened)


def ordinary() -> dict[str, Any]:
    """Findings above information in the generated fortnight, by detector."""
    behaviour = Behaviour()
    told: Counter[str] = Counter()
    events = 0
    for event in fortnight():
        events += 1
        told.update(
            each.rule for each in behaviour.feed(event, event.time or Instant(0)) if each.level >= Level.LOW
        )
    return {"events": events, "machines": 34, "days": 14, "findings": dict(told)}


def cost(corpus: Path) -> float:
    """Processor time of the detectors over that of ``orjson.loads`` alone, on the Windows events of the corpus."""
    raw = [line.strip() for line in lines(corpus / "windows" / "otrf_windows_dev.ndjson.zst")]
    begun = time.process_time()
    for line in raw:
        orjson.loads(line)
    parsing = time.process_time() - begun
    events = [windows.decode(line, "windows", n) for n, line in enumerate(raw, 1)]
    behaviour = Behaviour()
    begun = time.process_time()
    for event in events:
        for _ in behaviour.feed(event, event.time or Instant(0)):
            pass
    return round((time.process_time() - begun) / parsing, 3)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    answer = {
        "corpus": measure(folder),
        "generated_fortnight": ordinary(),
        "time_over_parsing": cost(folder),
    }
    scanning.WARM_UP = Duration(0)  # the stories are short: what would be said by one that knows nobody yet
    answer["corpus_scanning_without_warm_up"] = measure(folder)
    print(json.dumps(answer, indent=1))
