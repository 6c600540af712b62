"""Samples of rules: attack directories and SigmaHQ's regression data, what should be found in them, and what was."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rempart.adapters.collect import evtx
from rempart.detection.detector import Detection
from rempart.detection.finding import Finding, Level
from rempart.detection.match import Matcher
from rempart.detection.rule import RuleSet
from rempart.errors import DecodeError, InputRefused, Problem
from rempart.events.decode import DECODERS, decoded, windows
from rempart.events.event import Event

EXPECTED = "expected.json"
BENIGN = "benign"
_LOGS = frozenset({".log", ".ndjson"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One attack directory: logs named after their decoder, ``expected.json``, and ordinary life in ``benign/``."""

    folder: Path

    @property
    def missing(self) -> Path | None:
        """What is missing from the directory, if anything."""
        needed = (self.folder / BENIGN, self.folder / "README.md")
        return next((path for path in needed if not path.exists()), None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sample gave: differences from what was expected, in words, and the ids of the rules that were told."""

    differences: tuple[str, ...]
    told: frozenset[str]


def samples(folder: Path) -> list[Sample]:
    """The attack directories at or below a folder, in the order of their names."""
    marks = sorted({path.parent for mark in (EXPECTED, BENIGN) for path in folder.rglob(mark)})
    return [Sample(path) for path in marks if path.name != BENIGN]


def tried(sample: Sample, detection: Detection) -> Outcome:
    """Run a sample through rules that remember nothing, and its benign twin through the same.

    Raises `InputRefused` when a log or ``expected.json`` cannot be read.
    """
    found = _found(sample.folder, detection.afresh())
    quiet = [each for each in _found(sample.folder / BENIGN, detection.afresh()) if each.level >= Level.LOW]
    missing = [f"{sample.missing.name} is missing"] if sample.missing else []
    loud = [f"{BENIGN}: {each.title!a} should be silent" for each in {f.title: f for f in quiet}.values()]
    differences = (*missing, *_differences(_expected(sample.folder / EXPECTED), summary(found)), *loud)
    return Outcome(tuple(differences), frozenset(each.rule for each in found))


def summary(findings: list[Finding]) -> list[dict[str, Any]]:
    """One entry a rule, in order of first appearance: what ``expected.json`` holds."""
    told: dict[str, list[Finding]] = {}
    for finding in findings:
        told.setdefault(finding.title, []).append(finding)
    return [
        {
            "title": title,
            "kind": those[0].kind.value,
            "level": those[0].level.name.lower(),
            "outcome": those[0].outcome.value,
            "spoofable": those[0].spoofable,
            "findings": len(those),
            "observables": sorted({f"{o.role} {o.kind} {o.value}" for f in those for o in f.observables}),
        }
        for title, those in told.items()
    ]


def _differences(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> Iterator[str]:
    """An expected entry may leave out keys; what it names must be so."""
    told = {each["title"]: each for each in found}
    for wanted in expected:
        seen = told.pop(wanted["title"], None)
        if seen is None:
            yield f"{wanted['title']!a} was not told"
            continue
        for key, value in wanted.items():
            if seen.get(key) != value:
                yield f"{wanted['title']!a}: {key!a} is {seen.get(key)!a}, expected {value!a}"
    yield from (f"{title!a} was told and not expected" for title in told)


def _expected(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    try:
        said = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as fault:
        raise InputRefused(f"cannot be read: {fault}", where=str(file), now="Mend the JSON.") from fault
    if not isinstance(said, list) or not all(
        isinstance(each, dict) and isinstance(each.get("title"), str) for each in said
    ):
        raise InputRefused('is no list of {"title": …}', where=str(file), now="See docs/operating/rules.md.")
    return said


def _found(folder: Path, detection: Detection) -> list[Finding]:
    logs = [path for path in sorted(folder.glob("*")) if path.suffix in _LOGS and path.is_file()]
    events = [event for path in logs for event in _events(path)]
    events.sort(key=lambda event: event.time or 0)
    return [finding for event in events for finding in detection.feed(event)]


def _events(path: Path) -> Iterator[Event]:
    decode = DECODERS.get(path.stem)
    if decode is None:
        raise InputRefused(
            f"no decoder is called {path.stem!a}",
            where=str(path),
            now=f"Name the log after what reads it: {', '.join(sorted(DECODERS))}.",
        )
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            event = decoded(decode, line, path.name, number)
        except DecodeError as refused:
            raise InputRefused(
                refused.what, where=f"{path}, line {number}", now="Mend the line."
            ) from refused
        if event is not None:
            yield event


# -- SigmaHQ's regression data ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stated:
    """One ``info.yml`` of SigmaHQ's ``regression_data``: how often a rule matches the records of an EVTX file."""

    folder: Path
    rules: tuple[str, ...]
    """Ids."""
    logs: tuple[tuple[Path, int], ...]
    """Each file beside it, and how many matches are stated; at least one where no number is."""


INFO = "info.yml"


def stated(folder: Path) -> list[Stated]:
    """What is stated at or below a folder. Raises `InputRefused` for an ``info.yml`` that does not say it."""
    return [_stated(file) for file in sorted(folder.rglob(INFO))]


def _stated(file: Path) -> Stated:
    try:
        said = yaml.safe_load(file.read_bytes())
        rules = tuple(str(each["id"]) for each in said["rule_metadata"])
        tests = [each for each in said["regression_tests_info"] if each["type"] == "evtx"]
        logs = tuple((file.parent / Path(t["path"]).name, int(t.get("match_count", 1))) for t in tests)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError) as fault:
        raise InputRefused(
            f"it does not say which rule matches what: {fault!a}",
            where=str(file),
            now="See SigmaHQ's regression_data for its shape, or leave the file out.",
        ) from fault
    return Stated(file.parent, rules, logs)


class Fired:
    """How often rules match EVTX files; only the rules that something is stated of are compiled."""

    def __init__(self, rules: RuleSet, about: list[Stated]) -> None:
        named = {rule for each in about for rule in each.rules}
        asked = [rule for rule in rules.rules if rule.card.id in named]
        self._known = {rule.card.id for rule in asked}
        self._matcher = Matcher(asked)

    def held_against(self, about: Stated) -> Outcome:
        """A rule that matches less often than stated differs; one that matches more often may know more."""
        different: list[str] = [
            f"the rule {rule!a} is not loaded" for rule in about.rules if rule not in self._known
        ]
        told: set[str] = set()
        for log, least in about.logs:
            counts = self._counts(log)
            told |= counts.keys()
            different += (
                f"{log.name}: the rule {rule!a} matched {counts[rule]} times, stated are {least}"
                for rule in about.rules
                if rule in self._known and counts[rule] < least
            )
        return Outcome(tuple(different), frozenset(told))

    def _counts(self, log: Path) -> Counter[str]:
        counts: Counter[str] = Counter()
        for record in evtx.records(str(log)):
            if isinstance(record, Problem):
                raise InputRefused(record.what, where=record.where, now=record.mend)
            number, text = record
            try:
                event = windows.decode(text, log.name, number)
            except DecodeError as refused:
                raise InputRefused(refused.what, where=f"{log}, record {number}") from refused
            counts.update(rule.card.id for rule in self._matcher.matches(event))
        return counts
