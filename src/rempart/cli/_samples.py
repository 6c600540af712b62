"""Samples of rules: attack directories, what should be found in them, and what was found."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rempart.detection.detector import Detection
from rempart.detection.finding import Finding, Level
from rempart.errors import DecodeError, InputRefused
from rempart.events.decode import DECODERS
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
            event = decode(line, path.name, number)
        except DecodeError as refused:
            raise InputRefused(
                refused.what, where=f"{path}, line {number}", now="Mend the line."
            ) from refused
        if event is not None:
            yield event
