"""Measures detection: exactness, time over JSON parsing alone, worst cases, memory, start, growth with rules.

    scripts/bench detect [--json] [--picture FILE] [--corpus DIR] [--quick]

Ratios are the figures to keep: both sides are measured in the same run on the same events in CPU seconds, so that other
work on the machine, or another machine, changes them little. What depends on a fresh process (memory, start) has one.
For the figure against zargunlite make it an environment of its own, which is then found:

    python3 -m venv /tmp/rempart-zargunlite
    /tmp/rempart-zargunlite/bin/pip install zargunlite pySigma-backend-sqlite \\
        pysigma-pipeline-sysmon pysigma-pipeline-windows
"""

import argparse
import csv
import gc
import io
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import orjson
from zstandard import ZstdDecompressor

from rempart.adapters import compiled
from rempart.adapters import rules as rule_files
from rempart.adapters.collect import evtx, files
from rempart.adapters.collect.files import Batch, LogFile
from rempart.adapters.compiled import KeptFiles
from rempart.detection.glance import Glance
from rempart.detection.match import Matcher
from rempart.detection.rule import Rule, RuleSet
from rempart.errors import Problem
from rempart.events.decode import windows
from rempart.events.event import Event

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
ZARGUNLITE = Path(tempfile.gettempdir()) / "rempart-zargunlite" / "bin" / "python"
_WINDOWS = Path("windows", "otrf_windows_dev.ndjson.zst")
TIMES = 3
"""How often a short measurement is taken; the least counts, since other work only ever adds."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Times are CPU seconds. A ratio is over ``orjson.loads`` alone unless its name says otherwise."""

    rules: int
    events: int
    rows_expected: int
    """Rows (event, rule) that two other engines found in the corpus."""
    rows_reproduced: int
    rows_beyond: int
    """Rows of the same rules that they did not find."""
    parse_us_per_event: float
    parse_ratio_first_pass: float
    """JSON bytes to matches over the whole of windows/, nothing remembered before."""
    parse_ratio_seen_before: float
    parse_ratio_unique_mix: float
    """A different end on every text of every event: nothing repeats, no memory helps."""
    parse_ratio_unique_process: float
    """The same with process creation only: nearly half of all rules look at every event."""
    zargunlite_ratio: float | None
    """Its CPU time over ours: the same events and rules, first pass; its rules are made SQL beforehand."""
    zargunlite_evtx_ratio: float | None
    zargunlite_reason: str
    """Why it was not measured, or what was."""
    two_process_ratio: float
    """``rempart detect --jobs 1`` over ``--jobs 2`` for windows/, unpacking included. With two it is the first unit,
    which both share, and half of what both take after it, since each takes the next unit when it is free; what handing
    over and forking cost them is in it."""
    small_batch_ratio: float
    """Events a second in batches of 10 over batches of 1,000."""
    evtx_events_per_cpu_s: float
    """EVTX files to matches with the parsing of EVTX, nothing remembered."""
    rss_mb_corpus: float
    """Most resident memory (MB) of a process with all rules that reads 300,000 events, two thirds of them unique."""
    rss_mb_indicators: float
    """The same with a million indicators."""
    cold_start_s: float
    warm_start_s: float
    """From the start of Python to all rules ready, compiled before."""
    worst_event_ms: float
    """The slowest of 20,000 events and of hostile ones of 64 kB, the first of its kind included; least of three."""
    us_per_event: dict[int, float]
    """By number of rules; windows/, first pass, with parsing."""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.part:
        print(
            json.dumps(
                PARTS[arguments.part](Bench(arguments.corpus, Path(arguments.kept), quick=arguments.quick))
            )
        )
        return
    with tempfile.TemporaryDirectory() as kept:
        figures = Bench(arguments.corpus, Path(kept), quick=arguments.quick).figures()
    print(json.dumps(asdict(figures), indent=2) if arguments.json else _table(figures))
    if arguments.picture:
        arguments.picture.write_text(picture(figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--picture", type=Path, help="draw the ratios into this SVG file")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--quick", action="store_true", help="a tenth of the events")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--kept", help=argparse.SUPPRESS)
    return parser.parse_args()


T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What the work gives, and the CPU seconds it took."""
    start = time.process_time()
    given = work()
    return given, time.process_time() - start


def least(work: Callable[[], object]) -> float:
    """The CPU seconds of the quickest of a few runs."""
    return min(timed(work)[1] for _ in range(TIMES))


def parse(lines: Iterable[bytes]) -> None:
    """What any engine must at least do."""
    for line in lines:
        orjson.loads(line)


def match(matcher: Matcher, glance: Glance, lines: Iterable[bytes]) -> int:
    """JSON bytes to matches, in units as `rempart detect` reads them; how many there were."""
    lines, found = iter(lines), 0
    while unit := list(islice(lines, files.BATCH_LINES)):
        for place in glance.worth(unit):
            found += len(matcher.matches(windows.decode(unit[place], "bench", place)))
    return found


def match_evtx(matcher: Matcher, logs: Iterable[str]) -> int:
    """EVTX files to matches; how many events there were."""
    return sum(1 for log in logs for event in evtx_events(log) if matcher.matches(event) is not None)


def evtx_events(log: str) -> Iterator[Event]:
    """The events of one undamaged file."""
    for record in evtx.records(log):
        assert not isinstance(record, Problem)
        yield windows.decode(record[1], log, record[0])


class Bench:
    """All rules, where their compiled form is kept, and the events."""

    def __init__(self, corpus: Path, kept: Path, *, quick: bool) -> None:
        self.corpus = corpus
        self.kept = KeptFiles(kept)
        self.folder = kept
        self.quick = quick
        self.most = 10_000 if quick else 100_000

    def rule_set(self) -> RuleSet:
        """SigmaHQ's rules, as the last start left them."""
        return compiled.load(self.kept, rule_files.read([str(self.corpus / "rules" / "sigma")]))

    def rules(self) -> tuple[Rule, ...]:
        """Those that are held against one event."""
        return self.rule_set().rules

    def fresh(self, rules: Sequence[Rule]) -> Matcher:
        """A matcher with every database compiled and nothing remembered."""
        matcher = Matcher(rules, self.kept)
        matcher.warm()
        gc.collect()
        gc.freeze()
        return matcher

    def lines(self, most: int) -> Iterator[bytes]:
        """The first Windows events of the corpus as JSON lines, read one by one as at the station."""
        with (
            (self.corpus / _WINDOWS).open("rb") as raw,
            io.BufferedReader(ZstdDecompressor().stream_reader(raw)) as log,
        ):
            yield from (line.rstrip(b"\n") for line in islice(log, most))

    def log(self, units: Callable[..., Iterator[Any]]) -> Iterator[Any]:
        """The same in the ``units`` of `rempart detect`."""
        found = files.look(str(self.corpus / _WINDOWS))
        assert isinstance(found, LogFile)
        return (unit for unit in units([found], print) if unit.batch.first <= self.most)

    def evtx(self) -> list[str]:
        """The EVTX files of the corpus."""
        return sorted(str(path) for path in (self.corpus / "evtx").rglob("*.evtx"))

    def part(self, name: str) -> Any:
        """A measurement in a process of its own."""
        command = ["-m", "benchmarks.detect", "--part", name, "--kept", self.folder, "--corpus", self.corpus]
        command += ["--quick"] if self.quick else []
        done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, check=True)
        return json.loads(done.stdout)

    def figures(self) -> Figures:
        """Everything, the parts with a process of their own while the memory of this one is small."""
        cold = self.part("start")
        warm = min(self.part("start") for _ in range(TIMES))
        rss, rss_indicators = self.part("memory"), self.part("indicators")
        two_processes = self.part("processes")
        parse_s, first_s, again_s = self.part("pass")
        rules = self.rules()
        expected, reproduced, beyond = self.exactness(rules)
        lines = list(self.lines(self.most))
        unique = list(islice(made_unique(lines), 20_000))
        creations = list(made_unique(islice(self.creations(lines), 10_000)))
        logs = self.evtx()
        unique_parse_s, unique_s, _ = self.over_parsing(rules, unique)
        creation_parse_s, creation_s, _ = self.over_parsing(rules, creations)
        matcher = self.fresh(rules)
        match(matcher, Glance(matcher), lines)
        read = match_evtx(matcher, logs)
        evtx_s = min(self.evtx_pass(rules, logs) for _ in range(TIMES))
        zargunlite, zargunlite_evtx, reason = self.zargunlite(rules, logs, first_s / len(lines))
        return Figures(
            rules=len(rules),
            events=len(lines),
            rows_expected=expected,
            rows_reproduced=reproduced,
            rows_beyond=beyond,
            parse_us_per_event=parse_s / len(lines) * 1e6,
            parse_ratio_first_pass=first_s / parse_s,
            parse_ratio_seen_before=again_s / parse_s,
            parse_ratio_unique_mix=unique_s / unique_parse_s,
            parse_ratio_unique_process=creation_s / creation_parse_s,
            zargunlite_ratio=zargunlite,
            zargunlite_evtx_ratio=zargunlite_evtx,
            zargunlite_reason=reason,
            two_process_ratio=two_processes,
            small_batch_ratio=small_batches(matcher, lines[:20_000]),
            evtx_events_per_cpu_s=read / evtx_s,
            rss_mb_corpus=rss,
            rss_mb_indicators=rss_indicators,
            cold_start_s=cold,
            warm_start_s=warm,
            worst_event_ms=self.worst_event(rules, lines),
            us_per_event=self.growth(rules, lines[:20_000]),
        )

    def first_pass(self, rules: Sequence[Rule], lines: Sequence[bytes]) -> float:
        """CPU seconds from bytes to matches with nothing remembered."""
        matchers = [self.fresh(rules) for _ in range(TIMES)]
        return min(timed(partial(match, each, Glance(each), lines))[1] for each in matchers)

    def over_parsing(self, rules: Sequence[Rule], lines: Sequence[bytes]) -> tuple[float, float, float]:
        """CPU seconds of parsing alone, of a first pass and of one over what was seen before, taken in turns."""
        turns = []
        for _ in range(TIMES):
            matcher = self.fresh(rules)
            ours = partial(match, matcher, Glance(matcher), lines)
            works: tuple[Callable[[], object], ...] = (partial(parse, lines), ours, ours)
            turns.append([timed(work)[1] for work in works])
        parsing, first, again = (min(each) for each in zip(*turns, strict=True))
        return parsing, first, again

    def evtx_pass(self, rules: Sequence[Rule], logs: Sequence[str]) -> float:
        """The same from EVTX files."""
        matcher = self.fresh(rules)
        return timed(lambda: match_evtx(matcher, logs))[1]

    def creations(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Sysmon's process creations, over and over."""
        found = [line for line in lines if b'"EventID":1,' in line and b"Sysmon" in line]
        while found:
            yield from found

    # -- exactness ------------------------------------------------------------------------------------------------

    def exactness(self, rules: Sequence[Rule]) -> tuple[int, int, int]:
        """Rows expected, reproduced, and found beyond them by the same rules."""
        evaluated = set((self.corpus / "expected" / "RULES_EVALUATED.txt").read_text().split())
        expected: set[tuple[str, int, str]] = set()
        found: set[tuple[str, int, str]] = set()
        for name in ("regression", "evtx", "windows"):
            for line in (self.corpus / "expected" / f"{name}.jsonl").read_text().splitlines():
                row = json.loads(line)
                number = row.get("record_id", row.get("line"))
                expected |= {(row["file"], number, rule) for rule in row["rules"]}
        matcher = self.fresh(rules)
        with (self.corpus / "expected" / "files.tsv").open(newline="") as table:
            names = [row["file"] for row in csv.DictReader(table, delimiter="\t")]
        for name in names:
            for event in self.events(name):
                fired = {rule.card.id for rule in matcher.matches(event)} & evaluated
                found |= {(name, event.record, rule) for rule in fired}
        return len(expected), len(expected & found), len(found - expected)

    def events(self, name: str) -> Iterator[Event]:
        """The events of one file of the corpus."""
        if name.endswith(".evtx"):
            yield from evtx_events(str(self.corpus / name))
            return
        for batch in files.batches(str(self.corpus / name)):
            assert isinstance(batch, Batch)
            for number, line in enumerate(batch.lines, batch.first):
                yield windows.decode(line, name, number)

    # -- hostile events -------------------------------------------------------------------------------------------

    def worst_event(self, rules: Sequence[Rule], lines: Sequence[bytes]) -> float:
        """Milliseconds of the slowest event, each asked of three matchers: the least of three is the event's own."""
        asked = [*lines[:20_000], *hostile()]
        worst = [0.0] * len(asked)
        for turn in range(TIMES):
            matcher = self.fresh(rules)
            glance = Glance(matcher)
            for place, line in enumerate(asked):
                start = time.process_time_ns()
                match(matcher, glance, [line])
                spent = (time.process_time_ns() - start) / 1e6
                worst[place] = spent if turn == 0 else min(worst[place], spent)
        return max(worst)

    # -- growth ---------------------------------------------------------------------------------------------------

    def growth(self, rules: Sequence[Rule], lines: Sequence[bytes]) -> dict[int, float]:
        """Microseconds an event by number of rules, taken evenly from all."""
        counts = (100, 1_000, len(rules))
        some = {count: [rules[place * len(rules) // count] for place in range(count)] for count in counts}
        return {count: self.first_pass(few, lines) / len(lines) * 1e6 for count, few in some.items()}

    # -- another engine -------------------------------------------------------------------------------------------

    def zargunlite(
        self, rules: Sequence[Rule], logs: Sequence[str], first_s: float
    ) -> tuple[float | None, float | None, str]:
        """How many times longer it takes for windows/ (``first_s``: ours for an event) and for EVTX as JSON."""
        if not ZARGUNLITE.exists():
            return None, None, f"there is no {ZARGUNLITE}; see the head of benchmarks/detect.py"
        few = list(self.lines(self.most))[:10_000]
        flat = [orjson.dumps(windows.decode(text, log, number).fields) for log, number, text in _texts(logs)]
        theirs = [self._zargunlite(each) / len(each) for each in (few, flat[:10_000])]
        ours = [first_s, self.first_pass(rules, flat) / len(flat)]
        said = (
            "CPU time an event: zargunlite on 10,000 events, which is quicker for it than fewer; ours on all"
        )
        return theirs[0] / ours[0], theirs[1] / ours[1], said

    def _zargunlite(self, lines: Sequence[bytes]) -> float:
        with tempfile.NamedTemporaryFile(suffix=".ndjson") as events:
            events.write(b"\n".join(lines))
            events.flush()
            script = Path(__file__).with_name("zargunlite_run.py")
            command = [ZARGUNLITE, script, self.corpus / "rules" / "sigma", events.name]
            done = subprocess.run([*map(str, command)], capture_output=True, check=True)
        return float(json.loads(done.stdout)["cpu_s"])


def _texts(logs: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    for log in logs:
        for record in evtx.records(log):
            assert not isinstance(record, Problem)
            yield log, *record


def small_batches(matcher: Matcher, lines: Sequence[bytes]) -> float:
    """Events a second in batches of 10 over batches of 1,000: a batch is decoded as a whole, then matched, as the
    station does, which needs every event whole.
    """

    def batched(size: int) -> None:
        for start in range(0, len(lines), size):
            events = [windows.decode(line, "bench", 1) for line in lines[start : start + size]]
            for event in events:
                matcher.matches(event)

    return least(lambda: batched(1_000)) / least(lambda: batched(10))


_KEPT = frozenset({"Channel", "EventID", "SourceName", "Provider_Name"})


def made_unique(lines: Iterable[bytes], first: int = 0) -> Iterator[bytes]:
    """The same events with an end on every text that no other event has; what kind of event it is stays."""
    for number, line in enumerate(lines, first):
        document = orjson.loads(line)
        for name, value in document.items():
            if isinstance(value, str) and name not in _KEPT:
                document[name] = f"{value} {number:x}"
        yield orjson.dumps(document)


_SYSMON = {"Channel": "Microsoft-Windows-Sysmon/Operational", "Provider_Name": "Microsoft-Windows-Sysmon"}
_POWERSHELL = {"Channel": "Microsoft-Windows-PowerShell/Operational"}
_FIELDS = (
    *("CommandLine", "Image", "ParentImage", "ParentCommandLine", "Hashes", "Description", "Product", "User"),
    *("TargetObject", "Details", "TargetFilename", "ScriptBlockText", "Payload", "QueryName", "ImageLoaded"),
    *("CallTrace", "GrantedAccess", "PipeName"),
)
_PIECES = (
    "a",
    "\\",
    "../",
    "powershell -enc ",
    "C:\\Windows\\System32\\cmd.exe /c ",
    "aA1+/= ",
    "–",
    "é",
    " -w hidden",
    "0",
)
_RECORD = 64_000
"""Bytes: no EVTX record is longer."""


def hostile() -> Iterator[bytes]:
    """Events as long as they get, made to be slow: one endless field, all fields long, long lists."""
    for piece in _PIECES:
        for kind in ({**_SYSMON, "EventID": 1}, {**_SYSMON, "EventID": 13}, {**_POWERSHELL, "EventID": 4104}):
            text = piece * (_RECORD // len(piece.encode()) or 1)
            for name in ("CommandLine", "ScriptBlockText", "Details"):
                yield orjson.dumps({**kind, name: text})
            share = text[: len(text) // len(_FIELDS)]
            yield orjson.dumps({**kind, **dict.fromkeys(_FIELDS, share)})
            yield orjson.dumps({**kind, "CommandLine": [piece] * (_RECORD // (len(piece.encode()) + 3))})
            yield orjson.dumps({**kind, **{f"f{n}": piece for n in range(3_000)}})


def _apart(work: Callable[[], T]) -> T:
    """What the work gives in a process forked for it, so that nothing it touches or learns is left."""
    context = multiprocessing.get_context("fork")
    told: Any = context.SimpleQueue()
    process = context.Process(target=lambda: told.put(work()))
    process.start()
    given: T = told.get()
    process.join()
    return given


# -- parts: each in a fresh process -----------------------------------------------------------------------------------


def start(bench: Bench) -> float:
    """CPU seconds since Python started, once all rules are ready."""
    gc.disable()
    Matcher(bench.rules(), bench.kept).warm()
    return time.process_time()


def memory(bench: Bench, beside: Callable[[Event], object] | None = None) -> float:
    """Most resident megabytes: the corpus as it is, then twice with every text unique; one event after another, as at
    the station.
    """
    matcher = bench.fresh(bench.rules())
    turns: list[Iterable[bytes]] = [bench.lines(100_000)]
    turns += [made_unique(bench.lines(100_000), first) for first in (0, 1 << 32)]
    for turn in turns:
        for number, line in enumerate(turn, 1):
            event = windows.decode(line, "bench", number)
            matcher.matches(event)
            if beside is not None:
                beside(event)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def with_indicators(bench: Bench) -> float:
    """The same with a million indicators: addresses, domains and hashes."""
    indicators = import_module(
        "rempart.detection.indicator"
    )  # its numpy is no part of the other measurements
    kinds = indicators.IndicatorKind

    def million() -> Iterator[Any]:
        for n in range(333_334):
            yield indicators.Indicator(
                kinds.ADDRESS, f"203.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", "bench"
            )
            yield indicators.Indicator(kinds.DOMAIN, f"bad-{n:x}.example.net", "bench")
            yield indicators.Indicator(kinds.HASH, f"{n:064x}", "bench")

    listed = indicators.Indicators(million())
    return memory(bench, lambda event: list(listed.matches(event)))


def whole_pass(bench: Bench) -> tuple[float, float, float]:
    """`Bench.over_parsing` for windows/: as in `rempart detect`, nothing else lies in the memory."""
    return bench.over_parsing(bench.rules(), list(bench.lines(bench.most)))


def processes(bench: Bench) -> float:
    """One job over two (see `Figures`)."""
    rules = bench.rule_set()
    turns = [[_apart(partial(_searched, bench, rules, jobs)) for jobs in (1, 2)] for _ in range(TIMES)]
    return min(one for one, _ in turns) / min(two for _, two in turns)


def _searched(bench: Bench, rules: RuleSet, jobs: int) -> float:
    """CPU seconds of the first unit, and of all others a job."""
    searching = import_module("rempart.cli._search")  # its numpy is no part of the other measurements
    search = searching.Search(rules, compiled=bench.kept)
    search.warm()
    gc.collect()
    gc.freeze()
    found = searching.spread(search, bench.log(searching.units), jobs)
    _, shared = timed(lambda: next(found))
    _, own = timed(lambda: deque(found, maxlen=0))
    helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return shared + (own + helpers.ru_utime + helpers.ru_stime) / jobs


PARTS: dict[str, Callable[[Bench], object]] = {
    "start": start,
    "memory": memory,
    "indicators": with_indicators,
    "processes": processes,
    "pass": whole_pass,
}


# -- showing ----------------------------------------------------------------------------------------------------------


def _table(figures: Figures) -> str:
    lines = []
    for name, value in asdict(figures).items():
        said = (
            f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
        )
        lines.append(f"{name.replace('_', ' '):30} {said}")
    return "\n".join(lines)


def picture(figures: Figures) -> str:
    """The time over parsing alone as bars (SVG): the parsing itself is the first."""
    bars = [
        ("JSON parsing alone", 1.0),
        ("all rules, seen before", figures.parse_ratio_seen_before),
        ("all rules, first pass", figures.parse_ratio_first_pass),
        ("every text unique, mixed", figures.parse_ratio_unique_mix),
        ("every text unique, process creation", figures.parse_ratio_unique_process),
    ]
    widest = max(value for _, value in bars)
    rows = [
        f'<text x="255" y="{30 * n + 51}" text-anchor="end">{name}</text>'
        f'<rect x="265" y="{30 * n + 37}" width="{value / widest * 330:.0f}" height="20" fill="#2b6cb0"/>'
        f'<text x="{271 + value / widest * 330:.0f}" y="{30 * n + 51}">{value:.1f}</text>'
        for n, (name, value) in enumerate(bars)
    ]
    head = f"Time over JSON parsing alone: {figures.rules:,} Sigma rules, {figures.events:,} events"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 200" font-family="sans-serif" font-size="13">'
        f'<rect width="660" height="200" fill="#fff"/><text x="20" y="24" font-weight="bold">{head}</text>'
        + "".join(rows)
        + "</svg>\n"
    )


if __name__ == "__main__":
    main()
