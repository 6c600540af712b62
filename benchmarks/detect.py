"""Measures detection: events a second against JSON parsing alone, warm and cold, worst case, loading, memory.

    scripts/bench detect [--json] [--corpus DIR] [--quick]

Ratios are the figures to keep: both sides are measured in the same run on the same events, in CPU seconds, so that
another process on the machine or another machine changes them little.
"""

import argparse
import gc
import json
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import orjson

from rempart.adapters import rules as rule_files
from rempart.adapters.collect import evtx, files
from rempart.adapters.collect.files import Batch
from rempart.detection.match import Matcher
from rempart.detection.rule import Rule, load
from rempart.errors import Problem
from rempart.events.decode import windows

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


@dataclass(frozen=True, slots=True)
class Figures:
    """Times in CPU seconds of one process, rates in events a CPU second. Ratios are over orjson alone."""

    rules: int
    load_s: float
    """YAML to rules."""
    compile_s: float
    """Rules to a matcher with every Hyperscan database compiled."""
    events: int
    bytes_per_event: float
    parse_events_per_s: float
    """orjson.loads alone: what the ratios are over."""
    first_pass_ratio: float
    """JSON bytes to matches, nothing remembered yet."""
    first_pass_events_per_s: float
    warm_ratio: float
    warm_events_per_s: float
    unique_ratio: float
    """First pass with a random end on every text: nothing repeats, no memory helps."""
    unique_process_creation_ratio: float
    """The same with Sysmon event 1 only: half of all rules look at every event."""
    evtx_events_per_s: float
    """EVTX files to matches, parsing included, warm databases and nothing remembered."""
    matches: int
    peak_rss_mib: float


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    corpus: Path = arguments.corpus
    rules, load_s = timed(lambda: load(rule_files.read([str(corpus / "rules" / "sigma")])).rules)
    matcher, compile_s = timed(lambda: warm(rules))
    lines = list(windows_lines(corpus, 10_000 if arguments.quick else 100_000))
    gc.collect()
    gc.freeze()
    parse_s = min(timed(lambda: parse(lines))[1] for _ in range(3))
    matches, first_s = timed(lambda: match(matcher, lines))
    warm_s = min(timed(lambda: match(matcher, lines))[1] for _ in range(3))
    unique = list(made_unique(lines[:20_000]))
    creations = [line for line in lines if b'"EventID":1,' in line and b"Sysmon" in line]
    creations = list(made_unique((creations * 4_000)[:4_000]))
    logs = sorted(str(path) for path in (corpus / "evtx").rglob("*.evtx"))
    fresh = warm(rules)
    gc.collect()
    gc.freeze()
    read, evtx_s = timed(lambda: match_evtx(fresh, logs))
    figures = Figures(
        rules=len(rules),
        load_s=load_s,
        compile_s=compile_s,
        events=len(lines),
        bytes_per_event=sum(map(len, lines)) / len(lines),
        parse_events_per_s=len(lines) / parse_s,
        first_pass_ratio=first_s / parse_s,
        first_pass_events_per_s=len(lines) / first_s,
        warm_ratio=warm_s / parse_s,
        warm_events_per_s=len(lines) / warm_s,
        unique_ratio=ratio(matcher, unique),
        unique_process_creation_ratio=ratio(matcher, creations),
        evtx_events_per_s=read / evtx_s,
        matches=matches,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    report(figures, as_json=arguments.json)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--quick", action="store_true", help="10,000 events instead of 100,000")
    return parser.parse_args()


T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What the work gives, and the CPU seconds it took."""
    start = time.process_time()
    given = work()
    return given, time.process_time() - start


def warm(rules: Sequence[Rule]) -> Matcher:
    """A matcher with every database compiled and nothing remembered."""
    matcher = Matcher(rules)
    matcher.warm()
    return matcher


def parse(lines: Iterable[bytes]) -> None:
    """What any engine must at least do."""
    for line in lines:
        orjson.loads(line)


def match(matcher: Matcher, lines: Iterable[bytes]) -> int:
    """JSON bytes to matches; how many there were."""
    return sum(
        len(matcher.matches(windows.decode(line, "bench", number))) for number, line in enumerate(lines, 1)
    )


def match_evtx(matcher: Matcher, logs: Iterable[str]) -> int:
    """EVTX files to matches; how many events there were."""
    events = 0
    for log in logs:
        for record in evtx.records(log):
            assert not isinstance(record, Problem)
            matcher.matches(windows.decode(record[1], log, record[0]))
            events += 1
    return events


def ratio(matcher: Matcher, lines: Sequence[bytes]) -> float:
    """Time from bytes to matches over parsing alone."""
    parse_s = min(timed(lambda: parse(lines))[1] for _ in range(3))
    return timed(lambda: match(matcher, lines))[1] / parse_s


def windows_lines(corpus: Path, most: int) -> Iterator[bytes]:
    """The Windows events of the corpus as JSON lines."""
    for batch in files.batches(str(corpus / "windows" / "otrf_windows_dev.ndjson.zst")):
        assert isinstance(batch, Batch)
        if batch.first > most:
            return
        yield from batch.lines


_KEPT = frozenset({"Channel", "EventID", "SourceName", "Provider_Name"})


def made_unique(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The same events with an end on every text that no other event has; what kind of event it is stays."""
    for number, line in enumerate(lines):
        document = orjson.loads(line)
        for name, value in document.items():
            if isinstance(value, str) and name not in _KEPT:
                document[name] = f"{value} {number:x}"
        yield orjson.dumps(document)


def report(figures: Figures, *, as_json: bool) -> None:
    """Print them."""
    if as_json:
        print(json.dumps(asdict(figures), indent=2))
        return
    for name, value in asdict(figures).items():
        print(
            f"{name.replace('_', ' '):32} {value:12,.2f}"
            if isinstance(value, float)
            else f"{name:32} {value:12,}"
        )


if __name__ == "__main__":
    main()
